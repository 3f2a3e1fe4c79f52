"""Damaged label stores: flipped bits, bad rows, other write-ahead logs, lost locks."""

import gc
import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from skactive.exceptions import StoreCorruptedError, StoreError
from skactive.oracles import CachedOracle
from skactive.oracles._store import connection as connections
from skactive.oracles._store.answers import to_key
from skactive.oracles._store.store import LabelStore


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a file with 300 answers and a log, and what is in it."""
    path = tmp_path_factory.mktemp("whole") / "labels.sqlite"
    labels = {
        json.dumps(f"row {i}" if i % 2 else i): [0, 1, "ham", None][i % 4]
        for i in range(300)
    }
    store = LabelStore(path)
    for start in range(0, 300, 50):
        keys = list(labels)[start : start + 50]
        store.record("default", {key: labels[key] for key in keys}, "anna")
    store.extend_log("default", 0, [{"kind": "round", "n": n} for n in range(30)])
    content = store.answers_of("default"), store.log("default")
    store.close()
    assert content[0] == labels
    return path.read_bytes(), content


def run_sql(path, query, *values):
    """Execute SQL as another program would."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(query, values).fetchall()


def elsewhere(code, *arguments):
    """Run Python in another process, which knows nothing of the files open here."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return done.stdout


# Flipped bits


def flip_bits(whole, folder, n_flips):
    """Flip single bits of a file; return how often that was noticed."""
    data, content = whole
    rng = random.Random(0)
    n_noticed = 0
    for n in range(n_flips):
        byte, bit = rng.randrange(len(data)), rng.randrange(8)
        flipped = bytearray(data)
        flipped[byte] ^= 1 << bit
        path = folder / f"{n}.sqlite"
        path.write_bytes(flipped)
        try:
            store = LabelStore(path, timeout=0.1)
            try:
                found = store.answers_of("default"), store.log("default")
            finally:
                store.close()
            assert found == content, (byte, bit)
        except StoreCorruptedError:
            n_noticed += 1
        except StoreError:  # the version and the kind of the file are written there
            assert 60 <= byte < 72, (byte, bit)
        for left in folder.iterdir():
            left.unlink()
    return n_noticed


def test_a_flipped_bit_loses_or_changes_no_answer_in_silence(whole, tmp_path):
    assert flip_bits(whole, tmp_path, 300) > 60


@pytest.mark.slow
def test_no_flipped_bit_of_many_loses_or_changes_an_answer(whole, tmp_path):
    assert flip_bits(whole, tmp_path, 5_000) > 1000


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE answers SET label = '1' WHERE sample_id = '0'",
        "UPDATE answers SET label = CAST(label AS BLOB) WHERE sample_id = '0'",
        "UPDATE answers SET sample_id = CAST('0' AS BLOB) WHERE sample_id = '0'",
        "UPDATE answers SET task = CAST('x' AS BLOB) WHERE sample_id = '0'",
        "UPDATE answers SET sample_id = '9999' WHERE sample_id = '0'",
        "UPDATE answers SET task = 'other' WHERE sample_id = '0'",
        "UPDATE answers SET checksum = checksum + 1 WHERE sample_id = '0'",
        "UPDATE log SET task = 'z' WHERE position = (SELECT MAX(position) FROM log)",
        "UPDATE log SET task = CAST(task AS BLOB) WHERE position = 0",
        "ALTER TABLE claims RENAME TO claimed",
        "DROP TABLE log",
    ],
)
def test_damage_that_leaves_the_pages_in_order_is_found_at_opening(path, whole, change):
    path.write_bytes(whole[0])
    run_sql(path, change)
    with pytest.raises(
        StoreCorruptedError, match=r"damaged \((the ans|its tab|the (log|entry))"
    ):
        LabelStore(path)


def test_pages_out_of_order_are_found_at_opening_though_no_answer_is_damaged(
    path, whole
):
    path.write_bytes(whole[0])
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        query = "SELECT pageno FROM dbstat WHERE name = 'events'"
        connection.execute("INSERT INTO events VALUES (1, 1.0, 'reset', 1, 2, 3, 4, 5)")
        ((page,),) = connection.execute(query).fetchall()
        size = connection.execute("PRAGMA page_size").fetchone()[0]
    data = bytearray(path.read_bytes())
    data[(page - 1) * size + 6] ^= 1  # where the content of the page starts
    path.write_bytes(data)
    with pytest.raises(StoreCorruptedError):
        LabelStore(path)


def test_a_file_is_checked_again_when_it_has_changed_since_it_was_closed(path, whole):
    path.write_bytes(whole[0])
    LabelStore(path).close()
    run_sql(path, "UPDATE answers SET label = '1' WHERE sample_id = '0'")
    with pytest.raises(StoreCorruptedError, match="row 0, has another checksum"):
        LabelStore(path)


def test_a_connection_that_is_closed_does_not_hide_what_happened_to_the_others(
    path, store
):
    store.record("a", {"1": 0}, "anna")
    second = LabelStore(path)
    run_sql(path, "UPDATE answers SET label = '1'")
    run_sql(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    second.close()
    with pytest.raises(StoreCorruptedError, match="row 1, has another checksum"):
        LabelStore(path)


def test_a_file_that_only_this_process_has_changed_is_not_read_again(
    path, whole, monkeypatch
):
    path.write_bytes(whole[0])
    for _ in range(2):
        store = LabelStore(path)
        store.record("new", {"1": 0}, "anna")
        store.close()
        monkeypatch.setattr(connections, "check_answers", None)


# While the file is open


def test_an_answer_that_changes_while_the_file_is_open_is_not_given(store, path):
    store.record("a", {"1": 0, "2": 0}, "anna")
    run_sql(path, "UPDATE answers SET label = '1' WHERE sample_id = '1'")
    assert store.answers("a", ["2"]) == {"2": 0}
    for read in (
        lambda: store.answers("a", ["1", "2"]),
        lambda: store.answers_of("a"),
        lambda: store.claim("a", {"1": 1.0}, "mine", 60),
        lambda: store.record("a", {"1": 0}, "anna"),
        lambda: store.correct("a", {"1": 0}, "anna"),
        lambda: store.records(),
        lambda: store.check(),
        lambda: LabelStore(path),
    ):
        with pytest.raises(StoreCorruptedError, match="task 'a', row 1, has another"):
            read()


def test_damaged_pages_of_an_open_file_are_found_over_the_connection(store, path):
    store.claim("a", {str(n): 1.0 for n in range(9)}, "mine", 60)
    run_sql(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    # The page of the claims, in another process: here it would drop the locks.
    code = (
        "import os, sys; os.pwrite(os.open(sys.argv[1], os.O_RDWR), b'x' * 4096, 8192)"
    )
    elsewhere(code, path)
    store._connection.execute("PRAGMA cache_size = 0")
    with pytest.raises(StoreCorruptedError, match="damaged"):
        store.check()


OPEN_AND_CLOSE = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1])
print(*connection.execute("SELECT sample_id FROM answers").fetchall())
connection.close()
"""


