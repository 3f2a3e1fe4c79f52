"""Rows that tie are equally likely over seeds; where none do, no seed matters."""

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from scipy.sparse import csr_matrix
from scipy.stats import chisquare
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsRegressor
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearningClassifier
from skactive._blocks import BlockPredictor
from skactive._pool import Pool
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
from skactive.acquisition._base import select_queries
from skactive.acquisition._registry import clone_strategy, uses_committee
from skactive.oracles import SimulatedOracle
from skactive.utils._ties import tie_keys

# Fits take their time; an expected loss has a model of its own.
PARAMS = {
    "batch_bald": {"max_configurations": 200},
    "bemps": {"n_targets": 40},
    "epig": {"n_targets": 40},
    "expected_error_reduction": {"max_targets": 20},
    "label_dispersion": {"n_epochs": 4},
    "loss_prediction": {"regressor": KNeighborsRegressor(2), "cv": 2},
    "mal": {"max_epochs": 1, "n_latent": 4, "batch_size": 16},
    "vaal": {"max_epochs": 1, "n_latent": 4, "batch_size": 16},
}
ESTIMATORS = {
    "expected_error_reduction": GaussianNB(),
    "label_dispersion": SGDClassifier(loss="log_loss", random_state=0),
}
COMBINATIONS = {
    "product": Product(["margin", "density"]),
    "weighted_sum": WeightedSum(["margin", "density"]),
    "per_cost": PerCost("margin"),
    "prefilter": Prefilter("margin", "k_center", n_candidates=40),
    "subsample": Subsample("margin", n_candidates=60),
    "alternate": Alternate(["margin", "k_center"]),
    "epsilon_greedy": EpsilonGreedy("margin"),
    "proxy": Proxy(GaussianNB(), "entropy"),
    "expected_loss": ExpectedLossSampling(
        DummyClassifier().fit(np.zeros((3, 20)), [0, 1, 1])
    ),
}
NAMES = [*get_strategy_names(), *COMBINATIONS]
# Levels of 1e-4 over all names, batches and groups of rows.
LEVEL = 1e-4 / (len(NAMES) * 2 * 4)
every_strategy = pytest.mark.parametrize("name", NAMES)
many_seeds = pytest.mark.parametrize(
    "n_seeds", [40, pytest.param(1500, marks=pytest.mark.slow)]
)


def strategy_of(name):
    if name in COMBINATIONS:
        return clone_strategy(COMBINATIONS[name])
    return clone_strategy(name).set_params(**PARAMS.get(name, {}))


def pool_of(X, y, *, estimator=None, block_size=None, **params):
    labeled = y != -1
    return Pool(
        X,
        y,
        labeled,
        np.flatnonzero(~labeled),
        estimator=estimator or LogisticRegression(),
        committee=params.pop("committee", 3),
        cost=params.pop("cost", np.ones(len(y))),
        predictor=BlockPredictor(X, block_size),
        **params,
    )


def with_seed(pool, seed):
    """The same models and outputs, as another run would have them."""
    return pool._copy(random_state=seed, tie_seed=int(tie_keys(7, [seed])[0]))


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
        if chosen.sum():
            assert chisquare(chosen).pvalue > LEVEL, chosen


@every_strategy
@pytest.mark.parametrize("n_queries", [1, 5])
@many_seeds
def test_copies_are_equally_likely(name, n_queries, n_seeds):
    X, y, group = copies()
    pool = pool_of(X, y, estimator=ESTIMATORS.get(name), block_size=37)
    counts = count(name, pool, n_queries, n_seeds)
    unlabeled = y == -1
    assert_uniform(counts, [unlabeled & (group == g) for g in range(4)])
