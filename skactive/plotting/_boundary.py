"""The boundary at which the predicted class changes."""

import numpy as np
from sklearn.inspection import DecisionBoundaryDisplay

from skactive.utils._containers import column_names
from skactive.utils._rows import is_dataframe
from skactive.utils._sklearn import _get_adapter_from_container

# Finer than a figure shows, and still fast with a slow `predict`: 40,000 points.
_GRID_RESOLUTION = 200
_MARGIN = 0.05  # around the rows, as a share of their extent


def predict_on_grid(clf, X, coordinates):
    """Predict classes on a grid over the rows."""
    from matplotlib.figure import Figure

    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    # A column of equal values has no extent.
    margin = np.where(high > low, _MARGIN * (high - low), 1.0)
    corners = np.stack([low - margin, high + margin])
    if is_dataframe(X):  # a Pipeline may look for columns by their names
        adapter = _get_adapter_from_container(X)
        corners = adapter.create_container(corners, corners, columns=column_names(X))
    # scikit-learn draws at once, so it gets axes that are not shown.
    return DecisionBoundaryDisplay.from_estimator(
        clf,
        corners,
        grid_resolution=_GRID_RESOLUTION,
        eps=0.0,
        response_method="predict",
        plot_method="pcolormesh",
        ax=Figure().subplots(),
    )


def draw_outlines(ax, boundary):
    """Draw the outline of the region of every predicted class but the first.

    The outline of the first consists of those of the others.
    """
    if boundary is None:
        return []
    return [
        ax.contour(
            boundary.xx0,
            boundary.xx1,
            boundary.response == number,
            levels=[0.5],
            colors="dimgray",
            linewidths=1.2,
            zorder=2,
        )
        for number in np.unique(boundary.response)[1:]
    ]
