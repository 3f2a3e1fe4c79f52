"""Journals: what a worker did, what it was told, and when.

Each process writes a file of its own, a line of JSON for each entry, which is on the
disk before the worker goes on. Times are of the monotonic clock, which all processes
share. An entry about rows that changes something is written twice: before the request
without its `end`, and with it after the acknowledgement.
"""

import json
import os
from dataclasses import dataclass

KINDS = ("tell", "correct", "ask_again")


class Journal:
    """A file to which one process appends entries."""

    def __init__(self, path):
        self.file = open(path, "x", encoding="utf-8")

    def write(self, **entry):
        """Write an entry, and wait until it is on the disk."""
        self.file.write(json.dumps(entry) + "\n")
        self.file.flush()
        os.fsync(self.file.fileno())


def read(paths):
    """Return the entries of files, without a last line that was cut off by a kill."""
    entries = []
    for path in paths:
        for line in path.read_bytes().splitlines(keepends=True):
            if line.endswith(b"\n"):
                entries.append(json.loads(line))
    return entries


def pending(entries):
    """Return the last entry about rows that is not acknowledged, or None."""
    changes = [entry for entry in entries if entry["kind"] in KINDS]
    return changes[-1] if changes and "end" not in changes[-1] else None


def is_acknowledged(entry):
    """Return whether an entry is a change that the loop has made."""
    return entry["kind"] in KINDS and "end" in entry and "refused" not in entry


@dataclass(frozen=True)
class Change:
    """One acknowledged change of one row.

    It was made between `start` and `end`, at a time that only the server knows.
    """

    kind: str
    row: str
    label: int | None
    start: float
    end: float


def changes_of(entries):
    """Return the acknowledged changes as {row: list of Change}."""
    # A request that was not acknowledged was repeated by the next process of the same
    # worker, with the first start, so that the repeated one stands for both.
    found = {}
    for entry in entries:
        if is_acknowledged(entry):
            for row, label in zip(entry["rows"], entry["labels"], strict=True):
                change = Change(entry["kind"], row, label, entry["start"], entry["end"])
                found.setdefault(row, []).append(change)
    return found
