"""BatchBALD: published values, plain definitions, and what bounds the work."""

import itertools
import json
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import softmax
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression

from skactive import testing
from skactive.acquisition import BatchBALDSampling
from skactive.acquisition.committee import _batch_bald as module
from skactive.acquisition.committee import _joint_labels as joint_labels
from skactive.acquisition.committee._joint_labels import JointTable
from skactive.acquisition.functional import bald, batch_bald, entropy, joint_entropy

LINEAR = LogisticRegression(max_iter=1000)

weights = st.one_of(st.just(0.0), st.floats(0.01, 1.0))
committees = (
    st.tuples(st.integers(2, 4), st.integers(1, 5), st.integers(2, 3))
    .flatmap(lambda shape: arrays(float, shape, elements=weights))
    .map(lambda w: np.where(w.any(axis=2, keepdims=True), w, 1.0))
    .map(lambda w: w / w.sum(axis=2, keepdims=True))
)


def dirichlet(n_members, n_samples, n_classes, seed=0):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.ones(n_classes), size=(n_members, n_samples))


def enumerated_entropy(proba):
    """Joint entropy by listing all configurations of labels."""
    _, n_rows, n_classes = proba.shape
    total = 0.0
    for labels in itertools.product(range(n_classes), repeat=n_rows):
        likelihood = np.prod(proba[:, range(n_rows), labels], axis=1)
        p = likelihood.mean()
        total -= p * np.log(p) if p > 0 else 0.0
    return total


def enumerated_information(proba):
    own = sum(entropy(member).sum() for member in proba) / len(proba)
    return enumerated_entropy(proba) - own


def plain_greedy(proba, n_queries):
    chosen, scores = [], []
    for _ in range(n_queries):
        left = [i for i in range(proba.shape[1]) if i not in chosen]
        values = [enumerated_information(proba[:, [*chosen, i]]) for i in left]
        chosen.append(left[int(np.argmax(values))])
        scores.append(max(values))
    return chosen, scores


def published(test_data, name):
    entries = json.loads((test_data / "anchors.json").read_text())
    anchor = next(entry for entry in entries if entry["id"] == name)
    weight = np.linspace(0, 1, anchor["K"])[:, None, None]
    p1, p2 = np.array(anchor["p1"]), np.array(anchor["p2"])
    return anchor, (1 - weight) * p1 + weight * p2


def test_scores_are_the_published_ones(test_data):
    anchor, proba = published(test_data, "bald_toy")
    positions, scores = batch_bald(proba, 4, random_state=0)
    assert sorted(positions) == [0, 1, 2, 3]
    np.testing.assert_allclose(
        scores, anchor["batchbald_scores"], atol=anchor["atol_scores"]
    )


def test_joint_entropy_is_the_published_one(test_data):
    anchor, proba = published(test_data, "joint_entropy_toy")
    order = anchor["order"]
    assert joint_entropy(proba[:, order]) == pytest.approx(
        anchor["joint_entropy"], abs=anchor["atol"]
    )
    with_one_more = [joint_entropy(proba[:, [*order, i % 2]]) for i in range(8)]
    np.testing.assert_allclose(
        with_one_more, anchor["joint_plus_one"], atol=anchor["atol"]
    )


def test_joint_entropy_of_eight_rows_exactly_and_from_samples(test_data):
    _, proba = published(test_data, "joint_entropy_toy")
    eight = proba[:, [0, 1] * 4]
    exact = joint_entropy(eight, max_configurations=70_000)
    assert exact == pytest.approx(9.2667, abs=1e-4)  # all 65,536 outcomes
    sampled = joint_entropy(eight, max_configurations=10_000, random_state=0)
    assert sampled == pytest.approx(exact, abs=0.01)


def test_joint_entropy_of_independent_coins_is_the_sum():
    coins = np.full((3, 4, 4), 0.25)
    assert joint_entropy(coins) == pytest.approx(5.545177444479562, abs=1e-12)


