"""Loops that are saved and loaded: the same queries and the same models."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib import parallel_config
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator
from sklearn.datasets import make_classification
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

import skactive
from skactive import ActiveLearningClassifier, LabelingLoop, PseudoLabels, Session
from skactive._loop.fingerprint import versions
from skactive._loop.run import Run
from skactive.acquisition import BaseStrategy, Selection
from skactive.exceptions import OracleError, SavedLoopError
from skactive.oracles._store.store import LabelStore

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
    "bald": {"strategy": "bald", "committee": 2},
    "pseudo": {"unlabeled": PseudoLabels(threshold=0.6, decay=0.02)},
    "holdout": {"holdout_fraction": 0.4},
    "cold": {"initial_size": 9, "strategy": "entropy"},
}
N_ROUNDS = 3


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
    return LabelingLoop.load(
        path, loop._run.inputs.clf if clf is None else clf, X, y, **kwargs
    )


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
        assert found.holdout_score_ == expected.holdout_score_
        assert found.holdout_interval_ == expected.holdout_interval_


def without_seconds(history):
    return [
        {name: value for name, value in record.items() if "seconds" not in name}
        for record in history
    ]


def resume_for_a_round(folder, case):
    """Ask one round and tell it in two parts, closing the loop between them."""
    clf, path = make_clf(**CASES[case]), Path(folder) / f"{case}.sqlite"
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


@pytest.mark.slow
def test_resumed_in_another_process_at_every_round_equals_an_undisturbed_run(tmp_path):
    for _ in range(N_ROUNDS + 2):
        in_another_process(tmp_path)
    for case, params in CASES.items():
        loop = LabelingLoop.load(tmp_path / f"{case}.sqlite", make_clf(**params), X, Y)
        assert loop.ask() is None
        if params.get("random_state", 0) is not None:
            assert_same(loop.finish(), run(LabelingLoop(make_clf(**params), X, Y)))


@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, marks=pytest.mark.slow)
        if case in {"margin", "k_center", "k_means", "pseudo"}
        else case
        for case in CASES
    ],
)
def test_loaded_after_every_answer_a_loop_equals_an_undisturbed_run(case, tmp_path):
    loop, path = LabelingLoop(make_clf(**CASES[case]), X, Y), tmp_path / "loop.sqlite"
    calm = twin(loop)
    while (query := loop.ask()) is not None:
        loop = reopen(loop, path)
        assert loop.ask().indices.tolist() == query.indices.tolist()
        tell_in_disorder(loop, query.indices[-1:])
        loop = reopen(loop, path)
    assert_same(reopen(loop, path).finish(), run(calm))


def twin(loop):
    """Return a fresh loop with the same seed, also if that was drawn."""
    inputs = loop._run.inputs
    other = LabelingLoop(inputs.clf, X, Y)
    other._run = Run(other._run.inputs.with_seed(inputs.seed))
    return other


def small_loop(y=Y, X=X, sample_ids=None, **params):
    return LabelingLoop(make_clf(**params), X, y, sample_ids=sample_ids)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "loop.sqlite"


def test_a_loop_saved_before_the_first_question_asks_the_same(path):
    loop = small_loop()
    assert reopen(loop, path).ask().indices.tolist() == loop.ask().indices.tolist()


def test_late_and_contradicting_answers_abstentions_and_refusals_survive(path):
    calm = small_loop()
    closed = small_loop()
    for loop in (calm, closed):
        first = loop.ask().indices
        loop.tell([None, TRUTH[first[1]], None, TRUTH[first[3]]])
        second = loop.ask().indices
        rows = [second[0], first[0], second[1]]  # one is late
        with pytest.raises(OracleError, match="1 of 3 answers"):
            loop.tell([TRUTH[second[0]], TRUTH[first[0]], "x"], indices=rows)
        with pytest.warns(UserWarning, match="has the label"):
            loop.tell([(TRUTH[first[1]] + 1) % 3], indices=first[1:2])
    loaded = reopen(closed, path)
    query = loaded.ask()
    assert (query.indices.tolist(), query.round) == (second[1:].tolist(), 2)
    loaded.tell(TRUTH[query.indices], query=query)
    assert_same(run(loaded), run(calm))


def test_an_answer_told_in_the_batch_that_closes_a_round_counts_in_its_record(path):
    loop = small_loop()
    rows = loop.ask().indices
    loop.tell([None, 0, 0, 0, TRUTH[rows[0]]], indices=[*rows, rows[0]])
    loaded = reopen(loop, path)
    assert [record["n_abstained"] for record in loop._run.rounds.history] == [0]
    assert loaded._run.rounds.history == loop._run.rounds.history


def test_an_ended_loop_stays_ended_and_takes_late_answers(path):
    loop = small_loop(budget=None, batch_size=60)
    rows = loop.ask().indices
    loop.tell([None, *TRUTH[rows[1:]]])
    assert loop.ask() is None
    loop.tell([TRUTH[rows[0]]], indices=rows[:1])
    loaded = reopen(reopen(loop, path), path)
    assert loaded.ask() is None
    assert loaded.finish().termination_condition_ == "all_asked"
    assert_same(loaded.finish(), loop.finish())


@pytest.mark.parametrize(
    ("labels", "marker"),
    [
        (NAMES[TRUTH].tolist(), None),
        (NAMES[TRUTH], ""),
        ((TRUTH * 1000).astype(np.int16), -1),
        (TRUTH.astype(float), -1),
        (TRUTH > 0, None),
        (["\ud800" if t else 'é"\n' for t in TRUTH], None),
    ],
    ids=["str", "numpy str", "int16", "float", "bool", "odd text"],
)
def test_labels_of_every_type_come_back_as_they_were(labels, marker, path):
    y = np.full(60, marker, dtype=object)
    loop = small_loop(y, missing_label=marker, budget=12)
    while (query := loop.ask()) is not None:
        loop.tell([labels[row] for row in query.indices])
        loop = reopen(loop, path, y=y)
    expected = run(
        small_loop(y, missing_label=marker, budget=12),
        lambda rows: [labels[row] for row in rows],
    )
    assert_same(loop.finish(), expected)
    types = [type(value) for value in loop.finish().transduction_]
    assert types == [type(value) for value in expected.transduction_]


def entries_in(path):
    with Session(path) as session:
        return session.entries()


def test_saving_again_after_loading_writes_nothing(path):
    loop = small_loop()
    for _ in range(2):
        loop.tell(TRUTH[loop.ask().indices])
    loop.save(path)
    before = entries_in(path)
    loaded = LabelingLoop.load(path, make_clf(), X, Y)
    loaded.save(path)
    assert entries_in(path) == before
    assert before[-1]["record"]["oracle_seconds"] > 0
    # The times are those of the run, not of its replay.
    assert loaded._run.rounds.history == loop._run.rounds.history


def test_the_file_says_who_selected_and_what_was_told_and_what_is_open(path):
    loop = small_loop()
    rows = loop.ask().indices.tolist()
    loop.tell([None, np.int8(2)], indices=rows[:2], annotator="ann")
    loop.save(path)
    begin, opened, told = entries_in(path)
    assert [e["kind"] for e in (begin, opened, told)] == ["begin", "round", "told"]
    assert begin["made_with"] == versions()
    assert (opened["round"], opened["strategy"]) == (1, "margin")
    assert opened["rows"] == rows
    assert (told["rows"], told["labels"]) == (rows[:2], [None, 2])
    assert told["by"] == "ann"


def test_a_file_with_ids_names_rows_by_them_and_holds_the_answers_for_others(path):
    ids = [f"text {i}" for i in range(60)]
    loop = small_loop(sample_ids=ids)
    query = loop.ask()
    loop.tell([None, *TRUTH[query.indices[1:]]])
    loop.save(path)
    names, labels = query.sample_ids.tolist(), TRUTH[query.indices].tolist()
    _, opened, told, closed = entries_in(path)
    assert opened["rows"] == told["rows"] == closed["rows"] == names
    assert closed["record"]["n_abstained"] == 1
    with Session(path) as session:
        assert session.labels() == dict(zip(names[1:], labels[1:], strict=True))
        assert session.skipped() == names[:1]


def lines_in(path):
    """Return the text of each entry, as SQLite has it."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT * FROM log ORDER BY position").fetchall()


