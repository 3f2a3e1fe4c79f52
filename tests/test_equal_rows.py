"""Rows that hold the same: found in any container, asked once, sharing a label."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier, LabelingLoop
from skactive._loop import equal_rows
from skactive._loop.equal_rows import EqualRows, group_equal_rows
from skactive.acquisition import BaseStrategy
from skactive.model_selection import queried_risk
from skactive.plotting._curve import replay

rng = np.random.default_rng(0)
X = rng.integers(0, 4, (200, 2)).astype(float)  # at most 16 different rows
TRUTH = (X.sum(axis=1) > 3).astype(int)
GROUPS = np.unique(X, axis=0, return_inverse=True)[1].ravel()
N_GROUPS = GROUPS.max() + 1
NO_LABEL = np.full(200, -1)


def make_clf(how="once", **params):
    defaults = {"batch_size": 3, "budget": None, "random_state": 0}
    return ActiveLearningClassifier(
        LogisticRegression(), equal_rows=how, **defaults | params
    )


def run(how="once", y=NO_LABEL, X=X, **params):
    def ask(X, sample_ids):
        return TRUTH[sample_ids]

    clf = make_clf(how, oracle=ask, **params)
    return clf.fit(X, y, sample_ids=np.arange(len(y)))


def by_hand(rows):
    seen = {}
    return [seen.setdefault(tuple(row), len(seen)) for row in rows]


WITH_NULLS = np.where(X == 3, np.nan, np.where(rng.random(X.shape) < 0.5, -X, X))
KEYS = [[None if v != v else v + 0.0 for v in row] for row in WITH_NULLS.tolist()]
TEXTS = [" ".join(map(str, key)) for key in KEYS]
CONTAINERS = {
    "array": WITH_NULLS,
    "float32": np.asfortranarray(WITH_NULLS, dtype=np.float32),
    "objects": WITH_NULLS.astype(object),
    "cube": np.repeat(WITH_NULLS, 2, axis=1).reshape(200, 2, 2),
    "csr": csr_matrix(WITH_NULLS),
    "pandas": pd.DataFrame(WITH_NULLS, columns=["a", "b"]),
    "mixed": pd.DataFrame(
        {"a": [str(k[0]) for k in KEYS], "b": pd.Categorical(WITH_NULLS[:, 1] + 0.0)}
    ),
    "polars": pl.DataFrame({"a": WITH_NULLS[:, 0], "b": WITH_NULLS[:, 1]}),
    "texts": TEXTS,
    "series": pd.Series(TEXTS),
    "tokens": [[*text.split(), "end"] if text[0] == "N" else [text] for text in TEXTS],
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_rows_are_equal_that_hold_the_same(name):
    assert group_equal_rows(CONTAINERS[name]).tolist() == by_hand(KEYS)


def test_zeros_that_are_stored_in_a_sparse_matrix_are_zeros():
    stored = csr_matrix((np.array([0.0, 1.0, 1.0]), ([0, 0, 1], [0, 1, 1])))
    assert group_equal_rows(stored).tolist() == [0, 0]
    twice = csr_matrix((np.array([2.0, 1.0, 1.0]), ([0, 1, 1], [0, 0, 0])))
    assert group_equal_rows(twice).tolist() == [0, 0]


def test_entries_of_a_sparse_matrix_that_are_stored_twice_are_summed():
    data, columns, starts = np.array([2.0, 0.5, 1.5]), [0, 0, 0], [0, 1, 3]
    twice = csr_matrix((data, columns, starts), shape=(2, 1))
    assert group_equal_rows(twice).tolist() == [0, 0]
    assert twice.nnz == 3  # it is not changed


@pytest.mark.parametrize(
    "column",
    [
        2**60 + np.arange(3),
        np.array([1.25, 1.5, -1.5]),
        np.array([1e-30, 2e-30, 0.0]),
        np.array([0, 1, 2**64 - 1], dtype=np.uint64),
        np.array([0, 1, -1]),
    ],
)
def test_numbers_that_differ_a_little_or_a_lot_are_told_apart(column):
    assert group_equal_rows(column[:, None]).tolist() == [0, 1, 2]


def test_all_kinds_of_nan_are_equal():
    other = np.array([0xFFF8000000000001], dtype=np.uint64).view(float).item()
    column = np.array([[np.nan], [-np.nan], [other], [0.0]])
    assert group_equal_rows(column).tolist() == [0, 0, 0, 1]


def test_rows_are_read_block_by_block(monkeypatch):
    def block_rows(rows):
        assert rows is WITH_NULLS
        return 30

    monkeypatch.setattr(equal_rows, "block_rows", block_rows)
    assert group_equal_rows(WITH_NULLS).tolist() == by_hand(KEYS)


@pytest.mark.parametrize("name", CONTAINERS)
def test_groups_are_numbered_by_integers(name):
    assert group_equal_rows(CONTAINERS[name]).dtype.kind == "i"


def test_the_first_of_equal_rows_may_be_given():
    rows = np.array([[0.0], [0], [0], [1], [1], [2]])
    first = np.array([False, True, False, False, True, False])
    none = np.zeros(6, dtype=bool)
    for seed in range(10):
        groups = EqualRows(rows, none, "once", seed, first)
        assert np.flatnonzero(groups.askable).tolist() == [1, 4, 5]


@pytest.mark.parametrize(("how", "equal"), [("ask", [1, 3]), ("once", [0, 1, 2, 3, 4])])
def test_the_rows_that_equal_some_rows(how, equal):
    rows = np.array([[0.0], [0], [0], [1], [1], [2]])
    groups = EqualRows(rows, np.zeros(6, dtype=bool), how, 0)
    assert np.flatnonzero(groups.equal_to([1, 3])).tolist() == equal


def test_one_label_is_shared_too():
    rows = np.array([[0.0], [0], [0], [1]])
    y, labeled = np.array([-1, 7, -1, -1]), np.array([False, True, False, False])
    EqualRows(rows, labeled.copy(), "share", 0).share_given(y, labeled)
    assert y.tolist() == [7, 7, 7, -1]
    assert labeled.tolist() == [True, True, True, False]


def test_no_columns_are_taken_for_others():
    assert group_equal_rows(np.array([[1, 2], [2, 1], [0, 3]])).tolist() == [0, 1, 2]


@pytest.mark.parametrize("strategy", ["margin", "random", "auto"])
def test_equal_rows_are_asked_once(strategy):
    often = run("ask", strategy=strategy, budget=16)
    clf = run(strategy=strategy)
    assert len(set(GROUPS[often.query_indices_])) < 16
    assert sorted(GROUPS[clf.query_indices_]) == list(range(N_GROUPS))
    assert clf.n_askable_ == clf.n_queries_ == N_GROUPS
    assert clf.termination_condition_ == "all_asked"
    assert (clf.transduction_ != -1).sum() == N_GROUPS


def test_all_equal_rows_get_the_label_and_it_counts_once():
    clf = run("share")
    assert clf.n_queries_ == N_GROUPS
    assert sum(record["n_queried"] for record in clf.history_) == N_GROUPS
    assert clf.termination_condition_ == "all_labeled"
    np.testing.assert_array_equal(clf.transduction_, TRUTH)
    asked = clf.query_indices_[np.argsort(GROUPS[clf.query_indices_])]
    np.testing.assert_array_equal(clf.labeled_iter_, clf.labeled_iter_[asked][GROUPS])
    assert clf.labeled_iter_[clf.query_indices_[:3]].tolist() == [1, 1, 1]
    whole = LogisticRegression().fit(X, TRUTH)
    np.testing.assert_array_equal(clf.estimator_.coef_, whole.coef_)


@pytest.mark.parametrize("how", ["once", "share"])
def test_rows_equal_to_one_with_a_label_are_not_asked(how):
    y = np.where(np.isin(GROUPS, [0, 1]) & (np.arange(200) % 2 == 0), TRUTH, -1)
    clf = run(how, y=y)
    assert set(GROUPS[clf.query_indices_]) == set(range(2, N_GROUPS))
    others = np.isin(GROUPS, [0, 1]) & (y == -1)
    assert (clf.labeled_iter_[others] == (0 if how == "share" else -1)).all()
    shared = TRUTH if how == "share" else NO_LABEL
    np.testing.assert_array_equal(clf.transduction_[others], shared[others])


def test_labels_that_contradict_each_other_stay_and_are_not_shared():
    y, first = NO_LABEL.copy(), np.flatnonzero(GROUPS == 5)
    y[first[:3]] = 0, 1, 0
    clf = run("share", y=y)
    assert clf.transduction_[first].tolist() == [0, 1, 0, *[-1] * (len(first) - 3)]
    assert 5 not in GROUPS[clf.query_indices_]


@pytest.mark.parametrize("how", ["once", "share"])
def test_a_row_without_an_answer_is_not_asked_through_an_equal_one(how):
    loop = LabelingLoop(make_clf(how), X, NO_LABEL)
    asked = []
    while (query := loop.ask()) is not None:
        asked += query.indices.tolist()
        loop.tell([None if GROUPS[r] % 2 else TRUTH[r] for r in query.indices])
    assert sorted(GROUPS[asked]) == list(range(N_GROUPS))
    known = loop.finish().transduction_ != -1
    assert known.sum() == ((GROUPS % 2 == 0).sum() if how == "share" else N_GROUPS // 2)
    late = next(row for row in asked if GROUPS[row] == 1)
    loop.tell([1], indices=[late])
    known = loop.finish().transduction_ != -1
    assert known[GROUPS == 1].sum() == ((GROUPS == 1).sum() if how == "share" else 1)


class Watches(BaseStrategy):
    """Keeps what a round may learn from."""

    seen = []

    def utility(self, pool):
        self.seen.append(pool.labeled.copy())
        return -pool.candidates.astype(float)


@pytest.mark.parametrize("how", ["once", "share"])
def test_nothing_equal_to_the_test_sample_is_learnt_before_the_end(how):
    Watches.seen.clear()
    clf = run(how, strategy=Watches(), holdout_fraction=0.3)
    held = np.isin(GROUPS, GROUPS[clf.holdout_indices_])
    assert len(clf.holdout_indices_) == round(0.3 * N_GROUPS)
    assert len(Watches.seen) > 1
    assert not any((labeled & held).any() for labeled in Watches.seen)
    assert (clf.transduction_ != -1).sum() == (200 if how == "share" else N_GROUPS)
    left = N_GROUPS - np.arange(3)
    np.testing.assert_allclose(clf.query_probabilities_[:3], 1 / left)


def test_probabilities_are_those_among_the_rows_then_left():
    clf = run("share", strategy="random", initial_strategy="random")
    left = N_GROUPS - np.arange(N_GROUPS)
    np.testing.assert_allclose(clf.query_probabilities_, 1 / left)


def test_which_of_equal_rows_is_asked_is_drawn():
    four = np.repeat([[0.0], [1.0]], 4, axis=0)
    rows = [
        EqualRows(four, np.zeros(8, dtype=bool), "once", seed).askable
        for seed in rng.integers(2**32, size=200).tolist()
    ]
    counts = np.sum(rows, axis=0)
    assert counts.sum() == 400
    # Of 200 draws with a probability of 1/4, 22 to 81 but once in 10,000 or so.
    assert counts.min() >= 22
    assert counts.max() <= 81


def test_initial_size_counts_labels_and_not_rows():
    clf = run("share", initial_size=9, strategy="margin")
    names = [record["strategy"] for record in clf.history_]
    assert names[:4] == ["k_means", "k_means", "k_means", "margin"]


@pytest.mark.parametrize("how", ["once", "share"])
def test_a_saved_loop_goes_on_alike(how, tmp_path):
    clf = make_clf(how, holdout_fraction=0.2)
    loop, calm = LabelingLoop(clf, X, NO_LABEL), LabelingLoop(clf, X, NO_LABEL)
    while (query := loop.ask()) is not None:
        assert calm.ask().indices.tolist() == query.indices.tolist()
        loop.tell(TRUTH[query.indices[:1]], indices=query.indices[:1])
        loop.save(tmp_path / "loop.json")
        loop = LabelingLoop.load(tmp_path / "loop.json", clf, X, NO_LABEL)
        if len(query) > 1:
            loop.tell(TRUTH[loop.ask().indices])
        calm.tell(TRUTH[query.indices])
    found, expected = loop.finish(), calm.finish()
    np.testing.assert_array_equal(found.transduction_, expected.transduction_)
    np.testing.assert_array_equal(found.labeled_iter_, expected.labeled_iter_)
    assert found.query_indices_.tolist() == expected.query_indices_.tolist()
    assert found.holdout_score_ == expected.holdout_score_


def test_the_risk_is_that_over_the_rows_that_could_be_asked():
    clf = run("share", strategy="random", initial_strategy="random", budget=12)
    model = LogisticRegression().fit(X[:50], TRUTH[:50])
    wrong = model.predict(X[clf.query_indices_]) != TRUTH[clf.query_indices_]
    # Drawn evenly out of 16, so that all weights are 1.
    assert queried_risk(model, clf, X) == pytest.approx(wrong.mean())


def test_a_curve_replays_rounds_without_what_equals_the_test_sample():
    clf = run("share", holdout_fraction=0.3, strategy="random")
    _, scores = replay(clf, X, X, TRUTH)
    assert len(scores) > 2
    kept = ~np.isin(GROUPS, GROUPS[clf.holdout_indices_])
    for when, score in zip(range(3, clf.n_iter_), scores, strict=False):
        known = kept & (clf.labeled_iter_ >= 0) & (clf.labeled_iter_ <= when)
        model = LogisticRegression().fit(X[known], TRUTH[known])
        assert score == model.score(X, TRUTH)
