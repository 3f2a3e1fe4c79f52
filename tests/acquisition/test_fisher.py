"""BAIT: every step against traces of matrices that are built in full."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix, issparse
from sklearn.datasets import make_blobs
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearningClassifier
from skactive.acquisition import BAITSampling
from skactive.acquisition.functional import bait
from skactive.acquisition.model_change import _bait as module
from skactive.testing import make_pool


def information(p, h):
    """The Fisher information of a sample about all weights of a softmax layer."""
    return np.kron(np.diag(p) - np.outer(p, p), np.outer(h, h))


def random_rows(n, n_classes, n_features, seed=0):
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, n_features))
    return rng.dirichlet(np.ones(n_classes), n), features, rng.random(n) < 0.2


def explicit_bait(proba, features, n_queries, labeled, reg):
    """Return the choices, and the smallest gap to a second best one."""
    infos = [information(p, h) for p, h in zip(proba, features, strict=True)]
    matrix = reg * np.eye(len(infos[0])) + sum(np.array(infos)[labeled])
    total, chosen, gap = sum(infos), [], np.inf

    def best(rows, sign):
        nonlocal gap
        traces = [
            np.trace(np.linalg.solve(matrix + sign * infos[i], total)) for i in rows
        ]
        lowest, *others = np.sort(traces)
        gap = min([gap, *((second - lowest) / second for second in others[:1])])
        return rows[int(np.argmin(traces))]

    for _ in range(min(2 * n_queries, (~labeled).sum())):
        left = [i for i in np.flatnonzero(~labeled) if i not in chosen]
        chosen.append(int(best(left, 1)))
        matrix = matrix + infos[chosen[-1]]
    while len(chosen) > n_queries:
        chosen.remove(removed := best(chosen, -1))
        matrix = matrix - infos[removed]
    return chosen, gap


def pool_of(X, y, *, known, asked=(), candidates=None, estimator=None, random_state=0):
    labeled = np.isin(np.arange(len(y)), known)
    asked = np.isin(np.arange(len(y)), asked)
    if candidates is None:
        candidates = np.flatnonzero(~(labeled | asked))
    return make_pool(
        X,
        np.where(labeled, y, -1),
        labeled,
        candidates,
        estimator=estimator or LogisticRegression(),
        asked=asked,
        random_state=random_state,
    )


@pytest.mark.parametrize("n_classes", [2, 3, 5])
@pytest.mark.parametrize("seed", range(6))
def test_bait_chooses_what_full_matrices_would(n_classes, seed):
    n_features, n_queries = 1 + seed % 4, 1 + seed % 3
    proba, features, labeled = random_rows(16, n_classes, n_features, seed)
    reg = 10.0 ** (seed % 3 - 1)
    chosen = bait(proba, features, n_queries, labeled=labeled, reg=reg)
    expected, gap = explicit_bait(proba, features, n_queries, labeled, reg)
    assert gap > 1e-9
    assert chosen.tolist() == expected


@pytest.mark.parametrize("scale", [1e-2, 1.0, 1e3])
@pytest.mark.parametrize("seed", [0, 25, 31, 33])
def test_bait_is_exact_at_any_scale(scale, seed):
    proba, features, labeled = random_rows(30, 3, 3, seed)
    features *= scale
    chosen = bait(proba, features, 6, labeled=labeled, reg=0.01)
    expected, gap = explicit_bait(proba, features, 6, labeled, 0.01)
    assert gap > 1e-6
    assert chosen.tolist() == expected


def test_bait_removes_some_of_its_first_choices():
    proba, features, labeled = random_rows(30, 3, 3, seed=33)
    n_candidates = (~labeled).sum()
    forward = bait(proba, features, n_candidates, labeled=labeled, reg=0.01)
    chosen = bait(proba, features, 6, labeled=labeled, reg=0.01)
    assert set(chosen.tolist()) <= set(forward[:12].tolist())
    assert set(chosen.tolist()) != set(forward[:6].tolist())


@pytest.mark.parametrize("n_classes", [2, 4])
def test_every_gain_and_loss_is_a_difference_of_traces(n_classes):
    proba, features, labeled = random_rows(12, n_classes, 3)
    infos = np.array([information(p, h) for p, h in zip(proba, features, strict=True)])
    total, known = (
        module._no_information(n_classes, 3),
        module._no_information(n_classes, 3),
    )
    module._add_information(total, proba, features)
    module._add_information(known, proba[labeled], features[labeled])
    search = module._TraceSearch(total, known, 0.5, proba, features)
    search._refresh()
    matrix = 0.5 * np.eye(3 * n_classes) + infos[labeled].sum(axis=0)

    def traces(sign):
        before, *after = (
            np.trace(np.linalg.solve(m, infos.sum(axis=0)))
            for m in [matrix, *(matrix + sign * infos)]
        )
        return before - np.array(after)

    for row in (2, 5, 7, 9):
        np.testing.assert_allclose(search._gains([]), traces(1), rtol=1e-10)
        search._change(row, 1)
        matrix += infos[row]
    for row in (5, 2):
        added = [r for r in (2, 5, 7, 9) if r >= row]
        np.testing.assert_allclose(
            search._losses()[added], -traces(-1)[added], rtol=1e-9
        )
        search._change(row, -1)
        matrix -= infos[row]


def test_one_sample_of_each_direction_is_enough():
    features = [[3.0, 0.0], [2.9, 0.0], [0.0, 2.0], [0.0, 1.9]]
    assert bait([[0.5, 0.5]] * 4, features, 2).tolist() == [0, 2]
    labeled = [True, False, False, False]
    assert bait([[0.5, 0.5]] * 4, features, 1, labeled=labeled).tolist() == [2]


def test_rows_about_which_nothing_is_uncertain_come_last():
    proba = [[1.0, 0.0], [0.5, 0.5], [0.0, 1.0], [0.4, 0.6]]
    assert sorted(bait(proba, [[1.0], [1.0], [1.0], [1.0]], 2)) == [1, 3]


def test_the_order_of_rows_and_of_classes_does_not_matter():
    proba, features, labeled = random_rows(40, 4, 3)
    rng = np.random.default_rng(0)
    rows, classes = rng.permutation(40), rng.permutation(4)
    chosen = bait(proba, features, 5, labeled=labeled)
    other = bait(proba[rows][:, classes], features[rows], 5, labeled=labeled[rows])
    assert sorted(rows[other]) == sorted(chosen)


def test_only_the_given_candidates_are_chosen_but_all_samples_count():
    proba, features, labeled = random_rows(20, 3, 3)
    candidates = np.flatnonzero(~labeled)[::2]
    chosen = bait(proba, features, 3, labeled=labeled, candidates=candidates)
    assert np.isin(chosen, candidates).all()
    far = np.concatenate([features, [[0.0, 0.0, 1e3]]])
    with_far = bait(
        np.concatenate([proba, proba[:1]]),
        far,
        1,
        labeled=np.append(labeled, False),
        candidates=candidates,
    )
    assert with_far.item() == candidates[np.argmax(np.abs(features[candidates, 2]))]


@pytest.mark.parametrize("proba", [np.eye(2)[[0] * 6], np.full((6, 2), 0.5)])
@pytest.mark.parametrize("scale", [0.0, 1e-12, 1.0, 1e9])
def test_degenerate_samples_are_different_choices(proba, scale):
    for features in (np.ones((6, 2)), np.random.default_rng(0).normal(size=(6, 2))):
        chosen = bait(proba, scale * features, 4, reg=1e-6)
        assert len(set(chosen.tolist())) == 4
    assert sorted(bait(proba, features, 6)) == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("reg", [1e-6, 1e6])
def test_features_of_any_scale_do_not_end_in_an_error(reg):
    for seed in range(6):
        rng = np.random.default_rng(seed)
        nearly_certain = rng.dirichlet(np.full(4, 0.001), 60)
        far, mixed = np.full((60, 2), 1e13), rng.standard_normal((60, 2)) * [1e-12, 1e9]
        for features in (far, mixed):
            chosen = bait(nearly_certain, features, 20, reg=reg)
            assert len(set(chosen.tolist())) == 20


def test_many_labels_far_from_the_origin_do_not_end_in_an_error():
    for seed in range(5):
        proba, features, _ = random_rows(600, 3, 4, seed)
        chosen = bait(proba, features + 1e8, 8, labeled=np.arange(600) < 560)
        assert len(set(chosen.tolist())) == 8


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="at least two classes"):
        bait(np.ones((3, 1)), np.ones((3, 2)), 1)


def test_strategy_counts_rows_without_an_answer_as_known():
    X, y = make_blobs(60, centers=3, cluster_std=3, random_state=0)
    known, asked = [0, 5, 7, 9, 30], [1, 2, 40]
    pool = pool_of(X, y, known=known, asked=asked)
    proba = pool.estimator.predict_proba(X)
    covered = np.isin(np.arange(60), known + asked)
    expected = bait(proba, X, 8, labeled=covered, reg=2.0)
    assert BAITSampling(reg=2.0).select(pool, 8).tolist() == expected.tolist()
    assert expected.tolist() != bait(proba, X, 8, labeled=pool.labeled).tolist()


def test_strategy_weighs_all_rows_where_it_may_ask_some_only():
    X, y = make_blobs(60, centers=3, cluster_std=3, random_state=0)
    known, some = np.arange(0, 60, 10), np.arange(1, 60, 3)
    pool = pool_of(X, y, known=known, candidates=np.setdiff1d(some, known))
    expected = bait(
        pool.estimator.predict_proba(X),
        X,
        5,
        labeled=pool.labeled,
        candidates=pool.candidates,
    )
    assert BAITSampling().select(pool, 5).tolist() == expected.tolist()


def test_strategy_looks_at_a_sample_of_too_many_candidates():
    X, y = make_blobs(300, centers=3, cluster_std=3, random_state=0)
    strategy = BAITSampling(max_candidates=50)
    asked = {}
    for seed in (0, 0, 1):
        pool = pool_of(X, y, known=range(9), random_state=seed)
        rows = strategy.select(pool, 5).tolist()
        assert asked.setdefault(seed, rows) == rows
        sampled = strategy._sample(pool, 5)
        assert len(sampled) == 50
        assert np.isin(rows, pool.candidates[sampled]).all()
    assert asked[0] != asked[1]
    assert len(set(strategy.select(pool, 100).tolist())) == 100


@pytest.mark.parametrize("container", [np.asarray, csr_matrix])
def test_strategy_projects_too_many_features(container):
    X, y = make_blobs(80, n_features=40, centers=3, random_state=0)
    pool = pool_of(container(X), y, known=range(9))
    embedding = module._DenseEmbedding(pool, 7)
    ((rows, features),) = embedding.blocks(np.arange(20))
    assert rows.tolist() == list(range(20))
    assert features.shape == (20, 7)
    assert BAITSampling(max_components=7).select(pool, 5).shape == (5,)
    # Directions and lengths survive on average.
    wide = np.random.default_rng(0).standard_normal((300, 40))
    embedding = module._DenseEmbedding(
        pool_of(wide, y.repeat(4)[:300], known=[0, 5, 9]), 20
    )
    ((_, features),) = embedding.blocks(np.arange(300))
    assert (features**2).sum() == pytest.approx((wide**2).sum(), rel=0.2)


class Densifying(LogisticRegression):
    """Learns the same from sparse data as from dense data."""

    def fit(self, X, y):
        return super().fit(X.toarray() if issparse(X) else X, y)


def test_strategy_asks_the_same_rows_of_sparse_data():
    X, y = make_blobs(60, n_features=6, centers=3, cluster_std=4, random_state=0)
    dense, sparse = (
        BAITSampling().select(pool_of(X, y, known=range(9), estimator=Densifying()), 9)
        for X in (X, csr_matrix(X))
    )
    assert sparse.tolist() == dense.tolist()


def test_both_limits_are_lowered_for_many_classes(monkeypatch):
    X, y = make_blobs(200, n_features=30, centers=9, random_state=0)
    known = np.unique(y, return_index=True)[1]
    pool = pool_of(X, y, known=known)
    monkeypatch.setattr(module, "_MAX_NUMBERS", 6400)
    assert module._DenseEmbedding(pool, 100).n_components == 10
    assert len(BAITSampling()._sample(pool, 5)) == 100
    assert len(set(BAITSampling().select(pool, 20).tolist())) == 20


@pytest.mark.parametrize("size", [1, 2000])
def test_the_size_of_blocks_does_not_matter(monkeypatch, size):
    X, y = make_blobs(100, centers=4, cluster_std=3, random_state=0)
    expected = BAITSampling().select(pool_of(X, y, known=range(12)), 10)
    monkeypatch.setattr(module, "_BLOCK_NUMBERS", size)
    monkeypatch.setattr(module, "block_rows", lambda row: 7)
    rows = BAITSampling().select(pool_of(X, y, known=range(12)), 10)
    assert rows.tolist() == expected.tolist()


@pytest.mark.parametrize("n_classes", [2, 10])
def test_strategy_asks_as_many_candidates_as_wanted(n_classes):
    X, y = make_blobs(150, centers=n_classes, random_state=0)
    known = np.unique(y, return_index=True)[1]
    pool = pool_of(X, y, known=known, asked=[140, 149])
    for n_queries in (1, 10, 100, len(pool.candidates)):
        rows = BAITSampling().select(pool, n_queries)
        assert len(set(rows.tolist())) == n_queries
        assert np.isin(rows, pool.candidates).all()


def test_strategy_asks_a_single_candidate():
    X, y = np.ones((8, 2)), np.array([0, 1] * 4)
    assert BAITSampling().select(pool_of(X, y, known=range(7)), 1).tolist() == [7]


def test_strategy_works_on_raw_text_in_a_pipeline():
    texts = [f"{'good' if i % 2 else 'bad'} day number {i}" for i in range(30)]
    truth = np.array(["good" if i % 2 else "bad" for i in range(30)], dtype=object)
    clf = ActiveLearningClassifier(
        make_pipeline(TfidfVectorizer(), LogisticRegression()),
        oracle=lambda X: [text.split()[0] for text in X],
        strategy=BAITSampling(max_components=10),
        missing_label=None,
        batch_size=3,
        budget=6,
        random_state=0,
    ).fit(texts, np.where(np.arange(30) < 4, truth, None))
    assert clf.n_queries_ == 6
    assert clf.score(texts, truth) > 0.9


@pytest.mark.parametrize(
    "parameter", [{"reg": 0.0}, {"max_candidates": 0}, {"max_components": 2.5}]
)
def test_parameters_are_validated(parameter):
    (name,) = parameter
    with pytest.raises(ValueError, match=f"'{name}' parameter of BAITSampling"):
        BAITSampling(**parameter)._validate_params()
