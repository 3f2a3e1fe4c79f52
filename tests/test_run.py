"""A run, driven by hand: its rounds, its log, and what counts as queried."""

import pickle
import time
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_array
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive._loop.inputs import check_inputs
from skactive._loop.labeling_loop import _without_answer
from skactive._loop.log import Log
from skactive._loop.past import Past
from skactive._loop.repeating import repeat, take_in
from skactive._loop.round import End, Round
from skactive._loop.rounds import Rounds
from skactive._loop.run import Run
from skactive.acquisition import BaseStrategy, Selection
from skactive.exceptions import OracleError, SavedLoopError, StoreError

X = np.linspace(0, 1, 12).reshape(-1, 1)
TRUTH = (X[:, 0] > 0.5).astype(int)
Y = np.where(np.arange(12) % 11 == 0, TRUTH, -1)
IDS = [100 + row for row in range(12)]


def a_run(past=None, *, X=X, y=Y, cost=None, sample_ids=IDS, **params):
    defaults = {"batch_size": 4, "budget": 8, "random_state": 0}
    clf = ActiveLearningClassifier(LogisticRegression(), **defaults | params)
    session = {} if past is None else {"read_past": lambda row_of_id: past}
    inputs = check_inputs(
        clf,
        X,
        y,
        sample_ids=sample_ids,
        cost=cost,
        fit_params={},
        has_oracle=True,
        **session,
    )
    return Run(inputs)


def kinds(run):
    return [entry["kind"] for entry in run.log.entries]


# Rounds


def test_rows_without_an_answer_are_not_queried_if_the_run_is_stopped():
    run = a_run()
    rows = run.ask().indices
    run.tell([0, None], rows[[2, 0]])
    assert run.ledger.asked.sum() == 4
    run.stop("oracle")
    assert np.flatnonzero(run.ledger.asked).tolist() == sorted(rows[[0, 2]])
    assert np.isin(rows[[1, 3]], run.ledger.candidates).all()
    assert run.rounds.query_indices == rows[[0, 2]].tolist()
    assert run.rounds.history[0]["n_queried"] == 2
    assert run.rounds.history[0]["n_abstained"] == 1
    assert run.rounds.budget_left == 6
    assert run.condition == "oracle"
    assert run.ask() is None


def test_a_late_label_of_such_a_row_counts_as_never_asked():
    run = a_run()
    rows = run.ask().indices
    run.tell([0], rows[:1])
    run.stop("oracle")
    run.tell([1, 1], rows[1:3])
    assert run.ledger.n_unasked == 2
    assert run.ledger.labeled_iter[rows[:3]].tolist() == [1, 0, 0]
    assert run.rounds.n_queries == 1


def test_a_round_without_an_answer_did_not_happen():
    run = a_run()
    run.ask()
    run.stop("callback")
    assert run.rounds.history == []
    assert not run.ledger.asked.any()
    assert run.rounds.number == 1
    assert run.log.entries[-2]["record"] is None
    assert kinds(run) == ["begin", "round", "closed", "stop"]
    assert run.log.entries[-1]["condition"] == "callback"


def test_a_row_that_is_asked_about_again_stays_queried_without_an_answer():
    run = a_run(batch_size=2)
    first = run.ask().indices
    run.tell([0, 1], first)
    run.ask_again(first)
    again = run.ask()
    assert again.indices.tolist() == first.tolist()
    run.stop("oracle")
    assert run.ledger.asked_in[first].tolist() == [1, 1]
    assert run.queue == first.tolist()


def test_the_queue_comes_first_and_is_counted_once_more():
    run = a_run(batch_size=2, budget=5)
    first = run.ask().indices
    run.tell([0, 1], first)
    run.ask_again(first[[1, 1]])
    run.ask_again(first[[1]])
    assert run.queue == [first[1]]
    query = run.ask()
    assert query.indices.tolist() == [first[1]]
    run.tell([0], first[[1]])
    assert (run.queue, run.rounds.n_queries, run.rounds.budget_left) == ([], 3, 2)
    assert run.ledger.label(first[1]) == 0
    assert run.log.corrections[0]["old"] == 1
    assert len(run.bought()["indices"]) == 2


def test_the_budget_ends_a_run_and_the_log_says_so():
    run = a_run(budget=4)
    rows = run.ask().indices
    assert run.condition is None
    run.tell(TRUTH[rows].tolist(), rows)
    assert (run.condition, run.end) == ("budget", None)
    assert run.ask() is None
    assert run.end.condition == "budget"
    assert kinds(run) == ["begin", "round", "told", "closed", "end"]
    assert run.log.entries[-1]["reason"] is None
    assert run.log.entries[-1]["n_seen"] == 4


@pytest.mark.parametrize(
    ("answers", "condition"), [(TRUTH, "all_labeled"), ([None] * 12, "all_asked")]
)
def test_a_pool_that_is_used_up_ends_a_run(answers, condition):
    run = a_run(budget=None, batch_size=12)
    rows = run.ask().indices
    assert len(rows) == 10
    assert run.condition is None
    run.tell([answers[row] for row in rows], rows)
    assert run.condition == condition
    assert run.ask() is None


