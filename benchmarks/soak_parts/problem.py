"""The pool, the labels and the classifier of the soak."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_classification
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearningClassifier

N_ROWS, N_ADDED, N_KNOWN = 5_000, 1_000, 12
N_ADDED_AT_ONCE = N_ADDED // 20


class LearnsFromFew(ClassifierMixin, BaseEstimator):
    """Naive Bayes on the first 200 labels: later fits take no longer than early ones.

    One row of each class is always among them.
    """

    def fit(self, X, y):
        self.classes_, first = np.unique(y, return_index=True)
        rows = np.union1d(np.arange(min(200, len(y))), first)
        self.model_ = GaussianNB().fit(X[rows], np.asarray(y)[rows])
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


@dataclass(frozen=True)
class Problem:
    """What all processes of a soak know, and where their files are."""

    folder: Path
    seed: int
    budget: int
    batch_size: int = 10
    lease_seconds: float = 2.0
    n_workers: int = 8

    @property
    def session(self):
        return self.folder / "session.sqlite"

    @property
    def address(self):
        return str(self.folder / "socket")

    def n_rows(self):
        """Return the present number of rows of the pool."""
        return json.loads((self.folder / "n_rows").read_text())

    def set_n_rows(self, n_rows):
        draft = self.folder / "n_rows.draft"
        draft.write_text(json.dumps(n_rows))
        os.replace(draft, self.folder / "n_rows")

    def data(self):
        """Return all rows, also those added later, with their ids and true labels."""
        X, y = make_classification(
            N_ROWS + N_ADDED,
            20,
            n_informative=8,
            n_classes=3,
            n_clusters_per_class=1,
            flip_y=0.02,
            random_state=self.seed,
        )
        return X, np.array([f"r{i}" for i in range(len(y))]), y

    def pool(self, generation):
        """Return X, the labels that are known at first, and ids, of the present pool.

        The rows come in another order each time, as from a data base.
        """
        X, ids, y = self.data()
        rng = np.random.default_rng([self.seed, generation])
        rows = rng.permutation(self.n_rows())
        known = np.where(rows < N_KNOWN, y[rows], -1)
        return X[rows], known, ids[rows]

    def classifier(self):
        return ActiveLearningClassifier(
            LearnsFromFew(),
            strategy="margin",
            batch_size=self.batch_size,
            budget=self.budget,
            random_state=self.seed,
        )
