"""Checks for parts that are written elsewhere."""

import pickle
import warnings

import joblib
import numpy as np
from scipy.sparse import csr_matrix, issparse
from sklearn.base import BaseEstimator, clone
from sklearn.datasets import make_blobs
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler

from skactive._blocks import BlockPredictor
from skactive._classifier import ActiveLearningClassifier
from skactive._loop import Query
from skactive._pool import Pool
from skactive.acquisition._base import FunctionStrategy, select_queries, utilities
from skactive.acquisition._registry import check_model, get_strategy
from skactive.exceptions import OracleError
from skactive.oracles import SimulatedOracle
from skactive.oracles._asking import answer_list, ask_oracle, oracle_keywords
from skactive.stopping._base import FunctionCriterion
from skactive.stopping._registry import check_run, clone_criterion, get_criterion
from skactive.utils._labels import kind_of, parse_label
from skactive.utils._rows import take_rows
from skactive.utils._sklearn import _num_samples

__all__ = ["check_oracle", "check_stopping_criterion", "check_strategy"]


def check_oracle(oracle, X, *, sample_ids=None, classes=None, missing_label=-1):
    """Check that an oracle keeps its contract.

    It is asked for the label of each row once: for the first one alone, then for the
    others together. It gets what its signature names, with `classes` also
    probabilities, which are all equal.

    Parameters
    ----------
    oracle : callable
        The oracle.

    X : {array-like, sparse matrix, data frame, list} of length n_rows
        Rows that it can label.

    sample_ids : array-like of shape (n_rows,) or None, default=None
        Ids of the rows.

    classes : array-like of shape (n_classes,) or None, default=None
        The closed set of classes; None if any label will do.

    missing_label : int, str, None or nan, default=-1
        The marker of rows without a label.

    Raises
    ------
    AssertionError
        Saying which part of the contract is broken, and how.

    Examples
    --------
    >>> from skactive.testing import check_oracle
    >>> def ask(X):
    ...     return [int(row[0] > 0) for row in X]
    >>> check_oracle(ask, [[-1.0], [0.5], [2.0]], classes=[0, 1])
    """
    ids = None if sample_ids is None else np.asarray(sample_ids)
    keywords = _checked_keywords(oracle, ids)
    _check_is_its_parameters(oracle)
    labels = []
    n_rows = _num_samples(X)
    for rows in (np.arange(n_rows)[:1], np.arange(n_rows)[1:]):
        if len(rows):
            query = _oracle_query(X, rows, ids, classes)
            stopped, new = _checked_answers(oracle, keywords, query, missing_label)
            labels += new
            if stopped:
                break
    _check_labels(oracle, labels, classes)
    _check_is_its_parameters(oracle)
    _check_pickles_clearly(oracle)
    _check_goes_with_a_classifier(oracle)


def _checked_keywords(oracle, ids):
    try:
        return oracle_keywords(oracle, has_sample_ids=ids is not None)
    except (TypeError, ValueError) as error:
        _require_of_oracle(False, oracle, f"it cannot be called; {error}")


def _oracle_query(X, rows, ids, classes):
    known = np.array([]) if classes is None else np.asarray(classes)
    proba = None
    if len(known):
        proba = np.full((len(rows), len(known)), 1 / len(known))
    return Query(
        X=take_rows(X, rows),
        indices=rows,
        sample_ids=None if ids is None else ids[rows],
        utilities=None,
        round=1,
        classes=known,
        _proba=lambda _: proba,
    )


def _checked_answers(oracle, keywords, query, missing_label):
    """Ask; return whether the oracle has stopped, and its labels."""
    labels = []

    def tell(answers, *, indices):
        for value in answer_list(answers, len(indices), missing_label=missing_label):
            label = parse_label(value, kind=None, missing_label=missing_label)
            labels.extend([] if label is None else [label])

    given = {name: getattr(query, name) for name in ("X", *keywords)}
    before = {name: joblib.hash(value) for name, value in given.items()}
    try:
        stopped = ask_oracle(oracle, keywords, query, tell)
    except (OracleError, ValueError) as error:
        _require_of_oracle(False, oracle, f"its answer is refused: {error}")
    changed = [name for name in given if joblib.hash(given[name]) != before[name]]
    _require_of_oracle(
        not changed, oracle, f"it changes {' and '.join(changed)}, which it was given"
    )
    return stopped, labels


def _check_labels(oracle, labels, classes):
    kinds = {kind_of(np.asarray([label])) for label in labels}
    _require_of_oracle(
        len(kinds) <= 1,
        oracle,
        "its labels must be of one type, got "
        f"{sorted(kind.__name__ for kind in kinds)}",
    )
    if classes is not None:
        unknown = [c for c in labels if c not in np.asarray(classes).tolist()]
        _require_of_oracle(
            not unknown,
            oracle,
            f"it answers {unknown[:5]}, which are not among the classes "
            f"{list(classes)}",
        )


