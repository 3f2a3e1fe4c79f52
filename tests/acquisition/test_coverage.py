"""Facility location and herding: greedy covers by similarity."""

import itertools
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from sklearn.datasets import make_blobs
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import cosine_similarity, euclidean_distances
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import normalize
from sklearn.svm import LinearSVC

from skactive import ActiveLearningClassifier
from skactive.acquisition import (
    BALDSampling,
    FacilityLocationSampling,
    KMeansSampling,
    MaxHerdingSampling,
    ProbCoverSampling,
    Subsample,
    SuggestiveAnnotationSampling,
    UHerdingSampling,
)
from skactive.acquisition._registry import check_model
from skactive.acquisition.diversity import _unit_rows
from skactive.acquisition.diversity._coverage import Cover
from skactive.acquisition.diversity._unit_rows import UnitRows
from skactive.acquisition.functional import (
    facility_location,
    margin,
    max_herding,
    mean_std,
    u_herding,
)
from skactive.acquisition.hybrid._u_herding import smallest_distance
from skactive.oracles import SimulatedOracle
from skactive.testing import make_pool
from skactive.utils._sampling import draw_rows

STRATEGIES = [
    FacilityLocationSampling(),
    MaxHerdingSampling(),
    ProbCoverSampling(),
    SuggestiveAnnotationSampling(),
    UHerdingSampling(),
]
CONTAINERS = [np.array, csr_matrix]


def cosine(X):
    return np.maximum(cosine_similarity(X), 0.0)


def gaussian(X, bandwidth=0.7):
    return np.exp(-(euclidean_distances(normalize(X)) ** 2) / bandwidth**2)


def rows_of(n, d=4, random_state=0):
    return np.random.default_rng(random_state).normal(size=(n, d))


def value(similarity, chosen, weights):
    """What a set of rows is worth, by the definition."""
    if not len(chosen):
        return 0.0
    return (weights * similarity[list(chosen)].max(axis=0)).sum()


def greedy(similarity, n_queries, known=(), candidates=None, weights=None):
    """The greedy choice, by the definition; of equals, the first."""
    n = len(similarity)
    weights = np.ones(n) if weights is None else weights
    candidates = np.arange(n) if candidates is None else candidates
    chosen, centers = [], list(known)
    for _ in range(n_queries):
        left = [i for i in candidates if i not in centers]
        values = [value(similarity, [*centers, i], weights) for i in left]
        gains = np.array(values) - value(similarity, centers, weights)
        best = left[int(np.argmax(gains >= gains.max() * (1 - 1e-6)))]
        chosen.append(best)
        centers.append(best)
    return np.array(chosen)


def pool_of(X, known=(), asked=(), y=None, random_state=0, **kwargs):
    labeled = np.isin(np.arange(X.shape[0]), known)
    asked = np.isin(np.arange(X.shape[0]), asked)
    y = np.zeros(len(labeled), dtype=int) if y is None else y
    kwargs.setdefault("estimator", LogisticRegression())
    return make_pool(
        X,
        np.where(labeled, y, -1),
        labeled,
        np.flatnonzero(~(labeled | asked)),
        asked=asked,
        random_state=random_state,
        **kwargs,
    )


def test_facility_location_by_hand():
    # The cosines of the third row with the others are 0.8 and 0.6, theirs is 0.
    X = [[1.0, 0.0], [0.0, 1.0], [0.8, 0.6]]
    assert facility_location(X, 3).tolist() == [2, 1, 0]
    assert facility_location(X, 1, labeled=[2]).tolist() == [1]
    assert facility_location(X, 1, candidates=[0, 1]).tolist() == [0]


