"""The rows that are held out: which they are, and how good a model is on them."""

import numpy as np
from scipy.stats import binomtest
from sklearn.exceptions import UndefinedMetricWarning

from skactive.acquisition._base import Selection
from skactive.utils._outputs import read_labels
from skactive.utils._rows import take_rows
from skactive.utils._warning import warn_caller

CONFIDENCE = 0.95


class Holdout:
    """The random test sample of a run: drawn at its beginning, and queried first.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs of the run. `holdout_fraction` is a share of the budget.

    Attributes
    ----------
    rows : ndarray of shape (n_holdout,), dtype int
        Row numbers, in the order in which they are queried.
    """

    def __init__(self, inputs):
        n_holdout = round(inputs.clf.holdout_fraction * inputs.budget)
        rng = np.random.default_rng([inputs.seed, 0])
        askable = np.flatnonzero(inputs.equal_rows.askable)
        self.rows = rng.choice(askable, n_holdout, replace=False)

    def __len__(self):
        return len(self.rows)

    def select(self, is_left, n_queries, n_left):
        """Select the rows of the sample that are queried next.

        Parameters
        ----------
        is_left : ndarray of shape (n_samples,), dtype bool
            Rows of the sample that have not been queried.

        n_queries : int
            The largest number of rows.

        n_left : int
            Number of rows that have not been queried, of the sample or not: each of
            them might have been drawn now.

        Returns
        -------
        selection : Selection
            The rows, and the probabilities with which they were drawn.
        """
        rows = self.rows[is_left[self.rows]][:n_queries]
        return Selection(rows, probabilities=1.0 / (n_left - np.arange(len(rows))))

    def answered(self, ledger):
        """Return the rows of the sample that have a label, ascending.

        Parameters
        ----------
        ledger : Ledger
            What is known about each row.

        Returns
        -------
        rows : ndarray of shape (n_answered,), dtype int
            Row numbers.
        """
        return np.sort(self.rows[ledger.labeled[self.rows]])

    def evaluate(self, ledger, pool):
        """Evaluate a model that was fitted on all labels but those of the sample.

        Parameters
        ----------
        ledger : Ledger
            What is known about each row.

        pool : Pool or None
            Its estimator is fitted if need be. None if nothing was queried.

        Returns
        -------
        accuracy : float
            nan, with a warning, if the sample has no label, or the estimator cannot be
            fitted without it.

        interval : tuple of (float, float)
            Its ends.
        """
        if pool is None:
            return accuracy_interval(0, 0)
        rows = self.answered(ledger)
        if not len(rows):
            return _undefined("no row that was held out got an answer")
        if not pool.labeled.any():
            return _undefined(
                "no other row has a label that a model could be fitted on"
            )
        try:
            predicted = read_labels(pool.estimator, take_rows(pool.X, rows))
        except Exception as error:  # of the estimator, whatever it is
            return _undefined(
                f"no model could be fitted without the rows held out: {error}"
            )
        n_right = int((predicted == ledger.labels(rows)).sum())
        return accuracy_interval(n_right, len(rows))


def accuracy_interval(n_right, n):
    """Return an accuracy, and an interval that holds the true one.

    The interval is the exact one [1]_ of confidence 0.95: whatever the true accuracy,
    it is missed by at most one sample in twenty. Wilson's is shorter and right on
    average over accuracies, but close to 1, where good classifiers are, and for few
    rows it may be missed by one in six.

    Parameters
    ----------
    n_right : int
        How many rows were predicted right.

    n : int
        Of how many.

    Returns
    -------
    accuracy : float
        nan if n is 0.

    interval : tuple of (float, float)
        Its ends.

    References
    ----------
    .. [1] C. Clopper, E. S. Pearson. "The use of confidence or fiducial limits
       illustrated in the case of the binomial". Biometrika 26(4), 1934.

    Examples
    --------
    >>> from skactive._loop.holdout import accuracy_interval
    >>> accuracy, (low, high) = accuracy_interval(19, 20)
    >>> accuracy, round(low, 3), round(high, 3)
    (0.95, 0.751, 0.999)
    """
    if n == 0:
        return np.nan, (np.nan, np.nan)
    low, high = binomtest(n_right, n).proportion_ci(CONFIDENCE, method="exact")
    return n_right / n, (float(low), float(high))


def _undefined(why):
    """Warn that there is no score."""
    warn_caller(f"holdout_score_ is not defined, as {why}.", UndefinedMetricWarning)
    return accuracy_interval(0, 0)
