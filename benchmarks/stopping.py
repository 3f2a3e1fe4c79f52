"""What stopping criteria save and lose, compared with labelling everything.

For each data set and seed, half of the rows (at most 1,250) are the pool, and the other
half the test set, without up to 200 rows that criteria may validate on. A logistic
regression on scaled features learns from 20 random labels, and buys 10 a round by
margin sampling until the pool is empty. A criterion does not change which rows are
queried, so one run serves all of them: they watch, and the first round in which each of
them would have stopped is noted, with the test accuracy at that point.

    SKACTIVE_DATA=... python benchmarks/stopping.py --seeds 5 --budget-seconds 1200
    python benchmarks/stopping.py --report [--by-set]

All of it takes 22 minutes. SKACTIVE_DATA names the folder of the data sets.
"""

import numpy as np
from harness.data import load
from harness.results import FOLDER, Results
from harness.study import main
from harness.tables import markdown
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearningClassifier
from skactive.oracles import SimulatedOracle
from skactive.stopping import (
    AllOf,
    ClassificationChange,
    GainPerLabel,
    MaxUncertainty,
    MinExpectedError,
    OverallUncertainty,
    SelectedAccuracy,
    StabilizingPredictions,
    ValidationPlateau,
)

FIELDS = "dataset seed n_pool criterion fired n_labels accuracy accuracy_all".split()
RESULTS = Results(FOLDER / "stopping.csv", FIELDS, key=("dataset", "seed"))
SETS = """
    breast diabetes heart ionosphere mnist10k mushroom segment spambase waveform wdbc
""".split()
N_ROWS = 2500
N_INITIAL = 20
N_VALIDATION = 200


def split(X, y, seed):
    """Return the rows of the pool, the test set and the validation set."""
    order = np.random.default_rng(seed).permutation(len(y))
    pool, test = np.array_split(order, 2)
    n_val = min(N_VALIDATION, len(test) // 2)
    return pool, test[n_val:], test[:n_val]


def criteria(X_val, y_val):
    """Return the criteria that watch, by the names of the table."""
    validation = {"X_val": X_val, "y_val": y_val}
    return {
        "stabilizing_predictions": StabilizingPredictions(),
        "stabilizing_predictions, 0.97": StabilizingPredictions(0.97),
        "max_uncertainty": MaxUncertainty(),
        "max_uncertainty, 0.1": MaxUncertainty(0.1),
        "overall_uncertainty": OverallUncertainty(),
        "overall_uncertainty, 0.1": OverallUncertainty(0.1),
        "selected_accuracy": SelectedAccuracy(),
        "min_expected_error": MinExpectedError(),
        "min_expected_error, 0.05": MinExpectedError(0.05),
        "classification_change": ClassificationChange(),
        "classification_change of overall_uncertainty, 0.3": ClassificationChange(
            OverallUncertainty(0.3)
        ),
        "classification_change of selected_accuracy": ClassificationChange(
            SelectedAccuracy()
        ),
        "classification_change of min_expected_error, 0.1": ClassificationChange(
            MinExpectedError(0.1)
        ),
        "all of stabilizing_predictions, selected_accuracy": AllOf(
            ["stabilizing_predictions", "selected_accuracy"]
        ),
        "validation_plateau": ValidationPlateau(**validation),
        "gain_per_label": GainPerLabel(**validation),
    }


class Watch:
    """Lets criteria look on, and notes the test accuracy of every round."""

    def __init__(self, watching, X_test, y_test):
        self.watching = watching
        self.test = X_test, y_test
        self.fired = {}
        self.curve = {}

    def __sklearn_clone__(self):
        return self  # what it notes is wanted after the fit

    def update(self, pool):
        n_labels = int(pool.labeled.sum())
        self.curve[n_labels] = pool.estimator.score(*self.test)
        for name, criterion in self.watching.items():
            if name not in self.fired and criterion.update(pool):
                self.fired[name] = n_labels


def cells(args):
    return [(name, seed) for seed in range(args.seeds) for name in args.sets]


def measure(name, seed):
    """Yield one row for each criterion."""
    X, y = load(name)
    y = np.unique(y, return_inverse=True)[1]
    rows = np.random.default_rng(0).permutation(len(y))[:N_ROWS]
    X, y = X[rows], y[rows]
    X = X[:, X.std(axis=0) > 0]
    pool, test, validation = split(X, y, seed)
    watch = Watch(criteria(X[validation], y[validation]), X[test], y[test])
    known = np.random.default_rng([seed, 1]).permutation(len(pool))[:N_INITIAL]
    given = np.full(len(pool), -1)
    given[known] = y[pool][known]
    clf = ActiveLearningClassifier(
        make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)),
        oracle=SimulatedOracle(y[pool]),
        stopping=watch,
        budget=None,
        random_state=seed,
    ).fit(X[pool], given, sample_ids=np.arange(len(pool)))
    everything = clf.score(X[test], y[test])
    for criterion in watch.watching:
        n_labels = watch.fired.get(criterion, len(pool))
        yield {
            "dataset": name,
            "seed": seed,
            "n_pool": len(pool),
            "criterion": criterion,
            "fired": int(criterion in watch.fired),
            "n_labels": n_labels,
            "accuracy": round(watch.curve.get(n_labels, everything), 5),
            "accuracy_all": round(everything, 5),
        }


def summarize(rows):
    """Return {set: (labels used, accuracy lost)} in percent, of one criterion."""
    found = {}
    for r in rows:
        share = int(r["n_labels"]) / int(r["n_pool"])
        lost = float(r["accuracy_all"]) - float(r["accuracy"])
        found.setdefault(r["dataset"], []).append((100 * share, 100 * lost))
    return {name: np.mean(values, axis=0) for name, values in sorted(found.items())}


def report(rows, args):
    """Print a table: labels used and accuracy lost, means over the sets."""
    n_runs = len({(r["dataset"], r["seed"]) for r in rows})
    lines, details = [], []
    for criterion in dict.fromkeys(r["criterion"] for r in rows):
        found = [r for r in rows if r["criterion"] == criterion]
        by_set = summarize(found)
        labels, lost = np.mean(list(by_set.values()), axis=0)
        worst = max(by_set, key=lambda name: by_set[name][1])
        fired = f"{sum(int(r['fired']) for r in found)} of {n_runs}"
        most = f"{worst} {by_set[worst][1]:.1f}"
        lines.append([f"`{criterion}`", fired, f"{labels:.0f}%", f"{lost:.1f}", most])
        parts = (f"{k} {v[0]:.0f}% {v[1]:.1f}" for k, v in by_set.items())
        details.append("\n    " + ", ".join(parts))
    head = ["criterion", "stopped", "labels", "lost", "most lost"]
    table = markdown(head, lines, "---").splitlines()
    print(f"{n_runs} runs\n")
    for line, detail in zip(table, ["", "", *details], strict=True):
        print(line + (detail if args.by_set else ""))


def options(parser):
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--by-set", action="store_true", help="what it was on each set")


if __name__ == "__main__":
    parts = {"cells": cells, "measure": measure, "report": report, "options": options}
    main(__doc__, RESULTS, **parts)
