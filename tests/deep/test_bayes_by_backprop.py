"""Bayes by backprop: divergences, and the posterior of a linear regression."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from skactive.deep import BayesByBackpropClassifier, gaussian_kl, kl_weight
from skactive.deep._variational import (
    BayesianNetwork,
    VariationalLoss,
    scale_mixture_log_density,
)


def test_divergence_of_gaussians_is_the_closed_form():
    kl = gaussian_kl(torch.tensor([1.0]).double(), torch.tensor([0.5]).double())
    assert kl.item() == pytest.approx(0.8181471806, abs=1e-10)


def test_divergence_agrees_with_torch_and_sums():
    mean, scale = torch.tensor([0.3, -2.0]), torch.tensor([0.1, 3.0])
    expected = torch.distributions.kl_divergence(
        torch.distributions.Normal(mean, scale), torch.distributions.Normal(0.0, 0.7)
    ).sum()
    torch.testing.assert_close(gaussian_kl(mean, scale, 0.7), expected)


def test_scale_mixture_is_a_sum_of_two_densities():
    values = torch.tensor([0.0, 0.5, -3.0])
    narrow, wide = (torch.distributions.Normal(0.0, s) for s in (0.1, 2.0))
    expected = 0.25 * wide.log_prob(values).exp() + 0.75 * narrow.log_prob(values).exp()
    density = scale_mixture_log_density(values, 0.25, 2.0, 0.1).exp()
    torch.testing.assert_close(density, expected)


@pytest.mark.parametrize("n_batches", [1, 3, 2000])
@pytest.mark.parametrize("kind", ["uniform", "decreasing"])
def test_shares_of_the_divergence_sum_to_one(n_batches, kind):
    shares = [kl_weight(i, n_batches, kind) for i in range(1, n_batches + 1)]
    assert sum(shares) == pytest.approx(1.0)
    if kind == "decreasing" and n_batches == 3:
        assert shares == pytest.approx([4 / 7, 2 / 7, 1 / 7])


def test_mixture_divergence_of_one_component_is_on_average_the_closed_form():
    torch.manual_seed(0)
    network = BayesianNetwork(nn.Linear(2, 1), (0.5, 0.6, 0.6), initial_scale=0.3)
    drawn = torch.stack([network.kl(network.draw()) for _ in range(1000)])
    exact = sum(
        gaussian_kl(m, s, 0.6) for m, s in zip(*network.means_and_scales(), strict=True)
    )
    error = drawn.std() / 1000**0.5
    assert abs(drawn.mean() - exact) < 4 * error


def fit_regression(X, y, noise, prior_scale, n_steps):
    """Minimise the divergence minus the expected Gaussian log likelihood."""
    torch.manual_seed(0)
    network = BayesianNetwork(nn.Linear(X.shape[1], 1, bias=False), prior_scale)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    for _ in range(n_steps):
        optimizer.zero_grad()
        output, kl = network(X)
        (kl + ((output[:, 0] - y) ** 2).sum() / (2 * noise**2)).backward()
        optimizer.step()
        schedule.step()
    (mean,), (scale,) = network.means_and_scales()
    return mean[0].detach().numpy(), scale[0].detach().numpy()


def test_linear_regression_finds_the_mean_field_optimum():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    y = X @ [1.0, -0.5] + 0.5 * rng.normal(size=30)
    mean, scale = fit_regression(
        *(torch.tensor(a, dtype=torch.float32) for a in (X, y)), 0.5, 2.0, 1500
    )
    precision = X.T @ X / 0.5**2 + np.eye(2) / 2.0**2  # Lambda
    posterior = np.linalg.solve(precision, X.T @ y / 0.5**2)
    # Within a tenth of a standard deviation, and 10% of the variance: gradients are
    # drawn. The marginal variances are larger by 1.9.
    np.testing.assert_allclose(mean, posterior, atol=0.1 * scale.max())
    np.testing.assert_allclose(scale**2, 1 / np.diag(precision), rtol=0.1)
    marginal = np.diag(np.linalg.inv(precision))
    assert (marginal / scale**2 > 1.5).all()


def test_each_member_has_one_draw_of_the_weights(iris):
    X, y = iris
    clf = BayesByBackpropClassifier(n_members=4, max_epochs=3, random_state=0).fit(X, y)
    members = clf.predict_member_proba(X)
    np.testing.assert_allclose(
        clf.predict_member_proba(X[7:9]), members[:, 7:9], atol=1e-6
    )
    np.testing.assert_array_equal(clf.predict_member_proba(X), members)
    assert members.std(axis=0).max() > 0.005


def test_the_spread_of_members_is_that_of_the_weights(iris):
    clf = BayesByBackpropClassifier(
        lambda: nn.Linear(4, 3, bias=False), n_members=3000, max_epochs=2
    ).fit(*iris)
    module = clf.nets_[0].module_
    (mean,), (scale,) = (
        [part.detach().numpy() for part in parts] for parts in module.means_and_scales()
    )
    log_proba = np.log(clf.predict_member_proba(iris[0][:1])[:, 0])
    gaps = log_proba[:, 0] - log_proba[:, 1]  # x . (w_0 - w_1)
    variance = (iris[0][0] ** 2) @ (scale[0] ** 2 + scale[1] ** 2)
    assert gaps.var() == pytest.approx(variance, rel=0.15)
    assert gaps.mean() == pytest.approx(iris[0][0] @ (mean[0] - mean[1]), abs=0.02)


@pytest.mark.parametrize("prior_scale", [1.0, (0.5, 1.0, 0.1)])
@pytest.mark.parametrize("kl_weight", ["uniform", "decreasing"])
def test_it_learns_with_each_prior(iris, prior_scale, kl_weight):
    clf = BayesByBackpropClassifier(
        prior_scale=prior_scale, kl_weight=kl_weight, max_epochs=20, lr=0.01,
        random_state=0,
    )  # fmt: skip
    assert clf.fit(*iris).score(*iris) > 0.9


class Shares(Callback):
    """Notes which share of the divergence each minibatch bears."""

    def initialize(self):
        self.seen = []
        return self

    def on_batch_end(self, net, training=False, **kwargs):
        self.seen.append(net.criterion_.kl_weight)


def test_minibatches_get_their_shares(iris):
    clf = BayesByBackpropClassifier(
        kl_weight="decreasing", batch_size=75, max_epochs=2,
        net_params={"callbacks": [("shares", Shares())]},
    ).fit(*iris)  # fmt: skip
    shares = dict(clf.nets_[0].callbacks_)["shares"].seen
    assert shares == pytest.approx([2 / 3, 1 / 3, 2 / 3, 1 / 3])


def test_a_network_without_weights_to_draw_is_refused(iris):
    class Scales(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(4)

        def forward(self, X):
            return self.norm(X)[:, :3]

    with pytest.raises(ValueError, match="no linear or convolutional layer"):
        BayesByBackpropClassifier(Scales, head="norm").fit(*iris)


def test_the_loss_is_for_one_row():
    loss = VariationalLoss()
    loss.kl_weight = 0.25
    output = torch.zeros(8, 2), torch.tensor(6.0)
    # log 2 for each row, and a quarter of the divergence for eight rows
    expected = np.log(2) + 0.25 * 6.0 / 8
    value = loss(output, torch.zeros(8, dtype=torch.long)).item()
    assert value == pytest.approx(expected, abs=1e-6)
