"""Fits on made-up labels: they tell what a model makes of labels not paid for yet."""

import warnings
from contextlib import contextmanager

import numpy as np
from sklearn.base import clone
from sklearn.utils import check_random_state

from skactive.utils._labels import as_labels, store_label
from skactive.utils._rows import take_rows
from skactive.utils._sklearn import _check_method_params, _set_random_states

# More labels than these are not made up, and more rows are not predicted.
MAX_LABELS = 1000
_N_TRIED = 10
_N_DRAWS = 2
_MAX_ROWS = 20_000
_MAX_TEXT = 400

# Networks take long to fit, and few of them mind how many labels there are.
_NETWORKS = ("skactive.deep.", "skorch.", "scikeras.", "keras.", "torch.")


def is_network(estimator):
    """Tell whether a classifier, or a part of it, is a neural network."""
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
    """Fit a clone on labels that are made up in equal shares, and predict with it.

    Labels that are drawn have no pattern, which alone may be what a classifier minds;
    so if it raises, others are drawn once.

    Parameters
    ----------
    pool : Pool
        The round. Its labels are kept, and nothing of it changes.

    n_labels : int
        How many labels there are to be, those of the pool included.

    classes : ndarray of shape (n_classes,)
        Classes of the made-up labels.

    members : bool, default=False
        Whether the members of the committee are fitted, too.

    Returns
    -------
    error : Exception or None
        What the classifier has raised.
    """
    rng = np.random.RandomState(pool.random_state)
    for _ in range(_N_DRAWS):
        error = _rehearse(pool, n_labels, classes, rng, members)
        if error is None:
            break
    return error


def _rehearse(pool, n_labels, classes, rng, members):
    failed = pool.failed_estimator
    estimator = clone(pool.unfitted if failed is None else failed)
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
    trial = pool.with_labels(y, labeled, others, estimator=estimator)
    with _without_a_trace():
        try:
            trial.predictions  # noqa: B018
            if members and hasattr(trial.committee, "predict_member_proba"):
                trial.member_proba  # noqa: B018
            if members:  # a strategy may look at either
                trial.votes  # noqa: B018
        except Exception as error:  # whatever the classifier raises
            return error
    return None


def fails_with(pool, rows, classes):
    """Tell whether some rows keep a classifier from being fitted.

    Parameters
    ----------
    pool : Pool
        The first round.

    rows : ndarray of shape (n_rows,), dtype int
        The rows.

    classes : ndarray of shape (n_classes,)
        Classes of the labels that are made up.

    Returns
    -------
    it_does : bool
        False for networks, which take long to fit.
    """
    n_labels = int(pool.labeled.sum()) + _N_TRIED
    if is_network(pool.unfitted) or rehearse(pool, n_labels, classes) is None:
        return False
    if pool.labeled[rows].any():
        return True
    return rehearse(_without(pool, rows), n_labels, classes) is None


def _without(pool, rows):
    """Return a pool of the other rows alone: candidates are predicted where they lie,
    with rows between them."""
    others = np.delete(np.arange(len(pool.y)), rows)
    return type(pool)(
        take_rows(pool.X, others),
        pool.y[others],
        pool.labeled[others],
        np.flatnonzero(np.isin(others, pool.candidates)),
        estimator=pool.unfitted,
        unlabeled="pass" if pool.unlabeled == "pass" else "ignore",
        fit_params=_check_method_params(pool.X, pool.fit_params, indices=others),
        random_state=pool.random_state,
    )


def enough_labels(pool, n_labels, n_most, classes, *, members=False):
    """Find out how many labels a classifier could be fitted on.

    Parameters
    ----------
    pool : Pool
        A round in which it cannot.

    n_labels : int
        With how many labels to begin; each number that is tried doubles the last one.

    n_most : int
        How many labels there can be.

    classes : ndarray of shape (n_classes,)
        Classes of the labels.

    members : bool, default=False
        Whether the members of the committee are fitted, too.

    Returns
    -------
    n_enough : int or None
        None if there is no such number up to `n_most`.
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
        Labels that are known.

    closed : ndarray of shape (n_classes,) or None
        The closed set of classes, if there is one.

    like : ndarray
        Labels and markers; its dtype says what labels are if none is known.

    estimator : estimator object
        The unfitted classifier. Classes that its parameters name are likely.

    Returns
    -------
    classes : ndarray of shape (n_classes,)
        The closed set, or the classes known, made up to two if there are fewer.
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
    """Return classes of the kind of those known, or of that which `like` can hold."""
    texts = isinstance(known[0], str) if known else like.dtype.kind in "UO"
    if texts:
        return ["one class", "another class"]
    if like.dtype.kind == "b" or (known and isinstance(known[0], bool)):
        return [False, True]
    return [0, 1]


def _named_classes(estimator):
    """Return classes that parameters of a classifier speak of."""
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
    """Return the message of an error as a sentence, without the data it may print."""
    text = str(error).strip() or type(error).__name__
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT]} [...]"
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _equal_shares(labels, classes, n_more):
    """Return labels that make the shares of the classes as equal as can be."""
    counts = np.array([np.count_nonzero(labels == label) for label in classes.tolist()])
    # The n-th label of a class is made up before the n-th and one of another.
    levels = counts[:, None] + np.arange(n_more)
    order = np.argsort(levels, axis=None, kind="stable")[:n_more]
    return classes[order // max(n_more, 1)]


@contextmanager
def _without_a_trace():
    """Keep warnings, and numpy's global random state, as they are."""
    generator = check_random_state(None)
    state = generator.get_state()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        generator.set_state(state)
