"""
Maps of the queried rows
========================

Two strategies spend the same budget on the same pool. Maps show which rows they
queried, and when; bar charts show the classes of these rows.
"""

# %%
# A two-dimensional pool
# ----------------------
# Four blobs, one of which is small. Nine labels are known, and the oracle cannot label
# one row in ten.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits, make_blobs
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive.datasets import hide_labels
from skactive.plotting import BatchCompositionDisplay, QueryMapDisplay

X, number = make_blobs(
    [250, 250, 250, 30],
    centers=[[0, 4], [-4, 0], [4, 0], [0, -4]],
    cluster_std=1.7,
    random_state=0,
)
truth = np.array(["north", "west", "east", "rare"])[number]
unclear = np.random.default_rng(0).random(len(X)) < 0.1
y = hide_labels(truth, 9, missing_label="", stratify=True, random_state=0)


def ask(X, sample_ids):
    return [None if unclear[i] else truth[i] for i in sample_ids]


def learn(strategy):
    clf = ActiveLearningClassifier(
        LogisticRegression(),
        oracle=ask,
        strategy=strategy,
        missing_label="",
        batch_size=6,
        budget=48,
        random_state=0,
    )
    return clf.fit(X, y, sample_ids=np.arange(len(X)))


learners = {strategy: learn(strategy) for strategy in ("random", "margin")}

# %%
# Positions and order of the queries
# ----------------------------------
# Two columns are drawn unchanged, with lines at the decision boundaries.

figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
for ax, (name, clf) in zip(axes, learners.items(), strict=True):
    QueryMapDisplay.from_estimator(clf, X, ax=ax)
    ax.set_title(f"{name}: {clf.score(X, truth):.1%} right")
plt.show()

# %%
# ``random`` queries rows all over the pool, ``margin`` where two classes meet.
#
# Classes of the queried rows
# ---------------------------
# A map does not show the answers; the composition of the batches does.

figure, axes = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained")
for ax, (name, clf) in zip(axes, learners.items(), strict=True):
    BatchCompositionDisplay.from_estimator(clf, ax=ax, initial=True)
    ax.set_title(name)
plt.show()

for name, clf in learners.items():
    print(f"{name} found {np.sum(clf.transduction_ == 'rare')} rows of the rare class")

# %%
# More than two columns
# ---------------------
# Handwritten digits have 64 columns. Their first two principal components are drawn, or
# the output of another ``projection``, without decision boundaries, which a projection
# does not have.

digits, label = load_digits(return_X_y=True)
clf = ActiveLearningClassifier(
    LogisticRegression(max_iter=1000),
    oracle=lambda X, sample_ids: label[sample_ids],
    strategy="margin",
    budget=100,
    random_state=0,
)
clf.fit(
    digits / 16,
    hide_labels(label, 20, stratify=True, random_state=0),
    sample_ids=np.arange(len(digits)),
)

figure, axes = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
QueryMapDisplay.from_estimator(clf, digits / 16, ax=axes[0])
BatchCompositionDisplay.from_estimator(clf, ax=axes[1])
plt.show()
