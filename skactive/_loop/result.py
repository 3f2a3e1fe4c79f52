"""The result of a run: the attributes of the fitted classifier."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skactive._loop.history import final_record, round_record
from skactive._loop.keeping import explaining_fit, keeping_labels
from skactive._loop.waiting import may_need_labels, warn_of_no_committee
from skactive.acquisition._registry import uses_committee
from skactive.exceptions import ActiveLearningError
from skactive.utils._new_classes import late_and_once
from skactive.utils._shown import shown_values
from skactive.utils._warning import warn_caller


@dataclass(frozen=True)
class Result:
    """The models fitted on all labels of a run.

    Attributes
    ----------
    run : Run
        The run.

    pool : Pool
        The pool of the final model. Its estimator is fitted.

    committee : classifier or None
        The committee, fitted on all labels. None if the run did not use one, or if it
        cannot be fitted on them.

    holdout : dict
        The attributes `holdout_score_` and `holdout_interval_`. Empty without a test
        sample.
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
            The values by name.
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
        If no row has a label, or the estimator cannot be fitted on the labels.
    """
    with keeping_labels(run):
        _check_any_label(run)
        holdout = _holdout_attributes(run)
        pool = _final_pool(run)
        committee = _final_committee(run, pool)
        # While labels can still come in, neither is surprising.
        if run.condition is not None:
            _warn_if_nothing_was_bought(run)
            _warn_of_late_classes(run)
    return Result(run, pool, committee, holdout)


def current_attributes(run):
    """Return the attributes that need no final model, at any time.

    They are also set after a failed fit.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    attributes : dict
        The values by name.
    """
    # Other threads may tell meanwhile.
    with run.lock:
        inputs, ledger, history = run.inputs, run.ledger, list(run.rounds.history)
        # An open round counts as far as it was answered.
        if run.rounds.open is not None and run.rounds.open.told.any():
            history.append(round_record(run, run.rounds.open))
        attributes = {
            "transduction_": ledger.y.copy(),
            "labeled_iter_": ledger.labeled_iter.copy(),
            "query_indices_": np.array(run.rounds.query_indices, dtype=np.intp),
            "query_rounds_": np.array(run.rounds.query_rounds, dtype=np.intp),
            "n_queries_": run.rounds.n_queries,
            "n_unasked_": ledger.n_unasked,
            "corrections_": list(run.log.corrections),
            "n_askable_": inputs.equal_rows.n_askable,
            "n_iter_": len(history),
            "history_": history,
            "strategy_": inputs.strategy,
            "committee_": None,
        }
        # Set on the clone when the rows were checked.
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(inputs.clf, name):
                attributes[name] = getattr(inputs.clf, name)
        if len(run.holdout):
            attributes["holdout_indices_"] = run.holdout.answered(ledger)
        if not np.isnan(run.rounds.query_probabilities).all():
            attributes["query_probabilities_"] = np.array(
                run.rounds.query_probabilities
            )
        if run.end is not None:
            attributes["termination_condition_"] = run.end.condition
        return attributes


def _check_any_label(run):
    if not run.ledger.labeled.any():
        raise ActiveLearningError(
            f"No row has a label, and {run.rounds.n_queries} rows were queried, so no "
            "classifier can be fitted.",
            **run.bought(),
        )


def _holdout_attributes(run):
    """Return the score on the test sample of a model that has not seen it."""
    if not len(run.holdout):
        return {}
    pool = None
    if run.rounds.n_queries:
        pool = run.models.last_pool_fitted_on(run.ledger.trainable)
        if pool is None:
            pool = run.models.new_pool(run, can_fit=True)
    score, interval = run.holdout.evaluate(run.ledger, pool)
    return {"holdout_score_": score, "holdout_interval_": interval}


def _final_pool(run):
    """Return a pool whose estimator is fitted on all labels."""
    pool = run.models.last_pool_fitted_on(run.ledger.labeled)
    if pool is None:
        pool = run.models.new_pool(run, final=True, can_fit=True)
    with explaining_fit(run, pool):
        pool.estimator  # noqa: B018
    return pool


def _final_committee(run, pool):
    """Return the committee fitted on all labels, or None."""
    if not run.rounds.n_queries or not uses_committee(run.inputs.strategy):
        return None
    with explaining_fit(run, pool):
        try:
            return pool.committee
        except Exception as error:
            # The estimator could be fitted. A member that could not is not a reason to
            # lose the run, if more labels may help it.
            if not may_need_labels(pool, error):
                raise
            warn_of_no_committee(pool, error)
    return None


def _warn_if_nothing_was_bought(run):
    if run.rounds.n_queries and not run.ledger.labeled[run.rounds.query_indices].any():
        warn_caller(
            f"The oracle abstained on all {run.rounds.n_queries} rows that it was "
            "asked about, so the estimator is fitted on the labels of y alone."
        )


def _warn_of_late_classes(run):
    """Warn about new classes that may be typing errors, or refusals to answer."""
    if run.inputs.classes is not None:
        return
    ledger = run.ledger
    rows = [row for row in run.rounds.query_indices if ledger.labeled[row]]
    bought = ledger.labels(rows).tolist()
    given = ledger.labels(ledger.labeled_iter == 0).tolist()
    late = late_and_once(given, bought)
    if late:
        names = shown_values([bought[i] for i in late])
        where = ", ".join(run.inputs.title(rows[i]) for i in late[:5])
        warn_caller(
            f"The classes {names} came late and have one label each, in the rows "
            f"{where}. If they are mistakes or refusals, and not classes, list the "
            "classes that exist: classes=..., with unknown_answers='abstain'."
        )
