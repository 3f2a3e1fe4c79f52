"""Read saved loops of the first format, which was JSON, as a log."""

import hashlib
import json

from skactive._loop.entries import check_entries, labels_in
from skactive.exceptions import SavedLoopError

_FORMAT, _VERSION = "skactive.LabelingLoop", 1
_SECONDS = ("fit_seconds", "select_seconds", "oracle_seconds")


def is_old_loop(path):
    """Return whether a file is not a database, and so may be an old saved loop.

    Parameters
    ----------
    path : str or path-like
        The file, which must exist.
    """
    with open(path, "rb") as file:
        return file.read(16) != b"SQLite format 3\0"


def read_old_loop(path):
    """Read a file of the first format.

    Parameters
    ----------
    path : str or path-like
        The file.

    Returns
    -------
    entries : list of dict
        The entries of its log, with row numbers.

    Raises
    ------
    SavedLoopError
        If it is not a saved loop, or is damaged.
    """
    path = str(path)
    with open(path, "rb") as file:
        data = file.read()
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise SavedLoopError(
            f"The file {path!r} is not a saved loop, or is damaged: {error}. Load a "
            "file that LabelingLoop.save has written."
        ) from error
    if not isinstance(content, dict) or content.get("format") != _FORMAT:
        raise SavedLoopError(
            f"The file {path!r} is JSON, but not a saved loop: its 'format' is not "
            f"{_FORMAT!r}. Load a file that LabelingLoop.save has written."
        )
    if content.get("version") != _VERSION:
        raise SavedLoopError(
            f"The saved loop {path!r} has the version {content.get('version')!r} of "
            f"the format, but JSON files have the version {_VERSION}. Load it with the "
            "release that wrote it.",
            **_bought(content),
        )
    checksum = content.pop("sha256", None)
    try:
        if checksum != _checksum(content):
            raise ValueError("its checksum does not match its content")
        entries = _entries_of(content)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise SavedLoopError(
            f"The saved loop {path!r} is damaged, or was changed by hand: {error}. "
            "Load a copy of it, or start a new loop with its labels in y.",
            **_bought(content),
        ) from error
    check_entries(entries, path)
    return entries


def _bought(content):
    """Return the labels in a file that may be damaged anywhere, for an exception."""
    try:
        parts = [*content["rounds"], content["end"] or {"told": []}]
        return labels_in([entry for part in parts for entry in _told(part["told"])])
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError):
        return labels_in([])


def _entries_of(content):
    """Return the content of a file as entries."""
    begin = {"kind": "begin", "has_ids": False, "session": False}
    begin |= {name: content[name] for name in ("seed", "made_with", "made_of")}
    entries = [begin]
    for number, part in enumerate(content["rounds"], start=1):
        seconds = {name: part[name] for name in _SECONDS if name in part}
        entries.append(
            {
                "kind": "round",
                "round": number,
                "strategy": part["strategy"],
                "rows": part["rows"],
                "probabilities": part["probabilities"],
                "n_seen": len(entries),
                "record": seconds,
            }
        )
        entries += _told(part["told"])
        if not part["open"]:
            entries.append(_closed(number, seconds))
    if content["end"] is not None:
        end = {"kind": "end", "condition": content["end"]["condition"]}
        entries.append(end | {"n_seen": len(entries)})
        entries += _told(content["end"]["told"])
    return entries


def _told(batches):
    return [{"kind": "told", "free": [], **batch} for batch in batches]


def _closed(number, record):
    about = {"rows": [], "probabilities": [], "record": record}
    return {"kind": "closed", "round": number, **about}


def _checksum(content):
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()
