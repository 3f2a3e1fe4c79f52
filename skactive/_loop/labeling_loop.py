"""Active learning without an oracle: ask for rows, tell their labels."""

import threading
from dataclasses import replace
from numbers import Integral

import numpy as np
from sklearn.base import clone

from skactive._loop.doubtful import doubtful
from skactive._loop.inputs import check_inputs
from skactive._loop.keeping import keeping_labels
from skactive._loop.looking import look
from skactive._loop.opening import begin_run
from skactive._loop.result import fit_result
from skactive._loop.saving import read, replay, save
from skactive.oracles._leases import Leases, check_name
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

    session : Session, str, path-like or None, default=None
        A :class:`Session`, or the path of one, to continue. Every answer is written to
        it at once. It needs `sample_ids`.

    **fit_params : dict
        Parameters for the `fit` of the estimator. They require metadata routing.

    See Also
    --------
    ActiveLearningClassifier : Active learning with an oracle.
    Session : The file in which all answers are kept.

    Notes
    -----
    All methods may be called from several threads. Only :meth:`ask` and :meth:`finish`
    fit models; the other methods do not wait for them.

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

    def __init__(
        self, clf, X, y, *, sample_ids=None, cost=None, session=None, **fit_params
    ):
        self._begin(
            begin_run(
                _checked(clf),
                X,
                y,
                sample_ids=sample_ids,
                cost=cost,
                session=session,
                fit_params=fit_params,
                has_oracle=True,
            )
        )

    def _begin(self, run):
        self._run = run
        self._leases = Leases()
        self._handed = _Handed()

    def ask(self, n=None, *, worker=None, lease_seconds=600.0):
        """Return the rows to label next.

        As long as some rows of a round have no answer, these rows are returned again.
        If several people or programs label at the same time, each passes its name as
        `worker`, and gets rows that no other worker has.

        Parameters
        ----------
        n : int or None, default=None
            The largest number of rows for a worker; all free rows if None.

        worker : str or None, default=None
            Name of the worker. The rows are leased to this worker: other workers do not
            get them until the lease ends. Rows that the worker holds already are
            returned again, and come first. Leases end with the process.

        lease_seconds : float, default=600.0
            Number of seconds that a lease lasts. It starts anew whenever the worker
            asks or answers. An answer that comes after its end is still taken.

        Returns
        -------
        query : Query or None
            The query. None if the run has ended; call :meth:`finish` then. For a
            worker, a query without rows means that all rows left in this round are
            leased to others: ask again later.

        Raises
        ------
        TypeError
            If `worker` is not a str, or `lease_seconds` not a number.
        ValueError
            If `worker` is empty, `n` or `lease_seconds` is not positive, or `n` is
            given without `worker`.
        SavedLoopError
            If another process has continued the session. All answers are in it.
        """
        if worker is None and n is not None:
            raise ValueError(
                "n is the number of rows for a worker; pass the name of the worker, or "
                "set batch_size of the classifier."
            )
        if n is not None and (
            isinstance(n, bool) or not isinstance(n, Integral) or n < 1
        ):
            raise ValueError(f"n must be a positive int or None, got {n!r}.")
        if worker is not None:
            check_name(worker)
        run = self._run
        with keeping_labels(run):
            if worker is None:
                query = run.ask()
                self._handed.note(query)
                return query

            def take(rows):
                return self._leases.lease(
                    rows.tolist(), n, worker, seconds=lease_seconds
                )

            query = run.ask(take)
            self._handed.note_lent()
            return None if query is None else replace(query, worker=worker)

    def tell(
        self, labels, *, query=None, indices=None, sample_ids=None, annotator=None
    ):
        """Record labels.

        The first answer for a row is taken, and later ones are ignored with a warning
        if they differ; :meth:`correct` replaces a label. A label for a row that was
        never queried is taken, too, and costs no budget.

        Parameters
        ----------
        labels : sequence of length n_labels
            Labels of the rows given by `query`, `indices` or `sample_ids`. None, nan or
            the missing label is an abstention: the row gets no label, and is not
            queried again.

            A pandas Series may have the labels in any order if its index holds exactly
            the ids of these rows; without ids, their names in the index of `X`; and
            without names, their row numbers.

        query : Query or None, default=None
            The query that the labels answer; they are in the order of its rows. If
            `query`, `indices` and `sample_ids` are all None, the labels belong to the
            query that :meth:`ask` returned last. An error is raised if that is not
            certain because several threads or any worker have asked.

        indices : array-like of shape (n_labels,) or None, default=None
            Row numbers of the labels.

        sample_ids : array-like of shape (n_labels,) or None, default=None
            Ids of the rows of the labels.

        annotator : str or None, default=None
            Who gave the labels. If None, the worker to whom the rows are leased or, if
            there is none, the annotator of the session.

        Raises
        ------
        OracleError
            If an answer is not a valid label, or the number of answers is wrong. The
            valid labels are recorded.
        ValueError
            If it is not certain which rows are meant, or there are no such rows.
        SavedLoopError
            If another process has continued the session. The labels are in it.
        """
        run = self._run
        # Before anything is recorded: a name that cannot be written blocks the file.
        if annotator is not None:
            check_name(annotator, "annotator")
        with keeping_labels(run):
            rows = self._rows_told(query, indices, sample_ids)
            held = rows.tolist()
            holders = {self._leases.holder(row) for row in held} - {None}
            if annotator is None and query is not None:
                annotator = query.worker
            if annotator is None and len(holders) == 1:
                annotator = next(iter(holders))
            try:
                run.tell(labels, rows, by=annotator)
            finally:
                self._handed.clear()
                self._leases.release(run.rounds.answered(held))
                for worker in holders if annotator is None else {annotator}:
                    self._leases.renew(worker)

    def correct(self, labels, *, indices=None, sample_ids=None, annotator=None):
        """Replace labels.

        The models of later rounds are trained on the new labels. The records of closed
        rounds in `history_` do not change; `corrections_` lists the corrections.

        Parameters
        ----------
        labels : sequence of length n_labels
            The right labels. None takes a label back: the row then counts as skipped,
            and is not queried again unless you call :meth:`ask_again`.

        indices : array-like of shape (n_labels,) or None, default=None
            Row numbers.

        sample_ids : array-like of shape (n_labels,) or None, default=None
            Ids of the rows, in place of `indices`.

        annotator : str or None, default=None
            Who corrects. If None, the annotator of the session.

        Raises
        ------
        OracleError
            If a label is not valid. Nothing is corrected then.
        ValueError
            If there are no such rows.
        SavedLoopError
            If another process has continued the session. The corrections are in it.
        """
        if annotator is not None:
            check_name(annotator, "annotator")
        with keeping_labels(self._run):
            rows = self._rows(indices, sample_ids)
            self._run.correct(labels, rows, by=annotator)

    def ask_again(self, *, indices=None, sample_ids=None):
        """Put rows in the queue: the next rounds query them before any others.

        Each of them counts in the budget once more. A new label replaces the old one;
        if the new answer is an abstention, the old label stays.

        Parameters
        ----------
        indices : array-like of shape (n_rows,) or None, default=None
            Row numbers of rows that were skipped or have a label.

        sample_ids : array-like of shape (n_rows,) or None, default=None
            Their ids, in place of `indices`.

        Raises
        ------
        ValueError
            If a row has no answer yet, or there is no such row.
        SavedLoopError
            If another process has continued the session.
        """
        with keeping_labels(self._run):
            rows = self._rows(indices, sample_ids)
            with self._run.lock:
                left = _without_answer(self._run, rows)
                if len(left):
                    title = self._run.inputs.title
                    raise ValueError(
                        f"{len(left)} rows have no answer yet, so they cannot be asked "
                        f"about again: {', '.join(map(title, left[:5].tolist()))}."
                    )
                self._run.ask_again(rows)

    def doubtful(self, n=None, *, cv=5):
        """Return the labels that a model or another annotator contradicts.

        Confident learning [1]_ judges each label by a model that was trained on the
        labels of other rows.

        Parameters
        ----------
        n : int or None, default=None
            The largest number of labels to return; all doubtful ones if None.

        cv : int, default=5
            Number of folds. Each of them costs a fit. A class with fewer labels than
            folds is only in some of them.

        Returns
        -------
        doubts : list of DoubtfulLabel
            The most doubtful first. Each has the attributes `index` and `sample_id` of
            the row, its `label`, the class `suggested` in its place, the `score`
            (probability of the label, from 0 to 1, or None if the model could not judge
            it), and the `other_answers`; `why` gives the reason in words.

        Raises
        ------
        ValueError
            If there are too few labels to judge any, and no other answers.

        See Also
        --------
        correct : Replace labels.
        ask_again : Ask about rows again.

        References
        ----------
        .. [1] C. Northcutt, L. Jiang, I. Chuang. "Confident learning: estimating
           uncertainty in dataset labels". Journal of Artificial Intelligence Research
           70, 2021.
        """
        with keeping_labels(self._run):
            return doubtful(self._run, n=n, cv=cv)

    def look(self):
        """Return the utilities and probabilities of all candidates, block by block.

        It does not change which rows are queried later.

        Returns
        -------
        blocks : iterator of CandidateBlock
            Each has the `indices` of its rows, and arrays with an entry for each of
            them: `sample_ids`, `utilities` and `proba`, whose columns are `classes`.
            `sample_ids` is None if there are no ids, `utilities` if the strategy does
            not compute any or cannot yet, and `proba` if there is no model with
            `predict_proba` yet.
        """
        with keeping_labels(self._run):
            return look(self._run)

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
        """Save the loop to a file, so that another process can continue it.

        The file is an SQLite database. It holds the rows that were queried, all answers
        and the seed of the run, but neither `X` nor a model. Saving again appends what
        is new, in one transaction.

        If another process has saved answers to the file since, this loop takes them
        over; of two answers for one row, the one saved first stays. If the other
        process has begun another round, the answers of this loop are added to the file,
        and an error is raised: the loop has to be loaded again.

        Parameters
        ----------
        path : str or path-like
            The file. It is created if it does not exist.

        Raises
        ------
        SavedLoopError
            If the file exists and is not that of this loop, cannot be written to, or
            another process has begun another round. The error has the labels of this
            loop.
        ValueError
            If the loop has a session, and `path` is another file. A session saves every
            answer at once.
        OSError
            If there is no such folder, or `path` is a folder.

        See Also
        --------
        load : Load a saved loop.
        """
        with keeping_labels(self._run):
            save(self._run, path)

    @classmethod
    def load(cls, path, clf, X, y, *, sample_ids=None, cost=None, **fit_params):
        """Load a saved loop, and continue as if it had never been closed.

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
            other rows. The error has the labels in the file.
        OSError
            If there is no such file.

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
        ...     path = os.path.join(folder, "loop.db")
        ...     loop.save(path)
        ...     resumed = LabelingLoop.load(path, clf, X, y)
        >>> bool(resumed.ask().indices == rows[1:])
        True
        """
        saved = read(path)
        with saved.keeping_labels():
            inputs = check_inputs(
                _checked(clf),
                X,
                y,
                sample_ids=sample_ids,
                cost=cost,
                fit_params=fit_params,
                has_oracle=True,
            )
            loop = cls.__new__(cls)
            loop._begin(replay(inputs, saved))  # noqa: SLF001 (of the same class)
        return loop

    def _rows_told(self, query, indices, sample_ids):
        """Return the row numbers that labels belong to."""
        run = self._run
        given = [x for x in (query, indices, sample_ids) if x is not None]
        if len(given) > 1:
            raise ValueError("Pass only one of query, indices and sample_ids to tell.")
        if query is not None:
            if query.sample_ids is not None and run.inputs.sample_ids is not None:
                return run.inputs.find(query.sample_ids)
            return self._rows(query.indices, None)
        if given:
            return self._rows(indices, sample_ids)
        if run.rounds.open is None:
            raise ValueError(
                "There is no open round; call ask() before tell(), or pass query, "
                "indices or sample_ids."
            )
        self._handed.check(run)
        return run.rounds.open.rows_left  # the rows that ask() returns again and again

    def _rows(self, indices, sample_ids):
        """Return row numbers for row numbers or ids."""
        if (indices is None) == (sample_ids is None):
            raise ValueError("Pass either indices or sample_ids.")
        inputs = self._run.inputs
        if sample_ids is not None:
            return inputs.find(sample_ids)
        rows, n_rows = np.asarray(indices), len(inputs.y)
        if rows.size == 0:
            return np.empty(0, dtype=np.intp)
        is_int = rows.ndim == 1 and rows.dtype.kind in "iu"
        if not is_int or rows.min() < 0 or rows.max() >= n_rows:
            raise ValueError(
                f"indices must hold row numbers, from 0 to {n_rows - 1}, got "
                f"{shown_values(np.ravel(rows))}."
            )
        return rows.astype(np.intp)


