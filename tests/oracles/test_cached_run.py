"""One run of a CachedOracle: what it asks, writes, refuses and warns of."""

import json
import time

import numpy as np
import pandas as pd
import pytest

from skactive.exceptions import OracleError, StopLabeling, StoreError
from skactive.oracles import CachedOracle, RunFacts
from skactive.oracles._cached_run import _shown_keys, user_name
from skactive.oracles._store.store import LabelStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


@pytest.fixture
def store(path):
    """The file, as another process has it."""
    store = LabelStore(path)
    yield store
    store.close()


def parse(answer):
    if answer not in (0, 1, None):
        raise ValueError(f"{answer!r} is not a class")
    return answer


def run_of(oracle, **facts):
    return oracle.for_run(RunFacts(parse=parse, **facts))


def ask(run, ids, **given):
    """Ask about rows with other contents for each id."""
    return run(np.array([[ord(i[0])] for i in ids], dtype=float), list(ids), **given)


def record(store, **labels):
    keys = {json.dumps(name): label for name, label in labels.items()}
    return store.record("default", keys, "bert")


def forbidden(X):
    pytest.fail("it was asked")


def account(oracle):
    return [oracle.summary()[name] for name in ("n_calls", "n_asked", "cost")]


# What is in the file before


def test_five_answers_that_are_no_labels_are_shown(path, store):
    record(store, **{f"r{n}": n for n in range(2, 9)}, a=0)
    with pytest.raises(OracleError, match="answers to the task 'default'") as caught:
        run_of(CachedOracle(forbidden, path))
    message = str(caught.value)
    assert str(path) in message
    assert message.count("is not a class: the sample_ids") == 5
    assert sorted(caught.value.answers) == list(range(2, 9))
    assert '3 is not a class: the sample_ids "r3"' in message


def test_of_the_rows_with_such_an_answer_five_are_shown(path, store):
    record(store, **dict.fromkeys("abcdef", 7))
    with pytest.raises(OracleError, match=r"7 is not a class: .* and 1 more\. "):
        run_of(CachedOracle(forbidden, path))
    assert _shown_keys(["1", "2", "3", "4", "5"]) == "1, 2, 3, 4, 5"
    assert _shown_keys(list("123456")) == "1, 2, 3, 4, 5 and 1 more"


def test_an_answer_that_is_no_label_is_refused_later_too(path, store):
    run = run_of(CachedOracle(forbidden, path))
    record(store, a=9)
    with pytest.raises(OracleError, match="not labels here: 9 is not a class"):
        ask(run, "a")


def test_other_labels_in_y_are_warned_of(path, store):
    record(store, a=1, b=None, c=0, d=1)
    oracle = CachedOracle(forbidden, path)
    with pytest.warns(UserWarning, match="^1 rows have another label in y") as caught:
        run_of(oracle, given=(["a", "b", "c", "x"], [0, 1, 0, 1]))
    (message,) = [str(warning.message) for warning in caught]
    assert str(path) in message
    assert message.endswith('that of y is used. sample_ids: "a" (0, stored 1).')


def test_the_same_labels_in_y_are_not_warned_of(path, store, recwarn):
    record(store, a=1, b=None, c=0)
    run_of(CachedOracle(forbidden, path), given=(["a", "b", "x"], [1, 0, 0]))
    assert not recwarn.list


def test_of_many_other_labels_in_y_five_are_shown(path, store):
    record(store, **dict.fromkeys("abcdef", 1))
    with pytest.warns(UserWarning, match="^6 rows") as caught:
        run_of(CachedOracle(forbidden, path), given=(list("abcdef"), [0] * 6))
    assert str(caught[0].message).count("stored 1") == 5


# What is asked


def test_only_rows_without_an_answer_are_asked_about(path, store):
    asked = []

    def inner(X, sample_ids, classes, proba):
        asked.append((X[:, 0].tolist(), sample_ids.tolist(), classes, proba.tolist()))
        return [0] * len(X)

    record(store, b=1)
    proba = [[0.1], [0.2], [0.3]]
    run = run_of(CachedOracle(inner, path))
    assert ask(run, "abc", classes=[0, 1], proba=proba) == [0, 1, 0]
    assert asked == [([97.0, 99.0], ["a", "c"], [0, 1], [[0.1], [0.3]])]
    assert ask(run, "cba") == [0, 1, 0]
    assert len(asked) == 1


def test_what_is_asked_about_is_paid_for_with_the_name_of_the_user(path):
    oracle = CachedOracle(lambda X: [0, 1], path)
    ask(run_of(oracle, prices={"a": 0.5, "b": 2.0}), "ab")
    assert account(oracle) == [1, 2, 2.5]
    ask(run_of(CachedOracle(lambda X: [0, 1], path, annotator="ann")), "cd")
    assert account(oracle) == [2, 4, 4.5]
    assert [record["annotator"] for record in oracle.records()] == [
        user_name(), user_name(), "ann", "ann"
    ]  # fmt: skip


