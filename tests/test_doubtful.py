"""Labels in doubt: the formulas beside cleanlab, and the labels of a run."""

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from cleanlab.rank import get_label_quality_scores
from sklearn import config_context
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.semi_supervised import LabelSpreading

from skactive import ActiveLearningClassifier, PseudoLabels, Session
from skactive._loop.doubtful import (
    are_contradicted,
    confident_thresholds,
    cross_validated_proba,
    doubtful,
    self_confidence,
)
from skactive._loop.inputs import check_inputs
from skactive._loop.opening import begin_run
from skactive._loop.run import Run
from skactive.oracles._store.answers import to_key

# Two groups, far from each other, and rows without a label.
X = np.concatenate([np.arange(20.0), 100 + np.arange(20.0)]).reshape(-1, 1)
TRUTH = np.repeat([0, 1], 20)


def make_run(y, X=X, estimator=None, *, sample_ids=None, fit_params=None, **params):
    estimator = KNeighborsClassifier(3) if estimator is None else estimator
    params = {"batch_size": 2, "random_state": 0} | params
    inputs = check_inputs(
        ActiveLearningClassifier(estimator, **params),
        X,
        y,
        sample_ids=sample_ids,
        cost=None,
        fit_params=fit_params or {},
        has_oracle=True,
    )
    return Run(inputs)


def labels_with(wrong, unlabeled=(5, 25)):
    """The true labels, some of them swapped, and some rows without one."""
    y = TRUTH.copy()
    y[wrong] = 1 - y[wrong]
    y[list(unlabeled)] = -1
    return y


def judge(run):
    """The probabilities of all labels, and the classes."""
    rows = np.flatnonzero(run.ledger.labeled)
    facts = run.models.new_pool(run).models.facts
    return cross_validated_proba(run.inputs, facts, rows, run.ledger.labels(rows), 5)


def rows_of(doubts):
    return [doubt.index for doubt in doubts]


# Formulas


def test_a_threshold_is_the_mean_probability_of_a_class_in_its_rows():
    proba = np.array([[0.5, 0.3, 0.2, 0], [0.9, 0.1, 0, 0], [0.1, 0.6, 0.3, 0]])
    found = confident_thresholds(proba, np.array([0, 0, 1]))
    assert found.tolist() == [0.7, 0.6, np.inf, np.inf]


def test_a_label_is_contradicted_by_a_confident_other_class():
    # The thresholds are (0.6 + 0.2 + 0.45) / 3 = 0.41 and (0.8 + 0.5) / 2 = 0.65.
    proba = np.array([[0.6, 0.4], [0.2, 0.8], [0.45, 0.55], [0.2, 0.8], [0.5, 0.5]])
    found = are_contradicted(proba, np.array([0, 0, 0, 1, 1]))
    # Row 2: class 1 is likelier than the label, but the model is not sure of it.
    assert found.tolist() == [False, True, False, False, False]