def test_rows_that_point_away_are_not_similar():
    # The opposite of a row gains 1 by itself; were its similarity -1, it gained 2.
    X = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, 1.0]])
    assert facility_location(X, 2, labeled=[0]).tolist() == [2, 1]


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("random_state", range(4))
def test_greedy_choices_equal_their_definitions(container, random_state):
    X = rows_of(40, random_state=random_state)
    rng = np.random.default_rng(random_state)
    known = rng.choice(40, 3 * random_state, replace=False)
    u, data = rng.random(40), container(X)
    is_target = ~np.isin(np.arange(40), known)
    for n_queries in (1, 10, 40 - len(known)):
        for choose, similarity, weights in [
            (facility_location, cosine(X), is_target * 1.0),
            (partial(max_herding, bandwidth=0.7), gaussian(X), is_target * 1.0),
            (
                lambda X, b, **kw: u_herding(X, u, b, bandwidth=0.7, **kw),
                gaussian(X),
                u * is_target,
            ),
        ]:
            expected = greedy(similarity, n_queries, known, weights=weights)
            chosen = choose(data, n_queries, labeled=known)
            assert chosen.tolist() == expected.tolist()


@pytest.mark.parametrize("container", CONTAINERS)
def test_choices_in_float32_are_as_good(container, monkeypatch):
    monkeypatch.setattr(_unit_rows, "_MAX_FLOAT64_ROWS", 0)
    X, u = rows_of(120, 6), np.random.default_rng(1).random(120)
    for chosen, similarity, weights in [
        (facility_location(container(X), 30), cosine(X), np.ones(120)),
        (max_herding(container(X), 30), gaussian(X, 1.0), np.ones(120)),
        (u_herding(container(X), u, 30), gaussian(X, 1.0), u),
    ]:
        expected = greedy(similarity, 30, weights=weights)
        for n in range(1, 31):
            best = value(similarity, expected[:n], weights)
            np.testing.assert_allclose(
                value(similarity, chosen[:n], weights), best, rtol=1e-5
            )


def test_float32_is_not_used_for_small_distances_in_a_large_pool(monkeypatch):
    monkeypatch.setattr(_unit_rows, "_MAX_FLOAT64_ROWS", 0)
    # Steps of 1e-4 on a circle, all on one side of it, and a far row.
    angles = np.append(1e-4 * np.arange(50), 3.0)
    X = np.column_stack([np.cos(angles), np.sin(angles)])
    chosen = max_herding(X, 10, bandwidth=2e-4)
    assert chosen.tolist() == greedy(gaussian(X, 2e-4), 10).tolist()


@pytest.mark.parametrize("random_state", range(5))
@pytest.mark.parametrize("similarity", [cosine, gaussian])
def test_the_greedy_choice_is_close_to_the_best_one(similarity, random_state):
    X = rows_of(9, 3, random_state)
    choose = {cosine: facility_location, gaussian: partial(max_herding, bandwidth=0.7)}
    matrix, ones = similarity(X), np.ones(9)
    best = max(value(matrix, s, ones) for s in itertools.combinations(range(9), 3))
    reached = value(matrix, choose[similarity](X, 3), ones)
    assert (1 - 1 / np.e) * best <= reached <= best * (1 + 1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_gains_only_fall_as_rows_are_chosen(seed, for_distances):
    X = rows_of(20, 3, seed)
    rows = UnitRows(X, for_distances=for_distances)
    weights = np.random.default_rng(seed).random(20)
    transform = (lambda P: np.exp(2 * P, out=P)) if for_distances else None
    cover = Cover(rows, np.arange(20), transform=transform, weights=weights)
    everything = np.arange(20)
    gains = cover.gains(everything)
    for center in np.random.default_rng(seed).choice(20, 5, replace=False):
        before = cover.add(np.array([center]))
        fewer = cover.gains(everything)
        assert (fewer <= gains * (1 + 1e-12) + 1e-12).all()
        assert fewer[center] == 0.0
        # To subtract the loss is the same, except for rounding, and never too much.
        bounds = cover.lower(gains, everything, before)
        np.testing.assert_allclose(bounds, fewer, rtol=1e-5, atol=1e-5)
        assert (bounds >= fewer - 1e-12).all()
        gains = fewer


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([facility_location, max_herding]))
def test_the_order_of_the_rows_does_not_matter(seed, choose):
    X = rows_of(25, 4, seed)
    order = np.random.default_rng(seed).permutation(25)
    similarity = cosine(X) if choose is facility_location else gaussian(X, 1.0)
    first, second = choose(X, 6), order[choose(X[order], 6)]
    # Two rows that only cover each other are worth the same.
    first, second = (value(similarity, rows, 1) for rows in (first, second))
    assert first == pytest.approx(second, rel=1e-5)


