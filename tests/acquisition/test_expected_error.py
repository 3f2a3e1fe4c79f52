"""Expected error reduction: plain refits, closed forms, published sequences."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from joblib import parallel_config
from scipy.optimize import minimize
from scipy.sparse import csr_matrix
from scipy.special import softmax
from scipy.stats import entropy as entropy_of
from scipy.stats import spearmanr
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_iris, make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import HashingVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.multiclass import OneVsRestClassifier
from sklearn.naive_bayes import GaussianNB, MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearningClassifier
from skactive.acquisition import ExpectedErrorReductionSampling
from skactive.acquisition.error_reduction._one_more_label import one_more_label
from skactive.acquisition.functional import expected_error
from skactive.oracles import SimulatedOracle
from skactive.testing import check_strategy, make_pool

LOSSES = {
    "log": lambda proba: entropy_of(proba, axis=1).mean(),
    "zero_one": lambda proba: (1 - proba.max(axis=1)).mean(),
}


@pytest.fixture
def anchors(test_data):
    entries = json.loads((test_data / "anchors.json").read_text())
    return {entry["id"]: entry for entry in entries}


def pool_of(estimator, n_classes=2, n=32, *, container=np.asarray, counts=False, **kw):
    """Return a pool whose candidates are every other row without a label."""
    X, y = make_classification(
        n, 6, n_informative=5, n_redundant=0, n_classes=n_classes,
        n_clusters_per_class=1, flip_y=0.1, random_state=n_classes,
    )  # fmt: skip
    if counts:
        X = np.random.default_rng(0).poisson(np.exp(X / 2)).astype(float)
    labeled = np.arange(n) % 4 == 1
    labeled[np.unique(y, return_index=True)[1]] = True
    candidates = np.flatnonzero(~labeled)[::2]
    y = np.where(labeled, y, -1)
    return make_pool(container(X), y, labeled, candidates, estimator=estimator, **kw)


def utility_by_refits(pool, loss="log", fit_and_predict=None):
    """Roy and McCallum's utility as one writes it down, for numeric dense rows."""
    if fit_and_predict is None:

        def fit_and_predict(rows, y):
            model = clone(pool.estimator).fit(pool.X[rows], y)
            return model.predict_proba(pool.X[~pool.labeled])

    utility = []
    for row, proba in zip(
        pool.candidates, pool.predict_proba(pool.candidates), strict=True
    ):
        rows = np.sort(np.append(np.flatnonzero(pool.labeled), row))
        expected = 0.0
        for k, label in enumerate(pool.classes):
            y = np.where(rows == row, label, pool.y[rows])
            expected += proba[k] * LOSSES[loss](fit_and_predict(rows, y))
        utility.append(-expected)
    return np.array(utility)


def test_expected_error_has_values_worked_out_by_hand():
    sure, torn, known = [[0.0, 1.0]], [[0.5, 0.5]], [[0.9, 0.1]]
    after = [[sure, torn], [known, known]]
    log = expected_error(after, [[0.25, 0.75], [0.5, 0.5]])
    np.testing.assert_allclose(log, [0.75 * np.log(2), 0.3250829734])
    zero_one = expected_error(after, [[0.25, 0.75], [0.5, 0.5]], loss="zero_one")
    np.testing.assert_allclose(zero_one, [0.375, 0.1])


def probabilities(*shape):
    weights = arrays(float, shape, elements=st.floats(0.0, 1.0)).map(lambda w: w + 1e-3)
    return weights.map(lambda w: w / w.sum(axis=-1, keepdims=True))


@given(probabilities(3, 4, 5, 4), probabilities(3, 4), st.permutations(range(4)))
@settings(max_examples=30, deadline=None)
def test_expected_error_equals_its_definition(after, proba, order):
    for loss, error in LOSSES.items():
        found = expected_error(after, proba, loss=loss)
        expected = [
            sum(proba[i, y] * error(after[i, y]) for y in range(4)) for i in range(3)
        ]
        np.testing.assert_allclose(found, expected, atol=1e-10)
        assert (found >= -1e-12).all()
        assert (found <= {"log": np.log(4), "zero_one": 0.75}[loss] + 1e-12).all()
        other = expected_error(
            after[:, order][:, ..., order], proba[:, order], loss=loss
        )
        np.testing.assert_allclose(other, found, atol=1e-10)


