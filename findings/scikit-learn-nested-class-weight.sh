#!/usr/bin/env bash
# class_weight of a classifier inside four meta-estimators is applied to the wrong
# class.
#
# Guess:    BaggingClassifier(LogisticRegression(class_weight={1: 20})) with the
#           labels 1 and 2 favours label 1, as the logistic regression alone does.
# Happens:  BaggingClassifier, VotingClassifier, OneVsRestClassifier and
#           OneVsOneClassifier pass 0 and 1 to the inner model, so the weight of
#           label 1 is applied to label 2: every row is predicted as 2, without a
#           warning. AdaBoostClassifier passes the labels themselves.
# Versions: scikit-learn 1.9.1, numpy 2.4.6, scipy 1.17.1; Python 3.11.
#
# Seen on 2026-11-29:
#   alone: share of rows predicted as label 1, whose weight is 20: 0.975
#   AdaBoost: share of rows predicted as label 1, whose weight is 20: 1.0
#   Bagging: share of rows predicted as label 1, whose weight is 20: 0.0
#   Voting: share of rows predicted as label 1, whose weight is 20: 0.0
#   OneVsRest: share of rows predicted as label 1, whose weight is 20: 0.0
#   OneVsOne: share of rows predicted as label 1, whose weight is 20: 0.0
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

from sklearn.datasets import make_classification
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier

X, y = make_classification(400, 10, n_informative=6, flip_y=0.3, random_state=0)
y = y + 1
inner = LogisticRegression(class_weight={1: 20})
models = {
    "alone": inner,
    "AdaBoost": AdaBoostClassifier(inner, random_state=0),
    "Bagging": BaggingClassifier(inner, random_state=0),
    "Voting": VotingClassifier([("inner", inner)]),
    "OneVsRest": OneVsRestClassifier(inner),
    "OneVsOne": OneVsOneClassifier(inner),
}
share = {name: float((m.fit(X, y).predict(X) == 1).mean()) for name, m in models.items()}
for name, value in share.items():
    print(f"{name}: share of rows predicted as label 1, whose weight is 20: {value}")
assert min(share["alone"], share["AdaBoost"]) > 0.9
assert max(share[name] for name in ("Bagging", "Voting", "OneVsRest", "OneVsOne")) < 0.1
PY
