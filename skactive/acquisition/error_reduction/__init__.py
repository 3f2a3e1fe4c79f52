"""Expected error: rows whose labels reduce the expected error most.

A label is expected to reduce the error on the whole pool
(`ExpectedErrorReductionSampling`), or to show where a finished model errs
(`ExpectedLossSampling`).
"""
