"""Cluster uncertain: uncertain rows that differ, by a weighted k-means."""

import numpy as np
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils.extmath import row_norms

from skactive.acquisition.diversity._clustering import fit_k_means, new_k_means
from skactive.acquisition.hybrid._prefiltered import PrefilteredSampling
from skactive.utils._distances import squared_distances
from skactive.utils._rows import as_floats, slices
from skactive.utils._threads import one_thread
from skactive.utils._ties import drop_rounding

# Numbers in one block of distances, 8 MiB.
_BLOCK_NUMBERS = 2**20


def weighted_k_means_rows(
    features, weights, n_queries, random_state=None, *, keys=None
):
    """Return different rows, one near each centre of a weighted k-means.

    The rows are clustered into `n_queries` clusters, by their weights. Then each
    centre, that of the largest total weight first, takes the nearest row that is not
    taken yet. If there are fewer different rows than `n_queries`, rows of the largest
    weights follow.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows.

    weights : array-like of shape (n_samples,)
        Weights, at least 0; if all are 0, all rows count equally.

    n_queries : int
        Number of rows; all are returned if there are no more.

    random_state : int, RandomState instance or None, default=None
        Seed of the initial centres.

    keys : array-like of shape (n_samples,) or None, default=None
        Different numbers. Of rows that are equally near or have the same weight, the
        one with the lowest key comes first. If None, the first row does.

    Returns
    -------
    positions : ndarray of shape (min(n_queries, n_samples),), dtype int
        Different positions in `features`.

    Raises
    ------
    ValueError
        If the weights are not one finite number >= 0 for each row.

    References
    ----------
    .. [1] F. Zhdanov. "Diverse mini-batch active learning". arXiv:1901.05954, 2019.

    Examples
    --------
    >>> from skactive.acquisition.functional import weighted_k_means_rows
    >>> X = [[0.0], [1.0], [9.0], [10.0]]
    >>> weighted_k_means_rows(X, [1.0, 5.0, 3.0, 1.0], 2, random_state=0)
    array([1, 2])
    """
    features = as_floats(features)
    weights = np.asarray(weights, dtype=np.float64)
    n_samples = features.shape[0]
    valid = weights.shape == (n_samples,) and np.isfinite(weights).all()
    if not (valid and (weights >= 0).all()):
        raise ValueError(
            f"weights must hold a finite number >= 0 for each of the {n_samples} rows, "
            f"got an array of shape {weights.shape} with values such as {weights[:3]}."
        )
    keys = np.arange(n_samples) if keys is None else np.asarray(keys)
    heaviest = np.lexsort((keys, -drop_rounding(weights)))
    if n_queries >= n_samples:
        return heaviest
    top = weights.max()
    weights = weights / top if top > 0 else np.ones(n_samples)
    k_means = new_k_means(n_samples, n_queries, random_state)
    labels, centers = fit_k_means(k_means, features, weights)
    mass = np.bincount(labels, weights=weights, minlength=n_queries)
    order = np.argsort(-mass, kind="stable")
    order = order[np.isin(order, labels)]
    with one_thread():
        nearest = _nearest_rows(features, centers[order], keys)
    others = heaviest[~np.isin(heaviest, nearest)]
    return np.concatenate([nearest, others])[:n_queries]


class ClusterUncertainSampling(PrefilteredSampling):
    """Query different rows among the most uncertain ones, by a weighted k-means.

    The ``prefilter * n_queries`` candidates of highest utility are clustered into one
    cluster for each row to query, weighted by their utilities; the row nearest to each
    centre is queried [1]_. So a batch has few near duplicates, unlike the most
    uncertain rows.

    Time: k-means on ``prefilter * n_queries`` rows, by mini-batches if there are many
    rows and clusters. Memory: a copy of the embedding of these rows, and one utility
    for each candidate.

    :Uses: ``predict_proba``, features
    :Cost of a round: k-means on :math:`10 b` rows
    :Batch: yes
    :Guide: :doc:`/user_guide/hybrid`

    Parameters
    ----------
    base : str, strategy object or callable, default="margin"
        Gives the utility of each row, see :func:`~skactive.acquisition.get_strategy`.
        Its utilities are weights and must not be negative: margin needs a classifier
        with `predict_proba`, and functions are rejected, as nothing is known about
        their values.

    prefilter : float, default=10
        Number of rows to cluster, as a multiple of the rows to query; at least 1. The
        paper uses 10 to 50. Batches of a larger value are more diverse and less
        uncertain.

    References
    ----------
    .. [1] F. Zhdanov. "Diverse mini-batch active learning". arXiv:1901.05954, 2019.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import ClusterUncertainSampling
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=ClusterUncertainSampling(prefilter=50)
    ... )
    """

    def __init__(self, base="margin", prefilter=10):
        self.base = base
        self.prefilter = prefilter

    def select(self, pool, n_queries):
        kept, scores = self._keep(pool, n_queries)
        rows = pool.candidates[kept]
        # Rounding may leave a utility a little below 0.
        weights = np.maximum(scores, 0.0)
        chosen = weighted_k_means_rows(
            pool.embedding(rows),
            weights,
            n_queries,
            pool.random_state,
            keys=pool.tie_keys(rows),
        )
        return rows[chosen]


def _nearest_rows(features, centers, keys):
    """Return the nearest row that is left for each centre in turn.

    Of equally near rows, the one with the lowest key is taken.
    """
    features, centers = features.astype(np.float64), centers.astype(np.float64)
    # The rounding errors of the products behind the distances are below this; where
    # they leave open which row is nearest, exact distances decide.
    error = 4 * (features.shape[1] + 10) * np.finfo(np.float64).eps
    slack = error * (
        row_norms(features, squared=True).max() + row_norms(centers, squared=True)
    )
    chosen, taken = [], np.zeros(features.shape[0], dtype=bool)
    for block in slices(len(centers), _BLOCK_NUMBERS // len(taken)):
        distances = euclidean_distances(centers[block], features, squared=True)
        limits = distances.min(axis=1) + slack[block]
        is_sure = (distances <= limits[:, np.newaxis]).sum(axis=1) == 1
        for i, row in enumerate(distances.argmin(axis=1)):
            if taken[row] or not is_sure[i]:
                row = _nearest_row(
                    features,
                    centers[block.start + i],
                    distances[i],
                    slack[block.start + i],
                    taken,
                    keys,
                )
            chosen.append(row)
            taken[row] = True
    return np.array(chosen, dtype=np.intp)


def _nearest_row(features, center, distances, slack, taken, keys):
    """Return the row that is left nearest to a centre, by exact distances."""
    distances = np.where(taken, np.inf, distances)
    near = np.flatnonzero(distances <= distances.min() + slack)
    exact = squared_distances(features[near], center)
    near = near[exact == exact.min()]
    return near[keys[near].argmin()]
