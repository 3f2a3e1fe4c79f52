"""Models that have outputs for classes without a label, where the set is closed."""

import numpy as np
from sklearn.base import clone
from sklearn.naive_bayes import BernoulliNB, ComplementNB, GaussianNB, MultinomialNB
from sklearn.pipeline import Pipeline

from skactive.utils._sklearn import get_tags

# Their `partial_fit` on all rows is their `fit`, and takes classes without a row.
_COUNTING = (GaussianNB, MultinomialNB, BernoulliNB, ComplementNB)


def tell_classes(model, closed):
    """Pass all classes to a classifier, if it has a parameter for them.

    A network has as many outputs as there are classes, however few have labels. Those
    of skorch and of `skactive.deep` have the parameter `classes`, as others may; where
    it is None, in the classifier itself or in a part of it, it is set.

    Parameters
    ----------
    model : estimator object
        An unfitted classifier.

    closed : ndarray of shape (n_classes,) or None
        All classes; None if that is not known.

    Returns
    -------
    model : estimator object
        A clone if something was set, otherwise the same object.
    """
    if closed is None:
        return model
    names = _names(model, lambda value: value is None)
    told = dict.fromkeys(names, closed.tolist())
    told |= _told_members(model, closed)
    return clone(model).set_params(**told) if told else model


def fit(model, X, y, params, closed):
    """Fit a classifier, also one whose priors are those of all classes.

    Naive Bayes with a prior for each class rejects labels in which a class is missing,
    unless all classes are passed to `partial_fit`.

    Parameters
    ----------
    model : estimator object
        An unfitted classifier.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        Samples.

    y : ndarray of shape (n_samples,)
        Labels.

    params : dict
        Parameters for `fit`.

    closed : ndarray of shape (n_classes,) or None
        All classes; None if that is not known.

    Returns
    -------
    model : estimator object
        The fitted classifier.
    """
    steps, last = model, model
    if isinstance(model, Pipeline):
        steps, last = model[:-1], model.steps[-1][1]
    if not _has_more_priors(last, y, closed):
        return model.fit(X, y, **params)
    if isinstance(model, Pipeline):
        if params:  # they are named by step
            return model.fit(X, y, **params)
        X = steps.fit_transform(X, y) if len(steps) else X
    last.partial_fit(X, y, classes=closed, **params)
    return model


def _told_members(model, closed):
    """Return the members of a committee if all classes were passed to some of them."""
    members = getattr(model, "estimator", None)
    if not isinstance(members, list):  # those of other lists are parameters by name
        return {}
    told = [(name, tell_classes(part, closed)) for name, part in members]
    changed = any(a is not b for (_, a), (_, b) in zip(members, told, strict=True))
    return {"estimator": told} if changed else {}


def _has_more_priors(model, y, closed):
    if closed is None or not isinstance(model, _COUNTING):
        return False
    prior = model.priors if isinstance(model, GaussianNB) else model.class_prior
    return prior is not None and len(prior) == len(closed) > len(np.unique(y))


def told_in_codes(model, closed):
    """Return a classifier with codes instead of labels in its parameter `classes`.

    Parameters
    ----------
    model : estimator object
        An unfitted classifier.

    closed : ndarray of shape (n_classes,) or None
        All classes; None if that is not known.

    Returns
    -------
    model : estimator object or None
        A clone; None if all classes were not passed to it.
    """
    if closed is None:
        return None
    told = closed.tolist()
    names = _names(model, lambda value: isinstance(value, list) and value == told)
    codes = list(range(len(closed)))
    return clone(model).set_params(**dict.fromkeys(names, codes)) if names else None


def _names(model, is_wanted):
    """Return the names of parameters `classes` of classifiers with wanted values."""
    if not hasattr(model, "get_params"):
        return []
    params = model.get_params()
    owners = {"": model} | params
    names = [name for name, value in params.items() if is_wanted(value)]
    names = [name for name in names if name.rpartition("__")[2] == "classes"]
    return [name for name in names if _is_classifier(owners[name.rpartition("__")[0]])]


def _is_classifier(owner):
    return get_tags(owner).estimator_type == "classifier"


def joint_classes(seen, models, closed):
    """Return the labels seen, and the classes of models that are in a closed set.

    Parameters
    ----------
    seen : ndarray of shape (n_seen,)
        Sorted labels.

    models : list of estimator objects
        Fitted classifiers and committees.

    closed : ndarray of shape (n_closed,) or None
        All classes that there can be, sorted; None if that is not known, when only
        the labels seen count.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        Sorted.
    """
    if closed is None:
        return seen
    known = np.isin(closed, seen)
    for model in models:
        known |= np.isin(closed, model.classes_)
    return closed[known]
