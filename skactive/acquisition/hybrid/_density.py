"""Density as a weight: rows that are informative and represent many others."""

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np
from scipy.sparse import issparse

from skactive.acquisition._combination import OnUtility
from skactive.acquisition._keeping import KeepingStrategy
from skactive.utils._distances import squared_norms
from skactive.utils._rows import block_rows, slices
from skactive.utils._sklearn import Interval
from skactive.utils._threads import one_thread


def mean_cosine_similarity(features, reference=None):
    """Return the mean cosine similarity of rows to all rows, themselves included.

    It is the product with the mean of the normalised rows, so a matrix of similarities
    is not needed.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows. The similarity to a row of zeros is 0.

    reference : {array-like, sparse matrix} of shape (n_rows, n_features), default=None
        Rows to which the similarity is measured; `features` if None.

    Returns
    -------
    similarity : ndarray of shape (n_samples,)
        In [-1, 1].

    References
    ----------
    .. [1] B. Settles, M. Craven. "An analysis of active learning strategies for
       sequence labeling tasks". EMNLP 2008.

    Examples
    --------
    >>> from skactive.acquisition.functional import mean_cosine_similarity
    >>> mean_cosine_similarity([[2.0, 0.0], [1.0, 0.0], [0.0, 5.0]]).round(4)
    array([0.6667, 0.6667, 0.3333])
    """
    features = _as_rows(features)
    reference = features if reference is None else _as_rows(reference)
    with one_thread():
        total = _sum_of_units(reference)
        return _cosines(features, total / reference.shape[0])


class DensitySampling(KeepingStrategy, OnUtility):
    """Query informative rows that represent many others.

    The utility of another strategy is multiplied by ``density ** beta`` [1]_. The
    density of a row is its mean cosine similarity to all rows that may still be
    queried, itself included; negative values count as 0. This avoids uncertain
    outliers.

    Cosines compare directions, as is usual for texts. Centre other features by a scaler
    in a Pipeline; otherwise all rows may have nearly the same direction.

    It needs an embedding of the rows in addition to the needs of `base`. Time: two
    passes over it in the first round, and one in each later one, as norms and the sum
    of the normalised rows are kept; memory: O(n_samples + n_components) and a block of
    rows. An embedding that changes between rounds, such as ``embed`` of the estimator,
    is computed anew in each round, and held during it.

    :Uses: ``predict_proba``, features
    :Cost of a round: :math:`n (K + d)`
    :Guide: :doc:`/user_guide/density`

    Parameters
    ----------
    base : str, strategy object or callable, default="entropy"
        Gives the utility of each row, which must not be negative: strategies that can
        use decision values need probabilities here.

    beta : float, default=1.0
        Weight of the density; 0 leaves the utilities of `base` unchanged.

    See Also
    --------
    skactive.acquisition.functional.mean_cosine_similarity : The density, for an array.

    References
    ----------
    .. [1] B. Settles, M. Craven. "An analysis of active learning strategies for
       sequence labeling tasks". EMNLP 2008.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import DensitySampling
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=DensitySampling("margin", beta=0.5)
    ... )
    """

    _parameter_constraints = {
        **OnUtility._parameter_constraints,
        "beta": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, base="entropy", *, beta=1.0):
        self.base = base
        self.beta = beta

    def utility(self, pool):
        scores = self._base_utilities(pool)
        with one_thread():
            # Digits after the twelfth are rounding, which must not order equal rows.
            density = np.maximum(np.round(self._density(pool), 12), 0.0)
        return scores * density**self.beta

    def _density(self, pool):
        """Return the mean cosine similarity of the candidates to all open rows."""
        is_open = ~(pool.labeled | pool.asked)
        if not pool.embedding_is_fixed:
            rows = np.flatnonzero(is_open)
            features = _as_rows(pool.embedding(rows))
            total = _sum_of_units(features)
            features = features[np.searchsorted(rows, pool.candidates)]
            return _cosines(features, total / len(rows))
        units = getattr(self, "kept_", None)
        if units is None or not units.serves(pool, is_open):
            units = self.kept_ = _Units.build(pool, is_open)
        # Rows only leave the pool, so the sum is brought up to date by a few of them.
        units.remove(pool, np.flatnonzero(units.counted & ~is_open))
        return units.cosines(pool)


@dataclass
class _Units:
    """Norms of all rows, and the sum of the normalised rows that are open."""

    X: Any
    inverse_norms: np.ndarray
    total: np.ndarray
    counted: np.ndarray

    @classmethod
    def build(cls, pool, is_open):
        inverse, total = np.empty(len(is_open)), 0.0
        for block, features in _blocks(pool):
            inverse[block] = _inverse_norms(features)
            total = total + features.T @ (inverse[block] * is_open[block])
        return cls(pool.X, inverse, total, is_open)

    def serves(self, pool, is_open):
        """Tell whether a pool is a later one of the same run."""
        return self.X is pool.X and not (is_open & ~self.counted).any()

    def remove(self, pool, rows):
        """Subtract rows that are no longer open from the sum."""
        if len(rows):
            self.total = self.total - _sum_of_units(_as_rows(pool.embedding(rows)))
            self.counted = self.counted.copy()
            self.counted[rows] = False

    def cosines(self, pool):
        """Return the mean cosines of the candidates to the open rows."""
        mean = self.total / np.count_nonzero(self.counted)
        products = np.empty(len(self.counted))
        if len(pool.candidates) > len(products) / 2:
            for block, features in _blocks(pool):
                products[block] = features @ mean
        else:
            size = block_rows(pool.embedding(slice(0, 1)))
            for block in slices(len(pool.candidates), size):
                rows = pool.candidates[block]
                products[rows] = _as_rows(pool.embedding(rows)) @ mean
        return (products * self.inverse_norms)[pool.candidates]


def _blocks(pool):
    """Yield the fixed embedding of all rows in blocks."""
    size = block_rows(pool.embedding(slice(0, 1)))
    for block in slices(len(pool.labeled), size):
        yield block, _as_rows(pool.embedding(block))


def _as_rows(features):
    if issparse(features):
        return features.tocsr().astype(np.float64, copy=False)
    return np.asarray(features, dtype=np.float64)


def _sum_of_units(features):
    """Return the sum of the rows divided by their norms."""
    return features.T @ _inverse_norms(features)


def _cosines(features, mean):
    return (features @ mean) * _inverse_norms(features)


def _inverse_norms(features):
    """Return 1 / norm of each row, and 0 for a row of zeros."""
    norms = np.sqrt(squared_norms(features))
    return np.divide(1.0, norms, out=np.zeros_like(norms), where=norms > 0)
