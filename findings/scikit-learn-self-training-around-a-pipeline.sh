#!/usr/bin/env bash
# SelfTrainingClassifier does not work around a pipeline that reads texts or column
# names.
#
# Guess:    a classifier around a pipeline accepts what the pipeline accepts, as
#           VotingClassifier does.
# Happens:  X is converted to a two-dimensional array before the pipeline sees it. A
#           list of texts raises an error, and so does a ColumnTransformer that
#           selects columns by name, because X is not a data frame.
# Versions: pandas 3.1.1, scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python
#           3.11.
#
# Seen on 2026-11-29:
#   list: Expected 2D array, got 1D array instead:
#   DataFrame: Specifying the columns using strings is only supported for dataframes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-compile \
    'pandas==3.1.1' \
    'scikit-learn==1.9.1' \
    'numpy==2.4.6' \
    'scipy==1.17.1'
"$folder/venv/bin/python" - <<'PY'
import platform
from importlib.metadata import version

print("Python", platform.python_version())
for name in ["pandas", "scikit-learn", "numpy", "scipy"]:
    print(name, version(name))

import numpy as np
import pandas as pd
from sklearn.compose import make_column_transformer
from sklearn.ensemble import VotingClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.semi_supervised import SelfTrainingClassifier

truth = np.arange(40) % 2
y = np.where(np.arange(40) < 10, truth, -1)
texts = [f"{('good', 'bad')[t]} film {i}" for i, t in enumerate(truth)]
frame = pd.DataFrame({"width": truth + np.arange(40) / 40, "height": np.arange(40.0)})
named = make_column_transformer((StandardScaler(), ["width"]))
for X, first in ((texts, CountVectorizer()), (frame, named)):
    pipeline = make_pipeline(first, LogisticRegression())
    VotingClassifier([("pipeline", pipeline)]).fit(X, truth)
    try:
        SelfTrainingClassifier(pipeline).fit(X, y)
    except ValueError as error:
        print(f"{type(X).__name__}: {str(error).splitlines()[0]}")
    else:
        raise SystemExit(f"{type(X).__name__} is taken now")
PY
