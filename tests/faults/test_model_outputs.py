"""Faults of what models give: shapes, absent classes, and rows without a prediction."""

import warnings

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_breast_cancer, make_classification
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.semi_supervised import LabelPropagation, LabelSpreading
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearningClassifier, CommitteeClassifier, PseudoLabels
from skactive.exceptions import ActiveLearningError
from skactive.oracles import SimulatedOracle
from skactive.stopping import ValidationPlateau

X, TRUTH = make_classification(
    200, 20, n_classes=3, n_informative=8, class_sep=2.0, random_state=0
)
TWO = np.full(200, -1)
TWO[np.flatnonzero(TRUTH < 2)[:30]] = TRUTH[TRUTH < 2][:30]
SOME = np.where(np.arange(200) < 30, TRUTH, -1)


def run(estimator, y=SOME, X=X, truth=TRUTH, **params):
    params = {"batch_size": 5, "budget": 10, "random_state": 0} | params
    clf = ActiveLearningClassifier(estimator, oracle=SimulatedOracle(truth), **params)
    return clf.fit(X, y, sample_ids=np.arange(len(truth)))


def flat(X):
    return X.reshape(len(X), -1)


class Shaped(LogisticRegression):
    """A classifier whose outputs are changed, and that takes rows of any shape."""

    def __init__(self, labels=None, proba=None):
        super().__init__()
        self.labels = labels
        self.proba = proba

    def fit(self, X, y):
        return super().fit(flat(X), y)

    def predict(self, X):
        found = self.classes_[LogisticRegression.predict_proba(self, flat(X)).argmax(1)]
        return found if self.labels is None else self.labels(found)

    def predict_proba(self, X):
        found = super().predict_proba(flat(X))
        return found if self.proba is None else self.proba(found)


class Fixed(ClassifierMixin, BaseEstimator):
    """Has three outputs, whatever it learns; the third is always at 0.1."""

    def fit(self, X, y):
        self.model_ = LogisticRegression().fit(X, y)
        self.classes_ = np.arange(3)
        return self

    def predict_proba(self, X):
        proba = np.full((len(X), 3), 0.1)
        proba[:, self.model_.classes_] += 0.7 * self.model_.predict_proba(X)
        return proba / proba.sum(axis=1, keepdims=True)

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


def test_t79_rows_of_any_shape_go_to_an_estimator_that_takes_them():
    images = X.reshape(200, 4, 5)
    step = make_pipeline(FunctionTransformer(flat), LogisticRegression())
    plain = run(LogisticRegression())
    for estimator in (step, Shaped()):
        for strategy in ("margin", "auto", "bald"):
            clf = run(estimator, X=images, strategy=strategy, committee=3)
            flatly = run(LogisticRegression(), strategy=strategy, committee=3)
            np.testing.assert_array_equal(clf.query_indices_, flatly.query_indices_)
        np.testing.assert_array_equal(
            clf.predict(images), clf.estimator_.predict(images)
        )
    assert plain.predict(X).shape == (200,)


@pytest.mark.parametrize("y", [SOME, np.full(200, -1)])
def test_an_estimator_that_takes_flat_rows_only_says_so_before_payment(y):
    asked = []
    clf = ActiveLearningClassifier(LogisticRegression(), oracle=asked.append, budget=9)
    with pytest.raises(ValueError, match="Found array with dim 3") as caught:
        clf.fit(X.reshape(200, 4, 5), y)
    assert "X.reshape(len(X), -1)" in str(caught.value.__notes__)
    assert asked == []


@pytest.mark.parametrize("y", [SOME, np.full(200, -1)], ids=["warm", "cold"])
@pytest.mark.parametrize("strategy", ["margin", "k_center"])
def test_one_column_for_each_class_is_refused_before_payment(y, strategy):
    asked, model = [], Shaped(labels=lambda found: np.eye(3)[found.astype(int) % 3])
    clf = ActiveLearningClassifier(model, oracle=asked.append, strategy=strategy)
    with pytest.raises(ValueError, match=r"predict returned an array of shape"):
        clf.fit(X, y)
    assert asked == []


@pytest.mark.parametrize(
    "proba",
    [
        lambda p: list(p.T),
        lambda p: [column[:, None] for column in p.T],
        lambda p: [np.column_stack([1 - column, column]) for column in p.T],
        lambda p: p.tolist(),
        lambda p: list(p),
        lambda p: p * (1 + 5e-4),
    ],
)
@pytest.mark.parametrize("strategy", ["margin", "bald"])
def test_probabilities_in_other_shapes_are_the_same_ones(proba, strategy):
    plain, shaped = Shaped(), Shaped(proba=proba)
    clf = run(shaped, strategy=strategy, committee=3)
    expected = run(plain, strategy=strategy, committee=3)
    np.testing.assert_array_equal(clf.query_indices_, expected.query_indices_)
    found = clf.predict_proba(X)
    np.testing.assert_allclose(found, expected.predict_proba(X), rtol=1e-3)


