"""A plateau of the learning curve on validation labels."""

from numbers import Integral, Real

from skactive._pool.remembered import count_labels
from skactive.stopping._validation import ValidationCriterion
from skactive.utils._sklearn import Interval


class ValidationPlateau(ValidationCriterion):
    """Stop when the score on a validation set no longer improves.

    :Uses: a validation set

    Parameters
    ----------
    X_val : {array-like, sparse matrix, data frame, list} of length n_val or None, \
            default=None
        Rows that are neither queried nor trained on, of the same kind as the `X` of the
        run. If None, the test sample that `holdout_fraction` buys is used instead.

    y_val : array-like of shape (n_val,) or None, default=None
        Their labels.

    scoring : str, callable or None, default=None
        A scorer as in scikit-learn, higher is better. If None, the `score` of the
        estimator, which is usually the accuracy.

    patience : int, default=50
        Number of labels that may be learned from without a better score.

    min_delta : float, default=0.0
        A score must be larger than the best one so far by more than this to be better.

    Examples
    --------
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.stopping import ValidationPlateau
    >>> X_val, y_val = make_blobs(50, random_state=0)
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), budget=None, stopping=ValidationPlateau(X_val, y_val)
    ... )
    """

    _parameter_constraints = {
        **ValidationCriterion._parameter_constraints,
        "patience": [Interval(Integral, 1, None, closed="left")],
        "min_delta": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self, X_val=None, y_val=None, scoring=None, patience=50, min_delta=0.0
    ):
        self.X_val = X_val
        self.y_val = y_val
        self.scoring = scoring
        self.patience = patience
        self.min_delta = min_delta

    def update(self, pool):
        score, n_labels = self._score(pool), count_labels(pool)
        if score is None:
            return None
        # It may be the same model with another score, while a test sample is being
        # bought.
        is_first = n_labels == getattr(self, "best_n_labels_", n_labels)
        if is_first or score > self.best_score_ + self.min_delta:
            self.best_score_, self.best_n_labels_ = score, n_labels
        n_since = n_labels - self.best_n_labels_
        if n_since < self.patience:
            return None
        return f"no score above {self.best_score_:.4g} in the last {n_since} labels"
