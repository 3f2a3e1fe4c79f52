"""Pools of a million rows, and the memory that strategies take: T67."""

import tracemalloc

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearningClassifier
from skactive.acquisition import get_strategy, get_strategy_names


@pytest.fixture(scope="module")
def million():
    """A million rows with 32 features, 128 MB."""
    return np.random.default_rng(0).normal(size=(1_000_000, 32)).astype(np.float32)


def peak_bytes(strategy, X, n_labeled, *, estimator=None, **params):
    """Fit two batches, and return the most memory that was in use beside `X`."""
    y = np.full(len(X), -1, dtype=np.int8)
    y[:n_labeled] = np.arange(n_labeled) % 2
    clf = ActiveLearningClassifier(
        LogisticRegression() if estimator is None else estimator,
        oracle=lambda X: (X[:, 0] > 0).astype(int),
        strategy=strategy,
        random_state=0,
        **{"batch_size": 10, "budget": 20, "committee": 4} | params,
    )
    tracemalloc.start()
    try:
        assert clf.fit(X, y).n_queries_ == clf.budget
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("strategy", ["margin", "vote_entropy", "random"])
def test_t67_a_million_rows_take_some_numbers_each_and_no_copy(million, strategy):
    # The books of the loop and the utilities: about a dozen numbers of a row.
    assert peak_bytes(strategy, million, n_labeled=4) < 120 * len(million)


@pytest.mark.slow
def test_t67_a_cold_start_on_a_million_rows_does_not_copy_them(million):
    assert peak_bytes("margin", million, n_labeled=0) < 250 * len(million)


# What a strategy needs that logistic regression lacks.
ESTIMATORS = {"label_dispersion": GaussianNB()}
# Networks need no long training to show what they keep.
PARAMS = {"mal": {"max_epochs": 1}, "vaal": {"max_epochs": 1}}


@pytest.mark.slow
@pytest.mark.parametrize("strategy", get_strategy_names())
def test_t67_no_strategy_compares_all_rows_with_all(strategy):
    X = np.random.default_rng(0).normal(size=(12_000, 4))
    estimator = ESTIMATORS.get(strategy)
    strategy = get_strategy(strategy).set_params(**PARAMS.get(strategy, {}))
    n_bytes = peak_bytes(strategy, X, 6, estimator=estimator, batch_size=3, budget=3)
    # Half of a matrix of float32; blocks and samples of rows are far below.
    assert n_bytes < 12_000**2 * 4 / 2
