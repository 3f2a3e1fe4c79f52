"""Hashes of the contents of rows, and sample ids that are made of them."""

import datetime
import hashlib
import os
import struct
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from skactive.oracles import ids_of_rows
from skactive.utils._row_hashes import hash_each_row

VALUES = np.array([[1.0, 2.5], [-0.0, np.nan], [3.0, 2.5]])
NUMBERS = np.array([[1, 0], [0, 1], [7, 100]])
DATES = np.array(["2020-02-29T13", "1960-01-01T01", "NaT"], dtype="M8[h]")


@pytest.mark.parametrize(
    "same",
    [
        VALUES.astype(np.float32),
        np.asfortranarray(VALUES),
        VALUES.astype(">f8"),
        VALUES.astype(object),
        VALUES.tolist(),
        pd.DataFrame(VALUES, columns=["a", "b"]),
        np.array([[1.0, 2.5], [0.0, -np.nan], [3.0, 2.5]]),
        [[1, 2.5], [0, None], [3, 2.5]],
    ],
)
def test_equal_values_have_equal_hashes_in_any_container(same):
    assert hash_each_row(same) == hash_each_row(VALUES)


@pytest.mark.parametrize("dtype", [np.int8, np.uint64, np.float16, object])
def test_the_width_of_numbers_does_not_count(dtype):
    assert hash_each_row(NUMBERS.astype(dtype)) == hash_each_row(NUMBERS)
    frame = pd.DataFrame(NUMBERS).astype("Int64")
    assert hash_each_row(frame) == hash_each_row(NUMBERS)


@pytest.mark.parametrize("change", ["tocsc", "tocoo", "tolil"])
def test_the_format_of_sparse_rows_does_not_count(change):
    X = sparse.csr_matrix(NUMBERS)
    hashes = hash_each_row(X)
    assert len(set(hashes)) == 3
    assert hash_each_row(getattr(X, change)()) == hashes
    assert hash_each_row(sparse.csr_array(NUMBERS.astype(np.float32))) == hashes
    parts = sparse.coo_matrix(  # an entry in two parts, and a zero that is stored
        ([1, 40, 60, 7, 1, 0], ([0, 2, 2, 2, 1, 0], [0, 1, 1, 0, 1, 1])), shape=(3, 2)
    )
    assert hash_each_row(parts) == hashes
    assert hash_each_row(X[[2, 0]]) == [hashes[2], hashes[0]]


def test_sparse_rows_are_not_changed():
    X = sparse.csr_matrix(([1.0, 0.0], [1, 0], [0, 2]), shape=(1, 2))
    hash_each_row(X)
    assert X.nnz == 2


@pytest.mark.parametrize("unit", ["m", "s", "ms", "us", "ns"])
def test_the_unit_of_dates_and_durations_does_not_count(unit):
    column = DATES.reshape(-1, 1)
    assert hash_each_row(column.astype(f"M8[{unit}]")) == hash_each_row(column)
    durations = np.array([[30], [-5]], dtype="m8[h]")
    hashes = hash_each_row(durations.astype(f"m8[{unit}]"))
    assert hashes == hash_each_row(durations)
    assert len({*hashes, *hash_each_row(column)}) == 5


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([["ab", "c"]], [["a", "bc"]]),
        (["1"], [b"1"]),
        ([[2**53 + 1]], [[2**53]]),
        (np.array([[2**62 + 1]]), np.array([[2**62]])),
        ([[1.0, 2.0]], [[2.0, 1.0]]),
        ([{"a": [1]}], [{"a": 1}]),
        ([{1, 2}], [{1, 3}]),
        ([np.zeros((2, 3))], [np.zeros((3, 2))]),
        ([datetime.time(1)], [datetime.time(2)]),
        (np.zeros((1, 2, 2)), np.ones((1, 2, 2))),
        ([["a"], ["b", "c"]], [["a"], ["b", "d"]]),
    ],
)
def test_other_contents_have_other_hashes(one, other):
    assert hash_each_row(one)[-1] != hash_each_row(other)[-1]


@pytest.mark.parametrize(
    "rows",
    [
        [[1, "a"], [2, 3]],
        [["a"], ["b", "c"]],
        [np.zeros((2, 3)), np.zeros((3, 2))],
        ["a", 1, None],
        np.array([[1, "a"], [2, None]], dtype=object),
    ],
)
def test_a_hash_does_not_depend_on_the_other_rows(rows):
    hashes = hash_each_row(rows)
    assert [hash_each_row(rows[i : i + 1])[0] for i in range(len(rows))] == hashes
    assert len(set(hashes)) == len(rows)


def test_the_order_in_dicts_and_sets_does_not_count():
    one, other = {"a": 1, "b": {1, 2, 3}}, {"b": {3, 2, 1}, "a": 1.0}
    assert hash_each_row([one]) == hash_each_row([other])


def test_large_integers_equal_floats_only_where_they_are_equal():
    assert hash_each_row(np.array([[2**60]])) == hash_each_row([[2.0**60]])
    assert hash_each_row(np.array([[2**63 - 1]])) == hash_each_row([[2**63 - 1]])
    assert hash_each_row([[10**400, "a"]]) != hash_each_row([[10**401, "a"]])


def test_columns_of_other_kinds_than_numbers():
    frame = pd.DataFrame(
        {
            "text": ["x", None, "x"],
            "date": pd.to_datetime(["2020", "2021", "2020"]),
            "zone": pd.to_datetime(["2020", "2021", "2020"]).tz_localize("UTC"),
            "category": pd.Categorical(["u", "v", "u"]),
        }
    )
    first, second, third = hash_each_row(frame)
    assert first == third != second
    assert hash_each_row(frame[["text"]]) == hash_each_row([["x"], [None], ["x"]])


def test_an_object_that_shows_no_content_is_refused():
    with pytest.raises(TypeError, match="type object whose content cannot be read"):
        hash_each_row([object()])


def test_the_salt_changes_the_hashes_and_they_are_equal_in_other_processes():
    code = (
        "from skactive.utils._row_hashes import hash_each_row\n"
        "print(*hash_each_row([{'a', 'b', 'c', None}, 'd'], 'salt'))"
    )
    hashes = hash_each_row([{"a", "b", "c", None}, "d"], "salt")
    for seed in "1", "2":
        found = subprocess.run(
            [sys.executable, "-c", code],
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert found.stdout.split() == hashes
    assert not set(hashes) & set(hash_each_row([{"a", "b", "c", None}, "d"]))


def test_hashes_stay_as_they_are_in_files():
    content = struct.pack("<d", 1.0) + b"text1:a"
    by_hand = hashlib.blake2b(content, digest_size=16, key=b"salt").hexdigest()
    assert hash_each_row([[1, "a"]], "salt") == [by_hand]
    by_hand = hashlib.blake2b(b"text2:ab", digest_size=16).hexdigest()
    assert ids_of_rows(["ab"]).tolist() == [by_hand]


def test_no_rows_have_no_hashes():
    assert hash_each_row(np.zeros((0, 3))) == []
    assert len(set(hash_each_row(np.zeros((2, 0))))) == 1


# ids_of_rows


def test_ids_go_with_the_rows_and_equal_rows_are_numbered():
    X = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0], [1.0, 2.0]])
    a, b, a2, a3 = ids_of_rows(X).tolist()
    assert (a2, a3) == (f"{a}-2", f"{a}-3")
    assert ids_of_rows(X[[1, 3]].astype(int)).tolist() == [b, a]
    assert len({a, b, a2, a3}) == 4
