"""Acquisition: which rows are worth a label.

Pure functions of arrays, and the strategies that call them.
"""

from skactive.acquisition._base import (
    BaseStrategy,
    FunctionStrategy,
)
from skactive.acquisition._random import (
    RandomSampling,
)
from skactive.acquisition._registry import (
    get_strategy,
    get_strategy_names,
)
from skactive.acquisition.committee._batch_bald import (
    BatchBALDSampling,
    batch_bald,
)
from skactive.acquisition.committee._bayesian import (
    BALDSampling,
    PowerBALDSampling,
    bald,
    draw_without_replacement,
    power_scores,
    uncertainty_split,
)
from skactive.acquisition.committee._disagreement import (
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
from skactive.acquisition.committee._joint_labels import (
    joint_entropy,
)
from skactive.acquisition.committee._predictive import (
    BEMPSSampling,
    EPIGSampling,
    bemps,
    epig,
)
from skactive.acquisition.diversity._core_set import (
    KCenterSampling,
    k_center,
)
from skactive.acquisition.diversity._density import (
    DensitySampling,
    mean_cosine_similarity,
)
from skactive.acquisition.diversity._discriminative import (
    DiscriminativeSampling,
    discriminative,
)
from skactive.acquisition.diversity._facility import (
    FacilityLocationSampling,
    SuggestiveAnnotationSampling,
    facility_location,
)
from skactive.acquisition.diversity._graph_density import (
    GraphDensitySampling,
    graph_density,
)
from skactive.acquisition.diversity._herding import (
    MaxHerdingSampling,
    UHerdingSampling,
    max_herding,
    u_herding,
)
from skactive.acquisition.diversity._hierarchical import (
    HierarchicalSampling,
    admissible_labels,
    label_bounds,
)
from skactive.acquisition.diversity._prob_cover import (
    ProbCoverSampling,
    choose_radius,
    prob_cover,
)
from skactive.acquisition.diversity._representative import (
    KMeansSampling,
)
from skactive.acquisition.diversity._typiclust import (
    TypiClustSampling,
    typicality,
    typiclust,
)
from skactive.acquisition.dynamics._dynamics import (
    LabelDispersionSampling,
    forgetting_events,
    label_dispersion,
    training_correctness,
    unforgettable,
)
from skactive.acquisition.error_reduction._active_testing import (
    ExpectedLossSampling,
    expected_loss,
)
from skactive.acquisition.error_reduction._expected_error import (
    ExpectedErrorReductionSampling,
    expected_error,
)
from skactive.acquisition.hybrid._auto import AutoSampling, region_size
from skactive.acquisition.hybrid._contrastive import (
    ContrastiveSampling,
    contrastive,
)
from skactive.acquisition.hybrid._hybrid import (
    ClusterMarginSampling,
    ClusterUncertainSampling,
    round_robin_rows,
    weighted_k_means_rows,
)
from skactive.acquisition.hybrid._quire import (
    QUIRESampling,
    quire,
)
from skactive.acquisition.meta._albl import (
    ALBLSampling,
    exp4p_probabilities,
    exp4p_weights,
    importance_weighted_accuracy,
)
from skactive.acquisition.meta._combine import (
    Alternate,
    EpsilonGreedy,
    PerCost,
    Prefilter,
    Product,
    Proxy,
    Subsample,
    WeightedSum,
)
from skactive.acquisition.model_change._fisher import (
    BAITSampling,
    bait,
)
from skactive.acquisition.model_change._model_change import (
    BADGESampling,
    ExpectedGradientLengthSampling,
    FALCUNSampling,
    badge,
    expected_gradient_length,
    falcun,
)
from skactive.acquisition.uncertainty._learned_loss import (
    LossPredictionSampling,
    out_of_fold_losses,
)
from skactive.acquisition.uncertainty._uncertainty import (
    EntropySampling,
    LeastConfidentSampling,
    MarginSampling,
    boundary_closeness,
    entropy,
    least_confident,
    margin,
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
    "Subsample",
    "SuggestiveAnnotationSampling",
    "TypiClustSampling",
    "UHerdingSampling",
    "VariationRatioSampling",
    "VoteEntropySampling",
    "WeightedSum",
    "admissible_labels",
    "badge",
    "bait",
    "bald",
    "batch_bald",
    "bemps",
    "boundary_closeness",
    "choose_radius",
    "consensus_entropy",
    "contrastive",
    "discriminative",
    "draw_without_replacement",
    "entropy",
    "epig",
    "exp4p_probabilities",
    "exp4p_weights",
    "expected_error",
    "expected_gradient_length",
    "expected_loss",
    "facility_location",
    "falcun",
    "forgetting_events",
    "get_strategy",
    "get_strategy_names",
    "graph_density",
    "importance_weighted_accuracy",
    "joint_entropy",
    "k_center",
    "kl_divergence",
    "label_bounds",
    "label_dispersion",
    "least_confident",
    "margin",
    "max_herding",
    "mean_cosine_similarity",
    "mean_std",
    "out_of_fold_losses",
    "power_scores",
    "prob_cover",
    "quire",
    "region_size",
    "round_robin_rows",
    "soft_variation_ratio",
    "training_correctness",
    "typicality",
    "typiclust",
    "u_herding",
    "uncertainty_split",
    "unforgettable",
    "variation_ratio",
    "vote_entropy",
    "weighted_k_means_rows",
]
