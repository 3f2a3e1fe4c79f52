"""Dropout at prediction: one mask for each member, many members in one pass."""

from collections import Counter
from functools import partial

import torch
from torch import nn

from skactive.deep._modules import first_output, view
from skactive.deep._training import generator

_CHANNEL_WISE = (nn.Dropout1d, nn.Dropout2d, nn.Dropout3d, nn.FeatureAlphaDropout)
_ALPHA = (nn.AlphaDropout, nn.FeatureAlphaDropout)
DROPOUT = (nn.Dropout, *_CHANNEL_WISE, *_ALPHA)
# Value of a dropped unit of alpha dropout: minus scale times alpha of SELU.
_DROPPED = -1.7580993408473766
# Places at which members may be stacked, the best first.
_PLACES = ("linear", "dropout", "input", "nowhere")
# Masked weights of all members are kept up to this number of values.
_MAX_WEIGHTS = 2**24


def has_dropout(module):
    """Tell whether a part of a network is dropout."""
    return any(isinstance(part, DROPOUT) for part in module.modules())


def find_dropout(module):
    """Return names and parts of a network that are dropout; raise if there is none."""
    if not has_dropout(module):
        raise ValueError(
            "The module has no dropout: none of its parts is a torch.nn.Dropout, "
            "Dropout1d, Dropout2d, Dropout3d, AlphaDropout or FeatureAlphaDropout. "
            "Calls of torch.nn.functional.dropout and the dropout= of recurrent layers "
            "cannot be found; use a part for it."
        )
    parts = module.named_modules()
    return [(name, part) for name, part in parts if isinstance(part, DROPOUT)]


def affine_mask(part, kept, dtype):
    """Return the factor and the summand of dropout, for kept and dropped units.

    Parameters
    ----------
    part : torch.nn.Module
        The dropout.

    kept : torch.Tensor of dtype bool
        True for units that are kept.

    dtype : torch.dtype
        Type of the result.

    Returns
    -------
    scale, shift : torch.Tensor, and torch.Tensor or None
        Of the shape of `kept`.
    """
    keep = 1.0 - part.p
    if not isinstance(part, _ALPHA):
        # Units are scaled by 1 / (1 - p), as in training.
        return kept.to(dtype) / keep if keep else kept.to(dtype), None
    if keep == 0:
        return torch.zeros_like(kept, dtype=dtype), None
    # Klambauer et al. 2017, section "New dropout technique": x is replaced by
    # a (x d + alpha' (1 - d)) + b, which keeps mean 0 and variance 1.
    a = (keep + _DROPPED**2 * keep * (1.0 - keep)) ** -0.5
    b = -a * (1.0 - keep) * _DROPPED
    scale = a * kept.to(dtype)
    return scale, a * _DROPPED * (~kept).to(dtype) + b


