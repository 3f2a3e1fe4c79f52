"""The round in which each criterion must stop, worked out anew from a run without it.

The rounds are read off a finished run: its models are fitted again on the rows that
were labelled by then, and each rule is written down once more in a few lines of numpy.
"""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, cohen_kappa_score, log_loss

from skactive import ActiveLearningClassifier
from skactive.stopping import (
    AllOf,
    AnyOf,
    ClassificationChange,
    GainPerLabel,
    MaxUncertainty,
    MinExpectedError,
    OverallUncertainty,
    SelectedAccuracy,
    StabilizingPredictions,
    ValidationPlateau,
)

N, N_VAL = 300, 60
RNG = np.random.default_rng(7)
X = RNG.normal(size=(N + N_VAL, 4))
NOISE = 0.7 * RNG.normal(size=N + N_VAL)
CODES = np.digitize(X[:, 0] + 0.6 * X[:, 1] + NOISE, [-0.7, 0.5])
GIVEN = [int(np.flatnonzero(CODES[:N] == code)[0]) for code in range(3)]
COST = RNG.integers(1, 5, N).astype(float)


def truth(marker):
    return np.array(["a", "b", "c"])[CODES] if marker is None else CODES


def run(marker, stopping, **params):
    """A run in which each seventh row gets no answer, also of the test sample."""
    labels = truth(marker).tolist()
    y = np.full(N, marker, dtype=object if marker is None else int)
    y[GIVEN] = [labels[row] for row in GIVEN]
    return ActiveLearningClassifier(
        LogisticRegression(),
        oracle=lambda X, sample_ids: [labels[i] if i % 7 else None for i in sample_ids],
        missing_label=marker,
        stopping=stopping,
        batch_size=6,
        budget=180,
        holdout_fraction=0.2,
        random_state=3,
        **params,
    ).fit(X[:N], y, sample_ids=range(N), cost=COST)


@dataclass
class Round:
    number: int
    trained: np.ndarray
    candidates: np.ndarray
    held: np.ndarray
    asked: np.ndarray
    model: LogisticRegression


@cache
def rounds(marker):
    """All rounds of the run that nothing stops."""
    clf, labels = run(marker, None), truth(marker)
    history = clf.history_
    n_queried = [record["n_queried"] for record in history]
    by = np.repeat([str(record["strategy"]) for record in history], n_queried)
    of = np.repeat([record["round"] for record in history], n_queried)
    queries, found = clf.query_indices_, []
    sample = queries[by == "holdout"]
    for number in range(1, clf.n_iter_ + 2):
        before = queries[of < number]
        asked = np.setdiff1d(before, sample)
        trained = np.union1d(GIVEN, asked[asked % 7 > 0])
        held = np.intersect1d(before, sample)
        taken = np.concatenate([GIVEN, asked, sample])
        found.append(
            Round(
                number,
                trained,
                np.setdiff1d(np.arange(N), taken),
                held[held % 7 > 0],
                asked,
                LogisticRegression().fit(X[trained], labels[trained]),
            )
        )
    return found[:-1]  # the last one is not asked whether to stop: the budget is spent


def test_the_rounds_are_those_of_the_run():
    clf, found = run(-1, None), rounds(-1)
    assert [r.number for r in found] == list(range(1, clf.n_iter_ + 1))
    assert [len(r.trained) for r in found] == [
        h["n_labeled"] for h in clf.history_[:-1]
    ]
    assert any(len(r.held) < len(found[-1].held) for r in found)
    assert len(found[-1].held) == len(clf.holdout_indices_) < 36


def accuracy(model, rows, labels):
    return accuracy_score(labels[rows], model.predict(X[rows]))


def minus_log_loss(model, rows, labels):
    proba = model.predict_proba(X[rows])
    return -log_loss(labels[rows], proba, labels=np.unique(labels))


def plateau(score, patience, on_sample):
    def stops(found, labels):
        best, at = -np.inf, None
        for r in found:
            rows = r.held if on_sample else np.arange(N, N + N_VAL)
            if not len(rows):
                continue
            value, n = score(r.model, rows, labels), len(r.trained)
            if at in (None, n) or value > best:
                best, at = value, n
            if n - at >= patience:
                yield r.number

    return stops


def gain(price, window, on_sample):
    def stops(found, labels):
        seen = {}
        for r in found:
            rows = r.held if on_sample else np.arange(N, N + N_VAL)
            if not len(rows):
                continue
            n = len(r.asked)
            seen[n] = COST[r.asked].sum(), accuracy(r.model, rows, labels)
            earlier = [m for m in seen if m <= n - window]
            if earlier:
                (spent, now), (paid, then) = seen[n], seen[max(earlier)]
                if now - then < price * (spent - paid):
                    yield r.number

    return stops


