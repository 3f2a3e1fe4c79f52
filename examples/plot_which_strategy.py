"""
Which strategy suits my data?
=============================

A table of data is labelled already, and more of its kind are to come. Before labels are
bought for those, the labelling of the table is replayed: how good would the model have
been with fewer labels, and who should have chosen them?
"""

# %%
# A table
# -------
# Here it is written first: images of handwritten digits, one in a row, and what they
# show in the last column. Put your own in its place.

import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

path = Path(tempfile.mkdtemp()) / "digits.csv"
np.savetxt(path, np.column_stack(load_digits(return_X_y=True)), "%d", delimiter=",")

# %%
# Replay its labelling
# --------------------
# The classifier is set up as it will be used: ten labels in a round, 150 in all. Each
# of five times, another third of the table is kept for testing, and 20 other labels
# are known from the beginning. The strategies share both, so that they can be compared
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
# is that within each split; where its interval excludes 0, the strategy is better on
# data like these, or worse. The target is what random sampling reaches with all its
# labels:

best = summary[0]
print(f"{best['strategy']} saves {best['saved']:.0%} of the labels on these data.")

# %%
# The curves
# ----------
# Bands are confidence intervals of the means. They are wider than the paired ones of
# the summary: how difficult a split is moves all curves together. The dashed line is
# the model that has all labels.

from skactive.plotting import ActiveLearningCurveDisplay

display = ActiveLearningCurveDisplay.from_curves(curves)
display.ax_.set_title("Handwritten digits")

# %%
# What to look at next: another score (``scoring=["accuracy", "neg_log_loss"]``), other
# classifiers (a dict of parameters is a strategy, too), and ``path="curves.jsonl"``,
# with which a long comparison may be interrupted and strategies may be added to it.
