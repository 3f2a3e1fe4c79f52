"""The risk of a finished model, estimated from rows that were not drawn uniformly."""

from numbers import Integral, Real

import numpy as np
from scipy import stats

from skactive.utils._sklearn import Interval, validate_params

_DRAWN = {
    "probabilities": ["array-like"],
    "n_pool": [Interval(Integral, 1, None, closed="left")],
}


@validate_params(_DRAWN, prefer_skip_nested_validation=True)
def lure_weights(probabilities, n_pool):
    r"""Return the weights that correct for the probabilities of the drawn rows.

    The :math:`m`-th of :math:`M` rows drawn from :math:`N` gets the weight of the
    levelled unbiased risk estimator [1]_

    .. math:: v_m = 1 + \frac{N - M}{N - m}
              \left( \frac{1}{(N - m + 1)\, q_m} - 1 \right).

    All are 1 if the rows were drawn uniformly, or if all rows were drawn.

    Parameters
    ----------
    probabilities : array-like of shape (n_drawn,)
        :math:`q_m` of each row in the order drawn, in (0, 1]: the probability that it
        was drawn next, among the rows then left, all of which must have been possible.

    n_pool : int
        Number of rows before the first was drawn.

    Returns
    -------
    weights : ndarray of shape (n_drawn,)
        They may be negative: late rows of a high probability make up for others.

    Raises
    ------
    ValueError
        If they are not probabilities, or if they show that a row could not be drawn.

    References
    ----------
    .. [1] S. Farquhar, Y. Gal, T. Rainforth. "On statistical bias in active learning:
       how and when to fix it". ICLR 2021.

    Examples
    --------
    >>> from skactive.model_selection import lure_weights
    >>> lure_weights([0.5, 0.25, 0.4], n_pool=5).round(4)
    array([0.7   , 1.    , 0.8333])
    >>> lure_weights([1 / 5, 1 / 4, 1 / 3], n_pool=5)
    array([1., 1., 1.])
    """
    q = _check_probabilities(probabilities, n_pool)
    N, M, m = n_pool, len(q), np.arange(1, len(q) + 1)
    if M == N:
        return np.ones(M)
    return 1.0 + (N - M) / (N - m) * (1.0 / ((N - m + 1) * q) - 1.0)


