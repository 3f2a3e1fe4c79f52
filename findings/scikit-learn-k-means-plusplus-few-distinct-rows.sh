#!/usr/bin/env bash
# kmeans_plusplus with more clusters than distinct rows selects row 0 again and
# again.
#
# Guess:    when every distinct row is a centre already, the remaining centres are
#           drawn at random from the rows.
# Happens:  all remaining centres are row 0, whatever the seed, without a warning:
#           the result depends on the first row of the file.
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   seed 0: first row 0.0, rows chosen [16, 21, 18, 0, 0, 0, 0, 0]
#   seed 1: first row 10.0, rows chosen [12, 21, 1, 0, 0, 0, 0, 0]
#   seed 2: first row 5.0, rows chosen [13, 2, 6, 0, 0, 0, 0, 0]
#   seed 3: first row 10.0, rows chosen [16, 21, 27, 0, 0, 0, 0, 0]
#   seed 4: first row 5.0, rows chosen [29, 14, 4, 0, 0, 0, 0, 0]
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
from sklearn.cluster import kmeans_plusplus

for seed in range(5):
    values = np.repeat([0.0, 5.0, 10.0], 10)
    X = np.random.default_rng(seed).permutation(values)[:, None]
    chosen = kmeans_plusplus(X, 8, random_state=seed)[1]
    print(f"seed {seed}: first row {X[0, 0]}, rows chosen {chosen.tolist()}")
    assert len(np.unique(X[chosen[:3]])) == 3
    assert chosen[3:].tolist() == [0] * 5
PY
