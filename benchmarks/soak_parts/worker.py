"""A worker: asks for rows, answers them, and makes the mistakes that people make."""

import os
import signal
import threading
import time
from multiprocessing.connection import Client
from random import Random

import numpy as np

from skactive import Session
from soak_parts.journal import Journal, pending, read
from soak_parts.problem import N_ADDED_AT_ONCE, N_KNOWN, N_ROWS

PATIENCE = 120  # seconds for an answer of the server, or until it is back
SECONDS_BETWEEN_OTHERS = 4


class Line:
    """A connection that outlives the server: a lost request is repeated."""

    def __init__(self, address, name):
        self.address, self.name = address, name
        self.connection = None

    def call(self, method, *args, **keywords):
        """Return the result and the run of the server; repeat until there is one."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return self.try_to_call(method, args, keywords)
            except (OSError, EOFError):
                self.connection = None
                if time.monotonic() > until:
                    raise
                time.sleep(0.05)

    def try_to_call(self, method, args, keywords):
        if self.connection is None:
            self.connection = Client(self.address, "AF_UNIX")
            self.connection.send(self.name)
        self.connection.send((method, *args, keywords))
        if not self.connection.poll(PATIENCE):
            raise RuntimeError(f"{method}: no answer after {PATIENCE} seconds.")
        error, result, generation = self.connection.recv()
        if error is not None:
            raise Refused(error)
        return result, generation


class Refused(Exception):
    """The loop has raised an error."""


class Worker:
    """One process of a worker, which continues where a killed one ended."""

    def __init__(self, problem, number, start, begun, until):
        self.problem, self.number = problem, number
        self.begun, self.until = begun, until
        self.name = f"w{number}"
        self.random = Random(f"{problem.seed} {number} {start}")
        X, ids, y = problem.data()
        self.ids = ids.tolist()
        self.position = {row: i for i, row in enumerate(self.ids)}
        self.X, self.y = X, y.tolist()
        self.left_behind = pending(read(self.journals_of(number)))
        name = f"worker-{number}-{start:04}.jsonl"
        self.journal = Journal(problem.folder / name)
        self.line = Line(problem.address, self.name)
        self.next_ask = 0.0
        self.next_other = self.soon()

    def journals_of(self, number):
        return sorted(self.problem.folder.glob(f"worker-{number}-*.jsonl"))

    def soon(self):
        return time.monotonic() + self.random.expovariate(1 / SECONDS_BETWEEN_OTHERS)

    def true_labels(self, rows):
        return [self.y[self.position[row]] for row in rows]

    # Requests

    def ask(self):
        """Return up to three rows to label, or None if there are none now."""
        start = time.monotonic()
        n = self.random.randint(1, 3)
        try:
            (query, n_answers), generation = self.line.call("ask", n, self.name)
        except Refused as error:
            self.journal.write(kind="error", text=f"ask: {error}")
            return None
        if query is None:
            self.next_ask = start + 1
            return None
        # The answers are spread over the time of the soak.
        share = n_answers / self.problem.budget
        self.next_ask = self.begun + 0.75 * share * (self.until - self.begun)
        if not len(query):
            self.next_ask = max(self.next_ask, start + self.random.uniform(0.05, 0.2))
            return None
        rows = query.sample_ids.tolist()
        self.journal.write(
            kind="ask", worker=self.name, rows=rows, generation=generation,
            start=start, end=time.monotonic(),
        )  # fmt: skip
        if not np.array_equal(query.X, self.X[[self.position[row] for row in rows]]):
            self.journal.write(kind="error", text="X of a query is of other rows")
        return query

    def change(self, kind, rows, labels, *, why, query=None, start=None):
        """Make a change, and write it down before and after."""
        start = time.monotonic() if start is None else start
        entry = {"kind": kind, "worker": self.name, "rows": rows, "labels": labels}
        entry |= {"why": why, "start": start}
        self.journal.write(**entry)
        if self.random.random() < 0.01:
            kill_self_after(self.random.uniform(0, 0.04))
        try:
            if kind != "tell" and self.random.random() < 0.3:
                self.change_file(kind, rows, labels)
            else:
                self.change_loop(kind, rows, labels, query)
        except Refused as error:
            # It ends, too: it would be refused again.
            entry["refused"] = str(error)
        self.journal.write(**entry, end=time.monotonic())

    def change_loop(self, kind, rows, labels, query):
        """Make a change through the server."""
        arguments = [] if kind == "ask_again" else [labels]
        keywords = {"sample_ids": rows} if query is None else {"query": query}
        if kind != "ask_again":
            keywords["annotator"] = self.name
        self.line.call(kind, *arguments, **keywords)

    def change_file(self, kind, rows, labels):
        """Make a change in the session itself, which the loop has to notice."""
        with Session(self.problem.session, annotator=self.name) as session:
            if kind == "ask_again":
                session.ask_again(rows)
            else:
                session.correct(dict(zip(rows, labels, strict=True)))

    # Work

    def run(self):
        if self.left_behind is not None:
            left = self.left_behind
            changed = left["kind"], left["rows"], left["labels"]
            self.change(*changed, why=left["why"], start=left["start"])
        while time.monotonic() < self.until:
            if time.monotonic() >= self.next_ask:
                query = self.ask()
                if query is not None:
                    self.answer(query)
            if time.monotonic() >= self.next_other:
                self.next_other = self.soon()
                self.do_something_else()
            time.sleep(0.02)

    def answer(self, query):
        """Answer the rows of a query, as people do."""
        rows = query.sample_ids.tolist()
        labels = self.true_labels(rows)
        labels = [None if self.random.random() < 0.05 else label for label in labels]
        lease = self.problem.lease_seconds
        why, delay = "in time", self.random.uniform(0.05, 0.5) * lease
        chance = self.random.random()
        if chance < 0.03:  # leaves, and never answers
            return
        if chance < 0.08:
            why, delay = "late", self.random.uniform(1.1, 1.5) * lease
        time.sleep(delay)
        if chance > 0.9 and len(rows) > 1:  # a part now; ask returns the others again
            self.change("tell", rows[:1], labels[:1], why=why)
        else:
            by_query = {"query": query} if self.random.random() < 0.5 else {}
            self.change("tell", rows, labels, why=why, **by_query)
            if chance > 0.85:
                self.change("tell", rows, labels, why="twice", **by_query)

    def do_something_else(self):
        what = self.random.choice(
            [self.tell_wrong] * 3
            + [self.correct] * 4
            + [self.tell_unasked] * 2
            + [self.ask_again]
        )
        what()

    def tell_wrong(self):
        """Tell a wrong label for a row that has a label."""
        row, label = self.some_answer(lambda row, label: label is not None)
        if row is not None:
            self.change("tell", [row], [(label + 1) % 3], why="wrong")

    def tell_unasked(self):
        """Tell a label for any row, which most probably was never asked about."""
        # The server may not have the newest rows yet.
        n_rows = max(N_ROWS, self.problem.n_rows() - N_ADDED_AT_ONCE)
        row = self.ids[self.random.randrange(N_KNOWN, n_rows)]
        self.change("tell", [row], self.true_labels([row]), why="unasked")

    def correct(self):
        """Correct a label. Only one worker corrects a row, so the last one is known."""

        def is_mine(row, label):
            own = self.position[row] % self.problem.n_workers == self.number
            return own and label is not None

        row, label = self.some_answer(is_mine)
        if row is not None:
            new = self.random.choice([(label + 1) % 3, (label + 2) % 3, None])
            self.change("correct", [row], [new], why="correction")

    def ask_again(self):
        """Put a row that was skipped, or now and then a labelled one, in the queue."""
        wants_skip = self.random.random() < 0.8
        row, _ = self.some_answer(lambda row, label: (label is None) == wants_skip)
        if row is not None:
            self.change("ask_again", [row], [None], why="again")

    def some_answer(self, is_wanted):
        """Return a row and its label from the journal of a random worker."""
        number = self.random.randrange(self.problem.n_workers)
        paths = self.journals_of(number)
        entries = read([self.random.choice(paths)]) if paths else []
        told = [
            pair
            for entry in entries
            if entry["kind"] == "tell" and "end" in entry and entry["why"] != "wrong"
            for pair in zip(entry["rows"], entry["labels"], strict=True)
            if is_wanted(*pair)
        ]
        return self.random.choice(told) if told else (None, None)


def kill_self_after(seconds):
    threading.Timer(seconds, os.kill, [os.getpid(), signal.SIGKILL]).start()


def run_worker(*arguments):
    Worker(*arguments).run()
