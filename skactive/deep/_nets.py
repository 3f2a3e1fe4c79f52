"""From the parameters of a classifier to its network, and to the skorch net."""

import copy
from collections.abc import Mapping

import numpy as np
import torch
from skorch import NeuralNetClassifier
from torch import nn

from skactive.deep._modules import facts_wanted, first_output, make_cnn, make_mlp
from skactive.deep._training import ArrayBatches

# Parameters of a skorch net that are parameters of the classifier.
_OURS = {"module", "optimizer", "lr", "batch_size", "max_epochs", "device"}


class NetParamsMixin:
    """Lets parameters of the net be set by name, so that a grid search reaches them."""

    def get_params(self, deep=True):
        """Get parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parameters in `net_params` with two underscores.

        Returns
        -------
        params : dict
            Names and values.
        """
        params = super().get_params(deep=False)
        if deep:
            given = params["net_params"]
            given = given if isinstance(given, Mapping) else {}
            params |= {name: v for name, v in given.items() if "__" in name}
        return params

    def set_params(self, **params):
        """Set parameters, including those of the net, which have two underscores.

        Parameters
        ----------
        **params : dict
            Names and values.

        Returns
        -------
        self : object
            The classifier.
        """
        nested = {name: params.pop(name) for name in list(params) if "__" in name}
        super().set_params(**params)
        if nested:
            self.net_params = dict(self.net_params or {}) | nested
        return self


def make_network(classifier, n_classes, input_shape):
    """Return a new network, drawn from torch's random state.

    Parameters
    ----------
    classifier : BaseDeepClassifier
        The classifier, for its parameters.

    n_classes : int
        Number of classes.

    input_shape : tuple of int
        Shape of a row.

    Returns
    -------
    network : torch.nn.Module
        Not yet on its device.
    """
    module = classifier.module
    params = {
        name.removeprefix("module__"): copy.deepcopy(value)
        for name, value in (classifier.net_params or {}).items()
        if name.startswith("module__")
    }
    n_features = int(np.prod(input_shape))
    if module is None:
        sizes = tuple(classifier.hidden_layer_sizes), classifier.dropout
        if len(input_shape) == 1:
            return make_mlp(n_features, n_classes, *sizes, **params)
        return make_cnn(input_shape, n_classes, *sizes, **params)
    if isinstance(module, nn.Module):
        return type(module)(**params) if params else copy.deepcopy(module)
    facts = {
        "n_classes": n_classes,
        "n_features": n_features,
        "input_shape": input_shape,
    }
    return module(**facts_wanted(module, facts) | params)


def make_net(classifier, module, device, callbacks=(), **params):
    """Return a skorch net that is not initialised.

    Parameters
    ----------
    classifier : BaseDeepClassifier
        The classifier, for its parameters.

    module : torch.nn.Module
        The module to train.

    device : str or torch.device
        Where to train.

    callbacks : list of (str, skorch.callbacks.Callback), default=()
        Callbacks that come before those of the user.

    **params : dict
        Parameters of the net; those of the user win.

    Returns
    -------
    net : skorch.NeuralNetClassifier
        The net.
    """
    given = dict(classifier.net_params or {})
    twice = sorted(_OURS.intersection(given))
    if twice:
        raise ValueError(
            f"net_params must not hold {twice}; they are parameters of "
            f"{type(classifier).__name__}."
        )
    if callbacks:
        others = given.get("callbacks")
        if others in (None, "disable"):
            others = []
        given["callbacks"] = [*callbacks, *others]
    params = {
        "criterion": nn.CrossEntropyLoss,
        "optimizer": classifier.optimizer,
        "lr": classifier.lr,
        "batch_size": classifier.batch_size,
        "max_epochs": classifier.max_epochs,
        "train_split": None,
        "iterator_train__shuffle": True,
        "verbose": 0,
        "device": device,
    } | params
    if not any(name.startswith(("iterator_train", "dataset")) for name in given):
        params["iterator_train"] = ArrayBatches
    params |= {
        name: copy.deepcopy(value)
        for name, value in given.items()
        if not name.startswith("module__")
    }
    return (classifier.net or NeuralNetClassifier)(module, **params)


def check_output(network, rows, n_classes):
    """Raise unless the view of a network gives one logit for each row and class."""
    with torch.inference_mode():
        output = first_output(network(rows))
    expected = (len(rows), n_classes)
    if tuple(output.shape) != expected:
        raise ValueError(
            f"The module returned {tuple(output.shape)} for {len(rows)} rows of "
            f"{n_classes} classes; expected logits of shape {expected}. A class or "
            "function may name n_classes in its signature to get their number. If "
            "there are classes that have no label yet, give all of them: classes= of "
            "ActiveLearningClassifier, or of this classifier."
        )


def to_proba(net, output):
    """Return the output of a network as probabilities, a float64 array on the CPU."""
    nonlinearity = net.predict_nonlinearity
    if callable(nonlinearity):
        output = nonlinearity(output)
    elif nonlinearity == "auto" and not isinstance(net.criterion_, nn.NLLLoss):
        output = output.double().softmax(-1)
    return output.double().cpu().numpy()
