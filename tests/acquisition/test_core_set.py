"""Core-set: the farthest rows, exactly as distances in double precision say."""

import json
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist
from scipy.stats import chisquare
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearningClassifier, testing
from skactive._pool.kept import Kept
from skactive.acquisition import KCenterSampling
from skactive.acquisition.diversity._farthest import FarthestFirst
from skactive.acquisition.functional import k_center
from skactive.utils._ties import tie_keys

RNG = np.random.default_rng(0)
FEATURES = {
    "normal": RNG.standard_normal((1500, 20)),
    "flat": RNG.standard_normal((3000, 2)),
    "offset": RNG.standard_normal((1500, 20)) + 1000,
    "far clusters": RNG.choice([-1e3, 1e3], (1500, 1)) + RNG.normal(0, 1e-3, (1500, 5)),
    "integers": RNG.integers(0, 3, (1500, 6)),
    "booleans": RNG.random((1500, 8)) < 0.5,
    "equal": np.ones((60, 3)),
    "outlier": np.concatenate([RNG.standard_normal((1499, 5)), np.full((1, 5), 1e20)]),
    "float32": RNG.standard_normal((1500, 20)).astype(np.float32),
}


def greedy(X, n_queries, labeled):
    """The definition: one exact distance after the other."""
    X = np.asarray(X, dtype=float)
    nearest = cdist(X, X[labeled], "sqeuclidean").min(axis=1)
    nearest[labeled] = -1
    chosen = []
    for _ in range(n_queries):
        chosen.append(int(nearest.argmax()))
        new = cdist(X, X[chosen[-1:]], "sqeuclidean").ravel()
        nearest = np.minimum(nearest, new)
        nearest[chosen] = -1
    return chosen


def greedy_in_tie_order(X, n_queries, labeled):
    """Do the same; of equally far rows, the one with the lowest key comes first."""
    order = np.argsort(tie_keys(0, np.arange(len(X))))
    known = np.flatnonzero(np.isin(order, labeled))
    return order[greedy(X[order], n_queries, known)].tolist()


@pytest.mark.parametrize("name", FEATURES)
@pytest.mark.parametrize("n_queries", [1, 10, 100, "all"])
def test_choices_are_those_of_exact_distances(name, n_queries):
    X, labeled = FEATURES[name], [7, 3, 50]
    if n_queries == "all":
        X, n_queries = X[-400:], len(X[-400:]) - 3
    n_queries = min(n_queries, len(X) - 3)
    chosen = k_center(X, n_queries, labeled=labeled)
    assert chosen.tolist() == greedy(X, n_queries, labeled)


@pytest.mark.parametrize("name", ["normal", "flat", "integers", "equal"])
def test_sparse_rows_are_chosen_like_dense_ones(name):
    X = FEATURES[name].astype(float)
    for n_queries in (1, 50):
        dense = k_center(X, n_queries, labeled=[2, 9])
        sparse = k_center(csr_matrix(X), n_queries, labeled=[2, 9])
        np.testing.assert_array_equal(sparse, dense)


def test_a_small_front_changes_nothing(monkeypatch):
    monkeypatch.setattr("skactive.acquisition.diversity._farthest._MIN_FRONT", 3)
    monkeypatch.setattr("skactive.acquisition.diversity._farthest._FRONT_SHARE", 10**6)
    for name in ("flat", "integers", "far clusters", "equal"):
        X = FEATURES[name][:300]
        chosen = k_center(X, 40, labeled=[0])
        assert chosen.tolist() == greedy(X, 40, [0])


@pytest.mark.parametrize("name", ["normal", "offset"])
def test_few_exact_distances_are_computed(name):
    X = FEATURES[name]
    cover = FarthestFirst(X.__getitem__, len(X))
    cover.add(X[:3])
    cover.choose(100, np.arange(len(X)) > 2)
    assert np.count_nonzero(cover._n_seen) < 100


