"""A session: what is known of a pool, in a file that outlives any run."""

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
    """What is known of a pool: labels, skips, corrections, history, test sample.

    A session outlives runs and processes. It is a file, and each run that is made with
    it, by :meth:`ActiveLearningClassifier.fit` or by :class:`LabelingLoop`, goes on
    where the last one has ended, also with another strategy, and with rows added,
    removed or in another order: labels are learnt from, skipped rows are not queried
    again, the budget counts all queries, and the test sample stays the same. Rows are
    recognized by their `sample_ids`.

    Everything is written at once, so that a process that is killed loses no answer. The
    file is that of a :class:`~skactive.oracles.CachedOracle`; the answers that one has
    bought are in the session, too.

    Read more in the :ref:`User Guide <weeks>`.

    Parameters
    ----------
    path : str or path-like
        The file, an SQLite database. It is made if it does not exist.

    task : str, default="default"
        Name of the question. Another question about the same rows is another session,
        which may be in the same file.

    annotator : str or None, default=None
        Who answers, where `tell` does not say so. The name of the user if None.

    timeout : float, default=60.0
        Number of seconds to wait while another program locks the file.

    See Also
    --------
    LabelingLoop : Ask for rows, tell their labels.
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
        """The open file; after a fork, a new connection to it."""
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
            Labels by sample id, without the rows that were skipped.
        """
        return {k: label for k, label in self._answers().items() if label is not None}

    def skipped(self):
        """Return the rows that were skipped, or whose label was taken back.

        Returns
        -------
        sample_ids : list
            Their ids. Nobody is asked about them until :meth:`ask_again` says so.
        """
        return [k for k, label in self._answers().items() if label is None]

    def correct(self, labels, *, annotator=None):
        """Replace labels.

        A run that is going on in another process takes note when it next asks or tells.

        Parameters
        ----------
        labels : mapping of id to label or None
            The right labels. None takes a label back: the row has none, and nobody is
            asked about it by itself.

        annotator : str or None, default=None
            Who corrects; that of the session if None.

        Returns
        -------
        n_corrected : int
            Number of rows that had another label.

        Raises
        ------
        TypeError
            If `labels` is not a mapping.
        ValueError
            If the session has no answer for a row, or a label cannot be one here. Then
            nothing is corrected.
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
        """Let the next run ask about some rows again, before any others.

        Each counts in the budget as one more query. If the budget is spent, raise it:
        otherwise the rows wait. A skip is forgotten, so that a
        :class:`~skactive.oracles.CachedOracle` asks, too; a label stays until there is
        another answer, and such an oracle gives it again.

        Parameters
        ----------
        sample_ids : array-like of shape (n_rows,)
            Ids of rows that were skipped or have a label.

        Raises
        ------
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
        """Return all answers, with who gave them and when.

        Returns
        -------
        records : list of dict
            One per answer, the oldest first, with `task`, `sample_id`, `label` (None
            for a row that was skipped), `annotator` and `answered_at` (seconds since
            1970).
        """
        return self.store.records(self.task)

    def corrections(self):
        """Return the labels that were replaced, with both answers, names and times.

        Returns
        -------
        records : list of dict
            One per correction, the oldest first.
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
        """Return what the session holds, in numbers.

        Returns
        -------
        summary : dict
            `n_labels`, `n_skipped`, `n_queries` (rows queried, those asked about twice
            count twice), `n_charged` (those that count in the budget), `n_unasked`
            (labels for rows that were never queried), `n_to_ask_again` (rows in the
            queue of :meth:`ask_again`), `n_corrections`, `n_rounds`, `n_holdout` (size
            of the test sample) and `cost` (of all queries; 0 if `fit` got no `cost`).
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
            The entries, with ids of rows.
        """
        entries = [entry for _, entry in self.store.log(self.task)]
        check_entries(entries, self.path)
        return entries

    def past(self, entries, row_of_id):
        """Return what the session knows about the rows of a pool.

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
            If the session knows the rows by ids of another type.
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
        """Raise or warn, as none of the rows that have an answer is in `X`."""
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
                f"{shown_values(unknown)}, so that there is nothing to correct or to "
                f"ask again.{hint_of_type(unknown, known)}"
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
    """Return a session for a session or the path of one; None if there is none."""
    if session is None or isinstance(session, Session):
        return session
    return Session(session)
