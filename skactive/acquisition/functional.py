"""The formulas of the strategies, as functions of arrays.

They do not depend on pools or estimators: they take probabilities, votes or features,
and return utilities or the positions of the chosen rows. A strategy in
:mod:`skactive.acquisition` applies one of them to the round of a run.
"""

from skactive.acquisition._drawing import draw_without_replacement
from skactive.acquisition.committee._bald import bald, uncertainty_split
from skactive.acquisition.committee._batch_bald import batch_bald
from skactive.acquisition.committee._bemps import bemps
from skactive.acquisition.committee._disagreement import (
    consensus_entropy,
    kl_divergence,
    mean_std,
    soft_variation_ratio,
    variation_ratio,
    vote_entropy,
)
from skactive.acquisition.committee._epig import epig
from skactive.acquisition.committee._joint_labels import joint_entropy
from skactive.acquisition.committee._power_bald import power_scores
from skactive.acquisition.diversity._discriminative import discriminative
from skactive.acquisition.diversity._facility_location import facility_location
from skactive.acquisition.diversity._graph_density import graph_density
from skactive.acquisition.diversity._hierarchical import admissible_labels, label_bounds
from skactive.acquisition.diversity._k_center import k_center
from skactive.acquisition.diversity._max_herding import max_herding
from skactive.acquisition.diversity._prob_cover import choose_radius, prob_cover
from skactive.acquisition.diversity._typiclust import typicality, typiclust
from skactive.acquisition.dynamics._forgetting import (
    forgetting_events,
    training_correctness,
    unforgettable,
)
from skactive.acquisition.dynamics._label_dispersion import label_dispersion
from skactive.acquisition.error_reduction._expected_error import expected_error
from skactive.acquisition.error_reduction._expected_loss import expected_loss
from skactive.acquisition.hybrid._auto import region_size
from skactive.acquisition.hybrid._badge import badge
from skactive.acquisition.hybrid._cluster_margin import round_robin_rows
from skactive.acquisition.hybrid._cluster_uncertain import weighted_k_means_rows
from skactive.acquisition.hybrid._contrastive import contrastive
from skactive.acquisition.hybrid._density import mean_cosine_similarity
from skactive.acquisition.hybrid._falcun import falcun
from skactive.acquisition.hybrid._quire import quire
from skactive.acquisition.hybrid._u_herding import u_herding
from skactive.acquisition.meta._albl import (
    exp4p_probabilities,
    exp4p_weights,
    importance_weighted_accuracy,
)
from skactive.acquisition.model_change._bait import bait
from skactive.acquisition.model_change._expected_gradient_length import (
    expected_gradient_length,
)
from skactive.acquisition.uncertainty._loss_prediction import out_of_fold_losses
from skactive.acquisition.uncertainty._probabilities import (
    boundary_closeness,
    entropy,
    least_confident,
    margin,
)

__all__ = [
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
