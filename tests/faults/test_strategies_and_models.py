"""Strategies and models that misbehave: T27, T65, T66, T76."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC, LinearSVC

from skactive import ActiveLearningClassifier
from skactive.acquisition import BaseStrategy, MarginSampling, Selection
from skactive.stopping import FunctionCriterion


class Spoilt(LogisticRegression):
    """Returns the right probabilities as changed by `spoil`."""

    def __init__(self, spoil=None, from_n_labels=0):
        super().__init__()
        self.spoil = spoil
        self.from_n_labels = from_n_labels

    def fit(self, X, y):
        self.n_labels_ = len(y)
        return super().fit(X, y)

    def predict_proba(self, X):
        proba = super().predict_proba(X)
        return self.spoil(proba) if self.n_labels_ >= self.from_n_labels else proba


def one_nan(values):
    return np.where(np.arange(len(values)) == 3, np.nan, values.T).T


def one_inf(values):
    return np.where(np.arange(len(values)) == 3, np.inf, values.T).T


SPOILT = [one_nan, one_inf, lambda p: p * 2, lambda p: p - [1, -1], lambda p: p * 0]


@pytest.mark.parametrize("spoil", SPOILT)
@pytest.mark.parametrize("strategy", ["margin", "entropy", "least_confident"])
def test_t27_probabilities_that_are_none_are_refused_before_payment(
    X, y, make_clf, logging_oracle, spoil, strategy
):
    oracle = logging_oracle()
    clf = make_clf(oracle, estimator=Spoilt(spoil), strategy=strategy)
    with pytest.raises(ValueError, match=r"Spoilt.predict_proba returned prob"):
        clf.fit(X, y)
    assert oracle.n_calls == 0


@pytest.mark.parametrize("spoil", [lambda p: p[:, :1], lambda p: p[:, 0]])
def test_t27_a_column_for_each_class_is_expected(X, y, make_clf, logging_oracle, spoil):
    oracle = logging_oracle()
    with pytest.raises(ValueError, match=r"Spoilt.predict_proba .* each of its 2 cl"):
        make_clf(oracle, estimator=Spoilt(spoil)).fit(X, y)
    assert oracle.n_calls == 0


def test_t27_a_model_that_fails_later_is_refused_before_the_next_payment(
    X, y, truth, make_clf, logging_oracle
):
    oracle = logging_oracle()
    clf = make_clf(oracle, estimator=Spoilt(one_nan, from_n_labels=6))
    with pytest.raises(ValueError, match="No label was bought because of them") as c:
        clf.fit(X, y)
    assert oracle.n_calls == 1
    np.testing.assert_array_equal(c.value.labels, truth[c.value.indices])
    assert "4 labels had been bought" in c.value.__notes__[0]
    assert clf.n_queries_ == 4


class ByDecision(BaseEstimator, ClassifierMixin):
    """Has a decision function, which a function spoils, and no probabilities."""

    def __init__(self, spoil=None):
        self.spoil = spoil

    def fit(self, X, y):
        self.model_ = LogisticRegression().fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def decision_function(self, X):
        return self.spoil(self.model_.decision_function(X))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (one_nan, "decision_function returned NaN or infinity"),
        (one_inf, "decision_function returned NaN or infinity"),
        (lambda d: np.tile(d, (3, 1)).T, r"shape \(\d+, 3\) for 2 classes"),
    ],
)
def test_t27_decision_values_are_checked_too(
    X, y, make_clf, logging_oracle, spoil, message
):
    oracle = logging_oracle()
    with pytest.raises(ValueError, match=f"ByDecision.*{message}"):
        make_clf(oracle, estimator=ByDecision(spoil)).fit(X, y)
    assert oracle.n_calls == 0


class PredictsOnly(BaseEstimator, ClassifierMixin):
    """A classifier with nothing but `predict`."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


@pytest.mark.parametrize("strategy", ["margin", "entropy", MarginSampling()])
@pytest.mark.parametrize("labels", ["two classes", "none"])
def test_t65_a_strategy_says_what_it_needs_before_payment(
    X, y, make_clf, logging_oracle, strategy, labels
):
    oracle = logging_oracle()
    y = y if labels == "two classes" else np.full(21, -1)
    clf = make_clf(oracle, estimator=PredictsOnly(), strategy=strategy)
    message = r"Sampling needs a classifier with predict_proba or decision_function"
    with pytest.raises(ValueError, match=f"{message}, and PredictsOnly.*'random'"):
        clf.fit(X, y)
    assert oracle.n_calls == 0


