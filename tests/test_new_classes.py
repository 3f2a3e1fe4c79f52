"""Which classes may be mistakes: by hand."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
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


REFUSAL = "I am sorry, but I cannot say what this text is"


@pytest.mark.parametrize(
    ("known", "label", "is_one"),
    [
        (["ham", "spam"], REFUSAL, True),
        (["ham", REFUSAL], REFUSAL, False),  # known
        (["ham", REFUSAL], f"{REFUSAL} about", False),  # classes are sentences here
        (["ham", "spam"], "very much spam", False),
        ([], REFUSAL, False),
        ([0, 1], 2, False),
    ],
)
def test_sentences(known, label, is_one):
    assert Spellings(known).is_sentence(label) is is_one


def test_a_sentence_among_short_classes_is_warned_of():
    X = np.arange(12.0).reshape(-1, 1)
    y = ["ham", "spam"] + [""] * 10
    clf = ActiveLearningClassifier(
        LogisticRegression(),
        oracle=lambda X: [REFUSAL] * len(X),
        missing_label="",
        budget=2,
    )
    with pytest.warns(UserWarning, match="a sentence, while the others are short"):
        clf.fit(X, y)


@pytest.mark.filterwarnings("error:.*is a new class")
def test_a_warning_that_is_an_error_comes_after_all_answers_are_recorded():
    X, y = np.arange(12.0).reshape(-1, 1), ["ham", "spam"] + [""] * 10
    clf = ActiveLearningClassifier(
        LogisticRegression(),
        oracle=lambda X: ["Ham", "ham", "spam"],
        missing_label="",
        batch_size=3,
        budget=3,
    )
    with pytest.raises(UserWarning, match="is a new class") as caught:
        clf.fit(X, y)
    asked = clf.query_indices_
    assert clf.transduction_[asked].tolist() == ["Ham", "ham", "spam"]
    assert caught.value.indices.tolist() == asked.tolist()
