"""Probabilities of rows from models that have not seen their labels."""

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.pipeline import Pipeline
from sklearn.utils import Bunch, check_consistent_length, indexable

from skactive.model_selection._split import LabeledFold
from skactive.utils._capabilities import HasMethodsOnceFitted
from skactive.utils._containers import check_aligned, refuse_lazy
from skactive.utils._labels import check_y
from skactive.utils._outputs import align_columns
from skactive.utils._rows import take_rows
from skactive.utils._shown import shown
from skactive.utils._sklearn import N_JOBS, _check_method_params, validate_params


@validate_params(
    {
        "estimator": [HasMethodsOnceFitted(["fit", "predict_proba"])],
        "y": ["array-like"],
        "cv": ["cv_object"],
        "groups": ["array-like", None],
        "params": [dict, None],
        "n_jobs": N_JOBS,
    },
    prefer_skip_nested_validation=True,
)
def out_of_fold_proba(estimator, X, y, *, cv=5, groups=None, params=None, n_jobs=None):
    """Predict the probabilities of each row with models that have not seen its label.

    :func:`sklearn.model_selection.cross_val_predict` encodes `y` before a classifier
    sees it, so that the marker of a missing label becomes a class with a column of its
    own. Here it stays the marker: labelled rows are split as by :class:`LabeledFold`,
    and all others join every training part.

    Every fold is a fit, which asks its oracle about as many rows as its budget allows.
    Keep the answers in a :class:`~skactive.oracles.CachedOracle`, or set
    ``oracle=None``.

    Parameters
    ----------
    estimator : ActiveLearningClassifier, or Pipeline that ends in one
        It is cloned for each fold.

    X : {array-like, sparse matrix, data frame, list} of shape (n_samples, n_features)
        All rows.

    y : array-like of shape (n_samples,)
        Labels, and the `missing_label` of the classifier where the label is not known.

    cv : int or cross-validation splitter, default=5
        The number of stratified folds of the labelled rows, or a splitter for them.

    groups : array-like of shape (n_samples,) or None, default=None
        Groups of rows, for the splitter.

    params : dict or None, default=None
        Parameters for `fit`, for instance `sample_ids`; those with a value for each row
        are cut to the training part.

    n_jobs : int or None, default=None
        Number of jobs for the folds.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        With the attributes

        proba : ndarray of shape (n_samples, n_classes)
            For each row, the mean over the models that were not trained on its label.
            For a labelled row, this is one model, if folds do not overlap; for a row
            without a label, the models of all folds that did not buy its label. nan if
            there is no such model.

        classes : ndarray of shape (n_classes,)
            The columns: all classes in `y` and in the answers of the oracle, sorted. A
            class that a model has not seen has the probability 0 for it.

    See Also
    --------
    LabeledFold : The splits.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.model_selection import out_of_fold_proba
    >>> X = np.arange(12.0).reshape(-1, 1)
    >>> y = np.array([0, -1, 0, 0, -1, 0, 1, -1, 1, 1, -1, 1])
    >>> def ask(X):
    ...     return X[:, 0] > 5
    >>> clf = ActiveLearningClassifier(LogisticRegression(), oracle=ask)
    >>> result = out_of_fold_proba(clf, X, y, cv=4)
    >>> result.classes
    array([0, 1])
    >>> result.proba.argmax(axis=1)[[0, 2, 9, 11]]
    array([0, 0, 1, 1])
    """
    marker = _final(estimator).missing_label
    refuse_lazy(X, "X")
    check_aligned(X, {"y": y, "groups": groups} | (params or {}))
    X, y, groups = indexable(X, y, groups)
    y, _, labels = check_y(y, marker, has_oracle=False)
    check_consistent_length(X, y)
    splitter = (
        cv if isinstance(cv, LabeledFold) else LabeledFold(cv, missing_label=marker)
    )
    parts = Parallel(n_jobs=n_jobs)(
        delayed(_fit_and_predict)(clone(estimator), X, y, train, params or {})
        for train, _ in splitter.split(X, y, groups)
    )
    classes = np.unique(np.concatenate([labels, *(known for _, _, known in parts)]))
    total, count = np.zeros((len(y), len(classes))), np.zeros((len(y), 1))
    for rows, proba, known in parts:
        owner = type(estimator).__name__
        total[rows] += align_columns(proba, known, classes, owner)
        count[rows] += 1
    with np.errstate(invalid="ignore"):  # 0 / 0 for rows that every fold has bought
        return Bunch(proba=total / count, classes=classes)


def _final(estimator):
    """Return the classifier, or raise if it does not know missing labels."""
    final = estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator
    if not hasattr(final, "missing_label"):
        raise TypeError(
            "out_of_fold_proba takes an ActiveLearningClassifier, or a Pipeline that "
            f"ends in one, got {shown(estimator)}. For a classifier without missing "
            "labels there is cross_val_predict(..., method='predict_proba')."
        )
    return final


def _fit_and_predict(estimator, X, y, train, params):
    """Fit on a part; return the rows whose label it has not seen, and their output."""
    params = _check_method_params(X, params, indices=train)
    estimator.fit(take_rows(X, train), y[train], **params)
    is_seen = np.zeros(len(y), dtype=bool)
    # Also rows that the fit has bought: their labels are in the model.
    is_seen[train] = _final(estimator).labeled_iter_ >= 0
    rows = np.flatnonzero(~is_seen)
    return rows, estimator.predict_proba(take_rows(X, rows)), estimator.classes_
