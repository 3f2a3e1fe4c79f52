"""Criteria based on the predictions for rows without a label."""

from numbers import Integral, Real

import numpy as np

from skactive._pool.remembered import Remembered
from skactive.acquisition.uncertainty._probabilities import entropy, least_confident
from skactive.stopping._base import BaseCriterion, name_of
from skactive.stopping._registry import check_run, clone_criterion, get_criterion
from skactive.utils._labels import as_labels
from skactive.utils._naming import naming
from skactive.utils._sklearn import HasMethods, Interval, validate_nested_params

_POSITIVE = [Interval(Real, 0, None, closed="neither")]
_SHARE = [Interval(Real, 0, 1, closed="both")]
_COUNT = [Interval(Integral, 1, None, closed="left")]


class _UncertaintyCriterion(BaseCriterion):
    """Stop when some uncertainty of the candidates is not above `threshold`."""

    _parameter_constraints = {"threshold": _POSITIVE}
    perfect = 0.0

    def __init__(self, threshold=0.01):
        self.threshold = threshold

    @property
    def needs(self):
        return frozenset({"proba"})

    def update(self, pool):
        value = float(self._uncertainty(pool.proba))
        if value > self.threshold:
            return None
        return (
            f"{self._what} of the {len(pool)} rows that may be queried is {value:.4g} "
            f"<= {self.threshold:.4g}"
        )


class MaxUncertainty(_UncertaintyCriterion):
    """Stop when the model is sure of every single row.

    The largest entropy of the probabilities of a row without a label must fall to a
    threshold [1]_. A single ambiguous row keeps the run going, so this is the most
    cautious of the criteria that trust the model.

    :Uses: ``predict_proba``

    Parameters
    ----------
    threshold : float, default=0.01
        Entropy in nats, positive. The default is the one that these criteria were
        compared with in [2]_.

    References
    ----------
    .. [1] J. Zhu, H. Wang, E. Hovy, M. Ma. "Confidence-based stopping criteria for
       active learning for data annotation". ACM Transactions on Speech and Language
       Processing 6(3), 2010.
    .. [2] Z. Pullar-Strecker, K. Dost, E. Frank, J. Wicker. "Hitting the target:
       stopping active learning at the cost-based optimum". Machine Learning 113, 2024.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.stopping import MaxUncertainty
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), budget=None, stopping=MaxUncertainty(0.3)
    ... )
    """

    _what = "the largest entropy"

    def _uncertainty(self, proba):
        return entropy(proba).max()


class OverallUncertainty(_UncertaintyCriterion):
    """Stop when the model is sure of the rows on average.

    The mean entropy of the probabilities of the rows without a label must fall to a
    threshold [1]_.

    :Uses: ``predict_proba``

    Parameters
    ----------
    threshold : float, default=0.01
        Entropy in nats, positive. The default is the one that these criteria were
        compared with in [2]_. A classifier whose probabilities stay far from 0 and 1,
        for instance a strongly regularised one, needs a larger threshold.

    References
    ----------
    .. [1] J. Zhu, H. Wang, E. Hovy, M. Ma. "Confidence-based stopping criteria for
       active learning for data annotation". ACM Transactions on Speech and Language
       Processing 6(3), 2010.
    .. [2] Z. Pullar-Strecker, K. Dost, E. Frank, J. Wicker. "Hitting the target:
       stopping active learning at the cost-based optimum". Machine Learning 113, 2024.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.stopping import OverallUncertainty
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), budget=None, stopping=OverallUncertainty(0.1)
    ... )
    """

    _what = "the mean entropy"

    def _uncertainty(self, proba):
        return entropy(proba).mean()