def test_bounds_hold_where_single_precision_has_no_digit_left():
    X = FEATURES["far clusters"]
    cover = FarthestFirst(X.__getitem__, len(X))
    cover.add(X[:5])
    cover._apply_all()
    upper, lower = cover._rows.bounds(cover._smallest, cover._rows.norms)
    exact = cdist(X, X[:5], "sqeuclidean").min(axis=1) * cover._rows._scale**2
    assert (lower <= exact).all()
    assert (exact <= upper).all()


@given(
    arrays(float, (9, 2), elements=st.integers(-3, 3)),
    st.sets(st.integers(0, 8), min_size=1, max_size=4),
)
@settings(max_examples=60, deadline=None)
def test_ties_go_to_the_first_row(X, labeled):
    labeled = sorted(labeled)
    chosen = k_center(X, 9 - len(labeled), labeled=labeled)
    assert chosen.tolist() == greedy(X, 9 - len(labeled), labeled)


@given(st.permutations(range(30)))
@settings(max_examples=20, deadline=None)
def test_the_order_of_rows_does_not_matter_without_ties(order):
    X = FEATURES["normal"][:30]
    chosen = k_center(X[order], 8, labeled=[order.index(4)])
    assert [order[i] for i in chosen] == k_center(X, 8, labeled=[4]).tolist()


def test_the_first_choice_has_the_published_value(test_data):
    entries = json.loads((test_data / "anchors.json").read_text())
    (anchor,) = [entry for entry in entries if entry["id"] == "kcenter_toy_first"]
    labeled = np.arange(anchor["n_labeled"])
    assert k_center(anchor["X"], 1, labeled=labeled).item() == anchor["first"]


def test_without_a_label_the_most_central_row_comes_first():
    X = np.array([[0.0], [1.0], [4.0], [11.0]])  # the mean is 4
    assert k_center(X, 3).tolist() == [2, 3, 0]
    assert k_center(csr_matrix(X), 3).tolist() == [2, 3, 0]


def test_another_library_chooses_the_same_rows():
    pool = pytest.importorskip("skactiveml.pool")
    X = FEATURES["normal"][:400]
    y = np.full(400, np.nan)
    y[[5, 90, 17]] = 0
    theirs = pool.CoreSet(random_state=0).query(X, y, batch_size=30)
    ours = k_center(X, 30, labeled=[5, 90, 17])
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("n_queries", [0, 3])
def test_an_impossible_number_of_queries_is_refused(n_queries):
    with pytest.raises(ValueError, match="n_queries must be between 1 and 2"):
        k_center([[0.0], [1.0], [2.0]], n_queries, labeled=[0])


def maker(X, estimator=None):
    """Return a function that makes the pools of one run."""
    estimator = LogisticRegression() if estimator is None else estimator
    kept = Kept.of_run(X, estimator)

    def make_pool(labeled, asked=(), candidates=None, **seeds):
        rows = np.arange(X.shape[0])
        is_labeled, is_asked = np.isin(rows, labeled), np.isin(rows, asked)
        if candidates is None:
            candidates = np.flatnonzero(~(is_labeled | is_asked))
        y = np.where(is_labeled, rows % 2, -1)
        return testing.make_pool(
            X,
            y,
            is_labeled,
            np.asarray(candidates),
            estimator=estimator,
            asked=is_asked,
            kept=kept,
            **seeds,
        )

    return make_pool


@pytest.mark.parametrize("name", ["normal", "flat", "integers"])
def test_rounds_with_memory_ask_what_a_fresh_strategy_asks(name):
    make_pool, rng = maker(FEATURES[name]), np.random.default_rng(1)
    strategy, labeled, asked = KCenterSampling(), [3, 4], []
    for number in range(8):
        chosen = strategy.select(make_pool(labeled, asked), 6).tolist()
        known = labeled + asked
        assert chosen == greedy_in_tie_order(FEATURES[name], 6, known)
        if number % 3 == 0:
            labeled = labeled + chosen
        elif number % 3 == 1:  # one of them abstains, another was not asked
            labeled, asked = labeled + chosen[2:], asked + chosen[:1]
        else:  # others were labelled instead
            labeled = labeled + rng.integers(100, 1400, 4).tolist()


