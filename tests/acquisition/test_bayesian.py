"""Drawing rows in proportion to what they tell, and what the family has in common."""

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chisquare
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearningClassifier, testing
from skactive.acquisition import (
    BALDSampling,
    BatchBALDSampling,
    BEMPSSampling,
    EPIGSampling,
    PowerBALDSampling,
    RandomSampling,
)
from skactive.acquisition._base import select_queries
from skactive.acquisition._drawing import draw_candidates
from skactive.acquisition.functional import bald, draw_without_replacement, power_scores
from skactive.oracles import SimulatedOracle
from skactive.testing import check_strategy

SCORES = np.array([0.4, 0.1, 0.2])
FAMILY = {
    "batch_bald": BatchBALDSampling(max_configurations=2000),
    "bemps": BEMPSSampling(n_targets=50),
    "bemps of logs": BEMPSSampling("log", n_targets=50, top=None),
    "epig": EPIGSampling(n_targets=50),
    "power_bald": PowerBALDSampling(),
    "power_bald of ranks": PowerBALDSampling(form="softrank"),
    "power_bald, mixed": PowerBALDSampling(epsilon=0.3),
}


def softmax(log_weights):
    weights = np.exp(log_weights - log_weights.max())
    return weights / weights.sum()


def test_keys_have_the_worked_values():
    noise = [0.1, 1.0, -0.5]
    np.testing.assert_allclose(
        power_scores(SCORES) + noise,
        [-0.8162907319, -1.3025850930, -2.1094379124],
        atol=1e-10,
    )


@pytest.mark.parametrize(
    ("form", "beta", "expected"),
    [
        ("power", 2.0, [0.7619047619, 0.0476190476, 0.1904761905]),
        ("power", 1.0, [4 / 7, 1 / 7, 2 / 7]),
        ("softmax", 10.0, np.exp([4, 1, 2]) / np.exp([4, 1, 2]).sum()),
        ("softrank", 1.0, [6 / 11, 2 / 11, 3 / 11]),
        ("softrank", 2.0, [36 / 49, 4 / 49, 9 / 49]),
    ],
)
def test_first_picks_have_the_worked_probabilities(form, beta, expected):
    log_weights = power_scores(SCORES, beta=beta, form=form)
    np.testing.assert_allclose(softmax(log_weights), expected, atol=1e-10)


def test_equal_scores_share_their_rank():
    ranks = np.exp(-power_scores([0.3, 0.5, 0.3, 0.1], form="softrank"))
    np.testing.assert_allclose(ranks, [2.5, 1, 2.5, 4])


@pytest.mark.parametrize(
    ("scores", "form", "message"),
    [([0.1, -0.2], "power", "at least 0"), ([0.1], "log", "'power', 'softmax'")],
)
def test_what_cannot_be_a_weight_is_refused(scores, form, message):
    with pytest.raises(ValueError, match=message):
        power_scores(scores, form=form)


def test_negative_scores_have_exponentials_and_ranks():
    assert power_scores([-1.0, 1.0], form="softmax").tolist() == [-1, 1]
    assert np.exp(-power_scores([-1.0, 1.0], form="softrank")).tolist() == [2, 1]


def test_rows_are_drawn_as_often_as_their_weights_say():
    log_weights = np.log([0.5, 0.3, 0.2])
    rng = np.random.default_rng(0)
    first, second = np.array(
        [draw_without_replacement(log_weights, 2, random_state=rng)[0]
         for _ in range(3000)]
    ).T  # fmt: skip
    assert chisquare(np.bincount(first), [1500, 900, 600]).pvalue > 0.001
    # After the first row, the others are drawn three to two.
    counts = np.bincount(second[first == 0], minlength=3)[1:]
    assert chisquare(counts, counts.sum() * np.array([0.6, 0.4])).pvalue > 0.001


@given(arrays(float, st.integers(1, 8), elements=st.floats(-30, 30)), st.data())
@settings(max_examples=60, deadline=None)
def test_probabilities_are_shares_of_what_is_left(log_weights, data):
    n_queries = data.draw(st.integers(1, len(log_weights)))
    rows, q = draw_without_replacement(log_weights, n_queries, random_state=0)
    left = list(range(len(log_weights)))
    for row, probability in zip(rows, q, strict=True):
        shares = softmax(log_weights[left])
        assert probability == pytest.approx(shares[left.index(row)], rel=1e-9)
        left.remove(row)


def test_rows_of_weight_zero_come_last_all_equally_likely():
    log_weights = power_scores([0.0, 0.3, 0.0, 0.0, 0.1])
    orders = set()
    for seed in range(30):
        rows, q = draw_without_replacement(log_weights, 5, random_state=seed)
        assert set(rows[:2]) == {1, 4}
        np.testing.assert_allclose(q[1:], [1, 1 / 3, 1 / 2, 1])
        orders.add(tuple(rows[2:]))
    assert len(orders) == 6


def test_probabilities_stay_above_zero_however_unlikely():
    _, q = draw_without_replacement([0.0, -2000.0, -4000.0], 3, random_state=0)
    assert ((q > 0) & (q <= 1)).all()


def test_small_weights_are_not_lost_beside_large_ones():
    rows, q = draw_without_replacement([0.0, -60.0, -60.0], 3, random_state=0)
    assert rows[0] == 0
    np.testing.assert_allclose(q, [1, 0.5, 1])


