"""Models that cannot be fitted yet: foreseen, waited for, and the messages about
them."""

import re
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier, VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.model_selection import TunedThresholdClassifierCV
from sklearn.naive_bayes import CategoricalNB, GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skactive import ActiveLearningClassifier, LabelingLoop
from skactive.exceptions import ActiveLearningError
from skactive.stopping import AnyOf

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4))
TRUTH = (X[:, 0] > 0).astype(int)
NO_LABEL = np.full(60, -1)
CALIBRATED = CalibratedClassifierCV(GaussianNB(), cv=3)


def make_clf(estimator, truth=TRUTH, **params):
    params = {"batch_size": 4, "budget": 12, "random_state": 0} | params
    return ActiveLearningClassifier(
        estimator, oracle=lambda X, sample_ids: truth[sample_ids], **params
    )


def run(estimator, X=X, y=NO_LABEL, truth=TRUTH, **params):
    clf = make_clf(estimator, truth, **params)
    return clf.fit(X, y, sample_ids=np.arange(len(y)))


def asked_by(clf):
    return [record["strategy"] for record in clf.history_[:-1]]


class Spy(LogisticRegression):
    """Keeps the labels of every fit."""

    seen = []

    def fit(self, X, y, sample_weight=None):
        self.seen.append(np.asarray(y))
        return super().fit(X, y)


# Known before payment


CATEGORIES = pd.DataFrame({"a": [f"c{number % 30}" for number in range(60)]})


@pytest.mark.parametrize(
    ("estimator", "message", "remedy"),
    [
        (CALIBRATED, "3-fold cross-validation", r"cv=2.*initial_size=8"),
        (TunedThresholdClassifierCV(GaussianNB()), "n_splits=5", r"cv=2.*initial_size"),
        (make_pipeline(PCA(4), KNeighborsClassifier(7)), "n_neighbors = 7", "lower"),
        (
            make_pipeline(OneHotEncoder(), LogisticRegression()),
            "unknown categories",
            'handle_unknown="ignore"',
        ),
        (
            HistGradientBoostingClassifier(max_iter=2, early_stopping=True),
            "test_size = 1",
            "early_stopping=False",
        ),
    ],
)
def test_a_first_model_that_will_not_do_is_known_before_payment(
    estimator, message, remedy
):
    rows = CATEGORIES if "unknown" in message else X
    loop = LabelingLoop(make_clf(estimator), rows, NO_LABEL)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        loop.ask()
    (text,) = [str(warning.message) for warning in caught]
    assert re.search(f"on 4 labels of 2 classes.*{message}.*{remedy}", text)
    assert ("initial_size" in text) == ("unknown" not in message)


def test_too_many_components_ask_for_fewer_or_for_more_labels():
    wide = rng.normal(size=(60, 9))
    with pytest.warns(UserWarning, match=r"n_components=6.*lower n_comp.*initial_size"):
        LabelingLoop(
            make_clf(make_pipeline(PCA(6), GaussianNB())), wide, NO_LABEL
        ).ask()


def test_a_closed_set_that_no_labels_can_satisfy_is_refused_before_payment():
    wide = rng.normal(size=(60, 30))
    clf = make_clf(make_pipeline(PCA(20), GaussianNB()), classes=[0, 1])
    loop = LabelingLoop(clf, wide, NO_LABEL)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"n_components=20.*Nor can it on 12"):
            loop.ask()
    with pytest.warns(UserWarning, match="Nor can it on 12 labels"):
        LabelingLoop(clf.set_params(classes=None), wide, NO_LABEL).ask()


