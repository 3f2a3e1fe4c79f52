"""MC dropout: masks, and the one vectorised pass over many of them."""

from itertools import product

import numpy as np
import pytest
import torch
from torch import nn

from skactive.acquisition.functional import bald
from skactive.deep import MCDropoutClassifier, StochasticEnsembleClassifier
from skactive.deep._masks import DropoutMembers, affine_mask, choose_place

PLACES = ["linear", "dropout", "input", "nowhere"]


def tiny_net():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Dropout(0.5), nn.Linear(3, 2))


def by_all_masks(net, X):
    """Probabilities by each of the 8 masks, all equally likely at rate 0.5."""
    hidden, head = net[:2](X), net[3]
    masks = torch.tensor(list(product([0.0, 2.0], repeat=3)))
    return torch.stack([head(hidden * mask).softmax(1) for mask in masks]).detach()


@pytest.fixture(scope="module")
def fitted():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 2)).astype(np.float32)
    torch_state = torch.get_rng_state()
    clf = MCDropoutClassifier(
        tiny_net(), n_members=2000, max_epochs=5, lr=0.05, random_state=1
    )
    clf.fit(X, (X[:, 0] > 0).astype(int))
    torch.set_rng_state(torch_state)
    return clf, X


def test_mean_and_variance_are_those_over_all_masks(fitted):
    clf, X = fitted
    exact = by_all_masks(clf.nets_[0].module_, torch.tensor(X)).numpy()
    members = clf.predict_member_proba(X)
    error = exact.std(axis=0) / np.sqrt(2000)  # one standard error
    assert (np.abs(members.mean(axis=0) - exact.mean(axis=0)) < 5 * error + 1e-6).all()
    np.testing.assert_allclose(members.var(axis=0), exact.var(axis=0), atol=0.01)


def test_each_member_is_the_function_of_one_mask(fitted):
    clf, X = fitted
    exact = by_all_masks(clf.nets_[0].module_, torch.tensor(X)).numpy()
    members = clf.predict_member_proba(X)
    gaps = np.abs(members[:, None] - exact[None]).max(axis=(2, 3))  # over all rows
    assert gaps.min(axis=1).max() < 1e-5
    assert len(np.unique(gaps.argmin(axis=1))) == 8


def test_consensus_is_the_mean_and_prediction_its_argmax(fitted):
    clf, X = fitted
    mean = clf.predict_member_proba(X).mean(axis=0)
    np.testing.assert_allclose(clf.predict_proba(X), mean, rtol=1e-12)
    assert (clf.predict(X) == clf.classes_[mean.argmax(axis=1)]).all()


def test_without_mc_predict_dropout_is_off(fitted):
    clf, X = fitted
    clf = MCDropoutClassifier(tiny_net(), mc_predict=False, max_epochs=3).fit(
        X, (X[:, 0] > 0).astype(int)
    )
    net = clf.nets_[0].module_.eval()
    plain = net(torch.tensor(X)).softmax(1).detach().numpy()
    np.testing.assert_allclose(clf.predict_proba(X), plain, atol=1e-6)
    assert (clf.predict(X) == plain.argmax(axis=1)).all()
    assert clf.predict_member_proba(X).std(axis=0).max() > 0.001


@pytest.mark.parametrize("block_size", [50, 7000, 100_000])
def test_members_do_not_depend_on_blocks_or_other_rows(fitted, block_size):
    clf, X = fitted
    before = clf.predict_member_proba(X)
    clf.set_params(block_size=block_size)
    np.testing.assert_allclose(
        clf.predict_member_proba(X[5:8]), before[:, 5:8], atol=1e-6
    )
    clf.set_params(block_size=8192)


def test_the_seed_fixes_the_masks(iris):
    def members(seed):
        clf = MCDropoutClassifier(max_epochs=2, n_members=5, random_state=seed)
        return clf.fit(*iris).predict_member_proba(iris[0])

    np.testing.assert_array_equal(members(3), members(3))
    assert np.abs(members(3) - members(4)).max() > 0.01


