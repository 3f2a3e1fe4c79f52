"""The records of `history_`, from a round that is made by hand."""

from types import SimpleNamespace

import numpy as np
import pytest

from skactive import PseudoLabels
from skactive._loop.history import begun_record, final_record, round_record


def mask(*rows):
    return np.isin(np.arange(8), rows)


POOL = SimpleNamespace(
    labeled=mask(0, 1, 2),
    models=SimpleNamespace(fits=SimpleNamespace(seconds=1.5), n_pseudo_labeled=4),
    noticed=SimpleNamespace(same_for_all=False),
)
# Rows 5 and 3 have a label, and row 6 was skipped.
ROUND = SimpleNamespace(
    number=2,
    selected_by="margin",
    rows_told=np.array([5, 3, 6]),
    pool=POOL,
    select_seconds=0.25,
    oracle_seconds=7.0,
    best_utility=0.9,
    mean_utility=0.4,
)
EXPECTED = {
    "round": 2,
    "strategy": "margin",
    "n_labeled": 3,  # before the round
    "n_queried": 3,
    "n_abstained": 1,
    "fit_seconds": 1.5,
    "select_seconds": 0.25,
    "oracle_seconds": 7.0,
    "best_utility": 0.9,
    "mean_utility": 0.4,
    "same_for_all": False,
    "reason": None,
}
FINAL = {
    "round": 3,
    "strategy": None,
    "n_labeled": 5,
    "n_queried": 0,
    "n_abstained": 0,
    "fit_seconds": 1.5,
    "select_seconds": 0.0,
    "oracle_seconds": 0.0,
    "best_utility": None,
    "mean_utility": None,
    "same_for_all": None,
    "reason": None,
}


def a_run(cost=None, unlabeled="ignore", end=None):
    return SimpleNamespace(
        inputs=SimpleNamespace(cost=cost, clf=SimpleNamespace(unlabeled=unlabeled)),
        ledger=SimpleNamespace(labeled=mask(0, 1, 2, 3, 5)),
        rounds=SimpleNamespace(total_cost=20.0),
        end=end,
    )


@pytest.mark.parametrize("record", [begun_record, round_record])
def test_the_record_of_a_round_counts_its_answers(record):
    found = record(a_run(), ROUND)
    assert found == EXPECTED
    assert {type(found[f"n_{what}"]) for what in ("labeled", "abstained")} == {int}


def test_prices_are_summed_over_the_answers_skips_included():
    found = round_record(a_run(cost=np.array([1, 1, 1, 2, 1, 4, 8, 1.0])), ROUND)
    assert found == EXPECTED | {"cost": 14.0, "total_cost": 20.0}
    assert type(found["cost"]) is float


def test_pseudo_labels_are_counted_once_there_is_a_model():
    run = a_run(unlabeled=PseudoLabels())
    assert begun_record(run, ROUND) == EXPECTED
    assert round_record(run, ROUND) == EXPECTED | {"n_pseudo_labeled": 4}
    assert final_record(run, 3, POOL) == FINAL | {"n_pseudo_labeled": 4}


def test_the_final_record_is_about_all_labels():
    found = final_record(a_run(), 3, POOL)
    assert found == FINAL
    assert type(found["n_labeled"]) is int


def test_the_final_record_has_the_reason_and_all_costs():
    run = a_run(cost=np.ones(8), end=SimpleNamespace(reason="it is late"))
    costs = {"cost": 0.0, "total_cost": 20.0}
    assert final_record(run, 3, POOL) == FINAL | {"reason": "it is late"} | costs
