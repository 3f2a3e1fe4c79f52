"""Several workers and threads label with one loop."""

import copy
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier, LabelingLoop
from skactive.exceptions import OracleError

X = np.linspace(-3, 3, 120).reshape(-1, 1)
TRUTH = (X[:, 0] > 0.4).astype(int)
Y = np.where(np.isin(np.arange(120), (0, 119)), TRUTH, -1)
IDS = [f"row-{i}" for i in range(120)]


def make_loop(estimator=None, session=None, **params):
    defaults = {"batch_size": 6, "budget": 36, "random_state": 0}
    estimator = LogisticRegression() if estimator is None else estimator
    clf = ActiveLearningClassifier(estimator, **defaults | params)
    return LabelingLoop(clf, X, Y, sample_ids=IDS, session=session)


def label_until_the_end(loop, worker, n=2):
    """Label as one of several workers; return the rows that were answered."""
    told = []
    while (query := loop.ask(n, worker=worker)) is not None:
        if len(query):
            loop.tell(TRUTH[query.indices], query=query)
            told += query.indices.tolist()
    return told


@pytest.mark.parametrize("session", [None, "labels.sqlite"])
def test_workers_in_threads_share_the_rows(session, tmp_path):
    loop = make_loop(session=session and tmp_path / session)
    with ThreadPoolExecutor(6) as pool:
        names = [f"worker-{i}" for i in range(6)]
        told = list(pool.map(lambda name: label_until_the_end(loop, name), names))
    rows = [row for part in told for row in part]
    assert len(rows) == len(set(rows)) == 36
    fitted = loop.finish()
    assert fitted.n_queries_ == 36
    assert fitted.termination_condition_ == "budget"
    assert sorted(fitted.query_indices_) == sorted(rows)
    assert (fitted.transduction_[rows] == TRUTH[rows]).all()
    alone = make_loop()
    while (query := alone.ask()) is not None:
        alone.tell(TRUTH[query.indices])
    assert fitted.query_indices_.tolist() == alone.finish().query_indices_.tolist()


def test_a_worker_gets_other_rows_than_the_others_and_its_own_again():
    loop = make_loop()
    ann, bob = loop.ask(2, worker="Ann"), loop.ask(3, worker="Bob")
    assert not set(ann.indices) & set(bob.indices)
    assert loop.ask(2, worker="Ann").indices.tolist() == ann.indices.tolist()
    assert (ann.worker, bob.worker) == ("Ann", "Bob")
    assert len(loop.ask(worker="Cy")) == 1
    assert len(loop.ask().indices) == 6  # without a worker: all that are open


def test_nothing_for_now_is_not_the_end():
    loop = make_loop(budget=6)
    mine = loop.ask(6, worker="Ann")
    nothing = loop.ask(1, worker="Bob")
    assert nothing is not None
    assert len(nothing) == len(nothing.X) == 0
    loop.tell(TRUTH[mine.indices], query=mine)
    assert loop.ask(1, worker="Bob") is None


def test_a_query_without_rows_can_be_read_and_pickled():
    loop = make_loop()
    loop.ask(worker="Ann")
    query = pickle.loads(pickle.dumps(loop.ask(2, worker="Bob")))
    assert (len(query), query.proba, query.worker) == (0, None, "Bob")


def test_a_late_answer_is_taken_and_the_first_one_wins(tmp_path):
    loop = make_loop(session=tmp_path / "labels.sqlite")
    late = loop.ask(2, worker="Ann", lease_seconds=1e-9)
    early = loop.ask(2, worker="Bob")
    assert early.indices.tolist() == late.indices.tolist()
    loop.tell([1], indices=early.indices[:1], annotator="Bob")
    with pytest.warns(UserWarning, match="has the label 1 already"):
        loop.tell([0, 0], query=late)
    fitted = loop.finish()
    assert fitted.transduction_[late.indices].tolist() == [1, 0]
    assert fitted.n_queries_ == 2


def test_a_tell_belongs_to_its_query():
    loop = make_loop(batch_size=5)
    first, second = loop.ask(), loop.ask()
    loop.tell(TRUTH[second.indices])
    query = loop.ask()
    with pytest.raises(ValueError, match="more than once"):
        loop.tell(TRUTH[first.indices])  # by position, of the round before
    assert loop.ask().indices.tolist() == query.indices.tolist()
    loop.tell(TRUTH[first.indices], query=first)
    loop.tell(TRUTH[query.indices], query=query)
    fitted = loop.finish()
    told = [*first.indices, *query.indices]
    assert fitted.query_indices_.tolist() == told
    assert (fitted.transduction_[told] == TRUTH[told]).all()


