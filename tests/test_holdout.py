"""The rows that are held out, and the score on them."""

import pickle
import warnings

import numpy as np
import pytest
from scipy.stats import beta, binom
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import UndefinedMetricWarning
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import LabelSpreading
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearningClassifier, LabelingLoop, PseudoLabels
from skactive._loop.holdout import accuracy_interval
from skactive.oracles import SimulatedOracle

# 60 rows in a line; a fifth of the labels is wrong, so that no model is always right.
RNG = np.random.default_rng(0)
X = np.linspace(0, 1, 60).reshape(-1, 1)
TRUTH = ((X[:, 0] > 0.5) ^ (RNG.random(60) < 0.2)).astype(int)
Y = np.where(np.isin(np.arange(60), [0, 10, 50, 59]), X[:, 0] > 0.5, -1)


def make_clf(estimator=None, **params):
    defaults = {
        "oracle": SimulatedOracle(TRUTH),
        "batch_size": 4,
        "budget": 24,
        "holdout_fraction": 0.5,
        "random_state": 0,
    }
    estimator = LogisticRegression() if estimator is None else estimator
    return ActiveLearningClassifier(estimator, **defaults | params)


def fit(clf, y=Y):
    return clf.fit(X, y, sample_ids=np.arange(len(X)))


def without_holdout(clf, estimator):
    """Return the estimator fitted on all labels but those held out."""
    known = clf.labeled_iter_ >= 0
    known[clf.holdout_indices_] = False
    return estimator.fit(X[known], clf.transduction_[known])


def test_the_score_is_that_of_the_model_fitted_on_all_other_labels():
    clf = fit(make_clf())
    rows = clf.holdout_indices_
    model = without_holdout(clf, LogisticRegression())
    assert len(rows) == 12
    assert clf.holdout_score_ == model.score(X[rows], TRUTH[rows])
    assert clf.holdout_score_ not in (0, 1)
    assert clf.history_[-1]["n_labeled"] == 4 + 24


def test_the_interval_is_the_exact_one():
    accuracy, (low, high) = accuracy_interval(17, 20)
    assert accuracy == 0.85
    assert low == pytest.approx(beta.ppf(0.025, 17, 4))
    assert high == pytest.approx(beta.ppf(0.975, 18, 3))
    assert accuracy_interval(20, 20)[1][1] == 1
    assert accuracy_interval(0, 20)[1][0] == 0
    clf = fit(make_clf())
    expected = accuracy_interval(round(12 * clf.holdout_score_), 12)[1]
    assert clf.holdout_interval_ == expected


@pytest.mark.parametrize("n", [10, 20, 50])
def test_the_interval_is_missed_by_at_most_one_sample_in_twenty(n):
    ends = np.array([accuracy_interval(k, n)[1] for k in range(n + 1)])
    for p in np.linspace(0.3, 0.995, 70):
        covers = (ends[:, 0] <= p) & (p <= ends[:, 1])
        assert binom.pmf(np.flatnonzero(covers), n, p).sum() >= 0.95


def test_without_a_holdout_there_is_no_score():
    clf = fit(make_clf(holdout_fraction=0.0))
    assert not hasattr(clf, "holdout_score_")
    assert not hasattr(clf, "holdout_interval_")


def test_no_answer_in_the_holdout_is_nan_with_a_warning():
    answers = [None] * 12 + [1, 0] * 6
    clf = make_clf(oracle=lambda X: [answers.pop(0) for _ in X])
    with pytest.warns(UndefinedMetricWarning, match="no row that was held out") as seen:
        clf.fit(X, Y)
    assert seen[0].filename == __file__
    assert np.isnan([clf.holdout_score_, *clf.holdout_interval_]).all()
    assert clf.holdout_indices_.tolist() == []


def test_rows_without_an_answer_are_left_out_of_the_score():
    clf = fit(make_clf(oracle=SimulatedOracle(TRUTH, abstain=0.4, random_state=1)))
    rows = clf.holdout_indices_
    assert 0 < len(rows) < 12
    model = without_holdout(clf, LogisticRegression())
    assert clf.holdout_score_ == model.score(X[rows], TRUTH[rows])


@pytest.mark.parametrize(
    ("y", "why"),
    [
        (np.full(60, -1), "no other row has a label"),
        (np.where(np.arange(60) == 0, 0, -1), "No model|no model could be fitted"),
    ],
)
def test_a_model_that_needs_the_holdout_has_no_score(y, why):
    clf = make_clf(holdout_fraction=0.99, budget=12)
    with pytest.warns(UndefinedMetricWarning, match=why):
        fit(clf, y)
    assert np.isnan(clf.holdout_score_)
    assert clf.classes_.tolist() == [0, 1]


def test_without_an_oracle_nothing_is_scored_and_nothing_said_of_it():
    with pytest.warns(UserWarning, match="no oracle") as seen:
        clf = make_clf(oracle=None).fit(X, Y)
    assert not any(issubclass(w.category, UndefinedMetricWarning) for w in seen)
    assert np.isnan(clf.holdout_score_)


def test_finishing_early_scores_the_rows_that_have_an_answer():
    loop = LabelingLoop(make_clf(), X, Y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(loop.finish().holdout_score_)
    query = loop.ask()
    loop.tell(TRUTH[query.indices[[2, 0]]], indices=query.indices[[2, 0]])
    clf = loop.finish()
    assert clf.holdout_indices_.tolist() == sorted(query.indices[[2, 0]])
    model = LogisticRegression().fit(X[Y >= 0], Y[Y >= 0])
    assert clf.holdout_score_ == model.score(
        X[clf.holdout_indices_], TRUTH[clf.holdout_indices_]
    )


class Recorder(ClassifierMixin, BaseEstimator):
    """Takes down what it is fitted on; it has no `score` of its own to be asked."""

    seen = []

    def fit(self, X, y):
        Recorder.seen.append((X[:, 0].tolist(), y.tolist()))
        self.model_ = LogisticRegression().fit(X[y != -1], y[y != -1])
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)

    def score(self, X, y):
        raise AssertionError("score was called")


