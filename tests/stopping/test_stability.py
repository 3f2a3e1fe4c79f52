"""Stabilising predictions, and the agreement that it measures."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import cohen_kappa_score

from skactive import ActiveLearningClassifier
from skactive.oracles import SimulatedOracle
from skactive.stopping import StabilizingPredictions, agreement


@pytest.mark.parametrize("seed", range(20))
def test_agreement_is_the_kappa_of_scikit_learn(seed):
    rng = np.random.default_rng(seed)
    first, second = rng.integers(0, 1 + seed % 4 + 1, size=(2, 30))
    assert agreement(first, second) == pytest.approx(cohen_kappa_score(first, second))


def test_agreement_of_a_table_worked_out_by_hand():
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: observed .7, expected .5
    first = np.repeat([1, 1, 0, 0], [20, 5, 10, 15])
    second = np.repeat([1, 0, 1, 0], [20, 5, 10, 15])
    assert agreement(first, second) == pytest.approx(0.4)


def test_equal_predictions_agree_fully_even_if_all_are_of_one_class():
    assert agreement([1, 1, 1], [1, 1, 1]) == 1.0
    assert agreement([0, 0], [1, 1]) == 0.0


def rounds(make_round, predicted, n_new=1):
    """Rounds with `n_new` labels more each; rows 0 and 1 are labelled first."""
    for k, codes in enumerate(predicted):
        labels = {row: row % 2 for row in range(2 + k * n_new)}
        yield make_round(codes, labels, round=k + 1)


def test_it_stops_when_the_mean_kappa_of_the_window_reaches_the_threshold(make_round):
    # The stop set is rows 2 to 9. Kappas of neighbours: 0, 3/4, 1.
    a, b, c = [0] * 10, [0, 0, *[0] * 4, *[1] * 4], [0, 0, *[0] * 5, *[1] * 3]
    said = {}
    for threshold in (0.874, 0.876):
        criterion = StabilizingPredictions(threshold, n_windows=2, min_labels=1)
        pools = [*rounds(make_round, [a, b, c, c])]
        said[threshold] = [criterion.update(pool) for pool in pools]
    assert said[0.876] == [None] * 4
    assert said[0.874][:3] == [None] * 3
    assert said[0.874][3].endswith("a mean kappa of 0.8750 >= 0.874")


def test_the_stop_set_is_drawn_once_without_labelled_rows(make_round):
    criterion = StabilizingPredictions(n_stop_set=5, min_labels=1)
    drawn = []
    for pool in rounds(make_round, [[0, 1] * 6] * 4):
        criterion.update(pool)
        drawn.append(criterion.stop_set_.tolist())
    assert len(set(drawn[0])) == 5
    assert min(drawn[0]) >= 2
    assert drawn == [drawn[0]] * 4


def test_with_one_label_a_round_models_are_compared_over_several_labels(make_round):
    criterion = StabilizingPredictions(n_windows=1, min_labels=4)
    said = [
        criterion.update(pool) is not None
        for pool in rounds(make_round, [[0, 1] * 6] * 9)
    ]
    assert said == [False] * 4 + [True] * 5


def test_a_model_is_not_compared_with_itself(make_round):
    criterion = StabilizingPredictions(n_windows=1, min_labels=1)
    for number in range(1, 6):  # nothing but abstentions, and rows of a test sample
        asked = range(2, 2 + number)
        labels = {0: 0, 1: 1, 9: 0}
        pool = make_round([0, 1] * 6, labels, asked=asked, held=[9], round=number)
        assert criterion.update(pool) is None


def test_a_new_class_is_a_change_and_an_old_one_keeps_its_predictions(make_round):
    criterion = StabilizingPredictions(0.999, n_windows=1, min_labels=1)
    codes = [0, 1, 0, 1, 0, 1, 0, 1]
    assert criterion.update(make_round(codes, {0: "a", 1: "c"})) is None
    # "b" comes between: "c" has the number 2 now, and nothing has changed.
    later = [2 * code for code in codes]
    pool = make_round(later, {0: "a", 1: "c", 2: "b"}, bought=[2], round=2)
    assert criterion.update(pool) is not None
    assert criterion.kappas_ == [1.0]


def test_it_ends_a_run_early_and_keeps_most_of_the_accuracy():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(600, 2))
    y = (X[:, 0] > 0.3).astype(int)
    clf = ActiveLearningClassifier(
        LogisticRegression(C=100),
        oracle=SimulatedOracle(y),
        stopping="stabilizing_predictions",
        budget=None,
        random_state=0,
    ).fit(X, np.full(600, -1), sample_ids=range(600))
    assert clf.termination_condition_ == "stabilizing_predictions"
    assert "mean kappa" in clf.history_[-1]["reason"]
    assert clf.n_queries_ < 150
    assert clf.score(X, y) > 0.99
