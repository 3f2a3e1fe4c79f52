"""The journal of a run: it writes the log of the run to a file."""

import os
from itertools import chain

import numpy as np

from skactive._loop.entries import decoded, encoded
from skactive._loop.fingerprint import versions
from skactive._loop.repeating import take_in
from skactive.exceptions import SavedLoopError
from skactive.oracles._store.answers import to_key

# What is still written if the run cannot go on.
_ANSWERS = {"told", "contradiction", "correction", "again"}

# Entries of another process that can be taken into this run.
_CAN_MERGE = {"told", "contradiction", "correction", "again", "closed"}


class Journal:
    """Writes the log of a run to a session, entry by entry.

    Other processes may write to the same session. Their answers and corrections are
    taken into the run. If another process has begun a round of its own, this run cannot
    go on: its answers are still written, and then an error is raised.

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
        Whether the run began without a session. Its log is then complete, and the run
        can be replayed from it.
    """

    def __init__(self, session, run, *, n_before=0, n_written=0, whole=True):
        self.session = session
        self._inputs = run.inputs
        # The entries in the file that this run knows, and those of its own log there.
        self._n_known = n_before + n_written
        self._n_written = n_written
        self._whole = whole
        self._has_diverged = False

    def is_at(self, path):
        """Return whether this journal writes to `path`, and the file exists."""
        here = os.path.realpath(self.session.path)
        return os.path.exists(here) and here == os.path.realpath(path)

    def is_behind(self, run):
        """Return whether there is something to write."""
        return self._n_written < len(run.log)

    def write(self, run):
        """Write what is new, and take in what others have written.

        Parameters
        ----------
        run : Run
            The run.

        Raises
        ------
        SavedLoopError
            If the session was continued in another process. The answers of this run are
            in the session all the same.
        StoreError
            If the file cannot be written to. The next call writes the entries.
        """
        with run.lock:
            while news := self._extend(run):
                self._follow(run, news)
            self.raise_if_diverged(run)

    def raise_if_diverged(self, run):
        """Raise a SavedLoopError if the session was continued in another process."""
        if self._has_diverged:
            raise SavedLoopError(
                f"The session {str(self.session.path)!r} was continued in another "
                "process. The answers of this run were added to it, but this run "
                "cannot go on. Load or open it again.",
                **run.bought(),
            )

    def _extend(self, run):
        """Append what is new, or return the entries that others have appended."""
        pending = run.log.entries[self._n_written :]
        if self._has_diverged:  # answers must not be lost; rounds can no longer count
            pending = [entry for entry in pending if entry["kind"] in _ANSWERS]
        entries = [self._encoded(run, entry) for entry in pending]
        effects = [] if self._inputs.sample_ids is None else self._effects(entries)
        store, task = self.session.store, self.session.task
        news = store.extend_log(task, self._n_known, entries, effects)
        if not news:
            self._n_known += len(entries)
            self._n_written = len(run.log)
        return news

    def _follow(self, run, news):
        """Take in what others have written, or stop following them."""
        if self._n_written == 0 and self._whole:
            raise SavedLoopError(
                f"The file {str(self.session.path)!r} holds another loop or session, "
                "and was left as it is. Save to another file.",
                **run.bought(),
            )
        self._has_diverged = self._cannot_merge(run, news)
        self._n_known += len(news)
        if self._has_diverged:
            return
        news = [decoded(entry, self._row_of) for entry in news]
        take_in(run, news, self._n_written)
        if self._n_written:  # otherwise they came before the run has begun
            self._n_written += len(news)

    def _encoded(self, run, entry):
        if entry["kind"] == "begin" and "seed" not in entry:
            entry |= self._beginning(run)
        return encoded(entry, self._names_of) | {"by": self._by(entry)}

    def _beginning(self, run):
        """Return the fields of the first entry of a run."""
        inputs, sample = self._inputs, run.holdout
        about = {
            "has_ids": inputs.sample_ids is not None,
            "session": not self._whole,
            "seed": inputs.seed,
            "made_with": versions(),
        }
        if self._whole:
            # A replay needs the same inputs.
            return about | {"made_of": inputs.fingerprint}
        # A session may continue with other inputs, so X is not hashed.
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
        entries = [e for e in entries if e["kind"] in _ANSWERS - {"again"}]
        changes = [
            dict(zip(map(to_key, entry["rows"]), entry["labels"], strict=True))
            for entry in entries
        ]
        keys = list(dict.fromkeys(chain.from_iterable(changes)))
        known = self.session.store.answers(self.session.task, keys) if keys else {}
        effects = []
        for entry, labels in zip(entries, changes, strict=True):
            replaced = labels if entry["kind"] == "correction" else {}
            if entry["kind"] == "contradiction":
                # The first answer of other rows is the label in y, not this one.
                labels = {key: labels[key] for key in labels if key in known}
            if entry["kind"] == "told":
                # An answer for a row that was skipped replaces the skip.
                skipped = [key for key in labels if known.get(key, "") is None]
                replaced = {k: labels[k] for k in skipped if labels[k] is not None}
            first = {key: labels[key] for key in labels if key not in replaced}
            known |= first | known | replaced
            effects += [(replaced, entry["by"], True), (first, entry["by"], False)]
        return [effect for effect in effects if effect[0]]

    def _cannot_merge(self, run, news):
        """Return whether the entries of others cannot be taken into this run."""
        if self._has_diverged or {entry["kind"] for entry in news} - _CAN_MERGE:
            return True
        # Our round has seen answers that are not written yet. In the file they would
        # come after the news, which the round has not seen.
        pending = run.log.entries[self._n_written :]
        return any(entry.get("n_seen", 0) > self._n_written for entry in pending)
