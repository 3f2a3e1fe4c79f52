#!/usr/bin/env bash
# Equal rows of a matrix have unequal products with one vector.
#
# Guess:    rows that are equal bit for bit have equal products in X @ w, as the
#           same sum is computed for each.
# Happens:  the last bits depend on where a row stands in its block. With many
#           numbers of rows, two values come out for copies of one row, and so two
#           values of decision_function: ties are no longer ties.
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
# Note:     The numbers depend on the processor: its kernels differ in the size of
#           their blocks.
#
# Seen on 2026-11-29:
#   73 of 99 numbers of copies give unequal products: [3, 5, 6, 7, 9, 10, 11, 13] ...
#   decision_function differs among copies for 73 of 99, by at most 8.9e-16
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'scikit-learn==1.9.1' \
    'numpy==2.4.6' \
    'scipy==1.17.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["scikit-learn", "numpy", "scipy"]:
    print(name, version(name))

import numpy as np
from sklearn.linear_model import LogisticRegression

rng = np.random.default_rng(0)
rows, w = rng.normal(size=(10, 1, 50)), rng.normal(size=50)
unequal = [
    n
    for n in range(2, 101)
    if any(len(np.unique(np.repeat(row, n, axis=0) @ w)) > 1 for row in rows)
]
print(f"{len(unequal)} of 99 numbers of copies give unequal products: {unequal[:8]} ...")

model = LogisticRegression().fit(rng.normal(size=(60, 50)), np.arange(60) % 2)
margins = {n: model.decision_function(np.repeat(rows[0], n, axis=0)) for n in range(2, 101)}
spread = max(float(np.ptp(m)) for m in margins.values())
split = [n for n, m in margins.items() if len(np.unique(m)) > 1]
print(f"decision_function differs among copies for {len(split)} of 99, by at most {spread:.1e}")
assert unequal
assert split
assert spread < 1e-12
PY
