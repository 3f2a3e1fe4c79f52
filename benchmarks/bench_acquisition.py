"""One query of each strategy over the work that it cannot do without, and beside peers.

Pools are Gaussian. The model is fitted before the clock starts; what a strategy then
computes with it, such as a prediction over the pool, is part of both sides. All sides
of a cell take turns: a lower bound, which does the work that is named and nothing else,
ours, and those of the peers that are installed. A side that takes too long or too much
memory is ended and reported as such. The peak is that of what one more call allocates.
It takes about an hour.

    OMP_NUM_THREADS=1 python benchmarks/bench_acquisition.py
    OMP_NUM_THREADS=1 python benchmarks/bench_acquisition.py --strategies k_center badge
    python benchmarks/bench_acquisition.py --report
"""

import copy
import resource
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, partial

import numpy as np
from harness.peers import PEERS
from harness.timing import Case, main, seconds_and_peaks
from sklearn.base import clone
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import NearestNeighbors
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, normalize

from skactive._pool.kept import Kept
from skactive.acquisition import get_strategy
from skactive.acquisition._base import select_queries
from skactive.testing import make_pool


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
        self.kept = Kept.of_run(self.X, self.model)

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
        return make_pool(
            self.X,
            np.where(self.labeled, self.y, -1),
            self.labeled,
            self.candidates,
            estimator=self.model,
            committee=self.committee,
            kept=self.kept,
        )


# Lower bounds: each returns a function that does the work that its docstring names, and
# nothing else.


def predict(problem):
    """a prediction"""
    model, X = problem.fitted, problem.X[problem.candidates]
    return lambda: model.predict_proba(X)


def member_entropies(problem):
    """-p log p of members, mean"""
    proba = problem.pool_with_members.member_proba
    terms = np.empty_like(proba[0])

    def run():
        for one in [*proba, proba.mean(axis=0)]:
            np.log(one, out=terms)
            np.multiply(terms, one, out=terms)
            terms.sum(axis=1)

    return run


def joint_tables(problem, n_configurations=40_000):
    """joint tables, once a pick"""
    proba = problem.pool_with_members.member_proba[:, : problem.n_queries]

    def run():
        table = np.ones((1, len(proba)))
        for row in range(proba.shape[1]):
            table = table[:, None, :] * proba[:, row].T
            table = table.reshape(-1, len(proba))[:n_configurations]

    return run


def passes(problem):
    """b passes"""
    X = problem.X.astype(np.float32)
    rows = problem.candidates[: problem.n_queries]
    return lambda: [X @ X[row] for row in rows]


def labeled_passes(problem):
    """labels + b passes"""
    X, more = problem.X.astype(np.float32), passes(problem)
    known = np.ascontiguousarray(X[problem.labeled].T)

    def run():
        for start in range(0, len(X), 10_000):
            X[start : start + 10_000] @ known
        more()

    return run


def gradient_passes(problem):
    """b passes of K + d"""
    h = problem.X[problem.candidates]
    a = np.ascontiguousarray(problem.fitted.predict_proba(h).T, dtype=np.float32)
    h = h.astype(np.float32)
    return lambda: [(a[:, row] @ a, h @ h[row]) for row in range(problem.n_queries)]


def predict_and_two_passes(problem):
    """a prediction, two passes"""
    run_predict, X = predict(problem), problem.X
    weights, mean = np.ones(len(X)), np.ones(X.shape[1])
    return lambda: (run_predict(), weights @ X, X @ mean)


def own_k_means(problem):
    """its k-means"""
    calls = problem.k_means_of_typiclust
    return lambda: [clone(model).fit(X) for model, X in calls]


def radius_graph(problem):
    """a radius graph"""
    X = normalize(problem.X).astype(np.float32)
    reach, starts = np.float32(0.9), range(0, len(X), 100)
    return lambda: [(X[i : i + 100] @ X.T > reach).sum(axis=1) for i in starts]


def neighbors_and_predict(problem):
    """neighbours, a prediction"""
    run_predict, X = predict(problem), normalize(problem.X)
    index = NearestNeighbors(n_neighbors=10, algorithm="brute").fit(X[problem.labeled])
    others = X[~problem.labeled]
    return lambda: (run_predict(), index.kneighbors(others, return_distance=False))


