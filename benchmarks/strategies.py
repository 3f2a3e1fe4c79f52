"""All strategies on many data sets, each beside drawing labels at random.

A cell is a strategy with a classifier on a split of a data set: 60% of the rows (of at
most 2,500, always the same) are the training part, the others the test part. The model
starts with two labels of each class and buys up to 200 others, ten a round; after each
round the right predictions on the test part are counted. Splits, first labels and seeds
are the same for all strategies of a seed. The data sets are looked for in the folder
that SKACTIVE_DATA names.

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
from pathlib import Path

from joblib import Parallel, delayed
from strategy_cells import N_FIRST, run_cell
from strategy_comparison import compare, read_curves
from strategy_tables import (
    NOTHING,
    beside_baseline,
    beside_peers,
    by_batch_size,
    by_classifier,
    by_kind,
    overall,
)

from skactive.acquisition import get_strategy_names

# The strategy "auto" was developed on the first sets and is reported on the second.
DEVELOPMENT = (
    "appendicitis",
    "iris",
    "ex8b",
    "thyroid",
    "ionosphere",
    "diabetes",
    "tictactoe",
    "checkerboard",
    "segment",
    "spambase",
    "waveform",
    "trec_questions",
)
REPORTED = (
    "wine",
    "heart",
    "haberman",
    "wdbc",
    "breast",
    "ex8a",
    "gcloudub",
    "vehicle",
    "splice",
    "r15",
    "ringnorm",
    "mammography",
    "mushroom",
    "letter",
    "sms_spam",
    "mnist10k",
)
# Run last, as the time may be up before.
COSTLY = ("letter", "trec_questions", "sms_spam", "mnist10k")
FEW_SETS = ("heart", "ionosphere", "segment", "splice", "vehicle", "waveform")
TEXTS = ("sms_spam", "trec_questions")
# Largest class over smallest class more than 3.
IMBALANCED = ("appendicitis", "mammography", "sms_spam", "thyroid", "trec_questions")

MAIN = (
    "random",
    "least_confident",
    "margin",
    "entropy",
    "vote_entropy",
    "bald",
    "batch_bald",
    "k_center",
    "k_means",
    "density",
    "typiclust",
    "u_herding",
    "badge",
    "cluster_uncertain",
    "contrastive",
    "albl",
    "hierarchical",
    "auto",
)
# What is left of "auto" without its parts. Without herding it is "margin", and nearly
# "max_herding" without all that looks at the model.
ABLATIONS = (
    "auto without narrowing",
    "auto without widening",
    "auto without distances",
    "max_herding",
)
# Other batch sizes than that of all else.
BATCHES = (1, 50)
BATCHED = ("random", "margin", "cluster_uncertain", "badge", "u_herding", "auto")
SAME = {"kl_divergence"}  # another name of bald
PEERS = tuple(
    f"scikit-activeml {name}"
    for name in ("margin", "entropy", "vote_entropy", "typiclust", "k_center", "badge")
)
NEWTON = "expected_error_reduction, newton"
# Minutes for a run: a part of their own, after all others.
SLOW = ("expected_error_reduction", "mal", "vaal")
PARTS = ("main", "classifiers", "ablations", "batches", "rest", "peers", "slow")
# Every cell has the first number of seeds before any has the second one.
TURNS = (3, 5, 10)

HERE = Path(__file__).parent
RESULTS = HERE / "results" / "strategies.csv"
README = HERE / "README.md"
GUIDE = HERE.parent / "doc" / "user_guide"
TABLES = GUIDE / "benchmark_tables.inc"
# Lines of the README between which the tables stand.
MARKS = "<!-- strategies.py: begin -->\n", "<!-- strategies.py: end -->\n"
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
HEADINGS = {
    "reported": "Sets that `auto` was not developed on, logistic regression:",
    "development": "Sets that `auto` was developed on:",
    "all": "All sets:",
    "ablations": "`auto` without its parts: area less that of `auto`, in 0.001:",
    "kinds": "Area less that of `random`, in 0.001, by kind of set:",
    "classifiers": "Three classifiers on six sets:",
    "batches": "Three batch sizes on six sets, area less that of `random`, in 0.001:",
    "rest": "Every strategy on six sets, logistic regression:",
    "peers": "The same strategies of scikit-activeml 1.0.1:",
}
PICTURES = {
    "curves": "Mean learning curves, and their differences to random.",
    "ranks": "Mean ranks; bars join strategies that do not differ.",
    "labels_saved": "Labels saved on each set, and their medians.",
    "gains": "Area less that of random, for each set and strategy.",
}


def cells_of(part):
    """Return sets, classifiers, strategies and the number of seeds of a part."""
    others = [*get_strategy_names(), NEWTON]
    others = [name for name in others if name not in {*MAIN, *SAME, *SLOW}]
    ordinary = [name for name in REPORTED + DEVELOPMENT if name not in COSTLY]
    return {
        "main": (REPORTED + DEVELOPMENT, ("logistic",), MAIN, 10),
        "classifiers": (FEW_SETS, ("svm", "forest"), MAIN, 10),
        "ablations": (ordinary, ("logistic",), ABLATIONS, 10),
        "batches": (FEW_SETS, ("logistic",), of_sizes(BATCHES), 5),
        "rest": (FEW_SETS, ("logistic",), others, 5),
        "peers": (FEW_SETS, ("logistic",), PEERS, 10),
        "slow": (FEW_SETS, ("logistic",), SLOW, 5),
    }[part]


def of_sizes(batch_sizes):
    """Return names of strategies with other batch sizes."""
    return [f"{name} in batches of {size}" for size in batch_sizes for name in BATCHED]


def in_turns(sets, classifiers, strategies, n_seeds):
    """Yield cells: few seeds of all sets first, the costly sets after all others."""
    for is_costly in (False, True):
        names = [name for name in sets if (name in COSTLY) == is_costly]
        for first, last in zip((0, *TURNS), TURNS, strict=False):
            for name in names:
                for classifier in classifiers:
                    for seed in range(first, min(last, n_seeds)):
                        for strategy in strategies:
                            yield name, classifier, strategy, seed


def cells_to_run(args, done):
    """Return the cells that are wanted and not there yet, in their order."""
    known = {*get_strategy_names(), *ABLATIONS, *of_sizes(BATCHES), *PEERS, NEWTON}
    cells, unknown = {}, {}
    for part in args.part:
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


def comparisons_of(curves):
    """Return the comparisons of the main part by the names of their tables."""
    groups = {
        "reported": REPORTED,
        "development": DEVELOPMENT,
        "all": REPORTED + DEVELOPMENT,
    }
    return {
        name: compare(curves, sets, "logistic", MAIN) for name, sets in groups.items()
    }


def make_tables(curves):
    """Return all tables; one that has nothing to show yet says so."""
    main = comparisons_of(curves)
    few = {
        classifier: compare(curves, FEW_SETS, classifier, MAIN)
        for classifier in ("logistic", "svm", "forest")
    }
    found = {name for of in curves.values() for name in of}
    others = sorted(found.difference(MAIN, PEERS, ABLATIONS[:-1], of_sizes(BATCHES)))
    rest = compare(curves, FEW_SETS, "logistic", [*MAIN, *others])
    peers = {
        name: compare(curves, FEW_SETS, "logistic", ["random", name.split()[1], name])
        for name in PEERS
    }
    parts = ["random", "auto", *ABLATIONS, "margin"]
    by_size = {10: compare(curves, FEW_SETS, "logistic", BATCHED)} | {
        size: compare(curves, FEW_SETS, "logistic", of_sizes([size]))
        for size in BATCHES
    }
    ablations = {
        title: compare(curves, sets, "logistic", parts)
        for title, sets in (("reported", REPORTED), ("development", DEVELOPMENT))
    }
    return [
        *(overall(name, comparison) for name, comparison in main.items()),
        beside_baseline("ablations", ablations, "auto"),
        by_kind("kinds", main["all"], kinds(main["all"])),
        by_classifier("classifiers", few),
        by_batch_size("batches", by_size),
        overall("rest", rest),
        beside_peers("peers", peers),
    ]


def kinds(comparison):
    """Return which sets, and what of them, are the columns of the table of kinds."""

    def n_classes(name):
        return comparison.curves[name][0][0].n_labeled[0] // N_FIRST

    return {
        "two classes": (lambda name: n_classes(name) == 2, "area"),
        "more classes": (lambda name: n_classes(name) > 2, "area"),
        "text": (lambda name: name in TEXTS, "area"),
        "balanced": (lambda name: name not in IMBALANCED, "area"),
        "imbalanced": (lambda name: name in IMBALANCED, "area"),
        "imbalanced, balanced accuracy": (lambda name: name in IMBALANCED, "balanced"),
    }


def in_guide(tables, pictures):
    """Return the text that the user guide includes, in parts with names."""
    parts = {table.name: table.to_rst() for table in tables}
    for name, text in PICTURES.items():
        image = f".. image:: benchmark/{name}.svg\n   :alt: {text}\n"
        parts[name] = image if name in pictures else NOTHING + "\n"
    return "\n".join(
        f".. begin {name}\n\n{text}\n.. end {name}\n" for name, text in parts.items()
    )


def in_readme(tables):
    """Return the section of the README."""
    return "\n".join(f"{HEADINGS[t.name]}\n\n{t.to_markdown()}" for t in tables)


def report(args):
    """Write tables and pictures of the user guide, and a section of the README."""
    from strategy_pictures import draw_all

    curves = read_curves(read_results(args.out))
    tables, main = make_tables(curves), comparisons_of(curves)
    pictures = PICTURES if main["reported"].sets else ()
    TABLES.write_text(in_guide(tables, pictures), encoding="utf-8")
    before, rest = README.read_text(encoding="utf-8").split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    text = f"{before}{MARKS[0]}\n{in_readme(tables)}\n{MARKS[1]}{after}"
    README.write_text(text, encoding="utf-8")
    if pictures:
        draw_all(main["reported"], main["all"], GUIDE / "benchmark")


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
        report(arguments)
    else:
        run(arguments)
