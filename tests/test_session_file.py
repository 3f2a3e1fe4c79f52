"""What the methods of a session say about its file, without a run."""

import pickle
import time
from pathlib import Path

import pytest

from skactive import Session
from skactive._loop.session import open_session
from skactive.exceptions import SavedLoopError, StoreError
from skactive.oracles._cached_run import user_name


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


@pytest.fixture
def session(path):
    with Session(path, annotator="ann") as session:
        yield session


BEGIN = {"kind": "begin", "has_ids": True, "session": True, "seed": 0, "made_with": {}}


def a_round(number, names, costs=None):
    seconds = {"select_seconds": 0.0, "oracle_seconds": 0.0}
    record = {"round": number, "n_labeled": 0, **seconds}
    return {
        "kind": "round",
        "round": number,
        "strategy": "margin",
        "rows": names,
        "probabilities": None,
        "n_seen": 1,
        "record": record,
        "costs": costs,
    }


def told(names, labels, free=()):
    return {"kind": "told", "rows": names, "labels": labels, "free": [*free]}


def closed(number, names):
    return {
        "kind": "closed",
        "round": number,
        "rows": names,
        "probabilities": [None] * len(names),
        "record": {"round": number, "cost": 7.0},
    }


def write(session, *entries):
    effects = [
        ({f'"{k}"': v}, "eve", False)
        for entry in entries
        if entry["kind"] == "told"
        for k, v in zip(entry["rows"], entry["labels"], strict=True)
    ]
    n_known = len(session.entries())
    assert session.store.extend_log(session.task, n_known, list(entries), effects) == []


@pytest.fixture
def filled(session):
    """One round of three rows and a label of a fourth one that nobody asked about."""
    write(
        session,
        BEGIN,
        a_round(1, ["a", "b", "c"], [1.0, 2.0, 4.0]),
        told(["a", "b", "c"], [0, 1, None], free=["a"]),
        closed(1, ["a", "b", "c"]),
        told(["d"], [1]),
    )
    return session


# What is in the file


def test_labels_and_skips(filled):
    assert filled.labels() == {"a": 0, "b": 1, "d": 1}
    assert filled.skipped() == ["c"]


def test_a_summary_in_numbers(filled):
    filled.correct({"a": 1, "b": 1})
    filled.ask_again(["c"])
    assert filled.summary() == {
        "n_labels": 3,
        "n_skipped": 0,
        "n_queries": 3,
        "n_charged": 2,
        "n_unasked": 1,
        "n_to_ask_again": 1,
        "n_corrections": 1,
        "n_rounds": 1,
        "n_holdout": 0,
        "cost": 7.0,
    }


def test_records_and_history(filled):
    filled.store.record("other", {'"a"': 5}, "eve")
    filled.store.correct("other", {'"a"': 6}, "eve")
    assert [r["sample_id"] for r in filled.records()] == ["a", "b", "c", "d"]
    assert filled.corrections() == []
    assert [record["round"] for record in filled.history()] == [1]
    assert [entry["kind"] for entry in filled.entries()] == [
        "begin", "round", "told", "closed", "told"
    ]  # fmt: skip


def test_entries_that_cannot_be_name_the_file(session):
    session.store.extend_log("default", 0, [{"kind": "dance"}])
    with pytest.raises(SavedLoopError, match=f"{session.path}.*kind 'dance'"):
        session.entries()


# Corrections


def test_a_correction_counts_the_labels_that_were_others(filled):
    assert filled.correct({"a": 1, "b": 1}) == 1
    assert filled.correct({"b": None, "c": 0}, annotator="boss") == 2
    assert filled.labels() == {"a": 1, "c": 0, "d": 1}
    assert [r["annotator"] for r in filled.corrections()] == ["ann", "boss", "boss"]


def test_a_correction_has_the_type_of_the_labels(filled):
    filled.correct({"a": 1.0})
    assert repr(filled.labels()["a"]) == "1"
    with pytest.raises(ValueError, match="type int"):
        filled.correct({"b": 0, "a": "no"})
    assert filled.labels()["b"] == 1


def test_where_there_are_skips_only_any_label_may_come(session):
    write(session, told(["a"], [None]))
    assert session.correct({"a": "no"}) == 1
    assert session.labels() == {"a": "no"}


@pytest.mark.parametrize("name", ["", " ", "\ud800"])
def test_a_name_that_is_none_is_refused(filled, path, name):
    with pytest.raises(ValueError, match="The annotator must be a name"):
        filled.correct({"a": 1}, annotator=name)
    assert filled.labels()["a"] == 0
    with pytest.raises(ValueError, match="'annotator' parameter of Session must be"):
        Session(path, annotator=name)


def test_a_correction_needs_an_answer(filled):
    with pytest.raises(ValueError, match=r"sample_ids \['x'\]"):
        filled.correct({"a": 1, "x": 1})
    assert filled.labels()["a"] == 0
    with pytest.raises(TypeError, match=r"such as a dict, got \[1\]"):
        filled.correct([1])


