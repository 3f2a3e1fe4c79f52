"""The check of label stores: ours passes, and whatever breaks a promise is found."""

import copy
import multiprocessing
import os
import uuid
from pathlib import Path

import numpy as np
import pytest

from skactive.exceptions import StopLabeling, StoreError
from skactive.oracles import CachedOracle
from skactive.testing import _label_store, check_label_store


class NoEstimator:
    """A store of another package, with the required methods and nothing more."""

    def __init__(self, ask, path):
        self.kept = CachedOracle(ask, path)

    def __call__(self, X, sample_ids):
        return self.kept(X, sample_ids)

    def reset(self):
        self.kept.reset()


@pytest.mark.parametrize(
    "make_oracle", [CachedOracle, pytest.param(NoEstimator, marks=pytest.mark.slow)]
)
def test_a_store_that_keeps_all_promises_passes(make_oracle):
    check_label_store(make_oracle)


# Each of the following breaks one promise.


class InMemory(CachedOracle):
    """Uses the file of its own object."""

    def _open(self):
        if "own" not in vars(self):
            self.own = f"{self.path}{uuid.uuid4()}"
        path, self.path = self.path, self.own
        try:
            return super()._open()
        finally:
            self.path = path


class Wrapping(CachedOracle):
    """Changes the oracle that is asked."""

    def __call__(self, X, sample_ids, classes=None, proba=None):
        inner = copy.copy(self)
        inner.oracle = self.changed(self.oracle)
        return CachedOracle.__call__(inner, X, sample_ids, classes, proba)


class AsksAllAgain(CachedOracle):
    """Asks for a whole batch if any row of it is new."""

    def __call__(self, X, sample_ids, classes=None, proba=None):
        ids = np.asarray(sample_ids).tolist()
        known = {r["sample_id"]: r["label"] for r in self.records()}
        if set(ids) <= set(known):
            return [known[i] for i in ids]
        CachedOracle.__call__(self, X, sample_ids)
        return self.oracle(X, sample_ids, ["again"] * len(ids))


class TakesIdsForTexts(CachedOracle):
    def __call__(self, X, sample_ids, classes=None, proba=None):
        return super().__call__(X, np.asarray(sample_ids).astype(str))


class RandomRequests(Wrapping):
    def changed(self, ask):
        return lambda X, sample_ids: ask(X, sample_ids, [uuid.uuid4().hex for _ in X])


class SameRequest(Wrapping):
    def changed(self, ask):
        return lambda X, sample_ids: ask(X, sample_ids, ["batch"] * len(X))


class NoRequests(Wrapping):
    def changed(self, ask):
        return lambda X, sample_ids: ask(X, sample_ids)


class CollectsIterators(Wrapping):
    def changed(self, ask):
        return lambda X, sample_ids, request_ids: list(ask(X, sample_ids, request_ids))


class WritesIteratorsAtTheEnd(Wrapping):
    """Keeps what came before a failure, but writes it only then."""

    def changed(self, ask):
        def ask_all(X, sample_ids, request_ids):
            answers, failure = [], None
            try:
                answers.extend(ask(X, sample_ids, request_ids))
            except ConnectionError as error:
                failure = error
            return given(answers, failure)

        def given(answers, failure):
            yield from answers
            if failure is not None:
                raise failure

        return ask_all


class NoBreaker(CachedOracle):
    def __call__(self, X, sample_ids, classes=None, proba=None):
        try:
            return super().__call__(X, sample_ids)
        except ValueError:
            self.reset()
            raise


class NothingAfterAFailure(CachedOracle):
    def __call__(self, X, sample_ids, classes=None, proba=None):
        if self.summary()["breaker"] is not None:
            raise ValueError("broken")
        return super().__call__(X, sample_ids)


class NeverResets(CachedOracle):
    def reset(self):
        pass


class FillsUp(Wrapping):
    def changed(self, ask):
        def ask_and_fill(X, sample_ids, request_ids):
            answers = ask(X, sample_ids, request_ids)
            short = isinstance(answers, list) and len(answers) < len(X)
            return answers + [0] * (len(X) - len(answers)) if short else answers

        return ask_and_fill


class ForgetsAbstentions(CachedOracle):
    def __call__(self, X, sample_ids, classes=None, proba=None):
        labels = list(super().__call__(X, sample_ids))
        with self._open()._writing() as run:
            run("DELETE FROM answers WHERE label = 'null'")
        return labels


class AnswersTexts(CachedOracle):
    def __call__(self, X, sample_ids, classes=None, proba=None):
        labels = list(super().__call__(X, sample_ids))
        return [int(i) if isinstance(i, str) and i.isdigit() else i for i in labels]


class StoppingIsAFailure(Wrapping):
    def changed(self, ask):
        def ask_and_fail(X, sample_ids, request_ids):
            try:
                return ask(X, sample_ids, request_ids)
            except StopLabeling as stop:
                raise RuntimeError from stop

        return ask_and_fail


class LosesWhatCameBeforeAStop(Wrapping):
    def changed(self, ask):
        def ask_and_stop(X, sample_ids, request_ids):
            try:
                return ask(X, sample_ids, request_ids)
            except StopLabeling as stop:
                raise StopLabeling from stop

        return ask_and_stop


class InterruptsAreFailures(Wrapping):
    def changed(self, ask):
        def ask_and_fail(X, sample_ids, request_ids):
            try:
                return ask(X, sample_ids, request_ids)
            except KeyboardInterrupt as interrupt:
                raise RuntimeError from interrupt

        return ask_and_fail


