"""Cross-validation of partly labelled strings: the remedy is named."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score

from skactive import ActiveLearningClassifier
from skactive.model_selection import LabeledFold, labeled_scorer

X = np.linspace(0, 1, 24).reshape(-1, 1)
Y = np.array(["a", None, "b", None] * 6, dtype=object)
CLF = ActiveLearningClassifier(
    LogisticRegression(), oracle=lambda X: ["a"] * len(X), budget=1, missing_label=None
)


@pytest.mark.parametrize(
    ("y", "remedy"),
    [
        (Y, r"LabeledFold\(\.\.\., missing_label=None\)"),
        (np.array(["a", "-1", "b"]), r"LabeledFold\(\.\.\., missing_label='-1'\)"),
    ],
)
def test_labeled_fold_names_itself_where_its_marker_is_wrong(y, remedy):
    with pytest.raises(ValueError, match=f"set {remedy}"):
        next(LabeledFold(3).split(np.zeros((len(y), 1)), y))


def test_labeled_scorer_names_itself_where_its_marker_is_wrong():
    with pytest.raises(ValueError, match=r"labeled_scorer\(\.\.\., missing_label=None"):
        labeled_scorer("accuracy")(CLF, X, Y)


@pytest.mark.parametrize("scoring", [None, "labeled"])
def test_an_integer_cv_on_string_labels_is_warned_of(scoring):
    if scoring is not None:
        scoring = labeled_scorer("accuracy", missing_label=None)
    y = np.array([None, *Y], dtype=object)[:24]  # scikit-learn checks the first
    with pytest.warns(UserWarning, match=r"LabeledFold\(5, missing_label=None\)"):
        cross_val_score(CLF, X, y, cv=3, scoring=scoring)


def test_labeled_folds_of_string_labels_and_numbers_are_silent(recwarn):
    cross_val_score(CLF, X, Y, cv=LabeledFold(3, missing_label=None))
    CLF.fit(X, Y).score(X[Y != None], Y[Y != None])  # noqa: E711
    numbers = np.where(Y == "a", 0, np.where(Y == "b", 1, -1)).astype(int)
    clf = ActiveLearningClassifier(LogisticRegression(), oracle=lambda X: [1] * len(X))
    clf.fit(X, numbers).score(X, numbers)
    assert not [w for w in recwarn if "LabeledFold" in str(w.message)]