class MinExpectedError(_UncertaintyCriterion):
    """Stop when the model expects few errors.

    The expected error of a row is 1 - max P. Its mean over the rows without a label
    must fall to a threshold [1]_.

    :Uses: ``predict_proba``

    Parameters
    ----------
    threshold : float, default=0.01
        Share of errors, positive. The default is that of the comparison in [2]_.

    References
    ----------
    .. [1] J. Zhu, H. Wang, E. Hovy, M. Ma. "Confidence-based stopping criteria for
       active learning for data annotation". ACM Transactions on Speech and Language
       Processing 6(3), 2010.
    .. [2] Z. Pullar-Strecker, K. Dost, E. Frank, J. Wicker. "Hitting the target:
       stopping active learning at the cost-based optimum". Machine Learning 113, 2024.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.stopping import MinExpectedError
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), budget=None, stopping=MinExpectedError(0.05)
    ... )
    """

    _what = "the mean expected error"

    def _uncertainty(self, proba):
        return least_confident(proba).mean()


class SelectedAccuracy(BaseCriterion):
    """Stop when the model has predicted the labels that were bought.

    A strategy queries the rows about which the model is least sure. If it was right
    about them before it learned their labels, it is right about the others [1]_.
    Rows without an answer do not count.

    :Uses: predictions of all candidates

    Parameters
    ----------
    threshold : float, default=0.9
        The share of right predictions at which to stop, in [0, 1]. The default is that
        of the comparison in [2]_.

    min_labels : int, default=10
        Minimum number of labels over which the share is taken: those of the last round,
        and of as many rounds before it as are needed. With a `batch_size` of 1, the run
        would otherwise stop at the first label that is predicted right.

    References
    ----------
    .. [1] J. Zhu, H. Wang, E. Hovy, M. Ma. "Confidence-based stopping criteria for
       active learning for data annotation". ACM Transactions on Speech and Language
       Processing 6(3), 2010.
    .. [2] Z. Pullar-Strecker, K. Dost, E. Frank, J. Wicker. "Hitting the target:
       stopping active learning at the cost-based optimum". Machine Learning 113, 2024.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.stopping import SelectedAccuracy
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(), budget=None, stopping=SelectedAccuracy(0.95)
    ... )
    """

    _parameter_constraints = {"threshold": _SHARE, "min_labels": _COUNT}
    perfect = 1.0

    def __init__(self, threshold=0.9, min_labels=10):
        self.threshold = threshold
        self.min_labels = min_labels

    def update(self, pool):
        # Rows labelled before the first update were never predicted here.
        if not hasattr(self, "last_"):
            self.hits_ = []
        else:
            hits = self._hits(pool)
            if len(hits):
                self.hits_.append(hits)
        self.last_ = Remembered.of_candidates(pool)
        return self._judge()

    def _hits(self, pool):
        """Tell which of the rows labelled since the last round were predicted right."""
        # Only predictions from before the label was learned count: those of the model
        # of an earlier round for rows that were candidates then.
        codes = self.last_.codes
        rows = np.flatnonzero(pool.labeled & (codes >= 0))
        return self.last_.classes[codes[rows]] == as_labels(pool.y[rows])

    def _judge(self):
        # Whole rounds, as the rows of one round were predicted by one model.
        n_rounds = n_labels = 0
        while n_labels < self.min_labels:
            n_rounds += 1
            if n_rounds > len(self.hits_):
                return None
            n_labels += len(self.hits_[-n_rounds])
        # Older rounds cannot count again: later rounds only add labels.
        self.hits_ = self.hits_[-n_rounds:]
        share = float(np.concatenate(self.hits_).mean())
        if share < self.threshold:
            return None
        return (
            f"{share:.1%} of the last {n_labels} labels were as predicted, >= "
            f"{self.threshold:.1%}"
        )


