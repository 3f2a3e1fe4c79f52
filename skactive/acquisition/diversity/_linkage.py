"""Trees of rows by linkage, in which ties do not depend on the order of the file."""

import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.sparse import issparse
from sklearn.metrics import pairwise_distances

from skactive.utils._rows import slices

# Distances are computed in blocks of about this many numbers, 8 MiB.
_BLOCK_NUMBERS = 2**20


def link_in_order(features, order, method):
    """Return the tree of scipy's `linkage`, with ties decided by an order of the rows.

    Without ties, it is the tree of the rows in their own order: leaves have the numbers
    of the rows, and the child of the lower number comes first.

    Parameters
    ----------
    features : {ndarray, sparse matrix} of shape (n_rows, n_features)
        Rows, in this order.

    order : ndarray of shape (n_rows,), dtype int
        The number of each of these rows, a permutation.

    method : str
        A method of `linkage`.

    Returns
    -------
    tree : ndarray of shape (n_rows - 1, 4)
        The merges.
    """
    tree = linkage(condensed_distances(features), method=method)
    children = tree[:, :2]
    is_leaf = children < len(order)
    children[is_leaf] = order[children[is_leaf].astype(np.intp)]
    children.sort(axis=1)
    return tree


def condensed_distances(features):
    """Return the distances of all pairs of rows, in scipy's condensed order."""
    n_samples = features.shape[0]
    if not issparse(features):
        # The expansion |x|^2 - 2xy + |y|^2 is exact only near the origin.
        features = features.astype(np.float64)
        features -= features.mean(axis=0)
    condensed = np.empty(n_samples * (n_samples - 1) // 2)
    filled = 0
    for block in slices(n_samples, _BLOCK_NUMBERS // n_samples):
        distances = pairwise_distances(features[block], features[block.start :])
        above = distances[np.triu(np.ones(distances.shape, dtype=bool), k=1)]
        condensed[filled : filled + len(above)] = above
        filled += len(above)
    return condensed
