"""Active learning by hand: ask for rows, tell their labels."""

import numpy as np
from sklearn.base import clone

from skactive._loop.inputs import check_inputs
from skactive._loop.keeping import keeping_labels
from skactive._loop.result import fit_result
from skactive._loop.run import Run
from skactive._loop.saving import read, replay, state_of, write
from skactive.utils._shown import shown, shown_values


class LabelingLoop:
    """Active learning without an oracle: ask for rows, tell their labels.

    Use it where labels come from outside the program, for instance from a web page or
    a spreadsheet. :meth:`ActiveLearningClassifier.fit` runs the same loop with an
    oracle.

    Read more in the :ref:`User Guide <ask_tell>`.

    Parameters
    ----------
    clf : ActiveLearningClassifier
        The classifier whose parameters define the run. The loop works on a clone.

    X : {array-like, sparse matrix, data frame, list} of shape (n_samples, n_features)
        Labelled and unlabelled rows, see :meth:`ActiveLearningClassifier.fit`.

    y : array-like of shape (n_samples,)
        Labels. Unlabelled rows are marked by `clf.missing_label`.

    sample_ids : array-like of shape (n_samples,) or None, default=None
        Unique ints or strs that identify the rows.

    cost : array-like of shape (n_samples,) or None, default=None
        Price of the label of each row.

    **fit_params : dict
        Parameters for the `fit` of the estimator. They require metadata routing.

    See Also
    --------
    ActiveLearningClassifier : Active learning with an oracle.

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
        """Return the rows to label next.

        As long as some rows of a round have no answer, these rows are returned again.

        Returns
        -------
        query : Query or None
            The query. None if the run has ended; call :meth:`finish` then.
        """
        with keeping_labels(self._run):
            return self._run.ask()

    def tell(self, labels, *, indices=None, sample_ids=None):
        """Record labels.

        Parameters
        ----------
        labels : sequence of length n_labels
            Labels of the rows given by `indices` or `sample_ids`, or by default of
            the rows that :meth:`ask` returned last, in the same order. None, nan or
            the missing label is an abstention: the row gets no label, and is not
            queried again.

            A pandas Series may have the labels in any order if its index holds exactly
            the ids of these rows; without ids, their names in the index of `X`; and
            without names, their row numbers.

        indices : array-like of shape (n_labels,), default=None
            Row numbers of the labels.

        sample_ids : array-like of shape (n_labels,), default=None
            Ids of the rows of the labels.

        Raises
        ------
        OracleError
            If an answer is not a valid label, or the number of answers is wrong. The
            valid labels are recorded.
        ValueError
            If a row was never returned by :meth:`ask`.
        """
        with keeping_labels(self._run):
            self._run.tell(labels, self._rows_told(indices, sample_ids))

    def finish(self):
        """Return a classifier fitted on all labels known so far.

        It can be called at any time, and does not end the loop.

        Returns
        -------
        clf : ActiveLearningClassifier
            A fitted clone of the classifier that the loop was made with.
        """
        fitted = clone(self._run.inputs.clf)
        vars(fitted).update(fit_result(self._run).attributes())
        return fitted

    def save(self, path):
        """Save the loop to a file, to go on in another process.

        The file is JSON. It holds the rows that were queried, all answers and the seed
        of the run, but neither `X` nor a model. It is written as a whole or not at all.

        Parameters
        ----------
        path : str or path-like
            The file. An existing file is replaced.

        See Also
        --------
        load : Load a saved loop.
        """
        with keeping_labels(self._run):
            write(path, state_of(self._run))

    @classmethod
    def load(cls, path, clf, X, y, *, sample_ids=None, cost=None, **fit_params):
        """Load a saved loop, and go on as if it had never been closed.

        The rounds of the file are replayed with their answers, which restores the state
        of strategies and stopping criteria. The models of these rounds are fitted
        again.

        Parameters
        ----------
        path : str or path-like
            A file written by :meth:`save`.

        clf : ActiveLearningClassifier
            The classifier that the loop was made with. Only `oracle`, `n_jobs` and
            `verbose` may differ.

        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            The same rows in the same order.

        y : array-like of shape (n_samples,)
            The labels that the loop began with, without those told later.

        sample_ids : array-like of shape (n_samples,) or None, default=None
            The same ids.

        cost : array-like of shape (n_samples,) or None, default=None
            The same prices.

        **fit_params : dict
            The same parameters for the `fit` of the estimator.

        Returns
        -------
        loop : LabelingLoop
            Its :meth:`ask` returns the rows of the last round that have no answer, or
            the next round.

        Raises
        ------
        SavedLoopError
            If the file is not a saved loop, is damaged, or was written by a newer
            version; if the loop was made with other inputs; or if the replay selects
            other rows. The labels in the file come with the error.

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
            # The inputs are checked as for a new loop, whose run is then replaced.
            loop = cls(clf, X, y, sample_ids=sample_ids, cost=cost, **fit_params)
            loop._run = replay(loop._run.inputs, saved)
        return loop

    def _rows_told(self, indices, sample_ids):
        """Return the row numbers that labels belong to."""
        run = self._run
        if indices is None and sample_ids is None:
            if run.open is None:
                raise ValueError(
                    "There is no open question; call ask() before tell(), or pass "
                    "indices or sample_ids."
                )
            return run.open.rows_left  # the rows that ask() returns again and again
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
