#!/usr/bin/env bash
# A forest with max_samples=0.5 inside AdaBoostClassifier has trees of one row each.
#
# Guess:    RandomForestClassifier(max_samples=0.5) inside AdaBoostClassifier grows its
#           trees on half of the rows, drawn by weight, and multiplying all weights by a
#           constant changes nothing.
# Happens:  since scikit-learn 1.9 a fraction is that of the sum of the weights, and
#           AdaBoost passes weights with the sum 1: half of 1 row, rounded up. A warning
#           recommends an integer. The accuracy falls to the share of the larger class;
#           for other rows, fit may fail. With scikit-learn 1.8.0 the accuracy is 0.951.
#           Weights of 10 draw five times as many rows as there are.
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   weights 0.0023: 1 of 426 rows drawn for a tree
#   weights 1.0000: 213 of 426 rows drawn for a tree
#   weights 10.0000: 2130 of 426 rows drawn for a tree
#   max_samples=None: forest 0.937, boosted 0.958
#   max_samples=213: forest 0.944, boosted 0.958
#   max_samples=0.5: forest 0.944, boosted 0.629
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

import warnings

import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import AdaBoostClassifier, RandomForestClassifier
from sklearn.model_selection import train_test_split

warnings.simplefilter("ignore")
X, y = load_breast_cancer(return_X_y=True)
X, X_test, y, y_test = train_test_split(X, y, stratify=y, random_state=0)
n_rows = len(y)


def forest(max_samples):
    return RandomForestClassifier(10, max_depth=3, max_samples=max_samples, random_state=0)


for weight in (1 / n_rows, 1.0, 10.0):
    model = forest(0.5).fit(X, y, sample_weight=np.full(n_rows, weight))
    size = len(model.estimators_samples_[0])
    print(f"weights {weight:.4f}: {size} of {n_rows} rows drawn for a tree")
    assert size == max(1, int(0.5 * weight * n_rows))
for max_samples in (None, n_rows // 2, 0.5):
    alone = forest(max_samples).fit(X, y).score(X_test, y_test)
    model = AdaBoostClassifier(forest(max_samples), n_estimators=5, random_state=0)
    boosted = model.fit(X, y).score(X_test, y_test)
    print(f"max_samples={max_samples}: forest {alone:.3f}, boosted {boosted:.3f}")
    assert alone > 0.9
    assert (boosted < 0.7) == (max_samples == 0.5)
PY
