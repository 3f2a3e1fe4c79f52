"""Probability coverage: balls that cover the pool, and how large they are."""

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.preprocessing import normalize

from skactive import ActiveLearningClassifier
from skactive.acquisition import ProbCoverSampling
from skactive.acquisition._base import tie_order
from skactive.acquisition.diversity import _balls, _prob_cover, _unit_rows
from skactive.acquisition.diversity._balls import Balls, CoverState
from skactive.acquisition.functional import choose_radius, prob_cover
from skactive.oracles import SimulatedOracle
from skactive.testing import make_pool
from skactive.utils._sampling import draw_rows


def rows_of(n, d=4, random_state=0):
    return np.random.default_rng(random_state).normal(size=(n, d))


def on_circle(*degrees):
    angles = np.deg2rad(degrees)
    return np.column_stack([np.cos(angles), np.sin(angles)])


def by_definition(X, n_queries, radius, known=(), candidates=None, targets=None):
    """Edges, out-degrees and the farthest row, written out."""
    D = euclidean_distances(normalize(X))
    np.fill_diagonal(D, 0.0)
    edges = D < radius
    candidates = range(len(X)) if candidates is None else candidates
    uncovered = np.isin(
        np.arange(len(X)), range(len(X)) if targets is None else targets
    )
    for row in known:
        uncovered &= ~edges[row]
    centers, chosen = list(known), []
    for _ in range(n_queries):
        left = [row for row in candidates if row not in centers]
        scores = [edges[row, uncovered].sum() for row in left]
        if max(scores) == 0:
            scores = [D[row, centers].min() for row in left]
        best = left[int(np.argmax(scores))]
        chosen.append(best)
        centers.append(best)
        uncovered &= ~edges[best]
    return np.array(chosen)


def purity(X, clusters, radius):
    """The share of rows in whose ball there is one cluster only, by the definition."""
    edges = euclidean_distances(normalize(X)) < radius
    return np.mean([len(set(clusters[row])) <= 1 for row in edges])


def pool_of(X, known=(), asked=(), y=None, random_state=0):
    labeled = np.isin(np.arange(len(X)), known)
    asked = np.isin(np.arange(len(X)), asked)
    y = np.arange(len(X)) % 2 if y is None else y
    return make_pool(
        X,
        np.where(labeled, y, -1),
        labeled,
        np.flatnonzero(~(labeled | asked)),
        estimator=LogisticRegression(),
        asked=asked,
        random_state=random_state,
    )


def test_balls_by_hand():
    # Neighbours on the circle, 20 degrees apart, are 0.347 apart; 40 degrees, 0.684.
    X = on_circle(0, 20, 40, 100, 120, 200)
    # First the middle of three rows, then the first of two, then the single one. All
    # is covered; the farthest are 20 degrees from a chosen row, the first one is taken.
    assert prob_cover(X, 5, radius=0.5).tolist() == [1, 3, 5, 0, 2]
    # What a label covers does not count: row 4 covers itself and row 3.
    assert prob_cover(X, 2, radius=0.5, labeled=[1]).tolist() == [3, 5]
    # A covered row may be chosen: rows 1 and 2 both cover row 2, and nothing else.
    assert prob_cover(X[:3], 1, radius=0.5, labeled=[0]).tolist() == [1]
    assert prob_cover(X[:3], 1, radius=0.5, labeled=[0], candidates=[2]).tolist() == [2]


@pytest.mark.parametrize("container", [np.array, csr_matrix])
@pytest.mark.parametrize("is_float32", [False, True])
@pytest.mark.parametrize("random_state", range(3))
def test_choices_equal_their_definition(
    container, is_float32, random_state, monkeypatch
):
    if is_float32:
        monkeypatch.setattr(_unit_rows, "_MAX_FLOAT64_ROWS", 0)
    monkeypatch.setattr(_balls, "_TILE_ROWS", 7)
    monkeypatch.setattr(_balls, "_TILE_COLUMNS", 9)
    X = rows_of(36, random_state=random_state)
    rng = np.random.default_rng(random_state)
    known = rng.choice(36, 4 * random_state, replace=False)
    for radius in (0.2, 0.6, 1.4):
        for n_queries in (1, 10, 36 - len(known)):
            chosen = prob_cover(container(X), n_queries, radius=radius, labeled=known)
            expected = by_definition(X, n_queries, radius, known)
            assert chosen.tolist() == expected.tolist()


def test_a_row_as_far_as_the_radius_is_outside():
    # All distances of different rows are the square root of 2.
    X = np.eye(6)
    for is_sparse in (False, True):
        data = csr_matrix(X) if is_sparse else X
        state = CoverState.of_targets(np.arange(6), 6)
        rows = _unit_rows.UnitRows(data, for_distances=True)
        assert set(Balls(rows, np.sqrt(2), state)._count_uncovered()) == {1}
        assert set(Balls(rows, 1.4143, state)._count_uncovered()) == {6}