def test_saving_appends_what_is_new_and_reads_nothing(path, monkeypatch):
    clf = make_clf(batch_size=1, budget=40)
    loop = LabelingLoop(clf, X, Y)
    loop.save(path)
    monkeypatch.delattr(LabelStore, "log")
    before, sizes = lines_in(path), []
    for _ in range(40):
        loop.tell(TRUTH[loop.ask().indices])
        loop.save(path)
        lines = lines_in(path)
        assert lines[: len(before)] == before
        new = [text for _, _, text, _ in lines[len(before) :]]
        assert [json.loads(text)["kind"] for text in new] == ["round", "told", "closed"]
        sizes.append(sum(map(len, new)))
        loop.save(path)  # nothing is new
        before = lines_in(path)
        assert before == lines
    # But for the digits of numbers.
    assert max(sizes) < 1.2 * min(sizes)


class Draws(BaseStrategy):
    def select(self, pool, n_queries):
        rows = pool.candidates[:n_queries]
        return Selection(rows, probabilities=(rows + 1) / 100)


def test_probabilities_of_drawing_survive(path):
    loop = small_loop(strategy=Draws())
    rows = loop.ask().indices
    loop.tell(TRUTH[rows[[2, 0]]], indices=rows[[2, 0]])
    fitted = run(reopen(loop, path))
    np.testing.assert_array_equal(
        fitted.query_probabilities_, (fitted.query_indices_ + 1) / 100
    )


