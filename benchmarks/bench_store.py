"""What a label store costs: a look-up, a new answer, and a whole run.

New answers come in batches of 10, as a list, which is one transaction, and from an
iterator, which is one for each label. Compared with them is what the disk needs to
write a batch safely: the same rows in one bare transaction of SQLite. Then a run with
the store, whose answers are all new or all stored, and one without. The seconds of the
processor leave out what the disk takes and other programs do. It takes about ten
minutes.

    OMP_NUM_THREADS=1 python benchmarks/bench_store.py --repeats 7
    python benchmarks/bench_store.py --report
"""

import sqlite3
import tempfile
from contextlib import closing
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from bench_loop import (
    MODEL,
    by_skactive,
    check_same_queries,
    free_model,
    make_data,
)
from harness.timing import Case, in_turn, main

from skactive.oracles import CachedOracle

BATCH = 10


def as_list(X, sample_ids):
    return (sample_ids % 5).tolist()


def as_iterator(X, sample_ids):
    yield from (sample_ids % 5).tolist()


def fill(path, labels):
    """Make a store that knows the labels of the first rows."""
    with closing(CachedOracle(as_list, path)) as oracle:
        labels = {"sample_id": np.arange(len(labels)), "label": labels}
        oracle.import_labels(labels)


class BareTransactions:
    """Writes batches of answers with SQLite, safely, and nothing else."""

    def __init__(self, path, n_stored):
        self.connection = sqlite3.connect(path, isolation_level=None)
        run = self.connection.execute
        run("PRAGMA journal_mode = WAL")
        run("PRAGMA synchronous = FULL")
        run("CREATE TABLE answers (sample_id TEXT PRIMARY KEY, label TEXT)")
        self(None, np.arange(n_stored))

    def __call__(self, X, sample_ids):
        rows = [(str(i), str(i % 5)) for i in sample_ids.tolist()]
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany("INSERT INTO answers VALUES (?, ?)", rows)
        self.connection.execute("COMMIT")
        return []

    def close(self):
        self.connection.close()


def label_case(n_stored, folder, n_batches):
    """Return the case of single batches: all ways to answer take turns."""
    path, bare = folder / f"{n_stored}.sqlite", folder / f"{n_stored}.bare"
    fill(path, np.arange(n_stored) % 5)
    rng, starts = np.random.default_rng(0), count(n_stored, BATCH)
    X = np.zeros((BATCH, 1))

    def stored_rows():
        return rng.choice(n_stored, BATCH, replace=False)

    def new_rows():
        return next(starts) + np.arange(BATCH)

    def prepare(oracle, draw):
        sample_ids = draw()
        return lambda: list(oracle(X, sample_ids=sample_ids))

    listing = CachedOracle(as_list, path)
    sides = {
        "bare transaction": (BareTransactions(bare, n_stored), new_rows),
        "stored": (listing, stored_rows),
        "new, list": (listing, new_rows),
        "new, iterator": (CachedOracle(as_iterator, path), new_rows),
    }
    prepared = {name: partial(prepare, *side) for name, side in sides.items()}
    measure = partial(in_turn, n_calls=n_batches)
    return Case(f"a label, {n_stored} stored", prepared, measure, per=BATCH)


def run_case(title, model, data, answer, n_rounds, folder):
    """Return the case of whole runs, which must query the same rows."""
    y, paths, queried = data[1], (folder / f"{i}.sqlite" for i in count()), {}

    def ask(X, sample_ids):
        return answer(y[sample_ids].tolist())

    def prepare(side):
        check_same_queries(queried)
        oracle = ask
        if side != "without":
            path = next(paths)
            if side == "stored":
                fill(path, y)
            oracle = CachedOracle(ask, path)
        work = model, *data, n_rounds, BATCH

        def run():
            queried[side], _ = by_skactive(*work, oracle=oracle)
            if side != "without":
                oracle.close()

        return run

    sides = {side: partial(prepare, side) for side in ("without", "new", "stored")}
    return Case(title, sides, per=n_rounds)


def cases(args):
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        for n_stored in args.stored:
            yield label_case(n_stored, folder, args.batches)
        data = make_data(args.n_samples)
        models = {"logistic regression": MODEL}
        models["a model that learns nothing"] = free_model(*data)
        for kind, answer in {"lists": list, "iterators": iter}.items():
            for name, model in models.items():
                own = folder / f"{kind}, {name}"
                own.mkdir()
                title = f"a round, {name}, {kind}"
                yield run_case(title, model, data, answer, args.rounds, own)


def options(parser):
    parser.add_argument("--stored", type=int, nargs="+", default=[1_000, 1_000_000])
    parser.add_argument("--batches", type=int, default=300)
    parser.add_argument("--n-samples", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--folder", type=Path, help="of the files, to choose the disk")


if __name__ == "__main__":
    main(__doc__, "store", cases, options=options, repeats=15)
