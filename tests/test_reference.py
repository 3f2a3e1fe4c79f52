"""Margin sampling against the published areas of Lu, Li and Lin (2023).

Reproduced seed by seed: the same splits, the same first 20 labels, one query per round
until the pool is empty, the decision function of the SVM that is scored, too.
"""

import csv

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skactive import ActiveLearningClassifier
from skactive.oracles import SimulatedOracle

pytestmark = pytest.mark.reference

TASK_MODEL = SVC(kernel="rbf", C=1.0, gamma="auto")
N_INITIAL = 20
TEST_SHARE = 0.4
N_SEEDS = 10


def split(X, y, seed):
    """Return scaled training and test parts; the first 20 training rows are labelled.

    The order of the rows matters: libsvm stops at a tolerance of 1e-3, and where it
    stops depends on it, so that another order finds other queries in one of ten seeds.
    """
    order = np.arange(len(y))
    np.random.default_rng(seed).shuffle(order)
    train, test = np.split(order, [int(len(y) * (1 - TEST_SHARE))])
    # A new generator, not the next numbers of the first one.
    np.random.default_rng(seed).shuffle(train)
    scaler = StandardScaler().fit(X[train])
    return scaler.transform(X[train]), y[train], scaler.transform(X[test]), y[test]


def is_valid(y_train):
    """Tell whether both classes are among the first labels."""
    return len(np.unique(y_train[:N_INITIAL])) == 2


def area_under_budget_curve(accuracies):
    """Return the area as published: without the first model, over T, not T - 1."""
    return round(np.trapezoid(accuracies, dx=1) / len(accuracies), 5)


def accuracies_by_round(X, y, labeled_iter, X_test, y_test):
    """Return the test accuracy after each bought label."""
    accuracies = []
    for n_rounds in range(1, labeled_iter.max() + 1):
        known = labeled_iter <= n_rounds
        model = clone(TASK_MODEL).fit(X[known], y[known])
        accuracies.append(model.score(X_test, y_test))
    return accuracies


def margin_sampling_area(X, y, X_test, y_test):
    y_initial = np.where(np.arange(len(y)) < N_INITIAL, y, np.nan)
    clf = ActiveLearningClassifier(
        TASK_MODEL,
        oracle=SimulatedOracle(y),
        strategy="margin",
        batch_size=1,
        budget=None,
        missing_label=np.nan,  # -1 is a class
        random_state=0,
    )
    clf.fit(X, y_initial, sample_ids=range(len(y)))
    assert clf.termination_condition_ == "all_labeled"
    return area_under_budget_curve(
        accuracies_by_round(X, y, clf.labeled_iter_, X_test, y_test)
    )


def published_areas(folder, name):
    with open(
        folder / "lu2023_margin_per_seed.csv", encoding="utf-8", newline=""
    ) as file:
        rows = [row for row in csv.DictReader(file) if row["dataset"] == name]
    return {
        int(row["seed"]): float(row["aubc"])
        for row in rows
        if row["query_model"] == row["task_model"] == "RBFSVM"
    }


@pytest.mark.parametrize("name", ["appendicitis", "ex8b", "heart", "ionosphere"])
def test_margin_sampling_has_the_published_area_for_each_seed(test_data, name):
    data = np.load(test_data / f"{name}.npz")
    published, found = published_areas(test_data, name), {}
    for seed in published:
        parts = split(data["X"], data["y"], seed)
        if len(found) < N_SEEDS and is_valid(parts[1]):
            found[seed] = margin_sampling_area(*parts)
    assert len(found) == N_SEEDS
    assert found == pytest.approx({s: published[s] for s in found}, abs=1e-5, rel=0)
