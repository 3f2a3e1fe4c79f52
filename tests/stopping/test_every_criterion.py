"""Every registered stopping criterion, and the contract that all of them keep."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from skactive.stopping import (
    AllOf,
    AnyOf,
    BaseCriterion,
    ClassificationChange,
    FunctionCriterion,
    GainPerLabel,
    MaxUncertainty,
    OverallUncertainty,
    StabilizingPredictions,
    ValidationPlateau,
    get_criterion_names,
)
from skactive.testing import check_stopping_criterion

RNG = np.random.default_rng(0)
X_VAL, Y_VAL = RNG.random((30, 5)), np.arange(30) % 2

OTHERS = [
    MaxUncertainty(0.6),
    StabilizingPredictions(0.8, n_windows=1, n_stop_set=20, min_labels=1),
    ValidationPlateau(patience=5),
    ValidationPlateau(X_VAL, Y_VAL, scoring="f1_macro", patience=3, min_delta=0.1),
    GainPerLabel(0.01, X_VAL, Y_VAL, window=4),
    ClassificationChange("overall_uncertainty"),
    ClassificationChange(OverallUncertainty(1.0), min_labels=2),
    AnyOf(["max_uncertainty", StabilizingPredictions(0.5, n_windows=1)]),
    AllOf([AnyOf(["classification_change"]), OverallUncertainty(2.0)]),
    lambda pool: pool.round > 3,
]


@pytest.mark.parametrize("name", get_criterion_names())
def test_criteria_keep_their_contract(name):
    check_stopping_criterion(name, GaussianNB())


@pytest.mark.slow
@pytest.mark.parametrize(
    "criterion", OTHERS, ids=lambda c: getattr(c, "__name__", str(c))[:40]
)
def test_with_any_parameters_they_keep_it(criterion):
    check_stopping_criterion(criterion, GaussianNB())


@pytest.mark.parametrize("name", ["stabilizing_predictions", "selected_accuracy"])
def test_some_criteria_need_no_probabilities(name):
    check_stopping_criterion(name, LinearSVC())


class Wrong(BaseCriterion):
    def update(self, pool):
        return self.do(pool)


class SaysTrue(Wrong):
    def do(self, pool):
        return True


class Writes(Wrong):
    def do(self, pool):
        pool.X[0, 0] += 1


class Counts(Wrong):
    seen = []

    def do(self, pool):
        self.seen.append(pool.round)
        return f"seen {len(self.seen)}"


class Reads(Wrong):
    def do(self, pool):
        return "sure" if pool.proba.max() > 2 else None


class Sets(Wrong):
    def __init__(self, limit=0):
        self.limit = limit

    def do(self, pool):
        self.limit += 1


class InitSets(Wrong):
    def __init__(self):
        self.limit_ = 0


@pytest.mark.parametrize(
    ("criterion", "problem"),
    [
        (SaysTrue(), "a reason as a str, or None, got True"),
        (Writes(), "changes the pool"),
        (Counts(), "a fresh clone said"),
        (Reads(), r"uses \['proba'\] of the pool"),
        (Sets(), r"update changes \['limit'\]"),
        (InitSets(), "__init__ must set its parameters"),
    ],
)
def test_broken_criteria_are_told_what_is_wrong(criterion, problem):
    with pytest.raises(AssertionError, match=problem):
        check_stopping_criterion(criterion, GaussianNB())


class Plain:
    """A criterion that is not an estimator, with a state."""

    n_seen = 0

    def update(self, pool):
        self.n_seen += 1
        return "enough" if self.n_seen > 3 else None


class Estimator(BaseEstimator, Plain):
    pass


@pytest.mark.parametrize("criterion", [Plain(), Estimator()])
def test_criteria_need_no_base_class(criterion):
    check_stopping_criterion(criterion, GaussianNB())


def test_a_criterion_without_update_says_so():
    with pytest.raises(TypeError, match="BaseCriterion must implement"):
        BaseCriterion().update(None)


def test_what_a_function_returns_becomes_a_text():
    assert FunctionCriterion(lambda pool: 3).update(None) == "3"
    assert FunctionCriterion(lambda pool: 0).update(None) is None
