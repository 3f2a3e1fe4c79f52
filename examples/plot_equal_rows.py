"""
Rows that are equal are asked once
==================================

Categories and rounded numbers make many rows equal. Whoever asks them one by one pays
several times for one answer. ``equal_rows`` says what to do about that.
"""

# %%
# A table of categories
# ---------------------
# 900 customers, of whom nothing is known but four categories, so that few rows are
# different. What they do depends on the categories; strings are labels as good as any.

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skactive import ActiveLearningClassifier

rng = np.random.default_rng(0)
X = pd.DataFrame(
    {
        "plan": rng.choice(["free", "basic", "pro"], 900, p=[0.6, 0.3, 0.1]),
        "device": rng.choice(["phone", "laptop"], 900),
        "region": rng.choice(["north", "south", "west"], 900),
        "age": rng.choice(["young", "middle", "old"], 900),
    }
)
score = (X.plan == "pro") * 3 + (X.device == "phone") * (X.age == "young") * 2
score += (X.region == "west") * (X.age == "old") * 2
truth = np.where(score > 1, "stays", "leaves").astype(object)
print(f"{len(X)} rows, of which {len(X.drop_duplicates())} are different")

# %%
# Asked as they come, once, or once for all
# -----------------------------------------
# The same strategy, and 48 questions each. ``"ask"`` takes every row for itself;
# ``"once"`` asks no row that equals one that was asked; ``"share"`` also gives the
# answer to all equal rows, which is no question more.


def learn(equal_rows):
    clf = ActiveLearningClassifier(
        make_pipeline(
            OneHotEncoder(handle_unknown="ignore"),
            RandomForestClassifier(50, random_state=0),
        ),
        oracle=lambda rows, sample_ids: truth[sample_ids],
        strategy="margin",
        equal_rows=equal_rows,
        missing_label=None,
        batch_size=6,
        budget=48,
        random_state=0,
    )
    return clf.fit(X, np.full(900, None), sample_ids=np.arange(900))


learners = {how: learn(how) for how in ("ask", "once", "share")}
counts = {}
for how, clf in learners.items():
    asked = X.iloc[clf.query_indices_]
    counts[how] = [
        len(asked.drop_duplicates()),
        int(asked.duplicated().sum()),
        int((clf.labeled_iter_ >= 0).sum()),
    ]
    print(
        f"{how:5}: {counts[how][0]} different rows asked, {counts[how][1]} repeated; "
        f"{counts[how][2]} rows have a label; accuracy {clf.score(X, truth):.3f}"
    )

# %%
# What the questions were spent on
# --------------------------------

figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
different, repeated, _ = np.array(list(counts.values())).T
ax.barh(list(counts), different, color="tab:blue", label="a row not seen before")
ax.barh(list(counts), repeated, left=different, color="tab:red", label="asked again")
ax.set(xlabel="questions", ylabel="equal_rows", xlim=(0, 60))
ax.legend(loc="lower right")
plt.show()

assert repeated[1] == repeated[2] == 0
