"""The driver: it asks an oracle about the rows of each query until the run ends."""

import numpy as np

from skactive._loop.keeping import keeping_labels
from skactive.oracles._asking import ask_oracle, oracle_keywords, prepare_oracle
from skactive.oracles._run_facts import RunFacts
from skactive.utils._rows import take_rows
from skactive.utils._sklearn import NoCallbackContext


def ready_oracle(run, oracle):
    """Check an oracle, and make it ready for a run.

    Parameters
    ----------
    run : Run
        A run in which nothing was queried yet.

    oracle : callable or None
        The oracle.

    Returns
    -------
    ask : callable or None
        ``ask(query) -> stopped`` asks the oracle about the rows of a query, tells the
        run its answers, and returns whether the oracle ends the run. None without an
        oracle.

    Raises
    ------
    TypeError, ValueError
        If the oracle has the wrong signature.
    """
    if oracle is None:
        return None
    has_sample_ids = run.inputs.sample_ids is not None
    keywords = oracle_keywords(oracle, has_sample_ids=has_sample_ids)
    oracle = prepare_oracle(oracle, lambda: facts_for_oracle(run))
    # Each answer is recorded as soon as an iterator yields it, so that it is not lost
    # if the next one fails.
    return lambda query: ask_oracle(oracle, keywords, query, run.tell)


def drive(run, ask, callbacks=None, *, verbose=0):
    """Run the labelling loop with an oracle.

    Parameters
    ----------
    run : Run
        A run in which nothing was queried yet.

    ask : callable or None
        Asks the oracle, see `ready_oracle`. If None, the run ends at once.

    callbacks : Callbacks or None, default=None
        Called when the run and its rounds begin and end.

    verbose : int, default=0
        If positive, a line is printed for every round.

    Raises
    ------
    Exception
        Any error of an oracle, a model or a callback, with the labels bought so far.
    """
    callbacks = Callbacks() if callbacks is None else callbacks
    with keeping_labels(run):
        callbacks.run_begins()
        if ask is None:
            run.stop("all_labeled" if run.ledger.labeled.all() else "no_oracle")
        while (query := run.ask()) is not None:
            callbacks.round_begins()
            if ask(query):
                run.stop("oracle")
            if verbose:
                _print_round(run, query)
            if callbacks.round_ends(run):
                run.stop("callback")


class Callbacks:
    """Calls the callbacks of an estimator.

    Parameters
    ----------
    estimator : estimator object or None, default=None
        The estimator that is being fitted.

    context : CallbackContext or None, default=None
        The callback context of this fit, see
        :class:`~sklearn.callback.CallbackContext`. If None, there are no callbacks.
    """

    def __init__(self, estimator=None, context=None):
        self._estimator = estimator
        self._context = NoCallbackContext() if context is None else context
        self._round_context = None

    def run_begins(self):
        """Call the callbacks at the beginning of the fit."""
        self._context.call_on_fit_task_begin(estimator=self._estimator)

    def round_begins(self):
        """Call the callbacks at the beginning of a round."""
        self._round_context = self._context.subcontext(task_name="round")
        self._round_context.call_on_fit_task_begin(estimator=self._estimator)

    def round_ends(self, run):
        """Call the callbacks at the end of a round, and return whether one stops."""
        # Functions are passed, so that rows are copied and models fitted only for
        # callbacks that use them.
        return self._round_context.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=lambda: _model_of_round(run),
            **_training_rows(run),
        )

    def run_ends(self, run):
        """Call the callbacks at the end of the fit."""
        self._context.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes={},
            **_training_rows(run),
        )


def max_rounds(run):
    """Return the largest number of rounds that a run can have.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    n_rounds : int or None
        None if it is not known.
    """
    inputs = run.inputs
    # Other strategies may select less than a batch. So do the cold start, which ends
    # at `initial_size`, and the last round of the test sample.
    fill = all(
        type(strategy).__module__.startswith("skactive.")
        for strategy in (inputs.strategy, inputs.initial_strategy)
    )
    # For some oracles, stored answers cost no budget.
    is_told = hasattr(type(inputs.clf.oracle), "for_run")
    if not fill or is_told or inputs.clf.initial_size is not None or len(run.holdout):
        return None
    if inputs.past.in_session:  # rows of earlier runs may come in rounds of their own
        return None
    return -(-inputs.budget // inputs.clf.batch_size)


def facts_for_oracle(run):
    """Return what an oracle may know about a run.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    facts : RunFacts
        The facts, with an entry for every row.
    """
    inputs, ledger, prices = run.inputs, run.ledger, None
    if inputs.cost is not None and inputs.sample_ids is not None:
        prices = dict(
            zip(inputs.sample_ids.tolist(), inputs.cost.tolist(), strict=True)
        )
    return RunFacts(
        parse=ledger.parse,
        missing_label=inputs.clf.missing_label,
        prices=prices,
        given=_given_labels(run),
        progress=lambda: (int(ledger.asked.sum()), inputs.budget),
        uncharged=lambda ids: run.rounds.uncharge(inputs.find(ids)),
        asks_again=lambda: bool(run.rounds.asked_again),
    )


def _given_labels(run):
    """Return the ids of the rows that `y` has labels for, and these labels."""
    ids, rows = run.inputs.sample_ids, np.flatnonzero(run.inputs.labeled)
    if ids is None or not len(rows):
        return [], []
    return ids[rows].tolist(), run.ledger.labels(rows).tolist()


def _model_of_round(run):
    """Return the attributes of a classifier that predicts with the last model."""
    model = run.models.model_of(run, run.models.last_pool)
    if model is None:
        return None
    return {"estimator_": model, "classes_": np.asarray(model.classes_)}


def _training_rows(run):
    """Return functions that return the training rows and their labels."""
    rows = np.flatnonzero(run.ledger.trainable)
    return {
        "X": lambda: take_rows(run.inputs.X, rows),
        "y": lambda: run.ledger.labels(rows),
    }


def _print_round(run, query):
    labeled = run.ledger.labeled
    print(
        f"[ActiveLearningClassifier] round {query.round}: queried {len(query)}, "
        f"{labeled.sum()} of {len(labeled)} rows are labelled"
    )