def test_what_an_impossible_class_would_do_is_not_looked_at():
    after = [[[[0.9, 0.1]], [[np.nan, np.nan]]]]
    assert expected_error(after, [[1.0, 0.0]], loss="zero_one").round(10) == 0.1


def test_an_unknown_loss_is_refused():
    with pytest.raises(ValueError, match=r"\['log', 'zero_one'\], got 'brier'"):
        expected_error([[[[1.0]]]], [[1.0]], loss="brier")


class Constant(ClassifierMixin, BaseEstimator):
    """Says 1/2 of everything."""

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


def test_a_constant_classifier_has_the_published_value(anchors):
    assert "0.5*ln(0.5)*n_classes*n_eval" in anchors["eer_constant_classifier"]["what"]
    pool = pool_of(Constant())
    n_eval = (~pool.labeled).sum()
    for loss, total in [
        ("log", 0.5 * np.log(0.5) * 2 * n_eval),
        ("zero_one", -n_eval / 2),
    ]:
        scores = ExpectedErrorReductionSampling(loss).utility(pool)
        # Published are sums over the rows; ours are means, as in the paper.
        np.testing.assert_allclose(scores * n_eval, total)


def iris_queries(n_queries, loss="log"):
    """Return the queried rows of iris, numbered as in the published sequence."""
    X, y = load_iris(return_X_y=True)
    order = np.argsort(np.arange(150) % 50 != 0, kind="stable")
    X, y, labeled, rows = X[order], y[order], np.arange(150) < 3, []
    model = OneVsRestClassifier(LogisticRegression(solver="liblinear"))
    for _ in range(n_queries):
        known = np.where(labeled, y, -1)
        pool = make_pool(X, known, labeled, np.flatnonzero(~labeled), estimator=model)
        strategy = ExpectedErrorReductionSampling(loss, max_candidates=None)
        rows.append(int(strategy.select(pool, 1)[0]))
        labeled = labeled | (np.arange(150) == rows[-1])
    return rows


@pytest.mark.reference
def test_the_rows_asked_of_iris_are_the_published_ones(anchors):
    assert iris_queries(10) == anchors["eer_iris_log_sequence"]["sequence"]


@pytest.mark.reference
def test_the_rows_asked_of_iris_are_the_published_ones_of_the_zero_one_loss(anchors):
    published = anchors["eer_iris_zero_one_sequence"]["sequence"]
    assert iris_queries(10, "zero_one") == published


@pytest.mark.parametrize("loss", ["log", "zero_one"])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_refits_are_those_of_the_next_round(n_classes, loss):
    pool = pool_of(LogisticRegression(), n_classes, n=24)
    scores = ExpectedErrorReductionSampling(loss).utility(pool)
    expected = utility_by_refits(pool, loss)
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize("loss", ["log", "zero_one"])
@pytest.mark.parametrize(
    ("estimator", "n_classes"),
    [
        (GaussianNB(), 2),
        (GaussianNB(), 5),
        (GaussianNB(var_smoothing=0.3), 3),
        (GaussianNB(priors=[0.2, 0.3, 0.5]), 3),
        (MultinomialNB(), 2),
        (MultinomialNB(alpha=0.01, fit_prior=False), 3),
        (MultinomialNB(alpha=[1, 2, 3, 1, 1, 1], class_prior=[0.1, 0.2, 0.7]), 3),
    ],
)
def test_closed_forms_equal_refits(estimator, n_classes, loss):
    counts = isinstance(estimator, MultinomialNB)
    pool = pool_of(estimator, n_classes, counts=counts)
    assert one_more_label(pool).is_fast
    scores = ExpectedErrorReductionSampling(loss).utility(pool)
    expected = utility_by_refits(pool, loss)
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-10)


