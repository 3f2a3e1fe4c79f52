"""What a label store costs: a look-up, a new answer, and a whole run.

New answers are timed in batches of 10, as a list, which is one transaction, and from an
iterator, which is one for each label. Beside them stands what the disk needs to write a
batch safely: the same rows in one bare transaction of SQLite. A run with the store and
one without take turns; printed are medians of the ratios of neighbouring runs, for the
seconds on the clock, and for those of the processor, without what the disk takes and
other programs do.
"""

import argparse
import os
import platform
import sqlite3
import tempfile
import time
from contextlib import closing
from importlib.metadata import version
from itertools import count
from pathlib import Path

import numpy as np
from bench_loop import MODEL, FreeModel, make_data
from sklearn.base import clone
from threadpoolctl import threadpool_limits

from skactive import ActiveLearningClassifier
from skactive.oracles import CachedOracle

BATCH = 10


def as_list(X, sample_ids):
    return (sample_ids % 5).tolist()


def as_iterator(X, sample_ids):
    yield from (sample_ids % 5).tolist()


def fill(path, n_stored):
    """Make a store that knows the labels of the rows 0 to `n_stored`."""
    with closing(CachedOracle(as_list, path)) as oracle:
        ids = np.arange(n_stored)
        oracle.import_labels({"sample_id": ids, "label": ids % 5})


def quartiles(values):
    low, median, high = np.quantile(values, [0.25, 0.5, 0.75])
    return f"{median:8.1f} ({low:.1f} to {high:.1f})"


class BareTransactions:
    """Writes batches of answers with SQLite, safely, and nothing else."""

    def __init__(self, path, n_stored):
        self.connection = sqlite3.connect(path, isolation_level=None)
        run = self.connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("CREATE TABLE answers (sample_id TEXT PRIMARY KEY, label TEXT)")
        run("BEGIN")
        self._insert(np.arange(n_stored))
        run("COMMIT")

    def __call__(self, X, sample_ids):
        self.connection.execute("BEGIN IMMEDIATE")
        self._insert(sample_ids)
        self.connection.execute("COMMIT")

    def _insert(self, sample_ids):
        rows = [(str(i), str(i % 5)) for i in sample_ids.tolist()]
        self.connection.executemany("INSERT INTO answers VALUES (?, ?)", rows)

    def close(self):
        self.connection.close()


def sides_of(n_stored, folder):
    """Return {name: (oracle, a function that draws the rows of its next batch)}."""
    path = folder / f"{n_stored}.sqlite"
    fill(path, n_stored)
    rng, starts = np.random.default_rng(0), count(n_stored, BATCH)

    def stored_rows():
        return rng.choice(n_stored, BATCH, replace=False)

    def new_rows():
        return next(starts) + np.arange(BATCH)

    listing, iterating = CachedOracle(as_list, path), CachedOracle(as_iterator, path)
    bare = BareTransactions(folder / f"{n_stored}.bare", n_stored)
    return {
        "stored": (listing, stored_rows),
        "new, list": (listing, new_rows),
        "new, iterator": (iterating, new_rows),
        "bare transaction": (bare, new_rows),
    }


def report_labels(args, folder):
    """Print microseconds per label; all ways to answer take turns, batch by batch."""
    print("\nMicroseconds per label, median and quartiles of batches of 10")
    X = np.zeros((BATCH, 1))
    for n_stored in args.stored:
        sides = sides_of(n_stored, folder)
        seconds = {name: [] for name in sides}
        for _ in range(args.batches):
            for name, (oracle, draw) in sides.items():
                ids = draw()
                started = time.perf_counter()
                list(oracle(X, sample_ids=ids) or [])
                seconds[name].append(time.perf_counter() - started)
        for name, values in seconds.items():
            per_label = 1e6 * np.array(values[5:]) / BATCH
            print(f"  {n_stored:>9} labels, {name:17} {quartiles(per_label)}")
        for oracle, _ in sides.values():
            oracle.close()


