"""The tables of a label store, one by one: money, answers, events, limits, reports."""

import json
import math
import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime

import pytest

from skactive.exceptions import OracleError, StoreCorruptedError
from skactive.oracles._store.claims import Holder
from skactive.oracles._store.damage import checksum, damaged, from_json, is_time

KEYS = ["1", "2", "3", '"a"']
PRICES = {"1": 2.0, "2": 3.0, "3": 0.5, '"a"': 1.0}


def change(path, query, *values):
    """Change a file as another program would."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(query, values).fetchall()


def account(store):
    return [store.summary()[name] for name in ("n_calls", "n_asked", "cost")]


# Money


def test_rows_are_paid_for_when_they_are_claimed(store):
    claim = store.claim("t", PRICES, "me", 60)
    assert (claim.owner, claim.mine, claim.cost) == ("me", KEYS, PRICES)
    assert (claim.answers, claim.others, claim.limit) == ({}, {}, None)
    assert account(store) == [1, 4, 6.5]
    store.claim("t", {"5": 1.0}, "me", 60)
    assert account(store) == [2, 5, 7.5]
    assert store.summary()["n_claimed"] == 5


def test_rows_with_an_answer_or_of_others_are_not_paid_for(store):
    store.record("t", {"1": "cat", "2": None}, "her")
    store.claim("t", {"3": 0.5}, "her", 60)
    claim = store.claim("t", PRICES, "me", 60)
    assert claim.answers == {"1": "cat", "2": None}
    assert claim.mine == ['"a"']
    assert [holder.owner for holder in claim.others.values()] == ["her"]
    assert claim.cost == {'"a"': 1.0}
    assert account(store) == [2, 2, 1.5]
    assert store.claim("t", PRICES, "me", 60).mine == ['"a"']  # its own


def test_nothing_is_paid_for_nothing(store):
    store.record("t", dict.fromkeys(KEYS, 1), "her")
    claim = store.claim("t", PRICES, "me", 60, max_calls=0, max_cost=0)
    assert (claim.mine, claim.limit) == ([], None)
    assert account(store) == [0, 0, 0]


@pytest.mark.parametrize(
    ("max_cost", "mine"),
    [
        (0, []),
        (1.99, []),
        (2, ["1"]),
        (4.9, ["1"]),
        (5, ["1", "2"]),
        (5.5, ["1", "2", "3"]),
        (6.5, KEYS),
    ],
)
def test_the_first_rows_that_the_money_is_enough_for(store, max_cost, mine):
    claim = store.claim("t", PRICES, "me", 60, max_cost=max_cost)
    assert claim.mine == mine
    left = None if mine == KEYS else f"max_cost={max_cost} is reached"
    assert claim.limit == left
    assert list(claim.cost) == mine


def test_money_that_was_spent_before_counts(store):
    store.claim("t", {"9": 4.0}, "her", 60)
    assert store.claim("t", PRICES, "me", 60, max_cost=6).mine == ["1"]


def test_sums_that_differ_by_rounding_are_within_the_limit(store):
    assert 0.1 + 0.2 > 0.3
    assert store.claim("t", {"1": 0.1, "2": 0.2}, "me", 60, max_cost=0.3).limit is None


def test_calls_are_limited(store):
    for n_calls in range(2):
        prices = {str(n_calls): 1.0}
        assert store.claim("t", prices, "me", 60, max_calls=2).mine == [str(n_calls)]
    claim = store.claim("t", {"7": 1.0}, "me", 60, max_calls=2)
    assert (claim.mine, claim.limit) == ([], "max_calls=2 is reached")
    assert account(store) == [2, 2, 2.0]


def test_a_claim_that_is_given_up_may_be_claimed_by_others(store):
    claim = store.claim("t", PRICES, "me", 60)
    store.record("t", {"1": "cat"}, "me")
    store.release(claim)
    assert account(store) == [1, 4, 6.5]
    assert store.claim("t", PRICES, "her", 60).mine == KEYS[1:]


@pytest.mark.parametrize(("ahead", "mine"), [(1.9, []), (2.5, ["1"]), (-0.1, ["1"])])
def test_a_claim_of_the_past_or_of_a_clock_put_back_is_taken_over(
    store, path, ahead, mine
):
    store.claim("t", {"1": 1.0}, "her", 1000)
    ends = time.time() + ahead * 1000
    change(path, "UPDATE claims SET process = NULL, expires_at = ?", ends)
    assert store.claim("t", {"1": 1.0}, "me", 1000).mine == mine


def test_a_claim_that_cannot_be_names_the_file(store, path):
    store.claim("t", {"1": 1.0}, "her", 60)
    change(path, "UPDATE claims SET expires_at = -5")
    with pytest.raises(StoreCorruptedError, match=rf"{path} is .*'her' ends at -5\.0"):
        store.claim("t", {"1": 1.0}, "me", 60)


def test_whom_one_waits_for_is_said_in_universal_time(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    holder = Holder("owner", "process 7", 3600.0, 9e9, True)
    assert str(holder) == "process 7, since 1970-01-01 01:00:00 UTC"
    monkeypatch.undo()
    time.tzset()


def test_money_comes_back_for_the_rows_that_have_no_answer(store):
    claim = store.claim("t", PRICES, "me", 60)
    store.record("t", {"1": "cat"}, "me")
    store.release(claim, refund=["1", "2", "9"])
    assert account(store) == [1, 3, 3.5]
    assert store.summary()["n_claimed"] == 0


def test_a_failure_opens_the_breaker_until_the_reset(store, path):
    store.release(store.claim("t", {"1": 1.0}, "me", 60), failure="no answer")
    assert store.summary()["breaker"] == "no answer"
    assert store.events()[-1]["kind"] == "failure"
    assert store.events()[-1]["detail"] == "no answer"
    store.record("t", {"1": 5}, "her")
    assert store.claim("t", {"1": 1.0}, "me", 60).answers == {"1": 5}
    with pytest.raises(
        OracleError, match=r"\(no answer\)\. Nothing was asked"
    ) as error:
        store.claim("t", PRICES, "me", 60)
    assert str(path) in str(error.value)
    assert account(store) == [1, 1, 1.0]
    store.reset()
    assert store.summary()["breaker"] is None
    assert store.events()[-1]["kind"] == "reset"
    assert store.claim("t", PRICES, "me", 60).mine == KEYS[1:]


@pytest.mark.parametrize("name", ["n_calls", "n_asked", "cost"])
def test_an_account_that_cannot_be_is_damage(store, path, name):
    for value in (-1.0, -1e-6, math.inf, "much"):
        change(path, "INSERT OR REPLACE INTO account VALUES (?, ?)", name, value)
        with pytest.raises(
            StoreCorruptedError, match=f"{name} in the account"
        ) as error:
            store.summary()
        assert str(path) in str(error.value)
    change(path, "INSERT OR REPLACE INTO account VALUES (?, ?)", name, -1e-7)
    assert store.summary()[name] == -1e-7


def test_transactions_are_counted(store, path):
    query = "SELECT value FROM account WHERE name = 'n_writes'"
    counts = []
    for _ in range(3):
        store.record("t", {"1": 5}, "her")
        counts += change(path, query)
    (first,), *_ = counts
    assert counts == [(first,), (first + 1,), (first + 2,)]


def test_rows_with_an_answer_are_claimed_again_on_demand(store):
    store.record("t", {"1": "cat"}, "her")
    claim = store.claim("t", {"1": 2.0}, "me", 60, again=True)
    assert (claim.answers, claim.mine) == ({}, ["1"])
    assert account(store) == [1, 1, 2.0]


# Answers


def test_labels_are_kept_by_task(store):
    store.record("t", {"1": "cat", "2": "dog", '"a"': "cat", "3": None}, "her")
    store.record("u", {"1": 7}, "her")
    assert store.answers("t", ["1", "3", "9"]) == {"1": "cat", "3": None}
    assert store.answers_of("u") == {"1": 7}
    assert sorted(store.labels("t"), key=str) == [None, "cat", "dog"]
    assert sorted(store.keys_of("t", "cat")) == ['"a"', "1"]
    assert store.keys_of("t", None) == ["3"]
    assert store.keys_of("t", "bird") == []


def test_answers_are_reported_the_oldest_first(store, path):
    before = time.time()
    store.record("t", {"2": "cat", '"a"': 1.5}, "her")
    store.record("u", {"1": None}, "him")
    times = change(path, "SELECT MIN(answered_at), MAX(answered_at) FROM answers")[0]
    assert before <= times[0] <= times[1] <= time.time()
    change(path, "UPDATE answers SET answered_at = 5 WHERE sample_id = '2'")
    first = store.records()[0]
    assert first == {
        "task": "t",
        "sample_id": 2,
        "label": "cat",
        "annotator": "her",
        "answered_at": 5,
    }
    assert [record["sample_id"] for record in store.records("t")] == [2, "a"]
    assert [record["annotator"] for record in store.records()] == ["her", "her", "him"]


def test_the_first_answer_stays_and_the_second_is_an_event(store):
    store.record("t", {"1": 1, "2": True, "3": "x"}, "her")
    first = store.record("t", {"1": 1.0, "2": 1, "3": "x", '"a"': 4}, "him")
    # To Python 1, 1.0 and True are equal, but not as labels.
    assert first == {"1": 1, "2": True}
    assert store.answers("t", KEYS) == {"1": 1, "2": True, "3": "x", '"a"': 4}
    one, two = store.events()
    assert (one["kind"], one["task"], one["sample_id"]) == ("contradiction", "t", 1)
    assert (one["label"], one["annotator"]) == (1.0, "him")
    assert two["detail"] == "the first answer, true, stays"
    assert store.summary()["n_contradictions"] == 2


def test_a_report_in_numbers(store):
    store.record("t", {"1": 1, "2": None, "3": None}, "her")
    store.correct("t", {"1": 2}, "boss")
    store.extend_log("u", 0, [{"kind": "begin"}, {"kind": "end"}])
    summary = store.summary()
    assert summary["tasks"] == {
        "t": {"n_answers": 3, "n_abstained": 2, "n_entries": 0},
        "u": {"n_answers": 0, "n_abstained": 0, "n_entries": 2},
    }
    assert (summary["n_corrections"], summary["n_contradictions"]) == (1, 0)
    store.check()


def test_skips_that_are_forgotten_are_events(store):
    store.record("t", {"1": None, "2": 5}, "her")
    assert store.forget_skips("t", ["1", "2", "3"]) == ["1"]
    (event,) = store.events()
    assert (event["kind"], event["task"], event["sample_id"]) == ("ask_again", "t", 1)
    assert store.answers_of("t") == {"2": 5}


def test_a_correction_of_equal_labels_changes_nothing(store):
    store.record("t", {"1": 1, "2": 2}, "her")
    store.extend_log("t", 0, [{"kind": "begin"}])
    assert store.correct("t", {"1": 1}, "boss") == {}
    assert len(store.log("t")) == 1
    assert store.correct("t", {"1": 3, "2": 2, "3": 4}, "boss") == {"1": 1}
    (correction,) = [entry for _, entry in store.log("t", after=0)]
    assert (correction["rows"], correction["labels"]) == ([1, 3], [3, 4])
    assert (correction["kind"], correction["by"]) == ("correction", "boss")
    first, second = store.corrections("t")
    assert (first["old_label"], first["old_annotator"]) == (1, "her")
    assert (second["old_label"], second["old_answered_at"]) == (None, None)
    assert first["corrected_at"] == correction["at"]
    assert store.corrections("u") == []


@pytest.mark.parametrize(
    ("column", "value", "why"),
    [
        ("label", "no JSON", "a label that is not JSON"),
        ("sample_id", "no JSON", "a sample_id that is not JSON"),
        ("happened_at", -1, "the time -1.0"),
        ("detail", "[]", "a detail that cannot be read"),
        ("detail", "no JSON", "a detail that cannot be read"),
    ],
)
def test_an_event_that_cannot_be_is_named(store, path, column, value, why):
    store.record("t", {"1": 1}, "her")
    store.correct("t", {"1": 2}, "boss")
    store.corrections("t")
    change(path, f"UPDATE events SET {column} = ?", value)
    match = f"{path} is damaged .the event 1 of the task 't', row .*, has {why}"
    with pytest.raises(StoreCorruptedError, match=match):
        store.corrections("t")


@pytest.mark.parametrize(
    ("key", "why"),
    [("no JSON", "an id that is not JSON"), ("1.5", "an id that is neither an int")],
)
def test_an_id_that_cannot_be_is_named(store, path, key, why):
    store.record("t", {key: 1}, "her")
    match = f"{path} is damaged .*the task 't', row {key}, has {why}"
    with pytest.raises(StoreCorruptedError, match=match):
        store.records()


# Logs that are damaged


ANSWERS = [
    {"kind": "round", "rows": [1, 2]},
    {"kind": "told", "rows": [1, 2, 3, 4], "labels": ["a", "b", None, "d"]},
    {"kind": "told", "rows": [1, 3], "labels": ["z", "c"]},
    {"kind": "correction", "rows": [2], "labels": ["e"]},
    {"kind": "told", "rows": [5, 6], "labels": ["f"]},  # one is missing
    {"kind": "contradiction", "rows": [8], "labels": ["h"]},
    {"kind": "told", "rows": [7], "labels": ["g"]},
]


def test_the_error_of_a_damaged_log_has_the_labels_that_can_be_read(store, path):
    store.extend_log("t", 0, ANSWERS)
    store.record("t", {"4": "i", "9": "j"}, "her")
    change(path, "UPDATE log SET entry = 'no JSON' WHERE position = 0")
    change(path, "UPDATE answers SET label = 'no JSON' WHERE sample_id = '4'")
    with pytest.raises(StoreCorruptedError, match=r"entry 0 .* another check") as error:
        store.log("t")
    known = {1: "a", 2: "e", 3: "c", 4: "d", 5: "f", 7: "g", 9: "j"}
    assert error.value.answers == known
    assert str(path) in str(error.value)


def test_each_damage_of_a_log_names_the_file(store, path):
    store.extend_log("t", 0, ANSWERS)
    for text in ("no JSON", "[1]"):
        change(
            path,
            "UPDATE log SET entry = ?, checksum = ? WHERE position = 6",
            text,
            checksum("t", 6, text),
        )
        with pytest.raises(StoreCorruptedError, match=f"{path} is damaged .*entry 6"):
            store.log("t")
    change(path, "DELETE FROM log WHERE position = 2")
    with pytest.raises(StoreCorruptedError, match=f"{path} is damaged .*no entry 2"):
        store.log("t")
    with pytest.raises(StoreCorruptedError, match=f"{path} is damaged .*no entry 2"):
        store.check()


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("INSERT OR REPLACE INTO account VALUES ('cost', -1)", "cost in the account"),
        ("UPDATE answers SET sample_id = 'no JSON'", "another checksum"),
        ("UPDATE events SET happened_at = -1 WHERE kind = 'reset'", "the time -1.0"),
        ("UPDATE events SET detail = '[]' WHERE kind = 'correction'", "a detail"),
    ],
)
def test_a_check_reads_every_table(store, path, query, why):
    store.record("t", {"1": 1}, "her")
    store.correct("t", {"1": 2}, "boss")
    store.reset()
    store.check()
    change(path, query)
    with pytest.raises(StoreCorruptedError, match=why):
        store.check()


def test_a_check_reads_every_page(store, path):
    store.record("t", {"1": 1}, "her")  # without a hash
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute(
            "UPDATE sqlite_schema SET sql = replace(sql, 'row_hash TEXT', "
            "'row_hash TEXT NOT NULL')"
        )
        connection.execute("PRAGMA schema_version = 99")  # others read it again
    assert store.answers_of("t") == {"1": 1}
    match = f"{path} is damaged .NULL value in answers.row_hash"
    with pytest.raises(StoreCorruptedError, match=match):
        store.check()


# Damage in general


def test_an_error_about_damage_may_carry_answers():
    error = damaged("file", "why", answers={1: 2})
    assert error.answers == {1: 2}
    assert str(error).startswith("The label store file is damaged (why); it was left")


@pytest.mark.parametrize(
    ("text", "why"),
    [(b"1", "is not a text"), (1, "1 is not a text"), ("[" * 10**5, "too deeply")],
)
def test_what_is_not_json_is_a_value_error(text, why):
    with pytest.raises(ValueError, match=why):
        from_json(text)


def test_times_are_those_that_a_date_can_hold():
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()
    assert all(map(is_time, [0, 0.5, 1, time.time(), last]))
    assert not any(map(is_time, [-1, -0.1, last + 1, math.nan, math.inf, "1", None]))


def test_checksums_tell_fields_apart():
    sums = [checksum(*fields) for fields in (("t", "1", "2"), ("t", "12"), ("t1", "2"))]
    assert len(set(sums)) == 3
    assert checksum("t", 1) == checksum(*json.loads('["t", 1]'))
    assert checksum(b"t") is None
