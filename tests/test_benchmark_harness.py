"""What the scripts of benchmarks/ share: calls in turn, stored rows, ratios."""

import importlib
from argparse import Namespace
from functools import partial
from pathlib import Path

import pytest

with pytest.MonkeyPatch.context() as patch:
    patch.syspath_prepend(Path(__file__).parents[1] / "benchmarks")
    results, statistics, study, timing = (
        importlib.import_module(f"harness.{name}")
        for name in ("results", "statistics", "study", "timing")
    )


def arguments(**changed):
    common = {"repeats": 2, "min_repeats": 1, "cap_seconds": float("inf")}
    return Namespace(**common | changed)


def rows_of(**seconds):
    common = {"case": "a", "per": 10, "peak": "", "problem": ""}
    return [
        common | {"side": side, "seconds": text, "cpu": text}
        for side, text in seconds.items()
    ]


def test_sides_take_turns_and_the_first_call_of_each_is_not_timed():
    called = []
    sides = {name: lambda name=name: partial(called.append, name) for name in "ab"}
    found = timing.in_turn(sides, arguments())
    assert "".join(called) == "baabba"
    assert [len(found[name].seconds) for name in "ab"] == [2, 2]


def test_a_side_that_raises_is_noted_and_the_others_go_on():
    sides = {"a": lambda: lambda: 1 / 0, "b": lambda: lambda: None}
    found = timing.seconds_and_peaks(sides, arguments())
    assert found["a"].problem == "ZeroDivisionError: division by zero"
    assert len(found["b"].seconds) == 2
    assert found["b"].peak is not None


def test_a_call_that_takes_too_long_is_ended():
    def forever():
        while True:
            pass

    found = timing.in_turn({"a": lambda: forever}, arguments(cap_seconds=0.05))
    assert found["a"].problem == "TimeoutError: over 0.05 s"


def test_ratios_are_those_of_the_same_repetition():
    (_, line) = timing.lines_of(rows_of(old="1 2 4", new="2 2 2"))
    assert line[1:4] == ["new", "200", "1.000"]  # 2 s are 200 ms for each of 10
    (_, line) = timing.lines_of(rows_of(old="1 2 4", new="3"))
    assert line[3] == "3.000"


def test_the_interval_of_the_median_has_the_binomial_ranks():
    # Of 6 values, the smallest and the largest miss with 2 / 2 ** 6 = 0.03.
    assert statistics.interval_of_median([3, 1, 2, 6, 5, 4]) == (1, 6)


def test_rows_are_kept_by_their_cells_and_can_be_forgotten(tmp_path):
    stored = results.Results(tmp_path / "a.csv", ("set", "seed", "x"), ("set", "seed"))
    stored.append([{"set": "s", "seed": seed, "x": 2 * seed} for seed in range(3)])
    with open(stored.path, "a", encoding="utf-8") as file:
        file.write("s,9")  # a row that was cut off
    assert stored.cells() == {("s", 0), ("s", 1), ("s", 2)}
    stored.forget([("s", 1)])
    assert [row["x"] for row in stored.read()] == ["0", "4"]


def test_a_run_is_logged_with_the_versions(tmp_path):
    date = results.log_run(tmp_path / "a.csv")
    assert "scikit-learn" in results.runs(tmp_path / "b.csv")[date]["versions"]


def test_all_cells_have_few_seeds_before_any_has_many():
    assert list(study.turns(7)) == [(0, 3), (3, 5), (5, 7)]
