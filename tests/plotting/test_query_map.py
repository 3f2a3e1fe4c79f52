"""The map of the queried rows."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearningClassifier
from skactive.oracles import SimulatedOracle
from skactive.plotting import QueryMapDisplay

# Class 1 lies right of 4.5, and class 2 right of 9.5.
X = np.array([[i % 15, i // 15] for i in range(60)], dtype=float)
y = np.digitize(X[:, 0], [4.5, 9.5])
GIVEN = [0, 7, 14]


def fit(X=X, estimator=None, **params):
    """Fit a classifier whose oracle does not know the odd rows of the third line."""
    some = np.full(len(y), -1)
    some[GIVEN] = y[GIVEN]

    def ask(rows, sample_ids):
        return [None if 30 <= i < 45 and i % 2 else int(y[i]) for i in sample_ids]

    return ActiveLearningClassifier(
        estimator or LogisticRegression(max_iter=1000),
        oracle=ask,
        random_state=0,
        **{"strategy": "random", "batch_size": 8, "budget": 20} | params,
    ).fit(X, some, sample_ids=np.arange(len(y)))


@pytest.fixture
def clf():
    return fit()


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def rows_of(points, coordinates=X):
    """Return which rows a collection shows."""
    offsets = points.get_offsets().data
    return [int(np.flatnonzero((coordinates == xy).all(axis=1))[0]) for xy in offsets]


def legend_of(display):
    return [text.get_text() for text in display.legend_.get_texts()]


def test_every_row_is_drawn_once_by_what_became_of_it(clf):
    display = QueryMapDisplay.from_estimator(clf, X)
    answered = [row for row in clf.query_indices_ if clf.labeled_iter_[row] > 0]
    in_vain = [row for row in clf.query_indices_ if clf.labeled_iter_[row] < 0]
    assert len(in_vain) > 0
    assert rows_of(display.given_) == GIVEN
    assert rows_of(display.asked_) == answered
    assert rows_of(display.abstained_) == in_vain
    rest = sorted(set(range(60)) - {*GIVEN, *answered, *in_vain})
    assert rows_of(display.background_) == rest
    assert display.holdout_ is None
    assert legend_of(display) == ["not queried", "given", "queried", "no answer"]


def test_rows_have_the_colour_of_their_round(clf):
    display = QueryMapDisplay.from_estimator(clf, X)
    rounds = dict(zip(clf.query_indices_, [1] * 8 + [2] * 8 + [3] * 4, strict=True))
    for points in (display.asked_, display.abstained_):
        assert points.get_array().tolist() == [rounds[row] for row in rows_of(points)]
        assert points.get_clim() == (0.5, 3.5)
    display.figure_.canvas.draw()
    three = plt.get_cmap("viridis")([0.0, 0.5, 1.0])
    first = rounds[rows_of(display.asked_)[0]]
    np.testing.assert_allclose(
        display.asked_.get_facecolors()[0], three[first - 1], atol=0.01
    )
    assert display.colorbar_.ax.get_ylabel() == "Round"


def test_the_test_sample_has_markers_of_its_own():
    clf = fit(holdout_fraction=0.5)
    display = QueryMapDisplay.from_estimator(clf, X)
    assert sorted(rows_of(display.holdout_)) == clf.holdout_indices_.tolist()
    assert not set(rows_of(display.holdout_)) & set(rows_of(display.asked_))
    assert "test sample" in legend_of(display)


def test_the_boundary_lies_where_the_predicted_class_changes():
    clf = fit(estimator=KNeighborsClassifier(1), budget=57)
    display = QueryMapDisplay.from_estimator(clf, X)
    assert display.boundary.xx0[0, [0, -1]] == pytest.approx([-0.7, 14.7])
    lines = [
        np.concatenate([path.vertices for path in contours.get_paths()])
        for contours in display.boundary_
    ]
    assert len(lines) == 2
    # In the first line every row has its label.
    of_first = [line[np.abs(line[:, 1]) < 0.4, 0] for line in lines]
    assert {round(x, 1) for x in of_first[0]} == {4.5, 9.5}
    assert {round(x, 1) for x in of_first[1]} == {9.5}


@pytest.mark.filterwarnings("error:.*feature names:UserWarning")
def test_a_pipeline_finds_the_columns_of_a_frame_on_the_grid():
    frame = pd.DataFrame(X, columns=["width", "height"])
    steps = make_column_transformer((StandardScaler(), ["height", "width"]))
    clf = fit(frame, make_pipeline(steps, LogisticRegression()))
    display = QueryMapDisplay.from_estimator(clf, frame)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("width", "height")
    np.testing.assert_array_equal(display.coordinates, X)
    assert len(display.boundary_) == 2


@pytest.mark.filterwarnings("error:.*feature names:UserWarning")
def test_a_polars_frame_is_drawn_as_it_is():
    frame = pl.DataFrame(X, schema=["width", "height"])
    display = QueryMapDisplay.from_estimator(fit(frame), frame)
    assert (display.ax_.get_xlabel(), display.ax_.get_ylabel()) == ("width", "height")
    assert len(display.boundary_) == 2


def test_two_sparse_columns_are_drawn_as_they_are():
    clf = fit(csr_matrix(X))
    display = QueryMapDisplay.from_estimator(clf, csr_matrix(X))
    np.testing.assert_array_equal(display.coordinates, X)
    assert display.boundary is not None


def test_other_rows_are_drawn_by_principal_components_of_what_the_steps_give():
    wide = np.column_stack([X, X[:, 0] * X[:, 1], np.sin(X[:, 0])])
    clf = fit(wide, make_pipeline(StandardScaler(), LogisticRegression()))
    display = QueryMapDisplay.from_estimator(clf, wide)
    expected = PCA(2).fit_transform(StandardScaler().fit_transform(wide))
    np.testing.assert_allclose(display.coordinates, expected, atol=1e-8)
    assert display.ax_.get_xlabel() == "PCA 1"
    assert (display.boundary, display.boundary_) == (None, [])


def test_texts_are_drawn_by_their_vectors():
    texts = [
        "left middle right".split()[label] + f" word{i}" for i, label in enumerate(y)
    ]
    clf = fit(texts, make_pipeline(TfidfVectorizer(), LogisticRegression()))
    display = QueryMapDisplay.from_estimator(clf, texts)
    assert display.coordinates.shape == (60, 2)
    clf.estimator = LogisticRegression()
    with pytest.raises(ValueError, match="no features that could be projected"):
        QueryMapDisplay.from_estimator(clf, texts)


def test_a_projection_may_be_a_transformer_or_points(clf):
    pca = PCA(2, whiten=True)
    display = QueryMapDisplay.from_estimator(clf, X, projection=pca)
    np.testing.assert_allclose(
        display.coordinates, PCA(2, whiten=True).fit_transform(X)
    )
    assert not hasattr(pca, "components_")
    points = X[::-1].tolist()
    display = QueryMapDisplay.from_estimator(clf, X, projection=points)
    np.testing.assert_array_equal(display.given_.get_offsets(), X[::-1][GIVEN])
    assert display.boundary_ == []
    assert display.ax_.get_xlabel() == "Projection 1"


@pytest.mark.parametrize(
    ("projection", "message"),
    [
        (X[:5], r"shape \(60, 2\).*is an array of shape \(5, 2\)"),
        (np.zeros((60, 3)), r"is an array of shape \(60, 3\)"),
        (PCA(1), r"PCA\(n_components=1\) returned an array of shape \(60, 1\)"),
        ("pca", "must be None, a transformer.*got 'pca'"),
        (np.full((60, 2), np.nan), "NaN or infinity"),
    ],
)
def test_a_projection_of_a_wrong_shape_is_refused(clf, projection, message):
    with pytest.raises(ValueError, match=message):
        QueryMapDisplay.from_estimator(clf, X, projection=projection)


def test_other_rows_than_those_of_the_fit_are_refused(clf):
    with pytest.raises(ValueError, match=r"X must hold the 60 rows .*, got 59\."):
        QueryMapDisplay.from_estimator(clf, X[1:])
    with pytest.raises(NotFittedError):
        QueryMapDisplay.from_estimator(clone(clf), X)
    narrow = fit(X[:, :1])
    with pytest.raises(ValueError, match="one feature, which makes no plane"):
        QueryMapDisplay.from_estimator(narrow, X[:, :1])


def test_queries_are_numbered_in_the_order_of_asking(clf):
    display = QueryMapDisplay.from_estimator(clf, X, numbered=True)
    numbers = {note.get_text(): note.xy for note in display.numbers_}
    assert list(numbers) == [str(number) for number in range(1, 21)]
    np.testing.assert_array_equal(numbers["1"], X[clf.query_indices_[0]])
    np.testing.assert_array_equal(numbers["20"], X[clf.query_indices_[-1]])


def test_of_a_large_pool_some_rows_are_drawn_and_always_the_same():
    points = np.column_stack([np.arange(12_000), np.zeros(12_000)])
    display = QueryMapDisplay(
        coordinates=points, query_indices=[5, 3], query_rounds=[1, 2]
    )
    first = display.plot().background_.get_offsets()[:, 0]
    assert len(first) == 10_000
    assert not {3, 5} & set(first)
    again = display.plot().background_.get_offsets()[:, 0]
    np.testing.assert_array_equal(first, again)
    assert display.background_.get_rasterized()
    everything = display.plot(max_background=None).background_
    assert len(everything.get_offsets()) == 11_998


def test_it_is_drawn_into_given_axes_beside_what_they_hold(clf):
    _, (ax, other) = plt.subplots(1, 2)
    ax.plot([0, 1], [0, 1], label="mine")
    display = QueryMapDisplay.from_estimator(clf, X, ax=ax, s=99, vmin=0, vmax=9)
    assert display.ax_ is ax
    assert display.figure_ is ax.figure
    assert not other.collections
    assert display.asked_.get_sizes().tolist() == [99]
    assert display.asked_.get_clim() == (0, 9)
    assert "mine" not in legend_of(display)


def test_a_run_that_asked_nothing_has_a_map_without_a_colour_bar():
    clf = fit(budget=0)
    display = QueryMapDisplay.from_estimator(clf, X, numbered=True, boundary=False)
    assert (display.asked_, display.colorbar_, display.numbers_) == (None, None, [])
    assert len(display.background_.get_offsets()) == 57
    assert (display.boundary, display.boundary_) == (None, [])


def test_images_are_drawn_with_a_model_that_embeds_them():
    images, digits = load_digits(n_class=3, return_X_y=True)

    class Embedding(LogisticRegression):
        def embed(self, X):
            return self.decision_function(X)

    some = np.where(np.arange(len(digits)) < 20, digits, -1)
    clf = ActiveLearningClassifier(
        Embedding(max_iter=1000), oracle=SimulatedOracle(digits), budget=10
    ).fit(images / 16, some, sample_ids=np.arange(len(digits)))
    display = QueryMapDisplay.from_estimator(clf, images / 16)
    expected = PCA(2).fit_transform(clf.decision_function(images / 16))
    np.testing.assert_allclose(display.coordinates, expected, atol=1e-8)