@given(committees)
@settings(max_examples=40, deadline=None)
def test_joint_entropy_equals_its_definition(proba):
    assert joint_entropy(proba) == pytest.approx(enumerated_entropy(proba), abs=1e-10)


@given(committees, st.integers(0, 3))
@settings(max_examples=40, deadline=None)
def test_scores_equal_the_joint_information_of_what_was_chosen(proba, seed):
    positions, scores = batch_bald(proba, proba.shape[1], random_state=seed)
    assert sorted(positions) == list(range(proba.shape[1]))
    for i in range(len(positions)):
        information = enumerated_information(proba[:, positions[: i + 1]])
        assert scores[i] == pytest.approx(information, abs=1e-10)


@pytest.mark.parametrize(
    ("n_members", "n_classes", "seed"), [(4, 2, 0), (6, 3, 1), (12, 3, 2), (3, 4, 3)]
)
def test_every_pick_is_the_best_one_by_brute_force(n_members, n_classes, seed):
    proba = dirichlet(n_members, 25, n_classes, seed)
    positions, scores = batch_bald(proba, 4, random_state=0)
    expected, expected_scores = plain_greedy(proba, 4)
    assert positions.tolist() == expected
    np.testing.assert_allclose(scores, expected_scores, atol=1e-10)


@pytest.mark.filterwarnings("error")
def test_impossible_labels_count_as_nothing():
    rng = np.random.default_rng(0)
    certain = np.eye(3)[rng.integers(3, size=(5, 12))]  # each member is sure
    _, scores = batch_bald(certain, 3, random_state=0)
    _, expected = plain_greedy(certain, 3)
    np.testing.assert_allclose(scores, expected, atol=1e-12)


def test_summaries_of_large_tables_do_not_change_the_picks(monkeypatch):
    proba = dirichlet(8, 150, 4)
    arguments = {"max_configurations": 5000, "random_state": 0}
    expected = batch_bald(proba, 8, **arguments)
    monkeypatch.setattr(joint_labels, "N_GROUPS", 10_000)
    positions, scores = batch_bald(proba, 8, **arguments)
    assert positions.tolist() == expected[0].tolist()
    np.testing.assert_allclose(scores, expected[1], rtol=1e-6)


@pytest.mark.parametrize("n_rows", [6, 8])  # tables of exact and sampled configurations
def test_bounds_of_a_summary_are_above_the_gains(n_rows):
    proba = dirichlet(10, 200, 4)
    table = JointTable(10, 5000, np.random.default_rng(0))
    for row in range(n_rows):
        table.add(proba[:, row])
    gains, bounds = table.gains(proba), table.upper_bounds()(proba)
    assert table.is_large
    assert (bounds >= gains).all()
    assert (bounds <= 2 * gains + 1e-4).all()


def test_few_candidates_are_looked_at_in_full(monkeypatch):
    rng = np.random.default_rng(0)
    # Members that are linear: many rows tell much the same.
    weights = rng.normal(size=(8, 3, 4)) + rng.normal(size=(3, 4))
    proba = softmax(rng.normal(size=(2000, 3)) @ weights, axis=2)
    arguments = {"max_configurations": 5000, "random_state": 0}
    monkeypatch.setattr(joint_labels, "N_GROUPS", 10_000)
    expected, _ = batch_bald(proba, 8, **arguments)
    monkeypatch.undo()
    monkeypatch.setattr(module, "_MAX_IN_FULL", 5)
    looked_at = []
    gains = JointTable.gains

    def spy(self, rows):
        looked_at.append((len(self), rows.shape[1]))
        return gains(self, rows)

    monkeypatch.setattr(JointTable, "gains", spy)
    positions, _ = batch_bald(proba, 8, **arguments)
    assert positions.tolist() == expected.tolist()
    large = [n_rows for n_table, n_rows in looked_at if n_table > 900]
    assert 3 * 8 < sum(large) < 200


