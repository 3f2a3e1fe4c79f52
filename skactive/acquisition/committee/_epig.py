"""EPIG: rows whose labels carry most information about the labels of other rows."""

import numpy as np

from skactive.acquisition.committee._disagreement import consensus_entropy
from skactive.acquisition.committee._joint_labels import (
    NEGLIGIBLE,
    as_float,
    label_entropy,
)
from skactive.acquisition.committee._prediction import PredictionStrategy
from skactive.utils._rows import slices
from skactive.utils._threads import one_thread

# Columns of probabilities in one block of samples.
_BLOCK_COLUMNS = 512


def epig(member_proba, target_proba):
    """Return the information of labels about the labels of target rows, in nats.

    The expected predictive information gain [1]_: the mutual information of the label
    of a sample and that of a target, averaged over the targets. Information about the
    model, as :func:`bald` measures it, may never matter for a prediction; this does.

    Parameters
    ----------
    member_proba : array-like of shape (n_members, n_samples, n_classes)
        Probabilities of the members. A member must be one function for all rows.

    target_proba : array-like of shape (n_members, n_targets, n_classes)
        Probabilities of the same members for rows like those to be predicted.

    Returns
    -------
    utility : ndarray of shape (n_samples,)
        In [0, log n_classes], and at most :func:`bald`.

    See Also
    --------
    bemps : The same as a gain of the log score; also for the Brier score.

    References
    ----------
    .. [1] F. Bickford Smith, A. Kirsch, S. Farquhar, Y. Gal, A. Foster, T. Rainforth.
       "Prediction-oriented Bayesian active learning". AISTATS 2023.

    Examples
    --------
    Both samples tell which of two members is right. The first targets depend on it, the
    second do not:

    >>> from skactive.acquisition.functional import epig
    >>> samples = [[[0.9, 0.1], [1, 0]], [[0.1, 0.9], [0, 1]]]
    >>> epig(samples, [[[1, 0]], [[0, 1]]]).round(4)
    array([0.3681, 0.6931])
    >>> epig(samples, [[[0.5, 0.5]], [[0.5, 0.5]]]).round(4)
    array([0., 0.])
    """
    member_proba, target_proba = as_float(member_proba), as_float(target_proba)
    n_members, n_samples, n_classes = member_proba.shape
    n_targets = target_proba.shape[1]
    # H(y) minus the mean of H(y | label of a target): each label of each target is an
    # outcome that makes other members likely.
    joint = target_proba.transpose(1, 2, 0).reshape(-1, n_members)
    totals = joint.sum(axis=1)
    joint, totals = joint[totals > 0], totals[totals > 0]
    posterior, mass = joint / totals[:, None], totals / (n_members * n_targets)
    gain = consensus_entropy(member_proba).astype(np.float64)
    with one_thread():
        for block in slices(n_samples, _BLOCK_COLUMNS // n_classes):
            gain[block] -= label_entropy(mass, posterior, member_proba[:, block])
    return np.where(gain > NEGLIGIBLE, gain, 0.0)


class EPIGSampling(PredictionStrategy):
    """Query rows whose labels carry most information about the rows to predict.

    The expected predictive information gain [1]_. Unlike BALD, it avoids rows, such as
    outliers, that are informative about the model but not about the predictions that
    matter.

    :Uses: probabilities of members
    :Cost of a round: :math:`t C n K^2`
    :Guide: :doc:`/user_guide/information`

    Parameters
    ----------
    targets : {array-like, sparse matrix, data frame, list} or None, default=None
        Rows like those to be predicted, in the container of `X`. If None, `n_targets`
        rows of `X` are drawn anew in each round.

    n_targets : int, default=1000
        Number of rows of `X` to draw.

    Notes
    -----
    Time: n_candidates n_targets n_classes² (n_members multiplications and a
    logarithm). Memory: blocks of candidates, and O(n_members n_targets n_classes).

    References
    ----------
    .. [1] F. Bickford Smith, A. Kirsch, S. Farquhar, Y. Gal, A. Foster, T. Rainforth.
       "Prediction-oriented Bayesian active learning". AISTATS 2023.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import EPIGSampling
    >>> clf = ActiveLearningClassifier(
    ...     RandomForestClassifier(), strategy=EPIGSampling(n_targets=200)
    ... )
    """

    def __init__(self, targets=None, *, n_targets=1000):
        self.targets = targets
        self.n_targets = n_targets

    def _score(self, member_proba, target_proba):
        return epig(member_proba, target_proba)
