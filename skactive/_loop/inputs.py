"""The inputs of a run, and the checks made before the first label is paid for."""

from dataclasses import dataclass, replace
from functools import cached_property
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.semi_supervised import LabelPropagation, LabelSpreading
from sklearn.utils import check_consistent_length, check_random_state

from skactive._loop.equal_rows import EqualRows
from skactive._loop.fingerprint import fingerprint
from skactive._loop.past import Past
from skactive._loop.row_values import (
    check_costs,
    check_fit_params,
    check_sample_ids,
    warn_if_named_otherwise,
)
from skactive._models.any_committee import get_committee
from skactive._models.committee import CommitteeClassifier
from skactive._models.pseudo_labels import PseudoLabels
from skactive._pool.trainer import starts_warm
from skactive.acquisition._registry import (
    alternatives,
    check_cost,
    check_model,
    check_X,
    clone_strategy,
    uses_committee,
)
from skactive.stopping._registry import check_run, get_criteria
from skactive.utils._capabilities import has_once_fitted
from skactive.utils._containers import check_aligned, hint_of_type, index_of, list_of
from skactive.utils._labels import (
    able_to_hold,
    as_labels,
    check_classes,
    check_missing_label,
    check_y,
    is_marker,
)
from skactive.utils._naming import naming
from skactive.utils._pipelines import last_step
from skactive.utils._rows import (
    check_rows,
)
from skactive.utils._shown import shown, shown_values
from skactive.utils._sklearn import (
    _raise_for_params,
    get_tags,
    validate_nested_params,
)
from skactive.utils._warning import warn_caller


@dataclass(frozen=True)
class Inputs:
    """The checked inputs of a run. They do not change while the run goes on.

    Attributes
    ----------
    clf : ActiveLearningClassifier
        A clone of the classifier, with the parameters of the run.

    given_X : {array-like, sparse matrix, data frame, list} of length n_samples
        All rows, as they were passed.

    X : {ndarray, CSR matrix, data frame, list} of length n_samples
        All rows, checked.

    y : ndarray of shape (n_samples,)
        Labels. Unlabelled rows are marked by the missing label.

    labeled : ndarray of shape (n_samples,), dtype bool
        Mask of the rows with a label in `y`.

    classes : ndarray of shape (n_classes,) or None
        The closed set of classes.

    sample_ids : ndarray of shape (n_samples,) or None
        Ids of the rows.

    cost : ndarray of shape (n_samples,) or None
        Price of the label of each row.

    fit_params : dict
        Parameters for the `fit` of the estimator.

    strategy, initial_strategy : strategy object
        Strategies of this run, without the state of an earlier one.

    criteria : list of (str, criterion object)
        Stopping criteria of this run, with their names.

    budget : int
        The largest number of rows that can be queried.

    limit : float
        Number of queries that the budget allows, those of rows asked about again
        included. It may exceed the number of rows, and may be infinite.

    past : Past
        What earlier runs of the session found out about the rows.

    seed : int
        Seed of the run.
    """

    clf: Any
    given_X: Any
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
    limit: float
    past: Past
    seed: int

    @cached_property
    def tie_seed(self):
        """Seed of the random order of all rows by which ties are broken."""
        return int(np.random.SeedSequence([self.seed]).generate_state(1, np.uint64)[0])

    @cached_property
    def equal_rows(self):
        """The groups of equal rows, and the rows that may be queried."""
        # If a session has asked about a row, no equal row is queried.
        first = self.past.known(len(self.y))
        return EqualRows(
            self.X, self.labeled, self.clf.equal_rows, self.tie_seed, first
        )

    @cached_property
    def fingerprint(self):
        """Description of the data and the parameters, to compare when loading."""
        # On demand, as it reads all of X.
        return fingerprint(self)

    def with_seed(self, seed):
        """Return the same inputs with another seed."""
        return replace(self, seed=seed)

    def names_of(self, rows):
        """Return the names that the index of a Series of labels may have for rows.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,), dtype int
            Row numbers.

        Returns
        -------
        names : list of array of shape (n_rows,)
            Ids, and names in the index of `X`. Row numbers if there are neither.
        """
        known = (self.sample_ids, index_of(self.X))
        return [names[rows] for names in known if names is not None] or [rows]

    def title(self, row):
        """Return the name of a row for messages: its number, and its id if any."""
        if self.sample_ids is None:
            return f"{row}"
        return f"{row} (sample_id {self.sample_ids[[row]].tolist()[0]!r})"

    def find(self, sample_ids):
        """Return the row numbers of ids.

        Parameters
        ----------
        sample_ids : array-like of shape (n_rows,)
            Ids.

        Returns
        -------
        rows : ndarray of shape (n_rows,), dtype int
            Row numbers.

        Raises
        ------
        ValueError
            If the run has no ids, or an id is unknown.
        """
        if self.sample_ids is None:
            raise ValueError(
                "Labels cannot be told by sample_ids, as the loop was made without "
                "them."
            )
        asked, where = list_of(sample_ids), self.row_of_id
        unknown = [sample_id for sample_id in asked if sample_id not in where]
        if unknown:
            raise ValueError(
                f"There are no rows with the sample_ids {shown_values(unknown)}."
                f"{hint_of_type(unknown, where)}"
            )
        return np.array([where[sample_id] for sample_id in asked], dtype=np.intp)

    @cached_property
    def row_of_id(self):
        """The row of each id; None if there are no ids."""
        # Kept, as labels may be told one by one.
        if self.sample_ids is None:
            return None
        return {name: row for row, name in enumerate(self.sample_ids.tolist())}