def test_closed_forms_hold_where_a_class_has_one_row_and_features_differ_in_scale():
    X = np.random.default_rng(0).normal(size=(12, 3)) * [1e-4, 1.0, 1e4] + 100
    y = np.array([0, 0, 0, 1] + [-1] * 8)
    pool = make_pool(X, y, y >= 0, np.arange(4, 12), estimator=GaussianNB())
    scores = ExpectedErrorReductionSampling().utility(pool)
    np.testing.assert_allclose(scores, utility_by_refits(pool), atol=1e-8)


def test_closed_forms_work_block_by_block(monkeypatch):
    pool = pool_of(GaussianNB())
    whole = ExpectedErrorReductionSampling().utility(pool)
    monkeypatch.setattr(
        "skactive.acquisition.error_reduction._one_more_label._BLOCK_NUMBERS", 300
    )
    blocks = ExpectedErrorReductionSampling().utility(pool)
    np.testing.assert_allclose(blocks, whole, atol=1e-14)


def test_sparse_counts_give_what_dense_ones_give():
    dense = pool_of(MultinomialNB(), 3, counts=True)
    sparse = pool_of(MultinomialNB(), 3, counts=True, container=csr_matrix)
    np.testing.assert_allclose(
        ExpectedErrorReductionSampling().utility(sparse),
        ExpectedErrorReductionSampling().utility(dense),
        atol=1e-12,
    )


def test_weights_are_those_of_all_rows_the_candidate_included():
    weights = np.random.default_rng(0).uniform(0.1, 5, 40)
    pool = pool_of(GaussianNB(), n=40, fit_params={"sample_weight": weights})
    assert not one_more_label(pool).is_fast

    def fit_and_predict(rows, y):
        model = GaussianNB().fit(pool.X[rows], y, sample_weight=weights[rows])
        return model.predict_proba(pool.X[~pool.labeled])

    np.testing.assert_allclose(
        ExpectedErrorReductionSampling().utility(pool),
        utility_by_refits(pool, fit_and_predict=fit_and_predict),
        atol=1e-12,
    )


def test_semi_supervised_estimators_are_refitted_on_all_rows():
    pool = pool_of(SelfTrainingClassifier(GaussianNB()), unlabeled="pass")

    def fit_and_predict(rows, y):
        marked = np.full(len(pool.y), -1)
        marked[rows] = y
        model = clone(pool.estimator).fit(pool.X, marked)
        return model.predict_proba(pool.X[~pool.labeled])

    np.testing.assert_allclose(
        ExpectedErrorReductionSampling().utility(pool),
        utility_by_refits(pool, fit_and_predict=fit_and_predict),
        atol=1e-12,
    )


def test_a_pipeline_is_refitted_as_a_whole():
    pool = pool_of(make_pipeline(StandardScaler(), GaussianNB()))
    assert not one_more_label(pool).is_fast
    scores = ExpectedErrorReductionSampling().utility(pool)
    np.testing.assert_allclose(scores, utility_by_refits(pool), atol=1e-12)


def test_steps_that_learn_nothing_leave_the_closed_form_exact():
    pool = pool_of(make_pipeline(Normalizer(), "passthrough", GaussianNB()))
    assert one_more_label(pool).is_fast
    scores = ExpectedErrorReductionSampling().utility(pool)
    np.testing.assert_allclose(scores, utility_by_refits(pool), atol=1e-10)


@pytest.mark.parametrize("last", [GaussianNB(), DecisionTreeClassifier(random_state=0)])
def test_with_last_step_the_other_steps_stay_as_they_are(last):
    pool = pool_of(make_pipeline(StandardScaler(), last))

    def fit_and_predict(rows, y):
        Z = pool.estimator[0].transform(pool.X)
        return clone(last).fit(Z[rows], y).predict_proba(Z[~pool.labeled])

    np.testing.assert_allclose(
        ExpectedErrorReductionSampling(approximation="last_step").utility(pool),
        utility_by_refits(pool, fit_and_predict=fit_and_predict),
        atol=1e-10,
    )


