"""Warnings that point at the line of the user, wherever they arise."""

import inspect
import warnings

# scikit-learn calls `fit` itself, within a search or a Pipeline.
_INSIDE = ("skactive", "sklearn")


def warn_caller(message, category=UserWarning):
    """Warn at the line that has called the package, however deep this is within.

    Parameters
    ----------
    message : str
        The text.

    category : type, default=UserWarning
        The class of the warning.
    """
    frame, level = inspect.currentframe(), 1
    while frame is not None and _is_inside(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_inside(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE
