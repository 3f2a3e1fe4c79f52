"""Labels kept in a file: T01, T02, T04, T06, T09, T12 to T16, T36, T37, T48 to T68."""

import itertools
import os
import pickle
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from copy import deepcopy
from inspect import signature
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, StratifiedKFold

from skactive import ActiveLearningClassifier
from skactive.exceptions import (
    OracleError,
    StopLabeling,
    StoreBusyError,
    StoreCorruptedError,
    StoreError,
    StoreVersionError,
)
from skactive.model_selection import LabeledFold, labeled_scorer
from skactive.oracles import CachedOracle
from skactive.oracles._store.schema import APPLICATION_ID, SCHEMA_VERSION
from skactive.oracles._store.store import LabelStore


class Asked:
    """An oracle that writes the ids of the rows to a file, one per line."""

    def __init__(self, log, *, seconds=0.0, fail_at=None):
        self.log = log
        self.seconds = seconds
        self.fail_at = fail_at

    def __call__(self, X, sample_ids, request_ids):
        with open(self.log, "a") as file:
            file.writelines(f"{i}\n" for i in sample_ids)
        time.sleep(self.seconds)
        if self.fail_at is not None and len(self.ids()) > self.fail_at:
            raise ConnectionError("line broken")
        return [int(i) % 2 for i in sample_ids]

    def ids(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log) as file:
            return [int(line) for line in file]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


@pytest.fixture
def asked(tmp_path):
    return Asked(tmp_path / "asked.txt")


def ask_ids(oracle, sample_ids):
    return list(oracle(np.zeros((len(sample_ids), 1)), sample_ids=sample_ids))


def fit(clf, X, y, **params):
    return clf.fit(X, y, sample_ids=np.arange(len(X)), **params)


def run_in_process(path, log, seed):
    """Ask 40 batches of rows out of 150, in an order of its own."""
    oracle = CachedOracle(Asked(log, seconds=0.001), path)
    rng = np.random.default_rng(seed)
    batches = [rng.choice(150, 5, replace=False).tolist() for _ in range(40)]
    return [(ids, ask_ids(oracle, ids)) for ids in batches]


# Paid once


def test_a_row_is_asked_once_and_answered_from_the_file_then(path, asked):
    assert ask_ids(CachedOracle(asked, path), [3, 4]) == [1, 0]
    assert ask_ids(CachedOracle(asked, path), [4, 5, 3]) == [0, 1, 1]
    assert asked.ids() == [3, 4, 5]


def test_the_int_1_and_the_str_1_are_different_rows(path, asked):
    ask_ids(CachedOracle(asked, path), [1, "1"])
    assert asked.ids() == [1, 1]


def test_only_the_rows_that_are_not_known_are_passed_with_all_that_belongs_to_them(
    path,
):
    def ask(X, sample_ids, proba, classes):
        calls.append((X.tolist(), list(sample_ids), proba.tolist(), classes))
        return [0] * len(X)

    calls = []
    oracle = CachedOracle(ask, path)
    X, proba = np.arange(3).reshape(-1, 1), np.eye(3)
    oracle(X[:1], sample_ids=["a"], proba=proba[:1], classes=[0, 1])
    oracle(X, sample_ids=["b", "a", "c"], proba=proba, classes=[0, 1])
    assert calls[1] == ([[0], [2]], ["b", "c"], proba[[0, 2]].tolist(), [0, 1])


def test_sample_ids_given_twice_are_refused(path, asked):
    with pytest.raises(ValueError, match="all different"):
        ask_ids(CachedOracle(asked, path), [3, 3])
    assert asked.ids() == []


def test_t56_another_task_is_another_question(path, asked):
    ask_ids(CachedOracle(asked, path), [3])
    ask_ids(CachedOracle(asked, path, task="colour"), [3])
    assert asked.ids() == [3, 3]


def test_t61_the_same_fit_asks_nothing_again_and_ends_with_the_same_model(
    X, y, make_clf, path, asked
):
    first = fit(make_clf(CachedOracle(asked, path)), X, y)
    second = fit(make_clf(CachedOracle(asked, path)), X, y)
    assert len(asked.ids()) == 8
    assert second.query_indices_.tolist() == first.query_indices_.tolist()
    np.testing.assert_array_equal(second.estimator_.coef_, first.estimator_.coef_)


