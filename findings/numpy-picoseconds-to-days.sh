#!/usr/bin/env bash
# numpy converts datetime64[ps] to other units, but not to days.
#
# Guess:    a time in picoseconds becomes a day like one in nanoseconds, as it is within
#           the range of both.
# Happens:  from ps to days is an OverflowError about the factor between
#           the two units; in two steps, through ns, it works.
# Versions: numpy 2.4.6; Python 3.11.
#
# Seen on 2026-11-29:
#   ns to days: 1970-02-03
#   ps to days: OverflowError: Integer overflow while computing the conversion factor
#   between NumPy datetime units D and ps
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'numpy==2.4.6'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["numpy"]:
    print(name, version(name))

import numpy as np

day = np.datetime64("1970-02-03", "D")
found = {}
for unit in ("ns", "ps"):
    fine = np.array([day]).astype("datetime64[ns]").astype(f"datetime64[{unit}]")
    try:
        found[unit] = str(fine.astype("datetime64[D]")[0])
    except OverflowError as error:
        found[unit] = f"OverflowError: {error}"
    assert fine.astype("datetime64[ns]").astype("datetime64[D]")[0] == day
    print(unit, "to days:", found[unit])
assert found["ns"] == "1970-02-03"
assert found["ps"].startswith("OverflowError")
PY
