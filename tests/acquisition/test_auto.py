"""The strategy nobody has to choose: its region, and what covers it."""

import numpy as np
import pytest
from scipy.sparse import csc_matrix, csr_matrix, issparse
from scipy.sparse import random as sparse_random
from sklearn.datasets import make_blobs, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from skactive import ActiveLearningClassifier, testing
from skactive.acquisition import AutoSampling
from skactive.acquisition.functional import margin, region_size
from skactive.acquisition.hybrid._auto import lift
from skactive.oracles import SimulatedOracle

N_LABELED = 20


def data(n_samples=300):
    X, y = make_classification(
        n_samples, n_informative=4, n_classes=3, class_sep=0.7, random_state=0
    )
    return X, y


def make_pool(X, y, n_labeled, estimator=None, **params):
    labeled = np.arange(len(y)) < n_labeled
    return testing.make_pool(
        X,
        np.where(labeled, y, -1),
        labeled,
        np.flatnonzero(~labeled),
        estimator=LogisticRegression(max_iter=1000) if estimator is None else estimator,
        random_state=1,
        **params,
    )


class Dense(LogisticRegression):
    """Says the same of sparse rows as of dense ones."""

    def fit(self, X, y):
        return super().fit(X.toarray() if issparse(X) else X, y)

    def predict_proba(self, X):
        return super().predict_proba(X.toarray() if issparse(X) else X)


def covering(pool, rows, weights, n_queries):
    """Choose by the definition, one row after the other."""
    centered = pool.X - pool.X.mean(axis=0)
    length = np.sqrt((centered**2).sum(axis=1).mean())
    lifted = np.column_stack([centered, np.full(len(centered), length)])
    unit = lifted / np.linalg.norm(lifted, axis=1, keepdims=True)
    kernel = np.exp(-((unit[:, None] - unit[rows]) ** 2).sum(axis=2))
    chosen = list(np.flatnonzero(pool.labeled))
    for _ in range(n_queries):
        others = [row for row in rows if row not in chosen]
        worth = [kernel[[*chosen, row]].max(axis=0) @ weights for row in others]
        chosen.append(others[int(np.argmax(worth))])
    return chosen[-n_queries:]


def uncertainty_in(pool):
    return margin(pool.estimator.predict_proba(pool.X[pool.candidates]))


@pytest.mark.parametrize(
    ("agreement", "expected"), [(-0.5, 400), (0.0, 400), (0.75, 160), (1.0, 80)]
)
def test_the_region_shrinks_as_models_agree(agreement, expected):
    assert region_size(400, 80, agreement) == expected


def test_a_region_has_no_more_rows_than_there_are():
    assert region_size(30, 100, 0.5) == 30


def test_the_first_model_leaves_all_rows_to_be_covered():
    pool = make_pool(*data(), N_LABELED)
    strategy = AutoSampling()
    chosen = strategy.select(pool, 5)
    weights = uncertainty_in(pool) ** 2
    assert chosen.tolist() == covering(pool, pool.candidates, weights, 5)
    assert strategy.agreement_ == 0.0
    assert strategy.n_region_ == len(pool)


def test_a_later_batch_covers_the_region_of_smallest_margins():
    X, y = data()
    strategy = AutoSampling(prefilter=2)
    before, now = make_pool(X, y, N_LABELED), make_pool(X, y, N_LABELED + 10)
    strategy.select(before, 5)
    chosen = strategy.select(now, 5)

    predicted = [pool.estimator.predict(X[now.candidates]) for pool in (before, now)]
    assert strategy.agreement_ == pytest.approx(cohen_kappa_score(*predicted))
    assert 0.2 < strategy.agreement_ < 0.95
    size = region_size(len(now), 10, strategy.agreement_)
    scores = uncertainty_in(now)
    region = np.sort(np.argsort(-scores)[:size])
    weights = scores[region] ** 2
    assert chosen.tolist() == covering(now, now.candidates[region], weights, 5)


def test_neither_shift_nor_unit_of_the_features_matters():
    X, y = data()
    model = GaussianNB()
    first, second = (
        AutoSampling().select(make_pool(features, y, N_LABELED, model), 10)
        for features in (X, 1000.0 + 8.0 * X)
    )
    np.testing.assert_array_equal(first, second)


def test_rows_in_one_direction_are_told_apart_by_their_length():
    near, far = np.array([[1.0, 1.0]]), np.array([[9.0, 9.0]])
    rows = np.concatenate([near, -near, far, -far])
    lifted = lift(rows, rows)
    assert lifted[:, -1] == pytest.approx(np.sqrt(82.0))
    directions = lifted / np.linalg.norm(lifted, axis=1, keepdims=True)
    assert np.abs(directions[0] - directions[2]).max() > 0.3


def test_sparse_rows_are_centred_within_their_products():
    rows = sparse_random(30, 8, density=0.3, format="csr", random_state=0)
    lifted = lift(rows.toarray(), rows.toarray())
    directions = lifted / np.linalg.norm(lifted, axis=1, keepdims=True)
    expected = -((directions[:, None] - directions) ** 2).sum(axis=2) / 2
    sparse = lift(rows, rows)
    found = sparse.products(sparse.values[:12], sparse.values)
    np.testing.assert_allclose(found, expected[:12], atol=1e-14)


