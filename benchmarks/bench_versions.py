"""This version of skactive beside an older one, in one process and in turn.

The older one is a revision of this repository, or a folder with another checkout. Each
is measured by its own scripts, which know how it is laid out: whole loops by
`bench_loop.py`, single queries by `bench_acquisition.py`, and one query of every other
strategy. The ratios are new over old. It takes about an hour.

    OMP_NUM_THREADS=1 python benchmarks/bench_versions.py HEAD~1
    OMP_NUM_THREADS=1 python benchmarks/bench_versions.py HEAD~1 --strategies margin
    python benchmarks/bench_versions.py --report
"""

import importlib
import io
import subprocess
import sys
import tarfile
import tempfile
import warnings
from functools import partial
from pathlib import Path

from harness.timing import Case, main
from sklearn.linear_model import SGDClassifier

HERE = Path(__file__).resolve().parent
# Strategies that train networks, or fit a model for every candidate.
SLOW = {"mal", "vaal", "expected_error_reduction", "loss_prediction"}
# Their memory or time grows with the square of the pool, or nearly.
SMALL = {"bait", "bemps", "epig", "hierarchical", "quire", "suggestive_annotation"}


class Version:
    """One version of the package and its scripts."""

    active = None

    def __init__(self, folder):
        benchmarks = folder / "benchmarks"
        self.names = {"skactive", *(path.stem for path in benchmarks.iterdir())}
        self.paths = [str(benchmarks), str(folder)]
        self.modules = {}

    def activate(self):
        """Let imports mean this version from now on; what was imported stays."""
        before, Version.active = Version.active, self
        names = self.names | (before or self).names
        found = [name for name in sys.modules if name.partition(".")[0] in names]
        taken = {name: sys.modules.pop(name) for name in found}
        if before is not None:
            before.modules = taken
            sys.path[:] = sys.path[len(before.paths) :]
        sys.modules.update(self.modules)
        sys.path[:0] = self.paths

    def load(self, module):
        self.activate()
        return importlib.import_module(module)

    def prepare(self, prepare):
        """Prepare a call; what it imports while it runs is of this version, too."""
        self.activate()
        return prepare()


def unpack(revision, folder):
    """Write package and scripts of a revision of this repository into a folder."""
    command = ["git", "archive", "--format=tar", revision, "skactive", "benchmarks"]
    archive = subprocess.run(command, cwd=HERE.parent, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")


def compare(title, prepare, per=1):
    """Return the case of ``prepare[version]`` for the old and the new version."""
    sides = zip(("old", "new"), prepare.items(), strict=True)
    return Case(title, {side: partial(v.prepare, f) for side, (v, f) in sides}, per=per)


def loop_cases(versions):
    """Yield whole loops."""
    modules = {version: version.load("bench_loop") for version in versions}
    for kind in ("logistic regression", "a model that learns nothing"):
        for n_rounds, batch_size in [(50, 10), (100, 1)]:
            runs = {}
            for version, module in modules.items():
                X, y, initial = module.make_data(10_000, 50, 5, 50)
                model = module.MODEL
                if kind != "logistic regression":
                    model = module.FreeModel(model.fit(X[initial], y[initial]))
                work = model, X, y, initial, n_rounds, batch_size
                runs[version] = partial(partial, module.by_skactive, *work)
            yield compare(f"{kind}, {n_rounds} rounds of {batch_size}", runs, n_rounds)


def query_cases(versions, args):
    """Yield single queries."""
    args.peers = []
    modules = {version: version.load("bench_acquisition") for version in versions}
    *_, newest = modules.values()
    for cell in cells(newest, versions, args.strategies):
        shape = cell.shape(args)
        queries = {}
        for version, module in modules.items():
            own = module.Cell(
                cell.strategy,
                cell.aim,
                given=cell.given,
                params=cell.params,
                sizes=cell.sizes,
                is_later_round=cell.is_later_round,
            )
            version.activate()
            queries[version] = partial(own.query, module.Problem(**shape))
        yield compare(f"{cell.title} ({shape['n_samples']} rows)", queries)


def cells(module, versions, strategies):
    """Return the cells of the other script, and one for each strategy without."""
    names = set.intersection(
        *(set(v.load("skactive.acquisition").get_strategy_names()) for v in versions)
    )
    found = [cell for cell in module.CELLS if cell.strategy in names - SLOW]
    for name in sorted(names - SLOW - {cell.strategy for cell in found}):
        sizes = {"committee": 5}
        sizes |= {"n_samples": 1000} if name in SMALL else {}
        if name == "label_dispersion":  # it follows the training by partial_fit
            sizes |= {"model": SGDClassifier(loss="log_loss", random_state=0)}
        found.append(module.Cell(name, "", sizes=sizes))
    return [cell for cell in found if not strategies or cell.strategy in strategies]


def cases(args):
    warnings.simplefilter("ignore")
    with tempfile.TemporaryDirectory() as folder:
        old = Path(args.old)
        if not (old / "skactive").is_dir():
            unpack(args.old, folder)
            old = Path(folder)
        versions = Version(old), Version(HERE.parent)
        if not args.no_loops:
            yield from loop_cases(versions)
        yield from query_cases(versions, args)


def options(parser):
    parser.add_argument(
        "old", nargs="?", default="HEAD", help="a revision, or a folder"
    )
    parser.add_argument("--n", type=int, default=20_000, help="rows of the pool")
    parser.add_argument("--d", type=int, default=50, help="features")
    parser.add_argument("--classes", type=int, default=5)
    parser.add_argument("--batch", type=int, default=20, help="queries")
    parser.add_argument("--strategies", nargs="*")
    parser.add_argument("--no-loops", action="store_true")


if __name__ == "__main__":
    limits = {"repeats": 31, "min_repeats": 7, "cap_seconds": 15}
    main(__doc__, "versions", cases, options=options, **limits)
