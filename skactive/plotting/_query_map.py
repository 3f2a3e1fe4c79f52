"""A map of the rows that were queried, and when."""

from numbers import Integral

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skactive.plotting._boundary import draw_outlines, predict_on_grid
from skactive.plotting._matplotlib import DRAWN, import_pyplot, new_axes
from skactive.plotting._projection import project
from skactive.utils._containers import check_aligned
from skactive.utils._rows import check_rows
from skactive.utils._sampling import draw_rows
from skactive.utils._sklearn import (
    HasMethods,
    Interval,
    _num_samples,
    validate_params,
)

# Up to this number of rounds, each has its own colour.
_MOST_COLORS = 20


class QueryMapDisplay:
    """Map of the rows that were queried, coloured by round.

    Use :meth:`from_estimator` to make one; the parts of the drawing are attributes.

    Read more in the :ref:`User Guide <displays>`.

    Parameters
    ----------
    coordinates : array-like of shape (n_samples, 2)
        All rows as points in the plane.

    query_indices : array-like of shape (n_queries,)
        Row numbers in the order in which they were queried.

    query_rounds : array-like of shape (n_queries,)
        The round in which each of these was queried, from 1.

    given : array-like of shape (n_given,), default=()
        Row numbers of the labels that the run began with.

    abstained : array-like of shape (n_abstained,), default=()
        Queried rows that have no label, as the oracle gave none.

    holdout : array-like of shape (n_holdout,), default=()
        Queried rows of the random test sample.

    boundary : DecisionBoundaryDisplay or None, default=None
        Its `response` is the number of the class predicted on the grid of `xx0` and
        `xx1`.

    axis_names : tuple of str, default=("", "")
        Names of the two axes.

    Attributes
    ----------
    background_ : matplotlib PathCollection or None
        Rows that were neither labelled nor queried, or some of them. This attribute and
        the following ones are None if there are no such rows.

    given_ : matplotlib PathCollection or None
        Rows that came with a label.

    asked_ : matplotlib PathCollection or None
        Rows that a strategy selected and that got a label.

    holdout_ : matplotlib PathCollection or None
        Rows of the random test sample.

    abstained_ : matplotlib PathCollection or None
        Queried rows without an answer.

    boundary_ : list of matplotlib QuadContourSet
        Lines where the predicted class changes.

    numbers_ : list of matplotlib Annotation
        Numbers of the queries, if they are drawn.

    colorbar_ : matplotlib Colorbar or None
        Colour bar of the rounds; None if nothing was queried.

    legend_ : matplotlib Legend
        Legend of the markers.

    ax_ : matplotlib Axes
        Axes with the map.

    figure_ : matplotlib Figure
        Figure containing the map.

    See Also
    --------
    BatchCompositionDisplay : The classes of the rows.

    Examples
    --------
    >>> from skactive.plotting import QueryMapDisplay
    >>> display = QueryMapDisplay(
    ...     coordinates=[[0, 0], [1, 0], [2, 1], [3, 1]],
    ...     query_indices=[2, 1],
    ...     query_rounds=[1, 2],
    ...     given=[0],
    ... )
    >>> display.plot().asked_.get_offsets().tolist()
    [[2.0, 1.0], [1.0, 0.0]]
    """

    def __init__(
        self,
        *,
        coordinates,
        query_indices,
        query_rounds,
        given=(),
        abstained=(),
        holdout=(),
        boundary=None,
        axis_names=("", ""),
    ):
        rounds = {"query_rounds": query_rounds}
        check_aligned(query_indices, rounds, owner="query_indices")
        self.coordinates = np.asarray(coordinates, dtype=np.float64)
        self.query_indices = np.asarray(query_indices, dtype=np.intp)
        self.query_rounds = np.asarray(query_rounds, dtype=np.intp)
        self.given = np.asarray(given, dtype=np.intp)
        self.abstained = np.asarray(abstained, dtype=np.intp)
        self.holdout = np.asarray(holdout, dtype=np.intp)
        self.boundary = boundary
        self.axis_names = axis_names

    def plot(self, ax=None, *, numbered=False, max_background=10_000, **kwargs):
        """Draw the map.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; new ones if None. The legend is below them, for which a
            figure with ``layout="constrained"`` makes room.

        numbered : bool, default=False
            Whether to write the number of every query beside it, from 1 in the order of
            the queries.

        max_background : int or None, default=10000
            If more rows than this were neither labelled nor queried, a random sample of
            this size is drawn, always the same; None draws all.

        **kwargs : dict
            Passed to matplotlib's `scatter` for the rows that were queried: `s`,
            `cmap`, `vmax`, ...

        Returns
        -------
        display : QueryMapDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = new_axes() if ax is None else ax
        self.ax_, self.figure_ = ax, ax.figure
        self._draw_background(max_background)
        self._draw_queries(kwargs)
        self.numbers_ = self._write_numbers() if numbered else []
        ax.set(xlabel=self.axis_names[0], ylabel=self.axis_names[1])
        self.legend_ = self._draw_legend()
        return self

    @classmethod
    @validate_params(
        {
            "clf": [HasMethods(["fit", "predict"])],
            "boundary": ["boolean"],
            "numbered": ["boolean"],
            "max_background": [Interval(Integral, 0, None, closed="left"), None],
            **DRAWN,
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls,
        clf,
        X,
        *,
        projection=None,
        boundary=True,
        numbered=False,
        max_background=10_000,
        ax=None,
        **kwargs,
    ):
        """Draw the rows that a fitted classifier has queried, and when.

        Two numeric columns are drawn as they are, with the lines at which the predicted
        class of the final model changes. Other rows are projected. A projection has no
        such lines, as many rows fall on one point of the plane, and the model may
        predict different classes for them.

        Parameters
        ----------
        clf : ActiveLearningClassifier
            A fitted classifier.

        X : {array-like, sparse matrix, data frame, list} of length n_samples
            The rows that it was fitted on.

        projection : transformer, array-like of shape (n_samples, 2) or None, \
                default=None
            How rows become points. If None, two numeric columns are taken as they are,
            and other rows by their first two principal components. A transformer, for
            instance ``TSNE()``, is cloned; its `fit_transform` gets the features in
            which strategies measure distances: numeric rows, the output of the steps of
            a Pipeline before the last one, or the output of the estimator's `embed`. An
            array holds the points themselves.

        boundary : bool, default=True
            Whether to draw the lines at which the predicted class changes, if rows are
            drawn as they are.

        numbered : bool, default=False
            Whether to write the number of every query beside it, from 1 in the order of
            the queries.

        max_background : int or None, default=10000
            If more rows than this were neither labelled nor queried, a random sample of
            this size is drawn, always the same; None draws all.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; new ones if None. The legend is below them, for which a
            figure with ``layout="constrained"`` makes room.

        **kwargs : dict
            Passed to matplotlib's `scatter` for the rows that were queried.

        Returns
        -------
        display : QueryMapDisplay
            The map, drawn.

        Raises
        ------
        NotFittedError
            If `clf` is not fitted.
        ValueError
            If `X` has another number of rows than `clf` was fitted on, or cannot be
            projected, or if the projection is not of shape (n_samples, 2).

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_digits
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skactive import ActiveLearningClassifier
        >>> from skactive.datasets import hide_labels
        >>> from skactive.oracles import SimulatedOracle
        >>> from skactive.plotting import QueryMapDisplay
        >>> X, y = load_digits(return_X_y=True)
        >>> clf = ActiveLearningClassifier(
        ...     LogisticRegression(),
        ...     oracle=SimulatedOracle(y),
        ...     budget=30,
        ...     random_state=0,
        ... )
        >>> y_some = hide_labels(y, 20, random_state=0)
        >>> clf = clf.fit(X / 16, y_some, sample_ids=np.arange(len(y)))
        >>> display = QueryMapDisplay.from_estimator(clf, X / 16)
        >>> display.asked_.get_offsets().shape, display.ax_.get_xlabel()
        ((30, 2), 'PCA 1')
        """
        check_is_fitted(clf)
        import_pyplot()
        X = check_rows(clf, X, reset=False)
        n_samples = len(clf.labeled_iter_)
        if _num_samples(X) != n_samples:
            raise ValueError(
                f"X must hold the {n_samples} rows that the classifier was fitted on, "
                f"got {_num_samples(X)}."
            )
        coordinates, names, is_exact = project(clf, X, projection)
        asked = clf.query_indices_
        display = cls(
            coordinates=coordinates,
            query_indices=asked,
            query_rounds=clf.query_rounds_,
            given=np.flatnonzero(clf.labeled_iter_ == 0),
            abstained=asked[clf.labeled_iter_[asked] < 0],
            holdout=getattr(clf, "holdout_indices_", ()),
            boundary=predict_on_grid(clf, X, coordinates)
            if boundary and is_exact
            else None,
            axis_names=names,
        )
        return display.plot(
            ax=ax, numbered=numbered, max_background=max_background, **kwargs
        )

    def _draw_background(self, n_most):
        """Draw the rows that were not queried, and the boundary."""
        others = np.ones(len(self.coordinates), dtype=bool)
        others[self.query_indices] = others[self.given] = False
        rows = draw_rows(np.flatnonzero(others), n_most, 0)
        self.background_ = self._scatter(
            rows,
            label="not queried",
            s=12 if len(rows) <= 1000 else 4,
            c="silver",
            linewidths=0,
            zorder=1,
            rasterized=True,  # or a vector file holds thousands of circles
        )
        self.boundary_ = draw_outlines(self.ax_, self.boundary)
        self.given_ = self._scatter(
            self.given, label="given", marker="s", c="black", edgecolors="white"
        )

    def _draw_queries(self, kwargs):
        """Draw the rows that were queried, in the colours of their rounds."""
        style = {"s": 40 if len(self.query_indices) <= 200 else 20}
        style |= {"cmap": "viridis", "edgecolors": "black", "linewidths": 0.6}
        if not {"norm", "vmin", "vmax"} & kwargs.keys():
            style |= self._color_scale()
        style |= kwargs
        rounds = np.zeros(len(self.coordinates), dtype=np.intp)
        rounds[self.query_indices] = self.query_rounds
        # Each query is drawn once, by the marker that says most about it.
        special = np.concatenate([self.abstained, self.holdout])
        asked = self.query_indices[~np.isin(self.query_indices, special)]

        def draw(rows, label, marker):
            marked = {"label": label, "marker": marker, "zorder": 3}
            return self._scatter(rows, c=rounds[rows], **marked | style)

        self.asked_ = draw(asked, "queried", "o")
        self.holdout_ = draw(self.holdout, "test sample", "D")
        self.abstained_ = draw(self.abstained, "no answer", "X")
        points = self.asked_ or self.holdout_ or self.abstained_
        self.colorbar_ = None if points is None else self._draw_colorbar(points)

    def _scatter(self, rows, **style):
        if len(rows) == 0:
            return None
        return self.ax_.scatter(*self.coordinates[rows].T, **style)

    def _color_scale(self):
        """Return a range of rounds, and a colour map with a colour for each of few."""
        n_rounds = self.query_rounds.max(initial=1)
        cmap = import_pyplot().get_cmap("viridis")
        if n_rounds <= _MOST_COLORS:
            cmap = cmap.resampled(n_rounds)
        # With half a round to either side, each colour belongs to one whole number.
        return {"cmap": cmap, "vmin": 0.5, "vmax": n_rounds + 0.5}

    def _draw_colorbar(self, points):
        from matplotlib.ticker import MaxNLocator

        ticks = MaxNLocator(nbins=10, integer=True)
        bar = self.figure_.colorbar(points, ax=self.ax_, label="Round", ticks=ticks)
        bar.ax.minorticks_off()
        return bar

    def _draw_legend(self):
        """Put the legend below the name of the axis, outside of the data."""
        from matplotlib.transforms import offset_copy

        ax = self.ax_
        queries = [self.asked_, self.holdout_, self.abstained_]
        drawn = [
            points
            for points in [self.background_, self.given_, *queries]
            if points is not None
        ]
        legend = ax.legend(
            handles=drawn,
            loc="upper center",
            bbox_to_anchor=(0.5, 0.0),
            bbox_transform=offset_copy(ax.transAxes, ax.figure, y=-34, units="points"),
            ncols=5,
            fontsize="small",
            frameon=False,
            handletextpad=0.1,
            columnspacing=1.0,
            borderpad=0.0,
        )
        for points, handle in zip(drawn, legend.legend_handles, strict=True):
            handle.set_sizes([30])
            if points in queries:  # of any round, so of no colour
                handle.set(array=None, facecolor="white")
        return legend

    def _write_numbers(self):
        from matplotlib.patheffects import withStroke

        return [
            self.ax_.annotate(
                str(number),
                self.coordinates[row],
                xytext=(0, 5),
                textcoords="offset points",
                ha="center",
                fontsize="x-small",
                path_effects=[withStroke(linewidth=2, foreground="white")],
                zorder=4,
            )
            for number, row in enumerate(self.query_indices, start=1)
        ]
