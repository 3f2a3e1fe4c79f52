"""Replaying the labelling of data whose labels are all known."""

import time
from contextlib import closing
from dataclasses import dataclass
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.metrics import check_scoring
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, indexable
from sklearn.utils.parallel import Parallel, delayed

from skactive.acquisition._registry import check_model, clone_strategy
from skactive.datasets import hide_labels
from skactive.model_selection._curve_file import CurveFile
from skactive.model_selection._curve_result import ActiveLearningCurve
from skactive.oracles import SimulatedOracle
from skactive.utils._description import (
    describe,
    describe_parameters,
    hash_rows,
    hash_values,
)
from skactive.utils._labels import able_to_hold, check_y, labeled_mask
from skactive.utils._rows import take_rows
from skactive.utils._sklearn import HasMethods, Interval, RealNotInt, validate_params
from skactive.utils._threads import one_thread

# Parameters of the classifier that are set for every run.
_SET_HERE = ("oracle", "random_state", "missing_label")
_NEEDED = {"strategy", "batch_size", "budget", "stopping", *_SET_HERE}


@validate_params(
    {
        "estimator": [HasMethods(["fit", "get_params"])],
        "X": "no_validation",
        "y": "no_validation",
        "strategies": [str, list, tuple, dict, None],
        "initial": [
            Interval(Integral, 0, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
            callable,
        ],
        "cv": ["cv_object"],
        "scoring": [str, callable, list, tuple, set, dict, None],
        "n_jobs": [Integral, None],
        "random_state": ["random_state"],
        "path": "no_validation",
        "verbose": ["verbose"],
    },
    prefer_skip_nested_validation=False,
)
def active_learning_curve(
    estimator,
    X,
    y,
    *,
    strategies=None,
    initial=10,
    cv=5,
    scoring=None,
    n_jobs=None,
    random_state=None,
    path=None,
    verbose=0,
):
    """Replay the labelling of a data set to see what strategies save on it.

    All labels of `y` are known. In each split of `cv`, all but a few of the training
    part are hidden and bought back round by round, and the model of every round is
    scored on the test part. All strategies have the same splits, the same first labels
    and the same seeds, so that they can be compared split by split.

    Read more in the :ref:`User Guide <which_strategy>`.

    Parameters
    ----------
    estimator : ActiveLearningClassifier
        The classifier with everything that it is to do: its `estimator`, `batch_size`,
        `budget`, `stopping`, `committee` and so on. Its `oracle` is never asked, and
        its `random_state` is replaced; neither is it changed.

    X : {array-like, sparse matrix, data frame, list} of shape (n_samples, n_features)
        All rows.

    y : array-like of shape (n_samples,)
        Their labels, none missing.

    strategies : None, str, list, or dict, default=None
        What to compare: the `strategy` of the estimator if None; a name or a list of
        names; or a dict of names of your choice to strategies, that is names, objects,
        callables, or dicts of parameters of the estimator, such as ``{"strategy":
        "bald", "committee": forest}`` or ``{"batch_size": 1}``.

    initial : int, float or callable, default=10
        How many labels of a training part are known from the beginning, drawn at
        random but for one of each class if there are so many; a float is a share of
        them. Or a function ``initial(y_train, random_state) -> row numbers of
        y_train`` with an int for a seed.

    cv : int, cross-validation generator or an iterable, default=5
        The splits: so many stratified folds, a splitter, or an iterable of row numbers
        of training and test parts.

    scoring : str, callable, list, tuple, dict or None, default=None
        One score or several, as in :func:`sklearn.model_selection.cross_validate`; None
        for the `score` of the model. Higher is better.

    n_jobs : int or None, default=None
        How many runs, of one strategy on one split, go on at the same time. Each of
        them has one thread, so that their number does not change a result.

    random_state : int, RandomState instance or None, default=None
        Seed of the first labels and of the strategies. A splitter that shuffles and a
        model that draws have seeds of their own.

    path : str, path-like or None, default=None
        A file that keeps every finished run, one line of JSON each. If it exists, only
        what is missing in it is run; strategies may be added. It must have been made
        of the same inputs, and needs an int for `random_state`. Only one process may
        write to it at a time.

    verbose : int, default=0
        If positive, a line is printed for every finished run.

    Returns
    -------
    curves : ActiveLearningCurve
        The curves, and what they come to.

    Raises
    ------
    TypeError
        If `estimator` is no ActiveLearningClassifier.
    ValueError
        If `y` has missing labels, or the file was made of other inputs.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.model_selection import active_learning_curve
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(max_iter=1000), batch_size=2, budget=20
    ... )
    >>> curves = active_learning_curve(
    ...     clf, X, y, strategies=["random", "margin"], initial=6, random_state=0
    ... )
    >>> n_labeled, scores = curves.curve("margin")
    >>> n_labeled
    array([ 6,  8, 10, 12, 14, 16, 18, 20, 22, 24, 26])
    >>> scores.shape
    (5, 11)
    >>> [row["strategy"] for row in curves.summary()]
    ['margin', 'random']
    """
    _check_estimator(estimator)
    X, y = _check_data(estimator, X, y)
    variants = _variants(estimator, strategies)
    scorer = check_scoring(estimator.estimator, scoring=scoring)
    seed = _seed(random_state, path)
    splits = _splits(estimator, X, y, cv=cv, initial=initial, seed=seed)
    experiment = _Experiment(X, y, scorer, variants, splits)
    file = None
    if path is not None:
        file = CurveFile(path)
        file.open(*_contents(experiment, estimator, scoring, seed))
    runs = {} if file is None else dict(file.runs)
    for run in _missing_runs(experiment, runs, n_jobs=n_jobs, verbose=verbose):
        runs[run["strategy"], run["split"]] = run
        if file is not None:
            file.add(run)
    return ActiveLearningCurve(
        runs,
        strategies=[name for name in variants if name is not None],
        train_sizes=[len(split.train) for split in splits],
        test_sizes=[len(split.test) for split in splits],
    )


@dataclass(frozen=True)
class _Split:
    """Rows of one split, as row numbers of X, and the seed of its runs."""

    train: np.ndarray
    test: np.ndarray
    initial: np.ndarray  # positions in train
    seed: int


@dataclass(frozen=True)
class _Experiment:
    X: Any
    y: np.ndarray
    scorer: Any
    variants: dict
    splits: list


# What is checked before anything is run


def _check_estimator(estimator):
    missing = _NEEDED.difference(estimator.get_params(deep=False))
    if missing:
        raise TypeError(
            "active_learning_curve takes an ActiveLearningClassifier, got "
            f"{type(estimator).__name__}. Put it inside: "
            "ActiveLearningClassifier(your_estimator), a Pipeline as a whole."
        )


def _check_data(estimator, X, y):
    """Return X as something that rows can be taken of, and the labels."""
    marker = estimator.missing_label
    X, y = indexable(X, y)
    _, labeled, labels = check_y(y, marker, has_oracle=True)
    if not labeled.all():
        raise ValueError(
            f"{(~labeled).sum()} of the {len(labeled)} labels in y are "
            f"{marker!r}, which is missing_label of the estimator, and "
            "active_learning_curve replays the labelling of data whose labels are all "
            f"known. If {marker!r} is a class, set another marker, for instance "
            "missing_label=None; else leave out the rows without a label."
        )
    return X, labels


def _variants(estimator, strategies):
    """Return {name: classifier}, and that of all labels under None."""
    if strategies is None:
        strategies = [estimator.strategy]
    if isinstance(strategies, str):
        strategies = [strategies]
    if not isinstance(strategies, dict):
        names = [_name_of(strategy) for strategy in strategies]
        if len(set(names)) < len(names):
            raise ValueError(
                f"strategies has a name twice: {names}. Name them in a dict."
            )
        strategies = dict(zip(names, strategies, strict=True))
    if not strategies or not all(isinstance(name, str) for name in strategies):
        raise ValueError(
            "strategies must name at least one strategy, and names are strings; got "
            f"{strategies!r}."
        )
    variants = {None: clone(estimator).set_params(oracle=None, stopping=None)}
    for name, strategy in strategies.items():
        variants[name] = _variant(estimator, name, strategy)
    return variants


def _name_of(strategy):
    if isinstance(strategy, str):
        return strategy
    return getattr(strategy, "__name__", type(strategy).__name__)


def _variant(estimator, name, strategy):
    """Return the classifier of a strategy, checked as far as it can be."""
    params = strategy if isinstance(strategy, dict) else {"strategy": strategy}
    refused = sorted(set(_SET_HERE).intersection(params))
    if refused:
        raise ValueError(
            f"The strategy {name!r} sets {refused}, which must be the same for all "
            "strategies: an oracle that knows the labels, a seed for each split, and "
            "missing_label as the estimator has it."
        )
    try:
        variant = clone(estimator).set_params(oracle=None, **params)
        variant._validate_params()
        check_model(
            clone_strategy(variant.strategy), variant.estimator, variant.committee
        )
    except Exception as error:
        error.add_note(f"This is about the strategy {name!r}.")
        raise
    return variant


def _seed(random_state, path):
    if path is not None and not isinstance(random_state, Integral):
        raise ValueError(
            "random_state must be an int where there is a path, so that a run that was "
            f"interrupted can go on; got {random_state!r}."
        )
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def _splits(estimator, X, y, *, cv, initial, seed):
    cv = check_cv(cv, y, classifier=True)
    splits = []
    for number, parts in enumerate(cv.split(X, y)):
        train, test = map(_as_row_numbers, parts)
        # A pure function of seed and split, whatever the strategy and the other splits.
        state = np.random.SeedSequence([seed, number]).generate_state(2)
        of_labels, of_run = (int(value) for value in state % (2**31 - 1))
        rows = _initial_rows(y[train], initial, estimator.missing_label, of_labels)
        splits.append(_Split(train, test, rows, of_run))
    return splits


def _as_row_numbers(rows):
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype.kind == "b" else rows


def _initial_rows(y_train, initial, missing_label, seed):
    """Return which labels of a training part are known from the beginning."""
    if not callable(initial):
        hidden = hide_labels(
            y_train,
            initial,
            stratify=True,
            missing_label=missing_label,
            random_state=seed,
        )
        return np.flatnonzero(labeled_mask(hidden, missing_label))
    rows = np.asarray(initial(y_train, seed))
    valid = rows.ndim == 1 and (rows.dtype.kind in "iu" or not len(rows))
    rows = np.unique(rows)
    if not valid or (len(rows) and not 0 <= rows[0] <= rows[-1] < len(y_train)):
        raise ValueError(
            f"initial must return row numbers of the {len(y_train)} labels that it "
            f"gets, got {rows!r}."
        )
    return rows.astype(np.intp)


def _contents(experiment, estimator, scoring, seed):
    """Return what a file is made of, the parameters of strategies, and other facts."""
    splits = experiment.splits
    made_of = {
        "n_samples": len(experiment.y),
        "X": hash_rows(experiment.X),
        "y": hash_values(experiment.y),
        "random_state": seed,
        "n_splits": len(splits),
        "splits": hash_values(*(part for s in splits for part in (s.train, s.test))),
        "initial": hash_values(*(split.initial for split in splits)),
        "scoring": describe(scoring),
        "missing_label": describe(estimator.missing_label),
    }
    of_full = clone(estimator).set_params(oracle=None)
    made_of |= {
        name: text
        for name, text in describe_parameters(of_full).items()
        if name.startswith("estimator")
    }
    parameters = {
        name: _described(variant)
        for name, variant in experiment.variants.items()
        if name is not None
    }
    facts = {
        "n_train": [len(split.train) for split in splits],
        "n_test": [len(split.test) for split in splits],
    }
    return made_of, parameters, facts


def _described(variant):
    texts = describe_parameters(variant)
    del texts["random_state"]
    return texts


# The runs


def _missing_runs(experiment, done, *, n_jobs, verbose):
    """Yield the runs that are not done yet, in the order in which they end."""
    tasks = [
        (name, number)
        for number in range(len(experiment.splits))
        for name in experiment.variants
        if (name, number) not in done
    ]
    jobs = (
        delayed(_run)(
            experiment.X,
            experiment.y,
            experiment.scorer,
            experiment.variants[name],
            name,
            number,
            experiment.splits[number],
        )
        for name, number in tasks
    )
    runs = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(jobs)
    with closing(runs):
        for n_done, run in enumerate(runs, 1):
            if verbose:
                name = run["strategy"] or "all labels"
                print(
                    f"[active_learning_curve] {n_done} of {len(tasks)}: {name}, split "
                    f"{run['split']}, {run['seconds']:.1f} s"
                )
            yield run


def _run(X, y, scorer, clf, name, number, split):
    """Run one strategy on one split."""
    started = time.perf_counter()
    try:
        with one_thread():
            score = _score_full if name is None else _replay
            found = score(X, y, scorer, clf, split)
    except Exception as error:
        what = "the model of all labels" if name is None else f"the strategy {name!r}"
        error.add_note(f"This was {what} in split {number} of active_learning_curve.")
        raise
    seconds = time.perf_counter() - started
    return {"strategy": name, "split": number, "seconds": seconds} | found


def _score_full(X, y, scorer, clf, split):
    """Score the model that is fitted on all labels of a training part."""
    clf = clone(clf).fit(take_rows(X, split.train), y[split.train])
    scores = _scores(scorer, clf.estimator_, take_rows(X, split.test), y[split.test])
    return {"scores": scores, "initial": split.train[split.initial].tolist()}


def _replay(X, y, scorer, clf, split):
    """Buy the labels of a training part, and score the model of every round."""
    train = split.train
    hidden = able_to_hold(y[train], clf.missing_label)
    unknown = np.delete(np.arange(len(train)), split.initial)
    hidden[unknown] = clf.missing_label
    recorder = _Recorder(scorer, take_rows(X, split.test), y[split.test])
    clf = clone(clf).set_params(
        oracle=SimulatedOracle(y),
        stopping=[recorder, *_as_list(clf.stopping)],
        random_state=split.seed,
    )
    clf.fit(take_rows(X, train), hidden, sample_ids=train)
    recorder.record(len(clf.history_), clf.estimator_)
    return recorder.report(clf) | {
        "query_indices": train[clf.query_indices_].tolist(),
        "ended": clf.termination_condition_,
    }


def _as_list(stopping):
    if stopping is None:
        return []
    return list(stopping) if isinstance(stopping, (list, tuple)) else [stopping]


class _Recorder:
    """A stopping criterion that never stops, and scores the model of every round."""

    def __init__(self, scorer, X_test, y_test):
        self._scorer = scorer
        self._X_test = X_test
        self._y_test = y_test
        self._scores = {}

    def __call__(self, pool):
        # The strategy looks at this same model, so it is not fitted a second time.
        self.record(pool.round, pool.estimator)

    def record(self, round, estimator):
        self._scores[round] = _scores(
            self._scorer, estimator, self._X_test, self._y_test
        )

    def report(self, clf):
        """Return numbers of labels, scores and times of all rounds of a fitted clf."""
        rounds = range(1, len(clf.history_) + 1)
        bought_in = clf.labeled_iter_[clf.labeled_iter_ >= 0]
        names = self._scores[rounds[-1]]
        return {
            "first_model": min(self._scores) - 1,
            "n_labeled": [int((bought_in < number).sum()) for number in rounds],
            "scores": {
                name: [self._scores.get(number, {}).get(name) for number in rounds]
                for name in names
            },
            "fit_seconds": [record["fit_seconds"] for record in clf.history_],
            "select_seconds": [record["select_seconds"] for record in clf.history_],
        }


def _scores(scorer, estimator, X, y):
    """Return {name: score}."""
    scores = scorer(estimator, X, y)
    if not isinstance(scores, dict):
        scores = {"score": scores}
    return {name: float(value) for name, value in scores.items()}
