"""Ids, prices and other values for each row, checked one by one."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive._loop.row_values import (
    check_costs,
    check_fit_params,
    check_lengths,
    check_sample_ids,
    warn_if_named_otherwise,
)


def test_no_ids_are_none():
    assert check_sample_ids(None, 3) is None


@pytest.mark.parametrize("dtype", [int, np.uint8, np.int16])
def test_an_array_of_integers_is_returned_as_it_is(dtype):
    ids = np.array([7, 0, 3], dtype=dtype)
    assert check_sample_ids(ids, 3) is ids


@pytest.mark.parametrize(
    "ids",
    [
        np.array([7, 3, 7]),
        np.array([7, 3, 7], dtype=np.uint8),
        np.array([7, 3, 7], dtype=object),
        pd.Index([7, 3, 7]),
        [7, 3, 7],
        (7, 3, 7),
    ],
    ids=["ints", "bytes", "objects", "index", "list", "tuple"],
)
def test_an_id_of_two_rows_is_refused_in_any_container(ids):
    with pytest.raises(ValueError, match="must be unique, but 7 stands for several"):
        check_sample_ids(ids, 3)


@pytest.mark.parametrize(
    ("ids", "shape"),
    [([1, 2], r"\(2,\)"), (np.ones((3, 1)), r"\(3, 1\)"), (np.ones((3, 3)), r"\(3, 3")],
)
def test_ids_of_another_number_or_shape_are_refused(ids, shape):
    with pytest.raises(ValueError, match=rf"the 3 rows, got an array .*{shape}"):
        check_sample_ids(ids, 3)


@pytest.mark.parametrize(
    "ids",
    [[1, "1", 2], ("1", 1, "2"), [2**63, -1, 5], [2**70, 1, 2], pd.Series([1, "1", 2])],
)
def test_ids_that_an_array_would_change_are_kept_as_objects(ids):
    checked = check_sample_ids(ids, 3)
    assert checked.dtype == object
    expected = list(ids)
    assert checked.tolist() == expected
    assert [type(i) for i in checked] == [type(i) for i in expected]


@pytest.mark.parametrize("ids", [["a", "b", "c"], np.array(["a", "b", "c"])])
def test_texts_stay_an_array_of_texts(ids):
    checked = check_sample_ids(ids, 3)
    assert checked.dtype.kind == "U"
    assert checked.tolist() == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("wrong", "kind"), [(1.5, "float"), (True, "bool"), (None, "NoneType"), (b"a", "b")]
)
def test_ids_of_other_types_are_refused(wrong, kind):
    for ids in ([1, 2, wrong], np.array([1, 2, wrong], dtype=object)):
        with pytest.raises(ValueError, match=rf"got .* of type {kind}"):
            check_sample_ids(ids, 3)


def test_integers_of_numpy_are_ids_in_a_list():
    assert check_sample_ids([np.int64(4), 5, np.uint8(6)], 3).tolist() == [4, 5, 6]


def values(index):
    return pd.Series(range(len(index)), index=index)


@pytest.mark.parametrize("ids", [["a", "b", "c"], np.array(["a", "b", "c"])])
def test_an_index_with_the_ids_in_another_order_is_warned_of(ids):
    with pytest.warns(UserWarning, match=r"^cost is matched .*cost\.loc\[samp"):
        warn_if_named_otherwise(ids, y=[1, 2, 3], cost=values(["b", "a", "c"]))


@pytest.mark.parametrize(
    ("ids", "other"),
    [
        (["a", "b"], values(["a", "b"])),  # the same order
        (["a", "b"], values(["x", "y"])),  # other names
        (["a", "b"], ["b", "a"]),  # no index
        (None, values(["b", "a"])),  # no ids
        (pd.Series(["a", "b"]), values(["b", "a"])),  # its own index decides
    ],
)
def test_nothing_else_is_warned_of(ids, other):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "cost is matched")
        warn_if_named_otherwise(ids, cost=other)


def fit_once(**values):
    clf = ActiveLearningClassifier(LogisticRegression(), oracle=lambda X: [1] * len(X))
    clf.set_params(budget=1, batch_size=1, random_state=0)
    X = np.array([[0.0], [1.0], [2.0]])
    return clf.fit(X, values.pop("y", [0, 1, -1]), **values)


@pytest.mark.parametrize("name", ["y", "cost"])
def test_fit_warns_of_the_order_of_labels_and_of_prices(name):
    value = pd.Series([0, 1, -1] if name == "y" else [1, 1, 2], index=[11, 10, 12])
    with pytest.warns(UserWarning, match=f"^{name} is matched with the rows by posit"):
        fit_once(sample_ids=[10, 11, 12], **{name: value})


def test_prices_are_floats_and_may_be_zero():
    assert check_costs(None, 2) is None
    checked = check_costs([0, 3], 2)
    assert checked.dtype == np.float64
    assert checked.tolist() == [0.0, 3.0]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf, -1e-9])
def test_prices_that_are_not_finite_or_negative_are_named_with_their_rows(wrong):
    with pytest.raises(ValueError, match=r"the 4 rows, got .* rows \[1, 3\]\."):
        check_costs([0.0, wrong, 2.0, wrong], 4)


@pytest.mark.parametrize("cost", [[1.0], [[1.0], [2.0]], 1.0, [1.0, 2.0, 3.0]])
def test_prices_of_another_shape_are_refused(cost):
    shape = np.shape(cost)
    with pytest.raises(ValueError, match=r"the 2 rows, got an array of shape \(") as e:
        check_costs(cost, 2)
    assert str(shape) in str(e.value)


@pytest.mark.parametrize(
    ("cost", "error"), [(["a", "b"], ValueError), ([{}, {}], TypeError)]
)
def test_prices_that_are_no_numbers_are_an_error_of_their_kind(cost, error):
    with pytest.raises(error, match=r"^cost must hold numbers: \S") as caught:
        check_costs(cost, 2)
    assert type(caught.value.__cause__) is error


@pytest.mark.parametrize("name", ["sample_weight", "step__sample_weight", "groups"])
def test_a_parameter_for_each_row_must_have_their_number(name):
    check_lengths({name: [1, 2, 3], "other": [1, 2]}, 3)
    with pytest.raises(ValueError, match=rf"^{name} must .* of the 3 rows, got 2\."):
        check_lengths({"other": [1], name: [1, 2]}, 3)


def test_other_parameters_and_missing_ones_may_have_any_length():
    check_lengths({"classes": [1, 2], "n": 5, "sample_weight": None}, 3)
    with pytest.raises(ValueError, match=r"^groups must hold"):
        check_lengths({"classes": [1], "sample_weight": None, "groups": [1]}, 3)


def test_parameters_are_those_that_fit_of_the_estimator_gets():
    weights = [1.0, 2.0, 3.0]
    with config_context(enable_metadata_routing=True):
        model = LogisticRegression().set_fit_request(sample_weight=True)
        clf = ActiveLearningClassifier(model)
        params = check_fit_params(clf, {"sample_weight": weights}, 3)
        assert params == {"sample_weight": weights}
        assert check_fit_params(clf, {}, 3) == {}
    with pytest.raises(ValueError, match=r"^sample_weight must hold"):
        check_fit_params(clf, {"sample_weight": weights}, 4)
