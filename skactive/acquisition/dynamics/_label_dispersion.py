"""Label dispersion: rows whose predicted label changes during training."""

import inspect
from numbers import Integral

import numpy as np
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from skactive._models.label_codes import CodedClassifier
from skactive.acquisition._base import BaseStrategy
from skactive.acquisition.committee._disagreement import variation_ratio
from skactive.acquisition.dynamics._training import (
    check_steps,
    has_samplers,
    predict_in_blocks,
    rows_to_train_on,
    split_pipeline,
    train_by_epochs,
    transform,
)
from skactive.utils._labels import as_labels
from skactive.utils._outputs import as_labels_of_rows
from skactive.utils._rows import take_rows
from skactive.utils._sklearn import Interval


def label_dispersion(labels):
    """Return how often the predicted label differs from its most frequent one.

    It is ``1 - f_x / T``, where f_x is the count of the most frequent of the T labels
    that are predicted for x in the course of training.

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
        If `labels` has another shape, or no steps.

    References
    ----------
    .. [1] J. Z. Bengar, B. Raducanu, J. van de Weijer. "When deep learners change
       their mind: learning dynamics for active learning". CAIP 2021.

    Examples
    --------
    >>> from skactive.acquisition.functional import label_dispersion
    >>> label_dispersion([[0, 1], [0, 2], [1, 1], [0, 2]])
    array([0.25, 0.5 ])
    """
    labels = check_steps(labels, "labels")
    _, indices = np.unique(labels, return_inverse=True)
    return variation_ratio(indices.reshape(labels.shape))


class LabelDispersionSampling(BaseStrategy):
    """Query rows where the predicted label changes most during training.

    The utility is ``1 - f_x / T`` [1]_: the share of training steps after which the
    classifier predicts another label than its most frequent one. It needs no
    probabilities. For an estimator with `staged_predict`, such as AdaBoost or gradient
    boosting, steps are the stages of boosting. Otherwise they are epochs of
    `partial_fit`, in which a clone is trained on the labelled rows from the beginning.
    In a Pipeline, the last step counts.

    Naive Bayes has `partial_fit`, too, but sees the same counts in every epoch, so its
    labels hardly change and the utilities mean little.

    Time: one prediction of all candidates for each step. Memory: counts of shape
    (n_candidates, n_classes), and a copy of the candidates for `partial_fit`; boosting
    goes block by block.

    :Uses: predictions during training
    :Cost of a round: one training
    :Guide: :doc:`/user_guide/dynamics`

    Parameters
    ----------
    n_epochs : int, default=20
        Number of passes of `partial_fit` over the labelled rows; boosting has its own
        number of stages. The only fit parameter that `partial_fit` gets is
        `sample_weight`.

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
        parts, last = split_pipeline(pool.estimator)
        # Small steps are slower with several BLAS threads. OpenMP is left alone, as
        # boosting may need it.
        with threadpool_limits(1, user_api="blas"):
            if hasattr(last, "staged_predict"):
                return _over_stages(pool, parts, last)
            return _over_epochs(pool, parts, last, self.n_epochs)


def _over_stages(pool, parts, boosting):
    dispersion = np.empty(len(pool))
    for positions, block in pool.blocks():
        X = transform(parts, take_rows(pool.X, block.candidates))
        counts = np.zeros((len(block), len(pool.classes)), dtype=np.int32)
        for predicted in boosting.staged_predict(X):
            predicted = as_labels_of_rows(predicted, type(boosting).__name__)
            _count(counts, predicted, pool.classes)
        dispersion[positions] = _dispersion(counts)
    return dispersion


def _over_epochs(pool, parts, estimator, n_epochs):
    known = np.flatnonzero(pool.labeled)
    random_state = np.random.RandomState(pool.random_state)
    learnt, labels = rows_to_train_on(
        pool.estimator, take_rows(pool.X, known), as_labels(pool.y[known]), random_state
    )
    weight = None
    if not has_samplers(pool.estimator):
        weight = _sample_weight(pool, estimator, known)
    # Transformed once, as a vectorizer may take longer than an epoch.
    X = transform(parts, take_rows(pool.X, pool.candidates))
    epochs = train_by_epochs(estimator, learnt, labels, n_epochs, random_state, weight)
    counts = np.zeros((len(pool), len(pool.classes)), dtype=np.int32)
    for model in epochs:
        for rows, predicted in predict_in_blocks(model, X):
            _count(counts[rows], predicted, pool.classes)
    return _dispersion(counts)


def _count(counts, predicted, classes):
    """Count one predicted label for each row."""
    counts[np.arange(len(counts)), np.searchsorted(classes, predicted)] += 1


def _dispersion(counts):
    return 1.0 - counts.max(axis=1) / counts[0].sum()


def _sample_weight(pool, last, rows):
    """Return the weights of some rows, or None if `last` takes or gets none."""
    names = ["sample_weight"]
    if isinstance(pool.estimator, Pipeline):
        names.append(f"{pool.estimator.steps[-1][0]}__sample_weight")
    weights = [pool.fit_params[name] for name in names if name in pool.fit_params]
    last = last.estimator_ if isinstance(last, CodedClassifier) else last
    takes = "sample_weight" in inspect.signature(last.partial_fit).parameters
    if not takes or not weights or np.ndim(weights[0]) == 0:
        return None
    return np.asarray(weights[0])[rows]
