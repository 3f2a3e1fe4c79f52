"""Minimax active learning: uncertain rows that look unlabelled."""

from numbers import Real

import numpy as np
import torch
from scipy.special import expit
from torch import nn
from torch.nn.functional import cross_entropy, normalize

from skactive.deep._adversarial import (
    AdversarialStrategy,
    discriminator_loss,
    make_discriminator,
)
from skactive.deep._adversarial_networks import make_encoder
from skactive.utils._labels import as_labels
from skactive.utils._sklearn import Interval

# Class of a queried row without an answer.
_NO_LABEL = -1


class CosineClassifier(nn.Module):
    """Logits that are cosines of features and class weights, over a temperature.

    Parameters
    ----------
    n_latent : int
        Length of the features.

    n_classes : int
        Number of classes.

    temperature : float
        Divisor of the cosines.
    """

    def __init__(self, n_latent, n_classes, temperature):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_classes, n_latent))
        self.temperature = temperature

    def forward(self, features):
        """Return logits of shape (n_rows, n_classes) for features of length 1."""
        return features @ normalize(self.weight).T / self.temperature


class _Reverse(torch.autograd.Function):
    """The identity; gradients change their sign on the way back."""

    @staticmethod
    def forward(ctx, features):
        return features.view_as(features)

    @staticmethod
    def backward(ctx, gradient):
        return -gradient


def class_entropy(logits):
    """Return the entropy of the class probabilities of each row, in nats."""
    log_proba = logits.log_softmax(dim=1)
    return -(log_proba.exp() * log_proba).sum(1)


def minimax_entropy_loss(classifier, features):
    """Return minus the mean entropy, with the gradient reversed at the features.

    Minimising it raises the entropy by the classifier, and lowers it by the features.
    """
    return -class_entropy(classifier(_Reverse.apply(features))).mean()


def labeled_loss(logits, columns):
    """Return the mean cross entropy of the rows that have a label."""
    total = cross_entropy(logits, columns, ignore_index=_NO_LABEL, reduction="sum")
    return total / (columns != _NO_LABEL).sum().clamp(min=1)


def minimax_utility(discriminator_logits, entropy):
    """Rank rows with D < 1/2 by their entropy, and after them others by lowest D.

    Parameters
    ----------
    discriminator_logits : ndarray of shape (n_rows,)
        Logits of D, the probability of being labelled.

    entropy : ndarray of shape (n_rows,)
        Entropy of their class probabilities.

    Returns
    -------
    utility : ndarray of shape (n_rows,)
        1 + entropy where D < 1/2, else 1 - D.
    """
    looks_unlabeled = discriminator_logits < 0
    return np.where(looks_unlabeled, 1 + entropy, expit(-discriminator_logits))


