"""Models that cannot be fitted yet: whether more labels help, and what to say."""

import re

from skactive._loop.rehearsal import (
    MAX_LABELS,
    as_text,
    enough_labels,
    is_network,
    made_up_classes,
    rehearse,
)
from skactive._models.fitting import OtherLabelsError
from skactive.acquisition._registry import uses_committee
from skactive.utils._capabilities import MissingMethodError
from skactive.utils._labels import as_labels
from skactive.utils._outputs import OutputShapeError
from skactive.utils._shown import shown
from skactive.utils._warning import warn_caller

# Errors of a fit that have nothing to do with the labels.
_NOT_ABOUT_LABELS = (OSError, MemoryError, ImportError)
# Errors about a classifier that no labels would help.
HOPELESS = (MissingMethodError, OtherLabelsError, OutputShapeError)

# A pattern in the message of an error, advice, and whether more labels may help.
_REMEDIES = [
    (
        r"unknown categories",
        "Some rows have a category that no row with a label has: set "
        'handle_unknown="ignore" or categories=... of the encoder.',
        False,
    ),
    (
        r"splits|fold|least populated class|members in each class|train_size|"
        r"test_size|validation.set|all the \d+ fits failed",
        "It splits the labels, for cross-validation or early stopping: use fewer folds "
        "(cv=2), or do not split anything off (early_stopping=False).",
        True,
    ),
    (
        r"n_neighbors|k_neighbors",
        "It looks for more neighbours than there are labels, perhaps of one class: "
        "lower n_neighbors or k_neighbors.",
        True,
    ),
    (
        r"n_components",
        "It needs more rows with a label than it has components: lower n_components, "
        "or set it to a share of the variance.",
        True,
    ),
    (
        r"number of priors",
        "It has a prior for each class: if these are all classes, give them in "
        "classes= of ActiveLearningClassifier.",
        False,
    ),
    (
        r"out of bounds for axis 1",
        "If some rows have a category that no row with a label has: CategoricalNB "
        "takes min_categories=..., the number of all categories.",
        False,
    ),
    (r"pos_label", "Set pos_label to one of the classes.", False),
]


class Waiting:
    """Decides whether a model that cannot be fitted needs more labels.

    Some models need more labels than two classes, for instance for a cross-validation.
    The cold start goes on until such a model can be fitted. This would never end, and
    cost all of the budget, if the error had another reason. So a clone is fitted on
    made-up labels: the run waits only if some number of them is enough.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs of the run.

    Attributes
    ----------
    has_begun : bool
        Whether a model could not be fitted yet, and a warning has said so.
    """

    def __init__(self, inputs):
        self.has_begun = False
        self._inputs = inputs
        self._uses_members = uses_committee(inputs.strategy)
        self._enough = {}  # number of labels that are enough, by the classes seen

    def classes(self, pool):
        """Return the classes of made-up labels in a round."""
        labels = as_labels(pool.y[pool.labeled])
        inputs = self._inputs
        return made_up_classes(labels, inputs.classes, inputs.y, inputs.clf.estimator)

    def rehearse_first_model(self, pool, n_more, n_left):
        """Warn if a model may not be fitted on the labels of the cold start.

        Parameters
        ----------
        pool : Pool
            The pool of the first round, with too few labels for a model.

        n_more : int
            Number of labels that will be added before the first model is fitted.

        n_left : int
            Number of labels that can be added in the whole run.

        Raises
        ------
        ValueError
            If the set of classes is closed, and no labels of the run could help.
        """
        n_known, classes = int(pool.labeled.sum()), self.classes(pool)
        n_most = n_known + n_left
        n_first = min(max(n_known + n_more, 2), n_most)
        if n_first < 2 or is_network(pool.models.unfitted):
            return
        error = rehearse(pool, n_first, classes)
        if error is None:
            return
        if isinstance(error, OutputShapeError):  # other labels would not help
            raise error
        n_enough = enough_labels(pool, 2 * n_first, n_most, classes)
        what = (
            f"{shown(pool.models.unfitted)} cannot be fitted on {n_first} labels of "
            f"{len(classes)} classes in equal shares, as a fit on made-up labels "
            f"shows: {as_text(error)}"
        )
        if n_enough is None:
            what += f" Nor can it on {n_most} labels, and the run can have no more."
        text = f"{what} {how_to_help(error, n_enough)}".strip()
        # The labels bought may be of two classes only, which some models accept. It is
        # an error only if that would not help either.
        closed = self._inputs.classes is not None and n_most <= MAX_LABELS
        no_way = closed and n_enough is None
        if no_way and rehearse(pool, n_most, classes[:2]) is not None:
            raise ValueError(text) from error
        warn_caller(text)

    def can_wait(self, pool, error, n_left):
        """Return whether a model that raised an error only needs more labels.

        The first time that it does, there is a warning.

        Parameters
        ----------
        pool : Pool
            The pool of the round.

        error : Exception
            The error.

        n_left : int
            Number of labels that can be added.

        Returns
        -------
        can_wait : bool
            Whether the model could be fitted with more labels of the classes seen.
        """
        if not may_need_labels(pool, error):
            return False
        # Fits are slow, so once for each set of classes. A new class may change the
        # outcome; one more label of the same classes hardly does.
        classes = tuple(pool.seen.tolist())
        if classes not in self._enough:
            self._enough[classes] = self._enough_labels(pool, n_left)
        n_enough = self._enough[classes]
        if n_enough is not None and not self.has_begun:
            self.has_begun = True
            owner, n_labels = shown(pool.models.fits.failed), pool.labeled.sum()
            warn_caller(
                f"{owner} cannot be fitted yet on {n_labels} labels of {len(classes)} "
                f"classes: {as_text(error)} The cold start goes on until it can. "
                f"{how_to_help(error, n_enough)}".strip()
            )
        return n_enough is not None

    def hint(self, pool, error, n_left, n_rows, condition):
        """Describe a fit that failed, and what can be done about it.

        Parameters
        ----------
        pool : Pool
            The pool of the round.

        error : Exception
            The error of the classifier.

        n_left : int
            Number of labels that can be added in this run.

        n_rows : int
            Number of labels that could be added with a larger budget.

        condition : str or None
            The value of `termination_condition_`; None if the run can go on.

        Returns
        -------
        text : str
            Sentences.
        """
        if len(pool.seen) == 1:
            return _one_class(pool, condition)
        sentences = [
            f"This was a fit of {shown(pool.models.fits.failed)} on "
            f"{pool.labeled.sum()} labels of {len(pool.seen)} classes.",
            how_to_help(error, None),
        ]
        n_enough = self._enough_labels(pool, n_rows) if n_rows else 0
        if n_enough is None:
            sentences.append("It fails with more labels of these classes as well.")
        elif n_enough:
            in_reach = n_enough <= pool.labeled.sum() + n_left
            way = "ask() goes on" if in_reach else "raise the budget"
            sentences.append(
                f"It could be fitted on {n_enough} labels in equal shares: {way}."
            )
        return " ".join(filter(None, sentences))

    def _enough_labels(self, pool, n_left):
        n_known = int(pool.labeled.sum())
        return enough_labels(
            pool,
            2 * n_known,
            n_known + n_left,
            self.classes(pool),
            members=self._uses_members,
        )


