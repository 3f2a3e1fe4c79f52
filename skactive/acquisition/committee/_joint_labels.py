"""Joint labels of several rows: their entropy, and what they tell about the model."""

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.metrics import pairwise_distances_argmin

from skactive.acquisition.uncertainty._probabilities import entropy
from skactive.utils._rows import slices
from skactive.utils._threads import one_thread

# Information in nats that is negligible. Gains below it are rounding, and
# configurations of labels after which the members are known this well are dropped from
# a table. With sampled configurations the error of sampling is far larger, so more may
# be dropped.
NEGLIGIBLE, _NEGLIGIBLE_IF_SAMPLED = 1e-12, 1e-6

# Groups of configurations that summarise a large table.
N_GROUPS = 300

# Error of gains in single precision, in nats, rounded up.
_SINGLE_ERROR = 1e-5

# Numbers in one tile of a matrix product, which should fit into the cache.
_TILE = 2**17


def joint_entropy(member_proba, *, max_configurations=40_000, random_state=None):
    """Return the entropy of the labels of several rows together, in nats.

    Labels are independent given a member; a member is drawn for all rows at once.

    Parameters
    ----------
    member_proba : array-like of shape (n_members, n_samples, n_classes)
        Probabilities of the members for these rows.

    max_configurations : int, default=40_000
        With more configurations of labels, the entropy is estimated from a sample of
        about this number, see :func:`batch_bald`.

    random_state : int, numpy.random.Generator or None, default=None
        Samples the configurations.

    Returns
    -------
    entropy : float
        At most n_samples times log n_classes.

    References
    ----------
    .. [1] A. Kirsch, J. van Amersfoort, Y. Gal. "BatchBALD: efficient and diverse batch
       acquisition for deep Bayesian active learning". NeurIPS 2019.

    Examples
    --------
    Two members that are sure of the labels, and contradict each other in both:

    >>> from skactive.acquisition.functional import joint_entropy
    >>> round(joint_entropy([[[1, 0], [0, 1]], [[0, 1], [1, 0]]]), 4)
    0.6931
    """
    member_proba = as_float(member_proba)
    rng = np.random.default_rng(random_state)
    table = JointTable(len(member_proba), max_configurations, rng)
    # H(y) = H(y | member) + I(y; member); the latter is added up row by row.
    total = sum(float(entropy(proba).sum()) for proba in member_proba)
    total /= len(member_proba)
    with one_thread():
        for row in range(member_proba.shape[1]):
            total += float(table.gains(member_proba[:, [row]])[0])
            table.add(member_proba[:, row])
    return total


