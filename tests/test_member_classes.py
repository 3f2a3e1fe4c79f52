"""What members mean by their classes: the classes of the ensemble, or their numbers."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    RandomForestClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearningClassifier
from skactive._models.adapters import as_committee
from skactive._models.member_classes import positions_of_members, predicted_positions
from skactive.oracles import SimulatedOracle

X, codes = make_classification(
    90, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
)
LABELS = {"texts": ["a", "b", "c"], "shifted": [1, 2, 3], "gaps": [5, 7, 9]}


class NamingForest(RandomForestClassifier):
    """Its trees name the classes of the forest, and know all of them."""

    def fit(self, X, y):
        super().fit(X, y)
        for tree in self.estimators_:
            tree.classes_ = self.classes_
        return self


class NumberingAdaBoost(AdaBoostClassifier):
    """Boosts numbers of classes, and names the classes itself."""

    def fit(self, X, y):
        classes, numbers = np.unique(y, return_inverse=True)
        super().fit(X, numbers)
        self.classes_ = classes
        return self


@pytest.mark.parametrize("labels", LABELS.values(), ids=LABELS)
@pytest.mark.parametrize("ensemble", [NamingForest, NumberingAdaBoost])
def test_members_are_read_by_what_they_call_their_classes(ensemble, labels):
    names = np.array(labels)
    fitted = ensemble(n_estimators=5, random_state=0).fit(X, names[codes])
    own = ensemble.__bases__[0](n_estimators=5, random_state=0).fit(X, names[codes])
    theirs, ours = as_committee(fitted), as_committee(own)
    np.testing.assert_array_equal(theirs.predict_member(X), ours.predict_member(X))
    proba = theirs.predict_member_proba(X)
    np.testing.assert_allclose(proba, ours.predict_member_proba(X))
    assert (names[proba.argmax(axis=2)] == theirs.predict_member(X)).all()


def test_a_run_is_the_same_whatever_members_call_the_classes():
    def asked(forest):
        y = np.where(np.arange(90) < 20, codes + 5, -1)
        clf = ActiveLearningClassifier(
            forest, oracle=SimulatedOracle(codes + 5), strategy="bald", batch_size=2,
            budget=4, random_state=0,
        )  # fmt: skip
        return clf.fit(X, y, sample_ids=range(90)).query_indices_.tolist()

    forests = [f(5, random_state=0) for f in (NamingForest, RandomForestClassifier)]
    assert asked(forests[0]) == asked(forests[1])


def test_a_frozen_member_beside_fresh_ones_names_its_classes():
    frozen = pytest.importorskip("sklearn.frozen").FrozenEstimator
    y = np.array(LABELS["texts"])[codes]
    first = LogisticRegression().fit(X, y)
    members = [("old", frozen(first)), ("new", DecisionTreeClassifier(random_state=0))]
    voting = VotingClassifier(members, voting="soft").fit(X, y)
    np.testing.assert_array_equal(
        as_committee(voting).predict_member(X)[0], first.predict(X)
    )


class Member(ClassifierMixin, BaseEstimator):
    def __init__(self, *classes):
        self.classes_ = np.array(classes)


class Ensemble:
    """One of another package, of which nothing is known."""

    def __init__(self, *classes):
        self.classes_ = np.array(classes)

    def fit(self, X, y):
        """Do nothing."""


@pytest.mark.parametrize(
    ("classes", "members", "positions"),
    [
        (["0", "1"], [[0, 1]], [[0, 1]]),
        (["x", "y", "z"], [[0.0, 2.0], ["y"]], [[0, 2], [1]]),
        ([0, 1, 2], [[0, 2], [1]], [[0, 2], [1]]),
        ([1, 2], [[1], [1, 2]], [[0], [0, 1]]),
        ([1, 2], [[1], [0, 1]], [[1], [0, 1]]),
        ([3, 1, 2], [[2, 3]], [[2, 0]]),
        ([False, True], [[True, False]], [[1, 0]]),
    ],
)
def test_one_way_of_reading_fits(classes, members, positions):
    members = [Member(*names) for names in members]
    found = positions_of_members(Ensemble(*classes), members)
    assert [part.tolist() for part in found] == positions


def test_two_ways_of_reading_that_differ_are_refused():
    with pytest.raises(ValueError, match=r"Member 0 of Ensemble .* \[1\], and of \[1"):
        positions_of_members(Ensemble(1, 2, 3), [Member(1), Member(1, 2)])


def test_of_our_own_ensembles_it_is_known_which_way_is_right():
    y = np.where(codes > 0, 2, 1)
    bagging = BaggingClassifier(
        KNeighborsClassifier(1), 9, max_samples=1, random_state=0
    )
    bagging.fit(X, y)
    sees_one_class = [m for m in bagging.estimators_ if m.classes_.tolist() == [1]]
    assert sees_one_class
    (only,) = positions_of_members(bagging, sees_one_class[:1])
    assert only.tolist() == [1]


@pytest.mark.parametrize("classes", [[7, 8, 9], [0.5, 1], ["a", "d"]])
def test_classes_that_are_none_of_the_ensemble_are_refused(classes):
    with pytest.raises(ValueError, match=r"Member 0 of Ensemble .* neither among"):
        positions_of_members(Ensemble("a", "b", "c"), [Member(*classes)])


def test_a_member_without_classes_is_refused():
    with pytest.raises(ValueError, match="a LogisticRegression, has no classes_"):
        positions_of_members(Ensemble(0, 1), [LogisticRegression()])


def test_predictions_are_found_in_classes_of_any_order_or_refused():
    found = predicted_positions(Member("b", "a", "c"), np.array(["a", "c", "b"]))
    assert found.tolist() == [1, 2, 0]
    for predicted in (["d"], [0]):
        with pytest.raises(ValueError, match=r"Member.predict, of a member of an en"):
            predicted_positions(Member("b", "a"), np.array(predicted))
