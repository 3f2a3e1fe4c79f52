"""CommitteeClassifier: bagged or named members, aligned, the same for any n_jobs."""

import os
import pickle
import signal
import warnings

import joblib
import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import make_classification
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.impute import SimpleImputer
from sklearn.linear_model import (
    LogisticRegression,
    Perceptron,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC, LinearSVC
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skactive import ActiveLearningClassifier, CommitteeClassifier
from skactive._models.linear_members import LinearMembers
from skactive._models.members import bootstrap_rows, run_tasks

X, y = make_classification(
    200, 8, n_informative=5, n_classes=3, n_clusters_per_class=1, random_state=0
)


@parametrize_with_checks(
    [
        CommitteeClassifier(LogisticRegression(), n_members=3, random_state=0),
        CommitteeClassifier(
            [("tree", DecisionTreeClassifier()), ("bayes", GaussianNB())],
            random_state=1,
        ),
    ]
)
def test_scikit_learn_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
@parametrize_with_checks(
    [CommitteeClassifier(Perceptron(), n_members=3, random_state=0)]
)
def test_scikit_learn_checks_of_members_without_probabilities(estimator, check):
    check(estimator)


def test_every_member_is_fitted_on_a_bootstrap_of_its_own():
    committee = CommitteeClassifier(RecordingClassifier(), 4, random_state=0)
    rows = [member.rows_ for member in committee.fit(X, y).estimators_]
    assert all(len(r) == len(X) for r in rows)
    shares = [len(np.unique(r, axis=0)) / len(X) for r in rows]
    assert np.mean(shares) == pytest.approx(1 - np.exp(-1), abs=0.05)
    assert not any(np.array_equal(rows[0], other) for other in rows[1:])


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_row_that_no_bootstrap_draws_is_refused_if_it_is_not_finite(value):
    rows = X[:40].copy()
    rows[3, 1] = value
    for seed in range(30):  # some of these draw the row for no member
        committee = CommitteeClassifier(GaussianNB(), 2, random_state=seed)
        with pytest.raises(ValueError, match=r"NaN|infinity"):
            committee.fit(rows, y[:40])


def test_rows_with_nan_are_fitted_by_members_that_take_them():
    rows = X[:40].copy()
    rows[3, 1] = np.nan
    imputing = make_pipeline(SimpleImputer(), GaussianNB())
    for estimator in (DecisionTreeClassifier(), imputing):
        CommitteeClassifier(estimator, 3, random_state=0).fit(rows, y[:40])


@pytest.mark.parametrize(
    "members", [[], [GaussianNB()], [("a",)], [(1, GaussianNB())], [("a", GaussianNB)]]
)
def test_a_list_that_does_not_name_classifiers_says_how_to_write_it(members):
    with pytest.raises(ValueError, match=r"estimator must be a list of \(name, cl"):
        CommitteeClassifier(members).fit(X, y)
    oracle = []
    clf = ActiveLearningClassifier(
        GaussianNB(), oracle=oracle.append, strategy="bald", committee=members
    )
    with pytest.raises(ValueError, match=r"committee must be a list of \(name, cla"):
        clf.fit(X, np.where(np.arange(len(X)) < 20, y, -1))
    assert oracle == []


def test_every_member_has_a_seed_of_its_own():
    committee = CommitteeClassifier(
        DecisionTreeClassifier(), 6, bootstrap=False, random_state=0
    ).fit(X, y)
    seeds = [member.random_state for member in committee.estimators_]
    assert len(set(seeds)) == 6


def test_a_bootstrap_never_holds_one_class_only():
    labels = np.array([0, 0, 0, 0, 0, 0, 0, 0, 0, 1])
    for seed in range(200):
        rows = bootstrap_rows(labels, np.random.default_rng(seed))
        assert len(rows) == 10
        assert set(labels[rows]) == {0, 1}


def test_after_a_hundred_draws_there_is_one_row_of_each_class():
    class OneRow:
        """Draws the same row for ever."""

        def integers(self, high, size):
            return np.zeros(size, dtype=int)

        def choice(self, rows, size=None):
            return rows[0] if size is None else np.repeat(rows[0], size)

    labels = np.array([2, 2, 0, 1, 2])
    rows = bootstrap_rows(labels, OneRow())
    assert labels[rows[:3]].tolist() == [0, 1, 2]
    assert len(rows) == 5


def test_two_rows_of_two_classes_are_both_drawn():
    for seed in range(20):
        rows = bootstrap_rows(np.array([0, 1]), np.random.default_rng(seed))
        assert sorted(rows.tolist()) == [0, 1]


def test_a_class_that_a_member_never_saw_has_probability_zero():
    labels = np.where(np.arange(200) < 197, y % 2, 2)
    committee = CommitteeClassifier(GaussianNB(), 30, random_state=0).fit(X, labels)
    missing = [2 not in member.classes_ for member in committee.estimators_]
    assert 0 < sum(missing) < 30
    proba = committee.predict_member_proba(X)
    assert (proba[missing][:, :, 2] == 0).all()
    np.testing.assert_allclose(proba.sum(axis=2), 1)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(),
        LinearDiscriminantAnalysis(),
        SGDClassifier(loss="log_loss", random_state=0),
        SGDClassifier(loss="modified_huber", random_state=0),
        LinearSVC(),
        RidgeClassifier(),
        Perceptron(),
        SVC(kernel="linear"),
        GaussianNB(),
    ],
    ids=str,
)
@pytest.mark.parametrize("n_classes", [2, 3])
def test_outputs_are_those_of_the_members(estimator, n_classes, missing):
    labels = (y if n_classes == 3 else (y > 0).astype(int)).copy()
    if missing:  # some bootstraps miss this class
        labels[:] = np.where(labels == labels.max(), 0, labels)
        labels[:2] = n_classes - 1
    names = np.array(["a", "b", "c"])[labels]
    committee = CommitteeClassifier(estimator, 6, random_state=1).fit(X, names)
    votes = [member.predict(X) for member in committee.estimators_]
    np.testing.assert_array_equal(committee.predict_member(X), votes)
    if hasattr(estimator, "predict_proba"):
        for member, proba in zip(
            committee.estimators_, committee.predict_member_proba(X), strict=True
        ):
            columns = np.searchsorted(committee.classes_, member.classes_)
            np.testing.assert_allclose(
                proba[:, columns], member.predict_proba(X), rtol=1e-9, atol=1e-12
            )


