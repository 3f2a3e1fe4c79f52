"""The file of a label store: checks whether it can be used, and errors."""

import os
import sqlite3
from contextlib import closing

from skactive.exceptions import (
    StoreBusyError,
    StoreCorruptedError,
    StoreError,
    StoreVersionError,
)
from skactive.oracles._store.damage import damaged
from skactive.oracles._store.schema import APPLICATION_ID, SCHEMA_VERSION, is_known
from skactive.utils._files import sync_folder

_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
# The second is the error of sqlite3 (the module) for a text that is not UTF-8.
_DAMAGE_WITHOUT_CODE = ("unsupported file format", "Could not decode to UTF-8")
_MAGIC = b"SQLite format 3\x00"


def check_file(path, *, create):
    """Refuse a file that is not a label store, without opening it with SQLite.

    SQLite may write to a file that it opens.
    """
    if path.is_dir():
        raise StoreError(f"The label store {path} is a folder; name a file in it.")
    if not path.exists() or path.stat().st_size == 0:
        if not create:
            raise StoreError(f"There is no label store {path}.")
        _make_empty(path)
        return
    try:
        with open(path, "rb") as file:
            header = file.read(100)
    except OSError as error:
        raise StoreError(f"The label store {path} cannot be read: {error}.") from error
    if len(header) < 100 or not header.startswith(_MAGIC):
        raise StoreCorruptedError(
            f"The file {path} is not a label store, or is damaged; it was left as it "
            "is. Name another file, or restore it from a backup."
        )
    # The application id and the version have fixed places in the header.
    check_kind(
        path, int.from_bytes(header[68:72], "big"), int.from_bytes(header[60:64], "big")
    )


def _make_empty(path):
    """Make a file that only its owner may read."""
    if not path.parent.is_dir():
        raise StoreError(
            f"The label store {path} cannot be made: there is no folder {path.parent}."
        )
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    except OSError as error:
        raise StoreError(f"The label store {path} cannot be made: {error}.") from error
    # SQLite syncs what it writes, but it did not create this file.
    sync_folder(path.parent)


def check_write_ahead_log(path):
    """Refuse a file next to the write-ahead log of another file.

    SQLite would write the pages of one into the other. The salt of the file and its
    number of transactions are read without the log and with it, and compared. If they
    cannot be read, because the file is in use or its process was killed while it wrote
    the log back, the file is accepted: its pages are checked afterwards.
    """
    if not path.with_name(f"{path.name}-wal").exists():
        return
    alone, together = _account(path, "immutable=1"), _account(path)
    if alone is None or together is None:
        return
    if alone[0] != together[0]:
        whose = "another label store"
    elif alone[1] > together[1]:
        whose = "an older state of this file"
    else:
        return
    raise StoreCorruptedError(
        f"Next to the label store {path} is the write-ahead log {path.name}-wal of "
        f"{whose}; both were left as they are. Put each file next to its own -wal "
        "file, or restore it from a backup into a folder without one."
    )


def read_only(path, how="mode=ro"):
    """Return a connection that writes nothing."""
    return sqlite3.connect(f"{path.as_uri()}?{how}", uri=True, timeout=0)


def _account(path, how="mode=ro"):
    """Return the salt of a file and its number of transactions, None if unknown."""
    try:
        with closing(read_only(path, how)) as connection:
            found = dict(connection.execute("SELECT name, value FROM account"))
            return found["salt"], found.get("n_writes", 0)
    except (sqlite3.Error, KeyError):
        return None


def check_kind(path, application, version):
    """Refuse a database of another program or another version."""
    if application != APPLICATION_ID:
        raise StoreError(
            f"The file {path} is a database of another program, or its header is "
            "damaged; it was left as it is. Name another file for the label store."
        )
    if not is_known(version):
        raise StoreVersionError(
            f"The label store {path} has the format {version}, and this version of "
            f"skactive reads the format {SCHEMA_VERSION}; it was left as it is. Use "
            "the version of skactive that wrote it, or a newer one."
        )


def raise_unless_ok(path, found):
    """Raise if a check of the pages has found anything."""
    if found != [("ok",)]:
        raise damaged(path, found[0][0])


def identity(path):
    """Return what identifies a file, whatever its name; None if it is gone."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def state(path):
    """Return what changes when somebody writes to a file; None if it is gone."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ctime_ns


def is_busy(error):
    """Tell whether SQLite found the file locked."""
    # The low byte is the kind of error; the others are details.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def as_store_error(error, path, timeout):
    """Return the error of ours for an error of SQLite."""
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if is_busy(error):
        return StoreBusyError(
            f"The label store {path} was locked by another program for more than "
            f"{timeout} seconds. Close what uses it, or raise the timeout."
        )
    if code in _DAMAGE or any(text in str(error) for text in _DAMAGE_WITHOUT_CODE):
        return damaged(path, error)
    hint = ""
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
        hint = " The file must be writable, and its folder too."
    return StoreError(f"The label store {path} cannot be used: {error}.{hint}")
