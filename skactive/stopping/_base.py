"""What a stopping criterion is.

A criterion is an object with ``update(pool) -> str or None``, or a function that does
the same; a str is the reason to stop. A saved loop is replayed with equal pools, so the
answer must depend on nothing else. The user guide, under "Writing your own parts", is
the one place that documents the whole protocol.
"""

from sklearn.base import BaseEstimator

from skactive.utils._shown import BriefMixin
from skactive.utils._sklearn import Function


class BaseCriterion(BriefMixin, BaseEstimator):
    """Base class of all stopping criteria.

    A subclass implements `update`. :ref:`own_criterion` describes the whole protocol:
    `needs`, `works_without_model`, `perfect`, and the check that a criterion may add.

    Examples
    --------
    A criterion that stops once every class has 20 labels:

    >>> import numpy as np
    >>> from skactive.stopping import BaseCriterion
    >>> class EnoughOfAll(BaseCriterion):
    ...     def update(self, pool):
    ...         _, counts = np.unique(pool.y[pool.labeled], return_counts=True)
    ...         return "20 labels of each class" if counts.min() >= 20 else None
    """

    perfect = None
    works_without_model = False

    @property
    def needs(self):
        """What the criterion reads from the models; a tuple means one of its names."""
        return frozenset()

    def update(self, pool):
        """Decide whether the run should stop.

        Parameters
        ----------
        pool : Pool
            The round, see :class:`~skactive.Pool`.

        Returns
        -------
        reason : str or None
            Why the run should stop; None to continue.
        """
        raise TypeError(
            f"{type(self).__name__} must implement update(pool) -> reason or None."
        )


class FunctionCriterion(BaseCriterion):
    """Turn a function into a stopping criterion.

    Parameters
    ----------
    function : callable
        ``function(pool)`` that returns a reason to stop, or a false value. It is also
        called in the cold start, where ``pool.can_fit`` is False; a function that uses
        a model is skipped there.

    Examples
    --------
    >>> from skactive.stopping import FunctionCriterion
    >>> criterion = FunctionCriterion(lambda pool: "late" if pool.round > 5 else None)
    """

    works_without_model = True

    _parameter_constraints = {"function": [Function("the pool")]}

    def __init__(self, function):
        self.function = function

    @property
    def name(self):
        """Name of the function."""
        return getattr(self.function, "__name__", type(self.function).__name__)

    def update(self, pool):
        reason = self.function(pool)
        return str(reason) if reason else None


def name_of(criterion):
    """Return the name of a criterion, as `termination_condition_` shows it."""
    return getattr(criterion, "name", type(criterion).__name__)
