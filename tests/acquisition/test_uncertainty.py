"""Uncertainty of one model, by value and against the plain definitions."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skactive.acquisition.functional import (
    boundary_closeness,
    entropy,
    least_confident,
    margin,
)


@pytest.fixture
def anchors(test_data):
    entries = json.loads((test_data / "anchors.json").read_text())
    return {entry["id"]: entry for entry in entries}


def probabilities(n_classes):
    weights = arrays(float, (6, n_classes), elements=st.floats(0.01, 1.0))
    return weights.map(lambda w: w / w.sum(axis=1, keepdims=True))


def test_scores_have_the_published_values_on_three_classes(anchors):
    anchor = anchors["uncertainty_3class"]
    proba = np.array(anchor["probas"])
    np.testing.assert_allclose(least_confident(proba), anchor["least_confident"])
    np.testing.assert_allclose(margin(proba), anchor["margin_sampling"])
    np.testing.assert_allclose(entropy(proba), anchor["entropy"], rtol=1e-7)


@pytest.mark.parametrize("name", ["breaking_ties_binary", "breaking_ties_3class"])
def test_margin_has_the_published_values_and_order(anchors, name):
    anchor = anchors[name]
    scores = margin(np.array(anchor["probas"]))
    np.testing.assert_allclose(1 - scores, anchor["margin"], atol=1e-6)
    assert np.argsort(-scores, kind="stable")[:2].tolist() == anchor["query2"]


def test_least_confident_has_the_published_order(anchors):
    anchor = anchors["least_confidence"]
    scores = least_confident(np.array(anchor["probas"]))
    np.testing.assert_allclose(1 - scores, anchor["max_proba"])
    assert np.argsort(-scores, kind="stable")[:2].tolist() == anchor["query2"]


@pytest.mark.parametrize("name", ["entropy_binary", "entropy_3class_zero"])
def test_entropy_has_the_published_values(anchors, name):
    anchor = anchors[name]
    scores = entropy(np.array(anchor["probas"]))
    np.testing.assert_allclose(scores, anchor["entropy"], atol=1e-6)


def test_scores_have_the_values_that_another_library_prints(anchors):
    anchor = anchors["modal_measures"]
    proba = np.array(anchor["probas"])
    atol = anchor["atol"]
    np.testing.assert_allclose(least_confident(proba), anchor["uncertainty"], atol=atol)
    np.testing.assert_allclose(1 - margin(proba), anchor["margin"], atol=atol)
    np.testing.assert_allclose(entropy(proba), anchor["entropy"], atol=atol)


@given(st.integers(2, 7).flatmap(probabilities))
@settings(max_examples=30, deadline=None)
def test_scores_equal_their_definitions_row_by_row(proba):
    for row, lc, gap, h in zip(
        proba, least_confident(proba), margin(proba), entropy(proba), strict=True
    ):
        second, first = sorted(row)[-2:]
        assert lc == pytest.approx(1 - first, abs=1e-12)
        assert gap == pytest.approx(1 - (first - second), abs=1e-12)
        assert h == pytest.approx(-sum(p * np.log(p) for p in row), abs=1e-12)


@given(probabilities(4), st.permutations(range(4)))
@settings(max_examples=30, deadline=None)
def test_scores_do_not_depend_on_the_order_of_classes(proba, order):
    for score in (least_confident, margin, entropy):
        np.testing.assert_allclose(score(proba[:, order]), score(proba), atol=1e-12)


def test_margin_of_two_equal_best_classes_is_one():
    assert margin([[0.4, 0.2, 0.4]]).item() == 1.0


def test_closeness_is_the_distance_or_the_gap_of_the_two_largest():
    np.testing.assert_array_equal(boundary_closeness([-0.5, 2.0, 0.0]), [-0.5, -2, 0])
    decision = [[1.0, 0.75, -3.0], [0.0, 2.0, 5.0]]
    np.testing.assert_array_equal(boundary_closeness(decision), [-0.25, -3.0])


@pytest.mark.parametrize(
    ("ours", "method"),
    [
        (least_confident, "least_confident"),
        (margin, "margin_sampling"),
        (entropy, "entropy"),
    ],
)
def test_scores_are_those_of_another_library(ours, method):
    pool = pytest.importorskip("skactiveml.pool")
    proba = np.random.default_rng(0).dirichlet(np.full(5, 0.4), size=50)
    theirs = pool.uncertainty_scores(proba, method=method)
    np.testing.assert_allclose(ours(proba), theirs, rtol=1e-10, atol=1e-12)