def test_the_length_of_rows_does_not_matter():
    X = rows_of(30)
    lengths = np.random.default_rng(1).uniform(0.1, 50, size=(30, 1))
    for choose in (facility_location, max_herding):
        assert choose(X * lengths, 8).tolist() == choose(X, 8).tolist()


@pytest.mark.parametrize("choose", [facility_location, max_herding])
def test_a_batch_takes_few_passes_over_all_pairs(choose, monkeypatch):
    n_pairs, products = [], UnitRows.products

    def counted(self, left, right):
        n_pairs.append(left.shape[0] * right.shape[0])
        return products(self, left, right)

    monkeypatch.setattr(UnitRows, "products", counted)
    # Rows without any structure: all gains change with every choice.
    choose(rows_of(1500, 50), 100)
    assert sum(n_pairs) < 8.5 * 1500**2


@pytest.mark.parametrize("choose", [facility_location, max_herding])
def test_a_sample_is_covered_if_there_are_many_rows(choose):
    X = rows_of(200)
    whole = choose(X, 10, max_targets=None)
    assert choose(X, 10, max_targets=200).tolist() == whole.tolist()
    first = choose(X, 10, max_targets=30, random_state=1)
    assert choose(X, 10, max_targets=30, random_state=1).tolist() == first.tolist()
    assert choose(X, 10, max_targets=30, random_state=2).tolist() != first.tolist()
    weights = np.zeros(200)
    weights[draw_rows(np.arange(200), 30, 1)] = 1
    similarity = cosine(X) if choose is facility_location else gaussian(X, 1.0)
    assert first.tolist() == greedy(similarity, 10, weights=weights).tolist()


def test_rows_may_be_equal_or_zero():
    same, zeros = np.ones((6, 2)), np.zeros((6, 2))
    mixed = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    for choose in (facility_location, max_herding):
        assert sorted(choose(same, 6)) == sorted(choose(zeros, 6)) == list(range(6))
        assert choose(mixed, 1, labeled=[0, 2, 3]).tolist() == [1]
    assert facility_location(mixed, 2).tolist() == [1, 0]
    assert sorted(max_herding(mixed, 2)) == [0, 1]


def test_candidates_can_be_a_mask_or_numbers():
    X, mask = rows_of(20), np.arange(20) % 3 == 1
    by_mask = facility_location(X, 4, labeled=~mask & (np.arange(20) < 9))
    known = [i for i in range(9) if i % 3 != 1]
    assert by_mask.tolist() == facility_location(X, 4, labeled=known).tolist()
    chosen = max_herding(X, 3, candidates=mask)
    assert mask[chosen].all()
    assert (
        chosen.tolist() == max_herding(X, 3, candidates=np.flatnonzero(mask)).tolist()
    )


def test_impossible_choices_are_errors():
    X = rows_of(5)
    with pytest.raises(ValueError, match="number of candidates, 4; got 5"):
        facility_location(X, 5, labeled=[0])
    with pytest.raises(ValueError, match="n_queries"):
        max_herding(X, 0)
    with pytest.raises(ValueError, match="rows that are labeled"):
        max_herding(X, 1, labeled=[1], candidates=[1, 2])


# Uncertainty


