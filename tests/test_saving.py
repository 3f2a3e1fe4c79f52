"""Loops that are saved and loaded: nothing is asked or learnt otherwise."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator
from sklearn.datasets import make_classification
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import skactive
from skactive import ActiveLearningClassifier, LabelingLoop, PseudoLabels
from skactive.acquisition import BaseStrategy
from skactive.exceptions import OracleError, SavedLoopError

X, TRUTH = make_classification(
    60,
    5,
    n_informative=3,
    n_redundant=0,
    n_classes=3,
    n_clusters_per_class=1,
    random_state=0,
)
Y = np.where(np.arange(60) % 15 == 0, TRUTH, -1)
NAMES = np.array(["ant", "bee", "cat"])

CASES = {
    "margin": {},
    "random": {"strategy": "random", "random_state": None},
    "k_center": {"strategy": "k_center"},
    "k_means": {"strategy": "k_means"},
    "badge": {"strategy": "badge"},
    "bald": {"strategy": "bald", "committee": 4},
    "pseudo": {"unlabeled": PseudoLabels(threshold=0.6, decay=0.02)},
    "holdout": {"holdout_fraction": 0.4},
    "cold": {"initial_size": 9, "strategy": "entropy"},
}
N_ROUNDS = 4


def make_clf(**params):
    defaults = {"batch_size": 4, "budget": 4 * N_ROUNDS, "random_state": 0}
    return ActiveLearningClassifier(LogisticRegression(), **defaults | params)


def run(loop, answer=None):
    while (query := loop.ask()) is not None:
        rows = query.indices
        loop.tell(TRUTH[rows] if answer is None else answer(rows))
    return loop.finish()


def reopen(loop, path, clf=None, X=X, y=Y, **kwargs):
    loop.save(path)
    return LabelingLoop.load(path, loop._clf if clf is None else clf, X, y, **kwargs)


def tell_in_disorder(loop, rows):
    """Tell rows one by one, the last one first, each of them twice."""
    for row in rows[::-1]:
        loop.tell([TRUTH[row]], indices=[row])
        loop.tell([TRUTH[row]], indices=[row])


def assert_same(found, expected):
    assert found.query_indices_.tolist() == expected.query_indices_.tolist()
    np.testing.assert_array_equal(found.estimator_.coef_, expected.estimator_.coef_)
    for name in ("transduction_", "labeled_iter_", "classes_"):
        ours, theirs = getattr(found, name), getattr(expected, name)
        assert ours.dtype == theirs.dtype
        np.testing.assert_array_equal(ours, theirs)
    assert found.termination_condition_ == expected.termination_condition_
    assert without_seconds(found.history_) == without_seconds(expected.history_)
    if hasattr(expected, "holdout_indices_"):
        assert found.holdout_indices_.tolist() == expected.holdout_indices_.tolist()


def without_seconds(history):
    return [
        {name: value for name, value in record.items() if "seconds" not in name}
        for record in history
    ]


def resume_for_a_round(folder, case):
    """Ask one round and tell it in two parts, closing the loop between them."""
    clf, path = make_clf(**CASES[case]), Path(folder) / f"{case}.json"
    if path.exists():
        loop = LabelingLoop.load(path, clf, X, Y)
    else:
        loop = LabelingLoop(clf, X, Y)
    if (query := loop.ask()) is not None:
        tell_in_disorder(loop, query.indices[1:3])
        loop = reopen(loop, path, clf)
        rest = np.delete(query.indices, slice(1, 3))
        assert loop.ask().indices.tolist() == rest.tolist()
        tell_in_disorder(loop, rest)
    loop.save(path)


def in_another_process(folder):
    """Run `resume_for_a_round` for all cases in a process of its own."""
    here = {"PYTHONPATH": str(Path(skactive.__file__).parents[1])}
    subprocess.run(
        [sys.executable, __file__, str(folder)],
        env=os.environ | here,
        check=True,
        timeout=120,
    )


def test_resumed_in_another_process_at_every_round_equals_an_undisturbed_run(tmp_path):
    for _ in range(N_ROUNDS + 2):
        in_another_process(tmp_path)
    for case, params in CASES.items():
        loop = LabelingLoop.load(tmp_path / f"{case}.json", make_clf(**params), X, Y)
        assert loop.ask() is None
        if params.get("random_state", 0) is not None:
            assert_same(loop.finish(), run(LabelingLoop(make_clf(**params), X, Y)))


@pytest.mark.parametrize("case", CASES)
def test_loaded_after_every_answer_a_loop_equals_an_undisturbed_run(case, tmp_path):
    loop, path = LabelingLoop(make_clf(**CASES[case]), X, Y), tmp_path / "loop.json"
    calm = twin(loop)
    while (query := loop.ask()) is not None:
        loop = reopen(loop, path)
        assert loop.ask().indices.tolist() == query.indices.tolist()
        tell_in_disorder(loop, query.indices[-1:])
        loop = reopen(loop, path)
    assert_same(reopen(loop, path).finish(), run(calm))


def twin(loop):
    """Return a fresh loop with the same seed, also if that was drawn."""
    other = object.__new__(LabelingLoop)
    inputs = {"sample_ids": None, "cost": None, "fit_params": {}}
    seed = loop._inputs.seed
    other._set_up(loop._clf, X, Y, has_oracle=True, **inputs, seed=seed)
    return other


if __name__ == "__main__":
    for name in CASES:
        resume_for_a_round(sys.argv[1], name)