class AfterThree(BaseEstimator):
    """A criterion with a state."""

    n_seen = 0

    def update(self, pool):
        self.n_seen += 1
        return f"seen {self.n_seen}" if self.n_seen == 3 else None


def test_criteria_rebuild_their_state(path):
    loop = small_loop(stopping=AfterThree())
    for _ in range(2):
        loop = reopen(loop, path)
        loop.tell(TRUTH[loop.ask().indices])
    fitted = run(reopen(loop, path))
    assert fitted.n_iter_ == 2
    assert fitted.termination_condition_ == "AfterThree"
    assert fitted.history_[-1]["reason"] == "seen 3"


def test_a_run_without_a_seed_keeps_the_one_that_was_drawn(path):
    loop = small_loop(strategy="random", random_state=None)
    loop.tell(TRUTH[loop.ask().indices])
    loaded = reopen(loop, path, make_clf(strategy="random", random_state=None))
    assert loaded.ask().indices.tolist() == loop.ask().indices.tolist()


def test_texts_and_ids_come_back(path):
    texts = [f"word{t} and{i % 7}" for i, t in enumerate(TRUTH)]
    ids = [f"text {i}" for i in range(60)]
    clf = ActiveLearningClassifier(
        make_pipeline(CountVectorizer(), LogisticRegression()), batch_size=5
    )
    loop = LabelingLoop(clf, texts, Y, sample_ids=ids)
    query = loop.ask()
    loop = reopen(loop, path, X=list(texts), sample_ids=pd.Index(ids))
    loop.tell(TRUTH[query.indices], sample_ids=query.sample_ids)
    assert loop.ask().round == 2


CONTAINERS = {
    "array": lambda X: X,
    "Fortran order": np.asfortranarray,
    "list": lambda X: X.tolist(),
    "sparse": csr_matrix,
    "frame": pd.DataFrame,
    "mixed frame": lambda X: pd.DataFrame(X, columns=list("abcde")).assign(
        day=pd.Timestamp("2020-02-02"), text=None, whole=pd.array([None] * 60, "Int64")
    ),
    "objects": lambda X: np.array(X, dtype=object),
}


