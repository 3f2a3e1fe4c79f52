"""How a score grows with the labels."""

import numpy as np
from sklearn.metrics import check_scoring
from sklearn.utils.validation import check_is_fitted

from skactive._pool import Pool
from skactive.plotting._matplotlib import import_pyplot
from skactive.utils._labels import check_y
from skactive.utils._rows import take_rows


class ActiveLearningCurveDisplay:
    """Learning curve of one run of active learning.

    Use :meth:`from_estimator` or :meth:`from_history` to make one; what is drawn
    stands in the attributes.

    Parameters
    ----------
    n_labeled : array-like of shape (n_points,)
        Numbers of labelled rows.

    scores : array-like of shape (n_points,)
        The score with so many labels.

    score_name : str or None, default=None
        Name of the score, for the axis.

    estimator_name : str or None, default=None
        Name of the curve, for the legend.

    Attributes
    ----------
    line_ : matplotlib Line2D
        The curve.

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

    def __init__(self, *, n_labeled, scores, score_name=None, estimator_name=None):
        self.n_labeled = np.asarray(n_labeled)
        self.scores = np.asarray(scores, dtype=np.float64)
        self.score_name = score_name
        self.estimator_name = estimator_name

    def plot(self, ax=None, *, name=None, **kwargs):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes or None, default=None
            Axes to draw on; new ones if None.

        name : str or None, default=None
            Name of the curve for the legend; `estimator_name` if None.

        **kwargs : dict
            Passed to matplotlib's `plot`.

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
        line_kwargs = {"marker": ".", **({} if name is None else {"label": name})}
        (self.line_,) = ax.plot(self.n_labeled, self.scores, **line_kwargs | kwargs)
        ax.set(xlabel="Labelled rows", ylabel=self.score_name or "Score")
        if name is not None or "label" in kwargs:
            ax.legend(loc="best")
        self.ax_, self.figure_ = ax, ax.figure
        return self

    @classmethod
    def from_estimator(
        cls, clf, X, X_test, y_test, *, scoring=None, name=None, ax=None, **kwargs
    ):
        """Replay the rounds of a fitted classifier, and score each on test data.

        After every round the estimator is fitted again on the labels known then,
        which `labeled_iter_` and `transduction_` tell; rounds with too few labels for
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
    def from_history(cls, history, *, key="best_utility", name=None, ax=None, **kwargs):
        """Draw a column of a history against the number of labels.

        Parameters
        ----------
        history : list of dict
            `history_` of a fitted classifier.

        key : str, default="best_utility"
            What to draw: ``"best_utility"``, ``"mean_utility"``, ``"fit_seconds"``,
            ... Rounds without a value are left out.

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
            If the history has no such column, or nothing in it.
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


def replay(clf, X, X_test, y_test, *, scoring=None):
    """Fit and score the estimator on the labels that each round left.

    Returns the numbers of labels and the scores, one pair for the labels given and
    one for each round that added some.
    """
    scorer = check_scoring(clf.estimator_, scoring=scoring)
    _, labeled, labels = check_y(y_test, clf.missing_label, has_oracle=False)
    X_test = take_rows(X_test, np.flatnonzero(labeled))
    n_labeled, scores, estimator = [], [], None
    for when in np.unique(clf.labeled_iter_[clf.labeled_iter_ >= 0]):
        known = (clf.labeled_iter_ >= 0) & (clf.labeled_iter_ <= when)
        estimator = _fit_on(clf, X, known, teacher=estimator, round=int(when) + 1)
        if estimator is not None:
            n_labeled.append(int(known.sum()))
            scores.append(scorer(estimator, X_test, labels))
    return np.array(n_labeled), np.array(scores)


def _fit_on(clf, X, known, **pool_params):
    """Return the estimator fitted on known labels, None if they are too few."""
    last = known.sum() == (clf.labeled_iter_ >= 0).sum()
    if last:
        return clf.estimator_
    held = np.zeros(len(known), dtype=bool)
    held[getattr(clf, "holdout_indices_", [])] = True
    trained = known & ~held
    pool = Pool(
        X,
        clf.transduction_,
        trained,
        np.flatnonzero(~(known | held)),
        estimator=clf.estimator,
        unlabeled=clf.unlabeled,
        **pool_params,
    )
    too_few = len(pool.classes) < 2 or trained.sum() < (clf.initial_size or 0)
    return None if too_few else pool.estimator


def _name_of(scoring):
    if scoring is None:
        return "Accuracy"
    if isinstance(scoring, str):
        return scoring.replace("_", " ").capitalize()
    return getattr(scoring, "__name__", "Score")
