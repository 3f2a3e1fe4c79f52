"""The one driver: it asks an oracle about query after query, until the run ends."""

import numpy as np

from skactive._loop.keeping import keeping_labels
from skactive.oracles._asking import ask_oracle, oracle_keywords, prepare_oracle
from skactive.utils._rows import take_rows
from skactive.utils._sklearn import NoCallbackContext


def drive(run, oracle, callbacks=None, *, verbose=0):
    """Drive a run to its end.

    Parameters
    ----------
    run : Run
        A run in which nothing was queried yet.

    oracle : callable or None
        It is refused before anything else happens if it cannot be called. Without an
        oracle the run ends at once.

    callbacks : Callbacks or None, default=None
        They are told when the run and its rounds begin and end.

    verbose : int, default=0
        If positive, a line is printed for every round.

    Raises
    ------
    Exception
        Whatever an oracle, a model or a callback raises, with the labels bought so
        far.
    """
    keywords = ()
    if oracle is not None:
        has_sample_ids = run.inputs.sample_ids is not None
        keywords = oracle_keywords(oracle, has_sample_ids=has_sample_ids)
        oracle = prepare_oracle(oracle, lambda: facts_for_oracle(run))
    callbacks = Callbacks() if callbacks is None else callbacks
    callbacks.set_up(max_rounds(run))
    with keeping_labels(run):
        callbacks.run_begins()
        if oracle is None:
            run.stop("all_labeled" if run.ledger.labeled.all() else "no_oracle")
        while (query := run.ask()) is not None:
            callbacks.round_begins()
            if ask_oracle(oracle, keywords, query, run.tell):
                run.stop("oracle")
            if verbose:
                _print_round(run, query)
            if callbacks.round_ends(run):
                run.stop("callback")


class Callbacks:
    """The callbacks of an estimator, if it has any.

    Parameters
    ----------
    estimator : estimator object or None, default=None
        What is being fitted.

    make_context : callable or None, default=None
        Returns the callback context of its fit, see
        :class:`~sklearn.callback.CallbackContext`.
    """

    def __init__(self, estimator=None, make_context=None):
        self._estimator = estimator
        self._make_context = make_context
        self._context = self._round_context = NoCallbackContext()

    def set_up(self, n_rounds):
        """Make the context, with the number of rounds if it is known."""
        if self._make_context is not None:
            self._context = self._make_context(max_subtasks=n_rounds)

    def run_begins(self):
        """Tell the callbacks that the fit begins."""
        self._context.call_on_fit_task_begin(estimator=self._estimator)

    def round_begins(self):
        """Tell the callbacks that a round begins."""
        self._round_context = self._context.subcontext(task_name="round")
        self._round_context.call_on_fit_task_begin(estimator=self._estimator)

    def round_ends(self, run):
        """Tell the callbacks that a round ends, and return whether one wants to stop.

        Models are fitted only for callbacks that look at them.
        """
        return self._round_context.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes=lambda: _model_of_round(run),
            **_training_rows(run),
        )

    def run_ends(self, run):
        """Tell the callbacks that the fit ends."""
        self._context.call_on_fit_task_end(
            estimator=self._estimator,
            reconstruction_attributes={},
            **_training_rows(run),
        )


def max_rounds(run):
    """Return the largest number of rounds there can be, or None if it is not known.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    n_rounds : int or None
        None with strategies of others, which may return less than a batch.
    """
    inputs = run.inputs
    fill = all(
        type(strategy).__module__.startswith("skactive.")
        for strategy in (inputs.strategy, inputs.initial_strategy)
    )
    if not fill or inputs.clf.initial_size is not None or len(run.holdout):
        return None
    return -(-inputs.budget // inputs.clf.batch_size)


def facts_for_oracle(run):
    """Return what an oracle of ours should know about a run.

    Parameters
    ----------
    run : Run
        The run.

    Returns
    -------
    facts : dict
        See :func:`~skactive.oracles._asking.prepare_oracle`.
    """
    inputs, ledger, prices = run.inputs, run.ledger, None
    if inputs.cost is not None and inputs.sample_ids is not None:
        prices = dict(
            zip(inputs.sample_ids.tolist(), inputs.cost.tolist(), strict=True)
        )
    return {
        "parse": ledger.parse,
        "missing_label": inputs.clf.missing_label,
        "prices": prices,
        "given": _given_labels(run),
        "progress": lambda: (int(ledger.asked.sum()), inputs.budget),
    }


def _given_labels(run):
    """Return the ids of the rows that are labelled in `y`, and their labels."""
    ids, rows = run.inputs.sample_ids, np.flatnonzero(run.inputs.labeled)
    if ids is None or not len(rows):
        return [], []
    return ids[rows].tolist(), run.ledger.labels(rows).tolist()


def _model_of_round(run):
    """Return the attributes that make a classifier of this round's model."""
    model = run.models.of(run, run.models.last)
    if model is None:
        return None
    return {"estimator_": model, "classes_": np.asarray(model.classes_)}


def _training_rows(run):
    """Return functions that give the labelled rows and their labels."""
    rows = np.flatnonzero(run.ledger.trainable)
    return {
        "X": lambda: take_rows(run.inputs.X, rows),
        "y": lambda: run.ledger.labels(rows),
    }


def _print_round(run, query):
    labeled = run.ledger.labeled
    print(
        f"[ActiveLearningClassifier] round {query.round}: asked {len(query)}, "
        f"{labeled.sum()} of {len(labeled)} rows are labelled"
    )
