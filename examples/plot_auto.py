"""
How auto adapts to the number of labels
=======================================

``strategy="auto"`` queries rows that cover the uncertainty of the model: among all
candidates as long as ten labels still change many of its predictions, among the most
uncertain ones once they have settled. This example follows it through a run.
"""

# %%
# Recording what the strategy does
# --------------------------------
# A subclass records one line per round: the agreement of the current model with the
# previous one, the size of the region, and how uncertain the queried rows are, compared
# with all candidates.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler

from skactive import ActiveLearningClassifier
from skactive.acquisition import AutoSampling
from skactive.acquisition.functional import margin
from skactive.datasets import hide_labels
from skactive.oracles import SimulatedOracle

lines = []


class Watched(AutoSampling):
    def select(self, pool, n_queries):
        rows = super().select(pool, n_queries)
        uncertainty = margin(pool.proba)
        place = np.argsort(np.argsort(uncertainty)) / len(uncertainty)
        asked = place[np.isin(pool.candidates, rows)].mean()
        lines.append(
            (pool.labeled.sum(), self.agreement_, self.n_region_ / len(pool), asked)
        )
        return rows


X, truth = load_digits(return_X_y=True)
X, X_test, truth, y_test = train_test_split(X, truth, test_size=0.4, random_state=0)
y = hide_labels(truth, 10, stratify=True, random_state=0)


def learn(strategy):
    clf = ActiveLearningClassifier(
        make_pipeline(MinMaxScaler(), LogisticRegression(max_iter=1000)),
        oracle=SimulatedOracle(truth),
        strategy=strategy,
        batch_size=10,
        budget=150,
        random_state=0,
    )
    return clf.fit(X, y, sample_ids=np.arange(len(X)))


clf = learn(Watched())

# %%
# From the whole pool to its uncertain part
# -----------------------------------------
# Before the first labels there is no earlier model to compare with, and the region is
# the whole pool. As the agreement of successive models increases, the region shrinks,
# and the queried rows become more uncertain: 1 is the most uncertain row of a round,
# 0.5 the middle one.

n_labeled, agreement, region, asked = np.array(lines).T
_, ax = plt.subplots(figsize=(7, 4), layout="constrained")
ax.plot(n_labeled, agreement, marker="o", label="agreement with the previous model")
ax.plot(n_labeled, region, marker="s", label="size of the region / pool")
ax.plot(n_labeled, asked, marker="^", label="mean uncertainty rank of queries")
ax.set(xlabel="labels", ylim=(0, 1.02))
ax.legend(loc="center right")
plt.show()

# %%
# Resulting accuracy
# ------------------

for strategy in ("random", "margin", "auto"):
    score = learn(strategy).score(X_test, y_test)
    print(f"{strategy:8} {score:.1%} right with 160 labels")
