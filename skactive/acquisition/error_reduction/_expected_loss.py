"""Expected loss: rows on which the expected loss of a finished model is largest."""

from numbers import Real

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skactive.acquisition._base import BaseStrategy, utilities
from skactive.acquisition._drawing import draw_candidates
from skactive.utils._outputs import (
    align_columns,
    read_labels,
    read_proba,
)
from skactive.utils._rows import take_rows
from skactive.utils._sklearn import HasMethods, Interval, StrOptions


def expected_loss(surrogate_proba, model_proba, *, loss="zero_one"):
    """Return the expected loss of a model, with the probabilities of another one.

    Parameters
    ----------
    surrogate_proba : array-like of shape (n_samples, n_classes)
        Probabilities :math:`\\pi` of the other model, the surrogate.

    model_proba : array-like of shape (n_samples, n_classes)
        Probabilities :math:`f` of the model. For the loss ``"zero_one"``, any scores
        that are highest for the predicted class.

    loss : {"zero_one", "log_loss"}, default="zero_one"
        :math:`1 - \\pi_{\\arg\\max f}`, or :math:`-\\sum_k \\pi_k \\ln f_k`.

    Returns
    -------
    expected : ndarray of shape (n_samples,)
        Expected losses, at least 0.

    References
    ----------
    .. [1] J. Kossen, S. Farquhar, Y. Gal, T. Rainforth. "Active testing:
       sample-efficient model evaluation". ICML 2021.

    Examples
    --------
    >>> from skactive.acquisition.functional import expected_loss
    >>> surrogate, model = [[0.9, 0.1], [0.4, 0.6]], [[0.5, 0.5], [0.8, 0.2]]
    >>> expected_loss(surrogate, model).round(3)
    array([0.1, 0.6])
    >>> expected_loss(surrogate, model, loss="log_loss").round(3)
    array([0.693, 1.055])
    """
    pi, f = np.asarray(surrogate_proba), np.asarray(model_proba)
    if loss == "zero_one":
        right = np.take_along_axis(pi, f.argmax(axis=1)[:, None], axis=1)[:, 0]
        return np.maximum(1.0 - right, 0.0)
    if loss != "log_loss":
        raise ValueError(f"loss must be 'zero_one' or 'log_loss', got {loss!r}.")
    # A probability of 0 is clipped as in sklearn.metrics.log_loss.
    return np.maximum(-(pi * np.log(np.maximum(f, _eps(f)))).sum(axis=1), 0.0)


def _eps(proba):
    return np.finfo(proba.dtype if proba.dtype.kind == "f" else np.float64).eps


class ExpectedLossSampling(BaseStrategy):
    """Draw rows in proportion to the expected loss of a finished model.

    For testing, not for training: rows with a large loss contribute most to the risk of
    `model` [1]_. The expectation is over the probabilities of the classifier that is
    trained in the run, the *surrogate*, which gets better with every label; see
    :func:`~skactive.acquisition.functional.expected_loss`. The probabilities of the
    draws are reported, so that :func:`~skactive.model_selection.queried_risk` can
    estimate the risk of `model` without bias. `model` must not be trained on the labels
    of these rows.

    With ``initial_strategy="random"``, the rows of the cold start count, too.
    :func:`~skactive.model_selection.active_test` sets all of this up.

    Parameters
    ----------
    model : estimator object
        The fitted classifier to test. It is not cloned.

    loss : {"zero_one", "log_loss"}, default="zero_one"
        The loss of `model`, which needs `predict_proba` for ``"log_loss"``.

    epsilon : float, default=0.1
        Probability, in (0, 1], that a row is drawn uniformly from those left. Rows
        about which the surrogate is certain but wrong are drawn in this way only: the
        smaller it is, the more each of them counts, and the less stable the estimate
        is.

    References
    ----------
    .. [1] J. Kossen, S. Farquhar, Y. Gal, T. Rainforth. "Active testing:
       sample-efficient model evaluation". ICML 2021.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import ExpectedLossSampling
    >>> X, y = load_digits(return_X_y=True)
    >>> model = GaussianNB().fit(X[:100], y[:100])
    >>> tester = ActiveLearningClassifier(
    ...     LogisticRegression(),
    ...     strategy=ExpectedLossSampling(model),
    ...     initial_strategy="random",
    ... )
    """

    rowwise = True

    _parameter_constraints = {
        "model": [HasMethods(["predict"])],
        "loss": [StrOptions({"zero_one", "log_loss"})],
        "epsilon": [Interval(Real, 0, 1, closed="right")],
    }

    def __init__(self, model, loss="zero_one", epsilon=0.1):
        self.model = model
        self.loss = loss
        self.epsilon = epsilon

    @property
    def needs(self):
        return frozenset({"proba"})

    def _validate_params(self):
        super()._validate_params()
        if hasattr(self.model, "fit"):
            check_is_fitted(self.model)
        if self.loss == "log_loss" and not hasattr(self.model, "predict_proba"):
            raise ValueError(
                f"loss='log_loss' needs a model with predict_proba, and {self.model} "
                "has none. Use loss='zero_one'."
            )

    def utility(self, pool):
        X, seen = take_rows(pool.X, pool.candidates), pool.classes
        model, owner = self.model, type(self.model).__name__
        if self.loss == "log_loss":
            known, f = np.asarray(model.classes_), read_proba(model, X)
        else:
            predicted = read_labels(model, X)
            known = np.unique(getattr(model, "classes_", predicted))
            f = predicted[:, None] == known
        _check_same_classes(self, known, seen)
        both = np.union1d(known, seen)
        pi = align_columns(pool.proba, seen, both, "The surrogate")
        return expected_loss(pi, align_columns(f, known, both, owner), loss=self.loss)

    def select(self, pool, n_queries):
        # A row without any expected loss has the weight 0, and is drawn by epsilon
        # only.
        with np.errstate(divide="ignore"):
            log_weights = np.log(utilities(self, pool))
        return draw_candidates(pool, log_weights, n_queries, self.epsilon)

    def __sklearn_clone__(self):
        return type(self)(
            **self.get_params(deep=False)
        )  # a clone of the model would not be fitted


def _check_same_classes(strategy, known, seen):
    """Raise if model and labels have no class in common, such as 0 and "no"."""
    if hasattr(strategy.model, "classes_") and not np.isin(seen, known).any():
        raise ValueError(
            f"The model of {type(strategy).__name__} knows the classes "
            f"{np.asarray(known).tolist()}, and the labels so far are of the classes "
            f"{seen.tolist()}, which are all others. Pass a model of the same classes."
        )
