"""The rows that are held out: which they are, and how good a model is on them."""

import warnings

import numpy as np
from scipy.stats import binomtest
from sklearn.exceptions import UndefinedMetricWarning

from skactive.acquisition._base import Selection
from skactive.utils._outputs import read_labels
from skactive.utils._rows import take_rows

CONFIDENCE = 0.95


def draw_holdout(inputs, fraction, askable):
    """Draw the rows that are asked at random, to test the model honestly.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs of the run.

    fraction : float
        Share of the budget.

    askable : ndarray of shape (n_samples,), dtype bool
        Rows without a label that may be asked.

    Returns
    -------
    rows : ndarray of shape (n_holdout,), dtype int
        Rows without a label, in the order in which they are asked.
    """
    n_holdout = round(fraction * inputs.budget)
    rng = np.random.default_rng([inputs.seed, 0])
    return rng.choice(np.flatnonzero(askable), n_holdout, replace=False)


def select_holdout(rows, n_queries, n_left):
    """Select the rows of the test sample that are asked next.

    Parameters
    ----------
    rows : ndarray of int
        Those that were not asked yet, in their order.

    n_queries : int
        How many to ask at most.

    n_left : int
        How many rows that may be asked were not asked yet: each of them might have been
        drawn now.

    Returns
    -------
    selection : Selection
        The rows, and the probabilities with which they were drawn.
    """
    rows = rows[:n_queries]
    return Selection(rows, probabilities=1.0 / (n_left - np.arange(len(rows))))


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


def evaluate(pool, rows, labels):
    """Evaluate the model of a pool on rows that it was not trained on.

    Parameters
    ----------
    pool : Pool
        Its estimator is fitted if need be.

    rows : ndarray of shape (n_rows,), dtype int
        Rows of ``pool.X`` with a label.

    labels : ndarray of shape (n_rows,)
        Their labels.

    Returns
    -------
    accuracy : float
        nan, with a warning, if there are no rows, or if the estimator cannot be fitted
        without them.

    interval : tuple of (float, float)
        Its ends.
    """
    why = None
    if not len(rows):
        why = "no row that was held out got an answer"
    elif not pool.labeled.any():
        why = "no other row has a label that a model could be fitted on"
    else:
        try:
            predicted = read_labels(pool.estimator, take_rows(pool.X, rows))
        except Exception as error:  # of the estimator, whatever it is
            why = f"no model could be fitted without the rows held out: {error}"
    if why is not None:
        warnings.warn(
            f"holdout_score_ is not defined, as {why}.",
            UndefinedMetricWarning,
            stacklevel=7,
        )
        return accuracy_interval(0, 0)
    return accuracy_interval(int((predicted == labels).sum()), len(rows))
