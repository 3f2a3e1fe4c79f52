"""The command line of timings: functions that take turns, and a table of ratios.

The sides of a case run in one process, with one thread of BLAS and OpenMP, so that
whatever else the machine does touches all of them. What is compared are the ratios of
calls of the same repetition. Each run of a script measures all of its cases anew.
"""

import argparse
import signal
import time
import tracemalloc
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from harness.results import FOLDER, Results, log_run, runs, version_of, versions
from harness.statistics import interval_of_median
from harness.tables import NOTHING, markdown, number

FIELDS = ("date", "case", "side", "per", "seconds", "cpu", "peak", "problem")
HEAD = ["case", "side", "ms", "ratio", "quartiles", "95% interval", "fastest", "CPU"]
HEAD += ["peak, MiB", "calls"]
MIB = 2**20


@dataclass
class Measured:
    """What is known of one side: seconds of its calls, peak memory, a problem.

    Seconds are pairs: those on the clock, and those of the processor in this process.
    """

    seconds: list = field(default_factory=list)
    peak: int | None = None
    problem: str | None = None


def in_turn(sides, args, n_calls=None):
    """Measure the seconds of sides, after one call of each that is not timed.

    A side that has taken `args.cap_seconds` gets fewer calls than `args.repeats` (or
    `n_calls`), but at least `args.min_repeats`; one that raises gets no other.
    """
    measured = {side: Measured() for side in sides}
    for repeat in range(1 + (n_calls or args.repeats)):
        # Nobody is always the first, or always after the same one.
        for side in list(sides)[:: 1 if repeat % 2 else -1]:
            found = measured[side]
            spent = sum(clock for clock, _ in found.seconds)
            is_enough = repeat > args.min_repeats and spent > args.cap_seconds
            if is_enough or found.problem:
                continue
            with _noting_problems(found, args.cap_seconds) as limited:
                run = sides[side]()
                with limited:
                    before = time.perf_counter(), time.process_time()
                    run()
                    after = time.perf_counter(), time.process_time()
                if repeat:
                    found.seconds.append(tuple(np.subtract(after, before)))
    return measured


def peaks(sides, args):
    """Measure the peak of what one call of each side allocates besides its data."""
    measured = {side: Measured() for side in sides}
    for side, prepare in sides.items():
        with _noting_problems(measured[side], args.cap_seconds) as limited:
            run = prepare()
            tracemalloc.start()
            try:
                with limited:
                    run()
                measured[side].peak = tracemalloc.get_traced_memory()[1]
            finally:
                tracemalloc.stop()
    return measured


def seconds_and_peaks(sides, args):
    """Measure both; the peaks are of calls that are not timed, as tracing is slow."""
    measured = in_turn(sides, args)
    left = {side: sides[side] for side in sides if not measured[side].problem}
    for side, found in peaks(left, args).items():
        measured[side].peak = found.peak
    return measured


@contextmanager
def _noting_problems(found, cap_seconds):
    """Note what is raised, and yield a context for the call that may take too long."""
    try:
        yield _ended_after(cap_seconds)
    except MemoryError:
        found.problem = "out of memory"
    except Exception as error:
        found.problem = f"{type(error).__name__}: {error}".splitlines()[0][:150]


@contextmanager
def _ended_after(seconds):
    def end(*_):
        raise TimeoutError(f"over {seconds:g} s")

    signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds if np.isfinite(seconds) else 0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


@dataclass(frozen=True)
class Case:
    """What is compared: a title, the sides, and how they are measured.

    ``sides[name]()`` prepares a call and returns the function; only the call of it is
    measured. The others are compared with the first. ``measure(sides, args)`` returns
    {side: Measured}. Seconds are divided by `per`, the rounds or labels of a call.
    """

    title: str
    sides: dict
    measure: Callable = in_turn
    per: int = 1

    def rows(self, args, date):
        """Measure, and return the rows of the file of results."""
        return [
            {
                "date": date,
                "case": self.title,
                "side": side,
                "per": self.per,
                "seconds": " ".join(f"{clock:.6g}" for clock, _ in found.seconds),
                "cpu": " ".join(f"{cpu:.6g}" for _, cpu in found.seconds),
                "peak": "" if found.peak is None else found.peak,
                "problem": found.problem or "",
            }
            for side, found in self.measure(self.sides, args).items()
        ]


def main(doc, name, cases, *, options=None, peers=(), **defaults):
    """Measure all cases, or print the report.

    ``cases(args)`` yields what is run, and ``options(parser)`` adds the arguments of
    the script. Of the packages `peers`, those that are installed are `args.peers`.
    The results go to a file of this name.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    if options is not None:
        options(parser)
    if peers:
        found = [peer for peer in peers if version_of(peer)]
        parser.add_argument("--peers", nargs="*", choices=peers, default=found)
    parser.add_argument("--repeats", type=int, default=7, help="calls of each side")
    parser.add_argument("--cap-seconds", type=float, default=np.inf)
    parser.add_argument("--out", type=Path, default=FOLDER / f"{name}.csv")
    parser.add_argument("--report", action="store_true", help="run nothing, report")
    parser.set_defaults(**{"min_repeats": 1} | defaults)
    args = parser.parse_args()
    results = Results(args.out, FIELDS, key=("date", "case"))
    if args.report:
        report(results)
        return
    print(versions(), end="\n\n")
    date, start = log_run(results.path), 0
    with threadpool_limits(1):
        for case in cases(args):
            rows = case.rows(args, date)
            results.append(rows)
            # The head of the table is printed once.
            lines = markdown(HEAD, lines_of(rows)).splitlines()[start:]
            print(*lines, sep="\n", flush=True)
            start = 2


def report(results):
    """Print the newest rows of each case, by the runs that they are of."""
    by_case, by_date = {}, {}
    for row in results.read():
        by_case.setdefault(row["case"], {}).setdefault(row["date"], []).append(row)
    for dates in by_case.values():
        by_date.setdefault(max(dates), []).extend(lines_of(dates[max(dates)]))
    if not by_date:
        print(NOTHING)
    for date, lines in sorted(by_date.items()):
        run = runs(results.path)[date]
        print(f"{date}, `{run['command']}`, {run['cores']} cores, {run['versions']}.\n")
        print(markdown(HEAD, lines), end="\n\n")


def lines_of(rows):
    """Return the lines of a case in the table: ratios to its first side."""
    first = _numbers(rows[0])
    return [_line(row, _numbers(row), first) for row in rows]


def _numbers(row):
    """Return the seconds on the clock and those of the processor."""
    return np.array([[float(s) for s in row[of].split()] for of in ("seconds", "cpu")])


def _line(row, found, first):
    milliseconds, ratios = row["problem"], [""] * 5
    if found.size:
        milliseconds = f"{1e3 * np.median(found[0]) / int(row['per']):.4g}"
    n_pairs = min(found.shape[1], first.shape[1])
    if n_pairs:
        clock, cpu = found[:, :n_pairs] / np.maximum(first[:, :n_pairs], 1e-9)
        low, median, high = np.quantile(clock, [0.25, 0.5, 0.75])
        interval = "{:.3f} to {:.3f}".format(*interval_of_median(clock))
        ratios = [
            number(median),
            f"{low:.3f} to {high:.3f}",
            "" if "nan" in interval else interval,
            number(found[0].min() / first[0].min()),
            number(np.median(cpu)),
        ]
    peak = "" if row["peak"] == "" else f"{int(row['peak']) / MIB:.4g}"
    calls = str(found.shape[1])
    return [row["case"], row["side"], milliseconds, *ratios, peak, calls]
