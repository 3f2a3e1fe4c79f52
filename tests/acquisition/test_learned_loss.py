"""Learned losses: folds by hand, few labels, and what the regressor sees."""

import warnings

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skactive import ActiveLearningClassifier, testing
from skactive.acquisition import LossPredictionSampling
from skactive.acquisition._base import select_queries, utilities
from skactive.acquisition._registry import check_needs
from skactive.acquisition.functional import out_of_fold_losses
from skactive.testing import check_strategy


def make_pool(labels, X=None, estimator=None, block_size=None, **params):
    """A pool of 200 rows, the last ones of which have these labels."""
    labels = np.asarray(labels)
    if X is None:
        X = np.random.default_rng(0).normal(size=(200, 3))
    labeled = np.arange(200) >= 200 - len(labels)
    y = np.full(200, -1)
    y[labeled] = labels
    return testing.make_pool(
        X,
        y,
        labeled,
        np.flatnonzero(~labeled),
        estimator=estimator or LogisticRegression(),
        block_size=block_size,
        random_state=2**32 - 5,
        **params,
    )


class Spy(RegressorMixin, BaseEstimator):
    """Remembers what it is fitted on, and predicts its first feature."""

    seen = []

    def fit(self, X, y):
        self.seen.append((X, y))
        return self

    def predict(self, X):
        return X[:, 0]


def test_losses_have_the_worked_value():
    # Each training part holds one row of each class, so that all have 1/3.
    losses = out_of_fold_losses(DummyClassifier(), [[0]] * 5, [0, 0, 1, 1, 2], cv=2)
    np.testing.assert_allclose(losses, [np.log(3)] * 4 + [np.nan], atol=1e-12)


def test_with_a_fold_for_each_row_of_a_class_one_of_each_is_left_out():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(12, 2)), np.repeat(["a", "b"], 6)
    expected = []  # one for each row that may be left out beside it
    losses = out_of_fold_losses(GaussianNB(), X, y, cv=6, random_state=3)
    for i in range(6):
        options = []
        for j in range(6, 12):
            kept = [k for k in range(12) if k not in (i, j)]
            proba = GaussianNB().fit(X[kept], y[kept]).predict_proba(X[[i]])
            options.append(log_loss(["a"], proba, labels=["a", "b"]))
        expected.append(options)
    assert all(
        np.isclose(loss, options, atol=1e-10).any()
        for loss, options in zip(losses[:6], expected, strict=True)
    )


def test_no_row_is_fitted_on_for_its_own_loss_and_no_class_is_missing():
    X = np.arange(23.0)[:, None]
    y = np.array([0] * 10 + [1] * 9 + [2] * 3 + [3])
    Checking.fits.clear()
    losses = out_of_fold_losses(Checking(), X, y, random_state=0)
    assert np.isnan(losses).tolist() == [False] * 22 + [True]
    assert len(Checking.fits) == 5
    assert all(set(labels) == {0, 1, 2, 3} for labels in Checking.fits)


class Checking(DummyClassifier):
    """Refuses to predict a row that it was fitted on."""

    fits = []

    def fit(self, X, y):
        self._rows = set(X.ravel())
        self.fits.append(y.tolist())
        return super().fit(X, y)

    def predict_proba(self, X):
        assert not self._rows & set(X.ravel())
        return super().predict_proba(X)


def test_labels_reach_the_classifier_as_they_are():
    y = np.array(["no", "yes"] * 10)
    X = (y == "yes")[:, None] + np.linspace(0, 0.1, 20)[:, None]
    model = LogisticRegression(class_weight={"no": 1.0, "yes": 1.0})
    assert out_of_fold_losses(model, X, y, random_state=0).max() < np.log(2)


def test_losses_are_seeded_and_in_bounds():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 2)), rng.integers(0, 2, 40)
    model = RandomForestClassifier(3)
    first, second = (out_of_fold_losses(model, X, y, random_state=1) for _ in range(2))
    assert first.tolist() == second.tolist()
    assert first.min() >= 0
    assert first.max() == pytest.approx(36.04, abs=0.01)  # a probability of 0


def test_no_class_of_two_rows_gives_no_losses():
    assert np.isnan(out_of_fold_losses(GaussianNB(), [[0], [1]], [0, 1])).all()


def test_the_regressor_sees_embedding_and_sorted_probabilities():
    labels = np.arange(30) % 3
    pool = make_pool(labels, block_size=7)
    Spy.seen.clear()
    scores = utilities(LossPredictionSampling(Spy()), pool)
    np.testing.assert_allclose(scores, pool.X[pool.candidates, 0], rtol=1e-6)
    ((features, losses),) = Spy.seen
    np.testing.assert_allclose(features[:, :3], pool.X[pool.labeled], rtol=1e-6)
    assert features.shape == (30, 6)
    assert (np.diff(features[:, 3:], axis=1) >= 0).all()
    np.testing.assert_allclose(features[:, 3:].sum(axis=1), 1, rtol=1e-6)
    # Losses are -log of one of the probabilities beside them.
    distances = np.abs(np.exp(-losses)[:, None] - features[:, 3:]).min(axis=1)
    np.testing.assert_allclose(distances, 0, atol=1e-6)


