"""Acquisition: which rows are worth a label.

Pure functions of arrays, and the strategies that call them.
"""

from skactive.acquisition._base import BaseStrategy, FunctionStrategy
from skactive.acquisition._bayesian import BALDSampling, bald, uncertainty_split
from skactive.acquisition._disagreement import (
    ConsensusEntropySampling,
    MeanStdSampling,
    VariationRatioSampling,
    VoteEntropySampling,
    consensus_entropy,
    kl_divergence,
    mean_std,
    soft_variation_ratio,
    variation_ratio,
    vote_entropy,
)
from skactive.acquisition._fisher import BAITSampling, bait
from skactive.acquisition._model_change import (
    BADGESampling,
    ExpectedGradientLengthSampling,
    FALCUNSampling,
    badge,
    expected_gradient_length,
    falcun,
)
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
    "BADGESampling",
    "BAITSampling",
    "BALDSampling",
    "BaseStrategy",
    "ConsensusEntropySampling",
    "EntropySampling",
    "ExpectedGradientLengthSampling",
    "FALCUNSampling",
    "FunctionStrategy",
    "KMeansSampling",
    "LeastConfidentSampling",
    "MarginSampling",
    "MeanStdSampling",
    "RandomSampling",
    "VariationRatioSampling",
    "VoteEntropySampling",
    "badge",
    "bait",
    "bald",
    "boundary_closeness",
    "consensus_entropy",
    "entropy",
    "expected_gradient_length",
    "falcun",
    "get_strategy",
    "get_strategy_names",
    "kl_divergence",
    "least_confident",
    "margin",
    "mean_std",
    "soft_variation_ratio",
    "uncertainty_split",
    "variation_ratio",
    "vote_entropy",
]