def run(model, data, path, n_rounds, answer):
    """Return the seconds of a run, on the clock and of the processor; its rows."""
    X, y, initial = data

    def ask(X, sample_ids):
        return answer(y[sample_ids].tolist())

    y_initial = np.full(len(y), -1)
    y_initial[initial] = y[initial]
    oracle = ask if path is None else CachedOracle(ask, path)
    clf = ActiveLearningClassifier(
        model,
        oracle=oracle,
        batch_size=BATCH,
        budget=n_rounds * BATCH,
        random_state=0,
    )
    started = np.array([time.perf_counter(), time.process_time()])
    clf.fit(X, y_initial, sample_ids=np.arange(len(y)))
    seconds = np.array([time.perf_counter(), time.process_time()]) - started
    if path is not None:
        oracle.close()
    return seconds, clf.query_indices_.tolist()


def measure_runs(model, data, folder, n_rounds, answer, n_repeats):
    """Return {side: pairs of seconds}; the sides ask the same rows, and take turns."""
    seconds = {"without": [], "new": [], "stored": []}
    for repeat in range(n_repeats + 1):
        with tempfile.TemporaryDirectory(dir=folder) as own:
            path = Path(own) / "labels.sqlite"
            sides = [("without", None), ("new", path), ("stored", path)]
            asked = []
            # Nobody is always the first, or always after the same one.
            for side, file in sides if repeat % 2 else [*sides[1:], sides[0]]:
                values, rows = run(model, data, file, n_rounds, answer)
                asked.append(rows)
                if repeat:  # the first one warms up
                    seconds[side].append(values)
        if asked[0] != asked[1] or asked[0] != asked[2]:
            raise AssertionError("The runs have asked different rows.")
    return {side: np.array(values) for side, values in seconds.items()}


def report_runs(args, folder):
    """Print what a store adds to a run whose answers are all new, or all stored."""
    data = make_data(args.n_samples, 50, 5, 50)
    free = FreeModel(clone(MODEL).fit(data[0][data[2]], data[1][data[2]]))
    print(f"\nA run of {args.rounds} rounds of {BATCH}, {args.n_samples} x 50")
    for name, answer in {"list": list, "iterator": iter}.items():
        for model in (MODEL, free):
            seconds = measure_runs(
                model, data, folder, args.rounds, answer, args.repeats
            )
            print(f"{name}, {type(model).__name__}")
            for column, what in enumerate(["clock", "processor"]):
                report_sides(
                    what,
                    {side: pairs[:, column] for side, pairs in seconds.items()},
                    args.rounds,
                )


def report_sides(what, seconds, n_rounds):
    without = seconds["without"]
    print(f"  {what}: {1e3 * np.median(without) / n_rounds:.2f} ms a round without")
    for side in ("new", "stored"):
        ratios = np.quantile(seconds[side] / without, [0.25, 0.5, 0.75])
        added = 1e3 * np.quantile(seconds[side] - without, [0.25, 0.5, 0.75]) / n_rounds
        print(
            f"    {side:7} ratio {ratios[1]:.3f} ({ratios[0]:.3f} to {ratios[2]:.3f})"
            f", + {added[1]:.2f} ms a round ({added[0]:.2f} to {added[2]:.2f})"
        )


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--stored", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--batches", type=int, default=300)
    parser.add_argument("--n-samples", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument(
        "--folder", type=Path, help="where files are written, to choose the disk"
    )
    return parser.parse_args()


def main():
    args = parse_args()
    packages = ["skactive", "scikit-learn", "numpy", "scipy"]
    print(
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{os.cpu_count()} cores, 1 BLAS thread"
    )
    print(", ".join(f"{name} {version(name)}" for name in packages))
    with (
        threadpool_limits(1),
        tempfile.TemporaryDirectory(dir=args.folder) as folder,
    ):
        report_labels(args, Path(folder))
        report_runs(args, Path(folder))


if __name__ == "__main__":
    main()
