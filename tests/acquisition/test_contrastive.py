"""Contrastive rows: worked values, the definition by loops, degenerate inputs."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearningClassifier, testing
from skactive.acquisition import ContrastiveSampling
from skactive.acquisition._base import select_queries, utilities
from skactive.acquisition.functional import contrastive
from skactive.testing import check_strategy


def random_input(seed, n_samples=7, n_labeled=12, n_classes=3, n_components=4):
    rng = np.random.default_rng(seed)
    return (
        rng.dirichlet(np.ones(n_classes), n_samples),
        rng.normal(size=(n_samples, n_components)),
        rng.dirichlet(np.ones(n_classes), n_labeled),
        rng.normal(size=(n_labeled, n_components)),
    )


def by_definition(proba, features, labeled_proba, labeled_features, k):
    utility = []
    for p, x in zip(proba, features, strict=True):
        distances = [
            np.linalg.norm(x / np.linalg.norm(x) - z / np.linalg.norm(z))
            for z in labeled_features
        ]
        nearest = np.argsort(distances)[:k]
        utility.append(
            np.mean([sum(q * np.log(q / p)) for q in labeled_proba[nearest]])
        )
    return utility


def make_pool(n=60, n_classes=2, n_labeled=20, block_size=None, estimator=None):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n, 3))
    truth = np.digitize(X[:, 0], np.linspace(-1, 1, n_classes + 1)[1:-1])
    labeled = np.isin(np.arange(n), rng.choice(n, n_labeled, replace=False))
    return testing.make_pool(
        X,
        np.where(labeled, truth, -1),
        labeled,
        np.flatnonzero(~labeled),
        estimator=estimator or LogisticRegression(),
        block_size=block_size,
    )


def test_contrastive_has_the_worked_value():
    labeled_proba = [[0.9, 0.1], [0.6, 0.4], [0.1, 0.9]]
    labeled = [[0, 0], [1, 0], [5, 5]]
    score = contrastive([[0.5, 0.5]], [[0.2, 0]], labeled_proba, labeled, n_neighbors=2)
    np.testing.assert_allclose(score, [0.1940998604], atol=6e-11)


def test_the_neighbour_comes_first_in_the_divergence():
    # KL((.9, .1) || (.5, .5)), and not .5108 the other way round.
    score = contrastive([[0.5, 0.5]], [[1.0]], [[0.9, 0.1]], [[1.0]])
    np.testing.assert_allclose(score, 0.9 * np.log(1.8) + 0.1 * np.log(0.2), atol=1e-12)


def test_directions_are_compared_and_not_lengths():
    labeled_proba = [[0.9, 0.1], [0.5, 0.5]]
    score = contrastive(
        [[0.5, 0.5]],
        [[0.1, 0.0]],
        labeled_proba,
        [[9.0, 0.0], [0.0, 0.1]],
        n_neighbors=1,
    )
    np.testing.assert_allclose(score, [0.3680642072], atol=6e-11)


@pytest.mark.parametrize("k", [1, 3, 12])
@pytest.mark.parametrize("n_classes", [2, 10])
def test_contrastive_equals_its_definition(k, n_classes):
    for seed in range(5):
        data = random_input(seed, n_classes=n_classes)
        np.testing.assert_allclose(
            contrastive(*data, n_neighbors=k), by_definition(*data, k), atol=1e-10
        )


def test_fewer_labelled_rows_than_neighbours_are_all_compared_with():
    data = random_input(0, n_labeled=4)
    np.testing.assert_allclose(
        contrastive(*data, n_neighbors=10), by_definition(*data, 4), atol=1e-10
    )


@given(st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_the_order_of_rows_and_of_classes_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    proba, X, labeled_proba, Z = random_input(seed)
    rows, known, classes = (rng.permutation(n) for n in (7, 12, 3))
    np.testing.assert_allclose(
        contrastive(
            proba[rows][:, classes],
            X[rows],
            labeled_proba[known][:, classes],
            Z[known],
            n_neighbors=3,
        ),
        contrastive(proba, X, labeled_proba, Z, n_neighbors=3)[rows],
        atol=1e-12,
    )


def test_sparse_and_dense_and_float32_features_agree():
    proba, X, labeled_proba, Z = random_input(1)
    dense = contrastive(proba, X, labeled_proba, Z, n_neighbors=3)
    sparse = contrastive(
        proba, csr_matrix(X), labeled_proba, csr_matrix(Z), n_neighbors=3
    )
    single = contrastive(
        *(a.astype(np.float32) for a in (proba, X, labeled_proba, Z)), n_neighbors=3
    )
    np.testing.assert_allclose(sparse, dense, atol=1e-12)
    np.testing.assert_allclose(single, dense, rtol=1e-5)


def test_probabilities_of_zero_stay_finite():
    X = [[1.0]]
    same = contrastive([[1.0, 0.0]], X, [[1.0, 0.0]], X)
    other = contrastive([[1.0, 0.0]], X, [[0.5, 0.5]], X)
    assert same.tolist() == [0.0]
    np.testing.assert_allclose(
        other, np.log(0.5) - 0.5 * np.log(np.finfo(float).tiny), rtol=1e-12
    )


def test_equal_rows_have_no_contrast():
    proba, X = np.full((5, 2), 0.5), np.ones((5, 3))
    assert contrastive(proba, X, proba, X).tolist() == [0.0] * 5
    assert contrastive(proba, 0 * X, proba, 0 * X).tolist() == [0.0] * 5


def test_no_labelled_row_is_an_error():
    with pytest.raises(ValueError, match="there is none"):
        contrastive([[1.0]], [[1.0]], np.empty((0, 1)), np.empty((0, 1)))


def test_the_strategy_keeps_its_contract():
    check_strategy(ContrastiveSampling(n_neighbors=3))


@pytest.mark.parametrize("block_size", [None, 7])
def test_the_strategy_scores_candidates_by_the_function(block_size):
    pool = make_pool(block_size=block_size)
    known, rows, model = np.flatnonzero(pool.labeled), pool.candidates, pool.estimator
    expected = contrastive(
        model.predict_proba(pool.X[rows]),
        pool.X[rows],
        model.predict_proba(pool.X[known]),
        pool.X[known],
        n_neighbors=4,
    )
    scores = utilities(ContrastiveSampling(4), pool)
    np.testing.assert_allclose(scores, expected, rtol=1e-10)
    asked = select_queries(ContrastiveSampling(4), pool, 5).rows
    assert asked.tolist() == rows[np.argsort(-expected)[:5]].tolist()


@pytest.mark.parametrize("n_queries", [1, 10, 100, 180])
@pytest.mark.parametrize("n_classes", [2, 10])
def test_as_many_candidates_as_wanted_are_selected(n_queries, n_classes):
    pool = make_pool(200, n_classes)
    rows = select_queries(ContrastiveSampling(), pool, n_queries).rows
    assert len(set(rows.tolist())) == n_queries
    assert np.isin(rows, pool.candidates).all()


def test_one_candidate_and_one_labelled_row_of_each_class():
    pool = testing.make_pool(
        np.array([[1.0], [2.0], [3.0]]),
        np.array([0, -1, 1]),
        np.array([True, False, True]),
        np.array([1]),
        estimator=LogisticRegression(),
    )
    assert ContrastiveSampling().select(pool, 1).tolist() == [1]


def test_it_works_on_raw_text():
    texts = [f"{a} {b}" for a in "good bad fine poor odd".split() for b in "abcdefgh"]
    truth = np.repeat([1, 0, 1, 0, 1], 8)
    y = np.where(np.arange(40) % 8 == 0, truth, -1)
    clf = ActiveLearningClassifier(
        make_pipeline(TfidfVectorizer(token_pattern=r"\w+"), LogisticRegression()),
        oracle=lambda X, sample_ids: truth[sample_ids],
        strategy="contrastive",
        batch_size=5,
        budget=10,
        random_state=0,
    )
    assert clf.fit(texts, y, sample_ids=np.arange(40)).n_queries_ == 10


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
@pytest.mark.parametrize(("k", "expected"), [(1, 0.3681 / 2), (2, 0.3681 / 2)])
def test_labelled_rows_of_equal_distance_share_the_last_places(k, expected, order):
    # The first two are equally near, the last is farther away and takes no part.
    features = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])[order]
    proba = np.array([[0.9, 0.1], [0.5, 0.5], [0.01, 0.99]])[order]
    utility = contrastive([[0.5, 0.5]], [[2.0, 2.0]], proba, features, n_neighbors=k)
    np.testing.assert_allclose(utility, expected, atol=1e-4)


def test_one_nearer_row_comes_before_those_that_share():
    features = [[0.0, 1.0], [1.0, 1.0], [1.0, 0.0]]
    proba = [[0.9, 0.1], [0.5, 0.5], [0.9, 0.1]]
    utility = contrastive([[0.5, 0.5]], [[2.0, 2.0]], proba, features, n_neighbors=2)
    np.testing.assert_allclose(utility, 0.3681 / 2, atol=1e-4)
