"""Pools for the tests of strategies that are written elsewhere."""

import numpy as np
import pandas as pd
import pytest
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
    ],
)
def test_arrays_that_do_not_fit_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        make_pool(**{"X": X, "y": Y} | params)


def test_a_keyword_that_is_not_a_fact_is_named():
    with pytest.raises(TypeError, match=r"keywords \['rounds'\], .* 'round', "):
        make_pool(X, Y, rounds=3)
