"""The table of events: contradictions, corrections, failures, resets and migrations.

In these functions `run` executes SQL within a transaction.
"""

import json

from skactive.oracles._store.damage import damaged, from_json, is_time

_NAMES = "happened_at kind task sample_id label annotator detail".split()


def log_event(run, kind, **columns):
    """Add an event."""
    names = ["happened_at", "kind", *columns]
    marks = ", ".join("?" * len(names))
    run(
        f"INSERT INTO events ({', '.join(names)}) VALUES ({marks})",
        (run.now, kind, *columns.values()),
    )


def log_correction(run, task, key, label, annotator, before):
    """Add the event of a correction.

    Parameters
    ----------
    run : callable
        Executes SQL.

    task, key : str
        The row.

    label : object
        The new label.

    annotator : str
        Who corrected.

    before : tuple or None
        Label, annotator and time of the answer that was replaced; None if there was no
        answer.
    """
    names = ("label", "annotator", "answered_at")
    log_event(
        run,
        "correction",
        task=task,
        sample_id=key,
        label=json.dumps(label),
        annotator=annotator,
        detail=json.dumps(dict(zip(names, before or (None,) * 3, strict=True))),
    )


def event_records(run):
    """Return one dict for each event, the oldest first."""
    query = f"SELECT event_id, {', '.join(_NAMES)} FROM events ORDER BY event_id"
    return [_decoded(run, *row) for row in run(query)]


def correction_records(run, task=None):
    """Return one dict for each correction, the oldest first; of all tasks if None."""
    query = (
        f"SELECT event_id, {', '.join(_NAMES)} FROM events "
        "WHERE kind = 'correction' AND (?1 IS NULL OR task = ?1) ORDER BY event_id"
    )
    records = []
    for row in run(query, (task,)):
        event = _decoded(run, *row)
        try:
            old = from_json(event["detail"])
            records.append(
                {
                    "sample_id": event["sample_id"],
                    "label": event["label"],
                    "annotator": event["annotator"],
                    "corrected_at": event["happened_at"],
                    "old_label": old["label"],
                    "old_annotator": old["annotator"],
                    "old_answered_at": old["answered_at"],
                }
            )
        except (ValueError, TypeError, KeyError) as error:
            raise _bad(run, row[0], event, "a detail that cannot be read") from error
    return records


def count_events(run, kind):
    """Return the number of events of a kind."""
    return run("SELECT COUNT(*) FROM events WHERE kind = ?", (kind,)).fetchone()[0]


def _decoded(run, event_id, *values):
    event = dict(zip(_NAMES, values, strict=True))
    for name in ("sample_id", "label"):
        try:
            if event[name] is not None:
                event[name] = from_json(event[name])
        except ValueError as error:
            raise _bad(run, event_id, event, f"a {name} that is not JSON") from error
    if not is_time(event["happened_at"]):
        raise _bad(run, event_id, event, f"the time {event['happened_at']!r}")
    return event


def _bad(run, event_id, event, what):
    return damaged(
        run.path,
        f"the event {event_id} of the task {event['task']!r}, row "
        f"{event['sample_id']}, has {what}",
    )
