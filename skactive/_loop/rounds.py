"""The rounds of a run: the rows queried, and the budget that is left."""

import numpy as np


class Rounds:
    """The rounds of a run, and the rows that were queried in them.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs of the run.

    Attributes
    ----------
    open : Round or None
        The round in which some rows have no answer yet.

    closed : list of Round
        The closed rounds of this run, in order.

    history : list of dict
        The records of the closed rounds with at least one answer, also of earlier runs.
    """

    def __init__(self, inputs):
        past = inputs.past
        self.open = None
        self.closed = []
        self.history = list(past.history)
        # The rows of the closed rounds, the numbers of these rounds, and the
        # probabilities that the rows were drawn with.
        self._rows = [row for row, _, _ in past.queried]
        self._numbers = [number for _, number, _ in past.queried]
        self._probabilities = [drawn for _, _, drawn in past.queried]
        self._n_restored = len(past.queried)
        self._cost = 0.0  # of the closed rounds of this run
        self._inputs = inputs
        self._uncharged = set()
        self._n_free = 0

    @property
    def query_indices(self):
        """Rows that have an answer, in the order in which they were queried."""
        told = [] if self.open is None else self.open.rows_told.tolist()
        return self._rows + told

    @property
    def query_rounds(self):
        """Number of the round of each of these rows."""
        n_told = 0 if self.open is None else int(self.open.told.sum())
        return self._numbers + n_told * [self.number]

    @property
    def query_probabilities(self):
        """Probability with which each of these rows was drawn; nan if unknown."""
        told = [] if self.open is None else self.open.probabilities_told
        return self._probabilities + told

    @property
    def n_queries(self):
        """Number of queries with an answer, also of rows that are no longer in `X`."""
        return self._n_new + self._n_restored + self._inputs.past.n_gone

    @property
    def _n_new(self):
        n_told = 0 if self.open is None else int(self.open.told.sum())
        return len(self._rows) - self._n_restored + n_told

    @property
    def budget_left(self):
        """Number of rows that the budget still allows to query."""
        n_charged = self._inputs.past.n_charged + self._n_new - self._n_free
        return self._inputs.limit - n_charged

    @property
    def total_cost(self):
        """Cost of all queries, also of earlier runs."""
        told = [] if self.open is None else self.open.rows_told
        return self._inputs.past.total_cost + self._cost + self._cost_of(told)

    def _cost_of(self, rows):
        cost = self._inputs.cost
        return 0.0 if cost is None else float(cost[rows].sum())

    @property
    def number(self):
        """Number of the open round or, if there is none, of the next one."""
        # A round that was stopped before its first answer leaves no record, and its
        # number is used again.
        return len(self.history) + 1

    @property
    def asked_again(self):
        """Rows without an answer in the open round that had been queried before."""
        if self.open is None or self.open.selected_by != "again":
            return frozenset()
        return frozenset(self.open.rows_left.tolist())

    def answered(self, rows):
        """Return the rows, of those given, that have an answer."""
        left = () if self.open is None else self.open.rows_left.tolist()
        return [row for row in rows if row not in left]

    def uncharge(self, rows):
        """Note that the answers of some rows of the open round cost no budget."""
        self._uncharged.update(np.asarray(rows).tolist())

    def take_uncharged(self, rows):
        """Return the rows, of those given, that cost no budget; each only once."""
        free = [row for row in rows if row in self._uncharged]
        self._n_free += len(free)
        self._uncharged.difference_update(free)
        return free

    def add_late(self, numbers):
        """Add rows that an earlier process has handed out, and their rounds."""
        self._rows += numbers.keys()
        self._cost += self._cost_of(list(numbers))
        self._numbers += numbers.values()
        self._probabilities += len(numbers) * [np.nan]

    def close(self, record):
        """Close the open round with its record, or with None if it has no answer."""
        closing = self.open
        if record is not None:
            self.history.append(record)
            told = closing.rows_told.tolist()
            self._rows += told
            self._numbers += len(told) * [closing.number]
            self._cost += self._cost_of(told)
            self._probabilities += closing.probabilities_told
        closing.close(record)
        self.closed.append(closing)
        self.open = None
