"""Labels come in from any tool, and go out."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

from skactive.oracles import CachedOracle


@pytest.fixture
def make_oracle(tmp_path):
    """Return a function that makes an oracle with a file of its own, never asked."""

    def make_oracle(name="labels"):
        return CachedOracle(never, tmp_path / f"{name}.sqlite", annotator="anna")

    return make_oracle


def never(X):
    raise AssertionError("It was asked.")


def labels(oracle):
    return {r["sample_id"]: r["label"] for r in oracle.records()}


@pytest.mark.parametrize(
    "container",
    [
        dict,
        pd.DataFrame,
        pl.DataFrame,
        lambda d: pd.DataFrame(d).to_dict("records"),
        lambda d: {name: np.array(column) for name, column in d.items()},
    ],
)
def test_labels_come_from_any_table(make_oracle, container):
    oracle = make_oracle()
    table = container({"name": [1, 2, 3], "class": [0, 1, 1]})
    assert oracle.import_labels(table, sample_id="name", label="class") == 3
    assert oracle([[0]] * 3, sample_ids=[3, 2, 1]) == [1, 1, 0]


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_a_file_that_was_written_is_read_the_same(make_oracle, tmp_path, suffix):
    oracle = make_oracle()
    answers = {1: 0, -20: "ham", "a,\nb": "späm", "c": None}
    table = {"sample_id": list(answers), "label": list(answers.values())}
    oracle.import_labels(table, abstentions=True)
    oracle.export_labels(tmp_path / f"labels.{suffix}")
    other = make_oracle("other")
    other.import_labels(tmp_path / f"labels.{suffix}", abstentions=True)
    assert labels(other) == labels(oracle) == answers


def test_what_csv_would_change_is_refused(make_oracle, tmp_path):
    oracle = make_oracle()
    oracle.import_labels({"sample_id": ["007", "7"], "label": ["x", "y"]})
    with pytest.raises(ValueError, match=r"sample_id '7' of type str .*\.jsonl"):
        oracle.export_labels(tmp_path / "labels.csv")
    assert not (tmp_path / "labels.csv").exists()


def test_rows_without_a_label_are_left_out(make_oracle):
    oracle = make_oracle()
    table = pd.DataFrame({"sample_id": ["a", "b"], "label": [1, float("nan")]})
    assert oracle.import_labels(table) == 1
    assert labels(oracle) == {"a": 1}


def test_the_first_answer_stays_and_the_contradiction_is_listed(make_oracle):
    oracle = make_oracle()
    oracle.import_labels([{"sample_id": "a", "label": 1}])
    with pytest.warns(UserWarning, match="1 rows have another label"):
        assert oracle.import_labels([{"sample_id": "a", "label": 0}]) == 0
    assert labels(oracle) == {"a": 1}
    assert [event["kind"] for event in oracle.events()] == ["contradiction"]


@pytest.mark.parametrize(
    ("table", "why"),
    [
        ({"id": ["a"], "label": [1]}, "no column 'sample_id'"),
        ({"sample_id": ["a", "a"], "label": [1, 0]}, "several labels"),
        ({"sample_id": ["a"], "label": [0.5]}, "is not a class"),
        ({"sample_id": [0.5], "label": [1]}, "must be ints or strs"),
    ],
)
def test_a_table_that_says_no_labels_is_refused(make_oracle, table, why):
    oracle = make_oracle()
    with pytest.raises(ValueError, match=why):
        oracle.import_labels(table)
    assert labels(oracle) == {}
