"""The label store: answers, claims and what was paid, in one SQLite file."""

import json
import os
import sqlite3
import threading
import time
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from skactive.exceptions import OracleError, StoreCorruptedError, StoreError
from skactive.oracles._store_file import (
    as_store_error,
    check_file,
    check_kind,
    identity,
    is_busy,
    raise_unless_ok,
)
from skactive.oracles._store_schema import create, migrate

# Files whose pages were checked by this process; connections that a fork left behind
# and that must not be closed by the child.
_checked = set()
_opening = threading.RLock()
_left_behind = []


def to_key(sample_id):
    """Return an id as text that tells the int 1 from the str '1'."""
    sample_id = sample_id.item() if hasattr(sample_id, "item") else sample_id
    if isinstance(sample_id, bool) or not isinstance(sample_id, (int, str)):
        raise ValueError(
            f"sample_ids must be ints or strs, got {sample_id!r} of type "
            f"{type(sample_id).__name__}."
        )
    return json.dumps(sample_id)


@dataclass(frozen=True)
class Claim:
    """What a caller may do about the rows it wants.

    Attributes
    ----------
    owner : str
        Name of the claim.

    answers : dict
        Labels that are known, by key.

    mine : list of str
        Keys of the rows that the caller is to ask now.

    others : list of str
        Keys of the rows that somebody else is asking.

    limit : str or None
        Which limit keeps the rest from being asked, and how far it is used up.

    cost : dict
        What was charged for each row of `mine`.
    """

    owner: str
    answers: dict
    mine: list
    others: list
    limit: str | None
    cost: dict


