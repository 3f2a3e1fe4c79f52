"""Claims of processes that live, died, or are unknown; and what others wait for."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from multiprocessing import get_context

import pytest

from skactive.exceptions import StoreBusyError, StoreCorruptedError
from skactive.oracles._store import claims, processes
from skactive.oracles._store.store import LabelStore

ROW = {"7": 1.0}


def change(path, what, *values):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"UPDATE claims SET {what}", values)


@pytest.fixture
def child():
    """A process that waits to be killed, and its name as it gives it itself."""

    def run():
        names.put(processes.this_process())
        time.sleep(600)

    context = get_context("fork")
    names = context.Queue()
    child = context.Process(target=run)
    child.start()
    child.given_name = names.get(timeout=60)
    yield child
    child.kill()
    child.join()


def test_a_claim_names_the_process_that_made_it(store, path):
    store.claim("a", ROW, "mine", 60)
    with closing(sqlite3.connect(path)) as connection:
        ((text,),) = connection.execute("SELECT process FROM claims")
    host, pid, start = json.loads(text)
    assert (host, pid) == (socket.gethostname(), os.getpid())
    if sys.platform == "linux":
        # What ps says, to the second, counted from the boot.
        ps = ["ps", "-o", "etimes=", "-p", str(os.getpid())]
        seconds = float(open("/proc/uptime").read().split()[0])
        age = seconds - int(start.split()[0]) / os.sysconf("SC_CLK_TCK")
        assert age == pytest.approx(float(subprocess.check_output(ps)), abs=3)


def test_an_expired_claim_of_a_process_that_lives_is_not_taken_over(store, path, child):
    store.claim("a", ROW, "other", 1)
    change(path, "process = ?, expires_at = expires_at - 60", child.given_name)
    claim = store.claim("a", ROW | {"8": 1.0}, "mine", 60)
    assert (claim.mine, list(claim.others)) == (["8"], ["7"])
    assert store.summary()["n_claimed"] == 2
    child.kill()
    child.join()
    assert store.claim("a", ROW, "mine", 60).mine == ["7"]
    assert store.summary()["n_claimed"] == 2


def test_a_process_that_ended_and_was_not_waited_for_is_dead(child):
    assert processes.lives(child.given_name)
    child.kill()
    while processes.lives(child.given_name):
        time.sleep(0.01)
    os.kill(child.pid, 0)  # its number is still in use


def test_another_start_host_or_nothing_known_is_no_process_that_lives():
    host, pid, start = json.loads(processes.this_process())
    assert processes.lives(json.dumps([host, pid, start]))
    ticks, boot = start.split()
    for name in (
        [host, pid, f"{int(ticks) + 1} {boot}"],
        [host, pid, f"{ticks} another-boot"],
        [f"not-{host}", pid, start],
        [host, 2**40, start],
        [host, -1, None],
        [host, 0, None],
        [host, str(pid), start],
        [host, pid],
        7,
    ):
        assert not processes.lives(json.dumps(name))
    for text in (None, "", "{", b"x"):
        assert not processes.lives(text)


def test_where_no_start_is_known_a_process_lives_while_its_number_is_in_use(child):
    host = socket.gethostname()
    assert processes.lives(json.dumps([host, child.pid, None]))
    child.kill()
    child.join()
    assert not processes.lives(json.dumps([host, child.pid, None]))


def test_a_process_of_another_user_lives(monkeypatch):
    def kill(pid, signal):
        assert signal == 0
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)
    assert processes.lives(json.dumps([socket.gethostname(), 1, None]))


def test_no_signal_is_sent_where_it_would_end_the_process(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(os, "kill", None)
    name = json.dumps([socket.gethostname(), os.getpid(), None])
    assert not processes.lives(name)


def test_a_name_with_brackets_and_spaces_does_not_hide_the_start(tmp_path, monkeypatch):
    (tmp_path / "sys/kernel/random").mkdir(parents=True)
    (tmp_path / "sys/kernel/random/boot_id").write_text("boot\n")
    (tmp_path / "5").mkdir()
    fields = " ".join(str(n) for n in range(4, 53))  # proc(5): the 22nd is the start
    (tmp_path / "5/stat").write_text(f"5 (a) R (b c) S {fields}\n")
    monkeypatch.setattr(processes, "_PROC", tmp_path)
    assert processes.lives(json.dumps([socket.gethostname(), 5, "22 boot"]))
    (tmp_path / "5/stat").write_text(f"5 (a) S (b c) Z {fields}\n")
    assert not processes.lives(json.dumps([socket.gethostname(), 5, "22 boot"]))


def test_a_fork_has_a_name_of_its_own():
    context = get_context("fork")
    name = processes.this_process()
    names = context.Queue()
    child = context.Process(target=lambda: names.put(processes.this_process()))
    child.start()
    assert json.loads(names.get(timeout=60))[1] == child.pid
    child.join()
    assert processes.this_process() == name


def test_a_killed_owner_holds_its_rows_until_the_claim_ends(store, path):
    def claim_and_die():
        other = LabelStore(path)
        other.claim("a", ROW, "other", 60)
        os.kill(os.getpid(), signal.SIGKILL)

    child = get_context("fork").Process(target=claim_and_die)
    child.start()
    child.join()
    (holder,) = store.claim("a", ROW, "mine", 60).others.values()
    assert (holder.owner, holder.lives) == ("other", False)
    change(path, "expires_at = expires_at - 61")
    assert store.claim("a", ROW, "mine", 60).mine == ["7"]


def test_the_caller_can_say_what_it_waits_for(store, path):
    prices = {"7": 1.0, "8": 1.0}
    store.claim("a", prices, "other", 60)
    change(path, "expires_at = 1700000060.0")
    others = store.claim("a", prices, "mine", 60).others
    assert list(others) == ["7", "8"]
    assert (others["7"].since, others["7"].expires_at) == (1.7e9, 1700000060.0)
    assert others["7"].lives
    where = f"process {os.getpid()} on {socket.gethostname()}"
    assert str(others["7"]) == f"{where}, since 2023-11-14 22:13:20 UTC"
    change(path, "process = NULL, expires_at = ?", time.time() + 60)
    (holder,) = store.claim("a", ROW, "mine", 60).others.values()
    assert not holder.lives
    assert str(holder).startswith("an unknown process, since 20")


def test_nobody_claims_between_the_look_and_the_claim_of_another(store, path):
    class Looking(dict):
        def __getitem__(self, key):  # the store has looked, and not written yet
            if not looks:
                with pytest.raises(StoreBusyError):
                    other.claim("a", ROW, "other", 60)
            looks.append(key)
            return super().__getitem__(key)

    looks, other = [], LabelStore(path, timeout=0.05)
    assert store.claim("a", Looking(ROW), "mine", 60, max_cost=9).mine == ["7"]
    other.close()


def test_a_row_is_not_held_from_its_own_owner(store):
    store.claim("a", ROW, "mine", 60)
    assert store.claim("a", ROW, "mine", 60).mine == ["7"]
    assert list(store.claim("a", ROW, "other", 60).others) == ["7"]


def test_the_rows_of_others_that_have_an_answer_are_not_waited_for(store):
    store.claim("a", ROW | {"8": 1.0}, "other", 60)
    store.record("a", {"7": 1}, "anna")
    claim = store.claim("a", ROW | {"8": 1.0}, "mine", 60)
    assert (claim.answers, list(claim.others)) == ({"7": 1}, ["8"])


def test_reset_drops_expired_claims_though_their_process_lives(store, path):
    store.claim("a", ROW, "forgotten", 60)
    store.claim("a", {"8": 1.0}, "renewed", 60)
    change(path, "expires_at = expires_at - 61 WHERE owner = 'forgotten'")
    store.reset()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT owner FROM claims").fetchall() == [
            ("renewed",)
        ]
    assert store.claim("a", ROW, "mine", 60).mine == ["7"]


def test_renewing_makes_a_claim_valid_for_its_own_time_again(store, path):
    store.claim("a", ROW, "first", 60)
    store.claim("a", {"8": 1.0}, "second", 10)
    change(path, "expires_at = 5.0, process = NULL")
    before = time.time()
    store.renew("first")
    others = store.claim("a", ROW | {"8": 1.0}, "mine", 60).others
    assert list(others) == ["7"]
    assert others["7"].expires_at - before == pytest.approx(60, abs=30)


def test_a_claim_that_could_not_be_given_up_is_dropped_at_the_next(path, monkeypatch):
    monkeypatch.setattr(claims, "_given_up", set())
    store, other = LabelStore(path, timeout=0.05), LabelStore(path)
    claim = store.claim("a", ROW, "mine", 60)
    with closing(sqlite3.connect(path, isolation_level=None)) as locking:
        locking.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError):
            store.release(claim)
    assert list(LabelStore(path).claim("a", ROW, "next", 60).mine) == ["7"]
    store.close()
    other.close()


def test_an_interrupt_while_rows_are_claimed_leaves_no_claim(store, monkeypatch):
    monkeypatch.setattr(claims, "_given_up", set())

    class Interrupting(dict):
        def __init__(self, prices):
            super().__init__(prices)
            self.n_looks = 0

        def __getitem__(self, key):
            self.n_looks += 1
            if self.n_looks == 3:  # within limits, charged, and then for the caller
                raise KeyboardInterrupt
            return super().__getitem__(key)

    prices = Interrupting(ROW)
    with pytest.raises(KeyboardInterrupt):
        store.claim("a", prices, "interrupted", 60, max_cost=10)
    assert prices.n_looks == 3
    assert store.claim("a", ROW, "mine", 60).mine == ["7"]


@pytest.mark.parametrize("value", ["'soon'", "1e300", "-1e300", "-5.0"])
@pytest.mark.parametrize("name", ["expires_at", "seconds"])
def test_a_claim_that_cannot_be_is_damage(store, path, name, value):
    store.claim("a", ROW, "other", 60)
    change(path, f"{name} = {value}")
    with pytest.raises(StoreCorruptedError, match="claim 'other' ends at"):
        store.claim("a", ROW, "mine", 60)
