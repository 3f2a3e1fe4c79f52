"""The table of answers: the label of each row, who gave it, and when.

In these functions `run` executes SQL within a transaction. Ids and labels are JSON in
the file, and a row is known by its `key`, the JSON of its id.
"""

import json
import time


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
        "SELECT sample_id, label FROM json_each(?) AS wanted CROSS JOIN answers "
        "ON task = ? AND sample_id = wanted.value",
        (json.dumps(keys), task),
    )
    return {key: json.loads(label) for key, label in rows}


def add_answers(run, task, labels, annotator):
    """Write answers of rows that have none; the first answer of a row stays."""
    now = time.time()
    run.many(
        "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?)",
        [(task, k, json.dumps(v), annotator, now) for k, v in labels.items()],
    )


def labels_of_task(run, task):
    """Return the different labels of a task."""
    query = "SELECT DISTINCT label FROM answers WHERE task = ?"
    return [json.loads(label) for (label,) in run(query, (task,))]


def keys_of_label(run, task, label):
    """Return the keys of the rows of a task that have a label."""
    query = "SELECT sample_id FROM answers WHERE task = ? AND label = ?"
    return [key for (key,) in run(query, (task, json.dumps(label)))]


def answer_records(run, task=None):
    """Return one dict for each answer, the oldest first; of all tasks if None."""
    names = ("task", "sample_id", "label", "annotator", "answered_at")
    query = (
        f"SELECT {', '.join(names)} FROM answers WHERE ?1 IS NULL OR task = ?1 "
        "ORDER BY answered_at, task, sample_id"
    )
    return decoded(names, run(query, (task,)).fetchall())


def counts_of_tasks(run):
    """Return the number of answers and of abstentions of each task."""
    rows = run(
        "SELECT task, COUNT(*), SUM(label = 'null') FROM answers GROUP BY task"
    ).fetchall()
    return {task: {"n_answers": n, "n_abstained": n_null} for task, n, n_null in rows}


def decoded(names, rows):
    """Return rows of a table as dicts, with the ids and labels read from JSON."""
    records = [dict(zip(names, row, strict=True)) for row in rows]
    for record in records:
        for name in ("sample_id", "label"):
            if record[name] is not None:
                record[name] = json.loads(record[name])
    return records
