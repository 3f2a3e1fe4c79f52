"""Acquisition: which rows are worth a label.

Pure functions of arrays, and the strategies that call them.
"""

from skactive.acquisition._base import BaseStrategy, FunctionStrategy
from skactive.acquisition._random import RandomSampling
from skactive.acquisition._registry import get_strategy, get_strategy_names
from skactive.acquisition._representative import KMeansSampling
from skactive.acquisition._uncertainty import (
    EntropySampling,
    LeastConfidentSampling,
    MarginSampling,
    boundary_closeness,
    entropy,
    least_confident,
    margin,
)

__all__ = [
    "BaseStrategy",
    "EntropySampling",
    "FunctionStrategy",
    "KMeansSampling",
    "LeastConfidentSampling",
    "MarginSampling",
    "RandomSampling",
    "boundary_closeness",
    "entropy",
    "get_strategy",
    "get_strategy_names",
    "least_confident",
    "margin",
]
