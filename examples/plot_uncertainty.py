"""
===================================
Random, k-means and margin sampling
===================================

Three strategies each query twenty rows of the same pool. The positions of these rows
show what the strategies are good for:

- ``random`` queries rows anywhere, mostly where most of the rows are;
- ``k_means`` queries rows in the middle of clusters, so that everything is covered
  once; it does not need a model, and is the default for a run without any labels;
- ``margin`` queries rows for which the model hesitates between the two most probable
  classes, along the decision boundaries; it needs a reasonable model.
"""

# %%
# A two-dimensional pool
# ----------------------
# Three classes that overlap slightly. Two labels of each class are known; ``-1`` marks
# the other rows.

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
# The oracle is a table of the true labels. After the fit, ``query_indices_`` lists the
# queried rows in order.

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
# Positions of the queried rows
# -----------------------------
# Squares are the labels given at the start, circles those that were bought; darker
# circles were bought later. The background shows the predictions of the final model.


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
# ``margin`` spends its labels along the three boundaries, where they change the model.
# ``k_means`` spreads them evenly over the pool. ``random`` buys some labels in the
# middle of a class, which tell the model nothing new.
#
# One picture proves nothing: to find out which strategy learns faster, compare them on
# many splits, as ``quickstart.py`` does for handwritten digits.