def test_the_log_has_rows_answers_and_who_gave_them():
    before = time.time()
    run = a_run(batch_size=2)
    run.log.who = "me"
    rows = run.ask().indices.tolist()
    run.tell([1], rows[:1])
    run.tell([None], rows[1:], by="you")
    _, opened, first, second, closed = run.log.entries
    assert (opened["round"], opened["rows"], opened["strategy"]) == (1, rows, "margin")
    assert opened["n_seen"] == 1
    assert (first["rows"], first["labels"], first["by"]) == (rows[:1], [1], "me")
    assert (second["rows"], second["labels"], second["by"]) == (rows[1:], [None], "you")
    assert (closed["round"], closed["rows"]) == (1, rows)
    assert closed["record"] == run.rounds.history[0]
    times = [entry["at"] for entry in run.log.entries[1:]]
    assert times == sorted(times)
    assert before <= times[0] <= times[-1] <= time.time()


def test_a_query_says_all_about_its_rows():
    run = a_run(X=pd.DataFrame({"x": X[:, 0]}), classes=[2, 0, 1], sample_ids=None)
    query = run.ask()
    rows = query.indices
    model = LogisticRegression().fit(X[[0, 11]], [0, 1])
    proba = model.predict_proba(X[rows])
    np.testing.assert_allclose(query.proba, np.c_[proba, np.zeros(4)])
    np.testing.assert_allclose(query.utilities, 1 - np.abs(proba[:, 0] - proba[:, 1]))
    assert (query.round, query.classes.tolist()) == (1, [0, 1, 2])
    assert query.sample_ids is None
    assert type(query.X) is pd.DataFrame
    query.classes[:] = 7
    assert run.ask().classes.tolist() == [0, 1, 2]
    run.tell([0] * 4, rows)
    assert run.ask().round == 2
    assert a_run().ask().classes.tolist() == [0, 1]


class Writes:
    """A journal that counts the entries it has written."""

    n_calls = n_written = 0
    error = diverged = None

    def write(self, run):
        self.n_calls += 1
        if self.error:
            raise self.error
        self.n_written = len(run.log)

    def is_behind(self, run):
        return self.n_written < len(run.log)

    def raise_if_diverged(self, run):
        if self.diverged:
            raise SavedLoopError(self.diverged, **run.bought())


def test_all_is_written_before_a_call_returns():
    run = a_run(batch_size=2)
    run.journal = Writes()
    rows = run.ask().indices
    steps = [
        lambda: run.tell([0], rows[:1]),
        lambda: run.correct([1], rows[:1]),
        lambda: run.ask_again(rows[:1]),
        lambda: run.tell([0], rows[1:]),
        lambda: run.ask(),
        lambda: run.stop("oracle"),
    ]
    for step in steps:
        n_before = len(run.log)
        step()
        assert run.journal.n_written == len(run.log) > n_before


def test_a_round_that_could_not_be_written_is_not_handed_out():
    run = a_run(batch_size=2)
    run.journal = Writes()
    run._selector.choose = _and_then(run._selector.choose, _fail)
    for _ in range(2):
        with pytest.raises(StoreError, match="full"):
            run.ask()
    assert kinds(run) == ["begin", "round"]
    run.journal.error = None
    rows = run.ask().indices
    assert (len(rows), run.journal.n_written) == (2, 2)
    n_calls = run.journal.n_calls
    run.ask()  # nothing new
    assert run.journal.n_calls == n_calls


def _and_then(function, then):
    def choose(run):
        result = function(run)
        then(run)
        return result

    return choose


def _fail(run):
    run.journal.error = StoreError("The disk is full.")


def test_a_run_that_others_have_overtaken_hands_out_no_rows():
    run = a_run(batch_size=2)
    run.journal = Writes()
    rows = run.ask().indices
    run.tell([1], rows[:1])
    run.journal.diverged = "it has gone on"
    with pytest.raises(SavedLoopError, match="gone on") as caught:
        run.ask()
    assert caught.value.indices.tolist() == rows[:1].tolist()


@pytest.mark.parametrize("ends", [True, False])
def test_a_round_that_began_while_one_waited_to_begin_one_is_handed_out(ends):
    run = a_run(batch_size=2)

    class Waiting:
        def __enter__(self):
            run.stop("callback") if ends else run.begin_round()

        def __exit__(self, *error):
            pass

    run.beginning = Waiting()
    query = run.ask()
    if ends:
        assert (query, kinds(run)) == (None, ["begin", "stop"])
    else:
        assert (len(query), kinds(run)) == (2, ["begin", "round"])


def test_what_others_have_written_counts_before_a_round_begins():
    run = a_run(batch_size=2, budget=None)
    run.journal = Writes()
    rows = run.ledger.candidates.tolist()
    run.journal.write = lambda run: run.record(rows, [0] * len(rows))
    run.begin_round()
    assert "round" not in kinds(run)
    assert run.end.condition == "all_labeled"


