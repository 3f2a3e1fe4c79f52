"""One random order of all rows, which says who comes first among equals."""

import numpy as np

# SplitMix64: multiplied by an odd number and mixed, no two rows get the same key.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST_SHIFT = np.uint64(31)
_LOW_BITS = np.uint64(2**32 - 1)

# Equal rows get scores that differ by rounding: a product of matrices sums the last
# rows of a block in another order. Relative to what the scores are made of, a
# difference below this is none.
_ROUNDING = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-10}


def tie_keys(seed, rows):
    """Return where rows stand in a random order that `seed` gives.

    It needs no memory, and the number of rows need not be known.

    Parameters
    ----------
    seed : int
        Of the order, from 0 to 2^64 - 1.

    rows : array-like of shape (n_rows,), dtype int
        Row numbers.

    Returns
    -------
    keys : ndarray of shape (n_rows,), dtype uint64
        All different. Of rows that tie, the one of the lowest key comes first.

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
    """Return numbers to twelve digits: what differs by rounding only becomes equal.

    Parameters
    ----------
    values : ndarray
        Floats; infinity stays what it is.

    Returns
    -------
    rounded : ndarray
        The nearest numbers of 41 binary digits, relatively 2^-41 away at most.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        shifted = 4097.0 * values  # 2^12 + 1, by T. J. Dekker, 1971
        rounded = shifted - (shifted - values)
    return np.where(np.isfinite(rounded), rounded, values)


def in_order(keys):
    """Return the positions of keys by their size: what is first among equals is first.

    Parameters
    ----------
    keys : ndarray of shape (n,), dtype uint64
        Different ones, see :func:`tie_keys`.

    Returns
    -------
    positions : ndarray of shape (n,), dtype int
        All positions.
    """
    if len(keys) > _LOW_BITS:
        return np.argsort(keys)
    # To sort numbers is faster than to sort positions by them; so the low half of a
    # key, which decides for one pair in four thousand million, gives way to these.
    packed = (keys & ~_LOW_BITS) | np.arange(len(keys), dtype=np.uint64)
    packed.sort()
    return (packed & _LOW_BITS).astype(np.intp)


def first_of_best(scores, keys=None):
    """Return the position of the highest score, of equal ones that of the lowest key.

    Parameters
    ----------
    scores : ndarray of shape (n,), dtype float32 or float64
        Scores without NaN. They are equal if only rounding tells them apart.

    keys : ndarray of shape (n,), dtype uint64, callable or None, default=None
        Says who comes first among equals, see :func:`tie_keys`; a callable is given
        the positions of those that it is asked for. None: scores are in this order.

    Returns
    -------
    position : int
        Where it stands.
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
        How many, at most n.

    keys : ndarray of shape (n,), dtype uint64, or callable
        Says who comes first among equals, see :func:`tie_keys`; a callable is given
        the positions of those that it is asked for.

    Returns
    -------
    positions : ndarray of shape (k,), dtype int
        Positions in `scores`; of equal ones the lowest key first.
    """
    n = len(scores)
    keys_of = _as_function(keys)
    if k == 1:
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
    """Return positions by falling scores; of equal ones the lowest key first."""
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
    level = np.concatenate([[0], np.cumsum(~equal)])
    return chosen[np.lexsort((keys_of(chosen), level))]


def _tolerance(scores, score):
    """Return by how much others may differ from a score and yet be equal to it."""
    size = abs(score)
    if score <= 0:
        # What is near 0, the best there is, is a difference of larger numbers.
        finite = scores[np.isfinite(scores)]
        size = max(size, np.median(np.abs(finite))) if len(finite) else size
    return float(_ROUNDING[scores.dtype] * size) if np.isfinite(size) else 0.0
