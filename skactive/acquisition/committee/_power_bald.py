"""PowerBALD: rows drawn at random, in proportion to a power of BALD."""

from numbers import Real

import numpy as np
from scipy.stats import rankdata

from skactive.acquisition._base import utilities
from skactive.acquisition._drawing import draw_candidates
from skactive.acquisition.committee._bald import bald
from skactive.acquisition.committee._disagreement import MemberProbaStrategy
from skactive.utils._sklearn import Interval, StrOptions


def power_scores(scores, *, beta=1.0, form="power"):
    """Return log weights by which rows are drawn in proportion to their scores.

    With noise from a Gumbel(0, 1) distribution added, they are the keys of a random
    order, in which the first rows are a sample without replacement [1]_. The paper
    scales the noise by 1 / `beta` instead, which gives the same order.

    Parameters
    ----------
    scores : array-like of shape (n_samples,)
        Utility of each row, at least 0 for the form ``"power"``.

    beta : float, default=1.0
        How much the scores count, more than 0: near 0, all rows are equally likely; the
        larger it is, the more likely are the best rows.

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
        If the form is ``"power"`` and a score is negative, or if there is no such form.

    References
    ----------
    .. [1] A. Kirsch, S. Farquhar, P. Atighehchian, A. Jesson, F. Branchaud-Charron,
       Y. Gal. "Stochastic batch acquisition: a simple baseline for deep active
       learning". Transactions on Machine Learning Research, 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive.acquisition.functional import power_scores
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


class PowerBALDSampling(MemberProbaStrategy):
    """Draw rows at random, in proportion to a power of BALD.

    The best rows according to :func:`~skactive.acquisition.functional.bald` resemble
    each other; those of a random batch do not [1]_. It costs no more than BALD, and is
    often as good as :class:`BatchBALDSampling`. With the form ``"power"``, rows on
    which all members agree are queried last.

    The probabilities of the draws are reported, see
    :func:`~skactive.acquisition.functional.draw_without_replacement`, if every
    candidate could be drawn. That is always so with a positive `epsilon`, otherwise
    only if no weight is 0.

    :Uses: probabilities of members
    :Cost of a round: :math:`C n K`
    :Batch: by chance
    :Guide: :doc:`/user_guide/information`

    Parameters
    ----------
    beta : float, default=1.0
        How much the scores count: near 0, rows are drawn uniformly; for large values,
        they are those of BALD.

    form : {"power", "softmax", "softrank"}, default="power"
        The weights in proportion to which rows are drawn, see
        :func:`~skactive.acquisition.functional.power_scores`.

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
        # On all candidates at once, as softrank compares them with each other.
        scores = utilities(self, pool)
        log_weights = power_scores(scores, beta=self.beta, form=self.form)
        return draw_candidates(pool, log_weights, n_queries, self.epsilon)
