"""What is public is sorted, exists, and stands in the API reference."""

import re
from pathlib import Path

from skactive.acquisition._registry import STRATEGIES
from skactive.stopping import get_criterion_names

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
    assert set(documented_names().get(public_module.__name__, [])) == public


def test_api_page_lists_every_name_once():
    pages = documented_names()
    assert all(len(names) == len(set(names)) for names in pages.values())


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
