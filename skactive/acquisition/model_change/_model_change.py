"""Expected change of the model: gradients of its last layer, and how they differ.

A label moves the model by a gradient. Long expected gradients are worth a label, and
rows whose gradients point into different directions make a batch.
"""

from numbers import Real

import numpy as np
from scipy.sparse import issparse
from scipy.spatial.distance import cdist
from sklearn.utils import gen_batches

from skactive.acquisition._base import BaseStrategy, candidate_keys
from skactive.acquisition.uncertainty._uncertainty import margin
from skactive.utils._rows import as_floats
from skactive.utils._sklearn import Interval
from skactive.utils._threads import one_thread
from skactive.utils._ties import first_of_best

# More numbers than this are kept as float32: half as much to read in each pass.
_MAX_FLOAT64 = 2**20

# Probabilities that differ by less differ by rounding.
_ROUNDING = 1e-12

# Rows that are centred, and weights that are summed, in one go.
_BLOCK_ROWS = 1024


def expected_gradient_length(proba, features, *, fit_intercept=True):
    """Return the expected length of the gradient that a label would give.

    For a softmax output layer the gradient of the log loss at the label y is the outer
    product of ``p - e_y`` and the features h, with a 1 appended for the intercept. Its
    length is ``|p - e_y| * |h|``, and the expectation over y is taken with p itself.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities.

    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        What the output layer sees of each sample.

    fit_intercept : bool, default=True
        Whether the output layer has an intercept.

    Returns
    -------
    utility : ndarray of shape (n_samples,)
        At least 0, in the unit of the features; 0 where a class is certain.

    References
    ----------
    .. [1] B. Settles, M. Craven, S. Ray. "Multiple-instance active learning". NeurIPS
       2007.
    .. [2] B. Settles, M. Craven. "An analysis of active learning strategies for
       sequence labeling tasks". EMNLP 2008.

    Examples
    --------
    >>> from skactive.acquisition import expected_gradient_length
    >>> expected_gradient_length([[0.6, 0.3, 0.1]], [[1.0, 2.0]]).round(4)
    array([1.7058])
    """
    norms = _squared_norms(features)
    return _expected_error_length(proba) * np.sqrt(norms + bool(fit_intercept))


def badge(proba, features, n_queries, *, random_state=None):
    """Choose samples whose gradients are long and point into different directions.

    The gradient g of a sample is that of the last layer's weights, at the label that
    the model predicts: the outer product of ``p - e_y`` and the features, without an
    intercept. The first choice is the longest gradient, of equals the first one; each
    further one is drawn with a probability proportional to the squared distance of g to
    the nearest chosen one, as k-means++ does. Where all these distances are 0, it is
    drawn uniformly.

    Gradients are never built: their distances follow from those of their two factors,
    one pass of O(n_samples (n_classes + n_components)) for each choice.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities.

    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        What the last layer sees of each sample.

    n_queries : int
        How many samples to choose, at most n_samples.

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
    The second and the third row have the same gradient, so one of them is enough:

    >>> from skactive.acquisition import badge
    >>> P = [[0.9, 0.1], [0.6, 0.4], [0.6, 0.4]]
    >>> badge(P, [[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]], 2, random_state=0)
    array([1, 0])
    """
    features = as_floats(features)
    return _badge(proba, features, n_queries, np.random.default_rng(random_state))


def _badge(proba, features, n_queries, rng, keys=None):
    """Choose as :func:`badge` does; `keys` say which of the longest comes first."""
    with one_thread():
        gradients = _OuterProducts(_errors(proba), features)
        nearest = gradients.squared_norms.copy()
        remaining = np.ones(len(nearest), dtype=bool)
        noise = 4 * np.finfo(np.float64).eps * len(nearest) * nearest.max()
        chosen = np.empty(n_queries, dtype=np.intp)
        for i in range(n_queries):
            if i == 0 and nearest.any():
                new = first_of_best(nearest, keys)
            else:
                new = _draw(nearest, remaining, rng, noise)
            distances = gradients.squared_distances(new)
            if i > 0:
                np.minimum(nearest, distances, out=distances)
            nearest = distances
            nearest[new], remaining[new], chosen[i] = 0.0, False, new
    return chosen


