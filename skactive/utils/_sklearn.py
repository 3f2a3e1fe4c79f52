"""Every private or version-dependent name of scikit-learn, in this one file."""

import copy
import inspect
from contextlib import nullcontext
from numbers import Integral

from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.ensemble._base import _set_random_states
from sklearn.ensemble._forest import ForestClassifier
from sklearn.linear_model._base import LinearClassifierMixin
from sklearn.metrics._scorer import _BaseScorer, _MultimetricScorer
from sklearn.utils import _safe_indexing
from sklearn.utils import get_tags as _get_tags
from sklearn.utils._param_validation import HasMethods as _HasMethods
from sklearn.utils._param_validation import Interval as _Interval
from sklearn.utils._param_validation import (
    InvalidParameterError,
    RealNotInt,
    StrOptions,
    validate_parameter_constraints,
    validate_params,
)
from sklearn.utils._set_output import _get_adapter_from_container
from sklearn.utils.metadata_routing import _raise_for_params, _routing_enabled
from sklearn.utils.validation import (
    _check_feature_names,
    _check_method_params,
    _check_n_features,
    _estimator_has,
    _num_samples,
)

try:  # scikit-learn >= 1.9
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:
        """Accept callbacks and ignore them, where scikit-learn has none yet."""

        def set_callbacks(self, *callbacks):
            """Do nothing: callbacks need scikit-learn >= 1.9.

            Parameters
            ----------
            *callbacks : callback instances
                Ignored.

            Returns
            -------
            self : estimator instance
                The estimator itself.
            """
            return self

        def _init_callback_context(self, **kwargs):
            return NoCallbackContext()


__all__ = [
    "N_JOBS",
    "CallbackSupportMixin",
    "ForestClassifier",
    "Function",
    "HasMethods",
    "Interval",
    "InvalidParameterError",
    "LinearClassifierMixin",
    "NoCallbackContext",
    "RealNotInt",
    "StrOptions",
    "_check_feature_names",
    "_check_method_params",
    "_check_n_features",
    "_estimator_has",
    "_fit_context",
    "_get_adapter_from_container",
    "_num_samples",
    "_raise_for_params",
    "_routing_enabled",
    "_safe_indexing",
    "_set_random_states",
    "get_tags",
    "knowing_labels",
    "validate_nested_params",
    "validate_parameter_constraints",
    "validate_params",
]


class NoCallbackContext:
    """A callback context without callbacks."""

    def subcontext(self, **kwargs):
        return self

    def call_on_fit_task_begin(self, **kwargs):
        return self

    def call_on_fit_task_end(self, **kwargs):
        return False

    def propagate_callback_context(self, estimator):
        return nullcontext()


class _PlainClassifier(ClassifierMixin, BaseEstimator):
    """A classifier of which nothing else is known."""


def get_tags(estimator):
    """Return the tags of an estimator; default tags if it has none.

    Classifiers of other packages may have `fit` and `predict` without being derived
    from BaseEstimator, and scikit-learn raises an error for them.

    Parameters
    ----------
    estimator : estimator object
        Of any package.

    Returns
    -------
    tags : sklearn.utils.Tags
        The tags.
    """
    try:
        return _get_tags(estimator)
    except AttributeError:
        kind = _PlainClassifier if hasattr(estimator, "predict") else BaseEstimator
        return kind().__sklearn_tags__()


class Interval(_Interval):
    """An interval of numbers; unlike in scikit-learn, True is not a number."""

    def is_satisfied_by(self, val):
        return not isinstance(val, bool) and super().is_satisfied_by(val)


class HasMethods(_HasMethods):
    """Objects with some methods; a class whose objects have them is refused."""

    def is_satisfied_by(self, val):
        return not isinstance(val, type) and super().is_satisfied_by(val)


class Function(HasMethods):
    """A callable; a class is refused, as an object of it was probably meant.

    Parameters
    ----------
    takes : str or None, default=None
        Its only argument, for messages; None if any arguments are allowed.
    """

    def __init__(self, takes=None):
        super().__init__(["__call__"])
        self.takes = takes

    def is_satisfied_by(self, val):
        return super().is_satisfied_by(val) and (
            self.takes is None or _can_be_called_with_one(val)
        )

    def __str__(self):
        what = "a function or another object that can be called"
        return what if self.takes is None else f"{what} with {self.takes}"


def _can_be_called_with_one(function):
    try:
        inspect.signature(function).bind(None)
    except TypeError:
        return False
    except ValueError:  # some builtins have no signature
        pass
    return True


# The values that joblib takes; 0 has no meaning there.
N_JOBS = [
    Interval(Integral, -(2**31), -1, closed="both"),
    Interval(Integral, 1, 2**31 - 1, closed="both"),
    None,
]


def validate_nested_params(estimator):
    """Validate the parameters of an unfitted estimator and of all it contains.

    Otherwise a wrong ``LogisticRegression(C=-1)`` is found by its first fit, which in a
    cold start comes after the first labels were paid for.
    """
    nested = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    for part in [estimator, *nested.values()]:
        # Estimators of other packages have the method without the constraints.
        if not isinstance(part, type) and hasattr(part, "_parameter_constraints"):
            part._validate_params()


def knowing_labels(scorer, labels):
    """Return a scorer of probabilities that knows all classes.

    Parameters
    ----------
    scorer : callable
        A scorer.

    labels : ndarray of shape (n_classes,)
        Sorted classes, one for each column of the probabilities.

    Returns
    -------
    scorer : callable or None
        A copy; None unless it is a scorer of scikit-learn that uses probabilities.
    """
    if isinstance(scorer, _MultimetricScorer):
        told = {name: knowing_labels(s, labels) for name, s in scorer._scorers.items()}
        if not any(told.values()):
            return None
        other = copy.copy(scorer)
        other._scorers = {name: told[name] or s for name, s in scorer._scorers.items()}
        return other
    if not isinstance(scorer, _BaseScorer):
        return None
    if "predict_proba" not in scorer._response_method:
        return None
    other = copy.copy(scorer)
    if "labels" in inspect.signature(scorer._score_func).parameters:
        other._kwargs = {"labels": labels} | scorer._kwargs
    return other
