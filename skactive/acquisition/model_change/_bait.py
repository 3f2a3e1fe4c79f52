"""BAIT: rows whose Fisher information covers that of the pool.

The information of a sample about the weights of a softmax layer, ``(diag p - p pᵀ) ⊗ h
hᵀ``, is 0 in one direction: the same vector may be added to the weights of all classes.
Matrices are therefore in coordinates without this direction, ``n_classes - 1`` of them
for each feature. Traces of products with an information matrix are the same.
"""

from math import isqrt
from numbers import Integral, Real

import numpy as np
from scipy.linalg import helmert, solve_triangular
from scipy.sparse import issparse
from sklearn.random_projection import GaussianRandomProjection

from skactive.acquisition._base import BaseStrategy
from skactive.utils._rows import block_rows, slices
from skactive.utils._sklearn import Interval
from skactive.utils._threads import one_thread
from skactive.utils._ties import first_of_best, in_order

# No array holds more numbers than this: 256 MiB.
_MAX_NUMBERS = 2**25

# When the largest gain has fallen to this share, matrices are computed anew: small
# gains would otherwise be lost in the rounding errors of large ones.
_REFRESH_SHARE = 1e-6

_EPS = np.finfo(np.float64).eps

# Numbers in the arrays of one block of rows: 8 MiB.
_BLOCK_NUMBERS = 2**20


def bait(proba, features, n_queries, *, labeled=None, candidates=None, reg=1.0):
    """Choose samples that reduce the expected error of a softmax layer everywhere.

    The error over all samples is bounded by ``trace(inv(M) @ F)``, where F is the sum
    of the Fisher information of all samples, and M is ``reg`` times the identity plus
    the sum over labelled and chosen samples. Twice ``n_queries`` samples are chosen
    greedily; then those that matter least are removed one by one.

    The sums are those of the paper's objective; the authors' code weights labelled and
    chosen samples by their numbers instead. A step updates its matrices in
    O(n_candidates n_classes² (n_components + n_classes)); the sum F takes O(n_samples
    (n_classes n_components)²) once. Memory: O(n_candidates n_classes² + (n_classes
    n_components)²).

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities of all samples by the current model, labelled ones included.

    features : array-like of shape (n_samples, n_components)
        Input of the softmax layer for each sample.

    n_queries : int
        Number of samples to choose, at most the number of candidates.

    labeled : array-like of shape (n_samples,), dtype bool, default=None
        Mask of the samples whose label is known; none if None.

    candidates : array-like of int, default=None
        Positions of the samples to choose from; those without a label if None.

    reg : float, default=1.0
        Weight of the identity, whose meaning depends on the scale of the features.

    Returns
    -------
    chosen : ndarray of shape (n_queries,), dtype int
        Different positions of samples, in the order of the greedy choice.

    Raises
    ------
    ValueError
        If there are fewer than two classes.

    References
    ----------
    .. [1] J. T. Ash, S. Goel, A. Krishnamurthy, S. Kakade. "Gone fishing: neural active
       learning with Fisher embeddings". NeurIPS 2021.

    Examples
    --------
    Two samples are far out on each of two axes; one on each axis is enough:

    >>> from skactive.acquisition.functional import bait
    >>> H = [[3.0, 0.0], [2.9, 0.0], [0.0, 2.0], [0.0, 1.9], [0.5, 0.5]]
    >>> bait([[0.5, 0.5]] * 5, H, 2)
    array([0, 2])
    """
    proba = np.asarray(proba, dtype=np.float64)
    features = np.asarray(features, dtype=np.float64)
    if proba.shape[1] < 2:
        raise ValueError(
            f"proba must have a column for each of at least two classes, got an array "
            f"of shape {proba.shape}."
        )
    labeled = np.zeros(len(proba), bool) if labeled is None else np.asarray(labeled)
    if candidates is None:
        candidates = np.flatnonzero(~labeled)
    candidates = np.asarray(candidates)
    with one_thread():
        known = _no_information(proba.shape[1], features.shape[1])
        _add_information(known, proba[labeled], features[labeled])
        total = known.copy()
        _add_information(total, proba[~labeled], features[~labeled])
        search = _TraceSearch(
            total, known, reg, proba[candidates], features[candidates]
        )
        return candidates[search.select(n_queries)]


