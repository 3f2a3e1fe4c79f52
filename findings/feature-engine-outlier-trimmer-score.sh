#!/usr/bin/env bash
# A feature_engine Pipeline with OutlierTrimmer predicts and scores only the rows it
# keeps.
#
# Guess:    rows are trimmed for training only; predict returns one prediction per
#           row of X, and score is the accuracy on all of X.
# Happens:  predict returns fewer predictions than there are rows, without a
#           warning, and score is the accuracy on the remaining rows: here it is
#           better than that of the same classifier on all rows.
# Versions: feature-engine 1.9.4, pandas 3.1.1, scikit-learn 1.9.1, numpy 2.4.6,
#           scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   rows in: 400, answers: 279
#   score: 0.8172, of the rows kept: 0.8172, of all: 0.7875
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'feature-engine==1.9.4' \
    'pandas==3.1.1' \
    'scikit-learn==1.9.1' \
    'numpy==2.4.6' \
    'scipy==1.17.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["feature-engine", "pandas", "scikit-learn", "numpy", "scipy"]:
    print(name, version(name))

import pandas as pd
from feature_engine.outliers import OutlierTrimmer
from feature_engine.pipeline import Pipeline
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression

X, y = make_classification(400, 10, n_informative=6, flip_y=0.1, random_state=0)
X, y = pd.DataFrame(X).add_prefix("c"), pd.Series(y)
trimmer = OutlierTrimmer(capping_method="gaussian", tail="both", fold=2)
model = Pipeline([("trim", trimmer), ("classify", LogisticRegression())]).fit(X, y)
answers, score = model.predict(X), model.score(X, y)
kept_X, kept_y = model.named_steps["trim"].transform_x_y(X, y)
bare = model.named_steps["classify"]
print(f"rows in: {len(X)}, answers: {len(answers)}")
print(f"score: {score:.4f}, of the rows kept: {bare.score(kept_X, kept_y):.4f}, of all: {bare.score(X, y):.4f}")
assert len(answers) == len(kept_X) < len(X)
assert score == bare.score(kept_X, kept_y)
assert score != bare.score(X, y)
PY
