"""The records of `history_`: one for each round, and one for the final model."""

from skactive._models.pseudo_labels import PseudoLabels


def round_record(run, opened):
    """Return the record of a round; it counts the rows that have an answer.

    Parameters
    ----------
    run : Run
        The run.

    opened : Round
        A round of this run that has not been closed yet.

    Returns
    -------
    record : dict
        An item of `history_`.
    """
    return begun_record(run, opened) | _pseudo_labels(run, opened.pool)


def begun_record(run, opened):
    """Return the record of a round without what needs its model.

    Parameters
    ----------
    run : Run
        The run.

    opened : Round
        A round of this run that has not been closed yet.

    Returns
    -------
    record : dict
        An item of `history_`, except for the number of pseudo-labels.
    """
    # The pool is that of the query, so its labels are those before the round.
    told, pool = opened.rows_told, opened.pool
    return {
        "round": opened.number,
        "strategy": opened.selected_by,
        "n_labeled": int(pool.labeled.sum()),
        "n_queried": len(told),
        "n_abstained": int((~run.ledger.labeled[told]).sum()),
        "fit_seconds": pool.models.fits.seconds,
        "select_seconds": opened.select_seconds,
        "oracle_seconds": opened.oracle_seconds,
        "best_utility": opened.best_utility,
        "mean_utility": opened.mean_utility,
        "same_for_all": pool.noticed.same_for_all,
        "reason": None,
        **_cost(run, told),
    }


def final_record(run, number, pool):
    """Return the record of the model that is fitted on all labels.

    Parameters
    ----------
    run : Run
        The run.

    number : int
        Number of the record.

    pool : Pool
        The pool of the final model.

    Returns
    -------
    record : dict
        An item of `history_`.
    """
    return {
        "round": number,
        "strategy": None,
        "n_labeled": int(run.ledger.labeled.sum()),
        "n_queried": 0,
        "n_abstained": 0,
        "fit_seconds": pool.models.fits.seconds,
        "select_seconds": 0.0,
        "oracle_seconds": 0.0,
        "best_utility": None,
        "mean_utility": None,
        "same_for_all": None,
        "reason": None if run.end is None else run.end.reason,
        **_pseudo_labels(run, pool),
        **_cost(run, []),
    }


def _pseudo_labels(run, pool):
    """Return the number of pseudo-labels if the run makes any."""
    if not isinstance(run.inputs.clf.unlabeled, PseudoLabels):
        return {}
    return {"n_pseudo_labeled": pool.models.n_pseudo_labeled}


def _cost(run, rows):
    """Return the cost of some rows and of all queries so far, if there are prices."""
    cost = run.inputs.cost
    if cost is None:
        return {}
    return {
        "cost": float(cost[rows].sum()),
        "total_cost": run.rounds.total_cost,
    }
