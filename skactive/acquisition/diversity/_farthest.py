"""The rows farthest from a growing set of centres: exact, in few passes.

The distance of a row to its nearest centre never grows when centres are added, so an
old distance is an upper bound of the new one. Only a few rows can be the farthest. A
new centre is compared with these rows alone, the front, until their distances fall
below the bounds of the others. Then all new centres are applied to all rows at once, by
one product of matrices in single precision. Its rounding errors are bounded: where they
leave open which row is the farthest, exact distances decide. These are rounded to
twelve digits, so that rows tie if their distances differ only by rounding.
"""

import copy

import numpy as np
from scipy.sparse import issparse, vstack
from scipy.spatial.distance import cdist

from skactive.utils._distances import squared_norms
from skactive.utils._rows import block_rows, slices
from skactive.utils._ties import drop_rounding

# Size of the front: this number of rows for each row still to be chosen, but at most
# one row in 16, and at least 1024.
_FRONT_PER_PICK = 64
_FRONT_SHARE = 16
_MIN_FRONT = 1024
# Rows that determine the shift and the scale of dense features.
_N_SAMPLE = 4096
# Numbers in a block of products.
_BLOCK_SIZE = 2**18
# Centres in one product.
_MAX_CENTERS = 128
# With larger norms, sums of squares may overflow in single precision.
_LARGE = 1e30
# Relative rounding of exact distances.
_DROPPED = 2.0**-41


