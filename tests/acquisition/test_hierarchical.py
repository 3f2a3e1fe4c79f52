"""Hierarchical sampling: bounds, prunings against all prunings, and runs."""

import itertools
import pickle

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import pairwise_distances_argmin

from skactive import ActiveLearningClassifier, testing
from skactive._pool.kept import Kept
from skactive.acquisition import HierarchicalSampling
from skactive.acquisition.diversity._hierarchical import _draw, _refine, _Tree, _ward
from skactive.acquisition.functional import admissible_labels, label_bounds
from skactive.oracles import SimulatedOracle

# The leaves 0 to 4; node 5 holds 0 and 1, 6 holds 2 and 3, 7 holds 2 to 4, and 8 all.
CHILDREN = np.array([[0, 1], [2, 3], [4, 6], [5, 7]])


def maker(X, y, estimator=None):
    """Return a function that makes the pools of one run."""
    estimator = LogisticRegression() if estimator is None else estimator
    kept = Kept.of_run(X, estimator)

    def make_pool(labeled, asked=(), **kwargs):
        rows = np.arange(X.shape[0])
        is_labeled, is_asked = np.isin(rows, labeled), np.isin(rows, asked)
        return testing.make_pool(
            X,
            np.where(is_labeled, y, -1),
            is_labeled,
            np.flatnonzero(~(is_labeled | is_asked)),
            estimator=estimator,
            asked=is_asked,
            kept=kept,
            **kwargs,
        )

    return make_pool


def test_bounds_have_the_worked_values():
    lower, upper = label_bounds([[3, 1], [0, 2], [0, 0]])
    width = 1 / 4 + np.sqrt(0.75 * 0.25 / 4)
    np.testing.assert_allclose(lower, [[0.75 - width, 0], [0, 0.5], [0, 0]])
    np.testing.assert_allclose(upper, [[1, 0.25 + width], [0.5, 1], [1, 1]])


@pytest.mark.parametrize("beta", [1.0, 1.5, 2.0, 4.0])
def test_admissible_labels_are_those_of_the_definition(beta):
    rng = np.random.default_rng(0)
    for n_labels in (2, 3, 5):
        counts = rng.integers(0, [1, 60, 9, 4, 4][:n_labels], size=(50, n_labels))
        lower, upper = label_bounds(counts)
        for v, label in itertools.product(range(50), range(n_labels)):
            others = [upper[v, m] for m in range(n_labels) if m != label]
            expected = all(1 - lower[v, label] < beta * (1 - ub) for ub in others)
            assert admissible_labels(counts, beta)[v, label] == expected


def test_of_two_labels_one_is_admissible_above_a_lower_bound_of_a_third():
    counts = [[a, b] for a in range(20) for b in range(20)]
    np.testing.assert_array_equal(
        admissible_labels(counts), label_bounds(counts)[0] > 1 / 3 + 1e-12
    )


def test_a_tree_adds_up_what_is_below_each_node():
    X = np.random.default_rng(0).normal(size=(40, 2))
    children, of_leaves = _ward(X, np.arange(len(X))), np.arange(80.0).reshape(40, 2)
    sums = list(of_leaves)
    for left, right in children:
        sums.append(sums[left] + sums[right])
    tree = _Tree.build(children, np.ones(40, dtype=int))
    np.testing.assert_allclose(tree.add_up(of_leaves), sums)
    assert tree.sizes[-1] == 40
    assert sorted(np.concatenate(tree.levels)) == list(range(40, 79))


def all_prunings(node, children, n_leaves, may_split):
    """Return all prunings of the tree below a node."""
    found = [[node]]
    if node >= n_leaves and may_split[node]:
        below = [
            all_prunings(child, children, n_leaves, may_split)
            for child in children[node - n_leaves]
        ]
        found += [a + b for a, b in itertools.product(*below)]
    return found


