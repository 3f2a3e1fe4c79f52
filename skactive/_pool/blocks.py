"""Predicting on blocks of rows, without copying the pool."""

import copy
import itertools

import numpy as np

from skactive.utils._rows import block_rows, slice_rows, take_rows
from skactive.utils._sharing import SharedRows
from skactive.utils._sklearn import _num_samples

# Rows are predicted in place, labelled ones too, if this share of them is candidates.
_DENSE_SHARE = 0.5


class BlockPredictor:
    """Predicts on blocks of rows, on views of `X`, so that no round copies the pool.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_samples
        All rows.

    block_size : int or None, default=None
        Rows in one block; by default as many as fit into a fixed number of bytes.
    """

    def __init__(self, X, block_size=None):
        self._X = self._all = X
        self._size = block_size or block_rows(X)
        self._rows = None  # row numbers of the compacted pool; None: all of X
        self._files = SharedRows()

    def slices(self, candidates, *, may_compact=True):
        """Return where the candidates stand that fall into each block of rows.

        A part of the candidates must not `may_compact`: the others are still needed.
        """
        if may_compact:
            self._compact(candidates)
        X, where = self._locate(candidates)
        size, n_rows = self._size, _num_samples(X)
        if n_rows <= size:
            return [slice(0, len(candidates))]
        cuts = np.searchsorted(where, np.arange(0, n_rows + size, size)).tolist()
        return [slice(a, b) for a, b in itertools.pairwise(cuts) if a < b]

    def predict(self, predict, candidates, *, axis=0, selects=False):
        """Call `predict` on rows of one block; they are along `axis` of its output.

        If it `selects`, it gets the positions of the candidates among the rows, too.

        It is called on a view of consecutive rows where most of them are candidates:
        to predict a few rows too many costs less than to copy all others.
        """
        X, where = self._locate(candidates)
        first, last = int(where[0]), int(where[-1]) + 1
        if len(where) < _DENSE_SHARE * (last - first):
            return predict(take_rows(X, where))
        rows = slice_rows(X, first, last)
        if selects:
            return predict(rows, where - first)
        output = np.asarray(predict(rows))
        if len(where) == last - first:
            return output
        return np.take(output, where - first, axis=axis)

    def shared(self):
        """Return all rows and a predictor, on files that worker processes can read."""
        other = copy.copy(self)
        other._files = None
        other._all = other._X = self._files.share(self._all, "all")
        if self._rows is not None:
            other._X = self._files.share(self._X, "compacted")
        return other._all, other

    def _locate(self, candidates):
        """Return rows to predict on, and where the candidates stand among them."""
        if self._rows is None:
            return self._X, candidates
        where = np.searchsorted(self._rows, candidates)
        known = self._rows[np.minimum(where, len(self._rows) - 1)]
        if (known != candidates).any():  # they are of a round before the compaction
            return self._all, candidates
        return self._X, where

    def _compact(self, candidates):
        """Copy the candidates out of `X` once they have become the smaller part."""
        n_rows = _num_samples(self._X)
        if n_rows > self._size and len(candidates) < _DENSE_SHARE * n_rows:
            self._X = take_rows(*self._locate(candidates))
            self._rows = np.array(candidates)
