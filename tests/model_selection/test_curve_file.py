"""active_learning_curve with a file: what was run is not run again."""

import json
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit

from skactive import ActiveLearningClassifier
from skactive.exceptions import ActiveLearningError
from skactive.model_selection import ActiveLearningCurve, active_learning_curve

X, y = load_iris(return_X_y=True)
CV = ShuffleSplit(2, test_size=0.4, random_state=0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "curves.jsonl"


def replay(path=None, X=X, y=y, *, budget=4, C=1.0, **params):
    clf = ActiveLearningClassifier(
        LogisticRegression(C=C, max_iter=1000), batch_size=2, budget=budget
    )
    params = {"strategies": "margin", "initial": 5, "cv": CV} | params
    params = {"random_state": 0} | params
    return active_learning_curve(clf, X, y, path=path, **params)


def done_in(path):
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return [(line["strategy"], line["split"]) for line in lines if "split" in line]


class Countdown:
    """Margin sampling that raises or kills its process after some rounds."""

    left = 0  # of the class, as every run has a copy of the object

    def __init__(self, n_rounds, *, kills=False):
        Countdown.left = n_rounds
        self.kills = kills

    def __call__(self, pool):
        Countdown.left -= 1
        if Countdown.left == 0 and self.kills:
            os.kill(os.getpid(), signal.SIGKILL)
        if Countdown.left == 0:
            raise OSError("no more paper")
        return pool.proba.min(axis=1)


def by_function(path=None, n_rounds=10**6, **kwargs):
    """Replay two rounds of each of two splits."""
    return replay(path, strategies={"own": Countdown(n_rounds, **kwargs)})


def without_seconds(curves):
    return [
        {k: v for k, v in record.items() if not k.endswith("seconds")}
        for record in curves.records
    ]


def test_a_file_changes_no_result_and_gives_it_again(path):
    first = replay(path, scoring=["accuracy", "neg_log_loss"])
    assert done_in(path) == [(None, 0), ("margin", 0), (None, 1), ("margin", 1)]
    assert replay(path, scoring=["accuracy", "neg_log_loss"]).records == first.records
    loaded = ActiveLearningCurve.load(path)
    assert loaded.records == first.records
    assert repr(loaded.summary()) == repr(first.summary())
    plain = replay(scoring=["accuracy", "neg_log_loss"])
    assert without_seconds(plain) == without_seconds(first)


def test_a_run_that_failed_is_named_and_the_finished_ones_stay(path):
    match = "strategy 'own' failed in split 1: .*no more paper"
    with pytest.raises(ActiveLearningError, match=match):
        by_function(path, n_rounds=4)
    assert done_in(path) == [(None, 0), ("own", 0), (None, 1)]


def test_only_what_is_missing_is_run(path):
    with pytest.raises(ActiveLearningError):
        by_function(path, n_rounds=4)
    before = path.read_bytes()
    # Two rounds are missing; a third one would raise.
    resumed = by_function(path, n_rounds=3)
    assert path.read_bytes().startswith(before)
    assert done_in(path)[-1] == ("own", 1)
    assert len(done_in(path)) == 4
    assert without_seconds(resumed) == without_seconds(by_function())


def test_strategies_may_be_added_to_a_file(path):
    replay(path)
    both = replay(path, strategies=["random", "margin"])
    assert done_in(path)[4:] == [("random", 0), ("random", 1)]
    assert both.strategies == ["random", "margin"]
    assert replay(path).strategies == ["margin"]
    assert ActiveLearningCurve.load(path).strategies == ["margin", "random"]
    assert without_seconds(both) == without_seconds(
        replay(strategies=["random", "margin"])
    )


@pytest.mark.parametrize("n_bytes", [1, 40, 300])
def test_a_last_line_that_was_cut_short_is_dropped(path, n_bytes):
    first = replay(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:-n_bytes])
    again = replay(path)
    assert done_in(path) == [(None, 0), ("margin", 0), (None, 1), ("margin", 1)]
    assert without_seconds(again) == without_seconds(first)


