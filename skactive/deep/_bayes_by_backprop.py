"""Bayes by backprop: Gaussian weights, learnt together with their spread."""

from numbers import Integral, Real

import torch
from skorch.callbacks import Callback
from torch.func import functional_call

from skactive.deep._base import MEMBERS, BaseDeepClassifier
from skactive.deep._members import blocks
from skactive.deep._modules import first_output, view
from skactive.deep._shared import shares_parameters
from skactive.deep._training import generator
from skactive.deep._variational import BayesianNetwork, VariationalLoss, kl_weight
from skactive.utils._sklearn import Interval, StrOptions


class WeighKL(Callback):
    """Tells the loss the share of the divergence that a minibatch gets.

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
    Other parameters, for instance those of a normalisation, are single numbers. Member
    c is one function: its weights are the same for all rows, and in every call. `embed`
    uses the means.

    With few labels the prior dominates: with a narrow one, of 0.1 and less, the network
    learned nothing from 100 images. Members then differ by about `initial_scale`, as a
    few hundred steps hardly change the spread of the weights.

    Parameters
    ----------
    {module}

    n_members : int, default=25
        Number of networks that are drawn to predict.

    prior_scale : float or tuple of (float, float, float), default=1.0
        Standard deviation of the Gaussian prior; or a mixture of two Gaussians, by the
        share of the first and their standard deviations.

    initial_scale : float, default=0.05
        Standard deviation of the weights before training.

    kl_weight : {"uniform", "decreasing"}, default="uniform"
        How the divergence is divided among the minibatches of an epoch: equally, or
        with half the share of the minibatch before for each.

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
        prior_scale=1.0,
        initial_scale=0.05,
        kl_weight="uniform",
        dropout=0.0,
        **parameters,
    ):
        super().__init__(module, dropout=dropout, **parameters)
        self.n_members = n_members
        self.prior_scale = prior_scale
        self.initial_scale = initial_scale
        self.kl_weight = kl_weight

    def _validate_params(self):
        super()._validate_params()
        if isinstance(self.prior_scale, Real):
            return
        share, *scales = self.prior_scale
        if len(scales) != 2 or not 0 < share < 1 or min(scales) <= 0:
            raise ValueError(
                f"A prior_scale of {type(self).__name__} of several numbers must be a "
                "share between 0 and 1 and two standard deviations, got "
                f"{self.prior_scale!r}."
            )

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
