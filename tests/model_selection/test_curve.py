"""active_learning_curve: the labelling of known data, replayed."""

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy.sparse import coo_matrix
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.metrics import get_scorer, log_loss
from sklearn.model_selection import ShuffleSplit
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler, scale

from skactive import ActiveLearningClassifier, PseudoLabels
from skactive.acquisition import MarginSampling
from skactive.exceptions import ActiveLearningError
from skactive.model_selection import active_learning_curve
from skactive.oracles import SimulatedOracle

X, y = load_iris(return_X_y=True)
X = scale(X)  # so that a logistic regression takes few steps
CV = ShuffleSplit(3, test_size=0.4, random_state=0)
logistic = LogisticRegression(max_iter=1000)


def classifier(**params):
    params = {"batch_size": 4, "budget": 10} | params
    return ActiveLearningClassifier(logistic, **params)


def replay(clf=None, X=X, y=y, **params):
    params = {"initial": 5, "cv": CV, "random_state": 0} | params
    return active_learning_curve(clf or classifier(), X, y, **params)


def scores_of(curves, strategy, split, name="score"):
    of = [r for r in curves.records if (r["strategy"], r["split"]) == (strategy, split)]
    return [record[name] for record in of]


def fit_by_hand(curves, split, strategy="margin", clf=None):
    """Fit on what a split began with, and score every round; return both."""
    train, test = list(CV.split(X))[split]
    hidden = np.where(np.isin(train, curves.initial_indices[split]), y[train], -1)
    # The seed of a split is the second number of this generator.
    seed = np.random.SeedSequence([0, split]).generate_state(2)[1] % (2**31 - 1)
    clf = clone(clf or classifier()).set_params(
        strategy=strategy, oracle=SimulatedOracle(y), random_state=int(seed)
    )
    clf.fit(X[train], hidden, sample_ids=train)
    known = [
        np.flatnonzero((clf.labeled_iter_ >= 0) & (clf.labeled_iter_ <= n))
        for n in range(clf.n_iter_ + 1)
    ]
    models = [clone(logistic).fit(X[train][k], y[train][k]) for k in known]
    return clf, train, [model.score(X[test], y[test]) for model in models]


@pytest.mark.parametrize("strategy", ["margin", "random", "k_center", "badge"])
def test_rows_and_scores_are_those_of_a_plain_fit(strategy):
    curves = replay(strategies=[strategy])
    clf, train, scores = fit_by_hand(curves, 1, strategy)
    assert curves.query_indices[strategy][1].tolist() == list(train[clf.query_indices_])
    assert scores_of(curves, strategy, 1) == pytest.approx(scores, abs=1e-12)
    assert scores_of(curves, strategy, 1, "n_labeled") == [5, 9, 13, 15]
    assert scores_of(curves, strategy, 1, "n_bought") == [0, 4, 8, 10]
    assert curves.termination_conditions[strategy] == ["budget"] * 3


@pytest.mark.parametrize(
    "params",
    [
        {"unlabeled": PseudoLabels(0.6)},
        {"holdout_fraction": 0.4},
        {"strategy": "bald", "committee": 3},
        {"strategy": "label_dispersion", "estimator": SGDClassifier(random_state=0)},
        {"initial_size": 8, "initial_strategy": "random"},
    ],
)
def test_who_looks_at_the_models_changes_nothing(params):
    clf = classifier().set_params(**params)
    curves = replay(clf)
    by_hand, train, _ = fit_by_hand(curves, 0, clf.strategy, clf=clf)
    asked = curves.query_indices[clf.strategy][0]
    assert asked.tolist() == train[by_hand.query_indices_].tolist()
    test = next(CV.split(X))[1]
    final = scores_of(curves, clf.strategy, 0)[-1]
    assert final == by_hand.score(X[test], y[test])


