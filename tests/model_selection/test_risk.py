"""LURE: the risk of a fixed model from rows drawn with unequal probabilities."""

from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from skactive.model_selection import lure_interval, lure_risk, lure_weights

Q = [0.5, 0.25, 0.4]


def test_the_worked_values():
    np.testing.assert_allclose(lure_weights(Q, 5), [0.7, 1, 5 / 6])
    assert lure_risk([1, 0, 2], Q, 5) == pytest.approx(0.7888888889)


@pytest.mark.parametrize("n_drawn", [1, 3, 5])
def test_uniform_draws_have_weight_one(n_drawn):
    q = 1 / (5 - np.arange(n_drawn))
    np.testing.assert_allclose(lure_weights(q, 5), 1)
    assert lure_risk(np.arange(n_drawn), q, 5) == pytest.approx((n_drawn - 1) / 2)


def test_all_rows_drawn_give_the_mean_however_they_were_drawn():
    risk, std = lure_risk([1, 0, 2], [0.2, 0.9, 1.0], 3, return_std=True)
    assert (risk, std) == (1.0, 0.0)


LOSSES = np.array([3.0, 0.0, 1.0, 0.5, 0.0, 2.0, 0.25])


def probabilities_left(taken, n):
    """Prefer rows of a large loss, by how much the losses seen so far say."""
    left = [row for row in range(n) if row not in taken]
    weights = 0.2 + LOSSES[left] * (1 + LOSSES[taken].sum()) + np.array(left) / 10
    return dict(zip(left, weights / weights.sum(), strict=True))


def every_draw(n, n_drawn):
    """Return the probability, the rows, and q of each sequence that can be drawn."""
    for rows in permutations(range(n), n_drawn):
        q = [probabilities_left(list(rows[:m]), n)[rows[m]] for m in range(n_drawn)]
        yield np.prod(q), list(rows), q


@pytest.mark.parametrize(("n", "n_drawn"), [(4, 2), (5, 3), (6, 6), (7, 4)])
def test_the_expectation_over_all_draws_is_the_mean_loss(n, n_drawn):
    expected, naive, total = 0.0, 0.0, 0.0
    for probability, rows, q in every_draw(n, n_drawn):
        total += probability
        expected += probability * lure_risk(LOSSES[rows], q, n)
        naive += probability * LOSSES[rows].mean()
    assert total == pytest.approx(1)
    assert expected == pytest.approx(LOSSES[:n].mean(), rel=1e-10)
    if n_drawn < n:
        assert naive > 1.2 * LOSSES[:n].mean()


def test_the_squared_standard_error_is_the_variance_on_average():
    true, variance, estimated = LOSSES.mean(), 0.0, 0.0
    for probability, rows, q in every_draw(7, 4):
        risk, std = lure_risk(LOSSES[rows], q, 7, return_std=True)
        variance += probability * (risk - true) ** 2
        estimated += probability * std**2
    assert estimated == pytest.approx(variance, rel=1e-10)


def test_of_uniform_draws_the_standard_error_is_near_the_textbook_one():
    rng = np.random.default_rng(0)
    losses = rng.random(50)
    std = lure_risk(losses, 1 / (10_000 - np.arange(50)), 10_000, return_std=True)[1]
    assert std == pytest.approx(losses.std(ddof=1) / np.sqrt(50), rel=0.02)


@pytest.mark.parametrize(("n_drawn", "n"), [(1, 100), (2, 100), (6, 7)])
def test_the_standard_error_is_nan_where_rows_cannot_tell(n_drawn, n):
    q = 1 / (n - np.arange(n_drawn))
    assert np.isnan(lure_risk(np.ones(n_drawn), q, n, return_std=True)[1])


@pytest.mark.parametrize(
    ("q", "n", "message"),
    [
        ([0.5, np.nan], 5, "nan for 1 of 2 rows.*initial_strategy='random'"),
        ([0.5, 0.0], 5, r"in \(0, 1\]"),
        ([0.5, 1.5], 5, r"in \(0, 1\]"),
        ([0.5, 1.0, 0.3], 5, "number 2 had the probability 1.*epsilon"),
        ([], 5, "1 to n_pool=5"),
        ([0.5] * 3, 2, "1 to n_pool=2"),
        ([0.5], 0, "'n_pool' parameter of lure_weights"),
    ],
)
def test_draws_that_no_estimate_can_rest_on_are_refused(q, n, message):
    with pytest.raises(ValueError, match=message):
        lure_weights(q, n)


def test_the_last_row_left_may_be_sure():
    np.testing.assert_allclose(lure_weights([0.5, 1.0], 2), 1)


