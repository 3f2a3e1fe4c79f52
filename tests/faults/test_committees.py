"""Committees in worker processes: T05, T10, T27, T42, T43, T45 to T47, T59."""

import glob
import os
import pickle
import signal
import threading
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearningClassifier
from skactive.exceptions import ActiveLearningError
from skactive.oracles import SimulatedOracle
from skactive.testing import make_pool
from skactive.utils import _sharing

X, truth = make_classification(
    150, 8, n_informative=5, n_classes=3, n_clusters_per_class=1, random_state=0
)
y = np.where(np.arange(150) % 12 == 0, truth, -1)  # 13 labels
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


# Members


def test_t05_t43_a_new_class_joins_the_columns_of_the_members():
    first = np.where(np.isin(truth, [0, 1]), y, -1)
    clf = learner(GaussianNB(), committee=4, budget=60, strategy="bald")
    asked(clf, labels=first)
    assert clf.classes_.tolist() == [0, 1, 2]
    assert clf.committee_.predict_member_proba(X).shape == (4, 150, 3)


def test_t43_a_member_that_fails_after_a_payment_is_named_with_the_labels():
    class Picky(GaussianNB):
        def fit(self, X, y):
            if len(y) > 18:
                raise ArithmeticError("too many rows")
            return super().fit(X, y)

    clf = learner(committee=[("good", GaussianNB()), ("picky", Picky())])
    with pytest.raises(ActiveLearningError, match="too many rows") as caught:
        asked(clf)
    assert "member picky (Picky)" in str(caught.value)
    assert len(caught.value.labels) == clf.n_queries_ > 0


class Renamed(ClassifierMixin, BaseEstimator):
    """Names its classes in an order of its own, or after another function."""

    def __init__(self, name=lambda classes: classes, order=1):
        self.name = name
        self.order = order

    def fit(self, X, y):
        self.model_ = GaussianNB().fit(X, y)
        self.classes_ = self.name(self.model_.classes_)[:: self.order]
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)[:, :: self.order]


@pytest.mark.parametrize("strategy", ["bald", "vote_entropy"])
def test_t43_columns_of_members_belong_to_their_classes_in_any_order(strategy):
    backwards = learner(Renamed(order=-1), strategy=strategy, committee=4)
    forwards = learner(Renamed(), strategy=strategy, committee=4)
    assert asked(backwards) == asked(forwards)


def test_t43_a_member_with_classes_that_nobody_gave_is_named_before_payment(
    logging_oracle,
):
    oracle = logging_oracle()
    odd = Renamed(name=lambda classes: classes + 7)
    clf = learner(committee=[("good", GaussianNB()), ("odd", odd)], strategy="bald")
    with pytest.raises(
        ValueError, match=r"has the classes_ \[7, 8, 9\].*\n.*member odd"
    ):
        clf.fit(X, y, oracle=oracle)
    assert oracle.n_calls == 0


def test_t43_a_class_that_a_bootstrap_misses_has_probability_zero():
    def spy(pool):
        seen.append((pool.committee.estimators_, pool.member_proba))
        return np.zeros(len(pool))

    seen, rare = [], np.where((truth == 2) & (np.arange(150) > 12), -1, y)
    rare[np.flatnonzero(truth == 2)[0]] = 2
    asked(learner(GaussianNB(), committee=30, strategy=spy, budget=4), labels=rare)
    members, proba = seen[0]
    missing = np.array([2 not in member.classes_ for member in members])
    assert 0 < missing.sum() < 30
    assert (proba[missing][:, :, 2] == 0).all()
    np.testing.assert_allclose(proba.sum(axis=2), 1)


def test_t27_probabilities_of_a_member_that_are_none_are_refused_before_payment(
    logging_oracle,
):
    class Broken(GaussianNB):
        def predict_proba(self, X):
            return np.full((len(X), len(self.classes_)), np.nan)

    oracle = logging_oracle()
    named = [("good", GaussianNB()), ("bad", Broken())]
    with pytest.raises(ValueError, match=r"Member bad \(Broken\)"):
        learner(committee=named, strategy="bald").fit(X, y, oracle=oracle)
    assert oracle.n_calls == 0


# Worker processes


def test_t10_an_interrupted_committee_keeps_the_labels_and_can_be_fitted_again():
    class Interrupted(GaussianNB):
        def fit(self, X, y):
            if len(y) > 18:
                raise KeyboardInterrupt
            return super().fit(X, y)

    clf = learner(Interrupted(), committee=3)
    with pytest.raises(KeyboardInterrupt) as caught:
        asked(clf)
    assert len(caught.value.labels) == clf.n_queries_ > 0
    assert asked(clf.set_params(estimator=GaussianNB())) == asked(
        learner(GaussianNB(), committee=3)
    )


