"""python -m skactive.oracles FILE."""

import subprocess
import sys

import pytest

from skactive.exceptions import OracleError
from skactive.oracles import CachedOracle
from skactive.oracles.__main__ import main


@pytest.fixture
def path(tmp_path):
    """A store with two answers and an open breaker."""

    def ask(X):
        if X == [3]:
            raise ConnectionError("line\x1b[31m broken")
        return [None, "ham"]

    path = tmp_path / "labels.sqlite"
    oracle = CachedOracle(ask, path, annotator="anna")
    oracle([1, 2], sample_ids=[1, 2])
    with pytest.raises(OracleError):
        oracle([3], sample_ids=[3])
    oracle.close()
    return path


def test_it_shows_what_the_file_holds(path, capsys):
    assert main([str(path)]) == 0
    shown = capsys.readouterr().out
    assert "no damage found" in shown
    assert "task 'default': 2 answers, 1 of them abstentions" in shown
    assert "asked: 3 rows in 2 calls, cost 3" in shown
    assert "circuit breaker: open since a failure" in shown


def test_what_the_oracle_said_is_shown_inert(path, capsys):
    main([str(path), "--events"])
    assert "\x1b" not in capsys.readouterr().out


def test_reset_closes_the_breaker(path, capsys):
    assert main([str(path), "--reset", "--events"]) == 0
    shown = capsys.readouterr().out
    assert "circuit breaker: closed" in shown
    assert "UTC failure" in shown
    assert "UTC reset" in shown
    assert CachedOracle(len, path).summary()["breaker"] is None


def test_a_missing_file_is_not_made(tmp_path, capsys):
    path = tmp_path / "labels.sqlite"
    assert main([str(path)]) == 1
    assert "There is no label store" in capsys.readouterr().err
    assert not path.exists()


def test_a_damaged_file_is_an_error(path, capsys):
    path.write_bytes(b"garbage" * 100)
    assert main([str(path)]) == 1
    assert "is damaged" in capsys.readouterr().err


def test_it_runs_as_a_module(path):
    command = [sys.executable, "-m", "skactive.oracles", str(path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "task 'default'" in done.stdout
