"""One random order of all rows, which says who comes first among equals."""

import numpy as np

# SplitMix64: multiplied by an odd number and mixed, no two rows get the same key.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIXERS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
_LAST_SHIFT = np.uint64(31)


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


def first_of_best(scores, keys):
    """Return the position of the highest score, of equal ones that of the lowest key.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Scores without NaN.

    keys : ndarray of shape (n,), dtype uint64
        Says who comes first among equals, see :func:`tie_keys`.

    Returns
    -------
    position : int
        Where it stands.
    """
    tied = np.flatnonzero(scores == scores.max())
    return int(tied[keys[tied].argmin()])


def top_k(scores, k, keys):
    """Return the positions of the k highest scores, highest first, in O(n).

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Scores without NaN.

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
    keys_of = keys if callable(keys) else keys.__getitem__
    if k >= n:
        chosen = np.arange(n)
    else:
        cut = np.partition(scores, n - k)[n - k] if k > 1 else scores.max()
        above = np.flatnonzero(scores > cut)
        tied = np.flatnonzero(scores == cut)
        n_tied = k - len(above)
        if len(tied) > n_tied:
            tied = tied[np.argsort(keys_of(tied))[:n_tied]]
        chosen = np.concatenate([above, tied])
    if len(chosen) == 1:
        return chosen
    return chosen[np.lexsort((keys_of(chosen), -scores[chosen]))]
