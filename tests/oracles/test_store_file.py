"""The file of a label store: what it may be, what its errors mean, how it is opened."""

import os
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from skactive.exceptions import (
    StoreBusyError,
    StoreCorruptedError,
    StoreError,
    StoreVersionError,
)
from skactive.oracles._store import file as file_module
from skactive.oracles._store.file import (
    as_store_error,
    check_file,
    check_kind,
    check_write_ahead_log,
    identity,
    is_busy,
    raise_unless_ok,
    read_only,
    state,
)
from skactive.oracles._store.schema import (
    APPLICATION_ID,
    SCHEMA_VERSION,
    create,
    has_all_tables,
    is_known,
)
from skactive.oracles._store.store import LabelStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


@pytest.fixture
def store(path):
    store = LabelStore(path)
    yield store
    store.close()


def a_header(application=APPLICATION_ID, version=SCHEMA_VERSION):
    """Return the first 100 bytes of a database."""
    header = bytearray(b"SQLite format 3\0".ljust(100, b"\0"))
    header[60:64] = version.to_bytes(4, "big")
    header[68:72] = application.to_bytes(4, "big")
    return bytes(header)


# Files that are refused before SQLite opens them


def test_a_folder_or_a_file_that_is_not_there_is_named(tmp_path, path):
    with pytest.raises(StoreError, match=f"{tmp_path} is a folder"):
        check_file(tmp_path, create=True)
    with pytest.raises(StoreError, match=f"There is no label store {path}"):
        check_file(path, create=False)
    path.touch()
    with pytest.raises(StoreError, match=f"There is no label store {path}"):
        check_file(path, create=False)
    missing = tmp_path / "no" / "labels.sqlite"
    with pytest.raises(StoreError, match=rf"{missing} .* no folder {missing.parent}\."):
        check_file(missing, create=True)