def test_sampled_scores_come_close_to_exact_ones():
    proba = dirichlet(10, 8, 3, seed=1)
    _, exact = batch_bald(proba, 8)
    for seed in range(3):
        _, sampled = batch_bald(proba, 8, max_configurations=2000, random_state=seed)
        np.testing.assert_allclose(sampled, exact, atol=0.02)


def test_sampled_gains_are_unbiased():
    proba = dirichlet(5, 7, 3, seed=2)
    gain = enumerated_information(proba) - enumerated_information(proba[:, :6])
    estimates = []
    for seed in range(60):
        table = JointTable(5, 200, np.random.default_rng(seed))
        for row in range(6):
            table.add(proba[:, row])
        estimates.append(table.gains(proba[:, [6]])[0])
    error = np.std(estimates) / np.sqrt(60)
    assert error < 0.002
    assert abs(np.mean(estimates) - gain) < 4 * error


def test_the_first_row_is_that_of_bald():
    proba = dirichlet(5, 40, 3)
    positions, scores = batch_bald(proba, 1)
    assert positions == [bald(proba).argmax()]
    assert scores[0] == pytest.approx(bald(proba).max(), abs=1e-12)


def test_a_repeated_row_waits_for_a_new_one():
    first, other = [0.9, 0.9, 0.1, 0.1], [0.8, 0.2, 0.8, 0.2]
    p = np.stack([first, first, first, other], axis=1)
    positions, _ = batch_bald(np.stack([p, 1 - p], axis=2), 2, random_state=0)
    assert positions[1] == 3


@given(committees, st.randoms(use_true_random=False))
@settings(max_examples=25, deadline=None)
def test_neither_the_order_of_members_nor_of_classes_matters(proba, random):
    members, classes = list(range(proba.shape[0])), list(range(proba.shape[2]))
    random.shuffle(members)
    random.shuffle(classes)
    other = proba[members][:, :, classes]
    assert joint_entropy(other) == pytest.approx(joint_entropy(proba), abs=1e-10)


@given(committees)
@settings(max_examples=25, deadline=None)
def test_scores_grow_up_to_the_logarithm_of_the_number_of_members(proba):
    _, scores = batch_bald(proba, proba.shape[1])
    assert (np.diff(scores) >= 0).all()
    assert scores[-1] <= np.log(len(proba)) + 1e-9


def test_members_of_one_mind_leave_the_choice_to_chance():
    proba = np.repeat(dirichlet(1, 50, 3), 7, axis=0)
    assert (np.unique(bald(proba)) < 1e-14).all()  # nothing but rounding
    drawn = {tuple(batch_bald(proba, 3, random_state=seed)[0]) for seed in range(20)}
    assert len(drawn) == 20
    assert np.allclose(batch_bald(proba, 3)[1], 0)


def test_equal_rows_are_chosen_by_chance_and_once_each():
    proba = np.repeat(dirichlet(4, 1, 3), 30, axis=1)
    positions, _ = batch_bald(proba, 30, random_state=0)
    assert sorted(positions) == list(range(30))
    assert batch_bald(proba, 30, random_state=1)[0][0] != positions[0]


def test_a_used_up_batch_is_followed_by_another_one():
    certain = np.zeros((2, 4, 2))
    certain[0, :, 0] = certain[1, :, 1] = 1.0  # one label says all
    certain[:, 2:] = [[[0.9, 0.1]], [[0.1, 0.9]]]
    positions, scores = batch_bald(certain, 4, min_gain=0.01, random_state=0)
    # Once one of the first two is labelled, the best of what is left is the other.
    assert sorted(positions[:2]) == [0, 1]
    np.testing.assert_allclose(scores, np.log(2), atol=1e-12)


def test_without_a_new_batch_the_greedy_choice_goes_on():
    proba = dirichlet(3, 12, 2)
    positions, scores = batch_bald(proba, 12, random_state=0)
    assert scores[-1] == pytest.approx(enumerated_information(proba), abs=1e-10)
    other, _ = batch_bald(proba, 12, min_gain=0.5, random_state=0)
    assert positions.tolist() != other.tolist()


