"""Density as a weight of other strategies, against the plain definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix
from sklearn.datasets import make_blobs
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skactive import ActiveLearningClassifier, testing
from skactive._pool.kept import Kept
from skactive.acquisition import DensitySampling
from skactive.acquisition.functional import entropy, margin, mean_cosine_similarity

X, TRUTH = make_blobs(120, 3, centers=4, random_state=0)
MODEL = LogisticRegression(max_iter=1000)

matrices = arrays(float, (7, 3), elements=st.integers(-4, 4))


def maker(X, estimator=MODEL):
    """Return a function that makes the pools of one run."""
    kept = Kept.of_run(X, estimator)

    def make_pool(labeled, asked=(), candidates=None):
        rows = np.arange(X.shape[0])
        is_labeled, is_asked = np.isin(rows, labeled), np.isin(rows, asked)
        if candidates is None:
            candidates = np.flatnonzero(~(is_labeled | is_asked))
        return testing.make_pool(
            X,
            np.where(is_labeled, TRUTH, -1),
            is_labeled,
            np.asarray(candidates),
            estimator=estimator,
            asked=is_asked,
            kept=kept,
        )

    return make_pool


@given(matrices, matrices)
@settings(max_examples=40, deadline=None)
def test_similarity_is_the_mean_of_all_cosines(features, reference):
    for kind in (np.asarray, csr_matrix):
        found = mean_cosine_similarity(kind(features), kind(reference))
        expected = cosine_similarity(features, reference).mean(axis=1)
        np.testing.assert_allclose(found, expected, atol=1e-12)


@given(matrices, st.permutations(range(7)))
@settings(max_examples=20, deadline=None)
def test_similarity_depends_neither_on_order_nor_on_length(features, order):
    found = mean_cosine_similarity(features[order] * 3)
    expected = mean_cosine_similarity(features)[order]
    np.testing.assert_allclose(found, expected, atol=1e-12)
    assert (np.abs(found) <= 1 + 1e-12).all()


def test_similarity_counts_the_row_itself_and_nothing_for_zeros():
    values = mean_cosine_similarity([[2.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    np.testing.assert_allclose(values, [2 / 3, 2 / 3, 0])


@pytest.mark.parametrize("beta", [0.0, 0.5, 2.0])
@pytest.mark.parametrize(("name", "score"), [("entropy", entropy), ("margin", margin)])
def test_utility_is_score_times_clipped_density_of_open_rows(name, score, beta):
    strategy, make_pool = DensitySampling(name, beta=beta), maker(X)
    labeled, asked = list(range(0, 40, 2)), [1, 3]
    for _ in range(3):  # norms and sums are kept from round to round
        pool = make_pool(labeled, asked)
        open_rows = np.delete(np.arange(120), labeled + asked)
        density = cosine_similarity(X[open_rows]).mean(axis=1).clip(0)
        expected = score(pool.proba) * density**beta
        np.testing.assert_allclose(strategy.utility(pool), expected, rtol=1e-10)
        labeled, asked = [*labeled, 60 + len(asked), 119], [*asked, 90]


def test_a_part_of_the_candidates_has_the_density_of_the_whole():
    strategy, make_pool = DensitySampling(), maker(X)
    labeled = list(range(0, 40, 2))
    whole = make_pool(labeled)
    utilities = dict(zip(whole.candidates, strategy.utility(whole), strict=True))
    for some in ([1, 5, 100], whole.candidates[5:]):
        part = DensitySampling().utility(make_pool(labeled, candidates=some))
        np.testing.assert_allclose(part, [utilities[row] for row in some], rtol=1e-10)


@pytest.mark.parametrize(
    "kind", [csr_matrix, np.float32, lambda X: X.round().astype(int)]
)
def test_density_of_other_kinds_of_data(kind):
    data = kind(X)
    pool = maker(data)(list(range(40)))
    rows = data.toarray() if hasattr(data, "toarray") else data
    density = cosine_similarity(rows[40:].astype(float)).mean(axis=1).clip(0)
    expected = entropy(pool.proba) * density
    np.testing.assert_allclose(DensitySampling().utility(pool), expected, rtol=1e-5)


def test_density_of_an_embedding_that_moves():
    class Moving(LogisticRegression):
        def embed(self, X):
            return X @ self.coef_.T

    strategy, make_pool = DensitySampling(), maker(X, Moving(max_iter=1000))
    for n_labeled in (30, 50):
        pool = make_pool(list(range(n_labeled)))
        rows = X[n_labeled:] @ pool.estimator.coef_.T
        expected = entropy(pool.proba) * mean_cosine_similarity(rows).clip(0)
        np.testing.assert_allclose(strategy.utility(pool), expected, atol=1e-12)


def test_other_data_start_anew():
    strategy = DensitySampling()
    for data, n_labeled in [(X, 40), (X - X.mean(axis=0), 40), (X, 90), (X, 30)]:
        pool = maker(data)(list(range(n_labeled)))
        fresh = DensitySampling().utility(pool)
        np.testing.assert_allclose(strategy.utility(pool), fresh, rtol=1e-12)


def test_what_may_be_negative_or_chooses_batches_is_refused():
    with pytest.raises(ValueError, match=r"FunctionStrategy.* may be negative"):
        DensitySampling(lambda pool: pool.X)._validate_params()
    with pytest.raises(ValueError, match="KMeansSampling selects rows without any"):
        DensitySampling("k_means")._validate_params()


def test_decision_values_are_refused_before_anything_is_asked():
    clf = ActiveLearningClassifier(LinearSVC(), oracle=len, strategy="density")
    with pytest.raises(ValueError, match="needs a classifier with predict_proba"):
        clf.fit(X, np.full(120, -1))


def test_dense_texts_win_over_rare_ones_of_equal_uncertainty():
    texts = ["a b", "a c", "a d", "x y"] * 2 + ["q q q", "r r r"]
    clf = ActiveLearningClassifier(
        make_pipeline(TfidfVectorizer(token_pattern="[a-z]"), LogisticRegression()),
        oracle=lambda X: ["n"] * len(X),
        strategy="density",
        missing_label=None,
        batch_size=1,
        budget=1,
    )
    clf.fit(texts, [*[None] * 8, "n", "p"])
    assert texts[clf.query_indices_[0]].startswith("a")
