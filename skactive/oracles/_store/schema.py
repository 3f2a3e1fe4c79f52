"""The tables of a label store, and how older files are brought up to date."""

import os
import secrets
import sqlite3
import time
from contextlib import closing
from itertools import count

from skactive.exceptions import StoreError
from skactive.oracles._store.damage import checksum
from skactive.utils._files import sync_folder

APPLICATION_ID = 0x736B6C73  # "skls", in the header of the file
SCHEMA_VERSION = 2

_SCHEMA = (
    """CREATE TABLE answers (
        task TEXT NOT NULL,
        sample_id TEXT NOT NULL,
        label TEXT NOT NULL,
        annotator TEXT NOT NULL,
        answered_at REAL NOT NULL,
        row_hash TEXT,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (task, sample_id)
    ) WITHOUT ROWID""",
    """CREATE TABLE claims (
        task TEXT NOT NULL,
        sample_id TEXT NOT NULL,
        owner TEXT NOT NULL,
        seconds REAL NOT NULL,
        expires_at REAL NOT NULL,
        process TEXT,
        PRIMARY KEY (task, sample_id)
    ) WITHOUT ROWID""",
    """CREATE TABLE events (
        event_id INTEGER PRIMARY KEY,
        happened_at REAL NOT NULL,
        kind TEXT NOT NULL,
        task TEXT,
        sample_id TEXT,
        label TEXT,
        annotator TEXT,
        detail TEXT
    )""",
    """CREATE TABLE account (
        name TEXT PRIMARY KEY,
        value NOT NULL
    ) WITHOUT ROWID""",
    """CREATE TABLE log (
        task TEXT NOT NULL,
        position INTEGER NOT NULL,
        entry TEXT NOT NULL,
        checksum INTEGER NOT NULL,
        PRIMARY KEY (task, position)
    ) WITHOUT ROWID""",
)


def _add_checksums_and_log(run):
    """Make version 2 of version 1: checksums, hashes of rows, processes, the log."""
    answers, claims, _, _, log = _SCHEMA
    for name, made in (("answers", answers), ("claims", claims)):
        # Made anew: a column that is added stands last, and needs a default.
        run(f"ALTER TABLE {name} RENAME TO old_{name}")
        run(made)
    for row in run("SELECT * FROM old_answers"):
        run("INSERT INTO answers VALUES (?, ?, ?, ?, ?, NULL, ?)", _with_checksum(row))
    run("INSERT INTO claims SELECT *, NULL FROM old_claims")
    run("DROP TABLE old_answers")
    run("DROP TABLE old_claims")
    run(log)
    _name_file(run)


def _name_file(run):
    run("INSERT INTO account VALUES ('salt', ?)", (secrets.token_hex(16),))


def _with_checksum(row):
    task, key, label = row[:3]
    return *row, checksum(task, key, label)


# For each older version, a function that turns it into the next one by ``run(sql)``.
# Whoever changes the schema adds one here.
MIGRATIONS = {1: _add_checksums_and_log}


def is_known(version):
    """Tell whether a file of this version can be used, perhaps after a migration."""
    return version == SCHEMA_VERSION or version in MIGRATIONS


def has_all_tables(run):
    """Tell whether the tables are there as they were made."""
    found = {sql for (sql,) in run("SELECT sql FROM sqlite_schema")}
    return found.issuperset(_SCHEMA)


def create(connection):
    """Make the tables, unless another process has just made them."""
    run = connection.execute
    run("BEGIN EXCLUSIVE")
    if not _version(connection):
        for statement in _SCHEMA:
            run(statement)
        _name_file(run)
        run(f"PRAGMA application_id = {APPLICATION_ID}")
        run(f"PRAGMA user_version = {SCHEMA_VERSION}")
    run("COMMIT")


def migrate(connection, path):
    """Bring an older file up to date in one transaction, and keep a copy of it.

    Parameters
    ----------
    connection : sqlite3.Connection
        Connection to the file, outside a transaction.

    path : pathlib.Path
        The file. The copy is beside it; its name ends in ``.bak``, followed by a number
        if there is such a file already.
    """
    run, kept = connection.execute, None
    if _version(connection) == SCHEMA_VERSION:
        return
    run("BEGIN IMMEDIATE")  # others may read: the copy is made over a second connection
    try:
        version = _version(connection)
        if version != SCHEMA_VERSION:  # otherwise another process has just done it
            kept = _keep_copy(path)
            for older in range(version, SCHEMA_VERSION):
                MIGRATIONS[older](run)
            run(f"PRAGMA user_version = {SCHEMA_VERSION}")
            run(
                "INSERT INTO events (happened_at, kind, detail) VALUES (?, ?, ?)",
                (
                    time.time(),
                    "migration",
                    f"from the format {version} to {SCHEMA_VERSION}; the file as it "
                    f"was is {kept.name}",
                ),
            )
        run("COMMIT")
    except BaseException:
        if connection.in_transaction:
            run("ROLLBACK")
        if kept is not None:  # the file is as it was
            kept.unlink(missing_ok=True)
        raise


def _version(connection):
    return connection.execute("PRAGMA user_version").fetchone()[0]


def _keep_copy(path):
    """Copy a file that nobody writes to; only a whole copy gets its final name."""
    names = (f"{path.name}.bak{'' if n == 1 else n}" for n in count(1))
    kept = next(p for name in names if not (p := path.with_name(name)).exists())
    part = kept.with_name(f"{kept.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        # A plain copy would miss what is in the write-ahead log only.
        with closing(sqlite3.connect(path)) as source:
            with closing(sqlite3.connect(part)) as copy:
                source.backup(copy)
        os.replace(part, kept)
        sync_folder(kept.parent)
    except OSError as error:
        raise StoreError(
            f"The label store {path} is of an older version, and no copy of it could "
            f"be made before the migration: {error}. It was left as it is."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return kept
