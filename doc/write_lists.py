"""Write the lists and tables of strategies, criteria and oracles into the pages.

Run ``python doc/write_lists.py`` after a part was added, renamed or described
differently. The lists are made from the registries, ``__all__`` and docstrings, and a
test checks that they are up to date. Docstrings are read from the files, so that no
extra has to be installed.
"""

import ast
import importlib
import re
import sys
from dataclasses import dataclass
from inspect import cleandoc
from pathlib import Path

from skactive import oracles
from skactive.acquisition._registry import STRATEGIES  # noqa: PLC2701
from skactive.stopping._registry import CRITERIA  # noqa: PLC2701

ROOT = Path(__file__).parents[1]
README, API_PAGE = ROOT / "README.md", ROOT / "doc" / "api.rst"
GUIDE = ROOT / "doc" / "user_guide"

FAMILIES = (
    "acquisition/uncertainty",
    "acquisition/committee",
    "acquisition/model_change",
    "acquisition/error_reduction",
    "acquisition/dynamics",
    "acquisition/diversity",
    "acquisition/hybrid",
    "acquisition/meta",
    "acquisition/_random.py",
    "deep",
)


@dataclass
class Part:
    """A registered class and its names."""

    names: list
    file: Path
    class_name: str

    @property
    def docstring(self):
        for node in ast.parse(self.file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef) and node.name == self.class_name:
                return cleandoc(ast.get_docstring(node) or "")
        raise LookupError(f"{self.file} has no class {self.class_name}.")

    @property
    def summary(self):
        return first_sentence(self.docstring)

    def field(self, name, *, optional=False):
        """Return the text of a line ``:name: text`` of the docstring."""
        found = re.search(
            rf"^:{name}:\s+(.+(?:\n +.+)*)$", self.docstring, re.MULTILINE
        )
        if found is None and not optional:
            raise LookupError(
                f"The docstring of {self.class_name} in {self.file.relative_to(ROOT)} "
                f"has no line ':{name}: ...'. CONTRIBUTING.md says what belongs there."
            )
        return "" if found is None else re.sub(r"\s+", " ", found[1])

    def is_of(self, family):
        path = ROOT / "skactive" / family
        return path in (self.file, self.file.parent)


def first_sentence(docstring):
    """Return the first paragraph of a docstring, without the period at its end."""
    return docstring.split("\n\n")[0].replace("\n", " ").rstrip(".")


def parts_of(registry, package):
    """Return the parts of a registry, in the order of their first names."""
    parts = {}
    for name, place in sorted(registry.items()):
        module, class_name = place.split(":")
        full = f"{package}{module}" if module.startswith(".") else module
        file = ROOT / Path(*full.split(".")).with_suffix(".py")
        parts.setdefault(place, Part([], file, class_name)).names.append(name)
    return list(parts.values())


def strategies_by_family():
    """Return pairs of the description of a family and its strategies."""
    parts, pairs = parts_of(STRATEGIES, "skactive.acquisition"), []
    for family in FAMILIES:
        own = [part for part in parts if part.is_of(family)]
        pairs.append((summary_of(family), own))
        parts = [part for part in parts if part not in own]
    if parts:
        raise LookupError(
            f"{parts[0].class_name} is in none of the FAMILIES of {__file__}: "
            f"{', '.join(FAMILIES)}."
        )
    return pairs


def summary_of(family):
    """Return the first sentence of the docstring of a package or module."""
    file = ROOT / "skactive" / family
    if file.is_dir():
        file /= "__init__.py"
    docstring = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8")))
    return first_sentence(docstring)


def table(widths, *rows):
    """Return a table in reStructuredText, whose first row is the header."""
    lines = [".. list-table::", "   :header-rows: 1", f"   :widths: {widths}", ""]
    for row in rows:
        for number, cell in enumerate(row):
            start = "   * - " if number == 0 else "     - "
            lines.append(f"{start}{cell}".rstrip())
    return "\n".join(lines)


def code(names):
    return ", ".join(f"``{name}``" for name in names)


