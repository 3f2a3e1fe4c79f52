"""One query of each strategy over the work that it cannot do without, and beside peers.

Pools are Gaussian. The model is fitted before the clock starts; what a strategy then
computes with it, such as a prediction over the pool, is part of both sides. All sides
of a cell run in one process, in turn, with one thread; what is printed are seconds,
ratios to the lower bound of the same repetition, and the peak of what one more call
allocates. A side that takes longer than the cap is ended and reported as such.
"""

import argparse
import copy
import os
import platform
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from acquisition_peers import PEERS
from in_child import measure
from sklearn.base import clone
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize

import skactive
from skactive._pool.embedding import Embedding
from skactive._pool.pool import Pool
from skactive.acquisition import get_strategy, get_strategy_names
from skactive.acquisition._base import select_queries

MIB = 2**20
PACKAGES = ["scikit-learn", "numpy", "scipy"]


@dataclass
class Problem:
    """A pool of Gaussian classes, some rows labelled, and a model fitted on them."""

    n_samples: int
    n_features: int
    n_classes: int
    n_queries: int
    n_labeled: int = 200
    committee: int | None = None
    random_state: int = 0
    model: object = field(default_factory=partial(LogisticRegression, max_iter=1000))

    def __post_init__(self):
        rng = np.random.default_rng(0)
        centres = 0.3 * rng.standard_normal((self.n_classes, self.n_features))
        self.y = rng.integers(self.n_classes, size=self.n_samples)
        self.X = rng.standard_normal((self.n_samples, self.n_features))
        self.X += centres[self.y]
        self.labeled = np.zeros(self.n_samples, dtype=bool)
        self.labeled[rng.choice(self.n_samples, self.n_labeled, replace=False)] = True
        self.embedding = Embedding(self.X, self.model)

    def after(self, rows):
        """Return the problem of the next round, in which `rows` are labelled."""
        later = copy.copy(self)
        vars(later).pop("fitted", None)
        later.labeled = self.labeled.copy()
        later.labeled[rows] = True
        return later

    @property
    def candidates(self):
        return np.flatnonzero(~self.labeled)

    @cached_property
    def fitted(self):
        known = self.labeled
        return clone(self.model).fit(self.X[known], self.y[known])

    @cached_property
    def pool_with_members(self):
        """A pool in which the probabilities of the members have been computed."""
        pool = self.pool()
        _ = pool.member_proba
        return pool

    @cached_property
    def k_means_of_typiclust(self):
        """What the strategy fits k-means with: a list of models and rows."""
        calls, fits = [], {kind: kind.fit for kind in (KMeans, MiniBatchKMeans)}

        def recorded(fit):
            def fit_and_record(model, X, *args, **kwargs):
                calls.append((clone(model), X))
                return fit(model, X, *args, **kwargs)

            return fit_and_record

        for kind, fit in fits.items():
            kind.fit = recorded(fit)
        try:
            select_queries(get_strategy("typiclust"), self.pool(), self.n_queries)
        finally:
            for kind, fit in fits.items():
                kind.fit = fit
        return calls

    def pool(self):
        """Return a new pool, in which nothing has been computed yet."""
        return Pool(
            self.X,
            np.where(self.labeled, self.y, -1),
            self.labeled,
            self.candidates,
            estimator=self.model,
            committee=self.committee,
            embedder=self.embedding,
        )


# Lower bounds: each returns a function that does the stated work and nothing else.


def predict(problem):
    model, X = problem.fitted, problem.X[problem.candidates]
    return lambda: model.predict_proba(X)


def member_entropies(problem):
    proba = problem.pool_with_members.member_proba
    terms = np.empty_like(proba[0])

    def run():
        for one in [*proba, proba.mean(axis=0)]:
            np.log(one, out=terms)
            np.multiply(terms, one, out=terms)
            terms.sum(axis=1)

    return run


def joint_tables(problem, n_configurations=40_000):
    proba = problem.pool_with_members.member_proba[:, : problem.n_queries]

    def run():
        table = np.ones((1, len(proba)))
        for row in range(proba.shape[1]):
            table = table[:, None, :] * proba[:, row].T
            table = table.reshape(-1, len(proba))[:n_configurations]

    return run


def passes(problem):
    X = problem.X.astype(np.float32)
    rows = problem.candidates[: problem.n_queries]

    def run():
        for row in rows:
            X @ X[row]

    return run


def labeled_passes(problem):
    X, more = problem.X.astype(np.float32), passes(problem)
    known = np.ascontiguousarray(X[problem.labeled].T)

    def run():
        for start in range(0, len(X), 10_000):
            X[start : start + 10_000] @ known
        more()

    return run


