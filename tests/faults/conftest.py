"""What the tests of faults share: a small problem, and an oracle that keeps a log."""

from contextlib import contextmanager

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier


class LoggingOracle:
    """An oracle that remembers the rows of every call.

    Its `script` says call by call what it does, the last entry for all that follow:
    None answers the truth, an exception is raised, a function gives the answers.
    """

    def __init__(self, *script):
        self.script = script or (None,)
        self.batches = []

    def __call__(self, X):
        action = self.script[min(self.n_calls, len(self.script) - 1)]
        self.batches.append(X.copy())
        if isinstance(action, BaseException):
            raise action
        return above_half(X) if action is None else action(X)

    @property
    def n_calls(self):
        return len(self.batches)

    @property
    def n_rows(self):
        return sum(batch.shape[0] for batch in self.batches)


def above_half(X):
    return (np.asarray(X)[:, 0] > 0.5).astype(int)


@pytest.fixture
def X():
    """21 rows with one feature: 0, 0.05, .., 1."""
    return np.linspace(0, 1, 21).reshape(-1, 1)


@pytest.fixture
def truth(X):
    """Class 1 above a half."""
    return above_half(X)


@pytest.fixture
def y(truth):
    """Labels of the first and the last row only."""
    y = np.full(len(truth), -1)
    y[[0, -1]] = truth[[0, -1]]
    return y


@pytest.fixture
def logging_oracle():
    """The class of an oracle that keeps a log."""
    return LoggingOracle


@pytest.fixture
def make_clf():
    """Return a function that makes a classifier: two batches of four."""

    def make_clf(oracle=None, *, estimator=None, **params):
        params = {"batch_size": 4, "budget": 8, "random_state": 0} | params
        estimator = LogisticRegression() if estimator is None else estimator
        return ActiveLearningClassifier(estimator, oracle=oracle, **params)

    return make_clf


@pytest.fixture
def full_disk():
    """Return a context in which no file can exceed a number of bytes."""
    resource = pytest.importorskip("resource", reason="there are no such limits here")

    @contextmanager
    def full_disk(n_bytes):
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return full_disk
