"""Strategies made of other strategies: they take names or objects, and nest."""

from dataclasses import replace
from numbers import Integral, Real

import numpy as np
from scipy.stats import rankdata

from skactive.acquisition._base import (
    Selection,
    multipliable_needs,
    refuse_negative,
    select_queries,
)
from skactive.acquisition._combination import Combination, UtilityCombination
from skactive.acquisition._registry import check_model
from skactive.utils._capabilities import HasMethodsOnceFitted
from skactive.utils._sklearn import (
    Function,
    HasMethods,
    Interval,
    StrOptions,
)
from skactive.utils._ties import drop_rounding


class Product(UtilityCombination):
    """Multiply the utilities of several strategies.

    A row is worth as much as all of them together say, for instance how uncertain
    the model is about it, times how many rows it stands for. No utility may be
    negative, so strategies that can fall back on decision values need a classifier
    with probabilities here.

    Parameters
    ----------
    strategies : list of str, strategy objects or callables
        What to multiply.

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
    """Add up what several strategies say of each row.

    Utilities of different strategies have different scales, so ranks are added by
    default: the best row of a strategy counts 1, the worst 1 / n_candidates, and equal
    rows share their mean rank.

    Parameters
    ----------
    strategies : list of str, strategy objects or callables
        What to add.

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

    Asks where a unit of money buys most, see [1]_. Prices are the fit parameter `cost`;
    without one, or with a row that costs nothing, the run is refused before the first
    label is bought. No utility may be negative, so strategies that can fall back on
    decision values need a classifier with probabilities here.

    Parameters
    ----------
    strategy : str, strategy object or callable
        Says how much a label of each row is worth.

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


class Prefilter(Combination):
    """Let a cheap strategy choose the rows that a dear one looks at.

    Parameters
    ----------
    prefilter : str, strategy object or callable
        Chooses `n_candidates` of the candidates.

    strategy : str, strategy object or callable
        Chooses the rows to query out of these.

    n_candidates : int, default=1000
        How many candidates are left; as many as are to be queried if that is more.

    Examples
    --------
    Of the 500 most uncertain rows those that cover them best:

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

    def _selection(self, pool, n_queries):
        (prefilter, strategy), (pool, _) = self._parts, self._part_pools(pool)
        n_candidates = max(n_queries, min(self.n_candidates, len(pool.candidates)))
        kept = select_queries(prefilter, pool, n_candidates).rows
        positions = np.searchsorted(pool.candidates, kept)
        return _select_of_part(strategy, pool, positions, n_queries, stream=1)


class Subsample(Combination):
    """Show a strategy a random part of the candidates only.

    Parameters
    ----------
    strategy : str, strategy object or callable
        Chooses the rows to query.

    n_candidates : int, default=10_000
        How many candidates it sees, drawn anew in each round; as many as are to be
        asked if that is more.

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

    def _selection(self, pool, n_queries):
        n_candidates = max(n_queries, self.n_candidates)
        if n_candidates < len(pool.candidates):
            rng = np.random.default_rng(pool.random_state)
            drawn = rng.choice(len(pool.candidates), n_candidates, replace=False)
            return _select_of_part(self._parts[0], pool, drawn, n_queries)
        return select_queries(self._parts[0], pool, n_queries)


class Alternate(Combination):
    """Let several strategies take turns, round by round.

    Parameters
    ----------
    strategies : list of str, strategy objects or callables
        Round 1 belongs to the first, round 2 to the second, and so on, and then to the
        first again. Rounds of a cold start are counted.

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

    def _selection(self, pool, n_queries):
        turn = (pool.round - 1) % len(self._parts)
        return select_queries(self._parts[turn], pool, n_queries)


class EpsilonGreedy(Combination):
    """Ask a random row now and then, else what a strategy wants.

    Each row of a batch is drawn uniformly from the candidates left with probability
    `epsilon`; otherwise it is the best of them in the eyes of the strategy. With a
    row-wise strategy, such as ``"margin"``, the probability of each pick is known, and
    is kept in `query_probabilities_`: no row is out of reach, as unbiased estimates
    demand.

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

    def _selection(self, pool, n_queries):
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


class Proxy(Combination):
    """Let a cheaper classifier select, and another learn: selection via proxy.

    A strategy looks at `estimator`, which is fitted on the same labels, instead of the
    classifier that is learnt; that one is fitted only at the end, or where an oracle
    or a stopping criterion wants its predictions. Rows are embedded by `estimator`,
    too. A committee given by a number is made of `estimator`.

    Parameters
    ----------
    estimator : estimator object
        The classifier that the strategy sees. It takes the same rows.

    strategy : str, strategy object or callable, default="margin"
        Chooses the rows to query.

    References
    ----------
    .. [1] C. Coleman, C. Yeh, S. Mussmann, B. Mirzasoleiman, P. Bailis, P. Liang, J.
       Leskovec, M. Zaharia. "Selection via proxy: efficient data selection for deep
       learning". ICLR 2020.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import Proxy
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     HistGradientBoostingClassifier(),
    ...     strategy=Proxy(LogisticRegression(), "margin"),
    ... )
    """

    _part_params = ("strategy",)
    _parameter_constraints = {"estimator": [HasMethodsOnceFitted(["fit", "predict"])]}

    def __init__(self, estimator, strategy="margin"):
        self.estimator = estimator
        self.strategy = strategy

    @property
    def needs(self):
        """Nothing of the classifier that is learnt."""
        return frozenset()

    def check_model(self, estimator, committee=None):
        check_model(self._new_parts()[0], self.estimator, committee)

    def _selection(self, pool, n_queries):
        # Features that no label changes are computed once for the run.
        known = getattr(self, "embedder_", None)
        known = known if known is not None and known.is_of(pool.X) else None
        pool = pool.with_estimator(self.estimator, known)
        self.embedder_ = pool.embedder
        return select_queries(self._parts[0], pool, n_queries)


def _select_of_part(strategy, pool, positions, n_queries, *, stream=0):
    """Let a strategy select out of some of the candidates.

    Probabilities among these say nothing of rows that it did not see.
    """
    selection = select_queries(strategy, pool.take(positions, stream=stream), n_queries)
    is_part = len(positions) < len(pool.candidates)
    return replace(selection, probabilities=None) if is_part else selection


def _rounded(scores):
    """Return scores of which equal rows have equal ones, whatever rounding did."""
    finite = np.abs(scores[np.isfinite(scores)])
    unit = 1e-14 * finite.max(initial=0.0)
    return drop_rounding(np.rint(scores / unit)) if unit > 0 else scores


def _all_rowwise(parts):
    return all(getattr(part, "rowwise", False) for part in parts)
