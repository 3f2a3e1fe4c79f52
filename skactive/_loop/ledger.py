"""The ledger of a run: the labels, and the rounds in which rows were queried."""

from numbers import Number

import numpy as np

from skactive._pool.held_rows import HeldRows
from skactive.exceptions import OracleError
from skactive.utils._labels import (
    able_to_hold,
    as_labels,
    is_marker,
    kind_of,
    parse_label,
    store_label,
)
from skactive.utils._new_classes import Spellings
from skactive.utils._shown import shown, shown_values
from skactive.utils._warning import warn_caller

# Number of unknown answers that are warned about, each once.
_MAX_WARNINGS = 5


class Ledger:
    """The labels of a run.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs of the run.

    holdout : Holdout
        The test sample.

    past : Past
        What earlier runs of the session found out about the rows.

    Attributes
    ----------
    y : ndarray of shape (n_samples,)
        Labels. Rows without one have the marker.

    labeled : ndarray of shape (n_samples,), dtype bool
        Mask of the rows with a label.

    labeled_iter : ndarray of shape (n_samples,), dtype int
        0 for labels of `y`, k for labels bought in round k, -1 for rows without one.

    asked_in : ndarray of shape (n_samples,), dtype int
        Number of the round in which a row was queried, from 1; 0 if it was not.
    """

    def __init__(self, inputs, holdout, past):
        clf, equal_rows = inputs.clf, inputs.equal_rows
        self.y = inputs.y.copy()
        self.labeled = inputs.labeled.copy()
        # Rows whose label is not only that of an equal row.
        self._own = inputs.labeled.copy()
        equal_rows.share_given(self.y, self.labeled)
        self.labeled_iter = np.where(self.labeled, 0, -1)
        self.asked_in = np.zeros(len(inputs.y), dtype=np.intp)
        # Rows without a label that are not to be queried, whether or not this run has
        # queried them: they were skipped, or their label was taken back.
        self._set_aside = np.zeros(len(inputs.y), dtype=bool)
        self._unasked = set()
        self._holdout = holdout
        self._held_marks = self.y[holdout.kept_out]
        self._equal_rows = equal_rows
        self._missing_label = clf.missing_label
        self._unlabeled = clf.unlabeled
        self._classes = None if inputs.classes is None else inputs.classes.tolist()
        known = self.y[self.labeled] if inputs.classes is None else inputs.classes
        self._kind = kind_of(as_labels(known))
        self._spellings = Spellings(np.unique(as_labels(known)).tolist())
        self._abstains_on_unknown = clf.unknown_answers == "abstain"
        self._unknown = set()
        self._doubts = []
        self._title = inputs.title
        self._restore(past)

    def _restore(self, past):
        """Take over what earlier runs found out about the rows."""
        for row, number, _ in past.queried:
            if not self.asked_in[row]:  # a row asked again stays in its first round
                self.asked_in[row] = number
        self._set_aside[past.skipped] = True
        asked = [row for row in past.labels if self.asked_in[row]]
        on_hand = [row for row in past.labels if not self.asked_in[row]]
        refused = []
        for rows in (asked, on_hand):
            # Answers were warned about when they came; imported labels were not.
            self.forget_doubts()
            refused += self.record(rows, [past.labels[row] for row in rows])[1]
        if refused:
            shown = "; ".join(
                f"row {self._title(row)}: {why}" for row, _, why in refused[:5]
            )
            raise OracleError(
                f"The session holds {len(refused)} answers that are not labels here: "
                f"{shown}. Nothing was asked. If they answer another question, give "
                "this one another `task`; if they are mistakes, replace them with "
                "Session.correct.",
                answers=[value for _, value, _ in refused],
            )

    @property
    def asked(self):
        """Mask of the rows that were queried."""
        return self.asked_in > 0

    @property
    def settled(self):
        """Mask of the rows that have an answer, a label or an abstention."""
        return self.labeled | self.asked | self._set_aside

    @property
    def trainable(self):
        """Mask of the rows that a model of a round is trained on."""
        return self.labeled & ~self._holdout.kept_out

    @property
    def n_learnt(self):
        """Number of trainable labels. A label shared by equal rows counts once."""
        return int((self.trainable & self._own).sum())

    @property
    def n_unasked(self):
        """Number of labels of rows that were never queried."""
        rows = list(self._unasked)
        return int((self.labeled[rows] & ~self.asked[rows]).sum())

    @property
    def trainable_y(self):
        """A copy of `y` without the labels of the test sample."""
        y = self.y.copy()
        # Put back what `y` had in these rows.
        y[self._holdout.kept_out] = self._held_marks
        return y

    @property
    def holdout(self):
        """The rows of the test sample, and the labels known for them."""
        rows = np.flatnonzero(self._holdout.mask & self.labeled)
        return HeldRows(self._holdout.mask, rows, self.labels(rows))

    @property
    def candidates(self):
        """Numbers of the rows that a strategy may select."""
        may_be = self._equal_rows.askable & ~self._holdout.mask
        return np.flatnonzero(may_be & ~self.settled)

    @property
    def holdout_left(self):
        """Mask of the rows of the test sample that are still to be queried."""
        return self._holdout.mask & ~self.settled

    def labels(self, rows):
        """Return the labels of rows that have one, with their natural dtype."""
        return as_labels(self.y[rows])

    def label(self, row):
        """Return the label of a row as a Python object, or None."""
        return self.labels([row]).tolist()[0] if self.labeled[row] else None

    def has_two_classes(self):
        """Return whether the trainable rows have more than one class."""
        labels = self.labels(self.trainable)
        return len(labels) > 0 and bool((labels != labels[0]).any())

    def record(self, rows, values, *, asked_again=(), asked_in=None):
        """Record the answers that are valid labels or abstentions.

        Parameters
        ----------
        rows : list of int of length n_answers
            Rows.

        values : iterable of length n_answers
            Answers.

        asked_again : collection of int, default=()
            Rows whose label is replaced by another one. For other rows the first
            answer stays.

        asked_in : dict of int to int or None, default=None
            Rounds in which rows were queried, for rows that only count as queried once
            they have an answer.

        Returns
        -------
        answered : list of int
            Rows whose answer was recorded.

        refused : list of (int, object, str)
            Rows whose answer is not valid, the answer, and the reason.

        new : list of (int, label or None)
            Answers for rows that had no label.

        corrected : list of (int, label, label)
            Rows whose label was replaced, the old and the new label.

        ignored : list of (int, label)
            Answers for rows that have another label.
        """
        answered, refused, new, corrected, ignored = [], [], [], [], []
        for row, value in zip(rows, values, strict=True):
            try:
                label = self.parse(value)
            except ValueError as error:
                refused.append((row, value, str(error)))
                continue
            answered.append(row)
            if asked_in and not self.asked_in[row]:
                self.asked_in[row] = asked_in.get(row, 0)
            known = self.label(row)
            if known is None:
                new.append((row, label))
                self._write(row, label)
                continue
            if row in asked_again and row in self._unasked:
                self._write(row, known)  # it is an answer to a query now
            if label is not None and label != known:
                if row in asked_again:
                    corrected.append((row, known, label))
                    self.replace(row, label)
                else:
                    ignored.append((row, label))
                    self._doubts.append(
                        f"Row {self._title(row)} has the label {known!r} already; the "
                        f"answer {label!r} was ignored."
                    )
        return answered, refused, new, corrected, ignored

    def replace(self, row, label):
        """Replace a label; None takes it back, and the row counts as skipped.

        Parameters
        ----------
        row : int
            The row. It need not have a label.

        label : label or None
            The new label, which has been parsed.
        """
        if label is not None:
            self._write(row, label)
            return
        rows = [row, *self._equal_rows.shared_with(row)]
        self.y = able_to_hold(self.y, self._missing_label)
        self.y[rows] = self._missing_label
        self.labeled[rows] = self._own[rows] = False
        self.labeled_iter[rows] = -1
        self._set_aside[rows] = True

    def give_way(self, row, label):
        """Replace a label by an answer of another process that came first.

        If the row has no label here, nothing is done: the other answer is new.

        Parameters
        ----------
        row : int
            The row.

        label : label
            The other answer.
        """
        mine = self.label(row)
        if mine in (None, label):
            return
        self._doubts.append(
            f"Row {self._title(row)} got the label {label!r} in another process "
            f"first; the answer {mine!r} was ignored."
        )
        self.replace(row, label)

    def forget_doubts(self):
        """Drop pending warnings: they were given when the answers came."""
        self._doubts.clear()

    def warn(self):
        """Warn about doubtful answers; called when everything is recorded.

        If the user has turned warnings into errors, this raises.
        """
        doubts, self._doubts = self._doubts, []
        for doubt in doubts:
            warn_caller(doubt)

    def parse(self, value):
        """Return an answer as a label, None for an abstention, or raise ValueError."""
        kind = self._kind
        # Without a label yet, the dtype of y tells whether numbers are ints or floats.
        if kind is None and self.y.dtype.kind in "iuf" and not isinstance(value, str):
            kind = kind_of(self.y)
        try:
            label = self._check_class(value, kind)
        except ValueError as error:
            if not (self._abstains_on_unknown and _is_scalar(value)):
                raise
            self._note_unknown(value, error)
            return None
        if label is None:
            return None
        if self._unlabeled == "pass" and is_marker(label, -1):
            raise ValueError('-1 stands for a missing label with unlabeled="pass"')
        return label

    def _check_class(self, value, kind):
        """Return an answer as a label of a known class, or as `parse` does."""
        label = parse_label(value, kind=kind, missing_label=self._missing_label)
        if isinstance(label, int) and not _is_storable(label, self.y.dtype):
            raise ValueError(
                f"{label} does not fit into 64 bits; pass such a label as a str"
            )
        if label is None or self._classes is None or label in self._classes:
            return label
        alike = self._spellings.alike(label)
        hint = "" if alike is None else f"; {alike!r} is spelt differently"
        raise ValueError(
            f"{shown(label)} is not one of the classes {shown_values(self._classes)}"
            f"{hint}"
        )

    def _note_unknown(self, value, error):
        """Note an answer that counts as an abstention; a few times at most."""
        if value in self._unknown or len(self._unknown) == _MAX_WARNINGS:
            return
        self._unknown.add(value)
        self._doubts.append(
            f"An answer counts as none, as unknown_answers='abstain': {error}."
        )

    def _write(self, row, label):
        """Write a label, or None for a row that was skipped."""
        if label is None:
            # Such a row may not count as queried in this run.
            self._set_aside[row] = True
            return
        if label not in self._spellings:
            self._meet(label, row)
        # A label that does not fit into the dtype, such as a longer string, makes a new
        # array.
        self.y = store_label(self.y, row, label)
        others = self._equal_rows.shared_with(row)
        if len(others):
            self.y[others] = self.y[row]
        for rows in (row, others):
            self.labeled[rows] = True
            # A late answer belongs to the round of its query.
            self.labeled_iter[rows] = self.asked_in[row]
        self._own[row] = True
        if not self.asked_in[row]:
            self._unasked.add(row)
        if self._kind is None:
            self._kind = kind_of(self.labels([row]))

    def _meet(self, label, row):
        """Note a new class, and that it may not be a class."""
        doubt = self._doubt_about(label)
        self._spellings.add(label)
        if doubt:
            self._doubts.append(
                f"The answer {shown(label)} for row {self._title(row)} is a new class, "
                f"and {doubt}."
            )

    def _doubt_about(self, label):
        """Return why a label may not be a class, and what to do, or None."""
        alike = self._spellings.alike(label)
        if alike is not None:
            return (
                f"differs from the class {shown(alike)} in case or white space only. "
                "Let the oracle spell each class in one way, or set `classes`"
            )
        if self._spellings.is_sentence(label):
            return (
                "a sentence, while the others are short. If the oracle refuses to "
                "answer with it, set `classes` and unknown_answers='abstain'"
            )
        return None


def parse_all(ledger, rows, values):
    """Return the valid labels with their rows, and the others with the reasons."""
    parsed, refused = [], []
    for row, value in zip(rows, values, strict=True):
        try:
            parsed.append((row, ledger.parse(value)))
        except ValueError as error:
            refused.append((row, value, str(error)))
    return parsed, refused


def _is_storable(number, dtype):
    if abs(number) < 2**31:
        return True
    limits = np.iinfo(np.uint64 if dtype == np.uint64 else np.int64)
    return limits.min <= number <= limits.max


def _is_scalar(value):
    return isinstance(value, (str, Number, np.generic))
