"""The table of answers: the label of each row, who gave it, and when.

In these functions `run` executes SQL within a transaction. Ids and labels are JSON in
the file, and a row is known by its `key`, the JSON of its id.
"""

import json

from skactive.oracles._store.damage import checksum, damaged, from_json, is_time


def to_key(sample_id):
    """Return an id as text that tells the int 1 from the str '1'."""
    sample_id = sample_id.item() if hasattr(sample_id, "item") else sample_id
    if isinstance(sample_id, bool) or not isinstance(sample_id, (int, str)):
        raise ValueError(
            f"sample_ids must be ints or strs, got {sample_id!r} of type "
            f"{type(sample_id).__name__}."
        )
    return json.dumps(sample_id)


def known_answers(run, task, keys):
    """Return the labels of the rows that have an answer, by key."""
    # A cross join makes SQLite look up each key; otherwise it may read all answers.
    rows = run(
        "SELECT sample_id, label, checksum FROM json_each(?) AS wanted "
        "CROSS JOIN answers ON task = ? AND sample_id = wanted.value",
        (json.dumps(keys), task),
    )
    return {key: _label(run, task, key, text, kept) for key, text, kept in rows}


def all_answers(run, task):
    """Return the labels of all rows of a task, by key."""
    query = "SELECT sample_id, label, checksum FROM answers WHERE task = ?"
    rows = run(query, (task,))
    return {key: _label(run, task, key, text, kept) for key, text, kept in rows}


def readable_answers(run, task):
    """Return the labels of a task that can be read, by sample id, unchecked."""
    found = {}
    for key, text in run(
        "SELECT sample_id, label FROM answers WHERE task = ?", (task,)
    ):
        try:
            found[from_json(key)] = from_json(text)
        except (ValueError, TypeError):  # TypeError: a list as an id
            continue
    return found


def add_answers(run, task, labels, annotator, hashes=None):
    """Write answers of rows that have none; the first answer of a row stays."""
    hashes = hashes or {}
    texts = {key: json.dumps(label) for key, label in labels.items()}
    run.many(
        "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (
                task,
                key,
                text,
                annotator,
                run.now,
                hashes.get(key),
                checksum(task, key, text),
            )
            for key, text in texts.items()
        ],
    )


def replace_answers(run, task, labels, annotator):
    """Replace the labels of answers."""
    texts = {key: json.dumps(label) for key, label in labels.items()}
    run.many(
        "UPDATE answers SET label = ?, annotator = ?, answered_at = ?, checksum = ? "
        "WHERE task = ? AND sample_id = ?",
        [
            (text, annotator, run.now, checksum(task, key, text), task, key)
            for key, text in texts.items()
        ],
    )


def drop_answers(run, task, keys):
    """Remove answers."""
    run.many(
        "DELETE FROM answers WHERE task = ? AND sample_id = ?",
        [(task, key) for key in keys],
    )


def authors(run, task, keys):
    """Return who answered and when, by key."""
    rows = run(
        "SELECT sample_id, annotator, answered_at FROM json_each(?) AS wanted "
        "CROSS JOIN answers ON task = ? AND sample_id = wanted.value",
        (json.dumps(keys), task),
    )
    return {key: (annotator, answered_at) for key, annotator, answered_at in rows}


def stored_hashes(run, task, keys):
    """Return the stored hashes of rows, by key; rows without one are left out."""
    rows = run(
        "SELECT sample_id, row_hash FROM json_each(?) AS wanted CROSS JOIN answers "
        "ON task = ? AND sample_id = wanted.value WHERE row_hash IS NOT NULL",
        (json.dumps(keys), task),
    )
    return dict(rows.fetchall())


def labels_of_task(run, task):
    """Return the different labels of a task."""
    query = "SELECT label, MIN(sample_id) FROM answers WHERE task = ? GROUP BY label"
    return [_read(run, task, key, text) for text, key in run(query, (task,))]


def keys_of_label(run, task, label):
    """Return the keys of the rows of a task that have a label."""
    query = "SELECT sample_id FROM answers WHERE task = ? AND label = ?"
    return [key for (key,) in run(query, (task, json.dumps(label)))]


def answer_records(run, task=None):
    """Return one dict for each answer, the oldest first; of all tasks if None."""
    names = ("task", "sample_id", "label", "annotator", "answered_at")
    query = (
        f"SELECT {', '.join(names)}, checksum FROM answers WHERE ?1 IS NULL "
        "OR task = ?1 ORDER BY answered_at, task, sample_id"
    )
    records = []
    for *values, kept in run(query, (task,)):
        record = dict(zip(names, values, strict=True))
        where, key = record["task"], record["sample_id"]
        record["label"] = _label(run, where, key, record["label"], kept)
        record["sample_id"] = _read_id(run, where, key)
        if not is_time(record["answered_at"]):
            raise _bad(run, where, key, f"the time {record['answered_at']!r}")
        records.append(record)
    return records


def check_answers(run):
    """Raise if the checksum of any answer is wrong."""
    for task, key, text, kept in run(
        "SELECT task, sample_id, label, checksum FROM answers"
    ):
        if checksum(task, key, text) != kept:
            raise _bad(run, task, key, "another checksum")


def counts_of_tasks(run):
    """Return the number of answers and of abstentions of each task."""
    rows = run(
        "SELECT task, COUNT(*), SUM(label = 'null') FROM answers GROUP BY task"
    ).fetchall()
    return {task: {"n_answers": n, "n_abstained": n_null} for task, n, n_null in rows}


def _label(run, task, key, text, kept):
    """Return the label of a row after checking its checksum."""
    if checksum(task, key, text) != kept:
        raise _bad(run, task, key, "another checksum")
    return _read(run, task, key, text)


def _read(run, task, key, text):
    try:
        return from_json(text)
    except ValueError as error:
        raise _bad(run, task, key, f"a label that is not JSON: {error}") from error


def _read_id(run, task, key):
    try:
        sample_id = from_json(key)
    except ValueError as error:
        raise _bad(run, task, key, f"an id that is not JSON: {error}") from error
    if isinstance(sample_id, bool) or not isinstance(sample_id, (int, str)):
        raise _bad(run, task, key, "an id that is neither an int nor a str")
    return sample_id


def _bad(run, task, key, what):
    return damaged(
        run.path, f"the answer of the task {task!r}, row {key!s}, has {what}"
    )
