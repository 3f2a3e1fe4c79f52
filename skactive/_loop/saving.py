"""Save a run to a file, and load it by replaying its rounds."""

import os
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain

from skactive._loop.entries import as_it_happened, check_entries, decoded, labels_in
from skactive._loop.fingerprint import differences, versions
from skactive._loop.journal import Journal
from skactive._loop.old_loops import is_old_loop, read_old_loop
from skactive._loop.repeating import repeat
from skactive._loop.run import Run
from skactive._loop.session import Session
from skactive.exceptions import SavedLoopError, StoreCorruptedError, StoreError

_SECONDS = ("fit_seconds", "select_seconds", "oracle_seconds")


@dataclass(frozen=True)
class Saved:
    """A saved run: the file, its log, and the session in it (None for old files)."""

    path: str
    entries: list
    session: Session | None

    @property
    def begin(self):
        """The entry that says what the run was made of."""
        return self.entries[0]

    def error(self, message):
        """Return an error about the file, with the labels in it."""
        bought = labels_in(self.entries)
        text = f"The saved loop {self.path!r} {message}"
        if len(bought["labels"]):
            text += (
                f" The {len(bought['labels'])} labels in the file are in the "
                "attributes `labels` and `indices` of this exception."
            )
        return SavedLoopError(text, **bought)

    def damaged(self, what):
        """Return an error about damage, with the labels in the file."""
        return self.error(
            f"is damaged, or was changed by hand: {what}. Load a copy of it, or start "
            "a new loop with its labels in y."
        )

    @contextmanager
    def keeping_labels(self):
        """Attach the labels of the file to an error that is raised within."""
        try:
            yield
        except SavedLoopError:
            raise
        except Exception as error:
            vars(error).update(labels_in(self.entries))
            error.add_note(
                f"The saved loop {self.path!r} was being loaded. The "
                f"{len(error.labels)} labels in the file are in the attributes "
                "`labels` and `indices` of this exception."
            )
            raise


def save(run, path):
    """Write the log of a run to a file, or only the entries that are new.

    Parameters
    ----------
    run : Run
        The run. Its `saved_in` becomes the journal of the file.

    path : str or path-like
        The file.

    Raises
    ------
    SavedLoopError
        If the file holds something else, cannot be written to, or has new rounds of
        another process.
    ValueError
        If the run has a session in another file.
    """
    with run.lock:  # of two threads, one makes the file
        _save(run, path)
    run.ledger.warn()


def _save(run, path):
    if run.journal is not None and not run.journal.is_at(path):
        raise ValueError(
            f"This loop is in the session {str(run.journal.session.path)!r}, where "
            f"every answer is saved at once; it cannot be saved to {str(path)!r}."
        )
    journal = run.journal or run.saved_in
    try:
        if journal is None or not journal.is_at(path):
            if journal is not None:
                journal.session.close()  # the file may have been replaced
            journal = Journal(_session_at(path), run)
        journal.write(run)
    except StoreError as error:
        raise SavedLoopError(str(error), **run.bought()) from error
    run.saved_in = journal


def _session_at(path):
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder) or os.path.isdir(path):
        open(path, "rb").close()  # raises the error of the system
    return Session(os.path.abspath(path))


def read(path):
    """Read a saved run, and check that it is complete.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    saved : Saved
        The file and its log.

    Raises
    ------
    SavedLoopError
        If it is not a saved loop, or is damaged.
    """
    path = os.path.abspath(path)
    if os.path.isdir(path) or not os.path.getsize(path):
        read_old_loop(path)  # raises; a store would be made of an empty file
    try:
        with Session(path) as session:  # opened again by the next `save`
            entries = [entry for _, entry in session.store.log(session.task)]
    except StoreError as error:
        # The store is asked first: opening and closing a file drops the locks that
        # SQLite holds on it in this process.
        if isinstance(error, StoreCorruptedError) and is_old_loop(path):
            return Saved(path, read_old_loop(path), None)
        known = error.answers or {}
        told = {"kind": "told", "rows": [*known], "labels": [*known.values()]}
        raise SavedLoopError(str(error), **labels_in([told])) from error
    check_entries(entries, path)
    if not entries or entries[0]["kind"] != "begin":
        raise SavedLoopError(f"The file {path!r} holds no saved loop.")
    saved = Saved(path, entries, session)
    if any(e["kind"] == "begin" and e["session"] for e in entries):
        raise saved.error(
            "is a session, which continues with any classifier and rows. Open it with "
            f"LabelingLoop(clf, X, y, sample_ids=..., session={path!r})."
        )
    return saved


