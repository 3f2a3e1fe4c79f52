"""Scores on labels that are not trained on: given ones, or the test sample of a run."""

import difflib

import numpy as np
from sklearn.metrics import check_scoring, get_scorer_names

from skactive.stopping._base import BaseCriterion
from skactive.stopping._scoring import score_model, try_scoring
from skactive.utils._containers import (
    check_aligned,
    refuse_lazy,
    with_small_indices,
)
from skactive.utils._labels import as_labels, column_y, kind_of
from skactive.utils._naming import naming
from skactive.utils._rows import check_like, take_rows
from skactive.utils._sklearn import Function, _num_samples


class ValidationCriterion(BaseCriterion):
    """A criterion that scores models on `X_val` and `y_val`.

    If they are None, it uses the rows of the run's test sample that have a label.
    """

    _parameter_constraints = {
        "X_val": ["array-like", "sparse matrix", None],
        "y_val": ["array-like", None],
        "scoring": [str, Function(), None],
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
            n_rows, n_labels = _num_samples(self.X_val), _num_samples(self.y_val)
            if n_rows != n_labels:
                raise ValueError(
                    f"X_val and y_val of {owner} must have as many labels as rows, got "
                    f"{n_rows} rows and {n_labels} labels."
                )

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
        with naming("scoring", self):
            check_scoring(clf.estimator, self._scorer_name())
        # The first model would reveal all this, but only after labels were paid for.
        self._try_scoring(labels if self.y_val is None else self._labels())
        if self.X_val is None:
            if clf.holdout_fraction == 0:
                raise ValueError(
                    f"{owner} needs labels that are not trained on. Pass X_val and "
                    "y_val, or let the run buy a test sample: holdout_fraction=0.2."
                )
            return
        check_like(self.X_val, X, f"X_val of {owner}")
        known = kind_of(labels)
        given = kind_of(self._labels())
        # Numbers of different types may be equal; a text never equals a number.
        if known is not None and (known is str) != (given is str):
            raise ValueError(
                f"y_val of {owner} must hold labels like those of y, which are of the "
                f"type {known.__name__}, and holds {given.__name__}."
            )

    def _score(self, pool):
        """Return the score of the model of a round, None if there is no score."""
        held = pool.holdout
        if self.X_val is not None:
            # Converted in each round, as parameters must stay as they were given.
            X, y = with_small_indices(self.X_val), self._labels()
        elif len(held.rows):
            X, y = take_rows(pool.X, held.rows), held.labels
        else:
            return None
        try:
            return score_model(pool.estimator, self.scoring, X, y)
        except Exception as error:  # the model and the scorer may raise anything
            error.add_note(
                f"{type(self).__name__} has scored {type(pool.estimator).__name__} by "
                f"scoring={self.scoring!r} on {len(y)} rows of the classes "
                f"{np.unique(y).tolist()}."
            )
            raise

    def _scorer_name(self):
        """Return `scoring`, or say that there is none of this name."""
        if isinstance(self.scoring, str) and self.scoring not in get_scorer_names():
            close = difflib.get_close_matches(self.scoring, get_scorer_names(), n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise ValueError(
                f"there is no scorer {self.scoring!r}.{hint} See "
                "sklearn.metrics.get_scorer_names()."
            )
        return self.scoring

    def _labels(self):
        labels = as_labels(column_y(self.y_val))
        if labels.dtype.kind == "f" and not np.isfinite(labels).all():
            raise ValueError(
                f"y_val of {type(self).__name__} contains NaN or infinity, which are "
                "not labels. Leave out rows without a label."
            )
        return labels

    def _try_scoring(self, labels):
        try:
            try_scoring(self.scoring, labels)
        except ValueError as error:
            raise ValueError(
                f"scoring={self.scoring!r} of {type(self).__name__} cannot score the "
                f"classes {np.unique(labels).tolist()}: {error}"
            ) from error
