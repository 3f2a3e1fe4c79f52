"""Strategies made of other strategies."""

from functools import cache

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.stats import rankdata
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skactive import ActiveLearningClassifier, testing
from skactive.acquisition import (
    Alternate,
    BaseStrategy,
    EpsilonGreedy,
    KMeansSampling,
    MarginSampling,
    Prefilter,
    Product,
    Proxy,
    Subsample,
    WeightedSum,
)
from skactive.acquisition._base import select_queries
from skactive.acquisition._registry import check_model
from skactive.acquisition.functional import entropy, margin
from skactive.oracles import SimulatedOracle
from skactive.testing import check_strategy

FEW_TREES = RandomForestClassifier(3, max_depth=2, random_state=0)
COMBINATIONS = [
    Product(["margin", "entropy"]),
    Product(["margin", "bald"], powers=[2, 0.5]),
    WeightedSum(["margin", "bald", "random"]),
    WeightedSum(["margin", "entropy"], weights=[0.3, 2.0], scale="none"),
    Prefilter("margin", "k_means", n_candidates=20),
    Subsample("margin", n_candidates=15),
    Alternate(["margin", "k_means"]),
    EpsilonGreedy("margin", epsilon=0.5),
    Proxy(LogisticRegression(C=0.1), "entropy"),
]
NESTED = [
    Prefilter(
        Product(["margin", "entropy"]),
        Alternate([EpsilonGreedy("margin"), Subsample("k_means", 15)]),
        n_candidates=30,
    ),
    WeightedSum([Product(["margin", "entropy"]), WeightedSum(["random"])]),
    Proxy(LogisticRegression(C=9), Subsample(Proxy(FEW_TREES, "bald"), 40)),
]


@cache
def blobs(n, n_classes):
    return make_blobs(n, centers=n_classes, cluster_std=4.0, random_state=1)


def make_pool(n=60, n_classes=3, random_state=0, block_size=None, **kwargs):
    X, y = blobs(n, n_classes)
    labeled = np.zeros(n, dtype=bool)
    labeled[np.random.default_rng(0).choice(n, 15, replace=False)] = True
    assert len(np.unique(y[labeled])) == n_classes
    kwargs.setdefault("estimator", LogisticRegression())
    return testing.make_pool(
        X,
        np.where(labeled, y, -1),
        labeled,
        np.flatnonzero(~labeled),
        random_state=random_state,
        block_size=block_size,
        **kwargs,
    )


@pytest.mark.parametrize(
    "strategy",
    [
        *COMBINATIONS,
        *(pytest.param(nested, marks=pytest.mark.slow) for nested in NESTED),
    ],
    ids=repr,
)
def test_combinations_keep_the_contract(strategy):
    check_strategy(strategy, FEW_TREES)


def test_a_product_multiplies_powers_of_utilities():
    pool = make_pool()
    proba = pool.estimator.predict_proba(pool.X[pool.candidates])
    product = Product(["margin", MarginSampling(), "entropy"], powers=[1, 2, 0.5])
    np.testing.assert_allclose(
        product.utility(pool), margin(proba) ** 3 * np.sqrt(entropy(proba)), rtol=1e-12
    )


@pytest.mark.parametrize("scale", ["rank", "none"])
def test_a_weighted_sum_adds_ranks_or_utilities(scale):
    pool = make_pool()
    proba = pool.estimator.predict_proba(pool.X[pool.candidates])
    first, second = margin(proba), entropy(proba)
    if scale == "rank":
        first, second = rankdata(first) / len(first), rankdata(second) / len(second)
    total = WeightedSum(["margin", "entropy"], weights=[0.25, 3], scale=scale)
    np.testing.assert_allclose(total.utility(pool), 0.25 * first + 3 * second)


def test_ranks_may_be_multiplied_whatever_was_ranked():
    def negative(pool):
        return -pool.X[pool.candidates, 0] - 1000

    product = Product([WeightedSum([negative]), "margin"])
    product._validate_params()
    assert (product.utility(make_pool()) >= 0).all()


def test_a_prefilter_leaves_the_rows_of_the_first_strategy_to_the_second():
    def first_feature(pool):
        return pool.X[pool.candidates, 0]

    def minus_second_feature(pool):
        return -pool.X[pool.candidates, 1]

    pool = make_pool()
    rows = Prefilter(first_feature, minus_second_feature, 12).select(pool, 4)
    by_first = pool.candidates[np.argsort(-pool.X[pool.candidates, 0])][:12]
    assert rows.tolist() == by_first[np.argsort(pool.X[by_first, 1])][:4].tolist()


