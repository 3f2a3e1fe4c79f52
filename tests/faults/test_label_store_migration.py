"""Label stores of an older version: T52.

The file of version 1 was made by a released build; see tests/data/README.md.
"""

import json
import os
import shutil
import signal
import sqlite3
import stat
import time
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from skactive.exceptions import StoreError, StoreVersionError
from skactive.oracles import CachedOracle
from skactive.oracles._store import schema
from skactive.oracles._store.store import LabelStore

STORED = Path(__file__).parents[1] / "data" / "label_store_1.sqlite"
# Written down from what went into the file, not read from it.
ANSWERS = [
    ("colour", 7, 1, "bert", 1700000009.0),
    ("default", 0, 0, "anna", 1700000003.0),
    ("default", 1, 1, "anna", 1700000003.0),
    ("default", 2, 0, "anna", 1700000003.0),
    ("default", "row 3", "häm", "anna", 1700000006.0),
    ("default", "röw 4", None, "anna", 1700000006.0),
]
ROWS = {f"row {i}": i % 3 for i in range(100, 500)}
LABELS = {answer[1]: answer[2] for answer in ANSWERS[1:]} | ROWS


@pytest.fixture
def stored(tmp_path):
    """A copy of the file of version 1."""
    return Path(shutil.copy(STORED, tmp_path / "stored.sqlite"))


@pytest.fixture
def migrations(monkeypatch):
    """The table of migrations, to put others in."""
    monkeypatch.setattr(schema, "MIGRATIONS", table := schema.MIGRATIONS.copy())
    return table


@pytest.fixture
def path(tmp_path, migrations):
    """A file of version 1; its last answers are only in the write-ahead log."""
    path = Path(shutil.copy(STORED, tmp_path / "labels.sqlite"))
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executemany(
        "INSERT INTO answers VALUES ('default', ?, ?, 'anna', 1700000100)",
        [(json.dumps(key), json.dumps(label)) for key, label in ROWS.items()],
    )
    yield path
    connection.close()


def never(X):
    raise AssertionError("asked")


def open_store(path):
    """Return the labels in a file as a CachedOracle sees them."""
    oracle = CachedOracle(never, path, timeout=10)
    labels = {record["sample_id"]: record["label"] for record in oracle.records()}
    oracle.close()
    return labels


def content(path):
    """Return the version and the labels of a task as SQLite sees them."""
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        query = "SELECT sample_id, label FROM answers WHERE task = 'default'"
        rows = connection.execute(query).fetchall()
    return version, {json.loads(key): json.loads(label) for key, label in rows}


def copies(path):
    return sorted(p.name for p in path.parent.glob("*.bak*"))


def test_t52_every_older_version_has_a_migration():
    older = range(1, schema.SCHEMA_VERSION)
    assert set(schema.MIGRATIONS) == set(older)


def dump(path):
    with closing(sqlite3.connect(path)) as connection:
        return list(connection.iterdump())


def rows_of(path, table):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(f"SELECT * FROM {table}").fetchall()


def test_t52_the_stored_file_of_version_1_keeps_all_it_holds(stored):
    before = dump(stored)
    store = LabelStore(stored)
    assert [tuple(record.values()) for record in store.records()] == sorted(
        ANSWERS, key=lambda answer: (answer[4], answer[0], json.dumps(answer[1]))
    )
    contradiction, migration = store.events()
    assert contradiction == {
        "happened_at": 1700000011.0,
        "kind": "contradiction",
        "task": "default",
        "sample_id": 1,
        "label": 0,
        "annotator": "bert",
        "detail": "the first answer, 1, stays",
    }
    assert migration["kind"] == "migration"
    summary = store.summary()
    assert (summary["n_calls"], summary["n_asked"], summary["cost"]) == (4, 7, 7.0)
    assert store.log("default") == []
    assert len(store.salt()) == 32
    store.check()
    store.close()
    assert dump(stored.with_name("stored.sqlite.bak")) == before


