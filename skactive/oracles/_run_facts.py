"""The facts about a run that an oracle may get before it is first called."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class RunFacts:
    """The facts about a run that an oracle with a method `for_run` is given.

    Parameters
    ----------
    parse : callable
        ``parse(answer)`` returns the label that an answer stands for, None for an
        abstention, and raises ValueError if it cannot be a label in this run.

    missing_label : int, str, None or nan, default=-1
        The marker of rows without a label.

    prices : dict or None, default=None
        Prices of the rows by their sample ids; None if `fit` got no `cost` or no
        `sample_ids`.

    given : tuple of (list, list), default=([], [])
        The sample ids and the labels of the rows that are labelled in `y`; empty
        without `sample_ids`.

    progress : callable or None, default=None
        ``progress()`` returns the number of rows that have been asked about, those of
        the present question included, and the budget.

    uncharged : callable or None, default=None
        ``uncharged(sample_ids)`` tells the run that these rows, of those that it is
        asking about, cost none of its budget. It is called with a list of ids before
        the answers are given. A :class:`~skactive.oracles.CachedOracle` calls it for
        rows that were skipped before.

    asks_again : callable or None, default=None
        ``asks_again()`` returns whether the run is asking about rows of its queue,
        which may have an answer already. An oracle that keeps answers must then not
        repeat them.

    Examples
    --------
    >>> from skactive.oracles import RunFacts
    >>> facts = RunFacts(parse=int, prices={"a": 2.0})
    >>> facts.parse("1"), facts.missing_label
    (1, -1)
    """

    parse: Callable
    missing_label: Any = -1
    prices: Mapping | None = None
    given: tuple = ((), ())
    progress: Callable | None = None
    uncharged: Callable | None = None
    asks_again: Callable | None = None