@pytest.mark.parametrize("strategy", ["random", "k_means"])
@pytest.mark.parametrize("labels", ["two classes", "none"])
def test_t65_a_classifier_that_only_predicts_works_with_the_others(
    X, y, make_clf, logging_oracle, strategy, labels
):
    y = y if labels == "two classes" else np.full(21, -1)
    clf = make_clf(logging_oracle(), estimator=PredictsOnly(), strategy=strategy)
    assert clf.fit(X, y).n_queries_ == 8
    assert not hasattr(clf, "predict_proba")


@pytest.mark.parametrize("estimator", [SVC(C=100), LinearSVC(C=100), Perceptron()])
def test_t65_decision_values_do_where_there_are_no_probabilities(
    X, y, make_clf, logging_oracle, estimator
):
    clf = make_clf(logging_oracle(), estimator=estimator, batch_size=1, budget=1)
    alone = estimator.fit(X[[0, 20]], y[[0, 20]])
    distance = np.abs(alone.decision_function(X))
    distance[[0, 20]] = np.inf
    (asked,) = clf.fit(X, y).query_indices_
    assert distance[asked] == distance.min()


@pytest.mark.parametrize("labels", ["two classes", "none"])
def test_t65_a_model_that_needs_more_labels_leads_to_initial_size(
    X, y, make_clf, logging_oracle, labels
):
    y = y if labels == "two classes" else np.full(21, -1)
    clf = make_clf(logging_oracle(), estimator=KNeighborsClassifier(6))
    with pytest.warns(UserWarning, match=r"n_neighbors = 6.*initial_size=8"):
        clf.fit(X, y)
    assert clf.n_queries_ == 8
    assert [record["strategy"] for record in clf.history_][:1] == ["k_means"]
    clf.set_params(initial_size=8)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert clf.fit(X, y).n_queries_ == 8


