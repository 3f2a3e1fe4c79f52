"""How the inputs of two runs differ: told in words, whatever differs."""

from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive._loop.fingerprint import differences, fingerprint, versions


def some_inputs(**changes):
    y = np.array([0, 1, -1, -1])
    values = {
        "X": np.array([[0.0], [1.0], [2.0], [3.0]]),
        "y": y,
        "labeled": changes.get("y", y) != -1,
        "sample_ids": np.array([10, 11, 12, 13]),
        "cost": np.array([1.0, 2.0, 3.0, 4.0]),
        "fit_params": {"sample_weight": np.ones(4)},
        "budget": 2,
        "clf": ActiveLearningClassifier(LogisticRegression(), batch_size=3),
    }
    return SimpleNamespace(**values | changes)


def found(here, saved=None):
    saved = some_inputs() if saved is None else saved
    return differences(fingerprint(saved), fingerprint(here))


def test_equal_inputs_do_not_differ():
    assert found(some_inputs()) == []
    none = {"sample_ids": None, "cost": None, "fit_params": {}}
    assert found(some_inputs(**none), some_inputs(**none)) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"X": np.array([[0.0], [1], [2], [4]])}, ["the values of X differ"]),
        ({"y": np.array([1, 0, -1, -1])}, ["the labels in y, or the rows that have "]),
        ({"y": np.array([0, -1, 1, -1])}, ["the labels in y, or the rows that have "]),
        ({"sample_ids": np.array([10, 11, 13, 12])}, ["sample_ids differ"]),
        ({"sample_ids": None}, ["sample_ids differ"]),
        ({"cost": np.array([1.0, 2, 3, 5])}, ["cost differs"]),
        ({"cost": None}, ["cost differs"]),
        ({"budget": 1}, ["budget was 2 rows, and is 1"]),
        ({"budget": 1, "cost": None}, ["cost differs"]),
        (
            {"fit_params": {"sample_weight": np.arange(4.0)}},
            ["the fit parameter sample_weight differs"],
        ),
        ({"fit_params": {}}, ["the fit parameter sample_weight differs"]),
        (
            {"fit_params": {"sample_weight": np.ones(4), "groups": 1, "a": 2}},
            ["the fit parameter a differs", "the fit parameter groups differs"],
        ),
        (
            {"y": np.array([0, 1, 1, -1])},
            ["y had 2 labels, and has 3", "the labels in y, or the rows that have "],
        ),
    ],
)
def test_each_difference_is_named(changes, expected):
    texts = found(some_inputs(**changes))
    assert len(texts) == len(expected)
    for text, start in zip(texts, expected, strict=True):
        assert text.startswith(start)


def test_of_another_number_of_rows_only_that_is_said():
    fewer = some_inputs(
        X=np.zeros((3, 1)), y=np.array([0, 1, -1]), sample_ids=None, cost=None
    )
    assert found(fewer) == ["X had 4 rows, and has 3"]


def test_parameters_are_named_with_both_values():
    clf = ActiveLearningClassifier(LogisticRegression(C=2.0), batch_size=5)
    texts = found(some_inputs(clf=clf))
    assert texts == [
        "batch_size was 3, and is 5",
        "estimator__C was 1.0, and is 2.0",
    ]


def test_parameters_that_only_one_side_has_are_no_difference():
    saved, here = fingerprint(some_inputs()), fingerprint(some_inputs())
    del saved["parameters"]["batch_size"]
    here["parameters"]["new"] = "1"
    assert differences(saved, here) == []


def test_the_counts_are_those_of_the_data():
    counts = fingerprint(some_inputs(budget=7))
    names = ("n_samples", "n_labeled", "budget")
    assert [counts[name] for name in names] == [4, 2, 7]


def test_labels_of_objects_and_ids_that_are_texts_are_compared():
    y = np.array(["a", "b", None, None], dtype=object)
    values = {"y": y, "labeled": np.array([True, True, False, False])}
    ids = np.array(["p", "q", "r", "s"])
    same = [some_inputs(**values, sample_ids=ids.copy()) for _ in range(2)]
    assert found(*same) == []
    values["y"] = np.array(["a", "c", None, None], dtype=object)
    other = some_inputs(**values, sample_ids=ids)
    assert len(found(other, same[0])) == 1


def test_versions_are_those_of_the_installed_packages():
    found = versions()
    assert found["numpy"] == np.__version__
    assert all(text[0].isdigit() for text in found.values())
    assert len(found) == 5
