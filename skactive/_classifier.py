"""The classifier that buys its labels."""

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

from skactive._loop.driver import Callbacks, drive
from skactive._loop.inputs import check_inputs
from skactive._loop.keeping import keeping_labels
from skactive._loop.result import current_attributes, fit_result
from skactive._loop.run import Run
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

# A class can be called, too; it is refused later, with what to pass instead.
_STRATEGY = [str, callable, HasMethods(["utility"]), HasMethods(["select"])]
_DELEGATED = ("predict", "predict_proba", "predict_log_proba", "decision_function")


class ActiveLearningClassifier(
    CallbackSupportMixin, BriefMixin, ClassifierMixin, MetaEstimatorMixin, BaseEstimator
):
    """A classifier that asks for the labels that are worth their price.

    This meta-estimator is fitted on data of which only some rows are labelled. Round
    by round it fits `estimator` on the labels it has, lets `strategy` select the rows
    whose labels promise most, and asks the `oracle` for them, until the `budget` is
    spent. It ends as an ordinary classifier, fitted on all labels.

    Read more in the :ref:`User Guide <getting_started>`.

    Parameters
    ----------
    estimator : estimator object
        The classifier to train; a Pipeline, too. A clone of it is fitted in every
        round.

    oracle : callable or None, default=None
        ``oracle(X) -> labels`` gives the labels of some rows, in a sequence or one by
        one from an iterator; None, nan or the missing label means that there is no
        answer. It may name `sample_ids`, `proba` and `classes` in its signature to
        get them, too. Without an oracle the estimator is fitted on the labels there
        are. See :ref:`oracles`.

    strategy : str, strategy object or callable, default="margin"
        Says which rows are asked: a name out of
        :func:`~skactive.acquisition.get_strategy_names`, an object, or a function
        ``pool -> utilities`` where higher is asked first.

    committee : None, int, list of (str, classifier), or classifier, default=None
        The committee whose disagreement is measured, if the strategy does that: so
        many bagged clones of `estimator`, named classifiers, or a classifier with
        several members, such as a forest or one with `predict_member_proba`. If None,
        the estimator itself if it is an ensemble, else ten bagged clones of it. See
        :ref:`committees`.

    initial_strategy : str, strategy object or callable, default="k_means"
        The cold start: used until two classes and `initial_size` labels are known. It
        must not need a model.

    initial_size : int or None, default=None
        How many labels there must be before the estimator is fitted for the first
        time; None for no such wish. Labels bought for it count in the budget.

    batch_size : int, default=10
        How many rows are asked in one round.

    budget : int, float or None, default=100
        How many rows may be asked in one fit, abstentions included; a float is a share
        of the rows without a label (at least one), None means all of them. It is never
        exceeded.

    stopping : str, criterion, callable, list of these, or None, default=None
        Ends the run before the budget is spent: a name out of
        :func:`~skactive.stopping.get_criterion_names`, an object with
        ``update(pool) -> reason or None``, or such a function; of a list, any. See
        :ref:`stopping`.

    holdout_fraction : float, default=0.0
        Share of the budget that is spent, first of all, on rows drawn at random. They
        are not trained on before the final fit, and are an unbiased test sample, see
        `holdout_score_` and :ref:`honest_evaluation`.

    unlabeled : {"ignore", "pass"} or PseudoLabels, default="ignore"
        What the estimator learns from rows without a label: nothing; or it gets all of
        them with the label -1, as semi-supervised classifiers want it; or it gets those
        that are predicted confidently, with the predicted label, see
        :class:`~skactive.PseudoLabels` and :ref:`semi_supervised`.

    equal_rows : {"ask", "once", "share"}, default="ask"
        What becomes of rows that hold the same as another: each may be asked like any
        other; or of equal rows one is asked, and none if one of them has a label in
        `y`; or, in addition, all of them get that label, which counts once. See
        :ref:`equal_rows`.

    missing_label : int, str, None or nan, default=-1
        What marks a row of `y` that has no label. None, nan and NA are one marker.

    classes : array-like of shape (n_classes,) or None, default=None
        The closed set of classes; other answers are refused, and a model may have
        outputs for classes that have no label yet. If None, an answer may be a new
        class.

    unknown_answers : {"raise", "abstain"}, default="raise"
        What happens to an answer that is none of the closed `classes`: the run ends
        with an :class:`~skactive.exceptions.OracleError`, or it counts as no answer,
        with a warning for the first ones. The row is not asked again.

    n_jobs : int or None, default=None
        Number of jobs for the members of a committee.

    random_state : int, RandomState instance or None, default=None
        Governs what strategies draw and how ties are broken. It is not handed to the
        estimator.

    verbose : int, default=0
        If positive, a line is printed for every round.

    Attributes
    ----------
    estimator_ : estimator object
        The classifier, fitted on all labels. If it takes no labels but 0, 1, ..., a
        wrapper that speaks the labels; its own `estimator_` is the classifier, see the
        :ref:`User Guide <labels_for_estimators>`.

    classes_ : ndarray of shape (n_classes,)
        Classes of `estimator_`.

    transduction_ : ndarray of shape (n_samples,)
        `y` with the labels that were bought. It is current even if `fit` failed.

    labeled_iter_ : ndarray of shape (n_samples,), dtype int
        0 for rows that came with a label, k for those bought in round k, -1 for rows
        without a label; a row that shares the label of an equal one has its number. It
        is current even if `fit` failed.

    query_indices_ : ndarray of shape (n_queries,), dtype int
        Row numbers of `X` in the order in which they were asked, abstentions included.

    n_queries_ : int
        How many rows were asked.

    n_askable_ : int
        How many rows there were to ask in the beginning: those without a label, or one
        of each group of equal ones, see `equal_rows`.

    n_iter_ : int
        How many rounds asked for labels.

    history_ : list of dict
        One record per round, describing the model before its query, and one for the
        final model; ``pandas.DataFrame(clf.history_)`` makes a table of it. If `fit`
        got `cost`, a record has the `cost` of the rows asked in its round, abstentions
        included, and the `total_cost` up to and with it. `same_for_all` tells whether
        the model said the same of all candidates, so that it could not tell which are
        worth a label; None if the strategy did not look at it.

    termination_condition_ : str
        Why it ended: ``"budget"``, ``"all_labeled"``, ``"all_asked"`` (the rest got no
        answer, or equals others), ``"no_oracle"``, ``"oracle"`` (by `StopLabeling`),
        ``"callback"``, or the name of a stopping criterion. None if
        `LabelingLoop.finish` was called before the end.

    strategy_ : strategy object
        The strategy that was used, with its state.

    committee_ : classifier or None
        The committee, fitted on all labels, if the strategy looked at one. None, with a
        warning, if it cannot be fitted on them although the classifier can.

    holdout_indices_ : ndarray of shape (n_holdout,), dtype int
        Labelled rows of the random test sample, if `holdout_fraction` is positive.

    holdout_score_ : float
        Accuracy on these rows of a model that was fitted on all other labels, once, at
        the end. It is an unbiased estimate of the accuracy of that model on new rows
        like those that had no label in the beginning, and get an answer. `estimator_`
        has seen more labels, these among them: what it scores on them means nothing.
        nan, with a warning, if there are no such rows or no such model.

    holdout_interval_ : tuple of (float, float)
        The exact interval of confidence 0.95 of `holdout_score_`.

    query_probabilities_ : ndarray of shape (n_queries,)
        With which probability each row was drawn among those then left, nan where that
        is not known, if any was drawn. See :ref:`honest_evaluation`.

    n_features_in_ : int
        Number of features seen during `fit`, if `X` has features.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the features seen during `fit`, if `X` has names that are all strings.

    See Also
    --------
    LabelingLoop : The same without a callback.
    sklearn.semi_supervised.SelfTrainingClassifier : Labels by its own predictions.

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
            type,  # refused later, too
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
        "missing_label": "no_validation",  # it may be anything that marks
        "classes": ["array-like", None],
        "unknown_answers": [StrOptions({"raise", "abstain"})],
        "n_jobs": N_JOBS,
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # Passed by the caller of `fit` only; no meta-estimator routes an oracle.
    __metadata_request__fit = {"oracle": UNUSED}

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
    def fit(self, X, y, *, oracle=None, sample_ids=None, cost=None, **params):
        """Buy labels, and fit the estimator on all of them.

        Everything that can be checked is checked before the first label is bought.
        After that, no label is lost: whatever is raised carries them as `labels` and
        `indices`, and `transduction_` holds them.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            All rows, labelled or not: anything that `estimator` takes, a list of texts
            as well. The oracle gets rows of it.

        y : array-like of shape (n_samples,)
            Labels, and `missing_label` where none is known.

        oracle : callable or None, default=None
            Takes the place of the parameter of the same name in this fit.

        sample_ids : array-like of shape (n_samples,) or None, default=None
            Unique ints or strs that identify the rows, for an oracle that names
            `sample_ids` in its signature. They are never inferred.

        cost : array-like of shape (n_samples,) or None, default=None
            Price of the label of each row, at least 0; for the record in `history_`,
            and for strategies that look at it, such as
            :class:`~skactive.acquisition.PerCost`.

        **params : dict
            Parameters for the `fit` of `estimator`, with metadata routing enabled;
            those with a value for each sample are cut to the rows trained on.

        Returns
        -------
        self : ActiveLearningClassifier
            The fitted classifier.

        Raises
        ------
        OracleError
            If the oracle raises, or gives something that is no label.
        ActiveLearningError
            If the estimator cannot be fitted on the labels that were bought.
        ValueError, TypeError
            If a parameter or the data are not as described; before any label is
            bought, if that can be known then.
        FitInProgressError
            If this object is being fitted already.
        """
        if getattr(self, "_fitting", False):
            raise FitInProgressError(
                f"This {type(self).__name__} is being fitted already; an oracle must "
                "not fit the classifier that asks it. Fit a clone."
            )
        self._reset()
        self._fitting = True
        try:
            oracle = self.oracle if oracle is None else oracle
            inputs = check_inputs(
                self,
                X,
                y,
                sample_ids=sample_ids,
                cost=cost,
                fit_params=params,
                has_oracle=oracle is not None,
            )
            self._run(Run(inputs), oracle)
        finally:
            del self._fitting
        return self

    def _run(self, run, oracle):
        """Drive a run to its end, and take over what it has found."""
        callbacks = Callbacks(self, self._init_callback_context)
        try:
            drive(run, oracle, callbacks, verbose=self.verbose)
            attributes = fit_result(run).attributes()
        finally:
            # Whatever was raised, no label is lost.
            vars(self).update(current_attributes(run))
        vars(self).update(attributes)
        with keeping_labels(run):
            callbacks.run_ends(run)

    def _reset(self):
        """Remove what an earlier fit has learnt."""
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
            Parameters for the estimator's `predict`, with metadata routing enabled.

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
            Parameters for the estimator's `predict_proba`, with metadata routing
            enabled.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Probabilities, in the order of `classes_`.
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
            Parameters for the estimator's `predict_log_proba`, with metadata routing
            enabled.

        Returns
        -------
        log_proba : ndarray of shape (n_samples, n_classes)
            Logarithms of probabilities, in the order of `classes_`.
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
            Parameters for the estimator's `decision_function`, with metadata routing
            enabled.

        Returns
        -------
        decision : ndarray of shape (n_samples,) or (n_samples, n_classes)
            Decision values.
        """
        return self._delegate("decision_function", X, params)

    @available_if(_estimator_has("score"))
    def score(self, X, y, **params):
        """Score the estimator on the samples that have a label.

        Parameters
        ----------
        X : {array-like, sparse matrix, data frame, list} of shape \
                (n_samples, n_features)
            Samples.

        y : array-like of shape (n_samples,)
            Labels; samples marked by `missing_label` are ignored.

        **params : dict
            `sample_weight`, and with metadata routing enabled all that the
            estimator's `score` has requested. What has a value for each sample is cut
            to the labelled ones.

        Returns
        -------
        score : float
            What the `score` of the estimator gives, for most the accuracy; nan if no
            sample has a label.
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
        """Return what metadata this object and its estimator want.

        Returns
        -------
        routing : MetadataRouter
            `sample_ids` and `cost` for this object's own `fit`, and what `estimator`
            has requested.
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
        tags.classifier_tags.multi_label = False  # one label a row is asked for
        tags.non_deterministic = inner.non_deterministic
        return tags

    def __sklearn_clone__(self):
        # The oracle goes by reference: a stateful one keeps its state, and an open
        # connection or a lock cannot be copied.
        template = copy.copy(self)
        template.oracle = None
        new = super(ActiveLearningClassifier, template).__sklearn_clone__()
        new.oracle = self.oracle
        return new

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
        if "estimator_" in state and not _can_be_pickled(state["oracle"]):
            state["oracle"] = None
        return state


def _can_be_pickled(value):
    try:
        pickle.dumps(value)
    except Exception:  # whatever an object's own reduction raises
        return False
    return True
