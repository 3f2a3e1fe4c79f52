"""Active learning by learning: the bandit, and replays of whole runs."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from skactive import ActiveLearningClassifier, testing
from skactive.acquisition import ALBLSampling, BaseStrategy
from skactive.acquisition._base import select_queries
from skactive.acquisition._registry import check_model
from skactive.acquisition.functional import (
    exp4p_probabilities,
    exp4p_weights,
    importance_weighted_accuracy,
)
from skactive.oracles import SimulatedOracle
from skactive.testing import check_strategy


def first(pool):
    return -pool.candidates


def last(pool):
    return pool.candidates


def make_pool(also=0, random_state=0):
    """Return a pool of 30 rows, of which the first six and another are labelled."""
    X, y = make_blobs(30, centers=2, cluster_std=3.0, random_state=0)
    labeled = np.isin(np.arange(30), [*range(6), also])
    return testing.make_pool(
        X,
        np.where(labeled, y, -1),
        labeled,
        np.flatnonzero(~labeled),
        estimator=LogisticRegression(),
        random_state=random_state,
    )


def run(strategy, n=80, batch_size=1, budget=40, seed=0, **kwargs):
    X, y = make_blobs(n, centers=2, cluster_std=4.0, random_state=1)
    hidden = np.full(n, -1)
    hidden[::8] = y[::8]
    clf = ActiveLearningClassifier(
        LogisticRegression(),
        strategy=strategy,
        batch_size=batch_size,
        budget=budget,
        random_state=seed,
        **{"oracle": SimulatedOracle(y)} | kwargs,
    )
    return clf.fit(X, hidden, sample_ids=np.arange(n)), X, y


def test_the_importance_weighted_accuracy_has_the_worked_value():
    correct, q = [True, True, False, True], [0.5, 0.25, 0.01, 1.0]
    value = importance_weighted_accuracy(correct, q, n_rows=10, horizon=7)
    assert value == pytest.approx((2 + 4 + 1) / 70)


def test_the_accuracy_is_estimated_without_bias():
    rng = np.random.default_rng(0)
    right, q = rng.random(20) < 0.7, rng.dirichlet(np.ones(20) * 3)
    estimates = []
    for _ in range(2000):
        rows = rng.choice(20, 5, p=q)
        estimates.append(importance_weighted_accuracy(right[rows], q[rows], 20, 5))
    error = np.std(estimates) / np.sqrt(2000)
    assert np.mean(estimates) == pytest.approx(right.mean(), abs=4 * error)


def test_each_arm_keeps_its_least_probability():
    p = exp4p_probabilities([1.0, 2.0, 5.0], horizon=50)
    least = np.sqrt(np.log(3) / 150)
    np.testing.assert_allclose(p, (1 - 3 * least) * np.array([1, 2, 5]) / 8 + least)
    # So few draws that the formula exceeds 1 / K.
    np.testing.assert_allclose(exp4p_probabilities([1.0, 9.0], horizon=1), 0.5)


def test_weights_grow_as_the_formula_says():
    w, r, p = np.array([0.2, 0.5, 0.3]), np.array([0.0, 2.5, 0.1]), [0.3, 0.6, 0.1]
    least = np.sqrt(np.log(3) / (3 * 80))
    bonus = np.sqrt(np.log(3 / 0.05) / (3 * 80)) / np.array(p)
    expected = w * np.exp(least / 2 * (r + bonus))
    found = exp4p_weights(w, r, p, horizon=80, delta=0.05)
    np.testing.assert_allclose(found, expected / expected.sum())


def test_an_arm_never_loses_all_of_its_weight():
    w = exp4p_weights([0.5, 0.5], [1e6, 0.0], [0.5, 0.5], horizon=2)
    assert (w > 0).all()
    assert np.isfinite(exp4p_weights(w, [0.0, 1e9], [0.5, 0.5], horizon=2)).all()


def plain_weights(draws, query_order, X, y, given, n_arms, horizon):
    """Replay draws of a run with one row in a round, by a fit for each of them."""
    known, weights, n_rows = list(given), np.ones(n_arms) / n_arms, len(y) - len(given)
    least = np.sqrt(np.log(n_arms) / (n_arms * horizon))
    for i, draw in enumerate(draws):
        p = (1 - n_arms * least) * weights / weights.sum() + least
        np.testing.assert_allclose(draw.arms, p, rtol=1e-6)
        assert draw.probability == pytest.approx(p @ draw.advice)
        if draw.row not in known:
            assert draw.row == next(query_order)
            known.append(draw.row)
        model = LogisticRegression().fit(X[sorted(known)], y[sorted(known)])
        correct = [model.predict(X[[d.row]])[0] == y[d.row] for d in draws[: i + 1]]
        gains = [c / d.probability for c, d in zip(correct, draws, strict=False)]
        reward = sum(gains) / n_rows / horizon
        bonus = np.sqrt(np.log(n_arms / 0.1) / (n_arms * horizon)) / p
        estimate = reward * draw.advice / draw.probability
        weights = weights * np.exp(least / 2 * (estimate + bonus))
    return weights / weights.sum()


def test_a_run_is_that_of_a_plain_loop():
    clf, X, y = run(ALBLSampling(["margin", first], horizon=60), budget=28)
    strategy, given = clf.strategy_, np.arange(0, 80, 8)
    # The last row has got no reward yet.
    asked = iter(clf.query_indices_[:-1].tolist())
    weights = plain_weights(strategy.draws_, asked, X, y, given, 3, 60)
    np.testing.assert_allclose(strategy.weights_, weights, rtol=1e-6)
    assert next(asked, None) is None
    # Rows were met again, which asked nothing.
    assert len(strategy.draws_) > 27
    assert np.ptp(strategy.weights_) > 0.01


def test_the_probability_of_a_pick_is_that_of_all_arms_together():
    for seed in range(30):
        pool = make_pool(random_state=seed)
        picked = select_queries(ALBLSampling([first, last, first]), pool, 2)
        left = pool.candidates.tolist()
        for row, q in zip(picked.rows, picked.probabilities, strict=True):
            wanted = [left[0], left[-1], left[0]]
            assert q == pytest.approx(wanted.count(row) / 4 + 1 / (4 * len(left)))
            left.remove(row)


def test_arms_are_chosen_anew_for_each_row_of_a_batch():
    counts = np.zeros(3)
    for seed in range(120):
        pool = make_pool(random_state=seed)
        rows = ALBLSampling([first, last]).select(pool, 4)
        left = pool.candidates.tolist()
        for row in rows:
            counts += [row == left[0], row == left[-1], 1]
            left.remove(row)
    # A third each, and now and then by chance.
    expected = 480 * (1 / 3 + 1 / 3 / 22)
    np.testing.assert_allclose(counts[:2], expected, atol=4 * np.sqrt(480 * 2 / 9))


def test_probabilities_are_those_among_the_rows_left():
    chosen = set()
    for seed in range(30):
        strategy = ALBLSampling([first])
        (bought,) = strategy.select(make_pool(), 1)
        pool = make_pool(also=bought, random_state=seed)
        picked = select_queries(strategy, pool, 1)
        arms = strategy.pending_[-1].arms
        # The uniform arm draws from 24 rows, of which one is known.
        expected = arms[1] / 24 + (picked.rows[0] == pool.candidates[0]) * arms[0]
        assert picked.probabilities[0] == pytest.approx(expected / (1 - arms[1] / 24))
        chosen.add(int(picked.rows[0]))
    assert len(chosen) > 3


def test_rows_without_an_answer_count_for_nothing():
    def answer(X, sample_ids):
        return [None if i % 3 else int(i > 40) for i in sample_ids]

    clf, *_ = run(ALBLSampling(["margin", last]), batch_size=3, oracle=answer)
    drawn = {draw.row for draw in clf.strategy_.draws_}
    assert drawn <= set(np.flatnonzero(clf.transduction_ != -1).tolist())
    assert len(clf.query_indices_) == 40


def test_every_row_is_asked_once_and_then_no_more():
    clf, *_ = run(ALBLSampling([first, last]), batch_size=7, budget=None)
    assert sorted(clf.query_indices_) == [i for i in range(80) if i % 8]
    assert clf.query_probabilities_[-1] == pytest.approx(1)
    assert (clf.query_probabilities_ > 0).all()


class Gives(BaseStrategy):
    """Selects one row, however many are wanted."""

    def select(self, pool, n_queries):
        return pool.candidates[:1]


def test_an_arm_that_wants_nothing_more_draws_at_random():
    picked = select_queries(ALBLSampling([Gives()]), make_pool(), 24)
    assert len(np.unique(picked.rows)) == 24
    after = list(picked.rows).index(6) + 1
    np.testing.assert_allclose(
        picked.probabilities[after:], 1 / np.arange(24 - after, 0, -1)
    )


@pytest.mark.parametrize(("horizon", "used"), [(10, 40), (25, 50), (1000, 70)])
def test_the_horizon_is_doubled_and_never_above_what_could_be_asked(horizon, used):
    clf, *_ = run(ALBLSampling([first], horizon=horizon), budget=40)
    weights = clf.strategy_.weights_
    (draw,) = clf.strategy_.pending_
    np.testing.assert_allclose(draw.arms, exp4p_probabilities(weights, used))


class Moody(ClassifierMixin, BaseEstimator):
    """Is wrong about everything whenever it has learnt another row on the right."""

    n_right = 0

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        n_right = int((X[:, 0] > 0).sum())
        self.is_wrong_ = n_right > Moody.n_right
        Moody.n_right = n_right
        return self

    def predict(self, X):
        return ((X[:, 1] > 0) ^ self.is_wrong_).astype(int)


def test_an_arm_that_harms_is_chosen_less_often():
    X = np.random.default_rng(0).normal(size=(300, 2))
    y = (X[:, 1] > 0).astype(int)
    strategy = ALBLSampling(
        [
            lambda pool: -pool.X[pool.candidates, 0],
            lambda pool: pool.X[pool.candidates, 0],
        ]
    )
    clf = ActiveLearningClassifier(
        Moody(), oracle=SimulatedOracle(y), strategy=strategy, batch_size=1, budget=100
    ).set_params(random_state=0)
    clf.fit(X, np.where(np.arange(300) < 10, y, -1), sample_ids=np.arange(300))
    good, harmful, _ = clf.strategy_.weights_
    assert good > 2 * harmful


def test_without_a_model_nothing_is_rewarded():
    X, y = make_blobs(40, centers=2, random_state=0)
    clf = ActiveLearningClassifier(
        LogisticRegression(),
        oracle=SimulatedOracle(y),
        initial_strategy=ALBLSampling(["k_center"]),
        initial_size=6,
        batch_size=2,
        budget=6,
        random_state=0,
    ).fit(X, np.full(40, -1), sample_ids=np.arange(40))
    assert (clf.query_probabilities_ > 0).all()


def test_arms_may_be_bandits_themselves():
    check_strategy(ALBLSampling(["margin", "random", ALBLSampling(["k_means"])]))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"strategies": []}, "ALBLSampling is made of other strategies and got none"),
        ({"strategies": ["no_such"]}, "There is no strategy 'no_such'"),
        ({"strategies": "margin"}, "'strategies' parameter of ALBLSampling"),
        ({"horizon": 0}, "'horizon' parameter of ALBLSampling"),
        ({"delta": 0}, "'delta' parameter of ALBLSampling"),
    ],
)
def test_mistakes_are_found_before_any_label_is_paid_for(params, message):
    X, _ = make_blobs(20, random_state=0)
    clf = ActiveLearningClassifier(
        LogisticRegression(), oracle=pytest.fail, strategy=ALBLSampling(**params)
    )
    with pytest.raises(ValueError, match=message):
        clf.fit(X, np.full(20, -1))


def test_what_arms_need_is_asked_of_the_classifier():
    assert ALBLSampling(["margin", "k_center"]).needs == {
        ("proba", "decision_function"),
        "embedding",
    }
    check_model(ALBLSampling(), LinearSVC())
    with pytest.raises(ValueError, match="BALDSampling needs"):
        check_model(ALBLSampling(["margin", "bald"]), LinearSVC())
