"""python -m skactive.oracles FILE."""

import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from skactive.exceptions import OracleError
from skactive.oracles import CachedOracle
from skactive.oracles.__main__ import main
from skactive.oracles._store.store import LabelStore


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
    assert "contradictions: 0\ncorrections: 0\n" in shown
    assert "circuit breaker: open since a failure" in shown


def test_it_shows_logs_and_corrections(path, capsys):
    store = LabelStore(path)
    store.extend_log("default", 0, [{"kind": "begin"}])
    store.correct("default", {"1": "spam"}, "bert")
    store.extend_log("colour", 0, [{"kind": "begin"}])
    store.close()
    assert main([str(path), "--events"]) == 0
    shown = capsys.readouterr().out
    assert "task 'colour': 0 answers, 0 of them abstentions; 1 entries in" in shown
    assert "task 'default': 2 answers, 0 of them abstentions; 2 entries in" in shown
    assert "corrections: 1" in shown
    assert (
        "UTC correction task='default' sample_id=1 label='spam' annotator='bert'"
        in (shown)
    )


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE log SET entry = '{}'",
        "UPDATE events SET happened_at = 1e300",
        "UPDATE answers SET answered_at = 1e300",
        "UPDATE account SET value = 'much'",
    ],
)
def test_what_cannot_be_is_an_error_that_is_named(path, capsys, change):
    store = LabelStore(path)
    store.extend_log("default", 0, [{"kind": "begin"}])
    store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    assert main([str(path)]) == 1
    assert capsys.readouterr().err.startswith("error: The label store ")


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
