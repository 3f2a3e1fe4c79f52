"""What a fit of ActiveLearningClassifier does, and the attributes that tell of it."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import SVC

from skactive import ActiveLearningClassifier, PseudoLabels
from skactive.acquisition import BaseStrategy, MarginSampling, Selection
from skactive.acquisition.functional import margin
from skactive.exceptions import OracleError, StopLabeling

# 21 rows, class 1 above a half; labels of the first and the last are known.
X = np.linspace(0, 1, 21).reshape(-1, 1)
TRUTH = (X[:, 0] > 0.5).astype(int)
Y = np.where(np.arange(21) % 20 == 0, TRUTH, -1)


def ask(X):
    return (X[:, 0] > 0.5).astype(int)


def make_clf(estimator=None, **params):
    """Return a classifier that asks two batches of four."""
    defaults = {"oracle": ask, "batch_size": 4, "budget": 8, "random_state": 0}
    return ActiveLearningClassifier(
        LogisticRegression() if estimator is None else estimator, **defaults | params
    )


def test_the_result_is_the_estimator_fitted_on_all_labels():
    clf = make_clf().fit(X, Y)
    labeled = clf.transduction_ != -1
    alone = LogisticRegression().fit(X[labeled], TRUTH[labeled])
    np.testing.assert_array_equal(clf.estimator_.coef_, alone.coef_)
    np.testing.assert_array_equal(clf.classes_, clf.estimator_.classes_)
    for method in ("predict", "predict_proba", "predict_log_proba"):
        np.testing.assert_array_equal(
            getattr(clf, method)(X), getattr(alone, method)(X)
        )
    assert clf.score(X, TRUTH) == alone.score(X, TRUTH)


def test_margin_asks_next_to_the_boundary():
    clf = make_clf(LogisticRegression(C=1e4), batch_size=1, budget=3).fit(X, Y)
    # The boundary lies in the middle between the labelled rows next to it: between
    # 0 and 20, then 10 and 20, then 10 and 15.
    assert clf.query_indices_[:2].tolist() == [10, 15]
    assert clf.query_indices_[2] in (12, 13)
    assert clf.labeled_iter_[clf.query_indices_].tolist() == [1, 2, 3]


def test_rows_of_a_round_are_asked_in_the_order_of_their_utility():
    seen = []
    clf = make_clf(oracle=lambda X: seen.extend(X[:, 0]) or ask(X), budget=4)
    clf.fit(X, Y)
    alone = LogisticRegression().fit(X[[0, 20]], [0, 1])
    utility = margin(alone.predict_proba(X[clf.query_indices_]))
    assert (np.diff(utility) <= 0).all()
    assert seen == X[clf.query_indices_, 0].tolist()


def test_transduction_and_labeled_iter_say_what_was_bought_and_when():
    clf = make_clf(oracle=lambda X: [1, None, 0, 1]).fit(X, Y)
    first, second = clf.query_indices_[:4], clf.query_indices_[4:]
    for number, rows in [(1, first), (2, second)]:
        assert clf.transduction_[rows].tolist() == [1, -1, 0, 1]
        assert clf.labeled_iter_[rows].tolist() == [number, -1, number, number]
    assert clf.labeled_iter_[[0, 20]].tolist() == [0, 0]
    assert clf.transduction_[[0, 20]].tolist() == [0, 1]
    others = np.delete(np.arange(21), [0, 20, *clf.query_indices_])
    assert set(clf.labeled_iter_[others]) == set(clf.transduction_[others]) == {-1}
    assert (Y != -1).sum() == 2


def test_history_describes_the_model_before_each_query():
    clf = make_clf(oracle=lambda X: [1, None, 0, 1][: len(X)], budget=6).fit(X, Y)
    columns = ["round", "n_labeled", "n_queried", "n_abstained"]
    table = pd.DataFrame(clf.history_)[columns].to_numpy().tolist()
    assert table == [[1, 2, 4, 1], [2, 5, 2, 1], [3, 6, 0, 0]]
    assert [r["strategy"] for r in clf.history_] == ["margin", "margin", None]
    alone = LogisticRegression().fit(X[[0, 20]], [0, 1])
    utility = margin(alone.predict_proba(X[1:20]))
    assert clf.history_[0]["best_utility"] == pytest.approx(utility.max())
    assert clf.history_[0]["mean_utility"] == pytest.approx(utility.mean())
    assert clf.history_[-1]["best_utility"] is None


def test_history_holds_seconds_that_have_passed():
    clf = make_clf().fit(X, Y)
    for record in clf.history_:
        for part in ("fit_seconds", "select_seconds", "oracle_seconds"):
            assert 0 <= record[part] < 10
        assert record["fit_seconds"] > 0


def test_the_estimator_is_fitted_once_per_round_and_once_at_the_end():
    fits = []

    class Counting(LogisticRegression):
        def fit(self, X, y):
            fits.append(len(y))
            return super().fit(X, y)

    make_clf(Counting()).fit(X, Y)
    assert fits == [2, 6, 10]
    fits.clear()
    make_clf(Counting(), strategy="random").fit(X, Y)
    assert fits == [2, 10]


def late(pool):
    return "it is late" if pool.round == 2 else None


class Enough:
    """A criterion with a name of its own."""

    name = "enough"

    def update(self, pool):
        return "enough labels" if pool.labeled.sum() >= 6 else None


def tired(X):
    raise StopLabeling


@pytest.mark.parametrize(
    ("params", "condition", "n_queries"),
    [
        ({}, "budget", 8),
        ({"budget": None}, "all_labeled", 19),
        ({"budget": 19}, "all_labeled", 19),
        (
            {"budget": None, "oracle": lambda X: [None, *ask(X)[1:]]},
            "all_asked",
            19,
        ),
        ({"oracle": tired}, "oracle", 0),
        ({"stopping": late}, "late", 4),
        ({"stopping": Enough()}, "enough", 4),
        ({"stopping": [late, Enough()]}, "late", 4),
        ({"stopping": [lambda pool: None, Enough()]}, "enough", 4),
        ({"stopping": lambda pool: ""}, "budget", 8),
    ],
)
def test_termination_condition(params, condition, n_queries):
    clf = make_clf(**params).fit(X, Y)
    assert clf.termination_condition_ == condition
    assert clf.n_queries_ == len(clf.query_indices_) == n_queries
    assert clf.n_iter_ == len(clf.history_) - 1 == -(-n_queries // 4)


def test_the_reason_of_a_criterion_stands_in_the_history():
    clf = make_clf(stopping=late).fit(X, Y)
    assert [record["reason"] for record in clf.history_] == [None, "it is late"]


def test_a_criterion_is_cloned_and_sees_the_pool_of_every_round():
    class Keeping(BaseStrategy):
        def update(self, pool):
            self.seen_ = [*getattr(self, "seen_", []), (pool.round, len(pool))]
            assert len(self.seen_) == pool.round
            return "seen" if self.seen_ == [(1, 19), (2, 15)] else None

    keeping = Keeping()
    clf = make_clf(stopping=keeping).fit(X, Y)
    assert clf.termination_condition_ == "Keeping"
    assert clf.fit(X, Y).n_queries_ == 4
    assert not hasattr(keeping, "seen_")


@pytest.mark.parametrize(
    ("budget", "n_queries"),
    [
        (0, 0),
        (5, 5),
        (np.int64(3), 3),
        (19, 19),
        (500, 19),
        (None, 19),
        (1.0, 19),
        (0.5, 9),
        (np.float64(0.999), 18),
        (1e-9, 1),
    ],
)
def test_budget_counts_rows_or_is_a_share_of_those_without_a_label(budget, n_queries):
    assert make_clf(budget=budget).fit(X, Y).n_queries_ == n_queries


@pytest.mark.parametrize(("initial_size", "sizes"), [(5, [3, 4, 1]), (9, [4, 3, 1])])
def test_initial_size_is_met_by_the_cold_start_within_the_budget(initial_size, sizes):
    clf = make_clf(initial_size=initial_size).fit(X, Y)
    assert [record["n_queried"] for record in clf.history_] == [*sizes, 0]
    names = [record["strategy"] for record in clf.history_]
    n_cold = names.count("k_means")
    assert names == ["k_means"] * n_cold + ["margin"] * (3 - n_cold) + [None]
    assert 2 + sum(sizes[:n_cold]) == initial_size


def test_initial_size_that_is_there_already_changes_nothing():
    expected = make_clf().fit(X, Y).query_indices_.tolist()
    clf = make_clf(initial_size=2).fit(X, Y)
    assert clf.query_indices_.tolist() == expected


def test_initial_size_above_the_budget_is_a_cold_start_throughout():
    clf = make_clf(initial_size=50, initial_strategy="random").fit(X, Y)
    assert {r["strategy"] for r in clf.history_[:-1]} == {"random"}
    assert clf.n_queries_ == 8


def test_the_holdout_is_asked_first_and_trained_on_at_the_end_only():
    trained_on = []

    def spy(pool):
        trained_on.extend(np.flatnonzero(pool.labeled))
        return np.zeros(len(pool))

    clf = make_clf(holdout_fraction=0.5, strategy=spy, budget=10).fit(X, Y)
    names = ["holdout"] * 2 + ["FunctionStrategy"] * 2 + [None]
    assert [r["strategy"] for r in clf.history_] == names
    assert [r["n_queried"] for r in clf.history_] == [4, 1, 4, 1, 0]
    assert sorted(clf.query_indices_[:5]) == clf.holdout_indices_.tolist()
    assert not set(trained_on) & set(clf.holdout_indices_)
    assert clf.history_[-1]["n_labeled"] == 2 + 10


def test_criteria_wait_while_all_that_is_left_is_the_holdout():
    def certain(pool):
        return "certain" if pool.proba.max() > 0.99 else None

    clf = make_clf(holdout_fraction=0.99, budget=None, stopping=certain).fit(X, Y)
    assert clf.termination_condition_ == "all_labeled"
    assert len(clf.holdout_indices_) == 19


def test_the_holdout_is_drawn_at_random_with_the_seed():
    drawn = {
        tuple(
            make_clf(holdout_fraction=0.5, random_state=seed)
            .fit(X, Y)
            .holdout_indices_.tolist()
        )
        for seed in (0, 0, 1, 2, 3)
    }
    assert len(drawn) == 4
    assert set(np.concatenate(list(drawn))) <= set(range(1, 20))


def test_a_row_of_the_holdout_without_an_answer_is_not_in_it():
    answers = iter([[1, None, 0, 1], [1, 1, 0, 0]])
    clf = make_clf(oracle=lambda X: next(answers), holdout_fraction=0.5).fit(X, Y)
    asked = clf.query_indices_[:4]
    assert clf.holdout_indices_.tolist() == sorted(asked[[0, 2, 3]])


def test_strategies_are_cloned_and_kept_with_their_state():
    class Counting(BaseStrategy):
        def utility(self, pool):
            self.rounds_ = [*getattr(self, "rounds_", []), pool.round]
            return np.zeros(len(pool))

    strategy = Counting()
    clf = make_clf(strategy=strategy).fit(X, Y)
    assert clf.strategy_.rounds_ == [1, 2]
    assert clf.fit(X, Y).strategy_.rounds_ == [1, 2]
    assert not hasattr(strategy, "rounds_")
    assert isinstance(make_clf().fit(X, Y).strategy_, MarginSampling)


def test_query_probabilities_are_those_of_the_strategy():
    class Draws(BaseStrategy):
        def select(self, pool, n_queries):
            rows = pool.candidates[:n_queries]
            return Selection(rows, probabilities=[0.25] * n_queries)

    clf = make_clf(strategy=Draws(), initial_size=4).fit(X, Y)
    np.testing.assert_array_equal(
        clf.query_probabilities_, [np.nan, np.nan, *[0.25] * 6]
    )
    assert not hasattr(make_clf().fit(X, Y), "query_probabilities_")


def test_an_oracle_passed_to_fit_goes_before_the_parameter():
    clf = make_clf(oracle=tired).fit(X, Y, oracle=ask)
    assert clf.n_queries_ == 8
    assert clf.oracle is tired


def test_an_oracle_gets_what_its_signature_names():
    seen = []

    def curious(rows, *, proba, classes, sample_ids=None, unit="kg"):
        seen.append((proba, classes, sample_ids, unit))
        return ask(rows)

    clf = make_clf(oracle=curious, budget=4).fit(X, Y)
    ((proba, classes, sample_ids, unit),) = seen
    alone = LogisticRegression().fit(X[[0, 20]], [0, 1])
    expected = alone.predict_proba(X[clf.query_indices_])
    np.testing.assert_array_equal(proba, expected)
    assert (classes.tolist(), sample_ids, unit) == ([0, 1], None, "kg")


def test_an_oracle_gets_a_column_of_probabilities_for_each_class_it_gets():
    seen = []

    def curious(rows, proba, classes):
        seen.append((proba, classes.tolist()))
        return 2 * ask(rows)

    make_clf(oracle=curious, classes=[0, 1, 2]).fit(X, np.where(Y > 0, 2, Y))
    for proba, classes in seen:
        assert classes == [0, 1, 2]
        assert proba.shape == (4, 3)
        assert (proba[:, 1] == 0).all()
        np.testing.assert_allclose(proba.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("estimator", "y"), [(SVC(), Y), (GaussianNB(), np.full(21, -1))]
)
def test_an_oracle_gets_no_probabilities_where_there_are_none(estimator, y):
    seen = []

    def curious(rows, proba):
        seen.append(proba)
        return ask(rows)

    make_clf(estimator, oracle=curious, budget=4).fit(X, y)
    assert seen == [None]


def test_keywords_alone_and_callables_without_a_signature_get_nothing():
    def only_rows(rows, **kwargs):
        assert kwargs == {}
        return ask(rows)

    class WithoutSignature:
        __signature__ = "none"

        def __call__(self, rows):
            return ask(rows)

    for oracle in (only_rows, WithoutSignature()):
        clf = make_clf(oracle=oracle).fit(X, Y, sample_ids=np.arange(21))
        assert clf.n_queries_ == 8


def test_an_oracle_with_a_wrong_signature_leaves_no_attributes():
    clf = make_clf().fit(X, Y)
    with pytest.raises(TypeError, match="price"):
        clf.fit(X, Y, oracle=lambda X, price: ask(X))
    assert [name for name in vars(clf) if name.endswith("_")] == []


def test_a_warning_at_the_end_that_is_an_error_carries_the_labels():
    clf = make_clf(oracle=lambda X: [*ask(X)[1:], 7], budget=4, batch_size=4)
    y = np.where(np.arange(21) % 2 == 0, TRUTH, -1)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".* came late")
        with pytest.raises(UserWarning, match="came late") as caught:
            clf.fit(X, y)
    assert caught.value.indices.tolist() == clf.query_indices_.tolist()
    assert 7 in caught.value.labels


class FailsOnSix(LogisticRegression):
    def fit(self, X, y, sample_weight=None):
        if len(X) == 6:
            raise OSError("the disk is full")
        return super().fit(X, y)


def test_a_budget_that_is_spent_ends_the_run_even_if_the_teacher_fails():
    # With "random" nothing needs the model of the second round, until it is to teach
    # the final one.
    clf = make_clf(FailsOnSix(), strategy="random", unlabeled=PseudoLabels())
    with pytest.raises(OSError, match="the disk is full"):
        clf.fit(X, Y)
    assert (clf.n_queries_, clf.termination_condition_) == (8, "budget")


def test_an_answer_outside_the_closed_classes_is_refused():
    with pytest.raises(OracleError, match=r"not one of the classes \[0, 1\]"):
        make_clf(oracle=lambda X: [2] * 4, classes=[1, 0]).fit(X, Y)


def test_closed_classes_that_are_never_seen_are_no_classes_of_the_model():
    clf = make_clf(classes=[0, 1, 2]).fit(X, Y)
    assert clf.classes_.tolist() == [0, 1]
    assert clf.predict_proba(X).shape == (21, 2)


def test_the_cold_start_falls_back_to_random_where_rows_have_no_embedding():
    class ByLength(KNeighborsClassifier):
        def fit(self, X, y):
            return super().fit([[len(text)] for text in X], y)

        def predict_proba(self, X):
            return super().predict_proba([[len(text)] for text in X])

    texts = ["a" * n for n in range(1, 21)]
    clf = make_clf(ByLength(1), oracle=lambda X: [int(len(t) > 10) for t in X])
    with pytest.warns(UserWarning, match="no embedding in which distances could be"):
        clf.fit(texts, [-1] * 20)
    assert clf.n_queries_ == 8


def test_verbose_prints_a_line_for_every_round(capsys):
    make_clf(verbose=1).fit(X, Y)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "round 2: queried 4, 10 of 21 rows are labelled" in lines[1]
    make_clf().fit(X, Y)
    assert capsys.readouterr().out == ""
