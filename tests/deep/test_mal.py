"""MAL: who climbs and who descends, and which rows it asks."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch import nn
from torch.nn.functional import normalize

from skactive import testing
from skactive.acquisition._base import select_queries
from skactive.deep import MALSampling, _mal
from skactive.deep._mal import (
    CosineClassifier,
    class_entropy,
    labeled_loss,
    minimax_entropy_loss,
    minimax_utility,
)


@pytest.fixture
def game():
    """An encoder, a classifier and rows, in float64 for finite differences."""
    with torch.random.fork_rng([]):
        torch.manual_seed(0)
        encoder = nn.Linear(3, 4).double()
        classifier = CosineClassifier(4, 3, 0.5).double()
        rows = torch.randn(6, 3, dtype=torch.float64)
    return encoder, classifier, rows


def mean_entropy(encoder, classifier, rows):
    with torch.no_grad():
        return class_entropy(classifier(normalize(encoder(rows)))).mean().item()


def difference(parameter, entropy, step=1e-6):
    """Central differences of the entropy in each number of a parameter."""
    slopes = torch.empty_like(parameter)
    numbers, slopes_ = parameter.data.view(-1), slopes.view(-1)
    for i in range(len(numbers)):
        numbers[i] += step
        above = entropy()
        numbers[i] -= 2 * step
        slopes_[i] = (above - entropy()) / (2 * step)
        numbers[i] += step
    return slopes


@pytest.mark.parametrize(("who", "sign"), [("encoder", 1.0), ("classifier", -1.0)])
def test_gradients_are_those_of_finite_differences_with_their_sign(game, who, sign):
    encoder, classifier, rows = game
    minimax_entropy_loss(classifier, normalize(encoder(rows))).backward()
    part = encoder if who == "encoder" else classifier
    slopes = difference(part.weight, lambda: mean_entropy(*game))
    # To descend its gradient lowers the entropy for the encoder, raises it for C.
    assert slopes.abs().max() > 1e-3
    torch.testing.assert_close(part.weight.grad, sign * slopes, atol=1e-7, rtol=1e-5)


@pytest.mark.parametrize(("who", "change"), [("encoder", -1), ("classifier", 1)])
def test_a_step_of_the_training_changes_the_entropy_as_the_paper_says(
    game, who, change
):
    encoder, classifier, rows = game
    part = encoder if who == "encoder" else classifier
    before = mean_entropy(*game)
    minimax_entropy_loss(classifier, normalize(encoder(rows))).backward()
    torch.optim.SGD(part.parameters(), lr=0.01).step()
    assert np.sign(mean_entropy(*game) - before) == change


def test_the_loss_is_minus_the_mean_entropy(game):
    encoder, classifier, rows = game
    loss = minimax_entropy_loss(classifier, normalize(encoder(rows)))
    assert loss.item() == pytest.approx(-mean_entropy(*game))


def test_the_entropy_has_the_values_worked_out_by_hand():
    logits = torch.tensor([[0.0, 0.0], [0.0, math.log(3.0)], [0.0, 500.0]])
    expected = [math.log(2), math.log(4) - 0.75 * math.log(3), 0.0]
    torch.testing.assert_close(class_entropy(logits), torch.tensor(expected))


def test_the_classifier_gives_cosines_over_the_temperature():
    classifier = CosineClassifier(2, 2, 0.05)
    classifier.weight.data = torch.tensor([[3.0, 4.0], [0.0, -7.0]])
    logits = classifier(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    torch.testing.assert_close(logits, torch.tensor([[12.0, 0.0], [16.0, -20.0]]))


def test_rows_without_an_answer_do_not_count_in_the_cross_entropy():
    logits = torch.tensor([[0.0, 0.0], [7.0, 1.0], [0.0, math.log(3.0)]])
    loss = labeled_loss(logits, torch.tensor([0, -1, 1]))
    assert loss.item() == pytest.approx((math.log(2) - math.log(0.75)) / 2)
    assert labeled_loss(logits, torch.tensor([-1, -1, -1])).item() == 0.0


def test_uncertain_rows_that_look_unlabelled_come_first_then_those_of_low_d():
    proba = np.array([0.1, 0.4, 0.5, 0.9, 0.6])
    entropy = np.array([0.2, 0.7, 0.9, 0.9, 0.0])
    utility = minimax_utility(np.log(proba / (1 - proba)), entropy)
    np.testing.assert_allclose(utility, [1.2, 1.7, 0.5, 0.1, 0.4])
    assert np.argsort(-utility).tolist() == [1, 0, 2, 4, 3]


def test_d_that_is_almost_one_still_ranks():
    utility = minimax_utility(np.array([50.0, 60.0, 300.0]), np.ones(3))
    assert (np.diff(utility) < 0).all()
    assert utility[-1] > 0


def make_pool(shift=0.0, n_rows=300, n_classes=2):
    """Labelled rows and some candidates are alike; the other candidates are moved."""
    rng = np.random.default_rng(0)
    moved = np.arange(n_rows) % 2 == 1
    X = rng.normal(size=(n_rows, 10))
    y = (X[:, 0] > 0).astype(int) if n_classes == 2 else np.full(n_rows, 7)
    X[:, 5:] += shift * moved[:, None]
    labeled = ~moved & (np.arange(n_rows) < n_rows // 2)
    pool = testing.make_pool(
        X,
        np.where(labeled, y, -1),
        labeled,
        np.flatnonzero(~labeled),
        estimator=LogisticRegression(),
        random_state=0,
    )
    return pool, moved[pool.candidates]


def test_the_discriminator_sees_which_candidates_are_shifted(monkeypatch):
    pool, moved = make_pool(3.0)
    # Asked by D alone, so that its work is seen.
    monkeypatch.setattr(_mal, "minimax_utility", lambda logits, entropy: -logits)
    strategy = MALSampling(max_epochs=40, batch_size=64, max_unlabeled=100)
    assert roc_auc_score(moved, strategy.utility(pool)) > 0.95


def test_entropy_is_low_where_the_labelled_rows_are_sure():
    pool, _ = make_pool()
    strategy = MALSampling(max_epochs=10, entropy_weight=0.0, n_latent=8)
    utility, X = strategy.utility(pool), pool.X[pool.candidates]
    unlabelled = utility > 1
    near = np.abs(X[unlabelled, 0])
    assert np.corrcoef(near, utility[unlabelled])[0, 1] < -0.2


def test_one_class_is_enough():
    pool, _ = make_pool(n_rows=40, n_classes=1)
    selection = select_queries(MALSampling(max_epochs=2), pool, 5)
    assert len(set(selection.rows)) == 5


def test_text_labels_are_classes():
    pool, _ = make_pool(n_rows=40)
    names = np.where(pool.labeled, np.where(pool.y == 0, "cat", "dog"), "")
    args = names.astype(object), pool.labeled, pool.candidates
    named = testing.make_pool(
        pool.X, *args, estimator=LogisticRegression(), random_state=0
    )
    strategy = MALSampling(max_epochs=2)
    np.testing.assert_array_equal(strategy.utility(named), strategy.utility(pool))


def test_rows_asked_without_an_answer_are_trained_on_by_the_discriminator_only():
    pool, _ = make_pool(n_rows=40)
    asked = np.isin(np.arange(40), pool.candidates[:5])
    rest = testing.make_pool(
        pool.X,
        pool.y,
        pool.labeled,
        np.flatnonzero(~(pool.labeled | asked)),
        estimator=LogisticRegression(),
        asked=asked,
    )
    columns, n_classes = _mal._columns_of_known(rest)
    assert (columns == -1).sum() == 5
    assert (len(columns), n_classes) == (15, 2)
    assert np.isfinite(MALSampling(max_epochs=2).utility(rest)).all()


def test_features_of_another_length_are_an_error():
    pool, _ = make_pool()
    strategy = MALSampling(lambda shape, n_latent: nn.Linear(10, 2), n_latent=3)
    with pytest.raises(ValueError, match=r"n_latent\) = \(203, 3\), got \(203, 2\)"):
        strategy.utility(pool)
