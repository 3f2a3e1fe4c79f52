"""
Where a committee disagrees
===========================

Ten logistic regressions are trained on the same few labels, each on a bootstrap of its
own. Where they disagree, a label would tell which of them is right. This picture shows
the disagreement over a pool in the plane, measured in two ways.
"""

# %%
# A pool in the plane
# -------------------
# Two half moons that no straight line can part, with twelve labels. The classifier has
# polynomial features, so that its members can bend differently.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skactive import ActiveLearningClassifier, CommitteeClassifier
from skactive.acquisition import uncertainty_split
from skactive.datasets import hide_labels
from skactive.oracles import SimulatedOracle

X, truth = make_moons(400, noise=0.2, random_state=0)
y = hide_labels(truth, 12, stratify=True, random_state=1)
known = y != -1

model = make_pipeline(
    PolynomialFeatures(3), StandardScaler(), LogisticRegression(C=10.0, max_iter=1000)
)
committee = CommitteeClassifier(model, n_members=10, random_state=0)
committee.fit(X[known], y[known])

# %%
# Two kinds of uncertainty
# ------------------------
# The entropy of the mean prediction has two parts: what each member is unsure about by
# itself, and what they disagree about. Only the second one goes away with more labels.

side = np.linspace(-2, 3, 120), np.linspace(-1.5, 2, 120)
grid = np.stack(np.meshgrid(*side), axis=-1).reshape(-1, 2)
total, aleatoric, epistemic = uncertainty_split(committee.predict_member_proba(grid))

figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for ax, values, name in zip(
    axes,
    (total, aleatoric, epistemic),
    ("total", "each member's own (aleatoric)", "disagreement (epistemic)"),
    strict=True,
):
    ax.contourf(*side, values.reshape(120, 120), levels=12, vmin=0, vmax=np.log(2))
    ax.scatter(*X.T, s=4, c="lightgray")
    ax.scatter(*X[known].T, s=36, c=truth[known], cmap="coolwarm", edgecolors="black")
    ax.set(title=name, xticks=[], yticks=[])
plt.show()

# %%
# The disagreement is largest at the fringe, where there are no labels and, for the most
# part, no rows either: ``bald`` and ``mean_std``, which look at it alone, like to ask
# there. ``vote_entropy`` counts votes, and so looks for boundaries.
#
# What it asks
# ------------
# The labels that ``vote_entropy`` buys are drawn with the boundaries of the members
# that learnt from them, beside the boundaries that the first labels gave.

clf = ActiveLearningClassifier(
    model,
    oracle=SimulatedOracle(truth),
    strategy="vote_entropy",
    committee=10,
    batch_size=3,
    budget=24,
    random_state=0,
).fit(X, y, sample_ids=np.arange(len(X)))

figure, axes = plt.subplots(1, 2, figsize=(8, 3.6), layout="constrained")
asked = clf.query_indices_
for ax, members, rows, name in zip(
    axes,
    (committee, clf.committee_),
    (known, asked),
    ("the first 12 labels", "24 labels more"),
    strict=True,
):
    for proba in members.predict_member_proba(grid)[:, :, 1]:
        ax.contour(*side, proba.reshape(120, 120), levels=[0.5], colors="C0", alpha=0.5)
    ax.scatter(*X.T, s=4, c="lightgray")
    ax.scatter(*X[rows].T, s=36, c=truth[rows], cmap="coolwarm", edgecolors="black")
    ax.set(title=name, xticks=[], yticks=[])
plt.show()
