"""The common behaviour of deep classifiers: nets, seeds, shapes, parameters, state."""

import pickle
import re

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EarlyStopping, LRScheduler
from skorch.dataset import ValidSplit
from torch import nn

import skactive.deep
from skactive.deep import (
    BayesByBackpropClassifier,
    DeepEnsembleClassifier,
    LossPredictionClassifier,
    MCDropoutClassifier,
    SplitHeadClassifier,
)
from skactive.deep._modules import view
from skactive.deep._training import ArrayBatches, seeded
from skactive.deep._warm_start import shrink_and_perturb

CLASSIFIERS = [
    getattr(skactive.deep, name)
    for name in skactive.deep.__all__
    if name.endswith("Classifier")
]


def few_members(clf):
    """Let a classifier have two of everything, to be quick."""
    names = {"n_members", "n_networks", "n_masks", "start_epochs"}
    names &= set(clf.get_params())
    return clf.set_params(**dict.fromkeys(names, 2))


@pytest.fixture(params=CLASSIFIERS, ids=lambda cls: cls.__name__)
def clf(request):
    clf = request.param(max_epochs=3, hidden_layer_sizes=(16,), random_state=0)
    return few_members(clf)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return (X[:100] / 16).astype(np.float32), y[:100]


def test_equal_seeds_make_equal_classifiers(clf, iris):
    X, y = iris
    first = clone(clf).fit(X, y)
    second = clone(clf).fit(X, y)
    members = first.predict_member_proba(X)
    np.testing.assert_array_equal(members, second.predict_member_proba(X))
    np.testing.assert_array_equal(members, first.fit(X, y).predict_member_proba(X))
    other = clone(clf).set_params(random_state=1).fit(X, y)
    assert np.abs(other.predict_member_proba(X) - members).max() > 0.001


def test_members_average_to_the_consensus(clf, iris):
    X, y = iris
    members = clf.fit(X, y).predict_member_proba(X)
    np.testing.assert_allclose(members.sum(axis=2), 1.0)
    if not isinstance(clf, LossPredictionClassifier):  # predicts without masks
        np.testing.assert_allclose(clf.predict_proba(X), members.mean(axis=0))


def test_results_do_not_depend_on_the_block_size(clf, iris):
    X, y = iris
    clf.fit(X, y)
    before = clf.predict_member_proba(X), clf.predict_proba(X), clf.embed(X)
    clf.set_params(block_size=11)
    after = clf.predict_member_proba(X), clf.predict_proba(X), clf.embed(X)
    for first, second in zip(before, after, strict=True):
        np.testing.assert_allclose(first, second, atol=1e-5)


def test_a_view_shares_weights_and_nothing_else():
    module = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)).train()
    copied = view(module)
    assert copied[0].weight is module[0].weight
    assert copied[1].running_mean is module[1].running_mean
    assert copied[0] is not module[0]
    assert module.training
    assert not copied.training


def test_no_global_state_is_changed(clf, iris):
    torch.manual_seed(5)
    generator = np.random.mtrand._rand  # the global one
    rng, numpy_rng = torch.get_rng_state(), generator.get_state()[1]
    before = settings_of_torch()
    clf.set_params(random_state=None).fit(*iris)
    clf.predict_member_proba(iris[0])
    clf.embed(iris[0])
    assert torch.equal(rng, torch.get_rng_state())
    np.testing.assert_array_equal(numpy_rng, generator.get_state()[1])
    assert settings_of_torch() == before


def settings_of_torch():
    return torch.get_num_threads(), torch.get_default_dtype(), torch.is_grad_enabled()


@pytest.mark.parametrize("training", [True, False])
def test_modes_of_a_network_are_left_as_they_are(clf, iris, training):
    clf.fit(*iris)
    for net in clf.nets_:
        net.module_.train(training)
    clf.predict_member_proba(iris[0])
    clf.embed(iris[0])
    modes = {part.training for net in clf.nets_ for part in net.module_.modules()}
    assert modes == {training}
    hooks = [h for net in clf.nets_ for m in net.module_.modules()
             for h in (*m._forward_hooks, *m._forward_pre_hooks)]  # fmt: skip
    assert hooks == []


