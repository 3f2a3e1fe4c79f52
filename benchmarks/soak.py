"""Eight workers on one session, killed at random: no label may be lost.

A server process holds one `LabelingLoop` on a session of 5,000 rows, and leases rows to
eight worker processes. They answer late, twice, wrongly or not at all, skip, correct
(some of them in the file itself), tell labels for rows that were never queried, and put
rows in the queue. Rows are added, and the pool is reordered. Workers and server are
killed at random and started again; in the last two fifths of the time the server is not
killed, so that its memory can be measured. The workers write all acknowledged requests
to journals, and the session is compared with them at the end. It takes 20 minutes.

    OMP_NUM_THREADS=1 python benchmarks/soak.py
    OMP_NUM_THREADS=1 python benchmarks/soak.py --minutes 60 --seed 1
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from random import Random

from harness.results import FOLDER, log_run, versions
from harness.tables import markdown
from soak_parts.problem import N_ADDED, N_ADDED_AT_ONCE, N_ROWS, Problem
from soak_parts.server import run_server
from soak_parts.verdict import judge
from soak_parts.worker import Line, run_worker

ROWS_PER_SECOND = 3.75  # 4,500 rows in 20 minutes
# A fork starts at once; nothing here has started a thread before it.
CONTEXT = get_context("fork")


class Soak:
    """Starts the processes, kills them, and starts them again."""

    def __init__(self, problem, seconds):
        self.problem, self.seconds = problem, seconds
        self.random = Random(problem.seed)
        self.begun = time.monotonic()
        self.until = self.begun + seconds
        self.starts = Counter()
        self.counts = Counter()
        self.memory = []  # (time, process, bytes) of the server
        self.failures = []
        problem.set_n_rows(N_ROWS)
        self.server = self.start_server()
        self.workers = [self.start_worker(i) for i in range(problem.n_workers)]

    def run(self):
        """Run until all workers have ended by themselves."""
        now = time.monotonic()
        waits = {
            self.kill_worker: lambda: self.between(5),
            self.kill_server: lambda: self.between(self.seconds / 25),
            self.arm_server: lambda: self.between(self.seconds / 25),
            self.add_rows: lambda: self.seconds / 20,
        }
        due = {event: now + wait() for event, wait in waits.items()}
        while any(worker.is_alive() for worker in self.workers):
            time.sleep(0.1)
            now = time.monotonic()
            self.revive(now)
            self.look_at_memory(now)
            for event, when in due.items():
                if now >= when and now < self.until - 2:
                    event(now)
                    due[event] = now + waits[event]()
        # The last process is killed, too: what was acknowledged must be in the file.
        self.server.kill()
        self.server.join()
        return self

    def between(self, mean_seconds):
        """Return the seconds until the next kill: at random, but not without end."""
        mean_seconds = max(mean_seconds, 2)
        return min(self.random.expovariate(1 / mean_seconds), 3 * mean_seconds)

    # Processes

    def start(self, target, *args):
        process = CONTEXT.Process(
            target=target, args=(self.problem, *args), daemon=True
        )
        process.start()
        return process

    def start_server(self):
        self.starts["server"] += 1
        return self.start(run_server, self.starts["server"])

    def start_worker(self, number):
        self.starts[number] += 1
        start = self.starts[number]
        return self.start(run_worker, number, start, self.begun, self.until)

    def revive(self, now):
        """Start again whatever was killed; note whatever has failed."""
        if not self.server.is_alive():
            self.note_end(self.server, "server")
            self.server = self.start_server()
        for number, worker in enumerate(self.workers):
            if worker.is_alive() or worker.exitcode == 0:
                continue
            self.note_end(worker, "worker")
            self.workers[number] = self.start_worker(number)
        if len(self.failures) > 20 or now > self.until + 180:
            raise RuntimeError(f"The soak does not end: {self.failures[-3:]}")

    def note_end(self, process, name):
        process.join()
        if process.exitcode == -9:
            self.counts[f"kills of the {name}"] += 1
        else:
            self.failures.append(f"a {name} ended by {process.exitcode}")

    # Events

    def kill_worker(self, now):
        self.random.choice(self.workers).kill()

    def kill_server(self, now):
        if now < self.begun + 0.6 * self.seconds:
            self.server.kill()

    def arm_server(self, now):
        """Let the server be killed during one of the next requests."""
        if now < self.begun + 0.6 * self.seconds:
            self.call_server("arm")

    def add_rows(self, now):
        """Add rows to the pool: by a reload, or with a kill of the server."""
        n_rows = min(self.problem.n_rows() + N_ADDED_AT_ONCE, N_ROWS + N_ADDED)
        self.counts["rows added"] += n_rows - self.problem.n_rows()
        self.problem.set_n_rows(n_rows)
        if self.random.random() < 0.5:
            self.kill_server(now)
        else:
            self.counts["reloads"] += 1
            self.call_server("reload")

    def call_server(self, method):
        with suppress(OSError, EOFError):  # it was killed: the next one knows all
            Line(self.problem.address, "soak").try_to_call(method, (), {})

    def look_at_memory(self, now):
        """Note the resident memory of the server, once a second."""
        if not self.memory or now >= self.memory[-1][0] + 1:
            with suppress(OSError, IndexError):
                pages = Path(f"/proc/{self.server.pid}/statm").read_text().split()[1]
                size = int(pages) * os.sysconf("SC_PAGE_SIZE")
                self.memory.append((now, self.server.pid, size))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=FOLDER / "soak.json")
    parser.add_argument("--keep", action="store_true", help="keep session and journals")
    args = parser.parse_args()
    print(versions(), f"{os.cpu_count()} cores", sep=", ", end="\n\n", flush=True)
    seconds = 60 * args.minutes
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    budget = min(4_500, round(ROWS_PER_SECOND * seconds))
    problem = Problem(folder, args.seed, budget)
    soak = Soak(problem, seconds).run()
    verdict = judge(problem, soak)
    print(markdown(["", "number"], verdict.count_lines()), end="\n\n")
    print(markdown(["check", "found", "at most", ""], verdict.check_lines()))
    for line in verdict.details:
        print("\n" + line)
    date = log_run(args.out)
    known = {"date": date, "minutes": args.minutes, "seed": args.seed}
    known |= {"cores": os.cpu_count(), "versions": versions()}
    args.out.write_text(json.dumps(known | verdict.as_dict(), indent=1) + "\n")
    if args.keep or not verdict.holds:
        print(f"\nSession and journals are in {folder}.")
    else:
        shutil.rmtree(folder)
    sys.exit(not verdict.holds)


if __name__ == "__main__":
    main()
