"""The terminal oracle: what it shows, and what the keys do."""

import copy
import io
import pickle
import sys

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.dummy import DummyClassifier

from skactive import ActiveLearningClassifier
from skactive.exceptions import StopLabeling
from skactive.oracles import CachedOracle, TerminalOracle

TEXTS = ["first", "second", "third"]
SPAM = ["ham", "spam"]


@pytest.fixture
def answer(monkeypatch):
    """Return a function that lets an oracle ask, and types some lines for it."""

    def answer(lines, X=TEXTS, classes=SPAM, oracle=None, **given):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{x}\n" for x in lines)))
        oracle = TerminalOracle() if oracle is None else oracle
        return list(oracle(X, classes=classes, **given))

    return answer


def test_keys_and_names_of_classes_are_answers(answer):
    assert answer(["1", "spam", "HAM"]) == ["ham", "spam", "ham"]


def test_numbers_are_their_own_keys(answer):
    assert answer(["10", "0", "2"], classes=np.array([0, 2, 10])) == [10, 0, 2]


def test_a_key_is_never_the_name_of_another_class(answer):
    assert answer(["2", "1", "3"], classes=["2", "1", "no"]) == ["2", "1", "no"]
    assert answer(["x", "1", "y"], classes=["x", "long", "y"]) == ["x", "long", "y"]


def test_classes_named_like_commands_get_another_key(answer):
    classes = ["q", "s", "u"]
    assert answer(["1", "s", "3"], classes=classes) == ["q", None, "u"]


def test_own_keys_come_first_and_offer_their_classes(answer):
    oracle = TerminalOracle(keys={"h": "ham", "j": "junk"})
    assert answer(["h", "j", "1"], oracle=oracle) == ["ham", "junk", "spam"]


@pytest.mark.parametrize(
    "keys", [{"s": 1}, {"?": 1}, {"+a": 1}, {"": 1}, {1: 1}, {"a": 1, "b": 1}]
)
def test_keys_that_cannot_be_are_refused(keys):
    with pytest.raises(ValueError, match=r"TerminalOracle: (the )?key"):
        TerminalOracle(keys=keys)(TEXTS)


def test_skip_abstains(answer):
    assert answer(["s", "1", "s"]) == [None, "ham", None]


def test_undo_takes_the_answer_before_back(answer, capsys):
    assert answer(["1", "2", "u", "1", "1"]) == ["ham", "ham", "ham"]
    assert capsys.readouterr().out.count("Row 2 of 3") == 2


def test_undo_reaches_back_one_answer(answer, capsys):
    assert answer(["u", "1", "2", "u", "u", "s", "1"]) == ["ham", None, "ham"]
    assert capsys.readouterr().out.count("Only the answer before") == 2


