"""Expected change of the model: gradients in full, and the same random numbers."""

import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix, issparse
from scipy.special import log_softmax, softmax
from scipy.stats import chisquare
from sklearn.datasets import make_blobs
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearningClassifier
from skactive.acquisition import (
    BADGESampling,
    ExpectedGradientLengthSampling,
    FALCUNSampling,
    get_strategy,
)
from skactive.acquisition.functional import badge, expected_gradient_length, falcun
from skactive.acquisition.hybrid import _badge as module
from skactive.testing import make_pool

NAMES = ["expected_gradient_length", "badge", "falcun"]

probabilities = (
    st.tuples(st.integers(1, 8), st.integers(2, 5))
    .flatmap(lambda shape: arrays(float, shape, elements=st.floats(0.01, 1.0)))
    .map(lambda weights: weights / weights.sum(axis=1, keepdims=True))
)


def random_rows(n=40, n_classes=4, n_features=3, seed=0, offset=0.0):
    rng = np.random.default_rng(seed)
    features = offset + rng.standard_normal((n, n_features))
    return rng.dirichlet(np.ones(n_classes), n), features


def gradients(proba, features):
    """The gradient embedding of every row, in full."""
    errors = proba - np.eye(proba.shape[1])[proba.argmax(axis=1)]
    return (errors[:, :, None] * features[:, None, :]).reshape(len(proba), -1)


def draw(weights, remaining, rng):
    weights = weights if weights.sum() > 0 else remaining.astype(float)
    ends = np.cumsum(weights)
    return int(np.searchsorted(ends, rng.random() * ends[-1], side="right"))


def explicit_badge(proba, features, n_queries, rng):
    g = gradients(proba, features)
    chosen = [int(np.argmax((g**2).sum(axis=1)))]
    while len(chosen) < n_queries:
        nearest = ((g[:, None] - g[chosen]) ** 2).sum(axis=2).min(axis=1)
        remaining = ~np.isin(np.arange(len(g)), chosen)
        chosen.append(draw(nearest, remaining, rng))
    return chosen


def explicit_falcun(proba, n_queries, gamma, rng):
    first, second = np.sort(proba, axis=1)[:, :-3:-1].T
    uncertainty = 1 - (first - second)
    chosen = []
    while len(chosen) < n_queries:
        remaining = ~np.isin(np.arange(len(proba)), chosen)
        to_chosen = [np.abs(proba - proba[c]).sum(axis=1) for c in chosen]
        diversity = np.min([uncertainty, *to_chosen], axis=0)
        low, high = diversity[remaining].min(), diversity[remaining].max()
        diversity = (diversity - low) / (high - low) if high > low else 0.0
        weights = (remaining * (uncertainty + diversity)) ** gamma * remaining
        chosen.append(draw(weights, remaining, rng))
    return chosen


def pool_of(X, y, *, known, asked=(), estimator=None, random_state=0):
    labeled = np.isin(np.arange(len(y)), known)
    asked = np.isin(np.arange(len(y)), asked)
    return make_pool(
        X,
        np.where(labeled, y, -1),
        labeled,
        np.flatnonzero(~(labeled | asked)),
        estimator=estimator or LogisticRegression(),
        asked=asked,
        random_state=random_state,
    )


# Expected gradient length


def test_expected_gradient_length_has_the_worked_values():
    p, h = [[0.6, 0.3, 0.1]], [[1.0, 2.0]]
    with_bias = expected_gradient_length(p, h)
    without = expected_gradient_length(p, h, fit_intercept=False)
    np.testing.assert_allclose(with_bias, [1.7058233030], atol=5e-11)
    np.testing.assert_allclose(without, [1.5571965036], atol=5e-11)


