"""Rows of data as text that is safe to print, and of limited length."""

import unicodedata
from collections.abc import Mapping

import numpy as np
from scipy.sparse import issparse

from skactive.utils._containers import column_names
from skactive.utils._rows import is_dataframe

# Lines of one row that are shown, and characters of one value of a mapping.
_MAX_LINES = 30
_MAX_VALUE = 200
_MAX_NAME = 80

# Control and format characters (escape sequences, bidi overrides), surrogates, line
# separators, and characters that are private or not assigned.
_ACTIVE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn"})
_JOINERS = "\u200c\u200d"  # many scripts and emoji are not readable without them


def inert(text, *, keep=""):
    r"""Return a text in which nothing can act on a terminal.

    Control characters, escape sequences, and characters that change the direction of
    a text or have no width are written as Python escapes.

    Parameters
    ----------
    text : str
        Any text.

    keep : str, default=""
        Characters to leave as they are, for instance line breaks.

    Returns
    -------
    text : str
        The text, safe to print.

    Examples
    --------
    >>> from skactive.oracles._showing import inert
    >>> print(inert("red: \x1b[31m, backwards: \u202e"))
    red: \x1b[31m, backwards: \u202e
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escape(c) if c not in keep and _is_active(c) else c for c in text)


def _is_active(character):
    return unicodedata.category(character) in _ACTIVE and character not in _JOINERS


def _escape(character):
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


def short(value):
    """Return a name, such as that of a class, as inert text of one line."""
    return inert(_cut(str(value), _MAX_NAME))


def rows_of(X):
    """Return the rows of `X` one by one, in a form that a person can read.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_rows
        The rows.

    Returns
    -------
    rows : list of length n_rows
        A dict of feature to value for each row of a data frame, a sparse matrix of one
        row for sparse data, and otherwise an item of the list or array.
    """
    if is_dataframe(X):
        names = column_names(X)
        if hasattr(X, "itertuples"):
            values = X.itertuples(index=False, name=None)
        else:
            values = X.iter_rows() if hasattr(X, "iter_rows") else np.asarray(X)
        return [_as_mapping(names, row) for row in values]
    if issparse(X):
        X = X.tocsr()
        return [X[[row]] for row in range(X.shape[0])]
    return list(X)


def _as_mapping(names, values):
    if len(set(names)) == len(names):
        return dict(zip(names, values, strict=True))
    numbered = [f"{name} ({i})" for i, name in enumerate(names)]  # or some were lost
    return dict(zip(numbered, values, strict=True))


def show_row(row, *, max_chars=None):
    """Return a row as inert text, a text as itself, features one to a line.

    Parameters
    ----------
    row : object
        A row from :func:`rows_of`, or a text made from one.

    max_chars : int or None, default=None
        Number of characters of a text that are shown; the number of lines is limited
        then, too. None shows all.

    Returns
    -------
    shown : str
        Lines, safe to print.
    """
    if issparse(row):
        row = row.tocoo()
        row = dict(zip(row.col.tolist(), row.data.tolist(), strict=True))
    elif isinstance(row, (np.ndarray, list, tuple)) and np.ndim(row) == 1:
        row = dict(enumerate(row))
    if isinstance(row, Mapping):
        lines = _feature_lines(row, max_chars)
        more = "features"
    else:
        text = row if isinstance(row, str) else str(row)
        lines = inert(_cut(text, max_chars), keep="\n\t").split("\n")
        more = "lines"
    n_shown = len(lines) if max_chars is None else _MAX_LINES
    if len(lines) > n_shown:
        lines = [*lines[:n_shown], f"... and {len(lines) - n_shown} more {more}"]
    return "\n".join(lines)


def _feature_lines(row, max_chars):
    limit = None if max_chars is None else min(max_chars, _MAX_VALUE)
    return [
        f"{inert(_cut(str(name), limit))}: {inert(_cut(_value_text(value), limit))}"
        for name, value in row.items()
    ]


def _value_text(value):
    return f"{value:g}" if isinstance(value, (float, np.floating)) else str(value)


def _cut(text, limit):
    if limit is None or len(text) <= limit:
        return text
    return f"{text[:limit]}... ({len(text)} characters)"
