"""Density in a graph of neighbours, against the published loop."""

import pickle

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression

from skactive import testing
from skactive._pool.kept import Kept
from skactive.acquisition import GraphDensitySampling
from skactive.acquisition.functional import graph_density

X, _ = make_blobs(120, 3, centers=4, random_state=0)


def maker(X):
    """Return a function that makes the pools of one run."""
    kept = Kept.of_run(X, LogisticRegression())

    def make_pool(labeled, asked=(), candidates=None, given=None):
        rows = np.arange(X.shape[0])
        is_labeled, is_asked = np.isin(rows, labeled), np.isin(rows, asked)
        if candidates is None:
            candidates = np.flatnonzero(~(is_labeled | is_asked))
        bought = is_labeled & ~np.isin(rows, labeled if given is None else given)
        return testing.make_pool(
            X,
            np.where(is_labeled, rows % 2, -1),
            is_labeled,
            np.asarray(candidates),
            estimator=LogisticRegression(),
            asked=is_asked,
            labeled_iter=np.where(bought, 1, np.where(is_labeled, 0, -1)),
            kept=kept,
        )

    return make_pool


def plain_graph(X, n_neighbors):
    """Weights of edges, in a loop over rows."""
    distances = np.abs(X[:, np.newaxis] - X).sum(axis=2)
    np.fill_diagonal(distances, np.inf)
    edges = np.zeros_like(distances, dtype=bool)
    for i, row in enumerate(distances):
        edges[i, np.argsort(row, kind="stable")[:n_neighbors]] = True
    edges |= edges.T
    return edges, np.where(edges, np.exp(-distances / X.shape[1]), 0.0)


def plain_graph_picks(X, n_queries, labeled, n_neighbors=10):
    """The published loop, on all rows; the neighbours of labelled rows stay."""
    edges, weights = plain_graph(X, n_neighbors)
    scores, chosen = weights.sum(axis=1) / edges.sum(axis=1), []
    for _ in range(n_queries):
        scores[labeled + chosen] = scores.min() - 1
        best = int(scores.argmax())
        scores[edges[best]] -= scores[best]
        chosen.append(best)
    return chosen


def test_graph_density_has_the_worked_values():
    # Edges 0-1, 1-2 and 2-3, of lengths 1, 2 and 3.
    values = graph_density([[0.0], [1.0], [3.0], [6.0]], n_neighbors=1)
    a, b, c = np.exp([-1, -2, -3])
    np.testing.assert_allclose(values, [a, (a + b) / 2, (b + c) / 2, c])


@pytest.mark.parametrize("n_neighbors", [1, 4, 10])
def test_graph_density_equals_its_definition(n_neighbors):
    edges, weights = plain_graph(X, n_neighbors)
    expected = weights.sum(axis=1) / edges.sum(axis=1)
    np.testing.assert_allclose(graph_density(X, n_neighbors), expected, rtol=1e-10)
    sparse = graph_density(csr_matrix(X), n_neighbors)
    np.testing.assert_allclose(sparse, expected, rtol=1e-10)


def test_graph_density_of_few_equal_or_distant_rows():
    assert graph_density([[1.0]]).tolist() == [0.0]
    assert graph_density(np.ones((3, 2))).tolist() == [1.0] * 3
    far = graph_density([[0.0], [1e6]])
    assert ((far > 0) & (far < 1e-300)).all()  # the edge is there all the same


def test_rounds_ask_what_the_published_loop_asks():
    strategy, make_pool = GraphDensitySampling(discount_labeled=False), maker(X)
    given, labeled = [0, 7, 50], [0, 7, 50]
    for n_queries in (1, 10, 100):
        pool = make_pool(labeled, given=given)
        n_queries = min(n_queries, len(pool))
        labeled = labeled + strategy.select(pool, n_queries).tolist()
    assert labeled[3:] == plain_graph_picks(X, len(labeled) - 3, given)


def scores_after(*groups):
    """Scores of the graph when rows lower others, highest first in each group."""
    edges, weights = plain_graph(X, 10)
    scores = weights.sum(axis=1) / edges.sum(axis=1)
    for group in groups:
        left = list(group)
        while left:
            best = max(left, key=lambda row: scores[row])
            scores[edges[best]] -= scores[best]
            left.remove(best)
    for group in groups:
        scores[group] = -np.inf
    return scores


def test_known_rows_lower_their_neighbours_highest_score_first():
    known = [3, 30, 60, 90, 100, 110]
    pool = maker(X)(known[:3], asked=known[3:])
    assert GraphDensitySampling().select(pool, 1) == [scores_after(known).argmax()]


def test_a_batch_equals_single_queries():
    make_pool, one, singles = maker(X), GraphDensitySampling(), []
    for _ in range(6):
        singles += one.select(make_pool([0, 1, *singles]), 1).tolist()
    assert GraphDensitySampling().select(make_pool([0, 1]), 6).tolist() == singles


def test_choices_that_were_not_asked_leave_no_trace():
    make_pool, strategy = maker(X), GraphDensitySampling()
    chosen = strategy.select(make_pool([0, 1]), 6).tolist()
    asked = [*chosen[1:4], 77]
    found = strategy.select(make_pool([0, 1, *asked]), 1)
    expected = scores_after([0, 1], asked)
    assert found == [expected.argmax()]
    is_open = expected > -np.inf
    kept = strategy.kept_
    np.testing.assert_allclose(
        kept.scores[np.argsort(kept.rows)][is_open], expected[is_open]
    )
    # Not even the first labels are what they were: all begins again.
    found = strategy.select(make_pool([5, 1]), 1)
    assert found == [scores_after([1, 5]).argmax()]


def test_large_pools_are_sampled_with_a_seed_and_used_up():
    strategy, make_pool = GraphDensitySampling(max_samples=30), maker(X)
    known = list(range(0, 40, 2))
    first = strategy.select(make_pool(known), 8)
    assert len(strategy.kept_.rows) == 30
    assert np.isin(strategy.kept_.rows, known).sum() == 15
    other = GraphDensitySampling(max_samples=30).select(make_pool(known), 8)
    np.testing.assert_array_equal(first, other)
    rest = strategy.select(make_pool([*known, *first]), 92)
    assert len(set(rest)) == 92
    assert set(strategy.select(make_pool(known, candidates=[1, 3]), 2)) == {1, 3}


def test_the_graph_is_not_pickled():
    strategy = GraphDensitySampling()
    strategy.select(maker(X)([0]), 1)
    assert len(pickle.dumps(strategy)) < 1000


def test_a_graph_of_rows_without_an_embedding_is_asked_at_random():
    make_pool = maker(np.array([["a"], ["b"], ["c"]], dtype=object))
    with pytest.warns(UserWarning, match="no embedding"):
        assert set(GraphDensitySampling().select(make_pool([0]), 2)) == {1, 2}
