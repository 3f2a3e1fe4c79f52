"""Rounds whose model says what a test wants it to say."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from skactive.testing import make_pool


class Fixed(ClassifierMixin, BaseEstimator):
    """Its probabilities of row i are row i of `table`; X holds row numbers."""

    def __init__(self, table):
        self.table = table

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.asarray(self.table)[np.asarray(X)[:, 0].astype(int)]

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


@pytest.fixture
def make_round():
    """Make the pool of one round out of probabilities, or predicted class numbers."""

    def make(table, labels, *, bought=(), held=(), asked=(), round=1, **params):
        """`labels` maps rows to labels; those in `bought` came in the last round.

        Rows of `held` were queried for a test sample; some may have no label.
        """
        n = len(table)
        if np.ndim(table) == 1:
            table = np.eye(max(2, max(table) + 1))[table]
        labeled_iter = np.full(n, -1)
        labeled_iter[list(labels)] = 0
        answered = sorted(row for row in held if row in labels)
        labeled_iter[[*bought, *answered]] = max(1, round - 1)
        is_held = np.isin(np.arange(n), list(held))
        y = np.full(n, -1, dtype=object)
        for row, label in labels.items():
            y[row] = -1 if is_held[row] else label
        is_asked = np.isin(np.arange(n), [*asked, *bought, *held])
        is_labeled = (labeled_iter >= 0) & ~is_held
        return make_pool(
            np.arange(n).reshape(-1, 1),
            y,
            is_labeled,
            np.flatnonzero(~(is_labeled | is_asked)),
            estimator=Fixed(table),
            asked=is_asked,
            round=round,
            labeled_iter=labeled_iter,
            holdout={row: labels.get(row) for row in held},
            **params,
        )

    return make
