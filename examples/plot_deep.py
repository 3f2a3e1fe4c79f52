"""
Disagreement of dropout masks
=============================

A small network is trained with dropout on few labels. If dropout remains active during
prediction, each mask is a network of its own, and where they disagree a label helps.
This example needs torch and skorch.
"""

# %%
# A two-dimensional pool
# ----------------------
# Two half moons with twelve labels. Fifty masks are fifty members, which predict in one
# pass.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

from skactive import ActiveLearningClassifier
from skactive.acquisition.functional import bald
from skactive.datasets import hide_labels
from skactive.deep import DeepEnsembleClassifier, MCDropoutClassifier
from skactive.oracles import SimulatedOracle

X, truth = make_moons(400, noise=0.15, random_state=0)
X = X.astype(np.float32)
y = hide_labels(truth, 12, stratify=True, random_state=1)
known = y != -1

settings = {"max_epochs": 120, "lr": 0.01, "random_state": 0}
masks = MCDropoutClassifier(n_members=50, dropout=0.2, **settings)
networks = DeepEnsembleClassifier(n_members=5, dropout=0.0, **settings)

# %%
# Masks and ensembles
# -------------------
# Masks of one network resemble each other; networks that were trained independently
# differ most where there are no labels.

side = np.linspace(-1.75, 2.75, 80), np.linspace(-1.25, 1.75, 80)
grid = np.stack(np.meshgrid(*side), axis=-1).reshape(-1, 2)

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
for ax, clf, name in zip(
    axes, (masks, networks), ("masks of one network", "five networks"), strict=True
):
    clf.fit(X[known], y[known])
    scores = bald(clf.predict_member_proba(grid))
    ax.contourf(*side, scores.reshape(80, 80), levels=12)
    ax.scatter(*X.T, s=4, c="lightgray")
    ax.scatter(*X[known].T, s=36, c=truth[known], cmap="coolwarm", edgecolors="black")
    ax.set(title=name, xticks=[], yticks=[])
plt.show()

# %%
# Querying with BALD
# ------------------
# The strategy ``"bald"`` uses the members of the classifier itself.

active = ActiveLearningClassifier(
    masks,
    oracle=SimulatedOracle(truth),
    strategy="bald",
    batch_size=6,
    budget=24,
    random_state=0,
).fit(X, y, sample_ids=np.arange(len(X)))

before, after = (clf.score(X, truth) for clf in (masks.fit(X[known], y[known]), active))
print(f"accuracy with 12 labels {before:.3f}, with 24 more {after:.3f}")

figure, ax = plt.subplots(figsize=(4.5, 3.6), layout="constrained")
proba = active.predict_proba(grid)[:, 1].reshape(80, 80)
ax.contourf(*side, proba, levels=10, cmap="coolwarm", alpha=0.4)
ax.scatter(*X.T, s=4, c="lightgray")
asked = active.query_indices_
ax.scatter(*X[asked].T, s=36, c=truth[asked], cmap="coolwarm", edgecolors="black")
ax.set(title="the 24 queried rows", xticks=[], yticks=[])
plt.show()
