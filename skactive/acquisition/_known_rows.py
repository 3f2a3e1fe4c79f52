"""The rows about which an oracle was queried, beside which candidates are chosen."""

import numpy as np


def known_rows(pool):
    """Return the rows that are labelled, and those that were queried in vain.

    No further label comes for either of them. A strategy that left the latter out of
    account would query their neighbours again and again.

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
