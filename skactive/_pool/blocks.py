"""Predicting on blocks of rows, without copying the pool."""

import itertools

import numpy as np

from skactive.utils._rows import block_rows, slice_rows, take_rows
from skactive.utils._sharing import SharedRows
from skactive.utils._sklearn import _num_samples

# If at least this share of some rows are candidates, all of them are predicted: to copy
# the candidates would take longer.
_DENSE_SHARE = 0.5


class BlockPredictor:
    """Predicts on blocks of rows, on views of `X`, so that no round copies the pool.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_samples
        All rows.

    block_size : int or None, default=None
        Rows in one block; by default as many as fit into a fixed number of bytes.

    compacted : tuple of (rows of data, row numbers) or None, default=None
        Some rows of `X` and their numbers: they are predicted on instead of `X`.
    """

    def __init__(self, X, block_size=None, compacted=None):
        self._all = X
        self._size = block_size or block_rows(X)
        self._X, self._rows = compacted or (X, None)
        self._files = None

    def slices(self, candidates, *, may_compact=True):
        """Return a slice of the candidates for each block of rows.

        With a part of the candidates it must not compact: the others are still needed.
        """
        if may_compact:
            self._compact(candidates)
        X, where = self._locate(candidates)
        size, n_rows = self._size, _num_samples(X)
        if n_rows <= size:
            return [slice(0, len(candidates))]
        # Blocks are those of X, not of the candidates: rows are then cut, not copied.
        cuts = np.searchsorted(where, np.arange(0, n_rows + size, size)).tolist()
        return [slice(a, b) for a, b in itertools.pairwise(cuts) if a < b]

    def predict(self, predict, candidates, *, axis=0, selects=False):
        """Call `predict` on rows of one block; they are along `axis` of its output.

        If it `selects`, it also gets the positions of the candidates among the rows.

        It is called on a view of consecutive rows where most of them are candidates:
        to predict a few rows too many takes less time than to copy the others.
        """
        X, where = self._locate(candidates)
        first, last = int(where[0]), int(where[-1]) + 1
        if len(where) < _DENSE_SHARE * (last - first):
            return predict(take_rows(X, where))
        rows = slice_rows(X, first, last)
        if selects:
            # Such a function drops the other rows before it works on its output.
            return predict(rows, where - first)
        output = np.asarray(predict(rows))
        if len(where) == last - first:
            return output
        return np.take(output, where - first, axis=axis)

    def shared(self):
        """Return all rows and a predictor, on files that worker processes can read."""
        if self._files is None:
            self._files = SharedRows()
        X, compacted = self._files.share(self._all, "all"), None
        if self._rows is not None:
            compacted = self._files.share(self._X, "compacted"), self._rows
        return X, BlockPredictor(X, self._size, compacted)

    def _locate(self, candidates):
        """Return the rows to predict on, and the candidates' positions in them."""
        if self._rows is None:
            return self._X, candidates
        where = np.searchsorted(self._rows, candidates)
        known = self._rows[np.minimum(where, len(self._rows) - 1)]
        if (known != candidates).any():  # they are of a round before the compaction
            return self._all, candidates
        return self._X, where

    def _compact(self, candidates):
        """Copy the candidates out of `X` once they have become the smaller part.

        Each copy is at most half as long as the one before it, so that all copies of a
        run together are no longer than `X`.
        """
        n_rows = _num_samples(self._X)
        if n_rows > self._size and len(candidates) < _DENSE_SHARE * n_rows:
            self._X = take_rows(*self._locate(candidates))
            self._rows = np.array(candidates)
