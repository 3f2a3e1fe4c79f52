"""k-means: rows in the middle of clusters that hold no label yet."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive.acquisition import KMeansSampling
from skactive.acquisition.diversity._clustering import nearest_in_free_clusters
from skactive.testing import make_pool


def blobs(sizes, spread=0.1):
    """Clusters around 0, 100, 200, ... on a line, with a row exactly in the middle."""
    parts = [100.0 * i + spread * np.linspace(-1, 1, n) for i, n in enumerate(sizes)]
    return np.concatenate(parts).reshape(-1, 1)


def pool_of(X, known=(), asked=(), random_state=0):
    labeled = np.isin(np.arange(len(X)), known)
    asked = np.isin(np.arange(len(X)), asked)
    return make_pool(
        X,
        np.where(labeled, 0, -1),
        labeled,
        np.flatnonzero(~(labeled | asked)),
        estimator=LogisticRegression(),
        asked=asked,
        can_fit=False,
        random_state=random_state,
    )


def test_the_middle_of_every_cluster_is_asked_largest_first():
    X = blobs([3, 7, 5])
    assert KMeansSampling().select(pool_of(X), 3).tolist() == [6, 12, 1]


def test_clusters_with_a_known_row_are_left_out():
    X = blobs([3, 7, 5])
    assert KMeansSampling().select(pool_of(X, known=[6]), 2).tolist() == [12, 1]
    assert KMeansSampling().select(pool_of(X, asked=[6]), 2).tolist() == [12, 1]


def test_one_at_a_time_it_does_not_ask_the_same_cluster_for_ever():
    X = blobs([5, 5, 5, 5])
    asked = []
    for _ in range(4):
        asked += KMeansSampling().select(pool_of(X, asked=asked), 1).tolist()
    assert sorted(row // 5 for row in asked) == [0, 1, 2, 3]


def test_farthest_rows_follow_where_free_clusters_are_too_few():
    X = np.array([[0.0], [1.0], [10.0], [4.0]])
    rows = KMeansSampling(max_clusters=1).select(pool_of(X, known=[0]), 3)
    assert rows.tolist() == [2, 3, 1]


def test_duplicates_are_asked_as_different_rows():
    rows = KMeansSampling().select(pool_of(np.ones((8, 2))), 5)
    assert len(set(rows.tolist())) == 5


def test_free_clusters_are_found_as_by_hand():
    labels = np.array([0, 1, 1, 2, 2, 2])
    distances = np.array([0.0, 3.0, 2.0, 5.0, 4.0, 6.0])
    keys = np.arange(6)
    rows = nearest_in_free_clusters(labels, distances, 1, 5, keys)
    assert rows.tolist() == [4, 2]
    distances[3] = 4.0  # now it is as near as the next, and has the higher key
    rows = nearest_in_free_clusters(labels, distances, 1, 5, 6 - keys)
    assert rows.tolist() == [4, 2]


def test_rows_without_an_embedding_are_asked_at_random_with_a_warning():
    texts = ["a", "b", "c", "d", "e", "f"]
    answers = dict(zip(texts, "xyxyxy", strict=True))
    clf = ActiveLearningClassifier(
        TextLength(),
        oracle=lambda X: [answers[x] for x in X],
        missing_label=None,
        strategy="random",
        batch_size=2,
        budget=4,
    )
    with pytest.warns(UserWarning, match="no embedding"):
        clf.fit(texts, [None] * 6)
    assert clf.n_queries_ == 4


class TextLength(LogisticRegression):
    """A classifier of raw texts that is not a Pipeline."""

    def fit(self, X, y):
        return super().fit([[len(x)] for x in X], y)

    def predict(self, X):
        return super().predict([[len(x)] for x in X])
