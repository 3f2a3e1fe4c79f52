"""A run: what it was given, what is known, what is queried, and how it ended."""

from dataclasses import dataclass
from functools import partial

import numpy as np

from skactive._loop.history import round_record
from skactive._loop.holdout import Holdout
from skactive._loop.keeping import keeping_labels
from skactive._loop.ledger import Ledger
from skactive._loop.models import Models
from skactive._loop.round import Query
from skactive._loop.selecting import Selector
from skactive.exceptions import OracleError
from skactive.oracles._asking import answer_list, in_order
from skactive.utils._rows import like_given, take_rows


@dataclass(frozen=True)
class End:
    """How a run ended.

    Attributes
    ----------
    condition : str
        The value of `termination_condition_`.

    reason : str or None
        What a stopping criterion gave as its reason.

    n_told : int
        Number of batches of answers that had been recorded before.
    """

    condition: str
    reason: str | None
    n_told: int


class Run:
    """One run of active learning.

    A run goes from round to round: :meth:`ask` begins one and gives its query,
    :meth:`tell` records answers and closes the round with the last of them, and
    :meth:`stop` ends the run early. Everything else reads what it holds.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs.

    Attributes
    ----------
    inputs : Inputs
        The same.

    ledger : Ledger
        What is known about each row: its label, and when it was queried.

    holdout : Holdout
        The random test sample, which may be empty.

    models : Models
        Makes the pool of each round, with what is kept from round to round.

    rounds : list of Round
        The closed rounds, in order.

    history : list of dict
        The records of those that have an answer.

    open : Round or None
        The round in which some rows have no answer yet.

    end : End or None
        How the run ended, once that is known.
    """

    def __init__(self, inputs):
        self.inputs = inputs
        self.holdout = Holdout(inputs)
        self.ledger = Ledger(inputs, self.holdout.rows)
        self.models = Models(inputs, self.ledger)
        self.rounds = []
        self.history = []
        self.open = None
        self.end = None
        self._selector = Selector(inputs)
        self._closed_queries = []
        self._closed_drawn = []

    # What is known

    @property
    def queries(self):
        """Rows that have an answer, in the order of the queries."""
        told = [] if self.open is None else self.open.rows_told.tolist()
        return self._closed_queries + told

    @property
    def n_queries(self):
        """Number of rows that have an answer."""
        n_told = 0 if self.open is None else int(self.open.told.sum())
        return len(self._closed_queries) + n_told

    @property
    def drawn(self):
        """Probability with which each of these rows was drawn, or nan."""
        told = [] if self.open is None else self.open.drawn_told
        return self._closed_drawn + told

    @property
    def number(self):
        """Number of the open round, or of the next one."""
        return len(self.history) + 1

    @property
    def n_left(self):
        """Number of labels that a model of this run can still get."""
        n_left = self.inputs.budget - self.n_queries
        n_left -= int(self.ledger.holdout_left.sum())
        return min(n_left, len(self.ledger.candidates))

    @property
    def condition(self):
        """Why the run has ended, even if `ask` has not noticed yet, or None."""
        if self.end is not None:
            return self.end.condition
        return self._exhausted() if self.open is None else None

    def bought(self):
        """Return the labels of this run and their rows, for an exception."""
        rows = np.array(self.queries, dtype=np.intp)
        rows = rows[self.ledger.labeled[rows]]
        return {"labels": self.ledger.labels(rows), "indices": rows}

    def _exhausted(self):
        """Return why no more rows can be queried, or None."""
        ledger = self.ledger
        if not len(ledger.candidates) and not ledger.holdout_left.any():
            return "all_labeled" if ledger.labeled.all() else "all_asked"
        if self.n_queries >= self.inputs.budget:
            return "budget"
        return None

    # How it goes on

    def ask(self):
        """Return the open rest of the round or, if there is none, begin the next.

        Returns
        -------
        query : Query or None
            None once the run has ended.
        """
        if self.open is None and self.end is None:
            with keeping_labels(self):
                self.begin_round()
        return None if self.open is None else self._query()

    def begin_round(self):
        """Begin the next round, or end the run; `open` or `end` is set."""
        number = self.number
        # Made even if nothing is left to query, as its model may be the final one.
        self.models.begin(self, number)
        chosen, condition, reason = None, self._exhausted(), None
        if condition is None:
            chosen, condition, reason = self._selector.choose(self, number)
        if chosen is None:
            self.end = End(condition, reason, len(self.ledger.told))
            return
        self.ledger.asked_in[chosen.rows] = number
        self.open = chosen

    def record(self, rows, values):
        """Record answers, and close the round with its last one.

        Parameters
        ----------
        rows : ndarray of shape (n_answers,), dtype int
            Rows that were queried, now or before.

        values : list of length n_answers
            Answers.

        Returns
        -------
        refused : list of (int, object, str)
            Rows whose answer is not valid, the answer, and what is wrong with it.
        """
        answered, refused = self.ledger.record(rows, values)
        if self.open is not None:
            self.open.mark_told(answered)
            if self.open.told.all():
                self._close_round()
        return refused

    def tell(self, labels, indices):
        """Record labels, and raise if some of them are not valid.

        Parameters
        ----------
        labels : sequence of length n_labels
            Labels, or None, nan or the missing label for an abstention.

        indices : ndarray of shape (n_labels,), dtype int
            Rows that were queried, now or before.

        Raises
        ------
        OracleError
            If an answer is not a label, or the number of answers is wrong. The other
            labels are recorded.
        """
        rows = np.asarray(indices, dtype=np.intp)
        values = answer_list(
            in_order(labels, self.inputs.names_of(rows)),
            len(rows),
            missing_label=self.inputs.clf.missing_label,
        )
        refused = self.record(rows, values)
        if refused:
            shown = "; ".join(f"row {row}: {why}" for row, _, why in refused[:5])
            raise OracleError(
                f"{len(refused)} of {len(rows)} answers are no valid labels: "
                f"{shown}. The others are recorded.",
                answers=[value for _, value, _ in refused],
            )

    def stop(self, condition):
        """End the run; rows of the open round without an answer were not queried.

        Parameters
        ----------
        condition : str
            The value of `termination_condition_`.
        """
        if self.open is not None:
            self._close_round()
        self.end = End(condition, None, len(self.ledger.told))

    def _close_round(self):
        """Write the record of the open round; rows without an answer leave it."""
        closing = self.open
        self.ledger.asked_in[closing.rows_left] = 0
        record = None
        if closing.told.any():
            record = round_record(self, closing)
            self.history.append(record)
            self.models.learn_from(closing)
            self._closed_queries = self.queries
            self._closed_drawn = self.drawn
        closing.close(record)
        self.rounds.append(closing)
        self.open = None

    def _query(self):
        """Return the rows of the open round that have no answer yet."""
        inputs, rows, pool = self.inputs, self.open.rows_left, self.open.pool
        classes = pool.classes if inputs.classes is None else inputs.classes
        return Query(
            X=like_given(take_rows(inputs.X, rows), inputs.given_X),
            indices=rows,
            sample_ids=None if inputs.sample_ids is None else inputs.sample_ids[rows],
            utilities=self.open.utilities_left,
            round=self.open.number,
            classes=classes.copy(),
            _proba=partial(self.models.proba_for_oracle, self, pool, classes),
        )
