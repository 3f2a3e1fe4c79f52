"""Checks, before the first payment, that a model can be fitted at all."""

import itertools
import warnings

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skactive._loop.rehearsal import fails_with
from skactive.acquisition._registry import uses_embedding
from skactive.utils._labels import is_null
from skactive.utils._pipelines import last_step, refuse_dropping_steps
from skactive.utils._rows import (
    is_dataframe,
    is_one_dimensional,
    rows_not_finite,
    rows_without_text,
    take_rows,
)
from skactive.utils._shown import shown
from skactive.utils._sklearn import get_tags, validate_nested_params

# Number of rows in a trial fit that shows whether an estimator accepts their shape.
_N_TRIED = 10


def check_first_model(pool, strategy, embedder, estimator, committee, classes):
    """Check, before the first payment, that the estimator can be fitted at all.

    Parameters
    ----------
    pool : Pool
        The pool of the first round.

    strategy : strategy object
        The strategy of the run.

    embedder : Embedding
        The embedding of the rows.

    estimator : estimator object
        The unfitted classifier.

    committee : int, list of (str, classifier), classifier, or None
        The unfitted committee. None if the strategy does not use one.

    classes : ndarray of shape (n_classes,)
        Classes of made-up labels.
    """
    refuse_dropping_steps(estimator, pool.X)
    if committee is not None:
        refuse_dropping_steps(committee, pool.X)
    # Rows that a classifier may not accept need not be among those with a label. Then
    # it would fail only in a later round, with labels paid for.
    is_flat = is_one_dimensional(pool.X)
    risky = rows_without_text(pool.X) if is_flat else rows_not_finite(pool.X)
    if is_flat and len(risky):
        _check_missing_items(pool, embedder, risky, classes)
        risky = risky[:0]
    if uses_embedding(strategy, estimator) and embedder.is_impossible():
        raise ValueError(
            f"The strategy {type(strategy).__name__} needs rows that are numbers "
            "without NaN. Put steps that compute such features into a Pipeline with "
            "the estimator, or choose a strategy that needs only the model, such as "
            "'margin'."
        )
    if pool.can_fit:
        _try_model(pool, embedder, risky)
        return
    # Without a model to try, as much as possible is found out from parameters and tags.
    validate_nested_params(estimator)
    _refuse_dimensions(pool.X, estimator)
    if len(risky) and not _takes_nan(estimator, embedder, risky):
        _refuse_nan(estimator, pool.X, risky)


def _try_model(pool, embedder, risky):
    """Fit the first model, and let it predict rows that it may not accept."""
    try:
        model = pool.estimator
        if len(risky):
            model.predict(take_rows(pool.X, risky[:1000]))
    except (AttributeError, TypeError, ValueError):
        # One of these messages is better, if it is the reason.
        if len(risky) and not _takes_nan(pool.models.unfitted, embedder, risky):
            _refuse_nan(pool.models.unfitted, pool.X, risky)
        _refuse_dimensions(pool.X, pool.models.unfitted)
        raise


def _refuse_nan(estimator, X, risky):
    column = _missing_text(X, risky)
    if column is not None:
        raise ValueError(
            f"The column {column!r} of X has no text in row {risky[0]} among others, "
            f"which {shown(estimator)} does not accept. Put an empty text there, as "
            f"in X[{column!r}].fillna(''), or impute it in a Pipeline inside."
        )
    raise ValueError(
        f"Input X contains NaN or infinity, in row {risky[0]} among others, which "
        f"{shown(estimator)} does not accept. Impute them in a Pipeline inside, or use "
        "a classifier that accepts NaN, such as HistGradientBoostingClassifier."
    )


def _missing_text(X, risky):
    """Return the first column of texts without a text in a risky row, or None."""
    if not is_dataframe(X):
        return None
    for name in X.columns:
        column = np.asarray(X[name], dtype=object)
        if is_null(column[risky[0]]) and any(isinstance(v, str) for v in column):
            return name
    return None


def _check_missing_items(pool, embedder, rows, classes):
    """Raise if some texts are missing, and the classifier does not accept that."""
    if isinstance(pool.models.unfitted, Pipeline):
        minds = len(rows) == len(pool.y) or embedder.fails_only_with(rows)
    else:
        minds = fails_with(pool, rows, classes)
    if minds:
        value = next(itertools.islice(pool.X, int(rows[0]), None))
        way = "Put an empty text in its place, as in [text or '' for text in X]"
        if not is_null(value):
            way = "Turn all rows into texts, as in [str(text) for text in X]"
        raise ValueError(
            f"X holds {shown(value)} instead of a text in {len(rows)} of {len(pool.y)} "
            f"rows, the first of which is row {rows[0]}, and "
            f"{shown(pool.models.unfitted)} does not accept that. {way}, or leave out "
            "such rows."
        )


def _refuse_dimensions(X, estimator):
    """Raise the estimator's own error if it accepts rows, but only flat ones."""
    if getattr(X, "ndim", 2) <= 2 or get_tags(estimator).input_tags.three_d_array:
        return
    rows = X[:_N_TRIED]
    flat, y = rows.reshape(len(rows), -1), np.arange(len(rows)) % 2
    trial = clone(estimator)
    last = last_step(trial)
    if "max_epochs" in last.get_params(deep=False):  # one epoch of a network is enough
        last.set_params(max_epochs=1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            clone(trial).fit(rows, y)
            return
        except Exception as error:  # any error of the estimator
            refusal = error
        try:
            clone(trial).fit(flat, y)
        except Exception:  # the reason is not the shape
            return
    refusal.add_note(
        f"X has the shape {X.shape}, and {shown(estimator)} accepts flat rows only. "
        "Put a step that flattens them into a Pipeline with it, or pass "
        "X.reshape(len(X), -1)."
    )
    raise refusal


def _takes_nan(estimator, embedder, risky):
    if not isinstance(estimator, Pipeline):
        return get_tags(estimator).input_tags.allow_nan
    if embedder.finds_nan():
        return get_tags(estimator.steps[-1][1]).input_tags.allow_nan
    return not embedder.fails_only_with(risky)
