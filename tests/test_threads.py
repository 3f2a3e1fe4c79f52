"""Small fits use one BLAS thread, large ones as many as they are given."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_info, threadpool_limits

from skactive import ActiveLearningClassifier
from skactive.utils._threads import few_threads


def blas_threads():
    libraries = threadpool_info()
    return {lib["num_threads"] for lib in libraries if lib["user_api"] == "blas"}


@pytest.mark.parametrize(
    ("X", "expected"),
    [(np.empty((100, 50)), {1}), (np.empty((20_000, 51)), {2}), (["text"] * 9, {1})],
)
def test_threads_depend_on_the_size_and_are_given_back(X, expected):
    with threadpool_limits(2):
        with few_threads(X):
            assert blas_threads() == expected
        assert blas_threads() == {2}


def test_fits_of_a_run_use_one_thread():
    seen = []

    class Spy(LogisticRegression):
        def fit(self, X, y):
            seen.append(blas_threads())
            return super().fit(X, y)

    X = np.arange(40.0).reshape(20, 2)
    y = np.array([0, 1] + [-1] * 18)
    with threadpool_limits(2):
        ActiveLearningClassifier(
            Spy(), oracle=lambda X: [0] * len(X), batch_size=4, budget=8
        ).fit(X, y)
    assert seen == [{1}] * 3
