"""Equal rows: the groups they form, and the row of each group that is queried."""

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

# Two hashes of 64 bits for each row. Different rows practically never share both, so
# that the rows themselves need not be compared.
_SEEDS = (1, 2)
_NULL_BITS = np.float64(np.nan).view(np.uint64)


class EqualRows:
    """The groups of equal rows of a run.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The checked rows.

    labeled : ndarray of shape (n_samples,), dtype bool
        Mask of the rows with a label in `y`.

    how : {"ask", "once", "share"}
        The parameter `equal_rows` of the classifier.

    tie_seed : int
        Seed of the random order of all rows. The first row of each group is queried.

    first : ndarray of shape (n_samples,), dtype bool, or None, default=None
        Mask of rows that come before all others in the order of equal rows.

    Attributes
    ----------
    askable : ndarray of shape (n_samples,), dtype bool
        Mask of the rows that may be queried.
    """

    def __init__(self, X, labeled, how, tie_seed, first=None):
        self._shares = how == "share"
        self._group = None
        self.askable = ~labeled
        if how == "ask":
            return
        self._group = group_equal_rows(X)
        late = np.zeros(len(labeled), dtype=bool) if first is None else ~first
        keys = tie_keys(tie_seed, np.arange(len(labeled)))
        order = np.lexsort((keys, late, self._group))
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
        """Number of rows that may be queried."""
        return int(self.askable.sum())

    def equal_to(self, rows):
        """Return a mask of some rows and of all rows that equal one of them."""
        mask = np.zeros(len(self.askable), dtype=bool)
        mask[rows] = True
        return mask if self._group is None else np.isin(self._group, self._group[rows])

    def shared_with(self, row):
        """Return the other rows that share the label of a row."""
        if not self._shares:
            return np.empty(0, dtype=np.intp)
        group = self._group[row]
        rows = self._sorted[self._starts[group] : self._starts[group + 1]]
        return rows[rows != row]

    def share_given(self, y, labeled):
        """Copy the labels of `y` to equal rows without one.

        Groups whose labels contradict each other are left as they are.

        Parameters
        ----------
        y : ndarray of shape (n_samples,)
            Labels. Changed in place.

        labeled : ndarray of shape (n_samples,), dtype bool
            Mask of the rows with a label. Changed in place.
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
    """Number the groups of equal rows.

    NaN equals NaN, and -0.0 equals 0.0. It needs the memory of a block of rows, and of
    a few numbers for each row.

    Parameters
    ----------
    X : {ndarray, CSR matrix, data frame, list} of length n_samples
        Checked rows.

    Returns
    -------
    groups : ndarray of shape (n_samples,), dtype int
        Number of the group of each row. Groups are numbered by their first rows.

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
    """Return the hashes of rows, of shape (n_hashes, n_samples)."""
    # A hash is a sum over the entries of a row: columns can be added one by one.
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
    """Return the hashes of the rows of a CSR matrix. Zeros do not count."""
    if not X.has_canonical_format:
        X = X.copy()
        X.sum_duplicates()
    entries = _entries(X.data, X.indices)
    entries[:, X.data == 0] = 0
    # The sums overflow. In arithmetic modulo 2**64 their differences are right still.
    sums = np.zeros((len(_SEEDS), X.nnz + 1), dtype=np.uint64)
    np.cumsum(entries, axis=1, out=sums[:, 1:])
    return sums[:, X.indptr[1:]] - sums[:, X.indptr[:-1]]


def _entries(values, columns):
    """Return the hashes of values, which depend on the value and its column."""
    bits = tie_keys(0, _bits(values))
    places = (tie_keys(seed, columns) for seed in _SEEDS)
    return np.stack([tie_keys(0, bits + place) for place in places])


def _bits(values):
    """Return values as 64 bits each. Equal values have equal bits."""
    kind = values.dtype.kind
    if kind == "f":
        values = values.astype(np.float64) + 0.0  # -0.0 becomes 0.0
        return np.where(np.isnan(values), _NULL_BITS, values.view(np.uint64))
    if kind in "biumM":
        return values.astype(np.int64 if kind != "u" else np.uint64).view(np.uint64)
    return _codes(values).astype(np.uint64)


def _codes(values):
    """Number the different objects in order of appearance. All nulls are one."""
    seen, codes = {}, np.empty(_num_samples(values), dtype=np.intp)
    for position, value in enumerate(values):
        codes[position] = seen.setdefault(_key(value), len(seen))
    return codes


def _key(value):
    """Return a key of a dictionary for a value."""
    if is_null(value):
        return None
    try:
        hash(value)
    except TypeError:  # a list of tokens, a dictionary, an array
        return type(value), hash_values(value)
    return value