def test_t01_t61_a_fit_that_failed_resumes_like_an_undisturbed_one(
    X, y, make_clf, path, asked, tmp_path
):
    asked.fail_at = 4
    clf = make_clf(CachedOracle(asked, path))
    with pytest.raises(OracleError, match="line broken"):
        fit(clf, X, y)
    bought = clf.query_indices_.tolist()
    asked.fail_at = None
    clf.oracle.reset()
    fit(clf, X, y)
    plain = fit(make_clf(lambda X, sample_ids: [i % 2 for i in sample_ids]), X, y)
    assert clf.query_indices_.tolist() == plain.query_indices_.tolist()
    np.testing.assert_array_equal(clf.estimator_.coef_, plain.estimator_.coef_)
    assert set(asked.ids()[:4]) == set(bought)
    assert not set(bought) & set(asked.ids()[4:])


def test_t06_an_abstention_is_kept_as_one(X, y, make_clf, path):
    def ask(X):
        calls.append(len(X))
        return [-1, None, float("nan"), 1][: len(X)]

    calls = []
    oracle = CachedOracle(ask, path)
    clf = fit(make_clf(oracle, budget=4), X, y)
    assert clf.transduction_[clf.query_indices_].tolist() == [-1, -1, -1, 1]
    assert calls == [4]
    assert [r["label"] for r in oracle.records()].count(None) == 3
    # The three that are stored cost no budget now; the label does.
    clf = fit(make_clf(oracle, budget=4), X, y)
    assert clf.transduction_[clf.query_indices_].tolist() == [-1, -1, -1, 1, -1, -1, -1]
    assert calls == [4, 3]


def test_t62_a_label_in_y_wins_over_the_stored_one_with_a_warning(
    X, y, make_clf, path, asked
):
    oracle = CachedOracle(asked, path)
    oracle.import_labels({"sample_id": [0, 20], "label": [1, 1]})
    with pytest.warns(UserWarning, match=r"1 rows have another .* 0 \(0, stored 1\)"):
        clf = fit(make_clf(oracle), X, y)
    assert clf.transduction_[0] == 0
    assert not {0, 20} & set(asked.ids())


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_t37_every_row_of_a_search_is_paid_once(path, asked, n_jobs):
    X = np.linspace(0, 1, 60).reshape(-1, 1)
    y = np.where(np.arange(60) < 12, np.arange(60) % 2, -1)
    clf = ActiveLearningClassifier(
        LogisticRegression(),
        oracle=CachedOracle(asked, path),
        batch_size=5,
        budget=10,
        random_state=0,
    )
    search = GridSearchCV(
        clf,
        {"strategy": ["margin", "random"]},
        cv=LabeledFold(StratifiedKFold(3)),
        scoring=labeled_scorer("accuracy"),
        n_jobs=n_jobs,
    )
    fit(search, X, y)
    ids = asked.ids()
    assert len(ids) == len(set(ids)) >= 10
    assert search.best_estimator_.n_queries_ == 10


def test_t49_processes_that_ask_at_the_same_time_pay_for_each_row_once(path, asked):
    context = get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        jobs = [pool.submit(run_in_process, path, asked.log, s) for s in range(2)]
        results = [job.result() for job in jobs]
    ids = asked.ids()
    assert len(ids) == len(set(ids)) > 100
    for rows, labels in (pair for result in results for pair in result):
        assert labels == [i % 2 for i in rows]
    assert CachedOracle(asked, path).summary()["n_claimed"] == 0


def fit_alone(path, log, results, X, y, clf):
    clf.oracle = CachedOracle(Asked(log, seconds=0.05), path)
    fit(clf, X, y)
    results.put((clf.query_indices_.tolist(), clf.estimator_.coef_.tolist()))


def test_t49_two_processes_that_fit_on_one_pool_pay_for_it_once(
    X, y, make_clf, path, asked
):
    context = get_context("fork")
    results = context.Queue()
    arguments = (path, asked.log, results, X, y, make_clf())
    processes = [context.Process(target=fit_alone, args=arguments) for _ in range(2)]
    for process in processes:
        process.start()
    first, second = results.get(timeout=60), results.get(timeout=60)
    for process in processes:
        process.join()
    assert first == second
    assert sorted(asked.ids()) == sorted(first[0])


def test_t18_threads_that_share_an_oracle_pay_for_each_row_once(path, asked):
    asked.seconds = 0.01
    oracle = CachedOracle(asked, path)
    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(ask_ids, oracle, list(range(k, k + 6))) for k in range(6)]
    assert [job.result()[0] for job in jobs] == [0, 1, 0, 1, 0, 1]
    assert sorted(asked.ids()) == list(range(11))


