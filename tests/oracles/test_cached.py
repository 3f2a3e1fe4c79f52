"""A CachedOracle that is called by hand: closed classes, and a file that is closed."""

import numpy as np
import pytest

from skactive.exceptions import OracleError, StoreError
from skactive.oracles import CachedOracle

X = np.zeros((4, 1))
IDS = ["a", "b", "c", "d"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


@pytest.mark.parametrize("as_iterator", [False, True])
def test_t04_answers_outside_the_classes_are_refused_and_not_stored(path, as_iterator):
    answers = [1, 0, 7, 8]
    oracle = CachedOracle(lambda X: iter(answers) if as_iterator else answers, path)
    with pytest.raises(OracleError, match=r'"c": 7 is not one of the classes .0, 1.'):
        list(oracle(X, IDS, classes=[1, 0]))
    assert [r["label"] for r in oracle.records()] == [1, 0]
    assert oracle.summary()["breaker"] is not None


def test_t56_stored_answers_outside_the_classes_are_listed_and_nothing_is_asked(path):
    oracle = CachedOracle(lambda X: pytest.fail("asked"), path)
    oracle.import_labels({"sample_id": IDS[:2], "label": ["ham", "eggs"]})
    with pytest.raises(
        OracleError, match=r"'eggs' is not.* \"b\".*another `task`"
    ) as e:
        oracle(X, IDS, classes=["ham", "spam"])
    assert e.value.answers == ["eggs"]
    assert oracle.summary()["breaker"] is None
    assert oracle(X[:1], IDS[:1], classes=["ham", "spam"]) == ["ham"]


def test_an_answer_becomes_a_class_without_loss_or_is_refused(path):
    oracle = CachedOracle(lambda X: [1.0, None, np.int64(0), "1"], path)
    with pytest.raises(OracleError, match=r"1 of 4 answers .*'1' .* without loss"):
        oracle(X, IDS, classes=[0, 1])
    assert [r["label"] for r in oracle.records()] == [1, None, 0]


@pytest.mark.parametrize("classes", [None, [], np.array([])])
def test_without_classes_any_label_will_do(path, classes):
    oracle = CachedOracle(lambda X: ["x", "y", "z", 1], path)
    assert oracle(X, IDS, classes=classes) == ["x", "y", "z", 1]


def test_classes_that_are_none_are_refused_before_anything_is_asked(path):
    oracle = CachedOracle(lambda X: pytest.fail("asked"), path)
    with pytest.raises(ValueError, match="classes must be unique"):
        oracle(X, IDS, classes=[0, 0])


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