def test_what_a_run_ends_with_is_written_by_the_one_that_ends_it():
    run = a_run()
    run.journal = Writes()
    run._selector.choose = lambda run: End("converged", "it is good enough")
    run.begin_round()
    entry = run.log.entries[-1]
    assert (entry["kind"], entry["condition"]) == ("end", "converged")
    assert entry["reason"] == run.end.reason == "it is good enough"
    assert run.journal.n_written == 2


def test_rows_in_the_queue_do_not_go_on_without_budget():
    run = a_run(budget=4)
    rows = run.ask().indices
    run.tell([0] * 4, rows)
    run.ask_again(rows[:1])
    run.begin_round()
    assert run.end.condition == run.log.entries[-1]["condition"] == "budget"
    assert run.has_questions


def test_rows_that_are_put_into_the_queue_while_a_run_ends_are_asked_about():
    run = a_run(budget=None, batch_size=12)
    rows = run.ask().indices
    run.tell([0] * 10, rows)
    begin = run.models.begin
    run.models.begin = lambda run: (begin(run), run.ask_again(rows[:1]))
    run.begin_round()
    assert (run.end, run.has_questions) == (None, True)
    assert run.ask().indices.tolist() == rows[:1].tolist()


def test_the_beginning_of_a_round_is_in_the_log():
    cost = np.arange(12.0)
    run = a_run(batch_size=2, cost=cost)
    rows = run.ask().indices
    entry = run.log.entries[-1]
    assert entry["costs"] == cost[rows].tolist()
    record = entry["record"]
    assert (record["round"], record["strategy"]) == (1, "margin")
    assert (record["n_labeled"], record["n_queried"]) == (2, 0)
    without = a_run()
    without.ask()
    assert without.log.entries[-1]["costs"] is None


def test_a_label_given_from_the_start_that_is_asked_about_belongs_to_this_round():
    run = a_run(batch_size=2)
    run.ask_again([0])
    run.ask()
    run.tell([0], [0])
    assert run.ledger.asked_in[0] == 1
    assert run.rounds.query_indices == [0]


def test_a_probability_that_is_not_known_is_none_in_the_log():
    run = a_run(batch_size=2, strategy="random")
    rows = run.ask().indices
    run.tell([0], rows[1:])  # drawn after the first one, which has no answer
    run.stop("oracle")
    assert run.log.entries[-2]["probabilities"] == [None]


def test_a_query_has_the_sparse_format_of_X():
    assert a_run(X=csc_array(X)).ask().X.format == "csc"


def test_the_last_row_of_the_budget_is_asked_about():
    run = a_run(budget=5)
    rows = run.ask().indices
    run.tell([0] * 4, rows)
    assert len(run.ask()) == 1


def test_the_answers_of_a_row_that_is_asked_about_again_are_in_the_log():
    run = a_run(batch_size=2)
    rows = run.ask().indices
    run.tell([0, 1], rows)
    run.ask_again(rows)
    assert kinds(run)[-1] == "again"
    assert run.log.entries[-1]["rows"] == rows.tolist()
    again = run.ask().indices.tolist()
    run.tell([run.ledger.label(again[0])], again[:1], by="you")
    entry = run.log.entries[-1]
    assert (entry["kind"], entry["rows"], entry["by"]) == ("told", again[:1], "you")
    run.tell([1 - run.ledger.label(again[1])], again[1:], by="her")
    told, correction = run.log.entries[-3:-1]
    assert (told["rows"], told["labels"]) == (again[1:], correction["labels"])
    assert (correction["asked"], correction["by"]) == (True, "her")
    assert run.log.corrections[0]["by"] == "her"


def test_what_changes_nothing_is_not_in_the_log():
    run = a_run()
    rows = run.ask().indices
    run.tell([0], rows[:1])
    before = kinds(run)
    run.tell([0], rows[:1])
    run.tell([], [])
    assert kinds(run) == before
    run.correct([1], rows[1:2])  # its first answer
    assert kinds(run) == [*before, "told"]


def test_rows_that_have_never_got_an_answer():
    run = a_run(batch_size=2)
    rows = run.ask().indices
    other = run.ledger.candidates[:1]
    all_rows = np.concatenate([rows, other, [0]])
    assert _without_answer(run, all_rows).tolist() == [*rows, *other]
    run.tell([None], rows[:1])
    assert _without_answer(run, all_rows).tolist() == [rows[1], *other]
    run.tell([1], rows[1:])
    assert _without_answer(run, all_rows).tolist() == other.tolist()
    run.ask_again(rows)
    run.ask()
    assert _without_answer(run, all_rows).tolist() == other.tolist()


def test_a_correction_to_the_same_label_is_none():
    run = a_run()
    rows = run.ask().indices.tolist()
    run.tell([0, None, 1, 1], rows)
    n_before = len(run.log)
    run.correct([0, None], rows[:2])
    assert (len(run.log), run.log.corrections) == (n_before, [])
    other = run.ledger.candidates[:1].tolist()
    run.correct([None], other)  # nobody is to be asked about it
    assert [record["row"] for record in run.log.corrections] == other
    assert other[0] not in run.ledger.candidates


