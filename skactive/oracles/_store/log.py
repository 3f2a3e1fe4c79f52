"""The log of each task: an append-only list of what happened to the pool.

An entry is a dict, and JSON in the file. Positions count from 0 without gaps. In these
functions `run` executes SQL within a transaction.
"""

import json

from skactive.oracles._store.damage import checksum, damaged, from_json


def log_length(run, task):
    """Return the number of entries of a task."""
    # The last position is looked up in the primary key; a count would read them all.
    query = "SELECT MAX(position) FROM log WHERE task = ?"
    (last,) = run(query, (task,)).fetchone()
    return 0 if last is None else last + 1


def log_lengths(run):
    """Return the number of entries of each task that has a log."""
    return dict(run("SELECT task, COUNT(*) FROM log GROUP BY task").fetchall())


def log_entries(run, task, after=-1):
    """Return the entries after a position as pairs (position, entry), in order.

    Raises
    ------
    StoreCorruptedError
        If an entry is missing, or is not what was written.
    """
    query = (
        "SELECT position, entry, checksum FROM log WHERE task = ? AND position > ? "
        "ORDER BY position"
    )
    entries = []
    for expected, (position, text, kept) in enumerate(
        run(query, (task, after)), after + 1
    ):
        if position != expected:
            raise damaged(
                run.path, f"the log of the task {task!r} has no entry {expected}"
            )
        entries.append((position, _decoded(run, task, position, text, kept)))
    return entries


def readable_labels(run, task):
    """Return the labels in a log that can be read, by sample id, unchecked."""
    query = "SELECT entry FROM log WHERE task = ? ORDER BY position"
    found = {}
    for (text,) in run(query, (task,)):
        try:
            entry = from_json(text)
            if entry["kind"] not in ("told", "correction"):
                continue
            for name, label in zip(entry["rows"], entry["labels"], strict=True):
                # The first answer stays, unless it is corrected.
                if entry["kind"] == "correction" or found.get(name) is None:
                    found[name] = label
        except (ValueError, TypeError, KeyError):
            continue
    return found


def check_log(run):
    """Raise a StoreCorruptedError if the log of a task does not begin at 0.

    An entry whose task has changed would be missing from the end of a log in silence.
    What else is wrong is found when a log is read, which saves the labels in it.
    """
    query = "SELECT task, MIN(position), COUNT(*) FROM log GROUP BY task"
    for task, first, n_entries in run(query).fetchall():
        if first != 0 or not isinstance(task, str):
            raise damaged(run.path, f"the log of the task {task!r} has no beginning")
        if n_entries == 1:
            log_entries(run, task)


def append_entries(run, task, position, entries):
    """Append entries; `position` must be the length of the log."""
    texts = [json.dumps(entry) for entry in entries]
    run.many(
        "INSERT INTO log VALUES (?, ?, ?, ?)",
        [
            (task, n, text, checksum(task, n, text))
            for n, text in enumerate(texts, position)
        ],
    )


def _decoded(run, task, position, text, kept):
    where = f"the entry {position} of the log of the task {task!r}"
    if checksum(task, position, text) != kept:
        raise damaged(run.path, f"{where} has another checksum")
    try:
        entry = from_json(text)
    except ValueError as error:
        raise damaged(run.path, f"{where} is not JSON: {error}") from error
    if not isinstance(entry, dict):
        raise damaged(run.path, f"{where} is not a dict: {entry!r}")
    return entry
