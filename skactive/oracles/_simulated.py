"""An oracle that knows the answers, for experiments and tests."""

import warnings
import zlib
from collections import Counter
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator

from skactive.utils._containers import (
    check_aligned,
    hint_of_type,
    index_of,
    is_in_other_order,
    is_numbered,
    list_of,
)
from skactive.utils._labels import column_y
from skactive.utils._naming import naming
from skactive.utils._shown import BriefMixin, shown_values
from skactive.utils._sklearn import Interval


class SimulatedOracle(BriefMixin, BaseEstimator):
    """Answer from a table of true labels, optionally with errors and abstentions.

    The table is keyed by sample ids, so that the answers stay right inside pipelines
    and cross-validation, where rows are renumbered. The answer for an id depends only
    on `random_state` and the id, not on the time or the other rows of the question.

    Parameters
    ----------
    y_true : array-like of shape (n_samples,)
        True labels.

    sample_ids : array-like of shape (n_samples,) or None, default=None
        Ids of the rows of `y_true`, unique ints or strs. If None, the index of a pandas
        Series is used if its values have the type of the ids in the question, and
        otherwise ``0..n_samples-1``. A Series whose index holds `sample_ids` in another
        order is looked up by its index, with a warning if positions give other labels.

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
        "random_state": [Interval(Integral, 0, None, closed="left")],
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
            The rows; they are not used.

        sample_ids : array-like of shape (n_rows,)
            Ids of the rows.

        Returns
        -------
        labels : list of length n_rows
            True labels, wrong ones, or None to abstain.
        """
        self._validate_params()
        y_true = column_y(self.y_true)
        asked = list_of(sample_ids)
        positions = self._positions(asked, len(y_true))
        labels = y_true[positions].tolist()
        self._warn_of_two_readings(asked, labels, y_true)
        if self.noise == 0 and self.abstain == 0:
            return labels
        classes = np.unique(y_true).tolist()
        return [
            self._disturb(label, classes, sample_id)
            for label, sample_id in zip(labels, asked, strict=True)
        ]

    def _validate_params(self):
        super()._validate_params()
        with naming("y_true", self):
            if len(column_y(self.y_true)) == 0:
                raise ValueError("there is no label; pass the labels of all rows.")

    def _positions(self, asked, n_samples):
        """Return the positions of the labels of some ids."""
        ids = self._ids(asked, n_samples)
        by_number = isinstance(ids, range)
        where = ids if by_number else {i: row for row, i in enumerate(ids)}
        wrong = [i for i in asked if type(i) not in (int, str) or i not in where]
        if wrong:
            raise ValueError(
                f"SimulatedOracle knows no label for the sample_ids "
                f"{shown_values(wrong)}; it "
                f"has labels for {n_samples} ids, such as {ids[0]!r}. Pass it the ids "
                "that `fit` gets, as sample_ids or as the index of y_true."
                f"{hint_of_type(wrong, where)}"
            )
        if len(where) < n_samples:
            twice = next(i for i, n in Counter(ids).items() if n > 1)
            raise ValueError(
                f"SimulatedOracle has several labels for the sample_id {twice!r}. Pass "
                "sample_ids that are unique, or y_true.to_numpy() if the ids are row "
                "numbers."
            )
        return asked if by_number else [where[i] for i in asked]

    def _ids(self, asked, n_samples):
        """Return the ids of the rows of `y_true`, a range if they are numbered."""
        index = index_of(self.y_true)
        if self.sample_ids is None:
            if index is None or is_numbered(index):
                return range(n_samples)
            names = index.tolist()
            fits = set(map(type, names)) & set(map(type, asked))
            return names if fits else range(n_samples)
        check_aligned(self.sample_ids, {"y_true": self.y_true}, owner="sample_ids")
        ids = list_of(self.sample_ids)
        if len(ids) != n_samples:
            raise ValueError(
                f"SimulatedOracle has {n_samples} labels and {len(ids)} sample_ids; "
                "expected one id per label."
            )
        if is_in_other_order(self.y_true, ids):
            return index.tolist()
        return ids

    def _warn_of_two_readings(self, asked, labels, y_true):
        """Warn if the index of `y_true` was used, and positions give other labels."""
        index = index_of(self.y_true)
        if index is None or is_numbered(index) or index_of(self.sample_ids) is not None:
            return
        if self.sample_ids is None:
            rows = asked
            if not all(type(row) is int and 0 <= row < len(y_true) for row in rows):
                return
            remedy = "pass y_true.to_numpy() if the ids are row numbers"
        else:
            where = {i: row for row, i in enumerate(list_of(self.sample_ids))}
            rows = [where[i] for i in asked]
            remedy = "pass y_true.to_numpy() if it is in the order of sample_ids"
        if y_true[rows].tolist() != labels:
            warnings.warn(
                "SimulatedOracle looks ids up in the index of y_true, which gives "
                f"other labels than its order does; {remedy}.",
                UserWarning,
                stacklevel=3,
            )

    def _disturb(self, label, classes, sample_id):
        key = zlib.crc32(str(sample_id).encode())
        rng = np.random.default_rng([int(self.random_state), key])
        abstains, errs = rng.random(2) < (self.abstain, self.noise)
        if abstains:
            return None
        others = [c for c in classes if c != label]
        return others[rng.integers(len(others))] if errs and others else label
