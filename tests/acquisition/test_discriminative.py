"""Rows told from the labelled ones: picks by hand, by a loop, and by a peer."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearningClassifier, testing
from skactive.acquisition import DiscriminativeSampling
from skactive.acquisition.functional import discriminative
from skactive.testing import check_strategy


def random_rows(seed, n=60, n_labeled=12):
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 4))
    return X, np.isin(np.arange(n), rng.choice(n, n_labeled, replace=False))


def by_definition(X, labeled, n_queries, n_sub_batches):
    """Refit, take the rows that are surest to be unlabelled, move them over."""
    known, chosen = set(np.flatnonzero(labeled)), []
    for part in np.array_split(np.arange(n_queries), n_sub_batches):
        y = [int(i not in known) for i in range(len(X))]
        model = LogisticRegression(C=0.1, class_weight="balanced").fit(X, y)
        p = model.predict_proba(X)[:, 1]
        others = sorted(set(range(len(X))) - known, key=lambda i: -p[i])
        chosen += others[: len(part)]
        known |= set(others[: len(part)])
    return [int(i) for i in chosen]


def make_pool(X, known=(), asked=(), seed=0):
    labeled, asked = (np.isin(np.arange(len(X)), rows) for rows in (known, asked))
    return testing.make_pool(
        X,
        np.where(labeled, 0, -1),
        labeled,
        np.flatnonzero(~(labeled | asked)),
        estimator=LogisticRegression(),
        asked=asked,
        can_fit=False,
        random_state=seed,
    )


def test_the_row_that_is_unlike_the_labelled_ones_is_chosen():
    X = [[0.0], [0.1], [0.2], [5.0], [0.15]]
    assert discriminative(X, [1, 1, 0, 0, 0], 1).tolist() == [3]


def test_with_sub_batches_the_second_row_lies_on_the_other_side():
    X = np.array([[0.0], [10.0], [9.9], [-8.0], [0.1]])
    labeled = [True, False, False, False, True]
    assert discriminative(X, labeled, 2, n_sub_batches=1).tolist() == [1, 2]
    assert discriminative(X, labeled, 2, n_sub_batches=2).tolist() == [1, 3]


@pytest.mark.parametrize(("n_queries", "n_sub_batches"), [(1, 1), (10, 3), (10, 10)])
def test_choices_equal_the_definition(n_queries, n_sub_batches):
    model = LogisticRegression(C=0.1, class_weight="balanced")
    for seed in range(5):
        X, labeled = random_rows(seed)
        chosen = discriminative(
            X, labeled, n_queries, estimator=model, n_sub_batches=n_sub_batches
        )
        expected = by_definition(X, labeled, n_queries, n_sub_batches)
        assert chosen.tolist() == expected


def test_scikit_activeml_chooses_the_same_rows():
    peer = pytest.importorskip("skactiveml.pool", reason="scikit-activeml is missing")
    from skactiveml.classifier import SklearnClassifier

    model = LogisticRegression(class_weight="balanced")
    X, labeled = random_rows(0)
    theirs = peer.DiscriminativeAL(random_state=0).query(
        X,
        np.where(labeled, 0, np.nan),
        discriminator=SklearnClassifier(model, classes=[0, 1]),
        batch_size=6,
    )
    ours = discriminative(X, labeled, 6, estimator=model, n_sub_batches=6)
    assert ours.tolist() == theirs.tolist()


def test_the_default_weighs_few_labelled_rows_like_all_others():
    def on_scaled(class_weight):
        model = LogisticRegression(class_weight=class_weight)
        return make_pipeline(StandardScaler(), model)

    X, labeled = random_rows(0, n=200, n_labeled=6)
    default, balanced, plain = (
        discriminative(X * [1, 10, 100, 1], labeled, 10, estimator=estimator).tolist()
        for estimator in (None, on_scaled("balanced"), on_scaled(None))
    )
    assert default == balanced != plain


def test_the_order_of_rows_does_not_matter():
    X, labeled = random_rows(3)
    order = np.random.default_rng(0).permutation(len(X))
    chosen = discriminative(X[order], labeled[order], 8)
    assert order[chosen].tolist() == discriminative(X, labeled, 8).tolist()


def test_dense_sparse_and_float32_rows_give_the_same_choice():
    X, labeled = random_rows(4)
    dense = discriminative(X, labeled, 8)
    assert discriminative(csr_matrix(X), labeled, 8).tolist() == dense.tolist()
    assert discriminative(X.astype(np.float32), labeled, 8).tolist() == dense.tolist()


def test_far_from_the_origin_the_choice_is_the_same():
    X, labeled = random_rows(5)
    shifted = discriminative(X + 1000.0, labeled, 5)
    assert shifted.tolist() == discriminative(X, labeled, 5).tolist()


def test_a_classifier_without_decision_function_serves_too():
    X = np.repeat([[0.0], [7.0]], 20, axis=0) + np.linspace(0, 1, 40)[:, None]
    forest = RandomForestClassifier(30, class_weight="balanced")
    # Those without a label near 0 lie between labelled ones.
    labeled = (np.arange(40) < 20) & (np.arange(40) % 2 == 0)
    first, second = (
        discriminative(X, labeled, 4, estimator=forest, random_state=1)
        for _ in range(2)
    )
    assert first.tolist() == second.tolist()
    assert (first >= 20).all()


def test_equal_rows_are_chosen_by_the_seed():
    X, labeled = np.ones((30, 2)), np.arange(30) < 5
    chosen = [
        discriminative(X, labeled, 6, random_state=seed).tolist() for seed in (0, 0, 1)
    ]
    assert chosen[0] == chosen[1] != chosen[2]
    assert len(set(chosen[0]) - set(range(5))) == 6


@pytest.mark.parametrize("n_queries", [1, 10, 48])
def test_all_that_is_left_can_be_chosen(n_queries):
    X, labeled = random_rows(6)
    chosen = discriminative(X, labeled, n_queries)
    assert len(set(chosen.tolist())) == n_queries
    assert not labeled[chosen].any()


def test_more_than_is_left_is_an_error():
    with pytest.raises(ValueError, match="at most 1"):
        discriminative([[0.0], [1.0]], [True, False], 2)


def test_without_any_label_the_first_row_is_random_and_the_others_follow():
    X = np.array([[0.0], [0.1], [9.0], [9.1]])
    rows = [DiscriminativeSampling().select(make_pool(X, seed=s), 2) for s in range(8)]
    assert len({int(first) for first, _ in rows}) > 1
    assert all(abs(X[a] - X[b]) > 8 for a, b in rows)


def test_asked_rows_without_an_answer_count_as_labelled():
    X = np.array([[5.0], [0.0], [0.1], [0.2], [5.1], [-3.0], [5.05]])
    pick = DiscriminativeSampling().select
    assert pick(make_pool(X, known=[1, 2]), 1).tolist() == [4]
    assert pick(make_pool(X, known=[1, 2], asked=[0, 4]), 1).tolist() == [5]


@pytest.mark.slow
@pytest.mark.parametrize("estimator", [None, RandomForestClassifier(2)])
def test_the_strategy_keeps_its_contract(estimator):
    check_strategy(DiscriminativeSampling(estimator, n_sub_batches=3))


def test_one_candidate():
    pool = make_pool(np.arange(3.0)[:, None], known=[0, 2])
    assert DiscriminativeSampling().select(pool, 1).tolist() == [1]


def test_it_begins_and_goes_on_with_raw_text():
    texts = [f"{a} {b}" for a in "good bad fine poor odd".split() for b in "abcdefgh"]
    truth = np.repeat([1, 0, 1, 0, 1], 8)
    clf = ActiveLearningClassifier(
        make_pipeline(TfidfVectorizer(token_pattern=r"\w+"), LogisticRegression()),
        oracle=lambda X, sample_ids: truth[sample_ids],
        strategy="discriminative",
        initial_strategy="discriminative",
        batch_size=5,
        budget=15,
        random_state=0,
    )
    clf.fit(texts, np.full(40, -1), sample_ids=np.arange(40))
    assert clf.n_queries_ == 15
    assert len({row // 8 for row in clf.query_indices_[:5].tolist()}) >= 3