class JointTable:
    """The members that are likely after each configuration of labels of the rows added.

    Parameters
    ----------
    n_members : int
        Number of members.

    max_configurations : int
        Number of configurations above which they are sampled.

    rng : numpy.random.Generator
        Samples them.
    """

    def __init__(self, n_members, max_configurations, rng):
        self._max_configurations = max_configurations
        self._rng = rng
        self._rows = []
        self._mass = np.ones(1)  # of each configuration
        self._posterior = np.full((1, n_members), 1.0 / n_members)
        self._source = None  # member that a configuration was sampled from
        self._in_use = self._mass, self._posterior

    def __len__(self):
        return len(self._mass)

    def gains(self, proba):
        """Return the information that the label of each row alone would add.

        Parameters
        ----------
        proba : ndarray of shape (n_members, n_rows, n_classes)
            Probabilities of the members.

        Returns
        -------
        gain : ndarray of shape (n_rows,)
            Mutual information of member and label, given the labels of the rows added;
            at least 0.
        """
        return mutual_information(*self._in_use, proba)

    @property
    def is_large(self):
        """Whether there are so many configurations that a summary is faster."""
        return len(self) > 3 * N_GROUPS

    def upper_bounds(self):
        """Return a function like `gains` that is faster, and gives upper bounds.

        Configurations that say nearly the same about the members are merged. As it is
        not known which of them is true, more is left to learn, so gains can only grow.
        """
        unknown = np.cumsum(self._mass * entropy(self._posterior))
        points = np.linspace(0, unknown[-1], N_GROUPS, endpoint=False)
        centers = self._posterior[np.unique(np.searchsorted(unknown, points))]
        single = self._posterior.astype(np.float32)
        groups = pairwise_distances_argmin(single, centers.astype(np.float32))
        entries = (self._mass, (groups, np.arange(len(self))))
        joint = csr_matrix(entries, shape=(len(centers), len(self))) @ self._posterior
        joint = joint[joint.any(axis=1)]
        mass = joint.sum(axis=1)
        single = mass.astype(np.float32), (joint / mass[:, None]).astype(np.float32)
        return lambda proba: mutual_information(*single, proba) + _SINGLE_ERROR

    def add(self, proba):
        """Add a row.

        Parameters
        ----------
        proba : ndarray of shape (n_members, n_classes)
            Probabilities of the members.
        """
        proba = proba.astype(np.float64)
        self._rows.append(proba)
        is_exact = self._source is None
        if is_exact and len(self._mass) * proba.shape[1] <= self._max_configurations:
            self._multiply(proba)
        elif is_exact:
            self._start_sampling()
        else:
            self._sample(proba)
        self._drop_resolved()
        # The error of sampling is larger by far than that of single precision.
        dtype = np.float64 if self._source is None else np.float32
        self._in_use = self._mass.astype(dtype), self._posterior.astype(dtype)

    def _multiply(self, proba):
        """Extend each configuration by each label."""
        joint = self._posterior[:, None, :] * proba.T
        totals = joint.sum(axis=2)
        possible = totals > 0
        self._mass = (self._mass[:, None] * totals)[possible]
        self._posterior = joint[possible] / totals[possible][:, None]

    def _start_sampling(self):
        """Replace the exact table by samples of all rows so far."""
        n_members = self._posterior.shape[1]
        n_each = max(1, self._max_configurations // n_members)
        self._source = np.repeat(np.arange(n_members), n_each)
        n_configurations = len(self._source)
        self._mass = np.full(n_configurations, 1.0 / n_configurations)
        self._posterior = np.full((n_configurations, n_members), 1.0 / n_members)
        for proba in self._rows:
            self._sample(proba)

    def _sample(self, proba):
        """Extend each configuration by a label drawn from its own member."""
        labels = np.empty(len(self._source), dtype=np.intp)
        for member, distribution in enumerate(np.cumsum(proba, axis=1)):
            own = np.flatnonzero(self._source == member)
            # Evenly spread and shuffled: each label as often as it is probable.
            uniform = self._rng.permutation(len(own)) + self._rng.random(len(own))
            uniform *= distribution[-1] / max(len(own), 1)
            drawn = np.searchsorted(distribution, uniform, side="right")
            labels[own] = np.minimum(drawn, len(distribution) - 1)
        self._posterior *= proba[:, labels].T
        self._posterior /= self._posterior.sum(axis=1, keepdims=True)

    def _drop_resolved(self):
        """Drop configurations after which the member is known."""
        limit = NEGLIGIBLE if self._source is None else _NEGLIGIBLE_IF_SAMPLED
        # The gain of a label is at most the remaining entropy of the member.
        self._keep(self._mass * entropy(self._posterior) > limit / max(len(self), 1))

    def _keep(self, kept):
        if not kept.all():
            self._mass, self._posterior = self._mass[kept], self._posterior[kept]
            self._source = None if self._source is None else self._source[kept]


def mutual_information(mass, posterior, proba):
    """Return the mutual information of member and label, given the outcomes so far."""
    n_members, n_rows, n_classes = proba.shape
    proba = proba.astype(posterior.dtype, copy=False)
    own = entropy(proba.reshape(-1, n_classes)).reshape(n_members, n_rows)
    # Sampled outcomes weigh the members not quite equally. With these weights the
    # result is a mean over the outcomes, each at least 0.
    weights = mass @ posterior
    return np.maximum(label_entropy(mass, posterior, proba) - weights @ own, 0.0)


def label_entropy(mass, posterior, proba):
    """Return the entropy of labels once an outcome is known.

    Parameters
    ----------
    mass : ndarray of shape (n_outcomes,)
        Probability of each outcome.

    posterior : ndarray of shape (n_outcomes, n_members)
        Probability of each member after this outcome.

    proba : ndarray of shape (n_members, n_rows, n_classes)
        Probabilities of the members for some rows.

    Returns
    -------
    entropy : ndarray of shape (n_rows,)
        Mean over the outcomes, in nats; computed in the precision of `posterior`.
    """
    n_members, n_rows, n_classes = proba.shape
    columns = proba.reshape(n_members, -1).astype(posterior.dtype, copy=False)
    total = np.zeros(columns.shape[1])
    tiny = np.finfo(posterior.dtype).tiny
    for outcomes in slices(len(mass), _TILE // max(columns.shape[1], 1)):
        predicted = posterior[outcomes] @ columns
        terms = predicted + tiny  # so that 0 log 0 is 0
        np.log(terms, out=terms)
        terms *= predicted
        total -= mass[outcomes] @ terms
    return total.reshape(n_rows, n_classes).sum(axis=1)


def as_float(member_proba):
    """Return probabilities as an array of single or double precision."""
    member_proba = np.asarray(member_proba)
    if member_proba.dtype in (np.float32, np.float64):
        return member_proba
    return member_proba.astype(np.float64)
