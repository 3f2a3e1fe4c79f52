"""Committees of any kind: which one a run has, and the outputs of its members.

A run has a :class:`~skactive.CommitteeClassifier`, or one that the user brings: an
ensemble of scikit-learn, or a classifier with ``predict_member_proba``.
"""

from numbers import Integral

import numpy as np
from sklearn.base import clone

from skactive._models.adapters import is_committee, members_have_proba
from skactive._models.committee import CommitteeClassifier
from skactive._models.members import check_named
from skactive.utils._capabilities import has_once_fitted
from skactive.utils._outputs import (
    align_columns,
    check_proba,
    codes_of,
    same_classes,
)
from skactive.utils._shown import name_of, shown

# The number of clones that are a committee if nothing is said about it.
_N_DEFAULT_MEMBERS = 10


def get_committee(committee, estimator, *, n_jobs=None, random_state=None):
    """Return the unfitted committee of a run, or None if the estimator is one itself.

    Parameters
    ----------
    committee : int, list of (str, classifier), classifier, or None
        A number of clones, named members or a committee. If None, the estimator
        itself if it is an ensemble, otherwise 10 clones of it.

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
        If it is not a committee.
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
    elif not is_committee(committee):
        raise TypeError(
            "committee must be a number of members, a list of (name, classifier), or "
            "a classifier with several members: an ensemble of scikit-learn, or one "
            f"with `predict_member_proba` or `predict_member`. Got {shown(committee)}."
        )
    committee = clone(committee)
    params = committee.get_params(deep=False)
    if "random_state" in params and params["random_state"] is None:
        committee.set_params(random_state=random_state)
    return committee


def committee_has_proba(committee, estimator):
    """Tell whether all members of the committee of a run will have probabilities.

    Parameters
    ----------
    committee : int, list of (str, classifier), classifier, or None
        The unfitted committee, see :func:`get_committee`.

    estimator : estimator object
        The unfitted classifier.

    Returns
    -------
    has_proba : bool
        Methods that only come with a fit are looked for after one on made-up rows.
    """
    members = get_committee(committee, estimator)
    if not isinstance(members, CommitteeClassifier):
        return members_have_proba(estimator if members is None else members)
    kinds = members.estimator
    # Clones are all alike, so one of them tells.
    kinds = [kind for _, kind in kinds] if isinstance(kinds, list) else [kinds]
    return all(has_once_fitted(kind, "predict_proba") for kind in kinds)


def predicts_together(committee, method, classes):
    """Return a function with which all members predict at once, if there is one.

    One matrix product with the coefficients of all members is several times faster
    than one product for each of them.

    Parameters
    ----------
    committee : object
        A fitted committee.

    method : {"predict", "predict_proba"}
        The output that is wanted.

    classes : ndarray of shape (n_classes,)
        Sorted classes, which must be those of the committee.

    Returns
    -------
    predict : callable or None
        ``predict(X, rows)`` for some rows of `X`; votes are positions in `classes`.
        None if the members are not all linear.
    """
    if not isinstance(committee, CommitteeClassifier):
        return None
    linear = committee.linear_members_
    if linear is None or not same_classes(committee.classes_, classes):
        return None
    if method == "predict":
        return linear.vote
    return linear.predict_proba if linear.has_proba else None


def member_votes(committee, X, classes):
    """Return the votes of a committee as positions in `classes`."""
    owner = f"{name_of(committee)}.predict_member"
    if hasattr(committee, "predict_member"):
        votes = np.asarray(committee.predict_member(X))
    else:
        proba = np.asarray(committee.predict_member_proba(X))
        votes = np.asarray(committee.classes_)[proba.argmax(axis=2)]
    if isinstance(committee, CommitteeClassifier):
        # Its members must not vote for a class that it says it does not know.
        codes = codes_of(votes, committee.classes_, owner)
        if same_classes(committee.classes_, classes):
            return codes
    return codes_of(votes, classes, owner)


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