def test_strategies_share_splits_and_first_labels():
    curves = replay(strategies=["random", "margin"])
    for split, (train, _) in enumerate(CV.split(X)):
        initial = curves.initial_indices[split]
        assert set(initial) <= set(train)
        assert len(initial) == 5
        assert set(y[initial]) == {0, 1, 2}
        for strategy in curves.strategies:
            asked = curves.query_indices[strategy][split]
            assert set(asked) <= set(train) - set(initial)
        first = [scores_of(curves, name, split)[0] for name in curves.strategies]
        assert first[0] == first[1]


def test_a_strategy_is_the_same_alone_and_beside_others():
    both, alone = replay(strategies=["random", "margin"]), replay(strategies="random")
    for split in range(3):
        assert scores_of(both, "random", split) == scores_of(alone, "random", split)


def test_splits_and_seeds_differ_from_split_to_split_and_seed_to_seed():
    curves, others = replay(), replay(random_state=1)
    first, second = curves.initial_indices[0], others.initial_indices[0]
    assert set(first) != set(second)
    train = next(CV.split(X))[0]
    same = replay(cv=[(train, train)] * 2, strategies="random")
    assert set(same.initial_indices[0]) != set(same.initial_indices[1])


@pytest.mark.slow
def test_the_number_of_jobs_changes_no_result():
    clf = classifier(committee=3, batch_size=5)
    one, two = (
        replay(clf, strategies=["margin", "bald"], n_jobs=n_jobs, scoring="roc_auc_ovr")
        for n_jobs in (1, 2)
    )
    assert joblib.hash(one.query_indices) == joblib.hash(two.query_indices)
    for name in ("margin", "bald"):
        assert joblib.hash(one.curve(name)) == joblib.hash(two.curve(name))


def test_the_estimator_stays_as_it_was_and_its_oracle_is_not_asked():
    def refuse(X):
        raise AssertionError("a paid oracle was asked")

    clf = classifier(oracle=refuse, random_state=7)
    before = clf.get_params()
    assert replay(clf).strategies == ["margin"]
    assert clf.get_params() == before
    assert not hasattr(clf, "estimator_")


class Third:
    """A criterion that stops in the third round."""

    def update(self, pool):
        return "third" if pool.round == 3 else None


def third(pool):
    return Third().update(pool)


@pytest.mark.parametrize("stopping", [Third(), third, [third], (third, Third())])
def test_stopping_of_the_user_works_as_in_a_fit(stopping):
    clf = classifier(budget=None, stopping=stopping)
    curves = replay(clf)
    by_hand, train, scores = fit_by_hand(curves, 2, clf=clf)
    ended = curves.termination_conditions["margin"]
    assert ended == [by_hand.termination_condition_] * 3
    assert curves.query_indices["margin"][2].tolist() == list(
        train[by_hand.query_indices_]
    )
    assert scores_of(curves, "margin", 2) == pytest.approx(scores, abs=1e-12)


def test_models_of_a_round_are_fitted_once():
    class Counting(LogisticRegression):
        fits = 0

        def fit(self, X, y):
            Counting.fits += 1
            return super().fit(X, y)

    clf = classifier().set_params(estimator=Counting(max_iter=1000))
    replay(clf, cv=[next(CV.split(X))])
    assert Counting.fits == 4 + 1  # four models of rounds, one of all labels


def test_rounds_of_a_cold_start_have_no_score():
    clf = classifier(batch_size=1, initial_strategy="random")
    curves = replay(clf, initial=0)
    scores = np.array(scores_of(curves, "margin", 0))
    first = curves.query_indices["margin"][0]
    n_cold = next(n for n in range(11) if len(set(y[first[:n]])) == 2)
    assert np.isnan(scores[:n_cold]).all()
    assert not np.isnan(scores[n_cold:]).any()
    n_labeled, of_curve = curves.curve("margin")
    assert np.isnan(of_curve[0][n_labeled < n_cold]).all()


def test_the_full_score_is_that_of_the_plain_estimator():
    curves = replay()
    for split, (train, test) in enumerate(CV.split(X)):
        expected = clone(logistic).fit(X[train], y[train]).score(X[test], y[test])
        assert curves.full_scores["score"][split] == expected


