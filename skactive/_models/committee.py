"""Committees: several classifiers that may disagree."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils.metadata_routing import (
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from skactive._models.adapters import is_committee
from skactive._models.closed_set import joint_classes
from skactive._models.fitting import FitMemory
from skactive._models.linear_members import LinearMembers, is_linear
from skactive._models.members import (
    bootstrap_rows,
    fit_member,
    predict_member,
    run_tasks,
)
from skactive.utils._capabilities import HasMethodsOnceFitted, may_come
from skactive.utils._containers import check_aligned
from skactive.utils._labels import check_classes, check_finite, column_y
from skactive.utils._naming import naming
from skactive.utils._outputs import (
    align_columns,
    check_proba,
    codes_of,
    same_classes,
)
from skactive.utils._rows import check_rows, rows_not_finite, take_rows
from skactive.utils._shown import BriefMixin, name_of, shown
from skactive.utils._sklearn import (
    N_JOBS,
    Interval,
    InvalidParameterError,
    _check_feature_names,
    _check_method_params,
    _check_n_features,
    _fit_context,
    _raise_for_params,
    _set_random_states,
    get_tags,
    validate_nested_params,
)

# So many clones are a committee if nothing is said about it.
_N_DEFAULT_MEMBERS = 10
# So many rows with NaN or infinity tell whether members take them.
_MAX_ROWS_TRIED = 1000


def _all_members_have_proba(committee):
    members = getattr(committee, "estimators_", None)
    if members is None:
        members = [estimator for _, estimator in committee._named()]
    return all(hasattr(member, "predict_proba") for member in members)


class CommitteeClassifier(
    BriefMixin, MetaEstimatorMixin, ClassifierMixin, BaseEstimator
):
    """A committee of classifiers, each fitted on a bootstrap of the labelled rows.

    Predicts by the mean of the members' probabilities if all of them have any, else
    by a majority of votes. What it is made for is the members' disagreement:
    ``predict_member_proba`` and ``predict_member``.

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
        Classes in `y`, and those out of `classes` that members know beside.

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
        self._fit_members(X, np.arange(len(y)), y, fit_params=fit_params)
        self._refuse_rows_not_finite(X)
        return self

    def _refuse_rows_not_finite(self, X):
        """Raise as a member does, even if its bootstrap drew no row with NaN."""
        rows = rows_not_finite(X)
        if len(rows):
            self.predict_member(take_rows(X, rows[:_MAX_ROWS_TRIED]))

    def _fit_members(
        self,
        X,
        rows,
        y,
        *,
        others=(),
        other_labels=None,
        fit_params=None,
        predict=None,
        memory=None,
        missing_label=None,
    ):
        """Fit the members on bootstraps of some rows.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_samples
            All rows.

        rows : ndarray of shape (n_labeled,), dtype int
            Rows to draw from.

        y : ndarray of shape (n_labeled,)
            Their labels.

        others : array-like of int, default=()
            Rows that all members get in addition.

        other_labels : ndarray of shape (n_others,), default=None
            Their labels; if None, -1 for all.

        fit_params : dict or None, default=None
            Parameters for the members' `fit`, of which those of n_samples are cut.

        predict : callable or None, default=None
            ``predict(name, model)``, called where a member has been fitted; the
            members themselves are not kept then.

        memory : FitMemory or None, default=None
            Which members have refused labels; it is kept up.

        missing_label : int or None, default=None
            What the members get for rows without a label, if they get any.

        Returns
        -------
        outputs : list of length n_members, or None
            What `predict` returned for each member.
        """
        _check_feature_names(self, X, reset=True)
        _check_n_features(self, X, reset=True)
        self.classes_ = np.unique(y)
        memory = FitMemory(self.classes) if memory is None else memory
        are_clones = not isinstance(self.estimator, list)
        known = {n: memory if are_clones else memory.of(n) for n, _ in self._named()}
        others = np.asarray(others, dtype=np.intp)
        random_state = check_random_state(self.random_state)
        tasks = []
        for name, estimator in self._named():
            seed, bag_seed = random_state.randint(np.iinfo(np.int32).max, size=2)
            bag = np.arange(len(rows))
            if self.bootstrap:
                bag = bootstrap_rows(y, np.random.default_rng(bag_seed))
            chosen = np.concatenate([rows[bag], others])
            member = clone(estimator)
            _set_random_states(member, int(seed))
            params = _check_method_params(X, fit_params or {}, indices=chosen)
            labels = _with_others(y[bag], len(others), other_labels)
            task = (name, member, X, chosen, labels, params, predict)
            tasks.append((*task, known[name], missing_label))
        results = run_tasks(fit_member, tasks, self.n_jobs)
        for (name, _), (_, found) in zip(self._named(), results, strict=True):
            known[name].update(found)
        found = [result for result, _ in results]
        if predict is not None:
            return found
        self.estimators_ = found
        if self.classes is not None:
            closed = np.unique(self.classes)
            self.classes_ = joint_classes(self.classes_, self.estimators_, closed)
        self._linear = LinearMembers.of(self.estimators_, self.classes_)
        return None

    @property
    def _is_linear(self):
        """Whether all members are linear classifiers."""
        return all(is_linear(e) for _, e in self._named())

    def _fused(self, method):
        """Return a function of X and rows that predicts with all members in one go.

        None, where it is not known how.
        """
        check_is_fitted(self)
        if self._linear is None or (method != "predict" and not self._linear.has_proba):
            return None
        return self._linear.vote if method == "predict" else self._linear.predict_proba

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

    def _named(self):
        """Return the unfitted members with their names."""
        if isinstance(self.estimator, list):
            return check_named(self.estimator, "estimator")
        return [(str(i), self.estimator) for i in range(self.n_members)]

    def _kinds(self):
        """Return the unfitted members, one of those that are alike."""
        if isinstance(self.estimator, list):
            return [member for _, member in self._named()]
        return [self.estimator]

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
        if self._linear is not None and self._linear.has_proba:
            return self._linear.predict_proba(X)
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
        if self._linear is not None:
            return self.classes_[self._linear.vote(X)]
        return np.array(self._run(X, "predict"))

    def _vote(self, X):
        """Return votes as positions in `classes_`, (n_members, n_samples)."""
        owner = f"{type(self).__name__}.predict_member"
        return codes_of(self.predict_member(X), self.classes_, owner)

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
            Classes; of several with equally many votes the first in `classes_`.
        """
        check_is_fitted(self)
        if hasattr(self, "predict_proba"):
            return self.classes_[self.predict_proba(X).argmax(axis=1)]
        votes = self.predict_member(X)
        counts = np.array([(votes == c).sum(axis=0) for c in self.classes_])
        return self.classes_[counts.argmax(axis=0)]

    def _run(self, X, method):
        """Return the output of a method of each member."""
        names = [name for name, _ in self._named()]
        tasks = [
            (name, model, X, self.classes_, method)
            for name, model in zip(names, self.estimators_, strict=True)
        ]
        return run_tasks(predict_member, tasks, self.n_jobs)

    def get_metadata_routing(self):
        """Return what metadata the members want.

        Returns
        -------
        routing : MetadataRouter
            What `estimator`, or the first of several, has requested for its `fit`.
        """
        first = self._named()[0][1] if isinstance(self.estimator, list) else None
        return MetadataRouter(owner=self).add(
            estimator=first or self.estimator,
            method_mapping=MethodMapping().add(caller="fit", callee="fit"),
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        members = [get_tags(estimator) for _, estimator in self._named()[:20]]
        for name in ("sparse", "allow_nan", "categorical", "string"):
            every = all(getattr(member.input_tags, name) for member in members)
            setattr(tags.input_tags, name, every)
        tags.classifier_tags.multi_class = all(
            member.classifier_tags is None or member.classifier_tags.multi_class
            for member in members
        )
        tags.non_deterministic = any(member.non_deterministic for member in members)
        return tags


def check_named(members, parameter):
    """Return a list of members, or raise if it is no list of (name, classifier).

    Parameters
    ----------
    members : list
        What was given.

    parameter : str
        The name of the parameter, for the message.

    Returns
    -------
    members : list of (str, estimator object)
        The same.
    """
    wrong = [member for member in members if not _is_named(member)]
    if members and not wrong:
        return members
    raise InvalidParameterError(
        f"{parameter} must be a list of (name, classifier) with at least one member, "
        "for instance [('forest', RandomForestClassifier()), ('bayes', GaussianNB())]. "
        f"Got {f'the member {wrong[0]}' if wrong else 'an empty list'}."
    )


def _is_named(member):
    """Tell whether a member of a list is a pair of a name and a classifier."""
    if not isinstance(member, (tuple, list)) or len(member) != 2:
        return False
    name, model = member
    if not isinstance(name, str) or isinstance(model, type):
        return False
    predicts = hasattr(model, "predict") or may_come(model, "predict")
    return hasattr(model, "fit") and predicts


def get_committee(committee, estimator, *, n_jobs=None, random_state=None):
    """Return the unfitted committee of a run, or None if the estimator is one itself.

    Parameters
    ----------
    committee : int, list of (str, classifier), classifier, or None
        A number of clones, named members, a committee, or what the estimator allows.

    estimator : estimator object
        The unfitted classifier.

    n_jobs : int or None, default=None
        Number of jobs, for those that are made here.

    random_state : int or None, default=None
        Seed, for a committee that has none.

    Returns
    -------
    committee : estimator object or None
        A new one.

    Raises
    ------
    TypeError
        If it is no committee.
    """
    if committee is None and is_committee(estimator):
        return None
    if committee is None:
        committee = _N_DEFAULT_MEMBERS
    if isinstance(committee, Integral):
        committee = CommitteeClassifier(estimator, int(committee), n_jobs=n_jobs)
    elif isinstance(committee, list):
        members = check_named(committee, "committee")
        committee = CommitteeClassifier(members, n_jobs=n_jobs)
    elif isinstance(committee, type):
        raise TypeError(
            f"committee is the class {committee.__name__}; pass an object of it."
        )
    elif not (hasattr(committee, "predict_member") or is_committee(committee)):
        raise TypeError(
            "committee must be a number of members, a list of (name, classifier), or "
            "a classifier with several members: an ensemble of scikit-learn, or one "
            f"with `predict_member_proba`. Got {shown(committee)}."
        )
    committee = clone(committee)
    params = committee.get_params(deep=False)
    if "random_state" in params and params["random_state"] is None:
        committee.set_params(random_state=random_state)
    return committee


def member_votes(committee, X, classes):
    """Return the votes of a committee as positions in `classes`."""
    if isinstance(committee, CommitteeClassifier):
        votes = committee._vote(X)
        if same_classes(committee.classes_, classes):
            return votes
        votes = committee.classes_[votes]
    elif hasattr(committee, "predict_member"):
        votes = np.asarray(committee.predict_member(X))
    else:
        proba = np.asarray(committee.predict_member_proba(X))
        votes = np.asarray(committee.classes_)[proba.argmax(axis=2)]
    return codes_of(votes, classes, f"{name_of(committee)}.predict_member")


def check_member_proba(committee, proba, classes):
    """Check the probabilities that a committee gives, and align their columns."""
    owner, proba = name_of(committee), np.asarray(proba)
    if isinstance(committee, CommitteeClassifier):  # it has checked its members itself
        return align_columns(proba, committee.classes_, classes, owner)
    if proba.ndim != 3:
        raise ValueError(
            f"{owner}.predict_member_proba must return an array of shape (n_members, "
            f"n_samples, n_classes), got {proba.shape}."
        )
    columns = np.asarray(committee.classes_)
    given = list(proba)
    parts = [
        check_proba(part, columns, classes, f"Member {i} of {owner}")
        for i, part in enumerate(given)
    ]
    same = all(part is before for part, before in zip(parts, given, strict=True))
    return proba if same else np.array(parts)


def _with_others(y, n_others, other_labels):
    """Return labels followed by those of other rows, or -1 for rows without one."""
    if n_others == 0:
        return y
    if other_labels is not None:
        return np.concatenate([y, other_labels])
    dtype = object if y.dtype.kind in "UO" else np.result_type(y, np.int8)
    return np.concatenate([y.astype(dtype), np.full(n_others, -1, dtype=dtype)])
