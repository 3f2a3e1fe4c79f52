"""Sessions in rare cases: what a restart, a merge or a queue must not forget."""

import copy
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from threading import Barrier

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier, LabelingLoop, Session
from skactive._loop.result import current_attributes
from skactive.exceptions import OracleError, SavedLoopError, StoreBusyError
from skactive.oracles import CachedOracle

POINTS = np.random.default_rng(0).normal(size=(40, 2))
TRUTH = (POINTS[:, 0] > 0).astype(int)
GIVEN = [int(np.argmax(TRUTH == 0)), int(np.argmax(TRUTH == 1))]
IDS = np.array([f"row-{i}" for i in range(40)])


def make_clf(**params):
    defaults = {"batch_size": 3, "budget": 20, "random_state": 0}
    return ActiveLearningClassifier(LogisticRegression(), **defaults | params)


def inputs(y=None, **params):
    if y is None:
        y = np.full(40, -1)
        y[GIVEN] = TRUTH[GIVEN]
    return make_clf(**params), POINTS, y


def make_loop(path=None, *, cost=None, y=None, **params):
    return LabelingLoop(*inputs(y, **params), sample_ids=IDS, cost=cost, session=path)


def load(path):
    return LabelingLoop.load(path, *inputs(), sample_ids=IDS)


def begun(path=None, **params):
    loop = make_loop(path, **params)
    return loop, loop.ask().indices


