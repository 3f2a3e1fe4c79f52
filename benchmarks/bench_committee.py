"""Query by committee beside loops written by hand, and beside scikit-activeml.

A committee of bagged clones; the rows of largest divergence from the consensus are
asked. The loop by hand fits and predicts one member after the other. Then one query of
ten linear members on a large pool, over the members' own fits and predictions. All run
in one process, in turn, with one BLAS thread. What is printed are medians of ratios.
"""

import argparse
import os
import platform
import time
from functools import partial
from importlib.metadata import version

import numpy as np
from bench_loop import make_data, pair
from scipy.special import entr
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from skactive import ActiveLearningClassifier
from skactive._pool.pool import Pool
from skactive.acquisition import get_strategy

N_MEMBERS = 5
MODELS = {
    "logistic regression": LogisticRegression(max_iter=1000),
    "random forest of 20": RandomForestClassifier(n_estimators=20),
}


def scaled_data(*args):
    X, y, initial = make_data(*args)
    return StandardScaler().fit_transform(X), y, initial


def divergence(proba):
    """Return the mean divergence of members from their consensus, as one writes it."""
    return entr(proba.mean(axis=0)).sum(axis=1) - entr(proba).sum(axis=2).mean(axis=0)


def by_hand(model, X, y, initial, n_rounds, batch_size):
    rng = np.random.default_rng(0)
    classes = np.unique(y)
    labeled = np.zeros(len(y), dtype=bool)
    labeled[initial] = True
    for _ in range(n_rounds):
        known, pool = np.flatnonzero(labeled), np.flatnonzero(~labeled)
        X_pool = X[pool]
        proba = np.zeros((N_MEMBERS, len(pool), len(classes)))
        for c in range(N_MEMBERS):
            bag = rng.choice(known, len(known))
            member = clone(model)
            if "random_state" in member.get_params():
                member.set_params(random_state=int(rng.integers(2**31)))
            member.fit(X[bag], y[bag])
            columns = np.searchsorted(classes, member.classes_)
            proba[c][:, columns] = member.predict_proba(X_pool)
        scores = divergence(proba)
        labeled[pool[np.argpartition(-scores, batch_size - 1)[:batch_size]]] = True
    return clone(model).fit(X[labeled], y[labeled])


def by_skactive(n_jobs):
    def run(model, X, y, initial, n_rounds, batch_size):
        some = np.full(len(y), -1)
        some[initial] = y[initial]
        clf = ActiveLearningClassifier(
            model,
            oracle=lambda X, sample_ids: y[sample_ids],
            strategy="kl_divergence",
            committee=N_MEMBERS,
            batch_size=batch_size,
            budget=n_rounds * batch_size,
            n_jobs=n_jobs,
            random_state=0,
        )
        return clf.fit(X, some, sample_ids=np.arange(len(y)))

    return run


def by_scikit_activeml(model, X, y, initial, n_rounds, batch_size):
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import QueryByCommittee
    from skactiveml.utils import MISSING_LABEL
    from sklearn.ensemble import BaggingClassifier

    known = np.full(len(y), MISSING_LABEL)
    known[initial] = y[initial]
    bagging = BaggingClassifier(clone(model), n_estimators=N_MEMBERS, random_state=0)
    ensemble = SklearnClassifier(bagging, classes=np.unique(y), random_state=0)
    strategy = QueryByCommittee(method="KL_divergence", random_state=0)
    for _ in range(n_rounds):
        rows = strategy.query(X=X, y=known, ensemble=ensemble, batch_size=batch_size)
        known[rows] = y[rows]
    return SklearnClassifier(clone(model), classes=np.unique(y)).fit(X, known)


def in_turn(functions, n_repeats):
    """Return {name: seconds of each repetition} of functions that take turns."""
    seconds = {name: [] for name in functions}
    for repeat in range(n_repeats + 1):
        for name in list(functions)[:: 1 if repeat % 2 else -1]:
            started = time.perf_counter()
            functions[name]()
            if repeat:  # the first one warms up
                seconds[name].append(time.perf_counter() - started)
    return seconds


def report(seconds):
    first = next(iter(seconds))
    for name, values in seconds.items():
        low, median, high = np.quantile(
            np.divide(values, seconds[first]), [0.25, 0.5, 0.75]
        )
        print(
            f"  {name:22} {np.median(values):7.3f} s  ratio {median:.3f} "
            f"(quartiles {low:.3f} to {high:.3f})",
            flush=True,
        )