@pytest.mark.parametrize("n_classes", [2, 3, 6])
@pytest.mark.parametrize("sharpness", [0.3, 1.0, 10.0])
def test_contradicted_labels_and_their_order_are_those_of_cleanlab(
    n_classes, sharpness
):
    rng = np.random.default_rng(n_classes)
    proba = rng.dirichlet(np.full(n_classes, 1 / sharpness), 300)
    codes = np.where(
        rng.random(300) < 0.6, proba.argmax(axis=1), rng.integers(n_classes, size=300)
    )
    ranked = find_label_issues(
        codes,
        proba,
        filter_by="confident_learning",
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    found, scores = are_contradicted(proba, codes), self_confidence(proba, codes)
    np.testing.assert_array_equal(scores, get_label_quality_scores(codes, proba))
    assert len(ranked) > 5
    assert np.flatnonzero(found).tolist() == sorted(ranked.tolist())
    order = np.argsort(np.where(found, scores, np.inf), kind="stable")
    assert order[: len(ranked)].tolist() == ranked.tolist()


def test_a_predicted_class_stands_for_a_probability_of_one_as_in_cleanlab():
    rng = np.random.default_rng(0)
    codes, predicted = rng.integers(3, size=(2, 60))
    codes[:3], predicted[codes == 2] = [0, 1, 2], 0  # class 2 is predicted in no row
    proba = np.eye(3)[predicted]
    found = are_contradicted(proba, codes)
    theirs = find_label_issues(codes, proba, filter_by="confident_learning", n_jobs=1)
    assert found.tolist() == theirs.tolist() == (predicted != codes).tolist()


def test_a_class_that_is_never_predicted_makes_no_label_doubtful():
    # As above, and a label of a class whose threshold is 0.
    proba = np.array([[0.6, 0.4], [0.2, 0.8], [0.45, 0.55], [0.2, 0.8], [0.5, 0.5]])
    proba = np.append(np.column_stack([proba, np.zeros(5)]), [[1, 0, 0]], axis=0)
    codes = np.array([0, 0, 0, 1, 1, 2])
    found = are_contradicted(proba, codes)
    assert found.tolist() == [False, True, False, False, False, True]
    theirs = find_label_issues(codes, proba, filter_by="confident_learning", n_jobs=1)
    assert found.tolist() == theirs.tolist()


# Labels of a run


def test_the_labels_of_a_run_in_doubt_are_those_that_cleanlab_finds():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(90, 2))
    truth = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
    y = np.where(rng.random(90) < 0.2, rng.integers(3, size=90), truth)
    y[::10] = -1
    run = make_run(y, X, LogisticRegression())
    rows = np.flatnonzero(y >= 0)
    folds = StratifiedKFold(5, shuffle=True, random_state=run.inputs.seed)
    proba = cross_val_predict(
        LogisticRegression(), X[rows], y[rows], cv=folds, method="predict_proba"
    )
    ranked = find_label_issues(
        y[rows],
        proba,
        filter_by="confident_learning",
        return_indices_ranked_by="self_confidence",
        n_jobs=1,
    )
    doubts = doubtful(run)
    assert 3 < len(doubts) < 40
    assert doubtful(run, n=2) == doubts[:2]
    assert rows_of(doubts) == rows[ranked].tolist()
    np.testing.assert_allclose(
        [doubt.score for doubt in doubts], proba[ranked, y[rows[ranked]]]
    )
    assert [doubt.suggested for doubt in doubts] == proba[ranked].argmax(
        axis=1
    ).tolist()


@pytest.mark.parametrize("dtype", [int, bool, str, object])
def test_swapped_labels_are_found_whatever_their_type(dtype):
    wrong = [3, 11, 30]
    names = {int: [7, 4], bool: [True, False], str: ["b", "a"], object: ["b", "a"]}
    y = np.array(names[dtype], dtype=dtype)[labels_with(wrong, unlabeled=())]
    y = np.append(y.astype(object), [None])
    run = make_run(
        y, np.append(X, [[50.0]], axis=0), missing_label=None, sample_ids=range(41)
    )
    doubts = doubtful(run)
    assert sorted(rows_of(doubts)) == wrong
    for doubt in doubts:
        assert (doubt.index, doubt.sample_id, doubt.by_model) == (doubt.index,) * 2 + (
            True,
        )
        assert doubt.label == y[doubt.index]
        assert {doubt.label, doubt.suggested} == set(names[dtype])
        assert type(doubt.label) is type(doubt.suggested) is type(names[dtype][0])
        assert doubt.score == 0.0
        assert "predicts" in doubt.why


def test_labels_that_were_told_are_judged():
    run = make_run(labels_with([]))
    rows = run.ask().indices
    assert doubtful(run) == []
    run.tell(1 - TRUTH[rows], rows)
    assert sorted(rows_of(doubtful(run))) == sorted(rows)


def test_a_model_without_probabilities_predicts():
    doubts = doubtful(make_run(labels_with([3, 30]), estimator=RidgeClassifier()))
    assert sorted(rows_of(doubts)) == [3, 30]
    assert [doubt.score for doubt in doubts] == [0.0, 0.0]


class Recording(KNeighborsClassifier):
    """It notes the rows of each fit, and those that it predicts."""

    fits = []

    def fit(self, X, y, sample_weight=None):
        self.rows = set(np.ravel(X).tolist())
        self.fits.append((self.rows, sample_weight, set()))
        return super().fit(X, y)

    def predict_proba(self, X):
        self.fits[-1][2].update(np.ravel(X).tolist())
        return super().predict_proba(X)


@pytest.fixture
def fits(monkeypatch):
    """The fits since the test began: rows, weights, rows predicted."""
    monkeypatch.setattr(Recording, "fits", [])
    return Recording.fits


def test_each_label_is_judged_once_by_a_model_that_was_trained_without_it(fits):
    run = make_run(labels_with([3]), estimator=Recording(3))
    doubtful(run, cv=4)
    known = set(np.delete(X[:, 0], [5, 25]).tolist())
    assert len(fits) == 4
    for trained, _, predicted in fits:
        assert not trained & predicted
        assert trained | predicted == known
    assert sum(len(predicted) for _, _, predicted in fits) == len(known)