@pytest.mark.parametrize("dtype", [np.uint8, bool, np.int64, np.float16, np.float32])
def test_probabilities_of_any_number_type_are_read(dtype):
    def rounded(proba):
        hard = np.eye(proba.shape[1])[proba.argmax(axis=1)]
        return (proba if np.dtype(dtype).kind == "f" else hard).astype(dtype)

    for strategy in ("margin", "entropy", "least_confident", "badge", "bald"):
        clf = run(Shaped(proba=rounded), strategy=strategy, committee=3)
        assert np.isfinite(clf.history_[0]["best_utility"] or 0.0)
        assert abs(clf.history_[0]["best_utility"] or 0.0) < 2.0


def test_a_column_of_labels_is_flat_wherever_it_is_read():
    column = Shaped(labels=lambda found: found[:, None])
    clf = run(column, strategy="vote_entropy", committee=3, holdout_fraction=0.5)
    assert clf.predict(X).shape == (200,)
    assert (clf.predict(X) == TRUTH).mean() == clf.score(X, TRUTH)
    plain = run(Shaped(), strategy="vote_entropy", committee=3, holdout_fraction=0.5)
    assert clf.holdout_score_ == plain.holdout_score_
    np.testing.assert_array_equal(clf.query_indices_, plain.query_indices_)


@pytest.mark.parametrize(
    "strategy",
    ["margin", "entropy", "bald", "vote_entropy", "badge", "bait", "auto", "u_herding"],
)
def test_t80_a_model_with_fixed_outputs_learns_in_a_closed_set(strategy):
    clf = run(Fixed(), TWO, classes=[0, 1, 2], strategy=strategy, committee=3)
    assert clf.classes_.tolist() == [0, 1, 2]
    assert clf.predict_proba(X).shape == (200, 3)


def test_without_classes_the_error_says_to_give_them():
    for estimator in (Fixed(), FrozenEstimator(LogisticRegression().fit(X, TRUTH))):
        with pytest.raises(
            ValueError, match=r"\[0, 1, 2\], but only .* give .*classes="
        ):
            run(estimator, TWO)


def test_mass_on_absent_classes_is_kept():
    seen = []

    def watch(pool):
        seen.append((pool.classes.tolist(), pool.seen.tolist(), pool.proba.shape[1]))
        np.testing.assert_allclose(pool.proba.sum(axis=1), 1.0)
        assert pool.proba[:, 2].min() >= 0.1 or len(pool.seen) == 3
        assert pool.member_proba.shape[2] == 3
        return -pool.proba.max(axis=1)

    run(Fixed(), TWO, classes=[0, 1, 2], strategy=watch, committee=3)
    assert seen[0] == ([0, 1, 2], [0, 1], 3)


def test_a_model_without_columns_for_absent_classes_keeps_to_those_seen():
    seen = []

    def watch(pool):
        seen.append(pool.classes.tolist())
        return -pool.proba.max(axis=1)

    run(LogisticRegression(), TWO, classes=[0, 1, 2], strategy=watch)
    assert seen[0] == [0, 1]


def test_members_of_a_committee_may_know_more_than_the_estimator():
    committee = [("fixed", Fixed()), ("plain", LogisticRegression())]
    for strategy in ("bald", "vote_entropy", "margin"):
        clf = run(
            LogisticRegression(),
            TWO,
            classes=[0, 1, 2],
            strategy=strategy,
            committee=committee,
        )
        assert len(clf.query_indices_) == 10
    alone = CommitteeClassifier(committee, classes=[0, 1, 2])
    assert alone.fit(X[TWO >= 0], TWO[TWO >= 0]).classes_.tolist() == [0, 1, 2]


def test_priors_of_all_classes_are_used_before_all_have_labels():
    priors = [0.3, 0.3, 0.4]
    clf = run(GaussianNB(priors=priors), TWO, classes=[0, 1, 2], budget=1)
    assert clf.classes_.tolist() == [0, 1, 2]
    all_seen = run(GaussianNB(priors=priors), classes=[0, 1, 2])
    rows = np.flatnonzero(all_seen.transduction_ >= 0)
    plain = GaussianNB(priors=priors).fit(X[rows], TRUTH[rows])
    np.testing.assert_array_equal(all_seen.predict_proba(X), plain.predict_proba(X))


