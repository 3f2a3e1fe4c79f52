"""Labels as tables: reading them from files and data frames, and writing them."""

import csv
import json
import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from skactive.oracles._store.answers import to_key
from skactive.utils._containers import check_aligned, index_of, refuse_lazy

_COLUMNS = ("task", "sample_id", "label", "annotator", "answered_at")
_WHOLE_NUMBER = re.compile(r"0|-?[1-9][0-9]*")


def read_answers(data, sample_id, label):
    """Return the labels in a table, by key.

    Parameters
    ----------
    data : str, path-like, data frame, Series, mapping or list of dict
        The table, or the name of its file.

    sample_id, label : str
        Names of its columns.

    Returns
    -------
    answers : dict
        Labels, by key, as they are in the table.

    Raises
    ------
    ValueError
        If it lacks a column, or an id has several labels.
    """
    ids, labels = _columns(data, sample_id, label)
    answers = {}
    for one_id, value in zip(ids, labels, strict=True):
        key = to_key(one_id)
        if key in answers and str(answers[key]) != str(value):
            raise ValueError(
                f"The table has several labels for the sample_id {key}: "
                f"{answers[key]!r} and {value!r}. Decide on one; nothing was taken in."
            )
        answers[key] = value
    return answers


def write_records(records, path):
    """Write records into a CSV or JSONL file.

    Parameters
    ----------
    records : list of dict
        The records.

    path : str or path-like
        The file; its suffix is the format.
    """
    if _suffix(path) == ".jsonl":
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in records]
        Path(path).write_text("".join(lines), encoding="utf-8")
        return
    _refuse_what_csv_would_change(records)
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, _COLUMNS)
        writer.writeheader()
        writer.writerows(records)


def _columns(data, sample_id, label):
    if isinstance(data, (str, PathLike)):
        data = _read_csv(data) if _suffix(data) == ".csv" else _read_jsonl(data)
    if isinstance(data, list):
        missing = [
            name for name in (sample_id, label) if any(name not in r for r in data)
        ]
        columns = data and [[row.get(n) for row in data] for n in (sample_id, label)]
        columns = columns or ([], [])
    elif isinstance(data, Mapping) or hasattr(data, "columns"):
        refuse_lazy(data, "data")
        names = list(data if isinstance(data, Mapping) else data.columns)
        missing = [name for name in (sample_id, label) if name not in names]
        columns = [data[name] for name in (sample_id, label) if name not in missing]
        if not missing:
            check_aligned(columns[0], {label: columns[1]}, owner=sample_id)
        columns = [c.tolist() if hasattr(c, "tolist") else list(c) for c in columns]
    elif index_of(data) is not None:  # a Series
        return data.index.tolist(), data.tolist()
    else:
        raise TypeError(
            "Labels are taken from the name of a CSV or JSONL file, a data frame, a "
            "Series whose index holds the ids, a mapping of columns or a list of "
            f"dicts, got {type(data).__name__}."
        )
    if missing:
        raise ValueError(
            f"The table has no column {missing[0]!r} in all of its rows; name the "
            "columns by the parameters sample_id and label."
        )
    return columns


def _read_csv(path):
    with open(path, newline="", encoding="utf-8-sig") as file:
        return [
            {name: _from_text(text) for name, text in row.items()}
            for row in csv.DictReader(file)
        ]


def _read_jsonl(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def _from_text(text):
    """Read a cell of a CSV file: None if it is empty, a whole number or a text."""
    if not text:
        return None
    return int(text) if _WHOLE_NUMBER.fullmatch(text) else text


def _refuse_what_csv_would_change(records):
    for record in records:
        for name in ("sample_id", "label"):
            value = record[name]
            text = "" if value is None else str(value)
            read = _from_text(text)
            if type(read) is not type(value) or read != value:
                raise ValueError(
                    f"The {name} {value!r} of type {type(value).__name__} would not "
                    "be the same when read from a CSV file; write a .jsonl file."
                )


def _suffix(path):
    suffix = Path(path).suffix.lower()
    if suffix not in (".csv", ".jsonl"):
        raise ValueError(
            f"A table of labels ends in .csv or .jsonl, got {str(path)!r}."
        )
    return suffix
