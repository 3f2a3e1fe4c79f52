"""Information that a label would give about the model."""

from numbers import Real

import numpy as np
from scipy.special import logsumexp
from scipy.stats import rankdata

from skactive.acquisition._base import utilities
from skactive.acquisition.committee._disagreement import (
    _MemberProbaStrategy,
    consensus_entropy,
    kl_divergence,
)
from skactive.acquisition.uncertainty._uncertainty import entropy
from skactive.utils._sklearn import Interval, StrOptions


def bald(member_proba):
    """Return the mutual information of label and model, in nats.

    It is the entropy of the mean minus the mean of the entropies of the members, that
    is, what a label tells about which member is right. :func:`kl_divergence` is the
    same number by another name.

    Parameters
    ----------
    member_proba : array-like of shape (n_members, n_samples, n_classes)
        Probabilities of the members, which stand for samples of the posterior.

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
    >>> from skactive.acquisition import bald
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
        Mean entropy of the members: what more labels will not remove.

    epistemic : ndarray of shape (n_samples,)
        The rest, :func:`bald`: what more labels can remove.

    References
    ----------
    .. [1] S. Depeweg, J. M. Hernández-Lobato, F. Doshi-Velez, S. Udluft.
       "Decomposition of uncertainty in Bayesian deep learning for efficient and
       risk-sensitive learning". ICML 2018.
    .. [2] A. Kendall, Y. Gal. "What uncertainties do we need in Bayesian deep learning
       for computer vision?". NeurIPS 2017.

    Examples
    --------
    >>> from skactive.acquisition import uncertainty_split
    >>> total, aleatoric, epistemic = uncertainty_split([[[0.9, 0.1]], [[0.1, 0.9]]])
    >>> total.round(4), aleatoric.round(4), epistemic.round(4)
    (array([0.6931]), array([0.3251]), array([0.3681]))
    """
    member_proba = np.asarray(member_proba)
    aleatoric = np.mean([entropy(proba) for proba in member_proba], axis=0)
    return consensus_entropy(member_proba), aleatoric, bald(member_proba)


def power_scores(scores, *, beta=1.0, form="power"):
    """Return log weights by which rows are drawn in proportion to their scores.

    Plus noise from a Gumbel(0, 1) distribution they are the keys of a random order:
    the rows of the largest keys are a sample without replacement [1]_. The paper gives
    the noise the scale 1 / `beta` instead, which leaves the order as it is.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        How useful each row is for itself, at least 0 for the form ``"power"``.

    beta : float, default=1.0
        How much the scores count, more than 0; near 0 all rows are equally likely, and
        the larger it is, the more likely are the best.

    form : {"power", "softmax", "softrank"}, default="power"
        Whether the weights are scores to the power of `beta`, exponentials of `beta`
        times the scores, or ranks to the power of minus `beta`. The best row has the
        rank 1; equal scores share their mean rank.

    Returns
    -------
    log_weights : ndarray of shape (n_samples,)
        Logarithms of the weights, which need not sum to 1; minus infinity for scores
        of 0 to a power.

    Raises
    ------
    ValueError
        If a score is negative and is to be raised to a power, or if there is no such
        form.

    References
    ----------
    .. [1] A. Kirsch, S. Farquhar, P. Atighehchian, A. Jesson, F. Branchaud-Charron,
       Y. Gal. "Stochastic batch acquisition: a simple baseline for deep active
       learning". Transactions on Machine Learning Research, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.acquisition import power_scores
    >>> weights = np.exp(power_scores([0.4, 0.1, 0.2], beta=2.0))
    >>> (weights / weights.sum()).round(4)
    array([0.7619, 0.0476, 0.1905])
    >>> np.exp(power_scores([0.4, 0.1, 0.2], form="softrank")).round(4)
    array([1.    , 0.3333, 0.5   ])
    """
    scores = np.asarray(scores, dtype=np.float64)
    if form == "softmax":
        return beta * scores
    if form == "softrank":
        return -beta * np.log(rankdata(-scores))
    if form != "power":
        raise ValueError(
            f"form must be 'power', 'softmax' or 'softrank', got {form!r}."
        )
    if scores.min(initial=0.0) < 0:
        raise ValueError(
            f"scores that are raised to a power must be at least 0, got "
            f"{scores.min()}; use form='softmax' or form='softrank'."
        )
    with np.errstate(divide="ignore"):
        return beta * np.log(scores)


def draw_without_replacement(log_weights, n_queries, *, epsilon=0.0, random_state=None):
    """Draw rows one after the other, each in proportion to its weight.

    Parameters
    ----------
    log_weights : array-like of shape (n_samples,)
        Logarithms of the weights, for instance :func:`power_scores`. Rows of weight 0
        are drawn last, all equally likely.

    n_queries : int
        How many rows to draw, at most n_samples.

    epsilon : float, default=0.0
        Probability, in [0, 1], that a row is drawn uniformly from those left instead.
        If it is positive, every row may be drawn at any time.

    random_state : int, numpy.random.Generator or None, default=None
        Draws.

    Returns
    -------
    positions : ndarray of shape (n_queries,), dtype int
        Positions in `log_weights`, in the order drawn.

    probabilities : ndarray of shape (n_queries,)
        In (0, 1]: how likely each row was to be drawn next, among those then left.

    References
    ----------
    .. [1] W. Kool, H. van Hoof, M. Welling. "Stochastic beams and where to find them:
       the Gumbel-top-k trick for sampling sequences without replacement". ICML 2019.

    Examples
    --------
    >>> from skactive.acquisition import draw_without_replacement
    >>> draw_without_replacement([0.0, float("-inf")], 2, random_state=0)
    (array([0, 1]), array([1., 1.]))
    """
    log_weights = np.asarray(log_weights, dtype=np.float64)
    rng = np.random.default_rng(random_state)
    noise = rng.gumbel(size=len(log_weights))
    is_zero = np.isneginf(log_weights)
    keys = noise + np.where(is_zero, 0.0, log_weights)
    order = np.lexsort((-keys, is_zero))
    if epsilon > 0:
        order = _mix_in(rng.permutation(len(order)), order, n_queries, epsilon, rng)
    return order[:n_queries], _shares(log_weights[order], n_queries, epsilon)


