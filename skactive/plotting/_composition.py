"""The classes of the rows that were queried in each round."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skactive.plotting._matplotlib import DRAWN, import_pyplot, new_axes
from skactive.utils._containers import check_aligned
from skactive.utils._labels import as_labels
from skactive.utils._sklearn import HasMethods, validate_params

# M. A. Petroff, "Accessible color sequences for data visualization",
# arXiv:2107.02270: ten colours that people with colour-vision deficiencies can
# distinguish.
_COLORS = (
    "#3f90da",
    "#ffa90e",
    "#bd1f01",
    "#94a4a2",
    "#832db6",
    "#a96b59",
    "#e76300",
    "#b9ac70",
    "#717581",
    "#92dadd",
)
_ABSTAINED = {"facecolor": "white", "edgecolor": "gray", "hatch": "////"}
# More classes than this have a colour bar instead of a legend.
_MOST_IN_LEGEND = 20
_TICKS_OF_CLASSES = 8
# More rounds than this are drawn without gaps between the bars.
_MOST_WITH_GAPS = 50


class BatchCompositionDisplay:
    """Classes of the rows that were queried, round by round.

    Use :meth:`from_estimator` to make one; the parts of the drawing are attributes.

    Read more in the :ref:`User Guide <displays>`.

    Parameters
    ----------
    rounds : array-like of shape (n_rounds,)
        Numbers of the rounds; 0 is for the labels that the run began with.

    counts : array-like of shape (n_rounds, n_classes)
        Number of rows of each class that were labelled in each round.

    n_abstained : array-like of shape (n_rounds,)
        Number of rows of each round that have no label, as the oracle gave none.

    classes : array-like of shape (n_classes,)
        The classes.

    Attributes
    ----------
    bars_ : list of matplotlib BarContainer
        The bars of each class, one for every round with rows of the class.

    abstained_ : matplotlib BarContainer
        The bars of the abstentions, on top.

    legend_ : matplotlib Legend or None
        Legend of the classes; None if there are more than 20.

    colorbar_ : matplotlib Colorbar or None
        Colour bar of the classes if there are more than 20, otherwise None.

    ax_ : matplotlib Axes
        Axes with the bars.

    figure_ : matplotlib Figure
        Figure containing the bars.

    See Also
    --------
    QueryMapDisplay : A map of the rows.

    Examples
    --------
    >>> from skactive.plotting import BatchCompositionDisplay
    >>> display = BatchCompositionDisplay(
    ...     rounds=[1, 2],
    ...     counts=[[3, 1], [2, 0]],
    ...     n_abstained=[0, 2],
    ...     classes=["ham", "spam"],
    ... )
    >>> ham, spam = display.plot().bars_
    >>> [int(bar.get_height()) for bar in ham]
    [3, 2]
    """

    def __init__(self, *, rounds, counts, n_abstained, classes):
        others = {"counts": counts, "n_abstained": n_abstained}
        check_aligned(rounds, others, owner="rounds")
        self.rounds = np.asarray(rounds, dtype=np.intp)
        self.counts = np.asarray(counts, dtype=np.intp)
        self.n_abstained = np.asarray(n_abstained, dtype=np.intp)
        self.classes = np.asarray(classes)

    def plot(self, ax=None, *, normalize=False, **kwargs):
        """Draw the bars.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; new ones if None. The legend is on their right, for which a
            figure with ``layout="constrained"`` makes room.

        normalize : bool, default=False
            Whether to draw shares of the rows of each round instead of numbers.

        **kwargs : dict
            Passed to matplotlib's `bar`.

        Returns
        -------
        display : BatchCompositionDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        ax = new_axes() if ax is None else ax
        self.ax_, self.figure_ = ax, ax.figure
        self._draw_bars(normalize, kwargs)
        self._name_axes(normalize)
        many = len(self.classes) > _MOST_IN_LEGEND
        self.legend_ = self._draw_legend(with_classes=not many)
        self.colorbar_ = self._draw_colorbar() if many else None
        return self

    @classmethod
    @validate_params(
        {
            "clf": [HasMethods(["fit", "predict"])],
            "initial": ["boolean"],
            "normalize": ["boolean"],
            **DRAWN,
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(cls, clf, *, initial=False, normalize=False, ax=None, **kwargs):
        """Draw the classes of the rows that a fitted classifier has queried.

        Parameters
        ----------
        clf : ActiveLearningClassifier
            A fitted classifier.

        initial : bool, default=False
            Whether to draw the labels that the run began with, as round 0.

        normalize : bool, default=False
            Whether to draw shares of the rows of each round instead of numbers.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; new ones if None. The legend is on their right, for which a
            figure with ``layout="constrained"`` makes room.

        **kwargs : dict
            Passed to matplotlib's `bar`.

        Returns
        -------
        display : BatchCompositionDisplay
            The bars, drawn.

        Raises
        ------
        NotFittedError
            If `clf` is not fitted.

        Examples
        --------
        >>> import numpy as np
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skactive import ActiveLearningClassifier
        >>> from skactive.datasets import hide_labels
        >>> from skactive.oracles import SimulatedOracle
        >>> from skactive.plotting import BatchCompositionDisplay
        >>> X, y = load_iris(return_X_y=True)
        >>> clf = ActiveLearningClassifier(
        ...     LogisticRegression(max_iter=500),
        ...     oracle=SimulatedOracle(y),
        ...     budget=20,
        ...     random_state=0,
        ... )
        >>> y_some = hide_labels(y, 6, random_state=0)
        >>> clf = clf.fit(X, y_some, sample_ids=np.arange(len(y)))
        >>> display = BatchCompositionDisplay.from_estimator(clf, initial=True)
        >>> display.counts.sum(axis=1)
        array([ 6, 10, 10])
        """
        check_is_fitted(clf)
        classes, counts = _count_classes(clf)
        rounds = clf.query_rounds_
        unanswered = rounds[clf.labeled_iter_[clf.query_indices_] < 0]
        first = 0 if initial else 1
        display = cls(
            rounds=np.arange(first, len(counts)),
            counts=counts[first:],
            n_abstained=np.bincount(unanswered, minlength=len(counts))[first:],
            classes=classes,
        )
        return display.plot(ax=ax, normalize=normalize, **kwargs)

    def _draw_bars(self, normalize, kwargs):
        heights = np.column_stack([self.counts, self.n_abstained]).astype(float)
        if normalize:
            # Round 0 may have no rows at all, if nothing was labelled before.
            heights /= np.maximum(heights.sum(axis=1, keepdims=True), 1.0)
        bottoms = np.cumsum(heights, axis=1) - heights
        gap = 0.2 if len(self.rounds) <= _MOST_WITH_GAPS else 0.0
        style = {"width": 1.0 - gap} | kwargs

        def draw(column, **color):
            some = heights[:, column] > 0  # thousands of bars without height take time
            return self.ax_.bar(
                self.rounds[some],
                heights[some, column],
                bottom=bottoms[some, column],
                **color | style,
            )

        colors = _class_colors(len(self.classes))
        self.bars_ = [draw(number, color=color) for number, color in enumerate(colors)]
        self.abstained_ = draw(-1, **_ABSTAINED)

    def _name_axes(self, normalize):
        from matplotlib.ticker import MaxNLocator

        self.ax_.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
        if not normalize:
            self.ax_.yaxis.set_major_locator(MaxNLocator(nbins="auto", integer=True))
        self.ax_.margins(x=0.02)
        has_initial = 0 in self.rounds
        rows = "rows" if has_initial else "rows queried"
        self.ax_.set(
            xlabel="Round (0: labels given)" if has_initial else "Round",
            ylabel=f"Share of {rows}" if normalize else rows.capitalize(),
        )

    def _draw_legend(self, *, with_classes):
        """Name classes and abstentions from top to bottom, in the order of the bars."""
        from matplotlib.patches import Patch

        handles = []
        if with_classes:
            named = zip(self.classes, _class_colors(len(self.classes)), strict=True)
            handles = [Patch(color=color, label=str(name)) for name, color in named]
        if self.n_abstained.any():
            handles.append(Patch(label="no answer", **_ABSTAINED))
        if not handles:
            return None
        # With a colour bar on the right it is on top.
        place = ("upper left", (1.0, 1.0)) if with_classes else ("lower right", (1, 1))
        return self.ax_.legend(
            handles=handles[::-1],
            loc=place[0],
            bbox_to_anchor=place[1],
            fontsize="small",
            frameon=False,
        )

    def _draw_colorbar(self):
        from matplotlib.cm import ScalarMappable
        from matplotlib.colors import BoundaryNorm, ListedColormap

        n_classes = len(self.classes)
        norm = BoundaryNorm(np.arange(n_classes + 1) - 0.5, n_classes)
        colors = ListedColormap(_class_colors(n_classes))
        ticks = np.linspace(0, n_classes - 1, _TICKS_OF_CLASSES).round().astype(int)
        bar = self.figure_.colorbar(
            ScalarMappable(norm, colors), ax=self.ax_, label="Class", ticks=ticks
        )
        bar.ax.set_yticklabels([str(name) for name in self.classes[ticks]])
        bar.ax.minorticks_off()
        return bar


def _class_colors(n_classes):
    """Return a colour for each class; those of many classes go from dark to bright."""
    if n_classes <= len(_COLORS):
        return list(_COLORS[:n_classes])
    return list(import_pyplot().get_cmap("viridis")(np.linspace(0, 1, n_classes)))


def _count_classes(clf):
    """Return the classes, and the number of labels per round and class.

    The rows of the counts are the rounds from 0 to `n_iter_`.
    """
    labeled = clf.labeled_iter_ >= 0
    labels = as_labels(clf.transduction_[labeled])
    classes, numbers = np.unique(labels, return_inverse=True)
    counts = np.zeros((clf.n_iter_ + 1, len(classes)), dtype=np.intp)
    np.add.at(counts, (clf.labeled_iter_[labeled], numbers), 1)
    return classes, counts
