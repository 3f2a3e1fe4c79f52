"""Combinations of criteria: any of them, or all of them at once."""

from skactive.stopping._base import BaseCriterion
from skactive.stopping._registry import (
    check_run,
    clone_criterion,
    get_criterion,
    named,
    reason_to_stop,
)
from skactive.utils._naming import naming
from skactive.utils._sklearn import validate_nested_params


class _Combination(BaseCriterion):
    """A combination of criteria, which keep their state from round to round."""

    _parameter_constraints = {"criteria": [list, tuple]}

    def __init__(self, criteria):
        self.criteria = criteria

    @property
    def needs(self):
        parts = map(get_criterion, self.criteria)
        return frozenset().union(*(getattr(part, "needs", ()) for part in parts))

    @property
    def works_without_model(self):
        """Whether a part is to be called in the cold start."""
        parts = map(get_criterion, self.criteria)
        return any(getattr(part, "works_without_model", False) for part in parts)

    def check_run(self, clf, X, labels):
        """Raise if a part cannot work in a run.

        Parameters
        ----------
        clf : ActiveLearningClassifier
            The parameters of the run.

        X : {array-like, sparse matrix, data frame, list} of length n_samples
            The checked rows of the run.

        labels : ndarray of shape (n_labels,)
            The labels that are known.
        """
        for part in self.criteria:
            check_run(get_criterion(part), clf, X, labels)

    def _validate_params(self):
        super()._validate_params()
        if not self.criteria:
            raise ValueError(
                f"{type(self).__name__} is made of other criteria and got none: "
                "criteria is empty. Pass at least one name or object."
            )
        for part in self.criteria:
            with naming("criteria", self):
                criterion = get_criterion(part)
            validate_nested_params(criterion)

    def _reasons(self, pool):
        """Update all parts, as each keeps its own state; return their reasons."""
        if not hasattr(self, "parts_"):
            self.parts_ = [named(p, clone_criterion(p)) for p in self.criteria]
        reasons = []
        for number, (name, part) in enumerate(self.parts_):
            # Parts that draw at random must not share a seed.
            reason = reason_to_stop(part, pool.with_stream(number))
            reasons.append(f"{name}: {reason}" if reason else None)
        return reasons


class AnyOf(_Combination):
    """Stop when any of several criteria does.

    A list does the same; this class is for use within :class:`AllOf`.

    Parameters
    ----------
    criteria : list of str, criterion objects or callables
        The criteria.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.stopping import AnyOf, OverallUncertainty
    >>> stopping = AnyOf(["stabilizing_predictions", OverallUncertainty(0.05)])
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), budget=None, stopping=stopping
    ... )
    """

    def update(self, pool):
        reasons = [reason for reason in self._reasons(pool) if reason]
        return "; ".join(reasons) or None


class AllOf(_Combination):
    """Stop when several criteria say so in the same round.

    Parameters
    ----------
    criteria : list of str, criterion objects or callables
        The criteria.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.stopping import AllOf, SelectedAccuracy
    >>> stopping = AllOf(["stabilizing_predictions", SelectedAccuracy(0.8)])
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), budget=None, stopping=stopping
    ... )
    """

    def update(self, pool):
        reasons = self._reasons(pool)
        return "; ".join(reasons) if all(reasons) else None
