"""
===============================================
Honest evaluation of a model without a test set
===============================================

Labels bought for training are a poor test set: a strategy queries rows on which the
model is wrong, and the performance of a model on its training rows says nothing about
its performance elsewhere. This example shows two solutions:

- for a **finished model**, rows are drawn with known probabilities, and their losses
  are weighted so that the estimate is unbiased;
- for the **model being trained**, some rows are drawn at random first, and held out.
"""

# %%
# A finished model, and a pool without labels
# -------------------------------------------
# The model was trained elsewhere, on data that are slightly shifted: it is wrong in a
# strip between its decision boundary and the true one.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import GaussianNB
from sklearn.tree import DecisionTreeClassifier

from skactive import ActiveLearningClassifier
from skactive.acquisition import EpsilonGreedy
from skactive.model_selection import active_test, queried_risk
from skactive.oracles import SimulatedOracle

rng = np.random.default_rng(0)
n_samples = 1000
X = rng.normal(size=(n_samples, 2))
truth = (X[:, 0] + 0.2 * rng.normal(size=n_samples) > 0).astype(int)
is_given = np.arange(n_samples) < 20
y = np.where(is_given, truth, -1)
ids = np.arange(n_samples)

X_elsewhere = rng.normal(size=(200, 2))
model = LogisticRegression().fit(X_elsewhere, X_elsewhere[:, 0] > 0.3)
wrong = model.predict(X) != truth
risk = wrong[~is_given].mean()
print(f"share of errors, which nobody knows: {risk:.3f}")

# %%
# Estimates from the labels of a run
# ----------------------------------
# Another classifier learns by margin sampling, with every other row drawn at random.
# The error rate on the queried rows is far too high, because they are close to the
# decision boundary. :func:`~skactive.model_selection.queried_risk` weights the rows by
# their probabilities of being drawn.

naive, weighted = [], []
for seed in range(60):
    learner = ActiveLearningClassifier(
        GaussianNB(),
        oracle=SimulatedOracle(truth),
        strategy=EpsilonGreedy("margin", epsilon=0.5),
        batch_size=20,
        budget=60,
        random_state=seed,
    ).fit(X, y, sample_ids=ids)
    naive.append(wrong[learner.query_indices_].mean())
    weighted.append(queried_risk(model, learner, X))

# %%
# Labels bought for testing
# -------------------------
# If the labels are only for testing, all of them can be spent where the model is
# expected to be wrong. :func:`~skactive.model_selection.active_test` draws rows there,
# and computes a standard error. The same number of labels drawn uniformly would lead to
# a larger error.

tests = [
    active_test(
        model,
        X,
        y,
        oracle=SimulatedOracle(truth),
        surrogate=LogisticRegression(C=10),
        batch_size=20,
        budget=60,
        sample_ids=ids,
        random_state=seed,
    )
    for seed in range(60)
]
active = [test.risk for test in tests]
uniform = [
    wrong[rng.choice(np.flatnonzero(~is_given), 60, replace=False)].mean()
    for _ in range(60)
]
print(f"one active test: {tests[0].risk:.3f}, standard error {tests[0].std:.3f}")

names = ["as queried", "weighted", "active test", "uniform"]
estimates = [naive, weighted, active, uniform]
figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
ax.boxplot(estimates, showmeans=True)
ax.set_xticks(range(1, 5), names)
ax.axhline(risk, color="black", linestyle="--", label="truth")
ax.set(ylabel="estimated share of errors", title="60 runs with 60 labels each")
ax.legend()
plt.show()
for name, values in zip(names, estimates, strict=True):
    off = np.sqrt(np.mean((np.array(values) - risk) ** 2))
    print(f"{name:>12}: mean {np.mean(values):.3f}, off by {off:.3f}")

# %%
# The weights correct the bias, not the variance: rows that were unlikely to be drawn
# have large weights. None of this is valid for the model that was trained on these
# labels. A decision tree makes no error on them at all:

known = learner.labeled_iter_ >= 0
tree = DecisionTreeClassifier(random_state=0).fit(X[known], truth[known])
print(f"tree, estimated by LURE: {queried_risk(tree, learner, X):.3f}")
print(f"tree, true error:        {np.mean(tree.predict(X) != truth):.3f}")

# %%
# The model being trained
# -----------------------
# ``holdout_fraction`` spends a fraction of the budget on rows drawn at random, which no
# model sees before the final fit. At the end the tree is fitted once without them, and
# ``holdout_score_`` is its accuracy on them, with an interval of confidence 0.95.

learner = ActiveLearningClassifier(
    DecisionTreeClassifier(random_state=0),
    oracle=SimulatedOracle(truth),
    batch_size=20,
    budget=120,
    holdout_fraction=0.5,
    random_state=0,
).fit(X, y, sample_ids=ids)
known = learner.labeled_iter_ >= 0
low, high = learner.holdout_interval_
X_new = rng.normal(size=(10_000, 2))
y_new = (X_new[:, 0] + 0.2 * rng.normal(size=10_000) > 0).astype(int)
print(f"on the labels that it knows: {learner.score(X[known], truth[known]):.3f}")
print(f"on the held-out rows:        {learner.holdout_score_:.3f}", end=" ")
print(f"[{low:.3f}, {high:.3f}]")
print(f"on new rows, the final tree: {learner.score(X_new, y_new):.3f}")
