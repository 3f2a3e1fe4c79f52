"""Errors that say whose parameter something is wrong with."""

import re
from contextlib import contextmanager

from skactive.utils._sklearn import InvalidParameterError


@contextmanager
def naming(parameter, owner):
    """Put the name of a parameter before errors that do not say whose it is.

    Parameters
    ----------
    parameter : str
        Name of the parameter whose value is looked at.

    owner : object
        What it is a parameter of.
    """
    try:
        yield
    except (ValueError, TypeError, IndexError) as error:
        name, message = type(owner).__name__, str(error)
        is_named = re.search(rf"\b{parameter}\b", message) and name in message
        if is_named:
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        if isinstance(error, InvalidParameterError):  # it is both
            kind = InvalidParameterError
        raise kind(f"The {parameter!r} parameter of {name}: {message}") from error
