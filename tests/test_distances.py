"""Distances and numbers of which equal rows have equal ones, wherever they stand."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from scipy.spatial.distance import cdist

from skactive.utils._distances import squared_distances, squared_norms
from skactive.utils._rows import slices
from skactive.utils._ties import drop_rounding


@pytest.mark.parametrize("container", [np.asarray, csr_matrix, np.float32])
@pytest.mark.parametrize("shape", [(7, 33), (1001, 20), (1025, 129)])
def test_equal_rows_have_equal_distances_in_any_block(container, shape):
    rng = np.random.default_rng(0)
    rows = container(np.repeat(rng.normal(size=(1, shape[1])), shape[0], axis=0))
    point = rng.normal(size=shape[1])
    assert len(np.unique(squared_distances(rows, point))) == 1
    points = np.repeat(point[np.newaxis], shape[0], axis=0)
    assert len(np.unique(squared_distances(rows, points))) == 1


def test_distances_are_those_of_the_rows_and_their_points():
    rng = np.random.default_rng(0)
    rows, points = rng.normal(size=(30, 4)), rng.normal(size=(30, 4))
    expected = cdist(rows, points, "sqeuclidean").diagonal()
    for given in (rows, csr_matrix(rows)):
        np.testing.assert_allclose(squared_distances(given, points), expected)
    expected = cdist(rows, points[:1], "sqeuclidean").ravel()
    np.testing.assert_allclose(squared_distances(rows, points[0]), expected)


def test_numbers_that_differ_by_rounding_become_equal_and_others_do_not():
    values = np.array([1.0, 0.1, -3e-9, 7e200, 1 / 3])
    for away in (1 - 1e-15, 1 + 1e-15):
        np.testing.assert_array_equal(
            drop_rounding(values * away), drop_rounding(values)
        )
    np.testing.assert_allclose(drop_rounding(values), values, rtol=2.0**-41)
    assert (drop_rounding(values * (1 + 1e-11)) != drop_rounding(values)).all()
    extremes = np.array([np.inf, -np.inf, 0.0])
    np.testing.assert_array_equal(drop_rounding(extremes), extremes)


@pytest.mark.parametrize("container", [np.asarray, csr_matrix])
def test_squared_norms_by_hand(container):
    rows = container(np.array([[3.0, 4.0], [0.0, 0.0], [-1.0, 2.0]], dtype=np.float32))
    assert squared_norms(rows).dtype == np.float32
    assert squared_norms(rows, np.float64).dtype == np.float64
    assert squared_norms(rows).tolist() == [25.0, 0.0, 5.0]


def test_slices_cover_all_rows_once_whatever_their_size():
    assert list(slices(5, 2)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert list(slices(3, 0)) == [slice(0, 1), slice(1, 2), slice(2, 3)]
    assert list(slices(0, 4)) == []
    assert list(slices(5, 4, first=3)) == [slice(3, 5)]
