"""Checks of a stopping criterion of your own."""

import joblib
import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression

from skactive._classifier import ActiveLearningClassifier
from skactive._pool.kept import Kept
from skactive.stopping._base import FunctionCriterion
from skactive.stopping._registry import check_run, clone_criterion, get_criterion
from skactive.testing._pool import make_pool
from skactive.testing._toy import WatchedPool, costs, toy_data
from skactive.utils._sklearn import HasMethods, validate_params


@validate_params(
    {"estimator": [HasMethods(["fit", "predict"]), None]},
    prefer_skip_nested_validation=True,
)
def check_stopping_criterion(criterion, estimator=None):
    """Check that a stopping criterion keeps its contract.

    It sees the rounds of several runs, of 1 and of 10 rows, in which some rows stay
    without an answer, and others are kept as a test sample.

    Parameters
    ----------
    criterion : str, criterion object or callable
        The criterion, see :func:`~skactive.stopping.get_criterion`.

    estimator : estimator object or None, default=None
        A classifier that has what the criterion needs; a logistic regression if None.

    Raises
    ------
    AssertionError
        Saying which part of the contract is broken, and how.

    Examples
    --------
    >>> from skactive.stopping import BaseCriterion
    >>> from skactive.testing import check_stopping_criterion
    >>> class Late(BaseCriterion):
    ...     def update(self, pool):
    ...         return "it is late" if pool.round > 5 else None
    >>> check_stopping_criterion(Late())
    """
    criterion = get_criterion(criterion)
    estimator = LogisticRegression() if estimator is None else estimator
    clf = ActiveLearningClassifier(estimator, holdout_fraction=0.2)
    _check_criterion_is_its_parameters(criterion)
    for n_classes in (2, 4):
        X, y = toy_data(n_classes)
        check_run(criterion, clf, X, y)
        _check_criterion_states_its_needs(criterion, X, y, estimator)
        for batch_size in (1, 10):
            _check_rounds(criterion, X, y, estimator, batch_size)
        _check_stops_a_run(criterion, X, y, estimator, batch_size=n_classes)


def _check_criterion_is_its_parameters(criterion):
    if not isinstance(criterion, BaseEstimator):
        return
    params, twin = criterion.get_params(deep=False), clone(criterion)
    _require_of_criterion(
        set(vars(twin)) == set(params),
        criterion,
        "its __init__ must set its parameters and nothing else; a clone has the "
        f"attributes {sorted(vars(twin))}, the parameters are {sorted(params)}",
    )


def _rounds(X, y, estimator, batch_size):
    """Yield the pools of a run in which every third queried row has no answer."""
    rng = np.random.default_rng(0)
    given = np.unique(y, return_index=True)[1]
    order = rng.permutation(np.setdiff1d(np.arange(len(y)), given))
    # A few rounds are enough for the contract, and keep the check fast.
    held, order = order[:15], order[15:40]
    labeled_iter = np.full(len(y), -1)
    labeled_iter[given], labeled_iter[held[::2]] = 0, 1
    asked = np.isin(np.arange(len(y)), held)
    is_held, kept = asked.copy(), Kept.of_run(X, estimator)
    # Every second row of the test sample has an answer.
    holdout = dict.fromkeys(held.tolist()) | {row: y[row] for row in held[::2].tolist()}
    for number in range(1 + len(order) // batch_size):
        labeled = (labeled_iter >= 0) & ~is_held
        yield make_pool(
            X,
            np.where(labeled, y, -1),
            estimator=estimator,
            asked=asked.copy(),
            round=number + 1,
            labeled_iter=labeled_iter.copy(),
            holdout=holdout,
            cost=costs(y),
            random_state=number,
            kept=kept,
        )
        rows = order[number * batch_size :][:batch_size]
        asked[rows] = True
        labeled_iter[rows[rows % 3 > 0]] = number + 1


def _check_rounds(criterion, X, y, estimator, batch_size):
    """Check the reasons in the rounds of a run, and that nothing is changed."""
    first = clone_criterion(criterion)
    params, reasons = _params_of(first), []
    for pool in _rounds(X, y, estimator, batch_size):
        before = _hash_of_pool(pool)
        reason = first.update(pool)
        reasons.append(reason)
        _require_of_criterion(
            reason is None or isinstance(reason, str),
            criterion,
            f"update must return a reason as a str, or None, got {reason!r}",
        )
        _require_of_criterion(
            _hash_of_pool(pool) == before, criterion, "update changes the pool"
        )
    changed = [
        name for name, value in _params_of(first).items() if value is not params[name]
    ]
    _require_of_criterion(
        not changed,
        criterion,
        f"update changes {changed}; keep state in attributes that end in '_'",
    )
    is_estimator = isinstance(criterion, BaseEstimator)
    # Other objects are copied with their state, and must not be used before.
    for given in (criterion, first) if is_estimator else (criterion,):
        other = clone_criterion(given)
        again = [other.update(pool) for pool in _rounds(X, y, estimator, batch_size)]
        _require_of_criterion(
            again == reasons,
            criterion,
            f"a fresh clone said {again} of equal rounds, where the first said "
            f"{reasons}; random numbers must come from pool.random_state only",
        )


def _params_of(criterion):
    return criterion.get_params() if hasattr(criterion, "get_params") else {}


def _hash_of_pool(pool):
    names = ("X", "y", "labeled", "candidates", "asked", "labeled_iter", "cost")
    values = [getattr(pool, name) for name in (*names, "holdout")]
    return joblib.hash(values)


def _check_stops_a_run(criterion, X, y, estimator, batch_size):
    """Check that a whole run ends because of the criterion, or for lack of rows."""
    some = np.full(len(y), -1)
    first = np.unique(y, return_index=True)[1]
    some[first] = y[first]
    clf = ActiveLearningClassifier(
        estimator,
        oracle=lambda X, sample_ids: [y[i] if i % 3 else None for i in sample_ids],
        stopping=criterion,
        batch_size=batch_size,
        budget=25,
        holdout_fraction=0.2,
        random_state=0,
    ).fit(X, some, sample_ids=np.arange(len(y)))
    ended, reason = clf.termination_condition_, clf.history_[-1]["reason"]
    _require_of_criterion(
        (ended == "budget") == (reason is None),
        criterion,
        f"a run ended by {ended!r} with the reason {reason!r}",
    )


def _check_criterion_states_its_needs(criterion, X, y, estimator):
    """Check that only outputs of the model in `needs` are used."""
    first, reads = clone_criterion(criterion), set()
    for unwatched in _rounds(X, y, estimator, 10):
        pool = WatchedPool(unwatched.models)
        first.update(pool)
        reads |= pool.reads
    needs = getattr(criterion, "needs", ())
    stated = {n for need in needs for n in (need if type(need) is tuple else [need])}
    _require_of_criterion(
        reads <= stated or isinstance(criterion, FunctionCriterion),
        criterion,
        f"it uses {sorted(reads - stated)} of the pool and does not say so in `needs`, "
        "so a classifier without them would be rejected only after labels were bought",
    )


def _require_of_criterion(condition, criterion, problem):
    if not condition:
        raise AssertionError(
            f"{criterion!r} breaks the contract of stopping criteria: {problem}."
        )
