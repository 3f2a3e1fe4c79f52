"""The containers that ActiveLearningClassifier takes, and unlabelled rows inside."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import coo_array, csc_array, csc_matrix, csr_array, csr_matrix
from sklearn.feature_extraction import DictVectorizer
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.semi_supervised import (
    LabelPropagation,
    LabelSpreading,
    SelfTrainingClassifier,
)
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearningClassifier

X = np.column_stack([np.linspace(0, 1, 31), np.linspace(1, 0, 31) ** 2])
TRUTH = (X[:, 0] > 0.5).astype(int)
Y = np.where(np.arange(31) % 10 == 0, TRUTH, -1)
IDS = np.arange(31)


class Spy(LogisticRegression):
    """Remembers what it was fitted on."""

    seen = []

    def fit(self, X, y, sample_weight=None):
        self.seen.append((X, y))
        return super().fit(X, y, sample_weight)


def make_clf(estimator=None, **params):
    defaults = {"batch_size": 4, "budget": 8, "random_state": 0}
    return ActiveLearningClassifier(
        Spy() if estimator is None else estimator, **defaults | params
    )


def fit(X, y=Y, **params):
    """Return a fitted classifier, the rows asked, and what the estimator got."""
    asked = []
    Spy.seen = []

    def ask(rows, sample_ids):
        asked.append(rows)
        return TRUTH[sample_ids]

    return make_clf(**params).fit(X, y, oracle=ask, sample_ids=IDS), asked, Spy.seen


def as_memmap(folder):
    np.save(folder / "X.npy", X)
    return np.load(folder / "X.npy", mmap_mode="r")


DENSE = fit(X)[0].query_indices_.tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64, np.float16])
def test_the_dtype_of_an_array_is_left_alone(dtype):
    given = (X * 10).astype(dtype)
    clf, asked, seen = fit(given)
    assert {rows.dtype for rows in asked} == {np.dtype(dtype)}
    assert {rows.dtype for rows, _ in seen} == {np.dtype(dtype)}
    np.testing.assert_array_equal(np.concatenate(asked), given[clf.query_indices_])


@pytest.mark.parametrize(
    "container", [csr_matrix, csr_array, csc_matrix, csc_array, coo_array]
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_sparse_rows_reach_the_oracle_in_their_format(container, dtype):
    given = container(X.astype(dtype))
    clf, asked, seen = fit(given)
    assert {(type(rows), rows.dtype) for rows in asked} == {
        (container, np.dtype(dtype))
    }
    assert {rows.format for rows, _ in seen} == {"csr"}
    found = np.concatenate([rows.toarray() for rows in asked])
    np.testing.assert_array_equal(found, X.astype(dtype)[clf.query_indices_])
    assert clf.n_features_in_ == 2


@pytest.mark.parametrize("strategy", ["margin", "random"])
def test_dense_and_sparse_rows_are_picked_alike(strategy):
    tree = DecisionTreeClassifier(max_depth=2, random_state=0)
    dense, *_ = fit(X, estimator=tree, strategy=strategy)
    sparse, *_ = fit(csr_matrix(X), estimator=tree, strategy=strategy)
    assert sparse.query_indices_.tolist() == dense.query_indices_.tolist()


def test_a_memory_map_is_read_row_by_row(tmp_path):
    clf, asked, _ = fit(as_memmap(tmp_path))
    assert clf.query_indices_.tolist() == DENSE
    assert asked[0].flags.writeable


def test_a_pandas_data_frame_stays_one():
    frame = pd.DataFrame(X, columns=["a", "b"], index=range(100, 131))
    clf, asked, seen = fit(frame)
    assert clf.query_indices_.tolist() == DENSE
    pd.testing.assert_frame_equal(pd.concat(asked), frame.iloc[DENSE])
    assert {type(rows) for rows, _ in seen} == {pd.DataFrame}
    assert clf.feature_names_in_.tolist() == ["a", "b"]
    assert clf.estimator_.feature_names_in_.tolist() == ["a", "b"]
    assert clf.n_features_in_ == 2


def test_a_polars_data_frame_stays_one():
    frame = pl.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    clf, asked, seen = fit(frame)
    assert clf.query_indices_.tolist() == DENSE
    assert pl.concat(asked).equals(frame[DENSE])
    assert {type(rows) for rows, _ in seen} == {pl.DataFrame}
    # Older versions of scikit-learn take no names from newer versions of polars.
    names = getattr(LogisticRegression().fit(frame, TRUTH), "feature_names_in_", None)
    np.testing.assert_array_equal(getattr(clf, "feature_names_in_", None), names)


def test_a_data_frame_of_mixed_columns_is_encoded_inside():
    frame = pd.DataFrame({"a": pd.Categorical(np.where(TRUTH, "x", "y")), "b": X[:, 1]})
    estimator = make_pipeline(
        OneHotEncoder(handle_unknown="ignore"), LogisticRegression()
    )
    clf, asked, _ = fit(frame, estimator=estimator)
    assert clf.score(frame, TRUTH) == 1.0
    assert {str(rows["a"].dtype) for rows in asked} == {"category"}


TEXTS = [f"{'good' if label else 'bad'} w{i}" for i, label in enumerate(TRUTH)]


@pytest.mark.parametrize(
    "container",
    [list, tuple, np.array, lambda t: np.array(t, dtype=object), pd.Series, pl.Series],
)
def test_texts_in_any_sequence(container):
    estimator = make_pipeline(CountVectorizer(), LogisticRegression())
    clf, asked, _ = fit(container(TEXTS), estimator=estimator)
    assert [text for rows in asked for text in rows] == [
        TEXTS[row] for row in clf.query_indices_
    ]
    assert clf.score(container(TEXTS), TRUTH) == 1.0
    assert not hasattr(clf, "n_features_in_")


def test_rows_that_are_dicts():
    rows = [{"a": a, "b": b} for a, b in X.tolist()]
    estimator = make_pipeline(DictVectorizer(), LogisticRegression())
    clf, asked, _ = fit(rows, estimator=estimator)
    assert [row for batch in asked for row in batch] == [
        rows[row] for row in clf.query_indices_
    ]
    assert clf.query_indices_.tolist() == DENSE


def test_arrays_of_objects_that_are_numbers():
    clf, asked, _ = fit(X.astype(object))
    assert clf.query_indices_.tolist() == DENSE
    assert {rows.dtype for rows in asked} == {np.dtype(object)}


def test_lists_of_lists_become_arrays():
    clf, asked, _ = fit(X.tolist())
    assert clf.query_indices_.tolist() == DENSE
    np.testing.assert_array_equal(np.concatenate(asked), X[DENSE])


def with_gaps(values, marker):
    return [value if y != -1 else marker for value, y in zip(values, Y, strict=True)]


@pytest.mark.parametrize(
    ("y", "marker", "kind"),
    [
        (Y.astype(np.int8), -1, "i"),
        (Y.astype(float), -1, "f"),
        (with_gaps(TRUTH.tolist(), None), None, "i"),
        (pd.Series(with_gaps(TRUTH.tolist(), None), dtype="Int64"), None, "i"),
        (pd.Series(Y, dtype="Int64"), -1, "i"),
        (pd.Series(Y, dtype="category"), -1, "i"),
        (pl.Series(with_gaps(TRUTH.tolist(), None)), np.nan, "i"),
        (pl.Series(Y), -1, "i"),
    ],
)
def test_the_estimator_gets_labels_of_one_kind(y, marker, kind):
    clf, _, seen = fit(X, y, missing_label=marker)
    assert clf.query_indices_.tolist() == DENSE
    assert {labels.dtype.kind for _, labels in seen} == {kind}
    assert {tuple(np.unique(labels)) for _, labels in seen} == {(0, 1)}


def test_numbers_of_dtype_object_are_numbers_for_the_estimator_to_the_end():
    clf, _, seen = fit(X, Y.astype(object), budget=None)
    assert clf.termination_condition_ == "all_labeled"
    assert {labels.dtype.kind for _, labels in seen} == {"i"}
    plain = make_clf().fit(X, TRUTH.astype(object))
    assert clf.classes_.tolist() == plain.classes_.tolist() == [0, 1]


def test_the_transduction_keeps_the_dtype_of_y():
    for dtype in (np.int8, np.int64, np.float32, object):
        clf, *_ = fit(X, Y.astype(dtype))
        assert clf.transduction_.dtype == dtype
    clf = make_clf().fit(X, Y.astype(np.int8), oracle=lambda X: [1000] * len(X))
    assert clf.transduction_.max() == 1000


SEMI_SUPERVISED = [
    SelfTrainingClassifier(LogisticRegression()),
    LabelSpreading(),
    LabelPropagation(),
]


@pytest.mark.parametrize("estimator", SEMI_SUPERVISED)
@pytest.mark.parametrize("marker", [-1, None, np.nan, 7])
def test_pass_hands_all_rows_over_with_minus_one_for_the_unlabelled(estimator, marker):
    y = np.array(with_gaps(TRUTH.tolist(), marker), dtype=object)
    clf, *_ = fit(
        X, y, estimator=estimator, unlabeled="pass", missing_label=marker, budget=4
    )
    labeled = clf.labeled_iter_ >= 0
    alone = estimator.fit(X, np.where(labeled, TRUTH, -1))
    np.testing.assert_array_equal(clf.predict_proba(X), alone.predict_proba(X))
    assert clf.classes_.tolist() == [0, 1]
    assert (labeled.sum(), clf.n_queries_) == (4 + 4, 4)


@pytest.mark.parametrize("first", ["labelled", "unlabelled"])
def test_pass_with_classes_that_are_strings(first):
    names = np.array(["no", "yes"], dtype=object)[TRUTH]
    y = np.array(with_gaps(names, None), dtype=object)
    y[0] = "no" if first == "labelled" else None
    clf = make_clf(SEMI_SUPERVISED[0], unlabeled="pass", missing_label=None)
    clf.fit(X, y, oracle=lambda X: np.where(X[:, 0] > 0.5, "yes", "no"))
    assert clf.classes_.tolist() == ["no", "yes"]
    assert set(clf.predict(X)) == {"no", "yes"}
    assert clf.n_queries_ == 8


@pytest.mark.parametrize("estimator", [LabelSpreading(), LabelPropagation()])
def test_strings_beside_minus_one_are_refused_before_payment(estimator):
    y = np.array(with_gaps(np.array(["no", "yes"])[TRUTH], None), dtype=object)
    calls = []
    clf = make_clf(estimator, unlabeled="pass", missing_label=None, oracle=calls.append)
    with pytest.raises(ValueError, match="Encode the classes as integers"):
        clf.fit(X, y)
    assert calls == []


@pytest.mark.parametrize("classes", [None, [-1, 1]])
def test_pass_refuses_minus_one_as_a_class(classes):
    y = np.array(with_gaps(np.where(TRUTH, 1, -1), np.nan))
    clf = make_clf(SEMI_SUPERVISED[0], unlabeled="pass", missing_label=np.nan)
    with pytest.raises(ValueError, match="-1 is one of the classes"):
        clf.set_params(classes=classes).fit(X, y, oracle=lambda X: [1] * len(X))


def test_pass_refuses_minus_one_as_an_answer():
    y = np.array(with_gaps(TRUTH, np.nan))
    clf = make_clf(SEMI_SUPERVISED[0], unlabeled="pass", missing_label=np.nan)
    with pytest.raises(ValueError, match="-1 stands for a missing label"):
        clf.fit(X, y, oracle=lambda X: [1, 0, -1, 1])
    assert (clf.labeled_iter_ == 1).sum() == 3
