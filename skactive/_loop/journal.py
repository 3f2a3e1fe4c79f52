"""The journal of a run: it writes the log of the run to a file."""

import os

import numpy as np

from skactive._loop.entries import decoded, encoded
from skactive._loop.fingerprint import versions
from skactive._loop.repeating import take_in
from skactive.exceptions import SavedLoopError
from skactive.oracles._store.answers import to_key

# What another process may have written without getting in the way of this run.
_CAN_MERGE = {"told", "contradiction", "correction", "again", "closed"}


class Journal:
    """Writes the log of a run to a session, entry by entry.

    Other processes may write to the same session. Their answers and corrections are
    taken into the run. If they have begun rounds of their own, the two cannot go on
    together: the answers of this run are written, and an error says so.

    Parameters
    ----------
    session : Session
        The session.

    run : Run
        The run.

    n_before : int, default=0
        Number of entries of the session before those of the run.

    n_written : int, default=0
        Number of entries of the run that are in the session already.

    whole : bool, default=True
        Whether the run began without a session, so that its log is all of it, and the
        run can be repeated from it.
    """

    def __init__(self, session, run, *, n_before=0, n_written=0, whole=True):
        self.session = session
        self._inputs = run.inputs
        self._n_before = n_before
        self._n_written = n_written
        self._whole = whole
        self._has_diverged = False

    def is_at(self, path):
        """Return whether this is a journal in a file that is still there."""
        here = os.path.realpath(self.session.path)
        return os.path.exists(here) and here == os.path.realpath(path)

    def write(self, run):
        """Write what is new, and take in what others have written.

        Parameters
        ----------
        run : Run
            The run.

        Raises
        ------
        SavedLoopError
            If the session has gone on in another process. The answers of this run are
            in the session all the same.
        StoreError
            If the file cannot be written. All entries stay to be written.
        """
        with run.lock:
            while news := self._extend(run, run.log.entries[self._n_written :]):
                self._follow(run, news)
                if self._has_diverged:
                    break
            self._n_written = len(run.log)
            self.raise_if_diverged(run)

    def raise_if_diverged(self, run):
        """Raise a SavedLoopError if the session has gone on in another process."""
        if self._has_diverged:
            raise SavedLoopError(
                f"The session {str(self.session.path)!r} has gone on in another "
                "process. The answers of this run were added to it, but this run "
                "cannot go on. Load or open it again.",
                **run.bought(),
            )

    def _extend(self, run, entries):
        """Append entries; return what others have appended, if anything."""
        entries = [self._encoded(run, entry) for entry in entries]
        effects = [] if self._inputs.sample_ids is None else self._effects(entries)
        session = self.session
        n_known = self._n_before + self._n_written
        return session.store.extend_log(session.task, n_known, entries, effects)

    def _follow(self, run, news):
        """Take in what others have written, or stop following them."""
        if self._n_written == 0 and self._whole:
            raise SavedLoopError(
                f"The file {str(self.session.path)!r} holds another loop or session, "
                "and was left as it is. Save to another file.",
                **run.bought(),
            )
        if self._cannot_merge(run, news):
            self._has_diverged = True
            self._write_answers(run, len(news))
            return
        news = [decoded(entry, self._row_of) for entry in news]
        take_in(run, news, self._n_written)
        if self._n_written:
            self._n_written += len(news)
        else:  # they came before the run has begun
            self._n_before += len(news)

    def _encoded(self, run, entry):
        if entry["kind"] == "begin" and "seed" not in entry:
            entry |= self._beginning(run)
        return encoded(entry, self._names_of) | {"by": self._by(entry)}

    def _beginning(self, run):
        """Return what an entry says about the beginning of a run."""
        inputs, sample = self._inputs, run.holdout
        about = {
            "has_ids": inputs.sample_ids is not None,
            "session": not self._whole,
            "seed": inputs.seed,
            "made_with": versions(),
        }
        if self._whole:
            # To repeat a run, its inputs have to be the same.
            return about | {"made_of": inputs.fingerprint}
        # A session goes on with others, and need not read all of X.
        new = self._names_of(sample.rows[sample.n_before :])
        return about | {"sample": {"seed": sample.seed, "rows": new} if new else None}

    def _by(self, entry):
        return entry.get("by") or self.session.who

    def _names_of(self, rows):
        rows, ids = np.asarray(rows, dtype=np.intp), self._inputs.sample_ids
        return (rows if ids is None else ids[rows]).tolist()

    def _row_of(self, name):
        where = self._inputs.row_of_id
        return name if where is None else where.get(name)

    def _effects(self, entries):
        """Return what entries do to the answers in the file."""
        store, task = self.session.store, self.session.task
        effects = []
        for entry in entries:
            if entry["kind"] not in ("told", "contradiction", "correction"):
                continue
            keys = map(to_key, entry["rows"])
            labels = dict(zip(keys, entry["labels"], strict=True))
            replaces = entry["kind"] == "correction"
            if entry["kind"] == "told":
                # An answer for a row that was skipped replaces the skip.
                known = store.answers(task, list(labels))
                skipped = {key for key, label in known.items() if label is None}
                late = {k: labels[k] for k in skipped if labels[k] is not None}
                effects.append((late, entry["by"], True))
                labels = {k: v for k, v in labels.items() if k not in late}
            effects.append((labels, entry["by"], replaces))
        return [effect for effect in effects if effect[0]]

    def _cannot_merge(self, run, news):
        """Return whether others have done what this run cannot follow."""
        if self._has_diverged or {entry["kind"] for entry in news} - _CAN_MERGE:
            return True
        # A round of ours that began after answers which are not written yet: in the
        # file these would come after the news, which the round has not seen.
        pending = run.log.entries[self._n_written :]
        return any(entry.get("n_seen", 0) > self._n_written for entry in pending)

    def _write_answers(self, run, n_news):
        """Write the answers of a run that cannot go on, so that they are not lost."""
        pending = run.log.entries[self._n_written :]
        kinds = ("told", "contradiction", "correction")
        answers = [entry for entry in pending if entry["kind"] in kinds]
        self._n_before += n_news
        while news := self._extend(run, answers):
            self._n_before += len(news)
        # Entries that were left out take no place in the file.
        self._n_before += len(answers) - len(pending)
