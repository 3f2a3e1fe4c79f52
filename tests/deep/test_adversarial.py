"""What the strategies with a discriminator share."""

import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline

from skactive import ActiveLearningClassifier, testing
from skactive.acquisition import get_strategy
from skactive.deep import MALSampling, VAALSampling
from skactive.deep._adversarial import (
    PairedBatches,
    RoundRows,
    discriminator_loss,
    make_discriminator,
)
from skactive.deep._adversarial_networks import Autoencoder, make_encoder
from skactive.deep._training import resolve_device, seeded

CPU = torch.device("cpu")
both = pytest.mark.parametrize("strategy_class", [VAALSampling, MALSampling])
FEW = {"max_epochs": 2, "n_latent": 4}


def make_pool(X, labeled, y=None, **kwargs):
    labels = np.arange(len(labeled)) % 2 if y is None else y
    candidates = np.flatnonzero(~labeled)
    kwargs = {"estimator": LogisticRegression(), "random_state": 0} | kwargs
    return testing.make_pool(
        X, np.where(labeled, labels, -1), labeled, candidates, **kwargs
    )


def some_rows(n_rows=40, shape=(3,), n_labeled=10):
    X = np.random.default_rng(0).normal(2.0, 3.0, size=(n_rows, *shape))
    return X, np.arange(n_rows) < n_labeled


def round_rows(X, labeled, image_shape=None):
    known, others = np.flatnonzero(labeled), np.flatnonzero(~labeled)
    return RoundRows(make_pool(X, labeled), known, others, image_shape, CPU)


def test_the_loss_of_the_discriminator_has_the_value_worked_out_by_hand():
    labeled = torch.tensor([0.8, 0.6], dtype=torch.float64).logit()
    unlabeled = torch.tensor([0.3, 0.5], dtype=torch.float64).logit()
    assert discriminator_loss(labeled, unlabeled).item() == pytest.approx(0.8918956498)


def test_the_loss_of_the_discriminator_does_not_overflow():
    far = torch.tensor([1000.0])
    assert discriminator_loss(-far, far).item() == 2000.0


def test_the_discriminator_separates_two_shifted_pools():
    rng, truth = np.random.default_rng(0), np.repeat([1, 0], 200)
    codes = rng.normal(size=(2, 400, 8)) + 3 * truth[:, None] * np.eye(8)[0]
    train, test = torch.tensor(codes, dtype=torch.float32)
    with seeded(0, CPU):
        network = make_discriminator(8)
        steps = torch.optim.Adam(network.parameters(), lr=5e-4)
        for _ in range(100):
            steps.zero_grad()
            discriminator_loss(*network(train).split(200)).backward()
            steps.step()
    assert roc_auc_score(truth, network(test).detach().numpy()) > 0.95


def test_columns_are_standardised():
    X, labeled = some_rows()
    X[:, 1] = 1e9  # a constant column
    rows = round_rows(X, labeled).batch(np.arange(len(X))).numpy()
    expected = (X - X.mean(axis=0)) / np.where(X.std(axis=0) == 0, 1, X.std(axis=0))
    np.testing.assert_allclose(rows, expected, atol=1e-5)


@pytest.mark.parametrize("flat", [False, True])
def test_channels_of_images_are_standardised(flat):
    X, labeled = some_rows(shape=(2, 3, 5))
    data = X.reshape(len(X), -1) if flat else X
    rows = round_rows(data, labeled, (2, 3, 5) if flat else None)
    assert rows.shape == (2, 3, 5)
    mean, deviation = X.mean(axis=(0, 2, 3)), X.std(axis=(0, 2, 3))
    expected = (X - mean[:, None, None]) / deviation[:, None, None]
    got = rows.batch(np.arange(len(X))).numpy()
    np.testing.assert_allclose(got, expected, atol=1e-5)


@pytest.mark.parametrize("image_shape", [None, (2, 3)])
def test_sparse_rows_become_the_dense_ones(image_shape):
    X, labeled = some_rows(shape=(6,))
    X[np.abs(X) < 2] = 0
    dense = round_rows(X, labeled, image_shape)
    sparse = round_rows(csr_matrix(X), labeled, image_shape)
    picked = np.array([3, 30, 8])
    torch.testing.assert_close(dense.batch(picked), sparse.batch(picked))
    for mine, other in zip(dense.blocks(picked), sparse.blocks(picked), strict=True):
        torch.testing.assert_close(mine, other)


def test_a_block_holds_the_rows_that_were_named():
    X, labeled = some_rows()
    rows = round_rows(X, labeled)
    rows._block_rows = 7
    blocks = list(rows.blocks(np.arange(20, 40)))
    assert [len(block) for block in blocks] == [7, 7, 6]
    torch.testing.assert_close(torch.cat(blocks), rows.batch(np.arange(20, 40)))


def test_a_pass_over_the_mini_batches_takes_every_row_once():
    rows = round_rows(*some_rows())
    batches = PairedBatches(rows, 5, np.random.default_rng(0))
    pairs = [batches.draw() for _ in range(6)]
    known = np.concatenate([known for _, _, known in pairs[:2]])
    assert sorted(known) == list(range(10))
    unlabeled = torch.cat([unlabeled for _, unlabeled, _ in pairs])
    expected = rows.batch(np.arange(10, 40))
    assert len({*map(tuple, unlabeled.tolist())}) == 30
    torch.testing.assert_close(unlabeled.sum(0), expected.sum(0), atol=1e-4, rtol=0)


