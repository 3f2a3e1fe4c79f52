"""Wrong values of every public parameter: T91."""

import importlib
import inspect
import re

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB

from skactive import (
    ActiveLearningClassifier,
    CommitteeClassifier,
    LabelingLoop,
    PseudoLabels,
)
from skactive._loop.driver import facts_for_oracle
from skactive.acquisition import BaseStrategy
from skactive.model_selection import LabeledFold
from skactive.oracles._asking import oracle_keywords, prepare_oracle
from skactive.stopping import BaseCriterion
from skactive.utils._sklearn import validate_nested_params

PACKAGES = [
    "skactive",
    "skactive.acquisition",
    "skactive.datasets",
    "skactive.model_selection",
    "skactive.oracles",
    "skactive.plotting",
    "skactive.stopping",
    "skactive.testing",
    "skactive.deep",
]

# Made by functions and methods that check what they are given.
MADE = {
    "ActiveLearningCurve",
    "ActiveLearningCurveDisplay",
    "BatchCompositionDisplay",
    "Pool",
    "QueryMapDisplay",
    "RunFacts",
    "Selection",
}

# Any number of models, rounds or layers is made, however long that takes.
AS_MANY_AS_WANTED = {
    "n_members",
    "n_networks",
    "n_masks",
    "n_epochs",
    "max_epochs",
    "start_epochs",
    "n_vae_steps",
    "n_latent",
    "loss_width",
}

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 3))
TRUTH = (X[:, 0] > 0).astype(int)
Y = np.where(np.arange(40) < 10, TRUTH, -1)


class Thing:
    """A class, and nothing that anybody wants."""


HUGE = 10**25
WRONG = [
    None,
    True,
    float("nan"),
    float("inf"),
    -1,
    -0.5,
    0,
    1.5,
    HUGE,
    "",
    "bogus",
    b"x",
    [],
    {},
    (1, 2),
    [float("nan")],
    [None],
    np.array([1.0, 2.0]),
    np.array([[1.0, 2.0]]),
    Thing,
    Thing(),
    LogisticRegression,
]
FEW = [float("nan"), -1, HUGE, "bogus", [], Thing]


def zeros(pool):
    return np.zeros(len(pool))


def always(X):
    return [0] * len(X)


REQUIRED = {
    "ActiveLearningClassifier": {"estimator": GaussianNB()},
    "AllOf": {"criteria": ["max_uncertainty"]},
    "Alternate": {"strategies": ["margin", "random"]},
    "AnyOf": {"criteria": ["max_uncertainty"]},
    "CachedOracle": {"oracle": always, "path": "labels.sqlite"},
    "CommitteeClassifier": {"estimator": GaussianNB()},
    "EpsilonGreedy": {"strategy": "margin"},
    "ExpectedLossSampling": {"model": GaussianNB().fit(X, TRUTH)},
    "FunctionCriterion": {"function": lambda pool: None},
    "FunctionStrategy": {"function": zeros},
    "GainPerLabel": {"X_val": X, "y_val": TRUTH},
    "MajorityOracle": {"oracles": [lambda X: [0] * len(X) for _ in range(3)]},
    "PerCost": {"strategy": "margin"},
    "Prefilter": {"prefilter": "margin", "strategy": "random"},
    "Product": {"strategies": ["margin", "entropy"]},
    "Proxy": {"estimator": GaussianNB()},
    "Session": {"path": "labels.sqlite"},
    "SimulatedOracle": {"y_true": TRUTH},
    "Subsample": {"strategy": "margin"},
    "ValidationPlateau": {"X_val": X, "y_val": TRUTH},
    "WeightedSum": {"strategies": ["margin", "entropy"]},
}


def public_classes():
    for package in PACKAGES:
        try:
            module = importlib.import_module(package)
        except ImportError:  # of an extra
            continue
        for name in getattr(module, "__all__", []):
            if inspect.isclass(getattr(module, name)) and name not in MADE:
                yield getattr(module, name)


CLASSES = list(public_classes())


def is_deep(cls):
    """Tell whether any class may be a network that is trained."""
    return cls.__module__.startswith("skactive.deep")


def parameters(cls):
    if cls is LabelingLoop:
        return ["clf"]  # the others are data, as of `fit`
    return list(inspect.signature(cls).parameters)


