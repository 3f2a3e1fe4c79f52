"""The criteria of Zhu et al., with values worked out by hand."""

import math

import numpy as np
import pytest

from skactive.stopping import (
    ClassificationChange,
    MaxUncertainty,
    MinExpectedError,
    OverallUncertainty,
    SelectedAccuracy,
)

# Rows 0 and 1 are labelled; entropies of the others: ln 2, 0, and that of (.9, .1).
TABLE = [[1, 0], [0, 1], [0.5, 0.5], [1, 0], [0.9, 0.1]]
ENTROPY = -(0.9 * math.log(0.9) + 0.1 * math.log(0.1))
VALUES = [
    (MaxUncertainty, math.log(2)),
    (OverallUncertainty, (math.log(2) + ENTROPY) / 3),
    (MinExpectedError, 0.6 / 3),
]


@pytest.mark.parametrize(("criterion", "value"), VALUES)
def test_uncertainty_of_the_rows_without_a_label(make_round, criterion, value):
    pool = make_round(TABLE, {0: 0, 1: 1})
    assert criterion(value - 1e-9).update(pool) is None
    reason = criterion(value + 1e-9).update(pool)
    assert f"of the 3 rows that may be queried is {value:.4g} <=" in reason


def test_rows_without_an_answer_do_not_count(make_round):
    pool = make_round(TABLE, {0: 0, 1: 1}, asked=[2])
    assert MaxUncertainty(0.33).update(pool) is not None


def bought(make_round, predicted, batches, truth):
    """Rounds in which the rows of `batches` are bought, one batch after the other."""
    labels = {0: 0, 1: 1}
    yield make_round(predicted, labels)
    for number, batch in enumerate(batches, start=2):
        labels = labels | {row: truth[row] for row in batch if truth[row] is not None}
        known = [row for row in batch if row in labels]
        asked = [row for row in batch if row not in labels]
        yield make_round(predicted, labels, bought=known, asked=asked, round=number)


def test_selected_accuracy_is_that_of_the_model_before_it_learned(make_round):
    truth = [0, 1, 0, 0, 1, 1, 0, 1]
    before = make_round([0, 1, 0, 1, 1, 1, 0, 0], {0: 0, 1: 1})
    labels = {row: truth[row] for row in range(6)}
    # The model that has learned them would say 100%; rows 2 to 5 had 3 hits of 4.
    after = make_round(truth, labels, bought=range(2, 6), round=2)
    for threshold, stops in [(0.75, True), (0.76, False)]:
        criterion = SelectedAccuracy(threshold, min_labels=4)
        assert criterion.update(before) is None
        assert (criterion.update(after) is not None) is stops


def test_selected_accuracy_ignores_abstentions(make_round):
    truth = [0, 1, 0, 0, None, None, 1, 1]
    pools = bought(make_round, [0, 1, 0, 0, 1, 1, 0, 0], [[2, 3, 4, 5]], truth)
    criterion = SelectedAccuracy(1.0, min_labels=2)
    reasons = [criterion.update(pool) for pool in pools]
    assert reasons[0] is None
    assert reasons[1].startswith("100.0% of the last 2 labels")


def test_selected_accuracy_looks_back_until_there_are_enough_labels(make_round):
    # Hit, miss, hit, hit, hit: of the last three 2/3 are right, then all.
    truth = [0, 1, 0, 0, 0, 0, 0, 0]
    predicted = [0, 1, 0, 1, 0, 0, 0, 0]
    criterion = SelectedAccuracy(0.7, min_labels=3)
    pools = bought(make_round, predicted, [[2], [3], [4], [5], [6]], truth)
    stops = [criterion.update(pool) is not None for pool in pools]
    assert stops == [False, False, False, False, False, True]


def test_a_label_that_was_no_class_yet_was_not_predicted(make_round):
    criterion = SelectedAccuracy(0.5, min_labels=1)
    criterion.update(make_round([0, 1, 1, 1], {0: "a", 1: "c"}))
    table = np.eye(3)[[0, 2, 1, 2]]
    pool = make_round(table, {0: "a", 1: "c", 2: "b"}, bought=[2], round=2)
    assert criterion.update(pool) is None


def test_the_run_goes_on_while_any_candidate_is_classified_anew(make_round):
    criterion = ClassificationChange(min_labels=1)
    first = make_round([0, 1, 0, 1, 0], {0: 0, 1: 1})
    changed = make_round([0, 1, 0, 1, 1], {0: 0, 1: 1, 2: 1}, bought=[2], round=2)
    # Row 3 changes as well, but has a label now.
    labels = {0: 0, 1: 1, 2: 1, 3: 0}
    same = make_round([0, 1, 1, 0, 1], labels, bought=[3], round=3)
    reasons = [criterion.update(pool) for pool in (first, changed, same)]
    assert reasons == [None, None, "no prediction of 1 rows has changed"]


def test_change_is_counted_over_several_labels_only(make_round):
    criterion = ClassificationChange(min_labels=3)
    stops = []
    for k in range(7):
        labels = {row: row % 2 for row in range(2 + k)}
        pool = make_round([0, 1] * 6, labels, round=k + 1)
        stops.append(criterion.update(pool) is not None)
    assert stops == [False, False, False, True, False, False, True]


def test_a_row_that_came_back_without_an_answer_has_not_changed(make_round):
    criterion = ClassificationChange(min_labels=1)
    criterion.update(make_round([0, 1, 0, 1, 0], {0: 0, 1: 1}, asked=[4]))
    pool = make_round([0, 1, 0, 1, 1], {0: 0, 1: 1, 2: 0}, bought=[2], round=2)
    assert criterion.update(pool) is not None


def test_a_threshold_that_is_met_while_labels_change_becomes_stricter(make_round):
    criterion = ClassificationChange(OverallUncertainty(0.8), step=0.5, min_labels=1)
    table = np.full((8, 2), 0.5)  # mean entropy ln 2 = .693, met by .8 and not by .4
    flips = [table + 0.01 * np.array([sign, -sign]) for sign in (1, -1, 1, 1)]
    thresholds, reasons = [], []
    for k, proba in enumerate(flips):
        labels = {row: row % 2 for row in range(2 + k)}
        reasons.append(criterion.update(make_round(proba, labels, round=k + 1)))
        thresholds.append(criterion.criterion_.threshold)
    # In the first round there is nothing to compare with; in the third .4 is not met.
    assert thresholds == pytest.approx([0.8, 0.4, 0.4, 0.4])
    assert reasons == [None] * 4
    assert criterion.criterion.threshold == 0.8


def test_an_accuracy_is_made_stricter_towards_one(make_round):
    criterion = ClassificationChange(
        SelectedAccuracy(0.6, min_labels=1), step=0.25, min_labels=1
    )
    criterion.update(make_round([0, 1, 0, 1, 0], {0: 0, 1: 1}))
    labels = {0: 0, 1: 1, 2: 0}
    criterion.update(make_round([0, 1, 0, 1, 1], labels, bought=[2], round=2))
    assert criterion.criterion_.threshold == pytest.approx(0.7)


def test_both_must_hold_to_stop(make_round):
    for threshold, stops in [(0.1, True), (1e-9, False)]:
        criterion = ClassificationChange(OverallUncertainty(threshold), min_labels=1)
        table = np.array([[1, 0], [0, 1], [0.99, 0.01], [0.99, 0.01]])
        assert criterion.update(make_round(table, {0: 0, 1: 1})) is None
        pool = make_round(table, {0: 0, 1: 1, 2: 0}, bought=[2], round=2)
        assert (criterion.update(pool) is not None) is stops
