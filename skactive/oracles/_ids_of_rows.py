"""Sample ids made from the contents of rows."""

from collections import Counter

import numpy as np

from skactive.utils._row_hashes import hash_each_row


def ids_of_rows(X):
    """Make sample ids from the contents of rows.

    Use them for rows without ids of their own. A row has the same id wherever it
    appears again, in any order, and no other row has this id. Ids depend on the values
    only, not on the container or the width of the numbers, but sparse and dense rows
    have different ids.

    Equal rows in `X` are numbered: ``"...-2"`` is the id of the second one.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_rows
        Rows: numbers, texts, dates, or objects made of these. Pass them without any
        preprocessing, whose results may differ between fits.

    Returns
    -------
    sample_ids : ndarray of shape (n_rows,), dtype str
        Ids, all different.

    Raises
    ------
    TypeError
        If a row holds an object whose content cannot be read.

    See Also
    --------
    CachedOracle : Keep answers by such ids.

    Notes
    -----
    An id is a BLAKE2 hash of 128 bits. Anybody who knows the ids can test whether a
    guessed row is among them, so do not publish ids of secret rows that can be guessed.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.oracles import ids_of_rows
    >>> X = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])
    >>> ids = ids_of_rows(X)
    >>> str(ids[2]) == ids[0] + "-2"
    True
    >>> [str(name) for name in ids_of_rows([[3, 4], [1, 2]])] == [ids[1], ids[0]]
    True
    """
    seen, ids = Counter(), []
    for name in hash_each_row(X):
        seen[name] += 1
        ids.append(name if seen[name] == 1 else f"{name}-{seen[name]}")
    return np.array(ids, dtype=str)
