"""Learning curves: the score against the number of labels."""

from numbers import Real

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils.validation import check_is_fitted

from skactive._loop.equal_rows import group_equal_rows
from skactive._pool.facts import Facts
from skactive._pool.models import RoundModels
from skactive.plotting._matplotlib import DRAWN, import_pyplot
from skactive.utils._containers import check_aligned
from skactive.utils._labels import check_y
from skactive.utils._rows import check_rows, take_rows
from skactive.utils._sklearn import (
    Function,
    HasMethods,
    Interval,
    validate_params,
)

# One for each ten curves: colours repeat after ten.
_LINE_STYLES = ("-", ":", "-.")


class ActiveLearningCurveDisplay:
    """Learning curve of one run of active learning, or mean curves of several.

    Use :meth:`from_estimator`, :meth:`from_history` or :meth:`from_curves` to make one;
    the parts of the drawing are attributes.

    Parameters
    ----------
    n_labeled : array-like of shape (n_points,), or list of these
        Numbers of labelled rows; one array for each of several curves.

    scores : array-like of shape (n_points,), or list of these
        The score at each number of labels.

    score_name : str or None, default=None
        Name of the score, for the axis.

    estimator_name : str, list of str, or None, default=None
        Name of the curve, for the legend. A list makes several curves.

    lower, upper : array-like of shape (n_points,), list of these, or None, default=None
        Bounds of a band around each curve.

    full_score : float or None, default=None
        The score with all labels, for a dashed line.

    Attributes
    ----------
    line_ : matplotlib Line2D or list of these
        The curve, or curves.

    band_ : matplotlib PolyCollection, list of these, or None
        The bands.

    full_line_ : matplotlib Line2D or None
        The line of the score with all labels.

    ax_ : matplotlib Axes
        Axes with the curve.

    figure_ : matplotlib Figure
        Figure containing the curve.

    Examples
    --------
    >>> from skactive.plotting import ActiveLearningCurveDisplay
    >>> display = ActiveLearningCurveDisplay(
    ...     n_labeled=[10, 20, 30], scores=[0.6, 0.8, 0.85], score_name="accuracy"
    ... )
    >>> display.plot().line_.get_xdata()
    array([10, 20, 30])
    """

    def __init__(
        self,
        *,
        n_labeled,
        scores,
        score_name=None,
        estimator_name=None,
        lower=None,
        upper=None,
        full_score=None,
    ):
        self.n_labeled = _arrays(n_labeled, estimator_name)
        self.scores = _arrays(scores, estimator_name, dtype=np.float64)
        self.score_name = score_name
        self.estimator_name = estimator_name
        self.lower = _arrays(lower, estimator_name, dtype=np.float64)
        self.upper = _arrays(upper, estimator_name, dtype=np.float64)
        self.full_score = full_score

    def plot(self, ax=None, *, name=None, **kwargs):
        """Draw the curve, or curves.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; new ones if None.

        name : str, list of str, or None, default=None
            Name of the curve for the legend; `estimator_name` if None.

        **kwargs : dict
            Passed to matplotlib's `plot`, for every curve.

        Returns
        -------
        display : ActiveLearningCurveDisplay
            This object.

        Raises
        ------
        ImportError
            If matplotlib is not installed.
        """
        if ax is None:
            _, ax = import_pyplot().subplots()
        name = self.estimator_name if name is None else name
        if isinstance(self.estimator_name, list):
            self.line_, self.band_ = self._plot_several(ax, name, kwargs)
        else:
            line_kwargs = {"marker": "."} | _label(name) | kwargs
            (self.line_,) = ax.plot(self.n_labeled, self.scores, **line_kwargs)
            self.band_ = _plot_band(
                ax, self.line_, self.n_labeled, self.lower, self.upper
            )
        self.full_line_ = None
        if self.full_score is not None:
            self.full_line_ = ax.axhline(
                self.full_score, linestyle="--", color="gray", label="all labels"
            )
        ax.set(xlabel="Labelled rows", ylabel=self.score_name or "Score")
        if name is not None or "label" in kwargs or self.full_line_:
            ax.legend(loc="best")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _plot_several(self, ax, names, kwargs):
        """Draw several curves; return the lines and the bands."""
        lines, bands = [], []
        for number, name in enumerate(names):
            style = _LINE_STYLES[number // 10 % len(_LINE_STYLES)]
            n_labeled, scores = self.n_labeled[number], self.scores[number]
            line_kwargs = {"linestyle": style} | _label(name) | kwargs
            lines += ax.plot(n_labeled, scores, **line_kwargs)
            if self.lower is not None:
                bounds = self.lower[number], self.upper[number]
                bands.append(_plot_band(ax, lines[-1], n_labeled, *bounds))
        return lines, bands or None

    @classmethod
    @validate_params(
        {
            "clf": [HasMethods(["fit", "predict"])],
            "y_test": ["array-like"],
            "scoring": [str, Function(), None],
            **DRAWN,
        },
        prefer_skip_nested_validation=True,
    )
    def from_estimator(
        cls, clf, X, X_test, y_test, *, scoring=None, name=None, ax=None, **kwargs
    ):
        """Replay the rounds of a fitted classifier, and score each on test data.

        For every round the estimator is fitted again on the labels known then, which
        are found by `labeled_iter_` and `transduction_`; rounds with too few labels for
        a fit are left out.

        Parameters
        ----------
        clf : ActiveLearningClassifier
            A fitted classifier.

        X : {array-like, sparse matrix, data frame, list} of length n_samples
            The rows that it was fitted on.

        X_test : {array-like, sparse matrix, data frame, list} of length n_test_samples
            Rows to score on.

        y_test : array-like of shape (n_test_samples,)
            Their labels; rows without a label are ignored.

        scoring : str, callable or None, default=None
            A scorer; None for the `score` of the classifier.

        name : str or None, default=None
            Name of the curve; the strategy if None.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; new ones if None.

        **kwargs : dict
            Passed to matplotlib's `plot`.

        Returns
        -------
        display : ActiveLearningCurveDisplay
            The curve, drawn.
        """
        check_is_fitted(clf)
        n_labeled, scores = replay(clf, X, X_test, y_test, scoring=scoring)
        strategy = clf.strategy
        if name is None:
            name = strategy if isinstance(strategy, str) else type(strategy).__name__
        display = cls(
            n_labeled=n_labeled,
            scores=scores,
            score_name=_name_of(scoring),
            estimator_name=name,
        )
        return display.plot(ax=ax, **kwargs)

    @classmethod
    @validate_params(
        {"history": [list, tuple], "key": [str], **DRAWN},
        prefer_skip_nested_validation=True,
    )
    def from_history(cls, history, *, key="best_utility", name=None, ax=None, **kwargs):
        """Draw a column of a history against the number of labels.

        Parameters
        ----------
        history : list of dict
            `history_` of a fitted classifier.

        key : str, default="best_utility"
            The column to draw: ``"best_utility"``, ``"mean_utility"``,
            ``"fit_seconds"``, ... Rounds without a value are left out.

        name : str or None, default=None
            Name of the curve for the legend.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; new ones if None.

        **kwargs : dict
            Passed to matplotlib's `plot`.

        Returns
        -------
        display : ActiveLearningCurveDisplay
            The curve, drawn.

        Raises
        ------
        ValueError
            If the history has no such column, or no value in it.
        """
        keys = sorted({name for record in history for name in record})
        points = [(r["n_labeled"], r[key]) for r in history if r.get(key) is not None]
        if not points:
            raise ValueError(f"The history has no values for {key!r}; it has {keys}.")
        n_labeled, values = zip(*points, strict=True)
        display = cls(
            n_labeled=n_labeled,
            scores=values,
            score_name=key.replace("_", " ").capitalize(),
            estimator_name=name,
        )
        return display.plot(ax=ax, **kwargs)

    @classmethod
    @validate_params(
        {
            "curves": [HasMethods(["mean_curve", "summary"])],
            "scoring": [str, None],
            "strategies": [list, tuple, None],
            "confidence": [Interval(Real, 0, 1, closed="neither")],
            **DRAWN,
        },
        prefer_skip_nested_validation=True,
    )
    def from_curves(
        cls,
        curves,
        *,
        scoring=None,
        strategies=None,
        band="ci",
        confidence=0.95,
        ax=None,
        **kwargs,
    ):
        """Draw the mean curves of strategies over splits.

        Parameters
        ----------
        curves : ActiveLearningCurve
            The result of :func:`~skactive.model_selection.active_learning_curve`.

        scoring : str or None, default=None
            Name of the score; the first if None.

        strategies : list of str or None, default=None
            Strategies to draw; all if None.

        band : {"ci", "std"} or None, default="ci"
            The band around a curve: the confidence interval of the mean, corrected for
            the overlap of splits (see
            :meth:`~skactive.model_selection.ActiveLearningCurve.summary`); a standard
            deviation over the splits to either side; or none.

        confidence : float, default=0.95
            Level of the interval.

        ax : matplotlib Axes or None, default=None
            Axes to draw on; new ones if None.

        **kwargs : dict
            Passed to matplotlib's `plot`, for every curve.

        Returns
        -------
        display : ActiveLearningCurveDisplay
            The curves, drawn; the mean score of the model of all labels is a dashed
            line. Lists in its attributes have one entry for each strategy.

        Examples
        --------
        >>> from sklearn.datasets import load_iris
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skactive import ActiveLearningClassifier
        >>> from skactive.model_selection import active_learning_curve
        >>> from skactive.plotting import ActiveLearningCurveDisplay
        >>> clf = ActiveLearningClassifier(LogisticRegression(max_iter=1000), budget=20)
        >>> curves = active_learning_curve(
        ...     clf, *load_iris(return_X_y=True), strategies=["random", "margin"]
        ... )
        >>> display = ActiveLearningCurveDisplay.from_curves(curves)
        >>> [line.get_label() for line in display.line_]
        ['random', 'margin']
        """
        if band not in ("ci", "std", None):
            raise ValueError(f"band must be 'ci', 'std' or None, got {band!r}.")
        names = list(curves.strategies if strategies is None else strategies)
        scoring = curves.scorers[0] if scoring is None else scoring
        parts = [
            _mean_and_band(curves, name, scoring, band, confidence) for name in names
        ]
        points, means, lower, upper = zip(*parts, strict=True)
        has_band = band is not None and curves.n_splits > 1
        display = cls(
            n_labeled=points,
            scores=means,
            score_name=_name_of(scoring),
            estimator_name=names,
            lower=lower if has_band else None,
            upper=upper if has_band else None,
            full_score=float(curves.full_scores[scoring].mean()),
        )
        return display.plot(ax=ax, **kwargs)


def _mean_and_band(curves, strategy, scoring, band, confidence):
    """Return numbers of labels, mean scores, and the bounds of the band."""
    n_labeled, mean, low, high = curves.mean_curve(
        strategy, scoring=scoring, confidence=confidence
    )
    if band == "std":
        _, scores = curves.curve(strategy, scoring=scoring)
        known = ~np.isnan(scores).any(axis=0)
        # With one split the unbiased deviation would be 0 / 0.
        std = scores[:, known].std(axis=0, ddof=min(1, curves.n_splits - 1))
        low, high = mean - std, mean + std
    return n_labeled, mean, low, high


def _arrays(values, names, dtype=None):
    """Return an array, or a list of arrays if there are several names."""
    if values is None:
        return None
    if isinstance(names, list):
        return [np.asarray(of_one, dtype=dtype) for of_one in values]
    return np.asarray(values, dtype=dtype)


def _label(name):
    return {} if name is None else {"label": name}


def _plot_band(ax, line, n_labeled, lower, upper):
    if lower is None:
        return None
    return ax.fill_between(
        n_labeled, lower, upper, color=line.get_color(), alpha=0.2, linewidth=0
    )


def replay(clf, X, X_test, y_test, *, scoring=None):
    """Fit and score the estimator on the labels known after each round.

    Returns the numbers of labels and the scores, one pair for the labels given and
    one for each round that added some.
    """
    scorer = check_scoring(clf.estimator_, scoring=scoring)
    X, X_test = (check_rows(clf, rows, reset=False) for rows in (X, X_test))
    check_aligned(X_test, {"y_test": y_test}, owner="X_test")
    _, labeled, labels = check_y(y_test, clf.missing_label, has_oracle=False)
    X_test = take_rows(X_test, np.flatnonzero(labeled))
    n_labeled, scores, estimator, held = [], [], None, _held_rows(clf, X)
    for when in np.unique(clf.labeled_iter_[clf.labeled_iter_ >= 0]):
        known = (clf.labeled_iter_ >= 0) & (clf.labeled_iter_ <= when)
        estimator = _fit_on(clf, X, known, held, teacher=estimator, round=int(when) + 1)
        if estimator is not None:
            n_labeled.append(int(known.sum()))
            scores.append(scorer(estimator, X_test, labels))
    return np.array(n_labeled), np.array(scores)


def _held_rows(clf, X):
    """Return a mask of the test sample, and of rows that shared its labels."""
    held = np.zeros(len(clf.labeled_iter_), dtype=bool)
    held[getattr(clf, "holdout_indices_", [])] = True
    if clf.equal_rows == "share" and held.any():
        groups = group_equal_rows(check_rows(clf, X, reset=False))
        held = np.isin(groups, groups[held])
    return held


def _fit_on(clf, X, known, held, *, teacher, round):
    """Return the estimator fitted on known labels, None if there are too few."""
    # The last model is there already, and is the only one trained on the test sample.
    last = known.sum() == (clf.labeled_iter_ >= 0).sum()
    if last:
        return clf.estimator_
    trained = known & ~held
    facts = Facts(
        X,
        clf.transduction_,
        trained,
        np.flatnonzero(~(known | held)),
        round=round,
        unlabeled=clf.unlabeled,
    )
    models = RoundModels(facts, clf.estimator, teacher=teacher)
    too_few = len(models.seen) < 2 or trained.sum() < (clf.initial_size or 0)
    return None if too_few else models.estimator


def _name_of(scoring):
    if scoring is None:
        return "Accuracy"
    if isinstance(scoring, str):
        return scoring.replace("_", " ").capitalize()
    return getattr(scoring, "__name__", "Score")