def fit_and_predict(problem):
    """a fit, a prediction"""
    model = make_pipeline(
        StandardScaler(), LogisticRegression(class_weight="balanced", max_iter=1000)
    )
    X, y = problem.X, ~problem.labeled
    return lambda: model.fit(X, y).decision_function(X)


def refits(problem):
    """refits"""
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

    def sides(self, args):
        """Return the bound, our query and those of peers."""
        problem = later = Problem(**self.shape(args))
        if self.is_later_round:
            later = problem.after(problem.candidates[: problem.n_queries])
        sides = {"skactive": partial(self.query, problem)}
        if self.bound:
            sides = {self.bound.__doc__: partial(self.bound, later)} | sides
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


SMALL = {"n_samples": 1050, "n_features": 10, "n_classes": 2, "n_labeled": 50}
SMALL |= {"n_queries": 1}
MEMBERS = "probabilities of {} members given"
EER, EGL = "expected_error_reduction", "expected_gradient_length"
ALL, NEWTON = {"max_candidates": None}, {"approximation": "newton"}
CELLS = [
    Cell("least_confident", "1.10", predict),
    Cell("margin", "1.10", predict),
    Cell("entropy", "1.10", predict),
    Cell(
        "bald",
        "1.3",
        member_entropies,
        MEMBERS.format(10),
        "members",
        sizes={"committee": 10},
    ),
    Cell(
        "batch_bald",
        "10 s",
        joint_tables,
        MEMBERS.format(50),
        "members",
        sizes={"committee": 50, "n_queries": 10},
    ),
    Cell("k_center", "1.4", labeled_passes, "first round", ""),
    Cell("k_center", "1.4", passes, "later rounds", "", is_later_round=True),
    Cell("badge", "1.3", gradient_passes, "probabilities given", "proba"),
    Cell("density", "1.3", predict_and_two_passes),
    Cell("typiclust", "1.3", own_k_means, given=""),
    Cell("prob_cover", "2", radius_graph, given=""),
    Cell("prob_cover", "2", radius_graph, given="", sizes={"n_samples": 20_000}),
    Cell("contrastive", "1.2", neighbors_and_predict),
    Cell(
        "discriminative",
        "1.2",
        fit_and_predict,
        "one sub-batch",
        "",
        params={"n_sub_batches": 1},
    ),
    Cell(EGL, "1.3", predict, "first round"),
    Cell(EGL, "1.3", predict, "later rounds", is_later_round=True),
    Cell("quire", "0.1 s", given="", sizes=SMALL),
    Cell("quire", "", given="", sizes=SMALL | {"n_samples": 10_050}),
    Cell(EER, "1.0", refits, "refits", params=ALL, sizes=SMALL),
    Cell(EER, "", refits, "Newton steps", params=ALL | NEWTON, sizes=SMALL),
    Cell(
        EER,
        "",
        refits,
        "naive Bayes, closed form",
        params=ALL,
        sizes=SMALL | {"model": GaussianNB()},
    ),
]


def cases(args):
    limit = int(args.memory_gib * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    warnings.simplefilter("ignore", UserWarning)  # of peers
    for cell in CELLS:
        if cell.strategy in args.strategies:
            shape = cell.shape(args)
            title = f"{cell.title}, {shape['n_samples']} x {shape['n_features']}"
            if cell.aim:
                title += f", aim {cell.aim}"
            yield Case(title, cell.sides(args), seconds_and_peaks)


def options(parser):
    names = list(dict.fromkeys(cell.strategy for cell in CELLS))
    parser.add_argument("--strategies", nargs="+", choices=names, default=names)
    parser.add_argument("--n", type=int, default=100_000, help="rows of the pool")
    parser.add_argument("--d", type=int, default=100, help="features")
    parser.add_argument("--classes", type=int, default=10)
    parser.add_argument("--batch", type=int, default=100, help="queries")
    parser.add_argument("--memory-gib", type=float, default=12.0)


if __name__ == "__main__":
    peers = list(PEERS)
    main(__doc__, "acquisition", cases, options=options, peers=peers, cap_seconds=60)
