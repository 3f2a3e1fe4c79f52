"""Scores of models that do not know all classes: they give the others probability 0."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin

from skactive.utils._outputs import align_columns, read_labels, read_proba
from skactive.utils._sklearn import knowing_labels


def score_all_classes(scorer, model, X, y, **metadata):
    """Score a model on labels of which it may know only some.

    A class that the model does not know has the probability 0, so that a score of
    probabilities is one number over the classes of the model and those in `y`.

    Parameters
    ----------
    scorer : callable
        ``scorer(model, X, y, **metadata)``. It is called as it is unless it is a scorer
        of scikit-learn that uses probabilities.

    model : estimator object
        A fitted classifier.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        Rows.

    y : array-like of shape (n_samples,)
        Their labels.

    **metadata : dict
        Further arguments of the scorer.

    Returns
    -------
    score : float or dict
        The score, as the scorer returns it.
    """
    # In the common case the scorer gets the model itself, not a wrapper.
    known, found = getattr(model, "classes_", None), np.unique(y)
    if known is None or np.array_equal(known, found):
        return scorer(model, X, y, **metadata)
    classes = np.union1d(known, found)
    knowing = knowing_labels(scorer, classes)
    if knowing is None:
        return scorer(model, X, y, **metadata)
    return knowing(_KnowsAll(model, classes), X, y, **metadata)


class _KnowsAll(ClassifierMixin, BaseEstimator):
    """A fitted classifier with columns of zeros for classes that it does not know."""

    def __init__(self, model, classes):
        self.model = model
        self.classes_ = classes

    def predict(self, X):
        return read_labels(self.model, X)

    def predict_proba(self, X):
        proba, owner = read_proba(self.model, X), type(self.model).__name__
        return align_columns(proba, self.model.classes_, self.classes_, owner)

    def __sklearn_is_fitted__(self):
        return True

    def __getattr__(self, name):
        # The model would only give columns for the classes that it knows. Before
        # `__init__`, as in unpickling, looking up `model` here would never end.
        if name in ("decision_function", "predict_log_proba") or "model" not in vars(
            self
        ):
            raise AttributeError(name)
        return getattr(self.model, name)
