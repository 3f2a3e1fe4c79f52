"""Published worked values and query sequences, and where each of them is tested."""

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skactive import ActiveLearningClassifier
from skactive.acquisition import BaseStrategy, get_strategy
from skactive.acquisition._base import utilities
from skactive.acquisition.functional import entropy, least_confident, margin
from skactive.oracles import SimulatedOracle

HERE = Path(__file__).parent
# The file of each entry of anchors.json, in this folder.
TESTED_IN = {
    "uncertainty_3class": "test_uncertainty.py",
    "breaking_ties_binary": "test_uncertainty.py",
    "breaking_ties_3class": "test_uncertainty.py",
    "least_confidence": "test_uncertainty.py",
    "entropy_binary": "test_uncertainty.py",
    "entropy_3class_zero": "test_uncertainty.py",
    "modal_measures": "test_uncertainty.py",
    "vote_entropy": "test_disagreement.py",
    "variation_ratios": "test_disagreement.py",
    "modal_votes": "test_disagreement.py",
    "bald_toy": "test_disagreement.py",
    "joint_entropy_toy": "test_batch_bald.py",
    "kcenter_toy_first": "test_core_set.py",
    "quire_toy_sequence": "test_quire.py",
    "quire_heart_sequence": "test_quire.py",
    "quire_zero_kernel": "test_quire.py",
    "eer_iris_log_sequence": "test_expected_error.py",
    "eer_iris_zero_one_sequence": "test_expected_error.py",
    "eer_constant_classifier": "test_expected_error.py",
    "us_toy_sequence": "test_anchors.py",
    "us_heart_sequence": "test_anchors.py",
    "modal_iris_knn": "test_anchors.py",
}
LEFT_OUT = {
    "expected_average_precision": "a score that is not among ours",
    "bald_rank_baal": "ranks of random draws from a state set on import, no values",
}


class FirstOfTies(BaseStrategy):
    """Ask the first of equally useful rows, as argmax does, not one at random."""

    def __init__(self, strategy):
        self.strategy = strategy

    def select(self, pool, n_queries):
        scores = utilities(get_strategy(self.strategy), pool)
        return pool.candidates[np.argsort(-scores, kind="stable")[:n_queries]]


@pytest.fixture(scope="module")
def anchors():
    entries = json.loads((HERE.parent / "data" / "anchors.json").read_text())
    return {entry["id"]: entry for entry in entries}


def ask_one_by_one(estimator, strategy, X, y, labeled, n_queries):
    """Return the queried rows, one per round, in their order."""
    y_known = np.full(len(y), np.nan)  # -1 is a class
    y_known[labeled] = y[labeled]
    clf = ActiveLearningClassifier(
        estimator,
        oracle=SimulatedOracle(y),
        strategy=FirstOfTies(strategy),
        batch_size=1,
        budget=n_queries,
        missing_label=np.nan,
    )
    return clf.fit(X, y_known, sample_ids=range(len(y))).query_indices_.tolist()


def test_every_published_value_is_tested_or_left_out_for_a_reason(anchors):
    assert sorted(anchors) == sorted([*TESTED_IN, *LEFT_OUT])


@pytest.mark.parametrize(("anchor", "file"), TESTED_IN.items())
def test_the_file_that_is_said_to_test_a_value_names_it(anchor, file):
    lines = (HERE / file).read_text(encoding="utf-8").splitlines()
    named = [line for line in lines if f'"{anchor}"' in line]
    assert [line for line in named if f'"{anchor}": "test_' not in line]


@pytest.mark.parametrize("strategy", ["least_confident", "margin", "entropy"])
def test_uncertainty_asks_the_published_rows_of_ten(anchors, strategy):
    anchor = anchors["us_toy_sequence"]
    X, y = np.array(anchor["X"]), np.array(anchor["y"])
    model = LogisticRegression(solver="liblinear")
    labeled = range(anchor["n_labeled"])
    asked = ask_one_by_one(model, strategy, X, y, labeled, len(anchor["sequence"]))
    assert asked == anchor["sequence"]


@pytest.mark.parametrize("strategy", ["least_confident", "margin", "entropy"])
def test_uncertainty_asks_the_published_patients(anchors, test_data, strategy):
    anchor = anchors["us_heart_sequence"]
    data = np.load(test_data / f"{anchor['dataset']}.npz")
    model = LogisticRegression(solver="liblinear")
    labeled = range(anchor["n_labeled"])
    n_queries = len(anchor["sequence"])
    asked = ask_one_by_one(model, strategy, data["X"], data["y"], labeled, n_queries)
    assert asked == anchor["sequence"]


def test_least_confident_learns_along_the_published_curve_of_irises(anchors):
    anchor = anchors["modal_iris_knn"]
    X, y = load_iris(return_X_y=True)
    model, start = KNeighborsClassifier(3), anchor["start"]
    n_queries = len(anchor["accuracy"])
    asked = ask_one_by_one(model, "least_confident", X, y, start, n_queries)
    known = [start + asked[:n] for n in range(1, n_queries + 1)]
    curve = [model.fit(X[rows], y[rows]).score(X, y) for rows in known]
    np.testing.assert_allclose(curve, anchor["accuracy"], atol=5e-5)


def test_the_three_measures_of_uncertainty_pick_the_published_rows(anchors):
    anchor = anchors["modal_measures"]
    scores = {"uncertainty": least_confident, "margin": margin, "entropy": entropy}
    picks = {
        name: int(np.argmax(score(anchor["probas"]))) for name, score in scores.items()
    }
    assert picks == anchor["picks"]
