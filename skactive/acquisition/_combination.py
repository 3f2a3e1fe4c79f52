"""The base classes of strategies that are made of other strategies."""

import numpy as np

from skactive.acquisition._base import (
    BaseStrategy,
    gives_utility,
    multipliable_needs,
    refuse_negative,
    utilities,
)
from skactive.acquisition._registry import (
    check_cost,
    check_model,
    check_X,
    clone_strategy,
    get_strategy,
)
from skactive.utils._naming import naming
from skactive.utils._shown import shown
from skactive.utils._sklearn import Function, HasMethods, validate_nested_params


class Combination(BaseStrategy):
    """A strategy made of others, which keep their state from round to round.

    A subclass implements `utility` or `select`, like any strategy.
    """

    # The parameters that hold the parts: a part each, or "strategies" for all of them.
    _part_params = ("strategies",)

    def _make_parts(self, make):
        """Return an object for each part, given as a name, an object or a function."""
        made = []
        for name in self._part_params:
            given = getattr(self, name)
            with naming(name, self):
                made += map(make, given if name == "strategies" else [given])
        return made

    def _new_parts(self):
        return self._make_parts(get_strategy)

    @property
    def needs(self):
        return frozenset().union(
            *(getattr(part, "needs", ()) for part in self._new_parts())
        )

    def check_model(self, estimator, committee=None):
        """Raise if a part cannot work with the models.

        Parameters
        ----------
        estimator : estimator object
            The unfitted classifier.

        committee : int, list, estimator object or None, default=None
            The committee, see :class:`~skactive.ActiveLearningClassifier`.
        """
        for part in self._new_parts():
            check_model(part, estimator, committee)

    def check_cost(self, cost):
        """Raise if a part cannot work with the costs.

        Parameters
        ----------
        cost : ndarray of shape (n_unlabeled,) or None
            Prices of the rows without a label; None if `fit` got no `cost`.
        """
        for part in self._new_parts():
            check_cost(part, cost)

    def check_X(self, X):
        """Raise if a part cannot work with the rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_samples
            The checked rows of the run.
        """
        for part in self._new_parts():
            check_X(part, X)

    def _validate_params(self):
        super()._validate_params()
        if not getattr(self, "strategies", True):
            raise ValueError(
                f"{type(self).__name__} is made of other strategies and got none: "
                "strategies is empty. Pass at least one name or object."
            )
        for part in self._new_parts():
            validate_nested_params(part)

    @property
    def _parts(self):
        """The parts of this run; made once, as they may keep state."""
        if not hasattr(self, "parts_"):
            self.parts_ = self._make_parts(clone_strategy)
        return self.parts_

    def _part_pools(self, pool):
        """Return the pool once for each part; parts must not share a seed."""
        return [pool.with_stream(number) for number in range(len(self._parts))]


class UtilityCombination(Combination):
    """Utilities made of the utilities of other strategies."""

    _parameter_constraints = {"strategies": [list, tuple]}

    def _validate_params(self):
        super()._validate_params()
        for part in self._new_parts():
            if not gives_utility(part):
                raise ValueError(
                    f"{type(self).__name__} combines utilities, and "
                    f"{type(part).__name__} selects rows without any. Combine it by "
                    "Prefilter, Alternate or EpsilonGreedy instead."
                )

    def _utilities(self, pool):
        """Return the utilities of the parts, (n_strategies, n_candidates)."""
        pools = self._part_pools(pool)
        return [utilities(*both) for both in zip(self._parts, pools, strict=True)]

    def _check_numbers(self, name, numbers):
        """Return one number per part, 1 by default."""
        if numbers is None:
            return np.ones(len(self.strategies))
        with naming(name, self):
            numbers = np.asarray(numbers, dtype=np.float64)
        if numbers.shape != (len(self.strategies),) or not (numbers >= 0).all():
            raise ValueError(
                f"{name} of {type(self).__name__} must hold a number >= 0 for each of "
                f"the {len(self.strategies)} strategies, got "
                f"{shown(getattr(self, name))}."
            )
        return numbers


class OnUtility(UtilityCombination):
    """A strategy that begins with the utilities of another one, its parameter `base`.

    It needs an embedding of the rows, too. If it `_multiplies`, no utility may be
    negative.
    """

    _parameter_constraints = {"base": [str, Function(), HasMethods(["utility"])]}
    _part_params = ("base",)
    _multiplies = True

    @property
    def needs(self):
        (base,) = self._new_parts()
        of_base = multipliable_needs(base) if self._multiplies else super().needs
        return of_base | {"embedding"}

    def _validate_params(self):
        super()._validate_params()
        (base,) = self._new_parts()
        if self._multiplies:
            refuse_negative(self, base)

    def _base_utilities(self, pool):
        """Return the utilities of the other strategy, (n_candidates,)."""
        (scores,) = self._utilities(pool)
        return scores
