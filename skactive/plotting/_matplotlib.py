"""Matplotlib, imported when something is drawn."""

from skactive.utils._sklearn import HasMethods

# Constraints of the parameters that all displays share.
DRAWN = {"name": [str, None], "ax": [HasMethods(["plot"]), None]}


def import_pyplot():
    """Import pyplot, or raise an error that says how to install it."""
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Drawing needs matplotlib; install it with `pip install skactive[plot]`."
        ) from error
    return plt


def new_axes():
    """Return the axes of a new figure that makes room for legends."""
    return import_pyplot().subplots(layout="constrained")[1]
