"""Annotators that keep their votes in files: what a majority tells them of a run."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive.exceptions import OracleError
from skactive.oracles import CachedOracle, MajorityOracle, RunFacts

X = np.linspace(0, 1, 21).reshape(-1, 1)
y = np.full(21, -1)
y[[0, 20]] = 0, 1
IDS = np.arange(21)


@pytest.fixture
def asked():
    """The requests to annotators, in order: their names and the ids."""
    return []


@pytest.fixture
def make_annotator(tmp_path, asked):
    """Return a function that makes an annotator with a store of its own."""

    def make_annotator(name, answer=lambda i: int(i > 10), **params):
        def ask(X, sample_ids):
            asked.extend((name, i) for i in sample_ids.tolist())
            return [answer(i) for i in sample_ids.tolist()]

        return CachedOracle(ask, tmp_path / "votes.sqlite", task=name, **params)

    return make_annotator


def fit(oracle, y=y, cost=None, **params):
    params = {"batch_size": 4, "budget": 8, "random_state": 0} | params
    clf = ActiveLearningClassifier(LogisticRegression(), oracle=oracle, **params)
    return clf.fit(X, y, sample_ids=IDS, cost=cost)


def test_votes_are_paid_once_over_fits(make_annotator, asked):
    annotators = [make_annotator(name) for name in "abc"]
    first = fit(MajorityOracle(annotators))
    second = fit(MajorityOracle(annotators))
    assert len(asked) == len(set(asked)) == 24
    assert first.query_indices_.tolist() == second.query_indices_.tolist()


@pytest.mark.parametrize("nest", [lambda m: m, lambda m: MajorityOracle([m, m])])
def test_stored_votes_outside_closed_classes_are_refused_before_anybody_is_asked(
    make_annotator, asked, nest
):
    annotators = [make_annotator(name) for name in "abc"]
    annotators[2].import_labels({"sample_id": [3], "label": [7]})
    with pytest.raises(
        OracleError, match=r"7 is not one of the classes.*another `task`"
    ):
        fit(nest(MajorityOracle(annotators)), classes=[0, 1])
    assert asked == []


def test_a_vote_outside_closed_classes_is_not_stored(make_annotator):
    annotators = [make_annotator("a"), make_annotator("b", lambda i: 7)]
    with pytest.raises(
        OracleError, match=r"(?s)Annotator 1, .*4 answers.*7 is not one of"
    ):
        fit(MajorityOracle(annotators), classes=[0, 1])
    assert len(annotators[0].records()) == 4
    assert annotators[1].records() == []


def test_new_classes_are_welcome_where_classes_are_open(make_annotator):
    annotators = [make_annotator(name, lambda i: i % 5) for name in "ab"]
    assert len(fit(MajorityOracle(annotators)).classes_) > 2


def test_the_missing_label_of_the_run_is_an_abstention(make_annotator):
    annotators = [make_annotator(name, lambda i: "") for name in "ab"]
    texts = np.array(["", "x"] + [""] * 18 + ["z"], dtype=object)
    with pytest.warns(UserWarning, match="abstained on all 8 rows"):
        clf = fit(MajorityOracle(annotators), texts, missing_label="")
    assert clf.history_[0]["n_abstained"] == 4
    assert [r["label"] for r in annotators[0].records()] == [None] * 8


def test_each_vote_is_charged_with_the_cost_of_its_row(make_annotator, asked):
    annotators = [make_annotator("a"), make_annotator("b")]
    clf = fit(MajorityOracle(annotators), cost=1.0 + IDS)
    rows = clf.query_indices_
    assert annotators[0].summary()["cost"] == 2 * (1.0 + rows).sum()
    assert len(asked) == 16


def test_an_annotator_that_has_spent_its_money_ends_the_run_normally(make_annotator):
    annotators = [make_annotator("a"), make_annotator("b", max_cost=12)]
    with pytest.warns(UserWarning, match="max_cost=12 is reached"):
        clf = fit(MajorityOracle(annotators), cost=np.full(21, 2.0))
    assert clf.termination_condition_ == "oracle"


def test_a_vote_that_differs_from_y_is_no_reason_to_warn(make_annotator, recwarn):
    annotators = [make_annotator(name) for name in "ab"]
    annotators[0].import_labels({"sample_id": [0], "label": [1]})
    fit(MajorityOracle(annotators))
    assert not recwarn.list


def test_a_majority_within_a_store_hands_on_what_it_learns(
    make_annotator, asked, tmp_path
):
    annotators = [make_annotator(name) for name in "ab"]
    annotators[1].import_labels({"sample_id": [3], "label": [7]})
    majority = CachedOracle(MajorityOracle(annotators), tmp_path / "labels.sqlite")
    with pytest.raises(OracleError, match=r"7 is not one of the classes"):
        fit(majority, classes=[0, 1])
    assert asked == []


def test_annotators_that_would_share_their_answers_are_refused(make_annotator, asked):
    annotators = [make_annotator("a"), make_annotator("b"), make_annotator("a")]
    with pytest.raises(ValueError, match=r"annotators 0 and 2 .*'a'.*of its own"):
        fit(MajorityOracle(annotators))
    with pytest.raises(ValueError, match="annotators 0 and 2"):
        MajorityOracle(annotators)(X, sample_ids=IDS)
    assert asked == []


@pytest.mark.parametrize("nest", [lambda m: m, lambda m: MajorityOracle([m, m])])
def test_a_row_costs_nothing_only_if_all_of_its_votes_are_stored_skips(
    make_annotator, asked, nest
):
    skipped = {"a": [1, 2, 3], "b": [1, 2], "c": [1, 4]}
    annotators = [make_annotator(name, lambda i: None) for name in skipped]
    for annotator, ids in zip(annotators, skipped.values(), strict=True):
        table = {"sample_id": ids, "label": [None] * len(ids)}
        annotator.import_labels(table, abstentions=True)
    annotators[2].import_labels(
        {"sample_id": [2], "label": [0]}
    )  # two skips and a label
    told = []
    facts = RunFacts(parse=lambda answer: answer, uncharged=told.append)
    run = nest(MajorityOracle(annotators)).for_run(facts)
    ids = np.array([1, 2, 3, 4])
    assert list(run(X[ids], sample_ids=ids)) == [None] * 4
    assert told == [[1]]
    assert len(asked) == len(set(asked)) == 4


def test_votes_for_nothing_are_forgotten_with_their_question(make_annotator):
    annotators = [make_annotator(name, lambda i: None) for name in "ab"]
    told = []
    facts = RunFacts(parse=lambda answer: answer, uncharged=told.append)
    run = MajorityOracle(annotators).for_run(facts)
    for _ in range(2):  # bought at first, replayed then
        assert list(run(X[:2], sample_ids=IDS[:2])) == [None, None]
    assert told == [[0, 1]]
    for annotator in annotators:  # so that they are bought again
        annotator.ask_again([0, 1])
    assert list(run(X[:2], sample_ids=IDS[:2])) == [None, None]
    assert told == [[0, 1]]
