"""A classifier that learns the codes 0, 1, ... and predicts the labels of its user."""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.pipeline import Pipeline
from sklearn.utils.metadata_routing import get_routing_for_object
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skactive.utils._labels import column_y
from skactive.utils._shown import name_of
from skactive.utils._sklearn import _estimator_has, get_tags

# Methods whose output holds no label, so that the model's own can be used.
_WITHOUT_LABELS = frozenset(
    {
        "apply",
        "embed",
        "predict_loss",
        "predict_member_proba",
        "staged_decision_function",
        "staged_predict_proba",
        "transform",
    }
)

_OWN = ("classes_", "estimator_")

_DOC = """{summary}

Parameters
----------
X : {{array-like, sparse matrix, data frame, list}} of length n_samples
    Samples.

**params : dict
    Parameters for the classifier's `{name}`, as they are.

Returns
-------
{returns}
    {what}
"""


def _handed_on(name, summary, returns, what):
    """Return a method that gives what the classifier's own gives, if it has one.

    Its columns are in the order of the codes, which is that of `classes_`.
    """

    def method(self, X, **params):
        return getattr(self._fitted(), name)(X, **params)

    method.__name__, method.__qualname__ = name, f"CodedClassifier.{name}"
    method.__doc__ = _DOC.format(name=name, summary=summary, returns=returns, what=what)
    return available_if(_estimator_has(name))(method)