class ClassificationChange(BaseCriterion):
    """Stop when the predictions for rows without a label no longer change.

    If no prediction has changed since a model with fewer labels, further labels
    hardly move the boundaries between the classes [1]_.

    With another `criterion`, both must hold, and its threshold is adjusted to the
    data: if it is met while predictions still change, the threshold was too easy, and
    is made stricter [2]_. So you can begin with an easy threshold. The paper does not
    say by how much it changes; here it moves by a fixed share of its distance from
    perfection, so that it can still be met.

    :Uses: predictions of all candidates

    Parameters
    ----------
    criterion : str, criterion object or None, default=None
        A criterion with a `threshold`, such as
        :class:`~skactive.stopping.OverallUncertainty`, or its name.

    step : float, default=0.1
        Share of its distance from perfection (0 for uncertainties, 1 for accuracies) by
        which a threshold is moved towards it.

    min_labels : int, default=10
        Minimum difference in labels of two compared models. With a `batch_size` of 1, a
        single label often changes no prediction; then models that are `min_labels`
        rounds apart are compared.

    References
    ----------
    .. [1] J. Zhu, H. Wang, E. Hovy. "Multi-criteria-based strategy to stop active
       learning for data annotation". COLING 2008.
    .. [2] J. Zhu, H. Wang, E. Hovy, M. Ma. "Confidence-based stopping criteria for
       active learning for data annotation". ACM Transactions on Speech and Language
       Processing 6(3), 2010.

    Examples
    --------
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.stopping import ClassificationChange, OverallUncertainty
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(),
    ...     budget=None,
    ...     stopping=ClassificationChange(OverallUncertainty(0.3)),
    ... )
    """

    _parameter_constraints = {
        "criterion": [str, HasMethods(["update"]), None],
        "step": [Interval(Real, 0, 1, closed="neither")],
        "min_labels": _COUNT,
    }

    def __init__(self, criterion=None, step=0.1, min_labels=10):
        self.criterion = criterion
        self.step = step
        self.min_labels = min_labels

    @property
    def needs(self):
        if self.criterion is None:
            return frozenset()
        return frozenset(getattr(get_criterion(self.criterion), "needs", ()))

    def check_run(self, clf, X, labels):
        """Raise if the other criterion cannot work in a run.

        Parameters
        ----------
        clf : ActiveLearningClassifier
            The parameters of the run.

        X : {array-like, sparse matrix, data frame, list} of length n_samples
            The checked rows of the run.

        labels : ndarray of shape (n_labels,)
            The labels that are known.
        """
        if self.criterion is not None:
            check_run(get_criterion(self.criterion), clf, X, labels)

    def _validate_params(self):
        super()._validate_params()
        if self.criterion is None:
            return
        with naming("criterion", self):
            criterion = get_criterion(self.criterion)
        validate_nested_params(criterion)
        if getattr(criterion, "perfect", None) is None:
            raise ValueError(
                "ClassificationChange adjusts the threshold of its criterion, and "
                f"{name_of(criterion)} has none. Use AllOf to combine it with "
                "'classification_change'."
            )

    def update(self, pool):
        # Both keep state, so both are updated in every round.
        reason = self._update_other(pool)
        n_changed = self._count_changes(pool)
        if n_changed is None or reason is None:
            return None
        if n_changed == 0:
            unchanged = f"no prediction of {len(pool)} rows has changed"
            return f"{unchanged}; {reason}" if reason else unchanged
        if self.criterion is not None:
            self._tighten()
        return None

    def _update_other(self, pool):
        """Return the reason of the other criterion, empty if there is no criterion."""
        if self.criterion is None:
            return ""
        if not hasattr(self, "criterion_"):
            self.criterion_ = clone_criterion(self.criterion)
        return self.criterion_.update(pool) or None

    def _count_changes(self, pool):
        """Count the predictions that differ from those of an earlier model.

        None if no model had `min_labels` fewer labels.
        """
        before, n_changed = getattr(self, "last_", None), None
        if before is not None and not before.is_old(pool, self.min_labels):
            return None
        if before is not None:
            rows, now = pool.candidates, pool.predictions
            known = before.codes[rows] >= 0  # others were queried without an answer
            # In codes of this round: a new class shifts the codes of the others.
            changed = before.codes_in(pool.classes)[rows] != now
            n_changed = int(np.count_nonzero(changed & known))
        self.last_ = Remembered.of_candidates(pool)
        return n_changed

    def _tighten(self):
        """Move the threshold of the other criterion towards perfection."""
        criterion = self.criterion_
        # The distance may have either sign: 0 is perfect for an uncertainty, 1 for an
        # accuracy.
        distance = (criterion.threshold - criterion.perfect) * (1.0 - self.step)
        criterion.set_params(threshold=criterion.perfect + distance)
