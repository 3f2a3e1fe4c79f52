"""Utilities of strategies combined into one: products, sums, and per price."""

import numpy as np
from scipy.stats import rankdata

from skactive.acquisition._base import multipliable_needs, refuse_negative
from skactive.acquisition._combination import UtilityCombination
from skactive.utils._sklearn import (
    Function,
    HasMethods,
    StrOptions,
)
from skactive.utils._ties import drop_rounding


class Product(UtilityCombination):
    """Multiply the utilities of several strategies.

    For instance, the uncertainty of the model about a row times the density of rows
    around it. No utility may be negative, so strategies that can use decision values
    need a classifier with probabilities here.

    Parameters
    ----------
    strategies : list of str, strategy objects or callables
        The factors.

    powers : list of float or None, default=None
        One exponent >= 0 for each strategy; all 1 if None.

    References
    ----------
    .. [1] B. Settles, M. Craven. "An analysis of active learning strategies for
       sequence labeling tasks". EMNLP 2008.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import Product
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=Product(["margin", "bald"], powers=[1, 0.5])
    ... )
    """

    _parameter_constraints = {
        **UtilityCombination._parameter_constraints,
        "powers": ["array-like", None],
    }

    def __init__(self, strategies, powers=None):
        self.strategies = strategies
        self.powers = powers

    @property
    def rowwise(self):
        """Whether all parts are row-wise."""
        return _all_rowwise(self._new_parts())

    @property
    def needs(self):
        return frozenset().union(*map(multipliable_needs, self._new_parts()))

    def _validate_params(self):
        super()._validate_params()
        self._check_numbers("powers", self.powers)
        for part in self._new_parts():
            refuse_negative(self, part)

    def utility(self, pool):
        powers = self._check_numbers("powers", self.powers)
        product = np.ones(len(pool.candidates))
        for scores, power in zip(self._utilities(pool), powers, strict=True):
            product *= np.maximum(scores, 0.0) ** power
        return product


class WeightedSum(UtilityCombination):
    """Add up the utilities of several strategies.

    Utilities of different strategies have different scales, so ranks are added by
    default: the best row of a strategy counts 1, the worst 1 / n_candidates, and rows
    that tie share their mean rank.

    Parameters
    ----------
    strategies : list of str, strategy objects or callables
        The summands.

    weights : list of float or None, default=None
        One weight >= 0 for each strategy; all 1 if None.

    scale : {"rank", "none"}, default="rank"
        Whether to add ranks, or the utilities as they are.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import WeightedSum
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(),
    ...     strategy=WeightedSum(["margin", "density"], weights=[0.8, 0.2]),
    ... )
    """

    _parameter_constraints = {
        **UtilityCombination._parameter_constraints,
        "weights": ["array-like", None],
        "scale": [StrOptions({"rank", "none"})],
    }

    def __init__(self, strategies, weights=None, scale="rank"):
        self.strategies = strategies
        self.weights = weights
        self.scale = scale

    @property
    def rowwise(self):
        """Whether all parts are row-wise; ranks never are."""
        return self.scale == "none" and _all_rowwise(self._new_parts())

    @property
    def nonnegative(self):
        """Whether no utility is negative; ranks never are."""
        return self.scale == "rank" or all(
            getattr(part, "nonnegative", False) for part in self._new_parts()
        )

    def _validate_params(self):
        super()._validate_params()
        self._check_numbers("weights", self.weights)

    def utility(self, pool):
        weights = self._check_numbers("weights", self.weights)
        total = np.zeros(len(pool.candidates))
        for scores, weight in zip(self._utilities(pool), weights, strict=True):
            if self.scale == "rank":
                scores = rankdata(_rounded(scores)) / len(scores)
            total += weight * scores
        return total


class PerCost(UtilityCombination):
    """Divide the utility of each row by the price of its label.

    It queries rows where a unit of money buys most [1]_. Prices are the fit parameter
    `cost`; without it, or with a row that costs nothing, the run is refused before the
    first label is bought. No utility may be negative, so strategies that can use
    decision values need a classifier with probabilities here.

    Parameters
    ----------
    strategy : str, strategy object or callable
        Gives the utility of each row.

    References
    ----------
    .. [1] B. Settles, M. Craven, L. Friedland. "Active learning with real annotation
       costs". NIPS Workshop on Cost-Sensitive Learning 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import PerCost
    >>> from skactive.oracles import SimulatedOracle
    >>> from sklearn.linear_model import LogisticRegression
    >>> X = np.linspace(0, 1, 21).reshape(-1, 1)
    >>> y = np.full(21, -1)
    >>> y[[0, 20]] = 0, 1
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(),
    ...     oracle=SimulatedOracle(X[:, 0] > 0.5),
    ...     strategy=PerCost("margin"),
    ...     batch_size=2,
    ...     budget=4,
    ... )
    >>> cost = np.where(X[:, 0] < 0.5, 1.0, 8.0)
    >>> clf = clf.fit(X, y, sample_ids=range(21), cost=cost)
    >>> clf.history_[-1]["total_cost"]
    4.0
    """

    _part_params = ("strategy",)
    _parameter_constraints = {
        "strategy": [str, Function(), HasMethods(["utility"])],
    }

    def __init__(self, strategy):
        self.strategy = strategy

    @property
    def rowwise(self):
        """Whether the strategy is row-wise."""
        return _all_rowwise(self._new_parts())

    @property
    def needs(self):
        (strategy,) = self._new_parts()
        return multipliable_needs(strategy)

    def check_cost(self, cost):
        super().check_cost(cost)
        if cost is None:
            raise ValueError(
                "PerCost divides utilities by the price of a label, and got no prices. "
                "Pass one for each row, fit(X, y, cost=...)."
            )
        n_free = int((cost == 0).sum())
        if n_free:
            raise ValueError(
                "PerCost divides utilities by the price of a label, and cost is 0 for "
                f"{n_free} of {len(cost)} rows without a label. Give them a price > 0, "
                "however small, or label what costs nothing beforehand."
            )

    def _validate_params(self):
        super()._validate_params()
        (strategy,) = self._new_parts()
        refuse_negative(self, strategy)

    def utility(self, pool):
        (scores,) = self._utilities(pool)
        return np.maximum(scores, 0.0) / pool.cost[pool.candidates]


def _rounded(scores):
    """Round scores so that equal rows have equal scores, and so equal ranks."""
    finite = np.abs(scores[np.isfinite(scores)])
    unit = 1e-14 * finite.max(initial=0.0)
    return drop_rounding(np.rint(scores / unit)) if unit > 0 else scores


def _all_rowwise(parts):
    return all(getattr(part, "rowwise", False) for part in parts)