@pytest.mark.parametrize("fit_intercept", [True, False])
def test_expected_gradient_length_is_that_of_numerical_gradients(fit_intercept):
    rng = np.random.default_rng(0)
    h = np.append(rng.standard_normal(3), [1.0] * fit_intercept)
    weights = rng.standard_normal((4, len(h)))
    p, expected = softmax(weights @ h), 0.0
    for y in range(4):
        gradient = np.zeros(weights.size)
        for i in range(weights.size):
            step = np.zeros(weights.size)
            step[i] = 1e-6
            up, down = (
                -log_softmax((weights + sign * step.reshape(weights.shape)) @ h)[y]
                for sign in (1, -1)
            )
            gradient[i] = (up - down) / 2e-6
        expected += p[y] * np.linalg.norm(gradient)
    length = expected_gradient_length([p], [h[:3]], fit_intercept=fit_intercept)
    np.testing.assert_allclose(length, expected, rtol=1e-8)


@given(probabilities)
@settings(max_examples=40, deadline=None)
def test_expected_gradient_length_equals_its_definition(proba):
    features = np.random.default_rng(0).standard_normal((len(proba), 3))
    lengths = expected_gradient_length(proba, features)
    for p, h, length in zip(proba, features, lengths, strict=True):
        expected = sum(
            p[y] * np.linalg.norm(np.outer(p - np.eye(len(p))[y], [*h, 1]))
            for y in range(len(p))
        )
        assert length == pytest.approx(expected, abs=1e-10)


