"""The process that holds the loop, and serves it to the workers."""

import json
import os
import pickle
import re
import signal
import threading
import time
import traceback
import warnings
from collections import Counter
from contextlib import contextmanager, suppress
from multiprocessing.connection import Listener
from random import Random

from skactive import LabelingLoop, Session


class Gate:
    """Lets calls pass side by side, and one reload when no call is running."""

    def __init__(self):
        self._condition = threading.Condition()
        self._n_inside = 0

    @contextmanager
    def passing(self):
        with self._condition:
            self._n_inside += 1
        try:
            yield
        finally:
            with self._condition:
                self._n_inside -= 1
                self._condition.notify_all()

    @contextmanager
    def closed(self):
        with self._condition:
            self._condition.wait_for(lambda: not self._n_inside)
            yield


class Server:
    """One process: a loop on the session, and a thread for each connection."""

    def __init__(self, problem, start):
        self.problem = problem
        self.random = Random(f"{problem.seed} {start}")
        self.log = open(problem.folder / f"server-{start:04}.jsonl", "x", buffering=1)
        self.gate = Gate()
        self.start = start
        self.n_loops = 0
        self.threads = {}
        self.is_armed = False
        self.warned = Counter()
        warnings.simplefilter("always")
        warnings.showwarning = self.note_warning
        self.session = self.loop = None
        self.open_loop()

    def write(self, **entry):
        # Written at once but not synced: a kill of the process leaves it.
        self.log.write(json.dumps(entry) + "\n")

    def note_warning(self, message, category, *_):
        text = re.sub("[0-9]+", "#", f"{category.__name__}: {message}")[:300]
        self.warned[text] += 1
        if self.warned[text] == 1:
            self.write(kind="warning", text=text)

    # The loop

    def open_loop(self):
        """Open a loop on the session, with the pool of today."""
        before = time.perf_counter()
        if self.session is not None:
            self.session.close()
        self.n_loops += 1
        self.generation = f"{self.start}.{self.n_loops}"
        X, y, ids = self.problem.pool(1000 * self.start + self.n_loops)
        self.session = Session(self.problem.session)
        self.loop = LabelingLoop(
            self.problem.classifier(), X, y, sample_ids=ids, session=self.session
        )
        self.round = None
        self.answered = {record["sample_id"] for record in self.session.records()}
        self.write(
            kind="open", rows=len(ids), at=time.monotonic(), process=os.getpid(),
            seconds=time.perf_counter() - before,
        )  # fmt: skip

    def ask(self, n, worker):
        known, before = self.round, (time.perf_counter(), time.thread_time())
        query = self.loop.ask(
            n, worker=worker, lease_seconds=self.problem.lease_seconds
        )
        wall, cpu = time.perf_counter() - before[0], time.thread_time() - before[1]
        if query is not None:
            kind = "nothing"
            if len(query):
                kind = "leases" if query.round == known else "begins"
                self.round = query.round
            self.write(
                kind=kind, round=query.round, wall=wall, cpu=cpu, at=time.monotonic(),
                start=self.start,
            )  # fmt: skip
        return query, len(self.answered)

    def tell(self, labels, *, query=None, sample_ids=None, annotator):
        self.loop.tell(labels, query=query, sample_ids=sample_ids, annotator=annotator)
        self.answered.update(query.sample_ids.tolist() if query else sample_ids)

    def correct(self, labels, **keywords):
        self.loop.correct(labels, **keywords)

    def ask_again(self, **keywords):
        self.loop.ask_again(**keywords)

    # Serving

    def serve(self):
        with suppress(FileNotFoundError):
            os.unlink(self.problem.address)
        listener = Listener(self.problem.address, "AF_UNIX", backlog=64)
        while True:
            connection = listener.accept()
            threading.Thread(target=self.talk, args=[connection], daemon=True).start()

    def talk(self, connection):
        """Answer the requests of one connection until its other end is gone."""
        with suppress(EOFError, OSError):
            name = connection.recv()
            # A request that a killed process has left behind is served first.
            before = self.threads.get(name)
            self.threads[name] = threading.current_thread()
            if before is not None:
                before.join()
            while True:
                connection.send_bytes(self.answer(*connection.recv()))

    def answer(self, method, *args):
        """Return the reply to a request: a pickle of (error, result, run)."""
        *args, keywords = args
        if method == "arm":
            self.is_armed = True
        elif method == "reload":
            with self.gate.closed():
                self.open_loop()
        else:
            with self.gate.passing():
                self.burn()
                try:
                    result = getattr(self, method)(*args, **keywords)
                    return pickle.dumps((None, result, self.generation))
                except Exception as error:
                    self.write(kind="error", text=traceback.format_exc())
                    text = f"{type(error).__name__}: {error}"
                    return pickle.dumps((text, None, self.generation))
        return pickle.dumps((None, None, self.generation))

    def burn(self):
        """Let this process be killed during one of the next milliseconds."""
        if self.is_armed:
            self.is_armed = False
            after = self.random.uniform(0, 0.04)
            end = [os.getpid(), signal.SIGKILL]
            threading.Timer(after, os.kill, end).start()


def run_server(problem, start):
    Server(problem, start).serve()
