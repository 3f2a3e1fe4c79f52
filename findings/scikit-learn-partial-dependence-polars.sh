#!/usr/bin/env bash
# partial_dependence fails on a polars table that the estimator itself accepts.
#
# Guess:    an inspection function accepts the data on which the estimator was
#           fitted; permutation_importance does.
# Happens:  it raises an AttributeError from inside: a polars data type has no
#           attribute 'kind'. pandas and numpy work.
# Versions: pandas 3.1.1, polars 2.1.0, scikit-learn 1.9.1, numpy 2.4.6, scipy
#           1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   pandas: importance works, dependence: [0.45 0.49 0.54]
#   polars: importance works, dependence: AttributeError: 'Float64' object has no attribute 'kind'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'pandas==3.1.1' \
    'polars==2.1.0' \
    'scikit-learn==1.9.1' \
    'numpy==2.4.6' \
    'scipy==1.17.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["pandas", "polars", "scikit-learn", "numpy", "scipy"]:
    print(name, version(name))

import pandas as pd
import polars as pl
from sklearn.datasets import make_classification
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression

X, y = make_classification(100, 4, random_state=0)
names = list("abcd")
for table in (pd.DataFrame(X, columns=names), pl.DataFrame(X, schema=names)):
    library = type(table).__module__.split(".")[0]
    model = LogisticRegression().fit(table, y)
    importance = permutation_importance(model, table, y, n_repeats=2, random_state=0)
    assert importance.importances_mean.shape == (4,)
    try:
        average = partial_dependence(model, table, ["a"], grid_resolution=3).average
    except AttributeError as error:
        print(f"{library}: importance works, dependence: AttributeError: {error}")
        assert library == "polars"
    else:
        print(f"{library}: importance works, dependence: {average.round(2)[0]}")
        assert library == "pandas"
PY
