"""The ledger of a run: which answers are labels, and what a label changes."""

import re
import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive._loop.inputs import check_inputs
from skactive._loop.ledger import Ledger, parse_all
from skactive._loop.past import Past
from skactive.exceptions import OracleError

pytestmark = pytest.mark.filterwarnings("ignore:The only class with labels is 1")

X = np.array([[0.0], [1], [2], [2], [2], [3], [4], [5]])
Y = np.array([0, 1, -1, -1, -1, -1, -1, -1])


def a_ledger(y=Y, past=None, holdout=(), **params):
    params = {"budget": None, "random_state": 0} | params
    clf = ActiveLearningClassifier(LogisticRegression(), **params)
    inputs = check_inputs(
        clf, X, y, sample_ids=None, cost=None, fit_params={}, has_oracle=True
    )
    mask = np.isin(np.arange(8), holdout)
    sample = SimpleNamespace(mask=mask, kept_out=mask)
    return Ledger(inputs, sample, past or Past())


def record(ledger, *answers, **more):
    rows, values = zip(*answers, strict=True)
    return ledger.record(list(rows), values, **more)


def doubts(ledger):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ledger.warn()
    return [str(warning.message) for warning in caught]


def test_a_new_ledger_has_the_labels_of_y():
    ledger = a_ledger()
    assert ledger.y.tolist() == Y.tolist()
    assert ledger.labeled_iter.tolist() == [0, 0, *[-1] * 6]
    assert ledger.candidates.tolist() == [2, 3, 4, 5, 6, 7]
    assert not ledger.asked.any()
    assert ledger.asked_in.dtype == np.intp
    assert (ledger.n_learnt, ledger.n_unasked) == (2, 0)
    assert ledger.has_two_classes()
    assert not a_ledger(y=np.array([1, 1, *[-1] * 6])).has_two_classes()
    assert not a_ledger(y=np.full(8, -1)).has_two_classes()


def test_answers_are_recorded_refused_or_ignored():
    ledger = a_ledger(classes=[0, 1])
    ledger.asked_in[[2, 5, 6]] = 3
    found = record(ledger, (2, 1), (5, None), (6, 7), (0, 1), (1, 1))
    answered, refused, new, corrected, ignored = found
    assert answered == [2, 5, 0, 1]
    assert [(row, value) for row, value, _ in refused] == [(6, 7)]
    assert refused[0][2].startswith("7 is not one of the classes [0, 1]")
    assert (new, corrected) == ([(2, 1), (5, None)], [])
    assert ignored == [(0, 1)]
    assert ledger.labeled_iter.tolist() == [0, 0, 3, *[-1] * 5]
    assert [ledger.label(row) for row in (0, 2, 5)] == [0, 1, None]
    expected = "Row 0 has the label 0 already; the answer 1 was ignored."
    assert doubts(ledger) == [expected]
    assert doubts(ledger) == []


def test_an_answer_for_a_row_that_is_asked_about_again_replaces_the_label():
    ledger = a_ledger()
    found = record(ledger, (0, 1), (1, 0), (5, 1), asked_again={0, 5})
    assert found == ([0, 1, 5], [], [(5, 1)], [(0, 0, 1)], [(1, 0)])
    assert [ledger.label(row) for row in (0, 1, 5)] == [1, 1, 1]
    assert len(doubts(ledger)) == 1
    # An abstention or the same label is no correction.
    found = record(ledger, (0, None), (1, 1), asked_again={0, 1})
    assert found == ([0, 1], [], [], [], [])
    assert ledger.label(0) == 1


def test_settled_rows_are_no_candidates():
    past = Past(True, skipped=[7], queried=[(6, 2, np.nan)])
    ledger = a_ledger(past=past)
    assert ledger.asked_in[6] == 2
    assert ledger.candidates.tolist() == [2, 3, 4, 5]
    record(ledger, (2, 1))
    ledger.asked_in[3] = 1
    assert ledger.candidates.tolist() == [4, 5]
    assert np.flatnonzero(ledger.settled).tolist() == [0, 1, 2, 3, 6, 7]


def test_labels_of_rows_that_were_never_queried_are_counted():
    ledger = a_ledger()
    ledger.asked_in[2] = 4
    record(ledger, (2, 1), (5, 0), (6, None))
    assert ledger.n_unasked == 1
    assert 6 not in ledger.candidates  # it was skipped all the same
    assert ledger.labeled_iter[[2, 5, 6]].tolist() == [4, 0, -1]
    ledger.replace(5, None)
    assert ledger.n_unasked == 0


def test_a_label_that_is_taken_back_is_not_asked_for_again():
    ledger = a_ledger()
    ledger.replace(1, None)
    assert ledger.y.tolist() == [0, *[-1] * 7]
    assert ledger.y.dtype == Y.dtype
    assert (ledger.label(1), ledger.labeled_iter[1]) == (None, -1)
    assert ledger.settled[1]
    assert 1 not in ledger.candidates
    assert ledger.n_learnt == 1
    ledger.replace(1, 0)
    assert ledger.label(1) == 0
    assert ledger.n_learnt == 2