def test_a_prefilter_keeps_as_many_rows_as_are_wanted():
    rows = Prefilter("margin", "k_means", n_candidates=2).select(make_pool(), 9)
    assert len(set(rows)) == 9


def test_a_subsample_is_drawn_anew_and_shown_to_the_strategy():
    seen = []

    def remember(pool):
        seen.append(pool.candidates)
        return np.zeros(len(pool.candidates))

    for random_state in range(400):
        Subsample(remember, 9).select(make_pool(random_state=random_state), 2)
    assert {len(rows) for rows in seen} == {9}
    assert all((np.diff(rows) > 0).all() for rows in seen)
    counts = np.bincount(np.concatenate(seen), minlength=60)[make_pool().candidates]
    # Each of 45 rows is drawn in a fifth of 400 rounds: 80, standard deviation 8.
    assert abs(counts - 80).max() < 4 * 8


def test_alternate_takes_turns_by_the_number_of_the_round():
    turns = Alternate([lambda p: p.candidates, lambda p: -p.candidates])
    asked = [turns.select(make_pool(round=r), 1)[0] for r in (1, 2, 3)]
    candidates = make_pool().candidates
    assert asked == [candidates[-1], candidates[0], candidates[-1]]


class FirstFeature(BaseStrategy):
    rowwise = True

    def utility(self, pool):
        return pool.X[pool.candidates, 0]


def test_epsilon_greedy_states_the_probability_of_each_pick():
    greedy = FirstFeature().select(make_pool(), 45).tolist()
    n_random = 0
    for random_state in range(200):
        chosen = select_queries(
            EpsilonGreedy(FirstFeature(), 0.3), make_pool(random_state=random_state), 10
        )
        left, taken = greedy.copy(), []
        for row, q in zip(chosen.rows, chosen.probabilities, strict=True):
            expected = 0.3 / len(left) + 0.7 * (row == left[0])
            assert q == pytest.approx(expected, rel=1e-12)
            n_random += row != left[0]
            left.remove(row)
            taken.append(row)
    # 2,000 picks leave the best row in 0.3 of them, now and then for itself.
    assert n_random == pytest.approx(2000 * 0.3 * (1 - 1 / 40), abs=4 * np.sqrt(420))


def test_epsilon_zero_and_one_are_greedy_and_random():
    pool = make_pool()
    greedy = MarginSampling().select(pool, 8)
    np.testing.assert_array_equal(EpsilonGreedy("margin", 0).select(pool, 8), greedy)
    drawn = select_queries(EpsilonGreedy("margin", 1), pool, 8)
    assert not np.array_equal(drawn.rows, greedy)
    np.testing.assert_allclose(drawn.probabilities, 1 / np.arange(45, 37, -1))


@pytest.mark.parametrize("part", ["random", "k_means", Subsample("margin", 20)])
def test_probabilities_are_not_stated_where_they_are_not_known(part):
    assert select_queries(EpsilonGreedy(part), make_pool(), 5).probabilities is None


def test_probabilities_reach_the_classifier():
    X, y = make_blobs(40, random_state=0)
    some = np.where(np.arange(40) < 6, y, -1)
    clf = ActiveLearningClassifier(
        LogisticRegression(),
        oracle=SimulatedOracle(y),
        strategy=Alternate(["random", EpsilonGreedy("margin")]),
        batch_size=4,
        budget=8,
        random_state=0,
    ).fit(X, some, sample_ids=range(40))
    np.testing.assert_allclose(clf.query_probabilities_[:4], 1 / np.arange(34, 30, -1))
    assert (clf.query_probabilities_[4:] > 0).all()


@pytest.mark.parametrize(
    "strategy", [Subsample("random", 20), Prefilter("margin", "random", 20)]
)
def test_probabilities_among_some_of_the_candidates_are_not_stated(strategy):
    assert select_queries(strategy, make_pool(), 5).probabilities is None
    strategy.set_params(n_candidates=45)
    q = select_queries(strategy, make_pool(), 5).probabilities
    np.testing.assert_allclose(q, 1 / np.arange(45, 40, -1))


