"""Testing a finished model with few labels: which rows to query, and the estimate."""

import warnings
from numbers import Integral, Real

import numpy as np
from sklearn.base import clone
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.utils import Bunch

from skactive._classifier import ActiveLearningClassifier
from skactive._loop.driver import drive, ready_oracle
from skactive._loop.inputs import check_inputs
from skactive._loop.result import current_attributes
from skactive._loop.run import Run
from skactive.acquisition.error_reduction._expected_loss import (
    ExpectedLossSampling,
    expected_loss,
)
from skactive.model_selection._risk import (
    lure_risk,
    lure_weights,
    n_equal_weights,
    share_interval,
    standard_error,
)
from skactive.utils._labels import as_labels
from skactive.utils._outputs import check_proba_of, read_labels, read_proba
from skactive.utils._rows import of_known_library, take_rows
from skactive.utils._sklearn import (
    Function,
    HasMethods,
    Interval,
    StrOptions,
    _num_samples,
    validate_params,
)

_CONFIDENCE = 0.95

_LOSS = [StrOptions({"zero_one", "log_loss"}), Function()]


@validate_params(
    {"model": [HasMethods(["predict"])], "loss": _LOSS, "return_std": ["boolean"]},
    prefer_skip_nested_validation=True,
)
def queried_risk(model, clf, X, *, loss="zero_one", return_std=False):
    """Estimate the risk of a model from the labels of an active learning run.

    The risk is the mean loss over the rows that had no label when the run began. It is
    estimated by :func:`lure_risk` [1]_, without bias if the model does not depend on
    the labels of the run. The model trained on these labels, `clf` itself, is refused;
    to evaluate it, use `holdout_fraction`.

    The run must have drawn its rows with known, positive probabilities: by
    ``"random"``, :class:`~skactive.acquisition.ExpectedLossSampling`,
    :class:`~skactive.acquisition.EpsilonGreedy` or
    :class:`~skactive.acquisition.PowerBALDSampling`. If other strategies have selected
    some rows, for instance ``"k_means"`` in a cold start, only the longest part of the
    run without such rows is used, and the risk is that over the rows left at the
    beginning of this part. The number of rows drawn must not depend on their losses.

    Parameters
    ----------
    model : estimator object
        The fitted classifier to evaluate.

    clf : ActiveLearningClassifier
        The run, as a classifier after a fit. The fit may have failed.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The rows that `clf` was fitted on.

    loss : {"zero_one", "log_loss"} or callable, default="zero_one"
        The loss of a row: whether the prediction is wrong, or minus the logarithm of
        the probability of the label. A function ``loss(model, X, y) -> losses`` returns
        the losses of rows.

    return_std : bool, default=False
        Whether to return the standard error.

    Returns
    -------
    risk : float
        The estimate; nan, with a warning, if no drawn row has a label. If the oracle
        abstained on some rows, it is the risk over rows that get an answer, and the
        estimate is a ratio of two unbiased ones, with a small bias.

    std : float
        The standard error. Only returned if `return_std` is True.

    Raises
    ------
    ValueError
        If `model` was trained by `clf`, or if the probabilities are not known.

    References
    ----------
    .. [1] S. Farquhar, Y. Gal, T. Rainforth. "On statistical bias in active learning:
       how and when to fix it". ICLR 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.linear_model import LogisticRegression
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from skactive import ActiveLearningClassifier
    >>> from skactive.acquisition import EpsilonGreedy
    >>> from skactive.model_selection import queried_risk
    >>> from skactive.oracles import SimulatedOracle
    >>> X, truth = load_digits(return_X_y=True)
    >>> y = np.where(np.arange(len(X)) < 100, truth, -1)
    >>> clf = ActiveLearningClassifier(
    ...     LogisticRegression(max_iter=1000),
    ...     oracle=SimulatedOracle(truth),
    ...     strategy=EpsilonGreedy("margin", epsilon=0.5),
    ...     random_state=0,
    ... ).fit(X / 16, y, sample_ids=np.arange(len(X)))
    >>> model = GaussianNB().fit(X[:100] / 16, truth[:100])
    >>> risk = queried_risk(model, clf, X / 16)
    """
    if model is clf or model is getattr(clf, "estimator_", None):
        raise ValueError(
            "The risk of a model cannot be estimated from the labels that it was "
            "trained on. Pass a model that has not seen them, or hold rows out: "
            "ActiveLearningClassifier(holdout_fraction=...) has a holdout_score_."
        )
    risk, std, _ = _estimate(model, clf, of_known_library(X), loss)
    return (risk, std) if return_std else risk


