#!/usr/bin/env bash
# LightGBM encodes the labels of eval_set, but not those of eval_y, which replaces
# it.
#
# Guess:    LGBMClassifier.fit(X, y, eval_X=A, eval_y=b) is equivalent to the
#           deprecated eval_set=[(A, b)].
# Happens:  the labels in eval_y are passed to the metric unchanged. With the labels
#           1 and 2, early stopping uses a wrong loss and stops after the first
#           tree, without a warning (-1 and 1, or 0 and 1, work). With texts fit
#           raises an error, while eval_set accepts them.
# Versions: lightgbm 4.7.0, pandas 3.1.1, scikit-learn 1.9.1, numpy 2.4.6, scipy
#           1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   [0, 1] eval_set: best of 91 trees, accuracy 0.87
#   [0, 1] eval_y: best of 91 trees, accuracy 0.87
#   [1, 2] eval_set: best of 91 trees, accuracy 0.87
#   [1, 2] eval_y: best of 1 trees, accuracy 0.78
#   ['ham', 'spam'] eval_set: best of 91 trees, accuracy 0.87
#   ['ham', 'spam'] eval_y: ValueError: could not convert string to float: np.str_('ham')
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'lightgbm==4.7.0' \
    'pandas==3.1.1' \
    'scikit-learn==1.9.1' \
    'numpy==2.4.6' \
    'scipy==1.17.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["lightgbm", "pandas", "scikit-learn", "numpy", "scipy"]:
    print(name, version(name))

import warnings

import numpy as np
from lightgbm import LGBMClassifier
from sklearn.datasets import make_classification

warnings.filterwarnings("ignore", message="The argument 'eval_set' is deprecated")
X, codes = make_classification(400, 10, n_informative=6, flip_y=0.1, random_state=0)
trees = {}
for labels in ([0, 1], [1, 2], ["ham", "spam"]):
    y = np.array(labels)[codes]
    held_X, held_y = X[300:], y[300:]
    for key, held in (
        ("eval_set", {"eval_set": [(held_X, held_y)]}),
        ("eval_y", {"eval_X": held_X, "eval_y": held_y}),
    ):
        model = LGBMClassifier(
            n_estimators=200, early_stopping_round=5, verbose=-1, random_state=0
        )
        try:
            model.fit(X[:300], y[:300], **held)
        except ValueError as error:
            print(f"{labels} {key}: ValueError: {error}")
            trees[key, labels[0]] = None
        else:
            accuracy = float((model.predict(held_X) == held_y).mean())
            print(f"{labels} {key}: best of {model.best_iteration_} trees, accuracy {accuracy}")
            trees[key, labels[0]] = model.best_iteration_
assert trees["eval_set", 0] == trees["eval_set", 1] == trees["eval_set", "ham"] > 20
assert trees["eval_y", 0] == trees["eval_set", 0]
assert trees["eval_y", 1] == 1
assert trees["eval_y", "ham"] is None
PY
