"""The pool: a frozen view of one round, all that a strategy or criterion sees."""

import time
from contextlib import nullcontext

import numpy as np
from sklearn.base import clone

from skactive._adapters import as_committee
from skactive._blocks import BlockPredictor
from skactive._committee import (
    CommitteeClassifier,
    check_member_proba,
    get_committee,
    member_votes,
)
from skactive._embedding import Embedding
from skactive._members import MemberOutput
from skactive.utils._labels import as_labels
from skactive.utils._outputs import check_proba
from skactive.utils._rows import take_rows
from skactive.utils._sharing import uses_processes
from skactive.utils._sklearn import _check_method_params
from skactive.utils._threads import few_threads


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

    history : tuple of dict, default=()
        Records of the rounds before this one.

    unlabeled : {"ignore", "pass"}, default="ignore"
        Whether the estimator is trained on the labelled rows only, or on all rows,
        with -1 for those without a label.

    cost : ndarray of shape (n_samples,) or None, default=None
        Price of the label of each row.

    fit_params : dict or None, default=None
        Parameters for the estimator's `fit`; those of n_samples are cut to the rows
        that are trained on.

    random_state : int, default=0
        Seed of this round.

    n_jobs : int or None, default=None
        Number of jobs for committees.

    can_fit : bool, default=True
        Whether enough is labelled to fit the estimator; False in a cold start.

    predictor : BlockPredictor or None, default=None
        Predicts on blocks of rows; kept from round to round.

    embedder : Embedding or None, default=None
        Embeds rows; kept from round to round.

    Attributes
    ----------
    classes : ndarray of shape (n_classes,)
        Labels seen, the columns of `proba`.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive._pool import Pool
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
        history=(),
        unlabeled="ignore",
        cost=None,
        fit_params=None,
        random_state=0,
        n_jobs=None,
        can_fit=True,
        predictor=None,
        embedder=None,
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
            history=history,
            unlabeled=unlabeled,
            cost=None if cost is None else _read_only(cost),
            fit_params=fit_params or {},
            random_state=random_state,
            n_jobs=n_jobs,
            _unfitted=estimator,
            _unfitted_committee=committee,
            can_fit=can_fit,
            _predictor=predictor or BlockPredictor(X),
            _embedder=embedder or Embedding(X, estimator),
            _shared={},
            _cache={},
            _parent=None,
        )

    def __setattr__(self, name, value):
        raise AttributeError(
            f"A Pool is frozen: {name!r} cannot be set. Strategies keep their state "
            "in attributes of their own, ending in '_'."
        )

    def __len__(self):
        return len(self.candidates)

    @property
    def classes(self):
        """Labels seen, in sorted order; the columns of `proba`."""
        if "classes" not in self._shared:
            self._shared["classes"] = np.unique(as_labels(self.y[self.labeled]))
        return self._shared["classes"]

    @property
    def is_fitted(self):
        """Whether the estimator of this round has been fitted already."""
        return "estimator" in self._shared

    @property
    def estimator(self):
        """The classifier, fitted on what is known in this round."""
        if "estimator" not in self._shared:
            self._fit("estimator", self._fit_estimator)
        return self._shared["estimator"]

    @property
    def committee(self):
        """The committee, fitted on what is known in this round.

        It has `classes_`, `predict_member` and, if all its members have
        probabilities, `predict_member_proba`.
        """
        if "committee" not in self._shared:
            self._fit("committee", self._fit_committee)
        return self._shared["committee"]

    @property
    def fit_failed(self):
        """Whether fitting a model was tried and raised."""
        return self._shared.get("fit_failed", False)

    @property
    def fit_seconds(self):
        """How long fitting models took; 0 if none was needed."""
        return self._shared.get("fit_seconds", 0.0)

    def _fit(self, name, fit):
        """Fit a model, once for this pool and all its blocks."""
        started, before = time.perf_counter(), self.fit_seconds
        self._shared["fit_failed"] = True
        model = fit()
        if model is not None:
            self._shared[name] = model
        self._shared["fit_failed"] = False
        self._shared["fit_seconds"] = before + time.perf_counter() - started

    def _fit_estimator(self):
        estimator = clone(self._unfitted)
        X, y, params = self.training_data()
        # A plain fit on a fully labelled y stays what it is without us.
        with nullcontext() if self.labeled.all() else few_threads(X):
            estimator.fit(X, y, **params)
        if not hasattr(estimator, "classes_"):
            raise ValueError(
                f"{type(estimator).__name__}.fit must set classes_, the classes that "
                "predictions stand for, as classifiers of scikit-learn do."
            )
        return estimator

    def _fit_committee(self, method=None):
        """Fit the committee.

        With a `method`, members may predict where they are fitted: then their outputs
        are kept, and None is returned.
        """
        committee = get_committee(
            self._unfitted_committee,
            self._unfitted,
            n_jobs=self.n_jobs,
            random_state=self.random_state,
        )
        if committee is None:
            return as_committee(self.estimator)
        if not isinstance(committee, CommitteeClassifier):
            X, y, _ = self.training_data()
            return as_committee(committee.fit(X, y))
        X, predictor, predict = self.X, self._predictor, None
        if uses_processes(committee.n_jobs):
            X, predictor = predictor.shared()
            if method is not None and not committee._is_linear:
                predict = MemberOutput(
                    predictor, self.candidates, self._slices(), self.classes, method
                )
        rows = np.flatnonzero(self.labeled)
        is_pass = self.unlabeled == "pass"
        are_clones = not isinstance(committee.estimator, list)
        outputs = committee._fit_members(
            X,
            rows,
            as_labels(self.y[rows]),
            others=np.flatnonzero(~self.labeled) if is_pass else (),
            fit_params=self.fit_params if are_clones else {},
            predict=predict,
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
        rows = np.flatnonzero(self.labeled)
        params = _check_method_params(self.X, self.fit_params, indices=rows)
        return take_rows(self.X, rows), as_labels(self.y[rows]), params

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
        return self._check_proba(self.estimator.predict_proba(take_rows(self.X, rows)))

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
        whole, positions = self._parent or (self, slice(None))
        if "committee" not in self._shared and name not in whole._cache:
            whole._fit("committee", lambda: whole._fit_committee(method))
        if name in whole._cache:
            return whole._cache[name][:, positions]
        if name not in self._cache:
            self._cache[name] = _read_only(self._compute_members(method))
        return self._cache[name]

    def _compute_members(self, method):
        if self._parent is None and len(self._slices()) > 1:
            parts = [block._member_output(method) for _, block in self.blocks()]
            return np.concatenate(parts, axis=1)
        committee, classes = self.committee, self.classes
        if isinstance(committee, CommitteeClassifier):
            fused = committee._fused(method)
            if fused is not None:
                return self._predictor.predict(fused, self.candidates, selects=True)
        if method == "predict":
            return self._predictor.predict(
                lambda X: member_votes(committee, X, classes), self.candidates, axis=1
            )
        proba = self._predictor.predict(
            committee.predict_member_proba, self.candidates, axis=1
        )
        return check_member_proba(committee, proba, classes)

    def has_output(self, name):
        """Tell whether the estimator has a method, such as ``"predict_proba"``."""
        return hasattr(self._shared.get("estimator", self._unfitted), name)

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
            block = object.__new__(Pool)
            seed = np.random.SeedSequence([self.random_state, number])
            vars(block).update(
                vars(self),
                candidates=self.candidates[positions],
                random_state=int(seed.generate_state(1)[0]),
                _cache={},
                _parent=(self, positions),
            )
            yield positions, block

    def _slices(self):
        return self._predictor.slices(self.candidates)

    def _output(self, method, check):
        """Return one model output for all candidates, computed once in blocks."""
        if method not in self._cache:
            self._cache[method] = _read_only(self._compute(method, check))
        return self._cache[method]

    def _compute(self, method, check):
        if self._parent is not None:
            pool, positions = self._parent
            if method in pool._cache:
                return pool._cache[method][positions]
        elif len(self._slices()) > 1:
            return self._gather(method, check)
        predict = getattr(self.estimator, method)
        try:
            output = self._predictor.predict(predict, self.candidates)
        except Exception as error:
            error.add_note(
                f"{type(self.estimator).__name__}.{method} raised this after a fit on "
                f"{self.labeled.sum()} labels of {len(self.classes)} classes. If it "
                "takes more than that, let the cold start ask more of them: see the "
                "parameter initial_size."
            )
            raise
        return check(output)

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
        columns, owner = self.estimator.classes_, type(self.estimator).__name__
        return check_proba(proba, columns, self.classes, owner)

    def _check_decision(self, decision):
        """Check that decision values are finite and have one column per class."""
        decision, n_classes = np.asarray(decision), len(self.estimator.classes_)
        binary = n_classes == 2 and decision.ndim == 1
        if not binary and decision.shape[1:] != (n_classes,):
            raise ValueError(
                f"{type(self.estimator).__name__}.decision_function returned an array "
                f"of shape {decision.shape} for {n_classes} classes; expected one "
                "column per class. For SVC set decision_function_shape='ovr'."
            )
        if not np.isfinite(decision).all():
            raise ValueError(
                f"{type(self.estimator).__name__}.decision_function returned NaN or "
                "infinity; check the estimator and the scale of the features."
            )
        return decision


def _read_only(array):
    view = np.asarray(array).view()
    view.flags.writeable = False
    return view
