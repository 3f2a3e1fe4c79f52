"""Errors and signals of skactive."""

__all__ = [
    "ActiveLearningError",
    "FitInProgressError",
    "OracleError",
    "SavedLoopError",
    "StopLabeling",
    "StoreBusyError",
    "StoreCorruptedError",
    "StoreError",
    "StoreVersionError",
]


class ActiveLearningError(Exception):
    """An active learning run failed; the labels bought so far come with the error.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels that the oracle gave in this run before it failed.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Rows of `X` that `labels` belong to.

    Examples
    --------
    >>> from skactive.exceptions import ActiveLearningError
    >>> error = ActiveLearningError("The fit failed.", labels=[1], indices=[7])
    >>> error.labels, error.indices
    ([1], [7])
    """

    def __init__(self, message="", *, labels=None, indices=None):
        super().__init__(message)
        self.labels = labels
        self.indices = indices

    def __reduce__(self):
        # The default reduction passes `args` only and loses the keyword arguments.
        return type(self), self.args, self.__dict__


class OracleError(ActiveLearningError, ValueError):
    """The oracle failed, or gave an answer that cannot be a label.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels that the oracle gave in this run and that were accepted.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Rows of `X` that `labels` belong to.

    answers : object, default=None
        The answers that were refused, as the oracle returned them.

    Examples
    --------
    >>> from skactive.exceptions import OracleError
    >>> OracleError("expected 2 labels, got 1", answers=[0]).answers
    [0]
    """

    def __init__(self, message="", *, labels=None, indices=None, answers=None):
        super().__init__(message, labels=labels, indices=indices)
        self.answers = answers


class FitInProgressError(ActiveLearningError, RuntimeError):
    """A classifier was to be fitted while a fit of it was running.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels that the oracle gave in the run that was going on.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Rows of `X` that `labels` belong to.

    Examples
    --------
    >>> from skactive.exceptions import FitInProgressError
    >>> issubclass(FitInProgressError, RuntimeError)
    True
    """


class SavedLoopError(ActiveLearningError, ValueError):
    """A saved loop cannot be loaded, or not with this classifier and these data.

    Parameters
    ----------
    message : str, default=""
        What is wrong with the file, or which inputs differ, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels that stand in the file, if it can be read.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Rows that `labels` belong to, as the saved loop counted them.

    Examples
    --------
    >>> from skactive.exceptions import SavedLoopError
    >>> SavedLoopError("budget was 10 and is 20", labels=[1], indices=[7]).indices
    [7]
    """


class StopLabeling(Exception):
    """Raised by an oracle to end the run normally.

    Parameters
    ----------
    message : str, default=""
        Why no more labels are given.

    labels : sequence or None, default=None
        Labels of the first rows of the current batch, if some were made.

    Examples
    --------
    >>> from skactive.exceptions import StopLabeling
    >>> def ask(X):
    ...     raise StopLabeling("It is five o'clock.", labels=[1, 0])
    """

    def __init__(self, message="", *, labels=None):
        super().__init__(message)
        self.labels = labels

    def __reduce__(self):
        return type(self), self.args, self.__dict__


class StoreError(ActiveLearningError):
    """The file that keeps the labels could not be used.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels that the oracle gave in this run before.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Rows of `X` that `labels` belong to.

    answers : dict or None, default=None
        Answers that were paid and could not be written, by sample id.

    Examples
    --------
    >>> from skactive.exceptions import StoreError
    >>> StoreError("The disk is full.", answers={"a": 1}).answers
    {'a': 1}
    """

    def __init__(self, message="", *, labels=None, indices=None, answers=None):
        super().__init__(message, labels=labels, indices=indices)
        self.answers = answers


class StoreBusyError(StoreError):
    """The file that keeps the labels was locked by another program for too long.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels that the oracle gave in this run before.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Rows of `X` that `labels` belong to.

    answers : dict or None, default=None
        Answers that were paid and could not be written, by sample id.
    """


class StoreCorruptedError(StoreError):
    """The file that keeps the labels is damaged, or is something else.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels that the oracle gave in this run before.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Rows of `X` that `labels` belong to.

    answers : dict or None, default=None
        Answers that were paid and could not be written, by sample id.
    """


class StoreVersionError(StoreError):
    """The file that keeps the labels was written by another version of skactive.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels that the oracle gave in this run before.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Rows of `X` that `labels` belong to.

    answers : dict or None, default=None
        Answers that were paid and could not be written, by sample id.
    """
