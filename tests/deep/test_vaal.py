"""VAAL: its loss terms, and which rows it asks."""

import math

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from torch import nn

from skactive.deep import VAALSampling
from skactive.deep._vaal import (
    adversarial_loss,
    kl_from_standard_normal,
    reconstruction_error,
)
from skactive.testing import make_pool


class Identity(nn.Module):
    """An autoencoder whose codes are its rows, moved, and without any noise."""

    def __init__(self, shift=0.0):
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(shift))

    def encode(self, rows):
        return rows + self.shift, torch.full_like(rows, -80.0)

    def decode(self, codes):
        return codes


def shifted_pool(shift, n_features=20, n_rows=300):
    """Labelled rows and some candidates are alike; the other candidates are moved."""
    rng = np.random.default_rng(0)
    moved = np.arange(n_rows) % 2 == 1
    X = rng.normal(size=(n_rows, n_features)) + shift * moved[:, None]
    labeled = ~moved & (np.arange(n_rows) < n_rows // 2)
    y = np.where(labeled, np.arange(n_rows) // 2 % 2, -1)
    candidates = np.flatnonzero(~labeled)
    pool = make_pool(
        X, y, labeled, candidates, estimator=LogisticRegression(), random_state=0
    )
    return pool, moved[candidates]


def logits(*probabilities):
    return torch.tensor(probabilities, dtype=torch.float64).logit()


def test_the_adversarial_loss_has_the_value_worked_out_by_hand():
    loss = adversarial_loss(logits(0.8, 0.6), logits(0.3, 0.5))
    assert loss.item() == pytest.approx(1.3155445800)


def test_the_divergence_has_the_value_worked_out_by_hand():
    mean, log_variance = torch.tensor([[1.0, -0.5]]), torch.tensor([[0.0, -1.0]])
    loss = kl_from_standard_normal(mean.double(), log_variance.double())
    assert loss.item() == pytest.approx(0.8089397206)


def test_the_divergence_is_averaged_over_rows():
    mean = torch.tensor([[2.0, 0.0], [0.0, 0.0]])
    assert kl_from_standard_normal(mean, torch.zeros(2, 2)).item() == 1.0


def test_the_reconstruction_error_is_summed_over_numbers_and_averaged_over_rows():
    rows = torch.tensor([[[1.0, 2.0]], [[0.0, 4.0]]])
    decoded = torch.tensor([[[1.0, 0.0]], [[3.0, 1.0]]])
    assert reconstruction_error(rows, decoded).item() == (4 / 2 + 18 / 2) / 2


def test_the_loss_of_the_autoencoder_weighs_its_terms():
    def half(codes):  # a discriminator that knows nothing
        return torch.zeros(len(codes))

    strategy = VAALSampling(
        n_latent=1, beta=2.0, vae_weight=3.0, adversarial_weight=5.0
    )
    labeled, unlabeled = torch.tensor([[1.0]]), torch.tensor([[2.0], [4.0]])
    loss = strategy._vae_loss(Identity(2.0), half, labeled, unlabeled)
    # Means 3 and 4, 6 with variance e^-80; each row is decoded 2 too high.
    divergence = [(9 + 79) / 2, ((16 + 36) / 2 + 79) / 2]
    expected = 3 * (2 * 2 + 2 * sum(divergence)) + 5 * 2 * math.log(2)
    assert loss.item() == pytest.approx(expected, rel=1e-6)


def test_the_autoencoder_moves_codes_of_both_pools_towards_labelled():
    autoencoder = Identity()
    strategy = VAALSampling(n_latent=1, vae_weight=0.0)
    rows = torch.tensor([[0.5]]), torch.tensor([[-0.5]])
    strategy._vae_loss(autoencoder, lambda codes: codes[:, 0], *rows).backward()
    # -log D(z) has the slope D(z) - 1 where the logit is z.
    expected = torch.sigmoid(torch.tensor([0.5, -0.5])).sum() - 2
    assert autoencoder.shift.grad.item() == pytest.approx(expected.item())


def test_rows_that_are_shifted_look_unlabelled():
    pool, moved = shifted_pool(3.0)
    strategy = VAALSampling(max_epochs=30, batch_size=64, max_unlabeled=100)
    assert roc_auc_score(moved, strategy.utility(pool)) > 0.95


def test_the_utility_is_minus_log_d_of_the_mean(monkeypatch):
    fixed = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Flatten(0))
    nn.init.constant_(fixed[0].weight, 100.0)
    monkeypatch.setattr("skactive.deep._vaal.make_discriminator", lambda _: fixed)
    X = np.array([[-1.0], [1.0], [-1.0], [1.0]])
    pool = make_pool(
        X,
        np.array([0, 1, -1, -1]),
        np.array([True, True, False, False]),
        np.array([2, 3]),
        estimator=LogisticRegression(),
    )
    strategy = VAALSampling(
        lambda shape, n_latent: Identity(), n_latent=1, lr=1e-12, max_epochs=1
    )
    # Logits of D are 100 times the row; D itself would be rounded to 0 and 1.
    np.testing.assert_allclose(strategy.utility(pool), [100, np.exp(-100)], rtol=1e-4)


def test_rows_asked_without_an_answer_count_as_labelled():
    pool, _ = shifted_pool(0.0, n_features=3, n_rows=40)
    asked = np.isin(np.arange(40), pool.candidates[:5])
    seen = []

    def make(shape, n_latent):
        seen.append(shape)
        return Identity()

    nothing = np.zeros(40, dtype=bool)
    rest = make_pool(
        pool.X, pool.y, nothing, np.flatnonzero(~asked), estimator=None, asked=asked
    )
    VAALSampling(make, n_latent=3, max_epochs=1).utility(rest)
    assert seen == [(3,)]  # it has trained, instead of asking at random


def test_codes_of_another_length_are_an_error():
    pool, _ = shifted_pool(0.0)
    strategy = VAALSampling(lambda shape, n_latent: Identity(), n_latent=3)
    with pytest.raises(ValueError, match=r"\(n_rows, n_latent\) = \(203, 3\), got"):
        strategy.utility(pool)
