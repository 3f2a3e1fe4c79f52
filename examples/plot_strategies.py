"""
Rows queried by each strategy
=============================

All strategies get the same two-dimensional pool, the same 14 labels and the same
logistic regression. Each picture shows the eight rows that a strategy would query next.
"""

# %%
# The pool
# --------
# Three classes. Two of them overlap; the third has a small cluster far away, in which
# no row is labelled yet. The background shows the predictions of the model.

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

# Distances, and angles even more so, need centred features of the same scale.
logistic = make_pipeline(StandardScaler(), LogisticRegression(C=10.0))
sgd = make_pipeline(StandardScaler(), SGDClassifier(loss="log_loss", random_state=0))
side = np.linspace(-3, 6.5, 150), np.linspace(-3, 6, 150)
grid = np.stack(np.meshgrid(*side), axis=-1).reshape(-1, 2)
regions = logistic.fit(X[known], truth[known]).predict(grid).reshape(150, 150)


def asked_by(strategy, classifier=logistic):
    """Return the first batch that a strategy queries."""
    clf = ActiveLearningClassifier(
        classifier, strategy=strategy, committee=10, batch_size=8, random_state=0
    )
    return LabelingLoop(clf, X, y).ask().indices


def draw(strategies, **kwargs):
    """Draw the rows that strategies query; the first one is a star."""
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
# Labelled rows are white squares. Uncertain rows are along the boundaries between two
# classes; ``entropy`` also prefers the place where all three meet. They are often near
# duplicates of each other, and none is from the cluster far away, about which the model
# is certain.

drawn = ["random", "least_confident", "margin", "entropy"]
draw(drawn)

# %%
# Committees
# ----------
# Ten logistic regressions, each on a bootstrap of the labels. Votes differ along the
# boundaries. Probabilities differ most far away from all labels: ``bald`` queries rows
# there.

family = ["vote_entropy", "variation_ratio", "consensus_entropy", "bald", "mean_std"]
draw(family)
drawn += [*family, "kl_divergence"]

# %%
# Information in a batch
# ----------------------
# ``batch_bald`` takes into account that two neighbours give the same information;
# ``power_bald`` gets diversity by chance; ``epig`` and ``bemps`` query rows that help
# to predict the rest of the pool.

family = ["batch_bald", "power_bald", "epig", "bemps"]
draw(family)
drawn += family

# %%
# Representative rows
# -------------------
# These strategies do not use predictions. ``k_center`` and ``discriminative`` select
# the rows least similar to all labelled ones, outliers first; the others prefer the
# middle of dense regions. ``prob_cover``, ``max_herding`` and ``facility_location``
# compare directions from the origin. Therefore the cluster far away is not new to them
# if other rows are in the same direction. ``hierarchical`` draws rows at random from
# clusters whose label is undecided.

family = ["k_means", "k_center", "typiclust", "prob_cover", "max_herding"]
family += ["facility_location", "graph_density", "hierarchical", "discriminative"]
draw(family)
drawn += family

# %%
# Representative and uncertain
# ----------------------------
# ``albl`` draws each row from ``margin``, from ``graph_density`` or from all rows.
# ``auto`` has only seen one model, and covers the whole pool; later it moves closer to
# the boundaries.

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
# Contrast, loss prediction and training dynamics
# -----------------------------------------------
# ``label_dispersion`` follows a classifier during training, so it needs one that learns
# step by step.

draw(["contrastive", "loss_prediction"])
draw(["label_dispersion"], classifier=sgd)
drawn += ["contrastive", "loss_prediction", "label_dispersion"]

# %%
# These were all strategies, except for those that train networks and need torch:

print(sorted(set(get_strategy_names()) - set(drawn) - {"mal", "vaal"}))
