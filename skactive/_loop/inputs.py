"""Everything that is checked before the first label is paid for."""

import itertools
import warnings
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.semi_supervised import LabelPropagation, LabelSpreading
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.metadata_routing import process_routing

from skactive._loop.rehearsal import fails_with
from skactive._models.committee import CommitteeClassifier, get_committee
from skactive._models.pseudo_labels import PseudoLabels
from skactive._pool.pool import starts_warm
from skactive.acquisition._registry import (
    alternatives,
    check_cost,
    check_model,
    check_X,
    clone_strategy,
    uses_committee,
    uses_embedding,
)
from skactive.stopping._registry import check_run, get_criteria
from skactive.utils._capabilities import has_once_fitted
from skactive.utils._containers import check_aligned, index_of, is_in_other_order
from skactive.utils._labels import (
    check_classes,
    check_missing_label,
    check_y,
    is_marker,
    is_null,
)
from skactive.utils._naming import naming
from skactive.utils._pipelines import last_step, refuse_dropping_steps
from skactive.utils._rows import (
    check_rows,
    is_dataframe,
    is_one_dimensional,
    rows_not_finite,
    rows_without_text,
    take_rows,
)
from skactive.utils._shown import shown, shown_values
from skactive.utils._sklearn import (
    _num_samples,
    _raise_for_params,
    get_tags,
    validate_nested_params,
)

# So many rows tell whether an estimator takes rows of their shape.
_N_TRIED = 10


@dataclass(frozen=True)
class Inputs:
    """The checked inputs of one run."""

    X: Any
    y: np.ndarray
    labeled: np.ndarray
    classes: np.ndarray | None
    sample_ids: np.ndarray | None
    cost: np.ndarray | None
    fit_params: dict
    strategy: Any
    initial_strategy: Any
    criteria: list
    budget: int
    seed: int

    @cached_property
    def tie_seed(self):
        """Seed of the one random order of all rows, in which ties are broken."""
        return int(np.random.SeedSequence([self.seed]).generate_state(1, np.uint64)[0])


def check_inputs(clf, X, y, *, sample_ids, cost, fit_params, has_oracle):
    """Check all that can be checked without a model.

    Parameters
    ----------
    clf : ActiveLearningClassifier
        Its parameters are checked; `n_features_in_` and `feature_names_in_` are set.

    X, y, sample_ids, cost, fit_params
        What `fit` was called with.

    has_oracle : bool
        Whether labels can be bought.

    Returns
    -------
    inputs : Inputs
        What the run works on.
    """
    clf._validate_params()
    _raise_for_params(fit_params, clf, "fit")
    with naming("missing_label", clf):
        check_missing_label(clf.missing_label)
    with naming("estimator", clf):
        _check_estimator(clf.estimator)
    X = check_rows(clf, X, reset=True)
    aligned = {"y": y, "sample_ids": sample_ids, "cost": cost}
    check_aligned(X, aligned | fit_params)
    if y is None:
        raise ValueError(
            f"This {type(clf).__name__} estimator requires y to be passed, but the "
            "target y is None."
        )
    y, labeled, labels = check_y(y, clf.missing_label, has_oracle=has_oracle)
    check_consistent_length(X, y)
    with naming("classes", clf):
        classes = check_classes(clf.classes, labels, clf.missing_label)
    _check_unknown_answers(clf)
    _check_minus_one(clf, labels, classes)
    n_samples, n_unlabeled = len(y), int((~labeled).sum())
    _check_pseudo_labels(clf, n_unlabeled)
    with naming("strategy", clf):
        strategy = clone_strategy(clf.strategy)
    with naming("initial_strategy", clf):
        initial_strategy = clone_strategy(clf.initial_strategy)
    with naming("committee", clf):
        committee = get_committee(clf.committee, clf.estimator)
        validate_nested_params(committee)
        if isinstance(committee, CommitteeClassifier):
            with naming("classes", committee):
                check_classes(committee.classes, labels, clf.missing_label)
    validate_nested_params(strategy)
    validate_nested_params(initial_strategy)
    with naming("stopping", clf):
        criteria = get_criteria(clf.stopping)
    for _, criterion in criteria:
        validate_nested_params(criterion)
    budget = _count_budget(clf.budget, n_unlabeled)
    _check_start(clf, labels, n_unlabeled, budget, has_oracle=has_oracle)
    _warn_if_named_otherwise(sample_ids, y=y, cost=cost)
    cost = _check_cost(cost, n_samples)
    if has_oracle and n_unlabeled and budget:
        check_model(strategy, clf.estimator, clf.committee)
        _check_warm_start(
            clf.estimator, clf.committee if uses_committee(strategy) else None
        )
        _check_initial_strategy(initial_strategy)
        for _, criterion in criteria:
            check_run(criterion, clf, X, labels if classes is None else classes)
        for part in (strategy, initial_strategy):
            check_X(part, X)
            check_cost(part, None if cost is None else cost[~labeled])
    return Inputs(
        X=X,
        y=y,
        labeled=labeled,
        classes=classes,
        sample_ids=_check_sample_ids(sample_ids, n_samples),
        cost=cost,
        fit_params=_check_fit_params(clf, fit_params, n_samples),
        strategy=strategy,
        initial_strategy=initial_strategy,
        criteria=criteria,
        budget=budget,
        seed=check_random_state(clf.random_state).randint(np.iinfo(np.int32).max),
    )


