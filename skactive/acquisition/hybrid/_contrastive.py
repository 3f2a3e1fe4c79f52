"""Contrastive: rows that are predicted differently from labelled rows near them."""

from numbers import Integral

import numpy as np
from scipy.sparse import csr_matrix
from scipy.special import xlogy
from sklearn.metrics.pairwise import euclidean_distances
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from skactive.acquisition._base import BaseStrategy
from skactive.utils._rows import as_floats, block_rows, slices
from skactive.utils._sklearn import Interval
from skactive.utils._threads import one_thread

# Squared distances of rows of length one that differ by less than this are equal.
_ROUNDING = 1e-10
# Distances to all labelled rows in one block.
_BLOCK_NUMBERS = 2**20


def contrastive(proba, features, labeled_proba, labeled_features, *, n_neighbors=10):
    """Return the divergence of predictions from those of near labelled rows, in nats.

    It is the mean of ``KL(p(.|neighbour) || p(.|x))`` over the labelled rows nearest to
    x. Distances are Euclidean, between rows scaled to length one, as in the official
    code.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Predicted probabilities of the candidates.

    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        Their embedding.

    labeled_proba : array-like of shape (n_labeled, n_classes)
        Predicted probabilities of the labelled rows, by the same model.

    labeled_features : {array-like, sparse matrix} of shape (n_labeled, n_components)
        Their embedding.

    n_neighbors : int, default=10
        Number of labelled rows with which a candidate is compared; all if there are
        fewer. Rows at equal distances share the last places, so the order of the
        labelled rows does not matter.

    Returns
    -------
    utility : ndarray of shape (n_samples,)
        At least 0. A probability of 0 counts as the smallest normal number, which keeps
        the divergence finite, at most about 708.

    Raises
    ------
    ValueError
        If there is no labelled row.

    References
    ----------
    .. [1] K. Margatina, G. Vernikos, L. Barrault, N. Aletras. "Active learning by
       acquiring contrastive examples". EMNLP 2021.

    Examples
    --------
    The candidate has the direction of the first labelled row, which is predicted
    otherwise:

    >>> from skactive.acquisition.functional import contrastive
    >>> contrastive(
    ...     [[0.5, 0.5]], [[3.0, 0.1]],
    ...     [[0.9, 0.1], [0.5, 0.5]], [[1.0, 0.0], [0.0, 1.0]], n_neighbors=1,
    ... ).round(4)
    array([0.3681])
    """
    labeled = _LabeledRows(labeled_proba, labeled_features, n_neighbors)
    with one_thread():
        return labeled.divergence(proba, normalize(as_floats(features)))


class _LabeledRows:
    """The labelled rows: an index of their features, and their predictions."""

    def __init__(self, proba, features, n_neighbors):
        self._proba = np.asarray(proba, dtype=np.float64)
        if not len(self._proba):
            raise ValueError(
                "contrastive compares rows with labelled ones, and there is none; "
                "pass labeled_proba and labeled_features of at least one row."
            )
        self._negentropy = xlogy(self._proba, self._proba).sum(axis=1)
        self._n_neighbors = min(n_neighbors, len(self._proba))
        self._unit_features = normalize(as_floats(features))
        # A tree is not faster in the dimensions of an embedding.
        self._index = NearestNeighbors(algorithm="brute").fit(self._unit_features)

    def divergence(self, proba, unit_features):
        """Return the mean divergence of the nearest rows from each of these."""
        proba = np.asarray(proba, dtype=np.float64)
        mean_proba, mean_negentropy = self._means_of_nearest(unit_features)
        # KL(q || p) = sum q log q - sum q log p, and both are linear over neighbours.
        log_proba = np.log(np.maximum(proba, np.finfo(proba.dtype).tiny))
        crossed = np.einsum("ij,ij->i", mean_proba, log_proba)
        # Rounding may leave a difference of equals just below zero.
        return np.maximum(mean_negentropy - crossed, 0.0)

    def _means_of_nearest(self, unit_features):
        """Return mean probabilities and negentropy of the neighbours of each row."""
        k, n_labeled = self._n_neighbors, len(self._proba)
        # One more neighbour shows whether it is as near as the last one.
        n_found = min(k + 1, n_labeled)
        distances, nearest = self._index.kneighbors(unit_features, n_found)
        # Row i holds 1 / k at the neighbours of i: a product with it is a mean.
        weights = np.full(nearest.shape, 1 / k)
        weights[:, k:] = 0.0
        starts = n_found * np.arange(len(nearest) + 1)
        mean = csr_matrix(
            (weights.ravel(), nearest.ravel(), starts), shape=(len(nearest), n_labeled)
        )
        mean_proba, mean_negentropy = mean @ self._proba, mean @ self._negentropy
        last, next_one = distances[:, k - 1] ** 2, distances[:, n_found - 1] ** 2
        tied = np.flatnonzero(next_one - last < _ROUNDING)
        if n_found > k and len(tied):
            for part in slices(len(tied), _BLOCK_NUMBERS // n_labeled):
                rows = tied[part]
                shares = self._shares(unit_features[rows], last[rows])
                mean_proba[rows] = shares @ self._proba
                mean_negentropy[rows] = shares @ self._negentropy
        return mean_proba, mean_negentropy

    def _shares(self, unit_features, last):
        """Return weights of labelled rows; those at the `last` distance share them."""
        k = self._n_neighbors
        beyond = euclidean_distances(unit_features, self._unit_features, squared=True)
        beyond -= last[:, None]
        nearer, tied = beyond < -_ROUNDING, abs(beyond) <= _ROUNDING
        places = k - nearer.sum(axis=1, keepdims=True)
        return (nearer + tied * places / tied.sum(axis=1, keepdims=True)) / k


class ContrastiveSampling(BaseStrategy):
    """Query rows that are predicted differently from labelled rows near them.

    Contrastive active learning (CAL) [1]_: the utility is the mean divergence
    KL(neighbour || candidate) of the probabilities of the nearest labelled rows and the
    candidate. Rows that are similar in the embedding but predicted differently lie near
    a boundary that is in doubt.

    The classifier must have `predict_proba`. Time: one prediction, and one search for
    neighbours among the labelled rows for each candidate. Memory: a block of
    candidates, the features of the labelled rows and the utilities.

    :Uses: ``predict_proba``, features
    :Cost of a round: :math:`n m d`
    :Guide: :doc:`/user_guide/contrast`

    Parameters
    ----------
    n_neighbors : int, default=10
        Number of labelled rows with which a candidate is compared; all if there are
        fewer.

    References
    ----------
    .. [1] K. Margatina, G. Vernikos, L. Barrault, N. Aletras. "Active learning by
       acquiring contrastive examples". EMNLP 2021.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import ContrastiveSampling
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=ContrastiveSampling(n_neighbors=5)
    ... )
    """

    _parameter_constraints = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")]
    }

    def __init__(self, n_neighbors=10):
        self.n_neighbors = n_neighbors

    @property
    def needs(self):
        return frozenset({"proba", "embedding"})

    def utility(self, pool):
        known = np.flatnonzero(pool.labeled)
        features = pool.embedding(known)
        labeled = _LabeledRows(pool.predict_proba(known), features, self.n_neighbors)
        size = block_rows(features)
        utility = np.empty(len(pool))
        for positions, block in pool.blocks():
            for part in slices(len(block), size):
                unit = normalize(pool.embedding(block.candidates[part]), copy=False)
                with one_thread():
                    scores = labeled.divergence(block.proba[part], unit)
                utility[positions][part] = scores
        return utility
