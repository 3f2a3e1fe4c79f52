"""Plotting: displays like those of scikit-learn."""

from skactive.plotting._composition import BatchCompositionDisplay
from skactive.plotting._curve import ActiveLearningCurveDisplay
from skactive.plotting._query_map import QueryMapDisplay

__all__ = [
    "ActiveLearningCurveDisplay",
    "BatchCompositionDisplay",
    "QueryMapDisplay",
]
