"""Selecting rows by their utilities, and the registry of strategies."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.neighbors import NearestCentroid
from sklearn.svm import SVC

from skactive import ActiveLearningClassifier, testing
from skactive.acquisition import BaseStrategy, MarginSampling, get_strategy
from skactive.acquisition._base import select_queries
from skactive.acquisition._registry import check_needs
from skactive.testing import check_strategy
from skactive.utils._ties import first_of_best, tie_keys, top_k


class FarFromOrigin(BaseStrategy):
    """A strategy as a third party would write it."""

    rowwise = True

    def utility(self, pool):
        X = pool.X[pool.candidates]
        return np.asarray(abs(X).sum(axis=1)).ravel()


def make_pool(n=6, tie_seed=0):
    X = np.arange(n, dtype=float).reshape(-1, 1)
    y = np.array([0, 1] + [-1] * (n - 2))
    return testing.make_pool(
        X,
        y,
        y != -1,
        np.arange(2, n),
        estimator=LogisticRegression(),
        tie_seed=tie_seed,
    )


def test_strategies_from_elsewhere_keep_their_contract():
    check_strategy(FarFromOrigin())
    check_strategy(FarFromOrigin().utility)


@pytest.mark.parametrize("name", ["margin", "least_confident", "entropy"])
@pytest.mark.parametrize("estimator", [SVC(), Perceptron()])
def test_uncertainty_does_without_probabilities(name, estimator):
    check_strategy(name, estimator=estimator)


@pytest.mark.parametrize("k", [1, 3, 5, 8])
def test_top_k_equals_a_full_sort_where_there_are_no_ties(k):
    scores = np.random.default_rng(0).permutation(8).astype(float)
    chosen = top_k(scores, k, tie_keys(1, np.arange(8)))
    assert chosen.tolist() == np.argsort(-scores)[:k].tolist()


def test_top_k_takes_all_above_the_cut_and_draws_among_the_tied():
    scores = np.array([1.0, 5.0, 1.0, 1.0, 3.0, 0.0, 1.0])
    drawn = {
        tuple(top_k(scores, 3, tie_keys(seed, np.arange(7))).tolist())
        for seed in range(50)
    }
    assert drawn == {(1, 4, tied) for tied in (0, 2, 3, 6)}


def test_keys_of_ties_are_different_and_those_of_other_seeds_give_another_order():
    orders = [np.argsort(tie_keys(seed, np.arange(1000))) for seed in range(200)]
    assert all(len(np.unique(order)) == 1000 for order in orders)
    first = np.array([order[:100] for order in orders])
    # 20,000 draws: each tenth of the rows has 2,000, give or take 6 deviations of 42.
    assert (abs(np.bincount(first.ravel() // 100, minlength=10) - 2000) < 255).all()


def test_the_first_of_the_best_has_the_lowest_key():
    keys = np.array([5, 1, 3, 2], dtype=np.uint64)
    assert first_of_best(np.array([2.0, 1.0, 2.0, 2.0]), keys) == 3


@pytest.mark.parametrize(
    ("scores", "k", "tied"),
    [
        ([0.3, 0.1 + 0.2, 0.3, 0.1], 1, {0, 1, 2}),
        ([-1e-17, -3.0, 0.0, -3.0], 1, {0, 2}),  # near 0 it is the others that count
        ([7.0, 0.3, 0.1 + 0.2, -np.inf], 2, {1, 2}),
        (np.array([0.5, 0.5 + 1e-7, 0.4], dtype=np.float32), 1, {0, 1}),
        (np.array([0.5, 0.5 + 1e-7, 0.4]), 1, {1}),
        ([-np.inf, -np.inf, 0.2], 2, {0, 1}),
        ([0.2, np.inf, np.inf], 1, {1, 2}),
    ],
)
def test_scores_tie_that_rounding_alone_tells_apart(scores, k, tied):
    scores = np.asarray(scores)
    keys = [tie_keys(seed, np.arange(len(scores))) for seed in range(50)]
    assert {int(top_k(scores, k, own)[-1]) for own in keys} == tied
    if k == 1:
        assert {first_of_best(scores, own) for own in keys} == tied


def test_equal_scores_stand_in_the_order_of_their_keys():
    scores = np.array([0.3, 0.9, 0.1 + 0.2, 0.3, 0.9])
    keys = np.array([4, 3, 2, 1, 0], dtype=np.uint64)
    assert top_k(scores, 5, keys).tolist() == [4, 1, 3, 2, 0]
    assert top_k(scores, 3, keys).tolist() == [4, 1, 3]


def test_equal_utilities_are_drawn_with_the_seed_of_the_run():
    picks = [
        select_queries(
            get_strategy(lambda pool: np.zeros(len(pool))), make_pool(50, seed), 3
        ).rows.tolist()
        for seed in (0, 0, 1)
    ]
    assert picks[0] == picks[1] != picks[2]


def test_rows_come_highest_utility_first_and_are_row_numbers_of_X():
    selection = select_queries(FarFromOrigin(), make_pool(), 3)
    assert selection.rows.tolist() == [5, 4, 3]
    assert selection.best_utility == 5.0
    assert selection.mean_utility == 3.5


def test_get_strategy_gives_objects_for_names_and_leaves_objects_alone():
    strategy = MarginSampling()
    assert get_strategy(strategy) is strategy
    assert isinstance(get_strategy("margin"), MarginSampling)


def test_an_unknown_name_is_answered_with_the_nearest_one():
    with pytest.raises(ValueError, match=r"'margn'.*Did you mean 'margin'"):
        get_strategy("margn")


def test_a_class_is_not_a_strategy():
    with pytest.raises(TypeError, match=r"MarginSampling\(\)"):
        get_strategy(MarginSampling)


def test_needs_name_the_strategy_the_methods_and_the_alternatives():
    message = r"MarginSampling needs .*predict_proba or decision_function.*'random'"
    with pytest.raises(ValueError, match=message):
        check_needs(MarginSampling(), Perceptron.__mro__[-1]())


def test_nearest_centroid_of_old_has_nothing_to_be_uncertain_with():
    if hasattr(NearestCentroid(), "decision_function"):
        check_needs(MarginSampling(), NearestCentroid())
    else:
        with pytest.raises(ValueError, match="NearestCentroid"):
            check_needs(MarginSampling(), NearestCentroid())


@pytest.mark.parametrize(
    ("strategy", "broken"),
    [
        (lambda pool: np.random.random(len(pool)), "different rows"),  # noqa: NPY002
        (lambda pool: pool.X[:, 0], "one utility per candidate"),
    ],
)
def test_check_strategy_finds_what_is_broken(strategy, broken):
    with pytest.raises((AssertionError, ValueError), match=broken):
        check_strategy(strategy)


def test_check_strategy_finds_negative_utilities():
    class Negative(BaseStrategy):
        def utility(self, pool):
            return -np.arange(len(pool))

    with pytest.raises(AssertionError, match="Set nonnegative = False"):
        check_strategy(Negative())
    Negative.nonnegative = False
    check_strategy(Negative())


def test_check_strategy_finds_changes_of_the_rows():
    class Scales(BaseStrategy):
        def utility(self, pool):
            if isinstance(pool.X, np.ndarray):
                pool.X[:, 0] += 1
            return np.ones(len(pool))

    with pytest.raises(AssertionError, match=r"it changes pool\.X"):
        check_strategy(Scales())


def test_check_strategy_finds_a_false_claim_to_be_rowwise():
    class Ranks(BaseStrategy):
        rowwise = True

        def utility(self, pool):
            return np.argsort(np.argsort(pool.X[pool.candidates, 0]))

    with pytest.raises(AssertionError, match="rowwise"):
        check_strategy(Ranks())


def test_check_strategy_finds_needs_that_are_not_stated():
    class Secretive(BaseStrategy):
        def utility(self, pool):
            return pool.proba[:, 0]

    with pytest.raises(AssertionError, match=r"uses \['proba'\] of the pool"):
        check_strategy(Secretive())


def test_embedding_is_missed_before_any_payment_even_in_a_cold_start():
    class Distances(BaseStrategy):
        needs = frozenset({"embedding"})

        def utility(self, pool):
            raise AssertionError

    clf = ActiveLearningClassifier(
        LogisticRegression(), oracle=pytest.fail, strategy=Distances()
    )
    with pytest.raises(ValueError, match="Distances needs rows that are numbers"):
        clf.fit(["a", "b", "c"], [-1, -1, -1])
