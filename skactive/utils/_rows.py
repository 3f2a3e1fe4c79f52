"""Rows of data in the container of the caller: checking, taking, cutting."""

import copy
import math
import numbers
import re
import warnings

import numpy as np
from scipy.sparse import issparse
from sklearn import config_context
from sklearn.utils import assert_all_finite
from sklearn.utils.validation import validate_data

from skactive.utils._containers import refuse_lazy, with_small_indices
from skactive.utils._labels import is_null
from skactive.utils._shown import shown
from skactive.utils._sklearn import (
    _check_feature_names,
    _check_n_features,
    _num_samples,
    _safe_indexing,
)

# Rows of one block of predictions hold about this many bytes as float64: little
# memory, and enough rows that the calls for each block do not count.
_BLOCK_BYTES = 8 * 2**20
_MIN_BLOCK_ROWS = 1024


def is_dataframe(X):
    """Tell whether `X` is a pandas, polars or similar data frame."""
    return hasattr(X, "columns") and hasattr(X, "shape") and len(X.shape) == 2


def is_one_dimensional(X):
    """Tell whether `X` is a sequence of texts or other objects, without columns."""
    if issparse(X) or is_dataframe(X):
        return False
    if hasattr(X, "shape") and hasattr(X, "dtype"):
        kind = getattr(X.dtype, "kind", "O")  # polars dtypes have none
        return len(X.shape) == 1 and kind not in "biufc"
    return isinstance(X, (list, tuple)) and len(X) > 0 and _holds_objects(X)


def _holds_objects(items):
    """Tell whether a list holds texts, paths or lists of tokens, not numeric rows."""
    first = next((item for item in items if not is_null(item)), None)
    if isinstance(first, (list, tuple)):
        # The rows of a table have one length; lists of tokens differ in theirs.
        lengths = {len(item) for item in items if hasattr(item, "__len__")}
        return len(lengths) > 1 and isinstance(next(filter(None, items))[0], str)
    if first is None or isinstance(first, (str, bytes, dict, set, frozenset)):
        return True
    is_number = isinstance(first, numbers.Number)
    return not (is_number or hasattr(first, "__len__") or hasattr(first, "__array__"))


def check_rows(estimator, X, *, reset):
    """Validate `X` without copying it, and without looking at its values.

    It may have three or more dimensions; an estimator that does not take them says so.
    Data frames and sequences of texts stay as they are. Sparse data become CSR, as rows
    are taken from them in every round, with indices of 32 bits, as many estimators
    require. Everything else becomes an ndarray.
    """
    refuse_lazy(X, "X")
    if is_one_dimensional(X):
        return _as_sequence(X)
    if is_dataframe(X):
        n_samples, n_features = X.shape
        for n, what in [(n_samples, "sample"), (n_features, "feature")]:
            if n == 0:
                raise ValueError(
                    f"Found array with 0 {what}(s) (shape={X.shape}) while a minimum "
                    f"of 1 is required by {type(estimator).__name__}."
                )
        _check_feature_names(estimator, X, reset=reset)
        _check_n_features(estimator, X, reset=reset)
        return X
    if getattr(getattr(X, "dtype", None), "kind", None) == "T":
        X = X.astype(object)  # scikit-learn does not take numpy's StringDType
    return with_small_indices(_validated(estimator, X, reset))


def _validated(estimator, X, reset):
    try:
        # Rows of another array library become an ndarray, which any estimator takes.
        with config_context(array_api_dispatch=False):
            return validate_data(
                estimator,
                X,
                reset=reset,
                accept_sparse="csr",
                dtype=None,
                ensure_all_finite=False,
                allow_nd=True,
            )
    except ValueError as error:
        # scikit-learn writes all of X into some of its messages. Other errors pass
        # through unchanged, with their traceback.
        text = re.sub(
            r"array=.*\.(?=\nReshape)",
            f"array={shown(X)}.",
            str(error),
            flags=re.DOTALL,
        )
        if text.startswith("Complex data not supported"):
            text = "Complex data not supported."
        if text == str(error):
            raise
        raise ValueError(text) from None


def _as_sequence(X):
    """Return a sequence of texts or objects in a form from which rows can be taken."""
    if isinstance(X, tuple):
        return list(X)
    if hasattr(X, "isna") and not hasattr(X, "iloc"):  # an Index or array of pandas
        return np.asarray(X, dtype=object)
    return X


def of_known_library(X):
    """Return rows of another array library as an ndarray, and others unchanged."""
    is_known = isinstance(X, np.ndarray) or issparse(X) or is_dataframe(X)
    if is_known or not hasattr(X, "shape") or is_one_dimensional(X):
        return X
    return np.asarray(X)


def take_rows(X, rows):
    """Return a copy of some rows of `X`, in the container of `X`."""
    rows = np.asarray(rows)
    # _safe_indexing takes longer to find out the type of X than to copy a few rows.
    return X[rows] if isinstance(X, np.ndarray) else _safe_indexing(X, rows)


def slice_rows(X, start, stop):
    """Return consecutive rows of `X`, as a view where the container has views."""
    if start == 0 and stop >= _num_samples(X):
        return X
    return _safe_indexing(X, slice(start, stop))


