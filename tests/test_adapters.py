"""Ensembles are committees: what their members say is what the ensemble is made of."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearningClassifier, CommitteeClassifier
from skactive._models.adapters import as_committee, is_committee, members_have_proba
from skactive.testing import make_pool

X, codes = make_classification(
    150, 6, n_informative=4, n_classes=3, n_clusters_per_class=1, random_state=0
)
y = np.array(["west", "east", "north"])[codes]
frame = pd.DataFrame(X, columns=list("abcdef"))

named = [
    ("logistic", LogisticRegression()),
    ("dropped", "drop"),
    ("tree", DecisionTreeClassifier(max_depth=3, random_state=0)),
    ("bayes", GaussianNB()),
]
forests = [
    RandomForestClassifier(7, random_state=0),
    ExtraTreesClassifier(7, max_depth=4, random_state=0),
]
averaging = [
    *forests,
    BaggingClassifier(GaussianNB(), 6, max_features=0.5, random_state=0),
    # Members on three rows, which miss a class more often than not.
    BaggingClassifier(KNeighborsClassifier(1), 8, max_samples=3, random_state=0),
    VotingClassifier(named, voting="soft"),
]
staged = [
    GradientBoostingClassifier(n_estimators=25, random_state=0),
    HistGradientBoostingClassifier(max_iter=23, random_state=0),
    HistGradientBoostingClassifier(max_iter=4, random_state=0),
]
others = [
    StackingClassifier(named, cv=3),
    AdaBoostClassifier(n_estimators=6, random_state=0),
]
all_ensembles = [*averaging, *staged, *others]


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # scikit-learn 1.6 with a newer SciPy
        warnings.filterwarnings("ignore", "scipy.optimize", DeprecationWarning)
        yield


@pytest.mark.parametrize("rows", [X, frame], ids=["array", "frame"])
@pytest.mark.parametrize("ensemble", all_ensembles, ids=str)
def test_members_speak_of_the_classes_of_the_ensemble(ensemble, rows):
    committee = as_committee(ensemble.fit(rows, y))
    proba, votes = committee.predict_member_proba(rows), committee.predict_member(rows)
    assert proba.shape == (*votes.shape, 3)
    np.testing.assert_allclose(proba.sum(axis=2), 1)
    assert set(np.unique(votes)) <= {"east", "north", "west"}
    np.testing.assert_array_equal(committee.classes_, ensemble.classes_)


@pytest.mark.parametrize("rows", [X, frame], ids=["array", "frame"])
@pytest.mark.parametrize("ensemble", averaging, ids=str)
def test_the_mean_of_the_members_is_the_ensemble(ensemble, rows):
    committee = as_committee(ensemble.fit(rows, y))
    np.testing.assert_allclose(
        committee.predict_member_proba(rows).mean(axis=0),
        ensemble.predict_proba(rows),
        atol=1e-12,
    )


def test_members_that_missed_a_class_are_aligned():
    bagging = BaggingClassifier(KNeighborsClassifier(1), 8, max_samples=3)
    committee = as_committee(bagging.set_params(random_state=0).fit(X, y))
    missing = [len(member.classes_) < 3 for member in bagging.estimators_]
    assert 0 < sum(missing)
    for member, votes in zip(
        bagging.estimators_, committee.predict_member(X), strict=True
    ):
        encoded = member.predict(X)
        np.testing.assert_array_equal(votes, bagging.classes_[encoded])


def test_votes_are_those_of_hard_voting():
    ensemble = VotingClassifier([*named, ("svc", SVC())], voting="hard").fit(X, y)
    votes = as_committee(ensemble).predict_member(X)
    np.testing.assert_array_equal(
        votes, ensemble.classes_[ensemble.transform(X).astype(int)].T
    )
    counts = np.array([(votes == c).sum(axis=0) for c in ensemble.classes_])
    np.testing.assert_array_equal(
        ensemble.classes_[counts.argmax(axis=0)], ensemble.predict(X)
    )
    assert not hasattr(as_committee(ensemble), "predict_member_proba")


@pytest.mark.parametrize("ensemble", staged, ids=str)
def test_the_last_member_of_boosting_is_the_ensemble(ensemble):
    committee = as_committee(ensemble.fit(X, y))
    proba = committee.predict_member_proba(X)
    np.testing.assert_allclose(proba[-1], ensemble.predict_proba(X), atol=1e-12)
    stages = list(ensemble.staged_predict_proba(X))
    assert len(proba) == min(10, len(stages))
    every = max(1, len(stages) // 10)
    np.testing.assert_allclose(proba[-2], stages[-1 - every], atol=1e-12)


def test_members_of_stacking_are_its_estimators_with_encoded_classes():
    ensemble = StackingClassifier(named, cv=3).fit(X, y)
    proba = as_committee(ensemble).predict_member_proba(X)
    assert len(proba) == 3
    for member, own in zip(ensemble.estimators_, proba, strict=True):
        assert member.classes_.tolist() == [0, 1, 2]
        np.testing.assert_array_equal(own, member.predict_proba(X))


def test_prefit_members_of_stacking_keep_their_own_classes():
    fitted = [("a", GaussianNB().fit(X, y)), ("b", LogisticRegression().fit(X, y))]
    ensemble = StackingClassifier(fitted, cv="prefit").fit(X, y)
    votes = as_committee(ensemble).predict_member(X)
    np.testing.assert_array_equal(votes, [m.predict(X) for _, m in fitted])


def test_members_of_ada_boost_are_its_estimators():
    ensemble = AdaBoostClassifier(n_estimators=6, random_state=0).fit(X, y)
    committee = as_committee(ensemble)
    for member, proba, votes in zip(
        ensemble.estimators_,
        committee.predict_member_proba(X),
        committee.predict_member(X),
        strict=True,
    ):
        np.testing.assert_array_equal(votes, member.predict(X))
        np.testing.assert_array_equal(proba, member.predict_proba(X))


def test_a_pipeline_transforms_once_for_all_members():
    scaler = CountingScaler()
    pipeline = make_pipeline(scaler, RandomForestClassifier(4, random_state=0))
    committee = as_committee(pipeline.fit(X, y))
    CountingScaler.n_calls = 0
    proba = committee.predict_member_proba(X)
    assert CountingScaler.n_calls == 1
    np.testing.assert_allclose(proba.mean(axis=0), pipeline.predict_proba(X))


class CountingScaler(StandardScaler):
    """Counts how often it transforms."""

    n_calls = 0

    def transform(self, X):
        type(self).n_calls += 1
        return super().transform(X)


@pytest.mark.parametrize("ensemble", all_ensembles, ids=str)
def test_ensembles_are_committees_alone_and_at_the_end_of_a_pipeline(ensemble):
    assert is_committee(ensemble)
    assert is_committee(make_pipeline(StandardScaler(), ensemble))
    assert members_have_proba(ensemble)


@pytest.mark.parametrize(
    "estimator",
    [
        OneVsRestClassifier(LogisticRegression()),
        OneVsOneClassifier(LogisticRegression()),
        OutputCodeClassifier(LogisticRegression()),
        LogisticRegression(),
    ],
    ids=str,
)
def test_binary_parts_of_a_multiclass_problem_are_no_committee(estimator):
    assert not is_committee(estimator)


def test_members_without_probabilities_are_known_before_any_fit():
    assert not members_have_proba(BaggingClassifier(Perceptron()))
    assert not members_have_proba(VotingClassifier([("p", Perceptron())]))
    assert members_have_proba(AdaBoostClassifier())


class Column(GaussianNB):
    """Predicts a column, as some boosting of other packages does."""

    def predict(self, X):
        return super().predict(X)[:, None]


def listed(proba):
    return [column[:, None] for column in proba.T]


class Listed(GaussianNB):
    """Gives a list of probabilities, a class each."""

    def predict_proba(self, X):
        return listed(super().predict_proba(X))


@pytest.mark.parametrize("member", [Column(), Listed()], ids=str)
def test_members_may_answer_in_other_shapes(member):
    pairs = [
        [("one", model), ("other", KNeighborsClassifier())]
        for model in (member, GaussianNB())
    ]
    found, expected = (as_committee(VotingClassifier(p).fit(X, y)) for p in pairs)
    np.testing.assert_array_equal(found.predict_member(X), expected.predict_member(X))
    np.testing.assert_allclose(
        found.predict_member_proba(X), expected.predict_member_proba(X)
    )


def test_probabilities_in_a_list_do_not_hinder_a_committee_of_linear_members():
    class Linear(LogisticRegression):
        def predict_proba(self, X):
            return listed(super().predict_proba(X))

    found, expected = (
        CommitteeClassifier(model, 3, random_state=0).fit(X, y).predict_proba(X)
        for model in (Linear(), LogisticRegression())
    )
    np.testing.assert_allclose(found, expected, atol=1e-7)


class VotesOnly(GaussianNB):
    """A classifier of two members, the second of which votes for "east" always."""

    def predict_member(self, X):
        return np.stack([self.predict(X), np.full(len(X), "east")])


class ProbaOnly(GaussianNB):
    def predict_member_proba(self, X):
        return np.stack([self.predict_proba(X), np.tile([0.2, 0.5, 0.3], (len(X), 1))])


@pytest.mark.parametrize("kind", [VotesOnly, ProbaOnly])
@pytest.mark.parametrize("in_pipeline", [False, True])
def test_one_of_the_two_methods_makes_a_committee(kind, in_pipeline):
    committee = make_pipeline(StandardScaler(), kind()) if in_pipeline else kind()
    second = 0 if kind is VotesOnly else 1
    some = np.where(np.arange(150) < 60, y, "")
    votes = make_pool(X, some, committee=committee, missing_label="").votes
    model = clone(committee).fit(X[:60], y[:60])
    expected = np.searchsorted(model.classes_, model.predict(X[60:]))
    assert votes.tolist() == [expected.tolist(), [second] * 90]


def test_votes_alone_make_no_probabilities():
    assert not members_have_proba(VotesOnly())
    clf = ActiveLearningClassifier(
        GaussianNB(), committee=VotesOnly(), strategy="consensus_entropy", oracle=len
    )
    with pytest.raises(ValueError, match="VotesOnly"):
        clf.fit(X, np.where(np.arange(150) < 60, codes, -1))
