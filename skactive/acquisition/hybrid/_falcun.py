"""FALCUN: rows that are uncertain and differ in their probabilities."""

from numbers import Real

import numpy as np
from scipy.spatial.distance import cdist

from skactive.acquisition._base import BaseStrategy
from skactive.acquisition._drawing import draw_one
from skactive.acquisition.uncertainty._probabilities import margin
from skactive.utils._sklearn import Interval

# Smaller differences of probabilities are rounding.
_ROUNDING = 1e-12


def falcun(proba, n_queries, *, gamma=10.0, random_state=None):
    """Choose samples that are uncertain and have different probabilities.

    The relevance of a sample is its uncertainty, ``1 - (P1 - P2)``, plus its diversity.
    The diversity is the uncertainty at first, and then the Manhattan distance between
    the probabilities of the sample and of the nearest chosen one, if that is less. It
    is scaled to [0, 1] over the samples that are left. A sample is drawn with a
    probability proportional to ``relevance ** gamma``.

    As in the code of the authors, minima are taken before distances are scaled.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities.

    n_queries : int
        Number of samples to choose, at most n_samples.

    gamma : float, default=10.0
        0 draws uniformly; the larger it is, the more likely are the most relevant
        samples.

    random_state : int, numpy.random.Generator or None, default=None
        Draws the samples.

    Returns
    -------
    chosen : ndarray of shape (n_queries,), dtype int
        Different positions of samples, in the order of choice.

    References
    ----------
    .. [1] S. Gilhuber, A. Beer, Y. Ma, T. Seidl. "FALCUN: A simple and efficient deep
       active learning strategy". ECML PKDD 2024.

    Examples
    --------
    >>> from skactive.acquisition.functional import falcun
    >>> falcun([[0.9, 0.1], [0.5, 0.5], [0.5, 0.5]], 1, gamma=100, random_state=0)
    array([2])
    """
    rng = np.random.default_rng(random_state)
    proba = np.asarray(proba, dtype=np.float64)
    uncertainty = margin(proba)
    diversity = uncertainty.copy()
    remaining = np.ones(len(proba), dtype=bool)
    chosen = np.empty(n_queries, dtype=np.intp)
    for i in range(n_queries):
        weights = _relevance(uncertainty, diversity, remaining, gamma)
        new = chosen[i] = draw_one(weights, remaining, rng)
        remaining[new] = False
        distances = cdist(proba, proba[[new]], "cityblock").ravel()
        np.minimum(diversity, distances, out=diversity)
    return chosen


class FALCUNSampling(BaseStrategy):
    """Query rows that are uncertain and differ in their probabilities.

    Like BADGE, it draws a batch that is uncertain and diverse, but from the
    probabilities alone [1]_: it needs no embedding, and is fast with few classes. A
    batch begins with uncertain rows, and diversity counts more and more.

    Memory: O(n_candidates n_classes). Time: one pass over the probabilities for each
    row of the batch.

    :Uses: ``predict_proba``
    :Cost of a round: :math:`b n K`
    :Batch: yes
    :Guide: :doc:`/user_guide/model_change`

    Parameters
    ----------
    gamma : float, default=10.0
        0 draws uniformly; the larger it is, the more likely are the most relevant rows.

    References
    ----------
    .. [1] S. Gilhuber, A. Beer, Y. Ma, T. Seidl. "FALCUN: A simple and efficient deep
       active learning strategy". ECML PKDD 2024.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import FALCUNSampling
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=FALCUNSampling(gamma=5), batch_size=50
    ... )
    """

    _parameter_constraints = {"gamma": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, gamma=10.0):
        self.gamma = gamma

    @property
    def needs(self):
        return frozenset({"proba"})

    def select(self, pool, n_queries):
        return pool.candidates[
            falcun(
                pool.proba, n_queries, gamma=self.gamma, random_state=pool.random_state
            )
        ]


def _relevance(uncertainty, diversity, remaining, gamma):
    """Return ``relevance ** gamma`` up to a factor, and 0 for chosen samples."""
    left = diversity[remaining]
    low, high = left.min(), left.max()
    relevance = diversity - low
    # Differences that are only rounding are not scaled up.
    relevance /= high - low if high > low + _ROUNDING else 1.0
    relevance += uncertainty
    relevance *= remaining
    # Divided by the largest, powers cannot overflow.
    largest = relevance.max()
    weights = (relevance / largest) ** gamma if largest > 0 else relevance
    weights *= remaining  # again, as 0 ** 0 is 1
    return weights
