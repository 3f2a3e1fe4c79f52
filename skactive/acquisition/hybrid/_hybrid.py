"""Hybrids: rows that are uncertain each, and different from each other."""

import math
import weakref
from numbers import Real

import numpy as np
from scipy.cluster.hierarchy import fcluster
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.utils import check_random_state
from sklearn.utils.extmath import row_norms

from skactive.acquisition._base import top_candidates
from skactive.acquisition._combination import OnUtility
from skactive.acquisition.diversity._k_means import fit_k_means, nearest_center
from skactive.acquisition.diversity._linkage import link_in_order
from skactive.utils._distances import squared_distances
from skactive.utils._rows import as_floats
from skactive.utils._sklearn import Interval
from skactive.utils._threads import one_thread
from skactive.utils._ties import drop_rounding, in_order

# Above this many distances per iteration of k-means, mini-batches are used.
_MAX_DISTANCES = 2_000_000
# So many rows are linked: their distances take 100 MB. The others are assigned.
_MAX_LINKED = 5_000
# Distances are computed in blocks of about so many numbers, 8 MiB.
_BLOCK_NUMBERS = 2**20


def weighted_k_means_rows(
    features, weights, n_queries, random_state=None, *, keys=None
):
    """Return different rows, one near each centre of a weighted k-means.

    The rows are clustered into `n_queries` clusters, where a row counts by its weight.
    Then each centre, that of the largest total weight first, takes the row nearest to
    it that is not taken yet. Where fewer rows are different than are wanted, those of
    the largest weights follow.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows.

    weights : array-like of shape (n_samples,)
        Weights, at least 0; if all are 0, the rows count alike.

    n_queries : int
        How many rows; if there are no more than that, all are returned.

    random_state : int, RandomState instance or None, default=None
        Governs the initial centres.

    keys : array-like of shape (n_samples,) or None, default=None
        Different numbers: of rows that are equally near, or weigh the same, the one of
        the lowest comes first. None: the first one.

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
    >>> from skactive.acquisition import weighted_k_means_rows
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
    large = n_samples * n_queries > _MAX_DISTANCES
    k_means = (MiniBatchKMeans if large else KMeans)(
        n_queries, n_init=1, random_state=random_state
    )
    labels, centers = fit_k_means(k_means, features, weights)
    mass = np.bincount(labels, weights=weights, minlength=n_queries)
    order = np.argsort(-mass, kind="stable")
    order = order[np.isin(order, labels)]
    with one_thread():
        nearest = _nearest_rows(features, centers[order], keys)
    others = heaviest[~np.isin(heaviest, nearest)]
    return np.concatenate([nearest, others])[:n_queries]


def _nearest_rows(features, centers, keys):
    """Return for one centre after the other the nearest row that is left.

    Of equally near rows, the one of the lowest key is taken.
    """
    features, centers = features.astype(np.float64), centers.astype(np.float64)
    # The products behind the distances are wrong by less than this.
    error = 4 * (features.shape[1] + 10) * np.finfo(np.float64).eps
    slack = error * (
        row_norms(features, squared=True).max() + row_norms(centers, squared=True)
    )
    chosen, taken = [], np.zeros(features.shape[0], dtype=bool)
    size = max(1, _BLOCK_NUMBERS // len(taken))
    for start in range(0, len(centers), size):
        block = slice(start, start + size)
        distances = euclidean_distances(centers[block], features, squared=True)
        limits = distances.min(axis=1) + slack[block]
        is_sure = (distances <= limits[:, np.newaxis]).sum(axis=1) == 1
        for i, row in enumerate(distances.argmin(axis=1)):
            if taken[row] or not is_sure[i]:
                row = _nearest_row(
                    features,
                    centers[start + i],
                    distances[i],
                    slack[start + i],
                    taken,
                    keys,
                )
            chosen.append(row)
            taken[row] = True
    return np.array(chosen, dtype=np.intp)


def _nearest_row(features, center, distances, slack, taken, keys):
    """Return the row nearest to a centre that is left, by exact distances."""
    distances = np.where(taken, np.inf, distances)
    near = np.flatnonzero(distances <= distances.min() + slack)
    exact = squared_distances(features[near], center)
    near = near[exact == exact.min()]
    return near[keys[near].argmin()]


def round_robin_rows(labels, n_queries, random_state=None):
    """Return rows from one cluster after the other, the smallest cluster first.

    In each turn every cluster that has a row left gives one, drawn at random, until
    there are enough. Clusters of equal size come in random order.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        The cluster of each row.

    n_queries : int
        How many rows; if there are no more than that, all are returned.

    random_state : int, RandomState instance or None, default=None
        Governs the draws.

    Returns
    -------
    positions : ndarray of shape (min(n_queries, n_samples),), dtype int
        Different positions in `labels`, in the order in which they were drawn.

    References
    ----------
    .. [1] G. Citovsky, G. DeSalvo, C. Gentile, L. Karydas, A. Rajagopalan,
       A. Rostamizadeh, S. Kumar. "Batch active learning at scale". NeurIPS 2021.

    Examples
    --------
    The clusters 5 and 7 give their only rows first; then it is the turn of 9:

    >>> from skactive.acquisition import round_robin_rows
    >>> rows = round_robin_rows([9, 9, 9, 7, 5], 4, random_state=0)
    >>> sorted(rows[:2].tolist()), sorted(rows[2:].tolist())
    ([3, 4], [0, 2])
    """
    rng = check_random_state(random_state)
    _, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    shuffled = rng.permutation(len(labels))
    # Within each cluster, the shuffled rows are its draws of turn 0, 1, ...
    by_cluster = shuffled[np.argsort(labels[shuffled], kind="stable")]
    first = np.cumsum(sizes) - sizes
    turn = np.arange(len(labels)) - np.repeat(first, sizes)
    cluster = labels[by_cluster]
    tie_break = rng.permutation(len(sizes))
    order = np.lexsort((tie_break[cluster], sizes[cluster], turn))
    return by_cluster[order[:n_queries]]


class _PrefilteredSampling(OnUtility):
    """Choose, among the rows that another strategy finds most useful, a batch."""

    _parameter_constraints = {
        **OnUtility._parameter_constraints,
        "prefilter": [Interval(Real, 1, None, closed="left")],
    }

    def _keep(self, pool, n_queries):
        """Return the positions of the most useful candidates, and their utilities."""
        scores = self._base_utilities(pool)
        n_kept = min(math.ceil(self.prefilter * n_queries), len(scores))
        # In the order of X: rounding of the utilities does not change the clusters.
        kept = np.sort(top_candidates(scores, n_kept, pool))
        return kept, scores[kept]


class ClusterUncertainSampling(_PrefilteredSampling):
    """Ask different rows among the most uncertain ones, by a weighted k-means.

    The ``prefilter * n_queries`` candidates of highest utility are clustered into as
    many clusters as there are rows to ask, where a row counts by its utility; for each
    centre the nearest row is asked [1]_. So a batch holds few near duplicates, which a
    mere list of the most uncertain rows is full of.

    Time: k-means on ``prefilter * n_queries`` rows, by mini-batches where they and the
    clusters are many. Memory: a copy of the embedding of these rows, and one utility
    for each candidate.

    Parameters
    ----------
    base : str, strategy object or callable, default="margin"
        Says how useful single rows are, see
        :func:`~skactive.acquisition.get_strategy`. Its utilities are weights, so they
        must not be negative: a classifier without `predict_proba` will not do for
        margin, and a function not at all, as nothing is known about it.

    prefilter : float, default=10
        So many times the rows to ask are clustered, at least 1; the paper uses 10 to
        50. More of them means more diverse and less uncertain rows.

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
        # Rounding may leave a utility of 0 a little below it.
        weights = np.maximum(scores, 0.0)
        chosen = weighted_k_means_rows(
            pool.embedding(rows),
            weights,
            n_queries,
            pool.random_state,
            keys=pool.tie_keys(rows),
        )
        return rows[chosen]


