"""TypiClust: the most typical rows of clusters without labels."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.neighbors import NearestNeighbors

from skactive.acquisition._base import BaseStrategy, select_without_embedding
from skactive.acquisition._known_rows import free_rows, known_then_candidates
from skactive.acquisition.diversity._clustering import fit_k_means
from skactive.utils._distances import squared_norms
from skactive.utils._rows import as_floats, slices
from skactive.utils._sklearn import Interval
from skactive.utils._threads import one_thread

# With more clusters than this, k-means uses mini-batches of this size.
_MAX_FULL_CLUSTERS = 50
_BATCH_SIZE = 5000
# Products in one block.
_BLOCK_SIZE = 2**22
# Rows of a block whose typicality is computed in double precision.
_N_EXACT = 64
# Squared distances below this share of the squared norms are rounding, and set to 0.
_ZERO = 1e-13
# Relative difference below which mean distances tie.
_TIE = 1e-9


def typicality(features, n_neighbors):
    """Return the typicality of rows: 1 / mean distance to their nearest neighbours.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows.

    n_neighbors : int
        Number of neighbours of each row, less than `n_samples`.

    Returns
    -------
    typicality : ndarray of shape (n_samples,)
        At least 0; infinite for a row with `n_neighbors` duplicates.

    Raises
    ------
    ValueError
        If there are too few rows.

    References
    ----------
    .. [1] G. Hacohen, A. Dekel, D. Weinshall. "Active learning on a budget: opposite
       strategies suit high and low budgets". ICML 2022.

    Examples
    --------
    >>> from skactive.acquisition.functional import typicality
    >>> typicality([[0.0], [1.0], [3.0]], n_neighbors=2).round(4)
    array([0.5   , 0.6667, 0.4   ])
    """
    neighbors = NearestNeighbors(n_neighbors=n_neighbors).fit(features)
    distances, _ = neighbors.kneighbors()
    with np.errstate(divide="ignore"):
        return 1.0 / distances.mean(axis=1)


def typiclust(
    features,
    n_queries,
    *,
    labeled=(),
    max_clusters=500,
    n_neighbors=20,
    min_cluster_size=6,
    random_state=None,
    keys=None,
):
    """Choose the most typical rows of the clusters with the fewest labels.

    All rows are clustered by k-means, into one cluster for each labelled row and each
    row to choose. Clusters with the fewest labelled rows come first, and the largest
    first among these. Each in turn gives its most typical row that is neither labelled
    nor chosen.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_features)
        All rows, including the labelled ones.

    n_queries : int
        Number of rows to choose.

    labeled : array-like of int, default=()
        Positions of the labelled rows.

    max_clusters : int, default=500
        Largest number of clusters.

    n_neighbors : int, default=20
        Number of neighbours that define typicality; at most half of the free rows of a
        cluster.

    min_cluster_size : int, default=6
        Smaller clusters are used only once all others are used up.

    random_state : int, RandomState instance or None, default=None
        Seed of k-means.

    keys : array-like of shape (n_samples,) or None, default=None
        Different numbers. Of equally typical rows, the one with the lowest key is
        chosen. If None, the first row is.

    Returns
    -------
    positions : ndarray of shape (n_queries,), dtype int
        Positions of the chosen rows, in the order of choice.

    Raises
    ------
    ValueError
        If fewer than `n_queries` rows are not labelled.

    Notes
    -----
    With more than 50 clusters k-means uses mini-batches of 5000 rows. Neighbours are
    searched among the free rows of one cluster, in blocks: a cluster of m rows takes
    O(m^2 n_features) time, but not m^2 memory. Rows whose neighbours are too far for
    them to be the most typical are found in single precision and skipped.

    The paper does not say what happens if all clusters are small or used up. Here,
    small clusters follow once the larger ones are used up.

    References
    ----------
    .. [1] G. Hacohen, A. Dekel, D. Weinshall. "Active learning on a budget: opposite
       strategies suit high and low budgets". ICML 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.acquisition.functional import typiclust
    >>> cross = np.array([[2, 0], [-2, 0], [0, 0], [0, 2], [0, -2], [4, 4]])
    >>> X = np.concatenate([cross, cross + 100])
    >>> np.sort(typiclust(X, 2, random_state=0))
    array([2, 8])
    """
    features = as_floats(features.tocsr() if issparse(features) else features)
    is_free = free_rows(features.shape[0], n_queries, labeled)
    n_labeled = np.count_nonzero(~is_free)
    n_clusters = min(n_labeled + n_queries, max_clusters)
    with one_thread():
        labels = _cluster(features, n_clusters, random_state)
        turns = _turns(labels, is_free, n_queries, min_cluster_size)
        members = _members(labels, is_free)
        if keys is not None:
            keys = np.asarray(keys)
            for cluster in set(turns):
                free = members[cluster]
                members[cluster] = free[np.argsort(keys[free])]
        chosen = []
        for cluster in turns:
            free = members[cluster]
            # In a small cluster, all rows as neighbours would favour its centre.
            best = _most_typical(features[free], min(n_neighbors, len(free) // 2))
            chosen.append(free[best])
            members[cluster] = np.delete(free, best)
    return np.array(chosen, dtype=np.intp)


class TypiClustSampling(BaseStrategy):
    """Query the most typical row of each cluster without labels.

    For the very first labels [1]_, when the uncertainty of a model means little.
    Labelled rows and candidates are clustered by k-means, into one cluster for each
    labelled row and each row to query. Clusters with the fewest labels come first, and
    the largest first among these. In each, the row is queried whose nearest neighbours
    are nearest. Rows that were queried without an answer count as labelled.

    Distances are Euclidean, in the embedding of the rows; the paper uses the features
    of a self-supervised network. It needs no model, so it can be the
    `initial_strategy`.

    Memory: O(n_samples n_components). Time: that of k-means, and O(m^2 n_components)
    for each cluster of m rows from which a row is queried. It is short with many
    clusters and longest with two: for the first labels of a large pool, batches or
    ``"k_means"`` are faster.

    :Uses: features
    :Cost of a round: k-means
    :Batch: yes
    :Guide: :doc:`/user_guide/representative`

    Parameters
    ----------
    max_clusters : int, default=500
        Largest number of clusters.

    n_neighbors : int, default=20
        Number of neighbours that define typicality; at most half of the rows of a
        cluster.

    min_cluster_size : int, default=6
        Smaller clusters are used only once all others are used up. With only a few rows
        for each label to buy, nearly all clusters are small; 1 treats all alike.

    See Also
    --------
    skactive.acquisition.functional.typiclust : The same for an array.
    skactive.acquisition.functional.typicality :
        The value by which rows of one cluster are compared.

    References
    ----------
    .. [1] G. Hacohen, A. Dekel, D. Weinshall. "Active learning on a budget: opposite
       strategies suit high and low budgets". ICML 2022.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> X, y = make_blobs(centers=5, random_state=0, cluster_std=0.1)
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), oracle=lambda X, sample_ids: y[sample_ids],
    ...     initial_strategy="typiclust", batch_size=5, budget=5, random_state=0,
    ... )
    >>> clf.fit(X, np.full(100, -1), sample_ids=np.arange(100)).classes_
    array([0, 1, 2, 3, 4])
    """

    _parameter_constraints = {
        "max_clusters": [Interval(Integral, 1, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "min_cluster_size": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, max_clusters=500, n_neighbors=20, min_cluster_size=6):
        self.max_clusters = max_clusters
        self.n_neighbors = n_neighbors
        self.min_cluster_size = min_cluster_size

    @property
    def needs(self):
        return frozenset({"embedding"})

    def select(self, pool, n_queries):
        if not pool.has_embedding:
            return select_without_embedding(pool, n_queries)
        rows, n_known = known_then_candidates(pool)
        chosen = typiclust(
            pool.embedding(rows),
            n_queries,
            labeled=np.arange(n_known),
            max_clusters=self.max_clusters,
            n_neighbors=self.n_neighbors,
            min_cluster_size=self.min_cluster_size,
            random_state=pool.random_state,
            keys=pool.tie_keys(rows),
        )
        return rows[chosen]


def _cluster(features, n_clusters, random_state):
    """Return the cluster of each row."""
    params = {"n_init": 1, "random_state": random_state}
    if n_clusters <= _MAX_FULL_CLUSTERS:
        k_means = KMeans(n_clusters, **params)
    else:
        k_means = MiniBatchKMeans(n_clusters, batch_size=_BATCH_SIZE, **params)
    labels, _ = fit_k_means(k_means, features)
    return labels


def _members(labels, is_free):
    """Return the positions of the free rows of each cluster."""
    free = np.flatnonzero(is_free)
    free = free[np.argsort(labels[free], kind="stable")]
    ends = np.cumsum(np.bincount(labels[free], minlength=labels.max() + 1))
    return np.split(free, ends[:-1])


def _turns(labels, is_free, n_queries, min_cluster_size):
    """Return the cluster from which each row is chosen."""
    sizes = np.bincount(labels)
    n_free = np.bincount(labels[is_free], minlength=len(sizes))
    by_rank = np.lexsort([-sizes, sizes - n_free])
    by_rank = by_rank[sizes[by_rank] > 0]
    is_large = sizes[by_rank] >= min_cluster_size
    turns = []
    for order in (by_rank[is_large], by_rank[~is_large]):
        n_turns = min(n_queries - len(turns), n_free[order].sum())
        for turn in range(n_turns):
            while n_free[order[turn % len(order)]] == 0:
                turn += 1
            cluster = order[turn % len(order)]
            n_free[cluster] -= 1
            turns.append(cluster)
    return turns


def _most_typical(features, n_neighbors):
    """Return the position of the most typical row, the first of equal ones."""
    n_rows = features.shape[0]
    if n_neighbors == 0:
        return 0
    rows = _Rows(features)
    means = np.full(n_rows, np.inf)
    central = np.argsort(rows.norms, kind="stable")[:8]
    means[central] = rows.mean_distances(central, n_neighbors)
    for block in slices(n_rows, _BLOCK_SIZE // n_rows):
        if means.min() == 0:
            # A later row is at most as typical.
            stop = np.flatnonzero(means == 0)[0]
            if block.start >= stop:
                break
        for some in _hopeful(rows, block, n_neighbors, means):
            means[some] = rows.mean_distances(some, n_neighbors)
    return int(np.flatnonzero(means <= means.min() * (1 + _TIE))[0])


def _hopeful(rows, block, n_neighbors, means):
    """Yield the rows of a block that may be the most typical, a few at a time.

    `means` holds the mean distances computed so far, and infinity for other rows. Lower
    bounds come from the nearest neighbour first, then from all neighbours.
    """
    nearest, slack = rows.nearness(block)
    norms = rows.norms[block] - slack
    best = means.min() * (1 + _TIE)
    left = np.flatnonzero(norms - 2 * nearest.max(axis=1) <= best**2)
    if len(left) == 0:
        return
    top = np.partition(nearest[left], -n_neighbors, axis=1)[:, -n_neighbors:]
    squared = np.maximum(norms[left, np.newaxis] - 2 * top, 0)
    lower = np.sqrt(squared).mean(axis=1)
    order = np.argsort(lower, kind="stable")
    left, lower = left[order] + block.start, lower[order]
    for some in slices(len(left), _N_EXACT):
        best = means.min()
        hopeful = left[some][lower[some] <= best * (1 + _TIE)]
        if best == 0:
            hopeful = hopeful[hopeful < np.flatnonzero(means == 0)[0]]
        if len(hopeful):
            yield hopeful


class _Rows:
    """The rows of one cluster, shifted and scaled; dense rows in single precision, too.

    Sparse rows are not shifted, and are in double precision only.
    """

    def __init__(self, features):
        if issparse(features):
            self._exact = features.astype(np.float64)
            scale = np.abs(self._exact.data).max(initial=0.0)
        else:
            self._exact = np.asarray(features, dtype=np.float64)
            self._exact = self._exact - self._exact.mean(axis=0)
            scale = np.abs(self._exact).max(initial=0.0)
        if scale > 0:
            self._exact /= scale
        self.norms = squared_norms(self._exact)
        is_sparse = issparse(features)
        self._rough = self._exact if is_sparse else self._exact.astype(np.float32)

    def nearness(self, block):
        """Return x.y - |y|^2 / 2 of a block of rows and all others, and slack.

        The squared distance |x - y|^2 is |x|^2 minus twice that. The rounding error is
        below the slack of each row.
        """
        n_rows = len(self.norms)
        is_whole = block == slice(0, n_rows)
        rows = self._rough if is_whole else self._rough[block]
        nearness = _product(rows, self._rough)
        nearness -= (self.norms / 2).astype(nearness.dtype)
        positions = np.arange(block.start, block.stop)
        nearness[positions - block.start, positions] = -np.inf
        unit = np.finfo(nearness.dtype).eps / 2
        error = (self._exact.shape[1] / 2 + 10) * unit
        norms = np.sqrt(self.norms)
        return nearness, error * (norms[block] + norms.max()) ** 2

    def mean_distances(self, positions, n_neighbors):
        """Return the mean distances to the nearest neighbours, in double precision."""
        norms = self.norms[positions, np.newaxis] + self.norms
        squared = norms - 2 * _product(self._exact[positions], self._exact)
        squared[squared < _ZERO * norms] = 0.0
        squared[np.arange(len(positions)), positions] = np.inf
        nearest = np.partition(squared, n_neighbors - 1, axis=1)[:, :n_neighbors]
        return np.sqrt(nearest).mean(axis=1)


def _product(first, second):
    product = first @ second.T
    return product.toarray() if issparse(product) else product
