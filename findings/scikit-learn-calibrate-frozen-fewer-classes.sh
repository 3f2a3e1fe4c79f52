#!/usr/bin/env bash
# A frozen model of three classes cannot be calibrated on labels of two of them.
#
# Guess:    CalibratedClassifierCV(FrozenEstimator(model)) accepts calibration
#           labels that lack one class of the model, or says that it does not.
# Happens:  a RuntimeWarning mentions a training fold, then fit raises an IndexError
#           about axis 1 and size 2, whichever class is missing.
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   all three classes: fitted
#   without class 0: IndexError: index 2 is out of bounds for axis 1 with size 2
#   without class 1: IndexError: index 2 is out of bounds for axis 1 with size 2
#   without class 2: IndexError: index 2 is out of bounds for axis 1 with size 2
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

from sklearn.calibration import CalibratedClassifierCV
from sklearn.datasets import load_iris
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

X, y = load_iris(return_X_y=True)
frozen = FrozenEstimator(LogisticRegression(max_iter=500).fit(X, y))
CalibratedClassifierCV(frozen).fit(X, y)
print("all three classes: fitted")
for absent in range(3):
    rows = y != absent
    try:
        CalibratedClassifierCV(frozen).fit(X[rows], y[rows])
    except IndexError as error:
        print(f"without class {absent}: IndexError: {error}")
    else:
        raise SystemExit(f"calibration without class {absent} works now")
PY
