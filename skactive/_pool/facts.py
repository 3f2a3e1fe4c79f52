"""The facts of a round: what is known before any model is fitted."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from skactive._pool.held_rows import HeldRows


@dataclass(frozen=True, eq=False)
class Facts:
    """The facts of one round, which are attributes of its pools.

    Attributes
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_samples
        All rows, labelled or not.

    y : ndarray of shape (n_samples,)
        Labels known to the strategy, the marker elsewhere.

    labeled : ndarray of shape (n_samples,), dtype bool
        Rows whose label is known and trained on.

    candidates : ndarray of shape (n_candidates,), dtype int
        Row numbers of `X` that may be queried, ascending. They need not be the first.

    asked : ndarray of shape (n_samples,), dtype bool
        Rows that have been queried in this run, abstentions included. By default none.

    round : int, default=1
        Number of the round, from 1.

    labeled_iter : ndarray of shape (n_samples,), dtype int
        0 for rows that were labelled from the beginning, k for those bought in round k,
        -1 for all others. By default all labels were there from the beginning.

    holdout : HeldRows
        The rows that no model is trained on, and their labels, which `y` does not hold.
        By default there are none.

    history : tuple of dict, default=()
        Records of the rounds before this one.

    unlabeled : {"ignore", "pass"} or PseudoLabels, default="ignore"
        Whether the estimator is trained on the labelled rows only, on all rows, with
        -1 for those without a label, or also on rows that are predicted confidently.

    cost : ndarray of shape (n_samples,) or None, default=None
        Price of the label of each row.

    fit_params : dict
        Parameters for the estimator's `fit`; those with a value for each row are cut to
        the rows that are trained on. By default there are none.

    all_classes : ndarray of shape (n_all_classes,) or None, default=None
        The closed set of classes, if there is one.

    random_state : int, default=0
        Seed of this round.

    tie_seed : int, default=0
        Seed of the one random order of all rows, see :meth:`skactive.Pool.tie_keys`.

    n_jobs : int or None, default=None
        Number of jobs for committees.

    can_fit : bool, default=True
        Whether enough is labelled to fit the estimator; False in a cold start.
    """

    X: Any
    y: np.ndarray
    labeled: np.ndarray
    candidates: np.ndarray
    asked: np.ndarray | None = None
    round: int = 1
    labeled_iter: np.ndarray | None = None
    holdout: HeldRows | None = None
    history: tuple = ()
    unlabeled: Any = "ignore"
    cost: np.ndarray | None = None
    fit_params: dict | None = None
    all_classes: np.ndarray | None = None
    random_state: int = 0
    tie_seed: int = 0
    n_jobs: int | None = None
    can_fit: bool = True

    def __post_init__(self):
        asked, labeled_iter = self.asked, self.labeled_iter
        if asked is None:
            asked = np.zeros(len(self.labeled), dtype=bool)
        if labeled_iter is None:
            labeled_iter = np.where(self.labeled, 0, -1)
        # Read-only, as nothing that a strategy does may reach the next round. The class
        # is frozen, so attributes are set through `vars`.
        vars(self).update(
            y=read_only(self.y),
            labeled=read_only(self.labeled),
            candidates=read_only(self.candidates),
            asked=read_only(asked),
            labeled_iter=read_only(labeled_iter),
            holdout=self.holdout or HeldRows.none(len(self.labeled)),
            cost=None if self.cost is None else read_only(self.cost),
            fit_params=self.fit_params or {},
        )


def read_only(array):
    """Return a view of an array that cannot be written to."""
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view
