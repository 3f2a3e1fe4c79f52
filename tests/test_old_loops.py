"""Saved loops of the first format, which was JSON: they load, and go on.

The files in tests/data were written by this module, run with a version of skactive
that saved loops as JSON: ``python tests/test_old_loops.py tests/data``.
"""

import hashlib
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

import skactive
from skactive import ActiveLearningClassifier, LabelingLoop
from skactive.exceptions import SavedLoopError

DATA = Path(__file__).parent / "data"
N = 30
# Whole numbers: the same on every machine, as the files hold a hash of X.
X = np.column_stack([np.arange(N), 7 * np.arange(N) % N]).astype(float)
TRUTH = (np.arange(N) > 13).astype(int)
IDS = [f"row {i}" for i in range(N)]
PLACES = np.array(["north", "south"], dtype=object)[TRUTH]


def answer(loop, labels, *, skip=()):
    """Answer a round; the rows at some positions are skipped."""
    rows = loop.ask().indices
    told = [None if n in skip else labels[row] for n, row in enumerate(rows)]
    loop.tell(told)
    return rows


def open_round(loop, labels):
    answer(loop, labels)
    rows = loop.ask().indices[[1, 0]]
    loop.tell([labels[row] for row in rows], indices=rows)


def late_answers(loop, labels):
    rows = answer(loop, labels, skip=(0, 1))
    more = loop.ask().indices
    told = [rows[0], more[3]]
    loop.tell([labels[row] for row in told], indices=told)


def ended(loop, labels):
    rows = answer(loop, labels, skip=(3,))
    for _ in range(2):
        answer(loop, labels)
    assert loop.ask() is None
    loop.tell([labels[rows[3]]], indices=rows[3:])


# The parameters of the classifier, other arguments, labels, and what happened.
CASES = {
    "open": ({}, {}, TRUTH, open_round),
    "late": ({}, {}, TRUTH, late_answers),
    "ended": ({}, {}, TRUTH, ended),
    "ids": ({}, {"sample_ids": IDS, "cost": np.arange(N) + 1.0}, TRUTH, late_answers),
    "holdout": ({"holdout_fraction": 0.5}, {}, TRUTH, open_round),
    "texts": ({"missing_label": None, "initial_size": 6}, {}, PLACES, open_round),
}


def problem(case):
    """Return a classifier, labels to begin with, arguments and all labels."""
    params, about, labels, _ = CASES[case]
    defaults = {"batch_size": 4, "budget": 12, "strategy": "margin", "random_state": 0}
    clf = ActiveLearningClassifier(GaussianNB(), **defaults | params)
    y = np.full(N, -1 if labels is TRUTH else None, dtype=labels.dtype)
    if labels is TRUTH:
        y[[0, -1]] = labels[[0, -1]]
    return clf, y, about, labels


def made(case):
    """Make the loop of a case, as it was made for the file."""
    clf, y, about, labels = problem(case)
    loop = LabelingLoop(clf, X, y, **about)
    CASES[case][-1](loop, labels)
    return loop


def load(case, path=None):
    clf, y, about, _ = problem(case)
    path = DATA / f"loop_1_{case}.json" if path is None else path
    return LabelingLoop.load(path, clf, X, y, **about)


def finish(case, loop):
    while (query := loop.ask()) is not None:
        labels = CASES[case][2]
        loop.tell([labels[row] for row in query.indices])
    return loop.finish()


def without_seconds(history):
    return [
        {name: value for name, value in record.items() if "seconds" not in name}
        for record in history
    ]


