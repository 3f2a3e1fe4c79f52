#!/usr/bin/env bash
# Integers above 2**53 become equal in an Int64 column, and in polars next to floats.
#
# Guess:    an Int64 column of pandas without missing values is treated like an int64
#           column: ids of 64 bits are distinct labels, groups and categories.
# Happens:  scikit-learn converts Int64 to float64, where 2**53 and 2**53 + 1 are the same
#           number: two ids become one, without a warning, and accuracy_score of wrong
#           ids is 1. The ids of an int64 column in polars become equal once there is a
#           column of floats in the table; in pandas they do not.
# Versions: scikit-learn 1.9.1, pandas 3.1.1, polars 2.1.0, numpy 2.4.6, scipy 1.17.1;
#           Python 3.11.
#
# Seen on 2026-11-29:
#   int64: 3 classes, 3 groups, 3 categories, accuracy of wrong ids 0.33
#   Int64: 2 classes, 2 groups, 2 categories, accuracy of wrong ids 1.00
#   pandas, ids alone: 3 categories
#   pandas, ids and floats: 3 categories
#   polars, ids alone: 3 categories
#   polars, ids and floats: 2 categories
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'scikit-learn==1.9.1' \
    'pandas==3.1.1' \
    'polars==2.1.0' \
    'numpy==2.4.6' \
    'scipy==1.17.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["scikit-learn", "pandas", "polars", "numpy", "scipy"]:
    print(name, version(name))

import pandas as pd
import polars as pl
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import LeaveOneGroupOut
from sklearn.preprocessing import OneHotEncoder

ids = [2**53, 2**53 + 1, 2**53 + 2]
wrong = [2**53 + 1, 2**53, 2**53 + 2]
for dtype, expected in (("int64", 3), ("Int64", 2)):
    column = pd.Series(ids, dtype=dtype)
    assert column.nunique() == 3
    classes = len(LogisticRegression().fit([[0], [1], [2]], column).classes_)
    groups = LeaveOneGroupOut().get_n_splits(groups=column)
    (categories,) = OneHotEncoder().fit(column.to_frame("id")).categories_
    accuracy = accuracy_score(column, pd.Series(wrong, dtype=dtype))
    print(
        f"{dtype}: {classes} classes, {groups} groups, {len(categories)} categories, "
        f"accuracy of wrong ids {accuracy:.2f}"
    )
    assert classes == groups == len(categories) == expected
    assert (accuracy == 1) == (dtype == "Int64")

tables = {"pandas": pd.DataFrame, "polars": pl.DataFrame}
for library, table in tables.items():
    for name, other in (("ids alone", {}), ("ids and floats", {"size": [0.5, 1.5, 2.5]})):
        categories, *_ = OneHotEncoder().fit(table({"id": ids, **other})).categories_
        print(f"{library}, {name}: {len(categories)} categories")
        assert len(categories) == (2 if library == "polars" and other else 3)
PY
