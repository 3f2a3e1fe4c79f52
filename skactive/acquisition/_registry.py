"""The one registry of strategies: from a name to a class, imported when it is used."""

import difflib
import inspect
from importlib import import_module

from sklearn.base import clone

from skactive._adapters import members_have_proba
from skactive._committee import get_committee
from skactive.acquisition._base import CAPABILITIES, BaseStrategy, FunctionStrategy

# "module:Class", so that strategies with heavy requirements are found without them.
STRATEGIES = {
    "bald": "skactive.acquisition._bayesian:BALDSampling",
    "batch_bald": "skactive.acquisition._batch_bald:BatchBALDSampling",
    "bemps": "skactive.acquisition._predictive:BEMPSSampling",
    "consensus_entropy": "skactive.acquisition._disagreement:ConsensusEntropySampling",
    "entropy": "skactive.acquisition._uncertainty:EntropySampling",
    "epig": "skactive.acquisition._predictive:EPIGSampling",
    "k_means": "skactive.acquisition._representative:KMeansSampling",
    "kl_divergence": "skactive.acquisition._bayesian:BALDSampling",
    "least_confident": "skactive.acquisition._uncertainty:LeastConfidentSampling",
    "margin": "skactive.acquisition._uncertainty:MarginSampling",
    "mean_std": "skactive.acquisition._disagreement:MeanStdSampling",
    "power_bald": "skactive.acquisition._bayesian:PowerBALDSampling",
    "random": "skactive.acquisition._random:RandomSampling",
    "variation_ratio": "skactive.acquisition._disagreement:VariationRatioSampling",
    "vote_entropy": "skactive.acquisition._disagreement:VoteEntropySampling",
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


def check_needs(strategy, estimator, committee=None):
    """Raise if a model lacks what a strategy takes from it.

    Parameters
    ----------
    strategy : strategy object
        Its `needs` are looked at.

    estimator : estimator object
        The unfitted classifier.

    committee : int, list, estimator object or None, default=None
        The committee, see :class:`~skactive.ActiveLearningClassifier`.

    Raises
    ------
    ValueError
        Naming the strategy, what it needs, and strategies that would do instead.
    """
    missing = _missing_needs(strategy, estimator, committee)
    if not missing:
        return
    wanted = " or ".join(CAPABILITIES[name] for name in _alternatives(missing[0]))
    owner = "a committee whose members are classifiers"
    if missing[0] != "member_proba":
        owner, committee = "a classifier", None
    working = [
        name
        for name in get_strategy_names()
        if not _missing_needs(_load(name)(), estimator, committee)
    ]
    raise ValueError(
        f"The strategy {type(strategy).__name__} needs {owner} with {wanted}, and "
        f"{estimator if committee is None else committee} has none. Strategies that "
        f"work with it: {working}."
    )


def uses_committee(strategy):
    """Tell whether a strategy looks at the members of a committee."""
    return bool({"votes", "member_proba"} & set(getattr(strategy, "needs", ())))


def _missing_needs(strategy, estimator, committee):
    """Return those needs of a strategy that the models cannot meet."""
    # Rows are embedded without a model, too; whether they can be is seen later.
    return [
        need
        for need in getattr(strategy, "needs", ())
        if need not in ("embedding", "votes")
        and not any(_has(estimator, committee, n) for n in _alternatives(need))
    ]


def _alternatives(need):
    return need if isinstance(need, tuple) else (need,)


def _has(estimator, committee, name):
    if name != "member_proba":
        return hasattr(estimator, CAPABILITIES[name])
    members = get_committee(committee, estimator)
    if members is None:
        return members_have_proba(estimator)
    return hasattr(members, "predict_member_proba") or members_have_proba(members)
