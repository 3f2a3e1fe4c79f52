"""The pool: a frozen view of one round, all that a strategy or criterion sees."""

import time
from contextlib import contextmanager, nullcontext
from functools import partial
from numbers import Integral
from types import NoneType

import numpy as np
from sklearn.base import clone

from skactive._models.adapters import as_committee
from skactive._models.closed_set import joint_classes, tell_classes
from skactive._models.committee import (
    CommitteeClassifier,
    check_member_proba,
    get_committee,
    member_votes,
)
from skactive._models.fitting import FitMemory, fit_classifier
from skactive._models.label_codes import CodedClassifier
from skactive._models.members import MemberOutput
from skactive._models.pseudo_labels import PseudoLabels
from skactive._pool.blocks import BlockPredictor
from skactive._pool.embedding import Embedding
from skactive._pool.held_rows import HeldRows
from skactive._pool.noticed import Noticed
from skactive.utils._capabilities import may_come, method_of
from skactive.utils._labels import as_labels
from skactive.utils._outputs import (
    check_among,
    check_proba_of,
    codes_of,
    read_proba,
    reader,
    same_classes,
)
from skactive.utils._pipelines import last_step
from skactive.utils._rows import take_rows
from skactive.utils._sharing import uses_processes
from skactive.utils._shown import name_of
from skactive.utils._sklearn import _check_method_params
from skactive.utils._threads import few_threads
from skactive.utils._ties import tie_keys

_NO_ROWS = (np.empty(0, dtype=np.intp), None)


class NoModelError(ValueError):
    """A model was asked for in a round that has none yet."""