def test_a_new_file_is_for_its_owner_only(path):
    check_file(path, create=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_size == 0
    check_file(path, create=True)  # it is empty still


def test_a_file_that_cannot_be_made_or_read_is_named(path, monkeypatch):
    def fails(*args):
        raise PermissionError("not yours")

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", fails)
        with pytest.raises(StoreError, match=f"{path} cannot be made: not yours"):
            check_file(path, create=True)
    path.write_bytes(a_header())
    monkeypatch.setattr(file_module, "open", fails, raising=False)
    with pytest.raises(StoreError, match=f"{path} cannot be read: not yours"):
        check_file(path, create=True)


@pytest.mark.parametrize("content", [a_header()[:99], b"SQLite format 4".ljust(200)])
def test_a_file_that_is_no_database_is_refused(path, content):
    path.write_bytes(content)
    with pytest.raises(StoreCorruptedError, match=f"{path} is not a label store"):
        check_file(path, create=True)
    assert path.read_bytes() == content


def test_the_kind_of_a_database_is_in_its_header(path):
    path.write_bytes(a_header())
    check_file(path, create=False)
    path.write_bytes(a_header(version=SCHEMA_VERSION + 1))
    with pytest.raises(
        StoreVersionError, match=f"{path} has the format 3, .* format 2"
    ):
        check_file(path, create=False)
    path.write_bytes(a_header(version=2**24 + SCHEMA_VERSION))
    with pytest.raises(StoreVersionError):
        check_file(path, create=False)
    path.write_bytes(a_header(application=APPLICATION_ID + 1))
    with pytest.raises(StoreError, match=f"{path} is a database of another program"):
        check_file(path, create=False)


def test_versions_that_can_be_brought_up_to_date_are_known(path):
    assert [version for version in range(5) if is_known(version)] == [1, 2]
    check_kind(path, APPLICATION_ID, 1)
    with pytest.raises(StoreVersionError):
        check_kind(path, APPLICATION_ID, 0)


@pytest.mark.parametrize(
    ("alone", "together", "whose"),
    [
        (None, ("a", 1), None),
        (("a", 1), None, None),
        (("a", 3), ("a", 3), None),
        (("a", 3), ("a", 4), None),
        (("a", 3), ("a", 2), "an older state of this file"),
        (("a", 3), ("b", 4), "another label store"),
    ],
)
def test_a_log_belongs_to_a_file_that_it_makes_newer(
    path, monkeypatch, alone, together, whose
):
    accounts = {("immutable=1",): alone, (): together}
    monkeypatch.setattr(file_module, "_account", lambda path, *how: accounts[how])
    path.with_name("labels.sqlite-wal").touch()
    if whose is None:
        check_write_ahead_log(path)
    else:
        with pytest.raises(StoreCorruptedError, match=f"{path} .* of {whose}; "):
            check_write_ahead_log(path)


def test_a_file_in_which_nothing_was_written_yet_has_a_name(store, path):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM account WHERE name = 'n_writes'")
    assert file_module._account(path) == (store.salt(), 0)


# What tells files apart


def test_a_file_is_the_same_under_each_of_its_names(tmp_path, path):
    path.write_text("a")
    other, link = tmp_path / "other", tmp_path / "link"
    other.write_text("a")
    link.hardlink_to(path)
    assert identity(path) == identity(link) != identity(other)
    assert identity(tmp_path / "gone") is None


def test_the_state_of_a_file_changes_when_it_is_written_to(tmp_path, path):
    path.write_text("a")
    before = state(path)
    assert before == state(path)
    path.write_text("ab")
    longer = state(path)
    assert longer != before
    os.utime(path, ns=(0, 5))
    assert state(path)[:2] == (2, 5)
    assert state(tmp_path / "gone") is None


# Errors


def an_error(code, text="what SQLite says"):
    error = sqlite3.OperationalError(text)
    if code is not None:
        error.sqlite_errorcode = code
    return error


@pytest.mark.parametrize(
    ("code", "busy"),
    [(5, True), (6, True), (5 + 256, True), (11, False), (None, False)],
)
def test_a_lock_is_told_by_the_low_byte_of_the_code(code, busy):
    assert is_busy(an_error(code)) is busy


def test_a_lock_is_an_error_of_its_own(path):
    error = as_store_error(an_error(6 + 256), path, 2.5)
    assert type(error) is StoreBusyError
    assert f"{path} was locked by another program for more than 2.5 seconds" in str(
        error
    )


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (11, "malformed"),
        (11 + 256, "malformed"),
        (26, "no database"),
        (1, "unsupported file format"),
        (None, "Could not decode to UTF-8 column 'label'"),
    ],
)
def test_damage_is_an_error_of_its_own(path, code, text):
    error = as_store_error(an_error(code, text), path, 1)
    assert type(error) is StoreCorruptedError
    assert f"{path} is damaged ({text}" in str(error)


@pytest.mark.parametrize(
    ("code", "writable"), [(8, True), (14, True), (8 + 512, True), (10, False)]
)
def test_other_errors_say_what_sqlite_says(path, code, writable):
    error = as_store_error(an_error(code), path, 1)
    assert type(error) is StoreError
    assert f"{path} cannot be used: what SQLite says." in str(error)
    assert ("must be writable" in str(error)) is writable
    assert str(error).endswith("too." if writable else "says.")


def test_an_error_without_a_code_is_one_of_the_store(path):
    assert type(as_store_error(sqlite3.ProgrammingError("no"), path, 1)) is StoreError


def test_what_a_check_of_the_pages_finds_is_damage(path):
    raise_unless_ok(path, [("ok",)])
    for found in ([("page 3",), ("page 4",)], [("ok",), ("page 3",)]):
        with pytest.raises(StoreCorruptedError, match=rf"{path} is .*{found[0][0]}"):
            raise_unless_ok(path, found)


# Connections


def test_a_connection_that_reads_only_writes_nothing(store, path):
    with closing(read_only(path)) as connection:
        assert connection.execute("SELECT * FROM answers").fetchall() == []
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            connection.execute("DELETE FROM answers")


