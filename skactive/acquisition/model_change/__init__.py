"""Expected model change: rows whose labels would change the model most.

The change is the length of the gradient that a label would add
(`ExpectedGradientLengthSampling`), or what it would add to the Fisher information
(`BAITSampling`).
"""
