#!/usr/bin/env bash
# SelfTrainingClassifier passes the weights of all rows to a fit on the labelled
# rows.
#
# Guess:    with metadata routing enabled, the sample_weight requested by the inner
#           classifier is restricted to the rows on which it is fitted.
# Happens:  the inner fit gets the labelled rows and the weights of all rows, and
#           raises an error: weights can only be used if every row is labelled, and
#           then the class is not needed.
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   every row labelled: fitted
#   20 of 200 labelled, no weights: fitted
#   20 of 200 labelled, with weights: sample_weight.shape == (200,), expected (20,)!
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
import sklearn
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.semi_supervised import SelfTrainingClassifier

sklearn.set_config(enable_metadata_routing=True)
X, truth = make_classification(200, 10, random_state=0)
inner = LogisticRegression().set_fit_request(sample_weight=True)
inner.set_score_request(sample_weight=False)
model, weights = SelfTrainingClassifier(inner), np.ones(200)
model.fit(X, truth, sample_weight=weights)
print("every row labelled: fitted")
y = np.where(np.arange(200) < 20, truth, -1)
model.fit(X, y)
print("20 of 200 labelled, no weights: fitted")
try:
    model.fit(X, y, sample_weight=weights)
except ValueError as error:
    print("20 of 200 labelled, with weights:", error)
    assert "(20,)" in str(error)
else:
    raise SystemExit("the weights are taken now")
PY
