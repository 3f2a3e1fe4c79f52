"""The risk of a finished model, estimated from rows that were not drawn uniformly."""

from numbers import Integral

import numpy as np

from skactive.utils._sklearn import Interval, validate_params

_DRAWN = {
    "probabilities": ["array-like"],
    "n_pool": [Interval(Integral, 1, None, closed="left")],
}


@validate_params(_DRAWN, prefer_skip_nested_validation=True)
def lure_weights(probabilities, n_pool):
    r"""Return the weights that make up for how rows were drawn.

    The :math:`m`-th of :math:`M` rows drawn from :math:`N` gets the weight of the
    levelled unbiased risk estimator [1]_

    .. math:: v_m = 1 + \frac{N - M}{N - m}
              \left( \frac{1}{(N - m + 1)\, q_m} - 1 \right).

    All are 1 if the rows were drawn uniformly, or if all rows were drawn.

    Parameters
    ----------
    probabilities : array-like of shape (n_drawn,)
        :math:`q_m` of each row in the order drawn, in (0, 1]: how likely it was to be
        drawn next, among those then left. Each of these must have been possible.

    n_pool : int
        How many rows there were before the first was drawn.

    Returns
    -------
    weights : ndarray of shape (n_drawn,)
        They may be negative: late rows of a high probability make up for others.

    Raises
    ------
    ValueError
        If the probabilities are none, or it shows that a row could not be drawn.

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
    of :func:`lure_weights`. It is unbiased for a model that does not depend on which
    rows were drawn, **not** for one that was trained on their labels, whose losses on
    them are too small in the first place. Probabilities may depend on all labels
    before.

    Parameters
    ----------
    losses : array-like of shape (n_drawn,)
        Losses in the order drawn.

    probabilities : array-like of shape (n_drawn,)
        How likely each row was to be drawn next, see :func:`lure_weights`.

    n_pool : int
        How many rows there were before the first was drawn.

    return_std : bool, default=False
        Whether to return the standard error, too.

    Returns
    -------
    risk : float
        The estimate. It may lie outside the range of the losses.

    std : float
        Its standard error, only if `return_std` is True. Its square is an unbiased
        estimate of the variance, under the same conditions. nan where rows are too few
        to tell, or nearly all of the pool; 0 if they are all of it.

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
    q = np.asarray(probabilities, dtype=np.float64)
    return risk, _standard_error(losses, q, n_pool, risk)


def _standard_error(losses, q, N, risk):
    M, m = len(q), np.arange(1, len(q) + 1)
    if M == N:
        return 0.0
    c = N * (N - M) / (M * (N - m) * (N - m + 1.0))
    if c[-1] >= 0.5:  # the largest
        return float("nan")
    terms = losses / (N * q) + (np.cumsum(losses) - losses) / N
    w = c**2 / (1.0 - 2.0 * c)
    return float(np.sqrt((w * (terms - risk) ** 2).sum() / (1.0 + w.sum())))


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
