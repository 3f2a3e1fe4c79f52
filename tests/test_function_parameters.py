"""Wrong values of functions and methods: an error names the parameter."""

import re

import matplotlib as mpl
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive.model_selection import (
    active_learning_curve,
    area_under_budget_curve,
    normalized_area,
    out_of_fold_proba,
)
from skactive.plotting import (
    ActiveLearningCurveDisplay,
    BatchCompositionDisplay,
    QueryMapDisplay,
)
from skactive.testing import check_oracle, check_stopping_criterion, check_strategy

mpl.use("Agg")
X = np.random.default_rng(0).normal(size=(40, 2))
TRUTH = (X[:, 0] > 0).astype(int)
IDS = np.arange(40)
Y = np.where(IDS < 10, TRUTH, -1)
UNFITTED = ActiveLearningClassifier(
    LogisticRegression(), oracle=lambda X, sample_ids: TRUTH[sample_ids], budget=4
)
CLF = clone(UNFITTED).fit(X, Y, sample_ids=IDS)
CURVES = active_learning_curve(UNFITTED, X, TRUTH, cv=2, random_state=0)

# Each with arguments that work, and wrong values of some of them.
CALLS = [
    (normalized_area, ([1, 2], [0.5, 0.6]), {"start": ["1", np.nan], "stop": [[2]]}),
    (normalized_area, (), {"n_labeled": [None, 3, [[1, 2]]], "scores": [None, [1]]}),
    (area_under_budget_curve, (), {"scores": [None, 1.0, "0.5"]}),
    (CURVES.area, ("margin",), {"scoring": [[], "f1", 1]}),
    (CURVES.aubc, (), {"strategy": [[], "random", None]}),
    (CURVES.labels_to_reach, (), {"target": [None, "95%"]}),
    (
        CURVES.summary,
        (),
        {
            "scoring": ["f1", []],
            "baseline": ["best", []],
            "target": ["0%", "-5%", "inf%", "x%", "x", None, np.nan, [0.9], b"x"],
            "confidence": [-1, 0, 1.5, np.nan, None, "95%"],
            "corrected": [None, "yes", 2],
        },
    ),
    (CURVES.mean_curve, ("margin",), {"confidence": [95, 0], "corrected": [None]}),
    (active_learning_curve, (UNFITTED, X, TRUTH), {"path": [1, []], "cv": [[]]}),
    (out_of_fold_proba, (UNFITTED, X, Y), {"n_jobs": [0, 1.5]}),
    (
        ActiveLearningCurveDisplay.from_estimator,
        (),
        {"clf": [None, LogisticRegression], "ax": ["x"], "name": [1, {}]},
    ),
    (
        ActiveLearningCurveDisplay.from_history,
        (),
        {"history": [None, "x", CLF], "key": [[], None]},
    ),
    (
        ActiveLearningCurveDisplay.from_curves,
        (CURVES,),
        {
            "scoring": ["f1", 1],
            "strategies": ["margin", 1],
            "band": ["sem", 1],
            "confidence": [0, 95, None],
            "ax": [1],
        },
    ),
    (
        BatchCompositionDisplay.from_estimator,
        (CLF,),
        {"initial": [None, "x", 2], "normalize": ["x"], "ax": ["x"]},
    ),
    (
        QueryMapDisplay.from_estimator,
        (CLF, X),
        {
            "projection": [1],
            "boundary": [None, "x"],
            "numbered": [2],
            "max_background": [-1, 1.5, "x"],
            "ax": ["x"],
        },
    ),
    (check_strategy, ("margin",), {"estimator": [1, LogisticRegression]}),
    (check_stopping_criterion, ("max_uncertainty",), {"estimator": ["x"]}),
    (
        check_oracle,
        (lambda X: [0] * len(X), X),
        {"missing_label": [True, 1.5], "sample_ids": [3], "classes": [3, "x"]},
    ),
]
OTHERS = {
    "normalized_area": {"n_labeled": [1, 2], "scores": [0.5, 0.6]},
    "labels_to_reach": {"target": 0.5, "strategy": "margin"},
    "from_estimator": {"clf": CLF, "X": X, "X_test": X, "y_test": TRUTH},
    "from_history": {"history": CLF.history_, "key": "fit_seconds"},
}


@pytest.mark.parametrize(
    ("call", "args", "name", "value"),
    [
        # Cut before the address of an oracle, which differs from process to process.
        pytest.param(
            call, args, name, value, id=f"{call.__qualname__}-{name}-{value!s:.40}"
        )
        for call, args, wrong in CALLS
        for name, values in wrong.items()
        for value in values
    ],
)
def test_an_error_names_the_parameter(call, args, name, value):
    others = {} if args else OTHERS.get(call.__name__, {})
    with pytest.raises((TypeError, ValueError), match=rf"\b{re.escape(name)}\b"):
        call(*args, **others | {name: value})


@pytest.mark.parametrize("name", ["strategy", "stopping"])
@pytest.mark.parametrize("function", [lambda: 1, lambda pool, other: 1])
def test_a_function_that_takes_no_pool_is_refused_before_payment(name, function):
    clf = ActiveLearningClassifier(
        LogisticRegression(), oracle=pytest.fail, **{name: function}
    )
    with pytest.raises(ValueError, match=r"'function' parameter .* with the pool"):
        clf.fit(X, np.full(40, -1))


def test_wrong_prices_are_told_with_their_rows():
    cost = np.where(IDS < 2, [np.nan, -1.0] * 20, 1.0)
    with pytest.raises(
        ValueError, match=r"^cost .* \[nan, -1.0\] in the rows \[0, 1\]"
    ):
        UNFITTED.fit(X, Y, sample_ids=IDS, cost=cost)
