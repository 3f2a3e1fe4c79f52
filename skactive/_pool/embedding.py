"""Rows as numeric features, for strategies that measure distances."""

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone

from skactive.utils._pipelines import check_same_rows, predicting_steps
from skactive.utils._rows import as_floats, as_numeric, rows_not_finite, take_rows
from skactive.utils._sklearn import _num_samples


class Embedding:
    """The rows of a run as features: from the estimator, from its Pipeline, or `X`.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_samples
        All rows.

    estimator : estimator object
        Unfitted classifier.
    """

    def __init__(self, X, estimator):
        self._X = X
        self._has_embed = hasattr(estimator, "embed")
        self._steps = predicting_steps(estimator)
        self._features = None  # of all rows, if labels do not change them
        self._steps_need_labels = False
        self._steps_leave_nan = False
        self._tried = False

    def is_of(self, X):
        """Tell whether it embeds the rows of this very `X`."""
        return self._X is X

    @property
    def is_fixed(self):
        """Whether the features stay the same over the rounds."""
        self._embed_all()
        return not (self._has_embed or self._steps_need_labels)

    def is_available(self, pool):
        """Tell whether rows can be embedded in the round of `pool`."""
        return self._moves_with(pool) or self._fixed_features() is not None

    def is_impossible(self):
        """Tell whether rows cannot be embedded in any round, whatever is labelled."""
        return self.is_fixed and self._fixed_features() is None

    def embed(self, rows, pool):
        """Return the features of some rows, (n_rows, n_components)."""
        if self._moves_with(pool):
            X = take_rows(self._X, rows)
            if self._has_embed:
                return as_floats(pool.estimator.embed(X))
            steps = predicting_steps(pool.estimator)
            features = as_floats(_array_or_csr(steps.transform(X)))
            check_same_rows(steps, X, features.shape[0])
            return features
        features = self._fixed_features()
        if features is None:
            raise ValueError(
                "The rows have no embedding: X is not numeric or holds NaN, and the "
                "estimator has no `embed` method and is not a Pipeline whose first "
                "steps turn the rows into numbers."
            )
        return as_floats(features[rows])

    def finds_nan(self):
        """Tell whether the steps of a Pipeline leave NaN or infinity in the rows."""
        self._embed_all()
        return self._steps_leave_nan

    def fails_only_with(self, rows):
        """Tell whether the steps can be fitted on all rows except these."""
        self._embed_all()
        if not self._steps_need_labels:
            return False
        others = np.delete(np.arange(_num_samples(self._X)), rows)
        try:
            clone(self._steps).fit(take_rows(self._X, others))
        except Exception:  # the steps do need labels, or something else is wrong
            return False
        return True

    def _moves_with(self, pool):
        # In a cold start there is no fitted estimator that could embed.
        return not self.is_fixed and pool.can_fit

    def _fixed_features(self):
        self._embed_all()
        return self._features

    def _embed_all(self):
        """Compute features of all rows, once, without any label.

        Most steps, such as a scaler, need no label: fitted on all rows they give the
        same features in all rounds, and strategies can remember distances.
        """
        if self._tried:
            return
        self._tried = True
        if self._steps is not None and not self._has_embed:
            steps = clone(self._steps)
            try:
                features = steps.fit_transform(self._X)
            except Exception:  # a step that needs y may raise anything
                self._steps_need_labels = True
            else:
                features = _array_or_csr(features)
                check_same_rows(steps, self._X, features.shape[0])
                self._features = as_numeric(features)
                self._steps_leave_nan = len(rows_not_finite(features)) > 0
                return
        self._features = as_numeric(self._X)


def _array_or_csr(features):
    return features.tocsr() if issparse(features) else np.asarray(features)