def test_absent_classes_have_probability_0_in_criteria():
    plateau = ValidationPlateau(X[:50], TRUTH[:50], scoring="neg_log_loss")
    for estimator in (LogisticRegression(), Fixed(), GaussianNB()):
        clf = run(estimator, TWO, classes=[0, 1, 2], stopping=plateau)
        assert clf.n_queries_ > 0


def test_pseudo_labels_are_of_classes_that_somebody_has_seen():
    class Eager(Fixed):
        def predict_proba(self, X):
            return np.tile([0.0, 0.05, 0.95], (len(X), 1))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        clf = run(Eager(), TWO, classes=[0, 1, 2], unlabeled=PseudoLabels(0.9))
    assert clf.history_[0]["n_pseudo_labeled"] == 0


@pytest.mark.filterwarnings("ignore:Number of classes in training fold")
def test_calibration_of_a_frozen_model_is_named_in_the_error():
    frozen = FrozenEstimator(LogisticRegression().fit(X, TRUTH))
    calibrated = CalibratedClassifierCV(frozen)
    with (
        pytest.raises(ActiveLearningError, match="a fit of CalibratedClassifierCV"),
        pytest.warns(UserWarning, match="CalibratedClassifierCV.* be fitted yet"),
    ):
        run(calibrated, TWO, truth=TRUTH % 2, classes=[0, 1, 2])


@pytest.mark.parametrize("estimator", [LabelSpreading(), LabelPropagation()])
def test_t81_rows_that_no_label_reaches_are_uniform_and_counted(estimator):
    data, truth = load_breast_cancer(return_X_y=True)
    y = np.where(np.arange(len(truth)) < 20, truth, -1)
    seen = []

    def watch(pool):
        seen.append(pool.proba)
        return -pool.proba.max(axis=1)

    piped = make_pipeline(FunctionTransformer(), estimator)
    for model in (estimator, piped):
        with pytest.warns(
            UserWarning, match="predicts nothing for 549 of 549"
        ) as caught:
            run(model, y, data, truth, strategy=watch)
        assert len(caught) == 1
    assert (seen[0] == 0.5).all()


@pytest.mark.filterwarnings("ignore:.*(divide|non-finite|fits failed)")
def test_what_a_search_has_found_may_say_nothing_too():
    search = GridSearchCV(LabelSpreading(gamma=1e4), {}, cv=2, scoring="accuracy")
    with pytest.warns(UserWarning, match="predicts nothing for 170 of 170"):
        run(search)


def test_models_that_tell_nothing_apart_are_told_of_once():
    boosting = HistGradientBoostingClassifier(max_iter=5)
    with pytest.warns(UserWarning, match=r"After 30 labels, HistG.*leaf=20") as caught:
        clf = run(boosting, strategy="margin")
    assert len(caught) == 1
    assert [record["same_for_all"] for record in clf.history_] == [True, True, None]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf = run(boosting.set_params(min_samples_leaf=3))
    assert clf.history_[0]["same_for_all"] is False


def test_only_a_parameter_that_asks_for_too_many_rows_is_named():
    pruned = DecisionTreeClassifier(ccp_alpha=10)
    with pytest.warns(UserWarning, match="check its regularization"):
        run(pruned, strategy="margin")

    class Boosting(DecisionTreeClassifier):
        def __init__(self, ccp_alpha=10, min_child_weight=None):
            super().__init__(ccp_alpha=ccp_alpha)
            self.min_child_weight = min_child_weight

    with pytest.warns(UserWarning, match=r"Its min_child_weight=1 req.*such as 0\.1"):
        run(Boosting(), strategy="margin")


def test_auto_covers_the_pool_where_the_model_tells_nothing_apart():
    class Mute(LogisticRegression):
        def predict_proba(self, X):
            return np.full((len(X), len(self.classes_)), 1 / len(self.classes_))

    class Silent(LogisticRegression):
        predict_proba = property()
        decision_function = property()

    with pytest.warns(UserWarning, match="'auto' queries rows that represent many"):
        mute = run(Mute(), strategy="auto", budget=5)
    without = run(Silent(), strategy="auto", budget=5)
    np.testing.assert_array_equal(mute.query_indices_, without.query_indices_)


def test_equal_rows_are_not_held_against_a_model():
    ones = np.concatenate([X[:30], np.ones((170, 20))])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clf = run(LogisticRegression(), X=ones)
    assert clf.history_[0]["same_for_all"] is False
