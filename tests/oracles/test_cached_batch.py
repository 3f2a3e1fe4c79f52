"""The rows of one question to a CachedOracle: what of them is passed on, and how."""

import getpass
import uuid

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csc_matrix, issparse

from skactive.oracles._cached_run import Batch, user_name

X = np.arange(8.0).reshape(4, 2)
PROBA = np.arange(4.0)[:, None]
ALL = ("sample_ids", "classes", "proba", "request_ids")


def a_batch(X=X, ids=(7, "7", 2, "a"), classes=(0, 1), proba=PROBA):
    return Batch(X, list(ids), classes, proba)


def test_ids_of_a_mixed_list_stay_what_they_are():
    batch = a_batch()
    assert batch.ids.tolist() == [7, "7", 2, "a"]
    assert batch.keys == ["7", '"7"', "2", '"a"']
    assert Batch(X, (1, "1", 2, 3), None, None).keys == ["1", '"1"', "2", "3"]
    assert Batch(X, np.arange(4), None, None).keys == ["0", "1", "2", "3"]
    assert batch.hashes is None


@pytest.mark.parametrize("ids", [[1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3, 1]])
def test_there_is_one_id_for_each_row(ids):
    with pytest.raises(ValueError, match=r"one id for each of the 4 rows, all diff.*1"):
        a_batch(ids=ids)


def test_a_question_about_some_rows_has_what_goes_with_them():
    rows, given = a_batch().question(['"7"', '"a"'], ALL, "t")
    assert rows.tolist() == X[[1, 3]].tolist()
    assert list(given) == list(ALL)
    assert given["sample_ids"].tolist() == ["7", "a"]
    assert given["classes"] == (0, 1)
    assert given["proba"].tolist() == [[1.0], [3.0]]


def test_only_what_the_oracle_wants_is_passed():
    batch = a_batch(proba=None)
    rows, given = batch.question(batch.keys, ["proba"], "t")
    assert rows is X
    assert given == {"proba": None}
    assert batch.question(batch.keys, [], "t")[1] == {}


def test_request_ids_depend_on_the_task_and_the_row_only():
    _, given = a_batch().question(["7", '"a"'], ALL, "t")
    again = a_batch().question(['"a"'], ALL, "t")[1]["request_ids"]
    other = a_batch().question(["7", '"a"'], ALL, "u")[1]["request_ids"]
    assert again == given["request_ids"][1:]
    assert len({*given["request_ids"], *other}) == 4
    assert {uuid.UUID(text).version for text in given["request_ids"]} == {5}
    assert all(isinstance(text, str) for text in other)


@pytest.mark.parametrize("container", [pd.DataFrame, csc_matrix, list])
def test_rows_stay_in_their_container(container):
    given = container(X) if container is not list else X.tolist()
    rows, _ = a_batch(given).question(["2", '"a"'], [], "t")
    assert type(rows) is type(given)
    values = rows.toarray() if issparse(rows) else np.asarray(rows)
    assert values.tolist() == X[[2, 3]].tolist()


def test_answers_may_have_ids_or_names_of_rows():
    frame = pd.DataFrame(X, index=list("wxyz"))
    batch = a_batch(frame)
    rows, _ = batch.question(['"7"', "2"], [], "t")
    found = [list(names) for names in batch.names(["2", '"7"'], rows.iloc[::-1])]
    assert found == [[2, "7"], ["y", "x"]]
    assert [list(names) for names in batch.names(["7"], None)] == [[7]]


def test_only_the_labels_before_the_first_gap_are_a_prefix():
    batch = a_batch()
    assert batch.prefix({}) == []
    assert batch.prefix({'"7"': 1}) == []
    assert batch.prefix({"7": 0, '"7"': None, '"a"': 1}) == [0, None]
    assert batch.prefix(dict.fromkeys(batch.keys, 1)) == [1, 1, 1, 1]


def test_hashes_are_those_of_contents_by_key():
    batch = a_batch(np.array([[1.0], [2], [1], [3]]))
    batch.hash_rows("salt")
    assert list(batch.hashes) == batch.keys
    assert batch.hashes["7"] == batch.hashes["2"] != batch.hashes['"7"']


@pytest.mark.parametrize("error", [OSError, KeyError, ImportError])
def test_a_user_without_a_name_is_unknown(monkeypatch, error):
    def getuser():
        raise error

    monkeypatch.setattr(getpass, "getuser", lambda: "ann")
    assert user_name() == "ann"
    monkeypatch.setattr(getpass, "getuser", getuser)
    assert user_name() == "unknown"
