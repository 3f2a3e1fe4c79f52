"""An oracle that keeps every answer in a file, so that no row is paid for twice."""

import getpass
import inspect
import json
import os
import threading
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from numbers import Integral, Real

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator

from skactive.exceptions import OracleError, StopLabeling, StoreError
from skactive.oracles._asking import (
    STORE_KEYWORDS,
    answer_list,
    calling_oracle,
    check_exhausted,
    close_generator,
    oracle_keywords,
)
from skactive.oracles._exchange import read_answers, write_records
from skactive.oracles._store import LabelStore, to_key
from skactive.utils._labels import parse_label
from skactive.utils._rows import like_given, take_rows
from skactive.utils._sklearn import Interval, _num_samples

# Request ids are version 5 UUIDs in this name space.
_NAMESPACE = uuid.UUID("5b0f6b1e-6d0c-4c55-9a3f-0d7d2a6f1c42")
_MAX_WAIT = 0.5
_NOTHING = object()


class _SignatureOfCall:
    """The signature of a CachedOracle: it names `proba` only if the inner one does.

    The model's probabilities need not be computed for an oracle that never looks.
    """

    def __get__(self, oracle, owner):
        if oracle is None:  # the class keeps the signature of its __init__
            raise AttributeError("__signature__")
        signature = inspect.signature(type(oracle).__call__)
        try:
            wanted = _inner_keywords(oracle.oracle)
        except (TypeError, ValueError):
            wanted = ()  # the error comes when the oracle is used
        drop = {"self", "proba"} - set(wanted)
        parameters = signature.parameters.values()
        return signature.replace(
            parameters=[p for p in parameters if p.name not in drop]
        )


