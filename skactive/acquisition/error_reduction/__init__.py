"""Expected error: rows that say most about the errors of a model.

Either a label is expected to reduce the error on the whole pool most, or it tells where
a finished model errs.
"""
