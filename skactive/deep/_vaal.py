"""Variational adversarial active learning: rows whose codes look unlabelled."""

from numbers import Integral, Real

import torch
from torch.nn.functional import softplus

from skactive.deep._adversarial import (
    AdversarialStrategy,
    discriminator_loss,
    make_discriminator,
)
from skactive.deep._adversarial_networks import Autoencoder
from skactive.utils._sklearn import Interval


def reconstruction_error(rows, decoded):
    """Return -E log p(x | z) of a Gaussian of variance 1, without its constant.

    It is half the squared error, summed over the values of a row, averaged over rows.
    """
    return ((rows - decoded) ** 2).flatten(1).sum(1).mean() / 2


def kl_from_standard_normal(mean, log_variance):
    """Return KL(N(mean, variance) || N(0, I)), averaged over rows."""
    terms = mean**2 + log_variance.exp() - 1 - log_variance
    return terms.sum(1).mean() / 2


def adversarial_loss(labeled_logits, unlabeled_logits):
    """Return -E log D(labelled) - E log D(unlabelled), from logits of D."""
    # Both towards "labelled". log D is -softplus(-logit).
    return softplus(-labeled_logits).mean() + softplus(-unlabeled_logits).mean()


class VAALSampling(AdversarialStrategy):
    """Query rows whose codes a discriminator tells from those of labelled rows.

    Variational adversarial active learning [1]_. A variational autoencoder learns codes
    that make all rows look labelled, and a discriminator :math:`D` learns to tell the
    codes of labelled and unlabelled rows apart. The candidates with the lowest
    probability of being labelled are queried. It uses neither labels nor the model, so
    it can also begin a run; if no row is labelled, rows are queried at random.

    The autoencoder minimises, by Adam,

    .. math::

       \\lambda_1 \\sum_{S \\in \\{L, U\\}} \\Big[
       E_S \\tfrac 1 2 \\lVert x - \\hat x \\rVert^2
       + \\beta E_S KL\\big(q(z \\mid x) \\,\\|\\, N(0, I)\\big) \\Big]
       - \\lambda_2 \\big[E_L \\log D(\\mu) + E_U \\log D(\\mu)\\big]

    and the discriminator :math:`-E_L \\log D(\\mu) - E_U \\log(1 - D(\\mu))`. Squared
    errors are summed over the values of a row and divergences over the parts of a
    code; both are averaged over the rows of a mini-batch. (The authors' code averages
    squared errors over values, too, and sums divergences over rows, so that the same
    `beta` has a far larger weight there.) As there, :math:`D` gets the means
    :math:`\\mu` of the codes, in training and when candidates are scored. The utility
    is :math:`-\\log D(\\mu)`, which ranks like :math:`1 - D(\\mu)` and is not rounded
    to 1.

    The networks take the rows of `X` if it is a numeric array, and otherwise the
    embedding. Columns, or channels of images, are standardised. Queried rows without an
    answer count as labelled. On a CPU, results repeat with the same random state.

    A round costs `max_epochs` passes over the training rows, and one over the
    candidates. Memory: a float32 copy of the training rows, which `max_unlabeled`
    limits, and a block of candidates; sparse rows stay sparse, and are made dense for a
    mini-batch or block.

    :Uses: features
    :Cost of a round: training of two networks
    :Guide: :doc:`/user_guide/adversarial`

    Parameters
    ----------
    autoencoder : callable or None, default=None
        A function ``(input_shape, n_latent) -> torch.nn.Module``; the module has the
        methods ``encode(x) -> (mean, log_variance)``, each of shape (n, `n_latent`),
        and ``decode(z)``, of the shape of ``x``. `input_shape` is (n_features,) or
        (channels, height, width). If None, two hidden layers, or convolutions for
        images.

    image_shape : tuple of int or None, default=None
        Shape of the images in flat rows: (height, width) or (channels, height, width).
        Rows of a multidimensional `X` are images in any case.

    n_latent : int, default=32
        Length of a code.

    beta : float, default=1.0
        Weight of the divergence.

    vae_weight : float, default=1.0
        Weight :math:`\\lambda_1` of reconstruction error and divergence.

    adversarial_weight : float, default=1.0
        Weight :math:`\\lambda_2` of the loss against the discriminator.

    lr : float, default=5e-4
        Learning rate of both networks.

    n_vae_steps : int, default=2
        Steps of the autoencoder for each step of the discriminator.

    max_epochs : int, default=100
        Number of passes of the discriminator over the training rows, labelled or not.

    batch_size : int, default=128
        Labelled and unlabelled rows of a mini-batch, each.

    max_unlabeled : int or None, default=None
        Number of unlabelled rows to train on, drawn at random; all if None. All
        candidates are scored in any case.

    device : str or torch.device, default="auto"
        Where to train; ``"auto"`` takes a GPU if there is one.

    References
    ----------
    .. [1] S. Sinha, S. Ebrahimi, T. Darrell. "Variational adversarial active learning".
       ICCV 2019.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.deep import VAALSampling
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(),
    ...     strategy=VAALSampling(image_shape=(28, 28), max_unlabeled=2000),
    ... )
    """

    _parameter_constraints = {
        **AdversarialStrategy._parameter_constraints,
        "autoencoder": [callable, None],
        "beta": [Interval(Real, 0, None, closed="left")],
        "vae_weight": [Interval(Real, 0, None, closed="left")],
        "adversarial_weight": [Interval(Real, 0, None, closed="left")],
        "n_vae_steps": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        autoencoder=None,
        *,
        image_shape=None,
        n_latent=32,
        beta=1.0,
        vae_weight=1.0,
        adversarial_weight=1.0,
        lr=5e-4,
        n_vae_steps=2,
        max_epochs=100,
        batch_size=128,
        max_unlabeled=None,
        device="auto",
    ):
        self.autoencoder = autoencoder
        self.image_shape = image_shape
        self.n_latent = n_latent
        self.beta = beta
        self.vae_weight = vae_weight
        self.adversarial_weight = adversarial_weight
        self.lr = lr
        self.n_vae_steps = n_vae_steps
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.max_unlabeled = max_unlabeled
        self.device = device

    def _train(self, pool, rows, batches):
        make = self.autoencoder or Autoencoder
        autoencoder = rows.place(make(rows.shape, self.n_latent))
        discriminator = rows.place(make_discriminator(self.n_latent))
        vae_steps = torch.optim.Adam(autoencoder.parameters(), lr=self.lr)
        discriminator_steps = torch.optim.Adam(discriminator.parameters(), lr=self.lr)
        for _ in range(self._n_steps(rows)):
            for _ in range(self.n_vae_steps):
                pair = batches.draw()[:2]
                vae_steps.zero_grad()
                self._vae_loss(autoencoder, discriminator, *pair).backward()
                vae_steps.step()
            with torch.no_grad():
                means = autoencoder.encode(torch.cat(pair))[0]
            logits = discriminator(means).split([len(part) for part in pair])
            discriminator_steps.zero_grad()
            # Eq. 4: the discriminator tells the codes of the two pools apart.
            discriminator_loss(*logits).backward()
            discriminator_steps.step()
        autoencoder.eval()

        def score(block):
            logits = discriminator(autoencoder.encode(block)[0]).cpu().double()
            return softplus(-logits).numpy()  # -log D

        return score

    def _vae_loss(self, autoencoder, discriminator, labeled, unlabeled):
        """Return the loss of the autoencoder on a pair of mini-batches."""
        rows, sizes = torch.cat([labeled, unlabeled]), (len(labeled), len(unlabeled))
        mean, log_variance = autoencoder.encode(rows)
        self._check_codes(mean, log_variance, len(rows))
        code = mean + (log_variance / 2).exp() * torch.randn_like(mean)
        decoded, logits = autoencoder.decode(code), discriminator(mean)
        # Eq. 1, negated: it is printed as two bounds that are maximised.
        both = (values.split(sizes) for values in (rows, decoded, mean, log_variance))
        vae_loss = sum(
            reconstruction_error(x, x_hat) + self.beta * kl_from_standard_normal(*q)
            for x, x_hat, *q in zip(*both, strict=True)
        )
        # Eq. 3; the second term is Eq. 2.
        return self.vae_weight * vae_loss + self.adversarial_weight * adversarial_loss(
            *logits.split(sizes)
        )

    def _check_codes(self, mean, log_variance, n_rows):
        expected = (n_rows, self.n_latent)
        if mean.shape != expected or log_variance.shape != expected:
            raise ValueError(
                "autoencoder must make a module whose encode returns mean and "
                f"log_variance of shape (n_rows, n_latent) = {expected}, got "
                f"{tuple(mean.shape)} and {tuple(log_variance.shape)}."
            )