def test_rows_far_from_the_origin_are_told_apart_in_float32(monkeypatch):
    monkeypatch.setattr(_unit_rows, "_MAX_FLOAT64_ROWS", 0)
    X = rows_of(60) + 1000  # scaled to length one, they are about 0.001 apart
    radius = np.quantile(euclidean_distances(normalize(X) * 1e3), 0.2) / 1e3
    chosen = prob_cover(X, 12, radius=radius)
    assert _unit_rows.UnitRows(X, for_distances=True, smallest=radius).dtype == "f4"
    D = euclidean_distances((normalize(X) - normalize(X).mean(axis=0)) * 1e3) / 1e3
    expected, uncovered = [], np.ones(60, dtype=bool)
    for _ in range(6):
        expected.append(int(np.argmax((D < radius)[:, uncovered].sum(axis=1))))
        uncovered &= D[expected[-1]] >= radius
    assert chosen[:6].tolist() == expected


@pytest.mark.parametrize("random_state", range(5))
def test_the_greedy_choice_is_close_to_the_best_one(random_state):
    X = rows_of(9, 3, random_state)
    edges = euclidean_distances(normalize(X)) < 0.8
    best = max(
        edges[list(s)].any(axis=0).sum() for s in itertools.combinations(range(9), 3)
    )
    reached = edges[prob_cover(X, 3, radius=0.8)].any(axis=0).sum()
    assert (1 - 1 / np.e) * best <= reached <= best


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.1, 1.9))
def test_counts_only_fall_and_stay_upper_bounds(seed, radius):
    X = rows_of(30, 3, seed)
    rows = _unit_rows.UnitRows(X, for_distances=True, smallest=radius)
    state = CoverState.of_targets(np.arange(30), 30)
    balls, before = Balls(rows, radius, state), np.full(30, 30)
    balls.choose(np.arange(30), 5)
    for center in np.random.default_rng(seed).choice(30, 5, replace=False):
        balls.cover([center])
        truth = balls._count_uncovered()
        assert (truth <= before).all()
        assert (truth <= state.counts).all()
        some = np.random.default_rng(seed).choice(30, 8, replace=False)
        balls._update(some)
        assert state.counts[some].tolist() == truth[some].tolist()
        before = truth


def test_equal_rows_and_rows_of_zeros():
    for X in (np.ones((6, 2)), np.zeros((6, 2))):
        assert sorted(prob_cover(X, 6, radius=0.3)) == list(range(6))
        assert choose_radius(X, 2) == np.inf
        assert len(ProbCoverSampling().select(pool_of(X, [0, 1]), 4)) == 4


def test_a_sample_is_covered_if_there_are_many_rows():
    X = rows_of(150)
    chosen = prob_cover(X, 20, radius=0.5, max_targets=40, random_state=3)
    targets = draw_rows(np.arange(150), 40, 3)
    expected = by_definition(X, 20, 0.5, targets=targets)
    assert chosen.tolist() == expected.tolist()


def test_no_matrix_of_all_pairs_is_made():
    X = rows_of(6000, 5).astype(np.float32)
    tracemalloc.start()
    prob_cover(X, 5, radius=0.5)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 6000 * 6000  # bytes: a quarter of all distances


def test_prob_cover_agrees_with_scikit_activeml():
    skactiveml = pytest.importorskip("skactiveml.pool")
    X = normalize(rows_of(60))
    for known in ([0, 1], [5, 9, 33], list(range(0, 60, 7))):
        y = np.full(60, np.nan)
        y[known] = 0
        theirs = skactiveml.ProbCover(deltas=[0.6], random_state=0)
        with pytest.warns(UserWarning, match="purity"):  # the radius is given
            _, utilities = theirs.query(X, y, return_utilities=True)
        ours = prob_cover(X, 1, radius=0.6, labeled=known)
        assert utilities[0, ours] == np.nanmax(utilities)


# The radius


@pytest.mark.parametrize("share", [0.5, 0.9, 0.95, 1.0])
@pytest.mark.parametrize("container", [np.array, csr_matrix])
def test_the_radius_is_the_largest_one_with_pure_balls(share, container):
    X, _ = make_blobs(100, 3, centers=4, cluster_std=2.0, random_state=0)
    Z = normalize(X)
    unit = Z if container is csr_matrix else Z - Z.mean(axis=0)
    clusters = KMeans(4, n_init=3, random_state=0).fit_predict(unit)
    radius = choose_radius(container(X), 4, purity=share)
    assert purity(X, clusters, radius * (1 - 1e-9)) >= share
    assert purity(X, clusters, radius * (1 + 1e-9)) < share


def test_a_share_of_rows_is_not_rounded_down():
    # 20 rows, of which 1 = 0.05 * 20 may be impure; in floats it is 1.0000000000000009,
    # and 0.1 * 20 with a purity of 0.9 is 1.9999999999999996.
    X = np.concatenate([on_circle(*range(0, 10)), on_circle(*range(100, 110))])
    # From the inside out, rows are 91, 92, ... degrees from the other cluster.
    chord = 2 * np.sin(np.deg2rad(91) / 2)
    assert choose_radius(X, 2, purity=0.95) == pytest.approx(chord)
    chord = 2 * np.sin(np.deg2rad(92) / 2)
    assert choose_radius(X, 2, purity=0.9) == pytest.approx(chord)


