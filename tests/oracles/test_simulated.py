"""The simulated oracle answers by id, whatever the time and the other rows."""

import numpy as np
import pytest
from sklearn.base import clone

from skactive.oracles import SimulatedOracle

y = np.arange(1000) % 3


def test_answers_belong_to_ids_not_to_positions():
    oracle = SimulatedOracle(["x", "y", "z"], sample_ids=["b", "a", "c"])
    assert oracle(np.zeros((2, 1)), sample_ids=["c", "b"]) == ["z", "x"]


def test_without_ids_rows_are_numbered():
    assert SimulatedOracle(y)(np.zeros((2, 1)), sample_ids=np.array([5, 3])) == [2, 0]


def test_unknown_ids_are_named():
    with pytest.raises(ValueError, match="1000"):
        SimulatedOracle(y)(np.zeros((1, 1)), sample_ids=[1000])
    with pytest.raises(ValueError, match="'d'"):
        SimulatedOracle([0], sample_ids=["a"])([[0]], sample_ids=["d"])


def test_noise_and_abstention_have_their_rates():
    oracle = SimulatedOracle(y, noise=0.2, abstain=0.1, random_state=1)
    answers = np.array(oracle(np.zeros((1000, 1)), np.arange(1000)), dtype=object)
    abstained = np.equal(answers, None)
    assert abstained.mean() == pytest.approx(0.1, abs=0.03)
    assert (answers[~abstained] != y[~abstained]).mean() == pytest.approx(0.2, abs=0.04)


def test_an_answer_does_not_depend_on_when_it_is_asked():
    oracle = SimulatedOracle(y, noise=0.5, abstain=0.2, random_state=1)
    together = oracle(np.zeros((20, 1)), np.arange(20))
    alone = [oracle(np.zeros((1, 1)), [i])[0] for i in reversed(range(20))]
    assert together == alone[::-1]


def test_it_is_an_estimator_without_state():
    oracle = SimulatedOracle(y, noise=0.3)
    assert clone(oracle).get_params()["noise"] == 0.3


def test_parameters_are_validated():
    with pytest.raises(ValueError, match="noise"):
        SimulatedOracle(y, noise=2.0)(np.zeros((1, 1)), [0])
