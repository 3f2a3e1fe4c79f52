"""A label store that the tests of its parts share."""

import pytest

from skactive.oracles._store.store import LabelStore


@pytest.fixture
def path(tmp_path):
    return tmp_path / "labels.sqlite"


@pytest.fixture
def store(path):
    store = LabelStore(path)
    yield store
    store.close()
