"""The base of strategies with a discriminator of labelled and unlabelled rows."""

import math
from abc import abstractmethod
from numbers import Integral, Real

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.utils import gen_batches
from sklearn.utils.sparsefuncs import mean_variance_axis
from torch import nn
from torch.nn.functional import softplus

from skactive.acquisition._base import BaseStrategy
from skactive.deep._training import resolve_device, seeded
from skactive.utils._rows import all_finite
from skactive.utils._sampling import draw_rows
from skactive.utils._sklearn import Interval

# Number of values in a block of rows to be scored.
_BLOCK_NUMBERS = 2**20
# A column that varies less than this, relative to its mean, varies only by rounding.
_CONSTANT = 1e-12


class AdversarialStrategy(BaseStrategy):
    """Base of strategies that train a discriminator of labelled and unlabelled rows.

    A subclass implements `_train`. Queried rows without an answer are on the side of
    the labelled ones, as they are not queried again.
    """

    _parameter_constraints = {
        "image_shape": [tuple, list, None],
        "n_latent": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "max_unlabeled": [Interval(Integral, 1, None, closed="left"), None],
        "device": [str, torch.device],
    }

    @property
    def needs(self):
        return frozenset({"embedding"})

    def check_model(self, estimator, committee=None):
        """Raise if there is no such device.

        Parameters
        ----------
        estimator : estimator object
            The unfitted classifier.

        committee : int, list, estimator object or None, default=None
            The committee, see :class:`~skactive.ActiveLearningClassifier`.

        Raises
        ------
        ValueError
            Saying what is missing.
        """
        resolve_device(self.device)

    def utility(self, pool):
        known = np.flatnonzero(pool.labeled | pool.asked)
        if not len(known):
            return np.random.default_rng(pool.random_state).random(len(pool))
        unlabeled = draw_rows(pool.candidates, self.max_unlabeled, pool.random_state)
        device = resolve_device(self.device)
        with seeded(pool.random_state, device), torch.enable_grad():
            rows = RoundRows(pool, known, unlabeled, self.image_shape, device)
            batches = PairedBatches(
                rows, self.batch_size, np.random.default_rng(pool.random_state)
            )
            score = self._train(pool, rows, batches)
            scores, known_scores = [], {}
            with torch.inference_mode():
                for block in rows.blocks(pool.candidates):
                    scores += _same_for_equal_rows(score(block), block, known_scores)
        scores = np.array(scores)
        if not np.isfinite(scores).all():
            raise ValueError(
                f"The training of {type(self).__name__} has diverged: the scores of "
                f"some rows are not finite. Try a smaller lr than {self.lr}."
            )
        return scores

    @abstractmethod
    def _train(self, pool, rows, batches):
        """Train, and return a function from a block of rows to their utilities."""

    def _n_steps(self, rows):
        """Return the number of steps of the discriminator."""
        n_rows = rows.n_known + rows.n_unlabeled
        return self.max_epochs * math.ceil(n_rows / self.batch_size)


