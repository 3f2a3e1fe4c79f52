"""Snapshot ensembles: one network, kept each time its learning rate has fallen to 0."""

import copy
from math import ceil, cos, pi
from numbers import Integral

from skorch.callbacks import Callback

from skactive.deep._base import BaseDeepClassifier
from skactive.deep._modules import view
from skactive.deep._shared import shares_parameters
from skactive.utils._sklearn import Interval


def cyclic_learning_rate(t, n_steps, n_cycles, start):
    """Return the learning rate of a step, which falls from `start` in each cycle.

    Parameters
    ----------
    t : int
        Number of the minibatch, from 1.

    n_steps : int
        Minibatches of the whole training.

    n_cycles : int
        Number of cycles.

    start : float
        Learning rate at the beginning of a cycle.

    Returns
    -------
    lr : float
        In (0, start].

    References
    ----------
    .. [1] G. Huang, Y. Li, G. Pleiss, Z. Liu, J. E. Hopcroft, K. Q. Weinberger.
       "Snapshot ensembles: train 1, get M for free". ICLR 2017.

    Examples
    --------
    >>> from skactive.deep import cyclic_learning_rate
    >>> [round(cyclic_learning_rate(t, 10, 2, 0.1), 6) for t in range(1, 6)]
    [0.1, 0.090451, 0.065451, 0.034549, 0.009549]
    """
    length = ceil(n_steps / n_cycles)
    # Equation (2): alpha_0 / 2 (cos(pi mod(t - 1, ceil(T / M)) / ceil(T / M)) + 1).
    return start / 2 * (cos(pi * ((t - 1) % length) / length) + 1)


class SnapshotCallback(Callback):
    """Sets the learning rate before each minibatch, and keeps weights after cycles.

    Parameters
    ----------
    epochs_per_cycle : int
        Length of a cycle.

    n_snapshots : int
        Number of snapshots that are kept, the latest ones.
    """

    def __init__(self, epochs_per_cycle, n_snapshots):
        self.epochs_per_cycle = epochs_per_cycle
        self.n_snapshots = n_snapshots

    def initialize(self):
        """Begin without snapshots."""
        self.snapshots_ = []
        return self

    def on_epoch_begin(self, net, dataset_train=None, **kwargs):
        """Find the place of the epoch in its cycle."""
        self._n_batches = len(net.get_iterator(dataset_train, training=True))
        epoch = (len(net.history) - 1) % self.epochs_per_cycle
        self._step = epoch * self._n_batches

    def on_batch_begin(self, net, training=False, **kwargs):
        """Set the learning rate of the next step."""
        if training:
            self._step += 1
            length = self.epochs_per_cycle * self._n_batches
            rate = cyclic_learning_rate(self._step, length, 1, net.lr)
            for group in net.optimizer_.param_groups:
                group["lr"] = rate

    def on_epoch_end(self, net, **kwargs):
        """Keep the weights at the end of a cycle."""
        if len(net.history) % self.epochs_per_cycle == 0:
            state = net.module_.state_dict()
            kept = {name: value.detach().cpu().clone() for name, value in state.items()}
            self.snapshots_ = [*self.snapshots_, kept][-self.n_snapshots :]


@shares_parameters
class SnapshotEnsembleClassifier(BaseDeepClassifier):
    """One network whose weights are kept at several moments of its training.

    The learning rate falls to 0 along a cosine and jumps back in each cycle. The
    weights at the end of a cycle, when the network has settled in a minimum, are a
    member [1]_. It is an ensemble for the price of one network.

    Parameters
    ----------
    {module}

    n_members : int, default=5
        Number of cycles, and of members.

    {parameters}

    Attributes
    ----------
    {attributes}

    snapshots_ : list of dict
        Weights of the members.

    Notes
    -----
    `lr` is the rate at the beginning of a cycle. `max_epochs` is rounded up to a
    multiple of `n_members`, so that all cycles have the same length. `partial_fit` goes
    through the same cycles, one epoch at a time, and keeps the latest members. Before
    the end of the first cycle, the network itself is the only member.

    References
    ----------
    .. [1] G. Huang, Y. Li, G. Pleiss, Z. Liu, J. E. Hopcroft, K. Q. Weinberger.
       "Snapshot ensembles: train 1, get M for free". ICLR 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skactive.deep import SnapshotEnsembleClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = SnapshotEnsembleClassifier(n_members=4, max_epochs=40, random_state=0)
    >>> clf.fit(X, y).predict_member_proba(X[:5]).shape
    (4, 5, 3)
    """

    _parameter_constraints = BaseDeepClassifier._parameter_constraints | {
        "n_members": [Interval(Integral, 1, None, closed="left")]
    }

    def __init__(self, module=None, *, n_members=5, lr=0.01, **parameters):
        super().__init__(module, lr=lr, **parameters)
        self.n_members = n_members

    @property
    def _epochs_per_cycle(self):
        return ceil(self.max_epochs / self.n_members)

    @property
    def _n_members(self):
        return max(1, len(self.snapshots_))

    @property
    def _n_embeddings(self):
        return self._n_members

    def _wrap(self, network, rows):
        cycle = SnapshotCallback(self._epochs_per_cycle, self.n_members)
        return network, {"callbacks": [("snapshots", cycle)]}

    @property
    def _n_fit_epochs(self):
        return self._epochs_per_cycle * self.n_members

    def _train(self, X, y, n_epochs):
        super()._train(X, y, n_epochs)
        self.snapshots_ = dict(self.nets_[0].callbacks_)["snapshots"].snapshots_

    def _member_view(self, number):
        module = view(self.nets_[0].module_)
        if not self.snapshots_:
            return module
        module = copy.deepcopy(module)  # loading must not change the network itself
        module.load_state_dict(self.snapshots_[number])
        return module

    def _module_for_embedding(self, number):
        return self._member_view(number)

    def _run_members(self, X):
        views = [self._member_view(number) for number in range(self._n_members)]
        return self._run_views(X, views)