def falcun(proba, n_queries, *, gamma=10.0, random_state=None):
    """Choose samples that are uncertain and have different probabilities.

    The relevance of a sample is its uncertainty, ``1 - (P1 - P2)``, plus its diversity.
    The diversity is the uncertainty at first and then, if that is less, the Manhattan
    distance between the probabilities of the sample and of the nearest chosen one; it
    is stretched to [0, 1] over the samples that are left. A sample is drawn with a
    probability proportional to ``relevance ** gamma``.

    The order of normalizing and of taking minima follows the code of the authors:
    minima are taken of distances as they are.

    Parameters
    ----------
    proba : array-like of shape (n_samples, n_classes)
        Probabilities.

    n_queries : int
        How many samples to choose, at most n_samples.

    gamma : float, default=10.0
        0 draws uniformly; the larger, the surer are the most relevant samples chosen.

    random_state : int, numpy.random.Generator or None, default=None
        Draws the samples.

    Returns
    -------
    chosen : ndarray of shape (n_queries,), dtype int
        Different positions of samples, in the order of choice.

    References
    ----------
    .. [1] S. Gilhuber, A. Beer, Y. Ma, T. Seidl. "FALCUN: A simple and efficient deep
       active learning strategy". ECML PKDD 2024.

    Examples
    --------
    >>> from skactive.acquisition import falcun
    >>> falcun([[0.9, 0.1], [0.5, 0.5], [0.5, 0.5]], 1, gamma=100, random_state=0)
    array([2])
    """
    rng = np.random.default_rng(random_state)
    proba = np.asarray(proba, dtype=np.float64)
    uncertainty = margin(proba)
    diversity = uncertainty.copy()
    remaining = np.ones(len(proba), dtype=bool)
    chosen = np.empty(n_queries, dtype=np.intp)
    for i in range(n_queries):
        weights = _relevance(uncertainty, diversity, remaining, gamma)
        new = chosen[i] = _draw(weights, remaining, rng)
        remaining[new] = False
        distances = cdist(proba, proba[[new]], "cityblock").ravel()
        np.minimum(diversity, distances, out=diversity)
    return chosen


class ExpectedGradientLengthSampling(BaseStrategy):
    """Ask the rows whose label is expected to change the model most.

    The change is the length of the gradient of the log loss with respect to the
    weights of a softmax output layer on top of the rows' embedding [1]_, which is what
    a logistic regression is. The label is unknown, so its expectation is taken.

    The lengths of the embedded rows are kept as long as the embedding stays the same.

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

    def __getstate__(self):
        # What is kept for the next round does not belong into a pickle: it holds X.
        kept = ("X_", "squared_norms_")
        state = super().__getstate__()
        return {name: value for name, value in state.items() if name not in kept}

    @property
    def needs(self):
        return frozenset({"proba", "embedding"})

    def utility(self, pool):
        norms = self._squared_norms(pool)
        lengths = np.sqrt(norms + bool(self.fit_intercept))
        return _expected_error_length(pool.proba) * lengths

    def _squared_norms(self, pool):
        rows = pool.candidates
        if not pool.embedding_is_fixed:
            return _squared_norms(pool.embedding(rows))
        if getattr(self, "X_", None) is not pool.X:
            n_samples = len(pool.y)
            norms = np.empty(n_samples)
            for block in gen_batches(n_samples, _BLOCK_ROWS):
                norms[block] = _squared_norms(pool.embedding(block))
            self.X_, self.squared_norms_ = pool.X, norms
        return self.squared_norms_[rows]


class BADGESampling(BaseStrategy):
    """Ask rows whose gradients are long and point into different directions.

    Each candidate is represented by the gradient of the last layer at the label that
    the model predicts [1]_. It is long where the model is uncertain, and k-means++
    seeding on the gradients avoids near duplicates: no weight has to be chosen between
    uncertainty and diversity. Rows that are labelled already play no part.

    Memory: O(n_candidates (n_classes + n_components)), as float32 where it is much.
    Time: one pass over these numbers for each row of the batch.

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


class FALCUNSampling(BaseStrategy):
    """Ask rows that are uncertain and differ in their probabilities.

    Like BADGE it draws a batch that is uncertain and diverse, but it looks at the
    probabilities alone [1]_: it needs no embedding, and is fast with few classes.
    The batch begins with uncertain rows, and diversity counts more and more.

    Memory: O(n_candidates n_classes). Time: one pass over the probabilities for each
    row of the batch.

    Parameters
    ----------
    gamma : float, default=10.0
        0 asks at random; the larger, the surer are the most relevant rows asked.

    References
    ----------
    .. [1] S. Gilhuber, A. Beer, Y. Ma, T. Seidl. "FALCUN: A simple and efficient deep
       active learning strategy". ECML PKDD 2024.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import FALCUNSampling
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=FALCUNSampling(gamma=5), batch_size=50
    ... )
    """

    _parameter_constraints = {"gamma": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, gamma=10.0):
        self.gamma = gamma

    @property
    def needs(self):
        return frozenset({"proba"})

    def select(self, pool, n_queries):
        return pool.candidates[
            falcun(
                pool.proba, n_queries, gamma=self.gamma, random_state=pool.random_state
            )
        ]