def test_pickled_classifiers_predict_the_same(clf, iris):
    X, y = iris
    members = clf.fit(X, y).predict_member_proba(X)
    loaded = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(loaded.predict_member_proba(X), members)
    loaded.partial_fit(X, y)


@pytest.mark.skipif(torch.cuda.is_available(), reason="the device would be there")
@pytest.mark.filterwarnings("ignore::skorch.exceptions.DeviceWarning")
def test_pickles_of_a_missing_device_are_loaded_on_the_cpu(clf, iris):
    X, y = iris
    members = clf.fit(X, y).predict_member_proba(X)
    for net in clf.nets_:
        net.device = "cuda"  # as if it had been trained there
    loaded = pickle.loads(pickle.dumps(clf))
    assert {str(net.device) for net in loaded.nets_} == {"cpu"}
    np.testing.assert_array_equal(loaded.predict_member_proba(X), members)


def test_a_classifier_learns_strings_and_embeds_without_drawing(clf, iris):
    X, y = iris
    names = np.array(["a", "b", "c"])[y]
    clf.set_params(max_epochs=30, lr=0.02).fit(X, names)
    assert clf.score(X, names) > 0.9
    assert clf.classes_.tolist() == ["a", "b", "c"]
    embedding = clf.embed(X)
    np.testing.assert_array_equal(embedding, clf.embed(X))
    assert embedding.shape[1] % 16 == 0
    assert embedding.dtype == np.float32


def test_partial_fit_trains_one_epoch_and_refuses_other_classes(clf, iris):
    X, y = iris
    clf.partial_fit(X[::3], y[::3], classes=[0, 1, 2, 7])
    n_epochs = [len(net.history) for net in clf.nets_]
    clf.partial_fit(X, y)
    assert [len(net.history) for net in clf.nets_] == [n + 1 for n in n_epochs]
    assert clf.predict_proba(X).shape == (150, 4)
    with pytest.raises(ValueError, match=r"y holds \[3, 4, 5\]"):
        clf.partial_fit(X, y + 3)
    with pytest.raises(ValueError, match="not those of the calls before"):
        clf.partial_fit(X, y, classes=[0, 1, 2])


def test_one_class_is_predicted_for_all_rows(clf, iris):
    clf.fit(iris[0], np.full(150, "only"))
    assert set(clf.predict(iris[0])) == {"only"}


@pytest.mark.parametrize(
    "shape", [(8, 8), pytest.param((1, 8, 8), marks=pytest.mark.slow)]
)
def test_images_go_through_the_default_convolutions(clf, digits, shape):
    X, y = digits
    images = clone(clf).fit(X.reshape(-1, *shape), y)
    assert any(isinstance(m, nn.Conv2d) for m in images.nets_[0].module_.modules())
    flat = clone(clf).set_params(image_shape=shape).fit(X, y)
    assert flat.input_shape_ == images.input_shape_ == (1, 8, 8)
    np.testing.assert_array_equal(
        flat.predict_proba(X), images.predict_proba(X.reshape(-1, *shape))
    )


@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 9, 4)])
def test_the_default_convolutions_take_images_of_any_size(shape):
    X = np.random.default_rng(0).normal(size=(10, *shape))
    clf = MCDropoutClassifier(max_epochs=1).fit(X, np.arange(10) % 2)
    assert clf.predict(X).shape == (10,)


