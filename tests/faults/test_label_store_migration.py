"""Label stores of an older version: T52.

There has been one version so far. So the one of today counts as the third here, and
two that never were are made up before it.
"""

import json
import os
import signal
import sqlite3
import stat
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from multiprocessing import get_context

import numpy as np
import pytest

from skactive.exceptions import StoreError, StoreVersionError
from skactive.oracles import CachedOracle
from skactive.oracles._store import schema

LABELS = {f"row {i}": i % 3 for i in range(500)}


def name_annotators(run):
    """Make version 2 of version 1: whoever answers has a name."""
    run("ALTER TABLE answers ADD COLUMN annotator TEXT NOT NULL DEFAULT 'unknown'")
    run("ALTER TABLE answers ADD COLUMN answered_at REAL NOT NULL DEFAULT 0")


def limit_claims(run):
    """Make version 3 of version 2: claims end."""
    run("DROP TABLE claims")
    for statement in schema._SCHEMA:
        if "TABLE claims" in statement:
            run(statement)


@pytest.fixture
def migrations(monkeypatch):
    """The table of migrations, as if there had been two versions before."""
    table = {1: name_annotators, 2: limit_claims}
    monkeypatch.setattr(schema, "SCHEMA_VERSION", 3)
    monkeypatch.setattr(schema, "MIGRATIONS", table)
    return table


@pytest.fixture
def path(tmp_path, migrations):
    """A file of version 1; its last answer is only in the write-ahead log."""
    path = tmp_path / "labels.sqlite"
    connection = sqlite3.connect(path, isolation_level=None)
    run = connection.execute
    run("PRAGMA journal_mode=WAL")
    run("CREATE TABLE answers (task, sample_id, label, PRIMARY KEY (task, sample_id))")
    run("CREATE TABLE claims (task TEXT, sample_id TEXT)")
    for statement in schema._SCHEMA[2:]:
        run(statement)
    run(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    run("PRAGMA user_version = 1")
    run("PRAGMA wal_checkpoint(TRUNCATE)")
    rows = [("default", json.dumps(k), json.dumps(v)) for k, v in LABELS.items()]
    connection.executemany("INSERT INTO answers VALUES (?, ?, ?)", rows)
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
    """Return the version and the labels in a file as SQLite sees them."""
    with closing(sqlite3.connect(path)) as connection:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        rows = connection.execute("SELECT sample_id, label FROM answers").fetchall()
    return version, {json.loads(key): json.loads(label) for key, label in rows}


def copies(path):
    return sorted(p.name for p in path.parent.glob("*.bak*"))


def test_t52_every_older_version_has_a_migration():
    older = range(1, schema.SCHEMA_VERSION)
    assert set(schema.MIGRATIONS) == set(older)


def test_t52_an_older_file_is_migrated_and_a_copy_of_it_is_kept(path):
    assert content(path) == (1, LABELS)
    assert open_store(path) == LABELS
    assert content(path) == (3, LABELS)
    assert copies(path) == ["labels.sqlite.bak"]
    copy = path.with_name("labels.sqlite.bak")
    assert content(copy) == (1, LABELS)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    (event,) = CachedOracle(never, path).events()
    assert event["kind"] == "migration"
    assert event["detail"].startswith("from the format 1 to 3; ")


def test_t52_a_migrated_file_is_used_like_any_other(path):
    oracle = CachedOracle(lambda X: [7] * len(X), path)
    answers = oracle(np.zeros((2, 1)), sample_ids=["row 4", "new"])
    assert list(answers) == [1, 7]
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

    migrations[2] = fails_half_way
    with pytest.raises(StoreError, match="no such table"):
        open_store(path)
    assert content(path) == (1, LABELS)
    assert copies(path) == []
    migrations[2] = limit_claims
    assert open_store(path) == LABELS


def test_t52_a_process_killed_while_it_migrates_leaves_the_file_as_it_was(
    path, migrations
):
    def killed_half_way(run):
        run("DELETE FROM answers")
        os.kill(os.getpid(), signal.SIGKILL)

    migrations[2] = killed_half_way
    child = get_context("fork").Process(target=open_store, args=(path,))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert content(path) == (1, LABELS)
    migrations[2] = limit_claims
    assert open_store(path) == LABELS


def test_t52_processes_that_open_an_older_file_at_once_migrate_it_once(
    path, migrations
):
    def slowly(run):  # so that the others find the old version, too, and wait
        time.sleep(0.5)
        name_annotators(run)

    migrations[1] = slowly
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
