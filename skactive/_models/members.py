"""Fitting the members of a committee, and predicting with them, in parallel."""

import pickle
import warnings
from concurrent.futures.process import BrokenProcessPool

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs

from skactive._models.fitting import fit_classifier
from skactive.utils._outputs import check_proba_of, codes_of, reader
from skactive.utils._rows import take_rows
from skactive.utils._shown import name_of
from skactive.utils._threads import one_thread

# So often a bootstrap is drawn again that holds one class only.
_MAX_DRAWS = 100


def bootstrap_rows(labels, rng):
    """Draw rows with replacement that hold more than one class, if there are several.

    Parameters
    ----------
    labels : ndarray of shape (n_samples,)
        Labels.

    rng : numpy.random.Generator
        Draws.

    Returns
    -------
    rows : ndarray of shape (n_samples,), dtype int
        Positions in `labels`.
    """
    n_samples = len(labels)
    _, first = np.unique(labels, return_index=True)
    for _ in range(_MAX_DRAWS if len(first) > 1 else 1):
        rows = rng.integers(n_samples, size=n_samples)
        if len(first) == 1 or (labels[rows] != labels[rows[0]]).any():
            return rows
    one_each = np.array(
        [rng.choice(np.flatnonzero(labels == labels[row])) for row in first]
    )
    rest = np.delete(np.arange(n_samples), one_each)
    if len(rest) == 0:
        return one_each
    return np.concatenate([one_each, rng.choice(rest, len(rest))])


def fit_member(name, member, X, rows, y, params, predict, memory, missing_label):
    """Fit one member, and predict with it if wanted: the task of one worker.

    Returns the member or its output, and the memory, which is a copy in a process.
    """
    with one_thread():
        try:
            model = fit_classifier(
                member,
                take_rows(X, rows),
                y,
                params,
                missing_label=missing_label,
                memory=memory,
            )
        except Exception as error:
            error.add_note(
                f"This was member {name} ({type(member).__name__}) of a committee, "
                f"fitted on {len(rows)} rows of {len(np.unique(y))} classes."
            )
            raise
        if predict is None:
            return model, memory
        # A model may be large: where its output was wanted, it stays where it is.
        return predict(name, model), memory


def predict_member(name, model, X, classes, method):
    """Return one member's classes, or probabilities in the order of `classes`."""
    with one_thread():
        output = reader(model, method)(X)
    if method == "predict":
        return output
    return check_proba_of(model, output, classes, _name_of(name, model))


def _name_of(name, model):
    return f"Member {name} ({name_of(model)})"


class MemberOutput:
    """Predicts for a whole pool where a member is fitted: a part of a worker's task.

    Parameters
    ----------
    predictor : BlockPredictor
        Predicts on blocks of rows.

    candidates : ndarray of shape (n_candidates,), dtype int
        Rows of the pool.

    slices : list of slice
        Candidates of each block.

    classes : ndarray of shape (n_classes,)
        Sorted classes.

    method : {"predict", "predict_proba"}
        What is wanted.
    """

    def __init__(self, predictor, candidates, slices, classes, method):
        self.predictor = predictor
        self.candidates = candidates
        self.slices = slices
        self.classes = classes
        self.method = method

    def __call__(self, name, model):
        def predict(X):
            output = predict_member(name, model, X, self.classes, self.method)
            if self.method == "predict":
                return codes_of(output, self.classes, _name_of(name, model))
            return output

        parts = [self.candidates[positions] for positions in self.slices]
        return np.concatenate([self.predictor.predict(predict, part) for part in parts])


def run_tasks(function, tasks, n_jobs):
    """Call a function for each of several tuples of arguments, in parallel if wanted.

    If a worker process is killed, all is done once more in new ones, then here: the
    tasks hold their seeds, so the result is the same.
    """
    n_workers = min(effective_n_jobs(n_jobs), len(tasks))
    if n_workers == 1:
        return [function(*task) for task in tasks]
    # One dispatch per worker: small fits take no longer than a dispatch.
    shares = [tasks[first::n_workers] for first in range(n_workers)]
    for attempt in ("once more in new processes", "in this process"):
        try:
            # Arrays travel with the task: the large ones are backed by files already.
            parallel = Parallel(n_jobs=n_jobs, max_nbytes=None)
            results = parallel(delayed(_run_share)(function, share) for share in shares)
            return [results[i % n_workers][i // n_workers] for i in range(len(tasks))]
        except BrokenProcessPool as error:
            warnings.warn(
                f"A worker process was killed ({type(error).__name__}), perhaps for "
                f"want of memory; its models are fitted {attempt}.",
                UserWarning,
                stacklevel=2,
            )
        except pickle.PicklingError as error:
            raise ValueError(
                "A model cannot be sent to another process: "
                f"{error} Use n_jobs=1, or threads: "
                "`with joblib.parallel_config(backend='threading')`."
            ) from error
    return [function(*task) for task in tasks]


def _run_share(function, tasks):
    return [function(*task) for task in tasks]
