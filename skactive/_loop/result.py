"""What a run has found: the attributes of the fitted classifier."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skactive._loop.history import final_record, round_record
from skactive._loop.keeping import explaining_fit, keeping_labels
from skactive._loop.waiting import warn_of_no_committee
from skactive.acquisition._registry import uses_committee
from skactive.exceptions import ActiveLearningError
from skactive.utils._new_classes import late_and_once
from skactive.utils._shown import shown_values
from skactive.utils._warning import warn_caller


@dataclass(frozen=True)
class Result:
    """The models that are fitted on all labels of a run.

    Attributes
    ----------
    run : Run
        The run.

    pool : Pool
        The pool of the final model, whose estimator is fitted.

    committee : classifier or None
        The committee, if the run used one.

    holdout : dict
        The attributes that the test sample gives.
    """

    run: Any
    pool: Any
    committee: Any
    holdout: dict

    def attributes(self):
        """Return the attributes of the fitted classifier.

        Returns
        -------
        attributes : dict
            From names to values.
        """
        attributes = current_attributes(self.run) | self.holdout
        number = attributes["n_iter_"] + 1
        record = final_record(self.run, number, self.pool)
        return attributes | {
            "estimator_": self.pool.estimator,
            "classes_": np.asarray(self.pool.estimator.classes_),
            "committee_": self.committee,
            "history_": [*attributes["history_"], record],
            "termination_condition_": self.run.condition,
        }


def fit_result(run):
    """Fit the final models of a run, on all labels.

    Parameters
    ----------
    run : Run
        The run, at any time.

    Returns
    -------
    result : Result
        The fitted models.

    Raises
    ------
    ActiveLearningError
        If there is no label, or the estimator cannot be fitted on the labels.
    """
    with keeping_labels(run):
        _check_any_label(run)
        holdout = _holdout_attributes(run)
        pool = _final_pool(run)
        committee = _final_committee(run, pool)
    if run.condition is not None:
        _warn_if_nothing_was_bought(run)
        _warn_of_late_classes(run)
    return Result(run, pool, committee, holdout)


def current_attributes(run):
    """Return the attributes that are current at any time, even after a failure.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    attributes : dict
        From names to values.
    """
    inputs, ledger, history = run.inputs, run.ledger, list(run.history)
    if run.open is not None and run.open.told.any():
        history.append(round_record(run, run.open))
    attributes = {
        "transduction_": ledger.y.copy(),
        "labeled_iter_": ledger.labeled_iter.copy(),
        "query_indices_": np.array(run.queries, dtype=np.intp),
        "n_queries_": run.n_queries,
        "n_askable_": inputs.equal_rows.n_askable,
        "n_iter_": len(history),
        "history_": history,
        "strategy_": inputs.strategy,
        "committee_": None,
    }
    for name in ("n_features_in_", "feature_names_in_"):
        if hasattr(inputs.clf, name):
            attributes[name] = getattr(inputs.clf, name)
    if len(run.holdout):
        attributes["holdout_indices_"] = run.holdout.answered(ledger)
    if not np.isnan(run.drawn).all():
        attributes["query_probabilities_"] = np.array(run.drawn)
    if run.end is not None:
        attributes["termination_condition_"] = run.end.condition
    return attributes


def _check_any_label(run):
    if not run.ledger.labeled.any():
        raise ActiveLearningError(
            f"No row has a label, and {run.n_queries} rows were asked, so no "
            "classifier can be fitted.",
            **run.bought(),
        )


def _holdout_attributes(run):
    """Return what the test sample says about a model that has not seen it."""
    if not len(run.holdout):
        return {}
    pool = None
    if run.n_queries:
        pool = run.models.last_on(run.ledger.trainable)
        if pool is None:
            pool = run.models.new_pool(run, run.number, can_fit=True)
    score, interval = run.holdout.evaluate(run.ledger, pool)
    return {"holdout_score_": score, "holdout_interval_": interval}


def _final_pool(run):
    """Return a pool with all labels whose estimator is fitted."""
    pool = run.models.last_on(run.ledger.labeled)
    if pool is None:
        pool = run.models.new_pool(run, run.number, final=True, can_fit=True)
    with explaining_fit(run, pool):
        pool.estimator  # noqa: B018
    return pool


def _final_committee(run, pool):
    """Return the committee fitted on all labels, None if the run had none."""
    if not run.n_queries or not uses_committee(run.inputs.strategy):
        return None
    with explaining_fit(run, pool):
        try:
            return pool.committee
        except Exception as error:
            if not run.models.waiting.is_want_of_labels(pool, error):
                raise
            warn_of_no_committee(pool, error)
    return None


def _warn_if_nothing_was_bought(run):
    if run.n_queries and not run.ledger.labeled[run.queries].any():
        warn_caller(
            f"The oracle abstained on all {run.n_queries} rows that it was "
            "asked, so the estimator is fitted on the labels of y alone."
        )


def _warn_of_late_classes(run):
    """Warn of new classes that may be typing errors, or sentences of refusal."""
    if run.inputs.classes is not None:
        return
    ledger = run.ledger
    rows = [row for row in run.queries if ledger.labeled[row]]
    bought = ledger.labels(rows).tolist()
    given = ledger.labels(ledger.labeled_iter == 0).tolist()
    late = late_and_once(given, bought)
    if late:
        names = shown_values([bought[i] for i in late])
        where = shown_values([rows[i] for i in late])
        warn_caller(
            f"The classes {names} came late and have one label each, in the rows "
            f"{where}. If they are no classes, but mistakes or refusals, name "
            "those that there are: classes=..., with unknown_answers='abstain'."
        )