def _check_is_its_parameters(oracle):
    """Check that the parameters of an estimator say all that it is."""
    if not isinstance(oracle, BaseEstimator):
        return
    try:
        twin = clone(oracle)
    except Exception as error:
        _require_of_oracle(False, oracle, f"it cannot be cloned; {error}")
    params = set(oracle.get_params(deep=False))
    _require_of_oracle(
        set(vars(twin)) == params,
        oracle,
        "its __init__ must set its parameters and nothing else, so that a clone is the "
        f"same oracle; a clone has the attributes {sorted(vars(twin))}, the parameters "
        f"are {sorted(params)}",
    )


def _check_pickles_clearly(oracle):
    """Check that an estimator can be pickled, or says why it cannot."""
    if not isinstance(oracle, BaseEstimator):
        return
    try:
        twin = pickle.loads(pickle.dumps(oracle))
    except Exception as error:
        _require_of_oracle(
            isinstance(error, (pickle.PicklingError, TypeError))
            and type(oracle).__name__ in str(error),
            oracle,
            "it must be picklable, or raise a PicklingError or TypeError that names "
            f"{type(oracle).__name__} and says what to do, got {error!r}",
        )
        return
    _require_of_oracle(
        set(twin.get_params(deep=False)) == set(oracle.get_params(deep=False)),
        oracle,
        "it loses parameters when it is pickled",
    )


