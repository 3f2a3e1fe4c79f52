"""Detects models that do not distinguish candidates, while outputs are computed."""

from numbers import Integral

import numpy as np
from scipy.sparse import issparse

from skactive.utils._outputs import may_say_nothing, says_nothing
from skactive.utils._pipelines import last_step
from skactive.utils._rows import take_rows
from skactive.utils._shown import name_of
from skactive.utils._warning import warn_caller

# Outputs by which candidates can be ranked. Votes and classes are too coarse.
_FINE = ("predict_proba", "decision_function", "member predict_proba")
# Outputs that differ by less, in units of rounding, are the same.
_ROUNDINGS = 8
# Parameters that say how many rows a part of a model has to have.
_LEAST_ROWS = ("min_samples_leaf", "min_child_samples", "min_data_in_leaf")
# The same in XGBoost, where a row counts a quarter at most.
_LEAST_WEIGHT = "min_child_weight"
# The number of rows that are compared at once.
_N_ROWS = 1000


class Noticed:
    """Whether models distinguish the candidates of one round.

    With few labels, the output of a model may be the same for all candidates, or
    missing for some. The strategy then chooses at random, and nobody would notice. Only
    outputs that are computed anyway are checked.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_samples
        All rows.
    """

    def __init__(self, X):
        self._X = X
        self._first = {}  # for each output: a row of X, and the output for it
        self._rows = {}  # for each output that was the same so far: the rows
        self._differ = set()
        self._silent = np.empty(0, dtype=np.intp)

    def see(self, model, name, rows, raw, output, axis=0):
        """Check an output.

        Parameters
        ----------
        model : estimator object
            The model that gave it.

        name : str
            Its method.

        rows : ndarray of shape (n_rows,), dtype int
            Row numbers of `X`.

        raw, output : ndarray
            The output before and after it was checked.

        axis : int, default=0
            Where the rows are in the output.
        """
        if name in ("predict_proba", "member predict_proba") and may_say_nothing(model):
            silent = says_nothing(raw) if axis == 0 else _are_uniform(output)
            self._silent = np.union1d(self._silent, rows[silent])
        if name in _FINE and name not in self._differ and len(rows):
            self._compare(name, rows, np.moveaxis(output, axis, 0))

    def _compare(self, name, rows, output):
        _, first = self._first.setdefault(name, (rows[0], output[0].copy()))
        # Nearly always the last row differs, and no other row has to be compared.
        if _differ(output[-1], first) or _differ(output, first):
            self._differ.add(name)
            self._rows.pop(name, None)
        else:
            self._rows.setdefault(name, []).append(rows)

    @property
    def n_silent(self):
        """Number of candidates for which a model had no output."""
        return len(self._silent)

    @property
    def same_for_all(self):
        """Whether an output was the same for all candidates, although they differ.

        None if no output was computed by which they could be ranked.
        """
        if not self._first:
            return None
        return any(self._rows_differ(parts) for parts in self._rows.values())

    def _rows_differ(self, parts):
        # Equal rows have equal outputs under any model.
        first = take_rows(self._X, parts[0][:1])
        for rows in parts:
            for start in range(0, len(rows), _N_ROWS):
                some = take_rows(self._X, rows[start : start + _N_ROWS])
                if _are_different(some, first):
                    return True
        return False

    @property
    def constant_output(self):
        """Description of the output that was the same for all candidates, or None."""
        for name, parts in self._rows.items():
            output = np.atleast_1d(self._first[name][1])
            output = output.mean(axis=0) if output.ndim > 1 else output  # of members
            shown = np.array2string(output, precision=3, threshold=6)
            n_rows = len(np.unique(np.concatenate(parts)))
            method = name.split()[-1]
            return f"the same {method} for all {n_rows} candidates, {shown}"
        return None