def assert_same(found, expected):
    for name in ("query_indices_", "transduction_", "labeled_iter_", "classes_"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    np.testing.assert_array_equal(found.estimator_.theta_, expected.estimator_.theta_)
    np.testing.assert_array_equal(
        getattr(found, "query_probabilities_", None),
        getattr(expected, "query_probabilities_", None),
    )
    assert found.termination_condition_ == expected.termination_condition_
    assert without_seconds(found.history_) == without_seconds(expected.history_)


@pytest.mark.parametrize("case", CASES)
def test_an_old_loop_goes_on_like_an_undisturbed_run(case):
    assert_same(finish(case, load(case)), finish(case, made(case)))


@pytest.mark.parametrize("case", CASES)
def test_an_old_loop_has_its_labels_and_the_times_of_its_rounds(case):
    found, expected = load(case), made(case)
    rows = np.flatnonzero(expected.finish().labeled_iter_ > 0)
    labels = CASES[case][2]
    assert found.finish().transduction_[rows].tolist() == labels[rows].tolist()
    first = json.loads((DATA / f"loop_1_{case}.json").read_text())["rounds"][0]
    seconds = found.finish().history_[0]["oracle_seconds"]
    assert seconds == first["oracle_seconds"]


@pytest.mark.parametrize("case", CASES)
def test_an_old_loop_is_saved_in_another_file_in_todays_format(case, tmp_path):
    loop, path = load(case), tmp_path / "loop.sqlite"
    loop.save(path)
    assert_same(finish(case, load(case, path)), finish(case, made(case)))
    # The log is that of a loop that was never saved as JSON.
    other, kinds = made(case), []
    other.save(tmp_path / "other.sqlite")
    for name in ("loop", "other"):
        with skactive.Session(tmp_path / f"{name}.sqlite") as session:
            kinds.append([entry["kind"] for entry in session.entries()])
    assert kinds[0] == kinds[1]


def test_an_old_loop_with_ids_becomes_a_session(tmp_path):
    loop, path = load("ids"), tmp_path / "loop.sqlite"
    loop.save(path)
    clf, y, about, _ = problem("ids")
    with skactive.Session(path) as session:
        n_queries = session.summary()["n_queries"]
        assert set(session.labels()) <= set(IDS)
        assert session.summary()["cost"] > 0
    clf.set_params(strategy="entropy")
    other = LabelingLoop(clf, X, y, session=path, **about)
    assert n_queries == len(made("ids")._run.rounds.query_indices) == 5
    assert finish("ids", other).n_queries_ == 12


def test_an_old_file_is_not_replaced(tmp_path):
    path = shutil.copy(DATA / "loop_1_open.json", tmp_path / "loop.json")
    loop, before = load("open", path), path.read_bytes()
    with pytest.raises(SavedLoopError, match=r"not a label store.*left as it is"):
        loop.save(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize("case", ["open", "texts"])
def test_an_old_file_cut_anywhere_is_refused(case, tmp_path):
    data = (DATA / f"loop_1_{case}.json").read_bytes()
    path = tmp_path / "loop.json"
    for size in range(0, len(data) - 1, 97):
        path.write_bytes(data[:size])
        with pytest.raises(SavedLoopError, match="is not a saved loop, or is damaged"):
            load(case, path)
        assert path.read_bytes() == data[:size]


def checksum(content):
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def changed(path, change, *, with_checksum=False):
    """Write a changed file, perhaps with a checksum that fits."""
    content = json.loads((DATA / "loop_1_open.json").read_text())
    change(content)
    if with_checksum:
        content.pop("sha256")
        content["sha256"] = checksum(content)
    path.write_text(json.dumps(content))


def test_a_changed_label_in_an_old_file_is_noticed(tmp_path):
    def change(content):
        told = content["rounds"][0]["told"][0]["labels"]
        told[0] = 1 - told[0]

    changed(tmp_path / "loop.json", change)
    with pytest.raises(SavedLoopError, match="checksum does not match") as caught:
        load("open", tmp_path / "loop.json")
    rows, labels = caught.value.indices, caught.value.labels
    assert (labels == TRUTH[rows]).tolist() == [False] + 5 * [True]


@pytest.mark.parametrize("version", [2, 0, "1", None])
def test_an_old_file_of_another_version_is_refused_with_its_labels(tmp_path, version):
    path = tmp_path / "loop.json"
    changed(path, lambda content: content.update(version=version), with_checksum=True)
    before = path.read_bytes()
    with pytest.raises(SavedLoopError, match=f"has the version {version!r}") as caught:
        load("open", path)
    assert path.read_bytes() == before
    np.testing.assert_array_equal(caught.value.labels, TRUTH[caught.value.indices])
    assert len(caught.value.labels) == 6


@pytest.mark.parametrize("rounds", [None, {"a": 1}, [1], [{"told": 3}], [{}]], ids=str)
@pytest.mark.parametrize("with_checksum", [True, False])
def test_an_old_file_without_readable_labels_is_refused(
    tmp_path, rounds, with_checksum
):
    path = tmp_path / "loop.json"
    changed(path, lambda c: c.update(rounds=rounds), with_checksum=with_checksum)
    with pytest.raises(SavedLoopError, match="is damaged") as e:
        load("open", path)
    assert len(e.value.labels) == 0


@pytest.mark.parametrize(
    ("change", "n_labels"),
    [
        (lambda c: c.pop("seed"), 6),
        (lambda c: c.pop("made_of"), 6),
        (lambda c: c.update(made_with=3), 6),
        (lambda c: c.update(seed="x"), 6),
        (lambda c: c.update(end=3), 0),
        (lambda c: c["rounds"][0].pop("rows"), 6),
        (lambda c: c["rounds"][0].pop("select_seconds"), 6),
        (lambda c: c["rounds"][0].update(oracle_seconds="x"), 6),
        (lambda c: c["rounds"][0]["told"][0].update(labels=[1, 1]), 2),
        (lambda c: c["rounds"][0]["told"][0].update(rows=[99] * 4), 3),
        (lambda c: c["rounds"][0]["told"][0].update(labels=["x"] * 4), 6),
        (lambda c: c["rounds"][0]["told"][0].update(labels=[[1]] * 4), 2),
        (lambda c: c["rounds"][0]["told"][0].update(kind="end"), 2),
    ],
)
def test_an_old_file_that_was_changed_by_hand_is_refused(tmp_path, change, n_labels):
    path = tmp_path / "loop.json"
    changed(path, change, with_checksum=True)
    with pytest.raises(SavedLoopError) as caught:
        load("open", path)
    assert len(caught.value.labels) == n_labels


if __name__ == "__main__":
    for name in CASES:
        made(name).save(Path(sys.argv[1]) / f"loop_1_{name}.json")