def test_rows_of_another_shape_are_refused(digits):
    X, y = digits
    with pytest.raises(ValueError, match=r"image_shape=\(7, 8\) has 56 numbers"):
        MCDropoutClassifier(image_shape=(7, 8)).fit(X, y)
    clf = MCDropoutClassifier(max_epochs=1).fit(X.reshape(-1, 8, 8), y)
    with pytest.raises(ValueError, match=r"fitted on rows of shape \(1, 8, 8\)"):
        clf.predict(X.reshape(-1, 8, 4, 2))


class Sized(nn.Module):
    """Asks for what is known about the data, and has a width."""

    def __init__(self, n_features, n_classes, input_shape, width=5):
        super().__init__()
        self.facts = n_features, n_classes, input_shape
        self.first, self.drop = nn.Linear(n_features, width), nn.Dropout(0.5)
        self.last = nn.Linear(width, n_classes)

    def forward(self, X):
        return self.last(self.drop(self.first(X).relu()))


def test_a_class_gets_the_facts_it_names(clf, iris):
    clf.set_params(module=Sized).fit(*iris)
    assert clf._network(0).facts == (4, 3, (4,))
    assert clf.predict_member_proba(iris[0]).shape[2] == 3


def test_an_object_is_where_training_starts_and_stays_as_it_is(iris):
    module = nn.Sequential(nn.Linear(4, 6), nn.Dropout(0.2), nn.Linear(6, 3))
    before = module[0].weight.detach().clone()
    clf = MCDropoutClassifier(module, max_epochs=1, lr=1e-6).fit(*iris)
    assert torch.equal(module[0].weight, before)
    torch.testing.assert_close(
        clf.nets_[0].module_[0].weight, before, atol=1e-3, rtol=0
    )


def test_a_network_for_another_number_of_classes_is_refused(clf, iris):
    clf.set_params(module=lambda: nn.Sequential(nn.Dropout(), nn.Linear(4, 7)))
    message = "The module returned (2, 7) for 2 rows of 3 classes"
    with pytest.raises(ValueError, match=re.escape(message)):
        clf.fit(*iris)


def test_a_head_must_be_a_part_of_the_module(clf, iris):
    with pytest.raises(ValueError, match="head='nose' names no part of the module"):
        clf.set_params(head="nose").fit(*iris)


def test_a_module_without_linear_layer_must_name_its_head(iris):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(4)
            self.last = nn.Bilinear(4, 4, 3)

        def forward(self, X):
            X = self.norm(X)
            return self.last(X, X)

    with pytest.raises(ValueError, match="no torch"):
        DeepEnsembleClassifier(Odd).fit(*iris)
    clf = DeepEnsembleClassifier(Odd, head="last", n_members=1, max_epochs=1).fit(*iris)
    norm = clf.nets_[0].module_.norm(torch.tensor(iris[0]))
    np.testing.assert_allclose(clf.embed(iris[0]), norm.detach().numpy(), atol=1e-6)


def test_the_embedding_is_the_input_of_the_last_linear_layer(iris):
    clf = MCDropoutClassifier(max_epochs=2).fit(*iris)
    net = clf.nets_[0].module_.eval()
    expected = net[:3](torch.tensor(iris[0])).detach().numpy()
    np.testing.assert_allclose(clf.embed(iris[0]), expected, atol=1e-6)


def test_the_embedding_of_bayesian_weights_uses_their_means(iris):
    clf = BayesByBackpropClassifier(max_epochs=2).fit(*iris)
    network = clf.nets_[0].module_.network.eval()
    expected = network[:3](torch.tensor(iris[0])).detach().numpy()
    np.testing.assert_allclose(clf.embed(iris[0]), expected, atol=1e-6)


def test_grid_search_reaches_the_parameters_of_net_and_module(iris):
    clf = MCDropoutClassifier(Sized, max_epochs=2, random_state=0)
    grid = {"module__width": [3, 4], "optimizer__weight_decay": [0.0, 0.1]}
    best = GridSearchCV(clf, grid, cv=2).fit(*iris).best_estimator_
    assert best._network(0).last.in_features == best.get_params()["module__width"]
    pipe = make_pipeline(StandardScaler(), clf)
    pipe.set_params(mcdropoutclassifier__module__width=9).fit(*iris)
    assert pipe[-1].nets_[0].module_.last.in_features == 9


