"""BatchBALD: batches whose labels together carry most information about the model."""

from itertools import islice
from numbers import Integral, Real

import numpy as np

from skactive.acquisition._base import BaseStrategy, top_candidates
from skactive.acquisition.committee._bald import bald
from skactive.acquisition.committee._joint_labels import (
    N_GROUPS,
    NEGLIGIBLE,
    JointTable,
    as_float,
)
from skactive.utils._rows import slices
from skactive.utils._sklearn import Interval
from skactive.utils._threads import one_thread

# Columns of probabilities in one block of candidates; a block of a few promising rows
# comes first, whose gains show that most of the others need not be computed.
_BLOCK_COLUMNS, _FIRST_BLOCK = 512, 8

# Columns of a block before any row is chosen, when the table has one row only.
_OWN_COLUMNS = 2**13

# Decimals to which gains are rounded; what is cut off is negligible.
_DECIMALS = 12

# The largest number of candidates whose gains are computed in full where a table is
# summarised.
_MAX_IN_FULL = 256


def batch_bald(
    member_proba,
    n_queries,
    *,
    max_configurations=40_000,
    min_gain=0.0,
    random_state=None,
):
    """Choose rows whose labels together carry most information about the model.

    Each choice is the row that adds most to the mutual information of the model and the
    labels of all chosen rows [1]_. A row that resembles a chosen one adds little,
    however large its own :func:`bald` is.

    Parameters
    ----------
    member_proba : array-like of shape (n_members, n_samples, n_classes)
        Probabilities of the members, taken as samples of the posterior. A member must
        be one function for all rows; otherwise the labels of different rows seem
        independent.

    n_queries : int
        Number of rows to choose, at most n_samples.

    max_configurations : int, default=40_000
        Largest number of configurations of the labels of the chosen rows, in general
        n_classes to the power of their number, for which their joint distribution is
        exact. From then on it is estimated from about this number of configurations,
        the same number sampled from each member.

    min_gain : float, default=0.0
        Once the best row adds no more than this share of the gain of the first one, the
        labels have little to add, and the rest is chosen as a separate batch. With 0,
        this happens when no row adds anything.

    random_state : int, numpy.random.Generator or None, default=None
        Samples the configurations, and decides between equally good rows.

    Returns
    -------
    positions : ndarray of shape (n_queries,), dtype int
        Positions along the second axis of `member_proba`, in the order chosen.

    scores : ndarray of shape (n_queries,)
        Mutual information of the model and the labels of the rows chosen up to each of
        them, in nats; at most log n_members, up to the error of sampling. Once a new
        batch has begun, it is that of the most informative batch, a lower bound.

    Raises
    ------
    ValueError
        If `n_queries` is not from 1 to n_samples.

    See Also
    --------
    bald : The mutual information of the model and a single label.
    joint_entropy : Entropy of the labels of several rows.

    Notes
    -----
    The mutual information is submodular: the gain of a row shrinks as others are
    chosen. Its gain in an earlier step is therefore an upper bound, and so is its gain
    if similar configurations of labels are merged. Gains are computed lazily, only for
    rows whose bounds exceed the best gain found; with more than 900 configurations,
    only for the rows of the 256 highest bounds. With sampled configurations, bounds and
    gains have errors in the order of one over the square root of their number, and the
    choice is the greedy one up to these errors.

    References
    ----------
    .. [1] A. Kirsch, J. van Amersfoort, Y. Gal. "BatchBALD: efficient and diverse batch
       acquisition for deep Bayesian active learning". NeurIPS 2019.

    Examples
    --------
    The members disagree most on the first two rows, but one of these tells as much as
    both:

    >>> import numpy as np
    >>> from skactive.acquisition.functional import bald, batch_bald
    >>> first, third = [0.9, 0.9, 0.1, 0.1], [0.8, 0.2, 0.8, 0.2]
    >>> p = np.stack([first, first, third], axis=1)
    >>> member_proba = np.stack([p, 1 - p], axis=2)
    >>> bald(member_proba).round(4)
    array([0.3681, 0.3681, 0.1927])
    >>> positions, scores = batch_bald(member_proba, 2, random_state=0)
    >>> 2 in positions, scores.round(4)
    (True, array([0.3681, 0.5608]))
    """
    member_proba = as_float(member_proba)
    n_members, n_samples, _ = member_proba.shape
    if not 1 <= n_queries <= n_samples:
        raise ValueError(
            f"n_queries must be from 1 to the number of samples, {n_samples}, got "
            f"{n_queries}."
        )
    rng = np.random.default_rng(random_state)
    # Of equally good rows, the first one in this random order is chosen.
    left = rng.permutation(n_samples)
    positions, scores = [], [0.0]
    with one_thread():
        marginal = _own_gains(member_proba)
        while (n_missing := n_queries - len(positions)) > 0:
            table = JointTable(n_members, max_configurations, rng)
            batch = _greedy_batch(member_proba, left, marginal[left], table, min_gain)
            for position, information in islice(batch, n_missing):
                positions.append(position)
                scores.append(max(information, scores[-1]))
            left = left[~np.isin(left, positions)]
    return np.array(positions, dtype=np.intp), np.array(scores[1:])


