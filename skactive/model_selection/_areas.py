"""What a learning curve comes to: areas, labels needed, intervals over splits."""

import numpy as np
from scipy import stats
from scipy.integrate import trapezoid


def normalized_area(n_labeled, scores, *, start=None, stop=None):
    """Compute the mean height of a learning curve over the labels.

    The curve is taken to be straight between its points, and to go on at the height of
    its last point. The area below it is divided by its width, so that a score that is
    always 0.8 has the area 0.8.

    Parameters
    ----------
    n_labeled : array-like of shape (n_points,)
        Numbers of labels, ascending.

    scores : array-like of shape (n_points,)
        The score with so many labels.

    start : int or None, default=None
        Number of labels where the area begins; the first point if None.

    stop : int or None, default=None
        Number of labels where the area ends; the last point if None.

    Returns
    -------
    area : float
        The area; of a single point, its score; nan if the curve begins after `start`.

    Examples
    --------
    >>> from skactive.model_selection import normalized_area
    >>> normalized_area([10, 20, 40], [0.5, 0.7, 0.9])
    0.733...
    """
    n_labeled = np.asarray(n_labeled, dtype=np.float64)
    start = n_labeled[0] if start is None else start
    stop = n_labeled[-1] if stop is None else stop
    inside = n_labeled[(n_labeled > start) & (n_labeled < stop)]
    at = np.concatenate([[start], inside, [stop]])
    heights = np.interp(at, n_labeled, scores, left=np.nan)
    if stop <= start:
        return float(heights[0])
    return float(trapezoid(heights, at) / (stop - start))


def area_under_budget_curve(scores):
    """Compute the area as in the published tables of Lu, Li and Lin [1]_.

    Those tables sum the trapezoids between the scores after each query, which are one
    fewer than the queries, and divide by the number of queries; the model of the
    initial labels is left out. With T queries, a score that is always 1 has the area
    (T - 1) / T. Use it to compare with published values, and
    :func:`normalized_area` for everything else.

    Parameters
    ----------
    scores : array-like of shape (n_queries,)
        The score after each query, without that of the initial model.

    Returns
    -------
    area : float
        The area; nan without a query.

    References
    ----------
    .. [1] P.-Y. Lu, C.-L. Li, H.-T. Lin. "Re-benchmarking pool-based active learning
       for binary classification". arXiv:2306.08954, 2023.

    Examples
    --------
    >>> from skactive.model_selection import area_under_budget_curve
    >>> area_under_budget_curve([1.0, 1.0, 1.0, 1.0])
    0.75
    """
    if len(scores) == 0:
        return float("nan")
    return float(trapezoid(scores, dx=1) / len(scores))


def labels_needed(n_labeled, scores, target):
    """Return the first number of labels with a score of at least `target`, or inf."""
    reached = np.flatnonzero(np.asarray(scores) >= target)
    return float(n_labeled[reached[0]]) if len(reached) else float("inf")


def interval_of_mean(values, *, confidence, overlap):
    """Return mean, bounds of a t interval, and p value of a mean of zero.

    Parameters
    ----------
    values : ndarray of shape (n_splits, ...)
        One value for each split.

    confidence : float
        Level of the interval.

    overlap : float
        Size of a test part over that of a training part, for the correction of Nadeau
        and Bengio (2003); 0 takes the splits for independent.

    Returns
    -------
    mean, low, high, p_value : ndarray of shape (...)
        With one split, bounds and p value are nan.
    """
    n_splits = len(values)
    mean = np.mean(values, axis=0)
    if n_splits < 2:
        nothing = np.full_like(mean, np.nan)
        return mean, nothing, nothing, nothing
    # (1 / J + n_test / n_train) s^2, the "corrected resampled" variance of the paper.
    error = np.sqrt((1 / n_splits + overlap) * np.var(values, axis=0, ddof=1))
    half = stats.t.ppf((1 + confidence) / 2, n_splits - 1) * error
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = 2 * stats.t.sf(np.abs(mean / error), n_splits - 1)
    return mean, mean - half, mean + half, p_value
