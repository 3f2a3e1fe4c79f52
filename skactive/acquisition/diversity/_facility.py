"""Facility location: rows to which all others are similar."""

from math import ceil
from numbers import Integral, Real

import numpy as np

from skactive.acquisition._base import BaseStrategy, tie_order, top_candidates
from skactive.acquisition._combination import OnUtility
from skactive.acquisition.diversity._coverage import (
    Cover,
    UnitRows,
    check_choice,
    choose_greedily,
)
from skactive.utils._sampling import draw_rows
from skactive.utils._sklearn import Interval
from skactive.utils._threads import one_thread
from skactive.utils._ties import in_order


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
    rows belong to S from the beginning. F of nothing is 0. F is submodular, so that
    the greedy choice reaches at least 1 - 1/e of the optimum.

    Parameters
    ----------
    features : {array-like, sparse matrix} of shape (n_samples, n_components)
        All rows.

    n_queries : int
        How many rows to choose.

    labeled : array-like of int or bool, default=()
        Rows that belong to S already.

    candidates : array-like of int or bool or None, default=None
        Rows that may be chosen; all but the labelled if None. Of equally good ones, the
        first of these is chosen.

    max_targets : int or None, default=10_000
        If more rows are without a label, the sum runs over a random sample of so many
        of them.

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

    >>> from skactive.acquisition import facility_location
    >>> facility_location([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], 2)
    array([2, 0])
    """
    with one_thread():
        rows = UnitRows(features)
        known, candidates = check_choice(len(rows), n_queries, labeled, candidates)
        targets = np.delete(np.arange(len(rows)), known)
        cover = Cover(rows, draw_rows(targets, max_targets, random_state))
        cover.add(known)
        return choose_greedily(cover, candidates, n_queries)


class FacilityLocationSampling(BaseStrategy):
    """Ask rows to which all others are similar.

    A batch is chosen by :func:`facility_location`, where labelled rows and rows asked
    before count as chosen. Needs no model, only an embedding of the rows. Time:
    O(n_candidates (max_targets + n_labeled) n_components), several times that for a
    large batch; memory: O(n_samples n_components).

    Parameters
    ----------
    max_targets : int or None, default=10_000
        Of more candidates than this, a random sample of so many has to be similar to
        the chosen rows. All candidates may be chosen. None: never sample.

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
        known = np.flatnonzero(pool.labeled | pool.asked)
        rows = np.concatenate([known, pool.candidates])
        chosen = facility_location(
            pool.embedding(rows),
            n_queries,
            labeled=np.arange(len(known)),
            candidates=len(known) + tie_order(pool),
            max_targets=self.max_targets,
            random_state=pool.random_state,
        )
        return rows[chosen]


class SuggestiveAnnotationSampling(OnUtility):
    """Ask those of the most uncertain rows to which all candidates are similar.

    The candidates about which a committee disagrees most are kept, `factor` times as
    many as are to be asked. Out of them a batch is chosen by
    :func:`facility_location`, so that every candidate, uncertain or not, is similar to
    a row of the batch or to one that was labelled or asked before.

    The paper segments images: it takes the variance over bootstrapped networks,
    averaged over the pixels, and lets the rows of the batch alone be similar to the
    others. Here the entropy of the members' votes is the default, which needs no
    probabilities and did better where some members have not seen all classes;
    ``base="mean_std"`` is closest to the paper. Rows known before count, so that small
    batches do not ask the same again. Time and memory are those of
    :class:`FacilityLocationSampling` with few candidates, besides the committee's.

    Parameters
    ----------
    base : str, strategy object or callable, default="vote_entropy"
        Says how uncertain the committee is.

    factor : float, default=2.0
        How many times as many rows are kept as are asked.

    max_targets : int or None, default=10_000
        Of more candidates than this, a random sample of so many has to be similar to
        the chosen rows. None: never sample.

    References
    ----------
    .. [1] L. Yang, Y. Zhang, J. Chen, S. Zhang, D. Z. Chen. "Suggestive annotation: a
       deep active learning framework for biomedical image segmentation". MICCAI 2017.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy="suggestive_annotation", committee=4
    ... )
    """

    # Utilities are ranked only.
    _multiplies = False
    _parameter_constraints = {
        **OnUtility._parameter_constraints,
        "factor": [Interval(Real, 1, None, closed="left")],
        "max_targets": FacilityLocationSampling._parameter_constraints["max_targets"],
    }

    def __init__(self, base="vote_entropy", *, factor=2.0, max_targets=10_000):
        self.base = base
        self.factor = factor
        self.max_targets = max_targets

    def select(self, pool, n_queries):
        uncertainty = self._base_utilities(pool)
        n_kept = min(ceil(self.factor * n_queries), len(pool))
        kept = top_candidates(uncertainty, n_kept, pool)
        # The utilities have done their part; of equally similar rows, any may come.
        kept = kept[in_order(pool.tie_keys(pool.candidates[kept]))]
        known = np.flatnonzero(pool.labeled | pool.asked)
        rows = np.concatenate([known, pool.candidates])
        chosen = facility_location(
            pool.embedding(rows),
            n_queries,
            labeled=np.arange(len(known)),
            candidates=len(known) + kept,
            max_targets=self.max_targets,
            random_state=pool.random_state,
        )
        return rows[chosen]