class CodedClassifier(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """A classifier that is fitted on the codes of labels, and predicts the labels.

    Some classifiers take only the labels 0, 1, ..., n_classes - 1. This one gives
    them the positions of the labels among the sorted classes, and uses the labels
    themselves in `predict`, `score` and `classes_`. Outputs with a column for each
    class have them in the order of `classes_`. Attributes that end in ``_`` are those
    of the inner model.

    It is used only where a classifier has refused its labels, see
    :func:`~skactive._models.fitting.fit_classifier`.

    Parameters
    ----------
    estimator : estimator object
        The classifier.

    missing_label : int or None, default=None
        A label that is not a class and is passed on as it is: -1 for semi-supervised
        classifiers, which take it for a missing label.

    Attributes
    ----------
    estimator_ : estimator object
        The fitted classifier itself, which predicts codes. Pass this one to tools that
        explain models, or save them in a format of their own.

    classes_ : ndarray of shape (n_classes,)
        The labels; the code of a label is its position here.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive._models.label_codes import CodedClassifier
    >>> clf = CodedClassifier(LogisticRegression())
    >>> clf.fit([[0.0], [1.0]], ["ham", "spam"]).predict([[2.0]])
    array(['spam'], dtype='<U4')
    >>> clf.estimator_.predict([[2.0]])
    array([1])
    """

    def __init__(self, estimator, missing_label=None):
        self.estimator = estimator
        self.missing_label = missing_label

    @classmethod
    def of_fitted(cls, model, classes, missing_label=None):
        """Return one around a classifier that has been fitted on codes of `classes`.

        In a Pipeline it is put around the last step, so that the other steps are still
        found where they were.
        """
        if isinstance(model, cls):
            model.classes_, model.missing_label = classes[model.classes_], missing_label
            return model
        if isinstance(model, Pipeline):
            name, last = model.steps[-1]
            model.steps[-1] = name, cls.of_fitted(last, classes, missing_label)
            return model
        coded = cls(clone(model, safe=False), missing_label)
        coded.estimator_, coded.classes_ = model, classes
        return coded

    def fit(self, X, y, **params):
        """Fit the classifier on the codes of labels.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_samples
            Samples.

        y : array-like of shape (n_samples,)
            Labels.

        **params : dict
            Parameters for the classifier's `fit`, as they are.

        Returns
        -------
        self : CodedClassifier
            The fitted classifier.
        """
        if y is None:
            raise ValueError(
                f"{type(self).__name__} requires y to be passed, but the target y is "
                "None."
            )
        y = column_y(y)
        self.classes_ = classes_in(y, self.missing_label)
        check_classification_targets(self.classes_)
        codes = codes_of(y, self.classes_, self.missing_label)
        self.estimator_ = clone(self.estimator).fit(X, codes, **params)
        return self

    @available_if(_estimator_has("partial_fit"))
    def partial_fit(self, X, y, classes=None, **params):
        """Continue fitting the classifier, with the codes of more labels.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_samples
            Samples.

        y : array-like of shape (n_samples,)
            Labels.

        classes : array-like of shape (n_classes,), default=None
            All classes; needed in the first call.

        **params : dict
            Parameters for the classifier's `partial_fit`, as they are.

        Returns
        -------
        self : CodedClassifier
            The classifier.
        """
        if not hasattr(self, "estimator_"):
            self.classes_ = np.unique(y if classes is None else classes)
            self.estimator_ = clone(self.estimator)
        codes = codes_of(np.asarray(y), self.classes_, self.missing_label)
        known = np.arange(len(self.classes_))
        self.estimator_.partial_fit(X, codes, classes=known, **params)
        return self

    def predict(self, X, **params):
        """Predict the labels of samples.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_samples
            Samples.

        **params : dict
            Parameters for the classifier's `predict`, as they are.

        Returns
        -------
        y : ndarray
            Labels, in the shape of the classifier's codes.
        """
        return self._labels(self._fitted().predict(X, **params))

    @available_if(_estimator_has("staged_predict"))
    def staged_predict(self, X, **params):
        """Predict the labels of samples after each stage of boosting.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_samples
            Samples.

        **params : dict
            Parameters for the classifier's `staged_predict`, as they are.

        Yields
        ------
        y : ndarray
            Labels.
        """
        for codes in self._fitted().staged_predict(X, **params):
            yield self._labels(codes)

    predict_proba = _handed_on(
        "predict_proba",
        "Predict the probabilities of the classes.",
        "proba : ndarray of shape (n_samples, n_classes)",
        "Probabilities, in the order of `classes_`.",
    )
    predict_log_proba = _handed_on(
        "predict_log_proba",
        "Predict the logarithms of the probabilities of the classes.",
        "log_proba : ndarray of shape (n_samples, n_classes)",
        "Logarithms of probabilities, in the order of `classes_`.",
    )
    decision_function = _handed_on(
        "decision_function",
        "Compute the decision values of samples.",
        "decision : ndarray of shape (n_samples,) or (n_samples, n_classes)",
        "Decision values, in the order of `classes_`.",
    )

    @available_if(_estimator_has("score"))
    def score(self, X, y, **params):
        """Score the classifier by its own `score`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_samples
            Samples.

        y : array-like of shape (n_samples,)
            Labels; those that are not in `classes_` are never predicted.

        **params : dict
            Parameters for the classifier's `score`, as they are.

        Returns
        -------
        score : float
            The accuracy, for most classifiers.
        """
        model = self._fitted()
        codes = codes_of(column_y(y), self.classes_, self.missing_label)
        # Some classifiers turn the codes into texts, and would score none as right.
        if np.asarray(getattr(model, "classes_", 0)).dtype.kind in "UO":
            codes = codes.astype(str)
        return model.score(X, codes, **params)

    @property
    def transduction_(self):
        """Labels of all samples by a semi-supervised classifier."""
        codes = np.asarray(self._model.transduction_)
        labels = self._labels(codes)
        if (codes < 0).any():  # rows that got no label
            kept = labels.dtype if labels.dtype.kind in "iuf" else object
            labels = labels.astype(kept)
            labels[codes < 0] = self.missing_label
        return labels

    def get_metadata_routing(self):
        """Return the metadata that the classifier requests; it is passed on as it is.

        Returns
        -------
        routing : MetadataRequest or MetadataRouter
            The routing of `estimator`.
        """
        return get_routing_for_object(self.estimator)

    @property
    def _model(self):
        """The classifier, fitted if it has been."""
        return vars(self).get("estimator_", self.estimator)

    @property
    def _owner_name(self):
        """Name for messages: the user knows the classifier, and not this object."""
        return name_of(self._model)

    def _fitted(self):
        check_is_fitted(self)
        return self.estimator_

    def _labels(self, codes):
        return self.classes_[np.asarray(codes).astype(np.intp)]

    def __getattr__(self, name):
        # Looked up in `vars`: before __init__, as in unpickling, it would ask itself.
        is_learnt = name.endswith("_") and name[0] != "_" and name not in _OWN
        if "estimator" in vars(self) and (is_learnt or name in _WITHOUT_LABELS):
            return getattr(self._model, name)
        raise AttributeError(
            f"{type(self).__name__} has no attribute {name!r}. The classifier itself, "
            "which predicts codes of the labels, is the attribute estimator_."
        )

    def __sklearn_is_fitted__(self):
        return "estimator_" in vars(self)

    def __sklearn_tags__(self):
        tags, inner = super().__sklearn_tags__(), get_tags(self.estimator)
        tags.input_tags = inner.input_tags
        tags.classifier_tags = inner.classifier_tags or tags.classifier_tags
        tags.non_deterministic = inner.non_deterministic
        return tags


def classes_in(y, missing_label=None):
    """Return the sorted labels in `y`, without the one that marks a missing label."""
    return np.unique(y if missing_label is None else y[y != missing_label])


def are_codes(classes):
    """Tell whether sorted labels are the ints 0, 1, ... already."""
    is_int = classes.dtype.kind in "iu"
    return is_int and np.array_equal(classes, np.arange(len(classes)))


def codes_of(y, classes, missing_label=None):
    """Return labels as positions in `classes`; unknown ones get the next number."""
    codes = np.full(len(y), len(classes))
    known = np.ones(len(y), dtype=bool) if missing_label is None else y != missing_label
    labels = y[known]
    found = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    codes[known] = np.where(classes[found] == labels, found, len(classes))
    if missing_label is not None:
        codes[~known] = missing_label
    return codes