def test_t52_the_migration_adds_checksums_and_columns_that_are_empty(stored):
    LabelStore(stored).close()
    rows = rows_of(stored, "answers")
    assert len(rows) == len(ANSWERS)
    for task, key, label, _, _, row_hash, checksum in rows:
        text = json.dumps([task, key, label])
        assert (row_hash, checksum) == (None, zlib.crc32(text.encode()))
    claim = ("colour", "8", "somebody", 600.0, 1700000613.0, None)
    assert rows_of(stored, "claims") == [claim]


def test_t52_a_migrated_file_has_the_tables_of_a_new_one(stored, tmp_path):
    LabelStore(stored).close()
    LabelStore(tmp_path / "new.sqlite").close()
    query = "(SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name)"
    assert rows_of(stored, query) == rows_of(tmp_path / "new.sqlite", query)


def test_t52_an_older_file_is_migrated_and_a_copy_of_it_is_kept(path):
    assert content(path) == (1, LABELS)
    assert open_store(path) == LABELS
    assert content(path) == (2, LABELS)
    assert copies(path) == ["labels.sqlite.bak"]
    copy = path.with_name("labels.sqlite.bak")
    assert content(copy) == (1, LABELS)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    *_, event = CachedOracle(never, path).events()
    assert event["kind"] == "migration"
    assert event["detail"].startswith("from the format 1 to 2; ")


def test_t52_a_migrated_file_is_used_like_any_other(path):
    oracle = CachedOracle(lambda X: [7] * len(X), path)
    answers = oracle(np.zeros((2, 1)), sample_ids=["row 104", "new"])
    assert list(answers) == [2, 7]
    oracle.close()
    assert open_store(path) == LABELS | {"new": 7}
    assert copies(path) == ["labels.sqlite.bak"]


def test_t52_a_copy_that_was_there_before_stays(path):
    path.with_name("labels.sqlite.bak").write_text("precious")
    open_store(path)
    assert path.with_name("labels.sqlite.bak").read_text() == "precious"
    assert content(path.with_name("labels.sqlite.bak2")) == (1, LABELS)


def test_t52_a_migration_that_fails_leaves_the_file_as_it_was(path, migrations):
    def fails_half_way(run):
        run("DELETE FROM answers")
        run("INSERT INTO no_such_table VALUES (1)")

    true_migration, migrations[1] = migrations[1], fails_half_way
    with pytest.raises(StoreError, match="no such table"):
        open_store(path)
    assert content(path) == (1, LABELS)
    assert copies(path) == []
    migrations[1] = true_migration
    assert open_store(path) == LABELS


def test_t52_a_process_killed_while_it_migrates_leaves_the_file_as_it_was(
    path, migrations
):
    def killed_half_way(run):
        run("DELETE FROM answers")
        os.kill(os.getpid(), signal.SIGKILL)

    true_migration, migrations[1] = migrations[1], killed_half_way
    child = get_context("fork").Process(target=open_store, args=(path,))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert content(path) == (1, LABELS)
    migrations[1] = true_migration
    assert open_store(path) == LABELS


def test_t52_processes_that_open_an_older_file_at_once_migrate_it_once(
    path, migrations
):
    def slowly(run):  # so that the others find the old version, too, and wait
        time.sleep(0.5)
        true_migration(run)

    true_migration, migrations[1] = migrations[1], slowly
    context = get_context("fork")
    children = [context.Process(target=open_store, args=(path,)) for _ in range(4)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0] * 4
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(open_store, [path] * 4)) == [LABELS] * 4
    assert copies(path) == ["labels.sqlite.bak"]


def test_t52_without_space_for_the_copy_nothing_is_migrated(path, full_disk):
    with full_disk(20_000), pytest.raises(StoreError):
        open_store(path)
    assert content(path) == (1, LABELS)
    assert copies(path) == []


def test_t52_a_version_that_nothing_leads_from_is_refused(path, migrations):
    del migrations[1]
    with pytest.raises(StoreVersionError, match="has the format 1"):
        open_store(path)
    assert content(path) == (1, LABELS)
