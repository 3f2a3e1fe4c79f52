"""The test sample of a run: which rows are held out, and the score on them."""

import hashlib

import numpy as np
from scipy.stats import binomtest
from sklearn.exceptions import UndefinedMetricWarning

from skactive.acquisition._base import Selection
from skactive.oracles._store.answers import to_key
from skactive.utils._outputs import read_labels
from skactive.utils._rows import take_rows
from skactive.utils._warning import warn_caller

CONFIDENCE = 0.95


class Holdout:
    """The random test sample of a run.

    It is drawn when the run begins, and queried before any other row. A sample drawn
    later would come from the rows that the strategy has not selected, and these do not
    represent new data.

    The sample of a session is kept by its later runs. If it has to grow, more rows are
    drawn from all rows that had no label at the beginning, whether or not a strategy
    has selected them meanwhile.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs of the run.

    past : Past
        What earlier runs of the session found out about the rows.

    Attributes
    ----------
    rows : ndarray of shape (n_holdout,), dtype int
        Row numbers, in the order in which they are drawn.

    mask : ndarray of shape (n_samples,), dtype bool
        Mask of these rows.

    kept_out : ndarray of shape (n_samples,), dtype bool
        Mask of the rows that no model of a round is trained on.

    seed : int
        The seed of the draws.

    n_before : int
        Number of `rows` that were drawn by earlier runs.
    """

    def __init__(self, inputs, past):
        n_holdout = round(inputs.clf.holdout_fraction * inputs.budget)
        askable = np.flatnonzero(inputs.equal_rows.askable)
        self.seed = inputs.seed if past.sample_seed is None else past.sample_seed
        self.n_before = len(past.sample)
        if not past.in_session:
            # The seeds of the rounds are those of the numbers from 1.
            rng = np.random.default_rng([self.seed, 0])
            self.rows = rng.choice(askable, n_holdout, replace=False)
        else:
            n_more = max(0, n_holdout - self.n_before)
            others = np.setdiff1d(askable, past.sample)
            # The order depends on ids only, whatever rows were added or removed. New
            # rows catch up: they are drawn first, up to the rate of earlier draws.
            order = _order_of_ids(self.seed, inputs.sample_ids[others], n_more)
            self.rows = np.concatenate([past.sample, others[order]]).astype(np.intp)
        self._n_askable = len(askable)
        self.mask = np.zeros(len(inputs.y), dtype=bool)
        self.mask[self.rows] = True
        self.mask.flags.writeable = False  # pools share it
        # No model is trained on a row that equals one of the test sample: it would give
        # the label away, and the score would be too high.
        self.kept_out = inputs.equal_rows.equal_to(self.rows)

    def __len__(self):
        return len(self.rows)

    def select(self, is_left, n_queries):
        """Select the rows of the sample that are queried next.

        Parameters
        ----------
        is_left : ndarray of shape (n_samples,), dtype bool
            Mask of the rows of the sample that have not been queried.

        n_queries : int
            The largest number of rows to select.

        Returns
        -------
        selection : Selection
            The rows, with their probabilities.
        """
        # The sample is in random order, so its next row is a draw from all rows that
        # do not come before it.
        drawn = np.flatnonzero(is_left[self.rows])[:n_queries]
        return Selection(
            self.rows[drawn], probabilities=1.0 / (self._n_askable - drawn)
        )

    def answered(self, ledger):
        """Return the rows of the sample that have a label, ascending.

        Parameters
        ----------
        ledger : Ledger
            The labels known.

        Returns
        -------
        rows : ndarray of shape (n_answered,), dtype int
            Row numbers.
        """
        return np.sort(self.rows[ledger.labeled[self.rows]])

    def evaluate(self, ledger, pool):
        """Evaluate a model that is fitted on all labels except those of the sample.

        Parameters
        ----------
        ledger : Ledger
            The labels known.

        pool : Pool or None
            The pool whose estimator is evaluated. None if nothing was queried.

        Returns
        -------
        accuracy : float
            The accuracy; nan, with a warning, if the sample has no label, or if the
            estimator cannot be fitted without it.

        interval : tuple of (float, float)
            Confidence interval of the accuracy.
        """
        if pool is None:
            return accuracy_interval(0, 0)
        rows = self.answered(ledger)
        if not len(rows):
            return _undefined("no row that was held out got an answer")
        if not pool.labeled.any():
            return _undefined("no other row has a label to fit a model on")
        try:
            predicted = read_labels(pool.estimator, take_rows(pool.X, rows))
        except Exception as error:  # any error of the estimator
            return _undefined(
                f"no model could be fitted without the rows held out: {error}"
            )
        n_right = int((predicted == ledger.labels(rows)).sum())
        return accuracy_interval(n_right, len(rows))


def _order_of_ids(seed, sample_ids, n_rows):
    """Return the positions of the first ids in a random order given by the seed."""
    if n_rows == 0:
        return np.empty(0, dtype=np.intp)
    keys = [
        hashlib.blake2b(f"{seed}:{to_key(name)}".encode(), digest_size=8).digest()
        for name in sample_ids.tolist()
    ]
    return np.argsort(np.array(keys, dtype="V8").view(">u8"), kind="stable")[:n_rows]


def accuracy_interval(n_right, n):
    """Return an accuracy and its exact confidence interval [1]_.

    Whatever the true accuracy is, at most one of twenty intervals misses it. Wilson's
    interval is shorter, and misses one of twenty on average over accuracies. Close to
    1, where good classifiers are, and for few rows it may miss one of six.

    Parameters
    ----------
    n_right : int
        Number of rows that were predicted correctly.

    n : int
        Number of rows.

    Returns
    -------
    accuracy : float
        The accuracy; nan if `n` is 0.

    interval : tuple of (float, float)
        Ends of the interval of confidence 0.95.

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
    """Warn that there is no score, and return nan."""
    warn_caller(f"holdout_score_ is not defined, as {why}.", UndefinedMetricWarning)
    return accuracy_interval(0, 0)