@pytest.mark.parametrize("wrong", [[-0.1] * 5, [np.nan] * 5, [np.inf] * 5, [0.5] * 4])
def test_uncertainty_is_a_weight_of_each_row(wrong):
    with pytest.raises(ValueError, match="uncertainty must"):
        u_herding(rows_of(5), wrong, 2)


def test_a_wide_kernel_covers_and_a_narrow_one_asks_the_uncertain():
    X, u = rows_of(50), np.random.default_rng(0).random(50)
    narrow = u_herding(X, u, 10, bandwidth=1e-3)
    assert narrow.tolist() == np.argsort(-u)[:10].tolist()
    equal = u_herding(X, np.full(50, 1e-12), 10)
    assert equal.tolist() == max_herding(X, 10).tolist()
    certain = u_herding(X, np.zeros(50), 10)
    assert certain.tolist() == equal.tolist()


def test_only_ratios_of_uncertainties_matter():
    X, u = rows_of(50), np.random.default_rng(0).random(50)
    assert u_herding(X, u * 1e-9, 20).tolist() == u_herding(X, u, 20).tolist()


def test_the_bandwidth_is_the_smallest_distance_of_different_labelled_rows():
    X = np.array([[2.0, 0.0], [1.0, 0.0], [0.6, 0.8], [0.0, 3.0]])
    assert smallest_distance(X, default=1.0) == pytest.approx(np.sqrt(0.4))
    assert smallest_distance(csr_matrix(X), default=1.0) == pytest.approx(np.sqrt(0.4))
    assert smallest_distance(X[:2], default=1.0) == 1.0
    assert smallest_distance(X[:1], default=1.0) == 1.0


@pytest.mark.parametrize("bandwidth", ["auto", 0.5])
def test_u_herding_weighs_by_the_utilities_of_its_base(bandwidth):
    X, y = make_blobs(60, centers=4, cluster_std=3.0, random_state=0)
    known, asked = np.arange(0, 60, 5), [1, 2]
    pool = pool_of(X, known, asked, y)
    rows = UHerdingSampling(bandwidth=bandwidth).select(pool, 7)
    u = np.zeros(60)
    u[pool.candidates] = margin(pool.proba)
    if bandwidth == "auto":
        distances = euclidean_distances(normalize(X[known]))
        bandwidth = distances[np.triu_indices(len(known), 1)].min()
    expected = greedy(gaussian(X, bandwidth), 7, [*known, *asked], weights=u)
    assert rows.tolist() == expected.tolist()


def test_u_herding_refuses_bases_that_are_no_weights():
    with pytest.raises(ValueError, match="KMeansSampling selects rows without any"):
        UHerdingSampling("k_means")._validate_params()
    with pytest.raises(ValueError, match="may be negative"):
        UHerdingSampling(lambda pool: -pool.candidates)._validate_params()
    with pytest.raises(ValueError, match="predict_proba"):
        check_model(UHerdingSampling(), LinearSVC())
    with pytest.raises(ValueError, match="bandwidth"):
        UHerdingSampling(bandwidth=0.0)._validate_params()
    check_model(UHerdingSampling(BALDSampling()), LogisticRegression(), 3)


# The strategies


def test_known_rows_count_as_chosen():
    X = rows_of(39, 2) + np.repeat([[9, 0], [0, 9]], [20, 19], axis=0)
    for strategy in (FacilityLocationSampling(), MaxHerdingSampling()):
        first = strategy.select(pool_of(X), 1)
        assert first < 20
        assert strategy.select(pool_of(X, known=first), 1) >= 20
        assert strategy.select(pool_of(X, asked=first), 1) >= 20


@pytest.mark.parametrize(
    ("strategy", "choose"),
    [
        (FacilityLocationSampling(), facility_location),
        (MaxHerdingSampling(0.4), partial(max_herding, bandwidth=0.4)),
    ],
)
def test_strategies_cover_the_candidates(strategy, choose):
    X = rows_of(50)
    pool = pool_of(X, known=[0, 5], asked=[7])
    expected = choose(X, 9, labeled=[0, 5, 7])
    assert strategy.select(pool, 9).tolist() == expected.tolist()
    # Of a part of the pool, the part is covered.
    part = pool.take(np.arange(10, 40))
    rows = np.concatenate([[0, 5, 7], part.candidates])
    expected = rows[choose(X[rows], 4, labeled=[0, 1, 2])]
    assert strategy.select(part, 4).tolist() == expected.tolist()


