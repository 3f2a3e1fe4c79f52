"""Rows of data as points in the plane."""

from types import SimpleNamespace

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.decomposition import PCA

from skactive._pool.embedding import Embedding
from skactive.utils._containers import check_aligned, column_names
from skactive.utils._rows import all_finite, as_numeric, is_dataframe
from skactive.utils._shown import shown
from skactive.utils._sklearn import _num_samples


def project(clf, X, projection=None):
    """Project rows onto the plane.

    Parameters
    ----------
    clf : ActiveLearningClassifier
        A fitted classifier.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The checked rows that it was fitted on.

    projection : transformer, array-like of shape (n_samples, 2) or None, default=None
        See :meth:`QueryMapDisplay.from_estimator`.

    Returns
    -------
    coordinates : ndarray of shape (n_samples, 2)
        The rows as points.

    names : tuple of str
        Names of the two axes.

    is_exact : bool
        Whether the points are the rows themselves.
    """
    features = plane_features(X) if projection is None else None
    if features is not None:
        return features, _column_names(X), True
    if projection is None:
        projection = PCA(n_components=2, random_state=0)
    if hasattr(projection, "fit_transform"):
        coordinates = _transform(clf, X, projection)
        name = type(projection).__name__
    else:
        check_aligned(X, {"projection": projection})
        coordinates, name = _given_coordinates(projection), "Projection"
    _check_coordinates(coordinates, _num_samples(X), projection)
    return coordinates, (f"{name} 1", f"{name} 2"), False


def plane_features(X):
    """Return `X` as floats if it has two numeric columns without NaN, else None."""
    if getattr(X, "shape", ())[1:] != (2,):
        return None
    features = as_numeric(X)
    if features is None:
        return None
    features = features.toarray() if issparse(features) else features
    return features.astype(np.float64)


def _column_names(X):
    if is_dataframe(X):
        return tuple(str(name) for name in column_names(X))
    return "Feature 0", "Feature 1"


def _transform(clf, X, projection):
    """Fit a transformer on the embedding of all rows."""
    embedding = Embedding(X, clf.estimator)
    if embedding.is_impossible():
        raise ValueError(
            "The rows have no features that could be projected: X is not numeric or "
            "holds NaN, and the estimator is not a Pipeline whose first steps turn "
            "it into numbers. Pass an array of shape (n_samples, 2) as projection."
        )
    # The part of a pool that an embedding reads.
    fitted = SimpleNamespace(estimator=clf.estimator_, can_fit=True)
    features = embedding.embed(np.arange(_num_samples(X)), fitted)
    if features.shape[1] < 2:
        raise ValueError(
            "The rows have one feature, which makes no plane. Pass an array of shape "
            "(n_samples, 2) as projection."
        )
    return np.asarray(clone(projection).fit_transform(features))


def _given_coordinates(projection):
    try:
        return np.asarray(projection, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "projection must be None, a transformer with fit_transform, or an array of "
            f"shape (n_samples, 2), got {shown(projection)}."
        ) from error


def _check_coordinates(coordinates, n_samples, projection):
    if coordinates.shape != (n_samples, 2):
        is_array = not hasattr(projection, "fit_transform")
        what = "is" if is_array else f"{projection} returned"
        raise ValueError(
            f"The projection must have the shape {(n_samples, 2)}, a point for each "
            f"row of X, but {what} an array of shape {coordinates.shape}."
        )
    if not all_finite(coordinates):
        raise ValueError("The projection holds NaN or infinity.")
