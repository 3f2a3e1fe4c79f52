"""Rows that a CachedOracle holds while its oracle works, and waits for otherwise."""

import os
import threading
import time
import warnings

import numpy as np
import pytest

from skactive.exceptions import OracleError, StopLabeling, StoreError
from skactive.oracles import CachedOracle, RunFacts, _holding
from skactive.oracles._holding import Holding
from skactive.oracles._store.store import LabelStore

SECONDS = 0.2


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


class OneByOne:
    """An oracle that yields the parity of ids, and writes down which it came to."""

    def __init__(self, *, seconds=0.0, fail_at=None, error=KeyboardInterrupt):
        self.asked, self.seconds = [], seconds
        self.fail_at, self.error = fail_at, error

    def __call__(self, X, sample_ids):
        for sample_id in sample_ids:
            self.asked.append(int(sample_id))
            time.sleep(self.seconds)
            if len(self.asked) == self.fail_at:
                raise self.error
            yield int(sample_id) % 2


def rows(sample_ids):
    return np.zeros((len(sample_ids), 1))


def ask(oracle, sample_ids):
    return oracle(rows(sample_ids), sample_ids=sample_ids)


def fetch_all(oracle, sample_ids):
    return list(ask(oracle, sample_ids))


def in_thread(function, *args):
    """Call a function; a failure is that it does not end."""
    found = []
    thread = threading.Thread(target=lambda: found.append(function(*args)), daemon=True)
    thread.start()
    thread.join(60)
    assert found, "it waits without end"
    return found[0]


# Iterators that nobody goes on with


@pytest.mark.parametrize("n_fetched", [0, 2])
def test_rows_of_an_iterator_that_is_kept_are_given_up(path, n_fetched):
    inner = OneByOne()
    kept = ask(CachedOracle(inner, path, claim_seconds=SECONDS), [1, 2, 3, 4])
    first = [next(kept) for _ in range(n_fetched)]
    other = CachedOracle(OneByOne(), path, claim_seconds=SECONDS)
    assert in_thread(fetch_all, other, [3]) == [1]
    assert first + list(kept) == [1, 0, 1, 0]
    assert sorted(inner.asked + other.oracle.asked) == [1, 2, 3, 4]
    summary = other.summary()
    assert (summary["n_asked"], summary["cost"], summary["n_claimed"]) == (4, 4, 0)


def test_an_iterator_that_was_given_up_asks_again_about_the_rest(path):
    oracle = CachedOracle(OneByOne(), path, claim_seconds=0.02)
    kept = ask(oracle, [1, 2, 3])
    assert next(kept) == 1
    while oracle.summary()["n_claimed"]:
        time.sleep(0.01)
    assert oracle.summary()["n_asked"] == 1
    assert list(kept) == [0, 1]
    assert oracle.oracle.asked == [1, 2, 3]
    assert oracle.summary()["n_asked"] == oracle.summary()["cost"] == 3


def test_an_iterator_that_is_given_up_in_spite_of_an_error(path, monkeypatch):
    oracle = CachedOracle(OneByOne(), path, claim_seconds=0.02)
    release, failed = LabelStore.release, threading.Event()

    def fails_once(*args, **kwargs):
        if not failed.is_set():
            failed.set()
            raise StoreError("no space")
        release(*args, **kwargs)

    monkeypatch.setattr(LabelStore, "release", fails_once)
    kept = ask(oracle, [1, 2])
    assert in_thread(fetch_all, CachedOracle(OneByOne(), path), [2]) == [0]
    assert failed.is_set()
    assert list(kept) == [1, 0]


def test_rows_are_held_while_the_iterator_has_not_rested_for_long(path, monkeypatch):
    renew, beats, third = LabelStore.renew, [], threading.Event()

    def count(store, owner):
        renew(store, owner)
        beats.append(owner)
        if len(beats) == 3:
            third.set()

    monkeypatch.setattr(LabelStore, "renew", count)
    monkeypatch.setattr(_holding.time, "monotonic", lambda: 5.0)  # no time passes
    oracle = CachedOracle(OneByOne(), path, claim_seconds=0.03)
    answers = ask(oracle, [1, 2])
    assert next(answers) == 1
    assert third.wait(60)
    assert list(answers) == [0]
    assert oracle.summary()["n_calls"] == 1


def test_rows_of_an_iterator_are_held_while_its_oracle_works(path):
    inner = OneByOne(seconds=0.5)
    slow = CachedOracle(inner, path, claim_seconds=0.1)
    other = CachedOracle(OneByOne(), path)
    thread = threading.Thread(target=list, args=(ask(slow, [1, 2]),))
    thread.start()
    assert list(ask(other, [2, 1])) == [0, 1]
    thread.join()
    assert (inner.asked, other.oracle.asked) == ([1, 2], [])


def test_a_claim_that_could_not_be_given_up_is_given_up_later(path):
    oracle = CachedOracle(OneByOne(), path, claim_seconds=0.1)
    answers = ask(oracle, [1, 2])
    assert next(answers) == 1
    oracle.close()
    with (
        pytest.warns(UserWarning, match="A claim could not be given up .* background"),
        pytest.raises(StoreError, match="closed"),
    ):
        next(answers)
    other = LabelStore(path)
    while other.summary()["n_claimed"]:
        time.sleep(0.01)
    assert other.summary()["n_asked"] == 2
    other.close()


# What is paid for


