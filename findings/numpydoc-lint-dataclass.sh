#!/usr/bin/env bash
# numpydoc lint rejects the documented fields of a dataclass, numpydoc validate does not.
#
# Guess:    both commands apply the same checks, and the fields of a dataclass are the
#           parameters of its class.
# Happens:  validate imports the module and sees the fields; lint, which is the hook for
#           pre-commit, reads the source and sees no parameters. It reports the right
#           docstring of a dataclass (PR02), and accepts a field without a docstring,
#           which validate reports (PR01). With a written __init__ they agree.
# Versions: numpydoc 1.11.0, Sphinx 9.0.4; Python 3.11.
#
# Seen on 2026-11-29:
#   Written: lint [], validate []
#   Documented: lint ['PR02'], validate []
#   Undocumented: lint [], validate ['PR01']
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'numpydoc==1.11.0' \
    'Sphinx==9.0.4'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["numpydoc", "Sphinx"]:
    print(name, version(name))

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

SECTION = """

    Parameters
    ----------
    width : int
        Width of the box.
    """
SOURCES = {
    "Written": f"""
class Written:
    \"\"\"Box.{SECTION}\"\"\"

    def __init__(self, width):
        self.width = width
""",
    "Documented": f"""
from dataclasses import dataclass


@dataclass
class Documented:
    \"\"\"Box.{SECTION}\"\"\"

    width: int
""",
    "Undocumented": """
from dataclasses import dataclass


@dataclass
class Undocumented:
    \"\"\"Box.\"\"\"

    width: int
""",
}
EXPECTED = {
    "Written": ([], []),
    "Documented": (["PR02"], []),
    "Undocumented": ([], ["PR01"]),
}
with tempfile.TemporaryDirectory() as folder:

    def parameter_errors(*arguments):
        result = subprocess.run(
            [sys.executable, "-m", "numpydoc", *arguments],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": folder},
            capture_output=True,
            text=True,
        )
        output = result.stdout + result.stderr
        assert "SA01" in output, output
        return sorted(set(re.findall(r"PR\d\d", output)))

    for name, source in SOURCES.items():
        Path(folder, f"{name.lower()}.py").write_text(source)
        lint = parameter_errors("lint", f"{name.lower()}.py")
        validate = parameter_errors("validate", f"{name.lower()}.{name}")
        print(f"{name}: lint {lint}, validate {validate}")
        assert (lint, validate) == EXPECTED[name]
PY
