"""Active learning without a callback: ask for rows, tell their labels."""

import numpy as np
from sklearn.base import clone

from skactive._loop.inputs import check_inputs
from skactive._loop.keeping import keeping_labels
from skactive._loop.result import fit_result
from skactive._loop.run import Run
from skactive._loop.saving import read, replay, state_of, write
from skactive.utils._shown import shown, shown_values


class LabelingLoop:
    """Active learning without a callback: ask for rows, tell their labels.

    :meth:`ActiveLearningClassifier.fit` runs on this loop; use it directly where
    labels come from outside, for instance from a web page or a spreadsheet.

    Parameters
    ----------
    clf : ActiveLearningClassifier
        Says how to learn and what to ask. It is not changed.

    X : {array-like, sparse matrix, data frame, list} of shape (n_samples, n_features)
        All rows, see :meth:`ActiveLearningClassifier.fit`.

    y : array-like of shape (n_samples,)
        Labels, and `clf.missing_label` where none is known.

    sample_ids : array-like of shape (n_samples,) or None, default=None
        Unique ints or strs that identify the rows.

    cost : array-like of shape (n_samples,) or None, default=None
        Price of the label of each row.

    **fit_params : dict
        Parameters for the estimator's `fit`, with metadata routing enabled.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier, LabelingLoop
    >>> X = np.linspace(0, 10, 11).reshape(-1, 1)
    >>> y = np.full(11, -1)
    >>> y[[0, 10]] = 0, 1
    >>> clf = ActiveLearningClassifier(LogisticRegression(), budget=3, batch_size=1)
    >>> loop = LabelingLoop(clf, X, y)
    >>> while (query := loop.ask()) is not None:
    ...     loop.tell([int(x > 4.2) for x in query.X[:, 0]])
    >>> loop.finish().predict([[1.0], [9.0]])
    array([0, 1])
    """

    def __init__(self, clf, X, y, *, sample_ids=None, cost=None, **fit_params):
        if isinstance(clf, type) or not hasattr(clf, "initial_strategy"):
            raise TypeError(
                "The 'clf' parameter of LabelingLoop must be an object of the class "
                f"ActiveLearningClassifier, got {shown(clf)}."
            )
        self._run = Run(
            check_inputs(
                clf,
                X,
                y,
                sample_ids=sample_ids,
                cost=cost,
                fit_params=fit_params,
                has_oracle=True,
            )
        )

    def ask(self):
        """Return the rows whose labels are wanted next.

        As long as some rows of a round have no answer, it is these.

        Returns
        -------
        query : Query or None
            None when there is nothing more to ask; call :meth:`finish` then.
        """
        return self._run.ask()

    def tell(self, labels, *, indices=None, sample_ids=None):
        """Record labels.

        Parameters
        ----------
        labels : sequence of length n_labels
            Labels of the rows of the last :meth:`ask`, in their order, or of the rows
            named by `indices` or `sample_ids`; a pandas Series whose index holds
            exactly the ids of these rows (or their names in `X`; or their numbers, if
            there are neither) may have them in any order. None, nan or the missing
            label means that there is no answer; the row is not asked again.

        indices : array-like of shape (n_labels,), default=None
            Row numbers of `X` that the labels belong to.

        sample_ids : array-like of shape (n_labels,), default=None
            Ids of the rows that the labels belong to.

        Raises
        ------
        OracleError
            If an answer is no label, or the number of answers is wrong. The other
            labels are recorded.
        ValueError
            If a row has never been asked.
        """
        with keeping_labels(self._run):
            self._run.tell(labels, self._rows_told(indices, sample_ids))

    def finish(self):
        """Return a classifier fitted on all labels known now.

        It can be called at any time, and does not end the loop.

        Returns
        -------
        clf : ActiveLearningClassifier
            A fitted clone.
        """
        fitted = clone(self._run.inputs.clf)
        vars(fitted).update(fit_result(self._run).attributes())
        return fitted

    def save(self, path):
        """Write the rounds into a file, to go on in another process.

        The file is replaced as a whole or not at all. It holds the rows that were
        asked, all answers and the seed of the run, but neither `X` nor a model.

        Parameters
        ----------
        path : str or path-like
            The file, of JSON. One that exists is replaced.

        See Also
        --------
        load : Go on with a saved loop.
        """
        with keeping_labels(self._run):
            write(path, state_of(self._run))

    @classmethod
    def load(cls, path, clf, X, y, *, sample_ids=None, cost=None, **fit_params):
        """Go on with a saved loop, as if it had never been closed.

        The rounds of the file are replayed with their answers, so that strategies and
        criteria that keep state have it again. This fits the models of these rounds
        once more.

        Parameters
        ----------
        path : str or path-like
            A file that :meth:`save` has written.

        clf : ActiveLearningClassifier
            As the loop was made of; only `oracle`, `n_jobs` and `verbose` may differ.

        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            The same rows in the same order.

        y : array-like of shape (n_samples,)
            The same labels: those that the loop began with.

        sample_ids : array-like of shape (n_samples,) or None, default=None
            The same ids.

        cost : array-like of shape (n_samples,) or None, default=None
            The same prices.

        **fit_params : dict
            The same parameters for the estimator's `fit`.

        Returns
        -------
        loop : LabelingLoop
            Its :meth:`ask` gives the open rest of the last round, or the next round.

        Raises
        ------
        SavedLoopError
            If the file is no saved loop, is damaged or of a newer version, if it was
            made of other inputs, or if other rows are selected in the replay. The
            labels of the file come with the error.

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skactive import ActiveLearningClassifier, LabelingLoop
        >>> X = np.linspace(0, 10, 11).reshape(-1, 1)
        >>> y = np.full(11, -1)
        >>> y[[0, 10]] = 0, 1
        >>> clf = ActiveLearningClassifier(LogisticRegression(), batch_size=2)
        >>> loop = LabelingLoop(clf, X, y)
        >>> rows = loop.ask().indices
        >>> loop.tell([1], indices=rows[:1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "loop.json")
        ...     loop.save(path)
        ...     resumed = LabelingLoop.load(path, clf, X, y)
        >>> bool(resumed.ask().indices == rows[1:])
        True
        """
        saved = read(path)
        with saved.keeping_labels():
            loop = cls(clf, X, y, sample_ids=sample_ids, cost=cost, **fit_params)
            loop._run = replay(loop._run.inputs, saved)
        return loop

    def _rows_told(self, indices, sample_ids):
        """Return the row numbers that labels are told for."""
        run = self._run
        if indices is None and sample_ids is None:
            if run.open is None:
                raise ValueError(
                    "There is no open question; call ask() before tell(), or name the "
                    "rows by indices or sample_ids."
                )
            return run.open.rows_left
        if indices is not None and sample_ids is not None:
            raise ValueError("Pass indices or sample_ids to tell, not both.")
        if sample_ids is None:
            rows = np.asarray(indices)
        else:
            rows = run.inputs.find(sample_ids)
        if not run.ledger.knows(rows):
            raise ValueError(
                "Labels can be told only for rows that ask() has returned, got "
                f"the rows {shown_values(np.ravel(rows))}."
            )
        return rows.astype(np.intp)
