"""Suggestive annotation: uncertain rows to which all candidates are similar."""

from math import ceil
from numbers import Real

from skactive.acquisition._base import top_candidates
from skactive.acquisition._combination import OnUtility
from skactive.acquisition.diversity._coverage import select_to_cover
from skactive.acquisition.diversity._facility_location import (
    FacilityLocationSampling,
    facility_location,
)
from skactive.utils._sklearn import Interval
from skactive.utils._ties import in_order


class SuggestiveAnnotationSampling(OnUtility):
    """Query uncertain rows to which all candidates are similar.

    The candidates on which a committee disagrees most are kept, `factor` times as many
    as are to be queried. From these, a batch is chosen by
    :func:`~skactive.acquisition.functional.facility_location`, so that every candidate,
    uncertain or not, is similar to a row of the batch or to a known row.

    The paper segments images: it uses the variance over bootstrapped networks, averaged
    over the pixels, and candidates need to be similar to rows of the batch alone. Here,
    vote entropy is the default, which needs no probabilities and did better where some
    members have not seen all classes; ``base="mean_std"`` is closest to the paper.
    Known rows count, so that small batches do not repeat each other. Time and memory
    are those of :class:`FacilityLocationSampling` with few candidates, besides the
    committee's.

    :Uses: votes of members, features
    :Cost of a round: :math:`t b d`
    :Batch: yes
    :Guide: :doc:`/user_guide/coverage`

    Parameters
    ----------
    base : str, strategy object or callable, default="vote_entropy"
        Its utilities say how uncertain the committee is.

    factor : float, default=2.0
        Number of rows to keep, as a multiple of the rows to query.

    max_targets : int or None, default=10_000
        Of more candidates than this, a random sample of this size has to be similar to
        the chosen rows. If None, all candidates count.

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

    # Utilities are only ranked.
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
        # Utilities play no further part: keys alone decide between equally similar
        # rows.
        kept = kept[in_order(pool.tie_keys(pool.candidates[kept]))]
        return select_to_cover(
            pool,
            facility_location,
            n_queries,
            candidates=kept,
            max_targets=self.max_targets,
        )
