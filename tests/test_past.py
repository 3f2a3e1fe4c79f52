"""What the log of a session says about the rows of a later run."""

import numpy as np
import pytest

from skactive._loop.past import Past, past_of

ROW_OF = {"a": 0, "b": 1, "c": 2, "d": 3}  # "x" and "y" are no longer in X
RECORD = {"round": 1, "cost": 2.0, "n_queried": 9, "n_abstained": 9}


def begin(sample=None):
    return {"kind": "begin", "sample": sample}


def opened(number, *rows, strategy="margin", **record):
    record = RECORD | {"round": number} | record
    entry = {"kind": "round", "round": number, "strategy": strategy, "record": record}
    return entry | {"rows": list(rows)}


def told(free=(), **answers):
    rows, labels = list(answers), list(answers.values())
    return {"kind": "told", "rows": rows, "labels": labels, "free": list(free)}


def closed(number, *rows, drawn=None, record=True):
    entry = {"kind": "closed", "round": number, "rows": list(rows)}
    record = RECORD | {"round": number} if record else None
    return entry | {"probabilities": drawn or [0.5] * len(rows), "record": record}


def again(*rows):
    return {"kind": "again", "rows": list(rows)}


def read(*entries, answers=None):
    return past_of(entries, answers or {}, ROW_OF)


def numbers(past):
    return [(row, number) for row, number, _ in past.queried]


def test_nothing_is_known_at_first():
    assert read() == read(begin()) == Past(in_session=True)
    assert Past() != Past(in_session=True)
    assert not Past().in_session


def test_labels_and_skips_by_row():
    past = read(begin(), opened(1, "b", "x", "a"), told(b=5, x=6, a=None))
    assert past.labels == {1: 5}
    assert (past.skipped, past.taken_back) == ([0], [])
    assert np.flatnonzero(past.known(4)).tolist() == [0, 1]


def test_answers_in_the_file_count_and_go_before_those_of_the_log():
    past = read(told(a=1, b=None), answers={"a": 2, "b": 3, "c": None, "y": 1})
    assert past.labels == {0: 2, 1: 3}
    assert past.skipped == [2]


def test_a_first_answer_stays_but_not_a_skip():
    contradiction = {"kind": "contradiction", "rows": ["a"], "labels": [8]}
    past = read(told(a=1, b=None), told(a=2, b=3), contradiction)
    assert past.labels == {0: 1, 1: 3}


def test_queries_have_their_rounds_and_probabilities():
    past = read(
        opened(1, "a", "x"),
        told(a=1, x=0),
        closed(1, "a", "x", drawn=[0.25, None]),
        opened(2, "c"),
        told(c=None),
        closed(2, "c", drawn=[None]),
    )
    assert past.queried[0] == (0, 1, 0.25)
    assert past.queried[1][:2] == (2, 2)
    assert np.isnan(past.queried[1][2])
    assert (past.n_charged, past.n_gone) == (3, 1)
    assert [record["round"] for record in past.history] == [1, 2]
    assert past.total_cost == 4.0
    assert np.flatnonzero(past.known(4)).tolist() == [0, 2]


def test_a_round_is_closed_once():
    closing = closed(1, "a")
    past = read(opened(1, "a"), told(a=1), closing, closing, closed(7, "b"))
    assert numbers(past) == [(0, 1)]
    past = read(opened(1, "a"), told(a=1), closed(7, "b"), closing)
    assert numbers(past) == [(0, 1)]


def test_a_round_without_a_record_did_not_happen():
    past = read(opened(1, "a"), closed(1, record=False), opened(1, "b"))
    assert (past.queried, past.history, past.left_over) == ([], [], {1: 1})


@pytest.mark.parametrize("ends", [[begin()], [{"kind": "end"}], []])
def test_a_round_of_a_process_that_has_ended_is_closed_with_its_answers(ends):
    past = read(begin(), opened(1, "a", "b", "x", "c"), told(c=None, a=1), *ends)
    assert numbers(past) == [(0, 1), (2, 1)]
    assert np.isnan([drawn for _, _, drawn in past.queried]).all()
    (record,) = past.history
    assert (record["n_queried"], record["n_abstained"]) == (2, 1)
    assert past.left_over == {1: 1}
    assert past.n_charged == 2


def test_a_round_without_any_answer_leaves_only_its_rows():
    past = read(begin(), opened(3, "a", "b"))
    assert (past.queried, past.history) == ([], [])
    assert past.left_over == {0: 3, 1: 3}


def test_a_late_answer_for_a_row_that_was_left_belongs_to_its_round():
    past = read(opened(1, "a", "b"), told(a=1), begin(), told(b=0), told(c=1))
    assert numbers(past) == [(0, 1), (1, 1)]
    assert np.isnan(past.queried[1][2])
    assert past.left_over == {}
    assert past.labels == {0: 1, 1: 0, 2: 1}
    assert past.n_charged == 2


