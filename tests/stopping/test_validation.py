"""A plateau, and gain per label: criteria that use validation labels."""

import numpy as np
import pytest

from skactive.stopping import GainPerLabel, ValidationPlateau

# Ten rows to validate on; the model gets the given number of them right.
N, ROWS = 40, np.arange(30, 40)
TRUTH = np.zeros(10, dtype=int)


def curve(make_round, n_right, n_new=5, **params):
    """Rounds with `n_new` more labels each; `n_right` of ten rows are right."""
    for k, right in enumerate(n_right):
        labels = {row: row % 2 for row in range(2 + k * n_new)}
        codes = [0] * 30 + [0] * right + [1] * (10 - right)
        yield make_round(codes, labels, bought=list(labels)[2:], round=k + 1, **params)


def stops(criterion, pools):
    return [criterion.update(pool) is not None for pool in pools]


@pytest.fixture
def validation():
    return {"X_val": ROWS.reshape(-1, 1), "y_val": TRUTH}


def test_a_plateau_lasts_so_many_labels(make_round, validation):
    scores = [5, 8, 7, 8, 8]  # the second is the best; an equal score is not better
    plateau = ValidationPlateau(**validation, patience=10)
    pools = list(curve(make_round, scores))
    assert stops(plateau, pools) == [False, False, False, True, True]
    reason = plateau.update(pools[4])
    assert reason == "no score above 0.8 in the last 15 labels"


def test_patience_counts_labels_whatever_the_batch_size(make_round, validation):
    plateau = ValidationPlateau(**validation, patience=3)
    pools = curve(make_round, [5] * 5, n_new=1)
    assert stops(plateau, pools) == [False, False, False, True, True]


@pytest.mark.parametrize(
    ("min_delta", "expected"),
    [
        (0.05, [False, False, False, False]),
        (0.15, [False, False, False, False]),  # .5 is the best until .7 comes
        (0.25, [False, False, True, False]),  # .5 is the best until .8 comes
    ],
)
def test_small_improvements_are_none(make_round, validation, min_delta, expected):
    plateau = ValidationPlateau(**validation, patience=8, min_delta=min_delta)
    assert stops(plateau, curve(make_round, [5, 6, 7, 8], n_new=4)) == expected


def test_any_scorer_will_do(make_round, validation):
    y_val = np.array([0] * 5 + [1] * 5)
    plateau = ValidationPlateau(ROWS.reshape(-1, 1), y_val, scoring="f1", patience=99)
    for pool in curve(make_round, [5]):
        plateau.update(pool)
    assert plateau.best_score_ == 1.0


def held_labels(k):
    return dict.fromkeys(ROWS[: 5 * (k + 1)].tolist(), 0)


def test_without_a_validation_set_the_test_sample_of_the_run_is_scored(make_round):
    plateau = ValidationPlateau(patience=5)
    codes = [0] * 30 + [0] * 8 + [1] * 2
    # The sample is bought in two rounds, with the same model: 5/5, then 8/10.
    scores = []
    for k in range(2):
        labels = {0: 0, 1: 1} | held_labels(k)
        pool = make_round(codes, labels, held=list(held_labels(k)), round=k + 1)
        assert plateau.update(pool) is None
        scores.append(plateau.best_score_)
    assert scores == [1.0, 0.8]


def test_there_is_no_score_without_a_test_row(make_round):
    for criterion in (ValidationPlateau(patience=1), GainPerLabel(window=1)):
        assert stops(criterion, curve(make_round, [5, 5, 5])) == [False] * 3


def test_labels_must_gain_their_price(make_round, validation):
    # Over 5 labels .3, .1, 0: per label .06, .02, 0.
    for price, expected in [
        (0.07, [False, True, True, True]),
        (0.03, [False, False, True, True]),
        (0.01, [False, False, False, True]),
        (0.0, [False] * 4),
    ]:
        criterion = GainPerLabel(price, **validation, window=5)
        assert stops(criterion, curve(make_round, [5, 8, 9, 9])) == expected


