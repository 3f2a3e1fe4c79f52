"""A classifier that learns codes and answers in labels."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.datasets import load_iris
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import cross_val_score
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import parametrize_with_checks

from skactive._models.label_codes import CodedClassifier

X, CODES = load_iris(return_X_y=True)
Y = np.array(["ant", "bee", "cow"])[CODES]


@pytest.fixture(scope="module")
def coded():
    return CodedClassifier(LogisticRegression(max_iter=1000)).fit(X, Y)


@pytest.fixture(scope="module")
def plain():
    return LogisticRegression(max_iter=1000).fit(X, Y)


@parametrize_with_checks([CodedClassifier(LogisticRegression(max_iter=200))])
def test_scikit_learn_checks(estimator, check):
    check(estimator)


def test_it_is_what_a_classifier_of_labels_is(coded, plain):
    assert (coded.predict(X) == plain.predict(X)).all()
    assert coded.classes_.tolist() == plain.classes_.tolist()
    for method in ("predict_proba", "predict_log_proba", "decision_function"):
        np.testing.assert_allclose(getattr(coded, method)(X), getattr(plain, method)(X))
    assert coded.score(X, Y, sample_weight=CODES) == plain.score(X, Y, CODES)


def test_labels_that_it_never_saw_count_as_errors(coded):
    assert coded.score(X, np.where(CODES == 0, "dog", Y)) < 0.7
    assert coded.score(X[:5], ["dog"] * 5) == 0


def test_attributes_are_those_of_the_classifier_within(coded):
    assert coded.coef_ is coded.estimator_.coef_
    assert coded.n_features_in_ == 4
    assert not hasattr(coded, "feature_names_in_")
    assert not hasattr(clone(coded), "coef_")


def test_methods_that_may_speak_of_codes_are_not_passed_on(coded):
    assert not hasattr(coded, "sparsify")
    with pytest.raises(AttributeError, match=r"'densify'.*estimator_"):
        coded.densify()


@pytest.mark.parametrize("method", ["predict_proba", "staged_predict", "partial_fit"])
def test_it_has_the_methods_of_the_classifier(method):
    assert not hasattr(CodedClassifier(LinearSVC()), method)
    having = (LogisticRegression(), GradientBoostingClassifier(), SGDClassifier())
    assert any(hasattr(CodedClassifier(estimator), method) for estimator in having)


def test_it_can_be_pickled_cloned_searched_and_asked_for_tags(coded):
    again = pickle.loads(pickle.dumps(coded))
    assert (again.predict(X) == coded.predict(X)).all()
    assert not hasattr(clone(coded), "estimator_")
    assert cross_val_score(clone(coded), X, Y, scoring="roc_auc_ovr").min() > 0.9
    assert is_classifier(coded)
    assert get_tags(CodedClassifier(GaussianNB())).input_tags.sparse is False
    assert get_tags(coded).input_tags.sparse is True


def test_parts_of_a_training_and_stages_speak_labels():
    model = CodedClassifier(GaussianNB())
    model.partial_fit(X[:60], Y[:60], classes=["ant", "bee", "cow"])
    model.partial_fit(X[60:], Y[60:])
    assert model.score(X, Y) > 0.9
    boosting = CodedClassifier(GradientBoostingClassifier(n_estimators=2)).fit(X, Y)
    assert [set(stage) for stage in boosting.staged_predict(X)] == [{*Y}, {*Y}]
