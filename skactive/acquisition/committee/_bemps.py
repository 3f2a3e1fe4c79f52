"""BEMPS: rows whose label raises the expected score of predictions most."""

from numbers import Real

import numpy as np
from sklearn.preprocessing import normalize

from skactive.acquisition._base import select_by_utility, top_candidates, utilities
from skactive.acquisition.committee._disagreement import consensus, consensus_entropy
from skactive.acquisition.committee._epig import epig
from skactive.acquisition.committee._joint_labels import as_float
from skactive.acquisition.committee._prediction import (
    PredictionStrategy,
    member_proba_of,
)
from skactive.acquisition.diversity._clustering import (
    cluster_rows,
    nearest_in_free_clusters,
)
from skactive.utils._rows import slices, take_rows
from skactive.utils._sklearn import Interval, StrOptions
from skactive.utils._threads import one_thread

# Joint probabilities of samples and targets in one block, 8 MiB.
_BLOCK_NUMBERS = 2**20
# The largest number of rows that are clustered for a batch, and of clusters.
_MAX_CLUSTERED, _MAX_CLUSTERS = 10_000, 500


def bemps(member_proba, target_proba, *, score="brier", per_target=False):
    """Return how much labels would raise the expected score of predictions.

    The Bayesian estimate of mean proper scores [1]_. A label makes some members more
    likely than others, and so changes the predictions for the targets; no model is
    fitted. The expected gain of a score is the divergence that belongs to it, of the
    new prediction from the old one.

    Parameters
    ----------
    member_proba : array-like of shape (n_members, n_samples, n_classes)
        Probabilities of the members. A member must be one function for all rows.

    target_proba : array-like of shape (n_members, n_targets, n_classes)
        Probabilities of the same members for rows like those to be predicted.

    score : {"brier", "log"}, default="brier"
        Minus the squared distance of probabilities and label (CoreMSE in the paper), or
        the log probability of the label (CoreLog), for which the gain is :func:`epig`.

    per_target : bool, default=False
        Whether to return the gain for each target instead of their mean.

    Returns
    -------
    utility : ndarray of shape (n_samples,) or (n_samples, n_targets)
        At least 0; at most 1 - 1 / n_classes for ``"brier"``, in nats for ``"log"``.

    Raises
    ------
    ValueError
        If there is no such score.

    Notes
    -----
    The authors' code adds a constant to the first score and leaves out the logarithm of
    the second; this follows the paper.

    References
    ----------
    .. [1] W. Tan, L. Du, W. Buntine. "Diversity enhanced active learning with strictly
       proper scoring rules". NeurIPS 2021.

    Examples
    --------
    The first label would move the prediction for the target from 0.5 to 0.82 or 0.18,
    the second to 0.9 or 0.1, as it tells which of the members is right:

    >>> from skactive.acquisition.functional import bemps
    >>> samples = [[[0.9, 0.1], [1, 0]], [[0.1, 0.9], [0, 1]]]
    >>> bemps(samples, [[[0.9, 0.1]], [[0.1, 0.9]]]).round(4)
    array([0.2048, 0.32  ])
    """
    if score not in ("brier", "log"):
        raise ValueError(f"score must be 'brier' or 'log', got {score!r}.")
    if score == "log" and not per_target:
        return epig(member_proba, target_proba)
    member_proba, target_proba = as_float(member_proba), as_float(target_proba)
    with one_thread():
        if per_target:
            return _gain_per_target(member_proba, target_proba, score)
        return _mean_brier_gain(member_proba, target_proba)


