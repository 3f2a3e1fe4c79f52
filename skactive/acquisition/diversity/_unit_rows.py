"""Rows of length one, and their products in blocks."""

import numpy as np
from scipy.sparse import hstack, issparse
from sklearn.preprocessing import normalize
from sklearn.utils import check_array

from skactive.utils._distances import squared_norms
from skactive.utils._rows import slices

# Pools of at most this many rows are computed in float64, larger ones in float32.
_MAX_FLOAT64_ROWS = 2_000

# Bytes of a block of similarities, or of sparse rows made dense.
_BLOCK_BYTES = 4 * 2**20


class UnitRows:
    """Rows of length one, and the products of two sets of them.

    Rows of zeros stay zeros.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        Rows of any length.

    for_distances : bool, default=False
        Whether products are minus half the squared distances instead of cosines.

    smallest : float, default=1.0
        The smallest distance that matters; small ones need float64.
    """

    def __init__(self, features, *, for_distances=False, smallest=1.0):
        values, scale = normalize(_as_floats(features)), 1.0
        self.for_distances = for_distances
        if for_distances:
            if not issparse(values):  # centred sparse rows would be dense
                # Centred, the differences of near rows are not lost in rounding.
                values -= values.mean(axis=0)
            norms = squared_norms(values)
            scale = float(np.sqrt(norms.max(initial=0.0)))
            values = _append(values, np.ones_like(norms), -norms / 2)
        is_fine = values.shape[0] <= _MAX_FLOAT64_ROWS or smallest < 0.1 * scale
        self.dtype = np.dtype(np.float64 if is_fine else np.float32)
        self.values = values.astype(self.dtype, copy=False)
        # Products that differ by less than this may be equal.
        self.resolution = 8 * float(np.finfo(self.dtype).eps) * scale**2

    def __len__(self):
        return self.values.shape[0]

    def products(self, left, right):
        """Return the products of two sets of rows of `values`, C-contiguous."""
        left = left.toarray() if issparse(left) else left
        if self.for_distances:
            # (x, 1, -|x|^2 / 2) times (y, -|y|^2 / 2, 1) is -|x - y|^2 / 2.
            left = np.concatenate([left[:, :-2], left[:, :-3:-1]], axis=1)
        if issparse(right):
            return np.ascontiguousarray((right @ left.T).T)
        return left @ right.T

    def batches(self, n_rows, n_others):
        """Yield slices of `n_rows` rows, whose products with others fill a block."""
        return slices(n_rows, self.block_rows(n_others))

    def block_rows(self, n_others):
        """Return the number of rows whose products with others fill a block."""
        if issparse(self.values):
            n_others = max(n_others, self.values.shape[1])
        return max(16, _BLOCK_BYTES // (self.dtype.itemsize * max(n_others, 1)))


class LiftedRows(UnitRows):
    """Sparse rows as seen from a centre, scaled to length one; never made dense.

    A row x represents (x - center, height). Products of these follow from products of
    the rows and the centre: ``x.y - x.center - center.y + |center|^2 + height^2``. So
    the direction of a row also says how far from the centre it is.

    Parameters
    ----------
    features : sparse matrix of shape (n_samples, n_components)
        Rows.

    center : ndarray of shape (n_components,)
        The point from which the rows are seen.

    height : float
        The coordinate that is added to all rows, larger than 0.
    """

    def __init__(self, features, center, height):
        self.for_distances = True
        self.dtype = np.dtype(np.float64)  # most digits cancel near the centre
        self.resolution = 8 * float(np.finfo(self.dtype).eps)
        features = features.tocsr().astype(self.dtype)
        self._constant = float(center @ center) + height**2
        across = features @ center
        squares = squared_norms(features) - 2 * across + self._constant
        values = _append(features, across, np.ones_like(across))
        # Rounding aside, no row is shorter than its last coordinate.
        lengths = np.sqrt(np.maximum(squares, height**2))
        self.values = values.multiply(1 / lengths[:, None]).tocsr()

    def products(self, left, right):
        """Return minus half the squared distances of two sets of rows of `values`."""
        left = left.toarray()
        across, one = left[:, -2].copy(), left[:, -1].copy()
        # (x, -1, |center|^2 + height^2 - x.center) times (y, y.center, 1).
        left[:, -2], left[:, -1] = -one, self._constant * one - across
        return np.ascontiguousarray((right @ left.T).T) - 1.0


def _as_floats(features):
    features = check_array(
        features, accept_sparse="csr", dtype=[np.float64, np.float32], copy=False
    )
    if features.shape[0] <= _MAX_FLOAT64_ROWS:
        features = features.astype(np.float64, copy=False)
    return features


def _append(values, *columns):
    columns = np.column_stack(columns).astype(values.dtype)
    if issparse(values):
        return hstack([values, columns], format="csr")
    return np.concatenate([values, columns], axis=1)
