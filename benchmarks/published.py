"""Our strategies by the protocol of published tables, beside the published numbers.

The protocol is that of Lu, Li and Lin (2023), "Re-benchmarking pool-based active
learning for binary classification": the same splits, the same first 20 labels, one
query per round until the pool is empty, the test accuracy of an RBF SVM after each. The
area under that curve is compared seed by seed, or in the mean.

Values are written to a CSV file as they come, so that a run can be interrupted and goes
on where it was: ``python benchmarks/published.py --strategies QBC --seeds 100``.
"""

import argparse
import csv
import os
import time
import warnings
from pathlib import Path

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skactive import ActiveLearningClassifier
from skactive.acquisition import BaseStrategy, get_strategy
from skactive.acquisition._base import utilities
from skactive.model_selection import area_under_budget_curve
from skactive.oracles import SimulatedOracle

HERE = Path(__file__).parent
TEST_DATA = HERE.parent / "tests" / "data"
RESULTS = HERE / "results" / "published.csv"
FIELDS = ("dataset", "strategy", "seed", "aubc")

SETS = ("appendicitis", "ex8b", "heart", "ionosphere")
TASK_MODEL = SVC(kernel="rbf", C=1.0, gamma="auto")
N_INITIAL = 20
TEST_SHARE = 0.4

QBC_MEMBERS = [
    ("logistic", LogisticRegression(C=1.0)),
    ("linear", SVC(kernel="linear")),
    ("rbf", SVC(kernel="rbf", gamma="auto")),
    ("discriminant", LinearDiscriminantAnalysis()),
]


class LastOfTies(BaseStrategy):
    """Ask the last one of the rows with the highest utility, as argsort()[-1] does.

    Ties are broken at random elsewhere; the published values need a fixed order.
    """

    def __init__(self, strategy):
        self.strategy = strategy

    @property
    def needs(self):
        return get_strategy(self.strategy).needs

    def select(self, pool, n_queries):
        scores = utilities(get_strategy(self.strategy), pool)
        return pool.candidates[np.argsort(scores, kind="stable")[::-1][:n_queries]]


# Names of the published tables, and what they are here. The task model asks if no
# other estimator is named.
STRATEGIES = {
    "US-C": {"strategy": "margin"},
    "US-NC": {
        "strategy": LastOfTies("entropy"),
        "estimator": LogisticRegression(C=0.1, max_iter=100),
    },
    "QBC": {"strategy": "vote_entropy", "committee": QBC_MEMBERS},
    "Core-Set": {"strategy": "k_center"},
}


def load(name):
    """Return X and y of a data set, out of the repository or the shared folder."""
    folder = TEST_DATA if (TEST_DATA / f"{name}.npz").exists() else None
    if folder is None:
        folder = Path(os.environ["SKACTIVE_DATA"])
    data = np.load(folder / f"{name}.npz")
    return data["X"], data["y"]


def split(X, y, seed):
    """Return scaled training and test parts; the first 20 training rows are labelled.

    The order of the rows matters: libsvm stops at a tolerance of 1e-3, and where it
    stops depends on it, so that another order finds other queries in one of ten seeds.
    """
    order = np.arange(len(y))
    np.random.default_rng(seed).shuffle(order)
    train, test = np.split(order, [int(len(y) * (1 - TEST_SHARE))])
    # A new generator, not the next numbers of the first one.
    np.random.default_rng(seed).shuffle(train)
    scaler = StandardScaler().fit(X[train])
    return scaler.transform(X[train]), y[train], scaler.transform(X[test]), y[test]


def valid_seeds(X, y, n_seeds):
    """Return the first seeds whose first labels are of both classes."""
    seeds, seed = [], 0
    while len(seeds) < n_seeds:
        if len(np.unique(split(X, y, seed)[1][:N_INITIAL])) == 2:
            seeds.append(seed)
        seed += 1
    return seeds


