"""A CachedOracle in one run: claims rows, asks about them, writes answers, waits."""

import getpass
import json
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
from skactive.oracles._holding import Holding, Patience, claim_name
from skactive.oracles._store.answers import to_key
from skactive.utils._row_hashes import hash_each_row
from skactive.utils._rows import like_given, take_rows
from skactive.utils._shown import shown
from skactive.utils._sklearn import _num_samples
from skactive.utils._warning import warn_caller

# Request ids are version 5 UUIDs in this name space.
_NAMESPACE = uuid.UUID("5b0f6b1e-6d0c-4c55-9a3f-0d7d2a6f1c42")
_NOTHING = object()


def inner_keywords(oracle):
    """Return the keywords that the oracle inside a CachedOracle wants, or raise."""
    return oracle_keywords(oracle, has_sample_ids=True, keywords=STORE_KEYWORDS)


class Batch:
    """The rows of one question."""

    def __init__(self, X, sample_ids, classes, proba, *, asks_again=False):
        self.X = X
        self.ids = np.asarray(sample_ids)
        if isinstance(sample_ids, (list, tuple)):  # numpy makes strs of a mixed list
            self.ids = np.empty(len(sample_ids), dtype=object)
            self.ids[:] = sample_ids
        self.classes = classes
        self.proba = None if proba is None else np.asarray(proba)
        self.keys = [to_key(sample_id) for sample_id in self.ids.tolist()]
        self.hashes = None
        self.asks_again = asks_again
        n_rows = _num_samples(X)
        if len(self.keys) != n_rows or len(set(self.keys)) != n_rows:
            raise ValueError(
                f"sample_ids must hold one id for each of the {n_rows} rows, all "
                f"different, got {shown(sample_ids)}."
            )

    def hash_rows(self, salt):
        """Set `hashes`, those of the contents of the rows, by key."""
        hashes = hash_each_row(self.X, salt)
        self.hashes = dict(zip(self.keys, hashes, strict=True))

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
        self.uncharged = facts.uncharged
        self.asks_again = facts.asks_again
        self.task = oracle.task
        self.annotator = oracle.annotator or user_name()

    def __call__(self, X, sample_ids, classes=None, proba=None):
        again = self.asks_again is not None and self.asks_again()
        batch = Batch(X, sample_ids, classes, proba, asks_again=again)
        if self.oracle.rows != "ignore":
            batch.hash_rows(self.store.salt())
        known = {}
        if not again:
            self._take(self.store.answers(self.task, batch.keys), batch, known)
        return self._labels(batch, known)

    def _labels(self, batch, known, start=0):
        """Return the labels of the rows from `start` on, a list or an iterator."""
        # Others use the same file: after each question, and while they are asking
        # about rows of this batch, look again at what is known and what is free.
        patience = Patience(self.store.path, self.task)
        while len(known) < len(batch.keys):
            claim = self._claim(batch, known)
            try:
                self._take(claim.answers, batch, known)
            except BaseException:
                self._give_up(self.store.release, claim, refund=claim.mine)
                raise
            if claim.mine:
                stream = self._ask(batch, claim, known, start)
                if stream is not None:
                    return stream
                patience = Patience(self.store.path, self.task)
            elif claim.others:
                patience.wait(claim.others)
            elif claim.limit:
                raise self._limit_error(claim, batch, known)
        return [known[key] for key in batch.keys[start:]]

    def _take(self, answers, batch, known):
        """Take answers that this run did not buy; skips cost none of its budget."""
        self._compare_rows(batch, list(answers))
        labels = self._checked(answers)
        known |= labels
        skipped = [key for key, label in labels.items() if label is None]
        if skipped and self.uncharged is not None:
            self.uncharged([json.loads(key) for key in skipped])

    def _compare_rows(self, batch, keys):
        """Warn or raise if answers were given to rows that differ in content."""
        if batch.hashes is None or not keys:
            return
        stored = self.store.row_hashes(self.task, keys)
        other = [key for key in stored if stored[key] != batch.hashes[key]]
        if not other:
            return
        message = (
            f"{len(other)} rows differ in content from the rows that were answered "
            f"under their sample_ids in the label store {self.store.path}, task "
            f"{self.task!r}: {_shown_keys(other)}. Give other rows other sample_ids "
            "(ids_of_rows makes them from contents) or another `task`."
        )
        if self.oracle.rows == "raise":
            raise OracleError(f"{message} Nothing was asked about them.")
        warn_caller(f"{message} The stored answers are used.")

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
        return _shown_keys(self.store.keys_of(self.task, label))

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
            claim_name(self.annotator),
            self.oracle.claim_seconds,
            max_calls=self.oracle.max_calls,
            max_cost=self.oracle.max_cost,
            again=batch.asks_again,
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

    def _ask(self, batch, claim, known, start):
        """Ask about the rows of a claim; return an iterator if answers can go on.

        They cannot if the run has to wait for answers of others, because labels are
        returned in the order of the rows. They are still written one by one.
        """
        with ExitStack() as stack:
            holding = stack.enter_context(self._held(claim))
            X, given = batch.question(claim.mine, self.keywords, self.task)
            try:
                with calling_oracle():
                    answers = self.inner(X, **given)
            except StopLabeling as stop:
                raise self._stopped(stop, batch, claim, known) from stop
            if not isinstance(answers, Iterator):
                answers = in_order(answers, batch.names(claim.mine, X))
                self._write_list(batch, claim, answers, known)
                return None
            holding.pause(claim.mine)
            question = (batch, claim, known, answers, holding)
            if not claim.others and claim.limit is None:
                return self._stream(*question, stack.pop_all(), start)
            for _ in self._stream(*question, ExitStack(), start):
                pass
        return None

    def _stream(self, batch, claim, known, answers, holding, held, start):
        """Yield labels in the order of the rows, each once it has been written."""
        mine = set(claim.mine)
        with held:
            try:
                for key in batch.keys[start:]:
                    if key in mine:
                        unasked = claim.mine[claim.mine.index(key) + 1 :]
                        if not holding.resume(unasked):
                            break
                        self._write_next(batch, claim, answers, key, known)
                        holding.pause(unasked)
                    if key in known:
                        yield known[key]
                    start += 1
                else:
                    check_exhausted(answers, len(claim.mine))
                    return
            except StopLabeling as stop:
                raise self._stopped(stop, batch, claim, known) from stop
            finally:
                close_generator(answers)
        # No answer was fetched for so long that the rows were given up.
        yield from self._labels(batch, known, start)

    def _write_next(self, batch, claim, answers, key, known):
        with calling_oracle():
            answer = next(answers, _NOTHING)
        if answer is _NOTHING:
            raise OracleError(
                f"The oracle's iterator ended too early: expected {len(claim.mine)} "
                f"labels, got {len(known.keys() & set(claim.mine))}. These are stored."
            )
        self._write(batch, {key: answer}, known)

    def _write_list(self, batch, claim, answers, known):
        values = answer_list(answers, len(claim.mine), missing_label=self.missing_label)
        self._write(batch, dict(zip(claim.mine, values, strict=True)), known)

    def _write(self, batch, answers, known):
        """Write the answers that are labels, and raise if some are not."""
        labels, refused = split_answers(answers.items(), self.parse)
        try:
            first = self.store.record(self.task, labels, self.annotator, batch.hashes)
        except StoreError as error:
            error.answers = {json.loads(key): label for key, label in labels.items()}
            error.add_note("Answers that were paid for and not written: `answers`.")
            raise
        if batch.asks_again:
            # The session replaces the old answers; the events have both.
            first = {}
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
        self._write(batch, left, known)
        return StopLabeling(*stop.args, labels=batch.prefix(known))

    @contextmanager
    def _held(self, claim):
        """Keep a claim alive, and give up what is left of it at the end."""
        holding = Holding(self.store, claim, self.oracle.claim_seconds)
        how = {}
        try:
            yield holding
        except StoreError:
            raise  # not a failure of the oracle, so no breaker
        except (StopLabeling, GeneratorExit):
            how["refund_all"] = True  # the oracle did not work on the rest
            raise
        except Exception as error:
            how["failure"] = str(error) or type(error).__name__
            raise
        finally:  # after an interrupt, too: the oracle may have charged for the rows
            self._give_up(holding.end, **how)

    def _give_up(self, release, *args, **how):
        try:
            release(*args, **how)
        except StoreError as error:  # a warning: another error is being raised
            warnings.warn(
                "A claim could not be given up yet. There are more tries in the "
                f"background, and it ends with this process. {error}",
                UserWarning,
                stacklevel=2,
            )


def _shown_keys(keys):
    shown = ", ".join(keys[:5])
    return f"{shown} and {len(keys) - 5} more" if len(keys) > 5 else shown


def _request_id(task, key):
    return str(uuid.uuid5(_NAMESPACE, json.dumps([task, key])))


def user_name():
    """Return the name of the user who is logged in."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "unknown"
