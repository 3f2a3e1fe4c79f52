"""One round: the rows whose labels are wanted, and the answers so far."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from skactive.utils._shown import shown, shown_values


@dataclass(frozen=True)
class Query:
    """Rows whose labels are wanted.

    Attributes
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_queries
        The rows, copied, in the container of the `X` that was given.

    indices : ndarray of shape (n_queries,), dtype int
        Their row numbers.

    sample_ids : ndarray of shape (n_queries,) or None
        Their ids, if ids were given.

    utilities : ndarray of shape (n_queries,) or None
        Their utilities, if the strategy gives any.

    round : int
        Number of the round, from 1.

    classes : ndarray of shape (n_classes,)
        The closed set of classes, or the classes seen so far.
    """

    X: Any
    indices: np.ndarray
    sample_ids: np.ndarray | None
    utilities: np.ndarray | None
    round: int
    classes: np.ndarray
    _proba: Callable = field(repr=False)

    def __repr__(self):
        ids = None if self.sample_ids is None else shown_values(self.sample_ids)
        return (
            f"Query(X={shown(self.X)}, indices={shown_values(self.indices)}, "
            f"sample_ids={ids}, round={self.round}, "
            f"classes={shown_values(self.classes)})"
        )

    def __len__(self):
        return len(self.indices)

    @property
    def proba(self):
        """Probabilities that the model predicts, (n_queries, n_classes), or None."""
        return self._proba(self.indices)


class Round:
    """The rows queried in one round, and which of them have an answer.

    Parameters
    ----------
    number : int
        Number of the round, from 1.

    pool : Pool
        What the strategy saw.

    name : str
        The strategy, or "holdout".

    selection : Selection
        The rows, and what is known about the choice.

    select_seconds : float
        Time that the selection took, without fitting models.

    n_told : int
        Number of batches of answers that had been recorded before.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,), dtype int
        Row numbers, in the order of the query.

    drawn : ndarray of shape (n_rows,) or None
        Probability with which each row was drawn among those left.

    told : ndarray of shape (n_rows,), dtype bool
        Which rows have an answer.

    record : dict or None
        The record for `history_`, once the round is closed and has an answer.
    """

    def __init__(self, number, pool, name, selection, select_seconds, n_told):
        self.number = number
        self.pool = pool
        self.name = name
        self.rows = selection.rows
        self.drawn = selection.probabilities
        self.utilities = selection.utilities
        self.best_utility = selection.best_utility
        self.mean_utility = selection.mean_utility
        self.select_seconds = select_seconds
        self.n_told = n_told
        self.told = np.zeros(len(self.rows), dtype=bool)
        self.record = None
        self._asked_at = time.perf_counter()

    @property
    def rows_left(self):
        """The rows without an answer."""
        return self.rows[~self.told]

    @property
    def rows_told(self):
        """The rows with an answer."""
        return self.rows[self.told]

    @property
    def utilities_left(self):
        """Utilities of the rows without an answer, or None."""
        return None if self.utilities is None else self.utilities[~self.told]

    @property
    def drawn_told(self):
        """Probability with which each row with an answer was drawn, or nan.

        It is a probability among the rows then left, so it means nothing for a row
        that was drawn after one that has no answer yet and may never get one.
        """
        if self.drawn is None:
            return [np.nan] * int(self.told.sum())
        is_next = np.logical_and.accumulate(self.told)
        return np.where(is_next, self.drawn, np.nan)[self.told].tolist()

    @property
    def oracle_seconds(self):
        """Time since the query."""
        return time.perf_counter() - self._asked_at

    def mark_told(self, rows):
        """Mark rows as answered; rows of other rounds are ignored."""
        self.told |= np.isin(self.rows, rows)

    def restore(self, *, select_seconds, oracle_seconds, drawn):
        """Take over what was measured and drawn when a saved round was queried."""
        self.select_seconds = select_seconds
        self._asked_at = time.perf_counter() - oracle_seconds
        if drawn is not None:
            self.drawn = np.array(drawn)

    def close(self, record):
        """End the round with its record, and let go of models and outputs."""
        self.record = record
        self.pool = None
        self.utilities = None
