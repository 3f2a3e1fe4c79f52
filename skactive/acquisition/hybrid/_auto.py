"""A strategy nobody has to choose: cover the rows the model is unsure about."""

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

_DRAWS = 1  # Stream of the random numbers that draw from a large region.


def region_size(n_candidates, n_least, agreement):
    """Return among how many of the most uncertain rows a batch is chosen.

    Among all of them as long as successive models agree no more than by chance, among
    the `n_least` most uncertain ones when they agree everywhere, and in proportion
    between.

    Parameters
    ----------
    n_candidates : int
        How many rows can be asked.

    n_least : int
        The smallest region; all rows if there are no more.

    agreement : float
        Cohen's kappa of the predictions of two successive models, at most 1. Less
        than 0 counts as 0.

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
    """Ask what covers the rows that the model is unsure about, as far as it knows any.

    A strategy for those who do not want to choose one. While labels are few, what a
    model is unsure about says little, and rows that stand for many others teach it
    most; later, the rows near the boundary between the classes do. The switch follows
    what the data show, not a number of labels:

    1. The model of this round predicts all candidates, and so did an earlier one, which
       had at least `min_labels` labels less. The less they agree (Cohen's kappa, as in
       [1]_), the more a few labels still overturn, and the less an uncertainty is
       worth. Between no agreement and a perfect one, the region in which rows are asked
       shrinks from all candidates to the ``prefilter * n_queries`` of smallest margin.
    2. Within the region the batch covers what is uncertain, by herding [2]_: greedily,
       it maximises ``sum_j u_j^2 max_{i in S} k(x_i, x_j)``, where u is 1 minus the
       margin, k a Gaussian kernel, and S the batch and all rows with a label. So
       neither the rows of a batch resemble each other, nor any that is known, and
       outliers, which cover only themselves, are left out.

    The kernel compares directions, as in [2]_: ``k(x, x') = exp(-|x - x'|^2)`` for rows
    scaled to length one. Rows are centred before, and all get one more
    coordinate, which is as large as they are long in the mean: so directions also tell
    near rows from far ones, and a shift or another unit of all features changes
    nothing. Features of different units are to be scaled, as for any distance.

    Each of these parts is compared with what remains without it in the
    :ref:`benchmark <benchmark>`.

    It works with every classifier. Decision values stand in for probabilities, as
    log-odds, where there are none. Before there is a model, and with one that has
    neither, the batch covers the candidates
    (:func:`~skactive.acquisition.functional.max_herding`). Where rows have no embedding
    in which they could be compared, the smallest margins are asked.

    Time: O(m (m + n_labeled) n_components) for a region of m rows, of which there are
    at most `max_region`; memory: O(n_samples) and copies of the embedding of the
    region, and of as many rows to centre it by.

    Parameters
    ----------
    prefilter : float, default=10
        So many times the rows to ask are the smallest region, at least 1.

    min_labels : int, default=10
        How many labels an earlier model must have had less to be compared with. With a
        `batch_size` of 1, successive models nearly always agree.

    max_region : int or None, default=5000
        Of a larger region, a random sample of so many rows is looked at, or of
        ``prefilter * n_queries`` if that is more. None: never sample.

    Attributes
    ----------
    agreement_ : float
        Kappa in the last round; 0 if there was no earlier model.

    n_region_ : int
        Size of the region in the last round, before a sample is drawn.

    See Also
    --------
    UHerdingSampling : Herding by uncertainty among all candidates, always.
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
        # Any of these will do.
        return frozenset({("proba", "decision_function", "embedding")})

    def select(self, pool, n_queries):
        margins = _margins(pool)
        if not pool.has_embedding:
            return _select_without_distances(pool, n_queries, margins)
        region, weights = np.arange(len(pool.candidates)), None
        if pool.noticed.same_for_all:  # the margins are all the same, too
            margins, self.agreement_, self.n_region_ = None, 0.0, len(pool)
        if margins is not None:
            region = top_candidates(margins, self._n_rows(pool, n_queries), pool)
        region = self._draw(np.sort(region), n_queries, pool)
        if margins is not None:
            weights = margins[region] ** 2
        return self._cover(pool, pool.candidates[region], weights, n_queries)

    def _n_rows(self, pool, n_queries):
        """Say how large the region is: compare this model with an earlier one."""
        models = [*getattr(self, "models_", []), Remembered.of_candidates(pool)]
        old = [model for model in models if model.is_old(pool, self.min_labels)]
        self.agreement_ = old[-1].agreement_with(models[-1]) if old else 0.0
        # Older ones are of no use any more.
        self.models_ = models[max(len(old) - 1, 0) :]
        n_least = math.ceil(self.prefilter * n_queries)
        self.n_region_ = region_size(len(pool), n_least, self.agreement_)
        return self.n_region_

    def _draw(self, rows, n_queries, pool):
        """Draw from rows that are too many for their distances to be computed."""
        if self.max_region is None:
            return rows
        n_most = max(self.max_region, math.ceil(self.prefilter * n_queries))
        return draw_rows(rows, n_most, pool.with_stream(_DRAWS).random_state)

    def _cover(self, pool, rows, weights, n_queries):
        """Choose those of the rows that cover all of them best, beside the known."""
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
        """Embed rows, as seen from outside the cloud that all rows are."""
        everything = np.sort(known_then_candidates(pool)[0])
        sample = self._draw(everything, n_queries, pool)
        # Embedded once, as that may be a pass through a network.
        both, places = np.unique(np.concatenate([rows, sample]), return_inverse=True)
        features = pool.embedding(both)
        return lift(features[places[: len(rows)]], features[places[len(rows) :]])


def lift(features, sample):
    """Add a coordinate, so that directions of rows tell their distances.

    Rows are moved so that the mean of the sample is the origin, and get one coordinate
    more, the root mean square length of the rows of the sample. The direction of a row
    then also says how far from the origin it was. Neither shift nor scale of the
    features matters. Sparse rows stay sparse: they are moved within their products.

    Parameters
    ----------
    features : {ndarray, sparse matrix} of shape (n_rows, n_components)
        Rows to be changed.

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
    """Return 1 - the margin of the candidates, or None if there is no such thing."""
    if not pool.can_fit:
        return None
    if pool.has_output("predict_proba"):
        # The margin of a model of one class is a rounding error below 0 at worst.
        return np.maximum(margin(pool.proba), 0.0)
    if pool.has_output("decision_function"):
        # What a logistic regression with these log-odds would have.
        return 1.0 - np.tanh(-boundary_closeness(pool.decision_function) / 2)
    return None


def _select_without_distances(pool, n_queries, margins):
    if margins is None:
        return select_without_embedding(pool, n_queries)
    return pool.candidates[top_candidates(margins, n_queries, pool)]
