"""Leases: a row has one holder at a time, by a clock that only goes forward."""

import copy
import inspect
import math
import pickle
import sys
import threading
import time

import numpy as np
import pytest

from skactive.oracles._leases import Leases


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def leases(clock):
    return Leases(10, clock=clock)


def test_workers_get_different_rows_in_order(leases):
    assert leases.lease("abcde", 2, "Ann") == ["a", "b"]
    assert leases.lease("abcde", 2, "Bob") == ["c", "d"]
    assert leases.lease("abcde", 2, "Cem") == ["e"]
    assert leases.lease("abcde", 2, "Dee") == []
    assert leases.held() == dict(
        zip("abcde", [*2 * ["Ann"], *2 * ["Bob"], "Cem"], strict=True)
    )


def test_asking_again_gives_the_same_rows_and_fills_up(leases):
    leases.lease("abcd", 1, "Bob")
    assert leases.lease("abcd", 2, "Ann") == ["b", "c"]
    assert leases.lease("abcd", 2, "Ann") == ["b", "c"]
    assert leases.lease("abcd", 3, "Ann") == ["b", "c", "d"]
    assert leases.lease("abcd", 1, "Ann") == ["b"]
    assert leases.lease("abcd", 10**30, "Ann") == ["b", "c", "d"]
    assert leases.lease("dcab", 1, "Ann") == ["d"]  # in the order of the keys
    leases.release("c")
    assert leases.lease("abcd", None, "Ann") == ["b", "d", "c"]  # its own rows first


def test_a_lease_ends_at_its_time_and_the_row_is_free(leases, clock):
    leases.lease("ab", 2, "Ann")
    clock.now = 9.999
    assert leases.lease("ab", 2, "Bob") == []
    clock.now = 10.0
    assert leases.holder("a") is None
    assert leases.held() == {}
    assert leases.lease("ab", 1, "Bob") == ["a"]
    assert leases.held() == {"a": "Bob"}


@pytest.mark.parametrize("sign_of_life", ["renew", "lease"])
def test_a_sign_of_life_prolongs_all_leases_of_the_worker_alone(
    leases, clock, sign_of_life
):
    leases.lease("ab", 2, "Ann")
    leases.lease("abc", 1, "Bob")
    clock.now = 6.0
    if sign_of_life == "renew":
        leases.renew("Ann")
    else:
        leases.lease("ab", 1, "Ann")
    clock.now = 15.0
    assert leases.held() == {"a": "Ann", "b": "Ann"}
    clock.now = 16.0
    assert leases.held() == {}


def test_who_comes_back_late_keeps_what_nobody_took(leases, clock):
    leases.lease("abc", 3, "Ann")
    clock.now = 20.0
    leases.lease("ab", 1, "Bob")
    leases.renew("Ann")
    assert leases.held() == {"a": "Bob", "b": "Ann", "c": "Ann"}
    assert leases.lease("abc", 3, "Ann") == ["b", "c"]


def test_leases_of_other_lengths_are_renewed_by_their_own(leases, clock):
    leases.lease("a", 1, "Ann", seconds=3)
    leases.lease("b", 1, "Bob", seconds=100)
    clock.now = 2.0
    leases.renew("Ann")
    leases.renew("Bob")
    clock.now = 4.9
    assert leases.held() == {"a": "Ann", "b": "Bob"}
    clock.now = 101.9
    assert leases.held() == {"b": "Bob"}
    assert leases.lease("a", 1, "Bob", seconds=1) == ["a"]  # a second for both rows
    clock.now = 103.0
    assert leases.held() == {}


def test_released_rows_are_free_whoever_had_them(leases):
    leases.lease("ab", 2, "Ann")
    leases.lease("abcd", 2, "Bob")
    leases.release(["b", "c", "never leased"])
    assert leases.held() == {"a": "Ann", "d": "Bob"}
    assert leases.holder("never leased") is None


def test_a_copy_has_no_leases(leases):
    leases.lease("ab", 2, "Ann")
    for copied in (copy.deepcopy(leases), pickle.loads(pickle.dumps(Leases(5)))):
        assert copied.held() == {}
        assert copied.lease("ab", 1, "Bob") == ["a"]
    assert leases.held() == {"a": "Ann", "b": "Ann"}


def test_nothing_is_left_of_released_rows(leases):
    for row in range(1000):
        leases.lease([row], 1, f"worker {row}")
        leases.release([row])
    kept = [value for value in vars(leases).values() if hasattr(value, "__len__")]
    assert kept
    assert not any(kept)


