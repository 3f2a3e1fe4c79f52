"""Loss prediction: the loss of pairs, what is looked at, and whether it works."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from sklearn.datasets import make_classification
from torch import nn

from skactive.deep import LossPredictionClassifier, pair_loss
from skactive.deep._loss_prediction import LossPredictionLoss, LossPredictionNetwork


@pytest.mark.parametrize(
    ("true", "predicted", "expected"),
    [
        ((2.0, 1.0), (0.5, 0.2), 0.7),
        ((1.0, 2.0), (0.5, 0.2), 1.3),
        ((2.0, 1.0), (2.0, 0.5), 0.0),
        ((1.0, 1.0), (0.3, 0.0), 1.3),
    ],
)
def test_pair_loss_has_the_worked_values(true, predicted, expected):
    loss = pair_loss(torch.tensor(predicted), torch.tensor(true))
    assert loss.item() == pytest.approx(expected, abs=1e-6)


def test_first_rows_are_paired_with_last_ones_and_an_odd_one_is_left_out():
    # Pairs (1, 4) and (2, 3), by hand: 0.8 and 1.4; the fifth row has no partner.
    predicted = torch.tensor([0.5, 0.6, 0.2, 0.3, 99.0], requires_grad=True)
    true = torch.tensor([2.0, 1.0, 2.0, 1.0, 5.0], requires_grad=True)
    loss = pair_loss(predicted, true)
    loss.backward()
    assert loss.item() == pytest.approx(1.1)
    assert predicted.grad[4] == 0
    assert true.grad is None


def test_a_single_row_has_no_pair():
    assert pair_loss(torch.tensor([1.0]), torch.tensor([2.0])).item() == 0.0


def test_the_loss_is_the_sum_of_both():
    logits, predicted = torch.zeros(2, 2), torch.tensor([0.5, 0.2])
    loss = LossPredictionLoss(pair_weight=2.0, margin=0.4)
    # Equal true losses: the second counts as larger, 0.4 + 0.3.
    expected = np.log(2) + 2.0 * 0.7
    value = loss((logits, predicted), torch.tensor([0, 1])).item()
    assert value == pytest.approx(expected, abs=1e-6)


def two_levels():
    return nn.Sequential(nn.Conv2d(1, 3, 1), nn.ReLU(), nn.Flatten(), nn.Linear(12, 2))


def test_features_are_averaged_over_the_image():
    network, X = two_levels(), torch.randn(5, 1, 2, 2)
    module = LossPredictionNetwork(network, ["1", "3"], None, 4, X)
    maps = network[:2](X)
    levels = [maps.mean((2, 3)), network(X)]
    features = torch.cat([f(x) for f, x in zip(module.levels, levels, strict=True)], 1)
    torch.testing.assert_close(module(X)[1], module.loss(features)[:, 0])
    torch.testing.assert_close(module(X)[0], network(X))


@pytest.mark.parametrize("fixed", [True, False])
def test_the_gradient_into_the_trunk_can_be_stopped(fixed):
    module = LossPredictionNetwork(two_levels(), ["1"], None, 4, torch.ones(2, 1, 2, 2))
    module.is_trunk_fixed = fixed
    module(torch.randn(4, 1, 2, 2))[1].sum().backward()
    assert (module.network[0].weight.grad is None) is fixed
    assert module.loss.weight.grad is not None


def test_the_trunk_is_fixed_after_a_share_of_the_epochs(iris):
    clf = LossPredictionClassifier(max_epochs=5, trunk_share=0.6)
    clf.random_state, states = 0, []
    for _ in range(5):
        clf.partial_fit(*iris, classes=[0, 1, 2])
        states.append(clf.nets_[0].module_.is_trunk_fixed)
    assert states == [False, False, False, True, True]


def test_predicted_and_true_losses_have_similar_ranks():
    X, y = make_classification(
        2500, 10, n_informative=6, flip_y=0.05, class_sep=0.8, random_state=0
    )
    clf = LossPredictionClassifier(max_epochs=15, random_state=0)
    clf.fit(X[:500], y[:500])
    proba = clf.predict_proba(X[500:])
    true = -np.log(proba[np.arange(2000), y[500:]])
    # Measured: 0.84 to 0.86 over four seeds; unrelated rows have 0 with deviation 0.02.
    assert spearmanr(clf.predict_loss(X[500:]), true).statistic > 0.7


def test_layers_of_a_module_are_named_or_the_embedding_is_taken(iris):
    def make():
        return nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))

    named = LossPredictionClassifier(make, layers=["0", "1"], max_epochs=1).fit(*iris)
    assert [part[0].in_features for part in named.nets_[0].module_.levels] == [8, 8]
    other = LossPredictionClassifier(make, max_epochs=1).fit(*iris)
    assert [part[0].in_features for part in other.nets_[0].module_.levels] == [8]
    with pytest.raises(ValueError, match=r"layers='9' names no part"):
        LossPredictionClassifier(make, layers=["9"]).fit(*iris)


def test_members_need_dropout_but_predictions_do_not(iris):
    clf = LossPredictionClassifier(lambda: nn.Linear(4, 3), max_epochs=1).fit(*iris)
    assert clf.predict(iris[0]).shape == (150,)
    with pytest.raises(ValueError, match="has no dropout"):
        clf.predict_member_proba(iris[0])


def test_members_are_masks_and_predictions_without_them(iris):
    clf = LossPredictionClassifier(max_epochs=2, n_members=4, random_state=0).fit(*iris)
    assert np.ptp(clf.predict_member_proba(iris[0]), axis=0).max() > 0.01
    plain = clf.nets_[0].module_.network.eval()(torch.tensor(iris[0])).softmax(1)
    np.testing.assert_allclose(
        clf.predict_proba(iris[0]), plain.detach().numpy(), atol=1e-6
    )
