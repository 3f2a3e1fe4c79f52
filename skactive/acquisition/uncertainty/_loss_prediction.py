"""Loss prediction: rows on which the classifier is predicted to be most wrong."""

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

# A label of probability 0 has the loss -log of this, about 36 nats.
_EPS = np.finfo(np.float64).eps
_MAX_SEED = np.iinfo(np.int32).max


def out_of_fold_losses(estimator, X, y, *, cv=5, random_state=None):
    """Return the log loss of each row under a classifier that was fitted without it.

    The folds are stratified. A row that is the only one of its class is in every
    training set: without it, the class would be unknown and its loss meaningless.

    Parameters
    ----------
    estimator : estimator object
        A classifier with `predict_proba`; clones of it are fitted.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The rows, all of them labelled.

    y : array-like of shape (n_samples,)
        Their labels.

    cv : int, default=5
        Number of folds; at most the number of rows of the largest class.

    random_state : int, RandomState instance or None, default=None
        Seeds the folds and the classifiers.

    Returns
    -------
    losses : ndarray of shape (n_samples,)
        In nats, from 0 to about 36, the loss of a label of probability 0. NaN for rows
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
    """Return probabilities by models that were fitted without the row, and its class.

    The class is a column of the probabilities, which are NaN for rows that are the only
    ones of their class.
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
        # A class with fewer rows than folds is still in every training set.
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
    """Add a hint to errors that a fold raises."""
    try:
        yield
    except Exception as error:
        error.add_note(
            f"{type(model).__name__} raised this after a fit on {n_labels} labels, one "
            "part of a cross-validation on the labelled rows. If it needs more labels, "
            "let the cold start query more rows by the parameter initial_size."
        )
        raise


def _log_loss(proba, columns):
    likelihood = proba[np.arange(len(proba)), columns]
    return -np.log(np.clip(likelihood, _EPS, 1.0))


class LossPredictionSampling(BaseStrategy):
    """Query rows where the predicted loss of the classifier is largest.

    The utility is `predict_loss` of the estimator, if it has this method, as networks
    with a loss-prediction module do [1]_. For any other classifier with
    `predict_proba`, a regressor learns the log losses of the labelled rows under
    cross-validation, and predicts the loss of each candidate. Its features are the
    embedding of a row and its sorted probabilities; those of a labelled row are
    predicted by a model that was fitted without it.

    Classes with a single row have no losses, see
    :func:`~skactive.acquisition.functional.out_of_fold_losses`. As long as no class has
    two rows, the regressor learns the losses of the classifier on its own training
    rows. Rows without a label are left out of the cross-validation, even with
    ``unlabeled="pass"``.

    A round costs `cv` more fits on the labelled rows, and one fit and one prediction of
    the regressor. Memory: a block of candidates, the features of the labelled rows and
    the utilities.

    :Uses: ``predict_loss`` or out-of-fold losses
    :Cost of a round: cross-validation on :math:`m` rows
    :Guide: :doc:`/user_guide/contrast`

    Parameters
    ----------
    regressor : estimator object or None, default=None
        The regressor of the losses. If None, a random forest of 50 trees, which needs
        no tuning with twenty labels and finds the relevant features.

    cv : int, default=5
        Number of folds; at most the number of labels of the largest class.

    max_components : int, default=100
        An embedding with more components is projected to this number of random
        directions, and becomes dense if it is sparse.

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

    # A regressor may predict losses below 0, and so may a network that only ranks them.
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
        # Small fits are slower with several BLAS threads. OpenMP is left alone, as the
        # estimator and the regressor may need it.
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
        with pool.models.watching():
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
        """Return a function that turns an embedding into a few dense columns."""
        if embedding.shape[1] <= self.max_components:
            return _densify
        projection = SparseRandomProjection(self.max_components, random_state=seed)
        projection.fit(embedding)
        return lambda features: _densify(projection.transform(features))


def _densify(features):
    return features.toarray() if issparse(features) else features


def _describe(features, proba):
    """Return the features of the regressor: the embedding and sorted probabilities."""
    # Rounding decides ties of splits in a tree; in float32, equal rows have equal
    # features.
    return np.hstack(
        [features, np.sort(proba, axis=1)], dtype=np.float32, casting="same_kind"
    )
