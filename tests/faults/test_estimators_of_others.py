"""Estimators that show late what they can, and Pipelines with samplers: T77, T78."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import entropy
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin, clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    BaggingClassifier,
    StackingClassifier,
    StackingRegressor,
    VotingClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LinearRegression, LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.metaestimators import available_if

from skactive import ActiveLearningClassifier, CommitteeClassifier, PseudoLabels
from skactive.acquisition import ExpectedErrorReductionSampling, LossPredictionSampling
from skactive.acquisition.functional import training_correctness
from skactive.exceptions import ActiveLearningError
from skactive.testing import make_pool

X, truth = make_classification(
    80, 5, n_informative=4, n_redundant=0, n_classes=3, n_clusters_per_class=1,
    random_state=1,
)  # fmt: skip
y = np.where(np.arange(80) < 20, truth, -1)
NOTHING = np.full(80, -1)
IDS = np.arange(80)


class Oracle:
    """Answers, and counts its calls."""

    n_calls = 0

    def __call__(self, X, sample_ids):
        self.n_calls += 1
        return truth[sample_ids]


def learner(estimator, oracle=None, **params):
    defaults = {"batch_size": 6, "budget": 12, "random_state": 0}
    return ActiveLearningClassifier(
        estimator, oracle=oracle or Oracle(), **defaults | params
    )


def asked(estimator, labels=y, rows=X, **params):
    clf = learner(estimator, **params).fit(rows, labels, sample_ids=IDS)
    assert clf.classes_.tolist() == [0, 1, 2]
    assert set(clf.predict(rows)) <= {0, 1, 2}
    return clf.query_indices_.tolist()


def stack(final=None):
    members = [
        ("bayes", GaussianNB()),
        ("tree", DecisionTreeClassifier(max_depth=3, random_state=0)),
    ]
    return StackingClassifier(members, final, cv=2)


class Late(ClassifierMixin, BaseEstimator):
    """Has no method but `fit` before it is fitted, and maybe afterwards."""

    def __init__(self, has_proba=True):
        self.has_proba = has_proba

    def fit(self, X, y):
        self.model_ = GaussianNB().fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    @available_if(lambda self: hasattr(self, "model_"))
    def predict(self, X):
        return self.model_.predict(X)

    @available_if(lambda self: hasattr(self, "model_") and self.has_proba)
    def predict_proba(self, X):
        return self.model_.predict_proba(X)


class LateOfThirty(Late):
    """Can be fitted on thirty features only, so that nothing is known before."""

    def fit(self, X, y):
        if X.shape[1] < 30:
            raise ValueError("I want thirty features.")
        return super().fit(X, y)


# T77: methods that come with the fit


@pytest.mark.parametrize("labels", [y, NOTHING], ids=["warm", "cold"])
@pytest.mark.parametrize("strategy", ["margin", "bald", "auto"])
@pytest.mark.parametrize(
    "estimator",
    [
        stack(),
        make_pipeline(StandardScaler(), stack()),
        GridSearchCV(stack(), {"bayes__var_smoothing": [1e-9, 1e-2]}, cv=2),
        Late(),
    ],
    ids=["stack", "pipeline", "search", "late"],
)
def test_t77_methods_that_come_with_fit_are_taken(estimator, strategy, labels):
    params = {"committee": 2} if strategy == "bald" else {}
    rows = asked(estimator, labels, strategy=strategy, initial_size=6, **params)
    assert len(set(rows)) == 12


@pytest.mark.parametrize(
    "committee",
    [
        [("late", Late()), ("stack", stack())],
        stack(),
        CommitteeClassifier(Late(), 2),
    ],
    ids=["list", "stack", "clones"],
)
def test_t77_members_of_committees_may_show_late_what_they_can(committee):
    assert asked(GaussianNB(), strategy="bald", committee=committee)
    assert asked(GaussianNB(), strategy="vote_entropy", committee=committee)


def test_t77_pseudo_labels_criteria_and_regressors_may_come_late():
    assert asked(Late(), unlabeled=PseudoLabels(0.5))
    assert asked(Late(), stopping="min_expected_error")
    regressor = StackingRegressor([("linear", LinearRegression())], cv=2)
    assert asked(GaussianNB(), strategy=LossPredictionSampling(regressor))


@pytest.mark.parametrize("labels", [y, NOTHING], ids=["warm", "cold"])
@pytest.mark.parametrize(
    "estimator",
    [
        LinearSVC(),
        SVC(),
        SGDClassifier(),
        make_pipeline(StandardScaler(), SVC()),
        GridSearchCV(SVC(), {"C": [1, 2]}),
        Late(has_proba=False),
    ],
    ids=lambda estimator: type(estimator).__name__,
)
def test_t77_what_will_certainly_be_missing_is_refused_before_payment(
    estimator, labels
):
    oracle = Oracle()
    clf = learner(estimator, oracle, strategy="bald")
    with pytest.raises(ValueError, match=r"BALDSampling needs .* with predict_proba"):
        clf.fit(X, labels, sample_ids=IDS)
    clf = learner(estimator, oracle, unlabeled=PseudoLabels())
    with pytest.raises(ValueError, match="estimator needs predict_proba"):
        clf.fit(X, labels, sample_ids=IDS)
    assert oracle.n_calls == 0


@pytest.mark.parametrize(
    "wrong", [StandardScaler(), GridSearchCV(SVC(), {}, refit=False)]
)
def test_t77_an_estimator_that_never_predicts_is_refused_before_payment(wrong):
    oracle = Oracle()
    for clf in (learner(wrong, oracle), learner(SVC(), oracle, committee=wrong)):
        with pytest.raises(ValueError, match="implementing 'fit' and 'predict'"):
            clf.fit(X, NOTHING, sample_ids=IDS)
    assert oracle.n_calls == 0


def test_t77_what_is_missing_after_a_fit_is_said_before_payment_or_with_labels():
    rows, oracle = np.hstack([X] * 6), Oracle()
    clf = learner(LateOfThirty(has_proba=False), oracle)
    clf.set_params(strategy=lambda pool: -pool.proba.max(axis=1))
    with pytest.raises(ValueError, match="LateOfThirty is fitted now and has no pred"):
        clf.fit(rows, y, sample_ids=IDS)
    assert oracle.n_calls == 0
    with pytest.raises(ActiveLearningError, match="has no predict_proba") as caught:
        clf.fit(rows, NOTHING, sample_ids=IDS)
    assert len(caught.value.labels) == clf.n_queries_ == 6
    assert len(asked(LateOfThirty(), NOTHING, rows, strategy="margin")) == 12


# T78: samplers


class Doubler(BaseEstimator):
    """A sampler that learns every row twice."""

    def fit(self, X, y):
        return self

    def fit_resample(self, X, y):
        self.n_rows_ = len(y)
        return np.concatenate([X, X]), np.concatenate([y, y])


class SamplingPipeline(Pipeline):
    """Does as that of imbalanced-learn: samplers act in `fit` alone."""

    def fit(self, X, y=None, **params):
        for name, step in self.steps[:-1]:
            step = clone(step)
            self.steps[[n for n, _ in self.steps].index(name)] = (name, step)
            if hasattr(step, "fit_resample"):
                X, y = step.fit_resample(X, y)
            else:
                X = step.fit_transform(X, y)
        self.steps[-1][1].fit(X, y, **params)
        return self

    def _iter(self, with_final=True, filter_passthrough=True):
        for number, name, step in super()._iter(with_final, filter_passthrough):
            if not hasattr(step, "fit_resample"):
                yield number, name, step


def sampling(last, sampler=None):
    steps = [("scaler", StandardScaler()), ("sampler", sampler or Doubler())]
    return SamplingPipeline([*steps, ("last", last)])


EMBEDDING = [
    "auto", "k_center", "badge", "bait", "density", "typiclust", "quire",
    "expected_gradient_length", "facility_location",
]  # fmt: skip


@pytest.mark.parametrize("labels", [y, NOTHING], ids=["warm", "cold"])
@pytest.mark.parametrize("strategy", EMBEDDING)
def test_t78_samplers_have_no_part_in_transforming(strategy, labels):
    rows = asked(sampling(LogisticRegression()), labels, strategy=strategy)
    assert len(set(rows)) == 12


@pytest.mark.parametrize("labels", [y, NOTHING], ids=["warm", "cold"])
@pytest.mark.parametrize("strategy", ["k_center", "typiclust", "facility_location"])
def test_t78_where_the_embedding_decides_a_sampler_changes_no_choice(strategy, labels):
    plain = make_pipeline(StandardScaler(), LogisticRegression())
    params = {"strategy": strategy, "initial_size": 6}
    with_sampler = asked(sampling(LogisticRegression()), labels, **params)
    assert with_sampler == asked(plain, labels, **params)


def test_t78_members_behind_a_sampler_are_those_of_the_ensemble():
    assert asked(sampling(stack()), strategy="bald")
    assert asked(sampling(GaussianNB()), strategy="bald", committee=3)


def test_t78_training_is_followed_on_the_rows_that_a_sampler_makes():
    assert asked(sampling(SGDClassifier(random_state=0)), strategy="label_dispersion")
    seen = []

    class Watched(GaussianNB):
        def partial_fit(self, X, y, classes=None, sample_weight=None):
            seen.append(len(y))
            return super().partial_fit(X, y, classes)

    correct = training_correctness(sampling(Watched()), X, truth, n_epochs=2)
    assert correct.shape == (2, 80)
    assert seen == [160, 160]


def test_t78_one_more_label_is_resampled_too():
    labeled = y >= 0
    pool = make_pool(X, y, labeled, np.arange(20, 26), estimator=sampling(GaussianNB()))
    scaled = StandardScaler().fit(X[labeled]).transform(X)
    for approximation in (None, "last_step", "newton"):
        reduction = ExpectedErrorReductionSampling(approximation=approximation)
        rows = X if approximation is None else scaled
        expected = []
        for row, proba in zip(pool.candidates, pool.proba, strict=True):
            learnt = np.append(np.flatnonzero(labeled), row)
            steps = make_pipeline(StandardScaler(), GaussianNB())
            model = steps if approximation is None else GaussianNB()
            after = [
                clone(model)
                .fit(np.tile(rows[learnt], (2, 1)), np.tile([*truth[:20], k], 2))
                .predict_proba(rows[~labeled])
                for k in range(3)
            ]
            expected.append(-proba @ entropy(after, axis=2).mean(axis=1))
        np.testing.assert_allclose(reduction.utility(pool), expected, atol=1e-10)


# T78: a row may not vanish


class Trimmer(TransformerMixin, BaseEstimator):
    """Drops rows that are far out."""

    def __init__(self, most=1.0):
        self.most = most

    def fit(self, X, y=None):
        self.is_fitted_ = True
        return self

    def transform(self, X):
        return X[np.abs(X).max(axis=1) < self.most]


class TrimmingPipeline(SamplingPipeline):
    """Trims the labels beside the rows, as feature_engine's does in `fit`."""

    def fit(self, X, y=None, **params):
        keep = np.abs(X).max(axis=1) < self.steps[0][1].most
        return super().fit(X[keep], y if y is None else np.asarray(y)[keep], **params)


