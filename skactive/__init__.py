"""Active learning for scikit-learn: which rows should be labelled next?"""

from skactive._classifier import ActiveLearningClassifier
from skactive._committee import CommitteeClassifier
from skactive._loop import LabelingLoop
from skactive._pseudo_labels import PseudoLabels

__version__ = "0.1.0.dev0"

__all__ = [
    "ActiveLearningClassifier",
    "CommitteeClassifier",
    "LabelingLoop",
    "PseudoLabels",
]
