"""The classes of the rows of every round."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color, to_hex
from sklearn.base import clone
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import NotFittedError

from skactive import ActiveLearningClassifier
from skactive.plotting import BatchCompositionDisplay

ROWS = np.arange(9.0).reshape(-1, 1)
GIVEN = ["ham", "spam", "ham", "", "", "", "", "", ""]
ANSWERS = ["", "", "", "ham", "spam", None, "eggs", "ham", None]


@pytest.fixture
def clf():
    """Two rows are queried in a round, in their order."""
    return ActiveLearningClassifier(
        DummyClassifier(),
        oracle=lambda X: [ANSWERS[int(row)] for row in X[:, 0]],
        strategy=lambda pool: -pool.candidates.astype(float),
        batch_size=2,
        missing_label="",
        budget=5,
    ).fit(ROWS, GIVEN)


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def boxes(bars):
    """Map the middle of every bar to where it begins and how high it is."""
    return {
        bar.get_x() + bar.get_width() / 2: (bar.get_y(), bar.get_height())
        for bar in bars
    }


def legend_of(display):
    return [text.get_text() for text in display.legend_.get_texts()]


def display_of(counts, n_abstained=None, classes=None):
    counts = np.array(counts)
    return BatchCompositionDisplay(
        rounds=np.arange(1, len(counts) + 1),
        counts=counts,
        n_abstained=np.zeros(len(counts)) if n_abstained is None else n_abstained,
        classes=np.arange(counts.shape[1]) if classes is None else classes,
    )


def test_bars_are_as_high_as_rows_were_answered(clf):
    # Round 1: ham, spam. Round 2: no answer, eggs. Round 3: ham.
    display = BatchCompositionDisplay.from_estimator(clf)
    assert display.classes.tolist() == ["eggs", "ham", "spam"]
    assert display.counts.tolist() == [[0, 1, 1], [1, 0, 0], [0, 1, 0]]
    eggs, ham, spam = display.bars_
    assert boxes(eggs) == {2: (0, 1)}
    assert boxes(ham) == {1: (0, 1), 3: (0, 1)}
    assert boxes(spam) == {1: (1, 1)}
    assert boxes(display.abstained_) == {2: (1, 1)}
    assert display.ax_.get_xlabel() == "Round"
    assert display.ax_.get_ylabel() == "Rows queried"


def test_the_legend_names_classes_from_top_to_bottom_in_their_colours(clf):
    display = BatchCompositionDisplay.from_estimator(clf)
    assert legend_of(display) == ["no answer", "spam", "ham", "eggs"]
    _, *patches = display.legend_.get_patches()
    for patch, bars in zip(patches, display.bars_[::-1], strict=True):
        assert same_color(patch.get_facecolor(), bars[0].get_facecolor())


def test_labels_given_are_round_0_if_wanted(clf):
    display = BatchCompositionDisplay.from_estimator(clf, initial=True)
    assert display.rounds.tolist() == [0, 1, 2, 3]
    assert boxes(display.bars_[1])[0] == (0, 2)
    assert boxes(display.bars_[2])[0] == (2, 1)
    assert display.n_abstained.tolist() == [0, 0, 1, 0]
    assert display.ax_.get_xlabel() == "Round (0: labels given)"


def test_shares_of_a_round_sum_to_one(clf):
    display = BatchCompositionDisplay.from_estimator(clf, normalize=True)
    assert boxes(display.bars_[1]) == {1: (0, 0.5), 3: (0, 1)}
    assert boxes(display.abstained_) == {2: (0.5, 0.5)}
    assert display.ax_.get_ylabel() == "Share of rows queried"


def test_abstentions_are_in_the_legend_only_if_there_are_some():
    assert legend_of(display_of([[1, 2]]).plot()) == ["1", "0"]


def test_up_to_twenty_classes_have_colours_and_entries_of_their_own():
    for n_classes in (10, 20):
        display = display_of(np.ones((2, n_classes), dtype=int)).plot()
        colors = {to_hex(bars[0].get_facecolor()) for bars in display.bars_}
        assert len(colors) == len(legend_of(display)) == n_classes
        assert display.colorbar_ is None


def test_many_classes_are_told_by_a_colour_bar():
    names = [f"class {number}" for number in range(50)]
    display = display_of(np.ones((2, 50), dtype=int), [0, 1], names).plot()
    assert legend_of(display) == ["no answer"]
    ticks = [text.get_text() for text in display.colorbar_.ax.get_yticklabels()]
    assert ticks[0] == "class 0"
    assert ticks[-1] == "class 49"
    assert len(ticks) < 10
    color_of = display.colorbar_.mappable.to_rgba
    assert same_color(color_of(7), display.bars_[7][0].get_facecolor())


def test_many_rounds_have_bars_without_gaps_and_few_ticks():
    display = display_of(np.ones((90, 1), dtype=int)).plot()
    assert {bar.get_width() for bar in display.bars_[0]} == {1.0}
    assert len(display.ax_.get_xticks()) <= 12
    display.plot(width=0.5)
    assert {bar.get_width() for bar in display.bars_[0]} == {0.5}


def test_it_is_drawn_into_given_axes(clf):
    figure, (ax, other) = plt.subplots(1, 2)
    display = BatchCompositionDisplay.from_estimator(clf, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert not other.patches


def test_an_unfitted_classifier_has_no_batches(clf):
    with pytest.raises(NotFittedError):
        BatchCompositionDisplay.from_estimator(clone(clf))
