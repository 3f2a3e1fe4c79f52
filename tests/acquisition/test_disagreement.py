"""Disagreement of committees: worked values, published ones, plain definitions."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skactive.acquisition import get_strategy
from skactive.acquisition.functional import (
    bald,
    consensus_entropy,
    kl_divergence,
    mean_std,
    soft_variation_ratio,
    uncertainty_split,
    variation_ratio,
    vote_entropy,
)

# A committee of three on two rows, one disputed and one agreed.
PROBA = np.array(
    [
        [[0.7, 0.2, 0.1], [0.8, 0.1, 0.1]],
        [[0.2, 0.7, 0.1], [0.7, 0.2, 0.1]],
        [[0.1, 0.3, 0.6], [0.9, 0.05, 0.05]],
    ]
)
VOTES = PROBA.argmax(axis=2)

committees = (
    st.tuples(st.integers(2, 5), st.integers(1, 6), st.integers(2, 5))
    .flatmap(lambda shape: arrays(float, shape, elements=st.floats(0.01, 1.0)))
    .map(lambda weights: weights / weights.sum(axis=2, keepdims=True))
)


@pytest.fixture
def anchors(test_data):
    entries = json.loads((test_data / "anchors.json").read_text())
    return {entry["id"]: entry for entry in entries}


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (vote_entropy(VOTES, 3), [1.0986122887, 0]),
        (variation_ratio(VOTES, 3), [2 / 3, 0]),
        (soft_variation_ratio(PROBA), [0.6, 0.2]),
        (consensus_entropy(PROBA), [1.0851886130, 0.6362410767]),
        (uncertainty_split(PROBA)[1], [0.8338609433, 0.6117493679]),
        (bald(PROBA), [0.2513276697, 0.0244917089]),
        (kl_divergence(PROBA), [0.2513276697, 0.0244917089]),
        (mean_std(PROBA), [0.2380646265, 0.0558602802]),
    ],
)
def test_scores_have_the_worked_values(scores, expected):
    np.testing.assert_allclose(scores, expected, atol=6e-11)


@pytest.mark.parametrize("name", ["vote_entropy", "modal_votes"])
def test_vote_entropy_has_the_published_values(anchors, name):
    anchor = anchors[name]
    scores = vote_entropy(np.array(anchor["votes"]).T, 3)
    np.testing.assert_allclose(scores, anchor["vote_entropy"], atol=anchor["atol"])


def test_variation_ratio_has_the_published_values(anchors):
    anchor = anchors["variation_ratios"]
    scores = variation_ratio(np.array(anchor["votes"]).T)
    np.testing.assert_allclose(scores, anchor["variation_ratios"], atol=1e-7)


def test_bald_and_its_parts_have_the_published_values(anchors):
    anchor = anchors["bald_toy"]
    weight = np.linspace(0, 1, anchor["K"])[:, None, None]
    proba = (1 - weight) * np.array(anchor["p1"]) + weight * np.array(anchor["p2"])
    total, aleatoric, epistemic = uncertainty_split(proba)
    np.testing.assert_allclose(total, anchor["entropy"], atol=1e-4)
    np.testing.assert_allclose(aleatoric, anchor["conditional_entropy"], atol=1e-4)
    np.testing.assert_allclose(epistemic, anchor["bald"], atol=1e-9)


@given(committees)
@settings(max_examples=40, deadline=None)
def test_scores_equal_their_definitions_row_by_row(proba):
    n_members, n_samples, n_classes = proba.shape
    for i in range(n_samples):
        mean = [sum(q[i][k] for q in proba) / n_members for k in range(n_classes)]
        divergence = sum(
            q[i][k] * np.log(q[i][k] / mean[k]) for q in proba for k in range(n_classes)
        )
        spread = [np.std([q[i][k] for q in proba]) for k in range(n_classes)]
        assert kl_divergence(proba)[i] == pytest.approx(
            max(divergence / n_members, 0), abs=1e-10
        )
        assert mean_std(proba)[i] == pytest.approx(np.mean(spread), abs=1e-10)
        assert soft_variation_ratio(proba)[i] == pytest.approx(1 - max(mean), abs=1e-10)


@given(committees)
@settings(max_examples=40, deadline=None)
def test_vote_scores_equal_their_definitions_row_by_row(proba):
    votes = proba.argmax(axis=2)
    n_samples, n_classes = proba.shape[1:]
    for i in range(n_samples):
        shares = [np.mean(votes[:, i] == k) for k in range(n_classes)]
        entropy = -sum(share * np.log(share) for share in shares if share > 0)
        assert vote_entropy(votes, n_classes)[i] == pytest.approx(entropy, abs=1e-10)
        assert variation_ratio(votes)[i] == pytest.approx(1 - max(shares), abs=1e-10)


@given(committees, st.randoms(use_true_random=False))
@settings(max_examples=30, deadline=None)
def test_neither_the_order_of_members_nor_of_classes_matters(proba, random):
    members, classes = list(range(proba.shape[0])), list(range(proba.shape[2]))
    random.shuffle(members)
    random.shuffle(classes)
    other = proba[members][:, :, classes]
    for score in (consensus_entropy, bald, mean_std, soft_variation_ratio):
        np.testing.assert_allclose(score(other), score(proba), atol=1e-12)


@given(committees)
@settings(max_examples=30, deadline=None)
def test_epistemic_and_aleatoric_uncertainty_add_up(proba):
    total, aleatoric, epistemic = uncertainty_split(proba)
    assert (epistemic >= 0).all()
    np.testing.assert_allclose(aleatoric + epistemic, total, atol=1e-12)
    assert (total <= np.log(proba.shape[2]) + 1e-12).all()


def test_members_of_one_mind_do_not_disagree():
    proba = np.repeat(PROBA[:1], 4, axis=0)
    for score in (bald, mean_std):
        np.testing.assert_allclose(score(proba), 0, atol=1e-12)
    assert vote_entropy(proba.argmax(axis=2), 3).tolist() == [0, 0]


def test_bald_and_kl_divergence_are_one_strategy_of_two_names():
    assert type(get_strategy("bald")) is type(get_strategy("kl_divergence"))


def test_scikit_activeml_gives_the_same_scores():
    peer = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is missing")
    proba = np.random.default_rng(0).dirichlet([1, 1, 1, 1], size=(6, 50))
    votes = proba.argmax(axis=2)
    np.testing.assert_allclose(
        kl_divergence(proba), peer.average_kl_divergence(proba), atol=1e-12
    )
    np.testing.assert_allclose(
        vote_entropy(votes, 4), peer.vote_entropy(votes.T, classes=[0, 1, 2, 3])
    )


@pytest.mark.parametrize("score", [kl_divergence, mean_std])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_members_that_agree_do_not_disagree_by_rounding(score, dtype):
    first = np.random.default_rng(0).random(500)
    proba = np.stack([first, 1 - first], axis=1).astype(dtype)
    assert not score(np.repeat(proba[None], 7, axis=0)).any()