@pytest.mark.parametrize("seed", range(30))
def test_no_other_pruning_has_a_lower_error(seed):
    rng = np.random.default_rng(seed)
    children = _ward(rng.normal(size=(7, 2)), np.arange(7))
    leaf_sizes = rng.integers(10, 40, size=7)
    leaf_counts = rng.integers(0, 9, (7, 3)) * (rng.random((7, 3)) < 0.4)
    tree = _Tree.build(children, leaf_sizes)
    counts = tree.add_up(leaf_counts)
    admissible, n_known = admissible_labels(counts), counts.sum(axis=1)
    cost = [
        size * min([1 - c / n for c, a in zip(row, ok, strict=True) if a], default=1)
        for size, row, ok, n in zip(
            tree.sizes, counts, admissible, n_known, strict=True
        )
    ]
    lowest = min(
        sum(cost[node] for node in pruning)
        for pruning in all_prunings(12, children, 7, admissible.any(axis=1))
    )
    nodes, _ = _refine(tree, counts, np.array([12]), np.array([0]), 2.0)
    assert sum(cost[node] for node in nodes) == pytest.approx(lowest)
    assert tree.sizes[nodes].sum() == leaf_sizes.sum()


def test_clusters_split_where_labels_differ_and_pass_their_label_on():
    # Leaves 0 and 1 are of label 0; of 2, 3 and 4 some rows are 1, and none of 4.
    tree = _Tree.build(CHILDREN, np.array([10, 10, 10, 10, 10]))
    counts = tree.add_up(np.array([[4, 0], [5, 0], [0, 4], [0, 3], [0, 0]]))
    nodes, labels = _refine(tree, counts, np.array([8]), np.array([0]), 2.0)
    assert dict(zip(nodes.tolist(), labels.tolist(), strict=True)) == {5: 0, 7: 1}
    # Node 7 splits when 4 turns out to be otherwise; a new label is not admissible yet.
    counts = tree.add_up(np.array([[4, 0], [5, 0], [0, 4], [0, 3], [1, 0]]))
    nodes, labels = _refine(tree, counts, nodes, labels, 2.0)
    assert dict(zip(nodes.tolist(), labels.tolist(), strict=True)) == {5: 0, 7: 1}
    counts = tree.add_up(np.array([[4, 0], [5, 0], [0, 4], [0, 3], [4, 0]]))
    nodes, labels = _refine(tree, counts, nodes, labels, 2.0)
    assert dict(zip(nodes.tolist(), labels.tolist(), strict=True)) == {5: 0, 6: 1, 4: 0}


def test_a_part_without_an_admissible_label_has_that_of_the_whole():
    # Half of the labels of 0 are 1, those of 1 all 0.
    tree = _Tree.build(np.array([[0, 1]]), np.array([50, 50]))
    counts = tree.add_up(np.array([[2, 2], [40, 0]]))
    nodes, labels = _refine(tree, counts, np.array([2]), np.array([1]), 2.0)
    assert (nodes.tolist(), labels.tolist()) == ([2], [0])
    nodes, labels = _refine(tree, counts, np.array([0, 1]), np.array([0, 0]), 2.0)
    assert (nodes.tolist(), labels.tolist()) == ([0, 1], [0, 0])
    nodes, labels = _refine(tree, counts, np.array([0, 1]), np.array([1, 1]), 2.0)
    assert (nodes.tolist(), labels.tolist()) == ([0, 1], [1, 0])


def test_parts_of_which_nothing_is_known_have_the_label_they_had_together():
    # The nodes 7 and 9 are two pure leaves each, and one without a known row.
    children = np.array([[0, 1], [6, 2], [3, 4], [8, 5], [7, 9]])
    tree = _Tree.build(children, np.array([100, 100, 3, 100, 100, 3]))
    counts = tree.add_up(np.array([[20, 0], [0, 24], [0, 0], [24, 0], [0, 20], [0, 0]]))
    nodes, labels = _refine(tree, counts, np.array([7, 9]), np.array([0, 0]), 2.0)
    label_of = dict(zip(nodes.tolist(), labels.tolist(), strict=True))
    assert label_of == {0: 0, 1: 1, 2: 1, 3: 0, 4: 1, 5: 0}


