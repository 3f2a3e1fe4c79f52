"""The steps of a Pipeline: those that predict, and a check that none drops rows."""

import warnings

import numpy as np
from sklearn.base import clone
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer

from skactive.utils._rows import take_rows
from skactive.utils._shown import name_of
from skactive.utils._sklearn import _num_samples, _set_random_states

_OF_TEXTS = (CountVectorizer, HashingVectorizer)
_ONE_COLUMN = (
    " It takes texts, one for each row: pass a column, such as X['text'], or put it "
    "into a ColumnTransformer that names the column."
)
# Number of rows on which steps are tried: enough that a step that trims a few percent
# of the rows drops some of them.
_N_ROWS_TRIED = 200


def last_step(estimator):
    """Return the classifier at the end of a Pipeline, or the estimator itself."""
    while isinstance(estimator, Pipeline):
        estimator = estimator.steps[-1][1]
    return estimator


def is_sampler(step):
    """Tell whether a step changes the rows of a fit, and is skipped in predictions."""
    return hasattr(step, "fit_resample")


def predicting_steps(estimator):
    """Return the steps of a Pipeline that rows go through before the last one.

    Parameters
    ----------
    estimator : estimator object
        A Pipeline, fitted or not, or any other estimator.

    Returns
    -------
    steps : Pipeline or None
        The steps without the last one and without samplers, for instance those of
        imbalanced-learn; None if no step is left.
    """
    if not isinstance(estimator, Pipeline):
        return None
    before = estimator.steps[:-1]
    kept = [(name, step) for name, step in before if not is_sampler(step)]
    if not kept:
        return None
    return estimator[:-1] if len(kept) == len(before) else Pipeline(kept)


def training_rows(estimator, X, y, random_state):
    """Return the rows and labels on which the last step of a Pipeline is trained.

    Parameters
    ----------
    estimator : Pipeline
        Fitted.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The rows that it was fitted on.

    y : ndarray of shape (n_samples,)
        Their labels.

    random_state : RandomState instance
        Seeds samplers that have no seed.

    Returns
    -------
    X, y : array-like, ndarray
        Transformed, with the rows that samplers keep and add.
    """
    for _, step in estimator.steps[:-1]:
        if is_sampler(step):
            # A sampler has no fitted state to apply: it draws again, as in the fit.
            sampler = clone(step)
            _set_random_states(sampler, random_state)
            X, y = sampler.fit_resample(X, y)
        elif step not in (None, "passthrough"):
            X = step.transform(X)
    return X, y


def refuse_dropping_steps(estimator, X):
    """Raise if a step of a Pipeline drops rows, tried on some rows without labels.

    Only functions and steps of other packages are tried. Steps that cannot be fitted
    without labels are checked with the first model.

    Parameters
    ----------
    estimator : estimator object, or list of (str, estimator object)
        Unfitted; Pipelines within a Pipeline, a search or an ensemble are found, too.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        All rows.

    Raises
    ------
    ValueError
        If a step drops rows; the error names it.
    """
    for steps in _chains(estimator):
        if any(_is_suspect(step, X) for _, step in steps):
            _refuse_dropping(steps, X)


def _chains(estimator, before=()):
    """Yield the steps that rows go through to each classifier in an estimator."""
    if isinstance(estimator, Pipeline):
        kept = [pair for pair in estimator.steps[:-1] if not is_sampler(pair[1])]
        yield from _chains(estimator.steps[-1][1], (*before, *kept))
        return
    parts = estimator
    if not isinstance(estimator, list):
        one = getattr(estimator, "estimator", None)  # of a search or a bag
        parts = [("", one)] if one is not None else None
        parts = parts or getattr(estimator, "estimators", None)
    if isinstance(parts, list):
        for part in parts:
            if isinstance(part, tuple) and hasattr(part[-1], "fit"):
                yield from _chains(part[-1], before)
    elif before:
        yield list(before)


def _refuse_dropping(steps, X):
    n_rows = _num_samples(X)
    # Spread over all rows, as data are often sorted.
    rows = np.unique(np.linspace(0, n_rows - 1, _N_ROWS_TRIED).astype(np.intp))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = _find_dropping(steps, take_rows(X, rows), fit=True)
    except Exception:  # a step may need labels; then it is checked with the model
        return
    if found is not None:
        raise ValueError(found)


def check_same_rows(model, X, n_after):
    """Raise if a fitted model returned more or fewer rows than it got.

    Parameters
    ----------
    model : estimator object
        A fitted classifier, or the steps of a Pipeline that transform.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The rows that it got.

    n_after : int
        The number of rows that came out.
    """
    n_rows = _num_samples(X)
    if n_after == n_rows:
        return
    found, inner = None, getattr(model, "best_estimator_", model)
    if isinstance(inner, Pipeline):
        found = _find_dropping(inner.steps, X)
    raise ValueError(found or _lost(name_of(model), n_rows, n_after))


def _is_suspect(step, X):
    if step in (None, "passthrough"):
        return False
    if isinstance(step, _OF_TEXTS):  # it reads the column names of a table
        return len(getattr(X, "shape", ())) > 1
    # Transformers of scikit-learn keep all rows, except for functions of the user.
    is_own = type(step).__module__.partition(".")[0] == "sklearn"
    return isinstance(step, (FunctionTransformer, Pipeline)) or not is_own


def _find_dropping(steps, X, *, fit=False):
    """Return a message on the first step that changes the number of rows, or None."""
    for name, step in steps:
        if step in (None, "passthrough") or not hasattr(step, "transform"):
            continue
        if fit:
            # A clone, as the estimator of the user must stay unfitted.
            step = clone(step).fit(X)
        n_before, X = _num_samples(X), step.transform(X)
        if _num_samples(X) != n_before:
            who = f"The step {name!r} of the Pipeline, {type(step).__name__},"
            lost = _lost(who, n_before, _num_samples(X))
            return lost + _ONE_COLUMN if isinstance(step, _OF_TEXTS) else lost
    return None


def _lost(who, n_before, n_after):
    return (
        f"{who} makes {n_after} rows of {n_before} when it predicts. Every row must "
        "get a prediction, so no row may be dropped or added: remove the rows from X "
        "before, or let the step change values instead of dropping rows, for instance "
        "cap outliers instead of trimming them."
    )
