"""Out-of-fold probabilities: no column for the marker; what each row gets, by hand."""

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearningClassifier
from skactive.model_selection import LabeledFold, out_of_fold_proba
from skactive.oracles import SimulatedOracle

rng = np.random.default_rng(0)
TRUTH = np.arange(60) % 3
X = rng.normal(size=(60, 2)) + TRUTH[:, None]
Y = np.where(np.arange(60) < 30, TRUTH, -1)
IDS = np.arange(60)


def make_clf(**params):
    params = {"budget": 6, "batch_size": 3, "random_state": 0} | params
    return ActiveLearningClassifier(LogisticRegression(), **params)


@pytest.mark.filterwarnings("ignore:There is no oracle")
def test_a_labelled_row_gets_the_model_that_was_fitted_without_its_fold():
    result = out_of_fold_proba(make_clf(), X, Y, cv=3)
    assert result.classes.tolist() == [0, 1, 2]
    models = []
    for train, test in LabeledFold(3).split(X, Y):
        known = train[Y[train] >= 0]
        models.append(LogisticRegression().fit(X[known], Y[known]))
        expected = models[-1].predict_proba(X[test])
        np.testing.assert_allclose(result.proba[test], expected)
    mean = np.mean([model.predict_proba(X[30:]) for model in models], axis=0)
    np.testing.assert_allclose(result.proba[30:], mean)


@pytest.mark.filterwarnings("ignore:There is no oracle", "ignore:y contains no")
def test_what_scikit_learn_gives_has_a_column_for_the_marker():
    proba = cross_val_predict(make_clf(), X, Y, method="predict_proba", cv=3)
    assert proba.shape == (60, 4)  # which is why there is a function of our own


def test_a_row_that_a_fold_has_bought_is_predicted_by_the_others_only():
    oracle, params = SimulatedOracle(TRUTH), {"sample_ids": IDS}
    clf = make_clf(oracle=oracle)
    result = out_of_fold_proba(clf, X, Y, cv=3, params=params)
    total, count = np.zeros((60, 3)), np.zeros(60)
    for train, _ in LabeledFold(3).split(X, Y):
        model = clone(clf).fit(X[train], Y[train], sample_ids=IDS[train])
        unseen = np.setdiff1d(IDS, train[model.labeled_iter_ >= 0])
        total[unseen] += model.predict_proba(X[unseen])
        count[unseen] += 1
    assert count.min() < 3  # some rows were bought
    np.testing.assert_allclose(result.proba, total / count[:, None])


def test_jobs_frames_pipelines_and_strings_change_nothing_but_the_names():
    params = {"sample_ids": IDS}
    clf = make_clf(oracle=SimulatedOracle(TRUTH))
    expected = out_of_fold_proba(clf, X, Y, cv=3, params=params)
    names = np.array(["a", "b", "c"])
    y = pd.Series([names[v] if v >= 0 else None for v in Y], dtype=object)
    clf = make_clf(oracle=SimulatedOracle(names[TRUTH]), missing_label=None)
    frame = pd.DataFrame(X)
    with parallel_config(backend="threading"):
        found = out_of_fold_proba(clf, frame, y, cv=3, params=params, n_jobs=2)
    assert found.classes.tolist() == ["a", "b", "c"]
    np.testing.assert_allclose(found.proba, expected.proba)
    pipe = make_pipeline(StandardScaler(), clf)
    params = {"activelearningclassifier__sample_ids": IDS}
    assert out_of_fold_proba(pipe, X, y, cv=3, params=params).proba.shape == (60, 3)


@pytest.mark.filterwarnings("ignore:There is no oracle")
def test_classes_that_a_fold_has_not_seen_are_zero_and_rows_in_no_fold_nan():
    y = np.array([0, 1, 0, 1, 2, -1])
    cv = PredefinedSplit([0, 0, 0, 1, 1])
    proba = out_of_fold_proba(make_clf(), X[:6], y, cv=cv).proba
    assert (proba[3:5, 2] == 0).all()
    cv = PredefinedSplit([-1, -1, -1, -1, 0])
    proba = out_of_fold_proba(make_clf(), X[:6], y, cv=cv).proba
    assert np.isnan(proba[:4]).all()
    assert np.isfinite(proba[4:]).all()


def test_classifiers_that_know_no_missing_label_are_refused():
    with pytest.raises(TypeError, match=r"LogisticRegression\(\)\. For a classifier"):
        out_of_fold_proba(LogisticRegression(), X, TRUTH)


def test_other_names_of_rows_are_refused():
    with pytest.raises(ValueError, match="y and X have different indices"):
        out_of_fold_proba(make_clf(), pd.DataFrame(X), pd.Series(Y, index=IDS[::-1]))