# Claims


def test_t13_a_claim_of_a_slow_oracle_is_renewed_while_it_lives(path, asked):
    asked.seconds = 0.8
    oracle = CachedOracle(asked, path, claim_seconds=0.2)
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(ask_ids, clone(oracle), [7, 8]) for _ in range(2)]
    assert [job.result() for job in jobs] == [[1, 0], [1, 0]]
    assert asked.ids() == [7, 8]


def test_t14_rows_of_a_process_that_died_are_asked_again_with_the_same_request_ids(
    path,
):
    code = f"""
import os
from skactive.oracles import CachedOracle
def ask(X, request_ids):
    print(*request_ids, flush=True)
    os._exit(9)
CachedOracle(ask, {str(path)!r}, claim_seconds=0.5)([[0], [1]], sample_ids=[7, 8])
"""
    died = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=os.getcwd()
    )
    assert died.returncode == 9

    def ask(X, request_ids):
        given.extend(request_ids)
        return [1] * len(X)

    given = []
    assert ask_ids(CachedOracle(ask, path), [7, 8]) == [1, 1]
    assert given == died.stdout.split()
    assert len(set(given)) == 2


def test_t14_an_interrupt_gives_up_the_claim_and_leaves_the_breaker_closed(path, asked):
    def ask(X):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ask_ids(CachedOracle(ask, path), [7])
    assert CachedOracle(asked, path).summary()["n_claimed"] == 0
    assert ask_ids(CachedOracle(asked, path), [7]) == [1]


def test_t09_an_interrupt_leaves_the_answers_in_the_file(X, y, make_clf, path, asked):
    def ask(X, sample_ids, request_ids):
        if asked.ids():
            raise KeyboardInterrupt
        return asked(X, sample_ids, request_ids)

    with pytest.raises(KeyboardInterrupt):
        fit(make_clf(CachedOracle(ask, path)), X, y)
    assert len(CachedOracle(asked, path).records()) == len(asked.ids()) == 4
    clf = fit(make_clf(CachedOracle(asked, path)), X, y)
    assert sorted(asked.ids()) == sorted(clf.query_indices_)


def change_claims(path, what):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE claims SET {what}")


def test_t13_a_late_answer_is_accepted(path, asked):
    store = LabelStore(path)
    store.claim("default", {"7": 1.0}, "late", 10)
    change_claims(path, "expires_at = expires_at - 60, process = NULL")
    other = store.claim("default", {"7": 1.0}, "other", 60)
    assert other.mine == ["7"]
    assert store.record("default", {"7": 1}, "anna") == {}
    assert store.record("default", {"7": 0}, "bert") == {"7": 1}
    assert store.answers("default", ["7"]) == {"7": 1}
    (event,) = store.events()
    assert (event["kind"], event["annotator"]) == ("contradiction", "bert")
    store.close()


def test_t68_a_claim_of_the_future_after_the_clock_was_put_back_is_taken_over(path):
    store = LabelStore(path)
    store.claim("default", {"7": 1.0}, "old", 10)
    change_claims(path, "expires_at = expires_at + 3600, process = NULL")
    assert store.claim("default", {"7": 1.0}, "new", 10).mine == ["7"]
    store.close()


def test_t16_the_first_of_two_answers_stays_and_the_second_is_reported(path):
    def ask(X):  # somebody else is quicker
        LabelStore(path).record("default", {"7": 1}, "bert")
        return [0]

    oracle = CachedOracle(ask, path, annotator="anna")
    with pytest.warns(UserWarning, match="7 has the label 1 .* the answer 0 was ign"):
        assert ask_ids(oracle, [7]) == [1]
    assert [record["label"] for record in oracle.records()] == [1]
    (event,) = oracle.events()
    assert (event["kind"], event["annotator"]) == ("contradiction", "anna")
    assert (event["sample_id"], event["label"]) == (7, 0)


def test_t68_a_clock_that_runs_backwards_changes_nothing(
    X, y, make_clf, path, asked, monkeypatch
):
    plain = fit(make_clf(lambda X, sample_ids: [i % 2 for i in sample_ids]), X, y)
    clock = itertools.count(2e9, -3600)  # an hour earlier at each look
    monkeypatch.setattr(time, "time", lambda: next(clock))
    clf = fit(make_clf(CachedOracle(asked, path)), X, y)
    assert clf.query_indices_.tolist() == plain.query_indices_.tolist()
    assert sorted(asked.ids()) == sorted(clf.query_indices_)
    seconds = [r[name] for r in clf.history_ for name in r if name.endswith("seconds")]
    assert min(seconds) >= 0
    assert clf.oracle.summary()["n_claimed"] == 0