def test_linear_members_take_one_product_where_their_link_is_known():
    def linear(estimator):
        committee = CommitteeClassifier(estimator, 3, random_state=0).fit(X, y)
        return committee.linear_members_

    assert linear(LogisticRegression()).has_proba
    assert not linear(SGDClassifier(loss="modified_huber")).has_proba
    assert linear(SVC(kernel="linear")) is None
    assert linear(GaussianNB()) is None


def test_a_subclass_with_probabilities_of_its_own_is_not_taken_for_linear():
    class Blunt(LogisticRegression):
        def predict_proba(self, X):
            return 0.5 * super().predict_proba(X) + 0.5 / len(self.classes_)

    models = [Blunt().fit(X, y) for _ in range(2)]
    assert not LinearMembers.of(models, np.unique(y)).has_proba


def test_the_consensus_is_the_mean_and_without_it_votes_decide():
    committee = CommitteeClassifier(GaussianNB(), 5, random_state=0).fit(X, y)
    mean = committee.predict_member_proba(X).mean(axis=0)
    np.testing.assert_array_equal(committee.predict_proba(X), mean)
    named = [("svc", SVC()), ("tree", DecisionTreeClassifier()), ("b", GaussianNB())]
    voting = CommitteeClassifier(named, random_state=0).fit(X, y)
    assert not hasattr(voting, "predict_proba")
    assert not hasattr(voting, "predict_member_proba")
    votes = voting.predict_member(X)
    counts = np.array([np.bincount(v, minlength=3) for v in votes.T])
    np.testing.assert_array_equal(voting.predict(X), counts.argmax(axis=1))


@pytest.mark.parametrize("backend", ["loky", "threading", "sequential"])
@pytest.mark.parametrize("estimator", [LogisticRegression(), DecisionTreeClassifier()])
@pytest.mark.slow
def test_n_jobs_and_backend_do_not_change_the_result(estimator, backend):
    def outputs(n_jobs):
        committee = CommitteeClassifier(estimator, 4, n_jobs=n_jobs, random_state=0)
        return committee.fit(X, y).predict_member_proba(X)

    alone = outputs(1)
    with joblib.parallel_config(backend=backend):
        np.testing.assert_array_equal(outputs(2), alone)


