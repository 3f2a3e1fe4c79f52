"""Checks of an oracle of your own that keeps its answers in a file."""

import inspect
import os
import pickle
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from joblib import Parallel, delayed
from sklearn.base import clone

from skactive.exceptions import StopLabeling
from skactive.testing._oracle import check_oracle
from skactive.testing._service import PaidService, labels_of

_PATIENCE_SECONDS = 10.0


def check_label_store(make_oracle):
    """Check an oracle that stores its answers in a file.

    The promises are those of :class:`~skactive.oracles.CachedOracle`: a row is paid for
    once by all who use the file, also at the same time; `request_ids` stay the same;
    the answers of an iterator are kept one by one; nothing is paid for after a failure
    until `reset` is called; abstentions are answers; a file of another program is left
    alone; and so on. Two worker processes are started, and files are written in a
    temporary folder.

    Parameters
    ----------
    make_oracle : callable
        ``make_oracle(ask, path)`` returns the oracle that keeps the answers of `ask` in
        the file `path`, or uses the answers that are there. It is called like any
        oracle, has a method `reset`, and can be pickled; if it has `close`, that is
        called. ``ask(X, sample_ids, request_ids)`` is an oracle that returns a list or
        an iterator. If `make_oracle` has a parameter `task` or `max_calls`, as
        :class:`~skactive.oracles.CachedOracle` has, their promises are checked, too.

    Raises
    ------
    AssertionError
        Saying which promise is broken, and how.

    See Also
    --------
    check_oracle : Check what is expected of any oracle, which is part of this check.

    Examples
    --------
    >>> from skactive.oracles import CachedOracle
    >>> from skactive.testing import check_label_store
    >>> check_label_store(CachedOracle)
    >>> class Forgetful:
    ...     def __init__(self, ask, path):
    ...         self.ask = ask
    ...     def __call__(self, X, sample_ids):
    ...         return self.ask(X, sample_ids, [str(i) for i in sample_ids])
    >>> check_label_store(Forgetful)
    Traceback (most recent call last):
        ...
    AssertionError: ...a row is paid for once: ... object asked about [2, 3, 0].
    """
    has = set(inspect.signature(make_oracle).parameters)
    for promise, needed, check in _PROMISES:
        if needed is None or needed in has:
            with _trial(make_oracle, promise) as trial:
                check(trial)


class _Trial:
    """One promise, a folder for its file, and the service that is paid."""

    def __init__(self, make_oracle, promise, folder):
        self.make_oracle = make_oracle
        self.promise = promise
        self.folder = folder
        self.path = folder / "labels"
        self.service = PaidService(folder / "asked.jsonl")
        self.oracles = []

    def oracle(self, answer=None, **params):
        """Return another oracle on the file; its service answers in the given ways."""
        service = PaidService(self.service.log, answer) if answer else self.service
        with self.expected_to_work("to make an oracle"):
            self.oracles.append(self.make_oracle(service, self.path, **params))
        return self.oracles[-1]

    def users(self, oracle):
        """Yield all objects that must know the same answers, each with its name."""
        makers = {
            "the same object": lambda: oracle,
            "another object on the same path": self.oracle,
            "a clone": lambda: clone(oracle, safe=False),
            "a pickled copy": lambda: pickle.loads(pickle.dumps(oracle)),
        }
        for name, make in makers.items():
            with self.expected_to_work(f"to make {name}"):
                self.oracles.append(make())
            yield name, self.oracles[-1]

    def labels(self, oracle, ids):
        """Return the labels that it answers."""
        with self.expected_to_work(f"to ask about {ids}"):
            return _ask(oracle, ids)

    def fails(self, oracle, ids, error=Exception):
        """Ask about rows, which must fail; return the exception."""
        try:
            labels = _ask(oracle, ids)
        except error as caught:
            return caught
        except BaseException as caught:
            self.broken(f"expected {error.__name__}, got {caught!r}", caught)
        self.broken(f"asked about {ids}, it must raise {error.__name__}, got {labels}")

    def newly_asked(self, oracle, ids):
        """Ask about rows; return those about which the service was asked."""
        before = len(self.service.asked())
        labels = self.labels(oracle, ids)
        self.require(
            labels == labels_of(ids), f"expected {labels_of(ids)}, got {labels}"
        )
        return self.service.asked()[before:]

    def require(self, condition, message):
        if not condition:
            self.broken(message)

    def broken(self, message, cause=None):
        oracle = self.oracles[0] if self.oracles else self.make_oracle
        raise AssertionError(
            f"{oracle!r} breaks the contract of label stores, that {self.promise}: "
            f"{message}."
        ) from cause

    @contextmanager
    def expected_to_work(self, what):
        try:
            yield
        except Exception as error:
            self.broken(f"{what} raised {error!r}", error)