def test_a_repeated_row_has_the_joint_information_of_shared_masks(fitted):
    clf, X = fitted
    p = clf.predict_member_proba(X[[0, 0]])
    np.testing.assert_array_equal(p[:, 0], p[:, 1])
    # p(y1, y2) = mean over members of p(y1) p(y2); given the member they are
    # independent.
    joint = np.einsum("ci,cj->ij", p[:, 0], p[:, 1]) / len(p)
    given = 2 * -(p[:, 0] * np.log(p[:, 0])).sum(axis=1).mean()
    information = -(joint * np.log(joint)).sum() - given
    single = bald(p[:, :1])[0]
    assert single < information < 2 * single


class SkipConnection(nn.Module):
    """Adds what was before the dropout to what comes after it."""

    def __init__(self):
        super().__init__()
        self.hidden, self.drop, self.last = (
            nn.Linear(4, 6),
            nn.Dropout(0.5),
            nn.Linear(6, 3),
        )

    def forward(self, X):
        hidden = self.hidden(X).relu()
        return self.last(hidden + self.drop(hidden))


class UsesTwice(SkipConnection):
    """Gives what was dropped to a linear layer, and to something else."""

    def forward(self, X):
        dropped = self.drop(self.hidden(X).relu())
        return self.last(dropped) + dropped[:, :3]


class KeepsBatchSize(SkipConnection):
    """Shapes its output by the number of rows that came in."""

    def forward(self, X):
        return self.last(self.drop(self.hidden(X).relu())).reshape(len(X), 3)


class CentresRows(SkipConnection):
    """Subtracts the mean over the rows, so that members must not share a pass."""

    def forward(self, X):
        output = self.last(self.drop(self.hidden(X).relu()))
        return output - output.mean(0)


class CallsTwice(SkipConnection):
    """Runs one dropout twice in a pass."""

    def forward(self, X):
        return self.last(self.drop(self.drop(self.hidden(X).relu())))


def sequence():
    return nn.Sequential(
        nn.Linear(4, 6), nn.ReLU(), nn.Dropout(0.3), nn.Linear(6, 6), nn.ReLU(),
        nn.Dropout(0.2), nn.Linear(6, 3)
    )  # fmt: skip


def alpha_first():
    return nn.Sequential(
        nn.Linear(4, 6), nn.SELU(), nn.AlphaDropout(0.4), nn.Linear(6, 3, bias=False)
    )


def convolutions():
    return nn.Sequential(
        nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 5, 1), nn.Dropout2d(0.5),
        nn.Flatten(), nn.Linear(20, 6), nn.SELU(), nn.AlphaDropout(0.2),
        nn.Linear(6, 3),
    )  # fmt: skip


def transformer():
    layer = nn.TransformerEncoderLayer(2, 1, 4, dropout=0.5, batch_first=True)
    return nn.Sequential(
        nn.Unflatten(1, (2, 2)), layer, nn.Flatten(), nn.Linear(4, 3)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("make", "place"),
    [
        (sequence, "linear"),
        (alpha_first, "linear"),
        (convolutions, "dropout"),
        (SkipConnection, "input"),
        (UsesTwice, "dropout"),
        (KeepsBatchSize, "input"),
        (CentresRows, "nowhere"),
        (CallsTwice, "dropout"),
        (transformer, "input"),
    ],
)
def test_members_are_stacked_where_that_is_right(make, place):
    torch.manual_seed(0)
    net, X = make(), torch.randn(3, 4)
    assert choose_place(net, X) == place
    expected = DropoutMembers(net, 5, 4, "nowhere").run(X, range(4))
    for later in PLACES[PLACES.index(place) : -1]:
        output = DropoutMembers(net, 5, 4, later).run(X, range(4))
        torch.testing.assert_close(output, expected, atol=1e-5, rtol=1e-4)
    assert expected.std(0).max() > 0.001


