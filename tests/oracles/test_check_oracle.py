"""Our oracles keep the contract, and those that break it are found."""

import io
import pickle
import sys
import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator

from skactive import oracles
from skactive.exceptions import StopLabeling
from skactive.oracles import (
    CachedOracle,
    MajorityOracle,
    SimulatedOracle,
    TerminalOracle,
)
from skactive.testing import check_oracle

X = np.linspace(0, 1, 6).reshape(-1, 1)
IDS = np.arange(6)


@pytest.mark.parametrize("disturbed", [{}, {"noise": 0.5, "abstain": 0.5}])
def test_the_simulated_oracle_keeps_the_contract(disturbed):
    oracle = SimulatedOracle([0, 1] * 3, **disturbed)
    check_oracle(oracle, X, sample_ids=IDS, classes=[0, 1])


def one_by_one(X):
    yield from [0, 1, None, 1, 0, 1][: len(X)]


@pytest.mark.parametrize("inner", [SimulatedOracle([0, 1] * 3), one_by_one])
def test_a_cached_oracle_keeps_the_contract(tmp_path, inner):
    for _ in range(2):  # the second time all answers come from the file
        oracle = CachedOracle(inner, tmp_path / "labels.sqlite")
        check_oracle(oracle, X, sample_ids=IDS, classes=[0, 1])
        oracle.close()


@pytest.mark.parametrize("stop_early", [False, True])
def test_a_majority_keeps_the_contract(tmp_path, stop_early):
    annotators = [
        SimulatedOracle([0, 1] * 3, noise=0.5, random_state=s) for s in (0, 1, 2)
    ]
    annotators[0] = CachedOracle(annotators[0], tmp_path / "votes.sqlite")
    oracle = MajorityOracle(annotators, stop_early=stop_early)
    check_oracle(oracle, X, sample_ids=IDS, classes=[0, 1])


def test_all_of_ours_are_checked():
    tests = [path.read_text() for path in Path(__file__).parent.glob("test_*.py")]
    for name in oracles.__all__:
        if name.endswith("Oracle"):
            is_checked = any("check_oracle(" in t and f"{name}(" in t for t in tests)
            assert is_checked, f"call check_oracle with {name} in tests/oracles"


@pytest.mark.parametrize(
    "rows",
    [X, csr_matrix(X), pd.DataFrame(X, columns=["a"]), list("abcdef"), [{"a": 1}] * 6],
    ids=["array", "sparse", "data frame", "texts", "mappings"],
)
@pytest.mark.parametrize("suggest", [False, True])
@pytest.mark.parametrize("lines", ["1\ns\n2\nu\n1\n1\n2\n1\n", "1\n2\nq\n", ""])
def test_the_terminal_oracle_keeps_the_contract(monkeypatch, rows, suggest, lines):
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    oracle = TerminalOracle(suggest=suggest)
    check_oracle(oracle, rows, sample_ids=IDS, classes=["ham", "spam"])


def test_each_row_is_asked_once():
    asked = []

    def ask(X):
        asked.append(X[:, 0].tolist())
        return [0] * len(X)

    check_oracle(ask, X)
    assert asked == [X[:1, 0].tolist(), X[1:, 0].tolist()]


def test_stopping_is_part_of_the_contract():
    def ask(X):
        raise StopLabeling(labels=[1])

    check_oracle(ask, X)


def wants_more(X, budget):
    return [0] * len(X)


def wants_ids(X, sample_ids):
    return [0] * len(X)


def gives_too_few(X):
    return [0]


def goes_on(X):
    yield from [0] * 9


def gives_numbers_and_texts(X):
    return [0] if len(X) == 1 else ["a"] * len(X)


def gives_fractions(X):
    return [0.5] * len(X)


def gives_another_class(X):
    return [7] * len(X)


def changes_rows(X):
    X[:] = 0
    return [0] * len(X)


def changes_classes(X, classes):
    classes[0] = 5
    return [0] * len(X)


def fails(X):
    raise ConnectionError("no line")


@pytest.mark.parametrize(
    ("oracle", "message"),
    [
        (wants_more, "requires the parameter 'budget'"),
        (wants_ids, "requires sample_ids"),
        (gives_too_few, "expected 5, got 1"),
        (goes_on, "went on after the 1 labels"),
        (gives_numbers_and_texts, r"of one type, got \['int', 'str'\]"),
        (gives_fractions, "0.5 is not a class"),
        (gives_another_class, "it answers .7.* not among the classes"),
        (changes_rows, "it changes X,"),
        (changes_classes, "it changes classes,"),
        (fails, "ConnectionError: no line"),
    ],
)
def test_a_broken_contract_is_named(oracle, message):
    classes = None if oracle is gives_numbers_and_texts else [0, 1]
    with pytest.raises(AssertionError, match=f"contract of oracles.*{message}"):
        check_oracle(oracle, X, classes=classes)


class Constant(BaseEstimator):
    def __call__(self, X):
        return [0] * len(X)


class ConnectsTooEarly(Constant):
    def __init__(self):
        self.connection = "open"


class KeepsALock(Constant):
    def __call__(self, X):
        self.lock = threading.Lock()
        return [0] * len(X)


class RefusesWithoutAWord(Constant):
    def __reduce__(self):
        raise ValueError


class RefusesClearly(Constant):
    def __reduce__(self):
        raise pickle.PicklingError("RefusesClearly needs n_jobs=1")


def test_an_oracle_must_be_its_parameters():
    with pytest.raises(AssertionError, match="set its parameters and nothing else"):
        check_oracle(ConnectsTooEarly(), X)


@pytest.mark.parametrize("oracle", [KeepsALock(), RefusesWithoutAWord()])
def test_an_oracle_is_pickled_or_says_why_not(oracle):
    with pytest.raises(AssertionError, match="picklable, or raise a PicklingError"):
        check_oracle(oracle, X)


def test_an_oracle_may_refuse_to_be_pickled():
    check_oracle(RefusesClearly(), X)