def test_looking_for_damage_loses_no_answer_of_two_processes(store, path):
    """An acknowledged answer was lost where the raw file was read for a look.

    That drops the locks of this process. Another one thinks it is the last one, then,
    and removes the write-ahead log, to which this one goes on writing.
    """
    store.record("a", {"1": 0}, "anna")
    looks = {
        "check": store.check,
        "summary": store.summary,
        "is current": lambda: store.is_current(path, store.timeout),
        "opened again": lambda: LabelStore(path).close(),
        "command": lambda: LabelStore(path, create=False).check(),
        "another oracle": lambda: CachedOracle(len, path).records(),
    }
    for n, (name, look) in enumerate(looks.items(), 2):
        look()
        elsewhere(OPEN_AND_CLOSE, path)
        store.record("a", {str(n): 0}, "anna")
        assert f"('{n}',)" in elsewhere(OPEN_AND_CLOSE, path), name
    connections._checked.clear()  # as if the file had been changed
    LabelStore(path).close()
    elsewhere(OPEN_AND_CLOSE, path)
    store.record("a", {"99": 0}, "anna")
    assert "('99',)" in elsewhere(OPEN_AND_CLOSE, path)


def test_reading_the_raw_file_does_lose_an_answer(store, path):
    """The check of the test above: what it must notice does happen."""
    store.record("a", {"1": 0}, "anna")
    path.read_bytes()
    elsewhere(OPEN_AND_CLOSE, path)
    store.record("a", {"2": 0}, "anna")
    assert "('2',)" not in elsewhere(OPEN_AND_CLOSE, path)


# Rows that cannot be