def may_need_labels(pool, error):
    """Return whether a fit has failed for a reason that labels may remove.

    Parameters
    ----------
    pool : Pool
        The pool of the round.

    error : Exception
        The error.

    Returns
    -------
    may_need : bool
        False also for errors of a strategy or a criterion.
    """
    has_failed = pool.models.fits.failed is not None
    return has_failed and not isinstance(error, (*_NOT_ABOUT_LABELS, *HOPELESS))


def _one_class(pool, condition):
    """Say what can be done if all labels are of one class."""
    what = f"All {pool.labeled.sum()} labels are of the class {pool.seen[0]!s}"
    if condition is None:
        return f"{what} so far; ask() goes on."
    if condition == "budget":
        return (
            f"{what}, and the budget is spent. Raise it, or give a label of another "
            "class in y."
        )
    if condition in ("all_labeled", "all_asked"):
        return (
            f"{what}, and no row is left to query: there are no other classes to tell "
            "apart from it."
        )
    return (
        f"{what}, and the run was ended by {condition!r}. Let it go on, or give a "
        "label of another class in y."
    )


def how_to_help(error, n_enough):
    """Return advice about a fit that failed.

    Parameters
    ----------
    error : Exception
        The error of the classifier.

    n_enough : int or None
        Number of labels in equal shares that are enough, if it is known.

    Returns
    -------
    text : str
        Sentences, or an empty string. They name `initial_size` only if more labels
        help.
    """
    found = [
        (advice, takes_more)
        for pattern, advice, takes_more in _REMEDIES
        if re.search(pattern, str(error), re.IGNORECASE)
    ]
    sentences = [advice for advice, _ in found[:1]]
    if n_enough is not None and all(takes_more for _, takes_more in found[:1]):
        sentences.append(
            f"{'Or let' if found else 'Let'} the cold start buy more labels: "
            f"initial_size={n_enough} is enough if they come in equal shares."
        )
    return " ".join(sentences)


def warn_of_no_committee(pool, error):
    """Warn that the committee of a run cannot be fitted, while the classifier can.

    Parameters
    ----------
    pool : Pool
        The last pool, with a fitted classifier.

    error : Exception
        The error of a member of the committee.
    """
    warn_caller(
        "committee_ is None, as a member could not be fitted on its sample of the "
        f"{pool.labeled.sum()} labels: {as_text(error)} estimator_ is fitted on all of "
        "them."
    )
