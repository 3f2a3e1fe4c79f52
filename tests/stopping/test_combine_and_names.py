"""Names, combinations, checks before payment, and searches."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.svm import LinearSVC

from skactive import ActiveLearningClassifier
from skactive.stopping import (
    AllOf,
    AnyOf,
    ClassificationChange,
    GainPerLabel,
    MaxUncertainty,
    MinExpectedError,
    OverallUncertainty,
    SelectedAccuracy,
    StabilizingPredictions,
    ValidationPlateau,
    get_criterion,
    get_criterion_names,
)

RNG = np.random.default_rng(1)
X = RNG.normal(size=(120, 3))
TRUTH = (X[:, 0] > 0).astype(int)
Y = np.where(np.arange(120) < 20, TRUTH, -1)


def after(n_rounds, reason="late"):
    def late(pool):
        return reason if pool.round > n_rounds else None

    return late


def make_clf(stopping, estimator=None, asked=None, **params):
    def ask(X, sample_ids):
        if asked is not None:
            asked.extend(sample_ids.tolist())
        return TRUTH[sample_ids]

    return ActiveLearningClassifier(
        LogisticRegression() if estimator is None else estimator,
        oracle=ask,
        stopping=stopping,
        random_state=0,
        **{"budget": 60} | params,
    )


def run(stopping, estimator=None, asked=None, y=Y, **params):
    clf = make_clf(stopping, estimator, asked, **params)
    return clf.fit(X, y, sample_ids=np.arange(len(X)))


def test_every_name_makes_a_criterion():
    for name in get_criterion_names():
        assert hasattr(get_criterion(name), "update")


def test_a_name_that_does_not_exist_is_told_what_was_meant():
    with pytest.raises(ValueError, match=r"Did you mean 'max_uncertainty'"):
        get_criterion("max_uncertanty")


@pytest.mark.parametrize(
    ("stopping", "condition"),
    [
        (["max_uncertainty", "selected_accuracy"], "selected_accuracy"),
        (StabilizingPredictions(0.5), "StabilizingPredictions"),
        ([after(99), after(1)], "late"),
        (AnyOf(["max_uncertainty", after(1)]), "AnyOf"),
        (AllOf([after(1), after(2)]), "AllOf"),
    ],
)
def test_the_run_ends_with_the_name_of_its_criterion(stopping, condition):
    clf = run(stopping)
    assert clf.termination_condition_ == condition
    assert clf.history_[-1]["reason"]


def test_the_reasons_of_a_combination_name_its_parts():
    clf = run(AnyOf([AllOf([after(2, "x"), after(1, "y")]), "max_uncertainty"]))
    assert clf.n_iter_ == 2
    assert clf.history_[-1]["reason"] == "AllOf: late: x; late: y"


def test_all_of_waits_until_all_say_so_in_one_round():
    def odd(pool):
        return "odd" if pool.round % 2 else None

    assert run(AllOf([odd, after(1)])).n_iter_ == 2
    assert run(AnyOf([odd, after(1)])).n_iter_ == 0


def test_parts_keep_their_state_whatever_the_others_say():
    class Third:
        n_seen = 0

        def update(self, pool):
            self.n_seen += 1
            return "third" if self.n_seen == 3 else None

    # The first part of AnyOf speaks in every round, and Third sees all of them.
    both = AllOf([AnyOf([after(0), Third()]), Third()])
    assert run(both).n_iter_ == 2


@pytest.mark.parametrize(
    ("stopping", "message"),
    [
        (MaxUncertainty(-1.0), "'threshold' parameter of MaxUncertainty"),
        (SelectedAccuracy(1.5), "'threshold' parameter of SelectedAccuracy"),
        (AnyOf([AllOf([OverallUncertainty(0)])]), "'threshold' parameter of Overall"),
        (ClassificationChange(MinExpectedError(0)), "'threshold' parameter of MinExp"),
        (ClassificationChange("validation_plateau"), "ValidationPlateau has none"),
        (AnyOf([]), "criteria is empty"),
        (AllOf(["max_uncertainty", "nothing"]), "no stopping criterion named 'noth"),
        (["max_uncertainty", "nothing"], "no stopping criterion named 'nothing'"),
        (ValidationPlateau(), "holdout_fraction=0.2"),
        (ValidationPlateau(X), "X_val and y_val, or neither"),
        (
            ValidationPlateau(X, TRUTH[1:]),
            "as many labels as rows, got 120",
        ),
        (ValidationPlateau(X[:0], TRUTH[:0]), "X_val of ValidationPlateau is empty"),
        (GainPerLabel(1, X[:, :2], TRUTH), "which has 3 features, and has 2"),
        (GainPerLabel(1, X, TRUTH.astype(str)), "type int, and holds str"),
        (GainPerLabel(1, X, TRUTH, scoring="quality"), "quality"),
        (
            ValidationPlateau(X, RNG.integers(0, 3, 120), "f1"),
            "'f1' of Validat.*0, 1, 2",
        ),
        (AnyOf(["gain_per_label"]), "GainPerLabel needs labels that are not trained"),
    ],
)
def test_criteria_are_checked_before_payment(stopping, message):
    asked = []
    with pytest.raises(ValueError, match=message):
        run(stopping, asked=asked)
    assert asked == []


@pytest.mark.parametrize(
    "stopping",
    [
        "max_uncertainty",
        AllOf(["min_expected_error"]),
        ClassificationChange("overall_uncertainty"),
    ],
)
def test_what_a_criterion_needs_is_checked_before_payment(stopping):
    asked = []
    with pytest.raises(
        ValueError, match=r"needs a classifier with predict_proba.*'sta"
    ):
        run(stopping, LinearSVC(), asked, y=np.full(120, -1))
    assert asked == []


def test_a_criterion_keeps_nothing_from_one_fit_to_the_next():
    criterion = StabilizingPredictions(0.5)
    clf = make_clf(criterion)
    first = clf.fit(X, Y, sample_ids=np.arange(120)).query_indices_
    again = clf.fit(X, Y, sample_ids=np.arange(120)).query_indices_
    np.testing.assert_array_equal(first, again)
    assert vars(criterion).keys() == criterion.get_params().keys()


def test_a_test_sample_is_bought_before_a_criterion_compares_models():
    clf = run(StabilizingPredictions(0.1), holdout_fraction=0.5)
    assert len(clf.holdout_indices_) == 30
    assert clf.n_queries_ == 60


def test_a_plateau_on_the_test_sample_ends_a_run():
    clf = run(ValidationPlateau(patience=20), holdout_fraction=0.25, budget=None)
    assert clf.termination_condition_ == "ValidationPlateau"
    assert clf.n_queries_ < 100


def test_a_search_goes_over_names_objects_and_their_parameters():
    names = {"stopping": ["selected_accuracy", StabilizingPredictions(0.5), None]}
    nested = {
        "stopping": [OverallUncertainty()],
        "stopping__threshold": [0.5, 1e-6],
    }
    search = GridSearchCV(make_clf(None), [names, nested], cv=2)
    search.fit(X, Y, sample_ids=np.arange(120))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    easy, strict = (
        make_clf(OverallUncertainty()).set_params(stopping__threshold=t)
        for t in (0.5, 1e-6)
    )
    counts = [
        clf.fit(X, Y, sample_ids=np.arange(120)).n_queries_ for clf in (easy, strict)
    ]
    assert counts[0] < counts[1] == 60
