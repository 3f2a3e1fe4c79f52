"""Active learning for scikit-learn: which rows should be labelled next?"""

from skactive._classifier import ActiveLearningClassifier
from skactive._committee import CommitteeClassifier
from skactive._loop import LabelingLoop
from skactive._pseudo_labels import PseudoLabels
from skactive._version import __version__ as __version__

__all__ = [
    "ActiveLearningClassifier",
    "CommitteeClassifier",
    "LabelingLoop",
    "PseudoLabels",
]
