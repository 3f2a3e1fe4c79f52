"""Errors that name the parameter and the class it belongs to."""

import re
from contextlib import contextmanager

from skactive.utils._sklearn import InvalidParameterError


@contextmanager
def naming(parameter, owner):
    """Put the name of a parameter, and its owner, before errors that lack them.

    Parameters
    ----------
    parameter : str
        Name of the parameter whose value is checked.

    owner : object
        The object whose parameter it is.
    """
    try:
        yield
    except (ValueError, TypeError, IndexError) as error:
        name, message = type(owner).__name__, str(error)
        # Checks of scikit-learn and inner contexts have named it already.
        is_named = re.search(rf"\b{parameter}\b", message) and name in message
        if is_named:
            raise
        kind = TypeError if isinstance(error, TypeError) else ValueError
        if isinstance(error, InvalidParameterError):  # it is both
            kind = InvalidParameterError
        raise kind(f"The {parameter!r} parameter of {name}: {message}") from error
