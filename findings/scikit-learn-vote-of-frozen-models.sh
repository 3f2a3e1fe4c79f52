#!/usr/bin/env bash
# A hard vote of frozen models predicts different labels than the models do.
#
# Guess:    VotingClassifier over models wrapped in FrozenEstimator, all fitted on
#           the same labels, predicts the label on which they agree.
# Happens:  the vote interprets the labels of the frozen models as codes 0, 1, ...:
#           with the labels 1, 2, 3 every prediction is shifted by one, without a
#           warning, and a vote for the last class raises an error. With
#           voting="soft" the predictions are right.
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   soft: model says [1], vote says [1]
#   hard: model says [1], vote says [2]
#   hard, rows of the last class: y contains previously unseen labels: [3]
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
from sklearn.datasets import load_iris
from sklearn.ensemble import VotingClassifier
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

X, y = load_iris(return_X_y=True)
y = y + 1
model = LogisticRegression(max_iter=500).fit(X, y)
first, last = X[y == 1], X[y == 3]
answers = {}
for voting in ("soft", "hard"):
    vote = VotingClassifier([("model", FrozenEstimator(model))], voting=voting).fit(X, y)
    answers[voting] = np.unique(vote.predict(first)).tolist()
    print(f"{voting}: model says {np.unique(model.predict(first))}, vote says {answers[voting]}")
assert answers == {"soft": [1], "hard": [2]}
try:
    vote.predict(last)
except ValueError as error:
    print("hard, rows of the last class:", error)
else:
    raise SystemExit("the vote for the last class works now")
PY
