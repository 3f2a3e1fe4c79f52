"""What strategies, criteria and oracles of others may define, and what comes of it."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression, Perceptron

from skactive import ActiveLearningClassifier
from skactive.acquisition import BaseStrategy, Selection
from skactive.oracles import MajorityOracle, RunFacts
from skactive.stopping import BaseCriterion
from skactive.testing import check_oracle

X = np.linspace(-1, 1, 40).reshape(-1, 1)
TRUTH = (X[:, 0] > 0.1).astype(int)
Y = np.where(np.arange(40) % 13, -1, TRUTH)
COST = 1.0 + np.arange(40) % 3


def ask(X, sample_ids):
    return TRUTH[sample_ids]


def fit(oracle=ask, model=None, cost=None, **params):
    model = LogisticRegression() if model is None else model
    clf = ActiveLearningClassifier(
        model, oracle=oracle, batch_size=3, budget=6, random_state=0, **params
    )
    return clf.fit(X, Y, sample_ids=np.arange(40), cost=cost)


class Returns(BaseStrategy):
    """Selects what a function of candidates says."""

    def __init__(self, function):
        self.function = function

    def select(self, pool, n_queries):
        return self.function(pool.candidates[:n_queries])


def test_a_strategy_may_return_rows():
    clf = fit(strategy=Returns(lambda rows: rows.tolist()))
    assert clf.query_indices_.tolist() == [1, 2, 3, 4, 5, 6]
    assert not hasattr(clf, "query_probabilities_")


def test_a_strategy_may_return_a_selection_with_probabilities():
    draw = Returns(lambda rows: Selection(rows, probabilities=[0.5, 0.25, 1.0]))
    clf = fit(strategy=draw)
    assert clf.query_indices_.tolist() == [1, 2, 3, 4, 5, 6]
    assert clf.query_probabilities_.tolist() == [0.5, 0.25, 1.0] * 2


def test_what_a_selection_says_of_utilities_is_recorded():
    state = Returns(
        lambda rows: Selection(
            rows, utilities=[3, 2, 1], best_utility=3.0, mean_utility=0.5
        )
    )
    record = fit(strategy=state).history_[0]
    assert (record["best_utility"], record["mean_utility"]) == (3.0, 0.5)


@pytest.mark.parametrize("utilities", [[1.0], [1, 2, np.nan], "abc", [[1], [2, 3]]])
def test_wrong_utilities_of_a_selection_are_refused(utilities):
    state = Returns(lambda rows: Selection(rows, utilities=utilities))
    with pytest.raises(ValueError, match=r"Returns\.select.*one number for each"):
        fit(strategy=state)


@pytest.mark.parametrize("said", [{"best_utility": "x"}, {"mean_utility": [1, 2]}])
def test_wrong_summaries_of_a_selection_are_refused(said):
    state = Returns(lambda rows: Selection(rows, **said))
    with pytest.raises(ValueError, match=r"_utility of .*\.select must be a num"):
        fit(strategy=state)


@pytest.mark.parametrize(
    ("returned", "message"),
    [(None, "got None"), ({1}, r"got \{1\}"), ([True, False], r"candidates\[mask\]")],
)
def test_what_is_returned_instead_of_rows_is_named(returned, message):
    with pytest.raises(ValueError, match=f"row numbers of X, .*{message}"):
        fit(strategy=Returns(lambda rows: returned))


def test_a_strategy_without_a_method_is_refused_before_anything_is_asked():
    class Empty(BaseStrategy):
        pass

    message = r"Empty must implement utility\(pool\) or select\(pool, n_queries\)"
    with pytest.raises(TypeError, match=message):
        fit(lambda X: pytest.fail("asked"), strategy=Empty())


def test_a_selection_reads_like_its_rows():
    selection = Selection([5, 2, 9])
    assert len(selection) == 3
    assert [*selection] == selection.tolist() == [5, 2, 9]
    assert selection[0] == 5
    assert np.asarray(selection).dtype.kind == "i"
    assert COST[selection].tolist() == [3.0, 3.0, 1.0]
    given = np.array([1, 2])
    assert np.array(Selection(given), copy=True) is not given


def test_a_strategy_without_a_base_class_needs_only_one_method():
    class Plain(BaseEstimator):
        def utility(self, pool):
            return -pool.candidates.astype(float)

    assert fit(strategy=Plain()).query_indices_.tolist() == [1, 2, 3, 4, 5, 6]


def test_needs_are_checked_beside_a_check_of_its_own():
    class Checks(BaseStrategy):
        needs = frozenset({"proba"})

        def check_model(self, estimator, committee=None):
            pass

        def utility(self, pool):
            return pool.proba[:, 0]

    class ChecksRun(BaseCriterion):
        needs = frozenset({"proba"})

        def check_run(self, clf, X, labels):
            pass

    with pytest.raises(ValueError, match="Checks needs a classifier with predict_prob"):
        fit(model=Perceptron(), strategy=Checks())
    with pytest.raises(ValueError, match="ChecksRun needs a classifier with predict_p"):
        fit(model=Perceptron(), strategy="random", stopping=ChecksRun())


class Told:
    """An oracle that keeps the facts that it gets about a run."""

    def __init__(self):
        self.progress = []

    def __call__(self, X, sample_ids):
        raise AssertionError("what for_run returns is asked")

    def for_run(self, facts):
        self.facts = facts
        return self.answer

    def answer(self, X, sample_ids):
        self.progress.append(self.facts.progress())
        return TRUTH[sample_ids]


def test_an_oracle_learns_about_the_run():
    oracle = Told()
    fit(oracle, strategy="random", cost=COST)
    facts = oracle.facts
    assert facts.parse(1) == 1
    with pytest.raises(ValueError, match="not a class"):
        facts.parse(0.5)
    assert facts.missing_label == -1
    assert facts.prices == dict(enumerate(COST))
    assert facts.given == ([0, 13, 26, 39], TRUTH[::13].tolist())
    assert oracle.progress == [(3, 6), (6, 6)]


def test_an_annotator_of_a_majority_learns_about_the_run_but_not_the_labels():
    told = Told()
    fit(MajorityOracle([told, ask]), strategy="random", cost=COST)
    assert told.facts.prices == dict(enumerate(COST))
    assert told.facts.given == ([], [])


def test_facts_have_defaults_for_tests_of_an_oracle():
    facts = RunFacts(parse=int)
    assert (facts.missing_label, facts.prices, facts.progress) == (-1, None, None)


def test_an_oracle_may_say_what_it_is_given():
    class Relay:
        def wanted_keywords(self, *, has_sample_ids):
            return ("sample_ids",) if has_sample_ids else ()

        def __call__(self, *args, **kwargs):
            return ask(*args, **kwargs)

    assert fit(Relay(), strategy="random").n_queries_ == 6


def test_wrong_hooks_of_an_oracle_are_refused():
    class Nothing(Told):
        def for_run(self, facts):
            pass

    class Price(Told):
        def wanted_keywords(self, *, has_sample_ids):
            return ["sample_ids", "price"]

    with pytest.raises(TypeError, match=r"for_run .*Nothing.* must return .*None"):
        fit(Nothing(), strategy="random")
    with pytest.raises(TypeError, match=r"wanted_keywords .*Price.*\['price'\]"):
        fit(Price(), strategy="random")
    with pytest.raises(AssertionError, match=r"contract of oracles.*for_run.*None\.$"):
        check_oracle(Nothing(), X, sample_ids=np.arange(40))


@pytest.mark.parametrize("hook", ["for_run", "wanted_keywords"])
def test_a_hook_that_is_not_a_method_is_refused(hook):
    oracle = type("Odd", (Told,), {hook: ["proba"]})()
    with pytest.raises(TypeError, match=rf"{hook} .*Odd.* must be a method"):
        fit(oracle, strategy="random")


@pytest.mark.parametrize("wanted", [None, "sample_ids"])
def test_wanted_keywords_are_a_list_of_names(wanted):
    oracle = type("Odd", (Told,), {"wanted_keywords": lambda self, **k: wanted})()
    with pytest.raises(TypeError, match=rf"must return some of .*got {wanted!r}"):
        fit(oracle, strategy="random")


def test_check_oracle_asks_as_a_run_does():
    oracle = Told()
    check_oracle(oracle, X, sample_ids=np.arange(40), classes=[0, 1])
    assert len(oracle.progress) == 2


@pytest.mark.parametrize("needs", [{"probability"}, {("proba", "vote")}, "proba", None])
def test_an_unknown_need_is_refused(needs):
    class Typo(BaseStrategy):
        def utility(self, pool):
            return np.zeros(len(pool))

    class TypoCriterion(BaseCriterion):
        def update(self, pool):
            return None

    Typo.needs = TypoCriterion.needs = needs
    with pytest.raises(ValueError, match=r"needs of Typo must be a set .*'embedding'"):
        fit(strategy=Typo())
    with pytest.raises(ValueError, match="needs of TypoCriterion must be a set"):
        fit(strategy="random", stopping=TypoCriterion())


def test_names_with_an_underscore_are_not_looked_for():
    class OldOracle:
        def __call__(self, X, sample_ids):
            return TRUTH[sample_ids]

        def _for_run(self, **facts):
            raise AssertionError

        def _wanted_keywords(self, *, has_sample_ids):
            raise AssertionError

    class OldStrategy(BaseStrategy):
        def utility(self, pool):
            return np.zeros(len(pool))

        def _selection(self, pool, n_queries):
            raise AssertionError

    assert fit(OldOracle(), strategy=OldStrategy()).n_queries_ == 6
