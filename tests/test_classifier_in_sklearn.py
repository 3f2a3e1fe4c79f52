"""ActiveLearningClassifier as an estimator: parameters, routing, callbacks, display."""

import pickle

import numpy as np
import pytest
import sklearn
from sklearn import config_context
from sklearn.base import clone, is_classifier
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.utils import get_tags

from skactive import ActiveLearningClassifier
from skactive.acquisition import KMeansSampling
from skactive.oracles import SimulatedOracle

HAS_CALLBACKS = hasattr(sklearn, "callback") or tuple(
    map(int, sklearn.__version__.split(".")[:2])
) >= (1, 9)
needs_callbacks = pytest.mark.skipif(
    not HAS_CALLBACKS, reason="scikit-learn has callbacks from 1.9 on"
)

X = np.linspace(0, 1, 21).reshape(-1, 1)
TRUTH = (X[:, 0] > 0.5).astype(int)
Y = np.where(np.arange(21) % 20 == 0, TRUTH, -1)


def ask(X):
    return (X[:, 0] > 0.5).astype(int)


def make_clf(estimator=None, **params):
    defaults = {"oracle": ask, "batch_size": 4, "budget": 8, "random_state": 0}
    return ActiveLearningClassifier(
        LogisticRegression() if estimator is None else estimator, **defaults | params
    )


def test_parameters_of_what_is_inside_are_reached_by_name():
    clf = make_clf(make_pipeline(StandardScaler(), SVC()), strategy=KMeansSampling())
    clf.set_params(estimator__svc__C=3.0, strategy__max_clusters=7)
    assert clf.get_params()["estimator__svc__C"] == 3.0
    assert clf.estimator[-1].C == 3.0
    assert clf.fit(X, Y).strategy_.max_clusters == 7
    with pytest.raises(ValueError, match="Invalid parameter 'beta'"):
        clf.set_params(strategy__beta=1)


def test_a_search_over_strategies_and_what_is_inside():
    y = np.where(np.arange(21) % 2 == 0, TRUTH, -1)
    grid = {"strategy": ["margin", "random"], "estimator__C": [0.01, 100.0]}
    oracle = SimulatedOracle(TRUTH)
    search = GridSearchCV(make_clf(oracle=oracle), grid, cv=3, error_score="raise")
    search.fit(X, y, sample_ids=np.arange(21))
    assert search.best_params_["estimator__C"] == 100.0
    assert search.best_estimator_.n_queries_ == 8


def test_a_fit_changes_no_parameter():
    clf = make_clf(strategy=KMeansSampling(), classes=[0, 1])
    before, state = clf.get_params(deep=False), pickle.dumps(clf)
    clf.fit(X, Y)
    assert all(clf.get_params(deep=False)[k] is v for k, v in before.items())
    assert pickle.dumps(clone(clf)) == state


def test_a_second_fit_forgets_the_first():
    clf = make_clf(holdout_fraction=0.5).fit(X, Y)
    assert hasattr(clf, "holdout_indices_")
    clf.set_params(holdout_fraction=0.0).fit(np.hstack([X, X]), Y)
    assert not hasattr(clf, "holdout_indices_")
    assert clf.n_features_in_ == 2
    assert clf.n_queries_ == 8


def test_it_is_a_classifier_with_the_tags_of_its_estimator():
    assert is_classifier(make_clf())
    tags = get_tags(make_clf(HistGradientBoostingClassifier()))
    assert tags.input_tags.allow_nan
    assert not get_tags(make_clf()).input_tags.allow_nan
    assert not get_tags(make_clf(HistGradientBoostingClassifier())).input_tags.sparse


def test_the_html_display_shows_the_estimator_before_and_after_a_fit():
    clf = make_clf(make_pipeline(StandardScaler(), LogisticRegression()))
    for shown in (clf._repr_html_(), clf.fit(X, Y)._repr_html_()):
        for name in ("ActiveLearningClassifier", "StandardScaler", "LogisticReg"):
            assert name in shown


