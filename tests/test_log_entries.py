"""Entries of a log: what a file may hold, and how rows get their names and back."""

import json

import numpy as np
import pytest

from skactive._loop.entries import check_entries, decoded, encoded, labels_in, plain
from skactive.exceptions import SavedLoopError

RECORD = {"select_seconds": 0.5, "oracle_seconds": 1, "strategy": "margin"}
VALID = {
    "begin": {
        "has_ids": True,
        "session": False,
        "seed": 3,
        "made_with": {},
        "made_of": {},
        "sample": {"seed": 4, "rows": [1, "a"]},
    },
    "round": {
        "round": 1,
        "strategy": "margin",
        "rows": [7, "b"],
        "probabilities": [0.5, None],
        "n_seen": 2,
        "record": RECORD,
    },
    "told": {"rows": [7, "b"], "labels": ["cat", None], "free": []},
    "contradiction": {"rows": [7], "labels": [1.5]},
    "correction": {
        "rows": [7],
        "labels": [True],
        "old": [None],
        "by": "me",
        "at": 1.5,
    },
    "again": {"rows": [7]},
    "closed": {"round": 1, "rows": [7], "probabilities": [None], "record": RECORD},
    "end": {"condition": "budget", "n_seen": 9},
    "stop": {"condition": "oracle"},
}


def entry(kind, **changes):
    return {"kind": kind} | VALID[kind] | changes


TOLD = entry("told")


def is_refused(wrong, match):
    with pytest.raises(SavedLoopError, match=match) as caught:
        check_entries([TOLD, wrong], "file")
    return caught.value


@pytest.mark.parametrize("kind", VALID)
def test_an_entry_of_each_kind_is_valid(kind):
    check_entries([entry(kind)], "file")


@pytest.mark.parametrize(
    ("kind", "changes"),
    [
        ("begin", {"made_of": None, "sample": None}),
        ("begin", {"seed": 0}),
        ("round", {"probabilities": None}),
        ("told", {"rows": [1, 2], "labels": [2**64 - 1, -(2**63)]}),
        ("correction", {"at": 1}),
        ("round", {"costs": [0.5, 2]}),
        ("closed", {"record": None, "rows": [], "probabilities": []}),
        ("round", {"record": {"select_seconds": 0.5, "oracle_seconds": 1}}),
    ],
)
def test_what_else_is_valid(kind, changes):
    check_entries([entry(kind, **changes)], "file")


def test_what_a_run_may_be_without():
    begin = entry("begin")
    del begin["made_of"], begin["sample"]
    check_entries([begin], "file")


@pytest.mark.parametrize("kind", [None, 5, "talk", ["told"]])
def test_an_unknown_kind_is_named(kind):
    error = is_refused(
        {"kind": kind}, r"'file' is damaged.* the entry 1 of its log has"
    )
    assert f"has the unknown kind {kind!r}" in str(error)
    assert error.labels.tolist() == ["cat"]
    assert error.indices.tolist() == [7]


FIELDS = [
    (kind, name)
    for kind, fields in VALID.items()
    for name in fields
    if name not in ("made_of", "sample")
]


@pytest.mark.parametrize(("kind", "name"), FIELDS)
def test_a_field_that_is_missing_is_named(kind, name):
    wrong = entry(kind)
    del wrong[name]
    is_refused(wrong, f"the entry 1 of its log has no valid {name}")


@pytest.mark.parametrize(
    ("kind", "name", "values"),
    [
        ("begin", "has_ids", [1, None]),
        ("begin", "session", [0, "yes"]),
        ("begin", "seed", [-1, 1.5, True, "1", None]),
        ("begin", "made_with", [[], None]),
        ("begin", "made_of", ["text"]),
        (
            "begin",
            "sample",
            [5, {}, {"seed": 1.5, "rows": []}, {"seed": 1, "rows": [None]}],
        ),
        ("round", "round", [1.0, True, "1"]),
        ("round", "strategy", [None, 1]),
        ("round", "rows", [7, [7, 1.5], [True, False], [[7], [8]], None]),
        ("round", "probabilities", [0.5, ["a", "b"], [True, False]]),
        ("round", "n_seen", [None, 0.5]),
        (
            "round",
            "record",
            [None, [], {"select_seconds": 1}, {"oracle_seconds": 1}]
            + [RECORD | {name: "x"} for name in ("fit_seconds", "cost")]
            + [RECORD | {"select_seconds": None}],
        ),
        ("told", "labels", ["ab", [[], 1], [2**64, 1], [-(2**63) - 1, 1], [{}, 1]]),
        ("told", "free", [None, [1.5]]),
        ("correction", "by", [None, 1]),
        ("correction", "old", ["ab", [[]]]),
        ("round", "costs", [5, ["a", "b"]]),
        ("correction", "at", [None, "now", True]),
        ("closed", "probabilities", [None, ["a"]]),
        ("closed", "record", [5, {"cost": "much"}]),
        ("end", "condition", [None, 5]),
        ("end", "n_seen", [None, "1"]),
    ],
)
def test_what_a_field_cannot_be(kind, name, values):
    for value in values:
        is_refused(entry(kind, **{name: value}), f"has no valid {name}")


