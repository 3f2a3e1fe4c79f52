"""Numbers of a learning curve: areas, labels needed, and intervals over splits."""

from numbers import Real
from typing import NamedTuple

import numpy as np
from scipy import stats
from scipy.integrate import trapezoid

from skactive.utils._sklearn import Interval, validate_params

# Scores of equal value may differ by rounding: 0.8 * 0.9 is more than 0.72.
_ROUNDING = 1e-9

_N_RESAMPLES = 2000

# Keyed by the beginnings of names of scorers in scikit-learn.
_BOUNDS = {
    ("neg_",): (-np.inf, 0.0),
    ("matthews_corrcoef",): (-1.0, 1.0),
    ("d2_",): (-np.inf, 1.0),
    (
        "score",
        "accuracy",
        "average_precision",
        "balanced_accuracy",
        "f1",
        "jaccard",
        "precision",
        "recall",
        "roc_auc",
        "top_k_accuracy",
    ): (0.0, 1.0),
}


@validate_params(
    {
        "n_labeled": ["array-like"],
        "scores": ["array-like"],
        "start": [Interval(Real, None, None, closed="neither"), None],
        "stop": [Interval(Real, None, None, closed="neither"), None],
    },
    prefer_skip_nested_validation=True,
)
def normalized_area(n_labeled, scores, *, start=None, stop=None):
    """Compute the mean height of a learning curve over the labels.

    The curve is straight between its points, and stays at the height of its last point.
    The area below it is divided by its width, so that a score that is always 0.8 has
    the area 0.8.

    Parameters
    ----------
    n_labeled : array-like of shape (n_points,)
        Numbers of labels, ascending.

    scores : array-like of shape (n_points,)
        The score at each number of labels.

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
    if n_labeled.ndim != 1 or n_labeled.shape != np.shape(scores) or not len(n_labeled):
        raise ValueError(
            "n_labeled and scores must hold one number for each point of a curve, got "
            f"arrays of shape {n_labeled.shape} and {np.shape(scores)}."
        )
    start = n_labeled[0] if start is None else start
    stop = n_labeled[-1] if stop is None else stop
    inside = n_labeled[(n_labeled > start) & (n_labeled < stop)]
    at = np.concatenate([[start], inside, [stop]])
    heights = np.interp(at, n_labeled, scores, left=np.nan)
    if stop <= start:
        return float(heights[0])
    return float(trapezoid(heights, at) / (stop - start))


@validate_params({"scores": ["array-like"]}, prefer_skip_nested_validation=True)
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
    slack = _ROUNDING * max(1.0, abs(target))
    reached = np.flatnonzero(np.asarray(scores) >= target - slack)
    return float(n_labeled[reached[0]]) if len(reached) else float("inf")


def score_bounds(name):
    """Return the bounds of a score, as far as they follow from its name.

    Parameters
    ----------
    name : str
        Name of the score, which may be that of a scorer of scikit-learn.

    Returns
    -------
    low, high : float
        The bounds; infinite where nothing is known.
    """
    for begins, bounds in _BOUNDS.items():
        if name.startswith(begins):
            return bounds
    return -np.inf, np.inf


def interval_of_mean(values, *, confidence, overlap, bounds=(-np.inf, np.inf)):
    """Return mean, bounds of a t interval, and p value of a mean of zero.

    Parameters
    ----------
    values : ndarray of shape (n_splits, ...)
        One value for each split.

    confidence : float
        Level of the interval.

    overlap : float
        Size of a test part over that of a training part, for the correction of Nadeau
        and Bengio (2003); 0 if the splits are independent.

    bounds : tuple of (float, float), default=(-inf, inf)
        Bounds of all values, where the interval ends.

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
    # Clipping keeps the interval valid, as the true mean cannot be outside the bounds.
    low, high = bounds
    if np.min(values) < low or np.max(values) > high:
        low, high = -np.inf, np.inf  # another score of the same name
    return mean, np.maximum(mean - half, low), np.minimum(mean + half, high), p_value


class LabelsNeeded(NamedTuple):
    """The number of labels that reached a score in each split.

    Attributes
    ----------
    labels : ndarray of shape (n_splits,)
        The numbers, inf where the score was not reached.

    last : ndarray of shape (n_splits,)
        Number of labels at the end of the run.
    """

    labels: np.ndarray
    last: np.ndarray


def interval_of_saved(needed, of_baseline, *, confidence, overlap):
    """Return the share of a baseline's labels that was not needed, and an interval.

    The share is one minus the ratio of the medians over splits. The interval is a
    paired bootstrap: splits are drawn with replacement, with both strategies together.
    For few splits its percentiles are too narrow; as proposed in [1]_, they are moved
    out by the ratio of a t interval to a normal one, and further by the correction of
    `interval_of_mean`. They cannot lie beyond the best and the worst split, so that
    with 5 splits the interval holds the truth in 93 % of cases.

    Parameters
    ----------
    needed, of_baseline : LabelsNeeded
        The numbers of labels of a strategy and of the baseline.

    confidence, overlap : float
        See `interval_of_mean`.

    Returns
    -------
    saved, low, high : float
        nan if one of the medians is inf; `low` and `high` also with one split. If a
        split does not reach the score, any number of labels above its last may be
        needed, so that `low` may be -inf, and `high` 1.

    References
    ----------
    .. [1] T. C. Hesterberg. "What teachers should know about the bootstrap: resampling
       in the undergraduate statistics curriculum". The American Statistician 69(4),
       2015.
    """
    # Medians, as a split that does not reach the score counts as inf labels.
    few, many = np.median(needed.labels), np.median(of_baseline.labels)
    if not np.isfinite([few, many]).all():
        return np.nan, np.nan, np.nan
    saved, n_splits = float(1 - few / many), len(needed.labels)
    if n_splits < 2:
        return saved, np.nan, np.nan
    # A fixed seed: the same curves always have the same summary.
    drawn = np.random.default_rng(0).integers(n_splits, size=(_N_RESAMPLES, n_splits))
    most, least = zip(
        *(_medians(of, drawn) for of in (needed, of_baseline)), strict=True
    )
    # A bootstrap divides by n instead of n - 1, and does not know the overlap.
    wider = np.sqrt(n_splits / (n_splits - 1) * (1 + n_splits * overlap))
    tail = stats.norm.sf(wider * stats.t.ppf((1 + confidence) / 2, n_splits - 1))
    low = np.quantile(1 - most[0] / least[1], tail, method="lower")
    high = np.quantile(1 - least[0] / most[1], 1 - tail, method="higher")
    return saved, float(low), float(high)


def _medians(needed, drawn):
    """Return the medians of drawn splits, and lower bounds of them."""
    at_least = np.minimum(needed.labels, needed.last)
    return [np.median(values[drawn], axis=1) for values in (needed.labels, at_least)]