class ClusterMarginSampling(_PrefilteredSampling):
    """Ask the rows of smallest margin, in turn from different clusters.

    All rows are clustered once, by average linkage. In each round the ``prefilter *
    n_queries`` candidates of smallest margin are taken; their clusters, in the order of
    how many of these rows they hold, the smallest first, give one row each at random,
    turn after turn, until there are enough [1]_. Rows of small clusters are asked at
    once, and large clusters cannot fill the batch.

    The clusters are those of the embedding that the first model gives, as in the paper,
    also where it moves with the model: linkage is what costs, and later rounds are as
    cheap as margin sampling. Time: :math:`O(m^2 d)` once, for the ``m`` rows that are
    linked, at most 5,000 drawn at random (about 2 s); the other rows join the cluster
    whose mean is nearest. Memory: :math:`8 m^2` bytes (200 MB) once, then one number
    for each row.

    Parameters
    ----------
    base : str, strategy object or callable, default="margin"
        Says how useful single rows are, see
        :func:`~skactive.acquisition.get_strategy`.

    prefilter : float, default=1.25
        So many times the rows to ask are taken from the top, at least 1; it should be
        far below the number of candidates to each row to ask.

    cluster_size : float, default=10
        The tree is cut where the clusters hold so many of the linked rows in the mean.
        Unused if `distance_threshold` is given.

    distance_threshold : float or None, default=None
        Clusters are merged up to this mean Euclidean distance of their rows: the
        threshold of the paper, whose right value depends on the embedding.

    Attributes
    ----------
    clusters_ : ndarray of shape (n_samples,), dtype int
        The cluster of each row of `X`.

    References
    ----------
    .. [1] G. Citovsky, G. DeSalvo, C. Gentile, L. Karydas, A. Rajagopalan,
       A. Rostamizadeh, S. Kumar. "Batch active learning at scale". NeurIPS 2021.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import ClusterMarginSampling
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=ClusterMarginSampling(), batch_size=100
    ... )
    """

    # Utilities are ranked only.
    _multiplies = False
    _parameter_constraints = {
        **_PrefilteredSampling._parameter_constraints,
        "cluster_size": [Interval(Real, 1, None, closed="left")],
        "distance_threshold": [Interval(Real, 0, None, closed="left"), None],
    }

    def __init__(
        self, base="margin", prefilter=1.25, *, cluster_size=10, distance_threshold=None
    ):
        self.base = base
        self.prefilter = prefilter
        self.cluster_size = cluster_size
        self.distance_threshold = distance_threshold

    def select(self, pool, n_queries):
        kept, _ = self._keep(pool, n_queries)
        rows = pool.candidates[kept]
        if self._clustered() is not pool.X:
            self._cluster(pool)
        labels = self.clusters_[rows]
        return rows[round_robin_rows(labels, n_queries, pool.random_state)]

    def _clustered(self):
        """Return the data that `clusters_` belong to, None if they are gone."""
        return getattr(self, "_X_ref", lambda: None)()

    def _cluster(self, pool):
        """Cluster all rows, and remember which they were."""
        n_samples = len(pool.labeled)
        rng = np.random.default_rng(pool.random_state)
        linked = np.arange(n_samples)
        if n_samples > _MAX_LINKED:
            linked = np.sort(rng.choice(n_samples, _MAX_LINKED, replace=False))
        order = in_order(pool.tie_keys(linked))
        with one_thread():
            features = pool.embedding(linked[order])
            labels = _link(features, order, self.cluster_size, self.distance_threshold)
            self.clusters_ = np.empty(n_samples, dtype=np.intp)
            self.clusters_[linked] = labels
            others = np.setdiff1d(np.arange(n_samples), linked, assume_unique=True)
            if len(others):
                means = _means(features, labels[order])
                self.clusters_[others] = nearest_center(pool, others, means)
        self._X_ref = _reference(pool.X)

    def __getstate__(self):
        # The clusters are for the rows of one run, not for what is loaded elsewhere.
        state = dict(super().__getstate__())
        state.pop("_X_ref", None)
        return state


def _reference(X):
    """Return a function that gives `X` as long as it lives."""
    try:
        return weakref.ref(X)
    except TypeError:  # a list
        return lambda: X


def _link(features, order, cluster_size, distance_threshold):
    """Return the clusters of average linkage, numbered from 0.

    The features are those of the rows `order`, a permutation.
    """
    n_samples = features.shape[0]
    if n_samples == 1:
        return np.zeros(1, dtype=np.intp)
    tree = link_in_order(features, order, "average")
    if distance_threshold is None:
        labels = fcluster(tree, math.ceil(n_samples / cluster_size), "maxclust")
    else:
        labels = fcluster(tree, distance_threshold, "distance")
    return labels - 1


def _means(features, labels):
    """Return the mean row of each cluster; they are sparse if the rows are."""
    n_samples, sizes = len(labels), np.bincount(labels)
    member = (1.0 / sizes[labels], (labels, np.arange(n_samples)))
    return csr_matrix(member, shape=(len(sizes), n_samples)) @ features