def test_suggestive_annotation_keeps_the_uncertain_and_covers_all():
    X, y = make_blobs(80, centers=3, cluster_std=4.0, random_state=0)
    known, asked = np.arange(0, 80, 6), [1]
    pool = pool_of(X, known, asked, y, committee=5)
    rows = SuggestiveAnnotationSampling("mean_std").select(pool, 6)
    kept = np.sort(pool.candidates[np.argsort(-mean_std(pool.member_proba))[:12]])
    weights = np.isin(np.arange(80), pool.candidates) * 1.0
    expected = greedy(cosine(X), 6, [*known, *asked], kept, weights)
    assert rows.tolist() == expected.tolist()


def test_suggestive_annotation_takes_votes_and_asks_all_that_is_left():
    X, y = make_blobs(30, centers=3, random_state=0)
    pool = pool_of(X, np.arange(0, 30, 3), (), y, estimator=LinearSVC(), committee=3)
    strategy = SuggestiveAnnotationSampling(factor=1.5)
    check_model(strategy, LinearSVC(), 3)
    assert sorted(strategy.select(pool, 20)) == pool.candidates.tolist()
    with pytest.raises(ValueError, match="predict_proba"):
        check_model(SuggestiveAnnotationSampling("mean_std"), LinearSVC(), 3)
    with pytest.raises(ValueError, match="selects rows without any"):
        SuggestiveAnnotationSampling(KMeansSampling())._validate_params()


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
def test_raw_texts_run_through_a_pipeline(strategy):
    words = ["red", "green", "blue", "round", "square", "flat"]
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words, 3)) for _ in range(60)]
    truth = np.array(["red" in text for text in texts]).astype(int)
    clf = ActiveLearningClassifier(
        make_pipeline(TfidfVectorizer(), LogisticRegression()),
        oracle=SimulatedOracle(truth),
        strategy=strategy,
        committee=3,
        batch_size=10,
        budget=40,
        random_state=0,
    ).fit(texts, np.full(60, -1), sample_ids=np.arange(60))
    assert clf.n_queries_ == 40


@pytest.mark.parametrize("strategy", STRATEGIES, ids=repr)
def test_ten_classes_and_batches_larger_than_the_rest(strategy):
    X, y = make_blobs(130, 4, centers=10, random_state=0)
    pool = pool_of(X, np.arange(0, 130, 5), [1, 2, 3, 4], y, committee=3)
    for n_queries in (1, 10, 100):
        rows = strategy.select(pool, n_queries)
        assert len(set(rows)) == n_queries
        assert set(rows) <= set(pool.candidates)
    one = pool.take([17])
    assert strategy.select(one, 1).tolist() == one.candidates.tolist()


def test_combinations_take_them():
    X, y = make_blobs(60, centers=3, random_state=0)
    pool = pool_of(X, np.arange(0, 60, 6), (), y)
    assert len(Subsample("u_herding", 20).select(pool, 5)) == 5


def test_max_herding_agrees_with_scikit_activeml():
    skactiveml = pytest.importorskip("skactiveml.pool")
    X = rows_of(40)
    y = np.full(40, np.nan)
    y[[3, 8, 30]] = 0
    theirs = skactiveml.MaxHerding(metric_dict={"gamma": 1 / 0.5**2}, random_state=0)
    # Later there are ties, which it breaks at random.
    expected = theirs.query(X, y, batch_size=5)
    ours = max_herding(X, 5, labeled=[3, 8, 30], bandwidth=0.5)
    assert ours.tolist() == expected.tolist()