def test_sparse_rows_of_one_kind_have_no_distance():
    rows = csr_matrix(np.full((5, 3), 0.1))
    sparse = lift(rows, rows)
    np.testing.assert_allclose(sparse.products(sparse.values, sparse.values), 0.0)


def test_the_container_does_not_change_the_choice():
    rng = np.random.default_rng(0)
    X = rng.random((300, 12)) * (rng.random((300, 12)) < 0.4)
    y = (X[:, 0] > X[:, 1]).astype(int)
    chosen = [
        AutoSampling().select(make_pool(container(X), y, N_LABELED, Dense()), 10)
        for container in (np.array, csr_matrix, csc_matrix)
    ]
    np.testing.assert_array_equal(chosen[0], chosen[1])
    np.testing.assert_array_equal(chosen[0], chosen[2])


def test_models_that_differ_by_few_labels_are_not_compared():
    X, y = data()
    strategy = AutoSampling(min_labels=4)
    agreements = []
    for n_labeled in range(20, 32):
        strategy.select(make_pool(X, y, n_labeled), 1)
        agreements.append(strategy.agreement_)
    assert agreements[:4] == [0.0] * 4
    predicted = [make_pool(X, y, n).estimator.predict(X[31:]) for n in (27, 31)]
    assert agreements[-1] == pytest.approx(cohen_kappa_score(*predicted))
    assert len(strategy.models_) == 5


def test_decision_values_are_log_odds_where_there_are_no_probabilities():
    X, y = data()
    y = (y == 0).astype(int)

    class Decides(LogisticRegression):
        predict_proba = property()

    pools = [
        make_pool(X, y, N_LABELED, estimator)
        for estimator in (LogisticRegression(), Decides())
    ]
    assert not pools[1].has_output("predict_proba")
    first, second = (AutoSampling().select(pool, 8) for pool in pools)
    np.testing.assert_array_equal(first, second)


def test_with_votes_only_it_covers_the_pool():
    X, y = data()

    class Votes(LogisticRegression):
        predict_proba = decision_function = property()

    pool = make_pool(X, y, N_LABELED, Votes())
    chosen = AutoSampling().select(pool, 5)
    assert chosen.tolist() == covering(pool, pool.candidates, np.ones(len(pool)), 5)


def test_each_row_is_embedded_once_in_a_round():
    X, y = data()
    seen = []

    class Embeds(LogisticRegression):
        def embed(self, X):
            seen.extend(map(tuple, X))
            return X

    pool = make_pool(X, y, N_LABELED, Embeds(max_iter=1000))
    AutoSampling().select(pool, 5)
    assert len(seen) == len(set(seen)) == len(X)


def test_before_there_is_a_model_it_covers_the_pool():
    X, _ = make_blobs(90, n_features=5, centers=3, cluster_std=0.1, random_state=0)
    clf = ActiveLearningClassifier(
        GaussianNB(),
        oracle=SimulatedOracle(np.arange(90) % 2),
        initial_strategy="auto",
        batch_size=3,
        budget=3,
    ).fit(X, np.full(90, -1), sample_ids=np.arange(90))
    centers = np.round(X[clf.query_indices_])
    assert len(np.unique(centers, axis=0)) == 3


def test_without_an_embedding_the_smallest_margins_are_asked():
    X, y = data()
    texts = [" ".join(map(str, row)) for row in X]
    read = FunctionTransformer(lambda rows: [list(map(float, r.split())) for r in rows])

    class Reads(LogisticRegression):
        def fit(self, X, y):
            return super().fit(read.transform(X), y)

        def predict_proba(self, X):
            return super().predict_proba(read.transform(X))

    pool = make_pool(texts, y, N_LABELED, Reads(max_iter=1000))
    chosen = AutoSampling().select(pool, 6)
    proba = pool.estimator.predict_proba(texts[N_LABELED:])
    assert set(chosen - N_LABELED) == set(np.argsort(-margin(proba))[:6])


def test_a_large_region_is_sampled_and_still_fills_the_batch():
    pool = make_pool(*data(), N_LABELED)
    small = AutoSampling(prefilter=1, max_region=12)
    assert len(np.unique(small.select(pool, 10))) == 10
    assert len(np.unique(small.select(pool, 40))) == 40
    assert small.n_region_ == len(pool)
    assert set(AutoSampling(max_region=None).select(pool, 10)) == set(
        AutoSampling().select(pool, 10)
    )


def test_it_works_with_a_classifier_of_decision_values_in_a_pipeline():
    X, y = data()
    hidden = np.where(np.arange(len(y)) < N_LABELED, y, -1)
    clf = ActiveLearningClassifier(
        make_pipeline(FunctionTransformer(), LinearSVC()),
        oracle=SimulatedOracle(y),
        strategy="auto",
        batch_size=10,
        budget=30,
        random_state=0,
    ).fit(X, hidden, sample_ids=np.arange(len(y)))
    assert len(clf.query_indices_) == 30
