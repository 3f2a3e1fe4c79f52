"""Expected losses of a fixed model, and draws in proportion to them."""

from collections import Counter

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import chisquare
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from skactive import testing
from skactive.acquisition import ExpectedLossSampling
from skactive.acquisition._base import select_queries, utilities
from skactive.acquisition.functional import draw_without_replacement, expected_loss
from skactive.testing import check_strategy

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 2))
TRUTH = (X[:, 0] > 0).astype(int)
LABELED = np.arange(60) < 20


def make_pool(y=TRUTH, X=X, block_size=None, **params):
    return testing.make_pool(
        X,
        y,
        LABELED,
        np.flatnonzero(~LABELED),
        estimator=LogisticRegression(),
        block_size=block_size,
        **params,
    )


class FirstPositive:
    """Predicts without having been fitted, and names no classes."""

    def predict(self, X):
        return (X[:, 0] > 0.5).astype(int)


def test_the_worked_values():
    pi, f = [[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], [[0.2, 0.5, 0.3], [0.0, 0.25, 0.75]]
    np.testing.assert_allclose(expected_loss(pi, f), [0.8, 0.4])
    by_hand = -(0.7 * np.log(0.2) + 0.2 * np.log(0.5) + 0.1 * np.log(0.3))
    cut = -(0.1 * np.log(np.finfo(float).eps) + 0.3 * np.log(0.25) + 0.6 * np.log(0.75))
    found = expected_loss(pi, f, loss="log_loss")
    np.testing.assert_allclose(found, [by_hand, cut])
    with pytest.raises(ValueError, match="'zero_one' or 'log_loss'"):
        expected_loss(pi, f, loss="hinge")


@pytest.mark.parametrize("loss", ["zero_one", "log_loss"])
@pytest.mark.parametrize("block_size", [None, 7])
def test_the_loss_is_expected_under_the_classifier_that_is_learnt(loss, block_size):
    model = GaussianNB().fit(X[:5], [0, 1, 0, 1, 0])
    pool = make_pool(block_size=block_size)
    rows = pool.candidates
    surrogate = LogisticRegression().fit(X[LABELED], TRUTH[LABELED])
    pi = surrogate.predict_proba(X[rows])
    expected = expected_loss(pi, model.predict_proba(X[rows]), loss=loss)
    found = utilities(ExpectedLossSampling(model, loss), pool)
    np.testing.assert_allclose(found, expected)


def test_rows_are_drawn_in_proportion_and_the_probabilities_stated():
    strategy = ExpectedLossSampling(FirstPositive(), epsilon=0.2)
    pool = make_pool(random_state=5)
    rows = strategy.select(pool, 40)
    q = rows.probabilities
    losses = dict(zip(pool.candidates, utilities(strategy, pool), strict=True))
    left = pool.candidates.tolist()
    for row, probability in zip(rows, q, strict=True):
        share = losses[row] / sum(losses[r] for r in left)
        assert probability == pytest.approx(0.2 / len(left) + 0.8 * share, rel=1e-9)
        left.remove(row)
    assert q[-1] == pytest.approx(1)


def test_a_model_that_is_never_expected_to_err_is_tested_uniformly():
    class Surrogate(LogisticRegression):
        def predict_proba(self, X):
            sure = super().predict_proba(X) > 0.5
            return sure.astype(float)

    pool = testing.make_pool(
        X, TRUTH, LABELED, np.flatnonzero(~LABELED), estimator=Surrogate()
    )
    strategy = ExpectedLossSampling(pool.estimator)
    q = strategy.select(pool, 40).probabilities
    np.testing.assert_allclose(q, 1 / np.arange(40, 0, -1))


def test_classes_that_only_one_of_them_knows():
    pool = make_pool(y=TRUTH + 1)  # the labels are 1 and 2

    class Model:
        classes_ = np.array([2, 0])  # in any order

        def predict(self, X):
            return np.where(X[:, 0] > 0, 2, 0)

        def predict_proba(self, X):
            return np.tile([0.75, 0.25], (len(X), 1))

    pi = pool.proba
    predicts_2 = X[pool.candidates, 0] > 0
    found = utilities(ExpectedLossSampling(Model()), pool)
    np.testing.assert_allclose(found, np.where(predicts_2, 1 - pi[:, 1], 1.0))
    found = utilities(ExpectedLossSampling(Model(), "log_loss"), pool)
    eps = np.finfo(float).eps
    by_hand = -(pi[:, 0] * np.log(eps) + pi[:, 1] * np.log(0.75))
    np.testing.assert_allclose(found, by_hand)


def test_a_model_of_other_classes_is_refused():
    model = LogisticRegression().fit(X, np.where(TRUTH, "yes", "no"))
    with pytest.raises(ValueError, match=r"'no', 'yes'.*all others"):
        utilities(ExpectedLossSampling(model), make_pool())


def test_sparse_rows_and_models_without_probabilities():
    model = LinearSVC().fit(X, TRUTH)
    dense = ExpectedLossSampling(model).select(make_pool(), 10)
    sparse = ExpectedLossSampling(model).select(make_pool(X=csr_matrix(X)), 10)
    np.testing.assert_array_equal(dense[0], sparse[0])
    assert select_queries(ExpectedLossSampling(model), make_pool(), 3).rows.size == 3


class Constant:
    """Predicts one class for rows in any container."""

    def predict(self, X):
        return np.zeros(X.shape[0] if hasattr(X, "shape") else len(X), dtype=int)


def test_the_contract_of_a_strategy_is_kept():
    check_strategy(ExpectedLossSampling(Constant()))


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 1.0])
def test_sequences_are_drawn_as_often_as_their_probabilities_say(epsilon):
    n_runs, counts, stated = 1500, Counter(), {}
    rng = np.random.default_rng(0)
    for _ in range(n_runs):
        rows, q = draw_without_replacement(
            np.log([4.0, 2.0, 1.0, 0.5]), 2, epsilon=epsilon, random_state=rng
        )
        counts[tuple(rows)] += 1
        stated[tuple(rows)] = q.prod()
    assert len(counts) == 12
    assert sum(stated.values()) == pytest.approx(1)
    expected = [n_runs * stated[rows] for rows in counts]
    assert chisquare(list(counts.values()), expected).pvalue > 1e-3


def test_a_row_of_weight_zero_is_drawn_by_chance_alone():
    drawn = [
        draw_without_replacement(
            [0.0, -np.inf, -np.inf], 3, epsilon=0.3, random_state=i
        )
        for i in range(300)
    ]
    for rows, q in drawn:
        firsts = {True: 0.1 + 0.7, False: 0.1}
        assert q[0] == pytest.approx(firsts[rows[0] == 0])
        assert q[2] == 1
    n_first = sum(rows[0] == 0 for rows, _ in drawn)
    assert n_first == pytest.approx(240, abs=4 * np.sqrt(48))
