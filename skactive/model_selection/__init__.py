"""Model selection where not all rows have a label."""

from skactive.model_selection._active_test import active_test, queried_risk
from skactive.model_selection._risk import lure_risk, lure_weights
from skactive.model_selection._scorer import labeled_scorer
from skactive.model_selection._split import LabeledFold

__all__ = [
    "LabeledFold",
    "active_test",
    "labeled_scorer",
    "lure_risk",
    "lure_weights",
    "queried_risk",
]
