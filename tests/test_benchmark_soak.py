"""How benchmarks/soak.py judges journals."""

import importlib
import itertools
from pathlib import Path

import numpy as np
import pytest

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    checks = importlib.import_module("soak_parts.checks")
    journal = importlib.import_module("soak_parts.journal")

Change = journal.Change


def orders(changes):
    """Yield all orders that the times allow."""
    for order in itertools.permutations(changes):
        if not any(b.end < a.start for a, b in itertools.combinations(order, 2)):
            yield order


def ends(order):
    """Return the labels after changes in this order, step by step.

    An answer for a row that was asked about again may come too early to be one.
    """
    states = {(None, False)}
    for change in order:
        after = set()
        for label, is_open in states:
            if change.kind == "ask_again":
                after.add((label, True))
            elif change.kind == "correct":
                after.add((change.label, is_open))
            elif change.label is None:
                after.add((label, is_open))
            elif label is None:
                after.add((change.label, False))
            else:
                after.add((label, is_open))
                if is_open:
                    after.add((change.label, False))
        states = after
    return {label for label, _ in states}


def random_changes(rng, *, overlap, kinds):
    start = 0.0
    for _ in range(rng.integers(1, 6)):
        start += 1
        kind = rng.choice(kinds)
        label = rng.choice([None, 0, 1, 2]) if kind != "ask_again" else None
        yield Change(
            kind, "a", label, start, start + (rng.random() * 3 if overlap else 0.5)
        )


@pytest.mark.parametrize("overlap", [False, True])
def test_possible_labels_are_those_of_some_order(overlap):
    rng = np.random.default_rng(0)
    for _ in range(300):
        kinds = ["tell", "tell", "correct", "ask_again"]
        changes = [*random_changes(rng, overlap=overlap, kinds=kinds)]
        ended = set().union(*map(ends, orders(changes)))
        assert ended <= checks.possible_labels(changes), changes


def test_in_a_row_the_first_answer_and_the_last_correction_are_certain():
    rng = np.random.default_rng(0)
    for _ in range(300):
        changes = [*random_changes(rng, overlap=False, kinds=["tell", "correct"])]
        assert checks.possible_labels(changes) == ends(changes), changes


def test_a_lost_label_and_a_wrong_one_are_found():
    tell = Change("tell", "a", 1, 0, 1)
    late = Change("tell", "a", 2, 2, 3)
    assert checks.wrong_labels({"a": [tell, late]}, {"a": 1}) == []
    assert checks.wrong_labels({"a": [tell]}, {}) == [("a", None, {1})]
    assert checks.wrong_labels({"a": [tell, late]}, {"a": 2}) == [("a", 2, {1})]


def ask(worker, start, end, generation="1.1"):
    times = {"start": start, "end": end}
    return times | {"rows": ["a"], "worker": worker, "generation": generation}


def test_a_row_asked_after_its_answer_is_found():
    skip = Change("tell", "a", None, 0, 1)
    again = Change("ask_again", "a", None, 2, 3)
    assert checks.asked_after_answer([ask("w1", 0.5, 2)], {"a": [skip]}) == []
    assert checks.asked_after_answer([ask("w1", 4, 5)], {"a": [skip]}) == [("a", "w1")]
    assert checks.asked_after_answer([ask("w1", 4, 5)], {"a": [skip, again]}) == []


def test_a_row_lent_twice_is_found():
    asks = [ask("w1", 0, 1), ask("w2", 1, 1.9)]
    assert checks.handed_out_twice(asks, {}, 2) == ([("a", "w1", "w2")], [])
    assert checks.handed_out_twice(asks, {}, 1.5) == ([], [])  # the lease has ended
    assert checks.handed_out_twice([asks[0], ask("w1", 1, 1.9)], {}, 2) == ([], [])
    killed = [asks[0], ask("w2", 1, 1.9, generation="2.1")]
    assert checks.handed_out_twice(killed, {}, 2) == ([], [("a", "w1", "w2")])


def test_a_row_is_surely_paid_if_it_was_answered_before_the_server_died():
    tell = Change("tell", "a", 1, 2, 3)
    assert checks.surely_paid([ask("w1", 0, 1)], {"a": [tell]}, [0]) == {"a"}
    assert checks.surely_paid([ask("w1", 0, 1)], {"a": [tell]}, [0, 2]) == set()


def test_a_journal_of_a_killed_worker_is_read_to_its_last_whole_line(tmp_path):
    path = tmp_path / "worker.jsonl"
    of = journal.Journal(path)
    entry = {"kind": "tell", "rows": ["a", "b"], "labels": [1, None], "start": 0}
    of.write(**entry)
    of.write(**entry, end=1)
    of.write(**entry | {"start": 2})
    of.file.close()
    with path.open("a") as file:
        file.write('{"kind": "tell", "ro')
    entries = journal.read([path])
    assert journal.pending(entries)["start"] == 2
    changes = journal.changes_of(entries)
    assert changes["a"] == [Change("tell", "a", 1, 0, 1)]
    assert journal.pending(entries[:2]) is None


def test_first_and_last_leave_out_the_warm_up():
    assert checks.first_and_last([9] * 10 + [1] * 100 + [2] * 100) == (1, 2, 100)
    assert checks.first_and_last([9, 1, 1, 1, 3, 3, 3]) == (1, 3, 3)


def test_the_slope_is_that_of_a_line():
    times = np.arange(20)
    values = 3.0 * times + 1
    values[4] = 1000  # an outlier
    assert checks.slope(times, values) == pytest.approx(3)
