"""What an oracle may answer, and what is refused: T03 to T08, T11, T12, T16."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.exceptions import DataConversionWarning
from sklearn.neighbors import KNeighborsClassifier

from skactive import LabelingLoop
from skactive.exceptions import OracleError
from skactive.oracles._asking import ask_oracle


@pytest.mark.parametrize(
    ("n_given", "container"),
    [(3, list), (3, np.array), (5, list), (5, pd.Series), (0, list)],
)
def test_t03_wrong_number_of_labels_is_refused_and_nothing_is_cut(
    X, y, make_clf, logging_oracle, n_given, container
):
    answers = container([1] * n_given)
    oracle = logging_oracle(lambda X: answers)
    clf = make_clf(oracle)
    with pytest.raises(OracleError, match=f"expected 4, got {n_given}") as caught:
        clf.fit(X, y)
    assert caught.value.answers is answers
    assert oracle.n_calls == 1
    np.testing.assert_array_equal(clf.transduction_, y)
    assert clf.n_queries_ == 0


def test_t03_wrong_number_in_round_two_keeps_the_labels_of_round_one(
    X, y, truth, make_clf, logging_oracle
):
    clf = make_clf(logging_oracle(None, lambda X: [1, 1]))
    with pytest.raises(OracleError, match="expected 4, got 2") as caught:
        clf.fit(X, y)
    rows = caught.value.indices
    assert sorted(rows) == sorted(np.flatnonzero(clf.labeled_iter_ == 1))
    np.testing.assert_array_equal(caught.value.labels, truth[rows])
    np.testing.assert_array_equal(clf.transduction_[rows], truth[rows])
    assert len(rows) == 4
    assert (clf.transduction_ != -1).sum() == 2 + 4


def test_t04_an_unknown_class_is_named_and_the_valid_ones_of_the_batch_are_kept(
    X, y, make_clf, logging_oracle
):
    oracle = logging_oracle(lambda X: [1, 7, 0, 7])
    clf = make_clf(oracle, classes=[0, 1])
    with pytest.raises(OracleError, match=r"2 of 4 .* 7 is not one of") as caught:
        clf.fit(X, y)
    error = caught.value
    assert isinstance(error, ValueError)
    assert error.answers == [7, 7]
    assert error.labels.tolist() == [1, 0]
    assert clf.transduction_[error.indices].tolist() == [1, 0]
    rows = (oracle.batches[0][[1, 3], 0] * 20).round().astype(int)
    for row in rows:
        assert f"row {row}: 7" in str(error)
    assert clf.transduction_[rows].tolist() == [-1, -1]


def test_t05_a_new_class_is_accepted_and_gets_a_column(X, y, make_clf, logging_oracle):
    seen = []

    def spy(pool):
        seen.append((pool.classes.tolist(), pool.proba.shape[1]))
        return pool.proba[:, 0]

    oracle = logging_oracle(None, lambda X: [2, 2, 0, 1], None)
    clf = make_clf(oracle, strategy=spy, budget=12)
    clf.fit(X, y)
    assert seen == [([0, 1], 2), ([0, 1], 2), ([0, 1, 2], 3)]
    assert clf.classes_.tolist() == [0, 1, 2]
    assert clf.predict_proba(X).shape == (21, 3)


@pytest.mark.parametrize(
    "nothing", [None, -1, -1.0, float("nan"), np.nan, pd.NA, pd.NaT], ids=repr
)
def test_t06_an_abstention_costs_and_is_not_asked_again(
    X, y, make_clf, logging_oracle, nothing
):
    clf = make_clf(logging_oracle(lambda X: [0, nothing, 1, nothing], None))
    clf.fit(X, y)
    abstained = clf.query_indices_[[1, 3]]
    assert clf.transduction_[abstained].tolist() == [-1, -1]
    assert clf.labeled_iter_[abstained].tolist() == [-1, -1]
    assert [r["n_abstained"] for r in clf.history_] == [2, 0, 0]
    assert [r["n_queried"] for r in clf.history_] == [4, 4, 0]
    assert len(set(clf.query_indices_)) == clf.n_queries_ == 8
    assert (clf.transduction_ != -1).sum() == 2 + 6


def test_t07_an_oracle_that_knows_nothing_is_not_asked_for_ever(
    X, y, make_clf, logging_oracle
):
    oracle = logging_oracle(lambda X: [None] * len(X))
    clf = make_clf(oracle, budget=None)
    with pytest.warns(UserWarning, match="abstained on all 19 rows"):
        clf.fit(X, y)
    assert (oracle.n_calls, oracle.n_rows) == (5, 19)
    assert clf.termination_condition_ == "all_asked"
    np.testing.assert_array_equal(clf.transduction_, y)
    alone = make_clf().estimator.fit(X[[0, -1]], y[[0, -1]])
    np.testing.assert_array_equal(clf.predict_proba(X), alone.predict_proba(X))


def test_t07_abstentions_use_up_the_budget(X, y, make_clf, logging_oracle):
    clf = make_clf(logging_oracle(lambda X: [None] * len(X)), budget=6)
    with pytest.warns(UserWarning, match="abstained on all 6 rows"):
        clf.fit(X, y)
    assert clf.termination_condition_ == "budget"
    assert clf.n_queries_ == 6


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (np.inf, "inf is not a class"),
        (10**25, "does not fit into 64 bits"),
        (-(2**63) - 1, "does not fit into 64 bits"),
        (0.5, r"0\.5 is not a class"),
        ([1], r"\[1\] of type list is not a label"),
        (object, "is not a label"),
        (b"1", "is not a label"),
        (1j, "is not a label"),
        ("1", r"'1' \(str\) cannot become a label of type int without loss"),
    ],
    ids=repr,
)
def test_t08_t11_a_value_that_is_no_label_is_refused(
    X, y, make_clf, logging_oracle, bad, why
):
    clf = make_clf(logging_oracle(lambda X: [1, 0, bad, 1]))
    with pytest.raises(OracleError, match=f"1 of 4 answers .*{why}") as caught:
        clf.fit(X, y)
    assert caught.value.answers == [bad]
    assert caught.value.labels.tolist() == [1, 0, 1]
    assert clf.transduction_[caught.value.indices].tolist() == [1, 0, 1]


def test_t08_nan_in_a_float_array_abstains_for_integer_classes(
    X, y, make_clf, logging_oracle
):
    clf = make_clf(logging_oracle(lambda X: np.array([1.0, np.nan, 0.0, 1.0])))
    clf.set_params(budget=4).fit(X, y)
    assert clf.transduction_.dtype == y.dtype
    assert clf.transduction_[clf.query_indices_].tolist() == [1, -1, 0, 1]


def test_t08_a_masked_label_is_an_abstention(X, y, make_clf, logging_oracle):
    masked = np.ma.array([1, 9, 0, 1], mask=[False, True, False, False])
    clf = make_clf(logging_oracle(lambda X: masked), budget=4).fit(X, y)
    assert clf.transduction_[clf.query_indices_].tolist() == [1, -1, 0, 1]


def test_t08_a_column_vector_is_ravelled_with_a_warning(
    X, y, truth, make_clf, logging_oracle
):
    clf = make_clf(logging_oracle(lambda X: (X > 0.5).astype(int)))
    with pytest.warns(DataConversionWarning, match="column vector"):
        clf.fit(X, y)
    rows = clf.query_indices_
    np.testing.assert_array_equal(clf.transduction_[rows], truth[rows])


@pytest.mark.parametrize("shape", [(4, 2), (1, 4), (4, 1, 1), ()])
def test_t08_an_array_of_another_shape_is_refused(
    X, y, make_clf, logging_oracle, shape
):
    clf = make_clf(logging_oracle(lambda X: np.ones(shape, dtype=int)))
    with pytest.raises(OracleError, match="must return a sequence of labels"):
        clf.fit(X, y)
    np.testing.assert_array_equal(clf.transduction_, y)


@pytest.mark.parametrize(
    "container",
    [
        tuple,
        np.array,
        pd.Series,
        pl.Series,
        pd.Categorical,
        pd.Index,
        lambda v: np.array(v, dtype=float),
        lambda v: np.array(v, dtype=bool),
        lambda v: np.array(v, dtype=object),
        lambda v: pd.Series(v, dtype="Int64"),
        lambda v: pd.Series(v, index=[9, 7, 5, 3]),
        lambda v: pd.Series(v, dtype="category"),
        lambda v: [np.bool_(value) for value in v],
    ],
)
def test_t11_any_sequence_is_used_by_position_and_cast_without_loss(
    X, y, make_clf, logging_oracle, container
):
    clf = make_clf(logging_oracle(lambda X: container([1, 0, 0, 1])), budget=4)
    clf.fit(X, y)
    assert clf.transduction_[clf.query_indices_].tolist() == [1, 0, 0, 1]
    assert clf.transduction_.dtype == y.dtype


@pytest.mark.parametrize("text", ["nan", "None", "-1", "<NA>"])
def test_t11_a_missing_label_turned_into_text_by_numpy_is_refused(
    X, truth, make_clf, logging_oracle, text
):
    names = np.where(truth, "yes", "no").astype(object)
    names[1:-1] = -1
    clf = make_clf(logging_oracle(lambda X: np.array(["yes", text, "no", "no"])))
    with pytest.raises(OracleError, match=f"unicode array that contains '{text}'"):
        clf.fit(X, names)
    assert (clf.transduction_ != -1).sum() == 2


def test_t11_the_same_text_in_a_list_is_a_class(X, truth, make_clf, logging_oracle):
    names = np.where(truth, "yes", "no").astype(object)
    names[1:-1] = -1
    oracle = logging_oracle(lambda X: ["yes", "None", "no", "None"])
    clf = make_clf(oracle, budget=4).fit(X, names)
    assert clf.classes_.tolist() == ["None", "no", "yes"]


async def answer_later(X):
    return [1] * len(X)


async def answer_one_by_one_later(X):
    yield 1


@pytest.mark.parametrize(
    ("answer", "what"),
    [
        (lambda X: dict.fromkeys(range(4), 1), "a dict"),
        (lambda X: {0, 1, 2, 3}, "a set"),
        (lambda X: "0101", "a str"),
        (lambda X: b"0101", "a bytes"),
        (lambda X: 1, "1 of type int"),
        (lambda X: None, "None of type NoneType"),
        (lambda X: pd.DataFrame({"label": [1] * 4}), "a DataFrame"),
        (lambda X: pl.DataFrame({"label": [1] * 4}), "a DataFrame"),
        (answer_later, "an awaitable; await it inside"),
        (answer_one_by_one_later, "an awaitable; await it inside"),
    ],
)
@pytest.mark.filterwarnings(
    "error::RuntimeWarning", "error::pytest.PytestUnraisableExceptionWarning"
)
def test_t12_what_is_no_sequence_is_refused(
    X, y, make_clf, logging_oracle, answer, what
):
    clf = make_clf(logging_oracle(answer))
    with pytest.raises(OracleError, match=f"must return a sequence.*got {what}"):
        clf.fit(X, y)
    np.testing.assert_array_equal(clf.transduction_, y)


def test_t12_labels_of_a_generator_are_recorded_as_they_come(X, y, make_clf):
    loop = LabelingLoop(make_clf(), X, y)
    n_known = []

    def ask(X):
        for _ in X:
            n_known.append(loop.finish().n_queries_)
            yield 1

    ask_oracle(ask, (), loop.ask(), loop.tell)
    assert n_known == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("n_given", "message"),
    [(3, "ended too early: expected 4 labels, got 3"), (5, "went on after the 4")],
)
def test_t12_a_generator_of_the_wrong_length_keeps_what_it_gave(
    X, y, make_clf, logging_oracle, n_given, message
):
    clf = make_clf(logging_oracle(lambda X: iter([1, 0, 1, 0, 1][:n_given])))
    with pytest.raises(OracleError, match=message) as caught:
        clf.fit(X, y)
    n_kept = min(n_given, 4)
    assert caught.value.labels.tolist() == [1, 0, 1, 0][:n_kept]
    rows = caught.value.indices
    assert clf.transduction_[rows].tolist() == [1, 0, 1, 0][:n_kept]


def test_t16_the_first_of_two_contradicting_labels_wins_with_a_warning(
    X, y, truth, make_clf
):
    loop = LabelingLoop(make_clf(estimator=KNeighborsClassifier(1)), X, y)
    row = int(loop.ask().indices[0])
    loop.tell([truth[row]], indices=[row])
    with pytest.warns(UserWarning, match=f"Row {row} has the label {truth[row]} alr"):
        loop.tell([1 - truth[row]], indices=[row])
    fitted = loop.finish()
    assert fitted.transduction_[row] == truth[row]
    assert fitted.query_indices_.tolist() == [row]


def test_t16_a_label_that_contradicts_the_given_one_is_ignored_with_a_warning(
    X, y, make_clf
):
    loop = LabelingLoop(make_clf(), X, y)
    loop.ask()
    with pytest.warns(UserWarning, match="Row 20 has the label 1 already"):
        loop.tell([0], indices=[20])
    fitted = loop.finish()
    assert fitted.transduction_[20] == 1
    assert fitted.labeled_iter_[20] == 0
    assert fitted.n_queries_ == 0
