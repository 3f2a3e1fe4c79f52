"""Labels have prices: what a unit of money buys, and what was spent."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.svm import LinearSVC

from skactive import ActiveLearningClassifier, LabelingLoop, testing
from skactive.acquisition import (
    Alternate,
    BaseStrategy,
    DensitySampling,
    PerCost,
    Prefilter,
    Product,
    Proxy,
)
from skactive.oracles import SimulatedOracle
from skactive.testing import check_strategy

X = np.linspace(0, 1, 21).reshape(-1, 1)
truth = (X[:, 0] > 0.5).astype(int)
y = np.full(21, -1)
y[[0, 20]] = 0, 1
cost = np.where(X[:, 0] < 0.5, 1.0, 8.0)


class FirstFeature(BaseStrategy):
    rowwise = True

    def utility(self, pool):
        return pool.X[pool.candidates, 0]


def make_pool(cost=cost):
    return testing.make_pool(
        X,
        y,
        y != -1,
        np.flatnonzero(y == -1),
        estimator=LogisticRegression(),
        cost=cost,
    )


def make_clf(strategy, oracle=None, **params):
    params = {"batch_size": 2, "budget": 6, "random_state": 0} | params
    oracle = SimulatedOracle(truth) if oracle is None else oracle
    return ActiveLearningClassifier(
        LogisticRegression(), oracle=oracle, strategy=strategy, **params
    )


@pytest.mark.parametrize(
    "strategy",
    [
        PerCost("margin"),
        PerCost("random"),
        PerCost(Product(["margin", "density"])),
        Prefilter(PerCost("margin"), "k_means", n_candidates=20),
        Proxy(LogisticRegression(C=9), PerCost("margin")),
    ],
    ids=repr,
)
def test_it_keeps_the_contract_of_strategies(strategy):
    check_strategy(strategy)


def test_the_utility_is_divided_by_the_price_of_the_row():
    utility = PerCost(FirstFeature()).utility(make_pool())
    np.testing.assert_allclose(utility, X[1:20, 0] / cost[1:20])


def test_equal_prices_change_nothing():
    cheap, dear = make_pool(np.full(21, 0.5)), make_pool(np.full(21, 70.0))
    expected = FirstFeature().select(make_pool(), 5).tolist()
    assert PerCost(FirstFeature()).select(cheap, 5).tolist() == expected
    assert PerCost(FirstFeature()).select(dear, 5).tolist() == expected


def test_of_equally_useful_rows_the_cheap_ones_are_asked_first():
    per_cost = make_clf(PerCost("margin")).fit(X, y, sample_ids=range(21), cost=cost)
    plain = make_clf("margin").fit(X, y, sample_ids=range(21), cost=cost)
    spent, spent_plain = (c.history_[-1]["total_cost"] for c in (per_cost, plain))
    assert spent == 6
    assert spent < spent_plain


def test_it_is_row_wise_and_multiplied_if_its_part_can_be():
    assert PerCost("margin").rowwise
    assert not PerCost("random").rowwise
    assert PerCost("margin").nonnegative
    assert PerCost(Product(["margin", "bald"])).needs == {"proba", "member_proba"}


WHERE_IT_STANDS = [
    {"strategy": PerCost("margin")},
    {"strategy": Prefilter("margin", PerCost("margin"))},
    {"strategy": Proxy(LogisticRegression(), PerCost("margin"))},
    {"strategy": Alternate(["margin", PerCost(Product(["margin"]))])},
    {"strategy": DensitySampling(PerCost("margin"))},
    {"initial_strategy": PerCost("random"), "strategy": "margin"},
]


@pytest.mark.parametrize("params", WHERE_IT_STANDS, ids=repr)
def test_without_costs_it_is_refused_before_any_payment(params):
    clf = make_clf(oracle=pytest.fail, **params)
    with pytest.raises(ValueError, match=r"PerCost.*got no prices.*cost=\.\.\."):
        clf.fit(X, y)


@pytest.mark.parametrize("params", WHERE_IT_STANDS, ids=repr)
def test_a_label_that_costs_nothing_is_refused_before_any_payment(params):
    free = cost.copy()
    free[[3, 5]] = 0
    clf = make_clf(oracle=pytest.fail, **params)
    with pytest.raises(ValueError, match="cost is 0 for 2 of 19 rows without a label"):
        clf.fit(X, y, cost=free)
    with pytest.raises(ValueError, match="cost is 0 for 2 of 19"):
        LabelingLoop(clf, X, y, cost=free)


def test_rows_that_have_a_label_may_cost_nothing():
    paid = np.where(y == -1, cost, 0.0)
    clf = make_clf(PerCost("margin")).fit(X, y, sample_ids=range(21), cost=paid)
    assert clf.n_queries_ == 6


def test_without_an_oracle_no_prices_are_needed():
    with pytest.warns(UserWarning, match="no oracle"):
        ActiveLearningClassifier(LogisticRegression(), strategy=PerCost("margin")).fit(
            X, y
        )


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (PerCost("k_means"), "KMeansSampling selects rows without any"),
        (PerCost(lambda pool: pool.candidates), "may be negative"),
        (PerCost("no_such"), "There is no strategy 'no_such'"),
        (PerCost(3), "'strategy' parameter of PerCost|strategy must be a name"),
    ],
)
def test_parts_that_cannot_be_divided_are_refused_before_payment(strategy, message):
    clf = make_clf(strategy, pytest.fail)
    with pytest.raises((ValueError, TypeError), match=message):
        clf.fit(X, y, cost=cost)


def test_decision_values_are_refused_before_payment():
    clf = make_clf(PerCost("margin"), pytest.fail).set_params(estimator=LinearSVC())
    with pytest.raises(ValueError, match=r"PerCost needs a classifier.*predict_proba"):
        clf.fit(X, y, cost=cost)


def test_it_is_searched_with_costs_cut_to_each_fold():
    clf = make_clf(PerCost("margin"), budget=3)
    hidden = np.where(np.arange(21) % 3, -1, truth)
    grid = {"strategy": [PerCost("margin"), "random"]}
    search = GridSearchCV(clf, grid, cv=3, error_score="raise")
    search.fit(X, hidden, sample_ids=np.arange(21), cost=cost)
    best = search.best_estimator_
    assert best.history_[-1]["total_cost"] == cost[best.query_indices_].sum()


def test_the_history_tells_what_was_spent_in_each_round_and_so_far():
    clf = make_clf("margin").fit(X, y, sample_ids=range(21), cost=cost)
    asked = clf.query_indices_.reshape(3, 2)
    per_round = cost[asked].sum(axis=1).tolist()
    assert [r["cost"] for r in clf.history_] == [*per_round, 0]
    sums = np.cumsum(per_round).tolist()
    assert [r["total_cost"] for r in clf.history_] == [*sums, sums[-1]]


def test_without_costs_the_history_is_silent_about_money():
    clf = make_clf("margin").fit(X, y, sample_ids=range(21))
    assert not any({"cost", "total_cost"} & {*record} for record in clf.history_)


def test_abstentions_cost_as_they_do_in_the_budget():
    clf = make_clf("margin", lambda X: [1, None])
    clf.fit(X, y, cost=np.arange(21.0))
    assert clf.history_[-1]["total_cost"] == clf.query_indices_.sum()


def test_of_an_open_round_only_rows_with_an_answer_are_counted():
    loop = LabelingLoop(make_clf("margin"), X, y, cost=np.arange(21.0))
    first, _ = loop.ask().indices.tolist()
    loop.tell([1], indices=[first])
    assert loop.finish().history_[-1]["total_cost"] == first


def test_after_a_failure_the_history_has_what_was_spent():
    def fails_later(X):
        if clf_calls.append(1) or len(clf_calls) > 1:
            raise ConnectionError("line broken")
        return [1, 1]

    clf_calls = []
    clf = make_clf("margin", fails_later)
    with pytest.raises(ValueError, match="line broken"):
        clf.fit(X, y, cost=np.arange(21.0))
    assert clf.history_[-1]["total_cost"] == clf.query_indices_.sum() > 0