# Answers one by one


def test_t12_an_answer_of_an_iterator_is_in_the_file_when_it_is_yielded(path):
    def ask(X):
        yield from range(len(X))

    oracle = CachedOracle(ask, path)
    answers = oracle(np.zeros((3, 1)), sample_ids=[5, 6, 7])
    assert next(answers) == 0
    assert [r["sample_id"] for r in CachedOracle(ask, path).records()] == [5]
    answers.close()
    assert oracle.summary()["n_claimed"] == 0
    assert ask_ids(oracle, [5, 6]) == [0, 0]


@pytest.mark.parametrize("as_list", [True, False])
def test_t09_stop_labeling_ends_the_run_with_what_is_known_of_the_first_rows(
    path, as_list
):
    def ask(X):
        if as_list:
            raise StopLabeling("late", labels=[1])
        return one_then_stop()

    def one_then_stop():
        yield 1
        raise StopLabeling("late")

    ask_ids(CachedOracle(lambda X: [0], path), ["a"])
    with pytest.raises(StopLabeling, match="late") as caught:
        ask_ids(CachedOracle(ask, path), ["a", "b", "c"])
    assert caught.value.labels == [0, 1]
    oracle = CachedOracle(ask, path)
    assert oracle.summary()["breaker"] is None
    assert oracle.summary()["n_asked"] == 2


def test_an_iterator_whose_rows_wait_for_others_is_written_one_by_one(path, asked):
    asked.seconds = 0.3
    other = threading.Thread(target=ask_ids, args=(CachedOracle(asked, path), [2]))
    other.start()
    while not asked.ids():
        time.sleep(0.01)
    oracle = CachedOracle(lambda X: iter([7] * len(X)), path)
    assert ask_ids(oracle, [1, 2, 3]) == [7, 0, 7]
    other.join()
    assert asked.ids() == [2]


@pytest.mark.parametrize(("n_given", "why"), [(1, "ended too early"), (3, "went on")])
def test_t12_an_iterator_of_the_wrong_length_keeps_what_it_gave(path, n_given, why):
    oracle = CachedOracle(lambda X: iter([1] * n_given), path)
    with pytest.raises(OracleError, match=why):
        ask_ids(oracle, [5, 6])
    assert len(oracle.records()) == min(n_given, 2)


# Failures and limits


def test_t01_after_a_failure_nothing_is_paid_until_the_reset(path, asked):
    asked.fail_at = 1
    oracle = CachedOracle(asked, path)
    assert ask_ids(oracle, [1]) == [1]
    with pytest.raises(OracleError, match="ConnectionError: line broken"):
        ask_ids(oracle, [2])
    with pytest.raises(OracleError, match=r"pays for no more.*line broken.*--reset"):
        ask_ids(oracle, [3])
    assert asked.ids() == [1, 2]
    assert ask_ids(oracle, [1]) == [1]
    asked.fail_at = None
    oracle.reset()
    assert ask_ids(oracle, [2, 3]) == [0, 1]
    assert [event["kind"] for event in oracle.events()] == ["failure", "reset"]


def test_t36_a_search_with_a_failing_oracle_asks_once(X, y, make_clf, path, asked):
    asked.fail_at = 0
    clf = make_clf(CachedOracle(asked, path))
    search = GridSearchCV(clf, {"strategy": ["margin", "random"]}, cv=2)
    y[:4] = [0, 1, 0, 1]
    with pytest.raises(ValueError, match="fits failed"):
        fit(search, X, y)
    assert len(asked.ids()) == 4


def test_t02_retries_inside_the_store_get_the_same_request_ids(path):
    def ask(X, request_ids):
        given.append(list(request_ids))
        if len(given) == 1:
            raise TimeoutError
        return [1] * len(X)

    def retrying(X, request_ids):
        try:
            return ask(X, request_ids)
        except TimeoutError:
            return ask(X, request_ids)

    given = []
    oracle = CachedOracle(retrying, path)
    assert ask_ids(oracle, ["a", "b"]) == [1, 1]
    assert given[0] == given[1]
    assert oracle.summary()["n_calls"] == 1


