"""Checks of a strategy of your own."""

import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.base import BaseEstimator, clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from skactive._classifier import ActiveLearningClassifier
from skactive.acquisition._base import (
    FunctionStrategy,
    gives_utility,
    multipliable_needs,
    select_queries,
    utilities,
)
from skactive.acquisition._registry import check_model, get_strategy
from skactive.oracles import SimulatedOracle
from skactive.testing._pool import make_pool
from skactive.testing._toy import WatchedPool, costs, toy_data
from skactive.utils._sklearn import HasMethods, validate_params


@validate_params(
    {"estimator": [HasMethods(["fit", "predict"]), None]},
    prefer_skip_nested_validation=True,
)
def check_strategy(strategy, estimator=None):
    """Check that a strategy keeps its contract.

    Parameters
    ----------
    strategy : str, strategy object or callable
        The strategy, see :func:`~skactive.acquisition.get_strategy`.

    estimator : estimator object or None, default=None
        A classifier that has what the strategy needs; a logistic regression if None.

    Raises
    ------
    AssertionError
        Saying which part of the contract is broken, and how.

    Examples
    --------
    >>> from skactive.acquisition import BaseStrategy
    >>> from skactive.testing import check_strategy
    >>> class FirstFeature(BaseStrategy):
    ...     def utility(self, pool):
    ...         X = pool.X[pool.candidates]
    ...         return X.toarray()[:, 0] if hasattr(X, "toarray") else X[:, 0]
    >>> check_strategy(FirstFeature())
    """
    strategy = get_strategy(strategy)
    estimator = LogisticRegression() if estimator is None else estimator
    check_model(strategy, estimator)
    _check_is_an_estimator(strategy)
    for n_classes in (2, 4):
        X, y = toy_data(n_classes)
        given_X = X.copy()
        new_pool = _pool_maker(X, y, estimator)
        pool = new_pool()
        # A single row, a batch, and the whole pool.
        for n_queries in (1, 7, len(pool)):
            _check_selects_candidates(strategy, pool, n_queries)
        _check_states_its_needs(strategy, new_pool)
        _check_repeats_itself(strategy, new_pool)
        _check_is_not_negative(strategy, new_pool())
        _check_sees_blocks(strategy, new_pool)
        _check_runs(strategy, X, y, estimator)
        _check_containers(strategy, X, y, estimator)
        _require(np.array_equal(X, given_X), strategy, "it changes pool.X")


def _pool_maker(X, y, estimator):
    """Return a function that makes equal pools, whose candidates have gaps."""
    rng = np.random.default_rng(0)
    # A label of each class, so that all models can be fitted.
    first = np.unique(y, return_index=True)[1]
    known = np.union1d(first, rng.choice(len(y), 15, replace=False))
    labeled = np.isin(np.arange(len(y)), known)
    others = np.flatnonzero(~labeled)
    asked = np.isin(np.arange(len(y)), others[:3])

    def new_pool(block_size=None):
        return make_pool(
            X,
            np.where(labeled, y, -1),
            estimator=estimator,
            asked=asked,
            cost=costs(y),
            random_state=3,
            block_size=block_size,
        )

    return new_pool


def _check_is_an_estimator(strategy):
    if not isinstance(strategy, BaseEstimator):
        return
    before = dict(vars(strategy))
    copy = clone(strategy)
    _require(
        list(vars(copy)) == list(before),
        strategy,
        "its __init__ must set its parameters and nothing else, and in their order; "
        f"a clone has the attributes {sorted(vars(copy))}, it has {sorted(before)}",
    )


def _check_selects_candidates(strategy, pool, n_queries):
    selection = select_queries(_fresh(strategy), pool, n_queries)
    _require(
        1 <= len(selection.rows) <= n_queries,
        strategy,
        f"it selected {len(selection.rows)} rows, expected 1 to {n_queries}",
    )
    if selection.utilities is not None:
        _require(
            len(selection.rows) == n_queries,
            strategy,
            f"it selected {len(selection.rows)} rows, expected {n_queries}",
        )


