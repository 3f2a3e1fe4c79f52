"""Warnings that point at the code of the user, however deep they are raised."""

import inspect
import warnings

# scikit-learn is skipped, too: it calls `fit` within a search or a Pipeline.
_INSIDE = ("skactive", "sklearn")


def warn_caller(message, category=UserWarning):
    """Warn at the line of the user's code that called the package.

    Parameters
    ----------
    message : str
        The message.

    category : type, default=UserWarning
        Class of the warning.
    """
    # No fixed `stacklevel` is right: the same check runs within `fit`, `LabelingLoop`
    # and a search. Python also shows a warning once per line of code, so that with a
    # line of ours a second fit of the user would not be warned.
    frame, level = inspect.currentframe(), 1
    while frame is not None and _is_inside(frame):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


def _is_inside(frame):
    return frame.f_globals.get("__name__", "").partition(".")[0] in _INSIDE
