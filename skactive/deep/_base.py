"""The base class of deep classifiers: from parameters and rows to trained nets."""

from collections.abc import Mapping
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skactive.deep._inputs import check_classes, check_known, check_training
from skactive.deep._members import MemberPredictionsMixin
from skactive.deep._modules import find_head, view
from skactive.deep._nets import NetParamsMixin, check_output, make_net, make_network
from skactive.deep._training import (
    resolve_device,
    seeded,
    stream_seed,
    train,
)
from skactive.deep._warm_start import shrink_and_perturb
from skactive.utils._sklearn import Interval, _fit_context

# The random streams of a fit: one for each use, so that more draws for one use do not
# change the others.
START, TRAIN, MEMBERS, PERTURB, SHARED_START, BOOTSTRAP = range(6)


class BaseDeepClassifier(
    MemberPredictionsMixin, ClassifierMixin, NetParamsMixin, BaseEstimator
):
    """Base class of classifiers that are one or several neural networks.

    It makes the nets and trains them; `MemberPredictionsMixin` predicts with them. A
    subclass gives the number of nets (`_n_nets`) and members (`_n_members`), and runs
    the members (`_run_members`). It may change how a net is made and trained.
    """

    _parameter_constraints = {
        "module": [callable, None],
        "hidden_layer_sizes": ["array-like"],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "image_shape": [tuple, list, None],
        "head": [str, None],
        "max_epochs": [Interval(Integral, 1, None, closed="left")],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "optimizer": [callable],
        "warm_start": ["boolean"],
        "shrink": [Interval(Real, 0, 1, closed="both")],
        "noise": [Interval(Real, 0, None, closed="left")],
        "block_size": [Interval(Integral, 1, None, closed="left")],
        "device": [str, torch.device],
        "net": [type, None],
        "net_params": [Mapping, None],
        "classes": ["array-like", None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        module=None,
        *,
        hidden_layer_sizes=(128,),
        dropout=0.5,
        image_shape=None,
        head=None,
        max_epochs=100,
        lr=0.003,
        batch_size=32,
        optimizer=torch.optim.Adam,
        warm_start=False,
        shrink=0.6,
        noise=0.01,
        block_size=8192,
        device="auto",
        net=None,
        net_params=None,
        classes=None,
        random_state=None,
    ):
        self.module = module
        self.hidden_layer_sizes = hidden_layer_sizes
        self.dropout = dropout
        self.image_shape = image_shape
        self.head = head
        self.max_epochs = max_epochs
        self.lr = lr
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.warm_start = warm_start
        self.shrink = shrink
        self.noise = noise
        self.block_size = block_size
        self.device = device
        self.net = net
        self.net_params = net_params
        self.classes = classes
        self.random_state = random_state

    def _validate_params(self):
        super()._validate_params()
        for name in ("hidden_layer_sizes", "image_shape"):
            sizes = getattr(self, name)
            if sizes is not None and not all(_is_size(size) for size in sizes):
                raise ValueError(
                    f"The {name!r} parameter of {type(self).__name__} must hold whole "
                    f"numbers of at least 1, got {sizes!r}."
                )

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y):
        """Train the networks.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Rows; images of shape (n_samples, height, width) or (n_samples, channels,
            height, width), too.

        y : array-like of shape (n_samples,)
            Labels.

        Returns
        -------
        self : object
            The fitted classifier.
        """
        X, y = check_training(self, X, y, reset=True)
        before = vars(self).pop("_before", None)
        if self.warm_start and hasattr(self, "nets_"):
            before = self._weights()
        known = np.unique(y if self.classes is None else self.classes)
        check_known(y, known)
        self.classes_, y = known, np.searchsorted(known, y)
        self._start(X)
        self._continue(before, X, y)
        self._train(X, y, self._n_fit_epochs)
        self._finish(X)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None):
        """Train the networks for one more epoch.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or (n_samples, ...)
            Rows.

        y : array-like of shape (n_samples,)
            Labels.

        classes : array-like of shape (n_classes,) or None, default=None
            All classes, needed in the first call.

        Returns
        -------
        self : object
            The classifier.
        """
        first = not hasattr(self, "nets_")
        if first and classes is None:
            classes = self.classes
        if first and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        X, y = check_training(self, X, y, reset=first)
        self.classes_ = check_classes(self, y, classes)
        if first:
            self._start(X)
        self._train(X, np.searchsorted(self.classes_, y), 1)
        self._finish(X)
        return self

    @property
    def _n_nets(self):
        """Number of nets."""
        return 1

    @property
    def _n_fit_epochs(self):
        """Number of epochs of a fit."""
        return self.max_epochs

    def _start(self, X):
        """Make new nets, and check that they can work on the rows."""
        if self.random_state is None:
            self._seed = np.random.SeedSequence().entropy
        elif isinstance(self.random_state, Integral):
            self._seed = int(self.random_state)
        else:
            self._seed = int(self.random_state.randint(np.iinfo(np.int32).max))
        self._n_epochs = 0
        self.nets_ = [self._start_net(n, X[:2]) for n in range(self._n_nets)]

    def _start_net(self, number, rows):
        """Return a net with new weights, for rows like the given ones."""
        device = resolve_device(self.device)
        with seeded(stream_seed(self._seed, START, number), device):
            facts = len(self.classes_), self.input_shape_
            network = make_network(self, *facts)
            if number == 0:
                self._check_network(view(network), torch.as_tensor(rows))
            module, params = self._wrap(network, torch.as_tensor(rows))
            return make_net(self, module, device, **params).initialize()

    def _check_network(self, network, rows):
        """Raise if the view of a network cannot work; find its head."""
        check_output(network, rows, len(self.classes_))
        self._head = find_head(network, rows, self.head)

    def _wrap(self, network, rows):
        """Return the module that is trained, and parameters of its net."""
        return network, {}

    def _network(self, number):
        """Return the network within a net, as the user or the default has made it."""
        return self.nets_[number].module_

    def start_from(self, fitted):
        """Let the next `fit` start from the weights of another classifier.

        :class:`~skactive.ActiveLearningClassifier` calls it from round to round if
        `warm_start` is set, as it fits a clone in each round.

        Parameters
        ----------
        fitted : object
            A fitted classifier of the same kind.

        Returns
        -------
        self : object
            The classifier.
        """
        check_is_fitted(fitted)
        self._before = fitted._weights()  # noqa: SLF001 (an object of this class)
        return self

    def _weights(self):
        """Return the classes, and the weights of all networks."""
        return self.classes_, [net.module_.state_dict() for net in self.nets_]

    def _continue(self, before, X, y):
        """Start from earlier weights, if they fit."""
        if before is None or not np.array_equal(before[0], self.classes_):
            return
        for number, (net, state) in enumerate(zip(self.nets_, before[1], strict=False)):
            seed = stream_seed(self._seed, PERTURB, number)
            shrunk = self._network(number).parameters()
            shrink_and_perturb(
                net.module_, state, self.shrink, self.noise, seed, shrunk
            )

    def _train(self, X, y, n_epochs):
        for number, net in enumerate(self.nets_):
            self._train_net(net, number, X, y, n_epochs)
        self._n_epochs += n_epochs

    def _train_net(self, net, number, X, y, n_epochs):
        seed = stream_seed(self._seed, TRAIN, number, self._n_epochs)
        with seeded(seed, net.device):
            train(net, X, y, n_epochs)

    def _finish(self, X):
        """Prepare predictions, after training on some rows."""

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.non_deterministic = self.random_state is None
        return tags


def _is_size(value):
    return isinstance(value, Integral) and value >= 1
