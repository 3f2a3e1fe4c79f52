"""Processes that are killed while they label: T50."""

import itertools
import os
import random
import signal
import time
from collections import Counter
from multiprocessing import get_context

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive.oracles import CachedOracle
from skactive.oracles._store.store import LabelStore

BATCH = 5
CRASH_POINTS = ["before claim", "after claim", "asked", "before record", "after record"]


def kill_self(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)


class Log:
    """Lines of a file; what was written outlives the process."""

    def __init__(self, path):
        self.path = path

    def add(self, lines):
        with open(self.path, "a") as file:
            file.write("".join(f"{line}\n" for line in lines))

    def lines(self):
        return self.path.read_text().splitlines() if self.path.exists() else []


def label_all(
    folder,
    *,
    n_rows=400,
    one_by_one=False,
    crash_at=None,
    break_store=None,
    n_acked=None,
):
    """Label all rows in batches; write down all requests and acknowledgements."""
    asked, acked = Log(folder / "asked"), Log(folder / "acked")

    def ask(X, sample_ids, request_ids):
        asked.add(
            f"{i} {request}" for i, request in zip(sample_ids, request_ids, strict=True)
        )
        if crash_at == "asked":
            kill_self()
        labels = [int(i) % 3 for i in sample_ids]
        return iter(labels) if one_by_one else labels

    arm(crash_at)
    if break_store:
        break_by(break_store)
    oracle = CachedOracle(ask, folder / "labels.sqlite", claim_seconds=0.05)
    for start in range(0, n_rows, BATCH):
        ids = list(range(start, start + BATCH))
        for i, _ in zip(ids, oracle([[0]] * BATCH, sample_ids=ids), strict=True):
            acked.add([i])
        if start + BATCH == n_acked:
            kill_self()


def arm(crash_at):
    """Kill this process when it comes to a named point for the first time."""
    if crash_at in (None, "asked"):
        return
    when, name = crash_at.split()
    original = getattr(LabelStore, name)

    def crash(self, *args, **kwargs):
        if when == "after":
            original(self, *args, **kwargs)
        kill_self()

    setattr(LabelStore, name, crash)


def break_by(how):
    """Let the store acknowledge what it has not written."""
    original, waiting = LabelStore.record, []

    def write_later(self, *args):
        waiting.append(args)
        return original(self, *waiting.pop(0)) if len(waiting) > 1 else {}

    LabelStore.record = write_later if how == "late" else lambda self, *args: {}


def run_child(folder, *, kill_after=None, **how):
    child = get_context("fork").Process(target=label_all, args=(folder,), kwargs=how)
    child.start()
    if kill_after is not None:
        time.sleep(kill_after)
        child.kill()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode


def lost_and_repeated(folder):
    """Return acknowledged ids that are not stored, and how often ids were repeated."""
    oracle = CachedOracle(print, folder / "labels.sqlite")
    stored = {record["sample_id"] for record in oracle.records()}
    oracle.close()
    acked = {int(line) for line in Log(folder / "acked").lines()}
    asked = Counter(Log(folder / "asked").lines())
    requests = {line.split()[0]: line.split()[1] for line in asked}
    assert len(requests) == len(asked), "an id was asked with two request ids"
    return acked - stored, {line: n - 1 for line, n in asked.items() if n > 1}


def test_t50_the_harness_notices_a_loss(tmp_path):
    assert run_child(tmp_path, n_rows=20, break_store="never") == 0
    lost, _ = lost_and_repeated(tmp_path)
    assert lost == set(range(20))


def test_t50_the_harness_notices_a_batch_that_is_written_too_late(tmp_path):
    n_acked = 3 * BATCH
    assert run_child(tmp_path, break_store="late", n_acked=n_acked) == -signal.SIGKILL
    lost, _ = lost_and_repeated(tmp_path)
    assert lost == set(range(n_acked - BATCH, n_acked))


