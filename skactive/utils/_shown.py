"""Values as messages and reprs show them: tables by their size, others shortened."""

import copy

from sklearn.base import BaseEstimator

from skactive.utils._sklearn import InvalidParameterError

_MAX_VALUES = 5
_MAX_TEXT = 200


def shown(value):
    """Return a value as a text of one line for a message.

    Arrays, tables and long sequences are shown by their size. Other values are shown by
    their repr, which is cut if it is long.
    """
    if isinstance(value, (list, tuple, set, frozenset, range, dict)):
        if len(value) > _MAX_VALUES:
            return f"<{type(value).__name__} of {len(value)}>"
    elif is_table(value):
        return _size(value)
    text = " ".join(repr(without_tables(value)).split())
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}..."


def shown_values(values):
    """Return some of the values that a message is about, and the number of others."""
    values = [v.item() if hasattr(v, "item") else v for v in values]
    names = ", ".join(map(shown, values[:_MAX_VALUES]))
    more = len(values) - _MAX_VALUES
    return f"[{names}]" if more <= 0 else f"[{names}, and {more} more]"


def name_of(model):
    """Return the name of a model's class; for a wrapper of ours, of the inner model."""
    return getattr(model, "_owner_name", type(model).__name__)


def is_table(value):
    """Tell whether a value is an array, a sparse matrix, a data frame or a column."""
    shape = getattr(value, "shape", None)
    return isinstance(shape, tuple) and len(shape) > 0


def _size(table):
    shape = tuple(table.shape)
    size = shape[0] if len(shape) == 1 else " x ".join(map(str, shape))
    return f"<{type(table).__name__} of {size}>"


class _Shown:
    """Replaces a value in a repr."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text


def without_tables(value):
    """Return an object with the repr of a value, but with tables shown by their size.

    Tables are also found in estimators, and in lists of them. The value is not changed;
    one that contains no table is returned itself.
    """
    if is_table(value) or _is_long(value):
        return _Shown(shown(value))
    if isinstance(value, (list, tuple)) and type(value) in (list, tuple):
        parts = [without_tables(part) for part in value]
        same = all(new is old for new, old in zip(parts, value, strict=True))
        return value if same else type(value)(parts)
    if type(value) is dict:
        parts = {key: without_tables(part) for key, part in value.items()}
        return value if all(parts[key] is value[key] for key in parts) else parts
    if isinstance(value, BaseEstimator):
        return _estimator_without_tables(value)
    return value


def _is_long(value):
    """Tell whether a value is a long collection of plain values."""
    kinds = (list, tuple, dict, set, frozenset, range)
    if not isinstance(value, kinds) or len(value) <= 2 * _MAX_VALUES:
        return False
    value = value.values() if isinstance(value, dict) else value
    return not any(isinstance(v, (tuple, BaseEstimator)) for v in value)


def _estimator_without_tables(estimator):
    changed = {}
    for name, old in estimator.get_params(deep=False).items():
        new = without_tables(old)
        if new is not old:
            changed[name] = new
    if not changed:
        return estimator
    # Not `clone` and `set_params`, which may validate or copy what they get.
    twin = copy.copy(estimator)
    vars(twin).update(changed)
    return twin


class BriefMixin:
    """Keeps tables out of the repr of an estimator, and out of errors of parameters."""

    def __repr__(self, N_CHAR_MAX=700):
        return BaseEstimator.__repr__(without_tables(self), N_CHAR_MAX)

    def _validate_params(self):
        try:
            super()._validate_params()
        except InvalidParameterError as error:
            raise InvalidParameterError(_brief(str(error), self)) from None


def _brief(message, estimator):
    """Return the message on a wrong parameter with its value shortened."""
    # scikit-learn writes: The 'name' parameter of Class must be ... Got VALUE instead.
    name = message.split("'")[1]
    expected, got, _ = message.rpartition(" Got ")
    return f"{expected}{got}{shown(getattr(estimator, name))} instead."
