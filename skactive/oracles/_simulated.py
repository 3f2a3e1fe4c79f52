"""An oracle that knows the answers, for experiments and tests."""

import zlib
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator

from skactive.utils._labels import column_y
from skactive.utils._sklearn import Interval


class SimulatedOracle(BaseEstimator):
    """Answer from a table of true labels, if wanted with errors and abstentions.

    The table is keyed by sample ids, so that the answers stay right inside pipelines
    and cross-validation, where rows are renumbered. What it answers for an id depends
    on `random_state` and the id alone, not on when it is asked or with which others.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.

    sample_ids : array-like of shape (n_samples,) or None, default=None
        Ids of the rows of `y_true`, unique ints or strs; ``0..n_samples-1`` if None.

    noise : float, default=0.0
        Probability that an answer is one of the other classes.

    abstain : float, default=0.0
        Probability that there is no answer.

    random_state : int, default=0
        Seed of errors and abstentions.

    Examples
    --------
    >>> from skactive.oracles import SimulatedOracle
    >>> oracle = SimulatedOracle(["ham", "spam", "ham"], sample_ids=["a", "b", "c"])
    >>> oracle([[0.0], [1.0]], sample_ids=["c", "b"])
    ['ham', 'spam']
    """

    _parameter_constraints = {
        "y_true": ["array-like"],
        "sample_ids": ["array-like", None],
        "noise": [Interval(Real, 0, 1, closed="both")],
        "abstain": [Interval(Real, 0, 1, closed="both")],
        "random_state": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self, y_true, *, sample_ids=None, noise=0.0, abstain=0.0, random_state=0
    ):
        self.y_true = y_true
        self.sample_ids = sample_ids
        self.noise = noise
        self.abstain = abstain
        self.random_state = random_state

    def __call__(self, X, sample_ids):
        """Return the labels of some rows.

        Parameters
        ----------
        X : array-like of length n_rows
            The rows; they are not looked at.

        sample_ids : array-like of shape (n_rows,)
            Ids of the rows.

        Returns
        -------
        labels : list of length n_rows
            True labels, wrong ones, or None to abstain.
        """
        self._validate_params()
        y_true = column_y(self.y_true)
        positions = self._positions(list(np.asarray(sample_ids).tolist()), len(y_true))
        labels = y_true[positions].tolist()
        if self.noise == 0 and self.abstain == 0:
            return labels
        classes = np.unique(y_true).tolist()
        return [
            self._disturb(label, classes, sample_id)
            for label, sample_id in zip(labels, sample_ids, strict=True)
        ]

    def _positions(self, asked, n_samples):
        if self.sample_ids is None:
            wrong = [i for i in asked if type(i) is not int or not 0 <= i < n_samples]
            positions = asked
        else:
            ids = np.asarray(self.sample_ids).tolist()
            if len(ids) != n_samples:
                raise ValueError(
                    f"SimulatedOracle has {n_samples} labels and {len(ids)} "
                    "sample_ids; expected one id per label."
                )
            where = {sample_id: row for row, sample_id in enumerate(ids)}
            wrong = [i for i in asked if i not in where]
            positions = [where[i] for i in asked if i in where]
        if wrong:
            raise ValueError(
                f"SimulatedOracle knows no label for the sample_ids {wrong[:5]}; it "
                f"has labels for {n_samples} ids. Pass it the ids that `fit` gets."
            )
        return positions

    def _disturb(self, label, classes, sample_id):
        key = zlib.crc32(str(sample_id).encode())
        rng = np.random.default_rng([int(self.random_state), key])
        abstains, errs = rng.random(2) < (self.abstain, self.noise)
        if abstains:
            return None
        others = [c for c in classes if c != label]
        return others[rng.integers(len(others))] if errs and others else label
