"""Facility location: rows to which all others are similar."""

from numbers import Integral

from skactive.acquisition._base import BaseStrategy
from skactive.acquisition.diversity._coverage import choose_to_cover, select_to_cover
from skactive.acquisition.diversity._unit_rows import UnitRows
from skactive.utils._sklearn import Interval
from skactive.utils._threads import one_thread


def facility_location(
    features,
    n_queries,
    *,
    labeled=(),
    candidates=None,
    max_targets=10_000,
    random_state=0,
):
    """Choose rows greedily so that every row is similar to a chosen one.

    They maximise ``F(S) = sum_j max_{i in S} sim(i, j)`` over all rows j without a
    label, where the similarity is the cosine, or 0 if that is negative, and labelled
    rows belong to S from the beginning. F of the empty set is 0. F is submodular, so
    the greedy choice reaches at least 1 - 1/e of the optimum.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        All rows.

    n_queries : int
        Number of rows to choose.

    labeled : array-like of int or bool, default=()
        Rows that belong to S already.

    candidates : array-like of int or bool or None, default=None
        Rows that may be chosen; all but the labelled if None. Of equally good ones, the
        first of these is chosen.

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
    .. [1] G. Cornuejols, M. L. Fisher, G. L. Nemhauser. "Location of bank accounts to
       optimize float". Management Science 23, 1977.
    .. [2] L. Yang, Y. Zhang, J. Chen, S. Zhang, D. Z. Chen. "Suggestive annotation: a
       deep active learning framework for biomedical image segmentation". MICCAI 2017.

    Examples
    --------
    The third row is similar to both of the others:

    >>> from skactive.acquisition.functional import facility_location
    >>> facility_location([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], 2)
    array([2, 0])
    """
    with one_thread():
        return choose_to_cover(
            UnitRows(features),
            n_queries,
            labeled=labeled,
            candidates=candidates,
            max_targets=max_targets,
            random_state=random_state,
        )


class FacilityLocationSampling(BaseStrategy):
    """Query rows to which all others are similar.

    A batch is chosen by :func:`~skactive.acquisition.functional.facility_location`,
    where labelled rows and rows queried before count as chosen. It needs no model, only
    an embedding of the rows. Time: O(n_candidates (max_targets + n_labeled)
    n_components), several times that for a large batch; memory: O(n_samples
    n_components).

    :Uses: features
    :Cost of a round: :math:`t n d`
    :Batch: yes
    :Guide: :doc:`/user_guide/coverage`

    Parameters
    ----------
    max_targets : int or None, default=10_000
        Of more candidates than this, a random sample of this size has to be similar to
        the chosen rows. All candidates may be chosen. If None, all candidates count.

    References
    ----------
    .. [1] G. Cornuejols, M. L. Fisher, G. L. Nemhauser. "Location of bank accounts to
       optimize float". Management Science 23, 1977.
    .. [2] K. Wei, R. Iyer, J. Bilmes. "Submodularity in data subset selection and
       active learning". ICML 2015.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy="facility_location", batch_size=20
    ... )
    """

    _parameter_constraints = {
        "max_targets": [Interval(Integral, 1, None, closed="left"), None]
    }

    def __init__(self, max_targets=10_000):
        self.max_targets = max_targets

    @property
    def needs(self):
        return frozenset({"embedding"})

    def select(self, pool, n_queries):
        return select_to_cover(
            pool, facility_location, n_queries, max_targets=self.max_targets
        )
