"""Rows of all kinds and sizes, ids, weights: T17, T26, T28, T29, T41, T46, T63, T64."""

import tracemalloc

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array, csc_matrix, csr_array, csr_matrix
from scipy.sparse import random as random_sparse
from sklearn import config_context
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.exceptions import NotFittedError
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

IDS = list(range(21))


@pytest.mark.parametrize(
    ("sample_ids", "message"),
    [
        ([*IDS[:-1], 0], "sample_ids must be unique, but 0 stands for several rows"),
        (["a"] * 21, "sample_ids must be unique, but 'a'"),
        (IDS[:-1], r"one id for each of the 21 rows, got an array of shape \(20,\)"),
        (np.zeros((21, 1), dtype=int), r"got an array of shape \(21, 1\)"),
        (5, r"got an array of shape \(\)"),
        ([*IDS[:-1], None], "must be ints or strs, got None of type NoneType"),
        ([*IDS[:-1], 2.5], "got 2.5 of type float"),
        (np.arange(21.0), "got 0.0 of type float"),
        ([*IDS[:-1], True], "got True of type bool"),
        (pd.date_range("2020", periods=21), r"index\.astype\(str\)"),
    ],
)
def test_t17_t41_ids_that_do_not_identify_are_refused_before_payment(
    X, y, make_clf, logging_oracle, sample_ids, message
):
    oracle = logging_oracle()
    with pytest.raises(ValueError, match=message):
        make_clf(oracle).fit(X, y, sample_ids=sample_ids)
    assert oracle.n_calls == 0


@pytest.mark.parametrize(
    "sample_ids",
    [
        np.arange(21, dtype=np.uint8),
        tuple(IDS),
        [f"row {i}" for i in IDS],
        pd.Index([f"row {i}" for i in IDS]),
        pd.Series(IDS, index=IDS[::-1]),
        range(100, 121),
        [1, "1", *(f"row {i}" for i in IDS[2:])],
        [2**63, -1, 2**53, 2**53 + 1, *range(17)],
        [2**70, 2**70 + 1, *range(19)],
    ],
    ids=lambda v: type(v).__name__,
)
def test_t17_the_oracle_gets_the_ids_as_they_were_given(X, y, make_clf, sample_ids):
    asked = []

    def ask(X, sample_ids):
        asked.extend(sample_ids.tolist())
        return [1] * len(X)

    clf = make_clf(ask).fit(X, y, sample_ids=sample_ids)
    given = list(sample_ids)
    assert asked == [given[row] for row in clf.query_indices_]
    assert {type(i) for i in asked} == {int} or {str} <= {type(i) for i in asked}


def with_gaps(X, value=np.nan):
    X = np.hstack([X, X])
    X[3, 1] = X[9, 1] = value
    return X


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("labels", ["two classes", "none"])
@pytest.mark.parametrize("strategy", ["margin", "random"])
@pytest.mark.parametrize("container", [np.array, pd.DataFrame, csr_matrix])
def test_t26_rows_that_the_estimator_does_not_take_are_refused_before_payment(
    X, y, make_clf, logging_oracle, value, labels, strategy, container
):
    oracle = logging_oracle()
    y = y if labels == "two classes" else np.full(21, -1)
    with pytest.raises(ValueError, match=r"Input X contains (NaN|infinity)"):
        make_clf(oracle, strategy=strategy).fit(container(with_gaps(X, value)), y)
    assert oracle.n_calls == 0


@pytest.mark.parametrize("labels", ["two classes", "none"])
@pytest.mark.parametrize(
    "estimator",
    [
        HistGradientBoostingClassifier(min_samples_leaf=1, max_iter=2),
        make_pipeline(SimpleImputer(), LogisticRegression()),
    ],
)
@pytest.mark.filterwarnings("ignore:The rows have no embedding:UserWarning")
def test_t26_rows_with_gaps_pass_where_the_estimator_takes_them(
    X, y, make_clf, logging_oracle, estimator, labels
):
    y = y if labels == "two classes" else np.full(21, -1)
    oracle = logging_oracle()
    clf = make_clf(oracle, estimator=estimator, budget=None).fit(with_gaps(X), y)
    assert clf.termination_condition_ == "all_labeled"
    assert oracle.n_rows == clf.n_queries_ == (y == -1).sum()


def frame_with_gaps(X, value):
    """A data frame of a number, which has two gaps, and a text."""
    frame = pd.DataFrame({"a": X[:, 0], "b": np.where(X[:, 0] > 0.3, "x", "y")})
    frame.loc[[3, 9], "a"] = value
    return frame.astype({"a": "Float64"}) if value is pd.NA else frame