def gradient_passes(problem):
    h = problem.X[problem.candidates]
    a = np.ascontiguousarray(problem.fitted.predict_proba(h).T, dtype=np.float32)
    h = h.astype(np.float32)

    def run():
        for row in range(problem.n_queries):
            a[:, row] @ a, h @ h[row]

    return run


def predict_and_two_passes(problem):
    run_predict, X = predict(problem), problem.X
    weights, mean = np.ones(len(X)), np.ones(X.shape[1])

    def run():
        run_predict(), weights @ X, X @ mean

    return run


def own_k_means(problem):
    calls = problem.k_means_of_typiclust
    return lambda: [clone(model).fit(X) for model, X in calls]


def radius_graph(problem):
    X = normalize(problem.X).astype(np.float32)
    reach = np.float32(0.9)

    def run():
        for start in range(0, len(X), 100):
            (X[start : start + 100] @ X.T > reach).sum(axis=1)

    return run


def neighbors_and_predict(problem):
    run_predict, X = predict(problem), normalize(problem.X)
    index = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(X[problem.labeled])
    others = X[~problem.labeled]

    def run():
        run_predict(), index.kneighbors(others, return_distance=False)

    return run


def fit_and_predict(problem):
    model = make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
    )

    def run():
        model.fit(problem.X, ~problem.labeled).decision_function(problem.X)

    return run


def refits(problem):
    """Fit anew for each candidate and class, and predict over the pool."""
    X, y, candidates = problem.X, problem.y.copy(), problem.candidates
    known, pool = np.flatnonzero(problem.labeled), X[candidates]

    def run():
        for row in candidates:
            rows = np.append(known, row)
            for label in range(problem.n_classes):
                y[row] = label
                model = clone(problem.model).fit(X[rows], y[rows])
                model.predict_proba(pool)

    return run


@dataclass(frozen=True)
class Cell:
    """One strategy on one problem: our query, the bound, what is known or aimed at."""

    strategy: str
    aim: str
    work: str = "no bound"
    bound: Callable | None = None
    note: str = ""
    given: str = "estimator"  # or "proba", "members", ""
    params: dict = field(default_factory=dict)
    sizes: dict = field(default_factory=dict)
    is_later_round: bool = False

    @property
    def title(self):
        return f"{self.strategy}, {self.note}" if self.note else self.strategy

    def shape(self, args):
        """Return the parameters of the problem."""
        common = {
            "n_samples": args.n,
            "n_features": args.d,
            "n_classes": args.classes,
            "n_queries": args.batch,
        }
        return common | self.sizes

    def functions(self, args):
        """Return {name: prepare} of the bound, of our query and of peers."""
        problem = later = Problem(**self.shape(args))
        if self.is_later_round:
            later = problem.after(problem.candidates[: problem.n_queries])
        sides = {self.work: partial(self.bound, later)} if self.bound else {}
        sides["skactive"] = partial(self.query, problem)
        for name in args.peers:
            if self.strategy in PEERS[name]:
                sides[name] = partial(PEERS[name][self.strategy], later)
        return sides

    def query(self, problem):
        """Prepare one query of ours."""
        strategy = get_strategy(self.strategy).set_params(**self.params)
        if self.is_later_round:
            chosen = select_queries(strategy, problem.pool(), problem.n_queries)
            problem = problem.after(chosen.rows)
        if self.given == "members":
            pool = problem.pool_with_members
        else:
            pool = problem.pool()
        if self.given == "estimator":
            _ = pool.estimator
        elif self.given == "proba":
            _ = pool.proba
        return partial(select_queries, strategy, pool, problem.n_queries)


