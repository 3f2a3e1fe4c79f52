"""Ensembles of networks that are trained apart."""

import warnings
from numbers import Integral

from torch import nn

from skactive.deep._base import SHARED_START, BaseDeepClassifier
from skactive.deep._masks import find_dropout
from skactive.deep._mc_dropout import BaseMaskedClassifier
from skactive.deep._modules import view
from skactive.deep._shared import shares_parameters
from skactive.deep._training import seeded, stream_seed, train
from skactive.utils._sklearn import Interval


def warn_of_one_start(module, n_nets):
    """Warn if all networks would start with the same weights."""
    if isinstance(module, nn.Module) and n_nets > 1:
        warnings.warn(
            "All networks begin with the weights of module, which is an object; pass "
            "its class, or a function that makes one, for networks that differ more.",
            UserWarning,
            stacklevel=5,
        )


@shares_parameters
class DeepEnsembleClassifier(BaseDeepClassifier):
    """Networks that differ in their first weights and in the order of their batches.

    All members are trained on all rows, as in [1]_, where bootstraps of them made the
    ensemble worse; the adversarial examples of that paper are left out. Dropout, if
    there is any, works in training only.

    Parameters
    ----------
    {module}

    n_members : int, default=5
        Number of networks.

    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    .. [1] B. Lakshminarayanan, A. Pritzel, C. Blundell. "Simple and scalable predictive
       uncertainty estimation using deep ensembles". NeurIPS 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skactive.deep import DeepEnsembleClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = DeepEnsembleClassifier(n_members=3, max_epochs=20, random_state=0)
    >>> clf.fit(X, y).predict_member_proba(X[:5]).shape
    (3, 5, 3)
    """

    _parameter_constraints = BaseDeepClassifier._parameter_constraints | {
        "n_members": [Interval(Integral, 1, None, closed="left")]
    }

    _has_one_start = False  # whether members are meant to share their first weights

    def __init__(self, module=None, *, n_members=5, **parameters):
        super().__init__(module, **parameters)
        self.n_members = n_members

    @property
    def _n_nets(self):
        return self.n_members

    @property
    def _n_members(self):
        return len(self.nets_)

    def _start(self, X):
        if not self._has_one_start:
            warn_of_one_start(self.module, self._n_nets)
        super()._start(X)

    def _run_members(self, X):
        return self._run_views(X, [view(net.module_) for net in self.nets_])


@shares_parameters
class DiversityEncouragingEnsembleClassifier(DeepEnsembleClassifier):
    """Networks that are trained apart from the same start, with dropout.

    One network is trained for a few epochs, and its weights are the start of all
    members. These are trained apart; dropout makes them differ, and is off when they
    predict [1]_. This is cheaper than an ensemble of networks with random starts, and
    less diverse.

    Parameters
    ----------
    {module}

    n_members : int, default=5
        Number of networks.

    start_epochs : int, default=10
        Epochs for the start. Members are trained for `max_epochs` after it.

    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    .. [1] W. H. Beluch, T. Genewein, A. Nürnberger, J. M. Köhler. "The power of
       ensembles for active learning in image classification". CVPR 2018.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skactive.deep import DiversityEncouragingEnsembleClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = DiversityEncouragingEnsembleClassifier(
    ...     n_members=3, max_epochs=20, random_state=0
    ... )
    >>> clf.fit(X, y).predict_member_proba(X[:5]).shape
    (3, 5, 3)
    """

    _parameter_constraints = DeepEnsembleClassifier._parameter_constraints | {
        "start_epochs": [Interval(Integral, 0, None, closed="left")]
    }

    _has_one_start = True

    def __init__(self, module=None, *, n_members=5, start_epochs=10, **parameters):
        super().__init__(module, n_members=n_members, **parameters)
        self.start_epochs = start_epochs

    def _check_network(self, network, rows):
        super()._check_network(network, rows)
        find_dropout(network)

    def _continue(self, before, X, y):
        super()._continue(before, X, y)
        first, *others = self.nets_
        if self.start_epochs:
            seed = stream_seed(self._seed, SHARED_START)
            with seeded(seed, first.device):
                train(first, X, y, self.start_epochs)
            # All members begin with a new optimiser.
            first.initialize()
        for net in others:
            net.module_.load_state_dict(first.module_.state_dict())


@shares_parameters
class StochasticEnsembleClassifier(BaseMaskedClassifier):
    """An ensemble of networks, each with several masks of Monte Carlo dropout.

    An ensemble alone has few members, and the masks of one network resemble each other;
    together they are better calibrated [1]_. The number of members is ``n_networks *
    n_masks``.

    Parameters
    ----------
    {module}

    n_networks : int, default=5
        Number of networks.

    n_masks : int, default=5
        Number of masks of each network.

    mc_predict : bool, default=True
        Whether `predict_proba` and `predict` use the mean over the masks; if False,
        dropout is off. `predict_member_proba` uses the masks in both cases.

    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    .. [1] R. Pop, P. Fulop. "Deep ensemble Bayesian active learning: addressing the
       mode collapse issue in Monte Carlo dropout via ensembles". arXiv:1811.03897,
       2018.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skactive.deep import StochasticEnsembleClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = StochasticEnsembleClassifier(
    ...     n_networks=2, n_masks=4, max_epochs=20, random_state=0
    ... )
    >>> clf.fit(X, y).predict_member_proba(X[:5]).shape
    (8, 5, 3)
    """

    _parameter_constraints = BaseMaskedClassifier._parameter_constraints | {
        "n_networks": [Interval(Integral, 1, None, closed="left")],
        "n_masks": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self, module=None, *, n_networks=5, n_masks=5, mc_predict=True, **parameters
    ):
        super().__init__(module, mc_predict=mc_predict, **parameters)
        self.n_networks = n_networks
        self.n_masks = n_masks

    @property
    def _n_nets(self):
        return self.n_networks

    @property
    def _n_masks(self):
        return self.n_masks

    def _start(self, X):
        warn_of_one_start(self.module, self._n_nets)
        super()._start(X)
