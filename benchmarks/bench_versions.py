"""This version of skactive beside an older one, in one process and in turn.

The older one is a revision of this repository, or a folder that holds the package. The
whole loops are those of `bench_loop.py`, the single queries those of
`bench_acquisition.py` and one of every other strategy. Printed are the median of the
ratios of neighbouring runs, new over old, with its exact interval of confidence 0.95.
"""

import argparse
import importlib
import importlib.util
import io
import os
import platform
import subprocess
import sys
import tarfile
import tempfile
import time
import warnings
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
from scipy.stats import quantile_test
from sklearn.linear_model import SGDClassifier
from threadpoolctl import threadpool_limits

HERE = Path(__file__).resolve().parent
# Strategies that train networks, or fit a model for every candidate.
SLOW = {"mal", "vaal", "expected_error_reduction", "loss_prediction"}
# Their memory or time grows with the square of the pool, or nearly.
SMALL = {"bait", "bemps", "epig", "hierarchical", "quire", "suggestive_annotation"}


class Version:
    """One version of skactive: what `import skactive` means while it is active."""

    def __init__(self, folder):
        self._folder = str(folder)
        self._modules = {}

    @contextmanager
    def active(self):
        """Import from this version; what others have imported stays theirs."""
        others = _take_out_modules()
        sys.modules.update(self._modules)
        sys.path.insert(0, self._folder)
        try:
            yield self
        finally:
            sys.path.remove(self._folder)
            self._modules = _take_out_modules()
            sys.modules.update(others)

    def load(self, script):
        """Return a script of this folder as a module that uses this version."""
        name = f"{script}_{id(self)}"
        spec = importlib.util.spec_from_file_location(name, HERE / f"{script}.py")
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module  # dataclasses look there
        with self.active():
            spec.loader.exec_module(module)
        return module

    def call(self, function, *args):
        """Call a function while this version is active."""
        with self.active():
            return function(*args)


def _take_out_modules():
    names = [n for n in sys.modules if n == "skactive" or n.startswith("skactive.")]
    return {name: sys.modules.pop(name) for name in names}


def unpack(revision, folder):
    """Write the package of a revision of this repository into a folder."""
    command = ["git", "archive", "--format=tar", revision, "skactive"]
    archive = subprocess.run(command, cwd=HERE.parent, check=True, capture_output=True)
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")


def measure(prepare, n_pairs, cap_seconds):
    """Return seconds of the old and the new version, which take turns.

    Parameters
    ----------
    prepare : list of two callables
        ``prepare[i]()`` returns the function to time; i = 0 is the old version.

    n_pairs : int
        Timed calls of each, after one that is not timed.

    cap_seconds : float
        Fewer pairs, but at least 7, are timed if all would take longer than this.
    """
    seconds = [[], []]
    started = time.perf_counter()
    for repeat in range(n_pairs + 1):
        for side in (0, 1) if repeat % 2 else (1, 0):
            run = prepare[side]()
            before = time.perf_counter()
            run()
            if repeat:
                seconds[side].append(time.perf_counter() - before)
        if repeat >= 7 and time.perf_counter() - started > cap_seconds:
            break
    return np.array(seconds)


def describe(title, seconds):
    """Return a line about the ratios, marked where they are surely above 1.03."""
    old, new = seconds
    ratios = new / old
    interval = quantile_test(ratios, q=np.median(ratios)).confidence_interval(0.95)
    mark = "  slower" if interval.low > 1.03 else ""
    return (
        f"{title:58} old {1e3 * np.median(old):9.2f} ms  new/old "
        f"{np.median(ratios):.3f} ({interval.low:.3f} to {interval.high:.3f}), "
        f"fastest {new.min() / old.min():.3f}, {len(ratios)} pairs{mark}"
    )


def loop_cases(versions, args):
    """Yield a title and how to prepare both sides, for whole loops."""
    loops = [v.load("bench_loop") for v in versions]
    data = loops[0].make_data(10_000, 50, 5, 50)
    fitted = loops[0].MODEL.fit(data[0][data[2]], data[1][data[2]])
    for n_rounds, batch_size in [(50, 10), (100, 1)]:
        for kind in ("logistic regression", "a model that learns nothing"):
            sides = []
            for one, module in zip(versions, loops, strict=True):
                model = module.MODEL
                if kind != "logistic regression":
                    model = module.FreeModel(fitted)
                run = partial(
                    one.call, module.by_skactive, model, *data, n_rounds, batch_size
                )
                sides.append(lambda run=run: run)
            yield f"loop, {n_rounds} rounds of {batch_size}, {kind}", sides


def query_cases(versions, args):
    """Yield a title and how to prepare both sides, for single queries."""
    modules = [v.load("bench_acquisition") for v in versions]
    args.peers = []
    for cells in zip(*(_cells(module, args) for module in modules), strict=True):
        shape = cells[0].shape(args)
        problem = modules[0].Problem(**shape)
        problems = [problem, modules[1].Problem(**shape)]
        sides = [
            partial(_prepare, one, cell, its)
            for one, cell, its in zip(versions, cells, problems, strict=True)
        ]
        yield f"{cells[0].title} ({shape['n_samples']} rows)", sides


def _cells(module, args):
    """Return the cells of the other script, and one for each strategy without."""
    names = sorted(set(module.get_strategy_names()) - SLOW)
    known = {cell.strategy for cell in module.CELLS}
    cells = [cell for cell in module.CELLS if cell.strategy not in SLOW]
    for name in names:
        if name not in known and name in args.known_names:
            sizes = {"committee": 5}
            sizes |= {"n_samples": 1000} if name in SMALL else {}
            if name == "label_dispersion":  # it follows the training by partial_fit
                sizes |= {"model": SGDClassifier(loss="log_loss", random_state=0)}
            cells.append(module.Cell(name, "", sizes=sizes))
    if args.strategies:
        cells = [cell for cell in cells if cell.strategy in args.strategies]
    return cells


def _prepare(one, cell, problem):
    query = one.call(cell.query, problem)
    return lambda: one.call(query)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", help="a revision, or a folder that holds skactive/")
    parser.add_argument("--n", type=int, default=20_000, help="rows of the pool")
    parser.add_argument("--d", type=int, default=50, help="features")
    parser.add_argument("--classes", type=int, default=5)
    parser.add_argument("--batch", type=int, default=20, help="queries")
    parser.add_argument("--pairs", type=int, default=31)
    parser.add_argument("--cap-seconds", type=float, default=30.0)
    parser.add_argument("--strategies", nargs="*")
    parser.add_argument("--no-loops", action="store_true")
    return parser.parse_args()


def main():
    args = parse_args()
    warnings.simplefilter("ignore")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, 1 thread")
    print(", ".join(f"{n} {version(n)}" for n in ("scikit-learn", "numpy", "scipy")))
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(1):
        old = Path(args.old)
        if not (old / "skactive").is_dir():
            unpack(args.old, folder)
            old = Path(folder)
        versions = [Version(old), Version(HERE.parent)]
        registry = "skactive.acquisition"
        args.known_names = versions[0].call(
            lambda: importlib.import_module(registry).get_strategy_names()
        )
        for cases in [query_cases] if args.no_loops else [loop_cases, query_cases]:
            for title, sides in cases(versions, args):
                try:
                    seconds = measure(sides, args.pairs, args.cap_seconds)
                except Exception as error:  # of any strategy: the others go on
                    print(f"{title:58} {type(error).__name__}: {error}", flush=True)
                else:
                    print(describe(title, seconds), flush=True)


if __name__ == "__main__":
    main()
