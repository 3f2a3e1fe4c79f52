"""
Choosing a strategy for your data
=================================

One table of data is already labelled, and similar data are to follow. Before you buy
labels for those, replay the labelling of the table: how good would the model have been
with fewer labels, and which strategy should have selected them?
"""

# %%
# A table
# -------
# The table is written first: images of handwritten digits, one per row, with the digit
# in the last column. Use your own table instead.

import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

path = Path(tempfile.mkdtemp()) / "digits.csv"
np.savetxt(path, np.column_stack(load_digits(return_X_y=True)), "%d", delimiter=",")

# %%
# Replaying the labelling
# -----------------------
# Set up the classifier as you will use it: ten labels per round, 150 in total. In each
# of five splits, another third of the table is kept for testing, and another 20 labels
# are known from the beginning. All strategies share both, so that they can be compared
# split by split.

from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skactive import ActiveLearningClassifier
from skactive.model_selection import active_learning_curve

table = np.loadtxt(path, delimiter=",")
clf = ActiveLearningClassifier(
    make_pipeline(MinMaxScaler(), LogisticRegression()), batch_size=10, budget=150
)
curves = active_learning_curve(
    clf,
    X=table[:, :-1],
    y=table[:, -1].astype(int),
    strategies=["random", "margin"],
    initial=20,
    scoring="accuracy",
    cv=StratifiedShuffleSplit(5, test_size=1 / 3, random_state=0),
    random_state=0,
)
summary = curves.summary(target="baseline")
summary

# %%
# ``area`` is the mean height of the learning curve. The difference to random sampling
# is computed within each split; if its interval excludes 0, the strategy is better, or
# worse, on data like these. The target is the score of random sampling with all its
# labels:

best = summary[0]
print(f"{best['strategy']} saves {best['saved']:.0%} of the labels on these data.")

# %%
# Learning curves
# ---------------
# Bands are confidence intervals of the means. They are wider than the paired intervals
# of the summary, because the difficulty of a split moves all curves together. The
# dashed line is the model with all labels.

from skactive.plotting import ActiveLearningCurveDisplay

display = ActiveLearningCurveDisplay.from_curves(curves)
display.ax_.set_title("Handwritten digits")

# %%
# Next steps: try another score (``scoring=["accuracy", "neg_log_loss"]``), other
# classifiers (a dict of parameters is a strategy, too), and ``path="curves.jsonl"``,
# with which a long comparison can be interrupted and extended with further strategies.
