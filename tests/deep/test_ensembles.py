"""Ensembles: where members differ, and what they share."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from skactive.deep import (
    DeepEnsembleClassifier,
    DiversityEncouragingEnsembleClassifier,
    SnapshotEnsembleClassifier,
    SplitHeadClassifier,
    StochasticEnsembleClassifier,
    cyclic_learning_rate,
)
from skactive.deep._split_head import SplitHeadLoss, SplitHeadNetwork


class Recorder(Callback):
    """Keeps weights at the start of training and after epochs, and learning rates."""

    def initialize(self):
        self.starts, self.ends, self.rates = [], [], []
        return self

    def on_train_begin(self, net, **kwargs):
        self.starts.append(weights(net.module_))

    def on_epoch_end(self, net, **kwargs):
        self.ends.append(weights(net.module_))

    def on_batch_end(self, net, training=False, **kwargs):
        self.rates.append(net.optimizer_.param_groups[0]["lr"])


def weights(module):
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def recorded(clf, X, y):
    """Fit, and return the recorder of each net."""
    clf.set_params(net_params={"callbacks": [("recorder", Recorder())]}).fit(X, y)
    return [dict(net.callbacks_)["recorder"] for net in clf.nets_]


def test_deep_members_begin_and_end_apart(iris):
    clf = DeepEnsembleClassifier(n_members=3, max_epochs=3, random_state=0)
    records = recorded(clf, *iris)
    assert not torch.equal(records[0].starts[0], records[1].starts[0])
    members = clf.predict_member_proba(iris[0])
    plain = clf.nets_[2].module_.eval()(torch.tensor(iris[0])).softmax(1)
    np.testing.assert_allclose(members[2], plain.detach().numpy(), atol=1e-6)


def test_members_from_one_object_are_warned_of(iris):
    net = nn.Sequential(nn.Linear(4, 8), nn.Dropout(), nn.Linear(8, 3))
    with pytest.warns(UserWarning, match="begin with the weights of module"):
        DeepEnsembleClassifier(net, max_epochs=1).fit(*iris)
    with pytest.warns(UserWarning, match="begin with the weights of module"):
        StochasticEnsembleClassifier(net, max_epochs=1).fit(*iris)


def test_diverse_members_share_exactly_their_start(iris):
    clf = DiversityEncouragingEnsembleClassifier(
        n_members=3, start_epochs=4, max_epochs=2, random_state=0
    )
    records = recorded(clf, *iris)
    starts = [record.starts[-1] for record in records]
    assert torch.equal(starts[0], starts[1])
    assert torch.equal(starts[0], starts[2])
    # It is what the first network had after the epochs of the start.
    fresh = DeepEnsembleClassifier(n_members=1, random_state=0, max_epochs=1)
    assert not torch.equal(starts[0], recorded(fresh, *iris)[0].starts[0])
    assert np.ptp(clf.predict_member_proba(iris[0]), axis=0).max() > 0.001
    assert [len(net.history) for net in clf.nets_] == [2, 2, 2]


def test_diverse_members_need_dropout(iris):
    with pytest.raises(ValueError, match="has no dropout"):
        DiversityEncouragingEnsembleClassifier(
            lambda n_classes: nn.Linear(4, n_classes)
        ).fit(*iris)


def test_cyclic_learning_rate_is_the_published_one():
    expected = [0.1, 0.090451, 0.065451, 0.034549, 0.009549] * 2
    rates = [cyclic_learning_rate(t, 10, 2, 0.1) for t in range(1, 11)]
    np.testing.assert_allclose(rates, expected, atol=5e-7)


def test_training_follows_the_cycles_in_minibatches(iris):
    clf = SnapshotEnsembleClassifier(n_members=2, max_epochs=4, batch_size=50, lr=0.1)
    rates = recorded(clf, *iris)[0].rates
    expected = [cyclic_learning_rate(t, 12, 2, 0.1) for t in range(1, 13)]
    np.testing.assert_allclose(rates, expected)


def test_snapshots_are_the_weights_at_the_ends_of_cycles(iris):
    # 5 epochs for 3 members become 3 cycles of 2 epochs
    clf = SnapshotEnsembleClassifier(n_members=3, max_epochs=5, random_state=0)
    ends = recorded(clf, *iris)[0].ends
    assert len(ends) == 6
    for snapshot, end in zip(clf.snapshots_, ends[1::2], strict=True):
        assert torch.equal(torch.cat([v.flatten() for v in snapshot.values()]), end)
    last = clf.nets_[0].module_.eval()(torch.tensor(iris[0])).softmax(1)
    members = clf.predict_member_proba(iris[0])
    np.testing.assert_allclose(members[2], last.detach().numpy(), atol=1e-6)
    assert np.abs(members[0] - members[2]).max() > 0.001


@pytest.mark.parametrize("callbacks", ["disable", None, ()])
def test_snapshots_are_taken_whatever_other_callbacks_there_are(iris, callbacks):
    clf = SnapshotEnsembleClassifier(n_members=2, max_epochs=2)
    clf.set_params(net_params={"callbacks": callbacks}).fit(*iris)
    assert len(clf.snapshots_) == 2


def test_predicting_by_snapshots_leaves_the_network_alone(iris):
    clf = SnapshotEnsembleClassifier(n_members=2, max_epochs=2).fit(*iris)
    before = weights(clf.nets_[0].module_).clone()
    clf.predict_member_proba(iris[0])
    assert torch.equal(weights(clf.nets_[0].module_), before)


def test_snapshots_are_kept_while_training_goes_on_by_epochs(iris):
    clf = SnapshotEnsembleClassifier(n_members=2, max_epochs=4, random_state=0)
    shapes = []
    for _ in range(7):
        clf.partial_fit(*iris, classes=[0, 1, 2])
        shapes.append(len(clf.predict_member_proba(iris[0])))
    assert shapes == [1, 1, 1, 2, 2, 2, 2]


def test_one_epoch_stays_one_if_a_whole_training_has_one(iris):
    clf = SnapshotEnsembleClassifier(n_members=3, max_epochs=1, random_state=0)
    clf.partial_fit(*iris, classes=[0, 1, 2])
    assert len(clf.nets_[0].history) == 1
    assert len(clf.fit(*iris).nets_[0].history) == 3


def split_network():
    torch.manual_seed(0)
    trunk = nn.Sequential(nn.Linear(4, 5), nn.ReLU())
    return SplitHeadNetwork(nn.Sequential(trunk, nn.Linear(5, 3)), "1", 4)


def test_split_heads_share_their_trunk_and_differ_themselves():
    module, X = split_network(), torch.randn(6, 4)
    _, each, _ = module(X)
    features = module.network[0](X)
    for number, head in enumerate(module.network[1].heads):
        torch.testing.assert_close(each[number], head(features))
    first, second, *_ = module.network[1].heads
    assert not torch.equal(first.weight, second.weight)


def test_the_gradient_of_a_head_does_not_reach_another():
    module = split_network()
    module(torch.randn(6, 4))[1][2].sum().backward()
    heads = module.network[1].heads
    assert [bool(head.weight.grad.abs().sum() > 0) for head in heads] == [
        False,
        False,
        True,
        False,
    ]
    assert module.network[0][0].weight.grad.abs().sum() > 0


def test_the_loss_of_split_heads_is_weighted_row_by_row():
    logits = torch.tensor([[[0.0, 0.0]], [[np.log(3.0), 0.0]]])  # 2 heads, 1 row
    weights = torch.tensor([[2.0, 1.0]])
    loss = SplitHeadLoss()((None, logits, weights), torch.tensor([0]))
    assert loss.item() == pytest.approx((2 * np.log(2) + np.log(4 / 3)) / 2)


def test_split_heads_predict_what_their_heads_make_of_the_embedding(iris):
    X, y = iris
    clf = SplitHeadClassifier(n_members=3, max_epochs=3, random_state=0).fit(X, y)
    heads = clf.nets_[0].module_.network[3].heads
    features = torch.tensor(clf.embed(X))
    expected = [head(features).softmax(1).detach().numpy() for head in heads]
    np.testing.assert_allclose(clf.predict_member_proba(X), expected, atol=1e-6)


@pytest.mark.parametrize("bootstrap", [True, False])
def test_split_heads_learn(iris, bootstrap):
    clf = SplitHeadClassifier(
        bootstrap=bootstrap, max_epochs=15, lr=0.01, random_state=0
    )
    assert clf.fit(*iris).score(*iris) > 0.9


def test_bootstraps_of_heads_are_counts_with_several_classes(iris):
    clf = SplitHeadClassifier(n_members=6, max_epochs=1, random_state=0).fit(*iris)
    counts = clf._bootstraps(iris[1])
    assert counts.shape == (150, 6)
    assert (counts.sum(axis=0) == 150).all()
    assert len(np.unique(counts, axis=1).T) == 6


def test_a_head_may_be_named_and_have_several_layers(iris):
    class Named(nn.Module):
        def __init__(self):
            super().__init__()
            self.trunk = nn.Linear(4, 7)
            self.top = nn.Sequential(nn.Linear(7, 5), nn.ReLU(), nn.Linear(5, 3))

        def forward(self, X):
            return self.top(self.trunk(X).relu())

    clf = SplitHeadClassifier(Named, head="top", n_members=2, max_epochs=2).fit(*iris)
    assert clf.embed(iris[0]).shape == (150, 7)
    assert clf.predict_member_proba(iris[0]).shape == (2, 150, 3)
