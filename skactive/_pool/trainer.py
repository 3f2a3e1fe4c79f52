"""How the classifier of a round is fitted, and where a warm start begins."""

from contextlib import nullcontext

from sklearn.base import clone

from skactive._models.closed_set import tell_classes
from skactive._models.fitting import fit_classifier
from skactive._models.label_codes import CodedClassifier
from skactive.utils._pipelines import last_step
from skactive.utils._threads import few_threads


class Trainer:
    """Fits the classifier of a round; each fit is that of a new clone.

    Parameters
    ----------
    estimator : estimator object
        Unfitted classifier.

    facts : Facts
        The facts of the round.

    memory : FitMemory
        Which classifiers have refused labels.

    start : estimator object or None
        The fitted classifier of an earlier round that a warm start goes on from.

    Attributes
    ----------
    unfitted : estimator object
        The classifier, which knows of a closed set of classes.

    missing_label : int or None
        What the classifier gets for rows without a label, if it gets such rows.
    """

    def __init__(self, estimator, facts, memory, start=None):
        self.unfitted = tell_classes(estimator, facts.all_classes)
        self.missing_label = -1 if facts.unlabeled == "pass" else None
        self._facts = facts
        self._memory = memory
        self._start = start

    def fit(self, X, y, params):
        """Return a clone of the classifier that is fitted on these rows."""
        # A plain fit on a fully labelled y stays what it is without this package: it
        # may use as many threads as it likes.
        with nullcontext() if self._facts.labeled.all() else few_threads(X):
            return fit_classifier(
                self._clone(),
                X,
                y,
                params,
                missing_label=self.missing_label,
                memory=self._memory,
                again=self._clone,
            )

    def _clone(self):
        """Return the classifier as it is before a fit of this round."""
        estimator = clone(self.unfitted)
        if self._start is not None and starts_warm(estimator):
            start = last_step(self._start)
            # The codes of a class change when new classes come: weights learnt for
            # the codes of an earlier round may belong to other classes now.
            if not isinstance(start, CodedClassifier):
                last_step(estimator).start_from(start)
        return estimator


def starts_warm(estimator):
    """Tell whether a classifier continues from that of the previous round.

    A clone has no earlier fit, so `warm_start` alone has no effect. A classifier that
    has ``start_from(fitted)`` gets the earlier model.
    """
    last = last_step(estimator)
    return hasattr(last, "start_from") and bool(getattr(last, "warm_start", False))