def test_t02_rows_that_were_tried_again_count_once_in_the_budget(X, y, make_clf, path):
    def retrying(X):
        calls.append(len(X))
        return retrying(X) if len(calls) == 1 else [0, 1, 0, 1]

    calls = []
    clf = fit(make_clf(CachedOracle(retrying, path, max_cost=8)), X, y)
    assert calls == [4, 4, 4]
    assert (clf.n_queries_, clf.termination_condition_) == (8, "budget")
    assert clf.oracle.summary()["n_asked"] == 8


def test_t20_max_calls_ends_the_run_normally(X, y, make_clf, path, asked):
    clf = make_clf(CachedOracle(asked, path, max_calls=1))
    with pytest.warns(UserWarning, match="max_calls=1 is reached"):
        fit(clf, X, y)
    assert (clf.termination_condition_, clf.n_queries_) == ("oracle", 4)
    assert len(asked.ids()) == 4


def test_max_cost_counts_the_cost_of_the_fit(X, y, make_clf, path, asked):
    clf = make_clf(CachedOracle(asked, path, max_cost=10))
    with pytest.warns(UserWarning, match="max_cost=10 is reached"):
        fit(clf, X, y, cost=np.full(len(X), 2.0))
    assert clf.n_queries_ == len(asked.ids()) == 5
    assert clf.oracle.summary()["cost"] == 10


def test_rows_that_are_known_are_given_when_the_money_is_spent(path, asked):
    oracle = CachedOracle(asked, path, max_cost=2)
    assert ask_ids(oracle, [1, 2]) == [1, 0]
    with pytest.warns(UserWarning, match="max_cost"), pytest.raises(StopLabeling) as e:
        ask_ids(oracle, [2, 1, 3])
    assert e.value.labels == [0, 1]
    assert ask_ids(oracle, [2, 1]) == [0, 1]


def test_t04_an_unknown_class_is_not_stored_and_the_others_are(X, y, make_clf, path):
    clf = make_clf(CachedOracle(lambda X: [1, 7, 0, 7], path), classes=[0, 1])
    with pytest.raises(OracleError, match=r"2 of 4 .* 7 is not one of") as caught:
        fit(clf, X, y)
    assert caught.value.answers == [7, 7]
    assert sorted(r["label"] for r in clf.oracle.records()) == [0, 1]


def test_t56_stored_answers_outside_the_classes_are_listed_and_nothing_is_changed(
    X, y, make_clf, path, asked
):
    ask_ids(CachedOracle(lambda X: ["red", "red"], path), ["r1", "r2"])
    clf = make_clf(CachedOracle(asked, path), classes=[0, 1])
    with pytest.raises(OracleError, match=r'"r1", "r2".*another `task`') as caught:
        fit(clf, X, y)
    assert caught.value.answers == ["red"]
    assert asked.ids() == []
    assert len(clf.oracle.records()) == 2


def test_an_inner_oracle_that_cannot_be_called_is_refused_before_anything(
    X, y, make_clf, path
):
    clf = make_clf(CachedOracle(lambda X, price: [1], path))
    with pytest.raises(TypeError, match="requires the parameter 'price'"):
        fit(clf, X, y)
    assert not path.exists()


def test_a_fit_without_sample_ids_is_refused(X, y, make_clf, path, asked):
    with pytest.raises(ValueError, match="requires sample_ids"):
        make_clf(CachedOracle(asked, path)).fit(X, y)


# The file


def test_the_file_is_for_its_owner_only(path, asked):
    oracle = CachedOracle(asked, path)
    ask_ids(oracle, [1])
    for name in path.parent.glob("labels.sqlite*"):
        assert stat.S_IMODE(name.stat().st_mode) == 0o600
    assert len(list(path.parent.glob("labels.sqlite*"))) == 3


def test_t51_a_newer_file_is_refused_untouched(path, asked):
    newer = SCHEMA_VERSION + 1
    make_database(path, APPLICATION_ID, newer)
    before = path.read_bytes()
    with pytest.raises(StoreVersionError, match=f"has the format {newer}"):
        ask_ids(CachedOracle(asked, path), [1])
    assert path.read_bytes() == before
    assert asked.ids() == []