def test_rows_are_drawn_with_the_stated_probabilities():
    cluster, weights = np.array([0, 1, 0, 1, 1]), np.array([1.0, 3.0])
    firsts, seconds = np.zeros(5), np.zeros((5, 5))
    for seed in range(1500):
        rows, q = _draw(cluster, weights, 5, np.random.default_rng(seed))
        assert sorted(rows) == [0, 1, 2, 3, 4]
        assert q[0] == pytest.approx(1 / 8 if rows[0] in (0, 2) else 1 / 4)
        assert q[-1] == 1
        firsts[rows[0]] += 1
        seconds[rows[0], rows[1]] += 1
    np.testing.assert_allclose(
        firsts / 1500, [1 / 8, 1 / 4, 1 / 8, 1 / 4, 1 / 4], atol=0.05
    )
    after_1 = seconds[1] / seconds[1].sum()
    np.testing.assert_allclose(after_1, [1 / 8, 0, 1 / 8, 3 / 8, 3 / 8], atol=0.08)


def test_a_cluster_is_asked_in_proportion_to_its_size_and_what_is_open():
    X = np.concatenate([np.arange(12) / 10, 90 + np.arange(6) / 10]).reshape(-1, 1)
    make_pool = maker(X, np.repeat([0, 1], [12, 6]))
    strategy = HierarchicalSampling()
    rows = strategy.select(make_pool([*range(9), 12, 13]), 7)
    q = rows.probabilities
    assert len(np.unique(strategy.clusters_)) == 2
    assert strategy.labels_.tolist() == [0] * 12 + [1] * 6
    # Of nine labels alike the lower bound is 8 / 9, of two 1 / 2.
    weights, n_left = np.array([12 * (1 - 8 / 9), 6 * (1 - 1 / 2)]), np.array([3, 4])
    for row, probability in zip(rows, q, strict=True):
        cluster = int(row >= 12)
        share = weights[cluster] / weights[n_left > 0].sum()
        assert probability == pytest.approx(share / n_left[cluster])
        n_left[cluster] -= 1


def run(X, y, hidden, **kwargs):
    kwargs = {"strategy": "hierarchical", "batch_size": 4, "random_state": 0} | kwargs
    clf = ActiveLearningClassifier(
        LogisticRegression(), oracle=SimulatedOracle(y), **kwargs
    )
    return clf.fit(X, hidden, sample_ids=np.arange(len(y)))


@pytest.mark.parametrize("n_classes", [2, 5])
def test_few_labels_are_enough_for_all_rows_of_pure_clusters(n_classes):
    X, y = make_blobs(600, centers=n_classes, cluster_std=0.1, random_state=3)
    hidden = np.full(600, -1)
    clf = run(X, y, hidden, initial_strategy="hierarchical", budget=12 * n_classes)
    np.testing.assert_array_equal(clf.strategy_.labels_, y)
    assert np.isfinite(clf.query_probabilities_).all()


def test_clusters_are_only_ever_refined():
    X, y = make_blobs(200, centers=6, cluster_std=1.5, random_state=0)
    make_pool, strategy = maker(X, y), HierarchicalSampling()
    labeled, before = [], np.zeros(200, dtype=int)
    for seed in range(40):
        rows = strategy.select(make_pool(labeled, random_state=seed), 3)
        labeled.extend(rows)
        # Rows that are together now were together before.
        pairs = np.unique(np.stack([strategy.clusters_, before]), axis=1)
        assert len(pairs[0]) == len(np.unique(strategy.clusters_))
        before = strategy.clusters_
    assert len(np.unique(before)) > 4


def test_rows_without_an_answer_count_for_nothing():
    X, y = make_blobs(60, centers=3, random_state=0)
    make_pool = maker(X, y)
    clusters = []
    for asked in ([], [30, 31, 32]):
        strategy = HierarchicalSampling()
        rows = strategy.select(make_pool(np.arange(15), asked), 45 - len(asked))
        assert not set(asked) & set(rows.tolist())
        clusters.append(strategy.clusters_)
    np.testing.assert_array_equal(*clusters)


