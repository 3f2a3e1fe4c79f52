"""One round: its query, its rows, and the answers so far. Or the end of a run."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from skactive.utils._shown import shown, shown_values


@dataclass(frozen=True)
class Query:
    """The rows to label next.

    Attributes
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_queries
        A copy of the rows, in the same kind of container as the `X` that was given.

    indices : ndarray of shape (n_queries,), dtype int
        Row numbers.

    sample_ids : ndarray of shape (n_queries,) or None
        Ids of the rows. None if no ids were given.

    utilities : ndarray of shape (n_queries,) or None
        Utilities of the rows. None if the strategy does not compute any.

    round : int
        Number of the round, from 1.

    classes : ndarray of shape (n_classes,)
        The closed set of classes if there is one, otherwise the classes seen so far.

    worker : str or None
        The worker to whom the rows are leased.
    """

    X: Any
    indices: np.ndarray
    sample_ids: np.ndarray | None
    utilities: np.ndarray | None
    round: int
    classes: np.ndarray
    _proba: Callable = field(repr=False)
    worker: str | None = None

    def __repr__(self):
        ids = None if self.sample_ids is None else shown_values(self.sample_ids)
        return (
            f"Query(X={shown(self.X)}, indices={shown_values(self.indices)}, "
            f"sample_ids={ids}, round={self.round}, "
            f"classes={shown_values(self.classes)})"
        )

    def __len__(self):
        return len(self.indices)

    def __getstate__(self):
        # The probabilities of these rows in place of the pool and its model.
        return vars(self) | {"_proba": partial(_kept_proba, self.proba)}

    @property
    def proba(self):
        """Predicted probabilities, of shape (n_queries, n_classes), or None.

        The columns are those of `classes`. It is None in a cold start, if the estimator
        has no `predict_proba`, and if there are no rows.
        """
        # Computed on access, as most oracles do not use it. Most estimators refuse to
        # predict for no rows.
        return self._proba(self.indices) if len(self) else None


def _kept_proba(proba, rows):
    return proba


class Round:
    """The rows queried in one round, and which of them have an answer.

    Parameters
    ----------
    number : int
        Number of the round, from 1.

    pool : Pool
        The pool that the rows were selected from.

    selected_by : str
        Name of the strategy, "holdout", "again" (rows of the queue) or "left over"
        (rows that an earlier process handed out).

    selection : Selection
        The rows, with their utilities and probabilities.

    select_seconds : float
        Time spent on the selection, without fitting models.

    n_seen : int
        Number of entries of the log when the pool was made.

    Attributes
    ----------
    rows : ndarray of shape (n_rows,), dtype int
        Row numbers, in the order of the query.

    probabilities : ndarray of shape (n_rows,) or None
        Probability with which each row was drawn, among the rows left at that moment.

    told : ndarray of shape (n_rows,), dtype bool
        Mask of the rows that have an answer.

    record : dict or None
        The record for `history_`. None while the round is open, and for a round that
        was closed without an answer.
    """

    def __init__(self, number, pool, selected_by, selection, *, select_seconds, n_seen):
        self.number = number
        self.pool = pool
        self.selected_by = selected_by
        self.rows = selection.rows
        self.probabilities = selection.probabilities
        self.utilities = selection.utilities
        self.best_utility = selection.best_utility
        self.mean_utility = selection.mean_utility
        self.select_seconds = select_seconds
        self.n_seen = n_seen
        self.told = np.zeros(len(self.rows), dtype=bool)
        self.record = None
        self._position = {row: place for place, row in enumerate(self.rows.tolist())}
        self._asked_at = time.perf_counter()

    @property
    def rows_left(self):
        """The rows without an answer."""
        return self.rows[~self.told]

    @property
    def rows_told(self):
        """The rows with an answer."""
        return self.rows[self.told]

    def utilities_of(self, rows):
        """Return the utilities of some of its rows, or None."""
        if self.utilities is None:
            return None
        return self.utilities[[self._position[row] for row in rows.tolist()]]

    @property
    def probabilities_told(self):
        """Probability with which each row with an answer was drawn; nan if unknown."""
        if self.probabilities is None:
            return [np.nan] * int(self.told.sum())
        # Each is a probability among the rows left when all rows before it were drawn.
        # It means nothing if one of these never gets an answer, as then that row
        # counts as not queried.
        is_next = np.logical_and.accumulate(self.told)
        return np.where(is_next, self.probabilities, np.nan)[self.told].tolist()

    @property
    def oracle_seconds(self):
        """Time since the query."""
        return time.perf_counter() - self._asked_at

    def mark_told(self, rows):
        """Mark rows (a list) as answered. Rows of other rounds are ignored."""
        where = (self._position.get(row) for row in rows)
        self.told[[position for position in where if position is not None]] = True

    def restore(self, record, probabilities):
        """Set the times and the probabilities that were saved with this round."""
        self.select_seconds = record["select_seconds"]
        self._asked_at = time.perf_counter() - record["oracle_seconds"]
        if probabilities is not None:
            drawn = [np.nan if p is None else p for p in probabilities]
            self.probabilities = np.array(drawn)

    def close(self, record):
        """Close the round with its record, or with None."""
        self.record = record
        # The pool holds models and outputs for all candidates, and rounds are kept.
        self.pool = None
        self.utilities = None


@dataclass(frozen=True)
class End:
    """How a run ended.

    Attributes
    ----------
    condition : str
        The value of `termination_condition_`.

    reason : str or None
        The reason that a stopping criterion gave.

    """

    condition: str
    reason: str | None