def settings(cls, name, values=WRONG):
    """Yield the arguments of an object for each wrong value of a parameter."""
    for value in values:
        if isinstance(value, int) and value == HUGE and name in AS_MANY_AS_WANTED:
            continue
        yield value, REQUIRED.get(cls.__name__, {}) | {name: value}


def run_with(thing):
    """Return a run in which an object takes part, before the oracle is called."""
    params = {"budget": 6, "batch_size": 3, "random_state": 0}
    if isinstance(thing, ActiveLearningClassifier):
        clf = thing
    elif isinstance(thing, BaseStrategy):
        # Logistic regression is what most strategies know; these need partial_fit.
        learns = type(thing).__name__ == "LabelDispersionSampling"
        estimator = GaussianNB() if learns else LogisticRegression()
        clf = ActiveLearningClassifier(estimator, strategy=thing, **params)
    elif isinstance(thing, BaseCriterion):
        clf = ActiveLearningClassifier(GaussianNB(), stopping=thing, **params)
    elif isinstance(thing, PseudoLabels):
        clf = ActiveLearningClassifier(GaussianNB(), unlabeled=thing, **params)
    elif isinstance(thing, CommitteeClassifier):
        clf = ActiveLearningClassifier(
            GaussianNB(), committee=thing, strategy="vote_entropy", **params
        )
    else:
        return None
    y = Y
    if clf is thing and not (type(clf.missing_label) is int and clf.missing_label < 0):
        y = np.array([1, 0, *[clf.missing_label] * 38], dtype=object)
    return LabelingLoop(clf, X, y, cost=np.ones(40))


def validate(cls, arguments):
    """Run the checks made before the oracle is called or a model is fitted."""
    if cls is LabelingLoop:
        return LabelingLoop(arguments["clf"], X, Y)
    if cls is LabeledFold:
        return list(cls(**arguments).split(X, Y))
    thing = cls(**arguments)
    validate_nested_params(thing)
    if is_deep(cls):
        return None
    if cls.__module__.startswith("skactive.oracles"):
        keywords = oracle_keywords(thing, has_sample_ids=True)
        loop = LabelingLoop(ActiveLearningClassifier(GaussianNB()), X, Y)
        prepare_oracle(thing, lambda: facts_for_oracle(loop._run))
        return keywords
    return run_with(thing)


MEMBERS = (BaseStrategy, BaseCriterion, PseudoLabels, CommitteeClassifier)


def complaint(error, cls, name):
    """Return what is wrong with an error, None if nothing is."""
    message = str(error)
    if not isinstance(error, (ValueError, TypeError)):
        return f"is a {type(error).__name__}: {message[:200]}"
    missing = [
        word for word in (name, cls.__name__) if not re.search(rf"\b{word}\b", message)
    ]
    return f"does not name {missing}: {message[:200]}" if missing else None


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "cls", [c for c in CLASSES if parameters(c)], ids=lambda cls: cls.__name__
)
@pytest.mark.parametrize("values", [FEW, pytest.param(WRONG, marks=pytest.mark.slow)])
def test_t91_a_wrong_value_is_told_with_its_class_and_parameter(
    cls, values, monkeypatch, tmp_path
):
    monkeypatch.chdir(tmp_path)
    problems = []
    for name in parameters(cls):
        for value, arguments in settings(cls, name, values):
            try:
                validate(cls, arguments)
            except Exception as error:
                problem = complaint(error, cls, name)
                if problem:
                    problems.append(f"{name}={value!r} {problem}")
    assert not problems, "\n".join(problems)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "cls",
    [c for c in CLASSES if issubclass(c, MEMBERS) and parameters(c) and not is_deep(c)],
    ids=lambda cls: cls.__name__,
)
def test_what_is_not_refused_works(cls):
    for name in parameters(cls):
        for value, arguments in settings(cls, name):
            try:
                loop = run_with(cls(**arguments))
            except (ValueError, TypeError):
                continue
            try:
                while (query := loop.ask()) is not None:
                    loop.tell(TRUTH[query.indices].tolist())
                loop.finish()
            except Exception as error:
                error.add_note(f"{cls.__name__}({name}={value!r})")
                raise


def test_a_class_that_is_not_checked_is_made_by_something_that_is():
    known = {cls.__name__ for cls in CLASSES} | MADE
    for package in PACKAGES[:-1]:
        module = importlib.import_module(package)
        for name in getattr(module, "__all__", []):
            assert name in known or not inspect.isclass(getattr(module, name))
