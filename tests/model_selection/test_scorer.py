"""labeled_scorer: rows without a label do not count."""

import pickle

import numpy as np
import pytest
from sklearn import config_context
from sklearn.dummy import DummyClassifier
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.metrics import get_scorer, make_scorer, roc_auc_score
from sklearn.model_selection import cross_validate

from skactive.model_selection import LabeledFold, labeled_scorer

X = np.zeros((6, 1))
y = np.array([1, 0, -1, 1, -1, 1])
ones = DummyClassifier(strategy="constant", constant=1).fit(X, [0, 1, 0, 1, 0, 1])


@pytest.mark.parametrize("scoring", ["accuracy", "f1_macro", "neg_log_loss"])
def test_the_score_is_that_of_the_labeled_rows(scoring):
    known = y != -1
    expected = get_scorer(scoring)(ones, X[known], y[known])
    assert labeled_scorer(scoring)(ones, X, y) == pytest.approx(expected)


def test_sample_weights_are_cut_to_the_labeled_rows():
    weight = [1.0, 3.0, 100.0, 1.0, 100.0, 1.0]
    score = labeled_scorer("accuracy")(ones, X, y, sample_weight=weight)
    assert score == pytest.approx(3 / 6)


def test_strings_and_functions_of_estimator_X_y_are_scorers():
    def count(estimator, X, y):
        return float(len(y))

    assert labeled_scorer(count)(ones, X, y) == 4.0
    assert labeled_scorer("accuracy")(ones, X, y) == 0.75


def test_without_labels_the_score_is_nan_with_a_warning():
    with pytest.warns(UndefinedMetricWarning, match="no row has a label"):
        assert np.isnan(labeled_scorer("accuracy")(ones, X, np.full(6, -1)))


def test_it_works_in_cross_validation_with_several_metrics():
    scoring = {name: labeled_scorer(name) for name in ("accuracy", "f1_macro")}
    target = np.array([0, 1, 0, 1, -1, -1])
    scores = cross_validate(ones, X, target, cv=LabeledFold(2), scoring=scoring)
    np.testing.assert_allclose(scores["test_accuracy"], [0.5, 0.5])
    np.testing.assert_allclose(scores["test_f1_macro"], [1 / 3, 1 / 3])


def test_routing_asks_what_the_wrapped_scorer_asks():
    with config_context(enable_metadata_routing=True):
        inner = make_scorer(roc_auc_score).set_score_request(sample_weight=True)
        requests = labeled_scorer(inner).get_metadata_routing().score.requests
    assert requests["sample_weight"] is True


def test_scorers_can_be_pickled():
    scorer = pickle.loads(pickle.dumps(labeled_scorer("accuracy")))
    assert scorer(ones, X, y) == 0.75


def test_a_name_that_is_no_scorer_is_refused():
    with pytest.raises(ValueError, match="scoring"):
        labeled_scorer("no_score")
