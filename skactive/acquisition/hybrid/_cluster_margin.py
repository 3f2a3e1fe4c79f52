"""Cluster margin: rows of small margin from many clusters."""

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

# Largest number of rows that are linked; their distances take 100 MB. Other rows are
# assigned to the clusters of these.
_MAX_LINKED = 5_000


def round_robin_rows(labels, n_queries, random_state=None):
    """Return rows from one cluster after the other, the smallest first.

    In each turn, every cluster with rows left gives one, drawn at random, until there
    are enough. Clusters of equal size are in random order.

    Parameters
    ----------
    labels : array-like of shape (n_samples,)
        The cluster of each row.

    n_queries : int
        Number of rows; all are returned if there are no more.

    random_state : int, RandomState instance or None, default=None
        Draws the rows.

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
    The clusters 5 and 7 give their only rows first, then it is the turn of 9:

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
    """Query rows of small margin, in turn from different clusters.

    All rows are clustered once, by average linkage. In each round, the ``prefilter *
    n_queries`` candidates of smallest margin are taken. Their clusters, ordered by how
    many of these rows they hold, give one random row each, turn after turn, until there
    are enough [1]_. So small clusters come first, and large ones cannot fill the batch.

    The clusters are those of the embedding in the first round, as in the paper, even if
    the embedding changes with the model: linkage is expensive, and without it later
    rounds are as cheap as margin sampling. Time: :math:`O(m^2 d)` once, for the ``m``
    rows that are linked, at most 5,000 drawn at random (about 2 s); other rows join the
    cluster with the nearest mean. Memory: :math:`8 m^2` bytes (200 MB) once, then one
    number for each row.

    :Uses: ``predict_proba``, features
    :Cost of a round: average linkage, once
    :Batch: yes
    :Guide: :doc:`/user_guide/hybrid`

    Parameters
    ----------
    base : str, strategy object or callable, default="margin"
        Gives the utility of each row, see :func:`~skactive.acquisition.get_strategy`.

    prefilter : float, default=1.25
        Number of rows to take from the top, as a multiple of the rows to query; at
        least 1, and far below the number of candidates for each row to query.

    cluster_size : float, default=10
        Average number of linked rows in a cluster, which decides where the tree is cut.
        Not used if `distance_threshold` is given.

    distance_threshold : float or None, default=None
        Clusters are merged up to this mean Euclidean distance of their rows, the
        threshold of the paper. Its right value depends on the embedding.

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

    # Utilities are only ranked.
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
        """Return the data that `clusters_` belong to, or None if they are gone."""
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
        # A weak reference: a fitted classifier keeps its strategy, but not the data.
        self._X_ref = _reference(pool.X)

    def __getstate__(self):
        # A loaded copy must not take other rows for those of `clusters_`.
        state = dict(super().__getstate__())
        state.pop("_X_ref", None)
        return state


def _reference(X):
    """Return a function that returns `X` as long as it exists."""
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
    """Return the mean row of each cluster, sparse if the rows are."""
    n_samples, sizes = len(labels), np.bincount(labels)
    member = (1.0 / sizes[labels], (labels, np.arange(n_samples)))
    return csr_matrix(member, shape=(len(sizes), n_samples)) @ features
