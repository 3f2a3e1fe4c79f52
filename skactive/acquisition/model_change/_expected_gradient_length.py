"""Expected gradient length: how far a label is expected to move the model."""

import numpy as np

from skactive.acquisition._keeping import KeepingStrategy
from skactive.utils._distances import squared_norms
from skactive.utils._rows import slices

# Rows in one block.
_BLOCK_ROWS = 1024


def expected_gradient_length(proba, features, *, fit_intercept=True):
    """Return the expected length of the gradient that a label would add.

    The gradient of the log loss of a softmax layer at the label y is the outer product
    of ``p - e_y`` and the features h, with a 1 appended for the intercept. Its length
    is ``|p - e_y| * |h|``; the expectation over y is taken with p.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities.

    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        Input of the output layer for each sample.

    fit_intercept : bool, default=True
        Whether the output layer has an intercept.

    Returns
    -------
    utility : ndarray of shape (n_samples,)
        At least 0, in the unit of the features; 0 if a class is certain.

    References
    ----------
    .. [1] B. Settles, M. Craven, S. Ray. "Multiple-instance active learning". NeurIPS
       2007.
    .. [2] B. Settles, M. Craven. "An analysis of active learning strategies for
       sequence labeling tasks". EMNLP 2008.

    Examples
    --------
    >>> from skactive.acquisition.functional import expected_gradient_length
    >>> expected_gradient_length([[0.6, 0.3, 0.1]], [[1.0, 2.0]]).round(4)
    array([1.7058])
    """
    norms = squared_norms(features, np.float64)
    return _expected_error_length(proba) * np.sqrt(norms + bool(fit_intercept))


class ExpectedGradientLengthSampling(KeepingStrategy):
    """Query the rows whose label is expected to change the model most.

    The change is the length of the gradient of the log loss in the weights of a softmax
    layer on top of the embedding of the rows [1]_; a logistic regression is such a
    layer. The label is unknown, so the expectation over labels is taken.

    The lengths of the embedded rows are kept while the embedding is the same.

    :Uses: ``predict_proba``, features
    :Cost of a round: :math:`n (K + d)`
    :Guide: :doc:`/user_guide/model_change`

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether the output layer has an intercept.

    References
    ----------
    .. [1] B. Settles, M. Craven. "An analysis of active learning strategies for
       sequence labeling tasks". EMNLP 2008.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy="expected_gradient_length"
    ... )
    """

    rowwise = True

    _parameter_constraints = {"fit_intercept": ["boolean"]}

    def __init__(self, fit_intercept=True):
        self.fit_intercept = fit_intercept

    @property
    def needs(self):
        return frozenset({"proba", "embedding"})

    def utility(self, pool):
        norms = self._squared_norms(pool)
        lengths = np.sqrt(norms + bool(self.fit_intercept))
        return _expected_error_length(pool.proba) * lengths

    def _squared_norms(self, pool):
        """Return the squared lengths of the candidates, as embedded rows."""
        rows = pool.candidates
        if not pool.embedding_is_fixed:
            return squared_norms(pool.embedding(rows), np.float64)
        X, norms = getattr(self, "kept_", (None, None))
        if X is not pool.X:
            # Of all rows, as other candidates may come in later rounds.
            norms = np.empty(len(pool.y))
            for block in slices(len(norms), _BLOCK_ROWS):
                norms[block] = squared_norms(pool.embedding(block), np.float64)
            self.kept_ = pool.X, norms
        return norms[rows]


def _expected_error_length(proba):
    """Return the expected length of p - e_y for a label y drawn from p."""
    columns = np.ascontiguousarray(np.transpose(proba), dtype=np.float64)
    largest, others = columns[0].copy(), np.zeros(columns.shape[1])
    for column in columns[1:]:
        others += np.minimum(largest, column) ** 2
        np.maximum(largest, column, out=largest)
    # |p - e_y|² is |p|² + 1 - 2 p_y, which is only rounding if p_y is nearly 1: the
    # term of the largest p_y is subtracted again, and replaced by an exact one.
    base = largest**2 + others + 1.0
    out = np.sqrt((1.0 - largest) ** 2 + others) * largest
    for column in columns:
        out += _weighted_root(column, base)
    return out - _weighted_root(largest, base)


def _weighted_root(weights, base):
    terms = weights * -2.0
    terms += base
    np.maximum(terms, 0.0, out=terms)
    np.sqrt(terms, out=terms)
    terms *= weights
    return terms
