"""Default networks of the adversarial strategies: for flat rows and for images."""

import math

from torch import nn

_HIDDEN = 128
_CHANNELS = 32


def make_encoder(input_shape, n_latent):
    """Return a network from rows of a shape to vectors of length `n_latent`."""
    if len(input_shape) == 1:
        return nn.Sequential(
            nn.Linear(input_shape[0], _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, n_latent),
        )
    channels, height, width = _check_is_image(input_shape)
    return nn.Sequential(
        nn.Conv2d(channels, _CHANNELS, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Conv2d(_CHANNELS, 2 * _CHANNELS, 3, stride=2, padding=1),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(2 * _CHANNELS * math.prod(_quarter(height, width)), _HIDDEN),
        nn.ReLU(),
        nn.Linear(_HIDDEN, n_latent),
    )


class Autoencoder(nn.Module):
    """A variational autoencoder with Gaussian codes.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of a row: (n_features,) or (channels, height, width).

    n_latent : int
        Length of a code.
    """

    def __init__(self, input_shape, n_latent):
        super().__init__()
        self.encoder = make_encoder(input_shape, 2 * n_latent)
        self.decoder = _make_decoder(input_shape, n_latent)

    def encode(self, rows):
        """Return mean and logarithm of the variance of the codes of rows."""
        return self.encoder(rows).chunk(2, dim=1)

    def decode(self, codes):
        """Return the rows of codes."""
        return self.decoder(codes)


def _make_decoder(input_shape, n_latent):
    if len(input_shape) == 1:
        return nn.Sequential(
            nn.Linear(n_latent, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, _HIDDEN),
            nn.ReLU(),
            nn.Linear(_HIDDEN, input_shape[0]),
        )
    channels, height, width = input_shape
    small = (2 * _CHANNELS, *_quarter(height, width))
    return nn.Sequential(
        nn.Linear(n_latent, _HIDDEN),
        nn.ReLU(),
        nn.Linear(_HIDDEN, math.prod(small)),
        nn.ReLU(),
        nn.Unflatten(1, small),
        nn.ConvTranspose2d(2 * _CHANNELS, _CHANNELS, 4, stride=2, padding=1),
        nn.ReLU(),
        nn.ConvTranspose2d(_CHANNELS, channels, 4, stride=2, padding=1),
        _Crop(height, width),
    )


class _Crop(nn.Module):
    """Cut images to a height and width that need not be multiples of 4."""

    def __init__(self, height, width):
        super().__init__()
        self.height, self.width = height, width

    def forward(self, images):
        return images[..., : self.height, : self.width]


def _quarter(height, width):
    return math.ceil(height / 4), math.ceil(width / 4)


def _check_is_image(shape):
    if len(shape) != 3:
        raise ValueError(
            "The default networks take rows of shape (n_features,) or (channels, "
            f"height, width), got {shape}; pass a network of your own."
        )
    return shape