def test_probabilities_are_in_the_log():
    run = a_run(batch_size=2, strategy="random")
    rows = run.ask().indices
    run.tell([0, 1], rows)
    opened, closed = run.log.entries[1], run.log.entries[-1]
    assert opened["probabilities"] == closed["probabilities"] == [1 / 10, 1 / 9]
    assert run.rounds.query_probabilities == [1 / 10, 1 / 9]


def test_answers_may_have_the_ids_of_their_rows():
    run = a_run()
    rows = run.ask().indices[:2]
    ids = [IDS[row] for row in rows]
    run.tell(pd.Series([0, 1], index=ids[::-1]), rows)
    assert [run.ledger.label(row) for row in rows] == [1, 0]


def test_a_correction_to_a_doubtful_class_is_warned_of():
    y = np.array(["cat", *["?"] * 10, "dog"])
    run = a_run(y=y, missing_label="?")
    with pytest.warns(UserWarning, match="differs from the class 'dog'"):
        run.correct(["Dog"], [4])


def test_a_run_may_be_stopped_between_rounds():
    run = a_run()
    assert run.bought()["indices"].tolist() == []
    run.stop("no_oracle")
    assert kinds(run) == ["begin", "stop"]


def test_of_many_answers_that_are_not_valid_five_are_named():
    run = a_run(batch_size=7, classes=[0, 1])
    rows = run.ask().indices
    with pytest.raises(OracleError, match=rf"row {rows[4]} .*: 7") as error:
        run.tell([7] * 7, rows)
    assert f"row {rows[5]} " not in str(error.value)


def test_only_some_rows_are_taken_on_demand():
    run = a_run()
    rows = run.ask().indices.tolist()
    seen = []

    def take(left):
        seen.append(left.tolist())
        return left[1:3].tolist()

    query = run.ask(take)
    assert query.indices.tolist() == rows[1:3]
    assert query.sample_ids.tolist() == [IDS[row] for row in rows[1:3]]
    assert query.X.ravel().tolist() == X[rows[1:3], 0].tolist()
    run.tell([0], rows[1:2])
    assert len(run.ask(lambda left: [])) == 0
    run.ask(take)
    assert seen == [rows, [rows[0], *rows[2:]]]


def test_answers_that_are_not_valid_are_named_and_the_others_recorded():
    run = a_run(classes=[0, 1])
    rows = run.ask().indices.tolist()
    match = (
        rf"^2 of 4 answers are not valid labels: row {rows[1]} .*: 7 is .*recorded\.$"
    )
    with pytest.raises(OracleError, match=match) as caught:
        run.tell([0, 7, 1, 8], rows)
    assert caught.value.answers == [7, 8]
    assert run.rounds.open.rows_left.tolist() == [rows[1], rows[3]]
    assert [run.ledger.label(row) for row in rows] == [0, None, 1, None]
    assert run.bought()["indices"].tolist() == [rows[0], rows[2]]
    assert run.bought()["labels"].tolist() == [0, 1]


def test_a_correction_that_is_not_valid_changes_nothing():
    run = a_run(classes=[0, 1])
    rows = run.ask().indices.tolist()
    run.tell([0, 0, 0, 0], rows)
    match = r"^1 of 2 .*Nothing was corrected\.$"
    with pytest.raises(OracleError, match=match) as caught:
        run.correct([1, 9], rows[:2])
    assert caught.value.answers == [9]
    assert run.ledger.label(rows[0]) == 0
    assert run.log.corrections == []
    run.correct([1, None], rows[:2], by="boss")
    assert [run.ledger.label(row) for row in rows] == [1, None, 0, 0]
    first, second = run.log.corrections
    at = first.pop("at")
    assert first == {
        "row": rows[0], "sample_id": IDS[rows[0]], "old": 0, "new": 1, "by": "boss"
    }  # fmt: skip
    assert (second["old"], second["new"], second["at"]) == (0, None, at)
    assert run.log.entries[-1]["labels"] == [1, None]
    assert run.log.entries[-1]["asked"] is False


def test_a_label_that_is_told_while_rows_are_selected_is_an_answer():
    run = a_run(batch_size=2)
    rows = run.ask().indices
    other = a_run(batch_size=2)
    other.ledger.record(rows[:1].tolist(), [1])
    choose = other._selector.choose
    opened = run.rounds.open
    other._selector.choose = lambda run: (
        choose(run)
        and Round(1, opened.pool, "margin", opened, select_seconds=0, n_seen=1)
    )
    assert other.ask().indices.tolist() == [rows[1]]
    assert other.ledger.labeled_iter[rows[0]] == 1
    other.tell([0], rows[1:])
    assert other.rounds.query_indices == rows.tolist()