@pytest.mark.parametrize("container", CONTAINERS.values(), ids=CONTAINERS.keys())
def test_other_values_of_x_are_refused_in_every_container(container, path):
    rows, others = container(X), X.copy()
    others[41, 3] += 1
    loop = LabelingLoop(make_clf(), rows, Y)
    loop.save(path)
    described = entries_in(path)[0]["made_of"]
    other = path.with_name("other.sqlite")
    LabelingLoop(make_clf(), container(X.copy()), Y).save(other)
    assert entries_in(other)[0]["made_of"] == described
    with pytest.raises(SavedLoopError, match="the values of X differ"):
        LabelingLoop.load(path, make_clf(), container(others), Y)


def relabeled():
    y = Y.copy()
    y[0] = (y[0] + 1) % 3
    return y


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": X[:59], "y": Y[:59], "sample_ids": range(59)}, "X had 60 rows.* has 59"),
        ({"X": X[::-1]}, "the values of X differ"),
        ({"y": relabeled()}, "the labels in y, or"),
        ({"y": np.where(np.arange(60) < 20, TRUTH, -1)}, "had 4 labels, and has 20"),
        ({"y": Y.astype(float)}, "the labels in y, or"),
        ({"sample_ids": None}, "sample_ids differ"),
        ({"sample_ids": range(1, 61)}, "sample_ids differ"),
        ({"cost": np.ones(60)}, "cost differs"),
        ({"clf": make_clf(batch_size=3)}, "batch_size was 4, and is 3"),
        ({"clf": make_clf(random_state=1)}, "random_state was 0, and is 1"),
        ({"clf": make_clf(strategy="entropy")}, 'strategy was "margin", and is "ent'),
        (
            {"clf": make_clf().set_params(estimator__C=2.0)},
            "estimator__C was 1.0, and is 2.0",
        ),
        ({"clf": make_clf(classes=[0, 1, 2])}, r"classes was null, and is \[0, 1, 2\]"),
        (
            {"clf": make_clf(unlabeled=PseudoLabels())},
            'unlabeled was "ignore", and is PseudoLabels',
        ),
    ],
)
def test_other_inputs_are_refused_by_name_with_the_labels(changes, message, path):
    loop = small_loop(sample_ids=range(60))
    rows = loop.ask().indices
    loop.tell(TRUTH[rows])
    loop.save(path)
    inputs = {"clf": make_clf(), "X": X, "y": Y, "sample_ids": range(60)} | changes
    with pytest.raises(SavedLoopError, match=message) as caught:
        LabelingLoop.load(path, **inputs)
    np.testing.assert_array_equal(caught.value.indices, rows)
    np.testing.assert_array_equal(caught.value.labels, TRUTH[rows])


def test_what_changes_nothing_may_differ(path):
    loop = small_loop(committee=3, strategy="bald")
    other = make_clf(
        committee=3, strategy="bald", oracle=len, n_jobs=2, verbose=1
    ).set_params(estimator__verbose=0)
    with parallel_config(backend="threading"):
        assert reopen(loop, path, other).ask().round == 1


def test_none_and_nan_are_one_marker(path):
    y = np.where(Y == -1, np.nan, Y)
    loop = small_loop(y, missing_label=np.nan)
    loop.tell(TRUTH[loop.ask().indices])
    assert reopen(loop, path, make_clf(missing_label=None), y=y).ask().round == 2


def test_the_parameters_of_nested_objects_is_compared(path):
    committee = [("a", LogisticRegression(C=1)), ("b", LogisticRegression(C=2))]
    loop = small_loop(committee=committee, strategy="vote_entropy")
    other = [("a", LogisticRegression(C=1)), ("b", LogisticRegression(C=3))]
    with pytest.raises(SavedLoopError, match="committee__b__C was 2, and is 3"):
        reopen(loop, path, make_clf(committee=other, strategy="vote_entropy"))


class Moody(BaseStrategy):
    """A strategy that no seed governs."""

    sign = 1

    def utility(self, pool):
        return Moody.sign * pool.X[pool.candidates, 0]


