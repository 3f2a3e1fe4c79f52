"""Checks of an oracle of your own."""

import pickle
import warnings
from functools import partial

import joblib
import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.dummy import DummyClassifier

from skactive._classifier import ActiveLearningClassifier
from skactive._loop.round import Query
from skactive.exceptions import OracleError
from skactive.oracles._asking import (
    answer_list,
    ask_oracle,
    oracle_keywords,
    prepare_oracle,
)
from skactive.oracles._run_facts import RunFacts
from skactive.utils._labels import check_missing_label, kind_of, parse_label
from skactive.utils._rows import take_rows
from skactive.utils._sklearn import Function, _num_samples, validate_params


@validate_params(
    {
        "oracle": [Function()],
        "sample_ids": ["array-like", None],
        "classes": ["array-like", None],
    },
    prefer_skip_nested_validation=True,
)
def check_oracle(oracle, X, *, sample_ids=None, classes=None, missing_label=-1):
    """Check that an oracle keeps its contract.

    It is asked about each row once: about the first one alone, then about the others
    together. It gets the keywords that its signature names, with `classes` also
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
        The closed set of classes; None if any label is allowed.

    missing_label : int, str, None or nan, default=-1
        The marker of rows without a label.

    Raises
    ------
    AssertionError
        Saying which part of the contract is broken, and how.

    See Also
    --------
    check_label_store : Check an oracle that keeps its answers in a file.

    Examples
    --------
    >>> from skactive.testing import check_oracle
    >>> def ask(X):
    ...     return [int(row[0] > 0) for row in X]
    >>> check_oracle(ask, [[-1.0], [0.5], [2.0]], classes=[0, 1])
    """
    check_missing_label(missing_label)
    ids = None if sample_ids is None else np.asarray(sample_ids)
    keywords = _checked_keywords(oracle, ids)
    asked = _as_in_a_run(oracle, _num_samples(X), missing_label)
    _check_is_its_parameters(oracle)
    labels = []
    n_rows = _num_samples(X)
    # A single row shows whether the oracle returns a sequence even then.
    for rows in (np.arange(n_rows)[:1], np.arange(n_rows)[1:]):
        if len(rows):
            query = _oracle_query(X, rows, ids, classes)
            stopped, new = _checked_answers(
                oracle, asked, keywords, query, missing_label
            )
            labels += new
            if stopped:
                break
    _check_labels(oracle, labels, classes)
    # Again, now that it has answered: its parameters may have changed.
    _check_is_its_parameters(oracle)
    _check_pickles_clearly(oracle)
    _check_goes_with_a_classifier(oracle)


def _checked_keywords(oracle, ids):
    try:
        return oracle_keywords(oracle, has_sample_ids=ids is not None)
    except (TypeError, ValueError) as error:
        _require(False, oracle, f"it cannot be called; {error}")


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


def _as_in_a_run(oracle, n_rows, missing_label):
    """Return what is asked in a run: the oracle, or what its `for_run` returns."""
    facts = RunFacts(
        parse=partial(parse_label, kind=None, missing_label=missing_label),
        missing_label=missing_label,
        progress=lambda: (n_rows, n_rows),
    )
    try:
        return prepare_oracle(oracle, lambda: facts)
    except (TypeError, ValueError) as error:
        _require(False, oracle, f"it cannot be asked in a run; {error}")


def _checked_answers(oracle, asked, keywords, query, missing_label):
    """Ask; return whether the oracle has stopped, and its labels."""
    labels = []

    def tell(answers, *, indices):
        for value in answer_list(answers, len(indices), missing_label=missing_label):
            label = parse_label(value, kind=None, missing_label=missing_label)
            labels.extend([] if label is None else [label])

    # Hashes, as the oracle may change its arguments in place.
    given = {name: getattr(query, name) for name in ("X", *keywords)}
    before = {name: joblib.hash(value) for name, value in given.items()}
    try:
        stopped = ask_oracle(asked, keywords, query, tell)
    except (OracleError, ValueError) as error:
        _require(False, oracle, f"its answer is refused: {error}")
    changed = [name for name in given if joblib.hash(given[name]) != before[name]]
    _require(
        not changed, oracle, f"it changes {' and '.join(changed)}, which it was given"
    )
    return stopped, labels


def _check_labels(oracle, labels, classes):
    kinds = {kind_of(np.asarray([label])) for label in labels}
    _require(
        len(kinds) <= 1,
        oracle,
        "its labels must be of one type, got "
        f"{sorted(kind.__name__ for kind in kinds)}",
    )
    if classes is not None:
        unknown = [c for c in labels if c not in np.asarray(classes).tolist()]
        _require(
            not unknown,
            oracle,
            f"it answers {unknown[:5]}, which are not among the classes "
            f"{list(classes)}",
        )


def _check_is_its_parameters(oracle):
    """Check that an estimator has no state besides its parameters."""
    if not isinstance(oracle, BaseEstimator):
        return
    try:
        twin = clone(oracle)
    except Exception as error:
        _require(False, oracle, f"it cannot be cloned; {error}")
    params = set(oracle.get_params(deep=False))
    _require(
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
    except Exception as error:  # an oracle may hold a window or a connection
        _require(
            isinstance(error, (pickle.PicklingError, TypeError))
            and type(oracle).__name__ in str(error),
            oracle,
            "it must be picklable, or raise a PicklingError or TypeError that names "
            f"{type(oracle).__name__} and says what to do, got {error!r}",
        )
        return
    _require(
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
        _require(
            False,
            oracle,
            f"a fitted classifier with it must be picklable and predict, got {error!r}",
        )
    _require(
        predicted.tolist() == [1] and clone(clf).oracle is oracle,
        oracle,
        "a classifier with it must predict after pickling, and pass it on to clones",
    )


def _require(condition, oracle, message):
    if not condition:
        raise AssertionError(
            f"{oracle!r} breaks the contract of oracles: {message.removesuffix('.')}."
        )
