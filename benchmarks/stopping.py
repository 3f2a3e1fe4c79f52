"""What stopping criteria save and lose, beside labelling everything.

For each data set and seed, half of the rows (at most 1,250) are the pool, and the other
half the test set, without up to 200 rows that criteria may validate on. A logistic
regression on scaled features learns from 20 random labels, and buys 10 a round by
margin sampling until the pool is empty. A criterion does not change which rows are
asked, so one run serves all of them: they watch, and the first round in which each of
them would have stopped is noted, with the test accuracy then.

Rows are written to a CSV file as they come, so that a run can be interrupted and goes
on where it was: ``python benchmarks/stopping.py --seeds 5 --budget-seconds 1200``.
The data sets are looked for in the folder that SKACTIVE_DATA names.
"""

import argparse
import csv
import os
import time
from pathlib import Path

import numpy as np
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

RESULTS = Path(__file__).parent / "results" / "stopping.csv"
FIELDS = (
    "dataset",
    "seed",
    "n_pool",
    "criterion",
    "fired",
    "n_labels",
    "accuracy",
    "accuracy_all",
)
SETS = (
    "breast",
    "diabetes",
    "heart",
    "ionosphere",
    "mnist10k",
    "mushroom",
    "segment",
    "spambase",
    "waveform",
    "wdbc",
)
N_ROWS = 2500
N_INITIAL = 20
N_VALIDATION = 200


def load(name):
    """Return X and y of a data set, and at most N_ROWS rows of it."""
    data = np.load(Path(os.environ["SKACTIVE_DATA"]) / f"{name}.npz")
    X, y = data["X"], np.unique(data["y"], return_inverse=True)[1]
    rows = np.random.default_rng(0).permutation(len(y))[:N_ROWS]
    X = X[rows]
    return X[:, X.std(axis=0) > 0], y[rows]


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


def measure(name, seed):
    """Return one record for each criterion."""
    X, y = load(name)
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
        accuracy = watch.curve.get(n_labels, everything)
        yield (
            name,
            seed,
            len(pool),
            criterion,
            int(criterion in watch.fired),
            n_labels,
            round(accuracy, 5),
            round(everything, 5),
        )


def read_results(path):
    """Return the records, as dicts of texts."""
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def append_results(path, rows):
    path.parent.mkdir(exist_ok=True)
    is_new = not path.exists()
    with open(path, "a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(FIELDS)
        writer.writerows(rows)


def run(args):
    stop_at = time.monotonic() + args.budget_seconds
    done = {(r["dataset"], int(r["seed"])) for r in read_results(args.out)}
    for seed in range(args.seeds):
        for name in args.sets:
            if (name, seed) in done:
                continue
            if time.monotonic() > stop_at:
                print("The time is up; run it again to go on.")
                return
            append_results(args.out, list(measure(name, seed)))


def summarize(records):
    """Return {set: (labels used, accuracy lost)} in percent, of one criterion."""
    found = {}
    for r in records:
        share = int(r["n_labels"]) / int(r["n_pool"])
        lost = float(r["accuracy_all"]) - float(r["accuracy"])
        found.setdefault(r["dataset"], []).append((100 * share, 100 * lost))
    return {name: np.mean(values, axis=0) for name, values in sorted(found.items())}


def report(args):
    """Print a table: labels used and accuracy lost, means over the sets."""
    records = read_results(args.out)
    n_runs = len({(r["dataset"], r["seed"]) for r in records})
    print(f"{n_runs} runs\n")
    print("| criterion | stopped | labels | lost | most lost |\n|---|---|---|---|---|")
    for criterion in dict.fromkeys(r["criterion"] for r in records):
        found = [r for r in records if r["criterion"] == criterion]
        by_set = summarize(found)
        labels, lost = np.mean(list(by_set.values()), axis=0)
        worst = max(by_set, key=lambda name: by_set[name][1])
        print(
            f"| `{criterion}` | {sum(int(r['fired']) for r in found)} of {n_runs} | "
            f"{labels:.0f}% | {lost:.1f} | {worst} {by_set[worst][1]:.1f} |"
        )
        if args.by_set:
            parts = (f"{k} {v[0]:.0f}% {v[1]:.1f}" for k, v in by_set.items())
            print("    " + ", ".join(parts))


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget-seconds", type=float, default=1200)
    parser.add_argument("--by-set", action="store_true")
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse_args()
    run(arguments)
    report(arguments)
