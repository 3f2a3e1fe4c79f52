"""Representative rows: what the pool looks like, rather than what the model says."""

from numbers import Integral

import numpy as np
from sklearn.cluster import KMeans, MiniBatchKMeans

from skactive.acquisition._base import BaseStrategy, select_without_embedding
from skactive.acquisition.diversity._core_set import k_center
from skactive.acquisition.diversity._k_means import fit_k_means
from skactive.utils._distances import squared_distances
from skactive.utils._rows import block_rows
from skactive.utils._sklearn import Interval

# Above this many distances per iteration of k-means, mini-batches are used.
_MAX_DISTANCES = 2_000_000


class KMeansSampling(BaseStrategy):
    """Ask the rows in the middle of clusters that hold no labelled row yet.

    Labelled rows and candidates are clustered together into as many clusters as there
    are labelled or asked rows and rows to ask. From each cluster without a labelled or
    asked row the candidate nearest to the centre is asked, largest cluster first. If
    there are fewer such clusters than rows to ask, the candidates farthest from
    everything labelled, asked and chosen follow.

    Needs no model, only an embedding of the rows, and is what
    :class:`~skactive.ActiveLearningClassifier` begins with when it knows too few
    labels. Memory: O(n_samples (1 + n_components)); mini-batches are used for large
    pools.

    Parameters
    ----------
    max_clusters : int, default=500
        Never make more clusters than this.

    References
    ----------
    .. [1] J. Kang, K. R. Ryu, H. C. Kwon. "Using cluster-based sampling to select
       initial training set for active learning in text classification". PAKDD 2004.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> X, y = make_blobs(centers=5, random_state=0, cluster_std=0.1)
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), oracle=lambda X, sample_ids: y[sample_ids],
    ...     strategy="k_means", batch_size=5, budget=5, random_state=0,
    ... )
    >>> clf.fit(X, np.full(100, -1), sample_ids=np.arange(100)).classes_
    array([0, 1, 2, 3, 4])
    """

    _parameter_constraints = {
        "max_clusters": [Interval(Integral, 1, None, closed="left")]
    }

    def __init__(self, max_clusters=500):
        self.max_clusters = max_clusters

    @property
    def needs(self):
        return frozenset({"embedding"})

    def select(self, pool, n_queries):
        if not pool.has_embedding:
            return select_without_embedding(pool, n_queries)
        known = np.flatnonzero(pool.labeled | pool.asked)
        rows = np.concatenate([known, pool.candidates])
        features = pool.embedding(rows)
        n_clusters = min(len(known) + n_queries, self.max_clusters, len(rows))
        labels, distances = _cluster(features, n_clusters, pool.random_state)
        keys = pool.tie_keys(rows)
        chosen = _nearest_in_free_clusters(
            labels, distances, len(known), n_queries, keys
        )
        chosen = _fill_with_farthest(features, chosen, len(known), n_queries, keys)
        return rows[chosen]


def _cluster(features, n_clusters, random_state):
    """Return the cluster of each row, and the squared distance to its centre."""
    large = features.shape[0] * n_clusters > _MAX_DISTANCES
    k_means = (MiniBatchKMeans if large else KMeans)(
        n_clusters, n_init=1, random_state=random_state
    )
    labels, centers = fit_k_means(k_means, features)
    distances, size = np.empty(len(labels)), block_rows(features)
    for start in range(0, len(labels), size):
        block = slice(start, start + size)
        distances[block] = squared_distances(features[block], centers[labels[block]])
    return labels, distances


def _nearest_in_free_clusters(labels, distances, n_known, n_queries, keys):
    """Return the row nearest the centre in clusters without any of the known rows.

    The first `n_known` rows are the known ones. Of equally near rows the one of the
    lowest key is returned.
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


def _fill_with_farthest(features, chosen, n_known, n_queries, keys):
    """Add the rows farthest from all known and chosen ones, one after the other."""
    if len(chosen) == n_queries:
        return chosen
    centers = np.concatenate([np.arange(n_known), chosen])
    left = np.delete(np.arange(len(keys)), centers)
    order = np.concatenate([centers, left[np.argsort(keys[left])]])
    farthest = k_center(
        features[order], n_queries - len(chosen), labeled=np.arange(len(centers))
    )
    return np.concatenate([chosen, order[farthest]])
