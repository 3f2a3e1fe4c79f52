"""Damage: checksums, and the error for content that cannot be right."""

import json
import zlib

from skactive.exceptions import StoreCorruptedError

# Times are seconds since 1970; a datetime holds none after the year 9999.
_LAST_TIME = 253402300799


def checksum(*fields):
    """Return the checksum of fields; None if one of them is not text or a number."""
    try:
        return zlib.crc32(json.dumps(fields).encode())
    except TypeError:
        return None


def damaged(path, what, **details):
    """Return the error for a damaged file."""
    return StoreCorruptedError(
        f"The label store {path} is damaged ({what}); it was left as it is. Restore it "
        "from a backup, or save what can be read with SQLite's .recover.",
        **details,
    )


def from_json(text):
    """Return the value of a JSON text; raise ValueError if it is not JSON."""
    if not isinstance(text, str):
        raise ValueError(f"{text!r} is not a text")
    try:
        return json.loads(text)
    except RecursionError as error:  # thousands of brackets
        raise ValueError("too deeply nested") from error


def is_time(value):
    """Tell whether a value can be a time."""
    return isinstance(value, (int, float)) and 0 <= value <= _LAST_TIME