def test_the_marker_comes_back_where_no_integer_can_hold_it():
    y = np.array(["a", "b", *[None] * 6], dtype=object)
    ledger = a_ledger(y=y, missing_label=None)
    ledger.replace(0, None)
    assert ledger.y.tolist() == [None, "b", *[None] * 6]
    filled = a_ledger(y=np.array([0, 1, *[np.nan] * 6]), missing_label=np.nan)
    filled.replace(0, None)
    assert np.isnan(filled.y[0])


def test_the_answer_of_another_process_that_came_first_stays():
    ledger = a_ledger()
    record(ledger, (2, 1), (3, 0))
    for row, label in ((2, 0), (3, 0), (4, 1)):
        ledger.give_way(row, label)
    assert [ledger.label(row) for row in (2, 3, 4)] == [0, 0, None]
    (doubt,) = doubts(ledger)
    assert doubt.startswith("Row 2 got the label 0 in another process first; ")
    assert "answer 1 was ignored" in doubt
    ledger.give_way(2, 1)
    ledger.forget_doubts()
    assert doubts(ledger) == []


def test_labels_are_parsed_and_the_others_named():
    parsed, refused = parse_all(a_ledger(classes=[0, 1]), [2, 3, 4], [1, 7, None])
    assert parsed == [(2, 1), (4, None)]
    assert [(row, value) for row, value, _ in refused] == [(3, 7)]
    assert refused[0][2].startswith("7 is not one of the classes")
    with pytest.raises(ValueError, match=r"longer|shorter"):
        parse_all(a_ledger(), [2, 3], [1])
    with pytest.raises(ValueError, match=r"longer|shorter"):
        a_ledger().record([2, 3], [1])


# Equal rows


def test_equal_rows_share_a_label_that_counts_once():
    ledger = a_ledger(equal_rows="share")
    (asked,) = [row for row in ledger.candidates if row in (2, 3, 4)]
    ledger.asked_in[asked] = 2
    record(ledger, (asked, 1))
    assert ledger.y[2:5].tolist() == [1, 1, 1]
    assert ledger.labeled_iter[2:5].tolist() == [2, 2, 2]
    assert ledger.labeled[2:5].all()
    assert ledger.n_learnt == 3
    ledger.replace(asked, 0)
    assert ledger.y[2:5].tolist() == [0, 0, 0]
    ledger.replace(asked, None)
    assert ledger.y[2:5].tolist() == [-1, -1, -1]
    assert ledger.settled[2:5].all()
    assert ledger.n_learnt == 2


def test_the_labels_of_y_are_shared_from_the_start():
    y = np.where(np.arange(8) == 3, 1, Y)
    ledger = a_ledger(y=y, equal_rows="share")
    assert ledger.y[2:5].tolist() == [1, 1, 1]
    assert ledger.labeled_iter[2:5].tolist() == [0, 0, 0]
    assert ledger.n_learnt == 3
    assert y.tolist() == [0, 1, -1, 1, -1, -1, -1, -1]


# The test sample


def test_the_test_sample_does_not_train():
    ledger = a_ledger(holdout=[5, 6])
    assert ledger.candidates.tolist() == [2, 3, 4, 7]
    record(ledger, (5, 1), (2, 0))
    assert np.flatnonzero(ledger.trainable).tolist() == [0, 1, 2]
    assert ledger.trainable_y.tolist() == [0, 1, 0, *[-1] * 5]
    assert ledger.y[5] == 1
    assert np.flatnonzero(ledger.holdout_left).tolist() == [6]
    assert ledger.n_learnt == 3
    held = ledger.holdout
    assert (held.rows.tolist(), held.labels.tolist()) == ([5], [1])
    assert np.flatnonzero(held.mask).tolist() == [5, 6]


def test_two_classes_must_be_among_the_rows_that_train():
    ledger = a_ledger(y=np.array([1, *[-1] * 7]), holdout=[5])
    record(ledger, (5, 0))
    assert not ledger.has_two_classes()
    record(ledger, (6, 0))
    assert ledger.has_two_classes()


# What is a label


@pytest.mark.parametrize(
    ("y", "params", "value", "label"),
    [
        (Y, {}, np.int64(1), 1),
        (Y, {}, -1, None),
        (Y, {}, None, None),
        (Y, {}, np.nan, None),
        (Y, {}, 1.0, 1),
        (Y * 0 - 1, {}, "new", "new"),
        (Y * 0 - 1, {}, 3, 3),
        (Y, {}, 2**40, 2**40),
        (Y, {}, 2**63 - 1, 2**63 - 1),
        (Y, {}, -(2**63), -(2**63)),
        (np.array(["a", "b", *["?"] * 6]), {"missing_label": "?"}, "?", None),
    ],
)
def test_labels_and_abstentions(y, params, value, label):
    found = a_ledger(y=y, **params).parse(value)
    assert found == label
    assert type(found) is type(label)


