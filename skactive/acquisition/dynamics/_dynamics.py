"""Training dynamics: predictions that change while a classifier learns."""

import inspect
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import check_random_state, gen_batches
from sklearn.utils.class_weight import compute_class_weight
from threadpoolctl import threadpool_limits

from skactive._models.fitting import begin_partial_fit, fit_classifier
from skactive._models.label_codes import CodedClassifier, codes_of
from skactive.acquisition._base import BaseStrategy
from skactive.acquisition.committee._disagreement import variation_ratio
from skactive.utils._labels import as_labels
from skactive.utils._outputs import as_labels_of_rows, read_labels
from skactive.utils._pipelines import is_sampler, predicting_steps, training_rows
from skactive.utils._rows import block_rows, slice_rows, take_rows
from skactive.utils._shown import shown
from skactive.utils._sklearn import Interval, _num_samples, _set_random_states


def label_dispersion(labels):
    """Return how often the predicted label differs from its most frequent one.

    It is ``1 - f_x / T``, where f_x is how often the label that is predicted for x most
    often occurs among T predictions made in the course of training.

    Parameters
    ----------
    labels : array-like of shape (n_steps, n_samples)
        The predicted labels after each step.

    Returns
    -------
    utility : ndarray of shape (n_samples,)
        In [0, 1 - 1 / n_steps].

    Raises
    ------
    ValueError
        If `labels` has another shape, or no step.

    References
    ----------
    .. [1] J. Z. Bengar, B. Raducanu, J. van de Weijer. "When deep learners change
       their mind: learning dynamics for active learning". CAIP 2021.

    Examples
    --------
    >>> from skactive.acquisition import label_dispersion
    >>> label_dispersion([[0, 1], [0, 2], [1, 1], [0, 2]])
    array([0.25, 0.5 ])
    """
    labels = _check_steps(labels, "labels")
    _, indices = np.unique(labels, return_inverse=True)
    return variation_ratio(indices.reshape(labels.shape))


def forgetting_events(correct):
    """Count how often each row was learnt and then lost again.

    A forgetting event is a step after which a row is predicted wrongly that was right
    one step before.

    Parameters
    ----------
    correct : array-like of shape (n_steps, n_samples), dtype bool
        Whether each row was predicted rightly after each step, see
        :func:`training_correctness`.

    Returns
    -------
    events : ndarray of shape (n_samples,), dtype float
        Numbers of events; infinity for rows that were never right.

    Raises
    ------
    ValueError
        If `correct` has another shape, or no step.

    References
    ----------
    .. [1] M. Toneva, A. Sordoni, R. Tachet des Combes, A. Trischler, Y. Bengio,
       G. J. Gordon. "An empirical study of example forgetting during deep neural
       network learning". ICLR 2019.

    Examples
    --------
    >>> from skactive.acquisition import forgetting_events
    >>> forgetting_events([[0, 1, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0]])
    array([ 1.,  2., inf])
    """
    correct = _check_steps(correct, "correct").astype(bool)
    events = np.count_nonzero(correct[:-1] & ~correct[1:], axis=0).astype(np.float64)
    events[~correct.any(axis=0)] = np.inf
    return events


def unforgettable(correct):
    """Tell which rows were learnt and never lost: they are the redundant ones.

    Parameters
    ----------
    correct : array-like of shape (n_steps, n_samples), dtype bool
        Whether each row was predicted rightly after each step.

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
    >>> from skactive.acquisition import unforgettable
    >>> unforgettable([[0, 1, 0], [1, 0, 0], [1, 1, 0]])
    array([ True, False, False])
    """
    return forgetting_events(correct) == 0


