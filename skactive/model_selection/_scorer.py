"""Scores of partly labelled data."""

import warnings

import numpy as np
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer
from sklearn.utils.metadata_routing import get_routing_for_object

from skactive.utils._absent_classes import score_all_classes
from skactive.utils._containers import check_aligned
from skactive.utils._labels import (
    check_missing_label,
    split_labeled,
    warn_if_split_blindly,
)
from skactive.utils._rows import take_rows
from skactive.utils._shown import shown
from skactive.utils._sklearn import _check_method_params


def labeled_scorer(scoring, *, missing_label=-1):
    """Make a scorer that ignores rows without a label.

    Parameters
    ----------
    scoring : str or callable
        Name of a scorer of scikit-learn, or a scorer
        ``scorer(estimator, X, y) -> float``.

    missing_label : int, str, None or nan, default=-1
        Marker of a row without a label.

    Returns
    -------
    scorer : callable
        ``scorer(estimator, X, y, **metadata) -> float``; nan, with an
        `UndefinedMetricWarning`, if no row has a label. Metadata with a value for each
        row are cut to the labelled rows. A class that the estimator does not know yet
        has the probability 0.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skactive.model_selection import labeled_scorer
    >>> clf = DummyClassifier(strategy="constant", constant=1).fit([[0], [1]], [0, 1])
    >>> labeled_scorer("accuracy")(clf, [[0], [1], [2]], [0, 1, -1])
    0.5
    """
    check_missing_label(missing_label)
    if not (isinstance(scoring, str) or callable(scoring)):
        raise TypeError(
            f"scoring must be the name of a scorer or a callable, got {shown(scoring)}."
        )
    return _LabeledScorer(get_scorer(scoring), missing_label)


class _LabeledScorer:
    """A scorer around another one."""

    def __init__(self, scorer, missing_label):
        self._scorer = scorer
        self._missing_label = missing_label

    def __call__(self, estimator, X, y, **metadata):
        check_aligned(X, {"y": y} | metadata)
        y, labeled, labels = split_labeled(
            y, self._missing_label, owner="labeled_scorer"
        )
        warn_if_split_blindly(y, labeled, self._missing_label)
        if not labeled.any():
            warnings.warn(
                "The score is not defined, as no row has a label.",
                UndefinedMetricWarning,
                stacklevel=2,
            )
            return float("nan")
        rows = np.flatnonzero(labeled)
        metadata = _check_method_params(X, metadata, indices=rows)
        X = take_rows(X, rows)
        return score_all_classes(self._scorer, estimator, X, labels, **metadata)

    def __repr__(self):
        return f"labeled_scorer({self._scorer!r}, missing_label={self._missing_label})"

    def get_metadata_routing(self):
        """Return the metadata that the wrapped scorer requests."""
        return get_routing_for_object(self._scorer)