def labels_of(loop):
    return current_attributes(loop._run)["transduction_"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


# The queue


@pytest.mark.parametrize("opened_again", [False, True])
def test_a_row_put_into_the_queue_before_its_round_is_closed_stays_there(
    path, opened_again
):
    loop, rows = begun(path)
    loop.tell([TRUTH[rows[0]]], indices=rows[:1])
    loop.ask_again(indices=rows[:1])
    loop.tell(TRUTH[rows[1:]], indices=rows[1:])
    if opened_again:
        loop = make_loop(path)
    query = loop.ask()
    assert query.indices.tolist() == rows[:1].tolist()
    loop.tell([None], query=query)
    assert rows[0] not in loop.ask().indices


def test_a_row_that_is_being_asked_about_cannot_be_asked_again():
    loop, rows = begun()
    with pytest.raises(ValueError, match="have no answer yet"):
        loop.ask_again(indices=rows[1:2])
    loop.tell([None] * 3, indices=rows)
    loop.ask_again(indices=rows[:1])
    query = loop.ask()
    loop.ask_again(indices=rows[:1])  # it has an answer, and is asked about already
    loop.tell([1], query=query)
    assert rows[0] not in loop.ask().indices


def test_a_row_put_into_the_queue_while_a_criterion_ends_the_run_is_asked_about():
    class Stop:
        def update(self, pool):
            if pool.round > 1 and not loop._run.queue:
                loop.ask_again(indices=rows[:1])  # as another thread may
                return "enough"
            return None

    loop, rows = begun(stopping=Stop())
    loop.tell(TRUTH[rows], indices=rows)
    assert loop.ask().indices.tolist() == rows[:1].tolist()


@pytest.mark.filterwarnings("ignore:The oracle abstained:UserWarning")
@pytest.mark.parametrize("by", ["session", "oracle"])
def test_a_stored_skip_is_no_answer_to_a_question_that_is_asked_again(path, by):
    asked = []

    def ask(X, sample_ids):
        asked.append(sample_ids.tolist())
        return [None] * len(X) if len(asked) == 1 else [1] * len(X)

    oracle = CachedOracle(ask, path)
    with closing(oracle), Session(path) as session:
        clf = make_clf(oracle=oracle, budget=3)
        clf.fit(*inputs()[1:], sample_ids=IDS, session=path)
        skipped = session.skipped()
        assert sorted(skipped) == sorted(asked[0])
        (session if by == "session" else oracle).ask_again(skipped)
        assert session.skipped() == []
        clf.set_params(budget=6).fit(*inputs()[1:], sample_ids=IDS, session=path)
        assert [sorted(names) for names in asked] == [sorted(skipped)] * 2
        assert session.labels() == dict.fromkeys(skipped, 1)


def test_a_skip_in_the_queue_can_be_corrected(path):
    loop, rows = begun(path)
    loop.tell([None] * 3, indices=rows)
    with Session(path) as session:
        names = session.skipped()
        session.ask_again(names)
        session.ask_again(names)
        session.correct({names[0]: 1})
        assert session.labels() == {names[0]: 1}


# Numbers after a restart


def test_labels_and_rounds_of_rows_asked_twice_are_the_same_after_a_restart(path):
    loop, rows = begun(path)
    loop.tell([None, *TRUTH[rows[1:]]], indices=rows)
    unasked = np.setdiff1d(np.arange(40), [*rows, *GIVEN])[:1]
    loop.tell([1], indices=unasked)
    assert current_attributes(loop._run)["n_unasked_"] == 1
    loop.ask_again(indices=[*rows[:2], *unasked])
    query = loop.ask()
    loop.tell([1, 1 - TRUTH[rows[1]], None], query=query)
    for now in (loop, make_loop(path)):
        found = current_attributes(now._run)
        assert found["labeled_iter_"][[*rows, *unasked]].tolist() == [1, 1, 1, 2]
        assert found["n_unasked_"] == 0


def test_the_cost_of_a_round_that_was_not_finished_is_kept(path):
    cost = np.arange(40) + 1.0
    loop, rows = begun(path, cost=cost)
    loop.tell([1], indices=rows[:1])
    second = make_loop(path, cost=cost)
    (record,) = second._run.rounds.history
    assert record["cost"] == record["total_cost"] == cost[rows[0]]
    second.tell([1], indices=rows[1:2])  # a late answer is paid for, too
    third = make_loop(path, cost=cost)
    for now in (second, third):
        assert now._run.rounds.total_cost == cost[rows[:2]].sum()
    with Session(path) as session:
        assert session.summary()["cost"] == cost[rows[:2]].sum()


@pytest.mark.filterwarnings("ignore:1 rows have another:UserWarning")
@pytest.mark.filterwarnings("ignore:The only class:UserWarning")
def test_the_old_label_of_a_correction_may_be_one_of_y(path):
    loop = make_loop(path)
    loop.correct([1], indices=GIVEN[:1])
    for now in (loop, make_loop(path)):
        (record,) = current_attributes(now._run)["corrections_"]
        assert (record["old"], record["new"]) == (0, 1)


def test_a_label_that_was_taken_back_does_not_come_back_with_y(path):
    loop, rows = begun(path)
    loop.tell(TRUTH[rows], indices=rows)
    y = labels_of(loop)
    loop.correct([None], indices=rows[:1])
    with pytest.warns(UserWarning, match="1 rows have another label in y"):
        again = make_loop(path, y=y)
    assert labels_of(again)[rows[0]] == -1
    assert rows[0] not in again.ask().indices


@pytest.mark.filterwarnings("ignore:Row:UserWarning")
def test_an_answer_that_contradicts_y_is_not_the_label_after_a_restart(path):
    loop = make_loop(path)
    loop.tell([1], indices=GIVEN[:1])
    for now in (loop, make_loop(path)):
        assert labels_of(now)[GIVEN[0]] == 0


@pytest.mark.filterwarnings("ignore:Row:UserWarning")
def test_a_skip_and_a_later_label_that_are_saved_at_once_are_a_label(path):
    loop, rows = begun()
    loop.tell([None] * 3, indices=rows)
    loop.tell([1], indices=rows[:1])
    loop.tell([0], indices=rows[:1])
    loop.save(path)
    with Session(path) as session:
        assert session.labels() == {IDS[rows[0]]: 1}
    assert labels_of(make_loop(path))[rows[0]] == 1


def test_a_correction_that_changes_nothing_is_none():
    loop, rows = begun()
    loop.tell([1, 0, None], indices=rows)
    loop.correct([1, 0, None], indices=rows)
    assert current_attributes(loop._run)["corrections_"] == []


# Several processes


@pytest.mark.filterwarnings("ignore:Row:UserWarning")
@pytest.mark.parametrize("theirs", ["told", "corrected", "taken back"])
def test_what_was_not_saved_yet_comes_after_what_others_have_saved(path, theirs):
    loop, rows = begun()
    loop.save(path)
    other = load(path)
    other.tell([0], indices=rows[:1])
    if theirs != "told":
        other.correct([None if theirs == "taken back" else 2], indices=rows[:1])
    other.save(path)
    loop.tell([1], indices=rows[:1])
    if theirs != "taken back":
        loop.correct([3], indices=rows[:1])
    loop.save(path)
    expected = 1 if theirs == "taken back" else 3
    for now in (loop, load(path), make_loop(path)):
        assert labels_of(now)[rows[0]] == expected


def test_a_late_answer_of_another_process_counts_as_queried(path):
    loop, rows = begun(path)
    loop.tell([1], indices=rows[:1])
    one = make_loop(path, batch_size=1)
    asked = one.ask()
    (late,) = np.setdiff1d(rows[1:], asked.indices)
    other = copy.deepcopy(one)
    other.tell([0], indices=[late])
    one.tell([0], query=asked)
    for now in (one, make_loop(path)):
        found = current_attributes(now._run)
        assert found["n_queries_"] == 3
        assert found["labeled_iter_"][late] == 1


def test_a_run_that_cannot_go_on_does_not_close_the_round_of_another(path):
    first, mine = begun(path)
    second = make_loop(path, strategy="random", random_state=1, batch_size=2)
    second._run.left_over.clear()  # ask about others
    theirs = second.ask().indices
    for row in mine.tolist():
        with pytest.raises(SavedLoopError, match="was continued in another process"):
            first.tell([1], indices=[row])
    second.tell([0] * len(theirs), indices=theirs)
    with Session(path) as session:
        (record,) = session.history()
        labels = session.labels()
    assert record["n_queried"] == len(theirs)
    assert {*IDS[mine], *IDS[theirs]} == labels.keys()


def test_an_error_while_the_answers_of_such_a_run_are_written_loses_nothing(
    path, monkeypatch
):
    first, mine = begun(path)
    second = make_loop(path)
    second.ask()
    store = first._run.journal.session.store
    extend, calls = store.extend_log, []

    def busy(*args):
        calls.append(args)
        if len(calls) == 2:  # when the answers are written without the rounds
            raise StoreBusyError("busy")
        return extend(*args)

    monkeypatch.setattr(store, "extend_log", busy)
    with pytest.raises(StoreBusyError):
        first.tell([1, 1, 1], indices=mine)
    with pytest.raises(SavedLoopError, match="was continued in another process"):
        first.ask()
    with Session(path) as session:
        assert session.labels() == dict.fromkeys(IDS[mine].tolist(), 1)
        kinds = [entry["kind"] for entry in session.entries()]
    assert kinds.count("closed") == 0


def test_a_row_that_was_handed_out_before_is_asked_about_after_a_refused_answer(path):
    _, rows = begun(path)
    loop = make_loop(path)
    with pytest.raises(OracleError):
        loop.tell([[]], indices=rows[:1])
    assert loop.ask().indices.tolist() == rows.tolist()


def test_a_round_that_could_not_be_written_is_not_handed_out(path, monkeypatch):
    loop = make_loop(path)
    store = loop._run.journal.session.store
    extend, calls = store.extend_log, []

    def busy(*args):
        calls.append(args)
        if 1 < len(calls) < 4:
            raise StoreBusyError("busy")
        return extend(*args)

    monkeypatch.setattr(store, "extend_log", busy)
    for _ in range(2):
        with pytest.raises(StoreBusyError):
            loop.ask()
    rows = loop.ask().indices
    assert make_loop(path).ask().indices.tolist() == rows.tolist()


def test_threads_may_save_to_a_new_file_at_once(path):
    loop, rows = begun()
    barrier = Barrier(4)

    def save():
        barrier.wait()
        loop.save(path)

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(save) for _ in range(4)]:
            done.result()
    assert load(path).ask().indices.tolist() == rows.tolist()


