"""A run: its inputs, the labels known, the rounds, and how it ended."""

import threading
import time
from functools import partial

import numpy as np

from skactive._loop.history import begun_record, round_record
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
    :meth:`stop` ends the run early. Several threads may ask and tell.

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
        The closed rounds of this run, in order.

    history : list of dict
        The records of the closed rounds that have at least one answer.

    corrections : list of dict
        The records of labels that were replaced.

    queue : list of int
        Rows to ask about again, before any others.

    open : Round or None
        The round in which some rows have no answer yet.

    end : End or None
        How the run ended; None while it goes on.

    log : list of dict
        What has happened, for files: the kind of each entry, and its rows.

    journal : Journal or None
        Writes the log to the session whenever something has happened.

    saved_in : Journal or None
        Writes the log to the file of a saved loop when it is saved.

    lock : RLock
        Held while the run changes. It is never held while a model is fitted.
    """

    def __init__(self, inputs):
        past = inputs.past
        self.inputs = inputs
        self.holdout = Holdout(inputs, past)
        self.ledger = Ledger(inputs, self.holdout, past)
        self.models = Models(inputs, self.ledger)
        self.rounds = []
        self.history = list(past.history)
        self.corrections = list(past.corrections)
        self.queue = list(past.queue)
        self.open = None
        self.end = None
        self.log = [{"kind": "begin"}]
        self.journal = None
        self.saved_in = None
        self.lock = threading.RLock()
        self._beginning = threading.Lock()
        self._selector = Selector(inputs)
        # The rows of the closed rounds, and the probabilities they were drawn with.
        self._closed_rows = [row for row, _, _ in past.queried]
        self._closed_probabilities = [drawn for _, _, drawn in past.queried]
        self._n_restored = len(past.queried)
        self._past = past
        self._uncharged = set()
        self._n_free = 0

    # State

    @property
    def query_indices(self):
        """Rows that have an answer, in the order in which they were queried."""
        told = [] if self.open is None else self.open.rows_told.tolist()
        return self._closed_rows + told

    @property
    def n_queries(self):
        """Number of rows that have an answer, those of earlier runs included."""
        n_told = 0 if self.open is None else int(self.open.told.sum())
        return len(self._closed_rows) + self._past.n_gone + n_told

    @property
    def budget_left(self):
        """Number of rows that may still be queried, as far as the budget goes."""
        n_charged = self._past.n_charged - self._n_free
        n_charged += self.n_queries - self._n_restored - self._past.n_gone
        return self.inputs.limit - n_charged

    @property
    def total_cost(self):
        """Cost of all queries, those of earlier runs included."""
        new = self.query_indices[self._n_restored :]
        return self._past.total_cost + float(self.inputs.cost[new].sum())

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
        # Labels of the test sample cost budget, but do not train.
        n_left = self.budget_left - int(self.ledger.holdout_left.sum())
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

    @property
    def _who(self):
        """Who answers if nothing else is said; None without a session."""
        return None if self.journal is None else self.journal.session.who

    def bought(self):
        """Return the labels bought so far and their rows, for an exception."""
        # A row that was asked about twice has one label.
        rows = np.array(list(dict.fromkeys(self.query_indices)), dtype=np.intp)
        rows = rows[self.ledger.labeled[rows]]
        return {"labels": self.ledger.labels(rows), "indices": rows}

    def answered(self, rows):
        """Return those of some rows that have an answer."""
        left = () if self.open is None else self.open.rows_left.tolist()
        return [row for row in rows if row not in left]

    def _exhausted(self):
        """Return why no more rows can be queried, or None."""
        ledger = self.ledger
        if not (len(ledger.candidates) or ledger.holdout_left.any() or self.queue):
            return "all_labeled" if ledger.labeled.all() else "all_asked"
        if self.budget_left <= 0:
            return "budget"
        return None

    # Progress

    def ask(self, take=None):
        """Return the rows of the open round without an answer, or begin a round.

        Parameters
        ----------
        take : callable or None, default=None
            ``take(rows) -> list`` chooses some of these rows, perhaps none. None for
            all of them.

        Returns
        -------
        query : Query or None
            None if the run has ended.
        """
        while True:
            with self.lock:
                if self.open is not None:
                    rows = self.open.rows_left
                    if take is not None:
                        rows = np.array(take(rows), dtype=np.intp)
                    return self._query(rows)
                if self.end is not None:
                    return None
            # Others may tell meanwhile. They may also ask, and wait here.
            with self._beginning:
                if self.open is None and self.end is None:
                    self.begin_round()

    def begin_round(self):
        """Begin the next round, or end the run: either `open` or `end` is set.

        Only in the case that others have told labels for all its rows meanwhile, both
        are None.
        """
        self.commit()  # what others have written to the file counts
        condition = self._exhausted()
        # Before the pool is made: a run that is over stays so, even if the teacher of
        # the pool cannot be fitted.
        if condition is not None:
            self.end = End(condition, None)
        # Made even if no row is left to query, so that the last pool is never that of
        # an earlier round: the seed of the final committee is that of the last pool.
        self.models.begin(self)
        step = self.end or self._selector.choose(self)
        with self.lock:
            if isinstance(step, End):
                self.end = step
                self._note(
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
        self.open = opened
        self._note(
            "round",
            round=opened.number,
            strategy=opened.selected_by,
            rows=rows.tolist(),
            probabilities=_as_list(opened.probabilities),
            n_seen=opened.n_seen,
            record=begun_record(self, opened),
        )
        first_time = rows[ledger.asked_in[rows] == 0]
        ledger.asked_in[first_time] = opened.number
        if opened.selected_by != "again":
            # Labels that were told while the rows were being selected.
            told = rows[ledger.labeled[rows]]
            ledger.labeled_iter[told] = opened.number
            opened.mark_told(told.tolist())
        if opened.told.all():
            self._close_round()

    def record(self, rows, values, *, by=None):
        """Record answers, and close the round after the last one.

        Parameters
        ----------
        rows : ndarray of shape (n_answers,), dtype int
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
        # Valid answers are recorded before anything is done with them or raised about
        # the others: a label that was paid for must not get lost.
        with self.lock:
            refused = self._record(np.asarray(rows).tolist(), values, by)
            self.commit()
        self.ledger.warn()
        return refused

    def _record(self, rows, values, by):
        again = self._asked_again()
        answered, refused, new, corrected = self.ledger.record(
            rows, values, asked_again=again
        )
        # A saved run replays these; an answer that changes nothing is left out.
        told = {row for row, _ in new}
        again = [row for row in answered if row in again and row not in told]
        new += [(row, self.ledger.label(row)) for row in again]
        by = by or self._who
        if new:
            free = [row for row, _ in new if row in self._uncharged]
            self._n_free += len(free)
            self._uncharged.difference_update(free)
            self._note("told", new, by=by, free=free)
        if corrected:
            self._note_corrections(corrected, by, asked=True)
        if self.open is not None:
            self.open.mark_told(answered)
            if self.open.told.all():
                self._close_round()
        return refused

    def _asked_again(self):
        """Return the rows of the open round that had been queried before."""
        if self.open is None or self.open.selected_by != "again":
            return frozenset()
        return frozenset(self.open.rows_left.tolist())

    def uncharge(self, rows):
        """Let the answers of some rows of the open round cost no budget."""
        self._uncharged.update(np.asarray(rows).tolist())

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
        refused = self.record(rows, values, by=by)
        if refused:
            raise _not_labels(refused, len(rows))

    def correct(self, labels, indices, *, by=None):
        """Replace labels; None takes a label back.

        Parameters
        ----------
        labels : sequence of length n_labels
            Labels.

        indices : ndarray of shape (n_labels,), dtype int
            Rows.

        by : str or None, default=None
            Who corrects them.

        Raises
        ------
        OracleError
            If one of them is not a valid label. Then nothing is corrected.
        """
        rows, values = self._answers(labels, indices)
        with self.lock:
            parsed, refused = [], []
            for row, value in zip(rows.tolist(), values, strict=True):
                try:
                    parsed.append((row, self.ledger.parse(value)))
                except ValueError as error:
                    refused.append((row, value, str(error)))
            if refused:
                raise _not_labels(refused, len(rows), "Nothing was corrected.")
            self._correct(parsed, by)
            self.commit()
        self.ledger.warn()

    def _correct(self, answers, by):
        corrected = []
        for row, label in answers:
            corrected.append((row, self.ledger.label(row), label))
            self.ledger.replace(row, label)
        self._note_corrections(corrected, by, asked=False)

    def _answers(self, labels, indices):
        rows = np.asarray(indices, dtype=np.intp)
        values = answer_list(
            in_order(labels, self.inputs.names_of(rows)),
            len(rows),
            missing_label=self.inputs.clf.missing_label,
        )
        return rows, values

    def ask_again(self, rows):
        """Put rows into the queue; the next rounds ask about them."""
        with self.lock:
            self._ask_again(np.asarray(rows).tolist())
            self.commit()

    def _ask_again(self, rows):
        rows = [row for row in dict.fromkeys(rows) if row not in self.queue]
        self.queue += rows
        self._note("again", [(row, None) for row in rows])
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
            if self.open is not None:
                self._close_round()
            self.end = End(condition, None)
            self._note("stop", condition=condition)
            self.commit()

    def repeat(self, entry):
        """Do again what an entry of a log says about labels.

        Parameters
        ----------
        entry : dict
            An entry of the kind "told", "correction" or "again"; others do nothing.
        """
        if entry["kind"] == "told":
            self.uncharge(entry["free"])
            self._record(entry["rows"], entry["labels"], entry.get("by"))
        # A correction of a row that was asked about again follows from its answer.
        elif entry["kind"] == "correction" and not entry.get("asked"):
            answers = zip(entry["rows"], entry["labels"], strict=True)
            self._correct(answers, entry["by"])
        elif entry["kind"] == "again":
            self._ask_again(entry["rows"])

    def take_in(self, entries, n_written):
        """Take in what others have written to the file of this run.

        Parameters
        ----------
        entries : list of dict
            Their entries, with rows of this run.

        n_written : int
            Number of entries of this run that are in the file before them.
        """
        pending, self.log = self.log[n_written:], self.log[:n_written]
        closed = {e["round"] for e in entries if e["kind"] == "closed"}
        for entry in entries:
            if entry["kind"] == "told":
                # The first answer in the file stays.
                for row, label in zip(entry["rows"], entry["labels"], strict=True):
                    if label is not None and row not in self._asked_again():
                        self.ledger.replace(row, label)
            self.repeat(entry)
        # Their answers may have closed the round, and only one of us says so.
        made = [e for e in self.log[n_written:] if e["kind"] == "closed"]
        made = [entry for entry in made if entry["round"] not in closed]
        # What came before the run has begun is not in its log.
        news = entries if n_written else []
        self.log = self.log[:n_written] + news + made + pending

    def commit(self):
        """Write what is new to the file, if there is one."""
        if self.journal is not None:
            self.journal.write(self)

    def _close_round(self):
        closing = self.open
        # Without an answer a row was not queried, and a round did not happen: it costs
        # no budget, has no record, and no model learns from it.
        if closing.selected_by != "again":
            self.ledger.asked_in[closing.rows_left] = 0
        told, drawn = closing.rows_told.tolist(), closing.probabilities_told
        record = None
        if told:
            record = round_record(self, closing)
            self.history.append(record)
            self.models.learn_from(closing)
            self._closed_rows += told
            self._closed_probabilities += drawn
            self.queue = [row for row in self.queue if row not in told]
        self._note(
            "closed",
            round=closing.number,
            rows=told,
            probabilities=_as_list(np.array(drawn)),
            record=record,
        )
        closing.close(record)
        self.rounds.append(closing)
        self.open = None

    def _note(self, kind, answers=None, **details):
        """Add an entry to the log."""
        entry = {"kind": kind, "at": time.time()}
        if answers is not None:
            entry["rows"] = [row for row, _ in answers]
            entry["labels"] = [label for _, label in answers]
        self.log.append(entry | details)

    def _note_corrections(self, corrected, by, *, asked):
        """Record that labels were replaced."""
        by, ids = by or self._who, self.inputs.sample_ids
        answers = [(row, new) for row, _, new in corrected]
        self._note("correction", answers, by=by, asked=asked)
        at = self.log[-1]["at"]
        for row, old, new in corrected:
            name = None if ids is None else ids[[row]].tolist()[0]
            record = {"row": row, "sample_id": name, "old": old, "new": new}
            self.corrections.append(record | {"by": by, "at": at})

    def _query(self, rows):
        """Return a query for rows of the open round."""
        inputs, opened, pool = self.inputs, self.open, self.open.pool
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


def _not_labels(refused, n_answers, then="The others are recorded."):
    shown = "; ".join(f"row {row}: {why}" for row, _, why in refused[:5])
    return OracleError(
        f"{len(refused)} of {n_answers} answers are not valid labels: {shown}. {then}",
        answers=[value for _, value, _ in refused],
    )
