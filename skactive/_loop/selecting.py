"""How a round begins: whether the run stops, and which rows are queried."""

import time

from skactive._loop.first_model import check_first_model
from skactive._loop.keeping import explaining_fit
from skactive._loop.round import Round
from skactive._pool.noticed import Reporter
from skactive.acquisition._base import select_queries
from skactive.acquisition._registry import uses_committee
from skactive.stopping._registry import reason_to_stop

# Neither a reason to stop, nor a text about it.
_GOES_ON = (None, None)


class Selector:
    """Asks the criteria of a run whether it stops, and else its strategy for rows.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs of the run.
    """

    def __init__(self, inputs):
        self._inputs = inputs
        self._reporter = Reporter()
        self._criteria_left = []

    def choose(self, run, number):
        """Choose the rows of a round; if no model can be fitted yet, without one.

        Parameters
        ----------
        run : Run
            The run, whose last pool is that of the round.

        number : int
            Number of the round.

        Returns
        -------
        chosen : Round or None
            None if a criterion ends the run.

        condition, reason : str or None
            The criterion, and what it said.
        """
        # A criterion is asked once in a round, even if the round begins once more.
        self._criteria_left = list(self._inputs.criteria)
        models = run.models
        with explaining_fit(run, models.last):
            try:
                return self._stop_or_select(run, number)
            except Exception as error:
                if not models.can_wait(run, models.last, error):
                    raise
            models.begin(run, number, can_fit=False)
            return self._stop_or_select(run, number)

    def _stop_or_select(self, run, number):
        pool = run.models.last
        if number == 1 and not run.n_queries:
            self._check_first_model(run, pool)
        condition, reason = self._criterion_met(pool) if len(pool) else _GOES_ON
        if condition is not None:
            return None, condition, reason
        # The estimator may be fitted within the selection, or have been before.
        started = time.perf_counter() - pool.fit_seconds
        name, selection = self._select(run, pool)
        seconds = time.perf_counter() - started - pool.fit_seconds
        self._reporter.report(pool, name)
        n_told = len(run.ledger.told)
        return Round(number, pool, name, selection, seconds, n_told), *_GOES_ON

    def _check_first_model(self, run, pool):
        """Find out before the first payment whether a model can be fitted at all."""
        models, clf = run.models, self._inputs.clf
        if models.waiting.has_begun:
            return
        strategy, classes = self._inputs.strategy, models.waiting.classes(pool)
        committee = clf.committee if uses_committee(strategy) else None
        check_first_model(
            pool, strategy, models.embedder, clf.estimator, committee, classes
        )
        if not pool.can_fit:
            n_more = models.n_wanted_first or clf.batch_size
            models.waiting.rehearse_first_model(pool, n_more, run.n_left)

    def _criterion_met(self, pool):
        """Return the name of the first criterion that is met and its reason."""
        while self._criteria_left:
            name, criterion = self._criteria_left[0]
            reason = reason_to_stop(criterion, pool)
            del self._criteria_left[0]
            if reason:
                return name, str(reason)
        return _GOES_ON

    def _select(self, run, pool):
        """Select the rows of a round; return who selected, and the selection."""
        inputs, clf = self._inputs, self._inputs.clf
        n_queries = min(clf.batch_size, inputs.budget - run.n_queries)
        # The test sample comes first: later it would be drawn out of what the
        # strategy has left over.
        left = run.ledger.holdout_left
        if left.any():
            n_left = inputs.equal_rows.n_askable - run.n_queries
            return "holdout", run.holdout.select(left, n_queries, n_left)
        n_queries = min(n_queries, len(pool.candidates))
        if pool.can_fit:
            name, strategy = clf.strategy, inputs.strategy
        else:
            name, strategy = clf.initial_strategy, inputs.initial_strategy
            n_queries = min(n_queries, run.models.n_wanted_first or n_queries)
        name = name if isinstance(name, str) else type(strategy).__name__
        return name, select_queries(strategy, pool, n_queries)
