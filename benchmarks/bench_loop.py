"""The loop beside one written by hand, and beside scikit-activeml.

Margin sampling with a logistic regression. The bound for a round is the estimator's own
fit plus one prediction over the pool; a loop written by hand with NumPy and
scikit-learn comes close to it. All run in one process, in turn, with one BLAS thread,
and must ask the same rows. Printed are medians of ratios of neighbouring runs, and the
ratio of the fastest runs, which other programs on the machine disturb least.
"""

import argparse
import os
import platform
import time
import tracemalloc
from importlib.metadata import version

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from skactive import ActiveLearningClassifier
from skactive.datasets import hide_labels

MODEL = LogisticRegression(max_iter=1000)


class FreeModel(ClassifierMixin, BaseEstimator):
    """A model that learns nothing: what is left is what the loops do themselves."""

    def __init__(self, fitted):
        self.fitted = fitted

    def __sklearn_clone__(self):
        return type(self)(self.fitted)

    def fit(self, X, y):
        self.classes_ = self.fitted.classes_
        return self

    def predict(self, X):
        return self.fitted.predict(X)

    def predict_proba(self, X):
        return self.fitted.predict_proba(X)


def by_hand(model, X, y, initial, n_rounds, batch_size):
    """Return the rows asked, and the final model."""
    labeled = np.zeros(len(y), dtype=bool)
    labeled[initial] = True
    asked = []
    for _ in range(n_rounds):
        fitted = clone(model).fit(X[labeled], y[labeled])
        pool = np.flatnonzero(~labeled)
        top = np.partition(fitted.predict_proba(X[pool]), -2, axis=1)
        margin = top[:, -1] - top[:, -2]
        rows = pool[np.argpartition(margin, batch_size - 1)[:batch_size]]
        labeled[rows] = True  # the oracle is the table y
        asked.append(rows)
    return asked, clone(model).fit(X[labeled], y[labeled])


def by_skactive(model, X, y, initial, n_rounds, batch_size):
    y_initial = np.full(len(y), -1)
    y_initial[initial] = y[initial]
    clf = ActiveLearningClassifier(
        model,
        oracle=lambda X, sample_ids: y[sample_ids],
        strategy="margin",
        batch_size=batch_size,
        budget=n_rounds * batch_size,
        random_state=0,
    )
    clf.fit(X, y_initial, sample_ids=np.arange(len(y)))
    return np.split(clf.query_indices_, n_rounds), clf


def by_scikit_activeml(model, X, y, initial, n_rounds, batch_size):
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import UncertaintySampling
    from skactiveml.utils import MISSING_LABEL

    y_known = np.full(len(y), MISSING_LABEL)
    y_known[initial] = y[initial]
    clf = SklearnClassifier(clone(model), classes=np.unique(y), random_state=0)
    strategy = UncertaintySampling(method="margin_sampling", random_state=0)
    asked = []
    for _ in range(n_rounds):
        rows = strategy.query(X=X, y=y_known, clf=clf, batch_size=batch_size)
        y_known[rows] = y[rows]
        asked.append(rows)
    return asked, clf.fit(X, y_known)


LOOPS = {"by hand": by_hand, "skactive": by_skactive}
PEERS = {"scikit-activeml": by_scikit_activeml}


def make_data(n_samples, n_features, n_classes, n_initial):
    X, y = make_classification(
        n_samples,
        n_features,
        n_informative=n_features // 2,
        n_classes=n_classes,
        n_clusters_per_class=2,
        flip_y=0.02,
        random_state=0,
    )
    known = hide_labels(y, n_initial, stratify=True, random_state=0) != -1
    return X, y, np.flatnonzero(known)


def check_same_queries(asked):
    """Raise unless all loops have asked the same rows in every round."""
    first, *others = (
        [sorted(map(int, rows)) for rows in rounds] for rounds in asked.values()
    )
    for name, other in zip(list(asked)[1:], others, strict=True):
        for number, (ours, theirs) in enumerate(zip(first, other, strict=True), 1):
            if ours != theirs:
                raise AssertionError(
                    f"{name!r} asked {theirs} in round {number}, the loop by hand "
                    f"{ours}."
                )


