"""Sample ids that are made of the contents of rows."""

from collections import Counter

import numpy as np

from skactive.utils._row_hashes import hash_each_row


def ids_of_rows(X):
    """Make sample ids out of the contents of rows.

    For rows that have no ids of their own: wherever and in whatever order a row comes
    again, it has the same id, and no other row has it. Rows with equal values have
    equal ids, whatever the width of their numbers and the kind of their container;
    sparse and dense rows differ.

    Equal rows of one `X` are numbered: ``"...-2"`` is the id of the second one. Their
    order does not matter, as their contents are equal.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_rows
        Rows: numbers, texts, dates, or objects made of these. Pass them as they are
        before any preprocessing, whose results may differ between fits.

    Returns
    -------
    sample_ids : ndarray of shape (n_rows,), dtype str
        All different.

    Raises
    ------
    TypeError
        If a row holds an object whose content cannot be read.

    See Also
    --------
    CachedOracle : Keep answers by such ids.

    Notes
    -----
    An id is a BLAKE2 hash of 128 bits. Who knows the ids can find out whether a row
    that they guess is among them, so that they are no secret for rows that can be
    guessed.

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
