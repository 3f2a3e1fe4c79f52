"""Show what a label store holds, and check it: python -m skactive.oracles FILE."""

import argparse
import sys
from datetime import UTC, datetime

from skactive.exceptions import StoreError
from skactive.oracles._store.store import LabelStore


def main(arguments=None):
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m skactive.oracles",
        description="Show what a label store holds, and check it.",
    )
    parser.add_argument("file", help="the label store")
    parser.add_argument(
        "--reset", action="store_true", help="ask again after a failure"
    )
    parser.add_argument(
        "--events",
        action="store_true",
        help="list contradictions, corrections, failures and resets",
    )
    options = parser.parse_args(arguments)
    try:
        store = LabelStore(options.file, create=False)
        try:
            show(store, options)
        finally:
            store.close()
    except StoreError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def show(store, options):
    """Check a store, reset it if that is wanted, and print what it holds."""
    store.check()
    if options.reset:
        store.reset()
    summary = store.summary()
    print(f"label store {store.path}: no damage found")
    for task, found in summary["tasks"].items():
        print(
            f"task {task!r}: {found['n_answers']} answers, "
            f"{found['n_abstained']} of them abstentions; "
            f"{found['n_entries']} entries in the log"
        )
    print(
        f"asked: {summary['n_asked']} rows in {summary['n_calls']} calls, "
        f"cost {summary['cost']:g}"
    )
    print(f"being asked now: {summary['n_claimed']} rows")
    print(f"contradictions: {summary['n_contradictions']}")
    print(f"corrections: {summary['n_corrections']}")
    if summary["breaker"] is None:
        print("circuit breaker: closed")
    else:
        print(f"circuit breaker: open since a failure ({summary['breaker']!r});")
        print("  nothing more is paid; close it with --reset")
    if options.events:
        for event in store.events():
            print(_line(event))


def _line(event):
    when = datetime.fromtimestamp(event["happened_at"], UTC)
    shown = [
        f"{name}={value!r}"
        for name, value in event.items()
        if value is not None and name not in ("happened_at", "kind")
    ]
    return f"{when:%Y-%m-%d %H:%M:%S} UTC {event['kind']} {' '.join(shown)}".rstrip()


if __name__ == "__main__":
    sys.exit(main())