def test_a_connection_is_current_for_its_file_and_timeout(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = LabelStore(path.name, timeout=3)
    assert store.path == path
    assert store.is_current(path, 3)
    assert store.is_current(path.name, 3)
    assert not store.is_current(path, 4)
    assert not store.is_current(tmp_path / "other", 3)
    monkeypatch.setattr(os, "getpid", lambda: 0)
    assert not store.is_current(path, 3)
    monkeypatch.undo()
    path.unlink()
    assert not store.is_current(path, 3)
    store.close()


def test_a_file_is_only_made_on_demand(path):
    with pytest.raises(StoreError, match="There is no label store"):
        LabelStore(path, create=False)
    assert not path.exists()
    LabelStore(path).close()
    LabelStore(path, create=False).close()


def test_a_closed_store_says_so(store, path):
    store.close()
    store.close()
    for use in (store.records, store.reset):
        with pytest.raises(StoreError, match=f"{path} was closed while it was in use"):
            use()


def test_answers_are_written_at_once_into_a_log(store, path):
    run = store._connection.execute
    assert run("PRAGMA journal_mode").fetchone() == ("wal",)
    assert run("PRAGMA synchronous").fetchone() == (2,)  # FULL
    store.record("t", {"1": 5}, "ann")
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("SELECT label FROM answers").fetchall() == [("5",)]


def test_all_threads_may_use_a_store(store):
    found = []

    def use():
        store.record("t", {"1": 5}, "ann")
        found.append(store.answers_of("t"))

    thread = threading.Thread(target=use)
    thread.start()
    thread.join()
    assert found == [{"1": 5}]


def test_a_transaction_that_fails_writes_nothing(store):
    def fails():
        with store._writing() as run:
            run("INSERT INTO account VALUES ('cost', 5.0)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert store.summary()["cost"] == 0
    assert not store._connection.in_transaction
    store.reset()


def test_a_file_that_others_have_locked_is_an_error_after_the_timeout(path):
    store = LabelStore(path, timeout=0.05)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreBusyError, match=r"more than 0\.05 seconds"):
            store.reset()
        assert store.records() == []  # to read is allowed
    store.reset()
    store.close()


def test_a_text_that_is_not_utf_8_is_damage(store, path):
    with pytest.raises(StoreCorruptedError, match=f"{path} is damaged .*utf-8"):
        with store._translating():
            b"\xff".decode()


class Switches:
    """A connection that is switched to the write-ahead log."""

    def __init__(self, *answers):
        self.answers = list(answers)

    def execute(self, query):
        assert query == "PRAGMA journal_mode=WAL"
        return self

    def fetchone(self):
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return (answer,)


@pytest.fixture
def switch(store):
    def switch(*answers, timeout=60):
        kept, store.timeout = store._connection, timeout
        store._connection = Switches(*answers)
        try:
            store._use_write_ahead_log()
            return store._connection.answers
        finally:
            store._connection = kept

    return switch


def test_others_that_use_the_file_are_waited_for_to_switch_to_its_log(switch, recwarn):
    assert switch(an_error(5), an_error(5), "wal", "more") == ["more"]
    assert not recwarn.list
    with pytest.raises(sqlite3.OperationalError):
        switch(an_error(5), "wal", timeout=-1)
    with pytest.raises(sqlite3.OperationalError):
        switch(an_error(10), "wal")


def test_a_file_system_without_such_logs_is_warned_about(switch, path):
    with pytest.warns(UserWarning, match=f"file system of {path} does not support"):
        switch("delete")


# Tables


@pytest.mark.parametrize("name", ["answers", "claims", "events", "account", "log"])
def test_a_file_without_one_of_its_tables_is_damaged(path, name):
    LabelStore(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"ALTER TABLE {name} RENAME TO other")
    with pytest.raises(StoreCorruptedError, match=r"its tables are not those"):
        LabelStore(path)


def test_tables_are_made_once(path):
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        run = connection.execute
        assert not has_all_tables(run)
        create(connection)
        assert has_all_tables(run)
        assert run("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert run("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert not connection.in_transaction
        run("DELETE FROM account")
        create(connection)  # another process has just made them
        assert run("SELECT * FROM account").fetchall() == []
    assert path.read_bytes()[68:72] == b"skls"
    assert Path(path).stat().st_size > 0
