"""What a strategy is, and how the rows to query follow from its utilities.

A strategy gets a `Pool` and decides which candidates are worth a label. It is a class
with ``utility(pool)`` or ``select(pool, n_queries)``, or a function ``pool ->
utilities``. `select` may return row numbers or a `Selection`; `select_queries` turns
both into a checked `Selection`, and passes on nothing else. The user guide, under
"Writing your own parts", is the one place that documents the whole protocol.
"""

import warnings
from dataclasses import dataclass, replace
from numbers import Real

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skactive.utils._shown import BriefMixin, shown, shown_values
from skactive.utils._sklearn import Function
from skactive.utils._ties import in_order, top_k

# Names that `needs` may hold, and the method of a classifier behind each. Whether rows
# have an embedding is only known when they are embedded.
CAPABILITIES = {
    "proba": "predict_proba",
    "decision_function": "decision_function",
    "loss": "predict_loss",
    "training": "staged_predict or partial_fit",
    "member_proba": "predict_proba",
    "votes": "predict",
}
NEEDS = frozenset({*CAPABILITIES, "embedding"})


@dataclass(frozen=True, eq=False)
class Selection:
    """The rows that a strategy selects, and what is known about them.

    A strategy that draws its rows at random returns one from `select` to state the
    probabilities, and one that compares rows may state their utilities. It reads like
    the array of its rows: ``len``, iteration, indexing, `tolist` and ``np.asarray``
    are those of `rows`.

    Parameters
    ----------
    rows : array-like of shape (n_rows,), dtype int
        Different row numbers of `X`, in the order in which they are queried.

    utilities : array-like of shape (n_rows,) or None, default=None
        Utilities of these rows.

    best_utility : float or None, default=None
        The highest utility of all candidates.

    mean_utility : float or None, default=None
        The mean utility of all candidates.

    probabilities : array-like of shape (n_rows,) or None, default=None
        The probability with which each row was drawn from the candidates that were
        left. None if it is not known, or if one of these could not have been drawn: no
        unbiased estimate can be based on it then.

    Examples
    --------
    >>> from skactive.acquisition import Selection
    >>> selection = Selection([7, 2], probabilities=[0.25, 0.5])
    >>> list(selection)
    [7, 2]
    >>> selection.probabilities
    [0.25, 0.5]
    """

    rows: np.ndarray
    utilities: np.ndarray | None = None
    best_utility: float | None = None
    mean_utility: float | None = None
    probabilities: np.ndarray | None = None

    def __len__(self):
        return len(self.rows)

    def __iter__(self):
        return iter(self.rows)

    def __getitem__(self, index):
        return self.rows[index]

    def __array__(self, dtype=None, copy=None):
        return np.array(self.rows, dtype=dtype, copy=True if copy else None)

    def tolist(self):
        """Return the rows as a list.

        Returns
        -------
        rows : list of int
            Row numbers of `X`.
        """
        return np.asarray(self.rows).tolist()