def _check_estimator(estimator):
    if get_tags(estimator).estimator_type == "regressor":
        raise ValueError(
            f"estimator must be a classifier, got the regressor {shown(estimator)}."
        )
    if get_tags(estimator).input_tags.pairwise:
        raise ValueError(
            f"estimator={shown(estimator)} works on pairwise kernels or distances, "
            "where rows cannot be taken without columns. Pass features and let it "
            "compute them, for instance SVC(kernel='rbf')."
        )


def _check_initial_strategy(strategy):
    needs = getattr(strategy, "needs", ())
    if not all("embedding" in alternatives(need) for need in needs):
        raise ValueError(
            "initial_strategy must not need a model, as it is used before there is "
            f"one, and {type(strategy).__name__} needs one. Use 'k_means' or 'random'."
        )


def _check_unknown_answers(clf):
    if clf.unknown_answers == "abstain" and clf.classes is None:
        raise ValueError(
            "unknown_answers='abstain' needs `classes`: without a closed set of them "
            "every answer is a class. Set classes=[...], or unknown_answers='raise'."
        )


def _check_warm_start(estimator, committee):
    """Warn if some part of a classifier wants to go on from a fit it will not know."""
    named = committee if isinstance(committee, list) else [("committee", committee)]
    parts = [estimator, *(member for _, member in named)]
    for part in list(parts):
        if hasattr(part, "get_params"):
            parts += part.get_params(deep=True).values()
    last = last_step(estimator)
    cold = [
        type(part).__name__
        for part in parts
        if getattr(part, "warm_start", False) is True
        and not (part is last and starts_warm(estimator))
    ]
    if cold:
        _warn(
            f"warm_start=True of {cold[0]} does nothing here, as a clone of it is "
            "fitted in every round, which begins cold. What goes on from the model of "
            "the round before is a classifier with start_from(fitted), such as those "
            "of skactive.deep, by itself or as the last step of a Pipeline."
        )


def _check_minus_one(clf, labels, classes):
    """Raise where the estimator could not tell -1 from the classes."""
    if clf.unlabeled != "pass":
        return
    known = (labels if classes is None else classes).tolist()
    if -1 in known:
        raise ValueError(
            'unlabeled="pass" hands rows without a label to the estimator as -1, but '
            '-1 is one of the classes. Rename the class, or use unlabeled="ignore".'
        )
    if known and isinstance(known[0], str) and _sorts_y(clf.estimator):
        raise ValueError(
            'unlabeled="pass" hands rows without a label to the estimator as -1, and '
            f"{shown(clf.estimator)} takes no -1 among classes that are strings, such "
            f"as {str(known[0])!r}. Encode the classes as integers, for instance with "
            "LabelEncoder; SelfTrainingClassifier takes strings."
        )


def _check_pseudo_labels(clf, n_unlabeled):
    """Raise where rows cannot be predicted with a confidence."""
    if not isinstance(clf.unlabeled, PseudoLabels):
        return
    clf.unlabeled._validate_params()
    if n_unlabeled and not has_once_fitted(clf.estimator, "predict_proba"):
        raise ValueError(
            f"unlabeled={shown(clf.unlabeled)} trains on rows that are predicted "
            "confidently, for which the estimator needs predict_proba, and "
            f"{shown(clf.estimator)} has none. Use a classifier that has it, or set "
            'unlabeled="ignore".'
        )


def _sorts_y(estimator):
    final = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    return isinstance(final, (LabelPropagation, LabelSpreading))


