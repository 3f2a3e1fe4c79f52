"""A connection to the file of a label store: opened, locked, checked and closed."""

import os
import sqlite3
import threading
import time
import warnings
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from weakref import WeakKeyDictionary

from skactive.exceptions import StoreCorruptedError, StoreError
from skactive.oracles._store.account import count_write
from skactive.oracles._store.answers import check_answers
from skactive.oracles._store.damage import damaged
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
from skactive.oracles._store.log import check_log
from skactive.oracles._store.schema import create, has_all_tables, migrate

# The state of each file when this process last checked or closed it. A check reads the
# whole file, and a search opens it in every fit.
_checked = {}
# The open connections and their files. While this process has a connection to a file,
# only SQLite may open and close the file, as closing drops all locks of the process. A
# connection that nobody closes stays open until the garbage collector finds it.
_connections = WeakKeyDictionary()
_opening = threading.RLock()
# Connections of the parent that a fork has copied. SQLite forbids to use or close them
# in the child; kept here, they are not closed by the garbage collector either.
_left_behind = []


class _Connection(sqlite3.Connection):
    """A connection to which there may be weak references."""


class StoreConnection:
    """One connection to the file of a label store, for all threads of one process.

    Parameters
    ----------
    path : str or path-like
        The file. It is created if it does not exist, unless `create` is False.

    timeout : float, default=60.0
        Number of seconds to wait while another program locks the file.

    create : bool, default=True
        Whether to create a file that does not exist.
    """

    def __init__(self, path, *, timeout=60.0, create=True):
        self.path = Path(path).absolute()
        self.timeout = timeout
        self._pid = os.getpid()
        # Threads share the connection, and a transaction belongs to one of them.
        self._lock = threading.RLock()
        self._connection = None
        try:
            with _opening, self._translating():
                if self._file() not in _connections.values():
                    check_file(self.path, create=create)
                    check_write_ahead_log(self.path)
                self._identity = identity(self.path)
                self._connect()
        except StoreCorruptedError:
            # The last connection that is closed writes the log back into the file. A
            # read-only one does not, so the file is left as it is.
            with suppress(sqlite3.Error), closing(read_only(self.path)) as last:
                last.execute("PRAGMA user_version")
                self.close()
            self.close()
            raise
        except BaseException:
            self.close()
            raise

    def is_current(self, path, timeout):
        """Tell whether this is still a connection to the file at `path`."""
        return (
            self._pid == os.getpid()
            and self.path == Path(path).absolute()
            and self.timeout == timeout
            and self._identity == identity(self.path)
        )

    def close(self):
        """Close the connection; after a fork, leave it to the parent."""
        if self._pid != os.getpid():
            _left_behind.append(self._connection)
        elif self._connection is not None:
            with _opening:
                self._connection.close()
                file = _connections.pop(self._connection, None)
                if file in _checked and file not in _connections.values():
                    _checked[file] = state(self.path)
        self._connection = None

    def _connect(self):
        self._connection = sqlite3.connect(
            self.path,
            timeout=self.timeout,
            isolation_level=None,  # transactions begin where we say so
            check_same_thread=False,
            factory=_Connection,
        )
        _connections[self._connection] = self._file()
        run = self._connection.execute
        if not run("PRAGMA user_version").fetchone()[0]:
            create(self._connection)
        (version,) = run("PRAGMA user_version").fetchone()
        (application,) = run("PRAGMA application_id").fetchone()
        check_kind(self.path, application, version)
        checked = _checked.get(self._file()) == state(self.path)
        if not checked:
            raise_unless_ok(self.path, run("PRAGMA integrity_check").fetchall())
        migrate(self._connection, self.path)
        if not checked:
            self._check_content()
            _checked[self._file()] = state(self.path)
        self._use_write_ahead_log()
        # An answer that was paid for must survive a loss of power, not only a crash.
        run("PRAGMA synchronous = FULL")

    def _check_content(self):
        """Look for damage that the page check of SQLite does not find."""
        run = _Run(self._connection, self.path)
        if not has_all_tables(run):
            raise damaged(self.path, "its tables are not those that were made")
        check_answers(run)
        check_log(run)

    def _file(self):
        """Return what identifies the file in this process."""
        return os.getpid(), identity(self.path)

    def _use_write_ahead_log(self):
        """Switch to WAL; SQLite does not wait by itself while others use the file."""
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                (mode,) = self._connection.execute("PRAGMA journal_mode=WAL").fetchone()
                break
            except sqlite3.OperationalError as error:
                if not is_busy(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)
        if mode != "wal":
            warnings.warn(
                f"The file system of {self.path} does not support SQLite's write-ahead "
                "log (is it a network file system?). The label store works without, "
                "but is slower, and should be used by one computer only.",
                UserWarning,
                stacklevel=2,
            )

    @contextmanager
    def _reading(self):
        """Give a function that executes SQL."""
        with self._lock, self._translating():
            self._raise_if_closed()
            yield _Run(self._connection, self.path)

    @contextmanager
    def _writing(self):
        """Give a function that executes SQL in one transaction: all of it, or nothing.

        No other process writes meanwhile.
        """
        with self._lock, self._translating():
            self._raise_if_closed()
            # A plain BEGIN would lock at the first write only, after others may have
            # changed what was read; SQLite refuses such a write without waiting.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                run = _Run(self._connection, self.path)
                yield run
                count_write(run)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _raise_if_closed(self):
        if self._connection is None:
            raise StoreError(
                f"The label store {self.path} was closed while it was in use."
            )

    @contextmanager
    def _translating(self):
        """Turn the errors of SQLite into ours."""
        try:
            yield
        except sqlite3.Error as error:
            raise as_store_error(error, self.path, self.timeout) from error
        except UnicodeDecodeError as error:  # a message that quotes a damaged text
            raise damaged(self.path, error) from error


class _Run:
    """Execute SQL, once or for many rows."""

    def __init__(self, connection, path):
        self.path = path  # for messages
        self.now = time.time()  # one time for all that a transaction writes
        self.many = connection.executemany
        self._once = connection.execute

    def __call__(self, query, values=()):
        return self._once(query, values)
