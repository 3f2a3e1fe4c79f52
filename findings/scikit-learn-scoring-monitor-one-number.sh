#!/usr/bin/env bash
# ScoringMonitor fails with a scorer that returns one number, which it documents.
#
# Guess:    scoring=None (the score method of the estimator) and a function of estimator,
#           X and y that returns a number work, as the docstring says and as they do in
#           cross_validate.
# Happens:  fit raises a TypeError at the first iteration. A name, the result of
#           make_scorer, and the same function within a dictionary work. (The
#           development version no longer allows None.)
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   name: 0.97
#   make_scorer: 0.97
#   function in a dictionary: 0.97
#   function: TypeError: 'float' object is not iterable
#   None: TypeError: 'float' object is not iterable
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

from sklearn.callback import ScoringMonitor
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import cross_validate


def right(estimator, X, y):
    return accuracy_score(y, estimator.predict(X))


X, y = load_iris(return_X_y=True)
X = (X - X.mean(axis=0)) / X.std(axis=0)
choices = {
    "name": "accuracy",
    "make_scorer": make_scorer(accuracy_score),
    "function in a dictionary": {"right": right},
    "function": right,
    "None": None,
}
for name, scoring in choices.items():
    monitor = ScoringMonitor(scoring=scoring)
    model = LogisticRegression()
    cross_validate(model, X, y, scoring=scoring, cv=3, error_score="raise")
    model.set_callbacks(monitor)
    try:
        model.fit(X, y)
    except TypeError as error:
        print(f"{name}: TypeError: {error}")
        assert name in ("function", "None"), "fails for another reason"
    else:
        *_, score = monitor.get_logs().data[-1].values()
        print(f"{name}: {score:.2f}")
        assert name not in ("function", "None"), "works now"
PY
