"""Cost and benefit: stop when labels gain less than they cost."""

from numbers import Integral, Real

import numpy as np

from skactive.stopping._validation import ValidationCriterion
from skactive.utils._sklearn import Interval


class GainPerLabel(ValidationCriterion):
    """Stop when labels gain less than they are worth.

    The gain is the rise of the score on a validation set over at least the last
    `window` queried rows. The run stops once it falls below the price of these rows.
    Rows without an answer are paid for, too; rows of a test sample are left out.

    :Uses: a validation set

    Parameters
    ----------
    price : float, default=0.0001
        Price of a label in units of the score: with 0.0001, 100 labels must gain 0.01.
        If `fit` got `cost`, the price of one unit of `cost`.

    X_val : {array-like, sparse matrix, data frame, list} of length n_val or None, \
            default=None
        Rows that are neither queried nor trained on, of the same kind as the `X` of the
        run. If None, the test sample that `holdout_fraction` buys is used instead.

    y_val : array-like of shape (n_val,) or None, default=None
        Their labels.

    scoring : str, callable or None, default=None
        A scorer as in scikit-learn, higher is better. If None, the `score` of the
        estimator, which is usually the accuracy.

    window : int, default=50
        Minimum number of queried rows over which the gain is measured. The standard
        error of an accuracy on n validation rows is about 0.5 / sqrt(n); ``price *
        window`` should not be much smaller.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.stopping import GainPerLabel
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(),
    ...     budget=None,
    ...     stopping=GainPerLabel(price=0.0002),
    ...     holdout_fraction=0.2,
    ... )
    """

    _parameter_constraints = {
        **ValidationCriterion._parameter_constraints,
        "price": [Interval(Real, 0, None, closed="left")],
        "window": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, price=0.0001, X_val=None, y_val=None, scoring=None, window=50):
        self.price = price
        self.X_val = X_val
        self.y_val = y_val
        self.scoring = scoring
        self.window = window

    def update(self, pool):
        score = self._score(pool)
        if score is None:
            return None
        asked = pool.asked & ~pool.holdout.mask
        n_asked = int(np.count_nonzero(asked))
        # The same rows for the gain and the price: those of the test sample teach the
        # model nothing.
        spent = n_asked if pool.cost is None else float(pool.cost[asked].sum())
        self._record(n_asked, spent, score)
        # Batches need not divide the window, so it may span more rows than `window`.
        before = self._before(n_asked - self.window)
        if before is None:
            return None
        n_before, spent_before, score_before = before
        gain, price = score - score_before, self.price * (spent - spent_before)
        if gain >= price:
            return None
        return (
            f"the last {n_asked - n_before} rows gained {gain:.4g}, less than their "
            f"price {price:.4g}"
        )

    def _record(self, *record):
        self.records_ = getattr(self, "records_", [])
        if self.records_ and self.records_[-1][0] == record[0]:
            self.records_.pop()  # only the test sample has grown
        self.records_.append(record)

    def _before(self, n_asked):
        """Return the last record with at most this number of queried rows, or None."""
        found = [record for record in self.records_ if record[0] <= n_asked]
        return found[-1] if found else None