def _estimate(model, clf, X, loss):
    """Return the risk, its standard error, and an interval if all losses are 0 or 1."""
    nothing = np.nan, np.nan
    drawn, q, n_pool = _drawn_rows(clf)
    if _num_samples(X) != len(clf.transduction_):
        raise ValueError(
            f"X must be the {len(clf.transduction_)} rows that clf was fitted on, got "
            f"{_num_samples(X)} rows."
        )
    answered = clf.labeled_iter_[drawn] > 0
    if not answered.any():
        warnings.warn(
            f"The risk is not defined, as none of {len(drawn)} rows drawn has a label.",
            UndefinedMetricWarning,
            stacklevel=4,
        )
        return np.nan, np.nan, nothing
    # Rows without an answer keep the loss 0: `_risk_of_answered` corrects for them.
    losses = np.zeros(len(drawn))
    rows = drawn[answered]
    labels = as_labels(clf.transduction_[rows])
    losses[answered] = _losses(loss, model, take_rows(X, rows), labels)
    risk, std, freedom = _risk_of_answered(losses, answered, q, n_pool)
    if not np.isin(losses, (0, 1)).all():
        return risk, std, nothing
    n_equal = n_equal_weights(lure_weights(q, n_pool)[answered])
    interval = share_interval(risk, std, freedom, n_equal, confidence=_CONFIDENCE)
    return risk, std, interval


def _drawn_rows(clf):
    """Return drawn rows, their probabilities, and the number of rows left before them.

    They are the longest part of the run in which all rows were drawn.
    """
    asked = getattr(clf, "query_indices_", None)
    if asked is None:
        raise ValueError(
            f"clf must be a classifier that has queried rows, but this "
            f"{type(clf).__name__} has no query_indices_: call fit first."
        )
    q = getattr(clf, "query_probabilities_", np.full(len(asked), np.nan))
    edges = np.diff(np.concatenate([[0], ~np.isnan(q), [0]]))
    starts, stops = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    if not len(starts):
        raise ValueError(
            f"It is not known with which probabilities the {len(asked)} rows of clf "
            "were drawn, if they were drawn at all. Use a strategy that draws rows "
            "with known probabilities, such as 'random', ExpectedLossSampling or "
            "EpsilonGreedy('margin')."
        )
    start, stop = max(
        zip(starts, stops, strict=True), key=lambda part: part[1] - part[0]
    )
    # The rows queried before could not be drawn any more.
    return asked[start:stop], q[start:stop], clf.n_askable_ - int(start)


def _losses(loss, model, X, labels):
    """Return the losses of a model on rows."""
    if callable(loss):
        return loss(model, X, labels)
    if loss == "zero_one":
        return read_labels(model, X) != labels
    # A label of a class that the model does not know has the probability 0.
    known = np.asarray(model.classes_)
    classes = np.union1d(known, labels)
    proba = check_proba_of(model, read_proba(model, X), classes)
    return expected_loss(labels[:, None] == classes, proba, loss=loss)


def _risk_of_answered(losses, answered, q, n_pool):
    """Return the risk over rows that get an answer, and its `standard_error`."""
    if answered.all():
        return lure_risk(losses, q, n_pool), *standard_error(losses, q, n_pool)
    share = lure_risk(answered, q, n_pool)
    risk = lure_risk(losses, q, n_pool) / share
    # Delta method: to first order the error of the ratio is that of the mean of these.
    off = np.where(answered, losses - risk, 0.0)
    std, freedom = standard_error(off, q, n_pool)
    return risk, std / abs(share), freedom


