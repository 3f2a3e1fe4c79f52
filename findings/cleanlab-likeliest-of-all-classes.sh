#!/usr/bin/env bash
# cleanlab compares a label with the likeliest class, not the likeliest confident one.
#
# Guess:    a row counts for the likeliest of the classes whose probability reaches their
#           thresholds, as in the paper on confident learning (Northcutt, Jiang, Chuang
#           2021, equation 2).
# Happens:  if it reaches two thresholds or more, it counts for the likeliest of all
#           classes, also if that one does not reach its own. Its label becomes an
#           issue that it is not by the paper.
# Versions: cleanlab 2.9.0, numpy 2.4.6, scikit-learn 1.9.1; Python 3.11.
#
# Seen on 2026-11-29:
#   row 1 is confident of: [0 1] issues: [1]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'cleanlab==2.9.0' \
    'numpy==2.4.6' \
    'scikit-learn==1.9.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["cleanlab", "numpy", "scikit-learn"]:
    print(name, version(name))

import numpy as np
from cleanlab.count import compute_confident_joint, get_confident_thresholds

labels = np.array([0, 0, 1, 1, 2, 2])
proba = np.array(
    [
        [0.25, 0.15, 0.60],
        [0.30, 0.22, 0.48],
        [0.20, 0.15, 0.65],
        [0.25, 0.25, 0.50],
        [0.05, 0.00, 0.95],
        [0.05, 0.05, 0.90],
    ]
)
thresholds = get_confident_thresholds(labels, proba)
_, issues = compute_confident_joint(
    labels, proba, calibrate=False, return_indices_of_off_diagonals=True
)
print("thresholds:", thresholds.round(3))
# Row 1, labelled 0: the classes 0 and 1 reach their thresholds, 2 does not, by far.
confident = proba[1] >= thresholds
print("row 1 is confident of:", np.flatnonzero(confident), "issues:", issues)
in_the_paper = np.where(confident, proba[1], 0).argmax()
assert in_the_paper == labels[1]
assert issues.tolist() == [1]
PY
