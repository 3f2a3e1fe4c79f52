"""Training dynamics: worked values, definitions by loops, boosting and epochs."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.ensemble import (
    AdaBoostClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Perceptron, SGDClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearningClassifier, testing
from skactive.acquisition import LabelDispersionSampling
from skactive.acquisition._base import select_queries, utilities
from skactive.acquisition.functional import (
    forgetting_events,
    label_dispersion,
    training_correctness,
    unforgettable,
)
from skactive.oracles import SimulatedOracle
from skactive.testing import check_strategy

BY_EPOCHS = [
    SGDClassifier(class_weight="balanced"),
    Perceptron(),
    GaussianNB(),
    MLPClassifier(4, max_iter=400, tol=0.1, random_state=0),
    OneVsRestClassifier(SGDClassifier()),
]
BY_STAGES = [
    AdaBoostClassifier(n_estimators=8, random_state=0),
    GradientBoostingClassifier(n_estimators=8, random_state=0),
    HistGradientBoostingClassifier(max_iter=5, min_samples_leaf=3, random_state=0),
]
steps = arrays(
    int, st.tuples(st.integers(1, 8), st.integers(1, 6)), elements=st.integers(0, 3)
)


def make_pool(estimator, n_classes=3, block_size=None, labels=None, **params):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    truth = np.digitize(X[:, 0], np.linspace(-1, 1, n_classes + 1)[1:-1])
    labeled = np.isin(np.arange(200), rng.choice(200, 60, replace=False))
    y = np.where(labeled, truth, -1)
    if labels is not None:
        y = np.where(labeled, np.array(labels, dtype=object)[truth], None)
    return testing.make_pool(
        X,
        y,
        labeled,
        np.flatnonzero(~labeled),
        estimator=estimator,
        block_size=block_size,
        random_state=5,
        **params,
    )


def test_dispersion_has_the_worked_values():
    assert label_dispersion([[0, 1], [0, 2], [1, 1], [0, 2]]).tolist() == [0.25, 0.5]


def test_dispersion_of_labels_that_are_text():
    labels = np.array([["b", "a"], ["b", "b"], ["a", "c"]], dtype=object)
    np.testing.assert_allclose(label_dispersion(labels), [1 / 3, 2 / 3])


@given(steps)
@settings(max_examples=40, deadline=None)
def test_dispersion_equals_its_definition(labels):
    for column, score in zip(labels.T.tolist(), label_dispersion(labels), strict=True):
        most = max(column.count(label) for label in column)
        assert score == pytest.approx(1 - most / len(column), abs=1e-12)


@given(steps, st.randoms(use_true_random=False))
@settings(max_examples=20, deadline=None)
def test_dispersion_does_not_depend_on_order_or_on_names(labels, random):
    order = list(range(len(labels)))
    random.shuffle(order)
    renamed = np.array([7, 1, 100, -3])[labels]
    assert (
        label_dispersion(renamed[order]).tolist() == label_dispersion(labels).tolist()
    )


def test_forgetting_has_the_worked_values():
    correct = np.array([[0, 1, 0, 1, 1], [1, 0, 1, 0, 0], [0] * 5, [0, 0, 1, 1, 1]]).T
    assert forgetting_events(correct).tolist() == [1, 2, np.inf, 0]
    assert unforgettable(correct).tolist() == [False, False, False, True]


@given(steps)
@settings(max_examples=40, deadline=None)
def test_forgetting_equals_its_definition(values):
    correct = values > 1
    for column, events in zip(correct.T, forgetting_events(correct), strict=True):
        lost = sum(a and not b for a, b in itertools.pairwise(column))
        expected = lost if any(column) else np.inf
        assert events == expected


@pytest.mark.parametrize("function", [label_dispersion, forgetting_events])
@pytest.mark.parametrize("wrong", [[0, 1], np.empty((0, 3))])
def test_arrays_of_another_shape_are_refused(function, wrong):
    with pytest.raises(ValueError, match="n_steps, n_samples"):
        function(wrong)


@pytest.mark.parametrize(
    "estimator",
    [
        BY_EPOCHS[0],
        BY_STAGES[0],
        *(
            pytest.param(estimator, marks=pytest.mark.slow)
            for estimator in (*BY_EPOCHS[1:], *BY_STAGES[1:])
        ),
    ],
)
def test_every_way_of_training_in_steps_keeps_the_contract(estimator):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # few epochs
        check_strategy(LabelDispersionSampling(n_epochs=2), estimator)


@pytest.mark.parametrize("block_size", [None, 17])
@pytest.mark.parametrize("estimator", BY_STAGES)
def test_the_steps_of_boosting_are_its_stages(estimator, block_size):
    pool = make_pool(estimator, block_size=block_size)
    staged = np.array(list(pool.estimator.staged_predict(pool.X[pool.candidates])))
    scores = utilities(LabelDispersionSampling(), pool)
    assert scores.tolist() == label_dispersion(staged).tolist()


@pytest.mark.parametrize("labels", [None, ["p", "q", "r"]])
def test_the_steps_of_partial_fit_are_epochs(labels):
    pool = make_pool(Recorder(), labels=labels)
    assert pool.estimator.classes_.tolist() == pool.classes.tolist()
    Recorder.calls.clear()
    scores = LabelDispersionSampling(n_epochs=5).utility(pool)
    fits = [rows for name, rows in Recorder.calls if name == "partial_fit"]
    labelled = pool.X[pool.labeled]
    assert len(fits) == 5
    for rows in fits:
        np.testing.assert_array_equal(np.sort(rows, axis=0), np.sort(labelled, axis=0))
    assert not np.array_equal(fits[0], fits[1])
    predicted = [rows for name, rows in Recorder.calls if name == "predict"]
    assert sum(map(len, predicted)) == 5 * len(pool)
    # The first, third and fifth epoch give the first class, the others the second.
    np.testing.assert_allclose(scores, 0.4)


class Recorder(GaussianNB):
    """Predicts the first class after odd epochs and the second after even ones."""

    calls = []

    def fit(self, X, y):
        self.classes_, self.n_epochs_ = np.unique(y), 0
        return self

    def partial_fit(self, X, y, classes):
        self.classes_ = classes
        self.n_epochs_ = getattr(self, "n_epochs_", 0) + 1
        self.calls.append(("partial_fit", X))
        return self

    def predict(self, X):
        self.calls.append(("predict", X))
        return np.repeat(self.classes_[1 - self.n_epochs_ % 2], len(X))


def test_every_epoch_starts_from_what_was_learnt_before():
    pool = make_pool(SGDClassifier(random_state=0))
    X, y = pool.X[pool.labeled], pool.y[pool.labeled]
    steady = label_dispersion(
        [GaussianNB().fit(X, y).predict(pool.X[pool.candidates])] * 4
    )
    scores = LabelDispersionSampling(4).utility(make_pool(GaussianNB()))
    assert scores.tolist() == steady.tolist() == [0.0] * len(pool)
    assert LabelDispersionSampling(4).utility(pool).max() > 0


def test_blocks_do_not_change_the_dispersion_of_epochs():
    whole, blocks = (
        LabelDispersionSampling(6).utility(make_pool(SGDClassifier(), block_size=size))
        for size in (None, 9)
    )
    assert whole.tolist() == blocks.tolist()


@pytest.mark.parametrize("n_classes", [2, 10])
@pytest.mark.parametrize("n_queries", [1, 10, 100, 140])
def test_as_many_candidates_as_wanted_are_selected(n_queries, n_classes):
    pool = make_pool(SGDClassifier(), n_classes)
    rows = select_queries(LabelDispersionSampling(3), pool, n_queries).rows
    assert len(set(rows.tolist())) == n_queries
    assert np.isin(rows, pool.candidates).all()


@pytest.mark.parametrize("last", [SGDClassifier(), BY_STAGES[0]])
def test_the_last_step_of_a_pipeline_counts(last):
    nested = Pipeline([("a", StandardScaler()), ("b", make_pipeline(last))])
    flat = make_pipeline(StandardScaler(), last)
    pools = [make_pool(estimator) for estimator in (nested, flat)]
    scores = [LabelDispersionSampling(5).utility(pool) for pool in pools]
    assert scores[0].tolist() == scores[1].tolist()
    assert scores[0].max() > 0
    # The same as without a Pipeline, on the output of its first step.
    scaler = pools[1].estimator[0]
    X, y = scaler.transform(pools[1].X), pools[1].y
    plain = testing.make_pool(X, y, estimator=last, random_state=5)
    assert LabelDispersionSampling(5).utility(plain).tolist() == scores[0].tolist()


@pytest.mark.parametrize("name", ["sample_weight", "sgdclassifier__sample_weight"])
def test_partial_fit_gets_the_weights_of_the_labelled_rows(name):
    weight = np.linspace(0, 1, 200) ** 4
    model = SGDClassifier(learning_rate="constant", eta0=0.1)
    if "__" in name:
        model = make_pipeline(model)
    ones = np.where(make_pool(model).labeled, 1.0, 9.0)
    weighted, equal, plain = (
        LabelDispersionSampling(5).utility(make_pool(model, fit_params=params))
        for params in ({name: weight}, {name: ones}, {})
    )
    assert weighted.tolist() != plain.tolist() == equal.tolist()


def test_options_that_partial_fit_refuses_are_taken_away():
    model = SGDClassifier(class_weight="balanced", early_stopping=True)
    scores = LabelDispersionSampling(3).utility(make_pool(model))
    weights = {
        k: 60 / 3 / n for k, n in enumerate(np.bincount(make_pool(model).y + 1)[1:])
    }
    plain = SGDClassifier(class_weight=weights)
    assert (
        scores.tolist() == LabelDispersionSampling(3).utility(make_pool(plain)).tolist()
    )


@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), make_pipeline(RandomForestClassifier())]
)
def test_a_classifier_without_steps_is_refused_before_anything_is_paid(estimator):
    asked = []
    clf = ActiveLearningClassifier(
        estimator, oracle=asked.append, strategy="label_dispersion"
    )
    with pytest.raises(ValueError, match=r"staged_predict or partial_fit.*margin"):
        clf.fit(np.arange(6.0)[:, None], [0, 1, -1, -1, -1, -1])
    assert asked == []


def test_it_works_on_raw_text():
    texts = [f"{a} {b}" for a in "good bad fine poor odd".split() for b in "abcdefgh"]
    truth = np.repeat(["yes", "no", "yes", "no", "yes"], 8).astype(object)
    y = np.where(np.arange(40) % 8 == 0, truth, None)
    clf = ActiveLearningClassifier(
        make_pipeline(TfidfVectorizer(token_pattern=r"\w+"), SGDClassifier()),
        oracle=SimulatedOracle(truth),
        strategy="label_dispersion",
        missing_label=None,
        batch_size=5,
        budget=10,
        random_state=0,
    )
    assert clf.fit(texts, y, sample_ids=np.arange(40)).n_queries_ == 10


@pytest.mark.parametrize("estimator", BY_STAGES)
def test_correctness_of_boosting_is_that_of_its_stages(estimator):
    pool = make_pool(estimator)
    X, y = pool.X[pool.labeled], pool.y[pool.labeled]
    correct = training_correctness(estimator, X, y, random_state=0)
    assert correct.shape == (len(list(pool.estimator.staged_predict(X))), 60)
    assert correct.dtype == bool
    assert correct[-1].mean() == pytest.approx(pool.estimator.score(X, y), abs=0.1)


@pytest.mark.parametrize("wrap", [lambda model: model, make_pipeline])
def test_correctness_by_epochs(wrap):
    pool = make_pool(Recorder())
    X, y = pool.X[pool.labeled], pool.y[pool.labeled]
    correct = training_correctness(wrap(Recorder()), X, y, n_epochs=3)
    np.testing.assert_array_equal(correct, [y == 0, y == 1, y == 0])
    # Class 0 is lost once, class 1 too, class 2 is never learnt.
    assert forgetting_events(correct).tolist() == np.array([1, 1, np.inf])[y].tolist()


def test_correctness_behind_a_vectorizer_is_seeded():
    texts, y = ["a b", "a c", "d e", "d f"] * 5, [0, 0, 1, 1] * 5
    model = make_pipeline(TfidfVectorizer(token_pattern=r"\w+"), SGDClassifier())
    first, second = (
        training_correctness(model, texts, y, n_epochs=6, random_state=0)
        for _ in range(2)
    )
    assert first.tolist() == second.tolist()
    assert first[-1].all()
    assert not hasattr(model[-1], "coef_")


def test_correctness_of_a_classifier_without_steps_is_an_error():
    with pytest.raises(ValueError, match="staged_predict or partial_fit"):
        training_correctness(LogisticRegression(), [[0.0], [1.0]], [0, 1])
