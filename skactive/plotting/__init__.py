"""Plotting: displays in scikit-learn's manner."""

from skactive.plotting._curve import ActiveLearningCurveDisplay

__all__ = ["ActiveLearningCurveDisplay"]
