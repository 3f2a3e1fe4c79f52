"""Rows in half precision or as small integers are computed with as if in single."""

from functools import partial

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from skactive.acquisition import get_strategy
from skactive.acquisition._base import select_queries
from skactive.acquisition.functional import contrastive, k_center, typiclust
from skactive.testing import make_pool
from skactive.utils._rows import as_floats

RNG = np.random.default_rng(0)
PIXELS = RNG.integers(0, 256, size=(120, 30))
TRUTH = (PIXELS[:, 0] > PIXELS[:, 1]).astype(int)
TYPES = [np.float16, np.uint8, np.int16, np.int64]
STRATEGIES = [
    "auto",
    "badge",
    "bait",
    "cluster_margin",
    "cluster_uncertain",
    "contrastive",
    "density",
    "expected_gradient_length",
    "facility_location",
    "graph_density",
    "hierarchical",
    "k_center",
    "k_means",
    "max_herding",
    "prob_cover",
    "quire",
    "typiclust",
    "u_herding",
]


class Doubled(LogisticRegression):
    """Says the same of rows of every type, so that only the strategy may differ."""

    def fit(self, X, y):
        return super().fit(X.astype(float) / 255, y)

    def predict_proba(self, X):
        return super().predict_proba(X.astype(float) / 255)


def select(name, X):
    labeled = np.arange(len(X)) < 20
    pool = make_pool(
        X,
        np.where(labeled, TRUTH, -1),
        labeled,
        np.flatnonzero(~labeled),
        estimator=Doubled(),
        random_state=3,
    )
    return select_queries(get_strategy(name), pool, 10).rows


@pytest.mark.parametrize("name", STRATEGIES)
def test_the_type_of_numbers_does_not_change_the_choice(name):
    expected = select(name, PIXELS.astype(np.float32))
    for dtype in TYPES:
        np.testing.assert_array_equal(select(name, PIXELS.astype(dtype)), expected)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("container", [np.array, csr_matrix])
def test_functions_of_arrays_do_not_overflow(dtype, container):
    if container is csr_matrix and dtype is np.float16:
        pytest.skip("scipy has no sparse matrices in half precision")
    rows, single = container(PIXELS.astype(dtype)), container(PIXELS.astype(np.float32))
    for function in (k_center, partial(typiclust, random_state=0)):
        chosen = [function(X, 8, labeled=[0]) for X in (rows, single)]
        np.testing.assert_array_equal(*chosen)
    proba = RNG.dirichlet([1.0, 1.0], size=120)
    scores = [
        contrastive(proba[20:], X[20:], proba[:20], X[:20]) for X in (rows, single)
    ]
    np.testing.assert_array_equal(*scores)


def test_single_and_double_precision_are_not_copied():
    for dtype in (np.float32, np.float64):
        X = PIXELS.astype(dtype)
        assert as_floats(X) is X
    assert as_floats(PIXELS.astype(np.uint8)).dtype == np.float32
    assert as_floats(PIXELS).dtype == np.float64
