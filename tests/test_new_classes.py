"""Which classes may be mistakes: by hand."""

import pytest

from skactive.utils._new_classes import Spellings, late_and_once


@pytest.mark.parametrize(
    ("label", "alike"),
    [("Ham", "ham"), ("h am\n", "ham"), ("ham", None), ("hum", None), (3, None)],
)
def test_spellings(label, alike):
    assert Spellings(["ham", "spam"]).alike(label) == alike


@pytest.mark.parametrize(
    ("given", "bought", "late"),
    [
        ([0, 1], [0] * 4 + [1] * 5 + [7], [9]),
        ([0, 1], [7] + [0] * 4 + [1] * 5, []),  # early
        ([0, 1], [0] * 4 + [1] * 4 + [7, 7], []),  # twice
        ([0, 1, 7], [0] * 4 + [1] * 5 + [7], []),  # known from the beginning
        ([], [0, 1, 2, 3, 4, 5], []),  # few labels of each class
        ([0, 1], [0] * 5 + [1] * 5 + [7, 8], [10, 11]),
        ([], [], []),
    ],
)
def test_late_and_once(given, bought, late):
    assert late_and_once(given, bought) == late
