"""Auto: rows that cover the pool at first, and the uncertain part of it later."""

import math
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse

from skactive._pool.remembered import Remembered
from skactive.acquisition._base import (
    BaseStrategy,
    select_without_embedding,
    top_candidates,
)
from skactive.acquisition._known_rows import known_rows, known_then_candidates
from skactive.acquisition.diversity._unit_rows import LiftedRows
from skactive.acquisition.hybrid._u_herding import u_herding
from skactive.acquisition.uncertainty._probabilities import boundary_closeness, margin
from skactive.utils._sampling import draw_rows
from skactive.utils._sklearn import Interval
from skactive.utils._ties import in_order

_DRAWS = 1  # stream of random numbers to draw from a large region with


def region_size(n_candidates, n_least, agreement):
    """Return the number of most uncertain rows among which a batch is chosen.

    All rows as long as successive models agree no more than by chance, the `n_least`
    most uncertain ones when they agree everywhere, and a number in proportion in
    between.

    Parameters
    ----------
    n_candidates : int
        Number of rows that can be queried.

    n_least : int
        Size of the smallest region; at most all rows.

    agreement : float
        Cohen's kappa of the predictions of two successive models, at most 1; negative
        values count as 0.

    Returns
    -------
    n_rows : int
        Between `n_least` and `n_candidates`.

    Examples
    --------
    >>> from skactive.acquisition.functional import region_size
    >>> [region_size(1000, 100, kappa) for kappa in (-0.1, 0.0, 0.8, 1.0)]
    [1000, 1000, 280, 100]
    """
    n_least = min(n_least, n_candidates)
    share = 1.0 - min(max(agreement, 0.0), 1.0)
    return n_least + round(share * (n_candidates - n_least))


class AutoSampling(BaseStrategy):
    """Query rows that cover the pool at first, and the uncertain part of it later.

    The strategy to use if you do not want to choose one. While labels are few, the
    uncertainty of a model means little, and rows that represent many others teach it
    most. Later, the rows near the boundary between the classes do. The switch depends
    on the data, not on a number of labels:

    1. The predictions of this model for the candidates are compared with those of an
       earlier one, which had at least `min_labels` fewer labels. The less they agree
       (Cohen's kappa, as in [1]_), the more a few labels still change, and the less the
       uncertainty means. From no agreement to a perfect one, the region in which rows
       are queried shrinks from all candidates to the ``prefilter * n_queries`` of
       smallest margin.
    2. Within the region, the batch covers the uncertain rows by herding [2]_: greedily,
       it maximises ``sum_j u_j^2 max_{i in S} k(x_i, x_j)``, where u is 1 minus the
       margin, k a Gaussian kernel, and S the batch and all known rows. So the rows of a
       batch resemble neither each other nor known rows, and outliers, which cover only
       themselves, are left out.

    The kernel compares directions, as in [2]_: ``k(x, x') = exp(-|x - x'|^2)`` for rows
    scaled to length one. Rows are centred first and get one more coordinate, the root
    mean square of their lengths. So directions also distinguish near rows from far
    ones, and a shift or another unit of all features has no effect. Scale features of
    different units, as for any distance.

    The :ref:`benchmark <benchmark>` shows what each of these parts contributes.

    It works with every classifier. Decision values serve as log-odds if there are no
    probabilities. Before there is a model, and if it has neither, the batch covers the
    candidates (:func:`~skactive.acquisition.functional.max_herding`). If rows have no
    embedding in which they could be compared, those of smallest margin are queried.

    Time: O(m (m + n_labeled) n_components) for a region of m rows, of which there are
    at most `max_region`; memory: O(n_samples), and the embedding of the region and of
    as many rows by which it is centred.

    :Uses: ``predict_proba`` or ``decision_function``, features
    :Cost of a round: :math:`n K + r (r + m) d`, with :math:`r` at most 5,000
    :Batch: yes
    :Guide: :doc:`/user_guide/auto`

    Parameters
    ----------
    prefilter : float, default=10
        Size of the smallest region, as a multiple of the rows to query; at least 1.

    min_labels : int, default=10
        An earlier model is compared if it had at least this number of labels fewer.
        With a `batch_size` of 1, successive models nearly always agree.

    max_region : int or None, default=5000
        Of a larger region, a random sample of this size is used, or of ``prefilter *
        n_queries`` rows if that is more. If None, regions are never sampled.

    Attributes
    ----------
    agreement_ : float
        Cohen's kappa in the last round; 0 if there was no earlier model.

    n_region_ : int
        Size of the region in the last round, before a sample is drawn.

    See Also
    --------
    UHerdingSampling : Herding by uncertainty among all candidates.
    ClusterUncertainSampling : Clusters of the most uncertain rows.

    References
    ----------
    .. [1] M. Bloodgood, K. Vijay-Shanker. "A method for stopping active learning based
       on stabilizing predictions and the need for user-adjustable stopping". CoNLL
       2009.
    .. [2] W. Bae, G. L. Oliveira, D. J. Sutherland. "Uncertainty herding: one active
       learning method for all label budgets". ICLR 2025.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> X, truth = make_classification(200, random_state=0)
    >>> y = truth.copy()
    >>> y[10:] = -1
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(),
    ...     oracle=lambda X, sample_ids: truth[sample_ids],
    ...     strategy="auto",
    ...     batch_size=10,
    ...     budget=30,
    ...     random_state=0,
    ... )
    >>> clf = clf.fit(X, y, sample_ids=range(200))
    >>> len(clf.query_indices_)
    30
    """

    _parameter_constraints = {
        "prefilter": [Interval(Real, 1, None, closed="left")],
        "min_labels": [Interval(Integral, 1, None, closed="left")],
        "max_region": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, prefilter=10, *, min_labels=10, max_region=5000):
        self.prefilter = prefilter
        self.min_labels = min_labels
        self.max_region = max_region

    @property
    def needs(self):
        # One of these is enough.
        return frozenset({("proba", "decision_function", "embedding")})

    def select(self, pool, n_queries):
        margins = _margins(pool)
        if not pool.has_embedding:
            return _select_without_distances(pool, n_queries, margins)
        region, weights = np.arange(len(pool.candidates)), None
        if pool.noticed.same_for_all:  # so are the margins
            margins, self.agreement_, self.n_region_ = None, 0.0, len(pool)
        if margins is not None:
            region = top_candidates(margins, self._n_rows(pool, n_queries), pool)
        region = self._draw(np.sort(region), n_queries, pool)
        if margins is not None:
            weights = margins[region] ** 2
        return self._cover(pool, pool.candidates[region], weights, n_queries)

    def _n_rows(self, pool, n_queries):
        """Return the size of the region: compare this model with an earlier one."""
        models = [*getattr(self, "models_", []), Remembered.of_candidates(pool)]
        old = [model for model in models if model.is_old(pool, self.min_labels)]
        self.agreement_ = old[-1].agreement_with(models[-1]) if old else 0.0
        # Older models than the one compared with are not needed again.
        self.models_ = models[max(len(old) - 1, 0) :]
        n_least = math.ceil(self.prefilter * n_queries)
        self.n_region_ = region_size(len(pool), n_least, self.agreement_)
        return self.n_region_

    def _draw(self, rows, n_queries, pool):
        """Draw a sample if there are too many rows to compute their distances."""
        if self.max_region is None:
            return rows
        n_most = max(self.max_region, math.ceil(self.prefilter * n_queries))
        return draw_rows(rows, n_most, pool.with_stream(_DRAWS).random_state)

    def _cover(self, pool, rows, weights, n_queries):
        """Choose the rows that, with the known ones, cover the others best."""
        known = known_rows(pool)
        if weights is not None:
            weights = np.concatenate([np.zeros(len(known)), weights])
        together = np.concatenate([known, rows])
        chosen = u_herding(
            self._features(pool, together, n_queries),
            weights,
            n_queries,
            labeled=np.arange(len(known)),
            candidates=len(known) + in_order(pool.tie_keys(rows)),
            max_targets=None,
        )
        return together[chosen]

    def _features(self, pool, rows, n_queries):
        """Embed rows, as directions seen from a point beside all rows."""
        everything = np.sort(known_then_candidates(pool)[0])
        sample = self._draw(everything, n_queries, pool)
        # Each row is embedded once, as that may be a pass through a network.
        both, places = np.unique(np.concatenate([rows, sample]), return_inverse=True)
        features = pool.embedding(both)
        return lift(features[places[: len(rows)]], features[places[len(rows) :]])


