"""The checks before a run, and the inputs that they return."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import (
    LinearRegression,
    LogisticRegression,
    RidgeClassifier,
    SGDClassifier,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer, StandardScaler
from sklearn.semi_supervised import LabelPropagation, LabelSpreading
from sklearn.svm import SVC

from skactive import ActiveLearningClassifier, CommitteeClassifier, PseudoLabels
from skactive._loop.inputs import check_inputs
from skactive._loop.past import Past
from skactive.acquisition import BaseStrategy, EpsilonGreedy
from skactive.stopping import BaseCriterion, ValidationPlateau

X = np.arange(8.0).reshape(8, 1)
Y = np.array([0, 1, -1, -1, -1, -1, -1, -1])
IDS = [10, 11, 12, 13, 14, 15, 16, 17]
LOGISTIC = LogisticRegression()


def check(estimator=LOGISTIC, **changes):
    """Check inputs; parameters of `fit` have their names, the others the classifier."""
    names = ("X", "y", "sample_ids", "cost", "fit_params", "has_oracle", "read_past")
    given = {
        "X": X,
        "y": Y,
        "sample_ids": None,
        "cost": None,
        "fit_params": {},
        "has_oracle": True,
    }
    given |= {name: changes.pop(name) for name in names if name in changes}
    clf = changes.pop("clf", None)
    if clf is None:
        params = {"budget": 4, "batch_size": 2, "random_state": 0} | changes
        clf = ActiveLearningClassifier(estimator, **params)
    return check_inputs(clf, **given)


def refused(match, error=ValueError, **changes):
    with pytest.raises(error, match=match) as caught:
        check(**changes)
    return str(caught.value)


def is_silent(pattern, **changes):
    with warnings.catch_warnings():
        warnings.filterwarnings("error", pattern)
        return check(**changes)


# What is returned


def test_inputs_are_what_was_given_checked():
    frame = pd.DataFrame({"a": X[:, 0]})
    cost = list(range(8))
    inputs = check(X=frame, sample_ids=IDS, cost=cost, classes=[1, 0])
    assert inputs.given_X is frame
    assert inputs.clf.n_features_in_ == 1
    assert inputs.y.tolist() == Y.tolist()
    assert inputs.labeled.tolist() == [True, True, *[False] * 6]
    assert inputs.classes.tolist() == [0, 1]
    assert inputs.sample_ids.tolist() == IDS
    assert inputs.cost.tolist() == cost
    assert (inputs.fit_params, inputs.criteria) == ({}, [])
    assert not inputs.past.in_session
    assert inputs.fingerprint["n_samples"] == 8


def test_rows_in_lists_become_an_array():
    inputs = check(X=X.tolist())
    assert isinstance(inputs.X, np.ndarray)
    assert inputs.given_X == X.tolist()


def test_the_classifier_is_a_clone_that_shares_its_random_state():
    state = np.random.RandomState(5)
    clf = ActiveLearningClassifier(LOGISTIC, random_state=state, batch_size=3)
    first, second = check(clf=clf), check(clf=clf)
    assert first.clf is not clf
    assert first.clf.batch_size == 3
    assert first.clf.random_state is state
    expected = np.random.RandomState(5).randint(2**31 - 1, size=2)
    assert [first.seed, second.seed] == expected.tolist()


def test_strategies_are_clones():
    class Keeps(BaseStrategy):
        def utility(self, pool):
            return pool.candidates

    first, second = Keeps(), Keeps()
    inputs = check(strategy=first, initial_strategy=second)
    assert isinstance(inputs.strategy, Keeps)
    assert isinstance(inputs.initial_strategy, Keeps)
    assert inputs.strategy is not first
    assert inputs.initial_strategy is not second


def test_the_order_of_ties_depends_on_the_seed_only():
    inputs = check()
    other = inputs.with_seed(inputs.seed + 1)
    seeds = [inputs.tie_seed, check().tie_seed, other.tie_seed]
    assert seeds[0] == seeds[1] != seeds[2]
    assert all(type(seed) is int for seed in seeds)
    assert max(seeds) >= 2**32  # of 64 bits
    assert other.y is inputs.y
    assert other.seed == inputs.seed + 1


def test_names_of_rows_are_ids_and_those_of_the_index():
    rows = np.array([2, 0])
    frame = pd.DataFrame(X, index=list("abcdefgh"), columns=["x"])
    named = [check(sample_ids=IDS), check(X=frame), check(X=frame, sample_ids=IDS)]
    found = [[list(n) for n in inputs.names_of(rows)] for inputs in (check(), *named)]
    assert found == [[[2, 0]], [[12, 10]], [["c", "a"]], [[12, 10], ["c", "a"]]]


def test_rows_are_found_by_their_ids():
    inputs = check(sample_ids=IDS)
    rows = inputs.find([15, 10, 15])
    assert rows.tolist() == [5, 0, 5]
    assert rows.dtype == np.intp
    assert inputs.find([]).dtype == np.intp
    assert inputs.row_of_id == dict(zip(IDS, range(8), strict=True))
    assert check().row_of_id is None


def test_unknown_ids_are_named():
    inputs = check(sample_ids=IDS)
    with pytest.raises(ValueError, match=r"no rows with the sample_ids \[9, 18\]\.$"):
        inputs.find([10, 9, 18])
    with pytest.raises(ValueError, match=r"\['11'\]\. Only the type differs: '11'"):
        inputs.find(["11"])
    with pytest.raises(ValueError, match="cannot be told by sample_ids"):
        check().find([1])


@pytest.mark.parametrize(
    ("budget", "n_rows", "limit"),
    [
        (None, 6, np.inf),
        (0, 0, 0),
        (4, 4, 4),
        (9, 6, 9),
        (np.int64(9), 6, 9),
        (0.5, 3, 3),
        (0.4, 2, 2),  # 2.4 rows
        (0.01, 1, 1),
        (1.0, 6, 6),
    ],
)
def test_the_budget_in_rows(budget, n_rows, limit):
    inputs = check(budget=budget)
    assert (inputs.budget, inputs.limit) == (n_rows, limit)


@pytest.mark.parametrize(("how", "n_rows"), [("ask", 6), ("once", 2), ("share", 2)])
def test_equal_rows_that_are_not_asked_about_need_no_budget(how, n_rows):
    rows = np.array([[0.0], [1], [2], [2], [3], [3], [0], [1]])
    inputs = check(X=rows, budget=None, equal_rows=how)
    assert inputs.budget == inputs.equal_rows.n_askable == n_rows


# What is refused


@pytest.mark.parametrize(
    ("match", "changes"),
    [
        ("'batch_size' parameter of ActiveLearningClassifier", {"batch_size": 0}),
        (
            "'missing_label' param.* ActiveLearningClassifier.*True",
            {"missing_label": 1},
        ),
        (
            "'classes' param.* ActiveLearningClassifier.* y contains",
            {"classes": [0, 2]},
        ),
        ("'strategy' param.* of ActiveLearningClassifier", {"strategy": "margn"}),
        ("'initial_strategy' param.* of Act", {"initial_strategy": "margn"}),
        ("'stopping' param.* of ActiveLearningClassifier", {"stopping": "margn"}),
        ("'committee' param.* of ActiveLearningClassifier", {"committee": []}),
        ("requires y to be passed, but the target y is None", {"y": None}),
        ("inconsistent numbers of samples", {"y": Y[:-1]}),
        ("one id for each of the 8 rows", {"sample_ids": IDS[:-1]}),
        ("finite number >= 0 for each of the 8 rows", {"cost": [1.0]}),
        ("There are no labels, and budget=0", {"y": Y * 0 - 1, "budget": 0}),
        ("no labels and no oracle", {"y": Y * 0 - 1, "has_oracle": False}),
        ("unknown_answers='abstain' needs `clas", {"unknown_answers": "abstain"}),
        ("initial_strategy must not need a model", {"initial_strategy": "margin"}),
    ],
)
def test_each_mistake_is_named(match, changes):
    if "missing_label" in changes:
        changes = {"missing_label": True}
    refused(match, **changes)


def test_labels_may_be_missing_if_there_is_a_budget_and_an_oracle():
    assert check(y=Y * 0 - 1).budget == 4
    assert check(unknown_answers="abstain", classes=[0, 1]).budget == 4


def test_an_index_in_another_order_is_refused_for_each_value():
    frame = pd.DataFrame(X, index=IDS, columns=["x"])
    moved = pd.Series(np.arange(8), index=IDS[::-1])
    for name, values in {"y": moved % 2, "sample_ids": moved, "cost": moved}.items():
        refused(f"^{name} and X have different indices", X=frame, **{name: values})
    with config_context(enable_metadata_routing=True):
        estimator = LogisticRegression().set_fit_request(sample_weight=True)
        params = {"estimator": estimator, "fit_params": {"sample_weight": moved}}
        refused("^sample_weight and X have different", X=frame, **params)
        weights = [1.0] * 8
        inputs = check(estimator, fit_params={"sample_weight": weights})
    assert inputs.fit_params == {"sample_weight": weights}
    match = r"Classifier\.fit .*groups"
    refused(match, error=(TypeError, ValueError), fit_params={"groups": weights})


def test_a_marker_that_does_not_fit_into_y_is_refused_if_there_is_an_oracle():
    y = np.array([0, 1, *[255] * 6], dtype=np.uint8)
    refused("unsigned dtype uint8", y=y)
    assert check(y=y, has_oracle=False).labeled.all()


def test_labels_in_another_order_than_the_ids_are_warned_of():
    y = pd.Series(Y, index=[11, 10, *IDS[2:]])
    with pytest.warns(UserWarning, match="^y is matched with the rows by position"):
        check(y=y, sample_ids=IDS)


def test_only_classifiers_of_features_are_taken():
    match = r"'estimator' parameter of ActiveLearningClassifier: .* the regressor Lin"
    refused(match, estimator=LinearRegression())
    refused("works on pairwise kernels", estimator=SVC(kernel="precomputed"))
    message = refused("pairwise", estimator=SVC(kernel="precomputed"))
    assert "'estimator' parameter" in message or message.startswith("estimator=")


@pytest.mark.parametrize("name", ["strategy", "initial_strategy"])
def test_parts_of_parts_are_checked(name):
    part = EpsilonGreedy("random", epsilon=2.0)
    refused("'epsilon' parameter of EpsilonGreedy", **{name: part})


def test_criteria_are_checked():
    refused(
        "'patience' parameter of ValidationPlateau",
        stopping=ValidationPlateau(patience=0),
    )


def test_an_initial_strategy_may_say_nothing_about_its_needs():
    class Bare(BaseEstimator):
        def utility(self, pool):
            return pool.candidates

    assert isinstance(check(initial_strategy=Bare()).initial_strategy, Bare)


def test_the_classes_of_a_committee_are_compared_with_the_labels():
    committee = CommitteeClassifier([("a", LOGISTIC), ("b", GaussianNB())])
    check(committee=committee)
    for classes, why in (([0, 2], "not among"), ([0, 1, -1], "is the missing label")):
        committee.set_params(classes=classes)
        match = f"'classes' parameter of CommitteeClassifier: .*{why}"
        refused(match, committee=committee)
    refused("'classes' parameter .* is the missing label", classes=[0, 1, -1])


class Watches(BaseStrategy, BaseCriterion):
    """Keeps what it is asked to check; a strategy and a criterion."""

    seen = []

    def utility(self, pool):
        return pool.candidates

    def update(self, pool):
        return None

    def check_model(self, estimator, committee):
        self.seen.append(("model", estimator, committee))

    def check_X(self, X):
        self.seen.append(("X", X))

    def check_cost(self, cost):
        self.seen.append(("cost", None if cost is None else cost.tolist()))

    def check_run(self, clf, X, labels):
        self.seen.append(("run", clf.batch_size, X, labels.tolist()))


def test_parts_check_the_models_the_rows_and_the_prices_of_rows_without_a_label():
    Watches.seen.clear()
    inputs = check(strategy=Watches(), committee=3, stopping=Watches(), cost=range(8))
    (model, run, rows, prices) = Watches.seen
    assert model == ("model", inputs.clf.estimator, 3)
    assert run[:2] == ("run", 2)
    assert run[3] == [0, 1]
    assert run[2] is rows[1] is inputs.X
    assert prices == ("cost", [2, 3, 4, 5, 6, 7])
    assert [type(criterion) for _, criterion in inputs.criteria] == [Watches]


def test_an_initial_strategy_checks_too_and_criteria_get_closed_classes():
    Watches.seen.clear()
    check(initial_strategy=Watches(), stopping=Watches(), classes=[0, 1, 2])
    kinds = [entry[0] for entry in Watches.seen]
    assert kinds == ["run", "X", "cost"]
    assert Watches.seen[0][3] == [0, 1, 2]
    assert Watches.seen[2] == ("cost", None)


@pytest.mark.parametrize(
    "changes", [{"has_oracle": False}, {"budget": 0}, {"y": np.arange(8) % 2}]
)
@pytest.mark.filterwarnings("ignore:(There is no oracle|y contains no unlabeled)")
def test_what_buys_nothing_needs_nothing_of_the_strategy(changes):
    Watches.seen.clear()
    check(strategy=Watches(), stopping=Watches(), initial_strategy="margin", **changes)
    assert Watches.seen == []


# -1 as a class, and rows without a label that are passed on


@pytest.mark.parametrize("classes", [None, [0, -1]])
def test_rows_that_are_passed_as_minus_one_need_other_classes(classes):
    y = np.array([-1, 0, *[9] * 6]) if classes is None else np.array([0, *[9] * 7])
    params = {"missing_label": 9, "classes": classes}
    estimator = LabelSpreading()
    refused("-1 is one of the classes", estimator=estimator, y=y, unlabeled="pass",
            **params)  # fmt: skip
    check(estimator=LOGISTIC, y=y, **params)
    check(estimator=estimator, unlabeled="pass")


@pytest.mark.parametrize("kind", [LabelPropagation, LabelSpreading])
def test_propagation_does_not_take_texts_beside_minus_one(kind):
    y = np.array(["a", "b", *["?"] * 6])
    params = {"y": y, "missing_label": "?", "unlabeled": "pass"}
    for estimator in (kind(), make_pipeline(StandardScaler(), Normalizer(), kind())):
        message = refused("does not accept -1 beside classes", estimator=estimator,
                          **params)  # fmt: skip
        assert "such as 'a'" in message
        check(estimator=estimator, unlabeled="pass")
    check(estimator=LOGISTIC, **params)
    closed = {"classes": ["a", "b"], "y": np.full(8, "?")}
    refused("-1 beside classes", estimator=kind(), **params | closed)
    check(estimator=kind(), **params | {"y": np.full(8, "?")})


def test_pseudo_labels_need_probabilities_where_rows_have_no_label():
    refused("needs predict_proba", estimator=RidgeClassifier(), strategy="random",
            unlabeled=PseudoLabels())  # fmt: skip
    check(unlabeled=PseudoLabels())
    with pytest.warns(UserWarning, match="y contains no unlabeled"):
        check(
            RidgeClassifier(),
            strategy="random",
            unlabeled=PseudoLabels(),
            y=np.arange(8) % 2,
        )
    check(RidgeClassifier(), strategy="random", unlabeled="ignore")
    refused("parameter of PseudoLabels", unlabeled=PseudoLabels(threshold=-1.0))


# What is warned of


def test_rows_without_a_label_and_without_an_oracle_are_warned_of():
    with pytest.warns(UserWarning, match="^There is no oracle"):
        check(has_oracle=False)
    is_silent("There is no oracle", y=np.arange(8) % 2, has_oracle=False)
    is_silent("There is no oracle")


def test_an_oracle_that_will_not_be_asked_is_warned_of():
    with pytest.warns(UserWarning, match="so the oracle will not be asked.*by -1"):
        check(y=np.arange(8) % 2)
    is_silent("y contains no unl", y=np.arange(8) % 2, has_oracle=False)
    is_silent("y contains no unl")


def test_a_class_that_may_be_the_marker_is_warned_of():
    one = np.array([1, *[-1] * 7])
    with pytest.warns(
        UserWarning, match="only class with labels is 1, and the missing"
    ):
        check(y=one)
    is_silent("The only class", y=one, classes=[0, 1])
    is_silent("The only class", y=np.array([0, *[-1] * 7]))
    is_silent("The only class", y=np.array([1, *[7] * 7]), missing_label=7)
    is_silent("The only class")


def test_a_warm_start_without_effect_is_warned_of():
    warm = SGDClassifier(loss="log_loss", warm_start=True)
    for estimator in (warm, make_pipeline(StandardScaler(), warm)):
        with pytest.warns(
            UserWarning, match="^warm_start=True of SGDClassifier has no"
        ):
            check(estimator)
    is_silent("warm_start", estimator=SGDClassifier(loss="log_loss"))


@pytest.mark.parametrize("as_list", [True, False])
def test_a_warm_start_of_a_committee_is_warned_of_if_it_is_asked(as_list):
    forest = RandomForestClassifier(n_estimators=3, warm_start=True)
    committee = [("a", forest), ("b", GaussianNB())] if as_list else forest
    with pytest.warns(UserWarning, match="^warm_start=True of RandomForestClassifier"):
        check(committee=committee, strategy="vote_entropy")
    is_silent("warm_start", committee=committee, strategy="margin")


class GoesOn(SGDClassifier):
    def start_from(self, fitted):
        self.fitted = fitted


def test_a_warm_start_of_who_goes_on_is_not_warned_of():
    goes_on = GoesOn(loss="log_loss", warm_start=True)
    is_silent("warm_start", estimator=goes_on)
    is_silent("warm_start", estimator=make_pipeline(StandardScaler(), goes_on))


# Sessions


def session(**known):
    """Read a session that knows something about rows."""

    def read_past(row_of_id):
        assert row_of_id == dict(zip(IDS, range(8), strict=True))
        return Past(in_session=True, **known)

    return {"read_past": read_past, "sample_ids": IDS}


def test_a_session_needs_ids():
    refused("^session needs sample_ids", read_past=lambda row_of_id: Past())


def test_labels_of_a_session_are_bought_and_not_given():
    inputs = check(**session(labels={1: 1, 4: 0}, queried=[(4, 1, np.nan)]))
    assert inputs.y.tolist() == [0, *[-1] * 7]
    assert inputs.y.dtype == Y.dtype
    assert inputs.labeled.tolist() == [True, *[False] * 7]
    assert inputs.past.labels == {1: 1, 4: 0}
    assert Y[1] == 1  # the array of the user is not changed


def test_a_label_of_y_for_a_row_that_was_skipped_joins_the_session():
    inputs = is_silent("rows have another", **session(skipped=[1, 5]))
    assert inputs.past.labels == {1: 1}
    assert inputs.past.skipped == [5]
    assert not inputs.labeled[1]


def test_the_label_of_the_session_is_used_and_the_other_one_warned_of():
    pattern = r"^1 rows have another label in y than in the session: rows \[1\]"
    with pytest.warns(UserWarning, match=pattern):
        inputs = check(**session(labels={0: 0, 1: 0}))
    assert inputs.past.labels == {0: 0, 1: 0}
    is_silent("rows have another", **session(labels={0: 0, 1: 1}))


def test_rows_that_are_gone_have_used_budget():
    known = session(n_gone=2)
    assert check(budget=None, **known).budget == 6 + 2
    assert check(budget=0.5, **known).budget == 4
    assert check(budget=7, **known).budget == 7
    assert check(budget=100, **known).limit == 100


def test_labels_of_a_session_are_known_to_criteria_and_committees():
    Watches.seen.clear()
    check(stopping=Watches(), **session(labels={3: 5, 1: 1}))
    assert sorted(Watches.seen[0][3]) == [0, 1, 5]
    is_silent("The only class", y=np.array([1, *[-1] * 7]), **session(labels={3: 0}))


def test_no_row_is_asked_about_that_equals_one_of_the_session():
    rows = np.array([[0.0], [1], [2], [2], [3], [3], [3], [3]])
    for seed in range(8):
        known = session(skipped=[7, 2])
        inputs = check(X=rows, equal_rows="once", random_state=seed, **known)
        assert np.flatnonzero(inputs.equal_rows.askable).tolist() == [2, 7]
