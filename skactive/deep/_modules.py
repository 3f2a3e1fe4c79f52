"""Modules: the default networks, and functions that find parts of any network."""

import copy
import inspect
from math import ceil

import torch
from torch import nn

# Numbers of channels of the default network for images.
_CHANNELS = (16, 32)


def make_mlp(n_features, n_classes, hidden_layer_sizes, dropout):
    """Return a multilayer perceptron with dropout after each hidden layer."""
    layers, width = [], n_features
    for size in hidden_layer_sizes:
        layers += [nn.Linear(width, size), nn.ReLU(), nn.Dropout(dropout)]
        width = size
    return nn.Sequential(*layers, nn.Linear(width, n_classes))


def make_cnn(image_shape, n_classes, hidden_layer_sizes, dropout):
    """Return a small convolutional network for images of shape (channels, h, w).

    Two convolutions, the first with stride 2 and the second followed by pooling, then
    hidden layers. Dropout starts after the convolutions, so that they are computed once
    for all masks.
    """
    channels, height, width = image_shape
    first, second = _CHANNELS
    # The stride and the pooling each leave ceil(size / 2).
    flat = second * ceil(height / 4) * ceil(width / 4)
    return nn.Sequential(
        nn.Conv2d(channels, first, 5, stride=2, padding=2),
        nn.ReLU(),
        nn.Conv2d(first, second, 5, padding=2),
        nn.MaxPool2d(2, ceil_mode=True),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(dropout / 2),
        *make_mlp(flat, n_classes, hidden_layer_sizes, dropout),
    )


def facts_wanted(module, facts):
    """Return the facts about the data that the signature of a class or function names.

    Parameters
    ----------
    module : class or callable
        Makes a module.

    facts : dict
        The facts: the number of classes, and so on.

    Returns
    -------
    wanted : dict
        Keyword arguments.
    """
    try:
        names = inspect.signature(module).parameters
    except (TypeError, ValueError):  # some builtins have no signature
        return {}
    return {name: value for name, value in facts.items() if name in names}


def view(module):
    """Return a copy of a module in evaluation mode that shares its tensors.

    Hooks, modes and replaced parts of the copy do not change the module, even while
    another thread works with it.
    """
    module = getattr(module, "_orig_mod", module)  # what torch.compile wraps
    tensors = [*module.parameters(), *module.buffers()]
    return copy.deepcopy(module, {id(tensor): tensor for tensor in tensors}).eval()


def find_part(module, name, what):
    """Return the submodule of a name, or raise an error that lists the names."""
    parts = dict(module.named_modules())
    if name in parts and name:
        return parts[name]
    raise ValueError(
        f"{what}={name!r} names no part of the module; its parts are "
        f"{[part for part in parts if part]}."
    )


def last_linear(module, X):
    """Return the name of the linear layer that is run last on `X`.

    Parameters
    ----------
    module : torch.nn.Module
        A view, which is run once.

    X : torch.Tensor of shape (n_samples, ...)
        Some rows.

    Returns
    -------
    name : str or None
        Empty if the module is one itself, None if there is no linear layer.
    """
    called, handles = [], []
    for name, part in module.named_modules():
        if isinstance(part, nn.Linear):
            handles.append(
                part.register_forward_hook(lambda *_, name=name: called.append(name))
            )
    with torch.inference_mode():
        module(X)
    for handle in handles:
        handle.remove()
    return called[-1] if called else None


def find_head(module, X, head):
    """Return the name of the part whose input is the embedding.

    Parameters
    ----------
    module : torch.nn.Module
        A view.

    X : torch.Tensor of shape (n_samples, ...)
        Some rows.

    head : str or None
        The name, if the user gave one; if None, the last linear layer.

    Returns
    -------
    name : str
        The name of a submodule.
    """
    if head is not None:
        find_part(module, head, "head")
        return head
    name = last_linear(module, X)
    if name is None:
        raise ValueError(
            "The module has no torch.nn.Linear among its parts, whose input would be "
            "the embedding; name the part that takes the embedding with head=, one of "
            f"{[part for part, _ in module.named_modules() if part]}."
        )
    return name


class HeadReached(Exception):
    """Ends a forward pass where its head would begin."""


def run_to_head(module, name, X):
    """Return the input of the part `name` of a view, two-dimensional.

    Parameters
    ----------
    module : torch.nn.Module
        A view; parts after this one are not run.

    name : str
        Name of the part.

    X : torch.Tensor of shape (n_samples, ...)
        Rows.

    Returns
    -------
    embedding : torch.Tensor of shape (n_samples, n_components)
        The input of the part, flattened.
    """
    inputs = []

    def stop(_, args):
        inputs.append(args[0])
        raise HeadReached

    handle = dict(module.named_modules())[name].register_forward_pre_hook(stop)
    try:
        module(X)
    except HeadReached:
        return inputs[0].flatten(1)
    finally:
        handle.remove()
    raise ValueError(f"The part head={name!r} is not run by the module.")


def first_output(output):
    """Return the output of a network, the first one if there are several."""
    return output[0] if isinstance(output, tuple) else output
