"""Exceptions of skactive."""

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
    """An active learning run failed. The error has the labels bought so far.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels bought in this run before it failed.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Row numbers of `labels`.

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
    """The oracle failed, or gave an answer that is not a valid label.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Valid labels bought in this run.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Row numbers of `labels`.

    answers : object, default=None
        The answers that are not valid, as the oracle returned them.

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
    """`fit` was called on a classifier that is being fitted.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels bought in the fit that is in progress.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Row numbers of `labels`.

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
        Labels in the file, if it can be read.

    indices : ndarray of shape (n_labels,) or None, default=None
        Row numbers of `labels` in the data of the saved loop; their ids if it was made
        with `sample_ids`.

    Examples
    --------
    >>> from skactive.exceptions import SavedLoopError
    >>> SavedLoopError("budget was 10 and is 20", labels=[1], indices=[7]).indices
    [7]
    """


class StopLabeling(Exception):
    """Raised by an oracle to end the run without an error.

    Parameters
    ----------
    message : str, default=""
        Why no more labels are given.

    labels : sequence or None, default=None
        Labels of the first rows of the current batch, if there are any.

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
    """The file of a label store cannot be used.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels bought in this run before the error.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Row numbers of `labels`.

    answers : dict or None, default=None
        Answers that were paid for and could not be written, by sample id.

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
    """The file of a label store was locked by another program for too long.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels bought in this run before the error.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Row numbers of `labels`.

    answers : dict or None, default=None
        Answers that were paid for and could not be written, by sample id.
    """


class StoreCorruptedError(StoreError):
    """The file of a label store is damaged, or is not a label store.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels bought in this run before the error.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Row numbers of `labels`.

    answers : dict or None, default=None
        Answers that were paid for and could not be written, by sample id.
    """


class StoreVersionError(StoreError):
    """The file of a label store was written by another version of skactive.

    Parameters
    ----------
    message : str, default=""
        What happened, and what to do.

    labels : ndarray of shape (n_labels,) or None, default=None
        Labels bought in this run before the error.

    indices : ndarray of shape (n_labels,), dtype int, or None, default=None
        Row numbers of `labels`.

    answers : dict or None, default=None
        Answers that were paid for and could not be written, by sample id.
    """
