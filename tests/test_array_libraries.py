"""Rows of another array library, while scikit-learn dispatches to it."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow

SCRIPT = """
import numpy as np, sklearn, torch
from sklearn.linear_model import LogisticRegression
from skactive import ActiveLearningClassifier
from skactive.model_selection import active_learning_curve, active_test
from skactive.oracles import SimulatedOracle

X = np.random.default_rng(0).normal(size=(60, 3))
truth = (X[:, 0] > 0).astype(int)
y = np.where(np.arange(60) < 10, truth, -1)
def run(X):
    clf = ActiveLearningClassifier(
        LogisticRegression(), oracle=SimulatedOracle(truth), budget=8, random_state=0
    ).fit(X, y, sample_ids=range(60))
    return clf.query_indices_, clf.predict(X)
expected = run(X)
with sklearn.config_context(array_api_dispatch=True):
    found = run(torch.asarray(X))
for a, b in zip(expected, found):
    np.testing.assert_array_equal(a, b)
    assert type(b) is np.ndarray
model = LogisticRegression().fit(X[:10], truth[:10])
def curve(X):
    clf = ActiveLearningClassifier(LogisticRegression(), budget=4)
    curves = active_learning_curve(clf, X, truth, cv=2, random_state=0)
    return curves.area("margin")
def test(X):
    oracle = SimulatedOracle(truth)
    return active_test(
        model, X, oracle=oracle, sample_ids=range(60), budget=9, random_state=0
    ).risk
for look in (curve, test):
    expected = look(X)
    with sklearn.config_context(array_api_dispatch=True):
        np.testing.assert_array_equal(look(torch.asarray(X)), expected)
"""


def test_tensors_are_taken_as_arrays_also_where_scikit_learn_dispatches_to_them():
    pytest.importorskip("torch")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | {"SCIPY_ARRAY_API": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