def _check_states_its_needs(strategy, new_pool):
    """Check that only outputs of the model in `needs` are used."""
    pool = WatchedPool(new_pool().models)
    select_queries(_fresh(strategy), pool, 5)
    needs = getattr(strategy, "needs", ())
    stated = {n for need in needs for n in (need if type(need) is tuple else [need])}
    missing = pool.reads - stated
    # Nothing is known about a function; it is tried in the first round.
    _require(
        not missing or isinstance(strategy, FunctionStrategy),
        strategy,
        f"it uses {sorted(missing)} of the pool and does not say so in `needs`, so a "
        "classifier without them would be rejected only after labels were bought",
    )


def _check_repeats_itself(strategy, new_pool):
    first, second = (
        select_queries(_fresh(strategy), new_pool(), 7).rows for _ in range(2)
    )
    _require(
        np.array_equal(first, second),
        strategy,
        "it selected different rows from equal pools; random numbers must come "
        f"from pool.random_state only: {first}, then {second}",
    )


def _check_is_not_negative(strategy, pool):
    if not (getattr(strategy, "nonnegative", False) and gives_utility(strategy)):
        return
    # Decision values, which may replace probabilities, can be negative.
    if "proba" in multipliable_needs(strategy) and not pool.has_output("predict_proba"):
        return
    lowest = utilities(_fresh(strategy), pool).min()
    _require(
        lowest >= 0,
        strategy,
        f"nonnegative is True, which is the default, but it returned {lowest:.3g}, and "
        "Product would multiply it. Set nonnegative = False in the class",
    )


def _check_sees_blocks(strategy, new_pool):
    if not getattr(strategy, "rowwise", False):
        return
    whole = utilities(_fresh(strategy), new_pool())
    # Small blocks, the last of which is not full.
    blocks = utilities(_fresh(strategy), new_pool(block_size=11))
    _require(
        np.allclose(whole, blocks, rtol=1e-10, atol=1e-12),
        strategy,
        "rowwise is True, but the utility of a row depends on which other rows are "
        "in its block",
    )


def _check_runs(strategy, X, y, estimator):
    """Check that a whole run queries every row once, from first to last label."""
    some = np.full(len(y), -1)
    first = np.unique(y, return_index=True)[1]
    some[first] = y[first]
    clf = ActiveLearningClassifier(
        estimator,
        oracle=SimulatedOracle(y),
        strategy=_fresh(strategy),
        batch_size=30,
        budget=None,
        random_state=0,
    ).fit(X, some, sample_ids=np.arange(len(y)), cost=costs(y))
    _require(
        np.array_equal(np.sort(clf.query_indices_), np.flatnonzero(some == -1))
        and clf.termination_condition_ == "all_labeled"
        and np.array_equal(clf.transduction_, y),
        strategy,
        "a run without a budget must query every row without a label once",
    )


def _check_containers(strategy, X, y, estimator):
    """Check that dense and sparse data select the same rows, and float32 any."""
    # Some classifiers learn other models from sparse data; the strategy must not.
    model = make_pipeline(FunctionTransformer(_densify, accept_sparse=True), estimator)
    dense, sparse = (
        select_queries(_fresh(strategy), _pool_maker(data, y, model)(), 5).rows
        for data in (X, csr_matrix(X))
    )
    _require(
        np.array_equal(dense, sparse),
        strategy,
        f"it selects {dense} from dense and {sparse} from equal sparse data",
    )
    # float32 may change which rows are selected, but must not fail.
    pool = _pool_maker(X.astype(np.float32), y, estimator)()
    select_queries(_fresh(strategy), pool, 5)


def _densify(X):
    return X.toarray() if issparse(X) else X


def _fresh(strategy):
    return clone(strategy, safe=False)


def _require(condition, strategy, message):
    if not condition:
        raise AssertionError(
            f"{strategy!r} breaks the contract of strategies: {message}."
        )
