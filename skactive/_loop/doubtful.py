"""Labels in doubt: a model trained without them, or another annotator, disagrees.

Confident learning compares probabilities with a threshold for each class, because
models are more certain of some classes than of others.
"""

import warnings
from collections import Counter
from contextlib import contextmanager
from dataclasses import dataclass, replace
from numbers import Integral
from typing import Any

import numpy as np
from sklearn.model_selection import StratifiedKFold

from skactive._pool.facts import Facts
from skactive._pool.models import RoundModels
from skactive._pool.pool import Pool
from skactive.utils._labels import as_labels
from skactive.utils._outputs import align_columns
from skactive.utils._shown import name_of, shown
from skactive.utils._sklearn import Interval, validate_params

# Probabilities that differ by less are equal.
_ROUNDING = 1e-6


@dataclass(frozen=True)
class DoubtfulLabel:
    """A label in doubt.

    Attributes
    ----------
    index : int
        Row number.

    sample_id : int, str or None
        Id of the row. None if no ids were given.

    label : int, float, str or bool
        The label in doubt.

    suggested : int, float, str or bool
        The class that the model predicts or, if the model agrees with the label or
        could not judge it, the most frequent of the other answers.

    score : float or None
        The probability of the label by a model that was trained without it: the lower,
        the more doubtful. 0 or 1 for a classifier without `predict_proba`, and None if
        the row could not be judged.

    by_model : bool
        Whether the model contradicts the label.

    other_answers : tuple of (label, annotator)
        Other labels that were given to the row, and by whom.
    """

    index: int
    sample_id: Any
    label: Any
    suggested: Any
    score: float | None
    by_model: bool
    other_answers: tuple

    @property
    def why(self):
        """Who contradicts the label, in words."""
        reasons = []
        if self.by_model:
            reasons.append(
                f"a model trained without it predicts {shown(self.suggested)}, and "
                f"{shown(self.label)} with the probability {self.score:.2g}"
            )
        if self.other_answers:
            n = len(self.other_answers)
            reasons.append(f"{n} other answer{'s differ' if n > 1 else ' differs'}")
        return "; ".join(reasons)


@validate_params(
    {
        "run": "no_validation",
        "n": [Interval(Integral, 1, None, closed="left"), None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "answers": [dict, None],
    },
    prefer_skip_nested_validation=True,
)
def doubtful(run, *, n=None, cv=5, answers=None):
    """Return the labels of a run that a model or other annotators contradict.

    Each label is judged by a model that was trained without it: the labels are split
    into stratified folds, and those of a fold are judged by a model that was trained on
    the other labels in the same way as the models of the run. The test sample is
    judged, too, but no model is trained on it, nor on rows that equal a row of the fold
    unless ``equal_rows="ask"``.

    A label cannot be judged if no other label of its class is left to train on.

    Parameters
    ----------
    run : Run
        The run. It is not changed.

    n : int or None, default=None
        The largest number of labels to return; all that are in doubt if None.

    cv : int, default=5
        Number of folds. A class with fewer labels is in some of them only.

    answers : dict or None, default=None
        Answers that were given for rows, with their annotators: ``{row number: [(label,
        annotator), ...]}``. Answers that equal the label, and those that are None, do
        not contradict it. If None, those in the session of the run.

    Returns
    -------
    doubts : list of DoubtfulLabel
        In ascending order of `score`; those that could not be judged come last.

    Raises
    ------
    ValueError
        If no label could be judged, and no answers contradict one.
    """
    with run.lock:
        rows = _rows_with_own_label(run)
        labels, facts = run.ledger.labels(rows), _facts(run)
    answers = answers_in_session(run) if answers is None else answers
    others = _contradictions(rows, labels, answers)
    proba, classes = cross_validated_proba(run.inputs, facts, rows, labels, cv)
    judged = ~np.isnan(proba).any(axis=1)
    if not (judged.any() or any(others)):
        _raise_too_few(facts)
    codes = np.searchsorted(classes, labels)
    by_model = np.zeros(len(rows), dtype=bool)
    by_model[judged] = are_contradicted(proba[judged], codes[judged])
    scores = self_confidence(proba, codes)
    order = np.lexsort((rows, scores))  # NaN is last
    in_doubt = by_model | [len(given) > 0 for given in others]
    ids, given, names = run.inputs.sample_ids, labels.tolist(), classes.tolist()
    ids = [None] * len(rows) if ids is None else ids[rows].tolist()
    return [
        DoubtfulLabel(
            index=int(rows[i]),
            sample_id=ids[i],
            label=given[i],
            suggested=(
                names[proba[i].argmax()] if by_model[i] else _most_frequent(others[i])
            ),
            score=float(scores[i]) if judged[i] else None,
            by_model=bool(by_model[i]),
            other_answers=tuple(others[i]),
        )
        for i in order[in_doubt[order]][:n].tolist()
    ]


def confident_thresholds(proba, codes):
    """Return how certain a model is of each class, on average over its rows [1]_.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities by models that were trained without the labels of the rows.

    codes : ndarray of shape (n_samples,), dtype int
        The column of each row's label.

    Returns
    -------
    thresholds : ndarray of shape (n_classes,)
        The mean probability of a class over the rows that have it as their label; inf
        if there is none.

    References
    ----------
    .. [1] C. G. Northcutt, L. Jiang, I. L. Chuang. "Confident learning: estimating
       uncertainty in dataset labels". Journal of Artificial Intelligence Research 70,
       2021.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive._loop.doubtful import confident_thresholds
    >>> proba = np.array([[0.9, 0.1, 0], [0.5, 0.5, 0], [0.2, 0.8, 0]])
    >>> confident_thresholds(proba, np.array([0, 0, 1]))
    array([0.7, 0.8, inf])
    """
    n_classes = proba.shape[1]
    sums = np.bincount(codes, self_confidence(proba, codes), n_classes)
    counts = np.bincount(codes, minlength=n_classes)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)