def test_a_round_whose_rows_are_all_told_while_they_are_selected_is_over():
    run = a_run(batch_size=2)
    rows = run.ledger.candidates[:2]
    selection = SimpleNamespace(
        rows=rows,
        probabilities=None,
        utilities=None,
        best_utility=None,
        mean_utility=None,
    )
    run._selector.choose = lambda run: (
        run.record(rows.tolist(), [0, 1]),
        Round(1, run.models.last_pool, "margin", selection, select_seconds=0, n_seen=1),
    )[1]
    run.begin_round()
    assert run.rounds.open is None
    assert run.rounds.query_indices == rows.tolist()
    assert kinds(run) == ["begin", "told", "round", "closed"]


def test_a_pickled_run_goes_on_alike():
    run = a_run()
    run.ask()
    copied = pickle.loads(pickle.dumps(run))
    for one in (run, copied):
        rows = one.ask().indices
        one.tell(TRUTH[rows].tolist(), rows)
    assert copied.ask().indices.tolist() == run.ask().indices.tolist()
    with copied.lock:
        assert not copied.beginning.locked()


def test_labels_left_are_those_that_train():
    run = a_run(holdout_fraction=0.3)  # 2 of the budget of 8
    assert run.n_left == 6
    rows = run.ask().indices
    run.tell(TRUTH[rows].tolist(), rows)
    assert run.n_left == 6
    assert a_run(budget=None).n_left == 10


def test_costs_are_those_of_all_queries():
    cost = np.arange(12.0)
    run = a_run(cost=cost, batch_size=2)
    rows = run.ask().indices
    run.tell([0], rows[:1])
    assert run.rounds.total_cost == rows[0]
    run.tell([None], rows[1:])
    assert run.rounds.total_cost == rows.sum()
    past = Past(True, queried=[(4, 1, np.nan)], total_cost=3.5)
    later = a_run(past, cost=cost, batch_size=2)
    assert later.rounds.total_cost == 3.5
    rows = later.ask().indices
    later.tell([0], rows[:1])
    assert later.rounds.total_cost == 3.5 + rows[0]


# How a round begins


def test_what_is_asked_about_first():
    past = Past(True, labels={2: 1}, left_over={5: 1}, queue=[2], history=[{}])
    run = a_run(past, batch_size=1, holdout_fraction=0.25)
    names = []
    while (query := run.ask()) is not None:
        run.tell([0], query.indices)
        names.append(run.rounds.closed[-1].selected_by)
    assert names[:2] == ["left over", "again"]
    assert names[2] == "holdout"
    assert names[-1] == "margin"


@pytest.mark.parametrize("params", [{"batch_size": 2}, {"budget": 2}])
def test_no_round_has_more_rows_than_a_batch_and_the_budget(params):
    left_over = Past(True, left_over={5: 1, 3: 1, 7: 1}, history=[{}])
    assert a_run(left_over, **params).ask().indices.tolist() == [5, 3]
    queue = Past(True, labels={5: 1, 3: 1, 7: 1}, queue=[5, 3, 7])
    assert a_run(queue, **params).ask().indices.tolist() == [5, 3]
    assert len(a_run(**params).ask()) == 2
    held_out = a_run(holdout_fraction=0.99, **params).ask()
    assert len(held_out) == 2


def test_the_rows_that_are_left_are_fewer_than_a_batch():
    run = a_run(batch_size=7, budget=None)
    run.tell([0] * 7, run.ask().indices)
    assert len(run.ask()) == 3


def test_the_first_criterion_that_is_met_ends_a_run():
    seen = []

    def first(pool):
        seen.append("first")

    def second(pool):
        seen.append("second")
        return 7 if len(seen) > 2 else None

    def third(pool):
        seen.append("third")

    run = a_run(batch_size=2, stopping=[first, second, third])
    run.tell([0, 0], run.ask().indices)
    assert seen == ["first", "second", "third"]
    assert run.ask() is None
    assert run.end == End("second", "7")
    assert seen[3:] == ["first", "second"]


def test_a_criterion_does_not_end_what_is_to_be_asked_about_in_any_case():
    seen = []
    run = a_run(Past(True, left_over={5: 1}, history=[{}]), stopping=seen.append)
    run.tell([1], run.ask().indices)
    run.ask_again([5])
    run.tell([1], run.ask().indices)
    assert [closed.selected_by for closed in run.rounds.closed] == [
        "left over", "again"
    ]  # fmt: skip
    assert seen == []
    run.ask()
    assert len(seen) == 1


def test_criteria_see_no_round_without_candidates():
    seen = []
    run = a_run(budget=2, holdout_fraction=0.99, stopping=seen.append, batch_size=1)
    run.ledger.record([r for r in range(12) if r not in run.holdout.rows], [1] * 10)
    run.ask()
    assert seen == []


def test_the_initial_strategy_selects_as_many_rows_as_are_wanted_first():
    params = {"initial_strategy": "random", "initial_size": 5}
    run = a_run(y=np.full(12, -1), batch_size=3, budget=None, **params)
    for labels in ([0, 1, 0], [1, 0]):
        rows = run.ask().indices
        assert run.rounds.open.selected_by == "random"
        run.tell(labels, rows)
    assert len(run.ask()) == 3
    assert run.rounds.open.selected_by == "margin"