class BaseStrategy(BriefMixin, BaseEstimator):
    """Base class of all strategies.

    A subclass implements `utility`, or overrides `select` where the rows of a batch
    depend on each other. :ref:`own_strategy` describes the whole protocol: `needs`,
    `rowwise`, `nonnegative`, and the checks that a strategy may add.

    Examples
    --------
    A strategy that queries the rows with the largest first feature, and a test of it:

    >>> from skactive.acquisition import BaseStrategy
    >>> from skactive.testing import make_pool
    >>> class FirstFeature(BaseStrategy):
    ...     def utility(self, pool):
    ...         return pool.X[pool.candidates, 0]
    >>> pool = make_pool(X=[[1.0], [7.0], [9.0], [3.0]], y=[0, -1, 1, -1])
    >>> FirstFeature().select(pool, n_queries=1).rows
    array([1])
    """

    rowwise = False
    nonnegative = True

    @property
    def needs(self):
        """What the strategy reads from the models; a tuple means one of its names."""
        return frozenset()

    def utility(self, pool):
        """Compute how much a label of each candidate is worth.

        Parameters
        ----------
        pool : Pool
            The round, see :class:`~skactive.Pool`.

        Returns
        -------
        utility : ndarray of shape (n_candidates,)
            Candidates of higher utility are queried first.
        """
        refuse_empty(self)
        raise TypeError(
            f"{type(self).__name__} gives no utility to single rows; call its `select`."
        )

    def select(self, pool, n_queries):
        """Select the candidates to query.

        Parameters
        ----------
        pool : Pool
            The round, see :class:`~skactive.Pool`.

        n_queries : int
            Number of rows to query; at most the number of candidates.

        Returns
        -------
        selection : Selection or ndarray of shape (n_queries,), dtype int
            Row numbers of `X`, the most useful first. A subclass may return the row
            numbers alone, or a :class:`Selection` that says more about them.
        """
        return select_by_utility(self, pool, n_queries)


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

    # Nothing is known about the function, not even the sign of its values.
    nonnegative = False

    _parameter_constraints = {"function": [Function("the pool")]}

    def __init__(self, function):
        self.function = function

    def utility(self, pool):
        return self.function(pool)


def select_queries(strategy, pool, n_queries):
    """Let a strategy select rows, and check that they can be queried.

    Parameters
    ----------
    strategy : object with a `utility` or a `select` method
        The strategy.

    pool : Pool
        The round.

    n_queries : int
        Number of rows to query, at most the number of candidates.

    Returns
    -------
    selection : Selection
        Different elements of ``pool.candidates``.

    Raises
    ------
    ValueError
        If the utilities are NaN or of the wrong shape, or the rows are not different
        candidates.
    """
    if not hasattr(type(strategy), "select"):  # an object that has only utilities
        return select_by_utility(strategy, pool, n_queries)
    given = strategy.select(pool, n_queries)
    if not isinstance(given, Selection):
        given = Selection(given)
    rows = _check_selected(given.rows, strategy, pool, n_queries)
    for name in ("best_utility", "mean_utility"):
        _check_number(getattr(given, name), name, strategy)
    return replace(
        given,
        rows=rows,
        utilities=_check_stated(given.utilities, rows, strategy),
        probabilities=_check_drawn(given.probabilities, rows, strategy),
    )


def select_by_utility(strategy, pool, n_queries):
    """Select the candidates of highest utility.

    Parameters
    ----------
    strategy : object with a `utility` method
        The strategy.

    pool : Pool
        The round.

    n_queries : int
        Number of rows to query.

    Returns
    -------
    selection : Selection
        The rows, in descending order of utility.
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
    """Evaluate a strategy on all candidates, block by block if it is row-wise.

    Parameters
    ----------
    strategy : object with a `utility` method
        The strategy.

    pool : Pool
        The round.

    Returns
    -------
    utility : ndarray of shape (n_candidates,), dtype float32 or float64
        Checked utilities; float32 if they were computed in this precision.
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

    Equal scores are taken in the random order of all rows.

    Parameters
    ----------
    scores : ndarray of shape (n_candidates,)
        Scores without NaN.

    k : int
        Number of positions, at most n_candidates.

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

    Functions that take the first of equal candidates get them in this order.

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
    """Select rows at random, with a warning, where they have no numeric features."""
    warnings.warn(
        "The rows have no embedding in which distances could be measured; rows are "
        "queried at random instead.",
        UserWarning,
        stacklevel=3,
    )
    rng = check_random_state(pool.random_state)
    return rng.choice(pool.candidates, n_queries, replace=False)


def gives_utility(strategy):
    """Tell whether a strategy states utilities of single rows."""
    own = getattr(type(strategy), "utility", None)
    return own is not None and own is not BaseStrategy.utility


