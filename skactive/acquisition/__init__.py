"""Acquisition: which rows are worth a label.

The strategies, and the registry of their names. Each is in the package of its family;
their formulas are functions of arrays in :mod:`skactive.acquisition.functional`.
"""

from skactive.acquisition._base import BaseStrategy, FunctionStrategy, Selection
from skactive.acquisition._random import RandomSampling
from skactive.acquisition._registry import get_strategy, get_strategy_names
from skactive.acquisition.committee._bald import BALDSampling
from skactive.acquisition.committee._batch_bald import BatchBALDSampling
from skactive.acquisition.committee._bemps import BEMPSSampling
from skactive.acquisition.committee._disagreement import (
    ConsensusEntropySampling,
    MeanStdSampling,
    VariationRatioSampling,
    VoteEntropySampling,
)
from skactive.acquisition.committee._epig import EPIGSampling
from skactive.acquisition.committee._power_bald import PowerBALDSampling
from skactive.acquisition.diversity._discriminative import DiscriminativeSampling
from skactive.acquisition.diversity._facility_location import FacilityLocationSampling
from skactive.acquisition.diversity._graph_density import GraphDensitySampling
from skactive.acquisition.diversity._hierarchical import HierarchicalSampling
from skactive.acquisition.diversity._k_center import KCenterSampling
from skactive.acquisition.diversity._k_means import KMeansSampling
from skactive.acquisition.diversity._max_herding import MaxHerdingSampling
from skactive.acquisition.diversity._prob_cover import ProbCoverSampling
from skactive.acquisition.diversity._typiclust import TypiClustSampling
from skactive.acquisition.dynamics._label_dispersion import LabelDispersionSampling
from skactive.acquisition.error_reduction._expected_error import (
    ExpectedErrorReductionSampling,
)
from skactive.acquisition.error_reduction._expected_loss import ExpectedLossSampling
from skactive.acquisition.hybrid._auto import AutoSampling
from skactive.acquisition.hybrid._badge import BADGESampling
from skactive.acquisition.hybrid._cluster_margin import ClusterMarginSampling
from skactive.acquisition.hybrid._cluster_uncertain import ClusterUncertainSampling
from skactive.acquisition.hybrid._contrastive import ContrastiveSampling
from skactive.acquisition.hybrid._density import DensitySampling
from skactive.acquisition.hybrid._falcun import FALCUNSampling
from skactive.acquisition.hybrid._quire import QUIRESampling
from skactive.acquisition.hybrid._suggestive_annotation import (
    SuggestiveAnnotationSampling,
)
from skactive.acquisition.hybrid._u_herding import UHerdingSampling
from skactive.acquisition.meta._albl import ALBLSampling
from skactive.acquisition.meta._filters import Prefilter, Subsample
from skactive.acquisition.meta._proxy import Proxy
from skactive.acquisition.meta._turns import Alternate, EpsilonGreedy
from skactive.acquisition.meta._utilities import PerCost, Product, WeightedSum
from skactive.acquisition.model_change._bait import BAITSampling
from skactive.acquisition.model_change._expected_gradient_length import (
    ExpectedGradientLengthSampling,
)
from skactive.acquisition.uncertainty._loss_prediction import LossPredictionSampling
from skactive.acquisition.uncertainty._probabilities import (
    EntropySampling,
    LeastConfidentSampling,
    MarginSampling,
)

__all__ = [
    "ALBLSampling",
    "Alternate",
    "AutoSampling",
    "BADGESampling",
    "BAITSampling",
    "BALDSampling",
    "BEMPSSampling",
    "BaseStrategy",
    "BatchBALDSampling",
    "ClusterMarginSampling",
    "ClusterUncertainSampling",
    "ConsensusEntropySampling",
    "ContrastiveSampling",
    "DensitySampling",
    "DiscriminativeSampling",
    "EPIGSampling",
    "EntropySampling",
    "EpsilonGreedy",
    "ExpectedErrorReductionSampling",
    "ExpectedGradientLengthSampling",
    "ExpectedLossSampling",
    "FALCUNSampling",
    "FacilityLocationSampling",
    "FunctionStrategy",
    "GraphDensitySampling",
    "HierarchicalSampling",
    "KCenterSampling",
    "KMeansSampling",
    "LabelDispersionSampling",
    "LeastConfidentSampling",
    "LossPredictionSampling",
    "MarginSampling",
    "MaxHerdingSampling",
    "MeanStdSampling",
    "PerCost",
    "PowerBALDSampling",
    "Prefilter",
    "ProbCoverSampling",
    "Product",
    "Proxy",
    "QUIRESampling",
    "RandomSampling",
    "Selection",
    "Subsample",
    "SuggestiveAnnotationSampling",
    "TypiClustSampling",
    "UHerdingSampling",
    "VariationRatioSampling",
    "VoteEntropySampling",
    "WeightedSum",
    "get_strategy",
    "get_strategy_names",
]
