"""The table of faults in the user guide names tests that exist, and all of them."""

import ast
import re
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = FOLDER.parents[1] / "doc" / "user_guide" / "faults.rst"


def numbers(names):
    """Return the numbers of faults in the names of tests."""
    return {number for name in names for number in re.findall(r"_t(\d\d)(?=_)", name)}


def names_of_tests():
    """Return the names of all tests in this folder, and those in the table."""
    trees = [ast.parse(p.read_text(encoding="utf-8")) for p in FOLDER.glob("test_*.py")]
    functions = [n for t in trees for n in t.body if isinstance(n, ast.FunctionDef)]
    here = [f.name for f in functions if f.name.startswith("test_")]
    return here, re.findall(r"``(test_\w+)``", PAGE.read_text(encoding="utf-8"))


def test_every_test_in_the_table_of_faults_exists():
    here, documented = names_of_tests()
    assert set(documented) - set(here) == set()


def test_every_fault_that_is_tested_stands_in_the_table_once():
    here, documented = names_of_tests()
    assert numbers(here) == numbers(documented)
    assert len(documented) == len(set(documented))


def test_no_name_stands_for_two_tests():
    here, _ = names_of_tests()
    assert sorted(here) == sorted(set(here))


def test_every_row_of_the_table_names_a_test():
    page = PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^   \* - (?!fault$)", page, re.M)
    assert len(rows) == len(names_of_tests()[1])