class BAITSampling(BaseStrategy):
    """Query rows whose Fisher information covers that of all rows.

    The error of a softmax layer, fitted to the labelled rows and the batch, is bounded
    by a trace of their Fisher information and that of all rows; the batch is chosen to
    make it small [1]_. Unlike most ways to choose a batch, it takes known rows into
    account. Rows that were queried without an answer count as known; otherwise rows
    next to them would be queried again and again.

    Time: O(n_candidates n_classes² (n_components + n_classes)) for each of three times
    the rows of a batch, and O(n_samples (n_classes n_components)²) once. Memory:
    O(n_candidates n_classes² + (n_classes n_components)²). It is for up to some dozens
    of classes: from 59 classes on, both limits below are lowered so that no array holds
    more than 2**25 numbers (256 MiB).

    :Uses: ``predict_proba``, features
    :Cost of a round: :math:`b n K^2 d^2`
    :Batch: yes
    :Guide: :doc:`/user_guide/model_change`

    Parameters
    ----------
    reg : float, default=1.0
        Weight of the identity that is added to the information of the known rows: the
        inverse variance of a Gaussian prior of the weights, so its meaning depends on
        the scale of the features.

    max_candidates : int, default=10_000
        Of more candidates, a random sample of this size, at least twice the batch, may
        be queried. The information of all rows is still summed.

    max_components : int, default=100
        More features than this are projected to this number by a random Gaussian
        matrix.

    References
    ----------
    .. [1] J. T. Ash, S. Goel, A. Krishnamurthy, S. Kakade. "Gone fishing: neural active
       learning with Fisher embeddings". NeurIPS 2021.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import BAITSampling
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=BAITSampling(max_candidates=2000)
    ... )
    """

    _parameter_constraints = {
        "reg": [Interval(Real, 0, None, closed="neither")],
        "max_candidates": [Interval(Integral, 1, None, closed="left")],
        "max_components": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, reg=1.0, *, max_candidates=10_000, max_components=100):
        self.reg = reg
        self.max_candidates = max_candidates
        self.max_components = max_components

    @property
    def needs(self):
        return frozenset({"proba", "embedding"})

    def select(self, pool, n_queries):
        candidates, n_classes = pool.candidates, len(pool.classes)
        if n_queries >= len(candidates):
            return candidates.copy()
        known = pool.labeled | pool.asked
        others = ~known
        others[candidates] = False
        embedding = _DenseEmbedding(pool, self.max_components)
        with one_thread():
            fisher = _no_information(n_classes, embedding.n_components)
            for rows, features in embedding.blocks(np.flatnonzero(known)):
                _add_information(fisher, pool.predict_proba(rows), features)
            total = fisher.copy()
            for rows, features in embedding.blocks(np.flatnonzero(others)):
                _add_information(total, pool.predict_proba(rows), features)
            for rows, features in embedding.blocks(candidates):
                proba = pool.proba[np.searchsorted(candidates, rows)]
                _add_information(total, proba, features)
            # The search takes the first of equal rows, so they come in random order.
            sampled = self._sample(pool, n_queries)
            sampled = sampled[in_order(pool.tie_keys(candidates[sampled]))]
            blocks = embedding.blocks(candidates[sampled])
            features = np.concatenate([features for _, features in blocks])
            search = _TraceSearch(
                total, fisher, self.reg, pool.proba[sampled], features
            )
            return candidates[sampled[search.select(n_queries)]]

    def _sample(self, pool, n_queries):
        """Return the positions of the candidates that may be chosen."""
        n_candidates, n_free = len(pool.candidates), len(pool.classes) - 1
        limit = min(self.max_candidates, _MAX_NUMBERS // n_free**2)
        size = max(limit, 2 * n_queries)
        if n_candidates <= size:
            return np.arange(n_candidates)
        rng = np.random.default_rng(pool.random_state)
        return np.sort(rng.choice(n_candidates, size, replace=False))


class _DenseEmbedding:
    """Rows of a pool as dense features, projected if these are too many."""

    def __init__(self, pool, max_components):
        self._pool, self._projection = pool, None
        row = pool.embedding(pool.candidates[:1])
        self._block_rows = block_rows(row)
        most = isqrt(_MAX_NUMBERS) // (len(pool.classes) - 1)
        self.n_components = min(row.shape[1], max_components, max(1, most))
        if self.n_components < row.shape[1]:
            self._projection = GaussianRandomProjection(
                self.n_components, random_state=pool.random_state
            ).fit(row)

    def blocks(self, rows):
        """Yield row numbers and their features, block by block."""
        for block in slices(len(rows), self._block_rows):
            features = self._pool.embedding(rows[block])
            if self._projection is not None:
                features = self._projection.transform(features)
            if issparse(features):
                features = features.toarray()
            yield rows[block], features.astype(np.float64, copy=False)


class _TraceSearch:
    """Greedy search for the rows that minimise trace(inv(M) @ total).

    For A = inv(M), a candidate with the information ``S ⊗ h hᵀ`` changes the trace by
    ``trace(S inv(I + G S) B)``, where G and B are the small matrices that the blocks of
    A and of ``A @ total @ A`` give with h on both sides.
    """

    def __init__(self, total, known, reg, proba, features):
        self._total, self._features = total, features
        self._total_root = _square_roots(total)
        self._weights = _class_information(proba)
        # A smaller value would be lost in the rounding errors of the features.
        reg = max(reg, 8 * _EPS * (features**2).sum(axis=1).max())
        self._matrix = known + reg * np.eye(len(known))

    def select(self, n_queries):
        """Return positions of rows: choose twice their number, then remove half."""
        self._refresh()
        chosen, most = [], self._gains([]).max()
        for _ in range(min(2 * n_queries, len(self._features))):
            gains = self._gains(chosen)
            if gains.max() < _REFRESH_SHARE * most:
                self._refresh()
                gains = self._gains(chosen)
                most = gains.max()
            chosen.append(first_of_best(gains))
            self._change(chosen[-1], 1)
        chosen = np.array(chosen)
        self._features, self._weights = self._features[chosen], self._weights[chosen]
        self._refresh()
        left = np.ones(len(chosen), dtype=bool)
        for _ in range(len(chosen) - n_queries):
            losses = self._losses()
            losses[~left] = np.inf
            removed = first_of_best(-losses)
            left[removed] = False
            self._change(removed, -1)
        return chosen[left]

    def _refresh(self):
        """Compute A, G and B anew, without the rounding errors of earlier steps.

        Both are computed as squares of factors: an explicit ``A @ total @ A`` would
        lose its small entries, which are those of the well-known directions.
        """
        matrix, size = self._matrix.copy(), len(self._matrix)
        # A change within its rounding errors makes it positive definite.
        np.fill_diagonal(matrix, matrix.diagonal() * (1 + 10 * size * _EPS))
        root = solve_triangular(np.linalg.cholesky(matrix), np.eye(size), lower=True)
        self._inverse = root.T @ root
        self._g = self._squares(root.T)
        self._b = self._squares(root.T @ (root @ self._total_root))

    def _squares(self, factor):
        n_free = self._weights.shape[1]
        out = np.empty_like(self._weights)
        for rows in slices(len(out), _BLOCK_NUMBERS // (n_free * len(factor))):
            products = _products(self._features[rows], factor)
            out[rows] = products @ products.transpose(0, 2, 1)
        return out

    def _gains(self, chosen):
        """Return the decrease of the trace with each row that is not chosen."""
        gains = np.empty(len(self._features))
        for rows in self._row_blocks():
            weights = self._weights[rows]
            inner = self._g[rows] @ weights
            inner += np.eye(inner.shape[1])
            solved = np.linalg.solve(inner, self._b[rows])
            gains[rows] = np.einsum("nij,nji->n", weights, solved)
        gains[chosen] = -np.inf
        return gains

    def _losses(self):
        """Return the increase of the trace without each row."""
        roots = _square_roots(self._weights)
        shares, vectors = np.linalg.eigh(roots @ self._g @ roots)
        vectors = roots @ vectors
        parts = (vectors * (self._b @ vectors)).sum(axis=1)
        return (parts / _positive(1 - shares)).sum(axis=1)

    def _change(self, row, sign):
        """Add (sign 1) or remove (sign -1) the information of a row."""
        weights, h = self._weights[row], self._features[row]
        (n_free, _), n_features = weights.shape, len(h)
        self._matrix += sign * np.kron(weights, np.outer(h, h))
        # Woodbury: A changes by -sign * u @ u.T.
        root = _square_roots(weights)
        image = self._inverse.reshape(-1, n_free, n_features) @ h @ root
        inner = root @ (h @ image.reshape(n_free, n_features, n_free))
        values, vectors = np.linalg.eigh(np.eye(n_free) + sign * inner)
        u = image @ vectors / np.sqrt(_positive(values))
        total_u = self._total @ u
        w = self._inverse @ total_u - sign * 0.5 * u @ (u.T @ total_u)
        self._inverse -= sign * u @ u.T
        for rows in self._row_blocks():
            t, x = (_products(self._features[rows], factor) for factor in (u, w))
            self._g[rows] -= sign * (t @ t.transpose(0, 2, 1))
            cross = sign * (t @ x.transpose(0, 2, 1))
            self._b[rows] -= cross + cross.transpose(0, 2, 1)

    def _row_blocks(self):
        return slices(len(self._features), _BLOCK_NUMBERS // self._weights[0].size)


def _no_information(n_classes, n_components):
    size = (n_classes - 1) * n_components
    return np.zeros((size, size))


def _add_information(matrix, proba, features):
    """Add the Fisher information of samples to a matrix, in place."""
    n_features, n_classes = features.shape[1], proba.shape[1]
    parts = matrix.reshape(n_classes - 1, n_features, n_classes - 1, n_features)
    size = _BLOCK_NUMBERS // max(n_features, n_classes**2)
    for rows in slices(len(proba), size):
        weights, h = _class_information(proba[rows]), features[rows]
        for i in range(n_classes - 1):
            for j in range(i + 1):
                part = (h * weights[:, i, j, None]).T @ h
                parts[i, :, j] += part
                if i != j:
                    parts[j, :, i] += part


def _class_information(proba):
    """Return diag p - p pᵀ of each sample, without the direction in which it is 0.

    It is a sum of squares, p_y (e_y - p)(e_y - p)ᵀ: nothing cancels if p is certain.
    """
    basis = helmert(proba.shape[1]).T
    factors = basis - (proba @ basis)[:, None]
    factors *= np.sqrt(proba)[:, :, None]
    return factors.transpose(0, 2, 1) @ factors


def _products(features, factor):
    """Return hᵀ F for each row h and all blocks F, of n_features rows, of a matrix."""
    n_samples, n_features = features.shape
    blocks = factor.reshape(-1, n_features, factor.shape[1]).transpose(1, 0, 2)
    products = features @ blocks.reshape(n_features, -1)
    return products.reshape(n_samples, -1, factor.shape[1])


def _square_roots(matrices):
    """Return symmetric square roots of positive semi-definite matrices."""
    values, vectors = np.linalg.eigh(matrices)
    roots = np.sqrt(np.maximum(values, 0.0))
    return (vectors * roots[..., None, :]) @ np.swapaxes(vectors, -1, -2)


def _positive(values):
    return np.maximum(values, _EPS)
