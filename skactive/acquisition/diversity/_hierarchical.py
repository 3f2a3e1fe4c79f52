"""Hierarchical sampling: rows of clusters whose labels are still open."""

from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np

from skactive.acquisition._base import Selection, select_without_embedding
from skactive.acquisition._keeping import KeepingStrategy
from skactive.acquisition.diversity._clustering import nearest_center
from skactive.acquisition.diversity._linkage import link_in_order
from skactive.utils._labels import as_labels
from skactive.utils._sklearn import Interval
from skactive.utils._threads import one_thread
from skactive.utils._ties import in_order

# Relative difference of errors below which two clusterings are equally good.
_RELATIVE_ROUNDING = 1e-10


def label_bounds(counts):
    """Bound the share of each label in clusters in which some labels are known.

    For a share p among n known rows, the bounds are p ± (1 / n + sqrt(p (1 - p) / n)),
    clipped to [0, 1]; 0 and 1 if no row is known.

    Parameters
    ----------
    counts : array-like of shape (n_clusters, n_labels)
        Number of known rows of each cluster with each label.

    Returns
    -------
    lower, upper : ndarray of shape (n_clusters, n_labels)
        The bounds.

    References
    ----------
    .. [1] S. Dasgupta, D. Hsu. "Hierarchical sampling for active learning". ICML 2008.

    Examples
    --------
    >>> from skactive.acquisition.functional import label_bounds
    >>> lower, upper = label_bounds([[4, 0], [3, 1], [0, 0]])
    >>> lower.round(3)
    array([[0.75 , 0.   ],
           [0.283, 0.   ],
           [0.   , 0.   ]])
    >>> upper.round(3)
    array([[1.   , 0.25 ],
           [1.   , 0.717],
           [1.   , 1.   ]])
    """
    counts = np.asarray(counts, dtype=np.float64)
    n_known = counts.sum(axis=1, keepdims=True)
    is_known, n_known = n_known > 0, np.maximum(n_known, 1.0)
    share = counts / n_known
    width = 1.0 / n_known + np.sqrt(share * (1.0 - share) / n_known)
    lower = np.where(is_known, np.maximum(share - width, 0.0), 0.0)
    return lower, np.where(is_known, np.minimum(share + width, 1.0), 1.0)


def admissible_labels(counts, beta=2.0):
    """Tell which labels may be given to a cluster as a whole.

    A label is admissible if the error of giving it to all rows is surely less than
    `beta` times that of any other label: 1 - lower(l) < beta (1 - upper(l')) for all
    l' other than l, see :func:`label_bounds`. There may be none, or several.

    Parameters
    ----------
    counts : array-like of shape (n_clusters, n_labels)
        Number of known rows of each cluster with each label. At least two labels; one
        that was never seen has a column of zeros.

    beta : float, default=2.0
        Factor by which the error of an admissible label may exceed others, at least 1.

    Returns
    -------
    admissible : ndarray of shape (n_clusters, n_labels), dtype bool
        Which labels are admissible.

    References
    ----------
    .. [1] S. Dasgupta, D. Hsu. "Hierarchical sampling for active learning". ICML 2008.

    Examples
    --------
    A single row tells nothing, two of the same label do. Of two equally frequent
    labels, both are admissible once the shares are known well:

    >>> from skactive.acquisition.functional import admissible_labels
    >>> admissible_labels([[1, 0], [2, 0], [5, 5], [50, 50]])
    array([[False, False],
           [ True, False],
           [False, False],
           [ True,  True]])
    """
    lower, upper = label_bounds(counts)
    two_highest = np.partition(upper, -2, axis=1)[:, -2:]
    # The highest bound among the other labels is the second highest for the label that
    # has the highest.
    is_highest = np.arange(upper.shape[1]) == upper.argmax(axis=1)[:, np.newaxis]
    others = np.where(is_highest, two_highest[:, :1], two_highest[:, 1:])
    return 1.0 - lower < beta * (1.0 - others)


