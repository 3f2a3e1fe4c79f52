"""Graph density: rows in the densest places of a graph of neighbours."""

from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.neighbors import kneighbors_graph

from skactive.acquisition._base import select_without_embedding
from skactive.acquisition._keeping import KeepingStrategy
from skactive.utils._sklearn import Interval
from skactive.utils._threads import one_thread
from skactive.utils._ties import in_order

# Scores are sums of numbers up to 1, whose rounding errors are below this.
_TIE = 1e-12


def graph_density(features, n_neighbors=10):
    """Return the mean weight of the edges of rows in a graph of nearest neighbours.

    Two rows share an edge if one is among the nearest neighbours of the other by the
    Manhattan distance d. Its weight is exp(-d / n_features).

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_features)
        Rows.

    n_neighbors : int, default=10
        Number of neighbours of each row; all others if there are fewer.

    Returns
    -------
    density : ndarray of shape (n_samples,)
        In [0, 1]; 1 where all neighbours are duplicates.

    References
    ----------
    .. [1] S. Ebert, M. Fritz, B. Schiele. "RALF: a reinforced active learning
       formulation for object class recognition". CVPR 2012.

    Examples
    --------
    >>> from skactive.acquisition.functional import graph_density
    >>> graph_density([[0.0], [0.1], [0.3], [2.0]], n_neighbors=1).round(4)
    array([0.9048, 0.8618, 0.5007, 0.1827])
    """
    if not issparse(features):
        features = np.asarray(features, dtype=np.float64)
    return _densities(_neighbor_graph(features, n_neighbors))