class Reporter:
    """Warns about what is noticed, once per run for each kind."""

    def __init__(self):
        self._has_warned = set()
        self._has_distinguished = False

    def report(self, pool, strategy):
        """Warn if the model of a round does not distinguish candidates.

        There is no warning about the last few candidates of a model that has
        distinguished candidates before.

        Parameters
        ----------
        pool : Pool
            The round, after rows were selected.

        strategy : str
            Name of the strategy.
        """
        noticed = pool.noticed
        if noticed.n_silent:
            self._warn("silent", _silence_message(pool))
        same = noticed.same_for_all
        if same and not self._has_distinguished and noticed.n_silent < len(pool):
            self._warn("same", _sameness_message(pool, strategy))
        self._has_distinguished |= same is False

    def _warn(self, what, message):
        if what not in self._has_warned:
            self._has_warned.add(what)
            warn_caller(message)


def _silence_message(pool):
    name, n_silent = _name(pool), pool.noticed.n_silent
    return (
        f"{name} predicts nothing for {n_silent} of {len(pool)} candidates, as none of "
        f"{int(pool.labeled.sum())} labels reaches them (their probabilities are NaN "
        "or 0). In the selection of rows, all classes count as equally likely there. "
        "With a wider kernel, such as kernel='knn' or a smaller gamma, or with scaled "
        "features, labels reach further. This warning is issued once per run."
    )


def _sameness_message(pool, strategy):
    instead = "rows are queried at random, or by features alone"
    if strategy in ("auto", "AutoSampling"):
        instead = "'auto' queries rows that represent many others"
    return (
        f"After {int(pool.labeled.sum())} labels, {_name(pool)} returns "
        f"{pool.noticed.constant_output}, and so does not distinguish them; {instead}. "
        f"{_remedy(pool)} This warning is issued once per run; same_for_all in "
        "history_ marks every such round."
    )


def _name(pool):
    return name_of(last_step(pool.estimator))


def _remedy(pool):
    """Return advice on the parameter that prevents learning from few labels."""
    for name, value in pool.models.unfitted.get_params().items():
        last = name.rpartition("__")[2]
        # A split needs this many rows on either side.
        if last in _LEAST_ROWS and _is_least(value, pool.labeled.sum() / 2):
            return (
                f"Its {name}={value} requires more rows than there are; set it to a "
                "small number, such as 3, while labels are few."
            )
        if last == _LEAST_WEIGHT and (value is None or value >= 1):
            return (
                f"Its {name}={value or 1:g} requires more weight in a leaf than so few "
                "labels have; set it to a small number, such as 0.1, while labels are "
                "few."
            )
    return (
        "If that lasts, the model cannot learn from these labels: check its "
        "regularization, the minimum number of rows in a leaf, or the classes it knows."
    )


def _is_least(value, n_rows):
    return isinstance(value, Integral) and value > max(n_rows, 1)


def _are_uniform(member_proba):
    """Tell for which rows all classes are equally likely for some member."""
    n_classes = member_proba.shape[2]
    return (member_proba == 1.0 / n_classes).all(axis=2).any(axis=0)


def _differ(output, first):
    """Tell whether some rows of an output differ from the first."""
    size = np.maximum(np.abs(first), 1.0)
    return bool(
        (np.abs(output - first) > _ROUNDINGS * np.finfo(output.dtype).eps * size).any()
    )


def _are_different(rows, first):
    """Tell whether some rows of data differ from the first."""
    if issparse(rows):
        return (rows.max(axis=0) != rows.min(axis=0)).nnz > 0 or (
            (rows[:1] != first).nnz > 0
        )
    if isinstance(rows, np.ndarray) and rows.dtype.kind != "O":
        return bool((rows != first).any())
    rows, first = _as_objects(rows), _as_objects(first)
    return any(not _equal(a, first[0]) for a in rows)


def _as_objects(rows):
    return np.asarray(rows, dtype=object).tolist() if hasattr(rows, "shape") else rows


def _equal(first, second):
    return repr(first) == repr(second)
