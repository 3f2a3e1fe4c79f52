"""What is public is sorted, exists, and is in the API reference and the lists."""

import importlib.util
import inspect
import pkgutil
import re
from pathlib import Path

import pytest

from skactive import acquisition, stopping
from skactive.acquisition._registry import STRATEGIES
from skactive.stopping import get_criterion_names
from skactive.stopping._registry import CRITERIA

DOC = Path(__file__).parents[1] / "doc"
API_PAGE, GUIDE = DOC / "api.rst", DOC / "user_guide"


def documented_names():
    """Map each module of the API page to the names listed under it."""
    _, *sections = API_PAGE.read_text().split(".. currentmodule:: ")
    modules = [section.split(maxsplit=1)[0] for section in sections]
    names = [re.findall(r"^ {3}(\w+)$", section, re.M) for section in sections]
    return dict(zip(modules, names, strict=True))


def test_all_is_sorted_and_every_name_exists(public_module):
    assert list(public_module.__all__) == sorted(public_module.__all__)
    assert all(hasattr(public_module, name) for name in public_module.__all__)


def test_api_page_lists_the_public_names(public_module):
    public = set(public_module.__all__) - {"__version__"}
    listed = set(documented_names().get(public_module.__name__, []))
    assert public_module.__name__ in documented_names(), (
        f"add a section for {public_module.__name__} to doc/api.rst"
    )
    assert listed == public, "run python doc/write_lists.py"


def test_api_page_lists_every_name_once():
    pages = documented_names()
    assert all(len(names) == len(set(names)) for names in pages.values())


def load_writer():
    spec = importlib.util.spec_from_file_location("lists", DOC / "write_lists.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lists_are_those_of_the_registries():
    old = [
        path.name
        for path, text in load_writer().pages().items()
        if path.read_text(encoding="utf-8") != text
    ]
    assert not old, f"{old} differ from the registries: run python doc/write_lists.py"


@pytest.mark.parametrize(
    ("package", "registry"),
    [(acquisition, STRATEGIES), (stopping, CRITERIA)],
    ids=["strategies", "criteria"],
)
def test_registered_classes_are_exported(package, registry):
    for name, place in registry.items():
        module, class_name = place.split(":")
        if module.startswith("."):
            assert class_name in package.__all__, (
                f"{name!r} is registered and not exported. In the __init__.py of "
                f"{package.__name__}, add 'from {package.__name__}{module} import "
                f'{class_name}\' and "{class_name}" in __all__.'
            )


def leaves_of(package, base):
    """Yield classes that nothing is derived from, and can be made without arguments."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for cls in vars(importlib.import_module(found.name)).values():
            is_own = inspect.isclass(cls) and cls.__module__ == found.name
            if is_own and issubclass(cls, base) and not cls.__subclasses__():
                parameters = inspect.signature(cls).parameters.values()
                if all(p.default is not p.empty for p in parameters):
                    yield cls


@pytest.mark.parametrize(
    ("package", "base", "registry"),
    [
        (acquisition, acquisition.BaseStrategy, STRATEGIES),
        (stopping, stopping.BaseCriterion, CRITERIA),
    ],
    ids=["strategies", "criteria"],
)
def test_no_class_is_forgotten_in_the_registry(package, base, registry):
    registered = {place.split(":")[1] for place in registry.values()}
    for cls in leaves_of(package, base):
        assert cls.__name__ in registered, (
            f"{cls.__name__} of {cls.__module__} has no name: add one to the registry "
            f"in {package.__name__}._registry."
        )


def test_summaries_of_criteria_begin_alike():
    for part in load_writer().parts_of(CRITERIA, "skactive.stopping"):
        assert part.summary.startswith("Stop when "), (
            f"the docstring of {part.class_name} must begin with 'Stop when'"
        )


def test_strategies_that_override_select_say_how_batches_differ():
    names = acquisition.get_strategy_names()
    for part in load_writer().parts_of(STRATEGIES, "skactive.acquisition"):
        if part.names[0] in names:
            cls = type(acquisition.get_strategy(part.names[0]))
            overrides = cls.select is not acquisition.BaseStrategy.select
            assert bool(part.field("Batch", optional=True)) == overrides, (
                f"the docstring of {cls.__name__} needs a line ':Batch: yes', or "
                "':Batch: by chance', if and only if it overrides select"
            )


def test_a_new_public_name_goes_into_the_first_list_of_its_module():
    section = "skactive.stopping\n\n   AllOf\n   Gone\n\nFunctions:\n\n   agreement\n"
    first, rest = load_writer().with_public_names(section).split("Functions:")
    assert rest == "\n\n   agreement\n"
    assert {"AllOf", "AnyOf", "get_criterion"} < set(first.split())
    assert "Gone" not in first


def test_a_docstring_without_its_line_for_the_table_is_named():
    writer = load_writer()
    part = writer.Part(["x"], DOC.parent / "skactive/utils/_registry.py", "Registry")
    with pytest.raises(
        LookupError, match=r"Registry in .*_registry.py has no line ':U"
    ):
        part.field("Uses")


def test_the_guide_lists_every_strategy():
    page = (GUIDE / "strategies.rst").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("   * - ``")]
    named = {name for row in rows for name in re.findall(r"``(\w+)``", row)}
    assert named == set(STRATEGIES)


def test_the_guide_lists_every_stopping_criterion():
    page = (GUIDE / "stopping.rst").read_text(encoding="utf-8")
    page, _ = page.split("What they save", 1)
    rows = [line for line in page.splitlines() if line.startswith("   * - ``")]
    assert {re.search(r"``(\w+)``", row)[1] for row in rows} == {*get_criterion_names()}
