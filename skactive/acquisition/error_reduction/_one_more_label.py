"""The predictions of a model after one more label, by a refit or in closed form."""

import warnings
from functools import partial

import numpy as np
from scipy.sparse import issparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.pipeline import Pipeline

from skactive._models.fitting import fit_classifier
from skactive._models.members import run_tasks
from skactive.acquisition.error_reduction._closed_forms import closed_form
from skactive.utils._labels import as_labels
from skactive.utils._outputs import check_proba_of, read_proba
from skactive.utils._pipelines import is_sampler
from skactive.utils._rows import slices, take_rows
from skactive.utils._sklearn import _check_method_params, get_tags
from skactive.utils._threads import one_thread

# Checks are skipped, as the fit of the round has made them; they take an eighth of the
# time of a small fit.
_UNCHECKED = partial(config_context, assume_finite=True, skip_parameter_validation=True)

# Probabilities of one block of candidates, 8 MiB.
_BLOCK_NUMBERS = 2**20


def one_more_label(pool, approximation=None):
    """Return an object that computes the errors of a model with one more label.

    Parameters
    ----------
    pool : Pool
        The round.

    approximation : {"last_step", "newton"} or None, default=None
        The approximation, see
        :class:`~skactive.acquisition.ExpectedErrorReductionSampling`.

    Returns
    -------
    what_if : object
        Has `is_fast`, and ``errors(rows, targets, proba, error)`` of shape (n_rows,
        n_classes): ``error(proba)`` of the probabilities of `targets` by the model that
        has learnt each class for each row; 0 where `proba` is 0.
    """
    steps, model = _split(pool, frozen=approximation is not None)
    predicts_after = None
    if not pool.fit_params and pool.unlabeled == "ignore":
        predicts_after = closed_form(model, newton=approximation == "newton")
    if predicts_after is None:
        return Refits(pool, steps, model)
    return ClosedForm(pool, steps, model, predicts_after)


class Refits:
    """The model is fitted again for each row and each class.

    Parameters
    ----------
    pool : Pool
        The round.

    steps : list of estimator objects
        Fitted steps of a Pipeline that are not refitted.

    model : estimator object
        The model that is fitted again.
    """

    is_fast = False

    def __init__(self, pool, steps, model):
        self._pool = pool
        self._steps = steps
        self._model = model

    def errors(self, rows, targets, proba, error):
        """Return the error for each row and class, in parallel over the rows."""
        pool = self._pool
        whole = pool.unlabeled == "pass"
        learnt = np.arange(len(pool.y)) if whole else np.flatnonzero(pool.labeled)
        y = pool.models.training_data()[1] if whole else as_labels(pool.y[learnt])
        local = np.union1d(learnt, rows)
        refit = _Refit(
            _seeded(clone(self._model), pool.random_state),
            self._features(local),
            np.searchsorted(local, learnt),
            y,
            self._features(targets),
            pool.classes,
            error,
            -1 if whole else None,
        )
        tasks = []
        for row, weights in zip(rows, proba, strict=True):
            params = _check_method_params(
                pool.X, pool.fit_params, indices=np.union1d(learnt, [row])
            )
            tasks.append((int(np.searchsorted(local, row)), weights, params))
        return np.array(run_tasks(refit, tasks, pool.n_jobs))

    def _features(self, rows):
        return _transform(self._steps, take_rows(self._pool.X, rows))


class _Refit:
    """Fit the model with one more label, for each class: the task of one worker."""

    def __init__(self, model, X, learnt, y, targets, classes, error, missing_label):
        self.model = model
        self.X = X
        self.learnt = learnt
        self.y = y
        self.targets = targets
        self.classes = classes
        self.error = error
        self.missing_label = missing_label

    def __call__(self, position, proba, params):
        # In the order of X, as in the fit of the next round.
        where = int(np.searchsorted(self.learnt, position))
        known = where < len(self.learnt) and self.learnt[where] == position
        rows = self.learnt if known else np.insert(self.learnt, where, position)
        y = self.y.copy() if known else np.insert(self.y, where, self.classes[0])
        X = take_rows(self.X, rows)
        errors = np.zeros(len(self.classes))
        with one_thread(), warnings.catch_warnings(), _UNCHECKED():
            # The fit of the round has already warned of this.
            warnings.simplefilter("ignore", ConvergenceWarning)
            for k in np.flatnonzero(proba):
                y[where] = self.classes[k]
                errors[k] = self.error(self._predict(X, y, params))
        return errors

    def _predict(self, X, y, params):
        try:
            model = fit_classifier(
                clone(self.model), X, y, params, missing_label=self.missing_label
            )
        except Exception as error:
            error.add_note(
                "This was a refit with one more label, as expected error reduction "
                f"makes for each candidate and class, on {len(y)} rows."
            )
            raise
        return check_proba_of(model, read_proba(model, self.targets), self.classes)


class ClosedForm:
    """The probabilities after one more label are computed without a fit.

    Parameters
    ----------
    pool : Pool
        The round.

    steps : list of estimator objects
        Fitted steps of a Pipeline before the model.

    model : estimator object
        The fitted model.

    predicts_after : class
        The closed form of the model.
    """

    is_fast = True

    def __init__(self, pool, steps, model, predicts_after):
        self._pool = pool
        self._steps = steps
        self._model = model
        self._predicts_after = predicts_after

    def errors(self, rows, targets, proba, error):
        """Return the error for each row and class, by blocks of rows."""
        X, _, _ = self._pool.models.training_data()
        targets, classes = self._features(targets), self._pool.classes
        size = _BLOCK_NUMBERS // (max(targets.shape) * len(classes) ** 2)
        errors = np.zeros((len(rows), len(classes)))
        columns = np.isin(classes, self._model.classes_)  # the others have proba 0
        with one_thread():
            after = self._predicts_after(self._model, self._as_array(X), targets)
            for block in slices(len(rows), size):
                errors[block, columns] = error(after(self._features(rows[block])))
        return np.where(proba > 0, errors, 0.0)

    def _features(self, rows):
        return self._as_array(take_rows(self._pool.X, rows))

    def _as_array(self, X):
        X = _transform(self._steps, X)
        return X.tocsr() if issparse(X) else np.asarray(X)


def _split(pool, frozen):
    """Return the steps that one more label does not change, and the model."""
    model = pool.estimator
    if not isinstance(model, Pipeline) or pool.fit_params:
        return [], model
    before = [step for _, step in model.steps[:-1]]
    if any(map(is_sampler, before)):  # one more label changes all rows that it makes
        n_fixed = next(i for i, step in enumerate(before) if is_sampler(step))
        return (before[:n_fixed], model[n_fixed:]) if frozen else ([], model)
    first = [step for step in before if step not in (None, "passthrough")]
    if frozen or not any(get_tags(step).requires_fit for step in first):
        return first, model.steps[-1][1]
    return [], model


def _transform(steps, X):
    # One by one: older versions of scikit-learn take a Pipeline for unfitted if its
    # last step has learnt nothing.
    for step in steps:
        if step not in (None, "passthrough"):
            X = step.transform(X)
    return X


def _seeded(model, seed):
    """Seed all random parts of a model, so that refits are reproducible."""
    params = {
        name: int(seed)
        for name, value in model.get_params().items()
        if value is None and name.split("__")[-1] == "random_state"
    }
    return model.set_params(**params) if params else model
