"""
Active learning without a callback
==================================

``fit`` calls an oracle and waits for its answers. If the answers come from elsewhere,
for instance from a web page, a laboratory or a spreadsheet, control has to be the other
way round: ``LabelingLoop`` returns the rows to label, waits, and continues when you
tell it the labels.

Run it with ``python ask_tell.py``.
"""

import numpy as np
from sklearn.datasets import load_wine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skactive import ActiveLearningClassifier, LabelingLoop

X, truth = load_wine(return_X_y=True)
names = np.array([f"bottle {number}" for number in range(len(X))])

# No label is known: the first rows are selected by clustering, without a model.
clf = ActiveLearningClassifier(
    make_pipeline(StandardScaler(), LogisticRegression()),
    strategy="margin",
    batch_size=4,
    budget=20,
    random_state=0,
)
loop = LabelingLoop(clf, X, np.full(len(X), -1), sample_ids=names)


def taste(bottles):
    """Replace a person who takes a day to answer."""
    return {bottle: truth[names == bottle].item() for bottle in bottles}


while (query := loop.ask()) is not None:
    wanted = query.sample_ids.tolist()
    print(f"Round {query.round}, please taste: {', '.join(wanted)}")

    # Answers may come one by one and in any order. Until all answers of a round have
    # arrived, `ask` returns the rows that are still open.
    first, *others = wanted
    loop.tell(list(taste(others).values()), sample_ids=others)
    still_open = loop.ask().sample_ids.tolist()
    print(f"    {len(others)} answers came, still waiting for {still_open[0]}")
    loop.tell([taste(still_open)[first]], sample_ids=still_open)

# An ordinary fitted classifier; you can call `finish` at any time.
fitted = loop.finish()
print(
    f"\nThe run ended with {fitted.n_queries_} labels because of: "
    f"{fitted.termination_condition_}.\n"
    f"{fitted.score(X, truth):.1%} of all {len(X)} wines are recognized."
)
