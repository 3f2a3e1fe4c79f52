"""Rows that hold the same: which they are, and which one of them is asked."""

import numpy as np
from scipy.sparse import issparse

from skactive.utils._description import hash_values
from skactive.utils._labels import as_labels, is_null
from skactive.utils._rows import (
    block_rows,
    is_dataframe,
    is_one_dimensional,
    slice_rows,
)
from skactive.utils._sklearn import _num_samples
from skactive.utils._ties import tie_keys

# Two hashes of 64 bits for each row: rows that differ do not meet in both.
_SEEDS = (1, 2)
_NULL_BITS = np.float64(np.nan).view(np.uint64)


class EqualRows:
    """Which rows of a run hold the same, and which one of them may be asked.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The checked rows. They are read once.

    labeled : ndarray of shape (n_samples,), dtype bool
        Rows that have a label from the beginning.

    how : {"ask", "once", "share"}
        Whether equal rows are asked like others, once, or once for all of them.

    tie_seed : int
        Seed of the random order of all rows. Of equal ones the first is asked.

    Attributes
    ----------
    askable : ndarray of shape (n_samples,), dtype bool
        Rows without a label that may be asked.
    """

    def __init__(self, X, labeled, how, tie_seed):
        self._shares = how == "share"
        self._group = None
        self.askable = ~labeled
        if how == "ask":
            return
        self._group = group_equal_rows(X)
        order = np.lexsort((tie_keys(tie_seed, np.arange(len(labeled))), self._group))
        self._sorted = order
        self._starts = np.searchsorted(
            self._group[order], np.arange(self._group.max() + 2)
        )
        has_label = np.zeros(self._group.max() + 1, dtype=bool)
        has_label[self._group[labeled]] = True
        first = order[self._starts[:-1]]
        self.askable = np.zeros(len(labeled), dtype=bool)
        self.askable[first[~has_label]] = True

    @property
    def n_askable(self):
        """How many rows may be asked."""
        return int(self.askable.sum())

    def equal_to(self, rows):
        """Return a mask of some rows and of all that hold the same."""
        mask = np.zeros(len(self.askable), dtype=bool)
        mask[rows] = True
        return mask if self._group is None else np.isin(self._group, self._group[rows])

    def shared_with(self, row):
        """Return the other rows that get the label of a row."""
        if not self._shares:
            return np.empty(0, dtype=np.intp)
        group = self._group[row]
        rows = self._sorted[self._starts[group] : self._starts[group + 1]]
        return rows[rows != row]

    def share_given(self, y, labeled):
        """Give labels that are known to equal rows without one.

        Where equal rows have different labels, nothing is known of the others.

        Parameters
        ----------
        y : ndarray of shape (n_samples,)
            Labels; changed in place.

        labeled : ndarray of shape (n_samples,), dtype bool
            Rows with a label; changed in place.
        """
        known = np.flatnonzero(labeled)
        if not self._shares or len(known) == 0:
            return
        _, codes = np.unique(as_labels(y[known]), return_inverse=True)
        source = np.full(len(self._starts) - 1, -1)
        source[self._group[known]] = np.arange(len(known))
        differ = codes[source[self._group[known]]] != codes
        source[self._group[known[differ]]] = -1
        rows = np.flatnonzero(~labeled & (source[self._group] >= 0))
        y[rows] = y[known[source[self._group[rows]]]]
        labeled[rows] = True


def group_equal_rows(X):
    """Number the groups of rows that hold the same.

    NaN equals NaN, and -0.0 equals 0.0. Memory is that of a block of rows, and a few
    numbers for each row.

    Parameters
    ----------
    X : {ndarray, CSR matrix, data frame, list} of length n_samples
        Checked rows.

    Returns
    -------
    groups : ndarray of shape (n_samples,), dtype int
        Rows of equal number are equal; numbers are in the order of the first rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive._loop.equal_rows import group_equal_rows
    >>> group_equal_rows(np.array([[0, 1.5], [2, np.nan], [0, 1.5], [2, np.nan]]))
    array([0, 1, 0, 1])
    """
    if is_one_dimensional(X):
        return _codes(X)
    hashes = _hash_rows(X)
    order = np.lexsort(hashes)
    is_new = (np.diff(hashes[:, order], axis=1) != 0).any(axis=0)
    groups = np.empty(len(order), dtype=np.intp)
    groups[order] = np.concatenate([[0], np.cumsum(is_new)])
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]


def _hash_rows(X):
    """Return numbers for each row, (n_hashes, n_samples): sums over its entries."""
    if issparse(X):
        return _hash_sparse(X)
    if is_dataframe(X):
        columns = (np.asarray(X[name]) for name in X.columns)
        return sum(_entries(c, [j]) for j, c in enumerate(columns))
    if X.dtype.kind not in "biufmM":  # objects are numbered over a whole column
        columns = X.reshape(len(X), -1).T
        return sum(_entries(c, [j]) for j, c in enumerate(columns))
    size, parts = block_rows(X), []
    for start in range(0, len(X), size):
        block = np.asarray(slice_rows(X, start, start + size))
        block = block.reshape(len(block), -1)
        parts.append(_entries(block, np.arange(block.shape[1])).sum(axis=2))
    return np.concatenate(parts, axis=1)


def _hash_sparse(X):
    """Do the same for a CSR matrix; entries that are zero are not there."""
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    entries = _entries(X.data, X.indices)
    entries[:, X.data == 0] = 0
    # Sums wrap around, so that their differences are right whatever their size.
    sums = np.zeros((len(_SEEDS), X.nnz + 1), dtype=np.uint64)
    np.cumsum(entries, axis=1, out=sums[:, 1:])
    return sums[:, X.indptr[1:]] - sums[:, X.indptr[:-1]]


def _entries(values, columns):
    """Return numbers for each value, by what it is and where it stands."""
    bits = tie_keys(0, _bits(values))
    places = (tie_keys(seed, columns) for seed in _SEEDS)
    return np.stack([tie_keys(0, bits + place) for place in places])


def _bits(values):
    """Return values as 64 bits each; what is equal has equal bits."""
    kind = values.dtype.kind
    if kind == "f":
        values = values.astype(np.float64) + 0.0  # -0.0 becomes 0.0
        return np.where(np.isnan(values), _NULL_BITS, values.view(np.uint64))
    if kind in "biumM":
        return values.astype(np.int64 if kind != "u" else np.uint64).view(np.uint64)
    return _codes(values).astype(np.uint64)


def _codes(values):
    """Number different objects, in the order in which they come; null is one value."""
    seen, codes = {}, np.empty(_num_samples(values), dtype=np.intp)
    for position, value in enumerate(values):
        codes[position] = seen.setdefault(_key(value), len(seen))
    return codes


def _key(value):
    """Return what stands for a value in a dictionary."""
    if is_null(value):
        return None
    try:
        hash(value)
    except TypeError:  # a list of tokens, a dictionary, an array
        return type(value), hash_values(value)
    return value
