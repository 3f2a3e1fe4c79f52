"""What the report of `strategies.py` shows, and where it is written."""

from pathlib import Path

from harness.tables import NOTHING

from strategy_study.cells import N_FIRST, TEXTS
from strategy_study.comparison import EARLY, compare, read_curves
from strategy_study.parts import (
    ABLATIONS,
    BATCHED,
    BATCHES,
    DEVELOPMENT,
    FEW_SETS,
    FURTHER,
    IMBALANCED,
    MAIN,
    PEERS,
    REPORTED,
    of_sizes,
)
from strategy_study.pictures import draw_all
from strategy_study.tables import (
    CLASSIFIERS,
    beside_baseline,
    beside_peers,
    by_batch_size,
    by_classifier,
    by_kind,
    by_situation,
    overall,
)

HERE = Path(__file__).parents[1]
README = HERE / "README.md"
GUIDE = HERE.parent / "doc" / "user_guide"
TABLES = GUIDE / "benchmark_tables.inc"
# Lines of the README that begin and end the tables.
MARKS = "<!-- strategies.py: begin -->\n", "<!-- strategies.py: end -->\n"

HEADINGS = {
    "situations": "What to take where: area less that of `random`, in 0.001:",
    "reported": "Sets that `auto` was not developed on, logistic regression:",
    "development": "Sets that `auto` was developed on:",
    "all": "All these sets:",
    "further": "Tables of KEEL, run when `auto` was finished:",
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


def comparisons_of(curves):
    """Return the comparisons of the main part by the names of their tables."""
    groups = {
        "reported": REPORTED,
        "development": DEVELOPMENT,
        "all": REPORTED + DEVELOPMENT,
        "further": FURTHER,
    }
    return {
        name: compare(curves, sets, "logistic", MAIN) for name, sets in groups.items()
    }


def make_tables(curves, main):
    """Return all tables; one that has nothing to show yet says so."""
    few = {
        classifier: compare(curves, FEW_SETS, classifier, MAIN)
        for classifier in ("logistic", "svm", "forest")
    }
    found = {name for of in curves.values() for name in of}
    others = sorted(found.difference(MAIN, PEERS, ABLATIONS[:-1], of_sizes(BATCHES)))
    rest = compare(curves, FEW_SETS, "logistic", [*MAIN, *others])
    unseen = compare(curves, REPORTED + FURTHER, "logistic", MAIN)
    together = compare(curves, REPORTED + DEVELOPMENT + FURTHER, "logistic", MAIN)
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
        by_situation("situations", situations(few, by_size, unseen, together)),
        *(overall(name, comparison) for name, comparison in main.items()),
        beside_baseline("ablations", ablations, "auto"),
        by_kind("kinds", together, kinds(together)),
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


def situations(few, by_size, unseen, together):
    """Return what is compared, which sets, and what of them, by situation.

    Few sets are compared by classifier and by batch size. Those that "auto" was not
    developed on are `unseen`; `together` are all.
    """

    def all_sets(name):
        return True

    found = {
        CLASSIFIERS[name]: (comparison, all_sets, "area")
        for name, comparison in few.items()
    }
    for size, comparison in sorted(by_size.items()):
        found[f"batches of {size}"] = (comparison, all_sets, "area")
    found[f"the first {EARLY} labels"] = (unseen, all_sets, "early")
    found["the labels after them"] = (unseen, all_sets, "late")
    for title, (belongs, measure) in kinds(together).items():
        found[title] = (together, belongs, measure)
    return found


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


def write_report(results):
    """Write tables and pictures of the user guide, and a section of the README."""
    curves = read_curves(results)
    main = comparisons_of(curves)
    tables = make_tables(curves, main)
    pictures = PICTURES if main["reported"].sets else ()
    TABLES.write_text(in_guide(tables, pictures), encoding="utf-8")
    before, rest = README.read_text(encoding="utf-8").split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    text = f"{before}{MARKS[0]}\n{in_readme(tables)}\n{MARKS[1]}{after}"
    README.write_text(text, encoding="utf-8")
    if pictures:
        draw_all(main["reported"], main["all"], GUIDE / "benchmark")
