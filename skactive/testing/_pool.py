"""A pool for a test of a strategy or a stopping criterion, from arrays."""

from dataclasses import fields

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.utils import check_consistent_length

from skactive._pool.facts import Facts
from skactive._pool.kept import Kept
from skactive._pool.models import RoundModels
from skactive._pool.pool import Pool
from skactive.utils._labels import column_y, labeled_mask
from skactive.utils._rows import is_one_dimensional

_NAMES = [field.name for field in fields(Facts)]


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
        that are neither labelled nor in `asked`.

    estimator : estimator object or None, default=None
        Unfitted classifier; a logistic regression if None.

    committee : int, list, estimator object or None, default=None
        Unfitted committee, see :class:`~skactive.ActiveLearningClassifier`.

    missing_label : int, float, str or None, default=-1
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
        `can_fit`.

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
    unknown = sorted(facts.keys() - set(_NAMES))
    if unknown:
        raise TypeError(
            f"make_pool got the keywords {unknown}, which are not facts of a round; "
            f"these are {_NAMES[4:]}."
        )
    if isinstance(X, (list, tuple)) and not is_one_dimensional(X):
        X = np.asarray(X)
    y = column_y(y)
    check_consistent_length(X, y)
    if labeled is None:
        labeled = labeled_mask(y, missing_label)
    labeled = _mask(labeled, "labeled", len(y))
    asked = facts.pop("asked", None)
    asked = np.zeros(len(y), dtype=bool) if asked is None else asked
    asked = _mask(asked, "asked", len(y))
    if candidates is None:
        candidates = np.flatnonzero(~(labeled | asked))
    candidates = _row_numbers(candidates, len(y))
    estimator = LogisticRegression() if estimator is None else estimator
    known = Facts(X, y, labeled, candidates, asked=asked, **facts)
    if kept is None:
        kept = Kept.of_run(X, estimator, known.all_classes, block_size=block_size)
    models = RoundModels(known, estimator, committee, teacher=teacher, kept=kept)
    return Pool(models)


def _mask(mask, name, n_samples):
    mask = np.asarray(mask)
    if mask.shape != (n_samples,) or mask.dtype != bool:
        raise ValueError(
            f"{name} must be a mask of the rows: expected an array of bools of shape "
            f"({n_samples},), got one of dtype {mask.dtype} and shape {mask.shape}."
        )
    return mask


def _row_numbers(rows, n_samples):
    rows = np.asarray(rows)
    if rows.size == 0:
        rows = rows.astype(np.intp)
    valid = rows.ndim == 1 and rows.dtype.kind in "iu"
    # Differences of at least 1, also to -1 and n_samples, mean ascending and in range.
    if not valid or (np.diff(rows, prepend=-1, append=n_samples) < 1).any():
        raise ValueError(
            "candidates must be different row numbers of X in ascending order, got "
            f"{rows} for {n_samples} rows."
        )
    return rows
