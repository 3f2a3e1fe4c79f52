"""Rows that tie are equally likely over seeds; where none do, no seed matters."""

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from scipy.sparse import csr_matrix
from scipy.stats import chisquare
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression, Ridge, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearningClassifier, Pool
from skactive.acquisition import (
    Alternate,
    EpsilonGreedy,
    ExpectedLossSampling,
    PerCost,
    Prefilter,
    Product,
    Proxy,
    Subsample,
    WeightedSum,
    get_strategy_names,
)
from skactive.acquisition._base import gives_utility, select_queries, utilities
from skactive.acquisition._registry import alternatives, clone_strategy
from skactive.oracles import SimulatedOracle
from skactive.testing import make_pool
from skactive.utils._ties import tie_keys

# Fits take their time.
PARAMS = {
    "batch_bald": {"max_configurations": 200},
    "bemps": {"n_targets": 40},
    "epig": {"n_targets": 40},
    "expected_error_reduction": {"max_targets": 20, "approximation": "newton"},
    "label_dispersion": {"n_epochs": 4},
    "loss_prediction": {"regressor": KNeighborsRegressor(2), "cv": 2},
    "mal": {"max_epochs": 1, "n_latent": 4, "batch_size": 64},
    "vaal": {"max_epochs": 1, "n_latent": 4, "batch_size": 64},
}
SGD = SGDClassifier(loss="log_loss", random_state=0)
COMBINATIONS = {
    "alternate": Alternate(["margin", "k_center"]),
    "epsilon_greedy": EpsilonGreedy("margin"),
    "expected_loss": ExpectedLossSampling(
        DummyClassifier(strategy="constant", constant=1).fit([[0], [0]], [0, 1])
    ),
    "per_cost": PerCost("margin"),
    "prefilter": Prefilter("margin", "k_center", n_candidates=40),
    "product": Product(["margin", "density"]),
    "proxy": Proxy(LogisticRegression(C=0.1), "entropy"),
    "subsample": Subsample("margin", n_candidates=60),
    "weighted_sum": WeightedSum(["margin", "density"], [0.71, 0.29]),
}
NAMES = [*get_strategy_names(), *COMBINATIONS]
# 1e-4 over all names, numbers of queries and groups of rows.
LEVEL = 1e-4 / (len(NAMES) * 2 * 4)
every_strategy = pytest.mark.parametrize("name", NAMES)
many_seeds = pytest.mark.parametrize(
    "n_seeds", [25, pytest.param(400, marks=pytest.mark.slow)]
)


def strategy_of(name):
    if name in COMBINATIONS:
        return clone_strategy(COMBINATIONS[name])
    return clone_strategy(name).set_params(**PARAMS.get(name, {}))


def pool_of(name, X, y, *, estimator=None, block_size=37, **params):
    if estimator is None:
        estimator = SGD if name == "label_dispersion" else LogisticRegression()
    labeled = y != -1
    return make_pool(
        X,
        y,
        labeled,
        np.flatnonzero(~labeled),
        estimator=estimator,
        cost=np.ones(len(y)),
        block_size=block_size,
        **{"committee": 3, "random_state": 5} | params,
    )


def needs_model(name):
    """Whether it cannot begin a run."""
    needs = strategy_of(name).needs
    strange = name == "proxy"  # it has another model
    return strange or any("embedding" not in alternatives(need) for need in needs)


def sees_outputs_only(name):
    """Whether it uses no rows, only the outputs of the model or of a committee."""
    strategy = strategy_of(name)
    seen = {way for need in strategy.needs for way in alternatives(need)}
    return not seen & {"embedding"} and name not in (
        "expected_error_reduction",
        "proxy",
    )


def with_seed(pool, seed):
    """The same models and outputs, as another run would have them."""

    class OfAnotherRun(Pool):
        def tie_keys(self, rows):
            return tie_keys(int(tie_keys(7, [seed])[0]), rows)

    return OfAnotherRun(pool.models, pool._outputs, seed)


def select(name, pool, n_queries, seed):
    return select_queries(strategy_of(name), with_seed(pool, seed), n_queries).rows


def count(name, pool, n_queries, n_seeds):
    """How often each row was chosen."""
    rows = [select(name, pool, n_queries, seed) for seed in range(n_seeds)]
    return np.bincount(np.concatenate(rows), minlength=len(pool.labeled))


def copies():
    """Four rows, 25 times each, one after the other; a few of each are labelled.

    They are so wide that matrix products round the last ones of a block otherwise.
    """
    group, number = np.arange(100) // 25, np.arange(100) % 25
    X = np.random.default_rng(1).normal(size=(4, 20))[group]
    y = np.full(100, -1)
    y[number == 4] = [0, 1, 1, 0]
    y[number == 20] = [0, 0, 1, 1]
    return X, y, group


def assert_uniform(counts, groups):
    """The rows of each group must have been chosen equally often."""
    for group in groups:
        chosen = counts[group]
        if chosen.sum() and len(chosen) > 1:
            assert chisquare(chosen).pvalue > LEVEL, chosen


@every_strategy
@pytest.mark.parametrize("n_queries", [pytest.param(1, marks=pytest.mark.slow), 5])
@many_seeds
def test_copies_are_equally_likely(name, n_queries, n_seeds):
    X, y, group = copies()
    counts = count(name, pool_of(name, X, y), n_queries, n_seeds)
    assert_uniform(counts, [(y == -1) & (group == g) for g in range(4)])


