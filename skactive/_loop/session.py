"""Session: a file that keeps what is known about a pool, over many runs."""

import json
import os
import time
from collections.abc import Mapping
from itertools import chain
from numbers import Real

import numpy as np

from skactive._loop.entries import check_entries
from skactive._loop.past import past_of
from skactive.exceptions import SavedLoopError
from skactive.oracles._cached_run import user_name
from skactive.oracles._leases import check_name
from skactive.oracles._store.answers import to_key
from skactive.oracles._store.store import LabelStore
from skactive.utils._containers import hint_of_type, list_of
from skactive.utils._labels import as_labels, kind_of, parse_label
from skactive.utils._shown import shown, shown_values
from skactive.utils._sklearn import Interval, validate_params
from skactive.utils._warning import warn_caller


class Session:
    """A file with the labels, skips, corrections, history and test sample of a pool.

    Pass a session to :meth:`ActiveLearningClassifier.fit` or :class:`LabelingLoop`, and
    the run continues where the last one ended. It learns from all labels, does not
    query skipped rows again, counts all queries in the budget, and keeps the test
    sample. The strategy may change, and rows may be added, removed or reordered: they
    are recognized by their `sample_ids`.

    Every answer is written to the file at once, so a process that is killed loses none.
    A :class:`~skactive.oracles.CachedOracle` can use the same file; the answers that it
    buys are then part of the session.

    Read more in the :ref:`User Guide <weeks>`.

    Parameters
    ----------
    path : str or path-like
        The file, an SQLite database. It is created if it does not exist.

    task : str, default="default"
        Name of the question. Each question about the same rows is a session of its own;
        several sessions can share a file.

    annotator : str or None, default=None
        Who answers, if `tell` does not say so. The name of the user if None.

    timeout : float, default=60.0
        Number of seconds to wait while another program locks the file.

    See Also
    --------
    LabelingLoop : Active learning without an oracle.
    skactive.oracles.CachedOracle : Pay for each row once.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier, Session
    >>> X = np.linspace(0, 10, 11).reshape(-1, 1)
    >>> y, ids = np.full(11, -1), [f"row-{i}" for i in range(11)]
    >>> def ask(X):
    ...     print("asked about", len(X), "rows")
    ...     return (X[:, 0] > 4.2).astype(int)
    >>> clf = ActiveLearningClassifier(LogisticRegression(), oracle=ask, budget=4)
    >>> folder = tempfile.TemporaryDirectory()
    >>> session = Session(Path(folder.name) / "labels.sqlite")
    >>> clf = clf.fit(X, y, sample_ids=ids, session=session)
    asked about 4 rows
    >>> clf = clf.set_params(budget=6).fit(X, y, sample_ids=ids, session=session)
    asked about 2 rows
    >>> len(session.labels())
    6
    >>> session.close()
    >>> folder.cleanup()
    """

    @validate_params(
        {
            "path": [str, os.PathLike],
            "task": [str],
            "annotator": [str, None],
            "timeout": [Interval(Real, 0, None, closed="left")],
        },
        prefer_skip_nested_validation=True,
    )
    def __init__(self, path, task="default", *, annotator=None, timeout=60.0):
        if not str(path):
            raise ValueError("The 'path' parameter of Session is empty; name a file.")
        if annotator is not None:
            check_name(annotator, "'annotator' parameter of Session")
        self.path = path
        self.task = task
        self.annotator = annotator
        self.timeout = timeout
        self.store  # noqa: B018 (a file that cannot be used is refused now)

    @property
    def store(self):
        """The label store; a new connection to it after a fork."""
        store = vars(self).get("_store")
        if store is None or not store.is_current(self.path, self.timeout):
            self.close()
            store = self._store = LabelStore(self.path, timeout=self.timeout)
        return store

    @property
    def who(self):
        """The name that is written with answers."""
        return self.annotator or user_name()

    def labels(self):
        """Return the labels.

        Returns
        -------
        labels : dict
            Labels by sample id. Rows that were skipped are left out.
        """
        return {k: label for k, label in self._answers().items() if label is not None}

    def skipped(self):
        """Return the rows that were skipped, or whose label was taken back.

        Returns
        -------
        sample_ids : list
            Their ids. These rows are not queried until you call :meth:`ask_again`.
        """
        return [k for k, label in self._answers().items() if label is None]

    def correct(self, labels, *, annotator=None):
        """Replace labels.

        A run in another process learns of it when it next begins a round or records an
        answer.

        Parameters
        ----------
        labels : mapping of id to label or None
            The right labels. None takes a label back: the row then counts as skipped,
            and is not queried again unless you call :meth:`ask_again`.

        annotator : str or None, default=None
            Who corrects; that of the session if None.

        Returns
        -------
        n_corrected : int
            Number of rows that had another label.

        Raises
        ------
        TypeError
            If `labels` is not a mapping, or `annotator` not a str.
        ValueError
            If the session has no answer for a row, or a label is not valid. Nothing is
            corrected then.
        """
        if annotator is not None:
            check_name(annotator, "annotator")
        if not isinstance(labels, Mapping):
            raise TypeError(
                "labels must be a mapping from sample ids to labels, such as a dict, "
                f"got {shown(labels)}."
            )
        self._check_known(list(labels))
        answers = self._answers()
        known = [label for label in answers.values() if label is not None]
        kind = kind_of(as_labels(np.array(known, dtype=object)))
        parsed = {
            to_key(name): parse_label(label, kind=kind, missing_label=None)
            for name, label in labels.items()
        }
        return len(self.store.correct(self.task, parsed, annotator or self.who))

    def ask_again(self, sample_ids):
        """Put rows in the queue: the next run queries them before any others.

        Each of them counts in the budget once more. If the budget is spent, the rows
        wait until you raise it. A skip is removed from the answers; a label stays until
        there is a new one. A :class:`~skactive.oracles.CachedOracle` with this file
        asks about the rows, too, and does not repeat its stored answers.

        Parameters
        ----------
        sample_ids : array-like of shape (n_rows,)
            Ids of rows that were skipped or have a label.

        Raises
        ------
        TypeError
            If `sample_ids` is a single id.
        ValueError
            If the session has no answer for a row.
        """
        names = list_of(sample_ids)
        self._check_known(names)
        entry = {"kind": "again", "at": time.time(), "rows": names, "by": self.who}
        n_known = len(self.entries())
        while news := self.store.extend_log(self.task, n_known, [entry]):
            n_known += len(news)

    def records(self):
        """Return all answers, who gave them, and when.

        Returns
        -------
        records : list of dict
            One per answer, the oldest first, with `task`, `sample_id`, `label` (None
            for a row that was skipped), `annotator` and `answered_at` (seconds since
            1970).
        """
        return self.store.records(self.task)

    def corrections(self):
        """Return the corrections: old and new labels, who gave them, and when.

        Returns
        -------
        records : list of dict
            One per correction, the oldest first, with `sample_id`, `label`, `annotator`
            and `corrected_at` (seconds since 1970), and `old_label`, `old_annotator`
            and `old_answered_at`, which are None if there was nothing before.
        """
        return self.store.corrections(self.task)

    def history(self):
        """Return the records of all rounds.

        Returns
        -------
        history : list of dict
            The items of `history_`, the oldest first.
        """
        return past_of(self.entries(), {}, {}).history

    def summary(self):
        """Return counts of what is in the session.

        Returns
        -------
        summary : dict
            `n_labels`, `n_skipped`, `n_queries` (a row queried twice counts twice),
            `n_charged` (queries that count in the budget), `n_unasked` (labels of rows
            that were never queried), `n_to_ask_again` (rows in the queue),
            `n_corrections`, `n_rounds`, `n_holdout` (size of the test sample) and
            `cost` (of all queries; 0 if `fit` got no `cost`).
        """
        answers, entries = self._answers(), self.entries()
        rows = {name: row for row, name in enumerate(_known(entries, answers))}
        past = past_of(entries, answers, rows)
        queried = {row for row, _, _ in past.queried}
        return {
            "n_labels": len(past.labels),
            "n_skipped": sum(label is None for label in answers.values()),
            "n_queries": len(past.queried) + past.n_gone,
            "n_charged": past.n_charged,
            "n_unasked": len(past.labels.keys() - queried),
            "n_to_ask_again": len(past.queue),
            "n_corrections": len(self.corrections()),
            "n_rounds": len(past.history),
            "n_holdout": past.n_sample,
            "cost": past.total_cost,
        }

    def close(self):
        """Close the file. It is opened again when it is needed."""
        store = vars(self).pop("_store", None)
        if store is not None:
            store.close()

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()

    def __getstate__(self):
        state = vars(self).copy()
        state.pop("_store", None)  # a copy opens the file itself
        return state

    def __repr__(self):
        return f"Session({str(self.path)!r}, task={self.task!r})"

    def entries(self):
        """Return the log of the session, checked.

        Returns
        -------
        entries : list of dict
            The entries, with ids in place of row numbers.

        Raises
        ------
        SavedLoopError
            If an entry cannot be right.
        StoreCorruptedError
            If an entry is missing, or is not what was written.
        """
        entries = [entry for _, entry in self.store.log(self.task)]
        check_entries(entries, self.path)
        return entries

    def past(self, entries, row_of_id):
        """Return what is known about the rows of a pool.

        Parameters
        ----------
        entries : list of dict
            The log.

        row_of_id : dict of id to int
            The rows of the pool.

        Returns
        -------
        past : Past
            What is known.

        Raises
        ------
        SavedLoopError
            If the file holds a loop that was saved without ids.
        ValueError
            If none of the rows with an answer is in the pool, and their ids are of
            another type.
        """
        if any(e["kind"] == "begin" and not e["has_ids"] for e in entries):
            raise SavedLoopError(
                f"The file {str(self.path)!r} holds a loop that was saved without "
                "sample_ids, whose rows a session cannot recognize. Load it with "
                "LabelingLoop.load, or name another file or task."
            )
        answers = self._answers()
        if answers and answers.keys().isdisjoint(row_of_id):
            self._explain_no_rows(answers, row_of_id)
        return past_of(entries, answers, row_of_id)

    def _explain_no_rows(self, answers, row_of_id):
        """Raise or warn because no row with an answer is in `X`."""
        message = (
            f"None of the {len(answers)} rows that have an answer in the session "
            f"{str(self.path)!r}, task {self.task!r}, is in X: sample_ids are "
            f"{shown_values(list(row_of_id))}, and the session has "
            f"{shown_values(list(answers))}."
        )
        hint = hint_of_type(row_of_id, answers)
        if hint:  # all rows would be asked about once more
            raise ValueError(f"{message}{hint}")
        warn_caller(f"{message} No model learns from these answers.")

    def _check_known(self, names):
        """Raise if some rows have no answer."""
        known = _known(self.entries(), self._answers())
        unknown = [name for name in names if name not in known]
        if unknown:
            raise ValueError(
                f"The session has no answers for the sample_ids "
                f"{shown_values(unknown)}. Only rows with an answer can be corrected "
                f"or asked about again.{hint_of_type(unknown, known)}"
            )

    def _answers(self):
        answers = self.store.answers_of(self.task)
        return {json.loads(key): label for key, label in answers.items()}


def _known(entries, answers):
    """Return the answers, and None for rows that wait to be asked about again."""
    # A skip that is asked about again is no answer any more, but in the log.
    again = (entry["rows"] for entry in entries if entry["kind"] == "again")
    return dict.fromkeys(chain.from_iterable(again)) | answers


def open_session(session):
    """Return the session, opened if it is a path; None stays None."""
    if session is None or isinstance(session, Session):
        return session
    return Session(session)