def test_no_model_is_trained_on_the_test_sample_whose_labels_are_judged(fits):
    run = make_run(
        labels_with([], unlabeled=range(1, 40, 2)),
        estimator=Recording(3),
        holdout_fraction=0.4,
        batch_size=20,
    )
    held = run.ask().indices
    wrong = held[0]
    run.tell(np.where(held == wrong, 1 - TRUTH[held], TRUTH[held]), held)
    fits.clear()
    assert rows_of(doubtful(run)) == [wrong]
    trained = set.union(*(rows for rows, _, _ in fits))
    assert trained == set(X[::2, 0].tolist())


def test_fit_parameters_are_cut_to_the_rows_that_are_trained_on(fits):
    with config_context(enable_metadata_routing=True):
        estimator = Recording(3).set_fit_request(sample_weight=True)
        weights = X[:, 0] + 1
        run = make_run(
            labels_with([3]),
            estimator=estimator,
            fit_params={"sample_weight": weights},
        )
        assert rows_of(doubtful(run)) == [3]
    for trained, weight, _ in fits:
        assert sorted(weight.tolist()) == sorted(row + 1 for row in trained)


class OfTexts(KNeighborsClassifier):
    """It takes codes only."""

    def fit(self, X, y):
        if y.dtype.kind != "i":
            raise ValueError("labels must be 0, 1, ...")
        return super().fit(X, y)


def test_a_classifier_that_refuses_labels_gets_codes():
    y = np.array(["no", "yes", None], dtype=object)[labels_with([3])]
    run = make_run(y, estimator=OfTexts(3), missing_label=None)
    assert [(d.index, d.suggested) for d in doubtful(run)] == [(3, "no")]


class Spreading(LabelSpreading):
    """It notes on how many rows with and without a label it is fitted."""

    fits = []

    def fit(self, X, y):
        self.fits.append((int((y != -1).sum()), int((y == -1).sum())))
        return super().fit(X, y)


@pytest.mark.parametrize(
    ("unlabeled", "expected"),
    # 30 labels in 5 folds: 24 are trained on.
    [("ignore", (24, 0)), ("pass", (24, 16)), (PseudoLabels(0.9), (34, 0))],
    ids=["ignore", "pass", "pseudo-labels"],
)
def test_rows_without_a_label_are_used_as_in_the_run(unlabeled, expected, monkeypatch):
    monkeypatch.setattr(Spreading, "fits", [])
    y = labels_with([3], unlabeled=range(5, 15))
    estimator = Spreading(kernel="knn", n_neighbors=4)
    run = make_run(y, estimator=estimator, unlabeled=unlabeled)
    assert rows_of(doubtful(run)) == [3]
    assert expected in Spreading.fits


def test_a_class_with_a_single_label_cannot_be_judged_and_one_with_two_can():
    y = labels_with([])
    y[[0, 1, 39]] = [3, 3, 2]
    proba, classes = judge(make_run(y))
    assert classes.tolist() == [0, 1, 2, 3]
    judged = ~np.isnan(proba).any(axis=1)
    assert np.flatnonzero(y >= 0)[~judged].tolist() == [39]
    assert 39 not in rows_of(doubtful(make_run(y)))


def test_classes_of_a_closed_set_without_a_label_are_columns():
    y = labels_with([3])
    run = make_run(y, classes=[-7, 0, 1, 2])
    proba, classes = judge(run)
    assert classes.tolist() == [-7, 0, 1, 2]
    assert (proba[:, [0, 3]] == 0).all()
    assert rows_of(doubtful(run)) == [3]


def test_a_classifier_with_a_prior_for_each_class_of_a_closed_set_is_fitted():
    estimator = GaussianNB(priors=[0.01, 0.49, 0.49, 0.01])
    run = make_run(labels_with([3]), estimator=estimator, classes=[-7, 0, 1, 2])
    assert rows_of(doubtful(run)) == [3]


def test_labels_that_equal_rows_share_are_judged_once_and_without_each_other():
    copies = np.repeat(X[[3]], 6, axis=0)  # they would outvote the others
    y = np.append(labels_with([3]), np.full(6, -1))
    run = make_run(y, np.concatenate([X, copies]), equal_rows="share")
    assert run.ledger.y[-6:].tolist() == [1] * 6
    found = rows_of(doubtful(run))
    assert found[0] == 3
    assert max(found) < 40


