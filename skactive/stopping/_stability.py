"""Stabilising predictions: stop when successive models agree."""

from numbers import Integral, Real

import numpy as np

from skactive._pool.remembered import Remembered
from skactive.stopping._base import BaseCriterion
from skactive.utils._sampling import draw_rows
from skactive.utils._sklearn import Interval

# Any fixed number will do: it separates the random numbers that draw the stop set from
# those of the strategy.
_STREAM = 2009


class StabilizingPredictions(BaseCriterion):
    """Stop when successive models predict the same.

    The models of successive rounds predict a fixed sample of rows, the stop set, whose
    labels need not be known. The run stops once the mean agreement (Cohen's kappa) of
    the last few pairs of models reaches a threshold [1]_.

    :Uses: predictions of at most 2,000 rows

    Parameters
    ----------
    threshold : float, default=0.99
        The mean kappa at which to stop, in (0, 1].

    n_windows : int, default=3
        Number of pairs of successive models that count.

    n_stop_set : int or None, default=2000
        Number of rows in the stop set. They are drawn from the rows without a label
        when there is a model for the first time, and stay the same; None takes all.

    min_labels : int, default=10
        Minimum difference in labels of the two models of a pair. With a `batch_size` of
        1, models that differ by one label agree so often that the run would stop early;
        then models that are `min_labels` rounds apart are compared.

    References
    ----------
    .. [1] M. Bloodgood, K. Vijay-Shanker. "A method for stopping active learning based
       on stabilizing predictions and the need for user-adjustable stopping". CoNLL
       2009.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.stopping import StabilizingPredictions
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), budget=None, stopping=StabilizingPredictions(0.98)
    ... )
    """

    _parameter_constraints = {
        "threshold": [Interval(Real, 0, 1, closed="right")],
        "n_windows": [Interval(Integral, 1, None, closed="left")],
        "n_stop_set": [Interval(Integral, 1, None, closed="left"), None],
        "min_labels": [Interval(Integral, 1, None, closed="left")],
    }
    perfect = 1.0

    def __init__(self, threshold=0.99, n_windows=3, n_stop_set=2000, min_labels=10):
        self.threshold = threshold
        self.n_windows = n_windows
        self.n_stop_set = n_stop_set
        self.min_labels = min_labels

    def update(self, pool):
        if not hasattr(self, "stop_set_"):
            rng = np.random.default_rng([pool.random_state, _STREAM])
            self.stop_set_ = draw_rows(pool.candidates, self.n_stop_set, rng)
            self.kappas_ = []
            self.last_ = Remembered.of_rows(pool, self.stop_set_)
        elif self.last_.is_old(pool, self.min_labels):
            now = Remembered.of_rows(pool, self.stop_set_)
            self.kappas_.append(self.last_.agreement_with(now))
            self.last_ = now
        if len(self.kappas_) < self.n_windows:
            return None
        mean = float(np.mean(self.kappas_[-self.n_windows :]))
        if mean < self.threshold:
            return None
        return (
            f"the last {self.n_windows} pairs of models agree on {len(self.stop_set_)} "
            f"rows with a mean kappa of {mean:.4f} >= {self.threshold:.4g}"
        )
