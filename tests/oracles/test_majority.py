"""Several annotators: which are asked, their agreement, and the kept votes."""

import itertools
import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_array, issparse
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive.exceptions import OracleError, StopLabeling
from skactive.oracles import MajorityOracle, SimulatedOracle

X = np.arange(4.0).reshape(-1, 1)


class Annotator:
    """Answers by the first feature of a row, and remembers its requests."""

    def __init__(self, answers, fails_after=None, error=None):
        self.answers = answers
        self.asked = []
        self.fails_after = fails_after
        self.error = error

    def __call__(self, X):
        if self.error is not None and len(self.asked) >= self.fails_after:
            raise self.error
        rows = X[:, 0].astype(int).tolist()
        self.asked.extend(rows)
        return [self.answers[row] for row in rows]


def test_the_label_that_enough_give_is_taken():
    a, b, c = Annotator("xxxy"), Annotator("xxyx"), Annotator("xyzz")
    assert list(MajorityOracle([a, b, c])(X)) == ["x", "x", None, None]
    assert list(MajorityOracle([a, b, c], min_agree=3)(X)) == ["x", None, None, None]


@pytest.mark.parametrize("nothing", [None, float("nan"), -1, pd.NA], ids=repr)
def test_annotators_may_abstain(nothing):
    a = Annotator([1, 1, nothing, nothing])
    b = Annotator([1, nothing, nothing, 0])
    c = Annotator([nothing, 0, nothing, 0])
    oracle = MajorityOracle([a, b, c], min_agree=2)
    assert list(oracle(X)) == [1, None, None, 0]
    assert oracle.votes_[1]["votes"] == {0: 1, 1: None, 2: 0}


def test_of_two_labels_that_come_first_none_is_taken():
    parts = [Annotator([answer]) for answer in (1, 1, 0, 0, 2)]
    assert list(MajorityOracle(parts, min_agree=2)(X[:1])) == [None]
    assert list(MajorityOracle(parts[1:], min_agree=2)(X[:1])) == [0]


def test_numbers_that_are_equal_are_one_label():
    parts = [Annotator([1, 0]), Annotator(np.array([1.0, 0])), Annotator([0, 2])]
    assert list(MajorityOracle(parts)(X[:2])) == [1, 0]


def test_the_third_is_asked_only_where_the_first_two_disagree():
    a, b, c = Annotator([0, 1, 1, None]), Annotator([0, 1, 0, None]), Annotator([1] * 4)
    oracle = MajorityOracle([a, b, c], stop_early=True)
    assert list(oracle(X)) == [0, 1, 1, None]
    assert (a.asked, b.asked, c.asked) == ([0, 1, 2, 3], [0, 1, 2, 3], [2])
    assert [len(record["votes"]) for record in oracle.votes_] == [2, 2, 3, 2]


@pytest.mark.parametrize("min_agree", [1, 2, 3, 4, None])
def test_stopping_early_never_changes_a_label(min_agree):
    votes = np.array(list(itertools.product([0, 1, 2, None], repeat=4)))
    rows = np.arange(len(votes), dtype=float).reshape(-1, 1)
    everyone, some = (
        list(MajorityOracle(parts, min_agree=min_agree, stop_early=early)(rows))
        for early in (False, True)
        for parts in [[Annotator(column) for column in votes.T]]
    )
    assert everyone == some


def test_each_annotator_gets_the_keywords_that_it_names_for_its_rows():
    seen = []

    def by_id(X, sample_ids):
        seen.append(list(sample_ids))
        return [0, 0, 1]

    def by_proba(X, *, proba, classes):
        seen.append((proba[:, 0].tolist(), classes.tolist()))
        return [0, 1, 0]

    def last(X, sample_ids=None, proba=None):
        seen.append((list(sample_ids), proba[:, 0].tolist(), X[:, 0].tolist()))
        return [0, 0]

    proba = np.array([[0.1, 0.9], [0.2, 0.8], [0.3, 0.7]])
    oracle = MajorityOracle([by_id, by_proba, last], stop_early=True)
    labels = oracle(X[:3], ["p", "q", "r"], proba, np.array([0, 1]))
    assert list(labels) == [0, 0, 0]
    assert seen == [
        ["p", "q", "r"],
        ([0.1, 0.2, 0.3], [0, 1]),
        (["q", "r"], [0.2, 0.3], [1.0, 2.0]),
    ]