def _check_goes_with_a_classifier(oracle):
    """Check that a classifier that holds it is cloned, pickled and predicts."""
    clf = ActiveLearningClassifier(DummyClassifier(), oracle=oracle)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # there is nothing to ask
        clf.fit([[0.0], [1.0]], [1, 1], sample_ids=[0, 1])
    try:
        predicted = pickle.loads(pickle.dumps(clf)).predict([[0.0]])
    except Exception as error:
        _require_of_oracle(
            False,
            oracle,
            f"a fitted classifier with it must be picklable and predict, got {error!r}",
        )
    _require_of_oracle(
        predicted.tolist() == [1] and clone(clf).oracle is oracle,
        oracle,
        "a classifier with it must predict after pickling, and pass it on to clones",
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
        X, y = _toy_data(n_classes)
        make_pool = _pool_maker(X, y, estimator)
        for n_queries in (1, 7, len(make_pool())):
            _check_selects_candidates(strategy, make_pool, n_queries)
        _check_states_its_needs(strategy, make_pool)
        _check_repeats_itself(strategy, make_pool)
        _check_sees_blocks(strategy, make_pool)
        _check_runs(strategy, X, y, estimator)
        _check_containers(strategy, X, y, estimator)


def _toy_data(n_classes):
    X, y = make_blobs(90, n_features=5, centers=n_classes, random_state=n_classes)
    return MinMaxScaler().fit_transform(X), y


def _costs(y):
    return 1.0 + np.arange(len(y)) % 3


def _pool_maker(X, y, estimator):
    """Return a function that makes equal pools, whose candidates are no prefix."""
    rng = np.random.default_rng(0)
    first = np.unique(y, return_index=True)[1]
    known = np.union1d(first, rng.choice(len(y), 15, replace=False))
    labeled = np.isin(np.arange(len(y)), known)
    others = np.flatnonzero(~labeled)
    asked = np.isin(np.arange(len(y)), others[:3])

    def make_pool(block_size=None, pool_class=Pool):
        return pool_class(
            X,
            np.where(labeled, y, -1),
            labeled,
            np.flatnonzero(~(labeled | asked)),
            estimator=estimator,
            asked=asked,
            cost=_costs(y),
            random_state=3,
            predictor=BlockPredictor(X, block_size),
        )

    return make_pool


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


def _check_selects_candidates(strategy, make_pool, n_queries):
    pool = make_pool()
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


class _WatchedPool(Pool):
    """A pool that notes what is taken from the model."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        vars(self)["reads"] = set()

    def with_estimator(self, estimator, embedder=None):
        # What another classifier must have is not stated by `needs`.
        other = object.__new__(Pool)
        vars(other).update(vars(super().with_estimator(estimator, embedder)))
        return other

    def embedding(self, rows):
        self.reads.add("embedding")
        return super().embedding(rows)


def _watched(name):
    def read(pool):
        pool.reads.add(name)
        return getattr(super(_WatchedPool, pool), name)

    return property(read)


for _name in ("proba", "decision_function", "votes", "member_proba", "loss"):
    setattr(_WatchedPool, _name, _watched(_name))


def _check_states_its_needs(strategy, make_pool):
    """Check that nothing is taken from the model without having been asked for."""
    pool = make_pool(pool_class=_WatchedPool)
    select_queries(_fresh(strategy), pool, 5)
    needs = getattr(strategy, "needs", ())
    stated = {n for need in needs for n in (need if type(need) is tuple else [need])}
    missing = pool.reads - stated
    # Nothing is known about a function; it is tried in the first round.
    _require(
        not missing or isinstance(strategy, FunctionStrategy),
        strategy,
        f"it takes {sorted(missing)} from the pool and does not state so in `needs`, "
        "so that a classifier without would be found out after labels were paid for",
    )


def _check_repeats_itself(strategy, make_pool):
    first, second = (
        select_queries(_fresh(strategy), make_pool(), 7).rows for _ in range(2)
    )
    _require(
        np.array_equal(first, second),
        strategy,
        "it selected different rows from equal pools; whatever is random must come "
        f"from pool.random_state: {first}, then {second}",
    )


def _check_sees_blocks(strategy, make_pool):
    if not getattr(strategy, "rowwise", False):
        return
    whole = utilities(_fresh(strategy), make_pool())
    blocks = utilities(_fresh(strategy), make_pool(block_size=11))
    _require(
        np.allclose(whole, blocks, rtol=1e-10, atol=1e-12),
        strategy,
        "rowwise is True, but the utility of a row depends on which other rows are "
        "in its block",
    )


def _check_runs(strategy, X, y, estimator):
    """Check that a whole run asks every row once, from its first label to its last."""
    some = np.full(len(y), -1)
    first = np.unique(y, return_index=True)[1]
    some[first] = y[first]
    clf = ActiveLearningClassifier(
        estimator,
        oracle=SimulatedOracle(y),
        strategy=_fresh(strategy),
        batch_size=20,
        budget=None,
        random_state=0,
    ).fit(X, some, sample_ids=np.arange(len(y)), cost=_costs(y))
    _require(
        np.array_equal(np.sort(clf.query_indices_), np.flatnonzero(some == -1))
        and clf.termination_condition_ == "all_labeled"
        and np.array_equal(clf.transduction_, y),
        strategy,
        "a run without a budget must ask every row without a label once",
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


def _require_of_oracle(condition, oracle, message):
    if not condition:
        raise AssertionError(f"{oracle!r} breaks the contract of oracles: {message}.")


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
        X, y = _toy_data(n_classes)
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


def _rounds(X, y, estimator, batch_size, pool_class=Pool):
    """Yield the pools of a run: each third row asked is without an answer."""
    rng = np.random.default_rng(0)
    given = np.unique(y, return_index=True)[1]
    order = rng.permutation(np.setdiff1d(np.arange(len(y)), given))
    held, order = order[:15], order[15:40]
    labeled_iter = np.full(len(y), -1)
    labeled_iter[given], labeled_iter[held] = 0, 1
    asked = np.isin(np.arange(len(y)), held)
    is_held, predictor = asked.copy(), BlockPredictor(X)
    for number in range(1 + len(order) // batch_size):
        labeled = (labeled_iter >= 0) & ~is_held
        yield pool_class(
            X,
            np.where(labeled_iter >= 0, y, -1),
            labeled,
            np.flatnonzero(~(labeled | asked)),
            estimator=estimator,
            asked=asked.copy(),
            round=number + 1,
            labeled_iter=labeled_iter.copy(),
            cost=_costs(y),
            random_state=number,
            predictor=predictor,
        )
        rows = order[number * batch_size :][:batch_size]
        asked[rows] = True
        labeled_iter[rows[rows % 3 > 0]] = number + 1


def _check_rounds(criterion, X, y, estimator, batch_size):
    """Check what is said in the rounds of a run, and that nothing else happens."""
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
            f"{reasons}; whatever is random must come from pool.random_state",
        )


def _params_of(criterion):
    return criterion.get_params() if hasattr(criterion, "get_params") else {}


def _hash_of_pool(pool):
    names = ("X", "y", "labeled", "candidates", "asked", "labeled_iter", "cost")
    return joblib.hash([getattr(pool, name) for name in names])


def _check_stops_a_run(criterion, X, y, estimator, batch_size):
    """Check that a whole run ends because of the criterion, or of want of rows."""
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
    """Check that nothing is taken from the model without having been asked for."""
    first, reads = clone_criterion(criterion), set()
    for pool in _rounds(X, y, estimator, 10, pool_class=_WatchedPool):
        first.update(pool)
        reads |= pool.reads
    needs = getattr(criterion, "needs", ())
    stated = {n for need in needs for n in (need if type(need) is tuple else [need])}
    _require_of_criterion(
        reads <= stated or isinstance(criterion, FunctionCriterion),
        criterion,
        f"it takes {sorted(reads - stated)} from the pool and does not state so in "
        "`needs`, so that a classifier without would be found out after labels were "
        "paid for",
    )


def _require_of_criterion(condition, criterion, problem):
    if not condition:
        raise AssertionError(
            f"{criterion!r} breaks the contract of stopping criteria: {problem}."
        )
