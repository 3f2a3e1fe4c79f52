"""CachedOracle: keeps every answer in a file, so that no row is paid for twice."""

import inspect
import json
import os
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from numbers import Integral, Real

from sklearn.base import BaseEstimator

from skactive.oracles._asking import prepare_oracle
from skactive.oracles._cached_run import CachedRun, inner_keywords, user_name
from skactive.oracles._exchange import read_answers, write_records
from skactive.oracles._run_facts import RunFacts
from skactive.oracles._store.answers import to_key
from skactive.oracles._store.store import LabelStore
from skactive.utils._containers import list_of
from skactive.utils._labels import parse_label
from skactive.utils._shown import BriefMixin, shown
from skactive.utils._sklearn import Function, Interval, StrOptions


class _SignatureOfCall:
    """The signature of a CachedOracle: it names `proba` only if the inner one does.

    The model's probabilities are not computed for an oracle that does not want them.
    """

    def __get__(self, oracle, owner):
        if oracle is None:  # the class keeps the signature of its __init__
            raise AttributeError("__signature__")
        signature = inspect.signature(type(oracle).__call__)
        try:
            wanted = inner_keywords(oracle.oracle)
        except (TypeError, ValueError):
            wanted = ()  # the error comes when the oracle is used
        drop = {"self", "proba"} - set(wanted)
        parameters = signature.parameters.values()
        return signature.replace(
            parameters=[p for p in parameters if p.name not in drop]
        )


# A hundred years; threads cannot wait much longer (`threading.TIMEOUT_MAX`).
_LONGEST = 100 * 366 * 86_400


