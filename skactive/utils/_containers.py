"""Containers of other libraries: lazy data, nulls, and named rows."""

import numpy as np
from scipy.sparse import issparse

# Methods that compute lazy data.
_COMPUTING = ("toPandas", "compute", "collect", "execute")

_MAX_INT32 = np.iinfo(np.int32).max


def refuse_lazy(values, name):
    """Raise for data that are not computed yet, and name the call that computes them.

    These are polars' LazyFrame, the collections of dask, and similar objects.
    """
    kind = type(values)
    if isinstance(values, (np.ndarray, list, tuple)) or issparse(values):
        return
    found = [method for method in _COMPUTING if callable(getattr(kind, method, None))]
    # numpy would silently compute an array of dask, again in every round.
    is_table = hasattr(kind, "__dask_graph__") and not hasattr(
        kind, "__array_function__"
    )
    if found and (is_table or not hasattr(kind, "__len__")):
        raise TypeError(
            f"{name} is a {kind.__name__} of {kind.__module__.split('.')[0]}, whose "
            "rows are not computed yet, and rows are taken from it in every round. "
            f"Compute it once: pass {name}.{found[0]}()."
        )


def as_column(y):
    """Return `y` as an ndarray in which nulls have not turned integers into floats.

    Parameters
    ----------
    y : array-like of shape (n_samples,) or (n_samples, 1)
        Labels, in a container of any library.

    Returns
    -------
    y : ndarray
        Of dtype object, with None or NA, if there are nulls among values other than
        floats, or if they are texts of numpy's StringDType.
    """
    refuse_lazy(y, "y")
    if getattr(y, "shape", ())[1:] == (1,) and hasattr(y, "columns"):
        return as_column(_only_column(y)).reshape(-1, 1)
    if hasattr(getattr(y, "dtype", None), "numpy_dtype") and y.isna().any():
        return y.to_numpy(dtype=object)  # pandas' NA would make floats of integers
    if hasattr(getattr(y, "dtype", None), "categories") and hasattr(y, "isna"):
        y = y.astype(object)  # so would missing values in pandas' categories
    values = np.asarray(y)
    if values.dtype.kind == "T":
        return values.astype(object)
    if values.dtype.kind == "f" and hasattr(y, "null_count"):  # polars and pyarrow
        items = y.to_pylist() if hasattr(y, "to_pylist") else y.to_list()
        if not all(item is None or isinstance(item, float) for item in items):
            return np.array(items, dtype=object)
    return values


def _only_column(frame):
    """Return the column of a data frame that has a single one."""
    if hasattr(frame, "iloc"):
        return frame.iloc[:, 0]
    return frame.to_series() if hasattr(frame, "to_series") else frame.column(0)


def with_small_indices(X):
    """Return sparse rows as CSR with indices of 32 bits if they fit; others unchanged.

    Indices of 64 bits, which scipy makes from pairs of int64 arrays, are refused by
    many estimators. `X` is never changed. The result shares its values unless they are
    unsorted or have duplicates: an estimator that sorts or sums them would move them.
    """
    if not issparse(X):
        return X
    X = X.tocsr()
    # `indptr` counts up to nnz, so this must fit into 32 bits as well.
    if X.indices.dtype == np.int32 or max(X.nnz, *X.shape) > _MAX_INT32:
        return X
    # Both matrices share `data`: sorting one would leave the other with wrong indices.
    data = X.data if X.has_canonical_format else X.data.copy()
    indices, indptr = X.indices.astype(np.int32), X.indptr.astype(np.int32)
    return type(X)((data, indices, indptr), shape=X.shape)


def index_of(values):
    """Return the index of a pandas object, None for anything else."""
    # Lists have a method `index`, too; an object with an index of rows has `iloc`.
    return values.index if hasattr(type(values), "iloc") else None


def is_numbered(index):
    """Tell whether an index of pandas is the default one, 0, 1, 2, ..."""
    return getattr(index, "start", None) == 0 and index.step == 1


def column_names(frame):
    """Return the names of the columns of a data frame or a table of pyarrow."""
    if hasattr(type(frame), "column_names"):
        return list(frame.column_names)
    return list(frame.columns)


def check_aligned(X, others, *, owner="X"):
    """Raise if the index of a pandas object differs from that of the data frame `X`.

    Rows are matched by position, as everywhere in scikit-learn. If both have an index,
    and these differ, values would go to the wrong rows.

    Parameters
    ----------
    X : object
        The rows, in any container.

    others : dict of str to object
        Objects with a value for each row, by the name of the parameter.

    owner : str, default="X"
        The parameter that holds `X`.
    """
    index = index_of(X)
    if index is None:
        return
    for name, values in others.items():
        other = index_of(values)
        if other is None or len(other) != len(index) or other.equals(index):
            continue
        pairs = list(zip(index.tolist(), other.tolist(), strict=True))
        row = next((row for row, (a, b) in enumerate(pairs) if a != b), 0)
        mine, theirs = pairs[row]
        raise ValueError(
            f"{name} and {owner} have different indices: row {row} is {mine!r} in "
            f"{owner} and {theirs!r} in {name}. Rows are matched by position. "
            f"If they are the same rows in the same order, pass {name}.to_numpy(); if "
            f"not, reorder them: pass {name}.loc[{owner}.index]."
        )


def order_of_names(values, names):
    """Return the positions of names in the index of a pandas object, if it has them.

    Parameters
    ----------
    values : object
        Anything.

    names : array-like of shape (n_rows,)
        Names of rows, such as their ids.

    Returns
    -------
    order : ndarray of shape (n_rows,) or None
        None unless `values` has an index that holds exactly these names, each once.
    """
    index = index_of(values)
    # With a repeated or missing name it would be a guess which value belongs to a row.
    if index is None or len(index) != len(names) or not index.is_unique:
        return None
    names = list_of(names)
    found = index.tolist()
    where = {name: position for position, name in enumerate(found)}
    if len(set(names)) != len(names) or not all(name in where for name in names):
        return None
    return np.array([where[name] for name in names], dtype=np.intp)


def is_in_other_order(values, names):
    """Tell whether the index of a pandas object holds the names in another order."""
    order = order_of_names(values, names)
    return order is not None and bool((order != np.arange(len(order))).any())


def list_of(ids):
    """Return ids as a list; numpy would turn all ids of a mixed list into texts.

    Raises
    ------
    TypeError
        If it is a single id.
    """
    if isinstance(ids, (list, tuple, range)):
        return [i.item() if isinstance(i, np.generic) else i for i in ids]
    ids = np.asarray(ids)
    if ids.ndim == 0:
        one = ids.item()
        raise TypeError(
            f"sample_ids must be a list of ids, got {one!r}; pass [{one!r}]."
        )
    return ids.tolist()


def hint_of_type(unknown, known):
    """Return a sentence if ids are unknown only because of their type, else ""."""
    texts = {str(i): i for i in known}
    for found in unknown:
        if str(found) in texts:
            other = texts[str(found)]
            return (
                f" Only the type differs: {found!r} is of type {type(found).__name__}, "
                f"and the id {other!r} of type {type(other).__name__}."
            )
    return ""