@pytest.mark.parametrize("value", [np.nan, np.inf, pd.NA])
@pytest.mark.parametrize("labels", ["two classes", "none"])
@pytest.mark.parametrize("step", ["passthrough", StandardScaler()])
def test_t26_gaps_in_mixed_data_frames_are_found_before_payment(
    X, y, make_clf, logging_oracle, value, labels, step
):
    y = y if labels == "two classes" else np.full(21, -1)
    frame, oracle = frame_with_gaps(X, value), logging_oracle(lambda X: [0, 1, 0, 1])
    columns = make_column_transformer((OneHotEncoder(), ["b"]), (step, ["a"]))
    estimator = make_pipeline(columns, LogisticRegression())
    with pytest.raises(ValueError, match=r"contains (NaN|infinity)|uses pandas.NA"):
        make_clf(oracle, estimator=estimator).fit(frame, y)
    assert oracle.n_calls == 0


@pytest.mark.parametrize("value", [np.nan, pd.NA])
@pytest.mark.parametrize("labels", ["two classes", "none"])
def test_t26_gaps_in_mixed_data_frames_are_imputed_inside(
    X, y, make_clf, logging_oracle, value, labels
):
    y = y if labels == "two classes" else np.full(21, -1)
    frame, oracle = frame_with_gaps(X, value), logging_oracle(lambda X: [0, 1, 0, 1])
    columns = make_column_transformer(
        (OneHotEncoder(), ["b"]), (SimpleImputer(), ["a"])
    )
    clf = make_clf(oracle, estimator=make_pipeline(columns, LogisticRegression()))
    assert clf.fit(frame, y).n_queries_ == oracle.n_rows == 8


SPARSE = [csr_matrix, csr_array, csc_matrix, coo_array]


@pytest.mark.parametrize("container", SPARSE)
@pytest.mark.parametrize("strategy", ["margin", "entropy", "random"])
def test_t28_sparse_rows_are_picked_as_dense_ones_and_keep_their_format(
    make_clf, logging_oracle, container, strategy
):
    X = np.random.default_rng(0).integers(0, 4, (60, 5)).astype(float)
    y = np.array([0, 1] + [-1] * 58)
    oracle = logging_oracle(lambda X: (X.toarray()[:, 0] > 1).astype(int))
    estimator = RandomForestClassifier(5, max_depth=2, random_state=0)
    clf = make_clf(oracle, estimator=estimator, strategy=strategy, budget=20)
    sparse = clf.fit(container(X), y).query_indices_.tolist()
    dense = clf.fit(X, y, oracle=lambda X: (X[:, 0] > 1).astype(int))
    assert sparse == dense.query_indices_.tolist()
    assert {type(batch) for batch in oracle.batches} == {container}


def test_t28_wide_indices_of_a_sparse_matrix(make_clf):
    X = csr_matrix(np.random.default_rng(0).integers(0, 4, (60, 5)).astype(float))
    X.indices, X.indptr = X.indices.astype(np.int64), X.indptr.astype(np.int64)
    y = np.array([0, 1] + [-1] * 58)
    clf = make_clf(lambda X: [1] * X.shape[0], estimator=MultinomialNB())
    assert clf.fit(X, y).n_queries_ == 8


def test_t28_sparse_rows_are_never_made_dense(make_clf):
    X = random_sparse(2000, 5000, density=0.001, format="csr", random_state=0)
    y = np.array([0, 1] * 5 + [-1] * 1990)
    clf = make_clf(lambda X: [0, 1, 0, 1], estimator=MultinomialNB())
    tracemalloc.start()
    try:
        clf.fit(X, y)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2000 * 5000 * 8 / 10


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.zeros((0, 2)), [], r"0 sample\(s\)"),
        (np.zeros((5, 0)), [0, 1, -1, -1, -1], r"0 feature\(s\)"),
        (pd.DataFrame({"a": []}), [], r"0 sample\(s\)"),
        (pd.DataFrame(index=range(3)), [0, 1, -1], r"0 feature\(s\)"),
        (csr_matrix((5, 0)), [0, 1, -1, -1, -1], r"0 feature\(s\)"),
        (np.zeros(5), [0, 1, -1, -1, -1], "Expected 2D array"),
        (np.zeros((5, 2, 2)), [0, 1, -1, -1, -1], "dim"),
        (3.0, [0, 1], "Expected 2D array|scalar"),
    ],
)
def test_t29_no_rows_or_no_features_is_scikit_learns_error(
    make_clf, logging_oracle, X, y, message
):
    oracle = logging_oracle()
    with pytest.raises(ValueError, match=message):
        make_clf(oracle).fit(X, y)
    assert oracle.n_calls == 0


