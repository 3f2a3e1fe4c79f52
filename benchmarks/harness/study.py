"""The command line of a study: cells that are run once, and a report of their rows.

Rows are written as cells end, so that a run can be interrupted and goes on where it
was. Timings, which are measured anew each time, have `harness.timing` instead.
"""

import argparse
import itertools
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from joblib import Parallel, delayed

from harness.results import log_run

# Every cell has the first number of seeds before any has the second one.
GOALS = (3, 5, 10, 20, 50, 100)


def main(doc, results, *, cells, measure, report, options=None):
    """Run what is missing, or print the report.

    ``cells(args)`` returns the wanted cells, tuples, in their order. ``measure(*cell)``
    returns the rows of a cell, dicts, maybe in a worker. ``report(rows, args)`` prints
    what the rows come to, and ``options(parser)`` adds the arguments of the script.
    """
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    if options is not None:
        options(parser)
    parser.add_argument("--n-jobs", type=int, default=1)
    parser.add_argument("--budget-seconds", type=float, default=3600)
    parser.add_argument("--verbose", action="store_true", help="a line for each cell")
    parser.add_argument(
        "--forget", action="store_true", help="drop the rows of what is chosen first"
    )
    parser.add_argument("--out", type=Path, default=results.path)
    parser.add_argument("--report", action="store_true", help="run nothing, report")
    args = parser.parse_args()
    results = replace(results, path=args.out)
    if args.report:
        report(results.read(), args)
        return
    wanted = list(dict.fromkeys(cells(args)))
    if args.forget:
        results.forget(wanted)
    _run(wanted, measure, results, args)


def turns(n_seeds):
    """Yield the first and the last number of seeds of each turn."""
    goals = [goal for goal in GOALS if goal < n_seeds]
    yield from itertools.pairwise([0, *goals, n_seeds])


def _run(wanted, measure, results, args):
    """Run what is missing until the time is up; only this process writes."""
    done = results.cells()
    missing = [cell for cell in wanted if cell not in done]
    failed, n_ended = {}, 0
    for cell, rows, error in _until_time_is_up(missing, measure, args):
        if not n_ended:
            log_run(results.path)
        n_ended += 1
        if error is not None:
            failed[cell] = error
        new = [row for row in rows if results.cell_of(row) not in done]
        results.append(new)
        done.update(map(results.cell_of, new))
        if args.verbose:
            print(n_ended, "of", len(missing), *cell, error or "", flush=True)
    left = len(missing) - n_ended
    print(f"{n_ended} cells were run, {len(failed)} of them failed; {left} are left.")
    for cell, error in failed.items():
        print(f"  {' / '.join(map(str, cell))}: {error}")


def _until_time_is_up(cells, measure, args):
    """Yield cells with what they came to, as they end; none begins after the time."""
    stop_at = time.monotonic() + args.budget_seconds
    jobs = (
        delayed(_attempt)(measure, cell)
        for cell in itertools.takewhile(lambda _: time.monotonic() < stop_at, cells)
    )
    # No more are sent ahead than run, so that the time holds.
    parallel = Parallel(
        args.n_jobs, return_as="generator_unordered", pre_dispatch="n_jobs"
    )
    with closing(parallel(jobs)) as ended:
        yield from ended


def _attempt(measure, cell):
    """Return the cell, its rows, and what was raised: the others go on."""
    try:
        return cell, list(measure(*cell)), None
    except Exception as error:
        return cell, [], f"{type(error).__name__}: {error}"