def _check_start(clf, labels, n_unlabeled, budget, *, has_oracle):
    """Refuse labels that leave nothing to do, warn where they may be a mistake."""
    if len(labels) == 0 and not has_oracle:
        raise ValueError(
            "There are no labels and no oracle: every row of y is marked as missing. "
            "Pass some labels, or an oracle that gives them."
        )
    if len(labels) == 0 and budget == 0:
        raise ValueError("There are no labels, and budget=0 allows to ask for none.")
    if n_unlabeled and not has_oracle:
        _warn(
            "There is no oracle, so rows without a label stay so; the estimator is "
            "fitted on the labels there are."
        )
    if not n_unlabeled and has_oracle:
        _warn(
            "y contains no unlabeled samples, so the oracle will not be asked. Rows "
            f"without a label are marked by {clf.missing_label!r}; a meta-estimator "
            "around this one may have encoded y."
        )
    only_one = is_marker(-1, clf.missing_label) and np.unique(labels).tolist() == [1]
    if only_one and clf.classes is None:
        _warn(
            "The only class with labels is 1, and the missing label is -1. If -1 is a "
            "class here, choose another marker, for instance missing_label=None."
        )


def _warn(message):
    # From here over check_inputs, LabelingLoop and fit to the caller.
    warnings.warn(message, UserWarning, stacklevel=8)


def _count_budget(budget, n_unlabeled):
    """Return the budget as a number of rows."""
    if budget is None:
        return n_unlabeled
    if isinstance(budget, (float, np.floating)):
        budget = max(1, int(budget * n_unlabeled))
    return min(int(budget), n_unlabeled)


def _check_sample_ids(sample_ids, n_samples):
    if sample_ids is None:
        return None
    values = np.asarray(sample_ids)
    if values.ndim != 1 or len(values) != n_samples:
        raise ValueError(
            f"sample_ids must hold one id for each of the {n_samples} rows, got an "
            f"array of shape {values.shape}."
        )
    is_sequence = isinstance(sample_ids, (list, tuple))
    if values.dtype.kind in "iu" and not is_sequence:
        if len(np.unique(values)) == n_samples:
            return values
    items = list(sample_ids) if is_sequence else values.tolist()
    _check_ids(items)
    if len({isinstance(item, str) for item in items}) > 1 or values.dtype.kind == "f":
        # numpy writes 1 beside "a" as text, and large ints as floats.
        return np.array(items, dtype=object)
    return values


def _check_ids(items):
    """Raise unless all ids are ints or strs, and different."""
    for item in items:
        is_int = isinstance(item, (int, np.integer)) and not isinstance(item, bool)
        if not (is_int or isinstance(item, str)):
            raise ValueError(
                f"sample_ids must be ints or strs, got {shown(item)} of type "
                f"{type(item).__name__}. Ids of other types can be turned into text, "
                "for instance by df.index.astype(str)."
            )
    seen = set()
    twice = next((i for i in items if i in seen or seen.add(i)), None)
    if twice is not None:
        raise ValueError(
            f"sample_ids must be unique, but {twice!r} stands for several rows. Ids of "
            "rows of several files can be joined, for instance f'{file}-{number}'."
        )


def _warn_if_named_otherwise(sample_ids, **others):
    """Warn where values could be meant by the ids of the rows, in another order."""
    if sample_ids is None or index_of(sample_ids) is not None:
        return
    for name, values in others.items():
        if is_in_other_order(values, sample_ids):
            _warn(
                f"{name} is matched with the rows by position, although its index "
                f"holds the sample_ids in another order. If that is meant, pass "
                f"{name}.to_numpy(); if not, {name}.loc[sample_ids]."
            )