def _checked(clf):
    if isinstance(clf, type) or not hasattr(clf, "initial_strategy"):
        raise TypeError(
            "The 'clf' parameter of LabelingLoop must be an object of the class "
            f"ActiveLearningClassifier, got {shown(clf)}."
        )
    return clf


def _without_answer(run, rows):
    """Return the rows, of those given, that have never had an answer."""
    is_left, opened = ~run.ledger.settled[rows], run.rounds.open
    if opened is not None and opened.selected_by != "again":
        is_left |= np.isin(rows, opened.rows_left)
    return rows[is_left]


class _Handed:
    """Remembers whether labels told without rows can only belong to one query."""

    def __init__(self):
        self._threads = set()
        self._last = None
        self._repeated_in = None
        self._is_lent = False

    def note_lent(self):
        """Remember that rows were leased to a worker."""
        self._is_lent = True

    def note(self, query):
        """Remember a query that was returned."""
        if query is None:
            return
        self._threads.add(threading.get_ident())
        rows = query.indices.tolist()
        if self._last == rows and self._repeated_in is None:
            self._repeated_in = query.round
        self._last = rows

    def clear(self):
        """Remember that rows were told."""
        self._last = None

    def check(self, run):
        """Raise if labels may belong to an earlier query, or to that of a worker."""
        if self._is_lent:
            raise ValueError(
                "Rows are leased to workers, so it is not certain which rows these "
                "labels belong to. Pass query=..., the query that they answer, or "
                "indices or sample_ids."
            )
        was_repeated = self._repeated_in not in (None, run.rounds.open.number)
        if was_repeated or len(self._threads) > 1:
            raise ValueError(
                "Several threads have called ask(), or it has returned the same rows "
                "more than once, so these labels may belong to an earlier query. Pass "
                "query=..., the query that they answer, or indices or sample_ids."
            )