def measure_seconds(loops, model, data, n_rounds, batch_size, n_repeats):
    """Return {name: seconds of each repetition}; the loops take turns."""
    seconds, asked = {name: [] for name in loops}, {}
    for repeat in range(n_repeats + 1):
        names = list(loops)
        # Nobody is always the first, or always after the same one.
        for name in names if repeat % 2 else names[::-1]:
            started = time.perf_counter()
            asked[name], _ = loops[name](model, *data, n_rounds, batch_size)
            if repeat:  # the first one warms up
                seconds[name].append(time.perf_counter() - started)
        check_same_queries(asked)
    return seconds


def measure_peak(loop, data, n_rounds, batch_size):
    """Return how many bytes are in use at the peak besides the data."""
    tracemalloc.start()
    try:
        loop(MODEL, *data, n_rounds, batch_size)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def report_seconds(args, loops):
    data = make_data(args.n_samples, args.n_features, args.n_classes, args.n_initial)
    print(
        f"\nSeconds: {args.n_samples} x {args.n_features}, {args.n_classes} classes, "
        f"{args.n_initial} labels at first, median of {args.repeats} runs"
    )
    for n_rounds, batch_size in args.runs:
        seconds = measure_seconds(
            loops, MODEL, data, n_rounds, batch_size, args.repeats
        )
        print(f"{n_rounds} rounds of {batch_size}:")
        for name, values in seconds.items():
            ratios = np.divide(values, seconds["by hand"])
            low, median, high = np.quantile(ratios, [0.25, 0.5, 0.75])
            fastest = min(values) / min(seconds["by hand"])
            print(
                f"  {name:16} {np.median(values):7.3f} s"
                f"  {1e3 * np.median(values) / n_rounds:7.2f} ms per round"
                f"  ratio {median:.3f} (quartiles {low:.3f} to {high:.3f}, "
                f"of the fastest {fastest:.3f})"
            )


def report_overhead(args):
    data = make_data(args.n_samples, args.n_features, args.n_classes, args.n_initial)
    model = FreeModel(clone(MODEL).fit(data[0][data[2]], data[1][data[2]]))
    print("\nMilliseconds per round with a model that learns nothing, fastest run")
    for n_rounds, batch_size in args.runs:
        seconds = measure_seconds(
            LOOPS, model, data, n_rounds, batch_size, 5 * args.repeats
        )
        best = {name: 1e3 * min(times) / n_rounds for name, times in seconds.items()}
        print(
            f"{n_rounds} rounds of {batch_size}: by hand {best['by hand']:.2f}, "
            f"skactive {best['skactive']:.2f}, "
            f"difference {best['skactive'] - best['by hand']:.2f}"
        )


def report_memory(args, loops):
    n_samples, n_features = args.memory_samples, args.n_features
    data = make_data(n_samples, n_features, args.n_classes, args.n_initial)
    mib = 2**20
    print(
        f"\nPeak memory besides the data: {n_samples} x {n_features} "
        f"({data[0].nbytes / mib:.0f} MiB), 3 rounds of 10"
    )
    for name, loop in loops.items():
        peak = measure_peak(loop, data, 3, 10)
        print(f"  {name:16} {peak / mib:7.1f} MiB, {peak / n_samples:6.0f} bytes a row")


def pair(text):
    n_rounds, batch_size = text.split("x")
    return int(n_rounds), int(batch_size)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-samples", type=int, default=10_000)
    parser.add_argument("--n-features", type=int, default=50)
    parser.add_argument("--n-classes", type=int, default=5)
    parser.add_argument("--n-initial", type=int, default=50)
    parser.add_argument(
        "--runs",
        type=pair,
        nargs="+",
        default=[(100, 10), (200, 1)],
        metavar="ROUNDSxBATCH",
        help="default: 100x10 200x1",
    )
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--memory-samples", type=int, default=200_000)
    parser.add_argument("--no-memory", action="store_true")
    parser.add_argument("--no-peers", action="store_true")
    return parser.parse_args()


def main():
    args = parse_args()
    loops = LOOPS if args.no_peers else LOOPS | PEERS
    packages = ["skactive", "scikit-learn", "numpy", "scipy"]
    packages += [] if args.no_peers else ["scikit-activeml"]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, 1 BLAS thread")
    print(", ".join(f"{name} {version(name)}" for name in packages))
    with threadpool_limits(1):
        report_seconds(args, loops)
        report_overhead(args)
        if not args.no_memory:
            report_memory(args, loops)


if __name__ == "__main__":
    main()
