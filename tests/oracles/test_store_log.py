"""The log of a label store, corrections and skips: in the file, by what they write."""

import json
import sqlite3
import zlib
from contextlib import closing

import pytest

from skactive.exceptions import StoreCorruptedError
from skactive.oracles._store.store import LabelStore

BEGIN = {"kind": "begin", "seed": 0}
ROUND = {"kind": "round", "rows": ["ä", 1]}


def change(path, query, *values):
    """Change a file as another program would."""
    with closing(sqlite3.connect(path)) as connection, connection:
        return connection.execute(query, values).fetchall()


def test_entries_come_back_in_order_by_task_and_position(store):
    assert store.extend_log("a", 0, [BEGIN, ROUND]) == []
    assert store.extend_log("b", 0, [ROUND]) == []
    assert store.extend_log("a", 2, [{"kind": "end"}]) == []
    assert store.log("a") == [(0, BEGIN), (1, ROUND), (2, {"kind": "end"})]
    assert store.log("a", after=0) == [(1, ROUND), (2, {"kind": "end"})]
    assert store.log("a", after=2) == store.log("c") == []
    assert store.log("b") == [(0, ROUND)]


def test_an_entry_has_the_checksum_of_task_position_and_text(store, path):
    store.extend_log("a", 0, [BEGIN, ROUND])
    for task, position, entry, kept in change(path, "SELECT * FROM log"):
        text = json.dumps([task, position, entry])
        assert kept == zlib.crc32(text.encode())


def test_the_news_of_others_come_and_nothing_is_written(store, path):
    other = LabelStore(path)
    other.extend_log("a", 0, [BEGIN, ROUND])
    effects = [({"1": 5}, "anna", False)]
    assert store.extend_log("a", 1, [{"kind": "end"}], effects) == [ROUND]
    assert store.extend_log("a", 0, [BEGIN], effects) == [BEGIN, ROUND]
    assert store.answers_of("a") == {}
    assert store.log("a") == [(0, BEGIN), (1, ROUND)]
    other.close()


def test_a_log_shorter_than_known_is_refused(store, path):
    store.extend_log("a", 0, [BEGIN])
    match = rf"{path} .*'a' has 1 entries and had 2"
    with pytest.raises(StoreCorruptedError, match=match):
        store.extend_log("a", 2, [ROUND])
    assert store.log("a") == [(0, BEGIN)]


def test_entries_and_answers_are_written_together(store):
    store.record("a", {"1": 0}, "anna")
    store.claim("a", {"2": 1.0}, "owner", 600)
    effects = [({"1": 1, "2": 1}, "bert", False), ({"2": 3}, "carl", True)]
    store.extend_log("a", 0, [BEGIN], effects)
    assert store.answers_of("a") == {"1": 0, "2": 3}
    assert [e["kind"] for e in store.events()] == ["contradiction", "correction"]
    assert store.summary()["n_claimed"] == 0


def test_entries_whose_answers_cannot_be_written_are_not_written_either(store):
    with pytest.raises(TypeError, match="not JSON serializable"):
        store.extend_log("a", 0, [BEGIN], [({"1": object()}, "anna", False)])
    assert store.log("a") == []


def test_appending_does_not_read_the_log(store):
    n = 3000
    store.extend_log("a", 0, [BEGIN] * n)
    steps = []
    store._connection.set_progress_handler(lambda: steps.append(1), 1)
    store.extend_log("a", n, [ROUND])
    store._connection.set_progress_handler(None, 1)
    assert len(steps) < 300  # instructions of SQLite, a dozen for each row it reads


def test_a_correction_replaces_the_label_and_both_answers_stay_in_the_audit(store):
    store.record("a", {"1": 0, '"x"': None, "3": 1}, "anna")
    (first,) = {record["answered_at"] for record in store.records()}
    labels = {"1": 2, '"x"': "ja", "3": None, "4": 1}
    assert store.correct("a", labels, "bert") == {"1": 0, '"x"': None, "3": 1}
    assert store.answers_of("a") == labels
    assert {r["annotator"] for r in store.records()} == {"bert"}
    found = [tuple(r.values()) for r in store.corrections("a")]
    later = {record[3] for record in found}
    assert min(later) >= first
    assert [(*r[:3], *r[4:]) for r in found] == [
        (1, 2, "bert", 0, "anna", first),
        ("x", "ja", "bert", None, "anna", first),
        (3, None, "bert", 1, "anna", first),
        (4, 1, "bert", None, None, None),
    ]
    assert list(store.corrections("a")[0]) == [
        "sample_id",
        "label",
        "annotator",
        "corrected_at",
        "old_label",
        "old_annotator",
        "old_answered_at",
    ]
    assert store.corrections("b") == []
    store.check()


def test_the_same_label_is_no_correction_but_true_is_not_one(store):
    store.record("a", {"1": 1, "2": 1}, "anna")
    store.extend_log("a", 0, [BEGIN])
    assert store.correct("a", {"1": 1}, "bert") == {}
    assert store.log("a") == [(0, BEGIN)]
    assert store.correct("a", {"1": 1, "2": True}, "bert") == {"2": 1}
    assert [r["sample_id"] for r in store.corrections("a")] == [2]
    assert [r["annotator"] for r in store.records()] == ["anna", "bert"]


