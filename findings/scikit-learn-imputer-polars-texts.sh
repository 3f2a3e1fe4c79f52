#!/usr/bin/env bash
# SimpleImputer fills missing numbers of a polars table, but not missing texts.
#
# Guess:    null means missing in every column, and after
#           SimpleImputer(strategy="most_frequent") or "constant" nothing is
#           missing.
# Happens:  null becomes NaN in a column of numbers, which is filled, and None in a
#           column of texts, which stays, without a warning. The same table in
#           pandas 3 is filled. For the same reason
#           OneHotEncoder(handle_unknown="ignore"), fitted on the pandas table,
#           returns a row of zeros for the same null in polars.
# Versions: pandas 3.1.1, polars 2.1.0, scikit-learn 1.9.1, numpy 2.4.6, scipy
#           1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   pandas number, most_frequent: np.float64(1.0)
#   pandas number, constant: np.float64(9.0)
#   pandas text, most_frequent: 'a'
#   pandas text, constant: 'z'
#   polars number, most_frequent: np.float64(1.0)
#   polars number, constant: np.float64(9.0)
#   polars text, most_frequent: None
#   polars text, constant: None
#   null in pandas, encoded: [0. 0. 1.]
#   null in polars, encoded: [0. 0. 0.]
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

import numpy as np
import pandas as pd
import polars as pl
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import OneHotEncoder

columns = {"number": [1, None, 1, 2], "text": ["a", None, "a", "b"]}
tables = {"pandas": pd.DataFrame(columns), "polars": pl.DataFrame(columns)}
for name, table in tables.items():
    for column, fill in (("number", 9), ("text", "z")):
        for imputer in (
            SimpleImputer(strategy="most_frequent"),
            SimpleImputer(strategy="constant", fill_value=fill),
        ):
            value = imputer.fit_transform(table[[column]])[1, 0]
            print(f"{name} {column}, {imputer.strategy}: {value!r}")
            assert (value is None) == ((name, column) == ("polars", "text"))

encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
encoder.fit(tables["pandas"][["text"]])
for name, table in tables.items():
    codes = encoder.transform(table[["text"]])[1]
    print(f"null in {name}, encoded: {codes}")
    assert codes.sum() == {"pandas": 1, "polars": 0}[name]
PY
