#!/usr/bin/env bash
# RandomOverSampler returns a one-hot y as one-hot, unless it has two columns.
#
# Guess:    a one-hot y is returned as one-hot, with the same number of columns.
# Happens:  three columns are returned as three, but two columns are returned as
#           one: a network with two outputs no longer fits its targets.
# Versions: imbalanced-learn 0.14.2, scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1;
#           Python 3.11.
#
# Seen on 2026-11-29:
#   in: (18, 2), out: (24, 1), last row: [1]
#   in: (22, 3), out: (36, 3), last row: [0 0 1]
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'imbalanced-learn==0.14.2' \
    'scikit-learn==1.9.1' \
    'numpy==2.4.6' \
    'scipy==1.17.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["imbalanced-learn", "scikit-learn", "numpy", "scipy"]:
    print(name, version(name))

import numpy as np
from imblearn.over_sampling import RandomOverSampler

for n_classes in (2, 3):
    codes = np.repeat(np.arange(n_classes), [12, 6, 4][:n_classes])
    one_hot = np.eye(n_classes, dtype=int)[codes]
    X = np.arange(len(codes), dtype=float)[:, None]
    y = RandomOverSampler(random_state=0).fit_resample(X, one_hot)[1]
    print(f"in: {one_hot.shape}, out: {y.shape}, last row: {y[-1]}")
    assert y.shape[1] == {2: 1, 3: 3}[n_classes]
PY