def test_classes_may_come_later_and_be_of_any_type():
    X, y = make_blobs(150, centers=4, cluster_std=0.2, random_state=0)
    names = np.array(["b", "a", "long name", "c"])[y]
    hidden = np.where(np.isin(names, ["b", "c"]) & (np.arange(150) < 20), names, None)
    clf = run(X, names, hidden, missing_label=None, budget=50)
    np.testing.assert_array_equal(clf.strategy_.labels_, names)


def test_rows_of_large_pools_go_with_the_nearest_linked_one():
    X, y = make_blobs(300, centers=5, cluster_std=0.5, random_state=0)
    strategy = HierarchicalSampling(max_samples=40)
    for data in (X, csr_matrix(X)):
        strategy.select(maker(data, y)([0, 1]), 5)
        kept = strategy.kept_
        linked = np.unique(kept.leaf_of_row, return_index=True)[1]
        assert kept.tree.n_leaves == len(linked) == 40
        assert kept.tree.sizes[-1] == 300
    rng = np.random.default_rng(0)  # the seed of the pool
    linked = np.sort(rng.choice(300, 40, replace=False))
    np.testing.assert_array_equal(
        kept.leaf_of_row, pairwise_distances_argmin(X, X[linked])
    )


def test_a_tree_of_some_rows_serves_as_well():
    X, y = make_blobs(600, centers=5, cluster_std=0.1, random_state=3)
    strategy = HierarchicalSampling(max_samples=50)
    clf = run(X, y, np.where(np.arange(600) < 10, y, -1), strategy=strategy, budget=60)
    np.testing.assert_array_equal(clf.strategy_.labels_, y)


class Embeds(LogisticRegression):
    """Features that change with the model."""

    def embed(self, X):
        return X * self.coef_[:1]


def test_the_tree_is_built_once_unless_the_embedding_moves():
    X, y = make_blobs(50, centers=2, random_state=0)
    for estimator, is_same in [(LogisticRegression(), True), (Embeds(), False)]:
        make_pool, strategy = maker(X, y, estimator), HierarchicalSampling()
        strategy.select(make_pool(np.arange(10)), 3)
        tree = strategy.kept_.tree
        strategy.select(make_pool(np.arange(13)), 3)
        assert (strategy.kept_.tree is tree) == is_same
    strategy.select(maker(X + 1, y)(np.arange(10)), 3)
    assert strategy.kept_.X is not X


@pytest.mark.parametrize("n_rows", [1, 2, 30])
def test_equal_rows_are_drawn_alike(n_rows):
    pool = maker(np.ones((n_rows, 2)), np.zeros(n_rows))([])
    rows = HierarchicalSampling().select(pool, n_rows)
    q = rows.probabilities
    assert sorted(rows) == list(range(n_rows))
    np.testing.assert_allclose(q, 1 / np.arange(n_rows, 0, -1))


class Texts(ClassifierMixin, BaseEstimator):
    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_rows_without_an_embedding_are_drawn_at_random_in_a_cold_start():
    clf = ActiveLearningClassifier(
        Texts(), oracle=lambda X: X, initial_strategy="hierarchical", strategy="random"
    )
    with pytest.warns(UserWarning, match="no embedding"):
        clf.set_params(missing_label=None, budget=4).fit(list("abab"), [None] * 4)


def test_a_pickled_strategy_leaves_the_tree_behind():
    X, y = make_blobs(50, centers=2, random_state=0)
    strategy = HierarchicalSampling()
    strategy.select(maker(X, y)(np.arange(10)), 3)
    copy = pickle.loads(pickle.dumps(strategy))
    np.testing.assert_array_equal(copy.labels_, strategy.labels_)
    assert not hasattr(copy, "kept_")


@pytest.mark.parametrize("params", [{"beta": 0.9}, {"max_samples": 0}])
def test_mistakes_are_found_before_any_label_is_paid_for(params):
    X, _ = make_blobs(20, random_state=0)
    clf = ActiveLearningClassifier(
        LogisticRegression(),
        oracle=pytest.fail,
        strategy=HierarchicalSampling(**params),
    )
    with pytest.raises(ValueError, match=r"parameter of HierarchicalSampling"):
        clf.fit(X, np.full(20, -1))
