"""Pseudo-labels: who gets one, for how long, and that nobody takes them for labels."""

import tracemalloc

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from skactive import ActiveLearningClassifier, LabelingLoop, PseudoLabels
from skactive.exceptions import ActiveLearningError
from skactive.model_selection import LabeledFold
from skactive.plotting._curve import replay
from skactive.testing import make_pool

X, TRUTH = make_blobs(120, centers=3, cluster_std=2.0, random_state=3)
GIVEN = np.unique(TRUTH, return_index=True)[1]
Y = np.where(np.isin(np.arange(120), GIVEN), TRUTH, -1)
IDS = np.arange(120)


class Sigmoid(LogisticRegression):
    """Has learnt P(1) = 1 / (1 + exp(-x)) whatever it is fitted on, which it keeps."""

    seen = []

    def fit(self, X, y, sample_weight=None):
        self.seen.append((X[:, 0].tolist(), y.tolist(), sample_weight))
        self.classes_ = np.unique(y)
        self.coef_, self.intercept_ = np.array([[1.0]]), np.array([0.0])
        return self


class Spy(LogisticRegression):
    """Keeps what it is fitted on."""

    seen = []

    def fit(self, X, y, sample_weight=None):
        self.seen.append((X, y, sample_weight))
        return super().fit(X, y, sample_weight)


# The entropy of the probabilities 1 / (1 + exp(x)) and 1 / (1 + exp(-x)) is 0.6931 at
# x = 0, 0.1985 at 3, 0.0902 at 4, 0.0402 at 5 and 0.0173 at 6.
LINE = np.array([[-6.0], [-5.0], [-4.0], [-1.0], [1.0], [3.0], [4.0], [5.0], [6.0]])
Y_LINE = np.array([-1, -1, -1, 0, 1, -1, -1, -1, -1])


@pytest.fixture(autouse=True)
def forget():
    Sigmoid.seen = []
    Spy.seen = []


def learner(estimator=None, **params):
    defaults = {
        "unlabeled": PseudoLabels(0.3, decay=0.05),
        "batch_size": 4,
        "budget": 20,
        "random_state": 0,
    }
    estimator = LogisticRegression() if estimator is None else estimator
    return ActiveLearningClassifier(estimator, **defaults | params)


def run(clf, X=X, y=Y, **params):
    def ask(X, sample_ids):
        return TRUTH[sample_ids]

    return clf.fit(X, y, oracle=ask, sample_ids=IDS[: len(y)], **params)


def line_pool(**params):
    labeled = Y_LINE != -1
    params = {"unlabeled": PseudoLabels(), "estimator": Sigmoid()} | params
    candidates = params.pop("candidates", np.flatnonzero(~labeled))
    return make_pool(LINE, Y_LINE, labeled, candidates, **params)


def trained_on(pool):
    X, y, _ = pool.models.training_data()
    return X[:, 0].tolist(), y.tolist()


