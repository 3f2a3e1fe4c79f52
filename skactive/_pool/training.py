"""The rows that the models of a round are trained on, and their labels."""

from functools import cached_property, partial

import numpy as np

from skactive._models.closed_set import joint_classes
from skactive._models.pseudo_labels import PseudoLabels
from skactive.utils._labels import as_labels
from skactive.utils._outputs import check_proba_of, read_proba
from skactive.utils._rows import take_rows
from skactive.utils._sklearn import _check_method_params

_NO_ROWS = (np.empty(0, dtype=np.intp), None)


class TrainingData:
    """The training data of a round, the same in all its views.

    These are the labelled rows; with ``unlabeled="pass"`` all rows; with
    :class:`~skactive.PseudoLabels` also rows that are predicted confidently.

    Parameters
    ----------
    facts : Facts
        The facts of the round.

    predictor : BlockPredictor
        Predicts on blocks of rows.

    trainer : Trainer
        Fits the classifier.

    teacher : estimator object or None, default=None
        The fitted classifier that predicts for `PseudoLabels`; if None, one that is
        fitted on the labelled rows.
    """

    def __init__(self, facts, predictor, trainer, teacher=None):
        self._facts = facts
        self._predictor = predictor
        self._trainer = trainer
        self._teacher = teacher

    @cached_property
    def seen(self):
        """Labels seen, in sorted order."""
        return np.unique(as_labels(self._facts.y[self._facts.labeled]))

    def for_estimator(self):
        """Return X, y and the fit parameters that the estimator is fitted on."""
        facts = self._facts
        if facts.unlabeled == "pass":
            return facts.X, self._marked_y(), facts.fit_params
        if facts.labeled.all():
            return facts.X, as_labels(facts.y), facts.fit_params
        return self._labeled_data(*self.pseudo_labeled)

    def for_members(self):
        """Return the rows that members draw from, and those that all of them get.

        Returns
        -------
        rows : ndarray of shape (n_labeled,), dtype int
            Rows to draw from.

        labels : ndarray of shape (n_labeled,)
            Their labels.

        others : ndarray of shape (n_others,), dtype int
            Rows that all members get in addition.

        other_labels : ndarray of shape (n_others,) or None
            Their labels; None if they have no label.
        """
        facts = self._facts
        rows = np.flatnonzero(facts.labeled)
        others, other_labels = self.pseudo_labeled
        if facts.unlabeled == "pass":
            others, other_labels = np.flatnonzero(~facts.labeled), None
        return rows, as_labels(facts.y[rows]), others, other_labels

    @property
    def n_pseudo_labeled(self):
        """The number of rows that were trained on with a predicted label so far."""
        # A cached property leaves its value in the instance.
        return len(vars(self).get("pseudo_labeled", _NO_ROWS)[0])

    @cached_property
    def pseudo_labeled(self):
        """The rows that are trained on with a predicted label, and these labels."""
        pseudo, rows = self._facts.unlabeled, self._facts.candidates
        if not isinstance(pseudo, PseudoLabels):
            return _NO_ROWS
        # A model of one class is sure of everything.
        useless = pseudo.threshold_in(self._facts.round) == 0 or len(self.seen) < 2
        if useless or len(rows) == 0:
            return _NO_ROWS
        return self._predict_confident(pseudo, rows)

    def _predict_confident(self, pseudo, rows):
        teacher = self._teacher
        if teacher is None:
            # No round has come before this one: a fit on the labelled rows teaches.
            teacher = self._trainer.fit(*self._labeled_data(*_NO_ROWS))
        classes = joint_classes(self.seen, [teacher], self._facts.all_classes)
        found = []
        for part in self._predictor.slices(rows):
            proba = self._predictor.predict(partial(read_proba, teacher), rows[part])
            proba = check_proba_of(teacher, proba, classes)
            predicted = classes[proba.argmax(axis=1)]
            # A model must not teach itself a class that has no label.
            confident = pseudo.is_confident(proba, self._facts.round)
            confident &= np.isin(predicted, self.seen)
            found.append((rows[part][confident], predicted[confident]))
        return tuple(map(np.concatenate, zip(*found, strict=True)))

    def _labeled_data(self, others, predicted):
        """Return labelled rows and those with predicted labels, in their order."""
        facts = self._facts
        rows = np.flatnonzero(facts.labeled)
        labels = as_labels(facts.y[rows])
        if len(others):
            rows = np.concatenate([rows, others])
            # In the order of X: some classifiers depend on the order of rows.
            order = np.argsort(rows)
            rows, labels = rows[order], np.concatenate([labels, predicted])[order]
        params = _check_method_params(facts.X, facts.fit_params, indices=rows)
        return take_rows(facts.X, rows), labels, params

    def _marked_y(self):
        """Return `y` with -1 for missing labels, whatever their marker is."""
        y, labeled = self._facts.y, self._facts.labeled
        labels = as_labels(y[labeled])
        dtype = object if labels.dtype.kind in "UO" else np.result_type(labels, np.int8)
        marked = np.full(len(y), -1, dtype=dtype)
        marked[labeled] = labels
        return marked
