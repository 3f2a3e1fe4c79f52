"""Stopping criteria: when further labels are not worth their price."""

from skactive._pool.remembered import agreement
from skactive.stopping._base import BaseCriterion, FunctionCriterion
from skactive.stopping._combine import AllOf, AnyOf
from skactive.stopping._confidence import (
    ClassificationChange,
    MaxUncertainty,
    MinExpectedError,
    OverallUncertainty,
    SelectedAccuracy,
)
from skactive.stopping._cost import GainPerLabel
from skactive.stopping._plateau import ValidationPlateau
from skactive.stopping._registry import get_criterion, get_criterion_names
from skactive.stopping._stability import StabilizingPredictions

__all__ = [
    "AllOf",
    "AnyOf",
    "BaseCriterion",
    "ClassificationChange",
    "FunctionCriterion",
    "GainPerLabel",
    "MaxUncertainty",
    "MinExpectedError",
    "OverallUncertainty",
    "SelectedAccuracy",
    "StabilizingPredictions",
    "ValidationPlateau",
    "agreement",
    "get_criterion",
    "get_criterion_names",
]
