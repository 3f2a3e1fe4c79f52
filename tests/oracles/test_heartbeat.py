"""A claim that is held, beat by beat, and the patience of those who wait."""

import re
from types import SimpleNamespace

import pytest

from skactive.exceptions import StoreError
from skactive.oracles import _holding
from skactive.oracles._holding import Holding, Patience, claim_name, claim_title

CLAIM = SimpleNamespace(owner="me", mine=["1", "2", "3"])


class Store:
    """Writes down what is done to it."""

    opened = []

    def __init__(self, path="file", **how):
        self.path, self.how, self.calls = path, how, []
        self.timeout = how.get("timeout", 7.0)
        self.error = None
        Store.opened.append(self)

    def renew(self, owner):
        self.calls.append(("renew", owner))
        if self.error:
            raise self.error

    def release(self, claim, **how):
        self.calls.append(("release", claim.owner, how))
        if self.error:
            raise self.error

    def close(self):
        self.calls.append("close")


class Beats:
    """An event that nobody waits for; so many beats until it counts as set."""

    def __init__(self, n_beats):
        self.n_beats, self.waits, self.is_over = n_beats, [], False

    def wait(self, seconds):
        self.waits.append(seconds)
        self.n_beats -= 1
        return self.is_over or self.n_beats < 0

    def set(self):
        self.is_over = True

    def is_set(self):
        return self.is_over


@pytest.fixture
def clock(monkeypatch):
    """A clock that the test puts forward, and no threads."""
    clock = SimpleNamespace(now=50.0, sleeps=[], starts=[])
    clock.monotonic = lambda: clock.now
    clock.sleep = clock.sleeps.append
    monkeypatch.setattr(_holding, "time", clock)
    thread = SimpleNamespace(start_new_thread=lambda *args: clock.starts.append(args))
    monkeypatch.setattr(_holding, "_thread", thread)
    Store.opened.clear()
    return clock


@pytest.fixture
def holding(clock):
    return Holding(Store("labels"), CLAIM, 3.0)


def beat(holding, n_beats=1):
    """Let it beat; return what it has done to the store meanwhile, and the waits."""
    calls = Store.opened[0].calls
    n_before, holding._is_released = len(calls), Beats(n_beats)
    holding._beat()
    return calls[n_before:], holding._is_released.waits


RENEW = ("renew", "me")


def released(refund=(), **how):
    return ("release", "me", {"refund": list(refund)} | how)


# Holding


def test_it_beats_in_a_thread_of_its_own(holding, clock):
    assert clock.starts == [(holding._beat, ())]


def test_a_claim_is_renewed_at_each_third_of_its_time(holding):
    assert beat(holding, 2) == ([RENEW, RENEW], [1.0, 1.0, 1.0])


def test_an_error_of_the_file_does_not_end_the_beat_and_others_do(holding):
    Store.opened[0].error = StoreError("busy")
    assert beat(holding, 2)[0] == [RENEW, RENEW]
    Store.opened[0].error = ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        beat(holding)
    assert holding._lock.acquire(blocking=False)


def test_rows_that_nobody_works_on_are_given_up_after_their_time(holding, clock):
    holding.pause(["2", "3"])
    clock.now += 3.0
    assert beat(holding)[0] == [RENEW]
    clock.now += 0.1
    assert beat(holding, 5) == ([released(["2", "3"])], [1.0, 1.0])
    assert holding.resume(["3"]) is False
    assert holding._unasked == ["2", "3"]


def test_rows_that_are_worked_on_again_are_held(holding, clock):
    holding.pause(["2", "3"])
    clock.now += 2
    assert holding.resume(["3"]) is True
    clock.now += 100
    assert beat(holding)[0] == [RENEW]
    holding.end()
    assert Store.opened[0].calls[-1] == released(["3"], failure=None)


@pytest.mark.parametrize(
    ("how", "call"),
    [
        ({}, released(["3"], failure=None)),
        ({"refund_all": True}, released(["1", "2", "3"], failure=None)),
        ({"failure": "why"}, released(["3"], failure="why")),
    ],
)
def test_what_is_left_of_a_claim_is_given_up_at_the_end(holding, how, call):
    holding.pause(["3"])
    holding.end(**how)
    assert Store.opened[0].calls == [call]
    assert holding._is_released.is_set()
    assert holding.resume([]) is False


def test_without_a_pause_nothing_is_refunded(holding):
    holding.end()
    assert Store.opened[0].calls == [released(failure=None)]


def test_a_claim_that_cannot_be_given_up_is_tried_again_over_a_new_connection(holding):
    Store.opened[0].error = StoreError("closed")
    holding.pause(["3"])
    with pytest.raises(StoreError, match="closed"):
        holding.end(failure="why")
    assert not holding._is_released.is_set()
    assert beat(holding, 5) == ([], [1.0, 1.0])
    _, new = Store.opened
    assert (new.path, new.how) == ("labels", {"create": False, "timeout": 7.0})
    assert new.calls == [released(["3"], failure="why"), "close"]


def test_it_is_not_tried_for_ever(holding, monkeypatch):
    monkeypatch.setattr(_holding, "_MAX_TRIES", 2)

    def fails(store, claim, **how):
        store.calls.append("release")
        raise StoreError("closed")

    monkeypatch.setattr(Store, "release", fails)
    with pytest.raises(StoreError):
        holding.end()
    assert beat(holding, 9)[1] == [1.0] * 4
    assert [store.calls for store in Store.opened] == [
        ["release"], ["release", "close"], ["release", "close"]
    ]  # fmt: skip


def test_a_claim_that_was_given_up_meanwhile_is_left_alone(holding):
    Store.opened[0].error = StoreError("closed")
    with pytest.raises(StoreError):
        holding.end()
    holding._is_released.set()
    holding._try_again()
    assert len(Store.opened) == 1


# Patience


def holder(name, process="process 7"):
    return SimpleNamespace(owner=f"{name}#f00", process=process)


def test_pauses_grow_up_to_half_a_second(clock):
    patience = Patience("file", "colour")
    for _ in range(8):
        patience.wait({})
    assert clock.sleeps == [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.5, 0.5]


def test_after_five_seconds_it_is_said_once_what_is_waited_for(clock, recwarn):
    patience = Patience("file", "colour")
    others = {name: holder("ann") for name in "abcde"} | {"b": holder("Zoe")}
    clock.now += 4.9
    patience.wait(others)
    assert not recwarn.list
    clock.now = 55.0
    patience.wait(others)
    assert len(recwarn.list) == 1
    clock.now += 1
    patience.wait(others)
    (warning,) = recwarn.list
    assert "the answers to 5 rows" in str(warning.message)
    assert "label store file, task 'colour': sample_ids a, b, c, d, e; claimed by " in (
        str(warning.message)
    )
    assert "by Zoe (process 7); ann (process 7). If" in str(warning.message)


def test_of_many_rows_five_are_named(clock):
    clock.now = 0.0
    patience = Patience("file", "colour")
    clock.now = 60.0
    with pytest.warns(UserWarning, match="to 6 rows .* a, b, c, d, e, ...; claimed"):
        patience.wait({name: holder("ann") for name in "abcdef"})


# Names


def test_a_claim_is_named_by_who_asks_and_since_when():
    names = {claim_name("ann") for _ in range(2)}
    assert len(names) == 2
    for name in names:
        assert re.fullmatch(
            r"ann since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d#[0-9a-f]{32}", name
        )
        assert claim_title(name) == name[:-33]
    assert claim_title("other") == "other"
    assert claim_title("a#b#c") == "a#b"