@pytest.mark.parametrize(
    ("kind", "changes", "name"),
    [
        ("told", {"labels": ["cat"]}, "labels"),
        ("told", {"labels": ["cat", None, 1]}, "labels"),
        ("correction", {"labels": []}, "labels"),
        ("correction", {"old": [1, 2]}, "old"),
        ("round", {"costs": []}, "costs"),
        ("round", {"probabilities": [0.5]}, "probabilities"),
        ("closed", {"probabilities": []}, "probabilities"),
    ],
)
def test_there_is_one_value_for_each_row(kind, changes, name):
    is_refused(entry(kind, **changes), f"does not have one of its {name} for each row")


# Names of rows


def names_of(rows):
    return [f"row {row}" for row in rows]


def row_of(name):
    row = int(name.removeprefix("row "))
    return row if row < 10 else None


def test_an_entry_is_encoded_for_json_and_comes_back():
    given = {
        "kind": "round",
        "rows": [3, 1],
        "free": [1],
        "probabilities": [np.float64(0.5), None],
        "labels": [np.float32(7), np.str_("a")],
        "record": {"cost": np.float32(0.5), "n": np.int64(2), "worst": np.nan},
        "n_seen": 4,
    }
    before = dict(given)
    found = json.loads(json.dumps(encoded(given, names_of), allow_nan=False))
    assert found == {
        "kind": "round",
        "rows": ["row 3", "row 1"],
        "free": ["row 1"],
        "probabilities": [0.5, None],
        "labels": [7.0, "a"],
        "record": {"cost": 0.5, "n": 2, "worst": None},
        "n_seen": 4,
    }
    assert given == before
    back = decoded(found, row_of)
    assert (back["rows"], back["free"]) == ([3, 1], [1])


def test_empty_parts_stay_as_they_are():
    given = {"kind": "closed", "probabilities": None, "record": None}
    assert encoded(given, names_of) == decoded(given, row_of) == given


def test_rows_that_a_run_does_not_have_are_left_out():
    given = {
        "kind": "told",
        "rows": ["row 12", "row 3", "row 0"],
        "labels": ["a", "b", None],
        "free": ["row 0", "row 12"],
    }
    found = decoded(given, row_of)
    assert found["rows"] == [3, 0]
    assert found["labels"] == ["b", None]
    assert found["free"] == [0]
    assert len(given["rows"]) == 3
    given = {
        "kind": "closed",
        "rows": ["row 12", "row 3"],
        "probabilities": [0.5, 0.25],
    }
    assert decoded(given, row_of)["probabilities"] == [0.25]
    given = {"kind": "round", "rows": ["row 12", "row 3"], "probabilities": None}
    assert decoded(given, row_of) == given | {"rows": [3]}


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (None, None),
        (3, 3),
        (True, True),
        (np.str_("a"), "a"),
        (np.float64(0.5), 0.5),
        (np.float32(0.5), 0.5),
    ],
)
def test_labels_become_plain(label, expected):
    found = plain(label)
    assert found == expected
    assert type(found) is type(expected)


# The labels in a log


def bought(*entries):
    found = labels_in(entries)
    return dict(zip(found["indices"].tolist(), found["labels"].tolist(), strict=True))


def test_the_first_answer_counts_and_each_correction():
    told = {"kind": "told", "rows": [3, 1, 2, 5], "labels": ["a", "b", None, "c"]}
    late = {"kind": "told", "rows": [3, 2], "labels": ["z", "d"]}
    correction = {"kind": "correction", "rows": [1, 5], "labels": ["e", None]}
    other = {"kind": "contradiction", "rows": [9], "labels": ["y"]}
    assert bought(told, late, other, correction) == {3: "a", 1: "e", 2: "d"}
    assert bought() == {}


def test_labels_and_rows_have_their_natural_types():
    found = labels_in([{"kind": "told", "rows": [300, 1], "labels": [0, 1]}])
    assert (found["labels"].dtype.kind, found["indices"].dtype) == ("i", np.intp)
    found = labels_in([{"kind": "told", "rows": [3, "x"], "labels": ["a", "b"]}])
    assert found["indices"].dtype == object
    assert found["indices"].tolist() == [3, "x"]
    huge = [2**70, -(2**63), 2**63]
    for name in huge:
        found = labels_in([{"kind": "told", "rows": [name], "labels": [1]}])
        assert found["indices"].tolist() == [name]


def test_labels_of_several_types_come_as_they_are():
    assert bought({"kind": "told", "rows": [1, 2], "labels": ["a", 3]}) == {
        1: "a",
        2: 3,
    }