def test_a_replay_that_asks_other_rows_says_so_with_the_labels(path, monkeypatch):
    loop = small_loop(strategy=Moody())
    rows = loop.ask().indices
    loop.tell(TRUTH[rows])
    monkeypatch.setattr(Moody, "sign", -1)
    with pytest.raises(SavedLoopError, match="cannot be replayed: in round 1") as error:
        reopen(loop, path)
    assert str(rows.tolist()) in str(error.value)
    assert "set random_state of the estimator" in str(error.value)
    np.testing.assert_array_equal(error.value.labels, TRUTH[rows])


def test_a_replay_under_other_versions_names_them(path, monkeypatch):
    loop = small_loop(strategy=Moody())
    loop.tell(TRUTH[loop.ask().indices])
    monkeypatch.setattr("sklearn.__version__", "0.1")
    loop.save(path)
    monkeypatch.undo()
    monkeypatch.setattr(Moody, "sign", -1)
    with pytest.raises(SavedLoopError, match=r"differ: scikit-learn was 0\.1, and is"):
        LabelingLoop.load(path, loop._run.inputs.clf, X, Y)


@pytest.mark.parametrize(
    ("release", "was"), [({"skactive": "0.0.1"}, r"0\.0\.1"), ({}, "not named")]
)
def test_a_replay_of_a_file_of_another_release_says_so(path, monkeypatch, release, was):
    loop = small_loop(strategy=Moody())
    loop.tell(TRUTH[loop.ask().indices])
    made_with = versions()
    assert made_with.pop("skactive") == skactive.__version__
    monkeypatch.setattr("skactive._loop.journal.versions", lambda: release | made_with)
    loop.save(path)
    monkeypatch.undo()
    monkeypatch.setattr(Moody, "sign", -1)
    with pytest.raises(SavedLoopError, match=f"differ: skactive was {was}, and is"):
        LabelingLoop.load(path, loop._run.inputs.clf, X, Y)


@pytest.mark.parametrize("n_seen", [2, 7])
def test_a_criterion_that_decides_otherwise_in_the_replay_is_named(
    path, monkeypatch, n_seen
):
    loop = small_loop(stopping=AfterThree())
    run(loop)
    monkeypatch.setattr(AfterThree, "n_seen", n_seen)
    with pytest.raises(SavedLoopError, match=r"AfterThree"):
        reopen(loop, path)


class Fails(LogisticRegression):
    broken = False

    def fit(self, X, y):
        if Fails.broken:
            raise RuntimeError("no more")
        return super().fit(X, y)


def test_an_error_of_a_model_in_the_replay_carries_all_labels(path, monkeypatch):
    clf = ActiveLearningClassifier(Fails(), batch_size=4, random_state=0)
    loop = LabelingLoop(clf, X, Y)
    for _ in range(2):
        loop.tell(TRUTH[loop.ask().indices])
    loop.save(path)
    monkeypatch.setattr(Fails, "broken", True)
    with pytest.raises(RuntimeError, match="no more") as caught:
        LabelingLoop.load(path, clf, X, Y)
    assert len(caught.value.labels) == 8
    assert any("was being loaded" in note for note in caught.value.__notes__)


@pytest.mark.parametrize(
    ("container", "what"),
    [
        (pd.DataFrame, "DataFrame"),
        (csr_matrix, "csr_matrix of float64"),
        (lambda X: X.astype(np.float32), "ndarray of float32"),
    ],
)
def test_another_container_is_named(container, what, path):
    loop = small_loop()
    rows = loop.ask().indices
    loop.tell(TRUTH[rows])
    loop.save(path)
    with pytest.raises(SavedLoopError, match="X was ndarray of float64, and") as error:
        LabelingLoop.load(path, make_clf(), container(X), Y)
    assert f"is {what}" in str(error.value)
    assert error.value.labels.tolist() == TRUTH[rows].tolist()


if __name__ == "__main__":
    for name in CASES:
        resume_for_a_round(sys.argv[1], name)
