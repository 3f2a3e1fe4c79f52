"""Closed forms: probabilities after one more label, without a fit.

Each class is made with a fitted model, the rows that it was fitted on, and target rows.
Called with candidates, it returns the probabilities of the targets if each candidate,
with each class, had been learnt, too: an ndarray of shape (n_candidates, n_classes,
n_targets, n_classes).
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve
from scipy.sparse import issparse
from scipy.special import expit, softmax
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB, MultinomialNB

# Largest number of rows of the Hessian of a logistic regression.
_MAX_PARAMETERS = 3000

# Largest number of iterations for one row, and the gap at which they end.
_MAX_ITER = 50
_TOLERANCE = 1e-12


def closed_form(model, *, newton):
    """Return the class that replaces refits of a model, or None.

    Parameters
    ----------
    model : estimator object
        The fitted model.

    newton : bool
        Whether a second-order expansion of the loss is allowed.

    Returns
    -------
    closed_form : class or None
        A class of this module, exact except for `LogisticRegressionAfter`.
    """
    if type(model) is GaussianNB and model.var_smoothing > 0:
        return GaussianNBAfter
    if type(model) is MultinomialNB and np.min(model.alpha) >= 1e-10:
        return MultinomialNBAfter
    if newton and type(model) is LogisticRegression and _has_expansion(model):
        return LogisticRegressionAfter
    return None


def _has_expansion(model):
    """Tell whether the loss has an L2 penalty, no weights and few parameters."""
    plain = model.class_weight is None and model.solver != "liblinear"
    # Since scikit-learn 1.8, l1_ratio and C alone decide the penalty.
    l2 = getattr(model, "penalty", "l2") in ("l2", "deprecated")
    l2 = l2 and model.l1_ratio in (None, 0) and np.isfinite(model.C)
    one_by_one = getattr(model, "multi_class", None) == "ovr"
    n_parameters = model.coef_.size + model.intercept_.size
    return plain and l2 and not one_by_one and n_parameters <= _MAX_PARAMETERS


class GaussianNBAfter:
    """A GaussianNB after one more row, exactly.

    Mean and variance of a class are updated [1]_, and so is the smoothing, which is a
    share of the largest variance of all rows.

    Parameters
    ----------
    model : GaussianNB
        Fitted on `X`.

    X : ndarray of shape (n_labeled, n_features)
        Rows that were learnt.

    targets : ndarray of shape (n_targets, n_features)
        Rows to predict.

    References
    ----------
    .. [1] T. F. Chan, G. H. Golub, R. J. LeVeque. "Updating formulae and a pairwise
       algorithm for computing sample variances". COMPSTAT 1982.
    """

    def __init__(self, model, X, targets):
        X = np.asarray(X, dtype=np.float64)
        self._model = model
        self._n_rows, self._mean, self._var = len(X), X.mean(axis=0), X.var(axis=0)
        self._targets = np.asarray(targets, dtype=np.float64)

    def __call__(self, candidates):
        model, candidates = self._model, np.asarray(candidates, dtype=np.float64)
        smoothing = model.var_smoothing * self._widest(candidates)[:, None]
        n_classes, variances = len(model.theta_), model.var_ - model.epsilon_
        shape = (n_classes, len(candidates), n_classes, len(self._targets))
        joint = np.empty(shape)
        for k, count in enumerate(model.class_count_):
            mean, variance = model.theta_[k], variances[k]
            # Relative to the mean of the class, nothing cancels, however small its
            # variance: the mean shifts by at most 1 / sqrt(n) standard deviations.
            centred, shift = self._targets - mean, (candidates - mean) / (count + 1)
            grown = count * (variance / (count + 1) + shift**2)
            unchanged = _log_normal(centred, 0.0, variance + smoothing)
            joint[k] = unchanged[:, None]
            joint[k, :, k] = _log_normal(centred, shift, grown + smoothing)
        return _normalized(joint, model.class_count_, model.priors)

    def _widest(self, candidates):
        """Return the largest variance of a feature with each candidate added."""
        n = self._n_rows
        step = (candidates - self._mean) ** 2 / (n + 1)
        return (n / (n + 1) * (self._var + step)).max(axis=1)


class MultinomialNBAfter:
    """A MultinomialNB after one more row, exactly.

    The counts of a class change only in the features of the row: for sparse rows, the
    change of the log-likelihoods is a product of sparse matrices.

    Parameters
    ----------
    model : MultinomialNB
        Fitted on `X`.

    X : {ndarray, sparse matrix} of shape (n_labeled, n_features)
        Rows that were learnt; not used.

    targets : {ndarray, sparse matrix} of shape (n_targets, n_features)
        Rows to predict.
    """

    def __init__(self, model, X, targets):
        self._model = model
        self._targets = targets
        self._lengths = _row_sums(targets)
        self._counts = model.feature_count_ + model.alpha
        self._now = np.asarray(targets @ np.log(self._counts).T)

    def __call__(self, candidates):
        model, n_classes = self._model, len(self._counts)
        shape = (n_classes, candidates.shape[0], n_classes, self._targets.shape[0])
        joint, lengths = np.empty(shape), self._lengths
        for k, counts in enumerate(self._counts):
            now, total = self._now[:, k], counts.sum()
            totals = total + _row_sums(candidates)[:, None]
            joint[k] = now - np.log(total) * lengths
            joint[k, :, k] = now - np.log(totals) * lengths
            joint[k, :, k] += self._gain(candidates, counts)
        prior = model.class_prior
        if prior is None and not model.fit_prior:
            prior = np.ones(n_classes)
        return _normalized(joint, model.class_count_, prior)

    def _gain(self, candidates, counts):
        """Return the gain of the log-likelihoods of the targets by each candidate."""
        if issparse(candidates):
            growth = candidates.multiply(1.0 / counts).tocsr()
            growth.data = np.log1p(growth.data)
        else:
            growth = np.log1p(candidates / counts)
        gain = growth @ self._targets.T
        return gain.toarray() if issparse(gain) else np.asarray(gain)


class LogisticRegressionAfter:
    """A LogisticRegression after one more row, approximately.

    The loss of the learnt rows is replaced by its second-order expansion at the fit,
    where its gradient is 0; the loss of the added row is exact. The equations that
    remain have one unknown for each class.

    Parameters
    ----------
    model : LogisticRegression
        Fitted on `X`.

    X : {ndarray, sparse matrix} of shape (n_labeled, n_features)
        Rows that were learnt.

    targets : {ndarray, sparse matrix} of shape (n_targets, n_features)
        Rows to predict.
    """

    def __init__(self, model, X, targets):
        self._C, self._with_intercept = model.C, model.fit_intercept
        self._coef = model.coef_.astype(np.float64)
        if self._with_intercept:
            self._coef = np.column_stack([self._coef, model.intercept_])
        self._is_binary = len(self._coef) == 1
        # The labels as outputs, by class: 0 and 1, or the unit vectors.
        self._labels = np.eye(len(model.classes_))[:, 1 if self._is_binary else 0 :]
        self._targets = self._with_ones(targets)
        factor = cho_factor(self._hessian(self._with_ones(X)))
        shape = self._coef.shape
        self._inverse = cho_solve(factor, np.eye(self._coef.size)).reshape(*shape * 2)

    def __call__(self, candidates):
        changes = self._changes(self._with_ones(candidates))
        changes = changes.transpose(1, 0, 3, 2) @ self._targets.T
        after = changes + (self._coef @ self._targets.T)[:, None, None]
        if self._is_binary:
            after = np.concatenate([np.zeros_like(after), after])
        return _softmax(after)

    def _with_ones(self, X):
        X = X.toarray() if issparse(X) else np.asarray(X)
        X = X.astype(np.float64, copy=False)
        return np.column_stack([X, np.ones(len(X))]) if self._with_intercept else X

    def _outputs(self, logits):
        """Return the probability of the second of two classes, or of each class."""
        return expit(logits) if self._is_binary else softmax(logits, axis=-1)

    def _changes(self, rows):
        """Return changes, (n_candidates, n_outputs, n_coefficients, n_classes)."""
        # At the minimum the change is -H^-1 U r, where U holds the row for each output,
        # and r is the gradient of its loss in the outputs, which depend on r.
        solved = np.tensordot(rows, self._inverse, axes=(1, 3))
        within = np.einsum("nw,nkwj->nkj", rows, solved)
        return -np.einsum("nkwj,ncj->nkwc", solved, self._residuals(rows, within))

    def _residuals(self, rows, within):
        """Solve r = C (p(z - U' H^-1 U r) - y) for each row and class, by Newton."""
        n_outputs = within.shape[1]
        logits, identity = (rows @ self._coef.T)[:, None], np.eye(n_outputs)
        within = within[:, None]
        r = np.zeros((len(rows), len(self._labels), n_outputs))
        size, step = np.full(r.shape[:2], np.inf), np.zeros_like(r)
        for _ in range(_MAX_ITER):
            p = self._outputs(logits - np.squeeze(within @ (r + step)[..., None], -1))
            gap = r + step - self._C * (p - self._labels)
            new_size = np.linalg.norm(gap, axis=2)
            better = (new_size < size)[..., None]
            r, size = np.where(better, r + step, r), np.minimum(size, new_size)
            if size.max() <= _TOLERANCE * self._C:
                break
            G = self._C * (p[..., None] * identity - p[..., None] * p[..., None, :])
            newton = -np.linalg.solve(identity + G @ within, gap[..., None])[..., 0]
            # A step that went too far is halved.
            step = np.where(better, newton, step / 2.0)
        return r

    def _hessian(self, X):
        """Return the Hessian of the penalised loss in all coefficients."""
        proba, width = self._outputs(X @ self._coef.T), X.shape[1]
        n_outputs = proba.shape[1]
        hessian = np.empty((n_outputs, width, n_outputs, width))
        for k in range(n_outputs):
            for j in range(n_outputs):
                weights = proba[:, k] * ((k == j) - proba[:, j])
                hessian[k, :, j, :] = self._C * (X.T * weights) @ X
        penalty = np.ones(width)
        if self._with_intercept:
            penalty[-1] = 0.0
            if n_outputs > 1:
                # All intercepts may move together without any effect. Gradients are 0
                # in this direction, so a penalty on it changes no step but makes the
                # Hessian regular.
                hessian[:, -1, :, -1] += 1.0
        hessian = hessian.reshape(n_outputs * width, -1)
        hessian[np.diag_indices_from(hessian)] += np.tile(penalty, n_outputs)
        return hessian


def _log_normal(x, mean, variance):
    """Return log densities for each row of means and variances and each row of x."""
    precision = 1.0 / variance
    squares = precision @ (x**2).T
    if np.ndim(mean):
        squares -= 2.0 * (precision * mean) @ x.T
        squares += (precision * mean**2).sum(axis=1, keepdims=True)
    squares += np.log(2.0 * np.pi * variance).sum(axis=1, keepdims=True)
    return -0.5 * squares


def _normalized(joint, counts, prior):
    """Return probabilities from log-likelihoods and a prior; class shares if None."""
    if prior is None:
        after = counts + np.eye(len(counts))  # by the class that has one row more
        shares = (after / after.sum(axis=1, keepdims=True)).T[:, None, :, None]
    else:
        shares = np.asarray(prior, dtype=np.float64)[:, None, None, None]
    with np.errstate(divide="ignore"):  # a given prior may be 0
        joint += np.log(shares)
    return _softmax(joint)


def _softmax(joint):
    """Return probabilities from logits with the classes first, and put them last."""
    # Over the first axis, numpy works on long rows, which is several times faster.
    joint -= joint.max(axis=0)
    np.exp(joint, out=joint)
    joint /= joint.sum(axis=0)
    return np.moveaxis(joint, 0, 3)


def _row_sums(X):
    return np.asarray(X.sum(axis=1)).ravel()
