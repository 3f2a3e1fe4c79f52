"""Model selection for partly labelled data, and for runs that buy labels."""

from skactive.model_selection._active_test import active_test, queried_risk
from skactive.model_selection._areas import area_under_budget_curve, normalized_area
from skactive.model_selection._curve import active_learning_curve
from skactive.model_selection._curve_result import ActiveLearningCurve
from skactive.model_selection._out_of_fold import out_of_fold_proba
from skactive.model_selection._risk import lure_interval, lure_risk, lure_weights
from skactive.model_selection._scorer import labeled_scorer
from skactive.model_selection._split import LabeledFold

__all__ = [
    "ActiveLearningCurve",
    "LabeledFold",
    "active_learning_curve",
    "active_test",
    "area_under_budget_curve",
    "labeled_scorer",
    "lure_interval",
    "lure_risk",
    "lure_weights",
    "normalized_area",
    "out_of_fold_proba",
    "queried_risk",
]
