"""Committees inside a run: who is a member, and that it runs the same everywhere."""

import tempfile
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.ensemble import (
    BaggingClassifier,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
)
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.svm import SVC

from skactive import ActiveLearningClassifier, CommitteeClassifier
from skactive.acquisition.functional import bald
from skactive.model_selection import LabeledFold
from skactive.oracles import SimulatedOracle
from skactive.utils import _sharing

X, truth = make_classification(
    150, 8, n_informative=5, n_classes=3, n_clusters_per_class=1, random_state=0
)
y = np.where(np.arange(150) % 12 == 0, truth, -1)
IDS = np.arange(150)


def learner(estimator=None, **params):
    defaults = {"strategy": "vote_entropy", "batch_size": 4, "budget": 12}
    return ActiveLearningClassifier(
        LogisticRegression() if estimator is None else estimator,
        oracle=SimulatedOracle(truth),
        random_state=0,
        **defaults | params,
    )


def asked(clf, rows=X, labels=y):
    return clf.fit(rows, labels, sample_ids=IDS).query_indices_.tolist()


@pytest.mark.parametrize(
    ("committee", "estimator", "n_members"),
    [
        (4, LogisticRegression(), 4),
        (None, LogisticRegression(), 10),
        ([("bayes", GaussianNB()), ("svc", SVC())], LogisticRegression(), 2),
        (CommitteeClassifier(GaussianNB(), 3), LogisticRegression(), 3),
        (RandomForestClassifier(6), LogisticRegression(), 6),
        (None, RandomForestClassifier(7, random_state=0), 7),
        (None, make_pipeline(StandardScaler(), BaggingClassifier(n_estimators=4)), 4),
        (5, RandomForestClassifier(7, random_state=0), 5),
    ],
    ids=str,
)
def test_the_committee_is_what_was_asked_for(committee, estimator, n_members):
    clf = learner(estimator, committee=committee)
    assert len(asked(clf)) == 12
    assert clf.committee_.predict_member(X).shape == (n_members, 150)
    assert type(clf.estimator_) is type(estimator)


@pytest.mark.parametrize("name", ["margin", "random"])
def test_other_strategies_fit_no_committee(name):
    clf = learner(strategy=name, committee=[("bayes", GaussianNB())])
    asked(clf)
    assert clf.committee_ is None


def test_the_committee_of_an_ensemble_is_its_own_members():
    forest = RandomForestClassifier(9, random_state=0)
    clf = learner(forest, strategy="bald", batch_size=5, budget=5)
    rows = asked(clf)
    known = y != -1
    members = clone(forest).fit(X[known], y[known]).estimators_
    proba = np.array([m.predict_proba(X[~known].astype(np.float32)) for m in members])
    scores, candidates = bald(proba), np.flatnonzero(~known)
    assert sorted(scores[np.isin(candidates, rows)]) == sorted(np.sort(scores)[-5:])


def test_string_classes_and_data_frames_go_without_warnings():
    names = np.array(["a", "b", "c"])[truth]
    labels = np.where(y == -1, None, names)
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    boosting = HistGradientBoostingClassifier(min_samples_leaf=3)
    for estimator in (RandomForestClassifier(5), boosting):
        clf = learner(estimator, missing_label=None, strategy="mean_std")
        clf.oracle = SimulatedOracle(names)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            clf.fit(frame, labels, sample_ids=IDS)
        assert clf.classes_.tolist() == ["a", "b", "c"]


def test_members_without_probabilities_vote_and_are_refused_where_they_cannot():
    named = [("perceptron", Perceptron()), ("bayes", GaussianNB())]
    assert len(asked(learner(committee=named))) == 12
    clf = learner(committee=named, strategy="bald")
    with pytest.raises(ValueError, match=r"BALDSampling needs.*vote_entropy"):
        asked(clf)
    assert not hasattr(clf, "n_queries_") or clf.n_queries_ == 0


@pytest.mark.parametrize(
    ("committee", "message"),
    [(GaussianNB(), "committee must be"), (CommitteeClassifier, "class")],
)
def test_what_is_no_committee_is_refused_before_any_payment(committee, message):
    calls = []
    clf = learner(committee=committee)
    with pytest.raises((TypeError, ValueError), match=message):
        clf.fit(X, y, oracle=calls.append)
    assert calls == []


def test_sample_weights_reach_the_clones():
    from sklearn import config_context

    seen = []

    class Spy(GaussianNB):
        def fit(self, X, y, sample_weight=None):
            seen.append((X[:, 0], sample_weight))
            return super().fit(X, y, sample_weight=sample_weight)

    with config_context(enable_metadata_routing=True):
        clf = learner(Spy().set_fit_request(sample_weight=True), committee=3)
        clf.set_fit_request(sample_ids=True)
        clf.fit(X, y, sample_ids=IDS, sample_weight=X[:, 0] + 10)
    assert len(seen) > 9
    for first, weight in seen:
        np.testing.assert_allclose(weight, first + 10)


def test_members_that_learn_from_unlabeled_rows_get_all_of_them():
    seen = []

    class Spy(SelfTrainingClassifier):
        def fit(self, X, y):
            seen.append((len(y), int((y == -1).sum())))
            return super().fit(X, y)

    asked(learner(Spy(GaussianNB()), committee=3, unlabeled="pass", budget=4))
    n_unlabeled = int((y == -1).sum())
    assert set(seen) == {(150, n_unlabeled), (150, n_unlabeled - 4)}


def test_committee_sizes_are_searched_like_any_parameter():
    clf = learner(budget=5)
    clf.oracle = lambda X_asked: [
        truth[np.flatnonzero((X == row).all(axis=1))[0]] for row in X_asked
    ]
    search = GridSearchCV(clf, {"committee": [2, 5]}, cv=LabeledFold(2), n_jobs=1)
    search.fit(X, np.where(np.arange(150) % 4 == 0, truth, -1))
    best = search.best_estimator_
    assert len(best.committee_.estimators_) == search.best_params_["committee"]


def test_sparse_rows_are_shared_in_files_too():
    from scipy.sparse import csr_matrix

    keeper = _sharing.SharedRows()
    rows = csr_matrix(np.eye(600))
    shared = keeper.share(rows, "rows")
    assert keeper.share(rows, "rows") is shared
    assert (shared != rows).nnz == 0
    large = keeper.share(csr_matrix(np.ones((400, 400))), "large")
    assert isinstance(large.data, np.memmap)
    assert isinstance(large[10:20].toarray(), np.ndarray)
    assert large.sum() == 160_000


def test_no_folder_is_made_for_data_that_are_small(monkeypatch):
    monkeypatch.setattr(tempfile, "mkdtemp", None)
    assert _sharing.SharedRows().share(X, "rows") is X
