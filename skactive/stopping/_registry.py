"""The one registry of stopping criteria: from a name to a class."""

from sklearn.base import clone

from skactive._pool.models import NoModelError
from skactive.acquisition._registry import describe_need, missing_needs
from skactive.stopping._base import FunctionCriterion, name_of
from skactive.utils._registry import Registry
from skactive.utils._shown import shown

CRITERIA = {
    "classification_change": "._confidence:ClassificationChange",
    "gain_per_label": "._cost:GainPerLabel",
    "max_uncertainty": "._confidence:MaxUncertainty",
    "min_expected_error": "._confidence:MinExpectedError",
    "overall_uncertainty": "._confidence:OverallUncertainty",
    "selected_accuracy": "._confidence:SelectedAccuracy",
    "stabilizing_predictions": "._stability:StabilizingPredictions",
    "validation_plateau": "._plateau:ValidationPlateau",
}

_REGISTRY = Registry(
    CRITERIA,
    package="skactive.stopping",
    noun="stopping criterion named",
    parameter="stopping",
    methods=("update",),
    wrap=FunctionCriterion,
    expected=(
        "a name, an object with an `update` method, a callable pool -> reason or None, "
        "or a list of these"
    ),
)


def get_criterion_names():
    """Return the names of all stopping criteria.

    Returns
    -------
    names : list of str
        Names that `get_criterion` and the parameter `stopping` understand.

    Examples
    --------
    >>> from skactive.stopping import get_criterion_names
    >>> "stabilizing_predictions" in get_criterion_names()
    True
    """
    return sorted(CRITERIA)


def get_criterion(criterion):
    """Return a criterion object for a name, an object or a function.

    Parameters
    ----------
    criterion : str, criterion object or callable
        A name from :func:`get_criterion_names`; an object with an `update` method;
        or a function ``pool -> reason or None``.

    Returns
    -------
    criterion : criterion object
        A new one for a name, the same one for an object.

    Raises
    ------
    ValueError
        If there is no criterion of this name.
    TypeError
        If it is a class, or cannot be a criterion.

    Examples
    --------
    >>> from skactive.stopping import get_criterion
    >>> get_criterion("stabilizing_predictions")
    StabilizingPredictions()
    """
    return _REGISTRY.get(criterion)


def clone_criterion(criterion):
    """Return a fresh criterion object for one run; state from another is dropped."""
    return clone(get_criterion(criterion), safe=False)


def get_criteria(stopping):
    """Return fresh criteria for the parameter `stopping`.

    Parameters
    ----------
    stopping : None, str, criterion, callable, or list of these
        A list stops when any of its members does.

    Returns
    -------
    criteria : list of (name, criterion)
        Clones, each with the name that `termination_condition_` will show.
    """
    if stopping is None:
        return []
    parts = stopping if isinstance(stopping, (list, tuple)) else [stopping]
    return [named(part, clone_criterion(part)) for part in parts]


def named(given, criterion):
    """Return a criterion with the name it was given by, or else its own."""
    return given if isinstance(given, str) else name_of(criterion), criterion


def reason_to_stop(criterion, pool):
    """Update a criterion with a round; return its reason to stop, or None.

    Parameters
    ----------
    criterion : criterion object
        It keeps its state.

    pool : Pool
        The round. In a cold start, criteria that need a model are skipped.

    Returns
    -------
    reason : str or None
        The answer of the criterion.
    """
    if not pool.can_fit and not getattr(criterion, "works_without_model", False):
        return None
    try:
        return criterion.update(pool)
    except NoModelError:
        # Functions are called in a cold start, too, and may read a model there; nothing
        # can be known about them in advance.
        return None


def check_run(criterion, clf, X, labels):
    """Raise if a criterion, or a part of it, cannot work in a run.

    Parameters
    ----------
    criterion : criterion object
        It may have a method `check_run`, for more than its `needs` say.

    clf : ActiveLearningClassifier
        The parameters of the run.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The checked rows of the run.

    labels : ndarray of shape (n_labels,)
        The labels that are known.

    Raises
    ------
    ValueError
        Saying what the criterion needs.
    """
    if hasattr(criterion, "check_run"):
        criterion.check_run(clf, X, labels)
    check_needs(criterion, clf)


def check_needs(criterion, clf):
    """Raise if the models lack something that a criterion needs.

    Parameters
    ----------
    criterion : criterion object
        Its `needs` are compared with the models.

    clf : ActiveLearningClassifier
        The parameters of the run.

    Raises
    ------
    ValueError
        Naming the criterion, what it needs, and criteria that would do instead.
    """
    models = clf.estimator, clf.committee
    missing = missing_needs(criterion, *models)
    if not missing:
        return
    working = [
        name
        for name in get_criterion_names()
        if not missing_needs(_REGISTRY.load(name)(), *models)
    ]
    raise ValueError(
        f"The stopping criterion {name_of(criterion)} needs a classifier with "
        f"{describe_need(missing[0])}, and {shown(clf.estimator)} has none. Criteria "
        f"that work with it: {working}."
    )
