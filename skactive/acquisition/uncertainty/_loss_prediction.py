"""Learned losses: how wrong the classifier will be, as another model predicts it."""

import warnings
from contextlib import contextmanager
from numbers import Integral

import numpy as np
from scipy.sparse import issparse
from sklearn.base import clone
from sklearn.ensemble import RandomForestRegressor
from sklearn.model_selection import StratifiedKFold
from sklearn.random_projection import SparseRandomProjection
from sklearn.utils import check_random_state
from threadpoolctl import threadpool_limits

from skactive._models.fitting import fit_classifier
from skactive.acquisition._base import BaseStrategy
from skactive.utils._capabilities import HasMethodsOnceFitted
from skactive.utils._labels import as_labels
from skactive.utils._outputs import check_proba_of, read_proba
from skactive.utils._rows import block_rows, slices, take_rows
from skactive.utils._sklearn import (
    Interval,
    _check_method_params,
    _set_random_states,
)

# A label that is predicted with probability 0 costs -log of this, about 36 nats.
_EPS = np.finfo(np.float64).eps
_MAX_SEED = np.iinfo(np.int32).max


def out_of_fold_losses(estimator, X, y, *, cv=5, random_state=None):
    """Return the log loss of each row under a classifier that was fitted without it.

    The folds are stratified. A row that is the only one of its class is always fitted
    on: without it the class would be unknown and its loss say nothing.

    Parameters
    ----------
    estimator : estimator object
        A classifier with `predict_proba`; clones of it are fitted.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The rows, all of them labelled.

    y : array-like of shape (n_samples,)
        Their labels.

    cv : int, default=5
        Number of folds; fewer if no class has so many rows.

    random_state : int, RandomState instance or None, default=None
        Seeds the folds and the classifiers.

    Returns
    -------
    losses : ndarray of shape (n_samples,)
        In nats, from 0 to about 36, which stands for a probability of 0. NaN for rows
        that are the only ones of their class.

    References
    ----------
    .. [1] M. Stone. "Cross-validatory choice and assessment of statistical
       predictions". Journal of the Royal Statistical Society B 36 (2), 1974.

    Examples
    --------
    >>> from sklearn.dummy import DummyClassifier
    >>> from skactive.acquisition.functional import out_of_fold_losses
    >>> X, y = [[0.0]] * 5, [0, 0, 1, 1, 2]
    >>> out_of_fold_losses(DummyClassifier(), X, y, cv=2, random_state=0).round(4)
    array([1.0986, 1.0986, 1.0986, 1.0986,    nan])
    """
    y = np.asarray(y)
    seed = check_random_state(random_state).randint(_MAX_SEED)
    return _log_loss(*_out_of_fold_proba(estimator, X, y, cv, seed))


def _out_of_fold_proba(estimator, X, y, cv, seed, fit_params=None, classes=None):
    """Return probabilities by models fitted without the row, and labels as columns.

    Rows that are the only ones of their class have NaN.
    """
    seen, columns, counts = np.unique(y, return_inverse=True, return_counts=True)
    classes = seen if classes is None else classes
    proba = np.full((len(y), len(classes)), np.nan)
    several = np.flatnonzero(counts[columns] > 1)
    if not len(several):
        return proba, np.searchsorted(classes, y)
    folds = StratifiedKFold(min(cv, counts.max()), shuffle=True, random_state=seed)
    model = clone(estimator)
    _set_random_states(model, np.random.RandomState(seed))
    with warnings.catch_warnings():
        # Classes of fewer rows than folds are still in every training part.
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        splits = list(folds.split(several, columns[several]))
    for _, test in splits:
        left_out = several[test]
        kept = np.delete(np.arange(len(y)), left_out)
        params = _check_method_params(X, fit_params or {}, indices=kept)
        with _explaining(model, len(kept)):
            fitted = fit_classifier(clone(model), take_rows(X, kept), y[kept], params)
            output = read_proba(fitted, take_rows(X, left_out))
        proba[left_out] = check_proba_of(fitted, output, classes)
    return proba, np.searchsorted(classes, y)


@contextmanager
def _explaining(model, n_labels):
    """Add to errors of a fold what may help."""
    try:
        yield
    except Exception as error:
        error.add_note(
            f"{type(model).__name__} raised this after a fit on {n_labels} labels, one "
            "part of a cross-validation among the labelled rows. If it takes more than "
            "that, let the cold start ask more of them: see the parameter initial_size."
        )
        raise


