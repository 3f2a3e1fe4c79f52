"""What may happen at the terminal: T09, T38, T48, T57, T70, T71."""

import contextlib
import io
import json
import os
import pickle
import select
import subprocess
import sys
import time
import unicodedata

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

from skactive._loop.run import Run
from skactive.oracles import TerminalOracle

pty = pytest.importorskip("pty", reason="there are no pseudo-terminals here")

# A fit on six texts in batches of three, which saves what it has at any end.
SCRIPT = """
import fcntl, json, signal, sys, termios
import numpy as np
from sklearn.dummy import DummyClassifier
from skactive import ActiveLearningClassifier
from skactive.oracles import TerminalOracle

if sys.stdin is not None and sys.stdin.isatty():
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # so that Ctrl-C reaches this process
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the shell says
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does
clf = ActiveLearningClassifier(
    DummyClassifier(), oracle=TerminalOracle(), strategy="random",
    initial_strategy="random", batch_size=3, budget=6, missing_label="", random_state=0,
)
X = [f"text {i}" for i in range(8)]
error = None
try:
    clf.fit(X, ["ham", "spam"] + [""] * 6)
except BaseException as e:
    error = type(e).__name__
asked = clf.query_indices_.tolist()
found = {
    "answers": [clf.transduction_[row] for row in asked],
    "texts": [X[row] for row in asked],
    "error": error,
    "condition": getattr(clf, "termination_condition_", None),
}
with open(sys.argv[1], "w") as file:
    json.dump(found, file)
"""


class Terminal:
    """A child process at a pseudo-terminal, and the keys that are typed there."""

    def __init__(self, path):
        self.path = path
        self.output = ""
        self._seen = 0
        self._master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(path)],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        )
        os.close(slave)

    def wait_for(self, text, seconds=60):
        """Read until a text appears that was not waited for before."""
        until = time.monotonic() + seconds
        while (found := self.output.find(text, self._seen)) < 0:
            left = until - time.monotonic()
            if left <= 0 or not self._read(left):
                pytest.fail(f"{text!r} did not appear in:\n{self.output}")
        self._seen = found + len(text)

    def answer(self, *lines):
        """Type each line at the next prompt."""
        for line in lines:
            self.wait_for("\n> ")
            self.type(line + "\n")

    def type(self, keys):
        os.write(self._master, keys.encode(errors="surrogateescape"))

    def hang_up(self):
        """Close the terminal at the next prompt, and return what was saved."""
        self.wait_for("\n> ")
        os.close(self._master)
        self._master = None
        self.process.wait(60)
        return json.loads(self.path.read_text())

    def interrupt(self):
        """Press Ctrl-C at the next prompt, and again where nothing happens.

        What comes between the prompt and the wait for a line, Python sees when the line
        is there, which may be never.
        """
        self.wait_for("\n> ")
        for _ in range(3):
            time.sleep(0.5)
            self.type("\x03")
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
                return

    def end(self):
        """Wait for the end of the process, and return what it has saved."""
        while self._read(60):
            pass
        self.process.wait(60)
        return json.loads(self.path.read_text())

    def close(self):
        self.process.kill()
        self.process.wait(60)
        if self._master is not None:
            os.close(self._master)

    def _read(self, seconds):
        if not select.select([self._master], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._master, 65536)
        except OSError:  # how Linux says that the other side is closed
            return False
        self.output += data.decode(errors="replace").replace("\r\n", "\n")
        return bool(data)


@pytest.fixture
def terminal(tmp_path):
    """A terminal where a fit is going on."""
    terminal = Terminal(tmp_path / "found.json")
    yield terminal
    terminal.close()


def test_t71_keys_label_skip_undo_and_add_a_class_at_a_real_terminal(terminal):
    terminal.answer("1", "x", "2", "u", "s", "+eggs")  # batch 1: ham, skip, eggs
    terminal.answer("eggs", "1", "3")  # batch 2: its classes are sorted again
    found = terminal.end()
    assert found["answers"] == ["ham", "", "eggs", "eggs", "eggs", "spam"]
    assert (found["error"], found["condition"]) == (None, "all_asked")
    shown = [line[2:] for line in terminal.output.split("\n") if line[:2] == "| "]
    assert list(dict.fromkeys(shown)) == found["texts"]
    assert "'x' is neither a key nor a class" in terminal.output
    assert "Row 1 of 6, 1 of 3 in this batch" in terminal.output
    assert "Row 6 of 6, 3 of 3 in this batch" in terminal.output


@pytest.mark.slow
def test_t71_quitting_in_a_batch_ends_the_run_normally(terminal):
    terminal.answer("1", "2", "q")
    found = terminal.end()
    assert found["answers"] == ["ham", "spam"]
    assert (found["error"], found["condition"]) == (None, "oracle")


@pytest.mark.slow
def test_t71_bytes_that_are_no_text_are_asked_again(terminal):
    terminal.answer("\udcff\udcfe", "2", "\x1b[200~1\x1b[201~", "1", "q")
    assert terminal.end()["answers"] == ["spam", "ham"]
    assert "\x1b" not in terminal.output


@pytest.mark.slow
def test_t71_a_terminal_that_is_gone_ends_the_run_with_all_answers(terminal):
    terminal.answer("1", "2")
    found = terminal.hang_up()
    assert found["answers"] == ["ham", "spam"]
    assert (found["error"], found["condition"]) == (None, "oracle")


@pytest.mark.slow
def test_t71_ctrl_d_ends_the_run_with_all_answers(terminal):
    terminal.answer("1", "2", "1", "2")
    terminal.wait_for("\n> ")
    terminal.type("\x04")
    found = terminal.end()
    assert found["answers"] == ["ham", "spam", "ham", "spam"]
    assert (found["error"], found["condition"]) == (None, "oracle")
    assert "The input has ended, all answers are kept." in terminal.output


