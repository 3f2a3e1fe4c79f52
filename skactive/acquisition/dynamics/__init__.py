"""Training dynamics: rows whose predictions change while the model is trained.

`LabelDispersionSampling` queries them. Forgetting events, which find hard and redundant
rows among the labelled ones, are functions of :mod:`skactive.acquisition.functional`.
"""
