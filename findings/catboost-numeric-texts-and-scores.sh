#!/usr/bin/env bash
# CatBoost sorts text labels that look like numbers as numbers; scikit-learn sorts
# them as texts.
#
# Guess:    roc_auc_score(y, model.predict_proba(X)[:, 1]) is near 1 for a model
#           that predicts its training rows well, whatever the names of the labels.
# Happens:  with the text labels "9" and "10" the classes of CatBoost are ['9',
#           '10'], while numpy and scikit-learn sort them as ['10', '9']. The same
#           model on the same rows has an area of 0.97 or 0.03, depending on the
#           names of the labels. The scorers of scikit-learn, which know the classes
#           of the model, are wrong as well, and so is log_loss. There is no
#           warning.
# Versions: catboost 1.2.10, pandas 3.1.1, scikit-learn 1.9.1, numpy 2.4.6, scipy
#           1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   classes_: ['a' 'b'] np.unique: ['a' 'b']
#     accuracy 0.92, area 0.97, scorer roc_auc 0.97, neg_log_loss -0.31
#   classes_: ['9' '10'] np.unique: ['10' '9']
#     accuracy 0.92, area 0.03, scorer roc_auc 0.03, neg_log_loss -1.57
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'catboost==1.2.10' \
    'pandas==3.1.1' \
    'scikit-learn==1.9.1' \
    'numpy==2.4.6' \
    'scipy==1.17.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["catboost", "pandas", "scikit-learn", "numpy", "scipy"]:
    print(name, version(name))

import numpy as np
from catboost import CatBoostClassifier
from sklearn.datasets import make_classification
from sklearn.metrics import get_scorer, roc_auc_score

X, codes = make_classification(400, 10, n_informative=6, flip_y=0.1, random_state=0)
areas = {}
for labels in (["a", "b"], ["9", "10"]):
    y = np.array(labels)[codes]
    model = CatBoostClassifier(iterations=20, verbose=0, random_seed=0, allow_writing_files=False)
    model.fit(X, y)
    areas[labels[0]] = area = roc_auc_score(y, model.predict_proba(X)[:, 1])
    scorer, loss = (float(get_scorer(n)(model, X, y)) for n in ("roc_auc", "neg_log_loss"))
    accuracy = float((model.predict(X) == y).mean())
    print("classes_:", model.classes_, "np.unique:", np.unique(y))
    print(f"  accuracy {accuracy:.2f}, area {area:.2f}, scorer roc_auc {scorer:.2f}, neg_log_loss {loss:.2f}")
    assert accuracy > 0.8
    assert abs(scorer - area) < 1e-12
assert model.classes_.tolist() == ["9", "10"]
assert areas["a"] > 0.9
assert areas["9"] < 0.1
PY