class FarthestFirst:
    """Rows and centres, and the rows that are farthest from their nearest centre.

    Parameters
    ----------
    take : callable
        ``take(positions)`` returns the features of these rows, an ndarray or a CSR
        matrix of shape (len(positions), n_features).

    n_rows : int
        Number of rows, at least 1.
    """

    def __init__(self, take, n_rows):
        kind = _SparseRows if issparse(take(np.arange(1))) else _DenseRows
        self._rows = kind(take, n_rows)
        self._centers = _CenterList()
        self._n_applied = 0
        # The smallest |c|^2 - 2 x.c over the centres c that were applied to all rows;
        # with |x|^2 added, it is the squared distance of x to the nearest of them.
        self._smallest = np.full(n_rows, np.inf, dtype=self._rows.norms.dtype)
        # Squared distances to the nearest of the first n_seen centres.
        self._exact = np.full(n_rows, np.inf)
        self._n_seen = np.zeros(n_rows, dtype=np.intp)

    def copy(self):
        """Return a copy to which other centres can be added."""
        other = copy.copy(self)
        for name in ("_centers", "_smallest", "_exact", "_n_seen"):
            setattr(other, name, copy.copy(getattr(self, name)))
        return other

    @property
    def n_centers(self):
        """Number of centres."""
        return self._centers.n_centers

    def read_from(self, take):
        """Take the features of the same rows by another function from now on."""
        self._rows.take = take

    def add(self, features):
        """Add centres, given by their features."""
        for part in slices(features.shape[0], _MAX_CENTERS):
            self._centers.append(self._rows.as_centers(features[part]))

    def choose(self, n_picks, allowed):
        """Choose the farthest row, make it a centre, and repeat.

        Parameters
        ----------
        n_picks : int
            Number of rows to choose, at most the number of allowed ones.

        allowed : ndarray of shape (n_rows,), dtype bool
            Mask of the rows that may be chosen.

        Returns
        -------
        picks : list of int
            Positions; of equally far rows, the first one.
        """
        picks, front, allowed = [], None, allowed.copy()
        while len(picks) < n_picks:
            is_new = front is None
            # A front serves until a row behind it may be farther than all rows in it.
            if is_new:
                self._apply_all()
                size = _FRONT_PER_PICK * (n_picks - len(picks))
                size = max(_MIN_FRONT, min(size, len(allowed) // _FRONT_SHARE))
                front = _Front(self._rows, self._smallest, self._upper(allowed), size)
            best, distance = self._farthest_in(front)
            if best is None:
                if is_new:  # bounds leave it open, so exact distances decide
                    self._settle(np.flatnonzero(self._upper(allowed) >= distance))
                front = None
                continue
            picks.append(best)
            allowed[best] = False
            self.add(self._rows.take(np.array([best])))
            if len(picks) < n_picks:
                front.remove(best)
                front.apply(self._centers.last)
        return picks

    def _upper(self, allowed):
        """Return upper bounds of the squared distances; -inf for rows not allowed."""
        upper, _ = self._rows.bounds(self._smallest, self._rows.norms)
        upper = np.minimum(upper, self._exact)
        upper[~allowed] = -np.inf
        return upper

    def _apply_all(self):
        """Apply the centres that were added since the last call to all rows."""
        for centers in self._centers.since(self._n_applied):
            size = max(_BLOCK_SIZE // len(centers), 1024)
            for block in slices(len(self._smallest), size):
                new = self._rows.smallest(self._rows.features[block], centers)
                np.minimum(self._smallest[block], new, out=self._smallest[block])
        self._n_applied = self._centers.n_centers

    def _farthest_in(self, front):
        """Return the farthest row, None if it may be behind the front; its distance."""
        upper, lower = front.bounds()
        upper = np.minimum(upper, self._exact[front.positions])
        upper[~front.is_left] = -np.inf
        highest = lower[front.is_left].max(initial=-np.inf)
        contenders = np.flatnonzero(front.is_left & (upper >= highest))
        if len(contenders) == 1 and highest > front.limit:
            return int(front.positions[contenders[0]]), highest
        contenders = contenders[np.argsort(-upper[contenders], kind="stable")]
        best, distance = self._farthest_of(
            front.positions[contenders], upper[contenders]
        )
        is_sure = (-distance, best) < (-front.limit, front.first_behind)
        return (best if is_sure else None), distance

    def _farthest_of(self, positions, upper):
        """Return the farthest of some rows, which come by falling upper bounds.

        Rows of equal bounds are in ascending order. The search ends once the best exact
        distance exceeds all bounds that are left. Also returned is the distance.
        """
        best, distance = len(self._exact), -np.inf
        start, size = 0, 32
        while start < len(positions):
            if (-distance, best) < (-upper[start], positions[start]):
                break
            chunk = positions[start : start + size]
            self._settle(chunk)
            highest = self._exact[chunk].max()
            first = int(chunk[self._exact[chunk] == highest].min())
            if (-highest, first) < (-distance, best):
                best, distance = first, highest
            start, size = start + size, 8 * size
        return best, distance

    def _settle(self, positions):
        """Compute the exact distances of some rows."""
        n_centers = self._centers.n_centers
        is_old = (self._n_seen[positions] < n_centers) & (self._exact[positions] > 0)
        positions = positions[is_old]
        seen = self._n_seen[positions]
        for n_seen in np.unique(seen):
            group = positions[seen == n_seen]
            for centers in self._centers.since(n_seen):
                for block in slices(len(group), _BLOCK_SIZE // len(centers)):
                    rows = group[block]
                    new = self._rows.exact(rows, centers)
                    self._exact[rows] = np.minimum(self._exact[rows], new)
        self._n_seen[positions] = n_centers


class _Front:
    """The rows that may be the farthest; each new centre is compared with them.

    Rows behind the front are no farther than `limit`; the first that may be as far is
    `first_behind`.
    """

    def __init__(self, rows, smallest, upper, size):
        n_allowed = np.count_nonzero(upper > -np.inf)
        size = min(size, n_allowed)
        cut = np.partition(upper, len(upper) - size)[len(upper) - size]
        above, tied = np.flatnonzero(upper > cut), np.flatnonzero(upper == cut)
        n_tied = size - len(above)
        self.positions = np.sort(np.concatenate([above, tied[:n_tied]]))
        self.limit = cut if size < n_allowed else -np.inf
        self.first_behind = tied[n_tied] if n_tied < len(tied) else np.inf
        self.is_left = np.ones(size, dtype=bool)
        self._rows = rows.part(self.positions)
        self._smallest = smallest[self.positions]

    def remove(self, position):
        self.is_left[np.searchsorted(self.positions, position)] = False

    def apply(self, center):
        new = self._rows.smallest(self._rows.features, center)
        np.minimum(self._smallest, new, out=self._smallest)

    def bounds(self):
        return self._rows.bounds(self._smallest, self._rows.norms)


class _Centers:
    """Centres as they were given, as they enter products, and their squared norms."""

    def __init__(self, given, features, norms):
        self.given = given
        self.features = features
        self.norms = norms

    def __len__(self):
        return len(self.norms)

    def __getitem__(self, rows):
        return _Centers(self.given[rows], self.features[rows], self.norms[rows])

    def __add__(self, other):
        return _Centers(
            _stack(self.given, other.given),
            _stack(self.features, other.features),
            np.concatenate([self.norms, other.norms]),
        )


class _CenterList:
    """Centres in the order in which they were added, in parts of limited size."""

    def __init__(self, parts=(), n_centers=0):
        self._parts = list(parts)
        self.n_centers = n_centers

    def __copy__(self):
        return _CenterList(self._parts, self.n_centers)

    def append(self, part):
        self.n_centers += len(part)
        if self._parts and len(self._parts[-1]) + len(part) <= _MAX_CENTERS:
            self._parts[-1] = self._parts[-1] + part
        else:
            self._parts.append(part)

    @property
    def last(self):
        return self._parts[-1][-1:]

    def since(self, n_seen):
        """Yield the parts without the first `n_seen` centres."""
        start = 0
        for part in self._parts:
            stop = start + len(part)
            if stop > n_seen:
                yield part[max(n_seen - start, 0) :]
            start = stop


class _DenseRows:
    """Dense features, shifted to about zero and scaled to about one.

    Without the shift, |x|^2 - 2 x.c + |c|^2 would not have a correct digit where the
    mean is large compared with the deviations.
    """

    def __init__(self, take, n_rows):
        self.take = take
        step = -(-n_rows // _N_SAMPLE)
        sample = np.asarray(take(np.arange(0, n_rows, step)), dtype=np.float64)
        self._shift = sample.mean(axis=0)
        spread = np.abs(sample - self._shift).mean()
        # A power of two, as scaling by it does not round.
        self._scale = 2.0 ** -np.round(np.log2(spread)) if spread > 0 else 1.0
        for dtype in (np.float32, np.float64):
            self._read(n_rows, sample.shape[1], dtype)
            if self.norms.max(initial=0.0) < _LARGE:
                break

    def _read(self, n_rows, n_features, dtype):
        self.features = np.empty((n_rows, n_features), dtype=dtype)
        self.norms = np.empty(n_rows, dtype=dtype)
        for block in slices(n_rows, block_rows(self.features)):
            moved, norms = self._moved(self.take(np.arange(block.start, block.stop)))
            self.features[block] = moved
            self.norms[block] = norms
        # |fl(|c|^2 - 2 x.c + |x|^2) - |x - c|^2| <= error (|x| + |c|)^2, by the bound
        # of n u / (1 - n u) for a sum of n products, u the unit roundoff.
        self._error = (n_features / 2 + 10) * np.finfo(dtype).eps / 2 + _DROPPED

    def _moved(self, given):
        with np.errstate(over="ignore"):
            moved = np.asarray(given, dtype=np.float64) - self._shift
            moved *= self._scale
            return moved, squared_norms(moved)

    def _scaled(self, given):
        return np.asarray(given, dtype=np.float64) * self._scale

    def part(self, positions):
        other = copy.copy(self)
        other.features, other.norms = self.features[positions], self.norms[positions]
        return other

    def as_centers(self, given):
        moved, norms = self._moved(given)
        dtype = self.features.dtype
        return _Centers(
            self._scaled(given), -2 * moved.astype(dtype), norms.astype(dtype)
        )

    def smallest(self, features, centers):
        """Return min |c|^2 - 2 x.c over the centres."""
        products = centers.features @ features.T
        products += centers.norms[:, np.newaxis]
        return products.min(axis=0)

    def bounds(self, smallest, norms):
        """Return an upper and a lower bound of the squared distance.

        If |c| > 3 |x|, the error of |x - c|^2 is at most 4 `error` times itself, as
        |x| + |c| < 2 |x - c|; otherwise at most 16 `error` |x|^2.
        """
        distances, slack = smallest + norms, 16 * self._error * norms
        upper = (distances + slack) / (1 - 4 * self._error)
        lower = (distances - slack) / (1 + 4 * self._error)
        return upper, lower

    def exact(self, positions, centers):
        """Return the squared distances to the nearest of the centres."""
        rows = self._scaled(self.take(positions))
        distances = cdist(rows, centers.given, "sqeuclidean").min(axis=1)
        return drop_rounding(distances)


class _SparseRows(_DenseRows):
    """Sparse features in double precision, not shifted, as that would make them dense.

    Distances below the rounding error of the products count as zero.
    """

    def __init__(self, take, n_rows):
        self.take = take
        self.features = take(np.arange(n_rows)).astype(np.float64)
        self.norms = squared_norms(self.features)
        unit = np.finfo(np.float64).eps / 2
        self._error = (self.features.shape[1] / 2 + 10) * unit + _DROPPED

    def as_centers(self, given):
        given = given.astype(np.float64)
        return _Centers(given, -2 * given, squared_norms(given))

    def smallest(self, features, centers):
        return self._products(features, centers).min(axis=1)

    def exact(self, positions, centers):
        norms = self.norms[positions, np.newaxis]
        distances = self._products(self.features[positions], centers) + norms
        noise = 16 * np.finfo(np.float64).eps * (norms + centers.norms)
        distances = np.where(distances > noise, distances, 0.0).min(axis=1)
        return drop_rounding(distances)

    def _products(self, features, centers):
        if len(centers) == 1:
            center = centers.features.toarray().ravel()
            return (features @ center + centers.norms)[:, np.newaxis]
        return (features @ centers.features.T).toarray() + centers.norms


def _stack(first, second):
    if issparse(first):
        return vstack([first, second], format="csr")
    return np.concatenate([first, second])