def test_without_a_size_the_first_rounds_are_whole_batches():
    run = a_run(y=np.full(12, -1), batch_size=3, initial_strategy="random")
    assert len(run.ask()) == 3
    run.tell([0, 0, 0], run.rounds.open.rows)
    assert len(run.ask()) == 3
    assert run.rounds.open.selected_by == "random"


class First(BaseStrategy):
    """Selects the first candidates."""

    def select(self, pool, n_queries):
        return Selection(pool.candidates[:n_queries])


def test_an_object_that_selects_is_named_by_its_type():
    run = a_run(strategy=First())
    assert run.ask().indices.tolist() == [1, 2, 3, 4]
    assert run.log.entries[-1]["strategy"] == "First"


def test_the_time_of_a_selection_is_that_without_models(monkeypatch):
    times = iter([10.0, 15.0, 20.0, 26.0])
    clock = SimpleNamespace(perf_counter=lambda: next(times))
    monkeypatch.setattr("skactive._loop.selecting.time", clock)
    run = a_run(batch_size=2)
    rows = run.ask().indices  # the first model is fitted before
    assert run.rounds.open.select_seconds == pytest.approx(5.0, abs=1e-9)
    run.tell([0, 0], rows)
    run.ask()
    opened = run.rounds.open
    fit_seconds = opened.pool.models.fits.seconds
    assert fit_seconds > 0
    assert opened.select_seconds == pytest.approx(6.0 - fit_seconds, abs=1e-9)


# Earlier runs


def test_rows_of_earlier_runs_count():
    history = [{"round": 1}, {"round": 2}]
    past = Past(
        True,
        labels={3: 1},
        skipped=[5],
        queried=[(3, 1, 0.25), (5, 2, np.nan)],
        n_charged=4,
        n_gone=3,
        history=history,
        queue=[3],
    )
    run = a_run(past)
    assert run.rounds.query_indices == [3, 5]
    assert run.rounds.query_probabilities[0] == 0.25
    assert (run.rounds.n_queries, run.rounds.budget_left) == (5, 4)
    assert (run.rounds.number, run.rounds.history) == (3, history)
    assert run.ledger.asked_in[[3, 5]].tolist() == [1, 2]
    assert run.ledger.labeled_iter[[3, 5]].tolist() == [1, -1]
    assert run.queue == [3]
    run.tell([0], run.ask().indices)
    assert (run.rounds.n_queries, run.rounds.budget_left) == (6, 3)
    assert history == [{"round": 1}, {"round": 2}]


def test_rows_that_were_handed_out_before_come_first_and_count():
    past = Past(True, labels={2: 1}, left_over={5: 1, 3: 2}, history=[{}, {}])
    run = a_run(past, batch_size=2)
    assert run.has_questions
    assert sorted(run.ask().indices.tolist()) == [3, 5]
    assert run.left_over == {}
    assert not a_run().has_questions


def test_a_late_answer_for_such_a_row_belongs_to_its_round():
    run = a_run(Past(True, left_over={5: 1, 3: 2}, history=[{}, {}]), batch_size=2)
    run.tell([1], [3])
    assert run.left_over == {5: 1}
    assert run.rounds.query_indices == [3]
    assert run.rounds.query_rounds == [2]
    np.testing.assert_array_equal(run.rounds.query_probabilities, [np.nan])
    assert run.ledger.labeled_iter[3] == 2
    assert run.rounds.budget_left == 7
    assert run.has_questions
    run.tell([1], [5])
    assert not run.has_questions


def test_the_rounds_of_all_queries():
    run = a_run(Past(True, queried=[(3, 1, 0.5)], history=[{}]), batch_size=2)
    rows = run.ask().indices
    run.tell([0], rows[:1])
    assert run.rounds.query_rounds == [1, 2]
    run.tell([0], rows[1:])
    run.ask()
    assert run.rounds.query_rounds == [1, 2, 2]


def test_a_correction_of_a_row_that_is_being_asked_about_is_its_answer():
    run = a_run(batch_size=2)
    first = run.ask().indices.tolist()
    run.tell([0, 0], first)
    second = run.ask().indices.tolist()
    run.correct([1, 1], [second[0], first[1]], by="boss")
    assert run.rounds.query_indices == [*first, second[0]]
    assert [run.ledger.label(row) for row in first + second] == [0, 1, 1, None]
    assert [record["row"] for record in run.log.corrections] == [first[1]]
    told = run.log.entries[-2]
    assert (told["kind"], told["rows"], told["by"]) == ("told", second[:1], "boss")


def test_an_answer_that_is_ignored_is_in_the_log():
    run = a_run()
    rows = run.ask().indices
    run.tell([0], rows[:1])
    with pytest.warns(UserWarning, match="has the label 0 already"):
        run.tell([1], rows[:1], by="you")
    entry = run.log.entries[-1]
    assert (entry["kind"], entry["labels"]) == ("contradiction", [1])
    assert (entry["rows"], entry["by"]) == (rows[:1].tolist(), "you")


# Answers that cost nothing


