#!/usr/bin/env bash
# LabelSpreading and LabelPropagation: NaN from predict_proba, a class from predict.
#
# Guess:    rows that no label reaches get equal probabilities, or a model whose
#           predict_proba is NaN for a row leaves it out elsewhere too.
# Happens:  on unscaled columns the default kernel reaches hardly any row.
#           predict_proba is NaN there (the only message is numpy's warning about a
#           division, and only in predict), while label_distributions_ contains
#           zeros, and predict and transduction_ return the first class: the
#           accuracy is below that of the most common class.
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   LabelSpreading: 548 of 569 rows NaN, predicted there: [0]
#     accuracy 0.40, commonest class 0.63
#     label_distributions_ there: [0.]
#     warnings in fit: []
#   LabelPropagation: 548 of 569 rows NaN, predicted there: [0]
#     accuracy 0.40, commonest class 0.63
#     label_distributions_ there: [0.]
#     warnings in fit: []
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
from sklearn.semi_supervised import LabelPropagation, LabelSpreading

X, truth = load_breast_cancer(return_X_y=True)
labelled = np.random.default_rng(0).choice(len(X), 20, replace=False)
y = np.full(len(X), -1)
y[labelled] = truth[labelled]
for kind in (LabelSpreading, LabelPropagation):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = kind().fit(X, y)
    in_fit = sorted({f"{w.category.__name__}: {w.message}" for w in caught})
    with np.errstate(invalid="ignore"):
        probability, answers = model.predict_proba(X), model.predict(X)
    lost = np.isnan(probability).any(axis=1)
    accuracy = float((answers == truth).mean())
    print(f"{kind.__name__}: {lost.sum()} of {len(X)} rows NaN, predicted there: {np.unique(answers[lost])}")
    print(f"  accuracy {accuracy:.2f}, commonest class {max(truth.mean(), 1 - truth.mean()):.2f}")
    print(f"  label_distributions_ there: {np.unique(model.label_distributions_[lost])}")
    print(f"  warnings in fit: {in_fit}")
    assert lost.sum() > 500
    assert set(answers[lost]) == {0}
    assert set(model.transduction_[lost]) == {0}
    assert not np.isnan(model.label_distributions_).any()
    assert accuracy < 0.5
PY
