"""Our strategies by the protocol of published tables, beside the published numbers.

The protocol is that of Lu, Li and Lin (2023), "Re-benchmarking pool-based active
learning for binary classification": the same splits, the same first 20 labels, one
query per round until the pool is empty, the test accuracy of an RBF SVM after each. The
area under that curve is compared seed by seed, or in the mean.

    SKACTIVE_DATA=... python benchmarks/published.py --seeds 100 --budget-seconds 3600
    python benchmarks/published.py --report

Stored is what 75 minutes gave. SKACTIVE_DATA names the folder of the data sets that are
not in the repository. All cells get a few seeds first, then more.
"""

import csv
import itertools
import warnings

import numpy as np
from harness.data import TEST_DATA, load
from harness.results import FOLDER, Results
from harness.study import main, turns
from harness.tables import markdown
from sklearn import config_context
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skactive import ActiveLearningClassifier
from skactive.acquisition import (
    ALBLSampling,
    BaseStrategy,
    ExpectedErrorReductionSampling,
    GraphDensitySampling,
    Proxy,
    QUIRESampling,
    get_strategy,
)
from skactive.acquisition._base import utilities
from skactive.model_selection import area_under_budget_curve
from skactive.oracles import SimulatedOracle

FIELDS = ("dataset", "strategy", "seed", "aubc")
RESULTS = Results(FOLDER / "published.csv", FIELDS, key=FIELDS[:3])

# From the smallest to the largest; with more than 2000 rows, an hour is not enough.
SETS = """
    appendicitis ex8b heart haberman ionosphere wdbc breast ex8a diabetes gcloudub
    splice checkerboard
""".split()
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


class PublishedQUIRE(BaseStrategy):
    """Score rows as the program did that the published values of QUIRE come from.

    The formula is that of ``QUIRESampling(criterion="simplified")`` with gamma 1 and
    lambda 1, except for two defects of the program: the inverse of L_aa lacks the
    kernel of the labelled rows, and an inner product stands where an outer one belongs,
    so that one number is taken from all entries of the matrix.
    """

    def utility(self, pool):
        known, asked = pool.labeled, pool.candidates
        K = rbf_kernel(pool.X, gamma=1.0)
        L = np.linalg.inv(K + np.eye(len(K)))
        inverse = np.eye(len(asked)) + K[np.ix_(asked, asked)]
        inverse -= K[np.ix_(asked, known)] @ K[np.ix_(known, asked)]
        L_aa, L_ss = L[np.ix_(asked, asked)], L.diagonal()[asked]
        fit = L[np.ix_(asked, known)] @ pool.y[known]
        # Sums over the other rows without a label, those of row s left out.
        others = L_aa - np.diag(L_ss)
        along = others @ inverse
        output = fit - along @ fit + along.diagonal() * fit
        squares = (inverse**2).sum(axis=1) / inverse.diagonal() - inverse.diagonal()
        output += squares * others.sum(axis=1) * (fit.sum() - fit)
        return np.linalg.det(L_aa) / L_ss - L_ss - 2.0 * np.abs(output)


def first_unlabeled(pool):
    """Ask the rows in their order, which the split has shuffled."""
    return -pool.candidates


# Names of the published tables, and what they are here. The task model asks if no
# other estimator is named. InfoDiv is US-C where one row is queried at a time.
STRATEGIES = {
    "Uniform": {"strategy": first_unlabeled},
    "US-C": {"strategy": "margin"},
    "US-NC": {
        "strategy": LastOfTies("entropy"),
        "estimator": LogisticRegression(C=0.1, max_iter=100),
    },
    "QBC": {"strategy": "vote_entropy", "committee": QBC_MEMBERS},
    "Core-Set": {"strategy": "k_center"},
    "Graph": {"strategy": GraphDensitySampling(discount_labeled=False)},
    "Hier": {"strategy": "hierarchical"},
    # The published arms include HintSVM, which is not here. T is the size of the pool.
    "ALBL": {
        "strategy": ALBLSampling(
            [
                Proxy(LogisticRegression(C=1.0), "least_confident"),
                Proxy(LogisticRegression(C=0.01), "least_confident"),
            ],
            horizon=100_000,
        ),
        "estimator": LogisticRegression(),
    },
    "QUIRE": {"strategy": QUIRESampling(criterion="simplified")},
    "QUIRE, published": {"strategy": PublishedQUIRE()},
    "EER": {
        "strategy": ExpectedErrorReductionSampling(
            max_candidates=None, max_targets=None
        ),
        # Deprecated, but no other probabilities are those of the published values.
        "estimator": SVC(gamma="auto", probability=True, random_state=6211),
    },
}
# Slow strategies are left to the smaller sets.
ONLY_SETS = {
    "EER": SETS[:4],
    "QBC": SETS[:10],
    "QUIRE": SETS[:10],
    "QUIRE, published": SETS[:10],
}


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
        accuracies.append(np.mean(model.predict(X_test) == y_test))
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
    unchecked = config_context(assume_finite=True, skip_parameter_validation=True)
    with unchecked, warnings.catch_warnings():
        # Bootstraps of few rows are collinear; the discriminant says so every time.
        warnings.simplefilter("ignore", UserWarning)
        warnings.simplefilter("ignore", FutureWarning)  # probability=True
        clf.fit(X, y_initial, sample_ids=range(len(y)))
        rounds = accuracies_by_round(X, y, clf.labeled_iter_, X_test, y_test)
    return round(area_under_budget_curve(rounds), 5)


