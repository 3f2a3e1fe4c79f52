"""Oracles that raise, stop, fit, or change what they get: T01, T09, T15, T18."""

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive.exceptions import (
    ActiveLearningError,
    FitInProgressError,
    OracleError,
    StopLabeling,
)


def test_t01_labels_of_rounds_before_a_failure_are_kept(
    X, y, truth, make_clf, logging_oracle
):
    failure = ConnectionError("line broken")
    oracle = logging_oracle(None, failure)
    clf = make_clf(oracle)
    with pytest.raises(OracleError, match="ConnectionError: line broken") as caught:
        clf.fit(X, y)
    assert caught.value.__cause__ is failure
    assert oracle.n_calls == 2
    rows = caught.value.indices
    assert rows.tolist() == clf.query_indices_.tolist()
    np.testing.assert_array_equal(caught.value.labels, truth[rows])
    np.testing.assert_array_equal(clf.transduction_[rows], truth[rows])
    np.testing.assert_array_equal(np.flatnonzero(clf.labeled_iter_ == 1), sorted(rows))
    assert (clf.n_queries_, clf.n_iter_) == (4, 1)


def test_t01_an_error_of_the_first_call_has_no_labels(X, y, make_clf, logging_oracle):
    clf = make_clf(logging_oracle(OSError("no line")))
    with pytest.raises(OracleError, match="The oracle raised OSError: no line"):
        clf.fit(X, y)
    np.testing.assert_array_equal(clf.transduction_, y)
    assert not hasattr(clf, "estimator_")
    assert not hasattr(clf, "termination_condition_")


def test_t01_a_fit_on_the_transduction_goes_on_with_a_fresh_budget(
    X, y, make_clf, logging_oracle
):
    clf = make_clf(logging_oracle(None, TimeoutError("slow"), None))
    with pytest.raises(OracleError):
        clf.fit(X, y)
    bought = clf.query_indices_
    clf.fit(X, clf.transduction_)
    assert clf.n_queries_ == 8
    assert not np.isin(clf.query_indices_, bought).any()
    assert (clf.labeled_iter_[bought] == 0).all()


def test_t01_the_error_survives_pickling_with_its_labels(
    X, y, make_clf, logging_oracle
):
    with pytest.raises(OracleError) as caught:
        make_clf(logging_oracle(None, TimeoutError("slow"))).fit(X, y)
    loaded = pickle.loads(pickle.dumps(caught.value))
    assert str(loaded) == str(caught.value)
    assert loaded.labels.tolist() == caught.value.labels.tolist()
    assert loaded.indices.tolist() == caught.value.indices.tolist()


def test_t01_a_generator_that_raises_keeps_the_labels_before(X, y, make_clf):
    def ask(X):
        yield from [0, 1]
        raise ConnectionError("line broken")

    clf = make_clf(ask)
    with pytest.raises(OracleError, match="line broken") as caught:
        clf.fit(X, y)
    assert caught.value.labels.tolist() == [0, 1]
    assert clf.transduction_[caught.value.indices].tolist() == [0, 1]
    assert [record["n_queried"] for record in clf.history_] == [2]
    assert (clf.n_queries_, clf.n_iter_) == (2, 1)


