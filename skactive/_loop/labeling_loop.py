"""One run of active learning, as a loop of asking and telling."""

import time
import warnings
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import clone

from skactive._loop.equal_rows import EqualRows
from skactive._loop.holdout import (
    accuracy_interval,
    draw_holdout,
    evaluate,
    select_holdout,
)
from skactive._loop.inputs import check_first_model, check_inputs
from skactive._loop.ledger import Ledger
from skactive._loop.rehearsal import as_text
from skactive._loop.saving import Step, read, replay, state_of, write
from skactive._loop.waiting import HOPELESS, Waiting, warn_of_no_committee
from skactive._models.fitting import FitMemory
from skactive._models.pseudo_labels import PseudoLabels
from skactive._pool.blocks import BlockPredictor
from skactive._pool.embedding import Embedding
from skactive._pool.noticed import Reporter
from skactive._pool.pool import Pool, starts_warm
from skactive.acquisition._base import select_queries
from skactive.acquisition._registry import uses_committee
from skactive.exceptions import ActiveLearningError, OracleError
from skactive.oracles._asking import answer_list, in_order
from skactive.stopping._registry import reason_to_stop
from skactive.utils._containers import hint_of_type, index_of, list_of
from skactive.utils._new_classes import late_and_once
from skactive.utils._outputs import align_columns
from skactive.utils._rows import like_given, take_rows
from skactive.utils._shown import name_of, shown, shown_values


@dataclass(frozen=True)
class Query:
    """Rows whose labels are wanted.

    Attributes
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_queries
        The rows, a copy in the container of the `X` that was given.

    indices : ndarray of shape (n_queries,), dtype int
        Their row numbers.

    sample_ids : ndarray of shape (n_queries,) or None
        Their ids, if ids were given.

    utilities : ndarray of shape (n_queries,) or None
        Their utilities, if the strategy states any.

    round : int
        Number of the round, from 1.

    classes : ndarray of shape (n_classes,)
        The closed set of classes, or the classes seen so far.
    """

    X: Any
    indices: np.ndarray
    sample_ids: np.ndarray | None
    utilities: np.ndarray | None
    round: int
    classes: np.ndarray
    _proba: Callable = field(repr=False)

    def __repr__(self):
        ids = None if self.sample_ids is None else shown_values(self.sample_ids)
        return (
            f"Query(X={shown(self.X)}, indices={shown_values(self.indices)}, "
            f"sample_ids={ids}, round={self.round}, "
            f"classes={shown_values(self.classes)})"
        )

    def __len__(self):
        return len(self.indices)

    @property
    def proba(self):
        """What the model says of the rows, (n_queries, n_classes), or None."""
        return self._proba(self.indices)


