"""Outputs of models: labels and probabilities in one shape, checked, and aligned.

`predict` and `predict_proba` of the user's models are only called by :func:`reader`,
:func:`read_labels` and :func:`read_proba`, so that a list of columns, or integers, mean
the same everywhere.
"""

from functools import partial

import numpy as np
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

from skactive.utils._capabilities import method_of
from skactive.utils._pipelines import last_step
from skactive.utils._shown import name_of, shown_values
from skactive.utils._sklearn import _num_samples

# The sum of probabilities may differ from 1 by this much (half precision, rounding).
_SUM_TOLERANCE = 1e-3
# A sum that differs from 1 by this number of rounding errors is left unchanged.
_ROUNDINGS = 4


def reader(model, method):
    """Return a function of `X` that calls a method of a model, for the usual shape.

    Parameters
    ----------
    model : estimator object
        A fitted classifier, or a member of a committee.

    method : str
        Its method. The outputs of `predict` and `predict_proba` are brought into the
        shapes (n_samples,) and (n_samples, n_classes); those of other methods are
        returned as they are.

    Returns
    -------
    read : callable
        ``read(X) -> output``.
    """
    reads = {"predict": read_labels, "predict_proba": read_proba}.get(method)
    return method_of(model, method) if reads is None else partial(reads, model)


def read_labels(model, X):
    """Return the labels that a model predicts, of shape (n_samples,)."""
    return as_labels_of_rows(method_of(model, "predict")(X), name_of(model))


def read_proba(model, X):
    """Return a model's probabilities, a column of floats for each of its classes."""
    # These models divide zero by zero for rows that no label has reached.
    quiet = {"divide": "ignore", "invalid": "ignore"} if may_say_nothing(model) else {}
    with np.errstate(**quiet):
        proba = method_of(model, "predict_proba")(X)
    owner, n_rows = name_of(model), _num_samples(X)
    return as_proba(proba, len(model.classes_), owner, n_rows=n_rows)


def check_proba_of(model, proba, classes, owner=None):
    """Check the probabilities that a model gave, and align them to `classes`."""
    owner, silent = owner or name_of(model), may_say_nothing(model)
    return check_proba(proba, model.classes_, classes, owner, silent_rows=silent)


def may_say_nothing(model):
    """Tell whether a classifier may have rows that no label has reached."""
    last = last_step(getattr(model, "best_estimator_", model))  # of a search
    within = getattr(last, "estimator_", last)  # of a model that learns codes of labels
    kinds = LabelPropagation, LabelSpreading
    return isinstance(last, kinds) or isinstance(within, kinds)


class OutputShapeError(ValueError):
    """A model does not give one class for each row, whatever labels it has seen."""


def as_labels_of_rows(predicted, owner):
    """Return predicted classes as a 1d array, one for each row.

    Parameters
    ----------
    predicted : array-like of shape (n_samples,) or (n_samples, 1)
        What `predict` returned.

    owner : str
        Name of the model, for messages.

    Returns
    -------
    predicted : ndarray of shape (n_samples,)
        The classes.
    """
    predicted = np.asarray(predicted)
    if predicted.ndim == 2 and predicted.shape[1] == 1:
        return predicted.ravel()
    if predicted.ndim != 1:
        raise OutputShapeError(
            f"{owner}.predict returned an array of shape {predicted.shape}, expected "
            "one class for each row, (n_samples,). If these are one column for each "
            "class, wrap the classifier in one whose predict returns the class itself."
        )
    return predicted


def as_proba(proba, n_classes, owner, *, n_rows=None):
    """Return probabilities as floats of shape (n_samples, n_classes).

    Parameters
    ----------
    proba : array-like
        The output of `predict_proba`: of this shape, or a list that has for each class
        an array of shape (n_samples,), (n_samples, 1), or (n_samples, 2) with the class
        itself in the last column. A single column for two classes is refused.

    n_classes : int
        Number of classes of the model.

    owner : str
        Name of the model, for messages.

    n_rows : int or None, default=None
        Number of rows that were predicted; needed to read a list.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_classes)
        Of the type float32 or float64.
    """
    if isinstance(proba, (list, tuple)):
        proba = _stack_classes(proba, n_rows, n_classes)
    proba = _as_floats(np.asarray(proba))
    if proba.ndim == 2 and proba.shape[1] == n_classes:
        return proba
    hint = ""
    if proba.ndim == 1 or proba.shape[1:] == (1,):
        hint = " It is not known which class a single column belongs to."
    elif proba.ndim == 2 and proba.shape[1] > n_classes:
        hint = _CLOSED_HINT
    raise ValueError(
        f"{owner}.predict_proba returned an array of shape {proba.shape}, expected "
        f"one column for each of its {n_classes} classes.{hint}"
    )


