"""Deep active learning with PyTorch: strategies that train their own networks."""

try:
    import skorch  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        "skactive.deep, and the strategies 'vaal' and 'mal', need torch and skorch; "
        'install them with `pip install "skactive[deep]"`.'
    ) from error

from skactive.deep._bayes_by_backprop import BayesByBackpropClassifier
from skactive.deep._ensembles import (
    DeepEnsembleClassifier,
    DiversityEncouragingEnsembleClassifier,
    StochasticEnsembleClassifier,
)
from skactive.deep._loss_prediction import LossPredictionClassifier, pair_loss
from skactive.deep._mal import MALSampling
from skactive.deep._mc_dropout import MCDropoutClassifier
from skactive.deep._snapshot import SnapshotEnsembleClassifier, cyclic_learning_rate
from skactive.deep._split_head import SplitHeadClassifier
from skactive.deep._vaal import VAALSampling
from skactive.deep._variational import gaussian_kl, kl_weight

__all__ = [
    "BayesByBackpropClassifier",
    "DeepEnsembleClassifier",
    "DiversityEncouragingEnsembleClassifier",
    "LossPredictionClassifier",
    "MALSampling",
    "MCDropoutClassifier",
    "SnapshotEnsembleClassifier",
    "SplitHeadClassifier",
    "StochasticEnsembleClassifier",
    "VAALSampling",
    "cyclic_learning_rate",
    "gaussian_kl",
    "kl_weight",
    "pair_loss",
]
