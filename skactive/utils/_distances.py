"""Squared distances, which are equal for equal rows, and squared lengths of rows."""

import numpy as np
from scipy.sparse import issparse

from skactive.utils._ties import drop_rounding


def squared_distances(rows, points):
    """Return the squared Euclidean distance of each row to a point of its own.

    No product of matrices is used: it adds up the last rows of a block in another order
    than the first ones, and its result is only rounding error if a row equals its
    point.

    Parameters
    ----------
    rows : {ndarray, sparse matrix} of shape (n_rows, n_features)
        Rows.

    points : ndarray of shape (n_rows, n_features) or (n_features,)
        A point for each row, or one for all.

    Returns
    -------
    distances : ndarray of shape (n_rows,)
        Rounded to twelve digits, so that distances tie if they differ only by rounding.
    """
    points = np.asarray(points, dtype=np.float64)
    if issparse(rows):
        rows = rows.astype(np.float64, copy=False)
        products = rows.multiply(points).sum(axis=1)
        norms = rows.multiply(rows).sum(axis=1)
        squared = np.asarray(norms - 2 * products).ravel() + (points**2).sum(axis=-1)
        return drop_rounding(np.maximum(squared, 0.0))
    moved = np.asarray(rows, dtype=np.float64) - points
    return drop_rounding(np.einsum("ij,ij->i", moved, moved))


def squared_norms(rows, dtype=None):
    """Return the squared Euclidean length of each row.

    Parameters
    ----------
    rows : {array-like, sparse matrix} of shape (n_rows, n_features)
        Rows.

    dtype : dtype or None, default=None
        The precision in which squares are added up; that of the rows if None.

    Returns
    -------
    norms : ndarray of shape (n_rows,)
        Squared lengths.
    """
    if issparse(rows):
        rows = rows if dtype is None else rows.astype(dtype, copy=False)
        return np.asarray(rows.multiply(rows).sum(axis=1)).ravel()
    return np.einsum("ij,ij->i", rows, rows, dtype=dtype)