def make_database(path, application, version):
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE answers (a)")
    connection.execute(f"PRAGMA application_id = {application}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.commit()
    connection.close()


def test_t53_a_database_of_another_program_is_refused_untouched(path, asked):
    make_database(path, 0, 1)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        ask_ids(CachedOracle(asked, path), [1])
    assert path.read_bytes() == before


@pytest.mark.parametrize("damage", ["garbage", "short", "truncated", "page"])
def test_t53_a_damaged_file_is_refused_untouched(path, asked, tmp_path, damage):
    oracle = CachedOracle(asked, tmp_path / "whole.sqlite")
    ask_ids(oracle, list(range(2000)))
    oracle.close()
    whole = (tmp_path / "whole.sqlite").read_bytes()
    page = whole[:4096] + b"\xff" * 8192 + whole[12288:]
    bad = {"garbage": b"no database " * 99, "short": whole[:50], "page": page}
    path.write_bytes(bad.get(damage, whole[:6000]))
    before = path.read_bytes()
    with pytest.raises(StoreCorruptedError, match="damaged"):
        ask_ids(CachedOracle(asked, path), [1])
    assert path.read_bytes() == before
    assert len(asked.ids()) == 2000


def test_t53_a_folder_or_a_missing_folder_is_named(tmp_path, asked):
    with pytest.raises(StoreError, match="is a folder"):
        ask_ids(CachedOracle(asked, tmp_path), [1])
    with pytest.raises(StoreError, match="there is no folder"):
        ask_ids(CachedOracle(asked, tmp_path / "no" / "labels.sqlite"), [1])


@pytest.fixture
def unprivileged(path):
    """Become somebody who may not write what is read-only."""
    if not hasattr(os, "geteuid"):
        pytest.skip("there are no such users here")
    if os.geteuid() != 0:
        yield path
        return
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    os.seteuid(65534)  # nobody
    yield folder / path.name
    os.seteuid(0)
    shutil.rmtree(folder)


def test_t53_a_read_only_file_answers_what_it_knows_and_asks_nothing(
    unprivileged, asked
):
    path = unprivileged
    ask_ids(CachedOracle(lambda X: [1], path), [1])
    CachedOracle(lambda X: [1], path).close()
    path.chmod(0o400)
    before, oracle = path.read_bytes(), CachedOracle(asked, path)
    assert ask_ids(oracle, [1]) == [1]
    with pytest.raises(StoreError, match=r"readonly .* must be writable"):
        ask_ids(oracle, [1, 2])
    assert path.read_bytes() == before
    assert asked.ids() == []


def test_t53_a_file_that_may_not_be_read_is_named(unprivileged, asked):
    unprivileged.touch()
    unprivileged.write_bytes(b"secret")
    unprivileged.chmod(0)
    with pytest.raises(StoreError, match=r"labels\.sqlite cannot be read"):
        ask_ids(CachedOracle(asked, unprivileged), [1])


def test_t54_a_file_that_stays_locked_is_reported(path, asked):
    oracle = CachedOracle(asked, path, timeout=0.1)
    ask_ids(oracle, [1])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(StoreBusyError, match=r"more than 0\.1 seconds"):
        ask_ids(oracle, [2])
    other.close()
    assert ask_ids(oracle, [2]) == [0]


def test_t54_a_lock_that_is_given_up_in_time_is_waited_for(path, asked):
    oracle = CachedOracle(asked, path, timeout=60)
    ask_ids(oracle, [1])
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    unlock = threading.Timer(0.3, other.execute, ["ROLLBACK"])
    unlock.start()
    assert ask_ids(oracle, [2]) == [0]
    unlock.join()
    other.close()


def test_t54_answers_that_cannot_be_written_come_with_the_error(path):
    def ask(X):
        other.execute("BEGIN EXCLUSIVE")
        return [1, 0]

    oracle = CachedOracle(ask, path, timeout=0.1)
    oracle.summary()
    other = sqlite3.connect(path, isolation_level=None)
    with (
        pytest.warns(UserWarning, match="claim"),
        pytest.raises(StoreBusyError) as caught,
    ):
        ask_ids(oracle, ["a", "b"])
    other.close()
    assert caught.value.answers == {"a": 1, "b": 0}


def test_t48_a_full_disk_loses_nothing_and_the_file_is_whole_afterwards(path, asked):
    oracle = CachedOracle(asked, path)
    ask_ids(oracle, [1])
    store = oracle._open()
    run = store._connection.execute
    run(f"PRAGMA max_page_count = {run('PRAGMA page_count').fetchone()[0]}")
    with pytest.raises(StoreError, match="full") as caught:
        store.record("default", {f"{i}": "x" * 50 for i in range(2000)}, "anna")
    assert type(caught.value) is StoreError
    run("PRAGMA max_page_count = 1000000")
    store.check()
    assert ask_ids(oracle, [1, 2]) == [1, 0]


def test_t48_answers_come_with_the_error_and_are_asked_again_when_there_is_space(
    X, y, make_clf, path, full_disk
):
    def ask(X):  # answers that are too long for what is left
        return [f"{i}{'x' * 20_000}" for i in range(len(X))]

    clf = make_clf(CachedOracle(ask, path, claim_seconds=0.01), missing_label="")
    names = np.where(y == -1, "", y.astype(str)).astype(object)
    with full_disk(70_000), pytest.raises(StoreError, match="disk") as caught:
        fit(clf, X, names)
    assert sorted(caught.value.answers.values()) == ask(X[:4])
    clf.oracle._open().check()
    assert clf.oracle.records() == []
    assert fit(clf, X, names).n_queries_ == len(clf.oracle.records()) == 8


def test_t55_copies_open_the_file_for_themselves(path, asked):
    oracle = CachedOracle(asked, path)
    ask_ids(oracle, [1])
    for copied in (clone(oracle), deepcopy(oracle), pickle.loads(pickle.dumps(oracle))):
        assert "_store" not in vars(copied)
        assert ask_ids(copied, [1]) == [1]
    assert asked.ids() == [1]


def test_t55_a_fork_opens_the_file_anew(path, asked):
    oracle = CachedOracle(asked, path)
    ask_ids(oracle, [1])
    child = get_context("fork").Process(target=ask_ids, args=(oracle, [1, 2]))
    child.start()
    child.join()
    assert child.exitcode == 0
    assert ask_ids(oracle, [2, 3]) == [0, 1]
    assert asked.ids() == [1, 2, 3]


def test_a_file_that_was_removed_is_made_again(path, asked):
    oracle = CachedOracle(asked, path)
    ask_ids(oracle, [1])
    for name in path.parent.glob("labels.sqlite*"):
        name.unlink()
    assert ask_ids(oracle, [1]) == [1]
    assert asked.ids() == [1, 1]


def test_t58_the_parameters_are_all_there_is(path, asked):
    oracle = CachedOracle(asked, path, task="colour", max_cost=3)
    ask_ids(oracle, [1])
    assert clone(oracle).get_params() == oracle.get_params()


def test_t58_what_was_spent_is_counted_over_all_clones(X, y, make_clf, path, asked):
    clf = make_clf(CachedOracle(asked, path, max_cost=10))
    assert fit(clone(clf), X, y).n_queries_ == 8
    with pytest.warns(UserWarning, match="max_cost=10 is reached"):
        other = fit(clone(clf).set_params(strategy="random", random_state=1), X, y)
    assert other.termination_condition_ == "oracle"
    assert clf.oracle.summary()["cost"] == len(asked.ids()) == 10


def test_t57_a_loaded_classifier_predicts_without_opening_the_file(
    X, y, make_clf, path, asked
):
    clf = fit(make_clf(CachedOracle(asked, path)), X, y)
    saved = pickle.dumps(clf)
    clf.oracle.close()
    for name in path.parent.glob("labels.sqlite*"):
        name.unlink()
    loaded = pickle.loads(saved)
    np.testing.assert_array_equal(loaded.predict(X), clf.predict(X))
    assert not list(path.parent.glob("labels.sqlite*"))


def test_probabilities_are_computed_for_an_inner_oracle_that_names_them_only(path):
    without = CachedOracle(lambda X: [1], path)
    with_proba = CachedOracle(lambda X, proba: [1], path)
    assert list(signature(without).parameters) == ["X", "sample_ids", "classes"]
    assert "proba" in signature(with_proba).parameters
    assert "task" in signature(CachedOracle).parameters


def test_a_second_connection_of_a_process_leaves_the_locks_of_the_first(path):
    first = LabelStore(path)
    first.record("default", {"1": 1}, "anna")
    second = LabelStore(path)
    code = f"""
import sqlite3
connection = sqlite3.connect({str(path)!r})
connection.execute("SELECT * FROM answers").fetchall()
connection.close()
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    # The last one to close removes it; another process must not think it is that.
    assert path.with_name("labels.sqlite-wal").exists()
    second.close()
    first.close()