def accuracies_by_round(X, y, labeled_iter, X_test, y_test):
    """Return the test accuracy after each bought label."""
    accuracies = []
    for n_rounds in range(1, labeled_iter.max() + 1):
        known = labeled_iter <= n_rounds
        model = clone(TASK_MODEL).fit(X[known], y[known])
        accuracies.append(model.score(X_test, y_test))
    return accuracies


def published_way(name, strategy, seed):
    """Return the area that a strategy of ours reaches."""
    X, y, X_test, y_test = split(*load(name), seed)
    clf = ActiveLearningClassifier(
        oracle=SimulatedOracle(y),
        batch_size=1,
        budget=None,
        missing_label=np.nan,  # -1 is a class
        random_state=seed,
        **{"estimator": TASK_MODEL} | STRATEGIES[strategy],
    )
    y_initial = np.where(np.arange(len(y)) < N_INITIAL, y, np.nan)
    with warnings.catch_warnings():
        # Bootstraps of few rows are collinear; the discriminant says so every time.
        warnings.simplefilter("ignore", UserWarning)
        clf.fit(X, y_initial, sample_ids=range(len(y)))
    rounds = accuracies_by_round(X, y, clf.labeled_iter_, X_test, y_test)
    return round(area_under_budget_curve(rounds), 5)


def read_results(path=RESULTS):
    """Return {(dataset, strategy): {seed: area}}."""
    found = {}
    if path.exists():
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                key = row["dataset"], row["strategy"]
                found.setdefault(key, {})[int(row["seed"])] = float(row["aubc"])
    return found


def append_results(path, rows):
    path.parent.mkdir(exist_ok=True)
    is_new = not path.exists()
    with open(path, "a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if is_new:
            writer.writerow(FIELDS)
        writer.writerows(rows)


def published_means(path=TEST_DATA / "lu2023_aubc.csv"):
    """Return {(dataset, strategy): (mean, standard deviation, number of seeds)}."""
    with open(path, encoding="utf-8", newline="") as file:
        return {
            (row["dataset"], row["strategy"]): (
                float(row["mean_aubc"]),
                float(row["std"]),
                int(row["n_repeats"]),
            )
            for row in csv.DictReader(file)
            if row["mean_aubc"]
        }


def run(args):
    stop_at = time.monotonic() + args.budget_seconds
    found = read_results(args.out)
    for name in args.sets:
        seeds = valid_seeds(*load(name), args.seeds)
        for strategy in args.strategies:
            done = found.get((name, strategy), {})
            todo = [seed for seed in seeds if seed not in done]
            for start in range(0, len(todo), 10):
                if time.monotonic() > stop_at:
                    print("The time is up; run it again to go on.")
                    return
                batch = todo[start : start + 10]
                areas = Parallel(n_jobs=args.n_jobs)(
                    delayed(published_way)(name, strategy, seed) for seed in batch
                )
                rows = [
                    (name, strategy, seed, area)
                    for seed, area in zip(batch, areas, strict=True)
                ]
                append_results(args.out, rows)


def report(args):
    """Print means beside the published ones, and their distance in standard errors."""
    published = published_means()
    print(
        "set            strategy  seeds     ours  published  difference  in std errors"
    )
    for (name, strategy), areas in sorted(read_results(args.out).items()):
        ours = np.array(list(areas.values()))
        mean, std, n_repeats = published.get((name, strategy), (np.nan, np.nan, 1))
        error = np.sqrt(ours.var(ddof=1) / len(ours) + std**2 / n_repeats)
        difference = ours.mean() - mean
        print(
            f"{name:14} {strategy:8} {len(ours):6} {ours.mean():8.4f} {mean:10.4f} "
            f"{difference:+11.4f} {difference / error:+14.2f}"
        )


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--n-jobs", type=int, default=2)
    parser.add_argument("--budget-seconds", type=float, default=3600)
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


if __name__ == "__main__":
    arguments = parse_args()
    run(arguments)
    report(arguments)
