"""Hybrids of uncertainty and diversity: rows by hand, and against the definitions."""

import gc
import pickle
import weakref
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.cluster.hierarchy import linkage
from scipy.sparse import csr_matrix
from scipy.spatial.distance import pdist
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.cluster import AgglomerativeClustering
from sklearn.datasets import make_blobs
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skactive import ActiveLearningClassifier
from skactive.acquisition import (
    BaseStrategy,
    ClusterMarginSampling,
    ClusterUncertainSampling,
    KMeansSampling,
    MarginSampling,
    get_strategy,
)
from skactive.acquisition._registry import check_needs
from skactive.acquisition.diversity import _clustering, _linkage
from skactive.acquisition.functional import (
    entropy,
    margin,
    round_robin_rows,
    weighted_k_means_rows,
)
from skactive.acquisition.hybrid import _cluster_margin, _cluster_uncertain
from skactive.testing import check_strategy, make_pool

STRATEGIES = [ClusterUncertainSampling, ClusterMarginSampling]


class Given(ClassifierMixin, BaseEstimator):
    """Finds the probability of class 1 in the last column of a row."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        p = np.asarray(X)[:, -1] if not hasattr(X, "toarray") else X.toarray()[:, -1]
        return np.column_stack([1 - p, p])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


class Place(Given):
    """The same, embedding the other columns only."""

    def embed(self, X):
        return np.asarray(X)[:, :-1]


def pool_of(place, proba, *, known=(0, 1), estimator=None, block_size=None, seed=0):
    """A pool of rows at some places, with the probability of class 1 beside."""
    X = np.column_stack([place, proba]).astype(float)
    labeled = np.isin(np.arange(len(X)), known)
    y = np.where(labeled, np.arange(len(X)) % 2, -1)
    return make_pool(
        X,
        y,
        labeled,
        np.flatnonzero(~labeled),
        estimator=Place() if estimator is None else estimator,
        random_state=seed,
        block_size=block_size,
    )


def random_pool(n_classes=3, n_samples=150, dtype=float, seed=0, **params):
    X, y = make_blobs(n_samples, 4, centers=n_classes, random_state=seed)
    X = X.astype(dtype)
    labeled = np.arange(n_samples) % 10 == 3
    asked = np.arange(n_samples) % 10 == 7
    return make_pool(
        X,
        np.where(labeled, y, -1),
        labeled,
        np.flatnonzero(~(labeled | asked)),
        estimator=GaussianNB(var_smoothing=0.1),
        asked=asked,
        random_state=seed,
        **params,
    )


def brute_force_nearest(features, centers):
    """One centre after the other takes the nearest row that is left."""
    left, chosen = list(range(len(features))), []
    for center in centers:
        best = min(left, key=lambda row: np.linalg.norm(features[row] - center))
        left.remove(best)
        chosen.append(best)
    return chosen


# weighted k-means


def test_a_weight_draws_the_centre_to_its_row():
    # Two clusters; the centres are 2 / 3 and 8, or 1 / 3 and 8.
    X = np.array([[0.0], [1.0], [7.0], [8.0], [9.0]])
    heavy_right = weighted_k_means_rows(X, [1, 2, 1, 1, 1], 2, random_state=0)
    heavy_left = weighted_k_means_rows(X, [2, 1, 1, 1, 1], 2, random_state=0)
    assert sorted(heavy_right.tolist()) == [1, 3]
    assert sorted(heavy_left.tolist()) == [0, 3]


def test_the_cluster_of_largest_weight_comes_first():
    X = np.array([[0.0], [1.0], [7.0], [8.0], [9.0]])
    for seed in range(5):
        rows = weighted_k_means_rows(X, [9, 1, 1, 1, 1], 2, random_state=seed)
        assert rows.tolist() == [0, 3]
        rows = weighted_k_means_rows(X, [1, 1, 1, 1, 1], 2, random_state=seed)
        assert rows.tolist() == [3, 0]


def test_rows_are_nearest_to_the_centres_one_after_the_other():
    rng = np.random.default_rng(0)
    for _ in range(20):
        features, centers = rng.normal(size=(30, 3)), rng.normal(size=(12, 3)) / 3
        chosen = _cluster_uncertain._nearest_rows(features, centers, np.arange(30))
        assert chosen.tolist() == brute_force_nearest(features, centers)
        sparse = _cluster_uncertain._nearest_rows(
            csr_matrix(features), centers, np.arange(30)
        )
        assert sparse.tolist() == chosen.tolist()


def test_weights_of_another_scale_choose_the_same_rows():
    rng = np.random.default_rng(1)
    X, weights = rng.normal(size=(60, 3)), rng.random(60)
    rows = weighted_k_means_rows(X, weights, 7, random_state=0)
    for scale in (1e-200, 1e200):
        scaled = weighted_k_means_rows(X, weights * scale, 7, random_state=0)
        assert scaled.tolist() == rows.tolist()


def test_a_row_without_weight_draws_no_centre():
    X = np.array([[0.0], [0.1], [100.0]])
    rows = weighted_k_means_rows(X, [1.0, 1.0, 0.0], 2, random_state=0)
    assert sorted(rows.tolist()) == [0, 1]


@pytest.mark.parametrize("weights", [np.zeros(9), np.full(9, 1e-320), np.eye(9)[4]])
@pytest.mark.parametrize("spread", [0.0, 1.0])
def test_degenerate_weights_and_equal_rows_give_different_rows(weights, spread):
    X = spread * np.arange(18.0).reshape(9, 2)
    rows = weighted_k_means_rows(X, weights, 5, random_state=0)
    assert len(set(rows.tolist())) == 5


def test_all_rows_are_returned_where_more_are_wanted():
    rows = weighted_k_means_rows([[0.0], [1.0], [2.0]], [1, 3, 2], 5)
    assert rows.tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    "weights", [[1.0, -1.0, 1.0], [1.0, np.nan, 1.0], [1.0, np.inf, 1.0], [1.0]]
)
def test_weights_must_be_weights(weights):
    with pytest.raises(ValueError, match="weights must hold a finite number >= 0"):
        weighted_k_means_rows([[0.0], [1.0], [2.0]], weights, 2)


def test_mini_batches_take_over_where_clusters_are_many(monkeypatch):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(400, 2)) + 20 * rng.integers(5, size=(400, 1))
    exact = weighted_k_means_rows(X, np.ones(400), 5, random_state=0)
    monkeypatch.setattr(_clustering, "_MAX_DISTANCES", 100)
    batches = weighted_k_means_rows(X, np.ones(400), 5, random_state=0)
    assert batches.tolist() != exact.tolist()
    assert len(set((X[batches, 0] / 20).round().tolist())) >= 4


def test_without_a_prefilter_it_is_clue_of_scikit_activeml():
    pool_classes = pytest.importorskip("skactiveml.pool")
    from skactiveml.classifier import SklearnClassifier

    X, truth = make_blobs(90, 3, centers=3, cluster_std=3, random_state=1)
    y = np.where(np.arange(90) < 12, truth, np.nan)
    model = SklearnClassifier(LogisticRegression(), classes=[0, 1, 2]).fit(X, y)
    proba = model.predict_proba(X[12:])
    for seed in range(5):
        theirs = pool_classes.Clue(
            method="entropy", cluster_algo_dict={"random_state": seed, "n_init": 1}
        ).query(X, y, model, fit_estimator=False, batch_size=6)
        ours = 12 + weighted_k_means_rows(X[12:], entropy(proba), 6, random_state=seed)
        assert set(ours.tolist()) == set(theirs.tolist())


# round robin


def brute_force_turns(labels, n_queries):
    """Return how many rows each cluster gives in each turn."""
    clusters = sorted({c: labels.count(c) for c in labels}.items(), key=lambda p: p[1])
    left, turns = dict(clusters), []
    while n_queries and any(left.values()):
        turn = []
        for c, _ in clusters:
            if left[c] and n_queries:
                left[c] -= 1
                n_queries -= 1
                turn.append(c)
        turns.append(turn)
    return turns


@given(st.lists(st.integers(0, 6), min_size=1, max_size=30), st.integers(1, 35))
@settings(max_examples=60, deadline=None)
def test_clusters_give_in_turn_the_smallest_first(labels, n_queries):
    rows = round_robin_rows(labels, n_queries, random_state=0).tolist()
    assert len(set(rows)) == len(rows) == min(n_queries, len(labels))
    sizes = {c: labels.count(c) for c in labels}
    start = 0
    for turn in brute_force_turns(labels, n_queries):
        given_now = [labels[row] for row in rows[start : start + len(turn)]]
        assert [sizes[c] for c in given_now] == [sizes[c] for c in turn]
        if len(set(sizes.values())) == len(sizes):
            assert given_now == turn
        assert len(set(given_now)) == len(given_now)
        start += len(turn)


def test_rows_and_equal_clusters_are_drawn_at_random():
    labels = np.array([0, 0, 0, 1, 1, 1])
    firsts = [round_robin_rows(labels, 1, random_state=s).item() for s in range(600)]
    counts = np.bincount(firsts, minlength=6)
    assert counts.min() > 60  # 100 are expected, with a deviation of 9
    again = round_robin_rows(labels, 6, random_state=3)
    assert again.tolist() == round_robin_rows(labels, 6, random_state=3).tolist()


def test_names_of_clusters_do_not_matter():
    labels = np.array([4, 4, 4, 0, 0, 9])
    for seed in range(5):
        rows = round_robin_rows(labels, 4, random_state=seed)
        names = np.array(["c", "c", "c", "a", "a", "z"])
        assert round_robin_rows(names, 4, random_state=seed).tolist() == rows.tolist()


# average linkage


@pytest.mark.parametrize("cut", [{"n_clusters": 8}, {"distance_threshold": 1.5}])
@pytest.mark.parametrize("sparse", [False, True])
def test_clusters_are_those_of_average_linkage(cut, sparse, monkeypatch):
    monkeypatch.setattr(_linkage, "_BLOCK_NUMBERS", 500)
    X = np.random.default_rng(0).normal(size=(80, 3))
    labels = _cluster_margin._link(
        csr_matrix(X) if sparse else X + 1e8,
        np.arange(80),
        80 / cut.get("n_clusters", 1),
        cut.get("distance_threshold"),
    )
    expected = AgglomerativeClustering(
        **{"n_clusters": None} | cut, linkage="average"
    ).fit_predict(X)
    assert adjusted_rand_score(labels, expected) == 1.0
    assert set(labels.tolist()) == set(range(labels.max() + 1))


@pytest.mark.parametrize("block", [1, 7, 100, 10_000])
def test_distances_of_pairs_are_in_the_order_of_scipy(block, monkeypatch):
    monkeypatch.setattr(_linkage, "_BLOCK_NUMBERS", block)
    X = np.random.default_rng(0).normal(size=(23, 4))
    for data in (X, csr_matrix(X), X.astype(np.float32)):
        distances = _linkage.condensed_distances(data)
        np.testing.assert_allclose(distances, pdist(X), rtol=1e-5, atol=1e-6)


def test_means_of_clusters():
    X = np.array([[0.0, 2.0], [2.0, 4.0], [9.0, 9.0]])
    means = _cluster_margin._means(X, np.array([1, 1, 0]))
    assert means.tolist() == [[9, 9], [1, 3]]
    sparse = _cluster_margin._means(csr_matrix(X), np.array([1, 1, 0]))
    assert sparse.toarray().tolist() == [[9, 9], [1, 3]]


# cluster_uncertain


def test_of_near_duplicates_one_is_asked():
    # The three most uncertain rows are at the same place.
    place = [0, 1, 5.0, 5.01, 5.02, 50, 90]
    proba = [0.0, 1.0, 0.5, 0.51, 0.49, 0.4, 0.3]
    pool = pool_of(place, proba)
    assert set(MarginSampling().select(pool, 3).tolist()) == {2, 3, 4}
    rows = ClusterUncertainSampling().select(pool, 3)
    assert sorted(rows.tolist()) == [3, 5, 6] or sorted(rows.tolist()) == [2, 5, 6]
    assert rows[0] in (2, 3)  # that cluster has the largest weight


def test_rows_that_are_not_among_the_most_uncertain_are_left_out():
    place = [0, 1, 5.0, 5.1, 50, 90, 200]
    proba = [0.0, 1.0, 0.5, 0.49, 0.45, 0.3, 0.0]
    rows = ClusterUncertainSampling(prefilter=1.5).select(pool_of(place, proba), 2)
    assert sorted(rows.tolist()) in ([2, 4], [3, 4])
    rows = ClusterUncertainSampling(prefilter=1).select(pool_of(place, proba), 3)
    assert sorted(rows.tolist()) == [2, 3, 4]


@pytest.mark.parametrize("base", ["margin", "entropy", "least_confident"])
@pytest.mark.parametrize("n_queries", [1, 10, 60])
def test_it_is_a_weighted_k_means_of_the_prefiltered_rows(base, n_queries):
    pool = random_pool()
    rows = ClusterUncertainSampling(base, prefilter=3).select(pool, n_queries)
    scores = get_strategy(base).utility(pool)
    kept = np.sort(np.argsort(-scores, kind="stable")[: 3 * n_queries])
    chosen = weighted_k_means_rows(
        pool.X[pool.candidates[kept]], scores[kept], n_queries, pool.random_state
    )
    assert sorted(rows.tolist()) == sorted(pool.candidates[kept[chosen]].tolist())


def test_the_base_is_evaluated_on_blocks():
    X = np.random.default_rng(0).normal(size=(200, 3))
    proba = np.random.default_rng(1).random(200)
    whole = pool_of(X, proba)
    blocks = pool_of(X, proba, block_size=30)
    for strategy in STRATEGIES:
        rows = strategy().select(blocks, 9)
        assert rows.tolist() == strategy().select(whole, 9).tolist()
    assert "predict_proba" not in blocks._outputs._kept


def test_it_needs_probabilities_where_margin_does_without():
    assert ClusterUncertainSampling().needs == {"proba", "embedding"}
    assert ClusterMarginSampling().needs == {
        ("proba", "decision_function"),
        "embedding",
    }
    assert ClusterUncertainSampling("vote_entropy").needs == {"votes", "embedding"}
    check_needs(ClusterMarginSampling(), LinearSVC())
    with pytest.raises(ValueError, match="needs a classifier with predict_proba"):
        check_needs(ClusterUncertainSampling(), LinearSVC())


@pytest.mark.parametrize("base", [lambda pool: pool.X[pool.candidates, 0]])
def test_utilities_that_may_be_negative_are_no_weights(base):
    with pytest.raises(ValueError, match="may be negative"):
        ClusterUncertainSampling(base)._validate_params()
    ClusterMarginSampling(base)._validate_params()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("base", ["k_means", KMeansSampling(), "cluster_margin"])
def test_a_base_that_selects_batches_is_refused(strategy, base):
    with pytest.raises(ValueError, match="selects rows without any"):
        strategy(base)._validate_params()


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize(
    "wrong", [{"prefilter": 0.5}, {"prefilter": "all"}, {"base": 3}]
)
def test_wrong_parameters_are_refused(strategy, wrong):
    with pytest.raises(ValueError, match="parameter of Cluster"):
        strategy(**wrong)._validate_params()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_an_unknown_base_is_refused_before_payment(strategy):
    calls = []
    clf = ActiveLearningClassifier(
        LogisticRegression(), strategy=strategy("margn"), oracle=calls.append
    )
    with pytest.raises(ValueError, match="Did you mean 'margin'"):
        clf.fit(np.eye(6), [0, 1, -1, -1, -1, -1])
    assert calls == []


# cluster_margin


def test_the_rows_of_small_clusters_come_first():
    # Clusters at 0, at 50 and at 90; the most uncertain rows are at 0.
    place = [200, 300, 0.0, 0.1, 0.2, 0.3, 50.0, 50.1, 90]
    proba = [0.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.4, 0.4, 0.3]
    strategy = ClusterMarginSampling(prefilter=10, distance_threshold=5)
    rows = strategy.select(pool_of(place, proba), 5)
    assert np.unique(strategy.clusters_).tolist() == [0, 1, 2, 3, 4]
    cluster = strategy.clusters_
    assert cluster[rows[:3]].tolist() == cluster[[8, 6, 2]].tolist()
    assert cluster[rows[3:]].tolist() == cluster[[6, 2]].tolist()


def test_the_size_of_a_cluster_counts_its_rows_of_small_margin():
    # The cluster at 0 is the largest, but one row of it is uncertain.
    place = [200, 300, 0.0, 0.1, 0.2, 0.3, 50.0, 50.1]
    proba = [0.0, 1.0, 0.5, 0.0, 0.0, 0.0, 0.4, 0.4]
    for seed in range(5):
        strategy = ClusterMarginSampling(prefilter=1.5, distance_threshold=5)
        rows = strategy.select(pool_of(place, proba, seed=seed), 2)
        assert rows[0] == 2
        assert rows[1] in (6, 7)


@pytest.mark.parametrize("n_queries", [1, 7, 40])
def test_it_takes_turns_among_the_rows_of_smallest_margin(n_queries):
    pool = random_pool()
    strategy = ClusterMarginSampling(prefilter=2, cluster_size=6)
    rows = strategy.select(pool, n_queries)
    scores = margin(pool.proba)
    kept = np.argsort(-scores, kind="stable")[: 2 * n_queries]
    kept = pool.candidates[kept]
    assert len(set(rows.tolist())) == n_queries
    assert np.isin(rows, kept).all()
    labels = strategy.clusters_[kept].tolist()
    turns = brute_force_turns(labels, n_queries)
    expected = np.bincount([c for turn in turns[:-1] for c in turn], minlength=200)
    counted = np.bincount(strategy.clusters_[rows], minlength=200)
    assert ((counted == expected) | (counted == expected + 1)).all()


def test_the_mean_size_of_the_clusters_is_a_parameter():
    for size, n_clusters in [(10, 15), (7, 22), (1, 150), (150, 1), (1e9, 1)]:
        strategy = ClusterMarginSampling(cluster_size=size)
        strategy.select(random_pool(), 3)
        assert len(np.unique(strategy.clusters_)) == n_clusters


def test_rows_that_are_not_linked_join_the_nearest_mean(monkeypatch):
    monkeypatch.setattr(_cluster_margin, "_MAX_LINKED", 60)
    X, group = make_blobs(500, 3, centers=6, cluster_std=0.5, random_state=5)
    for data in (X, csr_matrix(X), X.astype(np.float32)):
        labeled = np.arange(500) < 2
        pool = make_pool(
            data,
            np.where(labeled, np.arange(500) % 2, -1),
            labeled,
            np.arange(2, 500),
            estimator=LogisticRegression(),
        )
        strategy = ClusterMarginSampling(cluster_size=10)
        strategy.select(pool, 5)
        assert adjusted_rand_score(strategy.clusters_, group) == 1.0


class Counts(Place):
    """Counts the rows that it embeds."""

    embedded = []

    def embed(self, X):
        self.embedded.append(len(X))
        return super().embed(X)


def test_rows_are_clustered_once_in_a_run():
    Counts.embedded = []
    rng = np.random.default_rng(0)
    X, truth = rng.random((60, 3)), np.arange(60) % 2
    clf = ActiveLearningClassifier(
        Counts(),
        oracle=lambda X, sample_ids: truth[sample_ids],
        strategy="cluster_margin",
        batch_size=5,
        budget=20,
    )
    y = np.where(np.arange(60) < 6, truth, -1)
    clf.fit(X, y, sample_ids=np.arange(60))
    assert Counts.embedded == [60]


def test_other_rows_are_clustered_anew():
    strategy = ClusterMarginSampling(cluster_size=3)
    first = random_pool(seed=1)
    strategy.select(first, 3)
    clusters = strategy.clusters_
    strategy.select(first, 3)
    assert strategy.clusters_ is clusters
    strategy.select(random_pool(seed=2), 3)
    assert strategy.clusters_ is not clusters
    fresh = clone(strategy)
    assert not hasattr(fresh, "clusters_")


def test_the_rows_of_a_run_are_neither_kept_nor_pickled():
    strategy = ClusterMarginSampling()
    pool = random_pool(n_samples=500)
    strategy.select(pool, 3)
    size = len(pickle.dumps(strategy))
    assert size < pool.X.nbytes
    assert pickle.loads(pickle.dumps(strategy)).clusters_.shape == (500,)
    alive = weakref.ref(pool.X)
    del pool
    gc.collect()
    assert alive() is None


def test_lists_of_texts_are_clustered_once_too():
    texts = [f"{a} {b}" for a in "good bad odd".split() for b in "day night".split()]
    texts = texts * 6
    pipe = make_pipeline(CountVectorizer(), LogisticRegression())
    labeled = np.arange(36) < 2
    pool = make_pool(
        texts,
        np.where(labeled, np.arange(36) % 2, -1),
        labeled,
        np.arange(2, 36),
        estimator=pipe,
    )
    strategy = ClusterMarginSampling(cluster_size=6)
    strategy.select(pool, 4)
    clusters = strategy.clusters_
    assert len(np.unique(clusters)) == 6
    strategy.select(pool, 4)
    assert strategy.clusters_ is clusters
    pickle.dumps(strategy)


# both


@pytest.mark.parametrize(
    "strategy",
    [
        ClusterUncertainSampling(),
        ClusterUncertainSampling("entropy", prefilter=50),
        ClusterMarginSampling(),
        ClusterMarginSampling("entropy", 1.25, distance_threshold=0.2),
    ],
)
def test_the_contract_of_strategies(strategy):
    check_strategy(strategy)


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize("n_queries", [1, 10, 100, None])
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
def test_any_number_of_candidates_is_selected(strategy, n_classes, n_queries, dtype):
    pool = random_pool(n_classes, dtype=dtype)
    n_queries = n_queries or len(pool)
    rows = strategy().select(pool, n_queries)
    assert len(set(rows.tolist())) == n_queries
    assert np.isin(rows, pool.candidates).all()


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_equal_rows_and_a_single_candidate(strategy):
    pool = pool_of(np.ones(20), np.full(20, 0.3))
    assert len(set(strategy().select(pool, 7).tolist())) == 7
    pool = pool_of([0.0, 1.0, 2.0], [0.0, 1.0, 0.5])
    assert strategy().select(pool, 1).tolist() == [2]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_certain_models_are_no_obstacle(strategy):
    pool = pool_of(np.arange(20), np.arange(20) % 2)
    assert len(set(strategy().select(pool, 3).tolist())) == 3


@pytest.mark.parametrize(
    "strategy",
    [
        ClusterUncertainSampling(prefilter=14),
        ClusterMarginSampling(prefilter=14, cluster_size=15),
    ],
)
def test_the_order_of_rows_does_not_matter_to_how_spread_they_are(strategy):
    X, group = make_blobs(90, 2, centers=6, cluster_std=0.1, random_state=0)
    order = np.random.default_rng(0).permutation(90)
    proba = np.full(90, 0.5) + np.linspace(-0.01, 0.01, 90)
    for rows in (np.arange(90), order):
        pool = pool_of(X[rows], proba[rows])
        chosen = strategy.select(pool, 6)
        assert len(set(group[rows][chosen].tolist())) == 6


@pytest.mark.parametrize("name", ["cluster_uncertain", "cluster_margin"])
def test_raw_texts_in_a_pipeline(name):
    texts = ["good fine day"] * 30 + ["bad dark night"] * 30 + ["odd day"] * 10
    clf = ActiveLearningClassifier(
        make_pipeline(CountVectorizer(), LogisticRegression()),
        oracle=lambda X: ["bad" if "bad" in text else "good" for text in X],
        strategy=name,
        missing_label=None,
        batch_size=4,
        budget=16,
        random_state=0,
    ).fit(texts, np.full(70, None))
    assert clf.n_queries_ == 16
    assert clf.predict(["bad night", "fine day"]).tolist() == ["bad", "good"]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_base_of_ones_own(strategy):
    class First(BaseStrategy):
        def utility(self, pool):
            return pool.X[pool.candidates, 0]

    pool = pool_of(np.arange(20.0), np.full(20, 0.5))
    rows = strategy(First(), prefilter=2).select(pool, 3)
    assert set(rows.tolist()) <= {14, 15, 16, 17, 18, 19}


@pytest.mark.parametrize("method", ["average", "ward"])
def test_a_tree_does_not_depend_on_the_order_unless_rows_tie(method):
    X, rng = np.random.default_rng(0).normal(size=(60, 3)), np.random.default_rng(1)
    expected = linkage(X, method=method)
    for _ in range(3):
        order = rng.permutation(60)
        tree = _linkage.link_in_order(X[order], order, method)
        np.testing.assert_allclose(tree, expected)
    # Three rows in a line: the one in the middle goes with either of its neighbours.
    line = np.array([[0.0], [1.0], [2.0]])
    orders = np.array(list(permutations(range(3))))
    first = [_linkage.link_in_order(line[o], o, method)[0, :2].tolist() for o in orders]
    assert {tuple(pair) for pair in first} == {(0, 1), (1, 2)}


def test_of_copies_the_lowest_keys_are_taken_and_the_heaviest_follow():
    X = np.repeat([[0.0] * 33, [1.0] * 33], 300, axis=0)
    weights = np.repeat([1.0, 2.0], 300)
    for seed in range(3):
        keys = np.random.default_rng(seed).permutation(600)
        left, right = keys[:300].argmin(), 300 + keys[300:].argsort()[:2]
        rows = weighted_k_means_rows(X, weights, 3, random_state=seed, keys=keys)
        assert rows.tolist() == [right[0], left, right[1]]
