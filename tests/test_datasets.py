"""hide_labels keeps the requested number of labels."""

import numpy as np
import pytest

from skactive.datasets import hide_labels


def test_the_labels_kept_are_true_and_as_many_as_wanted():
    y = np.arange(100) % 7
    hidden = hide_labels(y, 30, random_state=0)
    assert (hidden != -1).sum() == 30
    np.testing.assert_array_equal(hidden[hidden != -1], y[hidden != -1])
    assert (hide_labels(y, 0.25, random_state=0) != -1).sum() == 25


def test_stratified_every_class_keeps_a_label():
    y = np.r_[np.zeros(995, int), 1, 2, 3, 4, 5]
    hidden = hide_labels(y, 10, stratify=True, random_state=0)
    assert sorted(set(hidden.tolist())) == [-1, 0, 1, 2, 3, 4, 5]
    assert (hidden != -1).sum() == 10


@pytest.mark.parametrize(
    ("y", "marker", "dtype"),
    [
        ([0, 1, 0, 1], -1, "int64"),
        (np.array([0, 1], np.uint8), -1, "int16"),
        ([0, 1, 0], np.nan, "float64"),
        (["a", "b"], -1, "object"),
        (["a", "b"], None, "object"),
        (["a", "b"], "unknown", "<U7"),
    ],
)
def test_the_dtype_can_hold_labels_and_marker(y, marker, dtype):
    hidden = hide_labels(y, 1, missing_label=marker, random_state=0)
    assert hidden.dtype == dtype


def test_the_given_labels_are_not_changed_and_the_seed_decides():
    y = np.arange(50)
    first, second = (hide_labels(y, 5, random_state=3) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_array_equal(y, np.arange(50))


@pytest.mark.parametrize(
    ("y", "n", "message"),
    [([0, 1], 3, "n_labeled=3"), ([0, -1], 1, "marker")],
)
def test_what_cannot_be_hidden_is_refused(y, n, message):
    with pytest.raises(ValueError, match=message):
        hide_labels(y, n)