class InterruptsOpenTheBreaker(CachedOracle):
    def __call__(self, X, sample_ids, classes=None, proba=None):
        try:
            return super().__call__(X, sample_ids)
        except KeyboardInterrupt:
            with self._open()._writing() as run:
                run("INSERT INTO account VALUES ('breaker', 'interrupt')")
            raise


class StartsAnew(CachedOracle):
    """Overwrites what it cannot read."""

    def __call__(self, X, sample_ids, classes=None, proba=None):
        try:
            return super().__call__(X, sample_ids)
        except StoreError:
            Path(self.path).unlink()
            return super().__call__(X, sample_ids)


class ForEverybody(CachedOracle):
    def __call__(self, X, sample_ids, classes=None, proba=None):
        self._open()
        os.chmod(self.path, 0o644)
        return super().__call__(X, sample_ids)


def one_task(ask, path, task=None):
    return CachedOracle(ask, path)


def no_limit(ask, path, max_calls=None):
    return CachedOracle(ask, path)


def nothing_at_the_limit(ask, path, max_calls=None):
    return (NothingAtTheLimit if max_calls else CachedOracle)(
        ask, path, max_calls=max_calls
    )


class NothingAtTheLimit(CachedOracle):
    def __call__(self, X, sample_ids, classes=None, proba=None):
        if self.summary()["n_calls"] >= self.max_calls:
            raise StopLabeling
        return super().__call__(X, sample_ids)


class NoClaims(CachedOracle):
    """Asks for what is not in the file, whoever else is asking."""

    def __call__(self, X, sample_ids, classes=None, proba=None):
        store = self._open()
        claim = store.claim

        def claim_all(*args, **limits):
            with store._writing() as run:
                run("UPDATE claims SET expires_at = 0, process = NULL")
            return claim(*args, **limits)

        store.claim = claim_all
        return super().__call__(X, sample_ids)


class NoClaimsOfProcesses(NoClaims):
    """It distinguishes the threads of a process, but not processes."""

    def __call__(self, X, sample_ids, classes=None, proba=None):
        if multiprocessing.current_process().name == "MainProcess":
            return CachedOracle.__call__(self, X, sample_ids)
        return super().__call__(X, sample_ids)


BROKEN = [
    (InMemory, "a row is paid for once", "path asked about [2, 4, 0]"),
    (AsksAllAgain, "a row is paid for once", "same object asked about [3, 2, 3, 0]"),
    (TakesIdsForTexts, "the ids 1 and '1' are", "1 was answered, and '1' was not"),
    (RandomRequests, "the request_ids of a row stay", "expected one request id for"),
    (SameRequest, "the request_ids of a row stay", "expected one request id for"),
    (NoRequests, "the request_ids of a row stay", "expected one str for each row"),
    (CollectsIterators, "answers of an iterator are", "were not in the file when"),
    (WritesIteratorsAtTheEnd, "answers of an iterator", "were not in the file when"),
    (
        NoBreaker,
        "nothing is paid after a failure",
        "about [2], it must raise Exception",
    ),
    (NothingAfterAFailure, "nothing is paid after a", "to ask about [0] raised Value"),
    (NeverResets, "nothing is paid after a failure", "to ask about [3] raised Oracle"),
    (FillsUp, "no answer is guessed", "about [0, 1, 2], it must raise Exception, got"),
    (ForgetsAbstentions, "an abstention is an answer", "to ask about [0, 1] raised"),
    (AnswersTexts, "labels keep their types", "the answer '7' became 7"),
    (StoppingIsAFailure, "StopLabeling ends", "expected StopLabeling, got OracleErr"),
    (LosesWhatCameBeforeAStop, "StopLabeling ends", "expected the labels [0] with it"),
    (InterruptsAreFailures, "an interrupt goes on", "expected KeyboardInterrupt, got"),
    (
        InterruptsOpenTheBreaker,
        "an interrupt goes on",
        "to ask about [1] raised Oracle",
    ),
    (StartsAnew, "a file of another program", "about [0], it must raise Exception"),
    (ForEverybody, "its files are for their owner only", "has the mode 644"),
    (one_task, "another task is another", "the shape, it answered ['colour', 'colour"),
    (no_limit, "max_calls counts", "about [2], it must raise StopLabeling, got [2]"),
    (nothing_at_the_limit, "max_calls counts", "to ask about [1, 0] raised StopLabeli"),
    (NoClaims, "threads that ask at the same", "two asked about the rows 0 to 3 and"),
    (NoClaimsOfProcesses, "processes that ask at", "two asked about the rows 0 to 3"),
]


@pytest.mark.parametrize(("make_oracle", "promise", "how"), BROKEN)
def test_a_broken_promise_is_named(monkeypatch, make_oracle, promise, how):
    (one,) = [p for p in _label_store._PROMISES if p[0].startswith(promise)]
    monkeypatch.setattr(_label_store, "_PROMISES", [one])
    monkeypatch.setattr(_label_store, "_PATIENCE_SECONDS", 0.5)
    with pytest.raises(AssertionError) as caught:
        check_label_store(make_oracle)
    message = str(caught.value)
    assert f"breaks the contract of label stores, that {promise}" in message
    assert how in message


def test_each_promise_is_broken_by_one_of_these():
    known = [promise for _, promise, _ in BROKEN]
    for promise, _, _ in _label_store._PROMISES[1:]:  # the first is check_oracle
        assert any(map(promise.startswith, known)), promise


def test_what_is_no_oracle_at_all_is_said_as_of_any_oracle():
    class WantsAPrice(CachedOracle):
        def __call__(self, X, sample_ids, price):
            return [0]

    with pytest.raises(AssertionError, match=r"(?s)contract of oracles.*'price'"):
        check_label_store(WantsAPrice)
