"""The known rows, which a strategy takes into account when it chooses others."""

import numpy as np


def known_rows(pool):
    """Return the rows that are labelled, and those that were queried in vain.

    No further label comes for either of them. A strategy that ignored the latter would
    query their neighbours again and again.

    Parameters
    ----------
    pool : Pool
        The round.

    Returns
    -------
    rows : ndarray of shape (n_known,), dtype int
        Row numbers of `X`, ascending.
    """
    return np.flatnonzero(pool.labeled | pool.asked)


def free_rows(n_samples, n_queries, labeled):
    """Return a mask of the rows without a label, and raise if these are too few.

    Parameters
    ----------
    n_samples : int
        Number of rows.

    n_queries : int
        Number of rows to choose.

    labeled : array-like of int
        Positions of the labelled rows.

    Returns
    -------
    is_free : ndarray of shape (n_samples,), dtype bool
        Mask of the other rows.

    Raises
    ------
    ValueError
        If fewer than `n_queries` rows are not labelled.
    """
    is_free = np.ones(n_samples, dtype=bool)
    is_free[np.asarray(labeled, dtype=np.intp)] = False
    n_free = np.count_nonzero(is_free)
    if not 1 <= n_queries <= n_free:
        raise ValueError(
            f"n_queries must be between 1 and {n_free}, the number of rows that are "
            f"not labelled, got {n_queries}."
        )
    return is_free


def known_then_candidates(pool):
    """Return the known rows, followed by the candidates.

    Parameters
    ----------
    pool : Pool
        The round.

    Returns
    -------
    rows : ndarray of shape (n_known + n_candidates,), dtype int
        Row numbers of `X`.

    n_known : int
        Number of known rows, see :func:`known_rows`.
    """
    known = known_rows(pool)
    return np.concatenate([known, pool.candidates]), len(known)