def test_t29_one_row_and_one_unlabelled_row(make_clf, logging_oracle):
    clf = make_clf(logging_oracle(), estimator=MultinomialNB())
    assert clf.fit([[1.0]], [-1]).classes_.tolist() == [1]
    clf.fit([[0.0], [1.0], [2.0]], [0, 1, -1])
    assert clf.query_indices_.tolist() == [2]


@pytest.mark.parametrize("name", ["sample_weight", "groups"])
def test_t41_weights_of_the_wrong_length_are_refused_before_payment(
    X, y, make_clf, logging_oracle, name
):
    oracle = logging_oracle()
    with config_context(enable_metadata_routing=True):
        estimator = LogisticRegression().set_fit_request(sample_weight=True)
        with pytest.raises(ValueError, match=f"{name} must hold .* 21 rows, got 20"):
            make_clf(oracle, estimator=estimator).fit(X, y, **{name: np.ones(20)})
    assert oracle.n_calls == 0


@pytest.mark.parametrize(
    "cost", [np.ones(20), np.full(21, -1.0), np.full(21, np.nan), np.ones((21, 1))]
)
def test_t41_costs_that_are_no_prices_are_refused_before_payment(
    X, y, make_clf, logging_oracle, cost
):
    oracle = logging_oracle()
    with pytest.raises(ValueError, match="cost must hold a finite number >= 0"):
        make_clf(oracle).fit(X, y, cost=cost)
    assert oracle.n_calls == 0


def test_t41_fit_parameters_need_metadata_routing(X, y, make_clf, logging_oracle):
    oracle = logging_oracle()
    with pytest.raises(ValueError, match="only supported if enable_metadata_routing"):
        make_clf(oracle).fit(X, y, sample_weight=np.ones(21))
    assert oracle.n_calls == 0


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_t46_a_read_only_memory_map_works(
    X, y, make_clf, logging_oracle, tmp_path, dtype
):
    np.save(tmp_path / "X.npy", X.astype(dtype))
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    y.setflags(write=False)
    oracle = logging_oracle()
    clf = make_clf(oracle).fit(mapped, y)
    assert clf.n_queries_ == 8
    assert {batch.dtype for batch in oracle.batches} == {np.dtype(dtype)}


def test_t63_predicting_checks_the_names_of_features(X, y, make_clf):
    frame = pd.DataFrame({"a": X[:, 0], "b": 1.0})
    clf = make_clf(lambda X: [0, 1, 0, 1]).fit(frame, y)
    assert clf.feature_names_in_.tolist() == ["a", "b"]
    with pytest.raises(ValueError, match="must be in the same order"):
        clf.predict(frame[["b", "a"]])
    with pytest.raises(ValueError, match="unseen at fit time"):
        clf.predict(frame.assign(c=1.0))
    with pytest.raises(ValueError, match="yet now missing"):
        clf.score(frame[["a"]], y)


@pytest.mark.parametrize(
    "method", ["predict", "predict_proba", "predict_log_proba", "decision_function"]
)
def test_t64_predicting_needs_a_fit_and_the_same_features(X, y, make_clf, method):
    clf = make_clf(lambda X: [0, 1, 0, 1])
    with pytest.raises(NotFittedError, match="ActiveLearningClassifier"):
        getattr(clf, method)(X)
    clf.fit(X, y)
    with pytest.raises(ValueError, match=r"2 features.*expecting 1 feature"):
        getattr(clf, method)(np.hstack([X, X]))


def test_t64_scoring_needs_a_fit_and_as_many_labels_as_rows(X, y, make_clf):
    clf = make_clf(lambda X: [0, 1, 0, 1])
    with pytest.raises(NotFittedError):
        clf.score(X, y)
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        clf.fit(X, y).score(X, y[:20])


def test_t64_a_failed_fit_leaves_nothing_fitted(X, y, make_clf, logging_oracle):
    clf = make_clf(logging_oracle(None, None, OSError("no line"))).fit(X, y)
    with pytest.raises(ValueError, match="no line"):
        clf.fit(X, y)
    with pytest.raises(NotFittedError):
        clf.predict(X)


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (LinearRegression(), "must be a classifier, got the regressor"),
        (SVC(kernel="precomputed"), "pairwise"),
        (LogisticRegression(C=-1), "'C' parameter"),
        (make_pipeline(SimpleImputer(), LogisticRegression(C=-1)), "'C' parameter"),
        ("svc", "'estimator' parameter"),
    ],
)
@pytest.mark.parametrize("labels", ["two classes", "none"])
def test_estimators_that_cannot_be_fitted_are_refused_before_payment(
    X, y, make_clf, logging_oracle, estimator, message, labels
):
    oracle = logging_oracle()
    y = y if labels == "two classes" else np.full(21, -1)
    with pytest.raises(ValueError, match=message):
        make_clf(oracle, estimator=estimator).fit(X, y)
    assert oracle.n_calls == 0
