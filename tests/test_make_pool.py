"""Pools for the tests of strategies that are written elsewhere."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skactive import Pool
from skactive.acquisition import KCenterSampling, MarginSampling
from skactive.testing import make_pool

X = [[0.0], [9.0], [4.4], [8.0]]
Y = [0, 1, -1, -1]


def test_labelled_rows_and_candidates_are_found_in_y():
    pool = make_pool(X, Y)
    assert isinstance(pool, Pool)
    assert pool.labeled.tolist() == [True, True, False, False]
    assert pool.candidates.tolist() == [2, 3]
    assert MarginSampling().select(pool, n_queries=1).rows.tolist() == [2]


@pytest.mark.parametrize(
    ("y", "marker"),
    [
        (["a", "b", "", ""], ""),
        (pd.Series(["a", "b", None, None]), None),
        (np.array([0.0, 1.0, np.nan, np.nan]), np.nan),
    ],
)
def test_the_marker_may_be_any_that_a_classifier_takes(y, marker):
    pool = make_pool(X, y, missing_label=marker)
    assert pool.candidates.tolist() == [2, 3]
    assert pool.classes.tolist() == list(y[:2])


def test_rows_that_were_asked_are_no_candidates():
    pool = make_pool(X, Y, asked=np.arange(4) == 3)
    assert pool.candidates.tolist() == [2]


def test_facts_and_models_are_those_that_are_given():
    pool = make_pool(X, Y, estimator=GaussianNB(), committee=3, round=7, cost=[1] * 4)
    assert (pool.round, pool.cost.tolist()) == (7, [1, 1, 1, 1])
    assert isinstance(pool.estimator, GaussianNB)
    assert pool.votes.shape == (3, 2)


def test_a_small_block_is_what_a_rowwise_strategy_sees():
    pool = make_pool(X, Y, block_size=3)
    assert [block.candidates.tolist() for _, block in pool.blocks()] == [[2], [3]]


@pytest.mark.parametrize("container", [sp.coo_array, sp.csc_array, pd.DataFrame, tuple])
def test_rows_may_be_in_any_container(container):
    pool = make_pool(container(X), Y)
    assert pool.proba.shape == (2, 2)
    assert KCenterSampling().select(pool, n_queries=1).tolist() == [2]


def test_data_that_are_not_computed_are_refused():
    lazy = pytest.importorskip("polars").DataFrame({"a": [0.0, 9.0]}).lazy()
    with pytest.raises(TypeError, match=r"X is a LazyFrame .* pass X.collect\(\)"):
        make_pool(lazy, [0, -1])


def test_a_test_sample_is_no_part_of_the_candidates():
    pool = make_pool(X, [0, 1, -1, -1], holdout={2: 1}, candidates=None)
    assert pool.candidates.tolist() == [3]
    assert pool.holdout.mask.tolist() == [False, False, True, False]
    assert (pool.holdout.rows.tolist(), pool.holdout.labels.tolist()) == ([2], [1])


def test_a_held_row_may_have_no_answer():
    pool = make_pool(X, Y, holdout={3: None})
    assert pool.holdout.mask.tolist() == [False, False, False, True]
    assert pool.holdout.rows.tolist() == []


def test_without_labels_there_is_no_model():
    pool = make_pool(X, [-1] * 4)
    with pytest.raises(ValueError, match=r"pool\.can_fit is False"):
        pool.proba  # noqa: B018


def test_later_rounds_may_keep_what_the_first_has_embedded():
    first = make_pool(X, Y)
    KCenterSampling().select(first, n_queries=1)
    later = make_pool(first.X, [0, 1, 0, -1], kept=first.models.kept)
    assert later.models.kept.embedder is first.models.kept.embedder


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"labeled": [0, 1]}, r"labeled must be a mask of the rows.* \(4,\)"),
        ({"asked": [3, 3, 3, 3]}, "asked must be a mask of the rows"),
        ({"candidates": [3, 2]}, r"candidates must be .* ascending order, got \[3 2\]"),
        ({"candidates": [4]}, "candidates must be different row numbers of X"),
        ({"candidates": [2.0]}, "candidates must be different row numbers of X"),
        ({"y": [0, 1]}, "inconsistent numbers of samples"),
        ({"y": ["a", "b", "-1", "-1"]}, "string '-1', which looks like the missing"),
        ({"y": ["a", "b", "", ""]}, "There are no candidates.* missing_label in y"),
        ({"y": [0, 1, np.nan, np.nan]}, "y contains NaN.* marked by missing_label"),
        ({"missing_label": [1]}, "missing_label must be an int, a str, None or nan"),
        ({"labeled_iter": [0]}, r"labeled_iter must be .* round numbers .*\(4,\)"),
        ({"cost": [1, 2]}, "cost must hold a finite number >= 0 for each of the 4"),
        ({"cost": [-1, 1, 1, 1]}, r"cost must hold .* got \[-1.0\] in the rows \[0\]"),
        ({"fit_params": {"sample_weight": [1]}}, "sample_weight must hold one value"),
        ({"all_classes": 3}, "all_classes must be a non-empty 1d sequence"),
        ({"all_classes": [0, 2]}, r"closed all_classes=\[0, 2\]"),
        ({"history": ["x"]}, "history must hold one dict for each round"),
        ({"holdout": {1: 1}}, r"holdout contains the rows \[1\], which are labelled"),
        ({"holdout": {9: 1}}, "holdout must be different row numbers of X"),
        ({"holdout": 0.2}, "'holdout' parameter of make_pool"),
        ({"estimator": LogisticRegression}, "'estimator' parameter of make_pool"),
        ({"committee": 1}, "'committee' parameter of make_pool"),
        ({"block_size": 0}, "'block_size' parameter of make_pool"),
        ({"kept": 3}, "'kept' parameter of make_pool"),
        ({"round": 0}, "'round' parameter of make_pool"),
        ({"unlabeled": "none"}, "'unlabeled' parameter of make_pool"),
        ({"random_state": None}, "'random_state' parameter of make_pool"),
        ({"can_fit": "no"}, "'can_fit' parameter of make_pool"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        make_pool(**{"X": X, "y": Y} | params)


def test_a_keyword_that_is_not_a_fact_is_named():
    with pytest.raises(TypeError, match=r"keywords \['rounds'\], .* 'round', "):
        make_pool(X, Y, rounds=3)