# Asking again


def test_rows_to_ask_about_again_are_an_entry(filled, path):
    before = time.time()
    filled.ask_again(["c", "a"])
    entry = filled.entries()[-1]
    assert before <= entry.pop("at") <= time.time()
    assert entry == {"kind": "again", "rows": ["c", "a"], "by": "ann"}
    assert filled.skipped() == []  # so that an oracle is asked
    assert filled.labels()["a"] == 0
    filled.ask_again(["c"])  # known from the log
    filled.correct({"c": 1})
    assert filled.labels()["c"] == 1


def test_rows_are_asked_about_again_though_others_write(filled, path, monkeypatch):
    entries, others = filled.entries, iter([1, 0])

    def entries_of_before():
        found = entries()
        if next(others, None) == 0:  # after the look at what is known
            with Session(path) as other:
                write(other, told(["e"], [1]), told(["f"], [1]))
        return found

    monkeypatch.setattr(filled, "entries", entries_of_before)
    filled.ask_again(["a"])
    assert [e["kind"] for e in entries()][-3:] == ["told", "told", "again"]


def test_rows_to_ask_about_again_need_an_answer(filled):
    with pytest.raises(ValueError, match=r"sample_ids \['x'\].*again"):
        filled.ask_again(["a", "x"])
    write(filled, told(["7"], [1]))
    with pytest.raises(ValueError, match="Only the type differs: 7 is of type int"):
        filled.ask_again([7])
    assert [e["kind"] for e in filled.entries()].count("again") == 0


# What a run gets


def test_the_past_is_that_of_the_rows_of_a_pool(filled):
    past = filled.past(filled.entries(), {"d": 0, "b": 1, "new": 2, "c": 3})
    assert past.labels == {0: 1, 1: 1}
    assert past.skipped == [3]
    assert (past.n_gone, past.n_charged) == (1, 2)


def test_a_file_without_ids_has_no_past(filled):
    write(filled, BEGIN | {"has_ids": False})
    with pytest.raises(SavedLoopError, match=f"{filled.path}.* without sample_ids"):
        filled.past(filled.entries(), {"a": 0})


def test_a_pool_without_any_of_the_rows_is_warned_about(filled):
    with pytest.warns(UserWarning, match="None of the 4 rows") as caught:
        filled.past(filled.entries(), {"x": 0})
    message = str(caught[0].message)
    assert str(filled.path) in message
    assert "task 'default'" in message
    assert "sample_ids are ['x'], and the session has ['a', 'b', 'c'" in message


def test_ids_of_another_type_are_refused(session):
    write(session, told(["1", "2"], [0, 1]))
    with pytest.raises(ValueError, match=r"None of the 2 .*Only the type differs: 1 "):
        session.past(session.entries(), {1: 0, 2: 1})


def test_an_empty_session_knows_nothing_of_any_rows(session, recwarn):
    past = session.past([], {"x": 0})
    assert (past.in_session, past.labels) == (True, {})
    assert not recwarn.list


# The file


def test_a_session_without_a_path_is_refused():
    with pytest.raises(ValueError, match="'path' parameter of Session is empty"):
        Session("")


def test_a_file_that_cannot_be_used_is_refused_at_once(tmp_path):
    with pytest.raises(Exception, match=str(tmp_path)):
        Session(tmp_path)


def test_a_session_opens_its_file_when_it_needs_it(filled, path):
    first = filled.store
    assert filled.store is first
    assert first.timeout == 60.0
    filled.close()
    filled.close()
    assert filled.store is not first
    first, filled.timeout = filled.store, 3.0
    assert filled.store.timeout == 3.0
    with pytest.raises(StoreError, match="closed"):
        first.records()
    assert filled.labels() == {"a": 0, "b": 1, "d": 1}
    path.unlink()
    assert filled.labels() == {}  # a new file


def test_leaving_a_session_closes_it(path):
    with Session(path, "colour", timeout=2) as session:
        store = session.store
    assert (session.task, store.timeout) == ("colour", 2)
    with pytest.raises(Exception, match="closed"):
        store.answers_of("colour")


def test_a_copy_opens_the_file_itself(filled):
    copied = pickle.loads(pickle.dumps(filled))
    assert copied.labels() == filled.labels()
    assert copied.store is not filled.store
    assert copied.annotator == "ann"
    copied.close()
    again = pickle.loads(pickle.dumps(copied))
    assert again.labels() == filled.labels()
    again.close()


def test_who_answers_is_the_user_if_nothing_is_said(session, path):
    assert session.who == "ann"
    with Session(path) as other:
        assert other.who == user_name()


def test_a_path_is_a_session_and_none_is_none(session, path):
    assert open_session(None) is None
    assert open_session(session) is session
    with open_session(str(path)) as opened:
        assert Path(opened.path) == path
    assert repr(opened) == f"Session({str(path)!r}, task='default')"