def test_memory_serves_a_part_of_the_candidates():
    X = FEATURES["normal"]
    make_pool, strategy = maker(X), KCenterSampling()
    strategy.select(make_pool([0]), 3)
    some = np.arange(1, 1500, 7)
    chosen = strategy.select(make_pool([0, 20], candidates=some), 5)
    subset = np.concatenate([[0, 20], some])
    expected = subset[greedy(X[subset], 5, [0, 1])]
    np.testing.assert_array_equal(chosen, expected)
    assert strategy.select(make_pool([0, 20]), 5).tolist() == greedy(X, 5, [0, 20])


def test_few_candidates_are_measured_alone():
    strategy = KCenterSampling()
    pool = maker(FEATURES["normal"])([0], candidates=[5, 900, 1400])
    assert set(strategy.select(pool, 3)) == {5, 900, 1400}
    assert not hasattr(strategy, "kept_")


def test_other_data_start_anew():
    strategy = KCenterSampling()
    strategy.select(maker(FEATURES["normal"])([0]), 3)
    X = FEATURES["float32"]
    assert strategy.select(maker(X)([0]), 3).tolist() == greedy(X, 3, [0])
    assert strategy.select(maker(X)([9]), 3).tolist() == greedy(X, 3, [9])


def test_labels_that_are_gone_start_anew():
    X = FEATURES["normal"]
    strategy, make_pool = KCenterSampling(), maker(X)
    for labeled in ([0], [0, 30, 31], [0, 30]):
        chosen = strategy.select(make_pool(labeled), 3).tolist()
        assert chosen == greedy(X, 3, labeled)


def test_an_embedding_that_moves_is_read_in_each_round():
    class Moving(LogisticRegression):
        def embed(self, X):
            return X * np.array([self.n_labels, 1.0])

        def fit(self, X, y):
            self.n_labels = len(y)
            return super().fit(X, y)

    X = FEATURES["flat"]
    strategy, make_pool = KCenterSampling(), maker(X, Moving())
    for labeled in ([0, 1], [0, 1, 2, 3, 4, 5, 6]):
        expected = greedy(X * [len(labeled), 1.0], 4, labeled)
        assert strategy.select(make_pool(labeled), 4).tolist() == expected


def test_what_is_kept_is_not_pickled():
    strategy = KCenterSampling()
    strategy.select(maker(FEATURES["normal"])([0]), 3)
    assert hasattr(strategy, "kept_")
    assert len(pickle.dumps(strategy)) < 1000


def test_texts_are_measured_after_the_steps_of_a_pipeline():
    texts = ["red"] * 5 + ["red blue green grey"] + ["red blue"] * 5
    clf = ActiveLearningClassifier(
        make_pipeline(CountVectorizer(), LogisticRegression()),
        oracle=lambda X: [len(text) for text in X],
        strategy="k_center",
        missing_label=None,
        batch_size=1,
        budget=2,
    )
    clf.fit(texts, [3, 8, *[None] * 9])
    first, second = clf.query_indices_
    assert first == 5
    assert texts[second] == "red blue"


def test_rows_without_an_embedding_are_asked_at_random_with_a_warning():
    make_pool = maker(np.array([["a"], ["b"], ["c"]], dtype=object))
    with pytest.warns(UserWarning, match="no embedding"):
        assert KCenterSampling().select(make_pool([0]), 2).tolist() in ([1, 2], [2, 1])


@pytest.mark.parametrize("X", ["cube", "wide copies"])
def test_of_equally_far_rows_each_is_chosen_equally_often(X):
    # A rotated cube: its distances are equal except for rounding.
    axes = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    X = {
        "cube": (np.indices((2, 2, 2)).reshape(3, 8).T - 0.5) @ axes,
        "wide copies": np.ones((1025, 33)),
    }[X]
    counts = np.zeros(len(X))
    for seed in range(400):
        pool = maker(X)([], tie_seed=seed, random_state=seed)
        counts[KCenterSampling().select(pool, 1)] += 1
    eighths = [part.sum() for part in np.array_split(counts, 8)]
    assert chisquare(eighths).pvalue > 1e-4
