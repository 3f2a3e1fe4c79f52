"""k-centre, the core-set approach: rows that leave no other row far from a label."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skactive.acquisition._base import select_without_embedding, tie_order
from skactive.acquisition._keeping import KeepingStrategy
from skactive.acquisition._known_rows import free_rows, known_rows
from skactive.acquisition.diversity._farthest import FarthestFirst
from skactive.utils._distances import squared_distances
from skactive.utils._rows import as_floats, block_rows, slices
from skactive.utils._threads import one_thread
from skactive.utils._ties import in_order

# Distances are kept for all rows without a label if at least this share of them are
# candidates; otherwise most of the work would be for rows that cannot be queried.
_KEPT_SHARE = 0.5


def k_center(features, n_queries, *, labeled=()):
    """Choose rows one after the other, each the farthest from all chosen and labelled.

    The greedy algorithm for the k-centre problem: the largest Euclidean distance of a
    row to its nearest centre is at most twice that of the best choice of the same
    number of centres. Without a labelled row, the first choice is the row nearest to
    the mean.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_features)
        All rows, including the labelled ones.

    n_queries : int
        Number of rows to choose.

    labeled : array-like of int, default=()
        Positions of the rows that are centres already.

    Returns
    -------
    positions : ndarray of shape (n_queries,), dtype int
        Positions of the chosen rows, in the order of choice. Of equally far rows, the
        first one is chosen.

    Raises
    ------
    ValueError
        If fewer than `n_queries` rows are not labelled.

    Notes
    -----
    Memory: O(n_samples n_features) in single precision for dense features, and a copy
    of sparse ones. Time: at most one pass over the features for each chosen row; where
    the distances allow it, many rows are chosen in one pass. The choice is the same as
    with distances in double precision.

    References
    ----------
    .. [1] O. Sener, S. Savarese. "Active learning for convolutional neural networks: a
       core-set approach". ICLR 2018.
    .. [2] T. F. Gonzalez. "Clustering to minimize the maximum intercluster distance".
       Theoretical Computer Science 38, 1985.

    Examples
    --------
    >>> from skactive.acquisition.functional import k_center
    >>> k_center([[0.0], [1.0], [10.0], [4.0]], 2, labeled=[0])
    array([2, 3])
    """
    features = as_floats(features.tocsr() if issparse(features) else features)
    is_free = free_rows(features.shape[0], n_queries, labeled)
    free = np.flatnonzero(is_free)

    def take(positions):
        return features[free[positions]]

    with one_thread():
        cover = FarthestFirst(take, len(free))
        cover.add(features[~is_free])
        allowed = np.ones(len(free), dtype=bool)
        return free[_choose(cover, n_queries, allowed, take)]


class KCenterSampling(KeepingStrategy):
    """Query the row that is farthest from all labelled, queried and chosen rows.

    The core-set approach [1]_ by the greedy algorithm for the k-centre problem: no row
    should be far from a label. Distances are Euclidean, in the embedding of the rows.
    Rows that were queried without an answer count as covered. As long as no row is
    labelled or queried, the row nearest to the mean of the candidates comes first.

    Scale the features, as large ones dominate the distances. The farthest rows are
    often outliers; see :class:`TypiClustSampling` for the opposite.

    Memory: O(n_samples n_components), a copy of the embedding in single precision.
    While the embedding is the same in all rounds, this copy and the distances are kept,
    so that a round of b queries takes at most b passes over the rows. An embedding that
    changes, such as ``embed`` of the estimator, takes one more pass for each label.

    :Uses: features
    :Cost of a round: :math:`b n d`
    :Batch: yes
    :Guide: :doc:`/user_guide/representative`

    See Also
    --------
    skactive.acquisition.functional.k_center : The same for an array.

    References
    ----------
    .. [1] O. Sener, S. Savarese. "Active learning for convolutional neural networks: a
       core-set approach". ICLR 2018.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> X, y = make_blobs(centers=5, random_state=0, cluster_std=0.1)
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), oracle=lambda X, sample_ids: y[sample_ids],
    ...     strategy="k_center", batch_size=4, budget=8, random_state=0,
    ... )
    >>> clf.fit(X, np.full(100, -1), sample_ids=np.arange(100)).classes_
    array([0, 1, 2, 3, 4])
    """

    @property
    def needs(self):
        return frozenset({"embedding"})

    def select(self, pool, n_queries):
        if not pool.has_embedding:
            return select_without_embedding(pool, n_queries)
        with one_thread():
            if not pool.embedding_is_fixed:
                return _choose_once(pool, n_queries)
            return self._choose_with_memory(pool, n_queries)

    def _choose_with_memory(self, pool, n_queries):
        """Choose rows with the distances that were kept from earlier rounds."""
        is_known = pool.labeled | pool.asked
        kept = getattr(self, "kept_", None)
        if kept is None or not kept.is_of(pool, is_known):
            rows = np.flatnonzero(~is_known)
            if len(pool.candidates) < _KEPT_SHARE * len(rows):
                return _choose_once(pool, n_queries)
            rows = rows[in_order(pool.tie_keys(rows))]
            kept = self.kept_ = _Kept.build(pool, rows)
        return kept.choose(pool, is_known, n_queries)


@dataclass
class _Kept:
    """Distances that are kept from round to round."""

    X: Any
    rows: np.ndarray  # row numbers of X; of equally far rows, the first is chosen
    where: np.ndarray  # position of each row of X among them; -1 if it is not
    cover: FarthestFirst
    centers: np.ndarray  # mask of the rows of X that are centres of `cover`
    trial: FarthestFirst | None = None  # `cover` with the rows chosen last as centres
    picks: np.ndarray | None = None

    @classmethod
    def build(cls, pool, rows):
        cover = FarthestFirst(lambda where: pool.embedding(rows[where]), len(rows))
        where = np.full(len(pool.labeled), -1)
        where[rows] = np.arange(len(rows))
        return cls(pool.X, rows, where, cover, np.zeros(len(where), dtype=bool))

    def is_of(self, pool, is_known):
        """Tell whether a pool is a later one of the same run."""
        return (
            self.X is pool.X
            and not (self.centers & ~is_known).any()
            and (self.where[pool.candidates] >= 0).all()
        )

    def choose(self, pool, is_known, n_queries):
        def take(positions):
            return pool.embedding(self.rows[positions])

        # The last choice becomes part of the cover only if all its rows were queried:
        # a combination of strategies may have passed over some of them.
        if self.trial is not None and is_known[self.picks].all():
            self.cover, self.centers[self.picks] = self.trial, True
        self.cover.read_from(take)
        new = np.flatnonzero(is_known & ~self.centers)
        if len(new):
            self.cover.add(pool.embedding(new))
            self.centers[new] = True
        self.trial = self.cover.copy()
        allowed = np.zeros(len(self.rows), dtype=bool)
        allowed[self.where[pool.candidates]] = True
        self.picks = self.rows[_choose(self.trial, n_queries, allowed, take)]
        self.cover.read_from(None)  # so that the pool of this round can be freed
        return self.picks


def _choose_once(pool, n_queries):
    """Choose rows without anything kept from or for another round."""
    known = known_rows(pool)
    rows = np.concatenate([known, pool.candidates[tie_order(pool)]])
    features = pool.embedding(rows)
    return rows[k_center(features, n_queries, labeled=np.arange(len(known)))]


def _choose(cover, n_queries, allowed, take):
    """Choose the farthest rows; the most central one first if there is no centre."""
    picks = []
    if cover.n_centers == 0:
        picks.append(_most_central(take, np.flatnonzero(allowed)))
        cover.add(take(np.array(picks)))
        allowed[picks] = False
    return np.array(picks + cover.choose(n_queries - len(picks), allowed))


def _most_central(take, positions):
    """Return the position of the row nearest to the mean of some rows."""
    size = block_rows(take(positions[:1]))
    blocks = [positions[block] for block in slices(len(positions), size)]
    total = sum(np.asarray(take(b).sum(axis=0), dtype=np.float64) for b in blocks)
    mean = total.ravel() / len(positions)
    distances = [squared_distances(take(block), mean) for block in blocks]
    return int(positions[np.argmin(np.concatenate(distances))])