class LabelingLoop:
    """Active learning without a callback: ask for rows, tell their labels.

    :meth:`ActiveLearningClassifier.fit` runs on this loop; use it directly where
    labels come from outside, for instance from a web page or a spreadsheet.

    Parameters
    ----------
    clf : ActiveLearningClassifier
        Says how to learn and what to ask. It is not changed.

    X : {array-like, sparse matrix, data frame, list} of shape (n_samples, n_features)
        All rows, see :meth:`ActiveLearningClassifier.fit`.

    y : array-like of shape (n_samples,)
        Labels, and `clf.missing_label` where none is known.

    sample_ids : array-like of shape (n_samples,) or None, default=None
        Unique ints or strs that identify the rows.

    cost : array-like of shape (n_samples,) or None, default=None
        Price of the label of each row.

    **fit_params : dict
        Parameters for the estimator's `fit`, with metadata routing enabled.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier, LabelingLoop
    >>> X = np.linspace(0, 10, 11).reshape(-1, 1)
    >>> y = np.full(11, -1)
    >>> y[[0, 10]] = 0, 1
    >>> clf = ActiveLearningClassifier(LogisticRegression(), budget=3, batch_size=1)
    >>> loop = LabelingLoop(clf, X, y)
    >>> while (query := loop.ask()) is not None:
    ...     loop.tell([int(x > 4.2) for x in query.X[:, 0]])
    >>> loop.finish().predict([[1.0], [9.0]])
    array([0, 1])
    """

    def __init__(self, clf, X, y, *, sample_ids=None, cost=None, **fit_params):
        self._set_up(
            clf,
            X,
            y,
            has_oracle=True,
            sample_ids=sample_ids,
            cost=cost,
            fit_params=fit_params,
        )

    @classmethod
    def _for_fit(cls, clf, X, y, **kwargs):
        loop = object.__new__(cls)
        loop._set_up(clf, X, y, **kwargs)
        return loop

    def _set_up(
        self, clf, X, y, *, has_oracle, sample_ids, cost, fit_params, seed=None
    ):
        if isinstance(clf, type) or not hasattr(clf, "_reset"):
            raise TypeError(
                "The 'clf' parameter of LabelingLoop must be an object of the class "
                f"ActiveLearningClassifier, got {shown(clf)}."
            )
        # A clone: what is done to the parameters of `clf` must not change this run.
        self._clf = clone(clf)
        self._clf.random_state = clf.random_state  # an instance is drawn from
        inputs = check_inputs(
            self._clf,
            X,
            y,
            sample_ids=sample_ids,
            cost=cost,
            fit_params=fit_params,
            has_oracle=has_oracle,
        )
        if seed is not None:
            inputs = replace(inputs, seed=seed)
        equal_rows = self._equal_rows = EqualRows(
            inputs.X, inputs.labeled, clf.equal_rows, inputs.tie_seed
        )
        inputs = replace(inputs, budget=min(inputs.budget, equal_rows.n_askable))
        self._inputs = inputs
        self._given_X = X
        self._holdout = draw_holdout(inputs, clf.holdout_fraction, equal_rows.askable)
        self._ledger = Ledger(
            inputs,
            missing_label=clf.missing_label,
            unlabeled=clf.unlabeled,
            holdout=self._holdout,
            equal_rows=equal_rows,
            unknown_answers=clf.unknown_answers,
        )
        self._closed_queries = []
        self._closed_probabilities = []
        self._history = []
        self._steps = []
        self._fingerprint = None
        self._row_of_id = None
        self._round = 1
        self._open = None
        self._pool = None
        self._teaching = None  # the pool whose model the next one learns from
        self._ended = None
        self._end_reason = None
        self._reporter = Reporter()
        self._criteria_left = []
        self._waiting = Waiting(
            inputs, self._clf.estimator, members=uses_committee(inputs.strategy)
        )
        self._predictor = BlockPredictor(inputs.X)
        self._embedder = Embedding(inputs.X, self._clf.estimator)
        self._memory = FitMemory(inputs.classes)

    # What a user calls

    def ask(self):
        """Return the rows whose labels are wanted next.

        As long as some rows of a round have no answer, it is these.

        Returns
        -------
        query : Query or None
            None when there is nothing more to ask; call :meth:`finish` then.
        """
        if self._open is None and self._ended is None:
            with self._keeping_labels():
                self._begin_round()
        return None if self._open is None else self._query()

    def tell(self, labels, *, indices=None, sample_ids=None):
        """Record labels.

        Parameters
        ----------
        labels : sequence of length n_labels
            Labels of the rows of the last :meth:`ask`, in their order, or of the rows
            named by `indices` or `sample_ids`; a pandas Series whose index holds
            exactly the ids of these rows (or their names in `X`; or their numbers, if
            there are neither) may have them in any order. None, nan or the missing
            label means that there is no answer; the row is not asked again.

        indices : array-like of shape (n_labels,), default=None
            Row numbers of `X` that the labels belong to.

        sample_ids : array-like of shape (n_labels,), default=None
            Ids of the rows that the labels belong to.

        Raises
        ------
        OracleError
            If an answer is no label, or the number of answers is wrong. The other
            labels are recorded.
        ValueError
            If a row has never been asked.
        """
        with self._keeping_labels():
            rows = self._rows_told(indices, sample_ids)
            values = answer_list(
                in_order(labels, self._names_of(rows)),
                len(rows),
                missing_label=self._clf.missing_label,
            )
            refused = self._record(rows, values)
            if refused:
                shown = "; ".join(f"row {row}: {why}" for row, _, why in refused[:5])
                raise OracleError(
                    f"{len(refused)} of {len(rows)} answers are no valid labels: "
                    f"{shown}. The others are recorded.",
                    answers=[value for _, value, _ in refused],
                )

    def finish(self):
        """Return a classifier fitted on all labels known now.

        It can be called at any time, and does not end the loop.

        Returns
        -------
        clf : ActiveLearningClassifier
            A fitted clone.
        """
        fitted = clone(self._clf)
        vars(fitted).update(self._fitted_attributes())
        return fitted

    def save(self, path):
        """Write the rounds into a file, to go on in another process.

        The file is replaced as a whole or not at all. It holds the rows that were
        asked, all answers and the seed of the run, but neither `X` nor a model.

        Parameters
        ----------
        path : str or path-like
            The file, of JSON. One that exists is replaced.

        See Also
        --------
        load : Go on with a saved loop.
        """
        with self._keeping_labels():
            write(path, state_of(self))

    @classmethod
    def load(cls, path, clf, X, y, *, sample_ids=None, cost=None, **fit_params):
        """Go on with a saved loop, as if it had never been closed.

        The rounds of the file are replayed with their answers, so that strategies and
        criteria that keep state have it again. This fits the models of these rounds
        once more.

        Parameters
        ----------
        path : str or path-like
            A file that :meth:`save` has written.

        clf : ActiveLearningClassifier
            As the loop was made of; only `oracle`, `n_jobs` and `verbose` may differ.

        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            The same rows in the same order.

        y : array-like of shape (n_samples,)
            The same labels: those that the loop began with.

        sample_ids : array-like of shape (n_samples,) or None, default=None
            The same ids.

        cost : array-like of shape (n_samples,) or None, default=None
            The same prices.

        **fit_params : dict
            The same parameters for the estimator's `fit`.

        Returns
        -------
        loop : LabelingLoop
            Its :meth:`ask` gives the open rest of the last round, or the next round.

        Raises
        ------
        SavedLoopError
            If the file is no saved loop, is damaged or of a newer version, if it was
            made of other inputs, or if other rows are selected in the replay. The
            labels of the file come with the error.

        Examples
        --------
        >>> import os, tempfile
        >>> import numpy as np
        >>> from sklearn.linear_model import LogisticRegression
        >>> from skactive import ActiveLearningClassifier, LabelingLoop
        >>> X = np.linspace(0, 10, 11).reshape(-1, 1)
        >>> y = np.full(11, -1)
        >>> y[[0, 10]] = 0, 1
        >>> clf = ActiveLearningClassifier(LogisticRegression(), batch_size=2)
        >>> loop = LabelingLoop(clf, X, y)
        >>> rows = loop.ask().indices
        >>> loop.tell([1], indices=rows[:1])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = os.path.join(folder, "loop.json")
        ...     loop.save(path)
        ...     resumed = LabelingLoop.load(path, clf, X, y)
        >>> bool(resumed.ask().indices == rows[1:])
        True
        """
        saved = read(path)
        loop = object.__new__(cls)
        with saved.keeping_labels():
            loop._set_up(
                clf,
                X,
                y,
                has_oracle=True,
                sample_ids=sample_ids,
                cost=cost,
                fit_params=fit_params,
                seed=saved.seed,
            )
            replay(loop, saved)
        return loop

    # How a round goes

    def _begin_round(self):
        self._ended = self._exhausted()
        self._pool = self._make_pool()
        self._criteria_left = list(self._inputs.criteria)
        chosen = None if self._ended else self._choose()
        n_told = len(self._ledger.told)
        if chosen is None:
            self._steps.append(Step(n_told))
            return
        name, selection, seconds = chosen
        self._ledger.asked_in[selection.rows] = self._round
        self._open = _OpenRound(self._pool, name, selection, seconds)
        self._steps.append(Step(n_told, name, selection.rows, selection.probabilities))

    def _choose(self):
        """Choose the rows of a round; if no model can be fitted yet, without one."""
        with self._explaining_fit(self._pool):
            try:
                return self._stop_or_select(self._pool)
            except Exception as error:
                if not self._can_wait(self._pool, error):
                    raise
            self._pool = self._make_pool(can_fit=False)
            return self._stop_or_select(self._pool)

    def _stop_or_select(self, pool):
        """Return who selected rows, the selection and its time; None to stop."""
        if self._round == 1 and not self._queries:
            self._check_first_model(pool)
        if len(pool):
            self._ended = self._criterion_met(pool)
        if self._ended is not None:
            return None
        # The estimator may be fitted within the selection, or have been before.
        started = time.perf_counter() - pool.fit_seconds
        name, selection = self._select(pool)
        seconds = time.perf_counter() - started - pool.fit_seconds
        self._reporter.report(pool, name)
        return name, selection, seconds

    def _check_first_model(self, pool):
        """Find out before the first payment whether a model can be fitted at all."""
        if self._waiting.has_begun:
            return
        strategy, estimator = self._inputs.strategy, self._clf.estimator
        classes = self._waiting.classes(pool)
        committee = self._clf.committee if uses_committee(strategy) else None
        check_first_model(pool, strategy, self._embedder, estimator, committee, classes)
        if not pool.can_fit:
            n_more = self._n_wanted_first() or self._clf.batch_size
            self._waiting.rehearse_first_model(pool, n_more, self._n_left())

    def _n_left(self):
        """Return how many labels a model of this run can have more."""
        n_left = self._inputs.budget - len(self._queries)
        n_left -= int(self._ledger.holdout_left.sum())
        return min(n_left, len(self._ledger.candidates))

    def _can_wait(self, pool, error):
        """Tell whether a model that raised an error only needs more labels."""
        # What is paid for already may serve another run, with a larger budget.
        n_rows = len(self._ledger.candidates)
        n_left = n_rows if self._queries else self._n_left()
        return self._waiting.can_wait(pool, error, n_left)

    def _query(self):
        """Return the rows of the open round that have no answer yet."""
        inputs, opened = self._inputs, self._open
        rows, pool = opened.rows_left(), opened.pool
        utilities = opened.selection.utilities
        classes = pool.classes if inputs.classes is None else inputs.classes
        return Query(
            X=like_given(take_rows(inputs.X, rows), self._given_X),
            indices=rows,
            sample_ids=None if inputs.sample_ids is None else inputs.sample_ids[rows],
            utilities=None if utilities is None else utilities[~opened.told],
            round=self._round,
            classes=classes.copy(),
            _proba=partial(self._proba_for_oracle, pool, classes),
        )

    def _exhausted(self):
        """Return why no more rows can be asked, or None."""
        ledger = self._ledger
        if not len(ledger.candidates) and not ledger.holdout_left.any():
            return "all_labeled" if ledger.labeled.all() else "all_asked"
        if len(self._queries) >= self._inputs.budget:
            return "budget"
        return None

    @property
    def _condition(self):
        """Why the run has ended, also if `ask` has not said so yet, or None."""
        if self._ended is None and self._open is None:
            return self._exhausted()
        return self._ended

    def _criterion_met(self, pool):
        while self._criteria_left:
            name, criterion = self._criteria_left[0]
            reason = reason_to_stop(criterion, pool)
            del self._criteria_left[0]  # it is asked once a round
            if reason:
                self._end_reason = str(reason)
                return name
        return None

    def _select(self, pool):
        """Select the rows of a round; return who selected, and the selection."""
        inputs, clf = self._inputs, self._clf
        n_queries = min(clf.batch_size, inputs.budget - len(self._queries))
        left = self._ledger.holdout_left
        if left.any():
            rows = self._holdout[left[self._holdout]]
            n_left = self._equal_rows.n_askable - len(self._queries)
            return "holdout", select_holdout(rows, n_queries, n_left)
        n_queries = min(n_queries, len(pool.candidates))
        if pool.can_fit:
            name, strategy = clf.strategy, inputs.strategy
        else:
            name, strategy = clf.initial_strategy, inputs.initial_strategy
            n_queries = min(n_queries, self._n_wanted_first() or n_queries)
        name = name if isinstance(name, str) else type(strategy).__name__
        return name, select_queries(strategy, pool, n_queries)

    def _n_wanted_first(self):
        """Return how many labels are missing to `initial_size`."""
        return max(0, (self._clf.initial_size or 0) - self._ledger.n_learnt)

    def _make_pool(self, *, final=False, can_fit=None):
        inputs, ledger = self._inputs, self._ledger
        seed = np.random.SeedSequence([inputs.seed, self._round])
        return Pool(
            inputs.X,
            ledger.y.copy() if final else ledger.trainable_y,
            ledger.labeled.copy() if final else ledger.trainable,
            ledger.candidates,
            estimator=self._clf.estimator,
            committee=self._clf.committee,
            asked=ledger.asked,
            round=self._round,
            labeled_iter=ledger.labeled_iter.copy(),
            holdout=None if final else ledger.holdout,
            history=tuple(self._history),
            unlabeled=self._clf.unlabeled,
            teacher=self._teacher(),
            cost=inputs.cost,
            fit_params=inputs.fit_params,
            all_classes=inputs.classes,
            random_state=int(seed.generate_state(1)[0]),
            tie_seed=inputs.tie_seed,
            n_jobs=self._clf.n_jobs,
            can_fit=not self._is_cold() if can_fit is None else can_fit,
            predictor=self._predictor,
            embedder=self._embedder,
            memory=self._memory,
        )

    def _teacher(self):
        """Return the model that the next one learns from, None if there is none yet.

        It predicts for PseudoLabels, and a warm start goes on from it. It is that of
        the last round in which the strategy chose, whether or not it was fitted for
        anything else: who looked at a model must not change the next one.
        """
        pool = self._open.pool if self._teaches() else self._teaching
        return None if pool is None else self._model_of(pool)

    def _teaches(self):
        """Tell whether the next model learns from the model of the open round."""
        opened = self._open
        return (
            (
                isinstance(self._clf.unlabeled, PseudoLabels)
                or starts_warm(self._clf.estimator)
            )
            and opened is not None
            and opened.pool.can_fit
            and opened.name != "holdout"
            and bool(opened.told.any())
        )

    def _is_cold(self):
        """Tell whether there are too few labels to fit a model."""
        return self._n_wanted_first() > 0 or not self._ledger.has_two_classes()

    # How labels are recorded

    def _record(self, rows, values):
        """Record answers; return those that are refused, with their rows and why."""
        answered, refused = self._ledger.record(rows, values)
        if self._open is not None:
            self._open.mark_told(answered)
            if self._open.told.all():
                self._close_round()
        return refused

    def _rows_told(self, indices, sample_ids):
        """Return the row numbers that labels are told for."""
        if indices is None and sample_ids is None:
            if self._open is None:
                raise ValueError(
                    "There is no open question; call ask() before tell(), or name the "
                    "rows by indices or sample_ids."
                )
            return self._open.rows_left()
        if indices is not None and sample_ids is not None:
            raise ValueError("Pass indices or sample_ids to tell, not both.")
        rows = np.asarray(indices) if sample_ids is None else self._find(sample_ids)
        if not self._ledger.knows(rows):
            raise ValueError(
                "Labels can be told only for rows that ask() has returned, got "
                f"the rows {shown_values(np.ravel(rows))}."
            )
        return rows.astype(np.intp)

    def _names_of(self, rows):
        """Return what rows may be named by in the index of labels."""
        ids, index = self._inputs.sample_ids, index_of(self._inputs.X)
        names = [known[rows] for known in (ids, index) if known is not None]
        return names or [rows]

    def _find(self, sample_ids):
        """Return the row numbers of some ids."""
        known = self._inputs.sample_ids
        if known is None:
            raise ValueError(
                "Labels cannot be told by sample_ids, as the loop was made without."
            )
        if self._row_of_id is None:  # made once, as labels may be told one by one
            self._row_of_id = {i: row for row, i in enumerate(known.tolist())}
        where = self._row_of_id
        asked = list_of(sample_ids)
        unknown = [sample_id for sample_id in asked if sample_id not in where]
        if unknown:
            raise ValueError(
                f"There are no rows with the sample_ids {shown_values(unknown)}."
                f"{hint_of_type(unknown, where)}"
            )
        return np.array([where[sample_id] for sample_id in asked], dtype=np.intp)

    def _close_round(self):
        """Write the record of the open round; rows without an answer leave it."""
        self._ledger.asked_in[self._open.rows_left()] = 0
        if self._open.told.any():
            self._history.append(self._open_record())
            if self._teaches():
                self._teaching = self._open.pool
            self._closed_queries = self._queries
            self._closed_probabilities = self._probabilities
            self._round += 1
        self._open = None

    def _open_record(self):
        """Return the record of the open round, about the rows that have an answer."""
        opened, told = self._open, self._open.rows_told()
        return {
            "round": self._round,
            "strategy": opened.name,
            "n_labeled": int(opened.pool.labeled.sum()),
            "n_queried": len(told),
            "n_abstained": int((~self._ledger.labeled[told]).sum()),
            "fit_seconds": opened.pool.fit_seconds,
            "select_seconds": opened.select_seconds,
            "oracle_seconds": time.perf_counter() - opened.asked_at,
            "best_utility": opened.selection.best_utility,
            "mean_utility": opened.selection.mean_utility,
            "same_for_all": opened.pool.noticed.same_for_all,
            "reason": None,
            **self._pseudo_record(opened.pool),
            **self._cost_record(told),
        }

    def _pseudo_record(self, pool):
        """Return what a record says of pseudo-labels, if there can be any."""
        if not isinstance(self._clf.unlabeled, PseudoLabels):
            return {}
        return {"n_pseudo_labeled": pool.n_pseudo_labeled}

    def _cost_record(self, rows):
        """Return what a record says of money, if there are prices."""
        cost = self._inputs.cost
        if cost is None:
            return {}
        return {
            "cost": float(cost[rows].sum()),
            "total_cost": float(cost[self._queries].sum()),
        }

    @property
    def _queries(self):
        """Rows that have an answer, in the order in which they were asked."""
        told = [] if self._open is None else self._open.rows_told().tolist()
        return self._closed_queries + told

    @property
    def _probabilities(self):
        """With which probability each of these rows was drawn, or nan."""
        told = [] if self._open is None else self._open.probabilities_told()
        return self._closed_probabilities + told

    def _facts_for_oracle(self):
        """Return what an oracle of ours should know of this run."""
        inputs, prices = self._inputs, None
        if inputs.cost is not None and inputs.sample_ids is not None:
            prices = dict(
                zip(inputs.sample_ids.tolist(), inputs.cost.tolist(), strict=True)
            )
        return {
            "parse": self._ledger.parse,
            "missing_label": self._clf.missing_label,
            "prices": prices,
            "given": self._given_labels(),
            "progress": lambda: (int(self._ledger.asked.sum()), inputs.budget),
        }

    def _given_labels(self):
        """Return the ids of the rows that are labelled in `y`, and their labels."""
        ids, rows = self._inputs.sample_ids, np.flatnonzero(self._inputs.labeled)
        if ids is None or not len(rows):
            return [], []
        return ids[rows].tolist(), self._ledger.labels(rows).tolist()

    # What callbacks see

    def _model_of_round(self):
        """Return the attributes that make a classifier of this round's model."""
        model = self._model_of(self._pool)
        if model is None:
            return None
        return {"estimator_": model, "classes_": np.asarray(model.classes_)}

    def _model_of(self, pool):
        """Return the model of a round, None if there is none yet."""
        if not pool.can_fit:
            return None
        with self._explaining_fit(pool):
            try:
                return pool.estimator
            except Exception as error:
                if not self._can_wait(pool, error):
                    raise
        return None

    def _proba_for_oracle(self, pool, classes, rows):
        """Return probabilities with one column for each of `classes`, or None."""
        model = self._model_of(pool) if pool.has_output("predict_proba") else None
        if model is None:
            return None
        proba = pool.predict_proba(rows)
        return align_columns(proba, pool.classes, classes, name_of(model))

    def _training_rows(self):
        """Return functions that give the labelled rows and their labels."""
        rows = np.flatnonzero(self._ledger.trainable)
        return {
            "X": lambda: take_rows(self._inputs.X, rows),
            "y": lambda: self._ledger.labels(rows),
        }

    # How it ends

    def _stop(self, condition):
        """End the run; rows of the open round without an answer were not asked."""
        if self._open is not None:
            self._close_round()
        self._ended = condition

    @property
    def _max_rounds(self):
        """How many rounds there can be at most, or None if that is not known."""
        clf, inputs = self._clf, self._inputs
        # Only of ours it is known that they fill every batch.
        fill = all(
            type(strategy).__module__.startswith("skactive.")
            for strategy in (inputs.strategy, inputs.initial_strategy)
        )
        if not fill or clf.initial_size is not None or len(self._holdout):
            return None
        return -(-inputs.budget // clf.batch_size)

    def _state(self):
        """Return the attributes that are current at any time, even after a failure."""
        history = list(self._history)
        if self._open is not None and self._open.told.any():
            history.append(self._open_record())
        state = {
            "transduction_": self._ledger.y.copy(),
            "labeled_iter_": self._ledger.labeled_iter.copy(),
            "query_indices_": np.array(self._queries, dtype=np.intp),
            "n_queries_": len(self._queries),
            "n_askable_": self._equal_rows.n_askable,
            "n_iter_": len(history),
            "history_": history,
            "strategy_": self._inputs.strategy,
            "committee_": None,
        }
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(self._clf, name):
                state[name] = getattr(self._clf, name)
        if len(self._holdout):
            state["holdout_indices_"] = self._holdout_rows()
        if not np.isnan(self._probabilities).all():
            state["query_probabilities_"] = np.array(self._probabilities)
        if self._ended is not None:
            state["termination_condition_"] = self._ended
        return state

    def _fitted_attributes(self):
        """Fit on all labels, and return the attributes of the fitted classifier."""
        with self._keeping_labels():
            self._check_any_label()
            holdout = self._holdout_state()
            pool = self._final_pool()
            estimator = pool.estimator
            committee = self._final_committee(pool)
        self._warn_if_nothing_was_bought()
        self._warn_of_late_classes()
        state = self._state() | holdout
        record = {
            "round": state["n_iter_"] + 1,
            "strategy": None,
            "n_labeled": int(self._ledger.labeled.sum()),
            "n_queried": 0,
            "n_abstained": 0,
            "fit_seconds": pool.fit_seconds,
            "select_seconds": 0.0,
            "oracle_seconds": 0.0,
            "best_utility": None,
            "mean_utility": None,
            "same_for_all": None,
            "reason": self._end_reason,
            **self._pseudo_record(pool),
            **self._cost_record([]),
        }
        return state | {
            "estimator_": estimator,
            "classes_": np.asarray(estimator.classes_),
            "committee_": committee,
            "history_": [*state["history_"], record],
            "termination_condition_": self._condition,
        }

    def _check_any_label(self):
        if not self._ledger.labeled.any():
            raise ActiveLearningError(
                f"No row has a label, and {len(self._queries)} rows were asked, so no "
                "classifier can be fitted.",
                **self._bought(),
            )

    def _final_pool(self):
        """Return a pool with all labels whose estimator is fitted."""
        pool = self._last_pool_on(self._ledger.labeled)
        if pool is None:
            pool = self._make_pool(final=True, can_fit=True)
        with self._explaining_fit(pool):
            pool.estimator  # noqa: B018
        return pool

    def _last_pool_on(self, labeled):
        """Return the last pool if its estimator is fitted on these rows, or None."""
        pool = self._pool
        is_fitted = pool is not None and pool.is_fitted
        return pool if is_fitted and (pool.labeled == labeled).all() else None

    def _holdout_rows(self):
        """Return the rows of the test sample that have a label, ascending."""
        return np.sort(self._holdout[self._ledger.labeled[self._holdout]])

    def _holdout_state(self):
        """Return what the test sample says of a model that has not seen it."""
        if not len(self._holdout):
            return {}
        rows, ledger = self._holdout_rows(), self._ledger
        score, interval = accuracy_interval(0, 0)
        if self._queries:
            pool = self._last_pool_on(ledger.trainable)
            pool = self._make_pool(can_fit=True) if pool is None else pool
            score, interval = evaluate(pool, rows, ledger.labels(rows))
        return {"holdout_score_": score, "holdout_interval_": interval}

    def _final_committee(self, pool):
        """Return the committee fitted on all labels, None if the run had none."""
        if not self._queries or not uses_committee(self._inputs.strategy):
            return None
        with self._explaining_fit(pool):
            try:
                return pool.committee
            except Exception as error:
                if not self._waiting.is_want_of_labels(pool, error):
                    raise
                warn_of_no_committee(pool, error)
        return None

    def _warn_if_nothing_was_bought(self):
        if not self._condition or not self._queries:
            return
        if not self._ledger.labeled[self._queries].any():
            warnings.warn(
                f"The oracle abstained on all {len(self._queries)} rows that it was "
                "asked, so the estimator is fitted on the labels of y alone.",
                UserWarning,
                stacklevel=6,
            )

    def _warn_of_late_classes(self):
        """Warn of new classes that may be typing errors, or sentences of refusal."""
        if not self._condition or self._inputs.classes is not None:
            return
        ledger = self._ledger
        rows = [row for row in self._queries if ledger.labeled[row]]
        bought = ledger.labels(rows).tolist()
        given = ledger.labels(ledger.labeled_iter == 0).tolist()
        late = late_and_once(given, bought)
        if late:
            names = shown_values([bought[i] for i in late])
            where = shown_values([rows[i] for i in late])
            warnings.warn(
                f"The classes {names} came late and have one label each, in the rows "
                f"{where}. If they are no classes, but mistakes or refusals, name "
                "those that there are: classes=..., with unknown_answers='abstain'.",
                UserWarning,
                stacklevel=6,
            )

    def _bought(self):
        """Return the labels of this run and their rows, for an exception."""
        rows = np.array(self._queries, dtype=np.intp)
        rows = rows[self._ledger.labeled[rows]]
        return {"labels": self._ledger.labels(rows), "indices": rows}

    @contextmanager
    def _keeping_labels(self):
        """Attach the labels bought so far to whatever is raised."""
        try:
            yield
        except BaseException as error:
            if self._queries and getattr(error, "labels", None) is None:
                bought = self._bought()
                error.labels, error.indices = bought["labels"], bought["indices"]
                error.add_note(
                    f"{len(bought['labels'])} labels had been bought before; they are "
                    "in `labels` and `indices` of this exception and, after `fit`, in "
                    "`transduction_` of the classifier."
                )
            raise

    @contextmanager
    def _explaining_fit(self, pool):
        """Say what to do if the estimator cannot be fitted."""
        try:
            yield
        except Exception as error:
            if not pool.fit_failed or self._ended == "no_oracle":
                raise
            if isinstance(error, OSError):  # a full disk is no want of labels
                raise
            if isinstance(error, HOPELESS):
                if not self._queries:
                    raise
                raise ActiveLearningError(str(error), **self._bought()) from error
            n_rows = len(self._ledger.candidates)
            hint = self._waiting.hint(
                pool, error, self._n_left(), n_rows, self._condition
            )
            if not self._queries:
                error.add_note(hint)
                raise
            what = " ".join(map(as_text, [error, *getattr(error, "__notes__", [])]))
            raise ActiveLearningError(
                f"A model could not be fitted: {what} {hint}", **self._bought()
            ) from error


class _OpenRound:
    """A round whose rows have been asked, but not all answered."""

    def __init__(self, pool, name, selection, select_seconds):
        self.pool = pool
        self.name = name
        self.selection = selection
        self.select_seconds = select_seconds
        self.told = np.zeros(len(selection.rows), dtype=bool)
        self.asked_at = time.perf_counter()

    def rows_left(self):
        """Return the rows without an answer."""
        return self.selection.rows[~self.told]

    def rows_told(self):
        """Return the rows with an answer."""
        return self.selection.rows[self.told]

    def probabilities_told(self):
        """Return with which probability each row with an answer was drawn, or nan.

        It is one among the rows then left, so it says nothing of a row that was drawn
        after one that has no answer yet and may get none.
        """
        drawn = self.selection.probabilities
        if drawn is None:
            return [np.nan] * int(self.told.sum())
        is_next = np.logical_and.accumulate(self.told)
        return np.where(is_next, drawn, np.nan)[self.told].tolist()

    def mark_told(self, rows):
        """Note that rows have an answer."""
        self.told |= np.isin(self.selection.rows, rows)