def test_an_image_shape_that_does_not_fit_is_an_error():
    with pytest.raises(ValueError, match=r"hold the 3 numbers .* got \(2, 2\)"):
        round_rows(*some_rows(), image_shape=(2, 2))


@pytest.mark.parametrize("shape", [(7,), (1, 5, 6), (3, 8, 8), (2, 1, 3)])
def test_the_default_networks_fit_the_shape_of_rows(shape):
    rows = torch.zeros(4, *shape)
    autoencoder = Autoencoder(shape, 3)
    mean, log_variance = autoencoder.encode(rows)
    assert mean.shape == log_variance.shape == (4, 3)
    assert autoencoder.decode(mean).shape == rows.shape
    assert make_encoder(shape, 3)(rows).shape == (4, 3)


def test_rows_of_odd_shape_need_a_network_of_ones_own():
    X, labeled = some_rows(shape=(2, 2, 2, 2))
    with pytest.raises(ValueError, match="pass a network of your own"):
        VAALSampling(**FEW).utility(make_pool(X, labeled))


def test_auto_is_a_gpu_if_there_is_one(monkeypatch):
    for there, name in [(True, "cuda"), (False, "cpu")]:
        monkeypatch.setattr(torch.cuda, "is_available", lambda there=there: there)
        assert resolve_device("auto").type == name


@both
def test_a_device_that_is_missing_is_an_error_before_anything_is_asked(strategy_class):
    clf = ActiveLearningClassifier(
        LogisticRegression(), oracle=pytest.fail, strategy=strategy_class(device="tpu0")
    )
    with pytest.raises(ValueError, match=r"device must be 'auto' or .* 'tpu0'"):
        clf.fit([[0.0], [1.0], [2.0]], [0, 1, -1])


@both
def test_random_states_and_settings_are_left_alone(strategy_class):
    X, labeled = some_rows()
    settings = [torch.get_num_threads, torch.get_default_dtype, torch.is_grad_enabled]
    before = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
    was = [setting() for setting in settings]
    strategy_class(**FEW).utility(make_pool(X, labeled))
    assert torch.equal(torch.get_rng_state(), before[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002
    assert [setting() for setting in settings] == was


@both
def test_the_seed_of_the_round_alone_decides(strategy_class):
    X, labeled = some_rows()
    strategy = strategy_class(**FEW)
    first = strategy.utility(make_pool(X, labeled, random_state=1))
    torch.rand(3)
    with torch.no_grad():
        again = strategy.utility(make_pool(X, labeled, random_state=1))
    other = strategy.utility(make_pool(X, labeled, random_state=2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@both
def test_another_default_precision_does_no_harm(strategy_class):
    X, labeled = some_rows()
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        strategy_class(**FEW).utility(make_pool(X, labeled))
    finally:
        torch.set_default_dtype(before)


@both
def test_without_a_labelled_row_it_asks_at_random(strategy_class):
    X, _ = some_rows()
    utility = strategy_class().utility(make_pool(X, np.zeros(len(X), dtype=bool)))
    assert len(np.unique(utility)) == len(X)


@both
def test_candidates_that_are_not_trained_on_are_scored_too(strategy_class):
    X, labeled = some_rows()
    utility = strategy_class(**FEW, max_unlabeled=3).utility(make_pool(X, labeled))
    assert utility.shape == (30,)
    assert (utility > 0).all()


@both
def test_training_that_diverges_says_so(strategy_class):
    X, labeled = some_rows()
    strategy = strategy_class(**FEW | {"max_epochs": 30}, lr=1e30)
    with pytest.raises(ValueError, match=r"diverged.*smaller lr"):
        strategy.utility(make_pool(X, labeled))


@both
def test_images_are_asked_in_a_whole_run(strategy_class):
    X, labeled = some_rows(shape=(20,))
    truth = np.arange(len(X)) % 2
    clf = ActiveLearningClassifier(
        LogisticRegression(),
        oracle=lambda X, sample_ids: truth[sample_ids],
        strategy=strategy_class(**FEW, image_shape=(4, 5)),
        batch_size=4,
        budget=8,
        random_state=0,
    )
    clf.fit(X, np.where(labeled, truth, -1), sample_ids=np.arange(len(X)))
    assert len(set(clf.query_indices_)) == 8


@both
def test_texts_are_taken_from_the_steps_of_a_pipeline(strategy_class):
    words = np.array(["red", "green", "blue", "cyan"])
    texts = [" ".join(words[[i % 4, i % 3, i % 2]]) for i in range(40)]
    model = make_pipeline(TfidfVectorizer(), LogisticRegression())
    pool = make_pool(texts, np.arange(40) < 10, estimator=model)
    assert np.isfinite(strategy_class(**FEW).utility(pool)).all()


def test_names_find_the_classes():
    assert isinstance(get_strategy("vaal"), VAALSampling)
    assert isinstance(get_strategy("mal"), MALSampling)


@pytest.mark.parametrize("strategy", [VAALSampling, MALSampling])
def test_equal_rows_have_equal_utilities_wherever_they_stand(strategy, monkeypatch):
    monkeypatch.setattr("skactive.deep._adversarial._BLOCK_NUMBERS", 600)
    kind = np.arange(103) % 4
    X = np.random.default_rng(0).normal(size=(4, 20))[kind]
    pool = make_pool(X, np.arange(103) < 8, kind % 2)
    utility = strategy(n_latent=4, max_epochs=1).utility(pool)
    assert len(np.unique(utility)) == 4