@pytest.mark.parametrize(
    ("losses", "message"), [([1, 2], "each of the 3"), ([1, np.nan, 0], "must not be")]
)
def test_losses_must_be_there_for_every_row_drawn(losses, message):
    with pytest.raises(ValueError, match=message):
        lure_risk(losses, Q, 5)


def test_the_interval_of_uniform_draws_is_clopper_and_pearsons_of_fewer_rows():
    # Of a million rows 10 are drawn, 3 of them lost: a binomial share, whose variance
    # .21 / 9 makes 9 equal rows, or fewer, as a variance of 10 draws is uncertain.
    losses, q = np.repeat([1.0, 0.0], [3, 7]), 1 / (10**6 - np.arange(10))
    low, high = lure_interval(losses, q, 10**6)
    squares = (losses - 0.3) ** 2
    spread = (squares**2).sum() - squares.sum() ** 2 / 10
    freedom = min(9, 2 * squares.sum() ** 2 / spread)
    n = 9 * (stats.norm.ppf(0.975) / stats.t.ppf(0.975, freedom)) ** 2
    assert low == pytest.approx(stats.beta.ppf(0.025, 0.3 * n, 0.7 * n + 1), rel=1e-3)
    assert high == pytest.approx(stats.beta.ppf(0.975, 0.3 * n + 1, 0.7 * n), rel=1e-3)


def test_where_nothing_was_lost_the_interval_says_how_little_that_is():
    uniform = 1 / (1000 - np.arange(20))
    low, high = lure_interval(np.zeros(20), uniform, 1000)
    assert (low, high) == (0.0, pytest.approx(1 - 0.025 ** (1 / 20)))
    # Draws of which a few weigh nearly all say less.
    unequal = np.where(np.arange(20) < 3, uniform / 10, 0.3)
    assert lure_interval(np.zeros(20), unequal, 1000)[1] > 2 * high


def test_the_interval_of_all_rows_is_their_mean_and_of_nearly_all_unknown():
    assert lure_interval([1, 0, 0, 1], [0.2, 0.9, 0.6, 1.0], 4) == (0.5, 0.5)
    assert np.isnan(lure_interval([1, 0, 0], [0.2, 0.3, 0.6], 4)).all()


def test_an_interval_needs_losses_with_a_bound():
    with pytest.raises(ValueError, match=r"losses must be in \[0, 1\] for an interval"):
        lure_interval([1, 0, 2], Q, 40)


def surrogates(N, rng):
    """Chances to be lost, and what a surrogate takes them for."""
    p = rng.beta(0.5, 2.5, N)
    return {
        "uniform": (np.full(N, 0.2), np.ones(N)),
        "good": (p, p),
        "noisy": (p, np.clip(p * np.exp(rng.normal(0, 0.8, N)), 1e-4, 1)),
        "too sure": (rng.beta(0.5, 4, N), None),
        "useless": (np.full(N, 0.15), p),
    }


def draw(expected, n_drawn, rng, epsilon=0.1):
    """Draw as ExpectedLossSampling does."""
    N, rows, q = len(expected), [], []
    left = np.ones(N, dtype=bool)
    for m in range(n_drawn):
        weights = np.where(left, expected, 0.0)
        chance = (1 - epsilon) * weights / weights.sum() + epsilon * left / (N - m)
        row = min(np.searchsorted(np.cumsum(chance), rng.random()), N - 1)
        rows.append(row)
        q.append(chance[row])
        left[row] = False
    return rows, q


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "at_least", "two_errors"),
    [
        ("uniform", 0.95, 0.95),
        ("good", 0.94, 0.92),
        ("noisy", 0.91, 0.88),
        ("too sure", 0.9, 0.86),
        ("useless", 0.88, 0.78),
    ],
)
def test_how_often_intervals_from_40_draws_hold_the_truth(name, at_least, two_errors):
    rng = np.random.default_rng(0)
    N, held, naive = 600, [], []
    for _ in range(12):
        p, expected = surrogates(N, rng)[name]
        expected = np.clip(p, 1e-3, 1) ** 1.7 if expected is None else expected
        losses = (rng.random(N) < p).astype(float)
        truth = losses.mean()
        for _ in range(150):
            rows, q = draw(expected, 40, rng)
            low, high = lure_interval(losses[rows], q, N)
            held.append(low <= truth <= high)
            risk, std = lure_risk(losses[rows], q, N, return_std=True)
            naive.append(abs(risk - truth) <= 2 * std)
    assert np.mean(held) >= at_least
    assert np.mean(naive) <= two_errors
