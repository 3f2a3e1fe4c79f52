"""The loop beside one written by hand, and beside scikit-activeml.

Margin sampling with a logistic regression. The bound for a round is the estimator's own
fit plus one prediction over the pool; a loop written by hand with NumPy and
scikit-learn comes close to it. All must query the same rows. Then the same with a model
that learns nothing, so that only the loops themselves take time, and the peak memory on
a large pool. It takes about five minutes.

    OMP_NUM_THREADS=1 python benchmarks/bench_loop.py
    python benchmarks/bench_loop.py --report
"""

from functools import partial

import numpy as np
from harness.timing import Case, in_turn, main, peaks
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

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
    """Return the queried rows, and the final model."""
    labeled = np.zeros(len(y), dtype=bool)
    labeled[initial] = True
    queried = []
    for _ in range(n_rounds):
        fitted = clone(model).fit(X[labeled], y[labeled])
        pool = np.flatnonzero(~labeled)
        top = np.partition(fitted.predict_proba(X[pool]), -2, axis=1)
        margin = top[:, -1] - top[:, -2]
        rows = pool[np.argpartition(margin, batch_size - 1)[:batch_size]]
        labeled[rows] = True  # the oracle is the table y
        queried.append(rows)
    return queried, clone(model).fit(X[labeled], y[labeled])


def by_skactive(model, X, y, initial, n_rounds, batch_size, **params):
    """Return the queried rows, and the final model, with other parameters if given."""
    y_initial = np.full(len(y), -1)
    y_initial[initial] = y[initial]
    defaults = {"oracle": lambda X, sample_ids: y[sample_ids], "strategy": "margin"}
    clf = ActiveLearningClassifier(
        model,
        batch_size=batch_size,
        budget=n_rounds * batch_size,
        random_state=0,
        **defaults | params,
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
    queried = []
    for _ in range(n_rounds):
        rows = strategy.query(X=X, y=y_known, clf=clf, batch_size=batch_size)
        y_known[rows] = y[rows]
        queried.append(rows)
    return queried, clf.fit(X, y_known)


LOOPS = {"by hand": by_hand, "skactive": by_skactive}
PEERS = {"scikit-activeml": by_scikit_activeml}


def make_data(n_samples, n_features=50, n_classes=5, n_initial=50):
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


def free_model(X, y, initial):
    """Return a model that learns nothing, and predicts what a fitted one does."""
    return FreeModel(clone(MODEL).fit(X[initial], y[initial]))


def sides(loops, *args):
    """Return sides that are compared with each other before every call."""
    queried = {}

    def prepare(name):
        check_same_queries(queried)
        return lambda: queried.update({name: loops[name](*args)[0]})

    return {name: partial(prepare, name) for name in loops}


def check_same_queries(queried):
    """Raise unless all loops have queried the same rows in every round."""
    rounds = {
        name: [sorted(map(int, rows)) for rows in of] for name, of in queried.items()
    }
    if len({str(of) for of in rounds.values()}) > 1:
        raise AssertionError(f"The loops have queried different rows: {rounds}")


def cases(args):
    data = make_data(args.n_samples)
    known = LOOPS | {name: PEERS[name] for name in args.peers}
    often = partial(in_turn, n_calls=5 * args.repeats)
    compared = {
        f"{args.n_samples} x 50, 5 classes": (known, MODEL, in_turn),
        "a model that learns nothing": (LOOPS, free_model(*data), often),
    }
    for problem, (loops, model, measure) in compared.items():
        for n_rounds, batch_size in args.runs:
            title = f"{problem}, {n_rounds} rounds of {batch_size}"
            run = sides(loops, model, *data, n_rounds, batch_size)
            yield Case(title, run, measure, n_rounds)
    if args.memory_samples:
        run = sides(known, MODEL, *make_data(args.memory_samples), 3, 10)
        yield Case(f"memory of {args.memory_samples} x 50", run, peaks)


def pair(text):
    n_rounds, batch_size = text.split("x")
    return int(n_rounds), int(batch_size)


def options(parser):
    parser.add_argument("--n-samples", type=int, default=10_000)
    runs = [(100, 10), (200, 1)]
    parser.add_argument("--runs", type=pair, nargs="*", default=runs, help="as 100x10")
    parser.add_argument("--memory-samples", type=int, default=200_000)


if __name__ == "__main__":
    main(__doc__, "loop", cases, options=options, peers=list(PEERS), repeats=7)