def lift(features, sample):
    """Add a coordinate, so that the directions of rows tell their distances.

    Rows are moved so that the mean of the sample is the origin, and get one more
    coordinate, the root mean square length of the rows of the sample. The direction of
    a row then also tells how far from the origin it was. Neither the shift nor the
    scale of the features matters. Sparse rows stay sparse: the shift is part of their
    products.

    Parameters
    ----------
    features : {ndarray, sparse matrix} of shape (n_rows, n_components)
        Rows to lift.

    sample : {ndarray, sparse matrix} of shape (n_sampled, n_components)
        Rows like these.

    Returns
    -------
    lifted : ndarray of shape (n_rows, n_components + 1) or LiftedRows
        The last column is constant.
    """
    if issparse(features):
        sample = sample.astype(np.float64)
        center = np.asarray(sample.mean(axis=0)).ravel()
        whole = sample.multiply(sample).sum() / sample.shape[0]
        squares = whole - center @ center
        is_zero = squares <= 8 * np.finfo(np.float64).eps * whole
        return LiftedRows(features, center, 1.0 if is_zero else np.sqrt(squares))
    features, sample = np.asarray(features, float), np.asarray(sample, float)
    center = sample.mean(axis=0)
    length = np.sqrt(((sample - center) ** 2).sum(axis=1).mean())
    constant = np.full((len(features), 1), length or 1.0)
    return np.hstack([features - center, constant])


def _margins(pool):
    """Return 1 - the margin of the candidates, or None if there are no margins."""
    if not pool.can_fit:
        return None
    if pool.has_output("predict_proba"):
        # For a model of one class, rounding may leave it a little below 0.
        return np.maximum(margin(pool.proba), 0.0)
    if pool.has_output("decision_function"):
        # The margin of a logistic regression with these log-odds.
        return 1.0 - np.tanh(-boundary_closeness(pool.decision_function) / 2)
    return None


def _select_without_distances(pool, n_queries, margins):
    if margins is None:
        return select_without_embedding(pool, n_queries)
    return pool.candidates[top_candidates(margins, n_queries, pool)]
