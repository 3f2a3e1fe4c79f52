"""A run: its inputs, labels, rounds and end."""

import threading
from functools import partial

import numpy as np

from skactive._loop.history import begun_record, round_record
from skactive._loop.holdout import Holdout
from skactive._loop.ledger import Ledger, parse_all
from skactive._loop.log import Log
from skactive._loop.models import Models
from skactive._loop.round import End, Query
from skactive._loop.rounds import Rounds
from skactive._loop.selecting import Selector
from skactive.exceptions import OracleError
from skactive.oracles._asking import answer_list, in_order
from skactive.utils._rows import like_given, take_rows

_LOCKS = ("lock", "beginning")


class Run:
    """One run of active learning.

    A run is a sequence of rounds. :meth:`ask` begins a round and returns its query,
    :meth:`tell` records answers and closes the round after the last one, and
    :meth:`stop` ends the run early. Several threads may ask and tell.

    The errors that a run raises do not have the labels bought so far. Callers attach
    them, see :func:`~skactive._loop.keeping.keeping_labels`.

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

    rounds : Rounds
        The closed rounds, the open one, and the rows queried in them.

    log : Log
        What has happened, to be written to a file.

    queue : list of int
        Rows to ask about again, before any others.

    left_over : dict of int to int
        Rows without an answer that an earlier process handed out, and the numbers of
        their rounds. They come before any others.

    end : End or None
        How the run ended; None while it goes on.

    journal : Journal or None
        Writes the log to the session at every change. None without a session.

    saved_in : Journal or None
        Writes the log to the file of a saved loop, when the loop is saved.

    lock : RLock
        Held while the run changes. It is never held while a model is fitted.

    beginning : Lock
        Held while a round begins, and so while a strategy changes.
    """

    def __init__(self, inputs):
        self.inputs = inputs
        self.holdout = Holdout(inputs, inputs.past)
        self.ledger = Ledger(inputs, self.holdout, inputs.past)
        self.models = Models(inputs, self.ledger)
        self.rounds = Rounds(inputs)
        self.log = Log(inputs)
        self.queue = list(inputs.past.queue)
        self.left_over = dict(inputs.past.left_over)
        self.end = None
        self.journal = None
        self.saved_in = None
        self._selector = Selector(inputs)
        self._make_locks()

    def _make_locks(self):
        self.lock = threading.RLock()
        self.beginning = threading.Lock()

    def __getstate__(self):
        return {k: v for k, v in vars(self).items() if k not in _LOCKS}

    def __setstate__(self, state):
        vars(self).update(state)
        self._make_locks()

    # State

    @property
    def has_questions(self):
        """Whether rows are in the queue or left over, so no strategy has to select."""
        settled = self.ledger.settled
        return bool(self.queue) or any(not settled[row] for row in self.left_over)

    @property
    def n_left(self):
        """Number of labels that a model can still be trained on in this run."""
        # Labels of the test sample cost budget, but do not train.
        n_left = self.rounds.budget_left - int(self.ledger.holdout_left.sum())
        return min(n_left, len(self.ledger.candidates))

    @property
    def condition(self):
        """The value of `termination_condition_`; None while the run goes on.

        It is known as soon as the last answer is, while `end` is set by the next
        :meth:`ask`.
        """
        if self.end is not None:
            return self.end.condition
        return self._exhausted() if self.rounds.open is None else None

    def bought(self):
        """Return the labels bought so far and their rows, for an exception."""
        # A row that was asked about twice has one label.
        rows = np.array(list(dict.fromkeys(self.rounds.query_indices)), dtype=np.intp)
        rows = rows[self.ledger.labeled[rows]]
        return {"labels": self.ledger.labels(rows), "indices": rows}

    def _exhausted(self):
        """Return why no more rows can be queried, or None."""
        ledger = self.ledger
        left = len(ledger.candidates) or ledger.holdout_left.any()
        if not (left or self.has_questions):
            return "all_labeled" if ledger.labeled.all() else "all_asked"
        if self.rounds.budget_left <= 0:
            return "budget"
        return None

    # Progress

    def ask(self, take=None):
        """Return the rows of the open round without an answer, or begin a round.

        Parameters
        ----------
        take : callable or None, default=None
            ``take(rows) -> list`` chooses some of these rows, perhaps none. All of them
            if None.

        Returns
        -------
        query : Query or None
            None if the run has ended.
        """
        while True:
            with self.lock:
                # A round that could not be written is not handed out.
                if self.journal is not None and self.journal.is_behind(self):
                    self.commit()
                if self.rounds.open is not None:
                    if self.journal is not None:
                        self.journal.raise_if_diverged(self)
                    rows = self.rounds.open.rows_left
                    if take is not None:
                        rows = np.array(take(rows), dtype=np.intp)
                    return self._query(rows)
                if self.end is not None:
                    return None
            # Others may tell meanwhile. They may also ask, and wait here.
            with self.beginning:
                if self.rounds.open is None and self.end is None:
                    self.begin_round()

    def begin_round(self):
        """Begin the next round, or end the run: either `open` or `end` is set.

        Both are None only if others have meanwhile told labels for all its rows.
        """
        self.commit()  # takes in what others have written to the file
        condition = self._exhausted()
        # Set before the pool is made: a run that is over stays so, even if the teacher
        # of the pool cannot be fitted.
        self.end = ended = None if condition is None else End(condition, None)
        # Made even if no row is left to query, so that the last pool is never that of
        # an earlier round: the seed of the final committee is that of the last pool.
        self.models.begin(self)
        step = ended or self._selector.choose(self)
        with self.lock:
            if isinstance(step, End):
                # Rows put in the queue meanwhile are still to be queried.
                was_reset = ended is None or self.end is None
                self.end = None if was_reset and self.has_questions else step
                self.log.note(
                    "end",
                    condition=step.condition,
                    reason=step.reason,
                    n_seen=self.models.n_seen,
                )
            else:
                self._open(step)
            self.commit()

    def _open(self, opened):
        """Open a round."""
        ledger, rows = self.ledger, opened.rows
        self.rounds.open = opened
        for row in rows.tolist():
            self.left_over.pop(row, None)
        if not self.log.is_replayed:
            self._note_round(opened)
        if opened.selected_by != "again":
            # Rows that got an answer, or were skipped, while they were being selected.
            told = rows[ledger.settled[rows]]
            ledger.asked_in[rows] = opened.number
            ledger.labeled_iter[told[ledger.labeled[told]]] = opened.number
            opened.mark_told(told.tolist())
        if opened.told.all():
            self._close_round()

    def _note_round(self, opened):
        rows, cost = opened.rows, self.inputs.cost
        self.log.note(
            "round",
            round=opened.number,
            strategy=opened.selected_by,
            rows=rows.tolist(),
            probabilities=_as_list(opened.probabilities),
            n_seen=opened.n_seen,
            record=begun_record(self, opened),
            costs=None if cost is None else cost[rows].tolist(),
        )

    def record(self, rows, values, by=None):
        """Record answers, and close the round after the last one.

        Parameters
        ----------
        rows : list of int of length n_answers
            Rows. Those that were never queried cost no budget.

        values : list of length n_answers
            Answers.

        by : str or None, default=None
            Who gave them.

        Returns
        -------
        refused : list of (int, object, str)
            The rows whose answer is not valid, the answer, and the reason.
        """
        rounds = self.rounds
        again = rounds.asked_again
        asked_in = self.left_over | dict.fromkeys(again, rounds.number)
        answered, refused, new, corrected, ignored = self.ledger.record(
            rows, values, asked_again=again, asked_in=asked_in
        )
        # A replay needs these; an answer that changes nothing is left out.
        told = {row for row, _ in new}
        again = [row for row in answered if row in again and row not in told]
        new += [(row, self.ledger.label(row)) for row in again]
        if new:
            free = rounds.take_uncharged([row for row, _ in new])
            self.log.note("told", new, by=by or self.log.who, free=free)
        if corrected:
            self.log.note_corrections(corrected, by, asked=True)
        if ignored:
            self.log.note("contradiction", ignored, by=by or self.log.who)
        # After its answer, a row may be put in the queue once more.
        done = rounds.asked_again.intersection(answered)
        self.queue = [row for row in self.queue if row not in done]
        # Rows that another process has handed out were queried, too.
        rounds.add_late({r: self.left_over.pop(r) for r in told if r in self.left_over})
        if rounds.open is not None:
            rounds.open.mark_told(answered)
            if rounds.open.told.all():
                self._close_round()
        return refused

    def tell(self, labels, indices, *, by=None):
        """Record labels, and raise if some of them are not valid.

        Parameters
        ----------
        labels : sequence of length n_labels
            Labels. None, nan or the missing label is an abstention.

        indices : ndarray of shape (n_labels,), dtype int
            Rows.

        by : str or None, default=None
            Who gave the labels.

        Raises
        ------
        OracleError
            If an answer is not a valid label, or the number of answers is wrong. The
            valid labels are recorded.
        """
        rows, values = self._answers(labels, indices)
        # Valid answers are recorded and written before anything is done with them or
        # raised about the others: a label that was paid for must not get lost.
        with self.lock:
            refused = self.record(rows.tolist(), values, by)
            self.commit()
        self.ledger.warn()
        if refused:
            raise self._not_labels(refused, len(rows))

    def correct(self, labels, indices, *, by=None):
        """Replace labels; None takes a label back.

        Parameters
        ----------
        labels : sequence of length n_labels
            Labels.

        indices : ndarray of shape (n_labels,), dtype int
            Rows.

        by : str or None, default=None
            Who corrects.

        Raises
        ------
        OracleError
            If a label is not valid. Nothing is corrected then.
        """
        rows, values = self._answers(labels, indices)
        with self.lock:
            parsed, refused = parse_all(self.ledger, rows.tolist(), values)
            if refused:
                raise self._not_labels(refused, len(rows), "Nothing was corrected.")
            self.replace(parsed, by)
            self.commit()
        self.ledger.warn()

    def replace(self, answers, by=None):
        """Replace labels by labels that have been parsed.

        Parameters
        ----------
        answers : list of (int, label or None)
            Rows and labels.

        by : str or None, default=None
            Who corrects.
        """
        # A correction of a row that is being asked about is its answer.
        opened = self.rounds.open
        left = () if opened is None else opened.rows_left.tolist()
        first = [(row, label) for row, label in answers if row in left]
        if first:
            self.record(*zip(*first, strict=True), by)
        corrected = []
        for row, label in answers:
            if row in left:
                continue
            old = self.ledger.label(row)
            if label != old or not self.ledger.settled[row]:
                corrected.append((row, old, label))
                self.ledger.replace(row, label)
        if corrected:
            self.log.note_corrections(corrected, by, asked=False)

    def _answers(self, labels, indices):
        rows = np.asarray(indices, dtype=np.intp)
        values = answer_list(
            in_order(labels, self.inputs.names_of(rows)),
            len(rows),
            missing_label=self.inputs.clf.missing_label,
        )
        return rows, values

    def _not_labels(self, refused, n_answers, then="The others are recorded."):
        title = self.inputs.title
        shown = "; ".join(f"row {title(row)}: {why}" for row, _, why in refused[:5])
        return OracleError(
            f"{len(refused)} of {n_answers} answers are not valid labels: {shown}. "
            f"{then}",
            answers=[value for _, value, _ in refused],
        )

    def ask_again(self, rows):
        """Put rows in the queue; the next rounds query them."""
        with self.lock:
            self.enqueue(np.asarray(rows).tolist())
            self.commit()

    def enqueue(self, rows):
        """Put rows, a list, in the queue, without writing to the file."""
        rows = [row for row in dict.fromkeys(rows) if row not in self.queue]
        self.queue += rows
        self.log.note("again", [(row, None) for row in rows])
        self.end = None  # there are questions left

    def stop(self, condition):
        """End the run.

        Rows of the open round without an answer count as not queried.

        Parameters
        ----------
        condition : str
            The value of `termination_condition_`.
        """
        with self.lock:
            if self.rounds.open is not None:
                self._close_round()
            self.end = End(condition, None)
            self.log.note("stop", condition=condition)
            self.commit()

    def commit(self):
        """Write what is new to the file, if there is one."""
        if self.journal is not None:
            self.journal.write(self)

    def _close_round(self):
        closing = self.rounds.open
        # Without an answer a row was not queried, and a round did not happen: it costs
        # no budget, has no record, and no model learns from it.
        if closing.selected_by != "again":
            self.ledger.asked_in[closing.rows_left] = 0
        told, drawn = closing.rows_told.tolist(), closing.probabilities_told
        record = round_record(self, closing) if told else None
        if told:
            self.models.learn_from(closing)
        self.rounds.close(record)
        self.log.note(
            "closed",
            round=closing.number,
            rows=told,
            probabilities=_as_list(np.array(drawn)),
            record=record,
        )

    def _query(self, rows):
        """Return a query for rows of the open round."""
        inputs, opened, pool = self.inputs, self.rounds.open, self.rounds.open.pool
        classes = pool.classes if inputs.classes is None else inputs.classes
        return Query(
            X=like_given(take_rows(inputs.X, rows), inputs.given_X),
            indices=rows,
            sample_ids=None if inputs.sample_ids is None else inputs.sample_ids[rows],
            utilities=opened.utilities_of(rows),
            round=opened.number,
            classes=classes.copy(),
            _proba=partial(self.models.proba_for_oracle, self, pool, classes),
        )


def _as_list(probabilities):
    """Return probabilities for JSON, with None in place of nan."""
    if probabilities is None:
        return None
    return [None if np.isnan(drawn) else drawn for drawn in probabilities.tolist()]
