"""A journal: what a run writes to a file, and what it takes in from others there."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier, Session
from skactive._loop.fingerprint import versions
from skactive._loop.inputs import check_inputs
from skactive._loop.journal import Journal
from skactive._loop.opening import begin_run
from skactive._loop.run import Run
from skactive.exceptions import SavedLoopError

X = np.linspace(0, 1, 12).reshape(-1, 1)
Y = np.where(np.arange(12) % 11 == 0, X[:, 0] > 0.5, -1)
IDS = np.array([f"r{row}" for row in range(12)])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


@pytest.fixture
def session(path):
    with Session(path, annotator="ann") as session:
        yield session


@pytest.fixture
def other(path, session):
    """The same file, as another process has it."""
    with Session(path, annotator="bob") as other:
        yield other


def a_run(sample_ids=IDS, **params):
    defaults = {"batch_size": 2, "budget": 8, "random_state": 3}
    clf = ActiveLearningClassifier(LogisticRegression(), **defaults | params)
    return Run(
        check_inputs(
            clf, X, Y, sample_ids=sample_ids, cost=None, fit_params={}, has_oracle=True
        )
    )


def a_run_in(session, *, whole=False, **params):
    run = a_run(**params)
    run.journal = Journal(session, run, whole=whole)
    return run


def told(rows, labels, **more):
    names = IDS[rows].tolist()
    return {"kind": "told", "rows": names, "labels": labels, "free": []} | more


def append(session, *entries):
    """Append entries without looking at those of others."""
    n_known = len(session.entries())
    assert session.store.extend_log(session.task, n_known, list(entries)) == []


def kinds(session):
    return [entry["kind"] for entry in session.entries()]


# What is written


def test_entries_are_written_once_with_ids_and_who_answers(session):
    run = a_run_in(session)
    rows = run.ask().indices
    run.tell([0], rows[:1])
    run.tell([None], rows[1:], by="eve")
    begin, opened, first, second, closed = session.entries()
    assert (begin["kind"], begin["by"], opened["by"]) == ("begin", "ann", "ann")
    assert ["seed" in entry for entry in session.entries()] == [True, *[False] * 4]
    names = IDS[rows].tolist()
    assert opened["rows"] == closed["rows"] == names
    assert (first["rows"], first["labels"], first["by"]) == (names[:1], [0], "ann")
    assert (second["rows"], second["labels"], second["by"]) == (
        names[1:], [None], "eve"
    )  # fmt: skip
    assert session.labels() == {names[0]: 0}
    assert session.skipped() == names[1:]
    assert [record["annotator"] for record in session.records()] == ["ann", "eve"]


def test_a_session_says_how_a_run_begins_but_not_with_what_rows(session):
    run = a_run_in(session)
    run.commit()
    (begin,) = session.entries()
    assert (begin["has_ids"], begin["session"], begin["sample"]) == (True, True, None)
    assert begin["seed"] == run.inputs.seed
    assert begin["made_with"] == versions()
    assert "made_of" not in begin


def test_rows_that_are_new_in_the_test_sample_are_said(session):
    run = a_run_in(session, holdout_fraction=0.5)
    run.commit()
    (begin,) = session.entries()
    assert len(run.holdout.rows) == 4
    expected = {"seed": run.holdout.seed, "rows": IDS[run.holdout.rows].tolist()}
    assert begin["sample"] == expected


def test_a_saved_loop_says_what_it_is_made_of(session):
    run = a_run_in(session, whole=True)
    run.commit()
    (begin,) = session.entries()
    assert begin["session"] is False
    assert begin["made_of"] == run.inputs.fingerprint
    assert "sample" not in begin


def test_rows_without_ids_have_numbers_and_no_answers(session):
    run = a_run_in(session, whole=True, sample_ids=None)
    rows = run.ask().indices
    run.tell([0], rows[:1])
    begin, opened, answered = session.entries()
    assert begin["has_ids"] is False
    assert opened["rows"] == rows.tolist()
    assert answered["rows"] == rows[:1].tolist()
    assert session.labels() == {}
    append(session, told(rows[1:], [1]) | {"rows": rows[1:].tolist()})
    run.ask_again([0])
    assert run.ledger.label(rows[1]) == 1


def test_a_journal_knows_its_file_while_it_is_there(session, path, tmp_path):
    journal = Journal(session, a_run())
    link = tmp_path / "link"
    link.symlink_to(path)
    assert journal.is_at(path)
    assert journal.is_at(str(link))
    assert not journal.is_at(tmp_path / "other")
    path.unlink()
    assert not journal.is_at(path)


def test_a_journal_is_behind_until_it_has_written(session):
    run = a_run_in(session)
    assert run.journal.is_behind(run)
    run.commit()
    assert not run.journal.is_behind(run)
    run.log.note("stop", condition="oracle")
    assert run.journal.is_behind(run)


# Answers in the file


def test_an_answer_replaces_a_skip_and_a_skip_replaces_nothing(session):
    run = a_run_in(session)
    names = IDS[:12].tolist()
    keys = [f'"{name}"' for name in names]
    session.store.record("default", {keys[4]: None, keys[5]: None, keys[6]: 1}, "cat")
    run.tell([1, None, None, 0], np.array([4, 5, 6, 7]))
    assert session.labels() == {"r4": 1, "r6": 1, "r7": 0}
    assert session.skipped() == ["r5"]
    (correction,) = session.corrections()
    assert (correction["sample_id"], correction["annotator"]) == ("r4", "ann")
    annotators = {r["sample_id"]: r["annotator"] for r in session.records()}
    assert annotators == {"r4": "ann", "r5": "cat", "r6": "cat", "r7": "ann"}


def test_an_answer_after_a_skip_that_is_not_written_yet_replaces_it(session):
    run = a_run_in(session)
    journal, run.journal = run.journal, None
    run.tell([None], np.array([4]), by="eve")
    run.tell([1], np.array([4]))
    journal.write(run)
    assert session.labels() == {"r4": 1}
    assert [r["old_annotator"] for r in session.corrections()] == ["eve"]


def test_a_correction_replaces_and_a_contradiction_does_not(session):
    run = a_run_in(session)
    run.tell([1, 1], np.array([4, 5]))
    run.correct([0], np.array([4]), by="boss")
    with pytest.warns(UserWarning, match="has the label 1 already"):
        run.tell([0], np.array([5]))
    with pytest.warns(UserWarning, match="has the label 0 already"):
        run.tell([1], np.array([0]))  # its label is in y, and not in the file
    assert session.labels() == {"r4": 0, "r5": 1}
    events = [(e["kind"], e["sample_id"]) for e in session.store.events()]
    assert events == [("correction", "r4"), ("contradiction", "r5")]


# Others in the same file


def test_answers_of_others_are_taken_in(session, other):
    run = a_run_in(session, batch_size=4)
    rows = run.ask().indices
    append(other, told(rows[:1], [1], by="bob"))
    append(other, {"kind": "correction", "rows": ["r0"], "labels": [1], "old": [0],
                   "by": "bob", "at": 5.0})  # fmt: skip
    append(other, {"kind": "again", "rows": ["r11"]})
    run.tell([0], rows[1:2])
    assert run.ledger.labels(rows[:2]).tolist() == [1, 0]
    assert run.ledger.label(0) == 1
    assert run.queue == [11]
    assert run.rounds.open.rows_left.tolist() == rows[2:].tolist()
    expected = ["begin", "round", "told", "correction", "again", "told"]
    assert kinds(session) == expected
    assert [entry["kind"] for entry in run.log.entries] == expected
    append(other, told(rows[2:3], [1], by="bob"))
    run.tell([0], rows[3:])
    assert kinds(session) == [*expected, "told", "told", "closed"]


def test_answers_for_rows_that_a_run_does_not_have_are_passed_over(session, other):
    run = a_run_in(session)
    rows = run.ask().indices
    append(other, told([4], [1]) | {"rows": ["r99"]})
    run.tell([0], rows[:1])
    assert run.log.entries[2]["rows"] == []


def test_answers_that_came_before_a_run_has_begun_are_not_in_its_log(session, other):
    append(other, {"kind": "again", "rows": ["r3"]})
    run = a_run()
    run.journal = Journal(session, run, n_before=1, whole=False)
    append(other, told([4], [1]))
    run.commit()
    assert run.ledger.label(4) == 1
    assert run.queue == []
    assert [entry["kind"] for entry in run.log.entries] == ["begin"]
    assert kinds(session) == ["again", "told", "begin"]
    append(other, told([5], [1]))
    run.tell([0], np.array([6]))
    assert [entry["kind"] for entry in run.log.entries] == ["begin", "told", "told"]
    assert kinds(session)[3:] == ["told", "told"]


def test_a_run_whose_entries_are_in_the_file_goes_on_behind_them(session):
    first = a_run_in(session)
    first.ask()
    run = a_run()
    run.ask()
    run.journal = Journal(session, run, n_written=2, whole=False)
    run.commit()
    run.stop("oracle")
    assert kinds(session) == ["begin", "round", "closed", "stop"]


def test_a_file_with_another_loop_is_left_as_it_is(session, other):
    append(other, {"kind": "stop", "condition": "oracle"})
    run = a_run()
    rows = run.ask().indices
    run.tell([1], rows[:1])
    run.journal = Journal(session, run)
    with pytest.raises(SavedLoopError, match="holds another loop") as caught:
        run.commit()
    assert str(session.path) in str(caught.value)
    assert caught.value.indices.tolist() == rows[:1].tolist()
    assert kinds(session) == ["stop"]


@pytest.mark.parametrize("kind", ["begin", "round", "end", "stop"])
def test_a_run_that_others_have_gone_on_with_adds_its_answers_only(
    session, other, kind
):
    run = a_run_in(session)
    rows = run.ask().indices
    n_known = len(session.entries())
    other.store.extend_log("default", n_known, [{"kind": kind}])
    match = "was continued in another process"
    for labels, of in ([[1], rows[:1]], [[None], rows[1:]]):
        with pytest.raises(SavedLoopError, match=match) as caught:
            run.tell(labels, of, by="eve")
    assert caught.value.indices.tolist() == rows[:1].tolist()
    assert caught.value.labels.tolist() == [1]
    assert kind not in [entry["kind"] for entry in run.log.entries[2:]]
    with pytest.raises(SavedLoopError, match=match):
        run.correct([0], rows[:1])
    other.store.extend_log("default", n_known + 4, [{"kind": "stop"}])
    with pytest.raises(SavedLoopError, match=match):
        run.ask_again([0])
    found = [entry["kind"] for _, entry in session.store.log("default")]
    assert found[n_known:] == [kind, "told", "told", "correction", "stop", "again"]
    assert session.labels() == {IDS[rows[0]]: 0}
    assert session.skipped() == [IDS[rows[1]]]


@pytest.mark.parametrize("labels", [[], [1]])
def test_a_round_that_has_seen_answers_not_written_yet_comes_after_no_others(
    session, other, labels
):
    run = a_run_in(session)
    run.commit()
    journal, run.journal = run.journal, None
    run.tell(labels, np.array([3, 4])[: len(labels)])
    choose = run._selector.choose

    def choose_late(run):
        run.journal = journal
        append(other, told([5], [1]))
        return choose(run)

    run._selector.choose = choose_late
    if labels:
        with pytest.raises(SavedLoopError, match="was continued"):
            run.begin_round()
        assert kinds(session) == ["begin", "told", "told"]
    else:
        run.begin_round()
        assert kinds(session) == ["begin", "told", "round"]


# How a run begins


def test_a_run_that_begins_in_a_session_goes_on_with_it(session):
    given = {"sample_ids": IDS, "cost": None, "fit_params": {}, "has_oracle": True}
    clf = ActiveLearningClassifier(LogisticRegression(), batch_size=2, budget=8)
    first = begin_run(clf, X, Y, session=session, **given)
    assert first.log.who == "ann"
    assert first.journal.session is session
    rows = first.ask().indices
    first.tell([1, 0], rows)
    second = begin_run(clf, X, Y, session=str(session.path), **given)
    assert second.ledger.labels(rows).tolist() == [1, 0]
    assert second.rounds.budget_left == 6
    second.ask()
    assert kinds(session)[4:] == ["begin", "round"]
    assert [entry["kind"] for entry in second.log.entries] == ["begin", "round"]
    assert session.entries()[4]["session"] is True
    second.journal.session.close()
    without = begin_run(clf, X, Y, **given)
    assert (without.journal, without.log.who) == (None, None)


def test_a_class_in_a_session_that_is_spelt_otherwise_is_warned_about(session):
    y = np.array(["cat", *[None] * 10, "dog"], dtype=object)
    session.store.record("default", {'"r4"': "Dog"}, "bob")
    clf = ActiveLearningClassifier(LogisticRegression(), missing_label=None)
    given = {"sample_ids": IDS, "cost": None, "fit_params": {}, "has_oracle": True}
    with pytest.warns(UserWarning, match="differs from the class 'dog'"):
        begin_run(clf, X, y, session=session, **given)
