"""Rows of small margin out of many clusters, by linkage."""

import math
import weakref
from numbers import Real

import numpy as np
from scipy.cluster.hierarchy import fcluster
from scipy.sparse import csr_matrix
from sklearn.utils import check_random_state

from skactive.acquisition.diversity._clustering import nearest_center
from skactive.acquisition.diversity._linkage import link_in_order
from skactive.acquisition.hybrid._prefiltered import PrefilteredSampling
from skactive.utils._sklearn import Interval
from skactive.utils._threads import one_thread
from skactive.utils._ties import in_order

# So many rows are linked: their distances take 100 MB. The others are assigned.
_MAX_LINKED = 5_000


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

    >>> from skactive.acquisition.functional import round_robin_rows
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


class ClusterMarginSampling(PrefilteredSampling):
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
        **PrefilteredSampling._parameter_constraints,
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