class Pool:
    """A frozen view of one round of active learning.

    Model outputs are computed when they are first asked for, in blocks of rows, and
    are shared by everything that looks at the same pool. All arrays about candidates
    are in the order of `candidates`.

    Parameters
    ----------
    X : {array-like, sparse matrix, data frame, list} of length n_samples
        All rows, labelled or not.

    y : ndarray of shape (n_samples,)
        Labels known to the strategy, the marker elsewhere.

    labeled : ndarray of shape (n_samples,), dtype bool
        Rows whose label is known and trained on.

    candidates : ndarray of shape (n_candidates,), dtype int
        Row numbers of `X` that may be asked, ascending. They are not a prefix of `X`.

    estimator : estimator object
        Unfitted classifier; the attribute `estimator` is the fitted one.

    committee : int, list, estimator object or None, default=None
        The unfitted committee, see :class:`~skactive.ActiveLearningClassifier`; the
        attribute `committee` is the fitted one.

    asked : ndarray of shape (n_samples,), dtype bool, default=None
        Rows that have been asked in this run, abstentions included.

    round : int, default=1
        Number of the round, from 1.

    labeled_iter : ndarray of shape (n_samples,), dtype int, default=None
        0 for rows labelled from the beginning, k for those bought in round k, -1 else.

    holdout : HeldRows or None, default=None
        The rows that no model is trained on, and their labels, which `y` has not; None
        if there are none.

    history : tuple of dict, default=()
        Records of the rounds before this one.

    unlabeled : {"ignore", "pass"} or PseudoLabels, default="ignore"
        Whether the estimator is trained on the labelled rows only, on all rows, with
        -1 for those without a label, or also on those that are predicted confidently.

    teacher : estimator object or None, default=None
        The fitted classifier that predicts for `PseudoLabels`; if None, one that is
        fitted on the labelled rows. A warm start goes on from it, see
        :func:`starts_warm`.

    cost : ndarray of shape (n_samples,) or None, default=None
        Price of the label of each row.

    fit_params : dict or None, default=None
        Parameters for the estimator's `fit`; those of n_samples are cut to the rows
        that are trained on.

    random_state : int, default=0
        Seed of this round.

    tie_seed : int, default=0
        Seed of the one random order of all rows, see :meth:`tie_keys`.

    n_jobs : int or None, default=None
        Number of jobs for committees.

    can_fit : bool, default=True
        Whether enough is labelled to fit the estimator; False in a cold start.

    predictor : BlockPredictor or None, default=None
        Predicts on blocks of rows; kept from round to round.

    embedder : Embedding or None, default=None
        Embeds rows; kept from round to round.

    memory : FitMemory or None, default=None
        Which classifiers have refused labels, see
        :func:`~skactive._models.fitting.fit_classifier`; kept from round to round.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        Labels seen, and those of `all_classes` that the model has columns for; the
        columns of `proba`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive._pool.pool import Pool
    >>> pool = Pool(
    ...     X=np.array([[0.0], [1.0], [0.5], [0.1]]),
    ...     y=np.array([0, 1, -1, -1]),
    ...     labeled=np.array([True, True, False, False]),
    ...     candidates=np.array([2, 3]),
    ...     estimator=LogisticRegression(),
    ... )
    >>> pool.proba.shape
    (2, 2)
    >>> pool.classes
    array([0, 1])
    """

    def __init__(
        self,
        X,
        y,
        labeled,
        candidates,
        *,
        estimator,
        committee=None,
        asked=None,
        round=1,
        labeled_iter=None,
        holdout=None,
        history=(),
        unlabeled="ignore",
        teacher=None,
        cost=None,
        fit_params=None,
        all_classes=None,
        random_state=0,
        tie_seed=0,
        n_jobs=None,
        can_fit=True,
        predictor=None,
        embedder=None,
        memory=None,
    ):
        if asked is None:
            asked = np.zeros(len(labeled), dtype=bool)
        if labeled_iter is None:
            labeled_iter = np.where(labeled, 0, -1)
        vars(self).update(
            X=X,
            y=_read_only(y),
            labeled=_read_only(labeled),
            candidates=_read_only(candidates),
            asked=_read_only(asked),
            round=round,
            labeled_iter=_read_only(labeled_iter),
            holdout=holdout or HeldRows.none(len(labeled)),
            history=history,
            unlabeled=unlabeled,
            cost=None if cost is None else _read_only(cost),
            fit_params=fit_params or {},
            random_state=random_state,
            tie_seed=tie_seed,
            n_jobs=n_jobs,
            all_classes=all_classes,
            _unfitted=tell_classes(estimator, all_classes),
            _unfitted_committee=committee,
            _teacher=teacher,
            _start=teacher,
            _without_label=_read_only(candidates),  # of this round, in its parts too
            can_fit=can_fit,
            _predictor=predictor or BlockPredictor(X),
            _embedder=embedder or Embedding(X, estimator),
            _memory=memory or FitMemory(all_classes),
            _model_seed=random_state,
            _models={},
            _fits={"seconds": 0.0, "failed": None},
            noticed=Noticed(X),
            _cache={},
            _parent=None,
            _is_part=False,
            _is_block=False,
        )

    def __setattr__(self, name, value):
        raise AttributeError(
            f"A Pool is frozen: {name!r} cannot be set. Strategies keep their state "
            "in attributes of their own, ending in '_'."
        )

    def __len__(self):
        return len(self.candidates)

    @property
    def seen(self):
        """Labels seen, in sorted order."""
        if "seen" not in self._models:
            self._models["seen"] = np.unique(as_labels(self.y[self.labeled]))
        return self._models["seen"]

    @property
    def classes(self):
        """Labels seen and columns of the model, in sorted order; those of `proba`.

        Where classes are missing of a closed set, the model is fitted to know them.
        """
        closed, seen = self.all_classes, self.seen
        if closed is None or not self.can_fit or len(seen) == len(closed):
            return seen
        if "classes" not in self._models:
            models = [self.estimator]
            if not (self._unfitted_committee is None or self._has_clones):
                models.append(self.committee)
            self._models["classes"] = joint_classes(seen, models, closed)
        return self._models["classes"]

    @property
    def _has_clones(self):
        """Whether the committee consists of clones of the estimator."""
        return isinstance(self._unfitted_committee, Integral)

    @property
    def unfitted(self):
        """The classifier as it was given, not fitted."""
        return self._unfitted

    @property
    def is_fitted(self):
        """Whether the estimator of this round has been fitted already."""
        return "estimator" in self._models

    @property
    def estimator(self):
        """The classifier, fitted on what is known in this round."""
        if "estimator" not in self._models:
            self._fit("estimator", self._fit_estimator)
        return self._models["estimator"]

    @property
    def committee(self):
        """The committee, fitted on what is known in this round.

        It has `classes_`, `predict_member` and, if all its members have
        probabilities, `predict_member_proba`.
        """
        if "committee" not in self._models:
            self._fit("committee", self._fit_committee)
        return self._models["committee"]

    @property
    def fit_failed(self):
        """Whether fitting a model, or predicting with it, was tried and raised."""
        return self._fits["failed"] is not None

    @property
    def failed_estimator(self):
        """The unfitted classifier that raised, or None."""
        return self._fits["failed"]

    @contextmanager
    def watching_models(self):
        """Note if something is raised within, where models are fitted or predict.

        It tells a model that needs more labels from a fault of a strategy.
        """
        try:
            yield
        except Exception:
            self._fits["failed"] = self._unfitted
            raise

    @property
    def fit_seconds(self):
        """How long fitting models took; 0 if none was needed."""
        return self._fits["seconds"]

    def _fit(self, name, make):
        """Fit a model, once for this pool and all its parts."""
        if not self.can_fit:
            raise NoModelError(
                f"There is no model in round {self.round}, as too little is labelled: "
                "pool.can_fit is False."
            )
        started, before = time.perf_counter(), self._fits["seconds"]
        with self.watching_models():
            model = make()
        if model is not None:
            self._models[name] = model
        self._fits["failed"] = None
        # The estimator may have been fitted within, as its own committee.
        self._fits["seconds"] = before + time.perf_counter() - started

    def _fit_estimator(self):
        return self._fit_clone(*self.training_data())

    def _fit_clone(self, X, y, params):
        # A plain fit on a fully labelled y stays what it is without us.
        with nullcontext() if self.labeled.all() else few_threads(X):
            return fit_classifier(
                self._unfitted_clone(),
                X,
                y,
                params,
                missing_label=self._missing_label,
                memory=self._memory,
                again=self._unfitted_clone,
            )

    def _unfitted_clone(self):
        """Return the classifier as it is before a fit of this round."""
        estimator = clone(self._unfitted)
        if self._start is not None and starts_warm(estimator):
            start = last_step(self._start)
            if not isinstance(start, CodedClassifier):  # codes change their meaning
                last_step(estimator).start_from(start)
        return estimator

    @property
    def _committee_memory(self):
        """What is remembered of the members: the same for clones of the classifier."""
        are_clones = isinstance(self._unfitted_committee, (Integral, NoneType))
        return self._memory if are_clones else self._memory.of("committee")

    @property
    def _missing_label(self):
        """What the classifier gets for rows without a label, if it gets them."""
        return -1 if self.unlabeled == "pass" else None

    def _fit_committee(self, method=None):
        """Fit the committee.

        With a `method`, members may predict where they are fitted: then their outputs
        are kept, and None is returned.
        """
        committee = get_committee(
            self._unfitted_committee,
            self._unfitted,
            n_jobs=self.n_jobs,
            random_state=self._model_seed,
        )
        if committee is None:
            return as_committee(self.estimator)
        committee = tell_classes(committee, self.all_classes)
        if not isinstance(committee, CommitteeClassifier):
            X, y, _ = self.training_data()
            committee = fit_classifier(
                committee,
                X,
                y,
                missing_label=self._missing_label,
                memory=self._committee_memory,
            )
            return as_committee(committee)
        X, predictor, predict = self.X, self._predictor, None
        if uses_processes(committee.n_jobs):
            X, predictor = predictor.shared()
            if method is not None and not committee._is_linear:
                predict = MemberOutput(
                    predictor, self.candidates, self._slices(), self.classes, method
                )
        rows = np.flatnonzero(self.labeled)
        others, predicted = self._pseudo_labeled()
        if self.unlabeled == "pass":
            others, predicted = np.flatnonzero(~self.labeled), None
        are_clones = not isinstance(committee.estimator, list)
        outputs = committee._fit_members(
            X,
            rows,
            as_labels(self.y[rows]),
            others=others,
            other_labels=predicted,
            fit_params=self.fit_params if are_clones else {},
            predict=predict,
            memory=self._committee_memory,
            missing_label=self._missing_label,
        )
        if outputs is None:
            return committee
        self._cache[f"member {method}"] = _read_only(np.array(outputs))
        return None

    def training_data(self):
        """Return what the estimator is fitted on: X, y and its fit parameters."""
        if self.unlabeled == "pass":
            return self.X, self._marked_y(), self.fit_params
        if self.labeled.all():
            return self.X, as_labels(self.y), self.fit_params
        return self._labeled_data(*self._pseudo_labeled())

    def _labeled_data(self, others, predicted):
        """Return the labelled rows, and others with predicted labels, as they stand."""
        rows = np.flatnonzero(self.labeled)
        labels = as_labels(self.y[rows])
        if len(others):
            rows = np.concatenate([rows, others])
            order = np.argsort(rows)
            rows, labels = rows[order], np.concatenate([labels, predicted])[order]
        params = _check_method_params(self.X, self.fit_params, indices=rows)
        return take_rows(self.X, rows), labels, params

    @property
    def n_pseudo_labeled(self):
        """How many rows the estimator was trained on with a predicted label."""
        return len(self._models.get("pseudo_labeled", _NO_ROWS)[0])

    def _pseudo_labeled(self):
        """Return the rows that are trained on with a predicted label, and the labels.

        They are the same for the whole pool and all its parts.
        """
        if "pseudo_labeled" not in self._models:
            found = _NO_ROWS
            if isinstance(self.unlabeled, PseudoLabels):
                found = self._predict_confident()
            self._models["pseudo_labeled"] = found
        return self._models["pseudo_labeled"]

    def _predict_confident(self):
        pseudo, rows = self.unlabeled, self._without_label
        # A model of one class is sure of everything.
        useless = pseudo.threshold_in(self.round) == 0 or len(self.seen) < 2
        if useless or len(rows) == 0:
            return _NO_ROWS
        teacher = self._teacher
        if teacher is None:
            teacher = self._fit_clone(*self._labeled_data(*_NO_ROWS))
        classes = joint_classes(self.seen, [teacher], self.all_classes)
        found = []
        for part in self._predictor.slices(rows):
            proba = self._predictor.predict(partial(read_proba, teacher), rows[part])
            proba = check_proba_of(teacher, proba, classes)
            predicted = classes[proba.argmax(axis=1)]
            # What nobody has seen is not learnt from the model's own word.
            confident = pseudo.is_confident(proba, self.round)
            confident &= np.isin(predicted, self.seen)
            found.append((rows[part][confident], predicted[confident]))
        return tuple(map(np.concatenate, zip(*found, strict=True)))

    def _marked_y(self):
        """Return `y` with -1 for missing labels, whatever their marker is."""
        labels = as_labels(self.y[self.labeled])
        dtype = object if labels.dtype.kind in "UO" else np.result_type(labels, np.int8)
        y = np.full(len(self.y), -1, dtype=dtype)
        y[self.labeled] = labels
        return y

    @property
    def proba(self):
        """Probabilities of the candidates, of shape (n_candidates, n_classes)."""
        return self._output("predict_proba", self._check_proba)

    def predict_proba(self, rows):
        """Return the probabilities of any rows of `X`, of shape (n_rows, n_classes)."""
        X = take_rows(self.X, rows)
        return self._check_proba(read_proba(self.estimator, X))

    @property
    def predictions(self):
        """Predicted class of each candidate as a column of `proba`, (n_candidates,).

        It is the likeliest class if the estimator has probabilities, which are shared
        with all that look at them; else what its `predict` says.
        """
        output = self._known_output("predictions")
        if output is None:
            if self.has_output("predict_proba"):
                codes = self._likeliest(
                    self._output("predict_proba", self._check_proba)
                )
            else:
                codes = self._output("predict", self._encode)
            output = self._cache["predictions"] = _read_only(codes)
        return output

    def predict(self, rows):
        """Return the predicted classes of any rows of `X`, as `predictions` does.

        Parameters
        ----------
        rows : ndarray of shape (n_rows,), dtype int
            Row numbers, ascending.

        Returns
        -------
        codes : ndarray of shape (n_rows,), dtype int
            Columns of `proba`.
        """
        has_proba = self.has_output("predict_proba")
        method = "predict_proba" if has_proba else "predict"
        predict, codes = reader(self.estimator, method), []
        for part in self._predictor.slices(rows, may_compact=False):
            output = self._predictor.predict(predict, rows[part])
            if has_proba:
                codes.append(self._likeliest(self._check_proba(output)))
            else:
                codes.append(self._encode(output))
        return np.concatenate(codes)

    def _likeliest(self, proba):
        return _as_codes(proba.argmax(axis=1), self.classes)

    def _encode(self, predicted):
        """Return labels as columns of `proba`."""
        owner = f"{name_of(self.estimator)}.predict"
        return _as_codes(codes_of(predicted, self.classes, owner), self.classes)

    @property
    def decision_function(self):
        """Decision values of the candidates, (n_candidates,) or (.., n_classes)."""
        return self._output("decision_function", self._check_decision)

    @property
    def loss(self):
        """Losses that the estimator predicts for the candidates, (n_candidates,)."""
        return self._output("predict_loss", np.asarray)

    @property
    def member_proba(self):
        """Probabilities by each member, (n_members, n_candidates, n_classes)."""
        return self._member_output("predict_proba")

    @property
    def votes(self):
        """Each member's class as a column of `proba`, (n_members, n_candidates)."""
        return self._member_output("predict")

    def _member_output(self, method):
        """Return one output of the members, computed once."""
        name = f"member {method}"
        output = self._known_output(name, axis=1)
        if output is not None:
            return output
        self.classes  # noqa: B018  # they are known by models in a closed set
        if "committee" not in self._models:
            whole = self._parent[0] if self._is_block else self
            whole._fit("committee", lambda: whole._fit_committee(method))
            output = self._known_output(name, axis=1)
        if output is None:
            output = self._cache[name] = _read_only(self._compute_members(method))
        self.noticed.see(self._unfitted, name, self.candidates, output, output, axis=1)
        return output

    def _compute_members(self, method):
        if len(self._slices()) > 1:
            parts = [block._member_output(method) for _, block in self.blocks()]
            return np.concatenate(parts, axis=1)
        committee, classes = self.committee, self.classes
        if isinstance(committee, CommitteeClassifier):
            fused = committee._fused(method)
            if fused is not None and same_classes(committee.classes_, classes):
                return self._predictor.predict(fused, self.candidates, selects=True)
        with self.watching_models():
            if method == "predict":
                return self._predictor.predict(
                    lambda X: member_votes(committee, X, classes),
                    self.candidates,
                    axis=1,
                )
            predict = method_of(committee, "predict_member_proba", axis=1)
            proba = self._predictor.predict(predict, self.candidates, axis=1)
        return check_member_proba(committee, proba, classes)

    def has_output(self, name):
        """Tell whether the estimator has a method, such as ``"predict_proba"``.

        Where that may come with the fit, the estimator is fitted.
        """
        if hasattr(self._models.get("estimator", self._unfitted), name):
            return True
        return (
            self.can_fit
            and may_come(self._unfitted, name)
            and hasattr(self.estimator, name)
        )

    def tie_keys(self, rows):
        """Return where rows stand in the one random order of all rows of the run.

        Of rows that tie, a strategy takes the one of the lowest key, so that nobody
        is preferred for a place in the file. The order depends on the seed of the run
        only; it is the same in all rounds, and in all parts of the pool.

        Parameters
        ----------
        rows : array-like of shape (n_rows,), dtype int
            Row numbers of `X`.

        Returns
        -------
        keys : ndarray of shape (n_rows,), dtype uint64
            All different.
        """
        return tie_keys(self.tie_seed, rows)

    def embedding(self, rows):
        """Return rows of `X` as numeric features, of shape (n_rows, n_components).

        It is what the estimator's own ``embed(X)`` gives; or the output of the steps
        of a Pipeline before its last; or `X` itself if it is numeric without NaN.

        Parameters
        ----------
        rows : ndarray of int, or slice
            Row numbers of `X`; a slice only while `embedding_is_fixed`.

        Returns
        -------
        features : {ndarray, sparse matrix} of shape (n_rows, n_components)
            A copy; for a slice it may be a view, which must not be written to.
        """
        return self._embedder.embed(rows, self)

    @property
    def embedder(self):
        """What embeds rows, kept from round to round."""
        return self._embedder

    @property
    def has_embedding(self):
        """Whether `embedding` can be computed in this round."""
        return self._embedder.is_available(self)

    @property
    def embedding_is_fixed(self):
        """Whether the embedding stays the same over the rounds."""
        return self._embedder.is_fixed

    def blocks(self):
        """Yield the candidates as smaller pools, one per block of rows.

        A model output that has been computed for the whole pool is cut; one that has
        not is computed for the block alone, and forgotten with it.

        Yields
        ------
        positions : slice
            Where the block's candidates stand among those of this pool.

        block : Pool
            A pool of these candidates.
        """
        slices = self._slices()
        if len(slices) == 1:
            yield slices[0], self
            return
        for number, positions in enumerate(slices):
            yield positions, self._part(positions, number, _is_block=True)

    def take(self, positions, *, stream=0):
        """Return a pool of some of the candidates, for the same models.

        Model outputs that have been computed for this pool are cut; others are
        computed for the chosen candidates alone.

        Parameters
        ----------
        positions : array-like of int
            Which candidates, by their positions in `candidates`; the order is ignored.

        stream : int, default=0
            Number of the random stream of the new pool: parts of one round that draw
            at random must not share a seed.

        Returns
        -------
        pool : Pool
            Its candidates are in ascending order.
        """
        return self._part(np.sort(np.asarray(positions, dtype=np.intp)), stream)

    def with_stream(self, stream):
        """Return the same pool, with a random seed of its own.

        Parameters
        ----------
        stream : int
            Number of the random stream.

        Returns
        -------
        pool : Pool
            It shares models and outputs with this one.
        """
        seed = _seed_of_stream(self.random_state, stream)
        return self._copy(random_state=seed)

    def with_estimator(self, estimator, embedder=None):
        """Return the round as another classifier sees it.

        Parameters
        ----------
        estimator : estimator object
            Unfitted classifier.

        embedder : Embedding or None, default=None
            Embeds rows for this classifier, if there is one from an earlier round.

        Returns
        -------
        pool : Pool
            It shares neither models nor outputs with this one; the time of its fits
            counts in this one.
        """
        return self._copy(
            _unfitted=tell_classes(estimator, self.all_classes),
            _embedder=embedder or Embedding(self.X, estimator),
            _memory=self._memory.of(estimator),
            _start=None,
            _models={},
            noticed=Noticed(self.X),
            _cache={},
            _parent=None,
            _is_block=False,
        )

    def with_labels(self, y, labeled, candidates, *, estimator):
        """Return the round as it would be with other labels, for another classifier.

        Parameters
        ----------
        y : ndarray of shape (n_samples,)
            Labels, the marker elsewhere.

        labeled : ndarray of shape (n_samples,), dtype bool
            Rows with a label.

        candidates : ndarray of shape (n_candidates,), dtype int
            Rows to predict, ascending.

        estimator : estimator object
            Unfitted classifier.

        Returns
        -------
        pool : Pool
            It shares nothing with this one.
        """
        mode = "ignore" if isinstance(self.unlabeled, PseudoLabels) else self.unlabeled
        return type(self)(
            self.X,
            y,
            labeled,
            candidates,
            estimator=estimator,
            committee=self._unfitted_committee,
            unlabeled=mode,
            fit_params=self.fit_params,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
        )

    def _part(self, positions, stream, *, _is_block=False):
        return self._copy(
            candidates=_read_only(self.candidates[positions]),
            random_state=_seed_of_stream(self.random_state, stream),
            _cache={},
            _parent=(self, positions),
            _is_part=True,
            _is_block=_is_block,
        )

    def _copy(self, **changes):
        other = object.__new__(type(self))
        vars(other).update(vars(self) | changes)
        return other

    def _slices(self):
        return self._predictor.slices(self.candidates, may_compact=not self._is_part)

    def _known_output(self, name, axis=0):
        """Return an output that this pool or one it is a part of has, or None."""
        if name in self._cache or self._parent is None:
            return self._cache.get(name)
        whole, positions = self._parent
        output = whole._known_output(name, axis)
        if output is None:
            return None
        return output[positions] if axis == 0 else output[:, positions]

    def _output(self, method, check):
        """Return one model output for all candidates, computed once in blocks."""
        output = self._known_output(method)
        if output is None:
            output = self._cache[method] = _read_only(self._compute(method, check))
        return output

    def _compute(self, method, check):
        if len(self._slices()) > 1:
            return self._gather(method, check)
        predict = reader(self.estimator, method)
        with self.watching_models():
            output = self._predictor.predict(predict, self.candidates)
        checked = check(output)
        self.noticed.see(self.estimator, method, self.candidates, output, checked)
        return checked

    def _gather(self, method, check):
        """Compute a model output block by block into one array."""
        out = None
        for positions, block in self.blocks():
            part = block._output(method, check)
            if out is None:
                out = np.empty((len(self), *part.shape[1:]), dtype=part.dtype)
            out[positions] = part
        return out

    def _check_proba(self, proba):
        """Check probabilities and bring their columns into the order of `classes`."""
        return check_proba_of(self.estimator, proba, self.classes)

    def _check_decision(self, decision):
        """Check that decision values are finite and have one column per class."""
        decision, columns = np.asarray(decision), self.estimator.classes_
        n_classes = len(columns)
        check_among(columns, self.classes, name_of(self.estimator))
        if n_classes == 2 and decision.shape[1:] == (1,):
            decision = decision.ravel()
        binary = n_classes == 2 and decision.ndim == 1
        if not binary and decision.shape[1:] != (n_classes,):
            raise ValueError(
                f"{name_of(self.estimator)}.decision_function returned an array "
                f"of shape {decision.shape} for {n_classes} classes; expected one "
                "column per class. For SVC set decision_function_shape='ovr'."
            )
        if not np.isfinite(decision).all():
            raise ValueError(
                f"{name_of(self.estimator)}.decision_function returned NaN or "
                "infinity; check the estimator and the scale of the features."
            )
        return decision


def starts_warm(estimator):
    """Tell whether a classifier goes on from the one of the round before.

    A clone knows nothing of earlier fits, so that `warm_start` alone does nothing. A
    classifier that has ``start_from(fitted)`` is told.
    """
    last = last_step(estimator)
    return hasattr(last, "start_from") and bool(getattr(last, "warm_start", False))


def _seed_of_stream(seed, stream):
    return int(np.random.SeedSequence([seed, stream]).generate_state(1)[0])


def _as_codes(codes, classes):
    """Return class numbers in the smallest signed type, which has room for -1."""
    return codes.astype(np.min_scalar_type(-len(classes)))


def _read_only(array):
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view