def test_rows_below_the_threshold_join_in_the_order_of_X():
    # Rows 0 and 1 (class 0), 7 and 8 (class 1) are below 0.05.
    assert trained_on(line_pool()) == ([-6, -5, -1, 1, 5, 6], [0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize(
    ("threshold", "decay", "round", "joined"),
    [
        (0.03, 0.0, 1, [-6, 6]),
        (0.03, 0.0, 9, [-6, 6]),
        (0.1, 0.0, 1, [-6, -5, -4, 4, 5, 6]),
        (0.1, 0.03, 2, [-6, -5, 5, 6]),  # 0.07
        (0.1, 0.03, 4, []),  # 0.01
        (0.1, 0.03, 9, []),  # not below 0
        (0.0, 0.0, 1, []),
        (10.0, 0.0, 1, [-6, -5, -4, 3, 4, 5, 6]),
    ],
)
def test_the_threshold_decays_with_the_rounds(threshold, decay, round, joined):
    pool = line_pool(unlabeled=PseudoLabels(threshold, decay), round=round)
    rows, labels = trained_on(pool)
    assert rows == sorted([-1, 1, *joined])
    assert labels == [int(x > 0) for x in rows]
    assert pool.models.n_pseudo_labeled == len(joined)


def test_the_default_threshold_is_that_of_the_paper():
    assert PseudoLabels().threshold_in(1) == 0.05
    assert PseudoLabels().threshold_in(3) == pytest.approx(0.0434)
    assert PseudoLabels().threshold_in(17) == 0


def test_confidence_is_an_entropy_in_nats():
    proba = [[1.0, 0.0], [0.9, 0.1], [0.5, 0.5]]  # 0, 0.3251 and 0.6931
    for threshold, confident in [(0.32, 1), (0.33, 2), (0.69, 2), (0.7, 3)]:
        mask = PseudoLabels(threshold).is_confident(proba)
        assert mask.tolist() == [True] * confident + [False] * (3 - confident)


def test_only_candidates_get_a_predicted_label():
    rows, _ = trained_on(line_pool(candidates=np.array([2, 5, 8])))
    assert rows == [-1, 1, 6]


def test_a_block_is_trained_on_what_the_whole_pool_is_trained_on():
    pool = line_pool(block_size=2)
    _, block = next(iter(pool.blocks()))
    assert len(block) < len(pool)
    assert trained_on(block) == trained_on(line_pool())


def test_a_teacher_predicts_where_there_is_one():
    flipped = Sigmoid().fit(LINE, np.array([1, 0, 1, 0, 1, 0, 1, 0, 1]))
    flipped.coef_ = -flipped.coef_
    rows, labels = trained_on(line_pool(teacher=flipped))
    assert (rows, labels) == ([-6, -5, -1, 1, 5, 6], [1, 1, 0, 1, 0, 0])


def test_a_class_that_the_teacher_does_not_know_is_none_of_its_predictions():
    y = Y_LINE.copy()
    y[2] = 2
    teacher = Sigmoid().fit(LINE, np.arange(9) % 2)
    labeled = y != -1
    pool = make_pool(
        LINE,
        y,
        labeled,
        np.flatnonzero(~labeled),
        estimator=LogisticRegression(),
        unlabeled=PseudoLabels(),
        teacher=teacher,
    )
    expected = [-6, -5, -4, -1, 1, 5, 6], [0, 0, 2, 0, 1, 1, 1]
    assert trained_on(pool) == expected
    assert pool.estimator.classes_.tolist() == [0, 1, 2]


def brute_force(X, y, pseudo, *, batch_size, n_rounds):
    """Run the method of the paper, as it is written; return models and rows asked."""
    y, asked, models = y.copy(), [], []
    teacher = None
    for t in range(n_rounds + 1):
        labeled = y != -1
        if teacher is None:
            teacher = LogisticRegression().fit(X[labeled], y[labeled])
        trained = y.copy()
        for row in np.flatnonzero(~labeled):
            (p,) = teacher.predict_proba(X[[row]])
            if -np.sum(p * np.log(p)) < pseudo.threshold - pseudo.decay * t:
                trained[row] = teacher.classes_[p.argmax()]
        known = trained != -1
        teacher = LogisticRegression().fit(X[known], trained[known])
        models.append((teacher, int(known.sum() - labeled.sum())))
        if t < n_rounds:
            p = np.sort(teacher.predict_proba(X), axis=1)
            gap = np.where(labeled, np.inf, p[:, -1] - p[:, -2])
            rows = np.argsort(gap)[:batch_size]
            asked += rows.tolist()
            y[rows] = TRUTH[rows]
    return models, asked


def test_a_run_is_the_method_of_the_paper():
    pseudo = PseudoLabels(0.4, decay=0.06)
    models, asked = brute_force(X, Y, pseudo, batch_size=4, n_rounds=5)
    seen = []

    def look(pool):
        seen.append((pool.estimator.coef_, pool.models.n_pseudo_labeled))

    clf = run(learner(unlabeled=pseudo, stopping=look))
    assert clf.query_indices_.tolist() == asked
    counts = [n for _, n in models]
    assert counts[0] > 0
    assert len(set(counts)) > 3
    assert [r["n_pseudo_labeled"] for r in clf.history_] == counts
    for (model, n), (coef, n_seen) in zip(models, seen, strict=False):
        np.testing.assert_allclose(coef, model.coef_, rtol=1e-10)
        assert n_seen == n
    np.testing.assert_allclose(clf.estimator_.coef_, models[-1][0].coef_, rtol=1e-10)


def test_pseudo_labels_are_never_recorded():
    seen = []

    def look(pool):
        assert pool.models.n_pseudo_labeled == 0 or pool.models.is_fitted
        assert (pool.y[~pool.labeled] == -1).all()
        assert (pool.labeled_iter[~pool.labeled] == -1).all()
        assert not pool.labeled[pool.candidates].any()
        seen.append((int(pool.labeled.sum()), len(pool)))

    clf = run(learner(unlabeled=PseudoLabels(10.0, decay=0), stopping=look))
    assert seen == [(3 + 4 * k, 117 - 4 * k) for k in range(5)]
    assert clf.history_[-1]["n_pseudo_labeled"] == 97  # all the others
    assert [r["n_labeled"] for r in clf.history_] == [3, 7, 11, 15, 19, 23]
    assert ((clf.transduction_ != -1) == (clf.labeled_iter_ >= 0)).all()
    assert (clf.transduction_ != -1).sum() == 23
    assert (clf.transduction_ == TRUTH).sum() == 23


def test_rows_are_put_back_and_may_be_asked_later():
    clf = run(learner(strategy="random", unlabeled=PseudoLabels(10.0, 0), budget=None))
    assert clf.termination_condition_ == "all_labeled"
    assert (clf.transduction_ == TRUTH).all()
    alone = LogisticRegression().fit(X, TRUTH)
    np.testing.assert_allclose(clf.estimator_.coef_, alone.coef_)


def test_a_threshold_of_zero_ignores_the_unlabelled():
    plain = run(learner(unlabeled="ignore"))
    none = run(learner(unlabeled=PseudoLabels(0.0)))
    assert none.query_indices_.tolist() == plain.query_indices_.tolist()
    np.testing.assert_array_equal(none.estimator_.coef_, plain.estimator_.coef_)
    assert {r["n_pseudo_labeled"] for r in none.history_} == {0}
    assert "n_pseudo_labeled" not in plain.history_[0]


def test_rows_without_an_answer_get_no_predicted_label_any_more():
    def ask(X, sample_ids):
        return [None] * len(X)

    clf = learner(Spy(), unlabeled=PseudoLabels(10.0, 0), budget=8)
    with pytest.warns(UserWarning, match="abstained"):
        clf.fit(X, Y, oracle=ask, sample_ids=IDS)
    final = Spy.seen[-1][0]
    assert len(final) == 120 - 8
    assert not (final[:, None] == X[clf.query_indices_]).all(axis=2).any()


def test_held_out_rows_get_no_predicted_label():
    clf = learner(
        Spy(), unlabeled=PseudoLabels(10.0, 0), holdout_fraction=0.4, budget=20
    )
    run(clf)
    held = X[clf.holdout_indices_]
    assert len(held) == 8
    *rounds, final = [rows for rows, *_ in Spy.seen]
    for rows in rounds:
        assert not (rows[:, None] == held).all(axis=2).any()
    # They teach nobody: the strategy begins with a model of the labelled rows. The last
    # but one is the model that they test.
    assert [len(rows) for rows in rounds] == [3, 112, 3, 112, 112, 112, 112]
    # The final fit has their true labels.
    where = (final[:, None] == held).all(axis=2).argmax(axis=0)
    assert Spy.seen[-1][1][where].tolist() == TRUTH[clf.holdout_indices_].tolist()
    assert len(final) == 120


def test_who_looks_at_a_model_does_not_change_the_next_one():
    params = {"strategy": "random", "unlabeled": PseudoLabels(0.4, 0)}
    plain = run(learner(**params))

    def look(pool):
        pool.estimator  # noqa: B018

    looked = run(learner(stopping=look, **params))
    np.testing.assert_array_equal(looked.estimator_.coef_, plain.estimator_.coef_)

    def ask(X, sample_ids, proba):
        return TRUTH[sample_ids]

    shown = learner(**params).fit(X, Y, oracle=ask, sample_ids=IDS)
    np.testing.assert_array_equal(shown.estimator_.coef_, plain.estimator_.coef_)


def test_a_loop_that_is_finished_early_equals_a_run_with_that_budget():
    loop = LabelingLoop(learner(), X, Y, sample_ids=IDS)
    for _ in range(2):
        loop.tell(TRUTH[loop.ask().indices])
    early, again = loop.finish(), loop.finish()
    short = run(learner(budget=8))
    np.testing.assert_array_equal(early.estimator_.coef_, short.estimator_.coef_)
    np.testing.assert_array_equal(again.estimator_.coef_, short.estimator_.coef_)
    query = loop.ask()
    loop.tell(TRUTH[query.indices[1:]], indices=query.indices[1:])
    loop.tell(TRUTH[query.indices[:1]])
    while (query := loop.ask()) is not None:
        loop.tell(TRUTH[query.indices])
    whole = run(learner())
    assert loop.finish().query_indices_.tolist() == whole.query_indices_.tolist()
    np.testing.assert_array_equal(
        loop.finish().estimator_.coef_, whole.estimator_.coef_
    )


def test_in_the_middle_of_a_round_its_own_model_predicts():
    looked = []
    clf = learner(stopping=lambda pool: looked.append(pool.estimator))
    loop = LabelingLoop(clf, X, Y, sample_ids=IDS)
    loop.tell(TRUTH[loop.ask().indices])
    rows = loop.ask().indices
    loop.tell(TRUTH[rows[:1]], indices=rows[:1])
    early = loop.finish()
    assert early.history_[-1]["n_labeled"] == 3 + 4 + 1
    labeled, asked = early.labeled_iter_ >= 0, np.isin(IDS, rows)
    pool = make_pool(
        X,
        early.transduction_,
        labeled,
        np.flatnonzero(~(labeled | asked)),
        estimator=LogisticRegression(),
        unlabeled=clf.unlabeled,
        teacher=looked[1],
        round=2,
    )
    np.testing.assert_array_equal(early.estimator_.coef_, pool.estimator.coef_)


@pytest.mark.parametrize("marker", [-1, 7, None, np.nan, "?"])
@pytest.mark.parametrize("dtype", [object, None])
def test_any_marker_and_classes_that_are_strings(marker, dtype):
    names = np.array(["ash", "birch", "oak tree"])
    if marker in (-1, 7):
        marker = str(marker)
    y = np.where(Y == -1, marker, names[TRUTH].astype(object)).astype(object)
    if dtype is None and marker == marker and marker is not None:
        y = y.astype(str)
    clf = learner(missing_label=marker).fit(
        X, y, oracle=lambda X, sample_ids: names[TRUTH[sample_ids]], sample_ids=IDS
    )
    numbers = run(learner())
    assert clf.query_indices_.tolist() == numbers.query_indices_.tolist()
    assert clf.predict(X).tolist() == names[numbers.predict(X)].tolist()
    assert clf.history_[-1]["n_pseudo_labeled"] > 0


@pytest.mark.parametrize("marker", [-1, None, np.nan, 7])
def test_any_marker_and_classes_that_are_numbers(marker):
    y = np.array([marker if label == -1 else label for label in Y], dtype=object)
    clf = run(learner(Spy(), missing_label=marker), y=y)
    assert {labels.dtype.kind for _, labels, _ in Spy.seen} == {"i"}
    assert clf.query_indices_.tolist() == run(learner()).query_indices_.tolist()


def test_minus_one_may_be_a_class():
    truth = np.where(TRUTH == 0, -1, 1)
    y = np.where(Y == -1, np.nan, truth)
    clf = learner(missing_label=None).fit(
        X, y, oracle=lambda X, sample_ids: truth[sample_ids], sample_ids=IDS
    )
    assert clf.classes_.tolist() == [-1, 1]
    assert clf.history_[-1]["n_pseudo_labeled"] > 0


@config_context(enable_metadata_routing=True)
def test_weights_are_cut_to_the_rows_that_are_trained_on():
    clf = learner(Spy().set_fit_request(sample_weight=True))
    run(clf.set_fit_request(sample_ids=True), sample_weight=X[:, 0] + 20)
    assert max(len(rows) for rows, *_ in Spy.seen) > 23
    for rows, _, weights in Spy.seen:
        np.testing.assert_allclose(weights, rows[:, 0] + 20)


@config_context(enable_metadata_routing=True)
def test_weights_of_the_members_of_a_committee_are_cut_too():
    clf = learner(
        Spy().set_fit_request(sample_weight=True), committee=3, strategy="vote_entropy"
    )
    run(clf.set_fit_request(sample_ids=True), sample_weight=X[:, 0] + 20)
    for rows, _, weights in Spy.seen:
        np.testing.assert_allclose(weights, rows[:, 0] + 20)


def test_members_bootstrap_the_labelled_rows_and_get_all_the_others():
    class Member(Spy):
        seen = []

    labeled = Y_LINE != -1
    pool = line_pool(committee=[("a", Member()), ("b", Member())])
    pool.committee  # noqa: B018
    assert len(Member.seen) == 2
    for rows, labels, _ in Member.seen:
        assert set(rows[:2, 0]) == set(LINE[labeled, 0])
        assert rows[2:, 0].tolist() == [-6, -5, 5, 6]
        assert labels[2:].tolist() == [0, 0, 1, 1]


def test_committees_have_classes_that_are_strings():
    names = np.array(["a", "b", "c"], dtype=object)
    y = np.where(Y == -1, None, names[TRUTH])
    clf = learner(strategy="bald", committee=3, missing_label=None).fit(
        X, y, oracle=lambda X, sample_ids: names[TRUTH[sample_ids]], sample_ids=IDS
    )
    assert clf.committee_.classes_.tolist() == ["a", "b", "c"]


def test_an_ensemble_is_a_committee_with_pseudo_labels_too():
    forest = RandomForestClassifier(5, random_state=0)
    clf = run(learner(forest, strategy="vote_entropy"))
    assert clf.committee_ is not None
    assert clf.history_[-1]["n_pseudo_labeled"] > 0


@pytest.mark.parametrize("oracle", [None, lambda X: [0] * len(X)])
def test_an_estimator_without_probabilities_is_refused_before_payment(oracle):
    calls = []
    clf = learner(LinearSVC(), oracle=oracle and calls.append)
    with pytest.raises(ValueError, match=r"needs predict_proba.*LinearSVC"):
        clf.fit(X, Y)
    assert calls == []


@pytest.mark.parametrize(
    "pseudo", [PseudoLabels(-1), PseudoLabels(decay=-0.1), PseudoLabels("low")]
)
def test_wrong_parameters_are_refused_before_payment(pseudo):
    calls = []
    with pytest.raises(ValueError, match="parameter of PseudoLabels must be"):
        learner(unlabeled=pseudo, oracle=calls.append).fit(X, Y)
    assert calls == []


@pytest.mark.parametrize("wrong", ["drop", PseudoLabels, None])
def test_other_values_are_refused(wrong):
    with pytest.raises(ValueError, match="'unlabeled' parameter"):
        run(learner(unlabeled=wrong))


def test_texts_in_a_pipeline():
    texts = ["good fine day"] * 30 + ["bad dark night"] * 30
    truth = np.repeat(["day", "night"], 30)
    y = np.full(60, None)
    y[[0, 59]] = truth[[0, 59]]
    clf = ActiveLearningClassifier(
        make_pipeline(CountVectorizer(), LogisticRegression()),
        oracle=lambda X: ["day" if "good" in text else "night" for text in X],
        unlabeled=PseudoLabels(0.69, decay=0),
        missing_label=None,
        batch_size=2,
        budget=4,
    ).fit(texts, y)
    assert clf.history_[-1]["n_pseudo_labeled"] == 60 - 6
    assert clf.predict(texts).tolist() == truth.tolist()


def test_sparse_rows_and_dense_ones_teach_the_same():
    dense = run(learner())
    sparse = run(learner(), csr_matrix(X))
    assert sparse.query_indices_.tolist() == dense.query_indices_.tolist()
    np.testing.assert_allclose(sparse.estimator_.coef_, dense.estimator_.coef_)


def test_without_an_oracle_it_is_one_round_of_self_training():
    with pytest.warns(UserWarning, match="no oracle"):
        clf = learner(unlabeled=PseudoLabels(0.3)).fit(X, Y)
    pool = make_pool(
        X,
        Y,
        Y != -1,
        np.flatnonzero(Y == -1),
        estimator=LogisticRegression(),
        unlabeled=PseudoLabels(0.3),
    )
    np.testing.assert_array_equal(clf.estimator_.coef_, pool.estimator.coef_)
    assert clf.history_[-1]["n_pseudo_labeled"] > 0


def test_a_model_of_one_class_predicts_nothing():
    y = np.where(np.arange(120) < 3, 0, -1)
    clf = learner(GaussianNB(), strategy="random", budget=4)
    with pytest.warns(UserWarning, match="abstained"):
        clf.fit(X, y, oracle=lambda X: [None] * len(X))
    assert clf.history_[-1]["n_pseudo_labeled"] == 0


def test_all_labelled_is_a_plain_fit():
    clf = learner(LinearSVC()).fit(X, TRUTH)
    alone = LinearSVC().fit(X, TRUTH)
    np.testing.assert_array_equal(clf.estimator_.coef_, alone.coef_)


def test_a_teacher_that_cannot_be_fitted_keeps_the_labels():
    class Fragile(LogisticRegression):
        def fit(self, X, y):
            if len(y) > 7:
                raise RuntimeError("too much")
            return super().fit(X, y)

    clf = learner(Fragile(), strategy="random", unlabeled=PseudoLabels(1e-9))
    with pytest.raises(ActiveLearningError, match="too much") as caught:
        run(clf)
    # The model of 11 labels is needed when the round after it begins.
    assert len(caught.value.labels) == 12
    assert (clf.transduction_ != -1).sum() == 15


def test_a_search_tries_it_and_its_parameters():
    y = np.where(np.arange(120) % 3 == 0, TRUTH, -1)
    answers = {tuple(row): label for row, label in zip(X, TRUTH, strict=True)}
    clf = learner(budget=4, oracle=lambda X: [answers[tuple(row)] for row in X])
    grid = [
        {"unlabeled": ["ignore", PseudoLabels()]},
        {"unlabeled": [PseudoLabels()], "unlabeled__threshold": [0.0, 0.5]},
    ]
    search = GridSearchCV(clf, grid, cv=LabeledFold(2), error_score="raise").fit(X, y)
    assert len(search.cv_results_["params"]) == 4
    used = [p.get("unlabeled__threshold") for p in search.cv_results_["params"]]
    assert used == [None, None, 0.0, 0.5]


def test_it_is_cloned_and_shown_like_any_parameter():
    clf = learner(unlabeled=PseudoLabels(0.2))
    copy = clone(clf)
    assert copy.unlabeled is not clf.unlabeled
    assert copy.get_params()["unlabeled__threshold"] == 0.2
    assert copy.set_params(unlabeled__decay=0.5).unlabeled.decay == 0.5
    assert clf.unlabeled.decay == 0.0033
    assert repr(PseudoLabels(0.2)) == "PseudoLabels(threshold=0.2)"
    assert "PseudoLabels(threshold=0.2)" in repr(clf)


@pytest.mark.parametrize("n_jobs", [1, 2])
@pytest.mark.slow
def test_the_number_of_jobs_does_not_change_what_is_asked(n_jobs):
    params = {"strategy": "vote_entropy", "committee": 3, "budget": 8}
    alone = run(learner(**params)).query_indices_
    assert run(learner(n_jobs=n_jobs, **params)).query_indices_.tolist() == (
        alone.tolist()
    )


def test_rows_are_predicted_in_blocks():
    X = np.random.default_rng(0).normal(size=(60_000, 4))
    labeled = np.arange(60_000) < 20
    y = np.where(labeled, (X[:, 0] > 0).astype(int), -1)
    sizes = []

    class Counting(GaussianNB):
        def predict_proba(self, X):
            sizes.append(len(X))
            return super().predict_proba(X)

    pool = make_pool(
        X,
        y,
        labeled,
        np.flatnonzero(~labeled),
        estimator=Counting(),
        unlabeled=PseudoLabels(1e-9),
        block_size=2_000,
    )
    tracemalloc.start()
    pool.models.training_data()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert max(sizes) <= 2_000
    assert peak < 0.8 * X.nbytes


def test_a_replayed_curve_goes_through_the_models_of_the_run():
    clf = learner(unlabeled=PseudoLabels(0.4, decay=0.06))
    models = []

    def look(pool):
        models.append(pool.estimator)

    run(clf.set_params(stopping=look))
    n_labeled, scores = replay(clf, X, X, TRUTH)
    assert n_labeled.tolist() == [3, 7, 11, 15, 19, 23]
    expected = [model.score(X, TRUTH) for model in models] + [clf.score(X, TRUTH)]
    np.testing.assert_allclose(scores, expected)
