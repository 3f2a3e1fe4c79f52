"""Active learning for scikit-learn: which rows should be labelled next?"""

from skactive._classifier import ActiveLearningClassifier
from skactive._loop.labeling_loop import LabelingLoop
from skactive._loop.session import Session
from skactive._models.committee import CommitteeClassifier
from skactive._models.pseudo_labels import PseudoLabels
from skactive._pool.pool import Pool
from skactive._version import __version__ as __version__

__all__ = [
    "ActiveLearningClassifier",
    "CommitteeClassifier",
    "LabelingLoop",
    "Pool",
    "PseudoLabels",
    "Session",
]