def uncertainty(of_rows, threshold):
    def stops(found, labels):
        for r in found:
            if of_rows(r.model.predict_proba(X[r.candidates])) <= threshold:
                yield r.number

    return stops


def nats(proba):
    return -np.sum(proba * np.log(proba), axis=1)


def knew(share, min_labels):
    def stops(found, labels):
        hits = []
        for before, r in pairwise(found):
            new = np.setdiff1d(r.trained, before.trained)
            if len(new):
                hits.append(before.model.predict(X[new]) == labels[new])
            for n in range(1, len(hits) + 1):
                last = np.concatenate(hits[-n:])
                if len(last) >= min_labels:
                    if last.mean() >= share:
                        yield r.number
                    break

    return stops


def unchanged(min_labels):
    def stops(found, labels):
        last = found[0]
        for r in found[1:]:
            if len(r.trained) - len(last.trained) < min_labels:
                continue
            rows = r.candidates
            if (last.model.predict(X[rows]) == r.model.predict(X[rows])).all():
                yield r.number
            last = r

    return stops


def stable(threshold, n_windows, min_labels):
    def stops(found, labels):
        last, kappas = found[0], []
        rows = last.candidates
        for r in found[1:]:
            if len(r.trained) - len(last.trained) >= min_labels:
                two = (m.predict(X[rows]) for m in (last.model, r.model))
                kappas.append(cohen_kappa_score(*two))
                last = r
            window = kappas[-n_windows:]
            if len(window) == n_windows and np.mean(window) >= threshold:
                yield r.number

    return stops


def both(first, second):
    def stops(found, labels):
        yield from np.intersect1d([*first(found, labels)], [*second(found, labels)])

    return stops


def either(first, second):
    def stops(found, labels):
        yield from np.union1d([*first(found, labels)], [*second(found, labels)])

    return stops


VAL = {"X_val": X[N:], "y_val": CODES[N:]}
CASES = [
    (ValidationPlateau(patience=25), plateau(accuracy, 25, True)),
    (ValidationPlateau(patience=60), plateau(accuracy, 60, True)),
    (
        ValidationPlateau(patience=15, scoring="neg_log_loss"),
        plateau(minus_log_loss, 15, True),
    ),
    (GainPerLabel(0.0005, window=15), gain(0.0005, 15, True)),
    (GainPerLabel(0.00002, window=40), gain(0.00002, 40, True)),
    (ValidationPlateau(**VAL, patience=20), plateau(accuracy, 20, False)),
    (
        ValidationPlateau(**VAL, patience=10, scoring="neg_log_loss"),
        plateau(minus_log_loss, 10, False),
    ),
    (GainPerLabel(0.0003, **VAL, window=20), gain(0.0003, 20, False)),
    (MaxUncertainty(1.05), uncertainty(lambda p: nats(p).max(), 1.05)),
    (OverallUncertainty(0.75), uncertainty(lambda p: nats(p).mean(), 0.75)),
    (
        MinExpectedError(0.3),
        uncertainty(lambda p: (1 - p.max(axis=1)).mean(), 0.3),
    ),
    (SelectedAccuracy(0.7, min_labels=10), knew(0.7, 10)),
    (ClassificationChange(min_labels=5), unchanged(5)),
    (
        StabilizingPredictions(0.93, n_stop_set=None, min_labels=8),
        stable(0.93, 3, 8),
    ),
    (
        AllOf([OverallUncertainty(0.75), SelectedAccuracy(0.6)]),
        both(uncertainty(lambda p: nats(p).mean(), 0.75), knew(0.6, 10)),
    ),
    (
        AnyOf([GainPerLabel(0.0005, window=15), SelectedAccuracy(0.9)]),
        either(gain(0.0005, 15, True), knew(0.9, 10)),
    ),
]
# No address of a function: processes that share the tests must know them by one name.
NAMES = [str(criterion)[:40] for criterion, _ in CASES]


def expected_round(stops, marker):
    return next(stops(rounds(marker), truth(marker)), None)


@pytest.mark.parametrize(("criterion", "stops"), CASES, ids=NAMES)
def test_a_run_stops_in_this_round(criterion, stops):
    expected = expected_round(stops, -1)
    clf = run(-1, criterion)
    assert clf.termination_condition_ == type(criterion).__name__
    assert clf.n_iter_ + 1 == expected


@pytest.mark.parametrize("number", [0, 2, 3])
def test_no_marker_is_taken_for_a_label(number):
    criterion, stops = CASES[number]
    clf = run(None, criterion)
    assert clf.n_iter_ + 1 == expected_round(stops, None)
