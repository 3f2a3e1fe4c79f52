"""Values, parameters and data as texts or hashes that are equal in all processes."""

import hashlib
import json
import re

import numpy as np
from scipy.sparse import issparse

from skactive.utils._containers import column_names
from skactive.utils._labels import is_null
from skactive.utils._rows import (
    block_rows,
    is_dataframe,
    is_one_dimensional,
    slice_rows,
)
from skactive.utils._sklearn import _num_samples

# Parameters that change where and how fast something is computed, not the result.
_WITHOUT_EFFECT = frozenset({"n_jobs", "verbose", "memory"})

# A value whose text is longer than this is compared by its hash.
_MAX_TEXT = 200

# The address of an object, in its repr, differs between processes.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")


def describe_parameters(clf):
    """Describe all parameters of a classifier that may change which rows are queried.

    Parameters
    ----------
    clf : estimator object
        An object with `get_params`.

    Returns
    -------
    texts : dict of str to str
        The value of each parameter, those of nested objects under ``a__b``.
    """
    params = clf.get_params(deep=False)
    # It only answers: a run may be resumed with another one.
    params.pop("oracle", None)
    return {k: v for name in params for k, v in _describe(name, params[name])}


def _describe(path, value):
    """Yield (path, text) for a value and its parts."""
    if path.rsplit("__")[-1] in _WITHOUT_EFFECT:
        return
    # As lists, arrays are equal to lists, and their text does not depend on numpy.
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, np.random.RandomState):
        yield path, "a RandomState"  # its state moves with every use
    elif hasattr(value, "get_params") and not isinstance(value, type):
        yield path, type(value).__qualname__
        for name, part in value.get_params(deep=False).items():
            yield from _describe(f"{path}__{name}", part)
    elif isinstance(value, (list, tuple)) and not _is_plain(value):
        yield path, f"a sequence of {len(value)}"
        for number, part in enumerate(value):
            yield from _describe_part(path, number, part)
    else:
        yield path, describe(value)


def _describe_part(path, number, part):
    """Describe one member of a sequence; a pair (name, object) under its name."""
    if isinstance(part, tuple) and len(part) > 1 and isinstance(part[0], str):
        yield f"{path}__{number}", part[0]
        for other in part[1:]:
            yield from _describe(f"{path}__{part[0]}", other)
    else:
        yield from _describe(f"{path}__{number}", part)


def _is_plain(value):
    """Tell whether nested sequences hold only scalars."""
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return is_null(value) or isinstance(value, (str, bytes, int, float, np.generic))


def describe(value):
    """Return a value as a short text."""
    text = _text(None if is_null(value) else value)  # None, nan and NA are one marker
    if len(text) <= _MAX_TEXT:
        return text
    return f"a value with the hash {hash_values(text)}"


def _text(value):
    """Return a text that is the same in another process."""
    try:
        return json.dumps(value, default=_as_json)
    except (TypeError, ValueError):  # keys other than strings, or a cycle
        return _ADDRESS.sub("", repr(value))


def _as_json(value):
    if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in "biufU":
        return value.tolist()
    if is_null(value):
        return None
    name = getattr(value, "__qualname__", None)  # of a function or a class
    return name or _ADDRESS.sub("", repr(value))


def hash_rows(X):
    """Return a hash of all rows, in any container."""
    if issparse(X):
        # Equal rows may have their entries in another order.
        X = X if X.has_sorted_indices else X.sorted_indices()
        return hash_values("sparse", list(X.shape), X.indptr, X.indices, X.data)
    if is_dataframe(X):
        names = column_names(X)
        columns = (np.asarray(X[name]) for name in names)
        return hash_values("frame", [str(name) for name in names], *columns)
    shape = [_num_samples(X)] if is_one_dimensional(X) else list(X.shape)
    # In blocks, as they are copied to be hashed.
    size = block_rows(X)
    blocks = (slice_rows(X, start, start + size) for start in range(0, shape[0], size))
    return hash_values("rows", shape, *map(_as_array_or_list, blocks))


def _as_array_or_list(block):
    return block if isinstance(block, list) else np.asarray(block)


def hash_parameter(value):
    """Return a hash of a fit parameter, an array or anything else."""
    if hasattr(value, "__array__") and np.ndim(value):
        return hash_values(np.asarray(value))
    return hash_values(value)


def hash_values(*parts):
    """Return a hash of values of any kind; arrays by their values."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(_as_bytes(part))
        digest.update(b"\0")  # or ("ab", "c") and ("a", "bc") would be equal
    return digest.hexdigest()


def _as_bytes(part):
    """Return the bytes to hash; numbers of equal value give equal bytes."""
    kind = part.dtype.kind if isinstance(part, np.ndarray) else None
    # The same labels may come as ints in one process and as floats in the next; the
    # order of bytes is fixed, as files move between machines.
    if kind is not None and kind in "biuf":
        return np.ascontiguousarray(part, dtype="<f8")
    if kind is not None:
        part = part.astype("<i8").tolist() if kind in "mM" else part.tolist()
    return _text(part).encode()
