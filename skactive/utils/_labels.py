"""Labels with a marker for the missing ones: reading, checking and storing them."""

import math
import numbers
import warnings

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from skactive.utils._containers import as_column
from skactive.utils._shown import shown, shown_values

# The texts that None, nan and NA become when numpy turns them into strings.
NULL_TEXTS = frozenset({"None", "nan", "NaN", "<NA>", "NaT"})


def is_null(value):
    """Tell whether a scalar is None, nan, NA or NaT: they are one marker."""
    if value is None:
        return True
    if isinstance(value, numbers.Number):
        return value != value  # nan of any type
    # By name, as pandas is not imported for that; comparing NA gives NA.
    return type(value).__name__ in ("NAType", "NaTType")


def is_marker(value, missing_label):
    """Tell whether a scalar is the marker of a missing label."""
    if is_null(missing_label):
        return is_null(value)
    if isinstance(missing_label, str) or isinstance(value, str):
        return type(missing_label) is str and str(value) == missing_label
    return isinstance(value, numbers.Number) and bool(value == missing_label)


def column_y(y):
    """Return `y` as a one-dimensional ndarray, from any container."""
    return column_or_1d(as_column(y), warn=True)


def labeled_mask(y, missing_label):
    """Return a boolean mask of the rows of the ndarray `y` that hold a label."""
    if y.dtype.kind == "O":
        return np.fromiter(
            (not is_marker(value, missing_label) for value in y), bool, len(y)
        )
    if is_null(missing_label):
        return ~np.isnan(y) if y.dtype.kind == "f" else np.ones(len(y), dtype=bool)
    if isinstance(missing_label, str):
        return y != missing_label if y.dtype.kind == "U" else np.ones(len(y), bool)
    if y.dtype.kind in "iuf":
        return y != missing_label
    return np.ones(len(y), dtype=bool)


def split_labeled(y, missing_label, *, owner=None):
    """Return `y` as a 1d array, the mask of labelled rows, and their labels.

    Errors name the `owner` of the parameter `missing_label`, if it is given.
    """
    y = column_y(y)
    _refuse_hidden_marker(y, missing_label, owner=owner)
    labeled = labeled_mask(y, missing_label)
    labels = as_labels(y[labeled], owner=owner)
    check_finite(labels, missing_label)
    return y, labeled, labels


def as_labels(values, *, owner=None):
    """Give an array that holds only labels its natural dtype.

    Only object arrays change: numbers in them become a numeric array, as scikit-learn
    does not take numbers of dtype object for classes; strings stay as they are.
    """
    if values.dtype.kind in "mM":
        raise ValueError(
            f"y holds dates or durations ({values.dtype}); classes must be numbers or "
            "strings. If each of them is a class, pass y.astype(str)."
        )
    if values.dtype.kind != "O" or len(values) == 0:
        return values
    if any(is_null(value) for value in values):
        raise ValueError(
            "Input y contains NaN or None, which is not the marker of a missing label "
            f"here; set {_setting('None', owner)} (None, nan and NA are one marker)."
        )
    kinds = {_kind(value) for value in values}
    if kinds == {str}:
        return values
    if str in kinds or None in kinds:
        names = sorted({type(value).__name__ for value in values})
        raise ValueError(
            f"y mixes labels of types {names}; classes must be all numbers or all "
            "strings. Rows without a label hold the value of `missing_label`."
        )
    labels = np.array(values.tolist())
    if kinds == {int} and labels.dtype.kind not in "iu":
        large = max(values.tolist(), key=abs)
        raise ValueError(
            f"Input y contains {large}, which does not fit into 64 bits. Turn the "
            "labels into texts."
        )
    return labels


def check_finite(labels, missing_label):
    """Raise if labels are NaN or infinite, which are not classes."""
    if labels.dtype.kind == "f" and not np.isfinite(labels).all():
        bad = "NaN" if np.isnan(labels).any() else "infinity"
        raise ValueError(
            f"Input y contains {bad}, which is not a label; rows without a label are "
            f"marked by missing_label, which is {missing_label!r} here."
        )


def check_y(y, missing_label, *, has_oracle):
    """Validate a partly labelled `y`; return it, the labelled mask and the labels."""
    y = column_y(y)
    # Without an oracle 255 may well be a class. With one, rows that wait for a label
    # would be taken for labelled.
    if has_oracle:
        _refuse_wrapped_marker(y, missing_label)
    y, labeled, labels = split_labeled(y, missing_label)
    if len(labels):
        check_classification_targets(labels)
    return y, labeled, labels


def warn_if_split_blindly(y, labeled, missing_label):
    """Warn of scores in a cross-validation that does not know `y` as classes.

    An integer `cv` stratifies only targets that scikit-learn recognises as classes. It
    does not recognise a `y` of dtype object whose marker is not a text, and cuts it in
    the order of its rows.
    """
    if labeled.all() or y.dtype.kind != "O" or isinstance(missing_label, str):
        return
    warnings.warn(
        f"{int((~labeled).sum())} of {len(labeled)} rows have no label, and are left "
        "out of the score. If this is a cross-validation with an integer cv: "
        f"scikit-learn does not know a y of dtype object with {missing_label} as "
        "classes, and cuts it in the order of its rows, without stratifying. Use "
        f"cv=LabeledFold(5, missing_label={missing_label}).",
        UserWarning,
        stacklevel=3,
    )


def _setting(missing_label, owner):
    """Return how to set the marker, for an error."""
    setting = f"missing_label={missing_label}"
    return setting if owner is None else f"{owner}(..., {setting})"