def test_answers_may_come_in_the_order_of_their_ids(path):
    run = run_of(CachedOracle(lambda X: pd.Series([0, 1], index=["b", "a"]), path))
    assert ask(run, "ab") == [1, 0]


@pytest.mark.parametrize("one_by_one", [True, False])
def test_rows_to_be_checked_are_asked_about_though_they_have_an_answer(
    path, store, one_by_one, recwarn
):
    record(store, a=1, b=0)
    oracle = CachedOracle(lambda X: iter([0, 0]) if one_by_one else [0, 0], path)
    run = run_of(oracle, asks_again=lambda: True)
    assert list(ask(run, "ab")) == [0, 0]
    assert store.answers_of("default") == {'"a"': 1, '"b"': 0}
    assert [event["kind"] for event in store.events()] == ["contradiction"]
    assert not recwarn.list
    again = run_of(CachedOracle(forbidden, path), asks_again=lambda: False)
    assert ask(again, "ab") == [1, 0]


# What may be spent


def test_a_limit_ends_the_run_with_what_is_known_of_the_first_rows(path, store):
    record(store, a=1, c=0)
    run = run_of(CachedOracle(forbidden, path, max_calls=0))
    match = "pays for no more answers: max_calls=0 is reached"
    with pytest.warns(UserWarning, match=match) as warned:
        with pytest.raises(StopLabeling, match=match) as caught:
            ask(run, "abc")
    assert str(path) in str(caught.value)
    assert str(warned[0].message) == str(caught.value)
    assert caught.value.labels == [1]


@pytest.mark.parametrize("one_by_one", [True, False])
def test_the_rows_that_the_money_is_enough_for_are_asked_about(path, one_by_one):
    asked = []

    def inner(X, sample_ids):
        asked.append(sample_ids.tolist())
        answers = [1] * len(X)
        return iter(answers) if one_by_one else answers

    oracle = CachedOracle(inner, path, max_cost=2)
    with pytest.warns(UserWarning, match="max_cost=2 is reached"):
        with pytest.raises(StopLabeling) as caught:
            ask(run_of(oracle), "abc")
    assert asked == [["a", "b"]]
    assert caught.value.labels == [1, 1]
    assert oracle.labels() == {"a": 1, "b": 1}


# Answers


def test_answers_that_are_no_labels_are_named_and_the_others_stored(path):
    run = run_of(oracle := CachedOracle(lambda X: [0, 7, 1, *range(2, 7)], path))
    with pytest.raises(OracleError, match=r"^6 of 8 answers are not valid") as caught:
        ask(run, "abcdefgh")
    message = str(caught.value)
    assert 'sample_id "b": 7 is not a class; sample_id "d": 2 is' in message
    assert message.count("is not a class") == 5
    assert message.endswith("The others are stored.")
    assert caught.value.answers == [7, *range(2, 7)]
    assert oracle.labels() == {"a": 0, "c": 1}


def test_another_number_of_answers_is_refused(path):
    oracle = CachedOracle(lambda X: [0], path)
    with pytest.raises(OracleError, match="2"):
        ask(run_of(oracle), "ab")
    assert oracle.labels() == {}
    assert oracle.summary()["breaker"] is not None
    assert oracle.summary()["n_claimed"] == 0


@pytest.mark.parametrize(("n_given", "match"), [
    (1, r"ended too early: expected 2 labels, got 1\. These are stored"),
    (3, r"went on after the 2 labels"),
])  # fmt: skip
def test_an_iterator_of_another_length_is_refused(path, n_given, match):
    oracle = CachedOracle(lambda X: iter([1] * n_given), path)
    with pytest.raises(OracleError, match=match):
        list(ask(run_of(oracle), "ab"))
    assert len(oracle.labels()) == min(n_given, 2)
    assert oracle.summary()["n_claimed"] == 0


def test_the_first_answer_of_others_stays(path, store):
    def inner(X):
        record(store, a=1, b=0)
        return [0, 0]

    run = run_of(oracle := CachedOracle(inner, path))
    match = '"a" has the label 1 in the label store already; the answer 0 was ignored'
    with pytest.warns(UserWarning, match=match) as caught:
        assert ask(run, "ab") == [1, 0]
    assert len(caught) == 1
    assert oracle.labels() == {"a": 1, "b": 0}


@pytest.mark.parametrize("in_list", [True, False])
def test_answers_that_cannot_be_written_come_with_the_error(path, in_list):
    def inner(X):
        oracle.close()
        return [1, 0] if in_list else iter([1, 0])

    oracle = CachedOracle(inner, path)
    with pytest.warns(UserWarning, match="A claim could not be given up.*closed"):
        with pytest.raises(StoreError, match="closed") as caught:
            list(ask(run_of(oracle), "ab"))
    assert caught.value.answers == {"a": 1, "b": 0} if in_list else {"a": 1}
    assert any("paid for and not written" in note for note in caught.value.__notes__)


