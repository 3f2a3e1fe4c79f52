"""BALD: rows whose labels carry most information about the model."""

import numpy as np

from skactive.acquisition.committee._disagreement import (
    MemberProbaStrategy,
    consensus_entropy,
    kl_divergence,
)
from skactive.acquisition.uncertainty._probabilities import entropy


def bald(member_proba):
    """Return the mutual information of label and model, in nats.

    It is the entropy of the mean minus the mean entropy of the members: the information
    of a label about which member is right. :func:`kl_divergence` is the same number
    under another name.

    Parameters
    ----------
    member_proba : array-like of shape (n_members, n_samples, n_classes)
        Probabilities of the members, taken as samples of the posterior.

    Returns
    -------
    utility : ndarray of shape (n_samples,)
        In [0, log n_classes].

    References
    ----------
    .. [1] N. Houlsby, F. Huszár, Z. Ghahramani, M. Lengyel. "Bayesian active learning
       for classification and preference learning". 2011, arXiv:1112.5745.

    Examples
    --------
    >>> from skactive.acquisition.functional import bald
    >>> bald([[[1.0, 0.0]], [[0.0, 1.0]]]).round(4)
    array([0.6931])
    >>> bald([[[0.5, 0.5]], [[0.5, 0.5]]])
    array([0.])
    """
    return kl_divergence(member_proba)


def uncertainty_split(member_proba):
    """Split the uncertainty of a committee into that of the data and of the model.

    Parameters
    ----------
    member_proba : array-like of shape (n_members, n_samples, n_classes)
        Probabilities of the members.

    Returns
    -------
    total : ndarray of shape (n_samples,)
        Entropy of the mean probabilities, in nats; the sum of the other two.

    aleatoric : ndarray of shape (n_samples,)
        Mean entropy of the members, which more labels do not remove.

    epistemic : ndarray of shape (n_samples,)
        The rest, which more labels can remove; the same as :func:`bald`.

    References
    ----------
    .. [1] S. Depeweg, J. M. Hernández-Lobato, F. Doshi-Velez, S. Udluft.
       "Decomposition of uncertainty in Bayesian deep learning for efficient and
       risk-sensitive learning". ICML 2018.
    .. [2] A. Kendall, Y. Gal. "What uncertainties do we need in Bayesian deep learning
       for computer vision?". NeurIPS 2017.

    Examples
    --------
    >>> from skactive.acquisition.functional import uncertainty_split
    >>> total, aleatoric, epistemic = uncertainty_split([[[0.9, 0.1]], [[0.1, 0.9]]])
    >>> total.round(4), aleatoric.round(4), epistemic.round(4)
    (array([0.6931]), array([0.3251]), array([0.3681]))
    """
    member_proba = np.asarray(member_proba)
    aleatoric = np.mean([entropy(proba) for proba in member_proba], axis=0)
    return consensus_entropy(member_proba), aleatoric, bald(member_proba)


class BALDSampling(MemberProbaStrategy):
    """Query rows where the members of a committee disagree although each is certain.

    The mutual information of label and model [1]_, which is the mean divergence of the
    members from their consensus [2]_: the names ``"bald"`` and ``"kl_divergence"`` both
    mean this class.

    :Uses: probabilities of members
    :Cost of a round: :math:`C n K`
    :Guide: :doc:`/user_guide/committees`

    References
    ----------
    .. [1] N. Houlsby, F. Huszár, Z. Ghahramani, M. Lengyel. "Bayesian active learning
       for classification and preference learning". 2011, arXiv:1112.5745.
    .. [2] A. McCallum, K. Nigam. "Employing EM and pool-based active learning for
       text classification". ICML 1998.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearningClassifier
    >>> clf = ActiveLearningClassifier(RandomForestClassifier(), strategy="bald")
    """

    _score = staticmethod(bald)
