"""
Querying equal rows once
========================

With categorical features and rounded numbers, many rows are equal. If they are queried
one by one, you pay several times for the same answer. ``equal_rows`` avoids this.
"""

# %%
# A table of categories
# ---------------------
# A table of 900 customers with four categorical features, so that only few rows are
# different. The target depends on the categories; labels may be strings.

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
# Three ways to treat equal rows
# ------------------------------
# The same strategy with 48 queries each. ``"ask"`` treats each row separately;
# ``"once"`` does not query a row that equals a queried row; ``"share"`` also gives the
# answer to all equal rows, at no cost.


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
        f"{how:5}: {counts[how][0]} different rows queried, {counts[how][1]} repeated; "
        f"{counts[how][2]} rows have a label; accuracy {clf.score(X, truth):.3f}"
    )

# %%
# How the queries were spent
# --------------------------

figure, ax = plt.subplots(figsize=(7, 3.2), layout="constrained")
different, repeated, _ = np.array(list(counts.values())).T
ax.barh(list(counts), different, color="tab:blue", label="a new row")
ax.barh(list(counts), repeated, left=different, color="tab:red", label="a repetition")
ax.set(xlabel="queries", ylabel="equal_rows", xlim=(0, 60))
ax.legend(loc="lower right")
plt.show()

assert repeated[1] == repeated[2] == 0