@contextmanager
def _trial(make_oracle, promise):
    with (
        TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")  # for instance that a limit is reached
        trial = _Trial(make_oracle, promise, Path(folder))
        try:
            yield trial
        finally:
            for oracle in trial.oracles:
                if hasattr(oracle, "close"):
                    oracle.close()


def _ask(oracle, ids):
    X = np.zeros((len(ids), 1))
    return list(oracle(X, sample_ids=np.array(ids)))


def _check_contract_of_oracles(trial):
    ids = np.arange(3)
    check_oracle(trial.oracle(), np.zeros((3, 1)), sample_ids=ids, classes=[0, 1, 2])


def _check_paid_once(trial):
    oracle = trial.oracle()
    trial.newly_asked(oracle, [0, 1, 2])
    for new, (name, user) in enumerate(trial.users(oracle), 3):
        asked = trial.newly_asked(user, [2, new, 0])
        trial.require(
            asked == [new],
            f"of the rows 2, {new}, 0, only {new} was new; {name} asked about {asked}",
        )


def _check_ids_keep_their_type(trial):
    oracle = trial.oracle()
    trial.newly_asked(oracle, [1])
    trial.require(
        trial.newly_asked(oracle, ["1"]) == ["1"],
        "the row 1 was answered, and '1' was not asked about",
    )


def _check_request_ids(trial):
    failing = trial.oracle(_fail)
    trial.fails(failing, [0, 1, 2])
    with trial.expected_to_work("reset()"):
        failing.reset()
    for ids in ([2], [3, 1, 0]):
        trial.newly_asked(trial.oracle(), ids)
    requests = trial.service.requests()
    trial.require(
        all(isinstance(request, str) for _, request in requests),
        f"expected one str for each row, got {requests}",
    )
    different = {tuple(request) for request in requests}
    trial.require(
        len(different) == len({request for _, request in different}) == 4,
        "four rows were queried, three of them twice as the first attempt failed; "
        f"expected one request id for each row, got {requests}",
    )


def _check_iterators(trial):
    asked_again = []

    def answers(ids):
        yield from labels_of(ids[:2])  # in the file while the iterator is still open
        asked_again.append(_soon(trial.newly_asked, trial.oracle(), ids[:2]))
        raise ConnectionError("line broken")

    failing = trial.oracle(answers)
    trial.fails(failing, [0, 1, 2])
    trial.require(
        asked_again == [[]],
        "two of three answers were not in the file when the third was taken",
    )
    with trial.expected_to_work("reset()"):
        failing.reset()
    asked = trial.newly_asked(trial.oracle(), [0, 1, 2])
    trial.require(
        asked == [2],
        f"only row 2 had no answer before the failure; it asked about {asked}",
    )


def _soon(function, *arguments):
    """Return what a function returns, or None if it waits for whoever calls this."""
    pool = ThreadPoolExecutor(1)
    job = pool.submit(function, *arguments)
    pool.shutdown(wait=False)  # a store that locks out its own user would block
    try:
        return job.result(timeout=_PATIENCE_SECONDS)
    except TimeoutError:
        return None


def _check_breaker(trial):
    oracle = trial.oracle()
    trial.newly_asked(oracle, [0])
    trial.fails(trial.oracle(_fail), [1])
    n_asked = len(trial.service.asked())
    users = list(trial.users(oracle))
    for name, user in users:
        trial.fails(user, [2])
        trial.require(
            len(trial.service.asked()) == n_asked, f"after a failure {name} asked"
        )
        trial.require(
            trial.newly_asked(user, [0]) == [], f"{name} asked about a known row"
        )
    with trial.expected_to_work("reset()"):
        oracle.reset()
    for new, (name, user) in enumerate(users, 3):
        asked = trial.newly_asked(user, [new])
        trial.require(asked == [new], f"after reset() {name} asked about {asked}")


def _check_wrong_numbers(trial):
    failing = trial.oracle(lambda ids: labels_of(ids)[1:])
    trial.fails(failing, [0, 1, 2])
    with trial.expected_to_work("reset()"):
        failing.reset()
    asked = trial.newly_asked(trial.oracle(), [0, 1, 2])
    trial.require(
        asked == [0, 1, 2],
        "two answers came for three rows, so it is not known to which rows they "
        f"belong; when asked again, it asked about {asked}",
    )


def _check_abstentions(trial):
    for answer in (_abstain, _fail):  # the second must not be asked
        labels = trial.labels(trial.oracle(answer), [0, 1])
        trial.require(labels == [None, None], f"expected None twice, got {labels}")


def _check_types(trial):
    answers = [7, "7", True, np.int64(8), np.str_("8")]
    expected = [7, "7", True, 8, "8"]
    for row, (answer, label) in enumerate(zip(answers, expected, strict=True)):
        for how in (lambda ids, answer=answer: [answer], _fail):
            (found,) = trial.labels(trial.oracle(how), [row])
            kept = found == label and _type(found) is _type(label)
            trial.require(kept, f"the answer {answer!r} became {found!r}")


def _type(label):
    label = label.item() if isinstance(label, np.generic) else label
    return type(label)


def _check_stopping(trial):
    def stop(ids):
        raise StopLabeling("late", labels=labels_of(ids[:1]))

    error = trial.fails(trial.oracle(stop), [0, 1], StopLabeling)
    trial.require(
        list(error.labels) == labels_of([0]),
        f"expected the labels {labels_of([0])} with it, got {error.labels}",
    )
    asked = trial.newly_asked(trial.oracle(), [0, 1])
    trial.require(asked == [1], f"only row 1 had no answer; it asked about {asked}")


def _check_interrupts(trial):
    def interrupt(ids):
        raise KeyboardInterrupt

    trial.fails(trial.oracle(interrupt), [0], KeyboardInterrupt)
    trial.require(trial.newly_asked(trial.oracle(), [1]) == [1], "row 1 was not asked")


def _check_foreign_files(trial):
    trial.path.write_bytes(b"What another program has written.\n" * 99)
    before = trial.path.read_bytes()
    trial.fails(_OnCall(trial), [0])
    trial.require(trial.path.read_bytes() == before, "the file was changed")
    trial.require(trial.service.asked() == [], "a label was paid for")


class _OnCall:
    """Makes its oracle when it is called: both may refuse a file."""

    def __init__(self, trial):
        self.trial = trial

    def __call__(self, X, sample_ids):
        oracle = self.trial.make_oracle(self.trial.service, self.trial.path)
        self.trial.oracles.append(oracle)
        return oracle(X, sample_ids=sample_ids)


def _check_private(trial):
    trial.newly_asked(trial.oracle(), [0])
    if os.name != "posix":
        return
    for file in trial.folder.glob(f"{trial.path.name}*"):
        mode = file.stat().st_mode & 0o777
        trial.require(not mode & 0o077, f"{file.name} has the mode {mode:o}")


def _check_tasks(trial):
    for task in ("colour", "shape"):
        oracle = trial.oracle(lambda ids, task=task: [task] * len(ids), task=task)
        labels = trial.labels(oracle, [0, 1])
        trial.require(
            labels == [task] * 2, f"asked about the {task}, it answered {labels}"
        )
    trial.require(trial.service.asked() == [0, 1] * 2, "both were to be asked")


def _check_max_calls(trial):
    for new in (0, 1):
        trial.newly_asked(trial.oracle(max_calls=2), [new])
    trial.fails(trial.oracle(max_calls=2), [2], StopLabeling)
    trial.require(
        trial.newly_asked(trial.oracle(max_calls=2), [1, 0]) == [],
        "rows that are known were asked about",
    )
    trial.require(trial.service.asked() == [0, 1], "it was asked a third time")


def _check_threads(trial):
    oracle = trial.oracle(_answer_slowly)
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(_meet_and_ask, oracle, trial.folder, i) for i in (0, 1)]
        with trial.expected_to_work("to ask from two threads"):
            _check_met(trial, [job.result() for job in jobs])


