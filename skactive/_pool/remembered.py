"""Predictions of an earlier round, and how far later ones agree with them."""

from dataclasses import dataclass

import numpy as np


def agreement(first, second):
    """Return Cohen's kappa of two predictions of the same rows.

    Parameters
    ----------
    first, second : array-like of shape (n_samples,), dtype int
        Numbers of classes, not negative.

    Returns
    -------
    kappa : float
        At most 1; 0 where they agree as often as by chance. Equal predictions have 1,
        even if all are of one class, where the formula is 0 / 0.

    References
    ----------
    .. [1] J. Cohen. "A coefficient of agreement for nominal scales". Educational and
       Psychological Measurement 20(1), 1960.

    Examples
    --------
    >>> from skactive.stopping import agreement
    >>> agreement([0, 0, 1, 1], [0, 0, 1, 0])
    0.5
    >>> agreement([1, 1, 1], [1, 1, 1])
    1.0
    """
    first, second = np.asarray(first), np.asarray(second)
    observed = float(np.mean(first == second))
    if observed == 1.0:
        return 1.0
    n_classes = int(max(first.max(), second.max())) + 1
    counts = [np.bincount(codes, minlength=n_classes) for codes in (first, second)]
    expected = float(np.dot(*counts)) / len(first) ** 2
    return (observed - expected) / (1.0 - expected)


@dataclass(frozen=True)
class Remembered:
    """The predictions of a model, kept as numbers of classes.

    Attributes
    ----------
    codes : ndarray of shape (n_rows,), dtype int
        Columns of the probabilities of that round, -1 where nothing was predicted.

    classes : ndarray of shape (n_classes,)
        The classes of that round.

    n_labeled : int
        The number of labels that the model was trained on.
    """

    codes: np.ndarray
    classes: np.ndarray
    n_labeled: int

    @classmethod
    def of_rows(cls, pool, rows):
        """Remember the predictions for some rows of `X`, in their order."""
        return cls(pool.predict(rows), pool.classes, count_labels(pool))

    @classmethod
    def of_candidates(cls, pool):
        """Remember the predictions for the candidates, by row number of `X`."""
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

    def agreement_with(self, now):
        """Return Cohen's kappa with later predictions, of rows that both have.

        It is 0 if there is no such row.
        """
        # A class that is gone gets a number of its own, which none is predicted to be.
        before = self.codes_in(now.classes)
        both = (self.codes >= 0) & (now.codes >= 0)
        before = np.where(before < 0, len(now.classes), before)
        if not both.any():
            return 0.0
        return agreement(before[both], now.codes[both])

    def is_old(self, pool, min_labels):
        """Tell whether the model of a round has `min_labels` more labels than this one.

        Without that, a model would be compared with itself after a round of
        abstentions, or one of rows for a test sample.
        """
        return count_labels(pool) - self.n_labeled >= min_labels


def count_labels(pool):
    """Return the number of labels that the model of a round is trained on."""
    return int(np.count_nonzero(pool.labeled))