class BatchBALDSampling(BaseStrategy):
    """Query rows whose labels together carry most information about the model.

    :func:`~skactive.acquisition.functional.batch_bald` is applied to the probabilities
    of a committee [1]_. Unlike with :class:`BALDSampling`, the rows of a batch do not
    resemble each other; a batch of one row is the same.

    The information is at most log n_members nats, which a batch of ten or twenty rows
    uses up. The rows that follow are chosen as a separate batch: a large batch consists
    of several small ones, which may resemble each other, and takes several times as
    long. After `max_joint` rows, the others are those of BALD. For large batches
    :class:`PowerBALDSampling` costs next to nothing, and is often as good [2]_.

    Memory: O(n_members n_candidates n_classes) for the probabilities of the members,
    O(max_configurations n_members) for the joint distribution, and blocks.

    :Uses: probabilities of members
    :Cost of a round: :math:`b` joint tables of at most 40,000 columns
    :Batch: yes
    :Guide: :doc:`/user_guide/information`

    Parameters
    ----------
    max_configurations : int, default=40_000
        Largest number of configurations of the labels of a batch for which their joint
        distribution is exact; then it is estimated from about this number.

    min_gain : float, default=0.01
        A new batch begins once the best row adds no more than this share of the gain of
        the first one.

    max_joint : int, default=100
        Largest number of rows that are chosen together. The rest of a larger batch are
        the rows of largest :func:`~skactive.acquisition.functional.bald`.

    References
    ----------
    .. [1] A. Kirsch, J. van Amersfoort, Y. Gal. "BatchBALD: efficient and diverse batch
       acquisition for deep Bayesian active learning". NeurIPS 2019.
    .. [2] A. Kirsch, S. Farquhar, P. Atighehchian, A. Jesson, F. Branchaud-Charron,
       Y. Gal. "Stochastic batch acquisition: a simple baseline for deep active
       learning". Transactions on Machine Learning Research, 2023.

    Examples
    --------
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import BatchBALDSampling
    >>> clf = ActiveLearningClassifier(
    ...     RandomForestClassifier(), strategy=BatchBALDSampling(), batch_size=5
    ... )
    """

    _parameter_constraints = {
        "max_configurations": [Interval(Integral, 1, None, closed="left")],
        "min_gain": [Interval(Real, 0, 1, closed="left")],
        "max_joint": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, max_configurations=40_000, *, min_gain=0.01, max_joint=100):
        self.max_configurations = max_configurations
        self.min_gain = min_gain
        self.max_joint = max_joint

    @property
    def needs(self):
        return frozenset({"member_proba"})

    def select(self, pool, n_queries):
        member_proba = pool.member_proba
        rng = np.random.default_rng(pool.random_state)
        positions, _ = batch_bald(
            member_proba,
            min(n_queries, self.max_joint),
            max_configurations=self.max_configurations,
            min_gain=self.min_gain,
            random_state=rng,
        )
        if n_queries > self.max_joint:
            scores = bald(member_proba)
            scores[positions] = -np.inf
            rest = top_candidates(scores, n_queries - self.max_joint, pool)
            positions = np.concatenate([positions, rest])
        return pool.candidates[positions]


def _own_gains(member_proba):
    """Return the mutual information of the model and the label of each row alone."""
    n_members, n_samples, n_classes = member_proba.shape
    nothing_known = JointTable(n_members, 1, None)
    gains = np.empty(n_samples)
    for block in slices(n_samples, _OWN_COLUMNS // n_classes):
        gains[block] = nothing_known.gains(member_proba[:, block])
    return _without_rounding(gains)


def _without_rounding(gains):
    """Round gains, so that equal rows have equal gains whatever block they are in."""
    return np.round(np.where(gains > NEGLIGIBLE, gains, 0.0), _DECIMALS)


def _greedy_batch(member_proba, left, bounds, table, min_gain):
    """Yield the row of largest gain and the information so far, until little is gained.

    `bounds` are upper bounds of the gains of the rows `left`, at first their gains
    alone.
    """
    best = int(np.argmax(bounds))
    first = gain = bounds[best]
    information = 0.0
    while gain > max(min_gain * first, NEGLIGIBLE):
        information += gain
        yield left[best], information
        bounds[best] = -np.inf
        table.add(member_proba[:, left[best]])
        best, gain = _largest_gain(member_proba, left, bounds, table)
    if information == 0.0:  # no label is informative, so any rows may be taken
        for best in np.argsort(-bounds, kind="stable"):
            yield left[best], 0.0


def _largest_gain(member_proba, left, bounds, table):
    """Find the row of largest gain, computing the gains of promising rows only.

    The bounds of these rows are lowered to their gains.
    """

    def look_at(rows, gains):
        # np.take would copy an array of another memory order as a whole.
        new = gains(np.ascontiguousarray(member_proba[:, left[rows]]))
        new = _without_rounding(new)
        bounds[rows] = np.minimum(bounds[rows], new)
        return new

    rows = np.argsort(-bounds, kind="stable")[:_FIRST_BLOCK]
    rows = rows[bounds[rows] > NEGLIGIBLE]
    if len(table) == 0 or len(rows) == 0:
        return -1, 0.0
    gains = look_at(rows, table.gains)
    best, best_gain = rows[gains.argmax()], gains.max()
    n_block = max(_FIRST_BLOCK, _BLOCK_COLUMNS // member_proba.shape[2])
    rows = np.flatnonzero(bounds > best_gain)
    # A summary takes as long as the gains of a few rows, so it must save more than
    # these.
    if table.is_large and len(rows) * member_proba.shape[2] > N_GROUPS:
        upper_bounds = table.upper_bounds()
        for block in slices(len(rows), n_block):
            look_at(rows[block], upper_bounds)
        rows = rows[bounds[rows] > best_gain]
        rows = rows[np.argsort(-bounds[rows], kind="stable")][:_MAX_IN_FULL]
    else:
        rows = rows[np.argsort(-bounds[rows], kind="stable")]
    for block in slices(len(rows), n_block):
        hopeful = rows[block]
        hopeful = hopeful[bounds[hopeful] > best_gain]
        if len(hopeful) == 0:
            break
        gains = look_at(hopeful, table.gains)
        if gains.max() > best_gain:
            best, best_gain = hopeful[gains.argmax()], gains.max()
    return best, best_gain
