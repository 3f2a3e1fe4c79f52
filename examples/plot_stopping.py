"""
Comparison of stopping criteria
===============================

This example buys 600 labels. It shows in which round each of several criteria would
have ended the run, and how accurate the model was at that point.
"""

# %%
# Observing criteria during a run
# -------------------------------
# A criterion does not change which rows are queried. A function that returns None never
# stops a run, so it can evaluate many criteria in the same run.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from skactive import ActiveLearningClassifier
from skactive.datasets import hide_labels
from skactive.oracles import SimulatedOracle
from skactive.stopping import ClassificationChange, OverallUncertainty, get_criterion

X, truth = load_digits(return_X_y=True)
X, X_test, truth, y_test = train_test_split(X / 16, truth, random_state=0)
y = hide_labels(truth, 20, random_state=0)

criteria = {
    "stabilizing_predictions": get_criterion("stabilizing_predictions"),
    "selected_accuracy": get_criterion("selected_accuracy"),
    "classification_change": get_criterion("classification_change"),
    "overall_uncertainty, 0.3": OverallUncertainty(0.3),
    "overall_uncertainty, adjusted": ClassificationChange(OverallUncertainty(0.5)),
}
curve, stops = [], {}


def watch(pool):
    n_labels = int(pool.labeled.sum())
    curve.append((n_labels, pool.estimator.score(X_test, y_test)))
    for name, criterion in criteria.items():
        if name not in stops and criterion.update(pool):
            stops[name] = curve[-1]


clf = ActiveLearningClassifier(
    LogisticRegression(max_iter=1000),
    oracle=SimulatedOracle(truth),
    batch_size=20,
    budget=600,
    stopping=watch,
    random_state=0,
).fit(X, y, sample_ids=np.arange(len(X)))

# %%
# Where the criteria would have stopped
# -------------------------------------

figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
ax.plot(*np.transpose(curve), color="gray")
everything = LogisticRegression(max_iter=1000).fit(X, truth).score(X_test, y_test)
ax.axhline(everything, color="gray", linestyle=":")
for number, (name, point) in enumerate(stops.items()):
    ax.plot(*point, "o", color=f"C{number}", label=f"{name}: {point[0]} labels")
ax.set(xlabel="labels", ylabel="test accuracy", ylim=(0.8, 1.0))
ax.legend(loc="lower right")
plt.show()

# %%
# The dotted line is the accuracy with the labels of all 1,347 rows. Criteria that
# compare successive models do not need a threshold for the confidence of the model. A
# threshold of uncertainty depends on the classifier: its regularisation limits how
# confident it becomes.
