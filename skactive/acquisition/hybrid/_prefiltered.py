"""Strategies that choose a batch among the most useful candidates."""

import math
from numbers import Real

import numpy as np

from skactive.acquisition._base import top_candidates
from skactive.acquisition._combination import OnUtility
from skactive.utils._sklearn import Interval


class PrefilteredSampling(OnUtility):
    """Choose a batch among the rows that another strategy finds most useful."""

    _parameter_constraints = {
        **OnUtility._parameter_constraints,
        "prefilter": [Interval(Real, 1, None, closed="left")],
    }

    def _keep(self, pool, n_queries):
        """Return the positions of the most useful candidates, and their utilities."""
        scores = self._base_utilities(pool)
        n_kept = min(math.ceil(self.prefilter * n_queries), len(scores))
        # In the order of X, so that rounding of utilities does not change the clusters.
        kept = np.sort(top_candidates(scores, n_kept, pool))
        return kept, scores[kept]
