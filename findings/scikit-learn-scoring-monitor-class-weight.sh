#!/usr/bin/env bash
# ScoringMonitor weights the accuracy of the iterations by class_weight.
#
# Guess:    the scores of a callback ScoringMonitor(scoring="accuracy") are accuracies on
#           the training data, and the last one is the score of the fitted model.
# Happens:  with LogisticRegression(class_weight=...) the scores of the iterations are
#           weighted by class_weight, those of the whole fit are not: one log has two
#           accuracies for the same coefficients. With weights of 10 and 1 they are
#           0.92 and 0.76.
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   class_weight=None: last iteration 0.891, whole fit 0.891, score 0.891
#   class_weight={0: 10, 1: 1}: last iteration 0.916, whole fit 0.763, score 0.763
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
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.utils.class_weight import compute_sample_weight

X, y = load_breast_cancer(return_X_y=True)
X = X[:, :2]
for class_weight in (None, {0: 10, 1: 1}):
    monitor = ScoringMonitor(scoring="accuracy")
    model = LogisticRegression(class_weight=class_weight).set_callbacks(monitor).fit(X, y)
    scores = {"lbfgs-iter": [], "fit": []}
    for row in monitor.get_logs().data:
        scores[row["task_name"]].append(row["accuracy"])
    last, (whole,) = scores["lbfgs-iter"][-1], scores["fit"]
    score = model.score(X, y)
    print(
        f"class_weight={class_weight}: last iteration {last:.3f}, "
        f"whole fit {whole:.3f}, score {score:.3f}"
    )
    assert whole == score
    weighted = model.score(X, y, sample_weight=compute_sample_weight(class_weight, y))
    assert abs(last - weighted) < 1e-12
assert last - whole > 0.1, "the scores of the iterations are no longer weighted"
PY