def test_a_sample_of_rows_says_how_pure_the_balls_are(monkeypatch):
    X, _ = make_blobs(1500, 5, centers=5, cluster_std=2.0, random_state=0)
    exact = choose_radius(X, 5, purity=0.9)
    monkeypatch.setattr(_prob_cover, "_MAX_PURITY_ROWS", 400)
    assert choose_radius(X, 5, purity=0.9) == pytest.approx(exact, rel=0.1)
    monkeypatch.setattr(_prob_cover, "_MAX_DISTANCES", 100)  # mini-batches
    assert 0 < choose_radius(X, 5, purity=0.9) <= 2


def test_the_radius_is_chosen_anew_when_a_class_is_found():
    X, y = make_blobs(90, 3, centers=6, random_state=0)
    strategy = ProbCoverSampling()
    two = [int(np.flatnonzero(y == k)[0]) for k in (0, 1)]
    strategy.select(pool_of(X, two, y=y, random_state=1), 3)
    first = strategy.radius_
    assert first == choose_radius(X, 2, random_state=1)
    strategy.select(pool_of(X, [*two, two[0] + 1], y=y % 2, random_state=2), 3)
    assert strategy.radius_ == first
    everything = np.unique(y, return_index=True)[1]
    strategy.select(pool_of(X, everything, y=y, random_state=3), 3)
    assert strategy.radius_ == choose_radius(X, 6, random_state=3)
    stated = ProbCoverSampling(n_clusters=6)
    stated.select(pool_of(X, two, y=y, random_state=3), 3)
    assert stated.radius_ == strategy.radius_


# The strategy


def test_known_rows_cover_and_candidates_are_asked():
    X = rows_of(70)
    known, asked = [3, 9, 40], [5, 41]
    rows = ProbCoverSampling(0.5).select(pool_of(X, known, asked), 12)
    pool = pool_of(X, known, asked)
    candidates = pool.candidates[tie_order(pool)]
    expected = by_definition(X, 12, 0.5, [*known, *asked], candidates)
    assert rows.tolist() == expected.tolist()
    # All rows are to be covered, even if only some may be asked.
    part = pool_of(X, known, asked).take(np.arange(20, 50))
    rows = ProbCoverSampling(0.5).select(part, 6)
    candidates = part.candidates[tie_order(part)]
    expected = by_definition(X, 6, 0.5, [*known, *asked], candidates)
    assert rows.tolist() == expected.tolist()


@pytest.mark.parametrize("batch_size", [1, 4])
def test_what_is_kept_between_rounds_changes_nothing(batch_size):
    X, y = make_blobs(80, 3, centers=8, random_state=0)
    strategy, known, asked = ProbCoverSampling(0.4), [0, 1], []
    for number in range(12):
        pool = pool_of(X, known, asked, y % 2)
        rows = strategy.select(pool, batch_size)
        fresh = ProbCoverSampling(0.4).select(pool, batch_size)
        assert rows.tolist() == fresh.tolist()
        # Some rows get no answer, and in some rounds other rows are queried than
        # chosen.
        (asked if number % 3 else known).extend(rows[:1])
        known.extend(rows[1:] if number % 4 else pool.candidates[-2:])


def test_all_rounds_together_count_the_pairs_once(monkeypatch):
    n_pairs, products = [], _unit_rows.UnitRows.products

    def counted(self, left, right):
        n_pairs.append(left.shape[0] * right.shape[0])
        return products(self, left, right)

    monkeypatch.setattr(_unit_rows.UnitRows, "products", counted)
    X, y = make_blobs(1500, 5, centers=20, random_state=0)
    ActiveLearningClassifier(
        LogisticRegression(max_iter=1000),
        oracle=SimulatedOracle(y),
        strategy=ProbCoverSampling(0.3),
        initial_strategy="random",
        batch_size=5,
        budget=100,
    ).fit(X, np.full(1500, -1), sample_ids=np.arange(1500))
    assert sum(n_pairs) < 1.5 * 1500**2


def test_other_features_are_not_taken_for_the_same():
    strategy = ProbCoverSampling(0.5)
    for random_state in range(3):
        X = rows_of(40, random_state=random_state)
        pool = pool_of(X, [1, 2])
        candidates = pool.candidates[tie_order(pool)]
        rows = strategy.select(pool, 5)
        assert rows.tolist() == by_definition(X, 5, 0.5, [1, 2], candidates).tolist()


def test_parameters_are_validated():
    for wrong in (
        {"radius": 0},
        {"radius": "large"},
        {"n_clusters": 1},
        {"purity": 0.0},
        {"purity": 1.1},
        {"max_targets": 0},
    ):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            ProbCoverSampling(**wrong)._validate_params()
