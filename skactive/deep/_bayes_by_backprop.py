"""Bayes by backprop: weights that are Gaussian, learnt together with their spread."""

from math import log, pi
from numbers import Integral, Real

import torch
from skorch.callbacks import Callback
from torch import nn
from torch.func import functional_call
from torch.nn.functional import softplus

from skactive.deep._base import MEMBERS, BaseDeepClassifier, blocks, first_output
from skactive.deep._modules import view
from skactive.deep._shared import shares_parameters
from skactive.deep._training import generator
from skactive.utils._sklearn import Interval, StrOptions

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
    """Return the divergence of independent Gaussians from one around 0.

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
        Share of the first.

    wide, narrow : float
        Standard deviations of the two.

    Returns
    -------
    log_density : torch.Tensor of the shape of `values`
        Element by element.
    """
    # Equation (7): pi N(w | 0, s_1^2) + (1 - pi) N(w | 0, s_2^2).
    return torch.logaddexp(
        log(share) + gaussian_log_density(values, 0.0, wide),
        log(1.0 - share) + gaussian_log_density(values, 0.0, narrow),
    )


def kl_weight(number, n_batches, kind):
    """Return the share of the divergence that a minibatch bears.

    Parameters
    ----------
    number : int
        Number of the minibatch in its epoch, from 1.

    n_batches : int
        How many there are.

    kind : {"uniform", "decreasing"}
        Equal shares, or each half of the one before.

    Returns
    -------
    weight : float
        They sum to 1 over an epoch.

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
        First standard deviation of all weights.
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
            Where they come from, on the CPU; None for torch's random state.

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


class WeighKL(Callback):
    """Tells the loss which share of the divergence a minibatch bears.

    Parameters
    ----------
    kind : {"uniform", "decreasing"}
        See :func:`kl_weight`.
    """

    def __init__(self, kind):
        self.kind = kind

    def on_epoch_begin(self, net, dataset_train=None, **kwargs):
        """Count the minibatches of the epoch."""
        self._n_batches = len(net.get_iterator(dataset_train, training=True))
        self._number = 0

    def on_batch_begin(self, net, training=False, **kwargs):
        """Set the share of the next minibatch."""
        if training:
            self._number += 1
            weight = kl_weight(self._number, self._n_batches, self.kind)
            net.criterion_.kl_weight = weight


@shares_parameters
class BayesByBackpropClassifier(BaseDeepClassifier):
    """A network with a Gaussian for each weight, whose members are drawn weights.

    The weights of linear and convolutional layers have independent Gaussians, whose
    means and standard deviations are learnt by gradients through drawn weights [1]_.
    Other parameters, such as those of a normalisation, are single numbers. Member c is
    one function: its weights are the same for all rows, and in every call. `embed` uses
    the means.

    With few labels the prior has much to say: the wider the weights may spread, the
    less the network learns from its rows. See `prior_scale`.

    Parameters
    ----------
    {module}

    n_members : int, default=25
        How many networks are drawn to predict.

    prior_scale : float or tuple of (float, float, float), default=0.1
        Standard deviation of the Gaussian prior; or a mixture of two Gaussians, by the
        share of the first and their standard deviations.

    initial_scale : float, default=0.02
        First standard deviation of the weights.

    kl_weight : {"uniform", "decreasing"}, default="uniform"
        How the divergence is shared out to the minibatches of an epoch: equally, or
        each half of the one before.

    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    .. [1] C. Blundell, J. Cornebise, K. Kavukcuoglu, D. Wierstra. "Weight uncertainty
       in neural networks". ICML 2015.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skactive.deep import BayesByBackpropClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = BayesByBackpropClassifier(n_members=10, max_epochs=20, random_state=0)
    >>> clf.fit(X, y).predict_member_proba(X[:5]).shape
    (10, 5, 3)
    """

    _parameter_constraints = BaseDeepClassifier._parameter_constraints | {
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "prior_scale": [Interval(Real, 0, None, closed="neither"), tuple],
        "initial_scale": [Interval(Real, 0, None, closed="neither")],
        "kl_weight": [StrOptions({"uniform", "decreasing"})],
    }

    def __init__(
        self,
        module=None,
        *,
        n_members=25,
        prior_scale=0.1,
        initial_scale=0.02,
        kl_weight="uniform",
        dropout=0.0,
        **parameters,
    ):
        super().__init__(module, dropout=dropout, **parameters)
        self.n_members = n_members
        self.prior_scale = prior_scale
        self.initial_scale = initial_scale
        self.kl_weight = kl_weight

    @property
    def _n_members(self):
        return self.n_members

    def _wrap(self, network, rows):
        module = BayesianNetwork(network, self.prior_scale, self.initial_scale)
        callbacks = [("weigh_kl", WeighKL(self.kl_weight))]
        return module, {"criterion": VariationalLoss, "callbacks": callbacks}

    def _network(self, number):
        return self.nets_[number].module_.network

    def _run_members(self, X):
        module = view(self.nets_[0].module_)
        for number in range(self.n_members):
            with torch.inference_mode():
                weights = module.draw(generator(self._seed, MEMBERS, number))
                for rows in blocks(len(X), self.block_size):
                    block = self._to_device(X[rows])
                    output = functional_call(module.network, weights, (block,))
                    where = slice(number, number + 1)
                    yield where, rows, first_output(output).unsqueeze(0)
