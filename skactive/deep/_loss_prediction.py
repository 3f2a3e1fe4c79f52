"""Loss prediction: a network that also learns to predict its own loss."""

from contextlib import contextmanager
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.utils.validation import check_is_fitted
from skorch.callbacks import Callback
from torch import nn

from skactive.deep._inputs import check_rows
from skactive.deep._mc_dropout import BaseMaskedClassifier
from skactive.deep._members import blocks
from skactive.deep._modules import find_part, first_output, view
from skactive.deep._shared import shares_parameters
from skactive.utils._sklearn import Interval


def pair_loss(predicted, true, margin=1.0):
    """Return a loss for the ranking of a minibatch by predicted losses.

    Row i is paired with row B + 1 - i; the last row of an odd number is left out. The
    loss of a pair is 0 if its predictions are in the order of the true losses and
    differ by the margin; of equal true losses, the second counts as the larger one.

    Parameters
    ----------
    predicted : torch.Tensor of shape (n_rows,)
        Predicted losses.

    true : torch.Tensor of shape (n_rows,)
        True losses; only their order counts, and they get no gradient.

    margin : float, default=1.0
        Difference that the predictions of a pair should have.

    Returns
    -------
    loss : torch.Tensor of shape ()
        The mean over the pairs; 0 for a single row.

    References
    ----------
    .. [1] D. Yoo, I. S. Kweon. "Learning loss for active learning". CVPR 2019.

    Examples
    --------
    >>> import torch
    >>> from skactive.deep import pair_loss
    >>> pair_loss(torch.tensor([0.5, 0.2]), torch.tensor([2.0, 1.0]))
    tensor(0.7000)
    """
    half = len(true) // 2
    if half == 0:
        return predicted.sum() * 0.0
    first, second = slice(0, half), slice(half, 2 * half)
    larger = true[first] > true[second].flip(0)
    sign = torch.where(larger, 1.0, -1.0).to(predicted)
    gap = predicted[first] - predicted[second].flip(0)
    # Equation (2): max(0, -1(l_i, l_j) (l^_i - l^_j) + xi), 1(.) being +1 or -1.
    return (margin - sign * gap).clamp(min=0).mean()


class LossPredictionNetwork(nn.Module):
    """A network with a module on its features that predicts its loss.

    Parameters
    ----------
    network : torch.nn.Module
        The network.

    layers : list of str
        Names of the parts whose output is used.

    head : str or None
        Name of a part whose input is used, too.

    width : int
        Units for each of them.

    rows : torch.Tensor of shape (n_rows, ...)
        Some rows, to find the number of features.
    """

    def __init__(self, network, layers, head, width, rows):
        super().__init__()
        self.network = network
        self.layers, self.head = list(layers), head
        self.is_trunk_fixed = False
        with torch.inference_mode(), self._watching(view(network)) as watched:
            _, features = watched(rows)
        sizes = [part.shape[1] for part in features]
        self.levels = nn.ModuleList(
            [nn.Sequential(nn.Linear(size, width), nn.ReLU()) for size in sizes]
        )
        self.loss = nn.Linear(width * len(sizes), 1)

    @contextmanager
    def _watching(self, network):
        """Give a function that runs a network and returns features, too."""
        seen, handles = {}, []

        def keep(name):
            # The input of a head, and the output of the others.
            return lambda _, args, output=None: seen.__setitem__(
                name, args[0] if output is None else output
            )

        for name in self.layers:
            part = network.get_submodule(name)
            handles.append(part.register_forward_hook(keep(name)))
        if self.head is not None:
            part = network.get_submodule(self.head)
            handles.append(part.register_forward_pre_hook(keep("head")))
        names = [*self.layers, *(["head"] if self.head is not None else [])]

        def run(X):
            seen.clear()
            output = first_output(network(X))
            missing = [name for name in names if name not in seen]
            if missing:
                raise ValueError(f"The module does not run the layers {missing}.")
            return output, [_pool(seen[name]) for name in names]

        try:
            yield run
        finally:
            for handle in handles:
                handle.remove()

    def forward(self, X):
        """Return logits and predicted losses."""
        with self._watching(self.network) as watched:
            output, features = watched(X)
        if self.is_trunk_fixed:
            features = [part.detach() for part in features]
        features = [f(part) for f, part in zip(self.levels, features, strict=True)]
        return output, self.loss(torch.cat(features, 1)).squeeze(1)


def _pool(features):
    """Return features with one number for each channel: the mean over the image."""
    return features.flatten(2).mean(2) if features.ndim > 2 else features


