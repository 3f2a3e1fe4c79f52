"""Deep classifiers in runs: their own members, embeddings, losses, images."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearningClassifier, LabelingLoop, testing
from skactive.acquisition import LabelDispersionSampling
from skactive.acquisition.functional import bald
from skactive.datasets import hide_labels
from skactive.deep import (
    DeepEnsembleClassifier,
    LossPredictionClassifier,
    MCDropoutClassifier,
    SplitHeadClassifier,
)
from skactive.oracles import SimulatedOracle


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X[:200] / 16).astype(np.float32), y[:200]


def run(clf, X, y, **params):
    active = ActiveLearningClassifier(
        clf, oracle=SimulatedOracle(y), random_state=0, **params
    )
    some = hide_labels(y, 30, random_state=0)
    return active.fit(X, some, sample_ids=np.arange(len(y)))


def make_pool(clf, X, y):
    labeled = np.arange(len(y)) < 60
    return testing.make_pool(
        X, np.where(labeled, y, -1), labeled, np.flatnonzero(~labeled), estimator=clf
    )


def test_the_committee_is_the_classifier_itself(digits):
    clf = MCDropoutClassifier(n_members=7, max_epochs=2, random_state=0)
    pool = make_pool(clf, *digits)
    assert pool.committee is pool.estimator
    assert pool.member_proba.shape == (7, 140, 10)
    active = run(clf, *digits, strategy="bald", budget=20)
    assert isinstance(active.committee_, MCDropoutClassifier)


def test_the_rows_of_largest_bald_are_asked(digits):
    clf = MCDropoutClassifier(n_members=7, max_epochs=5, random_state=0)
    X, y = digits
    some = hide_labels(y, 30, random_state=0)
    active = ActiveLearningClassifier(clf, strategy="bald", batch_size=5)
    query = LabelingLoop(active, X, some).ask()
    known = some != -1
    clf.fit(X[known], y[known])
    scores = bald(clf.predict_member_proba(X[~known]))
    best = np.flatnonzero(~known)[np.argsort(-scores)[:5]]
    assert set(query.indices) == set(best)


@pytest.mark.parametrize("strategy", ["badge", "contrastive", "k_center", "typiclust"])
def test_rows_are_embedded_by_the_network(digits, strategy):
    clf = DeepEnsembleClassifier(n_members=2, max_epochs=2, random_state=0)
    pool = make_pool(clf, *digits)
    rows = np.array([3, 150])
    np.testing.assert_allclose(
        pool.embedding(rows), pool.estimator.embed(digits[0][rows]), atol=1e-6
    )
    assert run(clf, *digits, strategy=strategy, budget=10).n_queries_ == 10


def test_predicted_losses_are_what_loss_prediction_asks_by(digits):
    clf = LossPredictionClassifier(max_epochs=3, random_state=0)
    pool = make_pool(clf, *digits)
    expected = pool.estimator.predict_loss(digits[0][pool.candidates])
    np.testing.assert_allclose(pool.loss, expected, atol=1e-6)
    assert run(clf, *digits, strategy="loss_prediction", budget=10).n_queries_ == 10


def test_label_dispersion_follows_the_epochs(digits):
    clf = SplitHeadClassifier(n_members=2, random_state=0)
    strategy = LabelDispersionSampling(n_epochs=5)
    assert run(clf, *digits, strategy=strategy, budget=10).n_queries_ == 10


@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8)])
def test_images_are_rows_from_the_cold_start_on(digits, shape):
    X, y = digits
    images, seen = X.reshape(-1, *shape), []

    def ask(X, sample_ids):
        seen.append(X.shape[1:])
        return y[sample_ids]

    active = ActiveLearningClassifier(
        MCDropoutClassifier(max_epochs=2, random_state=0), oracle=ask, strategy="bald",
        budget=25, random_state=0,
    ).fit(images, np.full(200, -1), sample_ids=np.arange(200))  # fmt: skip
    assert seen == [shape] * 3
    assert active.predict(images).shape == (200,)


def test_flattened_images_go_through_a_pipeline(digits):
    X, y = digits
    clf = MCDropoutClassifier(image_shape=(8, 8), max_epochs=2, random_state=0)
    active = run(make_pipeline(StandardScaler(), clf), X, y, strategy="bald", budget=10)
    assert active.estimator_[-1].input_shape_ == (1, 8, 8)


def weights(active):
    parameters = active.estimator_.nets_[0].module_.parameters()
    return torch.cat([p.detach().flatten() for p in parameters])


def test_a_warm_start_goes_on_from_round_to_round(digits):
    clf = MCDropoutClassifier(max_epochs=8, shrink=1.0, noise=0.0, random_state=0)
    fresh = run(clf, *digits, budget=30)
    clf.set_params(warm_start=True)
    warm = run(clf, *digits, budget=30)
    assert weights(warm).norm() > weights(fresh).norm()
    assert warm.score(*digits) > fresh.score(*digits)
    assert torch.equal(weights(warm), weights(run(clf, *digits, budget=30)))


def test_a_look_at_the_model_does_not_change_a_warm_run(digits):
    X, y = digits
    clf = MCDropoutClassifier(max_epochs=2, warm_start=True, random_state=0)
    asked = []
    for looks in (True, False):
        loop = LabelingLoop(
            ActiveLearningClassifier(clf, strategy="random", budget=20, random_state=0),
            X,
            hide_labels(y, 30, random_state=0),
        )
        while (query := loop.ask()) is not None:
            if looks:
                query.proba  # noqa: B018
            loop.tell(y[query.indices])
        asked.append(weights(loop.finish()))
    assert torch.equal(*asked)
