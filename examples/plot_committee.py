"""
Where a committee disagrees
===========================

Ten logistic regressions are trained on the same few labels, each on its own bootstrap.
Where they disagree, a label would show which of them is right. This example draws the
disagreement over a two-dimensional pool, with two measures.
"""

# %%
# A two-dimensional pool
# ----------------------
# Two half moons that cannot be separated by a straight line, with twelve labels. The
# classifier has polynomial features, so that the boundaries of its members can bend
# differently.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from skactive import ActiveLearningClassifier, CommitteeClassifier
from skactive.acquisition.functional import uncertainty_split
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
# The entropy of the mean prediction has two parts: the uncertainty of each member by
# itself, and their disagreement. Only the second part vanishes with more labels.

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
# The disagreement is largest at the edges, where there are no labels and mostly no rows
# either: ``bald`` and ``mean_std``, which only measure disagreement, tend to query
# there. ``vote_entropy`` counts votes, and so prefers the decision boundaries.
#
# Queried rows
# ------------
# The labels bought by ``vote_entropy`` are drawn with the boundaries of the members
# trained on them, next to the boundaries after the first labels.

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
    ("the first 12 labels", "24 more labels"),
    strict=True,
):
    for proba in members.predict_member_proba(grid)[:, :, 1]:
        ax.contour(*side, proba.reshape(120, 120), levels=[0.5], colors="C0", alpha=0.5)
    ax.scatter(*X.T, s=4, c="lightgray")
    ax.scatter(*X[rows].T, s=36, c=truth[rows], cmap="coolwarm", edgecolors="black")
    ax.set(title=name, xticks=[], yticks=[])
plt.show()