class WithoutClasses(BaseEstimator, ClassifierMixin):
    """Does not say what its predictions stand for."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.zeros(len(X), dtype=int)


def test_t65_a_classifier_without_classes_has_the_labels_it_saw(
    X, y, make_clf, logging_oracle
):
    clf = make_clf(logging_oracle(), estimator=WithoutClasses(), strategy="random")
    clf.fit(X, y)
    assert clf.classes_.tolist() == [0, 1]
    assert clf.score(X, clf.predict(X)) == 1


class Selects(BaseStrategy):
    """Selects what a function says."""

    def __init__(self, function):
        self.function = function

    def select(self, pool, n_queries):
        return self.function(pool)


@pytest.mark.parametrize(
    ("selected", "message"),
    [
        (lambda pool: [3, 4, 3], "the same row more than once"),
        (lambda pool: [1, 0], r"rows that are not candidates: \[0\]"),
        (lambda pool: [1, 21], r"not candidates: \[21\]"),
        (lambda pool: [-1], r"not candidates: \[-1\]"),
        (lambda pool: [1, 2, 3, 4, 5], "must return 1 to 4 row numbers"),
        (lambda pool: [], "must return 1 to 4 row numbers"),
        (lambda pool: [1.0, 2.0], "must return 1 to 4 row numbers"),
        (lambda pool: [[1], [2]], "must return 1 to 4 row numbers"),
        (lambda pool: None, "must return 1 to 4 row numbers"),
        (lambda pool: ([1, 2], [0.5, 0.5]), r"return Selection\(rows, prob"),
        (lambda pool: ([1, 2], None), r"return Selection\(rows, probabilities"),
        (lambda pool: Selection([1, 0]), r"rows that are not candidates: \[0\]"),
        (lambda pool: pool.candidates == 4, "must return 1 to 4 row numbers"),
        (lambda pool: Selection([1, 2], probabilities=[0.5]), "one probability"),
        (lambda pool: Selection([1, 2], probabilities=[0.5, 0.0]), "one probability"),
        (
            lambda pool: Selection([1, 2], probabilities=[0.5, np.nan]),
            "one probability",
        ),
    ],
)
def test_t66_rows_that_cannot_be_asked_are_refused_before_payment(
    X, y, make_clf, logging_oracle, selected, message
):
    oracle = logging_oracle()
    with pytest.raises(ValueError, match=f"Selects.select .*{message}"):
        make_clf(oracle, strategy=Selects(selected)).fit(X, y)
    assert oracle.n_calls == 0


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (lambda pool: np.zeros(3), r"expected shape \(19,\), got \(3,\)"),
        (lambda pool: np.zeros((19, 1)), r"expected shape \(19,\), got \(19, 1\)"),
        (lambda pool: np.zeros(21), r"expected shape \(19,\), got \(21,\)"),
        (lambda pool: None, r"expected shape \(19,\), got \(\)"),
        (lambda pool: one_nan(np.zeros(19)), "returned NaN, for row 4 of X"),
        (lambda pool: ["a"] * 19, "must return numbers"),
    ],
)
def test_t66_utilities_that_are_none_are_refused_before_payment(
    X, y, make_clf, logging_oracle, scores, message
):
    oracle = logging_oracle()
    with pytest.raises(ValueError, match=message):
        make_clf(oracle, strategy=scores).fit(X, y)
    assert oracle.n_calls == 0


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"strategy": "margn"}, ValueError, "Did you mean 'margin'"),
        ({"strategy": MarginSampling}, TypeError, r"pass an object of it, Margin"),
        ({"initial_strategy": "k_mean"}, ValueError, "Did you mean 'k_means'"),
        ({"initial_strategy": "entropy"}, ValueError, "must not need a model"),
        ({"stopping": "whenever"}, ValueError, "no stopping criterion .*'whenever'"),
        ({"stopping": FunctionCriterion}, TypeError, "pass an object of it"),
        ({"batch_size": 0}, ValueError, "'batch_size' parameter"),
        ({"holdout_fraction": 1.0}, ValueError, "'holdout_fraction' parameter"),
        ({"unlabeled": "drop"}, ValueError, "'unlabeled' parameter"),
        ({"classes": [0, 0, 1]}, ValueError, "classes must be unique"),
        ({"classes": [0, 2]}, ValueError, r"labels \[1\], which are not among"),
        ({"classes": []}, ValueError, "non-empty"),
    ],
)
def test_parameters_are_checked_before_payment(
    X, y, make_clf, logging_oracle, params, error, message
):
    oracle = logging_oracle()
    with pytest.raises(error, match=message):
        make_clf(oracle, **params).fit(X, y)
    assert oracle.n_calls == 0


@pytest.mark.parametrize(
    ("oracle", "error", "message"),
    [
        (lambda X, sample_ids: 1, ValueError, r"sample_ids=np.arange\(n_samples\)"),
        (lambda X, budget: 1, TypeError, "requires the parameter 'budget'"),
        (lambda X, *, unit: 1, TypeError, "requires the parameter 'unit'"),
        (lambda: 1, TypeError, "takes no rows"),
        (lambda *, X: 1, TypeError, "takes no rows"),
        (lambda **kwargs: 1, TypeError, "takes no rows"),
        (LogisticRegression, TypeError, "is the class LogisticRegression"),
        (7, ValueError, "'oracle' parameter"),
    ],
)
def test_an_oracle_that_cannot_be_called_is_refused_before_payment(
    X, y, make_clf, oracle, error, message
):
    clf = make_clf(oracle)
    with pytest.raises(error, match=message):
        clf.fit(X, y)
    assert getattr(clf, "n_queries_", 0) == 0


class Booster(GaussianNB):
    """Takes classes 0, 1, ... only."""

    def fit(self, X, y):
        found = np.unique(y)
        if found.tolist() != list(range(len(found))):
            raise ValueError(f"Invalid classes {found}")
        return super().fit(X, y)


@pytest.mark.parametrize("classes", [[0, 1, 2, 3, 4], [0, 2, 3, 7, 9], [*"abcde"]])
@pytest.mark.parametrize("seed", range(3))
def test_t76_a_booster_that_wants_codes_is_asked_and_answers_in_labels(classes, seed):
    X = np.random.default_rng(seed).normal(size=(100, 2)) + np.arange(100)[:, None] % 5
    truth = np.array(classes)[np.arange(100) % 5]
    clf = ActiveLearningClassifier(
        Booster(),
        oracle=lambda X, sample_ids: truth[sample_ids],
        strategy="bald",
        committee=4,
        batch_size=5,
        budget=20,
        missing_label=None,
        random_state=seed,
    )
    clf.fit(X, np.full(100, None), sample_ids=np.arange(100))
    assert clf.classes_.tolist() == np.unique(truth[clf.query_indices_]).tolist()
    assert set(clf.predict(X)) <= set(classes)
    assert clf.score(X, truth) == np.mean(clf.predict(X) == truth) > 0.3