@pytest.mark.parametrize("fit_intercept", [True, False])
@pytest.mark.parametrize("n_classes", [2, 3])
def test_newton_minimizes_the_expanded_loss_and_that_of_the_row(
    n_classes, fit_intercept
):
    C, skip = 0.7, 1 if n_classes == 2 else 0
    model = LogisticRegression(C=C, fit_intercept=fit_intercept, tol=1e-9)
    pool = pool_of(model, n_classes, n=24)
    fitted, Z, start = pool.estimator, pool.X, pool.estimator.coef_
    if fit_intercept:
        Z = np.column_stack([Z, np.ones(24)])
        start = np.column_stack([start, fitted.intercept_])

    def proba_of(theta, z):
        logits = z @ theta.reshape(start.shape).T
        if n_classes == 2:
            logits = np.stack([np.zeros(len(z)), logits[:, 0]], axis=1)
        return softmax(logits, axis=1)

    penalized = np.ones(start.shape)
    penalized[:, -1] = not fit_intercept
    hessian = np.diag(penalized.ravel())
    for z, p in zip(Z[pool.labeled], proba_of(start, Z[pool.labeled]), strict=True):
        p = p[skip:]
        hessian += C * np.kron(np.diag(p) - np.outer(p, p), np.outer(z, z))

    def fit_and_predict(rows, y):
        row = np.flatnonzero(pool.y[rows] == -1).item()
        k = np.flatnonzero(pool.classes == y[row]).item()

        def loss(theta):
            p, change = proba_of(theta, Z[rows[[row]]])[0], theta - start.ravel()
            gradient = hessian @ change
            gradient += C * np.kron((p - np.eye(n_classes)[k])[skip:], Z[rows[row]])
            return change @ hessian @ change / 2 - C * np.log(p[k]), gradient

        theta = minimize(loss, start.ravel(), jac=True, tol=1e-10).x
        return proba_of(theta, Z[~pool.labeled])

    np.testing.assert_allclose(
        ExpectedErrorReductionSampling(approximation="newton").utility(pool),
        utility_by_refits(pool, fit_and_predict=fit_and_predict),
        atol=1e-7,
    )


@pytest.mark.parametrize("n_classes", [2, 3])
def test_newton_ranks_much_as_refits_do(n_classes):
    pool = pool_of(LogisticRegression(), n_classes, n=100)
    exact, newton = (
        ExpectedErrorReductionSampling(approximation=a).utility(pool)
        for a in (None, "newton")
    )
    assert spearmanr(exact, newton).statistic > 0.85


@pytest.mark.parametrize(
    "estimator",
    [
        LogisticRegression(solver="liblinear"),
        LogisticRegression(class_weight="balanced"),
        LogisticRegression(C=np.inf),
        DecisionTreeClassifier(random_state=0),
    ],
)
def test_where_there_is_no_expansion_the_model_is_refitted(estimator):
    pool = pool_of(estimator)
    exact, newton = (
        ExpectedErrorReductionSampling(approximation=a, max_candidates=4).utility(pool)
        for a in (None, "newton")
    )
    np.testing.assert_array_equal(newton, exact)


def test_scikit_activeml_gives_the_same_utilities():
    peer = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is missing")
    from skactiveml.classifier import SklearnClassifier

    pool = pool_of(LogisticRegression(), n=30)
    U = ~pool.labeled
    for loss, method in [("log", "log_loss"), ("zero_one", "misclassification_loss")]:
        _, scores = peer.MonteCarloEER(method=method, random_state=0).query(
            pool.X,
            np.where(pool.labeled, pool.y, np.nan),
            SklearnClassifier(LogisticRegression(), classes=[0, 1]),
            candidates=pool.candidates,
            X_eval=pool.X[U],
            return_utilities=True,
        )
        ours = ExpectedErrorReductionSampling(loss).utility(pool) * U.sum()
        # Refits of the peer have the added row last, which changes the last digits.
        np.testing.assert_allclose(ours, scores[0][pool.candidates], rtol=1e-4)


def test_only_some_candidates_are_looked_at_and_the_others_come_last():
    pool = pool_of(LogisticRegression(), n=60)
    every = ExpectedErrorReductionSampling().utility(pool)
    scores = ExpectedErrorReductionSampling(max_candidates=6).utility(pool)
    seen = np.isclose(scores, every, rtol=0, atol=1e-12)
    assert seen.sum() == 6
    assert len(np.unique(scores[~seen])) == 1
    assert scores[~seen].max() < scores[seen].min()
    rows = ExpectedErrorReductionSampling(max_candidates=6).select(pool, 9)
    assert len(set(rows.tolist())) == 9
    assert set(pool.candidates[seen]) <= set(rows.tolist())