def are_contradicted(proba, codes):
    """Return which labels confident learning [1]_ calls errors, as cleanlab [2]_ does.

    The likeliest class is not the label, and at least one other class is as likely as
    it is on average for the rows that have it as their label.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities by models that were trained without the labels of the rows.

    codes : ndarray of shape (n_samples,), dtype int
        The column of each row's label.

    Returns
    -------
    contradicted : ndarray of shape (n_samples,), dtype bool
        Mask of the labels that are contradicted.

    References
    ----------
    .. [1] C. G. Northcutt, L. Jiang, I. L. Chuang. "Confident learning: estimating
       uncertainty in dataset labels". Journal of Artificial Intelligence Research 70,
       2021.

    .. [2] cleanlab 2.9, ``find_label_issues(..., filter_by="confident_learning")``.

    Examples
    --------
    >>> import numpy as np
    >>> from skactive._loop.doubtful import are_contradicted
    >>> proba = np.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6], [0.1, 0.9], [0.3, 0.7]])
    >>> are_contradicted(proba, np.array([0, 0, 0, 1, 1]))
    array([False,  True, False, False, False])
    """
    # A positive floor, so that no row counts as confident at a probability of 0.
    thresholds = np.maximum(confident_thresholds(proba, codes), 2 * _ROUNDING)
    confident = proba >= thresholds - _ROUNDING
    confident[np.arange(len(codes)), codes] = False
    is_likeliest = proba.max(axis=1) <= self_confidence(proba, codes) + _ROUNDING
    return confident.any(axis=1) & ~is_likeliest


def self_confidence(proba, codes):
    """Return the predicted probability of each label; cleanlab ranks labels by it.

    Parameters
    ----------
    proba : ndarray of shape (n_samples, n_classes)
        Probabilities by models that were trained without the labels of the rows.

    codes : ndarray of shape (n_samples,), dtype int
        The column of each row's label.

    Returns
    -------
    scores : ndarray of shape (n_samples,)
        The lower, the more doubtful.
    """
    return proba[np.arange(len(codes)), codes]