class MALSampling(AdversarialStrategy):
    """Query uncertain rows among those that a discriminator takes for unlabelled.

    Minimax active learning [1]_. An encoder :math:`F`, whose features are divided by
    their lengths, and a classifier :math:`C` on their cosines with class weights are
    trained on the labelled rows by cross entropy. On unlabelled rows they play against
    each other:

    .. math::

       \\theta_F = \\arg\\min L_{CE} + \\lambda H, \\qquad
       \\theta_C = \\arg\\min L_{CE} - \\lambda H, \\qquad
       C(f) = \\mathrm{softmax}\\big(\\cos(w, f) / T\\big)

    with the mean entropy :math:`H` of :math:`C` on unlabelled rows. At the same time a
    discriminator :math:`D` learns, on features that it does not change, to tell
    labelled from unlabelled rows: it minimises
    :math:`-E_L \\log D - E_U \\log(1 - D)`. Of the candidates with :math:`D < 1/2`
    those of highest entropy are queried; if there are too few, those with the next
    lowest :math:`D`. The utility is :math:`1 + H` where :math:`D < 1/2` and
    :math:`1 - D` elsewhere.

    It uses the labels and not the model: it has its own networks. They take the rows of
    `X` if it is a numeric array, and otherwise the embedding. Columns, or channels of
    images, are standardised. Queried rows without an answer count as labelled for the
    discriminator only. If no row is labelled, rows are queried at random. On a CPU,
    results repeat with the same random state.

    A round costs `max_epochs` passes over the training rows, and one over the
    candidates. Memory: a float32 copy of the training rows, which `max_unlabeled`
    limits, and a block of candidates; sparse rows stay sparse, and are made dense for a
    mini-batch or block.

    :Uses: features, labels
    :Cost of a round: training of three networks
    :Guide: :doc:`/user_guide/adversarial`

    Parameters
    ----------
    encoder : callable or None, default=None
        A function ``(input_shape, n_latent) -> torch.nn.Module``; the module maps rows
        to features of shape (n, `n_latent`). `input_shape` is (n_features,) or
        (channels, height, width). If None, two hidden layers, or convolutions for
        images.

    image_shape : tuple of int or None, default=None
        Shape of the images in flat rows: (height, width) or (channels, height, width).
        Rows of a multidimensional `X` are images in any case.

    n_latent : int, default=64
        Length of the features.

    temperature : float, default=0.05
        Divisor of the cosines.

    entropy_weight : float, default=0.1
        Weight :math:`\\lambda` of the entropy.

    lr : float, default=5e-4
        Learning rate of Adam, for all networks.

    max_epochs : int, default=100
        Number of passes over the training rows, labelled or not.

    batch_size : int, default=128
        Labelled and unlabelled rows of a mini-batch, each.

    max_unlabeled : int or None, default=None
        Number of unlabelled rows to train on, drawn at random; all if None. All
        candidates are scored in any case.

    device : str or torch.device, default="auto"
        Where to train; ``"auto"`` takes a GPU if there is one.

    References
    ----------
    .. [1] S. Ebrahimi, W. Gan, D. Chen, et al. "Minimax active learning". 2021,
       arXiv:2012.10467.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.deep import MALSampling
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(),
    ...     strategy=MALSampling(image_shape=(28, 28), max_unlabeled=2000),
    ... )
    """

    _parameter_constraints = {
        **AdversarialStrategy._parameter_constraints,
        "encoder": [callable, None],
        "temperature": [Interval(Real, 0, None, closed="neither")],
        "entropy_weight": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(
        self,
        encoder=None,
        *,
        image_shape=None,
        n_latent=64,
        temperature=0.05,
        entropy_weight=0.1,
        lr=5e-4,
        max_epochs=100,
        batch_size=128,
        max_unlabeled=None,
        device="auto",
    ):
        self.encoder = encoder
        self.image_shape = image_shape
        self.n_latent = n_latent
        self.temperature = temperature
        self.entropy_weight = entropy_weight
        self.lr = lr
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.max_unlabeled = max_unlabeled
        self.device = device

    def _train(self, pool, rows, batches):
        columns, n_classes = _columns_of_known(pool)
        encoder = rows.place((self.encoder or make_encoder)(rows.shape, self.n_latent))
        classifier = rows.place(
            CosineClassifier(self.n_latent, n_classes, self.temperature)
        )
        discriminator = rows.place(make_discriminator(self.n_latent))
        networks = nn.ModuleList([encoder, classifier])
        minimax_steps = torch.optim.Adam(networks.parameters(), lr=self.lr)
        discriminator_steps = torch.optim.Adam(discriminator.parameters(), lr=self.lr)
        for _ in range(self._n_steps(rows)):
            labeled, unlabeled, known = batches.draw()
            sizes = len(labeled), len(unlabeled)
            features = self._features(encoder, torch.cat([labeled, unlabeled]))
            of_labeled, of_unlabeled = features.split(sizes)
            targets = rows.to_device(columns[known])
            minimax_steps.zero_grad()
            # The classifier ascends the entropy and the encoder, behind the reversed
            # gradient, descends it; both descend the cross entropy.
            loss = labeled_loss(classifier(of_labeled), targets)
            loss = loss + self.entropy_weight * minimax_entropy_loss(
                classifier, of_unlabeled
            )
            loss.backward()
            minimax_steps.step()
            discriminator_steps.zero_grad()
            logits = discriminator(features.detach()).split(sizes)
            discriminator_loss(*logits).backward()
            discriminator_steps.step()
        encoder.eval()

        def score(block):
            features = self._features(encoder, block)
            entropy = class_entropy(classifier(features).cpu().double())
            logits = discriminator(features).cpu().double()
            return minimax_utility(logits.numpy(), entropy.numpy())

        return score

    def _features(self, encoder, rows):
        features = encoder(rows)
        expected = (len(rows), self.n_latent)
        if features.shape != expected:
            raise ValueError(
                "encoder must make a module that returns features of shape (n_rows, "
                f"n_latent) = {expected}, got {tuple(features.shape)}."
            )
        return normalize(features)


def _columns_of_known(pool):
    """Return the class number of each row that is labelled or was queried, and K."""
    columns = np.full(len(pool.labeled), _NO_LABEL, dtype=np.int64)
    labels = as_labels(pool.y[pool.labeled])
    columns[pool.labeled] = np.searchsorted(pool.classes, labels)
    return columns[pool.labeled | pool.asked], max(len(pool.classes), 1)
