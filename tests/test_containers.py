"""Containers of other libraries: indices of 64 bits, nulls, lazy frames, named rows."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import coo_array, csr_array
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.svm import SVC

from skactive import ActiveLearningClassifier, CommitteeClassifier, LabelingLoop
from skactive.model_selection import LabeledFold, active_learning_curve, labeled_scorer
from skactive.oracles import SimulatedOracle
from skactive.stopping import ValidationPlateau
from skactive.utils._containers import as_column, with_small_indices
from skactive.utils._sklearn import _safe_indexing

IDS = np.arange(40)
StringDType = getattr(np.dtypes, "StringDType", None)
needs_string_dtype = pytest.mark.skipif(StringDType is None, reason="numpy < 2")
X = np.column_stack([IDS / 40, (IDS % 7) / 7])
TRUTH = (IDS >= 20).astype(int)
Y = np.where(IDS % 10 == 0, TRUTH, -1)
NULLS = [None if label < 0 else int(label) for label in Y]


def make_clf(estimator=None, **params):
    estimator = LogisticRegression() if estimator is None else estimator
    defaults = {"budget": 6, "batch_size": 3, "random_state": 0}
    defaults["oracle"] = SimulatedOracle(TRUTH)
    return ActiveLearningClassifier(estimator, **defaults | params)


def with_large_indices(container=csr_array):
    rows, columns = np.nonzero(X)
    return container((X[rows, columns], (rows, columns)), shape=X.shape)


@pytest.mark.parametrize(
    "estimator",
    [RandomForestClassifier(3, random_state=0), SVC(), SGDClassifier(random_state=0)],
    ids=lambda estimator: type(estimator).__name__,
)
@pytest.mark.parametrize("container", [csr_array, coo_array])
def test_sparse_rows_with_large_indices_are_taken(estimator, container):
    large = with_large_indices(container)
    clf = make_clf(estimator).fit(large, Y, sample_ids=IDS)
    assert clf.predict(large).shape == (40,)
    assert clf.score(large, Y) >= 0
    committee = CommitteeClassifier(estimator, 2, random_state=0).fit(large, TRUTH)
    assert committee.predict(large).shape == (40,)


def test_sparse_rows_of_the_caller_are_not_changed_and_not_copied():
    large = with_large_indices()
    before = large.copy()
    small = with_small_indices(large)
    assert small.indices.dtype == small.indptr.dtype == np.int32
    assert np.shares_memory(small.data, large.data)
    make_clf(SVC()).fit(large, Y, sample_ids=IDS).predict(large)
    assert large.indices.dtype == np.int64
    np.testing.assert_array_equal(large.indices, before.indices)
    np.testing.assert_array_equal(large.data, before.data)


def test_sorting_the_small_indices_does_not_move_the_values_of_the_caller():
    indices = np.array([1, 0], dtype=np.int64)
    unsorted = csr_array(([7.0, 5.0], indices, np.array([0, 2])), shape=(1, 2))
    unsorted.indices, unsorted.indptr = indices, unsorted.indptr.astype(np.int64)
    with_small_indices(unsorted).sort_indices()
    assert unsorted.data.tolist() == [7.0, 5.0]
    assert unsorted.toarray().tolist() == [[5.0, 7.0]]


def test_validation_rows_with_large_indices_are_taken():
    stopping = ValidationPlateau(X_val=with_large_indices(coo_array), y_val=TRUTH)
    clf = make_clf(SVC(), stopping=stopping)
    assert clf.fit(with_large_indices(), Y, sample_ids=IDS).n_queries_ > 0


@pytest.mark.parametrize(
    "y",
    [
        pl.Series(NULLS),
        pl.DataFrame({"y": NULLS}),
        pd.Series(NULLS, dtype="Int64"),
        pd.DataFrame({"y": pd.array(NULLS, dtype="Int64")}),
    ],
    ids=["polars", "polars frame", "pandas", "pandas frame"],
)
@pytest.mark.filterwarnings("ignore:A column-vector y")
def test_whole_numbers_with_nulls_stay_whole_numbers(y):
    clf = make_clf(missing_label=None).fit(X, y, sample_ids=IDS)
    assert clf.classes_.dtype.kind == "i"
    known = clf.transduction_[clf.labeled_iter_ >= 0].tolist()
    assert {type(label) for label in known} == {int}


def test_arrow_columns_with_nulls_keep_their_type():
    pa = pytest.importorskip("pyarrow")
    for column in (pa.array(NULLS), pa.chunked_array([NULLS])):
        assert as_column(column).tolist() == NULLS
    series = pd.Series(NULLS, dtype="int64[pyarrow]")
    clf = make_clf(missing_label=None).fit(X, series, sample_ids=IDS)
    assert clf.classes_.dtype.kind == "i"


def test_floats_with_nulls_stay_floats():
    assert as_column(pl.Series([0.5, None])).dtype == np.float64


@needs_string_dtype
@pytest.mark.parametrize("na", [{}, {"na_object": None}], ids=["no null", "null"])
def test_labels_and_classes_of_numpys_string_type(na):
    marker = None if na else "?"
    dtype = StringDType(**na)
    names = np.array(["ham", "spam"], dtype=dtype)
    y = np.array([marker if v < 0 else ["ham", "spam"][v] for v in Y], dtype=dtype)
    clf = make_clf(
        oracle=SimulatedOracle(names[TRUTH]), classes=names, missing_label=marker
    )
    clf.fit(X, y, sample_ids=IDS)
    assert clf.classes_.tolist() == ["ham", "spam"]
    assert clf.score(X, names[TRUTH]) > 0.5


@needs_string_dtype
def test_rows_and_ids_of_numpys_string_type():
    table = np.array([["a", "b"][v] for v in TRUTH], dtype=StringDType())
    ids = IDS.astype("U2").astype(StringDType())
    pipeline = make_pipeline(OneHotEncoder(), LogisticRegression())
    oracle = SimulatedOracle(TRUTH, sample_ids=ids)
    clf = make_clf(pipeline, oracle=oracle).fit(table[:, None], Y, sample_ids=ids)
    assert clf.score(table[:, None], TRUTH) == 1.0


class LazyFrameOfDask:
    """Looks like a data frame of dask: it has columns, and a shape without numbers."""

    columns, shape = ["a", "b"], (None, 2)

    def __len__(self):
        raise AssertionError("a computation was started")

    def __dask_graph__(self):
        return {}

    def compute(self):
        return pd.DataFrame(X, columns=["a", "b"])


@pytest.mark.parametrize(
    ("lazy", "call"),
    [(pl.DataFrame(X).lazy(), "collect"), (LazyFrameOfDask(), "compute")],
    ids=["polars", "dask"],
)
def test_lazy_frames_are_refused_with_the_call_that_helps(lazy, call):
    for what, use in [
        ("X", lambda: make_clf().fit(lazy, Y, sample_ids=IDS)),
        ("y", lambda: make_clf().fit(X, lazy, sample_ids=IDS)),
        ("X", lambda: make_clf().fit(X, Y, sample_ids=IDS).predict(lazy)),
        ("X", lambda: CommitteeClassifier(LogisticRegression()).fit(lazy, TRUTH)),
        ("X", lambda: next(LabeledFold(2).split(lazy, Y))),
        ("X", lambda: active_learning_curve(make_clf(oracle=None), lazy, TRUTH)),
    ]:
        with pytest.raises(TypeError, match=rf"^{what} is a .*pass {what}.{call}\(\)"):
            use()


def test_a_table_of_pyarrow_is_taken():
    pa = pytest.importorskip("pyarrow")
    table = pa.table({"a": X[:, 0], "b": X[:, 1]})
    try:
        _safe_indexing(table, [0])
    except TypeError:  # such as 1.6
        pytest.skip("this scikit-learn takes no rows of a table of pyarrow")
    loop = LabelingLoop(make_clf(), table, Y, sample_ids=IDS)
    query = loop.ask()
    loop.tell(TRUTH[query.indices])
    assert loop.finish().predict(table).shape == (40,)


@pytest.mark.parametrize(
    "strategy", ["margin", "bald", "k_center", "typiclust", "auto"]
)
def test_a_polars_frame_goes_through_every_kind_of_strategy(strategy):
    frame = pl.DataFrame(X, schema=["a", "b"])
    asked = [
        make_clf(strategy=strategy).fit(rows, Y, sample_ids=IDS).query_indices_.tolist()
        for rows in (X, frame)
    ]
    assert asked[0] == asked[1]


FRAME = pd.DataFrame(X, columns=["a", "b"], index=IDS[::-1])


def moved(values):
    """Return values for the rows of FRAME, in the right order but with other names."""
    return pd.Series(values, index=np.roll(IDS, 1))


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("y", lambda: make_clf().fit(FRAME, moved(Y), sample_ids=IDS)),
        ("cost", lambda: make_clf().fit(FRAME, Y, sample_ids=IDS, cost=moved(IDS))),
        ("sample_ids", lambda: make_clf().fit(FRAME, Y, sample_ids=moved(IDS))),
        ("y", lambda: LabelingLoop(make_clf(), FRAME, moved(Y))),
        ("y", lambda: CommitteeClassifier(LogisticRegression()).fit(FRAME, moved(Y))),
        ("y", lambda: next(LabeledFold(2).split(FRAME, moved(Y)))),
        ("groups", lambda: next(LabeledFold(2).split(FRAME, Y, moved(Y)))),
        ("y", lambda: labeled_scorer("accuracy")(None, FRAME, moved(TRUTH))),
        (
            "y",
            lambda: active_learning_curve(make_clf(oracle=None), FRAME, moved(TRUTH)),
        ),
        (
            "y_val",
            lambda: make_clf(
                stopping=ValidationPlateau(X_val=FRAME, y_val=moved(TRUTH))
            ).fit(FRAME, Y, sample_ids=IDS),
        ),
    ],
)
def test_what_goes_by_position_must_not_have_other_names(name, use):
    with pytest.raises(ValueError, match=f"^{name} and X.* different indices: row 1 "):
        use()


@pytest.mark.filterwarnings("ignore:y is matched with the rows by position")
def test_labels_to_score_with_must_not_have_other_names():
    clf = make_clf().fit(FRAME, pd.Series(Y, index=FRAME.index), sample_ids=IDS)
    with pytest.raises(ValueError, match=r"^y and X have different indices"):
        clf.score(FRAME, moved(TRUTH))
    with pytest.raises(ValueError, match=r"^sample_weight and X have different"):
        clf.score(FRAME, TRUTH, sample_weight=moved(TRUTH))


def test_prices_that_could_be_meant_by_id_are_warned_of():
    cost = pd.Series(IDS, index=IDS[::-1])
    with pytest.warns(UserWarning, match=r"^cost is matched with the rows by position"):
        clf = make_clf().fit(X, Y, sample_ids=IDS, cost=cost)
    assert clf.history_[-1]["total_cost"] == clf.query_indices_.sum()


@pytest.mark.parametrize("container", [pd.Series, pd.Categorical])
def test_categories_with_missing_ones_stay_integers(container):
    y = pd.Series(NULLS, dtype="Int64").astype(object).astype("category")
    y = y if container is pd.Series else y.array
    clf = make_clf(missing_label=None).fit(X, y, sample_ids=IDS)
    assert clf.classes_.dtype.kind == "i"


@pytest.mark.parametrize("unit", ["datetime64[D]", "timedelta64[D]"])
def test_dates_are_no_labels(unit):
    y = np.where(Y < 0, np.datetime64("NaT").astype(unit), Y.astype(unit))
    with pytest.raises(ValueError, match=r"^y holds dates or durations"):
        make_clf(missing_label=None).fit(X, y, sample_ids=IDS)
