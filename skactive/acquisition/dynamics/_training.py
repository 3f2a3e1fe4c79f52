"""Train a classifier step by step, and predict after each step."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils.class_weight import compute_class_weight

from skactive._models.fitting import begin_partial_fit
from skactive._models.label_codes import CodedClassifier, codes_of
from skactive.utils._outputs import read_labels
from skactive.utils._pipelines import is_sampler, predicting_steps, training_rows
from skactive.utils._rows import block_rows, slice_rows, slices, take_rows
from skactive.utils._sklearn import _num_samples, _set_random_states


def split_pipeline(estimator):
    """Return the parts of a Pipeline that transform, and the classifier at its end."""
    parts = []
    while isinstance(estimator, Pipeline):
        parts.append(predicting_steps(estimator))
        estimator = estimator.steps[-1][1]
    return [part for part in parts if part is not None], estimator


def has_samplers(estimator):
    """Tell whether a step of a Pipeline changes the number of training rows."""
    while isinstance(estimator, Pipeline):
        if any(is_sampler(step) for _, step in estimator.steps):
            return True
        estimator = estimator.steps[-1][1]
    return False


def rows_to_train_on(estimator, X, y, random_state):
    """Return the rows and labels that the end of a fitted Pipeline is trained on."""
    while isinstance(estimator, Pipeline):
        X, y = training_rows(estimator, X, y, random_state)
        estimator = estimator.steps[-1][1]
    return X.tocsr() if issparse(X) else X, y


def transform(parts, X):
    """Apply the parts of a Pipeline that transform."""
    for part in parts:
        X = part.transform(X)
    return X.tocsr() if issparse(X) else X


def train_by_epochs(estimator, X, y, n_epochs, random_state, sample_weight=None):
    """Yield the classifier, the same object, after each pass over shuffled rows."""
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


def predict_in_blocks(model, X):
    """Yield slices of the rows, and the labels predicted for them."""
    for rows in slices(_num_samples(X), block_rows(X)):
        yield rows, read_labels(model, slice_rows(X, rows.start, rows.stop))


def check_steps(values, name):
    """Return values of shape (n_steps, n_samples), or raise."""
    values = np.asarray(values)
    if values.ndim != 2 or len(values) == 0:
        raise ValueError(
            f"{name} must be an array of shape (n_steps, n_samples) with at least one "
            f"step, got shape {values.shape}."
        )
    return values