def test_setting_a_nested_parameter_does_not_reach_other_clones():
    clf = MCDropoutClassifier(net_params={"module__width": 3})
    other = clone(clf).set_params(module__width=4)
    assert clf.get_params()["module__width"] == 3
    assert other.get_params()["module__width"] == 4


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"hidden_layer_sizes": (0,)}, "hidden_layer_sizes.*must hold whole numbers"),
        ({"image_shape": (1, 2.5)}, "image_shape.*must hold whole numbers"),
        ({"prior_scale": (0.5, 1.0)}, "a share between 0 and 1 and two"),
        ({"prior_scale": (1.5, 1.0, 0.1)}, "a share between 0 and 1 and two"),
        ({"max_epochs": 0}, "'max_epochs' parameter"),
    ],
)
def test_wrong_parameters_are_refused(iris, params, message):
    with pytest.raises(ValueError, match=message):
        BayesByBackpropClassifier(**params).fit(*iris)


def test_a_warm_start_keeps_the_spread_of_bayesian_weights(iris):
    clf = BayesByBackpropClassifier(
        warm_start=True, max_epochs=1, lr=1e-7, random_state=0
    )
    for _ in range(2):
        clf.fit(*iris)
        scales = clf.nets_[0].module_.means_and_scales()[1]
        torch.testing.assert_close(scales[0].mean().item(), 0.05, atol=1e-4, rtol=0)


def test_net_params_must_not_repeat_parameters(iris):
    with pytest.raises(ValueError, match=r"net_params must not hold \['lr'\]"):
        MCDropoutClassifier(net_params={"lr": 0.1}).fit(*iris)


def test_callbacks_schedulers_and_early_stopping_are_those_of_skorch(iris):
    schedule = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5)
    stop = EarlyStopping(patience=2, threshold=10.0, sink=lambda text: None)
    clf = SplitHeadClassifier(
        max_epochs=20,
        net_params={
            "callbacks": [schedule, stop],
            "train_split": ValidSplit(0.2, stratified=True, random_state=0),
        },
    ).fit(*iris)
    history = clf.nets_[0].history
    assert len(history) < 20
    assert {"valid_loss", "valid_acc", "train_loss"} <= set(history[-1])
    assert clf.nets_[0].optimizer_.param_groups[0]["lr"] < 0.003


class Interrupts(Callback):
    """Stands for a user who presses Ctrl-C in the second epoch."""

    def on_epoch_end(self, net, **kwargs):
        if len(net.history) == 2:
            press_the_keys()


def press_the_keys():
    raise KeyboardInterrupt


def test_a_user_who_interrupts_is_heard(iris):
    clf = MCDropoutClassifier(net_params={"callbacks": [Interrupts()]})
    with pytest.raises(KeyboardInterrupt):
        clf.fit(*iris)


def test_the_class_of_the_net_may_be_another(iris):
    class Shy(NeuralNetClassifier):
        def get_loss(self, *args, **kwargs):
            return super().get_loss(*args, **kwargs) * 0.0

    clf = MCDropoutClassifier(net=Shy, max_epochs=2).fit(*iris)
    assert clf.nets_[0].history[-1]["train_loss"] == 0.0


def test_other_criteria_of_skorch_work(iris):
    module = nn.Sequential(
        nn.Dropout(0.1), nn.Linear(4, 3), nn.Softmax(dim=1)
    )  # fmt: skip
    clf = MCDropoutClassifier(
        module, max_epochs=2, net_params={"criterion": nn.NLLLoss}
    ).fit(*iris)
    np.testing.assert_allclose(clf.predict_proba(iris[0]).sum(axis=1), 1.0, rtol=1e-6)
    network = clf.nets_[0].module_.eval()
    clf.set_params(mc_predict=False)
    np.testing.assert_allclose(
        clf.predict_proba(iris[0]), network(torch.tensor(iris[0])).detach(), atol=1e-6
    )