@validate_params(
    {
        "model": [HasMethods(["predict"])],
        "y": ["array-like", None],
        "oracle": [Function()],
        "surrogate": [HasMethods(["fit", "predict_proba"]), None],
        "loss": [StrOptions({"zero_one", "log_loss"})],
        "epsilon": [Interval(Real, 0, 1, closed="right")],
        "budget": "no_validation",  # by the classifier
        "batch_size": [Interval(Integral, 1, None, closed="left")],
    },
    prefer_skip_nested_validation=True,
)
def active_test(
    model,
    X,
    y=None,
    *,
    oracle,
    surrogate=None,
    loss="zero_one",
    budget=100,
    batch_size=10,
    epsilon=0.1,
    missing_label=-1,
    sample_ids=None,
    random_state=None,
):
    """Test a finished model with few labels.

    Rows with a high expected loss are drawn with a high probability, by
    :class:`~skactive.acquisition.ExpectedLossSampling`, and their losses are weighted
    so that the estimate is unbiased [1]_, by :func:`queried_risk`. The fewer errors the
    model makes, and the better the surrogate predicts them, the more labels this saves
    compared with drawing rows uniformly.

    Parameters
    ----------
    model : estimator object
        The fitted classifier. It must not depend on the labels that are bought here.

    X : {array-like, sparse matrix, data frame, list} of length n_samples
        The rows to test on, and rows with known labels.

    y : array-like of shape (n_samples,) or None, default=None
        Known labels. Other rows are marked by `missing_label`. If None, no label is
        known. The surrogate is trained on known labels, and `model` is not tested on
        them: pass the training data of `model` here.

    oracle : callable
        The oracle, see :class:`~skactive.ActiveLearningClassifier`.

    surrogate : estimator object or None, default=None
        A classifier with `predict_proba` that is fitted on all known labels, and
        predicts where `model` may be wrong. If None, a clone of `model`. A surrogate
        that makes other errors than `model` is better.

    loss : {"zero_one", "log_loss"}, default="zero_one"
        The loss of a row: whether the prediction is wrong, or minus the logarithm of
        the probability of the label.

    budget : int, float or None, default=100
        Largest number of rows that are queried. A float is a fraction of the unlabelled
        rows, and None means all of them.

    batch_size : int, default=10
        Number of rows that are queried in each round. After each round the surrogate is
        fitted again.

    epsilon : float, default=0.1
        Probability, in (0, 1], of drawing a row uniformly instead.

    missing_label : int, str, None or nan, default=-1
        The marker of unlabelled rows in `y`.

    sample_ids : array-like of shape (n_samples,) or None, default=None
        Unique ints or strs that identify the rows, for an oracle with a parameter
        `sample_ids`.

    random_state : int, RandomState instance or None, default=None
        Controls which rows are drawn.

    Returns
    -------
    result : :class:`~sklearn.utils.Bunch`
        With the attributes

        risk : float
            Estimated mean loss over the rows without a label in `y`. For the loss
            ``"zero_one"`` it is one minus the accuracy.

        std : float
            The standard error of the risk.

        interval : tuple of (float, float)
            The confidence interval of the risk, of confidence 0.95, see
            :func:`lure_interval`. It is nan for ``"log_loss"``, which has no upper
            bound, so that few draws say too little about its mean.

        naive_risk : float
            Mean loss over the rows that were queried. It is biased, and not an estimate
            of the risk.

        query_indices : ndarray of shape (n_queries,), dtype int
            Rows in the order in which they were queried.

        query_probabilities : ndarray of shape (n_queries,)
            Probability with which each row was drawn, among the rows left then.

        transduction : ndarray of shape (n_samples,)
            `y` with the labels that were bought.

    References
    ----------
    .. [1] J. Kossen, S. Farquhar, Y. Gal, T. Rainforth. "Active testing:
       sample-efficient model evaluation". ICML 2021.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.ensemble import RandomForestClassifier
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skactive.model_selection import active_test
    >>> from skactive.oracles import SimulatedOracle
    >>> X, truth = load_digits(return_X_y=True)
    >>> is_train = np.arange(len(X)) < 200
    >>> model = LogisticRegression(max_iter=2000).fit(X[is_train], truth[is_train])
    >>> result = active_test(
    ...     model,
    ...     X,
    ...     np.where(is_train, truth, -1),
    ...     oracle=SimulatedOracle(truth),
    ...     surrogate=RandomForestClassifier(30, random_state=0),
    ...     sample_ids=np.arange(len(X)),
    ...     random_state=0,
    ... )
    >>> len(result.query_indices)
    100
    >>> exact = 1 - model.score(X[~is_train], truth[~is_train])
    >>> low, high = result.interval
    >>> bool(low < exact < high)
    True
    """
    # Rows of a cold start must be drawn with known probabilities, too, so its strategy
    # is "random".
    clf = ActiveLearningClassifier(
        clone(model) if surrogate is None else surrogate,
        oracle=oracle,
        strategy=ExpectedLossSampling(model, loss, epsilon),
        initial_strategy="random",
        batch_size=batch_size,
        budget=budget,
        missing_label=missing_label,
        random_state=random_state,
    )
    X = of_known_library(X)
    if y is None:
        y = np.full(_num_samples(X), missing_label)
    _query(clf, X, y, sample_ids)
    risk, std, interval = _estimate(model, clf, X, loss)
    return Bunch(
        risk=risk,
        std=std,
        interval=interval,
        naive_risk=_naive_risk(model, clf, X, loss),
        query_indices=clf.query_indices_,
        query_probabilities=clf.query_probabilities_,
        transduction=clf.transduction_,
    )


def _query(clf, X, y, sample_ids):
    """Do what `fit` does, but without a final fit: the surrogate is not needed."""
    inputs = check_inputs(
        clf, X, y, sample_ids=sample_ids, cost=None, fit_params={}, has_oracle=True
    )
    run = Run(inputs)
    drive(run, ready_oracle(run, clf.oracle))
    vars(clf).update(current_attributes(run))


def _naive_risk(model, clf, X, loss):
    rows = clf.query_indices_
    rows = rows[clf.labeled_iter_[rows] > 0]
    if not len(rows):
        return np.nan
    labels = as_labels(clf.transduction_[rows])
    return float(np.mean(_losses(loss, model, take_rows(X, rows), labels)))