def test_rows_may_be_left_by_several_processes():
    past = read(opened(1, "a"), begin(), opened(2, "b"), begin())
    assert past.left_over == {0: 1, 1: 2}


def test_an_answer_after_the_end_is_late():
    past = read(opened(1, "a", "b"), told(a=1), {"kind": "end"}, told(b=0))
    assert [record["n_queried"] for record in past.history] == [1]
    assert numbers(past) == [(0, 1), (1, 1)]


def test_rows_that_were_left_may_be_handed_out_again():
    past = read(opened(1, "a", "b"), begin(), opened(2, "b"), told(b=0), closed(2, "b"))
    assert past.left_over == {0: 1}
    assert numbers(past) == [(1, 2)]


def test_a_run_that_was_stopped_leaves_no_rows():
    past = read(opened(1, "a", "b"), told(a=1), {"kind": "stop"})
    assert past.left_over == {}
    assert numbers(past) == [(0, 1)]


def test_answers_that_cost_nothing_are_not_charged():
    past = read(
        opened(1, "a", "b", "c"), told(a=None, b=1, free=["a"]), told(c=1, free=["c"])
    )
    assert (len(past.queried), past.n_charged) == (3, 1)


def test_the_queue_has_each_row_once_until_it_is_answered():
    past = read(again("b", "a"), again("a", "x", "d"))
    assert past.queue == [1, 0, 3]
    past = read(
        again("b", "a"),
        opened(2, "b", "a", strategy="again"),
        told(b=1),
    )
    assert past.queue == [0]
    assert past.left_over == {}  # the queue has them
    past = read(again("b"), opened(1, "b"), told(b=1))
    assert past.queue == [1]  # an answer to another question


def test_corrections_replace_labels_and_are_kept():
    correction = {"kind": "correction", "by": "boss", "at": 7.5}
    past = read(
        told(a=1, b=2),
        correction
        | {"rows": ["a", "b", "x"], "old": [1, 2, None], "labels": [3, None, 4]},
        correction | {"rows": ["a"], "old": [3], "labels": [5]},
    )
    assert past.labels == {0: 5}
    assert past.skipped == past.taken_back == [1]
    first, second, third, fourth = past.corrections
    details = {"by": "boss", "at": 7.5}
    assert first == {"row": 0, "sample_id": "a", "old": 1, "new": 3} | details
    assert second == {"row": 1, "sample_id": "b", "old": 2, "new": None} | details
    assert third == {"row": None, "sample_id": "x", "old": None, "new": 4} | details
    assert (fourth["old"], fourth["new"]) == (3, 5)


def test_the_test_sample_grows_and_keeps_its_seed():
    past = read(
        begin({"seed": 3, "rows": ["a", "x"]}),
        begin(),
        begin({"seed": 3, "rows": ["d"]}),
    )
    assert (past.sample, past.n_sample, past.sample_seed) == ([0, 3], 3, 3)
    assert np.flatnonzero(past.known(4)).tolist() == [0, 3]


def test_a_label_that_was_taken_back_may_come_again():
    correction = {"kind": "correction", "rows": ["a"], "by": "boss", "at": 7.5}
    past = read(
        told(a=1),
        correction | {"old": [1], "labels": [None]},
        correction | {"old": [None], "labels": [2]},
    )
    assert (past.taken_back, past.labels) == ([], {0: 2})


def test_the_cost_is_that_of_all_answers():
    past = read(
        opened(1, "a") | {"costs": [8.0]},
        told(a=1),
        closed(1, "a"),  # its record says 2
        opened(2, "b", "c", "d") | {"costs": [4.0, 16.0, 32.0]},
        told(b=1),
        begin(),
        told(c=1),  # late
        told(a=0),
    )
    assert past.total_cost == 2 + 4 + 16
    assert past.history[1]["cost"] == 4.0
    assert past.history[1]["total_cost"] == 6.0


def test_without_prices_there_is_no_cost():
    entry = opened(1, "a", "b")
    del entry["record"]["cost"]
    past = read(entry, told(a=1), begin(), told(b=1))
    assert past.total_cost == 0.0
    assert "cost" not in past.history[0]


def test_an_answer_that_came_while_a_round_was_selected_is_its_answer():
    # The round is behind the answer, which the selection has not seen.
    past = read(told(b=1), opened(1, "a", "b") | {"n_seen": 0}, begin())
    assert numbers(past) == [(1, 1)]
    past = read(told(b=1), opened(1, "b", strategy="again") | {"n_seen": 1}, begin())
    assert numbers(past) == []
