"""How often a grid search asks for labels, with and without a label store.

Two strategies, three folds and a refit on the digits, 60 labels at first, 40 queries in
each fit, two processes. It takes some seconds.

    python benchmarks/search_questions.py
    python benchmarks/search_questions.py --report
"""

import tempfile
import warnings
from pathlib import Path

import numpy as np
from harness.results import FOLDER, Results
from harness.study import main
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearningClassifier
from skactive.datasets import hide_labels
from skactive.model_selection import LabeledFold
from skactive.oracles import CachedOracle

FIELDS = ("store", "n_questions", "n_rows")
RESULTS = Results(FOLDER / "search_questions.csv", FIELDS, key=("store",))


class LoggingOracle:
    """Answers from a table, and writes down in a file which rows it was asked about."""

    def __init__(self, labels, path):
        self.labels = labels
        self.path = path

    def __call__(self, X, sample_ids):
        with open(self.path, "a", encoding="utf-8") as file:
            file.write("".join(f"{sample_id}\n" for sample_id in sample_ids))
        return self.labels[sample_ids]


def search(oracle, X, y):
    clf = ActiveLearningClassifier(
        make_pipeline(StandardScaler(), LogisticRegression()),
        oracle=oracle,
        budget=40,
        random_state=0,
    )
    grid = {"strategy": ["margin", "entropy"]}
    search = GridSearchCV(clf, grid, cv=LabeledFold(3), n_jobs=2, error_score="raise")
    with warnings.catch_warnings():
        # Some classes have fewer labels than there are folds.
        warnings.simplefilter("ignore", UserWarning)
        search.fit(X, y, sample_ids=np.arange(len(y)))


def cells(args):
    return [("without",), ("with",)]


def measure(store):
    """Yield the number of questions, and of different rows."""
    X, truth = load_digits(return_X_y=True)
    y = hide_labels(truth, 60, stratify=True, random_state=0)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "asked.txt"
        oracle = LoggingOracle(truth, log)
        if store == "with":
            oracle = CachedOracle(oracle, Path(folder) / "labels.sqlite")
        search(oracle, X, y)
        if store == "with":
            oracle.close()
        asked = log.read_text(encoding="utf-8").split()
    yield {"store": store, "n_questions": len(asked), "n_rows": len(set(asked))}


def report(rows, args):
    for r in rows:
        print(
            f"{r['store']} a store: {r['n_questions']} questions for {r['n_rows']} rows"
        )


if __name__ == "__main__":
    main(__doc__, RESULTS, cells=cells, measure=measure, report=report)
