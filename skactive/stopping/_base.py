"""When to stop: what a stopping criterion is, and how several are combined.

A criterion is an object with ``update(pool) -> str or None``, called once per round
before the strategy; a text is the reason to stop. It is cloned for every fit and may
keep state. A function ``pool -> str or None`` does as well; a name says that the run
ended because of it.
"""

import inspect

from sklearn.base import BaseEstimator, clone


class FunctionCriterion(BaseEstimator):
    """Make a stopping criterion of a function.

    Parameters
    ----------
    function : callable
        ``function(pool)`` returning a reason to stop, or something false.

    Examples
    --------
    >>> from skactive.stopping import FunctionCriterion
    >>> criterion = FunctionCriterion(lambda pool: "late" if pool.round > 5 else None)
    """

    def __init__(self, function):
        self.function = function

    @property
    def name(self):
        """Name of the function."""
        return getattr(self.function, "__name__", type(self.function).__name__)

    def update(self, pool):
        """Return a reason to stop, or None.

        Parameters
        ----------
        pool : Pool
            The round.

        Returns
        -------
        reason : str or None
            Why the run should stop.
        """
        return self.function(pool)


def get_criteria(stopping):
    """Return fresh criteria for the parameter `stopping`.

    Parameters
    ----------
    stopping : None, criterion, callable, or list of these
        A list stops when any of its members does.

    Returns
    -------
    criteria : list of (name, criterion)
        Clones, each with the name that `termination_condition_` will show.
    """
    if stopping is None:
        return []
    parts = stopping if isinstance(stopping, (list, tuple)) else [stopping]
    criteria = [_get_criterion(part) for part in parts]
    return [(getattr(c, "name", type(c).__name__), c) for c in criteria]


def _get_criterion(part):
    if isinstance(part, str):
        raise ValueError(
            f"There is no stopping criterion named {part!r}; pass an object with an "
            "`update` method or a callable pool -> reason or None."
        )
    if inspect.isclass(part):
        raise TypeError(
            f"stopping is the class {part.__name__}; pass an object of it, "
            f"{part.__name__}()."
        )
    if hasattr(part, "update"):
        return clone(part, safe=False)
    if callable(part):
        return FunctionCriterion(part)
    raise TypeError(
        "stopping must be an object with an `update` method, a callable pool -> reason "
        f"or None, or a list of these, got {part!r}."
    )
