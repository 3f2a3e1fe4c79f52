"""
Labelling over weeks
====================

People label for an hour at a time, skip rows that they cannot read, change their minds,
and get new rows in between. A ``Session`` is a file that connects these hours: each run
continues where the last one ended, and the score on the test sample stays honest.

Run it with ``python label_over_weeks.py``. It simulates five days in a few seconds.
"""

import tempfile
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from skactive import ActiveLearningClassifier, Session

X, truth = load_digits(return_X_y=True)
X, unknown = X / 16, np.full(len(X), -1)
ids = np.array([f"scan-{number}" for number in range(len(X))])
digits = dict(zip(ids.tolist(), truth.tolist(), strict=True))

# Nobody labels the last rows. They are new data, and show how good the model really is.
pool, new = np.split(np.random.default_rng(0).permutation(len(X)), [1200])


def read(X, sample_ids):
    """Answer like a person who cannot read every twelfth scan."""
    for name in sample_ids.tolist():
        number = int(name.split("-")[1])
        yield None if number % 12 == 0 else digits[name]


clf = ActiveLearningClassifier(
    LogisticRegression(max_iter=1000),
    oracle=read,
    batch_size=10,
    holdout_fraction=0.25,
    random_state=0,
)
folder = tempfile.TemporaryDirectory()
session = Session(Path(folder.name) / "digits.db", annotator="Ann")


def label(day, rows, budget, **params):
    """Continue the session, and print its state."""
    clf.set_params(budget=budget, **params)
    clf.fit(X[rows], unknown[rows], sample_ids=ids[rows], session=session)
    low, high = clf.holdout_interval_
    print(
        f"{day:10} {clf.n_queries_:4} queries, {len(session.skipped()):2} skipped, "
        f"{len(clf.holdout_indices_):2} test labels: score {clf.holdout_score_:.2f} "
        f"({low:.2f} to {high:.2f}), on new rows {clf.score(X[new], truth[new]):.2f}"
    )


# The first box has 800 scans. On Tuesday the budget is raised, and the sample grows.
label("Monday", pool[:800], 80)
label("Tuesday", pool[:800], 120)

# The second box comes, and the rows are in another order.
label("Wednesday", pool[::-1], 160)

# A colleague corrects a label, and takes back another one.
first, second = list(session.labels())[:2]
session.correct({first: (digits[first] + 1) % 10, second: None}, annotator="Bob")
label("Thursday", pool, 200, strategy="entropy")

# Were the old labels right? Both rows are queried once more, before all others.
session.ask_again([first, second])
label("Friday", pool, 240)

print("\nThe answers for", first)
for record in session.corrections():
    if record["sample_id"] == first:
        print(
            f"    {record['annotator']} said {record['label']}, "
            f"and {record['old_annotator']} had said {record['old_label']}"
        )

session.close()
folder.cleanup()
