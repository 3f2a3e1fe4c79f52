"""Importing skactive is cheap: no optional dependency is loaded or needed."""

import subprocess
import sys

import pytest

OPTIONAL = [
    "dask",
    "matplotlib",
    "pandas",
    "polars",
    "rich",
    "skorch",
    "starlette",
    "torch",
    "uvicorn",
]
IMPORT_THE_CORE = """
import skactive
import skactive.acquisition
import skactive.datasets
import skactive.exceptions
import skactive.model_selection
import skactive.oracles
import skactive.plotting
import skactive.stopping
import skactive.testing
"""
# scikit-learn itself loads pandas and rich where they are installed: sys.modules
# does not tell what we import, so importers are watched.
PRINT_OUR_IMPORTS = """
import builtins

original = builtins.__import__

def spy(name, globals=None, *args, **kwargs):
    importer = (globals or {}).get("__name__", "")
    if importer.startswith("skactive"):
        print(importer, "imports", name.partition(".")[0])
    return original(name, globals, *args, **kwargs)

builtins.__import__ = spy
"""
# As if they had never been installed; other libraries look for them, too.
HIDE_THE_OPTIONAL = f"""
from importlib.machinery import PathFinder

find = PathFinder.find_spec
PathFinder.find_spec = lambda name, path=None, target=None: (
    None if name.partition(".")[0] in {OPTIONAL} else find(name, path, target)
)
"""
USE_A_DEEP_STRATEGY = """
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC
from skactive.acquisition import get_strategy, get_strategy_names
from skactive.acquisition._registry import check_needs

print({"mal", "vaal"} & {*get_strategy_names()})
check_needs(get_strategy("margin"), LogisticRegression())
for use in (
    lambda: get_strategy("vaal"),
    lambda: check_needs(get_strategy("bald"), LinearSVC()),
):
    try:
        use()
    except (ImportError, ValueError) as error:
        print(type(error).__name__, error)
"""


def run_python(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_import_loads_no_optional_dependency():
    imports = run_python(PRINT_OUR_IMPORTS + IMPORT_THE_CORE)
    assert "skactive._classifier imports sklearn" in imports
    assert [line for line in imports if line.split()[-1] in OPTIONAL] == []


@pytest.fixture(scope="module")
def without_optional():
    """A process without them imports the core, uses it, and imports `skactive.deep`."""
    code = HIDE_THE_OPTIONAL + IMPORT_THE_CORE + "print('ok')" + USE_A_DEEP_STRATEGY
    command = [sys.executable, "-c", code + "import skactive.deep"]
    return subprocess.run(command, capture_output=True, text=True)


def test_import_works_without_any_optional_dependency(without_optional):
    assert without_optional.stdout.startswith("ok\n"), without_optional.stderr


def test_strategies_whose_extra_is_missing_are_no_trouble_until_they_are_used(
    without_optional,
):
    _, names, used, refused = without_optional.stdout.splitlines()
    assert names == "set()"
    assert used.startswith("ImportError")
    assert used.endswith('install them with `pip install "skactive[deep]"`.')
    assert refused.startswith("ValueError")
    assert "margin" in refused
    assert "vaal" not in refused


def test_deep_classifiers_say_what_they_need(without_optional):
    assert without_optional.returncode == 1
    last = without_optional.stderr.splitlines()[-1]
    assert 'pip install "skactive[deep]"' in last
