"""Adapters that make committees of fitted ensembles, one for each kind of members.

A committee is anything with `classes_` and one or both of these: ``predict_member(X)``,
the classes that the members predict, of shape (n_members, n_samples), and
``predict_member_proba(X)``, their probabilities, of shape (n_members, n_samples,
n_classes), with one column for each of `classes_`. If there are only probabilities, the
members vote for their likeliest class.
"""

from functools import partial

import numpy as np
from scipy.sparse import issparse
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    StackingClassifier,
    VotingClassifier,
)
from sklearn.pipeline import Pipeline
from sklearn.tree import BaseDecisionTree
from sklearn.utils import check_array

from skactive._models.label_codes import CodedClassifier
from skactive._models.member_classes import positions_of_members, predicted_positions
from skactive.utils._capabilities import has_once_fitted
from skactive.utils._outputs import read_labels, read_proba
from skactive.utils._pipelines import check_same_rows, last_step, predicting_steps
from skactive.utils._shown import name_of
from skactive.utils._sklearn import ForestClassifier, _num_samples

_STAGED = (GradientBoostingClassifier, HistGradientBoostingClassifier)
_NAMED = (VotingClassifier, StackingClassifier)
_BAGS = (BaggingClassifier, AdaBoostClassifier)
_ENSEMBLES = (ForestClassifier, *_STAGED, *_NAMED, *_BAGS)
# Boosting has many stages that differ little; about this many are taken for members.
_N_STAGES = 10
_METHODS = ("predict_member", "predict_member_proba")


def is_committee(estimator):
    """Tell whether an unfitted classifier will be a committee by itself."""
    estimator = last_step(estimator)
    return isinstance(estimator, _ENSEMBLES) or _has_members(estimator)


def _has_members(estimator):
    """Return whether a classifier has one of the methods of a committee itself."""
    return any(map(partial(hasattr, estimator), _METHODS))


def members_have_proba(estimator):
    """Tell whether all members of an unfitted committee will have probabilities."""
    estimator = last_step(estimator)
    if isinstance(estimator, _NAMED):
        parts = [part for _, part in estimator.estimators if part != "drop"]
        return all(has_once_fitted(part, "predict_proba") for part in parts)
    if isinstance(estimator, _BAGS):
        part = estimator.estimator
        return part is None or has_once_fitted(part, "predict_proba")
    return isinstance(estimator, _ENSEMBLES) or hasattr(
        estimator, "predict_member_proba"
    )


def as_committee(estimator):
    """Return the committee that a fitted classifier is.

    Parameters
    ----------
    estimator : estimator object
        A fitted classifier for which :func:`is_committee` holds.

    Returns
    -------
    committee : object
        It has `classes_`, `predict_member` and, if the members have probabilities,
        `predict_member_proba`.
    """
    if isinstance(estimator, Pipeline):
        return _TransformedCommittee(
            predicting_steps(estimator), as_committee(estimator.steps[-1][1])
        )
    if isinstance(estimator, CodedClassifier):
        return _CodedCommittee(as_committee(estimator.estimator_), estimator.classes_)
    if _has_members(estimator):
        return estimator
    if isinstance(estimator, _STAGED):
        return StagedCommittee(estimator)
    return EnsembleCommittee(estimator)