def test_answers_that_cost_no_budget_do_so_once():
    run = a_run()
    rows = run.ask().indices
    run.rounds.uncharge(rows[:2])
    run.tell([0, 1, None], rows[:3])
    assert run.rounds.budget_left == 8 - 1
    assert run.rounds.n_queries == 3
    assert run.log.entries[-1]["free"] == rows[:2].tolist()
    assert run.rounds.take_uncharged(rows.tolist()) == []


# One round


def a_round(rows=(5, 2, 8), probabilities=None, utilities=None):
    selection = SimpleNamespace(
        rows=np.array(rows),
        probabilities=probabilities,
        utilities=utilities,
        best_utility=0.9,
        mean_utility=0.5,
    )
    return Round(3, "pool", "margin", selection, select_seconds=0.1, n_seen=7)


def test_a_round_knows_its_rows_and_what_is_left():
    opened = a_round(utilities=np.array([0.9, 0.5, 0.1]))
    opened.mark_told([2, 11])
    assert opened.rows_told.tolist() == [2]
    assert opened.rows_left.tolist() == [5, 8]
    assert opened.utilities_of(np.array([8, 5])).tolist() == [0.1, 0.9]
    assert a_round().utilities_of(np.array([8])) is None
    described = (opened.number, opened.selected_by, opened.n_seen, opened.pool)
    assert described == (3, "margin", 7, "pool")
    assert (opened.best_utility, opened.mean_utility) == (0.9, 0.5)


def test_probabilities_hold_up_to_the_first_row_without_an_answer():
    opened = a_round(probabilities=np.array([0.5, 0.4, 0.3]))
    opened.mark_told([5, 8])
    np.testing.assert_array_equal(opened.probabilities_told, [0.5, np.nan])
    opened.mark_told([2])
    assert opened.probabilities_told == [0.5, 0.4, 0.3]
    unknown = a_round()
    unknown.mark_told([5, 8])
    np.testing.assert_array_equal(unknown.probabilities_told, [np.nan] * 2)


def test_times_and_probabilities_can_be_restored():
    opened = a_round()
    assert 0 <= opened.oracle_seconds < 60
    opened.restore({"select_seconds": 2.0, "oracle_seconds": 900.0}, [0.5, None, 0.25])
    assert opened.select_seconds == 2.0
    assert 900 <= opened.oracle_seconds < 960
    np.testing.assert_array_equal(opened.probabilities, [0.5, np.nan, 0.25])
    kept = opened.probabilities
    opened.restore({"select_seconds": 1.0, "oracle_seconds": 0.0}, None)
    assert opened.probabilities is kept


def test_a_closed_round_keeps_its_record_and_no_models():
    opened = a_round(utilities=np.ones(3))
    opened.close({"round": 3})
    assert (opened.record, opened.pool, opened.utilities) == ({"round": 3}, None, None)


def test_rows_that_others_hold_again_are_those_without_an_answer():
    rounds = Rounds(a_run().inputs)
    assert rounds.asked_again == frozenset()
    assert rounds.answered([5, 2]) == [5, 2]
    rounds.open = a_round()
    assert rounds.asked_again == frozenset()
    rounds.open.selected_by = "again"
    rounds.open.mark_told([5])
    assert rounds.asked_again == {2, 8}
    assert rounds.answered([5, 2, 1]) == [5, 1]


def test_rounds_add_up():
    rounds = Rounds(a_run(Past(True, queried=[(1, 1, 0.75)], history=[{}])).inputs)
    for number, rows in enumerate([(5, 2), (8,)], 2):
        opened = a_round(rows, probabilities=np.full(len(rows), 1 / number))
        opened.number = number
        rounds.open = opened
        opened.mark_told(rows)
        assert rounds.query_probabilities[-1] == 1 / number
        rounds.close({"round": number})
        assert (opened.record, opened.pool) == ({"round": number}, None)
        rounds.uncharge(list(rows))
        assert rounds.take_uncharged([9, *rows]) == list(rows)
    rounds.add_late({7: 1})
    rounds.add_late({6: 3})
    assert rounds.query_indices == [1, 5, 2, 8, 7, 6]
    assert rounds.query_rounds == [1, 2, 2, 3, 1, 3]
    drawn = [0.75, 0.5, 0.5, 1 / 3, np.nan, np.nan]
    np.testing.assert_array_equal(rounds.query_probabilities, drawn)
    assert [closed.number for closed in rounds.closed] == [2, 3]
    assert (rounds.n_queries, rounds.budget_left) == (6, 8 - 5 + 3)


def test_a_round_without_an_answer_is_closed_without_a_record():
    rounds = Rounds(a_run().inputs)
    rounds.open = opened = a_round()
    rounds.close(None)
    assert (rounds.open, rounds.closed, rounds.history) == (None, [opened], [])
    assert rounds.query_indices == rounds.query_rounds == []


# Logs of others


def told(rows, labels, **more):
    return {"kind": "told", "rows": rows, "labels": labels, "free": [], **more}


