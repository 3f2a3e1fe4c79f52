"""The entries of the log of a run, as a file has them.

In a run, rows are row numbers. In a file they have names: their `sample_ids` or,
without these, their row numbers.
"""

import math

import numpy as np

from skactive.exceptions import SavedLoopError
from skactive.utils._labels import as_labels

_NUMBER = (int, float)

# The fields that an entry of each kind needs, and their types.
_FIELDS = {
    "begin": {"has_ids": bool, "seed": int, "session": bool},
    "round": {
        "round": int,
        "strategy": str,
        "rows": list,
        "probabilities": (list, type(None)),
        "n_seen": int,
        "record": dict,
    },
    "told": {"rows": list, "labels": list, "free": list},
    "correction": {"rows": list, "labels": list, "by": str, "at": _NUMBER},
    "again": {"rows": list},
    "closed": {
        "round": int,
        "rows": list,
        "probabilities": list,
        "record": (dict, type(None)),
    },
    "end": {"condition": str, "n_seen": int},
    "stop": {"condition": str},
}


def check_entries(entries, path):
    """Raise a SavedLoopError if something in a log cannot be right.

    Parameters
    ----------
    entries : list of dict
        The log.

    path : str or path-like
        The file, for the message.
    """
    for position, entry in enumerate(entries):
        wrong = _what_is_wrong(entry)
        if wrong is not None:
            raise SavedLoopError(
                f"The saved loop {str(path)!r} is damaged, or was changed by hand: the "
                f"entry {position} of its log {wrong}."
            )


def _what_is_wrong(entry):
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in _FIELDS:
        return f"has the unknown kind {kind!r}"
    for name, types in _FIELDS[kind].items():
        if not isinstance(entry.get(name), types):
            return f"has no {name}"
    rows = entry.get("rows", [])
    if any(isinstance(row, bool) or not isinstance(row, (int, str)) for row in rows):
        return "has rows that are not ids"
    for name in ("labels", "probabilities"):
        values = entry.get(name)
        if values is not None and len(values) != len(rows):
            return f"has not one of its {name} for each row"
    return None


def encoded(entry, names_of):
    """Return an entry as a file has it.

    Parameters
    ----------
    entry : dict
        An entry of a run.

    names_of : callable
        ``names_of(rows) -> names`` returns the names of rows as a list.

    Returns
    -------
    entry : dict
        Made of what JSON holds.
    """
    entry = dict(entry)
    for name in ("rows", "free"):
        if name in entry:
            entry[name] = names_of(entry[name])
    for name in ("labels", "probabilities"):
        if entry.get(name) is not None:
            entry[name] = [plain(value) for value in entry[name]]
    if entry.get("record"):
        entry["record"] = {k: _number(v) for k, v in entry["record"].items()}
    return entry


def decoded(entry, row_of):
    """Return an entry as a run has it, without the rows that it does not have.

    Parameters
    ----------
    entry : dict
        An entry of a file.

    row_of : callable
        ``row_of(name) -> row or None`` returns the row of a name.

    Returns
    -------
    entry : dict
        The entry, with row numbers.
    """
    entry = dict(entry)
    if "rows" in entry:
        rows = [row_of(name) for name in entry["rows"]]
        kept = [position for position, row in enumerate(rows) if row is not None]
        entry["rows"] = [rows[position] for position in kept]
        for name in ("labels", "probabilities"):
            if entry.get(name) is not None:
                entry[name] = [entry[name][position] for position in kept]
    if "free" in entry:
        free = map(row_of, entry["free"])
        entry["free"] = [row for row in free if row is not None]
    return entry


def labels_in(entries):
    """Return the labels in a log and the names of their rows, for an exception.

    Parameters
    ----------
    entries : list of dict
        The entries.

    Returns
    -------
    bought : dict
        `labels` and, as `indices`, the names: ids if the log has them, otherwise row
        numbers.
    """
    known = {}
    for entry in entries:
        if entry["kind"] not in ("told", "correction"):
            continue
        for name, label in zip(entry["rows"], entry["labels"], strict=True):
            if known.get(name) is None or entry["kind"] == "correction":
                known[name] = label
    known = {name: label for name, label in known.items() if label is not None}
    labels = as_labels(np.array([*known.values()], dtype=object))
    are_texts = any(isinstance(name, str) for name in known)
    names = np.array([*known], dtype=object if are_texts else np.intp)
    return {"labels": labels, "indices": names}


def plain(label):
    """Return a label as a bool, int, str or float of Python, or None."""
    if label is None:
        return None
    # A bool is an int, too, so it comes first.
    kind = next((k for k in (bool, int, str) if isinstance(label, k)), float)
    return kind(label)


def _number(value):
    value = value.item() if hasattr(value, "item") else value
    # JSON has no nan and no infinity.
    is_odd = isinstance(value, float) and not math.isfinite(value)
    return None if is_odd else value
