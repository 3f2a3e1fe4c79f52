"""Parameters that all deep classifiers share: their order and their description."""

import inspect
import re
import textwrap

_DESCRIPTION = """
hidden_layer_sizes : tuple of int, default=(128,)
    Widths of the hidden layers of the default network.

dropout : float, default=0.5
    Share of the hidden units that the default network drops in training; half of it
    after convolutions.

image_shape : tuple of int or None, default=None
    Shape of one row, (channels, height, width) or (height, width), where rows of `X`
    are images that have been flattened.

head : str or None, default=None
    Name of the part of `module` whose input is the embedding. By default the last
    linear layer that is run.

max_epochs : int, default=100
    Number of passes over the rows in training.

lr : float, default=0.003
    Learning rate.

batch_size : int, default=32
    Rows of a minibatch in training.

optimizer : class, default=torch.optim.Adam
    Optimizer.

warm_start : bool, default=False
    Whether `fit` starts from the weights of the previous `fit`, shrunk and perturbed,
    if classes and shapes are the same; otherwise it starts from new weights.

shrink : float, default=0.6
    Factor of the weights in a warm start.

noise : float, default=0.01
    Standard deviation of the noise on the weights in a warm start.

block_size : int, default=8192
    Largest number of rows that go through the network at once when it predicts, counted
    once for each member. It bounds the memory, and does not change the result.

device : str or torch.device, default="auto"
    Where the network is; ``"auto"`` is a CUDA device if there is one.

net : class or None, default=None
    Class of the net, a subclass of :class:`skorch.NeuralNetClassifier`, for instance
    with mixed precision; that class itself if None.

net_params : dict or None, default=None
    More parameters of the skorch net: ``callbacks``, ``train_split``,
    ``optimizer__weight_decay``, ``module__width`` and so on. Names with two underscores
    can be set by `set_params`, so that a grid search reaches them.

classes : array-like of shape (n_classes,) or None, default=None
    All possible classes, each of which gets an output, with or without a label. If
    None, the classes in `y`, or within :class:`~skactive.ActiveLearningClassifier` its
    `classes`.

random_state : int, RandomState instance or None, default=None
    Seeds the weights, the order of rows, and the draws of members. Torch's own random
    state is not changed.
"""

_MODULE = """
module : class, callable, torch.nn.Module or None, default=None
    The network: a class or function that makes it, or a module from whose weights
    training starts. It returns logits of shape (n_samples, n_classes). A class or
    function gets `n_classes`, `n_features` and `input_shape` if its signature names
    them. If None, a multilayer perceptron, or for images a small convolutional network.
"""

_ATTRIBUTES = """
nets_ : list of skorch.NeuralNetClassifier
    The trained nets; one, or one for each network of an ensemble.

classes_ : ndarray of shape (n_classes,)
    Classes: `classes`, or those in `y`.

input_shape_ : tuple of int
    Shape of a row in the input of the network.

n_features_in_ : int
    Number of features seen during `fit`.

feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Names of the features seen during `fit`, if `X` has names that are all strings.
"""

_SHARED = set(re.findall(r"^(\w+) : ", _DESCRIPTION, re.M))


def shares_parameters(cls):
    """Give a class the parameters of its base class, and their description.

    Its ``__init__`` takes them as keyword arguments and passes them on. They are added
    to its signature, where scikit-learn looks for them, and their description to the
    docstring, in place of ``{module}``, ``{parameters}`` and ``{attributes}``.
    """
    own = inspect.signature(cls.__init__).parameters
    base = inspect.signature(cls.__mro__[1].__init__).parameters
    first = [
        parameter
        for name, parameter in own.items()
        if name not in _SHARED and parameter.kind is not parameter.VAR_KEYWORD
    ]
    others = [
        own.get(name, parameter)
        for name, parameter in base.items()
        if name in _SHARED or name not in own
    ]
    cls.__init__.__signature__ = inspect.Signature([*first, *others])
    parameters = _DESCRIPTION
    for name in _SHARED & set(own):
        parameters = _with_default(parameters, own[name])
    for name, text in [
        ("module", _MODULE),
        ("parameters", parameters),
        ("attributes", _ATTRIBUTES),
    ]:
        indented = textwrap.indent(text.strip(), "    ")
        cls.__doc__ = cls.__doc__.replace(f"    {{{name}}}", indented)
    return cls


def _with_default(text, parameter):
    """Write another default into the description of a parameter."""
    return re.sub(
        rf"^({parameter.name} : .*default=)(.*)$",
        lambda found: found[1] + str(parameter.default),
        text,
        flags=re.M,
    )
