"""Acquisition: which rows are worth a label.

Pure functions of arrays, and the strategies that call them.
"""

from skactive.acquisition._base import BaseStrategy, FunctionStrategy
from skactive.acquisition._bayesian import BALDSampling, bald, uncertainty_split
from skactive.acquisition._core_set import KCenterSampling, k_center
from skactive.acquisition._density import DensitySampling, mean_cosine_similarity
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
from skactive.acquisition._graph_density import GraphDensitySampling, graph_density
from skactive.acquisition._random import RandomSampling
from skactive.acquisition._registry import get_strategy, get_strategy_names
from skactive.acquisition._representative import KMeansSampling
from skactive.acquisition._typiclust import TypiClustSampling, typicality, typiclust
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
    "BaseStrategy",
    "ConsensusEntropySampling",
    "DensitySampling",
    "EntropySampling",
    "FunctionStrategy",
    "GraphDensitySampling",
    "KCenterSampling",
    "KMeansSampling",
    "LeastConfidentSampling",
    "MarginSampling",
    "MeanStdSampling",
    "RandomSampling",
    "TypiClustSampling",
    "VariationRatioSampling",
    "VoteEntropySampling",
    "bald",
    "boundary_closeness",
    "consensus_entropy",
    "entropy",
    "get_strategy",
    "get_strategy_names",
    "graph_density",
    "k_center",
    "kl_divergence",
    "least_confident",
    "margin",
    "mean_cosine_similarity",
    "mean_std",
    "soft_variation_ratio",
    "typicality",
    "typiclust",
    "uncertainty_split",
    "variation_ratio",
    "vote_entropy",
]