def training_correctness(estimator, X, y, *, n_epochs=20, random_state=None):
    """Train a classifier, and record after each step which rows it predicts rightly.

    Parameters
    ----------
    estimator : estimator object
        A classifier, or a Pipeline that ends in one, with `staged_predict`, whose
        stages are the steps, or with `partial_fit`. A clone of it is trained.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The rows, all of them labelled.

    y : array-like of shape (n_samples,)
        Their labels.

    n_epochs : int, default=20
        How often `partial_fit` passes over the rows; boosting has its own stages.

    random_state : int, RandomState instance or None, default=None
        Seeds the classifier and the order of the rows in each epoch.

    Returns
    -------
    correct : ndarray of shape (n_steps, n_samples), dtype bool
        What :func:`forgetting_events` and :func:`unforgettable` take.

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
    >>> from skactive.acquisition import training_correctness, unforgettable
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
    last = _split(model)[1]
    if hasattr(last, "staged_predict"):
        model = fit_classifier(model, X, y)
        last = _split(model)[1]
        steps = last.staged_predict(_transform(_split(model)[0], X))
        return np.array([predicted == y for predicted in steps])
    if not hasattr(last, "partial_fit"):
        raise ValueError(
            "estimator must have staged_predict or partial_fit, so that its training "
            f"can be followed step by step, got {shown(estimator)}. "
            "AdaBoostClassifier, HistGradientBoostingClassifier, SGDClassifier and "
            "MLPClassifier have one."
        )
    if _has_samplers(model):
        model = fit_classifier(model, X, y)
        last = _split(model)[1]
        learnt = _training_rows(model, X, y, random_state)
        X = _transform(_split(model)[0], X)
    else:
        for part in _split(model)[0]:
            X = part.fit_transform(X, y)
        X = X.tocsr() if issparse(X) else X
        learnt = X, y
    epochs = _train_by_epochs(last, *learnt, n_epochs, random_state)
    return np.array(
        [np.concatenate([p for _, p in _predict(m, X)]) == y for m in epochs]
    )


def _check_steps(values, name):
    values = np.asarray(values)
    if values.ndim != 2 or len(values) == 0:
        raise ValueError(
            f"{name} must be an array of shape (n_steps, n_samples) with at least one "
            f"step, got shape {values.shape}."
        )
    return values


def _split(estimator):
    """Return the parts of a Pipeline that transform, and the classifier at its end."""
    parts = []
    while isinstance(estimator, Pipeline):
        parts.append(predicting_steps(estimator))
        estimator = estimator.steps[-1][1]
    return [part for part in parts if part is not None], estimator


def _has_samplers(estimator):
    while isinstance(estimator, Pipeline):
        if any(is_sampler(step) for _, step in estimator.steps):
            return True
        estimator = estimator.steps[-1][1]
    return False


def _training_rows(estimator, X, y, random_state):
    """Return what the classifier at the end of a fitted Pipeline is trained on."""
    while isinstance(estimator, Pipeline):
        X, y = training_rows(estimator, X, y, random_state)
        estimator = estimator.steps[-1][1]
    return X.tocsr() if issparse(X) else X, y


def _transform(parts, X):
    for part in parts:
        X = part.transform(X)
    return X.tocsr() if issparse(X) else X


def _train_by_epochs(estimator, X, y, n_epochs, random_state, sample_weight=None):
    """Yield a classifier after each pass over shuffled rows; it is one object."""
    model, classes = _for_epochs(estimator, y, random_state), np.unique(y)
    for epoch in range(n_epochs):
        order = random_state.permutation(len(y))
        weight = {}
        if sample_weight is not None:
            weight = {"sample_weight": sample_weight[order]}
        rows, labels = take_rows(X, order), y[order]
        if epoch == 0:
            model = begin_partial_fit(model, rows, labels, classes, weight)
        else:
            model.partial_fit(rows, labels, classes=classes, **weight)
        yield model


def _for_epochs(estimator, y, random_state):
    """Return a seeded clone without the options that `partial_fit` refuses."""
    if isinstance(estimator, CodedClassifier):
        codes = codes_of(y, np.unique(y))
        return CodedClassifier(_for_epochs(estimator.estimator, codes, random_state))
    model = clone(estimator)
    _set_random_states(model, random_state)
    params = model.get_params()
    if params.get("early_stopping"):
        model.set_params(early_stopping=False)
    if params.get("class_weight") == "balanced":
        classes = np.unique(y)
        weights = compute_class_weight("balanced", classes=classes, y=y)
        model.set_params(class_weight=dict(zip(classes, weights, strict=True)))
    return model


def _predict(model, X):
    """Yield slices of the rows, and what is predicted for them."""
    for rows in gen_batches(_num_samples(X), block_rows(X)):
        yield rows, read_labels(model, slice_rows(X, rows.start, rows.stop))


class LabelDispersionSampling(BaseStrategy):
    """Ask where the predicted label changes most while the classifier is trained.

    The utility is ``1 - f_x / T`` [1]_: the share of the steps of training after which
    the classifier predicts another label than it does most often. It needs no
    probabilities. Steps are the stages of boosting, for an estimator with
    `staged_predict`, such as AdaBoost or gradient boosting, and else epochs of
    `partial_fit`, for which a clone is trained on the labelled rows from the
    beginning. Of a Pipeline, the last step counts.

    Naive Bayes has `partial_fit`, too, but sees the same counts in every epoch, so that
    its labels hardly change: it runs, and says little.

    One prediction over all candidates for each step. Memory: counts of shape
    (n_candidates, n_classes), and for `partial_fit` a copy of the candidates; boosting
    is followed block by block.

    Parameters
    ----------
    n_epochs : int, default=20
        How often `partial_fit` passes over the labelled rows; boosting has its own
        number of stages. Of the fit parameters, `partial_fit` gets `sample_weight`
        only.

    References
    ----------
    .. [1] J. Z. Bengar, B. Raducanu, J. van de Weijer. "When deep learners change
       their mind: learning dynamics for active learning". CAIP 2021.

    Examples
    --------
    >>> from sklearn.linear_model import SGDClassifier
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import LabelDispersionSampling
    >>> clf = ActiveLearningClassifier(
    ...     SGDClassifier(), strategy=LabelDispersionSampling(n_epochs=10)
    ... )
    """

    _parameter_constraints = {"n_epochs": [Interval(Integral, 1, None, closed="left")]}

    def __init__(self, n_epochs=20):
        self.n_epochs = n_epochs

    @property
    def needs(self):
        return frozenset({"training"})

    def utility(self, pool):
        parts, last = _split(pool.estimator)
        with threadpool_limits(1, user_api="blas"):
            if hasattr(last, "staged_predict"):
                return _over_stages(pool, parts, last)
            return _over_epochs(pool, parts, last, self.n_epochs)


def _over_stages(pool, parts, boosting):
    dispersion = np.empty(len(pool))
    for positions, block in pool.blocks():
        X = _transform(parts, take_rows(pool.X, block.candidates))
        counts = np.zeros((len(block), len(pool.classes)), dtype=np.int32)
        for predicted in boosting.staged_predict(X):
            predicted = as_labels_of_rows(predicted, type(boosting).__name__)
            _count(counts, predicted, pool.classes)
        dispersion[positions] = _dispersion(counts)
    return dispersion


def _over_epochs(pool, parts, estimator, n_epochs):
    known = np.flatnonzero(pool.labeled)
    random_state = np.random.RandomState(pool.random_state)
    learnt, labels = _training_rows(
        pool.estimator, take_rows(pool.X, known), as_labels(pool.y[known]), random_state
    )
    weight = None
    if not _has_samplers(pool.estimator):
        weight = _sample_weight(pool, estimator, known)
    # Once: a vectorizer before the classifier would take longer than an epoch.
    X = _transform(parts, take_rows(pool.X, pool.candidates))
    epochs = _train_by_epochs(estimator, learnt, labels, n_epochs, random_state, weight)
    counts = np.zeros((len(pool), len(pool.classes)), dtype=np.int32)
    for model in epochs:
        for rows, predicted in _predict(model, X):
            _count(counts[rows], predicted, pool.classes)
    return _dispersion(counts)


def _count(counts, predicted, classes):
    """Count one predicted label for each row."""
    counts[np.arange(len(counts)), np.searchsorted(classes, predicted)] += 1


def _dispersion(counts):
    return 1.0 - counts.max(axis=1) / counts[0].sum()


def _sample_weight(pool, last, rows):
    """Return the weights of some rows, or None; `last` may not take any."""
    names = ["sample_weight"]
    if isinstance(pool.estimator, Pipeline):
        names.append(f"{pool.estimator.steps[-1][0]}__sample_weight")
    weights = [pool.fit_params[name] for name in names if name in pool.fit_params]
    last = last.estimator_ if isinstance(last, CodedClassifier) else last
    takes = "sample_weight" in inspect.signature(last.partial_fit).parameters
    if not takes or not weights or np.ndim(weights[0]) == 0:
        return None
    return np.asarray(weights[0])[rows]