def check_inputs(
    clf, X, y, *, sample_ids, cost, fit_params, has_oracle, read_past=None
):
    """Check everything that can be checked without a model.

    Parameters
    ----------
    clf : ActiveLearningClassifier
        The classifier. It is not changed.

    X, y, sample_ids, cost, fit_params
        The arguments of `fit`.

    has_oracle : bool
        Whether labels can be bought.

    read_past : callable or None, default=None
        ``read_past(row_of_id) -> Past`` reads the session of the run. None if there is
        no session.

    Returns
    -------
    inputs : Inputs
        The checked inputs.
    """
    # A clone, as a run may take weeks: a parameter that is set on the original in the
    # meantime must not change the run. A RandomState is shared, so that another fit
    # with it draws another seed.
    given_X, random_state, clf = X, clf.random_state, clone(clf)
    clf.random_state = random_state
    clf._validate_params()
    _raise_for_params(fit_params, clf, "fit")
    with naming("missing_label", clf):
        check_missing_label(clf.missing_label)
    with naming("estimator", clf):
        _check_estimator(clf.estimator)
    X = check_rows(clf, X, reset=True)  # sets n_features_in_ of the clone
    aligned = {"y": y, "sample_ids": sample_ids, "cost": cost}
    check_aligned(X, aligned | fit_params)
    if y is None:
        raise ValueError(
            f"This {type(clf).__name__} estimator requires y to be passed, but the "
            "target y is None."
        )
    y, labeled, labels = check_y(y, clf.missing_label, has_oracle=has_oracle)
    check_consistent_length(X, y)
    sample_ids = check_sample_ids(sample_ids, len(y))
    past = _check_past(read_past, sample_ids)
    if past.in_session:
        y, labeled = _without_past(past, y, labeled, clf.missing_label)
        labels = as_labels(y[labeled])
    with naming("classes", clf):
        classes = check_classes(clf.classes, labels, clf.missing_label)
    # Those of the session are compared with the classes when the run begins.
    labels = _with_past(past, labels)
    _check_unknown_answers(clf)
    _check_minus_one(clf, labels, classes)
    n_samples, n_unlabeled = len(y), int((~labeled).sum())
    _check_pseudo_labels(clf, n_unlabeled)
    # Strategies and criteria may keep state, and each fit begins without any.
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
    budget = _count_budget(clf.budget, n_unlabeled + past.n_gone)
    # A row that is asked about again counts once more, and may exceed the pool.
    limit = np.inf if clf.budget is None else budget
    if isinstance(clf.budget, Integral):
        limit = clf.budget
    _check_start(clf, labels, n_unlabeled, budget, has_oracle=has_oracle)
    warn_if_named_otherwise(**aligned)
    cost = check_costs(cost, n_samples)
    # A run that buys nothing is a plain fit, which needs nothing of the strategy.
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
    inputs = Inputs(
        clf=clf,
        given_X=given_X,
        X=X,
        y=y,
        labeled=labeled,
        classes=classes,
        sample_ids=sample_ids,
        cost=cost,
        fit_params=check_fit_params(clf, fit_params, n_samples),
        strategy=strategy,
        initial_strategy=initial_strategy,
        criteria=criteria,
        budget=budget,
        limit=limit,
        past=past,
        # The only draw from random_state. All seeds of the run derive from it.
        seed=check_random_state(clf.random_state).randint(np.iinfo(np.int32).max),
    )
    # Last, so that nothing is refused after all of X was read to find equal rows.
    n_askable = inputs.equal_rows.n_askable + past.n_gone
    return replace(inputs, budget=min(budget, n_askable))


def _check_past(read_past, sample_ids):
    """Return the past of the session, which needs ids."""
    if read_past is None:
        return Past()
    if sample_ids is None:
        raise ValueError(
            "session needs sample_ids, the ids by which rows are recognized when the "
            "session is opened again. Pass ids that never change, for instance "
            "sample_ids=df['id']."
        )
    return read_past({name: row for row, name in enumerate(sample_ids.tolist())})


