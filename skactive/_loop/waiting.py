"""A model that cannot be fitted yet: whether to wait for labels, and what to say."""

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
from skactive.utils._capabilities import MissingMethodError
from skactive.utils._labels import as_labels
from skactive.utils._outputs import OutputShapeError
from skactive.utils._shown import shown
from skactive.utils._warning import warn_caller

# What may be raised within a fit without the labels having to do with it.
_NO_WANT_OF_LABELS = (OSError, MemoryError, ImportError)
# Faults of a classifier that more labels do not mend.
HOPELESS = (MissingMethodError, OtherLabelsError, OutputShapeError)

# What messages speak of, what can be done, and whether it may take more labels.
_REMEDIES = [
    (
        r"unknown categories",
        "Some rows hold a category that the rows with a label do not: set "
        'handle_unknown="ignore" or categories=... of the encoder.',
        False,
    ),
    (
        r"splits|fold|least populated class|members in each class|train_size|"
        r"test_size|validation.set|all the \d+ fits failed",
        "It splits the labels, for a cross-validation or early stopping within: let it "
        "make fewer folds (cv=2), or split nothing off (early_stopping=False).",
        True,
    ),
    (
        r"n_neighbors|k_neighbors",
        "It looks for more neighbours than there are labels, of a class perhaps: lower "
        "n_neighbors or k_neighbors.",
        True,
    ),
    (
        r"n_components",
        "It wants more components than there are rows with a label: lower "
        "n_components, or give it as a share of the variance.",
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
        "If some rows hold a category that the rows with a label do not: CategoricalNB "
        "takes min_categories=..., the number of all there are.",
        False,
    ),
    (r"pos_label", "Set pos_label to one of the classes.", False),
]


class Waiting:
    """Finds out whether a model that cannot be fitted only needs more labels.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs of the run.

    estimator : estimator object
        The unfitted classifier.

    members : bool
        Whether the run looks at the members of a committee.

    Attributes
    ----------
    has_begun : bool
        Whether some model could not be fitted yet, which has been said.
    """

    def __init__(self, inputs, estimator, *, members):
        self.has_begun = False
        self._inputs = inputs
        self._estimator = estimator
        self._members = members
        self._enough = {}  # by the classes known: how many labels would do

    def classes(self, pool):
        """Return the classes of labels that are made up in a round."""
        labels = as_labels(pool.y[pool.labeled])
        inputs = self._inputs
        return made_up_classes(labels, inputs.classes, inputs.y, self._estimator)

    def rehearse_first_model(self, pool, n_more, n_left):
        """Warn if a model may not be fitted on the labels of the cold start.

        Parameters
        ----------
        pool : Pool
            The first round, in which there are too few labels for a model.

        n_more : int
            How many labels there will be more when the first model is fitted.

        n_left : int
            How many there can be more at the end.

        Raises
        ------
        ValueError
            If the set of classes is closed, and no labels of the run could help.
        """
        n_known, classes = int(pool.labeled.sum()), self.classes(pool)
        n_most = n_known + n_left
        n_first = min(max(n_known + n_more, 2), n_most)
        if n_first < 2 or is_network(pool.unfitted):
            return
        error = rehearse(pool, n_first, classes)
        if error is None:
            return
        if isinstance(error, OutputShapeError):  # other labels would not help
            raise error
        n_enough = enough_labels(pool, 2 * n_first, n_most, classes)
        what = (
            f"{shown(pool.unfitted)} cannot be fitted on {n_first} labels of "
            f"{len(classes)} classes in equal shares, as a rehearsal with made-up ones "
            f"shows: {as_text(error)}"
        )
        if n_enough is None:
            what += f" Nor can it on {n_most} labels, and the run can have no more."
        text = f"{what} {how_to_help(error, n_enough)}".strip()
        closed = self._inputs.classes is not None and n_most <= MAX_LABELS
        no_way = closed and n_enough is None
        if no_way and rehearse(pool, n_most, classes[:2]) is not None:
            raise ValueError(text) from error
        warn_caller(text)

    def can_wait(self, pool, error, n_left):
        """Tell whether a model that raised an error only needs more labels.

        They would be of the classes that are known now. If so, it is said, once.

        Parameters
        ----------
        pool : Pool
            The round.

        error : Exception
            What was raised.

        n_left : int
            How many labels there can be more.

        Returns
        -------
        can_wait : bool
            False if the error has nothing to do with labels.
        """
        if not self.is_want_of_labels(pool, error):
            return False
        classes = tuple(pool.seen.tolist())
        if classes not in self._enough:
            self._enough[classes] = self._enough_labels(pool, n_left)
        n_enough = self._enough[classes]
        if n_enough is not None and not self.has_begun:
            self.has_begun = True
            owner, n_labels = shown(pool.failed_estimator), pool.labeled.sum()
            warn_caller(
                f"{owner} cannot be fitted yet on {n_labels} labels of {len(classes)} "
                f"classes: {as_text(error)} The cold start goes on until it can. "
                f"{how_to_help(error, n_enough)}".strip()
            )
        return n_enough is not None

    @staticmethod
    def is_want_of_labels(pool, error):
        """Tell whether a fit has failed, and labels may have to do with it."""
        no_want = (*_NO_WANT_OF_LABELS, *HOPELESS)
        return pool.fit_failed and not isinstance(error, no_want)

    def hint(self, pool, error, n_left, n_rows, condition):
        """Say what a fit that failed was made on, and what can be done about it.

        Parameters
        ----------
        pool : Pool
            The round.

        error : Exception
            What the classifier has raised.

        n_left : int
            How many labels there can be more.

        n_rows : int
            How many there could be with another budget.

        condition : str or None
            Why the run has ended; None if it can go on.

        Returns
        -------
        text : str
            Sentences.
        """
        if len(pool.seen) == 1:
            return _one_class(pool, condition)
        sentences = [
            f"This was a fit of {shown(pool.failed_estimator)} on "
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
            members=self._members,
        )


def _one_class(pool, condition):
    """Say what can be done where all labels are of one class."""
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
            f"{what}, and no row is left that could be asked: there is nothing here "
            "that could be told from it."
        )
    return (
        f"{what}, and the run was ended by {condition!r}. Let it go on, or give a "
        "label of another class in y."
    )


def how_to_help(error, n_enough):
    """Return sentences that say what can be done about a fit that failed.

    Parameters
    ----------
    error : Exception
        What the classifier has raised.

    n_enough : int or None
        With how many labels in equal shares it could be fitted, if that is known.

    Returns
    -------
    text : str
        It names `initial_size` only where more labels help; it may be empty.
    """
    found = [
        (advice, takes_more)
        for pattern, advice, takes_more in _REMEDIES
        if re.search(pattern, str(error), re.IGNORECASE)
    ]
    sentences = [advice for advice, _ in found[:1]]
    if n_enough is not None and all(takes_more for _, takes_more in found[:1]):
        sentences.append(
            f"{'Or let' if found else 'Let'} the cold start ask more labels: "
            f"initial_size={n_enough} would do if they came in equal shares."
        )
    return " ".join(sentences)


def warn_of_no_committee(pool, error):
    """Say that the classifier of a run is fitted on all labels, but no committee.

    Parameters
    ----------
    pool : Pool
        The last round, whose classifier is fitted.

    error : Exception
        What a member of the committee has raised.
    """
    warn_caller(
        f"committee_ is None: a member could not be fitted on what it drew of the "
        f"{pool.labeled.sum()} labels, as {as_text(error)} estimator_ is fitted on all "
        "of them."
    )
