"""Within scikit-learn and out of the process: T40, T57, T58, T74."""

import ast
import copy
import pickle
import subprocess
import sys
import threading
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import skactive
from skactive.oracles import SimulatedOracle

TEXTS = [f"{word} {i}" for i in range(8) for word in ("cheap pills", "dear friend")]


def test_t40_a_pipeline_inside_leaves_the_rows_raw_for_the_oracle(make_clf):
    seen = []

    def ask(texts):
        seen.extend(texts)
        return [int("pills" in text) for text in texts]

    estimator = make_pipeline(TfidfVectorizer(), LogisticRegression())
    y = [1, 0] + [-1] * 14
    clf = make_clf(ask, estimator=estimator).fit(TEXTS, y)
    assert seen == [TEXTS[row] for row in clf.query_indices_]
    assert clf.predict(["pills", "friend"]).tolist() == [1, 0]


def test_t40_in_a_pipeline_the_oracle_gets_transformed_rows_and_ids(X, y, make_clf):
    seen, ids = [], [f"row {i}" for i in range(21)]

    def ask(rows, sample_ids):
        seen.append((rows, sample_ids))
        return (rows[:, 0] > 0).astype(int)

    pipe = make_pipeline(StandardScaler(), make_clf(ask))
    pipe.fit(X, y, activelearningclassifier__sample_ids=ids)
    clf = pipe[-1]
    scaled = StandardScaler().fit_transform(X)
    asked = np.concatenate([rows for rows, _ in seen])
    np.testing.assert_array_equal(asked, scaled[clf.query_indices_])
    asked_ids = np.concatenate([sample_ids for _, sample_ids in seen]).tolist()
    assert asked_ids == [ids[row] for row in clf.query_indices_]


@config_context(enable_metadata_routing=True)
def test_t40_sample_ids_are_routed_through_a_pipeline(X, y, truth, make_clf):
    clf = make_clf(SimulatedOracle(truth)).set_fit_request(sample_ids=True)
    pipe = make_pipeline(StandardScaler(), clf).fit(X, y, sample_ids=np.arange(21))
    rows = pipe[-1].query_indices_
    np.testing.assert_array_equal(pipe[-1].transduction_[rows], truth[rows])


def test_t40_columns_of_a_data_frame_inside(truth, make_clf):
    frame = pd.DataFrame({"colour": np.where(truth, "red", "blue"), "size": 1.0})
    seen = []

    def ask(rows):
        seen.append(rows)
        return (rows["colour"] == "red").astype(int)

    steps = make_column_transformer(
        (OneHotEncoder(), ["colour"]), remainder="passthrough"
    )
    y = np.where(np.arange(21) % 20 == 0, truth, -1)
    clf = make_clf(ask, estimator=make_pipeline(steps, LogisticRegression()))
    assert clf.fit(frame, y).score(frame, truth) == 1.0
    pd.testing.assert_frame_equal(pd.concat(seen), frame.iloc[clf.query_indices_])


def test_t40_in_a_search_the_ids_follow_the_rows(X, truth, make_clf):
    order = np.random.default_rng(0).permutation(21)
    y = np.where(np.arange(21) % 3 == 0, truth[order], -1)
    asked = []

    def ask(rows, sample_ids):
        asked.extend(zip(rows[:, 0], X[sample_ids, 0], strict=True))
        return truth[sample_ids]

    search = GridSearchCV(make_clf(ask, budget=4), {"strategy": ["margin", "random"]})
    search.set_params(cv=3, error_score="raise").fit(X[order], y, sample_ids=order)
    assert len(asked) == 4 * (2 * 3 + 1)
    assert all(given == known for given, known in asked)


class Unpicklable:
    """An oracle that holds what cannot be pickled, and counts its calls."""

    def __init__(self):
        self.lock = threading.Lock()
        self.n_calls = 0

    def __call__(self, X):
        self.n_calls += 1
        return (X[:, 0] > 0.5).astype(int)


def through_pickle(clf, folder):
    return pickle.loads(pickle.dumps(clf))


def through_joblib(clf, folder):
    joblib.dump(clf, folder / "clf.joblib")
    return joblib.load(folder / "clf.joblib")


def through_skops(clf, folder):
    sio = pytest.importorskip("skops.io")
    sio.dump(clf, folder / "clf.skops")
    names = sio.get_untrusted_types(file=folder / "clf.skops")
    return sio.load(folder / "clf.skops", trusted=names)


@pytest.mark.parametrize("through", [through_pickle, through_joblib, through_skops])
@pytest.mark.parametrize("oracle", [Unpicklable(), lambda X: [0, 1, 0, 1]])
def test_t57_predictions_survive_without_the_oracle(
    X, y, make_clf, tmp_path, through, oracle
):
    clf = make_clf(oracle).fit(X, y)
    loaded = through(clf, tmp_path)
    np.testing.assert_array_equal(loaded.predict_proba(X), clf.predict_proba(X))
    assert loaded.history_ == clf.history_
    assert loaded.oracle is None
    assert clf.oracle is oracle
    with pytest.warns(UserWarning, match="There is no oracle"):
        assert loaded.fit(X, y).termination_condition_ == "no_oracle"