@given(probabilities, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_neither_the_order_of_rows_nor_of_classes_matters_to_lengths(proba, random):
    rows, classes = list(range(len(proba))), list(range(proba.shape[1]))
    random.shuffle(rows)
    random.shuffle(classes)
    features = np.arange(len(proba))[:, None]
    lengths = expected_gradient_length(proba, features)
    other = expected_gradient_length(proba[rows][:, classes], features[rows])
    np.testing.assert_allclose(other, lengths[rows], atol=1e-12)
    bound = np.sqrt(2) * np.sqrt(features[:, 0] ** 2 + 1)
    assert ((lengths >= 0) & (lengths <= bound)).all()


def test_expected_gradient_length_is_exact_where_a_class_is_nearly_certain():
    tiny = 2.0**-40
    length = expected_gradient_length([[1 - tiny, tiny]], [[0.0]])
    assert length[0] == pytest.approx(2 * np.sqrt(2) * tiny * (1 - tiny), rel=1e-12)
    assert expected_gradient_length([[1.0, 0.0, 0.0]], [[5.0]]) == 0


def test_expected_gradient_length_takes_sparse_integer_and_float32_features():
    proba, _ = random_rows(5)
    features = np.array([[0, 3], [1, 0], [0, 0], [200, 1], [2, 2]], dtype=np.uint8)
    expected = expected_gradient_length(proba, features.astype(float))
    for other in (features, csr_matrix(features), features.astype(np.float32)):
        np.testing.assert_allclose(expected_gradient_length(proba, other), expected)


def test_lengths_are_kept_while_the_embedding_stays_the_same(monkeypatch):
    X, y = make_blobs(30, centers=3, random_state=0)
    pool, later = pool_of(X, y, known=range(9)), pool_of(X, y, known=range(12))
    strategy = ExpectedGradientLengthSampling()
    first = strategy.utility(pool)
    monkeypatch.setattr(type(pool), "embedding", None)
    np.testing.assert_array_equal(strategy.utility(pool), first)
    expected = expected_gradient_length(later.proba, X[12:])
    np.testing.assert_allclose(strategy.utility(later), expected)
    assert not {"X_", "squared_norms_"} & set(
        vars(pickle.loads(pickle.dumps(strategy)))
    )


def test_lengths_are_not_kept_for_other_data():
    X, y = make_blobs(30, centers=3, random_state=0)
    strategy = ExpectedGradientLengthSampling(fit_intercept=False)
    first = strategy.utility(pool_of(X, y, known=range(9)))
    pool = pool_of(3 * X, y, known=range(9))
    expected = expected_gradient_length(pool.proba, 3 * X[9:], fit_intercept=False)
    np.testing.assert_allclose(strategy.utility(pool), expected)
    assert not np.allclose(first, expected)


class Embedder(LogisticRegression):
    """A logistic regression whose embedding depends on what it has learnt."""

    def embed(self, X):
        return X * np.abs(self.coef_).sum()


def test_lengths_follow_an_embedding_that_is_learnt():
    X, y = make_blobs(30, centers=3, random_state=0)
    strategy = ExpectedGradientLengthSampling()
    for known in (range(9), range(20)):
        pool = pool_of(X, y, known=known, estimator=Embedder())
        features = pool.estimator.embed(X[len(known) :])
        expected = expected_gradient_length(pool.proba, features)
        np.testing.assert_allclose(strategy.utility(pool), expected)


# BADGE


@pytest.mark.parametrize("offset", [0.0, 1000.0])
@pytest.mark.parametrize(("limit", "rtol"), [(2**20, 1e-8), (0, 1e-5)])
@pytest.mark.parametrize("container", [np.asarray, csr_matrix])
def test_distances_are_those_of_gradients(monkeypatch, offset, limit, rtol, container):
    monkeypatch.setattr(module, "_MAX_FLOAT64", limit)
    proba, features = random_rows(n_features=30, offset=offset)
    proba[10:15], features[13:18] = proba[10], features[13]
    g = gradients(proba, features)
    products = module._OuterProducts(module._errors(proba), container(features))
    ratio = (g**2).sum(axis=1)[0] / products.squared_norms[0]
    for i in (0, 10, 14):
        expected = ((g - g[i]) ** 2).sum(axis=1)
        found = ratio * products.squared_distances(i)
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("limit", [2**20, 0])
def test_equal_rows_have_no_distance(monkeypatch, limit):
    monkeypatch.setattr(module, "_MAX_FLOAT64", limit)
    proba, features = random_rows(20, n_features=300)
    twice = np.repeat(np.arange(20), 2)
    products = module._OuterProducts(module._errors(proba[twice]), features[twice])
    for i in range(0, 40, 2):
        norm = products.squared_norms[i]
        assert products.squared_distances(i)[i + 1] < 1e-14 * norm


@pytest.mark.parametrize(("n", "n_queries"), [(40, 1), (40, 10), (40, 40), (3000, 5)])
@pytest.mark.parametrize("seed", [0, 1])
def test_badge_draws_what_the_full_gradients_would(n, n_queries, seed):
    proba, features = random_rows(n, seed=seed)
    chosen = badge(proba, features, n_queries, random_state=seed)
    rng = np.random.default_rng(seed)
    assert chosen.tolist() == explicit_badge(proba, features, n_queries, rng)


def test_badge_draws_the_same_in_single_precision(monkeypatch):
    proba, features = random_rows(200, n_features=20)
    expected = badge(proba, features, 20, random_state=0)
    monkeypatch.setattr(module, "_MAX_FLOAT64", 0)
    for scale in (1.0, 1e-30, 1e30):
        chosen = badge(proba, scale * features, 20, random_state=0)
        assert chosen.tolist() == expected.tolist()


def test_second_choices_of_badge_follow_squared_distances():
    proba, features = random_rows(8)
    g = gradients(proba, features)
    first = int(np.argmax((g**2).sum(axis=1)))
    weights = ((g - g[first]) ** 2).sum(axis=1)
    draws = [badge(proba, features, 2, random_state=s).tolist() for s in range(1500)]
    counts = np.bincount([second for _, second in draws], minlength=8)
    assert all(start == first for start, _ in draws)
    assert counts[first] == 0
    others = np.arange(8) != first
    expected = 1500 * weights[others] / weights.sum()
    assert chisquare(counts[others], expected).pvalue > 0.001


@pytest.mark.parametrize("limit", [2**20, 0])
@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_badge_leaves_duplicates_for_the_end_and_draws_them_evenly(
    monkeypatch, limit, offset
):
    monkeypatch.setattr(module, "_MAX_FLOAT64", limit)
    proba, features = random_rows(3, n_features=300, offset=offset)
    rows = np.repeat([0, 1, 2], 3)
    counts = np.zeros(3)
    for seed in range(300):
        chosen = badge(proba[rows], features[rows], 4, random_state=seed)
        assert sorted(rows[chosen[:3]]) == [0, 1, 2]
        counts[rows[chosen[3]]] += 1
    # Two of each kind are left for the fourth choice.
    assert chisquare(counts).pvalue > 0.001


def test_badge_draws_evenly_where_all_gradients_are_zero():
    proba, features = np.eye(2)[[0, 1, 0, 1, 0]], np.ones((5, 2))
    firsts = [badge(proba, features, 1, random_state=s).item() for s in range(1000)]
    assert chisquare(np.bincount(firsts, minlength=5)).pvalue > 0.001
    assert sorted(badge(proba, features, 5, random_state=0)) == [0, 1, 2, 3, 4]


def test_badge_begins_where_its_peer_begins():
    peer = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is missing")
    from skactiveml.classifier import SklearnClassifier

    X, y = make_blobs(60, centers=3, cluster_std=3, random_state=0)
    pool = pool_of(X, y, known=range(12))
    classifier = SklearnClassifier(LogisticRegression(), classes=[0, 1, 2])
    labels = np.where(np.arange(60) < 12, y, np.nan)
    first = peer.Badge(random_state=0).query(X, labels, clf=classifier)
    assert BADGESampling().select(pool, 1).tolist() == list(first)


def test_badge_looks_at_candidates_only():
    X, y = make_blobs(60, centers=3, cluster_std=3, random_state=0)
    pool = pool_of(X, y, known=[0, 5, 7, 9, 30], asked=[1, 2])
    expected = badge(pool.proba, X[pool.candidates], 10, random_state=0)
    rows = BADGESampling().select(pool, 10)
    assert rows.tolist() == pool.candidates[expected].tolist()


# FALCUN


@pytest.mark.parametrize(("n", "n_queries"), [(40, 1), (40, 10), (40, 40), (3000, 5)])
@pytest.mark.parametrize("gamma", [0, 1.5, 10])
def test_falcun_draws_what_its_definition_would(n, n_queries, gamma):
    proba, _ = random_rows(n)
    chosen = falcun(proba, n_queries, gamma=gamma, random_state=3)
    rng = np.random.default_rng(3)
    assert chosen.tolist() == explicit_falcun(proba, n_queries, gamma, rng)


def test_first_choices_of_falcun_have_probabilities_worked_out_by_hand():
    proba = np.array([[1.0, 0.0], [0.75, 0.25], [0.5, 0.5]])
    # Uncertainty 0, 1/2, 1 and diversity 0, 1/2, 1: relevance 0, 1, 2.
    draws = [falcun(proba, 2, gamma=2, random_state=s).tolist() for s in range(2000)]
    counts = np.bincount([first for first, _ in draws], minlength=3)
    assert counts[0] == 0
    assert chisquare(counts[1:], [400, 1600]).pvalue > 0.001
    # After row 2 distances are 1, 1/2, so diversity is min(0, 1), min(1/2, 1/2),
    # stretched to 0, 1; relevance 0, 3/2.
    assert {second for first, second in draws if first == 2} == {1}


def test_falcun_draws_evenly_at_gamma_zero_and_takes_the_best_at_a_large_one():
    proba, _ = random_rows(6)
    firsts = [falcun(proba, 1, gamma=0, random_state=s).item() for s in range(1200)]
    assert chisquare(np.bincount(firsts, minlength=6)).pvalue > 0.001
    best = np.argmin(-np.diff(np.sort(proba, axis=1)[:, -2:][:, ::-1], axis=1))
    assert falcun(proba, 1, gamma=1e6, random_state=0).item() == best


def test_falcun_draws_evenly_where_all_is_certain():
    proba = np.eye(3)[[0, 0, 0, 0]]
    firsts = [falcun(proba, 1, random_state=s).item() for s in range(1000)]
    assert chisquare(np.bincount(firsts, minlength=4)).pvalue > 0.001
    assert sorted(falcun(proba, 4, random_state=0)) == [0, 1, 2, 3]


@given(probabilities, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_the_order_of_classes_does_not_matter_to_choices(proba, random):
    classes = list(range(proba.shape[1]))
    random.shuffle(classes)
    n, features = len(proba), np.arange(len(proba))[:, None] + 1.0
    chosen = falcun(proba, n, gamma=2, random_state=0)
    assert falcun(proba[:, classes], n, gamma=2, random_state=0).tolist() == (
        chosen.tolist()
    )
    assert sorted(chosen) == list(range(n))
    products, others = (
        module._OuterProducts(module._errors(p), features)
        for p in (proba, proba[:, classes])
    )
    if (np.diff(np.sort(proba, axis=1)[:, -2:], axis=1) > 1e-9).all():
        np.testing.assert_allclose(
            others.squared_distances(0), products.squared_distances(0), atol=1e-12
        )


# All of them


class Densifying(LogisticRegression):
    """Learns the same from sparse data as from dense data."""

    def fit(self, X, y):
        return super().fit(X.toarray() if issparse(X) else X, y)


@pytest.mark.parametrize("name", NAMES)
def test_strategies_ask_the_same_rows_of_sparse_data(name):
    X, y = make_blobs(60, n_features=6, centers=3, cluster_std=4, random_state=0)
    dense, sparse = (
        get_strategy(name).select(
            pool_of(X, y, known=range(9), estimator=Densifying()), 9
        )
        for X in (X, csr_matrix(X))
    )
    assert sparse.tolist() == dense.tolist()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n_classes", [2, 10])
def test_strategies_ask_as_many_candidates_as_wanted(name, n_classes):
    X, y = make_blobs(150, centers=n_classes, random_state=0)
    known = np.unique(y, return_index=True)[1]
    pool = pool_of(X, y, known=known, asked=[140, 149])
    for n_queries in (1, 10, 100, len(pool.candidates)):
        rows = get_strategy(name).select(pool, n_queries)
        assert len(set(rows.tolist())) == n_queries
        assert np.isin(rows, pool.candidates).all()


@pytest.mark.parametrize("name", NAMES)
def test_strategies_ask_equal_rows_and_a_single_one(name):
    X, y = np.ones((8, 2)), np.array([0, 1] * 4)
    pool = pool_of(X, y, known=[0, 1])
    assert len(set(get_strategy(name).select(pool, 4).tolist())) == 4
    assert get_strategy(name).select(pool_of(X, y, known=range(7)), 1).tolist() == [7]


@pytest.mark.parametrize("strategy", [BADGESampling(), FALCUNSampling()])
def test_the_seed_of_the_round_decides_what_is_drawn(strategy):
    X, y = make_blobs(100, centers=3, cluster_std=3, random_state=0)
    drawn = {
        tuple(strategy.select(pool_of(X, y, known=range(9), random_state=seed), 5))
        for seed in (0, 0, 1, 2)
    }
    assert len(drawn) == 3


@pytest.mark.parametrize("name", NAMES)
def test_strategies_work_on_raw_text_in_a_pipeline(name):
    texts = [f"{'good' if i % 2 else 'bad'} day number {i}" for i in range(30)]
    truth = np.array(["good" if i % 2 else "bad" for i in range(30)], dtype=object)
    y = np.where(np.arange(30) < 4, truth, None)
    clf = ActiveLearningClassifier(
        make_pipeline(TfidfVectorizer(), LogisticRegression()),
        oracle=lambda X: [text.split()[0] for text in X],
        strategy=name,
        missing_label=None,
        batch_size=3,
        budget=6,
        random_state=0,
    ).fit(texts, y)
    assert clf.n_queries_ == 6
    assert clf.score(texts, truth) > 0.9


@pytest.mark.parametrize("gamma", [-1, "10", None])
def test_gamma_is_validated(gamma):
    with pytest.raises(ValueError, match="'gamma' parameter of FALCUNSampling"):
        FALCUNSampling(gamma=gamma)._validate_params()


def test_falcun_does_not_stretch_what_is_rounding():
    # Once one of two kinds is chosen, the diversity of what is left is 0 or rounding.
    proba = np.repeat([[0.3, 0.7]], 40, axis=0)
    proba[20:] += [[1e-16, -1e-16]]
    chosen = [falcun(proba, 3, random_state=seed)[1:] for seed in range(200)]
    # 400 draws, half of them from the first rows, give or take 5 deviations of 10.
    assert abs((np.concatenate(chosen) < 20).sum() - 200) < 50
