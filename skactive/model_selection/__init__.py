"""Model selection where not all rows have a label, and where labels are bought."""

from skactive.model_selection._areas import area_under_budget_curve, normalized_area
from skactive.model_selection._curve import active_learning_curve
from skactive.model_selection._curve_result import ActiveLearningCurve
from skactive.model_selection._scorer import labeled_scorer
from skactive.model_selection._split import LabeledFold

__all__ = [
    "ActiveLearningCurve",
    "LabeledFold",
    "active_learning_curve",
    "area_under_budget_curve",
    "labeled_scorer",
    "normalized_area",
]