def strategy_tables():
    """Return the tables of the guide's page of strategies."""
    pieces = []
    header = ("name", "uses", "cost of a round", "batch", "page")
    for line, parts in strategies_by_family():
        title, text = re.split("[:,;] ", line, maxsplit=1)
        rows = [
            (
                code(part.names),
                part.field("Uses"),
                part.field("Cost of a round"),
                part.field("Batch", optional=True),
                part.field("Guide", optional=True).replace("/user_guide/", ""),
            )
            for part in parts
        ]
        pieces += [f"{title}\n{'-' * len(title)}", f"{text[0].upper()}{text[1:]}."]
        pieces.append(table("24 24 24 8 20", header, *rows))
    return "\n\n".join(pieces)


def criterion_table():
    """Return the table of the guide's page of criteria."""
    rows = [
        (
            code(part.names),
            f"{part.summary.removeprefix('Stop when ')}: "
            f":class:`~skactive.stopping.{part.class_name}`",
            part.field("Uses"),
        )
        for part in parts_of(CRITERIA, "skactive.stopping")
    ]
    return table("26 44 30", ("name", "stops when", "uses"), *rows)


def oracle_table():
    """Return the table of the guide's page of oracles."""
    rows = []
    for name in oracles.__all__:
        if name.endswith("Oracle"):
            file = Path(sys.modules[getattr(oracles, name).__module__].__file__)
            summary = Part([], file, name).summary
            purpose = summary[0].lower() + summary[1:]
            rows.append((f":class:`~skactive.oracles.{name}`", purpose))
    return table("30 70", ("oracle", "use it to"), *rows)


def readme_table():
    """Return the table of strategies in the README."""
    rows = ["| family | names |", "| --- | --- |"]
    for line, parts in strategies_by_family():
        names = [f"`{name}`" for part in parts for name in part.names]
        rows.append(f"| {line.replace('``', '`')} | {', '.join(names)} |")
    return "\n".join(rows)


def readme_criteria():
    """Return the names of the criteria for the README."""
    return ", ".join(f"`{name}`" for name in sorted(CRITERIA))


def between_marks(path, **texts):
    """Return a page with texts put between its marks ``list of NAME`` and ``end``."""
    page, is_rst = path.read_text(encoding="utf-8"), path.suffix == ".rst"
    for name, text in texts.items():
        start, end = f"list of {name}", f"end of {name}"
        start, end = (
            (f".. {mark}" if is_rst else f"<!-- {mark} -->") for mark in (start, end)
        )
        pattern = rf"^{re.escape(start)}$.*?^{re.escape(end)}$"
        new = f"{start}\n\n{text}\n\n{end}"
        page, n_found = re.subn(
            pattern, lambda _, new=new: new, page, flags=re.M | re.S
        )
        if n_found != 1:
            raise LookupError(f"{path} must have the lines {start!r} and {end!r} once.")
    return page


def api_page():
    """Return the API page with the public names of every module that can be imported.

    A name stays in the list where it is; a new one goes into the first of its module.
    """
    head, *sections = API_PAGE.read_text(encoding="utf-8").split(".. currentmodule:: ")
    return ".. currentmodule:: ".join([head, *map(with_public_names, sections)])


def with_public_names(section):
    """Return a section of the API page, with the public names of its module."""
    try:
        module = importlib.import_module(section.split(maxsplit=1)[0])
    except ImportError:  # of an extra that is not installed
        return section
    listed = re.findall(r"^ {3}(\w+)$", section, re.M)
    new = set(module.__all__) - {"__version__", *listed}

    def rewrite(match):
        names = {name for name in match[0].split() if name in module.__all__} | new
        new.clear()
        return "".join(f"   {name}\n" for name in sorted(names))

    return re.sub(r"(?:^ {3}\w+\n)+", rewrite, section, flags=re.M)


def pages():
    """Return each page that has lists, and the text that it should have."""
    return {
        README: between_marks(
            README, strategies=readme_table(), criteria=readme_criteria()
        ),
        API_PAGE: api_page(),
        GUIDE / "strategies.rst": between_marks(
            GUIDE / "strategies.rst", strategies=strategy_tables()
        ),
        GUIDE / "stopping.rst": between_marks(
            GUIDE / "stopping.rst", criteria=criterion_table()
        ),
        GUIDE / "oracles.rst": between_marks(
            GUIDE / "oracles.rst", oracles=oracle_table()
        ),
    }


if __name__ == "__main__":
    for path, text in pages().items():
        if path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print("written:", path.relative_to(ROOT))
