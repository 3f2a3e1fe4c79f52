"""A hash of the content of each row; equal rows have equal hashes."""

import hashlib
import math
import struct
from itertools import pairwise
from numbers import Real

import numpy as np
from scipy.sparse import issparse

from skactive.utils._containers import column_names, refuse_lazy
from skactive.utils._labels import is_null
from skactive.utils._rows import is_dataframe, is_one_dimensional

_BYTES = 16
# Floats of 64 bits hold all integers up to this one.
_MAX_EXACT = 2**53
_NAN = struct.pack("<d", np.nan)


def hash_each_row(X, salt=""):
    """Return a hash of the content of each row.

    Rows with equal values have equal hashes, in every process and on every machine:
    whatever the width of the numbers, the order in memory, and whether they are in an
    array, a list or a data frame. Names of columns do not count. NaN equals NaN and
    None, -0.0 equals 0.0, and zeros of a sparse matrix do not count; sparse rows have
    other hashes than dense ones.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_rows
        Rows: numbers, texts, dates, or objects made of these.

    salt : str, default=""
        Text of at most 64 bytes. Without knowing it, nobody can guess rows from their
        hashes.

    Returns
    -------
    hashes : list of str
        32 hexadecimal digits for each row.

    Raises
    ------
    TypeError
        If a row holds an object whose content cannot be read.
    """
    refuse_lazy(X, "X")
    key = salt.encode()
    return [
        hashlib.blake2b(content, digest_size=_BYTES, key=key).hexdigest()
        for content in _rows_as_bytes(X)
    ]


def _rows_as_bytes(X):
    if issparse(X):
        return _sparse_as_bytes(X)
    if is_dataframe(X):
        columns = [_array_as_bytes(np.asarray(X[name])) for name in column_names(X)]
        return [b"".join(row) for row in zip(*columns, strict=True)]
    if isinstance(X, (list, tuple)) or is_one_dimensional(X):
        # One by one: together, numpy would make texts of the numbers in [[1, "a"]].
        return [_row_as_bytes(row) for row in X]
    return _array_as_bytes(np.asarray(X))


def _row_as_bytes(row):
    if isinstance(row, (list, tuple)):
        return b"".join(map(_as_bytes, row))
    if _is_array(row):
        return _array_as_bytes(np.asarray(row)[np.newaxis])[0]
    return _as_bytes(row)


def _sparse_as_bytes(X):
    X = X.tocsr(copy=True)  # it is changed
    X.sum_duplicates()
    X.eliminate_zeros()
    places = X.indices.astype("<i8")[:, np.newaxis]
    values = _array_as_bytes(X.data)
    entries = [p.tobytes() + v for p, v in zip(places, values, strict=True)]
    ends = X.indptr.tolist()
    return [b"sparse" + b"".join(entries[start:end]) for start, end in pairwise(ends)]


def _array_as_bytes(values):
    """Return the values of each row one after the other."""
    shape = values.shape[1:]
    values = values.reshape(len(values), math.prod(shape))
    if len(shape) > 1:
        tag = _tagged(b"shape", repr(shape).encode())
        return [tag + content for content in _array_as_bytes(values)]
    kind = values.dtype.kind
    if kind in "mM":
        return [row.tobytes() for row in _days_and_rest(values)]
    if kind in "bf" or (kind in "iu" and _is_exact(values)):
        values = values.astype("<f8") + 0.0  # -0.0 becomes 0.0
        values[np.isnan(values)] = np.nan  # nan has many bit patterns
        return [row.tobytes() for row in values]
    return [b"".join(map(_as_bytes, row)) for row in values.tolist()]


def _is_exact(values):
    return not values.size or (
        values.max() <= _MAX_EXACT and values.min() >= -_MAX_EXACT
    )


def _days_and_rest(values):
    """Return dates or durations as integers that do not depend on their unit."""
    kind, unit = values.dtype.kind, np.datetime_data(values.dtype)[0]
    if kind == "m" and unit in ("Y", "M", "generic"):  # these have no days
        return np.ascontiguousarray(values).view("i8").astype("<i8")
    if unit in ("ps", "fs", "as"):
        values = values.astype(f"{kind}8[ns]")
    days = values.astype(f"{kind}8[D]")  # rounded down; the rest fits into nanoseconds
    rest = (values - days).astype("m8[ns]")
    return np.hstack([days.view("i8"), rest.view("i8")]).astype("<i8")


def _as_bytes(value):
    """Return the content of one value, with a tag where it is not a number."""
    if is_null(value):
        return _NAN
    if isinstance(value, (Real, np.bool_)):
        return _number_as_bytes(value)
    if isinstance(value, str):
        return _tagged(b"text", value.encode("utf-8", "surrogatepass"))
    if isinstance(value, (bytes, bytearray)):
        return _tagged(b"bytes", bytes(value))
    if isinstance(value, dict):
        pairs = [_as_bytes(k) + _as_bytes(v) for k, v in value.items()]
        return _tagged(b"dict", b"".join(sorted(pairs)))
    if isinstance(value, (set, frozenset)):
        return _tagged(b"set", b"".join(sorted(map(_as_bytes, value))))
    if isinstance(value, (list, tuple)):
        return _tagged(b"list", b"".join(map(_as_bytes, value)))
    if _is_array(value):
        return _tagged(b"array", _row_as_bytes(value))
    return _tagged(b"object", _object_as_text(value).encode())


def _is_array(value):
    return hasattr(value, "__array__") or hasattr(value, "__array_interface__")


def _number_as_bytes(value):
    try:
        number = float(value)
    except OverflowError:
        number = None
    if number == value:
        return struct.pack("<d", number + 0.0)
    return _tagged(b"number", str(value).encode())


def _tagged(tag, content):
    # With its length, so that neighbouring values cannot be confused.
    return b"%s%d:%s" % (tag, len(content), content)


def _object_as_text(value):
    if hasattr(value, "isoformat"):  # dates with a time zone, times of the day
        return value.isoformat()
    text = repr(value)
    if " at 0x" in text:  # the address of an object says nothing of its content
        raise TypeError(
            f"X holds an object of type {type(value).__name__} whose content cannot be "
            "read. Rows are told apart by numbers, texts, dates, arrays, and lists or "
            "dicts of them; give the type a __repr__ or an __array__."
        )
    return text
