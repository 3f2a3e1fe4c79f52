"""Query by committee: rows on which several models disagree.

The members of an ensemble, or the draws of a Bayesian model, vote; what they disagree
about is what a label would tell about the model.
"""
