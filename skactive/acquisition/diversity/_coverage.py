"""Cover the pool: how well chosen rows cover others, and a lazy greedy choice."""

import numpy as np

from skactive.acquisition._base import tie_order
from skactive.acquisition._known_rows import known_then_candidates
from skactive.utils._sampling import draw_rows

# Relative differences from the largest gain that count as ties.
_TIES = {np.dtype(np.float64): 1e-10, np.dtype(np.float32): 1e-6}
_MAX_TIE = 1e-6


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
        Worth of covering each target; 1 if None.

    noise : float, default=0.0
        Rounding error of a similarity that comes from the product behind it.
    """

    def __init__(self, rows, targets, *, transform=None, weights=None, noise=0.0):
        self._rows = rows
        self._targets = rows.values[targets]
        self._transform = transform
        self._weights = None if weights is None else weights.astype(rows.dtype)
        total = len(targets) if weights is None else weights.sum()
        self.tie = min(max(_TIES[rows.dtype], noise), _MAX_TIE)
        # A smaller gain is only rounding.
        self._least = float(np.finfo(rows.dtype).eps * total)
        self._level = np.zeros(len(targets), dtype=rows.dtype)

    def add(self, centers):
        """Add chosen rows; return the similarities before."""
        before = self._level.copy()
        for batch in self._rows.batches(len(centers), len(before)):
            block = self._similarities(centers[batch], self._targets)
            np.maximum(self._level, block.max(axis=0), out=self._level)
        return before

    def gains(self, candidates):
        """Return the amount by which each row would raise the sum of similarities."""
        gains = self._rises(candidates, slice(None), self._level)
        gains[gains < self._least] = 0.0
        return gains

    def share_raised(self, before):
        """Return the share of the targets covered better than before."""
        return np.count_nonzero(self._level > before) / max(len(before), 1)

    def lower(self, bounds, candidates, before):
        """Lower bounds of gains by what the last chosen row has taken from them."""
        raised = np.flatnonzero(self._level > before)
        low, high = before[raised], self._level[raised]
        lost = self._rises(candidates, raised, low, high - low)
        return np.maximum(bounds - (1 - self.tie) * lost, self._least)

    def _rises(self, candidates, columns, low, height=None):
        """Return sums of similarities above a level, up to a height above it."""
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


def select_to_cover(pool, choose, n_queries, *, candidates=None, **params):
    """Let a formula choose candidates, where the known rows count as chosen.

    Parameters
    ----------
    pool : Pool
        The round.

    choose : callable
        The formula, such as :func:`facility_location`.

    n_queries : int
        Number of rows to choose.

    candidates : ndarray of int or None, default=None
        Positions in ``pool.candidates`` to choose from; all if None. Of equally good
        ones the first is chosen, so they have to be in the order of `tie_order`.

    **params : dict
        Further parameters of the formula.

    Returns
    -------
    rows : ndarray of shape (n_queries,), dtype int
        Row numbers of `X`.
    """
    rows, n_known = known_then_candidates(pool)
    candidates = tie_order(pool) if candidates is None else candidates
    chosen = choose(
        pool.embedding(rows),
        n_queries=n_queries,
        labeled=np.arange(n_known),
        candidates=n_known + candidates,
        random_state=pool.random_state,
        **params,
    )
    return rows[chosen]


def choose_to_cover(
    rows,
    n_queries,
    *,
    labeled,
    candidates,
    max_targets,
    random_state,
    weigh=None,
    transform=None,
    noise=0.0,
):
    """Choose rows greedily so that every row without a label is similar to one.

    Parameters
    ----------
    rows : UnitRows
        All rows.

    n_queries : int
        Number of rows to choose.

    labeled : array-like of int or bool
        Rows that count as chosen from the beginning.

    candidates : array-like of int or bool or None
        Rows that may be chosen; all but the labelled if None.

    max_targets : int or None
        Of more rows without a label, a random sample of this size is to be covered.

    random_state : int
        Seed of the sample.

    weigh : callable or None, default=None
        ``weigh(targets)``, given the rows without a label, returns the worth of
        covering each of all rows; 1 if None.

    transform : callable or None, default=None
        See :class:`Cover`.

    noise : float, default=0.0
        See :class:`Cover`.

    Returns
    -------
    chosen : ndarray of shape (n_queries,), dtype int
        Row numbers, in the order in which they were chosen.
    """
    known, candidates = check_choice(len(rows), n_queries, labeled, candidates)
    targets = np.delete(np.arange(len(rows)), known)
    weights = None if weigh is None else weigh(targets)
    targets = draw_rows(targets, max_targets, random_state)
    if weights is not None:
        weights = weights[targets]
    cover = Cover(rows, targets, transform=transform, weights=weights, noise=noise)
    cover.add(known)
    return choose_greedily(cover, candidates, n_queries)


def choose_greedily(cover, candidates, n_queries):
    """Choose the row of largest gain, again and again, computing few gains.

    Gains only fall as rows are chosen, so old gains are upper bounds. They are computed
    anew only where they may still be the largest [1]_.

    Parameters
    ----------
    cover : Cover
        The cover so far; it is changed.

    candidates : ndarray of int
        The rows that may be chosen.

    n_queries : int
        How many to choose.

    Returns
    -------
    chosen : ndarray of shape (n_queries,), dtype int
        Candidates, in the order of choice. Of equal gains, the first one is chosen.

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
    """Make the bounds exact that may be the largest, after a row was chosen.

    Return whether all bounds had to be lowered.
    """
    stale = bounds > 0
    # To lower all bounds takes as long as to compute this number of gains.
    # If it was necessary last time, it probably is again.
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


def _row_numbers(rows):
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows.astype(np.intp)