class HierarchicalSampling(KeepingStrategy):
    """Query random rows of clusters whose labels are open, and refine the clusters.

    All rows are clustered once into a tree, by Ward's linkage. The strategy holds a
    *pruning*, clusters of the tree that together hold every row once: at first all rows
    are one cluster. Each row to query comes from a cluster drawn in proportion to its
    size times one minus the lower bound for the share of its label, and is drawn there
    at random [1]_. So rows come from large clusters that are not known to be pure, and
    a pure cluster is left alone as soon as it is known to be pure; every row keeps a
    chance.

    After each round, each cluster of the pruning is split if that lowers the error of
    giving each cluster one label: that of the majority if it is admissible, see
    :func:`~skactive.acquisition.functional.admissible_labels`, otherwise that of its
    parent, which counts as an error of 1. Only clusters with an admissible label are
    split, so that noise in a few labels has no effect. All labels so far decide what is
    admissible.

    The probability of each pick, among the rows then left, is kept in
    `query_probabilities_`. All rows of a batch are drawn with the same clusters, as
    long as these have rows left. Rows that were labelled before the run, or queried by
    another strategy, count in their clusters as if they had been drawn at random: many
    of them in one corner of a cluster are misleading. Rows without an answer do not
    count.

    It needs no model, only an embedding of the rows; scale the features. The tree is
    built once while the embedding is the same in all rounds. One that changes, such as
    ``embed`` of the estimator, gives a new tree in each round, whose pruning starts
    with all rows as one cluster and is refined by all labels.

    Time: O(m^2 n_components) for the tree of m rows, once, and O(m n_classes) in a
    round. Memory: 8 m^2 bytes once (200 MB for 5,000 rows).

    :Uses: features, labels
    :Cost of a round: Ward's linkage, once
    :Batch: by chance
    :Guide: :doc:`/user_guide/representative`

    Parameters
    ----------
    beta : float, default=2.0
        Factor by which the error of an admissible label may exceed that of another one,
        at least 1. The lower it is, the more labels are needed for a split.

    max_samples : int, default=5_000
        Largest number of rows that are linked to a tree. In larger pools they are drawn
        at random, and each other row goes with its nearest linked row.

    Attributes
    ----------
    clusters_ : ndarray of shape (n_samples,), dtype int
        The cluster of each row of `X` when rows were selected last, as the number of a
        node of the tree.

    labels_ : ndarray of shape (n_samples,)
        The label of the cluster of each row at that time. Not set before there is a
        label.

    See Also
    --------
    skactive.acquisition.functional.admissible_labels :
        The labels that may be given to clusters.
    ClusterMarginSampling : Uncertain rows from the clusters of a tree.

    References
    ----------
    .. [1] S. Dasgupta, D. Hsu. "Hierarchical sampling for active learning". ICML 2008.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> X, y = make_blobs(200, centers=4, random_state=0, cluster_std=0.1)
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), oracle=lambda X, sample_ids: y[sample_ids],
    ...     initial_strategy="hierarchical", strategy="hierarchical",
    ...     batch_size=5, budget=40, random_state=0,
    ... ).fit(X, np.full(200, -1), sample_ids=np.arange(200))
    >>> bool((clf.strategy_.labels_ == y).all())
    True
    """

    _parameter_constraints = {
        "beta": [Interval(Real, 1, None, closed="left")],
        "max_samples": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, beta=2.0, *, max_samples=5_000):
        self.beta = beta
        self.max_samples = max_samples

    @property
    def needs(self):
        return frozenset({"embedding"})

    def select(self, pool, n_queries):
        if not pool.has_embedding:
            return select_without_embedding(pool, n_queries)
        rng = np.random.default_rng(pool.random_state)
        state = getattr(self, "kept_", None)
        if state is None or state.X is not pool.X or not pool.embedding_is_fixed:
            state = _Pruning.build(pool, self.max_samples, rng)
        self.kept_ = state
        # All labels so far refine the clusters, whoever queried them.
        weights = state.refine(pool, self.beta)
        cluster = state.cluster_of_rows()
        self.clusters_ = state.nodes[cluster]
        if len(pool.classes):
            self.labels_ = state.labels[cluster]
        rows, probabilities = _draw(
            cluster[pool.candidates], weights, min(n_queries, len(pool)), rng
        )
        return Selection(pool.candidates[rows], probabilities=probabilities)


