"""Ties: one random order of all rows, which decides between rows of equal score.

With one order for a whole run, an answer to a tie does not depend on the other
candidates, on blocks, or on the number of processes.
"""

import numpy as np

# SplitMix64. Multiplying by an odd number and mixing can be undone, so that no two rows
# get the same key.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST_SHIFT = np.uint64(31)
_LOW_BITS = np.uint64(2**32 - 1)

# Equal rows may get scores that differ by rounding: a product of matrices sums the last
# rows of a block in another order. A smaller relative difference does not count.
_ROUNDING = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-10}


def tie_keys(seed, rows):
    """Return the places of rows in a random order that depends on `seed` only.

    It takes no memory, and the number of rows need not be known.

    Parameters
    ----------
    seed : int
        Seed of the order, from 0 to 2^64 - 1.

    rows : array-like of shape (n_rows,), dtype int
        Row numbers.

    Returns
    -------
    keys : ndarray of shape (n_rows,), dtype uint64
        All different. Among rows that tie, the one with the lowest key comes first.

    References
    ----------
    .. [1] G. L. Steele, D. Lea, C. H. Flood. "Fast splittable pseudorandom number
       generators". OOPSLA 2014.
    """
    keys = (np.asarray(rows).astype(np.uint64) + np.uint64(1)) * _STEP
    keys += np.uint64(seed)
    for shift, factor in _MIXERS:
        keys ^= keys >> shift
        keys *= factor
    keys ^= keys >> _LAST_SHIFT
    return keys


def drop_rounding(values):
    """Round numbers to twelve digits; those that differ only by rounding become equal.

    Parameters
    ----------
    values : ndarray
        Floats; infinity stays infinity.

    Returns
    -------
    rounded : ndarray
        The nearest numbers of 41 binary digits, with a relative error of 2^-41 at most.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        shifted = 4097.0 * values  # 2^12 + 1, by T. J. Dekker, 1971
        rounded = shifted - (shifted - values)
    return np.where(np.isfinite(rounded), rounded, values)


def in_order(keys):
    """Return the positions of keys from the lowest key to the highest.

    Parameters
    ----------
    keys : ndarray of shape (n,), dtype uint64
        Keys that differ, see :func:`tie_keys`.

    Returns
    -------
    positions : ndarray of shape (n,), dtype int
        All positions.
    """
    if len(keys) > _LOW_BITS:
        return np.argsort(keys)
    # Sorting numbers is faster than sorting positions by them. So positions replace the
    # low half of the keys, which decides for one pair in four thousand million.
    packed = (keys & ~_LOW_BITS) | np.arange(len(keys), dtype=np.uint64)
    packed.sort()
    return (packed & _LOW_BITS).astype(np.intp)


def first_of_best(scores, keys=None):
    """Return the position of the highest score; of equal scores, the lowest key wins.

    Parameters
    ----------
    scores : ndarray of shape (n,), dtype float32 or float64
        Scores without NaN. They are equal if only rounding tells them apart.

    keys : ndarray of shape (n,), dtype uint64, callable or None, default=None
        Decide between equal scores, see :func:`tie_keys`; a callable returns the keys
        of the positions that it gets. If None, the first of equal scores wins.

    Returns
    -------
    position : int
        Position in `scores`.
    """
    best = scores.max()
    is_tied = scores >= best - _tolerance(scores, best)
    if keys is None:
        return int(is_tied.argmax())
    tied = np.flatnonzero(is_tied)
    return int(tied[_as_function(keys)(tied).argmin()])


def top_k(scores, k, keys):
    """Return the positions of the k highest scores, highest first, in O(n).

    Parameters
    ----------
    scores : ndarray of shape (n,), dtype float32 or float64
        Scores without NaN. They are equal if only rounding tells them apart.

    k : int
        Number of scores, at most n.

    keys : ndarray of shape (n,), dtype uint64, or callable
        Decide between equal scores, see :func:`tie_keys`; a callable returns the keys
        of the positions that it gets.

    Returns
    -------
    positions : ndarray of shape (k,), dtype int
        Positions in `scores`; among equal scores, the lowest key first.
    """
    n = len(scores)
    keys_of = _as_function(keys)
    if k == 1:  # a maximum is faster than a partition
        cut = scores.max()
    else:
        cut = np.partition(scores, n - k)[n - k] if k < n else scores.min()
    tolerance = _tolerance(scores, cut)
    chosen = np.flatnonzero(scores >= cut - tolerance)
    if len(chosen) > k:
        is_tied = scores[chosen] <= cut + tolerance
        above, tied = chosen[~is_tied], chosen[is_tied]
        tied = tied[np.argsort(keys_of(tied))[: k - len(above)]]
        chosen = np.concatenate([above, tied])
    return _highest_first(chosen, scores, tolerance, keys_of)


def _as_function(keys):
    return keys if callable(keys) else keys.__getitem__


def _highest_first(chosen, scores, tolerance, keys_of):
    """Return positions by falling scores; among equal ones, the lowest key first."""
    if len(chosen) < 2:
        return chosen
    chosen = chosen[np.argsort(-scores[chosen], kind="stable")]
    higher, lower = scores[chosen[:-1]], scores[chosen[1:]]
    equal = higher == lower  # infinite ones, too
    with np.errstate(invalid="ignore"):
        near = higher - lower <= tolerance + _ROUNDING[scores.dtype] * np.abs(lower)
    equal |= near & np.isfinite(lower)
    if not equal.any():
        return chosen
    # Ties are transitive here: a chain of near scores is one level.
    level = np.concatenate([[0], np.cumsum(~equal)])
    return chosen[np.lexsort((keys_of(chosen), level))]


def _tolerance(scores, score):
    """Return the difference up to which other scores are equal to a score."""
    size = abs(score)
    if score <= 0:
        # A score near 0 may be a difference of larger numbers, and has their rounding.
        finite = scores[np.isfinite(scores)]
        size = max(size, np.median(np.abs(finite))) if len(finite) else size
    return float(_ROUNDING[scores.dtype] * size) if np.isfinite(size) else 0.0