def test_a_proxy_selects_by_its_own_classifier_on_the_same_labels():
    pool = make_pool(estimator=RandomForestClassifier())
    rows = Proxy(GaussianNB(), "margin").select(pool, 6)
    model = GaussianNB().fit(pool.X[pool.labeled], pool.y[pool.labeled])
    utility = margin(model.predict_proba(pool.X[pool.candidates]))
    assert rows.tolist() == pool.candidates[np.argsort(-utility)][:6].tolist()
    assert not pool.models.is_fitted
    assert pool.models.fits.seconds > 0


def test_a_proxy_embeds_rows_by_its_own_steps_once_for_a_run():
    class Counting(TfidfVectorizer):
        n_fits = 0

        def fit_transform(self, *args, **kwargs):
            Counting.n_fits += 1
            return super().fit_transform(*args, **kwargs)

    texts = [f"{word} {i}" for i in range(10) for word in ("good", "bad")]
    truth = np.array([0, 1] * 10)
    clf = ActiveLearningClassifier(
        make_pipeline(TfidfVectorizer(), RandomForestClassifier(5)),
        oracle=SimulatedOracle(truth),
        strategy=Proxy(make_pipeline(Counting(), LogisticRegression()), "k_means"),
        batch_size=3,
        budget=9,
        random_state=0,
    )
    y = np.where(np.arange(20) < 4, truth, -1)
    assert clf.fit(texts, y, sample_ids=range(20)).n_iter_ == 3
    assert Counting.n_fits == 1


def test_a_proxy_may_have_what_the_classifier_lacks():
    class OnlyPredicts(ClassifierMixin, BaseEstimator):
        def fit(self, X, y):
            self.classes_ = np.unique(y)
            return self

        def predict(self, X):
            return np.full(len(X), self.classes_[0])

    check_model(Proxy(LogisticRegression(), "margin"), OnlyPredicts())
    with pytest.raises(ValueError, match=r"MarginSampling needs.*OnlyPredicts"):
        check_model(Proxy(OnlyPredicts(), "margin"), LogisticRegression())


class Unsigned(BaseStrategy):
    """States nothing about its sign but what the base class says."""

    def utility(self, pool):
        return np.ones(len(pool.candidates))


@pytest.mark.parametrize(
    ("strategy", "message"),
    [
        (Product([]), "Product is made of other strategies and got none"),
        (Product(["margin", "no_such"]), "There is no strategy 'no_such'"),
        (Product(["margin", "k_means"]), "KMeansSampling selects rows without any"),
        (Product(["margin", lambda pool: 1]), "FunctionStrategy.*may be negative"),
        (
            Product(["margin"], powers=[1, 2]),
            r"powers of Product must hold.*got \[1, 2\]",
        ),
        (Product(["margin"], powers=[-1]), "powers of Product must hold a number >= 0"),
        (
            WeightedSum(["margin"], weights=[1, 2]),
            "weights of WeightedSum must hold a number >= 0",
        ),
        (WeightedSum(["margin"], scale="z"), "'scale' parameter of WeightedSum"),
        (Alternate([]), "Alternate is made of other strategies and got none"),
        (Alternate("margin"), "'strategies' parameter of Alternate must be"),
        (EpsilonGreedy("margin", 2), "'epsilon' parameter of EpsilonGreedy"),
        (Subsample("margin", 0), "'n_candidates' parameter of Subsample"),
        (Subsample(KMeansSampling(-3)), "'max_clusters' parameter of KMeansSampling"),
        (Proxy(LogisticRegression(C=-1)), "'C' parameter of LogisticRegression"),
        (
            Prefilter("margin", Alternate([KMeansSampling(0)])),
            "'max_clusters' parameter of KMeansSampling",
        ),
    ],
)
def test_mistakes_are_found_before_any_label_is_paid_for(strategy, message):
    X, _ = make_blobs(40, random_state=0)
    clf = ActiveLearningClassifier(
        LogisticRegression(), oracle=pytest.fail, strategy=strategy
    )
    with pytest.raises(ValueError, match=message):
        clf.fit(X, np.full(40, -1))


def test_a_product_refuses_decision_values_before_payment_by_name():
    X, _ = make_blobs(40, random_state=0)
    clf = ActiveLearningClassifier(
        LinearSVC(), oracle=pytest.fail, strategy=Product(["margin", Unsigned()])
    )
    with pytest.raises(ValueError, match=r"Product needs a classifier.*predict_proba"):
        clf.fit(X, np.full(40, -1))


