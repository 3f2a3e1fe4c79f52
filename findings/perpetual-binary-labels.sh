#!/usr/bin/env bash
# PerpetualClassifier predicts 0 and 1 for any two labels.
#
# Guess:    predict returns the labels passed to fit, for two classes as for three.
# Happens:  with two classes predict returns 0 and 1 although classes_ contains the
#           labels, so that no prediction is right; with three classes it returns
#           the labels.
# Versions: perpetual 2.3.0, scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python
#           3.11.
#
# Seen on 2026-11-29:
#   classes_: [5 7] predicted: [0 1] accuracy: 0.0
#   classes_: ['no' 'yes'] predicted: [0 1] accuracy: 0.0
#   classes_: ['a' 'b' 'c'] predicted: ['a' 'b' 'c'] accuracy: 1.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'perpetual==2.3.0' \
    'scikit-learn==1.9.1' \
    'numpy==2.4.6' \
    'scipy==1.17.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["perpetual", "scikit-learn", "numpy", "scipy"]:
    print(name, version(name))

import numpy as np
from perpetual import PerpetualClassifier
from sklearn.datasets import make_classification

X, codes = make_classification(
    300, 10, n_informative=6, n_classes=3, n_clusters_per_class=1, random_state=0
)
for labels in ([5, 7], ["no", "yes"], ["a", "b", "c"]):
    rows = codes < len(labels)
    y = np.array(labels)[codes[rows]]
    model = PerpetualClassifier(budget=0.3)
    model.fit(X[rows], y)
    answers = model.predict(X[rows])
    accuracy = float(np.mean(answers == y))
    print("classes_:", model.classes_, "predicted:", np.unique(answers), "accuracy:", round(accuracy, 2))
    assert model.classes_.tolist() == labels
    if len(labels) == 2:
        assert set(answers.tolist()) == {0, 1}
        assert accuracy == 0
    else:
        assert set(answers.tolist()) == set(labels)
        assert accuracy > 0.8
PY