def test_corrections_are_in_the_order_of_the_file(path):
    loop, rows = begun(path)
    loop.tell([0, 0, 0], indices=rows)
    with Session(path) as session:
        session.correct({IDS[rows[0]]: 1})
    loop.correct([1], indices=rows[1:2])
    for now in (loop, make_loop(path)):
        records = current_attributes(now._run)["corrections_"]
        assert [record["row"] for record in records] == rows[:2].tolist()


def test_a_row_told_while_it_was_selected_is_queried_after_a_restart(path):
    class Told(BaseEstimator):
        def select(self, pool, n_queries):
            row = pool.candidates[0]
            if not loop._run.ledger.settled[row]:
                loop.tell([1], indices=[row])  # as another thread may
            return pool.candidates[:n_queries]

    loop = make_loop(path, strategy=Told())
    loop.ask()
    for now in (loop, make_loop(path)):
        found = current_attributes(now._run)
        assert (found["n_queries_"], found["n_unasked_"]) == (1, 0)


@pytest.mark.filterwarnings("ignore:Row 8:UserWarning")
def test_only_a_pending_answer_gives_way_to_the_first_one_in_the_file(path):
    loop, rows = begun()
    loop.save(path)
    one, two = load(path), load(path)
    one.tell([1], indices=rows[:1])
    two.tell([0], indices=rows[:1])
    one.save(path)
    with pytest.warns(UserWarning, match="the answer 0 was ignored"):
        two.save(path)
    loop.save(path)
    for now in (loop, one, two, load(path), make_loop(path)):
        assert labels_of(now)[rows[0]] == 1


