"""Networks that have an output for every class of a closed set."""

import numpy as np
import pytest
from sklearn.datasets import make_classification

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from skactive import ActiveLearningClassifier  # noqa: E402
from skactive.deep import MCDropoutClassifier  # noqa: E402
from skactive.oracles import SimulatedOracle  # noqa: E402

X, TRUTH = make_classification(120, 20, n_classes=3, n_informative=8, random_state=0)
TWO = np.full(120, -1)
TWO[np.flatnonzero(TRUTH < 2)[:20]] = TRUTH[TRUTH < 2][:20]


class ThreeOutputs(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(20, 8), nn.Dropout(), nn.ReLU(), nn.Linear(8, 3))


def network(**params):
    return MCDropoutClassifier(
        ThreeOutputs, n_members=3, max_epochs=3, random_state=0, **params
    )


def run(estimator, **params):
    clf = ActiveLearningClassifier(
        estimator,
        oracle=SimulatedOracle(TRUTH),
        batch_size=5,
        budget=10,
        random_state=0,
        **params,
    )
    return clf.fit(X, TWO, sample_ids=np.arange(120))


@pytest.mark.parametrize("strategy", ["margin", "bald", "vote_entropy", "badge"])
def test_a_network_with_more_outputs_than_labels_learns_in_a_closed_set(strategy):
    clf = run(network(), strategy=strategy, classes=[0, 1, 2])
    assert clf.classes_.tolist() == [0, 1, 2]
    assert clf.estimator_.predict_member_proba(X).shape == (3, 120, 3)
    assert clf.estimator.classes is None  # the user's classifier is as it was


def test_without_classes_the_error_says_to_give_them():
    with pytest.raises(ValueError, match=r"give all of them: classes= of ActiveL"):
        run(network())


@pytest.mark.parametrize("names", [np.arange(3), np.array(["a", "b", "c"])])
@pytest.mark.parametrize("committee", [None, 2])
def test_a_network_of_skorch_is_told_the_classes(names, committee):
    from skorch import NeuralNetClassifier

    net = NeuralNetClassifier(
        ThreeOutputs,
        criterion=nn.CrossEntropyLoss,
        max_epochs=2,
        train_split=None,
        verbose=0,
    )
    rows, truth = X.astype(np.float32), names[TRUTH]
    y = np.where(TWO < 0, None, names[TWO])
    clf = ActiveLearningClassifier(
        net,
        oracle=SimulatedOracle(truth),
        strategy="margin" if committee is None else "bald",
        committee=committee,
        budget=5,
        classes=names,
        missing_label=None,
    ).fit(rows, y, sample_ids=np.arange(120))
    assert clf.classes_.tolist() == names.tolist()
    assert set(clf.predict(rows)) <= set(names.tolist())


def test_classes_of_its_own_bound_the_labels():
    clf = network(classes=["a", "b", "c"]).fit(X[:4], ["a", "c", "a", "c"])
    assert clf.predict_proba(X).shape == (120, 3)
    assert set(clf.predict(X)) <= {"a", "b", "c"}
    with pytest.raises(ValueError, match=r"y holds \['d'\], which are not among"):
        clf.fit(X[:2], ["a", "d"])
