"""Fixtures that every test may use."""

import importlib
import importlib.util
import os
import pkgutil
import re
from pathlib import Path

import pytest

import skactive

PRIVATE = re.compile(r"\._|^skactive\.utils\b")
if importlib.util.find_spec("torch") is None:
    PRIVATE = re.compile(PRIVATE.pattern + r"|^skactive\.deep\b")


@pytest.fixture(scope="session")
def test_data():
    """Folder of the small data sets and published numbers kept with the tests."""
    return Path(__file__).parent / "data"


@pytest.fixture(scope="session")
def data_dir():
    """Folder of the large data sets, which are not part of the repository."""
    folder = os.environ.get("SKACTIVE_DATA")
    if not folder:
        pytest.skip("SKACTIVE_DATA does not name the folder of the large data sets")
    return Path(folder)


def public_modules():
    """Every importable module of skactive with an ``__all__`` and a public name."""
    names = ["skactive"]
    names += [m.name for m in pkgutil.walk_packages(skactive.__path__, "skactive.")]
    public = [name for name in names if not PRIVATE.search(name)]
    modules = [importlib.import_module(name) for name in public]
    return [module for module in modules if hasattr(module, "__all__")]


def pytest_generate_tests(metafunc):
    if "public_module" in metafunc.fixturenames:
        modules = public_modules()
        names = [module.__name__ for module in modules]
        metafunc.parametrize("public_module", modules, ids=names)