def test_t09_an_interrupt_is_raised_again_after_the_labels_are_safe(
    X, y, truth, make_clf, logging_oracle
):
    clf = make_clf(logging_oracle(None, KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt) as caught:
        clf.fit(X, y)
    rows = clf.query_indices_
    assert len(rows) == 4
    np.testing.assert_array_equal(clf.transduction_[rows], truth[rows])
    assert caught.value.indices.tolist() == rows.tolist()
    assert "4 labels had been bought" in caught.value.__notes__[0]


def test_t09_an_interrupted_generator_keeps_the_labels_before(X, y, make_clf):
    def ask(X):
        yield 1
        raise KeyboardInterrupt

    clf = make_clf(ask)
    with pytest.raises(KeyboardInterrupt):
        clf.fit(X, y)
    assert clf.transduction_[clf.query_indices_].tolist() == [1]
    clf.fit(X, y, oracle=lambda X: [0] * len(X))
    assert clf.n_queries_ == 8


@pytest.mark.parametrize(("given", "n_labels"), [(None, 0), ([], 0), ([1, 0], 2)])
def test_t09_stop_labeling_ends_the_run_normally(
    X, y, make_clf, logging_oracle, given, n_labels
):
    stop = StopLabeling("It is late.", labels=given)
    clf = make_clf(logging_oracle(None, stop)).fit(X, y)
    assert clf.termination_condition_ == "oracle"
    assert clf.n_queries_ == 4 + n_labels
    rows = clf.query_indices_[4:]
    assert clf.transduction_[rows].tolist() == (given or [])
    assert clf.history_[-1]["n_labeled"] == 2 + 4 + n_labels


@pytest.mark.parametrize("n_labels", [0, 1, 3, 4])
def test_t09_a_generator_may_stop_after_any_label(X, y, make_clf, n_labels):
    def ask(X):
        yield from [0, 1, 0, 1][:n_labels]
        raise StopLabeling

    clf = make_clf(ask).fit(X, y)
    assert clf.termination_condition_ == "oracle"
    assert clf.transduction_[clf.query_indices_].tolist() == [0, 1, 0, 1][:n_labels]
    assert clf.n_iter_ == (n_labels > 0)


def test_t09_stop_labeling_with_more_labels_than_rows_is_refused(
    X, y, make_clf, logging_oracle
):
    clf = make_clf(logging_oracle(StopLabeling(labels=[1] * 5)))
    with pytest.raises(OracleError, match="5 labels for a batch of 4 rows"):
        clf.fit(X, y)
    np.testing.assert_array_equal(clf.transduction_, y)


class DoublesEverything:
    """Spoils whatever array it is given, then answers from the ids."""

    def __init__(self, truth):
        self.truth = truth

    def __call__(self, X, sample_ids, proba, classes):
        labels = self.truth[sample_ids]
        values = X.data if hasattr(X, "indptr") else X
        for spoilt in (values, sample_ids, proba, classes):
            spoilt[:] = -7
        return labels


@pytest.mark.parametrize("container", [np.array, csr_matrix, np.asfortranarray])
def test_t15_an_oracle_cannot_change_what_the_run_works_on(
    X, y, truth, make_clf, container
):
    given, ids = container(X), np.arange(21)
    quiet = make_clf(lambda X, sample_ids: truth[sample_ids])
    expected = quiet.fit(given, y, sample_ids=ids).query_indices_
    clf = make_clf(DoublesEverything(truth)).fit(given, y, sample_ids=ids)
    assert clf.query_indices_.tolist() == expected.tolist()
    assert clf.classes_.tolist() == [0, 1]
    np.testing.assert_array_equal(ids, np.arange(21))
    values = given.toarray() if hasattr(given, "toarray") else given
    np.testing.assert_array_equal(values, X)


def test_t15_a_data_frame_is_protected(X, y, truth, make_clf):
    def ask(frame):
        labels = (frame["x"] > 0.5).astype(int).tolist()
        frame["x"] = -7.0
        frame["new"] = 1
        return labels

    frame = pd.DataFrame({"x": X[:, 0]})
    make_clf(ask).fit(frame, y)
    pd.testing.assert_frame_equal(frame, pd.DataFrame({"x": X[:, 0]}))


def test_t15_the_objects_in_a_list_are_protected(X, y, make_clf):
    def ask(rows):
        labels = [int(row["x"] > 0.5) for row in rows]
        for row in rows:
            row.clear()
        return labels

    rows = [{"x": value} for value in X[:, 0].tolist()]
    estimator = make_pipeline(DictVectorizer(), LogisticRegression())
    make_clf(ask, estimator=estimator).fit(rows, y)
    assert rows == [{"x": value} for value in X[:, 0].tolist()]


def test_t18_an_oracle_that_fits_its_classifier_is_refused(X, y, truth, make_clf):
    def ask(X, sample_ids):
        return clf.fit(X, truth[sample_ids]).predict(X)

    clf = make_clf(ask)
    with pytest.raises(FitInProgressError, match="Fit a clone") as caught:
        clf.fit(X, y, sample_ids=np.arange(21))
    assert isinstance(caught.value, RuntimeError)
    np.testing.assert_array_equal(clf.transduction_, y)
    clf.fit(X, y, oracle=lambda X: [1] * len(X))
    assert clf.n_queries_ == 8


@pytest.mark.parametrize("make_copy", [clone, copy.copy, copy.deepcopy])
def test_t18_an_oracle_may_fit_a_copy(X, y, truth, make_clf, make_copy):
    def ask(X):
        inner = make_copy(clf).set_params(oracle=lambda X: [1] * len(X))
        inner.fit([[0.0], [1.0], [0.3]], [0, 1, -1])
        assert inner.n_queries_ == 1
        return inner.predict(X)

    clf = make_clf(ask)
    assert clf.fit(X, y).n_queries_ == 8


def test_t18_a_second_thread_cannot_fit_the_same_object(X, y, make_clf):
    entered, done = threading.Event(), threading.Event()

    def ask(X):
        entered.set()
        assert done.wait(10)
        return [1] * len(X)

    clf = make_clf(ask, budget=4)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(clf.fit, X, y)
        assert entered.wait(10)
        with pytest.raises(FitInProgressError):
            clf.fit(X, y)
        done.set()
        assert first.result().n_queries_ == 4


def test_t18_separate_objects_are_fitted_in_several_threads(X, y, make_clf):
    alone = make_clf(lambda X: [1] * len(X)).fit(X, y).query_indices_.tolist()
    clfs = [make_clf(lambda X: [1] * len(X)) for _ in range(8)]
    with ThreadPoolExecutor(4) as pool:
        fitted = list(pool.map(lambda clf: clf.fit(X, y), clfs))
    assert all(clf.query_indices_.tolist() == alone for clf in fitted)


class FailsOnManyRows(LogisticRegression):
    """Can be fitted on few rows only."""

    def fit(self, X, y):
        if len(y) > 3:
            raise ValueError("more than three rows")
        return super().fit(X, y)


def test_a_fit_that_fails_after_payments_carries_the_labels(
    X, y, truth, make_clf, logging_oracle
):
    clf = make_clf(logging_oracle(), estimator=FailsOnManyRows())
    with pytest.raises(ActiveLearningError, match="more than three rows") as caught:
        clf.fit(X, y)
    assert "on 6 labels of 2 classes" in str(caught.value)
    assert "fails with more labels of these classes as well" in str(caught.value)
    assert "initial_size" not in str(caught.value)
    rows = caught.value.indices
    assert rows.tolist() == clf.query_indices_.tolist()
    np.testing.assert_array_equal(caught.value.labels, truth[rows])
    np.testing.assert_array_equal(clf.transduction_[rows], truth[rows])


def test_a_criterion_that_fails_after_payments_carries_the_labels(
    X, y, truth, make_clf, logging_oracle
):
    def fails_in_round_two(pool):
        return {}[pool.round] if pool.round > 1 else None

    clf = make_clf(logging_oracle(), stopping=fails_in_round_two)
    with pytest.raises(KeyError) as caught:
        clf.fit(X, y)
    assert "4 labels had been bought" in caught.value.__notes__[0]
    np.testing.assert_array_equal(caught.value.labels, truth[caught.value.indices])
    assert clf.n_queries_ == 4
