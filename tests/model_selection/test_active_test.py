"""The risk of a fixed model from the labels that a run has drawn."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, UndefinedMetricWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearningClassifier, LabelingLoop
from skactive.acquisition import EpsilonGreedy, ExpectedLossSampling
from skactive.exceptions import OracleError, StopLabeling
from skactive.model_selection import (
    active_test,
    lure_interval,
    lure_risk,
    queried_risk,
)
from skactive.oracles import SimulatedOracle

RNG = np.random.default_rng(0)
N = 200
X = RNG.normal(size=(N, 2))
TRUTH = (X[:, 0] + 0.3 * RNG.normal(size=N) > 0).astype(int)
GIVEN = np.arange(N) < 10
Y = np.where(GIVEN, TRUTH, -1)
IDS = np.arange(N)


class Threshold:
    """A fixed model, which errs most between 0 and 0.3."""

    classes_ = np.array([0, 1])

    def predict(self, X):
        return (X[:, 0] > 0.3).astype(int)

    def predict_proba(self, X):
        p = 1 / (1 + np.exp(-4 * (X[:, 0] - 0.3)))
        return np.column_stack([1 - p, p])


MODEL = Threshold()
LOSSES = (MODEL.predict(X) != TRUTH).astype(float)
TRUE_RISK = LOSSES[~GIVEN].mean()


def run(strategy=None, y=Y, truth=TRUTH, **params):
    defaults = {"batch_size": 10, "budget": 40, "random_state": 0}
    clf = ActiveLearningClassifier(
        GaussianNB(),
        oracle=SimulatedOracle(truth),
        strategy=EpsilonGreedy("margin", 0.5) if strategy is None else strategy,
        **defaults | params,
    )
    return clf.fit(X, y, sample_ids=IDS)


def draw(y=Y, model=MODEL, **params):
    defaults = {
        "oracle": SimulatedOracle(TRUTH),
        "surrogate": GaussianNB(),
        "budget": 40,
        "sample_ids": IDS,
        "random_state": 0,
    }
    return active_test(model, X, y, **defaults | params)


def standard_errors_off(estimates):
    """Return how far the mean of estimates is from the truth, in standard errors."""
    error = np.std(estimates, ddof=1) / np.sqrt(len(estimates))
    return abs(np.mean(estimates) - TRUE_RISK) / error


@pytest.mark.slow
def test_over_200_runs_lure_is_unbiased_and_the_naive_estimate_is_not():
    runs = [run(random_state=seed, batch_size=20) for seed in range(200)]
    lure = [queried_risk(MODEL, clf, X) for clf in runs]
    naive = [LOSSES[clf.query_indices_].mean() for clf in runs]
    assert standard_errors_off(lure) < 3
    assert standard_errors_off(naive) > 10


@pytest.mark.slow
def test_over_200_active_tests_the_risk_and_its_error_are_right():
    results = [draw(random_state=seed, batch_size=20) for seed in range(200)]
    risks = np.array([result.risk for result in results])
    assert standard_errors_off(risks) < 3
    assert standard_errors_off([result.naive_risk for result in results]) > 10
    mean_square = np.mean([result.std**2 for result in results])
    assert np.sqrt(mean_square) == pytest.approx(risks.std(), rel=0.25)


def test_the_estimate_is_lure_over_the_rows_without_a_label():
    clf = run()
    rows, q = clf.query_indices_, clf.query_probabilities_
    expected = lure_risk(LOSSES[rows], q, N - 10, return_std=True)
    assert queried_risk(MODEL, clf, X, return_std=True) == pytest.approx(expected)


@pytest.mark.parametrize("loss", ["log_loss", lambda model, X, y: np.abs(y - 0.25)])
def test_other_losses(loss):
    clf = run("random", budget=None)
    rows = ~GIVEN
    expected = log_loss(TRUTH[rows], MODEL.predict_proba(X[rows]))
    if callable(loss):
        expected = np.abs(TRUTH[rows] - 0.25).mean()
    assert queried_risk(MODEL, clf, X, loss=loss) == pytest.approx(expected)


def test_random_queries_give_the_plain_mean():
    clf = run("random")
    assert queried_risk(MODEL, clf, X) == pytest.approx(
        LOSSES[clf.query_indices_].mean()
    )


def test_rows_held_out_were_drawn_as_well():
    clf = run(holdout_fraction=0.5)
    q = clf.query_probabilities_
    np.testing.assert_allclose(q[:20], 1 / (N - 10 - np.arange(20)))
    expected = lure_risk(LOSSES[clf.query_indices_], q, N - 10)
    assert queried_risk(MODEL, clf, X) == pytest.approx(expected)


def test_after_a_cold_start_that_does_not_draw_the_rows_left_are_the_pool():
    clf = run(initial_size=20)
    rows, q = clf.query_indices_[10:], clf.query_probabilities_
    assert np.isnan(q[:10]).all()
    expected = lure_risk(LOSSES[rows], q[10:], N - 20)
    assert queried_risk(MODEL, clf, X) == pytest.approx(expected)
    drawn = run(initial_size=20, initial_strategy="random")
    assert not np.isnan(drawn.query_probabilities_).any()


def test_a_model_that_was_trained_on_the_labels_is_refused():
    clf = run()
    for model in (clf, clf.estimator_):
        with pytest.raises(ValueError, match=r"trained on.*holdout_fraction"):
            queried_risk(model, clf, X)


def test_of_a_model_trained_on_the_labels_lure_knows_nothing():
    clf = run()
    known = clf.labeled_iter_ >= 0
    tree = DecisionTreeClassifier(random_state=0).fit(X[known], TRUTH[known])
    assert queried_risk(tree, clf, X) == 0
    assert tree.score(X[~GIVEN], TRUTH[~GIVEN]) < 0.97


def test_strategies_that_do_not_draw_are_refused():
    with pytest.raises(ValueError, match="not known with which probabilities"):
        queried_risk(MODEL, run("margin"), X)
    with pytest.raises(ValueError, match="call fit first"):
        queried_risk(MODEL, ActiveLearningClassifier(GaussianNB()), X)
    with pytest.raises(ValueError, match="must be the 200 rows"):
        queried_risk(MODEL, run(), X[:50])


def test_with_abstentions_it_is_the_risk_over_rows_that_get_an_answer():
    oracle = SimulatedOracle(TRUTH, abstain=0.3, random_state=0)
    answers = oracle(X, IDS)
    known = np.array([a is not None for a in answers]) & ~GIVEN
    everything = draw(oracle=oracle, budget=None)
    assert everything.risk == pytest.approx(LOSSES[known].mean())
    results = [draw(oracle=oracle, random_state=i, batch_size=20) for i in range(60)]
    risks = [result.risk for result in results]
    error = np.std(risks, ddof=1) / np.sqrt(60)
    assert abs(np.mean(risks) - LOSSES[known].mean()) < 3 * error
    mean_square = np.mean([result.std**2 for result in results])
    assert np.sqrt(mean_square) == pytest.approx(np.std(risks), rel=0.3)


def test_no_answer_at_all_is_nan_with_a_warning():
    with pytest.warns(UndefinedMetricWarning, match="none of 40 rows"):
        result = draw(oracle=SimulatedOracle(TRUTH, abstain=1.0))
    assert np.isnan([result.risk, result.std, result.naive_risk]).all()


def test_no_label_need_be_known_and_one_class_is_enough():
    result = draw(None, oracle=lambda X: np.zeros(len(X), dtype=int))
    np.testing.assert_allclose(
        result.query_probabilities, 1 / (N - np.arange(40)), rtol=1e-9
    )
    rows = result.query_indices
    assert result.risk == pytest.approx(np.mean(MODEL.predict(X[rows]) == 1))
    assert (result.transduction[rows] == 0).all()


@pytest.mark.parametrize("missing_label", [None, ""])
def test_strings_are_classes_too(missing_label):
    names = np.array(["left", "right"], dtype=object)
    model = LogisticRegression().fit(X[GIVEN], names[TRUTH[GIVEN]])
    y = np.where(GIVEN, names[TRUTH], missing_label)
    oracle = SimulatedOracle(names[TRUTH])
    result = draw(y, model, oracle=oracle, surrogate=None, missing_label=missing_label)
    numbers = LogisticRegression().fit(X[GIVEN], TRUTH[GIVEN])
    expected = draw(Y, numbers, surrogate=None)
    assert result.risk == expected.risk
    log = draw(
        y, model, oracle=oracle, loss="log_loss", missing_label=missing_label
    ).risk
    assert log == pytest.approx(draw(Y, numbers, loss="log_loss").risk)


def test_an_oracle_that_stops_in_a_batch_leaves_a_shorter_sequence():
    def ask(X, sample_ids):
        if len(seen) == 10:
            raise StopLabeling(labels=TRUTH[sample_ids[:4]])
        seen.extend(sample_ids)
        return TRUTH[sample_ids]

    seen = []
    result = draw(oracle=ask)
    rows, q = result.query_indices, result.query_probabilities
    assert len(rows) == 14
    assert result.risk == pytest.approx(lure_risk(LOSSES[rows], q, N - 10))


def test_labels_survive_an_oracle_that_fails():
    def ask(X, sample_ids):
        if len(seen) == 10:
            raise OSError("no line")
        seen.extend(sample_ids)
        return TRUTH[sample_ids]

    seen = []
    with pytest.raises(OracleError) as caught:
        draw(oracle=ask)
    assert caught.value.indices.tolist() == seen
    assert caught.value.labels.tolist() == TRUTH[seen].tolist()


def test_rows_told_out_of_their_order_are_no_sequence():
    clf = ActiveLearningClassifier(
        GaussianNB(), strategy=EpsilonGreedy("margin", 0.5), batch_size=10
    )
    loop = LabelingLoop(clf, X, Y)
    rows = loop.ask().indices
    loop.tell(TRUTH[rows[[0, 1, 5]]], indices=rows[[0, 1, 5]])
    fitted = loop.finish()
    q = fitted.query_probabilities_
    assert np.isnan(q).tolist() == [False, False, True]
    expected = lure_risk(LOSSES[rows[:2]], q[:2], N - 10)
    assert queried_risk(MODEL, fitted, X) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"model": LogisticRegression()}, NotFittedError, "not fitted"),
        ({"epsilon": 0.0}, ValueError, "'epsilon' parameter"),
        ({"loss": "hinge"}, ValueError, "'loss' parameter"),
        ({"budget": 1.5}, ValueError, "'budget' parameter"),
        (
            {"model": LinearSVC().fit(X, TRUTH), "loss": "log_loss"},
            ValueError,
            "needs a model with predict_proba",
        ),
        (
            {"model": LinearSVC().fit(X, TRUTH), "surrogate": None},
            ValueError,
            "needs a classifier with predict_proba",
        ),
        ({"model": GaussianNB().fit(X, TRUTH + 7)}, ValueError, "same classes"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_asked(params, error, message):
    def ask(X):
        raise AssertionError("asked")

    with pytest.raises(error, match=message):
        draw(**{"oracle": ask} | params)


def test_a_classifier_with_the_strategy_is_cloned_with_its_fitted_model():
    model = GaussianNB().fit(X[GIVEN], TRUTH[GIVEN])
    strategy = ExpectedLossSampling(model)
    assert clone(strategy).model is model
    clf = clone(ActiveLearningClassifier(GaussianNB(), strategy=strategy))
    assert clf.strategy.model is model


def test_the_interval_of_an_active_test_is_that_of_its_draws():
    result = draw()
    q = result.query_probabilities
    expected = lure_interval(LOSSES[result.query_indices], q, N - 10)
    assert result.interval == pytest.approx(expected)
    low, high = draw(budget=None).interval
    assert low == high == pytest.approx(TRUE_RISK)
    assert np.isnan(draw(loss="log_loss").interval).all()


def test_rows_without_an_answer_widen_the_interval():
    oracle = SimulatedOracle(TRUTH, abstain=0.6, random_state=0)
    (low, high), (less, more) = draw().interval, draw(oracle=oracle).interval
    assert 0 <= less < more <= 1
    assert more - less > high - low
