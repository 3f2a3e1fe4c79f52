#!/usr/bin/env bash
# A csr_array made from coordinates is rejected where a csr_matrix from the same
# coordinates is accepted.
#
# Guess:    the two classes only differ in their operators; the output of np.nonzero
#           makes a matrix that scikit-learn accepts, small as it is.
# Happens:  csr_matrix stores the indices in 32 bits if they fit, csr_array keeps
#           the 64 bits of np.nonzero. RandomForestClassifier, SVC and SGDClassifier
#           reject these, LogisticRegression and MultinomialNB accept them. If it is
#           converted from a dense array, csr_array has 32 bits.
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   csr_matrix int32 refused by none
#   csr_array int64 refused by ['RandomForestClassifier', 'SVC', 'SGDClassifier']
#   Only sparse matrices with 32-bit integer indices are accepted. Got int64 indices
#   csr_array of the dense array: int32
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
import scipy.sparse as sp
from sklearn.datasets import make_classification
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.naive_bayes import MultinomialNB
from sklearn.svm import SVC

X, y = make_classification(100, 10, random_state=0)
X = np.maximum(X, 0)
rows, columns = np.nonzero(X)
coordinates = (X[rows, columns], (rows, columns))
models = (RandomForestClassifier(5), SVC(), SGDClassifier(), LogisticRegression(), MultinomialNB())
refused = {}
for kind in (sp.csr_matrix, sp.csr_array):
    matrix = kind(coordinates, shape=X.shape)
    refused[kind] = []
    for model in models:
        try:
            model.fit(matrix, y)
        except ValueError as error:
            refused[kind].append(type(model).__name__)
            message = str(error)
    print(kind.__name__, matrix.indices.dtype, "refused by", refused[kind] or "none")
print(message[:80])
print("csr_array of the dense array:", sp.csr_array(X).indices.dtype)
assert refused[sp.csr_matrix] == []
assert refused[sp.csr_array] == ["RandomForestClassifier", "SVC", "SGDClassifier"]
assert sp.csr_array(X).indices.dtype == np.int32
PY