def test_rows_that_are_likely_wrong_are_asked():
    # Labels left of 0 are noise, those right of it are not.
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.uniform(-3, -1, 100), rng.uniform(1, 3, 100)])
    X = np.column_stack([X, rng.normal(size=200)])[rng.permutation(200)]
    noise = rng.integers(0, 2, 200)
    truth = np.where(X[:, 0] < 0, noise, X[:, 1] > 0).astype(int)
    pool = make_pool(truth[-80:], X, GaussianNB())
    rows = select_queries(LossPredictionSampling(), pool, 20).rows
    assert (X[rows, 0] < 0).mean() >= 0.75


@pytest.mark.parametrize(
    "labels",
    [
        [0, 1],
        [0, 0, 1],
        [0, 0, 0, 1],
        [0, 0, 1, 1],
        list(range(10)),
        [0] * 5 + [1] * 2 + [2],
    ],
)
@pytest.mark.parametrize("regressor", [None, KNeighborsRegressor(1)])
def test_few_labels_are_enough(labels, regressor):
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        rows = LossPredictionSampling(regressor).select(make_pool(labels), 3)
    assert len(set(rows.tolist())) == 3


def test_without_two_rows_of_a_class_training_losses_are_learnt():
    pool = make_pool([0, 1, 2])
    Spy.seen.clear()
    LossPredictionSampling(Spy()).utility(pool)
    proba = pool.predict_proba(np.arange(197, 200))
    np.testing.assert_allclose(Spy.seen[0][1], -np.log(np.diag(proba)), rtol=1e-6)


def test_many_components_are_projected_the_same_for_sparse_and_dense():
    X = np.random.default_rng(0).normal(size=(200, 30))
    X *= np.abs(X) > 1
    strategy = LossPredictionSampling(max_components=8)
    Spy.seen.clear()
    LossPredictionSampling(Spy(), max_components=8).utility(make_pool([0, 1] * 10, X))
    assert Spy.seen[0][0].shape == (20, 10)
    dense, sparse = (
        strategy.utility(make_pool([0, 1] * 10, data)) for data in (X, csr_matrix(X))
    )
    np.testing.assert_allclose(dense, sparse, rtol=1e-6)


class LossNet(LogisticRegression):
    """Predicts its own loss, as the networks with a loss-prediction module do."""

    def predict_loss(self, X):
        return np.asarray(X)[:, 1]


def test_a_classifier_that_predicts_its_loss_is_believed():
    pool = make_pool([0, 1] * 5, estimator=LossNet())
    strategy = LossPredictionSampling(regressor=Spy())
    assert strategy.utility(pool).tolist() == pool.X[pool.candidates, 1].tolist()
    check_needs(strategy, LossNet())


def test_neither_loss_nor_probabilities_is_refused_before_anything_is_paid():
    with pytest.raises(ValueError, match="predict_loss or predict_proba"):
        check_needs(LossPredictionSampling(), LinearSVC())


def test_fit_parameters_reach_the_folds():
    weight = np.zeros(200)
    weight[-20:] = np.where(np.arange(20) % 2, 1.0, 1e-6)
    labels = np.arange(20) % 2
    Spy.seen.clear()
    for params in ({}, {"sample_weight": weight}):
        LossPredictionSampling(Spy()).utility(make_pool(labels, fit_params=params))
    plain, weighted = (losses for _, losses in Spy.seen)
    assert weighted[labels == 0].min() > plain[labels == 0].max()


def test_a_fold_that_cannot_be_fitted_says_what_to_do():
    # Eight labels are enough for the fit itself, and too few within the folds.
    pool = make_pool([0, 1] * 4, estimator=KNeighborsClassifier(8))
    with pytest.raises(ValueError, match="n_neighbors") as caught:
        LossPredictionSampling().utility(pool)
    assert "initial_size" in caught.value.__notes__[0]


@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize("n_queries", [1, 10, 100, 160])
def test_as_many_candidates_as_wanted_are_selected(n_queries, n_classes):
    pool = make_pool(np.arange(40) % n_classes)
    rows = select_queries(LossPredictionSampling(cv=2), pool, n_queries).rows
    assert len(set(rows.tolist())) == n_queries
    assert np.isin(rows, pool.candidates).all()


def test_equal_rows_and_float32():
    for X in (np.ones((200, 2)), np.random.default_rng(0).random((200, 2), np.float32)):
        scores = LossPredictionSampling().utility(make_pool([0, 1] * 5, X))
        assert np.isfinite(scores).all()


@pytest.mark.slow
def test_the_strategy_keeps_its_contract():
    check_strategy(LossPredictionSampling(KNeighborsRegressor(2), cv=3))


def test_it_works_on_raw_text():
    texts = [f"{a} {b}" for a in "good bad fine poor odd".split() for b in "abcdefgh"]
    truth = np.repeat(["yes", "no", "yes", "no", "yes"], 8).astype(object)
    y = np.where(np.arange(40) % 8 == 0, truth, None)
    clf = ActiveLearningClassifier(
        make_pipeline(TfidfVectorizer(token_pattern=r"\w+"), LogisticRegression()),
        oracle=lambda X, sample_ids: truth[sample_ids],
        strategy=LossPredictionSampling(max_components=5),
        missing_label=None,
        batch_size=5,
        budget=10,
        random_state=0,
    )
    assert clf.fit(texts, y, sample_ids=np.arange(40)).n_queries_ == 10