class Hangs(DecisionTreeClassifier):
    """Never comes to an end with many labels, and leaves the number of its process."""

    def __init__(self, folder=None, random_state=None):
        super().__init__(random_state=random_state)
        self.folder = folder

    def fit(self, X, y):
        if len(y) > 18:
            Path(self.folder, str(os.getpid())).touch()
            time.sleep(600)
        return super().fit(X, y)


def interrupt_when(folder, n_files):
    """Simulate Ctrl-C once there is a given number of files."""
    while len(os.listdir(folder)) < n_files:
        time.sleep(0.05)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


@pytest.fixture
def heeds_ctrl_c():
    """Let Ctrl-C raise KeyboardInterrupt, also where a shell has us ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def is_gone(pid):
    """Tell whether a process has ended and, no zombie, has been waited for."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


@pytest.mark.slow
@pytest.mark.usefixtures("heeds_ctrl_c")
def test_t10_ctrl_c_while_workers_fit_leaves_none_of_them_behind(tmp_path):
    named = [("a", Hangs(str(tmp_path))), ("b", Hangs(str(tmp_path)))]
    clf = learner(committee=named, n_jobs=2)
    threading.Thread(target=interrupt_when, args=(tmp_path, 2), daemon=True).start()
    with pytest.raises(KeyboardInterrupt) as caught:
        asked(clf)
    assert len(caught.value.labels) == clf.n_queries_ > 0
    until = time.monotonic() + 60
    while not all(is_gone(int(pid)) for pid in os.listdir(tmp_path)):
        assert time.monotonic() < until
        time.sleep(0.05)
    assert len(asked(learner(GaussianNB(), committee=3, n_jobs=2))) == 12


class Dies(DecisionTreeClassifier):
    """Kills the worker process that fits it, once if there is a `flag` to leave."""

    def __init__(self, parent=None, flag=None, random_state=None):
        super().__init__(random_state=random_state)
        self.parent = parent
        self.flag = flag

    def fit(self, X, y):
        if os.getpid() != self.parent and not (self.flag and os.path.exists(self.flag)):
            if self.flag:
                Path(self.flag).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fit(X, y)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("flag", "message"), [("dead", "once more in new"), (None, "in this process")]
)
def test_t42_a_killed_worker_costs_a_warning_and_changes_nothing(
    tmp_path, flag, message
):
    undisturbed = learner(DecisionTreeClassifier(random_state=0), committee=3, budget=4)
    flag = flag and str(tmp_path / flag)
    clf = learner(Dies(os.getpid(), flag, 0), committee=3, budget=4, n_jobs=2)
    # The classifier itself is fitted here, its members in workers.
    with pytest.warns(UserWarning, match=f"worker process was killed.*{message}"):
        assert asked(clf) == asked(undisturbed)
    np.testing.assert_array_equal(clf.predict(X), undisturbed.predict(X))


class Unsendable(GaussianNB):
    """Refuses to be sent anywhere."""

    def __reduce__(self):
        raise pickle.PicklingError("this stays here")


@pytest.mark.parametrize(
    "labels",
    [
        pytest.param(y, marks=pytest.mark.slow, id="labels"),
        pytest.param(np.full(150, -1), id="none"),
    ],
)
def test_t45_a_member_that_cannot_be_sent_is_refused_with_the_remedy(labels):
    clf = learner(Unsendable(), committee=3, n_jobs=2)
    n_paid = 0 if labels is y else 4  # a cold start has no model that could fail
    error = ValueError if labels is y else ActiveLearningError
    with pytest.raises(error, match=r"cannot be sent.*backend='threading'") as caught:
        asked(clf, labels=labels)
    assert len(getattr(caught.value, "labels", [])) == n_paid
    with joblib.parallel_config(backend="threading"):
        assert len(asked(clf)) == 12


def test_t46_workers_read_rows_from_read_only_files(monkeypatch, tmp_path):
    monkeypatch.setattr(_sharing, "_MIN_BYTES", 0)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    alone = asked(learner(committee=3))
    assert asked(learner(committee=3, n_jobs=2), mapped) == alone
    assert asked(learner(committee=3, n_jobs=2)) == alone


