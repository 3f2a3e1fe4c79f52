"""Uncertainty herding: rows whose kernels cover what the model is unsure about."""

from numbers import Real

import numpy as np

from skactive.acquisition._combination import OnUtility
from skactive.acquisition._known_rows import known_rows
from skactive.acquisition.diversity._coverage import select_to_cover
from skactive.acquisition.diversity._max_herding import MaxHerdingSampling, herd
from skactive.acquisition.diversity._unit_rows import UnitRows
from skactive.utils._sklearn import Interval, StrOptions
from skactive.utils._threads import one_thread


def u_herding(
    features,
    uncertainty,
    n_queries,
    *,
    labeled=(),
    candidates=None,
    bandwidth=1.0,
    max_targets=10_000,
    random_state=0,
):
    """Choose rows greedily so that every uncertain row is close to a chosen one.

    They maximise the uncertainty coverage ``sum_j u_j max_{i in S} k(x_i, x_j)`` over
    all rows j without a label; see :func:`max_herding` for the kernel. With a bandwidth
    that covers everything, central rows are chosen; with one close to 0, the most
    uncertain rows.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        All rows; they need not have length one.

    uncertainty : array-like of shape (n_samples,) or None
        Weights of at least 0, not used for labelled rows. If None, or 0 for all rows
        without a label, all rows count equally.

    n_queries : int
        Number of rows to choose.

    labeled : array-like of int or bool, default=()
        Rows that belong to S already.

    candidates : array-like of int or bool or None, default=None
        Rows that may be chosen; all but the labelled if None. Of equally good ones, the
        first of these is chosen.

    bandwidth : float, default=1.0
        Distance at which the kernel has fallen to 1/e; rows of length one are at most
        2 apart.

    max_targets : int or None, default=10_000
        If more rows are without a label, the sum runs over a random sample of this
        size.

    random_state : int, default=0
        Seed of the sample.

    Returns
    -------
    chosen : ndarray of shape (n_queries,), dtype int
        Row numbers, in the order in which they were chosen.

    Raises
    ------
    ValueError
        If there are fewer candidates than rows to choose, or an uncertainty is
        negative or NaN.

    References
    ----------
    .. [1] W. Bae, G. L. Oliveira, D. J. Sutherland. "Uncertainty herding: one active
       learning method for all label budgets". ICLR 2025.

    Examples
    --------
    The most uncertain row, then the middle of three less uncertain ones:

    >>> from skactive.acquisition.functional import u_herding
    >>> X = [[1.0, 0.0], [0.9, 0.1], [0.8, 0.2], [0.0, 1.0], [0.1, 0.9]]
    >>> u_herding(X, [0.1, 0.1, 0.1, 0.9, 0.2], 2, bandwidth=0.3)
    array([3, 1])
    """
    with one_thread():
        rows = features
        if not isinstance(rows, UnitRows):  # AutoSampling passes LiftedRows
            rows = UnitRows(features, for_distances=True, smallest=bandwidth)
        return herd(
            rows,
            n_queries,
            bandwidth=bandwidth,
            labeled=labeled,
            candidates=candidates,
            max_targets=max_targets,
            random_state=random_state,
            weigh=lambda targets: _weights(uncertainty, targets, len(rows)),
        )


class UHerdingSampling(OnUtility):
    """Query rows whose kernels cover what the model is unsure about.

    A batch is chosen by :func:`~skactive.acquisition.functional.u_herding`, where
    labelled rows and rows queried before count as chosen. With few labels it covers the
    pool; with many it queries different uncertain rows, as the bandwidth shrinks with
    the distances of the labelled rows.

    The paper also calibrates the probabilities of a network by its temperature. Here
    they are used unchanged; wrap the estimator in
    :class:`sklearn.calibration.CalibratedClassifierCV` if they are not reliable. Time
    and memory are those of :class:`MaxHerdingSampling`.

    :Uses: ``predict_proba``, features
    :Cost of a round: :math:`t n d`
    :Batch: yes
    :Guide: :doc:`/user_guide/coverage`

    Parameters
    ----------
    base : str, strategy object or callable, default="margin"
        Its utilities say how uncertain the model is about each row. They must not be
        negative, so strategies that can use decision values need probabilities here.

    bandwidth : {"auto"} or float, default="auto"
        Distance, between rows scaled to length one, at which the kernel has fallen to
        1/e. ``"auto"`` is the smallest distance between two different labelled rows, as
        in the paper, or 1 if there are none.

    max_targets : int or None, default=10_000
        Of more candidates than this, a random sample of this size is to be covered. All
        candidates may be chosen. If None, all candidates count.

    References
    ----------
    .. [1] W. Bae, G. L. Oliveira, D. J. Sutherland. "Uncertainty herding: one active
       learning method for all label budgets". ICLR 2025.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import UHerdingSampling
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=UHerdingSampling("entropy"), batch_size=20
    ... )
    """

    _parameter_constraints = {
        **OnUtility._parameter_constraints,
        "bandwidth": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "max_targets": MaxHerdingSampling._parameter_constraints["max_targets"],
    }

    def __init__(self, base="margin", *, bandwidth="auto", max_targets=10_000):
        self.base = base
        self.bandwidth = bandwidth
        self.max_targets = max_targets

    def select(self, pool, n_queries):
        utilities = self._base_utilities(pool)
        bandwidth = self.bandwidth
        if bandwidth == "auto":
            labeled = np.flatnonzero(pool.labeled)
            bandwidth = smallest_distance(pool.embedding(labeled), default=1.0)
        # Known rows do not need to be covered, so theirs is not used.
        return select_to_cover(
            pool,
            u_herding,
            n_queries,
            uncertainty=np.concatenate([np.zeros(len(known_rows(pool))), utilities]),
            bandwidth=bandwidth,
            max_targets=self.max_targets,
        )


def smallest_distance(features, *, default):
    """Return the smallest distance of two different rows, scaled to length one.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        Rows of any length.

    default : float
        The result if no two rows differ.

    Returns
    -------
    distance : float
        In (0, 2], unless it is the default.
    """
    if features.shape[0] < 2:
        return default
    with one_thread():
        rows = UnitRows(features, for_distances=True, smallest=0.0)
        largest = -np.inf
        for batch in rows.batches(len(rows), len(rows)):
            products = rows.products(rows.values[batch], rows.values)
            different = products[products < -rows.resolution]
            largest = max(largest, different.max(initial=-np.inf))
    return default if largest == -np.inf else float(np.sqrt(-2 * largest))


def _weights(uncertainty, targets, n_samples):
    """Return the weights of all rows; the largest among the targets is 1."""
    if uncertainty is None:
        return np.ones(n_samples)
    uncertainty = np.asarray(uncertainty, dtype=np.float64)
    if uncertainty.shape != (n_samples,):
        raise ValueError(
            f"uncertainty must hold one number for each of the {n_samples} rows, got "
            f"an array of shape {uncertainty.shape}."
        )
    if not (uncertainty >= 0).all() or np.isinf(uncertainty).any():
        raise ValueError(
            "uncertainty must be finite and at least 0, as it is a weight. Use a "
            "measure such as 1 minus the margin of the probabilities."
        )
    largest = uncertainty[targets].max(initial=0.0)
    return uncertainty / largest if largest > 0 else np.ones(n_samples)
