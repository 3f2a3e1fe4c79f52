"""BADGE: rows whose gradients are long and point in different directions."""

import numpy as np
from scipy.sparse import issparse

from skactive.acquisition._base import BaseStrategy, candidate_keys
from skactive.acquisition._drawing import draw_one
from skactive.utils._distances import squared_norms
from skactive.utils._rows import as_floats, slices
from skactive.utils._threads import one_thread
from skactive.utils._ties import first_of_best

# More numbers than this are kept as float32, which halves the time of each pass.
_MAX_FLOAT64 = 2**20
# Rows in one block.
_BLOCK_ROWS = 1024


def badge(proba, features, n_queries, *, random_state=None):
    """Choose samples whose gradients are long and point in different directions.

    The gradient g of a sample is that of the last layer's weights, at the label that
    the model predicts: the outer product of ``p - e_y`` and the features, without an
    intercept. The first choice is the sample of the longest gradient, the first of
    equal ones. Each further one is drawn with a probability proportional to the squared
    distance of its gradient to the nearest chosen one, as in k-means++, or uniformly if
    all these distances are 0.

    Gradients are never built, as their distances follow from those of their two
    factors. Each choice takes one pass of O(n_samples (n_classes + n_components)).

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities.

    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        Input of the last layer for each sample.

    n_queries : int
        Number of samples to choose, at most n_samples.

    random_state : int, numpy.random.Generator or None, default=None
        Draws all but the first choice.

    Returns
    -------
    chosen : ndarray of shape (n_queries,), dtype int
        Different positions of samples, in the order of choice.

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    The second and third samples have the same gradient, so one of them is enough:

    >>> from skactive.acquisition.functional import badge
    >>> P = [[0.9, 0.1], [0.6, 0.4], [0.6, 0.4]]
    >>> badge(P, [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], 2, random_state=0)
    array([1, 0])
    """
    features = as_floats(features)
    return _badge(proba, features, n_queries, np.random.default_rng(random_state))


class BADGESampling(BaseStrategy):
    """Query rows whose gradients are long and point in different directions.

    Each candidate is represented by the gradient of the last layer at the label that
    the model predicts [1]_. It is long where the model is uncertain, and k-means++
    seeding on the gradients avoids near duplicates, without a weight between
    uncertainty and diversity. Labelled rows play no part.

    Memory: O(n_candidates (n_classes + n_components)), as float32 if that is much.
    Time: one pass over these numbers for each row of the batch.

    :Uses: ``predict_proba``, features
    :Cost of a round: :math:`b n (K + d)`
    :Batch: yes
    :Guide: :doc:`/user_guide/model_change`

    References
    ----------
    .. [1] J. T. Ash, C. Zhang, A. Krishnamurthy, J. Langford, A. Agarwal. "Deep batch
       active learning by diverse, uncertain gradient lower bounds". ICLR 2020.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy="badge", batch_size=50
    ... )
    """

    @property
    def needs(self):
        return frozenset({"proba", "embedding"})

    def select(self, pool, n_queries):
        rng = np.random.default_rng(pool.random_state)
        features, keys = _EmbeddedRows.of(pool), candidate_keys(pool)
        return pool.candidates[_badge(pool.proba, features, n_queries, rng, keys)]


def _badge(proba, features, n_queries, rng, keys=None):
    """Choose as :func:`badge`; `keys` decide between equally long first choices."""
    with one_thread():
        gradients = _OuterProducts(_errors(proba), features)
        nearest = gradients.squared_norms.copy()
        remaining = np.ones(len(nearest), dtype=bool)
        # A sum of distances up to this is only rounding: all samples left are copies.
        noise = 4 * np.finfo(np.float64).eps * len(nearest) * nearest.max()
        chosen = np.empty(n_queries, dtype=np.intp)
        for i in range(n_queries):
            if i == 0 and nearest.any():
                new = first_of_best(nearest, keys)
            else:
                new = draw_one(nearest, remaining, rng, noise)
            distances = gradients.squared_distances(new)
            if i > 0:
                np.minimum(nearest, distances, out=distances)
            nearest = distances
            nearest[new], remaining[new], chosen[i] = 0.0, False, new
    return chosen