@dataclass
class _Pruning:
    """A tree of the rows of one run, and the nodes of it that are the clusters."""

    X: Any
    tree: "_Tree"
    leaf_of_row: np.ndarray
    nodes: np.ndarray  # nodes of the tree, in the order of their leaves
    labels: np.ndarray  # the label of each of them

    @classmethod
    def build(cls, pool, max_samples, rng):
        n_rows = len(pool.labeled)
        linked = np.arange(n_rows)
        if n_rows > max_samples:
            linked = np.sort(rng.choice(n_rows, max_samples, replace=False))
        order = in_order(pool.tie_keys(linked))
        with one_thread():
            features = pool.embedding(linked[order])
            leaf_of_row = _nearest_linked(pool, linked, order, features)
            children = _ward(features, order)
        tree = _Tree.build(children, np.bincount(leaf_of_row, minlength=len(linked)))
        root = np.array([len(tree.sizes) - 1])
        return cls(pool.X, tree, leaf_of_row, root, pool.classes[:0])

    def refine(self, pool, beta):
        """Refine the clusters by all known labels; return weights to draw from them."""
        known, classes = np.flatnonzero(pool.labeled), pool.classes
        codes = np.searchsorted(classes, as_labels(pool.y[known]))
        leaf_counts = np.zeros((self.tree.n_leaves, max(2, len(classes))))
        np.add.at(leaf_counts, (self.leaf_of_row[known], codes), 1.0)
        counts = self.tree.add_up(leaf_counts)
        # A root without an admissible label gets that of the majority.
        inherited = counts[self.nodes].argmax(axis=1)
        if len(self.labels):
            inherited = np.searchsorted(classes, self.labels)
        self.nodes, labels = _refine(self.tree, counts, self.nodes, inherited, beta)
        if len(classes):
            self.labels = classes[labels]
        lower = label_bounds(counts[self.nodes])[0][np.arange(len(labels)), labels]
        return self.tree.sizes[self.nodes] * (1.0 - lower)

    def cluster_of_rows(self):
        """Return for each row the position of its cluster in `nodes`."""
        starts = self.tree.starts
        place = starts[self.leaf_of_row]
        return np.searchsorted(starts[self.nodes], place, side="right") - 1


@dataclass
class _Tree:
    """A binary tree: leaves come first, each node after its children, the root last.

    In the order of `order`, the leaves of each node are next to each other.
    """

    children: np.ndarray  # (n_leaves - 1, 2)
    levels: list  # the nodes with children, from the leaves up
    order: np.ndarray  # the leaves in order
    starts: np.ndarray  # where in this order the leaves of each node start, ...
    stops: np.ndarray  # ... and where they end
    sizes: np.ndarray  # number of rows of each node

    @classmethod
    def build(cls, children, leaf_sizes):
        n_leaves = len(leaf_sizes)
        levels = _levels(children, n_leaves)
        n_below = np.ones(2 * n_leaves - 1, dtype=np.intp)
        for level in levels:
            n_below[level] = n_below[children[level - n_leaves]].sum(axis=1)
        starts = np.zeros(2 * n_leaves - 1, dtype=np.intp)
        for level in reversed(levels):
            left, right = children[level - n_leaves].T
            starts[left] = starts[level]
            starts[right] = starts[level] + n_below[left]
        order = np.argsort(starts[:n_leaves])
        tree = cls(children, levels, order, starts, starts + n_below, None)
        tree.sizes = tree.add_up(leaf_sizes[:, np.newaxis]).ravel()
        return tree

    @property
    def n_leaves(self):
        return len(self.order)

    def children_of(self, nodes):
        """Return the children of inner nodes, (n_nodes, 2)."""
        return self.children[nodes - self.n_leaves]

    def add_up(self, of_leaves):
        """Return sums over the leaves of each node, (n_nodes, n_columns)."""
        sums = np.zeros((len(of_leaves) + 1, of_leaves.shape[1]))
        np.cumsum(of_leaves[self.order], axis=0, out=sums[1:])
        return sums[self.stops] - sums[self.starts]


