"""ProbCover: rows whose balls cover the largest part of the pool."""

import warnings
import zlib
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.exceptions import ConvergenceWarning

from skactive.acquisition._base import BaseStrategy, tie_order
from skactive.acquisition._known_rows import known_rows
from skactive.acquisition.diversity._balls import Balls, CoverState
from skactive.acquisition.diversity._clustering import new_k_means
from skactive.acquisition.diversity._coverage import check_choice
from skactive.acquisition.diversity._unit_rows import UnitRows
from skactive.utils._sampling import draw_rows
from skactive.utils._sklearn import Interval, StrOptions
from skactive.utils._threads import one_thread

# Number of rows around which the purity of balls is measured.
_MAX_PURITY_ROWS = 2_000

# Above this number of distances per iteration of k-means, mini-batches are used.
_MAX_DISTANCES = 500_000


def prob_cover(
    features,
    n_queries,
    *,
    radius,
    labeled=(),
    candidates=None,
    max_targets=100_000,
    random_state=0,
):
    """Choose rows greedily so that their balls cover as many rows as possible.

    Rows are scaled to length one. Of the rows that no ball of a labelled row covers,
    each choice covers as many as possible; a ball holds the rows closer than `radius`
    to its centre. Once all rows are covered, the row farthest from all labelled and
    chosen ones is chosen. The number of covered rows is submodular, so the greedy
    choice reaches at least 1 - 1/e of the optimum.

    Time: at most one and a half passes over all pairs of rows, O(n_samples^2
    n_components). Memory: O(n_samples n_components), as edges of the graph are not
    stored: the rows that a choice covers are subtracted from the counts of the others.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        All rows; they need not have length one.

    n_queries : int
        Number of rows to choose.

    radius : float
        Radius of the balls, see :func:`choose_radius`; rows of length one are at most
        2 apart.

    labeled : array-like of int or bool, default=()
        Rows whose balls are already covered.

    candidates : array-like of int or bool or None, default=None
        Rows that may be chosen; all but the labelled if None. Of equally good ones, the
        first of these is chosen.

    max_targets : int or None, default=100_000
        Of more rows than this, a random sample of this size is to be covered.

    random_state : int, default=0
        Seed of the sample.

    Returns
    -------
    chosen : ndarray of shape (n_queries,), dtype int
        Row numbers, in the order in which they were chosen.

    Raises
    ------
    ValueError
        If there are fewer candidates than rows to choose.

    References
    ----------
    .. [1] O. Yehuda, A. Dekel, G. Hacohen, D. Weinshall. "Active learning through a
       covering lens". NeurIPS 2022.

    Examples
    --------
    The middle of three rows, then one of two, then the farthest row:

    >>> from skactive.acquisition.functional import prob_cover
    >>> X = [[1.0, 0.0], [0.9, 0.1], [0.8, 0.2], [0.0, 1.0], [0.1, 0.9]]
    >>> prob_cover(X, 3, radius=0.15)
    array([1, 3, 2])
    """
    with one_thread():
        rows = UnitRows(features, for_distances=True, smallest=radius)
        known, candidates = check_choice(len(rows), n_queries, labeled, candidates)
        targets = draw_rows(np.arange(len(rows)), max_targets, random_state)
        balls = Balls(rows, radius, CoverState.of_targets(targets, len(rows)))
        balls.cover(known)
        return balls.choose(candidates, n_queries)


def choose_radius(features, n_clusters, *, purity=0.95, random_state=0):
    """Choose the largest radius at which most balls hold a single pseudo-class.

    Rows are scaled to length one and clustered by k-means. A ball is pure if all rows
    that are closer to its centre than the radius belong to one cluster. The result is
    the largest radius at which the share of rows at the centre of a pure ball is at
    least `purity`. It is exact, as a ball is pure up to the distance of the nearest row
    of another cluster. If there are more than 2,000 rows, only the balls around a
    random sample of 2,000 are considered; they hold all rows.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        All rows; they need not have length one.

    n_clusters : int
        Number of pseudo-classes; best the number of classes.

    purity : float, default=0.95
        Share of pure balls, in (0, 1].

    random_state : int, default=0
        Seed of k-means and of the sample.

    Returns
    -------
    radius : float
        In (0, 2], or infinity if k-means finds only one cluster.

    References
    ----------
    .. [1] O. Yehuda, A. Dekel, G. Hacohen, D. Weinshall. "Active learning through a
       covering lens". NeurIPS 2022.

    Examples
    --------
    Two clusters; at most one ball in four may be impure:

    >>> from skactive.acquisition.functional import choose_radius
    >>> X = [[1.0, 0.0], [0.8, 0.6], [-0.8, 0.6], [-1.0, 0.0]]
    >>> choose_radius(X, 2, purity=0.75)
    1.6
    """
    with one_thread():
        rows = UnitRows(features, for_distances=True, smallest=0.0)
        clusters = _cluster(rows.values[:, :-2], n_clusters, random_state)
        centers = draw_rows(np.arange(len(rows)), _MAX_PURITY_ROWS, random_state)
        distances = _distances_to_other_clusters(rows, clusters, centers)
    # Rounding must not make 0.05 times 20 rows less than one.
    n_impure = int((1 - purity) * len(centers) + 1e-9)
    n_impure = min(n_impure, len(centers) - 1)
    return float(np.partition(distances, n_impure)[n_impure])