@pytest.mark.parametrize("labels", [y, NOTHING], ids=["warm", "cold"])
@pytest.mark.parametrize("strategy", ["margin", "k_center", "random"])
@pytest.mark.parametrize(
    "step", [Trimmer(2.5), FunctionTransformer(lambda X: X[X[:, 0] < 1])]
)
def test_t78_a_step_that_drops_rows_is_named_before_payment(step, strategy, labels):
    oracle = Oracle()
    estimator = Pipeline([("trim", step), ("last", GaussianNB())])
    for model in (estimator, GridSearchCV(estimator, {}, cv=2)):
        clf = learner(model, oracle, strategy=strategy, initial_strategy="random")
        with pytest.raises(ValueError, match=r"The step 'trim' .* makes \d+ rows of"):
            clf.fit(X, labels, sample_ids=IDS)
    assert oracle.n_calls == 0


@pytest.mark.parametrize("labels", [y, NOTHING], ids=["warm", "cold"])
def test_steps_that_drop_rows_are_found_within_other_estimators(labels):
    oracle, last = Oracle(), GaussianNB()
    trimming = Pipeline([("trim", Trimmer(2.5)), ("last", last)])
    nested = make_pipeline(StandardScaler(), Pipeline([("in", trimming)]))
    members = [("one", trimming), ("other", last)]
    for model, params in [
        (nested, {}),
        (make_pipeline(StandardScaler(), StandardScaler(), trimming), {}),
        (VotingClassifier(members, voting="soft"), {}),
        (BaggingClassifier(trimming), {}),
        (last, {"strategy": "vote_entropy", "committee": members}),
    ]:
        with pytest.raises(ValueError, match=r"The step 'trim' .* makes \d+ rows of"):
            learner(model, oracle, **params).fit(X, labels, sample_ids=IDS)
    assert oracle.n_calls == 0
    assert len(asked(last, committee=members)) == 12  # it is not used


