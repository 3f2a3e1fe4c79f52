"""Strategies that see only some of the candidates."""

from dataclasses import replace
from numbers import Integral

import numpy as np

from skactive.acquisition._base import select_queries
from skactive.acquisition._combination import Combination
from skactive.utils._sklearn import (
    Interval,
)


class Prefilter(Combination):
    """Preselect candidates with one strategy, and query from them with another.

    Parameters
    ----------
    prefilter : str, strategy object or callable
        Chooses `n_candidates` of the candidates.

    strategy : str, strategy object or callable
        Chooses the rows to query from these.

    n_candidates : int, default=1000
        How many candidates are left; as many as are to be queried if that is more.

    Examples
    --------
    Query rows that cover the 500 most uncertain rows best:

    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import Prefilter
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(),
    ...     strategy=Prefilter("margin", "k_center", n_candidates=500),
    ... )
    """

    _part_params = ("prefilter", "strategy")
    _parameter_constraints = {
        "n_candidates": [Interval(Integral, 1, None, closed="left")]
    }

    def __init__(self, prefilter, strategy, n_candidates=1000):
        self.prefilter = prefilter
        self.strategy = strategy
        self.n_candidates = n_candidates

    def select(self, pool, n_queries):
        (prefilter, strategy), (pool, _) = self._parts, self._part_pools(pool)
        n_candidates = max(n_queries, min(self.n_candidates, len(pool.candidates)))
        kept = select_queries(prefilter, pool, n_candidates).rows
        positions = np.searchsorted(pool.candidates, kept)
        return _select_of_part(strategy, pool, positions, n_queries, stream=1)


class Subsample(Combination):
    """Show a strategy only a random part of the candidates.

    Parameters
    ----------
    strategy : str, strategy object or callable
        Chooses the rows to query.

    n_candidates : int, default=10_000
        Number of candidates that it sees, drawn anew in each round; at least the number
        of rows to query.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import Subsample
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(),
    ...     strategy=Subsample("expected_error_reduction", n_candidates=50),
    ... )
    """

    _part_params = ("strategy",)
    _parameter_constraints = {
        "n_candidates": [Interval(Integral, 1, None, closed="left")]
    }

    def __init__(self, strategy, n_candidates=10_000):
        self.strategy = strategy
        self.n_candidates = n_candidates

    def select(self, pool, n_queries):
        n_candidates = max(n_queries, self.n_candidates)
        if n_candidates < len(pool.candidates):
            rng = np.random.default_rng(pool.random_state)
            drawn = rng.choice(len(pool.candidates), n_candidates, replace=False)
            return _select_of_part(self._parts[0], pool, drawn, n_queries)
        return select_queries(self._parts[0], pool, n_queries)


def _select_of_part(strategy, pool, positions, n_queries, *, stream=0):
    """Let a strategy select from some of the candidates.

    Probabilities are dropped if it did not see all candidates: they are those among the
    candidates that it saw, and others could not be drawn.
    """
    selection = select_queries(strategy, pool.take(positions, stream=stream), n_queries)
    is_part = len(positions) < len(pool.candidates)
    return replace(selection, probabilities=None) if is_part else selection