def test_batches_hold_every_row_once_and_never_a_single_one():
    class Data:
        X, y = np.arange(9, dtype=np.float32)[:, None], np.arange(9)

        def __len__(self):
            return 9

    batches = ArrayBatches(Data(), batch_size=4, shuffle=True)
    rows = [y.tolist() for _, y in batches]
    assert [len(part) for part in rows] == [4, 5]
    assert len(batches) == 2
    assert sorted([*rows[0], *rows[1]]) == list(range(9))
    subset = torch.utils.data.Subset(Data(), np.array([8, 3, 5]))
    assert [y.tolist() for _, y in ArrayBatches(subset, 2)] == [[8, 3, 5]]


def test_an_iterator_of_the_user_is_used(iris):
    seen = []

    class Loader(torch.utils.data.DataLoader):
        def __init__(self, *args, **kwargs):
            seen.append(kwargs["batch_size"])
            super().__init__(*args, **kwargs)

    clf = MCDropoutClassifier(max_epochs=1, net_params={"iterator_train": Loader})
    clf.fit(*iris)
    assert seen == [32]


def test_a_warm_start_shrinks_and_perturbs():
    torch.manual_seed(0)
    before, after = nn.Linear(50, 40), nn.Linear(50, 40)
    assert shrink_and_perturb(after, before.state_dict(), 0.6, 0.01, seed=3)
    noise = after.weight - 0.6 * before.weight
    assert noise.mean().abs() < 0.001
    assert noise.std().item() == pytest.approx(0.01, rel=0.05)
    assert not shrink_and_perturb(nn.Linear(3, 40), before.state_dict(), 0.6, 0.0, 0)


def test_a_warm_start_goes_on_and_a_fresh_one_does_not(clf, iris):
    X, y = iris
    clf.set_params(warm_start=True, shrink=1.0, noise=0.0, lr=1e-7, max_epochs=1)
    if hasattr(clf, "start_epochs"):
        clf.set_params(start_epochs=0)
    first = clf.fit(X, y)._network(0).state_dict()
    clf.set_params(random_state=1).fit(X, y)
    for name, value in clf._network(0).state_dict().items():
        torch.testing.assert_close(value, first[name], atol=1e-4, rtol=0)
    fresh = clf.set_params(warm_start=False).fit(X, y)._network(0).state_dict()
    assert any((fresh[name] - first[name]).abs().max() > 0.01 for name in first)


def test_a_warm_start_with_other_classes_or_shapes_is_fresh(iris):
    X, y = iris
    clf = MCDropoutClassifier(warm_start=True, max_epochs=1, random_state=0)
    clf.fit(X[:100], y[:100]).fit(X, y)
    assert clf.predict_proba(X).shape == (150, 3)
    clf.set_params(hidden_layer_sizes=(7,)).fit(X, y)
    assert clf.embed(X).shape == (150, 7)


def test_a_seed_inside_is_forgotten_outside():
    torch.manual_seed(4)
    expected = torch.rand(3)
    torch.manual_seed(4)
    with seeded(9, "cpu"):
        inside = torch.rand(3)
    assert torch.equal(torch.rand(3), expected)
    with seeded(9, "cpu"):
        assert torch.equal(torch.rand(3), inside)


def test_a_float64_pipeline_of_images_is_taken(digits):
    X, y = digits
    to_images = FunctionTransformer(np.reshape, kw_args={"shape": (-1, 8, 8)})
    clf = MCDropoutClassifier(max_epochs=1)
    pipe = make_pipeline(to_images, clf).fit(X.astype(float), y)
    assert pipe[-1].input_shape_ == (1, 8, 8)
    assert pipe.predict(X).shape == (100,)