def test_a_log_is_repeated():
    run = a_run()
    rows = run.ask().indices.tolist()
    repeat(run, told(rows[:3], [0, 1, None], by="you", free=rows[1:2]))
    repeat(run, {"kind": "correction", "rows": rows[:1], "labels": [1], "by": "boss"})
    asked = {"rows": rows[1:2], "labels": [1], "by": "boss", "asked": True}
    repeat(run, {"kind": "correction"} | asked)
    repeat(run, {"kind": "again", "rows": rows[2:3]})
    assert repeat(run, {"kind": "end", "condition": "budget"}) == []
    assert [run.ledger.label(row) for row in rows] == [1, 1, None, None]
    assert run.rounds.budget_left == 8 - 2
    assert run.queue == rows[2:3]
    assert run.log.entries[2]["by"] == "you"
    assert [record["by"] for record in run.log.corrections] == ["boss"]
    assert run.end is None


def test_labels_of_a_log_that_are_not_valid_are_named():
    run = a_run(classes=[0, 1])
    rows = run.ask().indices.tolist()
    (refused,) = repeat(run, told(rows[:2], [7, 1]))
    assert refused[:2] == (rows[0], 7)
    correction = {"kind": "correction", "rows": rows[:2], "labels": [8, 0], "by": None}
    (refused,) = repeat(run, correction)
    assert refused[:2] == (rows[0], 8)
    assert [run.ledger.label(row) for row in rows[:2]] == [None, 0]


def test_what_others_have_written_comes_before_what_is_not_written_yet():
    run = a_run(batch_size=2)
    rows = run.ask().indices.tolist()
    run.tell([0], rows[:1])
    news = [told(rows[:1], [1]), told(rows[1:], [1])]
    take_in(run, news, 2)
    # The first answer in the file stays, and both together close the round.
    assert [run.ledger.label(row) for row in rows] == [1, 1]
    assert run.rounds.open is None
    assert kinds(run) == ["begin", "round", "told", "told", "told", "closed"]
    assert run.log.entries[2:4] == news
    assert run.log.entries[4]["labels"] == [0]


def test_only_one_says_that_a_round_is_closed():
    run = a_run(batch_size=2)
    rows = run.ask().indices.tolist()
    news = [told(rows, [1, 0]), {"kind": "closed", "round": 1, "rows": rows}]
    take_in(run, news, 2)
    assert run.rounds.open is None
    assert run.log.entries[2:] == news


def test_what_came_before_the_run_is_not_in_its_log():
    run = a_run()
    take_in(run, [told([3], [1])], 0)
    assert run.ledger.label(3) == 1
    assert kinds(run) == ["begin"]


def test_an_answer_for_a_row_that_is_asked_about_again_is_a_correction():
    run = a_run(batch_size=2)
    rows = run.ask().indices.tolist()
    run.tell([0, 1], rows)
    run.ask_again(rows[:1])
    run.ask()
    n_written = len(run.log)
    changed = {"rows": rows[:1], "labels": [1], "old": [0], "by": "you", "at": 0.0}
    news = [told(rows[:1], [1]), {"kind": "correction", "asked": True, **changed}]
    take_in(run, news, n_written)
    assert run.ledger.label(rows[0]) == 1
    assert [(c["old"], c["new"]) for c in run.log.corrections] == [(0, 1)]


def test_corrections_without_ids_have_rows_only():
    log = Log(a_run(sample_ids=None).inputs)
    assert log.who is None
    log.who = "me"
    log.note_corrections([(4, 0, 1)], None, asked=True)
    log.note_corrections([(4, 1, None)], "you", asked=False)
    assert [r["sample_id"] for r in log.corrections] == [None, None]
    assert [r["row"] for r in log.corrections] == [4, 4]
    assert [r["by"] for r in log.corrections] == ["me", "you"]
    entries = log.entries[1:]
    assert [entry["kind"] for entry in entries] == ["correction"] * 2
    assert [entry["by"] for entry in entries] == ["me", "you"]
    assert [entry["asked"] for entry in entries] == [True, False]
    assert [r["at"] for r in log.corrections] == [entry["at"] for entry in entries]
    assert len(log) == 3


def test_corrections_before_a_run_has_begun_come_before_its_own():
    before = [{"row": 9, "old": 1, "new": 0}]
    log = Log(a_run(Past(True, corrections=before)).inputs)
    log.note_corrections([(4, 0, 1)], "me", asked=False)
    earlier = {"kind": "correction", "rows": [5], "labels": [1], "old": [None]}
    log.add_earlier([{"kind": "told"}, earlier | {"by": "you", "at": 7.0}])
    first, second, third = log.corrections
    assert first == before[0]
    assert second == {
        "row": 5, "sample_id": 105, "old": None, "new": 1, "by": "you", "at": 7.0
    }  # fmt: skip
    assert third["row"] == 4
    assert len(log) == 2
    assert before == [{"row": 9, "old": 1, "new": 0}]


def test_nothing_is_noted_while_a_log_is_replayed():
    log = Log(a_run().inputs)
    log.is_replayed = True
    log.note("told", [(4, 1)], by="me")
    assert log.entries == [{"kind": "begin"}]