def _levels(children, n_leaves):
    """Return the nodes with children, level by level from the leaves up."""
    heights = np.zeros(2 * n_leaves - 1, dtype=np.intp)
    while True:
        new = heights[children].max(axis=1) + 1
        if (new == heights[n_leaves:]).all():
            break
        heights[n_leaves:] = new
    nodes = np.argsort(heights, kind="stable")[n_leaves:]
    return np.split(nodes, np.flatnonzero(np.diff(heights[nodes])) + 1)


def _refine(tree, counts, nodes, inherited, beta):
    """Split nodes as long as that lowers the error; return the new nodes and labels.

    Labels are columns of `counts`; a node without an admissible one inherits.
    """
    admissible = admissible_labels(counts, beta)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1.0)
    adjusted = np.where(admissible, 1.0 - share, 1.0)
    has_label, best = admissible.any(axis=1), adjusted.argmin(axis=1)
    # Number of rows with a wrong label, if everything below a node is split in the best
    # way.
    errors = tree.sizes * adjusted.min(axis=1)
    splits = np.zeros(len(errors), dtype=bool)
    for level in tree.levels:
        below = errors[tree.children_of(level)].sum(axis=1)
        better = below < errors[level] * (1.0 - _RELATIVE_ROUNDING)
        splits[level] = better & has_label[level]
        errors[level] = np.where(splits[level], below, errors[level])
    return _split(tree, splits, nodes, np.where(has_label, best, -1), inherited)


def _split(tree, splits, nodes, own, inherited):
    """Replace nodes that split by their children, again and again."""
    labels = np.where(own[nodes] >= 0, own[nodes], inherited)
    while splits[nodes].any():
        split = splits[nodes]
        children = tree.children_of(nodes[split]).ravel()
        passed_on = np.repeat(labels[split], 2)
        new = np.where(own[children] >= 0, own[children], passed_on)
        nodes = np.concatenate([nodes[~split], children])
        labels = np.concatenate([labels[~split], new])
    order = np.argsort(tree.starts[nodes])
    return nodes[order], labels[order]


def _draw(cluster, weights, n_draws, rng):
    """Draw rows without replacement: a cluster by its weight, then a row of it.

    Return positions in `cluster`, and the probability of each among those left.
    """
    shuffled = rng.permutation(len(cluster))
    shuffled = shuffled[np.argsort(cluster[shuffled], kind="stable")]
    n_left = np.bincount(cluster, minlength=len(weights))
    following = np.cumsum(n_left) - n_left
    rows, probabilities = np.empty(n_draws, dtype=np.intp), np.empty(n_draws)
    for i in range(n_draws):
        up_to = np.cumsum(np.where(n_left > 0, weights, 0.0))
        chosen = np.searchsorted(up_to, up_to[-1] * rng.random(), side="right")
        rows[i] = shuffled[following[chosen]]
        probabilities[i] = weights[chosen] / up_to[-1] / n_left[chosen]
        following[chosen] += 1
        n_left[chosen] -= 1
    return rows, probabilities


def _ward(features, order):
    """Return the children of the nodes of a Ward tree, (n_rows - 1, 2).

    The features are those of the rows `order`, a permutation.
    """
    if features.shape[0] == 1:
        return np.empty((0, 2), dtype=np.intp)
    return link_in_order(features, order, "ward")[:, :2].astype(np.intp)


def _nearest_linked(pool, linked, order, features):
    """Return the position of the nearest linked row of each row.

    The features are those of the rows ``linked[order]``; the first of equally near rows
    counts as nearest.
    """
    n_rows = len(pool.labeled)
    nearest = np.empty(n_rows, dtype=np.intp)
    nearest[linked] = np.arange(len(linked))
    others = np.setdiff1d(np.arange(n_rows), linked, assume_unique=True)
    nearest[others] = order[nearest_center(pool, others, features)]
    return nearest