class _EmbeddedRows:
    """The embedding of the candidates, read in blocks and never held as a whole."""

    def __init__(self, pool, n_components):
        self._pool = pool
        self.shape = len(pool), n_components

    @classmethod
    def of(cls, pool):
        """Return the features of the candidates, as blocks wherever possible."""
        first = pool.embedding(pool.candidates[:1])
        if issparse(first) or not pool.embedding_is_fixed:
            return pool.embedding(pool.candidates)
        return cls(pool, first.shape[1])

    def __getitem__(self, rows):
        return self._pool.embedding(self._pool.candidates[rows])


class _OuterProducts:
    """Squared distances between outer products g = a ⊗ h that are never built.

    As <h, h'> is (|h|² + |h'|² - |h - h'|²) / 2,

        |g - g'|² = |g|² + |g'|² - <a, a'> (|h|² + |h'|² - |h - h'|²),

    where |h - h'|² comes from centred features and may be float32, without losing the
    differences of near rows far from the origin.
    """

    def __init__(self, a, h):
        self._h, self._h_norms, self._centered_norms = _centered(h)
        # Reduced by the largest rounding error, so that equal rows have a distance of
        # 0.
        noise = np.finfo(self._h.dtype).eps * (4 + np.sqrt(h.shape[1]) / 2)
        self._centered_norms *= 1 - noise
        # With few columns, the product with a vector is faster in this order.
        self._a = np.asfortranarray(a)
        self.squared_norms = squared_norms(a, np.float64) * self._h_norms

    def squared_distances(self, i):
        """Return the squared distances of all products to the product at position i."""
        center = self._h[[i]].toarray()[0] if issparse(self._h) else self._h[i]
        from_h = self._h @ (-2 * center)
        from_h += self._centered_norms
        from_h += self._centered_norms[i]
        np.maximum(from_h, 0.0, out=from_h)
        out = from_h - self._h_norms
        out -= self._h_norms[i]
        out *= self._a @ self._a[i]
        out += self.squared_norms
        out += self.squared_norms[i]
        return np.maximum(out, 0.0, out=out)


def _centered(features):
    """Return centred and scaled features, and two squared norms of each row.

    The norms are those from the origin, as float64, and from the centre. Sparse
    features are not centred, and are float64. As only ratios of distances matter,
    features may be scaled, which avoids over- and underflow of float32. A sample of the
    rows is enough for a centre and a scale.
    """
    n_samples = features.shape[0]
    sample = features[:: -(-n_samples // _BLOCK_ROWS)]
    scale = np.sqrt(squared_norms(sample, np.float64).mean()) or 1.0
    if issparse(features):
        rows = features.astype(np.float64) / scale
        norms = squared_norms(rows, np.float64)
        return rows, norms, norms.copy()
    is_large = features.shape[0] * features.shape[1] > _MAX_FLOAT64
    dtype = np.float32 if is_large else np.float64
    center = sample.mean(axis=0, dtype=np.float64)
    rows = np.empty(features.shape, dtype=dtype)
    norms, centered_norms = np.empty(n_samples), np.empty(n_samples, dtype=dtype)
    for block in slices(n_samples, _BLOCK_ROWS):
        norms[block] = squared_norms(features[block], np.float64)
        centered = features[block] - center
        centered_norms[block] = squared_norms(centered, np.float64) / scale**2
        np.multiply(centered, 1 / scale, out=rows[block], casting="same_kind")
    return rows, norms / scale**2, centered_norms


def _errors(proba):
    """Return p - e_y for the likeliest class y, the gradient of the logits."""
    errors = np.array(proba, dtype=np.float64)
    errors[np.arange(len(errors)), errors.argmax(axis=1)] -= 1.0
    return errors