def test_t57_an_oracle_that_can_be_pickled_comes_along(X, y, truth, make_clf):
    clf = make_clf(SimulatedOracle(truth)).fit(X, y, sample_ids=np.arange(21))
    loaded = pickle.loads(pickle.dumps(clf))
    again = loaded.fit(X, y, sample_ids=np.arange(21))
    assert again.query_indices_.tolist() == clf.query_indices_.tolist()


def test_t57_an_unfitted_object_keeps_its_oracle_or_says_why(make_clf):
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(make_clf(Unpicklable()))


@pytest.mark.parametrize("make_copy", [clone, copy.copy, copy.deepcopy])
def test_t58_copies_share_the_oracle_and_nothing_else(X, y, make_clf, make_copy):
    oracle = Unpicklable()
    clf = make_clf(oracle)
    other = make_copy(clf)
    assert other.oracle is oracle
    assert other.get_params().keys() == clf.get_params().keys()
    other.fit(X, y)
    clf.fit(X, y)
    assert oracle.n_calls == 4
    assert other.estimator_ is not clf.estimator_


def test_t58_a_clone_has_the_same_parameters_and_nothing_learnt(X, y, make_clf):
    clf = make_clf(Unpicklable(), strategy="entropy", classes=[0, 1])
    clf.set_params(estimator__C=3.0).fit(X, y)
    other = clone(clf)
    assert repr(other) == repr(clf)
    assert not [name for name in vars(other) if name.endswith("_")]
    other.set_params(estimator__C=5.0)
    assert clf.estimator.C == 3.0


def test_t58_clones_draw_alike_and_leave_the_random_state_alone(X, y, make_clf):
    seed = np.random.RandomState(0)
    clf = make_clf(lambda X: [0, 1, 0, 1], strategy="random", random_state=seed)
    first, second = (clone(clf).fit(X, y).query_indices_.tolist() for _ in range(2))
    assert first == second
    assert seed.randint(2**31) == np.random.RandomState(0).randint(2**31)


def test_t58_a_deep_copy_of_a_fitted_object_predicts_and_keeps_its_oracle(
    X, y, make_clf
):
    clf = make_clf(Unpicklable()).fit(X, y)
    other = copy.deepcopy(clf)
    assert other.oracle is clf.oracle
    assert other.estimator_ is not clf.estimator_
    np.testing.assert_array_equal(other.predict(X), clf.predict(X))
    other.transduction_[:] = 7
    assert set(clf.transduction_) == {-1, 0, 1}


def test_t58_folds_share_a_stateful_oracle(X, truth, make_clf):
    y = np.where(np.arange(21) % 3 == 0, truth, -1)
    oracle = Unpicklable()
    scores = cross_validate(make_clf(oracle, budget=4), X, y, cv=3, error_score="raise")
    assert oracle.n_calls == 3
    assert len(scores["test_score"]) == 3


SCRIPT = """
import multiprocessing
import sys
import numpy as np
from sklearn.naive_bayes import GaussianNB
from skactive import ActiveLearningClassifier
from skactive.oracles import CachedOracle

def ask(X):
    return (X[:, 0] > 0.5).astype(int)

def run(seed, n_jobs=1):
    X = np.linspace(0, 1, 21).reshape(-1, 1)
    oracle = CachedOracle(ask, sys.argv[1])
    clf = ActiveLearningClassifier(
        GaussianNB(), oracle=oracle, strategy="vote_entropy", committee=3,
        batch_size=4, budget=8, n_jobs=n_jobs, random_state=seed,
    )
    y = [0, 0] + [-1] * 17 + [1, 1]
    found = clf.fit(X, y, sample_ids=range(21)).query_indices_.tolist()
    oracle.close()
    try:
        clf.fit(X, y, oracle=lambda X: [1])
    except ValueError as error:
        return found if "expected 4, got 1" in str(error) else None

if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(run(0, 2) == pool.apply(run, (0,)), len(run(0)), __debug__)
"""


@pytest.mark.slow
def test_t74_warnings_as_errors_optimized_python_and_spawned_processes(tmp_path):
    path = tmp_path / "script.py"
    path.write_text(SCRIPT)
    command = [sys.executable, "-O", "-W", "error", str(path), str(tmp_path / "labels")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.stderr == ""
    assert done.stdout.split() == ["True", "8", "False"]


def test_t74_nothing_is_checked_by_an_assertion():
    folder = Path(skactive.__file__).parent
    found = [
        f"{path.name}:{node.lineno}"
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Assert)
    ]
    assert found == []