@validate_params(
    {"losses": ["array-like"], **_DRAWN, "return_std": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def lure_risk(losses, probabilities, n_pool, *, return_std=False):
    r"""Estimate the mean loss over a pool from rows that were drawn from it.

    The levelled unbiased risk estimator [1]_: the mean of the losses with the weights
    of :func:`lure_weights`. It is unbiased for a model that does not depend on the rows
    that were drawn, and **not** for one that was trained on their labels: its losses on
    them are too small. Probabilities may depend on all earlier labels.

    Parameters
    ----------
    losses : array-like of shape (n_drawn,)
        Losses in the order drawn.

    probabilities : array-like of shape (n_drawn,)
        Probability that each row was drawn next, see :func:`lure_weights`.

    n_pool : int
        Number of rows before the first was drawn.

    return_std : bool, default=False
        Whether to return the standard error, too.

    Returns
    -------
    risk : float
        The estimate. It may lie outside the range of the losses.

    std : float
        Its standard error, only if `return_std` is True. Its square is an unbiased
        estimate of the variance, under the same conditions. nan if there are too few
        rows, or nearly all of the pool was drawn; 0 if they are the whole pool.

    Notes
    -----
    The estimate is a mean, with weights :math:`c_m = \frac{N (N - M)}{M (N - m)
    (N - m + 1)}`, of the terms

    .. math:: a_m = \frac{L_m}{N q_m} + \frac 1 N \sum_{t < m} L_t,

    each of which is unbiased whatever was drawn before [1]_. So they are uncorrelated,
    and with :math:`w_m = c_m^2 / (1 - 2 c_m)` the variance :math:`\sum_m c_m^2
    \operatorname{Var} a_m` is estimated without bias by :math:`\sum_m w_m (a_m - \hat
    R)^2 / (1 + \sum_m w_m)`, if all :math:`c_m < \tfrac 1 2`.

    References
    ----------
    .. [1] S. Farquhar, Y. Gal, T. Rainforth. "On statistical bias in active learning:
       how and when to fix it". ICLR 2021.

    Examples
    --------
    >>> from skactive.model_selection import lure_risk
    >>> round(lure_risk([1, 0, 2], [0.5, 0.25, 0.4], n_pool=5), 4)
    0.7889
    """
    weights = lure_weights(probabilities, n_pool)
    losses = _check_losses(losses, len(weights))
    risk = float((weights * losses).mean())
    if not return_std:
        return risk
    return risk, standard_error(losses, probabilities, n_pool)[0]


@validate_params(
    {
        "losses": ["array-like"],
        **_DRAWN,
        "confidence": [Interval(Real, 0, 1, closed="neither")],
    },
    prefer_skip_nested_validation=True,
)
def lure_interval(losses, probabilities, n_pool, *, confidence=0.95):
    r"""Return an interval for the mean loss over a pool, of losses in [0, 1].

    The interval of two standard errors around :func:`lure_risk` holds the truth too
    seldom: the estimate is skewed, and where a few draws have large weights, it is less
    certain than its standard error says. This is the interval of Clopper and Pearson
    for a share, for the number of independent rows with the same standard error [1]_,
    :math:`\hat R (1 - \hat R) / \text{std}^2`, which is reduced as the standard error
    is itself uncertain.

    Parameters
    ----------
    losses : array-like of shape (n_drawn,)
        Losses in the order drawn, in [0, 1], for instance 1 for a wrong prediction.

    probabilities : array-like of shape (n_drawn,)
        Probability that each row was drawn next, see :func:`lure_weights`.

    n_pool : int
        Number of rows before the first was drawn.

    confidence : float, default=0.95
        Level of the interval.

    Returns
    -------
    low, high : float
        Its ends, in [0, 1]; equal if all rows were drawn, nan if the standard error is
        nan.

    Notes
    -----
    How often it held the truth at a confidence of 0.95, compared with two standard
    errors, in 1,800 simulated tests with 40 of 600 rows
    (``tests/model_selection/test_risk.py``). No interval can correct for a surrogate
    that is sure and wrong.

    ==========================  ========  ===================
    rows drawn                  interval  two standard errors
    ==========================  ========  ===================
    uniformly                   99 %      93 %
    by a good surrogate         96 %      91 %
    by one with noise           93 %      88 %
    by one that is too sure     90 %      82 %
    by one that knows nothing   91 %      77 %
    ==========================  ========  ===================

    References
    ----------
    .. [1] E. L. Korn, B. I. Graubard. "Confidence intervals for proportions with small
       expected number of positive counts estimated from survey data". Survey
       Methodology 24(2), 1998.

    Examples
    --------
    >>> from skactive.model_selection import lure_interval
    >>> low, high = lure_interval([1, 0, 0, 1, 0], [0.1, 0.02, 0.05, 0.1, 0.02], 40)
    >>> round(low, 3), round(high, 3)
    (0.017, 0.371)
    """
    weights = lure_weights(probabilities, n_pool)
    losses = _check_losses(losses, len(weights))
    if not ((losses >= 0) & (losses <= 1)).all():
        raise ValueError(
            "losses must be in [0, 1] for an interval, got some from "
            f"{losses.min():.4g} to {losses.max():.4g}. Of losses that have no bound a "
            "few draws say too little; lure_risk has the standard error."
        )
    std, freedom = standard_error(losses, probabilities, n_pool)
    risk, n_equal = float((weights * losses).mean()), n_equal_weights(weights)
    return share_interval(risk, std, freedom, n_equal, confidence=confidence)


def standard_error(losses, probabilities, n_pool):
    """Return the standard error of an estimate, and its degrees of freedom.

    Parameters
    ----------
    losses : ndarray of shape (n_drawn,)
        Checked losses.

    probabilities : array-like of shape (n_drawn,)
        How likely each row was to be drawn next.

    n_pool : int
        Number of rows before the first was drawn.

    Returns
    -------
    std : float
        See :func:`lure_risk`.

    freedom : float
        Degrees of freedom with which a variance estimated from normal values is as
        uncertain as this one, by the spread of its terms. In [1, n_drawn - 1]; inf if
        all rows were drawn.
    """
    q, N = np.asarray(probabilities, dtype=np.float64), n_pool
    M, m = len(q), np.arange(1, len(q) + 1)
    if M == N:  # all of the pool was drawn, so the mean is exact
        return 0.0, float("inf")
    c = N * (N - M) / (M * (N - m) * (N - m + 1.0))
    if c[-1] >= 0.5:  # the largest
        return float("nan"), float("nan")
    terms = losses / (N * q) + (np.cumsum(losses) - losses) / N
    w = c**2 / (1.0 - 2.0 * c)
    squares = w * (terms - lure_risk(losses, q, N)) ** 2
    total = squares.sum()
    spread = (squares**2).sum() - total**2 / M  # of the sum, if terms are independent
    # A scaled chi-squared variable with f degrees of freedom has the variance 2 / f
    # times its squared mean (Satterthwaite).
    freedom = 2.0 * total**2 / spread if spread > 0 else M - 1.0
    return float(np.sqrt(total / (1.0 + w.sum()))), float(np.clip(freedom, 1, M - 1))


def n_equal_weights(weights):
    """Return the number of draws of equal weight with the same information (Kish)."""
    return float(weights.sum() ** 2 / (weights**2).sum())


def share_interval(share, std, freedom, n_equal, *, confidence):
    """Return an interval for a share that is estimated with a standard error.

    Parameters
    ----------
    share : float
        The estimate.

    std, freedom : float
        Its standard error, and the degrees of freedom of that.

    n_equal : float
        Number of rows that is used if all losses are the same, as the standard error is
        0 then.

    confidence : float
        Level of the interval.

    Returns
    -------
    low, high : float
        Its ends.
    """
    tail = (1 - confidence) / 2
    if np.isnan(std):
        return float("nan"), float("nan")
    if np.isinf(freedom):
        return share, share
    if 0 < share < 1 and std > 0:
        n = share * (1 - share) / std**2
        # As much smaller as a t interval is wider than a normal one.
        n *= (stats.norm.ppf(tail) / stats.t.ppf(tail, freedom)) ** 2
    else:  # the estimate may lie outside [0, 1]
        share, n = float(np.clip(share, 0, 1)), n_equal
    hits = share * n
    low = stats.beta.ppf(tail, hits, n - hits + 1) if hits > 0 else 0.0
    high = stats.beta.ppf(1 - tail, hits + 1, n - hits) if hits < n else 1.0
    return float(low), float(high)


def _check_probabilities(probabilities, n_pool):
    q = np.asarray(probabilities, dtype=np.float64)
    if q.ndim != 1 or not 0 < len(q) <= n_pool:
        raise ValueError(
            f"probabilities must hold one for each of 1 to n_pool={n_pool} rows drawn, "
            f"got an array of shape {q.shape}."
        )
    if np.isnan(q).any():
        raise ValueError(
            f"probabilities are nan for {np.isnan(q).sum()} of {len(q)} rows: these "
            "were not drawn at random, as in a cold start by 'k_means'. The estimate "
            "holds from the first row drawn after them, with n_pool the number of rows "
            "then left; initial_strategy='random' draws all rows."
        )
    if not ((q > 0) & (q <= 1)).all():
        raise ValueError(f"probabilities must be in (0, 1], got {q}.")
    sure = (q == 1) & (n_pool - np.arange(len(q)) > 1)
    if sure.any():
        raise ValueError(
            f"The row drawn as number {np.argmax(sure) + 1} had the probability 1 "
            "while others were left, which therefore could not be drawn. An unbiased "
            "estimate needs a probability > 0 for every row: mix in uniform draws, "
            "with a positive epsilon."
        )
    return q


def _check_losses(losses, n_drawn):
    losses = np.asarray(losses, dtype=np.float64)
    if losses.shape != (n_drawn,):
        raise ValueError(
            f"losses must hold one for each of the {n_drawn} rows drawn, got an array "
            f"of shape {losses.shape}."
        )
    if not np.isfinite(losses).all():
        raise ValueError(
            f"losses are nan or infinite for {(~np.isfinite(losses)).sum()} of "
            f"{n_drawn} rows. Rows whose label nobody knows must not be dropped, as "
            "they were drawn: give them the loss 0, and divide the estimate by that of "
            "the share of rows with a label, which has the 'losses' 1 and 0."
        )
    return losses
