"""The meta-estimator that buys the labels of its training data."""

import copy
import pickle
import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import check_consistent_length
from sklearn.utils.metadata_routing import (
    UNUSED,
    MetadataRouter,
    MethodMapping,
    process_routing,
)
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from skactive._loop.driver import Callbacks, drive, max_rounds, ready_oracle
from skactive._loop.keeping import keeping_labels
from skactive._loop.opening import begin_run
from skactive._loop.result import current_attributes, fit_result
from skactive._models.pseudo_labels import PseudoLabels
from skactive.exceptions import FitInProgressError
from skactive.utils._capabilities import HasMethodsOnceFitted
from skactive.utils._containers import check_aligned
from skactive.utils._labels import check_y, warn_if_split_blindly
from skactive.utils._outputs import as_labels_of_rows, as_proba
from skactive.utils._rows import check_rows, take_rows
from skactive.utils._shown import BriefMixin, name_of
from skactive.utils._sklearn import (
    N_JOBS,
    CallbackSupportMixin,
    HasMethods,
    Interval,
    RealNotInt,
    StrOptions,
    _check_method_params,
    _estimator_has,
    _fit_context,
    _num_samples,
    _raise_for_params,
    _routing_enabled,
    get_tags,
)

# A class is a callable, too. It is refused later, with advice on what to pass.
_STRATEGY = [str, callable, HasMethods(["utility"]), HasMethods(["select"])]
_DELEGATED = ("predict", "predict_proba", "predict_log_proba", "decision_function")