def areas_of(rows):
    """Return {(dataset, strategy): {seed: area}}."""
    found = {}
    for row in rows:
        key = row["dataset"], row["strategy"]
        found.setdefault(key, {})[int(row["seed"])] = float(row["aubc"])
    return found


def read_results():
    """Return the stored areas."""
    return areas_of(RESULTS.read())


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


def cells(args):
    """Yield sets, strategies and seeds in turns; the small sets come first."""
    seeds = {name: valid_seeds(*load(name), args.seeds) for name in args.sets}
    for first, last in turns(args.seeds):
        for name, strategy in itertools.product(args.sets, args.strategies):
            if name in ONLY_SETS.get(strategy, args.sets):
                for seed in seeds[name][first:last]:
                    yield name, strategy, seed


def measure(name, strategy, seed):
    area = published_way(name, strategy, seed)
    return [dict(zip(FIELDS, (name, strategy, seed, area), strict=True))]


def compare(found, published):
    """Return one record for each cell: ours, published, and how far they are apart.

    The gain is the mean difference to Uniform on the same seeds, which leaves out most
    of what the split decides. The published spread of areas holds for ours, too, as a
    few seeds say little about it; that of gains is not published, and is taken from
    ours.
    """
    records = []
    for (name, strategy), areas in found.items():
        key = name, strategy.removesuffix(", published")
        mean, std, n_repeats = published[key]
        ours = np.array(list(areas.values()))
        error = std * np.sqrt(1 / len(ours) + 1 / n_repeats)
        uniform = found.get((name, "Uniform"), {})
        gains = [areas[seed] - uniform[seed] for seed in areas if seed in uniform]
        gain, gain_error = np.nan, np.nan
        if strategy != "Uniform" and len(gains) > 1:
            gain = np.mean(gains)
            gain_error = np.std(gains, ddof=1) * np.sqrt(1 / len(gains) + 1 / n_repeats)
        published_gain = mean - published[name, "Uniform"][0]
        records.append(
            {
                "dataset": name,
                "strategy": strategy,
                "n_seeds": len(ours),
                "n_pairs": len(gains),
                "ours": ours.mean(),
                "published": mean,
                "difference": ours.mean() - mean,
                "error": error,
                "gain": gain,
                "published_gain": published_gain,
                "gain_difference": gain - published_gain,
                "gain_error": gain_error,
            }
        )
    return records


def report(rows, args):
    """Print how far means, and gains over Uniform, are from the published ones."""
    records = compare(areas_of(rows), published_means())
    records.sort(key=lambda r: (SETS.index(r["dataset"]), r["strategy"]))
    print_table(records, "difference", "error", "n_seeds")
    paired = [r for r in records if not np.isnan(r["gain"])]
    print_table(paired, "gain_difference", "gain_error", "n_pairs")


def print_table(records, value, error, n_seeds):
    """Print sets by strategies: a difference in 0.0001, in standard errors, seeds."""
    lines = {r["dataset"]: dict.fromkeys(STRATEGIES, "") for r in records}
    for r in records:
        distance = f"{r[value] / r[error]:+.1f}; {r[n_seeds]}"
        text = f"{1e4 * r[value]:+.0f} ({distance})".replace("-", "−")
        lines[r["dataset"]][r["strategy"]] = text
    rows = [[name, *texts.values()] for name, texts in lines.items()]
    print(markdown(["set", *STRATEGIES], rows, "---"), end="\n\n")


def options(parser):
    parser.add_argument("--sets", nargs="+", default=SETS)
    parser.add_argument("--strategies", nargs="+", default=list(STRATEGIES))
    parser.add_argument("--seeds", type=int, default=10)


if __name__ == "__main__":
    parts = {"cells": cells, "measure": measure, "report": report, "options": options}
    main(__doc__, RESULTS, **parts)
