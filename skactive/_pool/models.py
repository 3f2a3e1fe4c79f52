"""The models of a round: fitted when first needed, once for all its views."""

import time
from contextlib import contextmanager
from functools import cached_property
from numbers import Integral
from types import NoneType

from skactive._models.adapters import as_committee
from skactive._models.any_committee import get_committee
from skactive._models.closed_set import joint_classes, tell_classes
from skactive._models.committee import CommitteeClassifier
from skactive._models.fitting import fit_classifier
from skactive._models.members import fit_members, members_are_linear
from skactive._pool.kept import Kept
from skactive._pool.noticed import Noticed
from skactive._pool.trainer import Trainer
from skactive._pool.training import TrainingData
from skactive.utils._capabilities import may_come
from skactive.utils._sharing import uses_processes


class NoModelError(ValueError):
    """A model was requested in a round that has none yet."""


class Fits:
    """How long the fits of a round took, and whether one has failed.

    Attributes
    ----------
    seconds : float
        Time spent in fits; 0 if none was needed.

    failed : estimator object or None
        The unfitted classifier that raised in its last fit or prediction.
    """

    def __init__(self):
        self.seconds = 0.0
        self.failed = None


class RoundModels:
    """The models of a round.

    Parameters
    ----------
    facts : Facts
        The facts of the round.

    estimator : estimator object
        Unfitted classifier.

    committee : int, list, estimator object or None, default=None
        The unfitted committee, see :class:`~skactive.ActiveLearningClassifier`.

    teacher : estimator object or None, default=None
        The fitted classifier of an earlier round. It predicts for `PseudoLabels`, and
        a warm start goes on from it, see :func:`~skactive._pool.trainer.starts_warm`.

    kept : Kept or None, default=None
        The things that the run keeps from round to round; new ones if None.

    beside : RoundModels or None, default=None
        The models of the same round for another classifier. The time of all fits is
        counted together, and no warm start goes on from the teacher, which is of the
        other kind.

    Attributes
    ----------
    facts : Facts
        As given.

    unfitted_committee : int, list, estimator object or None
        The committee as it was given.

    kept : Kept
        The things that the run keeps from round to round.

    noticed : Noticed
        Whether the models distinguish the candidates.

    fits : Fits
        How long the fits of the round took, and whether one has failed.
    """

    def __init__(
        self, facts, estimator, committee=None, *, teacher=None, kept=None, beside=None
    ):
        kept = kept or Kept.of_run(facts.X, estimator, facts.all_classes)
        start = teacher if beside is None else None
        self.facts = facts
        self.unfitted_committee = committee
        self.kept = kept
        self.noticed = Noticed(facts.X)
        self.fits = Fits() if beside is None else beside.fits
        self._teacher = teacher
        self._trainer = Trainer(estimator, facts, kept.memory, start)
        self._training = TrainingData(facts, kept.predictor, self._trainer, teacher)
        self._estimator = None
        self._committee = None

    def for_estimator(self, estimator, embedder=None):
        """Return the models of the same round for another classifier."""
        return RoundModels(
            self.facts,
            estimator,
            self.unfitted_committee,
            teacher=self._teacher,
            kept=self.kept.for_estimator(self.facts.X, estimator, embedder),
            beside=self,
        )

    @property
    def unfitted(self):
        """The classifier as it was given, not fitted."""
        return self._trainer.unfitted

    @property
    def estimator(self):
        """The classifier, fitted on what is known in this round."""
        if self._estimator is None:
            with self._fitting():
                self._estimator = self._trainer.fit(*self.training_data())
        return self._estimator

    @property
    def committee(self):
        """The committee, fitted on what is known in this round."""
        if self._committee is None:
            self.fit_committee()
        return self._committee

    @property
    def is_fitted(self):
        """Whether the estimator of this round has been fitted already."""
        return self._estimator is not None

    @property
    def has_committee(self):
        """Whether the committee of this round has been fitted already."""
        return self._committee is not None

    def has_output(self, name):
        """Tell whether the estimator has a method, such as ``"predict_proba"``.

        Where that may come with the fit, the estimator is fitted.
        """
        model = self.unfitted if self._estimator is None else self._estimator
        if hasattr(model, name):
            return True
        return (
            self.facts.can_fit
            and may_come(self.unfitted, name)
            and hasattr(self.estimator, name)
        )

    @property
    def seen(self):
        """Labels seen, in sorted order."""
        return self._training.seen

    @cached_property
    def classes(self):
        """Labels seen and columns of the models, in sorted order."""
        closed, seen = self.facts.all_classes, self.seen
        if closed is None or not self.facts.can_fit or len(seen) == len(closed):
            return seen
        # Which of the missing classes a model has columns for shows when it is fitted.
        models = [self.estimator]
        has_clones = isinstance(self.unfitted_committee, Integral)
        if not (self.unfitted_committee is None or has_clones):
            models.append(self.committee)
        return joint_classes(seen, models, closed)

    def training_data(self):
        """Return X, y and the fit parameters that the estimator is fitted on."""
        return self._training.for_estimator()

    @property
    def n_pseudo_labeled(self):
        """The number of rows that a model was trained on with a predicted label."""
        return self._training.n_pseudo_labeled

    @contextmanager
    def watching(self):
        """Note an error that is raised within, where models are fitted or predict.

        So the run can tell a model that needs more labels from a fault of a strategy.
        """
        try:
            yield
        except Exception:
            self.fits.failed = self.unfitted
            raise

    @contextmanager
    def _fitting(self):
        """Time a fit, and note if it fails."""
        if not self.facts.can_fit:
            raise NoModelError(
                f"There is no model in round {self.facts.round}, as too little is "
                "labelled: pool.can_fit is False."
            )
        started, before = time.perf_counter(), self.fits.seconds
        with self.watching():
            yield
        self.fits.failed = None
        # Not added: the estimator may have been fitted within, as its own committee.
        self.fits.seconds = before + time.perf_counter() - started

    def fit_committee(self, read=None):
        """Fit the committee.

        A fitted member, such as a forest, may be much larger than its output for the
        candidates. So members that are fitted in worker processes predict there; only
        their outputs come back, and the members are forgotten.

        Parameters
        ----------
        read : callable or None, default=None
            ``read(predictor) -> MemberOutput``, if such an output is wanted. It gets a
            predictor that worker processes can use.

        Returns
        -------
        outputs : list of length n_members, or None
            The output of each member, if they predicted where they were fitted. None
            otherwise; the members are then kept as the committee of the round.
        """
        with self._fitting():
            self._committee, outputs = self._fit_committee(read)
        return outputs

    def _fit_committee(self, read):
        facts = self.facts
        # The seed is that of the round, not of a view: all views share the committee.
        committee = get_committee(
            self.unfitted_committee,
            self.unfitted,
            n_jobs=facts.n_jobs,
            random_state=facts.random_state,
        )
        if committee is None:  # an ensemble is its own committee
            return as_committee(self.estimator), None
        committee = tell_classes(committee, facts.all_classes)
        if not isinstance(committee, CommitteeClassifier):
            X, y, _ = self.training_data()
            return as_committee(self._fit_ensemble(committee, X, y)), None
        X, member_output = facts.X, None
        if uses_processes(committee.n_jobs):
            # Rows reach worker processes by files, which are written once a run.
            X, predictor = self.kept.predictor.shared()
            # Linear members are small, and predict faster together than one by one.
            if read is not None and not members_are_linear(committee):
                member_output = read(predictor)
        rows, labels, others, other_labels = self._training.for_members()
        # The fit parameters are for the classifier; other members may not take them.
        are_clones = not isinstance(committee.estimator, list)
        outputs = fit_members(
            committee,
            X,
            rows,
            labels,
            others=others,
            other_labels=other_labels,
            fit_params=facts.fit_params if are_clones else {},
            predict=member_output,
            memory=self._committee_memory,
            missing_label=self._trainer.missing_label,
        )
        return (committee, None) if outputs is None else (None, outputs)

    def _fit_ensemble(self, committee, X, y):
        return fit_classifier(
            committee,
            X,
            y,
            missing_label=self._trainer.missing_label,
            memory=self._committee_memory,
        )

    @property
    def _committee_memory(self):
        """The memory of the members; clones share that of the classifier."""
        are_clones = isinstance(self.unfitted_committee, (Integral, NoneType))
        memory = self.kept.memory
        return memory if are_clones else memory.of("committee")
