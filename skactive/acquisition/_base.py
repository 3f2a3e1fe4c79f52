"""What a strategy is, and how the rows to ask are taken from its utilities.

A strategy looks at a `Pool` and says which candidates are worth a label. There are
three ways to write one:

- a class with ``utility(pool) -> (n_candidates,)``, where higher is asked first;
- a class with ``select(pool, n_queries) -> row numbers of X``, out of
  ``pool.candidates``, where the rows of a batch depend on each other; a strategy that
  samples returns ``(rows, probabilities)``, each among the rows then left, and None for
  the probabilities if some of these could not have been drawn;
- a function ``pool -> utilities``.

`rowwise` says that the utility of a candidate depends on nothing but the fields of the
pool that belong to this candidate. Such a strategy is evaluated on one block of rows
after the other. `needs` names what it takes from the model, so that a missing
capability is an error before the first label is paid for.
"""

import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skactive.utils._shown import BriefMixin, shown, shown_values
from skactive.utils._sklearn import Function
from skactive.utils._ties import in_order, top_k

# Names a strategy may put into `needs`, and the method of a classifier behind each.
CAPABILITIES = {
    "proba": "predict_proba",
    "decision_function": "decision_function",
    "loss": "predict_loss",
    "training": "staged_predict or partial_fit",
    "member_proba": "predict_proba",
    "votes": "predict",
}


class BaseStrategy(BriefMixin, BaseEstimator):
    """Base class of all strategies.

    A subclass implements `utility`, or overrides `select` where the rows of a batch
    depend on each other.

    Examples
    --------
    A strategy that asks the rows with the largest first feature:

    >>> from skactive.acquisition import BaseStrategy
    >>> class FirstFeature(BaseStrategy):
    ...     def utility(self, pool):
    ...         return pool.X[pool.candidates, 0]
    """

    rowwise = False
    nonnegative = True

    @property
    def needs(self):
        """What the strategy takes from the model; a tuple means one of these."""
        return frozenset()

    def utility(self, pool):
        """Say how much a label of each candidate is worth.

        Parameters
        ----------
        pool : Pool
            The round, see :ref:`pool`.

        Returns
        -------
        utility : ndarray of shape (n_candidates,)
            Higher is asked first.
        """
        raise TypeError(
            f"{type(self).__name__} gives no utility to single rows; call its `select`."
        )

    def select(self, pool, n_queries):
        """Select the candidates to ask.

        Parameters
        ----------
        pool : Pool
            The round, see :ref:`pool`.

        n_queries : int
            How many rows to ask; at most the number of candidates.

        Returns
        -------
        rows : ndarray of shape (n_queries,), dtype int
            Row numbers of `X`, the most useful first.
        """
        return select_queries(self, pool, n_queries).rows


class FunctionStrategy(BaseStrategy):
    """Make a strategy of a function from a pool to utilities.

    Parameters
    ----------
    function : callable
        ``function(pool) -> utilities`` of shape (n_candidates,).

    Examples
    --------
    >>> from skactive.acquisition import FunctionStrategy
    >>> FunctionStrategy(lambda pool: pool.X[pool.candidates, 0])
    FunctionStrategy(function=<function <lambda> at ...>)
    """

    # Nothing is known about the function.
    nonnegative = False

    _parameter_constraints = {"function": [Function("the pool")]}

    def __init__(self, function):
        self.function = function

    def utility(self, pool):
        return self.function(pool)


@dataclass(frozen=True)
class Selection:
    """The rows to ask in one round, and what is known about their worth."""

    rows: np.ndarray
    utilities: np.ndarray | None = None
    best_utility: float | None = None
    mean_utility: float | None = None
    probabilities: np.ndarray | None = None


def select_queries(strategy, pool, n_queries):
    """Let a strategy select rows, and check that they can be asked.

    Parameters
    ----------
    strategy : object with a `utility` or a `select` method
        The strategy.

    pool : Pool
        The round.

    n_queries : int
        How many rows to ask, at most the number of candidates.

    Returns
    -------
    selection : Selection
        Different rows out of ``pool.candidates``.

    Raises
    ------
    ValueError
        If the utilities are NaN or of the wrong shape, or the rows are not different
        candidates.
    """
    if hasattr(strategy, "_selection"):  # it says what is known of the selection, too
        return strategy._selection(pool, n_queries)
    select = getattr(type(strategy), "select", None)
    if select is None or select is BaseStrategy.select:
        return select_by_utility(strategy, pool, n_queries)
    rows, probabilities = strategy.select(pool, n_queries), None
    if isinstance(rows, tuple):
        rows, probabilities = rows
    rows = _check_selected(rows, strategy, pool, n_queries)
    return Selection(rows, probabilities=_check_drawn(probabilities, rows, strategy))


def select_by_utility(strategy, pool, n_queries):
    """Select the candidates of highest utility.

    Parameters
    ----------
    strategy : object with a `utility` method
        The strategy.

    pool : Pool
        The round.

    n_queries : int
        How many rows to ask.

    Returns
    -------
    selection : Selection
        The rows, highest utility first.
    """
    scores = utilities(strategy, pool)
    chosen = top_candidates(scores, n_queries, pool)
    return Selection(
        pool.candidates[chosen],
        utilities=scores[chosen],
        best_utility=float(scores.max()),
        mean_utility=float(scores.mean()),
    )


