"""The base of EPIG and BEMPS: a committee predicts candidates and target rows."""

from numbers import Integral

import numpy as np

from skactive._models.any_committee import check_member_proba
from skactive.acquisition._base import BaseStrategy
from skactive.utils._containers import with_small_indices
from skactive.utils._naming import naming
from skactive.utils._rows import check_like, take_rows
from skactive.utils._sklearn import Interval


class PredictionStrategy(BaseStrategy):
    """Utility from the probabilities of a committee for candidates and for targets."""

    _parameter_constraints = {
        "targets": ["array-like", "sparse matrix", None],
        "n_targets": [Interval(Integral, 1, None, closed="left")],
    }

    @property
    def needs(self):
        return frozenset({"member_proba"})

    def check_X(self, X):
        """Raise if the targets are not rows like those of a run.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_samples
            The checked rows of the run.
        """
        if self.targets is not None:
            with naming("targets", self):
                check_like(self.targets, X, f"targets of {type(self).__name__}")

    def utility(self, pool):
        target_proba = self._target_proba(pool)
        scores = np.empty(len(pool))
        for positions, block in pool.blocks():
            scores[positions] = self._score(block.member_proba, target_proba)
        return scores

    def _target_proba(self, pool):
        if self.targets is not None:
            return member_proba_of(pool, with_small_indices(self.targets))
        n_samples = len(pool.labeled)
        rng = np.random.default_rng(pool.random_state)
        rows = rng.choice(n_samples, min(self.n_targets, n_samples), replace=False)
        return member_proba_of(pool, take_rows(pool.X, np.sort(rows)))


def member_proba_of(pool, X):
    """Return the probabilities of the members for any rows."""
    committee = pool.committee
    proba = committee.predict_member_proba(X)
    return check_member_proba(committee, proba, pool.classes)
