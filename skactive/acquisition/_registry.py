"""The one registry of strategies: from a name to a class, imported when it is used."""

from collections.abc import Set
from importlib.util import find_spec

from sklearn.base import clone

from skactive._models.any_committee import committee_has_proba
from skactive.acquisition._base import (
    CAPABILITIES,
    NEEDS,
    BaseStrategy,
    FunctionStrategy,
    refuse_empty,
)
from skactive.utils._capabilities import has_once_fitted
from skactive.utils._pipelines import last_step
from skactive.utils._registry import Registry
from skactive.utils._shown import shown

# "module:Class", so that strategies with heavy requirements are found without them.
STRATEGIES = {
    "auto": ".hybrid._auto:AutoSampling",
    "albl": ".meta._albl:ALBLSampling",
    "badge": ".hybrid._badge:BADGESampling",
    "bait": ".model_change._bait:BAITSampling",
    "bald": ".committee._bald:BALDSampling",
    "batch_bald": ".committee._batch_bald:BatchBALDSampling",
    "bemps": ".committee._bemps:BEMPSSampling",
    "cluster_margin": ".hybrid._cluster_margin:ClusterMarginSampling",
    "cluster_uncertain": ".hybrid._cluster_uncertain:ClusterUncertainSampling",
    "consensus_entropy": ".committee._disagreement:ConsensusEntropySampling",
    "contrastive": ".hybrid._contrastive:ContrastiveSampling",
    "density": ".hybrid._density:DensitySampling",
    "discriminative": ".diversity._discriminative:DiscriminativeSampling",
    "entropy": ".uncertainty._probabilities:EntropySampling",
    "epig": ".committee._epig:EPIGSampling",
    "expected_error_reduction": (
        ".error_reduction._expected_error:ExpectedErrorReductionSampling"
    ),
    "expected_gradient_length": (
        ".model_change._expected_gradient_length:ExpectedGradientLengthSampling"
    ),
    "facility_location": ".diversity._facility_location:FacilityLocationSampling",
    "falcun": ".hybrid._falcun:FALCUNSampling",
    "graph_density": ".diversity._graph_density:GraphDensitySampling",
    "hierarchical": ".diversity._hierarchical:HierarchicalSampling",
    "k_center": ".diversity._k_center:KCenterSampling",
    "k_means": ".diversity._k_means:KMeansSampling",
    "kl_divergence": ".committee._bald:BALDSampling",
    "label_dispersion": ".dynamics._label_dispersion:LabelDispersionSampling",
    "least_confident": ".uncertainty._probabilities:LeastConfidentSampling",
    "loss_prediction": ".uncertainty._loss_prediction:LossPredictionSampling",
    "mal": "skactive.deep._mal:MALSampling",
    "margin": ".uncertainty._probabilities:MarginSampling",
    "max_herding": ".diversity._max_herding:MaxHerdingSampling",
    "mean_std": ".committee._disagreement:MeanStdSampling",
    "power_bald": ".committee._power_bald:PowerBALDSampling",
    "prob_cover": ".diversity._prob_cover:ProbCoverSampling",
    "quire": ".hybrid._quire:QUIRESampling",
    "random": "._random:RandomSampling",
    "suggestive_annotation": (
        ".hybrid._suggestive_annotation:SuggestiveAnnotationSampling"
    ),
    "typiclust": ".diversity._typiclust:TypiClustSampling",
    "u_herding": ".hybrid._u_herding:UHerdingSampling",
    "vaal": "skactive.deep._vaal:VAALSampling",
    "variation_ratio": ".committee._disagreement:VariationRatioSampling",
    "vote_entropy": ".committee._disagreement:VoteEntropySampling",
}
# The modules that an optional package of ours imports.
REQUIREMENTS = {"skactive.deep": "torch"}

_REGISTRY = Registry(
    STRATEGIES,
    package="skactive.acquisition",
    noun="strategy",
    parameter="strategy",
    methods=("utility", "select"),
    wrap=FunctionStrategy,
    expected=(
        "a name, an object with a `utility` or `select` method, or a callable pool -> "
        "utilities"
    ),
)


def get_strategy_names():
    """Return the names of all strategies that can be used here.

    Returns
    -------
    names : list of str
        Names that `get_strategy` and the parameter `strategy` understand, without
        those that need an extra which is not installed.

    Examples
    --------
    >>> from skactive.acquisition import get_strategy_names
    >>> "margin" in get_strategy_names()
    True
    """
    return [name for name in sorted(STRATEGIES) if _is_installed(name)]


def get_strategy(strategy):
    """Return a strategy object for a name, an object or a function.

    Parameters
    ----------
    strategy : str, strategy object or callable
        A name from :func:`get_strategy_names`; an object with a `utility` or
        `select` method; or a function ``pool -> utilities``.

    Returns
    -------
    strategy : strategy object
        A new one for a name, the same one for an object.

    Raises
    ------
    ValueError
        If there is no strategy of this name.
    ImportError
        If it needs an extra that is not installed.
    TypeError
        If it is a class, or cannot be a strategy.

    Examples
    --------
    >>> from skactive.acquisition import get_strategy
    >>> get_strategy("margin")
    MarginSampling()
    """
    return _REGISTRY.get(strategy)