def utilities(strategy, pool):
    """Evaluate a strategy on all candidates; block by block if it is row-wise.

    Parameters
    ----------
    strategy : object with a `utility` method
        The strategy.

    pool : Pool
        The round.

    Returns
    -------
    utility : ndarray of shape (n_candidates,), dtype float32 or float64
        Checked utilities; float32 says that they were computed in this precision.
    """
    if not getattr(strategy, "rowwise", False):
        return _check_utility(strategy.utility(pool), strategy, pool)
    parts = [
        _check_utility(strategy.utility(block), strategy, block)
        for _, block in pool.blocks()
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def top_candidates(scores, k, pool):
    """Return the positions of the k highest scores of candidates, highest first.

    Of equal scores those are taken that come first in the random order of all rows.

    Parameters
    ----------
    scores : ndarray of shape (n_candidates,)
        Scores without NaN.

    k : int
        How many, at most n_candidates.

    pool : Pool
        The round.

    Returns
    -------
    positions : ndarray of shape (k,), dtype int
        Positions in ``pool.candidates``.
    """
    return top_k(scores, k, candidate_keys(pool))


def candidate_keys(pool):
    """Return a function from positions in ``pool.candidates`` to their tie keys."""
    return lambda positions: pool.tie_keys(pool.candidates[positions])


def tie_order(pool):
    """Return the positions of the candidates in the random order of all rows.

    A function that takes the first of equals is given the candidates in this order.

    Parameters
    ----------
    pool : Pool
        The round.

    Returns
    -------
    positions : ndarray of shape (n_candidates,), dtype int
        Positions in ``pool.candidates``.
    """
    return in_order(pool.tie_keys(pool.candidates))


def select_without_embedding(pool, n_queries):
    """Ask at random, with a warning, where rows have no features that can be read."""
    warnings.warn(
        "The rows have no embedding in which distances could be measured; rows are "
        "asked at random instead.",
        UserWarning,
        stacklevel=3,
    )
    rng = check_random_state(pool.random_state)
    return rng.choice(pool.candidates, n_queries, replace=False)


def gives_utility(strategy):
    """Tell whether a strategy states the utility of single rows."""
    own = getattr(type(strategy), "utility", None)
    return own is not None and own is not BaseStrategy.utility


def multipliable_needs(strategy):
    """Return what a strategy needs if its utilities are multiplied.

    Decision values, which may stand in for probabilities, are negative.
    """
    return frozenset(
        "proba" if need == ("proba", "decision_function") else need
        for need in getattr(strategy, "needs", ())
    )


def refuse_negative(owner, strategy):
    """Raise if the utilities of a strategy may be negative; `owner` multiplies them."""
    if not gives_utility(strategy):
        raise ValueError(
            f"{type(owner).__name__} multiplies utilities, and "
            f"{type(strategy).__name__} selects rows without any."
        )
    if not getattr(strategy, "nonnegative", False):
        raise ValueError(
            f"{type(owner).__name__} multiplies utilities, and those of "
            f"{shown(strategy)} may be negative. If they never are, write it as "
            "a class derived from BaseStrategy, whose attribute nonnegative is True."
        )


def _check_utility(scores, strategy, pool):
    owner = _owner(strategy)
    scores = np.asarray(scores)
    if scores.shape != pool.candidates.shape:
        raise ValueError(
            f"{owner} must return one utility per candidate: expected shape "
            f"{pool.candidates.shape}, got {scores.shape}."
        )
    if scores.dtype.kind not in "biuf":
        raise ValueError(
            f"{owner} must return numbers, got an array of dtype {scores.dtype}."
        )
    if scores.dtype != np.float32:
        scores = scores.astype(np.float64, copy=False)
    if np.isnan(scores).any():
        row = pool.candidates[np.isnan(scores)][0]
        raise ValueError(
            f"{owner} returned NaN, for row {row} of X among others; expected a "
            "number for every candidate, higher for those to be asked first."
        )
    return scores


def _check_selected(rows, strategy, pool, n_queries):
    owner, rows = f"{type(strategy).__name__}.select", np.asarray(rows)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not 0 < len(rows) <= n_queries:
        raise ValueError(
            f"{owner} must return 1 to {n_queries} row numbers of X, got an array of "
            f"shape {rows.shape} and dtype {rows.dtype}."
        )
    if len(np.unique(rows)) < len(rows):
        raise ValueError(
            f"{owner} returned the same row more than once: {shown_values(rows)}."
        )
    stray = rows[~np.isin(rows, pool.candidates)]
    if len(stray):
        raise ValueError(
            f"{owner} returned rows that are no candidates: {shown_values(stray)}. "
            "They are labelled, have been asked already, or do not exist; choose from "
            "pool.candidates, which holds row numbers of X."
        )
    return rows.astype(np.intp, copy=False)


def _check_drawn(probabilities, rows, strategy):
    if probabilities is None:
        return None
    probabilities = np.asarray(probabilities, dtype=np.float64)
    valid = probabilities.shape == rows.shape
    if not (valid and ((probabilities > 0) & (probabilities <= 1)).all()):
        raise ValueError(
            f"{type(strategy).__name__}.select must return one probability in (0, 1] "
            f"for each of its {len(rows)} rows, got {shown(probabilities)}."
        )
    return probabilities


def _owner(strategy):
    if isinstance(strategy, FunctionStrategy):
        name = getattr(strategy.function, "__name__", shown(strategy.function))
        return f"The strategy {name}"
    return f"{type(strategy).__name__}.utility"
