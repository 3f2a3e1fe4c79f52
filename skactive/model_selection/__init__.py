"""Model selection where not all rows have a label."""

from skactive.model_selection._scorer import labeled_scorer
from skactive.model_selection._split import LabeledFold

__all__ = ["LabeledFold", "labeled_scorer"]