def test_row_numbers_of_numpy_are_row_numbers(leases):
    assert leases.lease(np.array([3, 3, 1, 2]), np.int64(2), "Ann") == [3, 1]
    assert leases.holder(3) == leases.holder(np.int32(1)) == "Ann"


def test_the_clock_is_monotonic_unless_another_is_given():
    # The wall clock can be set back, and then a lease would last for hours.
    assert inspect.signature(Leases).parameters["clock"].default is time.monotonic
    leases = Leases()
    leases.lease("a", 1, "Ann")
    assert leases.holder("a") == "Ann"


@pytest.mark.parametrize(
    ("error", "words", "call"),
    [
        (TypeError, "worker must be a str.*None", lambda x: x.renew(None)),
        (TypeError, "worker must be a str", lambda x: x.lease("a", 1, 7)),
        (ValueError, "worker must be a name", lambda x: x.renew(" ")),
        (ValueError, "UTF-8", lambda x: x.lease("a", 1, "\ud800")),
        (TypeError, "an int or None, got 1.5", lambda x: x.lease("a", 1.5, "Ann")),
        (TypeError, "an int or None, got True", lambda x: x.lease("a", True, "Ann")),
        (ValueError, "at least 1, got 0", lambda x: x.lease("a", 0, "Ann")),
        (TypeError, "a number, got '9'", lambda x: Leases("9")),
        (ValueError, "positive and finite, got 0", lambda x: Leases(0)),
        (ValueError, "finite, got nan", lambda x: Leases(math.nan)),
        (
            ValueError,
            "finite, got inf",
            lambda x: x.lease("a", 1, "Ann", seconds=math.inf),
        ),
    ],
)
def test_wrong_arguments_are_named_and_change_nothing(leases, error, words, call):
    leases.lease("b", 1, "Ann")
    with pytest.raises(error, match=words):
        call(leases)
    assert leases.held() == {"b": "Ann"}


class History:
    """What the leases must be, worked out from all operations since the start."""

    def __init__(self):
        self.events = []

    def state_of(self, key):
        """Return the worker who last had the row, and the end of the lease."""
        worker, seconds, end = None, 0, -math.inf
        for now, kind, who, keys, lasts in self.events:
            if kind == "take" and key in keys:
                worker, seconds, end = who, lasts, now + lasts
            elif kind in ("take", "renew") and who == worker:
                seconds = lasts or seconds
                end = now + seconds
            elif kind == "release" and key in keys:
                worker, seconds, end = None, 0, -math.inf
        return worker, end

    def holder(self, key, now):
        worker, end = self.state_of(key)
        return worker if now < end else None

    def to_lease(self, keys, n, worker, now):
        mine = [key for key in keys if self.state_of(key)[0] == worker]
        free = [k for k in keys if k not in mine and self.holder(k, now) is None]
        return (mine + free)[:n]


@pytest.mark.parametrize("seed", range(20))
def test_random_operations_agree_with_their_history(leases, clock, seed):
    rng = np.random.default_rng(seed)
    history = History()
    for _ in range(80):
        clock.now += rng.choice([0.0, 1.0, 4.0, 10.0], p=[0.3, 0.4, 0.25, 0.05])
        worker = rng.choice(["Ann", "Bob", "Cem"]).item()
        keys = rng.permutation(8)[: rng.integers(1, 9)].tolist()
        kind = rng.choice(["take", "renew", "release"], p=[0.6, 0.2, 0.2])
        seconds = None
        if kind == "take":
            n = int(rng.integers(1, 5))
            seconds = rng.choice([2.0, 10.0]).item()
            expected = history.to_lease(keys, n, worker, clock.now)
            keys = leases.lease(keys, n, worker, seconds=seconds)
            assert keys == expected
        elif kind == "renew":
            leases.renew(worker)
        else:
            leases.release(keys)
        history.events.append((clock.now, kind, worker, keys, seconds))
        holders = {key: history.holder(key, clock.now) for key in range(8)}
        assert {key: leases.holder(key) for key in range(8)} == holders
        assert leases.held() == {k: who for k, who in holders.items() if who}


def test_threads_never_have_the_same_row():
    leases = Leases()
    rows = range(40)
    had_by = {row: set() for row in rows}
    twice = []

    def work(worker):
        for _ in range(150):
            leased = leases.lease(rows, 3, worker)
            for row in leased:
                had_by[row].add(worker)
            twice.extend(row for row in leased if had_by[row] != {worker})
            leases.renew(worker)
            twice.extend(row for row in leased if had_by[row] != {worker})
            for row in leased:
                had_by[row].discard(worker)
            leases.release(leased)

    threads = [threading.Thread(target=work, args=(f"w{i}",)) for i in range(8)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert twice == []
    assert leases.held() == {}