def like_given(batch, given):
    """Return rows of a checked `X` in the format of the `X` that was given.

    They may be changed without changing `X`: objects in them are copied, too.
    """
    if issparse(given) and given.format != batch.format:
        return batch.asformat(given.format)
    holds_objects = getattr(getattr(batch, "dtype", None), "kind", None) == "O"
    return copy.deepcopy(batch) if holds_objects or isinstance(batch, list) else batch


def block_rows(X):
    """Return the number of rows of `X` in a block, which depends on the width only."""
    width = math.prod(getattr(X, "shape", ())[1:])
    return max(_MIN_BLOCK_ROWS, _BLOCK_BYTES // (8 * max(width, 1)))


def slices(n_rows, size, first=0):
    """Yield slices of at most `size` rows, and of at least one, from `first` on.

    Parameters
    ----------
    n_rows : int
        Number of rows; 0 yields nothing.

    size : int
        Number of rows of a slice; less than 1 counts as 1.

    first : int, default=0
        Where to begin.

    Yields
    ------
    block : slice
        Consecutive rows.
    """
    size = max(size, 1)
    for start in range(first, n_rows, size):
        yield slice(start, min(start + size, n_rows))


def check_like(given, X, what):
    """Raise if there are no rows, or if they have other features than those of a run.

    Parameters
    ----------
    given : object
        The rows to check.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The rows of the run.

    what : str
        Name of `given`, for messages.
    """
    if _num_samples(given) == 0:
        raise ValueError(f"{what} is empty; pass some rows.")
    known, found = _n_features(X), _n_features(given)
    if known != found:
        raise ValueError(
            f"{what} must be like X, which has {known} features, and has {found}."
        )


def _n_features(X):
    """Return the number of features, 1 for texts."""
    if is_one_dimensional(X):
        return 1
    shape = np.shape(X) if not hasattr(X, "shape") else X.shape
    return 0 if len(shape) < 2 else shape[1]


def as_numeric(X):
    """Return `X` as a numeric 2d array or CSR matrix without NaN, or None.

    Images, and other rows of more than one dimension, are flattened.
    """
    if is_one_dimensional(X):
        return None
    if not issparse(X):
        try:
            X = np.asarray(X)
        except (ValueError, TypeError):
            return None
        if X.dtype.kind == "O":
            try:
                X = X.astype(np.float64)
            except (ValueError, TypeError):
                return None
    if X.dtype.kind not in "biuf" or X.ndim < 2 or not all_finite(X):
        return None
    return X if X.ndim == 2 else X.reshape(len(X), -1)


def as_floats(features):
    """Return numeric rows for arithmetic, in single precision at least.

    Sums and squares of float16 and of small integers, such as the pixels of images,
    soon exceed what these types hold. Single and double precision stay as they are.
    """
    if not issparse(features):
        features = np.asarray(features)
    if features.dtype.kind not in "biuf":
        return features
    return features.astype(np.result_type(features.dtype, np.float32), copy=False)


def all_finite(X):
    """Tell whether numeric data hold neither NaN nor infinity."""
    try:
        assert_all_finite(X)
    except ValueError:
        return False
    return True


def rows_without_text(X):
    """Return the numbers of rows that are missing, or are not texts among texts.

    Parameters
    ----------
    X : sequence of texts or other objects
        All rows. If most of them are not texts, only missing rows are found.

    Returns
    -------
    rows : ndarray of shape (n_rows,), dtype int
        Ascending.
    """
    # Where most rows are texts, the others are mistakes. Where few are, the rows may be
    # objects of any kind.
    are_texts = np.fromiter((isinstance(x, (str, bytes)) for x in X), bool)
    if 0 < 2 * are_texts.sum() >= len(are_texts):
        return np.flatnonzero(~are_texts)
    return rows_not_finite(X)


def rows_not_finite(X):
    """Return the numbers of the rows of `X` that hold NaN, None or infinity."""
    if is_one_dimensional(X):
        return np.flatnonzero([is_null(item) for item in X])
    if issparse(X):
        bad = ~np.isfinite(X.data) if X.dtype.kind == "f" else np.zeros(X.nnz, bool)
        return np.unique(np.repeat(np.arange(X.shape[0]), np.diff(X.indptr))[bad])
    if is_dataframe(X):
        if hasattr(X, "isna") and not all(_is_numpy_number(t) for t in X.dtypes):
            return _rows_not_finite_of_mixed(X)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            X = np.asarray(X)
    if X.dtype.kind == "O":
        return np.flatnonzero([any(map(is_null, row)) for row in X])
    if X.dtype.kind != "f" or all_finite(X):
        return np.empty(0, dtype=np.intp)
    return np.flatnonzero(~np.isfinite(X).all(axis=tuple(range(1, X.ndim))))


def _is_numpy_number(dtype):
    return isinstance(dtype, np.dtype) and dtype.kind in "biuf"


def _rows_not_finite_of_mixed(frame):
    """Do the same for a pandas data frame, without a loop over its cells."""
    floats = frame.select_dtypes(np.floating).to_numpy(dtype=np.float64)
    missing = np.asarray(frame.isna()).any(axis=1)
    return np.flatnonzero(missing | np.isinf(floats).any(axis=1))