class BEMPSSampling(PredictionStrategy):
    """Query rows whose labels raise the expected score of the predictions most.

    The Bayesian estimate of mean proper scores [1]_ is error reduction without refits:
    a label makes some members of the committee more likely than others, which changes
    the predictions for other rows.

    A batch is made diverse as in the paper. The share `top` of the candidates is
    described by the gains for each target, scaled to length one. These vectors are
    clustered by k-means, into one cluster for each row to query, at most 500. The row
    nearest to each centre is queried, largest cluster first; rows of the highest
    utility follow if these are too few.

    :Uses: probabilities of members
    :Cost of a round: :math:`C^2 n K`
    :Batch: yes
    :Guide: :doc:`/user_guide/information`

    Parameters
    ----------
    score : {"brier", "log"}, default="brier"
        The score that is to gain, see :func:`~skactive.acquisition.functional.bemps`.
        With ``"log"`` the utility is that of :class:`EPIGSampling`.

    targets : {array-like, sparse matrix, data frame, list} or None, default=None
        Rows like those to be predicted, in the container of `X`. If None, `n_targets`
        rows of `X` are drawn anew in each round.

    n_targets : int, default=1000
        Number of rows of `X` to draw.

    top : float or None, default=0.5
        The share of the candidates, of highest utility, from which a batch is chosen;
        at most 10,000 unless more are to be queried. If None, a batch is the rows of
        highest utility.

    Notes
    -----
    Time: n_candidates n_classes n_members² with ``"brier"``, that of EPIG with
    ``"log"``. Memory: blocks of candidates, O(n_members n_targets n_classes), and
    O(10,000 n_targets) for a batch.

    References
    ----------
    .. [1] W. Tan, L. Du, W. Buntine. "Diversity enhanced active learning with strictly
       proper scoring rules". NeurIPS 2021.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import BEMPSSampling
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=BEMPSSampling(), committee=20
    ... )
    """

    _parameter_constraints = {
        "score": [StrOptions({"brier", "log"})],
        **PredictionStrategy._parameter_constraints,
        "top": [Interval(Real, 0, 1, closed="right"), None],
    }

    def __init__(self, score="brier", *, targets=None, n_targets=1000, top=0.5):
        self.score = score
        self.targets = targets
        self.n_targets = n_targets
        self.top = top

    def _score(self, member_proba, target_proba):
        return bemps(member_proba, target_proba, score=self.score)

    def select(self, pool, n_queries):
        # Clusters make no difference to a single row, or if no row is left out.
        if n_queries in (1, len(pool)) or self.top is None:
            return select_by_utility(self, pool, n_queries).rows
        scores = utilities(self, pool)
        n_top = max(min(int(self.top * len(pool)), _MAX_CLUSTERED), n_queries)
        best = top_candidates(scores, n_top, pool)
        nearest = self._nearest_to_centers(pool, best[:_MAX_CLUSTERED], n_queries)
        others = np.delete(np.arange(n_top), nearest)
        chosen = np.concatenate([nearest, others[: n_queries - len(nearest)]])
        return pool.candidates[best[chosen]]

    def _nearest_to_centers(self, pool, positions, n_queries):
        """Return the places in `positions` of the rows nearest to the centres."""
        proba = member_proba_of(pool, take_rows(pool.X, pool.candidates[positions]))
        proba, target_proba = proba.astype(np.float32), self._target_proba(pool)
        target_proba = target_proba.astype(np.float32)
        gains = bemps(proba, target_proba, score=self.score, per_target=True)
        gains = normalize(gains, copy=False)
        n_clusters = min(n_queries, _MAX_CLUSTERS, len(gains))
        labels, distances = cluster_rows(gains, n_clusters, pool.random_state)
        keys = pool.tie_keys(pool.candidates[positions])
        return nearest_in_free_clusters(labels, distances, 0, n_clusters, keys)


def _mean_brier_gain(member_proba, target_proba):
    """Return the expected gain of the Brier score over all targets, in O(n K C²).

    Let p be the mean probabilities and A, B the deviations of the members from them.
    The new prediction for a target differs from the old one by A_y' B / (C p_y), so
    that only the sum of B B' over targets and their classes is needed.
    """
    n_members, n_samples, n_classes = member_proba.shape
    n_targets = target_proba.shape[1]
    spread = np.zeros((n_members, n_members))
    for block in slices(n_targets, _BLOCK_NUMBERS // (n_members * n_classes)):
        part = target_proba[:, block].astype(np.float64)
        part = (part - part.mean(axis=0)).reshape(n_members, -1)
        spread += part @ part.T
    spread /= n_members**2 * n_targets
    gain = np.empty(n_samples)
    for block in slices(n_samples, _BLOCK_NUMBERS // (n_members * n_classes)):
        part = member_proba[:, block].astype(np.float64)
        mean = part.mean(axis=0)
        part = (part - mean).reshape(n_members, -1)
        squares = np.einsum("ci,ci->i", part, spread @ part).reshape(mean.shape)
        # A label that no member thinks possible changes nothing.
        changes = np.divide(squares, mean, out=np.zeros_like(mean), where=mean > 0)
        gain[block] = changes.sum(axis=1)
    return np.maximum(gain, 0.0)


def _gain_per_target(member_proba, target_proba, score):
    """Return the expected gain of a score for each sample and target."""
    _, n_samples, n_classes = member_proba.shape
    n_targets = target_proba.shape[1]
    pair_gain = {"brier": _brier_gain, "log": _log_gain}[score]
    gain = np.empty((n_samples, n_targets), dtype=member_proba.dtype)
    for targets in slices(n_targets, 1000):
        target_block = target_proba[:, targets]
        numbers = target_block[0].size * n_classes
        for samples in slices(n_samples, _BLOCK_NUMBERS // numbers):
            gain[samples, targets] = pair_gain(member_proba[:, samples], target_block)
    return np.maximum(gain, 0.0)


def _brier_gain(proba, target_proba):
    mean, target_mean = consensus(proba), consensus(target_proba)
    # Row (x, y) of the product is the change of all predictions by the label y of x,
    # times its probability.
    changes = _products(proba - mean, target_proba - target_mean)
    np.square(changes, out=changes)
    mean = mean[:, :, None]
    np.divide(changes, mean, out=changes, where=mean > 0)
    return _sum_over_classes(changes, target_mean.shape)


def _log_gain(proba, target_proba):
    joint = _products(proba, target_proba)
    terms = np.log(joint + np.finfo(joint.dtype).tiny)
    terms *= joint
    own = consensus_entropy(proba)[:, None] + consensus_entropy(target_proba)
    return own + _sum_over_classes(terms, consensus(target_proba).shape)


def _products(proba, target_proba):
    """Return mean products over the members, (n_samples, n_classes, n_targets * ..)."""
    n_members, n_samples, n_classes = proba.shape
    left = proba.reshape(n_members, -1).T
    products = left @ target_proba.reshape(n_members, -1)
    products /= n_members
    return products.reshape(n_samples, n_classes, -1)


def _sum_over_classes(terms, target_shape):
    """Sum over the labels of each sample and of each target."""
    return terms.sum(axis=1).reshape(-1, *target_shape).sum(axis=2)