class RoundRows:
    """Rows of one round as tensors: standardised, and in the shape that networks take.

    Training rows, first the known ones and then the unlabelled, are kept as float32;
    sparse rows stay sparse, and are made dense in each mini-batch.

    Parameters
    ----------
    pool : Pool
        The round.

    known : ndarray of shape (n_known,), dtype int
        Rows that are labelled or were queried.

    unlabeled : ndarray of shape (n_unlabeled,), dtype int
        Other rows to train on.

    image_shape : tuple of int or None
        Shape of the images that are in the rows.

    device : torch.device
        Device of the tensors.
    """

    def __init__(self, pool, known, unlabeled, image_shape, device):
        self.n_known, self.n_unlabeled = len(known), len(unlabeled)
        self._device = device
        self._take = _source(pool)
        features = self._take(np.concatenate([known, unlabeled]))
        self.shape = _shape_of_rows(features.shape[1:], image_shape)
        self._block_rows = max(1, _BLOCK_NUMBERS // math.prod(self.shape))
        self._shift, self._scale = _shift_and_scale(features, self.shape)
        self._training = (
            features if issparse(features) else self._standardized(features)
        )

    def batch(self, positions):
        """Return some of the training rows, on the device."""
        rows = self._training[positions]
        if issparse(rows):
            rows = self._standardize(rows.toarray())
        return self.to_device(rows)

    def blocks(self, numbers):
        """Yield rows by their numbers, block by block, on the device."""
        for part in gen_batches(len(numbers), self._block_rows):
            rows = self._take(numbers[part])
            rows = self._standardize(rows.toarray() if issparse(rows) else rows)
            yield self.to_device(rows)

    def place(self, module):
        """Return a network on the device of the rows, and of their precision."""
        return module.to(self._device, torch.float32).train()

    def to_device(self, array):
        """Return an array as a tensor on the device of the rows."""
        return torch.from_numpy(array).to(self._device)

    def _standardized(self, features):
        out = np.empty((len(features), *self.shape), dtype=np.float32)
        for part in gen_batches(len(features), self._block_rows):
            out[part] = self._standardize(features[part])
        return out

    def _standardize(self, features):
        rows = features.reshape(len(features), *self.shape)
        return ((rows - self._shift) / self._scale).astype(np.float32)


class PairedBatches:
    """Endless pairs of mini-batches, one of known and one of unlabelled rows.

    Each side is shuffled again when all its rows have been taken, except for a rest
    that does not fill a mini-batch.

    Parameters
    ----------
    rows : RoundRows
        The rows.

    batch_size : int
        Rows of a mini-batch, of each side; fewer if there are fewer rows.

    rng : numpy.random.Generator
        Generator for the shuffling.
    """

    def __init__(self, rows, batch_size, rng):
        self._rows = rows
        self._known = _endless(rows.n_known, batch_size, rng)
        self._unlabeled = _endless(rows.n_unlabeled, batch_size, rng)

    def draw(self):
        """Return the next pair, and the positions of its known rows."""
        known = next(self._known)
        unlabeled = self._rows.n_known + next(self._unlabeled)
        return self._rows.batch(known), self._rows.batch(unlabeled), known


def _same_for_equal_rows(scores, rows, known):
    """Return scores as a list in which equal rows have the score of the first of them.

    In single precision, scores of equal rows differ by their place in a block.

    Parameters
    ----------
    scores : ndarray of shape (n_rows,)
        Their scores.

    rows : torch.Tensor of shape (n_rows, ...)
        The rows.

    known : dict
        Scores of earlier rows by their bytes' hash; new ones are added.

    Returns
    -------
    scores : list of float
        Equal for equal rows.
    """
    keys = [hash(row.tobytes()) for row in rows.cpu().numpy()]
    return [known.setdefault(*pair) for pair in zip(keys, scores, strict=True)]


def _endless(n_rows, batch_size, rng):
    size = min(batch_size, n_rows)
    while True:
        order = rng.permutation(n_rows)
        for start in range(0, n_rows - size + 1, size):
            yield order[start : start + size]


def make_discriminator(n_latent):
    """Return a network that tells labelled from unlabelled rows; it gives logits."""
    return nn.Sequential(
        nn.Linear(n_latent, 128),
        nn.ReLU(),
        nn.Linear(128, 128),
        nn.ReLU(),
        nn.Linear(128, 1),
        nn.Flatten(0),
    )


def discriminator_loss(labeled_logits, unlabeled_logits):
    """Return -E log D(labelled) - E log(1 - D(unlabelled)), from logits of D."""
    # log D is -softplus(-logit) and log(1 - D) is -softplus(logit).
    return softplus(-labeled_logits).mean() + softplus(unlabeled_logits).mean()


def _source(pool):
    """Return the function that takes rows: from X if it is numeric, else embedded."""
    X = pool.X
    if (
        isinstance(X, np.ndarray)
        and X.ndim >= 2
        and X.dtype.kind in "biuf"
        and all_finite(X)
    ):
        return X.__getitem__
    return pool.embedding


def _shape_of_rows(shape, image_shape):
    """Return the shape that a network sees: (n_features,) or channels first."""
    if image_shape is None:
        return (1, *shape) if len(shape) == 2 else tuple(shape)
    image_shape = tuple(image_shape)
    if len(image_shape) not in (2, 3) or math.prod(image_shape) != math.prod(shape):
        raise ValueError(
            "image_shape must be (height, width) or (channels, height, width) and "
            f"hold the {math.prod(shape)} numbers of a row, got {image_shape}."
        )
    return (1, *image_shape) if len(image_shape) == 2 else image_shape


def _shift_and_scale(features, shape):
    """Return mean and deviation of each column, or of each channel of images."""
    if issparse(features):
        mean, variance = mean_variance_axis(features, axis=0)
        shift, scale = mean.reshape(shape), np.sqrt(variance).reshape(shape)
        if len(shape) > 1:
            axes = tuple(range(1, len(shape)))
            shift = mean.reshape(shape).mean(axis=axes, keepdims=True)
            squares = (variance + mean**2).reshape(shape)
            squares = squares.mean(axis=axes, keepdims=True)
            scale = np.sqrt(np.maximum(squares - shift**2, 0))
    else:
        rows = features.reshape(len(features), *shape)
        axes = (0, *range(2, rows.ndim))
        shift = rows.mean(axis=axes, dtype=np.float64, keepdims=True)[0]
        scale = rows.std(axis=axes, dtype=np.float64, keepdims=True)[0]
    return shift, np.where(scale > _CONSTANT * np.abs(shift), scale, 1.0)
