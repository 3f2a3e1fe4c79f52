"""The learning curve of one run."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skactive import ActiveLearningClassifier
from skactive.datasets import hide_labels
from skactive.oracles import SimulatedOracle
from skactive.plotting import ActiveLearningCurveDisplay

X, y = load_iris(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, random_state=0, stratify=y)


@pytest.fixture
def clf():
    clf = ActiveLearningClassifier(
        LogisticRegression(max_iter=1000),
        oracle=SimulatedOracle(y),
        batch_size=4,
        budget=10,
        random_state=0,
    )
    some = hide_labels(y, 6, stratify=True, random_state=0)
    return clf.fit(X, some, sample_ids=np.arange(len(y)))


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_rounds_are_replayed_as_they_were(clf):
    display = ActiveLearningCurveDisplay.from_estimator(clf, X, X_test, y_test)
    assert display.n_labeled.tolist() == [6, 10, 14, 16]
    for round_, score in enumerate(display.scores):
        rows = (clf.labeled_iter_ >= 0) & (clf.labeled_iter_ <= round_)
        model = clone(clf.estimator).fit(X[rows], y[rows])
        assert score == model.score(X_test, y_test)


def test_the_last_point_is_the_final_model(clf):
    display = ActiveLearningCurveDisplay.from_estimator(
        clf, X, X_test, y_test, scoring="neg_log_loss"
    )
    assert display.scores[-1] == pytest.approx(
        np.log(clf.predict_proba(X_test)[np.arange(len(y_test)), y_test]).mean()
    )
    assert display.ax_.get_ylabel() == "Neg log loss"


def test_what_is_drawn_is_what_was_computed(clf):
    display = ActiveLearningCurveDisplay.from_estimator(clf, X, X_test, y_test)
    np.testing.assert_array_equal(display.line_.get_xdata(), display.n_labeled)
    np.testing.assert_array_equal(display.line_.get_ydata(), display.scores)
    assert display.line_.get_label() == "margin"
    assert display.ax_.get_xlabel() == "Labelled rows"
    assert display.figure_ is display.ax_.figure


def test_several_curves_share_axes_and_keep_their_style(clf):
    first = ActiveLearningCurveDisplay.from_estimator(clf, X, X_test, y_test)
    second = first.plot(ax=first.ax_, name="again", color="red", linestyle="--")
    assert len(first.ax_.lines) == 2
    assert second.line_.get_color() == "red"
    labels = [text.get_text() for text in first.ax_.get_legend().get_texts()]
    assert labels == ["margin", "again"]


def test_test_rows_without_a_label_are_ignored(clf):
    some = y_test.copy()
    some[::2] = -1
    display = ActiveLearningCurveDisplay.from_estimator(clf, X, X_test, some)
    assert display.scores[-1] == clf.score(X_test[1::2], y_test[1::2])


def test_rounds_of_a_cold_start_without_two_classes_are_left_out():
    clf = ActiveLearningClassifier(
        LogisticRegression(max_iter=1000),
        oracle=SimulatedOracle(y),
        batch_size=1,
        budget=6,
        random_state=0,
    ).fit(X, np.full(len(y), -1), sample_ids=np.arange(len(y)))
    display = ActiveLearningCurveDisplay.from_estimator(clf, X, X_test, y_test)
    firsts = [len(set(y[clf.query_indices_[:k]])) > 1 for k in range(1, 7)]
    assert display.n_labeled.tolist() == [k + 1 for k in range(6) if firsts[k]]


def test_a_history_is_drawn_against_the_labels(clf):
    display = ActiveLearningCurveDisplay.from_history(clf.history_, key="mean_utility")
    assert display.n_labeled.tolist() == [6, 10, 14]
    expected = [record["mean_utility"] for record in clf.history_[:-1]]
    np.testing.assert_allclose(display.line_.get_ydata(), expected)
    with pytest.raises(ValueError, match=r"no values for 'accuracy'.*best_utility"):
        ActiveLearningCurveDisplay.from_history(clf.history_, key="accuracy")


def test_an_unfitted_classifier_has_no_curve(clf):
    with pytest.raises(NotFittedError):
        ActiveLearningCurveDisplay.from_estimator(clone(clf), X, X_test, y_test)
