"""Checks of what models give: probabilities, and their columns."""

import numpy as np

from skactive.utils._shown import shown_values

# Rows of probabilities may miss a sum of one by this much (float32, rounding).
_SUM_TOLERANCE = 1e-3


def check_proba(proba, columns, classes, owner):
    """Check probabilities, and bring their columns into the order of `classes`.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_columns)
        What `predict_proba` returned.

    columns : ndarray of shape (n_columns,)
        The `classes_` of the model, in any order; some of `classes` may be missing,
        their probability is 0.

    classes : ndarray of shape (n_classes,)
        Sorted classes.

    owner : str
        Name of the model, for messages.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities.

    Raises
    ------
    ValueError
        If they are not finite, do not sum to 1, or belong to other classes.
    """
    proba = np.asarray(proba)
    if proba.ndim != 2 or proba.shape[1] != len(columns):
        raise ValueError(
            f"{owner}.predict_proba returned an array of shape {proba.shape}, expected "
            f"one column for each of its {len(columns)} classes."
        )
    # Written so that NaN fails, too.
    # einsum sums short rows several times faster than sum(axis=1).
    near_one = np.abs(np.einsum("ij->i", proba) - 1.0) <= _SUM_TOLERANCE
    if not (near_one.all() and proba.min(initial=0.0) >= -_SUM_TOLERANCE):
        raise ValueError(
            f"{owner}.predict_proba returned probabilities that are NaN, infinite, "
            "negative, or do not sum to 1 in a row. No label was asked on their "
            "account; check the estimator and the scale of the features."
        )
    return align_columns(proba, columns, classes, owner)


def align_columns(proba, columns, classes, owner):
    """Bring columns that belong to `columns` into the order of `classes`."""
    if len(columns) == len(classes) and (columns == classes).all():
        return proba
    if not np.isin(columns, classes).all():
        raise ValueError(
            f"{owner} predicts the classes {shown_values(columns)}, but only "
            f"{shown_values(classes)} have labels."
        )
    aligned = np.zeros((len(proba), len(classes)), dtype=proba.dtype)
    aligned[:, np.searchsorted(classes, columns)] = proba
    return aligned
