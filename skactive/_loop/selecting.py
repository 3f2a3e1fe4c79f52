"""How a round begins: whether the run stops, and which rows are queried."""

import time

import numpy as np

from skactive._loop.keeping import explaining_fit
from skactive._loop.round import End, Round
from skactive._pool.noticed import Reporter
from skactive.acquisition._base import Selection, select_queries
from skactive.stopping._registry import reason_to_stop


class Selector:
    """Checks the stopping criteria of a run, and lets its strategy select rows.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs of the run.
    """

    def __init__(self, inputs):
        self._inputs = inputs
        self._reporter = Reporter()
        self._criteria_left = []

    def choose(self, run):
        """Choose the rows of the next round, unless a criterion ends the run.

        Parameters
        ----------
        run : Run
            The run. Its last pool is that of the round, and is replaced if no model
            can be fitted yet.

        Returns
        -------
        step : Round or End
            The round, or how the run ends.
        """
        # A criterion may keep state, so it is updated once in a round, even if the
        # round begins again below.
        self._criteria_left = list(self._inputs.criteria)
        models = run.models
        with explaining_fit(run, models.last_pool):
            try:
                return self._stop_or_select(run)
            except Exception as error:
                if not models.can_wait(run, models.last_pool, error):
                    raise
            # More labels would help, so the cold start goes on for a round.
            models.begin(run, can_fit=False)
            return self._stop_or_select(run)

    def _stop_or_select(self, run):
        pool = run.models.last_pool
        if not run.rounds.closed:
            run.models.check_first(run)
        # Criteria use the candidates. None are left if only rows of the test
        # sample remain to be queried. Rows in the queue and rows left over are queried
        # in any case.
        has_questions = run.models.queue or _left_over(run)
        met = self._criterion_met(pool) if len(pool) and not has_questions else None
        if met is not None:
            return End(*met)
        # The estimator may be fitted within the selection, or may have been fitted for
        # a criterion. In both cases its time is counted elsewhere.
        started = time.perf_counter() - pool.models.fits.seconds
        selected_by, selection = self._select(run, pool)
        seconds = time.perf_counter() - started - pool.models.fits.seconds
        self._reporter.report(pool, selected_by)
        return Round(
            run.rounds.number,
            pool,
            selected_by,
            selection,
            select_seconds=seconds,
            n_seen=run.models.n_seen,
        )

    def _criterion_met(self, pool):
        """Return the name and reason of the first criterion that is met, or None."""
        while self._criteria_left:
            name, criterion = self._criteria_left[0]
            reason = reason_to_stop(criterion, pool)
            # A criterion whose model could not be fitted is updated again.
            del self._criteria_left[0]
            if reason:
                return name, str(reason)
        return None

    def _select(self, run, pool):
        """Return what selects rows, as `selected_by` of a round, and its selection."""
        inputs, clf = self._inputs, self._inputs.clf
        n_queries = min(clf.batch_size, run.rounds.budget_left)
        left = _left_over(run)
        if left:
            return "left over", Selection(np.array(left[:n_queries]))
        if run.models.queue:  # what was put there later is not seen by this round
            return "again", Selection(np.array(run.models.queue[:n_queries]))
        # The test sample is queried before anything else. Drawn later, it would be
        # drawn from the rows that the strategy has left over.
        left = run.ledger.holdout_left
        if left.any():
            return "holdout", run.holdout.select(left, n_queries)
        n_queries = min(n_queries, len(pool.candidates))
        if pool.can_fit:
            name, strategy = clf.strategy, inputs.strategy
        else:
            name, strategy = clf.initial_strategy, inputs.initial_strategy
            # No more than `initial_size` labels are left to the initial strategy.
            n_queries = min(n_queries, run.models.n_wanted_first or n_queries)
        name = name if isinstance(name, str) else type(strategy).__name__
        return name, select_queries(strategy, pool, n_queries)


def _left_over(run):
    """Return the rows that an earlier process handed out and that have no answer."""
    settled = run.ledger.settled
    return [row for row in run.left_over if not settled[row]]