@pytest.mark.parametrize("unlabeled", ["ignore", "pass", PseudoLabels(0.6, 0)])
def test_only_the_last_model_of_all_has_seen_labels_of_the_holdout(unlabeled):
    Recorder.seen = []
    clf = fit(make_clf(Recorder(), unlabeled=unlabeled))
    held = set(X[clf.holdout_indices_, 0])
    *models, final = [
        {x for x, label in zip(*seen, strict=True) if label != -1}
        for seen in Recorder.seen
    ]
    assert len(models) >= 4
    assert not any(rows & held for rows in models)
    assert held <= final
    assert 0 < clf.holdout_score_ < 1


def test_a_strategy_cannot_see_the_labels_of_the_holdout():
    seen = []

    def spy(pool):
        seen.append(np.array(pool.y))
        return np.zeros(len(pool))

    clf = fit(make_clf(strategy=spy))
    assert len(seen) == 3
    assert all((y[clf.holdout_indices_] == -1).all() for y in seen)
    assert (clf.transduction_[clf.holdout_indices_] != -1).all()


def test_a_model_that_a_criterion_has_looked_at_is_not_fitted_again():
    Recorder.seen = []

    def look(pool):
        pool.estimator  # noqa: B018

    # No label is recorded between the pool of the round that is left open and the end.
    loop = LabelingLoop(make_clf(Recorder(), stopping=look), X, Y)
    for _ in range(4):
        loop.tell(TRUTH[loop.ask().indices])
    loop.ask()
    n_fits = len(Recorder.seen)
    assert loop.finish().holdout_score_ > 0
    assert len(Recorder.seen) == n_fits + 1


@pytest.mark.parametrize("missing_label", ["", None])
def test_strings_are_scored_as_strings(missing_label):
    names = np.array(["left", "right"], dtype=object)
    y = np.where(Y == -1, missing_label, names[np.maximum(Y, 0)])
    clf = make_clf(oracle=SimulatedOracle(names[TRUTH]), missing_label=missing_label)
    assert fit(clf, y).holdout_score_ == fit(make_clf()).holdout_score_


def test_unlabeled_pass_is_scored_without_the_labels_of_the_holdout():
    clf = fit(make_clf(LabelSpreading(), unlabeled="pass"))
    rows = clf.holdout_indices_
    y = clf.transduction_.copy()
    y[rows] = -1
    alone = LabelSpreading().fit(X, y)
    assert clf.holdout_score_ == np.mean(alone.predict(X[rows]) == TRUTH[rows])


def test_the_score_survives_pickling_and_is_forgotten_by_the_next_fit():
    clf = fit(make_clf())
    again = pickle.loads(pickle.dumps(clf))
    assert again.holdout_score_ == clf.holdout_score_
    assert again.holdout_interval_ == clf.holdout_interval_
    assert not hasattr(fit(clf.set_params(holdout_fraction=0.0)), "holdout_score_")


def test_the_holdout_states_that_it_was_drawn_uniformly():
    clf = fit(make_clf())
    q = clf.query_probabilities_
    np.testing.assert_allclose(q[:12], 1 / (56 - np.arange(12)))
    assert np.isnan(q[12:]).all()


NOISE = 0.15
GRID = (np.arange(2000) + 0.5) / 2000


def one_simulated_run(seed):
    """Return the interval, the true accuracy of that model, and its resubstitution."""
    rng = np.random.default_rng(seed)
    X = rng.random((300, 1))
    truth = ((X[:, 0] > 0.5) ^ (rng.random(300) < NOISE)).astype(int)
    tree = DecisionTreeClassifier(random_state=0)
    clf = ActiveLearningClassifier(
        tree,
        oracle=SimulatedOracle(truth),
        batch_size=40,
        budget=80,
        holdout_fraction=0.5,
        classes=[0, 1],
        random_state=seed,
    )
    y = np.where(np.arange(300) < 10, truth, -1)
    clf.fit(X, y, sample_ids=np.arange(300))
    known = clf.labeled_iter_ >= 0
    known[clf.holdout_indices_] = False
    tree.fit(X[known], truth[known])
    is_right = tree.predict(GRID[:, None]) == (GRID > 0.5)
    true_accuracy = np.where(is_right, 1 - NOISE, NOISE).mean()
    return clf.holdout_interval_, true_accuracy, tree.score(X[known], truth[known])


@pytest.mark.slow
def test_the_interval_covers_the_true_score_at_its_rate_and_resubstitution_does_not():
    runs = [one_simulated_run(seed) for seed in range(200)]
    covered = np.mean([low <= true <= high for (low, high), true, _ in runs])
    resubstituted = np.mean([low <= naive <= high for (low, high), _, naive in runs])
    # The exact interval covers 0.95 to 0.975 at 40 rows; 200 runs have a standard
    # error of 0.015.
    assert 0.95 - 3 * 0.0154 <= covered < 1
    assert resubstituted < 0.2
    truths = np.array([true for _, true, _ in runs])
    bias = np.array([naive for *_, naive in runs]) - truths
    assert bias.mean() > 10 * bias.std() / np.sqrt(200)
