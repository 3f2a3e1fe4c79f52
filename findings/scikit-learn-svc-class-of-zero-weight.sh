#!/usr/bin/env bash
# SVC predicts the wrong class if all rows of a class have weight zero.
#
# Guess:    a class whose rows all have sample_weight 0 is never predicted, and the
#           others are learnt as if its rows were absent.
# Happens:  if the weights of class 1 are zero, SVC predicts 1 for the rows of class
#           2 and never 2; classes_ lists all three. libsvm writes a line to stderr
#           ("class label 1 specified in weight is not found"); there is no Python
#           warning. decision_function raises an IndexError. LogisticRegression and
#           RandomForestClassifier behave as expected.
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   LogisticRegression: classes_ [0 1 2], predicted [0 2], accuracy 1.0
#   RandomForestClassifier: classes_ [0 1 2], predicted [0 2], accuracy 1.0
#   SVC: classes_ [0 1 2], predicted [0 1], accuracy 0.5
#   decision_function: index 1 is out of bounds for axis 1 with size 1
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
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.svm import SVC

y = np.arange(60) % 3
X = np.random.default_rng(0).normal(size=(60, 2)) + 6 * y[:, None]
weights = (y != 1).astype(float)
weighted = weights > 0
accuracy = {}
for model in (LogisticRegression(), RandomForestClassifier(10, random_state=0), SVC(kernel="linear")):
    answers = model.fit(X, y, sample_weight=weights).predict(X[weighted])
    name = type(model).__name__
    accuracy[name] = float((answers == y[weighted]).mean())
    print(f"{name}: classes_ {model.classes_}, predicted {np.unique(answers)}, accuracy {accuracy[name]}")
assert accuracy.pop("SVC") == 0.5
assert set(accuracy.values()) == {1.0}
assert set(answers.tolist()) == {0, 1}
assert set(answers[y[weighted] == 2].tolist()) == {1}
try:
    model.decision_function(X)
except IndexError as error:
    print("decision_function:", error)
else:
    raise SystemExit("decision_function works now")
PY
