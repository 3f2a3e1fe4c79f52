"""k-means: rows in the middle of clusters without a label."""

from numbers import Integral

import numpy as np

from skactive.acquisition._base import BaseStrategy, select_without_embedding
from skactive.acquisition._known_rows import known_then_candidates
from skactive.acquisition.diversity._clustering import (
    cluster_rows,
    nearest_in_free_clusters,
)
from skactive.acquisition.diversity._k_center import k_center
from skactive.utils._sklearn import Interval


class KMeansSampling(BaseStrategy):
    """Query the rows in the middle of clusters without a labelled row.

    Labelled rows and candidates are clustered together, into one cluster for each
    labelled or queried row and each row to query. In each cluster without a labelled or
    queried row, the candidate nearest to the centre is queried, largest cluster first.
    If these clusters are too few, the candidates farthest from all labelled, queried
    and chosen rows follow.

    It needs no model, only an embedding of the rows, and is the `initial_strategy` of
    :class:`~skactive.ActiveLearningClassifier`. Memory: O(n_samples (1 +
    n_components)); mini-batches are used for large pools.

    :Uses: features
    :Cost of a round: k-means
    :Batch: yes
    :Guide: :doc:`/user_guide/representative`

    Parameters
    ----------
    max_clusters : int, default=500
        Largest number of clusters.

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
        rows, n_known = known_then_candidates(pool)
        features = pool.embedding(rows)
        n_clusters = min(n_known + n_queries, self.max_clusters, len(rows))
        labels, distances = cluster_rows(features, n_clusters, pool.random_state)
        keys = pool.tie_keys(rows)
        chosen = nearest_in_free_clusters(labels, distances, n_known, n_queries, keys)
        chosen = _fill_with_farthest(features, chosen, n_known, n_queries, keys)
        return rows[chosen]


def _fill_with_farthest(features, chosen, n_known, n_queries, keys):
    """Add the rows farthest from all known and chosen rows, one after the other."""
    if len(chosen) == n_queries:
        return chosen
    centers = np.concatenate([np.arange(n_known), chosen])
    left = np.delete(np.arange(len(keys)), centers)
    order = np.concatenate([centers, left[np.argsort(keys[left])]])
    farthest = k_center(
        features[order], n_queries - len(chosen), labeled=np.arange(len(centers))
    )
    return np.concatenate([chosen, order[farthest]])