def test_labels_without_rows_are_refused_if_two_threads_have_asked():
    loop = make_loop()
    with ThreadPoolExecutor(1) as pool:
        pool.submit(loop.ask).result()
    loop.ask()
    with pytest.raises(ValueError, match="Pass query="):
        loop.tell(TRUTH[:6])


class Waits(LogisticRegression):
    """A classifier whose second fit waits for an event."""

    began, go_on, n_fits = threading.Event(), threading.Event(), 0

    def fit(self, X, y):
        Waits.n_fits += 1
        if Waits.n_fits == 2:
            Waits.began.set()
            assert Waits.go_on.wait(30)
        return super().fit(X, y)


def test_telling_never_waits_for_a_fit():
    loop = make_loop(Waits(), batch_size=3)
    first = loop.ask()
    loop.tell(TRUTH[first.indices], query=first)
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(loop.ask, 3, worker="Ann")
        assert Waits.began.wait(30)
        # While the model is fitted: a late answer, a row never asked, a correction.
        with pytest.warns(UserWarning, match="already"):
            loop.tell(1 - TRUTH[first.indices[:1]], indices=first.indices[:1])
        loop.tell([1], sample_ids=["row-100"])
        loop.correct([0], sample_ids=["row-100"])
        assert not asking.done()
        Waits.go_on.set()
        query = asking.result()
    assert len(query) in (2, 3)
    assert 100 not in query.indices
    loop.tell(TRUTH[query.indices], query=query)
    fitted = loop.finish()
    assert fitted.transduction_[100] == 0


@pytest.mark.parametrize("n", [0, -1, 1.5, True, "2"])
def test_the_number_of_rows_for_a_worker_is_checked(n):
    with pytest.raises(ValueError, match="n must be a positive int"):
        make_loop().ask(n, worker="Ann")


def test_a_number_of_rows_needs_a_worker():
    with pytest.raises(ValueError, match="name of the worker"):
        make_loop().ask(2)


def test_the_worker_is_written_with_its_answers(tmp_path):
    from skactive import Session

    path = tmp_path / "labels.sqlite"
    loop = make_loop(session=path)
    ann, bob = loop.ask(1, worker="Ann"), loop.ask(1, worker="Bob")
    loop.tell([0], query=ann)
    loop.tell([1], sample_ids=bob.sample_ids)
    who = {r["sample_id"]: r["annotator"] for r in Session(path).records()}
    assert who == {ann.sample_ids[0]: "Ann", bob.sample_ids[0]: "Bob"}


@pytest.mark.parametrize("name", [5, "", {"name": "Ann"}, "\ud800"])
def test_a_name_that_cannot_be_written_is_refused_and_blocks_nobody(tmp_path, name):
    from skactive import Session

    loop = make_loop(session=tmp_path / "labels.sqlite")
    first, second = loop.ask(2, worker="Ann").sample_ids
    with pytest.raises((TypeError, ValueError), match="worker must be a"):
        loop.ask(1, worker=name)
    for change in (loop.tell, loop.correct):
        with pytest.raises((TypeError, ValueError), match="annotator must be a"):
            change([1], sample_ids=[first], annotator=name)
    loop.tell([0], sample_ids=[second], annotator="Ann")
    assert Session(tmp_path / "labels.sqlite").labels() == {second: 0}


def test_a_refused_answer_leaves_the_row_with_its_worker():
    loop = make_loop(classes=[0, 1])
    query = loop.ask(2, worker="Ann")
    with pytest.raises(OracleError):
        loop.tell([0, 7], query=query)
    assert loop.ask(1, worker="Ann").indices.tolist() == query.indices[1:].tolist()
    assert query.indices[1] not in loop.ask(worker="Bob").indices


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_copy_of_a_loop_goes_on_by_itself(copied):
    loop = make_loop()
    first = loop.ask(2, worker="Ann")
    other = copied(loop)
    assert other.ask(2, worker="Bob").indices.tolist() == first.indices.tolist()
    rest = other.ask()
    other.tell(TRUTH[rest.indices], query=rest)
    assert other.ask().round == 2
    assert loop.ask().round == 1


def test_labels_without_rows_are_refused_while_rows_are_lent():
    loop = make_loop()
    query = loop.ask(2, worker="Ann")
    with pytest.raises(ValueError, match=r"leased to workers.* Pass query="):
        loop.tell(TRUTH[loop.ask().indices])
    loop.tell(TRUTH[query.indices], query=query)
    assert len(loop.ask()) == 4
