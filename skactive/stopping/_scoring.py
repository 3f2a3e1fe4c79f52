"""Scores of a model on few labels, among which classes may be absent."""

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.metrics import check_scoring

from skactive.utils._absent_classes import score_all_classes


def score_model(model, scoring, X, y):
    """Score a fitted model.

    Parameters
    ----------
    model : estimator object
        The fitted classifier.

    scoring : str, callable or None
        A scorer as in scikit-learn.

    X : {array-like, sparse matrix, data frame, list} of length n_rows
        Rows that it was not trained on.

    y : ndarray of shape (n_rows,)
        Their labels.

    Returns
    -------
    score : float or None
        None where it is not defined, as is an area under the ROC curve on rows of one
        class.
    """
    score = float(score_all_classes(check_scoring(model, scoring), model, X, y))
    return None if np.isnan(score) else score


def try_scoring(scoring, labels):
    """Raise the error that a metric would raise on some labels, without a model.

    Parameters
    ----------
    scoring : str, callable or None
        A scorer as in scikit-learn; functions of the user are not called.

    labels : ndarray of shape (n_labels,)
        Labels; if they are all of one class, nothing is checked.
    """
    labels = np.unique(labels)
    # A function of the user may have side effects, and many metrics are not defined for
    # a single class.
    if not isinstance(scoring, str) or len(labels) < 2:
        return
    # A dummy model reveals errors that do not depend on the model, for instance labels
    # that the metric does not accept, or a positive class that is missing.
    X = np.zeros((len(labels), 1))
    score_model(DummyClassifier().fit(X, labels), scoring, X, labels)
