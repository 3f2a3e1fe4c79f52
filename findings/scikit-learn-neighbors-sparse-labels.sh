#!/usr/bin/env bash
# KNeighborsClassifier is fitted on sparse labels and predicts a table of matrices.
#
# Guess:    the docstring of fit allows a sparse y with several outputs, and predict
#           returns what it returns for the same y as an array, dense or sparse.
# Happens:  fit takes the sparse y without a warning, and each cell of the prediction is
#           a sparse matrix: the column of y itself. RadiusNeighborsClassifier does the
#           same. score fails, and the regressors, whose docstring is alike, fail in
#           predict. MLPClassifier and OneVsRestClassifier predict a sparse matrix. (That
#           predict should do so is an open request, scikit-learn issue 8057.)
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   KNeighborsClassifier, dense: int64 (60, 3), a cell is int64
#   KNeighborsClassifier, csr_array: object (60, 3), a cell is coo_array (60,)
#   RadiusNeighborsClassifier, dense: int64 (60, 3), a cell is int64
#   RadiusNeighborsClassifier, csr_array: object (60, 3), a cell is coo_array (60,)
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
from scipy.sparse import csr_array, issparse
from sklearn.datasets import make_multilabel_classification
from sklearn.neighbors import KNeighborsClassifier, RadiusNeighborsClassifier

warnings.simplefilter("error")
X, y = make_multilabel_classification(60, 8, n_classes=3, random_state=0)
for model in (KNeighborsClassifier(5), RadiusNeighborsClassifier(20.0)):
    name = type(model).__name__
    dense = model.fit(X, y).predict(X)
    sparse = model.fit(X, csr_array(y)).predict(X)
    for kind, answer in (("dense", dense), ("csr_array", sparse)):
        cell = answer[0, 0]
        shape = f" {cell.shape}" if issparse(cell) else ""
        print(
            f"{name}, {kind}: {answer.dtype} {answer.shape}, "
            f"a cell is {type(cell).__name__}{shape}"
        )
    assert dense.dtype == np.int64
    assert sparse.dtype == object
    assert issparse(sparse[0, 0])
PY
