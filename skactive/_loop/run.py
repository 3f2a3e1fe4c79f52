"""A run: its inputs, the labels known, the rounds, and how it ended."""

from functools import partial

import numpy as np

from skactive._loop.history import round_record
from skactive._loop.holdout import Holdout
from skactive._loop.ledger import Ledger
from skactive._loop.models import Models
from skactive._loop.round import End, Query
from skactive._loop.selecting import Selector
from skactive.exceptions import OracleError
from skactive.oracles._asking import answer_list, in_order
from skactive.utils._rows import like_given, take_rows


class Run:
    """One run of active learning.

    A run is a sequence of rounds. :meth:`ask` begins a round and returns its query,
    :meth:`tell` records answers and closes the round after the last one, and
    :meth:`stop` ends the run early.

    Errors leave a run without the labels bought so far. Callers attach them, see
    :func:`~skactive._loop.keeping.keeping_labels`.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs.

    Attributes
    ----------
    inputs : Inputs
        The checked inputs.

    ledger : Ledger
        The label of each row, and the round in which it was queried.

    holdout : Holdout
        The random test sample, which may be empty.

    models : Models
        Makes the pool of each round.

    rounds : list of Round
        The closed rounds, in order.

    history : list of dict
        The records of the closed rounds that have at least one answer.

    open : Round or None
        The round in which some rows have no answer yet.

    end : End or None
        How the run ended; None while it goes on.
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
        # The rows of the closed rounds, and the probabilities they were drawn with.
        self._closed_rows = []
        self._closed_probabilities = []

    # State

    @property
    def query_indices(self):
        """Rows that have an answer, in the order in which they were queried."""
        told = [] if self.open is None else self.open.rows_told.tolist()
        return self._closed_rows + told

    @property
    def n_queries(self):
        """Number of rows that have an answer."""
        n_told = 0 if self.open is None else int(self.open.told.sum())
        return len(self._closed_rows) + n_told

    @property
    def query_probabilities(self):
        """Probability with which each of these rows was drawn; nan if unknown."""
        told = [] if self.open is None else self.open.probabilities_told
        return self._closed_probabilities + told

    @property
    def number(self):
        """Number of the open round or, if there is none, of the next one."""
        # A round that was stopped before its first answer leaves no record. Its
        # number is used again.
        return len(self.history) + 1

    @property
    def n_left(self):
        """Number of labels that a model can still be trained on in this run."""
        n_left = self.inputs.budget - self.n_queries
        # Labels of the test sample cost budget, but do not train.
        n_left -= int(self.ledger.holdout_left.sum())
        return min(n_left, len(self.ledger.candidates))

    @property
    def condition(self):
        """The value of `termination_condition_`; None while the run goes on.

        It is known as soon as the last answer is, while `end` is set by the next
        :meth:`ask`.
        """
        if self.end is not None:
            return self.end.condition
        return self._exhausted() if self.open is None else None

    def bought(self):
        """Return the labels bought so far and their rows, for an exception."""
        rows = np.array(self.query_indices, dtype=np.intp)
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

    # Progress

    def ask(self):
        """Return the rows of the open round without an answer, or begin a round.

        Returns
        -------
        query : Query or None
            None if the run has ended.
        """
        if self.open is None and self.end is None:
            self.begin_round()
        return None if self.open is None else self._query()

    def begin_round(self):
        """Begin the next round, or end the run: either `open` or `end` is set."""
        condition = self._exhausted()
        # Before the pool is made: a run that is over stays so, even if the teacher of
        # the pool cannot be fitted.
        if condition is not None:
            self.end = End(condition, None, len(self.ledger.batches))
        # Made even if no row is left to query, so that the last pool is never that of
        # an earlier round: the seed of the final committee is that of the last pool.
        self.models.begin(self)
        if self.end is not None:
            return
        step = self._selector.choose(self)
        if isinstance(step, End):
            self.end = step
            return
        self.ledger.asked_in[step.rows] = step.number
        self.open = step

    def record(self, rows, values):
        """Record answers, and close the round after the last one.

        Parameters
        ----------
        rows : ndarray of shape (n_answers,), dtype int
            Rows that were queried, in this round or in an earlier one.

        values : list of length n_answers
            Answers.

        Returns
        -------
        refused : list of (int, object, str)
            The rows whose answer is not valid, the answer, and the reason.
        """
        # Valid answers are recorded before anything is done with them or raised about
        # the others: a label that was paid for must not get lost.
        answered, refused = self.ledger.record(rows, values)
        if self.open is not None:
            self.open.mark_told(answered)
            if self.open.told.all():
                self._close_round()
        self.ledger.warn()
        return refused

    def tell(self, labels, indices):
        """Record labels, and raise if some of them are not valid.

        Parameters
        ----------
        labels : sequence of length n_labels
            Labels. None, nan or the missing label is an abstention.

        indices : ndarray of shape (n_labels,), dtype int
            Rows that were queried, in this round or in an earlier one.

        Raises
        ------
        OracleError
            If an answer is not a valid label, or the number of answers is wrong. The
            valid labels are recorded.
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
                f"{len(refused)} of {len(rows)} answers are not valid labels: "
                f"{shown}. The others are recorded.",
                answers=[value for _, value, _ in refused],
            )

    def stop(self, condition):
        """End the run.

        Rows of the open round without an answer count as not queried.

        Parameters
        ----------
        condition : str
            The value of `termination_condition_`.
        """
        if self.open is not None:
            self._close_round()
        self.end = End(condition, None, len(self.ledger.batches))

    def _close_round(self):
        closing = self.open
        # Without an answer a row was not queried, and a round did not happen: it costs
        # no budget, has no record, and no model learns from it.
        self.ledger.asked_in[closing.rows_left] = 0
        record = None
        if closing.told.any():
            record = round_record(self, closing)
            self.history.append(record)
            self.models.learn_from(closing)
            self._closed_rows += closing.rows_told.tolist()
            self._closed_probabilities += closing.probabilities_told
        closing.close(record)
        self.rounds.append(closing)
        self.open = None

    def _query(self):
        """Return a query for the rows of the open round without an answer."""
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
