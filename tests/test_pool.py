"""The pool: what strategies see, and the cost of reading it."""

import sys
import tracemalloc
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from skactive import ActiveLearningClassifier, testing
from skactive._loop import round as round_module
from skactive._loop import selecting
from skactive._pool import models as models_module
from skactive._pool.blocks import BlockPredictor
from skactive._pool.kept import Kept
from skactive.acquisition import BaseStrategy
from skactive.acquisition._base import select_queries, utilities
from skactive.utils import _rows

RNG = np.random.default_rng(0)
X = RNG.normal(size=(100, 3))
TRUTH = (X[:, 0] + X[:, 1] > 0).astype(int)
LABELED = np.arange(100) % 10 == 3
MODEL = LogisticRegression().fit(X[LABELED], TRUTH[LABELED])


class Counting(LogisticRegression):
    """Counts the rows that it predicts."""

    sizes = []

    def predict_proba(self, X):
        self.sizes.append(X.shape[0])
        return super().predict_proba(X)


def make_pool(X=X, labeled=LABELED, candidates=None, *, block_size=None, **params):
    if candidates is None:
        candidates = np.flatnonzero(~labeled)
    estimator = params.pop("estimator", LogisticRegression())
    return testing.make_pool(
        X,
        np.where(labeled, TRUTH[: len(labeled)], -1),
        labeled,
        candidates,
        estimator=estimator,
        block_size=block_size,
        **params,
    )


