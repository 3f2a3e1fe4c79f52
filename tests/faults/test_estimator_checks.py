"""scikit-learn's own checks, with and without metadata routing: T73."""

import pytest
from sklearn import config_context
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skactive import ActiveLearningClassifier


def expected_failures(estimator):
    return {
        "check_classifiers_classes": "-1 is the missing label by default, not a class"
    }


def scikit_learn_checks():
    return parametrize_with_checks(
        [
            ActiveLearningClassifier(LogisticRegression()),
            ActiveLearningClassifier(SVC(), strategy="entropy", budget=None),
        ],
        expected_failed_checks=expected_failures,
    )


def checks_of_other_kinds():
    kinds = [
        RandomForestClassifier(5, random_state=0),
        DecisionTreeClassifier(random_state=0),
        KNeighborsClassifier(),
        GaussianNB(),
    ]
    return parametrize_with_checks(
        [ActiveLearningClassifier(kind) for kind in kinds],
        expected_failed_checks=expected_failures,
    )


@checks_of_other_kinds()
def test_t73_scikit_learn_checks_around_other_kinds(estimator, check):
    check(estimator)


@scikit_learn_checks()
def test_t73_scikit_learn_checks(estimator, check):
    check(estimator)


@scikit_learn_checks()
def test_t73_scikit_learn_checks_with_metadata_routing(estimator, check):
    with config_context(enable_metadata_routing=True):
        check(estimator)


@pytest.mark.parametrize("method", ["predict_proba", "decision_function", "score"])
def test_methods_exist_only_if_the_estimator_has_them(method):
    clf = ActiveLearningClassifier(SVC())
    assert hasattr(clf, method) is hasattr(SVC(), method)
