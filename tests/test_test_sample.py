"""The test sample by itself: which rows it holds, and when it has a score."""

import hashlib
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive._loop.holdout import Holdout
from skactive._loop.inputs import check_inputs
from skactive._loop.past import Past

X = np.linspace(0, 1, 20).reshape(-1, 1)
Y = np.where(np.arange(20) % 19 == 0, X[:, 0] > 0.5, -1)
IDS = np.array([f"r{row}" for row in range(20)])


def a_sample(past=None, *, X=X, y=Y, ids=IDS, **params):
    defaults = {"budget": 10, "holdout_fraction": 0.44, "random_state": 3}
    clf = ActiveLearningClassifier(LogisticRegression(), **defaults | params)
    inputs = check_inputs(
        clf, X, y, sample_ids=ids, cost=None, fit_params={}, has_oracle=True
    )
    return Holdout(inputs, past or Past()), inputs


def test_the_sample_is_drawn_from_all_rows_that_may_be_asked_about():
    sample, inputs = a_sample()
    rng = np.random.default_rng([inputs.seed, 0])
    expected = rng.choice(np.arange(1, 19), 4, replace=False)
    assert sample.rows.tolist() == expected.tolist()
    assert len(sample) == 4
    assert np.flatnonzero(sample.mask).tolist() == sorted(expected)
    assert sample.kept_out.tolist() == sample.mask.tolist()
    assert not sample.mask.flags.writeable
    assert (sample.seed, sample.n_before) == (inputs.seed, 0)


def test_rows_that_equal_one_of_the_sample_are_kept_out():
    pairs = X.copy()
    pairs[1::2] = pairs[::2]
    sample, _ = a_sample(X=pairs, equal_rows="once")
    assert len({row // 2 for row in sample.rows}) == 4
    expected = {other for row in sample.rows for other in (row, row ^ 1)}
    assert set(np.flatnonzero(sample.kept_out)) == expected
    assert np.flatnonzero(sample.mask).tolist() == sorted(sample.rows)


def by_hash(seed, rows):
    """Return rows in the order of the hashes of their ids."""

    def key(row):
        text = f'{seed}:"{IDS[row]}"'
        return hashlib.blake2b(text.encode(), digest_size=8).digest()

    return sorted(rows, key=key)


def test_a_sample_of_a_session_grows_by_the_hashes_of_ids():
    sample, inputs = a_sample(Past(True))
    assert sample.rows.tolist() == by_hash(inputs.seed, range(1, 19))[:4]
    past = Past(True, sample=[5, 0, 7], sample_seed=99)
    sample, _ = a_sample(past)
    others = [row for row in range(1, 19) if row not in (5, 7)]
    assert sample.rows.tolist() == [5, 0, 7, by_hash(99, others)[0]]
    assert sample.rows.dtype == np.intp
    assert (sample.seed, sample.n_before) == (99, 3)


def test_a_sample_of_a_session_does_not_shrink():
    past = Past(True, sample=[5, 0, 7, 3, 4, 9], sample_seed=99)
    sample, _ = a_sample(past)
    assert sample.rows.tolist() == past.sample
    empty, _ = a_sample(Past(True), holdout_fraction=0.0)
    assert (len(empty), empty.rows.dtype) == (0, np.intp)


def test_rows_are_selected_in_their_order_with_the_probability_among_those_left():
    sample, _ = a_sample()
    left = sample.mask.copy()
    left[sample.rows[1]] = False
    selection = sample.select(left, 2)
    assert selection.rows.tolist() == sample.rows[[0, 2]].tolist()
    np.testing.assert_array_equal(selection.probabilities, [1 / 18, 1 / 16])
    assert len(sample.select(left, 9).rows) == 3


# The score


def a_ledger(labels):
    labeled = np.zeros(20, dtype=bool)
    labeled[list(labels)] = True
    return SimpleNamespace(
        labeled=labeled, labels=lambda rows: np.array([labels[row] for row in rows])
    )


def a_pool(estimator=None, *, labeled=True):
    return SimpleNamespace(X=X, labeled=np.array([labeled]), estimator=estimator)


def test_the_score_counts_the_rows_with_a_label_that_are_right():
    sample, _ = a_sample()
    rows = sample.rows.tolist()
    ledger = a_ledger({rows[0]: 1, rows[1]: 0, rows[3]: 1, 0: 0})
    assert sample.answered(ledger).tolist() == sorted([rows[0], rows[1], rows[3]])
    always_one = DummyClassifier(strategy="constant", constant=1)
    always_one.fit(X, np.arange(20) % 2)
    accuracy, (low, high) = sample.evaluate(ledger, a_pool(always_one))
    assert accuracy == 2 / 3
    assert 0 < low < 2 / 3 < high < 1


class Fails:
    def predict(self, X):
        raise RuntimeError("too few")


@pytest.mark.parametrize(
    ("labels", "pool", "why"),
    [
        ([], a_pool(), "no row that was held out got an answer"),
        ([1], a_pool(labeled=False), "no other row has a label"),
        ([1], a_pool(Fails()), "no model could be fitted .*: .*too few"),
    ],
    ids=["no answer", "no other label", "no model"],
)
def test_a_score_that_is_not_defined_is_nan_with_a_warning(labels, pool, why):
    sample, _ = a_sample()
    ledger = a_ledger(dict(zip(sample.rows.tolist(), labels, strict=False)))
    match = f"holdout_score_ is not defined, as {why}"
    with pytest.warns(UndefinedMetricWarning, match=match):
        accuracy, interval = sample.evaluate(ledger, pool)
    assert np.isnan([accuracy, *interval]).all()


def test_without_a_query_there_is_no_score_and_no_warning(recwarn):
    sample, _ = a_sample()
    accuracy, interval = sample.evaluate(a_ledger({}), None)
    assert np.isnan([accuracy, *interval]).all()
    assert not recwarn.list