@pytest.mark.parametrize("name", [n for n in NAMES if not needs_model(n)])
@many_seeds
def test_copies_are_equally_likely_in_a_cold_start(name, n_seeds):
    X, _, group = copies()
    pool = pool_of(name, X, np.full(100, -1), can_fit=False)
    counts = count(name, pool, 3, n_seeds)
    assert_uniform(counts, [group == g for g in range(4)])


@every_strategy
@many_seeds
def test_corners_of_a_cube_are_equally_likely(name, n_seeds):
    corners = np.indices((2, 2, 2)).reshape(3, 8).T - 0.5
    X, y = np.vstack([corners, np.zeros((2, 3))]), np.repeat([-1, 0, 1], [8, 1, 1])
    # Two labels in one place: whatever the model is, it sees no difference.
    counts = count(name, pool_of(name, X, y), 1, n_seeds)
    assert_uniform(counts, [y == -1])


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n in NAMES if sees_outputs_only(n)])
@pytest.mark.parametrize("n_queries", [1, 5])
@many_seeds
def test_rows_of_equal_outputs_are_equally_likely(name, n_queries, n_seeds):
    X = np.random.default_rng(2).normal(size=(100, 20))
    y = np.where(np.arange(100) % 3 == 0, (X[:, 0] > 0) ^ (X[:, 1] > 0.3), -1)
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    members = [
        (str(seed), clone(tree).set_params(max_features=2, random_state=seed))
        for seed in range(3)
    ]
    boosting = AdaBoostClassifier(n_estimators=3, random_state=0)
    model = boosting if name == "label_dispersion" else tree
    pool = pool_of(name, X, y, estimator=model, committee=members)
    if gives_utility(strategy_of(name)) and name != "random":
        outputs = utilities(strategy_of(name), pool)[:, None]
    else:
        outputs = np.hstack([pool.proba, *pool.member_proba])
    _, kind = np.unique(outputs.round(12), axis=0, return_inverse=True)
    counts = count(name, pool, n_queries, n_seeds)[pool.candidates]
    assert kind.max() < 25
    assert_uniform(counts, [kind == k for k in range(kind.max() + 1)])


# Votes, changes of labels and covered rows are counted: rows tie in any data.
COUNTS = {
    "label_dispersion",
    "prob_cover",
    "suggestive_annotation",
    "variation_ratio",
    "vote_entropy",
}


@pytest.mark.parametrize("name", [n for n in NAMES if n not in COUNTS])
def test_without_ties_the_order_changes_nothing(name):
    X = np.random.default_rng(3).normal(size=(90, 4))
    truth = (X[:, 0] + X[:, 1] > 0).astype(int)
    runs = []
    for tie_seed in (0, 1, 2**63):
        strategy, rows, known = strategy_of(name), [], np.arange(90) < 3
        if name == "loss_prediction":  # neighbours of one kind have one loss
            strategy.set_params(regressor=Ridge())
        for number in (1, 2):
            y = np.where(known, truth, -1)
            pool = pool_of(name, X, y, tie_seed=tie_seed, round=number)
            rows.append(select_queries(strategy, pool, 3).rows.tolist())
            known[rows[-1]] = True
        runs.append(rows)
    assert runs[0] == runs[1] == runs[2]


@pytest.mark.slow
@every_strategy
def test_ties_are_broken_alike_however_rows_are_stored_and_looked_at(name):
    X, y, _ = copies()
    ways = [
        pool_of(name, X, y),
        pool_of(name, X, y, block_size=11, n_jobs=2),
        pool_of(name, pd.DataFrame(X), y),
    ]
    if name != "discriminative":  # its own classifier is another one on sparse rows
        ways.append(pool_of(name, csr_matrix(X), y))
    with parallel_config(backend="threading"):
        for seed in range(2):
            rows = [select(name, pool, 5, seed).tolist() for pool in ways]
            assert rows == rows[:1] * len(ways)


def bought(X, y, strategy, seed):
    """The labels that a run buys, which begins with none."""
    clf = ActiveLearningClassifier(
        GaussianNB(),
        oracle=SimulatedOracle(y),
        strategy=strategy,
        batch_size=10,
        budget=40,
        random_state=seed,
    )
    clf.fit(X, np.full(len(y), -1), sample_ids=np.arange(len(y)))
    return y[clf.query_indices_]


@pytest.mark.parametrize(
    "strategy",
    ["margin", *(pytest.param(s, marks=pytest.mark.slow) for s in ("auto", "badge"))],
)
def test_a_file_sorted_by_class_is_asked_as_if_it_were_shuffled(strategy):
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 3, (600, 3)).astype(float), np.arange(600) >= 420
    order = rng.permutation(600)
    ones = [
        np.sum([bought(*data, strategy, seed).sum() for seed in range(12)])
        for data in [(X, y.astype(int)), (X[order], y[order].astype(int))]
    ]
    # 480 labels, of which 30% are ones: deviations of 10, and of 14 for a difference.
    assert abs(ones[0] - 144) < 50
    assert abs(ones[0] - ones[1]) < 70
