"""A CachedOracle in one run: it claims rows, asks about them, writes, and waits."""

import _thread  # noqa: PLC2701 (a documented module, in spite of its name)
import getpass
import json
import threading
import time
import uuid
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
from scipy.sparse import issparse

from skactive.exceptions import OracleError, StopLabeling, StoreError
from skactive.oracles._asking import (
    STORE_KEYWORDS,
    answer_list,
    calling_oracle,
    check_exhausted,
    close_generator,
    in_order,
    names_of,
    oracle_keywords,
    prefix_of,
    split_answers,
)
from skactive.oracles._store.answers import to_key
from skactive.utils._rows import like_given, take_rows
from skactive.utils._shown import shown
from skactive.utils._sklearn import _num_samples

# Request ids are version 5 UUIDs in this name space.
_NAMESPACE = uuid.UUID("5b0f6b1e-6d0c-4c55-9a3f-0d7d2a6f1c42")
# Rows that others are asking about are checked again after this many seconds at most.
_MAX_WAIT = 0.5
_NOTHING = object()


def inner_keywords(oracle):
    """Return the keywords that the oracle inside a CachedOracle wants, or raise."""
    return oracle_keywords(oracle, has_sample_ids=True, keywords=STORE_KEYWORDS)


class Batch:
    """The rows of one question."""

    def __init__(self, X, sample_ids, classes, proba):
        self.X = X
        self.ids = np.asarray(sample_ids)
        if isinstance(sample_ids, (list, tuple)):  # numpy makes strs of a mixed list
            self.ids = np.empty(len(sample_ids), dtype=object)
            self.ids[:] = sample_ids
        self.classes = classes
        self.proba = None if proba is None else np.asarray(proba)
        self.keys = [to_key(sample_id) for sample_id in self.ids.tolist()]
        n_rows = _num_samples(X)
        if len(self.keys) != n_rows or len(set(self.keys)) != n_rows:
            raise ValueError(
                f"sample_ids must hold one id for each of the {n_rows} rows, all "
                f"different, got {shown(sample_ids)}."
            )

    def question(self, keys, keywords, task):
        """Return some of the rows, and the keywords that go with them."""
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
        }
        if "request_ids" in keywords:
            found["request_ids"] = [_request_id(task, key) for key in keys]
        return X, {name: found[name] for name in keywords}

    def names(self, keys, X):
        """Return the names that answers may use for some of the rows, `X`."""
        where = {key: row for row, key in enumerate(self.keys)}
        return names_of(X, self.ids[[where[key] for key in keys]])

    def prefix(self, known):
        """Return the labels of the rows before the first that has none."""
        labels = []
        for key in self.keys:
            if key not in known:
                break
            labels.append(known[key])
        return labels


class CachedRun:
    """A CachedOracle as one run uses it."""

    def __init__(self, oracle, store, keywords, facts):
        self.oracle = oracle
        self.inner = oracle.oracle
        self.store = store
        self.keywords = keywords
        self.parse = facts.parse
        self.missing_label = facts.missing_label
        self.prices = facts.prices
        self.task = oracle.task
        self.annotator = oracle.annotator or user_name()

    def __call__(self, X, sample_ids, classes=None, proba=None):
        batch = Batch(X, sample_ids, classes, proba)
        # Others use the same file: after each question, and while they are asking
        # about rows of this batch, look again at what is known and what is free.
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
        """Refuse a file that holds answers that cannot be labels of this run."""
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
                f"{self.task!r} that are not labels here: {shown}. Nothing was asked "
                "or changed. If they answer another question, give this one another "
                "`task`.",
                answers=[label for label, _ in refused],
            )

    def compare_with_given(self, sample_ids, labels):
        """Warn where the labels in `y` differ from those in the file."""
        given = dict(zip(map(to_key, sample_ids), labels, strict=True))
        stored = self.store.answers(self.task, list(given))
        other = [
            key for key, label in stored.items() if label not in (None, given[key])
        ]
        if other:
            shown = ", ".join(
                f"{key} ({given[key]!r}, stored {stored[key]!r})" for key in other[:5]
            )
            warnings.warn(
                f"{len(other)} rows have another label in y than in the label store "
                f"{self.store.path}; that of y is used. sample_ids: {shown}.",
                UserWarning,
                stacklevel=2,
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

    def _ask(self, batch, claim, known):
        """Ask about the rows of a claim; return an iterator if answers can go on.

        They cannot be where answers of others have to be waited for, as labels are
        given in the order of the rows. They are written one by one all the same.
        """
        with ExitStack() as stack:
            stack.enter_context(self._held(claim))
            X, given = batch.question(claim.mine, self.keywords, self.task)
            try:
                with calling_oracle():
                    answers = self.inner(X, **given)
            except StopLabeling as stop:
                raise self._stopped(stop, batch, claim, known) from stop
            if not isinstance(answers, Iterator):
                answers = in_order(answers, batch.names(claim.mine, X))
                self._write_list(claim, answers, known)
                return None
            if not claim.others and claim.limit is None:
                return self._stream(batch, claim, known, answers, stack.pop_all())
            for _ in self._stream(batch, claim, known, answers, ExitStack()):
                pass
        return None

    def _stream(self, batch, claim, known, answers, held):
        """Yield labels in the order of the rows, each once it has been written."""
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
        """Write the answers that are labels, and raise if some are not."""
        labels, refused = split_answers(answers.items(), self.parse)
        try:
            first = self.store.record(self.task, labels, self.annotator)
        except StoreError as error:
            error.answers = {json.loads(key): label for key, label in labels.items()}
            error.add_note("Answers that were paid for and not written: `answers`.")
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
                f"{len(refused)} of {len(answers)} answers are not valid labels: "
                f"{shown}. The others are stored.",
                answers=[answer for _, answer, _ in refused],
            )

    def _stopped(self, stop, batch, claim, known):
        """Write the labels that came with StopLabeling; return one for the batch."""
        labels = prefix_of(stop, batch.names(claim.mine, None), len(claim.mine))
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
            self._give_up(claim)  # not a failure of the oracle, so no breaker
            raise
        except (StopLabeling, GeneratorExit):
            self._give_up(claim, refund=True)  # the oracle did not work on the rest
            raise
        except Exception as error:
            self._give_up(claim, failure=str(error) or type(error).__name__)
            raise
        except BaseException:  # an interrupt: the oracle may have charged for the rows
            self._give_up(claim)
            raise
        finally:
            heartbeat.stop()

    def _give_up(self, claim, **how):
        try:
            self.store.release(claim, **how)
        except StoreError as error:  # a warning: another error is being raised
            warnings.warn(
                f"A claim was not given up; it ends by itself after "
                f"{self.oracle.claim_seconds} seconds. {error}",
                UserWarning,
                stacklevel=2,
            )


class _Heartbeat:
    """Renews a claim in the background for as long as an oracle takes to answer.

    So a claim can end soon after its process has died, however slow oracles are.
    """

    def __init__(self, store, owner, seconds):
        self._end = threading.Event()
        arguments = (self._end, store, owner, seconds / 3)
        # Thread.start waits until the thread runs, and would do so in every batch.
        _thread.start_new_thread(_renew, arguments)

    def stop(self):
        self._end.set()


def _renew(end, store, owner, seconds):
    # At a third of its time, so that a renewal may fail or be late once.
    while not end.wait(seconds):
        try:
            store.renew(owner)
        except StoreError:
            continue  # a claim that ends early costs a second question, not the run


def _request_id(task, key):
    return str(uuid.uuid5(_NAMESPACE, json.dumps([task, key])))


def user_name():
    """Return the name of the user who is logged in."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
