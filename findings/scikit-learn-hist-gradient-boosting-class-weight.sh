#!/usr/bin/env bash
# HistGradientBoostingClassifier looks up class_weight by code, not by label.
#
# Guess:    the keys of class_weight={label: weight} are the labels of y, as in
#           LogisticRegression or RandomForestClassifier.
# Happens:  the labels are replaced by 0, 1, ... before the weights are looked up. A
#           dictionary with text labels raises an error, and with the labels 1 and 2
#           the weight of 1 is applied to label 2, without a warning.
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   RandomForestClassifier predicts label 1, no weights: 0.46
#   RandomForestClassifier predicts label 1, {1: 20}: 1.0
#   HistGradientBoostingClassifier predicts label 1, no weights: 0.5125
#   HistGradientBoostingClassifier predicts label 1, {1: 20}: 0.0125
#   texts: The classes, [0, 1], are not in class_weight
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
from sklearn.datasets import make_classification
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier

X, codes = make_classification(400, 10, n_informative=6, flip_y=0.3, random_state=0)
texts, numbers = np.array(["ham", "spam"])[codes], codes + 1


def share_of_first(model, y, weight):
    model.set_params(class_weight=weight)
    return float((model.fit(X, y).predict(X) == y.min()).mean())


boosting = HistGradientBoostingClassifier(max_iter=5, random_state=0)
forest = RandomForestClassifier(20, max_depth=2, random_state=0)
for model in (forest, boosting):
    print(type(model).__name__, "predicts label 1, no weights:", share_of_first(model, numbers, None))
    print(type(model).__name__, "predicts label 1, {1: 20}:", share_of_first(model, numbers, {1: 20}))
assert share_of_first(forest, numbers, {1: 20}) > 0.9
assert share_of_first(boosting, numbers, {1: 20}) < 0.1

try:
    boosting.set_params(class_weight={"ham": 1, "spam": 20}).fit(X, texts)
except ValueError as error:
    print("texts:", error)
    assert "[0, 1]" in str(error)
else:
    raise SystemExit("class_weight by text label is taken now")
PY
