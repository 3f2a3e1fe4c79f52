"""Seconds and peak memory of functions that take turns in a child process.

A function that takes too long, or too much memory, is ended with its process, and the
others are measured again without it.
"""

import multiprocessing
import time
import tracemalloc
import warnings
from dataclasses import dataclass, field

from threadpoolctl import threadpool_limits

# For what is prepared before a call, such as data and fitted models.
SETUP_SECONDS = 900


@dataclass
class Measured:
    """What is known of one function: seconds of its calls, peak memory, a problem."""

    seconds: list = field(default_factory=list)
    peak: int | None = None
    problem: str | None = None


def measure(make, n_repeats, cap_seconds, memory_gib):
    """Measure functions in turn, with one thread of BLAS and OpenMP.

    Parameters
    ----------
    make : callable
        ``make()`` returns {name: prepare}, and ``prepare()`` a function to measure. It
        is called in the child process, so that it has to be picklable.

    n_repeats : int
        Timed calls of each function, after one that is not timed. Slow functions get
        fewer, so that they take about `cap_seconds` together.

    cap_seconds : float
        How long one call may take.

    memory_gib : float
        How much address space the child may use.

    Returns
    -------
    measured : dict of {str: Measured}
        The peak is that of what Python and NumPy allocate in one more call.
    """
    limits, problems = (cap_seconds, memory_gib), {}
    seconds = {}
    while True:
        seconds, culprit = _attempt(_time, make, n_repeats, problems, limits)
        if culprit is None:
            break
    measured = {
        name: Measured(seconds.get(name, []), problem=problems.get(name))
        for name in dict.fromkeys([*seconds, *problems])
    }
    skipped = dict(problems)
    while True:
        peaks, culprit = _attempt(_trace, make, 1, skipped, limits)
        for name, (peak,) in peaks.items():
            measured[name].peak = peak
            skipped.setdefault(name, "done")
        if culprit is None:
            return measured


def _attempt(job, make, n_repeats, problems, limits):
    """Run a job in a child; return {name: values}, and who had to be ended.

    Problems are added to those that are known; functions that have one are left out.
    """
    cap_seconds, _ = limits
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(
        target=_work, args=(sender, job, make, n_repeats, set(problems), limits)
    )
    child.start()
    sender.close()
    values, running = {}, None
    try:
        while receiver.poll(cap_seconds if running else SETUP_SECONDS):
            what, running, value = receiver.recv()
            if what == "end":
                return values, None
            if what == "value":
                values.setdefault(running, []).append(value)
            elif what == "problem":
                problems[running] = value
            running = running if what == "begin" else None
        problem = f"over {cap_seconds:g} s"
    except EOFError:
        problem = "its process died"
    finally:
        child.kill()
        child.join()
    if running is None:
        raise RuntimeError(f"No function was running, and still: {problem}.")
    problems[running] = problem
    return values, running


def _work(sender, job, make, n_repeats, skipped, limits):
    _limit_memory(limits[1])
    warnings.simplefilter("ignore", UserWarning)  # of peers
    with threadpool_limits(1):
        functions = make()
        for name in skipped:
            functions.pop(name, None)
        job(sender, functions, n_repeats, limits)
    sender.send(("end", None, None))


def _time(sender, functions, n_repeats, limits):
    left = dict.fromkeys(functions, n_repeats)
    for repeat in range(n_repeats + 1):
        # Nobody is always the first, or always after the same one.
        for name in list(functions)[:: 1 if repeat % 2 else -1]:
            if repeat > left[name]:
                continue
            seconds = _call(sender, name, functions[name], _seconds, limits)
            if seconds is None:
                left[name] = 0
            elif repeat:
                sender.send(("value", name, seconds))
            else:  # this one was to warm up
                left[name] = max(1, min(n_repeats, int(limits[0] / seconds)))


def _trace(sender, functions, n_repeats, limits):
    for name, prepare in functions.items():
        peak = _call(sender, name, prepare, _peak, limits)
        if peak is not None:
            sender.send(("value", name, peak))


def _call(sender, name, prepare, measure, limits):
    """Prepare and measure one call; None if that raised."""
    try:
        run = prepare()
        sender.send(("begin", name, None))
        value = measure(run)
        sender.send(("finished", name, None))
        return value
    except MemoryError:
        sender.send(("problem", name, f"over {limits[1]:g} GiB"))
    except Exception as error:
        text = f"{type(error).__name__}: {error}".splitlines()[0]
        sender.send(("problem", name, text[:150]))
    return None


def _seconds(run):
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def _peak(run):
    tracemalloc.start()
    try:
        run()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _limit_memory(memory_gib):
    try:
        import resource
    except ImportError:  # not on this system
        return
    limit = int(memory_gib * 2**30)
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