@pytest.mark.parametrize("one_by_one", [False, True])
@pytest.mark.parametrize("crash_at", CRASH_POINTS)
def test_t50_a_crash_at_a_named_point_loses_nothing_that_was_acknowledged(
    tmp_path, crash_at, one_by_one
):
    how = {"n_rows": 40, "one_by_one": one_by_one}
    for _ in range(3):
        code = run_child(tmp_path, crash_at=crash_at, **how)
        assert code == -signal.SIGKILL
        time.sleep(0.06)  # or the claims of the dead have to be waited for
    assert run_child(tmp_path, **how) == 0
    lost, repeated = lost_and_repeated(tmp_path)
    assert not lost
    assert len(repeated) <= 3 * BATCH
    if crash_at in ("before claim", "after claim") or (
        crash_at == "after record" and not one_by_one
    ):
        assert not repeated


@pytest.mark.slow
@pytest.mark.parametrize("one_by_one", [False, True])
def test_t50_random_kills_lose_nothing_and_repeat_only_rows_in_flight(
    tmp_path, one_by_one
):
    rng = random.Random(0)
    how = {"one_by_one": one_by_one}
    n_kills = n_folders = 0
    while n_kills < 60:
        folder = tmp_path / str(n_folders)
        folder.mkdir()
        n_folders += 1
        for n_killed in range(1, 5):
            if run_child(folder, kill_after=rng.random() * 0.1, **how) == 0:
                break
            n_kills += 1
            lost, repeated = lost_and_repeated(folder)
            assert not lost
            assert sum(repeated.values()) <= n_killed * BATCH


def fit_with(path, crash_at=None):
    """Fit on a store, and leave the ids of the requests in a file beside it."""
    asked = Log(path.with_suffix(".asked"))

    def ask(X, sample_ids, request_ids):
        asked.add(f"{i} {r}" for i, r in zip(sample_ids, request_ids, strict=True))
        if crash_at == "asked" and len(asked.lines()) > 3:  # in the second round
            kill_self()
        return (X[:, 0] > 0.5).astype(int).tolist()

    arm(crash_at)
    X = np.linspace(0, 1, 50).reshape(-1, 1)
    oracle = CachedOracle(ask, path, claim_seconds=0.05)
    clf = ActiveLearningClassifier(
        LogisticRegression(), oracle=oracle, batch_size=3, budget=15, random_state=0
    )
    return clf.fit(X, np.full(50, -1), sample_ids=np.arange(50))


def kill_fit(path, *, crash_at=None, kill_after=None):
    """Fit in a child process that is killed; return how it ended."""
    child = get_context("fork").Process(target=fit_with, args=(path, crash_at))
    child.start()
    if kill_after is not None:
        time.sleep(kill_after)
        child.kill()
    child.join()
    assert child.exitcode in (0, -signal.SIGKILL)
    return child.exitcode


def check_resumed(path, plain, n_kills):
    """Fit once more; it must end as if nothing had been killed."""
    resumed, asked = fit_with(path), Log(path.with_suffix(".asked")).lines()
    assert resumed.query_indices_.tolist() == plain.query_indices_.tolist()
    np.testing.assert_array_equal(resumed.estimator_.coef_, plain.estimator_.coef_)
    assert len(set(asked)) == 15
    assert len(asked) <= 15 + 3 * n_kills


@pytest.mark.parametrize("crash_at", CRASH_POINTS)
def test_t50_a_fit_that_was_killed_at_a_named_point_ends_with_the_same_model(
    tmp_path, crash_at
):
    path = tmp_path / "labels.sqlite"
    for _ in range(2):
        assert kill_fit(path, crash_at=crash_at) == -signal.SIGKILL
    check_resumed(path, fit_with(tmp_path / "other.sqlite"), n_kills=2)


@pytest.mark.slow
def test_t50_fits_that_were_killed_at_random_end_with_the_same_model(tmp_path):
    rng, n_kills = random.Random(0), 0
    plain = fit_with(tmp_path / "other.sqlite")
    for run in itertools.count():
        path, n_killed = tmp_path / f"{run}.sqlite", 0
        while n_killed < 4 and kill_fit(path, kill_after=rng.random() * 0.2) != 0:
            n_killed += 1
        check_resumed(path, plain, n_killed)
        n_kills += n_killed
        if n_kills >= 60:
            break