def replay(inputs, saved):
    """Replay the rounds of a file.

    Parameters
    ----------
    inputs : Inputs
        The inputs of the saved run, with any seed.

    saved : Saved
        The file.

    Returns
    -------
    run : Run
        A run in the state of the saved one.

    Raises
    ------
    SavedLoopError
        If the saved run had other inputs, or other rows are selected in the replay.
    """
    # Strategies and criteria may keep any state. Repeating the rounds restores it
    # without their help, and shows whether other rows are selected here.
    run, begin = Run(inputs.with_seed(saved.begin["seed"])), saved.begin
    try:
        found = differences(begin["made_of"], inputs.fingerprint)
    except (AttributeError, KeyError, TypeError) as error:
        raise saved.damaged(f"it does not say what it was made of: {error!r}") from None
    if found:
        raise saved.error(
            f"was made with other inputs: {'; '.join(found[:5])}. "
            f"{_changed_versions(saved)}Load it with the classifier, X and y that it "
            "was made with, or start a new loop with its labels in y."
        )
    where = inputs.row_of_id if begin["has_ids"] else None
    known = range(len(inputs.y)) if where is None else where
    for name in _names_in(saved.entries):
        if name not in known:
            raise saved.damaged(f"X has no row {name!r}")
    row_of = int if where is None else where.get
    entries = [decoded(entry, row_of) for entry in saved.entries]
    # A new log is made for an old file, which has none.
    run.log.is_replayed = saved.session is not None
    for entry in as_it_happened(entries):
        _repeat(run, saved, entry)
    run.ledger.forget_doubts()
    if saved.session is not None:
        run.log.entries, run.log.is_replayed = entries, False
        run.saved_in = Journal(saved.session, run, n_written=len(entries))
    return run


def _names_in(entries):
    """Return the names of all rows in a log."""
    lists = (entry.get(name, []) for entry in entries for name in ("rows", "free"))
    return chain.from_iterable(lists)


def _repeat(run, saved, entry):
    """Apply an entry, and check that the run does the same as before."""
    kind = entry["kind"]
    if kind == "round":
        run.begin_round()
        _check_same(run, saved, entry)
        run.rounds.open.restore(entry["record"], entry["probabilities"])
    elif kind == "closed":
        _restore_seconds(run, entry)
    elif kind == "end":
        run.begin_round()
        if run.condition != entry["condition"]:
            raise _other_way(
                saved,
                f"it ended by {entry['condition']!r}, but now it {_what_now(run)}",
            )
    elif kind == "stop":
        run.stop(entry["condition"])
    elif refused := repeat(run, entry):
        row, value, why = refused[0]
        raise saved.damaged(f"the answer {value!r} for row {row} is not valid: {why}")


def _restore_seconds(run, entry):
    """Replace the times of a replayed round by the saved ones."""
    # Two processes may have closed the round; only one has noted the times.
    for record in run.rounds.history[-1:]:
        if record["round"] == entry["round"] and entry["record"]:
            seconds = {n: entry["record"][n] for n in _SECONDS if n in entry["record"]}
            record |= seconds


def _check_same(run, saved, entry):
    """Raise unless a round has the rows that were saved."""
    opened, number, strategy = run.rounds.open, entry["round"], entry["strategy"]
    if opened is None or opened.selected_by != strategy:
        raise _other_way(
            saved,
            f"in round {number} {strategy!r} selected, but now the loop "
            + _what_now(run),
        )
    if opened.rows.tolist() != entry["rows"]:
        raise _other_way(
            saved,
            f"in round {number} {strategy!r} selected the rows "
            f"{entry['rows'][:10]}, but now {opened.rows[:10].tolist()}",
        )


def _what_now(run):
    if run.rounds.open is None:
        return f"ends by {run.condition!r}"
    return f"goes on with {run.rounds.open.selected_by!r}"


def _other_way(saved, what):
    why = _changed_versions(saved) or (
        "Perhaps the estimator draws at random: set random_state of the estimator to "
        "an int. "
    )
    return saved.error(
        f"cannot be replayed: {what}. {why}To go on, start a new loop with its labels "
        "in y."
    )


def _changed_versions(saved):
    """Return a sentence about the versions that differ, or an empty string."""
    there, here = saved.begin["made_with"], versions()
    changed = [
        f"{name} was {there.get(name, 'not named')}, and is {version}"
        for name, version in here.items()
        if there.get(name) != version
    ]
    return f"Versions differ: {'; '.join(changed)}. " if changed else ""