# What annotators say


def test_other_answers_contradict_a_label_that_the_model_agrees_with():
    answers = {
        3: [(1, "ann"), (0, "bob"), (None, "cem"), (1, "dan"), (2, "eve")],
        4: [(0, "ann"), (None, "bob")],
        5: [(1, "ann")],  # it has no label
    }
    (doubt,) = doubtful(make_run(labels_with([])), answers=answers)
    assert (doubt.index, doubt.label, doubt.suggested) == (3, 0, 1)
    assert (doubt.score, doubt.by_model) == (1.0, False)
    assert doubt.other_answers == ((1, "ann"), (1, "dan"), (2, "eve"))
    assert doubt.why == "3 other answers differ"


def test_a_label_that_no_model_can_judge_is_doubtful_for_other_answers_alone():
    y = labels_with([3])
    y[39] = 2
    answers = {39: [(1, "ann")], 3: [(0, "ann")]}
    first, last = doubtful(make_run(y), answers=answers)
    assert (first.index, first.suggested, first.by_model) == (3, 0, True)
    assert first.why.endswith("; 1 other answer differs")
    assert (last.index, last.suggested, last.score) == (39, 1, None)
    assert doubtful(make_run(y), n=1, answers=answers) == [first]


def test_other_answers_in_the_session_contradict_labels(tmp_path):
    ids = [f"row {i}" for i in range(40)]
    session = Session(tmp_path / "labels.sqlite", annotator="ann")
    clf = ActiveLearningClassifier(KNeighborsClassifier(3), batch_size=2)
    y = labels_with([])
    run = begin_run(
        clf,
        X,
        y,
        sample_ids=ids,
        session=session,
        cost=None,
        fit_params={},
        has_oracle=True,
    )
    rows = run.ask().indices
    first, second = (ids[row] for row in rows)
    run.tell(TRUTH[rows], rows)
    assert doubtful(run) == []
    store = session.store
    for name, task in ((first, "default"), (second, "another"), ("gone", "default")):
        for label, annotator in ((int(TRUTH[rows[0]]), "ann"), (7, "bob")):
            store.record(task, {to_key(name): label}, annotator)
    (doubt,) = doubtful(run)
    assert (doubt.sample_id, doubt.suggested) == (first, 7)
    assert doubt.other_answers == ((7, "bob"),)
    assert doubtful(run, answers={}) == []
    session.close()


# Faults


@pytest.mark.parametrize(
    ("rows", "found"), [([], "0 labels of 0"), ([0], "1 labels"), ([0, 39], "of 2")]
)
def test_too_few_labels_are_an_error_that_says_so(rows, found):
    y = np.full(40, -1)
    y[rows] = TRUTH[rows]
    with pytest.raises(ValueError, match=f"two classes.*got .*{found}"):
        doubtful(make_run(y))
    if rows:
        assert len(doubtful(make_run(y), answers={0: [(1, "ann")]})) == 1


def test_three_labels_are_enough():
    y = np.full(40, -1)
    y[[0, 1, 39]] = [0, 0, 1]
    # One fold has a label of each class; without it, one class is left.
    run = make_run(y, estimator=LogisticRegression())
    assert doubtful(run) == []
    proba, _ = judge(run)
    assert np.isnan(proba).any(axis=1).sum() == 2


def test_an_error_of_a_model_says_that_it_came_from_the_cross_validation():
    with pytest.raises(ValueError, match="n_neighbors") as error:
        doubtful(make_run(labels_with([]), estimator=KNeighborsClassifier(35)))
    assert "doubtful()" in error.value.__notes__[0]


@pytest.mark.parametrize("params", [{"n": 0}, {"n": 1.5}, {"cv": 1}, {"answers": []}])
def test_parameters_are_checked(params):
    with pytest.raises(ValueError, match=f"The '{next(iter(params))}' parameter"):
        doubtful(make_run(labels_with([])), **params)


def test_asking_for_doubtful_labels_does_not_change_the_run():
    y = labels_with([3], unlabeled=range(5, 35))
    one, other = make_run(y), make_run(y)
    for _ in range(4):
        doubtful(one)
        rows = one.ask().indices
        doubtful(one)
        assert rows.tolist() == other.ask().indices.tolist()
        one.tell(TRUTH[rows], rows)
        other.tell(TRUTH[rows], rows)
    assert doubtful(one) == doubtful(one)