def test_the_gain_is_measured_over_the_window(make_round, validation):
    criterion = GainPerLabel(0.02, **validation, window=10)
    pools = list(curve(make_round, [5, 8, 6]))
    assert stops(criterion, pools) == [False, False, True]
    assert criterion.update(pools[2]) == (
        "the last 10 rows gained 0.1, less than their price 0.2"
    )


def test_prices_are_those_of_the_rows(make_round, validation):
    cost = np.full(N, 2.0)  # five rows for ten: .3 is .03 per unit
    for price, expected in [(0.029, [False, False]), (0.031, [False, True])]:
        criterion = GainPerLabel(price, **validation, window=5)
        assert stops(criterion, curve(make_round, [5, 8], cost=cost)) == expected


def test_rows_without_an_answer_are_paid_for(make_round, validation):
    criterion = GainPerLabel(0.001, **validation, window=5)
    codes, labels = [0] * 40, {0: 0, 1: 1}
    assert criterion.update(make_round(codes, labels)) is None
    pool = make_round(codes, labels, asked=range(2, 7), round=2)
    assert criterion.update(pool) is not None


def test_rows_of_the_test_sample_are_not_paid_for(make_round):
    criterion = GainPerLabel(1.0, window=5)
    codes = [0] * 40
    for k in range(2):
        labels = {0: 0, 1: 1} | held_labels(k)
        pool = make_round(codes, labels, held=list(held_labels(k)), round=k + 1)
        assert criterion.update(pool) is None
    assert criterion.records_ == [(0, 0, 1.0)]


def test_rows_of_the_test_sample_without_an_answer_are_not_paid_for(make_round):
    criterion, codes = GainPerLabel(1.0, window=3), [0] * 40
    for k in range(1, 4):
        labels = {0: 0, 1: 1, 30: 0}
        pool = make_round(codes, labels, held=range(30, 30 + 3 * k), round=k)
        assert criterion.update(pool) is None
    assert criterion.records_ == [(0, 0, 1.0)]


THREE = np.full((40, 3), [0.5, 0.25, 0.25])


@pytest.mark.parametrize(
    ("known", "held", "table", "expected"),
    [
        ("ab", "aa", THREE[:, :2] * 4 / 3, [2 / 3, 2 / 3]),  # one of two classes
        ("abc", "aa", THREE, [0.5, 0.5]),
        ("abc", "ab", THREE, [0.5, 0.25]),
        ("ac", "aa", [[0.9, 0.1]] * 40, [0.9, 0.9]),
        # What the model cannot know has the probability 0, which scikit-learn clips.
        ("ab", "ac", [[0.75, 0.25]] * 40, [0.75, np.finfo(float).eps]),
    ],
)
def test_log_loss_of_a_test_sample_that_lacks_classes(
    make_round, known, held, table, expected
):
    table = np.asarray(table) / np.sum(table, axis=1, keepdims=True)
    labels = dict(enumerate(known)) | dict(zip((30, 31), held, strict=True))
    plateau = ValidationPlateau(patience=5, scoring="neg_log_loss")
    plateau.update(make_round(table, labels, held=(30, 31)))
    assert plateau.best_score_ == pytest.approx(np.log(expected).mean())


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.UndefinedMetricWarning")
def test_a_score_that_is_not_defined_is_none_yet(make_round):
    plateau = ValidationPlateau(patience=1, scoring="roc_auc")
    for k in range(4):
        labels = {row: row % 2 for row in range(2 + k)} | {30: 0, 31: 0}
        pool = make_round([0] * 40, labels, held=(30, 31), round=k + 1)
        assert plateau.update(pool) is None
    assert not hasattr(plateau, "best_score_")


def test_an_error_of_a_scorer_says_who_was_scored_on_what(make_round):
    def quality(model, X, y):
        raise ValueError("no quality")

    plateau = ValidationPlateau(scoring=quality)
    pool = make_round([0] * 40, {0: 0, 1: 1, 30: 0}, held=[30])
    with pytest.raises(ValueError, match="no quality") as caught:
        plateau.update(pool)
    assert "ValidationPlateau has scored Fixed by scoring=" in caught.value.__notes__[0]
