"""Forgetting: rows that are learnt and forgotten again during training."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.utils import check_random_state

from skactive._models.fitting import fit_classifier
from skactive.acquisition.dynamics._training import (
    check_steps,
    has_samplers,
    predict_in_blocks,
    rows_to_train_on,
    split_pipeline,
    train_by_epochs,
    transform,
)
from skactive.utils._shown import shown
from skactive.utils._sklearn import _set_random_states


def forgetting_events(correct):
    """Count how often each row was learnt and then forgotten.

    A forgetting event is a step after which a row is predicted wrongly that was
    predicted correctly one step before.

    Parameters
    ----------
    correct : array-like of shape (n_steps, n_samples), dtype bool
        Whether each row was predicted correctly after each step, see
        :func:`training_correctness`.

    Returns
    -------
    events : ndarray of shape (n_samples,), dtype float
        Number of events; infinity for rows that were never correct.

    Raises
    ------
    ValueError
        If `correct` has another shape, or no steps.

    References
    ----------
    .. [1] M. Toneva, A. Sordoni, R. Tachet des Combes, A. Trischler, Y. Bengio,
       G. J. Gordon. "An empirical study of example forgetting during deep neural
       network learning". ICLR 2019.

    Examples
    --------
    >>> from skactive.acquisition.functional import forgetting_events
    >>> forgetting_events([[0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0]])
    array([ 1.,  2., inf])
    """
    correct = check_steps(correct, "correct").astype(bool)
    events = np.count_nonzero(correct[:-1] & ~correct[1:], axis=0).astype(np.float64)
    events[~correct.any(axis=0)] = np.inf
    return events


def unforgettable(correct):
    """Tell which rows were learnt and never forgotten; these are redundant.

    Parameters
    ----------
    correct : array-like of shape (n_steps, n_samples), dtype bool
        Whether each row was predicted correctly after each step.

    Returns
    -------
    mask : ndarray of shape (n_samples,), dtype bool
        True where :func:`forgetting_events` is 0.

    References
    ----------
    .. [1] M. Toneva, A. Sordoni, R. Tachet des Combes, A. Trischler, Y. Bengio,
       G. J. Gordon. "An empirical study of example forgetting during deep neural
       network learning". ICLR 2019.

    Examples
    --------
    >>> from skactive.acquisition.functional import unforgettable
    >>> unforgettable([[0, 1, 0], [1, 0, 0], [1, 1, 0]])
    array([ True, False, False])
    """
    return forgetting_events(correct) == 0


def training_correctness(estimator, X, y, *, n_epochs=20, random_state=None):
    """Train a classifier, and record which rows are correct after each step.

    Parameters
    ----------
    estimator : estimator object
        A classifier, or a Pipeline that ends in one. It has `staged_predict`, whose
        stages are the steps, or `partial_fit`. A clone of it is trained.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The rows, all of them labelled.

    y : array-like of shape (n_samples,)
        Their labels.

    n_epochs : int, default=20
        Number of passes of `partial_fit` over the rows; boosting has its own stages.

    random_state : int, RandomState instance or None, default=None
        Seeds the classifier and the order of the rows in each epoch.

    Returns
    -------
    correct : ndarray of shape (n_steps, n_samples), dtype bool
        Input of :func:`forgetting_events` and :func:`unforgettable`.

    Raises
    ------
    ValueError
        If the classifier has neither method.

    References
    ----------
    .. [1] M. Toneva, A. Sordoni, R. Tachet des Combes, A. Trischler, Y. Bengio,
       G. J. Gordon. "An empirical study of example forgetting during deep neural
       network learning". ICLR 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive.acquisition.functional import training_correctness, unforgettable
    >>> X, y = load_iris(return_X_y=True)
    >>> correct = training_correctness(GaussianNB(), X, y, n_epochs=5, random_state=0)
    >>> correct.shape
    (5, 150)
    >>> keep = ~unforgettable(correct)
    >>> X[keep].shape, y[keep].shape
    ((6, 4), (6,))
    """
    y = np.asarray(y)
    random_state = check_random_state(random_state)
    model = clone(estimator)
    _set_random_states(model, random_state)
    last = split_pipeline(model)[1]
    if hasattr(last, "staged_predict"):
        model = fit_classifier(model, X, y)
        last = split_pipeline(model)[1]
        steps = last.staged_predict(transform(split_pipeline(model)[0], X))
        return np.array([predicted == y for predicted in steps])
    if not hasattr(last, "partial_fit"):
        raise ValueError(
            "estimator must have staged_predict or partial_fit, so that its training "
            f"can be followed step by step, got {shown(estimator)}. "
            "AdaBoostClassifier, HistGradientBoostingClassifier, SGDClassifier and "
            "MLPClassifier have one."
        )
    if has_samplers(model):
        model = fit_classifier(model, X, y)
        last = split_pipeline(model)[1]
        learnt = rows_to_train_on(model, X, y, random_state)
        X = transform(split_pipeline(model)[0], X)
    else:
        for part in split_pipeline(model)[0]:
            X = part.fit_transform(X, y)
        X = X.tocsr() if issparse(X) else X
        learnt = X, y
    epochs = train_by_epochs(last, *learnt, n_epochs, random_state)
    return np.array(
        [np.concatenate([p for _, p in predict_in_blocks(m, X)]) == y for m in epochs]
    )
