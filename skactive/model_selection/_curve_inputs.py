"""Inputs of a replay: data, strategies and splits, checked before it begins."""

from dataclasses import dataclass
from numbers import Integral

import numpy as np
from sklearn.base import clone
from sklearn.model_selection import check_cv
from sklearn.utils import check_random_state, indexable

from skactive.acquisition._registry import check_model, clone_strategy
from skactive.datasets import hide_labels
from skactive.utils._containers import check_aligned, refuse_lazy
from skactive.utils._labels import check_y, labeled_mask
from skactive.utils._rows import of_known_library
from skactive.utils._shown import shown

# Parameters of the classifier that are set for every run.
_SET_HERE = ("oracle", "random_state", "missing_label")
_NEEDED = {"strategy", "batch_size", "budget", "stopping", *_SET_HERE}


@dataclass(frozen=True)
class Split:
    """The rows of one split, as row numbers of X, and the seed of its runs."""

    train: np.ndarray
    test: np.ndarray
    initial: np.ndarray  # positions in train
    seed: int


def check_estimator(estimator):
    missing = _NEEDED.difference(estimator.get_params(deep=False))
    if missing:
        raise TypeError(
            "active_learning_curve takes an ActiveLearningClassifier, got "
            f"{type(estimator).__name__}. Put it inside: "
            "ActiveLearningClassifier(your_estimator), a Pipeline as a whole."
        )


def check_data(estimator, X, y):
    """Return X in a form from which rows can be taken, and the labels."""
    marker = estimator.missing_label
    refuse_lazy(X, "X")
    check_aligned(X, {"y": y})
    X, y = indexable(of_known_library(X), y)
    _, labeled, labels = check_y(y, marker, has_oracle=True)
    if not labeled.all():
        raise ValueError(
            f"{(~labeled).sum()} of the {len(labeled)} labels in y are "
            f"{marker!r}, which is missing_label of the estimator, and "
            "active_learning_curve replays the labelling of data whose labels are all "
            f"known. If {marker!r} is a class, set another marker, for instance "
            "missing_label=None; else leave out the rows without a label."
        )
    return X, labels


def get_variants(estimator, strategies):
    """Return {name: classifier}; the classifier for all labels has the name None."""
    if strategies is None:
        strategies = [estimator.strategy]
    if isinstance(strategies, str):
        strategies = [strategies]
    if not isinstance(strategies, dict):
        names = [_name_of(strategy) for strategy in strategies]
        if len(set(names)) < len(names):
            raise ValueError(
                f"strategies has a name twice: {names}. Name them in a dict."
            )
        strategies = dict(zip(names, strategies, strict=True))
    if not strategies or not all(isinstance(name, str) for name in strategies):
        raise ValueError(
            "strategies must name at least one strategy, and names are strings; got "
            f"{shown(strategies)}."
        )
    variants = {None: clone(estimator).set_params(oracle=None, stopping=None)}
    for name, strategy in strategies.items():
        variants[name] = _variant(estimator, name, strategy)
    return variants


def _name_of(strategy):
    if isinstance(strategy, str):
        return strategy
    return getattr(strategy, "__name__", type(strategy).__name__)


def _variant(estimator, name, strategy):
    """Return the classifier of a strategy, checked as far as possible before a run."""
    params = strategy if isinstance(strategy, dict) else {"strategy": strategy}
    refused = sorted(set(_SET_HERE).intersection(params))
    if refused:
        raise ValueError(
            f"The strategy {name!r} sets {refused}, which must be the same for all "
            "strategies: an oracle that knows the labels, a seed for each split, and "
            "missing_label as the estimator has it."
        )
    try:
        # The oracle of the user is never asked here, and may not be picklable.
        variant = clone(estimator).set_params(oracle=None, **params)
        variant._validate_params()
        check_model(
            clone_strategy(variant.strategy), variant.estimator, variant.committee
        )
    except (TypeError, ValueError) as error:
        kind = ValueError if isinstance(error, ValueError) else TypeError
        raise kind(f"The strategy {name!r} cannot be used: {error}") from error
    return variant


def get_seed(random_state, path):
    if path is not None and not isinstance(random_state, Integral):
        raise ValueError(
            "random_state must be an int where there is a path, so that a run that was "
            f"interrupted can go on; got {shown(random_state)}."
        )
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(check_random_state(random_state).randint(np.iinfo(np.int32).max))


def make_splits(estimator, X, y, *, cv, initial, seed):
    cv = check_cv(cv, y, classifier=True)
    splits = []
    for number, parts in enumerate(cv.split(X, y)):
        train, test = map(_as_row_numbers, parts)
        # From the seed and the split alone: strategies and splits may be added later.
        state = np.random.SeedSequence([seed, number]).generate_state(2)
        of_labels, of_run = (int(value) for value in state % (2**31 - 1))
        rows = _initial_rows(y[train], initial, estimator.missing_label, of_labels)
        splits.append(Split(train, test, rows, of_run))
    if not splits:
        raise ValueError("cv gives no splits of the rows.")
    return splits


def _as_row_numbers(rows):
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype.kind == "b" else rows


def _initial_rows(y_train, initial, missing_label, seed):
    """Return the rows of a training part whose labels are known from the beginning."""
    if not callable(initial):
        hidden = hide_labels(
            y_train,
            initial,
            stratify=True,
            missing_label=missing_label,
            random_state=seed,
        )
        return np.flatnonzero(labeled_mask(hidden, missing_label))
    rows = np.asarray(initial(y_train, seed))
    valid = rows.ndim == 1 and (rows.dtype.kind in "iu" or not len(rows))
    rows = np.unique(rows)
    if not valid or (len(rows) and not 0 <= rows[0] <= rows[-1] < len(y_train)):
        raise ValueError(
            f"initial must return row numbers of the {len(y_train)} labels that it "
            f"gets, got {shown(rows)}."
        )
    return rows.astype(np.intp)
