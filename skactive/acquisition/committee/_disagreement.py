"""Disagreement of a committee: votes, consensus, divergence and spread."""

import numpy as np
from scipy.special import entr

from skactive.acquisition._base import BaseStrategy
from skactive.acquisition.uncertainty._probabilities import entropy


def vote_entropy(votes, n_classes=None):
    """Return the entropy of the members' votes, H(V / C), in nats.

    Parameters
    ----------
    votes : array-like of shape (n_members, n_samples), dtype int
        The class that each member votes for, as an index from 0.

    n_classes : int or None, default=None
        Number of classes; the largest index plus one if None. Classes without votes do
        not change the entropy.

    Returns
    -------
    utility : ndarray of shape (n_samples,)
        In [0, log min(n_members, n_classes)].

    References
    ----------
    .. [1] I. Dagan, S. P. Engelson. "Committee-based sampling for training
       probabilistic classifiers". ICML 1995.

    Examples
    --------
    >>> from skactive.acquisition.functional import vote_entropy
    >>> vote_entropy([[0, 1], [1, 1], [2, 1]]).round(4)
    array([1.0986, 0.    ])
    """
    counts = count_votes(votes, n_classes)
    # A count is at most the number of members, so the terms are computed once and
    # looked up.
    n_members = len(votes)
    terms = entr(np.arange(n_members + 1) / n_members)
    return terms[counts].sum(axis=1)


def variation_ratio(votes, n_classes=None):
    """Return the share of members that do not vote for the favourite, 1 - max V / C.

    Parameters
    ----------
    votes : array-like of shape (n_members, n_samples), dtype int
        The class that each member votes for, as an index from 0.

    n_classes : int or None, default=None
        Number of classes; the largest index plus one if None.

    Returns
    -------
    utility : ndarray of shape (n_samples,)
        In [0, 1 - 1 / n_members].

    References
    ----------
    .. [1] L. C. Freeman. "Elementary applied statistics". Wiley 1965.
    .. [2] W. H. Beluch, T. Genewein, A. Nürnberger, J. M. Köhler. "The power of
       ensembles for active learning in image classification". CVPR 2018.

    Examples
    --------
    >>> from skactive.acquisition.functional import variation_ratio
    >>> variation_ratio([[0, 1], [1, 1], [2, 1]]).round(4)
    array([0.6667, 0.    ])
    """
    return 1.0 - count_votes(votes, n_classes).max(axis=1) / len(votes)


def soft_variation_ratio(member_proba):
    """Return how far the consensus is from certainty, 1 - max of the mean.

    Parameters
    ----------
    member_proba : array-like of shape (n_members, n_samples, n_classes)
        Probabilities of the members.

    Returns
    -------
    utility : ndarray of shape (n_samples,)
        In [0, 1 - 1 / n_classes].

    References
    ----------
    .. [1] Y. Gal, R. Islam, Z. Ghahramani. "Deep Bayesian active learning with image
       data". ICML 2017.

    Examples
    --------
    >>> from skactive.acquisition.functional import soft_variation_ratio
    >>> soft_variation_ratio([[[0.7, 0.3]], [[0.1, 0.9]]]).round(4)
    array([0.4])
    """
    return 1.0 - consensus(member_proba).max(axis=1)


def consensus_entropy(member_proba):
    """Return the entropy of the members' mean probabilities, in nats.

    Parameters
    ----------
    member_proba : array-like of shape (n_members, n_samples, n_classes)
        Probabilities of the members.

    Returns
    -------
    utility : ndarray of shape (n_samples,)
        In [0, log n_classes].

    References
    ----------
    .. [1] B. Settles. "Active learning literature survey". University of
       Wisconsin-Madison, Computer Sciences Technical Report 1648, 2009.

    Examples
    --------
    >>> from skactive.acquisition.functional import consensus_entropy
    >>> consensus_entropy([[[0.7, 0.3]], [[0.3, 0.7]]]).round(4)
    array([0.6931])
    """
    return entropy(consensus(member_proba))


def kl_divergence(member_proba):
    """Return the mean divergence of the members from their consensus, in nats.

    It is ``1/C sum_c KL(Q_c || mean Q)``, and equals :func:`bald` exactly, as the sum
    can be written as the entropy of the mean minus the mean of the entropies.

    Parameters
    ----------
    member_proba : array-like of shape (n_members, n_samples, n_classes)
        Probabilities of the members.

    Returns
    -------
    utility : ndarray of shape (n_samples,)
        In [0, log n_classes].

    References
    ----------
    .. [1] A. McCallum, K. Nigam. "Employing EM and pool-based active learning for
       text classification". ICML 1998.

    Examples
    --------
    >>> from skactive.acquisition.functional import kl_divergence
    >>> kl_divergence([[[1.0, 0.0]], [[0.0, 1.0]]]).round(4)
    array([0.6931])
    """
    member_proba = np.asarray(member_proba)
    total = consensus_entropy(member_proba)
    within = np.zeros_like(total)
    for proba in member_proba:
        within += entropy(proba)
    return _without_rounding(total - within / len(member_proba), len(member_proba))


def mean_std(member_proba):
    """Return the standard deviation over the members, averaged over the classes.

    Parameters
    ----------
    member_proba : array-like of shape (n_members, n_samples, n_classes)
        Probabilities of the members.

    Returns
    -------
    utility : ndarray of shape (n_samples,)
        At least 0; the standard deviation divides by the number of members.

    References
    ----------
    .. [1] M. Kampffmeyer, A.-B. Salberg, R. Jenssen. "Semantic segmentation of small
       objects and modeling of uncertainty in urban remote sensing images using deep
       convolutional neural networks". CVPR Workshops 2016.
    .. [2] A. Kendall, V. Badrinarayanan, R. Cipolla. "Bayesian SegNet". 2015,
       arXiv:1511.02680.

    Examples
    --------
    >>> from skactive.acquisition.functional import mean_std
    >>> mean_std([[[0.7, 0.3]], [[0.3, 0.7]]]).round(4)
    array([0.2])
    """
    spread = np.asarray(member_proba).std(axis=0).mean(axis=1)
    return _without_rounding(spread, len(member_proba))