PREDICT = "a prediction"
SMALL = {"n_samples": 1050, "n_features": 10, "n_classes": 2, "n_labeled": 50}
CELLS = [
    Cell("least_confident", "1.10", PREDICT, predict),
    Cell("margin", "1.10", PREDICT, predict),
    Cell("entropy", "1.10", PREDICT, predict),
    Cell(
        "bald",
        "1.3",
        "-p log p of members, mean",
        member_entropies,
        "probabilities of 10 members given",
        "members",
        sizes={"committee": 10},
    ),
    Cell(
        "batch_bald",
        "10 s",
        "joint tables, once a pick",
        joint_tables,
        "probabilities of 50 members given",
        "members",
        sizes={"committee": 50, "n_queries": 10},
    ),
    Cell("k_center", "1.4", "|L| + b passes", labeled_passes, "first round", ""),
    Cell(
        "k_center", "1.4", "b passes", passes, "later rounds", "", is_later_round=True
    ),
    Cell(
        "badge",
        "1.3",
        "b passes of K + d",
        gradient_passes,
        "probabilities given",
        "proba",
    ),
    Cell("density", "1.3", "a prediction, two passes", predict_and_two_passes),
    Cell("typiclust", "1.3", "its k-means", own_k_means, given=""),
    Cell("prob_cover", "2", "a radius graph", radius_graph, given=""),
    Cell(
        "prob_cover",
        "2",
        "a radius graph",
        radius_graph,
        given="",
        sizes={"n_samples": 20_000},
    ),
    Cell("contrastive", "1.2", "neighbours, a prediction", neighbors_and_predict),
    Cell(
        "discriminative",
        "1.2",
        "a fit, a prediction",
        fit_and_predict,
        "one sub-batch",
        given="",
        params={"n_sub_batches": 1},
    ),
    Cell("expected_gradient_length", "1.3", PREDICT, predict, "first round"),
    Cell(
        "expected_gradient_length",
        "1.3",
        PREDICT,
        predict,
        "later rounds",
        is_later_round=True,
    ),
    Cell("quire", "0.1 s", given="", sizes=SMALL | {"n_queries": 1}),
    Cell("quire", "", given="", sizes=SMALL | {"n_queries": 1, "n_samples": 10_050}),
    Cell(
        "expected_error_reduction",
        "1.0",
        "refits",
        refits,
        "logistic regression, refits",
        params={"max_candidates": None},
        sizes=SMALL | {"n_queries": 1},
    ),
    Cell(
        "expected_error_reduction",
        "",
        "refits",
        refits,
        "logistic regression, Newton steps",
        params={"max_candidates": None, "approximation": "newton"},
        sizes=SMALL | {"n_queries": 1},
    ),
    Cell(
        "expected_error_reduction",
        "",
        "refits",
        refits,
        "naive Bayes, closed form",
        params={"max_candidates": None},
        sizes=SMALL | {"n_queries": 1, "model": GaussianNB()},
    ),
]


def report(cell, args):
    print(f"\n{cell.title}: {describe(cell.shape(args))}", flush=True)
    if cell.strategy not in get_strategy_names():
        print("  missing: there is no strategy of this name", flush=True)
        return
    functions = partial(cell.functions, args)
    measured = measure(functions, args.repeats, args.cap_seconds, args.memory_gib)
    bound = measured[cell.work].seconds if cell.bound else []
    for name in [cell.work, "skactive", *args.peers]:
        if name not in measured:
            continue
        result = measured[name]
        aim = f"  aim {cell.aim}" if name == "skactive" and cell.aim else ""
        print(f"  {name:26} {describe_result(result, bound)}{aim}", flush=True)


def describe(shape):
    n_labeled = shape.get("n_labeled", Problem.n_labeled)
    return (
        f"{shape['n_samples']} x {shape['n_features']}, {shape['n_classes']} classes, "
        f"{n_labeled} labels, b = {shape['n_queries']}"
    )


def describe_result(result, bound):
    """Return seconds, ratio to the bound and peak memory, or what went wrong."""
    if not result.seconds:
        return result.problem
    text = f"{np.median(result.seconds):9.4f} s"
    n_pairs = min(len(result.seconds), len(bound))
    if n_pairs:
        ratios = np.divide(result.seconds[:n_pairs], bound[:n_pairs])
        low, median, high = np.quantile(ratios, [0.25, 0.5, 0.75])
        text += f"  ratio {median:7.3f} (quartiles {low:.3f} to {high:.3f})"
    if result.peak is not None:
        text += f"  peak {result.peak / MIB:.1f} MiB"
    return text


def parse_args():
    names = list(dict.fromkeys(cell.strategy for cell in CELLS))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strategies", nargs="+", choices=names, default=names)
    parser.add_argument("--n", type=int, default=100_000, help="rows of the pool")
    parser.add_argument("--d", type=int, default=100, help="features")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--batch", type=int, default=100, help="queries")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--cap-seconds", type=float, default=60.0)
    parser.add_argument("--memory-gib", type=float, default=12.0)
    installed = [name for name in PEERS if version_of(name)]
    parser.add_argument("--peers", nargs="*", choices=list(PEERS), default=installed)
    return parser.parse_args()


def version_of(package):
    """Return the version of an installed package, else None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def main():
    args = parse_args()
    found = {"skactive": skactive.__version__}
    found |= {name: version_of(name) for name in [*PACKAGES, *args.peers]}
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores, 1 thread")
    print(", ".join(f"{name} {number}" for name, number in found.items()))
    for cell in CELLS:
        if cell.strategy in args.strategies:
            report(cell, args)


if __name__ == "__main__":
    main()
