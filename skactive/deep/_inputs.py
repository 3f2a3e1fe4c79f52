"""Rows, labels and classes in the form that networks take."""

import numpy as np
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from skactive.utils._labels import column_y
from skactive.utils._shown import shown_values


def check_training(classifier, X, y, *, reset):
    """Return rows in the form that the network takes, and labels.

    Parameters
    ----------
    classifier : BaseDeepClassifier
        `input_shape_` and the attributes of scikit-learn for features are set or
        compared.

    X : array-like of shape (n_samples, n_features) or (n_samples, ...)
        Rows.

    y : array-like of shape (n_samples,)
        Labels.

    reset : bool
        Whether the rows are the first that it sees.

    Returns
    -------
    X : ndarray of shape (n_samples, ...), dtype float32
        Rows.

    y : ndarray of shape (n_samples,)
        Labels.
    """
    if y is None:
        raise ValueError(
            f"This {type(classifier).__name__} estimator requires y to be passed, but "
            "the target y is None."
        )
    X = check_rows(classifier, X, reset=reset)
    y = column_y(y)
    check_classification_targets(y)
    if len(y) != len(X):
        raise ValueError(
            "Found input variables with inconsistent numbers of samples: "
            f"[{len(X)}, {len(y)}]"
        )
    return X, y


def check_rows(classifier, X, *, reset):
    """Return rows as float32 in the shape that the network takes."""
    X = validate_data(
        classifier, X, reset=reset, dtype=np.float32, allow_nd=True, order="C"
    )
    shape = X.shape[1:]
    if classifier.image_shape is not None and X.ndim == 2:
        shape = tuple(classifier.image_shape)
        if np.prod(shape) != X.shape[1]:
            raise ValueError(
                f"image_shape={shape} has {np.prod(shape)} numbers, but a row of X has "
                f"{X.shape[1]}."
            )
    if len(shape) == 2:  # images of one channel
        shape = (1, *shape)
    if reset:
        classifier.input_shape_ = shape
    elif shape != classifier.input_shape_:
        raise ValueError(
            f"Rows of X have the shape {shape}, but {type(classifier).__name__} was "
            f"fitted on rows of shape {classifier.input_shape_}."
        )
    return X.reshape(len(X), *shape)


def check_classes(classifier, y, classes):
    """Return the classes of a classifier that is trained batch by batch.

    Parameters
    ----------
    classifier : BaseDeepClassifier
        It has `classes_` after the first batch.

    y : ndarray of shape (n_samples,)
        Labels.

    classes : array-like of shape (n_classes,) or None
        All classes.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Sorted.
    """
    is_first = not hasattr(classifier, "nets_")
    known = np.unique(classes) if is_first else classifier.classes_
    if classes is not None and not np.array_equal(np.unique(classes), known):
        raise ValueError(
            f"classes={classes} are not those of the calls before, {known}."
        )
    check_known(y, known)
    return known


def check_known(y, known):
    """Raise if some labels are not among the classes that are known."""
    unknown = np.setdiff1d(y, known)
    if len(unknown):
        raise ValueError(
            f"y holds {shown_values(unknown)}, which are not among the classes "
            f"{shown_values(known)}."
        )
