"""Data sets to try active learning on."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

from skactive.utils._labels import (
    able_to_hold,
    check_missing_label,
    column_y,
    labeled_mask,
)
from skactive.utils._sklearn import Interval, RealNotInt, validate_params

__all__ = ["hide_labels"]


@validate_params(
    {
        "y": ["array-like"],
        "n_labeled": [
            Interval(Integral, 0, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="both"),
        ],
        "stratify": ["boolean"],
        "random_state": ["random_state"],
    },
    prefer_skip_nested_validation=True,
)
def hide_labels(
    y, n_labeled=10, *, stratify=False, missing_label=-1, random_state=None
):
    """Hide all but a few labels of a fully labelled target.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels.

    n_labeled : int or float, default=10
        Number of labels to keep; a float is a share of the samples.

    stratify : bool, default=False
        Whether every class keeps at least one label, if `n_labeled` allows it. The
        other labels are kept at random.

    missing_label : int, str, None or nan, default=-1
        The marker for hidden labels.

    random_state : int, RandomState instance or None, default=None
        Determines which labels are kept.

    Returns
    -------
    y_hidden : ndarray of shape (n_samples,)
        A copy of `y` with the marker in all but `n_labeled` places. Its dtype is that
        of `y` if it can hold the marker, float if the marker is nan and `y` holds
        numbers, and otherwise object.

    Raises
    ------
    ValueError
        If there are fewer labels than `n_labeled`, or `y` contains the marker.

    Examples
    --------
    >>> from skactive.datasets import hide_labels
    >>> hide_labels([0, 1, 0, 1, 0, 1], 2, stratify=True, random_state=0)
    array([-1, -1,  0, -1, -1,  1])
    """
    check_missing_label(missing_label)
    y = column_y(y)
    if not labeled_mask(y, missing_label).all():
        raise ValueError(
            f"y contains the marker missing_label={missing_label!r} already; "
            "hide_labels takes a fully labelled y."
        )
    n_kept = n_labeled if isinstance(n_labeled, Integral) else int(n_labeled * len(y))
    if n_kept > len(y):
        raise ValueError(f"n_labeled={n_labeled} is more than the {len(y)} labels.")
    order = check_random_state(random_state).permutation(len(y))
    if stratify:
        _, first = np.unique(y[order], return_index=True)
        order = np.concatenate([order[np.sort(first)], np.delete(order, first)])
    hidden = order[n_kept:]
    y = able_to_hold(y, missing_label)
    y[hidden] = missing_label
    return y
