"""The methods that a classifier will have once it is fitted."""

import warnings
from functools import partial

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skactive.utils._pipelines import check_same_rows
from skactive.utils._shown import name_of
from skactive.utils._sklearn import HasMethods, _set_random_states

# Parameters that hold the estimator to which a meta-estimator delegates.
_DELEGATES = ("estimator", "final_estimator")
# A trial: enough rows of each class for an inner cross-validation.
_N_TRIAL_ROWS, _N_TRIAL_FEATURES = 20, 5


def may_come(estimator, method):
    """Tell whether an unfitted estimator without a method may have it when fitted."""
    return _in_doubt(estimator, method) is not None


def has_once_fitted(estimator, method):
    """Tell whether an estimator has a method, or will have it when it is fitted.

    Some methods come with `fit`: those of a stack whose last estimator is a default,
    and those of estimators that delegate to one. Such an estimator is fitted on a few
    made-up rows to find out. If it cannot be fitted on them, it is assumed to get all
    methods that its class has.

    Parameters
    ----------
    estimator : estimator object
        Unfitted or fitted.

    method : str
        Name of the method.

    Returns
    -------
    has : bool
        False only if it will certainly not have the method.
    """
    if hasattr(estimator, method):
        return True
    part = _in_doubt(estimator, method)
    if part is None:
        return False
    try:
        return hasattr(_fit_on_trial(part), method)
    except Exception:  # the rows are made up, and may suit no estimator of this kind
        return True


class MissingMethodError(ValueError):
    """A fitted model lacks a method, and more labels will not give it one."""


def method_of(model, method, *, axis=0):
    """Return a method that predicts, or raise if the fitted model lacks it.

    Parameters
    ----------
    model : estimator object
        Fitted.

    method : str
        Name of the method, which takes rows.

    axis : int, default=0
        Axis of the rows in its output, if that is an array.

    Returns
    -------
    predict : callable
        ``predict(X) -> output``; it raises if the output lacks rows.
    """
    if hasattr(model, method):
        return partial(_predict, model, method, axis)
    raise MissingMethodError(
        f"{name_of(model)} is fitted now and has no {method}, which is needed "
        "here. Use a classifier that has it, or a strategy, stopping criterion or "
        f"committee that works without it. The classifier is {model}."
    )


def _predict(model, method, axis, X):
    output = getattr(model, method)(X)
    shape = getattr(output, "shape", ())
    if len(shape) > axis:
        check_same_rows(model, X, shape[axis])
    return output


class HasMethodsOnceFitted(HasMethods):
    """Constraint: an object that has some methods, once fitted at the latest.

    Parameters
    ----------
    methods : str or list of str
        Names of the methods.
    """

    def is_satisfied_by(self, val):
        """Tell whether a value is such an object."""
        if super().is_satisfied_by(val):
            return True
        if isinstance(val, type) or not hasattr(val, "fit"):
            return False
        return all(has_once_fitted(val, method) for method in self.methods)


def _in_doubt(estimator, method):
    """Return the part of an estimator that decides whether a method comes with `fit`.

    None, if the method will certainly not come.
    """
    # Methods may be handed on through several meta-estimators: go in until one of them
    # may get the method by its own fit.
    while True:
        kind = type(estimator)
        if not (hasattr(kind, method) or hasattr(kind, "__getattr__")):
            return None
        inner = _delegate(estimator)
        if inner is None or hasattr(inner, method):
            return estimator
        estimator = inner


def _delegate(estimator):
    if isinstance(estimator, Pipeline):
        return estimator.steps[-1][1]
    parts = [getattr(estimator, name, None) for name in _DELEGATES]
    return next((part for part in parts if hasattr(part, "fit")), None)


def _fit_on_trial(estimator):
    """Return a clone that is fitted on made-up rows and labels."""
    model, rng = clone(estimator), np.random.RandomState(0)
    _set_random_states(model, rng)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X = rng.uniform(size=(_N_TRIAL_ROWS, _N_TRIAL_FEATURES))
        return model.fit(X, np.arange(_N_TRIAL_ROWS) % 2)
