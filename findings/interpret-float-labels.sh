#!/usr/bin/env bash
# ExplainableBoostingClassifier converts the labels 0.0 and 1.0 to texts.
#
# Guess:    labels of type float are predicted as floats (as by every classifier of
#           scikit-learn), or as the integers they equal.
# Happens:  classes_ is ['0.0', '1.0'] and predict returns these texts. Comparing
#           them with y gives an accuracy of 0, and the score method of the model
#           itself raises an error on the labels it was fitted with. Labels of type
#           int or bool are returned unchanged.
# Versions: interpret-core 0.7.8, pandas 3.1.1, joblib 1.6.0, scikit-learn 1.9.1,
#           numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   int classes_: [0 1] accuracy: 0.96
#   bool classes_: [False  True] accuracy: 0.96
#   float classes_: ['0.0' '1.0'] accuracy: 0.0
#   score: Mix of label input types (string and number); Got [0. 1.] and ['0.0' '1.0'].
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'interpret-core==0.7.8' \
    'pandas==3.1.1' \
    'joblib==1.6.0' \
    'scikit-learn==1.9.1' \
    'numpy==2.4.6' \
    'scipy==1.17.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["interpret-core", "pandas", "joblib", "scikit-learn", "numpy", "scipy"]:
    print(name, version(name))

import numpy as np
from interpret.glassbox import ExplainableBoostingClassifier
from sklearn.datasets import make_classification

X, y = make_classification(200, 5, random_state=0)
for kind in (int, bool, float):
    model = ExplainableBoostingClassifier(interactions=0, outer_bags=1, max_rounds=200, random_state=0)
    model.fit(X, y.astype(kind))
    accuracy = float(np.mean(model.predict(X) == y.astype(kind)))
    print(kind.__name__, "classes_:", model.classes_, "accuracy:", round(accuracy, 2))
    assert (accuracy == 0) if kind is float else (accuracy > 0.8)
assert model.classes_.tolist() == ["0.0", "1.0"]
try:
    model.score(X, y.astype(float))
except ValueError as error:
    print("score:", error)
else:
    raise SystemExit("score takes the float labels now")
PY
