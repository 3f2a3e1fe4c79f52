"""Balls around all rows, and the number of uncovered rows in each of them."""

from dataclasses import dataclass

import numpy as np

from skactive.utils._rows import slices

# Rows and columns of one tile of distances.
_TILE_ROWS, _TILE_COLUMNS = 1024, 2048


@dataclass
class CoverState:
    """The covered rows, and the number of uncovered rows in each ball.

    Counts are not updated when rows are covered, but when they are needed.
    """

    centers: np.ndarray  # rows whose balls are covered
    uncovered: np.ndarray  # mask of the targets in none of these balls
    covered: np.ndarray  # targets that were covered since the first count, in order
    counts: np.ndarray | None = None  # for each row, uncovered ones in its ball, ...
    counted: np.ndarray | None = None  # ... when this many rows had been covered

    @classmethod
    def of_targets(cls, targets, n_rows):
        """Return the state in which all targets are uncovered."""
        uncovered = np.zeros(n_rows, dtype=bool)
        uncovered[targets] = True
        return cls(np.empty(0, np.intp), uncovered, np.empty(0, np.intp))

    def copy(self):
        """Return a copy that does not change with this state."""
        arrays = vars(self).items()
        return CoverState(**{k: None if v is None else v.copy() for k, v in arrays})


class Balls:
    """Balls around all rows, and the rows that are left to be covered.

    Parameters
    ----------
    rows : UnitRows
        All rows, for distances.

    radius : float
        Radius of the balls.

    state : CoverState
        The state so far; it is changed.
    """

    def __init__(self, rows, radius, state):
        self._rows, self.state = rows, state
        # A row is in a ball if minus half its squared distance is above the cut. A row
        # at the radius is outside, whatever rounding did: the radius may be a distance
        # of the data.
        self._cut = rows.dtype.type(-(radius**2) / 2 + rows.resolution)
        size = min(_TILE_ROWS, rows.block_rows(_TILE_COLUMNS))
        self._tile = (size, _TILE_COLUMNS)

    def cover(self, centers):
        """Cover the balls of some rows as well."""
        state = self.state
        centers = np.setdiff1d(np.asarray(centers, dtype=np.intp), state.centers)
        state.centers = np.concatenate([state.centers, centers])
        targets = np.flatnonzero(state.uncovered)
        is_covered = np.zeros(len(targets), dtype=bool)
        for _, columns, inside in self._tiles(centers, targets):
            is_covered[columns] |= inside.any(axis=0)
        covered = targets[is_covered]
        state.uncovered[covered] = False
        if state.counts is not None:
            state.covered = np.concatenate([state.covered, covered])

    def choose(self, candidates, n_queries):
        """Choose the candidates of largest count, then the farthest ones.

        Of equal candidates, the first one is chosen.
        """
        if self.state.counts is None:
            self.state.counts = self._count_uncovered()
            self.state.counted = np.zeros_like(self.state.counts)
        chosen, is_free = [], np.ones(len(candidates), dtype=bool)
        while len(chosen) < n_queries:
            self.cover(chosen[-1:])
            if not self.state.uncovered.any():
                break
            self._update_largest(candidates[is_free])
            counts = np.where(is_free, self.state.counts[candidates], 0)
            best = int(np.argmax(counts))
            if counts[best] <= 0:
                break
            chosen.append(candidates[best])
            is_free[best] = False
        return self._add_farthest(chosen, candidates, n_queries)

    def _update_largest(self, candidates):
        """Update the counts that may be the largest.

        Counts only fall, so an old count is an upper bound. No row is compared with a
        covered row twice, so all updates together take one pass over all pairs.
        """
        state, n_next = self.state, 128
        while True:
            counts = state.counts[candidates]
            stale = state.counted[candidates] < len(state.covered)
            best = counts[~stale].max(initial=1)
            rows = np.flatnonzero(stale & (counts >= best))
            if not len(rows):
                return
            if len(rows) > n_next:
                rows = rows[np.argpartition(-counts[rows], n_next)[:n_next]]
            self._update(candidates[rows])
            n_next *= 2

    def _update(self, rows):
        """Subtract rows covered since the last count, or count anew if that is less."""
        state = self.state
        uncovered = np.flatnonzero(state.uncovered)
        for since in np.unique(state.counted[rows]):
            same = rows[state.counted[rows] == since]
            covered = state.covered[since:]
            if len(covered) < len(uncovered):
                state.counts[same] -= self._count(same, covered)
            else:
                state.counts[same] = self._count(same, uncovered)
        state.counted[rows] = len(state.covered)

    def _count_uncovered(self):
        """Count the uncovered rows in every ball."""
        uncovered = self.state.uncovered
        inner, outer = np.flatnonzero(uncovered), np.flatnonzero(~uncovered)
        counts = np.empty(len(uncovered), dtype=np.intp)
        counts[inner] = self._count_among(inner)
        counts[outer] = self._count(outer, inner)
        return counts

    def _count_among(self, rows):
        """Count the rows in the ball of each of the same rows.

        Distances are symmetric, so each pair of rows is compared only once.
        """
        counts = np.zeros(len(rows), dtype=np.intp)
        for batch in slices(len(rows), self._tile[0]):
            counts[batch] += self._count(rows[batch], rows[batch])
            for _, columns, inside in self._tiles(rows[batch], rows, batch.stop):
                counts[batch] += _n_true(inside, axis=1)
                counts[columns] += _n_true(inside, axis=0)
        return counts

    def _count(self, rows, others):
        """Count the others in the ball of each row."""
        counts = np.zeros(len(rows), dtype=np.intp)
        for batch, _, inside in self._tiles(rows, others):
            counts[batch] += _n_true(inside, axis=1)
        return counts

    def _tiles(self, rows, others, first=0):
        """Yield slices of rows and of others, and a mask of the others in each ball."""
        values, (n_rows, n_columns) = self._rows.values, self._tile
        for batch in slices(len(rows), n_rows):
            block = values[rows[batch]]
            for columns in slices(len(others), n_columns, first):
                products = self._rows.products(block, values[others[columns]])
                yield batch, columns, products > self._cut

    def _add_farthest(self, chosen, candidates, n_queries):
        """Add the candidates farthest from all centres, one after the other."""
        if len(chosen) < n_queries:
            centers = np.union1d(self.state.centers, chosen).astype(np.intp)
            closeness = self._closeness(candidates, centers)
            while len(chosen) < n_queries:
                equal = closeness <= closeness.min() + self._rows.resolution
                farthest = candidates[[int(np.argmax(equal))]]
                chosen.append(farthest[0])
                new = self._closeness(candidates, farthest)
                np.maximum(closeness, new, out=closeness)
                closeness[candidates == farthest] = np.inf
        return np.array(chosen, dtype=np.intp)

    def _closeness(self, candidates, centers):
        """Return minus half the squared distance to the nearest centre."""
        values, others = self._rows.values, self._rows.values[centers]
        closeness = np.full(len(candidates), -np.inf)
        if len(centers):
            for batch in self._rows.batches(len(candidates), len(centers)):
                products = self._rows.products(values[candidates[batch]], others)
                closeness[batch] = products.max(axis=1)
        closeness[np.isin(candidates, centers)] = np.inf
        return closeness


def _n_true(mask, axis):
    # Several times faster than adding up truth values as long integers.
    return mask.view(np.uint8).sum(axis=axis, dtype=np.uint32)