# Iterators


def test_an_iterator_is_closed_at_once(path):
    kept, closed = [], []

    def one_by_one(X):
        try:
            yield from [1, 0]
        finally:
            closed.append(len(X))

    def inner(X):
        kept.append(one_by_one(X))  # so that it is not closed when it is dropped
        return kept[-1]

    answers = ask(run_of(CachedOracle(inner, path)), "ab")
    assert next(answers) == 1
    assert closed == []
    answers.close()
    assert closed == [2]


def test_an_iterator_is_written_row_by_row_in_the_order_of_the_rows(path, store):
    record(store, b=0)
    oracle = CachedOracle(lambda X: iter([1, 1]), path)
    answers = ask(run_of(oracle), "abc")
    for n_known in (2, 2, 3):
        next(answers)
        assert len(oracle.labels()) == n_known
    with pytest.raises(StopIteration):
        next(answers)
    assert oracle.summary()["n_claimed"] == 0


def test_answers_of_others_are_waited_for_though_an_iterator_has_its_own(path, store):
    claim = store.claim("default", {'"b"': 1.0}, "bert", 60)

    def inner(X, sample_ids):
        for name in sample_ids:
            if name == "c":
                record(store, b=1)
            yield 0

    oracle = CachedOracle(inner, path)
    assert ask(run_of(oracle), "abc") == [0, 1, 0]
    assert oracle.labels() == {"a": 0, "b": 1, "c": 0}
    store.release(claim)


def test_an_iterator_that_was_given_up_goes_on_behind_the_rows_it_gave(path):
    asked = []

    def inner(X):
        asked.append(X[:, 0].tolist())
        return iter([0] * len(X))

    oracle = CachedOracle(inner, path, claim_seconds=0.02)
    answers = ask(run_of(oracle), "abcd")
    assert [next(answers), next(answers)] == [0, 0]
    while oracle.summary()["n_claimed"]:
        time.sleep(0.01)
    assert list(answers) == [0, 0]
    assert asked == [[97, 98, 99, 100], [99, 100]]


def test_an_iterator_that_is_kept_and_not_begun_is_given_up_and_costs_nothing(path):
    oracle = CachedOracle(lambda X: iter([0] * len(X)), path, claim_seconds=0.02)
    answers = ask(run_of(oracle), "abcd")
    for _ in range(500):
        if not oracle.summary()["n_claimed"]:
            break
        time.sleep(0.01)
    assert account(oracle) == [1, 0, 0.0]
    answers.close()


# StopLabeling


def test_labels_that_come_with_stop_labeling_are_stored(path):
    def inner(X):
        raise StopLabeling("enough", labels=[1, None])

    run = run_of(oracle := CachedOracle(inner, path))
    with pytest.raises(StopLabeling, match="enough") as caught:
        ask(run, "abc")
    assert caught.value.labels == [1, None]
    assert oracle.labels() == {"a": 1}
    assert account(oracle) == [1, 2, 2.0]
    assert oracle.summary()["breaker"] is None


def test_stop_labeling_of_an_iterator_keeps_what_it_gave(path):
    def inner(X):
        yield 1
        raise StopLabeling("enough", labels=[0, 0])

    run = run_of(oracle := CachedOracle(inner, path))
    with pytest.raises(StopLabeling, match="enough") as caught:
        list(ask(run, "abc"))
    assert caught.value.labels == [1, 0]
    assert oracle.labels() == {"a": 1, "b": 0}
    assert oracle.events() == []


def test_more_labels_than_rows_are_refused(path):
    def inner(X):
        raise StopLabeling(labels=[1, 0, 1])

    run = run_of(oracle := CachedOracle(inner, path))
    with pytest.raises(OracleError, match="3 labels for a batch of 2 rows"):
        ask(run, "ab")
    assert oracle.labels() == {}


# Failures


def test_a_failure_opens_the_breaker_and_an_error_of_the_file_does_not(path):
    def inner(X):
        raise ConnectionError("no line")

    run = run_of(oracle := CachedOracle(inner, path))
    with pytest.raises(OracleError, match="ConnectionError: no line"):
        ask(run, "ab")
    assert "no line" in oracle.summary()["breaker"]
    assert oracle.summary()["n_claimed"] == 0
    oracle.reset()

    def nowhere(X):
        raise StoreError("another file")

    with pytest.raises(StoreError, match="another file"):
        ask(run_of(CachedOracle(nowhere, path)), "cd")
    assert oracle.summary()["breaker"] is None
    assert oracle.summary()["n_claimed"] == 0


def test_an_error_without_a_text_is_named_by_its_type(path, monkeypatch):
    def fails(*args):
        raise LookupError

    oracle = CachedOracle(lambda X: [1], path)
    run = run_of(oracle)
    monkeypatch.setattr(LabelStore, "record", fails)
    with pytest.raises(LookupError):
        ask(run, "a")
    assert oracle.summary()["breaker"] == "LookupError"
