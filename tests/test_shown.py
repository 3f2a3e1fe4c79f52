"""Tables have a size in reprs and messages, and everything else stays short."""

import warnings

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skactive import (
    ActiveLearningClassifier,
    CommitteeClassifier,
    LabelingLoop,
    PseudoLabels,
)
from skactive.acquisition import BaseStrategy, EPIGSampling, MarginSampling
from skactive.oracles import CachedOracle, MajorityOracle, SimulatedOracle
from skactive.stopping import ValidationPlateau
from skactive.utils._shown import shown, shown_values

X = np.random.default_rng(0).random((900, 2))
TRUTH = (X[:, 0] > 0.5).astype(int)
Y = np.where(np.arange(900) < 20, TRUTH, -1)
IDS = np.arange(900)
LABELS = pd.Series(TRUTH)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (LABELS, "<Series of 900>"),
        (pd.DataFrame(X), "<DataFrame of 900 x 2>"),
        (pl.DataFrame(X), "<DataFrame of 900 x 2>"),
        (X, "<ndarray of 900 x 2>"),
        (csr_array(X), "<csr_array of 900 x 2>"),
        (list(range(900)), "<list of 900>"),
        ([1, 2], "[1, 2]"),
        (np.float64(0.5).item(), "0.5"),
        ([LABELS, 1], "[<Series of 900>, 1]"),
        ("x" * 300, "'" + "x" * 199 + "..."),
    ],
)
def test_values_are_shown_in_short(value, text):
    assert shown(value) == text


def test_five_offending_values_stay():
    assert shown_values(np.arange(5)) == "[0, 1, 2, 3, 4]"
    assert shown_values(range(9)) == "[0, 1, 2, 3, 4, and 4 more]"


@pytest.mark.parametrize(
    ("estimator", "text"),
    [
        (SimulatedOracle(LABELS), "SimulatedOracle(y_true=<Series of 900>)"),
        (EPIGSampling(targets=X), "EPIGSampling(targets=<ndarray of 900 x 2>)"),
        (
            ValidationPlateau(X_val=X, y_val=TRUTH),
            "ValidationPlateau(X_val=<ndarray of 900 x 2>, y_val=<ndarray of 900>)",
        ),
        (
            CachedOracle(SimulatedOracle(LABELS), "a"),
            "CachedOracle(oracle=SimulatedOracle(y_true=<Series of 900>), path='a')",
        ),
        (
            MajorityOracle([SimulatedOracle(LABELS)]),
            "MajorityOracle(oracles=[SimulatedOracle(y_true=<Series of 900>)])",
        ),
        (
            ActiveLearningClassifier(SVC(), oracle=SimulatedOracle(LABELS)),
            "ActiveLearningClassifier(estimator=SVC(), "
            "oracle=SimulatedOracle(y_true=<Series of 900>))",
        ),
    ],
)
def test_reprs_hold_no_tables(estimator, text):
    assert " ".join(repr(estimator).split()) == text


def test_a_query_is_told_in_one_line():
    loop = LabelingLoop(ActiveLearningClassifier(SVC(), batch_size=50), X, Y)
    text = repr(loop.ask())
    assert text.startswith("Query(X=<ndarray of 50 x 2>, indices=[")
    assert text.endswith("and 45 more], sample_ids=None, round=1, classes=[0, 1])")


class Repeats(MarginSampling):
    def select(self, pool, n_queries):
        return np.repeat(pool.candidates[:1], n_queries)


class Stray(MarginSampling):
    def select(self, pool, n_queries):
        return np.arange(n_queries)


class Draws(BaseStrategy):
    def select(self, pool, n_queries):
        return pool.candidates[:n_queries], np.full(n_queries, 7.0)


def fit(y=Y, ids=IDS, estimator=None, **params):
    estimator = LogisticRegression() if estimator is None else estimator
    params = {"oracle": SimulatedOracle(LABELS), "random_state": 0} | params
    return ActiveLearningClassifier(estimator, **params).fit(X, y, sample_ids=ids)


