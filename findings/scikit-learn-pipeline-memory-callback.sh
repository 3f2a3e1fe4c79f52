#!/usr/bin/env bash
# A step of a Pipeline with a callback that counts or logs is never taken from the cache.
#
# Guess:    callbacks are not parameters: a second fit of the same pipeline on the same
#           data takes the transformer from the cache.
# Happens:  the cache looks up the transformer with all that it holds, its callbacks
#           included. A callback that counts or logs anything is another one at every
#           fit: the transformer is fitted again each time and the folder grows. A
#           callback without a state is found, and then its hooks are not called.
# Versions: scikit-learn 1.9.1, joblib 1.6.0, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   no callback: 1 of 3 fits ran, 1 in the cache
#   callback without a state: 1 of 3 fits ran, 1 in the cache
#   callback that counts: 3 of 3 fits ran, 3 in the cache
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'scikit-learn==1.9.1' \
    'joblib==1.6.0' \
    'numpy==2.4.6' \
    'scipy==1.17.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["scikit-learn", "joblib", "numpy", "scipy"]:
    print(name, version(name))

import tempfile
from pathlib import Path

from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

fits = []


class Scaler(StandardScaler):
    def fit(self, X, y=None):
        fits.append(1)
        return super().fit(X, y)


class Stateless:
    def setup(self, estimator, context):
        pass

    def teardown(self, estimator, context):
        pass

    def on_fit_task_begin(self, estimator, context):
        pass

    def on_fit_task_end(self, estimator, context):
        pass


class Counter(Stateless):
    count = 0

    def on_fit_task_end(self, estimator, context):
        self.count += 1


X, y = load_iris(return_X_y=True)
cases = {
    "no callback": ([], 1),
    "callback without a state": ([Stateless()], 1),
    "callback that counts": ([Counter()], 3),
}
for name, (callbacks, expected) in cases.items():
    fits.clear()
    with tempfile.TemporaryDirectory() as folder:
        step = Scaler().set_callbacks(*callbacks)
        model = make_pipeline(step, LogisticRegression(max_iter=500), memory=folder)
        for _ in range(3):
            model.fit(X, y)
        stored = len(list(Path(folder).rglob("output.pkl")))
    print(f"{name}: {len(fits)} of 3 fits ran, {stored} in the cache")
    assert len(fits) == stored == expected
PY