class EnsembleCommittee:
    """The sub-estimators of a fitted ensemble.

    Parameters
    ----------
    ensemble : estimator object
        A fitted forest, Bagging, Voting, Stacking or AdaBoost.
    """

    def __init__(self, ensemble):
        self.ensemble = ensemble
        self.classes_ = ensemble.classes_
        self.members_ = list(ensemble.estimators_)
        self._features = getattr(ensemble, "estimators_features_", None)
        self._columns = positions_of_members(ensemble, self.members_)
        if all(hasattr(member, "predict_proba") for member in self.members_):
            self.predict_member_proba = self._predict_member_proba

    @property
    def _owner_name(self):
        return name_of(self.ensemble)

    def predict_member(self, X):
        """Return the class that each member predicts, (n_members, n_samples)."""
        X = self._as_fitted(X)
        votes = []
        for number, member in enumerate(self.members_):
            predicted = read_labels(member, self._part(X, number))
            positions = predicted_positions(member, predicted)
            votes.append(self.classes_[self._columns[number][positions]])
        return np.array(votes)

    def _predict_member_proba(self, X):
        """Return probabilities of shape (n_members, n_samples, n_classes)."""
        X = self._as_fitted(X)
        is_forest, out = isinstance(self.ensemble, ForestClassifier), None
        for number, member in enumerate(self.members_):
            part = self._part(X, number)
            if is_forest and isinstance(member, BaseDecisionTree):
                proba = member.predict_proba(part, check_input=False)
            else:
                proba = read_proba(member, part)
            if out is None:
                shape = (len(self.members_), len(proba), len(self.classes_))
                out = np.zeros(shape, dtype=proba.dtype)
            out[number][:, self._columns[number]] = proba
        return out

    def _as_fitted(self, X):
        """Return `X` in the container that the members were fitted on."""
        if isinstance(self.ensemble, _NAMED):
            return X
        # Trees of a forest were fitted on float32, and their own check is left out.
        dtype = np.float32 if isinstance(self.ensemble, ForestClassifier) else None
        return check_array(X, accept_sparse="csr", dtype=dtype, ensure_all_finite=False)

    def _part(self, X, number):
        return X if self._features is None else X[:, self._features[number]]


class StagedCommittee:
    """Some stages of gradient boosting, the last among them.

    Parameters
    ----------
    boosting : estimator object
        A fitted gradient boosting classifier.
    """

    def __init__(self, boosting):
        self.boosting = boosting
        self.classes_ = boosting.classes_
        n_stages = getattr(boosting, "n_estimators_", None) or boosting.n_iter_
        every = max(1, n_stages // _N_STAGES)
        # Counted from the last stage, which is the classifier itself.
        self._stages = set(range(n_stages - 1, -1, -every)[:_N_STAGES])

    @property
    def _owner_name(self):
        return name_of(self.boosting)

    def predict_member(self, X):
        """Return the class that each stage predicts, (n_members, n_samples)."""
        return self.classes_[self.predict_member_proba(X).argmax(axis=2)]

    def predict_member_proba(self, X):
        """Return probabilities of shape (n_members, n_samples, n_classes)."""
        staged = enumerate(self.boosting.staged_predict_proba(X))
        return np.array([proba for stage, proba in staged if stage in self._stages])


class _TransformedCommittee:
    """A committee behind the steps of a Pipeline, which transform once for all."""

    def __init__(self, steps, committee):
        self.steps = steps
        self.committee = committee
        self.classes_ = committee.classes_
        if hasattr(committee, "predict_member_proba"):
            self.predict_member_proba = self._predict_member_proba
        # Without it, votes are read from the probabilities.
        if hasattr(committee, "predict_member"):
            self.predict_member = self._predict_member

    @property
    def _owner_name(self):
        return name_of(self.committee)

    def _predict_member(self, X):
        return self.committee.predict_member(self._transform(X))

    def _predict_member_proba(self, X):
        return self.committee.predict_member_proba(self._transform(X))

    def _transform(self, X):
        if self.steps is None:
            return X
        features = self.steps.transform(X)
        check_same_rows(self.steps, X, _num_samples(features))
        return features.tocsr() if issparse(features) else features


class _CodedCommittee:
    """A committee that was fitted on codes of labels, and votes for the labels."""

    def __init__(self, committee, classes):
        self.committee = committee
        self.classes_ = classes
        if hasattr(committee, "predict_member_proba"):
            self.predict_member_proba = committee.predict_member_proba
        if hasattr(committee, "predict_member"):
            self.predict_member = self._predict_member

    @property
    def _owner_name(self):
        return name_of(self.committee)

    def _predict_member(self, X):
        return self.classes_[np.asarray(self.committee.predict_member(X), dtype=int)]