class _EmbeddedRows:
    """The embedding of the candidates, read in blocks: it is never held at once."""

    def __init__(self, pool, n_components):
        self._pool = pool
        self.shape = len(pool), n_components

    @classmethod
    def of(cls, pool):
        """Return the candidates' features: these rows, or an array where it must be."""
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

    where |h - h'|² comes from centred features and may be float32: what distinguishes
    near rows far from the origin is not lost.
    """

    def __init__(self, a, h):
        self._h, self._h_norms, self._centered_norms = _centered(h)
        # As much less as rounding errors can be: equal rows have a distance of 0.
        noise = np.finfo(self._h.dtype).eps * (4 + np.sqrt(h.shape[1]) / 2)
        self._centered_norms *= 1 - noise
        # Few columns: the product with a vector is faster along the rows of a.T.
        self._a = np.asfortranarray(a)
        self.squared_norms = _squared_norms(a) * self._h_norms

    def squared_distances(self, i):
        """Return the squared distances of all products to that of position i."""
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
    """Return scaled features from a centre, and two norms of each row.

    Returns the features from the centre, their squared norms from the origin (float64)
    and from the centre. Sparse features stay where they are, as float64. As only ratios
    of distances matter, scaling is free; it keeps float32 from over- and underflow. A
    sample of the rows is enough for a centre and a scale.
    """
    n_samples = features.shape[0]
    sample = features[:: -(-n_samples // _BLOCK_ROWS)]
    scale = np.sqrt(_squared_norms(sample).mean()) or 1.0
    if issparse(features):
        rows = features.astype(np.float64) / scale
        norms = _squared_norms(rows)
        return rows, norms, norms.copy()
    is_large = features.shape[0] * features.shape[1] > _MAX_FLOAT64
    dtype = np.float32 if is_large else np.float64
    center = sample.mean(axis=0, dtype=np.float64)
    rows = np.empty(features.shape, dtype=dtype)
    norms, centered_norms = np.empty(n_samples), np.empty(n_samples, dtype=dtype)
    for block in gen_batches(n_samples, _BLOCK_ROWS):
        norms[block] = _squared_norms(features[block])
        centered = features[block] - center
        centered_norms[block] = _squared_norms(centered) / scale**2
        np.multiply(centered, 1 / scale, out=rows[block], casting="same_kind")
    return rows, norms / scale**2, centered_norms


def _squared_norms(features):
    """Return the squared length of each row, as float64."""
    if issparse(features):
        squares = features.astype(np.float64).power(2)
        return np.asarray(squares.sum(axis=1)).ravel()
    return np.einsum("ij,ij->i", features, features, dtype=np.float64, casting="safe")


def _errors(proba):
    """Return p - e_y for the likeliest class y, the error if y is true."""
    errors = np.array(proba, dtype=np.float64)
    errors[np.arange(len(errors)), errors.argmax(axis=1)] -= 1.0
    return errors


def _expected_error_length(proba):
    """Return the expected length of p - e_y for a label y drawn from p."""
    columns = np.ascontiguousarray(np.transpose(proba), dtype=np.float64)
    largest, others = columns[0].copy(), np.zeros(columns.shape[1])
    for column in columns[1:]:
        others += np.minimum(largest, column) ** 2
        np.maximum(largest, column, out=largest)
    # |p - e_y|² is |p|² + 1 - 2 p_y, which is all rounding where p_y is nearly 1: the
    # term of the largest p_y is taken out again, and replaced by one that is exact.
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


def _relevance(uncertainty, diversity, remaining, gamma):
    """Return ``relevance ** gamma`` up to a factor, and 0 for chosen samples."""
    left = diversity[remaining]
    low, high = left.min(), left.max()
    relevance = diversity - low
    # What is rounding is not stretched.
    relevance /= high - low if high > low + _ROUNDING else 1.0
    relevance += uncertainty
    relevance *= remaining
    # Dividing by the largest keeps powers from overflow.
    largest = relevance.max()
    weights = (relevance / largest) ** gamma if largest > 0 else relevance
    weights *= remaining  # 0 ** 0 is 1
    return weights


def _draw(weights, remaining, rng, noise=0.0):
    """Draw a position by its weight; uniformly from the remaining if these are 0.

    A sum of weights that is not above the `noise` counts as 0.
    """
    starts = np.arange(0, len(weights), _BLOCK_ROWS)
    ends = np.cumsum(np.add.reduceat(weights, starts))
    if ends[-1] <= noise:
        weights = remaining.astype(np.float64)
        ends = np.cumsum(np.add.reduceat(weights, starts))
    target = rng.random() * ends[-1]
    block = np.searchsorted(ends, target, side="right")
    start = starts[block]
    within = np.cumsum(weights[start : start + _BLOCK_ROWS])
    if block > 0:
        target -= ends[block - 1]
    # The block may sum up to a little less here than there.
    target = min(target, np.nextafter(within[-1], 0))
    return start + np.searchsorted(within, target, side="right")