@pytest.mark.parametrize(
    "given", [X, X.tolist(), pd.DataFrame(X), coo_array(X)], ids=lambda g: type(g)
)
def test_rows_come_in_their_container_and_in_copies(given):
    def spoil(rows):
        assert type(rows) is type(given)
        if isinstance(rows, list):
            rows[0][0] = 99.0
        elif issparse(rows):
            rows.data[:] = 99.0
        else:
            rows[:] = 99.0
        return [1] * 4

    def total(rows):
        values = rows.toarray() if issparse(rows) else np.asarray(rows)
        return [int(values.sum())] * 4

    oracle = MajorityOracle([spoil, total, total])
    assert list(oracle(given)) == [6] * 4


def make_clf(oracle, **params):
    params = {"batch_size": 4, "budget": 8, "random_state": 0} | params
    return ActiveLearningClassifier(LogisticRegression(), oracle=oracle, **params)


rows = np.linspace(0, 1, 21).reshape(-1, 1)
truth = (rows[:, 0] > 0.5).astype(int)
y = np.full(21, -1)
y[[0, 20]] = 0, 1
ids = np.arange(21)


def test_a_run_is_that_of_the_labels_agreed_upon():
    annotators = [SimulatedOracle(truth, noise=0.3, random_state=s) for s in range(5)]
    oracle = MajorityOracle(annotators)
    clf = make_clf(oracle).fit(rows, y, sample_ids=ids)
    asked = clf.query_indices_
    votes = np.array([annotator(rows[asked], asked) for annotator in annotators])
    assert clf.transduction_[asked].tolist() == (votes.sum(axis=0) > 2).tolist()


def test_who_said_what_is_recorded_by_id():
    annotators = [SimulatedOracle(truth, noise=0.3, random_state=s) for s in range(3)]
    oracle = MajorityOracle(annotators)
    clf = make_clf(oracle).fit(rows, y, sample_ids=ids)
    assert [r["sample_id"] for r in oracle.votes_] == clf.query_indices_.tolist()
    for record in oracle.votes_:
        expected = [a(None, [record["sample_id"]])[0] for a in annotators]
        assert list(record["votes"].values()) == expected
        assert record["label"] == clf.transduction_[record["sample_id"]]


def test_without_ids_votes_are_recorded_in_their_order():
    oracle = MajorityOracle([Annotator([0, 1]), Annotator([0, 0])])
    assert list(oracle(X[:2])) == [0, None]
    assert oracle.votes_ == [
        {"sample_id": None, "votes": {0: 0, 1: 0}, "label": 0},
        {"sample_id": None, "votes": {0: 1, 1: 0}, "label": None},
    ]


def test_the_record_is_that_of_all_clones_of_the_classifier():
    oracle = MajorityOracle([SimulatedOracle(truth)] * 2)
    clf = make_clf(oracle)
    clone(clf).fit(rows, y, sample_ids=ids)
    clone(clf).fit(rows, y, sample_ids=ids)
    assert len(clf.oracle.votes_) == 16
    assert not hasattr(clone(oracle), "votes_")


def test_it_is_pickled_with_its_record():
    oracle = MajorityOracle([SimulatedOracle([0, 1])] * 2)
    list(oracle(X[:1], sample_ids=[1]))
    assert pickle.loads(pickle.dumps(oracle)).votes_ == oracle.votes_


def known_by_id(sample_ids):
    return truth[sample_ids].tolist()


class ById:
    """Knows the truth, and fails in its second call."""

    def __init__(self, error=None):
        self.error = error
        self.asked = []
        self.n_calls = 0

    def __call__(self, X, sample_ids):
        self.n_calls += 1
        if self.error is not None and self.n_calls == 2:
            raise self.error
        self.asked.extend(sample_ids.tolist())
        return known_by_id(sample_ids)


def test_a_failure_of_the_last_keeps_what_the_others_agreed_on():
    a, b, c = ById(), ById(), ById(ConnectionError("line broken"))
    clf = make_clf(MajorityOracle([a, b, c]))
    with pytest.raises(OracleError, match=r"Annotator 2, .*line broken") as caught:
        clf.fit(rows, y, sample_ids=ids)
    # The first two settle all of round two, so nothing of it is lost.
    assert caught.value.indices.tolist() == a.asked == b.asked
    np.testing.assert_array_equal(caught.value.labels, truth[a.asked])
    assert len(a.asked) == 8


def test_votes_paid_for_before_a_failure_are_not_paid_for_again():
    a, b = ById(), ById(ConnectionError("line broken"))
    clf = make_clf(MajorityOracle([a, b]))
    with pytest.raises(OracleError, match=r"Annotator 1, .*line broken"):
        clf.fit(rows, y, sample_ids=ids)
    assert (len(a.asked), len(b.asked)) == (8, 4)
    clf.set_params(budget=4).fit(rows, clf.transduction_, sample_ids=ids)
    assert (len(a.asked), len(b.asked)) == (8, 8)
    assert sorted(b.asked) == sorted(set(a.asked))
    assert len(clf.oracle.votes_) == 8