def test_auto_looks_at_more_candidates_where_nothing_is_fitted():
    CountingFits.n_fits = 0
    for estimator, n_different in [(CountingFits(), 101), (GaussianNB(), 109)]:
        pool = pool_of(estimator, n=293)
        assert len(pool) == 109
        scores = ExpectedErrorReductionSampling(max_targets=5).utility(pool)
        assert len(np.unique(scores)) == n_different
    assert CountingFits.n_fits == 1 + 100 * 2


class CountingFits(GaussianNB):
    """Counts fits; a subclass may fit in its own way, so it has no closed form."""

    n_fits = 0

    def fit(self, X, y):
        CountingFits.n_fits += 1
        return super().fit(X, y)


def test_classes_of_probability_zero_cost_no_fit():
    X = np.arange(8.0)[:, None]
    y = np.array([0, 0, -1, -1, -1, -1, 1, 1])
    pool = make_pool(X, y, y >= 0, np.arange(2, 6), estimator=CountingTree())
    CountingTree.n_fits = 0
    ExpectedErrorReductionSampling().utility(pool)
    assert CountingTree.n_fits == 1 + 4


class CountingTree(DecisionTreeClassifier):
    n_fits = 0

    def fit(self, X, y):
        CountingTree.n_fits += 1
        return super().fit(X, y)


def test_targets_are_drawn_among_all_rows_without_a_label():
    pool = pool_of(LogisticRegression())
    few = ExpectedErrorReductionSampling(max_targets=7).utility(pool)
    drawn = np.sort(
        np.random.default_rng(0).choice((~pool.labeled).sum(), 7, replace=False)
    )
    targets = np.flatnonzero(~pool.labeled)[drawn]

    def fit_and_predict(rows, y):
        model = LogisticRegression().fit(pool.X[rows], y)
        return model.predict_proba(pool.X[targets])

    expected = utility_by_refits(pool, fit_and_predict=fit_and_predict)
    np.testing.assert_allclose(few, expected, atol=1e-12)


@pytest.mark.slow
def test_models_that_draw_are_refitted_with_one_seed_however_many_jobs():
    forest = RandomForestClassifier(3, max_depth=3)
    strategy = ExpectedErrorReductionSampling(max_candidates=4, max_targets=10)
    first = pool_of(forest).estimator  # its trees are drawn anew in each pool
    scores = []
    for n_jobs, backend in [(1, "loky"), (2, "threading"), (2, "loky")]:
        pool = pool_of(forest, n_jobs=n_jobs)
        pool.models._estimator = first
        with parallel_config(backend=backend):
            scores.append(strategy.utility(pool))
    np.testing.assert_array_equal(scores[0], scores[1])
    np.testing.assert_array_equal(scores[0], scores[2])


@pytest.mark.parametrize("container", [np.asarray, pd.DataFrame, csr_matrix])
@pytest.mark.parametrize("estimator", [LogisticRegression(), MultinomialNB()])
def test_containers_do_not_matter(estimator, container):
    asked = [
        ExpectedErrorReductionSampling().utility(
            pool_of(estimator, counts=True, container=c)
        )
        for c in (np.asarray, container)
    ]
    np.testing.assert_allclose(asked[0], asked[1], atol=1e-4)


def test_labels_may_be_texts():
    pool = pool_of(LogisticRegression())
    names = np.array(["a", "some", ""])[pool.y]
    named = make_pool(
        pool.X, names, pool.labeled, pool.candidates, estimator=LogisticRegression()
    )
    np.testing.assert_allclose(
        ExpectedErrorReductionSampling().utility(named),
        ExpectedErrorReductionSampling().utility(pool),
    )


