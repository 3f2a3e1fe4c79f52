"""Answers, tables and imports whose rows have names: by id or by position."""

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import DataConversionWarning
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier, LabelingLoop
from skactive._loop.result import current_attributes
from skactive.exceptions import OracleError, StopLabeling
from skactive.oracles import CachedOracle, MajorityOracle, SimulatedOracle

IDS = np.array([f"r{i:02}" for i in range(30)])
X = np.linspace(0, 1, 30).reshape(-1, 1)
LABELS = pd.Series(np.arange(30) % 3, index=IDS)
Y = np.where(np.arange(30) < 6, LABELS, -1)


def backwards(rows, sample_ids):
    """Answer in the order of a spreadsheet that somebody has sorted."""
    return LABELS.loc[sample_ids[::-1]]


def make_clf(oracle=None):
    return ActiveLearningClassifier(
        LogisticRegression(), oracle=oracle, budget=8, batch_size=4, random_state=0
    )


def is_right(clf):
    asked = clf.query_indices_
    return (clf.transduction_[asked] == LABELS.iloc[asked]).all()


def test_answers_with_the_ids_as_index_are_put_in_order():
    assert is_right(make_clf(backwards).fit(X, Y, sample_ids=IDS))


def test_answers_in_a_store_and_in_a_majority_are_put_in_order(tmp_path):
    oracle = CachedOracle(backwards, tmp_path / "labels.sqlite")
    assert is_right(make_clf(oracle).fit(X, Y, sample_ids=IDS))
    kept = {record["sample_id"]: record["label"] for record in oracle.records()}
    assert kept == LABELS[list(kept)].to_dict()
    oracle.close()
    oracle = MajorityOracle([backwards, backwards])
    assert is_right(make_clf(oracle).fit(X, Y, sample_ids=IDS))


def test_answers_named_like_the_rows_of_a_data_frame_are_put_in_order():
    frame = pd.DataFrame(X, columns=["a"], index=IDS)
    clf = make_clf(lambda rows: LABELS.loc[rows.index[::-1]])
    assert is_right(clf.fit(frame, Y))


def test_labels_that_come_with_a_wish_to_stop_are_put_in_order():
    def ask(rows, sample_ids):
        raise StopLabeling(labels=LABELS.loc[sample_ids[:3][::-1]])

    clf = make_clf(ask).fit(X, Y, sample_ids=IDS)
    assert clf.n_queries_ == 3
    assert is_right(clf)


@pytest.mark.parametrize("ids", [IDS, None], ids=["by id", "by row number"])
def test_told_series_are_put_in_order(ids):
    loop = LabelingLoop(make_clf(), X, Y, sample_ids=ids)
    rows = loop.ask().indices
    names = rows if ids is None else ids[rows]
    loop.tell(pd.Series(LABELS.to_numpy()[rows], index=names)[::-1])
    assert is_right(loop.finish())


def test_answers_with_any_other_index_go_by_position():
    def ask(rows, sample_ids):
        return pd.Series(LABELS.loc[sample_ids].to_numpy(), index=[9, 8, 7, 6])

    assert is_right(make_clf(ask).fit(X, Y, sample_ids=IDS))


def test_a_default_index_that_could_be_ids_goes_by_position_with_a_warning():
    labels = np.arange(4) % 2

    def ask(rows, sample_ids):
        return pd.Series(labels[sample_ids])

    loop = LabelingLoop(make_clf(), X[:4], np.full(4, -1), sample_ids=[2, 0, 3, 1])
    query = loop.ask()
    with pytest.warns(UserWarning, match="read by position"):
        loop.tell(ask(query.X, query.sample_ids))
    state = current_attributes(loop._run)
    assert state["transduction_"].tolist() == labels[[2, 0, 3, 1]].tolist()