def test_rows_that_were_settled_are_asked_again_in_another_run():
    a, b = ById(), ById()
    clf = make_clf(MajorityOracle([a, b]), budget=4)
    clf.fit(rows, y, sample_ids=ids).fit(rows, y, sample_ids=ids)
    assert len(a.asked) == len(b.asked) == 8


@pytest.mark.parametrize("error", [KeyboardInterrupt("stop"), ConnectionError("x")])
def test_the_rows_before_the_first_open_one_get_their_labels(error):
    a, b = Annotator([0, 0, 1, 0]), Annotator([0, 0, 0, 0])
    c = Annotator([1] * 4, fails_after=0, error=error)
    labels = MajorityOracle([a, b, c])(X)
    assert [next(labels), next(labels)] == [0, 0]
    expected = (
        KeyboardInterrupt if isinstance(error, KeyboardInterrupt) else OracleError
    )
    with pytest.raises(expected):
        next(labels)


def test_an_annotator_that_stops_ends_the_run_normally():
    def stops(X, sample_ids):
        raise StopLabeling("It is late.", labels=known_by_id(sample_ids[:3]))

    a = ById()
    clf = make_clf(MajorityOracle([a, stops])).fit(rows, y, sample_ids=ids)
    assert clf.termination_condition_ == "oracle"
    assert clf.query_indices_.tolist() == a.asked[:3]
    assert [len(r["votes"]) for r in clf.oracle.votes_] == [2, 2, 2, 1]


def test_votes_that_come_one_by_one_are_kept_one_by_one():
    def breaks(X):
        yield 1
        raise ConnectionError("line broken")

    oracle = MajorityOracle([breaks, Annotator([1] * 4)])
    with pytest.raises(OracleError, match="line broken"):
        list(oracle(X, sample_ids=list("abcd")))
    assert [r["votes"] for r in oracle.votes_] == [{0: 1}, {}, {}, {}]


@pytest.mark.parametrize(
    ("answers", "message"),
    [
        ([1, 1], "Annotator 1, .*expected 4, got 2"),
        ([1, 1, 0.5, 1], r"Annotator 1, .*1 of 4 answers .* 0\.5 is not a class"),
        ("1111", "Annotator 1, .*must return a sequence"),
    ],
)
def test_answers_that_are_no_labels_are_blamed_on_their_annotator(answers, message):
    oracle = MajorityOracle([Annotator([1] * 4), lambda X: answers])
    with pytest.raises(OracleError, match=message) as caught:
        list(oracle(X))
    assert caught.value.answers in (answers, [0.5])
    assert all(record["votes"][0] == 1 for record in oracle.votes_)


@pytest.mark.parametrize(
    ("oracle", "message"),
    [
        (MajorityOracle([pytest.fail]), "two or more oracles.*got 1"),
        (MajorityOracle([pytest.fail] * 2, min_agree=3), "at most as many.*=3"),
        (MajorityOracle([pytest.fail] * 2, min_agree=0), "'min_agree' parameter"),
        (MajorityOracle(pytest.fail), "'oracles' parameter of MajorityOracle"),
        (MajorityOracle([len, 3]), "oracle must be a callable, got 3"),
        (MajorityOracle([len, Annotator]), "is the class Annotator"),
        (MajorityOracle([len, lambda X, price: X]), "requires the parameter 'price'"),
        (MajorityOracle([len, ById()]), "requires sample_ids, and the fit got none"),
    ],
)
def test_mistakes_are_found_before_anyone_is_asked(oracle, message):
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        make_clf(oracle).fit(rows, y)
    assert not isinstance(caught.value, OracleError)


def test_proba_is_made_only_if_an_annotator_wants_it():
    def wants(X, proba):
        return [0] * len(X)

    plain = MajorityOracle([Annotator([0])] * 2)
    assert plain.wanted_keywords(has_sample_ids=True) == ("sample_ids",)
    both = MajorityOracle([plain, wants])
    assert both.wanted_keywords(has_sample_ids=False) == ("proba",)


def test_majorities_nest():
    crowd = MajorityOracle([Annotator([1, 0, 0, 1])] * 3)
    expert = Annotator([1, 1, 0, 1])
    assert list(MajorityOracle([crowd, expert])(X)) == [1, None, 0, 1]