def test_a_correction_is_an_entry_of_a_log_that_exists(store):
    store.record("a", {"1": 0}, "anna")
    store.correct("a", {"1": 1}, "bert")
    assert store.log("a") == []
    store.extend_log("a", 0, [BEGIN])
    store.correct("a", {"1": 0, '"x"': None}, "carl")
    (_, entry) = store.log("a")[1]
    assert entry.pop("at") == store.corrections("a")[-1]["corrected_at"]
    assert entry == {
        "kind": "correction",
        "rows": [1, "x"],
        "labels": [0, None],
        "old": [1, None],
        "by": "carl",
    }


def test_an_answer_and_a_correction_end_the_claims_of_their_rows(store):
    store.claim("a", {"1": 1.0, "2": 1.0, "3": 1.0}, "owner", 600)
    store.correct("a", {"1": 1}, "bert")
    assert store.summary()["n_claimed"] == 2
    store.record("a", {"2": 1}, "bert")
    assert store.summary()["n_claimed"] == 1


def test_skips_are_forgotten_and_labels_are_not(store):
    store.record("a", {"1": None, "2": 0, "3": None}, "anna")
    store.record("b", {"1": None}, "anna")
    assert store.forget_skips("a", ["1", "2", "7"]) == ["1"]
    assert store.answers_of("a") == {"2": 0, "3": None}
    assert store.answers_of("b") == {"1": None}
    (event,) = store.events()
    assert (event["kind"], event["task"], event["sample_id"]) == ("ask_again", "a", 1)
    assert store.claim("a", {"1": 1.0}, "owner", 600).mine == ["1"]


def test_rows_to_ask_about_again_are_an_entry_of_a_log_that_exists(store):
    store.record("a", {"1": None, '"x"': None, "2": None, "3": 5}, "anna")
    store.forget_skips("a", ["2"])
    assert store.log("a") == []
    store.extend_log("a", 0, [BEGIN])
    store.forget_skips("a", ["1", '"x"', "3"])
    (_, entry) = store.log("a")[1]
    assert entry.pop("at") == store.events()[-1]["happened_at"]
    assert entry == {"kind": "again", "rows": [1, "x"]}
    store.forget_skips("a", ["1", "3"])  # no skips any more
    assert len(store.log("a")) == 2


def test_an_entry_about_asking_again_forgets_the_skips_of_its_task(store):
    store.record("a", {"1": None, '"x"': None, "2": None, "3": 5}, "anna")
    store.record("b", {"1": None}, "anna")
    store.extend_log("a", 0, [BEGIN, {"kind": "again", "rows": [1, "x", 3]}])
    assert store.answers_of("a") == {"2": None, "3": 5}
    assert store.answers_of("b") == {"1": None}
    assert [event["kind"] for event in store.events()] == ["ask_again"] * 2
    assert len(store.log("a")) == 2


def test_hashes_are_kept_beside_new_answers(store):
    store.record("a", {"1": 0, "2": 1}, "anna", {"1": "f00", "2": "ba4"})
    store.record("a", {"1": 0, "3": 1}, "anna", {"1": "other"})
    assert store.row_hashes("a", ["1", "2", "3", "4"]) == {"1": "f00", "2": "ba4"}
    assert store.row_hashes("b", ["1"]) == {}
    store.correct("a", {"1": 5}, "anna")
    assert store.row_hashes("a", ["1"]) == {"1": "f00"}


def test_the_salt_belongs_to_the_file(store, path, tmp_path):
    salt = store.salt()
    assert len(bytes.fromhex(salt)) == 16
    other = LabelStore(path)
    assert store.salt() == other.salt() == salt
    elsewhere = LabelStore(tmp_path / "other.sqlite")
    assert elsewhere.salt() != salt
    other.close()
    elsewhere.close()


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("UPDATE log SET entry = '[1]' WHERE position = 1", "entry 1 .* checksum"),
        ("UPDATE log SET entry = x'00' WHERE position = 1", "entry 1 .* checksum"),
        ("UPDATE log SET position = 7 WHERE position = 1", "has no entry 1"),
        ("DELETE FROM log WHERE position = 0", "has no entry 0"),
    ],
)
def test_a_tampered_log_is_refused_with_the_answers(store, path, query, why):
    labels = {"1": 0, '"x"': None, "8": 0, "9": 0}
    store.extend_log("a", 0, [BEGIN, ROUND], [(labels, "anna", False)])
    store.record("b", {"2": 0}, "anna")
    change(path, query)
    with pytest.raises(StoreCorruptedError, match=why):
        store.check()
    # Two answers cannot be read either; they do not hide the others.
    change(path, "UPDATE answers SET label = '{' WHERE sample_id = '9'")
    change(path, "UPDATE answers SET sample_id = '[1]' WHERE sample_id = '8'")
    with pytest.raises(StoreCorruptedError, match=why) as caught:
        store.log("a")
    assert "task 'a'" in str(caught.value)
    assert caught.value.answers == {1: 0, "x": None}


@pytest.mark.parametrize("text", ["[1]", "{", "[" * 100_000, "1" * 5000])
def test_an_entry_that_is_no_entry_is_refused_though_its_checksum_is_right(
    store, path, text
):
    checksum = zlib.crc32(json.dumps(["a", 0, text]).encode())
    change(path, "INSERT INTO log VALUES ('a', 0, ?, ?)", text, checksum)
    with pytest.raises(StoreCorruptedError, match="entry 0 of the log of the task 'a'"):
        store.log("a")