def _check_cost(cost, n_samples):
    if cost is None:
        return None
    try:
        cost = np.asarray(cost, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise type(error)(f"cost must hold numbers: {error}") from error
    expected = f"cost must hold a finite number >= 0 for each of the {n_samples} rows"
    if cost.shape != (n_samples,):
        raise ValueError(f"{expected}, got an array of shape {cost.shape}.")
    wrong = np.flatnonzero(~(np.isfinite(cost) & (cost >= 0)))
    if len(wrong):
        raise ValueError(
            f"{expected}, got {shown_values(cost[wrong])} in the rows "
            f"{shown_values(wrong)}."
        )
    return cost


def _check_fit_params(clf, fit_params, n_samples):
    """Return the parameters that go to the estimator's fit."""
    for name, value in fit_params.items():
        per_row = name.endswith(("sample_weight", "groups", "sample_ids"))
        if per_row and value is not None and _num_samples(value) != n_samples:
            raise ValueError(
                f"{name} must hold one value for each of the {n_samples} rows, got "
                f"{_num_samples(value)}."
            )
    return dict(process_routing(clf, "fit", **fit_params).estimator.fit)


def check_first_model(pool, strategy, embedder, estimator, committee, classes):
    """Try before the first payment whether the estimator can be fitted at all.

    Parameters
    ----------
    pool : Pool
        The first round.

    strategy : strategy object
        The strategy of the run.

    embedder : Embedding
        The features of the rows.

    estimator : estimator object
        The unfitted classifier.

    committee : int, list of (str, classifier), classifier, or None
        The unfitted committee, None if the strategy looks at none.

    classes : ndarray of shape (n_classes,)
        Classes that labels may have.
    """
    refuse_dropping_steps(estimator, pool.X)
    if committee is not None:
        refuse_dropping_steps(committee, pool.X)
    is_flat = is_one_dimensional(pool.X)
    risky = rows_without_text(pool.X) if is_flat else rows_not_finite(pool.X)
    if is_flat and len(risky):
        _check_missing_items(pool, embedder, risky, classes)
        risky = risky[:0]
    if uses_embedding(strategy, estimator) and embedder.is_impossible():
        raise ValueError(
            f"The strategy {type(strategy).__name__} needs rows that are numbers "
            "without NaN. Put steps that make them so into a Pipeline with the "
            "estimator, or choose a strategy that needs the model only, such as "
            "'margin'."
        )
    if pool.can_fit:
        _try_model(pool, embedder, risky)
        return
    validate_nested_params(estimator)
    _refuse_dimensions(pool.X, estimator)
    if len(risky) and not _takes_nan(estimator, embedder, risky):
        _refuse_nan(estimator, pool.X, risky)


def _try_model(pool, embedder, risky):
    """Fit the first model, and let it predict rows that it may not take."""
    try:
        model = pool.estimator
        if len(risky):
            model.predict(take_rows(pool.X, risky[:1000]))
    except (AttributeError, TypeError, ValueError):
        if len(risky) and not _takes_nan(pool.unfitted, embedder, risky):
            _refuse_nan(pool.unfitted, pool.X, risky)
        _refuse_dimensions(pool.X, pool.unfitted)
        raise


def _refuse_nan(estimator, X, risky):
    column = _missing_text(X, risky)
    if column is not None:
        raise ValueError(
            f"The column {column!r} of X has no text in row {risky[0]} among others, "
            f"which {shown(estimator)} does not take. Write an empty text in its "
            f"place, as in X[{column!r}].fillna(''), or impute it in a Pipeline inside."
        )
    raise ValueError(
        f"Input X contains NaN or infinity, in row {risky[0]} among others, which "
        f"{shown(estimator)} does not take. Impute them in a Pipeline inside, or use "
        "a classifier that takes them, such as HistGradientBoostingClassifier."
    )


def _missing_text(X, risky):
    """Return the first column of texts in which one is missing in a row, or None."""
    if not is_dataframe(X):
        return None
    for name in X.columns:
        column = np.asarray(X[name], dtype=object)
        if is_null(column[risky[0]]) and any(isinstance(v, str) for v in column):
            return name
    return None


def _check_missing_items(pool, embedder, rows, classes):
    """Raise if some of the texts are missing, and the classifier minds."""
    if isinstance(pool.unfitted, Pipeline):
        minds = len(rows) == len(pool.y) or embedder.fails_only_with(rows)
    else:
        minds = fails_with(pool, rows, classes)
    if minds:
        value = next(itertools.islice(pool.X, int(rows[0]), None))
        way = "Write an empty text in its place, as in [text or '' for text in X]"
        if not is_null(value):
            way = "Make texts of all rows, as in [str(text) for text in X]"
        raise ValueError(
            f"X holds {shown(value)} instead of a text in {len(rows)} of {len(pool.y)} "
            f"rows, the first of which is row {rows[0]}, and "
            f"{shown(pool.unfitted)} does not take that. {way}, or leave out "
            "such rows."
        )


def _refuse_dimensions(X, estimator):
    """Raise the estimator's own error if it takes flat rows and none of this shape."""
    if getattr(X, "ndim", 2) <= 2 or get_tags(estimator).input_tags.three_d_array:
        return
    rows = X[:_N_TRIED]
    flat, y = rows.reshape(len(rows), -1), np.arange(len(rows)) % 2
    trial = clone(estimator)
    last = last_step(trial)
    if "max_epochs" in last.get_params(deep=False):  # a network takes them or not
        last.set_params(max_epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            clone(trial).fit(rows, y)
            return
        except Exception as error:  # of the estimator, whatever it is
            refusal = error
        try:
            clone(trial).fit(flat, y)
        except Exception:  # so few rows tell nothing
            return
    refusal.add_note(
        f"X has the shape {X.shape}, and {shown(estimator)} takes rows that are flat. "
        "Put a step that makes them so into a Pipeline with it, or pass "
        "X.reshape(len(X), -1)."
    )
    raise refusal


def _takes_nan(estimator, embedder, risky):
    if not isinstance(estimator, Pipeline):
        return get_tags(estimator).input_tags.allow_nan
    if embedder.finds_nan():
        return get_tags(estimator.steps[-1][1]).input_tags.allow_nan
    return not embedder.fails_only_with(risky)
