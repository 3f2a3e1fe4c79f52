"""Damage: checksums of what matters, and the error for what cannot be right."""

import json
import zlib

from skactive.exceptions import StoreCorruptedError

# Times are seconds since 1970; a datetime holds none after the year 9999.
_LAST_TIME = 253402300799


def checksum(*fields):
    """Return the checksum of some fields of a row; None if one is no text or number."""
    try:
        return zlib.crc32(json.dumps(fields).encode())
    except TypeError:
        return None


def damaged(path, what, **details):
    """Return the error for a file in which something cannot be right."""
    return StoreCorruptedError(
        f"The label store {path} is damaged ({what}); it was left as it is. Restore it "
        "from a backup, or save what can be read with SQLite's .recover.",
        **details,
    )


def from_json(text):
    """Return what a text says; raise ValueError for all that is not JSON."""
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is not a text")
    try:
        return json.loads(text)
    except RecursionError as error:  # thousands of brackets
        raise ValueError("too deeply nested") from error


def is_time(value):
    """Tell whether a value can be a time."""
    return isinstance(value, (int, float)) and 0 <= value <= _LAST_TIME