@pytest.mark.parametrize(
    "model",
    [
        make_pipeline(TfidfVectorizer(), LogisticRegression()),
        make_pipeline(
            HashingVectorizer(n_features=2**10, alternate_sign=False), MultinomialNB()
        ),
    ],
)
@pytest.mark.parametrize("approximation", [None, "last_step"])
def test_raw_texts_run_through_a_pipeline(model, approximation):
    texts = [f"{word} {i}" for i in range(15) for word in ("good", "bad", "so so")]
    y = np.arange(45) % 3
    strategy = ExpectedErrorReductionSampling(
        max_candidates=5, approximation=approximation
    )
    clf = ActiveLearningClassifier(
        model, oracle=SimulatedOracle(y), strategy=strategy, batch_size=2, budget=4,
        random_state=0,
    )  # fmt: skip
    known = np.where(np.arange(45) < 6, y, -1)
    assert clf.fit(texts, known, sample_ids=np.arange(45)).n_queries_ == 4


def test_texts_are_refitted_as_in_the_next_round():
    texts = np.array([f"{w} {i % 5}" for i in range(12) for w in ("a b", "b c")])
    labeled, y = np.arange(24) < 6, np.arange(24) % 2
    model = make_pipeline(TfidfVectorizer(token_pattern=r"\w"), LogisticRegression())
    pool = make_pool(
        texts.tolist(),
        np.where(labeled, y, -1),
        labeled,
        np.array([9, 20]),
        estimator=model,
    )

    def fit_and_predict(rows, y):
        return clone(model).fit(texts[rows], y).predict_proba(texts[~labeled])

    np.testing.assert_allclose(
        ExpectedErrorReductionSampling().utility(pool),
        utility_by_refits(pool, fit_and_predict=fit_and_predict),
        atol=1e-12,
    )


@pytest.mark.parametrize("n_queries", [1, 10, 100, 109])
def test_so_many_candidates_are_asked_and_none_else(n_queries):
    pool = pool_of(GaussianNB(), n=293)
    rows = ExpectedErrorReductionSampling(max_candidates=50).select(pool, n_queries)
    assert len(set(rows.tolist())) == n_queries
    assert np.isin(rows, pool.candidates).all()


def test_one_candidate_and_equal_rows_are_no_trouble():
    X, y = np.ones((8, 2)), np.array([0, 1, -1, -1, -1, -1, -1, -1])
    for candidates in ([5], [2, 4, 5, 7]):
        pool = make_pool(X, y, y >= 0, candidates, estimator=LogisticRegression())
        scores = ExpectedErrorReductionSampling().utility(pool)
        assert np.ptp(scores) < 1e-12


def test_ten_classes():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 10
    X = rng.normal(size=(60, 4)) + 3 * rng.normal(size=(10, 4))[y]
    labeled = np.arange(60) < 20
    pool = make_pool(
        X, np.where(labeled, y, -1), labeled, [33, 40, 51], estimator=GaussianNB()
    )
    scores = ExpectedErrorReductionSampling().utility(pool)
    np.testing.assert_allclose(scores, utility_by_refits(pool), atol=1e-8)


def test_it_keeps_the_contract():
    check_strategy(ExpectedErrorReductionSampling(), estimator=GaussianNB())
    few = ExpectedErrorReductionSampling("zero_one", max_candidates=3, max_targets=20)
    check_strategy(few, estimator=DecisionTreeClassifier(max_depth=2, random_state=0))


def test_a_classifier_without_probabilities_is_refused_before_anything_is_asked():
    clf = ActiveLearningClassifier(
        RidgeClassifier(), strategy="expected_error_reduction", oracle=lambda X: 1 / 0
    )
    message = "ExpectedErrorReductionSampling needs .* with predict_proba"
    with pytest.raises(ValueError, match=message):
        clf.fit(np.eye(4), [0, 1, -1, -1])


def test_a_refit_that_fails_says_whose_it_was():
    class Fickle(GaussianNB):
        def fit(self, X, y):
            if len(y) > n_labeled:
                raise RuntimeError("too many")
            return super().fit(X, y)

    pool = pool_of(Fickle(), n=40)
    n_labeled = pool.labeled.sum()
    with pytest.raises(RuntimeError, match="too many") as caught:
        ExpectedErrorReductionSampling().utility(pool)
    assert "one more label" in caught.value.__notes__[0]
