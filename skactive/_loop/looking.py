"""Look at all candidates of a run without changing it."""

from copy import copy, deepcopy
from dataclasses import dataclass
from functools import partial
from operator import attrgetter

import numpy as np

from skactive._loop.waiting import may_need_labels
from skactive._pool.noticed import Noticed
from skactive._pool.outputs import Outputs
from skactive._pool.pool import Pool
from skactive.acquisition._base import gives_utility, utilities
from skactive.utils._outputs import align_columns
from skactive.utils._shown import name_of


@dataclass(frozen=True, eq=False)
class CandidateBlock:
    """Some candidates, with their utilities and probabilities.

    Attributes
    ----------
    indices : ndarray of shape (n_rows,), dtype int
        Row numbers, ascending.

    sample_ids : ndarray of shape (n_rows,) or None
        Ids of the rows. None if no ids were given.

    utilities : ndarray of shape (n_rows,) or None
        Utilities of the rows. None if the strategy does not compute any, or if its
        models cannot be fitted yet.

    proba : ndarray of shape (n_rows, n_classes) or None
        Predicted probabilities. None if there is no model yet, or if it has no
        `predict_proba`.

    classes : ndarray of shape (n_classes,)
        The classes of these columns: the closed set if there is one, otherwise the
        classes seen so far.
    """

    indices: np.ndarray
    sample_ids: np.ndarray | None
    utilities: np.ndarray | None
    proba: np.ndarray | None
    classes: np.ndarray

    def __len__(self):
        return len(self.indices)


def look(run):
    """Return utilities and probabilities of all candidates, block by block.

    If a round is open, the candidates are those that the strategy selected from,
    without the rows that have an answer by now. Otherwise, they are those of a round
    that begins with the labels known now.

    Parameters
    ----------
    run : Run
        The run. It queries the same rows as without this call.

    Returns
    -------
    blocks : iterator of CandidateBlock
        A block is computed when it is reached. Only the utilities of a strategy that is
        not row-wise are computed for all rows at once.
    """
    inputs = run.inputs
    with run.lock:
        opened, settled = run.rounds.open, run.ledger.settled
        if opened is not None:
            settled[opened.rows_left] = False
            pool = opened.pool
    if opened is None:
        pool = run.models.new_pool(run)
    elif pool.can_fit:
        # Fitted here, so that the round does not fit the model once more.
        _if_fitted(pool, attrgetter("estimator"))
    strategy = inputs.strategy if pool.can_fit else inputs.initial_strategy
    # Strategies keep state, so a copy is asked. X may be part of it, and is not copied.
    with run.beginning:  # a strategy changes while it selects
        strategy = deepcopy(strategy, {id(inputs.X): inputs.X})
    return _blocks(_apart(pool), strategy, settled, inputs)


def _apart(pool):
    """Return a pool with the same models, whose outputs leave no trace in the round."""
    # What is noticed here must not get into the record of the round.
    models = copy(pool.models)
    models.noticed = Noticed(pool.X)
    # As outputs of a part, they do not change which rows the run predicts on.
    return Pool(models, Outputs(models, pool.candidates, "part"))


def _blocks(pool, strategy, settled, inputs):
    if len(pool) == 0:
        return
    classes = pool.seen if inputs.classes is None else inputs.classes
    utility_of = _utility_function(strategy, pool)
    for positions, block in pool.blocks():
        scores, proba = utility_of(positions, block), _proba(block, classes)
        is_open = ~settled[block.candidates]
        rows = block.candidates[is_open]
        if len(rows):
            yield CandidateBlock(
                rows,
                _at(inputs.sample_ids, rows),
                _at(scores, is_open),
                _at(proba, is_open),
                classes.copy(),
            )


def _utility_function(strategy, pool):
    """Return a function of a block and its positions that returns its utilities."""
    if not gives_utility(strategy):
        return lambda positions, block: None
    if getattr(strategy, "rowwise", False):
        return lambda positions, block: _if_fitted(block, partial(utilities, strategy))
    scores = _if_fitted(pool, partial(utilities, strategy))
    return lambda positions, block: _at(scores, positions)


def _proba(pool, classes):
    """Return the probabilities of classes, or None."""
    if not (pool.can_fit and _if_fitted(pool, _has_proba)):
        return None
    proba = _if_fitted(pool, attrgetter("proba"))
    if proba is None:
        return None
    return align_columns(proba, pool.classes, classes, name_of(pool.estimator))


def _has_proba(pool):
    return pool.has_output("predict_proba")


def _if_fitted(pool, compute):
    """Return what is computed of a pool, or None if its models need more labels."""
    try:
        return compute(pool)
    except Exception as error:
        if not may_need_labels(pool, error):
            raise
    return None


def _at(values, which):
    return None if values is None else values[which]
