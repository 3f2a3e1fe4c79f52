"""The table of events: contradictions, failures, resets and migrations.

In these functions `run` executes SQL within a transaction.
"""

import time

from skactive.oracles._store.answers import decoded


def log_event(run, kind, **columns):
    """Write down that something happened."""
    names = ["happened_at", "kind", *columns]
    marks = ", ".join("?" * len(names))
    run(
        f"INSERT INTO events ({', '.join(names)}) VALUES ({marks})",
        (time.time(), kind, *columns.values()),
    )


def event_records(run):
    """Return one dict for each event, the oldest first."""
    names = "happened_at kind task sample_id label annotator detail".split()
    query = f"SELECT {', '.join(names)} FROM events ORDER BY event_id"
    return decoded(names, run(query).fetchall())


def count_events(run, kind):
    """Return the number of events of a kind."""
    return run("SELECT COUNT(*) FROM events WHERE kind = ?", (kind,)).fetchone()[0]