def test_a_simulated_oracle_follows_the_index_of_its_labels():
    y_true = pd.Series(["a", "b", "c"], index=[20, 10, 11])
    assert SimulatedOracle(y_true)([[0]] * 2, [10, 20]) == ["b", "a"]
    with pytest.raises(ValueError, match=r"for the sample_ids \[0\]; .* such as 20"):
        SimulatedOracle(y_true)([[0]], [0])


def test_it_warns_where_positions_would_say_otherwise():
    y_true = pd.Series(["a", "b", "c"], index=[2, 0, 1])
    with pytest.warns(UserWarning, match="looks ids up in the index of y_true"):
        assert SimulatedOracle(y_true)([[0]], [0]) == ["b"]
    with pytest.warns(UserWarning, match="looks ids up in the index of y_true"):
        assert SimulatedOracle(y_true, sample_ids=[0, 1, 2])([[0]], [0]) == ["b"]


def test_it_goes_by_position_where_the_index_cannot_be_meant():
    y_true = pd.Series(["a", "b", "c"], index=["x", "y", "z"])
    assert SimulatedOracle(y_true)([[0]], [2]) == ["c"]
    assert SimulatedOracle(y_true, sample_ids=["p", "q", "r"])([[0]], ["q"]) == ["b"]


def test_it_refuses_ids_that_name_several_labels_or_rows_of_another_table():
    with pytest.raises(ValueError, match="several labels for the sample_id 1"):
        SimulatedOracle(pd.Series([0, 1, 0], index=[1, 1, 2]))([[0]], [2])
    ids = pd.Series(["a", "b"], index=[1, 0])
    with pytest.raises(ValueError, match=r"^y_true and sample_ids have different"):
        SimulatedOracle(pd.Series([0, 1]), sample_ids=ids)([[0]], ["a"])


@pytest.mark.parametrize(
    ("ids", "asked", "message"),
    [
        (None, ["1"], "'1' is of type str, and the id 1 of type int"),
        (["1", "2"], [1], "1 is of type int, and the id '1' of type str"),
    ],
)
def test_ids_of_another_type_are_told_apart(ids, asked, message):
    with pytest.raises(ValueError, match=f"Only the type differs: {message}"):
        SimulatedOracle([0, 1], sample_ids=ids)([[0]], asked)


def test_ids_of_another_type_that_are_told_are_named():
    loop = LabelingLoop(make_clf(), X, Y, sample_ids=np.arange(30))
    loop.ask()
    with pytest.raises(ValueError, match="Only the type differs: '7' is of type str"):
        loop.tell([1], sample_ids=["7"])


def test_ids_of_mixed_types_are_found():
    loop = LabelingLoop(make_clf(), X[:2], [-1, -1], sample_ids=[1, "a"])
    loop.ask()
    loop.tell([0, 1], sample_ids=["a", 1])
    assert loop.finish().transduction_.tolist() == [1, 0]


def test_a_series_is_imported_by_its_index(tmp_path):
    oracle = CachedOracle(backwards, tmp_path / "labels.sqlite")
    assert oracle.import_labels(LABELS[::-1]) == 30
    assert oracle(X[:2], sample_ids=IDS[:2]) == [0, 1]
    columns = {"sample_id": pd.Series([0, 1]), "label": pd.Series([5, 6], index=[1, 0])}
    with pytest.raises(ValueError, match=r"^label and sample_id have different"):
        oracle.import_labels(columns)
    oracle.close()


def odd(value):
    """Return an oracle whose second answer is odd."""

    def ask(rows, sample_ids):
        answers = ["ham" if i < "r15" else "spam" for i in sample_ids]
        return [answers[0], value, *answers[2:]]

    return ask


TEXTS = np.where(np.arange(30) < 3, "ham", np.where(np.arange(30) > 26, "spam", None))


