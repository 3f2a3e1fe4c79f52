"""Training: seeds that do not change the global ones, batches, and epochs."""

from contextlib import contextmanager
from traceback import walk_tb

import numpy as np
import torch
from skorch.callbacks import Callback
from torch.utils.data import Subset


def stream_seed(*key):
    """Return a seed of 64 bits that depends only on whole numbers."""
    return int(np.random.SeedSequence(key).generate_state(1, np.uint64)[0] >> 1)


def generator(*key):
    """Return a generator on the CPU, seeded by whole numbers."""
    return torch.Generator().manual_seed(stream_seed(*key))


@contextmanager
def seeded(seed, device):
    """Seed torch inside, and put its random state back afterwards."""
    gpus = (
        range(torch.cuda.device_count()) if torch.device(device).type == "cuda" else []
    )
    with torch.random.fork_rng(devices=gpus):
        # torch.manual_seed would also seed devices whose state is not restored.
        torch.default_generator.manual_seed(seed)
        for number in gpus:
            torch.cuda.default_generators[number].manual_seed(seed)
        yield


def resolve_device(device):
    """Return the device of a name; ``"auto"`` is a GPU if there is one."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        found = torch.device(device)
        torch.empty(0, device=found)
    except (RuntimeError, AssertionError) as error:
        raise ValueError(
            f"device must be 'auto' or a device that torch can use here, got "
            f"{device!r}: {error}"
        ) from error
    return found


class ArrayBatches:
    """Minibatches cut from whole arrays, which is faster than row by row.

    Parameters
    ----------
    dataset : skorch.dataset.Dataset or torch.utils.data.Subset of one
        Its `X`, an array or a dict of arrays, and its `y`.

    batch_size : int
        Rows of a batch. A last batch of one row is joined to the one before, as modules
        that normalise batches could not train on it.

    shuffle : bool, default=False
        Whether rows come in a new order each time, drawn from torch's random state.
    """

    def __init__(self, dataset, batch_size, shuffle=False):
        rows = None
        if isinstance(dataset, Subset):
            dataset, rows = dataset.dataset, torch.as_tensor(dataset.indices)
        self.X, self.y, self.rows = dataset.X, dataset.y, rows
        self.n_rows = len(dataset) if rows is None else len(rows)
        self.batch_size, self.shuffle = batch_size, shuffle

    def __len__(self):
        full, rest = divmod(self.n_rows, self.batch_size)
        return max(1, full) if rest <= 1 else full + 1

    def __iter__(self):
        order = torch.randperm(self.n_rows) if self.shuffle else None
        if order is None:
            order = torch.arange(self.n_rows)
        if self.rows is not None:
            order = self.rows[order]
        cuts = [self.batch_size] * (len(self) - 1)
        for part in order.split([*cuts, self.n_rows - sum(cuts)]):
            yield _take(self.X, part), _take(self.y, part)


def _take(data, rows):
    if isinstance(data, dict):
        return {name: _take(values, rows) for name, values in data.items()}
    return torch.as_tensor(data[rows.numpy()])


def train(net, X, y, n_epochs):
    """Train a skorch net that is initialised.

    Unlike `partial_fit` of the net, it does not swallow a KeyboardInterrupt of the
    user: a loop would go on with a net that was trained halfway.
    """
    net.notify("on_train_begin", X=X, y=y)
    try:
        net.fit_loop(X, y, epochs=n_epochs)
    except KeyboardInterrupt as error:
        if not _is_of_callback(error):
            raise
    net.notify("on_train_end", X=X, y=y)


def _is_of_callback(error):
    """Tell whether a callback raised it, as skorch's early stopping does."""
    *_, (frame, _) = walk_tb(error.__traceback__)
    return isinstance(frame.f_locals.get("self"), Callback)
