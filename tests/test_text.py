"""Texts: a vectorizer inside, so that the oracle reads what was written."""

import csv
import gzip

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearningClassifier, LabelingLoop
from skactive.datasets import hide_labels

N_SAMPLES = 1500

# No text may lose its embedding, which is a warning and random rows.
pytestmark = pytest.mark.filterwarnings("error::UserWarning")


@pytest.fixture(scope="module")
def messages(test_data):
    """Return some text messages and whether they are ham or spam."""
    with gzip.open(
        test_data / "sms_spam.csv.gz", "rt", encoding="utf-8", newline=""
    ) as file:
        rows = list(csv.DictReader(file))[:N_SAMPLES]
    return [row["text"] for row in rows], np.array([row["label"] for row in rows])


class ReadingOracle:
    """Knows labels by row number, and compares the texts with those it knows."""

    def __init__(self, texts, labels):
        self.texts = texts
        self.labels = labels
        self.containers = set()

    def __call__(self, texts, sample_ids):
        assert list(texts) == [self.texts[row] for row in sample_ids]
        assert all(type(text) is str for text in texts)
        self.containers.add(type(texts))
        return self.labels[sample_ids].tolist()


def text_classifier(oracle, **params):
    model = make_pipeline(TfidfVectorizer(), LogisticRegression(C=100.0))
    return ActiveLearningClassifier(
        model, oracle=oracle, batch_size=10, budget=100, random_state=0, **params
    )


def spam_f1(clf, texts, labels):
    """Return the F1 score of spam on the messages that nobody was paid to read."""
    rest = np.flatnonzero(clf.labeled_iter_ < 0)
    predicted = clf.predict([texts[row] for row in rest])
    return f1_score(labels[rest], predicted, pos_label="spam")


@pytest.mark.parametrize(
    "container", [list, pd.Series, lambda texts: np.array(texts, dtype=object)]
)
def test_the_oracle_reads_raw_texts_in_the_container_of_the_caller(messages, container):
    texts, labels = messages
    oracle, X = ReadingOracle(texts, labels), container(texts)
    y = hide_labels(labels, 20, missing_label="", stratify=True, random_state=0)
    clf = text_classifier(oracle, missing_label="").fit(
        X, y, sample_ids=np.arange(len(texts))
    )
    assert oracle.containers == {type(X)}
    assert clf.n_queries_ == 100
    np.testing.assert_array_equal(
        clf.transduction_[clf.query_indices_], labels[clf.query_indices_]
    )


def test_texts_without_any_label_begin_with_clusters_of_tf_idf(messages):
    texts, _ = messages
    y = np.full(len(texts), None)
    on_texts = text_classifier(None, missing_label=None)
    on_features = clone(on_texts).set_params(estimator=LogisticRegression())
    first_asked = LabelingLoop(on_texts, texts, y).ask()
    features = TfidfVectorizer().fit_transform(texts)
    expected = LabelingLoop(on_features, features, y).ask()
    np.testing.assert_array_equal(first_asked.indices, expected.indices)
    assert first_asked.X == [texts[row] for row in expected.indices]


def test_texts_without_any_label_are_learnt(messages):
    texts, labels = messages
    clf = text_classifier(ReadingOracle(texts, labels), missing_label=None)
    clf.fit(texts, np.full(len(texts), None), sample_ids=np.arange(len(texts)))
    assert clf.history_[0]["strategy"] == "k_means"
    assert clf.history_[-2]["strategy"] == "margin"
    assert clf.classes_.tolist() == ["ham", "spam"]
    # Over random states it is 0.81 to 0.88, and 0.29 to 0.73 for random sampling.
    assert spam_f1(clf, texts, labels) > 0.75


@pytest.mark.parametrize(
    ("item", "remedy"), [(None, r"text or ''"), (7, r"str\(text\)"), ([1], r"str\(")]
)
@pytest.mark.parametrize("is_searched", [False, True])
def test_what_is_no_text_is_refused_before_payment(item, remedy, is_searched):
    texts = ["good thing"] * 8 + [item] + ["bad thing"] * 8
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    if is_searched:
        model = GridSearchCV(model, {"logisticregression__C": [1.0]}, cv=2)
    clf = ActiveLearningClassifier(model, oracle=pytest.fail, budget=8)
    with pytest.raises(ValueError, match=rf"in 1 of 17 .* row 8, .*{remedy}"):
        clf.fit(texts, [-1] * 17)
