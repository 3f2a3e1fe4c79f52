"""Acquisition: which rows are worth a label.

Pure functions of arrays, and the strategies that call them.
"""

from skactive.acquisition._base import BaseStrategy, FunctionStrategy
from skactive.acquisition._bayesian import BALDSampling, bald, uncertainty_split
from skactive.acquisition._combine import (
    Alternate,
    EpsilonGreedy,
    Prefilter,
    Product,
    Proxy,
    Subsample,
    WeightedSum,
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
from skactive.acquisition._facility import (
    FacilityLocationSampling,
    SuggestiveAnnotationSampling,
    facility_location,
)
from skactive.acquisition._herding import (
    MaxHerdingSampling,
    UHerdingSampling,
    max_herding,
    u_herding,
)
from skactive.acquisition._prob_cover import (
    ProbCoverSampling,
    choose_radius,
    prob_cover,
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
    "Alternate",
    "BALDSampling",
    "BaseStrategy",
    "ConsensusEntropySampling",
    "EntropySampling",
    "EpsilonGreedy",
    "FacilityLocationSampling",
    "FunctionStrategy",
    "KMeansSampling",
    "LeastConfidentSampling",
    "MarginSampling",
    "MaxHerdingSampling",
    "MeanStdSampling",
    "Prefilter",
    "ProbCoverSampling",
    "Product",
    "Proxy",
    "RandomSampling",
    "Subsample",
    "SuggestiveAnnotationSampling",
    "UHerdingSampling",
    "VariationRatioSampling",
    "VoteEntropySampling",
    "WeightedSum",
    "bald",
    "boundary_closeness",
    "choose_radius",
    "consensus_entropy",
    "entropy",
    "facility_location",
    "get_strategy",
    "get_strategy_names",
    "kl_divergence",
    "least_confident",
    "margin",
    "max_herding",
    "mean_std",
    "prob_cover",
    "soft_variation_ratio",
    "u_herding",
    "uncertainty_split",
    "variation_ratio",
    "vote_entropy",
]
