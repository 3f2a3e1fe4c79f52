"""ALBL: a bandit learns which of several strategies works best."""

from dataclasses import dataclass
from numbers import Integral, Real

import numpy as np

from skactive.acquisition._base import Selection, select_queries
from skactive.acquisition._combination import Combination
from skactive.utils._labels import as_labels
from skactive.utils._sklearn import Interval

# The suggestion of an arm that has none; rows are numbered from 0.
_NO_ROW = -1


def importance_weighted_accuracy(correct, probabilities, n_rows, horizon):
    """Estimate an accuracy from rows that were drawn with unequal probabilities.

    The sum of 1 / q over the draws that are predicted correctly, divided by the number
    of rows and by `horizon`. It grows with the number of draws t: its expectation is t
    / `horizon` times the accuracy on all rows, if every row could be drawn and the
    classifier does not depend on the draws.

    Parameters
    ----------
    correct : array-like of shape (n_draws,), dtype bool
        Whether the classifier predicts the label of the row that was drawn.

    probabilities : array-like of shape (n_draws,)
        Probability q with which each of them was drawn.

    n_rows : int
        Number of rows that could be drawn.

    horizon : int
        Total number of draws.

    Returns
    -------
    accuracy : float
        At least 0; by chance it may exceed 1.

    References
    ----------
    .. [1] W.-N. Hsu, H.-T. Lin. "Active learning by learning". AAAI 2015.

    Examples
    --------
    >>> from skactive.acquisition.functional import importance_weighted_accuracy
    >>> importance_weighted_accuracy([True, False, True], [0.5, 0.2, 0.1], 10, 4)
    0.3
    """
    gains = np.asarray(correct, dtype=np.float64) / np.asarray(probabilities)
    return float(gains.sum() / (n_rows * horizon))


def exp4p_probabilities(weights, horizon):
    """Return the probability of each arm of the bandit EXP4.P.

    (1 - K p_min) w / sum(w) + p_min for K arms, where p_min is sqrt(ln K / (K T)), or
    1 / K if that is less, and T the horizon.

    Parameters
    ----------
    weights : array-like of shape (n_arms,)
        Weights w > 0.

    horizon : int
        Total number of times that an arm is chosen.

    Returns
    -------
    probabilities : ndarray of shape (n_arms,)
        They sum to 1.

    References
    ----------
    .. [1] A. Beygelzimer, J. Langford, L. Li, L. Reyzin, R. Schapire. "Contextual
       bandit algorithms with supervised learning guarantees". AISTATS 2011.

    Examples
    --------
    >>> from skactive.acquisition.functional import exp4p_probabilities
    >>> exp4p_probabilities([3.0, 1.0], horizon=100).round(4)
    array([0.7206, 0.2794])
    """
    weights = np.asarray(weights, dtype=np.float64)
    least = _least_probability(len(weights), horizon)
    return (1.0 - len(weights) * least) * weights / weights.sum() + least


def exp4p_weights(weights, rewards, probabilities, horizon, delta=0.1):
    """Return the weights of the arms of the bandit EXP4.P after a reward.

    w exp(p_min / 2 (r + sqrt(ln(K / delta) / (K T)) / p)), where each expert is one
    arm, scaled to sum to 1, which does not change probabilities.

    Parameters
    ----------
    weights : array-like of shape (n_arms,)
        Weights w > 0 before.

    rewards : array-like of shape (n_arms,)
        Estimated rewards r: the reward times the probability with which the arm alone
        would have made the choice, divided by the probability of the choice.

    probabilities : array-like of shape (n_arms,)
        Probability of each arm, see :func:`exp4p_probabilities`.

    horizon : int
        Total number of times that an arm is chosen.

    delta : float, default=0.1
        The bounds of the bandit hold with probability 1 - delta. A lower value gives
        more weight to arms that are rarely chosen.

    Returns
    -------
    weights : ndarray of shape (n_arms,)
        They are positive and sum to 1.

    References
    ----------
    .. [1] A. Beygelzimer, J. Langford, L. Li, L. Reyzin, R. Schapire. "Contextual
       bandit algorithms with supervised learning guarantees". AISTATS 2011.

    Examples
    --------
    >>> from skactive.acquisition.functional import exp4p_weights
    >>> exp4p_weights([0.5, 0.5], [4.0, 0.0], [0.5, 0.5], horizon=100).round(4)
    array([0.5294, 0.4706])
    """
    weights, p = np.asarray(weights, dtype=np.float64), np.asarray(probabilities)
    n_arms = len(weights)
    bonus = np.sqrt(np.log(n_arms / delta) / (n_arms * horizon)) / p
    gains = np.asarray(rewards) + bonus
    weights = weights * np.exp(
        _least_probability(n_arms, horizon) / 2.0 * (gains - gains.max())
    )
    # An arm of weight 0 could never come back.
    weights = np.maximum(weights / weights.sum(), np.finfo(np.float64).tiny)
    return weights / weights.sum()


