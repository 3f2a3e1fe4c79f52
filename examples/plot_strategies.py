"""
Which rows each strategy asks
=============================

One pool in the plane, the same 14 labels and the same logistic regression for all: each
picture shows the eight rows that a strategy would ask next.
"""

# %%
# The pool
# --------
# Three classes. Two of them overlap; the third has a small cluster far away, in which
# no row is labelled yet. The background shows what the model predicts.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.linear_model import LogisticRegression, SGDClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearningClassifier, LabelingLoop
from skactive.acquisition import get_strategy_names

X, truth = make_blobs(
    [110, 110, 60, 20],
    centers=[(0.0, 0.0), (2.5, 0.5), (0.5, 4.0), (5.0, 4.5)],
    cluster_std=[0.9, 0.9, 0.7, 0.35],
    random_state=0,
)
truth[truth == 3] = 2
near = np.flatnonzero(X[:, 0] + X[:, 1] < 5)
y = np.full(len(X), -1)
known = np.random.default_rng(1).choice(near, 14, replace=False)
y[known] = truth[known]

# Distances, and angles even more so, want features around 0 and of one scale.
logistic = make_pipeline(StandardScaler(), LogisticRegression(C=10.0))
sgd = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=0))
side = np.linspace(-3, 6.5, 150), np.linspace(-3, 6, 150)
grid = np.stack(np.meshgrid(*side), axis=-1).reshape(-1, 2)
regions = logistic.fit(X[known], truth[known]).predict(grid).reshape(150, 150)


def asked_by(strategy, classifier=logistic):
    """Return the first batch that a strategy asks."""
    clf = ActiveLearningClassifier(
        classifier, strategy=strategy, committee=10, batch_size=8, random_state=0
    )
    return LabelingLoop(clf, X, y).ask().indices


def draw(strategies, **kwargs):
    """Draw the rows that strategies ask; the first one asked is a star."""
    n_lines = -(-len(strategies) // 4)
    _, axes = plt.subplots(
        n_lines, 4, figsize=(11, 2.7 * n_lines), layout="constrained", squeeze=False
    )
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, name in zip(axes.flat, strategies, strict=False):
        asked = asked_by(name, **kwargs)
        ax.contourf(*side, regions, levels=[-1, 0.5, 1.5, 3], cmap="Pastel1")
        ax.scatter(*X.T, s=5, c="gray")
        ax.scatter(*X[known].T, s=22, c="white", edgecolors="black", marker="s")
        ax.scatter(*X[asked].T, s=36, c="crimson", edgecolors="black")
        ax.scatter(*X[asked[:1]].T, s=130, c="crimson", edgecolors="black", marker="*")
        ax.set_title(name)
    plt.show()


# %%
# Uncertainty of one model
# ------------------------
# Labelled rows are white squares. Uncertain rows lie along the borders between two
# classes; ``entropy`` also likes the place where all three meet. They often are near
# duplicates of each other, and the cluster far away is not among them: the model is
# sure of it.

drawn = ["random", "least_confident", "margin", "entropy"]
draw(drawn)

# %%
# Committees
# ----------
# Ten logistic regressions, each on a bootstrap of the labels. Votes differ along the
# borders. Probabilities differ most far away from all labels: ``bald`` asks there.

family = ["vote_entropy", "variation_ratio", "consensus_entropy", "bald", "mean_std"]
draw(family)
drawn += [*family, "kl_divergence"]

# %%
# Information for a batch
# -----------------------
# ``batch_bald`` knows that two neighbours tell the same; ``power_bald`` gets variety by
# chance; ``epig`` and ``bemps`` ask what would help to predict the rest of the pool.

family = ["batch_bald", "power_bald", "epig", "bemps"]
draw(family)
drawn += family

# %%
# Representative rows
# -------------------
# These look at no prediction. ``k_center`` and ``discriminative`` take the rows least
# like everything labelled, outliers first; the others prefer the middle of where rows
# are dense. ``prob_cover``, ``max_herding`` and ``facility_location`` compare
# directions from the origin, so that the cluster far away is nothing new to them where
# other rows lie in the same direction. ``hierarchical`` draws rows at random from
# clusters whose label is open.

family = ["k_means", "k_center", "typiclust", "prob_cover", "max_herding"]
family += ["facility_location", "graph_density", "hierarchical", "discriminative"]
draw(family)
drawn += family

# %%
# Representative and uncertain
# ----------------------------
# ``albl`` draws each row from ``margin``, from ``graph_density`` or from all. ``auto``
# has seen one model only, and covers all of the pool; later it looks closer to the
# borders.

family = ["density", "u_herding", "suggestive_annotation", "cluster_uncertain"]
family += ["cluster_margin", "albl", "auto"]
draw(family)
drawn += family

# %%
# Expected change and expected error
# ----------------------------------

family = ["expected_gradient_length", "badge", "falcun", "bait"]
family += ["expected_error_reduction", "quire"]
draw(family)
drawn += family

# %%
# Contrast, learned losses and training dynamics
# ----------------------------------------------
# ``label_dispersion`` watches a classifier while it is trained, so it looks at one that
# learns step by step.

draw(["contrastive", "loss_prediction"])
draw(["label_dispersion"], classifier=sgd)
drawn += ["contrastive", "loss_prediction", "label_dispersion"]

# %%
# That was every strategy there is, but for those that train networks and need torch:

print(sorted(set(get_strategy_names()) - set(drawn) - {"mal", "vaal"}))
