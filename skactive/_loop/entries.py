"""The entries of a log as they are in a file: checks, and conversion of rows.

A run knows rows by their numbers, and a file by their names: the `sample_ids` or, if
there are none, the row numbers.
"""

import math
from contextlib import suppress

import numpy as np

from skactive.exceptions import SavedLoopError
from skactive.utils._labels import as_labels


def _is_int(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value):
    return _is_int(value) or isinstance(value, float)


def _is_text(value):
    return isinstance(value, str)


def _is_bool(value):
    return isinstance(value, bool)


def _is_dict(value):
    return isinstance(value, dict)


def _are_names(value):
    return isinstance(value, list) and all(_is_int(v) or _is_text(v) for v in value)


def _are_labels(value):
    return isinstance(value, list) and all(map(_is_label, value))


def _is_label(value):
    if _is_int(value):
        return -(2**63) <= value < 2**64
    return value is None or isinstance(value, (bool, float, str))


def _are_probabilities(value):
    return isinstance(value, list) and all(v is None or _is_number(v) for v in value)


def _is_record(value):
    return _is_dict(value) and all(_is_number(value.get(n, 0)) for n in _NUMBERS)


def _is_begun_record(value):
    return _is_record(value) and {"select_seconds", "oracle_seconds"} <= value.keys()


def _is_sample(value):
    is_drawn = _is_dict(value) and _is_int(value.get("seed"))
    return is_drawn and _are_names(value.get("rows"))


def _or_none(is_valid):
    return lambda value: value is None or is_valid(value)


# The fields of a record that are used in computations.
_NUMBERS = ("fit_seconds", "select_seconds", "oracle_seconds", "cost")

# The fields of each kind of entry, and the check of each.
_FIELDS = {
    "begin": {
        "has_ids": _is_bool,
        "session": _is_bool,
        "seed": lambda value: _is_int(value) and value >= 0,
        "made_with": _is_dict,
        "made_of": _or_none(_is_dict),
        "sample": _or_none(_is_sample),
    },
    "round": {
        "round": _is_int,
        "strategy": _is_text,
        "rows": _are_names,
        "probabilities": _or_none(_are_probabilities),
        "n_seen": _is_int,
        "record": _is_begun_record,
        "costs": _or_none(_are_probabilities),
    },
    "told": {"rows": _are_names, "labels": _are_labels, "free": _are_names},
    "contradiction": {"rows": _are_names, "labels": _are_labels},
    "correction": {
        "rows": _are_names,
        "labels": _are_labels,
        "old": _are_labels,
        "by": _is_text,
        "at": _is_number,
    },
    "again": {"rows": _are_names},
    "closed": {
        "round": _is_int,
        "rows": _are_names,
        "probabilities": _are_probabilities,
        "record": _or_none(_is_record),
    },
    "end": {"condition": _is_text, "n_seen": _is_int},
    "stop": {"condition": _is_text},
}

_OPTIONAL = {"made_of", "sample", "costs"}
_ONE_FOR_EACH_ROW = {"labels", "old", "probabilities", "costs"}


def check_entries(entries, path):
    """Raise a SavedLoopError if an entry of a log is not valid.

    Parameters
    ----------
    entries : list of dict
        The log.

    path : str or path-like
        The file, for the message.
    """
    wrong = list(map(_what_is_wrong, entries))
    for position, what in enumerate(wrong):
        if what is not None:
            pairs = zip(entries, wrong, strict=True)
            raise SavedLoopError(
                f"The saved loop {str(path)!r} is damaged, or was changed by hand: the "
                f"entry {position} of its log {what}.",
                **labels_in([entry for entry, what in pairs if what is None]),
            )


def _what_is_wrong(entry):
    kind = entry.get("kind")
    if not isinstance(kind, str) or kind not in _FIELDS:
        return f"has the unknown kind {kind!r}"
    for name, is_valid in _FIELDS[kind].items():
        is_there = name in entry or name in _OPTIONAL
        if not is_there or not is_valid(entry.get(name)):
            return f"has no valid {name}"
    for name in _FIELDS[kind].keys() & _ONE_FOR_EACH_ROW:
        if entry.get(name) is not None and len(entry[name]) != len(entry["rows"]):
            return f"does not have one of its {name} for each row"
    return None


def encoded(entry, names_of):
    """Return an entry for a file, with names of rows.

    Parameters
    ----------
    entry : dict
        An entry of a run.

    names_of : callable
        ``names_of(rows) -> names`` returns the names of rows as a list.

    Returns
    -------
    entry : dict
        It can be written as JSON.
    """
    entry = dict(entry)
    for name in ("rows", "free"):
        if name in entry:
            entry[name] = names_of(entry[name])
    for name in _ONE_FOR_EACH_ROW:
        if entry.get(name) is not None:
            entry[name] = [plain(value) for value in entry[name]]
    if entry.get("record"):
        entry["record"] = {k: _number(v) for k, v in entry["record"].items()}
    return entry


def decoded(entry, row_of):
    """Return an entry for a run, without rows that the run does not have.

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
        for name in _FIELDS[entry["kind"]].keys() & _ONE_FOR_EACH_ROW:
            if entry.get(name) is not None:
                entry[name] = [entry[name][position] for position in kept]
    if "free" in entry:
        free = map(row_of, entry["free"])
        entry["free"] = [row for row in free if row is not None]
    return entry


def as_it_happened(entries):
    """Return entries in the order in which they took effect.

    Answers may come while the rows of a round are being selected. The selection has not
    seen them, although they come before the round in the log.

    Parameters
    ----------
    entries : list of dict
        The log.

    Returns
    -------
    entries : list of dict
        The same entries, sorted.
    """
    seen, begin = [], 0
    for position, entry in enumerate(entries):
        if entry["kind"] == "begin":  # a run counts from there
            begin = position
        is_last = "n_seen" not in entry
        seen.append((begin + entry.get("n_seen", position - begin), is_last))
    order = sorted(range(len(entries)), key=seen.__getitem__)
    return [entries[position] for position in order]


def labels_in(entries):
    """Return the labels in a log, for an exception.

    Parameters
    ----------
    entries : list of dict
        The entries.

    Returns
    -------
    bought : dict
        `labels`, and `indices`, the names of their rows: ids if the log has them,
        otherwise row numbers.
    """
    known = {}
    for entry in entries:
        if entry["kind"] not in ("told", "correction"):
            continue
        for name, label in zip(entry["rows"], entry["labels"], strict=True):
            if known.get(name) is None or entry["kind"] == "correction":
                known[name] = label
    known = {name: label for name, label in known.items() if label is not None}
    labels = np.array([*known.values()], dtype=object)
    with suppress(ValueError):  # of several types, in a damaged file
        labels = as_labels(labels)
    are_rows = all(_is_int(name) and abs(name) < 2**63 for name in known)
    names = np.array([*known], dtype=np.intp if are_rows else object)
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
