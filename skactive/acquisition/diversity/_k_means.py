"""k-means as strategies use it: quietly, on one thread, each place one cluster."""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin

from skactive.utils._rows import block_rows
from skactive.utils._threads import one_thread

# Centres that are closer than this, relatively, are one.
_SAME_PLACE = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-9}


def fit_k_means(k_means, features, sample_weight=None):
    """Return the cluster of each row, and the centres.

    If fewer rows are different than there are clusters, some centres are at the same
    place, or next to it by rounding, which must not say to whom a row belongs: all the
    rows there are those of the first of them, and the others stay empty.

    Parameters
    ----------
    k_means : KMeans or MiniBatchKMeans
        Unfitted.

    features : {ndarray, sparse matrix} of shape (n_samples, n_features)
        Rows.

    sample_weight : ndarray of shape (n_samples,) or None, default=None
        Weights of the rows.

    Returns
    -------
    labels : ndarray of shape (n_samples,), dtype int
        Positions in `centers`.

    centers : ndarray of shape (n_clusters, n_features)
        The centres.
    """
    with one_thread(), warnings.catch_warnings():
        # Fewer different rows than clusters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        k_means.fit(features, sample_weight=sample_weight)
    centers = k_means.cluster_centers_
    return _first_of_same_place(centers)[k_means.labels_], centers


def _first_of_same_place(centers):
    """Return for each centre the first one that is where it is."""
    moved = centers - centers.mean(axis=0)
    size = _SAME_PLACE[centers.dtype] * np.abs(moved).max()
    if size == 0:
        return np.zeros(len(centers), dtype=np.intp)
    _, first, place = np.unique(
        np.rint(moved / size), axis=0, return_index=True, return_inverse=True
    )
    return first[place.ravel()]


def nearest_center(pool, rows, centers):
    """Return the position of the center that is nearest to each row, in blocks."""
    size = block_rows(centers)
    parts = [
        pairwise_distances_argmin(pool.embedding(rows[start : start + size]), centers)
        for start in range(0, len(rows), size)
    ]
    return np.concatenate([np.empty(0, dtype=np.intp), *parts])