@pytest.mark.parametrize("labels", [y, NOTHING], ids=["warm", "cold"])
def test_texts_in_a_table_are_told_from_a_column_of_texts(labels):
    words = pd.DataFrame({"text": [f"word{number}" for number in range(80)]})
    oracle, model = Oracle(), make_pipeline(TfidfVectorizer(), LogisticRegression())
    with pytest.raises(ValueError, match=r"makes 1 rows of 80 .* such as X\['text'\]"):
        learner(model, oracle).fit(words, labels, sample_ids=IDS)
    assert oracle.n_calls == 0
    assert len(asked(model, labels, words["text"])) == 12


@pytest.mark.parametrize("labels", [y, NOTHING], ids=["warm", "cold"])
def test_a_column_in_which_a_text_is_missing_is_named(labels):
    words = pd.DataFrame({"text": [f"word{number}" for number in range(80)]})
    words.loc[7, "text"] = None
    by_column = make_column_transformer((TfidfVectorizer(), "text"))
    oracle, model = Oracle(), make_pipeline(by_column, LogisticRegression())
    with pytest.raises(ValueError, match=r"column 'text' .* row 7 .*fillna\(''\)"):
        learner(model, oracle).fit(words, labels, sample_ids=IDS)
    assert oracle.n_calls == 0


def test_t78_a_row_that_vanishes_later_is_found_in_the_prediction():
    # Not one of the rows that the step is tried on.
    n, oracle = 1001, Oracle()
    rows = np.random.default_rng(0).uniform(-1, 1, size=(n, 2))
    tried = np.linspace(0, n - 1, 200).astype(int)
    rows[np.setdiff1d(np.arange(n), tried)[[300, 400]]] = 9
    labels = np.where(np.arange(n) < 20, rows[:, 0] > 0, -1)
    for strategy in ("margin", "k_center", "vote_entropy"):
        model = TrimmingPipeline([("trim", Trimmer(5.0)), ("last", GaussianNB())])
        clf = learner(model, oracle, strategy=strategy)
        with pytest.raises(ValueError, match=r"The step 'trim' .* makes .* rows of"):
            clf.fit(rows, labels, sample_ids=np.arange(n))
    assert oracle.n_calls == 0


def test_t78_a_step_of_others_that_keeps_its_rows_is_welcome():
    assert asked(make_pipeline(Trimmer(1e9), GaussianNB()), NOTHING)
