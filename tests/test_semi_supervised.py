"""Estimators that learn from rows without a label, under strategies of every kind."""

import numpy as np
import pytest
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import (
    LabelPropagation,
    LabelSpreading,
    SelfTrainingClassifier,
)

from skactive import ActiveLearningClassifier, LabelingLoop, PseudoLabels

X, TRUTH = make_blobs(60, centers=3, random_state=0)
FIRST = np.unique(TRUTH, return_index=True)[1]
Y = np.where(np.isin(np.arange(60), FIRST), TRUTH, -1)

WAYS = [
    ("pass", SelfTrainingClassifier(LogisticRegression())),
    ("pass", LabelSpreading()),
    ("pass", LabelPropagation()),
    (PseudoLabels(0.3), LogisticRegression()),
]
STRATEGIES = [
    "bald",
    "cluster_margin",
    "cluster_uncertain",
    "entropy",
    "k_means",
    "least_confident",
    "margin",
    "mean_std",
    "random",
    "vote_entropy",
]


def run(unlabeled, estimator, **params):
    clf = ActiveLearningClassifier(
        estimator, unlabeled=unlabeled, batch_size=4, random_state=0, **params
    )
    return clf.fit(
        X, Y, oracle=lambda X, sample_ids: TRUTH[sample_ids], sample_ids=np.arange(60)
    )


@pytest.mark.parametrize(
    ("unlabeled", "estimator"),
    [
        WAYS[0],
        *(pytest.param(*way, marks=pytest.mark.slow) for way in WAYS[1:3]),
        WAYS[3],
    ],
)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_kind_of_strategy_works(unlabeled, estimator, strategy):
    clf = run(unlabeled, estimator, strategy=strategy, budget=8, committee=3)
    asked = clf.query_indices_
    assert len(set(asked.tolist())) == 8
    assert not np.isin(asked, FIRST).any()
    assert (clf.transduction_ != -1).sum() == 11
    assert clf.score(X, TRUTH) > 0.75


@pytest.mark.parametrize(("unlabeled", "estimator"), WAYS)
def test_the_strategy_chooses_by_the_model_that_saw_all_rows(unlabeled, estimator):
    seen = []

    def look(pool):
        seen.append(np.array(pool.proba))

    run(unlabeled, estimator, budget=4, stopping=look)
    model = estimator
    if unlabeled == "pass":
        model = model.fit(X, Y)
        np.testing.assert_array_equal(seen[0], model.predict_proba(X[Y == -1]))
    else:
        alone = model.fit(X[Y != -1], Y[Y != -1]).predict_proba(X[Y == -1])
        assert np.abs(seen[0] - alone).max() > 0.01


@pytest.mark.parametrize(("unlabeled", "estimator"), WAYS)
def test_it_ends_as_the_estimator_fitted_on_all_labels(unlabeled, estimator):
    clf = run(unlabeled, estimator, budget=None)
    assert clf.termination_condition_ == "all_labeled"
    alone = estimator.fit(X, TRUTH)
    np.testing.assert_allclose(clf.predict_proba(X), alone.predict_proba(X))


@pytest.mark.parametrize(("unlabeled", "estimator"), WAYS)
def test_asked_one_by_one_from_outside_it_is_the_same_run(unlabeled, estimator):
    clf = ActiveLearningClassifier(
        estimator, unlabeled=unlabeled, batch_size=4, budget=12, random_state=0
    )
    loop = LabelingLoop(clf, X, Y)
    while (query := loop.ask()) is not None:
        for row in query.indices:
            loop.tell(TRUTH[[row]], indices=[row])
    expected = run(unlabeled, estimator, budget=12).query_indices_
    assert loop.finish().query_indices_.tolist() == expected.tolist()


def test_held_out_rows_are_unlabelled_until_the_final_fit():
    seen = []

    class Spy(LabelSpreading):
        def fit(self, X, y):
            seen.append(y.copy())
            return super().fit(X, y)

    clf = run("pass", Spy(), budget=10, holdout_fraction=0.5)
    held = clf.holdout_indices_
    assert len(held) == 5
    *rounds, final = seen
    assert {label for y in rounds for label in y[held].tolist()} == {-1}
    assert final[held].tolist() == TRUTH[held].tolist()