class DropoutMembers:
    """A network whose dropout uses one mask for each member, the same for all rows.

    Masks depend only on the seed, the number of the member, the part of the network,
    and the number of earlier calls of that part in the pass.

    Parameters
    ----------
    module : torch.nn.Module
        The network; it is not changed.

    seed : int
        Seed of the masks.

    n_members : int
        Number of members.

    place : {"linear", "dropout", "input", "nowhere"}, default="dropout"
        Where the rows are repeated for the members: in the linear layer after the first
        dropout, whose weights are masked instead of its input; at the first dropout, so
        that the layers before it are run once; at the input; or not at all, with one
        member at a time.

    rate : float or None, default=None
        Share of units that are dropped, instead of the rate of each part.
    """

    def __init__(self, module, seed, n_members, place="dropout", rate=None):
        self.module = view(module)
        self.seed, self.n_members, self.place = seed, n_members, place
        self._masks, self._weights = {}, {}
        if place == "linear":
            for name, part in self.module.named_modules():
                if isinstance(part, nn.Linear):
                    part.register_forward_hook(partial(self._apply_to_weights, name))
        for number, (name, part) in enumerate(find_dropout(self.module)):
            part.p = part.p if rate is None else rate
            part.register_forward_hook(partial(self._apply, name, number))

    def run(self, X, members):
        """Return the output of some members for some rows.

        Parameters
        ----------
        X : torch.Tensor of shape (n_rows, ...)
            Rows.

        members : range
            Numbers of the members.

        Returns
        -------
        output : torch.Tensor of shape (n_members, n_rows, ...)
            Output of the network, the first one if it has several.
        """
        if self.place == "nowhere" and len(members) > 1:
            return torch.cat([self.run(X, [member]) for member in members])
        self._members, self._n_rows, self._calls = members, len(X), Counter()
        self._stacked, self._waiting = len(members) == 1, None
        if not self._stacked and self.place == "input":
            X = X.repeat(len(members), *[1] * (X.ndim - 1))
            self._stacked = True
        with torch.inference_mode():
            output = first_output(self.module(X))
        if not self._calls:
            raise ValueError(
                "No dropout of the module is run when it predicts, so that all its "
                "members would be the same."
            )
        if not self._stacked and self._waiting is not None:
            raise ValueError("The first dropout is not followed by a linear layer.")
        if not self._stacked:  # every rate is 0
            output = output.repeat(len(members), *[1] * (output.ndim - 1))
        return output.unflatten(0, (len(members), self._n_rows))

    def _apply(self, name, number, part, _, output):
        """Multiply the input of a dropout by the masks of the members."""
        call = self._calls[number]
        self._calls[number] += 1
        expected = self._n_rows * (len(self._members) if self._stacked else 1)
        if len(output) != expected:
            raise ValueError(
                f"The dropout {name!r} got a tensor of shape {tuple(output.shape)} for "
                f"{expected} rows. Its first dimension must be the rows: otherwise a "
                "mask could not be the same for all of them."
            )
        if part.p == 0:
            return output
        masks = self._get_masks(name, number, call, part, output)
        if self.place == "linear" and not self._stacked:
            if self._waiting is not None or output.ndim != 2:
                raise ValueError(f"No linear layer can take the place of {name!r}.")
            self._waiting = output, masks, (number, call)
            return output
        return self._multiply(output, masks)

    def _multiply(self, output, masks):
        """Return rows of all members, each multiplied by its mask."""
        stacked = (len(self._members), self._n_rows) if self._stacked else (1, -1)
        output = output.unflatten(0, stacked)
        scale, shift = (m if m is None else m.unsqueeze(1) for m in masks)
        output = output * scale if shift is None else output * scale + shift
        self._stacked = True
        return output.flatten(0, 1)

    def _apply_to_weights(self, name, part, args, output):
        """Return the output of a linear layer for the rows, masked for each member.

        The weights are multiplied by the masks instead of the rows: they are fewer.
        """
        if self._waiting is None or args[0] is not self._waiting[0]:
            return output
        rows, (scale, shift), called = self._waiting
        if len(scale) * part.weight.numel() > _MAX_WEIGHTS:
            stacked = self._multiply(rows, (scale, shift))
            return nn.functional.linear(stacked, part.weight, part.bias)
        key = (name, *called, len(self._members), self._members[0])
        if key not in self._weights:
            if shift is None:
                bias = None if part.bias is None else part.bias.repeat(len(scale))
            else:  # W (x s + t) + b = (W s) x + (W t + b)
                bias = nn.functional.linear(shift, part.weight, part.bias).flatten()
            weights = (part.weight * scale.unsqueeze(1)).flatten(0, 1)
            self._weights[key] = weights, bias
        output = nn.functional.linear(rows, *self._weights[key])
        output = output.unflatten(1, (len(scale), -1)).transpose(0, 1)
        self._stacked = True
        return output.flatten(0, 1)

    def _get_masks(self, name, number, call, part, output):
        """Return the masks of the members, drawn when they are first needed."""
        shape = _mask_shape(name, part, output)
        key = (number, call, shape)
        if key not in self._masks:
            kept = torch.stack(
                [
                    torch.rand(shape, generator=generator(self.seed, c, number, call))
                    >= part.p
                    for c in range(self.n_members)
                ]
            )
            masks = affine_mask(part, kept, output.dtype)
            self._masks[key] = [m if m is None else m.to(output.device) for m in masks]
        if len(self._members) == self.n_members:
            return self._masks[key]
        rows = list(self._members)
        return [m if m is None else m[rows] for m in self._masks[key]]


def _mask_shape(name, part, output):
    """Return the shape of the mask of one member, which broadcasts over the rows."""
    if not isinstance(part, _CHANNEL_WISE):
        return tuple(output.shape[1:])
    if output.ndim < 3:
        raise ValueError(
            f"The dropout {name!r} drops whole channels, but got a tensor of shape "
            f"{tuple(output.shape)}; it must be (rows, channels, ...)."
        )
    return (output.shape[1], *[1] * (output.ndim - 2))


def choose_place(module, X):
    """Return the best place at which members of a network can be stacked.

    A network that adds the input of the dropout to a later output, or that remembers
    the number of rows, cannot work on more rows from the first dropout on. So each
    place is tried with few rows, and compared with one member at a time.

    Parameters
    ----------
    module : torch.nn.Module
        The network.

    X : torch.Tensor of shape (n_rows, ...)
        A few rows.

    Returns
    -------
    place : {"linear", "dropout", "input", "nowhere"}
        For :class:`DropoutMembers`.
    """
    # With rare dropout, two members would often be equal, and the trial prove nothing.
    members, rate = range(2), 0.5
    expected = DropoutMembers(module, 0, 2, "nowhere", rate).run(X, members)
    tolerance = 1e-4 * max(1.0, expected.abs().max().item())
    for place in _PLACES[:-1]:
        try:
            output = DropoutMembers(module, 0, 2, place, rate).run(X, members)
        except Exception:  # a forward may raise anything
            continue
        if output.shape == expected.shape:
            if torch.allclose(output, expected, rtol=0, atol=tolerance):
                return place
    return _PLACES[-1]
