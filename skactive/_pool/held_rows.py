"""The test sample of a run: rows that no model is trained on, and their labels."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class HeldRows:
    """The test sample of a run, as a round sees it.

    Attributes
    ----------
    mask : ndarray of shape (n_samples,), dtype bool
        The rows of the sample, including those without an answer so far.

    rows : ndarray of shape (n_labels,), dtype int
        Row numbers of `X` of those with a label, ascending.

    labels : ndarray of shape (n_labels,)
        Their labels.
    """

    mask: np.ndarray
    rows: np.ndarray
    labels: np.ndarray

    @classmethod
    def none(cls, n_samples):
        """Return the sample of a run that holds no rows out."""
        nothing = np.empty(0, dtype=np.intp)
        return cls(np.zeros(n_samples, dtype=bool), nothing, nothing)