def _refuse_hidden_marker(y, missing_label, *, owner):
    """Raise if `y` holds a marker that was turned into text."""
    if y.dtype.kind in "UO" and not isinstance(missing_label, str):
        texts = NULL_TEXTS if is_null(missing_label) else {str(missing_label)}
        found = sorted(texts.intersection(v for v in y.tolist() if type(v) is str))
        if found:
            raise ValueError(
                f"y contains the string {found[0]!r}, which looks like the missing "
                f"label {missing_label!r} turned into text. Pass y with dtype=object, "
                f"so that it can hold {missing_label!r} itself, or set "
                f"{_setting(repr(found[0]), owner)}."
            )


def _refuse_wrapped_marker(y, missing_label):
    """Raise if an unsigned `y` holds a negative marker that has wrapped around."""
    if (
        y.dtype.kind == "u"
        and isinstance(missing_label, numbers.Integral)
        and missing_label < 0
    ):
        wrapped = np.iinfo(y.dtype).max + 1 + int(missing_label)
        if wrapped >= 0 and (y == wrapped).any():
            raise ValueError(
                f"y has the unsigned dtype {y.dtype}, which cannot hold the missing "
                f"label {missing_label}: it contains {wrapped}, which is what "
                f"{missing_label} becomes there. Use a signed dtype."
            )


def check_missing_label(missing_label):
    """Refuse a marker of a type that no label can have."""
    if isinstance(missing_label, (bool, np.bool_)) or not (
        is_null(missing_label) or isinstance(missing_label, (numbers.Integral, str))
    ):
        raise ValueError(
            "missing_label must be an int, a str, None or nan, got "
            f"{shown(missing_label)} instead."
        )


def check_classes(classes, labels, missing_label, *, name="classes"):
    """Validate a closed set of classes against the labels that are known.

    Returns the sorted classes in an array of their natural dtype, or None. Errors call
    the parameter by its `name`.
    """
    if classes is None:
        return None
    given = as_column(classes)
    if given.ndim != 1 or len(given) == 0:
        raise ValueError(
            f"{name} must be a non-empty 1d sequence of labels, got {shown(classes)}."
        )
    if any(is_marker(value, missing_label) for value in list(classes)):
        raise ValueError(
            f"{name} contains {missing_label!r}, which is the missing label. If it "
            "is a class, choose another marker, for instance missing_label=None."
        )
    given = np.unique(as_labels(given))
    if len(given) != len(classes):
        raise ValueError(f"{name} must be unique, got {shown(classes)}.")
    unknown = sorted(set(labels.tolist()) - set(given.tolist()), key=str)
    if unknown:
        raise ValueError(
            f"y contains the labels {shown_values(unknown)}, which are not among the "
            f"closed {name}={shown_values(classes)}."
        )
    return given


def _kind(value):
    """Return bool, int, float or str, the type of `value`, or None for other types."""
    if isinstance(value, str):
        return str
    if isinstance(value, (bool, np.bool_)):
        return bool
    if isinstance(value, numbers.Integral):
        return int
    return float if isinstance(value, numbers.Real) else None


def kind_of(labels):
    """Return bool, int, float or str for an array of labels, None if it is empty."""
    if len(labels) == 0 and labels.dtype.kind != "U":
        return None
    return {"b": bool, "i": int, "u": int, "f": float}.get(labels.dtype.kind, str)


def parse_label(value, *, kind, missing_label):
    """Return one answer as a label, or None if it is an abstention.

    Parameters
    ----------
    value : object
        The answer of the oracle about one row.

    kind : {bool, int, float, str} or None
        Type of the known labels; None as long as there are none.

    missing_label : int, str, None or nan
        The marker, which as an answer means to abstain.

    Raises
    ------
    ValueError
        If it is not a label, or cannot become one of type `kind` without loss.
    """
    if isinstance(value, (np.ndarray, np.generic)) and np.ndim(value) == 0:
        value = value.item()
    if is_marker(value, missing_label) or is_null(value):
        return None
    found = _kind(value)
    if found is None:
        raise ValueError(
            f"{shown(value)} of type {type(value).__name__} is not a label"
        )
    if found is float and not (math.isfinite(value) and value == int(value)):
        raise ValueError(f"{shown(value)} is not a class")
    if kind is None or found is kind:
        return value if found is not float or kind is float else int(value)
    if str in (found, kind) or kind(value) != value:
        raise ValueError(
            f"{shown(value)} ({type(value).__name__}) cannot become a label of type "
            f"{kind.__name__} without loss"
        )
    return kind(value)


def store_label(y, row, label):
    """Write a label into `y`, and return `y` or, if it cannot hold it, a wider copy."""
    if y.dtype.kind == "U" and len(label) > y.dtype.itemsize // 4:
        y = y.astype(f"U{len(label)}")
    elif y.dtype.kind in "biuf" and isinstance(label, str):
        y = y.astype(object)
    elif y.dtype.kind in "iu" and not _fits(label, y.dtype):
        y = y.astype(np.result_type(y.dtype, np.min_scalar_type(int(label))))
    y[row] = label
    return y


def able_to_hold(y, missing_label):
    """Return a copy of `y` that can hold the marker."""
    if is_null(missing_label):
        is_number = y.dtype.kind in "iuf" and missing_label is not None
        return y.astype(np.result_type(y.dtype, np.float64) if is_number else object)
    if isinstance(missing_label, str):
        if y.dtype.kind != "U":
            return y.astype(object)
        return y.astype(np.result_type(y.dtype, np.array(missing_label).dtype))
    if y.dtype.kind not in "iuf":
        return y.astype(object)
    return y.astype(np.result_type(y.dtype, np.min_scalar_type(missing_label)))


def _fits(label, dtype):
    limits = np.iinfo(dtype)
    return limits.min <= label <= limits.max