def test_methods_are_those_of_the_estimator():
    assert hasattr(make_clf(), "predict_proba")
    assert not hasattr(make_clf(SVC()), "predict_proba")
    assert not hasattr(make_clf(SGDClassifier()).fit(X, Y), "predict_log_proba")
    assert hasattr(make_clf(SVC()), "decision_function")


class SeesWeights(LogisticRegression):
    """Remembers the rows and weights it was fitted on."""

    seen = []

    def fit(self, X, y, sample_weight=None):
        self.seen.append((X[:, 0], sample_weight))
        return super().fit(X, y, sample_weight)


def as_list(values):
    return values.tolist()


@pytest.mark.parametrize("container", [np.array, as_list])
@config_context(enable_metadata_routing=True)
def test_weights_are_cut_to_the_rows_that_are_trained_on(container):
    SeesWeights.seen = []
    estimator = SeesWeights().set_fit_request(sample_weight=True)
    # Each row weighs twice its value, plus one.
    make_clf(estimator).fit(X, Y, sample_weight=container(2 * X[:, 0] + 1))
    assert [len(rows) for rows, _ in SeesWeights.seen] == [2, 6, 10]
    for rows, weights in SeesWeights.seen:
        np.testing.assert_allclose(weights, 2 * rows + 1)


@config_context(enable_metadata_routing=True)
def test_weights_inside_a_pipeline_are_cut_too():
    SeesWeights.seen = []
    steps = make_pipeline(
        StandardScaler(with_mean=False, with_std=False).set_fit_request(
            sample_weight=False
        ),
        SeesWeights().set_fit_request(sample_weight=True),
    )
    make_clf(steps).fit(X, Y, sample_weight=2 * X[:, 0] + 1)
    for rows, weights in SeesWeights.seen:
        np.testing.assert_allclose(weights, 2 * rows + 1)


@config_context(enable_metadata_routing=True)
def test_weights_of_all_rows_are_passed_where_all_are_trained_on():
    class Passes(SeesWeights):
        def fit(self, X, y, sample_weight=None):
            self.seen.append((X[:, 0], sample_weight))
            return LogisticRegression.fit(self, X[y != -1], y[y != -1])

    SeesWeights.seen = []
    clf = make_clf(Passes().set_fit_request(sample_weight=True), unlabeled="pass")
    clf.fit(X, Y, sample_weight=2 * X[:, 0] + 1)
    for rows, weights in SeesWeights.seen:
        np.testing.assert_array_equal(rows, X[:, 0])
        np.testing.assert_array_equal(weights, 2 * rows + 1)


@config_context(enable_metadata_routing=True)
def test_weights_that_nobody_requested_are_refused_before_payment():
    calls = []
    clf = make_clf(oracle=calls.append)
    with pytest.raises(ValueError, match="sample_weight"):
        clf.fit(X, Y, sample_weight=np.ones(21))
    assert calls == []


@config_context(enable_metadata_routing=True)
def test_weights_of_a_score_are_routed_and_cut():
    estimator = LogisticRegression().set_score_request(sample_weight=True)
    clf = make_clf(estimator, oracle=lambda X: [0] * len(X)).fit(X, Y)
    some = np.where(np.arange(21) % 3 == 0, TRUTH, -1)
    labeled, weights = some != -1, np.arange(21.0)
    hit = clf.predict(X[labeled]) == TRUTH[labeled]
    expected = np.average(hit, weights=weights[labeled])
    assert clf.score(X, some, sample_weight=weights) == pytest.approx(expected)


def test_the_classifier_asks_the_router_for_ids_and_costs_only():
    requests = clone(make_clf()).get_metadata_routing()._self_request.fit.requests
    assert sorted(requests) == ["cost", "sample_ids"]


