"""Variational weights: Gaussians, their divergence from a prior, and the loss."""

from math import log, pi
from numbers import Real

import torch
from torch import nn
from torch.func import functional_call
from torch.nn.functional import softplus

from skactive.deep._modules import first_output

_LAYERS = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)


def gaussian_kl(mean, scale, prior_scale=1.0):
    """Return the divergence of independent Gaussians from a Gaussian around 0.

    Parameters
    ----------
    mean, scale : torch.Tensor
        Means and standard deviations.

    prior_scale : float, default=1.0
        Standard deviation of the prior.

    Returns
    -------
    kl : torch.Tensor of shape ()
        The sum over all elements, in nats.

    Examples
    --------
    >>> import torch
    >>> from skactive.deep import gaussian_kl
    >>> gaussian_kl(torch.tensor([1.0]), torch.tensor([0.5]))
    tensor(0.8181)
    """
    ratio = scale / prior_scale
    # log(s_p / s) + (s^2 + m^2) / (2 s_p^2) - 1/2
    return (0.5 * (ratio**2 + (mean / prior_scale) ** 2 - 1.0) - ratio.log()).sum()


def gaussian_log_density(values, mean, scale):
    """Return the log densities of values under Gaussians, element by element."""
    scale = torch.as_tensor(scale)
    return -0.5 * ((values - mean) / scale) ** 2 - scale.log() - 0.5 * log(2 * pi)


def scale_mixture_log_density(values, share, wide, narrow):
    """Return the log densities under a mixture of two Gaussians around 0.

    Parameters
    ----------
    values : torch.Tensor
        Weights.

    share : float
        Share of the first Gaussian.

    wide, narrow : float
        Standard deviations of the two Gaussians.

    Returns
    -------
    log_density : torch.Tensor of the shape of `values`
        Log density of each element.
    """
    # Equation (7): pi N(w | 0, s_1^2) + (1 - pi) N(w | 0, s_2^2).
    return torch.logaddexp(
        log(share) + gaussian_log_density(values, 0.0, wide),
        log(1.0 - share) + gaussian_log_density(values, 0.0, narrow),
    )


def kl_weight(number, n_batches, kind):
    """Return the share of the divergence that a minibatch gets.

    Parameters
    ----------
    number : int
        Number of the minibatch in its epoch, from 1.

    n_batches : int
        Number of minibatches.

    kind : {"uniform", "decreasing"}
        Equal shares, or half the share of the minibatch before for each.

    Returns
    -------
    weight : float
        The share; the shares of an epoch sum to 1.

    Examples
    --------
    >>> from skactive.deep import kl_weight
    >>> [round(kl_weight(i, 2, "decreasing"), 4) for i in (1, 2)]
    [0.6667, 0.3333]
    """
    if kind == "uniform":
        return 1.0 / n_batches
    # Section 3.4: 2^(M - i) / (2^M - 1), written so that 2^M may be large.
    return 2.0**-number / (1.0 - 2.0**-n_batches)


class BayesianNetwork(nn.Module):
    """A network whose linear and convolutional layers have Gaussian weights.

    The weights of the network are the means; the standard deviations are
    ``softplus(rho)``. In training each pass draws all weights once; in evaluation mode
    they are the means.

    Parameters
    ----------
    network : torch.nn.Module
        The network.

    prior_scale : float or tuple of (float, float, float)
        Standard deviation of the prior, or share, wide and narrow standard deviation of
        a mixture.

    initial_scale : float
        Standard deviation of all weights before training.
    """

    def __init__(self, network, prior_scale=1.0, initial_scale=0.05):
        super().__init__()
        self.network = network
        self.prior_scale = prior_scale
        layers = [n for n, p in network.named_modules() if isinstance(p, _LAYERS)]
        if not layers:
            raise ValueError(
                "The module has no linear or convolutional layer, whose weights could "
                "be drawn."
            )
        self.names = [
            name
            for name, _ in network.named_parameters()
            if name.rpartition(".")[0] in layers
        ]
        # The inverse of softplus.
        rho = torch.tensor(initial_scale).expm1().log().item()
        self.rhos = nn.ParameterList(
            [torch.full_like(network.get_parameter(name), rho) for name in self.names]
        )

    def means_and_scales(self):
        """Return the means and the standard deviations of the weights, as lists."""
        means = [self.network.get_parameter(name) for name in self.names]
        # Section 3.2: sigma = log(1 + exp(rho)).
        return means, [softplus(rho) for rho in self.rhos]

    def draw(self, source=None):
        """Return weights by their names.

        Parameters
        ----------
        source : torch.Generator or None, default=None
            Generator on the CPU; torch's random state if None.

        Returns
        -------
        weights : dict of torch.Tensor
            One drawn weight for each mean.
        """
        weights = {}
        for name, mean, scale in zip(self.names, *self.means_and_scales(), strict=True):
            if source is None:
                noise = torch.randn_like(mean)
            else:
                noise = torch.randn(mean.shape, generator=source).to(mean)
            weights[name] = mean + scale * noise
        return weights

    def kl(self, weights):
        """Return the divergence from the prior, in closed form if it is Gaussian."""
        means, scales = self.means_and_scales()
        if isinstance(self.prior_scale, Real):
            parts = zip(means, scales, strict=True)
            return sum(gaussian_kl(m, s, self.prior_scale) for m, s in parts)
        # Equation (2): log q(w | theta) - log P(w) at the drawn weights.
        parts = zip(weights.values(), means, scales, strict=True)
        return sum(
            (
                gaussian_log_density(w, mean, scale)
                - scale_mixture_log_density(w, *self.prior_scale)
            ).sum()
            for w, mean, scale in parts
        )

    def forward(self, X):
        """Return logits, and in training the divergence, too."""
        if not self.training:
            return first_output(self.network(X))
        weights = self.draw()
        output = functional_call(self.network, weights, (X,))
        return first_output(output), self.kl(weights)


class VariationalLoss(nn.Module):
    """The cross entropy of a minibatch and its share of the divergence, for each row.

    Parameters
    ----------
    **parameters : dict
        Parameters of :class:`torch.nn.CrossEntropyLoss`.
    """

    def __init__(self, **parameters):
        super().__init__()
        self.cross_entropy = nn.CrossEntropyLoss(**parameters)
        self.kl_weight = 0.0

    def forward(self, output, y):
        """Return the loss of a minibatch."""
        if not isinstance(output, tuple):
            return self.cross_entropy(output, y)
        logits, kl = output
        # Equation (9), pi_i KL - sum of log P(D_i | w), over the number of rows.
        return self.cross_entropy(logits, y) + self.kl_weight * kl / len(y)
