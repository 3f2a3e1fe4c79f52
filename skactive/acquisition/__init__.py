"""Acquisition: which rows are worth a label.

Pure functions of arrays, and the strategies that call them.
"""

from skactive.acquisition._base import BaseStrategy, FunctionStrategy
from skactive.acquisition._batch_bald import BatchBALDSampling, batch_bald
from skactive.acquisition._bayesian import (
    BALDSampling,
    PowerBALDSampling,
    bald,
    draw_without_replacement,
    power_scores,
    uncertainty_split,
)
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
from skactive.acquisition._joint_labels import joint_entropy
from skactive.acquisition._predictive import BEMPSSampling, EPIGSampling, bemps, epig
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
    "BALDSampling",
    "BEMPSSampling",
    "BaseStrategy",
    "BatchBALDSampling",
    "ConsensusEntropySampling",
    "EPIGSampling",
    "EntropySampling",
    "FunctionStrategy",
    "KMeansSampling",
    "LeastConfidentSampling",
    "MarginSampling",
    "MeanStdSampling",
    "PowerBALDSampling",
    "RandomSampling",
    "VariationRatioSampling",
    "VoteEntropySampling",
    "bald",
    "batch_bald",
    "bemps",
    "boundary_closeness",
    "consensus_entropy",
    "draw_without_replacement",
    "entropy",
    "epig",
    "get_strategy",
    "get_strategy_names",
    "joint_entropy",
    "kl_divergence",
    "least_confident",
    "margin",
    "mean_std",
    "power_scores",
    "soft_variation_ratio",
    "uncertainty_split",
    "variation_ratio",
    "vote_entropy",
]
