"""Monte Carlo dropout: one network whose masks are the members."""

from abc import abstractmethod
from numbers import Integral

from skactive.deep._base import MEMBERS, BaseDeepClassifier
from skactive.deep._masks import DropoutMembers, choose_place, has_dropout
from skactive.deep._members import blocks
from skactive.deep._modules import view
from skactive.deep._shared import shares_parameters
from skactive.deep._training import stream_seed
from skactive.utils._sklearn import Interval

# If members share no work, larger blocks are slower, as they do not fit into the cache.
_MAX_UNSHARED = 1024
# Number of rows on which stacking members is tried.
_N_PROBES = 3


def masked_passes(X, members, block_size, to_device):
    """Yield slices of members and of rows, and the output of the members.

    Parameters
    ----------
    X : ndarray of shape (n_samples, ...)
        Rows.

    members : DropoutMembers
        A network and its masks.

    block_size : int
        Largest number of rows at once, counted for each member.

    to_device : callable
        Makes a tensor from rows.

    Yields
    ------
    members, rows : slice
        The members and rows of the output.

    output : torch.Tensor of shape (n_members, n_rows, n_classes)
        Output of the network.
    """
    if members.place == "input":
        block_size = min(block_size, _MAX_UNSHARED)
    for chosen in blocks(members.n_members, block_size):
        numbers = range(chosen.start, chosen.stop)
        for rows in blocks(len(X), max(1, block_size // len(numbers))):
            yield chosen, rows, members.run(to_device(X[rows]), numbers)


@shares_parameters
class BaseMaskedClassifier(BaseDeepClassifier):
    """Base class of classifiers whose members are masks of dropout."""

    _needs_dropout = True  # whether a module without dropout is refused

    _parameter_constraints = BaseDeepClassifier._parameter_constraints | {
        "mc_predict": ["boolean"]
    }

    def __init__(self, module=None, *, mc_predict=True, **parameters):
        super().__init__(module, **parameters)
        self.mc_predict = mc_predict

    @property
    @abstractmethod
    def _n_masks(self):
        """Number of masks of each network."""

    @property
    def _n_members(self):
        return len(self.nets_) * self._n_masks

    def _check_network(self, network, rows):
        super()._check_network(network, rows)
        if self._needs_dropout:
            # Before the training, so that a network without dropout is rejected at
            # once.
            DropoutMembers(network, 0, 1).run(rows, [0])

    def _finish(self, X):
        self._place = "nowhere"
        if self._needs_dropout or has_dropout(self._network(0)):
            probes = self._to_device(X[:_N_PROBES])
            self._place = choose_place(self._network(0), probes)

    def _run_members(self, X):
        for number in range(len(self.nets_)):
            first = number * self._n_masks
            seed = stream_seed(self._seed, MEMBERS, number)
            members = DropoutMembers(
                self._network(number), seed, self._n_masks, self._place
            )
            for chosen, rows, output in masked_passes(
                X, members, self.block_size, self._to_device
            ):
                where = slice(first + chosen.start, first + chosen.stop)
                yield where, rows, output

    def _mean_proba(self, X):
        if self.mc_predict:
            return super()._mean_proba(X)
        views = [view(self._network(i)) for i in range(len(self.nets_))]
        return self._mean_of(self._run_views(X, views), len(X), len(views))


@shares_parameters
class MCDropoutClassifier(BaseMaskedClassifier):
    """A network with Monte Carlo dropout: each mask makes a member.

    A network that is trained with dropout approximates a Bayesian one if dropout stays
    on when it predicts [1]_; the disagreement between masks is used for active learning
    with images in [2]_. Member c is one function: it uses the same mask for all rows
    and in every call, so that the joint information about several rows can be computed.

    All members predict in one vectorised pass, and the layers before the first dropout
    are run once for all of them. Dropout means the ``torch.nn.Dropout*`` parts of the
    module.

    Parameters
    ----------
    {module}

    n_members : int, default=25
        Number of masks.

    mc_predict : bool, default=True
        Whether `predict_proba` and `predict` use the mean over the masks; if False,
        dropout is off. `predict_member_proba` uses the masks in both cases.

    {parameters}

    Attributes
    ----------
    {attributes}

    References
    ----------
    .. [1] Y. Gal, Z. Ghahramani. "Dropout as a Bayesian approximation: representing
       model uncertainty in deep learning". ICML 2016.
    .. [2] Y. Gal, R. Islam, Z. Ghahramani. "Deep Bayesian active learning with image
       data". ICML 2017.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skactive.deep import MCDropoutClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = MCDropoutClassifier(n_members=10, max_epochs=20, random_state=0)
    >>> clf.fit(X, y).predict_member_proba(X[:5]).shape
    (10, 5, 3)
    """

    _parameter_constraints = BaseMaskedClassifier._parameter_constraints | {
        "n_members": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, module=None, *, n_members=25, mc_predict=True, **parameters):
        super().__init__(module, mc_predict=mc_predict, **parameters)
        self.n_members = n_members

    @property
    def _n_masks(self):
        return self.n_members
