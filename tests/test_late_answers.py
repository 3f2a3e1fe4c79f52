"""Answers that come late, or for rows that nobody was asked about."""

import pickle

import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB

from skactive import ActiveLearningClassifier, LabelingLoop, Session

N_ROWS = 12
IDS = np.array([f"r{i}" for i in range(N_ROWS)])


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


class Hooked(GaussianNB):
    """A classifier that calls a function when it is fitted."""

    hook = staticmethod(lambda: None)

    def fit(self, X, y):
        Hooked.hook()
        return super().fit(X, y)


def make_loop(path, **params):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(N_ROWS, 2))
    y = np.full(N_ROWS, -1)
    y[:4] = 0, 1, 0, 1
    defaults = {"strategy": "margin", "budget": 8, "batch_size": 8, "random_state": 0}
    clf = ActiveLearningClassifier(Hooked(), **defaults | params)
    return LabelingLoop(clf, X, y, sample_ids=IDS, session=path)


def test_a_query_without_rows_has_no_probabilities_and_can_be_sent(path):
    loop = make_loop(path, batch_size=2, classes=[0, 1, 2])
    assert len(loop.ask(worker="Ann")) == 2
    nothing = loop.ask(worker="Bob")
    assert nothing.proba is None
    assert len(pickle.loads(pickle.dumps(nothing))) == 0


def test_a_skip_for_a_row_that_was_never_queried_is_kept(path):
    loop = make_loop(path)
    loop.tell([None], sample_ids=["r5"])
    assert sorted(loop.ask().sample_ids) == sorted(set(IDS[4:]) - {"r5"})


def test_a_late_skip_counts_after_the_process_that_asked_has_died(path):
    asked = make_loop(path, batch_size=3).ask().sample_ids.tolist()
    # Nothing was closed. Another process goes on, and then the first answer comes.
    loop = make_loop(path)
    loop.tell([None], sample_ids=asked[:1])
    assert asked[0] not in loop.ask().sample_ids.tolist()
    with Session(path) as session:
        assert session.skipped() == asked[:1]
    loop.ask_again(sample_ids=asked[:1])  # it has an answer


@pytest.mark.parametrize("answers", [[None], [0], [1, None]])
def test_an_answer_counts_that_comes_while_its_row_is_selected(
    tmp_path, path, monkeypatch, answers
):
    rows = make_loop(tmp_path / "twin", batch_size=3).ask().indices
    loop = make_loop(path, batch_size=3)

    def answer():
        monkeypatch.setattr(Hooked, "hook", lambda: None)
        loop.tell(answers[:1], indices=rows[:1])
        if len(answers) > 1:
            loop.correct(answers[1:], indices=rows[:1])

    monkeypatch.setattr(Hooked, "hook", answer)
    assert loop.ask().indices.tolist() == rows[1:].tolist()
    loop.tell([0, 1], indices=rows[1:])
    assert rows[0] not in loop.ask().indices
    assert loop.finish().n_queries_ == 3