class ActiveLearningClassifier(
    CallbackSupportMixin, BriefMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """Active learning for classification.

    This meta-estimator implements pool-based active learning [1]_. It is fitted on
    partially labelled data. In each round, `estimator` is fitted on the labels known so
    far, `strategy` selects the rows whose labels are expected to help most, and
    `oracle` is asked about these rows. The run ends when the `budget` is spent or a
    stopping criterion is met. Then the estimator is fitted on all labels, and predicts
    like any other classifier.

    Read more in the :ref:`User Guide <getting_started>`.

    Parameters
    ----------
    estimator : estimator object
        The classifier to train, for instance a Pipeline. A clone of it is fitted in
        every round.

    oracle : callable or None, default=None
        A function ``oracle(X) -> labels`` that returns the labels of the rows `X`, as a
        sequence, or as an iterator that yields one label after the other. None, nan and
        the missing label are abstentions. If its signature has parameters named
        `sample_ids`, `proba` or `classes`, these are passed as well. Without an oracle,
        the estimator is fitted on the labels of `y`. See :ref:`oracles`.

    strategy : str, strategy object or callable, default="margin"
        The strategy that selects the rows to query: a name from
        :func:`~skactive.acquisition.get_strategy_names`, an object, or a function
        ``pool -> utilities``. Rows with higher utilities are queried first.

    committee : None, int, list of (str, classifier), or classifier, default=None
        The committee, for strategies that measure its disagreement:

        - None: the estimator itself if it is an ensemble, otherwise ten bagged clones
          of it;
        - int: this number of bagged clones of the estimator;
        - list of (str, classifier): these classifiers, with their names;
        - classifier: a classifier with several members, such as a forest, or one with
          a method `predict_member_proba`.

        See :ref:`committees`.

    initial_strategy : str, strategy object or callable, default="k_means"
        The strategy of the cold start, which lasts until labels of two classes and
        `initial_size` labels are known, and a model can be fitted on them. It must not
        need a model.

    initial_size : int or None, default=None
        Number of labels, those in `y` included, that must be known before the estimator
        is fitted for the first time. If None, labels of two classes are enough.

    batch_size : int, default=10
        Number of rows that are queried in each round.

    budget : int, float or None, default=100
        Largest number of rows that are queried in one fit, abstentions included. A
        float is a fraction of the unlabelled rows (at least one row), and None means
        all of them.

    stopping : str, criterion, callable, list of these, or None, default=None
        Criteria that may end the run before the budget is spent: a name from
        :func:`~skactive.stopping.get_criterion_names`, an object with a method
        ``update(pool) -> reason or None``, or such a function. If it is a list, the
        run ends as soon as one of the criteria is met. See :ref:`stopping`.

    holdout_fraction : float, default=0.0
        Fraction of the budget that is spent on a random test sample. Its rows are
        queried before all others, and no model is trained on them before the final fit.
        See `holdout_score_` and :ref:`honest_evaluation`.

    unlabeled : {"ignore", "pass"} or PseudoLabels, default="ignore"
        How unlabelled rows are used in training:

        - "ignore": they are not used;
        - "pass": the estimator is fitted on all rows, with the label -1 for those
          without one, as semi-supervised classifiers expect it;
        - :class:`~skactive.PseudoLabels`: rows that are predicted confidently are added
          with their predicted label.

        See :ref:`semi_supervised`.

    equal_rows : {"ask", "once", "share"}, default="ask"
        How rows that are equal to each other are queried:

        - "ask": like any other rows;
        - "once": only one of them, and none if one of them has a label in `y`;
        - "share": as with "once", and all of them get that label. In `initial_size` it
          counts as one label.

        See :ref:`equal_rows`.

    missing_label : int, str, None or nan, default=-1
        The marker of unlabelled rows in `y`. None, nan and NA are the same marker.

    classes : array-like of shape (n_classes,) or None, default=None
        The closed set of classes. Other answers are not valid, and a model may have
        outputs for classes without a label. If None, an answer may be a new class.

    unknown_answers : {"raise", "abstain"}, default="raise"
        How an answer that is not one of `classes` is treated. If "raise", the run ends
        with an :class:`~skactive.exceptions.OracleError`. If "abstain", it counts as an
        abstention, with a warning for the first few.

    n_jobs : int or None, default=None
        Number of jobs for the members of a committee.

    random_state : int, RandomState instance or None, default=None
        Controls the random draws of strategies and the order in which ties are broken.
        It is not passed to the estimator.

    verbose : int, default=0
        If positive, a line is printed for every round.

    Attributes
    ----------
    estimator_ : estimator object
        The classifier, fitted on all labels. If it accepts only the labels 0, 1, ...,
        it is a wrapper that translates labels, whose `estimator_` is the classifier.
        See the :ref:`User Guide <labels_for_estimators>`.

    classes_ : ndarray of shape (n_classes,)
        Classes of `estimator_`.

    transduction_ : ndarray of shape (n_samples,)
        `y` with the labels that were bought. It is set even if `fit` failed.

    labeled_iter_ : ndarray of shape (n_samples,), dtype int
        0 for labels of `y`, k for labels bought in round k, and -1 for rows without a
        label. A row that shares the label of an equal row has the number of that row.
        It is set even if `fit` failed.

    query_indices_ : ndarray of shape (n_queries,), dtype int
        Rows in the order in which they were queried, abstentions included. A row that
        was asked about again is there twice.

    query_rounds_ : ndarray of shape (n_queries,), dtype int
        Numbers of the rounds in which these rows were queried.

    n_queries_ : int
        Number of rows that were queried. With a session, this includes its earlier runs
        and rows that are no longer in `X`.

    n_unasked_ : int
        Number of labels of rows that were never queried: told, or found in the session.

    corrections_ : list of dict
        One record for each correction: `row` (None if it is no longer in `X`),
        `sample_id`, `old` and `new` label, who corrected (`by`), and when (`at`,
        seconds since 1970).

    n_askable_ : int
        Number of rows that could be queried at the beginning: all unlabelled rows, or
        one row of each group of equal rows, see `equal_rows`.

    n_iter_ : int
        Number of rounds.

    history_ : list of dict
        One record per round, and one for the final model. A record describes the model
        before the query of its round. ``pandas.DataFrame(clf.history_)`` makes a table
        of it. Its `strategy` is "holdout" for rows of the test sample, "again" for rows
        of the queue, and "left over" for rows that an earlier process of the session
        handed out and that had no answer.

        If `cost` was passed to `fit`, a record has the `cost` of the rows queried in
        its round, abstentions included, and the `total_cost` so far. `same_for_all` is
        True if the outputs of the model were the same for all candidates, so that it
        could not tell which of them are worth a label, and None if the strategy did
        not use them.

    termination_condition_ : str or None
        The reason why the run ended: ``"budget"``; ``"all_labeled"``; ``"all_asked"``,
        if all rows left are abstentions or equal to other rows; ``"no_oracle"``;
        ``"oracle"``, if it raised `StopLabeling`; ``"callback"``; or the name of a
        stopping criterion. None if `LabelingLoop.finish` was called before the end.

    strategy_ : strategy object
        The strategy that was used, with its state.

    committee_ : classifier or None
        The committee, fitted on all labels, if the strategy uses one. None, with a
        warning, if it cannot be fitted on them although the classifier can.

    holdout_indices_ : ndarray of shape (n_holdout,), dtype int
        Labelled rows of the random test sample, if `holdout_fraction` is positive.

    holdout_score_ : float
        Accuracy on the test sample of a model that was fitted on all other labels, once
        at the end. It is an unbiased estimate of the accuracy of this model on new data
        like the rows without a label in `y`, as far as these get an answer. It is nan,
        with a warning, if there is no such label or no such model.

        It is not the score of `estimator_`, which is trained on more labels, including
        those of the sample.

    holdout_interval_ : tuple of (float, float)
        The exact confidence interval of `holdout_score_`, of confidence 0.95.

    query_probabilities_ : ndarray of shape (n_queries,)
        Probability with which each row was drawn, among the rows that were left then;
        nan if it is not known. Only set if any row was drawn with a known probability.
        See :ref:`honest_evaluation`.

    n_features_in_ : int
        Number of features seen during `fit`, if `X` has features.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features seen during `fit`, if `X` has names that are all strings.

    See Also
    --------
    LabelingLoop : Active learning without an oracle: ask for rows, tell their labels.
    sklearn.semi_supervised.SelfTrainingClassifier : Trains on its own predictions.

    References
    ----------
    .. [1] B. Settles. "Active learning literature survey". University of
       Wisconsin-Madison, Computer Sciences Technical Report 1648, 2009.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.datasets import hide_labels
    >>> X, y = load_digits(return_X_y=True)
    >>> y_some = hide_labels(y, 20, random_state=0)
    >>> def ask(X, sample_ids):
    ...     return y[sample_ids]
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(max_iter=1000), oracle=ask, budget=80, random_state=0
    ... )
    >>> clf.fit(X / 16, y_some, sample_ids=range(len(y))).n_queries_
    80
    >>> bool(clf.score(X / 16, y) > 0.85)
    True
    """

    _parameter_constraints = {
        "estimator": [HasMethodsOnceFitted(["fit", "predict"])],
        "oracle": [callable, None],
        "strategy": _STRATEGY,
        "committee": [
            Interval(Integral, 2, None, closed="left"),
            list,
            HasMethodsOnceFitted(["fit", "predict"]),
            type,  # refused later, like that of a strategy
            None,
        ],
        "initial_strategy": _STRATEGY,
        "initial_size": [Interval(Integral, 1, None, closed="left"), None],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "budget": [
            Interval(Integral, 0, None, closed="left"),
            Interval(RealNotInt, 0, 1, closed="right"),
            None,
        ],
        "stopping": [str, callable, HasMethods(["update"]), list, tuple, None],
        "holdout_fraction": [Interval(Real, 0, 1, closed="left")],
        "unlabeled": [StrOptions({"ignore", "pass"}), PseudoLabels],
        "equal_rows": [StrOptions({"ask", "once", "share"})],
        "missing_label": "no_validation",  # by `check_missing_label`
        "classes": ["array-like", None],
        "unknown_answers": [StrOptions({"raise", "abstain"})],
        "n_jobs": N_JOBS,
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # Only the caller of `fit` passes an oracle or a session. Other meta-estimators do
    # not route them.
    __metadata_request__fit = {"oracle": UNUSED, "session": UNUSED}

    def __init__(
        self,
        estimator,
        *,
        oracle=None,
        strategy="margin",
        committee=None,
        initial_strategy="k_means",
        initial_size=None,
        batch_size=10,
        budget=100,
        stopping=None,
        holdout_fraction=0.0,
        unlabeled="ignore",
        equal_rows="ask",
        missing_label=-1,
        classes=None,
        unknown_answers="raise",
        n_jobs=None,
        random_state=None,
        verbose=0,
    ):
        self.estimator = estimator
        self.oracle = oracle
        self.strategy = strategy
        self.committee = committee
        self.initial_strategy = initial_strategy
        self.initial_size = initial_size
        self.batch_size = batch_size
        self.budget = budget
        self.stopping = stopping
        self.holdout_fraction = holdout_fraction
        self.unlabeled = unlabeled
        self.equal_rows = equal_rows
        self.missing_label = missing_label
        self.classes = classes
        self.unknown_answers = unknown_answers
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.verbose = verbose

    @_fit_context(
        # The estimator is not validated yet.
        prefer_skip_nested_validation=False
    )
    def fit(
        self, X, y, *, oracle=None, sample_ids=None, cost=None, session=None, **params
    ):
        """Buy labels, and fit the estimator on all labels.

        Everything that can be checked is checked before the first label is bought.
        After that, no label is lost: any error has them in its attributes `labels` and
        `indices`, and the classifier has them in `transduction_`.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            Labelled and unlabelled rows, of any type that the estimator accepts, such
            as a list of texts.

        y : array-like of shape (n_samples,)
            Labels. Unlabelled rows are marked by `missing_label`.

        oracle : callable or None, default=None
            The oracle of this fit. If None, the parameter `oracle` is used.

        sample_ids : array-like of shape (n_samples,) or None, default=None
            Unique ints or strs that identify the rows. They are passed to an oracle
            that has a parameter `sample_ids`, and are never inferred.

        cost : array-like of shape (n_samples,) or None, default=None
            Price of the label of each row, at least 0. It is recorded in `history_`,
            and used by strategies such as :class:`~skactive.acquisition.PerCost`.

        session : Session, str, path-like or None, default=None
            A :class:`~skactive.Session`, or the path of one, to continue. The run
            learns from its labels, does not query skipped rows, counts its queries in
            the budget, and keeps its test sample. Every answer is written to it at
            once. It needs `sample_ids`. See :ref:`weeks`.

        **params : dict
            Parameters for the `fit` of the estimator. They require metadata routing.
            Parameters with one value per sample are cut to the training rows.

        Returns
        -------
        self : ActiveLearningClassifier
            The fitted classifier.

        Raises
        ------
        OracleError
            If the oracle raises an error, or returns something that is not a label.
        ActiveLearningError
            If the estimator cannot be fitted on the labels that were bought.
        ValueError, TypeError
            If a parameter or the data are not valid.
        FitInProgressError
            If this object is being fitted already.
        """
        if getattr(self, "_fitting", False):
            raise FitInProgressError(
                f"This {type(self).__name__} is being fitted already. An oracle must "
                "not fit the classifier that called it. Fit a clone."
            )
        self._reset()
        self._fitting = True
        try:
            oracle = self.oracle if oracle is None else oracle
            run = begin_run(
                self,
                X,
                y,
                sample_ids=sample_ids,
                cost=cost,
                session=session,
                fit_params=params,
                has_oracle=oracle is not None,
            )
            self._run(run, oracle)
        finally:
            del self._fitting
        return self

    def _run(self, run, oracle):
        """Drive a run to its end, and set the fitted attributes."""
        # An oracle that is refused leaves no attributes, and calls no callback.
        ask = ready_oracle(run, oracle)
        context = self._init_callback_context(max_subtasks=max_rounds(run))
        callbacks = Callbacks(self, context)
        try:
            drive(run, ask, callbacks, verbose=self.verbose)
            attributes = fit_result(run).attributes()
        finally:
            # Also after an error, so that no label is lost.
            vars(self).update(current_attributes(run))
        vars(self).update(attributes)
        with keeping_labels(run):
            callbacks.run_ends(run)

    def _reset(self):
        """Remove the fitted attributes of an earlier fit."""
        # Some attributes are not set by every fit, and after a failed one those of an
        # earlier fit must not be taken for its own.
        for name in [n for n in vars(self) if n.endswith("_") and n[0] != "_"]:
            delattr(self, name)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "estimator_")

    @available_if(_estimator_has("predict"))
    def predict(self, X, **params):
        """Predict the classes of samples.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            Samples.

        **params : dict
            Parameters for the `predict` of the estimator. They require metadata
            routing.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Predicted classes.
        """
        predicted = self._delegate("predict", X, params)
        if getattr(predicted, "ndim", None) == 1:
            return predicted
        return as_labels_of_rows(predicted, name_of(self.estimator_))

    @available_if(_estimator_has("predict_proba"))
    def predict_proba(self, X, **params):
        """Predict the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            Samples.

        **params : dict
            Parameters for the `predict_proba` of the estimator. They require metadata
            routing.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities of the classes, in the order of `classes_`.
        """
        proba = self._delegate("predict_proba", X, params)
        n_classes = len(self.classes_)
        if getattr(proba, "shape", (None,))[1:] == (n_classes,):
            return proba
        owner = name_of(self.estimator_)
        return as_proba(proba, n_classes, owner, n_rows=_num_samples(X))

    @available_if(_estimator_has("predict_log_proba"))
    def predict_log_proba(self, X, **params):
        """Predict the logarithms of the probabilities of the classes.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            Samples.

        **params : dict
            Parameters for the `predict_log_proba` of the estimator. They require
            metadata routing.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            Logarithms of the probabilities, in the order of `classes_`.
        """
        return self._delegate("predict_log_proba", X, params)

    @available_if(_estimator_has("decision_function"))
    def decision_function(self, X, **params):
        """Compute the decision values of samples.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            Samples.

        **params : dict
            Parameters for the `decision_function` of the estimator. They require
            metadata routing.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Decision values.
        """
        return self._delegate("decision_function", X, params)

    @available_if(_estimator_has("score"))
    def score(self, X, y, **params):
        """Score the estimator on the labelled samples.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            Samples.

        y : array-like of shape (n_samples,)
            Labels. Samples marked by `missing_label` are ignored.

        **params : dict
            `sample_weight`, and with metadata routing all metadata that the `score` of
            the estimator has requested. Parameters with one value per sample are cut to
            the labelled samples.

        Returns
        -------
        score : float
            Score of the estimator, which is the accuracy for most classifiers. It is
            nan if no sample has a label.
        """
        check_is_fitted(self)
        if _routing_enabled():
            params = process_routing(self, "score", **params).estimator.score
        else:
            extra = {k: v for k, v in params.items() if k != "sample_weight"}
            _raise_for_params(extra, self, "score")
        X = check_rows(self, X, reset=False)
        check_aligned(X, {"y": y} | params)
        y, labeled, labels = check_y(y, self.missing_label, has_oracle=False)
        check_consistent_length(X, y, params.get("sample_weight"))
        if not labeled.any():
            warnings.warn(
                "The score is not defined, as no sample has a label.",
                UndefinedMetricWarning,
                stacklevel=2,
            )
            return float("nan")
        if not labeled.all():
            # In a search the test part has unlabelled rows, too.
            warn_if_split_blindly(y, labeled, self.missing_label)
            rows = np.flatnonzero(labeled)
            params = _check_method_params(X, params, indices=rows)
            X = take_rows(X, rows)
        return self.estimator_.score(X, labels, **params)

    def _delegate(self, method, X, params):
        check_is_fitted(self)
        _raise_for_params(params, self, method)
        params = process_routing(self, method, **params).estimator[method]
        X = check_rows(self, X, reset=False)
        return getattr(self.estimator_, method)(X, **params)

    def get_metadata_routing(self):
        """Return the metadata that this object and its estimator request.

        Returns
        -------
        routing : MetadataRouter
            The requests of this object for `sample_ids` and `cost`, and those of
            `estimator`.
        """
        mapping = MethodMapping()
        for method in ("fit", "score", *_DELEGATED):
            mapping.add(caller=method, callee=method)
        router = MetadataRouter(owner=self).add_self_request(self)
        return router.add(estimator=self.estimator, method_mapping=mapping)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        inner = get_tags(self.estimator)
        tags.input_tags = copy.deepcopy(inner.input_tags)
        tags.classifier_tags = copy.deepcopy(
            inner.classifier_tags or tags.classifier_tags
        )
        tags.classifier_tags.multi_label = False  # an oracle gives one label per row
        tags.non_deterministic = inner.non_deterministic
        return tags

    def __sklearn_clone__(self):
        # The oracle is not cloned: it may have state to keep, such as a cache of paid
        # labels, and open connections or locks cannot be copied.
        template = copy.copy(self)
        template.oracle = None
        new = super(ActiveLearningClassifier, template).__sklearn_clone__()
        new.oracle = self.oracle
        return new

    # A copy is not being fitted, even if the original is: an oracle may copy it.

    def __copy__(self):
        new = object.__new__(type(self))
        vars(new).update(vars(self))
        vars(new).pop("_fitting", None)
        return new

    def __deepcopy__(self, memo):
        new = memo[id(self)] = copy.copy(self)
        for name, value in list(vars(new).items()):
            if name != "oracle":
                setattr(new, name, copy.deepcopy(value, memo))
        return new

    def __getstate__(self):
        state = dict(super().__getstate__())
        state.pop("_fitting", None)
        # A fitted classifier predicts without its oracle.
        if "estimator_" in state and not _can_be_pickled(state["oracle"]):
            state["oracle"] = None
        return state


def _can_be_pickled(value):
    try:
        pickle.dumps(value)
    except Exception:  # an object may raise anything in its __reduce__
        return False
    return True