def _is_installed(name):
    """Tell whether the requirements of a strategy are installed, importing nothing."""
    package = STRATEGIES[name].split(":")[0].rpartition(".")[0]
    needed = REQUIREMENTS.get(package)
    return needed is None or find_spec(needed) is not None


def clone_strategy(strategy):
    """Return a fresh strategy object for one run; state from another is dropped."""
    strategy = get_strategy(strategy)
    return clone(strategy, safe=not isinstance(strategy, BaseStrategy))


def check_model(strategy, estimator, committee=None):
    """Raise if a strategy, or a part of it, cannot work with the models.

    Parameters
    ----------
    strategy : strategy object
        It may have a method `check_model`, for more than its `needs` say.

    estimator : estimator object
        The unfitted classifier.

    committee : int, list, estimator object or None, default=None
        The committee, see :class:`~skactive.ActiveLearningClassifier`.

    Raises
    ------
    ValueError
        Naming the strategy, what it needs, and strategies that would do instead.
    """
    if isinstance(strategy, BaseStrategy):
        refuse_empty(strategy)
    if hasattr(strategy, "check_model"):
        strategy.check_model(estimator, committee)
    check_needs(strategy, estimator, committee)


def check_X(strategy, X):
    """Raise if a strategy, or a part of it, cannot work with the rows.

    Parameters
    ----------
    strategy : strategy object
        It may have a method `check_X` of its own.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The checked rows of the run.
    """
    if hasattr(strategy, "check_X"):
        strategy.check_X(X)


def check_cost(strategy, cost):
    """Raise if a strategy, or a part of it, cannot work with the costs.

    Parameters
    ----------
    strategy : strategy object
        It may have a method `check_cost` of its own.

    cost : ndarray of shape (n_unlabeled,) or None
        Prices of the rows without a label; None if `fit` got no `cost`.

    Raises
    ------
    ValueError
        Saying what the strategy needs.
    """
    if hasattr(strategy, "check_cost"):
        strategy.check_cost(cost)


def check_needs(strategy, estimator, committee=None):
    """Raise if the models lack something that a strategy needs.

    Parameters
    ----------
    strategy : strategy object
        Its `needs` are compared with the models.

    estimator : estimator object
        The unfitted classifier.

    committee : int, list, estimator object or None, default=None
        The committee, see :class:`~skactive.ActiveLearningClassifier`.

    Raises
    ------
    ValueError
        Naming the strategy, what it needs, and strategies that would do instead.
    """
    missing = missing_needs(strategy, estimator, committee)
    if not missing:
        return
    wanted = describe_need(missing[0])
    owner = "a committee whose members are classifiers"
    if missing[0] != "member_proba":
        owner, committee = "a classifier", None
    working = [
        name
        for name in get_strategy_names()
        if not missing_needs(_REGISTRY.load(name)(), estimator, committee)
    ]
    raise ValueError(
        f"The strategy {type(strategy).__name__} needs {owner} with {wanted}, and "
        f"{shown(estimator if committee is None else committee)} has none. Strategies "
        f"that work with it: {working}."
    )


def uses_committee(strategy):
    """Tell whether a strategy uses the members of a committee."""
    needs = getattr(strategy, "needs", ())
    return any({"votes", "member_proba"} & {*alternatives(need)} for need in needs)


def uses_embedding(strategy, estimator):
    """Tell whether a strategy must embed rows, with this classifier."""
    return any(
        "embedding" in alternatives(need)
        and not any(
            _has(estimator, None, name)
            for name in alternatives(need)
            if name != "embedding"
        )
        for need in getattr(strategy, "needs", ())
    )


def missing_needs(strategy, estimator, committee):
    """Return those needs of a strategy or criterion that the models cannot meet."""
    needs = getattr(strategy, "needs", ())
    is_set = isinstance(needs, (Set, list, tuple))
    names = [name for need in needs for name in alternatives(need)] if is_set else []
    unknown = [name for name in names if name not in NEEDS]
    if unknown or not is_set:
        raise ValueError(
            f"needs of {type(strategy).__name__} must be a set of some of "
            f"{sorted(NEEDS)}, or of tuples of them; got "
            f"{shown(unknown[0] if unknown else needs)}."
        )
    needs = sorted(needs, key=str)
    return [
        need
        for need in needs
        if not any(_has(estimator, committee, name) for name in alternatives(need))
    ]


def describe_need(need):
    """Name the methods that a classifier must have, or one of which it must have."""
    return " or ".join(CAPABILITIES[name] for name in alternatives(need))


def alternatives(need):
    """Return the names of which one is enough to meet a need."""
    return need if isinstance(need, tuple) else (need,)


def _has(estimator, committee, name):
    if name in ("embedding", "votes"):
        # Every classifier votes. Whether rows can be embedded is seen later.
        return True
    if name == "training":
        last = last_step(estimator)
        return hasattr(last, "staged_predict") or hasattr(last, "partial_fit")
    if name != "member_proba":
        return has_once_fitted(estimator, CAPABILITIES[name])
    return committee_has_proba(committee, estimator)