def _least_probability(n_arms, horizon):
    return min(np.sqrt(np.log(n_arms) / (n_arms * horizon)), 1.0 / n_arms)


class ALBLSampling(Combination):
    """Let a bandit learn which of several strategies works best, while using them.

    Active learning by learning [1]_. For each row to query, an arm of the bandit EXP4.P
    [2]_ is chosen at random: one of the strategies, which gives its best row of those
    left, or a uniform draw, which is always among the arms. Once the label is known,
    all arms that might have given this row are rewarded by an estimate of the accuracy
    of the classifier: that on the rows drawn here, weighted by one over the probability
    of each, see :func:`~skactive.acquisition.functional.importance_weighted_accuracy`.
    The better the rewards of an arm, the more often it is chosen, but no arm is ever
    given up.

    The estimate is of the accuracy on all rows that could be queried, so the uniform
    arm draws from all of these. If it draws a row that was queried before, this counts
    as a draw with a known label and rewards arms, but nothing is queried and another
    draw follows, as in the program of the authors [3]_.

    An arm is chosen anew for each row of a batch. The rewards of a batch come together,
    from the classifier that has learnt all of it; in the paper, one row is queried at a
    time. Rows without an answer, and rows that were queried by another strategy, do not
    count.

    Expect a mixture of the strategies rather than the best of them. The classifier is
    judged as a whole, so an arm is also blamed for earlier choices of others, and the
    bandit learns slowly: after a hundred rows, an arm after which the classifier is
    always right has three to four times the weight of one after which it is always
    wrong.

    The suggestions of the arms are fixed before a draw. Given these, the probability of
    each pick among the rows then left is known and positive; it is kept in
    `query_probabilities_`.

    Time: that of all strategies in each round, and one fit of the classifier even if no
    strategy needs it.

    :Uses: the same as its strategies
    :Cost of a round: that of its strategies
    :Batch: by chance
    :Guide: :doc:`/user_guide/combining`

    Parameters
    ----------
    strategies : list of str, strategy objects or callables, optional
        The arms, besides the uniform draw. ``("margin", "graph_density")`` by default:
        one depends on the classifier and one on the positions of the rows, the two
        ideas that the paper combines. Every further arm costs labels to be judged.

    horizon : int, default=100
        Number of rows that will be queried, T in the paper; set it to the budget. It
        determines how fast the bandit learns, as rewards and the least probability of
        an arm depend on it. It is doubled once more rows are queried, and is at most
        the number of rows that could be queried. In the paper and the program, it must
        be given and is the end.

    delta : float, default=0.1
        In (0, 1]; the lower it is, the more arms that are rarely chosen are favoured.

    Attributes
    ----------
    weights_ : ndarray of shape (n_strategies + 1,)
        Weights of the arms, the uniform one last, when rows were selected last.

    See Also
    --------
    skactive.acquisition.functional.exp4p_weights : How a reward changes the weights.
    skactive.acquisition.functional.exp4p_probabilities :
        The probability of each arm.

    Notes
    -----
    The number of rows in the estimate is that of all rows in the program [3]_. Here it
    is that of the rows that could be queried, as others are never drawn. Weights are
    scaled to sum to 1, which does not change probabilities.

    References
    ----------
    .. [1] W.-N. Hsu, H.-T. Lin. "Active learning by learning". AAAI 2015.
    .. [2] A. Beygelzimer, J. Langford, L. Li, L. Reyzin, R. Schapire. "Contextual
       bandit algorithms with supervised learning guarantees". AISTATS 2011.
    .. [3] Y.-Y. Yang, S.-C. Lee, Y.-A. Chung, T.-E. Wu, S.-A. Chen, H.-T. Lin. "libact:
       pool-based active learning in Python". arXiv:1710.00379, 2017.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import ALBLSampling
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(),
    ...     strategy=ALBLSampling(["margin", "k_center", "typiclust"], horizon=200),
    ...     budget=200,
    ... )
    """

    _parameter_constraints = {
        "strategies": [list, tuple],
        "horizon": [Interval(Integral, 1, None, closed="left")],
        "delta": [Interval(Real, 0, 1, closed="right")],
    }

    def __init__(
        self, strategies=("margin", "graph_density"), *, horizon=100, delta=0.1
    ):
        self.strategies = strategies
        self.horizon = horizon
        self.delta = delta

    def select(self, pool, n_queries):
        if not hasattr(self, "weights_"):
            n_arms = len(self.strategies) + 1
            self.weights_ = np.full(n_arms, 1.0 / n_arms)
            self.draws_, self.pending_ = [], []
        wanted = [
            select_queries(part, own, n_queries).rows
            for part, own in zip(self._parts, self._part_pools(pool), strict=True)
        ]
        answered = [draw for draw in self.pending_ if pool.labeled[draw.row]]
        if not pool.can_fit:  # there is no classifier yet to judge
            self.pending_ = answered
            judge = _Judge(pool, [], self.horizon, n_queries)
        else:
            self.draws_, self.pending_ = self.draws_ + answered, []
            judge = _Judge(pool, self.draws_, self.horizon, n_queries)
            for draw in answered:
                self._reward_arms(draw, judge)
        return self._draw_rows(pool, wanted, judge, n_queries)

    def _reward_arms(self, draw, judge):
        reward = judge.accuracy(self.draws_)
        self.weights_ = exp4p_weights(
            self.weights_,
            reward * draw.advice / draw.probability,
            draw.arms,
            judge.horizon,
            self.delta,
        )

    def _draw_rows(self, pool, wanted, judge, n_queries):
        """Draw rows by arms; rows that were queried before are judged at once."""
        rng = np.random.default_rng(pool.random_state)
        arms, asked = _Arms(wanted, pool.candidates, rng), []
        probabilities, n_known = [], len(judge.known)
        while len(asked) < n_queries:
            p = exp4p_probabilities(self.weights_, judge.horizon)
            chosen, n_all = rng.choice(len(p), p=p), arms.n_left + n_known
            is_new = arms.suggests_row(chosen) or rng.random() >= n_known / n_all
            row = arms.give(chosen) if is_new else int(rng.choice(judge.known))
            # An arm without a suggestion draws from all rows, queried before or not.
            advice = np.where(arms.suggestions == row, 1.0, 0.0)
            advice[arms.suggestions == _NO_ROW] = 1.0 / n_all
            draw = _Draw(row, float(p @ advice), p, advice)
            if not is_new:
                self.draws_.append(draw)
                self._reward_arms(draw, judge)
                continue
            chance_of_known = p[arms.suggestions == _NO_ROW].sum() * n_known / n_all
            probabilities.append(draw.probability / (1.0 - chance_of_known))
            asked.append(draw)
            arms.remove(row)
        self.pending_ = self.pending_ + asked
        rows = np.array([draw.row for draw in asked], dtype=np.intp)
        return Selection(rows, probabilities=np.minimum(probabilities, 1.0))


