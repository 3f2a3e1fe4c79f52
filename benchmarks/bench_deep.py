"""Members of deep classifiers: all in one pass, beside one pass for each, and baal.

MC dropout over many rows: skactive's `predict_member_proba`, as many forward passes as
there are masks, and baal's patched module in its wrapper, with rows repeated in memory
and without. Then what is left of it if the trunk is computed once: split heads beside
networks that are whole. Last, the peak memory of a prediction. It takes about ten
minutes.

baal draws a new mask for each row, where skactive has one for each member, so that the
work is the same and the numbers are not.

    OMP_NUM_THREADS=1 python benchmarks/bench_deep.py
    python benchmarks/bench_deep.py --report
"""

import copy
import multiprocessing
from functools import partial
from pathlib import Path

import numpy as np
import torch
from harness.timing import Case, Measured, main
from torch import nn

from skactive.deep import (
    DeepEnsembleClassifier,
    MCDropoutClassifier,
    SplitHeadClassifier,
)

BATCH_SIZE = 1024
N_MASKS = 50


def rows(name, n_rows):
    """Return rows and labels: 50 features, or images of 28 x 28."""
    rng = np.random.default_rng(0)
    shape = (28, 28) if name == "convolutions" else (50,)
    X = rng.normal(size=(n_rows, *shape)).astype(np.float32)
    return X, rng.integers(10, size=n_rows)


def classifier(name):
    sizes = (128, 128) if name == "two hidden layers" else (128,)
    return MCDropoutClassifier(
        hidden_layer_sizes=sizes, n_members=N_MASKS, max_epochs=1, random_state=0
    )


def separate_passes(clf, X):
    """Predict as one writes it: dropout on, one pass over the rows for each member."""
    module = copy.deepcopy(clf.nets_[0].module_).eval()
    for part in module.modules():
        if isinstance(part, nn.Dropout):
            part.train()
    X = torch.as_tensor(X.reshape(-1, *clf.input_shape_))

    def run():
        with torch.inference_mode():
            return torch.stack(
                [
                    torch.cat([module(part).softmax(1) for part in X.split(BATCH_SIZE)])
                    for _ in range(clf.n_members)
                ]
            ).numpy()

    return run


def by_skactive(clf, X, place=None):
    """Predict with rows that are repeated at a place, or where skactive chooses."""
    clf = copy.copy(clf)
    if place is not None:
        clf._place = place
    return partial(clf.predict_member_proba, X)


def by_baal(clf, X, batch_size, replicate):
    from baal.bayesian.dropout import patch_module
    from baal.modelwrapper import ModelWrapper, TrainingArgs
    from torch.utils.data import TensorDataset

    module = patch_module(copy.deepcopy(clf.nets_[0].module_), inplace=False)
    data = TensorDataset(torch.as_tensor(X.reshape(-1, *clf.input_shape_)))
    args = TrainingArgs(
        batch_size=batch_size, workers=0, use_cuda=False, replicate_in_memory=replicate
    )
    wrapper = ModelWrapper(module, args)

    def run():
        logits = wrapper.predict_on_dataset(
            data, iterations=clf.n_members, verbose=False
        )
        return torch.as_tensor(logits).softmax(1).numpy()

    return run


MASKS = {
    "separate passes": separate_passes,
    "skactive": by_skactive,
    "skactive, at dropout": partial(by_skactive, place="dropout"),
    "skactive, at input": partial(by_skactive, place="input"),
}
PEERS = {
    "baal, batches of 64": partial(by_baal, batch_size=64, replicate=False),
    "baal, 64 replicated": partial(by_baal, batch_size=64, replicate=True),
    "baal, batches of 1024": partial(by_baal, batch_size=1024, replicate=False),
}


def peaks_in_children(sides, args):
    """Measure the peak of each side in a process of its own."""
    context = multiprocessing.get_context("spawn")
    measured = {}
    for name, send_peak in sides.items():
        ours, theirs = context.Pipe()
        child = context.Process(target=send_peak, args=(theirs,))
        child.start()
        measured[name] = Measured(peak=ours.recv())
        child.join()
    return measured


def send_peak(n_rows, block_size, connection):
    """Send by how many bytes a prediction raises the resident memory, on Linux.

    What torch allocates is not seen by `tracemalloc`.
    """
    torch.set_num_threads(1)
    X, y = rows("convolutions", n_rows)
    clf = classifier("convolutions").fit(X[:64], y[:64])
    clf.set_params(block_size=block_size).predict_proba(X[:1])
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = memory_kib("VmRSS")
    clf.predict_proba(X)
    connection.send(1024 * (memory_kib("VmHWM") - before))


def memory_kib(name):
    """Return a number that Linux reports about this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def cases(args):
    torch.set_num_threads(1)
    ways = MASKS | (PEERS if args.peers else {})
    n_images = args.n_images
    networks = dict.fromkeys(["one hidden layer", "two hidden layers"], args.n_samples)
    for name, n_rows in (networks | {"convolutions": n_images}).items():
        X, y = rows(name, n_rows)
        clf = classifier(name).fit(X[:200], y[:200])
        sides = {way: partial(prepare, clf, X) for way, prepare in ways.items()}
        yield Case(f"{name}, {N_MASKS} masks, {n_rows} rows", sides)
    X, y = rows("convolutions", n_images)
    settings = {"n_members": 10, "max_epochs": 1, "random_state": 0}
    whole = DeepEnsembleClassifier(**settings).fit(X[:100], y[:100])
    split = SplitHeadClassifier(**settings).fit(X[:100], y[:100])
    sides = {
        "whole networks": partial(partial, whole.predict_member_proba, X),
        "split heads": partial(partial, split.predict_member_proba, X),
        "embedding only": partial(partial, split.embed, X),
    }
    yield Case(f"10 networks, or 10 heads of one, {n_images} images", sides)
    sides = {
        f"block_size={size}": partial(send_peak, 10 * n_images, size)
        for size in args.block_sizes
    }
    if sides:
        title = f"memory of {N_MASKS} masks, {10 * n_images} images"
        yield Case(title, sides, peaks_in_children)


def options(parser):
    parser.add_argument("--n-samples", type=int, default=10_000)
    parser.add_argument("--n-images", type=int, default=1_000)
    sizes = [1024, 8192, 65536]
    parser.add_argument("--block-sizes", type=int, nargs="*", default=sizes)


if __name__ == "__main__":
    main(__doc__, "deep", cases, options=options, peers=["baal"], repeats=5)