def told(**rows):
    loop = LabelingLoop(ActiveLearningClassifier(SVC()), X, Y, sample_ids=IDS)
    loop.ask()
    loop.tell([1] * 800, **rows)


class Endless:
    def __repr__(self):
        return "endless\n" * 1000


LONG = make_pipeline(
    TfidfVectorizer(vocabulary=[f"word{i}" for i in range(500)]),
    SVC(),
)


@pytest.mark.parametrize(
    "use",
    [
        lambda: fit(classes=np.arange(900)[::-1] % 400),
        lambda: fit(np.arange(900), classes=np.arange(300)),
        lambda: fit(ids=None),
        lambda: fit(ids=[[i] for i in range(900)]),
        lambda: fit(ids=[Endless()] * 900),
        lambda: fit(budget=pd.DataFrame(X)),
        lambda: fit(strategy=pd.DataFrame(X)),
        lambda: fit(missing_label=pd.DataFrame(X)),
        lambda: fit(oracle=pd.Series(TRUTH)),
        lambda: fit(oracle=lambda X: Endless()),
        lambda: fit(oracle=lambda X: [list(range(5000))] * len(X)),
        lambda: fit(oracle=lambda X: ["a long sentence " * 300] * len(X)),
        lambda: fit(strategy=Repeats(), batch_size=300),
        lambda: fit(strategy=Stray(), batch_size=300),
        lambda: fit(strategy=Draws(), batch_size=300),
        lambda: fit(estimator=LONG, unlabeled=PseudoLabels()),
        lambda: told(sample_ids=np.arange(1000, 1800)),
        lambda: told(indices=np.arange(1000, 1800)),
        lambda: SimulatedOracle(LABELS)(X, np.arange(5000, 5900)),
        lambda: SimulatedOracle(LABELS, noise=LABELS)(X, IDS),
        lambda: CachedOracle(lambda X: X, "a.sqlite", task=LABELS)(X, IDS),
        lambda: CommitteeClassifier(SVC(), n_members=X).fit(X, TRUTH),
    ],
)
def test_errors_have_three_lines_at_most(use, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((ValueError, TypeError)) as caught:
        use()
    message = str(caught.value)
    assert len(message.splitlines()) <= 3
    assert len(message) < 2000


@pytest.mark.parametrize("estimator", [LogisticRegression(), DecisionTreeClassifier()])
def test_the_committee_of_a_run_on_a_data_frame_knows_its_columns(estimator):
    frame = pd.DataFrame(X, columns=["a", "b"])
    clf = ActiveLearningClassifier(
        estimator, oracle=SimulatedOracle(LABELS), strategy="bald", budget=10
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf.fit(frame, Y, sample_ids=IDS)
        clf.committee_.predict(frame)
    assert clf.committee_.feature_names_in_.tolist() == ["a", "b"]


def test_a_loop_refuses_a_table_for_its_classifier_by_its_size():
    with pytest.raises(TypeError, match=r"'clf' parameter .*got <ndarray of 900 x 2>"):
        LabelingLoop(X, Y, SVC())


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ({"a": X}, r"array=\{'a': <ndarray of 900 x 2>\}\."),
        (set(range(900)), r"array=<set of 900>\."),
        (X[:, 0], r"array=<ndarray of 900>\."),
        (X.astype(complex), r"^Complex data not supported\.$"),
    ],
)
def test_rows_that_are_no_table_are_not_printed(rows, text):
    with pytest.raises(ValueError, match=text) as raised:
        ActiveLearningClassifier(SVC()).fit(rows, Y)
    assert len(str(raised.value)) < 300


def test_a_long_dict_is_told_by_its_size():
    weights = dict.fromkeys(range(900), 1.0)
    assert "class_weight=<dict of 900>" in shown(
        LogisticRegression(class_weight=weights)
    )
    assert shown({"C": X}) == "{'C': <ndarray of 900 x 2>}"
