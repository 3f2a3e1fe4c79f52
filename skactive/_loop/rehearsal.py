"""Fits on made-up labels, to find out what a model does with labels not bought yet."""

import warnings
from contextlib import contextmanager

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from skactive._pool.facts import Facts
from skactive._pool.models import RoundModels
from skactive._pool.pool import Pool
from skactive.utils._labels import as_labels, store_label
from skactive.utils._rows import take_rows
from skactive.utils._sklearn import _check_method_params, _set_random_states

# The largest numbers of labels that are made up, and of rows that are predicted.
MAX_LABELS = 1000
_N_TRIED = 10
_N_DRAWS = 2
_MAX_ROWS = 20_000
_MAX_TEXT = 400

# Networks are not tried before the first payment: they are slow to fit, and accept
# nearly any number of labels.
_NETWORKS = ("skactive.deep.", "skorch.", "scikeras.", "keras.", "torch.")


def is_network(estimator):
    """Return whether a classifier, or a part of it, is a neural network."""
    parts = [estimator]
    if hasattr(estimator, "get_params"):
        parts += estimator.get_params(deep=True).values()
    modules = {
        base.__module__
        for part in parts
        if not isinstance(part, type)
        for base in type(part).__mro__
    }
    return any(f"{name}.".startswith(_NETWORKS) for name in modules)


def rehearse(pool, n_labels, classes, *, members=False):
    """Fit a clone on made-up labels in equal shares, and predict with it.

    Parameters
    ----------
    pool : Pool
        The pool of the round. Its own labels are kept. It is not changed.

    n_labels : int
        Number of labels, including those of the pool.

    classes : ndarray of shape (n_classes,)
        Classes of the made-up labels.

    members : bool, default=False
        Whether the members of the committee are fitted, too.

    Returns
    -------
    error : Exception or None
        The error of the classifier.
    """
    # A classifier may fail only because the labels of a draw have no pattern. So a
    # second draw decides.
    rng = np.random.RandomState(pool.random_state)
    for _ in range(_N_DRAWS):
        error = _rehearse(pool, n_labels, classes, rng, members)
        if error is None:
            break
    return error


def _rehearse(pool, n_labels, classes, rng, members):
    failed = pool.models.fits.failed
    estimator = clone(pool.models.unfitted if failed is None else failed)
    _set_random_states(estimator, rng)
    n_more = max(0, n_labels - int(pool.labeled.sum()))
    drawn = rng.permutation(pool.candidates)
    rows = np.sort(drawn[:n_more])
    y, labeled = pool.y.copy(), pool.labeled.copy()
    labels = _equal_shares(as_labels(y[labeled]), classes, len(rows))
    for row, label in zip(rows.tolist(), rng.permutation(labels).tolist(), strict=True):
        y = store_label(y, row, label)
    labeled[rows] = True
    others = np.sort(drawn[n_more:][:_MAX_ROWS])
    if not len(others):
        others = np.flatnonzero(labeled)
    trial = _trial(
        estimator,
        pool.models.unfitted_committee,
        X=pool.X,
        y=y,
        labeled=labeled,
        candidates=others,
        unlabeled=_mode(pool),
        fit_params=pool.fit_params,
        random_state=pool.random_state,
        n_jobs=pool.n_jobs,
    )
    with _without_a_trace():
        try:
            trial.predictions  # noqa: B018
            if members and hasattr(trial.committee, "predict_member_proba"):
                trial.member_proba  # noqa: B018
            if members:  # a strategy may use either of the two
                trial.votes  # noqa: B018
        except Exception as error:  # any error of the classifier
            return error
    return None


def fails_with(pool, rows, classes):
    """Return whether a classifier cannot be fitted because of some rows.

    Parameters
    ----------
    pool : Pool
        The pool of the first round.

    rows : ndarray of shape (n_rows,), dtype int
        The rows.

    classes : ndarray of shape (n_classes,)
        Classes of the made-up labels.

    Returns
    -------
    it_does : bool
        False for networks, which are not tried.
    """
    n_labels = int(pool.labeled.sum()) + _N_TRIED
    if is_network(pool.models.unfitted) or rehearse(pool, n_labels, classes) is None:
        return False
    if pool.labeled[rows].any():
        return True
    return rehearse(_without(pool, rows), n_labels, classes) is None


