"""A pool for a test of a strategy or a stopping criterion, from arrays."""

from dataclasses import fields
from numbers import Integral

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_consistent_length

from skactive._classifier import ActiveLearningClassifier
from skactive._loop.row_values import check_costs, check_lengths
from skactive._pool.facts import Facts
from skactive._pool.held_rows import HeldRows
from skactive._pool.kept import Kept
from skactive._pool.models import RoundModels
from skactive._pool.pool import Pool
from skactive.utils._containers import check_aligned
from skactive.utils._labels import (
    as_labels,
    check_classes,
    check_missing_label,
    check_y,
    column_y,
)
from skactive.utils._rows import check_rows
from skactive.utils._shown import shown
from skactive.utils._sklearn import HasMethods, Interval, validate_parameter_constraints

_NAMES = [field.name for field in fields(Facts)]

_MASK = "a mask of the rows: expected an array of bools"
_OF_A_RUN = ActiveLearningClassifier._parameter_constraints
_AT_LEAST_0 = [Interval(Integral, 0, None, closed="left")]
_AT_LEAST_1 = [Interval(Integral, 1, None, closed="left")]
_CONSTRAINTS = {
    "estimator": [HasMethods(["fit"]), None],
    "committee": _OF_A_RUN["committee"],
    "block_size": [*_AT_LEAST_1, None],
    "kept": [Kept, None],
    "round": _AT_LEAST_1,
    "holdout": [dict, None],
    "history": [list, tuple],
    "unlabeled": _OF_A_RUN["unlabeled"],
    "fit_params": [dict, None],
    "random_state": _AT_LEAST_0,
    "tie_seed": _AT_LEAST_0,
    "n_jobs": _OF_A_RUN["n_jobs"],
    "can_fit": ["boolean"],
}


def make_pool(
    X,
    y,
    labeled=None,
    candidates=None,
    *,
    estimator=None,
    committee=None,
    missing_label=-1,
    teacher=None,
    block_size=None,
    kept=None,
    **facts,
):
    """Create a pool from arrays, to test a strategy or a stopping criterion.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_samples
        All rows.

    y : array-like of shape (n_samples,)
        Labels, and `missing_label` where none is known.

    labeled : array-like of shape (n_samples,), dtype bool, default=None
        Rows whose label is known and trained on. If None, those whose `y` is not
        `missing_label`.

    candidates : array-like of shape (n_candidates,), dtype int, default=None
        Row numbers of `X` that may be queried, ascending. If None, those of all rows
        that are neither labelled, nor in `asked` or `holdout`.

    estimator : estimator object or None, default=None
        Unfitted classifier; a logistic regression if None.

    committee : int, list, estimator object or None, default=None
        Unfitted committee, see :class:`~skactive.ActiveLearningClassifier`.

    missing_label : int, str, None or nan, default=-1
        Marker in `y` of rows without a label. It is used only where `labeled` is None.

    teacher : estimator object or None, default=None
        Fitted classifier of an earlier round, for :class:`~skactive.PseudoLabels` or a
        warm start.

    block_size : int or None, default=None
        Number of rows in one block. A small one shows whether a strategy whose
        `rowwise` is True depends on the rows of one block only. If None, the rows of a
        test are in one block.

    kept : Kept or None, default=None
        What a run keeps from round to round, such as an embedding of all rows:
        ``models.kept`` of the pool of an earlier round, or something new if None.

    **facts : dict
        Other attributes of :class:`~skactive.Pool` that are known before a model is
        fitted: `asked`, `round`, `labeled_iter`, `holdout`, `history`, `unlabeled`,
        `cost`, `fit_params`, `all_classes`, `random_state`, `tie_seed`, `n_jobs` and
        `can_fit`. Here `holdout` may be a dict of row numbers and their labels, None
        for rows without an answer; `y` holds `missing_label` in these rows. `can_fit`
        is False by default if no row is labelled.

    Returns
    -------
    pool : Pool
        The pool. Nothing is fitted yet.

    Examples
    --------
    >>> from skactive.acquisition import MarginSampling
    >>> from skactive.testing import make_pool
    >>> pool = make_pool(X=[[0.0], [9.0], [4.4], [8.0]], y=[0, 1, -1, -1])
    >>> MarginSampling().select(pool, n_queries=1).rows
    array([2])
    """
    unknown = sorted(facts.keys() - set(_NAMES[4:]))
    if unknown:
        raise TypeError(
            f"make_pool got the keywords {unknown}, which are not facts of a round; "
            f"these are {_NAMES[4:]}."
        )
    check_missing_label(missing_label)
    given = {"estimator": estimator, "committee": committee, "kept": kept}
    validate_parameter_constraints(
        _CONSTRAINTS, given | {"block_size": block_size} | facts, "make_pool"
    )
    estimator = LogisticRegression() if estimator is None else estimator
    # Rows are checked, and converted, as by a run.
    given_X, X = X, check_rows(ActiveLearningClassifier(estimator), X, reset=True)
    check_aligned(given_X, {"y": y, "cost": facts.get("cost")})
    y, labeled = _labels(y, labeled, missing_label)
    check_consistent_length(X, y)
    facts = _as_in_a_run(facts, y, labeled, missing_label)
    if candidates is None:
        candidates = np.flatnonzero(~(labeled | facts["asked"] | facts["holdout"].mask))
    candidates = _candidates(candidates, len(y))
    known = Facts(X, y, labeled, candidates, **facts)
    if kept is None:
        kept = Kept.of_run(X, estimator, known.all_classes, block_size=block_size)
    models = RoundModels(known, estimator, committee, teacher=teacher, kept=kept)
    return Pool(models)


