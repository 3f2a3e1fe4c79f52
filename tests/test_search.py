"""Grid search over strategies: who asks what does not depend on how it is run."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from skactive import ActiveLearningClassifier
from skactive.datasets import hide_labels
from skactive.exceptions import OracleError
from skactive.model_selection import LabeledFold

BUDGET = 24
N_CANDIDATES = 4
N_FOLDS = 3

X, TRUTH = load_digits(return_X_y=True)
Y = hide_labels(TRUTH, 0.1, stratify=True, random_state=0)
# Ids that are not positions.
IDS = 10_000 + np.random.default_rng(0).permutation(len(X))


def checking_oracle(*, sees_raw_rows):
    """Return an oracle that checks which rows its ids come with, and its list of ids.

    A StandardScaler before it maps each feature linearly, by numbers that differ from
    fold to fold. What survives that are the rows of a batch relative to each other:
    after the batch is scaled once more, it is as if it had not been scaled before.
    """
    where = {sample_id: row for row, sample_id in enumerate(IDS.tolist())}
    asked = []

    # A closure: it reaches other processes even where this module does not.
    def oracle(X_asked, sample_ids):
        rows = [where[sample_id] for sample_id in np.asarray(sample_ids).tolist()]
        if sees_raw_rows:
            np.testing.assert_array_equal(X_asked, X[rows])
        else:
            np.testing.assert_allclose(scale(X_asked), scale(X[rows]), atol=1e-9)
        asked.extend(sample_ids)
        return TRUTH[rows]

    return oracle, asked


@pytest.fixture(autouse=True)
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def scaler_before(oracle):
    """A classifier inside a Pipeline, which sees scaled rows; and what to search."""
    clf = active_learner(LogisticRegression(max_iter=500), oracle)
    grid = {
        "activelearningclassifier__strategy": ["margin", "random"],
        "activelearningclassifier__estimator__C": [0.01, 1.0],
    }
    return make_pipeline(StandardScaler(), clf), grid


def scaler_inside(oracle):
    """A Pipeline inside the classifier, which sees raw rows; and what to search."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    grid = {
        "strategy": ["margin", "random"],
        "estimator__logisticregression__C": [0.01, 1.0],
    }
    return active_learner(model, oracle), grid


def active_learner(estimator, oracle):
    clf = ActiveLearningClassifier(
        estimator, oracle=oracle, batch_size=8, budget=BUDGET, random_state=0
    )
    return clf.set_fit_request(sample_ids=True)


def search(make, cv, n_jobs):
    """Return a fitted grid search, and the ids asked in this process."""
    oracle, asked = checking_oracle(sees_raw_rows=make is scaler_inside)
    estimator, grid = make(oracle)
    found = GridSearchCV(estimator, grid, cv=cv, n_jobs=n_jobs, error_score="raise")
    return found.fit(X, Y, sample_ids=IDS), asked


def scores(found):
    """Return the scores on the test parts, of shape (n_folds, n_candidates)."""
    names = [f"split{fold}_test_score" for fold in range(N_FOLDS)]
    return np.array([found.cv_results_[name] for name in names])


def refitted(found):
    """Return the classifier that the search has fitted on all rows in the end."""
    best = found.best_estimator_
    return best if isinstance(best, ActiveLearningClassifier) else best[-1]


@pytest.mark.parametrize(
    ("make", "cv"),
    [
        (scaler_inside, LabeledFold(N_FOLDS)),
        pytest.param(scaler_before, LabeledFold(N_FOLDS), marks=pytest.mark.slow),
        pytest.param(scaler_inside, N_FOLDS, marks=pytest.mark.slow),
        pytest.param(scaler_before, N_FOLDS, marks=pytest.mark.slow),
    ],
)
def test_search_asks_and_chooses_the_same_for_any_number_of_jobs(make, cv):
    (one, asked), (two, _) = search(make, cv, 1), search(make, cv, 2)
    assert len(asked) == BUDGET * (N_CANDIDATES * N_FOLDS + 1)
    assert np.isfinite(scores(one)).all()
    np.testing.assert_array_equal(scores(one), scores(two))
    assert one.best_params_ == two.best_params_

    rows, labels = refitted(one).query_indices_, Y.copy()
    labels[rows] = TRUTH[rows]
    assert (labels != Y).sum() == BUDGET
    for found in (one, two):
        np.testing.assert_array_equal(refitted(found).query_indices_, rows)
        np.testing.assert_array_equal(refitted(found).transduction_, labels)


@pytest.mark.parametrize("make", [scaler_before, scaler_inside])
def test_the_oracle_of_these_tests_finds_ids_that_belong_to_other_rows(make):
    oracle, _ = checking_oracle(sees_raw_rows=make is scaler_inside)
    estimator, _ = make(oracle)
    with pytest.raises(OracleError, match="raised AssertionError"):
        estimator.fit(X, Y, sample_ids=np.roll(IDS, 1))