def _check_processes(trial):
    oracle = trial.oracle(_answer_slowly)
    with trial.expected_to_work("to ask from two processes"):
        results = Parallel(n_jobs=2, backend="loky", batch_size=1)(
            delayed(_meet_and_ask)(oracle, trial.folder, i) for i in (0, 1)
        )
    _check_met(trial, results)
    asked = trial.newly_asked(trial.oracle(), list(range(5)))
    trial.require(not asked, f"the rows of the workers were asked about again: {asked}")


def _meet_and_ask(oracle, folder, number):
    """Ask about four rows at the time when another does; three are the same."""
    (folder / f"ready {number}").touch()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while len(list(folder.glob("ready *"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    ids = list(range(number, number + 4))
    return ids, _ask(oracle, ids)


def _check_met(trial, results):
    for ids, labels in results:
        trial.require(
            labels == labels_of(ids), f"expected {labels_of(ids)}, got {labels}"
        )
    asked = trial.service.asked()
    trial.require(
        sorted(asked) == list(range(5)),
        "two asked about the rows 0 to 3 and 1 to 4; the service was asked about "
        f"{asked}",
    )


def _answer_slowly(ids):
    time.sleep(0.3)  # the other asks in the meantime
    return labels_of(ids)


def _abstain(ids):
    return [None] * len(ids)


def _fail(ids):
    raise ConnectionError("line broken")


# A promise, the parameter of `make_oracle` that it is about, and its check.
_PROMISES = (
    ("it is an oracle", None, _check_contract_of_oracles),
    ("a row is paid for once", None, _check_paid_once),
    ("the ids 1 and '1' are different rows", None, _check_ids_keep_their_type),
    ("the request_ids of a row stay the same", None, _check_request_ids),
    ("answers of an iterator are kept one by one", None, _check_iterators),
    ("nothing is paid after a failure until reset()", None, _check_breaker),
    ("no answer is guessed", None, _check_wrong_numbers),
    ("an abstention is an answer", None, _check_abstentions),
    ("labels keep their types", None, _check_types),
    ("StopLabeling ends a run normally, with its labels", None, _check_stopping),
    ("an interrupt goes on, and is not a failure", None, _check_interrupts),
    ("a file of another program is refused and left alone", None, _check_foreign_files),
    ("its files are for their owner only", None, _check_private),
    ("another task is another question", "task", _check_tasks),
    (
        "max_calls counts the calls of all who use the file",
        "max_calls",
        _check_max_calls,
    ),
    ("threads that ask at the same time pay once", None, _check_threads),
    ("processes that ask at the same time pay once", None, _check_processes),
)
