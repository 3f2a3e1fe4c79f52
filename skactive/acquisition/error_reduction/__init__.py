"""Expected error: rows whose labels say most about the errors of a model.

A label is expected to reduce the error on the whole pool
(`ExpectedErrorReductionSampling`), or to show where a finished model errs
(`ExpectedLossSampling`).
"""
