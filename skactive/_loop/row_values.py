"""Checks of the inputs with a value for each row: ids, prices, fit parameters."""

import numpy as np
from sklearn.utils.metadata_routing import process_routing

from skactive.utils._containers import index_of, is_in_other_order
from skactive.utils._shown import shown, shown_values
from skactive.utils._sklearn import _num_samples
from skactive.utils._warning import warn_caller


def check_sample_ids(sample_ids, n_samples):
    if sample_ids is None:
        return None
    values = np.asarray(sample_ids)
    if values.ndim != 1 or len(values) != n_samples:
        raise ValueError(
            f"sample_ids must hold one id for each of the {n_samples} rows, got an "
            f"array of shape {values.shape}."
        )
    # An array of ints needs no loop over all ids.
    is_sequence = isinstance(sample_ids, (list, tuple))
    if values.dtype.kind in "iu" and not is_sequence:
        if len(np.unique(values)) == n_samples:
            return values
    items = list(sample_ids) if is_sequence else values.tolist()
    _check_ids(items)
    if len({isinstance(item, str) for item in items}) > 1 or values.dtype.kind == "f":
        # numpy turns 1 into "1" beside a str, and ints into floats beside larger ones.
        return np.array(items, dtype=object)
    return values


def _check_ids(items):
    """Raise unless all ids are ints or strs, and unique."""
    for item in items:
        is_int = isinstance(item, (int, np.integer)) and not isinstance(item, bool)
        if not (is_int or isinstance(item, str)):
            raise ValueError(
                f"sample_ids must be ints or strs, got {shown(item)} of type "
                f"{type(item).__name__}. Ids of other types can be turned into strs, "
                "for instance by df.index.astype(str)."
            )
    seen = set()
    twice = next((i for i in items if i in seen or seen.add(i)), None)
    if twice is not None:
        raise ValueError(
            f"sample_ids must be unique, but {twice!r} stands for several rows. Ids of "
            "rows of several files can be joined, for instance f'{file}-{number}'."
        )


def warn_if_named_otherwise(sample_ids, **others):
    """Warn if the index of some values has the ids of the rows in another order."""
    if sample_ids is None or index_of(sample_ids) is not None:
        return
    for name, values in others.items():
        if is_in_other_order(values, sample_ids):
            warn_caller(
                f"{name} is matched with the rows by position, although its index "
                f"holds the sample_ids in another order. If this is intended, pass "
                f"{name}.to_numpy(); otherwise pass {name}.loc[sample_ids]."
            )


def check_costs(cost, n_samples):
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


def check_lengths(fit_params, n_samples):
    """Raise if a fit parameter that has a value per row has another length."""
    for name, value in fit_params.items():
        # Other parameters may have this length by chance.
        per_row = name.endswith(("sample_weight", "groups", "sample_ids"))
        if per_row and value is not None and _num_samples(value) != n_samples:
            raise ValueError(
                f"{name} must hold one value for each of the {n_samples} rows, got "
                f"{_num_samples(value)}."
            )


def check_fit_params(clf, fit_params, n_samples):
    """Return the parameters for the `fit` of the estimator."""
    check_lengths(fit_params, n_samples)
    return dict(process_routing(clf, "fit", **fit_params).estimator.fit)