def test_a_dropout_called_twice_has_two_masks():
    net, X = CallsTwice(), torch.randn(3, 4)
    members = DropoutMembers(net, 0, 1)
    members.run(X, [0])
    first, second = (scale for scale, _ in members._masks.values())
    assert not torch.equal(first, second)


def test_the_trunk_is_computed_once_for_all_members():
    net, rows = sequence(), []
    net[0].register_forward_hook(lambda *args: rows.append(len(args[2])))
    DropoutMembers(net, 0, 50, "linear").run(torch.randn(7, 4), range(50))
    assert rows == [7]


def test_blocks_bound_how_many_rows_go_through_at_once(iris):
    clf = MCDropoutClassifier(max_epochs=1, n_members=10, block_size=60).fit(*iris)
    rows = []
    clf.nets_[0].module_[3].register_forward_hook(
        lambda *args: rows.append(10 * len(args[1][0]))
    )
    clf.predict_proba(iris[0])
    assert max(rows) == 60
    assert sum(rows) == 1500


def test_alpha_dropout_keeps_mean_and_variance():
    x = torch.randn(100_000, generator=torch.Generator().manual_seed(0))
    kept = torch.rand(100_000, generator=torch.Generator().manual_seed(1)) >= 0.3
    scale, shift = affine_mask(nn.AlphaDropout(0.3), kept, torch.float32)
    dropped = x * scale + shift
    assert abs(dropped.mean()) < 0.02
    assert abs(dropped.var() - 1) < 0.02


def test_dropout_of_channels_drops_whole_ones():
    net = nn.Sequential(nn.Conv2d(1, 8, 1), nn.Dropout2d(0.5), nn.Flatten())
    output = DropoutMembers(net, 0, 1, "dropout").run(torch.ones(2, 1, 3, 3), [0])
    zero = (output.unflatten(2, (8, 9)) == 0).float().mean(-1)
    assert set(zero.unique().tolist()) == {0.0, 1.0}


class Functional(nn.Module):
    """Drops by a function, which cannot be found."""

    def __init__(self):
        super().__init__()
        self.last = nn.Linear(4, 3)

    def forward(self, X):
        return self.last(nn.functional.dropout(X, 0.5, self.training))


class Unused(Functional):
    """Has a dropout that is never run."""

    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout()


class RowsSecond(SkipConnection):
    """Swaps rows and features before the dropout."""

    def forward(self, X):
        return self.last(self.drop(self.hidden(X).T).T)


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (Functional, "has no dropout"),
        (Unused, "No dropout of the module is run"),
        (RowsSecond, "first dimension must be the rows"),
        (lambda: nn.Sequential(nn.Dropout1d(), nn.Linear(4, 3)), "whole channels"),
    ],
)
def test_a_network_without_usable_dropout_is_refused(iris, module, message):
    with pytest.raises(ValueError, match=message):
        MCDropoutClassifier(module).fit(*iris)


def test_rates_of_zero_make_equal_members(iris):
    clf = MCDropoutClassifier(dropout=0.0, max_epochs=2, n_members=3).fit(*iris)
    assert np.ptp(clf.predict_member_proba(iris[0]), axis=0).max() == 0


def test_stochastic_members_are_masks_of_several_networks(iris):
    clf = StochasticEnsembleClassifier(
        n_networks=2, n_masks=3, max_epochs=3, random_state=0
    ).fit(*iris)
    members = clf.predict_member_proba(iris[0])
    assert members.shape == (6, 150, 3)
    clf.nets_.reverse()  # the masks of the first are now used on the second
    assert np.abs(clf.predict_member_proba(iris[0]) - members).max() > 0.001


def test_stochastic_networks_predict_without_masks_if_told_so(iris):
    clf = StochasticEnsembleClassifier(n_networks=2, mc_predict=False, max_epochs=2)
    clf.fit(*iris)
    X = torch.tensor(iris[0])
    plain = [net.module_.eval()(X).softmax(1).detach().numpy() for net in clf.nets_]
    np.testing.assert_allclose(
        clf.predict_proba(iris[0]), np.mean(plain, axis=0), atol=1e-6
    )