def cross_validated_proba(inputs, facts, rows, labels, cv):
    """Predict probabilities of labelled rows by models trained without their labels.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs of the run.

    facts : Facts
        The labels that models are trained on.

    rows : ndarray of shape (n_rows,), dtype int
        Rows that have a label, ascending.

    labels : ndarray of shape (n_rows,)
        Their labels.

    cv : int
        The largest number of folds.

    Returns
    -------
    proba : ndarray of shape (n_rows, n_classes)
        The probabilities; the predicted class has 1 if the classifier has no
        `predict_proba`. NaN for rows that could not be judged: no other label of the
        class, or only labels of one class, were left to train on.

    classes : ndarray of shape (n_classes,)
        The classes of the columns, sorted.
    """
    classes = np.unique(labels) if inputs.classes is None else inputs.classes
    proba = np.full((len(rows), len(classes)), np.nan)
    for test in _folds(labels, cv, inputs.seed):
        train = facts.labeled & ~inputs.equal_rows.equal_to(rows[test])
        known = np.unique(as_labels(facts.y[train]))
        test = test[np.isin(labels[test], known)]
        if len(known) < 2 or len(test) == 0:
            continue
        # Without the models kept by the run and its teacher, which saw all labels.
        models = RoundModels(replace(facts, labeled=train), inputs.clf.estimator)
        with _explaining(inputs.clf.estimator, int(train.sum())):
            proba[test] = _predict(Pool(models), rows[test], classes)
    return proba, classes


def answers_in_session(run):
    """Return the answers in the session of a run that contradicted its labels.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    answers : dict of int to list of (label, annotator)
        The answers by row number. Empty if the run has no session.
    """
    answers = {}
    if run.journal is None or run.inputs.sample_ids is None:
        return answers
    session, row_of_id = run.journal.session, run.inputs.row_of_id
    for event in session.store.events():
        row = row_of_id.get(event["sample_id"])
        is_other = (event["kind"], event["task"]) == ("contradiction", session.task)
        if is_other and row is not None:
            answer = event["label"], event["annotator"]
            answers.setdefault(row, []).append(answer)
    return answers


def _facts(run):
    """Return the facts of a pool with the labels known now."""
    inputs, ledger = run.inputs, run.ledger
    return Facts(
        inputs.X,
        ledger.trainable_y,
        ledger.trainable,
        ledger.candidates,
        round=run.rounds.number,
        unlabeled=inputs.clf.unlabeled,
        fit_params=inputs.fit_params,
        all_classes=inputs.classes,
        random_state=inputs.seed,
        n_jobs=inputs.clf.n_jobs,
    )


def _predict(pool, rows, classes):
    """Return probabilities of rows, or 1 for their predicted class and 0 otherwise."""
    if pool.has_output("predict_proba"):
        proba = pool.predict_proba(rows)
    else:
        proba = np.eye(len(pool.classes))[pool.predict(rows)]
    return align_columns(proba, pool.classes, classes, name_of(pool.estimator))


def _folds(labels, cv, seed):
    """Return the positions of the labels of each fold; none if no class has two."""
    counts = np.unique(labels, return_counts=True)[1]
    n_folds = min(cv, counts.max(initial=0))
    if n_folds < 2:
        return []
    folds = StratifiedKFold(n_folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # A class with fewer labels than folds is judged by some of the models.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return [test for _, test in folds.split(labels, labels)]


def _rows_with_own_label(run):
    """Return the labelled rows whose label was not copied from an equal row."""
    inputs, labeled = run.inputs, run.ledger.labeled
    if inputs.clf.equal_rows == "share":
        labeled = labeled & (inputs.labeled | inputs.equal_rows.askable)
    return np.flatnonzero(labeled)


def _contradictions(rows, labels, answers):
    """Return, for each row, the answers that are neither its label nor None."""
    return [
        [
            (other, annotator)
            for other, annotator in answers.get(row, ())
            if other is not None and other != label
        ]
        for row, label in zip(rows.tolist(), labels.tolist(), strict=True)
    ]


def _most_frequent(answers):
    return Counter(label for label, _ in answers).most_common(1)[0][0]


def _raise_too_few(facts):
    trained = as_labels(facts.y[facts.labeled])
    raise ValueError(
        "doubtful() compares labels with models that were trained without them. It "
        "needs labels of two classes, and two labels of one of them, to train on; got "
        f"{len(trained)} labels of {len(np.unique(trained))} classes, not counting the "
        "test sample. Tell more labels first."
    )


@contextmanager
def _explaining(estimator, n_labels):
    """Add a note to errors of a fit in the cross-validation."""
    try:
        yield
    except Exception as error:
        error.add_note(
            f"{name_of(estimator)} raised this after a fit on {n_labels} labels, one "
            "part of the cross-validation of doubtful(). It may need more labels: tell "
            "more of them first, or raise cv, so that each model is trained on more."
        )
        raise
