"""Random samples of rows."""

import numpy as np


def draw_rows(rows, n_most, random_state):
    """Return all rows, or `n_most` of them drawn at random.

    Parameters
    ----------
    rows : ndarray of shape (n_rows,)
        Row numbers.

    n_most : int or None
        Number of rows to draw; all are taken if it is None or not smaller than n_rows.

    random_state : int or numpy.random.Generator
        Seed or generator of the sample.

    Returns
    -------
    drawn : ndarray of shape (n_drawn,)
        Different rows, in their order.
    """
    if n_most is None or len(rows) <= n_most:
        return rows
    rng = np.random.default_rng(random_state)
    # Sorted positions keep the order of `rows`, in which data are read fastest.
    return rows[np.sort(rng.choice(len(rows), n_most, replace=False))]
