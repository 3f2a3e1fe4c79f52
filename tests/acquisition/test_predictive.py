"""EPIG and BEMPS: plain definitions, bounds, targets, and diverse batches."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.linear_model import LogisticRegression

from skactive import testing
from skactive.acquisition import BEMPSSampling, EPIGSampling, get_strategy
from skactive.acquisition._base import utilities
from skactive.acquisition.committee import _bemps as module
from skactive.acquisition.committee import _epig
from skactive.acquisition.functional import bald, bemps, epig


def committee_of(shape):
    return arrays(float, shape, elements=st.floats(0.01, 1.0)).map(
        lambda weights: weights / weights.sum(axis=2, keepdims=True)
    )


pairs = st.tuples(
    st.integers(2, 5), st.integers(1, 5), st.integers(1, 5), st.integers(2, 4)
).flatmap(
    lambda n: st.tuples(committee_of((n[0], n[1], n[3])), committee_of((n[0], *n[2:])))
)


def dirichlet(n_members, n_samples, n_classes, seed=0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(n_classes), size=(n_members, n_samples))


def plain_mutual_information(proba, target_proba):
    """The definition, pair by pair: log of the joint over the product of the means."""
    (_, n_samples, n_classes), n_targets = proba.shape, target_proba.shape[1]
    gain = np.zeros((n_samples, n_targets))
    for i in range(n_samples):
        for j in range(n_targets):
            for a in range(n_classes):
                for b in range(n_classes):
                    joint = np.mean(proba[:, i, a] * target_proba[:, j, b])
                    product = proba[:, i, a].mean() * target_proba[:, j, b].mean()
                    if joint > 0:
                        gain[i, j] += joint * np.log(joint / product)
    return gain


def plain_brier_gain(proba, target_proba):
    """The definition: the expected score with the label, less that without it."""
    (n_members, n_samples, n_classes), n_targets = proba.shape, target_proba.shape[1]
    gain = np.zeros((n_samples, n_targets))
    for i in range(n_samples):
        for label in range(n_classes):
            weights = proba[:, i, label] / n_members
            if weights.sum() == 0:
                continue
            for j in range(n_targets):
                old = target_proba[:, j].mean(axis=0)
                new = weights @ target_proba[:, j] / weights.sum()
                errors = [
                    sum(new[k] * ((p - np.eye(n_classes)[k]) ** 2).sum()
                        for k in range(n_classes))
                    for p in (old, new)
                ]  # fmt: skip
                gain[i, j] += weights.sum() * (errors[0] - errors[1])
    return gain


@given(pairs)
@settings(max_examples=25, deadline=None)
def test_epig_equals_its_definition(pair):
    expected = plain_mutual_information(*pair)
    np.testing.assert_allclose(epig(*pair), expected.mean(axis=1), atol=1e-10)
    np.testing.assert_allclose(
        bemps(*pair, score="log", per_target=True), expected, atol=1e-10
    )


@given(pairs)
@settings(max_examples=25, deadline=None)
def test_the_gain_of_the_brier_score_equals_its_definition(pair):
    expected = plain_brier_gain(*pair)
    np.testing.assert_allclose(bemps(*pair), expected.mean(axis=1), atol=1e-10)
    np.testing.assert_allclose(bemps(*pair, per_target=True), expected, atol=1e-10)


def test_two_members_by_hand():
    samples = [[[0.9, 0.1], [1, 0], [0.5, 0.5]], [[0.1, 0.9], [0, 1], [0.5, 0.5]]]
    target = [[[0.9, 0.1]], [[0.1, 0.9]]]
    # The label says which member is right: with 0.9, for sure, or not at all.
    np.testing.assert_allclose(
        bemps(samples, target), [2 * 0.32**2, 2 * 0.4**2, 0], atol=1e-12
    )
    entropy = -0.82 * np.log(0.82) - 0.18 * np.log(0.18)
    np.testing.assert_allclose(
        epig(samples, target), [np.log(2) - entropy, 0.3680642, 0], atol=1e-7
    )


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("score", "plain"),
    [("brier", plain_brier_gain), ("log", plain_mutual_information)],
)
def test_certain_members_and_impossible_labels(score, plain):
    rng = np.random.default_rng(0)
    pair = [np.eye(4)[rng.integers(3, size=(3, n))] for n in (8, 5)]
    expected = plain(*pair)
    np.testing.assert_allclose(
        bemps(*pair, score=score), expected.mean(axis=1), atol=1e-12
    )
    np.testing.assert_allclose(
        bemps(*pair, score=score, per_target=True), expected, atol=1e-12
    )


def test_members_of_one_mind_have_nothing_to_learn():
    proba = np.repeat(dirichlet(1, 200, 3), 7, axis=0)
    for score in ("brier", "log"):
        gain = bemps(proba, proba[:, :30], score=score)
        assert ((gain >= 0) & (gain < 1e-14)).all()


def test_memory_is_that_of_a_block():
    pair = dirichlet(3, 3000, 4), dirichlet(3, 500, 4, seed=1)
    epig(*pair)
    tracemalloc.start()
    epig(*pair)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**23  # all joint probabilities take 183 MiB


@given(pairs, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_bounds_hold_and_the_order_of_anything_does_not_matter(pair, random):
    proba, target_proba = pair
    n_classes = proba.shape[2]
    assert (epig(*pair) <= np.minimum(bald(proba), np.log(n_classes)) + 1e-12).all()
    assert (bemps(*pair) <= 1 - 1 / n_classes).all()
    members, classes = list(range(len(proba))), list(range(n_classes))
    rows, targets = list(range(proba.shape[1])), list(range(target_proba.shape[1]))
    for order in (members, classes, rows, targets):
        random.shuffle(order)
    other = (
        proba[members][:, rows][:, :, classes],
        target_proba[members][:, targets][:, :, classes],
    )
    for function in (epig, bemps):
        np.testing.assert_allclose(function(*other), function(*pair)[rows], atol=1e-10)


@pytest.mark.parametrize("score", ["brier", "log"])
def test_blocks_do_not_show(monkeypatch, score):
    pair = dirichlet(4, 30, 3), dirichlet(4, 2500, 3, seed=1)
    whole = bemps(*pair, score=score)
    matrix = bemps(*pair, score=score, per_target=True)
    np.testing.assert_allclose(matrix.mean(axis=1), whole, atol=1e-12)
    monkeypatch.setattr(_epig, "_BLOCK_COLUMNS", 7)
    monkeypatch.setattr(module, "_BLOCK_NUMBERS", 50)
    np.testing.assert_allclose(bemps(*pair, score=score), whole, atol=1e-12)


def test_single_precision_is_kept_per_target_and_close():
    pair = dirichlet(5, 20, 3), dirichlet(5, 30, 3, seed=1)
    single = [proba.astype(np.float32) for proba in pair]
    np.testing.assert_allclose(epig(*single), epig(*pair), atol=1e-5)
    assert bemps(*single, per_target=True).dtype == np.float32


def test_there_is_no_other_score():
    with pytest.raises(ValueError, match="'brier' or 'log'"):
        bemps(dirichlet(2, 2, 2), dirichlet(2, 2, 2), score="mse")


def make_pool(block_size=None, n_samples=240, random_state=3, candidates=None):
    rng = np.random.default_rng(0)
    y = np.arange(n_samples) % 3
    X = rng.normal(size=(n_samples, 4))
    X[:, 0] += 2 * y
    labeled = np.arange(n_samples) < 18
    if candidates is None:
        candidates = np.flatnonzero(~labeled)[1::2]
    return testing.make_pool(
        X,
        np.where(labeled, y, -1),
        labeled,
        candidates,
        estimator=LogisticRegression(),
        committee=5,
        random_state=random_state,
        block_size=block_size,
    )


@pytest.mark.parametrize("strategy", [EPIGSampling(), BEMPSSampling()])
def test_without_targets_a_small_data_set_is_its_own(strategy):
    pool = make_pool()
    expected = strategy._score(
        pool.member_proba, pool.committee.predict_member_proba(pool.X)
    )
    np.testing.assert_allclose(strategy.utility(pool), expected, atol=1e-12)
    blocks = make_pool(block_size=17)
    np.testing.assert_allclose(utilities(strategy, blocks), expected, atol=1e-12)


def test_targets_are_drawn_from_all_rows_by_the_seed_of_the_round():
    strategy = EPIGSampling(n_targets=40)
    first = strategy.utility(make_pool())
    np.testing.assert_array_equal(strategy.utility(make_pool()), first)
    assert (strategy.utility(make_pool(random_state=4)) != first).any()
    # A part of the candidates is measured by the same targets.
    part = make_pool(candidates=make_pool().candidates[5:20])
    np.testing.assert_allclose(strategy.utility(part), first[5:20], rtol=1e-10)


def test_targets_can_be_given():
    pool = make_pool()
    targets = pool.X[:7] + 10.0
    expected = epig(pool.member_proba, pool.committee.predict_member_proba(targets))
    given = EPIGSampling(targets.tolist()).utility(pool)
    np.testing.assert_allclose(given, expected, atol=1e-12)


def test_rows_that_matter_for_no_target_are_left_alone():
    pool = make_pool()
    here = EPIGSampling(pool.X[pool.candidates]).utility(pool)
    far = EPIGSampling(np.full((3, 4), 50.0)).utility(pool)
    assert far.max() < here.max() / 3


def test_one_row_is_that_of_highest_gain():
    pool = make_pool()
    strategy = BEMPSSampling()
    best = pool.candidates[strategy.utility(pool).argmax()]
    assert strategy.select(pool, 1).tolist() == [best]
    assert BEMPSSampling(top=None).select(pool, 5)[0] == best


def test_a_batch_comes_from_the_better_part():
    pool = make_pool()
    scores = BEMPSSampling().utility(pool)
    better = pool.candidates[np.argsort(-scores)[: len(pool) // 4]]
    rows = BEMPSSampling(top=0.25).select(pool, 6)
    assert np.isin(rows, better).all()
    assert len(set(rows)) == 6


@pytest.mark.parametrize("score", ["brier", "log"])
def test_a_batch_holds_one_row_of_each_kind(score):
    # A row tells about the targets of its kind, but some rows much more than others.
    rng = np.random.default_rng(0)
    strength = 0.45 * rng.uniform(0.2, 1.0, size=60) ** 3
    sign = np.array([[1 if member >> i % 3 & 1 else -1 for i in range(60)]
                     for member in range(8)])  # fmt: skip
    p = 0.5 + sign * strength
    pool = FakePool(np.stack([p, 1 - p], axis=2))
    rows = BEMPSSampling(score, top=1.0).select(pool, 3)
    assert sorted(row % 3 for row in rows) == [0, 1, 2]


class FakePool:
    """A pool with given probabilities; its rows are their own numbers."""

    def __init__(self, member_proba):
        n_samples = member_proba.shape[1]
        self.member_proba = member_proba
        self.X = self.candidates = np.arange(n_samples)
        self.labeled = np.zeros(n_samples, dtype=bool)
        self.classes = self.classes_ = np.arange(member_proba.shape[2])
        self.random_state = 0
        self.committee = self

    def predict_member_proba(self, rows):
        return self.member_proba[:, rows]

    def tie_keys(self, rows):
        return np.asarray(rows).astype(np.uint64)

    def blocks(self):
        yield slice(None), self

    def __len__(self):
        return len(self.candidates)


def test_the_score_is_the_one_that_was_asked_for(monkeypatch):
    pool, scores = make_pool(), []
    np.testing.assert_allclose(
        BEMPSSampling("log").utility(pool), EPIGSampling().utility(pool), rtol=1e-12
    )

    def spy(*args, score, **options):
        scores.append(score)
        return bemps(*args, score=score, **options)

    monkeypatch.setattr(module, "bemps", spy)
    BEMPSSampling("log").select(pool, 4)
    assert scores == ["log", "log"]


def test_all_that_is_left_is_asked_by_utility():
    pool = make_pool()
    rows = BEMPSSampling().select(pool, len(pool))
    order = np.argsort(-BEMPSSampling().utility(pool), kind="stable")
    assert rows.tolist() == pool.candidates[order].tolist()


def test_clusters_are_limited_and_the_best_rows_follow(monkeypatch):
    n_clusters = []
    cluster = module.cluster_rows

    def spy(features, n, random_state):
        n_clusters.append(n)
        np.testing.assert_allclose(np.linalg.norm(features, axis=1), 1, rtol=1e-5)
        return cluster(features, n, random_state)

    monkeypatch.setattr(module, "cluster_rows", spy)
    monkeypatch.setattr(module, "_MAX_CLUSTERED", 20)
    monkeypatch.setattr(module, "_MAX_CLUSTERS", 4)
    pool = make_pool()
    rows = BEMPSSampling().select(pool, 50)
    order = pool.candidates[np.argsort(-BEMPSSampling().utility(pool))]
    assert sorted(rows) == sorted(order[:50])
    assert set(rows[:4]) <= set(order[:20])
    assert n_clusters == [4]


def test_the_registry_knows_them():
    assert isinstance(get_strategy("epig"), EPIGSampling)
    assert isinstance(get_strategy("bemps"), BEMPSSampling)
