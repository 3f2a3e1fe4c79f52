"""A CachedOracle that is called by hand: classes, and a file that is closed."""

import numpy as np
import pytest

from skactive.exceptions import StoreError
from skactive.oracles import CachedOracle

X = np.zeros((4, 1))
IDS = ["a", "b", "c", "d"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


def test_classes_seen_so_far_do_not_restrict_the_answers(path):
    oracle = CachedOracle(lambda X, classes: ["x", "y", "z", 1], path)
    assert oracle(X, IDS, classes=["x", "y"]) == ["x", "y", "z", 1]


def test_an_answer_that_comes_after_the_file_was_closed_is_with_the_error(path):
    oracle = CachedOracle(lambda X: iter([1, 0, 1, 0]), path)
    answers = oracle(X, IDS)
    assert next(answers) == 1
    oracle.close()
    with (
        pytest.warns(UserWarning, match="A claim was not given up"),
        pytest.raises(StoreError, match="closed while it was in use") as caught,
    ):
        next(answers)
    assert caught.value.answers == {"b": 0}


def test_an_iterator_that_nobody_begins_gives_up_its_rows(path):
    oracle = CachedOracle(lambda X: iter([1, 0, 1, 0]), path)
    oracle(X, IDS)
    assert oracle.summary()["n_claimed"] == 0
    assert oracle.summary()["n_asked"] == 0
