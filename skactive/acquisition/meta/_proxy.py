"""Selection via proxy: another classifier for the strategy."""

from skactive.acquisition._base import select_queries
from skactive.acquisition._combination import Combination
from skactive.acquisition._registry import check_model
from skactive.utils._capabilities import HasMethodsOnceFitted


class Proxy(Combination):
    """Let a cheaper classifier select rows for another one: selection via proxy.

    The strategy uses `estimator`, fitted on the same labels, instead of the classifier
    that is trained. That classifier is fitted only at the end, or if an oracle or a
    stopping criterion needs its predictions. Rows are embedded by `estimator`, too, and
    a committee that is given by a number is made of it.

    Parameters
    ----------
    estimator : estimator object
        The classifier that the strategy uses. It takes the same rows.

    strategy : str, strategy object or callable, default="margin"
        Chooses the rows to query.

    References
    ----------
    .. [1] C. Coleman, C. Yeh, S. Mussmann, B. Mirzasoleiman, P. Bailis, P. Liang, J.
       Leskovec, M. Zaharia. "Selection via proxy: efficient data selection for deep
       learning". ICLR 2020.

    Examples
    --------
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import Proxy
    >>> from sklearn.ensemble import HistGradientBoostingClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> clf = ActiveLearningClassifier(
    ...     HistGradientBoostingClassifier(),
    ...     strategy=Proxy(LogisticRegression(), "margin"),
    ... )
    """

    _part_params = ("strategy",)
    _parameter_constraints = {"estimator": [HasMethodsOnceFitted(["fit", "predict"])]}

    def __init__(self, estimator, strategy="margin"):
        self.estimator = estimator
        self.strategy = strategy

    @property
    def needs(self):
        """No method of the classifier that is trained."""
        return frozenset()

    def check_model(self, estimator, committee=None):
        check_model(self._new_parts()[0], self.estimator, committee)

    def select(self, pool, n_queries):
        # Features that do not depend on labels are computed once for the run.
        known = getattr(self, "embedder_", None)
        known = known if known is not None and known.is_of(pool.X) else None
        pool = pool.with_estimator(self.estimator, known)
        self.embedder_ = pool.models.kept.embedder
        return select_queries(self._parts[0], pool, n_queries)
