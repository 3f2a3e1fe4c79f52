"""k-means: all rows of one place belong to one cluster."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.cluster import KMeans, MiniBatchKMeans

from skactive.acquisition.diversity._clustering import _first_of_same_place, fit_k_means


@pytest.mark.parametrize("container", [np.asarray, csr_matrix, np.float32])
@pytest.mark.parametrize("kind", [KMeans, MiniBatchKMeans])
def test_copies_are_in_one_cluster_however_many_there_are(container, kind):
    places = np.random.default_rng(0).normal(size=(4, 33))
    group = np.repeat(np.arange(4), 300)
    for seed in range(5):
        k_means = kind(10, n_init=1, random_state=seed)
        labels, centers = fit_k_means(k_means, container(places[group]))
        assert len(np.unique(np.column_stack([group, labels]), axis=0)) == 4
        np.testing.assert_allclose(centers[labels], places[group], atol=1e-3)


def test_clusters_of_different_rows_are_those_of_k_means():
    X = np.random.default_rng(0).normal(size=(300, 3)) + 1e4
    labels, centers = fit_k_means(KMeans(40, n_init=1, random_state=0), X)
    k_means = KMeans(40, n_init=1, random_state=0).fit(X)
    np.testing.assert_array_equal(labels, k_means.labels_)
    np.testing.assert_array_equal(centers, k_means.cluster_centers_)


def test_centres_in_one_place_are_those_that_rounding_alone_tells_apart():
    centers = np.array([[0.0, 1.0], [3.0, 1.0], [1e-15, 1.0], [0.0, 1.0 + 1e-6]])
    assert _first_of_same_place(centers).tolist() == [0, 1, 0, 3]
    assert _first_of_same_place(np.ones((3, 2))).tolist() == [0, 0, 0]