class GraphDensitySampling(KeepingStrategy):
    """Query the rows in the densest places, away from those queried before.

    In a graph of nearest neighbours, the score of a row is the mean weight of its
    edges. The row of the highest score is queried, and its score is subtracted from
    those of its neighbours [1]_, so that the next row comes from elsewhere. It needs no
    model, only an embedding of the rows. Scale the features, as the weight of an edge
    is exp(-d / n_features), where d is the Manhattan distance.

    Rows that were labelled beforehand or queried by another strategy lower the scores
    of their neighbours, too. The well-known implementation [2]_ ignores rows that were
    labelled before its first query, as ``discount_labeled=False`` does.

    Time: O(m^2 n_components) for a graph of m rows, once while the embedding is the
    same in all rounds, O(m) for each query; memory: O(m (n_neighbors + n_components)).

    :Uses: features
    :Cost of a round: a 10-NN graph, once
    :Batch: yes
    :Guide: :doc:`/user_guide/density`

    Parameters
    ----------
    n_neighbors : int, default=10
        Number of neighbours of each row in the graph.

    discount_labeled : bool, default=True
        Whether rows that were labelled before the first query lower the scores of their
        neighbours.

    max_samples : int, default=10_000
        The graph of a larger pool holds a random sample of this size: up to one half
        labelled or queried rows, the rest candidates. Other candidates are queried only
        when those in the graph are used up and another sample is drawn.

    See Also
    --------
    skactive.acquisition.functional.graph_density :
        The scores at the beginning, for an array.

    References
    ----------
    .. [1] S. Ebert, M. Fritz, B. Schiele. "RALF: a reinforced active learning
       formulation for object class recognition". CVPR 2012.
    .. [2] Y. Yang, D. Tsai. "Active learning playground". 2017,
       https://github.com/google/active-learning.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> X, y = make_blobs(centers=4, random_state=0, cluster_std=0.1)
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), oracle=lambda X, sample_ids: y[sample_ids],
    ...     initial_strategy="graph_density", batch_size=20, budget=20, random_state=0,
    ... )
    >>> clf.fit(X, np.full(100, -1), sample_ids=np.arange(100)).classes_
    array([0, 1, 2, 3])
    """

    _parameter_constraints = {
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "discount_labeled": ["boolean"],
        "max_samples": [Interval(Integral, 2, None, closed="left")],
    }

    def __init__(self, n_neighbors=10, *, discount_labeled=True, max_samples=10_000):
        self.n_neighbors = n_neighbors
        self.discount_labeled = discount_labeled
        self.max_samples = max_samples

    @property
    def needs(self):
        return frozenset({"embedding"})

    def select(self, pool, n_queries):
        if not pool.has_embedding:
            return select_without_embedding(pool, n_queries)
        graph = getattr(self, "kept_", None)
        if graph is None or not graph.serves(pool, n_queries):
            rows = self._sample(pool, n_queries)
            # The order of the file must not decide which of equally near rows are
            # neighbours.
            rows = rows[in_order(pool.tie_keys(rows))]
            with one_thread():
                features = pool.embedding(rows)
                graph = _Graph.build(pool.X, rows, features, self.n_neighbors)
        if pool.embedding_is_fixed:
            self.kept_ = graph
        is_known = pool.labeled | pool.asked
        if not self.discount_labeled:
            is_known = is_known & (pool.labeled_iter != 0)
        return graph.choose(pool.candidates, is_known, n_queries)

    def _sample(self, pool, n_queries):
        """Return the rows of the graph, ascending."""
        n_rows = len(pool.labeled)
        if n_rows <= self.max_samples:
            return np.arange(n_rows)
        rng = np.random.default_rng(pool.random_state)
        known = rng.permutation(np.flatnonzero(pool.labeled | pool.asked))
        known = known[: self.max_samples // 2]
        others = np.setdiff1d(np.arange(n_rows), np.append(known, pool.candidates))
        others = rng.permutation(others[~(pool.labeled | pool.asked)[others]])
        free = np.concatenate([rng.permutation(pool.candidates), others])
        size = max(self.max_samples - len(known), n_queries)
        return np.sort(np.concatenate([known, free[:size]]))


@dataclass
class _Graph:
    """A graph of neighbours, and its scores given the known rows."""

    X: Any
    rows: np.ndarray  # row numbers of X; of equal scores, the first is picked
    weights: csr_matrix
    scores: np.ndarray
    picks: list  # positions of rows whose neighbours were lowered, in order
    chosen: list  # positions of the rows chosen last

    @classmethod
    def build(cls, X, rows, features, n_neighbors):
        weights = _neighbor_graph(features, n_neighbors)
        return cls(X, rows, weights, _densities(weights), [], [])

    def serves(self, pool, n_queries):
        """Tell whether the graph holds enough candidates of a pool."""
        n_inside = np.isin(pool.candidates, self.rows, assume_unique=True).sum()
        return self.X is pool.X and n_inside >= min(n_queries, len(pool.candidates))

    def choose(self, candidates, is_known, n_queries):
        """Choose rows of X: the highest score first, which lowers those around it."""
        is_known = is_known[self.rows]
        if not is_known[self.picks].all():
            # A row is no longer known: this is another run on the same data.
            self._start_again()
        elif is_known[self.chosen].all():
            # The last choice was queried as a whole, so its order is kept. Otherwise
            # its rows count as queried by another strategy.
            self._lower(self.chosen)
        self.chosen = []
        new = is_known.copy()
        new[self.picks] = False
        self.picks += _pick_highest(self.weights, self.scores, new, new.sum())
        allowed = np.isin(self.rows, candidates, assume_unique=True)
        scores = self.scores.copy()
        self.chosen = _pick_highest(self.weights, scores, allowed, n_queries)
        return self.rows[self.chosen]

    def _start_again(self):
        self.scores, self.picks = _densities(self.weights), []

    def _lower(self, positions):
        for position in positions:
            _lower_around(self.weights, self.scores, position)
        self.picks += positions


def _pick_highest(weights, scores, allowed, n_picks):
    """Pick rows of the highest scores; each pick lowers those around it."""
    picks, allowed = [], allowed.copy()
    for _ in range(n_picks):
        left = np.where(allowed, scores, -np.inf)
        best = int((left >= left.max() - _TIE).argmax())
        _lower_around(weights, scores, best)
        allowed[best] = False
        picks.append(best)
    return picks


def _lower_around(weights, scores, position):
    start, stop = weights.indptr[position : position + 2]
    scores[weights.indices[start:stop]] -= scores[position]


def _neighbor_graph(features, n_neighbors):
    """Return the symmetric weights of a graph of nearest neighbours."""
    n_rows, n_features = features.shape
    n_neighbors = min(n_neighbors, n_rows - 1)
    if n_neighbors == 0:
        return csr_matrix((n_rows, n_rows))
    graph = kneighbors_graph(features, n_neighbors, mode="distance", p=1)
    # exp(-d) may underflow to 0, and the edge would be lost.
    tiny = np.finfo(np.float64).tiny
    graph.data = np.maximum(np.exp(-graph.data / n_features), tiny)
    return graph.maximum(graph.T).tocsr()


def _densities(weights):
    n_edges = np.diff(weights.indptr)
    return np.asarray(weights.sum(axis=1)).ravel() / np.maximum(n_edges, 1)