def test_a_member_that_fails_is_named():
    named = [("good", GaussianNB()), ("bad", Failing())]
    with pytest.raises(ZeroDivisionError, match=r"member bad \(Failing\)"):
        CommitteeClassifier(named).fit(X, y)


@pytest.mark.parametrize("bad", [np.nan, np.inf, 3.0])
def test_probabilities_of_a_member_that_are_none_are_refused_by_name(bad):
    class Broken(GaussianNB):
        def predict_proba(self, X):
            proba = super().predict_proba(X)
            proba[3, 0] = bad
            return proba

    named = [("good", GaussianNB()), ("odd", Broken())]
    committee = CommitteeClassifier(named).fit(X, y)
    with pytest.raises(ValueError, match=r"Member odd \(Broken\).*do not sum to 1"):
        committee.predict_member_proba(X)


@pytest.mark.slow
def test_a_killed_worker_costs_a_warning_and_changes_nothing(tmp_path):
    tasks = [(i, tmp_path / "killed", os.getpid()) for i in range(4)]
    with pytest.warns(UserWarning, match="worker process was killed"):
        assert run_tasks(square_or_die, tasks, n_jobs=2) == [0, 1, 4, 9]


@pytest.mark.slow
def test_where_workers_keep_dying_the_work_is_done_here(tmp_path):
    tasks = [(i, None, os.getpid()) for i in range(4)]
    with pytest.warns(UserWarning, match="in this process"):
        assert run_tasks(square_or_die, tasks, n_jobs=2) == [0, 1, 4, 9]


def square_or_die(i, flag, parent):
    """Kill the worker: once, if there is a flag to remember it by, else always."""
    if os.getpid() != parent and i == 2 and (flag is None or not flag.exists()):
        if flag is not None:
            flag.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return i * i


@pytest.mark.slow
def test_what_cannot_be_sent_to_a_process_is_said_with_the_remedy():
    unsendable = Unpicklable()
    with pytest.raises(ValueError, match="threading"):
        CommitteeClassifier(unsendable, 3, n_jobs=2).fit(X, y)
    with joblib.parallel_config(backend="threading"):
        committee = CommitteeClassifier(unsendable, 3, n_jobs=2).fit(X, y)
        assert committee.predict_member(X).shape == (3, 200)


def test_sample_weight_is_routed_and_cut_to_each_bootstrap():
    weight = np.arange(200.0)
    with config_context(enable_metadata_routing=True):
        member = RecordingClassifier().set_fit_request(sample_weight=True)
        committee = CommitteeClassifier(member, 2, random_state=0)
        committee.fit(np.c_[X, weight], y, sample_weight=weight)
    for member in committee.estimators_:
        np.testing.assert_array_equal(member.rows_[:, -1], member.weight_)


def test_it_can_be_pickled_and_cloned():
    committee = CommitteeClassifier(LogisticRegression(), 3, random_state=0).fit(X, y)
    loaded = pickle.loads(pickle.dumps(committee))
    np.testing.assert_array_equal(loaded.predict(X), committee.predict(X))
    assert not hasattr(clone(committee), "estimators_")


def test_text_needs_no_conversion():
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.pipeline import make_pipeline

    texts = ["good", "bad", "good day", "bad day"] * 5
    committee = CommitteeClassifier(
        make_pipeline(CountVectorizer(), LogisticRegression()), 3, random_state=0
    ).fit(texts, ["p", "n", "p", "n"] * 5)
    assert committee.predict(["good", "bad"]).tolist() == ["p", "n"]


def test_no_warning_comes_from_a_data_frame():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(X, columns=list("abcdefgh"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        committee = CommitteeClassifier(LinearDiscriminantAnalysis(), 3).fit(frame, y)
        committee.predict_member_proba(frame)


class RecordingClassifier(ClassifierMixin, BaseEstimator):
    """Keeps what it was fitted on."""

    def fit(self, X, y, sample_weight=None):
        self.rows_, self.weight_, self.classes_ = X, sample_weight, np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


class Failing(ClassifierMixin, BaseEstimator):
    """Cannot be fitted."""

    def fit(self, X, y):
        raise ZeroDivisionError("division by zero")

    def predict(self, X):
        """Never get here."""


class Unpicklable(GaussianNB):
    """Refuses to be sent anywhere."""

    def __reduce__(self):
        raise pickle.PicklingError("this stays here")