def _log_loss(proba, columns):
    likelihood = proba[np.arange(len(proba)), columns]
    return -np.log(np.clip(likelihood, _EPS, 1.0))


class LossPredictionSampling(BaseStrategy):
    """Ask where the loss of the classifier is predicted to be largest.

    Where the estimator has `predict_loss`, as networks with a loss-prediction module
    have [1]_, that is the utility. For any other classifier with `predict_proba` the
    shallow form of the idea is used: the log losses of the labelled rows under
    cross-validation are learnt by a regressor, which then predicts the loss of each
    candidate. The regressor sees the embedding of a row and its probabilities, sorted;
    for the labelled rows, those that were predicted without them.

    The classes of single rows take no part in the losses, see
    :func:`~skactive.acquisition.functional.out_of_fold_losses`. As long as no class has
    two rows, the losses of the classifier on its own training rows are learnt instead.
    Rows without a label are left out of the cross-validation, also with
    ``unlabeled="pass"``.

    A round costs `cv` more fits on the labelled rows, and one fit and one prediction
    of the regressor. Nothing larger than a block of candidates, the features of the
    labelled rows and the utilities is kept.

    Parameters
    ----------
    regressor : estimator object or None, default=None
        Learns the losses. None means a random forest of 50 trees, which needs no
        tuning at twenty labels and finds out which of its features matter.

    cv : int, default=5
        Number of folds; fewer if no class has so many labels.

    max_components : int, default=100
        An embedding with more components than these is projected on as many random
        directions, and sparse ones become dense.

    References
    ----------
    .. [1] D. Yoo, I. S. Kweon. "Learning loss for active learning". CVPR 2019.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.neighbors import KNeighborsRegressor
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import LossPredictionSampling
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), strategy=LossPredictionSampling(KNeighborsRegressor())
    ... )
    """

    # A regressor may go below 0, and so may a network that only ranks losses.
    nonnegative = False

    _parameter_constraints = {
        "regressor": [HasMethodsOnceFitted(["fit", "predict"]), None],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "max_components": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, regressor=None, *, cv=5, max_components=100):
        self.regressor = regressor
        self.cv = cv
        self.max_components = max_components

    @property
    def needs(self):
        return frozenset({("loss", "proba"), ("loss", "embedding")})

    def utility(self, pool):
        if pool.has_output("predict_loss"):
            return pool.loss
        with threadpool_limits(1, user_api="blas"):
            return self._learn(pool)

    def _learn(self, pool):
        known = np.flatnonzero(pool.labeled)
        proba, losses = self._known_losses(pool, known)
        usable = ~np.isnan(losses)
        embedding = pool.embedding(known[usable])
        reduce = self._reduction(embedding, pool.random_state)
        regressor = self.regressor
        if regressor is None:
            regressor = RandomForestRegressor(n_estimators=50)
        regressor = clone(regressor)
        _set_random_states(regressor, np.random.RandomState(pool.random_state))
        regressor.fit(
            _describe(reduce(embedding), proba[usable]),
            losses[usable].astype(np.float32),
        )
        utility, size = np.empty(len(pool)), block_rows(embedding)
        for positions, block in pool.blocks():
            for part in slices(len(block), size):
                features = reduce(pool.embedding(block.candidates[part]))
                described = _describe(features, block.proba[part])
                utility[positions][part] = regressor.predict(described)
        return utility

    def _known_losses(self, pool, known):
        """Return probabilities and losses of the labelled rows; NaN where unknown."""
        with pool.watching_models():
            proba, columns = _out_of_fold_proba(
                pool.estimator,
                take_rows(pool.X, known),
                as_labels(pool.y[known]),
                self.cv,
                pool.random_state % _MAX_SEED,
                _check_method_params(pool.X, pool.fit_params, indices=known),
                pool.classes,
            )
        if np.isnan(proba).all():
            proba = pool.predict_proba(known)
        return proba, _log_loss(proba, columns)

    def _reduction(self, embedding, seed):
        """Return a function that makes few dense columns of an embedding."""
        if embedding.shape[1] <= self.max_components:
            return _densify
        projection = SparseRandomProjection(self.max_components, random_state=seed)
        projection.fit(embedding)
        return lambda features: _densify(projection.transform(features))


def _densify(features):
    return features.toarray() if issparse(features) else features


def _describe(features, proba):
    """Return what the regressor sees; classes have no order, so theirs is sorted."""
    # Trees have ties that rounding decides; fewer digits make equal what is equal.
    return np.hstack(
        [features, np.sort(proba, axis=1)], dtype=np.float32, casting="same_kind"
    )