def test_a_first_line_that_was_cut_short_begins_anew(path):
    replay(path)
    whole = path.read_bytes()
    path.write_bytes(whole[:50])
    replay(path)
    assert path.read_bytes().splitlines()[:2] == whole.splitlines()[:2]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_process_loses_only_the_run_it_was_in(path):
    script = f"from {__name__} import *; by_function({str(path)!r}, 4, kills=True)"
    if "." in __name__:  # the module is found from the root of the tests
        script = f"import sys; sys.path.insert(0, {os.getcwd()!r}); {script}"
    done = subprocess.run([sys.executable, "-c", script], check=False)
    assert done.returncode == -signal.SIGKILL
    assert done_in(path) == [(None, 0), ("own", 0), (None, 1)]
    resumed = by_function(path, n_rounds=3)
    assert without_seconds(resumed) == without_seconds(by_function())


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"X": X + 1}, "the values of X differ"),
        ({"X": X[:-1], "y": y[:-1]}, "n_samples was 150, and is 149"),
        ({"y": y[::-1]}, "the labels in y, or the rows that have them, differ"),
        ({"cv": 2}, "cv gives different splits"),
        ({"cv": 3}, "n_splits was 2, and is 3"),
        ({"initial": 6}, "initial chooses different rows"),
        ({"random_state": 1}, "random_state was 0, and is 1"),
        ({"scoring": "f1_macro"}, r'scoring was null, and is \["f1_macro"\]'),
        ({"C": 2.0}, r"estimator__C was 1.0, and is 2.0\. Pass"),
        ({"budget": 5}, "of the strategy 'margin', budget was 4, and is 5"),
        (
            {"strategies": {"margin": "entropy"}},
            'of the strategy \'margin\', strategy was "margin", and is "entropy"',
        ),
    ],
)
def test_a_file_of_other_inputs_is_refused_untouched(path, change, match):
    replay(path)
    before = path.read_bytes()
    with pytest.raises(ValueError, match=match):
        replay(path, **change)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [b"hello", b"hello\n", b'{"a": 1}\n', b"[1]\n"])
def test_another_file_is_refused_untouched(path, content):
    path.write_bytes(content)
    for call in (replay, ActiveLearningCurve.load):
        with pytest.raises(ValueError, match=r"has different content|cannot be read"):
            call(path)
    assert path.read_bytes() == content


def test_a_newer_format_and_a_damaged_line_are_refused(path):
    replay(path)
    text = path.read_text()
    path.write_text(text.replace('"version": 1', '"version": 2'))
    with pytest.raises(ValueError, match="has the version 2 of the format"):
        replay(path)
    lines = text.splitlines()
    path.write_text("\n".join([*lines[:2], lines[2][:20], *lines[3:], ""]))
    with pytest.raises(ValueError, match="cannot be read in line 3"):
        replay(path)


def test_a_file_wants_a_seed_before_anything_is_run(path):
    with pytest.raises(ValueError, match="random_state must be an int where there is"):
        replay(path, random_state=None)
    with pytest.raises(FileNotFoundError):
        replay(path / "no" / "folder")
    assert not path.exists()


def test_strategies_without_all_splits_are_left_out_of_what_is_loaded(path):
    replay(path)
    with pytest.raises(ActiveLearningError):
        by_function(path, n_rounds=4)
    with pytest.warns(UserWarning, match=r"'own'.*left out"):
        assert ActiveLearningCurve.load(path).strategies == ["margin"]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:3]))
    with pytest.raises(ValueError, match="no strategy with all its splits yet"):
        ActiveLearningCurve.load(path)


def test_scores_that_are_nan_survive_a_file(path):
    def nothing(clf, X, y):
        return np.nan

    replay(path, scoring=nothing)
    assert np.isnan(replay(path, scoring=nothing).records[-1]["score"])
