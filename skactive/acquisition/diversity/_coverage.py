"""What strategies that cover the pool share: unit rows in blocks, a lazy greedy."""

import numpy as np
from scipy.sparse import hstack, issparse
from sklearn.preprocessing import normalize
from sklearn.utils import check_array

# Pools of at most so many rows are computed in float64, larger ones in float32.
_MAX_FLOAT64_ROWS = 2_000

# A block of similarities, or of sparse rows made dense, holds about so many bytes.
_BLOCK_BYTES = 4 * 2**20

# Gains that are so close to the largest, relatively, count as equal to it.
_TIES = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-6}
_MAX_TIE = 1e-6


class UnitRows:
    """Rows of length one, and what all products of two sets of them are.

    Rows of zeros stay zeros.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        Rows of any length.

    for_distances : bool, default=False
        Whether products are minus half the squared distances, rather than cosines.

    smallest : float, default=1.0
        The smallest distance that matters; float32 does not do for small ones.
    """

    def __init__(self, features, *, for_distances=False, smallest=1.0):
        values, scale = normalize(_as_floats(features)), 1.0
        self.for_distances = for_distances
        if for_distances:
            if not issparse(values):  # to centre sparse rows would make them dense
                # Differences of rows that are close together survive rounding.
                values -= values.mean(axis=0)
            norms = _squared_norms(values)
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
        """Return for how many rows the products with others fill a block."""
        if issparse(self.values):
            n_others = max(n_others, self.values.shape[1])
        return max(16, _BLOCK_BYTES // (self.dtype.itemsize * max(n_others, 1)))


class LiftedRows(UnitRows):
    """Sparse rows as seen from a centre, scaled to length one; never made dense.

    A row x stands for (x - center, height), whose products are those of the rows
    themselves and of the centre: ``x.y - x.center - center.y + |center|^2 + height^2``.
    Its distance from the centre is so written into its direction.

    Parameters
    ----------
    features : sparse matrix of shape (n_samples, n_components)
        Rows.

    center : ndarray of shape (n_components,)
        The point from which they are seen.

    height : float
        The coordinate that all rows get, larger than 0.
    """

    def __init__(self, features, center, height):
        self.for_distances = True
        self.dtype = np.dtype(np.float64)  # near the centre most digits cancel
        self.resolution = 8 * float(np.finfo(self.dtype).eps)
        features = features.tocsr().astype(self.dtype)
        self._constant = float(center @ center) + height**2
        across = features @ center
        squares = _squared_norms(features) - 2 * across + self._constant
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


class Cover:
    """How well the rows chosen so far cover each target: the largest similarity.

    Parameters
    ----------
    rows : UnitRows
        All rows.

    targets : ndarray of int
        The rows to be covered.

    transform : callable or None, default=None
        Turns a block of products into similarities in place; None leaves them.

    weights : ndarray of shape (n_targets,) or None, default=None
        What it is worth to cover each target; 1 if None.

    noise : float, default=0.0
        How much of a similarity may be the rounding of a product.
    """

    def __init__(self, rows, targets, *, transform=None, weights=None, noise=0.0):
        self._rows = rows
        self._targets = rows.values[targets]
        self._transform = transform
        self._weights = None if weights is None else weights.astype(rows.dtype)
        total = len(targets) if weights is None else weights.sum()
        self.tie = min(max(_TIES[rows.dtype], noise), _MAX_TIE)
        # A smaller gain is nothing but rounding.
        self._least = float(np.finfo(rows.dtype).eps * total)
        self._level = np.zeros(len(targets), dtype=rows.dtype)

    def add(self, centers):
        """Choose some rows; return the similarities before."""
        before = self._level.copy()
        for batch in self._rows.batches(len(centers), len(before)):
            block = self._similarities(centers[batch], self._targets)
            np.maximum(self._level, block.max(axis=0), out=self._level)
        return before

    def gains(self, candidates):
        """Return by how much each row would raise the sum of similarities."""
        gains = self._rises(candidates, slice(None), self._level)
        gains[gains < self._least] = 0.0
        return gains

    def share_raised(self, before):
        """Return the share of the targets covered better than before."""
        return np.count_nonzero(self._level > before) / max(len(before), 1)

    def lower(self, bounds, candidates, before):
        """Take from bounds of gains what rows chosen since have taken from them."""
        raised = np.flatnonzero(self._level > before)
        low, high = before[raised], self._level[raised]
        lost = self._rises(candidates, raised, low, high - low)
        return np.maximum(bounds - (1 - self.tie) * lost, self._least)

    def _rises(self, candidates, columns, low, height=None):
        """Sum up by how much rows are above a level, up to a height."""
        targets, sums = self._targets[columns], np.empty(len(candidates))
        for batch in self._rows.batches(len(candidates), len(low)):
            block = self._similarities(candidates[batch], targets)
            block -= low
            np.maximum(block, 0, out=block)
            if height is not None:
                np.minimum(block, height, out=block)
            if self._weights is not None:
                block *= self._weights[columns]
            sums[batch] = block.sum(axis=1)
        return sums

    def _similarities(self, rows, targets):
        block = self._rows.products(self._rows.values[rows], targets)
        if self._transform is not None:
            self._transform(block)
        return block


def choose_greedily(cover, candidates, n_queries):
    """Choose the row of largest gain, again and again.

    Gains only fall as rows are chosen, so that old ones are upper bounds; they are
    computed anew only where they might still be the largest [1]_.

    Parameters
    ----------
    cover : Cover
        What is covered already; it is changed.

    candidates : ndarray of int
        The rows that may be chosen.

    n_queries : int
        How many to choose.

    Returns
    -------
    chosen : ndarray of shape (n_queries,), dtype int
        Candidates, in the order in which they were chosen. Of equals, the first.

    References
    ----------
    .. [1] M. Minoux. "Accelerated greedy algorithms for maximizing submodular set
       functions". Optimization Techniques, 1978.
    """
    bounds, chosen, was_lowered = cover.gains(candidates), [], False
    while True:
        first = int(np.argmax(bounds >= bounds.max() * (1 - cover.tie)))
        chosen.append(candidates[first])
        if len(chosen) == n_queries:
            return np.array(chosen, dtype=np.intp)
        bounds[first] = -np.inf
        before = cover.add(candidates[[first]])
        was_lowered = _tighten(bounds, cover, candidates, before, was_lowered)


def _tighten(bounds, cover, candidates, before, was_lowered):
    """Make those bounds exact that may be the largest, after a row was chosen.

    Return whether all bounds were lowered for it.
    """
    stale = bounds > 0
    # It costs as much as so many gains to lower all bounds by what they have lost. If
    # that was necessary last time, it soon is again.
    allowance = cover.share_raised(before) * np.count_nonzero(stale)
    allowance *= 0.1 if was_lowered else 1.0
    n_exact, is_lowered = 0, False
    while True:
        best = bounds[~stale].max(initial=0.0)
        rows = np.flatnonzero(stale & (bounds >= best * (1 - cover.tie)))
        if not len(rows):
            return is_lowered
        if n_exact > allowance and not is_lowered:
            rows = np.flatnonzero(stale)
            bounds[rows] = cover.lower(bounds[rows], candidates[rows], before)
            is_lowered = True
            continue
        n_next = max(16, n_exact)
        if len(rows) > n_next:
            rows = rows[np.argpartition(-bounds[rows], n_next)[:n_next]]
        bounds[rows] = cover.gains(candidates[rows])
        stale[rows] = False
        n_exact += len(rows)


def check_choice(n_samples, n_queries, labeled, candidates=None):
    """Return the labelled rows and the candidates as row numbers.

    Parameters
    ----------
    n_samples : int
        Number of rows.

    n_queries : int
        How many rows are to be chosen.

    labeled : array-like of int or bool
        Row numbers, or a mask.

    candidates : array-like of int or bool or None
        Row numbers, or a mask; all rows that are not labelled if None.

    Returns
    -------
    labeled : ndarray of int
        Row numbers.

    candidates : ndarray of int
        Row numbers.

    Raises
    ------
    ValueError
        If there are fewer candidates than rows to choose.
    """
    labeled, is_labeled = _row_numbers(labeled), np.zeros(n_samples, dtype=bool)
    is_labeled[labeled] = True
    if candidates is None:
        candidates = np.flatnonzero(~is_labeled)
    candidates = _row_numbers(candidates)
    if is_labeled[candidates].any():
        raise ValueError("candidates holds rows that are labeled; leave them out.")
    if not 1 <= n_queries <= len(candidates):
        raise ValueError(
            f"n_queries must be from 1 to the number of candidates, {len(candidates)}; "
            f"got {n_queries}."
        )
    return labeled, candidates


def slices(n_rows, size, first=0):
    """Yield slices of at most `size` rows, from the row `first` on; maybe none."""
    for start in range(first, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def _row_numbers(rows):
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.intp)


def _as_floats(features):
    features = check_array(
        features, accept_sparse="csr", dtype=[np.float64, np.float32], copy=False
    )
    if features.shape[0] <= _MAX_FLOAT64_ROWS:
        features = features.astype(np.float64, copy=False)
    return features


def _squared_norms(values):
    if issparse(values):
        return np.asarray(values.multiply(values).sum(axis=1)).ravel()
    return np.einsum("ij,ij->i", values, values)


def _append(values, *columns):
    columns = np.column_stack(columns).astype(values.dtype)
    if issparse(values):
        return hstack([values, columns], format="csr")
    return np.concatenate([values, columns], axis=1)
