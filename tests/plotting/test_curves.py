"""Mean learning curves of several strategies."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import ShuffleSplit

from skactive import ActiveLearningClassifier
from skactive.model_selection import active_learning_curve
from skactive.plotting import ActiveLearningCurveDisplay


@pytest.fixture(scope="module")
def curves():
    clf = ActiveLearningClassifier(
        LogisticRegression(max_iter=1000), batch_size=3, budget=6
    )
    return active_learning_curve(
        clf,
        *load_iris(return_X_y=True),
        strategies=["random", "margin"],
        initial=3,
        cv=ShuffleSplit(3, test_size=0.3, random_state=0),
        scoring=["accuracy", "neg_log_loss"],
        random_state=0,
    )


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def edges(band):
    """Return the lowest and the highest y of a band at each x."""
    vertices = band.get_paths()[0].vertices
    return {
        x: (
            vertices[vertices[:, 0] == x, 1].min(),
            vertices[vertices[:, 0] == x, 1].max(),
        )
        for x in np.unique(vertices[:, 0])
    }


def test_a_line_for_each_strategy_is_its_mean(curves):
    display = ActiveLearningCurveDisplay.from_curves(curves)
    assert [line.get_label() for line in display.line_] == ["random", "margin"]
    for line, name in zip(display.line_, curves.strategies, strict=True):
        assert line.get_xdata().tolist() == [3, 6, 9]
        scores = curves.curve(name)[1]
        np.testing.assert_allclose(line.get_ydata(), scores.mean(axis=0))
    assert display.line_[0].get_color() != display.line_[1].get_color()
    assert display.ax_.get_ylabel() == "Accuracy"
    assert display.ax_.get_xlabel() == "Labelled rows"


def test_the_band_is_the_interval_of_the_mean(curves):
    display = ActiveLearningCurveDisplay.from_curves(curves, confidence=0.9)
    n_labeled, _, low, high = curves.mean_curve("margin", confidence=0.9)
    expected = dict(zip(n_labeled, zip(low, high, strict=True), strict=True))
    found = edges(display.band_[1])
    assert sorted(found) == [3, 6, 9]
    for x, bounds in expected.items():
        assert found[x] == pytest.approx(bounds)


def test_the_band_may_be_a_standard_deviation_or_nothing(curves):
    display = ActiveLearningCurveDisplay.from_curves(curves, band="std")
    scores = curves.curve("random")[1][:, 1]
    mean, std = scores.mean(), scores.std(ddof=1)
    assert edges(display.band_[0])[6] == pytest.approx((mean - std, mean + std))
    assert ActiveLearningCurveDisplay.from_curves(curves, band=None).band_ is None
    with pytest.raises(ValueError, match="band must be 'ci', 'std' or None"):
        ActiveLearningCurveDisplay.from_curves(curves, band="sd")


def test_the_score_with_all_labels_is_a_dashed_line(curves):
    display = ActiveLearningCurveDisplay.from_curves(curves, scoring="neg_log_loss")
    full = curves.full_scores["neg_log_loss"].mean()
    assert display.full_line_.get_ydata() == pytest.approx([full, full])
    assert display.full_line_.get_linestyle() == "--"
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["random", "margin", "all labels"]
    assert display.ax_.get_ylabel() == "Neg log loss"


def test_chosen_strategies_are_drawn_on_given_axes_in_a_given_style(curves):
    _, ax = plt.subplots()
    display = ActiveLearningCurveDisplay.from_curves(
        curves, strategies=["margin"], ax=ax, color="red", band=None
    )
    assert display.ax_ is ax
    assert [line.get_color() for line in display.line_] == ["red"]
    with pytest.raises(ValueError, match="strategy='entropy' is not"):
        ActiveLearningCurveDisplay.from_curves(curves, strategies=["entropy"])


def test_a_late_first_model_shortens_the_curve_and_its_band(curves):
    clf = ActiveLearningClassifier(
        LogisticRegression(max_iter=1000), batch_size=1, budget=8
    )
    late = active_learning_curve(
        clf, *load_iris(return_X_y=True), initial=0, cv=3, random_state=0
    )
    n_labeled, scores = late.curve("margin")
    known = ~np.isnan(scores).any(axis=0)
    display = ActiveLearningCurveDisplay.from_curves(late, band="std")
    assert display.line_[0].get_xdata().tolist() == n_labeled[known].tolist()
    assert sorted(edges(display.band_[0])) == n_labeled[known].tolist()


def test_curves_beyond_the_colours_differ_in_their_style():
    display = ActiveLearningCurveDisplay(
        n_labeled=[[1, 2]] * 12,
        scores=[[0, 1]] * 12,
        estimator_name=[str(number) for number in range(12)],
    ).plot()
    looks = {(line.get_color(), line.get_linestyle()) for line in display.line_}
    assert len(looks) == 12


def test_a_single_curve_may_have_a_band():
    display = ActiveLearningCurveDisplay(
        n_labeled=[1, 2], scores=[0.5, 0.7], lower=[0.4, 0.6], upper=[0.6, 0.9]
    ).plot()
    assert edges(display.band_) == {1: (0.4, 0.6), 2: (0.6, 0.9)}
    assert display.full_line_ is None
