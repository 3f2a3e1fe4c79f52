"""The result of a replay: curves, areas, and the number of labels saved."""

import warnings
from numbers import Real

import numpy as np

from skactive.model_selection._areas import (
    area_under_budget_curve,
    interval_of_mean,
    labels_needed,
    normalized_area,
    score_bounds,
)
from skactive.model_selection._curve_file import CurveFile
from skactive.model_selection._curve_summary import import_pandas, summarize
from skactive.utils._sklearn import Interval, validate_params

_CHOICE = {"strategy": [str], "scoring": [str, None]}
_OF_INTERVALS = {
    "confidence": [Interval(Real, 0, 1, closed="neither")],
    "corrected": ["boolean"],
}


class ActiveLearningCurve:
    """Learning curves of strategies over the same splits and the same first labels.

    :func:`active_learning_curve` returns it.

    Parameters
    ----------
    runs : dict of (str or None, int) to dict
        Runs by strategy and split; those of the strategy None are the model of the
        full training part.

    strategies : list of str
        Names of the strategies.

    train_sizes : array-like of shape (n_splits,), dtype int
        Sizes of the training parts.

    test_sizes : array-like of shape (n_splits,), dtype int
        Sizes of the test parts.

    Attributes
    ----------
    strategies : list of str
        Names of the strategies.

    scorers : list of str
        Names of the scores.

    n_splits : int
        Number of splits.

    train_sizes, test_sizes : ndarray of shape (n_splits,), dtype int
        Sizes of the training and test parts.

    full_scores : dict of str to ndarray of shape (n_splits,)
        For each score, its value for the model that is fitted on all labels of a
        training part.

    records : list of dict
        One for each strategy, split and round, about the model before the query of
        that round: `strategy`, `split`, `round`, `n_labeled`, `n_bought` (the numbers
        of known labels and of bought ones), the scores (nan where there was no model
        yet), `fit_seconds` and `select_seconds`. The last round of a split is the final
        model.

    query_indices : dict of str to list of ndarray
        For each strategy and split, the rows of `X` that were queried, in order.

    initial_indices : list of ndarray
        For each split, the rows of `X` whose labels were known from the beginning.

    termination_conditions : dict of str to list of str
        For each strategy and split, why the run ended.

    See Also
    --------
    active_learning_curve : Replay the labelling of a data set.
    skactive.plotting.ActiveLearningCurveDisplay.from_curves : Draw the curves.
    """

    def __init__(self, runs, *, strategies, train_sizes, test_sizes):
        self.strategies = list(strategies)
        self.train_sizes = np.asarray(train_sizes)
        self.test_sizes = np.asarray(test_sizes)
        self.n_splits = len(self.train_sizes)
        splits = range(self.n_splits)
        self.scorers = list(runs[None, 0]["scores"])
        self.full_scores = {
            name: np.array([runs[None, i]["scores"][name] for i in splits])
            for name in self.scorers
        }
        own = {name: [runs[name, i] for i in splits] for name in self.strategies}
        self.initial_indices = [np.array(runs[None, i]["initial"]) for i in splits]
        self.query_indices = {
            name: [np.array(run["query_indices"], dtype=np.intp) for run in of]
            for name, of in own.items()
        }
        self.termination_conditions = {
            name: [run["ended"] for run in of] for name, of in own.items()
        }
        self.records = [
            record
            for name, of in own.items()
            for run in of
            for record in _records(name, run)
        ]
        self._points = {name: [_points(run) for run in of] for name, of in own.items()}

    def __repr__(self):
        return (
            f"{type(self).__name__}(strategies={self.strategies}, "
            f"n_splits={self.n_splits}, scorers={self.scorers})"
        )

    @classmethod
    def load(cls, path):
        """Read the result from a file, without the data.

        Parameters
        ----------
        path : str or path-like
            A file that :func:`active_learning_curve` has written. It may still be
            written to: strategies that lack splits are left out, with a warning.

        Returns
        -------
        curves : ActiveLearningCurve
            The result.

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        ValueError
            If it is another file, or no strategy in it is complete.
        """
        with open(path, "rb"):
            file = CurveFile(path)
        header = file.header or {"n_train": [], "n_test": []}
        splits = range(len(header["n_train"]))
        complete = [
            name
            for name in file.parameters
            if all((name, i) in file.runs for i in splits)
        ]
        missing = [name for name in file.parameters if name not in complete]
        if not complete or not all((None, i) in file.runs for i in splits):
            raise ValueError(
                f"The file {file.path!r} has no strategy with all its splits yet. Call "
                "active_learning_curve with this path to go on."
            )
        if missing:
            warnings.warn(
                f"The strategies {missing} are left out, as {file.path!r} has not all "
                "their splits.",
                stacklevel=2,
            )
        return cls(
            file.runs,
            strategies=complete,
            train_sizes=header["n_train"],
            test_sizes=header["n_test"],
        )

    def to_frame(self):
        """Return the records as a table.

        Returns
        -------
        frame : pandas.DataFrame
            `records`, one in each row.

        Raises
        ------
        ImportError
            If pandas is not installed.
        """
        return import_pandas().DataFrame(self.records)

    @validate_params(_CHOICE, prefer_skip_nested_validation=True)
    def curve(self, strategy, *, scoring=None):
        """Return the scores of a strategy at numbers of labels common to all.

        The numbers are those at which any strategy has a model in any split. A curve is
        straight between its own numbers, stays at its last score after the run has
        ended, and is nan before the first model of a split.

        Parameters
        ----------
        strategy : str
            Name of the strategy.

        scoring : str or None, default=None
            Name of the score; the first if None.

        Returns
        -------
        n_labeled : ndarray of shape (n_points,), dtype int
            Numbers of labels, those known from the beginning included.

        scores : ndarray of shape (n_splits, n_points)
            The scores.
        """
        name = self._score_name(scoring)
        runs = self._runs(strategy)
        every = [at for runs in self._points.values() for at, _ in runs]
        n_labeled = np.unique(np.concatenate(every))
        scores = [
            np.interp(n_labeled, at, values[name], left=np.nan) for at, values in runs
        ]
        return n_labeled, np.array(scores)

    @validate_params(_CHOICE, prefer_skip_nested_validation=True)
    def area(self, strategy, *, scoring=None):
        """Return the area under the curve of each split, divided by its width.

        In each split, all curves are integrated over the same numbers of labels: from
        the number at which all strategies have a model to the end of the strategy that
        ends last; see :func:`normalized_area`.

        Parameters
        ----------
        strategy : str
            Name of the strategy.

        scoring : str or None, default=None
            Name of the score; the first if None.

        Returns
        -------
        areas : ndarray of shape (n_splits,)
            The mean height of each curve.
        """
        name = self._score_name(scoring)
        areas = []
        for split, (at, values) in enumerate(self._runs(strategy)):
            every = [runs[split][0] for runs in self._points.values()]
            start, stop = max(n[0] for n in every), max(n[-1] for n in every)
            areas.append(normalized_area(at, values[name], start=start, stop=stop))
        return np.array(areas)

    @validate_params(_CHOICE, prefer_skip_nested_validation=True)
    def aubc(self, strategy, *, scoring=None):
        """Return the area of each split as in published tables.

        See :func:`area_under_budget_curve`. The tables were made with ``batch_size=1``
        and ``budget=None``; with larger batches, rounds take the place of queries.

        Parameters
        ----------
        strategy : str
            Name of the strategy.

        scoring : str or None, default=None
            Name of the score; the first if None.

        Returns
        -------
        areas : ndarray of shape (n_splits,)
            The areas, not rounded.
        """
        name = self._score_name(scoring)
        runs = self._runs(strategy)
        return np.array([area_under_budget_curve(v[name][1:]) for _, v in runs])

    @validate_params(
        {"target": [Real, "array-like"], **_CHOICE}, prefer_skip_nested_validation=True
    )
    def labels_to_reach(self, target, strategy, *, scoring=None):
        """Return the number of labels that first reached a score in each split.

        Only fitted models count, not the lines between them; a curve may fall below the
        score again later. A score that misses it only by rounding has reached it.

        Parameters
        ----------
        target : float or array-like of shape (n_splits,)
            The score, or one for each split: ``0.95 * full_scores["score"]``.

        strategy : str
            Name of the strategy.

        scoring : str or None, default=None
            Name of the score; the first if None.

        Returns
        -------
        n_labeled : ndarray of shape (n_splits,)
            Labels, those known from the beginning included; inf where the score was
            not reached.
        """
        name = self._score_name(scoring)
        runs = self._runs(strategy)
        targets = np.broadcast_to(np.asarray(target, dtype=np.float64), len(runs))
        return np.array(
            [
                labels_needed(at, values[name], wanted)
                for (at, values), wanted in zip(runs, targets, strict=True)
            ]
        )

    @validate_params(_CHOICE, prefer_skip_nested_validation=True)
    def last_scores(self, strategy, *, scoring=None):
        """Return the score of the final model of each split.

        Parameters
        ----------
        strategy : str
            Name of the strategy.

        scoring : str or None, default=None
            Name of the score; the first if None.

        Returns
        -------
        scores : ndarray of shape (n_splits,)
            The scores.
        """
        name = self._score_name(scoring)
        return np.array([values[name][-1] for _, values in self._runs(strategy)])

    @validate_params(_CHOICE, prefer_skip_nested_validation=True)
    def last_n_labeled(self, strategy):
        """Return the number of labels of the final model of each split.

        Parameters
        ----------
        strategy : str
            Name of the strategy.

        Returns
        -------
        n_labeled : ndarray of shape (n_splits,)
            Labels, those known from the beginning included.
        """
        return np.array([at[-1] for at, _ in self._runs(strategy)])

    @validate_params({**_CHOICE, **_OF_INTERVALS}, prefer_skip_nested_validation=True)
    def mean_curve(self, strategy, *, scoring=None, confidence=0.95, corrected=True):
        """Return the mean of the curves of a strategy, with a confidence interval.

        Parameters
        ----------
        strategy : str
            Name of the strategy.

        scoring : str or None, default=None
            Name of the score; the first if None.

        confidence : float, default=0.95
            Level of the interval.

        corrected : bool, default=True
            See :meth:`summary`.

        Returns
        -------
        n_labeled : ndarray of shape (n_points,), dtype int
            Numbers of labels at which all splits have a model.

        mean, low, high : ndarray of shape (n_points,)
            Mean score, and bounds of its interval; nan with one split.
        """
        n_labeled, scores = self.curve(strategy, scoring=scoring)
        known = ~np.isnan(scores).any(axis=0)
        mean, low, high, _ = interval_of_mean(
            scores[:, known],
            confidence=confidence,
            overlap=self._overlap(corrected),
            bounds=score_bounds(self._score_name(scoring)),
        )
        return n_labeled[known], mean, low, high

    @validate_params(
        {
            "scoring": [str, None],
            "baseline": [str, None],
            "target": [Interval(Real, None, None, closed="neither"), str],
            **_OF_INTERVALS,
        },
        prefer_skip_nested_validation=True,
    )
    def summary(
        self,
        *,
        scoring=None,
        baseline=None,
        target="95%",
        confidence=0.95,
        corrected=True,
    ):
        """Compare the strategies.

        Parameters
        ----------
        scoring : str or None, default=None
            Name of the score; the first if None.

        baseline : str or None, default=None
            The strategy with which the others are compared, split by split. If None,
            ``"random"`` if it is among them; otherwise nothing is compared.

        target : float, str ending in "%", or "baseline", default="95%"
            The score whose price in labels is shown: a number; a share of the score of
            the model of the full training part in the same split (a loss, which is
            negative, is divided by the share); or the score of the baseline with all
            its labels in the same split.

        confidence : float, default=0.95
            Level of the intervals.

        corrected : bool, default=True
            Whether the variance over splits is corrected for their overlap [1]_:
            the training parts of several splits of one data set have most rows in
            common, so that their scores are not independent, and the usual interval is
            too narrow. Set it to False for splits of different data.

        Returns
        -------
        summary : list of dict
            One for each strategy, best area first. It prints as a table, and has a
            method `to_frame`. For the area under the curve (see :meth:`area`), it has
            the mean over the splits and its interval (`area`, `area_low`, `area_high`),
            the mean paired difference to the baseline and its interval (`difference`,
            `difference_low`, `difference_high`), and the `p_value` of a two-sided t
            test, not adjusted for the number of strategies. For the target, it has
            `labels`, the median number of labels that reached it; `n_reached`, the
            number of splits that did; and `saved`, the share of the labels of the
            baseline that were not needed (one minus the ratio of the medians), with the
            interval `saved_low`, `saved_high` by a paired bootstrap over splits [2]_.
            Intervals end where the score does, for an accuracy at 0 and 1.

        References
        ----------
        .. [1] C. Nadeau, Y. Bengio. "Inference for the generalization error". Machine
           Learning 52, 2003.
        .. [2] T. C. Hesterberg. "What teachers should know about the bootstrap:
           resampling in the undergraduate statistics curriculum". The American
           Statistician 69(4), 2015.
        """
        if baseline is None and "random" in self.strategies:
            baseline = "random"
        return summarize(
            self,
            scoring=self._score_name(scoring),
            baseline=baseline,
            target=target,
            confidence=confidence,
            overlap=self._overlap(corrected),
        )

    def _overlap(self, corrected):
        """Return the ratio of test to training parts, 0 if it is not corrected for."""
        return self.test_sizes.mean() / self.train_sizes.mean() if corrected else 0.0

    def _runs(self, strategy):
        if strategy not in self._points:
            raise ValueError(
                f"strategy={strategy!r} is not one of the strategies {self.strategies}."
            )
        return self._points[strategy]

    def _score_name(self, scoring):
        if scoring is None:
            return self.scorers[0]
        if scoring not in self.scorers:
            raise ValueError(
                f"scoring={scoring!r} is not one of the scores {self.scorers}."
            )
        return scoring


def _records(strategy, run):
    """Yield one record for each round of a run."""
    n_labeled = run["n_labeled"]
    for number in range(len(n_labeled)):
        yield {
            "strategy": strategy,
            "split": run["split"],
            "round": number + 1,
            "n_labeled": n_labeled[number],
            "n_bought": n_labeled[number] - n_labeled[0],
            **{
                name: np.nan if values[number] is None else values[number]
                for name, values in run["scores"].items()
            },
            "fit_seconds": run["fit_seconds"][number],
            "select_seconds": run["select_seconds"][number],
        }


def _points(run):
    """Return the numbers of labels at which there was a model, and its scores."""
    first = run["first_model"]
    scores = {name: np.array(of, dtype=float) for name, of in run["scores"].items()}
    n_labeled = np.array(run["n_labeled"][first:])
    return n_labeled, {name: values[first:] for name, values in scores.items()}
