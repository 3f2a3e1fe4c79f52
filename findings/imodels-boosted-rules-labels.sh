#!/usr/bin/env bash
# BoostedRulesClassifier only learns if the labels are 0 and 1.
#
# Guess:    the names of two classes do not affect what is learnt.
# Happens:  on the same rows the accuracy is high with the labels 0 and 1, while
#           with 1 and 2, or with texts, the first class is predicted for every row.
#           There is no warning, and classes_ contains the labels.
# Versions: imodels 3.0.4, six 1.17.0, pandas 3.1.1, scikit-learn 1.9.1, numpy
#           2.4.6, scipy 1.17.1; Python 3.11.
# Note:     imodels imports six without requiring it; the script installs six
#           explicitly.
#
# Seen on 2026-11-29:
#   classes_: [0 1] predicted: [0 1] accuracy: 0.8625
#   classes_: [1 2] predicted: [1] accuracy: 0.4975
#   classes_: ['no' 'yes'] predicted: ['no'] accuracy: 0.4975
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'imodels==3.0.4' \
    'six==1.17.0' \
    'pandas==3.1.1' \
    'scikit-learn==1.9.1' \
    'numpy==2.4.6' \
    'scipy==1.17.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["imodels", "six", "pandas", "scikit-learn", "numpy", "scipy"]:
    print(name, version(name))

import numpy as np
from imodels import BoostedRulesClassifier
from sklearn.datasets import make_classification

X, codes = make_classification(400, 10, n_informative=6, random_state=0)
for labels in ([0, 1], [1, 2], ["no", "yes"]):
    y = np.array(labels)[codes]
    model = BoostedRulesClassifier(random_state=0).fit(X, y)
    answers = model.predict(X)
    accuracy = float(np.mean(answers == y))
    print("classes_:", model.classes_, "predicted:", np.unique(answers), "accuracy:", accuracy)
    assert model.classes_.tolist() == labels
    if labels == [0, 1]:
        assert accuracy > 0.75
    else:
        assert set(answers.tolist()) == {labels[0]}
PY
