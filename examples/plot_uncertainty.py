"""
===========================================
What random, k-means and margin queries ask
===========================================

Three strategies look at the same pool of points and may each ask for the labels of
twenty of them. Where they look tells what they are good for:

- ``random`` asks anywhere, most of all where most of the points are;
- ``k_means`` asks in the middle of clusters, so that everything is covered once; it
  needs no model, and is what a run without any labels begins with;
- ``margin`` asks where the model hesitates between its two likeliest classes, along the
  boundaries; it needs a model that is not hopeless.
"""

# %%
# A pool in the plane
# -------------------
# Three classes that overlap a little. Two labels of each class are known; ``-1`` marks
# the others.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier
from skactive.oracles import SimulatedOracle

centers = [[-2.0, 0.0], [2.0, 0.0], [0.0, 3.0]]
X, truth = make_blobs(600, centers=centers, cluster_std=1.0, random_state=0)
given = [np.flatnonzero(truth == label)[:2] for label in range(3)]
y = np.full(len(X), -1)
y[np.concatenate(given)] = truth[np.concatenate(given)]

# %%
# Twenty labels each
# ------------------
# The oracle is a table of the true labels. ``query_indices_`` says afterwards which
# rows were asked, in this order.

learners = {
    strategy: ActiveLearningClassifier(
        LogisticRegression(),
        oracle=SimulatedOracle(truth),
        strategy=strategy,
        batch_size=5,
        budget=20,
        random_state=0,
    ).fit(X, y, sample_ids=np.arange(len(X)))
    for strategy in ("random", "k_means", "margin")
}

# %%
# Where they looked
# -----------------
# Squares are the labels that were given, circles those that were bought, the darker the
# later. The background is what the final model predicts.


def draw(ax, name, clf):
    DecisionBoundaryDisplay.from_estimator(
        clf, X, response_method="predict", ax=ax, alpha=0.15
    )
    ax.scatter(*X.T, s=4, c="lightgray")
    ax.scatter(*X[y != -1].T, s=40, c="black", marker="s", label="given")
    asked = clf.query_indices_
    ax.scatter(
        *X[asked].T,
        s=40,
        c=clf.labeled_iter_[asked],
        cmap="Oranges",
        vmin=-1,
        edgecolors="black",
        label="bought",
    )
    ax.set(title=f"{name}: {clf.score(X, truth):.1%} right", xticks=[], yticks=[])


figure, axes = plt.subplots(1, 3, figsize=(11, 3.8), layout="constrained")
for ax, (name, clf) in zip(axes, learners.items(), strict=True):
    draw(ax, name, clf)
axes[0].legend(loc="upper left")
plt.show()

# %%
# ``margin`` spends its labels along the three boundaries, where they move the model.
# ``k_means`` spreads them evenly over the pool. ``random`` buys some labels in the
# middle of a class, which tell the model what it knew.
#
# One picture proves nothing: which strategy learns faster is measured over many splits,
# as ``quickstart.py`` does for handwritten digits.