@pytest.mark.parametrize(
    "n_answers", [2, *(pytest.param(n, marks=pytest.mark.slow) for n in (0, 4))]
)
def test_t09_ctrl_c_at_the_terminal_loses_no_answer(terminal, n_answers):
    answers = ["1", "2", "1", "2"][:n_answers]
    terminal.answer(*answers)
    terminal.interrupt()
    found = terminal.end()
    assert found["answers"] == ["ham", "spam", "ham", "spam"][:n_answers]
    assert (found["error"], found["condition"]) == (None, "oracle")
    assert "Interrupted, all answers are kept." in terminal.output
    assert "Traceback" not in terminal.output


@pytest.mark.slow
def test_t71_without_an_input_nothing_is_asked_for_ever(tmp_path):
    path = tmp_path / "found.json"
    subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)],
        stdin=subprocess.DEVNULL,
        check=True,
        timeout=120,
    )
    found = json.loads(path.read_text())
    assert (found["answers"], found["condition"]) == ([], "oracle")


@pytest.mark.parametrize("stdin", [None, "closed"])
def test_t71_a_closed_input_is_the_end_of_the_input(X, y, make_clf, monkeypatch, stdin):
    if stdin == "closed":
        stdin = io.StringIO()
        stdin.close()
    monkeypatch.setattr(sys, "stdin", stdin)
    clf = make_clf(TerminalOracle()).fit(X, y)
    assert (clf.n_queries_, clf.termination_condition_) == (0, "oracle")


def test_t70_nothing_in_the_data_acts_on_the_terminal(monkeypatch, capsys):
    evil = "\x1b]0;title\x07\x1b[2J\x9b31m\u202eback\u2066\u200f\ufeff\r\x08\x00\u2028"
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n" * 3 + "+a\x1b[1m\n1\n"))
    oracle = TerminalOracle(suggest=True)
    frame = pd.DataFrame({evil: [evil], "lines": ["1\n> 2\nRow 3"]})
    classes, proba = [evil, "ok"], [[0.9, 0.1]]
    for X in ([evil], frame, np.array([[evil, None]], dtype=object), ["plain"]):
        list(oracle(X, classes=classes, proba=proba, sample_ids=[evil]))
    out = capsys.readouterr().out
    assert "\\x1b]0;title\\x07\\x1b[2J\\x9b31m\\u202eback" in out
    kinds = {unicodedata.category(c) for c in out if c != "\n"}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_t70_a_text_cannot_look_like_a_question(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("x\n"))
    list(TerminalOracle()(["a\nRow 2 of 2\n> "], classes=["x"]))
    assert "| a\n| Row 2 of 2\n| > \n" in capsys.readouterr().out


@pytest.mark.parametrize(
    "X",
    [
        ["a" * 10**6],
        ["\n" * 10**6],
        np.full((1, 10**5), 0.5),
        [{"a" * 10**6: "b" * 10**6}],
        np.zeros((1, 64, 64, 3)),
        [[None] * 10**5],
    ],
    ids=["text", "lines", "features", "mapping", "image", "nothing"],
)
def test_t70_what_is_very_long_is_cut(monkeypatch, capsys, X):
    monkeypatch.setattr(sys, "stdin", io.StringIO("x\n"))
    assert list(TerminalOracle()(X, classes=["x"])) == ["x"]
    assert len(capsys.readouterr().out) < 4000


def test_t70_names_of_classes_are_cut(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n"))
    long = "c" * 10**6
    oracle = TerminalOracle(suggest=True)
    answers = oracle(["a"], classes=[long], proba=[[1.0]], sample_ids=[long])
    assert list(answers) == [long]
    assert len(capsys.readouterr().out) < 1000


def test_t48_an_answer_that_could_not_be_recorded_is_shown(
    X, y, make_clf, monkeypatch, capsys
):
    def tell(*args, **kwargs):
        raise OSError("No space left on device")

    monkeypatch.setattr(sys, "stdin", io.StringIO("0\n1\n0\n1\n"))
    monkeypatch.setattr(Run, "tell", tell)
    with pytest.raises(OSError, match="No space") as caught:  # noqa: F841
        make_clf(TerminalOracle()).fit(X, y)
    assert "Not recorded, as the run has failed: 1\n" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore:The least populated class")
def test_t38_a_search_over_processes_says_that_it_cannot_ask(X, y, make_clf):
    clf = make_clf(TerminalOracle())
    search = GridSearchCV(clf, {"strategy": ["margin", "random"]}, cv=2, n_jobs=2)
    with pytest.raises(pickle.PicklingError) as caught:
        search.fit(X, y)
    cause = caught.value
    while cause.__cause__ is not None:
        cause = cause.__cause__
    shown = f"{caught.value} {cause}"
    assert "An interactive oracle needs n_jobs=1: TerminalOracle" in shown


def test_t57_a_fitted_classifier_is_pickled_without_its_terminal(
    X, y, make_clf, monkeypatch
):
    monkeypatch.setattr(sys, "stdin", io.StringIO("0\n1\n" * 4))
    clf = make_clf(TerminalOracle()).fit(X, y)
    assert clf.n_queries_ == 8
    loaded = pickle.loads(pickle.dumps(clf))
    assert loaded.oracle is None
    np.testing.assert_array_equal(loaded.predict(X), clf.predict(X))
    assert clone(clf).oracle is clf.oracle


def test_t57_a_classifier_that_is_not_fitted_is_not_pickled_without(make_clf):
    with pytest.raises(pickle.PicklingError, match="set oracle=None"):
        pickle.dumps(make_clf(TerminalOracle()))
