"""TypiClust: typical rows of clusters with few labels, against the plain definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist
from sklearn.datasets import make_blobs
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_limits

from skactive import ActiveLearningClassifier
from skactive.acquisition import TypiClustSampling
from skactive.acquisition.diversity._typiclust import _cluster, _most_typical, _turns
from skactive.acquisition.functional import typicality, typiclust
from skactive.testing import make_pool

RNG = np.random.default_rng(0)
CLUSTERS = {
    "normal": RNG.standard_normal((300, 30)),
    "flat": RNG.random((300, 2)),
    "offset": RNG.random((300, 5)) + 1000,
    "float32": RNG.standard_normal((300, 10)).astype(np.float32),
    "integers": RNG.integers(0, 3, (300, 4)),
    "equal": np.ones((50, 3)),
    "duplicates": np.repeat(RNG.random((40, 3)), 7, axis=0)[RNG.permutation(280)],
    "piles": np.repeat(
        RNG.normal(9, 1, (29, 30)), [*[1] * 9, 25, *[1] * 18, 25], axis=0
    ),
    "tight": np.concatenate([RNG.random((99, 3)) * 1e-3, 5 + RNG.random((99, 3))]),
}
X, TRUTH = make_blobs([60, 40, 25, 12, 5, 3], 4, cluster_std=0.4, random_state=3)


def plain_typicality(X, n_neighbors):
    distances = cdist(X, X)
    np.fill_diagonal(distances, np.inf)
    means = np.sort(distances, axis=1)[:, :n_neighbors].mean(axis=1)
    with np.errstate(divide="ignore"):
        return 1 / means


def plain_typiclust(X, n_queries, labeled, labels, n_neighbors=20):
    """The published algorithm, without shortcuts, and then the same on the rest."""
    labels, n_known = labels.copy(), np.bincount(labels[labeled], minlength=500)
    sizes = np.bincount(labels, minlength=500)
    labels[labeled], chosen = -1, []
    for is_dropped in (False, True):
        order = [c for c in range(500) if sizes[c] and (sizes[c] <= 5) == is_dropped]
        order.sort(key=lambda cluster: (n_known[cluster], -sizes[cluster]))
        turn = 0
        while np.isin(labels, order).any() and len(chosen) < n_queries:
            skip = turn
            while not (labels == order[skip % len(order)]).any():
                skip += 1
            rows = np.flatnonzero(labels == order[skip % len(order)])
            best = 0
            if len(rows) > 1:
                k = min(n_neighbors, len(rows) // 2)
                best = plain_typicality(X[rows], k).argmax()
            chosen.append(int(rows[best]))
            labels[rows[best]] = -1
            turn += 1
    return chosen


def test_typicality_has_the_worked_values():
    # Distances 1 and 3; 1 and 2; 2 and 3.
    values = typicality([[0.0], [1.0], [3.0]], n_neighbors=2)
    np.testing.assert_allclose(values, [1 / 2, 2 / 3, 2 / 5])
    assert typicality([[2.0], [2.0], [3.0]], 1).tolist() == [np.inf, np.inf, 1.0]


@given(arrays(float, (8, 3), elements=st.floats(-5, 5)), st.integers(1, 7))
@settings(max_examples=30, deadline=None)
def test_typicality_equals_its_definition(X, n_neighbors):
    expected = 1 / plain_typicality(X, n_neighbors)
    found = 1 / typicality(X, n_neighbors)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CLUSTERS)
@pytest.mark.parametrize("n_rows", [2, 3, 10, None])
def test_the_most_typical_row_is_that_of_largest_typicality(name, n_rows):
    rows = np.asarray(CLUSTERS[name][:n_rows])
    n_neighbors = min(20, len(rows) // 2)
    values = plain_typicality(rows.astype(float), n_neighbors)
    first = np.flatnonzero(values >= values.max() * (1 - 1e-9))[0]
    assert _most_typical(rows, n_neighbors) == first
    assert _most_typical(csr_matrix(rows.astype(float)), n_neighbors) == first


def test_blocks_change_nothing(monkeypatch):
    expected = [_most_typical(rows, 9) for rows in CLUSTERS.values()]
    monkeypatch.setattr("skactive.acquisition.diversity._typiclust._BLOCK_SIZE", 2000)
    monkeypatch.setattr("skactive.acquisition.diversity._typiclust._N_EXACT", 2)
    assert [_most_typical(rows, 9) for rows in CLUSTERS.values()] == expected


@pytest.mark.parametrize("n_queries", [1, 2, 10, 60])
@pytest.mark.parametrize("labeled", [[], [0, 5, 7], list(range(30))])
def test_choices_are_those_of_the_definition(n_queries, labeled):
    with threadpool_limits(1):
        labels = _cluster(X, len(labeled) + n_queries, 4)
    expected = plain_typiclust(X, n_queries, labeled, labels)
    found = typiclust(X, n_queries, labeled=labeled, random_state=4)
    assert found.tolist() == expected


def test_turns_go_to_few_labels_then_to_large_clusters_and_skip_used_ones():
    labels = np.repeat([0, 1, 2, 3], [8, 9, 7, 5])
    is_free = np.ones(29, dtype=bool)
    is_free[0] = False  # a label in cluster 0
    is_free[17:23] = False  # only one row of cluster 2 is left
    turns = _turns(labels, is_free, 6, min_cluster_size=6)
    # By labels: 1 (none), 0 (one), 2 (six). Turn 5 belongs to 2, which is used up.
    assert turns == [1, 0, 2, 1, 0, 1]


def test_small_clusters_follow_once_the_others_are_used_up():
    labels = np.repeat([0, 1], [6, 2])
    turns = _turns(labels, np.ones(8, dtype=bool), 8, min_cluster_size=6)
    assert turns == [0] * 6 + [1, 1]


def test_a_tiny_pool_has_small_clusters_only():
    chosen = typiclust([[0.0], [0.1], [5.0]], 2, random_state=0)
    assert sorted(chosen) in ([0, 2], [1, 2])


def test_every_row_can_be_chosen():
    for rows in (X, np.ones((9, 2))):
        chosen = typiclust(rows, len(rows) - 1, labeled=[4], random_state=0)
        assert sorted(chosen) == [i for i in range(len(rows)) if i != 4]


def test_many_clusters_use_mini_batches_and_their_number_is_limited():
    rows = RNG.random((900, 3))
    with threadpool_limits(1):
        labels = _cluster(rows, 70, 0)
    expected = plain_typiclust(rows, 40, list(range(60)), labels)
    found = typiclust(
        rows, 40, labeled=range(60), max_clusters=70, random_state=0
    ).tolist()
    assert found == expected


@pytest.mark.parametrize("n_queries", [0, 145])
def test_an_impossible_number_of_queries_is_refused(n_queries):
    with pytest.raises(ValueError, match="n_queries must be between 1 and 144"):
        typiclust(X, n_queries, labeled=[0])


def pool_of(X, labeled, asked=()):
    is_labeled, is_asked = (
        np.isin(np.arange(len(X)), rows) for rows in (labeled, asked)
    )
    return make_pool(
        X,
        np.where(is_labeled, 0, -1),
        is_labeled,
        np.flatnonzero(~(is_labeled | is_asked)),
        estimator=LogisticRegression(),
        asked=is_asked,
        can_fit=False,
        random_state=0,
    )


def test_one_at_a_time_every_large_cluster_is_asked_once():
    labeled, asked = [], []
    for _ in range(2):
        labeled += TypiClustSampling().select(pool_of(X, labeled, asked), 1).tolist()
        asked += TypiClustSampling().select(pool_of(X, labeled, asked), 1).tolist()
    assert sorted(TRUTH[labeled + asked]) == [0, 1, 2, 3]


def test_parameters_reach_the_function():
    strategy = TypiClustSampling(max_clusters=3, n_neighbors=2, min_cluster_size=2)
    chosen = strategy.select(pool_of(X, [0, 1]), 9)
    order = np.concatenate([[0, 1], np.arange(2, len(X))])
    expected = typiclust(
        X[order],
        9,
        labeled=[0, 1],
        max_clusters=3,
        n_neighbors=2,
        min_cluster_size=2,
        random_state=0,
    )
    np.testing.assert_array_equal(chosen, expected)


def test_it_starts_a_run_on_texts():
    words = [["a b", "c d", "e f"][i % 3] for i in range(30)]
    clf = ActiveLearningClassifier(
        make_pipeline(CountVectorizer(token_pattern="[a-f]"), LogisticRegression()),
        oracle=lambda X: [text[0] for text in X],
        initial_strategy="typiclust",
        missing_label=None,
        batch_size=3,
        budget=3,
        random_state=0,
    )
    assert clf.fit(words, [None] * 30).classes_.tolist() == ["a", "c", "e"]