@pytest.mark.parametrize(
    ("params", "value", "match"),
    [
        ({}, "one", "one"),
        ({}, 2**63, "9223372036854775808 does not fit into 64 bits"),
        ({}, -(2**63) - 1, "does not fit into 64 bits"),
        ({"classes": [0, 1]}, 2, r"^2 is not one of the classes \[0, 1\]$"),
        ({"unlabeled": "pass", "y": Y % 3, "missing_label": 2}, -1, "^-1 stands for a"),
    ],
)
def test_what_is_no_label_is_an_error(params, value, match):
    with pytest.raises(ValueError, match=match):
        a_ledger(**params).parse(value)


def test_unsigned_labels_may_need_all_64_bits():
    y = np.array([0, 1, *[9] * 6], dtype=np.uint64)
    ledger = a_ledger(y=y, missing_label=9)
    assert ledger.parse(2**64 - 1) == 2**64 - 1
    with pytest.raises(ValueError, match="64 bits"):
        ledger.parse(2**64)


def test_minus_one_is_a_label_if_no_rows_are_passed_as_minus_one():
    y = np.array([0, 1, *[9] * 6])
    assert a_ledger(y=y, missing_label=9).parse(-1) == -1
    with pytest.raises(ValueError, match="stands for a missing label"):
        a_ledger(y=y, missing_label=9, unlabeled="pass").parse(-1)


TEXTS = np.array(["cat", "dog", *["?"] * 6])
CLOSED = {"y": TEXTS, "missing_label": "?", "classes": ["cat", "dog"]}


def test_a_class_that_is_spelt_differently_is_named():
    with pytest.raises(ValueError, match=r"'dog' is spelt differently$"):
        a_ledger(**CLOSED | {"y": np.full(8, "?")}).parse(" Dog")


def test_unknown_answers_may_count_as_abstentions_and_are_told_a_few_times():
    ledger = a_ledger(**CLOSED, unknown_answers="abstain")
    answers = ["no", "no", *map(str, range(20))]
    found = record(ledger, *((2, answer) for answer in answers))
    assert found[0] == [2] * 22
    assert ledger.label(2) is None
    told = doubts(ledger)
    assert told[0].startswith(
        "An answer counts as none, as unknown_answers='abstain': "
    )
    assert len(told) == len(set(told)) == 5
    with pytest.raises(ValueError, match=r"list"):
        ledger.parse(["a", "list"])


def test_a_new_class_that_may_be_misspelt_is_doubted_once():
    ledger = a_ledger(y=TEXTS, missing_label="?")
    record(ledger, (2, "Dog "), (3, "Dog "), (4, "bird"))
    (doubt,) = doubts(ledger)
    assert doubt.startswith("The answer 'Dog ' for row 2 is a new class, and differs ")
    assert "the class 'dog'" in doubt
    assert ledger.y[2:5].tolist() == ["Dog ", "Dog ", "bird"]


def test_a_sentence_among_short_classes_is_doubted():
    ledger = a_ledger(y=TEXTS, missing_label="?")
    record(ledger, (2, "I am sorry, but I cannot tell which animal this is."))
    (doubt,) = doubts(ledger)
    assert "is a new class, and a sentence, while the others are short" in doubt


def test_the_first_label_tells_the_kind_of_all():
    ledger = a_ledger(y=np.full(8, None, dtype=object), missing_label=None)
    record(ledger, (2, "a"))
    with pytest.raises(ValueError, match="3"):
        ledger.parse(3)
    numbers = a_ledger(y=np.full(8, -1.0), missing_label=-1)
    with pytest.raises(ValueError, match=r"0\.5"):
        a_ledger(y=np.full(8, -1)).parse(0.5)
    assert type(numbers.parse(2)) is float
    assert type(a_ledger(y=np.full(8, -1)).parse(2.0)) is int


@pytest.mark.parametrize("queried", [[(2, 1, np.nan)], []])
def test_doubts_about_answers_of_a_session_were_told_before(queried):
    past = Past(True, labels={2: "Dog"}, queried=queried)
    ledger = a_ledger(y=TEXTS, missing_label="?", past=past)
    assert ledger.label(2) == "Dog"
    # Nobody has seen those about a label that was imported.
    assert len(doubts(ledger)) == (0 if queried else 1)


def test_answers_of_a_session_that_are_no_labels_here_are_refused():
    past = Past(True, labels={0: 1, 2: 8, 3: 0, 4: 9})
    with pytest.raises(OracleError, match=r"row 2.*: 8 is not one of") as error:
        a_ledger(past=past, classes=[0, 1])
    assert error.value.answers == [8, 9]
    text = str(error.value)
    assert text.startswith("The session holds 2 answers that are not labels here: ")
    assert re.search("; row 4.*: 9 is not one of", text)
    assert "another `task`" in text


def test_of_many_such_answers_the_first_five_are_named():
    with pytest.raises(OracleError, match=r"row 4.*: 7") as error:
        a_ledger(past=Past(True, labels=dict.fromkeys(range(8), 7)), classes=[0, 1])
    assert "row 5" not in str(error.value)
