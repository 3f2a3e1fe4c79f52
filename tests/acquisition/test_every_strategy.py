"""Every registered strategy on every kind of data that it must run on."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import make_classification
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearningClassifier
from skactive.acquisition import get_strategy, get_strategy_names
from skactive.acquisition._registry import uses_committee
from skactive.oracles import SimulatedOracle
from skactive.testing import check_strategy

# A logistic regression has what the others need.
ESTIMATORS = {"label_dispersion": SGDClassifier(loss="log_loss", random_state=0)}
N_SAMPLES, N_LABELED = 140, 35
# Fits take their time, so there are few of them, and few candidates are looked at.
PARAMS = {
    "batch_bald": {"max_configurations": 2000},
    "bemps": {"n_targets": 40},
    "epig": {"n_targets": 40},
    "label_dispersion": {"n_epochs": 4},
    "loss_prediction": {"cv": 2},
    "expected_error_reduction": {"max_candidates": 3, "max_targets": 20},
    "mal": {"max_epochs": 1, "n_latent": 4},
    "vaal": {"max_epochs": 2, "n_latent": 4},
}

every_strategy = pytest.mark.parametrize("name", get_strategy_names())


def estimator_for(name):
    return ESTIMATORS.get(name, LogisticRegression(max_iter=1000))


def rows(n_classes):
    """Rows in any order; those with a label are scattered among the others."""
    X, y = make_classification(
        N_SAMPLES,
        n_features=12,
        n_informative=8,
        n_classes=n_classes,
        n_clusters_per_class=1,
        random_state=n_classes,
    )
    # Every class is labelled twice, the rest at random.
    rng = np.random.default_rng(n_classes)
    twice = [row for c in range(n_classes) for row in np.flatnonzero(y == c)[-2:]]
    others = np.setdiff1d(np.arange(N_SAMPLES), twice)
    labeled = np.append(twice, rng.choice(others, N_LABELED - len(twice), False))
    hidden = np.full(N_SAMPLES, -1)
    hidden[labeled] = y[labeled]
    return X, y, hidden


def as_texts(X):
    """Write down which features are large, so that a vectorizer can read it."""
    words = np.array([f"word{j}" for j in range(X.shape[1])])
    return [" ".join(["start", *words[row > 0.5], *words[row > 1.5]]) for row in X]


def run(name, X, truth, hidden, *, batch_size=10, n_rounds=2, estimator=None):
    clf = ActiveLearningClassifier(
        estimator_for(name) if estimator is None else estimator,
        oracle=SimulatedOracle(truth),
        strategy=get_strategy(name).set_params(**PARAMS.get(name, {})),
        committee=3,
        batch_size=batch_size,
        budget=min(batch_size * n_rounds, int((hidden == -1).sum())),
        random_state=0,
    )
    clf.fit(X, hidden, sample_ids=np.arange(len(truth)))
    asked = clf.query_indices_
    assert len(asked) == clf.budget
    assert len(np.unique(asked)) == len(asked)
    assert (hidden[asked] == -1).all()
    np.testing.assert_array_equal(clf.transduction_[asked], truth[asked])
    return asked


@every_strategy
def test_the_contract_is_kept(name):
    strategy = get_strategy(name).set_params(**PARAMS.get(name, {}))
    estimator = estimator_for(name)
    if uses_committee(strategy) and name != "bald":
        # A committee of few, as one is fitted for each of many pools.
        estimator = RandomForestClassifier(3, max_depth=2, random_state=0)
    check_strategy(strategy, estimator)


@pytest.mark.slow
@every_strategy
@pytest.mark.parametrize(
    ("kind", "n_classes"),
    [
        ("float64", 2),
        ("sparse", 10),
        ("texts", 2),
        *(
            pytest.param(*rest, marks=pytest.mark.slow)
            for rest in [
                ("float64", 10),
                ("float32", 2),
                ("float32", 10),
                ("sparse", 2),
                ("texts", 10),
            ]
        ),
    ],
)
def test_it_runs_on(name, kind, n_classes):
    X, truth, hidden = rows(n_classes)
    estimator = estimator_for(name)
    if kind == "sparse":
        X = csr_matrix(np.where(np.abs(X) < 1, 0, X))
    elif kind == "texts":
        X = as_texts(X)
        estimator = make_pipeline(TfidfVectorizer(), estimator)
    else:
        X = X.astype(kind)
    run(name, X, truth, hidden, estimator=estimator, n_rounds=1)


# The contract has a batch of one, of seven, and of all candidates.
@pytest.mark.slow
@every_strategy
@pytest.mark.parametrize("batch_size", [1, 100, 500])
def test_it_selects_batches_of(name, batch_size):
    X, truth, hidden = rows(2)
    asked = run(name, X, truth, hidden, batch_size=batch_size)
    if batch_size > 1:
        assert len(asked) == (hidden == -1).sum()


@pytest.mark.slow
@every_strategy
def test_the_same_seed_asks_the_same_rows(name):
    X, truth, hidden = rows(3)
    first, second = (run(name, X, truth, hidden, n_rounds=1) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_boosting_stages_train_as_well_as_epochs():
    X, truth, hidden = rows(3)
    model = AdaBoostClassifier(n_estimators=10, random_state=0)
    run("label_dispersion", X, truth, hidden, estimator=model)


@every_strategy
def test_it_is_named_once_and_documents_itself(name):
    strategy = get_strategy(name)
    assert ">>>" in type(strategy).__doc__
    assert "References" in type(strategy).__doc__ or name == "random"