def add_row(path, task, key, label, answered_at=1.7e9):
    """Write an answer with the right checksum."""
    checksum = zlib.crc32(json.dumps([task, key, label]).encode())
    row = (task, key, label, "anna", answered_at, None, checksum)
    run_sql(path, "INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?, ?)", *row)


@pytest.mark.parametrize("label", ["", "{", "ham", "[" * 100_000, "1" * 5000])
def test_a_label_that_is_not_json_is_named(store, path, label):
    add_row(path, "a", "7", label)
    for read in (
        lambda: store.answers("a", ["7"]),
        lambda: store.answers_of("a"),
        lambda: store.labels("a"),
        lambda: store.records(),
        lambda: store.claim("a", {"7": 1.0}, "mine", 60),
        lambda: store.record("a", {"7": 1}, "anna"),
        lambda: store.correct("a", {"7": 1}, "anna"),
        lambda: store.forget_skips("a", ["7"]),
        lambda: store.check(),
    ):
        with pytest.raises(StoreCorruptedError, match="task 'a', row 7, has a label"):
            read()


def test_a_label_that_is_no_text_is_named(store, path):
    store.record("a", {"7": 1}, "anna")
    run_sql(path, "UPDATE answers SET label = CAST(label AS BLOB)")
    with pytest.raises(StoreCorruptedError, match="row 7, has a label that is not"):
        store.labels("a")


def test_an_id_is_an_int_or_a_text():
    assert [to_key(1), to_key("1"), to_key(np.int8(1))] == ["1", '"1"', "1"]
    for other in (True, np.True_, 1.0, None, [1]):
        with pytest.raises(ValueError, match="ints or strs"):
            to_key(other)


@pytest.mark.parametrize(
    "key", ["", "x", "[1]", "true", "null", "1.5", "NaN", "1" * 5000]
)
def test_a_sample_id_that_is_none_is_named(store, path, key):
    add_row(path, "a", key, "1")
    for read in (store.records, store.check):
        with pytest.raises(
            StoreCorruptedError, match=r"the task 'a', row .* an id that"
        ):
            read()


@pytest.mark.parametrize("time", [-1.0, 1e300, float("inf"), "soon", b"x"])
def test_a_time_that_cannot_be_is_named(store, path, time):
    add_row(path, "a", "7", "1", time)
    for read in (store.records, store.check):
        with pytest.raises(StoreCorruptedError, match="'a', row 7, has the time"):
            read()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("sample_id", "x"),
        ("label", "{"),
        ("happened_at", 1e300),
        ("happened_at", -1e300),
        ("happened_at", "soon"),
        ("detail", "{"),
        ("detail", "{}"),
        ("detail", "[]"),
    ],
)
def test_a_correction_that_cannot_be_is_named(store, path, column, value):
    store.record("a", {"7": 0}, "anna")
    store.correct("a", {"7": 1}, "bert")
    run_sql(path, f"UPDATE events SET {column} = ?", value)
    for read in (lambda: store.corrections("a"), store.check):
        with pytest.raises(StoreCorruptedError, match="event 1 of the task 'a', row"):
            read()


@pytest.mark.parametrize("name", ["n_calls", "n_asked", "cost"])
@pytest.mark.parametrize("value", ["much", -7, 1e400, b"x"])
def test_an_amount_that_cannot_be_is_named(store, path, name, value):
    store.claim("a", {"7": 1.0}, "mine", 60)
    run_sql(path, "UPDATE account SET value = ? WHERE name = ?", value, name)
    for read in (
        store.summary,
        store.check,
        lambda: store.claim("a", {"8": 1.0}, "mine", 60, max_calls=9, max_cost=9),
    ):
        with pytest.raises(StoreCorruptedError, match=f"{name} in the account is"):
            read()


# Files beside the write-ahead logs of others