def check_proba(proba, columns, classes, owner, *, silent_rows=False):
    """Check probabilities, and bring their columns into the order of `classes`.

    Rows whose sum differs slightly from 1, as in half precision, are divided by it.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_columns)
        The output of `predict_proba`, in any shape that :func:`as_proba` takes.

    columns : ndarray of shape (n_columns,)
        The `classes_` of the model, in any order; some of `classes` may be missing,
        their probability is 0.

    classes : ndarray of shape (n_classes,)
        Sorted classes.

    owner : str
        Name of the model, for messages.

    silent_rows : bool, default=False
        Whether rows of NaN or zeros mean that the model says nothing about them, so
        that all its classes are equally likely; see :func:`says_nothing`.

    Returns
    -------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities.

    Raises
    ------
    ValueError
        If they are not finite, do not sum to 1, or belong to other classes.
    """
    proba = as_proba(proba, len(columns), owner)
    if silent_rows:
        silent = says_nothing(proba)
        if silent.any():
            proba = proba.copy()
            proba[silent] = 1.0 / len(columns)
    # einsum sums short rows several times faster than sum(axis=1).
    sums, least = np.einsum("ij->i", proba), proba.min(initial=0.0)
    worst = np.abs(sums - 1.0).max(initial=0.0)
    # Written so that NaN fails: it is not less than anything.
    if not (worst <= _SUM_TOLERANCE and least >= -_SUM_TOLERANCE):
        raise ValueError(
            f"{owner}.predict_proba returned probabilities that are NaN, infinite, "
            "negative, or do not sum to 1 in a row. No label was bought because "
            "of them; check the estimator and the scale of the features."
        )
    if least < 0:
        proba = np.maximum(proba, 0.0)
        sums, worst = np.einsum("ij->i", proba), np.inf
    rounding = _ROUNDINGS * len(columns) * np.finfo(proba.dtype).eps
    # Probabilities that sum to 1 up to rounding stay as they are: a division would only
    # change their last bits.
    if worst > rounding:
        sums[np.abs(sums - 1.0) <= rounding] = 1.0
        proba = proba / sums[:, None]
    return align_columns(proba, columns, classes, owner)


def says_nothing(proba):
    """Tell which rows of probabilities are all NaN, or all zeros."""
    sums = np.einsum("ij->i", proba)
    return (sums == 0.0) | np.isnan(proba).all(axis=1)


def align_columns(proba, columns, classes, owner):
    """Bring columns that belong to `columns` into the order of `classes`.

    Parameters
    ----------
    proba : ndarray of shape (..., n_columns)
        Probabilities.

    columns : ndarray of shape (n_columns,)
        Their classes, in any order.

    classes : ndarray of shape (n_classes,)
        Sorted classes, all of `columns` among them.

    owner : str
        Name of the model, for messages.

    Returns
    -------
    aligned : ndarray of shape (..., n_classes)
        The same columns, and 0 for classes that have none.
    """
    columns = np.asarray(columns)
    if same_classes(columns, classes):
        return proba
    check_among(columns, classes, owner)
    aligned = np.zeros((*proba.shape[:-1], len(classes)), dtype=proba.dtype)
    aligned[..., np.searchsorted(classes, columns)] = proba
    return aligned


def check_among(columns, classes, owner):
    """Raise if a model has classes that are not in `classes`."""
    if not np.isin(columns, classes).all():
        raise ValueError(
            f"{owner} predicts the classes {shown_values(columns)}, but only "
            f"{shown_values(classes)} have labels.{_CLOSED_HINT}"
        )


def same_classes(first, second):
    """Tell whether two arrays hold the same classes in the same order."""
    return len(first) == len(second) and bool(np.all(first == second))


def codes_of(predicted, classes, owner):
    """Return predicted labels as positions in sorted `classes`, or raise.

    Parameters
    ----------
    predicted : ndarray
        Labels, of any shape.

    classes : ndarray of shape (n_classes,)
        Sorted classes.

    owner : str
        The object that predicted them, for messages.

    Returns
    -------
    codes : ndarray of int
        Of the shape of `predicted`.
    """
    # Numbers and texts are not compared: searchsorted would convert one to the other.
    codes = None
    if (classes.dtype.kind in "biuf") == (predicted.dtype.kind in "biuf"):
        codes = np.minimum(np.searchsorted(classes, predicted), len(classes) - 1)
    if codes is None or (classes[codes] != predicted).any():
        raise ValueError(
            f"{owner} returned classes other than {shown_values(classes)}, which have "
            f"labels.{_CLOSED_HINT}"
        )
    return codes


_CLOSED_HINT = (
    " A model whose outputs are fixed, such as a network or one that was fitted "
    "before, may have columns for classes without a label if the set of classes is "
    "closed: give all of them in classes= of ActiveLearningClassifier."
)


def _as_floats(proba):
    """Return single or double precision; integers and halves lose digits in sums."""
    if proba.dtype.kind != "f":
        return proba.astype(np.float64)
    return proba.astype(np.float32) if proba.dtype.itemsize < 4 else proba


def _stack_classes(parts, n_rows, n_classes):
    """Return a list of one array for each class as columns; one of rows as it is."""
    shapes = {np.shape(part) for part in parts}
    if shapes == {(n_classes,)} and not _is_by_class(parts, n_rows, n_classes):
        return np.asarray(parts)
    if len(parts) == n_classes and shapes <= {(n_rows,), (n_rows, 1), (n_rows, 2)}:
        return np.column_stack(
            [np.asarray(part).reshape(n_rows, -1)[:, -1] for part in parts]
        )
    return np.asarray(parts)


def _is_by_class(parts, n_rows, n_classes):
    """Tell whether a square list holds one array for each class, by its sums."""
    if n_rows != n_classes:
        return False
    off = np.abs(np.asarray(parts, dtype=np.float64).sum(axis=1) - 1.0)
    return not (off <= _SUM_TOLERANCE).all()
