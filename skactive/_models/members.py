"""The members of a committee: who they are; fitted, and predicting, in parallel."""

import pickle
import warnings
from concurrent.futures.process import BrokenProcessPool

import numpy as np
from joblib import Parallel, delayed, effective_n_jobs
from sklearn.base import clone
from sklearn.utils import check_random_state

from skactive._models.closed_set import joint_classes
from skactive._models.fitting import FitMemory, fit_classifier
from skactive._models.linear_members import LinearMembers, is_linear
from skactive.utils._capabilities import may_come
from skactive.utils._outputs import check_proba_of, codes_of, reader
from skactive.utils._rows import take_rows
from skactive.utils._shown import name_of
from skactive.utils._sklearn import (
    InvalidParameterError,
    _check_feature_names,
    _check_method_params,
    _check_n_features,
    _set_random_states,
)
from skactive.utils._threads import one_thread

# How often a bootstrap that holds one class only is drawn again.
_MAX_DRAWS = 100


def named_members(committee):
    """Return the unfitted members of a CommitteeClassifier with their names."""
    if isinstance(committee.estimator, list):
        return check_named(committee.estimator, "estimator")
    return [(str(i), committee.estimator) for i in range(committee.n_members)]


def check_named(members, parameter):
    """Return a list of members, or raise if it is not a list of (name, classifier).

    Parameters
    ----------
    members : list
        The list that was given.

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


def members_are_linear(committee):
    """Tell whether all members of a CommitteeClassifier are linear classifiers."""
    return all(is_linear(member) for _, member in named_members(committee))


def fit_members(
    committee,
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
    """Fit the members of a CommitteeClassifier on bootstraps of some rows.

    All seeds and bootstraps are drawn here, before any task is dispatched, so that
    neither the number of jobs nor their order changes the result.

    Parameters
    ----------
    committee : CommitteeClassifier
        It gets its fitted attributes.

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
        ``predict(name, model)``, called where a member has been fitted; the members
        themselves are not kept then.

    memory : FitMemory or None, default=None
        Which members have refused labels; it is kept up to date.

    missing_label : int or None, default=None
        The marker of rows without a label, if members get such rows.

    Returns
    -------
    outputs : list of length n_members, or None
        Output of `predict` for each member; None without it.
    """
    _check_feature_names(committee, X, reset=True)
    _check_n_features(committee, X, reset=True)
    committee.classes_ = np.unique(y)
    memory = FitMemory(committee.classes) if memory is None else memory
    are_clones = not isinstance(committee.estimator, list)
    members = named_members(committee)
    known = {name: memory if are_clones else memory.of(name) for name, _ in members}
    others = np.asarray(others, dtype=np.intp)
    random_state = check_random_state(committee.random_state)
    tasks = []
    for name, estimator in members:
        seed, bag_seed = random_state.randint(np.iinfo(np.int32).max, size=2)
        bag = np.arange(len(rows))
        if committee.bootstrap:
            bag = bootstrap_rows(y, np.random.default_rng(bag_seed))
        chosen = np.concatenate([rows[bag], others])
        member = clone(estimator)
        _set_random_states(member, int(seed))
        params = _check_method_params(X, fit_params or {}, indices=chosen)
        labels = _with_others(y[bag], len(others), other_labels)
        task = (name, member, X, chosen, labels, params, predict)
        tasks.append((*task, known[name], missing_label))
    results = run_tasks(fit_member, tasks, committee.n_jobs)
    # The findings of a worker process are in its copy of the memory.
    for (name, _), (_, found) in zip(members, results, strict=True):
        known[name].update(found)
    found = [result for result, _ in results]
    if predict is not None:
        return found
    _keep_members(committee, found)
    return None


def _keep_members(committee, fitted):
    committee.estimators_ = fitted
    if committee.classes is not None:
        closed = np.unique(committee.classes)
        committee.classes_ = joint_classes(committee.classes_, fitted, closed)
    committee.linear_members_ = LinearMembers.of(fitted, committee.classes_)


def _with_others(y, n_others, other_labels):
    """Return labels followed by those of other rows, or -1 for rows without one."""
    if n_others == 0:
        return y
    if other_labels is not None:
        return np.concatenate([y, other_labels])
    dtype = object if y.dtype.kind in "UO" else np.result_type(y, np.int8)
    return np.concatenate([y.astype(dtype), np.full(n_others, -1, dtype=dtype)])


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
    # As many members as there are cores are fitted at once: none needs more than one.
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
        # A model may be large: only its output goes back.
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
        The output that is wanted.
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

    If a worker process is killed, all tasks are done once more in new ones, then here.
    The tasks hold their seeds, so the result is the same.
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
                f"lack of memory; its models are fitted {attempt}.",
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
