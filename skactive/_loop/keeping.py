"""Errors that carry the labels bought so far, and advise what to do."""

from contextlib import contextmanager

from skactive._loop.rehearsal import as_text
from skactive._loop.waiting import HOPELESS
from skactive.exceptions import ActiveLearningError


@contextmanager
def keeping_labels(run):
    """Attach the labels bought so far to an error that is raised within.

    Parameters
    ----------
    run : Run
        The run.
    """
    try:
        yield
    except BaseException as error:  # labels must survive Ctrl-C, too
        if run.rounds.n_queries and getattr(error, "labels", None) is None:
            bought = run.bought()
            error.labels, error.indices = bought["labels"], bought["indices"]
            error.add_note(
                f"{len(bought['labels'])} labels had been bought before. They are in "
                "the attributes `labels` and `indices` of this exception and, after "
                "`fit`, in `transduction_` of the classifier."
            )
        raise


@contextmanager
def explaining_fit(run, pool):
    """Add advice to the error of an estimator that cannot be fitted.

    Before the first label is bought, the estimator's own error is raised, with a note.
    After that it is the cause of an ActiveLearningError with the labels.

    Parameters
    ----------
    run : Run
        The run.

    pool : Pool
        The pool whose estimator is fitted within.
    """
    try:
        yield
    except Exception as error:
        # Without an oracle this is a plain fit on the labels of y. An error of a
        # strategy, a criterion or an oracle is not about the fit.
        if pool.models.fits.failed is None or run.condition == "no_oracle":
            raise
        if isinstance(error, OSError):  # a full disk has nothing to do with labels
            raise
        if isinstance(error, HOPELESS):  # the message says what to do
            if not run.rounds.n_queries:
                raise
            raise ActiveLearningError(str(error), **run.bought()) from error
        hint = run.models.hint(run, pool, error)
        if not run.rounds.n_queries:
            error.add_note(hint)
            raise
        what = " ".join(map(as_text, [error, *getattr(error, "__notes__", [])]))
        raise ActiveLearningError(
            f"A model could not be fitted: {what} {hint}", **run.bought()
        ) from error
