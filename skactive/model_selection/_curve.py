"""Replaying the labelling of data whose labels are all known."""

import os
from numbers import Integral

from sklearn.base import clone
from sklearn.metrics import check_scoring

from skactive.model_selection._curve_file import CurveFile
from skactive.model_selection._curve_inputs import (
    check_data,
    check_estimator,
    get_seed,
    get_variants,
    make_splits,
)
from skactive.model_selection._curve_result import ActiveLearningCurve
from skactive.model_selection._curve_runs import Experiment, missing_runs
from skactive.utils._description import (
    describe,
    describe_parameters,
    hash_rows,
    hash_values,
)
from skactive.utils._sklearn import (
    N_JOBS,
    Function,
    HasMethods,
    Interval,
    RealNotInt,
    validate_params,
)


@validate_params(
    {
        "estimator": [HasMethods(["fit", "get_params"])],
        "X": "no_validation",
        "y": ["array-like"],
        "strategies": [str, list, tuple, dict, None],
        "initial": [
            Interval(Integral, 0, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="neither"),
            Function(),
        ],
        "cv": ["cv_object"],
        "scoring": [str, Function(), list, tuple, set, dict, None],
        "n_jobs": N_JOBS,
        "random_state": ["random_state"],
        "path": [str, os.PathLike, None],
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
    """Replay the labelling of a data set to see how many labels strategies save.

    All labels of `y` are known. In each split of `cv`, all but a few of the training
    part are hidden and bought back round by round, and the model of every round is
    scored on the test part. All strategies have the same splits, the same first labels
    and the same seeds, so that they can be compared split by split.

    Read more in the :ref:`User Guide <which_strategy>`.

    Parameters
    ----------
    estimator : ActiveLearningClassifier
        The classifier with its `estimator`, `batch_size`, `budget`, `stopping`,
        `committee` and so on. It is cloned for each run. Its `oracle` is not asked, and
        its `random_state` is replaced.

    X : {array-like, sparse matrix, data frame, list} of shape (n_samples, n_features)
        All rows.

    y : array-like of shape (n_samples,)
        Their labels, none missing.

    strategies : None, str, list, or dict, default=None
        Strategies to compare: the `strategy` of the estimator if None; a name or a list
        of names; or a dict from names of your choice to strategies. There a strategy is
        a name, an object, a callable, or a dict of parameters of the estimator, for
        instance ``{"strategy": "bald", "committee": forest}`` or ``{"batch_size": 1}``.

    initial : int, float or callable, default=10
        Number of labels of a training part that are known from the beginning; a float
        is a share of them. They are drawn at random, with one of each class if there
        are as many labels as classes. Or a function ``initial(y_train, random_state) ->
        row numbers of y_train``, which gets an int as seed.

    cv : int, cross-validation generator or an iterable, default=5
        The splits: a number of stratified folds, a splitter, or an iterable of row
        numbers of training and test parts.

    scoring : str, callable, list, tuple, dict or None, default=None
        One score or several, as in :func:`sklearn.model_selection.cross_validate`; None
        for the `score` of the model. Higher is better. One that has no name is called
        ``"score"``.

    n_jobs : int or None, default=None
        Number of runs, of one strategy on one split, at the same time. Each of them has
        one thread, so that `n_jobs` does not change a result.

    random_state : int, RandomState instance or None, default=None
        Seed of the first labels and of the strategies. A splitter that shuffles and a
        randomized model have their own seeds.

    path : str, path-like or None, default=None
        A file that keeps every finished run, one line of JSON each. If it exists, only
        runs that are missing in it are made; strategies may be added. It must have been
        made from the same inputs, and needs an int for `random_state`. Only one process
        may write to it at a time.

    verbose : int, default=0
        If positive, a line is printed for every finished run.

    Returns
    -------
    curves : ActiveLearningCurve
        The curves and their areas.

    Raises
    ------
    TypeError
        If `estimator` is not an ActiveLearningClassifier.
    ValueError
        If `y` has missing labels, or the file was made from other inputs.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.model_selection import active_learning_curve
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(max_iter=1000), batch_size=5, budget=20
    ... )
    >>> curves = active_learning_curve(
    ...     clf, X, y, strategies=["random", "margin"], initial=6, random_state=0
    ... )
    >>> n_labeled, scores = curves.curve("margin")
    >>> n_labeled
    array([ 6, 11, 16, 21, 26])
    >>> scores.shape
    (5, 5)
    >>> [row["strategy"] for row in curves.summary()]
    ['margin', 'random']
    """
    check_estimator(estimator)
    X, y = check_data(estimator, X, y)
    variants = get_variants(estimator, strategies)
    scoring = [scoring] if isinstance(scoring, str) else scoring  # it has a name then
    scorer = check_scoring(estimator.estimator, scoring=scoring)
    seed = get_seed(random_state, path)
    splits = make_splits(estimator, X, y, cv=cv, initial=initial, seed=seed)
    experiment = Experiment(X, y, scorer, variants, splits)
    file = None
    if path is not None:
        file = CurveFile(path)
        file.open(*_contents(experiment, estimator, scoring, seed))
    runs = {} if file is None else dict(file.runs)
    for run in missing_runs(experiment, runs, n_jobs=n_jobs, verbose=verbose):
        runs[run["strategy"], run["split"]] = run
        if file is not None:
            file.add(run)
    return ActiveLearningCurve(
        runs,
        strategies=[name for name in variants if name is not None],
        train_sizes=[len(split.train) for split in splits],
        test_sizes=[len(split.test) for split in splits],
    )


def _contents(experiment, estimator, scoring, seed):
    """Return the inputs of a file, the parameters of strategies, and other facts."""
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
