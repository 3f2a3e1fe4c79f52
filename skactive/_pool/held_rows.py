"""The rows of a run that no model is trained on, and what is known of them."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class HeldRows:
    """The test sample of a run, as a round sees it.

    Attributes
    ----------
    mask : ndarray of shape (n_samples,), dtype bool
        The rows of the sample, also those without an answer, or not asked yet.

    rows : ndarray of shape (n_labels,), dtype int
        Numbers of those that have a label, ascending.

    labels : ndarray of shape (n_labels,)
        Their labels.
    """

    mask: np.ndarray
    rows: np.ndarray
    labels: np.ndarray

    @classmethod
    def none(cls, n_samples):
        """Return what there is where no rows are held out."""
        nothing = np.empty(0, dtype=np.intp)
        return cls(np.zeros(n_samples, dtype=bool), nothing, nothing)