@pytest.mark.parametrize(
    ("scoring", "names"),
    [
        (None, ["score"]),
        ("f1_macro", ["f1_macro"]),
        (["accuracy", "neg_log_loss"], ["accuracy", "neg_log_loss"]),
        ({"a": "accuracy", "b": get_scorer("neg_log_loss")}, ["a", "b"]),
        (lambda clf, X, y: {"size": len(y), "two": 2}, ["size", "two"]),
    ],
)
def test_scores_of_all_kinds(scoring, names):
    curves = replay(scoring=scoring)
    assert curves.scorers == names
    assert all(set(names) <= set(record) for record in curves.records)
    if names[0] == "size":
        assert scores_of(curves, "margin", 0, "size") == [60.0] * 4


def test_several_scores_are_what_each_is_alone():
    several = replay(scoring=["accuracy", "neg_log_loss"])
    alone = replay(scoring="neg_log_loss")
    for name, one in [("neg_log_loss", alone), ("accuracy", replay())]:
        expected = scores_of(one, "margin", 1, one.scorers[0])
        assert scores_of(several, "margin", 1, name) == expected


@pytest.mark.parametrize("missing_label", [-1, None, "none"])
def test_strings_as_labels(missing_label):
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    curves = replay(classifier(missing_label=missing_label), y=names)
    assert scores_of(curves, "margin", 0) == scores_of(replay(), "margin", 0)


def test_containers_give_the_same_curve():
    expected = replay()
    frame = pd.DataFrame(X, index=np.arange(150)[::-1])
    for rows, labels in [
        (coo_matrix(X), list(y)),
        (frame, pd.Series(y, index=frame.index)),
        (X.tolist(), y.astype(object)),
    ]:
        found = replay(X=rows, y=labels)
        for split in range(3):
            assert scores_of(found, "margin", split) == pytest.approx(
                scores_of(expected, "margin", split)
            )


def test_a_list_of_texts():
    texts = ["good film", "bad film", "good plot", "bad plot"] * 10
    model = make_pipeline(CountVectorizer(), MultinomialNB())
    clf = ActiveLearningClassifier(model, batch_size=2, budget=4)
    curves = replay(clf, texts, ["yes", "no"] * 20, cv=2, initial=2)
    assert scores_of(curves, "margin", 0)[-1] == 1.0


def test_minus_one_can_be_a_class_with_another_marker():
    targets = np.where(y == 0, -1, 1)
    with pytest.raises(ValueError, match=r"50 of the 150 labels.*missing_label=None"):
        replay(y=targets)
    curves = replay(classifier(missing_label=None), y=targets)
    assert curves.full_scores["score"].min() > 0.9


def test_strategies_may_be_objects_functions_and_parameters():
    forest = RandomForestClassifier(5, random_state=0)
    curves = replay(
        strategies={
            "object": MarginSampling(),
            "function": lambda pool: pool.proba[:, 0],
            "forest": {"strategy": "bald", "committee": forest},
            "singly": {"batch_size": 1},
            "weak": {"estimator__C": 1e-4},
        }
    )
    assert scores_of(curves, "object", 0) == scores_of(replay(), "margin", 0)
    assert scores_of(curves, "singly", 0, "n_labeled") == list(range(5, 16))
    assert scores_of(curves, "weak", 0) != scores_of(curves, "object", 0)
    assert curves.strategies == ["object", "function", "forest", "singly", "weak"]


def test_a_function_chooses_the_first_labels():
    def two_of_each(y_train, random_state):
        order = np.random.default_rng(random_state).permutation(len(y_train))
        return [row for c in (0, 1, 2) for row in order[y_train[order] == c][:2]]

    curves = replay(initial=two_of_each)
    for rows in curves.initial_indices:
        assert np.bincount(y[rows]).tolist() == [2, 2, 2]
    with pytest.raises(ValueError, match="row numbers of the 90 labels"):
        replay(initial=lambda y_train, random_state: [90])