def facts(**prices):
    return RunFacts(parse=int, prices={int(k[1:]): v for k, v in prices.items()})


@pytest.mark.parametrize("error", [KeyboardInterrupt, ConnectionError])
def test_rows_that_an_iterator_did_not_come_to_are_not_paid_for(path, error):
    oracle = CachedOracle(OneByOne(fail_at=3, error=error), path)
    run = oracle.for_run(facts(r1=1.0, r2=2.0, r3=4.0, r4=8.0, r5=16.0))
    with pytest.raises((KeyboardInterrupt, OracleError)):
        list(ask(run, [1, 2, 3, 4, 5]))
    summary = oracle.summary()
    assert (summary["n_asked"], summary["cost"]) == (3, 7.0)
    assert len(oracle.records()) == 2


def test_rows_that_a_list_was_to_be_made_of_are_paid_for_after_an_interrupt(path):
    def interrupted(X):
        raise KeyboardInterrupt

    oracle = CachedOracle(interrupted, path)
    with pytest.raises(KeyboardInterrupt):
        ask(oracle.for_run(facts(r1=1.0, r2=2.0)), [1, 2])
    assert (oracle.summary()["n_asked"], oracle.summary()["cost"]) == (2, 3.0)


def test_rows_that_the_oracle_refuses_are_not_paid_for(path):
    oracle = CachedOracle(OneByOne(fail_at=2, error=StopLabeling()), path)
    run = oracle.for_run(facts(r1=1.0, r2=2.0, r3=4.0))
    with pytest.raises(StopLabeling) as caught:
        list(ask(run, [1, 2, 3]))
    assert caught.value.labels == [1]
    assert (oracle.summary()["n_asked"], oracle.summary()["cost"]) == (1, 1.0)


def test_an_iterator_that_is_closed_pays_for_what_it_gave(path):
    oracle = CachedOracle(OneByOne(), path)
    answers = ask(oracle.for_run(facts(r1=1.0, r2=2.0, r3=4.0)), [1, 2, 3])
    assert [next(answers), next(answers)] == [1, 0]
    answers.close()
    summary = oracle.summary()
    assert (summary["n_asked"], summary["cost"], summary["n_claimed"]) == (2, 3.0, 0)


# The heartbeat


def test_the_heartbeat_goes_on_after_an_error(path, monkeypatch):
    renew, beats, second = LabelStore.renew, [], threading.Event()

    def fails_once(store, owner):
        beats.append(owner)
        if len(beats) == 1:
            raise StoreError("busy")
        renew(store, owner)
        second.set()

    def waits_for_the_second(X):
        return [int(second.wait(60))]

    monkeypatch.setattr(LabelStore, "renew", fails_once)
    assert ask(CachedOracle(waits_for_the_second, path, claim_seconds=0.03), [1]) == [1]


@pytest.mark.parametrize("how", ["list", "exhausted", "closed", "failed"])
def test_the_heartbeat_stops_with_the_question(path, monkeypatch, how):
    beat, ended = Holding._beat, threading.Event()

    def beat_and_say_so(holding):
        beat(holding)
        ended.set()

    monkeypatch.setattr(Holding, "_beat", beat_and_say_so)
    monkeypatch.setattr(_holding, "_MAX_TRIES", 10**9)  # it is not what ends it
    one_by_one = OneByOne(fail_at=2 if how == "failed" else None)
    inner = (lambda X: [1, 0]) if how == "list" else one_by_one
    oracle = CachedOracle(inner, path, claim_seconds=0.03)
    answers = ask(oracle, [1, 2])
    if how == "closed":
        next(answers)
        answers.close()
    elif how == "failed":
        with pytest.raises(KeyboardInterrupt):
            list(answers)
    else:
        assert list(answers) == [1, 0]
    assert ended.wait(60)


# Waiting


def test_who_waits_says_what_for_once(path, monkeypatch, recwarn):
    monkeypatch.setattr(_holding, "_PATIENCE", 0)
    store = LabelStore(path)
    owner = _holding.claim_name("anna")
    prices = {f"{i}": 1.0 for i in range(7)}
    store.claim("colour", prices, owner, 60)
    others = store.claim("colour", prices, "bert", 60).others
    store.close()
    warnings.simplefilter("always")  # a second one would be hidden
    patience = _holding.Patience(path, "colour")
    for _ in range(2):
        patience.wait(others)
    (warning,) = recwarn.list
    message = str(warning.message)
    assert message.startswith("Waiting for the answers to 7 rows")
    assert "sample_ids 0, 1, 2, 3, 4, ...;" in message
    assert f"anna since {time.strftime('%Y')}" in message
    assert f"process {os.getpid()} on" in message
    assert "task 'colour'" in message
    assert str(path) in message
    assert owner.rpartition("#")[2] not in message


def test_who_waits_for_a_short_time_says_nothing(path, recwarn):
    patience = _holding.Patience(path, "colour")
    for _ in range(4):
        patience.wait({"1": None})
    assert not recwarn.list


def test_a_question_says_what_it_waits_for(path, monkeypatch):
    monkeypatch.setattr(_holding, "_PATIENCE", 0)
    kept = ask(CachedOracle(OneByOne(), path, claim_seconds=SECONDS), [1, 2])
    with pytest.warns(
        UserWarning, match=r"1 rows .* sample_ids 2; claimed by .* since"
    ):
        assert list(ask(CachedOracle(OneByOne(), path), [2])) == [0]
    kept.close()
