"""Ensembles of networks that are trained apart."""

from numbers import Integral

from skactive.deep._base import BaseDeepClassifier
from skactive.deep._modules import view
from skactive.deep._shared import shares_parameters
from skactive.utils._sklearn import Interval


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

    def __init__(self, module=None, *, n_members=5, **parameters):
        super().__init__(module, **parameters)
        self.n_members = n_members

    @property
    def _n_nets(self):
        return self.n_members

    @property
    def _n_members(self):
        return len(self.nets_)

    def _run_members(self, X):
        return self._run_views(X, [view(net.module_) for net in self.nets_])
