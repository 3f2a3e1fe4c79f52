"""Sessions and saved loops beside an older version, in one process and in turn.

The model learns nothing and selects one row per round, so the time is that of the loop.
*ask, tell, save* is a whole step at 1,000 rounds; the new version is also timed with a
session, where nothing has to be saved. *save* adds the last step to the file. *load*
reads a file with all rounds, and is compared with a round of the saved loop. Sizes are
in the column of the peak: a pickled query of 5 rows, and a file with all rounds. The
ratios are new over old. It takes about ten minutes.

    OMP_NUM_THREADS=1 python benchmarks/bench_sessions.py HEAD~1
    python benchmarks/bench_sessions.py --report
"""

import pickle
import tempfile
import warnings
from functools import partial
from itertools import count
from pathlib import Path

import numpy as np
from bench_versions import HERE, Version, unpack
from harness.timing import Case, Measured, in_turn, main

N_ROWS, N_FEATURES = 5_000, 100


class Side:
    """Loops of one version, on the same data, and the files they are saved in."""

    def __init__(self, version, folder, n_rounds):
        self.version, self.n_rounds = version, n_rounds
        self.folder = Path(folder)
        self.paths = (self.folder / f"{i}.loop" for i in count())
        bench_loop = version.load("bench_loop")
        X, y, initial = bench_loop.make_data(N_ROWS, N_FEATURES)
        model = bench_loop.free_model(X, y, initial)
        known = np.full(len(y), -1)
        known[initial] = y[initial]
        self.data, self.y = (X, known), y
        self.ids = {"sample_ids": np.arange(len(y))}
        self.clf = version.load("skactive").ActiveLearningClassifier(
            model, strategy="margin", budget=0.9, batch_size=1, random_state=0
        )

    def begin(self, *, batch_size=1, **options):
        """Return a new loop."""
        clf = self.clf.set_params(batch_size=batch_size)
        of = self.version.load("skactive").LabelingLoop
        return of(clf, *self.data, **self.ids, **options)

    def load(self, path):
        of = self.version.load("skactive").LabelingLoop
        return of.load(path, self.clf, *self.data, **self.ids)

    def step(self, loop):
        """Ask for a row, and tell its label."""
        query = loop.ask()
        loop.tell(self.y[query.indices].tolist(), indices=query.indices)

    def run(self, loop, n_rounds=None):
        """Let a loop take rounds; return it."""
        for _ in range(self.n_rounds if n_rounds is None else n_rounds):
            self.step(loop)
        return loop

    def saved(self, n_rounds=None):
        """Return a loop of many rounds, and the file that it is saved in."""
        loop, path = self.run(self.begin(), n_rounds), next(self.paths)
        loop.save(path)
        return loop, path


def step_case(sides, n_calls):
    """Return the case of a step at many rounds."""
    prepared = {}
    for name, side in sides.items():
        loop, path = side.saved()

        def step(side=side, loop=loop, path=path):
            side.step(loop)
            loop.save(path)

        prepared[name] = partial(_ready, side, step)
    new = sides["new"]
    loop = new.run(new.begin(session=next(new.paths)))
    prepared["new, in a session"] = partial(_ready, new, partial(new.step, loop))
    title = f"ask, tell, save at {new.n_rounds} rounds"
    return Case(title, prepared, partial(in_turn, n_calls=n_calls))


def _ready(side, function):
    side.version.activate()
    return function


def save_case(name, side, n_calls):
    """Return the case of saving one more round, after one round and after many."""
    prepared = {}
    for n_rounds in (1, side.n_rounds):
        loop, path = side.saved(n_rounds)

        def prepare(loop=loop, path=path):
            side.version.activate()
            side.step(loop)
            return partial(loop.save, path)

        prepared[f"after {n_rounds}"] = prepare
    return Case(f"save, {name}", prepared, partial(in_turn, n_calls=n_calls))


def load_case(sides):
    """Return the case of loading many rounds, beside taking them."""
    prepared = {}
    for name, side in sides.items():
        _, path = side.saved()

        def prepare(side=side):
            side.version.activate()
            return partial(side.run, side.begin())

        prepared[f"{name}, rounds"] = prepare
        prepared[f"{name}, load"] = partial(_ready, side, partial(side.load, path))
    new = sides["new"]
    path = next(new.paths)
    new.run(new.begin(session=path))
    prepared["new, open a session"] = partial(
        _ready, new, partial(new.begin, session=path)
    )
    # The rounds of the new version come first: the others are compared with them.
    names = sorted(prepared, key=lambda name: name != "new, rounds")
    prepared = {name: prepared[name] for name in names}
    return Case(f"a round of {new.n_rounds}", prepared, per=new.n_rounds)


def size_cases(sides):
    """Yield the cases of sizes."""

    def query_size(side):
        return len(pickle.dumps(side.begin(batch_size=5).ask()))

    def file_size(side):
        _, path = side.saved()
        return sum(file.stat().st_size for file in side.folder.glob(f"{path.name}*"))

    def measure(size_of, sides, args):
        return {
            name: Measured(peak=_ready(side, size_of)(side))
            for name, side in sides.items()
        }

    n_rounds = sides["new"].n_rounds
    yield Case("size of a query of 5 rows", sides, partial(measure, query_size))
    yield Case(
        f"size of a file of {n_rounds} rounds", sides, partial(measure, file_size)
    )


def cases(args):
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory(dir=args.folder) as name:
        folder = Path(name)
        old = Path(args.old)
        if not (old / "skactive").is_dir():
            old = folder / "version"
            unpack(args.old, old)
        sides = {}
        for side, of in {"old": old, "new": HERE.parent}.items():
            (folder / side).mkdir()
            sides[side] = Side(Version(of), folder / side, args.rounds)
        yield step_case(sides, args.steps)
        for side, of in sides.items():
            yield save_case(side, of, args.steps)
        yield load_case(sides)
        yield from size_cases(sides)


def options(parser):
    parser.add_argument(
        "old", nargs="?", default="HEAD", help="a revision, or a folder"
    )
    parser.add_argument("--rounds", type=int, default=1_000)
    parser.add_argument("--steps", type=int, default=101, help="of each side")
    parser.add_argument("--folder", type=Path, help="of the files, to choose the disk")


if __name__ == "__main__":
    main(__doc__, "sessions", cases, options=options, repeats=3)
