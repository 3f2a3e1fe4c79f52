"""k-means as strategies use it, and the rows nearest to the centres."""

import warnings

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import pairwise_distances_argmin

from skactive.utils._distances import squared_distances
from skactive.utils._rows import block_rows, slices
from skactive.utils._threads import one_thread

# Above this number of distances per iteration of k-means, mini-batches are used.
_MAX_DISTANCES = 2_000_000
# Centres that are closer than this, relative to their spread, are at one place.
_SAME_PLACE = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-9}


def new_k_means(n_rows, n_clusters, random_state, *, n_init=1, max_distances=None):
    """Return an unfitted k-means, by mini-batches where the rows are many.

    Parameters
    ----------
    n_rows : int
        Number of rows.

    n_clusters : int
        Number of clusters.

    random_state : int, RandomState instance or None
        Seed of the centres.

    n_init : int, default=1
        Number of starts.

    max_distances : int or None, default=None
        Number of distances per iteration above which mini-batches are used; two
        million if None.

    Returns
    -------
    k_means : KMeans or MiniBatchKMeans
        Unfitted.
    """
    most = _MAX_DISTANCES if max_distances is None else max_distances
    kind = MiniBatchKMeans if n_rows * n_clusters > most else KMeans
    return kind(n_clusters, n_init=n_init, random_state=random_state)


def fit_k_means(k_means, features, sample_weight=None):
    """Return the cluster of each row, and the centres.

    If there are fewer different rows than clusters, several centres are at one place,
    except for rounding, which must not decide to which of them a row belongs. All rows
    there belong to the first of these centres; the clusters of the others stay empty.

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
        # k-means warns of fewer different rows than clusters.
        warnings.simplefilter("ignore", ConvergenceWarning)
        k_means.fit(features, sample_weight=sample_weight)
    centers = k_means.cluster_centers_
    return _first_of_same_place(centers)[k_means.labels_], centers


def _first_of_same_place(centers):
    """Return for each centre the first centre at the same place."""
    moved = centers - centers.mean(axis=0)
    size = _SAME_PLACE[centers.dtype] * np.abs(moved).max()
    if size == 0:
        return np.zeros(len(centers), dtype=np.intp)
    _, first, place = np.unique(
        np.rint(moved / size), axis=0, return_index=True, return_inverse=True
    )
    return first[place.ravel()]


def nearest_center(pool, rows, centers):
    """Return the position of the centre nearest to each row, block by block."""
    parts = [
        pairwise_distances_argmin(pool.embedding(rows[block]), centers)
        for block in slices(len(rows), block_rows(centers))
    ]
    return np.concatenate([np.empty(0, dtype=np.intp), *parts])


def cluster_rows(features, n_clusters, random_state):
    """Return the cluster of each row, and the squared distance to its centre."""
    k_means = new_k_means(features.shape[0], n_clusters, random_state)
    labels, centers = fit_k_means(k_means, features)
    distances = np.empty(len(labels))
    for block in slices(len(labels), block_rows(features)):
        distances[block] = squared_distances(features[block], centers[labels[block]])
    return labels, distances


def nearest_in_free_clusters(labels, distances, n_known, n_queries, keys):
    """Return the row nearest to the centre in each cluster without a known row.

    The first `n_known` rows are known. Of equally near rows, the one with the lowest
    key is returned.
    """
    sizes = np.bincount(labels)
    free = sizes > 0
    free[labels[:n_known]] = False
    clusters = np.argsort(-sizes * free, kind="stable")[: min(n_queries, free.sum())]
    lowest = np.full(len(sizes), np.inf)
    np.minimum.at(lowest, labels, distances)
    near = np.flatnonzero(distances == lowest[labels])
    near = near[np.argsort(keys[near])]
    found, first = np.unique(labels[near], return_index=True)
    nearest = np.full(len(sizes), -1)
    nearest[found] = near[first]
    return nearest[clusters]