def test_a_rehearsal_is_one_quick_fit_that_leaves_no_trace():
    Spy.seen.clear()
    np.random.seed(7)  # noqa: NPY002
    expected = np.random.get_state()[1].copy()  # noqa: NPY002
    clf = make_clf(SGDClassifier(loss="log_loss"), initial_size=9)
    LabelingLoop(clf, X, NO_LABEL).ask()
    assert (np.random.get_state()[1] == expected).all()  # noqa: NPY002
    y = np.where(np.arange(60) < 3, 0, -1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loop = LabelingLoop(make_clf(Spy(), initial_size=9), X, y)
        loop.ask()
    (labels,) = Spy.seen  # the three labels of 0 are kept
    assert np.bincount(labels).tolist() == [5, 4]
    assert loop._run.ledger.labeled.sum() == 3


def test_no_rehearsal_where_there_are_labels_or_a_network():
    Spy.seen.clear()
    y = np.where(np.arange(60) < 20, TRUTH, -1)
    LabelingLoop(make_clf(Spy()), X, y).ask()
    assert [len(labels) for labels in Spy.seen] == [20]
    Network = type("Network", (Spy,), {"__module__": "skorch.classifier"})
    LabelingLoop(make_clf(make_pipeline(PCA(2), Network())), X, NO_LABEL).ask()
    assert len(Spy.seen) == 1


@pytest.mark.parametrize("names", [["ham", "spam"], [False, True], [5, 7]])
def test_labels_are_made_up_of_the_kind_that_is_wanted(names):
    labels = np.array(names, dtype=object)[TRUTH]
    y = np.where(np.arange(60) == 0, labels, None)
    for given in (np.full(60, None), y):
        weighted = LogisticRegression(class_weight={names[0]: 1, names[1]: 3})
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            clf = make_clf(weighted, missing_label=None, initial_size=4)
            LabelingLoop(clf, X, given).ask()


# Waiting


@pytest.mark.filterwarnings("ignore:.*as a rehearsal")
@pytest.mark.parametrize("given", [0, 5])
def test_the_cold_start_goes_on_until_a_model_can_be_fitted_and_says_so_once(given):
    rare = (np.arange(60) % 12 == 0).astype(int)
    y = np.where(np.arange(60) < given, rare, -1)
    with pytest.warns(UserWarning, match="cannot be fitted") as caught:
        clf = run(CALIBRATED, y=y, truth=rare, budget=48)
    said = [str(w.message) for w in caught if "cannot be fitted yet" in str(w.message)]
    assert len(said) == 1
    assert {w.filename for w in caught if "cannot be" in str(w.message)} == {__file__}
    assert "3-fold cross-validation" in said[0]
    assert "The cold start goes on" in said[0]
    names = asked_by(clf)
    assert names[0] == "k_means"
    assert names[-1] == "margin"
    assert names == sorted(names)  # k_means until three of each class are known


def test_a_class_that_comes_late_with_one_example_does_not_stop_the_run():
    truth = TRUTH.copy()
    y = np.where(np.arange(60) < 20, TRUTH, -1)
    loop = LabelingLoop(make_clf(CALIBRATED, budget=40), X, y)
    first = loop.ask().indices
    truth[[first[0], *np.delete(np.arange(20, 60), first[0] - 20)[::3]]] = 2
    loop.tell(truth[first])
    with pytest.warns(UserWarning, match="on 24 labels of 3 classes"):
        query = loop.ask()
    with pytest.raises(ActiveLearningError, match=r"ask\(\) goes on") as caught:
        loop.finish()
    assert len(caught.value.labels) == 4
    while query is not None:
        loop.tell(truth[query.indices])
        query = loop.ask()
    clf = loop.finish()
    assert clf.classes_.tolist() == [0, 1, 2]
    assert asked_by(clf)[:2] == ["margin", "k_means"]
    assert asked_by(clf)[-1] == "margin"


@pytest.mark.filterwarnings("ignore:.*cannot be fitted")
def test_a_loop_that_waited_goes_on_alike_after_it_was_saved(tmp_path):
    clf, path = make_clf(CALIBRATED, batch_size=2), tmp_path / "loop.json"
    calm = run(CALIBRATED, batch_size=2)
    loop = LabelingLoop(clf, X, NO_LABEL)
    while (query := loop.ask()) is not None:
        loop.tell(TRUTH[query.indices])
        loop.save(path)
        loop = LabelingLoop.load(path, clf, X, NO_LABEL)
    assert loop.finish().query_indices_.tolist() == calm.query_indices_.tolist()


@pytest.mark.filterwarnings("ignore:.*cannot be fitted")
def test_members_that_need_more_labels_are_waited_for():
    clf = run(CALIBRATED, strategy="vote_entropy", committee=2, budget=40)
    assert {"k_means", "vote_entropy"} <= set(asked_by(clf))


@pytest.mark.filterwarnings("ignore:.*cannot be fitted")
def test_an_oracle_that_wants_probabilities_gets_none_as_long_as_there_is_no_model():
    seen = []

    def ask(X, proba, sample_ids):
        seen.append(proba is not None)
        return TRUTH[sample_ids]

    y = np.where(
        np.isin(np.arange(60), [np.argmin(TRUTH), np.argmax(TRUTH)]), TRUTH, -1
    )
    make_clf(CALIBRATED, strategy="random").fit(
        X, y, oracle=ask, sample_ids=np.arange(60)
    )
    assert not seen[0]
    assert seen[-1]


class Fails(ClassifierMixin, BaseEstimator):
    """Cannot be fitted, whatever the labels."""

    def fit(self, X, y):
        raise TypeError("no such option")

    def predict(self, X):
        return X


def test_an_error_that_labels_cannot_mend_is_raised_at_once():
    y = np.where(np.arange(60) < 20, TRUTH, -1)
    with pytest.raises(TypeError, match="no such option") as caught:
        run(Fails(), y=y, strategy="random")
    assert "fails with more labels" in caught.value.__notes__[0]
    with (
        pytest.warns(UserWarning, match="no such option"),
        pytest.raises(ActiveLearningError, match="no such option") as caught,
    ):
        run(Fails(), strategy="k_center")
    assert len(caught.value.labels) == 12  # it is the final fit that fails first


def test_a_third_class_that_a_model_cannot_take_is_an_error_with_the_labels():
    truth = TRUTH + (X[:, 1] > 0)
    monotonic = HistGradientBoostingClassifier(max_iter=2, monotonic_cst=[1, 0, 0, 0])
    with pytest.raises(ActiveLearningError, match="multiclass") as caught:
        run(monotonic, truth=truth)
    assert "initial_size" not in str(caught.value)
    assert 0 < len(caught.value.labels) < 12
    assert (truth[caught.value.indices] == caught.value.labels).all()


@pytest.mark.parametrize(
    ("n_rows", "message"), [(8, "no row is left"), (60, "the budget is spent")]
)
def test_a_pool_of_one_class_ends_with_the_labels_and_a_plain_sentence(n_rows, message):
    zeros = np.zeros(n_rows, dtype=int)
    with pytest.raises(
        ActiveLearningError, match=f"of the class 0, and {message}"
    ) as e:
        run(LogisticRegression(), X[:n_rows], np.full(n_rows, -1), zeros)
    assert len(e.value.labels) == min(n_rows, 12)
    assert "initial_size" not in str(e.value)
    loop = LabelingLoop(make_clf(LogisticRegression()), X, NO_LABEL)
    loop.tell([0] * len(loop.ask()))
    with pytest.raises(ActiveLearningError, match=r"class 0 so far; ask\(\) goes on"):
        loop.finish()
    assert loop.ask() is not None


# Stopping without a model


@pytest.mark.parametrize("wrap", [lambda f: f, lambda f: AnyOf([f, "max_uncertainty"])])
def test_a_function_may_stop_the_cold_start(wrap):
    rounds = []

    def clock(pool):
        rounds.append((pool.round, pool.can_fit))
        return "late" if pool.round > 2 else None

    clf = make_clf(
        LogisticRegression(), np.zeros(60, dtype=int), stopping=["max_uncertainty"]
    ).set_params(stopping=wrap(clock))
    loop = LabelingLoop(clf, X, NO_LABEL)
    while (query := loop.ask()) is not None:
        loop.tell([0] * len(query))
    assert rounds == [(1, False), (2, False), (3, False)]
    assert len(loop._run.rounds.query_indices) == 8


@pytest.mark.filterwarnings("ignore:.*cannot be fitted")
def test_a_function_is_called_once_a_round_and_passed_over_where_it_needs_a_model():
    rounds = []

    def is_sure(pool):
        return "sure" if pool.proba.max(axis=1).mean() > 2 else None

    def counts(pool):
        rounds.append(pool.round)

    clf = run(CALIBRATED, batch_size=2, stopping=[counts, is_sure, "max_uncertainty"])
    assert rounds == list(range(1, clf.n_iter_ + 1))


# What a loop owns


def test_parameters_that_are_set_later_change_neither_a_loop_nor_its_file(tmp_path):
    clf = make_clf(LogisticRegression(C=0.01), strategy="entropy")
    loop, path = LabelingLoop(clf, X, NO_LABEL), tmp_path / "loop.json"
    calm = run(LogisticRegression(C=0.01), strategy="entropy")
    for number in range(3):
        clf.set_params(estimator__C=10.0**number, batch_size=1, budget=1)
        loop.tell(TRUTH[loop.ask().indices])
    loop.save(path)
    assert loop.finish().query_indices_.tolist() == calm.query_indices_.tolist()
    clf.set_params(estimator__C=0.01, batch_size=4, budget=12)
    again = LabelingLoop.load(path, clf, X, NO_LABEL)
    assert again.ask() is None


def test_a_random_state_that_is_an_instance_is_drawn_from():
    state = np.random.RandomState(0)
    first, second = (run(GaussianNB(), random_state=state) for _ in range(2))
    assert first.query_indices_.tolist() != second.query_indices_.tolist()


def test_what_does_not_begin_warm_is_said_once():
    warm = make_pipeline(PCA(2), SGDClassifier(loss="log_loss", warm_start=True))
    with pytest.warns(UserWarning, match=r"of SGDClassifier.*start_from") as caught:
        run(warm)
    assert sum("warm_start" in str(w.message) for w in caught) == 1

    class Warm(LogisticRegression):
        def start_from(self, other):
            return self

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(make_pipeline(PCA(2), Warm(warm_start=True)))


# Texts


TEXTS = [f"{'good' if label else 'bad'} number {n}" for n, label in enumerate(TRUTH)]
WORDS = make_pipeline(CountVectorizer(), LogisticRegression())


@pytest.mark.parametrize("row", [0, 7])
@pytest.mark.parametrize("missing", [None, np.nan])
@pytest.mark.parametrize("as_given", [list, pd.Series, tuple])
@pytest.mark.parametrize("n_given", [0, 20])
def test_a_text_that_is_missing_is_refused_before_payment(
    row, missing, as_given, n_given
):
    texts = as_given([*TEXTS[:row], missing, *TEXTS[row + 1 :]])
    y = np.where(np.arange(60) < n_given, TRUTH, -1)
    with pytest.raises(ValueError, match=rf"1 of 60 rows.*row {row},.*empty text"):
        run(WORDS, texts, y)


def test_a_text_that_is_missing_in_a_wrapped_pipeline_or_a_frame_is_refused():
    texts = [None, *TEXTS[1:]]
    with pytest.raises(ValueError, match="row 0,"):
        run(CalibratedClassifierCV(WORDS, cv=2), texts)


def test_missing_texts_are_taken_by_who_takes_them():
    takes = CountVectorizer(preprocessor=lambda text: text or "")
    assert run(make_pipeline(takes, GaussianNB_()), [None, *TEXTS[1:]]).n_queries_ == 12


class GaussianNB_(GaussianNB):
    """Takes sparse rows."""

    def fit(self, X, y):
        return super().fit(X.toarray(), y)

    def predict_proba(self, X):
        return super().predict_proba(X.toarray())

    def predict(self, X):
        return super().predict(X.toarray())


def test_tokens_and_paths_are_taken_as_the_estimator_takes_them(tmp_path):
    tokens = [[*text.split(), "odd"][: 3 + n % 2] for n, text in enumerate(TEXTS)]
    of_tokens = CountVectorizer(analyzer=lambda tokens: tokens)
    clf = run(make_pipeline(of_tokens, LogisticRegression()), tokens)
    assert clf.predict(tokens[:3]).shape == (3,)
    paths = [Path(tmp_path / f"{number}.txt") for number in range(60)]
    for path, text in zip(paths, TEXTS, strict=True):
        path.write_text(text)
    of_files = CountVectorizer(input="filename")
    assert run(make_pipeline(of_files, LogisticRegression()), paths).n_queries_ == 12


def test_an_error_does_not_print_the_data():
    with pytest.raises(ValueError, match=r"got 1D array") as caught:
        run(LogisticRegression(), list(range(60)))
    assert len(str(caught.value)) < 300


def test_a_fault_of_the_votes_is_no_reason_to_wait():
    """Waiting would spend the whole budget on a cold start."""

    class Faulty(GaussianNB):
        def predict(self, X):
            raise TypeError("faulty")

    voting = VotingClassifier([("a", Faulty()), ("b", GaussianNB())], voting="soft")
    y = np.where(np.arange(60) < 20, TRUTH, -1)
    with pytest.raises(TypeError, match="faulty"):
        run(voting, y=y, strategy="vote_entropy")


def test_priors_of_unseen_classes_ask_for_a_closed_set():
    priors = GaussianNB(priors=[0.2, 0.3, 0.5])
    with pytest.warns(UserWarning, match="priors must match.*give them in classes="):
        with pytest.raises(ActiveLearningError):
            run(priors)


def test_a_run_of_one_class_that_was_ended_has_rows_left():
    def stop(pool):
        return "late" if pool.labeled.sum() >= 8 else None

    with pytest.raises(ActiveLearningError, match=r"ended by 'stop'\. Let it go on"):
        run(
            LogisticRegression(),
            truth=np.zeros(60, dtype=int),
            stopping=stop,
            budget=40,
        )


def test_a_committee_that_cannot_be_fitted_at_the_end_costs_no_classifier():
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        clf = run(CALIBRATED, strategy="bald", committee=3, budget=8, batch_size=8)
    assert [w for w in seen if str(w.message).startswith("committee_ is None")]
    assert clf.committee_ is None
    assert clf.predict(X).shape == (60,)


def test_a_category_that_categorical_nb_does_not_know_has_its_own_remedy():
    rows = np.arange(60)[:, None]
    with pytest.warns(UserWarning, match=r"min_categories=\.\.\., the number of all"):
        run(CategoricalNB(), X=rows)


def test_a_warm_start_of_a_committee_is_told_where_it_is_asked():
    members = [("warm", SGDClassifier(warm_start=True)), ("bayes", GaussianNB())]
    with pytest.warns(UserWarning, match="warm_start=True of SGDClassifier"):
        run(GaussianNB(), strategy="vote_entropy", committee=members, budget=4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run(GaussianNB(), strategy="margin", committee=members, budget=4)
