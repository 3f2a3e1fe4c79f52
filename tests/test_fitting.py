"""Every fit of a classifier: on labels, or on codes if it refuses them."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, TransformerMixin
from sklearn.datasets import make_classification
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearningClassifier, CommitteeClassifier, PseudoLabels
from skactive._models.fitting import FitMemory, fit_classifier
from skactive._models.label_codes import CodedClassifier
from skactive.acquisition.functional import out_of_fold_losses, training_correctness
from skactive.exceptions import ActiveLearningError
from skactive.oracles import SimulatedOracle

X, CODES = make_classification(
    120, 8, n_informative=5, n_classes=3, n_clusters_per_class=1, random_state=0
)
TEXTS = np.array(["a", "b", "c"], dtype=object)[CODES]
GAPS = np.array([1, 3, 7])[CODES]


def refuse_other_than_codes(y):
    found = np.unique(y)
    if found.dtype.kind not in "iu" or found.tolist() != list(range(len(found))):
        raise ValueError(f"Expected: {list(range(len(found)))}, got {found.tolist()}")


class Bayes(GaussianNB):
    """It wants codes, as boosters do, and notes the kind of the labels of each fit."""

    log = []

    def fit(self, X, y, sample_weight=None):
        self.log.append(np.asarray(y).dtype.kind)
        refuse_other_than_codes(y)
        return super().fit(X, y, sample_weight)


class Tree(DecisionTreeClassifier):
    def fit(self, X, y, sample_weight=None):
        refuse_other_than_codes(y)
        return super().fit(X, y, sample_weight)


class Steps(SGDClassifier):
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        refuse_other_than_codes(classes)
        return super().partial_fit(X, y, classes, sample_weight)


class WithoutClasses(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.model_ = GaussianNB().fit(X, y)
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


def run(estimator, y=TEXTS, *, n_labels=18, n_rows=120, **params):
    y = y[:n_rows]
    marker = None if y.dtype == object else -1
    partly = y.copy()
    partly[n_labels:] = marker
    clf = ActiveLearningClassifier(
        estimator,
        oracle=lambda X, sample_ids: y[sample_ids],
        missing_label=marker,
        random_state=0,
        **{"batch_size": 3, "budget": 6} | params,
    )
    return clf.fit(X[:n_rows], partly, sample_ids=np.arange(n_rows))


@pytest.fixture
def log():
    Bayes.log.clear()
    return Bayes.log


def test_what_takes_the_labels_is_fitted_once_and_stays_the_plain_object():
    model = LogisticRegression()
    assert fit_classifier(model, X, TEXTS, memory=FitMemory()) is model
    assert model.classes_.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize("y", [TEXTS, GAPS, CODES - 1, CODES + 0.5], ids=repr)
def test_what_refuses_the_labels_gets_codes_and_answers_in_the_labels(y):
    model = fit_classifier(Bayes(), X, y, memory=FitMemory())
    assert model.classes_.tolist() == np.unique(y).tolist()
    assert set(model.predict(X)) <= set(y)
    assert model.score(X, y) == GaussianNB().fit(X, CODES).score(X, CODES)
    assert isinstance(model.estimator_, Bayes)


def test_codes_are_never_tried_twice(log):
    with pytest.raises(ValueError, match="sample_weight"):
        fit_classifier(Bayes(), X, CODES, {"sample_weight": [1.0]})
    assert log == ["i"]


def test_that_labels_are_refused_is_found_once_in_a_run(log):
    run(Bayes(), committee=3, strategy="bald")
    assert log[:2] == ["O", "i"]
    assert set(log[2:]) == {"i"}


def test_the_first_error_is_raised_if_codes_fail_too():
    class Never(GaussianNB):
        def fit(self, X, y):
            raise RuntimeError(f"no {np.asarray(y).dtype.kind}")

    with pytest.raises(RuntimeError, match="no O") as caught:
        fit_classifier(Never(), X, TEXTS)
    assert "codes 0, 1, ..." in caught.value.__notes__[0]
    assert "no i" in caught.value.__notes__[0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("class_weight", {"a": 2.0}),
        ("pos_label", "b"),
        ("sampling_strategy", ["c"]),
        ("eval_set", [(X, TEXTS)]),
    ],
)
def test_codes_are_not_tried_where_a_parameter_names_labels(name, value):
    class Weighted(Bayes):
        def fit(self, X, y, **params):
            return super().fit(X, y)

    with pytest.raises(ValueError, match="Expected") as caught:
        fit_classifier(Weighted(), X, TEXTS, {name: value})
    assert name in caught.value.__notes__[0]


def test_a_parameter_that_names_no_label_hinders_nothing():
    class Weighted(Tree):
        pass

    model = fit_classifier(Weighted(class_weight="balanced"), X, TEXTS)
    assert model.classes_.tolist() == ["a", "b", "c"]


def test_class_weight_of_what_takes_the_labels_stays_in_the_labels():
    y, weights = CODES + 1, {1: 10.0, 2: 1.0, 3: 1.0}
    clf = run(DecisionTreeClassifier(class_weight=weights, random_state=0), y)
    known = clf.labeled_iter_ >= 0
    plain = DecisionTreeClassifier(class_weight=weights, random_state=0)
    plain.fit(X[known], y[known])
    assert type(clf.estimator_) is DecisionTreeClassifier
    assert (clf.predict(X) == plain.predict(X)).all()


def test_sample_weight_goes_with_the_codes():
    weights = np.where(CODES == 0, 5.0, 1.0)
    model = fit_classifier(Bayes(), X, TEXTS, {"sample_weight": weights})
    plain = GaussianNB().fit(X, CODES, weights)
    np.testing.assert_array_equal(model.class_prior_, plain.class_prior_)


@pytest.mark.parametrize(
    "params",
    [
        {"strategy": "margin"},
        {"strategy": "bald", "committee": 3},
        {"strategy": "vote_entropy", "committee": [("a", Bayes()), ("b", Tree())]},
        {"strategy": "expected_error_reduction", "budget": 3, "n_rows": 40},
        {"strategy": "loss_prediction"},
        {"unlabeled": PseudoLabels(0.3)},
        {"holdout_fraction": 0.5},
        {"n_labels": 0},
    ],
    ids=str,
)
@pytest.mark.parametrize("y", [TEXTS, GAPS], ids=["texts", "gaps"])
def test_the_same_rows_are_asked_as_with_codes(params, y):
    clf, expected = run(Bayes(), y, **params), run(Bayes(), CODES, **params)
    assert clf.query_indices_.tolist() == expected.query_indices_.tolist()
    assert clf.score(X, y) == expected.score(X, CODES)
    assert type(expected.estimator_) is Bayes


@pytest.mark.parametrize("strategy", ["margin", "bald", "expected_error_reduction"])
def test_rows_without_a_label_stay_minus_one(strategy):
    params = {"unlabeled": "pass", "strategy": strategy, "committee": 2}
    params |= {"budget": 3, "n_rows": 25}
    estimator = SelfTrainingClassifier(Bayes())
    clf, expected = run(estimator, **params), run(estimator, CODES, **params)
    assert clf.query_indices_.tolist() == expected.query_indices_.tolist()
    of_codes = expected.estimator_.transduction_
    assert (
        clf.estimator_.transduction_ == np.array([*"abc", -1], object)[of_codes]
    ).all()


def test_a_pipeline_is_fitted_as_a_whole_and_its_last_step_answers_in_labels():
    clf = run(make_pipeline(StandardScaler(), Bayes()), strategy="badge")
    assert clf.estimator_[-1].estimator_.classes_.tolist() == [0, 1, 2]
    assert clf.estimator_.classes_.tolist() == ["a", "b", "c"]
    assert clf.score(X, TEXTS) == np.mean(clf.predict(X) == TEXTS) > 0.5


def test_a_bootstrap_without_a_class_is_fitted_too():
    y = CODES[np.argsort(CODES != 1, kind="stable")]  # one label of the class 0
    members = CommitteeClassifier(Bayes(), 8, random_state=0)
    members.fit(X[[0, 1, 2, 60, 119]], [1, 1, 1, 0, 2])
    kinds = {type(member) for member in members.estimators_}
    assert kinds == {Bayes, CodedClassifier}
    assert members.predict_member_proba(X[: len(y)]).sum(axis=2) == pytest.approx(1)


@pytest.mark.slow
def test_n_jobs_changes_nothing_where_codes_are_needed():
    found = [
        CommitteeClassifier(Tree(), 4, random_state=0, n_jobs=n_jobs)
        .fit(X, TEXTS)
        .predict_member(X)
        for n_jobs in (1, 2)
    ]
    assert (found[0] == found[1]).all()


@pytest.mark.parametrize("steps", [(), (StandardScaler(),)])
def test_an_ensemble_that_refuses_labels_is_a_committee_of_labels(steps):
    boosting = AdaBoostClassifier(Tree(max_depth=2), n_estimators=4, random_state=0)
    boosting = make_pipeline(*steps, boosting) if steps else boosting
    clf, of_codes = (run(boosting, y, strategy="vote_entropy") for y in (TEXTS, CODES))
    votes = of_codes.committee_.predict_member(X)
    assert (clf.committee_.predict_member(X) == np.array([*"abc"])[votes]).all()
    assert clf.query_indices_.tolist() == of_codes.query_indices_.tolist()


@pytest.mark.parametrize(
    "estimator",
    [
        AdaBoostClassifier(Tree(max_depth=2), n_estimators=4, random_state=0),
        Steps(random_state=0),
    ],
)
def test_training_is_followed_on_codes(estimator):
    correct = [
        training_correctness(estimator, X, y, n_epochs=3, random_state=0)
        for y in (TEXTS, CODES)
    ]
    assert (correct[0] == correct[1]).all()


def test_training_of_what_was_fitted_on_codes_is_followed():
    class Both(Steps):
        def fit(self, X, y):
            refuse_other_than_codes(y)
            return super().fit(X, y)

    runs = [
        run(Both(random_state=0), y, strategy="label_dispersion")
        for y in (TEXTS, CODES)
    ]
    assert runs[0].query_indices_.tolist() == runs[1].query_indices_.tolist()


def test_losses_out_of_fold_are_those_of_codes():
    losses = [out_of_fold_losses(Bayes(), X, y, random_state=0) for y in (TEXTS, CODES)]
    assert losses[0].tolist() == losses[1].tolist()


class Texts(GaussianNB):
    """It makes texts of floats."""

    def fit(self, X, y):
        y = np.asarray(y)
        return super().fit(X, y.astype(str) if y.dtype.kind == "f" else y)


class Threshold(GaussianNB):
    """It predicts whether the second probability is larger, whatever the classes."""

    def predict(self, X):
        return (self.predict_proba(X)[:, 1] > 0.5).astype(int)


class HalfOfAll(Threshold):
    """It learns nothing of classes other than 0 and 1."""

    def predict_proba(self, X):
        if set(self.classes_.tolist()) == {0, 1}:
            return super().predict_proba(X)
        return np.full((len(X), 2), 0.5)


BINARY = (CODES > 0).astype(int)


class HalfAndFirst(HalfOfAll):
    """It names the first class of all rows where it has learnt nothing."""

    def predict(self, X):
        return self.classes_[(self.predict_proba(X)[:, 1] > 0.5).astype(int)]


@pytest.mark.parametrize(
    "estimator", [Texts(), Threshold(), HalfOfAll(), HalfAndFirst()]
)
@pytest.mark.parametrize(
    "classes", [[0.5, 1.5], [1, 2], [0, 2], ["n", "y"], [0.0, 1.0]]
)
def test_what_answers_in_other_labels_is_mapped(estimator, classes):
    y = np.array(classes)[BINARY]
    model = fit_classifier(estimator, X, y, memory=FitMemory())
    expected = GaussianNB().fit(X, BINARY).score(X, BINARY)
    assert np.mean(model.predict(X) == y) == expected > 0.8


class AlwaysTexts(GaussianNB):
    """It makes texts of all labels."""

    def fit(self, X, y):
        return super().fit(X, np.asarray(y).astype(str))


@pytest.mark.parametrize("classes", [[0, 1, 2], [5, 7, 12], [0.0, 1.0, 3.0]])
def test_what_always_makes_texts_of_labels_is_mapped(classes):
    y = np.array(classes)[CODES]
    clf = run(AlwaysTexts(), y, strategy="bald", committee=3, n_labels=30)
    assert clf.classes_.tolist() == classes
    assert clf.score(X, y) == np.mean(clf.predict(X) == y) > 0.7


def test_texts_of_codes_in_another_order_are_refused():
    y = np.arange(120) % 11  # as a text, "10" comes before "2"
    with pytest.raises(ValueError, match=r"has the classes_ \['0', '1', '10'"):
        fit_classifier(AlwaysTexts(), X, y)


class Strange(GaussianNB):
    def fit(self, X, y):
        super().fit(X, y)
        self.classes_ = np.array(["x", "y", "z"])
        return self


class Zeros(GaussianNB):
    def predict(self, X):
        return np.zeros(len(X), dtype=int)


@pytest.mark.parametrize(
    ("estimator", "cause"),
    [(Strange(), r"has the classes_ \['x', 'y', 'z'\]"), (Zeros(), r"predicts \[0\]")],
)
def test_what_always_answers_in_other_labels_is_refused_with_the_one_cause(
    estimator, cause
):
    with pytest.raises(ValueError, match=cause) as caught:
        run(estimator)
    assert "initial_size" not in str(
        [caught.value, *getattr(caught.value, "__notes__", [])]
    )
    with pytest.raises(ActiveLearningError, match=cause) as caught:
        run(estimator, n_labels=0)
    assert len(caught.value.labels) > 0


def test_a_model_of_one_answer_stays_as_it_is():
    class Majority(GaussianNB):
        def predict(self, X):
            return np.zeros(len(X), dtype=int)

    memory = FitMemory()
    for _ in range(2):
        model = fit_classifier(Majority(), X, 2 * BINARY, memory=memory)
        assert type(model) is Majority


def test_what_cannot_predict_is_left_to_who_wants_predictions():
    class Mute(GaussianNB):
        def predict(self, X):
            raise RuntimeError("not yet")

    assert type(fit_classifier(Mute(), X, TEXTS, memory=FitMemory())) is Mute


@pytest.mark.parametrize(
    "estimator",
    [WithoutClasses(), make_pipeline(StandardScaler(), WithoutClasses())],
)
def test_labels_seen_stand_for_classes_that_an_estimator_lacks(estimator):
    clf = run(estimator, strategy="bald", committee=3)
    assert clf.classes_.tolist() == ["a", "b", "c"]
    assert clf.score(X, TEXTS) > 0.5
    assert not isinstance(clf.estimator_, CodedClassifier)


@pytest.mark.parametrize("y", [TEXTS, CODES], ids=["texts", "codes"])
def test_a_search_over_what_lacks_classes_has_them(y):
    search = GridSearchCV(WithoutClasses(), {}, cv=2)
    model = fit_classifier(search, X, y)
    assert model.classes_.tolist() == np.unique(y).tolist()
    assert model.score(X, y) == np.mean(model.predict(X) == y) > 0.5


class WithoutTags(ClassifierMixin):
    """A classifier as some packages write them: not derived from BaseEstimator."""

    def get_params(self, deep=True):
        return {}

    def fit(self, X, y):
        self.model_ = LogisticRegression().fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


@pytest.mark.parametrize("strategy", ["margin", "bald"])
def test_a_classifier_without_tags_is_taken_as_any_other(strategy):
    X, truth = make_classification(60, random_state=0)
    y = np.where(np.arange(60) < 10, truth, -1)
    clf = ActiveLearningClassifier(
        WithoutTags(), oracle=SimulatedOracle(truth), strategy=strategy, committee=2,
        budget=10, random_state=0,
    )  # fmt: skip
    clf.fit(X, y, sample_ids=np.arange(60))
    rows = np.flatnonzero(clf.labeled_iter_ >= 0)
    by_hand = LogisticRegression().fit(X[rows], truth[rows])
    assert (clf.predict(X) == by_hand.predict(X)).all()


class FirstClassOnly(LogisticRegression):
    """Compares codes with its classes, so that other labels all become the first."""

    def predict(self, X):
        codes = self.predict_proba(X).argmax(axis=1)
        return self.classes_[(codes == self.classes_[-1]).astype(int)]


@pytest.mark.parametrize("labels", [np.array([5, 7]), np.array(["a", "b"])])
def test_one_that_says_one_class_of_all_labels_but_codes_gets_codes(labels):
    X, codes = make_classification(60, random_state=0)
    model = fit_classifier(FirstClassOnly(), X, labels[codes], memory=FitMemory())
    expected = LogisticRegression().fit(X, codes).predict(X)
    assert (model.predict(X) == labels[expected]).all()
    always = fit_classifier(DummyClassifier(), X, labels[codes], memory=FitMemory())
    assert type(always) is DummyClassifier  # codes would not help


def test_classes_in_a_list_are_an_array_in_the_end():
    class Listed(WithoutClasses):
        def fit(self, X, y):
            self.classes_ = np.unique(y).tolist()
            return super().fit(X, y)

    clf = run(Listed(), strategy="bald", committee=3)
    assert isinstance(clf.classes_, np.ndarray)
    assert clf.classes_.tolist() == ["a", "b", "c"]


def test_messages_name_the_classifier_that_the_user_knows():
    class Same(Bayes):
        def predict_proba(self, X):
            return np.full((len(X), 3), 1 / 3)

    with pytest.warns(UserWarning, match="After 18 labels, Same returns"):
        run(Same())

    class Nan(Bayes):
        def predict_proba(self, X):
            return np.full((len(X), 3), np.nan)

    with pytest.raises(ValueError, match=r"^Nan\.predict_proba returned"):
        run(Nan())


def test_a_model_that_says_the_same_of_codes_too_stays_as_it_is():
    class Prior(GaussianNB):
        def predict_proba(self, X):
            return np.tile(self.class_prior_, (len(X), 1))

        def predict(self, X):
            return np.full(len(X), self.classes_[0])

    assert type(fit_classifier(Prior(), X, TEXTS, memory=FitMemory())) is Prior


def test_a_weak_model_that_takes_the_labels_stays_as_it_is():
    class Weak(GaussianNB):
        def predict_proba(self, X):
            proba = super().predict_proba(X) * 0.1
            proba[:, 0] += 0.9
            return proba

        def predict(self, X):
            return self.classes_[self.predict_proba(X).argmax(axis=1)]

    assert type(fit_classifier(Weak(), X, TEXTS, memory=FitMemory())) is Weak


def test_a_step_that_speaks_of_labels_gets_them_where_the_last_gets_codes():
    class Sampler(TransformerMixin, BaseEstimator):
        """It stands for one of imbalanced-learn."""

        def __init__(self, sampling_strategy=None):
            self.sampling_strategy = sampling_strategy

        def fit(self, X, y):
            assert set(self.sampling_strategy) <= set(y)
            return self

        def transform(self, X):
            return X

    sampler = Sampler({"a": 40})
    clf = run(make_pipeline(sampler, Bayes()), strategy="bald", committee=2)
    assert clf.score(X, TEXTS) > 0.7
    assert isinstance(clf.estimator_[-1].estimator_, Bayes)
    plain = run(Bayes(), strategy="bald", committee=2)
    np.testing.assert_array_equal(clf.query_indices_, plain.query_indices_)