def _without(pool, rows):
    """Return a pool of the other rows only."""
    # It is not enough to leave out candidates: models predict blocks of X, including
    # the rows between the candidates.
    others = np.delete(np.arange(len(pool.y)), rows)
    return _trial(
        pool.models.unfitted,
        X=take_rows(pool.X, others),
        y=pool.y[others],
        labeled=pool.labeled[others],
        candidates=np.flatnonzero(np.isin(others, pool.candidates)),
        unlabeled=_mode(pool),
        fit_params=_check_method_params(pool.X, pool.fit_params, indices=others),
        random_state=pool.random_state,
    )


def _mode(pool):
    """Return which rows a trial trains on; it has no use for pseudo-labels."""
    return "pass" if pool.unlabeled == "pass" else "ignore"


def _trial(estimator, committee=None, **facts):
    """Return a pool that shares nothing with those of the run."""
    return Pool(RoundModels(Facts(**facts), estimator, committee))


def enough_labels(pool, n_labels, n_most, classes, *, members=False):
    """Find a number of labels that a classifier can be fitted on.

    Parameters
    ----------
    pool : Pool
        The pool of a round in which it cannot be fitted.

    n_labels : int
        The first number that is tried. Each further number is twice the last one.

    n_most : int
        The largest number that is tried.

    classes : ndarray of shape (n_classes,)
        Classes of the labels.

    members : bool, default=False
        Whether the members of the committee are fitted, too.

    Returns
    -------
    n_enough : int or None
        None if none of the numbers is enough.
    """
    n_known = int(pool.labeled.sum())
    n_most = min(n_most, n_known + min(len(pool), MAX_LABELS))
    sizes = [n for n in (n_labels << np.arange(10)).tolist() if n < n_most]
    for n in [*sizes, n_most]:
        if rehearse(pool, n, classes, members=members) is None:
            return n
    return None


def made_up_classes(labels, closed, like, estimator):
    """Return the classes of made-up labels.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,)
        The labels known.

    closed : ndarray of shape (n_classes,) or None
        The closed set of classes.

    like : ndarray
        Labels and markers. Its dtype decides on the type of classes if no label is
        known.

    estimator : estimator object
        The unfitted classifier. Its parameters may name classes.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        The closed set, or the classes known. If only one or none is known, two classes.
    """
    if closed is not None:
        return closed
    known = np.unique(labels).tolist()
    if len(known) < 2:
        for label in [*_named_classes(estimator), *_possible_classes(known, like)]:
            if label not in known:
                known.append(label)
            if len(known) > 1:
                break
    return np.array(sorted(known), dtype=object if isinstance(known[0], str) else None)


def _possible_classes(known, like):
    """Return classes of the same type as those known, or of the type of `like`."""
    texts = isinstance(known[0], str) if known else like.dtype.kind in "UO"
    if texts:
        return ["one class", "another class"]
    if like.dtype.kind == "b" or (known and isinstance(known[0], bool)):
        return [False, True]
    return [0, 1]


def _named_classes(estimator):
    """Return the classes that parameters of a classifier name."""
    nested = estimator.get_params(deep=True) if hasattr(estimator, "get_params") else {}
    found = []
    for name, value in nested.items():
        last = name.rpartition("__")[2]
        if last in ("class_weight", "sampling_strategy") and isinstance(value, dict):
            found += value
        if last == "pos_label" and value is not None:
            found.append(value)
    return found


def as_text(error):
    """Return the message of an error as a sentence, cut if it is long."""
    text = str(error).strip() or type(error).__name__
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT]} [...]"
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _equal_shares(labels, classes, n_more):
    """Return labels that make the shares of the classes as equal as possible."""
    counts = np.array([np.count_nonzero(labels == label) for label in classes.tolist()])
    # Every class gets its n-th label before any class gets its (n + 1)-th.
    levels = counts[:, None] + np.arange(n_more)
    order = np.argsort(levels, axis=None, kind="stable")[:n_more]
    return classes[order // max(n_more, 1)]


@contextmanager
def _without_a_trace():
    """Silence warnings, and restore numpy's global random state."""
    # Estimators with random_state=None draw from it. Whether there was a rehearsal must
    # not change what they draw later.
    generator = check_random_state(None)
    state = generator.get_state()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        generator.set_state(state)