@pytest.mark.parametrize("value", ["Ham", "ham\n", " HAM "])
def test_a_class_that_is_only_spelt_otherwise_is_warned_of_once(value):
    clf = make_clf(odd(value)).set_params(missing_label=None)
    with pytest.warns(UserWarning, match="white space only") as caught:
        clf.fit(X, TEXTS, sample_ids=IDS)
    texts = [str(warning.message) for warning in caught]
    assert sum(f"{value!r} for row" in text and "'ham'" in text for text in texts) == 1
    assert value in clf.classes_


def test_classes_that_differ_by_case_from_the_beginning_are_no_mistake(recwarn):
    y = np.array(["a", "A", *[None] * 28], dtype=object)
    clf = make_clf(lambda X: ["A"] * len(X)).set_params(missing_label=None)
    clf.fit(X, y)
    assert not [w for w in recwarn if "white space" in str(w.message)]


def test_an_unknown_answer_says_what_is_spelt_otherwise():
    clf = make_clf(odd("Ham")).set_params(missing_label=None, classes=["ham", "spam"])
    with pytest.raises(
        OracleError, match=r"'Ham' is not one .*'ham' is spelt differently"
    ):
        clf.fit(X, TEXTS, sample_ids=IDS)


REFUSAL = "I am sorry, I cannot tell."


def closed(oracle=None):
    return make_clf(oracle).set_params(
        missing_label=None, classes=["ham", "spam"], unknown_answers="abstain"
    )


def test_unknown_answers_may_count_as_none(tmp_path):
    with pytest.warns(UserWarning, match="counts as none.*I am sorry"):
        clf = closed(odd(REFUSAL)).fit(X, TEXTS, sample_ids=IDS)
    assert clf.classes_.tolist() == ["ham", "spam"]
    assert [record["n_abstained"] for record in clf.history_] == [1, 1, 0]
    oracle = CachedOracle(odd(REFUSAL), tmp_path / "labels.sqlite")
    with pytest.warns(UserWarning, match="counts as none"):
        stored = closed(oracle).fit(X, TEXTS, sample_ids=IDS)
    assert stored.transduction_.tolist() == clf.transduction_.tolist()
    assert {record["label"] for record in oracle.records()} == {"ham", "spam", None}
    oracle.close()
    loop = LabelingLoop(closed(), X, TEXTS)
    rows = loop.ask().indices
    with pytest.warns(UserWarning, match="counts as none"):
        loop.tell([REFUSAL, 7, "ham", "spam"])
    assert [loop.finish().transduction_[row] for row in rows] == [
        None,
        None,
        "ham",
        "spam",
    ]


def test_answers_that_are_no_labels_at_all_stay_errors():
    loop = LabelingLoop(closed(), X, TEXTS)
    loop.ask()
    with pytest.raises(OracleError, match="of type list is not a label"):
        loop.tell([["ham"], "ham", "ham", "spam"])


def test_unknown_answers_need_a_closed_set_of_classes():
    with pytest.raises(ValueError, match="unknown_answers='abstain' needs `classes`"):
        closed(odd("ham")).set_params(classes=None).fit(X, TEXTS, sample_ids=IDS)


def test_a_class_that_comes_late_and_once_is_warned_of():
    n_asked = []

    def ask(rows):
        n_asked.append(len(rows))
        answers = ["spam" if x > 0.5 else "ham" for x in rows[:, 0]]
        return [*answers[:-1], REFUSAL] if sum(n_asked) == 16 else answers

    clf = make_clf(ask).set_params(missing_label=None, budget=16)
    with pytest.warns(UserWarning, match="'I am sorry.*came late and have one label"):
        clf.fit(X, TEXTS)


@pytest.mark.filterwarnings("error:.*column vector")
def test_a_doubt_about_answers_that_is_an_error_has_the_answers():
    X, y = np.arange(4.0).reshape(-1, 1), np.full(4, -1)
    clf = make_clf(lambda X: np.array([[0], [1], [0], [1]]))
    with pytest.raises(DataConversionWarning) as caught:
        clf.fit(X, y)
    assert np.ravel(caught.value.answers).tolist() == [0, 1, 0, 1]
