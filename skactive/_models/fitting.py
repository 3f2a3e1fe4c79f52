"""The one way to fit a classifier: on labels, or on codes if it refuses them.

An estimator gets the labels of the user, as in scikit-learn, because `class_weight`,
`pos_label` and similar parameters refer to them. Only an estimator that rejects them,
or predicts other labels, is fitted on the codes 0, 1, ..., n_classes - 1 instead.
"""

from collections.abc import Mapping

import numpy as np
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from skactive._models.closed_set import fit, told_in_codes
from skactive._models.label_codes import (
    CodedClassifier,
    are_codes,
    classes_in,
    codes_of,
)
from skactive.utils._outputs import OutputShapeError, as_labels_of_rows
from skactive.utils._pipelines import last_step
from skactive.utils._rows import take_rows
from skactive.utils._sklearn import _num_samples

# The number of rows, one of each class, that show in what labels a classifier answers.
_N_PROBES = 20


class FitMemory:
    """What the fits of a run have shown about a classifier, so nothing is tried twice.

    Parameters
    ----------
    closed : array-like of shape (n_classes,) or None, default=None
        All classes that there can be, if that is known.

    Attributes
    ----------
    refuses_labels : bool
        Whether it takes codes only.

    checked : set of tuple
        For which classes it has been seen to predict the labels that it was given.
    """

    def __init__(self, closed=None):
        self.closed = None if closed is None else np.unique(closed)
        self.refuses_labels = False
        self.checked = set()
        self._others = {}

    def of(self, other):
        """Return the memory of another classifier of the same run, or of its name."""
        # The classifier itself is kept, as the id of a deleted object may be reused.
        key = other if isinstance(other, str) else id(other)
        return self._others.setdefault(key, (other, FitMemory(self.closed)))[1]

    def __getstate__(self):
        # A worker process needs to know of its own classifier only.
        return vars(self) | {"_others": {}}

    def update(self, other):
        """Add the findings of another process."""
        self.refuses_labels |= other.refuses_labels
        self.checked |= other.checked


def fit_classifier(
    estimator,
    X,
    y,
    params=None,
    *,
    missing_label=None,
    memory=None,
    again=None,
):
    """Fit a classifier on labels, or on their codes if it refuses them.

    It refuses labels if its `fit` raises, or if its `classes_` or its predictions are
    other labels. It is then fitted once more, on the codes 0, 1, ..., n_classes - 1,
    unless the labels are these codes already. If that also fails, the first error is
    raised.

    Parameters
    ----------
    estimator : estimator object
        Unfitted classifier. It is fitted itself if it takes the labels, otherwise a
        clone of it is.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        Samples.

    y : ndarray of shape (n_samples,)
        Labels.

    params : dict or None, default=None
        Parameters for `fit`, as they are.

    missing_label : int or None, default=None
        The marker in `y` of rows without a label: -1 for semi-supervised classifiers.

    memory : FitMemory or None, default=None
        Findings of earlier fits, which are not tried again; new ones are added.
        Without a memory, the predictions of the classifier are not looked at.

    again : callable or None, default=None
        Returns a new unfitted classifier; by default a clone.

    Returns
    -------
    model : estimator object
        A fitted classifier with `classes_`: the plain object, or a `CodedClassifier`
        around it; of a Pipeline, the last step is one.
    """
    params, classes = params or {}, classes_in(y, missing_label)
    are_plain = are_codes(classes)
    if memory is not None and memory.refuses_labels and not are_plain:
        return _fit_coded(estimator, X, y, params, classes, missing_label, memory)
    try:
        return _fit(estimator, X, y, params, classes, memory)
    except OutputShapeError:  # that of codes would be the same
        raise
    except Exception as error:
        if are_plain:
            raise
        first = error
    if not _would_misread(first, estimator, params, classes):
        estimator = clone(estimator) if again is None else again()
        try:
            model = _fit_coded(estimator, X, y, params, classes, missing_label, memory)
        except Exception as second:
            if len(classes) > 1:
                _add_note(first, second)
        else:
            if _is_better(model, first):
                if memory is not None:
                    memory.refuses_labels = True
                return model
    if isinstance(first, _SameForAll):
        return first.model
    raise first


def _fit(estimator, X, y, params, classes, memory):
    """Fit an estimator, and check that it answers in the labels it was given."""
    fit(estimator, X, y, params, None if memory is None else memory.closed)
    if getattr(estimator, "classes_", None) is None:
        estimator = _with_classes(estimator, classes)
    if are_codes(classes) and _are_texts_of(estimator.classes_, classes):
        estimator = CodedClassifier.of_fitted(estimator, classes)
    known, answers = set(classes.tolist()), _as_set(estimator.classes_)
    # It may have left out a class, or been made for more than have labels.
    if not (known <= answers or answers <= known):
        _refuse(estimator, classes, "has the classes_", answers)
    key = classes.dtype.kind, *classes.tolist()
    if memory is not None and key not in memory.checked:
        rows = [np.flatnonzero(y == label)[0] for label in classes[:_N_PROBES]]
        probes = take_rows(X, np.sort(rows))
        predicted = _predicted(estimator, probes)
        if predicted - known - answers:
            _refuse(estimator, classes, "predicts", predicted, probes)
        memory.checked.add(key)
        if len(predicted) == 1 < len(classes) and not are_codes(classes):
            raise _SameForAll(estimator, probes)
    return estimator


