"""Split heads: one trunk, and several heads that predict apart."""

import copy
from numbers import Integral

import numpy as np
import torch
from torch import nn

from skactive._models.members import bootstrap_rows
from skactive.deep._base import BOOTSTRAP, BaseDeepClassifier
from skactive.deep._members import blocks
from skactive.deep._modules import first_output, view
from skactive.deep._shared import shares_parameters
from skactive.deep._training import stream_seed
from skactive.utils._sklearn import Interval


class Heads(nn.Module):
    """Several heads in the place of one; their outputs are stacked along the rows.

    Parameters
    ----------
    head : torch.nn.Module
        The head that is replaced; copies of it get new weights.

    n_heads : int
        Number of heads.
    """

    def __init__(self, head, n_heads):
        super().__init__()
        self.heads = nn.ModuleList([copy.deepcopy(head) for _ in range(n_heads)])
        for part in self.heads.modules():
            if hasattr(part, "reset_parameters"):
                part.reset_parameters()

    def forward(self, features):
        """Return the output of all heads, (n_heads * n_rows, ...)."""
        return torch.cat([head(features) for head in self.heads])


class SplitHeadNetwork(nn.Module):
    """A network whose head has been replaced by several.

    Parameters
    ----------
    network : torch.nn.Module
        The network; it is changed.

    head : str
        Name of the part that is replaced.

    n_heads : int
        Number of heads.
    """

    def __init__(self, network, head, n_heads):
        super().__init__()
        if head:
            parent, _, name = head.rpartition(".")
            parent = network.get_submodule(parent)
            setattr(parent, name, Heads(getattr(parent, name), n_heads))
        else:  # all of the network is the head
            network = Heads(network, n_heads)
        self.network = network
        self.n_heads = n_heads

    def forward(self, X, weights=None):
        """Return logits of the mean, those of each head, and the weights."""
        each = first_output(self.network(X)).unflatten(0, (self.n_heads, -1))
        mean = each.log_softmax(-1).logsumexp(0) - np.log(self.n_heads)
        return mean, each, weights


class SplitHeadLoss(nn.Module):
    """Mean cross entropy of all heads, each with its weights of the rows.

    Parameters
    ----------
    **parameters : dict
        Parameters of :class:`torch.nn.CrossEntropyLoss`.
    """

    def __init__(self, **parameters):
        super().__init__()
        self.cross_entropy = nn.CrossEntropyLoss(**parameters, reduction="none")

    def forward(self, output, y):
        """Return the loss of a minibatch."""
        _, each, weights = output
        losses = self.cross_entropy(each.flatten(0, 1), y.repeat(len(each)))
        losses = losses.unflatten(0, each.shape[:2])
        return (losses if weights is None else losses * weights.T).mean()


@shares_parameters
class SplitHeadClassifier(BaseDeepClassifier):
    """A network with one trunk and many heads, which are its members.

    The head, by default the last linear layer, is replaced by several with weights of
    their own [1]_; the layers before it are shared, and run once. Each head learns from
    its own bootstrap of the rows, as in [2]_: heads of one linear layer that see the
    same features and labels would otherwise learn the same.

    Parameters
    ----------
    {module}

    n_members : int, default=10
        Number of heads.

    bootstrap : bool, default=True
        Whether each head has its own bootstrap of the rows; if False, heads differ only
        by their first weights. Each call of `partial_fit` draws a new bootstrap.

    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    .. [1] S. Lee, S. Purushwalkam, M. Cogswell, D. Crandall, D. Batra. "Why M heads are
       better than one: training a diverse ensemble of deep networks".
       arXiv:1511.06314, 2015.
    .. [2] I. Osband, C. Blundell, A. Pritzel, B. Van Roy. "Deep exploration via
       bootstrapped DQN". NeurIPS 2016.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skactive.deep import SplitHeadClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = SplitHeadClassifier(n_members=4, max_epochs=20, random_state=0)
    >>> clf.fit(X, y).predict_member_proba(X[:5]).shape
    (4, 5, 3)
    """

    _parameter_constraints = BaseDeepClassifier._parameter_constraints | {
        "n_members": [Interval(Integral, 1, None, closed="left")],
        "bootstrap": ["boolean"],
    }

    def __init__(self, module=None, *, n_members=10, bootstrap=True, **parameters):
        super().__init__(module, **parameters)
        self.n_members = n_members
        self.bootstrap = bootstrap

    @property
    def _n_members(self):
        return self.nets_[0].module_.n_heads

    def _wrap(self, network, rows):
        module = SplitHeadNetwork(network, self._head, self.n_members)
        return module, {"criterion": SplitHeadLoss}

    def _network(self, number):
        return self.nets_[number].module_.network

    def _train_net(self, net, number, X, y, n_epochs):
        if self.bootstrap:
            X = {"X": X, "weights": self._bootstraps(y)}
        super()._train_net(net, number, X, y, n_epochs)

    def _bootstraps(self, y):
        """Return the number of times that each row is in the bootstrap of each head."""
        seed = stream_seed(self._seed, BOOTSTRAP, self._n_epochs)
        rng = np.random.default_rng(seed)
        drawn = [bootstrap_rows(y, rng) for _ in range(self.n_members)]
        counts = [np.bincount(rows, minlength=len(y)) for rows in drawn]
        return np.array(counts, dtype=np.float32).T.copy()

    def _run_members(self, X):
        module = view(self.nets_[0].module_)
        everyone = slice(0, module.n_heads)
        for rows in blocks(len(X), max(1, self.block_size // module.n_heads)):
            with torch.inference_mode():
                yield everyone, rows, module(self._to_device(X[rows]))[1]
