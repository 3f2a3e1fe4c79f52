"""Data sets by name, out of the repository or the folder that SKACTIVE_DATA names."""

import os
from pathlib import Path

import numpy as np

TEST_DATA = Path(__file__).parents[2] / "tests" / "data"


def find(name):
    """Return the path of a file; those of the repository come first."""
    path = TEST_DATA / name
    return path if path.exists() else Path(os.environ["SKACTIVE_DATA"]) / name


def load(name):
    """Return X and y of a data set of numbers."""
    data = np.load(find(f"{name}.npz"), allow_pickle=False)
    return data["X"], data["y"]