def _fit_coded(estimator, X, y, params, classes, missing_label, memory):
    """Fit an estimator on codes, and let it answer in the labels."""
    if _steps_name_labels(estimator, classes):  # only the step after it gets codes
        name, last = estimator.steps[-1]
        estimator.steps[-1] = name, CodedClassifier(last, missing_label)
        return _fit(estimator, X, y, params, classes, memory)
    closed = None if memory is None else memory.closed
    in_codes = told_in_codes(estimator, closed)
    if in_codes is not None:  # its outputs are those of all classes
        estimator, classes = in_codes, closed
    codes = codes_of(y, classes, missing_label)
    known = classes_in(codes, missing_label)
    model = _fit(estimator, X, codes, params, known, memory)
    return CodedClassifier.of_fitted(model, classes, missing_label)


class OtherLabelsError(ValueError):
    """A classifier answers in labels other than those that it was given.

    Parameters
    ----------
    message : str
        The labels that were given, and those that came back.

    probes : {array-like, sparse matrix, data frame, list} or None, default=None
        Rows of several classes for all of which it predicts the same.
    """

    def __init__(self, message, probes=None):
        super().__init__(message)
        self.probes = probes


class _SameForAll(Exception):
    """A classifier predicts one class for all rows: rightly, or it misread the labels.

    Parameters
    ----------
    model : estimator object
        The classifier, fitted on labels.

    probes : {array-like, sparse matrix, data frame, list}
        The rows.
    """

    def __init__(self, model, probes):
        super().__init__(model, probes)
        self.model = model
        self.probes = probes


def _is_better(coded, first):
    """Tell whether codes have helped: some classifiers still predict one class."""
    probes = getattr(first, "probes", None)
    if probes is None or len(_predicted(coded, probes)) > 1:
        return True
    if isinstance(first, _SameForAll) or not hasattr(coded, "predict_proba"):
        return False
    likeliest = np.argmax(coded.predict_proba(probes), axis=1)
    return bool((likeliest == likeliest[0]).all())


def begin_partial_fit(estimator, X, y, classes, params):
    """Fit a classifier on its first rows by `partial_fit`, on codes if it refuses.

    Returns the classifier, or a CodedClassifier around a clone of it.
    """
    try:
        return estimator.partial_fit(X, y, classes=classes, **params)
    except Exception as error:
        if are_codes(classes):
            raise
        first = error
    if not _would_misread(first, estimator, params, classes):
        coded = CodedClassifier(clone(estimator))
        try:
            return coded.partial_fit(X, y, classes=classes, **params)
        except Exception as second:
            _add_note(first, second)
    raise first


def _with_classes(estimator, classes):
    """Give a classifier the `classes_` that it lacks: the labels that it has seen."""
    try:
        last_step(estimator).classes_ = classes
    except AttributeError:  # it is computed, of something that lacks it
        if not are_codes(classes):
            raise
        return CodedClassifier.of_fitted(estimator, classes)
    return estimator


def _are_texts_of(answers, codes):
    """Tell whether a classifier has made texts of codes, and kept their order."""
    return np.asarray(answers).tolist() == list(map(str, codes.tolist()))


def _predicted(estimator, X):
    """Return the set of labels that are predicted, empty if that cannot be told."""
    try:
        predicted = estimator.predict(X)
    except Exception:  # it is raised again when predictions are needed
        return set()
    predicted = as_labels_of_rows(predicted, type(estimator).__name__)
    return _as_set(predicted) if len(predicted) == _num_samples(X) else set()


def _refuse(estimator, classes, what, answers, probes=None):
    message = (
        f"{type(estimator).__name__} was fitted on the labels "
        f"{classes.tolist()[:_N_PROBES]}, and {what} "
        f"{sorted(answers, key=str)[:_N_PROBES]}. It must predict labels that "
        "it was fitted on; check the estimator."
    )
    is_constant = len(answers) == 1 < len(classes)
    raise OtherLabelsError(message, probes if is_constant else None)


def _as_set(labels):
    return set(np.asarray(labels).tolist())


def _add_note(first, second):
    """Add a note to an error that codes did not help either."""
    if str(second) != str(first):
        what = f"{type(second).__name__}: {second}"[:200]
        first.add_note(f"With codes 0, 1, ... in place of the labels, too: {what}")


def _would_misread(error, estimator, params, classes):
    """Tell whether a parameter refers to labels, and add a note to the error if so."""
    labels = set(classes.tolist())
    given = estimator.get_params() if hasattr(estimator, "get_params") else {}
    before = _steps_before(estimator)
    for name, value in (given | params).items():
        if name.split("__")[0] not in before and _names_labels(
            name.split("__")[-1], value, labels
        ):
            error.add_note(
                "Codes 0, 1, ... were not tried in place of the labels, as "
                f"{name} refers to the labels."
            )
            return True
    return False


def _steps_before(estimator):
    """Return the names of the steps of a Pipeline before its last."""
    is_pipeline = isinstance(estimator, Pipeline)
    return [name for name, _ in estimator.steps[:-1]] if is_pipeline else []


def _steps_name_labels(estimator, classes):
    """Tell whether a step before the last, such as a sampler, refers to the labels."""
    labels, before = set(classes.tolist()), _steps_before(estimator)
    return bool(before) and any(
        name.split("__")[0] in before
        and _names_labels(name.split("__")[-1], value, labels)
        for name, value in estimator.get_params().items()
    )


def _names_labels(name, value, labels):
    if name == "eval_set":
        return value is not None
    if name == "pos_label":
        return any(value == label for label in labels)
    if name == "sampling_strategy" and isinstance(value, (list, tuple)):
        return not labels.isdisjoint(value)
    is_by_label = name in ("class_weight", "class_weights", "sampling_strategy")
    return is_by_label and isinstance(value, Mapping) and not labels.isdisjoint(value)
