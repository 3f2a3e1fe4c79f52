"""The models of a run: one pool for each round, and what is kept between rounds."""

import numpy as np

from skactive._loop.keeping import explaining_fit
from skactive._loop.waiting import Waiting
from skactive._models.fitting import FitMemory
from skactive._models.pseudo_labels import PseudoLabels
from skactive._pool.blocks import BlockPredictor
from skactive._pool.embedding import Embedding
from skactive._pool.pool import Pool, starts_warm
from skactive.acquisition._registry import uses_committee
from skactive.utils._outputs import align_columns
from skactive.utils._shown import name_of


class Models:
    """Makes the pool of each round, and knows what its model goes on from.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs of the run.

    ledger : Ledger
        What is known about each row.

    Attributes
    ----------
    last : Pool or None
        The pool of the last round that has begun.

    waiting : Waiting
        Finds out whether a model that cannot be fitted only needs more labels.
    """

    def __init__(self, inputs, ledger):
        self.last = None
        self.waiting = Waiting(
            inputs, inputs.clf.estimator, members=uses_committee(inputs.strategy)
        )
        self._inputs = inputs
        self._ledger = ledger
        self._teaching = None  # the closed round's pool that the next model learns from
        self._predictor = BlockPredictor(inputs.X)
        self.embedder = Embedding(inputs.X, inputs.clf.estimator)
        self._memory = FitMemory(inputs.classes)

    # Pools

    def begin(self, run, number, *, can_fit=None):
        """Make the pool of a round, which is `last` from then on.

        Parameters
        ----------
        run : Run
            The run.

        number : int
            Number of the round.

        can_fit : bool or None, default=None
            Whether a model can be fitted; None to decide it by the labels.
        """
        self.last = self.new_pool(run, number, can_fit=can_fit)

    def new_pool(self, run, number, *, final=False, can_fit=None):
        """Make a pool of what is known now.

        Parameters
        ----------
        run : Run
            The run.

        number : int
            Number of the round, which decides on its seed.

        final : bool, default=False
            Whether the test sample is trained on, too.

        can_fit : bool or None, default=None
            Whether a model can be fitted; None to decide it by the labels.

        Returns
        -------
        pool : Pool
            Nothing of it is fitted yet.
        """
        inputs, ledger, clf = self._inputs, self._ledger, self._inputs.clf
        seed = np.random.SeedSequence([inputs.seed, number])
        return Pool(
            inputs.X,
            ledger.y.copy() if final else ledger.trainable_y,
            ledger.labeled.copy() if final else ledger.trainable,
            ledger.candidates,
            estimator=clf.estimator,
            committee=clf.committee,
            asked=ledger.asked,
            round=number,
            labeled_iter=ledger.labeled_iter.copy(),
            holdout=None if final else ledger.holdout,
            history=tuple(run.history),
            unlabeled=clf.unlabeled,
            teacher=self._teacher(run),
            cost=inputs.cost,
            fit_params=inputs.fit_params,
            all_classes=inputs.classes,
            random_state=int(seed.generate_state(1)[0]),
            tie_seed=inputs.tie_seed,
            n_jobs=clf.n_jobs,
            can_fit=not self._is_cold() if can_fit is None else can_fit,
            predictor=self._predictor,
            embedder=self.embedder,
            memory=self._memory,
        )

    def last_on(self, labeled):
        """Return the last pool if its estimator is fitted on these rows, or None.

        Parameters
        ----------
        labeled : ndarray of shape (n_samples,), dtype bool
            Rows with a label.

        Returns
        -------
        pool : Pool or None
            It saves a fit.
        """
        pool = self.last
        is_fitted = pool is not None and pool.is_fitted
        return pool if is_fitted and (pool.labeled == labeled).all() else None

    @property
    def n_wanted_first(self):
        """Number of labels that are missing to `initial_size`."""
        return max(0, (self._inputs.clf.initial_size or 0) - self._ledger.n_learnt)

    def _is_cold(self):
        """Tell whether there are too few labels to fit a model."""
        return self.n_wanted_first > 0 or not self._ledger.has_two_classes()

    # What a model learns from the one before

    def learn_from(self, closing):
        """Let the next models learn from the model of a round that is being closed."""
        if self._teaches(closing):
            self._teaching = closing.pool

    def _teacher(self, run):
        """Return the model that the next one learns from, None if there is none yet.

        It predicts for PseudoLabels, and a warm start goes on from it. It is the model
        of the last round in which the strategy chose, whether or not anything else
        needed it: looking at a model must not change the next one.
        """
        pool = run.open.pool if self._teaches(run.open) else self._teaching
        return None if pool is None else self.of(run, pool)

    def _teaches(self, opened):
        """Tell whether the next model learns from the model of a round.

        Without an answer the round has not happened, as far as the next model knows:
        a run that is saved and replayed has no trace of it.
        """
        clf = self._inputs.clf
        return (
            (isinstance(clf.unlabeled, PseudoLabels) or starts_warm(clf.estimator))
            and opened is not None
            and opened.pool.can_fit
            and opened.name != "holdout"
            and bool(opened.told.any())
        )

    # Models that may need more labels

    def of(self, run, pool):
        """Return the model of a round, None if there is none yet.

        Parameters
        ----------
        run : Run
            The run.

        pool : Pool
            The pool of the round.

        Returns
        -------
        model : estimator object or None
            The fitted classifier.
        """
        if not pool.can_fit:
            return None
        with explaining_fit(run, pool):
            try:
                return pool.estimator
            except Exception as error:
                if not self.can_wait(run, pool, error):
                    raise
        return None

    def can_wait(self, run, pool, error):
        """Tell whether a model that raised an error only needs more labels."""
        # Labels that are paid for may serve another run, with a larger budget.
        n_rows = len(self._ledger.candidates)
        n_left = n_rows if run.n_queries else run.n_left
        return self.waiting.can_wait(pool, error, n_left)

    def hint(self, run, pool, error):
        """Say what can be done about a model that cannot be fitted."""
        n_rows = len(self._ledger.candidates)
        return self.waiting.hint(pool, error, run.n_left, n_rows, run.condition)

    def proba_for_oracle(self, run, pool, classes, rows):
        """Return probabilities with one column for each of `classes`, or None."""
        model = self.of(run, pool) if pool.has_output("predict_proba") else None
        if model is None:
            return None
        proba = pool.predict_proba(rows)
        return align_columns(proba, pool.classes, classes, name_of(model))