class LossPredictionLoss(nn.Module):
    """Cross entropy, and the loss of the ranking by predicted losses.

    Parameters
    ----------
    weight : float
        Weight of the second.

    margin : float
        Margin of :func:`pair_loss`.

    **parameters : dict
        Parameters of :class:`torch.nn.CrossEntropyLoss`.
    """

    def __init__(self, pair_weight=1.0, margin=1.0, **parameters):
        super().__init__()
        self.pair_weight, self.margin = pair_weight, margin
        self.cross_entropy = nn.CrossEntropyLoss(**parameters, reduction="none")

    def forward(self, output, y):
        """Return the loss of a minibatch."""
        logits, predicted = output
        losses = self.cross_entropy(logits, y)
        ranking = pair_loss(predicted, losses, self.margin)
        # Equation (1): L_target + lambda L_loss.
        return losses.mean() + self.pair_weight * ranking


class StopTrunkGradient(Callback):
    """Keeps the gradient of predicted losses out of the network after some epochs.

    Parameters
    ----------
    n_epochs : int
        Number of epochs in which the gradient reaches the network.
    """

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def on_epoch_begin(self, net, **kwargs):
        """Let the gradient through only in the first epochs."""
        module = getattr(net.module_, "_orig_mod", net.module_)
        module.is_trunk_fixed = len(net.history) > self.n_epochs


@shares_parameters
class LossPredictionClassifier(BaseMaskedClassifier):
    """A network that also learns to predict its own loss.

    A small module takes the output of some layers for a row, pooled to one number for
    each channel, and predicts the loss [1]_; it learns which of two rows has the larger
    loss. The strategy ``"loss_prediction"`` queries rows by `predict_loss`.

    There is one network. Its members, for strategies that need several, are masks of
    dropout as in :class:`MCDropoutClassifier`, if the module has dropout.

    Parameters
    ----------
    {module}

    layers : list of str or None, default=None
        Names of the parts of `module` from whose output the loss is predicted. If None,
        the hidden layers of the default network, and the embedding of others.

    loss_width : int, default=128
        Units for each of the layers.

    margin : float, default=1.0
        Difference that the predictions for two rows should have.

    loss_weight : float, default=1.0
        Weight of the loss of the predicted losses.

    trunk_share : float, default=0.6
        Share of the epochs in which the gradient of the predicted losses reaches the
        network; afterwards only the small module learns from them.

    n_members : int, default=25
        Number of masks.

    mc_predict : bool, default=False
        Whether `predict_proba` and `predict` use the mean over the masks; if False,
        dropout is off.

    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    .. [1] D. Yoo, I. S. Kweon. "Learning loss for active learning". CVPR 2019.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skactive.deep import LossPredictionClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = LossPredictionClassifier(max_epochs=20, random_state=0)
    >>> clf.fit(X, y).predict_loss(X[:5]).shape
    (5,)
    """

    _parameter_constraints = BaseMaskedClassifier._parameter_constraints | {
        "layers": [list, tuple, None],
        "loss_width": [Interval(Integral, 1, None, closed="left")],
        "margin": [Interval(Real, 0, None, closed="left")],
        "loss_weight": [Interval(Real, 0, None, closed="left")],
        "trunk_share": [Interval(Real, 0, 1, closed="both")],
        "n_members": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        module=None,
        *,
        layers=None,
        loss_width=128,
        margin=1.0,
        loss_weight=1.0,
        trunk_share=0.6,
        n_members=25,
        mc_predict=False,
        **parameters,
    ):
        super().__init__(module, mc_predict=mc_predict, **parameters)
        self.layers = layers
        self.loss_width = loss_width
        self.margin = margin
        self.loss_weight = loss_weight
        self.trunk_share = trunk_share
        self.n_members = n_members

    _needs_dropout = False

    @property
    def _n_masks(self):
        return self.n_members

    def _wrap(self, network, rows):
        layers, head = self.layers, None
        if layers is None and self.module is None:
            parts = network.named_modules()
            layers = [name for name, part in parts if isinstance(part, nn.ReLU)]
        elif layers is None:
            layers, head = [], self._head
        for name in layers:
            find_part(network, name, "layers")
        module = LossPredictionNetwork(network, layers, head, self.loss_width, rows)
        n_epochs = int(self.trunk_share * self.max_epochs)
        return module, {
            "criterion": LossPredictionLoss,
            "criterion__pair_weight": self.loss_weight,
            "criterion__margin": self.margin,
            "callbacks": [("stop_trunk_gradient", StopTrunkGradient(n_epochs))],
        }

    def _network(self, number):
        return self.nets_[number].module_.network

    def predict_loss(self, X):
        """Predict how large the loss will be.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Rows.

        Returns
        -------
        loss : ndarray of shape (n_samples,)
            Predicted losses; only their order has a meaning.
        """
        check_is_fitted(self)
        X = check_rows(self, X, reset=False)
        module, out = view(self.nets_[0].module_), np.empty(len(X), dtype=np.float64)
        for rows in blocks(len(X), self.block_size):
            with torch.inference_mode():
                out[rows] = module(self._to_device(X[rows]))[1].cpu().numpy()
        return out
