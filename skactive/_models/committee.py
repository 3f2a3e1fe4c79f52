"""Committees: several classifiers that may disagree."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.utils import check_consistent_length
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skactive._models.members import (
    check_named,
    fit_members,
    named_members,
    predict_member,
    run_tasks,
)
from skactive.utils._capabilities import HasMethodsOnceFitted
from skactive.utils._containers import check_aligned
from skactive.utils._labels import check_classes, check_finite, column_y
from skactive.utils._naming import naming
from skactive.utils._rows import check_rows, rows_not_finite, take_rows
from skactive.utils._shown import BriefMixin
from skactive.utils._sklearn import (
    N_JOBS,
    Interval,
    _fit_context,
    _raise_for_params,
    get_tags,
    validate_nested_params,
)

# Number of rows with NaN or infinity on which members are tried.
_MAX_ROWS_TRIED = 1000


def _all_members_have_proba(committee):
    members = getattr(committee, "estimators_", None)
    if members is None:
        members = [estimator for _, estimator in named_members(committee)]
    return all(hasattr(member, "predict_proba") for member in members)


class CommitteeClassifier(
    BriefMixin, MetaEstimatorMixin, ClassifierMixin, BaseEstimator
):
    """A committee of classifiers, each fitted on a bootstrap of the labelled rows.

    Predicts by the mean of the members' probabilities if all of them have
    probabilities, otherwise by a majority of votes. Its purpose is the disagreement of
    the members: ``predict_member_proba`` and ``predict_member``.

    Parameters
    ----------
    estimator : estimator object or list of (str, estimator)
        The classifier that is cloned for each member, or different ones with names.

    n_members : int, default=10
        Number of members; unused if `estimator` is a list.

    bootstrap : bool, default=True
        Whether each member is fitted on rows drawn with replacement. A draw of one
        class is repeated up to 100 times; after that it is one row of each class and
        a bootstrap of the rest. If False, all rows are used, and members of one kind
        differ by their `random_state` only.

    classes : array-like of shape (n_classes,) or None, default=None
        All classes there can be. Members whose outputs are fixed may then know some
        that have no label. None for those in `y`.

    n_jobs : int or None, default=None
        Number of jobs to fit and to predict with. It does not change the result.

    random_state : int, RandomState instance or None, default=None
        Each member gets a seed of its own, derived from this one.

    Attributes
    ----------
    estimators_ : list of estimator objects
        The fitted members.

    classes_ : ndarray of shape (n_classes,)
        Classes in `y`, and those of `classes` that members know in addition.

    n_features_in_ : int
        Number of features seen during `fit`, if `X` has features.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features seen during `fit`, if `X` has names that are all strings.

    References
    ----------
    .. [1] H. S. Seung, M. Opper, H. Sompolinsky. "Query by committee". COLT 1992.
    .. [2] N. Abe, H. Mamitsuka. "Query learning strategies using boosting and
       bagging". ICML 1998.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import CommitteeClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> committee = CommitteeClassifier(LogisticRegression(max_iter=1000), n_members=4)
    >>> committee.fit(X, y).predict_member_proba(X[:5]).shape
    (4, 5, 3)
    """

    _parameter_constraints = {
        "estimator": [HasMethodsOnceFitted(["fit", "predict"]), list],
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "bootstrap": ["boolean"],
        "classes": ["array-like", None],
        "n_jobs": N_JOBS,
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator,
        n_members=10,
        *,
        bootstrap=True,
        classes=None,
        n_jobs=None,
        random_state=None,
    ):
        self.estimator = estimator
        self.n_members = n_members
        self.bootstrap = bootstrap
        self.classes = classes
        self.n_jobs = n_jobs
        self.random_state = random_state

    @_fit_context(
        # The members are not validated yet.
        prefer_skip_nested_validation=False
    )
    def fit(self, X, y, **params):
        """Fit the members.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            Samples.

        y : array-like of shape (n_samples,)
            Labels.

        **params : dict
            Parameters for the `fit` of the members, with metadata routing enabled;
            those with a value for each sample are cut to the rows of each member.

        Returns
        -------
        self : CommitteeClassifier
            The fitted committee.
        """
        _raise_for_params(params, self, "fit")
        X = check_rows(self, X, reset=True)
        if y is None:
            raise ValueError(
                f"This {type(self).__name__} estimator requires y to be passed, but "
                "the target y is None."
            )
        check_aligned(X, {"y": y} | params)
        y = column_y(y)
        check_consistent_length(X, y)
        check_finite(y, None)
        check_classification_targets(y)
        check_classes(self.classes, y, None)
        fit_params = dict(process_routing(self, "fit", **params).estimator.fit)
        fit_members(self, X, np.arange(len(y)), y, fit_params=fit_params)
        self._refuse_rows_not_finite(X)
        return self

    def _refuse_rows_not_finite(self, X):
        """Raise as a member does, even if its bootstrap drew no row with NaN."""
        rows = rows_not_finite(X)
        if len(rows):
            self.predict_member(take_rows(X, rows[:_MAX_ROWS_TRIED]))

    def _validate_params(self):
        super()._validate_params()
        with naming("classes", self):
            check_classes(self.classes, np.empty(0), None)
        if not isinstance(self.estimator, list):
            return
        with naming("estimator", self):
            members = check_named(self.estimator, "estimator")
        for _, member in members:
            validate_nested_params(member)

    @available_if(_all_members_have_proba)
    def predict_member_proba(self, X):
        """Predict the probabilities of each member.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            Samples.

        Returns
        -------
        proba : ndarray of shape (n_members, n_samples, n_classes)
            Probabilities in the order of `classes_`; 0 for a class that a member
            never saw.

        Raises
        ------
        ValueError
            If the probabilities of a member are not finite or do not sum to 1.
        """
        check_is_fitted(self)
        X = check_rows(self, X, reset=False)
        if self.linear_members_ is not None and self.linear_members_.has_proba:
            return self.linear_members_.predict_proba(X)
        return np.array(self._run(X, "predict_proba"))

    def predict_member(self, X):
        """Predict the class by each member.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            Samples.

        Returns
        -------
        votes : ndarray of shape (n_members, n_samples)
            Classes.
        """
        check_is_fitted(self)
        X = check_rows(self, X, reset=False)
        if self.linear_members_ is not None:
            return self.classes_[self.linear_members_.vote(X)]
        return np.array(self._run(X, "predict"))

    @available_if(_all_members_have_proba)
    def predict_proba(self, X):
        """Predict the mean probabilities of the members, the consensus.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            Samples.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`.
        """
        return self.predict_member_proba(X).mean(axis=0)

    def predict(self, X):
        """Predict the class of the highest consensus, or of the most votes.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            Samples.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Classes; if several have equally many votes, the first in `classes_`.
        """
        check_is_fitted(self)
        if hasattr(self, "predict_proba"):
            return self.classes_[self.predict_proba(X).argmax(axis=1)]
        votes = self.predict_member(X)
        counts = np.array([(votes == c).sum(axis=0) for c in self.classes_])
        return self.classes_[counts.argmax(axis=0)]

    def _run(self, X, method):
        """Return the output of a method of each member."""
        names = [name for name, _ in named_members(self)]
        tasks = [
            (name, model, X, self.classes_, method)
            for name, model in zip(names, self.estimators_, strict=True)
        ]
        return run_tasks(predict_member, tasks, self.n_jobs)

    def get_metadata_routing(self):
        """Return the metadata that the members request.

        Returns
        -------
        routing : MetadataRouter
            The requests of `estimator`, or of the first of several, for its `fit`.
        """
        first = named_members(self)[0][1] if isinstance(self.estimator, list) else None
        return MetadataRouter(owner=self).add(
            estimator=first or self.estimator,
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        members = [get_tags(estimator) for _, estimator in named_members(self)[:20]]
        for name in ("sparse", "allow_nan", "categorical", "string"):
            every = all(getattr(member.input_tags, name) for member in members)
            setattr(tags.input_tags, name, every)
        tags.classifier_tags.multi_class = all(
            member.classifier_tags is None or member.classifier_tags.multi_class
            for member in members
        )
        tags.non_deterministic = any(member.non_deterministic for member in members)
        return tags
