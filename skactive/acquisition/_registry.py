"""The one registry of strategies: from a name to a class, imported when it is used."""

import difflib
import inspect
from importlib import import_module

from sklearn.base import clone

from skactive.acquisition._base import CAPABILITIES, BaseStrategy, FunctionStrategy

# "module:Class", so that strategies with heavy requirements are found without them.
STRATEGIES = {
    "entropy": "skactive.acquisition._uncertainty:EntropySampling",
    "k_means": "skactive.acquisition._representative:KMeansSampling",
    "least_confident": "skactive.acquisition._uncertainty:LeastConfidentSampling",
    "margin": "skactive.acquisition._uncertainty:MarginSampling",
    "random": "skactive.acquisition._random:RandomSampling",
}


def get_strategy_names():
    """Return the names of all strategies.

    Returns
    -------
    names : list of str
        Names that `get_strategy` and the parameter `strategy` understand.

    Examples
    --------
    >>> from skactive.acquisition import get_strategy_names
    >>> "margin" in get_strategy_names()
    True
    """
    return sorted(STRATEGIES)


def get_strategy(strategy):
    """Return a strategy object for a name, an object or a function.

    Parameters
    ----------
    strategy : str, strategy object or callable
        A name out of :func:`get_strategy_names`; an object with a `utility` or
        `select` method; or a function ``pool -> utilities``.

    Returns
    -------
    strategy : strategy object
        A new one for a name, the same one for an object.

    Raises
    ------
    ValueError
        If there is no strategy of this name.
    TypeError
        If it is a class, or nothing that could be a strategy.

    Examples
    --------
    >>> from skactive.acquisition import get_strategy
    >>> get_strategy("margin")
    MarginSampling()
    """
    if isinstance(strategy, str):
        return _load(strategy)()
    if inspect.isclass(strategy):
        raise TypeError(
            f"strategy is the class {strategy.__name__}; pass an object of it, "
            f"{strategy.__name__}()."
        )
    if hasattr(strategy, "utility") or hasattr(strategy, "select"):
        return strategy
    if callable(strategy):
        return FunctionStrategy(strategy)
    raise TypeError(
        "strategy must be a name, an object with a `utility` or `select` method, or a "
        f"callable pool -> utilities, got {strategy!r}."
    )


def _load(name):
    if name not in STRATEGIES:
        close = difflib.get_close_matches(name, STRATEGIES, n=1)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"There is no strategy {name!r}.{hint} Available are {sorted(STRATEGIES)}."
        )
    module, class_name = STRATEGIES[name].split(":")
    return getattr(import_module(module), class_name)


def clone_strategy(strategy):
    """Return a fresh strategy object for one run; state from another is dropped."""
    strategy = get_strategy(strategy)
    return clone(strategy, safe=not isinstance(strategy, BaseStrategy))


def check_needs(strategy, estimator):
    """Raise if an estimator lacks what a strategy takes from the model.

    Parameters
    ----------
    strategy : strategy object
        Its `needs` are looked at.

    estimator : estimator object
        The unfitted classifier.

    Raises
    ------
    ValueError
        Naming the strategy, what it needs, and strategies that would do instead.
    """
    for need in _methods_needed(strategy):
        if _has_one_of(estimator, need):
            continue
        methods = [CAPABILITIES[name] for name in _alternatives(need)]
        raise ValueError(
            f"The strategy {type(strategy).__name__} needs a classifier with "
            f"{' or '.join(methods)}, and {estimator} has none. Strategies that work "
            f"with it: {_names_that_work(estimator)}."
        )


def _methods_needed(strategy):
    """Return those needs that are methods of the classifier."""
    # Rows are embedded without the classifier, too; whether they can be is seen later.
    return [need for need in getattr(strategy, "needs", ()) if need != "embedding"]


def _alternatives(need):
    return need if isinstance(need, tuple) else (need,)


def _has_one_of(estimator, need):
    return any(hasattr(estimator, CAPABILITIES[name]) for name in _alternatives(need))


def _names_that_work(estimator):
    return [
        name
        for name in get_strategy_names()
        if all(_has_one_of(estimator, need) for need in _methods_needed(_load(name)()))
    ]
