"""Predictions of an earlier round, to compare later ones with."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Remembered:
    """What a model predicted, kept as numbers of classes.

    Attributes
    ----------
    codes : ndarray of shape (n_rows,), dtype int
        Columns of the probabilities of that round, -1 where nothing was predicted.

    classes : ndarray of shape (n_classes,)
        The classes of that round.

    n_labeled : int
        On how many labels the model was trained.
    """

    codes: np.ndarray
    classes: np.ndarray
    n_labeled: int

    @classmethod
    def of_rows(cls, pool, rows):
        """Remember what is predicted for some rows of `X`, in their order."""
        return cls(pool.predict(rows), pool.classes, count_labels(pool))

    @classmethod
    def of_candidates(cls, pool):
        """Remember what is predicted for the candidates, by row number of `X`."""
        predicted = pool.predictions
        codes = np.full(len(pool.labeled), -1, dtype=predicted.dtype)
        codes[pool.candidates] = predicted
        return cls(codes, pool.classes, count_labels(pool))

    def codes_in(self, classes):
        """Return `codes` as numbers of other classes, -1 for those that are gone."""
        if len(classes) == len(self.classes) and (classes == self.classes).all():
            return self.codes
        places = np.searchsorted(classes, self.classes)
        places = np.minimum(places, len(classes) - 1)
        places[classes[places] != self.classes] = -1
        return np.append(places, -1)[self.codes]

    def is_old(self, pool, min_labels):
        """Tell whether the model of a round has so many more labels than this one.

        Without that, a model would be compared with itself after a round of
        abstentions, or one of rows for a test sample.
        """
        return count_labels(pool) - self.n_labeled >= min_labels


def count_labels(pool):
    """Return how many labels the model of a round is trained on."""
    return int(np.count_nonzero(pool.labeled))