def test_costs_reach_the_strategy():
    seen = []

    def cheapest(pool):
        seen.append(pool.cost[pool.candidates])
        return -pool.cost[pool.candidates]

    cost = np.arange(21.0)[::-1]
    clf = make_clf(strategy=cheapest).fit(X, Y, cost=cost)
    assert clf.query_indices_.tolist() == [19, 18, 17, 16, 15, 14, 13, 12]
    assert seen[0].tolist() == cost[1:20].tolist()


@needs_callbacks
def test_a_progress_bar_counts_the_rounds(capsys):
    pytest.importorskip("rich")
    from sklearn.callback import ProgressBar

    clf = make_clf().set_callbacks(ProgressBar())
    expected = make_clf().fit(X, Y).query_indices_.tolist()
    assert clf.fit(X, Y).query_indices_.tolist() == expected
    assert "ActiveLearningClassifier" in capsys.readouterr().out


@needs_callbacks
def test_a_scoring_monitor_scores_every_round_on_its_labelled_rows():
    from sklearn.callback import ScoringMonitor

    monitor = ScoringMonitor(scoring="accuracy")
    answers = iter([[0, 1, 0, 1], [1, 1, 1, 1]])
    clf = make_clf(oracle=lambda X: next(answers)).set_callbacks(monitor)
    clf.fit(X, Y)
    rounds = [r for r in monitor.get_logs().data if r["task_name"] == "round"]
    early = (clf.labeled_iter_ == 0) | (clf.labeled_iter_ == 1)
    first = LogisticRegression().fit(X[[0, 20]], [0, 1])
    assert rounds[0]["accuracy"] == first.score(X[early], clf.transduction_[early])
    assert len(rounds) == 2
    (final,) = [r for r in monitor.get_logs().data if r["task_name"] == "fit"]
    assert final["accuracy"] == clf.score(X, clf.transduction_)


@needs_callbacks
def test_a_callback_ends_the_run():
    class StopAfterOne:
        def setup(self, estimator, context): ...
        def teardown(self, estimator, context): ...
        def on_fit_task_begin(self, estimator, context, **kwargs): ...
        def on_fit_task_end(self, estimator, context, **kwargs):
            return context.task_name == "round"

    clf = make_clf().set_callbacks(StopAfterOne()).fit(X, Y)
    assert clf.termination_condition_ == "callback"
    assert (clf.n_queries_, clf.n_iter_) == (4, 1)


class FailsLater:
    """A callback whose hook fails when it is called for the nth time."""

    def __init__(self, hook, n):
        self.calls = {hook: n}

    def setup(self, estimator, context): ...
    def teardown(self, estimator, context): ...

    def on_fit_task_begin(self, estimator, context):
        self.count("begin")

    def on_fit_task_end(self, estimator, context):
        self.count("end")

    def count(self, hook):
        self.calls[hook] = self.calls.get(hook, 0) - 1
        if self.calls[hook] == 0:
            raise OSError("no screen")


@needs_callbacks
@pytest.mark.parametrize(
    ("hook", "n", "n_bought"),
    [("begin", 1, 0), ("begin", 3, 4), ("end", 1, 4), ("end", 3, 8)],
)
def test_a_callback_that_fails_loses_no_label(hook, n, n_bought):
    clf = make_clf().set_callbacks(FailsLater(hook, n))
    with pytest.raises(OSError, match="no screen") as caught:
        clf.fit(X, Y)
    assert clf.n_queries_ == n_bought
    assert (clf.transduction_ != -1).sum() == 2 + n_bought
    if n_bought:
        assert caught.value.indices.tolist() == clf.query_indices_.tolist()
        np.testing.assert_array_equal(caught.value.labels, TRUTH[clf.query_indices_])


@pytest.mark.skipif(HAS_CALLBACKS, reason="scikit-learn has callbacks from 1.9 on")
def test_callbacks_are_ignored_where_scikit_learn_has_none():
    clf = make_clf()
    assert clf.set_callbacks(object()) is clf
    assert clf.fit(X, Y).n_queries_ == 8