class LabelStore:
    """One connection to the file that keeps the labels.

    Parameters
    ----------
    path : str or path-like
        The file; it is made if it does not exist, unless `create` is False.

    timeout : float, default=60.0
        How many seconds to wait while another program locks the file.

    create : bool, default=True
        Whether to make a file that does not exist.
    """

    def __init__(self, path, *, timeout=60.0, create=True):
        self.path = Path(path).absolute()
        self.timeout = timeout
        self._pid = os.getpid()
        self._lock = threading.RLock()
        self._connection = None
        try:
            with _opening, self._translating():
                # Closing a file drops all locks of this process on it, those of other
                # connections as well. So only the first one reads the header.
                if self._file() not in _checked:
                    check_file(self.path, create=create)
                self._connect()
            self._identity = identity(self.path)
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
            self._connection.close()
        self._connection = None

    # Rows

    def answers(self, task, keys):
        """Return the labels that are known of some rows, by key."""
        with self._reading():
            return self._answers(task, keys)

    def labels(self, task):
        """Return the different labels of a task."""
        query = "SELECT DISTINCT label FROM answers WHERE task = ?"
        with self._reading() as run:
            return [json.loads(label) for (label,) in run(query, (task,))]

    def keys_of(self, task, label):
        """Return the keys of the rows of a task that have a label."""
        query = "SELECT sample_id FROM answers WHERE task = ? AND label = ?"
        with self._reading() as run:
            return [key for (key,) in run(query, (task, json.dumps(label)))]

    def claim(self, task, prices, owner, seconds, *, max_calls=None, max_cost=None):
        """Claim the rows that nobody has answered or is asking, and charge for them.

        Parameters
        ----------
        task : str
            The question.

        prices : dict
            Price of the label of each row, by key.

        owner : str
            Name of the claim.

        seconds : float
            How long it is valid if it is not renewed.

        max_calls, max_cost : float or None
            What may be spent through this file.

        Returns
        -------
        claim : Claim
            What is known, what to ask, and what to wait for.
        """
        keys = list(prices)
        with self._writing() as run:
            answers = self._answers(task, keys)
            others = self._claimed_by_others(task, keys, owner) - answers.keys()
            free = [key for key in keys if key not in answers and key not in others]
            mine, limit = free, None
            if free:
                self._raise_if_broken(run)
                mine, limit = self._within_limits(
                    run, free, prices, max_calls, max_cost
                )
            if mine:
                run.many(
                    "INSERT OR REPLACE INTO claims VALUES (?, ?, ?, ?, ?)",
                    [(task, k, owner, seconds, time.time() + seconds) for k in mine],
                )
                self._charge(run, "n_calls", 1)
                self._charge(run, "n_asked", len(mine))
                self._charge(run, "cost", sum(prices[key] for key in mine))
        others = [key for key in keys if key in others]
        return Claim(owner, answers, mine, others, limit, {k: prices[k] for k in mine})

    def renew(self, owner):
        """Make a claim valid for its full time again."""
        with self._writing() as run:
            run(
                "UPDATE claims SET expires_at = ? + seconds WHERE owner = ?",
                (time.time(), owner),
            )

    def release(self, claim, *, refund=False, failure=None):
        """Give up what is left of a claim.

        Parameters
        ----------
        claim : Claim
            The claim.

        refund : bool, default=False
            Whether rows without an answer were not paid.

        failure : str or None, default=None
            What went wrong; it opens the circuit breaker.
        """
        with self._writing() as run:
            if refund:
                query = "SELECT sample_id FROM claims WHERE owner = ?"
                left = [key for (key,) in run(query, (claim.owner,))]
                self._charge(run, "n_asked", -len(left))
                self._charge(run, "cost", -sum(claim.cost[key] for key in left))
            run("DELETE FROM claims WHERE owner = ?", (claim.owner,))
            if failure is not None:
                run("INSERT OR REPLACE INTO account VALUES ('breaker', ?)", (failure,))
                self._log(run, "failure", detail=failure)

    def record(self, task, labels, annotator):
        """Write answers in one transaction; the first answer for a row stays.

        Parameters
        ----------
        task : str
            The question.

        labels : dict
            Labels, None for an abstention, by key.

        annotator : str
            Who answered.

        Returns
        -------
        contradictions : dict
            For rows whose first answer was another one, that answer, by key.
        """
        with self._writing() as run:
            known = self._answers(task, list(labels))
            now = time.time()
            run.many(
                "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?, ?)",
                [(task, k, json.dumps(v), annotator, now) for k, v in labels.items()],
            )
            run.many(
                "DELETE FROM claims WHERE task = ? AND sample_id = ?",
                [(task, key) for key in labels],
            )
            other = {
                key: known[key]
                for key, label in labels.items()
                if key in known and json.dumps(known[key]) != json.dumps(label)
            }
            for key, first in other.items():
                self._log(
                    run,
                    "contradiction",
                    task=task,
                    sample_id=key,
                    label=json.dumps(labels[key]),
                    annotator=annotator,
                    detail=f"the first answer, {json.dumps(first)}, stays",
                )
        return other

    def reset(self):
        """Close the circuit breaker and drop the claims that have expired."""
        with self._writing() as run:
            run("DELETE FROM account WHERE name = 'breaker'")
            run("DELETE FROM claims WHERE expires_at < ?", (time.time(),))
            self._log(run, "reset")

    # What a store tells about itself

    def records(self, task=None):
        """Return who answered what when, one dict per answer, the oldest first."""
        query = (
            "SELECT task, sample_id, label, annotator, answered_at FROM answers "
            "WHERE ?1 IS NULL OR task = ?1 ORDER BY answered_at, task, sample_id"
        )
        names = ("task", "sample_id", "label", "annotator", "answered_at")
        with self._reading() as run:
            rows = run(query, (task,)).fetchall()
        return [_decode(dict(zip(names, row, strict=True))) for row in rows]

    def events(self):
        """Return contradictions, failures, resets and migrations, the oldest first."""
        names = "happened_at kind task sample_id label annotator detail".split()
        query = f"SELECT {', '.join(names)} FROM events ORDER BY event_id"
        with self._reading() as run:
            rows = run(query).fetchall()
        return [_decode(dict(zip(names, row, strict=True))) for row in rows]

    def summary(self):
        """Return what the store holds, in numbers."""
        with self._reading() as run:
            account = dict(run("SELECT name, value FROM account").fetchall())
            tasks = run(
                "SELECT task, COUNT(*), SUM(label = 'null') FROM answers GROUP BY task"
            ).fetchall()
            claims = run(
                "SELECT COUNT(*) FROM claims WHERE expires_at >= ?", (time.time(),)
            ).fetchone()[0]
            contradictions = run(
                "SELECT COUNT(*) FROM events WHERE kind = 'contradiction'"
            ).fetchone()[0]
        return {
            "tasks": {
                task: {"n_answers": n, "n_abstained": n_null}
                for task, n, n_null in tasks
            },
            "n_calls": account.get("n_calls", 0),
            "n_asked": account.get("n_asked", 0),
            "cost": account.get("cost", 0),
            "n_claimed": claims,
            "n_contradictions": contradictions,
            "breaker": account.get("breaker"),
        }

    def check(self):
        """Read every page and every answer; raise if anything is damaged."""
        with self._reading() as run:
            raise_unless_ok(self.path, run("PRAGMA integrity_check").fetchall())
        try:
            self.records()
        except ValueError as error:
            raise StoreCorruptedError(
                f"The label store {self.path} holds an answer that is no JSON: {error}."
            ) from error

    # Details of the above; `run` executes SQL within a transaction

    def _answers(self, task, keys):
        # A cross join makes SQLite look up each key; else it may read all answers.
        rows = self._connection.execute(
            "SELECT sample_id, label FROM json_each(?) AS wanted CROSS JOIN answers "
            "ON task = ? AND sample_id = wanted.value",
            (json.dumps(keys), task),
        )
        return {key: json.loads(label) for key, label in rows}

    def _claimed_by_others(self, task, keys, owner):
        now = time.time()
        rows = self._connection.execute(
            "SELECT sample_id, seconds, expires_at FROM json_each(?) AS wanted "
            "CROSS JOIN claims ON task = ? AND sample_id = wanted.value "
            "WHERE owner != ?",
            (json.dumps(keys), task, owner),
        )
        # A claim that ends too far in the future was made before the clock was put
        # back. If its owner lives, it is renewed soon; else it may be taken over.
        return {key for key, s, ends in rows if now < ends <= now + 2 * s}

    def _raise_if_broken(self, run):
        row = run("SELECT value FROM account WHERE name = 'breaker'").fetchone()
        if row is not None:
            raise OracleError(
                f"The label store {self.path} pays for no more answers since a failure "
                f"({row[0]}). Nothing was asked. When its cause is removed, call "
                "reset() of the CachedOracle, or run: python -m skactive.oracles "
                f"{self.path} --reset"
            )

    def _within_limits(self, run, free, prices, max_calls, max_cost):
        """Return the rows that may be paid, and the limit that excludes the others."""
        account = dict(run("SELECT name, value FROM account").fetchall())
        n_calls, cost = account.get("n_calls", 0), account.get("cost", 0)
        if max_calls is not None and n_calls >= max_calls:
            return [], f"max_calls={max_calls} is reached"
        if max_cost is None:
            return free, None
        total = cost
        for n_rows, key in enumerate(free):
            total += prices[key]
            if total > max_cost * (1 + 1e-12):
                return free[:n_rows], f"max_cost={max_cost} is reached"
        return free, None

    def _charge(self, run, name, amount):
        run(
            "INSERT INTO account VALUES (?1, ?2) "
            "ON CONFLICT (name) DO UPDATE SET value = value + ?2",
            (name, amount),
        )

    def _log(self, run, kind, **columns):
        names = ["happened_at", "kind", *columns]
        marks = ", ".join("?" * len(names))
        run(
            f"INSERT INTO events ({', '.join(names)}) VALUES ({marks})",
            (time.time(), kind, *columns.values()),
        )

    # The connection

    def _connect(self):
        self._connection = sqlite3.connect(
            self.path,
            timeout=self.timeout,
            isolation_level=None,
            check_same_thread=False,
        )
        run = self._connection.execute
        if not run("PRAGMA user_version").fetchone()[0]:
            create(self._connection)
        (version,) = run("PRAGMA user_version").fetchone()
        (application,) = run("PRAGMA application_id").fetchone()
        check_kind(self.path, application, version)
        file = self._file()
        if file not in _checked:
            raise_unless_ok(self.path, run("PRAGMA quick_check").fetchall())
            _checked.add(file)
        migrate(self._connection, self.path)
        self._use_write_ahead_log()
        run("PRAGMA synchronous = FULL")

    def _file(self):
        """Return what tells the file from others, as this process sees it."""
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
        with self._lock, self._translating():
            self._raise_if_closed()
            yield self._connection.execute

    @contextmanager
    def _writing(self):
        with self._lock, self._translating():
            self._raise_if_closed()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield _Run(self._connection)
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


class _Run:
    """Execute SQL, once or for many rows."""

    def __init__(self, connection):
        self.many = connection.executemany
        self._once = connection.execute

    def __call__(self, query, values=()):
        return self._once(query, values)


def _decode(record):
    """Read the ids and labels in a record, which are JSON in the file."""
    for name in ("sample_id", "label"):
        if record[name] is not None:
            record[name] = json.loads(record[name])
    return record