def make_pool(n_classes=3, block_size=None, dtype=float, n_samples=300):
    rng = np.random.default_rng(n_classes)
    y = np.arange(n_samples) % n_classes
    X = rng.normal(size=(n_samples, 4)).astype(dtype)
    X[:, 0] += y
    labeled = np.zeros(n_samples, dtype=bool)
    labeled[: 5 * n_classes] = True
    return testing.make_pool(
        X,
        np.where(labeled, y, -1),
        labeled,
        np.flatnonzero(~labeled)[1::2],
        estimator=LogisticRegression(max_iter=1000),
        committee=5,
        random_state=4,
        block_size=block_size,
    )


shared_pool = cache(make_pool)  # what its models say is computed once


def test_power_bald_draws_by_bald():
    pool = make_pool()
    rows = PowerBALDSampling(beta=3.0).select(pool, 10)
    q = rows.probabilities
    scores = bald(pool.member_proba) ** 3
    position = np.flatnonzero(pool.candidates == rows[0])[0]
    assert q[0] == pytest.approx(scores[position] / scores.sum(), rel=1e-9)
    selection = select_queries(PowerBALDSampling(beta=3.0), pool, 10)
    assert selection.rows.tolist() == rows.tolist()
    assert selection.probabilities.tolist() == q.tolist()


def test_power_bald_draws_by_rank():
    pool = make_pool()
    rows = PowerBALDSampling(form="softrank").select(pool, 1)
    q = rows.probabilities
    scores = bald(pool.member_proba)
    rank = 1 + (scores > scores[pool.candidates == rows[0]]).sum()
    harmonic = (1 / np.arange(1, len(pool) + 1)).sum()
    assert q[0] == pytest.approx(1 / rank / harmonic, rel=1e-9)


def test_power_bald_with_a_large_exponent_is_bald():
    pool = make_pool()
    rows = PowerBALDSampling(beta=1e6).select(pool, 10)
    assert rows.tolist() == BALDSampling().select(pool, 10).tolist()


def test_power_bald_sees_blocks():
    whole = PowerBALDSampling().select(make_pool(), 20)
    blocks = PowerBALDSampling().select(make_pool(block_size=11), 20)
    assert whole.tolist() == blocks.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("name", FAMILY)
def test_the_family_keeps_the_contract(name):
    check_strategy(FAMILY[name], LogisticRegression(max_iter=1000))


@pytest.mark.parametrize("name", FAMILY)
@pytest.mark.parametrize("n_queries", [1, 10, 100, "all"])
def test_the_family_selects_as_many_different_candidates_as_wanted(name, n_queries):
    for n_classes in (2, 10):
        pool = shared_pool(n_classes)
        wanted = len(pool) if n_queries == "all" else n_queries
        rows = select_queries(FAMILY[name], pool, wanted).rows
        assert len(set(rows)) == wanted
        assert np.isin(rows, pool.candidates).all()


@pytest.mark.parametrize("name", FAMILY)
def test_the_family_runs_on_one_candidate_and_in_single_precision(name):
    pool = shared_pool(dtype=np.float32)
    assert len(select_queries(FAMILY[name], pool, 7).rows) == 7
    last = testing.make_pool(
        pool.X,
        pool.y,
        pool.labeled,
        np.array([77]),
        estimator=LogisticRegression(),
        committee=3,
    )
    assert select_queries(FAMILY[name], last, 1).rows.tolist() == [77]


@pytest.mark.parametrize("name", FAMILY)
def test_the_family_copes_with_rows_that_are_all_equal(name):
    y = np.arange(40) % 2
    labeled = np.arange(40) < 6
    pool = testing.make_pool(
        np.ones((40, 2)),
        np.where(labeled, y, -1),
        labeled,
        np.arange(6, 40),
        estimator=LogisticRegression(),
        committee=4,
    )
    assert len(set(select_queries(FAMILY[name], pool, 10).rows)) == 10


@pytest.mark.parametrize("name", FAMILY)
def test_the_family_asks_for_raw_texts(name):
    words = ["red rose", "blue sky", "green leaf"]
    texts = [f"{words[i % 3]} number{i}" for i in range(60)]
    y = np.arange(60) % 3
    clf = ActiveLearningClassifier(
        make_pipeline(TfidfVectorizer(), MultinomialNB()),
        oracle=SimulatedOracle(y),
        strategy=FAMILY[name],
        committee=4,
        batch_size=4,
        budget=12,
        random_state=0,
    )
    clf.fit(texts, np.where(np.arange(60) < 6, y, -1), sample_ids=np.arange(60))
    assert clf.n_queries_ == 12
    assert clf.score(texts, y) > 0.9


@pytest.mark.parametrize(
    "strategy",
    [
        PowerBALDSampling(beta=0),
        PowerBALDSampling(form="log"),
        EPIGSampling(n_targets=0),
        EPIGSampling(targets=3),
        BEMPSSampling("mse"),
        BEMPSSampling(top=0.0),
    ],
)
def test_wrong_parameters_are_refused(strategy):
    with pytest.raises(ValueError, match=type(strategy).__name__):
        strategy._validate_params()


def test_probabilities_are_stated_only_if_every_candidate_could_be_drawn():
    pool, some, none = make_pool(), np.zeros(145), np.full(145, -np.inf)
    some[:3] = -np.inf
    assert draw_candidates(pool, some, 10, 0.0).probabilities is None
    assert (draw_candidates(pool, some, 10, 0.1).probabilities > 0).all()
    uniform = 1 / (145 - np.arange(10))
    np.testing.assert_allclose(
        draw_candidates(pool, none, 10, 0.0).probabilities, uniform
    )


def test_random_queries_state_that_they_are_uniform():
    pool = make_pool()
    selection = select_queries(RandomSampling(), pool, 10)
    n_left = len(pool) - np.arange(10)
    np.testing.assert_allclose(selection.probabilities, 1 / n_left)
    assert (np.diff(selection.utilities) < 0).all()
