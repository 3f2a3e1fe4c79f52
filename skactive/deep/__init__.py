"""Neural networks as scikit-learn classifiers with many opinions; needs torch."""

try:
    import skorch  # noqa: F401
    import torch  # noqa: F401
except ImportError as error:
    raise ImportError(
        "skactive.deep needs torch and skorch; install them with "
        '`pip install "skactive[deep]"`.'
    ) from error

from skactive.deep._ensembles import DeepEnsembleClassifier
from skactive.deep._mc_dropout import MCDropoutClassifier

__all__ = [
    "DeepEnsembleClassifier",
    "MCDropoutClassifier",
]
