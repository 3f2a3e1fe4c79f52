"""Query by committee beside loops written by hand, and beside scikit-activeml.

A committee of bagged clones; the rows of largest divergence from the consensus are
queried. The loop by hand fits and predicts one member after the other. Then one query
of ten linear members on a large pool, over the members' own fits and predictions, and
later rounds over the first one. It takes about ten minutes.

    OMP_NUM_THREADS=1 python benchmarks/bench_committee.py
    python benchmarks/bench_committee.py --report
"""

from functools import partial

import numpy as np
from bench_loop import by_skactive, make_data, pair
from harness.timing import Case, Measured, main
from scipy.special import entr
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from skactive.acquisition import get_strategy
from skactive.testing import make_pool

N_MEMBERS = 5
LINEAR = LogisticRegression(max_iter=1000)
MODELS = {
    "logistic regression": LINEAR,
    "random forest of 20": RandomForestClassifier(n_estimators=20),
}


def scaled_data(*shape):
    X, y, initial = make_data(*shape)
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


def by_scikit_activeml(model, X, y, initial, n_rounds, batch_size):
    from skactiveml.classifier import SklearnClassifier
    from skactiveml.pool import QueryByCommittee
    from skactiveml.utils import MISSING_LABEL

    known = np.full(len(y), MISSING_LABEL)
    known[initial] = y[initial]
    bagging = BaggingClassifier(clone(model), n_estimators=N_MEMBERS, random_state=0)
    ensemble = SklearnClassifier(bagging, classes=np.unique(y), random_state=0)
    strategy = QueryByCommittee(method="KL_divergence", random_state=0)
    for _ in range(n_rounds):
        rows = strategy.query(X=X, y=known, ensemble=ensemble, batch_size=batch_size)
        known[rows] = y[rows]
    return SklearnClassifier(clone(model), classes=np.unique(y)).fit(X, known)


by_committee = partial(by_skactive, strategy="kl_divergence", committee=N_MEMBERS)
LOOPS = {
    "by hand": by_hand,
    "skactive, n_jobs=1": partial(by_committee, n_jobs=1),
    "skactive, n_jobs=2": partial(by_committee, n_jobs=2),
}
PEERS = {"scikit-activeml": by_scikit_activeml}


def own_work(X, y, initial, candidates):
    """Fit ten members and predict with each: what no query can do without."""
    rng, X_pool = np.random.default_rng(0), X[candidates]

    def run():
        for _ in range(10):
            bag = rng.choice(initial, len(initial))
            clone(LINEAR).fit(X[bag], y[bag]).predict_proba(X_pool)

    return run


def query(X, y, initial, candidates):
    """Select 100 rows by the divergence of ten members."""
    labeled = np.isin(np.arange(len(y)), initial)
    known = np.where(labeled, y, -1)

    def run():
        pool = make_pool(X, known, labeled, candidates, estimator=LINEAR, committee=10)
        return get_strategy("kl_divergence").select(pool, 100)

    return run


def round_cases(name, data, n_rounds):
    """Yield what later rounds cost, compared with the first one.

    Fits grow with the labels, so the selection, which predicts over the pool, is a case
    by itself, too.
    """
    run = partial(LOOPS["skactive, n_jobs=2"], MODELS[name], *data)
    run(2, 10)  # starts the workers
    history = run(n_rounds, 10)[1].history_[:-1]
    selection = np.array([r["select_seconds"] for r in history])
    both = selection + [r["fit_seconds"] for r in history]
    for what, seconds in {"fits and selection": both, "selection": selection}.items():
        first, *later = [(s, np.nan) for s in seconds]  # the processor's are not known
        sides = {"round 1": [first] * len(later), "later rounds": later}
        yield Case(f"{name}, n_jobs=2, {what} of a round", sides, measured_before)


def measured_before(sides, args):
    return {side: Measured(seconds) for side, seconds in sides.items()}


def cases(args):
    for n_labeled in args.query_labels:
        X, y, initial = scaled_data(args.query_samples, 100, 10, n_labeled)
        rows = X, y, initial, np.setdiff1d(np.arange(len(y)), initial)
        yield Case(
            f"10 linear members, {args.query_samples} x 100, {n_labeled} labels",
            {
                "fits, predictions": partial(own_work, *rows),
                "skactive": partial(query, *rows),
            },
        )
    data = scaled_data(args.n_samples)
    loops = LOOPS | {name: PEERS[name] for name in args.peers}
    for name, model in MODELS.items():
        for n_rounds, batch_size in args.runs:
            work = model, *data, n_rounds, batch_size
            sides = {
                side: partial(partial, loop, *work) for side, loop in loops.items()
            }
            run = f"{n_rounds} rounds of {batch_size}"
            title = f"{N_MEMBERS} members, {name}, {args.n_samples} rows, {run}"
            yield Case(title, sides, per=n_rounds)
        if args.later_rounds:
            yield from round_cases(name, data, args.later_rounds)


def options(parser):
    parser.add_argument("--n-samples", type=int, default=10_000)
    parser.add_argument("--query-samples", type=int, default=100_000)
    parser.add_argument("--query-labels", type=int, nargs="*", default=[200, 1000])
    runs = [(100, 10), (200, 1)]
    parser.add_argument("--runs", type=pair, nargs="*", default=runs, help="as 100x10")
    parser.add_argument("--later-rounds", type=int, default=100)


if __name__ == "__main__":
    main(__doc__, "committee", cases, options=options, peers=list(PEERS), repeats=3)
