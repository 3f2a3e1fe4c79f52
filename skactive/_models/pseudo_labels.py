"""Pseudo-labels: confident predictions that are used as labels in one fit."""

from numbers import Real

import numpy as np
from scipy.special import entr
from sklearn.base import BaseEstimator

from skactive.utils._shown import BriefMixin
from skactive.utils._sklearn import Interval


class PseudoLabels(BriefMixin, BaseEstimator):
    """Also train on confidently predicted rows, for the time of one fit.

    A value for the parameter `unlabeled` of
    :class:`~skactive.ActiveLearningClassifier`. In round :math:`r` the rows without a
    label whose predicted probabilities have an entropy below ``threshold - decay * (r
    - 1)`` join the labelled ones with the predicted label [1]_. After the fit they are
    unlabelled again: they are predicted anew in the next round, and may be queried at
    any time. They are never counted or recorded as labels.

    The predictions come from the model of the last round in which the strategy chose;
    in the first round from one that is fitted on the labelled rows. Rows that were
    queried, answered or not, and rows that are held out never get a predicted label.
    Each round costs one prediction of all rows without a label, in blocks; the first
    one also costs another fit.

    Parameters
    ----------
    threshold : float, default=0.05
        Rows of lower entropy, in nats, are trained on with their predicted label in
        the first round. The right value depends on the model: check
        ``n_pseudo_labeled`` in the `history_` of the classifier.

    decay : float, default=0.0033
        The amount by which the threshold falls in each round, until it is 0. The better
        the model, the fewer of its errors may come back as labels.

    References
    ----------
    .. [1] K. Wang, D. Zhang, Y. Li, R. Zhang, L. Lin. "Cost-effective active learning
       for deep image classification". IEEE Transactions on Circuits and Systems for
       Video Technology 27(12), 2017.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier, PseudoLabels
    >>> X, truth = make_blobs(centers=2, random_state=0)
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(),
    ...     oracle=lambda X, sample_ids: truth[sample_ids],
    ...     unlabeled=PseudoLabels(threshold=0.2),
    ...     budget=20,
    ...     random_state=0,
    ... )
    >>> clf = clf.fit(X, np.full(100, -1), sample_ids=np.arange(100))
    >>> last = clf.history_[-1]
    >>> last["n_labeled"], last["n_pseudo_labeled"] > 0
    (20, True)
    """

    _parameter_constraints = {
        "threshold": [Interval(Real, 0, None, closed="left")],
        "decay": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, threshold=0.05, decay=0.0033):
        self.threshold = threshold
        self.decay = decay

    def threshold_in(self, round):
        """Return the threshold of a round.

        Parameters
        ----------
        round : int
            Number of the round, from 1.

        Returns
        -------
        threshold : float
            Entropy in nats, not below 0.

        Examples
        --------
        >>> from skactive import PseudoLabels
        >>> pseudo = PseudoLabels(threshold=0.5, decay=0.2)
        >>> [round(pseudo.threshold_in(r), 2) for r in (1, 2, 3, 4)]
        [0.5, 0.3, 0.1, 0.0]
        """
        return max(0.0, float(self.threshold - self.decay * (round - 1)))

    def is_confident(self, proba, round=1):
        """Tell which rows are trained on with their predicted label.

        Parameters
        ----------
        proba : array-like of shape (n_samples, n_classes)
            Probabilities.

        round : int, default=1
            Number of the round, from 1.

        Returns
        -------
        confident : ndarray of shape (n_samples,), dtype bool
            Whether the entropy of a row is below the threshold of the round.

        Examples
        --------
        >>> from skactive import PseudoLabels
        >>> PseudoLabels(threshold=0.4).is_confident([[0.9, 0.1], [0.8, 0.2]])
        array([ True, False])
        """
        return entr(np.asarray(proba)).sum(axis=1) < self.threshold_in(round)