def refuse_empty(strategy):
    """Raise if a class of its own implements neither of the two methods."""
    selects = type(strategy).select is not BaseStrategy.select
    if not (selects or gives_utility(strategy)):
        raise TypeError(
            f"{type(strategy).__name__} must implement utility(pool) or "
            "select(pool, n_queries)."
        )


def multipliable_needs(strategy):
    """Return what a strategy needs if its utilities are multiplied.

    Decision values, which may replace probabilities, can be negative.
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
            "number for every candidate, higher for those to query first."
        )
    return scores


def _check_selected(rows, strategy, pool, n_queries):
    owner, given = f"{type(strategy).__name__}.select", rows
    try:
        rows = np.asarray(rows)
    except ValueError:  # lists of different lengths
        rows = np.empty(len(given), dtype=object)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or not 0 < len(rows) <= n_queries:
        hint = ""
        if isinstance(given, tuple):
            hint = " To state probabilities, return Selection(rows, probabilities=...)."
        elif rows.dtype.kind == "b":
            hint = " To select by a mask, return pool.candidates[mask]."
        found = f"an array of shape {rows.shape} and dtype {rows.dtype}"
        raise ValueError(
            f"{owner} must return 1 to {n_queries} row numbers of X, got "
            f"{found if rows.ndim else shown(given)}.{hint}"
        )
    ascending = np.sort(rows)
    if (ascending[1:] == ascending[:-1]).any():
        raise ValueError(
            f"{owner} returned the same row more than once: {shown_values(rows)}."
        )
    # Candidates are ascending, too, so that no pass over all of them is needed.
    places = np.searchsorted(pool.candidates, ascending)
    found = pool.candidates[np.minimum(places, len(pool.candidates) - 1)]
    if (found != ascending).any():
        stray = rows[np.isin(rows, ascending[found != ascending])]
        raise ValueError(
            f"{owner} returned rows that are not candidates: {shown_values(stray)}. "
            "They are labelled, were queried before, or do not exist; choose from "
            "pool.candidates, which holds row numbers of X."
        )
    return rows.astype(np.intp, copy=False)


def _check_stated(stated, rows, strategy):
    """Check the utilities of a `Selection`: one number for each of its rows."""
    if stated is None:
        return None
    numbers = _as_floats(stated)
    if numbers is None or numbers.shape != rows.shape or np.isnan(numbers).any():
        raise ValueError(
            f"The utilities of the Selection of {type(strategy).__name__}.select must "
            f"hold one number for each of its {len(rows)} rows, got {shown(stated)}."
        )
    return numbers


def _check_number(number, name, strategy):
    """Check a utility that a `Selection` states of all candidates together."""
    if not (number is None or (isinstance(number, Real) and number == number)):
        raise ValueError(
            f"{name} of the Selection of {type(strategy).__name__}.select must be a "
            f"number or None, got {shown(number)}."
        )


def _check_drawn(probabilities, rows, strategy):
    """Check the probabilities of a `Selection`: in (0, 1], one for each of its rows."""
    if probabilities is None:
        return None
    numbers = _as_floats(probabilities)
    valid = numbers is not None and numbers.shape == rows.shape
    if not (valid and ((numbers > 0) & (numbers <= 1)).all()):
        raise ValueError(
            f"{type(strategy).__name__}.select must return one probability in (0, 1] "
            f"for each of its {len(rows)} rows, got {shown(probabilities)}."
        )
    return numbers.astype(np.float64, copy=False)


def _as_floats(numbers):
    """Return numbers as an array of floats, None if they are not numbers."""
    try:
        numbers = np.asarray(numbers)
    except ValueError:  # lists of different lengths
        return None
    if numbers.dtype.kind not in "biuf":
        return None
    return (
        numbers
        if numbers.dtype == np.float32
        else numbers.astype(np.float64, copy=False)
    )


def _owner(strategy):
    if isinstance(strategy, FunctionStrategy):
        name = getattr(strategy.function, "__name__", shown(strategy.function))
        return f"The strategy {name}"
    return f"{type(strategy).__name__}.utility"
