"""Herding: rows whose kernels cover the pool."""

from numbers import Integral, Real

import numpy as np

from skactive.acquisition._base import BaseStrategy
from skactive.acquisition.diversity._coverage import choose_to_cover, select_to_cover
from skactive.acquisition.diversity._unit_rows import UnitRows
from skactive.utils._sklearn import Interval
from skactive.utils._threads import one_thread


def max_herding(
    features,
    n_queries,
    *,
    labeled=(),
    candidates=None,
    bandwidth=1.0,
    max_targets=10_000,
    random_state=0,
):
    """Choose rows greedily so that every row is close to a chosen one.

    They maximise the generalised coverage ``sum_j max_{i in S} k(x_i, x_j)`` over all
    rows j without a label, where labelled rows belong to S from the beginning, and
    ``k(x, x') = exp(-|x - x'|^2 / bandwidth^2)`` for rows scaled to length one.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        All rows; they need not have length one.

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
        If there are fewer candidates than rows to choose.

    References
    ----------
    .. [1] W. Bae, J. Noh, D. J. Sutherland. "Generalized coverage for more robust
       low-budget active learning". ECCV 2024.

    Examples
    --------
    The middle of three rows, then one of two:

    >>> from skactive.acquisition.functional import max_herding
    >>> X = [[1.0, 0.0], [0.9, 0.1], [0.8, 0.2], [0.0, 1.0], [0.1, 0.9]]
    >>> max_herding(X, 2, bandwidth=0.3)
    array([1, 3])
    """
    with one_thread():
        return herd(
            UnitRows(features, for_distances=True, smallest=bandwidth),
            n_queries,
            bandwidth=bandwidth,
            labeled=labeled,
            candidates=candidates,
            max_targets=max_targets,
            random_state=random_state,
        )


def herd(rows, n_queries, *, bandwidth, **params):
    """Choose rows greedily so that their Gaussian kernels cover the others.

    Parameters
    ----------
    rows : UnitRows
        All rows, for distances.

    n_queries : int
        Number of rows to choose.

    bandwidth : float
        Distance at which the kernel has fallen to 1/e.

    **params : dict
        Further parameters of :func:`choose_to_cover`.

    Returns
    -------
    chosen : ndarray of shape (n_queries,), dtype int
        Row numbers, in the order in which they were chosen.
    """

    def gaussian(products):
        # Products of rows for distances are minus half their squared distances.
        products *= 2 / bandwidth**2
        np.exp(products, out=products)

    noise = rows.resolution * 2 / bandwidth**2
    return choose_to_cover(rows, n_queries, transform=gaussian, noise=noise, **params)


class MaxHerdingSampling(BaseStrategy):
    """Query rows whose kernels cover the pool, a smooth form of covering it by balls.

    A batch is chosen by :func:`~skactive.acquisition.functional.max_herding`, where
    labelled rows and rows queried before count as chosen. Unlike
    :class:`ProbCoverSampling`, it does not depend on a radius. It needs no model, only
    an embedding of the rows. Time: O(n_candidates (max_targets + n_labeled)
    n_components), several times that for a large batch; memory: O(n_samples
    n_components).

    :Uses: features
    :Cost of a round: :math:`t n d`
    :Batch: yes
    :Guide: :doc:`/user_guide/coverage`

    Parameters
    ----------
    bandwidth : float, default=1.0
        Distance, between rows scaled to length one, at which the kernel has fallen to
        1/e.

    max_targets : int or None, default=10_000
        Of more candidates than this, a random sample of this size is to be covered. All
        candidates may be chosen. If None, all candidates count.

    References
    ----------
    .. [1] W. Bae, J. Noh, D. J. Sutherland. "Generalized coverage for more robust
       low-budget active learning". ECCV 2024.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy="max_herding", batch_size=20
    ... )
    """

    _parameter_constraints = {
        "bandwidth": [Interval(Real, 0, None, closed="neither")],
        "max_targets": [Interval(Integral, 1, None, closed="left"), None],
    }

    def __init__(self, bandwidth=1.0, *, max_targets=10_000):
        self.bandwidth = bandwidth
        self.max_targets = max_targets

    @property
    def needs(self):
        return frozenset({"embedding"})

    def select(self, pool, n_queries):
        return select_to_cover(
            pool,
            max_herding,
            n_queries,
            bandwidth=self.bandwidth,
            max_targets=self.max_targets,
        )