def _labels(y, labeled, missing_label):
    """Return `y` as an array, and the mask of labelled rows."""
    if labeled is None:
        y, labeled, _ = check_y(y, missing_label, has_oracle=True)
        return y, labeled
    y = column_y(y)
    return y, _per_row(labeled, "labeled", len(y), _MASK, "b")


def _as_in_a_run(facts, y, labeled, missing_label):
    """Return facts in the types that a run gives them."""
    n_samples = len(y)
    asked, labeled_iter = facts.get("asked"), facts.get("labeled_iter")
    facts["asked"] = (
        np.zeros(n_samples, dtype=bool)
        if asked is None
        else _per_row(asked, "asked", n_samples, _MASK, "b")
    )
    if labeled_iter is not None:
        facts["labeled_iter"] = _per_row(
            labeled_iter, "labeled_iter", n_samples, "an array of round numbers", "iu"
        )
    facts["holdout"] = _held_rows(facts.get("holdout"), labeled)
    facts["history"] = tuple(facts.get("history", ()))
    if not all(isinstance(record, dict) for record in facts["history"]):
        raise ValueError(
            f"history must hold one dict for each round, got {shown(facts['history'])}."
        )
    facts["cost"] = check_costs(facts.get("cost"), n_samples)
    check_lengths(facts.get("fit_params") or {}, n_samples)
    facts["all_classes"] = check_classes(
        facts.get("all_classes"),
        as_labels(y[labeled]),
        missing_label,
        name="all_classes",
    )
    facts.setdefault("can_fit", bool(labeled.any()))
    return facts


def _per_row(values, name, n_samples, what, kinds):
    values = np.asarray(values)
    if values.shape != (n_samples,) or values.dtype.kind not in kinds:
        raise ValueError(
            f"{name} must be {what} of shape ({n_samples},), got one of dtype "
            f"{values.dtype} and shape {values.shape}."
        )
    return values


def _held_rows(holdout, labeled):
    """Return the test sample as the run passes it."""
    n_samples = len(labeled)
    if holdout is None:
        return HeldRows.none(n_samples)
    held = _row_numbers(sorted(holdout), "holdout", n_samples)
    if labeled[held].any():
        raise ValueError(
            f"holdout contains the rows {held[labeled[held]]}, which are labelled in "
            "y; no model may be trained on them. Give their labels in holdout alone."
        )
    answered = [row for row in held.tolist() if holdout[row] is not None]
    return HeldRows(
        np.isin(np.arange(n_samples), held),
        np.array(answered, dtype=np.intp),
        np.array([holdout[row] for row in answered]),
    )


def _candidates(rows, n_samples):
    rows = _row_numbers(rows, "candidates", n_samples)
    if not len(rows):
        raise ValueError(
            "There are no candidates: every row is labelled, asked or held out. Rows "
            "without a label hold missing_label in y, which is -1 by default."
        )
    return rows


def _row_numbers(rows, name, n_samples):
    rows = np.asarray(rows)
    if rows.size == 0:
        rows = rows.astype(np.intp)
    valid = rows.ndim == 1 and rows.dtype.kind in "iu"
    # Differences of at least 1, also to -1 and n_samples, mean ascending and in range.
    if not valid or (np.diff(rows, prepend=-1, append=n_samples) < 1).any():
        raise ValueError(
            f"{name} must be different row numbers of X in ascending order, got "
            f"{rows} for {n_samples} rows."
        )
    return rows