def consensus(member_proba):
    """Return the mean probabilities of the members."""
    member_proba = np.asarray(member_proba)
    # Always in this order, so that equal rows get equal means; np.mean sums in an order
    # that depends on the memory layout.
    total = member_proba[0].copy(order="K")
    for proba in member_proba[1:]:
        total += proba
    total /= len(member_proba)
    return total


def _without_rounding(disagreement, n_members):
    """Set disagreement that is only rounding to 0, so that these rows tie."""
    noise = n_members * np.finfo(disagreement.dtype).eps
    np.maximum(disagreement, 0.0, out=disagreement)
    disagreement *= disagreement > noise
    return disagreement


def count_votes(votes, n_classes=None):
    """Return how many members vote for each class, (n_samples, n_classes)."""
    votes = np.asarray(votes)
    n_classes = n_classes or int(votes.max(initial=0)) + 1
    rows = np.arange(votes.shape[1])
    counts = np.zeros((votes.shape[1], n_classes), dtype=np.intp)
    for vote in votes:
        counts[rows, vote] += 1
    return counts


class _VotingStrategy(BaseStrategy):
    """Utility from the votes of a committee."""

    rowwise = True

    @property
    def needs(self):
        return frozenset({"votes"})

    def utility(self, pool):
        return self._score(pool.votes, len(pool.classes))


class MemberProbaStrategy(BaseStrategy):
    """Utility from the probabilities of a committee."""

    rowwise = True

    @property
    def needs(self):
        return frozenset({"member_proba"})

    def utility(self, pool):
        return self._score(pool.member_proba)


class VoteEntropySampling(_VotingStrategy):
    """Query rows where the votes of a committee are spread most evenly.

    It needs no probabilities, like the hard `variation_ratio` and unlike the other
    strategies of a committee. Without ``committee=``, the committee is the estimator if
    it is an ensemble, otherwise ten bagged clones of it.

    :Uses: votes of members
    :Cost of a round: :math:`C n K`
    :Guide: :doc:`/user_guide/committees`

    References
    ----------
    .. [1] I. Dagan, S. P. Engelson. "Committee-based sampling for training
       probabilistic classifiers". ICML 1995.

    Examples
    --------
    >>> from sklearn.linear_model import Perceptron
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import VoteEntropySampling
    >>> clf = ActiveLearningClassifier(
    ...     Perceptron(), strategy=VoteEntropySampling(), committee=5
    ... )
    """

    _score = staticmethod(vote_entropy)


class ConsensusEntropySampling(MemberProbaStrategy):
    """Query rows where the mean probabilities of a committee have most entropy.

    :Uses: probabilities of members
    :Cost of a round: :math:`C n K`
    :Guide: :doc:`/user_guide/committees`

    References
    ----------
    .. [1] B. Settles. "Active learning literature survey". University of
       Wisconsin-Madison, Computer Sciences Technical Report 1648, 2009.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearningClassifier
    >>> clf = ActiveLearningClassifier(
    ...     RandomForestClassifier(), strategy="consensus_entropy"
    ... )
    """

    _score = staticmethod(consensus_entropy)


class MeanStdSampling(MemberProbaStrategy):
    """Query rows where the probabilities vary most from member to member.

    :Uses: probabilities of members
    :Cost of a round: :math:`C n K`
    :Guide: :doc:`/user_guide/committees`

    References
    ----------
    .. [1] M. Kampffmeyer, A.-B. Salberg, R. Jenssen. "Semantic segmentation of small
       objects and modeling of uncertainty in urban remote sensing images using deep
       convolutional neural networks". CVPR Workshops 2016.
    .. [2] A. Kendall, V. Badrinarayanan, R. Cipolla. "Bayesian SegNet". 2015,
       arXiv:1511.02680.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy="mean_std", committee=10
    ... )
    """

    _score = staticmethod(mean_std)


class VariationRatioSampling(BaseStrategy):
    """Query rows where the favourite class of a committee has the least support.

    :Uses: votes of members
    :Cost of a round: :math:`C n K`
    :Guide: :doc:`/user_guide/committees`

    Parameters
    ----------
    soft : bool, default=False
        Whether the support is the mean probability of the favourite class [3]_ instead
        of its share of the votes [1]_ [2]_.

    References
    ----------
    .. [1] L. C. Freeman. "Elementary applied statistics". Wiley 1965.
    .. [2] W. H. Beluch, T. Genewein, A. Nürnberger, J. M. Köhler. "The power of
       ensembles for active learning in image classification". CVPR 2018.
    .. [3] Y. Gal, R. Islam, Z. Ghahramani. "Deep Bayesian active learning with image
       data". ICML 2017.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import VariationRatioSampling
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=VariationRatioSampling(soft=True)
    ... )
    """

    _parameter_constraints = {"soft": ["boolean"]}
    rowwise = True

    def __init__(self, soft=False):
        self.soft = soft

    @property
    def needs(self):
        return frozenset({"member_proba" if self.soft else "votes"})

    def utility(self, pool):
        if self.soft:
            return soft_variation_ratio(pool.member_proba)
        return variation_ratio(pool.votes, len(pool.classes))
