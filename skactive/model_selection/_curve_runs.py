"""The runs of a replay: one strategy on one split, each round scored."""

import time
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import clone
from sklearn.utils.parallel import Parallel, delayed

from skactive.exceptions import ActiveLearningError
from skactive.oracles import SimulatedOracle
from skactive.utils._absent_classes import score_all_classes
from skactive.utils._labels import able_to_hold
from skactive.utils._rows import take_rows
from skactive.utils._threads import one_thread


@dataclass(frozen=True)
class Experiment:
    X: Any
    y: np.ndarray
    scorer: Any
    variants: dict
    splits: list


def missing_runs(experiment, done, *, n_jobs, verbose):
    """Make the runs that are missing; yield them in the order in which they end."""
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
    # As they end, so that finished runs are in the file if the process is killed.
    runs = Parallel(n_jobs=n_jobs, return_as="generator_unordered")(jobs)
    # Closed if the caller stops early, or workers would continue for nothing.
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
        # Sums of several threads depend on their number, and so would the curves.
        with one_thread():
            score = _score_full if name is None else _replay
            found = score(X, y, scorer, clf, split)
    except Exception as error:  # the traceback does not name the strategy
        what = "The model of all labels" if name is None else f"The strategy {name!r}"
        raise ActiveLearningError(
            f"{what} failed in split {number}: {type(error).__name__}: {error}"
        ) from error
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

    def watch(pool):
        """Score a round as a stopping criterion that never stops.

        The strategy uses the same model, so that it is not fitted a second time. It is
        a function, as a fit clones objects, and the clone of a recorder would be lost.
        """
        recorder.record(pool.round, pool.estimator)

    clf = clone(clf).set_params(
        oracle=SimulatedOracle(y),
        # First, so that the round in which another criterion stops is scored, too.
        stopping=[watch, *_as_list(clf.stopping)],
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
    """Scores of the model of every round."""

    def __init__(self, scorer, X_test, y_test):
        self._scorer = scorer
        self._X_test = X_test
        self._y_test = y_test
        self._scores = {}

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
    try:
        scores = score_all_classes(scorer, estimator, X, y)
    except Exception as error:  # a scorer may raise anything
        unseen = np.setdiff1d(y, estimator.classes_)
        if not len(unseen):
            raise
        raise ValueError(
            f"A model that has no label of the classes {unseen.tolist()} yet could not "
            f"be scored: {error} Choose initial so that every class has a label at "
            "the start, or a score that takes such models, such as accuracy."
        ) from error
    if not isinstance(scores, dict):
        scores = {"score": scores}
    return {name: float(value) for name, value in scores.items()}
