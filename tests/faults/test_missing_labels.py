"""Markers of missing labels, and targets of all kinds: T22, T23, T31 to T35, T39."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import DataConversionWarning, UndefinedMetricWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, cross_val_score
from sklearn.tree import DecisionTreeClassifier

from skactive.model_selection import LabeledFold


@pytest.mark.parametrize("marker", [-1, None, np.nan, ""])
def test_t22_no_labels_and_no_oracle_is_refused(X, make_clf, marker):
    y = np.full(21, marker)
    with pytest.raises(ValueError, match="no labels and no oracle"):
        make_clf(missing_label=marker).fit(X, y)


def test_t22_without_an_oracle_the_labels_are_all_that_is_learnt(X, y, make_clf):
    with pytest.warns(UserWarning, match="There is no oracle"):
        clf = make_clf().fit(X, y)
    alone = LogisticRegression().fit(X[[0, 20]], y[[0, 20]])
    np.testing.assert_array_equal(clf.predict_proba(X), alone.predict_proba(X))
    np.testing.assert_array_equal(clf.transduction_, y)
    assert clf.termination_condition_ == "no_oracle"
    assert (clf.n_queries_, clf.n_iter_, len(clf.history_)) == (0, 0, 1)


@pytest.mark.parametrize("labels", [[0, 1], ["no", "yes"], [0.0, 1.0], [False, True]])
def test_t23_a_fully_labelled_y_gives_the_plain_estimator(X, truth, make_clf, labels):
    y = np.array(labels)[truth]
    estimator = RandomForestClassifier(5, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf = make_clf(estimator=estimator).fit(X, y)
    alone = clone(estimator).fit(X, y)
    np.testing.assert_array_equal(clf.predict_proba(X), alone.predict_proba(X))
    np.testing.assert_array_equal(clf.classes_, alone.classes_)
    assert clf.transduction_.dtype == y.dtype
    assert clf.termination_condition_ == "all_labeled"


def test_t23_an_oracle_is_not_called_for_a_fully_labelled_y(
    X, truth, make_clf, logging_oracle
):
    oracle = logging_oracle()
    clf = make_clf(oracle)
    with pytest.warns(UserWarning, match="no unlabeled samples.*marked by -1"):
        clf.fit(X, truth)
    assert (oracle.n_calls, clf.n_queries_) == (0, 0)
    assert clf.termination_condition_ == "all_labeled"


NAMES = np.array(["no", "yes"])


def names_above_half(X):
    return NAMES[(X[:, 0] > 0.5).astype(int)]


@pytest.mark.parametrize(
    ("marker", "as_given"),
    [
        ("", np.array),
        ("", lambda y: np.array(y, dtype=object)),
        (None, lambda y: np.array(y, dtype=object)),
        (np.nan, lambda y: np.array(y, dtype=object)),
        (-1, lambda y: np.array(y, dtype=object)),
        ("", pd.Series),
        (None, pd.Series),
        (None, lambda y: pd.Series(y, dtype="string")),
        (None, lambda y: pd.Series(y, dtype="category")),
        (None, lambda y: pl.Series(y, dtype=pl.String)),
        (None, list),
        ("?", list),
    ],
)
def test_t31_classes_that_are_strings(X, make_clf, marker, as_given):
    y = as_given(["no"] + [marker] * 19 + ["yes"])
    clf = make_clf(names_above_half, missing_label=marker).fit(X, y)
    assert clf.n_queries_ == 8
    assert clf.classes_.tolist() == ["no", "yes"]
    rows = clf.query_indices_
    assert list(clf.transduction_[rows]) == names_above_half(X[rows]).tolist()
    assert clf.predict([[0.0], [1.0]]).tolist() == ["no", "yes"]


def test_t31_an_answer_longer_than_the_strings_of_y_is_not_cut(X, make_clf):
    y = np.array(["a"] + [""] * 19 + ["b"])
    clf = make_clf(lambda X: ["a", "b", "longer", "b"], missing_label="", budget=4)
    assert clf.fit(X, y).classes_.tolist() == ["a", "b", "longer"]


@pytest.mark.parametrize(
    ("marker", "text"), [(-1, "-1"), (None, "None"), (np.nan, "nan"), (7, "7")]
)
@pytest.mark.parametrize("dtype", ["U4", object])
def test_t31_a_marker_that_has_become_text_is_refused_before_payment(
    X, make_clf, logging_oracle, marker, text, dtype
):
    y = np.array(["no"] + [text] * 19 + ["yes"], dtype=dtype)
    oracle = logging_oracle()
    clf = make_clf(oracle, missing_label=marker)
    with pytest.raises(ValueError, match=f"y contains the string '{text}'.*dtype=obj"):
        clf.fit(X, y)
    assert oracle.n_calls == 0
    clf.set_params(missing_label=text, oracle=names_above_half).fit(X, y)
    assert clf.classes_.tolist() == ["no", "yes"]


def test_t32_the_marker_cannot_be_one_of_the_closed_classes(
    X, y, make_clf, logging_oracle
):
    oracle = logging_oracle()
    with pytest.raises(ValueError, match=r"classes contains -1.*missing_label=None"):
        make_clf(oracle, classes=[-1, 1]).fit(X, y)
    assert oracle.n_calls == 0


def test_t32_only_ones_beside_the_marker_give_a_warning(X, make_clf):
    y = np.array([1] + [-1] * 20)
    with pytest.warns(UserWarning, match="only class with labels is 1.*missing_label"):
        make_clf(lambda X: [0, 1, 0, 1]).fit(X, y)


@pytest.mark.parametrize(
    ("marker", "dtype"), [(np.nan, float), (None, object), (None, float), (0, int)]
)
def test_t32_minus_one_is_a_class_with_another_marker(X, make_clf, marker, dtype):
    y = np.array([-1] + [marker] * 19 + [1], dtype=dtype)
    clf = make_clf(lambda X: np.where(X[:, 0] > 0.5, 1, -1), missing_label=marker)
    clf.fit(X, y)
    assert clf.classes_.tolist() == [-1, 1]
    assert clf.n_queries_ == 8
    assert set(clf.transduction_[clf.query_indices_]) == {-1, 1}


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint64])
def test_t33_an_unsigned_y_cannot_hold_the_marker(
    X, y, make_clf, logging_oracle, dtype
):
    oracle, wrapped = logging_oracle(), np.iinfo(dtype).max
    message = f"unsigned dtype {np.dtype(dtype)}.*contains {wrapped}.*signed dtype"
    with pytest.raises(ValueError, match=message):
        make_clf(oracle).fit(X, y.astype(dtype))
    assert oracle.n_calls == 0


def test_t33_unsigned_labels_are_fine_without_the_wrapped_marker(X, truth, make_clf):
    clf = make_clf().fit(X, truth.astype(np.uint8))
    assert clf.classes_.tolist() == [0, 1]
    without_oracle = make_clf().fit(X, np.where(truth, 255, 0).astype(np.uint8))
    assert without_oracle.classes_.tolist() == [0, 255]
    marked = np.where(np.arange(21) % 20 == 0, truth, 9).astype(np.uint8)
    clf = make_clf(lambda X: [1] * len(X), missing_label=9).fit(X, marked)
    assert clf.n_queries_ == 8


def sparse_target(marker, dtype):
    return np.array([0] + [marker] * 19 + [1], dtype=dtype)


@pytest.mark.parametrize(
    ("y", "marker", "column"),
    [
        (sparse_target(-1, float), -1, False),
        (sparse_target(np.nan, float), np.nan, False),
        (sparse_target(np.nan, np.float32), None, False),
        (sparse_target(-1, int).tolist(), -1, False),
        (sparse_target(-1, int).reshape(-1, 1), -1, True),
        (pd.Series(sparse_target(-1, int), index=range(50, 71)), -1, False),
        (pd.Series([0] + [None] * 19 + [1], dtype="Int64"), None, False),
        (pd.Series([0] + [None] * 19 + [1], dtype="boolean"), None, False),
        (pd.DataFrame({"y": sparse_target(-1, int)}), -1, True),
        (pl.Series([0] + [None] * 19 + [1]), None, False),
        (sparse_target(-1, np.int8), -1, False),
    ],
)
def test_t34_targets_of_many_kinds(X, make_clf, logging_oracle, y, marker, column):
    oracle = logging_oracle()
    clf = make_clf(oracle, missing_label=marker)
    if column:
        with pytest.warns(DataConversionWarning):
            clf.fit(X, y)
    else:
        clf.fit(X, y)
    assert (oracle.n_rows, clf.n_queries_) == (8, 8)
    assert clf.classes_.tolist() == [0, 1]
    assert clf.transduction_[clf.query_indices_].tolist() == [
        int(value > 0.5) for value in X[clf.query_indices_, 0]
    ]


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (np.linspace(0, 1, 21), "continuous"),
        (np.eye(21, 2, dtype=int), "1d array"),
        ([[0, 1]] * 21, "1d array"),
        (np.array([0, 1, "2"] + [-1] * 18, dtype=object), "mixes labels of types"),
        (np.array([0, 1, None] + [-1] * 18), "contains NaN or None"),
        (np.array([0, 1, np.nan] + [-1] * 18), "contains NaN"),
        (np.array([0, 1, np.inf] + [-1] * 18), "contains infinity"),
        ([0, 1, 10**25] + [-1] * 18, "contains 1000.*does not fit into 64 bits"),
        (np.array([0, 1, (2, 3)] + [-1] * 18, dtype=object), "mixes labels of types"),
        (None, "requires y to be passed"),
        (np.array([0, 1, -1]), "inconsistent numbers of samples"),
    ],
)
def test_t34_targets_that_are_no_classes_are_refused_before_payment(
    X, make_clf, logging_oracle, y, message
):
    oracle = logging_oracle()
    with pytest.raises(ValueError, match=message):
        make_clf(oracle).fit(X, y)
    assert oracle.n_calls == 0


@pytest.mark.parametrize("marker", [True, 0.5, [1], object()])
def test_t34_a_marker_of_another_type_is_refused(X, y, make_clf, marker):
    with pytest.raises(ValueError, match="missing_label must be an int, a str, None"):
        make_clf(missing_label=marker).fit(X, y)


@pytest.mark.filterwarnings("ignore:y contains no unlabeled samples:UserWarning")
def test_t35_a_fold_without_labels_is_a_cold_start_or_scores_nan(
    X, make_clf, logging_oracle
):
    X, y = X[:14], np.array([0, 0, 0, 1, 0, 0, 0] + [-1] * 7)
    oracle = logging_oracle()
    clf = make_clf(oracle, budget=7)
    with pytest.warns(UndefinedMetricWarning, match="no sample has a label"):
        scores = cross_val_score(clf, X, y, cv=KFold(2), error_score="raise")
    # The second half alone is trained on in the first fold, and scored in the second.
    assert np.isfinite(scores).tolist() == [True, False]
    assert all(batch.min() >= X[7] for batch in oracle.batches)
    assert oracle.n_rows == 7


def test_t35_labeled_folds_have_labels_in_both_parts(X, make_clf, logging_oracle):
    X, y = X[4:18], np.array([0, 0, 0, 1, 0, 1, 1] + [-1] * 7)
    clf = make_clf(logging_oracle())
    scores = cross_val_score(clf, X, y, cv=LabeledFold(3), error_score="raise")
    assert np.isfinite(scores).all()


def test_t39_the_score_ignores_rows_without_a_label(X, y, truth, make_clf):
    clf = make_clf(lambda X: [0] * len(X)).fit(X, y)
    some = np.where(np.arange(21) % 3 == 0, truth, -1)
    labeled = some != -1
    expected = np.mean(clf.predict(X[labeled]) == truth[labeled])
    assert clf.score(X, some) == expected
    weight = np.arange(21.0)
    hit = clf.predict(X[labeled]) == truth[labeled]
    weighted = np.average(hit, weights=weight[labeled])
    assert clf.score(X, some, sample_weight=weight) == pytest.approx(weighted)


def test_t39_no_label_at_all_scores_nan_with_a_warning(X, y, make_clf):
    clf = make_clf(lambda X: [0] * len(X)).fit(X, y)
    with pytest.warns(UndefinedMetricWarning, match="no sample has a label"):
        assert np.isnan(clf.score(X, np.full(21, -1)))


def test_t39_a_cross_validation_never_counts_the_marker_as_an_error(
    X, truth, make_clf, logging_oracle
):
    y = np.where(np.arange(21) % 2 == 0, truth, -1)
    clf = make_clf(logging_oracle(), estimator=DecisionTreeClassifier())
    scores = cross_val_score(clf, X, y, cv=KFold(3, shuffle=True, random_state=0))
    assert (scores > 0.6).all()


@pytest.mark.parametrize("length", [7, 20, 22])
def test_t39_sample_weight_of_the_wrong_length_is_refused(X, y, make_clf, length):
    clf = make_clf(lambda X: [0] * len(X)).fit(X, y)
    y[:7] = 0
    y[7:] = -1
    with pytest.raises(ValueError, match=r"inconsistent|sample_weight"):
        clf.score(X, y, sample_weight=np.ones(length))