@dataclass(frozen=True)
class _Draw:
    """A row that was drawn, and how."""

    row: int
    probability: float  # of the row, over all arms
    arms: np.ndarray  # probability of each arm
    advice: np.ndarray  # probability that each arm would give this row


class _Judge:
    """The classifier of a round, and the drawn rows on which it is right."""

    def __init__(self, pool, draws, horizon, n_queries):
        self.known = np.unique(np.array([draw.row for draw in draws], dtype=np.intp))
        self.n_rows = len(pool.candidates) + len(self.known)
        while horizon < len(self.known) + n_queries:
            horizon *= 2
        self.horizon = min(horizon, self.n_rows)
        self.is_right = np.ones(0, dtype=bool)
        if len(self.known):
            labels = as_labels(pool.y[self.known])
            codes = np.searchsorted(pool.classes, labels)
            self.is_right = pool.predict(self.known) == codes

    def accuracy(self, draws):
        """Estimate the accuracy on all rows that could be queried."""
        rows = np.array([draw.row for draw in draws], dtype=np.intp)
        correct = self.is_right[np.searchsorted(self.known, rows)]
        probabilities = [draw.probability for draw in draws]
        return importance_weighted_accuracy(
            correct, probabilities, self.n_rows, self.horizon
        )


class _Arms:
    """The row that each arm suggests; the last arm has no suggestion."""

    def __init__(self, wanted, candidates, rng):
        self._wanted = [iter(rows.tolist()) for rows in wanted]
        self._shuffled = iter(rng.permutation(candidates).tolist())
        self._taken = set()
        self.n_left = len(candidates)
        self.suggestions = np.full(len(wanted) + 1, _NO_ROW)
        for arm in range(len(wanted)):
            self._go_on(arm)

    def suggests_row(self, arm):
        return self.suggestions[arm] != _NO_ROW

    def give(self, arm):
        """Return the row that an arm suggests, or a random one of those left."""
        if self.suggests_row(arm):
            return int(self.suggestions[arm])
        return next(row for row in self._shuffled if row not in self._taken)

    def remove(self, row):
        """Take a row from those left."""
        self._taken.add(row)
        self.n_left -= 1
        for arm in np.flatnonzero(self.suggestions == row):
            self._go_on(arm)

    def _go_on(self, arm):
        left = (row for row in self._wanted[arm] if row not in self._taken)
        self.suggestions[arm] = next(left, _NO_ROW)