def with_log(path, labels):
    """Return the bytes of a store in use, and those of its write-ahead log."""
    store = LabelStore(path)
    run_sql(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    store.record("default", labels, "anna")
    code = "import sys; sys.stdout.buffer.write(open(sys.argv[1], 'rb').read())"
    parts = [
        subprocess.check_output([sys.executable, "-c", code, f"{path}{suffix}"])
        for suffix in ("", "-wal")
    ]
    store.close()
    return parts


def test_a_file_beside_the_log_of_another_is_refused_untouched(tmp_path):
    ours, _ = with_log(tmp_path / "ours.sqlite", {"1": 1})
    _, log = with_log(tmp_path / "other.sqlite", {"1": 0})
    path = tmp_path / "labels.sqlite"
    path.write_bytes(ours)
    path.with_name("labels.sqlite-wal").write_bytes(log)
    with pytest.raises(StoreCorruptedError, match="-wal of another label store"):
        LabelStore(path)
    assert path.read_bytes() == ours
    assert path.with_name("labels.sqlite-wal").read_bytes() == log
    # What SQLite makes of it by itself: the answers of the other file.
    found = run_sql(path, "SELECT label FROM answers")
    assert found == [("0",)]


def test_a_file_beside_an_older_log_of_its_own_is_refused(tmp_path):
    path = tmp_path / "labels.sqlite"
    _, log = with_log(path, {"1": 0})
    store = LabelStore(path)
    store.record("default", {"2": 0}, "anna")
    store.close()
    newer = path.read_bytes()
    path.with_name("labels.sqlite-wal").write_bytes(log)
    with pytest.raises(StoreCorruptedError, match="-wal of an older state"):
        LabelStore(path)
    assert path.read_bytes() == newer


def test_a_file_beside_its_own_log_is_opened_with_all_its_answers(tmp_path):
    ours, log = with_log(tmp_path / "ours.sqlite", {"1": 1})
    path = tmp_path / "labels.sqlite"
    path.write_bytes(ours)
    path.with_name("labels.sqlite-wal").write_bytes(log)
    store = LabelStore(path)
    assert store.answers_of("default") == {"1": 1}
    store.close()


def test_a_damaged_file_is_left_as_it_is_with_its_log(tmp_path):
    ours, log = with_log(tmp_path / "ours.sqlite", {"1": 1})
    ours = ours[:12288] + b"\xff" * 4096 + ours[16384:]  # the events; not in the log
    path = tmp_path / "labels.sqlite"
    path.write_bytes(ours)
    path.with_name("labels.sqlite-wal").write_bytes(log)
    with pytest.raises(StoreCorruptedError):
        LabelStore(path)
    assert path.read_bytes() == ours
    assert path.with_name("labels.sqlite-wal").read_bytes() == log


# What keeps answers safe


def test_an_answer_is_on_the_disk_before_it_is_acknowledged(store):
    assert store._connection.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert store._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_fork_does_not_use_the_connection_of_its_parent(store, path, monkeypatch):
    def look():
        results.put(store.is_current(path, store.timeout))

    context = get_context("fork")
    results = context.Queue()
    child = context.Process(target=look)
    child.start()
    assert results.get(timeout=60) is False
    child.join()
    assert store.is_current(path, store.timeout)
    monkeypatch.chdir(path.parent)
    assert store.is_current(path.name, store.timeout)
    assert not store.is_current(path, store.timeout + 1)
    assert not store.is_current(path.with_name("other.sqlite"), store.timeout)


def test_a_connection_to_a_file_that_was_replaced_is_not_current(store, path, tmp_path):
    shutil.copy(path, tmp_path / "copy.sqlite")
    os.replace(tmp_path / "copy.sqlite", path)
    assert not store.is_current(path, store.timeout)


def test_the_raw_file_is_left_alone_while_a_dropped_connection_lives(
    tmp_path, monkeypatch
):
    # A connection that nobody has closed is in a cycle of references, and lives until
    # the garbage collector finds it. Opening and closing the raw file would drop its
    # locks, with answers lost.
    path, read = tmp_path / "labels.sqlite", []
    LabelStore(path).close()
    store = LabelStore(path)
    gc.collect()
    gc.disable()
    try:
        del store
        monkeypatch.setattr(
            "skactive.oracles._store.connection.check_file",
            lambda path, create: read.append(path),
        )
        LabelStore(path).close()
        assert read == []
    finally:
        gc.enable()


def test_a_new_file_and_the_copy_of_an_older_one_survive_a_loss_of_power(
    tmp_path, monkeypatch
):
    synced, sync = [], os.fsync
    monkeypatch.setattr(
        "os.fsync",
        lambda file: (
            synced.append(os.path.samestat(os.fstat(file), tmp_path.stat()))
            or sync(file)
        ),
    )
    LabelStore(tmp_path / "new.sqlite").close()
    assert synced == [True]
    old = Path(__file__).parents[1] / "data" / "label_store_1.sqlite"
    shutil.copy(old, tmp_path / "old.sqlite")
    LabelStore(tmp_path / "old.sqlite").close()
    assert synced == [True, True]
