"""A CachedOracle: other rows, corrections, skips, what it asks and what it gives."""

import sqlite3
import threading
import time
import uuid

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearningClassifier
from skactive.exceptions import OracleError, StopLabeling, StoreError
from skactive.model_selection import LabeledFold, labeled_scorer
from skactive.oracles import CachedOracle, RunFacts
from skactive.oracles._store.store import LabelStore
from skactive.utils._row_hashes import hash_each_row

X = np.zeros((4, 1))
IDS = ["a", "b", "c", "d"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


def test_classes_seen_so_far_do_not_restrict_the_answers(path):
    oracle = CachedOracle(lambda X, classes: ["x", "y", "z", 1], path)
    assert oracle(X, IDS, classes=["x", "y"]) == ["x", "y", "z", 1]


def test_an_answer_that_comes_after_the_file_was_closed_is_with_the_error(path):
    oracle = CachedOracle(lambda X: iter([1, 0, 1, 0]), path)
    answers = oracle(X, IDS)
    assert next(answers) == 1
    oracle.close()
    with (
        pytest.warns(UserWarning, match="A claim could not be given up"),
        pytest.raises(StoreError, match="closed while it was in use") as caught,
    ):
        next(answers)
    assert caught.value.answers == {"b": 0}


def test_an_iterator_that_nobody_begins_gives_up_its_rows(path):
    oracle = CachedOracle(lambda X: iter([1, 0, 1, 0]), path)
    oracle(X, IDS)
    assert oracle.summary()["n_claimed"] == 0
    assert oracle.summary()["n_asked"] == 0


# Rows that differ in content


def by_content(X):
    return [int(x[0]) % 2 for x in X]


OLD = np.arange(36).reshape(-1, 1)
NEW = OLD + 1
FIRST_IDS = np.arange(36)


@pytest.fixture
def used(path):
    """A store in which the ids 0 to 35 were answered for the rows `OLD`."""
    oracle = CachedOracle(by_content, path, rows="warn")
    oracle(OLD, FIRST_IDS)
    return oracle


def test_ids_that_are_used_again_for_other_rows_are_noticed(used, path):
    assert (np.array(used.oracle(NEW)) != used.oracle(OLD)).all()
    with pytest.warns(UserWarning, match="36 rows differ in content") as caught:
        assert used(NEW, FIRST_IDS) == by_content(OLD)
    message = str(caught[0].message)
    assert ": 0, 1, 2, 3, 4 and 31 more." in message
    assert str(path) in message
    assert "ids_of_rows" in message


def test_other_rows_are_refused_before_anything_is_asked(used, path):
    asked = []
    oracle = CachedOracle(lambda X: asked.append(X), path, rows="raise")
    ids = [*FIRST_IDS[:2].tolist(), "new"]
    with pytest.raises(OracleError, match=r"2 rows differ in content .*: 0, 1\."):
        oracle(NEW[:3], ids)
    assert asked == []
    assert oracle.summary()["n_asked"] == 36


@pytest.mark.parametrize("rows", ["warn", "raise"])
def test_equal_rows_in_another_container_are_the_same(used, path, rows, recwarn):
    oracle = CachedOracle(by_content, path, rows=rows)
    for same in OLD.astype(np.float32), OLD.tolist(), OLD[::-1][::-1]:
        assert oracle(same, FIRST_IDS) == by_content(OLD)
    assert not recwarn.list


def test_contents_of_rows_are_not_read_unless_it_is_asked_for(path, recwarn):
    ask = CachedOracle(lambda X: [0] * len(X), path)
    for _ in range(2):  # objects whose content cannot be read
        assert ask([object()], ["a"]) == [0]
    checking = CachedOracle(lambda X: [0] * len(X), path, rows="raise")
    assert checking(OLD[:1], ["a"]) == [0]  # no hash was written
    assert not recwarn.list
    with pytest.raises(TypeError, match="content cannot be read"):
        checking([object()], ["b"])


def test_hashes_differ_between_files(used, tmp_path):
    found = []
    for name in "one", "two":
        oracle = CachedOracle(by_content, tmp_path / name, rows="warn")
        oracle(OLD[:1], ["a"])
        oracle.close()
        with sqlite3.connect(tmp_path / name) as connection:
            found += connection.execute("SELECT row_hash FROM answers").fetchall()
        connection.close()
    ((one,), (two,)) = found
    assert len(one) == len(two) == 32
    assert one != two


def test_answers_of_others_to_other_rows_are_noticed_while_it_waits(path):
    oracle = CachedOracle(by_content, path, rows="raise")
    store = LabelStore(path)
    store.claim("default", {'"b"': 1.0}, "other", 60)
    other = hash_each_row([[7]], store.salt())
    answer = ("default", {'"b"': 1}, "bert", {'"b"': other[0]})
    threading.Timer(0.1, store.record, answer).start()
    with pytest.raises(OracleError, match=r'1 rows differ in content .*: "b"'):
        oracle([[5], [8]], ["a", "b"])
    assert oracle.summary()["n_claimed"] == 0
    assert oracle.labels() == {"a": 1, "b": 1}


def test_rows_that_were_claimed_beside_other_rows_are_given_up(used, path, monkeypatch):
    asked = []
    oracle = CachedOracle(lambda X: asked.append(X), path, rows="raise")
    # As if somebody had answered after the first look into the file.
    monkeypatch.setattr(LabelStore, "answers", lambda store, task, keys: {})
    with pytest.raises(OracleError, match=r"1 rows differ in content .*: 0\."):
        oracle(NEW[:2], [0, "new"])
    assert asked == []
    assert oracle.summary()["n_claimed"] == 0
    assert oracle.summary()["n_asked"] == oracle.summary()["cost"] == 36


def test_an_iterator_writes_hashes_too(path):
    oracle = CachedOracle(lambda X: iter(by_content(X)), path, rows="raise")
    assert list(oracle(OLD[:2], ["a", "b"])) == [0, 1]
    with pytest.raises(OracleError, match=r'1 rows differ in content .*: "b"'):
        oracle(OLD[:1], ["b"])


@pytest.mark.parametrize(("rows", "warns"), [("ignore", False), ("warn", True)])
def test_a_search_over_a_pipeline_with_a_scaler_is_silent_at_the_default(
    path, recwarn, rows, warns
):
    X = np.random.default_rng(0).normal(size=(60, 2))
    y = np.where(np.arange(60) < 12, np.arange(60) % 2, -1)
    active = ActiveLearningClassifier(
        LogisticRegression(),
        oracle=CachedOracle(lambda X: (X[:, 0] > 0).astype(int), path, rows=rows),
        batch_size=8,
        budget=16,
        random_state=0,
    )
    search = GridSearchCV(
        make_pipeline(StandardScaler(), active),
        {"activelearningclassifier__strategy": ["margin", "random"]},
        cv=LabeledFold(3),
        scoring=labeled_scorer("accuracy"),
    )
    search.fit(X, y, activelearningclassifier__sample_ids=np.arange(60))
    messages = [str(w.message) for w in recwarn.list]
    assert any("rows differ in content" in text for text in messages) == warns


# Corrections, and asking again


def test_a_correction_replaces_the_label_and_keeps_both_in_the_audit(path):
    anna = CachedOracle(lambda X: [1, 0, 1, None], path, annotator="anna")
    anna(X, IDS)
    bert = CachedOracle(print, path, annotator="bert")
    assert bert.correct({"a": 0, "b": 0, "c": None, "new": 1}) == 2
    assert anna.labels() == {"a": 0, "b": 0, "new": 1}
    assert anna(X[:3], IDS[:3]) == [0, 0, None]
    names = "sample_id label annotator old_label old_annotator".split()
    found = [tuple(c[name] for name in names) for c in anna.corrections()]
    assert sorted(found, key=str) == [
        ("a", 0, "bert", 1, "anna"),
        ("c", None, "bert", 1, "anna"),
        ("new", 1, "bert", None, None),
    ]
    for correction in anna.corrections():
        old = correction["old_answered_at"]
        assert old is None or old <= correction["corrected_at"]
    kinds = [event["kind"] for event in anna.events()]
    assert kinds == ["correction"] * 3
    by = {r["sample_id"]: r["annotator"] for r in anna.records()}
    assert by == {"a": "bert", "b": "anna", "c": "bert", "d": "anna", "new": "bert"}


def test_a_correction_is_for_one_task(path):
    for task in "one", "two":
        CachedOracle(lambda X: [1], path, task=task)(X[:1], ["a"])
    CachedOracle(print, path, task="two").correct({"a": 0})
    assert CachedOracle(print, path, task="one").labels() == {"a": 1}
    assert CachedOracle(print, path, task="two").labels() == {"a": 0}
    assert CachedOracle(print, path, task="one").corrections() == []


@pytest.mark.parametrize("labels", [[("a", 1)], "a", None])
def test_corrections_that_are_not_a_mapping_are_refused(path, labels):
    with pytest.raises(TypeError, match="labels must be a mapping"):
        CachedOracle(print, path).correct(labels)


def test_a_correction_that_is_no_label_changes_nothing(path):
    oracle = CachedOracle(lambda X: [1], path)
    oracle(X[:1], ["a"])
    with pytest.raises(ValueError, match='The sample_id "b" has no label'):
        oracle.correct({"a": 0, "b": [1]})
    assert oracle.labels() == {"a": 1}


def test_labels_that_are_added_do_not_replace_and_say_what_does(path):
    oracle = CachedOracle(lambda X: [1], path)
    oracle(X[:1], ["a"])
    with pytest.warns(UserWarning, match=r"To replace it, call correct\(\)"):
        oracle.import_labels({"sample_id": ["a"], "label": [0]})
    assert oracle.labels() == {"a": 1}


def test_skipped_rows_are_asked_about_again_only_if_it_is_wanted(path):
    asked = []

    def ask(X, sample_ids):
        asked.append(list(sample_ids))
        return [None if len(asked) == 1 else 1] * len(X)

    oracle = CachedOracle(ask, path)
    oracle(X[:2], IDS[:2])
    oracle.import_labels({"sample_id": ["c"], "label": [0]})
    assert oracle(X[:2], IDS[:2]) == [None, None]
    assert oracle.ask_again(np.array(["a", "c", "never"])) == 1
    assert oracle(X[:3], IDS[:3]) == [1, None, 0]
    assert asked == [["a", "b"], ["a"]]
    assert [e["sample_id"] for e in oracle.events() if e["kind"] == "ask_again"] == [
        "a"
    ]


def test_ask_again_takes_a_list_of_ids(path):
    with pytest.raises(TypeError, match=r"got 'abc'; pass \['abc'\]"):
        CachedOracle(print, path).ask_again("abc")


# What costs none of the budget


def run_of(oracle, told):
    return oracle.for_run(RunFacts(parse=lambda a: a, uncharged=told.append))


def test_the_run_is_told_of_skips_that_it_did_not_buy(path):
    oracle = CachedOracle(lambda X: [None] * len(X), path)
    oracle.import_labels({"sample_id": ["c", 7], "label": [1, 0]})
    told = []
    run = run_of(oracle, told)
    assert run(X[:3], ["a", "b", "c"]) == [None, None, 1]
    assert told == []
    assert run(X, ["a", 8, "c", 7]) == [None, None, 1, 0]
    assert told == [["a"]]


def test_skips_that_an_iterator_buys_are_not_for_nothing(path):
    oracle = CachedOracle(lambda X: iter([None] * len(X)), path)
    told = []
    run = run_of(oracle, told)
    assert list(run(X[:1], ["a"])) == [None]
    assert list(run(X[:2], ["b", "a"])) == [None, None]
    assert told == [["a"]]


def test_a_skip_that_was_bought_before_an_iterator_was_given_up_costs(path):
    oracle = CachedOracle(lambda X: iter([None] * len(X)), path, claim_seconds=0.02)
    told = []
    answers = run_of(oracle, told)(X, IDS)
    assert next(answers) is None
    while oracle.summary()["n_claimed"]:
        time.sleep(0.01)
    assert list(answers) == [None] * 3
    assert told == []


# Requests and answers


def test_a_request_id_is_a_hash_of_the_task_and_the_row(path):
    given = []

    def ask(X, request_ids):
        given.extend(request_ids)
        return [0] * len(X)

    for task in "one", "two":
        CachedOracle(ask, path, task=task)(X[:2], ["a", 1])
    space = uuid.UUID("5b0f6b1e-6d0c-4c55-9a3f-0d7d2a6f1c42")
    names = ['["one", "\\"a\\""]', '["one", "1"]', '["two", "\\"a\\""]', '["two", "1"]']
    assert given == [str(uuid.uuid5(space, name)) for name in names]


def test_stop_labeling_comes_with_labels_up_to_the_first_gap(path):
    def stop(X):
        raise StopLabeling("enough", labels=[])

    oracle = CachedOracle(stop, path)
    oracle.import_labels({"sample_id": ["a", "c"], "label": [1, 0]})
    with pytest.raises(StopLabeling, match="enough") as caught:
        oracle(X, IDS)
    assert caught.value.labels == [1]


@pytest.mark.parametrize("kind", [list, np.array, tuple])
def test_ids_given_twice_are_refused_in_any_container(path, kind):
    oracle = CachedOracle(lambda X: pytest.fail("it was asked"), path)
    with pytest.raises(ValueError, match="one id for each of the 4 rows, all differ"):
        oracle(X, kind([1, 2, 2, 3]))
    with pytest.raises(ValueError, match="one id for each of the 4 rows"):
        oracle(X, kind([1, 2, 3]))