def make_clf(estimator=None, **params):
    estimator = LogisticRegression() if estimator is None else estimator
    return ActiveLearningClassifier(estimator, random_state=0, **params)


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of eight rows."""
    monkeypatch.setattr(_rows, "_BLOCK_BYTES", 1)
    monkeypatch.setattr(_rows, "_MIN_BLOCK_ROWS", 8)


@pytest.mark.parametrize("block_size", [1, 7, 8, 50, 99, 100, 1000])
@pytest.mark.parametrize("container", [np.array, csr_matrix, pd.DataFrame])
def test_predictions_in_blocks_equal_those_of_the_whole(block_size, container):
    data = container(X)
    pool = make_pool(data, block_size=block_size)
    rows = np.flatnonzero(~LABELED)
    alone = LogisticRegression().fit(data[LABELED], TRUTH[LABELED])
    np.testing.assert_allclose(pool.proba, alone.predict_proba(data)[rows])
    np.testing.assert_allclose(
        pool.decision_function, alone.decision_function(data)[rows]
    )


@pytest.mark.parametrize("container", [list, np.array, pd.Series])
def test_texts_are_predicted_in_blocks_too(container):
    class ByLength(LogisticRegression):
        def fit(self, X, y):
            return super().fit([[len(text)] for text in X], y)

        def predict_proba(self, X):
            return super().predict_proba([[len(text)] for text in X])

    texts = ["a" * (1 + i % 13) for i in range(100)]
    pool = make_pool(container(texts), estimator=ByLength(), block_size=9)
    proba = pool.estimator.predict_proba(texts)
    np.testing.assert_array_equal(pool.proba, proba[~LABELED])


@pytest.mark.parametrize("candidates", [[99], [1, 50, 98], [*range(40, 60)]])
@pytest.mark.parametrize("block_size", [8, 1000])
def test_candidates_are_no_prefix(candidates, block_size):
    pool = make_pool(candidates=np.array(candidates), block_size=block_size)
    np.testing.assert_allclose(pool.proba, MODEL.predict_proba(X[candidates]))
    assert pool.candidates.tolist() == candidates
    (best,) = select_queries(FirstFeature(), pool, 1).rows
    assert best == max(candidates, key=lambda row: X[row, 0])


@pytest.mark.parametrize("estimator", [LogisticRegression(), LinearSVC()])
@pytest.mark.parametrize("block_size", [8, 1000])
def test_predictions_are_columns_of_the_classes(estimator, block_size):
    model = clone(estimator).fit(X[LABELED], TRUTH[LABELED])
    pool = make_pool(estimator=estimator, block_size=block_size)
    np.testing.assert_array_equal(pool.predictions, model.predict(X[~LABELED]))
    rows = np.array([1, 3, 50, 98])  # row 3 has a label
    np.testing.assert_array_equal(pool.predict(rows), model.predict(X[rows]))
    assert pool.predictions.dtype == pool.predict(rows).dtype == np.int8


def test_predictions_share_the_probabilities_with_strategies():
    Counting.sizes.clear()
    pool = make_pool(estimator=Counting())
    _ = pool.predictions, pool.proba, pool.take([1, 2]).predictions
    assert sum(Counting.sizes) == 100


def test_predicted_classes_must_have_labels():
    class Stray(LinearSVC):
        def predict(self, X):
            return super().predict(X) + 7

    with pytest.raises(ValueError, match=r"labels \[0, 1\], and predicts \[7, 8\]"):
        make_pool(estimator=Stray()).predictions  # noqa: B018


class FirstFeature(BaseStrategy):
    """Wants the largest first feature, and remembers the pools it saw."""

    def __init__(self, rowwise=False):
        self.rowwise = rowwise
        self.pools = []

    def utility(self, pool):
        self.pools.append(pool)
        return np.asarray(pool.X)[pool.candidates, 0]


def test_a_rowwise_strategy_sees_one_block_at_a_time():
    whole, rowwise = FirstFeature(False), FirstFeature(True)
    pool = make_pool(block_size=30)
    expected, found = utilities(whole, pool), utilities(rowwise, pool)
    np.testing.assert_array_equal(found, expected)
    assert [len(block) for block in whole.pools] == [90]
    # Every tenth row is labelled, the third of each ten.
    assert [len(block) for block in rowwise.pools] == [27, 27, 27, 9]
    seen = np.concatenate([block.candidates for block in rowwise.pools])
    np.testing.assert_array_equal(seen, pool.candidates)


def test_a_block_shares_the_model_and_all_that_is_not_of_its_candidates():
    pool = make_pool(block_size=30, round=4)
    blocks = [block for _, block in pool.blocks()]
    for block in blocks:
        assert block.estimator is pool.estimator
        assert block.X is pool.X
        assert block.labeled is pool.labeled
        assert block.round == 4
    assert len({block.random_state for block in blocks}) == 4


def test_what_is_known_of_the_whole_is_cut_for_a_block():
    Counting.sizes = []
    pool = make_pool(block_size=30, estimator=Counting())
    proba = pool.proba
    assert Counting.sizes == [30, 30, 30, 10]
    for positions, block in pool.blocks():
        assert np.shares_memory(block.proba, proba)
        np.testing.assert_array_equal(block.proba, proba[positions])
    assert Counting.sizes == [30, 30, 30, 10]


def test_a_fit_with_a_rowwise_strategy_never_predicts_more_than_a_block(small_blocks):
    Counting.sizes = []
    clf = make_clf(Counting(), batch_size=5, budget=10)
    clf.fit(X, np.where(LABELED, TRUTH, -1), oracle=lambda X: [0, 1] * 2 + [1])
    assert max(Counting.sizes) == 8
    assert 90 + 85 <= sum(Counting.sizes) <= 2 * 100


@pytest.mark.parametrize(
    ("container", "strategy"),
    [(np.array, "margin"), (csr_matrix, "entropy"), (pd.DataFrame, "least_confident")],
)
def test_the_size_of_blocks_does_not_change_what_is_asked(
    monkeypatch, strategy, container
):
    clf = make_clf(strategy=strategy, batch_size=9, budget=80)
    data, y = container(X), np.where(LABELED, TRUTH, -1)
    monkeypatch.setattr(_rows, "_BLOCK_BYTES", 1)

    def asked(size):
        monkeypatch.setattr(_rows, "_MIN_BLOCK_ROWS", size)
        fitted = clf.fit(
            data,
            y,
            sample_ids=range(100),
            oracle=lambda X, sample_ids: TRUTH[sample_ids],
        )
        return fitted.query_indices_.tolist()

    assert asked(8) == asked(33) == asked(10**6)


def test_model_outputs_are_computed_once_and_shared():
    Counting.sizes = []
    pool = make_pool(estimator=Counting())
    assert not pool.models.is_fitted
    assert pool.proba is pool.proba
    assert pool.models.is_fitted
    assert Counting.sizes == [100]
    assert pool.models.fits.seconds > 0


@pytest.fixture
def slow_forest(monkeypatch):
    """A forest for whose fits alone time passes, two seconds each."""
    clock = SimpleNamespace(now=0.0)
    clock.perf_counter = lambda: clock.now
    monkeypatch.setattr(models_module, "time", clock)
    monkeypatch.setattr(selecting, "time", clock)
    monkeypatch.setattr(round_module, "time", clock)

    class SlowForest(RandomForestClassifier):
        def fit(self, X, y):
            clock.now += 2
            return super().fit(X, y)

    return SlowForest(n_estimators=2, random_state=0)


def test_a_fit_within_a_fit_is_counted_once(slow_forest):
    pool = make_pool(estimator=slow_forest)
    _ = pool.committee, pool.estimator  # the forest is its own committee
    assert pool.models.fits.seconds == 2


@pytest.mark.parametrize("stopping", [None, "max_uncertainty"])  # it fits first
def test_time_for_fits_is_no_time_for_selecting(slow_forest, stopping):
    y = np.where(LABELED, TRUTH, -1)
    params = {"strategy": "vote_entropy", "stopping": stopping, "budget": 2}
    clf = make_clf(slow_forest, batch_size=1, oracle=lambda X: [0], **params)
    history = clf.fit(X, y).history_
    assert [record["fit_seconds"] for record in history] == [2, 2, 2]
    assert [record["select_seconds"] for record in history] == [0, 0, 0]


def test_a_pool_that_is_mostly_labelled_is_compacted():
    labeled = np.arange(100) % 5 != 0
    kept = Kept.of_run(X, LogisticRegression(), block_size=30)
    early = make_pool(kept=kept)
    late = make_pool(labeled=labeled, kept=kept)
    rows = np.arange(0, 100, 5)
    model = LogisticRegression().fit(X[labeled], TRUTH[labeled])
    np.testing.assert_allclose(late.proba, model.predict_proba(X[rows]))
    np.testing.assert_array_equal(kept.predictor._X, X[rows])
    last = make_pool(labeled=np.arange(100) != 85, kept=kept)
    np.testing.assert_allclose(last.proba, last.estimator.predict_proba(X[[85]]))
    # A pool of an earlier round still sees its own rows.
    np.testing.assert_allclose(early.proba, MODEL.predict_proba(X[~LABELED]))


def test_compacting_copies_less_and_less():
    copied = []
    predictor = BlockPredictor(X, block_size=10)
    for n_left in range(99, 0, -1):
        before = predictor._X
        predictor.slices(np.arange(n_left))
        if predictor._X is not before:
            copied.append(len(predictor._X))
    assert copied == [49, 24, 11, 5]


@pytest.mark.parametrize("name", ["X", "y", "round", "candidates", "anything", "proba"])
def test_a_pool_is_frozen(name):
    pool = make_pool()
    with pytest.raises(AttributeError, match=f"A Pool is frozen: '{name}'"):
        setattr(pool, name, 1)


@pytest.mark.parametrize(
    "name",
    "y labeled candidates asked labeled_iter cost proba decision_function".split(),
)
def test_the_arrays_of_a_pool_are_read_only(name):
    pool = make_pool(cost=np.ones(100))
    with pytest.raises(ValueError, match="read-only"):
        getattr(pool, name)[:] = 0


def test_a_strategy_sees_the_run_through_the_pool():
    seen = []

    def spy(pool):
        seen.append(pool)
        return np.zeros(len(pool))

    clf = make_clf(oracle=lambda X: [None, 1], strategy=spy, batch_size=2, budget=4)
    clf.fit(X, np.where(LABELED, TRUTH, -1))
    pool, first = seen[1], clf.query_indices_[:2]
    assert (pool.round, len(pool), len(pool.history)) == (2, 88, 1)
    assert np.flatnonzero(pool.asked).tolist() == sorted(first)
    assert pool.labeled_iter[first].tolist() == [-1, 1]
    assert pool.labeled[first].tolist() == [False, True]
    assert not np.isin(first, pool.candidates).any()
    assert seen[0].random_state != pool.random_state


def test_columns_of_probabilities_are_the_classes_that_have_labels():
    y = np.where(LABELED, np.array(["b", "a", "c"])[np.arange(100) % 3], "")
    pool = testing.make_pool(
        X, y, LABELED, np.arange(1, 3), estimator=LogisticRegression()
    )
    assert pool.classes.tolist() == ["a", "b", "c"]
    assert pool.proba.shape == (2, 3)
    model = LogisticRegression().fit(X[LABELED], y[LABELED])
    np.testing.assert_allclose(pool.proba, model.predict_proba(X[1:3]))


class Misordered(LogisticRegression):
    """Has its classes in descending order."""

    def fit(self, X, y):
        super().fit(X, y)
        self.order_ = np.argsort(-self.classes_)
        self.classes_ = self.classes_[self.order_]
        return self

    def predict_proba(self, X):
        return super().predict_proba(X)[:, self.order_]


def test_columns_in_another_order_are_aligned():
    pool = make_pool(estimator=Misordered(), block_size=30)
    np.testing.assert_allclose(pool.proba, MODEL.predict_proba(X[~LABELED]))


class ForgetsZero(LogisticRegression):
    """Never sees class 0."""

    def fit(self, X, y):
        super().fit(X, np.where(y == 0, 2, y))
        return self


def test_a_class_that_the_model_lacks_has_probability_zero():
    y = np.where(LABELED, np.arange(100) // 10 % 3, -1)
    pool = testing.make_pool(
        X, y, LABELED, np.flatnonzero(~LABELED), estimator=ForgetsZero()
    )
    assert pool.classes.tolist() == [0, 1, 2]
    assert (pool.proba[:, 0] == 0).all()
    np.testing.assert_allclose(pool.proba.sum(axis=1), 1)


def test_probabilities_of_any_rows():
    pool = make_pool()
    np.testing.assert_allclose(
        pool.predict_proba([5, 3]), MODEL.predict_proba(X[[5, 3]])
    )


def test_outputs_that_the_estimator_lacks():
    pool = make_pool(estimator=SVC())
    assert not pool.has_output("predict_proba")
    assert pool.has_output("decision_function")
    assert pool.decision_function.shape == (90,)


def test_the_embedding_is_numeric_rows_or_the_steps_before_the_classifier():
    plain = make_pool()
    np.testing.assert_array_equal(plain.embedding([7, 5]), X[[7, 5]])
    steps = make_pool(estimator=make_pipeline(StandardScaler(), SVC()))
    scaled = StandardScaler().fit_transform(X)
    np.testing.assert_allclose(steps.embedding([7, 5]), scaled[[7, 5]])
    assert plain.embedding_is_fixed
    assert steps.embedding_is_fixed
    assert not steps.models.is_fitted


def test_the_embedding_is_the_estimators_own_if_it_has_one():
    class Embeds(LogisticRegression):
        def embed(self, X):
            return X @ self.coef_.T

    pool = make_pool(estimator=Embeds())
    np.testing.assert_allclose(pool.embedding([7, 5]), X[[7, 5]] @ MODEL.coef_.T)
    assert not pool.embedding_is_fixed


def test_steps_that_need_labels_embed_with_the_fitted_estimator():
    estimator = make_pipeline(SelectKBest(k=1), LogisticRegression())
    pool = make_pool(estimator=estimator)
    assert pool.embedding([7, 5]).shape == (2, 1)
    assert not pool.embedding_is_fixed
    kept = SelectKBest(k=1).fit(X[LABELED], TRUTH[LABELED]).transform(X[[7, 5]])
    np.testing.assert_array_equal(pool.embedding([7, 5]), kept)


def test_texts_without_a_pipeline_have_no_embedding():
    pool = make_pool(["a"] * 100, estimator=LogisticRegression())
    assert not pool.has_embedding
    with pytest.raises(ValueError, match="The rows have no embedding"):
        pool.embedding([1])


def test_a_round_does_not_copy_the_pool(monkeypatch):
    taken = []
    take_rows = _rows.take_rows

    def counting(X, rows):
        taken.append(len(rows))
        return take_rows(X, rows)

    for name, module in list(sys.modules.items()):
        is_ours = name.startswith(("skactive._loop", "skactive._pool"))
        if is_ours and hasattr(module, "take_rows") and "rehearsal" not in name:
            monkeypatch.setattr(module, "take_rows", counting)
    clf = make_clf(batch_size=5, budget=20)
    clf.fit(X, np.where(LABELED, TRUTH, -1), oracle=lambda X: [0, 1, 0, 1, 1])
    # The training rows and the queried rows, and no others.
    assert sorted(taken) == sorted([10, 15, 20, 25, 30] + [5] * 4)


def test_the_memory_of_a_round_is_that_of_a_block_and_of_the_utilities():
    n = 20_000
    wide = RNG.normal(size=(n, 200))
    y = np.where(np.arange(n) < 10, np.arange(n) % 2, -1)
    clf = make_clf(batch_size=5, budget=10)
    tracemalloc.start()
    try:
        clf.fit(wide, y, oracle=lambda X: [0, 1, 0, 1, 1])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # Some numbers per row for the books; a copy of the pool would be 200.
    assert peak < wide.nbytes / 8


@pytest.mark.parametrize("positions", [[True, False, True], [0.0, 1.0]])
def test_positions_that_are_not_whole_numbers_are_refused(positions):
    pool = make_pool()
    with pytest.raises(TypeError, match=r"positions must be whole numbers.* mask"):
        pool.take(positions)


def test_a_part_may_be_empty():
    assert len(make_pool().take([])) == 0