class CachedOracle(BriefMixin, BaseEstimator):
    """Keep the answers of an oracle in a file, and pay for each row once.

    A row that is in the file is answered from there. `oracle` is asked about all
    others, and its answers are written before they are used: a list in one
    transaction, the answers of an iterator one by one. This holds over folds,
    candidates, refits, processes and restarts. Rows are identified by `sample_ids`.

    Rows are also paid for once if several processes use the file at the same time:
    where one of them is asking about a row, the others wait for its answer.

    Parameters
    ----------
    oracle : callable
        Gives the labels that the file does not know, like the `oracle` of
        :class:`~skactive.ActiveLearningClassifier`. If its signature names
        `request_ids`, it also gets one str per row, always the same for a row, by which
        a service recognizes a row that it has answered (and charged for) before.

    path : str or path-like
        The file, an SQLite database. It is made if it does not exist.

    task : str, default="default"
        Name of the question. The answers to another question about the same rows are
        kept under another name.

    max_calls : int or None, default=None
        Number of times that `oracle` may be called, by all who use the file.

    max_cost : float or None, default=None
        Sum that may be spent, by all who use the file. The fit parameter `cost` says
        what a row costs; without it, a row costs 1.

    annotator : str or None, default=None
        Who answers; written with each answer. The name of the user if None.

    claim_seconds : float, default=60.0
        If a process dies while it asks about rows, others ask about them after this
        number of seconds. An oracle may take longer while its process lives. If no
        answer is fetched from an iterator for this time, it gives up its remaining
        rows; it asks about them again if it is continued.

    timeout : float, default=60.0
        Number of seconds to wait while another program locks the file.

    rows : {"ignore", "warn", "raise"}, default="ignore"
        What happens if `sample_ids` are used again for other rows. With "warn" and
        "raise", a hash of the content of each row is stored with its answer, and
        compared when the answer is used again: if it differs, there is a warning, or an
        error before anything is asked. Answers stored without a hash are not compared.
        Choose "ignore" if the content of a row may change, for instance because a
        preprocessing step is fitted anew in each fold.

    See Also
    --------
    SimulatedOracle : Answer from a table.
    ids_of_rows : Make sample ids from the contents of rows.

    Notes
    -----
    After a failure of `oracle`, nothing more is paid for through the file until
    :meth:`reset` is called, so that a search does not pay for a failure in each fold.
    To retry at once, put the retries inside: ``CachedOracle(retrying(ask), path)``.
    When `max_calls` or `max_cost` is reached, the run ends as if the oracle had raised
    :class:`~skactive.exceptions.StopLabeling`.

    The object has no state besides its parameters: copies and pickles of it use the
    same file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skactive.oracles import CachedOracle
    >>> def ask(X):
    ...     print("asked about", X)
    ...     return [len(text) for text in X]
    >>> folder = tempfile.TemporaryDirectory()
    >>> oracle = CachedOracle(ask, Path(folder.name) / "labels.sqlite")
    >>> oracle(["one", "three"], sample_ids=[1, 3])
    asked about ['one', 'three']
    [3, 5]
    >>> oracle(["one", "seven", "three"], sample_ids=[1, 7, 3])
    asked about ['seven']
    [3, 5, 5]
    >>> oracle.close()
    >>> folder.cleanup()
    """

    _parameter_constraints = {
        "oracle": [Function()],
        "path": [str, os.PathLike],
        "task": [str],
        "max_calls": [Interval(Integral, 0, None, closed="left"), None],
        "max_cost": [Interval(Real, 0, None, closed="left"), None],
        "annotator": [str, None],
        "claim_seconds": [Interval(Real, 0, _LONGEST, closed="right")],
        "timeout": [Interval(Real, 0, None, closed="left")],
        "rows": [StrOptions({"ignore", "warn", "raise"})],
    }

    __signature__ = _SignatureOfCall()

    def __init__(
        self,
        oracle,
        path,
        *,
        task="default",
        max_calls=None,
        max_cost=None,
        annotator=None,
        claim_seconds=60.0,
        timeout=60.0,
        rows="ignore",
    ):
        self.oracle = oracle
        self.path = path
        self.task = task
        self.max_calls = max_calls
        self.max_cost = max_cost
        self.annotator = annotator
        self.claim_seconds = claim_seconds
        self.timeout = timeout
        self.rows = rows

    def _validate_params(self):
        super()._validate_params()
        if not str(self.path):
            raise ValueError(
                f"The 'path' parameter of {type(self).__name__} is empty; name a file."
            )

    def __call__(self, X, sample_ids, classes=None, proba=None):
        """Return the labels of some rows, from the file or from the oracle.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_rows
            The rows.

        sample_ids : array-like of shape (n_rows,)
            Ids of the rows, unique ints or strs.

        classes : array-like or None, default=None
            The closed set of classes; any label is accepted if None, or if there are
            none yet. As the oracle of a classifier, this object gets from the
            classifier whether they are closed. Your own function around it gets the
            classes known so far, and must pass them on only if there are no others.

        proba : ndarray of shape (n_rows, n_classes) or None, default=None
            The model's probabilities.

        Returns
        -------
        labels : list or iterator of length n_rows
            Labels, None for an abstention; an iterator if the oracle gives one.

        Raises
        ------
        OracleError
            If the oracle fails or has failed before, or an answer is not a label. With
            ``rows="raise"``, also if a row has another content than the one that was
            answered.
        """
        # Only a run knows whether classes are closed. Here they may be the classes seen
        # so far, and an answer may add one.
        parse = partial(parse_label, kind=None, missing_label=None)
        run = self._make_run(RunFacts(parse=parse, missing_label=None))
        return run(X, sample_ids, classes=classes, proba=proba)

    def reset(self):
        """Let the oracle be asked again after a failure.

        Answers, and the counts for `max_calls` and `max_cost`, stay.
        """
        self._open().reset()

    def labels(self):
        """Return the labels in the file, for instance to fill `y` with them.

        Returns
        -------
        labels : dict
            The label of each row of this `task` that has one, by sample id. Rows whose
            answer is an abstention are left out.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from skactive.oracles import CachedOracle
        >>> folder = tempfile.TemporaryDirectory()
        >>> def ask(X):
        ...     return X
        >>> oracle = CachedOracle(ask, Path(folder.name) / "labels.sqlite")
        >>> oracle([1, None, 0], sample_ids=["a", "b", "c"])
        [1, None, 0]
        >>> oracle.labels()
        {'a': 1, 'c': 0}
        >>> sample_ids = ["a", "b", "c", "d"]
        >>> [oracle.labels().get(sample_id, -1) for sample_id in sample_ids]
        [1, -1, 0, -1]
        >>> oracle.close()
        >>> folder.cleanup()
        """
        answers = self._open().answers_of(self.task)
        return {json.loads(k): v for k, v in answers.items() if v is not None}

    def correct(self, labels):
        """Replace labels in the file.

        From then on, the new labels are used. The old ones, with who gave them and
        when, are kept: see :meth:`corrections`. A run that has used the old labels
        keeps them, unless the file is that of its :class:`~skactive.Session`.

        Parameters
        ----------
        labels : mapping
            The new labels by sample id. None takes a label back: the row then counts as
            skipped, see :meth:`ask_again`. Rows without an answer get one.

        Returns
        -------
        n_replaced : int
            Number of rows that had another answer. Rows without one do not count.

        Raises
        ------
        TypeError
            If `labels` is not a mapping.
        ValueError
            If a label is not valid. Nothing is corrected then.

        See Also
        --------
        import_labels : Add labels; existing answers stay.

        Examples
        --------
        >>> import tempfile
        >>> from pathlib import Path
        >>> from skactive.oracles import CachedOracle
        >>> folder = tempfile.TemporaryDirectory()
        >>> path = Path(folder.name) / "labels.sqlite"
        >>> def ask(X):
        ...     return X
        >>> oracle = CachedOracle(ask, path, annotator="anna")
        >>> oracle([1, 0], sample_ids=["a", "b"])
        [1, 0]
        >>> CachedOracle(ask, path, annotator="bert").correct({"a": 0, "b": 0})
        1
        >>> oracle.labels()
        {'a': 0, 'b': 0}
        >>> [correction] = oracle.corrections()
        >>> correction["old_label"], correction["old_annotator"]
        (1, 'anna')
        >>> correction["label"], correction["annotator"]
        (0, 'bert')
        >>> oracle.close()
        >>> folder.cleanup()
        """
        if not isinstance(labels, Mapping):
            raise TypeError(
                "labels must be a mapping from sample ids to labels, such as a dict, "
                f"got {shown(labels)}."
            )
        new = _parsed({to_key(one_id): label for one_id, label in labels.items()})
        return len(self._open().correct(self.task, new, self._who()))

    def corrections(self):
        """Return the corrections: old and new labels, who gave them, and when.

        Returns
        -------
        corrections : list of dict
            One per correction of this `task`, the oldest first, with `sample_id`,
            `label`, `annotator` and `corrected_at` (seconds since 1970), and
            `old_label`, `old_annotator` and `old_answered_at`, which are None if there
            was no answer before.
        """
        return self._open().corrections(self.task)

    def ask_again(self, sample_ids):
        """Remove abstentions, so that the oracle can be asked about the rows again.

        Nothing is asked now, but when a run queries these rows again. If the file is
        that of a :class:`~skactive.Session`, its next run begins with them.

        Parameters
        ----------
        sample_ids : array-like of shape (n_rows,)
            Ids of rows. Rows with a label or without an answer stay as they are.

        Returns
        -------
        n_removed : int
            Number of abstentions that were removed; :meth:`events` lists them.
        """
        keys = [to_key(i) for i in list_of(sample_ids)]
        return len(self._open().forget_skips(self.task, keys))

    def records(self):
        """Return all answers, who gave them, and when.

        Returns
        -------
        records : list of dict
            One per row of this `task` that has an answer, the oldest answer first. A
            corrected row has its new answer. Each has `task`, `sample_id`,
            `label` (None for an abstention), `annotator` and `answered_at` (seconds
            since 1970); ``pandas.DataFrame(oracle.records())`` makes a table of them.
        """
        return self._open().records(self.task)

    def events(self):
        """Return all events except new answers.

        Returns
        -------
        events : list of dict
            The oldest first: contradictions (an answer for a row that had another one
            already), corrections, abstentions that were removed (``"ask_again"``),
            failures of the oracle, resets, and migrations from an older version of the
            file.
        """
        return self._open().events()

    def summary(self):
        """Return counts of what is in the file.

        Returns
        -------
        summary : dict
            Numbers of answers and log entries of each task, calls, rows asked about,
            rows being asked about, contradictions and corrections; the cost; and the
            failure that stops payments, or None.
        """
        return self._open().summary()

    def import_labels(
        self, data, *, sample_id="sample_id", label="label", abstentions=False
    ):
        """Add labels from elsewhere.

        Parameters
        ----------
        data : str, path-like, data frame, Series, mapping or list of dict
            A table: the name of a CSV or JSONL file (by its suffix), a data frame, a
            mapping from column names to columns, or a list with a dict per row. Whole
            numbers in a CSV file become ints. Or a pandas Series of labels whose index
            holds the ids.

        sample_id : str, default="sample_id"
            Name of the column with the ids.

        label : str, default="label"
            Name of the column with the labels.

        abstentions : bool, default=False
            What a row without a label means. True: nobody knows its label, and nobody
            is asked about it again. False: it has not been labelled yet.

        Returns
        -------
        n_new : int
            Number of rows that had no answer before. Rows that had one keep it; answers
            that differ from it are listed by :meth:`events`. To replace answers, call
            :meth:`correct`.
        """
        labels = _parsed(read_answers(data, sample_id, label))
        if not abstentions:
            labels = {key: value for key, value in labels.items() if value is not None}
        store = self._open()
        n_known = len(store.answers(self.task, list(labels)))
        other = store.record(self.task, labels, self._who())
        if other:
            warnings.warn(
                f"{len(other)} rows have another label in the label store already, "
                "which stays; events() lists both. To replace it, call correct().",
                UserWarning,
                stacklevel=2,
            )
        return len(labels) - n_known

    def export_labels(self, path):
        """Write all answers, with who gave them and when, to a file.

        ``pandas.DataFrame(oracle.records())`` makes a data frame of them.

        Parameters
        ----------
        path : str or path-like
            A file that ends in ``.csv`` or ``.jsonl``. It is overwritten.
        """
        write_records(self.records(), path)

    def close(self):
        """Close the file. It is opened again when it is needed."""
        store = vars(self).pop("_store", None)
        if store is not None:
            store.close()

    def __sklearn_clone__(self):
        # The inner oracle is not cloned: it may hold a window or a connection.
        return type(self)(**self.get_params(deep=False))

    def __getstate__(self):
        state = super().__getstate__().copy()
        state.pop("_store", None)  # a copy opens the file itself
        return state

    def _who(self):
        return self.annotator or user_name()

    def _open(self):
        """Return the store of this process; after a fork or a move, a new one."""
        store = vars(self).get("_store")
        if store is None or not store.is_current(self.path, self.timeout):
            self.close()
            store = self._store = LabelStore(self.path, timeout=self.timeout)
        return store

    def for_run(self, facts):
        """Return the oracle of one run, after all checks that can be made in advance.

        Parameters
        ----------
        facts : RunFacts
            The facts about the run.

        Returns
        -------
        oracle : callable
            The oracle of this run.
        """
        run = self._make_run(facts)
        run.check_known_labels()
        run.compare_with_given(*facts.given)
        # The labels in `y` have been compared; the oracle inside need not do it again.
        facts = replace(facts, given=([], []))
        run.inner = prepare_oracle(self.oracle, lambda: facts)
        return run

    def _make_run(self, facts):
        self._validate_params()
        # Before the file is opened: an oracle that is refused leaves none behind.
        keywords = inner_keywords(self.oracle)
        return CachedRun(self, self._open(), keywords, facts)


def _parsed(answers):
    """Return the labels that stand for answers, by key, or raise."""
    labels = {}
    for key, value in answers.items():
        try:
            labels[key] = parse_label(value, kind=None, missing_label=None)
        except ValueError as error:
            raise ValueError(f"The sample_id {key} has no label: {error}.") from error
    return labels