@pytest.mark.slow
def test_t46_a_fit_in_a_worker_on_rows_that_joblib_has_mapped():
    work = joblib.Parallel(n_jobs=2, max_nbytes=0)
    alone = asked(learner())
    assert work(joblib.delayed(asked)(learner(), X, y) for _ in range(2)) == [alone] * 2


# Files for the workers


def test_t47_rows_are_written_once_and_nothing_grows_in_50_rounds(
    monkeypatch, tmp_path
):
    def size(pool):
        files = glob.glob(str(tmp_path / "**"), recursive=True)
        sizes.append(sum(os.path.getsize(f) for f in files if os.path.isfile(f)))

    sizes, dumps, dump = [], [], joblib.dump
    monkeypatch.setattr(_sharing, "_MIN_BYTES", 0)
    monkeypatch.setattr(_sharing, "dump", lambda *a: (dumps.append(a[1]), dump(*a)))
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path))
    clf = learner(GaussianNB(), committee=2, n_jobs=2, batch_size=1, budget=50)
    asked(clf.set_params(stopping=size))
    assert clf.n_iter_ == 50
    assert len(dumps) == 1
    assert len(set(sizes[1:])) == 1
    del clf
    assert glob.glob(str(tmp_path / "skactive_*")) == []


def test_t47_a_full_temporary_folder_is_named_and_no_label_is_lost(
    monkeypatch, tmp_path, full_disk
):
    monkeypatch.setattr(_sharing, "_MIN_BYTES", 0)
    monkeypatch.setenv("JOBLIB_TEMP_FOLDER", str(tmp_path))
    clf = learner(committee=3, n_jobs=2)
    with full_disk(X.nbytes // 2), pytest.raises(OSError, match="too large") as caught:
        asked(clf, labels=np.full(150, -1))
    assert len(caught.value.labels) == clf.n_queries_ == 4
    assert "JOBLIB_TEMP_FOLDER" in "".join(caught.value.__notes__)
    assert str(tmp_path) in "".join(caught.value.__notes__)
    assert [f for f in tmp_path.rglob("*") if f.is_file()] == []
    known = np.where(np.isin(IDS, clf.query_indices_), truth, -1)
    assert len(asked(clf, labels=known)) == 12


# The same everywhere


@pytest.fixture(scope="module")
def alone():
    """What a run in one thread of this process asks and predicts."""
    runs = {}

    def alone(estimator, strategy):
        key = str(estimator), strategy
        if key not in runs:
            runs[key] = learner(estimator, strategy=strategy, committee=4)
            asked(runs[key])
        return runs[key]

    return alone


@pytest.mark.parametrize("order", [pytest.param("C", marks=pytest.mark.slow), "F"])
@pytest.mark.parametrize(
    "estimator", [LogisticRegression(), DecisionTreeClassifier(random_state=0)], ids=str
)
@pytest.mark.parametrize("strategy", ["vote_entropy", "bald"])
@pytest.mark.parametrize(
    ("n_jobs", "backend"),
    [
        (1, "loky"),  # which has no say then
        (2, "loky"),
        (2, "threading"),
        *(pytest.param(4, b, marks=pytest.mark.slow) for b in ("loky", "threading")),
    ],
)
def test_t59_workers_and_memory_order_change_nothing(
    alone, strategy, estimator, backend, n_jobs, order
):
    expected = alone(estimator, strategy)
    clf = learner(estimator, strategy=strategy, committee=4, n_jobs=n_jobs)
    with joblib.parallel_config(backend=backend):
        rows = asked(clf, np.asarray(X, order=order))
    assert rows == expected.query_indices_.tolist()
    for name in ("estimator_", "committee_"):
        ours, theirs = getattr(clf, name), getattr(expected, name)
        np.testing.assert_allclose(
            ours.predict_proba(X), theirs.predict_proba(X), rtol=0, atol=1e-12
        )


def test_t59_blocks_do_not_change_what_members_say(monkeypatch):
    labeled = y != -1

    def outputs(size, n_jobs):
        monkeypatch.setattr("skactive._pool.blocks.block_rows", lambda X: size)
        pool = make_pool(
            X,
            y,
            labeled,
            np.flatnonzero(~labeled),
            estimator=GaussianNB(),
            committee=3,
            n_jobs=n_jobs,
        )
        return pool.member_proba, pool.votes

    whole = outputs(1000, 1)
    for size, n_jobs in [(17, 1), (17, 2), (1000, 2)]:
        for part, expected in zip(outputs(size, n_jobs), whole, strict=True):
            np.testing.assert_allclose(part, expected, atol=1e-12)
