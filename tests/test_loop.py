"""LabelingLoop: ask, tell and finish, whole and in parts."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier, LabelingLoop
from skactive.acquisition import BaseStrategy, Selection
from skactive.exceptions import ActiveLearningError, OracleError

X = np.linspace(0, 1, 21).reshape(-1, 1)
TRUTH = (X[:, 0] > 0.5).astype(int)
Y = np.where(np.arange(21) % 20 == 0, TRUTH, -1)
NAMES = [f"row {i}" for i in range(21)]


def make_clf(**params):
    defaults = {"batch_size": 4, "budget": 8, "random_state": 0}
    return ActiveLearningClassifier(LogisticRegression(), **defaults | params)


def make_loop(y=Y, sample_ids=None, **params):
    return LabelingLoop(make_clf(**params), X, y, sample_ids=sample_ids)


def tell_all(loop):
    """Answer until there is nothing to ask; return the row numbers of each round."""
    rounds = []
    while (query := loop.ask()) is not None:
        loop.tell(TRUTH[query.indices])
        rounds.append(query.indices.tolist())
    return rounds


@pytest.mark.parametrize("strategy", ["margin", "random", "k_means"])
@pytest.mark.parametrize(
    "params",
    [{}, {"initial_size": 5}, {"holdout_fraction": 0.5}, {"budget": None}],
    ids=str,
)
@pytest.mark.parametrize("y", [Y, np.full(21, -1)], ids=["two labels", "no label"])
def test_asking_and_telling_equals_a_fit(strategy, params, y):
    loop = make_loop(y, strategy=strategy, **params)
    rounds = tell_all(loop)
    told = loop.finish()
    clf = make_clf(strategy=strategy, **params)
    clf.fit(X, y, oracle=lambda X: (X[:, 0] > 0.5).astype(int))
    assert np.concatenate(rounds).tolist() == clf.query_indices_.tolist()
    np.testing.assert_array_equal(told.query_indices_, clf.query_indices_)
    np.testing.assert_array_equal(told.estimator_.coef_, clf.estimator_.coef_)
    for name in ("transduction_", "labeled_iter_", "classes_"):
        np.testing.assert_array_equal(getattr(told, name), getattr(clf, name))
    for name in ("termination_condition_", "n_iter_", "n_queries_", "n_features_in_"):
        assert getattr(told, name) == getattr(clf, name)


def test_a_query_says_what_is_asked_and_why():
    query = make_loop(sample_ids=NAMES, classes=[0, 1, 2]).ask()
    rows = query.indices
    alone = LogisticRegression().fit(X[[0, 20]], [0, 1]).predict_proba(X[rows])
    np.testing.assert_array_equal(query.X, X[rows])
    assert query.sample_ids.tolist() == [NAMES[row] for row in rows]
    np.testing.assert_array_equal(query.proba[:, :2], alone)
    assert (query.proba[:, 2] == 0).all()
    np.testing.assert_allclose(query.utilities, 1 - np.abs(alone[:, 0] - alone[:, 1]))
    assert (query.round, query.classes.tolist(), len(query)) == (1, [0, 1, 2], 4)


def test_a_query_of_a_cold_start_has_no_probabilities():
    query = make_loop(np.full(21, -1)).ask()
    assert query.proba is None
    assert query.utilities is None
    assert query.sample_ids is None
    assert query.classes.tolist() == []


def test_what_is_done_to_a_query_changes_nothing():
    loop = make_loop(sample_ids=NAMES)
    rows = loop.ask().indices.tolist()
    query = loop.ask()
    for part in (query.X, query.indices, query.utilities, query.classes, query.proba):
        part[:] = 0
    query.sample_ids[:] = "?"
    again = loop.ask()
    assert again.indices.tolist() == rows
    np.testing.assert_array_equal(again.X, X[rows])
    assert again.sample_ids.tolist() == [NAMES[row] for row in rows]


@pytest.mark.parametrize("container", [csc_matrix, pd.DataFrame])
def test_a_query_has_rows_in_the_container_that_was_given(container):
    query = LabelingLoop(make_clf(), container(X), Y).ask()
    assert type(query.X) is container
    assert query.X.shape == (4, 1)


def test_asking_again_gives_the_open_rest_of_the_round():
    loop = make_loop()
    first = loop.ask().indices.tolist()
    assert loop.ask().indices.tolist() == first
    loop.tell(TRUTH[first[1:3]], indices=first[1:3])
    rest = loop.ask()
    assert rest.indices.tolist() == [first[0], first[3]]
    assert rest.round == 1
    assert len(rest.X) == len(rest.utilities) == len(rest.proba) == 2
    loop.tell(TRUTH[rest.indices])
    assert loop.ask().round == 2


@pytest.mark.parametrize("by", ["indices", "sample_ids"])
def test_parts_out_of_order_and_repeated_give_the_same_model(by):
    whole, parts = make_loop(), make_loop(sample_ids=NAMES)
    tell_all(whole)
    while (query := parts.ask()) is not None:
        rows = [*query.indices[::-1].tolist(), query.indices[0]]
        for row in rows:
            key = {"indices": [row], "sample_ids": [NAMES[row]]}[by]
            parts.tell([TRUTH[row]], **{by: key})
    expected, found = whole.finish(), parts.finish()
    np.testing.assert_array_equal(found.estimator_.coef_, expected.estimator_.coef_)
    np.testing.assert_array_equal(found.labeled_iter_, expected.labeled_iter_)
    assert found.query_indices_.tolist() == expected.query_indices_.tolist()
    assert found.n_iter_ == expected.n_iter_ == 2


def test_rows_of_different_rounds_may_be_told_together():
    loop = make_loop(sample_ids=NAMES)
    first = loop.ask().indices
    loop.tell([None] * 4)
    second = loop.ask().indices
    rows = np.concatenate([second[:2], first[:1]])
    loop.tell(TRUTH[rows], indices=rows)
    fitted = loop.finish()
    np.testing.assert_array_equal(fitted.transduction_[rows], TRUTH[rows])
    assert fitted.labeled_iter_[rows].tolist() == [2, 2, 1]
    assert fitted.query_indices_.tolist() == [*first, *second[:2]]


def test_an_abstention_is_final_for_asking_but_a_late_label_is_welcome():
    loop = make_loop()
    first = loop.ask().indices
    loop.tell([None, 0, 0, 0])
    assert first[0] not in np.concatenate(tell_all(loop))
    loop.tell([TRUTH[first[0]]], indices=first[:1])
    fitted = loop.finish()
    assert fitted.transduction_[first[0]] == TRUTH[first[0]]
    assert fitted.n_queries_ == 8


def test_a_refused_label_can_be_told_again():
    loop = make_loop()
    rows = loop.ask().indices
    with pytest.raises(OracleError, match="1 of 4 answers") as caught:
        loop.tell([0, "x", 1, 1])
    assert caught.value.indices.tolist() == rows[[0, 2, 3]].tolist()
    assert loop.ask().indices.tolist() == [rows[1]]
    loop.tell([1])
    assert loop.ask().round == 2
    assert loop.finish().transduction_[rows].tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize(
    ("labels", "keys", "error", "message"),
    [
        ([1], {"indices": [0], "sample_ids": ["row 0"]}, ValueError, "only one of"),
        ([1], {"sample_ids": ["row 99"]}, ValueError, r"no rows .*\['row 99'\]"),
        ([1], {"indices": [99]}, ValueError, "row numbers, from 0 to 20"),
        ([1], {"indices": [-1]}, ValueError, "row numbers, from 0 to 20"),
        ([1], {"indices": [[1]]}, ValueError, "row numbers, from 0 to 20"),
        ([1, 1], {"indices": [0]}, OracleError, "expected 1, got 2"),
        ([1], {}, OracleError, "expected 4, got 1"),
    ],
)
def test_labels_that_belong_nowhere_are_refused(labels, keys, error, message):
    loop = make_loop(sample_ids=NAMES)
    loop.ask()
    with pytest.raises(error, match=message):
        loop.tell(labels, **keys)
    assert loop.finish().n_queries_ == 0


def test_a_label_for_a_row_that_was_not_asked_is_taken_and_costs_nothing():
    loop = make_loop()
    asked = loop.ask().indices
    other = next(row for row in range(1, 20) if row not in asked)
    loop.tell([TRUTH[other]], indices=[other])
    assert loop.ask().indices.tolist() == asked.tolist()
    loop.tell(TRUTH[asked])
    rounds = tell_all(loop)
    assert [len(rows) for rows in rounds] == [4]
    assert other not in rounds[0]
    fitted = loop.finish()
    assert fitted.transduction_[other] == TRUTH[other]
    assert fitted.labeled_iter_[other] == 0
    assert other not in fitted.query_indices_
    assert fitted.n_queries_ == 8


def test_labels_by_position_after_somebody_elses_answers_label_nothing():
    loop = make_loop()
    mine, theirs = loop.ask(), loop.ask()
    loop.tell(TRUTH[theirs.indices])
    following = loop.ask()
    with pytest.raises(ValueError, match="Pass query=") as caught:
        loop.tell([1 - TRUTH[row] for row in mine.indices])
    assert caught.value.indices.tolist() == theirs.indices.tolist()
    assert loop.ask().indices.tolist() == following.indices.tolist()
    # With their query they are late: the first answers stay.
    late = [1 - TRUTH[mine.indices[0]], *TRUTH[mine.indices[1:]]]
    with pytest.warns(UserWarning, match="the answer . was ignored"):
        loop.tell(late, query=mine)
    fitted = loop.finish()
    assert fitted.query_indices_.tolist() == theirs.indices.tolist()
    told = fitted.transduction_[mine.indices]
    np.testing.assert_array_equal(told, TRUTH[mine.indices])


def test_a_pickled_query_is_small_and_keeps_its_probabilities():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(5_000, 100))
    truth = (X[:, 0] > 0).astype(int)
    y = np.where(np.arange(5_000) < 20, truth, -1)
    clf = make_clf(batch_size=5)
    query = LabelingLoop(clf, X, y).ask()
    data = pickle.dumps(query)
    assert len(data) < 20_000
    again = pickle.loads(data)
    alone = LogisticRegression().fit(X[:20], truth[:20])
    expected = alone.predict_proba(X[query.indices])
    np.testing.assert_allclose(again.proba, expected, rtol=1e-6)
    for name in ("X", "indices", "utilities", "classes"):
        np.testing.assert_array_equal(getattr(again, name), getattr(query, name))
    assert (again.round, again.sample_ids, len(again)) == (1, None, 5)
    cold = LabelingLoop(clf, X, np.full(5_000, -1)).ask()
    data = pickle.dumps(cold)
    assert len(data) < 20_000
    assert pickle.loads(data).proba is None
    assert pickle.loads(data).indices.tolist() == cold.indices.tolist()


def test_telling_needs_a_question_and_ids_need_ids():
    loop = make_loop()
    with pytest.raises(ValueError, match=r"no open round; call ask\(\)"):
        loop.tell([1])
    loop.ask()
    with pytest.raises(ValueError, match="loop was made without"):
        loop.tell([1], sample_ids=["row 1"])


def test_the_classifier_is_never_changed():
    clf = make_clf()
    before = copy.deepcopy(vars(clf))
    loop = LabelingLoop(clf, X, Y)
    tell_all(loop)
    fitted = loop.finish()
    assert vars(clf).keys() == before.keys()
    assert repr(clf) == repr(make_clf())
    assert fitted is not clf
    assert fitted.get_params()["budget"] == 8


def test_a_loop_made_of_a_fitted_classifier_begins_anew_and_leaves_it_fitted():
    clf = make_clf(oracle=lambda X: [0] * len(X)).fit(X, Y)
    coef = clf.estimator_.coef_
    loop = LabelingLoop(clf, X, Y)
    tell_all(loop)
    np.testing.assert_array_equal(loop.finish().transduction_[11:20].max(), 1)
    assert clf.estimator_.coef_ is coef
    assert set(clf.transduction_[clf.query_indices_]) == {0}


def test_changing_the_classifier_later_does_not_change_the_loop():
    clf = make_clf()
    loop = LabelingLoop(clf, X, Y)
    clf.set_params(budget=1, batch_size=1)
    assert [len(rows) for rows in tell_all(loop)] == [4, 4]


def test_finishing_is_possible_at_any_time():
    loop = make_loop()
    n_labeled = [loop.finish().history_[-1]["n_labeled"]]
    rows = loop.ask().indices
    for row in rows:
        loop.tell([TRUTH[row]], indices=[row])
        fitted = loop.finish()
        n_labeled.append(fitted.history_[-1]["n_labeled"])
        known = fitted.transduction_ != -1
        alone = LogisticRegression().fit(X[known], TRUTH[known])
        np.testing.assert_array_equal(fitted.estimator_.coef_, alone.coef_)
    assert n_labeled == [2, 3, 4, 5, 6]


def test_finishing_does_not_end_the_loop_or_change_what_is_asked():
    calm, hasty = make_loop(), make_loop()
    rounds = []
    while (query := hasty.ask()) is not None:
        hasty.finish()
        hasty.tell(TRUTH[query.indices])
        hasty.finish()
        rounds.append(query.indices.tolist())
    assert rounds == tell_all(calm)
    first, second = hasty.finish(), hasty.finish()
    np.testing.assert_array_equal(first.estimator_.coef_, second.estimator_.coef_)
    first.transduction_[:] = 5
    assert set(second.transduction_) == {-1, 0, 1}


def test_a_round_told_in_part_is_in_the_history_of_what_is_finished():
    loop = make_loop()
    loop.tell(TRUTH[loop.ask().indices])
    rows = loop.ask().indices
    loop.tell([1, None], indices=rows[[2, 0]])
    fitted = loop.finish()
    assert fitted.query_indices_[4:].tolist() == rows[[0, 2]].tolist()
    assert [r["round"] for r in fitted.history_] == [1, 2, 3]
    assert [r["n_queried"] for r in fitted.history_] == [4, 2, 0]
    assert [r["n_abstained"] for r in fitted.history_] == [0, 1, 0]
    assert fitted.n_iter_ == 2
    loop.tell([0, 1])
    assert [r["n_queried"] for r in loop.finish().history_] == [4, 4, 0]


def test_probabilities_of_drawing_stay_with_their_rows():
    class Draws(BaseStrategy):
        def select(self, pool, n_queries):
            rows = pool.candidates[:n_queries]
            return Selection(rows, probabilities=rows / 100)

    loop = make_loop(strategy=Draws())
    for order in ([3, 0, 2, 1], [3, 1]):
        rows = loop.ask().indices
        for row in rows[order]:
            loop.tell([TRUTH[row]], indices=[row])
    fitted = loop.finish()
    rows, q = fitted.query_indices_, fitted.query_probabilities_
    assert len(rows) == 6
    np.testing.assert_allclose(q[:4], rows[:4] / 100)
    # The first of the second round is still out: what was drawn after it was drawn
    # from fewer rows than are known to be gone.
    assert np.isnan(q[4:]).all()
    loop.tell(TRUTH[loop.ask().indices])
    fitted = loop.finish()
    np.testing.assert_allclose(fitted.query_probabilities_, fitted.query_indices_ / 100)


def test_finishing_says_why_the_run_has_ended_or_that_it_has_not():
    loop = make_loop()
    assert loop.finish().termination_condition_ is None
    for expected in (None, "budget"):
        loop.tell(TRUTH[loop.ask().indices])
        assert loop.finish().termination_condition_ == expected
    assert loop.ask() is None


def test_finishing_without_any_label_says_so():
    loop = make_loop(np.full(21, -1))
    with pytest.raises(ActiveLearningError, match="No row has a label, and 0 rows"):
        loop.finish()
    loop.tell([0, 1, 0, 1], indices=loop.ask().indices)
    assert loop.finish().n_queries_ == 4


def test_nothing_is_asked_after_the_end():
    loop = make_loop(budget=4)
    assert len(tell_all(loop)) == 1
    assert loop.ask() is None
    assert loop.ask() is None
    assert loop.finish().termination_condition_ == "budget"


def test_a_loop_checks_its_inputs_when_it_is_made():
    with pytest.raises(ValueError, match="'batch_size' parameter"):
        make_loop(batch_size=0)
    with pytest.raises(ValueError, match="sample_ids must be unique"):
        make_loop(sample_ids=["a"] * 21)
    with pytest.raises(ValueError, match="no labels, and budget=0"):
        make_loop(np.full(21, -1), budget=0)


def test_y_and_x_are_copied_or_left_alone():
    given_X, given_y = X.copy(), Y.copy()
    loop = LabelingLoop(make_clf(), given_X, given_y)
    rounds = tell_all(loop)
    assert len(rounds) == 2
    np.testing.assert_array_equal(given_X, X)
    np.testing.assert_array_equal(given_y, Y)


@pytest.mark.parametrize("labels", [["a", "b", "a", "b"], np.array(["a", "bb"] * 2)])
def test_the_first_answers_may_say_what_kind_of_classes_there_are(labels):
    loop = make_loop(np.full(21, -1))
    rows = loop.ask().indices
    loop.tell(labels)
    with pytest.raises(OracleError, match="cannot become a label of type str"):
        loop.tell([1], indices=loop.ask().indices[:1])
    fitted = loop.finish()
    assert list(fitted.transduction_[rows]) == list(labels)
    assert fitted.classes_.tolist() == sorted(set(labels))