def _without_past(past, y, labeled, missing_label):
    """Remove the labels of a session from `y`: they were bought, not given.

    If `y` has another label than the session, that of the session is used. A label of
    `y` for a row that is in the test sample or was skipped is added to those of the
    session, unless it was taken back there.
    """
    known = past.known(len(y))
    rows = np.flatnonzero(known & labeled)
    given = dict(zip(rows.tolist(), as_labels(y[rows]).tolist(), strict=True))
    there = dict.fromkeys(past.taken_back) | past.labels
    other = [r for r, label in given.items() if there.get(r, label) != label]
    if other:
        warn_caller(
            f"{len(other)} rows have another label in y than in the session: rows "
            f"{shown_values(other)}. That of the session is used, and none if it was "
            "taken back; `correct` replaces it."
        )
    past.labels = {r: k for r, k in given.items() if r not in there} | past.labels
    past.skipped = [row for row in past.skipped if row not in past.labels]
    y = able_to_hold(y, missing_label)
    y[rows] = missing_label
    return y, labeled & ~known


def _with_past(past, labels):
    """Return the labels, with those of the session appended."""
    if not past.labels:
        return labels
    values = [*labels.tolist(), *past.labels.values()]
    return as_labels(np.array(values, dtype=object))


def _check_estimator(estimator):
    if get_tags(estimator).estimator_type == "regressor":
        raise ValueError(
            f"estimator must be a classifier, got the regressor {shown(estimator)}."
        )
    if get_tags(estimator).input_tags.pairwise:
        raise ValueError(
            f"estimator={shown(estimator)} works on pairwise kernels or distances, "
            "whose rows cannot be selected without their columns. Pass features, and "
            "let the estimator compute the kernel, for instance SVC(kernel='rbf')."
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
            "unknown_answers='abstain' needs `classes`: without a closed set of them, "
            "every answer is a class. Set classes=[...], or unknown_answers='raise'."
        )


def _check_warm_start(estimator, committee):
    """Warn if a part of the classifier has a `warm_start` without any effect."""
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
        warn_caller(
            f"warm_start=True of {cold[0]} has no effect here, as a new clone of it is "
            "fitted in every round. A classifier with start_from(fitted), such as "
            "those of skactive.deep, does go on from the model of the round before, "
            "by itself or as the last step of a Pipeline."
        )


def _check_minus_one(clf, labels, classes):
    """Raise if the estimator could not tell -1 from the classes."""
    if clf.unlabeled != "pass":
        return
    known = (labels if classes is None else classes).tolist()
    if -1 in known:
        raise ValueError(
            'unlabeled="pass" passes rows without a label to the estimator as -1, but '
            '-1 is one of the classes. Rename the class, or use unlabeled="ignore".'
        )
    if known and isinstance(known[0], str) and _sorts_y(clf.estimator):
        raise ValueError(
            'unlabeled="pass" passes rows without a label to the estimator as -1, and '
            f"{shown(clf.estimator)} does not accept -1 beside classes that are "
            f"strings, such as {str(known[0])!r}. Encode the classes as integers, for "
            "instance with LabelEncoder; SelfTrainingClassifier accepts strings."
        )


def _check_pseudo_labels(clf, n_unlabeled):
    """Raise if pseudo-labels are wanted, and there is no confidence for them."""
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
    """Raise if there is nothing to fit on; warn if `y` may be a mistake."""
    if len(labels) == 0 and not has_oracle:
        raise ValueError(
            "There are no labels and no oracle: every row of y is marked as missing. "
            "Pass some labels, or an oracle that gives them."
        )
    if len(labels) == 0 and budget == 0:
        raise ValueError("There are no labels, and budget=0 allows buying none.")
    if n_unlabeled and not has_oracle:
        warn_caller(
            "There is no oracle, so rows without a label stay unlabelled. The "
            "estimator is fitted on the labels of y."
        )
    if not n_unlabeled and has_oracle:
        warn_caller(
            "y contains no unlabeled samples, so the oracle will not be asked. Rows "
            f"without a label are marked by {clf.missing_label!r}; a meta-estimator "
            "around this one may have encoded y."
        )
    only_one = is_marker(-1, clf.missing_label) and np.unique(labels).tolist() == [1]
    if only_one and clf.classes is None:
        warn_caller(
            "The only class with labels is 1, and the missing label is -1. If -1 is a "
            "class here, choose another marker, for instance missing_label=None."
        )


def _count_budget(budget, n_unlabeled):
    """Return the budget as a number of rows."""
    if budget is None:
        return n_unlabeled
    if isinstance(budget, (float, np.floating)):
        # A fraction of a small pool must not be rounded down to nothing.
        budget = max(1, int(budget * n_unlabeled))
    return min(int(budget), n_unlabeled)
