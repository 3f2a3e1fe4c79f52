"""Displays match rows by position, and refuse other names of the same rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive.plotting import (
    ActiveLearningCurveDisplay,
    BatchCompositionDisplay,
    QueryMapDisplay,
)

X = pd.DataFrame({"a": np.arange(12.0), "b": 1.0})
Y = np.arange(12) // 6


@pytest.fixture(scope="module")
def clf():
    clf = ActiveLearningClassifier(LogisticRegression(), oracle=lambda X: [0])
    with pytest.warns(UserWarning, match="y contains no unlabeled"):
        return clf.fit(X, Y)


def test_points_and_labels_of_other_rows_are_refused(clf):
    points = X[::-1]
    with pytest.raises(ValueError, match="projection and X have different indices"):
        QueryMapDisplay.from_estimator(clf, X, projection=points)
    labels = pd.Series(Y)[::-1]
    with pytest.raises(ValueError, match="y_test and X_test have different indices"):
        ActiveLearningCurveDisplay.from_estimator(clf, X, X, labels)


def test_columns_with_different_names_of_rows_are_refused():
    numbers = pd.Series([1, 2])
    with pytest.raises(ValueError, match="query_rounds and query_indices have diff"):
        QueryMapDisplay(
            coordinates=X, query_indices=numbers, query_rounds=numbers[::-1]
        )
    with pytest.raises(ValueError, match="n_abstained and rounds have different"):
        BatchCompositionDisplay(
            rounds=numbers,
            counts=np.ones((2, 2)),
            n_abstained=numbers[::-1],
            classes=[0, 1],
        )


def test_columns_with_any_index_go_by_position():
    rounds = pd.Series([1, 2], index=[7, 3])
    display = QueryMapDisplay(coordinates=X, query_indices=[4, 5], query_rounds=rounds)
    assert display.query_rounds.tolist() == [1, 2]