class ProbCoverSampling(BaseStrategy):
    """Query rows whose balls cover the largest part of the pool.

    A batch is chosen by :func:`~skactive.acquisition.functional.prob_cover`, where
    labelled rows and rows queried before cover their balls. It needs no model, only an
    embedding of the rows, and is meant for few labels.

    The radius is chosen by :func:`~skactive.acquisition.functional.choose_radius`, and
    kept as long as the embedding and the number of known classes do not change. So are
    the counts of uncovered rows: all rounds together take about one and a half passes
    over all pairs of rows. Memory: O(n_samples n_components).

    :Uses: features
    :Cost of a round: :math:`1.5 n^2 d` for all rounds together
    :Batch: yes
    :Guide: :doc:`/user_guide/coverage`

    Parameters
    ----------
    radius : {"auto"} or float, default="auto"
        Radius of the balls, for rows scaled to length one.

    n_clusters : int or None, default=None
        Number of pseudo-classes for the choice of the radius. If None, the number of
        known classes, at least two. Pass it if it is known beforehand.

    purity : float, default=0.95
        Share of balls that hold a single pseudo-class.

    max_targets : int or None, default=100_000
        Of more rows than this, a random sample of this size is to be covered. All
        candidates may be chosen. If None, all rows count.

    Attributes
    ----------
    radius_ : float
        The radius of the last round.

    References
    ----------
    .. [1] O. Yehuda, A. Dekel, G. Hacohen, D. Weinshall. "Active learning through a
       covering lens". NeurIPS 2022.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import ProbCoverSampling
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=ProbCoverSampling(n_clusters=10)
    ... )
    """

    _parameter_constraints = {
        "radius": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "n_clusters": [Interval(Integral, 2, None, closed="left"), None],
        "purity": [Interval(Real, 0, 1, closed="right")],
        "max_targets": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(
        self, radius="auto", *, n_clusters=None, purity=0.95, max_targets=100_000
    ):
        self.radius = radius
        self.n_clusters = n_clusters
        self.purity = purity
        self.max_targets = max_targets

    @property
    def needs(self):
        return frozenset({"embedding"})

    def select(self, pool, n_queries):
        features = pool.embedding(np.arange(len(pool.labeled)))
        known = known_rows(pool)
        with one_thread():
            self._set_radius(features, pool)
            rows = UnitRows(features, for_distances=True, smallest=self.radius_)
            balls = Balls(rows, self.radius_, self._last_state(known, pool))
            balls.cover(known)
            before = balls.state.copy()
            candidates = pool.candidates[tie_order(pool)]
            chosen = balls.choose(candidates, n_queries)
        # A combination of strategies may query other rows instead of these, so the
        # state before the choice is kept, too.
        self.states_ = [balls.state, before]
        return chosen

    def _set_radius(self, features, pool):
        """Choose the radius and drop the counts, if what they depend on has changed."""
        n_clusters = self.n_clusters or max(2, len(pool.classes))
        # The embedding is read again in each round. If its values are equal, it is the
        # same.
        given = (_fingerprint(features), n_clusters if self.radius == "auto" else None)
        if given == getattr(self, "given_", None):
            return
        self.given_, self.states_, self.radius_ = given, [], self.radius
        if self.radius == "auto":
            self.radius_ = choose_radius(
                features,
                n_clusters,
                purity=self.purity,
                random_state=pool.random_state,
            )

    def _last_state(self, known, pool):
        """Return the state of the last round, if all its centres are known now."""
        for state in self.states_:
            if np.isin(state.centers, known).all():
                return state
        rows = np.arange(len(pool.labeled))
        targets = draw_rows(rows, self.max_targets, pool.random_state)
        return CoverState.of_targets(targets, len(rows))


def _cluster(values, n_clusters, random_state):
    """Return the number of the cluster of each row."""
    n_clusters = min(n_clusters, values.shape[0])
    k_means = new_k_means(
        values.shape[0],
        n_clusters,
        random_state,
        n_init=3,
        max_distances=_MAX_DISTANCES,
    )
    with warnings.catch_warnings():
        # With fewer distinct rows than clusters, some stay empty, which does no harm.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return k_means.fit_predict(values)


def _distances_to_other_clusters(rows, clusters, centers):
    """Return the distances of some rows to the nearest row of another cluster."""
    order = np.argsort(clusters, kind="stable")
    found, starts = np.unique(clusters[order], return_index=True)
    own = np.searchsorted(found, clusters[centers])
    values, others = rows.values[centers], rows.values[order]
    nearest = np.empty(len(centers))
    for batch in rows.batches(len(centers), len(rows)):
        products = rows.products(values[batch], others)
        by_cluster = np.maximum.reduceat(products, starts, axis=1)
        by_cluster[np.arange(len(by_cluster)), own[batch]] = -np.inf
        nearest[batch] = by_cluster.max(axis=1)
    return np.sqrt(-2 * np.minimum(nearest, 0.0))


def _fingerprint(features):
    """Return a value that differs for different features."""
    parts = [features]
    if issparse(features):
        parts = [features.data, features.indices, features.indptr]
    hashes = [zlib.crc32(np.ascontiguousarray(part)) for part in parts]
    return features.shape, str(features.dtype), *hashes