def test_the_needs_of_parts_are_united():
    assert Product(["margin", "bald"]).needs == {"proba", "member_proba"}
    assert WeightedSum(["margin", "bald"]).needs == {
        ("proba", "decision_function"),
        "member_proba",
    }
    assert Prefilter("margin", "k_means").needs == {
        ("proba", "decision_function"),
        "embedding",
    }
    assert Proxy(GaussianNB(), "bald").needs == frozenset()


def test_only_row_wise_parts_make_a_row_wise_combination():
    assert Product(["margin", "entropy"]).rowwise
    assert not Product(["margin", "random"]).rowwise
    assert WeightedSum(["margin", "entropy"], scale="none").rowwise
    assert not WeightedSum(["margin", "entropy"]).rowwise


@pytest.mark.parametrize("block_size", [None, 7])
def test_a_part_of_the_pool_shares_outputs_and_models(block_size):
    pool = make_pool(block_size=block_size, committee=3)
    part = pool.take([5, 1, 30])
    np.testing.assert_array_equal(part.candidates, pool.candidates[[1, 5, 30]])
    assert part.estimator is pool.estimator
    assert part.committee is pool.committee
    own = part.proba, part.member_proba, part.votes
    at = [1, 5, 30]
    np.testing.assert_allclose(own[0], pool.proba[at], rtol=1e-12)
    np.testing.assert_allclose(own[1], pool.member_proba[:, at], rtol=1e-12)
    np.testing.assert_array_equal(own[2], pool.votes[:, at])
    again = pool.take([1, 5, 30])
    np.testing.assert_array_equal(again.proba, pool.proba[[1, 5, 30]])
    assert "predict_proba" not in again._outputs._kept


def test_a_part_of_a_part_and_its_blocks_agree_with_the_whole():
    pool = make_pool(block_size=7)
    part = pool.take(np.arange(0, 45, 2)).take(np.arange(3, 20))
    expected = pool.predict_proba(part.candidates)
    for positions, block in part.blocks():
        np.testing.assert_allclose(block.proba, expected[positions], rtol=1e-12)
    np.testing.assert_allclose(part.proba, expected, rtol=1e-12)


def test_a_small_part_does_not_compact_the_pool():
    pool = make_pool(block_size=7)
    pool.take([0, 1]).proba  # noqa: B018
    assert pool.models.kept.predictor._rows is None


def test_streams_differ_and_share_outputs_and_committees():
    pool = make_pool(committee=3)
    first, second = pool.with_stream(0), pool.with_stream(1)
    assert len({pool.random_state, first.random_state, second.random_state}) == 3
    assert second.committee is pool.committee
    assert first.proba is second.proba
    expected = make_pool(committee=3).member_proba
    np.testing.assert_array_equal(pool.member_proba, expected)


def test_combinations_are_searched_and_cloned():
    X, y = make_blobs(60, random_state=0)
    clf = ActiveLearningClassifier(
        LogisticRegression(), oracle=SimulatedOracle(y), budget=5, random_state=0
    )
    hidden = np.where(np.arange(60) < 30, y, -1)
    strategies = [Product(["margin", "entropy"]), Proxy(GaussianNB()), "margin"]
    search = GridSearchCV(clf, {"strategy": strategies}, cv=3, error_score="raise")
    search.fit(X, hidden, sample_ids=np.arange(60))
    assert "parts_" not in vars(clone(search.best_estimator_.strategy_))


def test_dense_and_sparse_rows_are_asked_alike():
    X, y = make_blobs(50, n_features=6, centers=2, random_state=0)
    hidden = np.where(np.arange(50) < 8, y, -1)
    asked = [
        ActiveLearningClassifier(
            GaussianNB() if data is X else make_pipeline(_Dense(), GaussianNB()),
            oracle=SimulatedOracle(y),
            strategy=Prefilter("margin", "entropy", n_candidates=20),
            budget=12,
            random_state=0,
        )
        .fit(data, hidden, sample_ids=range(50))
        .query_indices_
        for data in (X, csr_matrix(X))
    ]
    np.testing.assert_array_equal(*asked)


class _Dense(BaseEstimator):
    def fit(self, X, y=None):
        return self

    def transform(self, X):
        return X.toarray()
