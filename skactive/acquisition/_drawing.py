"""Draw rows at random, in proportion to weights."""

import numpy as np
from scipy.special import logsumexp

from skactive.acquisition._base import Selection

# Weights that are summed in one block. To draw a row, the sums of all blocks are
# searched, and then the running sum of one block.
_BLOCK_ROWS = 1024


def draw_without_replacement(log_weights, n_queries, *, epsilon=0.0, random_state=None):
    """Draw rows one after the other, each in proportion to its weight.

    Parameters
    ----------
    log_weights : array-like of shape (n_samples,)
        Logarithms of the weights, for instance :func:`power_scores`. Rows of weight 0
        are drawn last, all with the same probability.

    n_queries : int
        Number of rows to draw, at most n_samples.

    epsilon : float, default=0.0
        Probability, in [0, 1], that a row is drawn uniformly from those left. If it is
        positive, every row may be drawn at any time.

    random_state : int, numpy.random.Generator or None, default=None
        Draws the rows.

    Returns
    -------
    positions : ndarray of shape (n_queries,), dtype int
        Positions in `log_weights`, in the order drawn.

    probabilities : ndarray of shape (n_queries,)
        Probability, in (0, 1], of each row to be drawn next among those then left.

    References
    ----------
    .. [1] W. Kool, H. van Hoof, M. Welling. "Stochastic beams and where to find them:
       the Gumbel-top-k trick for sampling sequences without replacement". ICML 2019.

    Examples
    --------
    >>> from skactive.acquisition.functional import draw_without_replacement
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


def draw_candidates(pool, log_weights, n_queries, epsilon):
    """Draw candidates, and return their probabilities if all could be drawn.

    Parameters
    ----------
    pool : Pool
        The round.

    log_weights : ndarray of shape (n_candidates,)
        Logarithms of the weights.

    n_queries : int
        Number of rows to draw.

    epsilon : float
        Probability that a row is drawn uniformly instead.

    Returns
    -------
    selection : Selection
        The rows in the order drawn. Its probabilities are None if a row that was left
        could not be drawn, as no unbiased estimate can be based on the others.
    """
    positions, probabilities = draw_without_replacement(
        log_weights, n_queries, epsilon=epsilon, random_state=pool.random_state
    )
    is_zero = np.isneginf(log_weights)
    out_of_reach = epsilon == 0 and is_zero.any() and not is_zero.all()
    return Selection(
        pool.candidates[positions],
        probabilities=None if out_of_reach else probabilities,
    )


def draw_one(weights, remaining, rng, noise=0.0):
    """Draw a position by its weight, or uniformly if all weights are 0.

    Only positions in the mask `remaining` are drawn. A sum of weights up to `noise`
    counts as 0.
    """
    starts = np.arange(0, len(weights), _BLOCK_ROWS)
    ends = np.cumsum(np.add.reduceat(weights, starts))
    if ends[-1] <= noise:
        weights = remaining.astype(np.float64)
        ends = np.cumsum(np.add.reduceat(weights, starts))
    target = rng.random() * ends[-1]
    block = np.searchsorted(ends, target, side="right")
    start = starts[block]
    within = np.cumsum(weights[start : start + _BLOCK_ROWS])
    if block > 0:
        target -= ends[block - 1]
    # Rounding: the running sum may end a little below the sum of the block.
    target = min(target, np.nextafter(within[-1], 0))
    return start + np.searchsorted(within, target, side="right")


def _mix_in(uniform, order, n_queries, epsilon, rng):
    """Take each row from one of two orders; return all rows in the order taken.

    A row that is taken from one order is skipped in the other. The rows left are then
    in a random order that does not depend on those taken.
    """
    is_left = np.ones(len(order), dtype=bool)
    sources, taken = (iter(order.tolist()), iter(uniform.tolist())), []
    for by_chance in rng.random(n_queries) < epsilon:
        row = next(row for row in sources[int(by_chance)] if is_left[row])
        is_left[row] = False
        taken.append(row)
    return np.concatenate([np.array(taken, dtype=np.intp), np.flatnonzero(is_left)])


def _shares(log_weights, n_queries, epsilon):
    """Return the probability of each first row, among itself and those after it."""
    picked, others = log_weights[:n_queries], log_weights[n_queries:]
    n_left = len(log_weights) - np.arange(n_queries)
    # The weight left before each pick, added up from the last pick backwards:
    # subtracting picks from the total would lose small weights.
    rest = logsumexp(others) if len(others) else -np.inf
    left = np.logaddexp.accumulate(np.append(rest, picked[::-1]))[:0:-1]
    nothing_left = np.isneginf(left)  # but rows of weight 0, all equally likely
    shares = np.exp(picked - np.where(nothing_left, 0.0, left))
    shares = np.where(nothing_left, 1.0 / n_left, shares)
    return epsilon / n_left + (1.0 - epsilon) * shares
