"""Budgets, rows, their order: T19 to T21, T24, T25, T30, T59, T60, T75."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.datasets import make_blobs, make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from skactive import ActiveLearningClassifier
from skactive.exceptions import ActiveLearningError
from skactive.oracles import SimulatedOracle


def test_t19_a_budget_of_zero_is_a_plain_fit(X, y, make_clf, logging_oracle):
    oracle = logging_oracle()
    clf = make_clf(oracle, budget=0).fit(X, y)
    alone = LogisticRegression().fit(X[[0, 20]], y[[0, 20]])
    np.testing.assert_array_equal(clf.predict_proba(X), alone.predict_proba(X))
    assert (oracle.n_calls, clf.n_queries_, clf.n_iter_) == (0, 0, 0)
    assert clf.termination_condition_ == "budget"


def test_t19_a_budget_of_zero_without_any_label_is_refused(X, make_clf, logging_oracle):
    oracle = logging_oracle()
    with pytest.raises(ValueError, match="no labels, and budget=0 allows"):
        make_clf(oracle, budget=0).fit(X, np.full(21, -1))
    assert oracle.n_calls == 0


@pytest.mark.parametrize(
    ("budget", "sizes"),
    [(1, [1]), (4, [4]), (7, [4, 3]), (10, [4, 4, 2]), (0.5, [4, 4, 1]), (0.01, [1])],
)
def test_t19_t20_the_budget_is_met_exactly(
    X, y, make_clf, logging_oracle, budget, sizes
):
    oracle = logging_oracle()
    clf = make_clf(oracle, budget=budget).fit(X, y)
    assert [len(batch) for batch in oracle.batches] == sizes
    assert [r["n_queried"] for r in clf.history_] == [*sizes, 0]
    assert clf.termination_condition_ == "budget"


@pytest.mark.parametrize("budget", [-1, 0.0, 1.5, "all"])
def test_t19_a_budget_that_is_none_is_refused(X, y, make_clf, logging_oracle, budget):
    oracle = logging_oracle()
    with pytest.raises(ValueError, match="'budget' parameter"):
        make_clf(oracle, budget=budget).fit(X, y)
    assert oracle.n_calls == 0


def test_t20_abstentions_count_in_the_budget(X, y, make_clf, logging_oracle):
    oracle = logging_oracle(lambda X: [None] * len(X), None)
    clf = make_clf(oracle, budget=6).fit(X, y)
    assert (oracle.n_rows, clf.n_queries_) == (6, 6)
    assert (clf.transduction_ != -1).sum() == 2 + 2


def test_t21_a_cold_start_asks_representative_rows_first(make_clf, logging_oracle):
    X, blob = make_blobs(60, centers=4, cluster_std=0.1, random_state=1)
    asked = []

    def ask(X, sample_ids):
        asked.append(sample_ids)
        return blob[sample_ids]

    clf = make_clf(ask, classes=[0, 1, 2, 3])
    clf.fit(X, np.full(60, -1), sample_ids=np.arange(60))
    assert sorted(blob[asked[0]]) == [0, 1, 2, 3]
    assert [r["strategy"] for r in clf.history_] == ["k_means", "margin", None]
    assert clf.score(X, blob) == 1.0


def test_t24_one_class_is_a_cold_start_until_there_is_another(
    X, make_clf, logging_oracle
):
    y = np.array([0] + [-1] * 20)
    oracle = logging_oracle(lambda X: [0] * len(X), lambda X: [0, 1, 0, 1], None)
    clf = make_clf(oracle, budget=12).fit(X, y)
    names = [r["strategy"] for r in clf.history_]
    assert names == ["k_means", "k_means", "margin", None]
    assert clf.classes_.tolist() == [0, 1]


def test_t24_one_class_at_the_end_is_an_error_only_if_the_estimator_raises(
    X, make_clf, logging_oracle
):
    y = np.array([0] + [-1] * 20)
    clf = make_clf(logging_oracle(lambda X: [0] * len(X)))
    with pytest.raises(
        ActiveLearningError, match="All 9 labels are of the class 0"
    ) as caught:
        clf.fit(X, y)
    assert caught.value.labels.tolist() == [0] * 8
    assert sorted(caught.value.indices) == sorted(np.flatnonzero(clf.labeled_iter_ > 0))
    assert clf.termination_condition_ == "budget"
    clf.set_params(estimator=KNeighborsClassifier(1)).fit(X, y)
    assert clf.predict(X).tolist() == [0] * 21


def test_t24_no_label_at_the_end_is_an_error(X, make_clf, logging_oracle):
    clf = make_clf(logging_oracle(lambda X: [None] * len(X)))
    with pytest.raises(ActiveLearningError, match="No row has a label, and 8 rows"):
        clf.fit(X, np.full(21, -1))
    assert clf.n_queries_ == 8


@pytest.mark.parametrize("batch_size", [5, 19, 20, 1000])
@pytest.mark.parametrize("strategy", ["margin", "random", "k_means"])
def test_t25_a_small_pool_is_asked_once(
    X, y, truth, make_clf, logging_oracle, batch_size, strategy
):
    oracle = logging_oracle()
    clf = make_clf(oracle, batch_size=batch_size, budget=None, strategy=strategy)
    clf.fit(X, y)
    assert sorted(clf.query_indices_) == list(range(1, 20))
    assert oracle.n_calls == -(-19 // batch_size)
    assert clf.termination_condition_ == "all_labeled"
    np.testing.assert_array_equal(clf.transduction_, truth)


def constant(pool):
    return np.zeros(len(pool))


@pytest.mark.parametrize("strategy", ["margin", "k_means", constant])
@pytest.mark.parametrize("values", [np.zeros((40, 3)), np.ones((40, 1))])
def test_t30_ties_are_broken_by_the_seed_alone(make_clf, strategy, values):
    y = np.array([0, 1] + [-1] * 38)

    def picks(X, **params):
        clf = make_clf(lambda X: [0, 1, 0, 1][: X.shape[0]], strategy=strategy)
        return clf.set_params(**params).fit(X, y).query_indices_.tolist()

    expected = picks(values)
    assert len(set(expected)) == 8
    assert picks(values) == picks(values, n_jobs=2) == expected
    assert picks(csr_matrix(values)) == picks(np.asfortranarray(values)) == expected
    if strategy != "k_means":
        assert picks(values, random_state=1) != expected


def test_t30_a_duplicate_of_an_asked_row_may_be_asked_but_no_row_twice(make_clf):
    X = np.repeat([[0.0], [0.4], [0.6], [1.0]], 5, axis=0)
    y = np.full(20, -1)
    y[[0, 19]] = 0, 1
    clf = make_clf(lambda X: (X[:, 0] > 0.5).astype(int), budget=None).fit(X, y)
    assert sorted(clf.query_indices_) == list(range(1, 19))


@pytest.mark.parametrize("strategy", ["margin", "entropy", "k_means", "random"])
def test_t59_memory_order_and_n_jobs_change_nothing(make_clf, strategy):
    X, truth = make_classification(200, 8, n_classes=3, n_informative=4, random_state=0)
    y = np.where(np.arange(200) < 9, truth, -1)

    def fit(X, n_jobs=None):
        clf = make_clf(lambda X, sample_ids: truth[sample_ids], strategy=strategy)
        clf.set_params(n_jobs=n_jobs, budget=20)
        return clf.fit(X, y, sample_ids=np.arange(200))

    clf = fit(X)
    for other in (fit(X, 2), fit(np.asfortranarray(X)), fit(np.hstack([X, X])[:, :8])):
        assert other.query_indices_.tolist() == clf.query_indices_.tolist()
        np.testing.assert_allclose(
            other.predict_proba(X), clf.predict_proba(X), rtol=0, atol=1e-12
        )


def test_t60_an_int_seed_gives_the_same_run_every_time(X, y, make_clf, logging_oracle):
    clf = make_clf(logging_oracle(), strategy="random")
    first = clf.fit(X, y).query_indices_.tolist()
    assert clf.fit(X, y).query_indices_.tolist() == first
    other = clf.set_params(random_state=1).fit(X, y)
    assert other.query_indices_.tolist() != first


def test_t60_a_random_state_goes_on_from_fit_to_fit(X, y, make_clf, logging_oracle):
    def two_runs(random_state):
        clf = make_clf(logging_oracle(), strategy="random", random_state=random_state)
        return [clf.fit(X, y).query_indices_.tolist() for _ in range(2)]

    runs = two_runs(np.random.RandomState(0))
    assert runs[0] != runs[1]
    assert two_runs(np.random.RandomState(0)) == runs
    assert len(two_runs(None)) == 2


def test_t60_a_generator_is_refused_as_everywhere_in_scikit_learn(
    X, y, make_clf, logging_oracle
):
    oracle = logging_oracle()
    with pytest.raises(ValueError, match="'random_state' parameter"):
        make_clf(oracle, random_state=np.random.default_rng(0)).fit(X, y)
    assert oracle.n_calls == 0


def sorted_copies(n_samples, seed):
    """Few different rows, many copies of each, and unrelated labels, sorted."""
    rng = np.random.default_rng(seed)
    X, truth = rng.integers(0, 3, (n_samples, 3)), rng.random(n_samples) < 0.3
    order = np.argsort(truth, kind="stable")
    return X[order], truth[order].astype(int)


@pytest.mark.parametrize("strategy", ["margin", "auto", "k_center", "typiclust"])
def test_t75_a_sorted_file_of_copies_is_asked_in_all_of_its_classes(strategy):
    shares = []
    for seed in range(4):
        X, truth = sorted_copies(600, seed)
        clf = ActiveLearningClassifier(
            LogisticRegression(),
            oracle=SimulatedOracle(truth),
            strategy=strategy,
            batch_size=20,
            budget=80,
            random_state=seed,
        ).fit(X, np.full(600, -1), sample_ids=np.arange(600))
        shares.append(truth[clf.query_indices_].mean())
    # 30% of 320 labels, give or take four deviations.
    assert abs(np.mean(shares) - 0.3) < 0.103


@pytest.mark.slow
@pytest.mark.parametrize("strategy", ["margin", "auto"])
def test_a_sorted_and_a_shuffled_file_do_equally_well(strategy):
    differences = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X = rng.integers(0, 3, (2000, 3))
        truth = (X.sum(axis=1) + rng.normal(size=2000) > 4).astype(int)
        scores = []
        for order in (np.argsort(truth, kind="stable"), rng.permutation(2000)):
            clf = ActiveLearningClassifier(
                LogisticRegression(),
                oracle=SimulatedOracle(truth[order]),
                strategy=strategy,
                initial_strategy="random",
                batch_size=20,
                budget=80,
                random_state=seed,
            ).fit(X[order], np.full(2000, -1), sample_ids=np.arange(2000))
            scores.append(np.mean(clf.predict(X) == truth))
        differences.append(scores[1] - scores[0])
    error = np.std(differences, ddof=1) / np.sqrt(len(differences))
    assert abs(np.mean(differences)) < max(3.5 * error, 0.005)