def test_the_queue_is_in_the_order_of_the_file(path):
    loop, rows = begun()
    loop.tell([None] * 3, indices=rows)
    loop.save(path)
    other = load(path)
    other.ask_again(indices=rows[1:])
    other.save(path)
    loop.ask_again(indices=rows[:1])
    loop.save(path)
    for now in (loop, load(path), make_loop(path)):
        assert now._run.queue == [*rows[1:], rows[0]]


def test_a_round_that_others_have_answered_is_closed_behind_its_beginning(path):
    loop = make_loop()
    loop.save(path)
    other = load(path)
    rows = loop.ask().indices  # not saved yet
    other.tell([1, 1, 1], indices=rows)
    other.save(path)
    loop.save(path)
    with Session(path) as session:
        kinds = [entry["kind"] for entry in session.entries()]
    assert kinds == ["begin", "told", "round", "closed"]
    for now in (loop, load(path), make_loop(path)):
        assert current_attributes(now._run)["n_queries_"] == 3


def test_rows_put_into_the_queue_while_others_are_selected_come_next(path):
    class Late(BaseEstimator):
        def update(self, pool):
            if pool.round == 2 and not loop._run.queue:
                loop.ask_again(indices=rows[:1])  # as another thread may

    loop = make_loop(stopping=Late())
    rows = loop.ask().indices
    loop.tell(TRUTH[rows], indices=rows)
    query = loop.ask()
    assert rows[0] not in query.indices
    loop.tell(TRUTH[query.indices], query=query)
    assert loop.ask().indices.tolist() == rows[:1].tolist()
    loop.save(path)
    clf, X, y = inputs(stopping=Late())
    again = LabelingLoop.load(path, clf, X, y, sample_ids=IDS)
    assert again.ask().indices.tolist() == rows[:1].tolist()