@pytest.mark.parametrize("n_queries", [0, 6])
def test_more_rows_than_there_are_cannot_be_chosen(n_queries):
    with pytest.raises(ValueError, match="from 1 to the number of samples, 5"):
        batch_bald(dirichlet(2, 5, 2), n_queries)


def test_single_precision_and_whole_numbers_are_fine():
    proba = dirichlet(5, 30, 3)
    positions, scores = batch_bald(proba, 3, random_state=0)
    single, single_scores = batch_bald(proba.astype(np.float32), 3, random_state=0)
    assert single.tolist() == positions.tolist()
    np.testing.assert_allclose(single_scores, scores, atol=1e-5)
    assert batch_bald([[[1, 0]], [[0, 1]]], 1)[1].round(4).tolist() == [0.6931]


def test_memory_does_not_grow_with_the_pool():
    proba = dirichlet(10, 20_000, 4).astype(np.float32)
    peaks = []
    for n_samples in (5000, 20_000):
        tracemalloc.start()
        batch_bald(proba[:, :n_samples], 6, random_state=0)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    per_row = (peaks[1] - peaks[0]) / 15_000
    assert per_row < 100  # bytes; the probabilities themselves take 160


def test_scikit_activeml_gives_the_same_scores():
    peer = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is missing")
    proba = dirichlet(6, 40, 3)
    positions, scores = batch_bald(proba, 5, random_state=0)
    utilities = peer.batch_bald(proba.copy(), 5, n_MC_samples=1000)
    assert np.nanargmax(utilities, axis=1).tolist() == positions.tolist()
    np.testing.assert_allclose(np.nanmax(utilities, axis=1), scores, atol=1e-6)


def make_pool(n_classes=3, estimator=LINEAR, committee=5, dtype=float, n_samples=260):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, 4)).astype(dtype)
    y = np.arange(n_samples) % n_classes
    X[:, 0] += y
    labeled = np.zeros(n_samples, dtype=bool)
    labeled[rng.choice(n_samples, 10 * n_classes, replace=False)] = True
    return testing.make_pool(
        X,
        np.where(labeled, y, -1),
        labeled,
        np.flatnonzero(~labeled)[::2],
        estimator=estimator,
        committee=committee,
        random_state=4,
    )


@pytest.mark.parametrize("n_queries", [1, 10, 100])
@pytest.mark.parametrize("n_classes", [2, 10])
def test_rows_are_candidates_and_those_of_the_function(n_queries, n_classes):
    pool = make_pool(n_classes)
    n_queries = min(n_queries, len(pool))
    rows = BatchBALDSampling(1000).select(pool, n_queries)
    positions, _ = batch_bald(
        pool.member_proba, n_queries, max_configurations=1000, min_gain=0.01,
        random_state=4,
    )  # fmt: skip
    assert rows.tolist() == pool.candidates[positions].tolist()
    assert len(set(rows)) == n_queries


def test_everything_that_is_left_can_be_asked():
    forest = RandomForestClassifier(20, random_state=0)
    pool = make_pool(estimator=forest, committee=None)
    rows = BatchBALDSampling().select(pool, len(pool))
    assert sorted(rows) == pool.candidates.tolist()
    single = make_pool(dtype=np.float32)
    assert len(BatchBALDSampling().select(single, 5)) == 5


def test_of_a_large_batch_the_rest_is_that_of_bald():
    pool = make_pool()
    rows = BatchBALDSampling(1000, max_joint=4).select(pool, 10)
    joint = BatchBALDSampling(1000).select(pool, 4)
    order = pool.candidates[np.argsort(-bald(pool.member_proba))]
    assert rows.tolist() == [*joint, *order[~np.isin(order, joint)][:6]]


@pytest.mark.parametrize("parameter", [{"max_configurations": 0}, {"min_gain": 1.0}])
def test_wrong_parameters_are_refused(parameter):
    with pytest.raises(ValueError, match=next(iter(parameter))):
        BatchBALDSampling(**parameter)._validate_params()