def test_an_answer_is_handed_over_when_the_next_is_there(monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n2\n1\n"))
    answers = TerminalOracle()(TEXTS, classes=SPAM)
    assert next(answers) == "ham"
    assert sys.stdin.read() == "1\n"


def test_the_last_answer_can_be_undone_if_the_batch_is_confirmed(answer):
    oracle = TerminalOracle(confirm=True)
    lines = ["1", "1", "1", "u", "2", "what?", ""]
    assert answer(lines, oracle=oracle) == ["ham", "ham", "spam"]


@pytest.mark.parametrize("end", [["q"], []], ids=["quit", "end of the input"])
def test_quitting_hands_over_what_was_held_back(monkeypatch, end):
    lines = "\n".join(["1", "2", *end])
    monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
    answers, given = TerminalOracle()(TEXTS, classes=SPAM), []
    with pytest.raises(StopLabeling) as stop:
        given.extend(answers)
    assert given == ["ham", "spam"]
    assert stop.value.labels == ["ham", "spam"]


def test_ctrl_c_twice_without_an_answer_is_not_swallowed(monkeypatch):
    typed = iter([KeyboardInterrupt(), "1", KeyboardInterrupt(), KeyboardInterrupt()])

    def read(prompt):
        line = next(typed)
        if isinstance(line, BaseException):
            raise line
        return line

    monkeypatch.setattr("builtins.input", read)
    for expected in (StopLabeling, StopLabeling, KeyboardInterrupt):
        with pytest.raises(expected):
            list(TerminalOracle()(TEXTS, classes=SPAM))
    monkeypatch.setattr("builtins.input", lambda prompt: "1")
    assert list(TerminalOracle()(TEXTS, classes=SPAM)) == ["ham"] * 3


def test_rows_are_counted_over_all_batches_of_a_run(monkeypatch, capsys, tmp_path):
    def run(oracle, answers):
        monkeypatch.setattr(sys, "stdin", io.StringIO("1\n" * answers))
        ActiveLearningClassifier(
            DummyClassifier(),
            oracle=oracle,
            batch_size=2,
            budget=5,
            missing_label="",
            initial_strategy="random",
            strategy="random",
            random_state=0,
        ).fit([f"text {i}" for i in range(9)], [*SPAM, *[""] * 7], sample_ids=range(9))
        lines = capsys.readouterr().out.splitlines()
        return [line.partition(" (")[0] for line in lines if line.startswith("Row")]

    expected = [
        "Row 1 of 5, 1 of 2 in this batch",
        "Row 2 of 5, 2 of 2 in this batch",
        "Row 3 of 5, 1 of 2 in this batch",
        "Row 4 of 5, 2 of 2 in this batch",
        "Row 5 of 5, 1 of 1 in this batch",
    ]
    assert run(TerminalOracle(), 5) == expected
    cached = CachedOracle(TerminalOracle(), tmp_path / "labels.sqlite")
    assert run(cached, 3) == [*expected[:3], "Row 4 of 5, 2 of 2 in this batch"]
    # Three answers are in the store.
    assert run(cached, 2) == ["Row 4 of 5, 1 of 1 in this batch", expected[4]]


def test_an_error_of_render_loses_no_answer(answer, monkeypatch):
    oracle = TerminalOracle(render=lambda row: row[3 if row != "third" else 99])
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n2\n"))
    answers = oracle(TEXTS, classes=SPAM)
    assert [next(answers), next(answers)] == ["ham", "spam"]
    with pytest.raises(IndexError):
        next(answers)


def test_an_answer_that_is_not_taken_any_more_is_named(monkeypatch, capsys):
    monkeypatch.setattr(sys, "stdin", io.StringIO("1\n2\n"))
    answers = TerminalOracle()(TEXTS, classes=SPAM)
    next(answers)
    answers.close()
    assert "Not recorded, as the run has failed: spam" in capsys.readouterr().out


def test_unknown_keys_are_asked_again(answer, capsys):
    assert answer(["7", "", "spma", "2", "1", "1"]) == ["spam", "ham", "ham"]
    out = capsys.readouterr().out
    assert "'spma' is neither a key nor a class. +spma makes it a new class." in out


def test_a_new_class_needs_a_plus_and_has_a_key_then(answer):
    assert answer(["+eggs", "eggs", "3"]) == ["eggs", "eggs", "eggs"]


def test_a_new_class_that_is_undone_is_forgotten(answer):
    assert answer(["+egsg", "u", "1", "egsg", "1", "1"]) == ["ham"] * 3


def test_new_classes_are_of_the_type_of_the_others(answer, capsys):
    assert answer(["+x", "+7", "7", "1"], classes=[0, 1]) == [7, 7, 1]
    assert "'x' is not a whole number" in capsys.readouterr().out
    assert answer(["+x", "+7", "7"], classes=[]) == ["x", "7", "7"]
    assert answer(["+3", "3", "+4"], classes=None) == [3, 3, 4]


def test_new_classes_can_be_closed_out(answer, capsys):
    oracle = TerminalOracle(new_classes=False)
    assert answer(["+eggs", "1", "1", "1"], oracle=oracle) == ["ham"] * 3
    assert "new class" not in capsys.readouterr().out


def test_thirty_classes_more_than_keys_can_be_typed(answer, capsys):
    classes = [f"class {i}" for i in range(60)]
    assert answer(["class 59", "9", "z"], classes=classes)[:2] == [
        "class 59",
        "class 8",
    ]
    assert "the name of one of the other classes" in capsys.readouterr().out


def test_the_suggestion_is_shown_only_if_wanted(answer, capsys):
    proba = np.array([[0.13, 0.87]] * 3)
    answer(["1"] * 3, proba=proba)
    assert "suggests" not in capsys.readouterr().out
    answer(["1"] * 3, proba=proba, oracle=TerminalOracle(suggest=True))
    assert "The model suggests spam (87%)" in capsys.readouterr().out
    answer(["1"] * 3, proba=None, oracle=TerminalOracle(suggest=True))


def test_ids_are_shown(answer, capsys):
    answer(["1"] * 3, sample_ids=np.array(["a", "b", "c"]))
    assert "Row 2 of 3 (id b)" in capsys.readouterr().out


@pytest.mark.parametrize(
    "X",
    [
        pd.DataFrame({"age": [7], "name": ["Eve"]}),
        [{"age": 7, "name": "Eve"}],
    ],
    ids=["data frame", "mapping"],
)
def test_features_are_shown_by_name(answer, capsys, X):
    answer(["1"], X=X)
    assert "| age: 7\n| name: Eve\n" in capsys.readouterr().out


def test_polars_frames_are_shown_by_name(answer, capsys):
    polars = pytest.importorskip("polars")
    answer(["1"], X=polars.DataFrame({"age": [7], "name": ["Eve"]}))
    assert "| age: 7\n| name: Eve\n" in capsys.readouterr().out


def test_columns_of_one_name_are_all_shown(answer, capsys):
    answer(["1"], X=pd.DataFrame([[1, 2]], columns=["a", "a"]))
    assert "| a (0): 1\n| a (1): 2\n" in capsys.readouterr().out


def test_arrays_are_shown_by_number_and_sparse_rows_without_zeros(answer, capsys):
    X = np.array([[0.0, 2.5]])
    answer(["1"], X=X)
    assert "| 0: 0\n| 1: 2.5\n" in capsys.readouterr().out
    answer(["1"], X=csr_matrix(X))
    assert "of 1\n| 1: 2.5\n" in capsys.readouterr().out


def test_render_makes_the_text(answer, capsys):
    oracle = TerminalOracle(render=lambda row: f"aged {row['age']}\x1b[2J")
    answer(["1"], X=pd.DataFrame({"age": [7]}), oracle=oracle)
    assert "| aged 7\\x1b[2J\n" in capsys.readouterr().out


def test_a_question_mark_shows_the_whole_row(answer, capsys):
    oracle = TerminalOracle(max_chars=5)
    answer(["1"], X=["abcdefgh"], oracle=oracle)
    assert "| abcde... (8 characters)\n" in capsys.readouterr().out
    answer(["?", "1"], X=["abcdefgh"], oracle=oracle)
    assert "| abcdefgh\n" in capsys.readouterr().out


def test_characters_that_the_terminal_lacks_are_escaped(answer, monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    answer(["1"], X=["Grüße \ud800"])
    assert b"| Gr\\xfc\\xdfe \\ud800\n" in raw.getvalue()


def test_it_is_copied_but_not_pickled():
    oracle = TerminalOracle(suggest=True, keys={"h": "ham"})
    for twin in (clone(oracle), copy.copy(oracle), copy.deepcopy(oracle)):
        assert twin.get_params() == oracle.get_params()
    with pytest.raises(pickle.PicklingError, match="needs n_jobs=1: TerminalOracle"):
        pickle.dumps(oracle)


def test_parameters_are_validated():
    with pytest.raises(ValueError, match="max_chars"):
        TerminalOracle(max_chars=0)(TEXTS)


def test_there_must_be_a_class_to_choose():
    with pytest.raises(ValueError, match="there is no class to choose"):
        TerminalOracle(new_classes=False)(TEXTS, classes=[])
    TerminalOracle(new_classes=False, keys={"h": "ham"})(TEXTS, classes=[])
