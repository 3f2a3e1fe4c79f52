"""Scores on labels that are not trained on: given ones, or the run's own sample."""

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils import check_consistent_length

from skactive.stopping._base import BaseCriterion
from skactive.utils._absent_classes import score_all_classes
from skactive.utils._containers import (
    check_aligned,
    refuse_lazy,
    with_small_indices,
)
from skactive.utils._labels import as_labels, column_y, kind_of
from skactive.utils._rows import is_one_dimensional, take_rows
from skactive.utils._sklearn import _num_samples


class ValidationCriterion(BaseCriterion):
    """A criterion that scores models on `X_val` and `y_val`.

    If they are None, it takes the rows of the test sample of the run that have a label.
    """

    _parameter_constraints = {
        "X_val": ["array-like", "sparse matrix", None],
        "y_val": ["array-like", None],
        "scoring": [str, callable, None],
    }

    def _validate_params(self):
        super()._validate_params()
        owner = type(self).__name__
        if (self.X_val is None) != (self.y_val is None):
            raise ValueError(
                f"{owner} needs X_val and y_val, or neither of them, and got one."
            )
        if self.X_val is not None:
            refuse_lazy(self.X_val, "X_val")
            check_aligned(self.X_val, {"y_val": self.y_val}, owner="X_val")
            check_consistent_length(self.X_val, self.y_val)
            if _num_samples(self.X_val) == 0:
                raise ValueError(f"X_val of {owner} is empty; pass rows with labels.")

    def check_run(self, clf, X, labels):
        """Raise if models of a run cannot be scored.

        Parameters
        ----------
        clf : ActiveLearningClassifier
            The parameters of the run.

        X : {array-like, sparse matrix, data frame, list} of length n_samples
            The checked rows of the run.

        labels : ndarray of shape (n_labels,)
            The labels that are known.
        """
        owner = type(self).__name__
        check_scoring(clf.estimator, self.scoring)
        if self.X_val is None:
            if clf.holdout_fraction == 0:
                raise ValueError(
                    f"{owner} needs labels that are not trained on. Pass X_val and "
                    "y_val, or let the run buy a test sample: holdout_fraction=0.2."
                )
            return
        known, given = _width(X), _width(self.X_val)
        if known != given:
            raise ValueError(
                f"X_val of {owner} must be like X, which has {known} features, and has "
                f"{given}."
            )
        known = kind_of(labels)
        given = kind_of(as_labels(column_y(self.y_val)))
        if known is not None and (known is str) != (given is str):
            raise ValueError(
                f"y_val of {owner} must hold labels like those of y, which are of the "
                f"type {known.__name__}, and holds {given.__name__}."
            )

    def _score(self, pool):
        """Return the score of the model of a round, None without a single label."""
        X, y = with_small_indices(self.X_val), self.y_val
        if X is None:
            rows = np.flatnonzero(is_held(pool))
            if len(rows) == 0:
                return None
            X, y = take_rows(pool.X, rows), as_labels(pool.y[rows])
        scorer = check_scoring(pool.estimator, self.scoring)
        return float(score_all_classes(scorer, pool.estimator, X, y))


def is_held(pool):
    """Tell which rows have a label that is not trained on: those of a test sample."""
    return (pool.labeled_iter >= 0) & ~pool.labeled


def _width(X):
    """Return the number of features, 1 for texts."""
    if is_one_dimensional(X):
        return 1
    return X.shape[1] if hasattr(X, "shape") else np.asarray(X).shape[1]