class CachedOracle(BaseEstimator):
    """Keep the answers of an oracle in a file, and pay for each row once.

    A row that the file knows is answered from there. All others are asked of `oracle`
    and written before anything else happens to them: a list of answers in one
    transaction, the answers of an iterator one by one. This holds over folds,
    candidates, refits, processes and restarts. Rows are known by `sample_ids`.

    What several processes ask of one file at a time is paid once, too: a row that
    somebody else is asking is waited for.

    Parameters
    ----------
    oracle : callable
        Gives the labels that the file does not know, like the `oracle` of
        :class:`~skactive.ActiveLearningClassifier`. One that names `request_ids` in
        its signature also gets one str per row, always the same for a row, by which a
        service can tell that it has answered (and charged for) the row before.

    path : str or path-like
        The file, an SQLite database. It is made if it does not exist.

    task : str, default="default"
        Name of the question. The answers to another question about the same rows are
        kept under another name.

    max_calls : int or None, default=None
        How often `oracle` may be called, counted in the file for all who use it.

    max_cost : float or None, default=None
        What may be spent, counted in the file for all who use it. A row costs what the
        fit parameter `cost` says, or 1.

    annotator : str or None, default=None
        Who answers, written beside each answer; the name of the user if None.

    claim_seconds : float, default=60.0
        A process that dies while it asks leaves its rows claimed; after so many
        seconds others ask them. While it lives, a slow oracle may take any time.

    timeout : float, default=60.0
        How many seconds to wait while another program locks the file.

    See Also
    --------
    SimulatedOracle : Answer from a table.

    Notes
    -----
    After a failure of `oracle`, nothing more is paid through the file until
    :meth:`reset` is called, so that a search does not fail anew, for money, in each
    fold. What is to be tried again at once is tried within:
    ``CachedOracle(retrying(ask), path)``. When `max_calls` or `max_cost` is reached,
    the run ends as if the oracle had raised
    :class:`~skactive.exceptions.StopLabeling`.

    The parameters are all there is to this object: copies and pickles of it use the
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
        "oracle": [callable],
        "path": [str, os.PathLike],
        "task": [str],
        "max_calls": [Interval(Integral, 0, None, closed="left"), None],
        "max_cost": [Interval(Real, 0, None, closed="left"), None],
        "annotator": [str, None],
        "claim_seconds": [Interval(Real, 0, None, closed="neither")],
        "timeout": [Interval(Real, 0, None, closed="left")],
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
    ):
        self.oracle = oracle
        self.path = path
        self.task = task
        self.max_calls = max_calls
        self.max_cost = max_cost
        self.annotator = annotator
        self.claim_seconds = claim_seconds
        self.timeout = timeout

    def __call__(self, X, sample_ids, classes=None, proba=None):
        """Return the labels of some rows, from the file or from the oracle.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of length n_rows
            The rows.

        sample_ids : array-like of shape (n_rows,)
            Ids of the rows, unique ints or strs.

        classes : array-like or None, default=None
            The classes that are known.

        proba : ndarray of shape (n_rows, n_classes) or None, default=None
            The model's probabilities.

        Returns
        -------
        labels : list or iterator of length n_rows
            Labels, None for an abstention; an iterator if the oracle gives one.
        """
        return self._make_run()(X, sample_ids, classes=classes, proba=proba)

    def reset(self):
        """Allow to ask again after a failure.

        Answers, and what was counted for `max_calls` and `max_cost`, stay.
        """
        self._open().reset()

    def records(self):
        """Return who answered what when.

        Returns
        -------
        records : list of dict
            One per answer of this `task`, the oldest first, with `task`, `sample_id`,
            `label` (None for an abstention), `annotator` and `answered_at` (seconds
            since 1970); ``pandas.DataFrame(oracle.records())`` makes a table of it.
        """
        return self._open().records(self.task)

    def events(self):
        """Return what happened besides answers.

        Returns
        -------
        events : list of dict
            One per contradiction (an answer for a row that had another one already),
            failure of the oracle, and reset, the oldest first.
        """
        return self._open().events()

    def summary(self):
        """Return what the file holds, in numbers.

        Returns
        -------
        summary : dict
            Answers of each task, calls, rows asked, cost, rows that are being asked,
            contradictions, and the failure that keeps it from asking, or None.
        """
        return self._open().summary()

    def import_labels(
        self, data, *, sample_id="sample_id", label="label", abstentions=False
    ):
        """Take in labels that were made elsewhere.

        Parameters
        ----------
        data : str, path-like, data frame, mapping or list of dict
            A table: the name of a CSV or JSONL file (by its suffix), a data frame, a
            mapping from column names to columns, or a list with a dict per row. Texts
            of a CSV file that are whole numbers become ints.

        sample_id : str, default="sample_id"
            Name of the column with the ids.

        label : str, default="label"
            Name of the column with the labels.

        abstentions : bool, default=False
            What it means if a row has no label: True that nobody knows it, so that it
            is not asked; False that it has not been labelled yet.

        Returns
        -------
        n_new : int
            How many rows had no answer before. Those that had keep it; other answers
            are listed by :meth:`events`.
        """
        answers = read_answers(data, sample_id, label)
        labels = {}
        for key, value in answers.items():
            try:
                labels[key] = parse_label(value, kind=None, missing_label=None)
            except ValueError as error:
                raise ValueError(
                    f"The sample_id {key} has no label: {error}."
                ) from error
        if not abstentions:
            labels = {key: value for key, value in labels.items() if value is not None}
        store, who = self._open(), self.annotator or _user_name()
        n_known = len(store.answers(self.task, list(labels)))
        other = store.record(self.task, labels, who)
        if other:
            warnings.warn(
                f"{len(other)} rows have another label in the label store already, "
                "which stays; see events().",
                UserWarning,
                stacklevel=2,
            )
        return len(labels) - n_known

    def export_labels(self, path):
        """Write who answered what when into a table.

        ``pandas.DataFrame(oracle.records())`` makes a data frame of the same.

        Parameters
        ----------
        path : str or path-like
            A file that ends in ``.csv`` or ``.jsonl``. It is written anew.
        """
        write_records(self.records(), path)

    def close(self):
        """Close the file. It is opened again when it is needed."""
        store = vars(self).pop("_store", None)
        if store is not None:
            store.close()

    def __sklearn_clone__(self):
        # A copy of the inner oracle would be another one: a window, a connection.
        return type(self)(**self.get_params(deep=False))

    def __getstate__(self):
        state = super().__getstate__().copy()
        state.pop("_store", None)  # whoever gets the copy opens the file anew
        return state

    def _open(self):
        """Return a store that belongs to this process, this thread or another one."""
        store = vars(self).get("_store")
        if store is None or not store.is_current(self.path, self.timeout):
            self.close()
            store = self._store = LabelStore(self.path, timeout=self.timeout)
        return store

    def _for_run(self, **facts):
        """Return what to ask in one run; check all that can be checked before."""
        run = self._make_run(**facts)
        run.check_known_labels()
        return run

    def _make_run(self, *, parse=None, missing_label=None, prices=None):
        self._validate_params()
        keywords = _inner_keywords(self.oracle)
        parse = parse or partial(parse_label, kind=None, missing_label=missing_label)
        return _CachedRun(self, self._open(), keywords, parse, missing_label, prices)


def _inner_keywords(oracle):
    return oracle_keywords(oracle, has_sample_ids=True, keywords=STORE_KEYWORDS)


class _Batch:
    """The rows of one question."""

    def __init__(self, X, sample_ids, classes, proba):
        self.X = X
        self.ids = np.asarray(sample_ids)
        if isinstance(sample_ids, (list, tuple)):  # numpy makes strs of a mixed list
            self.ids = np.empty(len(sample_ids), dtype=object)
            self.ids[:] = sample_ids
        self.classes = classes
        self.proba = proba
        self.keys = [to_key(sample_id) for sample_id in self.ids.tolist()]
        n_rows = _num_samples(X)
        if len(self.keys) != n_rows or len(set(self.keys)) != n_rows:
            raise ValueError(
                f"sample_ids must hold one id for each of the {n_rows} rows, all "
                f"different, got {list(sample_ids)}."
            )

    def question(self, keys, keywords, task):
        """Return the rows and keywords to ask about some of the rows."""
        wanted = set(keys)
        rows = [row for row, key in enumerate(self.keys) if key in wanted]
        X = self.X
        if len(rows) < len(self.keys):
            X = take_rows(X.tocsr() if issparse(X) else X, rows)
            X = like_given(X, self.X)
        found = {
            "sample_ids": self.ids[rows],
            "classes": self.classes,
            "proba": None if self.proba is None else self.proba[rows],
            "request_ids": [_request_id(task, key) for key in keys],
        }
        return X, {name: found[name] for name in keywords}

    def prefix(self, known):
        """Return the labels of the rows before the first that has none."""
        labels = []
        for key in self.keys:
            if key not in known:
                break
            labels.append(known[key])
        return labels


class _CachedRun:
    """A CachedOracle as one run uses it."""

    def __init__(self, oracle, store, keywords, parse, missing_label, prices):
        self.oracle = oracle
        self.store = store
        self.keywords = keywords
        self.parse = parse
        self.missing_label = missing_label
        self.prices = prices
        self.task = oracle.task
        self.annotator = oracle.annotator or _user_name()

    def __call__(self, X, sample_ids, classes=None, proba=None):
        batch = _Batch(X, sample_ids, classes, proba)
        known = self._checked(self.store.answers(self.task, batch.keys))
        wait = 0.01
        while len(known) < len(batch.keys):
            claim = self._claim(batch, known)
            known |= self._checked(claim.answers)
            if claim.mine:
                stream = self._ask(batch, claim, known)
                if stream is not None:
                    return stream
            elif claim.others:
                time.sleep(wait)
                wait = min(2 * wait, _MAX_WAIT)
            elif claim.limit:
                raise self._limit_error(claim, batch, known)
        return [known[key] for key in batch.keys]

    def check_known_labels(self):
        """Refuse a file with answers that cannot be labels of this run."""
        refused = []
        for label in self.store.labels(self.task):
            try:
                self.parse(label)
            except ValueError as error:
                refused.append((label, str(error)))
        if refused:
            shown = "; ".join(
                f"{why}: the sample_ids {self._ids_of(label)}"
                for label, why in refused[:5]
            )
            raise OracleError(
                f"The label store {self.store.path} holds answers to the task "
                f"{self.task!r} that are no labels here: {shown}. Nothing was asked or "
                "changed. If they answer another question, name this one by another "
                "`task`.",
                answers=[label for label, _ in refused],
            )

    def _ids_of(self, label):
        keys = self.store.keys_of(self.task, label)
        shown = ", ".join(keys[:5])
        return f"{shown} and {len(keys) - 5} more" if len(keys) > 5 else shown

    def _checked(self, answers):
        """Return stored answers as labels of this run."""
        try:
            return {key: self.parse(label) for key, label in answers.items()}
        except ValueError:
            self.check_known_labels()
            raise

    def _claim(self, batch, known):
        prices = {
            key: self._price(sample_id)
            for key, sample_id in zip(batch.keys, batch.ids.tolist(), strict=True)
            if key not in known
        }
        return self.store.claim(
            self.task,
            prices,
            uuid.uuid4().hex,
            self.oracle.claim_seconds,
            max_calls=self.oracle.max_calls,
            max_cost=self.oracle.max_cost,
        )

    def _price(self, sample_id):
        return 1.0 if self.prices is None else self.prices[sample_id]

    def _limit_error(self, claim, batch, known):
        message = (
            f"The label store {self.store.path} pays for no more answers: "
            f"{claim.limit}."
        )
        warnings.warn(message, UserWarning, stacklevel=2)
        return StopLabeling(message, labels=batch.prefix(known))

    # How the rows of a claim are asked and written

    def _ask(self, batch, claim, known):
        """Ask the rows of a claim; return an iterator if the answers can be passed on.

        They cannot where others are to be waited for: rows have an order. They are
        written one by one all the same.
        """
        with ExitStack() as stack:
            stack.enter_context(self._held(claim))
            X, given = batch.question(claim.mine, self.keywords, self.task)
            try:
                with calling_oracle():
                    answers = self.oracle.oracle(X, **given)
            except StopLabeling as stop:
                raise self._stopped(stop, batch, claim, known) from stop
            if not isinstance(answers, Iterator):
                self._write_list(claim, answers, known)
                return None
            if not claim.others and claim.limit is None:
                return self._stream(batch, claim, known, answers, stack.pop_all())
            for _ in self._stream(batch, claim, known, answers, ExitStack()):
                pass
        return None

    def _stream(self, batch, claim, known, answers, held):
        """Yield labels in the order of the rows, each after it was written."""
        mine = set(claim.mine)
        with held:
            try:
                for key in batch.keys:
                    if key in mine:
                        self._write_next(claim, answers, key, known)
                    if key in known:
                        yield known[key]
                check_exhausted(answers, len(claim.mine))
            except StopLabeling as stop:
                raise self._stopped(stop, batch, claim, known) from stop
            finally:
                close_generator(answers)

    def _write_next(self, claim, answers, key, known):
        with calling_oracle():
            answer = next(answers, _NOTHING)
        if answer is _NOTHING:
            raise OracleError(
                f"The oracle's iterator ended too early: expected {len(claim.mine)} "
                f"labels, got {len(known.keys() & set(claim.mine))}. These are stored."
            )
        self._write({key: answer}, known)

    def _write_list(self, claim, answers, known):
        values = answer_list(answers, len(claim.mine), missing_label=self.missing_label)
        self._write(dict(zip(claim.mine, values, strict=True)), known)

    def _write(self, answers, known):
        """Write those answers that are labels, and raise if some are not."""
        labels, refused = {}, []
        for key, answer in answers.items():
            try:
                labels[key] = self.parse(answer)
            except ValueError as error:
                refused.append((key, answer, str(error)))
        try:
            first = self.store.record(self.task, labels, self.annotator)
        except StoreError as error:
            error.answers = {json.loads(key): label for key, label in labels.items()}
            error.add_note("Answers that were paid and not written are in `answers`.")
            raise
        known |= labels | self._checked(first)
        for key, label in first.items():
            warnings.warn(
                f"The sample_id {key} has the label {label!r} in the label store "
                f"already; the answer {labels[key]!r} was ignored.",
                UserWarning,
                stacklevel=2,
            )
        if refused:
            shown = "; ".join(f"sample_id {key}: {why}" for key, _, why in refused[:5])
            raise OracleError(
                f"{len(refused)} of {len(answers)} answers are no valid labels: "
                f"{shown}. The others are stored.",
                answers=[answer for _, answer, _ in refused],
            )

    def _stopped(self, stop, batch, claim, known):
        """Write the labels that came with a wish to stop; return ours for the batch."""
        labels = list(stop.labels if stop.labels is not None else [])
        if len(labels) > len(claim.mine):
            raise OracleError(
                f"StopLabeling came with {len(labels)} labels for a batch of "
                f"{len(claim.mine)} rows; expected those of its first rows.",
                answers=stop.labels,
            ) from stop
        left = {
            key: label
            for key, label in zip(claim.mine, labels, strict=False)
            if key not in known
        }
        self._write(left, known)
        return StopLabeling(*stop.args, labels=batch.prefix(known))

    @contextmanager
    def _held(self, claim):
        """Keep a claim alive, and give up what is left of it at the end."""
        heartbeat = _Heartbeat(self.store, claim.owner, self.oracle.claim_seconds)
        try:
            yield
        except StoreError:
            self._give_up(claim)  # the oracle has done its part
            raise
        except (StopLabeling, GeneratorExit):
            self._give_up(claim, refund=True)
            raise
        except Exception as error:
            self._give_up(claim, failure=str(error) or type(error).__name__)
            raise
        except BaseException:  # an interrupt
            self._give_up(claim)
            raise
        finally:
            heartbeat.stop()

    def _give_up(self, claim, **how):
        try:
            self.store.release(claim, **how)
        except StoreError as error:  # what is being raised matters more
            warnings.warn(
                f"A claim was not given up; it ends by itself after "
                f"{self.oracle.claim_seconds} seconds. {error}",
                UserWarning,
                stacklevel=2,
            )


class _Heartbeat:
    """Renew a claim in the background while an oracle takes its time."""

    def __init__(self, store, owner, seconds):
        self._end = threading.Event()
        arguments = (self._end, store, owner, seconds / 3)
        threading.Thread(target=_renew, args=arguments, daemon=True).start()

    def stop(self):
        self._end.set()


def _renew(end, store, owner, seconds):
    while not end.wait(seconds):
        try:
            store.renew(owner)
        except StoreError:
            continue  # a claim that ends too early costs less than a thread that dies


def _request_id(task, key):
    return str(uuid.uuid5(_NAMESPACE, json.dumps([task, key])))


def _user_name():
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
