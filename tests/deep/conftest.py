"""Deep tests run on one thread, and only where torch is installed."""

import importlib.util

import numpy as np
import pytest
from sklearn.datasets import load_iris

collect_ignore_glob = []
if importlib.util.find_spec("torch") is None:
    collect_ignore_glob.append("test_*.py")
else:
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def iris():
    """Scaled rows of iris, float32, and their labels."""
    X, y = load_iris(return_X_y=True)
    return ((X - X.mean(axis=0)) / X.std(axis=0)).astype(np.float32), y
