"""Members of deep classifiers: all in one pass, beside one pass for each, and baal.

MC dropout over many rows: skactive's `predict_member_proba`, as many forward passes as
there are masks, and baal's patched module in its wrapper, both with rows that are
repeated in memory and without. Then what is left of it if the trunk is computed once:
split heads beside networks that are whole. All run in one process, in turn, with one
thread. What is printed are medians of ratios to the separate passes.

baal draws a new mask for each row, where skactive has one for each member, so that the
work is the same and the numbers are not.
"""

import argparse
import copy
import multiprocessing
import platform
from functools import partial
from importlib.metadata import version
from pathlib import Path

import numpy as np
import torch
from bench_committee import in_turn, report
from threadpoolctl import threadpool_limits
from torch import nn

from skactive.deep import (
    DeepEnsembleClassifier,
    MCDropoutClassifier,
    SplitHeadClassifier,
)

BATCH_SIZES = (64, 1024)
# Name, members, rows.
NETWORKS = [
    ("one hidden layer", 50, 10_000),
    ("two hidden layers", 50, 10_000),
    ("convolutions", 50, 1_000),
]


def rows(name, n_rows):
    """Return rows and labels: 50 features, or images of 28 x 28."""
    rng = np.random.default_rng(0)
    shape = (28, 28) if name == "convolutions" else (50,)
    X = rng.normal(size=(n_rows, *shape)).astype(np.float32)
    return X, rng.integers(10, size=n_rows)


def classifier(name, n_members):
    sizes = (128, 128) if name == "two hidden layers" else (128,)
    return MCDropoutClassifier(
        hidden_layer_sizes=sizes, n_members=n_members, max_epochs=1, random_state=0
    )


def separate_passes(clf, X, batch_size):
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
                    torch.cat([module(part).softmax(1) for part in X.split(batch_size)])
                    for _ in range(clf.n_members)
                ]
            ).numpy()

    return run


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


def bench_masks(args):
    for name, n_members, n_rows in args.networks:
        X, y = rows(name, n_rows)
        clf = classifier(name, n_members).fit(X[:200], y[:200])
        print(f"\n{name}, {n_members} masks, {n_rows} rows, stacked: {clf._place}")
        functions = {"separate passes": separate_passes(clf, X, args.batch_size)}
        functions["skactive"] = partial(clf.predict_member_proba, X)
        for place in ("dropout", "input"):
            other = copy.copy(clf)
            other._place = place
            functions[f"skactive, at {place}"] = partial(other.predict_member_proba, X)
        if not args.no_peers:
            for size in BATCH_SIZES:
                functions[f"baal, batches of {size}"] = by_baal(clf, X, size, False)
                if size == min(BATCH_SIZES):
                    functions["baal, replicated"] = by_baal(clf, X, size, True)
        report(in_turn(functions, args.repeats))


def bench_heads(args):
    X, y = rows("convolutions", args.n_images)
    settings = {"n_members": 10, "max_epochs": 1, "random_state": 0}
    whole = DeepEnsembleClassifier(**settings).fit(X[:100], y[:100])
    split = SplitHeadClassifier(**settings).fit(X[:100], y[:100])
    print(f"\n10 networks, or 10 heads of one, {args.n_images} images")
    functions = {
        "whole networks": partial(whole.predict_member_proba, X),
        "split heads": partial(split.predict_member_proba, X),
        "embedding only": partial(split.embed, X),
    }
    report(in_turn(functions, args.repeats))


def peak_mib(block_size, n_rows, connection):
    """Send by how much a prediction raises the resident memory, on Linux."""
    torch.set_num_threads(1)
    X, y = rows("convolutions", n_rows)
    clf = classifier("convolutions", 50).fit(X[:64], y[:64])
    clf.set_params(block_size=block_size).predict_proba(X[:1])
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = memory_kib("VmRSS")
    clf.predict_proba(X)
    connection.send((memory_kib("VmHWM") - before) / 1024)


def memory_kib(name):
    """Return a number out of what Linux says of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def bench_memory(args):
    n_rows = 10 * args.n_images
    print(f"\nPeak memory of predict_proba, 50 masks, {n_rows} images")
    context = multiprocessing.get_context("spawn")
    for block_size in args.block_sizes:
        ours, theirs = context.Pipe()
        child = context.Process(
            target=peak_mib, args=(block_size, args.n_images, theirs)
        )
        child.start()
        print(f"  block_size={block_size:<8} {ours.recv():8.1f} MiB", flush=True)
        child.join()


def network(text):
    name, n_members, n_rows = text.split(":")
    return name, int(n_members), int(n_rows)


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--n-images", type=int, default=1_000)
    parser.add_argument("--networks", type=network, nargs="*", default=NETWORKS)
    parser.add_argument("--batch-size", type=int, default=1024)
    sizes = [1024, 8192, 65536]
    parser.add_argument("--block-sizes", type=int, nargs="*", default=sizes)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-peers", action="store_true")
    return parser.parse_args()


def main():
    args = parse_args()
    packages = ["skactive", "torch", "skorch", "numpy"]
    packages += [] if args.no_peers else ["baal"]
    print(f"Python {platform.python_version()}, one thread")
    print(", ".join(f"{name} {version(name)}" for name in packages))
    torch.set_num_threads(1)
    with threadpool_limits(1):
        bench_masks(args)
        bench_heads(args)
        bench_memory(args)


if __name__ == "__main__":
    main()