def test_a_share_of_the_labels_may_be_known():
    assert [len(rows) for rows in replay(initial=0.1).initial_indices] == [9, 9, 9]


def test_a_test_sample_of_the_run_counts_as_bought():
    curves = replay(classifier(holdout_fraction=0.5))
    assert scores_of(curves, "margin", 0, "n_labeled") == [5, 9, 10, 14, 15]


def test_masks_may_stand_for_splits():
    train = np.arange(150) % 2 == 0
    masks, numbers = (train, ~train), (np.flatnonzero(train), np.flatnonzero(~train))
    assert replay(cv=[masks]).records[0]["score"] == pytest.approx(
        replay(cv=[numbers]).records[0]["score"]
    )


@pytest.mark.parametrize(
    ("clf", "params", "error", "match"),
    [
        (logistic, {}, TypeError, "takes an ActiveLearningClassifier, got Logistic"),
        (make_pipeline(StandardScaler(), classifier()), {}, TypeError, "as a whole"),
        (None, {"strategies": ["margni"]}, ValueError, "Did you mean 'margin'"),
        (None, {"strategies": []}, ValueError, "at least one strategy"),
        (None, {"strategies": {1: "margin"}}, ValueError, "names are strings"),
        (None, {"strategies": ["margin"] * 2}, ValueError, "a name twice"),
        (None, {"strategies": {"a": {"oracle": len}}}, ValueError, r"'a' sets.*oracle"),
        (None, {"strategies": {"a": {"bugdet": 1}}}, ValueError, "strategy 'a'"),
        (None, {"strategies": {"a": {"budget": -1}}}, ValueError, "strategy 'a'"),
        (None, {"strategies": MarginSampling}, ValueError, "strategies"),
        (None, {"initial": -1}, ValueError, "initial"),
        (None, {"initial": 91}, ValueError, "more than the 90 labels"),
        (None, {"cv": "five"}, ValueError, "cv"),
        (None, {"scoring": "no_score"}, ValueError, "no_score"),
    ],
)
def test_mistakes_are_found_before_anything_is_run(clf, params, error, match):
    with pytest.raises(error, match=match):
        replay(clf, **params)


def test_a_strategy_that_the_model_cannot_serve_is_named():
    clf = classifier().set_params(estimator=make_pipeline(StandardScaler(), Plain(3)))
    match = "strategy 'margin' cannot be used: .*needs a classifier with predict_proba"
    with pytest.raises(ValueError, match=match):
        replay(clf, strategies=["random", "margin"])


class Plain(RandomForestClassifier):
    """A classifier without probabilities."""

    predict_proba = property()


def test_a_score_that_needs_all_classes_says_what_to_do():
    match = r"split 0: .*no label of the classes \[.\] yet.*Choose initial so that"
    with pytest.raises(ActiveLearningError, match=match):
        replay(initial=2, scoring=entropy_of_truth)


def entropy_of_truth(model, X, y):
    """A score that is not one of scikit-learn's, and needs a column for each class."""
    return -log_loss(y, model.predict_proba(X))


def test_classes_without_a_label_have_probability_0_in_scores():
    curves = replay(initial=2, scoring="neg_log_loss", cv=[next(CV.split(X))])
    scores = [record.get("neg_log_loss") for record in curves.records]
    # A share of the rows has a probability of 0.
    assert min(score for score in scores if score is not None) < -5.0


def test_missing_labels_are_refused():
    some = y.copy()
    some[:3] = -1
    with pytest.raises(ValueError, match="3 of the 150 labels in y are -1"):
        replay(y=some)


def test_progress_is_printed(capsys):
    replay(verbose=1, cv=[next(CV.split(X))])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("[active_learning_curve] 1 of 2: all labels, split 0, ")
    assert lines[1].startswith("[active_learning_curve] 2 of 2: margin, split 0, ")
