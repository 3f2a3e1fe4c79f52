"""Strategies that take turns with others, or with chance."""

from numbers import Real

import numpy as np

from skactive.acquisition._base import Selection, select_queries
from skactive.acquisition._combination import Combination
from skactive.utils._sklearn import (
    Interval,
)


class Alternate(Combination):
    """Let several strategies take turns, round by round.

    Parameters
    ----------
    strategies : list of str, strategy objects or callables
        Round 1 belongs to the first, round 2 to the second, and so on; after the last,
        it is the turn of the first again. Rounds of a cold start count.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import Alternate
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=Alternate(["margin", "margin", "random"])
    ... )
    """

    _parameter_constraints = {"strategies": [list, tuple]}

    def __init__(self, strategies):
        self.strategies = strategies

    def select(self, pool, n_queries):
        turn = (pool.round - 1) % len(self._parts)
        return select_queries(self._parts[turn], pool, n_queries)


class EpsilonGreedy(Combination):
    """Query a random row with a small probability, otherwise the choice of a strategy.

    Each row of a batch is drawn uniformly from the candidates left with probability
    `epsilon`; otherwise it is the best of them according to the strategy. With a
    row-wise strategy, such as ``"margin"``, the probability of each pick is known and
    kept in `query_probabilities_`: every row can be drawn, as unbiased estimates
    require.

    Parameters
    ----------
    strategy : str, strategy object or callable
        Chooses the other rows.

    epsilon : float, default=0.1
        Probability of a random row, in [0, 1].

    References
    ----------
    .. [1] S. Farquhar, Y. Gal, T. Rainforth. "On statistical bias in active learning:
       how and when to fix it". ICLR 2021.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import EpsilonGreedy
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=EpsilonGreedy("margin", epsilon=0.2)
    ... )
    """

    _part_params = ("strategy",)
    _parameter_constraints = {"epsilon": [Interval(Real, 0, 1, closed="both")]}

    def __init__(self, strategy, epsilon=0.1):
        self.strategy = strategy
        self.epsilon = epsilon

    def select(self, pool, n_queries):
        (strategy,), (own_pool,) = self._parts, self._part_pools(pool)
        wanted = iter(select_queries(strategy, own_pool, n_queries).rows.tolist())
        rng = np.random.default_rng(pool.random_state)
        drawn = iter(rng.permutation(pool.candidates).tolist())
        rows, probabilities, taken = [], [], set()
        best, n_left = next(wanted), len(pool.candidates)
        while best is not None and len(rows) < n_queries:
            source = drawn if rng.random() < self.epsilon else [best]
            row = next(row for row in source if row not in taken)
            by_strategy = (1 - self.epsilon) * (row == best)
            probabilities.append(self.epsilon / n_left + by_strategy)
            rows.append(row)
            taken.add(row)
            n_left -= 1
            if row == best:
                best = next((row for row in wanted if row not in taken), None)
        is_known = getattr(strategy, "rowwise", False) and self.epsilon > 0
        return Selection(
            np.array(rows), probabilities=np.array(probabilities) if is_known else None
        )
