"""Linear classifiers that predict together, in one matrix product."""

import warnings

import numpy as np
from scipy.special import expit
from sklearn.utils import check_array
from sklearn.utils.extmath import safe_sparse_dot

from skactive.utils._outputs import read_proba
from skactive.utils._sklearn import LinearClassifierMixin
from skactive.utils._threads import one_thread

# The number of rows that show how a classifier makes probabilities of decision values.
_N_PROBES = 5
_MAX_PROBE = 5.0


class LinearMembers:
    """Linear classifiers that predict in one matrix product.

    Parameters
    ----------
    models : list of estimator objects
        Fitted linear classifiers.

    classes : ndarray of shape (n_classes,)
        Classes of all of them.
    """

    def __init__(self, models, classes):
        self.classes = classes
        self._members = [(type(m).__name__, m.classes_) for m in models]
        coefs = [np.atleast_2d(m.coef_) for m in models]
        self._weights = np.concatenate(coefs)
        self._offsets = np.concatenate([np.atleast_1d(m.intercept_) for m in models])
        self._cuts = np.cumsum([0, *map(len, coefs)])
        self._links = []

    @classmethod
    def of(cls, models, classes):
        """Return the linear members, or None if not all of them are linear."""
        if not all(is_linear(model) for model in models):
            return None
        members = cls(models, classes)
        if members._offsets.shape[0] != members._weights.shape[0]:
            return None
        with warnings.catch_warnings():
            # The models may have seen names of features, which probes have not.
            warnings.simplefilter("ignore", UserWarning)
            # Equal parameters and numbers of classes make equal links: one is tried.
            found = {}
            for model in models:
                key = type(model), len(model.classes_), _settings(model)
                if key not in found:
                    found[key] = _find_link(model)
                members._links.append(found[key])
        return members

    @property
    def has_proba(self):
        """Whether it is known how the members make probabilities."""
        return all(link is not None for link in self._links)

    def vote(self, X, rows=slice(None)):
        """Return positions in `classes` for some rows, (n_members, n_rows)."""
        return np.array(
            [
                np.searchsorted(self.classes, columns)[_argmax(decision)][rows]
                for (_, columns), decision in self._decisions(X)
            ]
        )

    def predict_proba(self, X, rows=slice(None)):
        """Return probabilities for some rows, (n_members, n_rows, n_classes)."""
        proba = None
        for number, ((_, columns), decision) in enumerate(self._decisions(X)):
            part = self._links[number](decision)
            if proba is None:
                # In memory the rows come last: sums over classes are then sums of
                # long columns.
                n_rows = len(part[0, rows])
                proba = np.zeros((len(self._members), len(self.classes), n_rows))
                proba = proba.astype(part.dtype, copy=False)
            proba[number, np.searchsorted(self.classes, columns)] = part[:, rows]
        return proba.transpose(0, 2, 1)

    def _decisions(self, X):
        """Yield each member with its decision values, (n_rows, n_samples)."""
        X = check_array(X, accept_sparse="csr", dtype=[np.float64, np.float32])
        with one_thread():
            decisions = safe_sparse_dot(self._weights, X.T, dense_output=True)
        decisions += self._offsets[:, None]
        for number, member in enumerate(self._members):
            decision = decisions[self._cuts[number] : self._cuts[number + 1]]
            if not np.isfinite(decision.sum()):
                raise ValueError(
                    f"Member {number} ({member[0]}) of the committee gives decision "
                    "values that are NaN or infinite; check the scale of the features."
                )
            yield member, decision


def is_linear(model):
    """Tell whether a classifier decides by its coefficients, and by nothing else.

    A class that derives from one of scikit-learn's may do something to rows before.
    """
    return isinstance(model, LinearClassifierMixin) and all(
        getattr(type(model), name).__module__.startswith("sklearn.")
        for name in ("predict", "decision_function")
    )


def _settings(model):
    """Return the parameters of a model without its seed, to compare them."""
    params = model.get_params(deep=False)
    params.pop("random_state", None)
    return repr(params)


def _find_link(model):
    """Return how a model makes probabilities of decisions, None if that is unknown."""
    if not hasattr(model, "predict_proba"):
        return None
    probes = _probes(model)
    decision = np.atleast_2d(model.decision_function(probes).T)
    if np.abs(decision).max() > _MAX_PROBE:
        return None  # far from the boundary all links look the same
    own = read_proba(model, probes)
    for link in (_softmax, _one_versus_rest):
        made = link(decision.copy()).T
        if made.shape == own.shape and np.allclose(made, own, rtol=1e-5, atol=1e-7):
            return link
    return None


def _probes(model):
    """Return a few rows whose decision values are about as large as 1."""
    coef = np.atleast_2d(model.coef_).astype(np.float64)
    wanted = np.random.RandomState(0).normal(size=(_N_PROBES, len(coef)))
    probes = (wanted - model.intercept_) @ np.linalg.pinv(coef).T
    return probes.astype(model.coef_.dtype)


def _argmax(decision):
    return (
        (decision[0] > 0).astype(np.intp)
        if len(decision) == 1
        else (decision.argmax(axis=0))
    )


def _softmax(decision):
    """Return the softmax of decisions (n_classes, n_samples); it works in place."""
    if len(decision) == 1:
        return _one_versus_rest(decision)
    decision -= decision.max(axis=0)
    np.exp(decision, out=decision)
    decision /= decision.sum(axis=0)
    return decision


def _one_versus_rest(decision):
    """Return normalised logistic functions of decisions; it works in place."""
    expit(decision, out=decision)
    if len(decision) == 1:
        return np.concatenate([1.0 - decision, decision])
    decision /= decision.sum(axis=0)
    return decision