def _mix_in(uniform, order, n_queries, epsilon, rng):
    """Take rows from one order or the other; return all rows in the order taken.

    A row that is taken from one order is passed over in the other. In both, what is
    left stays in an order as if drawn from these rows alone.
    """
    is_left = np.ones(len(order), dtype=bool)
    sources, taken = (iter(order.tolist()), iter(uniform.tolist())), []
    for by_chance in rng.random(n_queries) < epsilon:
        row = next(row for row in sources[int(by_chance)] if is_left[row])
        is_left[row] = False
        taken.append(row)
    return np.concatenate([np.array(taken, dtype=np.intp), np.flatnonzero(is_left)])


def _shares(log_weights, n_queries, epsilon):
    """Return how likely each of the first rows was among itself and those after it."""
    picked, others = log_weights[:n_queries], log_weights[n_queries:]
    n_left = len(log_weights) - np.arange(n_queries)
    # Sums of what is left before each pick, added up from the last one backwards:
    # taking the picks away from the total would lose small numbers.
    rest = logsumexp(others) if len(others) else -np.inf
    left = np.logaddexp.accumulate(np.append(rest, picked[::-1]))[:0:-1]
    nothing_left = np.isneginf(left)  # but rows of weight 0, all equally likely
    shares = np.exp(picked - np.where(nothing_left, 0.0, left))
    shares = np.where(nothing_left, 1.0 / n_left, shares)
    return epsilon / n_left + (1.0 - epsilon) * shares


class BALDSampling(_MemberProbaStrategy):
    """Ask where the members of a committee disagree although each is certain.

    The mutual information of label and model [1]_, which is the mean divergence of the
    members from their consensus [2]_: the names ``"bald"`` and ``"kl_divergence"``
    mean this one class.

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


class PowerBALDSampling(_MemberProbaStrategy):
    """Draw rows at random, in proportion to what BALD says they tell about the model.

    The best rows by :func:`bald` resemble each other; a random batch does not [1]_. It
    costs no more than BALD, and is often as good as :class:`BatchBALDSampling`. Rows
    on which the members agree fully are asked last with the form ``"power"``.

    The probabilities of the draws are reported, see :func:`draw_without_replacement`,
    if every candidate could be drawn: always with a positive `epsilon`, and else
    unless some weights are 0.

    Parameters
    ----------
    beta : float, default=1.0
        How much the scores count: near 0 the rows are drawn uniformly, and for large
        values they are those of BALD.

    form : {"power", "softmax", "softrank"}, default="power"
        What rows are drawn in proportion to, see :func:`power_scores`.

    epsilon : float, default=0.0
        Probability that a row is drawn uniformly from those left instead.

    References
    ----------
    .. [1] A. Kirsch, S. Farquhar, P. Atighehchian, A. Jesson, F. Branchaud-Charron,
       Y. Gal. "Stochastic batch acquisition: a simple baseline for deep active
       learning". Transactions on Machine Learning Research, 2023.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import PowerBALDSampling
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=PowerBALDSampling(beta=2.0), batch_size=100
    ... )
    """

    _parameter_constraints = {
        "beta": [Interval(Real, 0, None, closed="neither")],
        "form": [StrOptions({"power", "softmax", "softrank"})],
        "epsilon": [Interval(Real, 0, 1, closed="both")],
    }
    _score = staticmethod(bald)

    def __init__(self, beta=1.0, form="power", epsilon=0.0):
        self.beta = beta
        self.form = form
        self.epsilon = epsilon

    def select(self, pool, n_queries):
        scores = utilities(self, pool)
        log_weights = power_scores(scores, beta=self.beta, form=self.form)
        return draw_candidates(pool, log_weights, n_queries, self.epsilon)


def draw_candidates(pool, log_weights, n_queries, epsilon):
    """Draw candidates, and state with which probabilities if all could be drawn.

    Parameters
    ----------
    pool : Pool
        The round.

    log_weights : ndarray of shape (n_candidates,)
        Logarithms of the weights.

    n_queries : int
        How many rows to draw.

    epsilon : float
        Probability that a row is drawn uniformly instead.

    Returns
    -------
    rows : ndarray of shape (n_queries,), dtype int
        Row numbers of `X`, in the order drawn.

    probabilities : ndarray of shape (n_queries,), or None
        How likely each was among those left; None if one that was left could not be
        drawn, on which no estimate can be based.
    """
    positions, probabilities = draw_without_replacement(
        log_weights, n_queries, epsilon=epsilon, random_state=pool.random_state
    )
    is_zero = np.isneginf(log_weights)
    out_of_reach = epsilon == 0 and is_zero.any() and not is_zero.all()
    return pool.candidates[positions], None if out_of_reach else probabilities