def bench_loops(args):
    data = scaled_data(args.n_samples, args.n_features, args.n_classes, args.n_initial)
    loops = {
        "by hand": by_hand,
        "skactive, n_jobs=1": by_skactive(1),
        "skactive, n_jobs=2": by_skactive(2),
    }
    if not args.no_peers:
        loops["scikit-activeml"] = by_scikit_activeml
    for name in args.models:
        for n_rounds, batch_size in args.runs:
            print(
                f"\n{N_MEMBERS} members, {name}, {n_rounds} rounds of {batch_size}, "
                f"{args.n_samples} x {args.n_features}, {args.n_classes} classes"
            )
            shape = (n_rounds, batch_size)
            functions = {
                loop: partial(run, MODELS[name], *data, *shape)
                for loop, run in loops.items()
            }
            report(in_turn(functions, args.repeats))


def own_work(X, y, initial, candidates):
    """Fit ten members and predict with each: what no query can do without."""
    rng, X_pool = np.random.default_rng(0), X[candidates]
    model = MODELS["logistic regression"]

    def run():
        for _ in range(10):
            bag = rng.choice(initial, len(initial))
            clone(model).fit(X[bag], y[bag]).predict_proba(X_pool)

    return run


def query(X, y, initial, candidates):
    """Select 100 rows by the divergence of ten members."""
    labeled = np.isin(np.arange(len(y)), initial)
    known = np.where(labeled, y, -1)
    model = MODELS["logistic regression"]

    def run():
        pool = Pool(X, known, labeled, candidates, estimator=model, committee=10)
        return get_strategy("kl_divergence").select(pool, 100)

    return run


def bench_query(args):
    for n_labeled in args.query_labels:
        X, y, initial = scaled_data(args.query_samples, 100, 10, n_labeled)
        candidates = np.setdiff1d(np.arange(len(y)), initial)
        print(
            f"\nOne query by 10 linear members, {args.query_samples} x 100, 10 "
            f"classes, {n_labeled} labels, over the members' fits and predictions"
        )
        functions = {
            "fits, predictions": own_work(X, y, initial, candidates),
            "skactive": query(X, y, initial, candidates),
        }
        report(in_turn(functions, args.repeats))


def bench_rounds(args):
    """Print what later rounds cost, compared with the first one.

    Fits grow with the labels, so the selection, which predicts over the pool, is
    printed by itself, too.
    """
    data = scaled_data(args.n_samples, args.n_features, args.n_classes, args.n_initial)
    for name in args.models:
        model = MODELS[name]
        by_skactive(2)(model, *data, 2, 10)  # starts the workers
        clf = by_skactive(2)(model, *data, 100, 10)
        select = np.array([r["select_seconds"] for r in clf.history_[:-1]])
        whole = select + [r["fit_seconds"] for r in clf.history_[:-1]]
        print(
            f"\n{name}, n_jobs=2, rounds 2 to 100 over round 1: fits and selection "
            f"{np.median(whole[1:]) / whole[0]:.2f}, selection alone "
            f"{np.median(select[1:]) / select[0]:.2f}"
        )


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-samples", type=int, default=10_000)
    parser.add_argument("--n-features", type=int, default=50)
    parser.add_argument("--n-classes", type=int, default=5)
    parser.add_argument("--n-initial", type=int, default=50)
    parser.add_argument("--query-samples", type=int, default=100_000)
    parser.add_argument("--query-labels", type=int, nargs="*", default=[200, 1000])
    parser.add_argument("--runs", type=pair, nargs="*", default=[(100, 10), (200, 1)])
    parser.add_argument("--models", nargs="*", default=list(MODELS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--no-peers", action="store_true")
    return parser.parse_args()


def main():
    args = parse_args()
    packages = ["skactive", "scikit-learn", "numpy", "scipy", "joblib"]
    packages += [] if args.no_peers else ["scikit-activeml"]
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, 1 BLAS thread")
    print(", ".join(f"{name} {version(name)}" for name in packages))
    with threadpool_limits(1):
        bench_query(args)
        bench_loops(args)
        bench_rounds(args)


if __name__ == "__main__":
    main()
