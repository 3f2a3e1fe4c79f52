"""The models of a run: a pool for each round, and what is kept between rounds."""

import numpy as np

from skactive._loop.first_model import check_first_model
from skactive._loop.keeping import explaining_fit
from skactive._loop.waiting import Waiting
from skactive._models.pseudo_labels import PseudoLabels
from skactive._pool.facts import Facts
from skactive._pool.kept import Kept
from skactive._pool.models import RoundModels
from skactive._pool.pool import Pool
from skactive._pool.trainer import starts_warm
from skactive.acquisition._registry import uses_committee
from skactive.utils._outputs import align_columns
from skactive.utils._shown import name_of


class Models:
    """Makes the pool of each round, and keeps what passes from round to round.

    Parameters
    ----------
    inputs : Inputs
        The checked inputs of the run.

    ledger : Ledger
        The labels known.

    Attributes
    ----------
    last_pool : Pool or None
        The pool of the round that began last.

    n_seen : int
        Number of entries of the log when it was made.

    queue : list of int
        The rows to ask about again when the last pool was made.
    """

    def __init__(self, inputs, ledger):
        self.last_pool = None
        self.n_seen = 0
        self.queue = []
        self._inputs = inputs
        self._ledger = ledger
        self._waiting = Waiting(inputs)
        self._teaching = None  # pool of the closed round that teaches the next model
        # Facts about the rows and the classifier that hold in all rounds.
        self._kept = Kept.of_run(inputs.X, inputs.clf.estimator, inputs.classes)

    # Pools

    def begin(self, run, *, can_fit=None):
        """Make the pool of a round, which is `last_pool` from then on.

        Parameters
        ----------
        run : Run
            The run.

        can_fit : bool or None, default=None
            Whether a model can be fitted. If None, the labels decide.
        """
        with run.lock:
            self.n_seen, self.queue = len(run.log), list(run.queue)
            facts = self._facts(run, can_fit=can_fit)
        self.last_pool = self._pool(run, facts)

    def new_pool(self, run, *, final=False, can_fit=None):
        """Make a pool from the current labels.

        Parameters
        ----------
        run : Run
            The run.

        final : bool, default=False
            Whether the models are also trained on the test sample.

        can_fit : bool or None, default=None
            Whether a model can be fitted. If None, the labels decide.

        Returns
        -------
        pool : Pool
            No model of it is fitted yet.
        """
        with run.lock:
            facts = self._facts(run, final=final, can_fit=can_fit)
        return self._pool(run, facts)

    def _facts(self, run, *, final=False, can_fit=None):
        """Return the facts of a pool, as they are now."""
        inputs, ledger, clf = self._inputs, self._ledger, self._inputs.clf
        # Not drawn from a generator: the seed of a round depends on the seed of the
        # run and the number of the round only, whatever was drawn before. A run that
        # was saved and replayed goes on with the same seeds.
        seed = np.random.SeedSequence([inputs.seed, run.rounds.number])
        return Facts(
            inputs.X,
            ledger.y.copy() if final else ledger.trainable_y,
            ledger.labeled.copy() if final else ledger.trainable,
            ledger.candidates,
            asked=ledger.asked,
            round=run.rounds.number,
            labeled_iter=ledger.labeled_iter.copy(),
            holdout=None if final else ledger.holdout,
            history=tuple(run.rounds.history),
            unlabeled=clf.unlabeled,
            cost=inputs.cost,
            fit_params=inputs.fit_params,
            all_classes=inputs.classes,
            random_state=int(seed.generate_state(1)[0]),
            tie_seed=inputs.tie_seed,
            n_jobs=clf.n_jobs,
            can_fit=not self._is_cold() if can_fit is None else can_fit,
        )

    def _pool(self, run, facts):
        # Without the lock of the run, because the teacher may have to be fitted.
        clf = self._inputs.clf
        models = RoundModels(
            facts,
            clf.estimator,
            clf.committee,
            teacher=self._teacher(run),
            kept=self._kept,
        )
        return Pool(models)

    def last_pool_fitted_on(self, labeled):
        """Return the last pool if its estimator was fitted on these rows, or None.

        Reusing it saves a fit.

        Parameters
        ----------
        labeled : ndarray of shape (n_samples,), dtype bool
            Mask of the labelled rows.

        Returns
        -------
        pool : Pool or None
            The last pool, with its fitted estimator.
        """
        pool = self.last_pool
        is_fitted = pool is not None and pool.models.is_fitted
        return pool if is_fitted and (pool.labeled == labeled).all() else None

    @property
    def n_wanted_first(self):
        """Number of labels still to be bought until there are `initial_size`."""
        return max(0, (self._inputs.clf.initial_size or 0) - self._ledger.n_learnt)

    def _is_cold(self):
        """Return whether there are too few labels to fit a model."""
        return self.n_wanted_first > 0 or not self._ledger.has_two_classes()

    # The teacher: the model of an earlier round that a model learns from

    def learn_from(self, closing):
        """Let later models learn from the model of a round that is being closed."""
        if self._teaches(closing):
            self._teaching = closing.pool

    def _teacher(self, run):
        """Return the model that the next one learns from, or None.

        It predicts the pseudo-labels, and a warm start begins with its weights.
        """
        # It is the model of the last round in which the strategy selected, and is
        # fitted here if nothing else has needed it. Otherwise a callback or an oracle
        # that uses the model of a round would change the next one.
        pool = (
            run.rounds.open.pool if self._teaches(run.rounds.open) else self._teaching
        )
        return None if pool is None else self.model_of(run, pool)

    def _teaches(self, opened):
        """Return whether the next model learns from the model of a round."""
        clf = self._inputs.clf
        # A round without an answer does not teach. It leaves no trace anywhere, so that
        # a run goes on in the same way after it was saved and replayed.
        return (
            (isinstance(clf.unlabeled, PseudoLabels) or starts_warm(clf.estimator))
            and opened is not None
            and opened.pool.can_fit
            and opened.selected_by != "holdout"
            and bool(opened.told.any())
        )

    # Models that may need more labels

    def check_first(self, run):
        """Check, before any label is bought, that a model can be fitted at all.

        Parameters
        ----------
        run : Run
            A run in which nothing was queried yet.
        """
        pool, clf, strategy = self.last_pool, self._inputs.clf, self._inputs.strategy
        if self._waiting.has_begun:  # checked already, the round has begun again
            return
        classes = self._waiting.classes(pool)
        committee = clf.committee if uses_committee(strategy) else None
        check_first_model(
            pool, strategy, self._kept.embedder, clf.estimator, committee, classes
        )
        if not pool.can_fit:
            n_more = self.n_wanted_first or clf.batch_size
            self._waiting.rehearse_first_model(pool, n_more, run.n_left)

    def model_of(self, run, pool):
        """Return the model of a round, or None if there is none yet.

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
        """Return whether a model that raised an error only needs more labels.

        Parameters
        ----------
        run : Run
            The run.

        pool : Pool
            The pool of the round.

        error : Exception
            The error.

        Returns
        -------
        can_wait : bool
            If True, the cold start goes on.
        """
        # Before the first payment, the labels of this run must be enough. After it, it
        # is sufficient that labels for all rows would be: those bought so far may serve
        # another run, with a larger budget.
        n_rows = len(self._ledger.candidates)
        n_left = n_rows if run.rounds.n_queries else run.n_left
        return self._waiting.can_wait(pool, error, n_left)

    def hint(self, run, pool, error):
        """Return advice about a model that cannot be fitted.

        Parameters
        ----------
        run : Run
            The run.

        pool : Pool
            The pool of the round.

        error : Exception
            The error.

        Returns
        -------
        text : str
            Sentences.
        """
        n_rows = len(self._ledger.candidates)
        return self._waiting.hint(pool, error, run.n_left, n_rows, run.condition)

    def proba_for_oracle(self, run, pool, classes, rows):
        """Return the probabilities of a query.

        Parameters
        ----------
        run : Run
            The run.

        pool : Pool
            The pool of the round.

        classes : ndarray of shape (n_classes,)
            Classes of the columns.

        rows : ndarray of shape (n_rows,), dtype int
            Row numbers.

        Returns
        -------
        proba : ndarray of shape (n_rows, n_classes) or None
            None if there is no model, or it does not predict probabilities.
        """
        model = self.model_of(run, pool) if pool.has_output("predict_proba") else None
        if model is None:
            return None
        proba = pool.predict_proba(rows)
        return align_columns(proba, pool.classes, classes, name_of(model))
